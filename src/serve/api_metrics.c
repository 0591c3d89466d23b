/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_metrics.c - /metrics: Prometheus' text format, version 0.0.4
 *
 * Counters and gauges have Triton's names, so that dashboards fit; durations
 * are histograms too, which Triton does not have, in seconds.
 */
#include "serve/api_call.h"

#include <string.h>

typedef struct model_counts {
    const char *name, *version;
    tni_model_counts c;
} model_counts;

typedef struct writer {
    tni_out *o;
    const model_counts *models;
    size_t n;
} writer;

static void family(writer *w, const char *name, const char *type,
                   const char *help)
{
    tni_out_str(w->o, "# HELP ");
    tni_out_str(w->o, name);
    tni_out_char(w->o, ' ');
    tni_out_str(w->o, help);
    tni_out_str(w->o, "\n# TYPE ");
    tni_out_str(w->o, name);
    tni_out_char(w->o, ' ');
    tni_out_str(w->o, type);
    tni_out_char(w->o, '\n');
}

/* name{model="…",version="…" — the names are of [A-Za-z0-9._-]. */
static void labels(writer *w, const char *name, const char *suffix,
                   const model_counts *m)
{
    tni_out_str(w->o, name);
    tni_out_str(w->o, suffix);
    tni_out_str(w->o, "{model=\"");
    tni_out_str(w->o, m->name);
    tni_out_str(w->o, "\",version=\"");
    tni_out_str(w->o, m->version);
    tni_out_char(w->o, '"');
}

static void value(writer *w, uint64_t v)
{
    tni_out_str(w->o, "} ");
    tni_out_i64(w->o, v <= INT64_MAX ? (int64_t)v : INT64_MAX);
    tni_out_char(w->o, '\n');
}

static void seconds(writer *w, double v)
{
    tni_out_str(w->o, "} ");
    tni_out_f64(w->o, v);
    tni_out_char(w->o, '\n');
}

typedef uint64_t (*reader)(const tni_model_counts *c);

static void each(writer *w, const char *name, const char *type,
                 const char *help, reader read)
{
    family(w, name, type, help);
    for (size_t i = 0; i < w->n; i++) {
        labels(w, name, "", &w->models[i]);
        value(w, read(&w->models[i].c));
    }
}

static uint64_t success(const tni_model_counts *c)
{
    return c->success.count;
}
static uint64_t inferences(const tni_model_counts *c)
{
    return c->inference_count;
}
static uint64_t executions(const tni_model_counts *c)
{
    return c->execution_count;
}
static uint64_t request_us(const tni_model_counts *c)
{
    return c->success.ns / 1000;
}
static uint64_t queue_us(const tni_model_counts *c)
{
    return c->queue.ns / 1000;
}
static uint64_t input_us(const tni_model_counts *c)
{
    return c->compute_input.ns / 1000;
}
static uint64_t infer_us(const tni_model_counts *c)
{
    return c->compute_infer.ns / 1000;
}
static uint64_t output_us(const tni_model_counts *c)
{
    return c->compute_output.ns / 1000;
}
static uint64_t pending(const tni_model_counts *c)
{
    return c->pending;
}
static uint64_t model_bytes(const tni_model_counts *c)
{
    return c->bytes;
}

static void failures(writer *w)
{
    static const char name[] = "nv_inference_request_failure";
    family(w, name, "counter", "Requests that failed, by reason");
    for (size_t i = 0; i < w->n; i++) {
        const tni_model_counts *c = &w->models[i].c;
        const struct {
            const char *reason;
            uint64_t n;
        } rows[] = {{"REJECTED", c->rejected},
                    {"CANCELED", c->cancelled},
                    {"TIMEOUT", c->timed_out},
                    {"BACKEND", c->failed}};
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            labels(w, name, "", &w->models[i]);
            tni_out_str(w->o, ",reason=\"");
            tni_out_str(w->o, rows[k].reason);
            tni_out_char(w->o, '"');
            value(w, rows[k].n);
        }
    }
}

static void histogram(writer *w, const char *name, const char *help,
                      size_t buckets, size_t duration)
{
    family(w, name, "histogram", help);
    for (size_t i = 0; i < w->n; i++) {
        const char *c = (const char *)(const void *)&w->models[i].c;
        uint64_t counts[TNI_LATENCY_BUCKETS], sum = 0;
        tni_duration d;
        memcpy(counts, c + buckets, sizeof counts);
        memcpy(&d, c + duration, sizeof d);
        for (size_t k = 0; k < TNI_LATENCY_BUCKETS; k++) {
            sum += counts[k];
            labels(w, name, "_bucket", &w->models[i]);
            tni_out_str(w->o, ",le=\"");
            if (k + 1 == TNI_LATENCY_BUCKETS)
                tni_out_str(w->o, "+Inf");
            else
                tni_out_f64(w->o, tni_latency_bounds_us[k] / 1e6);
            tni_out_char(w->o, '"');
            value(w, sum);
        }
        labels(w, name, "_sum", &w->models[i]);
        seconds(w, (double)d.ns / 1e9);
        labels(w, name, "_count", &w->models[i]);
        value(w, sum);
    }
}

