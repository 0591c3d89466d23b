/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_http1.c - HTTP/1.1 on a connection: one exchange after the other
 *
 * A request is read into one buffer up to the end of its head; its body goes
 * from the socket straight to where the application finds it. While an answer
 * is made or sent nothing more is parsed, and nothing read: what a peer sends
 * ahead waits in the system, which slows the peer down.
 */
#include "serve/body.h"
#include "serve/conn.h"
#include "serve/http1.h"
#include "sys/clock.h"

enum {
    /* A head, and what may come behind it in the same packet. */
    BUFFER_BYTES = TNI_HTTP1_MAX_HEAD + 4096,
    REPLY_BYTES = 16384,
    READS_AT_ONCE = 64
};

typedef enum h1_state {
    H1_HEAD,
    H1_BODY,   /* of a known length */
    H1_CHUNKS, /* of an unknown one */
    H1_BUSY,   /* the application has the exchange */
    H1_ANSWERED
} h1_state;

typedef struct http1 {
    tni_exchange x;
    tni_conn *c;
    h1_state state;
    bool keep;     /* the connection, after this answer */
    bool body_due; /* some of the body was not read */
    bool sending;  /* a streamed answer has begun */
    uint64_t max_body, body_since_ns;
    tni_coding coding;
    tni_body body;
    size_t have, used; /* bytes of buffer read, and of them done with */
    tni_http1_chunks chunks;
    tni_http1_head head;
    uint8_t buffer[BUFFER_BYTES];
} http1;

static http1 *of_exchange(tni_exchange *x)
{
    return (http1 *)(void *)x; /* its first member */
}

/* --- answers ---------------------------------------------------------------- */

static void release_pieces(const tni_piece *pieces, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (pieces[i].release != NULL) pieces[i].release(pieces[i].ctx);
}

static bool put_head(http1 *h, const tni_answer *a, bool streamed,
                     uint64_t length)
{
    char buf[REPLY_BYTES];
    const bool old = h->head.minor == 0;
    tni_http1_reply r = {.status = a->status,
                         .minor = h->head.minor,
                         .keep_alive = h->keep,
                         .chunked = streamed && !old,
                         .endless = streamed && old,
                         .no_length = a->status < 200 || a->status == 204,
                         .length = length,
                         .content_type = a->content_type,
                         .date = tni_loop_date(h->c->loop),
                         .headers = a->headers,
                         .n_headers = a->n_headers};
    size_t n = tni_http1_write_head(buf, sizeof buf, &r);
    if (n == 0) {
        /* Only headers can be that long: without them it is an answer still. */
        r.n_headers = 0;
        n = tni_http1_write_head(buf, sizeof buf, &r);
    }
    return n != 0 && tni_outq_copy(&h->c->out, buf, n);
}

/* The exchange is over: its body goes when all before it is sent. */
static void end_exchange(http1 *h)
{
    tni_conn *c = h->c;
    h->state = H1_ANSWERED;
    if (c->fd < 0)
        tni_body_release(h->body.p);
    else
        (void)tni_outq_add(&c->out, NULL, 0, tni_body_release, h->body.p);
    h->body = (tni_body){NULL, 0, 0};
}

static void h1_answer(tni_exchange *x, const tni_answer *a)
{
    http1 *h = of_exchange(x);
    tni_conn *c = h->c;
    tni_conn_enter(c);
    if (c->loop->phase != TNI_PHASE_OPEN || h->body_due) h->keep = false;
    const bool silent = tni_span_is(x->method, "HEAD");
    uint64_t length = 0;
    for (size_t i = 0; i < a->n_pieces; i++) length += a->pieces[i].size;
    bool good = c->fd >= 0 && put_head(h, a, false, length);
    if (!good || silent)
        release_pieces(a->pieces, a->n_pieces);
    else
        good = tni_outq_add_pieces(&c->out, a->pieces, a->n_pieces);
    end_exchange(h);
    if (!good) tni_conn_doom(c);
    tni_conn_leave_later(c);
}

