/* SPDX-License-Identifier: Apache-2.0 */
/* test_http1.c - requests in one piece, and cut apart at every byte */
#include "serve/http1.h"
#include "serve/http_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"

/* Feeds `first` bytes and then the rest; the status, 0 for a good head. */
static int feed(tni_http1_head *h, uint8_t *buf, const char *text, size_t size,
                size_t first)
{
    memcpy(buf, text, size);
    tni_http1_head_init(h);
    tni_http1_step step = tni_http1_head_feed(h, buf, first);
    if (step == TNI_HTTP1_MORE) step = tni_http1_head_feed(h, buf, size);
    if (step == TNI_HTTP1_MORE) return -1;
    return step == TNI_HTTP1_DONE ? 0 : h->status;
}

/* The same result wherever the text is cut; -1: incomplete. */
static void expect(const char *text, size_t size, int status)
{
    static tni_http1_head h;
    uint8_t *buf = malloc(size + 1);
    for (size_t cut = 0; cut <= size; cut++)
        assert_int_equal(feed(&h, buf, text, size, cut), status);
    free(buf);
}

static void good_heads(void **state)
{
    (void)state;
    static const char text[] =
        "\r\nPOST /v2/models/a%20b/infer?x=1&y HTTP/1.1\r\n"
        "HOST: a:8000\r\nX-A:  b c \t\r\nempty:\r\n"
        "Content-Length: 12\r\n\r\nhello";
    tni_http1_head h;
    uint8_t buf[256];
    for (size_t cut = 0; cut < sizeof text; cut++) {
        assert_int_equal(feed(&h, buf, text, sizeof text - 1, cut), 0);
        assert_true(tni_span_is(h.method, "POST"));
        assert_true(tni_span_is(h.path, "/v2/models/a%20b/infer"));
        assert_true(tni_span_is(h.query, "x=1&y"));
        assert_int_equal(h.n_fields, 4);
        assert_true(tni_span_is(h.fields[0].name, "host"));
        assert_true(tni_span_is(h.fields[1].name, "x-a"));
        assert_true(tni_span_is(h.fields[1].value, "b c"));
        assert_true(tni_span_is(h.fields[2].value, ""));
        assert_true(h.has_length && h.length == 12);
        assert_true(h.keep_alive && !h.chunked && h.minor == 1);
        assert_int_equal(h.size, sizeof text - 1 - 5);
    }
}

static void versions_and_keeping_alive(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int minor;
        bool keep, expect;
    } cases[] = {
        {"GET / HTTP/1.0\r\n\r\n", 0, false, false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0, true, false},
        {"GET / HTTP/1.1\r\n" HOST "connection: x, CLOSE ,y\r\n\r\n", 1, false,
         false},
        {"GET / HTTP/1.9\r\n" HOST "\r\n", 1, true, false},
        {"POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n", 1, true,
         true},
        {"POST / HTTP/1.0\r\n" HOST "Expect: 100-continue\r\n\r\n", 0, false,
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tni_http1_head h;
        uint8_t buf[256];
        const size_t n = strlen(cases[i].text);
        assert_int_equal(feed(&h, buf, cases[i].text, n, n / 2), 0);
        assert_int_equal(h.minor, cases[i].minor);
        assert_int_equal(h.keep_alive, cases[i].keep);
        assert_int_equal(h.expect_continue, cases[i].expect);
        assert_false(h.has_length);
    }
}

static void targets(void **state)
{
    (void)state;
    static const struct {
        const char *line, *path, *query;
    } cases[] = {{"GET /?a?b", "/", "a?b"},
                 {"GET http://x:1/v2?q", "/v2", "q"},
                 {"GET HTTPS://x", "/", ""},
                 {"GET http://x?q", "/", "q"},
                 {"OPTIONS *", "*", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tni_http1_head h;
        char text[128];
        uint8_t buf[128];
        const int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\n" HOST "\r\n",
                               cases[i].line);
        assert_int_equal(feed(&h, buf, text, (size_t)n, 3), 0);
        assert_true(tni_span_is(h.path, cases[i].path));
        assert_true(tni_span_is(h.query, cases[i].query));
    }
}

