/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c - building, ordering and editing graphs */
#include "graph/graph.h"

#include "base/checked.h"

#include <string.h>

/* --- building ---------------------------------------------------------- */

/* Makes room for one more pointer in an arena array that doubles. */
static bool reserve(tni_arena *arena, void **array, int n, int *cap)
{
    if (n < *cap) return true;
    const int grown = *cap == 0 ? 16 : *cap * 2;
    if (grown < *cap) return false;
    void **bigger = TNI_NEW_ARRAY(arena, void *, grown);
    if (bigger == NULL) return false;
    if (n > 0) memcpy(bigger, *array, (size_t)n * sizeof(void *));
    *array = bigger;
    *cap = grown;
    return true;
}

tni_graph *tni_graph_new(tni_arena *arena, tni_graph *parent)
{
    tni_graph *g = TNI_NEW(arena, tni_graph);
    if (g == NULL) return NULL;
    g->name = "";
    g->arena = arena;
    g->parent = parent;
    return g;
}

tni_value *tni_graph_add_value(tni_graph *graph, const char *name)
{
    void *array = graph->values;
    if (!reserve(graph->arena, &array, graph->n_values, &graph->cap_values))
        return NULL;
    graph->values = array;
    tni_value *v = TNI_NEW(graph->arena, tni_value);
    if (v == NULL) return NULL;
    v->name = name;
    v->id = graph->n_values;
    v->graph = graph;
    v->type.rank = -1;
    graph->values[graph->n_values++] = v;
    return v;
}

tni_value *tni_graph_add_constant(tni_graph *graph, const char *name,
                                  const tni_tensor *tensor)
{
    tni_value *v = tni_graph_add_value(graph, name);
    if (v == NULL) return NULL;
    v->constant = tensor;
    tni_type_of(&v->type, tensor);
    return v;
}

tni_node *tni_graph_add_node(tni_graph *graph, const char *domain,
                             const char *op_type, int n_in, int n_out,
                             int n_attrs)
{
    void *array = graph->nodes;
    if (!reserve(graph->arena, &array, graph->n_nodes, &graph->cap_nodes))
        return NULL;
    graph->nodes = array;
    tni_node *n = TNI_NEW(graph->arena, tni_node);
    if (n == NULL) return NULL;
    n->name = "";
    n->domain = domain;
    n->op_type = op_type;
    n->graph = graph;
    n->index = graph->n_nodes;
    n->n_in = n_in;
    n->n_out = n_out;
    n->n_attrs = n_attrs;
    n->in = TNI_NEW_ARRAY(graph->arena, tni_value *, n_in);
    n->out = TNI_NEW_ARRAY(graph->arena, tni_value *, n_out);
    n->attrs = TNI_NEW_ARRAY(graph->arena, tni_attr, n_attrs);
    if (n->in == NULL || n->out == NULL || n->attrs == NULL) return NULL;
    graph->nodes[graph->n_nodes++] = n;
    return n;
}

/* --- finishing --------------------------------------------------------- */

