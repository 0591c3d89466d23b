/* SPDX-License-Identifier: Apache-2.0 */
/* test_server.c - options, beginning and ending, around a small application */
#define _XOPEN_SOURCE 700
#include "harness/tmp.h"
#include "serve/api.h"
#include "serve/server_opts.h"
#include "sys/clock.h"
#include "sys/tcp.h"
#include "sys/thread.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

/* --- the application: says which state the server is in ------------------ */

struct tni_api {
    tni_app app;
    tni_api_opts opts;
    _Atomic int state;
};
static tni_api api;

static bool on_head(void *ctx, tni_exchange *x, uint64_t *max_body)
{
    (void)ctx;
    (void)x;
    (void)max_body;
    return true;
}

static void on_request(void *ctx, tni_exchange *x)
{
    static const char *const texts[] = {"starting", "serving", "draining"};
    (void)ctx;
    const char *text = texts[atomic_load(&api.state)];
    const tni_piece piece = {text, strlen(text), NULL, NULL};
    const tni_answer a = {.status = 200,
                          .content_type = "text/plain",
                          .pieces = &piece,
                          .n_pieces = 1};
    tni_exchange_answer(x, &a);
}

tn_status tni_api_new(tni_api **out, const tni_api_opts *opts, tn_err *e)
{
    (void)e;
    api.opts = *opts;
    api.app = (tni_app){NULL, on_head, on_request, NULL, NULL};
    atomic_store(&api.state, TNI_API_STARTING);
    *out = &api;
    return TN_OK;
}

void tni_api_free(tni_api *a)
{
    (void)a;
}

const tni_app *tni_api_app(const tni_api *a)
{
    return &a->app;
}

void tni_api_set_state(tni_api *a, tni_api_state state)
{
    atomic_store(&a->state, (int)state);
}

/* --- helpers ------------------------------------------------------------ */

static const char *const model_path =
    TEST_EXAMPLES "/digits-pytorch/model.onnx";
static const char *const model_name = "digits";

static tn_server_opts good(void)
{
    tn_server_opts o = TN_SERVER_OPTS_INIT;
    o.paths = &model_path;
    o.names = &model_name;
    o.n_paths = 1;
    o.n_threads = 2;
    return o;
}

/* Waits for what a socket gives, 2 s at most. */
static void read_answer(int fd, char *text, size_t size)
{
    size_t have = 0;
    struct pollfd p = {fd, POLLIN, 0};
    text[0] = '\0';
    while (have + 1 < size && strstr(text, "ing") == NULL &&
           poll(&p, 1, 2000) == 1) {
        const ptrdiff_t n = tni_tcp_read(fd, text + have, size - have - 1);
        if (n == TNI_IO_AGAIN) continue;
        if (n <= 0) break;
        have += (size_t)n;
        text[have] = '\0';
    }
}

static void get(uint16_t port, char *text, size_t size)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const tni_slice slice = {request, sizeof request - 1};
    const int fd = tni_tcp_connect(port);
    assert_true(fd >= 0);
    struct pollfd p = {fd, POLLOUT, 0};
    assert_int_equal(poll(&p, 1, 2000), 1);
    assert_true(tni_tcp_write(fd, &slice, 1) == (ptrdiff_t)slice.len);
    read_answer(fd, text, size);
    tni_tcp_close(fd);
}

/* --- options ------------------------------------------------------------ */

static void refuse(tn_server_opts o, const char *says)
{
    tn_server *s = NULL;
    assert_int_not_equal(tn_server_new(&s, &o, &err), TN_OK);
    assert_null(s);
    if (strstr(err.message, says) == NULL) print_message("%s\n", err.message);
    assert_non_null(strstr(err.message, says));
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    static const char *const bad_name = "a/b";
    tn_server_opts o = good();
    o.struct_size = sizeof o + 1;
    refuse(o, "TN_SERVER_OPTS_INIT");
    o = good();
    o.n_paths = 0;
    refuse(o, "no path");
    o = good();
    o.names = &bad_name;
    refuse(o, "no name of a model");
    o = good();
    o.tls_key_file = "key.pem";
    refuse(o, "only the key is given");
    o = good();
    o.flags = TN_SERVER_TLS_ONLY;
    refuse(o, "no certificate");
    o = good();
    o.tls_client_ca_file = "ca.pem";
    refuse(o, "need TLS");
    o = good();
    o.flags = TN_SERVER_ALLOW_CONTROL | TN_SERVER_DENY_CONTROL;
    refuse(o, "both");
    o = good();
    o.flags = TN_SERVER_EXACT | TN_SERVER_BF16;
    refuse(o, "not exact");
    o = good();
    o.flags = 1u << 30;
    refuse(o, "not known");
    o = good();
    o.infer_token = "short";
    refuse(o, "inference token");
    o = good();
    o.control_token = "with a space";
    refuse(o, "control token");
    o = good();
    o.metrics_token = "line\nbreaks";
    refuse(o, "metrics token");
    o = good();
    o.max_body_bytes = 2;
    o.max_inflight_bytes = 1;
    refuse(o, "raise the latter");
    o = good();
    o.reload = 3;
    refuse(o, "no way to reload");
    o = good();
    o.load = &model_name;
    o.n_load = 1;
    refuse(o, "only where loading is explicit");
    o = good();
    o.n_io_threads = 1000;
    refuse(o, "I/O threads");
    o = good();
    o.host = "256.1.1.1";
    refuse(o, "");
}

