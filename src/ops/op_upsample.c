/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_upsample.c - ONNX Upsample, opsets 1, 7, 9; from 10 on it is Resize
 *
 * Shapes:  X[d…]  ->  Y[floor(d · scale)…]
 * Types:   nearest: all; linear: numbers
 * Attrs:   mode: nearest, linear (also called bilinear); scales (7),
 *          height_scale and width_scale (1)
 * Errors:  EINVAL another number of scales than axes
 */
#include "ops/infer.h"
#include "ops/resample.h"

#include <string.h>

static tn_status spec_of(tni_resample_spec *s, const tni_node *node, int opset,
                         int rank, const int64_t *dims,
                         const tni_tensor *scales, tn_err *err)
{
    memset(s, 0, sizeof *s);
    if (tni_attr_is(node, "mode", "nearest", "nearest"))
        s->filter = TNI_NEAREST;
    else if (tni_attr_is(node, "mode", "linear", NULL) ||
             tni_attr_is(node, "mode", "bilinear", NULL))
        s->filter = TNI_LINEAR;
    else
        return tni_fail(err, TN_EINVAL, "mode is neither nearest nor linear");
    s->coord = TNI_ASYMMETRIC;
    s->nearest = TNI_SIMPLE;
    s->rank = rank;
    int n = 0;
    const float *attr = tni_attr_floats(node, "scales", &n);
    if (scales != NULL) n = scales->len > TN_MAX_RANK ? -1 : (int)scales->len;
    if (opset < 7) n = 4;
    if (n != rank)
        return tni_fail(err, TN_EINVAL, "%d scales for rank %d", n, rank);
    for (int d = 0; d < rank; d++) {
        s->scale[d] = 1.0f;
        if (scales != NULL)
            s->scale[d] = (float)tni_get_f64(scales, d);
        else if (opset >= 7)
            s->scale[d] = attr[d];
        else if (d >= 2)
            s->scale[d] = tni_attr_float(
                node, d == 2 ? "height_scale" : "width_scale", 1.0f);
        s->dims[d] = dims[d];
        const bool other = s->scale[d] < 1.0f || s->scale[d] > 1.0f;
        if (dims[d] >= 0)
            TN_TRY(tni_resample_extent(&s->dims[d], dims[d], s->scale[d],
                                       err));
        else if (other)
            s->dims[d] = TNI_DIM_UNKNOWN;
    }
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    const tni_tensor *scales = tni_infer_const(c, 1);
    if (c->opset >= 9 && scales == NULL) {
        int64_t dims[TN_MAX_RANK];
        for (int d = 0; d < x->rank; d++) dims[d] = TNI_DIM_UNKNOWN;
        return tni_infer_dims(c, 0, dtype, x->rank, dims);
    }
    tni_resample_spec s;
    TN_TRY(spec_of(&s, c->node, c->opset, x->rank, x->dims, scales, c->err));
    return tni_infer_dims(c, 0, dtype, x->rank, s.dims);
}

static tn_status ref(tni_ref *c)
{
    tni_resample_spec s;
    TN_TRY(spec_of(&s, c->node, c->opset, c->in[0]->rank, c->in[0]->dims,
                   tni_ref_has(c, 1) ? c->in[1] : NULL, c->err));
    return tni_resample_ref(c, &s);
}

static tn_status plan(tni_plan *c)
{
    const tni_tensor *scales = c->n_in > 1 ? c->in_const[1] : NULL;
    if (c->opset >= 9 && scales == NULL) return TN_OK; /* at run: ref */
    tni_resample_spec s;
    TN_TRY(spec_of(&s, c->node, c->opset, c->in[0]->rank, c->in[0]->dims,
                   scales, c->err));
    return tni_resample_plan(c, &s);
}

static const tni_arg ins[] = {{"X", TNI_ANY, 'T', 0},
                              {"scales", TNI_T(TN_F32), 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs_7[] = {
    {"mode", TNI_ATTR_STRING, "nearest"},
    {"scales", TNI_ATTR_FLOATS, "required"}};
static const tni_attr_spec attrs_1[] = {
    {"mode", TNI_ATTR_STRING, "nearest"},
    {"height_scale", TNI_ATTR_FLOAT, "required"},
    {"width_scale", TNI_ATTR_FLOAT, "required"}};

static const tni_op_version versions[] = {
    {.since = 9, .deprecated = 10, TNI_IN(ins), TNI_OUT(outs),
     .attrs = attrs_7, .n_attrs = 1, .infer = infer, .ref = ref, .plan = plan},
    {.since = 7, .in = ins, .n_in = 1, TNI_OUT(outs), TNI_ATTRS(attrs_7),
     .infer = infer, .ref = ref, .plan = plan},
    {.since = 1, .in = ins, .n_in = 1, TNI_OUT(outs), TNI_ATTRS(attrs_1),
     .infer = infer, .ref = ref, .plan = plan},
};

const tni_op tni_op_upsample = {
    .domain = "",
    .name = "Upsample",
    .summary = "Resamples a tensor by scales",
    TNI_VERSIONS(versions),
};
