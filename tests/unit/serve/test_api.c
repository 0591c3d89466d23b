/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints by REST: what they say, whom they refuse, what they change. */
#include "api_rig.h"

static void rig_log(void *ctx, tn_log_level level, const char *event,
                    const char *fields)
{
    api_rig *r = ctx;
    (void)level;
    (void)snprintf(r->log, sizeof r->log, "%s %s", event, fields);
}

static void describes(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    rig_new(&r);
    rig_put(&r, "digits/1/model.onnx", "digits-pytorch");
    rig_put(&r, "digits/3/model.onnx", "digits-pytorch");
    rig_put(&r, "penguins.onnx", "penguins-sklearn");
    tmp_write(r.dir, "broken.onnx", "no", 2);
    rig_start(&r);
    ask_new(&q);
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/health/live", NULL), 200);
    assert_string_equal(q.text, "{\"live\":true}");
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/health/ready", NULL), 200);
    assert_string_equal(q.text, "{\"ready\":true}");
    tni_api_set_state(r.api, TNI_API_DRAINING);
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/health/ready", NULL), 503);
    assert_string_equal(q.text, "{\"ready\":false}");
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/health/live", NULL), 200);
    tni_api_set_state(r.api, TNI_API_SERVING);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask_for(&q, &r, "GET", i ? "/v2/" : "/v2", NULL), 200);
        assert_says(&q, "{\"name\":\"tenon\",\"version\":\"");
        assert_says(&q, "\"statistics\"");
        assert_string_equal(q.type, "application/json");
    }
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/models/penguins", NULL), 200);
    assert_says(&q, "\"versions\":[\"1\"]");
    assert_says(
        &q, "{\"name\":\"island\",\"datatype\":\"BYTES\",\"shape\":[-1,1]}");
    assert_says(&q, "\"platform\":\"onnxruntime_onnx\"");
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/models/%70enguins", NULL),
                     200);
    assert_int_equal(
        ask_for(&q, &r, "GET", "/v2/models/digits/versions/3", NULL), 200);
    assert_int_equal(
        ask_for(&q, &r, "GET", "/v2/models/digits/versions/3/ready", NULL),
        200);
    assert_string_equal(q.text, "{\"name\":\"digits\",\"ready\":true}");
    assert_int_equal(
        ask_for(&q, &r, "GET", "/v2/models/digits/versions/2/ready", NULL),
        404);
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/models/digits/config", NULL),
                     200);
    assert_says(&q, "\"max_batch_size\":8");
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/models/digits/stats", NULL),
                     200);
    assert_says(&q, "{\"model_stats\":[{\"name\":\"digits\",\"version\":\"3\"");
    assert_says(&q, "\"success\":{\"count\":0,\"ns\":0}");
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/models/stats", NULL), 200);
    assert_says(&q, "penguins");
    assert_int_equal(ask_for(&q, &r, "POST", "/v2/repository/index", ""), 200);
    assert_says(&q, "{\"name\":\"broken\"");
    assert_says(&q, "\"state\":\"UNAVAILABLE\",\"reason\":\"");
    assert_int_equal(
        ask_for(&q, &r, "POST", "/v2/repository/index", "{\"ready\":true}"),
        200);
    assert_null(strstr(q.text, "broken"));
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/models/broken", NULL), 503);
    assert_string_equal(ask_value(&q, "retry-after"), "1");
    assert_int_equal(ask_for(&q, &r, "GET", "/", NULL), 200);
    assert_says(&q, "<!doctype html>");
    assert_non_null(
        strstr(ask_value(&q, "content-security-policy"), "default-src 'none'"));
    ask_free(&q);
    rig_free(&r);
}

