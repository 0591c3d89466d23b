/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_xml.c - any document; what is read is written and read to the same */
#include "data/xml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct copy {
    tni_xml_out out;
    char *bytes;
    size_t size, cap;
    uint64_t sum; /* of names, attributes, texts */
} copy;

static tn_status take(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    copy *c = ctx;
    (void)err;
    if (c->cap - c->size < size) {
        c->cap = 2 * c->cap + size;
        c->bytes = realloc(c->bytes, c->cap);
        if (c->bytes == NULL) abort();
    }
    memcpy(c->bytes + c->size, bytes, size);
    c->size += size;
    return TN_OK;
}

static void add(copy *c, const char *text)
{
    for (; *text != '\0'; text++)
        c->sum = c->sum * 31 + (unsigned char)*text + 1;
    c->sum = c->sum * 31;
}

static tn_status on_start(void *ctx, tni_xml *x, const char *name,
                          const char *const *attrs)
{
    copy *c = ctx;
    if (tni_xml_line(x) < 1 || tni_xml_depth(x) < 1) abort();
    add(c, name);
    tni_xml_out_open(&c->out, "e");
    tni_xml_out_attr(&c->out, "n", name);
    for (; *attrs != NULL; attrs += 2) {
        add(c, attrs[0]);
        add(c, attrs[1]);
    }
    return TN_OK;
}

static tn_status on_end(void *ctx, tni_xml *x, const char *name,
                        const char *text, size_t len)
{
    copy *c = ctx;
    (void)x;
    if (text != NULL) {
        if (strlen(text) != len) abort();
        add(c, text);
        tni_xml_out_text(&c->out, text, len);
    }
    add(c, name);
    tni_xml_out_close(&c->out);
    return TN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const tni_xml_limits limits = {16, 4096, 1000};
    tni_mem mem;
    copy c[2];
    tn_status status[2] = {TN_OK, TN_OK};
    memset(c, 0, sizeof c);
    tni_mem_init(&mem, NULL, 0);
    for (int i = 0; i < 2; i++) {
        const tni_xml_handler h = {&c[i], on_start, on_end};
        c[i].out.ctx = &c[i];
        c[i].out.write = take;
        c[i].out.indent = "";
        const char *from = i == 0 ? (const char *)data : c[0].bytes;
        const size_t n = i == 0 ? size : c[0].size;
        status[i] =
            tni_xml_read(&h, from, n, i == 0 ? &limits : NULL, &mem, NULL);
        if (status[i] != TN_OK) break;
        if (tni_xml_out_end(&c[i].out) != TN_OK) break;
    }
    if (status[0] == TN_OK && c[0].out.status == TN_OK &&
        (status[1] != TN_OK || c[1].out.status != TN_OK))
        abort();
    free(c[0].bytes);
    free(c[1].bytes);
    if (mem.used_bytes != 0) abort();
    return 0;
}
