/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_arg_min.c - ONNX ArgMin, opsets 1, 12
 *
 * Shapes:  data[…, n, …]  ->  reduced[…, 1, …], or without the axis
 * Types:   numbers -> int64
 * Errors:  EINVAL the axis is empty
 * Numeric: the first (select_last_index: the last) of equals; the first NaN
 *          wins
 */
#include "ops/argextreme.h"

static const tni_arg ins[] = {{"data", TNI_NUMERIC, 0, 0}};
static const tni_arg outs[] = {{"reduced", TNI_T(TN_I64), 0, 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "0"},
                                      {"keepdims", TNI_ATTR_INT, "1"},
                                      {"select_last_index", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 12, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .infer = tni_arg_extreme_infer, .ref = tni_arg_min_ref},
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), .attrs = attrs, .n_attrs = 2,
     .infer = tni_arg_extreme_infer, .ref = tni_arg_min_ref},
};

const tni_op tni_op_arg_min = {
    .domain = "",
    .name = "ArgMin",
    .summary = "The index of the smallest element along an axis",
    TNI_VERSIONS(versions),
};
