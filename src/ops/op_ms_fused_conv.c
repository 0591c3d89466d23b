/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_fused_conv.c - com.microsoft FusedConv: Conv, residual, activation
 *
 * Shapes:  as Conv; z like y
 * Types:   f32, f64, f16, bf16
 * Attrs:   those of Conv; activation, activation_params (activation.h)
 * Numeric: y = f(conv(x, w) + b + z), the sum as in Conv
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.FusedConv
 */
#include "ops/convolution.h"

static tn_status infer(tni_infer *c)
{
    return tni_convolution_infer(c, false);
}

static const tni_arg in[] = {{"X", TNI_FLOATS, 'T', 0},
                             {"W", TNI_FLOATS, 'T', 0},
                             {"B", TNI_FLOATS, 'T', TNI_OPTIONAL},
                             {"Z", TNI_FLOATS, 'T', TNI_OPTIONAL}};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"activation", TNI_ATTR_STRING, NULL},
    {"activation_params", TNI_ATTR_FLOATS, NULL},
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
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
     .ref = tni_convolution_ref,
     .plan = tni_convolution_plan},
};

const tni_op tni_op_ms_fused_conv = {
    .domain = "com.microsoft",
    .name = "FusedConv",
    .summary = "Convolution with a residual and an activation.",
    TNI_VERSIONS(versions),
};
