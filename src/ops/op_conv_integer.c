/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_conv_integer.c - ONNX ConvInteger, opset 10
 *
 * Shapes:  as Conv; one zero point for x, one or one a channel for w
 * Types:   u8, s8 in any pairing -> i32
 * Numeric: exact; sums wrap around in 32 bits; padding counts as zero points
 * Source:  github.com/onnx/onnx docs/Operators.md#ConvInteger
 */
#include "ops/integer.h"

static const tni_int_roles roles = {0, 1, 2, 3, -1, -1, -1, -1, -1};

static tn_status infer(tni_infer *c)
{
    return tni_int_conv_infer(c, &roles);
}

static tn_status ref(tni_ref *c)
{
    return tni_int_conv_ref(c, &roles);
}

static tn_status plan(tni_plan *c)
{
    return tni_int_conv_plan(c, &roles);
}

static const tni_arg in[] = {
    {"x", TNI_INT8S, 'X', 0},
    {"w", TNI_INT8S, 'W', 0},
    {"x_zero_point", TNI_INT8S, 'X', TNI_OPTIONAL},
    {"w_zero_point", TNI_INT8S, 'W', TNI_OPTIONAL},
};
static const tni_arg out[] = {{"y", TNI_T(TN_I32), 0, 0}};
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
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_conv_integer = {.domain = "",
                                    .name = "ConvInteger",
                                    .summary = "convolution of 8-bit integers",
                                    TNI_VERSIONS(versions)};
