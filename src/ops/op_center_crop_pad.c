/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_center_crop_pad.c - ONNX CenterCropPad, opset 18
 *
 * Shapes:  input_data[…], shape[n]  ->  output_data with the extents of `axes`
 *          (all, without axes) replaced by shape, centred
 * Types:   all; padding is zero
 * Errors:  EINVAL a negative extent, another number of extents than axes
 * Numeric: bit-exact; of an odd difference the extra element is cut or added
 *          at the end
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status target(int64_t *out, const tni_node *node, int rank,
                        const int64_t *dims, const tni_tensor *shape,
                        tn_err *err)
{
    int64_t want[TN_MAX_RANK];
    int n = 0, n_axes = 0;
    TN_TRY(tni_tensor_ints(want, &n, shape, err));
    const int64_t *axes = tni_attr_ints(node, "axes", &n_axes);
    uint32_t mask = 0;
    if (axes != NULL) TN_TRY(tni_axes_mask(&mask, axes, n_axes, rank, err));
    if (n != (axes != NULL ? n_axes : rank))
        return tni_fail(err, TN_EINVAL, "%d extents in shape for %d axes", n,
                        axes != NULL ? n_axes : rank);
    for (int d = 0; d < rank; d++) out[d] = dims[d];
    for (int i = 0; i < n; i++) {
        int axis = i;
        if (axes != NULL) TN_TRY(tni_axis(&axis, axes[i], rank, err));
        if (want[i] < 0)
            return tni_fail(err, TN_EINVAL, "extent %lld of axis %d",
                            (long long)want[i], axis);
        out[axis] = want[i];
    }
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int64_t dims[TN_MAX_RANK];
    const tni_tensor *shape = tni_infer_const(c, 1);
    if (shape != NULL) {
        TN_TRY(target(dims, c->node, x->rank, x->dims, shape, c->err));
    } else {
        int n = 0;
        uint32_t mask = ~0u;
        const int64_t *axes = tni_attr_ints(c->node, "axes", &n);
        if (axes != NULL)
            TN_TRY(tni_axes_mask(&mask, axes, n, x->rank, c->err));
        for (int d = 0; d < x->rank; d++)
            dims[d] = ((mask >> d) & 1u) != 0 ? TNI_DIM_UNKNOWN : x->dims[d];
    }
    return tni_infer_dims(c, 0, dtype, x->rank, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int64_t dims[TN_MAX_RANK], size[TN_MAX_RANK], to[TN_MAX_RANK],
        from[TN_MAX_RANK];
    TN_TRY(target(dims, c->node, x->rank, x->dims, c->in[1], c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const size_t elem = tn_dtype_size(x->dtype);
    memset(c->out[0]->data, 0, (size_t)c->out[0]->len * elem);
    if (x->len == 0) return TN_OK;
    tni_strides(to, x->rank, dims);
    tni_strides(from, x->rank, x->dims);
    int64_t to_first = 0, from_first = 0;
    for (int d = 0; d < x->rank; d++) {
        const int64_t more = dims[d] - x->dims[d];
        size[d] = more < 0 ? dims[d] : x->dims[d];
        if (more > 0) to_first += more / 2 * to[d];
        if (more < 0) from_first += -more / 2 * from[d];
    }
    tni_copy copy;
    tni_copy_init(&copy, elem, x->rank, size, to, from);
    tni_copy_run(&copy, (char *)c->out[0]->data + (size_t)to_first * elem,
                 (const char *)x->data + (size_t)from_first * elem, c->par);
    return TN_OK;
}

static const tni_arg ins[] = {
    {"input_data", TNI_ANY, 'T', 0},
    {"shape", TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"output_data", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"axes", TNI_ATTR_INTS, NULL}};

static const tni_op_version versions[] = {
    {.since = 18, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_center_crop_pad = {
    .domain = "",
    .name = "CenterCropPad",
    .summary = "Cuts or pads around the centre to given extents",
    TNI_VERSIONS(versions),
};
