/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_http2.c - HTTP/2 on a connection, by libnghttp2
 *
 * libnghttp2 knows the protocol and does no input or output. What the socket
 * gives is fed to it; large payloads are read to where they belong first, so
 * that they are not copied. What it wants to send goes to the connection's
 * queue, at most so much that other streams, and the peer's next wish, come in
 * between. While the socket takes nothing, reading goes on (a peer may have to
 * get rid of a body before it listens), until there is much to say about it.
 *
 * Windows: a body is admitted before it comes, so its window is given back at
 * once; that of a stream of messages is held back while its answers wait.
 *
 * Source: RFC 9113, RFC 9218 for priorities (which are not used)
 */
#include "serve/h2.h"
#include "sys/clock.h"

enum {
    READ_BYTES = 64 * 1024,
    DIRECT_BYTES = 16 * 1024, /* from here on read to its place */
    READS_AT_ONCE = 64,
    WAITING_FRAMES = 1000, /* besides DATA; with more nothing is read */
    CONTINUATIONS = 8,
    RESETS = 1000, /* of streams by the peer; then so many a second */
    RESETS_A_SECOND = 100,
    PATIENCE = 1000, /* frames without use; then so many a second */
    PATIENCE_A_SECOND = 100,
    /* A head with more is not an honest mistake. */
    HEAD_BYTES = 16 * TNI_HTTP1_MAX_HEAD
};

/* --- what libnghttp2 tells ---------------------------------------------------- */

