/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c - execute a plan */
#include "exec/frame.h"

#include "sys/clock.h"

#include <string.h>

static tni_arena *scratch_of(tni_executor *ex)
{
    return &ex->scratch[ex->depth];
}

static tn_status nomem(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory during a run");
}

/* --- setting up -------------------------------------------------------- */

static tn_status init_runs(tni_frame *f, tni_executor *ex, tni_arena *arena,
                           tn_err *err)
{
    const tni_exec_plan *plan = f->plan;
    for (int i = 0; i < plan->n_steps; i++) {
        const tni_step *step = &plan->steps[i];
        tni_run *run = &f->runs[i];
        const tni_tensor **in =
            TNI_NEW_ARRAY(arena, const tni_tensor *, step->n_in + 1);
        tni_tensor **out = TNI_NEW_ARRAY(arena, tni_tensor *, step->n_out + 1);
        if (in == NULL || out == NULL) return nomem(err);
        for (int k = 0; k < step->n_in; k++)
            in[k] = step->in[k] >= 0 ? &f->slots[step->in[k]] : NULL;
        for (int k = 0; k < step->n_out; k++)
            out[k] = step->out[k] >= 0 ? &f->slots[step->out[k]] : NULL;
        run->state = step->state;
        run->in = in;
        run->out = out;
        run->scratch = f->scratch;
        run->par = ex->par;
        run->fault = &ex->fault;
    }
    return TN_OK;
}

/* Memory of activations and scratch. */
static tn_status take_memory(tni_frame *f, const tni_executor *ex,
                             tni_arena *arena, tn_err *err)
{
    const tni_exec_plan *plan = f->plan;
    if (f->outer == NULL && ex->memory != NULL) {
        if (plan->peak_bytes > ex->memory_bytes)
            return tni_fail(err, TN_ELIMIT,
                            "these input shapes need %zu bytes of memory, %zu "
                            "were given to the run",
                            plan->peak_bytes, ex->memory_bytes);
        f->block = ex->memory;
        f->scratch = ex->memory + (plan->peak_bytes - plan->scratch_bytes);
        return TN_OK;
    }
    f->block = tni_arena_alloc(arena, plan->block_bytes, TNI_ALIGN);
    f->scratch = tni_arena_alloc(arena, plan->scratch_bytes, TNI_ALIGN);
    return f->block != NULL && f->scratch != NULL ? TN_OK : nomem(err);
}

tn_status tni_frame_init(tni_frame *f, tni_exec_plan *plan, tni_executor *ex,
                         const tni_frame *outer, tni_arena *arena, tn_err *err)
{
    memset(f, 0, sizeof *f);
    f->plan = plan;
    f->outer = outer;
    f->slots = TNI_NEW_ARRAY(arena, tni_tensor, plan->n_slots);
    f->runs = TNI_NEW_ARRAY(arena, tni_run, plan->n_steps);
    if (f->slots == NULL || f->runs == NULL) return nomem(err);
    TN_TRY(take_memory(f, ex, arena, err));
    for (int i = 0; i < plan->n_slots; i++) {
        const tni_slot *s = &plan->slots[i];
        tni_tensor *t = &f->slots[i];
        if (s->where == TNI_SLOT_CONST) {
            *t = s->settled != NULL ? *s->settled : *s->constant;
            t->owner = NULL;
        } else if (s->where == TNI_SLOT_BLOCK || s->where == TNI_SLOT_ALIAS) {
            if (!tni_tensor_set_shape(t, s->type.dtype, s->type.rank,
                                      s->type.dims))
                return tni_fail(err, TN_EINTERNAL, "a planned shape overflows");
            if (s->where == TNI_SLOT_BLOCK) t->data = f->block + s->offset;
        }
    }
    return init_runs(f, ex, arena, err);
}

static const tni_tensor *find_outer(const tni_frame *f, const tni_value *value)
{
    for (; f != NULL; f = f->outer) {
        const int i = tni_plan_slot(f->plan->graph, value);
        if (i >= 0) return &f->slots[i];
    }
    return NULL;
}

