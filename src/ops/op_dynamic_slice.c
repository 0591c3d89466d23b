/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_dynamic_slice.c - DynamicSlice, an experimental operator of ONNX until
 * 1.4, which Slice-10 replaced
 *
 * Shapes:  as Slice with steps of 1
 * Types:   all
 * Errors:  EINVAL lists of different lengths
 * Numeric: bit-exact
 * Source:  onnx 1.4 docs/Operators.md#DynamicSlice
 */
#include "ops/slice.h"

#define INDEX (TNI_T(TN_I32) | TNI_T(TN_I64))
static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0},
                              {"starts", INDEX, 'I', 0},
                              {"ends", INDEX, 'I', 0},
                              {"axes", INDEX, 'I', TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), .infer = tni_slice_infer,
     .ref = tni_slice_ref, .plan = tni_slice_plan},
};

const tni_op tni_op_dynamic_slice = {
    .domain = "",
    .name = "DynamicSlice",
    .summary = "Takes a part of a tensor, as Slice from version 10 on",
    TNI_VERSIONS(versions),
};
