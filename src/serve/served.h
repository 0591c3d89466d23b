/* SPDX-License-Identifier: Apache-2.0 */
/* served.h - a model that is loaded: its ports, session and queue */
#ifndef TN_SRC_SERVE_SERVED_H
#define TN_SRC_SERVE_SERVED_H

#include "serve/model_config.h"
#include "serve/scheduler.h"

typedef struct tni_served_private {
    tni_served pub;
    _Atomic size_t refs;
    /* The last reference is gone: on any thread, to be freed on another. */
    void (*gone)(void *ctx, struct tni_served_private *p);
    void *gone_ctx;
    struct tni_served_private *next; /* of those to be freed */
    void *owner;                     /* the version it served as */
    tni_mem *mem;
    tni_arena arena;
    tn_model *model;
    tn_session *session;
    tni_model_config config;
    bool *any_rank;     /* of inputs */
    size_t *run_output; /* of outputs: their number in the model file */
    tni_queue queue;
    bool queued;    /* the queue is there */
    bool batchable; /* each output has a row for each of a batch */
    uint64_t load_ns, bytes;
} tni_served_private;

/* What a model is loaded with. */
typedef struct tni_served_opts {
    const char *name, *version, *path; /* of the model file */
    const char *config_path;           /* NULL: none */
    tni_span config;                   /* as JSON, in its place; or empty */
    const char *folder;                /* of labels; NULL: none */
    const char *root;                  /* that files must be in; or NULL */
    tni_scheduler *sched;
    uint32_t session_flags;
    int64_t default_max_batch;
    uint64_t max_bytes; /* 0: none */
    const tn_limits *limits;
    const tn_logger *logger;
    tni_mem *mem;
} tni_served_opts;

/* The configuration as far as files say: from `json` when that is not empty,
 * else from the file when there is one. */
tn_status tni_served_config_read(tni_model_config *c, const char *path,
                                 tni_span json, tni_arena *arena, tn_err *err);
/* With one reference. */
tn_status tni_served_open(tni_served_private **out, const tni_served_opts *opts,
                          tn_err *err);
/* Without any. */
void tni_served_free(tni_served_private *p);

tni_queue *tni_served_queue(const tni_served *m);
/* The model takes the input with any number of dimensions. */
bool tni_served_any_rank(const tni_served *m, size_t input);
size_t tni_served_run_output(const tni_served *m, size_t output);

/* Runs it on zeros, 1, 2, 4, ... rows: chooses how many threads a run has, and
 * learns what rows cost. Sets up the queue's options. */
tn_status tni_served_warm(tni_served_private *p, const tni_served_opts *opts,
                          tni_queue_opts *queue, tni_batch_cost *cost,
                          uint64_t *key, tn_err *err);

#endif
