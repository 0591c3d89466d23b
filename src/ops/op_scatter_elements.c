/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_scatter_elements.c - ONNX ScatterElements, opsets 11, 16
 *
 * Shapes:  data[…], indices[…], updates[…]  ->  output like data
 * Types:   all; reductions of numbers and bool
 * Errors:  EINVAL an index out of range, shapes that do not fit
 * Numeric: updates are applied in C order; integers wrap
 */
#include "ops/infer.h"
#include "ops/scatter.h"

static const tni_arg ins[] = {
    {"data", TNI_ANY, 'T', 0},
    {"indices", TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0},
    {"updates", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"axis", TNI_ATTR_INT, "0"}, {"reduction", TNI_ATTR_STRING, "none"}};

static const tni_op_version versions[] = {
    {.since = 16, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .infer = tni_infer_unary, .ref = tni_scatter_elements},
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .attrs = attrs, .n_attrs = 1,
     .infer = tni_infer_unary, .ref = tni_scatter_elements},
};

const tni_op tni_op_scatter_elements = {
    .domain = "",
    .name = "ScatterElements",
    .summary = "Writes elements by index along one axis",
    TNI_VERSIONS(versions),
};
