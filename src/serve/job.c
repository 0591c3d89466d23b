/* SPDX-License-Identifier: Apache-2.0 */
/* job.c - what clients of the scheduler do: submit, cancel, release */
#include "base/checked.h"
#include "serve/scheduler.h"
#include "serve/served.h"
#include "sys/clock.h"

#include <stdio.h>
#include <string.h>

/* "[1,3,-1]" of at most 128 bytes. */
static const char *dims_text(char *buf, size_t size, int rank,
                             const int64_t *dims)
{
    size_t used = 0;
    for (int i = 0; i <= rank && used + 24 < size; i++) {
        const char *before = i == 0 ? "[" : i < rank ? "," : "";
        const int n = i < rank
                          ? snprintf(buf + used, size - used, "%s%lld", before,
                                     (long long)dims[i])
                          : snprintf(buf + used, size - used, "%s]", before);
        if (n > 0) used += (size_t)n;
    }
    return buf;
}

static tn_status wrong_shape(const tni_port *p, const tn_tensor *t, tn_err *err)
{
    char got[128] = "", want[128] = "";
    return tni_fail(
        err, TN_EINVAL, "input '%.60s' is %s, expected %s", p->name,
        dims_text(got, sizeof got, tn_tensor_rank(t), tn_tensor_dims(t)),
        dims_text(want, sizeof want, p->rank, p->dims));
}

static tn_status check_input(const tni_served *m, size_t i, const tn_tensor *t,
                             int64_t *rows, tn_err *err)
{
    const tni_port *p = &m->inputs[i];
    if (t == NULL)
        return tni_fail(err, TN_EINVAL, "input '%.60s' is missing", p->name);
    if (tn_tensor_kind(t) != TN_KIND_TENSOR || tn_tensor_dtype(t) != p->dtype)
        return tni_fail(err, TN_EINVAL, "input '%.60s' is %s, expected %s",
                        p->name, tn_dtype_name(tn_tensor_dtype(t)),
                        tn_dtype_name(p->dtype));
    const int64_t *dims = tn_tensor_dims(t);
    const bool any = tni_served_any_rank(m, i);
    if (!any && tn_tensor_rank(t) != p->rank) return wrong_shape(p, t, err);
    for (int k = 0; !any && k < p->rank; k++)
        if (p->dims[k] >= 0 && p->dims[k] != dims[k])
            return wrong_shape(p, t, err);
    if (m->max_batch_size == 0) return TN_OK;
    if (dims[0] < 1 || dims[0] > m->max_batch_size)
        return tni_fail(err, TN_EINVAL,
                        "input '%.60s' has a batch of %lld rows, expected 1 to "
                        "%lld",
                        p->name, (long long)dims[0],
                        (long long)m->max_batch_size);
    if (i > 0 && dims[0] != *rows)
        return tni_fail(
            err, TN_EINVAL, "input '%.60s' has %lld rows, '%.60s' has %lld",
            p->name, (long long)dims[0], m->inputs[0].name, (long long)*rows);
    *rows = dims[0];
    return TN_OK;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 29);
}

uint64_t tni_shape_key(tn_tensor *const *inputs, size_t n, bool batched)
{
    uint64_t key = 1;
    for (size_t i = 0; i < n; i++) {
        const int rank = tn_tensor_rank(inputs[i]);
        const int64_t *dims = tn_tensor_dims(inputs[i]);
        key = mix(key, (uint64_t)rank);
        for (int k = batched ? 1 : 0; k < rank; k++)
            key = mix(key, (uint64_t)dims[k]);
    }
    return key;
}

/* Checks the inputs; says what they have in common with others that may share
 * a batch, their rows, and their bytes. */
static tn_status check_inputs(tni_job_private *j, tn_err *err)
{
    const tni_served *m = j->job->model;
    j->rows = 1;
    for (size_t i = 0; i < m->n_inputs; i++) {
        const tn_tensor *t = j->job->inputs[i];
        TN_TRY(check_input(m, i, t, &j->rows, err));
        j->bytes += tn_tensor_size(t);
    }
    j->key = tni_shape_key(j->job->inputs, m->n_inputs, m->max_batch_size > 0);
    return TN_OK;
}

