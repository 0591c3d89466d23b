/* SPDX-License-Identifier: Apache-2.0 */
/* test_conn_http1.c - HTTP/1.1 over sockets, peers of every kind */
#include "serve_rig.h"

#include <zlib.h>

#define HOST "Host: a\r\n"

typedef struct reply {
    int status;
    bool close;
    size_t length;
    char head[2048];
    char *body; /* of length bytes, terminated */
} reply;

/* Reads one answer; false at the connection's end. */
static bool get(int fd, reply *r)
{
    size_t n = 0;
    memset(r, 0, sizeof *r);
    while (n + 1 < sizeof r->head) {
        if (tni_tcp_read(fd, r->head + n, 1) != 1) return false;
        n++;
        if (n >= 4 && memcmp(r->head + n - 4, "\r\n\r\n", 4) == 0) break;
    }
    r->head[n] = '\0';
    assert_memory_equal(r->head, "HTTP/1.", 7);
    r->status = atoi(r->head + 9);
    r->close = strstr(r->head, "Connection: close") != NULL;
    const char *length = strstr(r->head, "Content-Length: ");
    if (length != NULL) r->length = strtoul(length + 16, NULL, 10);
    r->body = malloc(r->length + 1);
    r->body[r->length] = '\0';
    for (size_t k = 0; k < r->length;) {
        const ptrdiff_t m = tni_tcp_read(fd, r->body + k, r->length - k);
        if (m <= 0) return false;
        k += (size_t)m;
    }
    return true;
}

static void expect(int fd, int status, const char *body)
{
    reply r;
    assert_true(get(fd, &r));
    assert_int_equal(r.status, status);
    if (body != NULL) assert_string_equal(r.body, body);
    free(r.body);
}

static void expect_end(int fd)
{
    char c;
    assert_int_equal(tni_tcp_read(fd, &c, 1), 0);
    tni_tcp_close(fd);
}

static void one_after_the_other(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int fd = rig_connect(&r);
    for (int i = 0; i < 3; i++) {
        rig_say(fd, "POST /echo HTTP/1.1\r\n" HOST
                    "Content-Length: 5\r\n\r\nhello");
        expect(fd, 200, "hello");
    }
    rig_say(fd, "POST /echo HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "");
    rig_say(fd, "HEAD /big?77 HTTP/1.1\r\n" HOST "\r\n");
    char buf[512];
    const ptrdiff_t n = tni_tcp_read(fd, buf, sizeof buf - 1);
    assert_true(n > 0);
    buf[n] = '\0';
    assert_non_null(strstr(buf, "Content-Length: 77\r\n"));
    assert_non_null(strstr(buf, " GMT\r\n"));
    assert_memory_equal(buf + n - 4, "\r\n\r\n", 4);
    rig_say(fd, "GET /echo HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    expect(fd, 200, "");
    expect_end(fd);
    rig_stop(&r, false);
}

static void pipelined_and_cut_apart(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int fd = rig_connect(&r);
    static const char text[] =
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: u\r\n\r\n"
        "GET /echo HTTP/1.1\r\n" HOST "\r\n";
    for (int i = 0; i < 20; i++) rig_say(fd, text);
    for (const char *p = text; *p != '\0'; p++) rig_put(fd, p, 1);
    for (int i = 0; i < 21; i++) {
        expect(fd, 200, "abc");
        expect(fd, 200, "abcde");
        expect(fd, 200, "");
    }
    tni_tcp_close(fd);
    rig_stop(&r, false);
}

static void large_bodies_both_ways(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int fd = rig_connect(&r);
    rig_say(fd, "GET /big?6000000 HTTP/1.1\r\n" HOST "\r\n");
    reply a;
    assert_true(get(fd, &a));
    assert_int_equal(a.length, 6000000);
    assert_memory_equal(a.body, r.filler, a.length);
    free(a.body);
    rig_say(fd, "POST /echo HTTP/1.1\r\n" HOST
                "Content-Length: 3000000\r\nExpect: 100-continue\r\n\r\n");
    assert_true(get(fd, &a));
    assert_int_equal(a.status, 100);
    free(a.body);
    rig_put(fd, r.filler, 3000000);
    assert_true(get(fd, &a));
    assert_int_equal(a.length, 3000000);
    assert_memory_equal(a.body, r.filler, a.length);
    free(a.body);
    tni_tcp_close(fd);
    rig_stop(&r, false);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        const char *part;
    } cases[] = {
        {"BAD\r\n\r\n", 400, "method"},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n", 413,
         "limit"},
        {"POST /small HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n", 413,
         "limit"},
        {"POST /small HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n",
         413, "limit"},
        {"POST /echo HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
         400, "chunk"},
        {"POST /refuse HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n", 403,
         "no"},
        {"POST /echo HTTP/1.1\r\n" HOST
         "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
         501, "gzip"},
        {"POST /echo HTTP/1.1\r\n" HOST
         "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
         400, "packed"},
    };
    rig r;
    rig_init(&r);
    rig_start(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int fd = rig_connect(&r);
        reply a;
        rig_say(fd, cases[i].text);
        assert_true(get(fd, &a));
        assert_int_equal(a.status, cases[i].status);
        assert_non_null(strstr(a.body, cases[i].part));
        assert_true(a.close);
        assert_int_equal(strstr(a.head, "Accept-Encoding: gzip") != NULL,
                         a.status == 501);
        free(a.body);
        expect_end(fd);
    }
    rig_stop(&r, false);
}

