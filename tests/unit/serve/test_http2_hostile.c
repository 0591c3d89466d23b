/* SPDX-License-Identifier: Apache-2.0 */
/* test_http2_hostile.c - HTTP/2 of peers that mean no good */
#include "h2_client.h"
#include "h2_raw.h"

#define GET "\x83\x86\x04\5/echo\x01\1a" /* :method POST, :scheme http, … */

typedef struct frame {
    int type, flags;
    uint32_t id;
    const char *bytes;
    size_t len;
} frame;

/* The connection ends with this error, after these frames. */
static void expect_goaway(const rig *r, const frame *frames, size_t n,
                          uint32_t error)
{
    const int fd = h2_raw_open(r);
    for (size_t i = 0; i < n; i++)
        h2_raw(fd, frames[i].type, frames[i].flags, frames[i].id,
               frames[i].bytes, frames[i].len);
    uint8_t bytes[8] = {0};
    assert_true(h2_raw_until(fd, NGHTTP2_GOAWAY, bytes, sizeof bytes) >= 8);
    assert_int_equal(bytes[7], error);
    assert_int_equal(h2_raw_until(fd, NGHTTP2_GOAWAY, bytes, sizeof bytes), -1);
    tni_tcp_close(fd);
}

static void broken_connections(void **state)
{
    (void)state;
    static const char zeros[32] = {0};
    static const struct {
        frame frames[3];
        size_t n;
        uint32_t error;
    } cases[] = {
        /* DATA, WINDOW_UPDATE and RST_STREAM of a stream that never was. */
        {{{NGHTTP2_DATA, 1, 1, "abc", 3}}, 1, NGHTTP2_PROTOCOL_ERROR},
        {{{NGHTTP2_WINDOW_UPDATE, 0, 5, "\0\0\0\1", 4}},
         1,
         NGHTTP2_PROTOCOL_ERROR},
        {{{NGHTTP2_RST_STREAM, 0, 5, "\0\0\0\1", 4}},
         1,
         NGHTTP2_PROTOCOL_ERROR},
        /* A stream of the server's kind. */
        {{{NGHTTP2_HEADERS, 5, 2, GET, sizeof GET - 1}},
         1,
         NGHTTP2_PROTOCOL_ERROR},
        /* Fields that HPACK cannot read; a table size beyond what was said. */
        {{{NGHTTP2_HEADERS, 5, 1, "\xff\xff\xff\xff\xff\xff\xff", 7}},
         1,
         NGHTTP2_COMPRESSION_ERROR},
        {{{NGHTTP2_HEADERS, 5, 1, "\x3f\xe1\xff\x7f\x83", 5}},
         1,
         NGHTTP2_COMPRESSION_ERROR},
        /* A head that another frame interrupts; CONTINUATION of none. */
        {{{NGHTTP2_HEADERS, 1, 1, GET, 3}, {NGHTTP2_PING, 0, 0, zeros, 8}},
         2,
         NGHTTP2_PROTOCOL_ERROR},
        {{{NGHTTP2_CONTINUATION, 4, 1, GET, 3}}, 1, NGHTTP2_PROTOCOL_ERROR},
        /* Frames of the wrong length, or with more padding than bytes. */
        {{{NGHTTP2_SETTINGS, 0, 0, zeros, 5}}, 1, NGHTTP2_FRAME_SIZE_ERROR},
        {{{NGHTTP2_PING, 0, 0, zeros, 7}}, 1, NGHTTP2_FRAME_SIZE_ERROR},
        {{{NGHTTP2_GOAWAY, 0, 0, zeros, 3}}, 1, NGHTTP2_FRAME_SIZE_ERROR},
        {{{NGHTTP2_HEADERS, 4, 1, GET, sizeof GET - 1},
          {NGHTTP2_DATA, 9, 1, "\x20 abc", 4}},
         2,
         NGHTTP2_PROTOCOL_ERROR},
        /* Settings that cannot be, and a window of too much. */
        {{{NGHTTP2_SETTINGS, 0, 0, "\0\2\0\0\0\2", 6}},
         1,
         NGHTTP2_PROTOCOL_ERROR},
        {{{NGHTTP2_SETTINGS, 0, 0, "\0\4\xff\xff\xff\xff", 6}},
         1,
         NGHTTP2_FLOW_CONTROL_ERROR},
        {{{NGHTTP2_WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff", 4}},
         1,
         NGHTTP2_FLOW_CONTROL_ERROR},
        /* What only servers say. */
        {{{NGHTTP2_PUSH_PROMISE, 4, 1, zeros, 8}}, 1, NGHTTP2_PROTOCOL_ERROR},
    };
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *other = h2_open(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_goaway(&r, cases[i].frames, cases[i].n, cases[i].error);
        h2_call *k = h2_ask(other, "POST", "/echo", NULL, "x", 1, false);
        h2_expect(other, k, 200, "x", 1); /* others are served */
    }
    h2_close(other);
    rig_stop(&r, false);
}

/* A request that is malformed is reset; the connection goes on. What could be
 * read in two ways on the way to HTTP/1.1 is malformed. */
static void malformed_requests(void **state)
{
    (void)state;
#define HEAD                     "\x83\x86\x04\5/echo\x01\1a"
#define FIELD(n, name, m, value) "\0" n name m value
    static const frame cases[] = {
        {1, 5, 0, "\x83\x86", 2},            /* no path */
        {1, 5, 0, "\x83\x04\5/echo", 8},     /* no scheme */
        {1, 5, 0, HEAD "\x83", sizeof HEAD}, /* two methods */
        {1, 5, 0, HEAD FIELD("\4", "Host", "\1", "b"), sizeof HEAD + 7},
        {1, 5, 0, HEAD FIELD("\12", "connection", "\1", "b"), sizeof HEAD + 13},
        {1, 5, 0, HEAD FIELD("\21", "transfer-encoding", "\7", "chunked"),
         sizeof HEAD + 26},
        {1, 5, 0, HEAD FIELD("\2", "te", "\4", "gzip"), sizeof HEAD + 8},
        {1, 5, 0, HEAD FIELD("\1", "a", "\3", "b\r\n"), sizeof HEAD + 6},
        {1, 5, 0, HEAD FIELD("\1", "a", "\1", "\0"), sizeof HEAD + 4},
        {1, 5, 0, HEAD FIELD("\3", "a b", "\1", "c"), sizeof HEAD + 6},
        {1, 5, 0, HEAD FIELD("\1", ":", "\1", "c"), sizeof HEAD + 4},
        {1, 5, 0, HEAD FIELD("\4", ":odd", "\1", "c"), sizeof HEAD + 7},
        {1, 5, 0, "\x83\x86\x04\4echo\x01\1a", 11}, /* path without / */
        {1, 5, 0, HEAD FIELD("\16", "content-length", "\1", "5"),
         sizeof HEAD + 17}, /* and no body */
        {1, 5, 0, HEAD FIELD("\16", "content-length", "\2", "-1"),
         sizeof HEAD + 18},
        {1, 5, 0,
         HEAD FIELD("\16", "content-length", "\1", "0")
             FIELD("\16", "content-length", "\1", "0"),
         sizeof HEAD + 35},
    };
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int fd = h2_raw_open(&r);
    uint32_t id = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++, id += 2) {
        h2_raw(fd, 1, 5, id, cases[i].bytes, cases[i].len);
        uint8_t bytes[4];
        assert_int_equal(
            h2_raw_until(fd, NGHTTP2_RST_STREAM, bytes, sizeof bytes), 4);
        assert_int_equal(bytes[3], NGHTTP2_PROTOCOL_ERROR);
    }
    assert_int_equal(atomic_load(&r.requests), 0);
    h2_raw(fd, 1, 4, id, HEAD, sizeof HEAD - 1);
    h2_raw(fd, 0, 1, id, "abc", 3);
    uint8_t body[8];
    assert_int_equal(h2_raw_until(fd, NGHTTP2_DATA, body, sizeof body), 3);
    tni_tcp_close(fd);
    rig_stop(&r, false);
}

/* Frames of no use end the connection; honest ones do not. */
static void floods(void **state)
{
    (void)state;
    static const struct {
        frame f;
        bool stream;
    } cases[] = {
        {{NGHTTP2_PING, 0, 0, "12345678", 8}, false},
        {{NGHTTP2_SETTINGS, 0, 0, "", 0}, false},
        {{NGHTTP2_PRIORITY, 0, 9, "\0\0\0\0\1", 5}, false},
        {{NGHTTP2_DATA, 0, 1, "", 0}, true},
    };
    rig r;
    rig_init(&r);
    rig_start(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const frame *f = &cases[i].f;
        const int fd = h2_raw_open(&r);
        if (cases[i].stream) h2_raw(fd, 1, 4, 1, HEAD, sizeof HEAD - 1);
        for (int k = 0; k < 1300; k++)
            h2_raw(fd, f->type, f->flags, f->id, f->bytes, f->len);
        uint8_t bytes[8] = {0};
        const ptrdiff_t n =
            h2_raw_until(fd, NGHTTP2_GOAWAY, bytes, sizeof bytes);
        /* What came behind it may have taken the GOAWAY away. */
        if (n >= 8) assert_int_equal(bytes[7], NGHTTP2_ENHANCE_YOUR_CALM);
        tni_tcp_close(fd);
        tni_loop_counts counts;
        RIG_WAIT((tni_loop_count(r.loop, &counts), counts.refused > i));
    }
    const int fd = h2_raw_open(&r);
    for (int k = 0; k < 500; k++) h2_raw(fd, NGHTTP2_PING, 0, 0, "12345678", 8);
    h2_raw(fd, 1, 4, 1, HEAD, sizeof HEAD - 1);
    h2_raw(fd, 0, 1, 1, "abc", 3);
    uint8_t body[8];
    assert_int_equal(h2_raw_until(fd, NGHTTP2_DATA, body, sizeof body), 3);
    tni_tcp_close(fd);
    rig_stop(&r, false);
}

/* CVE-2023-44487: requests that are taken back at once. */
static void rapid_resets(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    const int fd = h2_raw_open(&r);
    for (uint32_t id = 1; id < 4000; id += 2) {
        h2_raw(fd, 1, 4, id, HEAD, sizeof HEAD - 1);
        h2_raw(fd, 3, 0, id, "\0\0\0\10", 4);
    }
    while (h2_raw_until(fd, NGHTTP2_GOAWAY, NULL, 0) >= 0) {
    }
    tni_tcp_close(fd);
    tni_loop_counts counts;
    tni_loop_count(r.loop, &counts);
    assert_true(counts.requests >= 900 && counts.requests <= 1200);
    rig_stop(&r, false);
}

/* CVE-2024-28182: a head that does not end. And one that unpacks to much. */
static void endless_heads(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    int fd = h2_raw_open(&r);
    h2_raw(fd, NGHTTP2_HEADERS, 1, 1, HEAD, sizeof HEAD - 1);
    for (int i = 0; i < 50; i++)
        h2_raw(fd, NGHTTP2_CONTINUATION, 0, 1, "\0\1a\1b", 5);
    while (h2_raw_until(fd, 99, NULL, 0) >= 0) {
    }
    tni_tcp_close(fd);
    /* A field of 4,000 bytes is kept by HPACK; each byte 0xbe is it again. */
    fd = h2_raw_open(&r);
    uint8_t *bytes = malloc(20000);
    size_t n = sizeof HEAD - 1;
    memcpy(bytes, HEAD, n);
    memcpy(bytes + n, "\x40\1a\x7f\xa1\x1e", 6);
    memset(bytes + n + 6, 'v', 4000);
    n += 4006;
    memset(bytes + n, 0xbe, 15000 - n);
    h2_raw(fd, NGHTTP2_HEADERS, 5, 1, bytes, 15000);
    while (h2_raw_until(fd, 99, NULL, 0) >= 0) {
    }
    tni_tcp_close(fd);
    free(bytes);
    assert_int_equal(atomic_load(&r.requests), 0);
    assert_true(r.mem.peak_bytes < 2000000);
    rig_stop(&r, false);
}

/* A preface that is nearly one, and bytes that are nothing. */
static void no_preface(void **state)
{
    (void)state;
    static const char *const texts[] = {"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
                                        "PRI / HTTP/1.1\r\nHost: a\r\n\r\n",
                                        "\r\n\r\n\x01\x02\x03\x04\r\n\r\n"};
    rig r;
    rig_init(&r);
    rig_start(&r);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const int fd = rig_connect(&r);
        rig_say(fd, texts[i]);
        char text[64] = {0};
        assert_true(tni_tcp_read(fd, text, sizeof text - 1) > 0);
        assert_memory_equal(text, "HTTP/1.1 ", 9);
        tni_tcp_close(fd);
    }
    /* The preface, and then not SETTINGS. */
    const int fd = rig_connect(&r);
    rig_say(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    h2_raw(fd, NGHTTP2_PING, 0, 0, "12345678", 8);
    uint8_t bytes[8];
    assert_true(h2_raw_until(fd, NGHTTP2_GOAWAY, bytes, sizeof bytes) >= 8);
    assert_int_equal(bytes[7], NGHTTP2_PROTOCOL_ERROR);
    tni_tcp_close(fd);
    rig_stop(&r, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_connections),
        cmocka_unit_test(malformed_requests),
        cmocka_unit_test(floods),
        cmocka_unit_test(rapid_resets),
        cmocka_unit_test(endless_heads),
        cmocka_unit_test(no_preface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
