/* SPDX-License-Identifier: Apache-2.0 */
/* api_control.c - endpoints that change: models, logging, tracing */
#include "serve/api_call.h"

#include <string.h>

const char *tni_model_state_name(tni_model_state state)
{
    switch (state) {
    case TNI_MODEL_UNKNOWN: break;
    case TNI_MODEL_READY: return "READY";
    case TNI_MODEL_UNAVAILABLE: return "UNAVAILABLE";
    case TNI_MODEL_LOADING: return "LOADING";
    case TNI_MODEL_UNLOADING: return "UNLOADING";
    }
    return "UNKNOWN";
}

bool tni_control_allowed(tni_call *call)
{
    if (call->api->opts.allow_control) return true;
    tni_call_refuse(call, 403,
                    "this server does not let its clients load models or "
                    "change settings");
    return false;
}

/* A reader of the body; an empty one is an empty object. */
static void body_json(const tni_call *call, tni_json *j, tn_err *err)
{
    const tni_exchange *x = call->x;
    tni_err_clear(err);
    if (x->body_len == 0)
        tni_json_init(j, "{}", 2, 0, err);
    else
        tni_json_init(j, (const char *)x->body, x->body_len, 0, err);
}

/* The value under a key as text, unescaped; a JSON error otherwise. */
static bool text_value(tni_call *call, tni_json *j, tni_span *out)
{
    bool escaped = false;
    if (!tni_json_string(j, out, &escaped)) return false;
    size_t len = 0;
    const char *copy = tni_json_unescape(&call->arena, *out, &len);
    if (copy == NULL) return tni_json_fail(j, out->p, "out of memory");
    *out = (tni_span){copy, len};
    return true;
}

/* --- the repository ------------------------------------------------------- */

void tni_api_no_repository(tni_call *call)
{
    tni_call_refuse(call, 501,
                    "repositories have no names here; leave it out of the "
                    "path");
}

void tni_api_no_shared_memory(tni_call *call)
{
    tni_call_refuse(call, 501,
                    "this server does not read its clients' shared memory; "
                    "send tensors in the request");
}

static void text(tni_out *o, const char *key, const char *value)
{
    tni_out_str(o, key);
    tni_out_json(o, value, strlen(value));
}

void tni_api_index(tni_call *call)
{
    tni_json j;
    tn_err err;
    tni_span key;
    bool ready = false;
    body_json(call, &j, &err);
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            if (tni_json_text_is(key, "ready"))
                tni_json_bool(&j, &ready);
            else
                tni_json_skip(&j, NULL);
        }
    tni_json_end(&j);
    tni_index_entry *list = NULL;
    size_t n = 0;
    if (j.status != TN_OK) {
        tni_call_fail(call, j.status, &err);
        return;
    }
    if (!tni_call_index(call, ready, &list, &n)) return;
    tni_text t;
    tni_call_begin(call, &t);
    tni_out_char(&t.out, '[');
    for (size_t i = 0; i < n; i++) {
        text(&t.out, i > 0 ? ",{\"name\":" : "{\"name\":", list[i].name);
        if (list[i].version[0] != '\0')
            text(&t.out, ",\"version\":", list[i].version);
        text(&t.out, ",\"state\":", tni_model_state_name(list[i].state));
        if (list[i].reason[0] != '\0')
            text(&t.out, ",\"reason\":", list[i].reason);
        tni_out_char(&t.out, '}');
    }
    tni_out_char(&t.out, ']');
    tni_call_answer(call, &t, 200, "application/json");
}

static void loaded(tni_post *post)
{
    tni_call *call = tni_call_of_post(post);
    if (call->load.status == TN_OK)
        tni_call_done(call, 200);
    else
        tni_call_fail(call, call->load.status, &call->load.err);
}

static void load_done(tni_load *load)
{
    tni_call_back(load->ctx, loaded);
}

/* {"parameters": {"config": text, "file:…": base64, "unload_dependents": …}} */
static tn_status load_parameters(tni_call *call, tni_span *config, tn_err *err)
{
    tni_json j;
    tni_span key;
    bool file = false;
    body_json(call, &j, err);
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            if (!tni_json_text_is(key, "parameters")) {
                tni_json_skip(&j, NULL);
                continue;
            }
            if (!tni_json_enter(&j, '{')) break;
            while (tni_json_key(&j, &key)) {
                file = file || (key.len >= 5 && memcmp(key.p, "file:", 5) == 0);
                if (tni_json_text_is(key, "config"))
                    text_value(call, &j, config);
                else
                    tni_json_skip(&j, NULL);
            }
        }
    tni_json_end(&j);
    TN_TRY(j.status);
    if (file)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "models are not taken from requests ('file:'); put "
                        "the file into the repository");
    return TN_OK;
}