static void h1_send(tni_exchange *x, const tni_piece *pieces, size_t n)
{
    http1 *h = of_exchange(x);
    tni_conn *c = h->c;
    tni_conn_enter(c);
    uint64_t length = 0;
    for (size_t i = 0; i < n; i++) length += pieces[i].size;
    bool good = c->fd >= 0 && c->out.bytes <= TNI_OUT_MAX;
    if (good && !h->sending) {
        const tni_answer a = {.status = 200,
                              .content_type = "text/event-stream"};
        if (h->head.minor == 0 || c->loop->phase != TNI_PHASE_OPEN)
            h->keep = false;
        h->sending = true;
        good = put_head(h, &a, true, 0);
    }
    char head[TNI_HTTP1_CHUNK_HEAD];
    const bool chunked = h->head.minor != 0;
    if (good && chunked && length != 0)
        good = tni_outq_copy(&c->out, head, tni_http1_chunk_head(head, length));
    if (good)
        good = tni_outq_add_pieces(&c->out, pieces, n);
    else
        release_pieces(pieces, n);
    if (good && chunked && length != 0)
        good = tni_outq_copy(&c->out, "\r\n", 2);
    if (!good) tni_conn_doom(c);
    tni_conn_leave_later(c);
}

/* An error of the server itself, as JSON. */
static void refuse(http1 *h, int status, const char *message)
{
    char text[TNI_ERROR_MAX];
    const size_t n = tni_error_json(text, message);
    tni_header more = {tni_span_of("Retry-After"), tni_span_of("1")};
    if (status == 501)
        more = (tni_header){tni_span_of("Accept-Encoding"),
                            tni_span_of("gzip, deflate")};
    const tni_answer a = {.status = status,
                          .content_type = "application/json",
                          .headers = &more,
                          .n_headers = status == 503 || status == 501 ? 1 : 0};
    h->keep = false;
    tni_loop_add(&h->c->loop->shared.refused, 1);
    if (!put_head(h, &a, false, n) || !tni_outq_copy(&h->c->out, text, n))
        tni_conn_doom(h->c);
    end_exchange(h);
}

static void h1_finish(tni_exchange *x, int status, const char *message)
{
    http1 *h = of_exchange(x);
    tni_conn *c = h->c;
    tni_conn_enter(c);
    if (c->fd >= 0 && !h->sending) {
        refuse(h, status, message != NULL ? message : "");
    } else {
        if (c->fd >= 0 && h->head.minor != 0 &&
            !tni_outq_copy(&c->out, "0\r\n\r\n", 5))
            tni_conn_doom(c);
        end_exchange(h);
    }
    tni_conn_leave_later(c);
}

static const tni_transport transport = {h1_answer, h1_send, h1_finish};

/* --- requests --------------------------------------------------------------- */

static void begin_exchange(http1 *h)
{
    tni_exchange *x = &h->x;
    memset(x, 0, sizeof *x);
    x->loop = h->c->loop;
    x->carrier = TNI_REST;
    x->tls = h->c->tls != NULL;
    x->method = h->head.method;
    x->path = h->head.path;
    x->query = h->head.query;
    x->headers = h->head.fields;
    x->n_headers = h->head.n_fields;
    x->start_ns = tni_clock_ns();
    memcpy(x->peer, h->c->peer, sizeof x->peer);
    x->transport = &transport;
    h->sending = false;
    h->keep = h->head.keep_alive;
    h->max_body = h->c->loop->opts.max_body;
    tni_loop_add(&h->c->loop->shared.requests, 1);
}

static bool unpack(http1 *h)
{
    tn_err err = {.code = TN_OK};
    const tn_status s = tni_body_unpack(&h->body, h->c->loop->opts.bodies,
                                        h->coding, (size_t)h->max_body, &err);
    if (s != TN_OK)
        refuse(h,
               s == TN_ELIMIT   ? 413
               : s == TN_ENOMEM ? 503
                                : 400,
               err.message);
    return s == TN_OK;
}

/* The body is whole. */
static void hand_over(http1 *h)
{
    tni_conn *c = h->c;
    tni_loop *l = c->loop;
    c->deadline_ns = 0;
    h->body_due = false;
    if (h->coding != TNI_CODING_IDENTITY && !unpack(h)) return;
    h->x.body = h->body.p;
    h->x.body_len = h->body.len;
    h->state = H1_BUSY;
    l->opts.app->request(l->opts.app->ctx, &h->x);
}

static const char too_large[] =
    "the body is longer than the server's limit for it";
static const char no_room[] =
    "the requests in flight take all memory that is for them; try again";

