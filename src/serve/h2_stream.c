/* SPDX-License-Identifier: Apache-2.0 */
/* h2_stream.c - requests of HTTP/2: heads, bodies, gRPC's messages */
#include "serve/h2.h"

#include "sys/clock.h"

static const char too_large[] =
    "the body is longer than the server's limit for it";
static const char no_room[] =
    "the requests in flight take all memory that is for them; try again";
static const char late[] = "the request did not come in time";

/* --- streams ------------------------------------------------------------- */

tni_h2_stream *tni_h2_stream_new(tni_h2 *h, int32_t id)
{
    tni_conn *c = h->c;
    tni_h2_stream *s =
        tni_mem_alloc(c->loop->opts.mem, sizeof *s, _Alignof(tni_h2_stream));
    if (s == NULL) return NULL;
    memset(s, 0, offsetof(tni_h2_stream, own_fields));
    s->h = h;
    s->id = id;
    s->open = true;
    s->fields = s->own_fields;
    s->cap_fields = TNI_H2_FIELDS;
    s->text = s->own_text;
    s->text_cap = TNI_H2_TEXT;
    tni_outq_init(&s->out, c->loop->opts.mem);
    s->next = h->streams;
    if (s->next != NULL) s->next->prev = s;
    h->streams = s;
    h->n_streams++;
    return s;
}

void tni_h2_stream_free(tni_h2_stream *s)
{
    tni_h2 *h = s->h;
    tni_conn *c = h->c;
    tni_mem *mem = c->loop->opts.mem;
    if (s->next != NULL) s->next->prev = s->prev;
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        h->streams = s->next;
    h->n_streams--;
    h->n_freed++;
    if (h->n_streams == 0) h->idle_since_ns = tni_clock_ns();
    /* Parts of it may be on their way already. */
    if (c->fd >= 0 && !tni_outq_retire(&c->out, &s->out)) tni_conn_doom(c);
    tni_outq_fini(&s->out);
    tni_body_clear(&s->body);
    tni_grpc_reader_fini(&s->grpc);
    if (s->note != NULL) tni_mem_free(mem, s->note, s->note_size, 1);
    if (s->text != s->own_text) tni_mem_free(mem, s->text, s->text_cap, 1);
    if (s->fields != s->own_fields)
        tni_mem_free(mem, s->fields, s->cap_fields * sizeof *s->fields,
                     _Alignof(tni_header));
    tni_mem_free(mem, s, sizeof *s, _Alignof(tni_h2_stream));
}

void tni_h2_gone(tni_h2_stream *s)
{
    s->open = false;
    if (s->state != TNI_H2_OWNED) {
        tni_h2_stream_free(s);
    } else if (!s->x.cancelled) {
        s->x.cancelled = true;
        if (s->x.on_cancel != NULL) s->x.on_cancel(&s->x);
    }
}

/* --- heads ---------------------------------------------------------------- */

static void move_span(tni_span *t, const char *from, const char *to)
{
    if (t->p != NULL) t->p = to + (t->p - from);
}

/* From the room that every stream has to as much as a head may take. */
static bool more_text(tni_h2_stream *s)
{
    if (s->text_cap == TNI_H2_MAX_TEXT) return false;
    tni_mem *mem = s->h->c->loop->opts.mem;
    char *text = tni_mem_alloc(mem, TNI_H2_MAX_TEXT, 1);
    if (text == NULL) return false;
    memcpy(text, s->text, s->text_len);
    for (size_t i = 0; i < s->n_fields; i++) {
        move_span(&s->fields[i].name, s->text, text);
        move_span(&s->fields[i].value, s->text, text);
    }
    move_span(&s->x.method, s->text, text);
    move_span(&s->x.path, s->text, text);
    s->text = text;
    s->text_cap = TNI_H2_MAX_TEXT;
    return true;
}

static bool more_fields(tni_h2_stream *s)
{
    tni_mem *mem = s->h->c->loop->opts.mem;
    tni_header *fields = tni_mem_alloc(
        mem, TNI_HTTP1_MAX_FIELDS * sizeof *fields, _Alignof(tni_header));
    if (fields == NULL) return false;
    memcpy(fields, s->fields, s->n_fields * sizeof *fields);
    s->fields = fields;
    s->cap_fields = TNI_HTTP1_MAX_FIELDS;
    return true;
}

/* A copy of `t`, or the head is to be refused. */
static tni_span keep(tni_h2_stream *s, tni_span t)
{
    if (t.len > s->text_cap - s->text_len &&
        (!more_text(s) || t.len > s->text_cap - s->text_len)) {
        s->head_status = s->text_cap == TNI_H2_MAX_TEXT ? 431 : 503;
        return (tni_span){NULL, 0};
    }
    char *at = s->text + s->text_len;
    if (t.len != 0) memcpy(at, t.p, t.len);
    s->text_len += t.len;
    return (tni_span){at, t.len};
}

