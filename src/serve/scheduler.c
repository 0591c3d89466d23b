/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler.c - the compute threads
 *
 * Start-time fair queueing among models: each has a share, the compute time it
 * was given since it began to queue, counted from the share of the model that
 * ran last; the one with the smallest goes next. A batch is charged by what it
 * should take, and corrected by what it took.
 */
#include "serve/scheduler.h"
#include "serve/served.h"
#include "sys/clock.h"

#include <stdio.h>
#include <string.h>

/* Batches shorter than this are not split among idle threads: waking one
 * costs about as much. */
#define SPLIT_NS ((uint64_t)100000)

/* --- choosing ----------------------------------------------------------- */

/* The lane to serve next: of the highest priority, then the oldest. */
static tni_shape *choose_shape(const tni_queue *q, uint32_t *level)
{
    tni_shape *best = NULL;
    uint64_t oldest = 0;
    for (tni_shape *s = q->shapes; s != NULL; s = s->next) {
        if (s->n_jobs == 0) continue;
        uint32_t l = 0;
        while (s->lanes[l].head == NULL) l++;
        const uint64_t at = s->lanes[l].head->job->enqueue_ns;
        if (best == NULL || l < *level || (l == *level && at < oldest)) {
            best = s;
            *level = l;
            oldest = at;
        }
    }
    return best;
}

/* Whether a batch of the queue may begin now; *until gets the time at which it
 * may otherwise, when that is known and earlier. */
static bool may_begin(const tni_scheduler *s, const tni_queue *q, uint64_t now,
                      uint64_t *until)
{
    if (q->opts.wide && s->n_wide > 0) return false;
    if (q->opts.keep_order && q->n_running > 0) return false;
    if (q->opts.max_delay_ns == 0 || s->closing) return true;
    uint32_t level = 0;
    const tni_shape *shape = choose_shape(q, &level);
    if (shape == NULL || shape->rows >= q->opts.preferred_rows) return true;
    const uint64_t at =
        shape->lanes[level].head->job->enqueue_ns + q->opts.max_delay_ns;
    if (at <= now) return true;
    if (*until == 0 || at < *until) *until = at;
    return false;
}

static tni_queue *choose_queue(const tni_scheduler *s, uint64_t now,
                               uint64_t *until)
{
    tni_queue *best = NULL;
    for (tni_queue *q = s->active; q != NULL; q = q->next)
        if ((best == NULL || q->share_ns < best->share_ns) &&
            may_begin(s, q, now, until))
            best = q;
    return best;
}

/* --- forming a batch ---------------------------------------------------- */

static int64_t batch_limit(const tni_scheduler *s, const tni_queue *q,
                           tni_shape *shape)
{
    if (q->opts.max_batch_size <= 0) return 1;
    int64_t limit = tni_batch_cost_cap(&shape->cost, q->opts.max_batch_size);
    if (q->opts.wide || q->opts.keep_order || s->n_idle == 0) return limit;
    const int64_t rows = shape->rows < limit ? shape->rows : limit;
    if (tni_batch_cost_ns(&shape->cost, rows) < SPLIT_NS) return limit;
    const int64_t n = (int64_t)s->n_idle + 1;
    const int64_t part = (shape->rows + n - 1) / n;
    return part < limit ? part : limit;
}

static bool is_over(const tni_job_private *j, uint64_t now)
{
    return atomic_load_explicit(&j->job->cancelled, memory_order_relaxed) ||
           (j->deadline_ns != 0 && j->deadline_ns <= now);
}

static void drop(tni_batch *b, tni_job_private *j, uint64_t now)
{
    tni_job *job = j->job;
    if (atomic_load_explicit(&job->cancelled, memory_order_relaxed))
        job->status =
            tni_fail(&job->err, TN_ECANCELED, "the request was cancelled");
    else
        job->status = tni_fail(&job->err, TN_ETIMEOUT,
                               "the request's time ended in the queue");
    job->start_ns = job->input_end_ns = job->infer_end_ns = job->end_ns = now;
    j->next = b->dropped;
    b->dropped = j;
}

