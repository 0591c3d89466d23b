/* SPDX-License-Identifier: Apache-2.0 */
/* op_skip_layer_normalization.c - com.microsoft SkipLayerNormalization; see lnorm.h */
#include "ops/lnorm.h"

static const tni_arg in_1[] = {
    {"input", TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16), 'T', 0},
    {"skip", TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16), 'T', 0},
    {"gamma", TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16), 'T', 0},
    {"beta", TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16), 'T', TNI_OPTIONAL},
    {"bias", TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16), 'T', TNI_OPTIONAL},
};
static const tni_arg out_1[] = {
    {"output", TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16), 'T', 0},
    {"mean", TNI_T(TN_F32), 0, TNI_OPTIONAL},
    {"inv_std_var", TNI_T(TN_F32), 0, TNI_OPTIONAL},
    {"input_skip_bias_sum", TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16), 'T',
     TNI_OPTIONAL},
};
static const tni_attr_spec attrs_1[] = {
    {"epsilon", TNI_ATTR_FLOAT, "1e-12"},
};

static const tni_skip_norm_op kind = {.rms = false, .beta_in = 3, .bias_in = 4};

static tn_status skip_layer_normalization_infer(tni_infer *c)
{
    return tni_skip_norm_infer(c, &kind);
}

static tn_status skip_layer_normalization_ref(tni_ref *c)
{
    return tni_skip_norm_ref(c, &kind);
}

static tn_status skip_layer_normalization_plan(tni_plan *c)
{
    return tni_skip_norm_plan(c, &kind);
}

static const tni_op_version skip_layer_normalization_versions[] = {
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = skip_layer_normalization_infer,
     .ref = skip_layer_normalization_ref,
     .plan = skip_layer_normalization_plan},
};

const tni_op tni_op_skip_layer_normalization = {
    .domain = "com.microsoft",
    .name = "SkipLayerNormalization",
    .summary = "LayerNormalization of a residual sum.",
    TNI_VERSIONS(skip_layer_normalization_versions),
};
