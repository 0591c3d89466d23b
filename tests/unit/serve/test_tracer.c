/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of requests: traceparent, sampling, what a collector receives. */
#include "base/wire.h"
#include "serve/tracer.h"
#include "sys/clock.h"
#include "sys/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t patience_ns = 10000000000;

/* A collector that takes one request on the test's thread. */
typedef struct collector {
    int listener;
    char url[64];
    char *bytes;
    size_t size;
    const char *body;
    size_t body_size;
} collector;

static void open_collector(collector *c)
{
    memset(c, 0, sizeof *c);
    tn_err err;
    assert_int_equal(tni_tcp_listen(&c->listener, "127.0.0.1", 0, &err), TN_OK);
    (void)snprintf(c->url, sizeof c->url, "http://127.0.0.1:%u/v1/traces",
                   (unsigned)tni_tcp_port(c->listener));
}

static void close_collector(collector *c)
{
    tni_tcp_close(c->listener);
    free(c->bytes);
}

/* Reads a whole request and gives the answer. */
static void collect(collector *c, const char *answer)
{
    const uint64_t until = tni_clock_ns() + patience_ns;
    char peer[TNI_PEER_SIZE];
    int fd = TNI_IO_AGAIN;
    while (fd == TNI_IO_AGAIN) {
        assert_true(tni_tcp_wait(c->listener, false, until));
        fd = tni_tcp_accept(c->listener, peer);
    }
    assert_true(fd >= 0);
    free(c->bytes);
    c->bytes = calloc(1, 1 << 20);
    assert_non_null(c->bytes);
    c->size = 0;
    size_t whole = SIZE_MAX;
    while (c->size < whole) {
        const ptrdiff_t n =
            tni_tcp_read(fd, c->bytes + c->size, (1 << 20) - 1 - c->size);
        if (n == TNI_IO_AGAIN) {
            assert_true(tni_tcp_wait(fd, false, until));
            continue;
        }
        assert_true(n > 0);
        c->size += (size_t)n;
        const char *end = strstr(c->bytes, "\r\n\r\n");
        const char *length = strstr(c->bytes, "Content-Length: ");
        if (end == NULL || whole != SIZE_MAX) continue;
        assert_non_null(length);
        c->body = end + 4;
        c->body_size = strtoul(length + 16, NULL, 10);
        whole = (size_t)(c->body - c->bytes) + c->body_size;
    }
    const tni_slice slice = {answer, strlen(answer)};
    assert_int_equal(tni_tcp_write(fd, &slice, 1), slice.len);
    tni_tcp_close(fd);
}

static tni_tracer *start(const char *url, uint32_t rate, uint32_t waiting)
{
    const tni_tracer_opts opts = {
        .url = url, .rate = rate, .max_waiting = waiting};
    tni_tracer *t = NULL;
    tn_err err;
    assert_int_equal(tni_tracer_new(&t, &opts, &err), TN_OK);
    return t;
}

static void urls_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "collector:4318",
                                      "https://c/v1/traces",
                                      "http://",
                                      "http://h:0",
                                      "http://h:70000",
                                      "http://h:",
                                      "http://h:9x",
                                      "http://user@h",
                                      "http://[::1",
                                      "http://h/a b",
                                      "http://h\r\nX: y/",
                                      "ftp://h",
                                      "http://h:123456789012",
                                      "http://h/\x01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const tni_tracer_opts opts = {.url = bad[i]};
        tni_tracer *t = NULL;
        tn_err err;
        assert_int_equal(tni_tracer_new(&t, &opts, &err), TN_EINVAL);
        assert_null(t);
        assert_non_null(strstr(err.message, "http://HOST"));
    }
    static const char *const good[] = {"http://h", "http://[::1]:4318/",
                                       "http://10.0.0.1/x", "http://h:1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        tni_tracer_free(start(good[i], 0, 0));
}

