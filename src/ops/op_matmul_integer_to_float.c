/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_matmul_integer_to_float.c - com.microsoft MatMulIntegerToFloat
 *
 * Shapes:  as MatMul; scale and zero point one for all, one for each row of A,
 *          one for each column of B; bias[N]
 * Types:   u8, s8 in any pairing -> f32, f16
 * Numeric: exact sums, acc * (a_scale * b_scale) + bias in float
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "ops/integer.h"

static const tni_int_roles roles = {0, 1, 4, 5, 2, 3, -1, -1, 6};
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

#define REALS (TNI_T(TN_F32) | TNI_T(TN_F16))

static const tni_arg in[] = {
    {"A", TNI_INT8S, 'A', 0},
    {"B", TNI_INT8S, 'B', 0},
    {"a_scale", REALS, 'T', 0},
    {"b_scale", REALS, 'T', 0},
    {"a_zero_point", TNI_INT8S, 'A', TNI_OPTIONAL},
    {"b_zero_point", TNI_INT8S, 'B', TNI_OPTIONAL},
    {"bias", REALS, 'T', TNI_OPTIONAL},
};
static const tni_arg out[] = {{"Y", REALS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_matmul_integer_to_float = {
    .domain = "com.microsoft",
    .name = "MatMulIntegerToFloat",
    .summary = "matrix product of quantised tensors, as float",
    TNI_VERSIONS(versions)};
