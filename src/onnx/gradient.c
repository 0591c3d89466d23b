/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gradient.c - ai.onnx.preview.training Gradient, replaced by what it means
 *
 * A Gradient names values of its own graph: "xs" and "zs", which its inputs
 * stand for, and "y". When all nodes of the graph are decoded, it becomes the
 * nodes of reverse-mode differentiation:
 *
 *   1. the nodes that y needs, back to xs and zs, in execution order;
 *   2. a copy of those that depend on an input which is not the named value;
 *   3. the nodes through which a gradient flows; one without a rule is an
 *      error that names it;
 *   4. from y back, the gradient of each value, summed over its uses.
 *
 * The gradient of a y of many elements is that of their sum. Other values than
 * xs and zs are constants. Gradients of gradients work the same way, the inner
 * one first.
 *
 * Limit: y is made in the graph of the Gradient, not in one around it, and
 * subgraphs (If, Loop, Scan) are not differentiated.
 */
#include "onnx/gradient.h"

/* A Gradient that waits for the end of its graph. Its outputs have the node,
 * which has no operator, as their producer. */
typedef struct pending {
    tni_node node; /* first: found from value->producer */
    struct pending *next;
    bool done, active;
} pending;

typedef struct walk {
    tni_scope *s;
    tni_decoder *d;
    tni_graph *g;
    const tni_node *grad;
    int n_xs, n_named; /* xs, then zs */
    tni_value **named;
    tni_value *y;
    tni_node **order; /* what y needs, in execution order */
    int n_order;
} walk;

/* --- building ------------------------------------------------------------ */

static bool may_add(tni_grad *c)
{
    if (c->status == TN_OK) c->status = tni_decode_count_node(c->d);
    return c->status == TN_OK;
}

static tni_node *nomem(tni_grad *c)
{
    c->status = tni_decode_nomem(c->d);
    return NULL;
}

static bool add_outputs(tni_grad *c, tni_node *node)
{
    for (int i = 0; i < node->n_out; i++) {
        node->out[i] = tni_graph_add_value(c->graph, "");
        if (node->out[i] == NULL) return false;
        node->out[i]->producer = node;
    }
    return true;
}

tni_node *tni_grad_node(tni_grad *c, const char *op, int n_in,
                        tni_value *const *in, int n_out, const tni_attr *attrs,
                        int n_attrs)
{
    for (int i = 0; i < n_in; i++)
        if (in[i] == NULL) return NULL;
    if (!may_add(c)) return NULL;
    tni_node *node = tni_graph_add_node(c->graph, "", op, n_in, n_out, n_attrs);
    if (node == NULL) return nomem(c);
    c->status = tni_decode_op(c->d, "", op, INT32_MAX, &node->op, &node->ver);
    if (c->status != TN_OK) return NULL;
    node->opset = INT32_MAX;
    node->name = c->name;
    for (int i = 0; i < n_in; i++) node->in[i] = in[i];
    for (int i = 0; i < n_attrs; i++) node->attrs[i] = attrs[i];
    return add_outputs(c, node) ? node : nomem(c);
}

tni_node *tni_grad_copy(tni_grad *c, const tni_node *from, tni_value *const *in)
{
    if (!may_add(c)) return NULL;
    tni_node *node = tni_graph_add_node(c->graph, from->domain, from->op_type,
                                        from->n_in, from->n_out, from->n_attrs);
    if (node == NULL) return nomem(c);
    node->op = from->op;
    node->ver = from->ver;
    node->opset = from->opset;
    node->name = from->name;
    for (int i = 0; i < from->n_in; i++) node->in[i] = in[i];
    for (int i = 0; i < from->n_attrs; i++) node->attrs[i] = from->attrs[i];
    return add_outputs(c, node) ? node : nomem(c);
}

tni_value *tni_grad_1(tni_grad *c, const char *op, tni_value *a)
{
    tni_node *node = tni_grad_node(c, op, 1, &a, 1, NULL, 0);
    return node != NULL ? node->out[0] : NULL;
}

