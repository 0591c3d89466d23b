/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_softplus.c - ONNX Softplus, opsets 1, 22
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: y = log(1 + exp(x)); the f32 kernel is within the bound of unary.c,
 *          ref is libm
 * Source:  onnx.ai/onnx/operators, Softplus; node tests test_softplus*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, float,
             (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x))))
TNI_MAP_LOOP(loop_f64, double, double,
             (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x))))

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_SOFTPLUS,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
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

const tni_op tni_op_softplus = {
    .domain = "",
    .name = "Softplus",
    .summary = "log(1 + exp(x))",
    TNI_VERSIONS(versions),
};
