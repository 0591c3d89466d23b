/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - settle a graph for one combination of input shapes */
#include "exec/plan.h"

#include "base/checked.h"
#include "exec/place.h"
#include "tensor/raw.h"

#include <string.h>

/* Folded at planning: shape arithmetic, not weights (the pass folds those). */
enum { FOLD_MAX_ELEMS = 16384 };

static tn_status nomem(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory while planning");
}

/* --- planner ----------------------------------------------------------- */

tn_status tni_planner_init(tni_planner *p, tni_mem *mem, tn_err *err)
{
    memset(p, 0, sizeof *p);
    p->mem = mem;
    tni_weights_init(&p->weights, mem);
    return tni_mutex_new(&p->lock, mem, err);
}

static void free_plan(tni_planner *p, tni_exec_plan *plan)
{
    tni_arena_fini(&plan->arena);
    tni_mem_free(p->mem, plan, sizeof *plan, _Alignof(tni_exec_plan));
}

void tni_planner_fini(tni_planner *p)
{
    while (p->plans != NULL) {
        tni_exec_plan *next = p->plans->next;
        free_plan(p, p->plans);
        p->plans = next;
    }
    tni_weights_fini(&p->weights);
    if (p->lock != NULL) tni_mutex_free(p->lock, p->mem);
    p->lock = NULL;
}

/* --- operators' plans -------------------------------------------------- */

tn_status tni_plan_node(tni_plan *result, tni_planner *p, const tni_node *node,
                        const tni_type *const *in,
                        const tni_tensor *const *in_const,
                        const tni_type *const *out, tni_arena *arena,
                        tn_err *err)
{
    memset(result, 0, sizeof *result);
    if (node->ver->plan == NULL || p->reference) return TN_OK;
    result->node = node;
    result->opset = node->opset;
    result->n_in = node->n_in;
    result->n_out = node->n_out;
    result->in = in;
    result->in_const = in_const;
    result->out = out;
    result->kernels = &p->kernels;
    result->n_workers = p->n_workers;
    result->arena = arena;
    /* Only what depends on the graph's own constants may be shared by plans;
     * a constant that this plan's shapes made may not. */
    bool shared = true;
    for (int i = 0; i < node->n_in; i++)
        if (in_const[i] != NULL && in_const[i] != node->in[i]->constant)
            shared = false;
    tni_packing packing;
    tni_weights_begin(&packing, &p->weights, result, shared);
    result->exact = p->exact;
    result->bf16 = p->bf16;
    result->err = err;
    const tn_status status = node->ver->plan(result);
    tni_weights_end(&packing, result);
    if (status != TN_OK) tni_op_err_where(err, node);
    return status;
}

/* --- building ---------------------------------------------------------- */

typedef struct builder {
    tni_planner *p;
    tni_exec_plan *plan; /* NULL while a subgraph is only inferred */
    tni_arena *arena;    /* of the plan, or of the enclosing one */
    tni_arena *tmp;
    const tni_plan_scope *scope;
    tni_slot *slots;
    tn_err *err;
    const tni_type **in_types, **out_types;
    const tni_tensor **in_consts;
    const tni_tensor **known; /* of those, what inference may read */
    tni_type *outs;
} builder;

int tni_plan_slot(const tni_graph *graph, const tni_value *value)
{
    if (value->graph == graph) return value->id;
    for (int i = 0; i < graph->n_captures; i++)
        if (graph->captures[i] == value) return graph->n_values + i;
    return -1;
}

size_t tni_plan_bytes(const tni_type *t)
{
    int64_t len = 0;
    size_t size = 0;
    if (!tni_dims_len(&len, t->rank, t->dims) ||
        !tni_elems_size(&size, t->dtype, len))
        return SIZE_MAX / 2;
    return size;
}

int tni_plan_root(const tni_exec_plan *plan, int slot)
{
    while (plan->slots[slot].where == TNI_SLOT_ALIAS)
        slot = plan->slots[slot].index;
    return slot;
}

static const tni_slot *slot_of(const tni_plan_scope *scope,
                               const tni_value *value)
{
    for (; scope != NULL; scope = scope->outer) {
        const int i = tni_plan_slot(scope->graph, value);
        if (i >= 0) return &scope->slots[i];
    }
    return NULL;
}

