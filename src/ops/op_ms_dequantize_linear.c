/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_dequantize_linear.c - com.microsoft DequantizeLinear
 *
 * Shapes:  as ONNX DequantizeLinear
 * Types:   x any quantised dtype or i32; scale and y f32, f16
 * Attrs:   axis, block_size
 * Numeric: as ONNX DequantizeLinear
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.DequantizeLinear
 */
#include "ops/qgrid.h"

#define CODES (TNI_QUANT_DTYPES | TNI_T(TN_I32))

static const tni_arg in[] = {
    {"x", CODES, 'Q', 0},
    {"x_scale", TNI_HALF_FLOATS | TNI_T(TN_F8E8M0), 0, 0},
    {"x_zero_point", CODES, 'Q', TNI_OPTIONAL},
};
static const tni_arg out[] = {{"y", TNI_HALF_FLOATS, 0, 0}};

static const tni_attr_spec attrs[] = {
    {"axis", TNI_ATTR_INT, "1"},
    {"block_size", TNI_ATTR_INT, "0"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = tni_dequantize_infer,
     .ref = tni_dequantize_ref,
     .plan = tni_dequantize_plan},
};

const tni_op tni_op_ms_dequantize_linear = {
    .domain = "com.microsoft",
    .name = "DequantizeLinear",
    .summary = "A quantised dtype to reals",
    TNI_VERSIONS(versions),
};
