/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_qlinear_sigmoid.c - com.microsoft QLinearSigmoid
 *
 * Shapes:  x[...] -> y[...]; scales and zero points of one element
 * Types:   u8, i8; scales f32
 * Numeric: the function of the real value in float, rounded half to even
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.QLinearSigmoid
 */
#include "ops/qlinear.h"

#include <math.h>

static float sigmoid(float x, float arg)
{
    (void)arg;
    const float e = expf(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

static tn_status ref(tni_ref *c)
{
    return tni_qlinear_map_ref(c, sigmoid, 0.0f);
}

static tn_status plan(tni_plan *c)
{
    return tni_qlinear_map_plan(c, sigmoid, 0.0f);
}

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(tni_qlinear_map_in),
     TNI_OUT(tni_qlinear_map_out),
     .traits = TNI_INPLACE,
     .infer = tni_qlinear_map_infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_ms_qlinear_sigmoid = {
    .domain = "com.microsoft",
    .name = "QLinearSigmoid",
    .summary = "Sigmoid of 8-bit integers with scales",
    TNI_VERSIONS(versions),
};
