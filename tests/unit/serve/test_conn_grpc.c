/* SPDX-License-Identifier: Apache-2.0 */
/* test_conn_grpc.c - gRPC over sockets: calls, streams, refusals */
#include "h2_client.h"

#define GRPC "content-type", "application/grpc", "te", "trailers"

static const char *const plain[] = {GRPC, NULL};

static void expect_status(h2_client *c, h2_call *k, int status,
                          const char *part)
{
    H2_UNTIL(c, k->closed);
    assert_true(k->closed);
    assert_int_equal(k->status, 200);
    assert_int_equal(k->grpc_status, status);
    if (part != NULL) assert_non_null(strstr(k->message, part));
    assert_non_null(strstr(k->headers, "content-type: application/grpc\n"));
}

static void expect_body(h2_client *c, h2_call *k, const void *bytes, size_t len)
{
    expect_status(c, k, 0, NULL);
    assert_int_equal(k->len, len);
    assert_memory_equal(k->body, bytes, len);
}

static void calls(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    expect_body(c, h2_ask(c, "POST", "/echo", plain, "\0\0\0\0\3abc", 8, false),
                "\0\0\0\0\3abc", 8);
    expect_body(c, h2_ask(c, "POST", "/echo", plain, "\0\0\0\0\0", 5, false),
                "\0\0\0\0\0", 5);
    const char *const proto[] = {"content-type",
                                 "application/grpc+proto",
                                 "te",
                                 "trailers",
                                 "grpc-timeout",
                                 "10S",
                                 "x-bin",
                                 "AAEC/w==",
                                 NULL};
    /* Binary metadata is not looked at. */
    expect_body(c, h2_ask(c, "POST", "/field", proto, "\0\0\0\0\0", 5, false),
                "\0\0\0\0\10AAEC/w==", 13);
    /* A message in pieces, its prefix too. */
    h2_call *k = h2_ask(c, "POST", "/echo", plain, "\0\0", 2, true);
    H2_UNTIL(c, k->out_len == 0);
    (void)nghttp2_session_send(c->session);
    h2_say(c, k, "\0\0\3a", 4, true);
    (void)nghttp2_session_send(c->session);
    h2_say(c, k, "bc", 2, false);
    expect_body(c, k, "\0\0\0\0\3abc", 8);
    /* A large one, both ways. */
    uint8_t *big = malloc(6000005);
    memcpy(big, "\0\0\x5b\x8d\x80", 5);
    memcpy(big + 5, r.filler, 6000000);
    expect_body(c, h2_ask(c, "POST", "/echo", plain, big, 6000005, false), big,
                6000005);
    free(big);
    h2_close(c);
    rig_stop(&r, false);
}

static void packed(void **state)
{
    (void)state;
    static const uint8_t gz[] = {
        1,    0,    0,    0,    28,   0x1f, 0x8b, 0x08, 0,    0,    0,
        0,    0,    2,    0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8,
        0x40, 0x90, 0x00, 0x80, 0x88, 0xf9, 0xe5, 0x11, 0,    0,    0};
    const char *const gzip[] = {GRPC, "grpc-encoding", "gzip", NULL};
    const char *const other[] = {GRPC, "grpc-encoding", "snappy", NULL};
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    expect_body(c, h2_ask(c, "POST", "/echo", gzip, gz, sizeof gz, false),
                "\0\0\0\0\21hello hello hello", 22);
    expect_body(c, h2_ask(c, "POST", "/echo", gzip, "\0\0\0\0\3abc", 8, false),
                "\0\0\0\0\3abc", 8);
    h2_call *k = h2_ask(c, "POST", "/echo", other, gz, sizeof gz, false);
    expect_status(c, k, 12, "grpc-encoding");
    assert_non_null(
        strstr(k->headers, "grpc-accept-encoding: identity,deflate,gzip\n"));
    expect_status(c, h2_ask(c, "POST", "/echo", plain, gz, sizeof gz, false),
                  13, "grpc-encoding");
    /* Unpacked it is over the limit of 10, packed it is not. */
    expect_status(c, h2_ask(c, "POST", "/small", gzip, gz, sizeof gz, false), 8,
                  "limit");
    h2_close(c);
    rig_stop(&r, false);
}

