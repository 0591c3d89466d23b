/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_transpose_matmul.c - com.microsoft TransposeMatMul
 *
 * Shapes:  as MatMul with the last two dimensions of a or b swapped
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha, transA, transB
 * Numeric: y = alpha A B, the sum as in MatMul
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.TransposeMatMul
 */
#include "ops/product.h"

static tni_product_view view(const tni_node *node, const char *trans)
{
    return (tni_product_view){tni_attr_int(node, trans, 0) != 0, false};
}

static tni_product_tail tail_of(const tni_node *node)
{
    tni_product_tail t = TNI_PRODUCT_TAIL_NONE;
    t.alpha = tni_attr_float(node, "alpha", 1.0f);
    return t;
}

static tn_status infer(tni_infer *c)
{
    return tni_product_infer(c, view(c->node, "transA"),
                             view(c->node, "transB"));
}

static tn_status ref(tni_ref *c)
{
    const tni_product_tail tail = tail_of(c->node);
    return tni_product_ref(c, view(c->node, "transA"), view(c->node, "transB"),
                           &tail);
}

static tn_status plan(tni_plan *c)
{
    const tni_product_tail tail = tail_of(c->node);
    return tni_product_plan(c, view(c->node, "transA"), view(c->node, "transB"),
                            &tail);
}

static const tni_arg in[] = {{"A", TNI_FLOATS, 'T', 0},
                             {"B", TNI_FLOATS, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"alpha", TNI_ATTR_FLOAT, "1.0"},
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

const tni_op tni_op_ms_transpose_matmul = {
    .domain = "com.microsoft",
    .name = "TransposeMatMul",
    .summary = "Matrix product of transposed views.",
    TNI_VERSIONS(versions),
};