static tni_h2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* After what calls the application, or may lose the connection. */
static int alive(const tni_h2 *h)
{
    return h->c->fd >= 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* One frame without use: PING, SETTINGS, PRIORITY, DATA without bytes, or
 * RST_STREAM. From then on nothing new is begun. */
static void lose_patience(tni_h2 *h)
{
    const uint64_t now = tni_clock_ns();
    const uint64_t more =
        (now - h->patience_ns) / (1000000000u / PATIENCE_A_SECOND);
    if (more != 0) {
        h->patience_ns = now;
        h->patience =
            h->patience + more < PATIENCE ? h->patience + more : PATIENCE;
    }
    if (h->patience != 0) {
        h->patience--;
        return;
    }
    tni_loop_add(&h->c->loop->shared.refused, 1);
    (void)nghttp2_session_terminate_session(h->session,
                                            NGHTTP2_ENHANCE_YOUR_CALM);
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd,
                          void *ctx)
{
    tni_h2 *h = ctx;
    (void)session;
    const bool plain =
        hd->type == NGHTTP2_DATA && (hd->flags & NGHTTP2_FLAG_PADDED) == 0;
    h->data_left = plain ? hd->length : 0;
    h->data_id = hd->stream_id;
    if (hd->type == NGHTTP2_PRIORITY) lose_patience(h); /* it is not told of */
    return alive(h);
}

static int on_begin_headers(nghttp2_session *session,
                            const nghttp2_frame *frame, void *ctx)
{
    tni_h2 *h = ctx;
    const tni_loop_opts *o = &h->c->loop->opts;
    h->head_since_ns = tni_clock_ns();
    h->head_bytes = 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return alive(h);
    /* Those that the peer has reset count until the application has let go. */
    tni_h2_stream *s = h->n_streams < o->max_streams
                           ? tni_h2_stream_new(h, frame->hd.stream_id)
                           : NULL;
    if (s == NULL)
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE,
                                        frame->hd.stream_id,
                                        NGHTTP2_REFUSED_STREAM);
    else
        (void)nghttp2_session_set_stream_user_data(session, s->id, s);
    return alive(h);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *ctx)
{
    tni_h2 *h = ctx;
    (void)flags;
    /* A few bytes can stand for a large field that was sent before. */
    h->head_bytes += name_len + value_len + 32;
    if (h->head_bytes > HEAD_BYTES) return NGHTTP2_ERR_CALLBACK_FAILURE;
    tni_h2_stream *s = stream_of(session, frame->hd.stream_id);
    if (s != NULL && s->state == TNI_H2_HEAD &&
        frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        tni_h2_field(s, (tni_span){(const char *)name, name_len},
                     (tni_span){(const char *)value, value_len});
    return alive(h);
}

/* What is no field at all makes the request malformed. */
static int on_invalid_header(nghttp2_session *session,
                             const nghttp2_frame *frame, const uint8_t *name,
                             size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *ctx)
{
    (void)session;
    (void)frame;
    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    (void)ctx;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame,
                         void *ctx)
{
    tni_h2 *h = ctx;
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    tni_h2_stream *s = NULL;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        h->head_since_ns = 0;
        s = stream_of(session, frame->hd.stream_id);
        if (s != NULL && s->state == TNI_H2_HEAD)
            tni_h2_head_done(s, end);
        else if (s != NULL && end)
            tni_h2_peer_done(s);
        break;
    case NGHTTP2_DATA:
        s = stream_of(session, frame->hd.stream_id);
        if (frame->hd.length == 0 && !end) lose_patience(h);
        if (s != NULL && end) tni_h2_peer_done(s);
        break;
    case NGHTTP2_SETTINGS:
        if (!h->greeted) h->idle_since_ns = tni_clock_ns();
        h->greeted = true;
        if (!ack) lose_patience(h);
        break;
    case NGHTTP2_PING:
        if (!ack) lose_patience(h);
        break;
    case NGHTTP2_RST_STREAM: lose_patience(h); break;
    default: break;
    }
    return alive(h);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                   const uint8_t *data, size_t len, void *ctx)
{
    tni_h2 *h = ctx;
    (void)flags;
    h->data_left -= len < h->data_left ? len : h->data_left;
    if (h->patience < PATIENCE) h->patience++;
    (void)nghttp2_session_consume_connection(session, len);
    tni_h2_stream *s = stream_of(session, id);
    if (s == NULL || s->state == TNI_H2_ENDED || s->cut) return alive(h);
    tni_h2_data(s, data, len);
    if (h->c->fd < 0) return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (s->state == TNI_H2_OWNED && s->out.bytes > TNI_H2_AHEAD)
        s->unconsumed += len;
    else
        (void)nghttp2_session_consume_stream(session, id, len);
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame,
                         void *ctx)
{
    tni_h2 *h = ctx;
    const bool stream_frame =
        frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!stream_frame) return 0;
    if (h->patience < PATIENCE) h->patience++;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    /* Answered before the request had come: the rest of it is not wanted. */
    const tni_h2_stream *s = stream_of(session, frame->hd.stream_id);
    if (s != NULL && !s->peer_done)
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE,
                                        frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code,
                           void *ctx)
{
    tni_h2 *h = ctx;
    (void)code;
    tni_h2_stream *s = stream_of(session, id);
    if (s == NULL) return alive(h);
    (void)nghttp2_session_set_stream_user_data(session, id, NULL);
    tni_h2_gone(s);
    return alive(h);
}

/* As much as there is, so that small answers need no large buffer. */
static ssize_t frame_length(nghttp2_session *session, uint8_t type, int32_t id,
                            int32_t connection_window, int32_t stream_window,
                            uint32_t max_frame, void *ctx)
{
    const tni_h2_stream *s = stream_of(session, id);
    (void)type;
    (void)ctx;
    size_t n = s != NULL && s->out.bytes > 16384 ? s->out.bytes : 16384;
    if (n > TNI_H2_SEND_FRAME) n = TNI_H2_SEND_FRAME;
    if (n > max_frame) n = max_frame;
    if (connection_window < 1 || stream_window < 1) return 1;
    if (n > (size_t)connection_window) n = (size_t)connection_window;
    return (ssize_t)(n > (size_t)stream_window ? (size_t)stream_window : n);
}

static int send_data(nghttp2_session *session, nghttp2_frame *frame,
                     const uint8_t *frame_head, size_t len,
                     nghttp2_data_source *source, void *ctx)
{
    (void)session;
    (void)frame;
    (void)ctx;
    return tni_h2_send_data(source->ptr, frame_head, len);
}

/* --- the connection ------------------------------------------------------------- */

