/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler.h - queues of models, and the threads that run them
 *
 * One lock guards all queues and counts; nothing slow happens under it. Jobs
 * of a model that may share a batch lie in one shape; a compute thread that is
 * free takes the model that has computed least for its share, the oldest job
 * of the highest priority in it, and what goes with that (greedy: it never
 * waits for more unless the configuration says so). How far a batch grows is
 * learned: as long as rows get cheaper by it.
 */
#ifndef TN_SRC_SERVE_SCHEDULER_H
#define TN_SRC_SERVE_SCHEDULER_H

#include "serve/batch_cost.h"
#include "serve/models.h"
#include "sys/thread.h"

enum {
    TNI_PRIORITY_LEVELS = 16, /* at most, of a model */
    TNI_SHAPES_KEPT = 64,     /* of a model, without jobs, for their costs */
    TNI_SHAPES_QUEUED = 1024  /* of a model, with jobs */
};

typedef struct tni_scheduler tni_scheduler;
typedef struct tni_queue tni_queue;
typedef struct tni_shape tni_shape;

/* A run context with what it reads a batch from. */
typedef struct tni_run_slot {
    struct tni_run_slot *next; /* of those that are free */
    tni_queue *queue;
    tn_run *run;
    size_t size;    /* of this block */
    size_t holders; /* jobs whose outputs are in it */
    bool counted;   /* in n_held of the queue */
    uint64_t key;   /* shape and rows that it ran last */
    int64_t rows;
    tn_tensor **bound; /* n_inputs: gathered or reshaped, or NULL */
    void **gathered;   /* n_inputs buffers of gathered_bytes */
    size_t *gathered_bytes;
} tni_run_slot;

typedef struct tni_batch tni_batch;

typedef struct tni_job_private {
    tni_job *job;
    tni_queue *queue;
    tni_shape *shape; /* NULL when not queued */
    tni_batch *batch; /* that runs it, or NULL */
    struct tni_job_private *prev, *next;
    uint32_t level;
    int64_t rows;
    uint64_t key;
    uint64_t bytes;
    uint64_t deadline_ns;
    uint64_t cost_ns;   /* predicted, in the queue's sum */
    bool counted_out;   /* in n_cancelled of its batch */
    size_t size;        /* of this block */
    tni_run_slot *slot; /* that outputs are held in */
    tn_tensor **own;    /* outputs made for this job alone, or NULL each */
    const tn_tensor **outputs;
} tni_job_private;

typedef struct tni_lane {
    tni_job_private *head, *tail;
} tni_lane;

/* Jobs whose tensors agree in all but the batch dimension. */
struct tni_shape {
    tni_shape *next;
    uint64_t key;
    size_t n_jobs, n_running;
    int64_t rows;
    uint64_t used_ns; /* when last */
    tni_batch_cost cost;
    tni_lane lanes[TNI_PRIORITY_LEVELS];
};

/* What the configuration says of a model's queue. */
typedef struct tni_queue_opts {
    int64_t max_batch_size;
    uint64_t max_delay_ns;
    int64_t preferred_rows; /* a batch of so many need not wait; 0: the most */
    uint32_t n_levels, default_level;
    uint64_t default_timeout_ns;
    uint64_t max_jobs;   /* 0: none */
    bool keep_order;     /* one batch at a time */
    bool wide;           /* a run takes all cores */
    size_t n_run_inputs; /* of the session */
    uint64_t run_bytes;  /* of a run context */
} tni_queue_opts;

struct tni_queue {
    tni_scheduler *sched;
    tni_served *model;
    tni_queue_opts opts;
    tn_session *session;
    tni_shape *shapes;
    size_t n_shapes, n_jobs;
    int64_t rows;
    uint64_t bytes, cost_ns;
    int n_running;
    uint64_t share_ns;      /* compute time had, from where it began to queue */
    tni_queue *prev, *next; /* of those with jobs */
    tni_run_slot *free_slots;
    size_t n_held, held_most; /* run contexts that outputs are in */
    tni_model_counts counts;
};

typedef struct tni_scheduler_opts {
    int n_threads;
    uint64_t max_queue_ns, max_queue_bytes;
    tni_mem *mem;
} tni_scheduler_opts;

/* What a compute thread does now. */
struct tni_batch {
    tni_queue *queue; /* NULL: nothing */
    tni_shape *shape;
    tni_run_slot *slot;
    tni_job_private *first, *last; /* by next */
    size_t n_jobs, n_cancelled;
    int64_t rows;
    uint64_t key, cost_ns;
    bool held;                /* counted in n_held of the queue */
    bool may_hold;            /* outputs may stay in the run context */
    bool ok, alone;           /* it ran; its jobs ran one by one */
    tni_job_private *dropped; /* cancelled or expired in the queue */
};

struct tni_scheduler {
    tni_mem *mem;
    tni_scheduler_opts opts;
    tni_monitor *lock; /* over everything below and all queues */
    tni_queue *active; /* with jobs */
    size_t n_active;
    size_t n_pending; /* jobs queued or running */
    uint64_t bytes;
    uint64_t virtual_ns; /* share of the queue that ran last */
    int n_idle, n_wide;
    tni_job_private *cancelled; /* taken out of their queues, by next */
    bool closing, stopping;
    tni_batch *batches; /* opts.n_threads */
    tni_thread **threads;
};

tn_status tni_scheduler_new(tni_scheduler **out, const tni_scheduler_opts *opts,
                            tn_err *err);
/* Refuses new jobs, finishes what it has or cancels it after timeout_ns, joins
 * the threads; NULL allowed. Jobs that are done may still be released. */
void tni_scheduler_stop(tni_scheduler *s, uint64_t timeout_ns);
/* After stop, when no queue is left. */
void tni_scheduler_free(tni_scheduler *s);

/* The queue lies in the model's memory, which a reference keeps. */
void tni_queue_init(tni_queue *q, tni_scheduler *s, tni_served *model,
                    tn_session *session, const tni_queue_opts *opts);
/* When no reference to the model is left: frees run contexts and shapes. */
void tni_queue_fini(tni_queue *q);
/* The shape of a key, made when there is none; under the lock. NULL when
 * memory is out or there are too many. */
tni_shape *tni_queue_shape(tni_queue *q, uint64_t key);
/* Puts a job at the end of its lane, takes one out of it; under the lock. */
void tni_queue_push(tni_queue *q, tni_shape *shape, tni_job_private *j);
void tni_queue_take(tni_job_private *j);
/* A free run context, best one that ran the like before, NULL when one must be
 * made; under the lock. */
tni_run_slot *tni_queue_slot(tni_queue *q, uint64_t key, int64_t rows);
/* One job less whose outputs are in it; under the lock. */
void tni_queue_let_go(tni_queue *q, tni_run_slot *slot);
/* Makes one; not under the lock. */
tn_status tni_run_slot_new(tni_run_slot **out, tni_queue *q, tn_err *err);

/* Runs the jobs of a batch, not under the lock: fills their times, states and
 * outputs. */
void tni_batch_run(tni_batch *b);
/* What tensors have in common with others that may share a batch. */
uint64_t tni_shape_key(tn_tensor *const *inputs, size_t n, bool batched);
/* Whether two jobs of the same key really agree. */
bool tni_jobs_agree(const tni_job_private *a, const tni_job_private *b);

/* Counts a job that was refused, one that ended, a run of some; under the
 * lock. */
void tni_counts_refused(tni_model_counts *c, tn_status status);
void tni_counts_job(tni_model_counts *c, const tni_job *job, int64_t rows);
void tni_counts_batch(tni_model_counts *c, int64_t rows, const tni_job *job);

#endif
