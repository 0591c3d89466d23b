/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_gemm.c - ONNX Gemm, opsets 1, 7, 9, 11, 13; see product.h
 *
 * Shapes:  a[M, K], b[K, N] (or transposed), c broadcasting to [M, N] -> y
 * Types:   f32, f64, f16; from 9 also s32, u32, s64, u64; bf16 from 13
 * Attrs:   alpha, beta, transA, transB
 * Errors:  EINVAL operands that are no matrices, dimensions that do not fit
 * Numeric: y = alpha A B + beta c; |err| <= (K + 3) u (|alpha| sum |a b| +
 *          |beta c|); integers wrap around unless alpha or beta is not 1
 * Source:  github.com/onnx/onnx docs/Operators.md#Gemm
 */
#include "ops/nn.h"
#include "ops/product.h"

static tni_product_view view_a(const tni_node *node)
{
    return (tni_product_view){tni_attr_int(node, "transA", 0) != 0, false};
}

static tni_product_view view_b(const tni_node *node)
{
    return (tni_product_view){tni_attr_int(node, "transB", 0) != 0, false};
}

static tni_product_tail tail_of(const tni_node *node)
{
    tni_product_tail t = TNI_PRODUCT_TAIL_NONE;
    t.alpha = tni_attr_float(node, "alpha", 1.0f);
    t.beta = tni_attr_float(node, "beta", 1.0f);
    t.c = 2;
    return t;
}

static tn_status infer(tni_infer *c)
{
    TN_TRY(tni_nn_want_rank(c, 0, 2));
    TN_TRY(tni_nn_want_rank(c, 1, 2));
    return tni_product_infer(c, view_a(c->node), view_b(c->node));
}

static tn_status ref(tni_ref *c)
{
    const tni_product_tail tail = tail_of(c->node);
    return tni_product_ref(c, view_a(c->node), view_b(c->node), &tail);
}

static tn_status plan(tni_plan *c)
{
    const tni_product_tail tail = tail_of(c->node);
    return tni_product_plan(c, view_a(c->node), view_b(c->node), &tail);
}

enum {
    t_7 = TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16),
    t_9 = t_7 | TNI_T(TN_I32) | TNI_T(TN_U32) | TNI_T(TN_I64) | TNI_T(TN_U64),
    t_13 = t_9 | TNI_T(TN_BF16)
};

static const tni_arg in_13[] = {
    {"A", t_13, 'T', 0}, {"B", t_13, 'T', 0}, {"C", t_13, 'T', TNI_OPTIONAL}};
static const tni_arg out_13[] = {{"Y", t_13, 'T', 0}};
static const tni_arg in_11[] = {
    {"A", t_9, 'T', 0}, {"B", t_9, 'T', 0}, {"C", t_9, 'T', TNI_OPTIONAL}};
static const tni_arg in_9[] = {
    {"A", t_9, 'T', 0}, {"B", t_9, 'T', 0}, {"C", t_9, 'T', 0}};
static const tni_arg out_9[] = {{"Y", t_9, 'T', 0}};
static const tni_arg in_7[] = {
    {"A", t_7, 'T', 0}, {"B", t_7, 'T', 0}, {"C", t_7, 'T', 0}};
static const tni_arg out_7[] = {{"Y", t_7, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"alpha", TNI_ATTR_FLOAT, "1.0"},
    {"beta", TNI_ATTR_FLOAT, "1.0"},
    {"transA", TNI_ATTR_INT, "0"},
    {"transB", TNI_ATTR_INT, "0"},
};

static const tni_attr_spec attrs_1[] = {
    {"alpha", TNI_ATTR_FLOAT, "1.0"}, {"beta", TNI_ATTR_FLOAT, "1.0"},
    {"broadcast", TNI_ATTR_INT, "0"}, {"transA", TNI_ATTR_INT, "0"},
    {"transB", TNI_ATTR_INT, "0"},
};

static const tni_op_version versions[] = {
    {.since = 13,
     TNI_IN(in_13),
     TNI_OUT(out_13),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 11,
     TNI_IN(in_11),
     TNI_OUT(out_9),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 9,
     TNI_IN(in_9),
     TNI_OUT(out_9),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 7,
     TNI_IN(in_7),
     TNI_OUT(out_7),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in_7),
     TNI_OUT(out_7),
     TNI_ATTRS(attrs_1),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_gemm = {
    .domain = "",
    .name = "Gemm",
    .summary = "alpha A B + beta C.",
    TNI_VERSIONS(versions),
};
