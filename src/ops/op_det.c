/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_det.c - ONNX Det, opset 11
 *
 * Shapes:  X[…, m, m]  ->  Y[…]
 * Types:   floats
 * Errors:  EINVAL matrices that are not square
 * Numeric: Gauss elimination with partial pivoting in double
 */
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
    tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    TN_TRY(check(x->rank, x->dims, c->err));
    return tni_infer_dims(c, 0, x->dtype, x->rank - 2, x->dims);
}

static double determinant(double *a, int64_t m)
{
    double det = 1.0;
    for (int64_t k = 0; k < m; k++) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < m; i++)
            if (fabs(a[i * m + k]) > fabs(a[pivot * m + k])) pivot = i;
        const double p = a[pivot * m + k];
        if (!(p < 0.0) && !(p > 0.0)) return p != p ? p : 0.0;
        if (pivot != k) {
            det = -det;
            for (int64_t j = k; j < m; j++) {
                const double t = a[k * m + j];
                a[k * m + j] = a[pivot * m + j];
                a[pivot * m + j] = t;
            }
        }
        det *= p;
        for (int64_t i = k + 1; i < m; i++) {
            const double f = a[i * m + k] / p;
            for (int64_t j = k + 1; j < m; j++) a[i * m + j] -= f * a[k * m + j];
        }
    }
    return det;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    TN_TRY(check(x->rank, x->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank - 2, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    const int64_t m = x->dims[x->rank - 1];
    double *a = tni_ref_scratch(c, (size_t)(m * m > 0 ? m * m : 1) * 8);
    if (a == NULL) return tni_ref_nomem(c);
    const size_t elem = tn_dtype_size(x->dtype);
    for (int64_t i = 0; i < c->out[0]->len; i++) {
        if (m > 0)
            tni_to_f64(a, x->dtype,
                       (const char *)x->data + (size_t)(i * m * m) * elem,
                       m * m);
        tni_set_f64(c->out[0], i, determinant(a, m));
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg outs[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref},
};

const tni_op tni_op_det = {
    .domain = "",
    .name = "Det",
    .summary = "Determinants of square matrices",
    TNI_VERSIONS(versions),
};
