/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_load.c - asks a server on this machine the same thing, again and again
 *
 *     serve_load PORT REQUEST_FILE SECONDS CONNECTIONS [RATE]
 *
 * REQUEST_FILE is a whole HTTP/1.1 request. Without RATE every connection asks
 * as soon as it is answered (closed loop). With it requests come at so many a
 * second, exponentially apart, whatever the server does (open loop): one that
 * finds no free connection waits, and its latency counts from when it came.
 * Prints one line of JSON; latencies in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024, BUFFER = 1 << 16, SAMPLES = 1 << 23 };

typedef struct connection {
    int fd;
    int busy;
    double since;
    size_t sent, got; /* of the request; of the head of the answer */
    long body;        /* bytes of the answer's body to come; -1: not known */
    int status;
    char head[2048];
} connection;

static connection all[MOST];
static float *latency; /* of answers that were 200 */
static long n_good, n_refused, n_failed;
static char *request;
static size_t request_size;
static int poller, port, n_connections;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    fprintf(stderr, "serve_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_connection(connection *c)
{
    struct sockaddr_in a;
    const int one = 1;
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_port = htons((uint16_t)port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e) != 0) die("epoll");
    c->busy = 0;
}

static void watch(connection *c, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
}

static void lose(connection *c)
{
    n_failed++;
    close(c->fd);
    open_connection(c);
}

static void send_more(connection *c)
{
    while (c->sent < request_size) {
        const ssize_t n = send(c->fd, request + c->sent, request_size - c->sent,
                               MSG_NOSIGNAL);
        if (n > 0) {
            c->sent += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLLIN | EPOLLOUT);
            return;
        } else {
            lose(c);
            return;
        }
    }
}

static void ask(connection *c, double since)
{
    c->busy = 1;
    c->since = since;
    c->sent = c->got = 0;
    c->body = -1;
    send_more(c);
}

/* The head is whole at `end`: what it says. */
static void read_head(connection *c, char *end)
{
    *end = '\0';
    c->status = atoi(c->head + 9);
    c->body = 0;
    for (char *line = strchr(c->head, '\n'); line != NULL;
         line = strchr(line + 1, '\n'))
        if (strncasecmp(line + 1, "content-length:", 15) == 0)
            c->body = atol(line + 16);
}

/* Whether the answer is whole. */
static int receive(connection *c)
{
    static char waste[BUFFER];
    for (;;) {
        const int head = c->body < 0;
        const ssize_t n =
            head ? recv(c->fd, c->head + c->got, sizeof c->head - 1 - c->got, 0)
                 : recv(c->fd, waste, sizeof waste, 0);
        if (n < 0 && errno == EAGAIN) return 0;
        if (n <= 0) {
            lose(c);
            return 0;
        }
        if (!head) {
            c->body -= n;
        } else {
            c->got += (size_t)n;
            c->head[c->got] = '\0';
            char *end = strstr(c->head, "\r\n\r\n");
            if (end == NULL) {
                if (c->got + 1 < sizeof c->head) continue;
                lose(c);
                return 0;
            }
            const long behind = (long)(c->head + c->got - (end + 4));
            read_head(c, end + 2);
            c->body -= behind;
        }
        if (c->body == 0) return 1;
        if (c->body < 0) {
            lose(c);
            return 0;
        }
    }
}

static void count(connection *c, int counted)
{
    c->busy = 0;
    if (!counted) return;
    if (c->status == 200) {
        if (n_good < SAMPLES)
            latency[n_good] = (float)((now() - c->since) * 1e6);
        n_good++;
    } else if (c->status == 503 || c->status == 429) {
        n_refused++;
    } else {
        n_failed++;
    }
}

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static void read_request(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) die(path);
    request = malloc(64 << 20);
    request_size = fread(request, 1, 64 << 20, f);
    fclose(f);
}

static double gap(double rate)
{
    return -log(1.0 - drand48()) / rate;
}

static connection *free_connection(void)
{
    for (int i = 0; i < n_connections; i++)
        if (!all[i].busy) return &all[i];
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: serve_load PORT REQUEST_FILE SECONDS "
                        "CONNECTIONS [RATE]\n");
        return 2;
    }
    port = atoi(argv[1]);
    read_request(argv[2]);
    const double seconds = atof(argv[3]);
    const double rate = argc > 5 ? atof(argv[5]) : 0;
    n_connections = atoi(argv[4]) < MOST ? atoi(argv[4]) : MOST;
    latency = malloc(SAMPLES * sizeof *latency);
    poller = epoll_create1(0);
    for (int i = 0; i < n_connections; i++) open_connection(&all[i]);
    const double begin = now(), end = begin + seconds;
    double due = begin;
    if (rate == 0)
        for (int i = 0; i < n_connections; i++) ask(&all[i], begin);
    double t = begin;
    while (t < end) {
        struct epoll_event events[64];
        connection *c;
        while (rate > 0 && due <= t && (c = free_connection()) != NULL) {
            ask(c, due);
            due += gap(rate);
        }
        /* A poll of a millisecond is too coarse for the next arrival. */
        const int wait = rate > 0 ? 0 : 100;
        const int n = epoll_wait(poller, events, 64, wait);
        t = now();
        for (int i = 0; i < n; i++) {
            c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) {
                watch(c, EPOLLIN);
                send_more(c);
            }
            if (!c->busy || !receive(c)) {
                if (!c->busy && rate == 0) ask(c, t);
                continue;
            }
            count(c, 1);
            if (rate == 0) ask(c, now());
        }
    }
    const double took = now() - begin;
    const long kept = n_good < SAMPLES ? n_good : SAMPLES;
    qsort(latency, (size_t)kept, sizeof *latency, compare);
#define AT(q) (kept > 0 ? (double)latency[(long)((double)(kept - 1) * (q))] : 0.0)
    printf("{\"seconds\":%.3f,\"good\":%ld,\"refused\":%ld,\"failed\":%ld,"
           "\"per_second\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,"
           "\"max\":%.1f}\n",
           took, n_good, n_refused, n_failed, (double)n_good / took, AT(0.5),
           AT(0.9), AT(0.99), AT(1.0));
    return 0;
}
