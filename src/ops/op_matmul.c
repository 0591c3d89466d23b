/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_matmul.c - ONNX MatMul, opsets 1, 9, 13; see product.h
 *
 * Shapes:  a[..., M, K], b[..., K, N] -> y[..., M, N], leading dimensions
 *          broadcast; a 1-D operand is a row (a) or a column (b) and its
 *          dimension leaves the output (numpy.matmul)
 * Types:   f32, f64, f16; from 9 also s32, u32, s64, u64; bf16 from 13
 * Errors:  EINVAL scalars, dimensions that do not fit
 * Numeric: |err| <= (K + 1) u sum |a b|; integers wrap around
 * Source:  github.com/onnx/onnx docs/Operators.md#MatMul
 */
#include "ops/product.h"

static const tni_product_view plain = {false, false};
static const tni_product_tail tail = TNI_PRODUCT_TAIL_NONE;

static tn_status infer(tni_infer *c)
{
    return tni_product_infer(c, plain, plain);
}

static tn_status ref(tni_ref *c)
{
    return tni_product_ref(c, plain, plain, &tail);
}

static tn_status plan(tni_plan *c)
{
    return tni_product_plan(c, plain, plain, &tail);
}

enum {
    t_1 = TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16),
    t_9 = t_1 | TNI_T(TN_I32) | TNI_T(TN_U32) | TNI_T(TN_I64) | TNI_T(TN_U64),
    t_13 = t_9 | TNI_T(TN_BF16)
};

static const tni_arg in_13[] = {{"A", t_13, 'T', 0}, {"B", t_13, 'T', 0}};
static const tni_arg out_13[] = {{"Y", t_13, 'T', 0}};
static const tni_arg in_9[] = {{"A", t_9, 'T', 0}, {"B", t_9, 'T', 0}};
static const tni_arg out_9[] = {{"Y", t_9, 'T', 0}};
static const tni_arg in_1[] = {{"A", t_1, 'T', 0}, {"B", t_1, 'T', 0}};
static const tni_arg out_1[] = {{"Y", t_1, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 13,
     TNI_IN(in_13),
     TNI_OUT(out_13),
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 9,
     TNI_IN(in_9),
     TNI_OUT(out_9),
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_matmul = {
    .domain = "",
    .name = "MatMul",
    .summary = "Matrix product with broadcast leading dimensions.",
    TNI_VERSIONS(versions),
};
