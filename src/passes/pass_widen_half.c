/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_widen_half.c - compute float16 and bfloat16 graphs in float32
 *
 * Where the CPU computes halves by way of float32 anyway, rounding after every
 * operator costs time and accuracy. Every operator with half inputs gets
 * float32 ones: constants are converted once, values from outside and from a
 * Cast are widened by a Cast, and what leaves (graph outputs, captures of
 * subgraphs) is rounded by one. A Cast of the model from float32 to half rounds
 * for everyone but a widened operator, and one from a widened half to float32
 * finds the value as it was: of two casts back and forth only those that are
 * both the model's round. Peers do the same on CPUs, so the answers are closer
 * to theirs as well.
 */
#include "passes/match.h"

#include "tensor/half.h"

#include <string.h>

static bool is_half(const tni_value *v)
{
    return v != NULL && v->type.kind == TN_KIND_TENSOR &&
           (v->type.dtype == TN_F16 || v->type.dtype == TN_BF16);
}

/* Operators that name a dtype themselves keep what they say. The two that carry
 * a transformer's residual stream keep it in half as well: that is what peers'
 * answers show, and a stream of another width would drift from them. */
static bool keeps_dtype(const tni_node *node)
{
    static const char *const ops[] = {"Cast",
                                      "CastLike",
                                      "BitCast",
                                      "QuantizeLinear",
                                      "DequantizeLinear",
                                      "DynamicQuantizeLinear",
                                      "ConstantOfShape",
                                      "EyeLike",
                                      "RandomNormal",
                                      "RandomNormalLike",
                                      "RandomUniform",
                                      "RandomUniformLike",
                                      "Bernoulli",
                                      "Multinomial",
                                      "MelWeightMatrix",
                                      "EmbedLayerNormalization",
                                      "SkipLayerNormalization"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(node->op_type, ops[i]) == 0) return true;
    return false;
}

/* LayerNormalization with a float32 scale is an operator of its own, whose x
 * peers round. */
static bool is_mixed_norm(const tni_node *node)
{
    return tni_match_op(node, "", "LayerNormalization") && node->n_in > 1 &&
           node->in[1] != NULL && !is_half(node->in[1]);
}

static const tni_arg *arg_at(const tni_arg *args, int n, int i)
{
    if (i < n) return &args[i];
    return n > 0 && (args[n - 1].flags & TNI_VARIADIC) != 0 ? &args[n - 1]
                                                            : NULL;
}

static bool takes_f32(const tni_arg *arg)
{
    return arg != NULL &&
           (arg->dtypes == 0 || (arg->dtypes & TNI_T(TN_F32)) != 0);
}

static bool can_widen(const tni_node *node)
{
    if (node->ver == NULL || node->n_captures != 0 || keeps_dtype(node) ||
        is_mixed_norm(node))
        return false;
    bool half_input = false;
    for (int i = 0; i < node->n_attrs; i++)
        if (node->attrs[i].kind == TNI_ATTR_GRAPH ||
            node->attrs[i].kind == TNI_ATTR_GRAPHS)
            return false;
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] != NULL && node->in[i]->type.kind != TN_KIND_TENSOR)
            return false;
        if (!is_half(node->in[i])) continue;
        half_input = true;
        if (!takes_f32(arg_at(node->ver->in, node->ver->n_in, i))) return false;
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] == NULL) continue;
        if (node->out[i]->type.kind != TN_KIND_TENSOR) return false;
        if (is_half(node->out[i]) &&
            !takes_f32(arg_at(node->ver->out, node->ver->n_out, i)))
            return false;
    }
    return half_input;
}

typedef struct widen_ctx {
    tni_pass_run *c;
    tni_value **twin; /* float32 form by value id; NULL: none yet */
    int n;
} widen_ctx;

static tni_value *widen_constant(widen_ctx *w, const tni_value *v)
{
    const tni_tensor *t = v->constant;
    float *data = NULL;
    tni_value *wide = tni_pass_constant_f32(w->c, t->rank, t->dims, &data);
    if (wide == NULL) return NULL;
    const uint16_t *half = TNI_CDATA(uint16_t, t);
    for (int64_t i = 0; i < t->len; i++)
        data[i] = t->dtype == TN_F16 ? tni_f16_to_f32(half[i])
                                     : tni_bf16_to_f32(half[i]);
    return wide;
}

static tni_value *add_cast(widen_ctx *w, tni_value *from, tni_value *to,
                           tn_dtype dtype)
{
    tni_graph *g = w->c->graph;
    tni_node *cast = tni_graph_add_node(g, "", "Cast", 1, 1, 1);
    if (to == NULL && cast != NULL) {
        to = tni_graph_add_value(g, "");
        if (to != NULL) {
            to->type = from->type;
            to->type.dtype = dtype;
        }
    }
    if (cast == NULL || to == NULL) return NULL;
    cast->op = tni_op_find("", "Cast");
    cast->ver = cast->op != NULL ? tni_op_at(cast->op, 13) : NULL;
    if (cast->ver == NULL) return NULL;
    cast->opset = 13;
    cast->in[0] = from;
    cast->out[0] = to;
    cast->attrs[0] = tni_attr_of_int("to", (int64_t)dtype);
    to->producer = cast;
    return to;
}

