/* SPDX-License-Identifier: Apache-2.0 */
/* raw.c - weights that are not in memory yet as kernels want to read them */
#include "tensor/raw.h"

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
    const size_t elem = tn_dtype_size(t->dtype);
    const void *from = t->scaled != NULL ? t->scaled->from : t->data;
    *size = len * elem;
    return (const char *)from + at * elem;
}

static void read_scaled(float *to, const tni_tensor *t, size_t at, size_t len)
{
    const char *from = t->scaled->from;
    const size_t row = (size_t)(t->len / t->dims[0]);
    for (size_t i = 0; i < len;) {
        const size_t r = (at + i) / row, left = (r + 1) * row - (at + i);
        const size_t n = left < len - i ? left : len - i;
        memcpy(to + i, from + (at + i) * sizeof *to, n * sizeof *to);
        const double by = t->scaled->by[r];
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
