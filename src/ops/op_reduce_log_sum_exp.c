/* SPDX-License-Identifier: Apache-2.0 */
/* op_reduce_log_sum_exp.c - ONNX ReduceLogSumExp, opsets 1, 11, 13, 18, 28; see reduce_axes.h */
#include "ops/reduce_axes.h"

static const tni_arg in_28[] = {
    {"data", TNI_FLOATS, 'T', 0},
    {"axes", TNI_T(TN_I64), 0, TNI_OPTIONAL},
};
static const tni_arg out_28[] = {{"reduced", TNI_FLOATS, 'T', 0}};

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

static tn_status reduce_log_sum_exp_ref(tni_ref *c)
{
    return tni_reduce_ref(c, TNI_REDUCTION_LOG_SUM_EXP);
}

static tn_status reduce_log_sum_exp_plan(tni_plan *c)
{
    return tni_reduce_plan(c, TNI_REDUCTION_LOG_SUM_EXP);
}

static const tni_op_version reduce_log_sum_exp_versions[] = {
    {.since = 28,
     TNI_IN(in_28),
     TNI_OUT(out_28),
     TNI_ATTRS(tni_reduce_attrs_18),
     .infer = tni_reduce_infer,
     .ref = reduce_log_sum_exp_ref,
     .plan = reduce_log_sum_exp_plan},
    {.since = 18,
     TNI_IN(in_18),
     TNI_OUT(out_18),
     TNI_ATTRS(tni_reduce_attrs_18),
     .infer = tni_reduce_infer,
     .ref = reduce_log_sum_exp_ref,
     .plan = reduce_log_sum_exp_plan},
    {.since = 13,
     TNI_IN(in_13),
     TNI_OUT(out_13),
     TNI_ATTRS(tni_reduce_attrs_1),
     .infer = tni_reduce_infer,
     .ref = reduce_log_sum_exp_ref,
     .plan = reduce_log_sum_exp_plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(tni_reduce_attrs_1),
     .infer = tni_reduce_infer,
     .ref = reduce_log_sum_exp_ref,
     .plan = reduce_log_sum_exp_plan},
};

const tni_op tni_op_reduce_log_sum_exp = {
    .domain = "",
    .name = "ReduceLogSumExp",
    .summary = "Log of the sum of exponentials over axes.",
    TNI_VERSIONS(reduce_log_sum_exp_versions),
};
