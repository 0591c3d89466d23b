/* SPDX-License-Identifier: Apache-2.0 */
/* api_answer.c - a call's end: its answer, its record, its memory */
#include "serve/api_call.h"
#include "serve/serve_log.h"
#include "sys/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CALL_ARENA = 4096 };

tni_call *tni_call_new(tni_api *api, tni_exchange *x)
{
    tni_call *call = tni_mem_alloc(&api->mem, sizeof *call, 64);
    if (call == NULL) return NULL;
    memset(call, 0, sizeof *call);
    call->api = api;
    call->x = x;
    call->loop = x->loop;
    call->start_ns = x->start_ns;
    tni_arena_init(&call->arena, &api->mem, CALL_ARENA);
    if (api->opts.tracer != NULL)
        tni_tracer_begin(api->opts.tracer,
                         tni_exchange_header(x, "traceparent"),
                         &call->trace.trace);
    return call;
}

void tni_call_free(tni_call *call)
{
    if (call->submitted) tni_job_release(&call->job);
    if (call->inferring) tni_infer_end(&call->infer);
    if (call->served != NULL) tni_served_release(call->served);
    tni_arena_fini(&call->arena);
    tni_mem_free(&call->api->mem, call, sizeof *call, 64);
}

static void free_call(void *ctx)
{
    tni_call_free(ctx);
}

/* --- the record ----------------------------------------------------------- */

/* Outside text for a log line: quoted, control bytes and quotes escaped. */
static void quote(char *out, size_t size, tni_span text)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; i < text.len && n + 6 < size; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        if (c >= ' ' && c < 127 && c != '"' && c != '\\') {
            out[n++] = (char)c;
        } else {
            out[n++] = '\\';
            out[n++] = 'x';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    out[n++] = '"';
    out[n] = '\0';
}

static void log_access(const tni_call *call)
{
    const tni_exchange *x = call->x;
    char path[256], id[160], trace[48] = "";
    quote(path, sizeof path, x->path);
    quote(id, sizeof id, call->infer.id);
    if (call->api->opts.tracer != NULL) {
        memcpy(trace, " trace=", 8);
        tni_trace_id(&call->trace.trace, trace + 7);
    }
    tni_mutex_lock(call->api->log_lock);
    tni_serve_log(
        &call->api->logger, TN_LOG_INFO, "request",
        "method=%.*s path=%s status=%d bytes_in=%zu bytes_out=%llu "
        "us=%llu peer=%s%s%s%s",
        (int)x->method.len, x->method.p, path, call->status, x->body_len,
        (unsigned long long)call->sent_bytes,
        (unsigned long long)((tni_clock_ns() - call->start_ns) / 1000), x->peer,
        call->infer.id.len > 0 ? " id=" : "", call->infer.id.len > 0 ? id : "",
        trace);
    tni_mutex_unlock(call->api->log_lock);
}

static void copy_text(char *out, size_t size, const char *text, size_t len)
{
    const size_t n = len < size - 1 ? len : size - 1;
    if (n > 0) memcpy(out, text, n);
    out[n] = '\0';
}

static void trace_call(tni_call *call)
{
    tni_trace_record *r = &call->trace;
    const tni_job *j = &call->job;
    const char *name = call->route != NULL ? call->route->name : "unknown";
    copy_text(r->name, sizeof r->name, name, strlen(name));
    if (call->served != NULL) {
        copy_text(r->model, sizeof r->model, call->served->name,
                  strlen(call->served->name));
        copy_text(r->version, sizeof r->version, call->served->version,
                  strlen(call->served->version));
    }
    copy_text(r->request_id, sizeof r->request_id, call->infer.id.p,
              call->infer.id.len);
    r->status = call->status;
    r->start_ns = call->start_ns;
    r->end_ns = tni_clock_ns();
    if (call->submitted && j->status == TN_OK) {
        const uint64_t at[] = {j->enqueue_ns, j->start_ns, j->input_end_ns,
                               j->infer_end_ns, j->end_ns};
        for (int i = 0; i < TNI_TRACE_STAGES; i++) {
            r->stage[i].start_ns = at[i];
            r->stage[i].end_ns = at[i + 1];
        }
    }
    tni_tracer_add(call->api->opts.tracer, r);
}