static void gather_inputs(builder *b, const tni_node *node)
{
    static const tni_type unknown = {TN_KIND_NONE, TN_UNDEFINED, -1, {0}, NULL};
    for (int i = 0; i < node->n_in; i++) {
        b->in_types[i] = NULL;
        b->in_consts[i] = NULL;
        if (node->in[i] == NULL) continue;
        const tni_slot *s = slot_of(b->scope, node->in[i]);
        b->in_types[i] = s != NULL ? &s->type : &unknown;
        b->in_consts[i] = s != NULL ? s->constant : NULL;
    }
    /* No shape is in a weight that is too large to be plain. */
    for (int i = 0; i < node->n_in; i++)
        b->known[i] =
            b->in_consts[i] != NULL && tni_tensor_is_plain(b->in_consts[i])
                ? b->in_consts[i]
                : NULL;
}

static tn_status infer_node(builder *b, const tni_node *node)
{
    gather_inputs(b, node);
    memset(b->outs, 0, (size_t)node->n_out * sizeof *b->outs);
    for (int i = 0; i < node->n_out; i++) b->outs[i].rank = -1;
    tni_infer c = {
        .node = node,
        .opset = node->opset,
        .n_in = node->n_in,
        .n_out = node->n_out,
        .in = b->in_types,
        .in_const = b->known,
        .out = b->outs,
        .arena = b->arena,
        .graph = tni_plan_infer_graph,
        .host = (void *)(uintptr_t)b->scope,
        .err = b->err,
    };
    return tni_op_infer(&c);
}

static bool can_fold(const builder *b, const tni_node *node)
{
    const uint32_t traits = node->ver->traits;
    if ((traits & TNI_IMPURE) != 0 || node->n_captures != 0) return false;
    for (int i = 0; i < node->n_attrs; i++)
        if (node->attrs[i].kind == TNI_ATTR_GRAPH ||
            node->attrs[i].kind == TNI_ATTR_GRAPHS)
            return false;
    const bool shape_only = (traits & TNI_SHAPE_ONLY) != 0;
    for (int i = 0; i < node->n_in; i++) {
        if (b->in_types[i] == NULL || b->in_consts[i] != NULL) continue;
        if (shape_only && i == 0 && tni_type_is_static(b->in_types[0]))
            continue;
        return false;
    }
    for (int i = 0; i < node->n_out; i++) {
        int64_t len = 0;
        if (node->out[i] == NULL) continue;
        if (!tni_type_is_static(&b->outs[i])) {
            /* Data-shaped over small constants: fold to learn the shape. */
            if ((traits & TNI_DATA_SHAPED) == 0) return false;
            for (int k = 0; k < node->n_in; k++)
                if (b->in_consts[k] != NULL &&
                    b->in_consts[k]->len > FOLD_MAX_ELEMS)
                    return false;
            continue;
        }
        if (!tni_dims_len(&len, b->outs[i].rank, b->outs[i].dims) ||
            len > FOLD_MAX_ELEMS)
            return false;
    }
    return true;
}

/* Evaluates a node whose inputs are known; *done tells whether it worked. */
static tn_status fold_node(builder *b, const tni_node *node, bool *done)
{
    *done = false;
    const tni_tensor **in =
        TNI_NEW_ARRAY(b->arena, const tni_tensor *, node->n_in);
    tni_tensor **out = TNI_NEW_ARRAY(b->arena, tni_tensor *, node->n_out);
    if (in == NULL || out == NULL) return nomem(b->err);
    for (int i = 0; i < node->n_in; i++) {
        in[i] = b->known[i];
        if (in[i] != NULL || b->in_types[i] == NULL) continue;
        tni_tensor *t = TNI_NEW(b->arena, tni_tensor);
        if (t == NULL) return nomem(b->err);
        /* Raw, or only its shape is read (TNI_SHAPE_ONLY). */
        if (b->in_consts[i] != NULL)
            TN_TRY(tni_tensor_settle(t, b->in_consts[i], b->tmp, b->err));
        else if (!tni_tensor_set_shape(t, b->in_types[i]->dtype,
                                       b->in_types[i]->rank,
                                       b->in_types[i]->dims))
            return TN_OK;
        in[i] = t;
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] == NULL) continue;
        out[i] = TNI_NEW(b->arena, tni_tensor);
        if (out[i] == NULL) return nomem(b->err);
    }
    tni_ref c = {
        .node = node,
        .opset = node->opset,
        .n_in = node->n_in,
        .n_out = node->n_out,
        .in = in,
        .out = out,
        .out_arena = b->arena,
        .scratch = b->tmp,
        .max_trips = b->p->max_trips,
        .err = b->err,
    };
    /* Impossible constants are reported when, and if, the node is reached. */
    if (tni_op_ref(&c) != TN_OK) {
        tni_err_clear(b->err);
        return TN_OK;
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] == NULL) continue;
        tni_slot *s = &b->slots[node->out[i]->id];
        s->constant = out[i];
        s->where = TNI_SLOT_CONST;
        tni_type_of(&s->type, out[i]);
    }
    *done = true;
    return TN_OK;
}

