/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_drop_identity.c - remove nodes that give back what they got
 *
 * Identity, Dropout in inference, Cast to the dtype it has, Transpose by the
 * identity permutation, and one-input Concat, Sum, Max, Min, Mean.
 */
#include "passes/pass.h"

#include <string.h>

static bool identity_perm(const tni_node *node)
{
    int n = 0;
    const int64_t *perm = tni_attr_ints(node, "perm", &n);
    if (perm == NULL) return false;
    for (int i = 0; i < n; i++)
        if (perm[i] != i) return false;
    return true;
}

static bool is_identity(const tni_node *node)
{
    if (node->domain[0] != '\0' || node->n_in < 1 || node->in[0] == NULL)
        return false;
    const char *op = node->op_type;
    if (strcmp(op, "Identity") == 0) return true;
    if (strcmp(op, "Dropout") == 0)
        return (node->opset < 12 || node->n_in < 3 || node->in[2] == NULL) &&
               (node->opset >= 7 || tni_attr_int(node, "is_test", 0) != 0);
    if (strcmp(op, "Cast") == 0)
        return node->in[0]->type.dtype != TN_UNDEFINED &&
               node->in[0]->type.kind == TN_KIND_TENSOR &&
               tni_attr_int(node, "to", 0) == (int64_t)node->in[0]->type.dtype;
    if (strcmp(op, "Transpose") == 0) return identity_perm(node);
    if (node->n_in == 1 && (strcmp(op, "Concat") == 0 ||
                            strcmp(op, "Sum") == 0 || strcmp(op, "Max") == 0 ||
                            strcmp(op, "Min") == 0 || strcmp(op, "Mean") == 0))
        return true;
    return false;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    tni_value **to = TNI_NEW_ARRAY(c->tmp, tni_value *, g->n_values);
    if (to == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (int i = 0; i < g->n_nodes; i++) {
        tni_node *node = g->nodes[i];
        if (node->index < 0 || !is_identity(node)) continue;
        tni_value *out = node->out[0], *in = node->in[0];
        bool others = false;
        for (int k = 1; k < node->n_out; k++)
            others =
                others || (node->out[k] != NULL && node->out[k]->n_uses > 0);
        /* A graph output keeps its own value, so that its name stays. */
        if (out == NULL || others || out->is_output) continue;
        tni_node_remove(node);
        if (in->graph == g && to[in->id] != NULL) in = to[in->id];
        to[out->id] = in;
        c->n_changes++;
    }
    if (c->n_changes != 0) tni_graph_redirect(g, to);
    return TN_OK;
}

const tni_pass tni_pass_drop_identity = {
    .name = "drop_identity",
    .summary = "removes nodes that give back what they got",
    .run = run,
};
