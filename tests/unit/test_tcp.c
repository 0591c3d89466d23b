/* SPDX-License-Identifier: Apache-2.0 */
/* test_tcp.c - sockets and waiting for them */
#include "sys/poller.h"
#include "sys/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A connection over the loopback, both ends. */
typedef struct pair {
    int listener, client, server;
    char peer[TNI_PEER_SIZE];
} pair;

static void open_pair(pair *p, const char *host)
{
    tn_err err;
    assert_int_equal(tni_tcp_listen(&p->listener, host, 0, &err), TN_OK);
    const uint16_t port = tni_tcp_port(p->listener);
    assert_true(port != 0);
    p->client = tni_tcp_connect(port);
    assert_true(p->client >= 0);
    p->server = TNI_IO_AGAIN;
    for (int i = 0; i < 1000000 && p->server == TNI_IO_AGAIN; i++)
        p->server = tni_tcp_accept(p->listener, p->peer);
    assert_true(p->server >= 0);
}

static void close_pair(pair *p)
{
    tni_tcp_close(p->client);
    tni_tcp_close(p->server);
    tni_tcp_close(p->listener);
}

static void bytes_go_both_ways(void **state)
{
    (void)state;
    pair p;
    open_pair(&p, "127.0.0.1");
    assert_memory_equal(p.peer, "127.0.0.1:", 10);
    const tni_slice s[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
    assert_int_equal(tni_tcp_write(p.server, s, 3), 5);
    char buf[16];
    assert_int_equal(tni_tcp_read(p.client, buf, sizeof buf), 5);
    assert_memory_equal(buf, "abcde", 5);
    assert_int_equal(tni_tcp_read(p.server, buf, sizeof buf), TNI_IO_AGAIN);
    tni_tcp_finish(p.client);
    ptrdiff_t n = TNI_IO_AGAIN;
    while (n == TNI_IO_AGAIN) n = tni_tcp_read(p.server, buf, sizeof buf);
    assert_int_equal(n, 0);
    /* The other direction is still open. */
    assert_int_equal(tni_tcp_write(p.server, s, 1), 2);
    assert_int_equal(tni_tcp_read(p.client, buf, sizeof buf), 2);
    close_pair(&p);
}

static void writing_to_the_gone_is_no_signal(void **state)
{
    (void)state;
    pair p;
    open_pair(&p, "localhost");
    tni_tcp_close(p.client);
    p.client = -1;
    const tni_slice s = {"abc", 3};
    ptrdiff_t n = 0;
    for (int i = 0; i < 1000000 && n != TNI_IO_LOST; i++)
        n = tni_tcp_write(p.server, &s, 1);
    assert_int_equal(n, TNI_IO_LOST);
    close_pair(&p);
}

static void both_families_at_one_socket(void **state)
{
    (void)state;
    tn_err err;
    int fd = -1;
    if (tni_tcp_listen(&fd, "::", 0, &err) != TN_OK) skip();
    tni_tcp_close(fd);
    pair p;
    open_pair(&p, "::");
    assert_non_null(strstr(p.peer, "127.0.0.1]:"));
    close_pair(&p);
}

static void refusals_say_why(void **state)
{
    (void)state;
    tn_err err;
    int fd = 7;
    assert_int_equal(tni_tcp_listen(&fd, "no such host", 0, &err), TN_EINVAL);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(err.message, "no such host"));
    assert_int_equal(tni_tcp_listen(&fd, "192.0.2.1", 0, &err), TN_EIO);
    assert_non_null(strstr(err.message, "cannot listen"));
}

static void a_port_may_have_two_listeners(void **state)
{
    (void)state;
    tn_err err;
    int a = -1, b = -1;
    assert_int_equal(tni_tcp_listen(&a, "127.0.0.1", 0, &err), TN_OK);
    assert_int_equal(tni_tcp_listen(&b, "127.0.0.1", tni_tcp_port(a), &err),
                     TN_OK);
    assert_int_equal(tni_tcp_port(a), tni_tcp_port(b));
    tni_tcp_close(a);
    tni_tcp_close(b);
}

static void waiting_and_waking(void **state)
{
    (void)state;
    tn_err err;
    tni_poller p;
    assert_int_equal(tni_poller_open(&p, &err), TN_OK);
    pair c;
    open_pair(&c, "127.0.0.1");
    tni_poll_event e[4];
    bool woken = true;
    assert_int_equal(tni_poller_wait(&p, e, 4, 0, &woken), 0);
    assert_false(woken);
    tni_poller_wake(&p);
    tni_poller_wake(&p);
    assert_int_equal(tni_poller_wait(&p, e, 4, 1000, &woken), 0);
    assert_true(woken);
    assert_true(
        tni_poller_add(&p, c.server, TNI_POLL_READ | TNI_POLL_HALF, &c));
    assert_int_equal(tni_poller_wait(&p, e, 4, 0, &woken), 0);
    const tni_slice s = {"x", 1};
    assert_int_equal(tni_tcp_write(c.client, &s, 1), 1);
    assert_int_equal(tni_poller_wait(&p, e, 4, 1000, &woken), 1);
    assert_ptr_equal(e[0].ctx, &c);
    assert_int_equal(e[0].what, TNI_POLL_READ);
    assert_true(tni_poller_set(&p, c.server, TNI_POLL_WRITE, &c));
    assert_int_equal(tni_poller_wait(&p, e, 4, 1000, &woken), 1);
    assert_int_equal(e[0].what, TNI_POLL_WRITE);
    assert_true(tni_poller_set(&p, c.server, TNI_POLL_HALF, &c));
    tni_tcp_finish(c.client);
    assert_int_equal(tni_poller_wait(&p, e, 4, 1000, &woken), 1);
    assert_int_equal(e[0].what, TNI_POLL_HALF);
    tni_poller_remove(&p, c.server);
    assert_int_equal(tni_poller_wait(&p, e, 4, 0, &woken), 0);
    close_pair(&c);
    tni_poller_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways),
        cmocka_unit_test(writing_to_the_gone_is_no_signal),
        cmocka_unit_test(both_families_at_one_socket),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(a_port_may_have_two_listeners),
        cmocka_unit_test(waiting_and_waking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