static void init_slots(const tni_graph *graph, tni_slot *slots,
                       const tni_type *inputs, int n_inputs)
{
    for (int i = 0; i < graph->n_values; i++) {
        const tni_value *v = graph->values[i];
        slots[i].type.rank = -1;
        if (v->constant == NULL) continue;
        slots[i].constant = v->constant;
        slots[i].where = TNI_SLOT_CONST;
        slots[i].type = v->type;
        tni_type_of(&slots[i].type, v->constant);
    }
    int k = 0;
    for (int i = 0; i < graph->n_inputs; i++) {
        const tni_value *v = graph->inputs[i];
        if (v->constant != NULL) continue; /* an input with a default */
        if (k < n_inputs) {
            slots[v->id].type = inputs[k];
            slots[v->id].where = TNI_SLOT_INPUT;
            slots[v->id].index = k;
        }
        k++;
    }
}

static int max_args(const tni_graph *graph)
{
    int n = 1;
    for (int i = 0; i < graph->n_nodes; i++) {
        if (graph->nodes[i]->n_in > n) n = graph->nodes[i]->n_in;
        if (graph->nodes[i]->n_out > n) n = graph->nodes[i]->n_out;
    }
    return n;
}

static tn_status init_args(builder *b, const tni_graph *graph)
{
    const int n = max_args(graph);
    b->in_types = TNI_NEW_ARRAY(b->tmp, const tni_type *, n);
    b->out_types = TNI_NEW_ARRAY(b->tmp, const tni_type *, n);
    b->in_consts = TNI_NEW_ARRAY(b->tmp, const tni_tensor *, n);
    b->known = TNI_NEW_ARRAY(b->tmp, const tni_tensor *, n);
    b->outs = TNI_NEW_ARRAY(b->tmp, tni_type, n);
    return b->in_types == NULL || b->out_types == NULL ||
                   b->in_consts == NULL || b->known == NULL || b->outs == NULL
               ? nomem(b->err)
               : TN_OK;
}

tn_status tni_plan_infer_graph(tni_infer *c, const tni_graph *graph,
                               const tni_type *in, int n_in, tni_type *out)
{
    const tni_plan_scope *outer = c->host;
    for (int i = 0; i < graph->n_outputs; i++) {
        memset(&out[i], 0, sizeof out[i]);
        out[i].rank = -1;
    }
    if (outer->depth >= 32) return TN_OK;
    tni_slot *slots = TNI_NEW_ARRAY(outer->arena, tni_slot,
                                    graph->n_values + graph->n_captures);
    if (slots == NULL) return nomem(c->err);
    for (int i = 0; i < graph->n_captures; i++) {
        tni_slot *to = &slots[graph->n_values + i];
        const tni_slot *from = slot_of(outer, graph->captures[i]);
        to->type.rank = -1;
        if (from != NULL) *to = *from;
    }
    tni_plan_scope scope = {graph,          slots,        outer,
                            outer->planner, outer->arena, outer->depth + 1};
    init_slots(graph, slots, in, n_in);
    for (int i = 0; i < graph->n_captures; i++) {
        const tni_slot *from = slot_of(outer, graph->captures[i]);
        tni_slot *to = &slots[graph->n_values + i];
        to->type.rank = -1;
        if (from == NULL) continue;
        to->type = from->type;
        to->constant = from->constant;
    }
    tni_arena tmp;
    tni_arena_init(&tmp, outer->arena->mem, 1 << 12);
    tn_err local = {0};
    builder b = {.p = outer->planner,
                 .arena = outer->arena,
                 .tmp = &tmp,
                 .scope = &scope,
                 .slots = slots,
                 .err = &local};
    tn_status status = init_args(&b, graph);
    for (int i = 0; i < graph->n_nodes && status == TN_OK; i++) {
        const tni_node *node = graph->nodes[i];
        /* A branch that this shape never takes may not infer: its outputs
         * stay unknown, and it is judged when it is run. */
        if (infer_node(&b, node) != TN_OK) {
            memset(b.outs, 0, (size_t)node->n_out * sizeof *b.outs);
            for (int k = 0; k < node->n_out; k++) b.outs[k].rank = -1;
        }
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] != NULL) slots[node->out[k]->id].type = b.outs[k];
        bool done = false;
        if (can_fold(&b, node)) status = fold_node(&b, node, &done);
    }
    tni_arena_fini(&tmp);
    if (status != TN_OK) return nomem(c->err);
    for (int i = 0; i < graph->n_outputs; i++) {
        const tni_slot *s = slot_of(&scope, graph->outputs[i]);
        if (s != NULL) out[i] = s->type;
    }
    return TN_OK;
}

