/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_conv.c - ONNX Conv, opsets 1, 11, 22; see convolution.h
 *
 * Shapes:  x[N, C, D1 ... Dk], w[M, C/g, k1 ... kk], b[M] -> y, any k >= 1
 * Types:   f32, f64, f16; bf16 from 22
 * Attrs:   auto_pad, dilations, group, kernel_shape, pads, strides
 * Errors:  EINVAL channels that do not fit, a kernel larger than the input
 * Numeric: |err| <= (K + 2) u sum |w x|, K = C/g * kernel elements
 * Source:  github.com/onnx/onnx docs/Operators.md#Conv; tests test_conv_*
 */
#include "ops/convolution.h"

static tn_status infer(tni_infer *c)
{
    return tni_convolution_infer(c, false);
}

enum { old = TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16) };

static const tni_arg in_22[] = {{"X", TNI_FLOATS, 'T', 0},
                                {"W", TNI_FLOATS, 'T', 0},
                                {"B", TNI_FLOATS, 'T', TNI_OPTIONAL}};
static const tni_arg out_22[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_arg in_1[] = {
    {"X", old, 'T', 0}, {"W", old, 'T', 0}, {"B", old, 'T', TNI_OPTIONAL}};
static const tni_arg out_1[] = {{"Y", old, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"dilations", TNI_ATTR_INTS, NULL},
    {"group", TNI_ATTR_INT, "1"},
    {"kernel_shape", TNI_ATTR_INTS, NULL},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = tni_convolution_ref,
     .plan = tni_convolution_plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = tni_convolution_ref,
     .plan = tni_convolution_plan},
};

const tni_op tni_op_conv = {
    .domain = "",
    .name = "Conv",
    .summary = "Convolution of any rank, grouped and dilated.",
    TNI_VERSIONS(versions),
};