static void packed_bodies(void **state)
{
    (void)state;
    /* "hello hello hello" by gzip and by zlib */
    static const uint8_t gz[] = {0x1f, 0x8b, 0x08, 0,    0,    0,    0,
                                 0,    2,    0x03, 0xcb, 0x48, 0xcd, 0xc9,
                                 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x00, 0x80,
                                 0x88, 0xf9, 0xe5, 0x11, 0,    0,    0};
    static const uint8_t zl[] = {0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9,
                                 0xc9, 0x57, 0xc8, 0x40, 0x90, 0x00,
                                 0x3a, 0x2e, 0x06, 0x7d};
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int fd = rig_connect(&r);
    rig_say(fd, "POST /echo HTTP/1.1\r\n" HOST
                "Content-Encoding: gzip\r\nContent-Length: 28\r\n\r\n");
    rig_put(fd, gz, sizeof gz);
    expect(fd, 200, "hello hello hello");
    rig_say(fd, "POST /echo HTTP/1.1\r\n" HOST
                "Content-Encoding: deflate\r\nContent-Length: 16\r\n\r\n");
    rig_put(fd, zl, sizeof zl);
    expect(fd, 200, "hello hello hello");
    /* Unpacked it is over the limit of 10. */
    rig_say(fd, "POST /small HTTP/1.1\r\n" HOST
                "Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n"
                "\r\n8\r\n");
    rig_put(fd, zl, 8);
    rig_say(fd, "\r\n8\r\n");
    rig_put(fd, zl + 8, 8);
    rig_say(fd, "\r\n0\r\n\r\n");
    expect(fd, 413, NULL);
    expect_end(fd);
    rig_stop(&r, false);
}

/* Requests that two readers would end at different places: refused, and what
 * follows is never taken for a request. */
static void smuggled_requests(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5 \r\n 6\r\n",
        "Content-Length : 5\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\n chunked\r\n",
        "X: y\rContent-Length: 5\r\n",
        "X: y\nContent-Length: 5\r\n",
    };
    rig r;
    rig_init(&r);
    rig_start(&r);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        const int fd = rig_connect(&r);
        char text[512];
        (void)snprintf(text, sizeof text,
                       "POST /echo HTTP/1.1\r\n" HOST
                       "%s\r\n0\r\n\r\nGET /echo HTTP/1.1\r\n" HOST "\r\n",
                       heads[i]);
        rig_say(fd, text);
        reply a;
        assert_true(get(fd, &a));
        assert_true(a.status == 400 || a.status == 501);
        assert_true(a.close);
        free(a.body);
        expect_end(fd);
    }
    assert_int_equal(atomic_load(&r.requests), 0);
    rig_stop(&r, false);
}

