/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_channels_last.c - quantised networks run with the channels last
 *
 * The terms of an 8-bit convolution lie together when the channels do: see
 * kernels/qconv/qconv.h. Every QLinearConv over two axes reads and writes such
 * images, and what follows it does too, as far as there are operators for it:
 * pooling, sums and products, concatenation, lookups. Where others read, and
 * at the ends, a Transpose stands between.
 */
#include "passes/match.h"

#include <string.h>

typedef struct last_ctx {
    tni_pass_run *c;
    tni_value **twin; /* channels-last form by value id; NULL: none yet */
    int n;
} last_ctx;

static const int64_t to_last[4] = {0, 2, 3, 1}, from_last[4] = {0, 3, 1, 2};

static bool is_image(const tni_value *v)
{
    return v != NULL && v->type.kind == TN_KIND_TENSOR && v->type.rank == 4 &&
           (v->type.dtype == TN_U8 || v->type.dtype == TN_I8);
}

static bool has_twin(const last_ctx *w, const tni_value *v)
{
    return v->graph == w->c->graph && v->id < w->n && w->twin[v->id] != NULL;
}

/* --- transposes ---------------------------------------------------------- */

static tni_value *add_transpose(last_ctx *w, tni_value *from, tni_value *to,
                                const int64_t *perm)
{
    tni_graph *g = w->c->graph;
    tni_node *t = tni_graph_add_node(g, "", "Transpose", 1, 1, 1);
    int64_t *copy = TNI_NEW_ARRAY(w->c->arena, int64_t, 4);
    if (to == NULL && t != NULL) {
        to = tni_graph_add_value(g, "");
        if (to != NULL) {
            to->type = from->type;
            for (int i = 0; i < 4; i++)
                to->type.dims[i] = from->type.dims[perm[i]];
        }
    }
    if (t == NULL || to == NULL || copy == NULL) return NULL;
    t->op = tni_op_find("", "Transpose");
    t->ver = t->op != NULL ? tni_op_at(t->op, 13) : NULL;
    if (t->ver == NULL) return NULL;
    memcpy(copy, perm, 4 * sizeof *copy);
    t->opset = 13;
    t->in[0] = from;
    t->out[0] = to;
    t->attrs[0] = (tni_attr){.name = "perm", .kind = TNI_ATTR_INTS, .n = 4};
    t->attrs[0].v.ints = copy;
    to->producer = t;
    return to;
}

static tni_value *twin_of(last_ctx *w, tni_value *v)
{
    const bool here = v->graph == w->c->graph && v->id < w->n;
    if (here && w->twin[v->id] != NULL) return w->twin[v->id];
    tni_value *t = add_transpose(w, v, NULL, to_last);
    if (here) w->twin[v->id] = t;
    return t;
}

static tn_status nomem(const last_ctx *w)
{
    return tni_fail(w->c->err, TN_ENOMEM, "out of memory");
}

/* --- operators ----------------------------------------------------------- */

/* How a node is written with the channels last. */
typedef struct form {
    const char *domain, *op_type;
    int first, step, end; /* images: first, first + step … below end */
    bool starts;          /* worth it whatever is before */
    tni_attr extra;       /* overrides one of that name; kind NONE: nothing */
} form;

static bool constants(const tni_node *n, int from)
{
    for (int i = from; i < n->n_in; i++)
        if (n->in[i] != NULL && n->in[i]->constant == NULL) return false;
    return true;
}

static bool form_of_microsoft(form *f, const tni_node *n)
{
    static const char *const binary[] = {"QLinearAdd", "QLinearMul"};
    static const char *const unary[] = {"QLinearSigmoid", "QLinearLeakyRelu"};
    static const char *const pools[] = {"QLinearGlobalAveragePool",
                                        "QLinearAveragePool"};
    f->domain = "com.microsoft";
    f->op_type = n->op_type;
    for (int i = 0; i < 2; i++) {
        if (strcmp(n->op_type, binary[i]) == 0) {
            f->end = 4;
            return n->n_in >= 7 && is_image(n->in[3]);
        }
        if (strcmp(n->op_type, unary[i]) == 0) return true;
        if (strcmp(n->op_type, pools[i]) == 0) {
            f->extra = tni_attr_of_int("channels_last", 1);
            return tni_attr_int(n, "channels_last", 0) == 0;
        }
    }
    if (strcmp(n->op_type, "QLinearConcat") == 0) {
        const int64_t axis = tni_attr_int(n, "axis", 0);
        f->first = 2;
        f->end = n->n_in;
        f->extra = tni_attr_of_int("axis", 3);
        return axis == 1 || axis == -3;
    }
    return false;
}

