/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_bitwise_xor.c - ONNX BitwiseXor, opset 18
 *
 * Shapes:  a, b broadcast -> c
 * Types:   integers
 * Numeric: exact
 * Source:  onnx.ai/onnx/operators, BitwiseXor; node tests test_bitwise_xor*
 */
#include "ops/elementwise.h"

TNI_ZIP_WRAP_LOOPS(loop, x ^ y)

static const tni_ew_zip zip = {
    .fn = {TNI_LOOPS_INT(loop)},
};

static tn_status ref(tni_ref *c)
{
    return tni_ew_zip_ref(c, &zip);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_zip_plan(c, &zip);
}

static const tni_arg in[] = {
    {"A", TNI_INTS, 'T', 0},
    {"B", TNI_INTS, 'T', 0},
};
static const tni_arg out[] = {{"C", TNI_INTS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 18,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_broadcast,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_bitwise_xor = {
    .domain = "",
    .name = "BitwiseXor",
    .summary = "Bits set in one only",
    TNI_VERSIONS(versions),
};
