/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_isinf.c - ONNX IsInf, opsets 10, 20
 *
 * Shapes:  x[...] -> y[...] (bool)
 * Types:   floats, fp8
 * Attrs:   detect_negative, detect_positive
 * Numeric: exact
 * Source:  onnx.ai/onnx/operators, IsInf; node tests test_isinf*
 */
#include "ops/elementwise.h"

#include <math.h>

TNI_MAP_LOOP(loop_f32, float, uint8_t,
             isinf(x) && (args->i & (x < 0.0f ? 1 : 2)) != 0)
TNI_MAP_LOOP(loop_f64, double, uint8_t,
             isinf(x) && (args->i & (x < 0.0 ? 1 : 2)) != 0)

static void get_args(tni_ew_args *args, const tni_node *node)
{
    args->i = tni_attr_int(node, "detect_negative", 1) != 0 ? 1 : 0;
    if (tni_attr_int(node, "detect_positive", 1) != 0) args->i |= 2;
}

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .to_bool = true,
    .args = get_args,
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_map_ref(c, &map);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_map_plan(c, &map);
}

static const tni_arg in[] = {{"X", TNI_FLOATS | TNI_FP8, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_BOOLS, 0, 0}};

static const tni_attr_spec attrs[] = {
    {"detect_negative", TNI_ATTR_INT, "1"},
    {"detect_positive", TNI_ATTR_INT, "1"},
};

static const tni_op_version versions[] = {
    {.since = 10,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = tni_infer_unary_bool,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_isinf = {
    .domain = "",
    .name = "IsInf",
    .summary = "True where x is infinite",
    TNI_VERSIONS(versions),
};
