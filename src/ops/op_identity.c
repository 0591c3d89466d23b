/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_identity.c - ONNX Identity, opsets 1, 13, 14, 16, 19, 21, 23, 24, 25
 *
 * Shapes:  x -> y, a value of any kind
 * Types:   all
 * Numeric: exact
 * Source:  onnx.ai/onnx/operators, Identity; node tests test_identity*
 */
#include "ops/infer.h"

static tn_status ref(tni_ref *c)
{
    return tni_ref_output_copy(c, 0, c->in[0]);
}

static const tni_arg in[] = {{"input", TNI_ANY, 'T', TNI_NONTENSOR}};
static const tni_arg out[] = {{"output", TNI_ANY, 'T', TNI_NONTENSOR}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_VIEW,
     .infer = tni_infer_unary,
     .ref = ref},
};

const tni_op tni_op_identity = {
    .domain = "",
    .name = "Identity",
    .summary = "Its input",
    TNI_VERSIONS(versions),
};
