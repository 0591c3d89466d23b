/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_fuse_dynamic.c - products of tensors quantised while they run
 *
 * Dynamic quantisers write y = Cast(MatMulInteger(a, b)) * (sa * sb) + bias,
 * with a and sa from DynamicQuantizeLinear. That is com.microsoft's
 * MatMulIntegerToFloat, operation by operation, in one pass over the sums.
 */
#include "passes/match.h"

#include <string.h>

static bool one_number(const tni_value *v)
{
    return v != NULL && v->type.kind == TN_KIND_TENSOR &&
           v->type.dtype == TN_F32 &&
           (v->type.rank == 0 || (v->type.rank == 1 && v->type.dims[0] == 1));
}

/* Constants: one, or one for each of n columns. */
static bool column_values(const tni_value *v, int64_t n)
{
    return v != NULL && v->constant != NULL && v->constant->dtype == TN_F32 &&
           v->constant->rank <= 1 &&
           (v->constant->len == 1 || v->constant->len == n);
}

/* MatMulInteger of a constant matrix, cast to float and read once. */
static tni_node *product_of(const tni_value *v)
{
    const tni_node *cast = tni_match_only(v, "Cast");
    if (cast == NULL || v->type.dtype != TN_F32) return NULL;
    tni_node *mm = tni_match_only(cast->in[0], "MatMulInteger");
    const bool matrix = mm != NULL && mm->in[1] != NULL &&
                        mm->in[1]->constant != NULL &&
                        mm->in[1]->constant->rank == 2;
    return matrix ? mm : NULL;
}

/* node: Cast(product) * (sa * sb); in: those of MatMulIntegerToFloat. */
static bool scaled_product(tni_value *in[7], const tni_node *node)
{
    if (node->n_in != 2) return false;
    for (int k = 0; k < 2; k++) {
        const tni_node *mm = product_of(node->in[k]);
        const tni_node *scale = tni_match_from(node->in[1 - k], "Mul");
        if (mm == NULL || scale == NULL || scale->n_in != 2) continue;
        const int64_t n = mm->in[1]->constant->dims[1];
        for (int j = 0; j < 2; j++) {
            if (!one_number(scale->in[j]) || scale->in[j]->constant != NULL ||
                !column_values(scale->in[1 - j], n))
                continue;
            in[0] = mm->in[0];
            in[1] = mm->in[1];
            in[2] = scale->in[j];
            in[3] = scale->in[1 - j];
            in[4] = mm->n_in > 2 ? mm->in[2] : NULL;
            in[5] = mm->n_in > 3 ? mm->in[3] : NULL;
            return true;
        }
    }
    return false;
}

static tn_status fuse(tni_pass_run *c, tni_node *node)
{
    tni_value *in[7] = {NULL};
    const char *name = node->name;
    int n_in = 6;
    if (tni_match_op(node, "", "Mul")) {
        if (!scaled_product(in, node)) return TN_OK;
    } else {
        tni_value *x = NULL, *bias = NULL;
        if (!tni_match_op(node, "", "Add") ||
            !tni_match_with_const(node, &x, &bias))
            return TN_OK;
        const tni_node *mul = tni_match_only(x, "Mul");
        if (mul == NULL || !scaled_product(in, mul) ||
            bias->constant->rank != 1 || bias->constant->dtype != TN_F32 ||
            bias->constant->len != in[1]->constant->dims[1])
            return TN_OK;
        in[n_in++] = bias;
    }
    TN_TRY(tni_pass_become(c, node, "com.microsoft", "MatMulIntegerToFloat", 1,
                           in, n_in, NULL, 0));
    node->name = name;
    return TN_OK;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    /* From the end: a sum sees the product before that is taken. */
    for (int i = g->n_nodes - 1; i >= 0; i--)
        if (g->nodes[i]->index >= 0) TN_TRY(fuse(c, g->nodes[i]));
    return TN_OK;
}

const tni_pass tni_pass_fuse_dynamic = {
    .name = "fuse_dynamic",
    .summary = "executes dynamically quantised products in one go",
    .run = run,
};
