/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_qlinear_conv.c - ONNX QLinearConv, opset 10
 *
 * Shapes:  as Conv; scale and zero point of w one for all or one a channel
 * Types:   u8, s8 for x, w and y in any combination; i32 bias of scale
 *          x_scale * w_scale
 * Numeric: exact sums, one float product, rounded half to even
 * Source:  github.com/onnx/onnx docs/Operators.md#QLinearConv
 */
#include "ops/integer.h"

static tn_status infer(tni_infer *c)
{
    return tni_int_conv_infer(c, &tni_qlinear_conv_roles);
}

static tn_status ref(tni_ref *c)
{
    return tni_int_conv_ref(c, &tni_qlinear_conv_roles);
}

static tn_status plan(tni_plan *c)
{
    return tni_int_conv_plan(c, &tni_qlinear_conv_roles);
}

static const tni_attr_spec attrs[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"dilations", TNI_ATTR_INTS, NULL},
    {"group", TNI_ATTR_INT, "1"},
    {"kernel_shape", TNI_ATTR_INTS, NULL},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 10,
     TNI_IN(tni_qlinear_conv_in),
     TNI_OUT(tni_qlinear_conv_out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_qlinear_conv = {.domain = "",
                                    .name = "QLinearConv",
                                    .summary =
                                        "convolution of quantised tensors",
                                    TNI_VERSIONS(versions)};