static tn_status nomem(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

/* Calls fn for each subgraph of a node. */
static tn_status each_subgraph(const tni_node *node,
                               tn_status (*fn)(void *ctx, tni_graph *g),
                               void *ctx)
{
    for (int i = 0; i < node->n_attrs; i++) {
        const tni_attr *a = &node->attrs[i];
        if (a->kind == TNI_ATTR_GRAPH) TN_TRY(fn(ctx, a->v.graph));
        if (a->kind == TNI_ATTR_GRAPHS)
            for (size_t k = 0; k < a->n; k++) TN_TRY(fn(ctx, a->v.graphs[k]));
    }
    return TN_OK;
}

/* A set of values in insertion order. Most have few and are scanned; from 32
 * on a table of positions, hashed by address, finds them. */
typedef struct value_set {
    tni_value **items;
    int n, cap;
    int *table;       /* position + 1, 0: free */
    size_t table_cap; /* 0 or a power of two, at least twice n */
    tni_arena *arena;
} value_set;

/* The entry of `v` in the table, or the free one it would go to. */
static int *set_slot(const value_set *s, const tni_value *v)
{
    const uint64_t hash = (uint64_t)(uintptr_t)v * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(hash >> 32) & (s->table_cap - 1);
    while (s->table[i] != 0 && s->items[s->table[i] - 1] != v)
        i = (i + 1) & (s->table_cap - 1);
    return &s->table[i];
}

static bool set_grow_table(value_set *s)
{
    const size_t cap = s->table_cap == 0 ? 128 : s->table_cap * 2;
    s->table = TNI_NEW_ARRAY(s->arena, int, cap);
    if (s->table == NULL) return false;
    s->table_cap = cap;
    for (int i = 0; i < s->n; i++) *set_slot(s, s->items[i]) = i + 1;
    return true;
}

static bool set_add(value_set *s, tni_value *v)
{
    if (s->n < 32) {
        for (int i = s->n - 1; i >= 0; i--)
            if (s->items[i] == v) return true;
    } else {
        if ((size_t)s->n * 2 >= s->table_cap && !set_grow_table(s))
            return false;
        if (*set_slot(s, v) != 0) return true;
    }
    void *array = s->items;
    if (!reserve(s->arena, &array, s->n, &s->cap)) return false;
    s->items = array;
    s->items[s->n++] = v;
    if (s->table_cap != 0) *set_slot(s, v) = s->n;
    return true;
}

typedef struct capture_ctx {
    const tni_graph *outer;
    value_set *set;
    tn_err *err;
} capture_ctx;

static tn_status finish_subgraph(void *ctx, tni_graph *g)
{
    capture_ctx *c = ctx;
    TN_TRY(tni_graph_finish(g, c->err));
    for (int i = 0; i < g->n_captures; i++)
        if (!set_add(c->set, g->captures[i])) return nomem(c->err);
    return TN_OK;
}

static tn_status collect_captures(tni_graph *graph, tn_err *err)
{
    value_set own = {NULL, 0, 0, NULL, 0, graph->arena};
    for (int i = 0; i < graph->n_nodes; i++) {
        tni_node *node = graph->nodes[i];
        value_set set = {NULL, 0, 0, NULL, 0, graph->arena};
        capture_ctx ctx = {graph, &set, err};
        TN_TRY(each_subgraph(node, finish_subgraph, &ctx));
        node->captures = set.items;
        node->n_captures = set.n;
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] != NULL && node->in[k]->graph != graph &&
                !set_add(&own, node->in[k]))
                return nomem(err);
        for (int k = 0; k < set.n; k++)
            if (set.items[k]->graph != graph && !set_add(&own, set.items[k]))
                return nomem(err);
    }
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->outputs[i]->graph != graph &&
            !set_add(&own, graph->outputs[i]))
            return nomem(err);
    graph->captures = own.items;
    graph->n_captures = own.n;
    return TN_OK;
}

/* The node that must run before `v` can be read, in this graph; NULL none. */
static tni_node *waits_for(const tni_graph *graph, const tni_value *v)
{
    return v != NULL && v->graph == graph ? v->producer : NULL;
}

/* What a node reads: its inputs, then what its subgraphs capture. */
static const tni_value *read_at(const tni_node *node, int k)
{
    return k < node->n_in ? node->in[k] : node->captures[k - node->n_in];
}

static tn_status check_value(const tni_graph *graph, const tni_node *node,
                             const tni_value *v, tn_err *err)
{
    if (v == NULL || v->graph != graph || v->producer != NULL ||
        v->constant != NULL || v->is_input)
        return TN_OK;
    return tni_fail(err, TN_EFORMAT,
                    "node '%.60s' (%.40s) reads '%.80s', which no node "
                    "produces and which is neither an input nor an initializer",
                    node->name, node->op_type, v->name);
}

