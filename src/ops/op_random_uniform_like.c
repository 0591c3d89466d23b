/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_random_uniform_like.c - ONNX RandomUniformLike, opset 1
 *
 * Shapes:  input[…]  ->  output alike
 * Types:   floats
 * Attrs:   low, high, seed (without: the run's)
 */
#include "ops/random.h"

static const tni_arg ins[] = {{"input", TNI_ANY, 0, 0}};
static const tni_arg outs[] = {{"output", TNI_FLOATS, 0, 0}};
static const tni_attr_spec attrs[] = {
    {"dtype", TNI_ATTR_INT, NULL},
    {"low", TNI_ATTR_FLOAT, "0"},
    {"high", TNI_ATTR_FLOAT, "1"},
    {"seed", TNI_ATTR_FLOAT, NULL}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_IMPURE | TNI_SHAPE_ONLY, .infer = tni_random_like_infer,
     .ref = tni_random_uniform_ref},
};

const tni_op tni_op_random_uniform_like = {
    .domain = "",
    .name = "RandomUniformLike",
    .summary = "Evenly distributed numbers of another tensor's shape",
    TNI_VERSIONS(versions),
};
