/* SPDX-License-Identifier: Apache-2.0 */
/* api_models.c - endpoints that describe: the server, its models, statistics */
#include "serve/api_call.h"
#include "serve/datatype.h"
#include "serve/page.h"
#include "tenon/tenon.h"

#include <string.h>

const char *const tni_api_extensions[] = {
    "classification",
    "model_repository",
    "schedule_policy",
    "model_configuration",
    "binary_tensor_data",
    "parameters",
    "statistics",
    "trace",
    "logging",
    "model_repository(unload_dependents)"};
const size_t tni_api_n_extensions =
    sizeof tni_api_extensions / sizeof *tni_api_extensions;

/* --- writing -------------------------------------------------------------- */

static void text(tni_out *o, const char *key, const char *value)
{
    tni_out_char(o, '"');
    tni_out_str(o, key);
    tni_out_str(o, "\":");
    tni_out_json(o, value, strlen(value));
}

static void number(tni_out *o, const char *key, uint64_t value)
{
    tni_out_char(o, '"');
    tni_out_str(o, key);
    tni_out_str(o, "\":");
    tni_out_i64(o, value <= INT64_MAX ? (int64_t)value : INT64_MAX);
}

void tni_write_duration(tni_out *o, const char *name, tni_duration d)
{
    tni_out_char(o, '"');
    tni_out_str(o, name);
    tni_out_str(o, "\":{");
    number(o, "count", d.count);
    tni_out_char(o, ',');
    number(o, "ns", d.ns);
    tni_out_char(o, '}');
}

/* --- the server ----------------------------------------------------------- */

void tni_api_page(tni_call *call)
{
    tni_call_page(call, tni_page, tni_page_size, TNI_PAGE_POLICY);
}

/* Triton leaves these bodies empty, the protocol and KServe's client do not. */
static void answer_json(tni_call *call, int status, const char *text)
{
    tni_call_text(call, status, "application/json", text, strlen(text));
}

void tni_api_live(tni_call *call)
{
    answer_json(call, 200, "{\"live\":true}");
}

void tni_api_ready(tni_call *call)
{
    if (tni_api_is_ready(call->api))
        answer_json(call, 200, "{\"ready\":true}");
    else
        answer_json(call, 503, "{\"ready\":false}");
}

void tni_api_server(tni_call *call)
{
    tni_text t;
    tni_call_begin(call, &t);
    tni_out_char(&t.out, '{');
    text(&t.out, "name", call->api->name);
    tni_out_char(&t.out, ',');
    text(&t.out, "version", tn_version());
    tni_out_str(&t.out, ",\"extensions\":[");
    for (size_t i = 0; i < tni_api_n_extensions; i++) {
        if (i > 0) tni_out_char(&t.out, ',');
        tni_out_json(&t.out, tni_api_extensions[i],
                     strlen(tni_api_extensions[i]));
    }
    tni_out_str(&t.out, "]}");
    tni_call_answer(call, &t, 200, "application/json");
}

/* --- a model -------------------------------------------------------------- */

bool tni_call_model(tni_call *call)
{
    tn_err err;
    tni_err_clear(&err);
    call->served = tni_repository_get(call->api->opts.repo, call->model,
                                      call->version, &err);
    if (call->served != NULL) return true;
    tni_call_fail(call, err.code, &err);
    return false;
}

static void write_ports(tni_out *o, const char *key, const tni_port *ports,
                        size_t n)
{
    tni_out_str(o, key);
    for (size_t i = 0; i < n; i++) {
        tni_out_str(o, i > 0 ? ",{" : "{");
        text(o, "name", ports[i].name);
        tni_out_char(o, ',');
        text(o, "datatype", tni_datatype_name(ports[i].dtype));
        tni_out_str(o, ",\"shape\":[");
        for (int k = 0; k < ports[i].rank; k++) {
            if (k > 0) tni_out_char(o, ',');
            tni_out_i64(o, ports[i].dims[k]);
        }
        tni_out_str(o, "]}");
    }
    tni_out_char(o, ']');
}

bool tni_call_versions(tni_call *call, const char ***versions, size_t *n)
{
    tn_err err;
    tni_err_clear(&err);
    const tn_status s = tni_repository_versions(
        call->api->opts.repo, tni_span_of(call->served->name), versions, n,
        &call->arena, &err);
    if (s != TN_OK) tni_call_fail(call, s, &err);
    return s == TN_OK;
}