/* Outside explicit mode Triton says "unavailable", and clients know it. */
static void load_refused(tni_call *call, tn_status s, const tn_err *err)
{
    if (s == TN_EUNSUPPORTED)
        tni_call_refuse(call, 503, "%s", err->message);
    else
        tni_call_fail(call, s, err);
}

void tni_call_load(tni_call *call, bool unload, tni_span config)
{
    tn_err err;
    tni_err_clear(&err);
    call->load.done = load_done;
    call->load.ctx = call;
    /* From here on load_done() may run on another thread. */
    const tn_status s =
        unload ? tni_repository_unload(call->api->opts.repo, call->model,
                                       &call->load, &err)
               : tni_repository_load(call->api->opts.repo, call->model, config,
                                     &call->load, &err);
    if (s != TN_OK) load_refused(call, s, &err);
}

static void load_or_unload(tni_call *call, bool unload)
{
    tni_span config = {NULL, 0};
    tn_err err;
    if (!tni_control_allowed(call)) return;
    const tn_status s = load_parameters(call, &config, &err);
    if (s != TN_OK)
        tni_call_fail(call, s, &err);
    else
        tni_call_load(call, unload, config);
}

void tni_api_load(tni_call *call)
{
    load_or_unload(call, false);
}

void tni_api_unload(tni_call *call)
{
    load_or_unload(call, true);
}

/* --- logging -------------------------------------------------------------- */

static void write_logging(tni_call *call)
{
    const tni_api_hooks *h = &call->api->opts.hooks;
    const tn_log_level level = h->log_level(h->ctx);
    tni_text t;
    tni_call_begin(call, &t);
    tni_out_str(&t.out, "{\"log_file\":\"\",\"log_info\":");
    tni_out_str(&t.out, level >= TN_LOG_INFO ? "true" : "false");
    tni_out_str(&t.out, ",\"log_warning\":");
    tni_out_str(&t.out, level >= TN_LOG_WARN ? "true" : "false");
    tni_out_str(&t.out, ",\"log_error\":true,\"log_verbose_level\":");
    tni_out_i64(&t.out, level > TN_LOG_INFO ? (int64_t)level - TN_LOG_INFO : 0);
    tni_out_str(&t.out, ",\"log_format\":\"default\"}");
    tni_call_answer(call, &t, 200, "application/json");
}

typedef struct log_change {
    int info, warning; /* -1: not said */
    int64_t verbose;
} log_change;

static bool log_setting(tni_json *j, tni_span key, log_change *c)
{
    bool on = false;
    if (tni_json_text_is(key, "log_info")) {
        if (!tni_json_bool(j, &on)) return false;
        c->info = on;
    } else if (tni_json_text_is(key, "log_warning")) {
        if (!tni_json_bool(j, &on)) return false;
        c->warning = on;
    } else if (tni_json_text_is(key, "log_verbose_level")) {
        const char *at = j->p;
        if (!tni_json_i64(j, &c->verbose)) return false;
        if (c->verbose < 0)
            return tni_json_fail(j, at, "log_verbose_level must be 0 or more");
    } else if (tni_json_text_is(key, "log_error")) {
        const char *at = j->p;
        if (!tni_json_bool(j, &on)) return false;
        if (!on) return tni_json_fail(j, at, "errors are always logged");
    } else {
        return tni_json_fail(j, key.p,
                             "'%.*s' cannot be changed by a request; expected "
                             "log_info, log_warning, log_error or "
                             "log_verbose_level",
                             (int)(key.len < 64 ? key.len : 64), key.p);
    }
    return true;
}

static tn_log_level changed_level(tn_log_level now, const log_change *c)
{
    const int info = c->info >= 0 ? c->info : now >= TN_LOG_INFO;
    const int warning = c->warning >= 0 ? c->warning : now >= TN_LOG_WARN;
    const int64_t verbose = c->verbose >= 0 ? c->verbose
                            : now >= TN_LOG_INFO
                                ? (int64_t)now - (int64_t)TN_LOG_INFO
                                : 0;
    if (verbose > 0) return verbose > 1 ? TN_LOG_TRACE : TN_LOG_DEBUG;
    return info ? TN_LOG_INFO : warning ? TN_LOG_WARN : TN_LOG_ERROR;
}

