/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - the public session and run context */
#include "tenon/session.h"

#include "base/checked.h"
#include "exec/frame.h"
#include "exec/profile.h"
#include "graph/clone.h"
#include "onnx/model.h"
#include "passes/pass.h"
#include "sys/threadpool.h"
#include "tensor/raw.h"

#include <stdio.h>
#include <string.h>

struct tn_session {
    tni_mem mem;
    tni_arena arena; /* the optimised graph */
    const tn_model *model;
    tni_graph *graph;
    tni_threadpool *pool;
    tni_planner planner;
    tn_logger logger;
    uint32_t flags;
    int n_threads;
    size_t dropped_bytes; /* packed when the mapping was last let go */
};

struct tn_run {
    tn_session *session;
    tni_mem mem;
    tni_arena frame_arena; /* the frame of the current plan */
    tni_arena heap;        /* values whose shapes depend on values */
    tni_executor ex;
    tni_frame frame;
    tni_exec_plan *plan;      /* of the frame; NULL: none yet */
    const tn_tensor **inputs; /* bound values */
    tni_type *types;          /* of the bound values */
    int n_inputs;
    bool done; /* outputs are valid */
    tni_profile profile;
};

/* --- session ----------------------------------------------------------- */

static tn_status check_supported(const tni_graph *graph, int depth, tn_err *err)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        const tni_node *node = graph->nodes[i];
        if (node->ver == NULL) {
            (void)tni_fail(err, TN_EUNSUPPORTED,
                           "operator %s%s%s at opset %d is not supported",
                           node->domain, node->domain[0] != '\0' ? "." : "",
                           node->op_type, node->opset);
            tni_op_err_where(err, node);
            return TN_EUNSUPPORTED;
        }
        for (int k = 0; k < node->n_attrs && depth < 64; k++) {
            const tni_attr *a = &node->attrs[k];
            if (a->kind == TNI_ATTR_GRAPH)
                TN_TRY(check_supported(a->v.graph, depth + 1, err));
            if (a->kind == TNI_ATTR_GRAPHS)
                for (size_t j = 0; j < a->n; j++)
                    TN_TRY(check_supported(a->v.graphs[j], depth + 1, err));
        }
    }
    return TN_OK;
}

/* Weights that were packed need not stay resident in the file's mapping too;
 * what is read again comes back from the page cache. */
static void drop_part(void *ctx, const void *bytes, size_t size)
{
    const tn_session *s = ctx;
    tni_file_map_drop_part(&s->model->file, bytes, size);
    for (int i = 0; i < s->model->n_external; i++)
        tni_file_map_drop_part(&s->model->external[i], bytes, size);
}

static tn_status build_session(tn_session *s, const tn_session_opts *o,
                               tn_err *err)
{
    const bool keep = (o->flags & TN_SESSION_KEEP_VALUES) != 0;
    TN_TRY(tni_graph_clone(&s->graph, s->model->graph, &s->arena, err));
    TN_TRY(check_supported(s->graph, 0, err));
    if ((o->flags & TN_SESSION_NO_OPTIMIZE) == 0 && !keep)
        TN_TRY(tni_passes_run(s->graph, (o->flags & TN_SESSION_EXACT) != 0,
                              err));
    TN_TRY(tni_threadpool_new(&s->pool, o->n_threads, &s->mem, err));
    tni_planner *p = &s->planner;
    TN_TRY(tni_planner_init(p, &s->mem, err));
    p->weights.drop = drop_part;
    p->weights.drop_ctx = s;
    tni_kernels_init(&p->kernels, o->isa_mask);
    s->n_threads = tni_par_workers(tni_threadpool_par(s->pool));
    p->n_workers = s->n_threads;
    p->reference = (o->flags & TN_SESSION_REFERENCE) != 0;
    p->keep_values = keep;
    p->exact = (o->flags & TN_SESSION_EXACT) != 0;
    p->bf16 = (o->flags & TN_SESSION_BF16) != 0;
    p->seed = o->seed;
    p->run_limit_bytes = o->run_limit_bytes;
    p->max_trips = s->model->limits.max_loop_trips;
    if (o->limits != NULL && o->limits->max_loop_trips != 0)
        p->max_trips = o->limits->max_loop_trips;
    if (p->max_trips == 0) p->max_trips = UINT64_C(1) << 32;
    p->cache_limit_bytes = o->plan_cache_bytes != 0
                               ? (size_t)o->plan_cache_bytes
                               : (size_t)256 << 20;
    return TN_OK;
}