static void add_field(tni_h2_stream *s, tni_span name, tni_span value)
{
    s->field_bytes += name.len + value.len;
    if (s->field_bytes > TNI_HTTP1_MAX_FIELD_BYTES ||
        s->n_fields == TNI_HTTP1_MAX_FIELDS) {
        s->head_status = 431;
        return;
    }
    if (s->n_fields == s->cap_fields && !more_fields(s)) {
        s->head_status = 503;
        return;
    }
    /* The second may move the first. */
    tni_header *f = &s->fields[s->n_fields++];
    *f = (tni_header){{NULL, 0}, {NULL, 0}};
    f->name = keep(s, name);
    if (s->head_status == 0) f->value = keep(s, value);
}

void tni_h2_field(tni_h2_stream *s, tni_span name, tni_span value)
{
    if (s->head_status != 0) return;
    if (name.len == 0 || name.p[0] != ':') {
        add_field(s, name, value);
    } else if (tni_span_is(name, ":method")) {
        if (value.len > TNI_HTTP1_MAX_METHOD)
            s->head_status = 501;
        else
            s->x.method = keep(s, value);
    } else if (tni_span_is(name, ":path")) {
        if (value.len > TNI_HTTP1_MAX_TARGET)
            s->head_status = 414;
        else
            s->x.path = keep(s, value);
    } else if (tni_span_is(name, ":authority")) {
        add_field(s, tni_span_of("host"), value);
    }
}

static void begin_exchange(tni_h2_stream *s)
{
    tni_exchange *x = &s->x;
    const tni_conn *c = s->h->c;
    x->loop = c->loop;
    x->carrier = tni_grpc_content_type(tni_exchange_header(x, "content-type"))
                     ? TNI_GRPC
                     : TNI_REST;
    x->tls = c->tls != NULL;
    x->start_ns = tni_clock_ns();
    x->transport = &tni_h2_transport;
    memcpy(x->peer, c->peer, sizeof x->peer);
    const char *query =
        x->path.len != 0 ? memchr(x->path.p, '?', x->path.len) : NULL;
    if (query != NULL) {
        const size_t n = (size_t)(query - x->path.p);
        x->query = (tni_span){query + 1, x->path.len - n - 1};
        x->path.len = n;
    }
    s->since_ns = x->start_ns;
    s->max_body = c->loop->opts.max_body;
    tni_loop_add(&c->loop->shared.requests, 1);
}

/* The application has it from now on. */
static void own(tni_h2_stream *s)
{
    s->state = TNI_H2_OWNED;
    s->h->n_owned++;
}

/* The request is whole. */
static void hand_over(tni_h2_stream *s)
{
    const tni_app *app = s->h->c->loop->opts.app;
    if (s->coding != TNI_CODING_IDENTITY && s->x.carrier == TNI_REST) {
        tn_err err = {.code = TN_OK};
        const tn_status e =
            tni_body_unpack(&s->body, s->h->c->loop->opts.bodies, s->coding,
                            (size_t)s->max_body, &err);
        const int http = e == TN_ELIMIT ? 413 : e == TN_ENOMEM ? 503 : 400;
        if (e != TN_OK) {
            tni_h2_refuse(s, http, 0, err.message);
            return;
        }
    }
    s->x.body = s->body.p;
    s->x.body_len = s->body.len;
    own(s);
    app->request(app->ctx, &s->x);
}

/* libnghttp2 has checked that it is a number. */
static uint64_t number(tni_span t)
{
    uint64_t n = 0;
    for (size_t i = 0; i < t.len; i++) {
        const uint64_t digit = (uint64_t)(t.p[i] - '0');
        if (n > (UINT64_MAX - 9) / 10) return UINT64_MAX;
        n = n * 10 + digit;
    }
    return n;
}

