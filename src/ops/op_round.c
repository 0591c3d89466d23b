/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_round.c - ONNX Round, opsets 11, 22
 *
 * Shapes:  x[...] -> y[...]
 * Types:   f32, f64, f16, bf16
 * Numeric: exact; halves go to the even integer
 * Source:  onnx.ai/onnx/operators, Round; node tests test_round*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, float, nearbyintf(x))
TNI_MAP_LOOP(loop_f64, double, double, nearbyint(x))

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_ROUND,
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
    {.since = 11,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_round = {
    .domain = "",
    .name = "Round",
    .summary = "Nearest integer, halves to even",
    TNI_VERSIONS(versions),
};