/* --- steps ------------------------------------------------------------- */

static bool inputs_static(const builder *b, const tni_node *node)
{
    for (int i = 0; i < node->n_in; i++)
        if (b->in_types[i] != NULL && !tni_type_is_static(b->in_types[i]))
            return false;
    return true;
}

/* True when the values that the node's subgraphs read are static too. */
static bool outputs_static(const builder *b, const tni_node *node)
{
    for (int i = 0; i < node->n_out; i++)
        if (node->out[i] != NULL && !tni_type_is_static(&b->outs[i]))
            return false;
    return true;
}

/* Makes the constant behind a slot, if there is one, fit to be read. */
static tn_status settle_slot(builder *b, int slot)
{
    tni_slot *s = &b->slots[tni_plan_root(b->plan, slot)];
    if (s->constant == NULL || s->read) return TN_OK;
    s->read = true;
    b->plan->weights_bytes += tn_tensor_size(s->constant);
    const tni_tensor *plain = NULL;
    TN_TRY(tni_weights_settle(&plain, &b->p->weights, s->constant, b->err));
    if (plain != s->constant) s->settled = plain;
    return TN_OK;
}

/* Settles what a step reads; `packed` has the inputs that it does not. */
static tn_status settle_inputs(builder *b, const tni_step *step,
                               uint32_t packed)
{
    const tni_node *node = step->node;
    for (int i = 0; i < step->n_in; i++) {
        const int slot = step->in[i];
        if (slot < 0) continue;
        if (i < 32 && (packed >> i & 1u) != 0 &&
            tni_plan_root(b->plan, slot) == slot)
            continue;
        TN_TRY(settle_slot(b, slot));
    }
    /* Subgraphs see to constants themselves, but not behind another name. */
    for (int i = 0; i < node->n_captures; i++) {
        const int slot = tni_plan_slot(b->plan->graph, node->captures[i]);
        if (slot >= 0 && tni_plan_root(b->plan, slot) != slot)
            TN_TRY(settle_slot(b, slot));
    }
    return TN_OK;
}