static void refused_heads(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST, -1},
        {"GET / HTTP/1.1\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "a b: c\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "a : c\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST ": c\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "a: \x01\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "a: \x7f\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
        {"GET / HTTP/0.9\r\n\r\n", 505},
        {"GET / HTTP/1.11\r\n\r\n", 400},
        {"GET / http/1.1\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\n\r\n", 400},
        {"GET /a#b HTTP/1.1\r\n\r\n", 400},
        {"GET /\x80 HTTP/1.1\r\n\r\n", 400},
        {"GET * HTTP/1.1\r\n\r\n", 400},
        {"CONNECT a:1 HTTP/1.1\r\n\r\n", 400},
        {"G{T / HTTP/1.1\r\n\r\n", 400},
        {" GET / HTTP/1.1\r\n\r\n", 400},
        {"\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400},
        {"\x16\x03\x01", 400},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST
         "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\n" HOST
         "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\n" HOST
         "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
         0},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x10\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST
         "Content-Length: 18446744073709551617\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: CHUNKED\r\n\r\n", 0},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 501},
        {"POST / HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\n" HOST "Expect: more\r\n\r\n", 417},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].text, strlen(cases[i].text), cases[i].status);
    expect("GET / HTTP/1.1\r\na: b\0c\r\n\r\n", 27, 400);
    expect("GET /\0 HTTP/1.1\r\n\r\n", 20, 400);
}

/* prefix, n times `c`, suffix; how it ends when it comes in one piece. */
static int long_head(const char *prefix, char c, size_t n, const char *suffix)
{
    static tni_http1_head h;
    const size_t a = strlen(prefix), b = strlen(suffix);
    char *text = malloc(a + n + b);
    uint8_t *buf = malloc(a + n + b);
    memcpy(text, prefix, a);
    memset(text + a, c, n);
    memcpy(text + a + n, suffix, b);
    const int status = feed(&h, buf, text, a + n + b, 7);
    if (status == 0) assert_true(h.size <= TNI_HTTP1_MAX_HEAD);
    free(text);
    free(buf);
    return status;
}

static void limits(void **state)
{
    (void)state;
    assert_int_equal(long_head("GET /", 'a', 8191, " HTTP/1.1\r\n" HOST "\r\n"),
                     0);
    assert_int_equal(long_head("GET /", 'a', 8192, ""), 414);
    const size_t fixed = strlen(HOST) + strlen("x:\r\n\r\n");
    const char *prefix = "GET / HTTP/1.1\r\n" HOST "x:";
    assert_int_equal(long_head(prefix, 'v', 8192 - fixed, "\r\n\r\n"), 0);
    assert_int_equal(long_head(prefix, 'v', 8193 - fixed, "\r\n\r\n"), 431);
    char text[2048] = "GET / HTTP/1.1\r\n" HOST;
    for (int i = 1; i < TNI_HTTP1_MAX_FIELDS; i++) strcat(text, "a:b\r\n");
    const size_t n = strlen(text);
    strcpy(text + n, "\r\n");
    expect(text, n + 2, 0);
    strcpy(text + n, "a:b\r\n\r\n");
    expect(text, n + 7, 431);
}

/* Decodes in pieces of `step`; the status, 0 when whole, -1 when not. */
static int chunks(const char *text, size_t size, size_t step, char *out,
                  size_t *out_len, size_t *all_used)
{
    tni_http1_chunks c;
    memset(&c, 0, sizeof c);
    *out_len = *all_used = 0;
    for (size_t at = 0; at < size;) {
        const size_t end = size - at < step ? size : at + step;
        const uint8_t *data = NULL;
        size_t used = 0, len = 0;
        const tni_http1_step s = tni_http1_chunks_feed(
            &c, (const uint8_t *)text + at, end - at, &used, &data, &len);
        at += used;
        *all_used = at;
        if (s == TNI_HTTP1_DONE) return 0;
        if (s == TNI_HTTP1_BAD) return c.status;
        if (s == TNI_HTTP1_DATA) {
            memcpy(out + *out_len, data, len);
            *out_len += len;
        }
    }
    return -1;
}

