/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.c - running jobs together
 *
 * A job alone is bound as it is, and its outputs are the run context's. Of
 * more, the rows are gathered into buffers of the run context, and each job
 * gets a view of its rows of the outputs. The run context is not used again
 * before all these jobs are released, unless too many are waited for already:
 * then outputs are copied. When a batch fails, its jobs run one by one, so
 * that nobody pays for the data of another.
 */
#include "base/checked.h"
#include "serve/scheduler.h"
#include "serve/served.h"
#include "sys/clock.h"

#include <string.h>

static bool is_cancelled(const tni_job_private *j)
{
    return atomic_load_explicit(&j->job->cancelled, memory_order_relaxed);
}

static bool all_cancelled(const tni_job_private *j, size_t n)
{
    for (size_t k = 0; k < n; k++, j = j->next)
        if (!is_cancelled(j)) return false;
    return true;
}

/* --- inputs ------------------------------------------------------------- */

static tn_status gather(tni_run_slot *slot, const tni_job_private *first,
                        size_t n_jobs, int64_t rows, size_t i, tn_err *err)
{
    const tn_tensor *x = first->job->inputs[i];
    const int rank = tn_tensor_rank(x);
    tni_mem *mem = slot->queue->sched->mem;
    int64_t dims[TN_MAX_RANK];
    size_t total = 0;
    memcpy(dims, tn_tensor_dims(x), (size_t)rank * sizeof dims[0]);
    dims[0] = rows;
    const tni_job_private *j = first;
    for (size_t k = 0; k < n_jobs; k++, j = j->next)
        if (!tni_add_size(total, tn_tensor_size(j->job->inputs[i]), &total))
            return tni_fail(err, TN_ELIMIT, "a batch is too large to address");
    if (total > slot->gathered_bytes[i]) {
        tni_mem_free(mem, slot->gathered[i], slot->gathered_bytes[i],
                     TNI_ALIGN);
        slot->gathered_bytes[i] = 0;
        slot->gathered[i] = tni_mem_alloc(mem, total, TNI_ALIGN);
        if (slot->gathered[i] == NULL)
            return tni_fail(err, TN_ENOMEM, "out of memory for a batch");
        slot->gathered_bytes[i] = total;
    }
    char *to = slot->gathered[i];
    j = first;
    for (size_t k = 0; k < n_jobs; k++, j = j->next) {
        const size_t size = tn_tensor_size(j->job->inputs[i]);
        if (size != 0) memcpy(to, tn_tensor_cdata(j->job->inputs[i]), size);
        to += size;
    }
    tn_tensor_free(slot->bound[i]);
    return tn_tensor_wrap(&slot->bound[i], tn_tensor_dtype(x), rank, dims,
                          slot->gathered[i], total, &mem->allocator, err);
}

static tn_status bind(tni_run_slot *slot, const tni_job_private *first,
                      size_t n_jobs, int64_t rows, tn_err *err)
{
    const size_t n = slot->queue->opts.n_run_inputs;
    for (size_t i = 0; i < n; i++) {
        const tn_tensor *x = first->job->inputs[i];
        if (n_jobs > 1) {
            TN_TRY(gather(slot, first, n_jobs, rows, i, err));
            x = slot->bound[i];
        }
        TN_TRY(tn_run_set_input(slot->run, i, x, err));
    }
    return TN_OK;
}

/* --- outputs ------------------------------------------------------------ */

/* Whether the bytes are an input's of the caller, who may change them once the
 * job is done. */
static bool lies_in_input(const tni_job *job, const tn_tensor *y)
{
    const uintptr_t at = (uintptr_t)tn_tensor_cdata(y);
    for (size_t i = 0; i < job->model->n_inputs; i++) {
        const tn_tensor *x = job->inputs[i];
        const uintptr_t begin = (uintptr_t)tn_tensor_cdata(x);
        if (at >= begin && at - begin < tn_tensor_size(x)) return true;
    }
    return false;
}