static bool is_sorted(const tni_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        const tni_node *node = graph->nodes[i];
        for (int k = 0; k < node->n_in + node->n_captures; k++) {
            const tni_node *before = waits_for(graph, read_at(node, k));
            if (before != NULL && before->index >= i) return false;
        }
    }
    return true;
}

/* Min-heap of node indices: among the ready nodes the first in the file runs
 * first, which keeps the order stable. */
static void heap_push(int *heap, int *n, int x)
{
    int i = (*n)++;
    while (i > 0 && heap[(i - 1) / 2] > x) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = x;
}

static int heap_pop(int *heap, int *n)
{
    const int top = heap[0], x = heap[--(*n)];
    int i = 0;
    for (;;) {
        int child = 2 * i + 1;
        if (child >= *n) break;
        if (child + 1 < *n && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= x) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = x;
    return top;
}

/* Kahn's algorithm over edges producer -> reader. */
static tn_status sort_nodes(tni_graph *graph, tni_arena *tmp, tn_err *err)
{
    const int n = graph->n_nodes;
    int *first = TNI_NEW_ARRAY(tmp, int, n + 1); /* edges of a producer */
    int *waiting = TNI_NEW_ARRAY(tmp, int, n);
    int *heap = TNI_NEW_ARRAY(tmp, int, n);
    tni_node **order = TNI_NEW_ARRAY(tmp, tni_node *, n);
    if (first == NULL || waiting == NULL || heap == NULL || order == NULL)
        return nomem(err);
    int n_edges = 0;
    for (int i = 0; i < n; i++) {
        const tni_node *node = graph->nodes[i];
        for (int k = 0; k < node->n_in + node->n_captures; k++) {
            const tni_node *p = waits_for(graph, read_at(node, k));
            if (p == NULL) continue;
            first[p->index + 1]++;
            waiting[i]++;
            n_edges++;
        }
    }
    for (int i = 0; i < n; i++) first[i + 1] += first[i];
    int *readers = TNI_NEW_ARRAY(tmp, int, n_edges);
    int *next = TNI_NEW_ARRAY(tmp, int, n);
    if (readers == NULL || next == NULL) return nomem(err);
    if (n > 0) memcpy(next, first, (size_t)n * sizeof *next);
    for (int i = 0; i < n; i++) {
        const tni_node *node = graph->nodes[i];
        for (int k = 0; k < node->n_in + node->n_captures; k++) {
            const tni_node *p = waits_for(graph, read_at(node, k));
            if (p != NULL) readers[next[p->index]++] = i;
        }
    }
    int n_ready = 0, done = 0;
    for (int i = 0; i < n; i++)
        if (waiting[i] == 0) heap_push(heap, &n_ready, i);
    while (n_ready > 0) {
        const int i = heap_pop(heap, &n_ready);
        order[done++] = graph->nodes[i];
        for (int e = first[i]; e < first[i + 1]; e++)
            if (--waiting[readers[e]] == 0)
                heap_push(heap, &n_ready, readers[e]);
    }
    if (done < n) {
        int stuck = 0;
        while (waiting[stuck] == 0) stuck++;
        const tni_node *node = graph->nodes[stuck];
        return tni_fail(err, TN_EFORMAT,
                        "the graph has a cycle: node '%.80s' (%.40s) waits for "
                        "its own output",
                        node->name, node->op_type);
    }
    for (int i = 0; i < n; i++) {
        graph->nodes[i] = order[i];
        order[i]->index = i;
    }
    return TN_OK;
}

static void count_uses(tni_graph *graph)
{
    for (int i = 0; i < graph->n_values; i++) {
        graph->values[i]->n_uses = 0;
        graph->values[i]->id = i;
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        const tni_node *node = graph->nodes[i];
        for (int k = 0; k < node->n_in; k++)
            if (node->in[k] != NULL && node->in[k]->graph == graph)
                node->in[k]->n_uses++;
        for (int k = 0; k < node->n_captures; k++)
            if (node->captures[k]->graph == graph) node->captures[k]->n_uses++;
    }
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->outputs[i]->graph == graph) graph->outputs[i]->n_uses++;
}

