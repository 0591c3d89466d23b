/* SPDX-License-Identifier: Apache-2.0 */
/* h2_client.h - a small client of HTTP/2 for tests, by libnghttp2 */
#ifndef TN_TESTS_H2_CLIENT_H
#define TN_TESTS_H2_CLIENT_H

#include "serve_rig.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

enum { H2_CALLS = 600, H2_HEADERS = 2048 };

typedef struct h2_call {
    int32_t id;
    int status, grpc_status; /* -1: not told */
    char message[512];       /* grpc-message, as it came */
    char headers[H2_HEADERS];
    uint8_t *body;
    size_t len;
    bool closed;
    uint32_t error; /* when closed */
    /* What is sent. */
    const uint8_t *out;
    size_t out_len;
    bool more; /* out is not all */
} h2_call;

typedef struct h2_client {
    int fd;
    SSL *ssl; /* NULL: none */
    nghttp2_session *session;
    h2_call calls[H2_CALLS];
    size_t n;
    bool lost, goaway;
    uint32_t goaway_error;
    size_t n_closed;
} h2_client;

static h2_call *h2_find(h2_client *c, int32_t id)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->calls[i].id == id) return &c->calls[i];
    return NULL;
}

static int h2_on_header(nghttp2_session *s, const nghttp2_frame *f,
                        const uint8_t *name, size_t name_len,
                        const uint8_t *value, size_t value_len, uint8_t flags,
                        void *ctx)
{
    h2_call *k = h2_find(ctx, f->hd.stream_id);
    (void)s;
    (void)flags;
    if (k == NULL) return 0;
    const size_t at = strlen(k->headers);
    if (at + name_len + value_len + 4 < sizeof k->headers)
        (void)snprintf(k->headers + at, sizeof k->headers - at, "%.*s: %.*s\n",
                       (int)name_len, (const char *)name, (int)value_len,
                       (const char *)value);
    if (strcmp((const char *)name, ":status") == 0)
        k->status = atoi((const char *)value);
    if (strcmp((const char *)name, "grpc-status") == 0)
        k->grpc_status = atoi((const char *)value);
    if (strcmp((const char *)name, "grpc-message") == 0)
        (void)snprintf(k->message, sizeof k->message, "%s",
                       (const char *)value);
    return 0;
}

static int h2_on_data(nghttp2_session *s, uint8_t flags, int32_t id,
                      const uint8_t *data, size_t len, void *ctx)
{
    h2_call *k = h2_find(ctx, id);
    (void)s;
    (void)flags;
    if (k == NULL) return 0;
    k->body = realloc(k->body, k->len + len);
    memcpy(k->body + k->len, data, len);
    k->len += len;
    return 0;
}

static int h2_on_close(nghttp2_session *s, int32_t id, uint32_t error,
                       void *ctx)
{
    h2_client *c = ctx;
    h2_call *k = h2_find(c, id);
    (void)s;
    if (k == NULL) return 0;
    k->closed = true;
    k->error = error;
    c->n_closed++;
    return 0;
}

static int h2_on_frame(nghttp2_session *s, const nghttp2_frame *f, void *ctx)
{
    h2_client *c = ctx;
    (void)s;
    if (f->hd.type == NGHTTP2_GOAWAY) {
        c->goaway = true;
        c->goaway_error = f->goaway.error_code;
    }
    return 0;
}