static void begin_body(http1 *h)
{
    tni_conn *c = h->c;
    h->body_since_ns = tni_clock_ns();
    c->deadline_ns =
        tni_conn_due(c, h->body_since_ns, c->loop->opts.read_timeout_ns, 0);
    if (h->head.expect_continue && h->used == h->have &&
        !tni_outq_copy(&c->out, "HTTP/1.1 100 Continue\r\n\r\n", 25)) {
        tni_conn_lose(c);
        return;
    }
    if (h->head.chunked) {
        memset(&h->chunks, 0, sizeof h->chunks);
        h->state = H1_CHUNKS;
        return;
    }
    if (!tni_body_reserve(&h->body, c->loop->opts.bodies,
                          (size_t)h->head.length)) {
        refuse(h, 503, no_room);
        return;
    }
    size_t n = h->have - h->used;
    if (n > h->head.length) n = (size_t)h->head.length;
    if (n != 0) memcpy(h->body.p, h->buffer + h->used, n);
    h->body.len = n;
    h->used += n;
    h->state = H1_BODY;
}

/* The head is whole: asks the application, then begins with the body. */
static void head_done(http1 *h)
{
    const tni_app *app = h->c->loop->opts.app;
    h->used = h->head.size;
    h->c->deadline_ns = 0;
    begin_exchange(h);
    const tni_exchange *x = &h->x;
    h->body_due = h->head.chunked || h->head.length != 0;
    h->coding = tni_coding_of(tni_exchange_header(x, "content-encoding"));
    h->state = H1_BUSY;
    if (h->coding == TNI_CODING_OTHER) {
        refuse(h, 501,
               "this Content-Encoding is not known; expected gzip, "
               "deflate or identity");
        return;
    }
    if (h->head.length > h->max_body) {
        refuse(h, 413, too_large);
        return;
    }
    if (!app->head(app->ctx, &h->x, &h->max_body)) return;
    if (h->c->fd < 0) return;
    if (h->head.length > h->max_body)
        refuse(h, 413, too_large);
    else if (h->body_due)
        begin_body(h);
    else
        hand_over(h);
}

static void bad_request(http1 *h, int status, const char *reason)
{
    h->body_due = true;
    refuse(h, status, reason);
}

/* Decodes what the buffer holds behind what was used. */
static void take_chunks(http1 *h)
{
    while (h->state == H1_CHUNKS) {
        const uint8_t *data = NULL;
        size_t used = 0, len = 0;
        const tni_http1_step step =
            tni_http1_chunks_feed(&h->chunks, h->buffer + h->used,
                                  h->have - h->used, &used, &data, &len);
        h->used += used;
        if (step == TNI_HTTP1_MORE) return;
        if (step == TNI_HTTP1_DONE) {
            hand_over(h);
        } else if (step == TNI_HTTP1_BAD) {
            bad_request(h, h->chunks.status, h->chunks.reason);
        } else {
            const tn_status s =
                tni_body_append(&h->body, h->c->loop->opts.bodies, data, len,
                                (size_t)h->max_body);
            if (s == TN_ELIMIT) refuse(h, 413, too_large);
            if (s == TN_ENOMEM) refuse(h, 503, no_room);
        }
    }
}

/* After an answer went out: the next request, part of which may be there. */
static void next_request(http1 *h)
{
    tni_conn *c = h->c;
    h->have -= h->used;
    if (h->have != 0) memmove(h->buffer, h->buffer + h->used, h->have);
    h->used = 0;
    h->state = H1_HEAD;
    tni_http1_head_init(&h->head);
    const tni_loop_opts *o = &c->loop->opts;
    c->deadline_ns = tni_clock_ns() +
                     (h->have != 0 ? o->header_timeout_ns : o->idle_timeout_ns);
}

static void read_head(http1 *h)
{
    tni_conn *c = h->c;
    const size_t n =
        tni_conn_read(c, h->buffer + h->have, BUFFER_BYTES - h->have);
    if (n != 0 && h->have == 0)
        c->deadline_ns = tni_clock_ns() + c->loop->opts.header_timeout_ns;
    h->have += n;
}

static void read_body(http1 *h)
{
    tni_conn *c = h->c;
    const size_t n = tni_conn_read(c, h->body.p + h->body.len,
                                   (size_t)h->head.length - h->body.len);
    h->body.len += n;
}

/* Behind the head, whose fields the application looks at. */
static void read_chunks(http1 *h)
{
    if (h->used == h->have) h->used = h->have = h->head.size;
    h->have += tni_conn_read(h->c, h->buffer + h->have, BUFFER_BYTES - h->have);
}

