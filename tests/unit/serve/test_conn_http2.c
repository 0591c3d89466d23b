/* SPDX-License-Identifier: Apache-2.0 */
/* test_conn_http2.c - HTTP/2 over sockets: requests, windows, resets, the end */
#include "h2_client.h"
#include "h2_raw.h"

#include "serve/outq.h"

#include <zlib.h>

static void ask_and_answer(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    h2_call *k = h2_ask(c, "GET", "/echo", NULL, NULL, 0, false);
    h2_expect(c, k, 200, "", 0);
    assert_non_null(strstr(k->headers, "content-length: 0\n"));
    assert_non_null(strstr(k->headers, " GMT\n"));
    assert_non_null(strstr(k->headers, "x-odd: aX-Bad: b\n"));
    k = h2_ask(c, "POST", "/echo", NULL, "hello", 5, false);
    h2_expect(c, k, 200, "hello", 5);
    assert_non_null(
        strstr(k->headers, "content-type: application/octet-stream\n"));
    const char *const length[] = {"content-length", "5", NULL};
    k = h2_ask(c, "POST", "/echo", length, "hello", 5, false);
    h2_expect(c, k, 200, "hello", 5);
    k = h2_ask(c, "HEAD", "/big?77", NULL, NULL, 0, false);
    h2_expect(c, k, 200, "", 0);
    assert_non_null(strstr(k->headers, "content-length: 77\n"));
    k = h2_ask(c, "GET", "/stream", NULL, NULL, 0, false);
    h2_expect(c, k, 200, "data\ndata\ndata\n", 15);
    assert_non_null(strstr(k->headers, "text/event-stream"));
    const char *const expect[] = {"expect", "100-continue", NULL};
    k = h2_ask(c, "POST", "/echo", expect, NULL, 0, true);
    H2_UNTIL(c, k->status == 100);
    h2_say(c, k, "later", 5, false);
    h2_expect(c, k, 200, "later", 5);
    const char *const bin[] = {"x-bin", "AAEC/w==", NULL};
    k = h2_ask(c, "GET", "/field", bin, NULL, 0, false);
    h2_expect(c, k, 200, "AAEC/w==", 8);
    assert_false(c->goaway);
    h2_close(c);
    rig_stop(&r, false);
}

static void many_at_once(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    for (size_t i = 0; i < 200; i++)
        (void)h2_ask(c, "POST", i % 2 == 0 ? "/echo" : "/big?100000", NULL,
                     r.filler + i, 1000 + i, false);
    H2_UNTIL(c, c->n_closed == 200);
    for (size_t i = 0; i < 200; i++) {
        const h2_call *k = &c->calls[i];
        assert_int_equal(k->status, 200);
        assert_int_equal(k->len, i % 2 == 0 ? 1000 + i : 100000);
        assert_memory_equal(k->body, i % 2 == 0 ? r.filler + i : r.filler,
                            k->len);
    }
    h2_close(c);
    rig_stop(&r, false);
}

static void large_bodies_both_ways(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    for (int window = 0; window < 2; window++) {
        h2_client *c =
            h2_on(rig_connect(&r), NULL, window == 0 ? 0 : 8 << 20, false);
        char length[32];
        (void)snprintf(length, sizeof length, "%d", FILLER - 1);
        const char *const fields[] = {"content-length", length, NULL};
        h2_call *k =
            h2_ask(c, "POST", "/echo", fields, r.filler, FILLER - 1, false);
        h2_expect(c, k, 200, r.filler, FILLER - 1);
        k = h2_ask(c, "POST", "/echo", NULL, r.filler, FILLER - 1, false);
        h2_expect(c, k, 200, r.filler, FILLER - 1);
        h2_close(c);
    }
    rig_stop(&r, false);
}

/* What a client sends comes byte by byte. */
static void cut_apart(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int fd = rig_connect(&r);
    static const char bytes[] =
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
        "\0\0\x0c\1\4\0\0\0\1\x83\x86\x04\5/echo\x01\1a\0\0\3\0\1\0\0\0\1abc";
    for (size_t i = 0; i + 1 < sizeof bytes; i++) rig_put(fd, bytes + i, 1);
    uint8_t body[16];
    assert_int_equal(h2_raw_until(fd, NGHTTP2_DATA, body, sizeof body), 3);
    assert_memory_equal(body, "abc", 3);
    tni_tcp_close(fd);
    rig_stop(&r, false);
}

