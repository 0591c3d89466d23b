/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_slice.c - ONNX Slice, opsets 1, 10
 *
 * Shapes:  data[…]  ->  output with ceil((end - start) / step) of each axis,
 *          starts and ends clamped as Python's slices are
 * Types:   all
 * Errors:  EINVAL a step of 0, lists of different lengths
 * Numeric: bit-exact
 */
#include "ops/slice.h"

#define INDEX (TNI_T(TN_I32) | TNI_T(TN_I64))
static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0},
                              {"starts", INDEX, 'I', 0},
                              {"ends", INDEX, 'I', 0},
                              {"axes", INDEX, 'I', TNI_OPTIONAL},
                              {"steps", INDEX, 'I', TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs_1[] = {{"starts", TNI_ATTR_INTS, "required"},
                                        {"ends", TNI_ATTR_INTS, "required"},
                                        {"axes", TNI_ATTR_INTS, NULL}};

static const tni_op_version versions[] = {
    {.since = 10,
     TNI_IN(ins),
     TNI_OUT(outs),
     .traits = TNI_CUTS,
     .infer = tni_slice_infer,
     .ref = tni_slice_ref,
     .plan = tni_slice_plan,
     .piece = tni_slice_piece},
    {.since = 1,
     .in = ins,
     .n_in = 1,
     TNI_OUT(outs),
     TNI_ATTRS(attrs_1),
     .infer = tni_slice_infer,
     .ref = tni_slice_ref,
     .plan = tni_slice_plan},
};

const tni_op tni_op_slice = {
    .domain = "",
    .name = "Slice",
    .summary = "Takes a regular part of a tensor",
    TNI_VERSIONS(versions),
};