/* The one way out: the pieces are sent, the call is freed behind the last. */
static void answer(tni_call *call, tni_answer *a, tni_piece *pieces, size_t n)
{
    tni_exchange *x = call->x;
    tni_piece none = {"", 0, NULL, NULL};
    call->status = a->status;
    for (size_t i = 0; i < n; i++) call->sent_bytes += pieces[i].size;
    if (call->api->opts.access_log) log_access(call);
    if (call->api->opts.tracer != NULL) trace_call(call);
    if (n == 0) {
        pieces = &none;
        n = 1;
    }
    pieces[n - 1].release = free_call;
    pieces[n - 1].ctx = call;
    a->pieces = pieces;
    a->n_pieces = n;
    call->x = NULL;
    tni_exchange_answer(x, a);
}

void tni_call_text(tni_call *call, int status, const char *type,
                   const void *bytes, size_t size)
{
    tni_piece piece = {bytes, size, NULL, NULL};
    tni_answer a = {.status = status, .content_type = type};
    answer(call, &a, &piece, 1);
}

/* --- errors --------------------------------------------------------------- */

static int status_of(tn_status code)
{
    switch (code) {
    case TN_OK: return 200;
    case TN_EINVAL:
    case TN_EFORMAT:
    case TN_ELIMIT: return 400;
    case TN_ENOTFOUND: return 404;
    case TN_EUNSUPPORTED: return 501;
    case TN_ENOMEM:
    case TN_EBUSY:
    case TN_ECANCELED:
    case TN_ETIMEOUT: return 503;
    case TN_EIO:
    case TN_EINTERNAL: break;
    }
    return 500;
}

/* gRPC's codes. */
enum {
    GRPC_CANCELLED = 1,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_UNAUTHENTICATED = 16
};

/* What is refused while it is queued for has run into a limit; a model that
 * is not there yet is not available. */
static int grpc_of(const tni_call *call, tn_status code)
{
    switch (code) {
    case TN_OK: return 0;
    case TN_EINVAL:
    case TN_EFORMAT:
    case TN_ELIMIT: return GRPC_INVALID_ARGUMENT;
    case TN_ENOTFOUND: return GRPC_NOT_FOUND;
    case TN_EUNSUPPORTED: return GRPC_UNIMPLEMENTED;
    case TN_ENOMEM: return GRPC_RESOURCE_EXHAUSTED;
    case TN_EBUSY:
        return call->inferring ? GRPC_RESOURCE_EXHAUSTED : GRPC_UNAVAILABLE;
    case TN_ECANCELED: return GRPC_CANCELLED;
    case TN_ETIMEOUT: return GRPC_DEADLINE_EXCEEDED;
    case TN_EIO:
    case TN_EINTERNAL: break;
    }
    return GRPC_INTERNAL;
}

static int grpc_of_http(int status)
{
    switch (status) {
    case 400: return GRPC_INVALID_ARGUMENT;
    case 401: return GRPC_UNAUTHENTICATED;
    case 403: return GRPC_PERMISSION_DENIED;
    case 404: return GRPC_NOT_FOUND;
    case 501: return GRPC_UNIMPLEMENTED;
    case 503: return GRPC_UNAVAILABLE;
    default: return GRPC_INTERNAL;
    }
}

static void refuse_grpc(tni_call *call, int code, const char *message)
{
    copy_text(call->trace.failure, sizeof call->trace.failure, message,
              strlen(message));
    tni_answer a = {.status = code, .message = message};
    answer(call, &a, NULL, 0);
}

static void refuse(tni_call *call, int status, const char *message)
{
    static const char lost[] = "{\"error\":\"out of memory\"}";
    const tni_header retry_after = {tni_span_of("retry-after"),
                                    tni_span_of(call->api->retry_after)};
    const tni_header authenticate = {tni_span_of("www-authenticate"),
                                     tni_span_of("Bearer")};
    const tni_header allow = {
        tni_span_of("allow"),
        tni_span_of(call->route == NULL                     ? ""
                    : call->route->get && call->route->post ? "GET, HEAD, POST"
                    : call->route->get                      ? "GET, HEAD"
                                                            : "POST")};
    copy_text(call->trace.failure, sizeof call->trace.failure, message,
              strlen(message));
    tni_text t;
    tni_call_begin(call, &t);
    tni_out_str(&t.out, "{\"error\":");
    tni_out_json(&t.out, message, strlen(message));
    tni_out_char(&t.out, '}');
    tni_piece piece = {lost, sizeof lost - 1, NULL, NULL};
    if (tni_out_flush(&t.out) == TN_OK && t.n_pieces > 0) piece = t.pieces[0];
    tni_answer a = {.status = status, .content_type = "application/json"};
    if (status == 503) a.headers = &retry_after;
    if (status == 401) a.headers = &authenticate;
    if (status == 405) a.headers = &allow;
    a.n_headers = a.headers != NULL ? 1 : 0;
    answer(call, &a, &piece, 1);
}

