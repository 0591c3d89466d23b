/* SPDX-License-Identifier: Apache-2.0 */
/* serve_rig.h - a loop on a thread with a small application, and clients */
#ifndef TN_TESTS_SERVE_RIG_H
#define TN_TESTS_SERVE_RIG_H

#define _GNU_SOURCE /* struct linger, nanosleep */

#include "base/alloc.h"
#include "serve/loop.h"
#include "sys/clock.h"
#include "sys/tcp.h"
#include "sys/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include <cmocka.h>

/*
 * Paths: /echo sends the body back; /big?N sends N bytes; /later is answered
 * when the test says so; /stream sends three pieces; /refuse is refused by its
 * head; /small takes at most 10 bytes; /field sends back the field x-bin; /both
 * (gRPC) sends each message back twice, /hold says nothing, until the peer's
 * end; /flood sends filler without end; /whole (gRPC) is streamed and ended by
 * an answer: at "a" at once, at "b" after a message, at others by an error.
 */
typedef struct rig {
    tni_mem mem, bodies;
    tni_loop_opts opts;
    tni_app app;
    tni_loop *loop;
    tni_thread *thread;
    uint16_t port;
    _Atomic int inside; /* a call to the transport */
    _Atomic int requests, released, pieces, cancelled, ended, half_closed;
    _Atomic(tni_exchange *) later;
    tni_post post;
    uint8_t *filler;
    char field[64];
} rig;

enum { FILLER = 8 * 1024 * 1024 };

static void rig_release(void *ctx)
{
    rig *r = ctx;
    atomic_fetch_add(&r->released, 1);
}

static void rig_answer(rig *r, tni_exchange *x, int status, const void *bytes,
                       size_t size)
{
    const tni_piece piece = {bytes, size, rig_release, r};
    const bool grpc = x->carrier == TNI_GRPC;
    /* A value must not become a field of its own. */
    const tni_header odd = {tni_span_of("X-Odd"), tni_span_of("a\r\nX-Bad: b")};
    const tni_answer a = {.status = grpc && status == 200 ? 0 : status,
                          .message =
                              grpc && status != 200 ? "no: 100% é" : NULL,
                          .content_type = "application/octet-stream",
                          .headers = &odd,
                          .n_headers = 1,
                          .pieces = &piece,
                          .n_pieces = 1};
    atomic_fetch_add(&r->pieces, 1);
    atomic_fetch_add(&r->ended, 1);
    atomic_fetch_add(&r->inside, 1);
    tni_exchange_answer(x, &a);
    atomic_fetch_sub(&r->inside, 1);
}

static void rig_send(rig *r, tni_exchange *x, const void *bytes, size_t size)
{
    const tni_piece p = {bytes, size, rig_release, r};
    atomic_fetch_add(&r->pieces, 1);
    atomic_fetch_add(&r->inside, 1);
    tni_exchange_send(x, &p, 1);
    atomic_fetch_sub(&r->inside, 1);
}

static void rig_cancel(tni_exchange *x)
{
    rig *r = x->state;
    assert_int_equal(atomic_load(&r->inside), 0);
    atomic_fetch_add(&r->cancelled, 1);
    if (!x->streaming) return;
    atomic_fetch_add(&r->ended, 1);
    tni_exchange_finish(x, 0, NULL);
}

static bool rig_head(void *ctx, tni_exchange *x, uint64_t *max_body)
{
    rig *r = ctx;
    x->state = r;
    if (tni_span_is(x->path, "/refuse")) {
        rig_answer(r, x, x->carrier == TNI_GRPC ? 7 : 403, "no", 2);
        return false;
    }
    if (tni_span_is(x->path, "/small")) *max_body = 10;
    if (tni_span_is(x->path, "/both") || tni_span_is(x->path, "/hold") ||
        tni_span_is(x->path, "/whole")) {
        x->streaming = true;
        x->on_cancel = rig_cancel;
    }
    return true;
}

static void rig_request(void *ctx, tni_exchange *x)
{
    rig *r = ctx;
    atomic_fetch_add(&r->requests, 1);
    if (tni_span_is(x->path, "/later")) {
        x->on_cancel = rig_cancel;
        atomic_store(&r->later, x);
    } else if (tni_span_is(x->path, "/big")) {
        const size_t n =
            x->query.len != 0 ? (size_t)strtoul(x->query.p, NULL, 10) : FILLER;
        rig_answer(r, x, 200, r->filler, n);
    } else if (tni_span_is(x->path, "/stream")) {
        for (int i = 0; i < 3; i++) rig_send(r, x, "data\n", 5);
        atomic_fetch_add(&r->ended, 1);
        tni_exchange_finish(x, 0, NULL);
    } else if (tni_span_is(x->path, "/field")) {
        const tni_span v = tni_exchange_header(x, "x-bin");
        /* Fields end with the exchange, which is before they are sent. */
        const size_t n = v.len < sizeof r->field ? v.len : sizeof r->field;
        if (n != 0) memcpy(r->field, v.p, n);
        rig_answer(r, x, 200, r->field, n);
    } else if (tni_span_is(x->path, "/flood")) {
        x->on_cancel = rig_cancel;
        for (int i = 0; i < 20; i++) rig_send(r, x, r->filler, FILLER);
        atomic_fetch_add(&r->ended, 1);
        tni_exchange_finish(x, 0, NULL);
    } else {
        rig_answer(r, x, 200, x->body, x->body_len);
    }
}

