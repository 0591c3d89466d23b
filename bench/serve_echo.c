/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_echo.c - what the server's transports cost: an application that echoes
 *
 * One thread serves, another asks: 16 connections, one request on each at a
 * time. Told is the processor time of the serving thread for a request, by
 * HTTP/1.1 and by unary gRPC, of a small body and of a tensor of 602,112
 * bytes; beside it what a bare loop over epoll takes that reads and writes as
 * many bytes. The three take turns; the least and the middle of the rounds.
 *
 *     serve_echo [ROUNDS [REQUESTS]]
 */
#define _GNU_SOURCE

#include "serve/loop.h"
#include "sys/tcp.h"
#include "sys/thread.h"

#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 16, BIG = 602112, MAX_ROUNDS = 50 };

typedef enum kind { BARE, HTTP1, GRPC, KINDS } kind;

typedef struct server {
    tni_mem mem, bodies;
    tni_loop *loop;
    int listener;
    size_t size; /* bare: of a request */
    double cpu_s;
} server;

static void fail(const char *what)
{
    fprintf(stderr, "serve_echo: %s\n", what);
    exit(1);
}

/* --- servers -------------------------------------------------------------- */

static bool on_head(void *ctx, tni_exchange *x, uint64_t *max_body)
{
    (void)ctx;
    (void)x;
    (void)max_body;
    return true;
}

static void on_request(void *ctx, tni_exchange *x)
{
    const tni_piece p = {x->body, x->body_len, NULL, NULL};
    const tni_answer a = {.status = x->carrier == TNI_GRPC ? 0 : 200,
                          .content_type = "application/octet-stream",
                          .pieces = &p,
                          .n_pieces = 1};
    (void)ctx;
    tni_exchange_answer(x, &a);
}

static double cpu_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_loop(void *ctx)
{
    server *s = ctx;
    tni_loop_run(s->loop);
    s->cpu_s = cpu_now();
}

static void write_all(int fd, const uint8_t *p, size_t n)
{
    while (n != 0) {
        const ssize_t k = write(fd, p, n);
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        } else {
            struct pollfd wait = {fd, POLLOUT, 0};
            (void)poll(&wait, 1, 1000);
        }
    }
}

/* Echoes whole requests; ends when its last connection does. */
static void run_bare(void *ctx)
{
    server *s = ctx;
    const int ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = 0};
    uint8_t *buf[CONNECTIONS + 1];
    size_t have[CONNECTIONS + 1] = {0};
    int fds[CONNECTIONS + 1], open = 0, accepted = 0;
    (void)epoll_ctl(ep, EPOLL_CTL_ADD, s->listener, &e);
    do {
        struct epoll_event events[64];
        const int n = epoll_wait(ep, events, 64, -1);
        for (int i = 0; i < n; i++) {
            const uint32_t k = events[i].data.u32;
            if (k == 0) {
                char peer[TNI_PEER_SIZE];
                const int fd = tni_tcp_accept(s->listener, peer);
                if (fd < 0) continue;
                fds[++accepted] = fd;
                buf[accepted] = malloc(s->size);
                e.data.u32 = (uint32_t)accepted;
                (void)epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
                open++;
                continue;
            }
            const ssize_t got =
                read(fds[k], buf[k] + have[k], s->size - have[k]);
            if (got > 0) have[k] += (size_t)got;
            if (have[k] == s->size) {
                write_all(fds[k], buf[k], have[k]);
                have[k] = 0;
            }
            if (got == 0) {
                (void)close(fds[k]);
                free(buf[k]);
                open--;
            }
        }
    } while (open != 0 || accepted < CONNECTIONS);
    (void)close(ep);
    s->cpu_s = cpu_now();
}

/* --- the client ------------------------------------------------------------- */

typedef struct client {
    int fd;
    nghttp2_hd_deflater *deflater;
    int32_t id;
} client;

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static size_t frame(uint8_t *at, int type, int flags, int32_t id, size_t len)
{
    put32(at, (uint32_t)len << 8 | (uint32_t)type);
    at[4] = (uint8_t)flags;
    put32(at + 5, (uint32_t)id);
    return 9;
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value,
                        strlen(name), strlen(value), 0};
}