static ssize_t h2_write(nghttp2_session *s, const uint8_t *bytes, size_t len,
                        int flags, void *ctx)
{
    h2_client *c = ctx;
    (void)s;
    (void)flags;
    const tni_slice one = {bytes, len};
    const ptrdiff_t n = c->ssl != NULL ? SSL_write(c->ssl, bytes, (int)len)
                                       : tni_tcp_write(c->fd, &one, 1);
    if (n > 0) return n;
    c->lost = true;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static ssize_t h2_give(nghttp2_session *s, int32_t id, uint8_t *buf, size_t len,
                       uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    h2_call *k = source->ptr;
    (void)s;
    (void)id;
    (void)ctx;
    const size_t n = len < k->out_len ? len : k->out_len;
    if (n == 0 && k->more) return NGHTTP2_ERR_DEFERRED;
    if (n != 0) memcpy(buf, k->out, n);
    k->out += n;
    k->out_len -= n;
    if (k->out_len == 0 && !k->more) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

/* `window` 0 is the protocol's own; `manual`: what comes gives no window
 * back. */
static h2_client *h2_on(int fd, SSL *ssl, uint32_t window, bool manual)
{
    h2_client *c = calloc(1, sizeof *c);
    nghttp2_session_callbacks *cb = NULL;
    nghttp2_option *o = NULL;
    c->fd = fd;
    c->ssl = ssl;
    const int now = 1; /* windows must not wait for other bytes */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    assert_int_equal(nghttp2_session_callbacks_new(&cb), 0);
    nghttp2_session_callbacks_set_on_header_callback(cb, h2_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, h2_on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, h2_on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, h2_on_frame);
    nghttp2_session_callbacks_set_send_callback(cb, h2_write);
    assert_int_equal(nghttp2_option_new(&o), 0);
    nghttp2_option_set_no_auto_window_update(o, manual);
    assert_int_equal(nghttp2_session_client_new2(&c->session, cb, c, o), 0);
    nghttp2_option_del(o);
    nghttp2_session_callbacks_del(cb);
    const nghttp2_settings_entry e[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window != 0 ? window : 65535},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 4194303},
        {0xfe03, 1}, /* as grpc-core sends it */
    };
    assert_int_equal(nghttp2_submit_settings(c->session, 0, e, 3), 0);
    return c;
}

static inline h2_client *h2_open(const rig *r)
{
    return h2_on(rig_connect(r), NULL, 0, false);
}

static void h2_close(h2_client *c)
{
    for (size_t i = 0; i < c->n; i++) free(c->calls[i].body);
    nghttp2_session_del(c->session);
    SSL_free(c->ssl);
    tni_tcp_close(c->fd);
    free(c);
}

static nghttp2_nv h2_nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value,
                        strlen(name), strlen(value), 0};
}

/* extra: names and values in turn, ended by NULL; NULL: none. out_len 0 and
 * not `more`: the request is its head alone. */
static h2_call *h2_ask(h2_client *c, const char *method, const char *path,
                       const char *const *extra, const void *out,
                       size_t out_len, bool more)
{
    nghttp2_nv nv[200];
    size_t n = 0;
    nv[n++] = h2_nv(":method", method);
    nv[n++] = h2_nv(":scheme", "http");
    nv[n++] = h2_nv(":authority", "a");
    nv[n++] = h2_nv(":path", path);
    for (size_t i = 0; extra != NULL && extra[i] != NULL; i += 2)
        nv[n++] = h2_nv(extra[i], extra[i + 1]);
    assert_true(c->n < H2_CALLS);
    h2_call *k = &c->calls[c->n++];
    *k = (h2_call){.status = -1,
                   .grpc_status = -1,
                   .out = out,
                   .out_len = out_len,
                   .more = more};
    const nghttp2_data_provider from = {{.ptr = k}, h2_give};
    k->id = nghttp2_submit_request(c->session, NULL, nv, n,
                                   out_len != 0 || more ? &from : NULL, NULL);
    assert_true(k->id > 0);
    return k;
}

/* More of a request; the bytes must stay until they are sent. */
static inline void h2_say(h2_client *c, h2_call *k, const void *bytes,
                          size_t len, bool more)
{
    k->out = bytes;
    k->out_len = len;
    k->more = more;
    (void)nghttp2_session_resume_data(c->session, k->id);
}

/* Sends what there is, then reads once. */
static void h2_step(h2_client *c)
{
    static uint8_t buf[262144];
    if (nghttp2_session_send(c->session) != 0) c->lost = true;
    const ptrdiff_t n = c->ssl != NULL ? SSL_read(c->ssl, buf, sizeof buf)
                                       : tni_tcp_read(c->fd, buf, sizeof buf);
    if (n <= 0 || nghttp2_session_mem_recv(c->session, buf, (size_t)n) < 0)
        c->lost = true;
    else if (nghttp2_session_send(c->session) != 0)
        c->lost = true;
}

/* Goes on until the condition holds or the connection is gone; gives up after
 * the socket's timeout. */
#define H2_UNTIL(c, condition)                                                 \
    do {                                                                       \
        (void)nghttp2_session_send((c)->session);                              \
        while (!(condition) && !(c)->lost) h2_step(c);                         \
    } while (0)

static inline void h2_expect(h2_client *c, h2_call *k, int status,
                             const void *body, size_t len)
{
    H2_UNTIL(c, k->closed);
    assert_true(k->closed);
    assert_int_equal(k->status, status);
    if (body == NULL) return;
    assert_int_equal(k->len, len);
    if (len != 0) assert_memory_equal(k->body, body, len);
}

#endif
