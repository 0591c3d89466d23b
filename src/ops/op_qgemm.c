/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_qgemm.c - com.microsoft QGemm
 *
 * Shapes:  as Gemm; C[N], one value or [M, N]
 * Types:   u8, s8 for A and B; C i32 of scale alpha * a_scale * b_scale; y the
 *          dtype of y_zero_point, or f32 when there is no y_scale
 * Numeric: exact sums, one float product, rounded half to even
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "ops/integer.h"

static const tni_int_roles roles = {0, 3, 2, 5, 1, 4, 7, 8, 6};

static tni_product_view view(const tni_node *node, const char *name)
{
    return (tni_product_view){.trans = tni_attr_int(node, name, 0) != 0};
}

static tn_status infer(tni_infer *c)
{
    return tni_int_product_infer(c, &roles, view(c->node, "transA"),
                                 view(c->node, "transB"));
}

static tn_status ref(tni_ref *c)
{
    return tni_int_product_ref(c, &roles, view(c->node, "transA"),
                               view(c->node, "transB"));
}

static tn_status plan(tni_plan *c)
{
    return tni_int_product_plan(c, &roles, view(c->node, "transA"),
                                view(c->node, "transB"));
}

static const tni_arg in[] = {
    {"A", TNI_INT8S, 'A', 0},
    {"a_scale", TNI_T(TN_F32), 0, 0},
    {"a_zero_point", TNI_INT8S, 'A', 0},
    {"B", TNI_INT8S, 'B', 0},
    {"b_scale", TNI_T(TN_F32), 0, 0},
    {"b_zero_point", TNI_INT8S, 'B', 0},
    {"C", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"y_scale", TNI_T(TN_F32), 0, TNI_OPTIONAL},
    {"y_zero_point", TNI_INT8S, 0, TNI_OPTIONAL},
};
static const tni_arg out[] = {{"Y", TNI_INT8S | TNI_T(TN_F32), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"alpha", TNI_ATTR_FLOAT, "1"},
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

const tni_op tni_op_qgemm = {.domain = "com.microsoft",
                             .name = "QGemm",
                             .summary = "Gemm of quantised tensors",
                             TNI_VERSIONS(versions)};