tni_value *tni_grad_2(tni_grad *c, const char *op, tni_value *a, tni_value *b)
{
    tni_value *const in[2] = {a, b};
    tni_node *node = tni_grad_node(c, op, 2, in, 1, NULL, 0);
    return node != NULL ? node->out[0] : NULL;
}

tni_value *tni_grad_fill(tni_grad *c, float v, tni_value *x)
{
    if (c->status != TN_OK) return NULL;
    tni_tensor *t = TNI_NEW(c->d->arena, tni_tensor);
    const int64_t dims[1] = {1};
    if (t == NULL) {
        (void)nomem(c);
        return NULL;
    }
    c->status = tni_tensor_alloc(t, c->d->arena, TN_F32, 1, dims, c->d->err);
    if (c->status != TN_OK) return NULL;
    TNI_DATA(float, t)[0] = v;
    tni_attr value = {.name = "value", .kind = TNI_ATTR_TENSOR};
    value.v.tensor = t;
    tni_value *shape = tni_grad_1(c, "Shape", x);
    tni_node *node =
        tni_grad_node(c, "ConstantOfShape", 1, &shape, 1, &value, 1);
    return node != NULL ? tni_grad_2(c, "CastLike", node->out[0], x) : NULL;
}

/* --- what y needs -------------------------------------------------------- */

/* Finding the way back is paid for in steps, since a file can ask for the same
 * long way many times over. */
static tn_status spend(walk *w, int64_t steps)
{
    enum { most = 100000000 };
    w->d->gradient_steps += steps;
    if (w->d->gradient_steps > most)
        return tni_fail(w->d->err, TN_ELIMIT,
                        "the Gradient nodes of the model go over more than %d "
                        "values and nodes",
                        (int)most);
    return TN_OK;
}

typedef struct frame {
    tni_node *node;
    int next; /* input to look at */
} frame;

enum { fresh_node, open_node, done_node };

/* The node that makes a value within the differentiated part, NULL at its
 * ends: xs, zs, inputs, constants, values from outside. */
static tni_node *maker(const walk *w, const tni_value *v, const bool *ends)
{
    if (v == NULL || v->graph != w->g || ends[v->id]) return NULL;
    tni_node *p = v->producer;
    return p != NULL && (p->op == NULL || p->index >= w->s->first_node) ? p
                                                                        : NULL;
}

/* Fills w->order; *met is a Gradient that has to be expanded first. */
static tn_status find_order(walk *w, tni_node **met)
{
    tni_decoder *d = w->d;
    const size_t n = (size_t)w->g->n_nodes;
    TN_TRY(spend(w, (int64_t)n + w->g->n_values));
    bool *ends = TNI_NEW_ARRAY(&d->tmp, bool, w->g->n_values);
    uint8_t *state = TNI_NEW_ARRAY(&d->tmp, uint8_t, n);
    frame *stack = TNI_NEW_ARRAY(&d->tmp, frame, n);
    w->order = TNI_NEW_ARRAY(&d->tmp, tni_node *, n);
    if (ends == NULL || state == NULL || stack == NULL || w->order == NULL)
        return tni_decode_nomem(d);
    for (int i = 0; i < w->n_named; i++)
        if (w->named[i]->graph == w->g) ends[w->named[i]->id] = true;
    int depth = 0;
    w->n_order = 0;
    *met = NULL;
    const tni_value *v = w->y;
    for (;;) {
        tni_node *p = maker(w, v, ends);
        if (p != NULL && p->op == NULL) {
            *met = p;
            return TN_OK;
        }
        if (p != NULL && state[p->index] == open_node)
            return tni_fail(d->err, TN_EFORMAT,
                            "'%.80s' depends on itself through node '%.80s' "
                            "(%.60s)",
                            w->y->name, p->name, p->op_type);
        if (p != NULL && state[p->index] == fresh_node) {
            state[p->index] = open_node;
            stack[depth++] = (frame){p, 0};
        }
        while (depth > 0 &&
               stack[depth - 1].next == stack[depth - 1].node->n_in) {
            tni_node *done = stack[--depth].node;
            state[done->index] = done_node;
            w->order[w->n_order++] = done;
        }
        if (depth == 0) return TN_OK;
        frame *top = &stack[depth - 1];
        v = top->node->in[top->next++];
        TN_TRY(spend(w, 1));
    }
}