static tn_status add_step(builder *b, const tni_node *node)
{
    tni_exec_plan *plan = b->plan;
    tni_step *step = &plan->steps[plan->n_steps];
    memset(step, 0, sizeof *step);
    step->node = node;
    step->n_in = node->n_in;
    step->n_out = node->n_out;
    step->in = TNI_NEW_ARRAY(b->arena, int, node->n_in + 1);
    step->out = TNI_NEW_ARRAY(b->arena, int, node->n_out + 1);
    if (step->in == NULL || step->out == NULL) return nomem(b->err);
    for (int i = 0; i < node->n_in; i++)
        step->in[i] =
            node->in[i] != NULL ? tni_plan_slot(plan->graph, node->in[i]) : -1;
    for (int i = 0; i < node->n_out; i++)
        step->out[i] = node->out[i] != NULL ? node->out[i]->id : -1;
    step->dynamic = !inputs_static(b, node) || !outputs_static(b, node);
    uint32_t packed = 0;
    bool in_block = true; /* strings are not: only ref can make them */
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] == NULL) continue;
        tni_slot *s = &b->slots[node->out[i]->id];
        s->where = tni_type_is_static(&s->type) && s->type.dtype != TN_STRING
                       ? TNI_SLOT_BLOCK
                       : TNI_SLOT_HEAP;
        if (s->where == TNI_SLOT_HEAP) in_block = false;
    }
    if (!step->dynamic) {
        for (int i = 0; i < node->n_out; i++)
            b->out_types[i] =
                node->out[i] != NULL ? &b->slots[node->out[i]->id].type : NULL;
        tni_plan result = {0};
        if (in_block)
            TN_TRY(tni_plan_node(&result, b->p, node, b->in_types, b->in_consts,
                                 b->out_types, b->arena, b->err));
        step->run = result.run;
        step->state = result.state;
        packed = result.run != NULL ? result.packed : 0;
        step->in_bf16 = result.in_bf16;
        step->precision = result.precision;
        if (result.run != NULL && result.scratch_bytes > plan->scratch_bytes)
            plan->scratch_bytes = result.scratch_bytes;
    } else {
        plan->n_dynamic++;
    }
    if (step->run == NULL) plan->n_reference++;
    if (step->in_bf16) plan->n_bf16++;
    plan->n_steps++;
    return settle_inputs(b, step, packed);
}

/* What is known of a node where nothing is planned. */
static tni_plan outline(const builder *b, const tni_node *node)
{
    for (int i = 0; i < node->n_out; i++)
        b->out_types[i] = node->out[i] != NULL ? &b->outs[i] : NULL;
    return (tni_plan){.node = node,
                      .opset = node->opset,
                      .n_in = node->n_in,
                      .n_out = node->n_out,
                      .in = b->in_types,
                      .in_const = b->known,
                      .out = b->out_types};
}

/* A slice that holds so little of so much that its memory is better freed. */
static bool is_crumb(size_t size, size_t whole)
{
    enum { FEW = 1 << 16 };
    return whole > FEW && size < whole / 4;
}

/* Where output k lies in the memory of input 0, whole or cut from it. */
static bool lies_in(const builder *b, const tni_node *node, int k, int in,
                    size_t *offset)
{
    const tni_slot *from = &b->slots[in];
    *offset = 0;
    if (!tni_type_is_static(&b->outs[k]) ||
        b->outs[k].dtype != from->type.dtype)
        return false;
    if ((node->ver->traits & TNI_VIEW) != 0) return k == 0;
    const size_t size = tni_plan_bytes(&b->outs[k]);
    const size_t whole = tni_plan_bytes(&from->type);
    const tni_plan c = outline(b, node);
    /* So that no product of extents overflows where pieces are found. */
    if (whole == 0 || whole >= SIZE_MAX / 2) return false;
    return from->type.dtype != TN_STRING && !is_crumb(size, whole) &&
           node->ver->piece(&c, k, offset) && *offset % TNI_ALIGN == 0 &&
           *offset <= whole && size <= whole - *offset;
}

/* A reshape or a piece of something that has memory needs no step, only
 * names. */
static bool try_alias(builder *b, const tni_node *node)
{
    size_t offset = 0;
    if ((node->ver->traits & (TNI_VIEW | TNI_CUTS)) == 0 ||
        node->in[0] == NULL || b->p->keep_values)
        return false;
    const int in = tni_plan_slot(b->plan->graph, node->in[0]);
    if (in < 0 || !tni_type_is_static(&b->slots[in].type)) return false;
    const tni_slot_where where = b->slots[tni_plan_root(b->plan, in)].where;
    if (where == TNI_SLOT_HEAP || where == TNI_SLOT_NONE) return false;
    for (int k = 0; k < node->n_out; k++) {
        if (node->out[k] == NULL) continue;
        /* An output must not change when the caller changes an input. */
        if ((node->out[k]->is_output && where != TNI_SLOT_BLOCK) ||
            !lies_in(b, node, k, in, &offset))
            return false;
    }
    for (int k = 0; k < node->n_out; k++) {
        if (node->out[k] == NULL || !lies_in(b, node, k, in, &offset)) continue;
        tni_slot *s = &b->slots[node->out[k]->id];
        s->where = TNI_SLOT_ALIAS;
        s->index = in;
        s->offset = offset;
        b->plan->aliases[b->plan->n_aliases++] = node->out[k]->id;
    }
    return true;
}