bool tni_jobs_agree(const tni_job_private *a, const tni_job_private *b)
{
    const size_t n = a->job->model->n_inputs;
    for (size_t i = 0; i < n; i++) {
        const tn_tensor *x = a->job->inputs[i], *y = b->job->inputs[i];
        const int rank = tn_tensor_rank(x);
        if (rank != tn_tensor_rank(y)) return false;
        if (rank > 1 && memcmp(tn_tensor_dims(x) + 1, tn_tensor_dims(y) + 1,
                               (size_t)(rank - 1) * sizeof(int64_t)) != 0)
            return false;
    }
    return true;
}

/* Time until a job that comes now would begin. */
static uint64_t predicted_wait(const tni_queue *q)
{
    const tni_scheduler *s = q->sched;
    const uint64_t n_models = s->n_active + (q->n_jobs == 0 ? 1 : 0);
    const uint64_t n_at_once =
        q->opts.wide || q->opts.keep_order ? 1 : (uint64_t)s->opts.n_threads;
    /* Sums of times: far below the limit of the type but for broken costs. */
    return q->cost_ns / n_at_once * n_models;
}

/* The job's place, or why it gets none; under the lock. */
static tn_status admit(tni_queue *q, tni_job_private *j, uint64_t now,
                       tni_shape **shape, tn_err *err)
{
    const tni_scheduler *s = q->sched;
    const uint64_t ms = 1000000;
    if (s->closing)
        return tni_fail(err, TN_EBUSY, "the server is shutting down");
    if (j->deadline_ns != 0 && j->deadline_ns <= now)
        return tni_fail(err, TN_ETIMEOUT, "the request's time is over");
    if (q->opts.max_jobs != 0 && q->n_jobs >= q->opts.max_jobs)
        return tni_fail(err, TN_EBUSY,
                        "%zu requests wait for model '%s', the "
                        "most its configuration allows",
                        q->n_jobs, q->model->name);
    if (s->opts.max_queue_bytes != 0 && s->bytes != 0 &&
        j->bytes > s->opts.max_queue_bytes - s->bytes)
        return tni_fail(err, TN_EBUSY,
                        "%llu bytes of requests wait: the queue "
                        "is full",
                        (unsigned long long)s->bytes);
    *shape = tni_queue_shape(q, j->key);
    if (*shape == NULL)
        return tni_fail(err, TN_EBUSY,
                        "too many requests of different shapes wait for model "
                        "'%s'",
                        q->model->name);
    const int64_t most =
        q->opts.max_batch_size > 0 ? q->opts.max_batch_size : 1;
    j->cost_ns =
        tni_batch_cost_row_ns(&(*shape)->cost, most) * (uint64_t)j->rows;
    const uint64_t wait = predicted_wait(q);
    if (s->opts.max_queue_ns != 0 && wait > s->opts.max_queue_ns)
        return tni_fail(err, TN_EBUSY,
                        "model '%s' is overloaded: a request "
                        "would wait %llu ms",
                        q->model->name, (unsigned long long)(wait / ms));
    /* Where nothing waits, trying costs nobody else anything, and keeps what
     * is known of the costs true. */
    if (j->deadline_ns != 0 && wait != 0 &&
        wait + j->cost_ns > j->deadline_ns - now)
        return tni_fail(err, TN_ETIMEOUT,
                        "model '%s' would answer in %llu ms, "
                        "after the request's time of %llu ms",
                        q->model->name,
                        (unsigned long long)((wait + j->cost_ns) / ms),
                        (unsigned long long)((j->deadline_ns - now) / ms));
    return TN_OK;
}