/* --- other values than the named ----------------------------------------- */

static bool has_subgraph(const tni_node *node)
{
    for (int i = 0; i < node->n_attrs; i++)
        if (node->attrs[i].kind == TNI_ATTR_GRAPH ||
            node->attrs[i].kind == TNI_ATTR_GRAPHS)
            return true;
    return false;
}

/* What takes the place of values: those of the graph by id, others by a scan
 * of the few that are named. */
typedef struct places {
    tni_value **to;
    int n;
    tni_value **outer, **outer_to;
    int n_outer;
} places;

static tni_value *placed(const places *p, const walk *w, tni_value *v)
{
    if (v == NULL) return NULL;
    if (v->graph == w->g)
        return v->id < p->n && p->to[v->id] != NULL ? p->to[v->id] : v;
    for (int i = 0; i < p->n_outer; i++)
        if (p->outer[i] == v) return p->outer_to[i];
    return v;
}

/* Notes what stands for each named value. A new value does where the input is
 * another, so that y's own use of that input stays apart; and where it is of
 * a graph around. */
static tn_status find_places(places *p, walk *w, tni_grad *c)
{
    tni_arena *tmp = &w->d->tmp;
    p->n = w->g->n_values;
    p->to = TNI_NEW_ARRAY(tmp, tni_value *, p->n);
    p->outer = TNI_NEW_ARRAY(tmp, tni_value *, w->n_named);
    p->outer_to = TNI_NEW_ARRAY(tmp, tni_value *, w->n_named);
    if (p->to == NULL || p->outer == NULL || p->outer_to == NULL)
        return tni_decode_nomem(w->d);
    for (int i = 0; i < w->n_named; i++) {
        tni_value *from = w->named[i], *by = w->grad->in[i];
        if (from == by && from->graph == w->g) continue;
        by = tni_grad_1(c, "Identity", by);
        if (by == NULL) return c->status;
        if (from->graph == w->g) {
            p->to[from->id] = by;
        } else {
            p->outer[p->n_outer] = from;
            p->outer_to[p->n_outer++] = by;
        }
        w->named[i] = by;
    }
    return TN_OK;
}

static tn_status copy_for(places *p, walk *w, tni_grad *c, int k)
{
    const tni_node *node = w->order[k];
    bool moved = false;
    TN_TRY(spend(w, (int64_t)node->n_in * (1 + p->n_outer)));
    for (int i = 0; i < node->n_in; i++)
        moved = moved || placed(p, w, node->in[i]) != node->in[i];
    if (has_subgraph(node))
        return tni_fail(w->d->err, TN_EUNSUPPORTED,
                        "'%.80s' depends on node '%.80s' (%.60s), and what has "
                        "subgraphs cannot be computed again for other inputs",
                        w->y->name, node->name, node->op_type);
    if (!moved) return TN_OK;
    tni_value **in = TNI_NEW_ARRAY(&w->d->tmp, tni_value *, node->n_in);
    if (in == NULL) return tni_decode_nomem(w->d);
    for (int i = 0; i < node->n_in; i++) in[i] = placed(p, w, node->in[i]);
    tni_node *copy = tni_grad_copy(c, node, in);
    if (copy == NULL) return c->status;
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] != NULL && node->out[i]->id < p->n)
            p->to[node->out[i]->id] = copy->out[i];
    w->order[k] = copy;
    return TN_OK;
}