static void refused(void **state)
{
    (void)state;
    static char path[9000];
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    static char value[8200];
    memset(value, 'v', sizeof value - 1);
    const struct {
        const char *method, *path, *name, *value;
        size_t len;
        int status;
        const char *part;
    } cases[] = {
        {"POST", "/refuse", "a", "b", 100000, 403, "no"},
        {"POST", "/small", "a", "b", 11, 413, "limit"},
        {"POST", "/small", "content-length", "11", 11, 413, "limit"},
        {"POST", "/echo", "content-length", "99999999", 6, 413, "limit"},
        {"POST", "/echo", "content-encoding", "br", 5, 501, "gzip"},
        {"POST", "/echo", "content-encoding", "gzip", 5, 400, "packed"},
        {"GET", path, "a", "b", 0, 414, "8192"},
        {"GET", "/echo", "a", value, 0, 431, "8192"},
    };
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const fields[] = {cases[i].name, cases[i].value, NULL};
        h2_call *k = h2_ask(c, cases[i].method, cases[i].path, fields, r.filler,
                            cases[i].len, cases[i].len == 6);
        H2_UNTIL(c, k->closed);
        assert_int_equal(k->status, cases[i].status);
        k->body = realloc(k->body, k->len + 1);
        k->body[k->len] = '\0';
        assert_non_null(strstr((char *)k->body, cases[i].part));
    }
    /* Many fields, at the limit and beyond it (`host` is one too). */
    const char *fields[2 * 101 + 1];
    for (size_t i = 0; i < 100; i++) {
        fields[2 * i] = "x";
        fields[2 * i + 1] = "y";
    }
    fields[198] = fields[200] = NULL;
    h2_expect(c, h2_ask(c, "GET", "/echo", fields, NULL, 0, false), 200, "", 0);
    fields[198] = "x";
    h2_expect(c, h2_ask(c, "GET", "/echo", fields, NULL, 0, false), 431, NULL,
              0);
    /* After all that the connection still works. */
    h2_expect(c, h2_ask(c, "POST", "/echo", NULL, "x", 1, false), 200, "x", 1);
    h2_close(c);
    rig_stop(&r, false);
}

/* Answers that go out a byte at a time, and others that pass them by. */
static void a_window_of_one_byte(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_on(rig_connect(&r), NULL, 1, true);
    h2_call *k = h2_ask(c, "GET", "/big?40", NULL, NULL, 0, false);
    for (size_t i = 1; i < 40; i++) {
        H2_UNTIL(c, k->len == i);
        h2_call *other = h2_ask(c, "GET", "/echo", NULL, NULL, 0, false);
        h2_expect(c, other, 200, "", 0);
        assert_int_equal(k->len, i);
        assert_int_equal(nghttp2_session_consume(c->session, k->id, 1), 0);
    }
    h2_expect(c, k, 200, r.filler, 40);
    h2_close(c);
    rig_stop(&r, false);
}

/* A client that reads nothing until it has sent everything. */
static void sends_before_it_reads(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_on(rig_connect(&r), NULL, 16 << 20, false);
    (void)nghttp2_session_set_local_window_size(c->session, 0, 0, 32 << 20);
    h2_call *big = h2_ask(c, "GET", "/big", NULL, NULL, 0, false);
    (void)nghttp2_session_send(c->session);
    RIG_WAIT(atomic_load(&r.pieces) == 1);
    /* The windows that the server has announced have to be known. */
    while (nghttp2_session_get_remote_window_size(c->session) < FILLER)
        h2_step(c);
    h2_call *k = h2_ask(c, "POST", "/echo", NULL, r.filler, 6000000, false);
    assert_int_equal(nghttp2_session_send(c->session), 0);
    RIG_WAIT(atomic_load(&r.pieces) == 2);
    h2_expect(c, k, 200, r.filler, 6000000);
    h2_expect(c, big, 200, r.filler, FILLER);
    h2_close(c);
    rig_stop(&r, false);
}

