/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_grpc_stream.c - gRPC methods that stream
 *
 * ModelStreamInfer: each message is a request of its own, and answers go out in
 * the order of the requests, whichever is done first. A request that fails is
 * an answer with a message; the stream goes on.
 *
 * Reflection: each question is answered at once; the exchange has no state.
 *
 * The stream is freed when its exchange has ended and its last call has.
 */
#include "base/wire.h"
#include "serve/api_grpc.h"
#include "serve/reflection.h"

#include <string.h>

typedef struct stream stream;

/* A request of the stream. */
typedef struct entry {
    struct entry *next;
    stream *s;
    tni_call *call;
    bool done;
    tni_proto head; /* what stands before the answer's pieces */
    tni_reply reply;
    char failure[352];
} entry;

struct stream {
    tni_api *api;
    tni_exchange *x;     /* NULL once it has ended */
    entry *first, *last; /* not sent yet */
    size_t n;            /* and those whose bytes are on their way */
    bool half_closed;
    /* Nothing is sent any more; it ends when no job runs for it. */
    bool dead;
    int status;
    const char *message;
};

static void free_stream(stream *s)
{
    tni_mem_free(&s->api->mem, s, sizeof *s, 16);
}

/* Ends the exchange when there is nothing to wait for. `s` may be gone then. */
static void end_if_over(stream *s)
{
    if (s->x == NULL || s->first != NULL || !(s->dead || s->half_closed))
        return;
    tni_exchange *x = s->x;
    const bool empty = s->n == 0;
    const int status = s->status;
    const char *message = s->message;
    s->x = NULL;
    x->on_cancel = NULL;
    tni_exchange_finish(x, status, message);
    if (empty) free_stream(s);
}

/* The answer has been sent, or never will be. */
static void release_entry(void *ctx)
{
    entry *e = ctx;
    tni_api *api = e->s->api;
    stream *s = e->s;
    s->n--;
    tni_call_free(e->call);
    tni_mem_free(&api->mem, e, sizeof *e, 16);
    if (s->n == 0 && s->x == NULL) free_stream(s);
}

/* ModelStreamInferResponse: error_message 1, infer_response 2. */
static void send_entry(stream *s, entry *e)
{
    tni_arena *arena = &e->call->arena;
    const size_t n = e->reply.n_pieces;
    tni_piece *pieces = TNI_NEW_ARRAY(arena, tni_piece, n + 1);
    tni_piece failed = {"\x0a\x0d"
                        "out of memory",
                        15, release_entry, e};
    tni_proto_init(&e->head, arena);
    uint64_t size = 0;
    for (size_t i = 0; i < n; i++) size += e->reply.pieces[i].size;
    if (e->failure[0] != '\0')
        tni_proto_text(&e->head, 1, e->failure);
    else
        tni_proto_bytes_head(&e->head, 2, size);
    if (pieces == NULL || !tni_proto_good(&e->head)) {
        tni_exchange_send(s->x, &failed, 1);
        return;
    }
    size_t k = 0;
    pieces[k++] = (tni_piece){e->head.bytes, e->head.at, NULL, NULL};
    for (size_t i = 0; i < n && e->failure[0] == '\0'; i++)
        pieces[k++] = e->reply.pieces[i];
    pieces[k - 1].release = release_entry;
    pieces[k - 1].ctx = e;
    tni_exchange_send(s->x, pieces, k);
}

/* Sends what is done, up to the first that is not. `s` may be gone after. */
static void advance(stream *s)
{
    while (s->first != NULL && s->first->done) {
        entry *e = s->first;
        s->first = e->next;
        if (s->first == NULL) s->last = NULL;
        if (s->dead)
            release_entry(e);
        else
            send_entry(s, e);
    }
    end_if_over(s);
}

/* No more is read or sent; what runs need not. */
static void give_up(stream *s, int status, const char *message)
{
    s->dead = true;
    s->status = status;
    s->message = message;
    for (entry *e = s->first; e != NULL; e = e->next)
        if (!e->done) tni_job_cancel(&e->call->job);
    advance(s);
}

static void fail_entry(entry *e, const tn_err *err)
{
    const size_t n = strlen(err->message);
    const size_t most = sizeof e->failure - 1;
    memcpy(e->failure, err->message, n < most ? n : most);
    e->failure[n < most ? n : most] = '\0';
    if (n == 0) memcpy(e->failure, "failed", 7);
    e->done = true;
}

static void inferred(tni_post *post)
{
    tni_call *call = tni_call_of_post(post);
    entry *e = call->stream_entry;
    tn_err err;
    tni_err_clear(&err);
    tn_status s = call->job.status;
    if (s != TN_OK)
        err = call->job.err;
    else
        s = tni_infer_write_grpc(&call->infer, call->job.outputs, &e->reply,
                                 &err);
    if (s != TN_OK)
        fail_entry(e, &err);
    else
        e->done = true;
    advance(e->s);
}