/* Copies what depends on inputs that are not the named values, so that y and
 * xs are those of the node's inputs. */
static tn_status substitute(walk *w, tni_grad *c)
{
    places p = {0};
    const int n_values = w->g->n_values;
    TN_TRY(find_places(&p, w, c));
    if (w->g->n_values == n_values) return TN_OK;
    for (int k = 0; k < w->n_order; k++) TN_TRY(copy_for(&p, w, c, k));
    w->y = placed(&p, w, w->y);
    return TN_OK;
}

/* --- the way of the gradient --------------------------------------------- */

/* By value id: whether it depends on xs by way of derivatives, and whether the
 * gradient of y reaches it. */
typedef struct flow {
    bool *varies, *reached;
    tni_value **grad;
    int n;
} flow;

static bool varies(const flow *f, const walk *w, const tni_value *v)
{
    return v != NULL && v->graph == w->g && v->id < f->n && f->varies[v->id];
}

/* Whether the gradient goes through input i of a node. */
static bool flows(const flow *f, const walk *w, const tni_node *node,
                  const tni_grad_rule *rule, int i)
{
    return varies(f, w, node->in[i]) &&
           (rule == NULL || tni_grad_takes(rule, i));
}

static void mark_varying(flow *f, const walk *w)
{
    for (int i = 0; i < w->n_xs; i++)
        if (i < w->grad->n_out && w->grad->out[i] != NULL)
            f->varies[w->named[i]->id] = true;
    for (int k = 0; k < w->n_order; k++) {
        const tni_node *node = w->order[k];
        const tni_grad_rule *rule = tni_grad_rule_of(node);
        /* What a body takes from outside is not known yet. */
        bool any = has_subgraph(node);
        for (int i = 0; i < node->n_in; i++)
            any = any || flows(f, w, node, rule, i);
        for (int i = 0; any && i < node->n_out; i++)
            if (node->out[i] != NULL) f->varies[node->out[i]->id] = true;
    }
}

static tn_status refuse(const walk *w, const tni_node *node, const char *why)
{
    return tni_fail(
        w->d->err, TN_EUNSUPPORTED,
        "the gradient of '%.80s' goes through node '%.80s' (%.60s): "
        "%s",
        w->y->name, node->name, node->op_type, why);
}

/* Checks that every node on the way has a rule, before anything is built. */
static tn_status mark_reached(flow *f, const walk *w)
{
    if (!varies(f, w, w->y)) return TN_OK;
    f->reached[w->y->id] = true;
    for (int k = w->n_order - 1; k >= 0; k--) {
        const tni_node *node = w->order[k];
        const tni_grad_rule *rule = tni_grad_rule_of(node);
        int n_reached = 0;
        for (int i = 0; i < node->n_out; i++)
            if (node->out[i] != NULL && f->reached[node->out[i]->id])
                n_reached += i == 0 ? 1 : 2;
        if (n_reached == 0) continue;
        if (rule == NULL)
            return refuse(w, node,
                          "this build has no derivative of that "
                          "operator; docs/modules/onnx.md lists "
                          "those it has");
        if (n_reached > 1)
            return refuse(w, node, "only its first output is differentiated");
        if (!tni_op_arity_ok(node))
            return refuse(w, node, "its inputs are not those of its signature");
        const char *why = rule->refuse != NULL ? rule->refuse(node) : NULL;
        if (why != NULL) return refuse(w, node, why);
        for (int i = 0; i < node->n_in; i++)
            if (flows(f, w, node, rule, i)) f->reached[node->in[i]->id] = true;
    }
    return TN_OK;
}

