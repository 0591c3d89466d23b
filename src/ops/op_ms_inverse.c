/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_inverse.c - com.microsoft Inverse
 *
 * Shapes:  X[…, m, m]  ->  Y of the same shape
 * Types:   f32, f64, f16
 * Errors:  EINVAL matrices that are not square
 * Numeric: Gauss-Jordan elimination with partial pivoting in double; a
 *          singular matrix gives infinities and NaN
 * Source:  ONNX Runtime docs/ContribOperators.md, com.microsoft.Inverse
 */
#include "base/checked.h"
#include "ops/infer.h"
#include "ops/nn.h"

#include <math.h>

static tn_status check(int rank, const int64_t *dims, tn_err *err)
{
    int64_t m = 0;
    if (rank < 2)
        return tni_fail(err, TN_EINVAL, "rank %d, expected at least 2", rank);
    if (!tni_dim_equal(&m, dims[rank - 2], dims[rank - 1]))
        return tni_fail(err, TN_EINVAL, "matrices of %lld x %lld",
                        (long long)dims[rank - 2], (long long)dims[rank - 1]);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    if (tni_infer_ranked(c, 0))
        TN_TRY(check(c->in[0]->rank, c->in[0]->dims, c->err));
    return tni_infer_unary(c);
}

static void swap_rows(double *a, int64_t m, int64_t i, int64_t k)
{
    for (int64_t j = 0; j < m && i != k; j++) {
        const double t = a[i * m + j];
        a[i * m + j] = a[k * m + j];
        a[k * m + j] = t;
    }
}

/* y becomes the inverse of a, which is destroyed. */
static void invert(double *a, double *y, int64_t m)
{
    for (int64_t i = 0; i < m * m; i++) y[i] = i / m == i % m ? 1.0 : 0.0;
    for (int64_t k = 0; k < m; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < m; i++)
            if (fabs(a[i * m + k]) > fabs(a[pivot * m + k])) pivot = i;
        swap_rows(a, m, k, pivot);
        swap_rows(y, m, k, pivot);
        const double p = 1.0 / a[k * m + k];
        for (int64_t j = 0; j < m; j++) {
            a[k * m + j] *= p;
            y[k * m + j] *= p;
        }
        for (int64_t i = 0; i < m; i++) {
            if (i == k) continue;
            const double f = a[i * m + k];
            for (int64_t j = 0; j < m; j++) {
                a[i * m + j] -= f * a[k * m + j];
                y[i * m + j] -= f * y[k * m + j];
            }
        }
    }
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    TN_TRY(check(x->rank, x->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0) || x->len == 0) return TN_OK;
    const int64_t m = x->dims[x->rank - 1], n = m * m;
    const size_t elem = tn_dtype_size(x->dtype);
    double *a = tni_nn_doubles(c, n), *y = tni_nn_doubles(c, n);
    if (a == NULL || y == NULL) return tni_ref_nomem(c);
    for (int64_t i = 0; i < x->len; i += n) {
        tni_to_f64(a, x->dtype, TNI_CDATA(char, x) + (size_t)i * elem, n);
        invert(a, y, m);
        tni_from_f64(TNI_DATA(char, c->out[0]) + (size_t)i * elem, x->dtype, y,
                     n);
    }
    return TN_OK;
}

#define T (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))
static const tni_arg ins[] = {{"X", T, 'T', 0}};
static const tni_arg outs[] = {{"Y", T, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref},
};

const tni_op tni_op_ms_inverse = {
    .domain = "com.microsoft",
    .name = "Inverse",
    .summary = "Inverses of square matrices",
    TNI_VERSIONS(versions),
};
