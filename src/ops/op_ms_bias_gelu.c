/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_bias_gelu.c - com.microsoft BiasGelu
 *
 * Shapes:  a[..., n], b[n] -> y[..., n]
 * Types:   f32, f64, f16, bf16
 * Numeric: GELU (erf) of a + b; halves are rounded once
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.BiasGelu
 */
#include "ops/gelu.h"

static tn_status ref(tni_ref *c)
{
    return tni_gelu_bias_ref(c, &tni_gelu_erf);
}

static tn_status plan(tni_plan *c)
{
    return tni_gelu_bias_plan(c, &tni_gelu_erf);
}

static const tni_arg in[] = {
    {"A", TNI_FLOATS, 'T', 0},
    {"B", TNI_FLOATS, 'T', 0},
};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_gelu_bias_infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_ms_bias_gelu = {
    .domain = "com.microsoft",
    .name = "BiasGelu",
    .summary = "Gaussian error linear unit after a bias",
    TNI_VERSIONS(versions),
};
