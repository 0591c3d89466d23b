/* SPDX-License-Identifier: Apache-2.0 */
/* op_log_softmax.c - ONNX LogSoftmax, opsets 1 (2-D), 13 (one axis); see softmax_axis.h */
#include "ops/softmax_axis.h"

#define T1 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in_13[] = {{"input", TNI_FLOATS, 'T', 0}};
static const tni_arg out_13[] = {{"output", TNI_FLOATS, 'T', 0}};
static const tni_arg in_1[] = {{"input", T1, 'T', 0}};
static const tni_arg out_1[] = {{"output", T1, 'T', 0}};

static tn_status log_softmax_ref(tni_ref *c)
{
    return tni_softmax_ref(c, true);
}

static tn_status log_softmax_plan(tni_plan *c)
{
    return tni_softmax_plan(c, true);
}

static const tni_op_version log_softmax_versions[] = {
    {.since = 13,
     TNI_IN(in_13),
     TNI_OUT(out_13),
     TNI_ATTRS(tni_softmax_attrs_13),
     .infer = tni_softmax_infer,
     .ref = log_softmax_ref,
     .plan = log_softmax_plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(tni_softmax_attrs_1),
     .infer = tni_softmax_infer,
     .ref = log_softmax_ref,
     .plan = log_softmax_plan},
};

const tni_op tni_op_log_softmax = {
    .domain = "",
    .name = "LogSoftmax",
    .summary = "Logarithm of Softmax.",
    TNI_VERSIONS(log_softmax_versions),
};