/* What libnghttp2 wants to send goes to the queue, as long as that is short;
 * whether some did. */
static bool pump(tni_h2 *h)
{
    tni_conn *c = h->c;
    bool some = false;
    while (c->fd >= 0 && c->out.bytes < TNI_H2_OUT) {
        const uint8_t *bytes = NULL;
        const size_t before = c->out.bytes;
        const ssize_t n = nghttp2_session_mem_send(h->session, &bytes);
        if (n < 0 || (n > 0 && !tni_outq_copy(&c->out, bytes, (size_t)n))) {
            tni_conn_lose(c);
            return false;
        }
        some |= c->out.bytes != before;
        if (n == 0) break;
    }
    return some;
}

/* Reads once; false when nothing came. */
static bool read_some(tni_h2 *h)
{
    tni_conn *c = h->c;
    uint8_t *to = NULL;
    const tni_h2_stream *s =
        h->data_left >= DIRECT_BYTES ? stream_of(h->session, h->data_id) : NULL;
    size_t room = s != NULL ? tni_h2_room(s, &to) : 0;
    if (room > h->data_left) room = h->data_left;
    if (room < DIRECT_BYTES) {
        to = c->loop->scratch;
        room = READ_BYTES;
    }
    const size_t n = tni_conn_read(c, to, room);
    /* Nobody who speaks HTTP/2 closes one half: without windows from the peer
     * there is no answering. */
    if (n == 0 && c->peer_done) tni_conn_lose(c);
    if (n == 0) return false;
    const ssize_t took = nghttp2_session_mem_recv(h->session, to, n);
    if (took >= 0 || c->fd < 0) return c->fd >= 0;
    tni_loop_add(&c->loop->shared.refused, 1); /* too much of something */
    tni_conn_lose(c);
    return false;
}

static bool may_read(const tni_h2 *h)
{
    return h->c->out.bytes == 0 ||
           nghttp2_session_get_outbound_queue_size(h->session) < WAITING_FRAMES;
}

static void h2_drive(tni_conn *c)
{
    tni_h2 *h = c->p;
    for (int reads = 0; c->fd >= 0;) {
        const bool some = pump(h);
        const bool sent = tni_conn_flush(c);
        if (c->fd < 0 || (!sent && !may_read(h))) break;
        if (some && sent) continue;
        if (!nghttp2_session_want_read(h->session) &&
            !nghttp2_session_want_write(h->session)) {
            c->closing = true;
            break;
        }
        if (++reads > READS_AT_ONCE && !tni_conn_holds(c)) break;
        if (!read_some(h)) break;
    }
    if (c->fd < 0) return;
    c->want_read = may_read(h);
    if (c->closing || !h->greeted) return;
    /* With streams every tick looks at each of theirs. */
    c->deadline_ns = h->n_streams != 0 || h->head_since_ns != 0
                         ? 1
                         : h->idle_since_ns + c->loop->opts.idle_timeout_ns;
}

static bool h2_busy(const tni_conn *c)
{
    const tni_h2 *h = c->p;
    return h->n_owned != 0;
}

/* The first stream that is thought to be open. */
static tni_h2_stream *first_open(const tni_h2 *h)
{
    tni_h2_stream *s = h->streams;
    while (s != NULL && !s->open) s = s->next;
    return s;
}

/* Streams that the application does not have are freed with the connection:
 * one of them may be what is just being looked at. */
static void h2_lost(tni_conn *c)
{
    const tni_h2 *h = c->p;
    for (tni_h2_stream *s = first_open(h); s != NULL; s = first_open(h)) {
        s->open = false;
        if (s->state != TNI_H2_OWNED || s->x.cancelled) continue;
        s->x.cancelled = true;
        if (s->x.on_cancel != NULL) s->x.on_cancel(&s->x);
    }
}

/* Each once, although the application, when it is told of one, may end others
 * that are freed then. */
