/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.h - the application behind the transports: every endpoint, REST and gRPC
 *
 *     tni_api_new(&api, &opts, &err);
 *     const tni_app *app = tni_api_app(api);    for the transports
 *     tni_api_set_state(api, TNI_API_SERVING);  ready as soon as the models are
 *     tni_api_set_state(api, TNI_API_DRAINING); not ready, still serving
 *     tni_api_free(api);                        once every exchange has ended
 *
 * Threads: the app's functions on the I/O thread of each exchange, any number
 * of I/O threads; tni_api_set_state from any.
 */
#ifndef TN_SRC_SERVE_API_H
#define TN_SRC_SERVE_API_H

#include "serve/exchange.h"
#include "serve/models.h"
#include "serve/tracer.h"

typedef struct tni_api tni_api; /* locked */

/* What the server does beyond answering about models. */
typedef struct tni_api_hooks {
    void *ctx;
    /* How much is logged. NULL: /v2/logging is refused. */
    tn_log_level (*log_level)(void *ctx);
    void (*set_log_level)(void *ctx, tn_log_level level);
    /* More lines for /metrics (connections, memory …), or NULL. */
    void (*metrics)(void *ctx, tni_out *text);
} tni_api_hooks;

typedef struct tni_api_opts {
    tni_repository *repo;
    const char *server_name; /* NULL: "tenon" */
    /* Bearer tokens; NULL or "": that group is open. Health needs none. */
    const char *infer_token;      /* infer and what describes models */
    const char *control_token;    /* repository, logging, trace; NULL: the
                                     infer_token */
    const char *metrics_token;    /* /metrics; NULL: open */
    bool allow_control;           /* load and unload models, change settings */
    uint64_t max_body_bytes;      /* of infer; 0: 64 MiB. Others: 1 MiB */
    uint64_t max_answer_bytes;    /* of JSON; 0: 1 GiB */
    uint32_t max_stream_requests; /* in flight in one gRPC stream; 0: 256 */
    uint32_t retry_after_s;       /* Retry-After of a 503; 0: 1 */
    bool access_log;              /* a record "request" of each, at INFO */
    tni_tracer *tracer;           /* the caller's; NULL: no traces */
    tni_api_hooks hooks;
    const tn_logger *logger;
    const tn_allocator *allocator;
} tni_api_opts;

tn_status tni_api_new(tni_api **out, const tni_api_opts *opts, tn_err *err);
void tni_api_free(tni_api *api);

const tni_app *tni_api_app(const tni_api *api);

typedef enum tni_api_state {
    TNI_API_STARTING, /* live, not ready */
    TNI_API_SERVING,  /* ready when tni_repository_ready says so */
    TNI_API_DRAINING  /* not ready; requests are still answered */
} tni_api_state;
void tni_api_set_state(tni_api *api, tni_api_state state);

#endif
