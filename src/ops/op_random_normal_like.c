/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_random_normal_like.c - ONNX RandomNormalLike, opset 1
 *
 * Shapes:  input[…]  ->  output alike
 * Types:   floats
 * Attrs:   mean, scale, seed (without: the run's)
 */
#include "ops/random.h"

static const tni_arg ins[] = {{"input", TNI_ANY, 0, 0}};
static const tni_arg outs[] = {{"output", TNI_FLOATS, 0, 0}};
static const tni_attr_spec attrs[] = {
    {"dtype", TNI_ATTR_INT, NULL},
    {"mean", TNI_ATTR_FLOAT, "0"},
    {"scale", TNI_ATTR_FLOAT, "1"},
    {"seed", TNI_ATTR_FLOAT, NULL}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_IMPURE | TNI_SHAPE_ONLY, .infer = tni_random_like_infer,
     .ref = tni_random_normal_ref},
};

const tni_op tni_op_random_normal_like = {
    .domain = "",
    .name = "RandomNormalLike",
    .summary = "Normally distributed numbers of another tensor's shape",
    TNI_VERSIONS(versions),
};
