/* SPDX-License-Identifier: Apache-2.0 */
/*
 * models.h - the models being served: which there are, and running them
 *
 *     tni_served *m = tni_repository_get(repo, name, version, &err);
 *     … describe: m's inputs and outputs, build a job …
 *     tni_job_submit(job, &err);      refused at once, or job->done is called
 *     tni_served_release(m);
 *
 * Threads: everything here may be called from any thread; job->done is called
 * on a compute thread.
 */
#ifndef TN_SRC_SERVE_MODELS_H
#define TN_SRC_SERVE_MODELS_H

#include "base/json.h"
#include "tenon/session.h"

#include <stdatomic.h>

enum { TNI_MODEL_NAME_MAX = 128 }; /* of [A-Za-z0-9._-], not starting with . */

typedef struct tni_repository tni_repository;

/* An input or output as clients see it. */
typedef struct tni_port {
    const char *name;
    tn_dtype dtype;
    int rank;
    const int64_t *dims; /* -1: any; the batch dimension included */
    bool optional;
    const char *const *labels; /* of classes, from the configuration, or NULL */
    size_t n_labels;
} tni_port;

/* One version of a model, loaded; counted references. Immutable but for what
 * tni_model_counts reads. */
typedef struct tni_served {
    const char *name;
    const char *version;  /* "1" */
    const char *platform; /* "onnxruntime_onnx", as clients expect */
    const tni_port *inputs, *outputs; /* the model file's order */
    size_t n_inputs, n_outputs;
    /* > 0: dimension 0 of every port is the batch, at most this. 0: requests
     * run one by one. */
    int64_t max_batch_size;
    uint64_t default_timeout_ns; /* 0: none */
    struct tni_served_private *priv;
} tni_served;

/* TN_ENOTFOUND: unknown model or version; TN_EBUSY: known, not ready (loading,
 * unloading, failed: the message says which and why). `version` "" is the
 * highest that is ready. */
tni_served *tni_repository_get(tni_repository *repo, tni_span name,
                               tni_span version, tn_err *err);
void tni_served_retain(tni_served *m);
void tni_served_release(tni_served *m);

/* Triton's ModelConfig as JSON, snake_case, what the file said and what was
 * completed from the model. */
void tni_served_config(const tni_served *m, tni_out *json);

/* The versions of a model that are ready, lowest first, in the arena. */
tn_status tni_repository_versions(tni_repository *repo, tni_span name,
                                  const char ***versions, size_t *n,
                                  tni_arena *arena, tn_err *err);

typedef enum tni_model_state {
    TNI_MODEL_UNKNOWN,
    TNI_MODEL_READY,
    TNI_MODEL_UNAVAILABLE,
    TNI_MODEL_LOADING,
    TNI_MODEL_UNLOADING
} tni_model_state;

typedef struct tni_index_entry {
    const char *name, *version; /* version "" when none was ever loaded */
    tni_model_state state;
    const char *reason; /* "" or why it is not ready */
} tni_index_entry;

/* Every model, by name and version, copied to the arena. */
tn_status tni_repository_index(tni_repository *repo, bool ready_only,
                               tni_index_entry **out, size_t *n,
                               tni_arena *arena, tn_err *err);
/* Whether everything asked for at the start is loaded. */
bool tni_repository_ready(tni_repository *repo);
/* Whether some of it is still being loaded. */
bool tni_repository_loading(tni_repository *repo);

/* Loads or reloads, or unloads, a model in the background and calls done once,
 * on another thread. Only in explicit mode: TN_EUNSUPPORTED otherwise.
 * `config`: a ModelConfig as JSON that takes the place of the file's, or
 * empty. */
typedef struct tni_load {
    void (*done)(struct tni_load *load);
    tn_status status; /* of done */
    tn_err err;
    void *ctx; /* the caller's */
} tni_load;
tn_status tni_repository_load(tni_repository *repo, tni_span name,
                              tni_span config, tni_load *load, tn_err *err);
tn_status tni_repository_unload(tni_repository *repo, tni_span name,
                                tni_load *load, tn_err *err);

/* --- running ------------------------------------------------------------ */

typedef struct tni_job tni_job;
struct tni_job {
    /* Filled by the caller, unchanged until done. */
    tni_served *model;        /* the job holds a reference of its own */
    tn_tensor *const *inputs; /* model->n_inputs, NULL for an optional one left
                               out; checked by submit against the ports */
    const bool *wanted;       /* model->n_outputs; NULL: all */
    uint64_t deadline_ns;     /* tni_clock_ns() time; 0: none */
    uint32_t priority;        /* 1 the highest; 0: the model's default */
    void (*done)(tni_job *job); /* once, on a compute thread: no lock held */
    void *ctx;                  /* the caller's */

