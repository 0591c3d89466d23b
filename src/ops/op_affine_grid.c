/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_affine_grid.c - ONNX AffineGrid, opset 20
 *
 * Shapes:  theta[n, 2, 3], size (n, c, h, w)  ->  grid[n, h, w, 2]; or
 *          theta[n, 3, 4], size (n, c, d, h, w)  ->  grid[n, d, h, w, 3]
 * Types:   floats
 * Attrs:   align_corners: -1 and 1 are centres of pixels, not outer edges
 * Errors:  EINVAL shapes that do not fit
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status output_dims(int64_t *out, int *rank, const tni_tensor *size,
                             tn_err *err)
{
    int64_t v[TN_MAX_RANK];
    int n = 0;
    TN_TRY(tni_tensor_ints(v, &n, size, err));
    if (n != 4 && n != 5)
        return tni_fail(err, TN_EINVAL, "%d numbers in size, expected 4 or 5",
                        n);
    for (int i = 0; i < n; i++)
        if (v[i] < 0)
            return tni_fail(err, TN_EINVAL, "size %lld", (long long)v[i]);
    out[0] = v[0];
    for (int i = 2; i < n; i++) out[i - 1] = v[i];
    out[n - 1] = n - 2;
    *rank = n;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    int64_t dims[TN_MAX_RANK];
    int rank = 0;
    if (tni_infer_const(c, 1) != NULL) {
        TN_TRY(output_dims(dims, &rank, tni_infer_const(c, 1), c->err));
        return tni_infer_dims(c, 0, dtype, rank, dims);
    }
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0) || c->in[0]->rank != 3) return TN_OK;
    const int64_t r = c->in[0]->dims[1];
    if (r != 2 && r != 3) return TN_OK;
    for (int d = 0; d < 5; d++) dims[d] = TNI_DIM_UNKNOWN;
    dims[0] = c->in[0]->dims[0];
    dims[r + 1] = r;
    return tni_infer_dims(c, 0, dtype, (int)r + 2, dims);
}

static double position(int64_t i, int64_t n, bool align)
{
    if (!align) return (2.0 * (double)i + 1.0) / (double)n - 1.0;
    return n > 1 ? 2.0 * (double)i / (double)(n - 1) - 1.0 : -1.0;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *theta = c->in[0];
    int64_t dims[TN_MAX_RANK];
    int rank = 0;
    TN_TRY(output_dims(dims, &rank, c->in[1], c->err));
    const int r = rank - 2;
    if (theta->rank != 3 || theta->dims[0] != dims[0] ||
        theta->dims[1] != r || theta->dims[2] != r + 1) {
        char text[120];
        return tni_fail(c->err, TN_EINVAL, "theta %s for %d axes and a batch "
                        "of %lld", tni_shape_text(text, sizeof text, theta),
                        r, (long long)dims[0]);
    }
    TN_TRY(tni_ref_output(c, 0, theta->dtype, rank, dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    const bool align = tni_attr_int(c->node, "align_corners", 0) != 0;
    for (int64_t p = 0; p < c->out[0]->len / r; p++) {
        double at[4] = {0.0, 0.0, 0.0, 1.0};
        int64_t rest = p;
        at[r] = 1.0;
        /* x is the innermost axis. */
        for (int d = 0; d < r; d++) {
            const int64_t n = dims[r - d];
            at[d] = position(rest % n, n, align);
            rest /= n;
        }
        for (int d = 0; d < r; d++) {
            double sum = 0.0;
            for (int k = 0; k <= r; k++)
                sum += at[k] *
                       tni_get_f64(theta, (rest * r + d) * (r + 1) + k);
            tni_set_f64(c->out[0], p * r + d, sum);
        }
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"theta", TNI_FLOATS, 'T', 0},
                              {"size", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"grid", TNI_FLOATS, 'T', 0}};
static const tni_attr_spec attrs[] = {{"align_corners", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 20, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_affine_grid = {
    .domain = "",
    .name = "AffineGrid",
    .summary = "A sampling grid from affine matrices",
    TNI_VERSIONS(versions),
};