static tn_status go_back(flow *f, walk *w, tni_grad *c)
{
    if (varies(f, w, w->y)) f->grad[w->y->id] = tni_grad_fill(c, 1.0f, w->y);
    for (int k = w->n_order - 1; k >= 0 && c->status == TN_OK; k--) {
        const tni_node *node = w->order[k];
        const tni_grad_rule *rule = tni_grad_rule_of(node);
        tni_value *g = node->n_out > 0 && node->out[0] != NULL && rule != NULL
                           ? f->grad[node->out[0]->id]
                           : NULL;
        if (g == NULL) continue;
        c->memo = NULL;
        for (int i = 0; i < node->n_in && c->status == TN_OK; i++) {
            if (!flows(f, w, node, rule, i)) continue;
            tni_value **sum = &f->grad[node->in[i]->id];
            tni_value *part = rule->back(c, node, g, i);
            *sum = *sum == NULL ? part : tni_grad_2(c, "Add", *sum, part);
        }
    }
    return c->status;
}

/* Gives the gradients the names of the node's outputs. */
static tn_status hand_over(const flow *f, const walk *w, tni_grad *c)
{
    for (int i = 0; i < w->grad->n_out; i++) {
        tni_value *out = w->grad->out[i], *x = w->named[i];
        if (out == NULL) continue;
        tni_value *g = varies(f, w, x) ? f->grad[x->id] : NULL;
        if (g == NULL) g = tni_grad_fill(c, 0.0f, x);
        tni_node *node = tni_grad_node(c, "Identity", 1, &g, 1, NULL, 0);
        if (node == NULL) return c->status;
        node->out[0] = out;
        out->producer = node;
    }
    return TN_OK;
}

static tn_status differentiate(walk *w)
{
    tni_decoder *d = w->d;
    tni_grad c = {.d = d, .graph = w->g, .name = w->grad->name};
    TN_TRY(substitute(w, &c));
    const int n = w->g->n_values;
    TN_TRY(spend(w, n));
    flow f = {.n = n};
    f.varies = TNI_NEW_ARRAY(&d->tmp, bool, n);
    f.reached = TNI_NEW_ARRAY(&d->tmp, bool, n);
    f.grad = TNI_NEW_ARRAY(&d->tmp, tni_value *, n);
    if (f.varies == NULL || f.reached == NULL || f.grad == NULL)
        return tni_decode_nomem(d);
    mark_varying(&f, w);
    TN_TRY(mark_reached(&f, w));
    TN_TRY(go_back(&f, w, &c));
    return hand_over(&f, w, &c);
}

/* --- one Gradient -------------------------------------------------------- */

static tn_status find_named(const walk *w, tn_string name, tni_value **out)
{
    bool bound = false;
    const tni_bytes bytes = {(const uint8_t *)name.ptr, name.len};
    *out = tni_scope_find(w->s, bytes, &bound);
    if (*out != NULL) return TN_OK;
    return tni_fail(w->d->err, TN_EFORMAT,
                    "'%.*s' is neither an input of the graph, nor an "
                    "initializer, nor produced by a node",
                    (int)(name.len < 120 ? name.len : 120), name.ptr);
}

static tn_status read_names(walk *w)
{
    tni_decoder *d = w->d;
    const tni_node *node = w->grad;
    int n_xs = 0, n_zs = 0;
    const tn_string *xs = tni_attr_strings(node, "xs", &n_xs);
    const tn_string *zs = tni_attr_strings(node, "zs", &n_zs);
    const tn_string y = tni_attr_string(node, "y");
    if (n_xs == 0 || y.len == 0)
        return tni_fail(d->err, TN_EFORMAT,
                        "the attributes 'xs' and 'y' must name values");
    if ((int64_t)n_xs + n_zs != node->n_in || node->n_out > n_xs)
        return tni_fail(d->err, TN_EFORMAT,
                        "%d inputs and %d outputs; expected one input for each "
                        "of the %d xs and %d zs, and at most one output for "
                        "each of the xs",
                        node->n_in, node->n_out, n_xs, n_zs);
    w->n_xs = n_xs;
    w->n_named = n_xs + n_zs;
    w->named = TNI_NEW_ARRAY(&d->tmp, tni_value *, w->n_named);
    if (w->named == NULL) return tni_decode_nomem(d);
    for (int i = 0; i < w->n_named; i++) {
        TN_TRY(find_named(w, i < n_xs ? xs[i] : zs[i - n_xs], &w->named[i]));
        if (node->in[i] == NULL)
            return tni_fail(d->err, TN_EFORMAT, "input %d is omitted", i);
    }
    TN_TRY(find_named(w, y, &w->y));
    if (w->y->graph != w->g)
        return tni_fail(d->err, TN_EUNSUPPORTED,
                        "'%.80s' is made in a graph around the node's; "
                        "expected one of its own graph",
                        w->y->name);
    return TN_OK;
}