static void rest_head(tni_h2_stream *s, bool done)
{
    const tni_loop_opts *o = &s->h->c->loop->opts;
    const tni_span length = tni_exchange_header(&s->x, "content-length");
    s->has_length = length.p != NULL;
    s->length = number(length);
    s->coding = tni_coding_of(tni_exchange_header(&s->x, "content-encoding"));
    if (s->x.path.len == 0) { /* CONNECT */
        tni_h2_refuse(s, 405, 0, "this method is not served here");
        return;
    }
    if (s->coding == TNI_CODING_OTHER) {
        tni_h2_refuse(s, 501, 0,
                      "this Content-Encoding is not known; expected gzip, "
                      "deflate or identity");
        return;
    }
    if (s->length > s->max_body) {
        tni_h2_refuse(s, 413, 0, too_large);
        return;
    }
    if (!o->app->head(o->app->ctx, &s->x, &s->max_body)) return;
    if (s->h->c->fd < 0) return;
    if (s->length > s->max_body) {
        tni_h2_refuse(s, 413, 0, too_large);
        return;
    }
    s->state = TNI_H2_BODY;
    if (!tni_body_reserve(&s->body, o->bodies, (size_t)s->length)) {
        tni_h2_refuse(s, 503, 0, no_room);
        return;
    }
    const tni_span expect = tni_exchange_header(&s->x, "expect");
    if (done) {
        hand_over(s);
    } else if (tni_span_is(expect, "100-continue")) {
        const nghttp2_nv nv = {(uint8_t *)(uintptr_t) ":status",
                               (uint8_t *)(uintptr_t) "100", 7, 3,
                               NGHTTP2_NV_FLAG_NONE};
        (void)nghttp2_submit_headers(s->h->session, NGHTTP2_FLAG_NONE, s->id,
                                     NULL, &nv, 1, NULL);
    }
}

/* A head of gRPC that says nothing wrong; otherwise it is refused. */
static bool grpc_head_good(tni_h2_stream *s)
{
    tni_exchange *x = &s->x;
    const tni_span encoding = tni_exchange_header(x, "grpc-encoding");
    const tni_span timeout = tni_exchange_header(x, "grpc-timeout");
    s->grpc.coding = tni_coding_of(encoding);
    if (!tni_span_is(x->method, "POST")) {
        x->carrier = TNI_REST;
        tni_h2_refuse(s, 405, 0, "gRPC is called by POST");
        return false;
    }
    if (tni_exchange_header(x, "te").p == NULL) {
        tni_h2_refuse(s, 0, TNI_GRPC_WIRE_UNKNOWN,
                      "te: trailers is missing, which something between here "
                      "and the client may have taken away");
        return false;
    }
    if (s->grpc.coding == TNI_CODING_OTHER) {
        tni_h2_refuse(s, 0, TNI_GRPC_WIRE_UNIMPLEMENTED,
                      "this grpc-encoding is not known; expected identity, "
                      "deflate or gzip");
        return false;
    }
    uint64_t ns = 0;
    if (timeout.p == NULL) return true;
    if (!tni_grpc_timeout(timeout, &ns)) {
        tni_h2_refuse(s, 0, TNI_GRPC_WIRE_INTERNAL,
                      "grpc-timeout is malformed; expected up to eight digits "
                      "and one of H M S m u n");
        return false;
    }
    if (ns < UINT64_MAX - x->start_ns) x->deadline_ns = x->start_ns + ns;
    return true;
}

static void grpc_head(tni_h2_stream *s, bool done)
{
    const tni_app *app = s->h->c->loop->opts.app;
    if (!grpc_head_good(s) || !app->head(app->ctx, &s->x, &s->max_body)) return;
    if (s->h->c->fd < 0) return;
    s->grpc.max = s->max_body < SIZE_MAX ? (size_t)s->max_body : SIZE_MAX;
    if (s->x.streaming)
        own(s);
    else
        s->state = TNI_H2_BODY;
    if (done) tni_h2_peer_done(s);
}

void tni_h2_head_done(tni_h2_stream *s, bool done)
{
    s->peer_done = done;
    s->x.headers = s->fields;
    s->x.n_headers = s->n_fields;
    begin_exchange(s);
    if (s->head_status != 0)
        tni_h2_refuse(s, s->head_status, tni_grpc_of_http(s->head_status),
                      s->head_status == 503
                          ? no_room
                          : "the head is longer than the server's limit for "
                            "it: 8192 bytes of path and of fields, 100 "
                            "fields");
    else if (s->x.carrier == TNI_GRPC)
        grpc_head(s, done);
    else
        rest_head(s, done);
}

/* --- bodies and messages --------------------------------------------------- */

static void rest_data(tni_h2_stream *s, const uint8_t *bytes, size_t n)
{
    tni_body *b = &s->body;
    if (b->p != NULL && bytes == b->p + b->len && n <= b->cap - b->len) {
        b->len += n; /* read to its place */
        return;
    }
    const tn_status e = tni_body_append(b, s->h->c->loop->opts.bodies, bytes, n,
                                        (size_t)s->max_body);
    if (e == TN_ELIMIT) tni_h2_refuse(s, 413, 0, too_large);
    if (e == TN_ENOMEM) tni_h2_refuse(s, 503, 0, no_room);
}

static void bad_message(tni_h2_stream *s, int code, const char *reason)
{
    if (s->state == TNI_H2_OWNED)
        tni_h2_cut(s, code, reason);
    else
        tni_h2_refuse(s, 0, code, reason);
}

