/* SPDX-License-Identifier: Apache-2.0 */
/* op_group_normalization.c - ONNX GroupNormalization, opsets 18 (scale and bias
 * per group), 21 (per channel); see gnorm.h */
#include "ops/gnorm.h"

static const tni_arg in_18[] = {
    {"X", TNI_FLOATS, 'T', 0},
    {"scale", TNI_FLOATS, 'T', 0},
    {"bias", TNI_FLOATS, 'T', 0},
};
static const tni_arg out_18[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs_21[] = {
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"num_groups", TNI_ATTR_INT, "required"},
    {"stash_type", TNI_ATTR_INT, "1"},
};
static const tni_attr_spec attrs_18[] = {
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"num_groups", TNI_ATTR_INT, "required"},
};

static tn_status groups_of(const tni_node *node, int64_t *groups, tn_err *err)
{
    *groups = tni_attr_int(node, "num_groups", 0);
    if (*groups > 0) return TN_OK;
    return tni_fail(err, TN_EINVAL, "num_groups is %lld, expected 1 or more",
                    (long long)*groups);
}

static tn_status group_normalization_infer(tni_infer *c)
{
    int64_t groups = 0;
    TN_TRY(groups_of(c->node, &groups, c->err));
    return tni_gnorm_infer(c, groups, c->opset < 21);
}

static tn_status group_normalization_ref(tni_ref *c)
{
    int64_t groups = 0;
    TN_TRY(groups_of(c->node, &groups, c->err));
    return tni_gnorm_ref(c, groups, c->opset < 21);
}

static tn_status group_normalization_plan(tni_plan *c)
{
    int64_t groups = 0;
    TN_TRY(groups_of(c->node, &groups, c->err));
    return tni_gnorm_plan(c, groups, c->opset < 21);
}

static const tni_op_version group_normalization_versions[] = {
    {.since = 21,
     TNI_IN(in_18),
     TNI_OUT(out_18),
     TNI_ATTRS(attrs_21),
     .infer = group_normalization_infer,
     .ref = group_normalization_ref,
     .plan = group_normalization_plan},
    {.since = 18,
     TNI_IN(in_18),
     TNI_OUT(out_18),
     TNI_ATTRS(attrs_18),
     .infer = group_normalization_infer,
     .ref = group_normalization_ref,
     .plan = group_normalization_plan},
};

const tni_op tni_op_group_normalization = {
    .domain = "",
    .name = "GroupNormalization",
    .summary = "Channel groups of each sample to zero mean, unit variance.",
    TNI_VERSIONS(group_normalization_versions),
};