static void chunked_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        const char *body;
        size_t rest; /* bytes of the next request */
    } cases[] = {
        {"0\r\n\r\n", 0, "", 0},
        {"3\r\nabc\r\n0\r\n\r\nGET", 0, "abc", 3},
        {"3;x=\"y\"\r\nabc\r\n000B \r\n0123456789\n\r\n0\r\nA: b\r\n\r\n", 0,
         "abc0123456789\n", 0},
        {"3\r\nabcd\r\n0\r\n\r\n", 400, NULL, 0},
        {"3\nabc\r\n0\r\n\r\n", 400, NULL, 0},
        {"\r\nabc", 400, NULL, 0},
        {"-1\r\nabc", 400, NULL, 0},
        {"0x3\r\nabc", 400, NULL, 0},
        {"fffffffffffffffff\r\n", 413, NULL, 0},
        {"3;\x01\r\nabc", 400, NULL, 0},
        {"0\r\na\nb\r\n\r\n", 400, NULL, 0},
        {"3\r\nab", -1, NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t size = strlen(cases[i].text);
        for (size_t step = 1; step <= size; step++) {
            char out[64];
            size_t len = 0, used = 0;
            assert_int_equal(
                chunks(cases[i].text, size, step, out, &len, &used),
                cases[i].status);
            if (cases[i].body == NULL) continue;
            assert_int_equal(len, strlen(cases[i].body));
            assert_memory_equal(out, cases[i].body, len);
            assert_int_equal(size - used, cases[i].rest);
        }
    }
}

static void chunk_limits(void **state)
{
    (void)state;
    char *text = malloc(20000), out[8];
    size_t len = 0, used = 0;
    memset(text, 'e', 20000);
    memcpy(text, "3;", 2);
    assert_int_equal(chunks(text, 20000, 20000, out, &len, &used), 400);
    assert_true(used < 300);
    memset(text, 'e', 20000);
    memcpy(text, "0\r\n", 3);
    assert_int_equal(chunks(text, 20000, 20000, out, &len, &used), 431);
    assert_true(used < 8300);
    free(text);
}

static void heads_of_answers(void **state)
{
    (void)state;
    char buf[512];
    const tni_header more[2] = {
        {tni_span_of("Retry-After"), tni_span_of("1")},
        {tni_span_of("X"), tni_span_of("a\r\nSet-Cookie: b")}};
    tni_http1_reply r = {.status = 503,
                         .minor = 1,
                         .keep_alive = true,
                         .length = 12,
                         .content_type = "application/json",
                         .headers = more,
                         .n_headers = 2};
    size_t n = tni_http1_write_head(buf, sizeof buf, &r);
    static const char whole[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        "Retry-After: 1\r\nX: aSet-Cookie: b\r\nContent-Length: 12\r\n\r\n";
    assert_int_equal(n, sizeof whole - 1);
    assert_memory_equal(buf, whole, n);
    assert_int_equal(tni_http1_write_head(buf, n - 1, &r), 0);
    r = (tni_http1_reply){.status = 200, .minor = 0, .keep_alive = true};
    n = tni_http1_write_head(buf, sizeof buf, &r);
    assert_non_null(strstr(buf, "HTTP/1.0 200 OK\r\n"));
    assert_non_null(strstr(buf, "Connection: keep-alive\r\n"));
    r = (tni_http1_reply){.status = 200, .minor = 1, .chunked = true};
    n = tni_http1_write_head(buf, sizeof buf, &r);
    buf[n] = '\0';
    assert_string_equal(buf, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                             "chunked\r\nConnection: close\r\n\r\n");
    char head[TNI_HTTP1_CHUNK_HEAD];
    assert_int_equal(tni_http1_chunk_head(head, UINT64_MAX), 18);
    assert_int_equal(tni_http1_chunk_head(head, 26), 4);
    assert_memory_equal(head, "1a\r\n", 4);
}

static void dates(void **state)
{
    (void)state;
    static const struct {
        uint64_t epoch_s;
        const char *text;
    } cases[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1798761599, "Thu, 31 Dec 2026 23:59:59 GMT"},
        {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {UINT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[TNI_HTTP_DATE];
        tni_http_date(out, cases[i].epoch_s);
        assert_string_equal(out, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_heads),
        cmocka_unit_test(versions_and_keeping_alive),
        cmocka_unit_test(targets),
        cmocka_unit_test(refused_heads),
        cmocka_unit_test(limits),
        cmocka_unit_test(chunked_bodies),
        cmocka_unit_test(chunk_limits),
        cmocka_unit_test(heads_of_answers),
        cmocka_unit_test(dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