static bool form_of(form *f, const tni_node *n)
{
    *f = (form){.domain = "com.microsoft", .step = 3, .end = 1};
    if (n->ver == NULL || n->n_out < 1 || !is_image(n->out[0])) return false;
    if (tni_match_op(n, "", "QLinearConv")) {
        f->op_type = "QLinearConv";
        f->starts = true;
        f->extra = tni_attr_of_int("channels_last", 1);
        return constants(n, 1);
    }
    if (tni_match_op(n, "", "MaxPool")) {
        f->op_type = "NhwcMaxPool";
        return (n->n_out < 2 || n->out[1] == NULL) &&
               tni_attr_int(n, "storage_order", 0) == 0;
    }
    if (tni_match_op(n, "tenon", "Lookup")) {
        f->domain = "tenon";
        f->op_type = "Lookup";
        return true;
    }
    return strcmp(n->domain, "com.microsoft") == 0 && form_of_microsoft(f, n);
}

/* Whether every image of the node is one, and one of them has its twin. */
static bool fits(const last_ctx *w, const tni_node *n, const form *f)
{
    bool near = f->starts;
    for (int i = f->first; i < f->end; i += f->step) {
        if (!is_image(n->in[i])) return false;
        near = near || has_twin(w, n->in[i]);
    }
    return near;
}

static int attributes(tni_attr *to, const tni_node *n, const form *f)
{
    int len = 0;
    for (int i = 0; i < n->n_attrs; i++) {
        const char *name = n->attrs[i].name;
        if (strcmp(name, "storage_order") == 0 ||
            (f->extra.kind != TNI_ATTR_NONE &&
             strcmp(name, f->extra.name) == 0))
            continue;
        to[len++] = n->attrs[i];
    }
    if (f->extra.kind != TNI_ATTR_NONE) to[len++] = f->extra;
    return len;
}

static tn_status rewrite(last_ctx *w, tni_node *n, const form *f)
{
    tni_value **in = TNI_NEW_ARRAY(w->c->tmp, tni_value *, n->n_in + 1);
    tni_attr *attrs = TNI_NEW_ARRAY(w->c->tmp, tni_attr, n->n_attrs + 1);
    if (in == NULL || attrs == NULL) return nomem(w);
    if (n->n_in > 0) memcpy(in, n->in, (size_t)n->n_in * sizeof *in);
    for (int i = f->first; i < f->end; i += f->step) {
        in[i] = twin_of(w, n->in[i]);
        if (in[i] == NULL) return nomem(w);
    }
    const int n_attrs = attributes(attrs, n, f);
    const char *name = n->name;
    TN_TRY(tni_pass_become(w->c, n, f->domain, f->op_type, 1, in, n->n_in,
                           attrs, n_attrs));
    n->name = name;
    tni_value *v = n->out[0], *last = tni_graph_add_value(w->c->graph, v->name);
    if (last == NULL) return nomem(w);
    last->type = v->type;
    for (int i = 0; i < 4; i++) last->type.dims[i] = v->type.dims[to_last[i]];
    last->producer = n;
    n->out[0] = last;
    v->producer = NULL;
    w->twin[v->id] = last;
    return TN_OK;
}

/* Values that lost their producer and are read all the same. */
static tn_status put_back(last_ctx *w, int n_nodes, const bool *moved)
{
    const tni_graph *g = w->c->graph;
    bool *needed = TNI_NEW_ARRAY(w->c->tmp, bool, w->n + 1);
    if (needed == NULL) return nomem(w);
    for (int i = 0; i < n_nodes; i++) {
        const tni_node *n = g->nodes[i];
        for (int k = 0; k < n->n_captures; k++)
            if (n->captures[k]->graph == g) needed[n->captures[k]->id] = true;
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k] != NULL && n->in[k]->graph == g && n->in[k]->id < w->n)
                needed[n->in[k]->id] = true;
    }
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i]->graph == g) needed[g->outputs[i]->id] = true;
    for (int i = 0; i < w->n; i++)
        if (moved[i] && needed[i] &&
            add_transpose(w, w->twin[i], g->values[i], from_last) == NULL)
            return nomem(w);
    return TN_OK;
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    last_ctx w = {.c = c, .n = g->n_values};
    const int n_nodes = g->n_nodes;
    w.twin = TNI_NEW_ARRAY(c->tmp, tni_value *, g->n_values + 1);
    bool *moved = TNI_NEW_ARRAY(c->tmp, bool, g->n_values + 1);
    if (w.twin == NULL || moved == NULL) return nomem(&w);
    for (int i = 0; i < n_nodes; i++) {
        tni_node *n = g->nodes[i];
        form f;
        if (n->index < 0 || !form_of(&f, n) || !fits(&w, n, &f)) continue;
        const int id = n->out[0]->id;
        TN_TRY(rewrite(&w, n, &f));
        moved[id] = true;
    }
    return c->n_changes != 0 ? put_back(&w, n_nodes, moved) : TN_OK;
}

const tni_pass tni_pass_channels_last = {
    .name = "channels_last",
    .summary = "runs quantised networks with the channels last",
    .run = run,
};
