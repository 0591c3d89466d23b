/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_tn_product.c - tenon Product: MatMul or Gemm with all that follows it
 *
 * Made by the pass fuse_epilogue, never read from a file:
 * y = f(alpha op(A) op(B) + beta C + Z).
 *
 * Shapes:  a, b as MatMul; c broadcasts to y; z like y
 * Types:   f32, f64, f16, bf16
 * Attrs:   transA, transB, alpha, beta as Gemm; activation,
 *          activation_params (activation.h)
 * Numeric: |err| <= (K + 3) u (sum |a b| + |c| + |z|), then f
 * Source:  docs/modules/passes.md
 */
#include "ops/product.h"

static tni_product_view view_of(const tni_node *node, const char *attr)
{
    const tni_product_view v = {tni_attr_int(node, attr, 0) != 0, false};
    return v;
}

static tn_status tail_of(tni_product_tail *t, const tni_node *node, tn_err *err)
{
    const tni_product_tail none = TNI_PRODUCT_TAIL_NONE;
    *t = none;
    t->alpha = tni_attr_float(node, "alpha", 1.0f);
    t->beta = tni_attr_float(node, "beta", 1.0f);
    t->c = node->n_in > 2 && node->in[2] != NULL ? 2 : -1;
    t->residual = node->n_in > 3 && node->in[3] != NULL ? 3 : -1;
    return tni_activation_make(&t->act, node, err);
}

static tn_status infer(tni_infer *c)
{
    return tni_product_infer(c, view_of(c->node, "transA"),
                             view_of(c->node, "transB"));
}

static tn_status ref(tni_ref *c)
{
    tni_product_tail t;
    TN_TRY(tail_of(&t, c->node, c->err));
    return tni_product_ref(c, view_of(c->node, "transA"),
                           view_of(c->node, "transB"), &t);
}

static tn_status plan(tni_plan *c)
{
    tni_product_tail t;
    TN_TRY(tail_of(&t, c->node, c->err));
    return tni_product_plan(c, view_of(c->node, "transA"),
                            view_of(c->node, "transB"), &t);
}

static const tni_arg in[] = {{"A", TNI_FLOATS, 'T', 0},
                             {"B", TNI_FLOATS, 'T', 0},
                             {"C", TNI_FLOATS, 'T', TNI_OPTIONAL},
                             {"Z", TNI_FLOATS, 'T', TNI_OPTIONAL}};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"activation", TNI_ATTR_STRING, NULL},
    {"activation_params", TNI_ATTR_FLOATS, NULL},
    {"alpha", TNI_ATTR_FLOAT, "1"},
    {"beta", TNI_ATTR_FLOAT, "1"},
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

const tni_op tni_op_tn_product = {
    .domain = "tenon",
    .name = "Product",
    .summary = "Matrix product, bias, residual and activation in one.",
    TNI_VERSIONS(versions),
};
