/* SPDX-License-Identifier: Apache-2.0 */
/* op_reduce_l2.c - ONNX ReduceL2, opsets 1, 11, 13, 18; see reduce_axes.h */
#include "ops/reduce_axes.h"

static const tni_arg in_18[] = {
    {"data", TNI_REDUCE_T13, 'T', 0},
    {"axes", TNI_T(TN_I64), 0, TNI_OPTIONAL},
};
static const tni_arg out_18[] = {{"reduced", TNI_REDUCE_T13, 'T', 0}};

static const tni_arg in_13[] = {
    {"data", TNI_REDUCE_T13, 'T', 0},
};
static const tni_arg out_13[] = {{"reduced", TNI_REDUCE_T13, 'T', 0}};

static const tni_arg in_1[] = {
    {"data", TNI_REDUCE_T1, 'T', 0},
};
static const tni_arg out_1[] = {{"reduced", TNI_REDUCE_T1, 'T', 0}};

static tn_status reduce_l2_ref(tni_ref *c)
{
    return tni_reduce_ref(c, TNI_REDUCTION_L2);
}

static tn_status reduce_l2_plan(tni_plan *c)
{
    return tni_reduce_plan(c, TNI_REDUCTION_L2);
}

static const tni_op_version reduce_l2_versions[] = {
    {.since = 18,
     TNI_IN(in_18),
     TNI_OUT(out_18),
     TNI_ATTRS(tni_reduce_attrs_18),
     .infer = tni_reduce_infer,
     .ref = reduce_l2_ref,
     .plan = reduce_l2_plan},
    {.since = 13,
     TNI_IN(in_13),
     TNI_OUT(out_13),
     TNI_ATTRS(tni_reduce_attrs_1),
     .infer = tni_reduce_infer,
     .ref = reduce_l2_ref,
     .plan = reduce_l2_plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(tni_reduce_attrs_1),
     .infer = tni_reduce_infer,
     .ref = reduce_l2_ref,
     .plan = reduce_l2_plan},
};

const tni_op tni_op_reduce_l2 = {
    .domain = "",
    .name = "ReduceL2",
    .summary = "Root of the sum of squares over axes.",
    TNI_VERSIONS(reduce_l2_versions),
};