static void control_is_off_where_others_reach(void **state)
{
    (void)state;
    tn_server_opts o = TN_SERVER_OPTS_INIT;
    o.host = "127.0.0.1";
    assert_true(tni_server_allows_control(&o));
    o.host = "0.0.0.0";
    assert_false(tni_server_allows_control(&o));
    o.host = "::";
    assert_false(tni_server_allows_control(&o));
    o.metrics_token = "only for metrics";
    assert_false(tni_server_allows_control(&o));
    o.control_token = "0123456789";
    assert_true(tni_server_allows_control(&o));
    o.flags = TN_SERVER_DENY_CONTROL;
    assert_false(tni_server_allows_control(&o));
    o.control_token = NULL;
    o.flags = TN_SERVER_ALLOW_CONTROL;
    assert_true(tni_server_allows_control(&o));
    assert_true(tni_server_is_loopback("::1"));
    assert_true(tni_server_is_loopback("localhost"));
    assert_false(tni_server_is_loopback("128.0.0.1"));
}

/* --- life --------------------------------------------------------------- */

static void see_model(void *ctx, const tn_server_model *m)
{
    int *n = ctx;
    assert_string_equal(m->name, "digits");
    assert_string_equal(m->version, "1");
    assert_string_equal(m->inputs, "image float32[-1,1,8,8]");
    assert_non_null(strstr(m->outputs, "logits float32[-1,10]"));
    assert_int_equal(m->ready, 1);
    assert_int_equal(m->max_batch_size, 64);
    assert_true(m->load_ns > 0 && m->bytes > 0);
    (*n)++;
}

static void serves_and_drains(void **state)
{
    (void)state;
    char text[1024];
    int n = 0;
    tn_server *s = NULL;
    tn_server_opts o = good();
    o.n_io_threads = 2;
    o.drain_delay_ms = 150;
    assert_int_equal(tn_server_new(&s, &o, &err), TN_OK);
    const uint16_t port = tn_server_port(s);
    assert_true(port != 0);
    assert_false(tn_server_is_ready(s));
    assert_int_equal(tn_server_start(s, &err), TN_OK);
    assert_int_equal(tn_server_start(s, &err), TN_EINVAL);
    assert_int_equal(tn_server_wait_loaded(s, &err), TN_OK);
    assert_false(tn_server_is_loading(s));
    assert_true(tn_server_is_ready(s));
    assert_int_equal(tn_server_models(s, see_model, &n, &err), TN_OK);
    assert_int_equal(n, 1);
    assert_int_equal(tn_server_reload_tls(s, &err), TN_OK);
    assert_true(api.opts.allow_control);
    get(port, text, sizeof text);
    assert_non_null(strstr(text, "serving"));
    const uint64_t begin = tni_clock_ns();
    tn_server_drain(s);
    get(port, text, sizeof text);
    assert_non_null(strstr(text, "draining"));
    tn_server_wait(s);
    assert_true(tni_clock_ns() - begin >= 150000000u);
    tn_server_free(s);
}

static void stops_without_being_started(void **state)
{
    (void)state;
    tn_server *s = NULL, *again = NULL;
    tn_server_opts o = good();
    assert_int_equal(tn_server_new(&s, &o, &err), TN_OK);
    o.port = tn_server_port(s);
    tn_server_free(s);
    /* The port is free again. */
    assert_int_equal(tn_server_new(&again, &o, &err), TN_OK);
    assert_int_equal(tn_server_port(again), o.port);
    tn_server_free(again);
    tn_server_free(NULL);
}

static void log_count(void *ctx, tn_log_level level, const char *event,
                      const char *fields)
{
    int *n = ctx;
    (void)level;
    (void)fields;
    if (strcmp(event, "model.ready") == 0) n[0]++;
    if (strcmp(event, "model.failed") == 0) n[1]++;
}

static void logs_at_its_level(void **state)
{
    (void)state;
    int n[2] = {0, 0};
    const char *const paths[2] = {model_path, TEST_EXAMPLES "/README.md"};
    const char *const names[2] = {"good", "bad"};
    tn_logger logger = {n, TN_LOG_ERROR, log_count};
    tn_server *s = NULL;
    tn_server_opts o = good();
    o.paths = paths;
    o.names = names;
    o.n_paths = 2;
    o.logger = &logger;
    o.flags = TN_SERVER_STRICT;
    assert_int_equal(tn_server_new(&s, &o, &err), TN_OK);
    assert_int_equal(tn_server_wait_loaded(s, &err), TN_EFORMAT);
    assert_false(tn_server_is_ready(s));
    assert_int_equal(api.opts.hooks.log_level(api.opts.hooks.ctx),
                     TN_LOG_ERROR);
    api.opts.hooks.set_log_level(api.opts.hooks.ctx, TN_LOG_INFO);
    assert_int_equal(api.opts.hooks.log_level(api.opts.hooks.ctx), TN_LOG_INFO);
    tn_server_free(s);
    assert_int_equal(n[0], 0);
    assert_int_equal(n[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(control_is_off_where_others_reach),
        cmocka_unit_test(serves_and_drains),
        cmocka_unit_test(stops_without_being_started),
        cmocka_unit_test(logs_at_its_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
