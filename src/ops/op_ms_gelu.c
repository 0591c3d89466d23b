/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_gelu.c - com.microsoft Gelu
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: y = x (1 + erf(x / sqrt 2)) / 2, as ONNX Gelu
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.Gelu
 */
#include "ops/gelu.h"

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &tni_gelu_erf);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &tni_gelu_erf);
}

static const tni_arg in[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_ms_gelu = {
    .domain = "com.microsoft",
    .name = "Gelu",
    .summary = "Gaussian error linear unit",
    TNI_VERSIONS(versions),
};