/* Each message goes back doubled: as two. */
static void rig_message(void *ctx, tni_exchange *x, uint8_t *bytes, size_t size)
{
    rig *r = ctx;
    atomic_fetch_add(&r->requests, 1);
    if (tni_span_is(x->path, "/whole")) {
        if (bytes[0] != 'a') rig_send(r, x, "first", 5);
        rig_answer(r, x, bytes[0] <= 'b' ? 200 : 9, "last", 4);
        return;
    }
    for (int i = 0; i < 2 && tni_span_is(x->path, "/both"); i++)
        rig_send(r, x, r->filler, size);
}

static void rig_half_close(void *ctx, tni_exchange *x)
{
    rig *r = ctx;
    atomic_fetch_add(&r->half_closed, 1);
    atomic_fetch_add(&r->ended, 1);
    tni_exchange_finish(x, 0, NULL);
}

static void rig_run(void *ctx)
{
    rig *r = ctx;
    tni_loop_run(r->loop);
}

/* Change r->opts between init and start. */
static void rig_init(rig *r)
{
    memset(r, 0, sizeof *r);
    tni_mem_init(&r->mem, NULL, 0);
    tni_mem_init(&r->bodies, NULL, (size_t)16 << 20);
    r->app = (tni_app){r, rig_head, rig_request, rig_message, rig_half_close};
    const uint64_t s = 1000000000u;
    r->opts = (tni_loop_opts){.app = &r->app,
                              .mem = &r->mem,
                              .bodies = &r->bodies,
                              .max_body = 10 << 20,
                              .max_connections = 64,
                              .max_streams = 256,
                              .header_timeout_ns = 5 * s,
                              .idle_timeout_ns = 5 * s,
                              .read_timeout_ns = 5 * s,
                              .write_timeout_ns = 5 * s,
                              .min_rate = 65536};
    r->filler = malloc(FILLER);
    for (size_t i = 0; i < FILLER; i++) r->filler[i] = (uint8_t)(i * 31 >> 3);
}

static void rig_start(rig *r)
{
    tn_err err = {.code = TN_OK};
    int fd = -1;
    assert_int_equal(tni_tcp_listen(&fd, "127.0.0.1", 0, &err), TN_OK);
    r->port = tni_tcp_port(fd);
    assert_int_equal(tni_loop_open(&r->loop, &r->opts, fd, &err), TN_OK);
    assert_int_equal(
        tni_thread_start(&r->thread, rig_run, r, "loop", &r->mem, &err), TN_OK);
}

/* Whatever went on, everything was given back. */
static void rig_stop(rig *r, bool drain)
{
    if (drain)
        tni_loop_drain(r->loop, 0, 2000000000u);
    else
        tni_loop_stop(r->loop);
    tni_thread_join(r->thread);
    tni_loop_close(r->loop);
    assert_int_equal(atomic_load(&r->released), atomic_load(&r->pieces));
    assert_int_equal(r->bodies.used_bytes, 0);
    assert_int_equal(r->mem.used_bytes, 0);
    free(r->filler);
}

static inline void rig_end_later(tni_post *post)
{
    rig *r = (rig *)(void *)((char *)post - offsetof(rig, post));
    tni_exchange *x = atomic_exchange(&r->later, NULL);
    rig_answer(r, x, 200, "later", 5);
}

/* As the work of another thread would: a piece, and then more. */
static inline void rig_send_later(tni_post *post)
{
    rig *r = (rig *)(void *)((char *)post - offsetof(rig, post));
    tni_exchange *x = atomic_load(&r->later);
    for (int i = 0; i < 3; i++) rig_send(r, x, r->filler, FILLER / 2);
    rig_end_later(post);
}

/* Waits, a few seconds at most, until a counter is what it should be. */
#define RIG_WAIT(condition)                                                    \
    do {                                                                       \
        const uint64_t until_ = tni_clock_ns() + 4000000000u;                  \
        while (!(condition) && tni_clock_ns() < until_) {                      \
            const struct timespec t_ = {0, 500000};                            \
            (void)nanosleep(&t_, NULL);                                        \
        }                                                                      \
        assert_true(condition);                                                \
    } while (0)

static int rig_connect(const rig *r)
{
    const int fd = tni_tcp_connect(r->port);
    assert_true(fd >= 0);
    const struct timeval t = {4, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
    return fd;
}

static void rig_put(int fd, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    while (size != 0) {
        const tni_slice s = {p, size};
        const ptrdiff_t n = tni_tcp_write(fd, &s, 1);
        if (n <= 0) return;
        p += n;
        size -= (size_t)n;
    }
}

static inline void rig_say(int fd, const char *text)
{
    rig_put(fd, text, strlen(text));
}

#endif
