/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - the jobs of one model, by shape and priority; its run contexts */
#include "serve/scheduler.h"

#include <string.h>

enum {
    HELD_MOST = 64 /* run contexts whose outputs are being sent */
};
/* Memory that run contexts may take for the sake of not copying outputs. */
static const uint64_t held_bytes = (uint64_t)256 << 20;

void tni_queue_init(tni_queue *q, tni_scheduler *s, tni_served *model,
                    tn_session *session, const tni_queue_opts *opts)
{
    memset(q, 0, sizeof *q);
    q->sched = s;
    q->model = model;
    q->session = session;
    q->opts = *opts;
    const uint64_t each = opts->run_bytes > 4096 ? opts->run_bytes : 4096;
    const uint64_t n = held_bytes / each;
    q->held_most = n > HELD_MOST ? HELD_MOST : n < 2 ? 2 : (size_t)n;
}

static void free_shape(tni_queue *q, tni_shape *shape)
{
    tni_mem_free(q->sched->mem, shape, sizeof *shape, _Alignof(tni_shape));
    q->n_shapes--;
}

/* Of the shapes without jobs, the one not used for longest. */
static void forget_shape(tni_queue *q)
{
    tni_shape **oldest = NULL;
    for (tni_shape **p = &q->shapes; *p != NULL; p = &(*p)->next)
        if ((*p)->n_jobs == 0 && (*p)->n_running == 0 &&
            (oldest == NULL || (*p)->used_ns < (*oldest)->used_ns))
            oldest = p;
    if (oldest == NULL) return;
    tni_shape *gone = *oldest;
    *oldest = gone->next;
    free_shape(q, gone);
}

tni_shape *tni_queue_shape(tni_queue *q, uint64_t key)
{
    for (tni_shape *s = q->shapes; s != NULL; s = s->next)
        if (s->key == key) return s;
    if (q->n_shapes >= TNI_SHAPES_KEPT) forget_shape(q);
    if (q->n_shapes >= TNI_SHAPES_QUEUED) return NULL;
    tni_shape *s = tni_mem_alloc(q->sched->mem, sizeof *s, _Alignof(tni_shape));
    if (s == NULL) return NULL;
    memset(s, 0, sizeof *s);
    s->key = key;
    s->next = q->shapes;
    q->shapes = s;
    q->n_shapes++;
    return s;
}

static void activate(tni_queue *q)
{
    tni_scheduler *s = q->sched;
    /* Who was idle saved nothing up by it. */
    if (q->share_ns < s->virtual_ns) q->share_ns = s->virtual_ns;
    q->prev = NULL;
    q->next = s->active;
    if (s->active != NULL) s->active->prev = q;
    s->active = q;
    s->n_active++;
}

static void deactivate(tni_queue *q)
{
    tni_scheduler *s = q->sched;
    if (q->prev != NULL)
        q->prev->next = q->next;
    else
        s->active = q->next;
    if (q->next != NULL) q->next->prev = q->prev;
    q->prev = q->next = NULL;
    s->n_active--;
}

void tni_queue_push(tni_queue *q, tni_shape *shape, tni_job_private *j)
{
    tni_lane *lane = &shape->lanes[j->level];
    j->shape = shape;
    j->next = NULL;
    j->prev = lane->tail;
    if (lane->tail != NULL)
        lane->tail->next = j;
    else
        lane->head = j;
    lane->tail = j;
    shape->n_jobs++;
    shape->rows += j->rows;
    if (q->n_jobs++ == 0) activate(q);
    q->rows += j->rows;
    q->bytes += j->bytes;
    q->cost_ns += j->cost_ns;
    q->sched->bytes += j->bytes;
}

void tni_queue_take(tni_job_private *j)
{
    tni_queue *q = j->queue;
    tni_shape *shape = j->shape;
    tni_lane *lane = &shape->lanes[j->level];
    if (j->prev != NULL)
        j->prev->next = j->next;
    else
        lane->head = j->next;
    if (j->next != NULL)
        j->next->prev = j->prev;
    else
        lane->tail = j->prev;
    j->prev = j->next = NULL;
    j->shape = NULL;
    shape->n_jobs--;
    shape->rows -= j->rows;
    q->rows -= j->rows;
    q->bytes -= j->bytes;
    q->cost_ns -= j->cost_ns;
    q->sched->bytes -= j->bytes;
    if (--q->n_jobs == 0) deactivate(q);
}

tni_run_slot *tni_queue_slot(tni_queue *q, uint64_t key, int64_t rows)
{
    tni_run_slot **best = &q->free_slots;
    for (tni_run_slot **p = best; *p != NULL; p = &(*p)->next)
        if ((*p)->key == key && (*p)->rows == rows) {
            best = p;
            break;
        }
    tni_run_slot *slot = *best;
    if (slot != NULL) *best = slot->next;
    return slot;
}

void tni_queue_let_go(tni_queue *q, tni_run_slot *slot)
{
    if (slot->holders > 0 && --slot->holders > 0) return;
    if (slot->counted) q->n_held--;
    slot->counted = false;
    slot->next = q->free_slots;
    q->free_slots = slot;
}

static void free_slot(tni_run_slot *slot)
{
    tni_queue *q = slot->queue;
    tni_mem *mem = q->sched->mem;
    const size_t n = q->opts.n_run_inputs;
    tn_run_free(slot->run);
    for (size_t i = 0; i < n; i++) {
        tn_tensor_free(slot->bound[i]);
        tni_mem_free(mem, slot->gathered[i], slot->gathered_bytes[i],
                     TNI_ALIGN);
    }
    tni_mem_free(mem, slot, slot->size, _Alignof(max_align_t));
}

tn_status tni_run_slot_new(tni_run_slot **out, tni_queue *q, tn_err *err)
{
    *out = NULL;
    const size_t n = q->opts.n_run_inputs;
    const size_t size =
        sizeof(tni_run_slot) + n * (2 * sizeof(void *) + sizeof(size_t));
    tni_run_slot *slot =
        tni_mem_alloc(q->sched->mem, size, _Alignof(max_align_t));
    if (slot == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(slot, 0, size);
    slot->queue = q;
    slot->size = size;
    slot->bound = (tn_tensor **)(void *)(slot + 1);
    slot->gathered = (void **)(void *)(slot->bound + n);
    slot->gathered_bytes = (size_t *)(void *)(slot->gathered + n);
    const tn_status status = tn_run_new(&slot->run, q->session, err);
    if (status != TN_OK) {
        free_slot(slot);
        return status;
    }
    *out = slot;
    return TN_OK;
}

void tni_queue_fini(tni_queue *q)
{
    while (q->free_slots != NULL) {
        tni_run_slot *next = q->free_slots->next;
        free_slot(q->free_slots);
        q->free_slots = next;
    }
    while (q->shapes != NULL) {
        tni_shape *next = q->shapes->next;
        free_shape(q, q->shapes);
        q->shapes = next;
    }
}