/* One message is whole; false when that was the last that is looked at. */
static bool take_message(tni_h2_stream *s)
{
    tni_h2 *h = s->h;
    const tni_conn *c = h->c;
    if (s->state == TNI_H2_BODY) {
        s->body = s->grpc.body;
        s->grpc.body = (tni_body){NULL, 0, 0};
        s->has_message = true;
        tni_grpc_reader_next(&s->grpc);
        return true;
    }
    const tni_app *app = c->loop->opts.app;
    tni_body message = s->grpc.body;
    s->grpc.body = (tni_body){NULL, 0, 0};
    tni_grpc_reader_next(&s->grpc);
    app->message(app->ctx, &s->x, message.p, message.len);
    tni_body_clear(&message);
    return c->fd >= 0 && s->state == TNI_H2_OWNED && !s->cut;
}

static void grpc_data(tni_h2_stream *s, const uint8_t *bytes, size_t n)
{
    tni_mem *bodies = s->h->c->loop->opts.bodies;
    for (size_t at = 0; at < n;) {
        if (s->has_message) {
            bad_message(s, TNI_GRPC_WIRE_UNIMPLEMENTED,
                        "this method takes one message; more have come");
            return;
        }
        if (!tni_grpc_reader_inside(&s->grpc) && s->state == TNI_H2_OWNED) {
            s->since_ns = tni_clock_ns();
            s->received = 0;
        }
        size_t used = 0;
        const tni_grpc_step step =
            tni_grpc_reader_feed(&s->grpc, bodies, bytes + at, n - at, &used);
        at += used;
        s->received += used;
        if (step == TNI_GRPC_BAD) {
            bad_message(s, s->grpc.status, s->grpc.reason);
            return;
        }
        if (step == TNI_GRPC_MESSAGE && !take_message(s)) return;
    }
}

void tni_h2_data(tni_h2_stream *s, const uint8_t *bytes, size_t n)
{
    if (s->x.carrier == TNI_GRPC) {
        grpc_data(s, bytes, n);
    } else {
        s->received += n;
        rest_data(s, bytes, n);
    }
}

size_t tni_h2_room(const tni_h2_stream *s, uint8_t **at)
{
    if (s->state == TNI_H2_ENDED || s->cut) return 0;
    if (s->x.carrier == TNI_GRPC) return tni_grpc_reader_room(&s->grpc, at);
    if (s->state != TNI_H2_BODY || !s->has_length || s->body.p == NULL)
        return 0;
    *at = s->body.p + s->body.len;
    return s->body.cap - s->body.len;
}

void tni_h2_peer_done(tni_h2_stream *s)
{
    const tni_app *app = s->h->c->loop->opts.app;
    s->peer_done = true;
    if (s->state == TNI_H2_ENDED || s->cut) return;
    if (s->x.carrier == TNI_GRPC && tni_grpc_reader_inside(&s->grpc))
        bad_message(s, TNI_GRPC_WIRE_INTERNAL,
                    "the stream ended inside a message");
    else if (s->state == TNI_H2_OWNED)
        app->half_close(app->ctx, &s->x);
    else if (s->x.carrier == TNI_GRPC && !s->has_message)
        bad_message(s, TNI_GRPC_WIRE_UNIMPLEMENTED,
                    "this method takes one message; none has come");
    else
        hand_over(s);
}

/* --- deadlines ------------------------------------------------------------- */

void tni_h2_stream_tick(tni_h2_stream *s, uint64_t now)
{
    const tni_conn *c = s->h->c;
    const tni_loop_opts *o = &c->loop->opts;
    const bool inside = tni_grpc_reader_inside(&s->grpc);
    const bool waits = s->state == TNI_H2_BODY ||
                       (s->state == TNI_H2_OWNED && inside && !s->cut);
    if (waits &&
        ((s->state == TNI_H2_BODY && s->x.deadline_ns != 0 &&
          now > s->x.deadline_ns) ||
         now > tni_conn_due(c, s->since_ns, o->read_timeout_ns, s->received))) {
        tni_loop_add(&c->loop->shared.timeouts, 1);
        if (s->state == TNI_H2_BODY)
            tni_h2_refuse(s, 408, TNI_GRPC_WIRE_DEADLINE, late);
        else
            tni_h2_cut(s, TNI_GRPC_WIRE_DEADLINE, late);
        return;
    }
    if (s->out.bytes == 0) {
        s->write_since_ns = 0;
    } else if (s->write_since_ns == 0) {
        s->write_since_ns = now;
        s->written = 0;
    } else if (s->open && now > tni_conn_due(c, s->write_since_ns,
                                             o->write_timeout_ns, s->written)) {
        tni_loop_add(&c->loop->shared.timeouts, 1);
        s->write_since_ns = 0;
        (void)nghttp2_submit_rst_stream(s->h->session, NGHTTP2_FLAG_NONE, s->id,
                                        NGHTTP2_CANCEL);
    }
}