/* A call of gRPC as bytes; its length. */
static size_t grpc_request(client *c, uint8_t *at, size_t body)
{
    const nghttp2_nv fields[] = {
        nv(":method", "POST"),
        nv(":scheme", "http"),
        nv(":path", "/inference.GRPCInferenceService/ModelInfer"),
        nv(":authority", "localhost:8000"),
        nv("te", "trailers"),
        nv("content-type", "application/grpc"),
        nv("user-agent", "grpc-python/1.51.1 grpc-c/29.0.0 (linux; chttp2)"),
        nv("grpc-accept-encoding", "identity, deflate, gzip")};
    const ssize_t n = nghttp2_hd_deflate_hd(c->deflater, at + 9, 1000, fields,
                                            sizeof fields / sizeof fields[0]);
    if (n < 0) fail("no head");
    (void)frame(at, 1, 4, c->id, (size_t)n);
    uint8_t *data = at + 9 + n;
    (void)frame(data, 0, 1, c->id, body + 5);
    data[9] = 0;
    put32(data + 10, (uint32_t)body);
    memset(data + 14, 'x', body);
    c->id += 2;
    return 9 + (size_t)n + 14 + body;
}

static void read_all(int fd, uint8_t *p, size_t n)
{
    while (n != 0) {
        const ssize_t k = read(fd, p, n);
        if (k <= 0) fail("the server is gone");
        p += k;
        n -= (size_t)k;
    }
}

/* An answer of gRPC: up to the trailers, which end the stream. Read at once
 * as far as it comes; buf has room. */
static void read_grpc(client *c, uint8_t *buf, size_t cap, size_t *got_bytes)
{
    size_t have = 0, at = 0, data = 0;
    for (;;) {
        while (have - at >= 9) {
            const size_t len =
                (size_t)buf[at] << 16 | (size_t)buf[at + 1] << 8 | buf[at + 2];
            if (have - at < 9 + len) break;
            if (buf[at + 3] == 0) data += len;
            if (buf[at + 3] == 1 && (buf[at + 4] & 1) != 0) {
                *got_bytes = data;
                return;
            }
            at += 9 + len;
        }
        if (have == cap) fail("a long answer");
        const ssize_t k = read(c->fd, buf + have, cap - have);
        if (k <= 0) fail("the server is gone");
        have += (size_t)k;
    }
}

static size_t http1_request(uint8_t *at, size_t body)
{
    const int n = snprintf((char *)at, 512,
                           "POST /v2/models/mlp/infer HTTP/1.1\r\n"
                           "host: localhost:8000\r\n"
                           "content-length: %zu\r\n\r\n",
                           body);
    memset(at + n, 'x', body);
    return (size_t)n + body;
}