static void tick_streams(tni_h2 *h, uint64_t now)
{
    for (tni_h2_stream *s = h->streams; s != NULL && h->c->fd >= 0;) {
        const uint64_t freed = h->n_freed;
        const bool seen = s->ticked_ns == now;
        s->ticked_ns = now;
        if (!seen) tni_h2_stream_tick(s, now);
        s = h->n_freed == freed ? s->next : h->streams;
    }
}

static void h2_late(tni_conn *c, uint64_t now)
{
    tni_h2 *h = c->p;
    const tni_loop_opts *o = &c->loop->opts;
    if (!h->greeted || (h->head_since_ns != 0 &&
                        now > h->head_since_ns + o->header_timeout_ns)) {
        tni_loop_add(&c->loop->shared.timeouts, 1);
        tni_conn_lose(c);
        return;
    }
    tick_streams(h, now);
    if (c->fd < 0) return;
    if (h->n_streams == 0 && now > h->idle_since_ns + o->idle_timeout_ns) {
        tni_loop_add(&c->loop->shared.timeouts, 1);
        (void)nghttp2_session_terminate_session(h->session, NGHTTP2_NO_ERROR);
    }
}

/* In two steps, so that a request that is on its way is still served. */
static void h2_drain(tni_conn *c, bool final)
{
    tni_h2 *h = c->p;
    if (final)
        (void)nghttp2_submit_goaway(
            h->session, NGHTTP2_FLAG_NONE,
            nghttp2_session_get_last_proc_stream_id(h->session),
            NGHTTP2_NO_ERROR, NULL, 0);
    else
        (void)nghttp2_submit_shutdown_notice(h->session);
}

static void h2_free(tni_conn *c)
{
    tni_h2 *h = c->p;
    while (h->streams != NULL) tni_h2_stream_free(h->streams);
    nghttp2_session_del(h->session);
    tni_mem_free(c->loop->opts.mem, h, sizeof *h, _Alignof(tni_h2));
}

static const tni_protocol protocol = {h2_drive, h2_lost,  h2_busy,
                                      h2_late,  h2_drain, h2_free};

static nghttp2_session *new_session(tni_h2 *h)
{
    nghttp2_session *session = NULL;
    nghttp2_session_callbacks *cb = NULL;
    nghttp2_option *option = NULL;
    if (nghttp2_session_callbacks_new(&cb) != 0) return NULL;
    nghttp2_session_callbacks_set_on_begin_frame_callback(cb, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb,
                                                            on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(cb,
                                                             on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_session_callbacks_set_data_source_read_length_callback(
        cb, frame_length);
    nghttp2_session_callbacks_set_send_data_callback(cb, send_data);
    if (nghttp2_option_new(&option) == 0) {
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_max_continuations(option, CONTINUATIONS);
        nghttp2_option_set_stream_reset_rate_limit(option, RESETS,
                                                   RESETS_A_SECOND);
        if (nghttp2_session_server_new2(&session, cb, h, option) != 0)
            session = NULL;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(cb);
    return session;
}

static bool greet(tni_h2 *h)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, h->c->loop->opts.max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, TNI_H2_WINDOW},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, TNI_H2_MAX_FRAME},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, TNI_H2_MAX_TEXT},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    return nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE,
                                                 0, TNI_H2_CONN_WINDOW) == 0;
}

bool tni_http2_attach(tni_conn *c)
{
    tni_mem *mem = c->loop->opts.mem;
    tni_h2 *h = tni_mem_alloc(mem, sizeof *h, _Alignof(tni_h2));
    if (h == NULL) return false;
    memset(h, 0, sizeof *h);
    h->c = c;
    h->patience = PATIENCE;
    h->patience_ns = tni_clock_ns();
    h->session = new_session(h);
    if (h->session == NULL) {
        tni_mem_free(mem, h, sizeof *h, _Alignof(tni_h2));
        return false;
    }
    c->p = h;
    c->protocol = &protocol;
    if (!greet(h) ||
        nghttp2_session_mem_recv(h->session, c->sniffed, c->n_sniffed) < 0)
        return false;
    if (c->loop->phase != TNI_PHASE_OPEN)
        h2_drain(c, c->loop->phase != TNI_PHASE_LAME);
    return true;
}
