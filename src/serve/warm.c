/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warm.c - the first runs of a model, before anybody asks for one
 *
 * They touch the weights, make the plans, tell whether a run is worth several
 * threads, and what 1, 2, 4, ... rows cost.
 */
#include "base/checked.h"
#include "serve/serve_log.h"
#include "serve/served.h"
#include "sys/clock.h"

#include <string.h>

enum { FREE_DIM_TRIES = 4, RUNS = 3 };
/* Extents tried where the model leaves one free: sequences run at 1, images
 * need more. */
static const int64_t free_dims[FREE_DIM_TRIES] = {1, 8, 32, 224};
static const uint64_t budget_ns = 2000000000; /* of all runs */
/* Runs shorter than this do not gain by threads of their own. */
static const uint64_t narrow_ns = 300000;
static const int64_t elements_most = 1 << 26;

typedef struct warm_up {
    tni_served_private *p;
    const tni_served_opts *opts;
    tn_run *run;
    tn_tensor **inputs;
    size_t n;
    int64_t free_dim;
    bool has_free;  /* a dimension beside the batch's is free */
    bool batchable; /* outputs had as many rows as inputs */
    uint64_t run_bytes, total_bytes;
} warm_up;

static void free_inputs(warm_up *w)
{
    for (size_t i = 0; i < w->n; i++) {
        tn_tensor_free(w->inputs[i]);
        w->inputs[i] = NULL;
    }
}

static tn_status make_inputs(warm_up *w, int64_t rows, tn_err *err)
{
    const bool batched = w->p->config.max_batch_size > 0;
    free_inputs(w);
    for (size_t i = 0; i < w->n; i++) {
        tn_value_info v;
        int64_t dims[TN_MAX_RANK] = {0};
        int64_t len = 1;
        TN_TRY(tn_model_input(w->p->model, i, &v));
        const int rank = v.rank < 0 ? 1 : v.rank;
        for (int k = 0; k < rank; k++) {
            dims[k] = v.rank < 0 ? -1 : v.dims[k];
            if (k == 0 && batched) dims[k] = rows;
            if (dims[k] < 0) {
                w->has_free = true;
                dims[k] = w->free_dim;
            }
            if (!tni_mul_i64(len, dims[k], &len) || len > elements_most)
                return tni_fail(err, TN_ELIMIT, "too large to try");
        }
        TN_TRY(tn_tensor_new(&w->inputs[i], v.dtype, rank, dims,
                             &w->p->mem->allocator, err));
        TN_TRY(tn_run_set_input(w->run, i, w->inputs[i], err));
    }
    return TN_OK;
}

/* Best of a few runs; *ran tells a refused plan from refused data. */
static tn_status time_runs(warm_up *w, int64_t rows, uint64_t *ns, bool *ran,
                           tn_err *err)
{
    *ran = false;
    *ns = UINT64_MAX;
    TN_TRY(make_inputs(w, rows, err));
    TN_TRY(tn_run_prepare(w->run, err));
    *ran = true;
    for (int i = 0; i < RUNS; i++) {
        const uint64_t begin = tni_clock_ns();
        TN_TRY(tn_run_exec(w->run, err));
        const uint64_t took = tni_clock_ns() - begin;
        if (took < *ns) *ns = took;
        if (took > budget_ns / 8) break;
    }
    return TN_OK;
}

static void note_bytes(warm_up *w)
{
    tn_plan_info info = TN_PLAN_INFO_INIT;
    if (tn_run_plan_info(w->run, &info) != TN_OK) return;
    if (info.used_bytes > w->run_bytes) w->run_bytes = info.used_bytes;
    const uint64_t total =
        info.weights_bytes + info.packed_bytes + w->run_bytes;
    if (total > w->total_bytes) w->total_bytes = total;
}

/* Outputs whose number of dimensions the model does not tell. */
static void learn_ranks(warm_up *w)
{
    tni_model_config *c = &w->p->config;
    for (size_t i = 0; i < c->n_outputs; i++) {
        tn_value_info v;
        tni_config_port *port = &c->outputs[i];
        const long at = tn_model_find_output(w->p->model, port->name);
        if (at < 0 || tn_model_output(w->p->model, (size_t)at, &v) != TN_OK ||
            v.rank >= 0)
            continue;
        const tn_tensor *y = tn_run_output(w->run, (size_t)at);
        if (y == NULL || tn_tensor_kind(y) != TN_KIND_TENSOR) continue;
        port->rank = tn_tensor_rank(y);
        for (int k = 0; k < port->rank; k++) port->dims[k] = -1;
    }
}

static void check_rows(warm_up *w, int64_t rows)
{
    const size_t n = tn_model_n_outputs(w->p->model);
    for (size_t i = 0; i < n; i++) {
        const tn_tensor *y = tn_run_output(w->run, i);
        if (y == NULL || tn_tensor_kind(y) != TN_KIND_TENSOR) continue;
        if (tn_tensor_rank(y) < 1 || tn_tensor_dims(y)[0] != rows)
            w->batchable = false;
    }
}

