/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_matmul_integer.c - ONNX MatMulInteger, opset 10
 *
 * Shapes:  as MatMul; a zero point for each row of A, each column of B, or one
 * Types:   u8, s8 in any pairing -> i32
 * Numeric: exact; sums wrap around in 32 bits
 * Source:  github.com/onnx/onnx docs/Operators.md#MatMulInteger
 */
#include "ops/integer.h"

static const tni_int_roles roles = {0, 1, 2, 3, -1, -1, -1, -1, -1};
static const tni_product_view view;

static tn_status infer(tni_infer *c)
{
    return tni_int_product_infer(c, &roles, view, view);
}

static tn_status ref(tni_ref *c)
{
    return tni_int_product_ref(c, &roles, view, view);
}

static tn_status plan(tni_plan *c)
{
    return tni_int_product_plan(c, &roles, view, view);
}

static const tni_arg in[] = {
    {"A", TNI_INT8S, 'A', 0},
    {"B", TNI_INT8S, 'B', 0},
    {"a_zero_point", TNI_INT8S, 'A', TNI_OPTIONAL},
    {"b_zero_point", TNI_INT8S, 'B', TNI_OPTIONAL},
};
static const tni_arg out[] = {{"Y", TNI_T(TN_I32), 0, 0}};

static const tni_op_version versions[] = {
    {.since = 10,
     TNI_IN(in),
     TNI_OUT(out),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_matmul_integer = {.domain = "",
                                      .name = "MatMulInteger",
                                      .summary =
                                          "matrix product of 8-bit integers",
                                      TNI_VERSIONS(versions)};
