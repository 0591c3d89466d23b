/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_csv_text.c - any text as a table; what is read is written and read */
#include "data/csv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct text {
    char *p;
    size_t len, cap;
} text;

static tn_status sink(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    text *t = ctx;
    (void)err;
    if (size > t->cap - t->len) abort();
    memcpy(t->p + t->len, bytes, size);
    t->len += size;
    return TN_OK;
}

static void again(const tni_csv *c, tni_arena *arena, char delimiter)
{
    static tni_out o;
    text t = {NULL, 0, 16};
    tni_csv back;
    for (size_t i = 0; i < c->n; i++) t.cap += 2 * c->fields[i].text.len + 3;
    t.p = tni_arena_alloc(arena, t.cap, 1);
    if (t.p == NULL) return;
    tni_out_init(&o, sink, &t, NULL);
    for (size_t i = 0; i < c->n; i++) {
        if (i > 0) tni_out_char(&o, delimiter);
        if (c->n == 1 && c->fields[i].text.len == 0) tni_out_str(&o, "\"\"");
        tni_csv_put(&o, delimiter, c->fields[i].text.p, c->fields[i].text.len);
    }
    tni_out_str(&o, "\n");
    const tn_status status = tni_out_flush(&o);
    if (status == TN_EINVAL) return; /* not UTF-8 */
    if (status != TN_OK) abort();
    const tni_span all = {t.p, t.len};
    tni_csv_init(&back, all, delimiter, arena, NULL);
    back.trim = c->trim;
    if (!tni_csv_next(&back)) {
        if (back.status == TN_ENOMEM) return;
        abort();
    }
    if (back.n != c->n) abort();
    for (size_t i = 0; i < c->n; i++)
        if (back.fields[i].text.len != c->fields[i].text.len ||
            memcmp(back.fields[i].text.p, c->fields[i].text.p,
                   c->fields[i].text.len) != 0)
            abort();
    if (tni_csv_next(&back)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tni_mem mem;
    tni_arena arena, other;
    tni_csv c;
    if (size == 0) return 0;
    const tni_span all = {(const char *)data + 1, size - 1};
    const char delimiter = tni_csv_delimiter(all);
    tni_mem_init(&mem, NULL, (size_t)1 << 24);
    tni_arena_init(&arena, &mem, 1024);
    tni_arena_init(&other, &mem, 1024);
    tni_csv_init(&c, all, delimiter, &arena, NULL);
    c.trim = (data[0] & 1) != 0;
    while (tni_csv_next(&c)) {
        for (size_t i = 0; i < c.n; i++)
            if (c.fields[i].offset > all.len) abort();
        again(&c, &other, delimiter);
        tni_arena_reset(&other);
    }
    tni_arena_fini(&arena);
    tni_arena_fini(&other);
    return 0;
}