static void refused(void **state)
{
    (void)state;
    const char *const no_te[] = {"content-type", "application/grpc", NULL};
    const char *const odd_time[] = {GRPC, "grpc-timeout", "1 S", NULL};
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    const struct {
        const char *path;
        const char *const *fields;
        const char *bytes;
        size_t len;
        int status;
        const char *part;
    } cases[] = {
        {"/refuse", plain, "\0\0\0\0\1a", 6, 7, "no: 100%25 %C3%A9"},
        {"/echo", no_te, "\0\0\0\0\1a", 6, 2, "te: trailers"},
        {"/echo", odd_time, "\0\0\0\0\1a", 6, 13, "grpc-timeout"},
        {"/small", plain, "\0\0\0\0\13", 5, 8, "limit"},
        {"/echo", plain, "\0\xff\xff\xff\xff", 5, 8, "limit"},
        {"/echo", plain, "\7\0\0\0\1a", 6, 13, "flags"},
        {"/echo", plain, "\0\0\0\0\2a", 6, 13, "inside"},
        {"/echo", plain, "\0\0\0", 3, 13, "inside"},
        {"/echo", plain, "", 0, 12, "none"},
        {"/echo", plain, "\0\0\0\0\1a\0\0\0\0\1b", 12, 12, "more"},
        {"/both", plain, "\0\0\0\0\2a", 6, 13, "inside"},
        {"/both", plain, "\7\0\0\0\2a", 6, 13, "flags"},
        {"/both", plain, "\0\0\0\0\1a\7\0\0\0\1b", 12, 13, "flags"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_status(c,
                      h2_ask(c, "POST", cases[i].path, cases[i].fields,
                             cases[i].bytes, cases[i].len, false),
                      cases[i].status, cases[i].part);
    assert_int_equal(atomic_load(&r.cancelled), 3);
    h2_call *k = h2_ask(c, "GET", "/echo", plain, NULL, 0, false);
    h2_expect(c, k, 405, NULL, 0);
    /* Without gRPC's content type it is REST, whatever it looks like. */
    const char *const web[] = {"content-type", "application/grpc-web", NULL};
    k = h2_ask(c, "POST", "/echo", web, "\0\0\0\0\1a", 6, false);
    h2_expect(c, k, 200, "\0\0\0\0\1a", 6);
    h2_close(c);
    rig_stop(&r, false);
}

static void streams_both_ways(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    h2_call *k = h2_ask(c, "POST", "/both", plain, NULL, 0, true);
    for (size_t i = 1; i <= 20; i++) {
        h2_say(c, k, "\0\0\0\0\4abcd", 9, true);
        H2_UNTIL(c, k->len == i * 18);
    }
    assert_memory_equal(k->body, "\0\0\0\0\4", 5);
    assert_memory_equal(k->body + 5, r.filler, 4);
    assert_int_equal(k->grpc_status, -1);
    h2_say(c, k, "\0\0\0\0\0\0\0\0\0\0", 10, false);
    expect_status(c, k, 0, NULL);
    assert_int_equal(k->len, 20 * 18 + 4 * 5);
    assert_int_equal(atomic_load(&r.half_closed), 1);
    /* Nothing is sent before the end: trailers only. */
    k = h2_ask(c, "POST", "/hold", plain, "\0\0\0\0\1a", 6, false);
    expect_status(c, k, 0, NULL);
    assert_int_equal(k->len, 0);
    h2_close(c);
    rig_stop(&r, false);
}

/* Streams that the application ends while more comes. */
static void streams_ended_by_answers(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    const char *const two[] = {"\0\0\0\0\1a\0\0\0\0\1x",
                               "\0\0\0\0\1b\0\0\0\0\1x",
                               "\0\0\0\0\1c\0\0\0\0\1x"};
    for (size_t i = 0; i < 6; i++) {
        h2_call *k = h2_ask(c, "POST", "/whole", plain, two[i % 3], 12, i < 3);
        expect_status(c, k, i % 3 == 2 ? 9 : 0, i % 3 == 2 ? "no: " : NULL);
        static const char all[] = "\0\0\0\0\5first\0\0\0\0\4last";
        const size_t from = i % 3 == 0 ? 10 : 0;
        const size_t to = i % 3 == 2 ? 10 : 19;
        assert_int_equal(k->len, to - from);
        assert_memory_equal(k->body, all + from, to - from);
    }
    assert_int_equal(atomic_load(&r.cancelled), 0);
    h2_close(c);
    rig_stop(&r, false);
}

/* The application is told when a stream is reset or its connection lost. */
static void streams_cancelled(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_open(&r);
    h2_call *k = h2_ask(c, "POST", "/both", plain, "\0\0\0\0\1a\0\0", 8, true);
    H2_UNTIL(c, k->len == 12);
    (void)nghttp2_submit_rst_stream(c->session, 0, k->id, NGHTTP2_CANCEL);
    (void)nghttp2_session_send(c->session);
    RIG_WAIT(atomic_load(&r.cancelled) == 1);
    for (int i = 0; i < 5; i++)
        (void)h2_ask(c, "POST", "/hold", plain, "\0\0\0\0\1a", 6, true);
    const int before = atomic_load(&r.requests);
    (void)nghttp2_session_send(c->session);
    RIG_WAIT(atomic_load(&r.requests) == before + 5);
    h2_close(c);
    RIG_WAIT(atomic_load(&r.cancelled) == 6);
    rig_stop(&r, false);
}

/* While answers wait their peer gets no window to ask for more. */
static void answers_hold_requests_back(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_on(rig_connect(&r), NULL, 1000, true);
    uint8_t *message = calloc(1, 1000005);
    memcpy(message, "\0\0\x0f\x42\x40", 5);
    h2_call *k = h2_ask(c, "POST", "/both", plain, message, 1000005, true);
    /* A window of 8 MiB: of 40 messages some nine arrive. */
    int n = 1;
    for (; n < 40; n++) {
        for (int i = 0; i < 200 && k->out_len != 0; i++) {
            (void)nghttp2_session_send(c->session);
            const struct timeval t = {0, 1000};
            (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
            h2_step(c);
            c->lost = false;
        }
        if (k->out_len != 0) break;
        h2_say(c, k, message, 1000005, true);
    }
    assert_true(n >= 8 && n <= 10);
    assert_true(atomic_load(&r.requests) <= 10);
    h2_close(c);
    free(message);
    RIG_WAIT(atomic_load(&r.cancelled) == 1);
    rig_stop(&r, false);
}

static void late_messages(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    r.opts.read_timeout_ns = 200000000u;
    rig_start(&r);
    h2_client *c = h2_open(&r);
    const char *const soon[] = {GRPC, "grpc-timeout", "20m", NULL};
    h2_call *half = h2_ask(c, "POST", "/echo", plain, "\0\0\0\0\3a", 6, true),
            *inside = h2_ask(c, "POST", "/hold", plain, "\0\0\0\0\3a", 6, true),
            *between =
                h2_ask(c, "POST", "/hold", plain, "\0\0\0\0\1a", 6, true),
            *hurried = h2_ask(c, "POST", "/echo", soon, "\0", 1, true);
    expect_status(c, hurried, 4, "in time");
    expect_status(c, half, 4, "in time");
    expect_status(c, inside, 4, "in time");
    /* Between messages there is no hurry. */
    assert_false(between->closed);
    h2_say(c, between, "", 0, false);
    expect_status(c, between, 0, NULL);
    h2_close(c);
    rig_stop(&r, false);
}

static void cancelled_while_answered(void **state)
{
    (void)state;
    rig r;
    rig_init(&r);
    rig_start(&r);
    h2_client *c = h2_on(rig_connect(&r), NULL, 1000, true);
    h2_call *k = h2_ask(c, "POST", "/big", plain, "\0\0\0\0\1a", 6, false);
    H2_UNTIL(c, k->len == 1000);
    (void)nghttp2_submit_rst_stream(c->session, 0, k->id, NGHTTP2_CANCEL);
    k = h2_ask(c, "POST", "/later", plain, "\0\0\0\0\1a", 6, false);
    (void)nghttp2_session_send(c->session);
    RIG_WAIT(atomic_load(&r.released) == 1 && atomic_load(&r.later) != NULL);
    r.post.run = rig_end_later;
    tni_loop_post(r.loop, &r.post);
    expect_body(c, k, "\0\0\0\0\5later", 10);
    h2_close(c);
    rig_stop(&r, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls),
        cmocka_unit_test(packed),
        cmocka_unit_test(refused),
        cmocka_unit_test(streams_both_ways),
        cmocka_unit_test(streams_ended_by_answers),
        cmocka_unit_test(streams_cancelled),
        cmocka_unit_test(answers_hold_requests_back),
        cmocka_unit_test(late_messages),
        cmocka_unit_test(cancelled_while_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
