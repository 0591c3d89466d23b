/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_cast_like.c - ONNX CastLike, opsets 15, 19, 21, 23, 24, 25
 *
 * Shapes:  x[...], target of any shape -> y[...]
 * Types:   all but complex; y has the dtype of target
 * Attrs:   saturate, round_mode
 * Numeric: as Cast
 * Source:  onnx.ai/onnx/operators, CastLike; node tests test_castlike_*
 */
#include "ops/cast.h"

static tn_status infer(tni_infer *c)
{
    return tni_cast_infer(c, tni_infer_dtype(c, 1));
}

static tn_status ref(tni_ref *c)
{
    return tni_cast_ref(c, c->in[1]->dtype);
}

static tn_status plan(tni_plan *c)
{
    return tni_cast_plan(c, c->in[1]->dtype);
}

static const tni_arg in[] = {
    {"input", TNI_CAST_DTYPES, 0, 0},
    {"target_type", TNI_CAST_DTYPES, 'T', 0},
};
static const tni_arg out[] = {{"output", TNI_CAST_DTYPES, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"round_mode", TNI_ATTR_STRING, "up"},
    {"saturate", TNI_ATTR_INT, "1"},
};

static const tni_op_version versions[] = {
    {.since = 15,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_cast_like = {
    .domain = "",
    .name = "CastLike",
    .summary = "Its first input in the dtype of the second",
    TNI_VERSIONS(versions),
};
