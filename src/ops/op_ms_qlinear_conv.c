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

static const tni_int_roles roles = {0, 3, 2, 5, 1, 4, 6, 7, 8};

static bool last(const tni_node *node)
{
    return tni_attr_int(node, "channels_last", 0) != 0;
}

static tn_status infer(tni_infer *c)
{
    return last(c->node) ? tni_int_nhwc_infer(c)
                         : tni_int_conv_infer(c, &roles);
}

static tn_status ref(tni_ref *c)
{
    return last(c->node) ? tni_int_nhwc_ref(c) : tni_int_conv_ref(c, &roles);
}

static tn_status plan(tni_plan *c)
{
    return last(c->node) ? tni_int_nhwc_plan(c) : tni_int_conv_plan(c, &roles);
}

static const tni_arg in[] = {
    {"x", TNI_INT8S, 'X', 0},
    {"x_scale", TNI_T(TN_F32), 0, 0},
    {"x_zero_point", TNI_INT8S, 'X', 0},
    {"w", TNI_INT8S, 'W', 0},
    {"w_scale", TNI_T(TN_F32), 0, 0},
    {"w_zero_point", TNI_INT8S, 'W', 0},
    {"y_scale", TNI_T(TN_F32), 0, 0},
    {"y_zero_point", TNI_INT8S, 'Y', 0},
    {"B", TNI_T(TN_I32), 0, TNI_OPTIONAL},
};
static const tni_arg out[] = {{"y", TNI_INT8S, 'Y', 0}};
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
     TNI_IN(in),
     TNI_OUT(out),
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