static void reset_at_every_point(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_on(rig_connect(&r), NULL, 1000, true);
    static const char *const paths[] = {"/echo", "/big", "/stream", "/small"};
    for (size_t i = 0; i < 40; i++) {
        const bool more = i % 2 == 0;
        h2_call *k =
            h2_ask(c, "POST", paths[i / 2 % 4], NULL, r.filler, i * 100, more);
        if (i % 3 == 0) H2_UNTIL(c, more ? k->out_len == 0 : k->len != 0);
        (void)nghttp2_session_send(c->session);
        assert_int_equal(
            nghttp2_submit_rst_stream(c->session, 0, k->id, NGHTTP2_CANCEL), 0);
        H2_UNTIL(c, k->closed);
    }
    /* One that the application has. */
    h2_call *k = h2_ask(c, "POST", "/later", NULL, "abc", 3, false);
    (void)nghttp2_session_send(c->session);
    RIG_WAIT(atomic_load(&r.later) != NULL);
    (void)nghttp2_submit_rst_stream(c->session, 0, k->id, NGHTTP2_CANCEL);
    (void)nghttp2_session_send(c->session);
    RIG_WAIT(atomic_load(&r.cancelled) == 1);
    r.post.run = rig_end_later;
    tni_loop_post(r.loop, &r.post);
    RIG_WAIT(atomic_load(&r.later) == NULL);
    /* And one whose connection goes. */
    h2_client *d = h2_open(&r);
    (void)h2_ask(d, "GET", "/later", NULL, NULL, 0, false);
    (void)h2_ask(d, "GET", "/big", NULL, NULL, 0, false);
    (void)h2_ask(d, "POST", "/echo", NULL, "abc", 3, true);
    (void)nghttp2_session_send(d->session);
    RIG_WAIT(atomic_load(&r.later) != NULL);
    h2_close(d);
    RIG_WAIT(atomic_load(&r.cancelled) == 2);
    tni_loop_post(r.loop, &r.post);
    k = h2_ask(c, "GET", "/echo", NULL, NULL, 0, false);
    h2_expect(c, k, 200, "", 0);
    h2_close(c);
    rig_stop(&r, false);
}

/* Streams that were reset count as long as the application has them. */
static void streams_are_bounded(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    r.opts.max_streams = 1;
    rig_start(&r);
    h2_client *c = h2_open(&r);
    h2_call *k = h2_ask(c, "GET", "/later", NULL, NULL, 0, false);
    (void)nghttp2_session_send(c->session);
    RIG_WAIT(atomic_load(&r.later) != NULL);
    (void)nghttp2_submit_rst_stream(c->session, 0, k->id, NGHTTP2_CANCEL);
    (void)nghttp2_session_send(c->session);
    RIG_WAIT(atomic_load(&r.cancelled) == 1);
    k = h2_ask(c, "GET", "/echo", NULL, NULL, 0, false);
    H2_UNTIL(c, k->closed);
    assert_int_equal(k->error, NGHTTP2_REFUSED_STREAM);
    r.post.run = rig_end_later;
    tni_loop_post(r.loop, &r.post);
    RIG_WAIT(atomic_load(&r.released) == 1);
    k = h2_ask(c, "GET", "/echo", NULL, NULL, 0, false);
    h2_expect(c, k, 200, "", 0);
    h2_close(c);
    rig_stop(&r, false);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    const char *const length[] = {"content-length", "9000000", NULL};
    (void)h2_ask(c, "POST", "/echo", length, NULL, 0, true);
    h2_call *k = h2_ask(c, "POST", "/echo", length, NULL, 0, true);
    h2_expect(c, k, 503, NULL, 0);
    assert_non_null(strstr(k->headers, "retry-after: 1\n"));
    assert_true(r.bodies.peak_bytes < 10000000);
    /* A server that sends more than anyone reads. */
    h2_call *flood = h2_ask(c, "GET", "/flood", NULL, NULL, 0, false);
    H2_UNTIL(c, flood->closed);
    assert_int_equal(flood->error, NGHTTP2_CANCEL);
    h2_close(c);
    rig_stop(&r, false);
}

