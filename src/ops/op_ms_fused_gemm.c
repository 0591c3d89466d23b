/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_fused_gemm.c - com.microsoft FusedGemm: Gemm and an activation
 *
 * Shapes:  as Gemm
 * Types:   f32, f64, f16, bf16
 * Attrs:   those of Gemm; activation, activation_params (activation.h), or
 *          activation_alpha, activation_beta in their place
 * Numeric: y = f(alpha A B + beta c), the sum as in Gemm
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.FusedGemm
 */
#include "ops/nn.h"
#include "ops/product.h"

static tni_product_view view(const tni_node *node, const char *trans)
{
    return (tni_product_view){tni_attr_int(node, trans, 0) != 0, false};
}

static tn_status tail_of(tni_product_tail *t, const tni_node *node, tn_err *err)
{
    const tni_product_tail none = TNI_PRODUCT_TAIL_NONE;
    *t = none;
    t->alpha = tni_attr_float(node, "alpha", 1.0f);
    t->beta = tni_attr_float(node, "beta", 1.0f);
    t->c = 2;
    return tni_activation_make(&t->act, node, err);
}

static tn_status infer(tni_infer *c)
{
    TN_TRY(tni_nn_want_rank(c, 0, 2));
    TN_TRY(tni_nn_want_rank(c, 1, 2));
    return tni_product_infer(c, view(c->node, "transA"),
                             view(c->node, "transB"));
}

static tn_status ref(tni_ref *c)
{
    tni_product_tail tail;
    TN_TRY(tail_of(&tail, c->node, c->err));
    return tni_product_ref(c, view(c->node, "transA"), view(c->node, "transB"),
                           &tail);
}

static tn_status plan(tni_plan *c)
{
    tni_product_tail tail;
    TN_TRY(tail_of(&tail, c->node, c->err));
    return tni_product_plan(c, view(c->node, "transA"), view(c->node, "transB"),
                            &tail);
}

static const tni_arg in[] = {{"A", TNI_FLOATS, 'T', 0},
                             {"B", TNI_FLOATS, 'T', 0},
                             {"C", TNI_FLOATS, 'T', TNI_OPTIONAL}};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"activation", TNI_ATTR_STRING, NULL},
    {"activation_alpha", TNI_ATTR_FLOAT, NULL},
    {"activation_beta", TNI_ATTR_FLOAT, NULL},
    {"activation_gamma", TNI_ATTR_FLOAT, NULL},
    {"activation_params", TNI_ATTR_FLOATS, NULL},
    {"alpha", TNI_ATTR_FLOAT, "1.0"},
    {"beta", TNI_ATTR_FLOAT, "1.0"},
    {"transA", TNI_ATTR_INT, "0"},
    {"transB", TNI_ATTR_INT, "0"},
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

const tni_op tni_op_ms_fused_gemm = {
    .domain = "com.microsoft",
    .name = "FusedGemm",
    .summary = "Gemm with an activation.",
    TNI_VERSIONS(versions),
};
