/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_scatter.c - ONNX Scatter, opset 9; from 11 on it is ScatterElements
 *
 * Shapes:  data[…], indices[…], updates[…]  ->  output like data
 * Types:   all
 * Errors:  EINVAL an index out of range, shapes that do not fit
 */
#include "ops/infer.h"
#include "ops/scatter.h"

static const tni_arg ins[] = {
    {"data", TNI_ANY, 'T', 0},
    {"indices", TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0},
    {"updates", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 9, .deprecated = 11, TNI_IN(ins), TNI_OUT(outs),
     TNI_ATTRS(attrs), .infer = tni_infer_unary, .ref = tni_scatter_elements},
};

const tni_op tni_op_scatter = {
    .domain = "",
    .name = "Scatter",
    .summary = "Writes elements by index along one axis",
    TNI_VERSIONS(versions),
};
