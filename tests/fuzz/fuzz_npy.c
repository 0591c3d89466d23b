/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_npy.c - .npy, .npz and .pb values; what is accepted is then read */
#include "base/limits.h"
#include "onnx/decode_tensor.h"
#include "tensorio/npy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct fuzz {
    tni_mem mem;
    tni_arena arena;
    tn_limits limits;
    tn_err err;
} fuzz;

/* Touches every element. */
static void look(const tni_tensor *t, int depth)
{
    char text[32];
    if (depth == 0) return;
    for (int64_t i = 0; i < t->len; i++) {
        if (t->kind == TN_KIND_TENSOR) {
            (void)tn_tensor_format(t, i, text, sizeof text);
            continue;
        }
        const tn_tensor *item = tn_tensor_item(t, i);
        if (item != NULL) look(item, depth - 1);
    }
}

static tn_status member(void *ctx, const char *name, size_t len,
                        const uint8_t *bytes, size_t size)
{
    fuzz *f = ctx;
    tni_tensor t;
    (void)name;
    (void)len;
    if (tni_npy_decode(bytes, size, &f->limits, &f->arena, &t, &f->err) ==
        TN_OK)
        look(&t, 2);
    return TN_OK;
}

static void decode_pb(fuzz *f, const uint8_t *data, size_t size)
{
    for (int kind = 0; kind < 4; kind++) {
        tni_tensor_src src;
        tni_tensor t;
        tni_wire w;
        memset(&src, 0, sizeof src);
        src.arena = &f->arena;
        src.limits = &f->limits;
        src.err = &f->err;
        tni_wire_init(&w, data, size, "Value", 64, &f->err);
        tn_status status = TN_OK;
        if (kind == 0) status = tni_decode_tensor(&src, &w, &t, NULL);
        if (kind == 1) status = tni_decode_sequence(&src, &w, &t, 8);
        if (kind == 2) status = tni_decode_optional(&src, &w, &t, 8);
        if (kind == 3) status = tni_decode_map(&src, &w, &t, 8);
        if (status == TN_OK) look(&t, 8);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const tn_limits tight = {
        sizeof(tn_limits), 1 << 20, 1 << 20, 1 << 22, 100, 8, 8, 256, 100, 0};
    fuzz f;
    memset(&f, 0, sizeof f);
    tni_limits_fill(&f.limits, &tight);
    tni_mem_init(&f.mem, NULL, (size_t)f.limits.max_total_bytes);
    tni_arena_init(&f.arena, &f.mem, 1 << 12);
    if (tni_is_npy(data, size)) {
        (void)!member(&f, "", 0, data, size);
    } else if (tni_is_zip(data, size)) {
        const tni_zip_reader zip = {&f,     NULL,      member,
                                    &f.mem, &f.limits, &f.err};
        (void)!tni_zip_read(&zip, data, size);
    } else {
        decode_pb(&f, data, size);
    }
    tni_arena_fini(&f.arena);
    if (f.mem.used_bytes != 0) abort();
    return 0;
}