static tn_status walk(builder *b)
{
    const tni_graph *graph = b->plan->graph;
    for (int i = 0; i < graph->n_nodes; i++) {
        const tni_node *node = graph->nodes[i];
        TN_TRY(infer_node(b, node));
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] != NULL)
                b->slots[node->out[k]->id].type = b->outs[k];
        bool done = false;
        if (can_fold(b, node)) TN_TRY(fold_node(b, node, &done));
        if (done || try_alias(b, node)) continue;
        TN_TRY(add_step(b, node));
    }
    for (int i = 0; i < graph->n_outputs; i++) {
        const int slot = tni_plan_slot(graph, graph->outputs[i]);
        if (slot >= 0) TN_TRY(settle_slot(b, slot));
    }
    for (int i = 0; i < b->plan->n_slots && b->p->keep_values; i++)
        TN_TRY(settle_slot(b, i));
    return TN_OK;
}

/* --- limits ------------------------------------------------------------ */

static tn_status check_limit(const builder *b)
{
    tni_exec_plan *plan = b->plan;
    size_t peak = 0;
    if (!tni_align_up(plan->block_bytes, TNI_ALIGN, &peak) ||
        !tni_add_size(peak, plan->scratch_bytes, &peak))
        return tni_fail(b->err, TN_ELIMIT, "the plan is too large to address");
    if (b->p->run_limit_bytes != 0 && peak > b->p->run_limit_bytes)
        return tni_fail(b->err, TN_ELIMIT,
                        "these input shapes need %zu bytes for activations, "
                        "the limit is %llu: raise run_limit_bytes or use a "
                        "smaller batch",
                        peak, (unsigned long long)b->p->run_limit_bytes);
    plan->peak_bytes = peak;
    return TN_OK;
}

static tn_status build(tni_exec_plan *plan, tni_planner *p,
                       const tni_type *inputs, int n_inputs,
                       const tni_type *captures, tni_arena *tmp, tn_err *err)
{
    const tni_graph *graph = plan->graph;
    plan->n_slots = graph->n_values + graph->n_captures;
    plan->slots = TNI_NEW_ARRAY(&plan->arena, tni_slot, plan->n_slots);
    plan->steps = TNI_NEW_ARRAY(&plan->arena, tni_step, graph->n_nodes);
    plan->aliases = TNI_NEW_ARRAY(&plan->arena, int, graph->n_values + 1);
    if (plan->slots == NULL || plan->steps == NULL || plan->aliases == NULL)
        return nomem(err);
    init_slots(graph, plan->slots, inputs, n_inputs);
    for (int i = 0; i < graph->n_captures; i++) {
        tni_slot *s = &plan->slots[graph->n_values + i];
        s->type = captures[i];
        s->where = TNI_SLOT_CAPTURE;
        s->index = i;
        if (graph->captures[i]->constant != NULL) {
            s->constant = graph->captures[i]->constant;
            s->where = TNI_SLOT_CONST;
        }
    }
    const tni_plan_scope scope = {graph, plan->slots, NULL, p, &plan->arena, 0};
    builder b = {.p = p,
                 .plan = plan,
                 .arena = &plan->arena,
                 .tmp = tmp,
                 .scope = &scope,
                 .slots = plan->slots,
                 .err = err};
    TN_TRY(init_args(&b, graph));
    TN_TRY(walk(&b));
    TN_TRY(tni_plan_place(plan, p->keep_values, tmp, err));
    return check_limit(&b);
}

/* --- cache ------------------------------------------------------------- */

static size_t key_size(const tni_type *t)
{
    return 3 + (t->rank > 0 ? (size_t)t->rank : 0);
}

static int64_t *key_put(int64_t *k, const tni_type *t)
{
    *k++ = (int64_t)t->kind;
    *k++ = (int64_t)t->dtype;
    *k++ = t->rank;
    for (int i = 0; i < t->rank; i++) *k++ = t->dims[i];
    return k;
}

