/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_fast_gelu.c - com.microsoft FastGelu
 *
 * Shapes:  x[..., n], bias[n] (optional) -> y[..., n]
 * Types:   f32, f64, f16, bf16
 * Numeric: GELU (tanh) of x + bias; halves are rounded once
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.FastGelu
 */
#include "ops/gelu.h"

static tn_status ref(tni_ref *c)
{
    return tni_gelu_bias_ref(c, &tni_gelu_tanh);
}

static tn_status plan(tni_plan *c)
{
    return tni_gelu_bias_plan(c, &tni_gelu_tanh);
}

static const tni_arg in[] = {
    {"X", TNI_FLOATS, 'T', 0},
    {"bias", TNI_FLOATS, 'T', TNI_OPTIONAL},
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

const tni_op tni_op_ms_fast_gelu = {
    .domain = "com.microsoft",
    .name = "FastGelu",
    .summary = "GELU by its tanh approximation, after a bias",
    TNI_VERSIONS(versions),
};
