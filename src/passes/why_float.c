/* SPDX-License-Identifier: Apache-2.0 */
/* why_float.c - what kept a node of a quantised model from integers */
#include "passes/match.h"

#include <string.h>

static const tni_node *reader(const tni_value *v, const char *op)
{
    const tni_graph *g = v->graph;
    for (int i = 0; i < g->n_nodes; i++)
        if (tni_match_op(g->nodes[i], "", op) && g->nodes[i]->in[0] == v)
            return g->nodes[i];
    return NULL;
}

static bool has_form(const tni_node *n)
{
    static const char *const ops[] = {
        "Conv",       "FusedConv", "MatMul",
        "Gemm",       "Product",   "Add",
        "Mul",        "Concat",    "GlobalAveragePool",
        "Relu",       "Clip",      "MaxPool",
        "AveragePool"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(n->op_type, ops[i]) == 0) return true;
    return false;
}

const char *tni_why_float(const tni_node *n)
{
    const tni_node *d = NULL;
    bool all = true;
    if (tni_match_op(n, "", "QuantizeLinear") ||
        tni_match_op(n, "", "DequantizeLinear"))
        return NULL;
    for (int i = 0; i < n->n_in; i++) {
        const tni_value *v = n->in[i];
        const tni_node *from =
            v != NULL ? tni_match_from(v, "DequantizeLinear") : NULL;
        if (from != NULL) d = from;
        if (v != NULL && v->constant == NULL && from == NULL) all = false;
    }
    if (d == NULL || n->n_out < 1 || n->out[0] == NULL) return NULL;
    if (!has_form(n)) return "there is no such operator on integers";
    if (d->in[1]->constant == NULL) return "its input's scale is computed";
    if (d->in[1]->constant->len != 1)
        return "its input has more than one scale";
    if (!all) return "an input is not quantised";
    if (reader(n->out[0], "QuantizeLinear") == NULL)
        return "the result is not quantised";
    if (!tni_value_single_use(n->out[0]))
        return "the result is read before it is quantised, too";
    return "weights or a bias are not quantised constants, or dtypes differ";
}
