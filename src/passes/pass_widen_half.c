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
 * both the model's round. Operators that peers have in half on CPUs, those that
 * move data above all, read what was rounded once, unless they stand alone
 * between others. Peers do the same, so the answers are closer to theirs as
 * well (docs/decisions/0004, 0006, 0007).
 */
#include "passes/match.h"

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

/* Operators that peers compute in half on CPUs: those that only move data, and
 * a few more. What they read has been rounded. */
static bool is_native(const tni_node *node)
{
    static const char *const ops[] = {"Compress",
                                      "Concat",
                                      "Expand",
                                      "Flatten",
                                      "Gather",
                                      "GatherElements",
                                      "GatherND",
                                      "Identity",
                                      "LayerNormalization",
                                      "Max",
                                      "Min",
                                      "Mod",
                                      "Reshape",
                                      "ReverseSequence",
                                      "RotaryEmbedding",
                                      "Round",
                                      "ScatterElements",
                                      "ScatterND",
                                      "Sign",
                                      "SimplifiedLayerNormalization",
                                      "Slice",
                                      "SkipSimplifiedLayerNormalization",
                                      "Split",
                                      "Squeeze",
                                      "Tile",
                                      "Transpose",
                                      "Unsqueeze"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(node->op_type, ops[i]) == 0) return true;
    return false;
}

typedef struct widen_ctx {
    tni_pass_run *c;
    tni_value **twin;    /* float32 form by value id; NULL: none yet */
    tni_value **rounded; /* the same with the half's digits only */
    int n;
} widen_ctx;

static tni_value *widen_constant(widen_ctx *w, const tni_value *v)
{
    tni_tensor *wide = tni_pass_widen(w->c, v->constant);
    return wide != NULL ? tni_graph_add_constant(w->c->graph, "", wide) : NULL;
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

/* The float32 form of a half value that a native operator reads. */
static tni_value *rounded_of(widen_ctx *w, tni_value *v)
{
    const bool here = v->graph == w->c->graph && v->id < w->n;
    if (v->constant != NULL) return twin_of(w, v);
    if (here && w->rounded[v->id] != NULL) return w->rounded[v->id];
    tni_value *half = v;
    if (here && w->twin[v->id] != NULL && v->producer == NULL && !v->is_input)
        half = add_cast(w, w->twin[v->id], NULL, v->type.dtype);
    tni_value *r = half != NULL ? add_cast(w, half, NULL, TN_F32) : NULL;
    if (here) w->rounded[v->id] = r;
    return r;
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

/* By node: whether it is widened, and whether its operator is native. */
typedef struct plan {
    bool *wide, *native;
    bool *feeds_native; /* by value: something native reads it, or it leaves */
} plan;

static tn_status make_plan(plan *p, const widen_ctx *w)
{
    const tni_graph *g = w->c->graph;
    p->wide = TNI_NEW_ARRAY(w->c->tmp, bool, g->n_nodes);
    p->native = TNI_NEW_ARRAY(w->c->tmp, bool, g->n_nodes);
    p->feeds_native = TNI_NEW_ARRAY(w->c->tmp, bool, w->n);
    if (p->wide == NULL || p->native == NULL || p->feeds_native == NULL)
        return nomem(w);
    for (int i = 0; i < g->n_nodes; i++) {
        const tni_node *node = g->nodes[i];
        p->wide[i] = can_widen(node);
        p->native[i] = !p->wide[i] || is_native(node);
        for (int k = 0; p->native[i] && k < node->n_in; k++)
            if (node->in[k] != NULL && node->in[k]->graph == g)
                p->feeds_native[node->in[k]->id] = true;
    }
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i]->graph == g)
            p->feeds_native[g->outputs[i]->id] = true;
    return TN_OK;
}

/* A native operator between none but widened ones is widened like them. */
static bool is_isolated(const plan *p, const tni_node *node)
{
    for (int k = 0; k < node->n_in; k++) {
        const tni_value *v = node->in[k];
        if (!is_half(v) || v->constant != NULL) continue;
        if (v->producer == NULL || v->producer->graph != node->graph ||
            p->native[v->producer->index])
            return false;
    }
    for (int k = 0; k < node->n_out; k++)
        if (is_half(node->out[k]) && p->feeds_native[node->out[k]->id])
            return false;
    return true;
}

/* Native operators whose results have digits of their own. */
static bool computes(const tni_node *node)
{
    static const char *const ops[] = {
        "LayerNormalization", "Mod", "RotaryEmbedding",
        "SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(node->op_type, ops[i]) == 0) return true;
    return false;
}

static tn_status widen_node(widen_ctx *w, tni_node *node, bool native)
{
    for (int k = 0; k < node->n_in; k++) {
        if (!is_half(node->in[k])) continue;
        node->in[k] =
            native ? rounded_of(w, node->in[k]) : twin_of(w, node->in[k]);
        if (node->in[k] == NULL) return nomem(w);
    }
    tni_value **out = TNI_NEW_ARRAY(w->c->tmp, tni_value *, node->n_out);
    if (out == NULL) return nomem(w);
    for (int k = 0; k < node->n_out; k++) out[k] = node->out[k];
    TN_TRY(widen_outputs(w, node));
    for (int k = 0; native && k < node->n_out; k++) {
        if (!is_half(out[k])) continue;
        if (!computes(node)) {
            w->rounded[out[k]->id] = w->twin[out[k]->id];
            continue;
        }
        tni_value *r = rounded_of(w, out[k]);
        if (r == NULL) return nomem(w);
        w->twin[out[k]->id] = r;
    }
    return TN_OK;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    const int n_nodes = g->n_nodes;
    widen_ctx w = {c, TNI_NEW_ARRAY(c->tmp, tni_value *, g->n_values),
                   TNI_NEW_ARRAY(c->tmp, tni_value *, g->n_values),
                   g->n_values};
    bool *widened = TNI_NEW_ARRAY(c->tmp, bool, n_nodes);
    bool *moved = TNI_NEW_ARRAY(c->tmp, bool, w.n);
    bool *kept = TNI_NEW_ARRAY(c->tmp, bool, n_nodes);
    if (w.twin == NULL || w.rounded == NULL || widened == NULL ||
        moved == NULL || kept == NULL)
        return nomem(&w);
    plan p;
    TN_TRY(make_plan(&p, &w));
    for (int i = 0; i < n_nodes; i++)
        kept[i] = p.wide[i] && p.native[i] && !is_isolated(&p, g->nodes[i]);
    for (int i = 0; i < n_nodes; i++) {
        tni_node *node = g->nodes[i];
        if (reads_wide(&w, node)) {
            node->in[0] = w.twin[node->in[0]->id];
            widened[i] = true;
            c->n_changes++;
        }
        if (!p.wide[i]) continue;
        widened[i] = true;
        c->n_changes++;
        for (int k = 0; k < node->n_out; k++)
            if (is_half(node->out[k])) moved[node->out[k]->id] = true;
        TN_TRY(widen_node(&w, node, kept[i]));
    }
    if (c->n_changes == 0) return TN_OK;
    return round_leftovers(&w, widened, n_nodes, moved);
}

const tni_pass tni_pass_widen_half = {
    .name = "widen_half",
    .summary = "computes float16 and bfloat16 graphs in float32",
    .run = run,
};
