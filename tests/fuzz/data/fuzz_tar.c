/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tar.c - any archive; what it holds is packed again and read the same */
#include "data/tar.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct bytes {
    uint8_t *data;
    size_t size, cap;
} bytes;

static tn_status take(void *ctx, const void *data, size_t size, tn_err *err)
{
    bytes *b = ctx;
    (void)err;
    if (b->cap - b->size < size) {
        b->cap = 2 * b->cap + size;
        b->data = realloc(b->data, b->cap);
        if (b->data == NULL) abort();
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
    return TN_OK;
}

static void again(tni_arena *arena, const tni_tar_entry *e)
{
    bytes b = {NULL, 0, 0};
    const tni_byte_sink sink = {&b, take};
    tni_tar t;
    tni_tar_entry back;
    bool more = false;
    if (tni_tar_put(&sink, e->name, e->bytes, e->size, NULL) != TN_OK ||
        tni_tar_end(&sink, NULL) != TN_OK)
        abort();
    tni_tar_init(&t, b.data, b.size, arena, NULL);
    if (tni_tar_next(&t, &back, &more) != TN_OK || !more ||
        strcmp(back.name, e->name) != 0 || back.size != e->size ||
        memcmp(back.bytes, e->bytes, e->size) != 0)
        abort();
    if (tni_tar_next(&t, &back, &more) != TN_OK || more || t.cut) abort();
    free(b.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tni_mem mem;
    tni_arena arena;
    tni_tar t;
    tni_tar_entry e;
    bool more = true;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1024);
    tni_tar_init(&t, data, size, &arena, NULL);
    for (int i = 0; i < 100 && tni_tar_next(&t, &e, &more) == TN_OK && more;
         i++) {
        if (e.size > size || e.bytes < data || e.bytes + e.size > data + size)
            abort();
        /* "./a" was cut to "a", and names that are just "./" are folders. */
        if (e.kind == TNI_TAR_FILE && e.name[0] != '\0') again(&arena, &e);
    }
    tni_arena_fini(&arena);
    if (mem.used_bytes != 0) abort();
    return 0;
}