static void dial(client *c, uint16_t port, kind k)
{
    c->fd = tni_tcp_connect(port);
    if (c->fd < 0) fail("no connection");
    c->id = 1;
    c->deflater = NULL;
    if (k != GRPC) return;
    uint8_t hello[24 + 9 + 12 + 13 + 9];
    memcpy(hello, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    (void)frame(hello + 24, 4, 0, 0, 12); /* windows and frames of 4 MiB */
    memcpy(hello + 33, "\0\4\0\x3f\xff\xff\0\5\0\x3f\xff\xff", 12);
    (void)frame(hello + 45, 8, 0, 0, 4);
    put32(hello + 54, 0x7fff0000 - 65535);
    (void)frame(hello + 58, 4, 1, 0, 0); /* the server's are on their way */
    write_all(c->fd, hello, sizeof hello);
    if (nghttp2_hd_deflate_new(&c->deflater, 4096) != 0) fail("memory");
}

static void ask(client *c, kind k, uint8_t *buf, size_t body)
{
    write_all(c->fd, buf,
              k == GRPC ? grpc_request(c, buf, body)
                        : http1_request(buf, body));
}

/* An answer; of HTTP/1.1 all are as long as the first. */
static void hear(client *c, kind k, uint8_t *buf, size_t cap, size_t body,
                 size_t *answer)
{
    size_t data = body + 5, got = 0;
    if (k == GRPC) {
        read_grpc(c, buf, cap, &data);
        if (data != body + 5) fail("an answer of another length");
    } else if (*answer == 0) {
        const ssize_t first = read(c->fd, buf, cap);
        const uint8_t *end =
            first > 0 ? memmem(buf, (size_t)first, "\r\n\r\n", 4) : NULL;
        if (end == NULL) fail("no answer");
        *answer = (size_t)(end - buf) + 4 + body;
        got = (size_t)first;
    }
    if (k != GRPC) read_all(c->fd, buf, *answer - got);
}

/* Asks `n` times in all; microseconds of the server's processor for each. */
static double measure(kind k, size_t body, int n)
{
    static const tni_app app = {NULL, on_head, on_request, NULL, NULL};
    static uint8_t out[BIG + 4096], in[BIG + 65536];
    server s = {.listener = -1};
    tn_err err = {.code = TN_OK};
    tni_thread *thread = NULL;
    tni_mem_init(&s.mem, NULL, 0);
    tni_mem_init(&s.bodies, NULL, 0);
    if (tni_tcp_listen(&s.listener, "127.0.0.1", 0, &err) != TN_OK)
        fail(err.message);
    const uint16_t port = tni_tcp_port(s.listener);
    s.size = http1_request(out, body);
    tni_loop_opts o;
    tni_loop_opts_init(&o);
    o.app = &app;
    o.mem = &s.mem;
    o.bodies = &s.bodies;
    if (k != BARE && tni_loop_open(&s.loop, &o, s.listener, &err) != TN_OK)
        fail(err.message);
    if (tni_thread_start(&thread, k == BARE ? run_bare : run_loop, &s, "server",
                         &s.mem, &err) != TN_OK)
        fail(err.message);
    client c[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) dial(&c[i], port, k);
    /* What fits no socket is asked on one connection after the other. */
    const int together = body < 10000 ? CONNECTIONS : 1;
    size_t answer = k == BARE ? s.size : 0;
    for (int done = 0, at = 0; done < n; done += together) {
        for (int i = 0; i < together; i++)
            ask(&c[(at + i) % CONNECTIONS], k, out, body);
        for (int i = 0; i < together; i++)
            hear(&c[at++ % CONNECTIONS], k, in, sizeof in, body, &answer);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        if (c[i].deflater != NULL) nghttp2_hd_deflate_del(c[i].deflater);
        (void)close(c[i].fd);
    }
    if (k != BARE) tni_loop_stop(s.loop);
    tni_thread_join(thread);
    if (k == BARE)
        (void)close(s.listener);
    else
        tni_loop_close(s.loop);
    return s.cpu_s * 1e6 / n;
}

static int order(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static const char *const names[KINDS] = {"epoll alone", "HTTP/1.1", "gRPC"};
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    const int n = argc > 2 ? atoi(argv[2]) : 20000;
    if (rounds < 1 || rounds > MAX_ROUNDS || n < CONNECTIONS)
        fail("1 to 50 rounds, 16 requests at least");
    printf("server's CPU for a request, us: least, middle of %d rounds\n",
           rounds);
    for (int big = 0; big < 2; big++) {
        double us[KINDS][MAX_ROUNDS];
        for (int r = 0; r < rounds; r++)
            for (int k = 0; k < KINDS; k++)
                us[k][r] = measure((kind)k, big ? BIG : 64, big ? n / 50 : n);
        for (int k = 0; k < KINDS; k++) {
            qsort(us[k], (size_t)rounds, sizeof us[k][0], order);
            printf("%7d B  %-12s %8.2f %8.2f\n", big ? BIG : 64, names[k],
                   us[k][0], us[k][rounds / 2]);
        }
    }
    return 0;
}