/* The float32 value that a Cast of the model made a half of, or NULL. */
static tni_value *cast_from_f32(const tni_value *v)
{
    const tni_node *cast = tni_match_from(v, "Cast");
    tni_value *from = cast != NULL ? cast->in[0] : NULL;
    return from != NULL && from->type.kind == TN_KIND_TENSOR &&
                   from->type.dtype == TN_F32
               ? from
               : NULL;
}

static tni_value *make_twin(widen_ctx *w, tni_value *v)
{
    if (v->constant != NULL) return widen_constant(w, v);
    tni_value *from = cast_from_f32(v);
    return from != NULL ? from : add_cast(w, v, NULL, TN_F32);
}

/* The float32 form of a half value that a widened node reads. */
static tni_value *twin_of(widen_ctx *w, tni_value *v)
{
    if (v->graph != w->c->graph || v->id >= w->n) return make_twin(w, v);
    if (w->twin[v->id] == NULL) w->twin[v->id] = make_twin(w, v);
    return w->twin[v->id];
}

static tn_status nomem(const widen_ctx *w)
{
    return tni_fail(w->c->err, TN_ENOMEM, "out of memory");
}

/* Outputs of a widened node move to new float32 values. */
static tn_status widen_outputs(widen_ctx *w, tni_node *node)
{
    for (int k = 0; k < node->n_out; k++) {
        tni_value *v = node->out[k];
        if (!is_half(v)) continue;
        tni_value *wide = tni_graph_add_value(w->c->graph, v->name);
        if (wide == NULL) return nomem(w);
        wide->type = v->type;
        wide->type.dtype = TN_F32;
        wide->producer = node;
        node->out[k] = wide;
        v->producer = NULL;
        w->twin[v->id] = wide;
    }
    return TN_OK;
}

/* Rounds what is still read as a half: by a node that was not widened, by a
 * subgraph, or as an output. */
static tn_status round_leftovers(widen_ctx *w, const bool *widened, int n_nodes,
                                 const bool *moved)
{
    const tni_graph *g = w->c->graph;
    bool *needed = TNI_NEW_ARRAY(w->c->tmp, bool, w->n);
    if (needed == NULL) return nomem(w);
    for (int i = 0; i < n_nodes; i++) {
        const tni_node *node = g->nodes[i];
        for (int k = 0; k < node->n_captures; k++)
            if (node->captures[k]->graph == g)
                needed[node->captures[k]->id] = true;
        if (widened[i]) continue;
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] != NULL && node->in[k]->graph == g &&
                node->in[k]->id < w->n)
                needed[node->in[k]->id] = true;
    }
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i]->graph == g) needed[g->outputs[i]->id] = true;
    for (int i = 0; i < w->n; i++)
        if (moved[i] && needed[i] &&
            add_cast(w, w->twin[i], g->values[i], g->values[i]->type.dtype) ==
                NULL)
            return nomem(w);
    return TN_OK;
}

/* True for a Cast of the model to float32 of a half that has been widened; it
 * becomes a Cast to the same type, which drop_identity removes. */
static bool reads_wide(const widen_ctx *w, const tni_node *node)
{
    if (!tni_match_op(node, "", "Cast") || node->n_in < 1 ||
        tni_attr_int(node, "to", 0) != TN_F32)
        return false;
    const tni_value *v = node->in[0];
    return is_half(v) && v->graph == w->c->graph && v->id < w->n &&
           v->producer == NULL && v->constant == NULL && w->twin[v->id] != NULL;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    const int n_nodes = g->n_nodes;
    widen_ctx w = {c, TNI_NEW_ARRAY(c->tmp, tni_value *, g->n_values),
                   g->n_values};
    bool *widened = TNI_NEW_ARRAY(c->tmp, bool, n_nodes);
    bool *moved = TNI_NEW_ARRAY(c->tmp, bool, w.n);
    if (w.twin == NULL || widened == NULL || moved == NULL) return nomem(&w);
    for (int i = 0; i < n_nodes; i++) {
        tni_node *node = g->nodes[i];
        if (reads_wide(&w, node)) {
            node->in[0] = w.twin[node->in[0]->id];
            widened[i] = true;
            c->n_changes++;
        }
        if (!can_widen(node)) continue;
        widened[i] = true;
        c->n_changes++;
        for (int k = 0; k < node->n_in; k++) {
            if (!is_half(node->in[k])) continue;
            node->in[k] = twin_of(&w, node->in[k]);
            if (node->in[k] == NULL) return nomem(&w);
        }
        for (int k = 0; k < node->n_out; k++)
            if (is_half(node->out[k])) moved[node->out[k]->id] = true;
        TN_TRY(widen_outputs(&w, node));
    }
    if (c->n_changes == 0) return TN_OK;
    return round_leftovers(&w, widened, n_nodes, moved);
}

const tni_pass tni_pass_widen_half = {
    .name = "widen_half",
    .summary = "computes float16 and bfloat16 graphs in float32",
    .run = run,
};