static tni_job_private *new_private(tni_job *job)
{
    const tni_served *m = job->model;
    const size_t n = m->n_outputs;
    tni_scheduler *s = tni_served_queue(m)->sched;
    const size_t size = sizeof(tni_job_private) + n * 2 * sizeof(void *);
    tni_job_private *j = tni_mem_alloc(s->mem, size, _Alignof(max_align_t));
    if (j == NULL) return NULL;
    memset(j, 0, size);
    j->size = size;
    j->job = job;
    j->queue = tni_served_queue(m);
    j->own = (tn_tensor **)(void *)(j + 1);
    j->outputs = (const tn_tensor **)(void *)(j->own + n);
    return j;
}

static void free_private(tni_job_private *j)
{
    tni_mem_free(j->queue->sched->mem, j, j->size, _Alignof(max_align_t));
}

static uint32_t level_of(const tni_queue *q, uint32_t priority)
{
    if (priority == 0) return q->opts.default_level;
    return priority > q->opts.n_levels ? q->opts.n_levels - 1 : priority - 1;
}

tn_status tni_job_submit(tni_job *job, tn_err *err)
{
    tni_err_clear(err);
    job->status = TN_OK;
    tni_err_clear(&job->err);
    job->outputs = NULL;
    job->priv = NULL;
    tni_job_private *j = new_private(job);
    if (j == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    tn_status status = check_inputs(j, err);
    tni_queue *q = j->queue;
    tni_scheduler *s = q->sched;
    const uint64_t now = tni_clock_ns();
    job->enqueue_ns = now;
    j->level = level_of(q, job->priority);
    j->deadline_ns = job->deadline_ns;
    if (j->deadline_ns == 0 && q->opts.default_timeout_ns != 0)
        j->deadline_ns = now + q->opts.default_timeout_ns;
    tni_shape *shape = NULL;
    bool wake = false;
    tni_monitor_lock(s->lock);
    if (status == TN_OK) status = admit(q, j, now, &shape, err);
    if (status == TN_OK) {
        job->priv = j;
        tni_served_retain(job->model);
        tni_queue_push(q, shape, j);
        s->n_pending++;
        /* A thread that is at it goes on by itself. */
        wake = s->n_idle > 0 && !(q->opts.wide && s->n_wide > 0) &&
               !(q->opts.keep_order && q->n_running > 0);
    } else {
        tni_counts_refused(&q->counts, status);
    }
    tni_monitor_unlock(s->lock);
    if (wake) tni_monitor_wake(s->lock);
    if (status != TN_OK) free_private(j);
    return status;
}

void tni_job_cancel(tni_job *job)
{
    atomic_store_explicit(&job->cancelled, true, memory_order_relaxed);
    tni_job_private *j = job->priv;
    if (j == NULL) return;
    tni_scheduler *s = j->queue->sched;
    bool wake = false;
    tni_monitor_lock(s->lock);
    tni_batch *b = j->batch;
    if (j->shape != NULL) {
        /* Ended by a compute thread, as every job is. */
        tni_queue_take(j);
        j->next = s->cancelled;
        s->cancelled = j;
        wake = s->n_idle > 0;
    } else if (b != NULL && !j->counted_out) {
        j->counted_out = true;
        if (++b->n_cancelled == b->n_jobs && b->slot != NULL)
            tn_run_cancel(b->slot->run);
    }
    tni_monitor_unlock(s->lock);
    if (wake) tni_monitor_wake(s->lock);
}

void tni_job_release(tni_job *job)
{
    tni_job_private *j = job->priv;
    if (j == NULL) return;
    const tni_served *m = job->model;
    tni_queue *q = j->queue;
    for (size_t i = 0; i < m->n_outputs; i++) tn_tensor_free(j->own[i]);
    if (j->slot != NULL) {
        tni_monitor_lock(q->sched->lock);
        tni_queue_let_go(q, j->slot);
        tni_monitor_unlock(q->sched->lock);
    }
    job->priv = NULL;
    job->outputs = NULL;
    free_private(j);
    tni_served_release(job->model);
}