/* Takes jobs of a lane into the batch while they fit; false: it is full. */
static bool fill(tni_batch *b, tni_lane *lane, int64_t limit, uint64_t now)
{
    while (lane->head != NULL) {
        tni_job_private *j = lane->head;
        if (is_over(j, now)) {
            tni_queue_take(j);
            drop(b, j, now);
            continue;
        }
        if (b->n_jobs > 0 &&
            (b->rows + j->rows > limit || !tni_jobs_agree(b->first, j)))
            return false;
        tni_queue_take(j);
        if (b->last != NULL)
            b->last->next = j;
        else
            b->first = j;
        b->last = j;
        j->batch = b;
        b->n_jobs++;
        b->rows += j->rows;
    }
    return b->rows < limit;
}

/* Fills the batch from the queue; it may come out with dropped jobs alone. */
static void form(tni_scheduler *s, tni_queue *q, tni_batch *b, uint64_t now)
{
    uint32_t level = 0;
    memset(b, 0, sizeof *b);
    b->queue = q;
    tni_served_retain(q->model);
    b->shape = choose_shape(q, &level);
    if (TN_NEVER(b->shape == NULL)) return;
    const int64_t limit = batch_limit(s, q, b->shape);
    bool more = true;
    for (; more && level < q->opts.n_levels; level++)
        more = fill(b, &b->shape->lanes[level], limit, now);
    if (b->n_jobs == 0) return;
    b->shape->n_running++;
    b->shape->used_ns = now;
    b->key = b->shape->key;
    b->cost_ns = tni_batch_cost_ns(&b->shape->cost, b->rows);
    q->n_running++;
    if (q->opts.wide) s->n_wide++;
    s->virtual_ns = q->share_ns;
    q->share_ns += b->cost_ns;
    b->slot = tni_queue_slot(q, b->key, b->rows);
    b->held = b->may_hold = q->n_held < q->held_most;
    if (b->held) q->n_held++;
}

/* --- ending one --------------------------------------------------------- */

static void settle_slot(tni_batch *b)
{
    tni_queue *q = b->queue;
    tni_run_slot *slot = b->slot;
    if (slot == NULL || slot->holders == 0) {
        if (b->held) q->n_held--;
    } else {
        slot->counted = true;
    }
    if (slot == NULL) return;
    slot->key = b->key;
    slot->rows = b->rows;
    if (slot->holders > 0) return;
    slot->next = q->free_slots;
    q->free_slots = slot;
}

/* Books what ran; under the lock. */
static void account(tni_scheduler *s, tni_batch *b)
{
    tni_queue *q = b->queue;
    q->n_running--;
    if (q->opts.wide) s->n_wide--;
    b->shape->n_running--;
    const tni_job *head = b->first->job;
    const uint64_t took = head->infer_end_ns - head->start_ns;
    if (b->ok) {
        tni_batch_cost_learn(&b->shape->cost, b->rows, took);
        tni_counts_batch(&q->counts, b->rows, head);
        q->share_ns += took > b->cost_ns ? took - b->cost_ns : 0;
        const uint64_t less = b->cost_ns > took ? b->cost_ns - took : 0;
        q->share_ns -= less < q->share_ns ? less : q->share_ns;
    }
    for (tni_job_private *j = b->first; j != NULL; j = j->next) {
        j->batch = NULL;
        if (b->alone && j->job->status == TN_OK)
            tni_counts_batch(&q->counts, j->rows, j->job);
        tni_counts_job(&q->counts, j->job, j->rows);
        s->n_pending--;
    }
    settle_slot(b);
}