    /* Filled before done. */
    tn_status status; /* TN_ETIMEOUT, TN_ECANCELED, or what the run gave */
    tn_err err;
    /* model->n_outputs; NULL where not wanted. Rows of this job only; valid
     * until tni_job_release. */
    const tn_tensor *const *outputs;
    uint64_t enqueue_ns, start_ns, input_end_ns, infer_end_ns, end_ns;

    atomic_bool cancelled;
    struct tni_job_private *priv; /* the scheduler's */
};

/* Queues a job. Refused at once, done never called: TN_EINVAL (an input is
 * missing, of another dtype or shape: the message names it), TN_EBUSY (the
 * queue is full), TN_ETIMEOUT (the deadline cannot be met), TN_ENOMEM. */
tn_status tni_job_submit(tni_job *job, tn_err *err);
/* Asks a queued job to end soon with TN_ECANCELED; done is still called. */
void tni_job_cancel(tni_job *job);
/* Gives back outputs and the model; after done. */
void tni_job_release(tni_job *job);

/* --- statistics ----------------------------------------------------------- */

typedef struct tni_duration {
    uint64_t count, ns;
} tni_duration;

enum { TNI_LATENCY_BUCKETS = 24, TNI_BATCH_ROWS = 32 };

/* Bounds of the latency buckets in microseconds, ending in +Inf. */
extern const double tni_latency_bounds_us[TNI_LATENCY_BUCKETS];

typedef struct tni_batch_count {
    uint64_t batch_size;
    tni_duration input, infer, output;
} tni_batch_count;

/* A copy, taken at once. */
typedef struct tni_model_counts {
    uint64_t last_inference_ms; /* of the Unix epoch */
    uint64_t inference_count, execution_count;
    tni_duration success, fail, queue, compute_input, compute_infer,
        compute_output;
    uint64_t rejected, cancelled, timed_out, failed; /* of fail */
    uint64_t pending;
    uint64_t load_ns;
    uint64_t bytes; /* weights, packed, and run memory */
    tni_batch_count batches[TNI_BATCH_ROWS]; /* by size, n_batches of them */
    size_t n_batches;
    /* Each bucket's own count, not summed up; of those that succeeded. */
    uint64_t total_buckets[TNI_LATENCY_BUCKETS];
    uint64_t queue_buckets[TNI_LATENCY_BUCKETS];
    uint64_t infer_buckets[TNI_LATENCY_BUCKETS];
} tni_model_counts;
void tni_served_counts(const tni_served *m, tni_model_counts *out);

/* --- opening -------------------------------------------------------------- */

typedef enum tni_reload {
    TNI_RELOAD_NONE,    /* load all at the start */
    TNI_RELOAD_WATCH,   /* and follow changes */
    TNI_RELOAD_EXPLICIT /* load and unload by request; none at the start but
                           those named */
} tni_reload;

typedef struct tni_repository_opts {
    const char *const *paths; /* model files, folders of them, repositories */
    const char *const *names; /* n_paths or NULL: of the model that a path is;
                                 NULL there: named after the path */
    size_t n_paths;
    tni_reload reload;
    const char *const *load; /* explicit mode: names to load at the start;
                                "*" is all */
    size_t n_load;
    bool strict;   /* one that fails is a failure of open */
    int n_threads; /* cores to compute with; 0: all that the process has */
    uint32_t session_flags;    /* TN_SESSION_… */
    int64_t default_max_batch; /* for models with a free first dimension */
    uint64_t max_queue_ns; /* predicted wait beyond which jobs are refused */
    uint64_t max_queue_bytes;
    uint64_t max_model_bytes; /* of all models together; 0: none */
    const tn_limits *limits;
    const tn_logger *logger;
    const tn_allocator *allocator;
} tni_repository_opts;

/* Returns at once; loading goes on in the background (tni_repository_ready).
 * What is not a model or a repository is an error here. */
tn_status tni_repository_open(tni_repository **out,
                              const tni_repository_opts *opts, tn_err *err);
/* Waits until everything asked for is loaded or has failed. */
tn_status tni_repository_wait(tni_repository *repo, tn_err *err);
/* Refuses new jobs, finishes those it has (cancels them after timeout_ns),
 * joins its threads, frees. Every served reference must be released. */
void tni_repository_close(tni_repository *repo, uint64_t timeout_ns);

#endif
