/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_depth_to_space.c - ONNX DepthToSpace, opsets 1, 11
 *
 * Shapes:  input[n, c·b·b, h, w]  ->  output[n, c, h·b, w·b]
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
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .infer = tni_depth_to_space_infer, .ref = tni_depth_to_space_ref,
     .plan = tni_depth_to_space_plan},
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), .attrs = attrs, .n_attrs = 1,
     .infer = tni_depth_to_space_infer, .ref = tni_depth_to_space_ref,
     .plan = tni_depth_to_space_plan},
};

const tni_op tni_op_depth_to_space = {
    .domain = "",
    .name = "DepthToSpace",
    .summary = "Unfolds channels into blocks of the plane",
    TNI_VERSIONS(versions),
};