/* A part of y of `rows` rows from `row` on; all of it when rows is -1. */
typedef struct part {
    const tn_tensor *y;
    int64_t dims[TN_MAX_RANK];
    int rank;
    size_t offset, size;
} part;

static part part_of(const tn_tensor *y, int64_t row, int64_t rows)
{
    part p;
    memset(&p, 0, sizeof p);
    p.y = y;
    p.rank = tn_tensor_rank(y);
    p.size = tn_tensor_size(y);
    memcpy(p.dims, tn_tensor_dims(y), (size_t)p.rank * sizeof p.dims[0]);
    if (rows < 0) return p;
    const size_t each = p.dims[0] > 0 ? p.size / (size_t)p.dims[0] : 0;
    p.offset = each * (size_t)row;
    p.size = each * (size_t)rows;
    p.dims[0] = rows;
    return p;
}

static tn_status view(tn_tensor **out, const part *p, const tn_allocator *a,
                      tn_err *err)
{
    /* Tensors wrap memory that may be written; this one is only read. */
    union {
        const char *in;
        void *out;
    } data = {.in = (const char *)tn_tensor_cdata(p->y) + p->offset};
    return tn_tensor_wrap(out, tn_tensor_dtype(p->y), p->rank, p->dims,
                          data.out, p->size, a, err);
}

static tn_status copy(tn_tensor **out, const part *p, const tn_allocator *a,
                      tn_err *err)
{
    const char *from = (const char *)tn_tensor_cdata(p->y) + p->offset;
    const tn_dtype dtype = tn_tensor_dtype(p->y);
    if (dtype == TN_STRING)
        return tn_tensor_new_strings(out, p->rank, p->dims,
                                     (const tn_string *)(const void *)from, a,
                                     err);
    TN_TRY(tn_tensor_new(out, dtype, p->rank, p->dims, a, err));
    if (p->size != 0) memcpy(tn_tensor_data(*out), from, p->size);
    return TN_OK;
}

/* The outputs of one job, `row` its first in the batch (-1: it is alone). */
static tn_status give_outputs(tni_job_private *j, tni_run_slot *slot,
                              int64_t row, bool hold, tn_err *err)
{
    const tni_job *job = j->job;
    const tni_served *m = job->model;
    const tn_allocator *a = &j->queue->sched->mem->allocator;
    bool held = false;
    for (size_t i = 0; i < m->n_outputs; i++) {
        if (job->wanted != NULL && !job->wanted[i]) continue;
        const tn_tensor *y =
            tn_run_output(slot->run, tni_served_run_output(m, i));
        if (TN_NEVER(y == NULL)) return TN_EINTERNAL;
        if (tn_tensor_kind(y) != TN_KIND_TENSOR)
            return tni_fail(err, TN_EUNSUPPORTED, "output '%.60s' is no tensor",
                            m->outputs[i].name);
        const part p = part_of(y, row < 0 ? 0 : row, row < 0 ? -1 : j->rows);
        const bool foreign = row < 0 && lies_in_input(job, y);
        if (!hold || foreign) {
            TN_TRY(copy(&j->own[i], &p, a, err));
            j->outputs[i] = j->own[i];
            continue;
        }
        held = true;
        j->outputs[i] = y;
        if (row < 0) continue;
        TN_TRY(view(&j->own[i], &p, a, err));
        j->outputs[i] = j->own[i];
    }
    if (held) {
        j->slot = slot;
        slot->holders++;
    }
    return TN_OK;
}