static tn_status expand(tni_scope *s, pending *p, int depth);

static tn_status expand_now(tni_scope *s, pending *p, int depth)
{
    tni_decoder *d = s->d;
    if (depth >= (int)d->model->limits.max_nesting)
        return tni_fail(d->err, TN_ELIMIT,
                        "gradients of gradients are more than %d deep", depth);
    walk w = {.s = s, .d = d, .g = s->graph, .grad = &p->node};
    TN_TRY(read_names(&w));
    for (;;) {
        tni_node *met = NULL;
        TN_TRY(find_order(&w, &met));
        if (met == NULL) break;
        TN_TRY(expand(s, (pending *)(void *)met, depth + 1));
    }
    return differentiate(&w);
}

/* In lenient decoding a node that cannot be expanded stays, not known. */
static tn_status keep_unknown(tni_scope *s, const tni_node *from)
{
    tni_node *node = tni_graph_add_node(s->graph, from->domain, from->op_type,
                                        from->n_in, from->n_out, from->n_attrs);
    if (node == NULL) return tni_decode_nomem(s->d);
    TN_TRY(tni_decode_op(s->d, from->domain, from->op_type, from->opset,
                         &node->op, &node->ver));
    node->opset = from->opset;
    node->name = from->name;
    for (int i = 0; i < from->n_in; i++) node->in[i] = from->in[i];
    for (int i = 0; i < from->n_attrs; i++) node->attrs[i] = from->attrs[i];
    for (int i = 0; i < from->n_out; i++) {
        node->out[i] = from->out[i];
        if (node->out[i] != NULL) node->out[i]->producer = node;
    }
    return TN_OK;
}

static tn_status expand(tni_scope *s, pending *p, int depth)
{
    tni_decoder *d = s->d;
    if (p->done) return TN_OK;
    tn_status status = TN_OK;
    if (p->active) {
        status = tni_fail(d->err, TN_EFORMAT,
                          "the gradient depends on its own result");
    } else {
        const tni_arena_mark mark = tni_arena_save(&d->tmp);
        p->active = true;
        status = expand_now(s, p, depth);
        tni_arena_rewind(&d->tmp, mark);
        p->active = false;
    }
    if (status == TN_EUNSUPPORTED && d->lenient) {
        tni_err_clear(d->err);
        status = keep_unknown(s, &p->node);
    }
    if (status == TN_OK)
        p->done = true;
    else if (!tni_decode_has_place(d))
        tni_op_err_where(d->err, &p->node);
    return status;
}

bool tni_gradient_is(const char *domain, const char *op_type)
{
    return strcmp(domain, "ai.onnx.preview.training") == 0 &&
           strcmp(op_type, "Gradient") == 0;
}

tn_status tni_gradient_add(tni_scope *s, const tni_node *node)
{
    pending *p = TNI_NEW(s->d->arena, pending);
    if (p == NULL) return tni_decode_nomem(s->d);
    p->node = *node;
    p->node.graph = s->graph;
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] != NULL) node->out[i]->producer = &p->node;
    p->next = s->gradients;
    s->gradients = p;
    return TN_OK;
}

tn_status tni_gradient_expand_all(tni_scope *s)
{
    for (pending *p = s->gradients; p != NULL; p = p->next)
        TN_TRY(expand(s, p, 0));
    return TN_OK;
}