/* Points input, captured and reshaped values at their memory. */
static tn_status bind_values(tni_frame *f, const tni_tensor *const *inputs,
                             tn_err *err)
{
    const tni_exec_plan *plan = f->plan;
    for (int i = 0; i < plan->n_slots; i++) {
        const tni_slot *s = &plan->slots[i];
        if (s->where == TNI_SLOT_INPUT) {
            f->slots[i] = *inputs[s->index];
            f->slots[i].owner = NULL;
        } else if (s->where == TNI_SLOT_CAPTURE) {
            const tni_tensor *t =
                find_outer(f->outer, plan->graph->captures[s->index]);
            if (TN_NEVER(t == NULL))
                return tni_fail(err, TN_EINTERNAL, "a captured value is lost");
            f->slots[i] = *t;
        }
    }
    for (int i = 0; i < plan->n_aliases; i++) {
        const int slot = plan->aliases[i];
        const tni_slot *s = &plan->slots[slot];
        char *whole = f->slots[s->index].data;
        f->slots[slot].data = s->offset != 0 ? whole + s->offset : whole;
    }
    return TN_OK;
}

/* --- subgraphs --------------------------------------------------------- */

typedef struct call_host {
    tni_executor *ex;
    const tni_frame *frame;
    tni_arena *heap;
} call_host;

static tn_status call_planned(tni_ref *c, const call_host *host,
                              tni_exec_plan *plan,
                              const tni_tensor *const *in, tni_tensor *out,
                              int n_out, tni_arena *arena)
{
    tni_frame f;
    TN_TRY(tni_frame_init(&f, plan, host->ex, host->frame, arena, c->err));
    TN_TRY(tni_frame_exec(&f, host->ex, in, arena, NULL, NULL, c->err));
    for (int i = 0; i < n_out; i++) out[i] = *tni_frame_output(&f, i);
    return TN_OK;
}

static tn_status call_graph(tni_ref *c, const tni_graph *graph,
                            const tni_tensor *const *in, int n_in,
                            tni_tensor *out, int n_out, tni_arena *arena)
{
    const call_host *host = c->host;
    tni_executor *ex = host->ex;
    if (n_out != graph->n_outputs)
        return tni_fail(c->err, TN_EFORMAT,
                        "the subgraph has %d outputs, expected %d",
                        graph->n_outputs, n_out);
    if (ex->depth >= TNI_MAX_DEPTH)
        return tni_fail(c->err, TN_ELIMIT, "subgraphs nest deeper than %d",
                        (int)TNI_MAX_DEPTH);
    const tni_arena_mark mark = tni_arena_save(scratch_of(ex));
    tni_type *types =
        TNI_NEW_ARRAY(scratch_of(ex), tni_type, n_in + graph->n_captures + 1);
    if (types == NULL) return nomem(c->err);
    for (int i = 0; i < n_in; i++) tni_type_of(&types[i], in[i]);
    for (int i = 0; i < graph->n_captures; i++) {
        const tni_tensor *t = find_outer(host->frame, graph->captures[i]);
        if (TN_NEVER(t == NULL))
            return tni_fail(c->err, TN_EINTERNAL, "a captured value is lost");
        tni_type_of(&types[n_in + i], t);
    }
    tni_exec_plan *plan = NULL;
    tn_status status = tni_plan_acquire(&plan, ex->planner, graph, types, n_in,
                                        types + n_in, c->err);
    tni_arena_rewind(scratch_of(ex), mark);
    if (status != TN_OK) return status;
    ex->depth++;
    status = call_planned(c, host, plan, in, out, n_out, arena);
    ex->depth--;
    if (status == TN_OK) {
        /* Constants that this plan folded must outlive it. */
        for (int i = 0; i < n_out && status == TN_OK; i++) {
            const int slot =
                tni_plan_root(plan, tni_plan_slot(graph, graph->outputs[i]));
            if (plan->slots[slot].where == TNI_SLOT_CONST) {
                const tni_tensor kept = out[i];
                memset(&out[i], 0, sizeof out[i]);
                status = tni_tensor_copy(&out[i], &kept, arena, c->err);
            }
        }
    }
    tni_plan_release(ex->planner, plan);
    return status;
}

/* --- steps ------------------------------------------------------------- */

static tn_status exec_ref(const tni_frame *f, tni_executor *ex,
                          const tni_step *step, const tni_run *run,
                          tni_arena *heap, tn_err *err)
{
    call_host host = {ex, f, heap};
    tni_ref c = {
        .node = step->node,
        .opset = step->node->opset,
        .n_in = step->n_in,
        .n_out = step->n_out,
        .in = run->in,
        .out = run->out,
        .out_arena = heap,
        .scratch = scratch_of(ex),
        .par = ex->par,
        .call = call_graph,
        .host = &host,
        .seed = ex->planner->seed + (uint64_t)step->node->index * 0x9e3779b9u,
        .max_trips = ex->planner->max_trips,
        .err = err,
    };
    return tni_op_ref(&c);
}

