/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_answer.c - answers over HTTP/2, of REST and of gRPC
 *
 * An answer is its head, given to libnghttp2, and what the stream's queue
 * holds. When libnghttp2 has room for a DATA frame it asks how much there is,
 * and its payload moves from that queue to the connection's as it lies there,
 * without a copy.
 */
#include "serve/h2.h"

enum {
    FIELDS = 40, /* of an answer; with more, the application's are left out */
    TEXT = 4096
};

/* The fields of a head, their text beside them. */
typedef struct head {
    nghttp2_nv nv[FIELDS];
    size_t n, used;
    bool full;
    char text[TEXT];
} head;

static uint8_t *bytes_of(const char *p)
{
    return (uint8_t *)(uintptr_t)p; /* libnghttp2 only reads them */
}

/* Text that outlives the call into libnghttp2. */
static void add(head *h, const char *name, tni_span value, uint8_t flags)
{
    if (h->n == FIELDS) {
        h->full = true;
        return;
    }
    h->nv[h->n++] = (nghttp2_nv){bytes_of(name), bytes_of(value.p),
                                 strlen(name), value.len, flags};
}

static void add_constant(head *h, const char *name, const char *value)
{
    add(h, name, tni_span_of(value),
        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE);
}

static void add_number(head *h, const char *name, uint64_t v)
{
    char digits[24], *p = digits + sizeof digits;
    do *--p = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    const size_t n = (size_t)(digits + sizeof digits - p);
    if (n > TEXT - h->used) {
        h->full = true;
        return;
    }
    char *at = h->text + h->used;
    memcpy(at, p, n);
    h->used += n;
    add(h, name, (tni_span){at, n}, NGHTTP2_NV_FLAG_NO_COPY_NAME);
}

/* A field of the application's: its name in lower case, its value without
 * what must not stand in one. */
static void add_field(head *h, tni_span name, tni_span value)
{
    if (h->n == FIELDS || name.len + value.len > TEXT - h->used) {
        h->full = true;
        return;
    }
    char *at = h->text + h->used, *to = at;
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.p[i];
        *to++ = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    char *const begin = to;
    for (size_t i = 0; i < value.len; i++)
        if ((uint8_t)value.p[i] >= ' ' && value.p[i] != 0x7f)
            *to++ = value.p[i];
    h->nv[h->n++] = (nghttp2_nv){bytes_of(at), bytes_of(begin), name.len,
                                 (size_t)(to - begin), NGHTTP2_NV_FLAG_NONE};
    h->used += (size_t)(to - at);
}

static void add_fields(head *h, const tni_header *fields, size_t n)
{
    const size_t n_before = h->n, used_before = h->used;
    for (size_t i = 0; i < n; i++)
        add_field(h, fields[i].name, fields[i].value);
    if (!h->full) return;
    h->n = n_before;
    h->used = used_before;
    h->full = false;
}

static void add_status(head *h, int code, const char *note, size_t note_len)
{
    add_number(h, "grpc-status", code < 0 ? 2 : (uint64_t)code);
    if (note_len != 0)
        add(h, "grpc-message", (tni_span){note, note_len},
            NGHTTP2_NV_FLAG_NO_COPY_NAME);
}

/* --- what libnghttp2 asks for ------------------------------------------------ */

static void put_trailers(tni_h2_stream *s)
{
    head t;
    t.n = t.used = 0;
    t.full = false;
    add_status(&t, s->status, s->note, s->note_size);
    (void)nghttp2_submit_trailer(s->h->session, s->id, t.nv, t.n);
}

/* How much there is to send; the bytes are taken by tni_h2_send_data. */
static ssize_t look(nghttp2_session *session, int32_t id, uint8_t *buf,
                    size_t len, uint32_t *flags, nghttp2_data_source *source,
                    void *ctx)
{
    tni_h2_stream *s = source->ptr;
    (void)session;
    (void)id;
    (void)buf;
    (void)ctx;
    const size_t n = len < s->out.bytes ? len : s->out.bytes;
    const bool last = s->final && n == s->out.bytes;
    if (n == 0 && !last) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (last && s->x.carrier == TNI_GRPC) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        put_trailers(s);
    }
    return (ssize_t)n;
}

int tni_h2_send_data(tni_h2_stream *s, const uint8_t *frame_head, size_t size)
{
    tni_conn *c = s->h->c;
    if (c->out.bytes >= TNI_H2_OUT) return NGHTTP2_ERR_WOULDBLOCK;
    if (!tni_outq_copy(&c->out, frame_head, 9) ||
        !tni_outq_move(&c->out, &s->out, size))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    s->written += size;
    if (s->unconsumed != 0 && s->out.bytes <= TNI_H2_AHEAD / 2) {
        (void)nghttp2_session_consume_stream(s->h->session, s->id,
                                             s->unconsumed);
        s->unconsumed = 0;
    }
    return 0;
}

/* --- the transport's -------------------------------------------------------- */

static void release_pieces(const tni_piece *pieces, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pieces[i].release != NULL) pieces[i].release(pieces[i].ctx);
}

