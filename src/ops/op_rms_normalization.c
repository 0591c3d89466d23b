/* SPDX-License-Identifier: Apache-2.0 */
/* op_rms_normalization.c - ONNX RMSNormalization, opset 23; see lnorm.h */
#include "ops/lnorm.h"

static const tni_arg in_1[] = {
    {"X", TNI_FLOATS, 'T', 0},
    {"scale", TNI_FLOATS, 'V', 0},
};
static const tni_arg out_1[] = {
    {"Y", TNI_FLOATS, 'V', 0},
};
static const tni_attr_spec attrs_1[] = {
    {"axis", TNI_ATTR_INT, "-1"},
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"stash_type", TNI_ATTR_INT, "1"},
};

static const tni_lnorm_op kind = {.rms = true, .mean_out = -1, .inv_out = -1};

static tn_status rms_normalization_infer(tni_infer *c)
{
    return tni_lnorm_infer(c, &kind);
}

static tn_status rms_normalization_ref(tni_ref *c)
{
    return tni_lnorm_ref(c, &kind);
}

static tn_status rms_normalization_plan(tni_plan *c)
{
    return tni_lnorm_plan(c, &kind);
}

static const tni_op_version rms_normalization_versions[] = {
    {.since = 23,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = rms_normalization_infer,
     .ref = rms_normalization_ref,
     .plan = rms_normalization_plan},
};

const tni_op tni_op_rms_normalization = {
    .domain = "",
    .name = "RMSNormalization",
    .summary = "Rows to unit root mean square, scaled.",
    TNI_VERSIONS(rms_normalization_versions),
};