/* The type of a value in hand; containers keep the declared item type. */
static void actual_type(tni_type *t, const tni_slot *slot,
                        const tni_tensor *value)
{
    if (value->kind != TN_KIND_TENSOR && slot->type.kind == value->kind)
        *t = slot->type;
    else
        tni_type_of(t, value);
}

typedef struct dynamic_args {
    const tni_type **in_types;
    const tni_type **out_types;
    const tni_tensor **constants;
    tni_type *outs;
    bool planned_ok; /* every output has memory */
} dynamic_args;

static tn_status infer_dynamic(dynamic_args *a, const tni_frame *f,
                               tni_executor *ex, const tni_step *step,
                               const tni_run *run, tn_err *err)
{
    tni_arena *tmp = scratch_of(ex);
    const int n_in = step->n_in, n_out = step->n_out;
    tni_type *types = TNI_NEW_ARRAY(tmp, tni_type, n_in + 1);
    a->in_types = TNI_NEW_ARRAY(tmp, const tni_type *, n_in + 1);
    a->out_types = TNI_NEW_ARRAY(tmp, const tni_type *, n_out + 1);
    a->constants = TNI_NEW_ARRAY(tmp, const tni_tensor *, n_in + 1);
    const tni_tensor **values =
        TNI_NEW_ARRAY(tmp, const tni_tensor *, n_in + 1);
    a->outs = TNI_NEW_ARRAY(tmp, tni_type, n_out + 1);
    if (types == NULL || a->in_types == NULL || a->out_types == NULL ||
        a->constants == NULL || values == NULL || a->outs == NULL)
        return nomem(err);
    for (int i = 0; i < n_in; i++) {
        if (run->in[i] == NULL) continue;
        const tni_slot *slot = &f->plan->slots[step->in[i]];
        actual_type(&types[i], slot, run->in[i]);
        a->in_types[i] = &types[i];
        values[i] = run->in[i]->kind == TN_KIND_TENSOR ? run->in[i] : NULL;
        a->constants[i] = slot->constant;
    }
    for (int i = 0; i < n_out; i++) a->outs[i].rank = -1;
    const tni_plan_scope scope = {f->plan->graph, f->plan->slots, NULL,
                                  ex->planner,    tmp,            0};
    tni_infer c = {
        .node = step->node,
        .opset = step->node->opset,
        .n_in = n_in,
        .n_out = n_out,
        .in = a->in_types,
        .in_const = values,
        .out = a->outs,
        .arena = tmp,
        .graph = tni_plan_infer_graph,
        .host = (void *)(uintptr_t)&scope,
        .err = err,
    };
    return tni_op_infer(&c);
}

/* Gives outputs of known shape their memory. */
static tn_status alloc_outputs(dynamic_args *a, const tni_frame *f,
                               const tni_step *step, const tni_run *run,
                               tni_arena *heap, tn_err *err)
{
    a->planned_ok = true;
    for (int i = 0; i < step->n_out; i++) {
        tni_tensor *t = run->out[i];
        if (t == NULL) continue;
        a->out_types[i] = &a->outs[i];
        const tni_slot *slot = &f->plan->slots[step->out[i]];
        if (slot->where == TNI_SLOT_BLOCK) continue; /* shape is settled */
        memset(t, 0, sizeof *t);
        const tni_type *type = &a->outs[i];
        if (!tni_type_is_static(type) || type->dtype == TN_STRING) {
            a->planned_ok = false;
            continue;
        }
        TN_TRY(tni_tensor_alloc(t, heap, type->dtype, type->rank, type->dims,
                                err));
    }
    return TN_OK;
}

static bool view_dynamic(const dynamic_args *a, const tni_frame *f,
                         const tni_step *step, const tni_run *run)
{
    if ((step->node->ver->traits & TNI_VIEW) == 0 || run->out[0] == NULL ||
        run->in[0] == NULL || step->node->out[0]->is_output ||
        f->plan->slots[step->out[0]].where != TNI_SLOT_HEAP ||
        !tni_type_is_static(&a->outs[0]) ||
        a->outs[0].dtype != run->in[0]->dtype)
        return false;
    for (int i = 1; i < step->n_out; i++)
        if (run->out[i] != NULL) return false;
    tni_tensor *t = run->out[0];
    memset(t, 0, sizeof *t);
    if (!tni_tensor_set_shape(t, a->outs[0].dtype, a->outs[0].rank,
                              a->outs[0].dims))
        return false;
    t->data = run->in[0]->data;
    return true;
}

