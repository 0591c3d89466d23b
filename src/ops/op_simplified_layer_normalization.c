/* SPDX-License-Identifier: Apache-2.0 */
/* op_simplified_layer_normalization.c - SimplifiedLayerNormalization as ONNX
 * Runtime puts it into ai.onnx; see lnorm.h */
#include "ops/lnorm.h"

static const tni_arg in_1[] = {
    {"X", TNI_FLOATS, 'T', 0},
    {"scale", TNI_FLOATS, 'V', 0},
};
static const tni_arg out_1[] = {
    {"Y", TNI_FLOATS, 'V', 0},
    {"inv_std_var", TNI_T(TN_F32) | TNI_T(TN_F64), 'U', TNI_OPTIONAL},
};
static const tni_attr_spec attrs_1[] = {
    {"axis", TNI_ATTR_INT, "-1"},
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"stash_type", TNI_ATTR_INT, "1"},
};

static const tni_lnorm_op kind = {.rms = true, .mean_out = -1, .inv_out = 1};

static tn_status simplified_layer_normalization_infer(tni_infer *c)
{
    return tni_lnorm_infer(c, &kind);
}

static tn_status simplified_layer_normalization_ref(tni_ref *c)
{
    return tni_lnorm_ref(c, &kind);
}

static tn_status simplified_layer_normalization_plan(tni_plan *c)
{
    return tni_lnorm_plan(c, &kind);
}

static const tni_op_version simplified_layer_normalization_versions[] = {
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = simplified_layer_normalization_infer,
     .ref = simplified_layer_normalization_ref,
     .plan = simplified_layer_normalization_plan},
};

const tni_op tni_op_simplified_layer_normalization = {
    .domain = "",
    .name = "SimplifiedLayerNormalization",
    .summary = "RMS normalisation as ONNX Runtime's optimiser writes it.",
    TNI_VERSIONS(simplified_layer_normalization_versions),
};
