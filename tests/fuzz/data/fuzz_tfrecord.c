/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tfrecord.c - records, and any bytes as an example, written again */
#include "data/tfrecord.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads all values of a feature and writes them into another example. */
static void copy(tni_arena *arena, const tni_example_feature *f)
{
    tni_example_out o;
    tni_bytes message, v, list = f->list;
    tni_example e;
    tni_example_feature back;
    bool more = false;
    tni_example_out_init(&o, arena);
    if (f->kind == TNI_FEATURE_BYTES) {
        tni_bytes *values = TNI_NEW_ARRAY(arena, tni_bytes, f->n + 1);
        size_t n = 0;
        while (tni_feature_bytes(&list, &v)) values[n++] = v;
        if (n != f->n) abort();
        tni_example_out_bytes(&o, "k", values, n);
    } else if (f->kind == TNI_FEATURE_FLOATS) {
        float *values = TNI_NEW_ARRAY(arena, float, f->n + 1);
        tni_feature_floats(f, values);
        tni_example_out_floats(&o, "k", values, f->n);
    } else {
        int64_t *values = TNI_NEW_ARRAY(arena, int64_t, f->n + 1);
        tni_feature_ints(f, values);
        tni_example_out_ints(&o, "k", values, f->n);
    }
    if (tni_example_out_end(&o, &message, NULL) != TN_OK) abort();
    tni_example_init(&e, message, NULL);
    if (tni_example_next(&e, &back, &more) != TN_OK || !more ||
        back.n != f->n || (back.kind != f->kind && f->kind != TNI_FEATURE_NONE))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tni_mem mem;
    tni_arena arena;
    tni_tfrecord r;
    tni_bytes record = {data, size};
    bool more = true;
    tni_example e;
    tni_example_feature f;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1024);
    tni_tfrecord_init(&r, data, size, NULL);
    if (tni_tfrecord_next(&r, &record, &more) != TN_OK || !more) {
        record.p = data;
        record.size = size;
    }
    tni_example_init(&e, record, NULL);
    for (int i = 0; i < 100 && tni_example_next(&e, &f, &more) == TN_OK && more;
         i++)
        copy(&arena, &f);
    tni_arena_fini(&arena);
    if (mem.used_bytes != 0) abort();
    return 0;
}