void tni_api_logging(tni_call *call)
{
    const tni_api_hooks *h = &call->api->opts.hooks;
    if (h->log_level == NULL || h->set_log_level == NULL) {
        tni_call_refuse(call, 501, "this server's log has no settings");
        return;
    }
    if (tni_span_is(call->x->method, "POST")) {
        tni_json j;
        tn_err err;
        tni_span key;
        log_change c = {-1, -1, -1};
        if (!tni_control_allowed(call)) return;
        body_json(call, &j, &err);
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key))
                if (!log_setting(&j, key, &c)) break;
        tni_json_end(&j);
        if (j.status != TN_OK) {
            tni_call_fail(call, j.status, &err);
            return;
        }
        h->set_log_level(h->ctx, changed_level(h->log_level(h->ctx), &c));
    }
    write_logging(call);
}

/* --- tracing -------------------------------------------------------------- */

static void write_trace(tni_call *call)
{
    tni_tracer *t = call->api->opts.tracer;
    const uint32_t rate = t != NULL ? tni_tracer_rate(t) : 0;
    tni_text out;
    tni_call_begin(call, &out);
    tni_out_str(&out.out, rate != 0 ? "{\"trace_level\":[\"TIMESTAMPS\"],"
                                    : "{\"trace_level\":[\"OFF\"],");
    tni_out_str(&out.out, "\"trace_rate\":\"");
    tni_out_i64(&out.out, rate);
    tni_out_str(&out.out, "\",\"trace_count\":\"-1\",\"log_frequency\":\"0\","
                          "\"trace_file\":\"\",\"trace_mode\":"
                          "\"opentelemetry\"}");
    tni_call_answer(call, &out, 200, "application/json");
}

/* A number, or one in quotes as Triton's clients send it. */
static bool rate_value(tni_call *call, tni_json *j, int64_t *rate)
{
    if (tni_json_peek(j) != '"') return tni_json_i64(j, rate);
    tni_span s;
    const char *at = j->p;
    if (!text_value(call, j, &s)) return false;
    int64_t v = 0;
    for (size_t i = 0; i < s.len && v >= 0; i++)
        v = s.p[i] >= '0' && s.p[i] <= '9' && v < INT32_MAX
                ? v * 10 + (s.p[i] - '0')
                : -1;
    *rate = v;
    if (s.len == 0 || v < 0)
        return tni_json_fail(j, at, "trace_rate must be a number");
    return true;
}

/* "OFF", or a list of levels. */
static bool level_value(tni_call *call, tni_json *j, int *on)
{
    tni_span s;
    const char *at = j->p;
    const bool list = tni_json_peek(j) == '[';
    if (list && !tni_json_enter(j, '[')) return false;
    *on = 0;
    while (!list || tni_json_item(j)) {
        if (!text_value(call, j, &s)) return false;
        if (tni_span_is(s, "TIMESTAMPS"))
            *on = 1;
        else if (!tni_span_is(s, "OFF"))
            return tni_json_fail(j, at,
                                 "trace_level '%.40s' is not traced; expected "
                                 "OFF or TIMESTAMPS",
                                 s.p);
        if (!list) break;
    }
    return j->status == TN_OK;
}

static bool trace_setting(tni_call *call, tni_json *j, tni_span key,
                          int64_t *rate, int *on)
{
    if (tni_json_text_is(key, "trace_rate")) {
        const char *at = j->p;
        if (!rate_value(call, j, rate)) return false;
        return (*rate >= 0 && *rate <= INT32_MAX) ||
               tni_json_fail(j, at, "trace_rate must be 0 to %d", INT32_MAX);
    }
    if (tni_json_text_is(key, "trace_level")) return level_value(call, j, on);
    return tni_json_fail(j, key.p,
                         "'%.*s' cannot be changed by a request; expected "
                         "trace_level or trace_rate",
                         (int)(key.len < 64 ? key.len : 64), key.p);
}

void tni_api_trace(tni_call *call)
{
    tni_tracer *t = call->api->opts.tracer;
    if (tni_span_is(call->x->method, "POST")) {
        tni_json j;
        tn_err err;
        tni_span key;
        int64_t rate = -1;
        int on = -1;
        if (!tni_control_allowed(call)) return;
        if (t == NULL) {
            tni_call_refuse(call, 501,
                            "this server was started without a collector for "
                            "traces");
            return;
        }
        if (call->model.p != NULL) {
            tni_call_refuse(call, 501,
                            "traces are set for the whole server: use "
                            "/v2/trace/setting");
            return;
        }
        body_json(call, &j, &err);
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key))
                if (!trace_setting(call, &j, key, &rate, &on)) break;
        tni_json_end(&j);
        if (j.status != TN_OK) {
            tni_call_fail(call, j.status, &err);
            return;
        }
        if (on == 0) rate = 0;
        if (on == 1 && rate < 0 && tni_tracer_rate(t) == 0) rate = 1000;
        if (rate >= 0) tni_tracer_set_rate(t, (uint32_t)rate);
    }
    write_trace(call);
}
