/* SPDX-License-Identifier: Apache-2.0 */
/* clone.c - a private copy of a graph for passes to change */
#include "graph/clone.h"

#include <string.h>

/* Graphs being copied, innermost first: maps values by graph and id. */
typedef struct scope {
    const tni_graph *from;
    tni_graph *to;
    const struct scope *outer;
} scope;

static tn_status clone_depth(tni_graph **out, const tni_graph *from,
                             tni_arena *arena, tni_graph *parent,
                             const scope *outer, int depth, tn_err *err);

static tni_value *map_value(const scope *s, const tni_value *v)
{
    for (; s != NULL; s = s->outer)
        if (s->from == v->graph) return s->to->values[v->id];
    return NULL;
}

static tn_status clone_attr(tni_attr *to, const tni_attr *from, const scope *s,
                            tni_arena *arena, int depth, tn_err *err)
{
    *to = *from;
    if (from->kind == TNI_ATTR_GRAPH) {
        to->v.graph = NULL;
        return clone_depth(&to->v.graph, from->v.graph, arena, s->to, s,
                           depth + 1, err);
    }
    if (from->kind == TNI_ATTR_GRAPHS) {
        tni_graph **graphs = TNI_NEW_ARRAY(arena, tni_graph *, from->n);
        if (graphs == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        for (size_t i = 0; i < from->n; i++)
            TN_TRY(clone_depth(&graphs[i], from->v.graphs[i], arena, s->to, s,
                               depth + 1, err));
        to->v.graphs = graphs;
    }
    return TN_OK;
}

static tn_status clone_node(tni_graph *to, const tni_node *from, const scope *s,
                            tni_arena *arena, int depth, tn_err *err)
{
    tni_node *n = tni_graph_add_node(to, from->domain, from->op_type,
                                     from->n_in, from->n_out, from->n_attrs);
    if (n == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    n->op = from->op;
    n->ver = from->ver;
    n->name = from->name;
    n->opset = from->opset;
    for (int i = 0; i < from->n_in; i++)
        if (from->in[i] != NULL) n->in[i] = map_value(s, from->in[i]);
    for (int i = 0; i < from->n_out; i++)
        if (from->out[i] != NULL) n->out[i] = map_value(s, from->out[i]);
    for (int i = 0; i < from->n_attrs; i++)
        TN_TRY(clone_attr(&n->attrs[i], &from->attrs[i], s, arena, depth, err));
    return TN_OK;
}

static tn_status clone_depth(tni_graph **out, const tni_graph *from,
                             tni_arena *arena, tni_graph *parent,
                             const scope *outer, int depth, tn_err *err)
{
    if (depth > 64) return tni_fail(err, TN_ELIMIT, "subgraphs nest too deep");
    tni_graph *g = tni_graph_new(arena, parent);
    if (g == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    g->name = from->name;
    for (int i = 0; i < from->n_values; i++) {
        const tni_value *v = from->values[i];
        tni_value *copy = tni_graph_add_value(g, v->name);
        if (copy == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        copy->type = v->type;
        copy->constant = v->constant;
    }
    const scope s = {from, g, outer};
    for (int i = 0; i < from->n_nodes; i++)
        TN_TRY(clone_node(g, from->nodes[i], &s, arena, depth, err));
    g->n_inputs = from->n_inputs;
    g->n_outputs = from->n_outputs;
    g->inputs = TNI_NEW_ARRAY(arena, tni_value *, g->n_inputs);
    g->outputs = TNI_NEW_ARRAY(arena, tni_value *, g->n_outputs);
    if (g->inputs == NULL || g->outputs == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    for (int i = 0; i < g->n_inputs; i++)
        g->inputs[i] = map_value(&s, from->inputs[i]);
    for (int i = 0; i < g->n_outputs; i++)
        g->outputs[i] = map_value(&s, from->outputs[i]);
    *out = g;
    return TN_OK;
}

tn_status tni_graph_clone(tni_graph **out, const tni_graph *from,
                          tni_arena *arena, tn_err *err)
{
    *out = NULL;
    tni_graph *g = NULL;
    TN_TRY(clone_depth(&g, from, arena, NULL, NULL, 0, err));
    TN_TRY(tni_graph_finish(g, err));
    *out = g;
    return TN_OK;
}