tn_status tn_session_new(tn_session **out, const tn_model *model,
                         const tn_session_opts *opts, tn_err *err)
{
    tni_err_clear(err);
    *out = NULL;
    tn_session_opts o = TN_SESSION_OPTS_INIT;
    if (opts != NULL) {
        const size_t n =
            opts->struct_size < sizeof o ? opts->struct_size : sizeof o;
        memcpy(&o, opts, n);
    }
    if (o.n_threads < 0 || o.n_threads > 4096)
        return tni_fail(err, TN_EINVAL, "n_threads is %d, expected 0 to 4096",
                        o.n_threads);
    if ((o.flags & TN_SESSION_EXACT) != 0 && (o.flags & TN_SESSION_BF16) != 0)
        return tni_fail(err, TN_EINVAL, "bfloat16 is not exact: choose one");
    tni_mem first;
    tni_mem_init(&first, o.allocator, 0);
    tn_session *s = tni_mem_alloc(&first, sizeof *s, _Alignof(tn_session));
    if (s == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(s, 0, sizeof *s);
    size_t limit = 0;
    if (o.limits != NULL) limit = (size_t)o.limits->max_total_bytes;
    tni_mem_init(&s->mem, o.allocator, limit);
    tni_arena_init(&s->arena, &s->mem, 1 << 16);
    s->model = model;
    s->flags = o.flags;
    if (o.logger != NULL) s->logger = *o.logger;
    const tn_status status = build_session(s, &o, err);
    if (status != TN_OK) {
        tn_session_free(s);
        return status;
    }
    *out = s;
    return TN_OK;
}

void tn_session_free(tn_session *s)
{
    if (s == NULL) return;
    if (s->planner.mem != NULL) tni_planner_fini(&s->planner);
    tni_threadpool_free(s->pool);
    tni_arena_fini(&s->arena);
    tni_mem last;
    tni_mem_init(&last, &s->mem.allocator, 0);
    tni_mem_free(&last, s, sizeof *s, _Alignof(tn_session));
}

/* --- run context ------------------------------------------------------- */

static tn_status init_run(tn_run *r, tn_err *err)
{
    tn_session *s = r->session;
    r->n_inputs = s->model->n_inputs;
    const size_t n = (size_t)r->n_inputs + 1;
    r->inputs = tni_mem_alloc(&r->mem, n * sizeof *r->inputs, 8);
    r->types = tni_mem_alloc(&r->mem, n * sizeof *r->types, 8);
    if (r->inputs == NULL || r->types == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(r->inputs, 0, n * sizeof *r->inputs);
    memset(r->types, 0, n * sizeof *r->types);
    tni_profile_init(&r->profile, &r->mem);
    r->ex.planner = &s->planner;
    r->ex.par = tni_threadpool_par(s->pool);
    for (int i = 0; i <= TNI_MAX_DEPTH; i++)
        tni_arena_init(&r->ex.scratch[i], &r->mem, 1 << 14);
    atomic_init(&r->ex.cancel, false);
    atomic_init(&r->ex.fault.message, NULL);
    return TN_OK;
}

tn_status tn_run_new(tn_run **out, tn_session *session, tn_err *err)
{
    tni_err_clear(err);
    *out = NULL;
    tn_run *r =
        tni_mem_alloc(&session->mem, sizeof *r, _Alignof(tn_run));
    if (r == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(r, 0, sizeof *r);
    r->session = session;
    tni_mem_init(&r->mem, &session->mem.allocator,
                 (size_t)session->planner.run_limit_bytes);
    tni_arena_init(&r->frame_arena, &r->mem, 1 << 12);
    tni_arena_init(&r->heap, &r->mem, 1 << 12);
    const tn_status status = init_run(r, err);
    if (status != TN_OK) {
        tn_run_free(r);
        return status;
    }
    *out = r;
    return TN_OK;
}

void tn_run_free(tn_run *r)
{
    if (r == NULL) return;
    tni_plan_release(&r->session->planner, r->plan);
    const size_t n = (size_t)r->n_inputs + 1;
    if (r->inputs != NULL)
        tni_mem_free(&r->mem, r->inputs, n * sizeof *r->inputs, 8);
    if (r->types != NULL)
        tni_mem_free(&r->mem, r->types, n * sizeof *r->types, 8);
    tni_profile_fini(&r->profile);
    for (int i = 0; r->ex.planner != NULL && i <= TNI_MAX_DEPTH; i++)
        tni_arena_fini(&r->ex.scratch[i]);
    tni_arena_fini(&r->heap);
    tni_arena_fini(&r->frame_arena);
    tni_mem_free(&r->session->mem, r, sizeof *r, _Alignof(tn_run));
}

static tn_status check_tensor_input(const tn_run *r, const tni_value *v,
                                    const tn_tensor *value, tn_err *err)
{
    const tni_type *want = &v->type;
    char a[160], b[160];
    tni_type got;
    tni_type_of(&got, value);
    if (want->dtype != TN_UNDEFINED && want->dtype != value->dtype)
        return tni_fail(err, TN_EINVAL,
                        "input '%.60s' is %s, expected %s: convert it first",
                        v->name, tni_type_format(a, sizeof a, &got),
                        tni_type_format(b, sizeof b, want));
    if (want->rank < 0) return TN_OK;
    bool bad = want->rank != value->rank;
    for (int i = 0; i < want->rank && !bad; i++)
        bad = want->dims[i] >= 0 && want->dims[i] != value->dims[i];
    if (bad)
        return tni_fail(err, TN_EINVAL, "input '%.60s' is %s, expected %s",
                        v->name, tni_type_format(a, sizeof a, &got),
                        tni_type_format(b, sizeof b, want));
    (void)r;
    return TN_OK;
}

tn_status tn_run_set_input(tn_run *r, size_t i, const tn_tensor *value,
                           tn_err *err)
{
    tni_err_clear(err);
    if (i >= (size_t)r->n_inputs)
        return tni_fail(err, TN_EINVAL, "input %zu does not exist: the model "
                        "has %d", i, r->n_inputs);
    const tni_value *v = r->session->model->inputs[i];
    if (value == NULL)
        return tni_fail(err, TN_EINVAL, "input '%.60s' is NULL", v->name);
    if (v->type.kind != TN_KIND_NONE && v->type.kind != value->kind) {
        char a[160], b[160];
        tni_type got;
        tni_type_of(&got, value);
        return tni_fail(err, TN_EINVAL, "input '%.60s' is %s, expected %s",
                        v->name, tni_type_format(a, sizeof a, &got),
                        tni_type_format(b, sizeof b, &v->type));
    }
    if (value->kind == TN_KIND_TENSOR)
        TN_TRY(check_tensor_input(r, v, value, err));
    r->inputs[i] = value;
    return TN_OK;
}

static bool same_type(const tni_type *a, const tni_type *b)
{
    return a->kind == b->kind && a->dtype == b->dtype && a->rank == b->rank &&
           (a->rank <= 0 || memcmp(a->dims, b->dims,
                                   (size_t)a->rank * sizeof a->dims[0]) == 0);
}

/* The same for all that planning read, parts too small to be let go one by one
 * included. */
static void drop_weights(tn_session *s)
{
    size_t packed = 0;
    tni_mutex_lock(s->planner.lock);
    packed = s->planner.weights.packed_bytes;
    const bool more = packed > s->dropped_bytes;
    s->dropped_bytes = packed;
    tni_mutex_unlock(s->planner.lock);
    if (!more) return;
    tni_file_map_drop(&s->model->file);
    for (int i = 0; i < s->model->n_external; i++)
        tni_file_map_drop(&s->model->external[i]);
}

tn_status tn_run_prepare(tn_run *r, tn_err *err)
{
    tni_err_clear(err);
    const tn_model *m = r->session->model;
    bool same = r->plan != NULL;
    for (int i = 0; i < r->n_inputs; i++) {
        if (r->inputs[i] == NULL)
            return tni_fail(err, TN_EINVAL, "input '%.120s' is not given",
                            m->inputs[i]->name);
        tni_type t;
        tni_type_of(&t, r->inputs[i]);
        if (t.kind != TN_KIND_TENSOR && m->inputs[i]->type.kind == t.kind)
            t = m->inputs[i]->type;
        same = same && same_type(&t, &r->types[i]);
        r->types[i] = t;
    }
    if (same) return TN_OK;
    r->done = false;
    tni_plan_release(&r->session->planner, r->plan);
    r->plan = NULL;
    tni_arena_fini(&r->frame_arena);
    tni_exec_plan *plan = NULL;
    TN_TRY(tni_plan_acquire(&plan, &r->session->planner, r->session->graph,
                            r->types, r->n_inputs, NULL, err));
    tn_status status =
        tni_frame_init(&r->frame, plan, &r->ex, NULL, &r->frame_arena, err);
    if (status == TN_OK && (r->session->flags & TN_SESSION_PROFILE) != 0)
        status = tni_profile_start(&r->profile, plan, err);
    if (status != TN_OK) {
        tni_plan_release(&r->session->planner, plan);
        return status;
    }
    r->plan = plan;
    drop_weights(r->session);
    return TN_OK;
}

tn_status tn_run_set_memory(tn_run *r, void *memory, size_t size, tn_err *err)
{
    tni_err_clear(err);
    if ((uintptr_t)memory % TNI_ALIGN != 0)
        return tni_fail(err, TN_EINVAL,
                        "the run's memory starts at %p, expected a multiple of "
                        "%d",
                        memory, (int)TNI_ALIGN);
    tni_plan_release(&r->session->planner, r->plan);
    r->plan = NULL;
    r->done = false;
    tni_arena_fini(&r->frame_arena);
    r->ex.memory = memory;
    r->ex.memory_bytes = memory != NULL ? size : 0;
    return TN_OK;
}

static void observe(void *ctx, int step, uint64_t ns)
{
    tn_run *r = ctx;
    tni_profile_add(&r->profile, step, ns, &r->frame);
}

tn_status tn_run_exec(tn_run *r, tn_err *err)
{
    TN_TRY(tn_run_prepare(r, err));
    r->done = false;
    tni_arena_reset(&r->heap);
    for (int i = 0; i <= TNI_MAX_DEPTH; i++)
        tni_arena_reset(&r->ex.scratch[i]);
    r->ex.depth = 0;
    atomic_store_explicit(&r->ex.cancel, false, memory_order_relaxed);
    const bool profile = (r->session->flags & TN_SESSION_PROFILE) != 0;
    TN_TRY(tni_frame_exec(&r->frame, &r->ex, r->inputs, &r->heap,
                          profile ? observe : NULL, r, err));
    r->done = true;
    return TN_OK;
}

void tn_run_cancel(tn_run *r)
{
    atomic_store_explicit(&r->ex.cancel, true, memory_order_relaxed);
}

const tn_tensor *tn_run_output(const tn_run *r, size_t i)
{
    if (!r->done || i >= (size_t)r->session->graph->n_outputs) return NULL;
    return tni_frame_output(&r->frame, (int)i);
}

const tn_tensor *tn_run_value(const tn_run *r, const char *name)
{
    if (!r->done) return NULL;
    const tni_graph *g = r->session->graph;
    for (int i = 0; i < g->n_values; i++) {
        if (strcmp(g->values[i]->name, name) != 0) continue;
        const tn_tensor *t = &r->frame.slots[i];
        return t->kind != TN_KIND_NONE && tni_tensor_is_plain(t) ? t : NULL;
    }
    return NULL;
}

tn_status tn_run_plan_info(const tn_run *r, tn_plan_info *info)
{
    if (r->plan == NULL) return TN_EINVAL;
    tn_plan_info full = TN_PLAN_INFO_INIT;
    full.struct_size = info->struct_size;
    full.activation_bytes = r->plan->block_bytes;
    full.scratch_bytes = r->plan->scratch_bytes;
    full.packed_bytes = r->session->planner.weights.packed_bytes;
    full.peak_bytes = r->plan->peak_bytes;
    full.weights_bytes = r->plan->weights_bytes;
    full.total_bytes = full.weights_bytes + full.packed_bytes + full.peak_bytes;
    full.used_bytes = atomic_load(&r->mem.used_bytes);
    full.n_steps = (size_t)r->plan->n_steps;
    full.n_reference_steps = (size_t)r->plan->n_reference;
    full.n_dynamic_steps = (size_t)r->plan->n_dynamic;
    full.n_bf16_steps = (size_t)r->plan->n_bf16;
    full.n_threads = r->session->n_threads;
    const size_t n = info->struct_size < sizeof full ? info->struct_size
                                                     : sizeof full;
    memcpy(info, &full, n);
    return TN_OK;
}

size_t tn_run_profile_len(const tn_run *r)
{
    return (size_t)r->profile.n_rows;
}

tn_status tn_run_profile(const tn_run *r, size_t i, tn_profile_row *row)
{
    if (i >= (size_t)r->profile.n_rows) return TN_EINVAL;
    *row = r->profile.rows[i].pub;
    return TN_OK;
}

void tn_run_profile_reset(tn_run *r)
{
    tni_profile_reset(&r->profile);
}

/* --- describing -------------------------------------------------------- */

tn_status tn_session_describe(const tn_session *s,
                              void (*line)(void *ctx, const char *text),
                              void *ctx, tn_err *err)
{
    tni_err_clear(err);
    const tni_graph *g = s->graph;
    for (int i = 0; i < g->n_nodes; i++) {
        const tni_node *node = g->nodes[i];
        char text[1024], label[96], type[160];
        int n = snprintf(text, sizeof text, "%s %s(",
                         tni_profile_label(label, sizeof label, node),
                         node->name);
        size_t used = n < 0 ? 0 : (size_t)n;
        for (int k = 0; k < node->n_in && used < sizeof text; k++) {
            n = snprintf(text + used, sizeof text - used, "%s%s",
                         k != 0 ? ", " : "",
                         node->in[k] != NULL ? node->in[k]->name : "-");
            used += n < 0 ? 0 : (size_t)n;
        }
        for (int k = 0; k < node->n_out && used < sizeof text; k++) {
            if (node->out[k] == NULL) continue;
            n = snprintf(text + used, sizeof text - used, "%s%s %s",
                         k == 0 ? ") -> " : ", ",
                         tni_type_format(type, sizeof type,
                                         &node->out[k]->type),
                         node->out[k]->name);
            used += n < 0 ? 0 : (size_t)n;
        }
        const char *why = tni_why_float(node);
        if (why != NULL && used < sizeof text)
            (void)snprintf(text + used, sizeof text - used, " in float: %s",
                           why);
        line(ctx, text);
    }
    return TN_OK;
}
