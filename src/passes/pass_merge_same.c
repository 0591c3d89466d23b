/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_merge_same.c - compute equal things once
 *
 * Two pure nodes with the same operator, inputs and attributes give the same
 * outputs; the later one's uses move to the earlier one. Candidates meet in a
 * hash table over operator and inputs.
 */
#include "passes/pass.h"

static size_t hash_node(const tni_node *node)
{
    size_t h = (size_t)(uintptr_t)node->ver;
    for (int i = 0; i < node->n_in; i++)
        h = h * 1000003u ^ ((size_t)(uintptr_t)node->in[i] >> 4);
    return h ^ (h >> 17);
}

static bool same_node(const tni_node *a, const tni_node *b)
{
    if (a->ver != b->ver || a->n_in != b->n_in || a->n_out != b->n_out ||
        a->n_attrs != b->n_attrs)
        return false;
    for (int i = 0; i < a->n_in; i++)
        if (a->in[i] != b->in[i] &&
            (a->in[i] == NULL || b->in[i] == NULL ||
             a->in[i]->constant == NULL || b->in[i]->constant == NULL ||
             !tni_same_tensor(a->in[i]->constant, b->in[i]->constant)))
            return false;
    for (int i = 0; i < a->n_attrs; i++) {
        if (a->attrs[i].kind == TNI_ATTR_NONE) continue;
        const tni_attr *other = tni_attr_find(b, a->attrs[i].name);
        if (other == NULL || !tni_attr_same(&a->attrs[i], other)) return false;
    }
    /* An output the earlier node omits cannot be taken from it. */
    for (int i = 0; i < a->n_out; i++)
        if ((a->out[i] == NULL) != (b->out[i] == NULL)) return false;
    return true;
}

static bool has_output(const tni_node *node)
{
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] != NULL && node->out[i]->is_output) return true;
    return false;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    size_t n = 64;
    while (n < (size_t)g->n_nodes * 2) n *= 2;
    tni_node **table = TNI_NEW_ARRAY(c->tmp, tni_node *, n);
    tni_value **to = TNI_NEW_ARRAY(c->tmp, tni_value *, g->n_values);
    if (table == NULL || to == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (int i = 0; i < g->n_nodes; i++) {
        tni_node *node = g->nodes[i];
        for (int k = 0; k < node->n_in; k++) {
            tni_value *v = node->in[k];
            if (v != NULL && v->graph == g && to[v->id] != NULL)
                node->in[k] = to[v->id];
        }
        if (node->ver == NULL || (node->ver->traits & TNI_IMPURE) != 0 ||
            node->n_captures != 0)
            continue;
        size_t at = hash_node(node) & (n - 1);
        while (table[at] != NULL && !same_node(table[at], node))
            at = (at + 1) & (n - 1);
        if (table[at] == NULL) {
            table[at] = node;
            continue;
        }
        if (has_output(node)) continue;
        tni_node *first = table[at];
        tni_node_remove(node);
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] != NULL) to[node->out[k]->id] = first->out[k];
        c->n_changes++;
    }
    if (c->n_changes != 0) tni_graph_redirect(g, to);
    return TN_OK;
}

const tni_pass tni_pass_merge_same = {
    .name = "merge_same",
    .summary = "computes equal things once",
    .run = run,
};