static void write_models(writer *w)
{
    each(w, "nv_inference_request_success", "counter",
         "Requests that were answered", success);
    failures(w);
    each(w, "nv_inference_count", "counter",
         "Rows inferred: a batch of n counts n", inferences);
    each(w, "nv_inference_exec_count", "counter",
         "Runs of the model: a batch counts once", executions);
    each(w, "nv_inference_request_duration_us", "counter",
         "Time of answered requests, queue included", request_us);
    each(w, "nv_inference_queue_duration_us", "counter",
         "Time that requests waited", queue_us);
    each(w, "nv_inference_compute_input_duration_us", "counter",
         "Time to bring inputs together", input_us);
    each(w, "nv_inference_compute_infer_duration_us", "counter",
         "Time in the model", infer_us);
    each(w, "nv_inference_compute_output_duration_us", "counter",
         "Time to take outputs apart", output_us);
    each(w, "nv_inference_pending_request_count", "gauge", "Requests that wait",
         pending);
    each(w, "tenon_model_memory_bytes", "gauge",
         "Weights, packed, and memory of runs", model_bytes);
    family(w, "nv_model_load_duration_secs", "gauge", "Time that loading took");
    for (size_t i = 0; i < w->n; i++) {
        labels(w, "nv_model_load_duration_secs", "", &w->models[i]);
        seconds(w, (double)w->models[i].c.load_ns / 1e9);
    }
    histogram(w, "tenon_request_duration_seconds",
              "Answered requests, queue included",
              offsetof(tni_model_counts, total_buckets),
              offsetof(tni_model_counts, success));
    histogram(w, "tenon_queue_duration_seconds", "Waiting of answered requests",
              offsetof(tni_model_counts, queue_buckets),
              offsetof(tni_model_counts, queue));
    histogram(w, "tenon_compute_duration_seconds",
              "Time in the model of answered requests",
              offsetof(tni_model_counts, infer_buckets),
              offsetof(tni_model_counts, compute_infer));
}

static void single(writer *w, const char *name, const char *type,
                   const char *help, uint64_t v)
{
    family(w, name, type, help);
    tni_out_str(w->o, name);
    tni_out_char(w->o, ' ');
    tni_out_i64(w->o, v <= INT64_MAX ? (int64_t)v : INT64_MAX);
    tni_out_char(w->o, '\n');
}

static size_t collect(tni_call *call, const tni_index_entry *list, size_t n,
                      model_counts *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        tni_served *m =
            tni_repository_get(call->api->opts.repo, tni_span_of(list[i].name),
                               tni_span_of(list[i].version), NULL);
        if (m == NULL) continue; /* gone meanwhile */
        out[kept].name = list[i].name;
        out[kept].version = list[i].version;
        tni_served_counts(m, &out[kept].c);
        kept++;
        tni_served_release(m);
    }
    return kept;
}

void tni_api_metrics(tni_call *call)
{
    const tni_api *api = call->api;
    tni_index_entry *list = NULL;
    size_t n = 0;
    if (!tni_call_index(call, true, &list, &n)) return;
    model_counts *models = TNI_NEW_ARRAY(&call->arena, model_counts, n + 1);
    if (models == NULL) {
        tni_call_refuse(call, 503, "out of memory");
        return;
    }
    tni_text t;
    tni_call_begin(call, &t);
    writer w = {&t.out, models, collect(call, list, n, models)};
    write_models(&w);
    if (api->opts.tracer != NULL) {
        uint64_t sent = 0, lost = 0;
        tni_tracer_counts(api->opts.tracer, &sent, &lost);
        single(&w, "tenon_traces_sent_total", "counter",
               "Requests whose spans the collector took", sent);
        single(&w, "tenon_traces_lost_total", "counter",
               "Requests whose spans it did not take", lost);
    }
    single(&w, "tenon_ready", "gauge", "Whether /v2/health/ready says so",
           tni_api_is_ready(api) ? 1 : 0);
    if (api->opts.hooks.metrics != NULL)
        api->opts.hooks.metrics(api->opts.hooks.ctx, &t.out);
    tni_call_answer(call, &t, 200, "text/plain; version=0.0.4; charset=utf-8");
}
