/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_many_connections.c - 10,000 connections at once
 *
 * The clients are a process of their own, so that each of the two needs only
 * one descriptor for a connection. Where the system gives fewer descriptors
 * there are fewer connections, and the test says so.
 */
#include "serve_rig.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WANTED = 10000, SPARE = 64 };

static int allowed(void)
{
    struct rlimit l;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
    l.rlim_cur = l.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &l);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
    if (l.rlim_cur == RLIM_INFINITY || l.rlim_cur >= WANTED + SPARE)
        return WANTED;
    return (int)l.rlim_cur - SPARE;
}

/* One request of HTTP/1.1 or the greeting of HTTP/2; whether it was heard. */
static bool speak(int fd, int i)
{
    char buf[512];
    if (i % 10 == 0) {
        rig_put(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
        return tni_tcp_read(fd, buf, sizeof buf) > 0;
    }
    if (i % 10 == 1) return true; /* says nothing */
    rig_say(fd, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    return tni_tcp_read(fd, buf, sizeof buf) > 12 &&
           memcmp(buf, "HTTP/1.1 200", 12) == 0;
}

/* The other process: connects when it is told the port, says how many were
 * heard, goes when it is told. */
static int clients(int from, int to, int n)
{
    uint16_t port = 0;
    int heard = 0;
    int *fds = calloc((size_t)n, sizeof *fds);
    if (fds == NULL || read(from, &port, sizeof port) != sizeof port) return 1;
    for (int i = 0; i < n; i++) {
        fds[i] = tni_tcp_connect(port);
        if (fds[i] < 0) break;
        heard += speak(fds[i], i);
    }
    /* All once more, the earliest first, with all the others there. */
    for (int i = 0; i < heard; i++)
        if (i % 10 > 1 && !speak(fds[i], i)) heard = -1;
    if (write(to, &heard, sizeof heard) != sizeof heard) return 1;
    (void)read(from, &port, sizeof port);
    free(fds);
    return 0;
}

static void ten_thousand(void **state)
{
    (void)state;
    const int n = allowed();
    if (n < WANTED)
        print_message("only %d connections: the limit of descriptors\n", n);
    int there[2], back[2], heard = 0;
    assert_int_equal(pipe(there), 0);
    assert_int_equal(pipe(back), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(there[1]);
        (void)close(back[0]);
        _exit(clients(there[0], back[1], n));
    }
    (void)close(there[0]);
    (void)close(back[1]);
    const uint64_t s = 1000000000u;
    rig r;
    rig_init(&r);
    r.opts.max_connections = (uint32_t)n + 1;
    r.opts.idle_timeout_ns = r.opts.header_timeout_ns = 300 * s;
    rig_start(&r);
    const uint64_t begin = tni_clock_ns();
    assert_int_equal(write(there[1], &r.port, sizeof r.port), sizeof r.port);
    assert_int_equal(read(back[0], &heard, sizeof heard), sizeof heard);
    assert_int_equal(heard, n);
    tni_loop_counts counts;
    tni_loop_count(r.loop, &counts);
    assert_int_equal(counts.connections, n);
    print_message("%d connections after %.1f s, %zu bytes each\n", n,
                  (double)(tni_clock_ns() - begin) / 1e9,
                  r.mem.used_bytes / (size_t)n);
    assert_true(r.mem.used_bytes / (size_t)n < 65536);
    const int one_more = rig_connect(&r);
    assert_true(speak(one_more, 9));
    tni_tcp_close(one_more);
    (void)close(there[1]);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    RIG_WAIT((tni_loop_count(r.loop, &counts), counts.connections == 0));
    (void)close(back[0]);
    rig_stop(&r, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ten_thousand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