/* Tells the owners; they may free their jobs at once. */
static void hand_back(tni_job_private *j)
{
    while (j != NULL) {
        tni_job_private *next = j->next;
        j->job->done(j->job);
        j = next;
    }
}

static void count_dropped(tni_scheduler *s, tni_job_private *j)
{
    for (; j != NULL; j = j->next) {
        tni_counts_job(&j->queue->counts, j->job, j->rows);
        s->n_pending--;
    }
}

/* --- the threads -------------------------------------------------------- */

static void fail_batch(tni_batch *b, tn_status status, const tn_err *err)
{
    const uint64_t now = tni_clock_ns();
    for (tni_job_private *j = b->first; j != NULL; j = j->next) {
        tni_job *job = j->job;
        job->status = status;
        job->err = *err;
        job->start_ns = job->input_end_ns = now;
        job->infer_end_ns = job->end_ns = now;
    }
}

/* Runs what was formed; called and returns with the lock held. */
static void serve_batch(tni_scheduler *s, tni_batch *b)
{
    tni_served *model = b->queue->model;
    tni_run_slot *slot = b->slot;
    uint64_t until = 0;
    const bool more =
        s->n_idle > 0 && choose_queue(s, b->shape->used_ns, &until) != NULL;
    count_dropped(s, b->dropped);
    tni_monitor_unlock(s->lock);
    if (more) tni_monitor_wake(s->lock);
    hand_back(b->dropped);
    if (b->n_jobs > 0) {
        tn_err err;
        memset(&err, 0, sizeof err);
        tn_status status = TN_OK;
        if (slot == NULL) status = tni_run_slot_new(&slot, b->queue, &err);
        tni_monitor_lock(s->lock);
        b->slot = slot;
        tni_monitor_unlock(s->lock);
        if (status == TN_OK)
            tni_batch_run(b);
        else
            fail_batch(b, status, &err);
        tni_monitor_lock(s->lock);
        account(s, b);
        const bool all = s->closing;
        b->queue = NULL;
        tni_monitor_unlock(s->lock);
        if (all) tni_monitor_wake_all(s->lock);
        hand_back(b->first);
    }
    tni_served_release(model);
    tni_monitor_lock(s->lock);
    b->queue = NULL;
}

/* Ends jobs that were cancelled while they waited; as serve_batch. */
static void serve_cancelled(tni_scheduler *s)
{
    const uint64_t now = tni_clock_ns();
    tni_batch b;
    memset(&b, 0, sizeof b);
    while (s->cancelled != NULL) {
        tni_job_private *j = s->cancelled;
        s->cancelled = j->next;
        drop(&b, j, now);
    }
    count_dropped(s, b.dropped);
    const bool all = s->closing;
    tni_monitor_unlock(s->lock);
    if (all) tni_monitor_wake_all(s->lock);
    hand_back(b.dropped);
    tni_monitor_lock(s->lock);
}

typedef struct worker {
    tni_scheduler *s;
    tni_batch *b;
} worker;

static void compute(void *ctx)
{
    const worker *w = ctx;
    tni_scheduler *s = w->s;
    tni_batch *b = w->b;
    tni_monitor_lock(s->lock);
    for (;;) {
        uint64_t until = 0;
        if (s->cancelled != NULL) {
            serve_cancelled(s);
            continue;
        }
        const uint64_t now = s->active != NULL ? tni_clock_ns() : 0;
        tni_queue *q = choose_queue(s, now, &until);
        if (q != NULL) {
            form(s, q, b, now);
            serve_batch(s, b);
            continue;
        }
        if (s->stopping) break;
        s->n_idle++;
        tni_monitor_wait(s->lock, until);
        s->n_idle--;
    }
    tni_monitor_unlock(s->lock);
}

/* --- opening and closing ------------------------------------------------ */

static size_t block_size(const tni_scheduler *s)
{
    return (size_t)s->opts.n_threads *
           (sizeof(tni_batch) + sizeof(worker) + sizeof(tni_thread *));
}

