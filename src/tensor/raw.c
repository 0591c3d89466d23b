/* SPDX-License-Identifier: Apache-2.0 */
/* raw.c - weights that are not in memory yet as kernels want to read them */
#include "tensor/raw.h"

#include "tensor/half.h"

#include <string.h>

size_t tni_dtype_part(tn_dtype dtype)
{
    const size_t size = tn_dtype_size(dtype);
    return dtype == TN_C64 || dtype == TN_C128 ? size / 2 : size;
}

bool tni_tensor_is_plain(const tni_tensor *t)
{
    if (t->kind != TN_KIND_TENSOR || t->dtype == TN_STRING) return true;
    const size_t part = tni_dtype_part(t->dtype);
    return t->scaled == NULL && (part < 2 || (uintptr_t)t->data % part == 0);
}

const void *tni_tensor_source(const tni_tensor *t, size_t at, size_t len,
                              size_t *size)
{
    const tni_scaled *s = t->scaled;
    const void *from = s != NULL ? s->from : t->data;
    const size_t elem = tn_dtype_size(s != NULL ? s->dtype : t->dtype);
    *size = len * elem;
    return (const char *)from + at * elem;
}

static void widen(float *to, tn_dtype dtype, const char *from, size_t len)
{
    uint16_t half[512];
    for (size_t at = 0; at < len; at += sizeof half / sizeof *half) {
        const size_t left = len - at, most = sizeof half / sizeof *half;
        const size_t n = left < most ? left : most;
        memcpy(half, from + at * sizeof *half, n * sizeof *half);
        if (dtype == TN_F16)
            for (size_t i = 0; i < n; i++) to[at + i] = tni_f16_to_f32(half[i]);
        else
            for (size_t i = 0; i < n; i++)
                to[at + i] = tni_bf16_to_f32(half[i]);
    }
}

static void read_scaled(float *to, const tni_tensor *t, size_t at, size_t len)
{
    const tni_scaled *s = t->scaled;
    size_t size = 0;
    const void *from = tni_tensor_source(t, at, len, &size);
    if (s->dtype == TN_F32)
        memcpy(to, from, size);
    else
        widen(to, s->dtype, from, len);
    if (s->by == NULL) return;
    const size_t row = (size_t)(t->len / t->dims[0]);
    for (size_t i = 0; i < len;) {
        const size_t r = (at + i) / row, left = (r + 1) * row - (at + i);
        const size_t n = left < len - i ? left : len - i;
        const double by = s->by[r];
        for (size_t k = i; k < i + n; k++) to[k] = (float)(by * (double)to[k]);
        i += n;
    }
}

void tni_tensor_read(void *to, const tni_tensor *t, size_t at, size_t len)
{
    size_t size = 0;
    if (len == 0) return;
    if (t->scaled != NULL) {
        read_scaled(to, t, at, len);
        return;
    }
    const void *from = tni_tensor_source(t, at, len, &size);
    memcpy(to, from, size);
}

tn_status tni_tensor_settle(tni_tensor *to, const tni_tensor *from,
                            tni_arena *arena, tn_err *err)
{
    tni_tensor t = *from;
    if (!tni_tensor_is_plain(from)) {
        t.scaled = NULL;
        TN_TRY(tni_tensor_alloc(&t, arena, from->dtype, from->rank, from->dims,
                                err));
        tni_tensor_read(t.data, from, 0, (size_t)from->len);
    }
    *to = t;
    return TN_OK;
}
