/* SPDX-License-Identifier: Apache-2.0 */
/* op_global_lp_pool.c - ONNX GlobalLpPool, opsets 1 (real p), 2, 22 */
#include "ops/nn.h"
#include "ops/pool.h"
#include "ops/reduce_axes.h"

#include <math.h>

#define T1 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in_22[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg out_22[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_arg in_1[] = {{"X", T1, 'T', 0}};
static const tni_arg out_1[] = {{"Y", T1, 'T', 0}};

static const tni_attr_spec attrs_2[] = {{"p", TNI_ATTR_INT, "2"}};
static const tni_attr_spec attrs_1[] = {{"p", TNI_ATTR_FLOAT, "2"}};

static double power(const tni_node *node)
{
    const tni_attr *const a = tni_attr_find(node, "p");
    if (a == NULL) return 2;
    return a->kind == TNI_ATTR_FLOAT ? (double)a->v.f : (double)a->v.i;
}

static tn_status global_lp_pool_ref(tni_ref *c)
{
    const tni_tensor *const t = c->in[0];
    const double p = power(c->node);
    const uint32_t mask = tni_pool_global_mask(t->rank);
    const double *x = NULL;
    double *y = NULL;
    int64_t dims[TN_MAX_RANK], n;
    if (p == 1.0) return tni_reduce_ref_over(c, TNI_REDUCTION_L1, mask, true);
    if (p == 2.0) return tni_reduce_ref_over(c, TNI_REDUCTION_L2, mask, true);
    for (int i = 0; i < t->rank; i++) dims[i] = i < 2 ? t->dims[i] : 1;
    n = tni_nn_extent(t->dims, 2, t->rank);
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_open(c, 0, &y));
    for (int64_t i = 0; i < c->out[0]->len; i++) {
        double acc = 0;
        for (int64_t k = 0; k < n; k++) acc += pow(fabs(x[i * n + k]), p);
        y[i] = pow(acc, 1.0 / p);
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

static tn_status global_lp_pool_plan(tni_plan *c)
{
    const double p = power(c->node);
    const uint32_t mask = tni_pool_global_mask(c->in[0]->rank);
    if (p == 1.0) return tni_reduce_plan_over(c, TNI_REDUCTION_L1, mask);
    if (p == 2.0) return tni_reduce_plan_over(c, TNI_REDUCTION_L2, mask);
    return TN_OK;
}

static const tni_op_version global_lp_pool_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs_2),
     .infer = tni_pool_global_infer,
     .ref = global_lp_pool_ref,
     .plan = global_lp_pool_plan},
    {.since = 2,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_2),
     .infer = tni_pool_global_infer,
     .ref = global_lp_pool_ref,
     .plan = global_lp_pool_plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = tni_pool_global_infer,
     .ref = global_lp_pool_ref,
     .plan = global_lp_pool_plan},
};

const tni_op tni_op_global_lp_pool = {
    .domain = "",
    .name = "GlobalLpPool",
    .summary = "Lp norm over the spatial axes.",
    TNI_VERSIONS(global_lp_pool_versions),
};