/* How many chunks a body has makes no difference to what it takes. */
static void a_body_of_many_chunks(void **state)
{
    (void)state;
    enum { N = 200000, TEXT = 6 };
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int fd = rig_connect(&r);
    char *text = malloc((size_t)N * TEXT + 1);
    for (size_t i = 0; i < N; i++) memcpy(text + i * TEXT, "1\r\nx\r\n", TEXT);
    rig_say(fd, "POST /echo HTTP/1.1\r\n" HOST
                "Transfer-Encoding: chunked\r\n\r\n");
    rig_put(fd, text, (size_t)N * TEXT);
    rig_say(fd, "0\r\n\r\n");
    reply a;
    assert_true(get(fd, &a));
    assert_int_equal(a.status, 200);
    assert_int_equal(a.length, N);
    assert_true(r.bodies.peak_bytes < 4 * N);
    assert_true(r.mem.peak_bytes < 1000000);
    free(a.body);
    free(text);
    tni_tcp_close(fd);
    rig_stop(&r, false);
}

static void decompression_bombs(void **state)
{
    (void)state;
    const size_t plain = (size_t)8 << 20; /* twice the limit */
    rig r;
    rig_init(&r);
    r.opts.max_body = 4 << 20;
    rig_start(&r);
    uint8_t *zeros = calloc(1, plain), *packed = malloc(100000);
    uLongf n = 100000;
    assert_int_equal(compress(packed, &n, zeros, plain), Z_OK);
    free(zeros);
    const int fd = rig_connect(&r);
    char head[128];
    (void)snprintf(head, sizeof head,
                   "POST /echo HTTP/1.1\r\n" HOST
                   "Content-Encoding: deflate\r\nContent-Length: %lu\r\n\r\n",
                   (unsigned long)n);
    rig_say(fd, head);
    rig_put(fd, packed, n);
    expect(fd, 413, NULL);
    expect_end(fd);
    assert_int_equal(atomic_load(&r.requests), 0);
    assert_true(r.bodies.peak_bytes <= r.bodies.limit_bytes);
    free(packed);
    rig_stop(&r, false);
}

