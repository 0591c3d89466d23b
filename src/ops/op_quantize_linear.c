/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_quantize_linear.c - ONNX QuantizeLinear, opsets 10 to 28
 *
 * Shapes:  x[...], scale and zero_point of one element, of the axis, or of x
 *          with the axis in blocks -> y[...]
 * Types:   x f32, f16, bf16, i32; scale these or e8m0; y any quantised dtype
 * Attrs:   axis, block_size, output_dtype, precision, saturate
 * Numeric: y = round(x / scale) + zero_point, half to even, saturating; the
 *          quotient is a float, or of the dtype `precision` names. (The
 *          standard would have it in the scale's dtype; ONNX Runtime does not.)
 * Source:  onnx.ai/onnx/operators, QuantizeLinear; test_quantizelinear*
 */
#include "ops/qgrid.h"

#define REALS (TNI_HALF_FLOATS | TNI_T(TN_I32))

static const tni_arg in[] = {
    {"x", REALS, 0, 0},
    {"y_scale", REALS | TNI_T(TN_F8E8M0), 0, 0},
    {"y_zero_point", TNI_QUANT_DTYPES, 'Q', TNI_OPTIONAL},
};
static const tni_arg out[] = {{"y", TNI_QUANT_DTYPES, 'Q', 0}};

static const tni_attr_spec attrs[] = {
    {"axis", TNI_ATTR_INT, "1"},         {"block_size", TNI_ATTR_INT, "0"},
    {"output_dtype", TNI_ATTR_INT, "0"}, {"precision", TNI_ATTR_INT, "0"},
    {"saturate", TNI_ATTR_INT, "1"},
};

static const tni_op_version versions[] = {
    {.since = 10,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = tni_quantize_infer,
     .ref = tni_quantize_ref,
     .plan = tni_quantize_plan},
};

const tni_op tni_op_quantize_linear = {
    .domain = "",
    .name = "QuantizeLinear",
    .summary = "Reals to a quantised dtype",
    TNI_VERSIONS(versions),
};
