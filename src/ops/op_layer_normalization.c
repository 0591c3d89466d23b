/* SPDX-License-Identifier: Apache-2.0 */
/* op_layer_normalization.c - ONNX LayerNormalization, opset 17; see lnorm.h */
#include "ops/lnorm.h"

/* ONNX has one type for all of T and V; ONNX Runtime's fusions write models
 * whose scale, bias and result are wider than x. */

static const tni_arg in_1[] = {
    {"X", TNI_FLOATS, 'T', 0},
    {"Scale", TNI_FLOATS, 'V', 0},
    {"B", TNI_FLOATS, 'V', TNI_OPTIONAL},
};
static const tni_arg out_1[] = {
    {"Y", TNI_FLOATS, 'V', 0},
    {"Mean", TNI_T(TN_F32) | TNI_T(TN_BF16), 'U', TNI_OPTIONAL},
    {"InvStdDev", TNI_T(TN_F32) | TNI_T(TN_BF16), 'U', TNI_OPTIONAL},
};
static const tni_attr_spec attrs[] = {
    {"axis", TNI_ATTR_INT, "-1"},
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"stash_type", TNI_ATTR_INT, "1"},
};
static const tni_lnorm_op kind = {.rms = false, .mean_out = 1, .inv_out = 2};

static tn_status layer_normalization_infer(tni_infer *c)
{
    return tni_lnorm_infer(c, &kind);
}

static tn_status layer_normalization_ref(tni_ref *c)
{
    return tni_lnorm_ref(c, &kind);
}

static tn_status layer_normalization_plan(tni_plan *c)
{
    return tni_lnorm_plan(c, &kind);
}

static const tni_op_version layer_normalization_versions[] = {
    /* ONNX has it from 17 on; optimised models of older opsets use it too. */
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs),
     .infer = layer_normalization_infer,
     .ref = layer_normalization_ref,
     .plan = layer_normalization_plan},
};

const tni_op tni_op_layer_normalization = {
    .domain = "",
    .name = "LayerNormalization",
    .summary = "Rows to zero mean and unit variance, scaled and shifted.",
    TNI_VERSIONS(layer_normalization_versions),
};