/* A model that was taken to be batched, but is not, is found out here. */
static tn_status check_rows(const tni_served *m, const tni_run_slot *slot,
                            int64_t rows, tn_err *err)
{
    for (size_t i = 0; i < m->n_outputs; i++) {
        const tn_tensor *y =
            tn_run_output(slot->run, tni_served_run_output(m, i));
        if (y == NULL || tn_tensor_kind(y) != TN_KIND_TENSOR) continue;
        const int rank = tn_tensor_rank(y);
        if (rank > 0 && tn_tensor_dims(y)[0] == rows) continue;
        return tni_fail(err, TN_EINTERNAL,
                        "output '%.60s' has %lld rows for a batch of %lld: "
                        "set max_batch_size: 0 for this model",
                        m->outputs[i].name,
                        rank > 0 ? (long long)tn_tensor_dims(y)[0] : 0,
                        (long long)rows);
    }
    return TN_OK;
}

/* --- running ------------------------------------------------------------ */

static void end_job(tni_job_private *j, tn_status status, const tn_err *err)
{
    j->job->status = status;
    if (err != NULL) j->job->err = *err;
    j->job->outputs = status == TN_OK ? j->outputs : NULL;
}

static tn_status run_jobs(tni_batch *b, tni_job_private *first, size_t n,
                          int64_t rows, tn_err *err)
{
    tni_run_slot *slot = b->slot;
    tni_job *head = first->job;
    const tni_served *m = head->model;
    tni_err_clear(err);
    head->start_ns = tni_clock_ns();
    TN_TRY(bind(slot, first, n, rows, err));
    head->input_end_ns = tni_clock_ns();
    if (all_cancelled(first, n))
        return tni_fail(err, TN_ECANCELED, "the request was cancelled");
    TN_TRY(tn_run_exec(slot->run, err));
    head->infer_end_ns = tni_clock_ns();
    if (m->max_batch_size > 0) TN_TRY(check_rows(m, slot, rows, err));
    int64_t row = 0;
    tni_job_private *j = first;
    for (size_t k = 0; k < n; k++, j = j->next) {
        tn_err mine;
        memset(&mine, 0, sizeof mine);
        tn_status status = TN_ECANCELED;
        if (!is_cancelled(j))
            status =
                give_outputs(j, slot, n > 1 ? row : -1, b->may_hold, &mine);
        else
            (void)tni_fail(&mine, TN_ECANCELED, "the request was cancelled");
        end_job(j, status, &mine);
        row += j->rows;
    }
    return TN_OK;
}

static void set_times(tni_job_private *first, size_t n, uint64_t end)
{
    const tni_job *head = first->job;
    tni_job_private *j = first;
    for (size_t k = 0; k < n; k++, j = j->next) {
        tni_job *job = j->job;
        job->start_ns = head->start_ns;
        job->input_end_ns = head->input_end_ns;
        job->infer_end_ns = head->infer_end_ns;
        job->end_ns = end;
    }
}

/* Runs some of the jobs and ends them whatever comes of it. */
static tn_status run_some(tni_batch *b, tni_job_private *first, size_t n,
                          int64_t rows)
{
    tn_err err;
    memset(&err, 0, sizeof err);
    tni_job *head = first->job;
    head->start_ns = head->input_end_ns = head->infer_end_ns = 0;
    const tn_status status = run_jobs(b, first, n, rows, &err);
    const uint64_t end = tni_clock_ns();
    if (head->input_end_ns == 0) head->input_end_ns = end;
    if (head->infer_end_ns == 0) head->infer_end_ns = end;
    set_times(first, n, end);
    if (status == TN_OK) return TN_OK;
    tni_job_private *j = first;
    for (size_t k = 0; k < n; k++, j = j->next) end_job(j, status, &err);
    return status;
}

void tni_batch_run(tni_batch *b)
{
    const tn_status status = run_some(b, b->first, b->n_jobs, b->rows);
    b->ok = status == TN_OK;
    b->alone = false;
    if (b->ok || b->n_jobs == 1 || status == TN_ECANCELED) return;
    b->alone = true;
    /* Outputs of several runs cannot stay in the one run context. */
    b->may_hold = false;
    for (tni_job_private *j = b->first; j != NULL; j = j->next) {
        if (is_cancelled(j)) continue;
        (void)run_some(b, j, 1, j->rows);
    }
}