void tni_call_done(tni_call *call, int status)
{
    tni_answer a = {.status = status};
    if (call->x->carrier == TNI_GRPC) {
        /* An empty message says it all. */
        a.status = status == 200 ? 0 : grpc_of_http(status);
        a.content_type = "application/grpc";
    }
    answer(call, &a, NULL, 0);
}

void tni_call_fail(tni_call *call, tn_status code, const tn_err *err)
{
    char message[sizeof err->where + sizeof err->message + 4];
    (void)snprintf(message, sizeof message, "%s%s%s", err->where,
                   err->where[0] != '\0' ? ": " : "", err->message);
    if (call->x->carrier == TNI_GRPC)
        refuse_grpc(call, grpc_of(call, code), message);
    else
        refuse(call, status_of(code), message);
}

void tni_call_refuse(tni_call *call, int status, const char *fmt, ...)
{
    char message[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (call->x->carrier == TNI_GRPC)
        refuse_grpc(call, grpc_of_http(status), message);
    else
        refuse(call, status, message);
}

void tni_call_begin(tni_call *call, tni_text *t)
{
    tni_text_begin(t, &call->arena, SIZE_MAX);
}

void tni_call_answer(tni_call *call, tni_text *t, int status, const char *type)
{
    const tn_status s = tni_out_flush(&t->out);
    if (s != TN_OK) {
        tni_call_fail(call, s, &t->err);
        return;
    }
    tni_answer a = {.status = status, .content_type = type};
    answer(call, &a, t->pieces, t->n_pieces);
}

void tni_call_message(tni_call *call, const tni_proto *w)
{
    tn_err err;
    tni_err_clear(&err);
    if (!tni_proto_good(w)) {
        (void)!tni_fail(&err, TN_ENOMEM, "no memory for the answer");
        tni_call_fail(call, TN_ENOMEM, &err);
        return;
    }
    tni_piece piece = {w->bytes, w->at, NULL, NULL};
    tni_answer a = {.status = 0, .content_type = "application/grpc"};
    answer(call, &a, &piece, 1);
}

void tni_call_reply(tni_call *call, const tni_reply *reply)
{
    if (call->x->carrier == TNI_GRPC) {
        tni_answer a = {.status = 0, .content_type = "application/grpc"};
        answer(call, &a, reply->pieces, reply->n_pieces);
        return;
    }
    char length[24];
    (void)snprintf(length, sizeof length, "%zu", reply->json_bytes);
    const tni_header header = {tni_span_of("inference-header-content-length"),
                               tni_span_of(length)};
    tni_answer a = {.status = 200, .content_type = "application/json"};
    if (reply->binary) {
        a.content_type = "application/octet-stream";
        a.headers = &header;
        a.n_headers = 1;
    }
    answer(call, &a, reply->pieces, reply->n_pieces);
}

void tni_call_page(tni_call *call, const void *bytes, size_t size,
                   const char *policy)
{
    const tni_header headers[] = {
        {tni_span_of("content-security-policy"), tni_span_of(policy)},
        {tni_span_of("x-content-type-options"), tni_span_of("nosniff")},
        {tni_span_of("referrer-policy"), tni_span_of("no-referrer")},
        {tni_span_of("cache-control"), tni_span_of("no-cache")}};
    tni_piece piece = {bytes, size, NULL, NULL};
    tni_answer a = {.status = 200,
                    .content_type = "text/html; charset=utf-8",
                    .headers = headers,
                    .n_headers = sizeof headers / sizeof *headers};
    answer(call, &a, &piece, 1);
}