/* One step of reading; false when nothing came. */
static bool read_more(http1 *h)
{
    tni_conn *c = h->c;
    const size_t before = h->have + h->body.len;
    const h1_state state = h->state;
    if (state == H1_HEAD)
        read_head(h);
    else if (state == H1_BODY)
        read_body(h);
    else
        read_chunks(h);
    if (c->fd < 0) return false;
    const bool more = h->have + h->body.len != before ||
                      (state == H1_CHUNKS && h->have != h->used);
    if (!more && c->peer_done) tni_conn_lose(c); /* in mid-request, or idle */
    if (more && state != H1_HEAD)
        c->deadline_ns = tni_conn_due(
            c, h->body_since_ns, c->loop->opts.read_timeout_ns, h->body.len);
    return more;
}

/* One step of what needs no reading; false when more must be read. */
static bool step(http1 *h)
{
    if (h->state == H1_ANSWERED) {
        if (!h->keep)
            h->c->closing = true;
        else
            next_request(h);
        return true;
    }
    if (h->state == H1_BODY) {
        if (h->body.len != h->head.length) return false;
        hand_over(h);
        return true;
    }
    if (h->state == H1_CHUNKS) {
        take_chunks(h);
        return h->state != H1_CHUNKS;
    }
    const tni_http1_step s = tni_http1_head_feed(&h->head, h->buffer, h->have);
    if (s == TNI_HTTP1_MORE) return false;
    if (s == TNI_HTTP1_DONE) {
        head_done(h);
    } else {
        begin_exchange(h);
        bad_request(h, h->head.status, h->head.reason);
    }
    return true;
}

static void h1_drive(tni_conn *c)
{
    http1 *h = c->p;
    /* After some reads the other connections have their turn; the poller tells
     * of this one again, unless TLS holds what it has read already. */
    for (int reads = 0;;) {
        if (!tni_conn_flush(c) || c->closing) break;
        if (h->state == H1_BUSY) break;
        if (!step(h)) {
            if (++reads > READS_AT_ONCE && !tni_conn_holds(c)) break;
            if (!read_more(h)) break;
        }
        if (c->fd < 0) return;
    }
    if (c->fd < 0) return;
    c->want_read = c->out.bytes == 0 && h->state <= H1_CHUNKS;
}

static bool h1_busy(const tni_conn *c)
{
    const http1 *h = c->p;
    return h->state == H1_BUSY;
}

static void h1_lost(tni_conn *c)
{
    http1 *h = c->p;
    tni_body *b = &h->body;
    if (h->state != H1_BUSY) {
        tni_body_clear(b);
        return;
    }
    tni_exchange *x = &h->x;
    x->cancelled = true;
    if (x->on_cancel != NULL) x->on_cancel(x);
}

static void h1_late(tni_conn *c, uint64_t now)
{
    http1 *h = c->p;
    (void)now;
    if (h->state == H1_BUSY) return;
    tni_loop_add(&c->loop->shared.timeouts, 1);
    if (h->state == H1_HEAD && h->have == 0) {
        c->closing = true;
        return;
    }
    if (h->state == H1_HEAD) begin_exchange(h);
    bad_request(h, 408, "the request did not come in time");
}

static void h1_drain(tni_conn *c, bool final)
{
    const http1 *h = c->p;
    if (final && h->state == H1_HEAD && h->have == 0) c->closing = true;
}

static void h1_free(tni_conn *c)
{
    http1 *h = c->p;
    tni_body_clear(&h->body);
    tni_mem_free(c->loop->opts.mem, h, sizeof *h, _Alignof(http1));
}

static const tni_protocol protocol = {h1_drive, h1_lost,  h1_busy,
                                      h1_late,  h1_drain, h1_free};

bool tni_http1_attach(tni_conn *c)
{
    http1 *h = tni_mem_alloc(c->loop->opts.mem, sizeof *h, _Alignof(http1));
    if (h == NULL) return false;
    /* The buffer and the table of fields need no zeroing. */
    memset(h, 0, offsetof(http1, head));
    h->c = c;
    tni_http1_head_init(&h->head);
    memcpy(h->buffer, c->sniffed, c->n_sniffed);
    h->have = c->n_sniffed;
    c->p = h;
    c->protocol = &protocol;
    return true;
}
