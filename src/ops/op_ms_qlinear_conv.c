/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_qlinear_conv.c - com.microsoft QLinearConv
 *
 * Shapes:  as ONNX QLinearConv; with channels_last x[N, D1 … Dk, C] ->
 *          y[N, D1' … Dk', M], k = 1 or 2; w stays [M, C/g, k1 … kk]
 * Types:   u8, s8 for x, w and y in any combination; i32 bias
 * Numeric: exact sums, one float product, rounded half to even
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "ops/integer.h"

static bool last(const tni_node *node)
{
    return tni_attr_int(node, "channels_last", 0) != 0;
}

static tn_status infer(tni_infer *c)
{
    return last(c->node) ? tni_int_nhwc_infer(c)
                         : tni_int_conv_infer(c, &tni_qlinear_conv_roles);
}

static tn_status ref(tni_ref *c)
{
    return last(c->node) ? tni_int_nhwc_ref(c)
                         : tni_int_conv_ref(c, &tni_qlinear_conv_roles);
}

static tn_status plan(tni_plan *c)
{
    return last(c->node) ? tni_int_nhwc_plan(c)
                         : tni_int_conv_plan(c, &tni_qlinear_conv_roles);
}

static const tni_attr_spec attrs[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"channels_last", TNI_ATTR_INT, "0"},
    {"dilations", TNI_ATTR_INTS, NULL},
    {"group", TNI_ATTR_INT, "1"},
    {"kernel_shape", TNI_ATTR_INTS, NULL},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(tni_qlinear_conv_in),
     TNI_OUT(tni_qlinear_conv_out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_ms_qlinear_conv = {
    .domain = "com.microsoft",
    .name = "QLinearConv",
    .summary = "convolution of quantised tensors, channels last if asked",
    TNI_VERSIONS(versions)};
