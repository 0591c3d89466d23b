/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_fused_matmul.c - com.microsoft FusedMatMul
 *
 * Shapes:  as MatMul after the views of the attributes; c broadcasts to y and
 *          r has its shape
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha, transA, transB, transBatchA, transBatchB; activation,
 *          activation_params (activation.h)
 * Numeric: y = f(alpha A B + c + r), the sum as in MatMul
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.FusedMatMul; the
 *          inputs c and r and the activation are ours, for passes
 */
#include "ops/product.h"

static tni_product_view view(const tni_node *node, bool left)
{
    const char *trans = left ? "transA" : "transB";
    const char *batch = left ? "transBatchA" : "transBatchB";
    return (tni_product_view){tni_attr_int(node, trans, 0) != 0,
                              tni_attr_int(node, batch, 0) != 0};
}

static tn_status tail_of(tni_product_tail *t, const tni_node *node, tn_err *err)
{
    const tni_product_tail none = TNI_PRODUCT_TAIL_NONE;
    *t = none;
    t->alpha = tni_attr_float(node, "alpha", 1.0f);
    t->c = 2;
    t->residual = 3;
    return tni_activation_make(&t->act, node, err);
}

static tn_status infer(tni_infer *c)
{
    return tni_product_infer(c, view(c->node, true), view(c->node, false));
}

static tn_status ref(tni_ref *c)
{
    tni_product_tail tail;
    TN_TRY(tail_of(&tail, c->node, c->err));
    return tni_product_ref(c, view(c->node, true), view(c->node, false), &tail);
}

static tn_status plan(tni_plan *c)
{
    tni_product_tail tail;
    TN_TRY(tail_of(&tail, c->node, c->err));
    return tni_product_plan(c, view(c->node, true), view(c->node, false),
                            &tail);
}

static const tni_arg in[] = {{"A", TNI_FLOATS, 'T', 0},
                             {"B", TNI_FLOATS, 'T', 0},
                             {"C", TNI_FLOATS, 'T', TNI_OPTIONAL},
                             {"R", TNI_FLOATS, 'T', TNI_OPTIONAL}};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"activation", TNI_ATTR_STRING, NULL},
    {"activation_params", TNI_ATTR_FLOATS, NULL},
    {"alpha", TNI_ATTR_FLOAT, "1.0"},
    {"transA", TNI_ATTR_INT, "0"},
    {"transB", TNI_ATTR_INT, "0"},
    {"transBatchA", TNI_ATTR_INT, "0"},
    {"transBatchB", TNI_ATTR_INT, "0"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_ms_fused_matmul = {
    .domain = "com.microsoft",
    .name = "FusedMatMul",
    .summary = "Matrix product of transposed views with an epilogue.",
    TNI_VERSIONS(versions),
};