static void half_closed_and_streamed(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    int fd = rig_connect(&r);
    rig_say(fd, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    tni_tcp_finish(fd);
    RIG_WAIT(atomic_load(&r.later) != NULL);
    r.post.run = rig_end_later;
    tni_loop_post(r.loop, &r.post);
    expect(fd, 200, "later");
    expect_end(fd);
    fd = rig_connect(&r);
    rig_say(fd, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
    char buf[512];
    size_t n = 0;
    while (n < 5 || memcmp(buf + n - 5, "0\r\n\r\n", 5) != 0) {
        assert_int_equal(tni_tcp_read(fd, buf + n, 1), 1);
        n++;
    }
    buf[n] = '\0';
    assert_non_null(strstr(buf, "\r\n\r\n5\r\ndata\n\r\n5\r\ndata\n\r\n"));
    rig_say(fd, "GET /stream HTTP/1.0\r\n\r\n");
    n = 0;
    ptrdiff_t k;
    while ((k = tni_tcp_read(fd, buf + n, sizeof buf - n)) > 0) n += (size_t)k;
    assert_memory_equal(buf + n - 19, "\r\n\r\ndata\ndata\ndata\n", 19);
    tni_tcp_close(fd);
    rig_stop(&r, false);
}

/* A peer that goes away while its answer is made, and at every stage. */
static void cancelled(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    static const char text[] =
        "POST /later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello";
    for (size_t cut = 0; cut + 1 < sizeof text; cut += 3) {
        const int fd = rig_connect(&r);
        rig_put(fd, text, cut);
        tni_tcp_close(fd);
    }
    const int fd = rig_connect(&r);
    rig_say(fd, text);
    RIG_WAIT(atomic_load(&r.later) != NULL);
    /* Closing with a reset: a plain end may be a half-closed peer. */
    const struct linger l = {1, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    tni_tcp_close(fd);
    RIG_WAIT(atomic_load(&r.cancelled) == 1);
    r.post.run = rig_end_later;
    tni_loop_post(r.loop, &r.post);
    RIG_WAIT(atomic_load(&r.ended) == 1);
    /* One that does not read what it asked for. */
    const int slow = rig_connect(&r);
    rig_say(slow, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    RIG_WAIT(atomic_load(&r.pieces) == 2);
    tni_tcp_close(slow);
    RIG_WAIT(atomic_load(&r.released) == 2);
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
    const int idle = rig_connect(&r), head = rig_connect(&r),
              body = rig_connect(&r), reader = rig_connect(&r);
    rig_say(head, "GET /echo HTTP/1.1\r\nHo");
    rig_say(body,
            "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    rig_say(reader, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    expect_end(idle);
    expect(head, 408, NULL);
    expect_end(head);
    expect(body, 408, NULL);
    expect_end(body);
    RIG_WAIT(atomic_load(&r.released) == 1);
    tni_tcp_close(reader);
    tni_loop_counts counts;
    RIG_WAIT((tni_loop_count(r.loop, &counts), counts.connections == 0));
    assert_int_equal(counts.accepted, 4);
    assert_true(counts.timeouts >= 4);
    rig_stop(&r, false);
}

static void connections_and_bytes_are_bounded(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    r.opts.max_connections = 2;
    rig_start(&r);
    const int a = rig_connect(&r), b = rig_connect(&r);
    rig_say(a, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
    expect(a, 200, "");
    rig_say(b,
            "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9000000\r\n\r\n");
    RIG_WAIT(r.bodies.used_bytes > 9000000);
    rig_say(a,
            "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9000000\r\n\r\n");
    reply full;
    assert_true(get(a, &full));
    assert_int_equal(full.status, 503);
    assert_non_null(strstr(full.head, "Retry-After: 1"));
    free(full.body);
    expect_end(a);
    const int c = rig_connect(&r); /* there is room again */
    rig_say(c, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
    expect(c, 200, "");
    tni_tcp_close(b);
    tni_tcp_close(c);
    rig_stop(&r, false);
}

/* Two loops of which one counter says how many connections they may have. */
static void loops_share_their_limit(void **state)
{
    (void)state;
    _Atomic uint64_t all = 0;
    rig a, b;
    rig_init(&a);
    rig_init(&b);
    a.opts.max_connections = b.opts.max_connections = 2;
    a.opts.all_connections = b.opts.all_connections = &all;
    rig_start(&a);
    rig_start(&b);
    const int one = rig_connect(&a), two = rig_connect(&b);
    RIG_WAIT(atomic_load(&all) == 2);
    const int three = rig_connect(&b);
    rig_say(three, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
    const struct timespec t = {0, 300000000};
    (void)nanosleep(&t, NULL);
    tni_loop_counts counts;
    tni_loop_count(b.loop, &counts);
    assert_int_equal(counts.accepted, 1);
    tni_tcp_close(one);
    expect(three, 200, ""); /* of the other loop there was room again */
    tni_tcp_close(two);
    tni_tcp_close(three);
    rig_stop(&a, false);
    rig_stop(&b, false);
    assert_int_equal(atomic_load(&all), 0);
}

static void drained(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int idle = rig_connect(&r), busy = rig_connect(&r);
    rig_say(idle, "GET /echo HTTP/1.1\r\n" HOST "\r\n");
    expect(idle, 200, "");
    rig_say(busy, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    RIG_WAIT(atomic_load(&r.later) != NULL);
    tni_loop_drain(r.loop, 0, 4000000000u);
    expect_end(idle);
    assert_true(tni_tcp_connect(r.port) < 0);
    r.post.run = rig_end_later;
    tni_loop_post(r.loop, &r.post);
    reply a;
    assert_true(get(busy, &a));
    assert_string_equal(a.body, "later");
    assert_true(a.close);
    free(a.body);
    expect_end(busy);
    rig_stop(&r, true);
}

static void speaks_no_tls_unasked(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int fd = rig_connect(&r);
    rig_put(fd, "\x16\x03\x01", 3);
    char c;
    assert_true(tni_tcp_read(fd, &c, 1) <= 0);
    tni_tcp_close(fd);
    rig_stop(&r, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(pipelined_and_cut_apart),
        cmocka_unit_test(large_bodies_both_ways),
        cmocka_unit_test(refused),
        cmocka_unit_test(packed_bodies),
        cmocka_unit_test(smuggled_requests),
        cmocka_unit_test(a_body_of_many_chunks),
        cmocka_unit_test(decompression_bombs),
        cmocka_unit_test(half_closed_and_streamed),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(slow_peers),
        cmocka_unit_test(connections_and_bytes_are_bounded),
        cmocka_unit_test(loops_share_their_limit),
        cmocka_unit_test(drained),
        cmocka_unit_test(speaks_no_tls_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