/* That a peer is gone is noticed by sending; nothing may be told, or freed,
 * inside of the application's call. */
static void gone_while_sent_to(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    for (int i = 0; i < 40; i++) {
        h2_client *c = h2_on(rig_connect(&r), NULL, 16 << 20, false);
        (void)h2_ask(c, "GET", "/later", NULL, NULL, 0, false);
        (void)nghttp2_session_send(c->session);
        RIG_WAIT(atomic_load(&r.later) != NULL);
        const struct linger l = {1, 0};
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
        r.post.run = rig_send_later;
        if (i % 2 == 0) tni_loop_post(r.loop, &r.post);
        h2_close(c);
        if (i % 2 != 0) tni_loop_post(r.loop, &r.post);
        RIG_WAIT(atomic_load(&r.later) == NULL);
    }
    rig_stop(&r, false);
}

/* Zeros that unpack to twice the limit: stopped there, by REST and by gRPC. */
static void decompression_bombs(void **state)
{
    (void)state;
    const size_t plain = (size_t)8 << 20;
    rig r;
    rig_init(&r);
    r.opts.max_body = 4 << 20;
    rig_start(&r);
    uint8_t *zeros = calloc(1, plain), *packed = malloc(100000);
    uLongf n = 100000 - 5;
    assert_int_equal(compress(packed + 5, &n, zeros, plain), Z_OK);
    free(zeros);
    packed[0] = 1;
    packed[1] = 0;
    packed[2] = (uint8_t)(n >> 16);
    packed[3] = (uint8_t)(n >> 8 & 255);
    packed[4] = (uint8_t)(n & 255);
    h2_client *c = h2_open(&r);
    const char *const rest[] = {"content-encoding", "deflate", NULL};
    const char *const grpc[] = {
        "content-type",  "application/grpc", "te", "trailers",
        "grpc-encoding", "deflate",          NULL};
    h2_call *k = h2_ask(c, "POST", "/echo", rest, packed + 5, n, false);
    h2_expect(c, k, 413, NULL, 0);
    k = h2_ask(c, "POST", "/echo", grpc, packed, n + 5, false);
    h2_expect(c, k, 200, NULL, 0);
    assert_int_equal(k->grpc_status, 8);
    assert_int_equal(atomic_load(&r.requests), 0);
    assert_true(r.bodies.peak_bytes <= r.bodies.limit_bytes);
    h2_close(c);
    free(packed);
    rig_stop(&r, false);
}

static void slow_peers(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    r.opts.header_timeout_ns = r.opts.idle_timeout_ns = 200000000u;
    r.opts.read_timeout_ns = r.opts.write_timeout_ns = 200000000u;
    rig_start(&r);
    const int preface = rig_connect(&r), head = h2_raw_open(&r);
    rig_say(preface, "PRI * HT");
    h2_raw(head, NGHTTP2_HEADERS, 0, 1, "\x83\x86", 2);
    h2_client *body = h2_open(&r),
              *reader = h2_on(rig_connect(&r), NULL, 1000, true),
              *idle = h2_open(&r);
    h2_call *k = h2_ask(body, "POST", "/echo", NULL, "abc", 3, true);
    h2_call *j = h2_ask(reader, "GET", "/big", NULL, NULL, 0, false);
    (void)nghttp2_session_send(reader->session);
    (void)nghttp2_session_send(idle->session);
    h2_expect(body, k, 408, NULL, 0);
    H2_UNTIL(reader, j->closed);
    assert_int_equal(j->error, NGHTTP2_CANCEL);
    H2_UNTIL(idle, false); /* until it is lost */
    assert_true(idle->goaway);
    assert_int_equal(idle->goaway_error, NGHTTP2_NO_ERROR);
    char c;
    assert_true(tni_tcp_read(preface, &c, 1) <= 0);
    assert_int_equal(h2_raw_until(head, 99, NULL, 0), -1);
    tni_tcp_close(preface);
    tni_tcp_close(head);
    h2_close(body);
    h2_close(reader);
    h2_close(idle);
    tni_loop_counts counts;
    RIG_WAIT((tni_loop_count(r.loop, &counts), counts.connections == 0));
    assert_true(counts.timeouts >= 5);
    rig_stop(&r, false);
}