static tn_status start_threads(tni_scheduler *s, tn_err *err)
{
    const size_t n = (size_t)s->opts.n_threads;
    TN_TRY(tni_monitor_new(&s->lock, s->mem, err));
    s->batches = tni_mem_alloc(s->mem, block_size(s), _Alignof(max_align_t));
    if (s->batches == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(s->batches, 0, block_size(s));
    worker *workers = (worker *)(void *)(s->batches + n);
    s->threads = (tni_thread **)(void *)(workers + n);
    for (size_t i = 0; i < n; i++) {
        workers[i].s = s;
        workers[i].b = &s->batches[i];
        TN_TRY(tni_thread_start(&s->threads[i], compute, &workers[i],
                                "tenon-compute", s->mem, err));
    }
    return TN_OK;
}

tn_status tni_scheduler_new(tni_scheduler **out, const tni_scheduler_opts *opts,
                            tn_err *err)
{
    *out = NULL;
    tni_scheduler *s =
        tni_mem_alloc(opts->mem, sizeof *s, _Alignof(tni_scheduler));
    if (s == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(s, 0, sizeof *s);
    s->mem = opts->mem;
    s->opts = *opts;
    const tn_status status = start_threads(s, err);
    if (status != TN_OK) {
        tni_scheduler_stop(s, 0);
        tni_scheduler_free(s);
        return status;
    }
    *out = s;
    return TN_OK;
}

/* Every job that waits, and every run; under the lock. */
static void cancel_all(tni_scheduler *s)
{
    while (s->active != NULL) {
        uint32_t level = 0;
        tni_shape *shape = choose_shape(s->active, &level);
        if (TN_NEVER(shape == NULL)) return;
        tni_job_private *j = shape->lanes[level].head;
        atomic_store_explicit(&j->job->cancelled, true, memory_order_relaxed);
        tni_queue_take(j);
        j->next = s->cancelled;
        s->cancelled = j;
    }
    for (int i = 0; i < s->opts.n_threads; i++) {
        tni_batch *b = &s->batches[i];
        if (b->queue == NULL || b->slot == NULL) continue;
        for (tni_job_private *j = b->first; j != NULL; j = j->next)
            atomic_store_explicit(&j->job->cancelled, true,
                                  memory_order_relaxed);
        tn_run_cancel(b->slot->run);
    }
}

static void finish_jobs(tni_scheduler *s, uint64_t timeout_ns)
{
    const uint64_t end = tni_clock_ns() + timeout_ns;
    /* A run that was about to begin is told again. */
    const uint64_t again_ns = 10000000;
    while (s->n_pending > 0) {
        const uint64_t now = tni_clock_ns();
        if (now >= end) {
            cancel_all(s);
            tni_monitor_wake_all(s->lock);
        }
        tni_monitor_wait(s->lock, now >= end ? now + again_ns : end);
    }
}

void tni_scheduler_stop(tni_scheduler *s, uint64_t timeout_ns)
{
    if (s == NULL) return;
    if (s->lock != NULL) {
        tni_monitor_lock(s->lock);
        s->closing = true;
        tni_monitor_wake_all(s->lock);
        finish_jobs(s, timeout_ns);
        s->stopping = true;
        tni_monitor_unlock(s->lock);
        tni_monitor_wake_all(s->lock);
    }
    for (int i = 0; s->threads != NULL && i < s->opts.n_threads; i++) {
        tni_thread_join(s->threads[i]);
        s->threads[i] = NULL;
    }
}

void tni_scheduler_free(tni_scheduler *s)
{
    if (s == NULL) return;
    if (s->batches != NULL)
        tni_mem_free(s->mem, s->batches, block_size(s), _Alignof(max_align_t));
    tni_monitor_free(s->lock, s->mem);
    tni_mem_free(s->mem, s, sizeof *s, _Alignof(tni_scheduler));
}
