/* SPDX-License-Identifier: Apache-2.0 */
/* nn.c - elements as doubles and extents that may be unknown */
#include "ops/nn.h"

#include "base/checked.h"
#include "tensor/half.h"

#include <math.h>

#define TO_F64(T)                                                              \
    do {                                                                       \
        const T *const p = (const T *)x;                                       \
        for (int64_t i = 0; i < n; i++) out[i] = (double)p[i];                 \
    } while (0)

void tni_to_f64(double *out, tn_dtype dtype, const void *x, int64_t n)
{
    switch (dtype) {
    case TN_F32: TO_F64(float); break;
    case TN_F64:
        if (n > 0) memcpy(out, x, (size_t)n * sizeof *out);
        break;
    case TN_F16:
        for (int64_t i = 0; i < n; i++)
            out[i] = (double)tni_f16_to_f32(((const uint16_t *)x)[i]);
        break;
    case TN_BF16:
        for (int64_t i = 0; i < n; i++)
            out[i] = (double)tni_bf16_to_f32(((const uint16_t *)x)[i]);
        break;
    case TN_I8: TO_F64(int8_t); break;
    case TN_I16: TO_F64(int16_t); break;
    case TN_I32: TO_F64(int32_t); break;
    case TN_I64: TO_F64(int64_t); break;
    case TN_U8:
    case TN_BOOL: TO_F64(uint8_t); break;
    case TN_U16: TO_F64(uint16_t); break;
    case TN_U32: TO_F64(uint32_t); break;
    case TN_U64: TO_F64(uint64_t); break;
    default:
        TN_ASSERT(false);
        for (int64_t i = 0; i < n; i++) out[i] = 0;
        break;
    }
}

/* `above` is the first double that is too large: 2^bits. */
#define FROM_F64(T, lo, hi, above)                                             \
    do {                                                                       \
        T *const p = (T *)out;                                                 \
        for (int64_t i = 0; i < n; i++) {                                      \
            const double v = x[i];                                             \
            if (v != v)                                                        \
                p[i] = 0;                                                      \
            else if (v >= (above))                                             \
                p[i] = (hi);                                                   \
            else if (v <= (double)(lo))                                        \
                p[i] = (lo);                                                   \
            else                                                               \
                p[i] = (T)v;                                                   \
        }                                                                      \
    } while (0)

void tni_from_f64(void *out, tn_dtype dtype, const double *x, int64_t n)
{
    switch (dtype) {
    case TN_F32:
        for (int64_t i = 0; i < n; i++) ((float *)out)[i] = (float)x[i];
        break;
    case TN_F64:
        if (n > 0) memcpy(out, x, (size_t)n * sizeof *x);
        break;
    case TN_F16:
        for (int64_t i = 0; i < n; i++)
            ((uint16_t *)out)[i] = tni_f32_to_f16((float)x[i]);
        break;
    case TN_BF16:
        for (int64_t i = 0; i < n; i++)
            ((uint16_t *)out)[i] = tni_f32_to_bf16((float)x[i]);
        break;
    case TN_I8: FROM_F64(int8_t, INT8_MIN, INT8_MAX, 128.0); break;
    case TN_I16: FROM_F64(int16_t, INT16_MIN, INT16_MAX, 32768.0); break;
    case TN_I32: FROM_F64(int32_t, INT32_MIN, INT32_MAX, 0x1p31); break;
    case TN_I64: FROM_F64(int64_t, INT64_MIN, INT64_MAX, 0x1p63); break;
    case TN_U8: FROM_F64(uint8_t, 0, UINT8_MAX, 256.0); break;
    case TN_U16: FROM_F64(uint16_t, 0, UINT16_MAX, 65536.0); break;
    case TN_U32: FROM_F64(uint32_t, 0, UINT32_MAX, 0x1p32); break;
    case TN_U64: FROM_F64(uint64_t, 0, UINT64_MAX, 0x1p64); break;
    case TN_BOOL:
        for (int64_t i = 0; i < n; i++)
            ((uint8_t *)out)[i] = (uint8_t)(x[i] != 0);
        break;
    default: TN_ASSERT(false); break;
    }
}

