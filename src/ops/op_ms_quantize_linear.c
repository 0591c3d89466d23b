/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_quantize_linear.c - com.microsoft QuantizeLinear
 *
 * Shapes:  as ONNX QuantizeLinear
 * Types:   x f32, f16; y any quantised dtype
 * Attrs:   axis, block_size
 * Numeric: as ONNX QuantizeLinear
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.QuantizeLinear
 */
#include "ops/qgrid.h"

static const tni_arg in[] = {
    {"x", TNI_HALF_FLOATS, 'T', 0},
    {"y_scale", TNI_HALF_FLOATS, 'T', 0},
    {"y_zero_point", TNI_QUANT_DTYPES, 'Q', TNI_OPTIONAL},
};
static const tni_arg out[] = {{"y", TNI_QUANT_DTYPES, 'Q', 0}};

static const tni_attr_spec attrs[] = {
    {"axis", TNI_ATTR_INT, "1"},
    {"block_size", TNI_ATTR_INT, "0"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = tni_quantize_infer,
     .ref = tni_quantize_ref,
     .plan = tni_quantize_plan},
};

const tni_op tni_op_ms_quantize_linear = {
    .domain = "com.microsoft",
    .name = "QuantizeLinear",
    .summary = "Reals to a quantised dtype",
    TNI_VERSIONS(versions),
};
