/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_qlinear_leaky_relu.c - com.microsoft QLinearLeakyRelu
 *
 * Shapes:  x[...] -> y[...]; scales and zero points of one element
 * Types:   u8, i8; scales f32
 * Attrs:   alpha
 * Numeric: the function of the real value in float, rounded half to even
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.QLinearLeakyRelu
 */
#include "ops/qlinear.h"

static float leaky_relu(float x, float arg)
{
    return x < 0.0f ? arg * x : x;
}

static tn_status ref(tni_ref *c)
{
    return tni_qlinear_map_ref(c, leaky_relu,
                               tni_attr_float(c->node, "alpha", 0.01f));
}

static tn_status plan(tni_plan *c)
{
    return tni_qlinear_map_plan(c, leaky_relu,
                                tni_attr_float(c->node, "alpha", 0.01f));
}

static const tni_attr_spec attrs[] = {{"alpha", TNI_ATTR_FLOAT, "0.01"}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(tni_qlinear_map_in),
     TNI_OUT(tni_qlinear_map_out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = tni_qlinear_map_infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_ms_qlinear_leaky_relu = {
    .domain = "com.microsoft",
    .name = "QLinearLeakyRelu",
    .summary = "LeakyRelu of 8-bit integers with scales",
    TNI_VERSIONS(versions),
};
