/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_call.h - inside the application: a request on its way through it
 *
 * A call is made when the whole request is there (or when it is refused
 * before), holds all that its answer needs, and is freed when the last byte of
 * the answer is sent or never will be.
 */
#ifndef TN_SRC_SERVE_API_CALL_H
#define TN_SRC_SERVE_API_CALL_H

#include "serve/api.h"
#include "serve/inference.h"
#include "serve/proto_write.h"
#include "serve/text.h"
#include "sys/mutex.h"

#include <stdatomic.h>

enum { TNI_API_JSON_BODY = 1 << 20 }; /* of requests that carry no tensors */

/* Who may call it: a bearer token for each. */
typedef enum tni_group {
    TNI_GROUP_OPEN, /* health, the page */
    TNI_GROUP_INFER,
    TNI_GROUP_CONTROL,
    TNI_GROUP_METRICS,
    TNI_GROUPS
} tni_group;

struct tni_api {
    tni_api_opts opts;
    tni_mem mem;
    tni_app app;
    tni_arena arena; /* of the texts below */
    tn_logger logger;
    tni_mutex *log_lock;
    const char *name, *retry_after;
    tni_span tokens[TNI_GROUPS]; /* p NULL: open */
    _Atomic int state;           /* tni_api_state */
};

typedef struct tni_call tni_call;

/* An endpoint. */
typedef struct tni_route {
    /* "GET /v2/models/{model}/stats", of the access log and traces. */
    const char *name;
    bool get, post;
    tni_group group;
    bool tensors; /* its body is bounded by max_body_bytes */
    void (*serve)(tni_call *call);
} tni_route;

struct tni_call {
    tni_api *api;
    tni_exchange *x; /* NULL once answered */
    tni_loop *loop;
    tni_arena arena;
    const tni_route *route;
    tni_span model, version; /* of the path, as sent until served */
    tni_post post;
    /* of an inference */
    tni_infer infer;
    bool inferring; /* infer was begun */
    bool submitted; /* the job is to be released */
    tni_job job;
    tni_served *served; /* or NULL */
    tni_load load;
    void *stream_entry; /* of a gRPC stream: its own */
    /* of the record */
    tni_trace_record trace;
    uint64_t start_ns;
    int status;
    uint64_t sent_bytes;
};

/* NULL when memory is out. */
tni_call *tni_call_new(tni_api *api, tni_exchange *x);
/* Frees it, and gives back what it holds. */
void tni_call_free(tni_call *call);

/* --- answers; each ends the call ----------------------------------------- */

/* An empty body. */
void tni_call_done(tni_call *call, int status);
/* Text of a type, whose bytes live as long as the call. */
void tni_call_text(tni_call *call, int status, const char *type,
                   const void *bytes, size_t size);
/* The same of HTML, with what a browser may let it do. */
void tni_call_page(tni_call *call, const void *bytes, size_t size,
                   const char *policy);
/* {"error": …}, with the HTTP status that fits `code` in front of it. */
void tni_call_fail(tni_call *call, tn_status code, const tn_err *err);
/* The same with a status of one's own. */
void tni_call_refuse(tni_call *call, int status, const char *fmt, ...)
    TN_PRINTF(3, 4);
/* JSON, or text, that was collected; an error when that failed. */
void tni_call_begin(tni_call *call, tni_text *t);
void tni_call_answer(tni_call *call, tni_text *t, int status, const char *type);
/* A message of gRPC that was written. */
void tni_call_message(tni_call *call, const tni_proto *w);
/* The answer of an inference. */
void tni_call_reply(tni_call *call, const tni_reply *reply);

/* --- endpoints ------------------------------------------------------------ */

/* The endpoint of a path, with the model in the call's; NULL when there is
 * none. `call` may be NULL: then only the endpoint is looked for. */
const tni_route *tni_api_route(tni_call *call, tni_span path);
/* The text of a path, percent signs undone once, in the arena; p NULL when it
 * holds what no name can: control bytes, a slash, broken escapes. */
tni_span tni_api_decode(tni_arena *arena, tni_span text);

void tni_api_page(tni_call *call);
void tni_api_live(tni_call *call);
void tni_api_ready(tni_call *call);
void tni_api_server(tni_call *call);
void tni_api_model(tni_call *call);
void tni_api_model_ready(tni_call *call);
void tni_api_model_config(tni_call *call);
void tni_api_stats(tni_call *call);
void tni_api_infer(tni_call *call);
void tni_api_index(tni_call *call);
void tni_api_load(tni_call *call);
void tni_api_unload(tni_call *call);
void tni_api_logging(tni_call *call);
void tni_api_trace(tni_call *call);
void tni_api_no_shared_memory(tni_call *call);
void tni_api_no_repository(tni_call *call);
void tni_api_metrics(tni_call *call);

/* gRPC; see api_grpc.c. */
bool tni_grpc_head(tni_api *api, tni_exchange *x, uint64_t *max_body);
void tni_grpc_request(tni_api *api, tni_exchange *x);
void tni_grpc_message(tni_api *api, tni_exchange *x, uint8_t *bytes,
                      size_t size);
void tni_grpc_half_close(tni_api *api, tni_exchange *x);

/* Whether the exchange brings the token of a group, or needs none. */
bool tni_api_allowed(const tni_api *api, const tni_exchange *x, tni_group g);
/* Whether requests for the whole server would be answered: "ready". */
bool tni_api_is_ready(const tni_api *api);
/* The model of the path, kept in the call; false when it was answered with
 * why there is none. */
bool tni_call_model(tni_call *call);
/* The versions of it that are ready, and every model; false when it was
 * answered with why not. */
bool tni_call_versions(tni_call *call, const char ***versions, size_t *n);
bool tni_call_index(tni_call *call, bool ready_only, tni_index_entry **list,
                    size_t *n);
/* Whether an entry is of the model and version that the call names; of any
 * where it names none. */
bool tni_call_names(const tni_call *call, const tni_index_entry *entry);
/* The earliest of what the request, its transport and its model say. */
void tni_call_deadline(tni_call *call);
/* Queues the job of what was read. When it is refused the call goes on;
 * otherwise on_done is called once, on a compute thread, and on_lost when the
 * peer goes away before (NULL: a stream's, which sees to that itself). */
tn_status tni_call_submit(tni_call *call, void (*on_done)(tni_job *job),
                          void (*on_lost)(tni_exchange *x), tn_err *err);
/* Hands the call to its I/O thread, which calls run(&call->post). */
void tni_call_back(tni_call *call, void (*run)(tni_post *post));
static inline tni_call *tni_call_of_post(tni_post *post)
{
    return (tni_call *)(void *)((char *)post - offsetof(tni_call, post));
}
/* A load or unload, whose answer comes later; both protocols. */
void tni_call_load(tni_call *call, bool unload, tni_span config);
bool tni_control_allowed(tni_call *call);
const char *tni_model_state_name(tni_model_state state);
/* A "count" and "ns" under a key. */
void tni_write_duration(tni_out *o, const char *name, tni_duration d);

extern const char *const tni_api_extensions[];
extern const size_t tni_api_n_extensions;

#endif
