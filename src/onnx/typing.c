/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typing.c - the types of every value, from the operators' own inference
 *
 * One walk in execution order. Subgraphs are walked when their operator asks
 * for it, with the types it gives their inputs; nothing is evaluated. What a
 * file declares about a value only fills in a kind, an element type or a rank
 * that inference left open.
 */
#include "onnx/decode.h"
#include "tensor/raw.h"

#include <string.h>

typedef struct typing {
    tn_model *model;
    tni_arena tmp;
    tn_err *err;
    bool lenient;
    int depth;
    int64_t budget; /* nodes that may still be inferred */
    /* Subgraphs may be walked several times: what the file declares about
     * their values, by graph and value id, from before the first walk. */
    tni_arena keep;
    tni_strmap declared; /* the graph's address -> tni_type[] */
} typing;

static tn_status type_graph(typing *t, const tni_graph *graph,
                            const tni_type *declared);

static tn_status nomem(const typing *t)
{
    return tni_fail(t->err, TN_ENOMEM,
                    "out of memory, or past tn_limits.max_total_bytes");
}

/* Keeps what inference found and falls back on what was declared. */
static void settle(tni_value *v, const tni_type *found, const tni_type *told)
{
    tni_type type = *found;
    if (type.kind == TN_KIND_NONE) {
        type = *told;
    } else if (told->kind == type.kind) {
        if (type.dtype == TN_UNDEFINED) type.dtype = told->dtype;
        if (type.elem == NULL) type.elem = told->elem;
        if (type.kind == TN_KIND_TENSOR && type.rank < 0 && told->rank >= 0) {
            type.rank = told->rank;
            for (int i = 0; i < type.rank; i++) type.dims[i] = TNI_DIM_UNKNOWN;
        }
    }
    v->type = type;
}

static tn_status find_declared(typing *t, const tni_graph *graph,
                               const tni_type **out)
{
    const tni_graph **key = TNI_NEW(&t->keep, const tni_graph *);
    if (key == NULL) return nomem(t);
    *key = graph;
    bool fresh = false;
    void **slot =
        tni_strmap_add(&t->declared, (const char *)key, sizeof *key, &fresh);
    if (slot == NULL) return nomem(t);
    if (fresh) {
        tni_type *types = TNI_NEW_ARRAY(&t->keep, tni_type, graph->n_values);
        if (types == NULL) return nomem(t);
        for (int i = 0; i < graph->n_values; i++)
            types[i] = graph->values[i]->type;
        *slot = types;
    }
    *out = *slot;
    return TN_OK;
}

static tn_status infer_subgraph(tni_infer *c, const tni_graph *graph,
                                const tni_type *in, int n_in, tni_type *out)
{
    typing *t = c->host;
    if (t->depth >= (int)t->model->limits.max_nesting)
        return tni_fail(t->err, TN_ELIMIT,
                        "subgraphs are nested more than %d deep", t->depth);
    if (n_in > graph->n_inputs)
        return tni_fail(t->err, TN_EFORMAT,
                        "the subgraph '%.60s' has %d inputs; expected %d",
                        graph->name, graph->n_inputs, n_in);
    const tni_type *declared = NULL;
    TN_TRY(find_declared(t, graph, &declared));
    for (int i = 0; i < n_in; i++) {
        tni_value *v = graph->inputs[i];
        if (v->constant == NULL) settle(v, &in[i], &declared[v->id]);
    }
    t->depth++;
    const tn_status status = type_graph(t, graph, declared);
    t->depth--;
    TN_TRY(status);
    for (int i = 0; i < graph->n_outputs; i++) out[i] = graph->outputs[i]->type;
    return TN_OK;
}

static tn_status type_node(typing *t, const tni_node *node,
                           const tni_type *declared)
{
    const size_t n_in = (size_t)node->n_in, n_out = (size_t)node->n_out;
    const tni_type **in = TNI_NEW_ARRAY(&t->tmp, const tni_type *, n_in);
    const tni_tensor **in_const =
        TNI_NEW_ARRAY(&t->tmp, const tni_tensor *, n_in);
    tni_type *out = TNI_NEW_ARRAY(&t->tmp, tni_type, n_out);
    if (in == NULL || in_const == NULL || out == NULL) return nomem(t);
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] == NULL) continue;
        in[i] = &node->in[i]->type;
        const tni_tensor *constant = node->in[i]->constant;
        if (constant != NULL && tni_tensor_is_plain(constant))
            in_const[i] = constant;
    }
    for (int i = 0; i < node->n_out; i++) out[i].rank = -1;
    tni_infer c;
    memset(&c, 0, sizeof c);
    c.node = node;
    c.opset = node->opset;
    c.n_in = node->n_in;
    c.n_out = node->n_out;
    c.in = in;
    c.in_const = in_const;
    c.out = out;
    c.arena = &t->model->arena;
    c.graph = infer_subgraph;
    c.host = t;
    c.err = t->err;
    TN_TRY(tni_op_infer(&c));
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] != NULL) {
            tni_value *v = node->out[i];
            const tni_type told = declared != NULL ? declared[v->id] : v->type;
            settle(v, &out[i], &told);
        }
    return TN_OK;
}

/* `declared` is NULL for the main graph, which is walked once. */
static tn_status type_graph(typing *t, const tni_graph *graph,
                            const tni_type *declared)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        const tni_node *node = graph->nodes[i];
        if (node->ver == NULL) continue; /* lenient: not known */
        if (t->budget-- <= 0)
            return tni_fail(t->err, TN_ELIMIT,
                            "type inference does not come to an end: loops "
                            "inside loops change their types again and again");
        const tni_arena_mark mark = tni_arena_save(&t->tmp);
        const tn_status status = type_node(t, node, declared);
        tni_arena_rewind(&t->tmp, mark);
        if (status == TN_OK) continue;
        if (!t->lenient || status == TN_ENOMEM || status == TN_ELIMIT)
            return status;
        tni_err_clear(t->err);
    }
    return TN_OK;
}

tn_status tni_model_infer(tn_model *model, bool lenient, tn_err *err)
{
    typing t;
    memset(&t, 0, sizeof t);
    t.model = model;
    t.err = err;
    t.lenient = lenient;
    /* Each nested loop may be walked several times; ten million nodes take
     * seconds, and no real model comes near. */
    t.budget = 10000000 + 64 * (int64_t)model->graph->n_nodes;
    tni_arena_init(&t.tmp, &model->mem, 1 << 14);
    tni_arena_init(&t.keep, &model->mem, 1 << 12);
    tni_strmap_init(&t.declared, &t.keep);
    const tn_status status = type_graph(&t, model->graph, NULL);
    tni_arena_fini(&t.tmp);
    tni_arena_fini(&t.keep);
    return status;
}