static tn_status exec_dynamic(const tni_frame *f, tni_executor *ex,
                              const tni_step *step, const tni_run *run,
                              tni_arena *heap, tn_err *err)
{
    dynamic_args a = {0};
    TN_TRY(infer_dynamic(&a, f, ex, step, run, err));
    if (view_dynamic(&a, f, step, run)) return TN_OK;
    TN_TRY(alloc_outputs(&a, f, step, run, heap, err));
    if (a.planned_ok && step->node->ver->plan != NULL) {
        tni_plan result;
        tni_mutex_lock(ex->planner->lock);
        const tn_status status =
            tni_plan_node(&result, ex->planner, step->node, a.in_types,
                          a.constants, a.out_types, scratch_of(ex), err);
        tni_weights_rest(&ex->planner->weights);
        tni_mutex_unlock(ex->planner->lock);
        TN_TRY(status);
        if (result.run != NULL) {
            tni_run local = *run;
            local.state = result.state;
            local.scratch = tni_arena_alloc(scratch_of(ex), result.scratch_bytes,
                                            TNI_ALIGN);
            if (local.scratch == NULL) return nomem(err);
            result.run(&local);
            return TN_OK;
        }
    }
    return exec_ref(f, ex, step, run, heap, err);
}

/* Outputs without a place in the block start without memory. */
static void clear_heap_outputs(const tni_frame *f, const tni_step *step,
                               const tni_run *run)
{
    for (int k = 0; k < step->n_out; k++)
        if (run->out[k] != NULL &&
            f->plan->slots[step->out[k]].where == TNI_SLOT_HEAP)
            memset(run->out[k], 0, sizeof *run->out[k]);
}

static tn_status exec_step(const tni_frame *f, tni_executor *ex, int i,
                           tni_arena *heap, tn_err *err)
{
    const tni_step *step = &f->plan->steps[i];
    const tni_run *run = &f->runs[i];
    if (TN_LIKELY(step->run != NULL)) {
        step->run(run);
    } else if (step->dynamic) {
        const tni_arena_mark mark = tni_arena_save(scratch_of(ex));
        clear_heap_outputs(f, step, run);
        const tn_status status = exec_dynamic(f, ex, step, run, heap, err);
        tni_arena_rewind(scratch_of(ex), mark);
        TN_TRY(status);
    } else {
        clear_heap_outputs(f, step, run);
        TN_TRY(exec_ref(f, ex, step, run, heap, err));
    }
    const char *fault =
        atomic_load_explicit(&ex->fault.message, memory_order_relaxed);
    if (TN_UNLIKELY(fault != NULL)) {
        atomic_store_explicit(&ex->fault.message, NULL, memory_order_relaxed);
        (void)tni_fail(err, TN_EINVAL, "%s", fault);
        tni_op_err_where(err, step->node);
        return TN_EINVAL;
    }
    return TN_OK;
}

tn_status tni_frame_exec(tni_frame *f, tni_executor *ex,
                         const tni_tensor *const *inputs, tni_arena *heap,
                         tni_frame_observer observer, void *observer_ctx,
                         tn_err *err)
{
    TN_TRY(bind_values(f, inputs, err));
    const int n = f->plan->n_steps;
    for (int i = 0; i < n; i++) {
        if (TN_UNLIKELY(atomic_load_explicit(&ex->cancel,
                                             memory_order_relaxed)))
            return tni_fail(err, TN_ECANCELED, "the run was canceled");
        if (observer == NULL) {
            TN_TRY(exec_step(f, ex, i, heap, err));
        } else {
            const uint64_t start = tni_clock_ns();
            TN_TRY(exec_step(f, ex, i, heap, err));
            observer(observer_ctx, i, tni_clock_ns() - start);
        }
    }
    return TN_OK;
}

const tni_tensor *tni_frame_output(const tni_frame *f, int i)
{
    const int slot =
        tni_plan_slot(f->plan->graph, f->plan->graph->outputs[i]);
    return &f->slots[TN_ALWAYS(slot >= 0) ? slot : 0];
}