tn_status tni_graph_finish(tni_graph *graph, tn_err *err)
{
    for (int i = 0; i < graph->n_values; i++)
        graph->values[i]->is_input = graph->values[i]->is_output = false;
    for (int i = 0; i < graph->n_inputs; i++) graph->inputs[i]->is_input = true;
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->outputs[i]->graph == graph)
            graph->outputs[i]->is_output = true;
    for (int i = 0; i < graph->n_nodes; i++) {
        tni_node *node = graph->nodes[i];
        node->index = i;
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] != NULL) node->out[k]->producer = node;
    }
    TN_TRY(collect_captures(graph, err));
    for (int i = 0; i < graph->n_nodes; i++) {
        const tni_node *node = graph->nodes[i];
        for (int k = 0; k < node->n_in; k++)
            TN_TRY(check_value(graph, node, node->in[k], err));
        for (int k = 0; k < node->n_captures; k++)
            TN_TRY(check_value(graph, node, node->captures[k], err));
    }
    for (int i = 0; i < graph->n_outputs; i++) {
        const tni_value *v = graph->outputs[i];
        if (v->graph == graph && v->producer == NULL && v->constant == NULL &&
            !v->is_input)
            return tni_fail(err, TN_EFORMAT,
                            "output '%.120s' is produced by no node", v->name);
    }
    if (!is_sorted(graph)) {
        tni_arena tmp;
        tni_arena_init(&tmp, graph->arena->mem, 1 << 16);
        const tn_status status = sort_nodes(graph, &tmp, err);
        tni_arena_fini(&tmp);
        TN_TRY(status);
    }
    count_uses(graph);
    return TN_OK;
}

/* --- editing ----------------------------------------------------------- */

typedef struct redirect_ctx {
    const tni_graph *graph;
    tni_value *const *to;
} redirect_ctx;

static tni_value *redirected(const redirect_ctx *r, tni_value *v)
{
    if (v == NULL || v->graph != r->graph || r->to[v->id] == NULL) return v;
    return r->to[v->id];
}

static tn_status redirect_in(void *ctx, tni_graph *g)
{
    const redirect_ctx *r = ctx;
    for (int i = 0; i < g->n_nodes; i++) {
        tni_node *node = g->nodes[i];
        if (node->index < 0) continue;
        for (int k = 0; k < node->n_in; k++)
            node->in[k] = redirected(r, node->in[k]);
        if (node->n_captures == 0) continue;
        for (int k = 0; k < node->n_captures; k++)
            node->captures[k] = redirected(r, node->captures[k]);
        TN_TRY(each_subgraph(node, redirect_in, ctx));
    }
    for (int i = 0; i < g->n_captures; i++)
        g->captures[i] = redirected(r, g->captures[i]);
    for (int i = 0; i < g->n_outputs; i++)
        g->outputs[i] = redirected(r, g->outputs[i]);
    return TN_OK;
}

void tni_graph_redirect(tni_graph *graph, tni_value *const *to)
{
    redirect_ctx ctx = {graph, to};
    (void)redirect_in(&ctx, graph);
}

void tni_node_remove(tni_node *node)
{
    for (int k = 0; k < node->n_in; k++)
        if (node->in[k] != NULL && node->in[k]->graph == node->graph)
            node->in[k]->n_uses--;
    for (int k = 0; k < node->n_captures; k++)
        if (node->captures[k]->graph == node->graph)
            node->captures[k]->n_uses--;
    for (int k = 0; k < node->n_out; k++)
        if (node->out[k] != NULL && node->out[k]->producer == node)
            node->out[k]->producer = NULL;
    node->index = -1;
}

void tni_graph_compact(tni_graph *graph)
{
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        tni_node *node = graph->nodes[i];
        if (node->index < 0) continue;
        node->index = n;
        graph->nodes[n++] = node;
    }
    graph->n_nodes = n;
}

bool tni_value_single_use(const tni_value *value)
{
    return value->n_uses == 1 && !value->is_output;
}