static tn_status open_session(warm_up *w, int n_threads, tn_err *err)
{
    tni_served_private *p = w->p;
    tn_session_opts o = TN_SESSION_OPTS_INIT;
    tn_run_free(w->run);
    w->run = NULL;
    tn_session_free(p->session);
    p->session = NULL;
    o.allocator = &p->mem->allocator;
    o.logger = w->opts->logger;
    o.limits = w->opts->limits;
    o.flags = w->opts->session_flags;
    o.n_threads = n_threads;
    TN_TRY(tn_session_new(&p->session, p->model, &o, err));
    return tn_run_new(&w->run, p->session, err);
}

/* One row: with the first extent for free dimensions that works. */
static tn_status try_one(warm_up *w, uint64_t *ns, bool *ran, tn_err *err)
{
    tn_status status = TN_OK;
    for (int i = 0; i < FREE_DIM_TRIES; i++) {
        tni_err_clear(err);
        w->free_dim = free_dims[i];
        status = time_runs(w, 1, ns, ran, err);
        if (status == TN_OK || !w->has_free) break;
    }
    return status;
}

/* 2, 4, 8, ... rows, as long as that pays. */
static void try_more(warm_up *w, uint64_t first_ns, tni_batch_cost *cost)
{
    const int64_t most = w->p->config.max_batch_size;
    uint64_t spent = first_ns * RUNS, ns = 0;
    bool ran = false;
    for (int64_t rows = 2; rows <= most; rows *= 2) {
        if (spent + first_ns * (uint64_t)rows * RUNS > budget_ns) break;
        if (time_runs(w, rows, &ns, &ran, NULL) != TN_OK) break;
        check_rows(w, rows);
        note_bytes(w);
        if (!w->batchable) break;
        spent += ns * RUNS;
        tni_batch_cost_learn(cost, rows, ns);
        tni_batch_cost copy = *cost;
        if (rows < most && tni_batch_cost_cap(&copy, most) < rows) break;
    }
}

static tn_status warm(warm_up *w, tni_queue_opts *queue, tni_batch_cost *cost,
                      uint64_t *key, tn_err *err)
{
    const int cores = w->opts->sched->opts.n_threads;
    uint64_t ns = 0, narrow = 0;
    bool ran = false;
    TN_TRY(open_session(w, cores, err));
    queue->wide = cores > 1;
    tn_status status = try_one(w, &ns, &ran, err);
    if (status != TN_OK) {
        if (!w->has_free && !ran) return status;
        tni_serve_log(w->opts->logger, TN_LOG_WARN, "model.warm_up",
                      "model=%s skipped=\"%s\"", w->opts->name,
                      err != NULL ? err->message : "");
        tni_err_clear(err);
        return TN_OK;
    }
    if (cores > 1 && ns < narrow_ns) {
        TN_TRY(open_session(w, 1, err));
        queue->wide = false;
        TN_TRY(time_runs(w, 1, &narrow, &ran, err));
        if (narrow > narrow_ns && narrow > ns + ns / 2) {
            TN_TRY(open_session(w, cores, err));
            queue->wide = true;
            TN_TRY(time_runs(w, 1, &narrow, &ran, err));
        }
        ns = narrow;
    }
    if (w->p->config.max_batch_size > 0) check_rows(w, 1);
    learn_ranks(w);
    note_bytes(w);
    tni_batch_cost_learn(cost, 1, ns);
    *key = tni_shape_key(w->inputs, w->n, w->p->config.max_batch_size > 0);
    if (w->batchable) try_more(w, ns, cost);
    return TN_OK;
}

tn_status tni_served_warm(tni_served_private *p, const tni_served_opts *opts,
                          tni_queue_opts *queue, tni_batch_cost *cost,
                          uint64_t *key, tn_err *err)
{
    warm_up w;
    memset(&w, 0, sizeof w);
    w.p = p;
    w.opts = opts;
    w.batchable = true;
    w.n = tn_model_n_inputs(p->model);
    w.inputs = TNI_NEW_ARRAY(&p->arena, tn_tensor *, w.n);
    if (w.inputs == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(cost, 0, sizeof *cost);
    *key = 0;
    tn_status status = warm(&w, queue, cost, key, err);
    if (status == TN_OK && !w.batchable)
        status = tni_fail(err, TN_EINVAL,
                          "an output does not have a row for each of a batch: "
                          "set max_batch_size: 0 for this model");
    queue->run_bytes = w.run_bytes;
    queue->n_run_inputs = w.n;
    p->bytes = w.total_bytes;
    p->batchable = w.batchable;
    tn_run_free(w.run);
    free_inputs(&w);
    return status;
}
