/* SPDX-License-Identifier: Apache-2.0 */
/* qgrid.c - quantisation: which scale holds for which element, and rounding */
#include "ops/qgrid.h"

#include <math.h>

tn_status tni_qgrid_init(tni_qgrid *g, const tni_shape *x,
                         const tni_shape *scale, int64_t axis, int64_t block,
                         tn_err *err)
{
    int64_t len = 0, scales = 0;
    if (!tni_dims_len(&len, x->rank, x->dims) ||
        !tni_dims_len(&scales, scale->rank, scale->dims))
        return tni_fail(err, TN_EINVAL, "a shape overflows");
    *g = (tni_qgrid){.rows = 1, .len = (size_t)len};
    g->extent = g->block = (size_t)len;
    g->scales = g->post = 1;
    if (block < 0)
        return tni_fail(err, TN_EINVAL, "attribute 'block_size' is %lld",
                        (long long)block);
    if (scales == 1 && (block == 0 || scale->rank == 0)) return TN_OK;
    int a = 0;
    if (x->rank != 1) TN_TRY(tni_axis(&a, axis, x->rank, err));
    size_t pre = 1;
    for (int d = 0; d < a; d++) pre *= (size_t)x->dims[d];
    for (int d = a + 1; d < x->rank; d++) g->post *= (size_t)x->dims[d];
    g->extent = x->rank > 0 ? (size_t)x->dims[a] : 1;
    g->blocked = block > 0;
    g->block = block > 0 ? (size_t)block : 1;
    g->scales = (g->extent + g->block - 1) / g->block;
    bool fits = true;
    if (g->blocked) {
        fits = scale->rank == x->rank;
        for (int d = 0; d < x->rank && fits; d++)
            fits = scale->dims[d] == (d == a ? (int64_t)g->scales : x->dims[d]);
    } else {
        fits = scale->rank == 1 && scales == (int64_t)g->extent;
    }
    if (!fits) {
        char s[100], t[100];
        return tni_fail(
            err, TN_EINVAL,
            "scale %s fits neither x %s nor its axis %d with block_size %lld",
            tni_shape_format(s, sizeof s, TN_F32, scale->rank, scale->dims),
            tni_shape_format(t, sizeof t, TN_F32, x->rank, x->dims), a,
            (long long)block);
    }
    if (g->post > 1) {
        g->rows = pre * g->extent;
        g->len = g->post;
    } else if (g->blocked) {
        g->rows = pre * g->scales;
        g->len = g->block < g->extent ? g->block : g->extent;
    } else {
        g->rows = pre;
        g->len = g->extent;
    }
    return TN_OK;
}

bool tni_qgrid_cell(tni_qcell *cell, const tni_qgrid *g, size_t row,
                    size_t first, size_t n)
{
    cell->n = n;
    cell->step = 0;
    if (g->scales == 1 && !g->blocked) { /* per tensor */
        cell->at = row * g->len + first;
        cell->scale = 0;
    } else if (g->post > 1) {
        const size_t outer = row / g->extent, index = row % g->extent;
        cell->at = row * g->post + first;
        cell->scale = outer * g->scales + index / g->block;
        if (!g->blocked) {
            cell->scale = index;
        } else {
            cell->scale = cell->scale * g->post + first;
            cell->step = 1;
        }
    } else if (g->blocked) {
        const size_t outer = row / g->scales, index = row % g->scales;
        const size_t begin = index * g->block + first;
        if (begin >= g->extent) return false;
        if (n > g->extent - begin) cell->n = g->extent - begin;
        cell->at = outer * g->extent + begin;
        cell->scale = row;
    } else {
        cell->at = row * g->extent + first;
        cell->scale = first;
        cell->step = 1;
    }
    return true;
}

bool tni_quant_range(float *lo, float *hi, tn_dtype dtype)
{
    switch (dtype) {
    case TN_U8:
        *lo = 0.0f;
        *hi = 255.0f;
        return true;
    case TN_I8:
        *lo = -128.0f;
        *hi = 127.0f;
        return true;
    case TN_U16:
        *lo = 0.0f;
        *hi = 65535.0f;
        return true;
    case TN_I16:
        *lo = -32768.0f;
        *hi = 32767.0f;
        return true;
    case TN_U4:
        *lo = 0.0f;
        *hi = 15.0f;
        return true;
    case TN_I4:
        *lo = -8.0f;
        *hi = 7.0f;
        return true;
    case TN_U2:
        *lo = 0.0f;
        *hi = 3.0f;
        return true;
    case TN_I2:
        *lo = -2.0f;
        *hi = 1.0f;
        return true;
    default: *lo = *hi = 0.0f; return false;
    }
}

/* Adding and taking away 1.5 * 2^23 rounds to nearest even below 2^22. */
static int32_t round_held(float v, float lo, float hi)
{
    const float magic = 12582912.0f;
    v = v > lo ? v : lo; /* NaN too */
    v = v < hi ? v : hi;
    return (int32_t)((v + magic) - magic);
}

/* The bounds are integers, so holding before rounding changes nothing. */
#define QUANTIZE_LOOP(name, T)                                                 \
    static void name(void *to, const float *v, size_t n, const float *zero,    \
                     size_t step, float lo, float hi)                          \
    {                                                                          \
        T *y = to;                                                             \
        if (step == 0) {                                                       \
            const float z = zero[0];                                           \
            const int32_t shift = (int32_t)z;                                  \
            for (size_t i = 0; i < n; i++)                                     \
                y[i] = (T)(round_held(v[i], lo - z, hi - z) + shift);          \
            return;                                                            \
        }                                                                      \
        for (size_t i = 0; i < n; i++)                                         \
            y[i] = (T)(round_held(v[i], lo - zero[i], hi - zero[i]) +          \
                       (int32_t)zero[i]);                                      \
    }

QUANTIZE_LOOP(quantize_u8, uint8_t)
QUANTIZE_LOOP(quantize_i8, int8_t)
QUANTIZE_LOOP(quantize_u16, uint16_t)
QUANTIZE_LOOP(quantize_i16, int16_t)

void tni_quantize(void *y, tn_dtype dtype, const float *v, size_t n,
                  const float *zero, size_t step, bool saturate)
{
    float lo = 0.0f, hi = 0.0f;
    if (!tni_quant_range(&lo, &hi, dtype)) {
        /* fp4 cannot but saturate, and alone has a zero point. */
        uint8_t *to = y;
        for (size_t i = 0; i < n; i++) {
            const float z = dtype == TN_F4E2M1 ? zero[i * step] : 0.0f;
            to[i] = tni_f32_to_f8(dtype, v[i] + z, saturate);
        }
        return;
    }
    switch (dtype) {
    case TN_I8:
    case TN_I4:
    case TN_I2: quantize_i8(y, v, n, zero, step, lo, hi); break;
    case TN_U16: quantize_u16(y, v, n, zero, step, lo, hi); break;
    case TN_I16: quantize_i16(y, v, n, zero, step, lo, hi); break;
    default: quantize_u8(y, v, n, zero, step, lo, hi); break;
    }
}
