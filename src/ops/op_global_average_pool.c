/* SPDX-License-Identifier: Apache-2.0 */
/* op_global_average_pool.c - ONNX GlobalAveragePool, opsets 1, 22 (bfloat16) */
#include "ops/pool.h"
#include "ops/reduce_axes.h"

#define T1 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in_22[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg out_22[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_arg in_1[] = {{"X", T1, 'T', 0}};
static const tni_arg out_1[] = {{"Y", T1, 'T', 0}};

static tn_status global_average_pool_ref(tni_ref *c)
{
    return tni_reduce_ref_over(c, TNI_REDUCTION_MEAN,
                               tni_pool_global_mask(c->in[0]->rank), true);
}

static tn_status global_average_pool_plan(tni_plan *c)
{
    return tni_reduce_plan_over(c, TNI_REDUCTION_MEAN,
                                tni_pool_global_mask(c->in[0]->rank));
}

static const tni_op_version global_average_pool_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     .infer = tni_pool_global_infer,
     .ref = global_average_pool_ref,
     .plan = global_average_pool_plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     .infer = tni_pool_global_infer,
     .ref = global_average_pool_ref,
     .plan = global_average_pool_plan},
};

const tni_op tni_op_global_average_pool = {
    .domain = "",
    .name = "GlobalAveragePool",
    .summary = "Mean over the spatial axes.",
    TNI_VERSIONS(global_average_pool_versions),
};
