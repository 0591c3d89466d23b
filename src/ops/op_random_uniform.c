/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_random_uniform.c - ONNX RandomUniform, opset 1
 *
 * Shapes:  ()  ->  output[attribute shape]
 * Types:   floats
 * Attrs:   low, high, seed (without: the run's)
 */
#include "ops/random.h"

static const tni_arg outs[] = {{"output", TNI_FLOATS, 0, 0}};
static const tni_attr_spec attrs[] = {
    {"dtype", TNI_ATTR_INT, "1"},
    {"shape", TNI_ATTR_INTS, "required"},
    {"low", TNI_ATTR_FLOAT, "0"},
    {"high", TNI_ATTR_FLOAT, "1"},
    {"seed", TNI_ATTR_FLOAT, NULL}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_IMPURE, .infer = tni_random_infer,
     .ref = tni_random_uniform_ref},
};

const tni_op tni_op_random_uniform = {
    .domain = "",
    .name = "RandomUniform",
    .summary = "Evenly distributed numbers",
    TNI_VERSIONS(versions),
};
