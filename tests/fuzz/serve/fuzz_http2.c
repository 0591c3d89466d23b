/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http2.c - a connection that is sent anything: HTTP/2, gRPC, HTTP/1.1
 *
 * The first byte: 1: begin with HTTP/2's preface and SETTINGS, 2: read what
 * comes back, 4: cut what is sent apart, 8: let the deadlines pass at the end,
 * 16: end what waits at once. The second, when it is not 0, how much memory
 * there is. Whatever comes, no memory may stay taken and every exchange that
 * the application got must have been ended by it alone.
 */
#define _GNU_SOURCE /* socketpair with flags */

#include "serve/conn.h"
#include "sys/clock.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WAITING = 512 };

/* The application: what it was given and has not ended. */
static tni_exchange *waiting[WAITING];
static size_t n_waiting;

static void check(int good)
{
    if (!good) abort();
}

static void forget(const tni_exchange *x)
{
    for (size_t i = 0; i < n_waiting; i++)
        if (waiting[i] == x) waiting[i] = waiting[--n_waiting];
}

static void end_one(tni_exchange *x)
{
    static const char text[] = "a few bytes";
    const tni_piece p = {text, sizeof text - 1, NULL, NULL};
    const tni_answer a = {.status = x->carrier == TNI_GRPC ? 0 : 200,
                          .content_type = "text/plain",
                          .pieces = &p,
                          .n_pieces = 1};
    forget(x);
    if (x->streaming)
        tni_exchange_finish(x, 5, "no such thing");
    else
        tni_exchange_answer(x, &a);
}

static void on_cancel(tni_exchange *x)
{
    check(x->cancelled);
    if (x->path.len % 2 == 0) end_one(x);
}

static bool on_head(void *ctx, tni_exchange *x, uint64_t *max_body)
{
    (void)ctx;
    const char kind = x->path.len > 1 ? x->path.p[1] : 'e';
    size_t sum = 0;
    for (size_t i = 0; i < x->n_headers; i++)
        for (size_t k = 0; k < x->headers[i].value.len; k++)
            sum += (uint8_t)x->headers[i].value.p[k];
    if (sum == 12345) *max_body = 3;
    if (kind == 's') *max_body = 10;
    if (kind == 'r') {
        end_one(x);
        return false;
    }
    x->on_cancel = on_cancel;
    x->streaming = kind == 'b' && x->carrier == TNI_GRPC;
    if (x->streaming) {
        check(n_waiting < WAITING);
        waiting[n_waiting++] = x;
    }
    return true;
}

static void on_request(void *ctx, tni_exchange *x)
{
    (void)ctx;
    const char kind = x->path.len > 1 ? x->path.p[1] : 'e';
    x->on_cancel = on_cancel;
    for (size_t i = 0; i < x->body_len; i++) x->body[i] ^= 1;
    check(n_waiting < WAITING);
    waiting[n_waiting++] = x;
    if (kind == 'c') {
        const tni_piece p = {"chunk", 5, NULL, NULL};
        tni_exchange_send(x, &p, 1);
    }
    if (kind != 'l') end_one(x);
}

static void on_message(void *ctx, tni_exchange *x, uint8_t *bytes, size_t size)
{
    (void)ctx;
    const tni_piece p = {"message", 7, NULL, NULL};
    for (size_t i = 0; i < size; i++) bytes[i] ^= 1;
    if (size % 7 == 3)
        end_one(x);
    else
        tni_exchange_send(x, &p, 1);
}

static void on_half_close(void *ctx, tni_exchange *x)
{
    (void)ctx;
    end_one(x);
}

static const tni_app app = {NULL, on_head, on_request, on_message,
                            on_half_close};
static tni_mem mem, bodies;
static tni_loop *loop;

static void open_loop(void)
{
    tni_mem_init(&mem, NULL, 0);
    tni_mem_init(&bodies, NULL, (size_t)1 << 20);
    tni_loop_opts o;
    tni_loop_opts_init(&o);
    o.app = &app;
    o.mem = &mem;
    o.bodies = &bodies;
    o.max_body = 100000;
    o.max_streams = 20;
    check(tni_loop_open(&loop, &o, -1, NULL) == TN_OK);
}

static void hear_out(int fd)
{
    uint8_t buf[65536];
    while (recv(fd, buf, sizeof buf, MSG_DONTWAIT) > 0) {
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char preface[] =
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    if (loop == NULL) open_loop();
    if (size < 2) return 0;
    const uint8_t how = data[0];
    const size_t before = mem.used_bytes;
    mem.limit_bytes = data[1] != 0 ? before + 150 * (size_t)data[1] : 0;
    int fds[2];
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                     fds) == 0);
    check(tni_loop_take_room(loop));
    tni_conn *c = tni_conn_new(loop, fds[0], "fuzz");
    if (c == NULL) {
        check(mem.limit_bytes != 0 && mem.used_bytes == before);
        (void)close(fds[1]);
        return 0;
    }
    if ((how & 1) != 0)
        (void)send(fds[1], preface, sizeof preface - 1, MSG_NOSIGNAL);
    const size_t step = (how & 4) != 0 ? 1 + (how >> 5) * (size_t)5 : size;
    for (size_t at = 2; at < size; at += step) {
        const size_t n = size - at < step ? size - at : step;
        (void)send(fds[1], data + at, n, MSG_NOSIGNAL);
        tni_conn_event(c, TNI_POLL_READ);
        if ((how & 2) != 0) hear_out(fds[1]);
        if ((how & 2) != 0) tni_conn_event(c, TNI_POLL_WRITE);
        while ((how & 16) != 0 && n_waiting != 0) end_one(waiting[0]);
        tni_loop_drive_stirred(loop);
    }
    if ((how & 8) != 0) {
        tni_conn_tick(c, tni_clock_ns() + 1000000000000u);
        tni_conn_tick(c, tni_clock_ns() + 2000000000000u);
    }
    tni_conn_enter(c);
    tni_conn_lose(c);
    tni_conn_leave(c);
    while (n_waiting != 0) end_one(waiting[0]);
    tni_loop_drive_stirred(loop);
    check(loop->dead == c && c->next == NULL);
    loop->dead = NULL;
    tni_conn_free(c);
    (void)close(fds[1]);
    check(mem.used_bytes == before && bodies.used_bytes == 0);
    return 0;
}
