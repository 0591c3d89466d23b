/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_max_roi_pool.c - ONNX MaxRoiPool, opset 1
 *
 * Shapes:  X[n, c, h, w], rois[k, 5] as batch, x1, y1, x2, y2  ->
 *          Y[k, c, pooled_shape]
 * Types:   floats
 * Errors:  EINVAL a batch index out of range, shapes that do not fit
 * Numeric: bit-exact; an empty bin is 0
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <math.h>

static tn_status pooled(int64_t *dims, const tni_node *node, tn_err *err)
{
    int n = 0;
    const int64_t *shape = tni_attr_ints(node, "pooled_shape", &n);
    if (n != 2 || shape[0] < 1 || shape[1] < 1 || shape[0] > INT32_MAX ||
        shape[1] > INT32_MAX)
        return tni_fail(err, TN_EINVAL,
                        "pooled_shape is no pair of extents");
    dims[2] = shape[0];
    dims[3] = shape[1];
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    int64_t dims[4] = {TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN, 0, 0};
    TN_TRY(pooled(dims, c->node, c->err));
    if (tni_infer_ranked(c, 0) && c->in[0]->rank == 4)
        dims[1] = c->in[0]->dims[1];
    if (tni_infer_ranked(c, 1) && c->in[1]->rank == 2)
        dims[0] = c->in[1]->dims[0];
    return tni_infer_dims(c, 0, tni_infer_dtype(c, 0), 4, dims);
}

typedef struct span {
    int64_t begin, end;
} span;

/* Rows or columns of bin i of `bins`, from `start`, clipped to [0, n). */
static span bin_span(int64_t i, int64_t bins, int64_t start, int64_t size,
                     int64_t n)
{
    const float each = (float)size / (float)bins;
    const double a = floor((double)((float)i * each)) + (double)start;
    const double b = ceil((double)((float)(i + 1) * each)) + (double)start;
    const double hi = (double)n;
    return (span){(int64_t)(a < 0.0 ? 0.0 : a > hi ? hi : a),
                  (int64_t)(b < 0.0 ? 0.0 : b > hi ? hi : b)};
}

static tn_status bounds(int64_t *v, const tni_tensor *rois, int64_t i,
                        float scale, int64_t batches, tn_err *err)
{
    for (int k = 0; k < 5; k++) {
        const double x = tni_get_f64(rois, i * 5 + k);
        const double y =
            k == 0 ? x : (double)roundf((float)x * scale);
        if (!(fabs(y) < 1.0e9))
            return tni_fail(err, TN_EINVAL, "region %lld reaches to %g",
                            (long long)i, y);
        v[k] = (int64_t)y;
    }
    if (v[0] >= 0 && v[0] < batches) return TN_OK;
    return tni_fail(err, TN_EINVAL, "batch index %lld is outside [0, %lld)",
                    (long long)v[0], (long long)batches);
}

static void pool_channel(tni_tensor *y, int64_t to, const tni_tensor *x,
                         int64_t from, const int64_t *roi, const int64_t *dims)
{
    const int64_t h = x->dims[2], w = x->dims[3];
    const int64_t rw = roi[3] - roi[1] + 1, rh = roi[4] - roi[2] + 1;
    for (int64_t ph = 0; ph < dims[2]; ph++) {
        const span sy = bin_span(ph, dims[2], roi[2], rh > 1 ? rh : 1, h);
        for (int64_t pw = 0; pw < dims[3]; pw++, to++) {
            const span sx = bin_span(pw, dims[3], roi[1], rw > 1 ? rw : 1, w);
            double best = 0.0;
            bool any = false;
            for (int64_t i = sy.begin; i < sy.end; i++)
                for (int64_t j = sx.begin; j < sx.end; j++) {
                    const double v = tni_get_f64(x, from + i * w + j);
                    if (!any || v > best) best = v;
                    any = true;
                }
            tni_set_f64(y, to, best);
        }
    }
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *rois = c->in[1];
    if (x->rank != 4 || rois->rank != 2 || rois->dims[1] != 5) {
        char a[120], b[120];
        return tni_fail(c->err, TN_EINVAL, "X %s and rois %s do not fit",
                        tni_shape_text(a, sizeof a, x),
                        tni_shape_text(b, sizeof b, rois));
    }
    int64_t dims[4] = {rois->dims[0], x->dims[1], 0, 0}, roi[5];
    TN_TRY(pooled(dims, c->node, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, 4, dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    const float scale = tni_attr_float(c->node, "spatial_scale", 1.0f);
    const int64_t plane = x->dims[2] * x->dims[3];
    for (int64_t i = 0; i < dims[0]; i++) {
        TN_TRY(bounds(roi, rois, i, scale, x->dims[0], c->err));
        for (int64_t ch = 0; ch < dims[1]; ch++)
            pool_channel(c->out[0],
                         (i * dims[1] + ch) * dims[2] * dims[3], x,
                         (roi[0] * dims[1] + ch) * plane, roi, dims);
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_FLOATS, 'T', 0},
                              {"rois", TNI_FLOATS, 'T', 0}};
static const tni_arg outs[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"pooled_shape", TNI_ATTR_INTS, "required"},
    {"spatial_scale", TNI_ATTR_FLOAT, "1"}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_max_roi_pool = {
    .domain = "",
    .name = "MaxRoiPool",
    .summary = "Pools regions of a feature map by maximum",
    TNI_VERSIONS(versions),
};
