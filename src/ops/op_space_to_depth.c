/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_space_to_depth.c - ONNX SpaceToDepth, opsets 1, 28
 *
 * Shapes:  input[n, c, h·b, w·b]  ->  output[n, c·b·b, h, w]
 * Types:   all
 * Errors:  EINVAL an extent that does not divide by the block
 * Numeric: bit-exact
 */
#include "ops/depthspace.h"

static const tni_arg ins[] = {{"input", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"blocksize", TNI_ATTR_INT, "required"}, {"mode", TNI_ATTR_STRING, "DCR"}};

static const tni_op_version versions[] = {
    {.since = 28, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .infer = tni_space_to_depth_infer, .ref = tni_space_to_depth_ref,
     .plan = tni_space_to_depth_plan},
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), .attrs = attrs, .n_attrs = 1,
     .infer = tni_space_to_depth_infer, .ref = tni_space_to_depth_ref,
     .plan = tni_space_to_depth_plan},
};

const tni_op tni_op_space_to_depth = {
    .domain = "",
    .name = "SpaceToDepth",
    .summary = "Folds blocks of the plane into channels",
    TNI_VERSIONS(versions),
};
