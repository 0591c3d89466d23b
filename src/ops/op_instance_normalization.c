/* SPDX-License-Identifier: Apache-2.0 */
/* op_instance_normalization.c - ONNX InstanceNormalization, opsets 1, 6, 22;
 * see gnorm.h */
#include "ops/gnorm.h"

#define T1 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in_22[] = {
    {"input", TNI_FLOATS, 'T', 0},
    {"scale", TNI_FLOATS, 'T', 0},
    {"B", TNI_FLOATS, 'T', 0},
};
static const tni_arg out_22[] = {{"output", TNI_FLOATS, 'T', 0}};
static const tni_arg in_1[] = {
    {"input", T1, 'T', 0},
    {"scale", T1, 'T', 0},
    {"B", T1, 'T', 0},
};
static const tni_arg out_1[] = {{"output", T1, 'T', 0}};

static const tni_attr_spec attrs_6[] = {{"epsilon", TNI_ATTR_FLOAT, "1e-5"}};
static const tni_attr_spec attrs_1[] = {
    {"consumed_inputs", TNI_ATTR_INTS, NULL},
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
};

static tn_status instance_normalization_infer(tni_infer *c)
{
    return tni_gnorm_infer(c, 0, false);
}

static tn_status instance_normalization_ref(tni_ref *c)
{
    return tni_gnorm_ref(c, 0, false);
}

static tn_status instance_normalization_plan(tni_plan *c)
{
    return tni_gnorm_plan(c, 0, false);
}

static const tni_op_version instance_normalization_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs_6),
     .infer = instance_normalization_infer,
     .ref = instance_normalization_ref,
     .plan = instance_normalization_plan},
    {.since = 6,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_6),
     .infer = instance_normalization_infer,
     .ref = instance_normalization_ref,
     .plan = instance_normalization_plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = instance_normalization_infer,
     .ref = instance_normalization_ref,
     .plan = instance_normalization_plan},
};

const tni_op tni_op_instance_normalization = {
    .domain = "",
    .name = "InstanceNormalization",
    .summary = "Each channel of each sample to zero mean, unit variance.",
    TNI_VERSIONS(instance_normalization_versions),
};