static void half_closed(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    (void)h2_ask(c, "GET", "/later", NULL, NULL, 0, false);
    (void)nghttp2_session_send(c->session);
    RIG_WAIT(atomic_load(&r.later) != NULL);
    tni_tcp_finish(c->fd);
    RIG_WAIT(atomic_load(&r.cancelled) == 1);
    r.post.run = rig_end_later;
    tni_loop_post(r.loop, &r.post);
    H2_UNTIL(c, false);
    h2_close(c);
    rig_stop(&r, false);
}

static void drained(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *idle = h2_open(&r), *busy = h2_open(&r);
    h2_call *k = h2_ask(idle, "GET", "/echo", NULL, NULL, 0, false);
    h2_expect(idle, k, 200, "", 0);
    k = h2_ask(busy, "GET", "/later", NULL, NULL, 0, false);
    (void)nghttp2_session_send(busy->session);
    RIG_WAIT(atomic_load(&r.later) != NULL);
    tni_loop_drain(r.loop, 300000000u, 4000000000u);
    /* First it is said that there is an end; what is asked before it knows is
     * still answered. */
    H2_UNTIL(idle, idle->goaway);
    assert_int_equal(idle->goaway_error, NGHTTP2_NO_ERROR);
    assert_false(idle->lost);
    H2_UNTIL(busy, busy->goaway);
    H2_UNTIL(idle, false); /* until it is lost */
    r.post.run = rig_end_later;
    tni_loop_post(r.loop, &r.post);
    h2_expect(busy, k, 200, "later", 5);
    H2_UNTIL(busy, false);
    h2_close(idle);
    h2_close(busy);
    rig_stop(&r, true);
}

static void count_release(void *ctx)
{
    ++*(int *)ctx;
}

/* Parts that move between queues, whole and cut, and what is dropped. */
static void queues_share_parts(void **state)
{
    (void)state;
    tni_mem mem;
    tni_mem_init(&mem, NULL, 0);
    tni_outq a, b;
    tni_outq_init(&a, &mem);
    tni_outq_init(&b, &mem);
    int released = 0;
    assert_true(tni_outq_copy(&a, "copy", 4));
    assert_true(tni_outq_add(&a, "parts", 5, count_release, &released));
    assert_true(tni_outq_add(&a, NULL, 0, count_release, &released));
    assert_true(tni_outq_add(&a, "rest", 4, count_release, &released));
    assert_true(tni_outq_move(&b, &a, 2));
    assert_true(tni_outq_move(&b, &a, 4));
    assert_int_equal(a.bytes, 7);
    assert_int_equal(b.bytes, 6);
    assert_true(tni_outq_move(&b, &a, 3)); /* and what waits behind */
    tni_slice s[8];
    const size_t n = tni_outq_slices(&b, s, 8);
    char text[16];
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(text + len, s[i].p, s[i].len);
        len += s[i].len;
    }
    assert_int_equal(len, 9);
    assert_memory_equal(text, "copyparts", 9);
    assert_true(tni_outq_retire(&b, &a));
    assert_int_equal(a.n, 0);
    assert_int_equal(b.bytes, 9);
    assert_int_equal(released, 0);
    tni_outq_sent(&b, 8);
    assert_int_equal(released, 0);
    tni_outq_sent(&b, 1);
    assert_int_equal(released, 3);
    tni_outq_fini(&a);
    tni_outq_fini(&b);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_share_parts),
        cmocka_unit_test(ask_and_answer),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(large_bodies_both_ways),
        cmocka_unit_test(cut_apart),
        cmocka_unit_test(refused),
        cmocka_unit_test(a_window_of_one_byte),
        cmocka_unit_test(sends_before_it_reads),
        cmocka_unit_test(reset_at_every_point),
        cmocka_unit_test(streams_are_bounded),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(gone_while_sent_to),
        cmocka_unit_test(decompression_bombs),
        cmocka_unit_test(slow_peers),
        cmocka_unit_test(half_closed),
        cmocka_unit_test(drained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