static tni_exec_plan *find_plan(tni_planner *p, const tni_graph *graph,
                                const int64_t *key, size_t key_len)
{
    tni_exec_plan **link = &p->plans;
    for (tni_exec_plan *e = p->plans; e != NULL; link = &e->next, e = e->next) {
        if (e->graph != graph || e->key_len != key_len ||
            memcmp(e->key, key, key_len * sizeof *key) != 0)
            continue;
        *link = e->next; /* to the front */
        e->next = p->plans;
        p->plans = e;
        return e;
    }
    return NULL;
}

/* Frees the least recently used plans nobody runs while over the limit. */
static void trim(tni_planner *p)
{
    while (p->plan_bytes > p->cache_limit_bytes) {
        tni_exec_plan **victim = NULL;
        for (tni_exec_plan **link = &p->plans; *link != NULL;
             link = &(*link)->next)
            if ((*link)->refs == 0) victim = link;
        if (victim == NULL) return;
        tni_exec_plan *plan = *victim;
        *victim = plan->next;
        p->plan_bytes -= plan->bytes;
        free_plan(p, plan);
    }
}

static tn_status make_plan(tni_exec_plan **out, tni_planner *p,
                           const tni_graph *graph, const tni_type *inputs,
                           int n_inputs, const tni_type *captures,
                           const int64_t *key, size_t key_len, tni_arena *tmp,
                           tn_err *err)
{
    tni_exec_plan *plan =
        tni_mem_alloc(p->mem, sizeof *plan, _Alignof(tni_exec_plan));
    if (plan == NULL) return nomem(err);
    memset(plan, 0, sizeof *plan);
    tni_arena_init(&plan->arena, p->mem, 1 << 14);
    plan->graph = graph;
    plan->key_len = key_len;
    plan->key = TNI_NEW_ARRAY(&plan->arena, int64_t, key_len);
    tn_status status = TN_OK;
    if (plan->key == NULL)
        status = nomem(err);
    else
        memcpy(plan->key, key, key_len * sizeof *key);
    if (status == TN_OK)
        status = build(plan, p, inputs, n_inputs, captures, tmp, err);
    if (status != TN_OK) {
        free_plan(p, plan);
        return status;
    }
    plan->bytes = sizeof *plan;
    for (tni_arena_chunk *c = plan->arena.first; c != NULL; c = c->next)
        plan->bytes += c->size;
    plan->next = p->plans;
    p->plans = plan;
    p->plan_bytes += plan->bytes;
    *out = plan;
    return TN_OK;
}

tn_status tni_plan_acquire(tni_exec_plan **out, tni_planner *p,
                           const tni_graph *graph, const tni_type *inputs,
                           int n_inputs, const tni_type *captures, tn_err *err)
{
    *out = NULL;
    tni_arena tmp;
    tni_arena_init(&tmp, p->mem, 1 << 12);
    size_t key_len = 0;
    for (int i = 0; i < n_inputs; i++) key_len += key_size(&inputs[i]);
    for (int i = 0; i < graph->n_captures; i++)
        key_len += key_size(&captures[i]);
    int64_t *key = TNI_NEW_ARRAY(&tmp, int64_t, key_len + 1);
    if (key == NULL) {
        tni_arena_fini(&tmp);
        return nomem(err);
    }
    int64_t *k = key;
    for (int i = 0; i < n_inputs; i++) k = key_put(k, &inputs[i]);
    for (int i = 0; i < graph->n_captures; i++) k = key_put(k, &captures[i]);
    tni_mutex_lock(p->lock);
    tn_status status = TN_OK;
    tni_exec_plan *plan = find_plan(p, graph, key, key_len);
    if (plan == NULL) {
        status = make_plan(&plan, p, graph, inputs, n_inputs, captures, key,
                           key_len, &tmp, err);
        tni_weights_rest(&p->weights);
    }
    if (status == TN_OK && TN_ALWAYS(plan != NULL)) {
        plan->refs++;
        trim(p);
        *out = plan;
    }
    tni_mutex_unlock(p->lock);
    tni_arena_fini(&tmp);
    return status;
}

void tni_plan_release(tni_planner *p, tni_exec_plan *plan)
{
    if (plan == NULL) return;
    tni_mutex_lock(p->lock);
    plan->refs--;
    trim(p);
    tni_mutex_unlock(p->lock);
}