static uint64_t length_of(const tni_piece *pieces, size_t n)
{
    uint64_t length = 0;
    for (size_t i = 0; i < n; i++) length += pieces[i].size;
    return length;
}

static tni_h2_stream *of_exchange(tni_exchange *x)
{
    return (tni_h2_stream *)(void *)x; /* its first member */
}

/* Gives a head to libnghttp2; with `body` what the queue holds follows. */
static bool begin(tni_h2_stream *s, const head *h, bool body)
{
    const nghttp2_data_provider from = {{.ptr = s}, look};
    s->begun = true;
    const int e = nghttp2_submit_response(s->h->session, s->id, h->nv, h->n,
                                          body ? &from : NULL);
    return e == 0;
}

/* More is there, or nothing more will come. */
static void go_on(tni_h2_stream *s)
{
    (void)nghttp2_session_resume_data(s->h->session, s->id);
}

static void begin_head(head *h, tni_h2_stream *s, int status,
                       const char *content_type)
{
    char digits[4] = {(char)('0' + status / 100 % 10),
                      (char)('0' + status / 10 % 10), (char)('0' + status % 10),
                      '\0'};
    h->n = h->used = 0;
    h->full = false;
    memcpy(h->text, digits, 3);
    h->used = 3;
    add(h, ":status", (tni_span){h->text, 3}, NGHTTP2_NV_FLAG_NO_COPY_NAME);
    if (s->x.carrier == TNI_GRPC) {
        add_constant(h, "content-type", "application/grpc");
        add_constant(h, "grpc-accept-encoding", "identity,deflate,gzip");
        return;
    }
    add(h, "date", tni_span_of(tni_loop_date(s->h->c->loop)),
        NGHTTP2_NV_FLAG_NO_COPY_NAME);
    if (content_type != NULL)
        add(h, "content-type", tni_span_of(content_type),
            NGHTTP2_NV_FLAG_NO_COPY_NAME);
}

/* The exchange is over: its body goes when all before it is sent. */
static void end_exchange(tni_h2_stream *s)
{
    if (s->state == TNI_H2_OWNED) s->h->n_owned--;
    s->state = TNI_H2_ENDED;
    s->final = true;
    (void)tni_outq_add(&s->out, NULL, 0,
                       s->body.p != NULL ? tni_body_release : NULL, s->body.p);
    s->body = (tni_body){NULL, 0, 0};
    tni_grpc_reader_fini(&s->grpc);
    if (!s->open) tni_h2_stream_free(s);
}

/* A status of gRPC and no message: one head says it all. */
static bool only_trailers(tni_h2_stream *s, int code, const char *message,
                          const tni_header *fields, size_t n)
{
    head h;
    char note[TNI_GRPC_MAX_NOTE * 3];
    begin_head(&h, s, 200, NULL);
    add_status(&h, code, note,
               message != NULL ? tni_grpc_note(note, message) : 0);
    add_fields(&h, fields, n);
    s->final = true;
    return begin(s, &h, false);
}

/* What the trailers will say. Without memory they say no more than the code. */
static void set_status(tni_h2_stream *s, int code, const char *message)
{
    s->final = true;
    s->status = code;
    if (message == NULL || message[0] == '\0') return;
    char note[TNI_GRPC_MAX_NOTE * 3];
    const size_t n = tni_grpc_note(note, message);
    s->note = tni_mem_alloc(s->h->c->loop->opts.mem, n, 1);
    if (s->note == NULL) return;
    memcpy(s->note, note, n);
    s->note_size = n;
}

/* A message with its prefix into the queue; the pieces are taken over. */
static bool put_message(tni_h2_stream *s, const tni_piece *pieces, size_t n)
{
    uint8_t prefix[TNI_GRPC_PREFIX];
    if (!tni_grpc_prefix(prefix, length_of(pieces, n)) ||
        !tni_outq_copy(&s->out, prefix, sizeof prefix)) {
        release_pieces(pieces, n);
        return false;
    }
    return tni_outq_add_pieces(&s->out, pieces, n);
}

static bool begin_stream(tni_h2_stream *s)
{
    head h;
    begin_head(&h, s, 200, "text/event-stream");
    return s->begun || begin(s, &h, true);
}

static bool answer_grpc(tni_h2_stream *s, const tni_answer *a)
{
    if (a->status != 0) {
        release_pieces(a->pieces, a->n_pieces);
        if (!s->begun)
            return only_trailers(s, a->status, a->message, a->headers,
                                 a->n_headers);
        set_status(s, a->status, a->message);
        go_on(s);
        return true;
    }
    if (!put_message(s, a->pieces, a->n_pieces)) return false;
    set_status(s, 0, a->message);
    if (s->begun) {
        go_on(s);
        return true;
    }
    head h;
    begin_head(&h, s, 200, NULL);
    add_fields(&h, a->headers, a->n_headers);
    return begin(s, &h, true);
}