static void paths_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path;
        int status;
    } rows[] = {
        {"GET", "/v2/nothing", 404},
        {"GET", "/v3", 404},
        {"GET", "//v2", 404},
        {"GET", "v2", 404},
        {"GET", "/v2/models", 404},
        {"GET", "/v2/models/", 404},
        {"GET", "/v2/models//ready", 404},
        {"GET", "/v2/models/nobody", 404},
        {"GET", "/v2/models/digits/versions/x", 404},
        {"GET", "/v2/models/digits/versions/99999999999999999999", 404},
        {"GET", "/v2/models/digits/infer", 405},
        {"DELETE", "/v2", 405},
        {"POST", "/v2/health/live", 405},
        {"GET", "/v2/models/..%2f..%2fetc", 400},
        {"GET", "/v2/models/a%00b", 400},
        {"GET", "/v2/models/a%0ab", 400},
        {"GET", "/v2/models/a%5cb", 400},
        {"GET", "/v2/models/a%2", 400},
        {"GET", "/v2/models/a%zz", 400},
        {"GET", "/v2/models/..", 404},
        {"GET", "/v2/models/%252e%252e", 404},
        {"POST", "/v2/repository/other/index", 501},
        {"POST", "/v2/repository/other/models/m/load", 501},
        {"GET", "/v2/systemsharedmemory/status", 501},
        {"POST", "/v2/systemsharedmemory/region/r/register", 501},
        {"GET", "/v2/cudasharedmemory/region/r/status", 501},
    };
    api_rig r;
    ask q;
    rig_new(&r);
    rig_put(&r, "digits.onnx", "digits-pytorch");
    rig_start(&r);
    ask_new(&q);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int got = ask_for(&q, &r, rows[i].method, rows[i].path, NULL);
        if (got != rows[i].status)
            fail_msg("%s gave %d: %s", rows[i].path, got, q.text);
        assert_memory_equal(q.text, "{\"error\":\"", 10);
    }
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/models/digits/infer", NULL),
                     405);
    assert_string_equal(ask_value(&q, "allow"), "POST");
    assert_int_equal(ask_for(&q, &r, "HEAD", "/v2/models/digits", NULL), 200);
    /* What is no tensor may not be large. */
    assert_int_equal(ask_for(&q, &r, "GET", "/v2", NULL), 200);
    assert_int_equal(q.max_body, 1 << 20);
    ask_free(&q);
    rig_free(&r);
}

static void tokens_are_asked_for(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    rig_new(&r);
    rig_put(&r, "digits.onnx", "digits-pytorch");
    r.opts.infer_token = "secret";
    r.opts.control_token = "boss";
    r.opts.metrics_token = "meter";
    rig_start(&r);
    ask_new(&q);
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/health/ready", NULL), 200);
    assert_int_equal(ask_for(&q, &r, "GET", "/", NULL), 200);
    static const char *const wrong[] = {
        NULL,           "Bearer secreT",  "Bearer",
        "Basic secret", "Bearer secrets", "Bearer "};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (wrong[i] != NULL) ask_header(&q, "authorization", wrong[i]);
        assert_int_equal(ask_for(&q, &r, "GET", "/v2", NULL), 401);
        assert_string_equal(ask_value(&q, "www-authenticate"), "Bearer");
        /* Nothing is told of what there is. */
        if (wrong[i] != NULL) ask_header(&q, "authorization", wrong[i]);
        assert_int_equal(ask_for(&q, &r, "GET", "/v2/nothing", NULL), 401);
    }
    ask_header(&q, "authorization", "bearer secret");
    assert_int_equal(ask_for(&q, &r, "GET", "/v2", NULL), 200);
    ask_header(&q, "authorization", "Bearer secret");
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/logging", NULL), 401);
    ask_header(&q, "authorization", "Bearer boss");
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/logging", NULL), 200);
    ask_header(&q, "authorization", "Bearer boss");
    assert_int_equal(ask_for(&q, &r, "GET", "/v2", NULL), 200);
    ask_header(&q, "authorization", "Bearer boss");
    assert_int_equal(ask_for(&q, &r, "GET", "/metrics", NULL), 401);
    ask_header(&q, "authorization", "Bearer meter");
    assert_int_equal(ask_for(&q, &r, "GET", "/metrics", NULL), 200);
    ask_free(&q);
    rig_free(&r);
}

static void models_are_loaded_by_request(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    rig_new(&r);
    rig_put(&r, "digits/1/model.onnx", "digits-pytorch");
    r.reload = TNI_RELOAD_EXPLICIT;
    rig_start(&r);
    ask_new(&q);
    const char *load = "/v2/repository/models/digits/load";
    const char *unload = "/v2/repository/models/digits/unload";
    assert_int_equal(ask_for(&q, &r, "POST", unload,
                             "{\"parameters\":{\"unload_dependents\":false}}"),
                     200);
    assert_int_equal(q.text_size, 0);
    assert_int_not_equal(ask_for(&q, &r, "GET", "/v2/models/digits", NULL),
                         200);
    assert_int_equal(ask_for(&q, &r, "POST", load, ""), 200);
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/models/digits", NULL), 200);
    assert_int_equal(ask_for(&q, &r, "POST", load, "{"), 400);
    assert_int_equal(
        ask_for(&q, &r, "POST", load,
                "{\"parameters\":{\"config\":\"{}\",\"file:1/m\":\"AA==\"}}"),
        501);
    assert_int_equal(
        ask_for(&q, &r, "POST", "/v2/repository/models/nobody/load", ""), 404);
    ask_free(&q);
    rig_free(&r);

    rig_new(&r);
    rig_put(&r, "digits/1/model.onnx", "digits-pytorch");
    r.opts.allow_control = false;
    rig_start(&r);
    ask_new(&q);
    assert_int_equal(ask_for(&q, &r, "POST", load, ""), 403);
    assert_int_equal(
        ask_for(&q, &r, "POST", "/v2/logging", "{\"log_info\":false}"), 403);
    tni_api_free(r.api);
    r.opts.allow_control = true;
    assert_int_equal(tni_api_new(&r.api, &r.opts, &rig_err), TN_OK);
    /* As Triton: not in explicit mode. */
    assert_int_equal(ask_for(&q, &r, "POST", load, ""), 503);
    ask_free(&q);
    rig_free(&r);
}