static void job_done(tni_job *job)
{
    tni_call_back(job->ctx, inferred);
}

static void lost(tni_exchange *x)
{
    give_up(x->state, 1, NULL);
}

static entry *new_entry(stream *s)
{
    entry *e = tni_mem_alloc(&s->api->mem, sizeof *e, 16);
    if (e == NULL) return NULL;
    memset(e, 0, sizeof *e);
    e->s = s;
    e->call = tni_call_new(s->api, s->x);
    if (e->call == NULL) {
        tni_mem_free(&s->api->mem, e, sizeof *e, 16);
        return NULL;
    }
    e->call->stream_entry = e;
    if (s->last != NULL)
        s->last->next = e;
    else
        s->first = e;
    s->last = e;
    s->n++;
    return e;
}

static void reflection_lost(tni_exchange *x)
{
    x->on_cancel = NULL;
    tni_exchange_finish(x, 1, NULL);
}

/* The message is there during the call only, the tensors are views into it. */
static uint8_t *keep_message(tni_call *call, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = tni_arena_alloc(&call->arena, size + 1, 64);
    if (copy != NULL && size > 0) memcpy(copy, bytes, size);
    return copy;
}

static void release_call(void *ctx)
{
    tni_call_free(ctx);
}

/* Each question is answered at once. */
static void reflect(tni_api *api, tni_exchange *x, const uint8_t *bytes,
                    size_t size)
{
    tni_proto w;
    tn_err err;
    tni_call *call = tni_call_new(api, x);
    tni_err_clear(&err);
    x->on_cancel = NULL;
    if (call == NULL) {
        tni_exchange_finish(x, 8, "out of memory");
        return;
    }
    tni_proto_init(&w, &call->arena);
    const tn_status s = tni_reflect(&w, bytes, size, &err);
    if (s != TN_OK || !tni_proto_good(&w)) {
        tni_exchange_finish(x, s != TN_OK ? 3 : 8,
                            s != TN_OK ? err.message : "out of memory");
        tni_call_free(call);
        return;
    }
    x->on_cancel = reflection_lost;
    const tni_piece piece = {w.bytes, w.at, release_call, call};
    tni_exchange_send(x, &piece, 1);
}

void tni_grpc_message(tni_api *api, tni_exchange *x, uint8_t *bytes,
                      size_t size)
{
    stream *s = x->state;
    tn_err err;
    tni_err_clear(&err);
    if (s == NULL) {
        reflect(api, x, bytes, size);
        return;
    }
    if (s->dead) return;
    if (s->n >= api->opts.max_stream_requests) {
        give_up(s, 8, "too many requests of this stream wait for answers");
        return;
    }
    entry *e = new_entry(s);
    if (e == NULL) {
        give_up(s, 8, "out of memory");
        return;
    }
    uint8_t *copy = keep_message(e->call, bytes, size);
    tn_status status = copy != NULL
                           ? tni_grpc_read_infer(e->call, copy, size, &err)
                           : tni_fail(&err, TN_ENOMEM, "out of memory");
    if (status == TN_OK)
        status = tni_call_submit(e->call, job_done, NULL, &err);
    if (status == TN_OK) return;
    fail_entry(e, &err);
    advance(s);
}

void tni_grpc_half_close(tni_api *api, tni_exchange *x)
{
    stream *s = x->state;
    (void)api;
    if (s == NULL) {
        x->on_cancel = NULL;
        tni_exchange_finish(x, 0, NULL);
        return;
    }
    s->half_closed = true;
    advance(s);
}

/* --- methods -------------------------------------------------------------- */

static const tni_route infer_method = {
    "/inference.GRPCInferenceService/ModelStreamInfer",
    false,
    true,
    TNI_GROUP_INFER,
    true,
    NULL};

static const tni_route reflection_methods[] = {
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", false, true,
     TNI_GROUP_INFER, false, NULL},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", false,
     true, TNI_GROUP_INFER, false, NULL},
};

const tni_route *tni_grpc_stream_method(tni_span path)
{
    for (size_t i = 0; i < 2; i++)
        if (tni_span_is(path, reflection_methods[i].name))
            return &reflection_methods[i];
    return tni_span_is(path, infer_method.name) ? &infer_method : NULL;
}

bool tni_grpc_stream_begin(tni_api *api, tni_exchange *x,
                           const tni_route *method)
{
    if (method != &infer_method) {
        x->streaming = true;
        x->state = NULL; /* which tells it from a stream of requests */
        x->on_cancel = reflection_lost;
        return true;
    }
    stream *s = tni_mem_alloc(&api->mem, sizeof *s, 16);
    if (s == NULL) {
        const tni_answer a = {.status = 8, .message = "out of memory"};
        tni_exchange_answer(x, &a);
        return false;
    }
    memset(s, 0, sizeof *s);
    s->api = api;
    s->x = x;
    x->streaming = true;
    x->state = s;
    x->on_cancel = lost;
    return true;
}