static bool answer_rest(tni_h2_stream *s, const tni_answer *a)
{
    const uint64_t length = length_of(a->pieces, a->n_pieces);
    const bool none = a->status < 200 || a->status == 204 || a->status == 304;
    const bool silent = none || tni_span_is(s->x.method, "HEAD");
    head h;
    begin_head(&h, s, a->status, a->content_type);
    if (!none) add_number(&h, "content-length", length);
    add_fields(&h, a->headers, a->n_headers);
    s->final = true;
    if (silent || s->begun) {
        release_pieces(a->pieces, a->n_pieces);
    } else if (!tni_outq_add_pieces(&s->out, a->pieces, a->n_pieces)) {
        return false;
    }
    if (s->begun) {
        go_on(s);
        return true;
    }
    return begin(s, &h, !silent && length != 0);
}

static void h2_answer(tni_exchange *x, const tni_answer *a)
{
    tni_h2_stream *s = of_exchange(x);
    tni_conn *c = s->h->c;
    bool good = true;
    tni_conn_enter(c);
    if (c->fd < 0 || !s->open || s->cut)
        release_pieces(a->pieces, a->n_pieces);
    else
        good = x->carrier == TNI_GRPC ? answer_grpc(s, a) : answer_rest(s, a);
    end_exchange(s);
    if (!good) tni_conn_doom(c);
    tni_conn_leave_later(c);
}

static void h2_send(tni_exchange *x, const tni_piece *pieces, size_t n)
{
    tni_h2_stream *s = of_exchange(x);
    tni_conn *c = s->h->c;
    tni_conn_enter(c);
    const bool gone = c->fd < 0 || !s->open || s->cut;
    bool good = true;
    if (gone || s->out.bytes > TNI_OUT_MAX) {
        release_pieces(pieces, n);
        /* A peer that has been sent so much that it does not read. */
        if (!gone) {
            s->cut = true;
            good = nghttp2_submit_rst_stream(s->h->session, NGHTTP2_FLAG_NONE,
                                             s->id, NGHTTP2_CANCEL) == 0;
        }
    } else {
        good = x->carrier == TNI_GRPC ? put_message(s, pieces, n)
                                      : tni_outq_add_pieces(&s->out, pieces, n);
        good = good && begin_stream(s);
        if (good) go_on(s);
    }
    if (!good) tni_conn_doom(c);
    tni_conn_leave_later(c);
}

static void h2_finish(tni_exchange *x, int status, const char *message)
{
    tni_h2_stream *s = of_exchange(x);
    tni_conn *c = s->h->c;
    bool good = true;
    tni_conn_enter(c);
    if (c->fd < 0 || !s->open || s->cut) {
        end_exchange(s);
    } else if (!s->begun && x->carrier == TNI_REST) {
        tni_h2_refuse(s, status, 0, message != NULL ? message : "");
    } else {
        if (!s->begun) {
            good = only_trailers(s, status, message, NULL, 0);
        } else {
            set_status(s, status, message);
            go_on(s);
        }
        end_exchange(s);
    }
    if (!good) tni_conn_doom(c);
    tni_conn_leave_later(c);
}

const tni_transport tni_h2_transport = {h2_answer, h2_send, h2_finish};

/* --- errors of the server itself ---------------------------------------------- */

static bool refuse_rest(tni_h2_stream *s, int status, const char *message)
{
    char text[TNI_ERROR_MAX];
    const size_t n = tni_error_json(text, message);
    head h;
    begin_head(&h, s, status, "application/json");
    add_number(&h, "content-length", n);
    if (status == 503) add_constant(&h, "retry-after", "1");
    if (status == 501) add_constant(&h, "accept-encoding", "gzip, deflate");
    s->final = true;
    const bool silent = tni_span_is(s->x.method, "HEAD");
    return (silent || tni_outq_copy(&s->out, text, n)) && begin(s, &h, !silent);
}

void tni_h2_refuse(tni_h2_stream *s, int http, int grpc, const char *message)
{
    tni_conn *c = s->h->c;
    tni_loop_add(&c->loop->shared.refused, 1);
    const bool good = s->x.carrier == TNI_GRPC
                          ? only_trailers(s, grpc, message, NULL, 0)
                          : refuse_rest(s, http, message);
    end_exchange(s);
    if (!good) tni_conn_doom(c);
}

void tni_h2_cut(tni_h2_stream *s, int grpc, const char *message)
{
    tni_conn *c = s->h->c;
    bool good = true;
    s->cut = true;
    tni_grpc_reader_fini(&s->grpc);
    tni_loop_add(&c->loop->shared.refused, 1);
    /* Of a REST answer there is nothing to say any more. */
    if (s->x.carrier == TNI_REST) {
        good = nghttp2_submit_rst_stream(s->h->session, NGHTTP2_FLAG_NONE,
                                         s->id, NGHTTP2_CANCEL) == 0;
    } else if (!s->begun) {
        good = only_trailers(s, grpc, message, NULL, 0);
    } else {
        set_status(s, grpc, message);
        go_on(s);
    }
    if (!s->x.cancelled) {
        s->x.cancelled = true;
        if (s->x.on_cancel != NULL) s->x.on_cancel(&s->x);
    }
    if (!good) tni_conn_doom(c);
}