double *tni_nn_doubles(tni_ref *c, int64_t n)
{
    size_t bytes = 0;
    if (n < 0 || (uint64_t)n > SIZE_MAX / sizeof(double)) return NULL;
    if (!tni_mul_size((size_t)n, sizeof(double), &bytes)) return NULL;
    return tni_ref_scratch(c, bytes == 0 ? sizeof(double) : bytes);
}

tn_status tni_nn_load(tni_ref *c, const tni_tensor *t, const double **x)
{
    double *copy;
    if (t->dtype == TN_F64) {
        *x = TNI_CDATA(double, t);
        return TN_OK;
    }
    copy = tni_nn_doubles(c, t->len);
    if (copy == NULL) return tni_ref_nomem(c);
    tni_to_f64(copy, t->dtype, t->data, t->len);
    *x = copy;
    return TN_OK;
}

tn_status tni_nn_open(tni_ref *c, int i, double **y)
{
    *y = NULL;
    if (!tni_ref_wants(c, i)) return TN_OK;
    if (c->out[i]->dtype == TN_F64) {
        *y = TNI_DATA(double, c->out[i]);
        return TN_OK;
    }
    *y = tni_nn_doubles(c, c->out[i]->len);
    return *y == NULL ? tni_ref_nomem(c) : TN_OK;
}

void tni_nn_store(tni_ref *c, int i, const double *y)
{
    if (!tni_ref_wants(c, i) || c->out[i]->dtype == TN_F64) return;
    tni_from_f64(c->out[i]->data, c->out[i]->dtype, y, c->out[i]->len);
}

int64_t tni_nn_extent(const int64_t *dims, int from, int to)
{
    int64_t n = 1;
    for (int i = from; i < to; i++) n *= dims[i];
    return n;
}

int64_t tni_nn_dims_product(const int64_t *dims, int from, int to)
{
    int64_t n = 1;
    for (int i = from; i < to; i++) n = tni_dim_mul(n, dims[i]);
    return n;
}

tn_status tni_nn_want_rank(tni_infer *c, int i, int rank)
{
    if (!tni_infer_ranked(c, i) || c->in[i]->rank == rank) return TN_OK;
    return tni_fail(c->err, TN_EINVAL, "input %d has rank %d, expected %d", i,
                    c->in[i]->rank, rank);
}

tn_status tni_nn_merge_dim(tni_infer *c, int i, int axis, int64_t *dim)
{
    int64_t merged = TNI_DIM_UNKNOWN;
    if (!tni_infer_ranked(c, i) || axis >= c->in[i]->rank) return TN_OK;
    if (!tni_dim_equal(&merged, *dim, c->in[i]->dims[axis]))
        return tni_fail(c->err, TN_EINVAL,
                        "dimension %d of input %d is %lld, expected %lld", axis,
                        i, (long long)c->in[i]->dims[axis], (long long)*dim);
    *dim = merged;
    return TN_OK;
}

int64_t tni_dim_add(int64_t a, int64_t b)
{
    int64_t r = 0;
    if (a == 0) return b;
    if (b == 0) return a;
    if (!TNI_DIM_IS_KNOWN(a) || !TNI_DIM_IS_KNOWN(b) || !tni_add_i64(a, b, &r))
        return TNI_DIM_UNKNOWN;
    return r;
}

int64_t tni_dim_mul(int64_t a, int64_t b)
{
    int64_t r = 0;
    if (a == 1) return b;
    if (b == 1) return a;
    if (a == 0 || b == 0) return 0;
    if (!TNI_DIM_IS_KNOWN(a) || !TNI_DIM_IS_KNOWN(b) || !tni_mul_i64(a, b, &r))
        return TNI_DIM_UNKNOWN;
    return r;
}

int64_t tni_dim_div(int64_t a, int64_t b)
{
    if (b == 1) return a;
    if (!TNI_DIM_IS_KNOWN(a) || b <= 0 || a % b != 0) return TNI_DIM_UNKNOWN;
    return a / b;
}