void tni_api_model(tni_call *call)
{
    const char **versions = NULL;
    size_t n = 0;
    if (!tni_call_model(call) || !tni_call_versions(call, &versions, &n))
        return;
    const tni_served *m = call->served;
    tni_text t;
    tni_call_begin(call, &t);
    tni_out_char(&t.out, '{');
    text(&t.out, "name", m->name);
    tni_out_str(&t.out, ",\"versions\":[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_char(&t.out, ',');
        tni_out_json(&t.out, versions[i], strlen(versions[i]));
    }
    tni_out_str(&t.out, "],");
    text(&t.out, "platform", m->platform);
    write_ports(&t.out, ",\"inputs\":[", m->inputs, m->n_inputs);
    write_ports(&t.out, ",\"outputs\":[", m->outputs, m->n_outputs);
    tni_out_char(&t.out, '}');
    tni_call_answer(call, &t, 200, "application/json");
}

void tni_api_model_ready(tni_call *call)
{
    if (!tni_call_model(call)) return;
    tni_text t;
    tni_call_begin(call, &t);
    tni_out_char(&t.out, '{');
    text(&t.out, "name", call->served->name);
    tni_out_str(&t.out, ",\"ready\":true}");
    tni_call_answer(call, &t, 200, "application/json");
}

void tni_api_model_config(tni_call *call)
{
    if (!tni_call_model(call)) return;
    tni_text t;
    tni_call_begin(call, &t);
    tni_served_config(call->served, &t.out);
    tni_call_answer(call, &t, 200, "application/json");
}

/* --- statistics ----------------------------------------------------------- */

static void write_stats(tni_out *o, const tni_served *m)
{
    const tni_duration none = {0, 0};
    tni_model_counts c;
    tni_served_counts(m, &c);
    tni_out_char(o, '{');
    text(o, "name", m->name);
    tni_out_char(o, ',');
    text(o, "version", m->version);
    tni_out_char(o, ',');
    number(o, "last_inference", c.last_inference_ms);
    tni_out_char(o, ',');
    number(o, "inference_count", c.inference_count);
    tni_out_char(o, ',');
    number(o, "execution_count", c.execution_count);
    const struct {
        const char *name;
        tni_duration d;
    } rows[] = {{"success", c.success},
                {"fail", c.fail},
                {"queue", c.queue},
                {"compute_input", c.compute_input},
                {"compute_infer", c.compute_infer},
                {"compute_output", c.compute_output},
                {"cache_hit", none},
                {"cache_miss", none}};
    tni_out_str(o, ",\"inference_stats\":{");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (i > 0) tni_out_char(o, ',');
        tni_write_duration(o, rows[i].name, rows[i].d);
    }
    tni_out_str(o, "},\"response_stats\":{},\"batch_stats\":[");
    for (size_t i = 0; i < c.n_batches; i++) {
        tni_out_str(o, i > 0 ? ",{" : "{");
        number(o, "batch_size", c.batches[i].batch_size);
        tni_out_char(o, ',');
        tni_write_duration(o, "compute_input", c.batches[i].input);
        tni_out_char(o, ',');
        tni_write_duration(o, "compute_infer", c.batches[i].infer);
        tni_out_char(o, ',');
        tni_write_duration(o, "compute_output", c.batches[i].output);
        tni_out_char(o, '}');
    }
    tni_out_str(o, "],\"memory_usage\":[{\"type\":\"CPU\",\"id\":0,");
    number(o, "byte_size", c.bytes);
    tni_out_str(o, "}]}");
}

bool tni_call_index(tni_call *call, bool ready_only, tni_index_entry **list,
                    size_t *n)
{
    tn_err err;
    tni_err_clear(&err);
    const tn_status s = tni_repository_index(call->api->opts.repo, ready_only,
                                             list, n, &call->arena, &err);
    if (s != TN_OK) tni_call_fail(call, s, &err);
    return s == TN_OK;
}

bool tni_call_names(const tni_call *call, const tni_index_entry *entry)
{
    return (call->model.len == 0 || tni_span_is(call->model, entry->name)) &&
           (call->version.len == 0 ||
            tni_span_is(call->version, entry->version));
}

/* Of every version that is ready, or of those of one model. */
void tni_api_stats(tni_call *call)
{
    tni_repository *repo = call->api->opts.repo;
    tni_index_entry *list = NULL;
    size_t n = 0;
    bool first = true;
    if ((call->model.len > 0 && !tni_call_model(call)) ||
        !tni_call_index(call, true, &list, &n))
        return;
    tni_text t;
    tni_call_begin(call, &t);
    tni_out_str(&t.out, "{\"model_stats\":[");
    for (size_t i = 0; i < n; i++) {
        if (!tni_call_names(call, &list[i])) continue;
        tni_served *m = tni_repository_get(repo, tni_span_of(list[i].name),
                                           tni_span_of(list[i].version), NULL);
        if (m == NULL) continue; /* gone meanwhile */
        if (!first) tni_out_char(&t.out, ',');
        first = false;
        write_stats(&t.out, m);
        tni_served_release(m);
    }
    tni_out_str(&t.out, "]}");
    tni_call_answer(call, &t, 200, "application/json");
}