static void settings_change(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    rig_new(&r);
    rig_put(&r, "digits.onnx", "digits-pytorch");
    const tni_tracer_opts trace = {.url = "http://127.0.0.1:1", .rate = 5};
    tni_tracer *t = NULL;
    assert_int_equal(tni_tracer_new(&t, &trace, &rig_err), TN_OK);
    rig_start(&r);
    ask_new(&q);
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/logging", NULL), 200);
    assert_says(&q, "\"log_info\":true");
    assert_int_equal(
        ask_for(&q, &r, "POST", "/v2/logging", "{\"log_verbose_level\":1}"),
        200);
    assert_int_equal(r.level, TN_LOG_DEBUG);
    assert_int_equal(ask_for(&q, &r, "POST", "/v2/logging",
                             "{\"log_info\":false,\"log_verbose_level\":0}"),
                     200);
    assert_int_equal(r.level, TN_LOG_WARN);
    assert_int_equal(
        ask_for(&q, &r, "POST", "/v2/logging", "{\"log_file\":\"/x\"}"), 400);
    assert_says(&q, "log_file");
    assert_int_equal(
        ask_for(&q, &r, "POST", "/v2/logging", "{\"log_error\":false}"), 400);
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/trace/setting", NULL), 200);
    assert_says(&q, "\"trace_level\":[\"OFF\"]");
    assert_int_equal(
        ask_for(&q, &r, "POST", "/v2/trace/setting", "{\"trace_rate\":\"1\"}"),
        501);
    tni_api_free(r.api);
    r.opts.tracer = t;
    assert_int_equal(tni_api_new(&r.api, &r.opts, &rig_err), TN_OK);
    assert_int_equal(
        ask_for(&q, &r, "POST", "/v2/trace/setting", "{\"trace_rate\":\"7\"}"),
        200);
    assert_says(&q, "\"trace_rate\":\"7\"");
    assert_int_equal(ask_for(&q, &r, "POST", "/v2/trace/setting",
                             "{\"trace_level\":[\"OFF\"]}"),
                     200);
    assert_int_equal(tni_tracer_rate(t), 0);
    assert_int_equal(ask_for(&q, &r, "POST", "/v2/trace/setting",
                             "{\"trace_level\":[\"TENSORS\"]}"),
                     400);
    assert_int_equal(ask_for(&q, &r, "POST", "/v2/trace/setting",
                             "{\"trace_file\":\"/tmp/x\"}"),
                     400);
    ask_free(&q);
    rig_free(&r);
    tni_tracer_free(t);
}

static void access_is_logged(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    rig_new(&r);
    rig_put(&r, "digits.onnx", "digits-pytorch");
    const tn_logger logger = {&r, TN_LOG_INFO, rig_log};
    r.opts.logger = &logger;
    r.opts.access_log = true;
    rig_start(&r);
    ask_new(&q);
    assert_int_equal(
        ask_for(&q, &r, "GET", "/v2/models/x\"\n\x1b[31m status=200", NULL),
        400);
    assert_non_null(strstr(
        r.log,
        "request method=GET "
        "path=\"/v2/models/x\\x22\\x0a\\x1b[31m status=200\" status=400 "));
    assert_null(strchr(r.log, '\n'));
    ask_free(&q);
    rig_free(&r);
}

static void metrics_are_text(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    rig_new(&r);
    rig_put(&r, "digits.onnx", "digits-pytorch");
    rig_start(&r);
    ask_new(&q);
    assert_int_equal(ask_for(&q, &r, "GET", "/metrics", NULL), 200);
    assert_memory_equal(q.type, "text/plain; version=0.0.4", 25);
    assert_says(&q, "\nnv_inference_request_success{model=\"digits\","
                    "version=\"1\"} 0\n");
    assert_says(&q, "nv_inference_request_failure{model=\"digits\","
                    "version=\"1\",reason=\"REJECTED\"} 0\n");
    assert_says(&q, "tenon_request_duration_seconds_bucket{model=\"digits\","
                    "version=\"1\",le=\"0.00005\"} 0\n");
    assert_says(&q, "le=\"+Inf\"} 0\n");
    assert_says(&q, "\ntenon_ready 1\n");
    ask_free(&q);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes),
        cmocka_unit_test(paths_are_refused),
        cmocka_unit_test(tokens_are_asked_for),
        cmocka_unit_test(models_are_loaded_by_request),
        cmocka_unit_test(settings_change),
        cmocka_unit_test(access_is_logged),
        cmocka_unit_test(metrics_are_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