static void parents_are_followed(void **state)
{
    (void)state;
    tni_tracer *t = start("http://127.0.0.1:1", 0, 0);
    char text[TNI_TRACE_PARENT_SIZE], id[33];
    tni_trace trace;
    tni_tracer_begin(
        t,
        tni_span_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        &trace);
    assert_true(trace.sampled);
    assert_int_equal(trace.parent_id[0], 0xb7);
    tni_trace_id(&trace, id);
    assert_string_equal(id, "0af7651916cd43dd8448eb211c80319c");
    tni_trace_parent(&trace, text);
    assert_memory_equal(text, "00-0af7651916cd43dd8448eb211c80319c-", 36);
    assert_memory_not_equal(text + 36, "b7ad6b7169203331", 16);
    assert_string_equal(text + 52, "-01");

    /* A later version, and its flags. */
    tni_tracer_begin(
        t,
        tni_span_of(
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-what"),
        &trace);
    assert_false(trace.sampled);
    assert_int_equal(trace.parent_id[0], 0xb7);

    static const char *const bad[] = {
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        static const uint8_t none[8] = {0};
        tni_tracer_begin(t, tni_span_of(bad[i]), &trace);
        assert_false(trace.sampled);
        assert_memory_equal(trace.parent_id, none, 8);
    }
    tni_tracer_free(t);
}

static void one_in_rate_is_sampled(void **state)
{
    (void)state;
    tni_tracer *t = start("http://127.0.0.1:1", 10, 0);
    tni_trace trace;
    int sampled = 0;
    for (int i = 0; i < 100; i++) {
        tni_tracer_begin(t, tni_span_of(""), &trace);
        sampled += trace.sampled;
    }
    assert_int_equal(sampled, 10);
    tni_tracer_free(t);
}

/* The first field of that number, of which there must be one. */
static tni_field find(tni_wire w, uint32_t number)
{
    tni_field f;
    bool more = true;
    for (;;) {
        assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
        assert_true(more);
        if (f.number == number) return f;
    }
}

static tni_wire inside(tni_wire w, uint32_t number)
{
    const tni_field f = find(w, number);
    tni_wire sub;
    assert_int_equal(tni_wire_enter(&w, &f, "message", &sub), TN_OK);
    return sub;
}

static void record(tni_trace_record *r, tni_tracer *t)
{
    memset(r, 0, sizeof *r);
    tni_tracer_begin(
        t,
        tni_span_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        &r->trace);
    (void)snprintf(r->name, sizeof r->name, "POST /v2/models/{model}/infer");
    (void)snprintf(r->model, sizeof r->model, "digits");
    (void)snprintf(r->failure, sizeof r->failure, "input 'x' is missing");
    r->status = 400;
    r->start_ns = tni_clock_ns() - 5000000;
    r->end_ns = r->start_ns + 4000000;
    r->stage[0].start_ns = r->start_ns + 1000;
    r->stage[0].end_ns = r->start_ns + 2000;
}

static void a_collector_receives_spans(void **state)
{
    (void)state;
    collector c;
    open_collector(&c);
    tni_tracer *t = start(c.url, 1, 0);
    tni_trace_record r;
    record(&r, t);
    tni_tracer_add(t, &r);
    collect(&c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_memory_equal(c.bytes, "POST /v1/traces HTTP/1.1\r\n", 26);
    assert_non_null(strstr(c.bytes, "application/x-protobuf\r\n"));

    tn_err err;
    tni_wire w;
    tni_wire_init(&w, c.body, c.body_size, "request", 16, &err);
    const tni_wire spans = inside(inside(w, 1), 2);
    const tni_wire span = inside(spans, 2);
    assert_int_equal(find(span, 1).bytes.len, 16);
    assert_memory_equal(find(span, 1).bytes.ptr, r.trace.trace_id, 16);
    assert_memory_equal(find(span, 2).bytes.ptr, r.trace.span_id, 8);
    assert_memory_equal(find(span, 4).bytes.ptr, r.trace.parent_id, 8);
    assert_int_equal(find(span, 6).value, 2);
    assert_int_equal(find(span, 8).value - find(span, 7).value, 4000000);
    const uint64_t now = tni_clock_epoch_ms() * 1000000;
    assert_in_range(find(span, 7).value, now - 60000000000, now);
    assert_int_equal(find(inside(span, 15), 3).value, 2);
    /* The second span is the stage, below the first. */
    tni_wire rest = spans;
    tni_field f;
    bool more = true;
    int n = 0;
    while (n < 2) {
        assert_int_equal(tni_wire_next(&rest, &f, &more), TN_OK);
        assert_true(more);
        n += f.number == 2;
    }
    tni_wire stage;
    assert_int_equal(tni_wire_enter(&rest, &f, "Span", &stage), TN_OK);
    assert_memory_equal(find(stage, 4).bytes.ptr, r.trace.span_id, 8);
    assert_memory_equal(find(stage, 5).bytes.ptr, "queue", 5);
    assert_int_equal(find(stage, 8).value - find(stage, 7).value, 1000);

    tni_tracer_free(t);
    close_collector(&c);
}

static void what_is_left_is_sent_at_the_end(void **state)
{
    (void)state;
    collector c;
    open_collector(&c);
    tni_tracer *t = start(c.url, 1, 0);
    tni_trace_record r;
    record(&r, t);
    tni_tracer_add(t, &r);
    /* The answer waits in the listener's queue until it is freed. */
    const uint64_t before = tni_clock_ns();
    tni_tracer_free(t); /* nobody answers: two seconds at most */
    assert_true(tni_clock_ns() - before < 4000000000);
    collect(&c, "HTTP/1.1 200 OK\r\n\r\n");
    assert_true(c.body_size > 0);
    close_collector(&c);
}

static void a_collector_that_is_away_costs_spans_only(void **state)
{
    (void)state;
    collector c;
    open_collector(&c);
    tni_tracer *t = start(c.url, 1, 4);
    close_collector(&c); /* the port is closed */
    tni_trace_record r;
    record(&r, t);
    const uint64_t before = tni_clock_ns();
    for (int i = 0; i < 10; i++) tni_tracer_add(t, &r);
    assert_true(tni_clock_ns() - before < 1000000000);
    uint64_t sent = 0, lost = 0;
    tni_tracer_counts(t, &sent, &lost);
    assert_int_equal(sent, 0);
    assert_in_range(lost, 6, 10);
    r.trace.sampled = false;
    tni_tracer_add(t, &r);
    tni_tracer_free(t);
}

static void the_longest_record_fits(void **state)
{
    (void)state;
    static tni_trace_record r[2];
    memset(r, 0xff, sizeof r);
    for (int i = 0; i < 2; i++) {
        r[i].name[63] = r[i].model[63] = r[i].request_id[63] = '\0';
        r[i].version[23] = r[i].failure[95] = '\0';
        r[i].grpc = true;
    }
    uint8_t bytes[4096];
    const size_t n = tni_otlp_encode(bytes, sizeof bytes, "s", r, 2, 7);
    const size_t one = tni_otlp_encode(bytes, sizeof bytes, "s", r, 1, 7);
    assert_true(n - one < 1536 && one < 1536 + 512);
    /* Too small a buffer is left alone behind its end. */
    memset(bytes, 0x11, sizeof bytes);
    assert_int_equal(tni_otlp_encode(bytes, 100, "s", r, 1, 7), one);
    for (size_t i = 100; i < sizeof bytes; i++)
        assert_int_equal(bytes[i], 0x11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_checked),
        cmocka_unit_test(parents_are_followed),
        cmocka_unit_test(one_in_rate_is_sampled),
        cmocka_unit_test(a_collector_receives_spans),
        cmocka_unit_test(what_is_left_is_sent_at_the_end),
        cmocka_unit_test(a_collector_that_is_away_costs_spans_only),
        cmocka_unit_test(the_longest_record_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
