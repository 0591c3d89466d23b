/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_grpc.c - endpoints by gRPC, one answer each
 *
 * Source: grpc_service.proto of the Open Inference Protocol with Triton's
 * extensions, and grpc.health.v1.
 */
#include "serve/api_grpc.h"
#include "base/wire.h"
#include "serve/datatype.h"
#include "tenon/tenon.h"

#include <string.h>

/* --- reading -------------------------------------------------------------- */

/* Up to n text fields, numbered from 1; "" for those that are not there. */
static tn_status read_texts(const tni_exchange *x, tni_span *out, size_t n,
                            tn_err *err)
{
    tni_wire w;
    tni_field f;
    bool more = true;
    tni_err_clear(err);
    for (size_t i = 0; i < n; i++) out[i] = (tni_span){"", 0};
    tni_wire_init(&w, x->body, x->body_len, "request", 8, err);
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number > n || f.type != TNI_WIRE_LEN) continue;
        if (f.bytes.len > 0)
            out[f.number - 1] =
                (tni_span){(const char *)f.bytes.ptr, f.bytes.len};
    }
}

/* Name 1 and version 2 into the call; false when it was answered. */
static bool read_model(tni_call *call)
{
    tni_span texts[2];
    tn_err err;
    const tn_status s = read_texts(call->x, texts, 2, &err);
    call->model = texts[0];
    call->version = texts[1];
    if (s != TN_OK) tni_call_fail(call, s, &err);
    return s == TN_OK;
}

/* --- the server ----------------------------------------------------------- */

static void answer_bool(tni_call *call, bool on)
{
    tni_proto w;
    tni_proto_init(&w, &call->arena);
    if (on) tni_proto_int(&w, 1, 1);
    tni_call_message(call, &w);
}

static void server_live(tni_call *call)
{
    answer_bool(call, true);
}

static void server_ready(tni_call *call)
{
    answer_bool(call, tni_api_is_ready(call->api));
}

static void server_metadata(tni_call *call)
{
    tni_proto w;
    tni_proto_init(&w, &call->arena);
    tni_proto_text(&w, 1, call->api->name);
    tni_proto_text(&w, 2, tn_version());
    for (size_t i = 0; i < tni_api_n_extensions; i++)
        tni_proto_text(&w, 3, tni_api_extensions[i]);
    tni_call_message(call, &w);
}

static void health_check(tni_call *call)
{
    enum { SERVING = 1, NOT_SERVING = 2 };
    tni_span service;
    tn_err err;
    const tn_status s = read_texts(call->x, &service, 1, &err);
    if (s != TN_OK) {
        tni_call_fail(call, s, &err);
        return;
    }
    if (service.len > 0 &&
        !tni_span_is(service, "inference.GRPCInferenceService")) {
        tni_call_refuse(call, 404, "unknown service");
        return;
    }
    tni_proto w;
    tni_proto_init(&w, &call->arena);
    tni_proto_int(&w, 1, tni_api_is_ready(call->api) ? SERVING : NOT_SERVING);
    tni_call_message(call, &w);
}

/* --- models --------------------------------------------------------------- */

static void model_ready(tni_call *call)
{
    tn_err err;
    if (!read_model(call)) return;
    tni_err_clear(&err);
    call->served = tni_repository_get(call->api->opts.repo, call->model,
                                      call->version, &err);
    if (call->served == NULL && err.code != TN_ENOTFOUND &&
        err.code != TN_EBUSY)
        tni_call_fail(call, err.code, &err);
    else
        answer_bool(call, call->served != NULL);
}

static void put_ports(tni_proto *w, uint32_t field, const tni_port *ports,
                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t mark = tni_proto_open(w, field);
        tni_proto_text(w, 1, ports[i].name);
        tni_proto_text(w, 2, tni_datatype_name(ports[i].dtype));
        tni_proto_ints(w, 3, ports[i].dims, (size_t)ports[i].rank);
        tni_proto_close(w, mark);
    }
}

static void model_metadata(tni_call *call)
{
    const char **versions = NULL;
    size_t n = 0;
    if (!read_model(call) || !tni_call_model(call) ||
        !tni_call_versions(call, &versions, &n))
        return;
    const tni_served *m = call->served;
    tni_proto w;
    tni_proto_init(&w, &call->arena);
    tni_proto_text(&w, 1, m->name);
    for (size_t i = 0; i < n; i++) tni_proto_text(&w, 2, versions[i]);
    tni_proto_text(&w, 3, m->platform);
    put_ports(&w, 4, m->inputs, m->n_inputs);
    put_ports(&w, 5, m->outputs, m->n_outputs);
    tni_call_message(call, &w);
}

static void model_config(tni_call *call)
{
    if (!read_model(call) || !tni_call_model(call)) return;
    tni_proto w;
    tni_proto_init(&w, &call->arena);
    const size_t mark = tni_proto_open(&w, 1);
    tni_served_config_proto(call->served, &w);
    tni_proto_close(&w, mark);
    tni_call_message(call, &w);
}

static void put_duration(tni_proto *w, uint32_t field, tni_duration d)
{
    const size_t mark = tni_proto_open(w, field);
    tni_proto_int(w, 1, d.count);
    tni_proto_int(w, 2, d.ns);
    tni_proto_close(w, mark);
}

static void put_stats(tni_proto *w, const tni_served *m)
{
    const tni_duration none = {0, 0};
    tni_model_counts c;
    tni_served_counts(m, &c);
    const size_t mark = tni_proto_open(w, 1);
    tni_proto_text(w, 1, m->name);
    tni_proto_text(w, 2, m->version);
    tni_proto_int(w, 3, c.last_inference_ms);
    tni_proto_int(w, 4, c.inference_count);
    tni_proto_int(w, 5, c.execution_count);
    const size_t stats = tni_proto_open(w, 6);
    const tni_duration rows[] = {
        c.success,       c.fail,           c.queue, c.compute_input,
        c.compute_infer, c.compute_output, none,    none};
    for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_duration(w, i + 1, rows[i]);
    tni_proto_close(w, stats);
    for (size_t i = 0; i < c.n_batches; i++) {
        const size_t batch = tni_proto_open(w, 7);
        tni_proto_int(w, 1, c.batches[i].batch_size);
        put_duration(w, 2, c.batches[i].input);
        put_duration(w, 3, c.batches[i].infer);
        put_duration(w, 4, c.batches[i].output);
        tni_proto_close(w, batch);
    }
    const size_t memory = tni_proto_open(w, 8);
    tni_proto_text(w, 1, "CPU");
    tni_proto_int(w, 3, c.bytes);
    tni_proto_close(w, memory);
    tni_proto_close(w, mark);
}

static void model_statistics(tni_call *call)
{
    tni_repository *repo = call->api->opts.repo;
    tni_index_entry *list = NULL;
    size_t n = 0;
    if (!read_model(call)) return;
    if ((call->model.len > 0 && !tni_call_model(call)) ||
        !tni_call_index(call, true, &list, &n))
        return;
    tni_proto w;
    tni_proto_init(&w, &call->arena);
    for (size_t i = 0; i < n; i++) {
        if (!tni_call_names(call, &list[i])) continue;
        tni_served *m = tni_repository_get(repo, tni_span_of(list[i].name),
                                           tni_span_of(list[i].version), NULL);
        if (m == NULL) continue; /* gone meanwhile */
        put_stats(&w, m);
        tni_served_release(m);
    }
    tni_call_message(call, &w);
}

/* --- the repository ------------------------------------------------------- */

static void repository_index(tni_call *call)
{
    tni_index_entry *list = NULL;
    size_t n = 0;
    tni_wire w;
    tni_field f;
    bool more = true, ready = false;
    tn_err err;
    tni_err_clear(&err);
    tni_wire_init(&w, call->x->body, call->x->body_len,
                  "RepositoryIndexRequest", 8, &err);
    for (;;) {
        const tn_status s = tni_wire_next(&w, &f, &more);
        if (s != TN_OK) {
            tni_call_fail(call, s, &err);
            return;
        }
        if (!more) break;
        if (f.number == 2 && f.type == TNI_WIRE_VARINT) ready = f.value != 0;
    }
    if (!tni_call_index(call, ready, &list, &n)) return;
    tni_proto out;
    tni_proto_init(&out, &call->arena);
    for (size_t i = 0; i < n; i++) {
        const size_t mark = tni_proto_open(&out, 1);
        tni_proto_text(&out, 1, list[i].name);
        tni_proto_text(&out, 2, list[i].version);
        tni_proto_text(&out, 3, tni_model_state_name(list[i].state));
        tni_proto_text(&out, 4, list[i].reason);
        tni_proto_close(&out, mark);
    }
    tni_call_message(call, &out);
}

/* ModelRepositoryParameter: bool 1, int64 2, string 3, bytes 4. */
static tn_status read_load_entry(const tni_wire *w, const tni_field *entry,
                                 tni_span *config, tn_err *err)
{
    tni_wire sub, value;
    tni_field f;
    bool more = true;
    tni_span key = {"", 0}, text = {NULL, 0};
    TN_TRY(tni_wire_enter(w, entry, "parameters", &sub));
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &f, &more));
        if (!more) break;
        if (f.number == 1 && f.type == TNI_WIRE_LEN)
            key = (tni_span){(const char *)f.bytes.ptr, f.bytes.len};
        if (f.number != 2) continue;
        TN_TRY(tni_wire_enter(&sub, &f, "ModelRepositoryParameter", &value));
        for (;;) {
            TN_TRY(tni_wire_next(&value, &f, &more));
            if (!more) break;
            if (f.number == 3 && f.type == TNI_WIRE_LEN)
                text = (tni_span){(const char *)f.bytes.ptr, f.bytes.len};
        }
        more = true;
    }
    if (key.len >= 5 && memcmp(key.p, "file:", 5) == 0)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "models are not taken from requests ('file:'); put "
                        "the file into the repository");
    if (tni_span_is(key, "config")) *config = text;
    return TN_OK;
}

static void load_or_unload(tni_call *call, bool unload)
{
    tni_wire w;
    tni_field f;
    bool more = true;
    tni_span texts[2], config = {NULL, 0};
    tn_err err;
    if (!tni_control_allowed(call)) return;
    tn_status s = read_texts(call->x, texts, 2, &err);
    tni_wire_init(&w, call->x->body, call->x->body_len, "request", 8, &err);
    while (s == TN_OK && more) {
        s = tni_wire_next(&w, &f, &more);
        if (s == TN_OK && more && f.number == 3)
            s = read_load_entry(&w, &f, &config, &err);
    }
    if (s != TN_OK) {
        tni_call_fail(call, s, &err);
        return;
    }
    if (texts[0].len > 0) {
        tni_api_no_repository(call);
        return;
    }
    call->model = texts[1];
    tni_call_load(call, unload, config);
}

static void repository_load(tni_call *call)
{
    load_or_unload(call, false);
}

static void repository_unload(tni_call *call)
{
    load_or_unload(call, true);
}

/* --- inference ------------------------------------------------------------ */

static void inferred(tni_post *post)
{
    tni_call *call = tni_call_of_post(post);
    tni_reply reply = {NULL, 0, 0, false};
    tn_err err;
    tni_err_clear(&err);
    call->x->on_cancel = NULL;
    if (call->job.status != TN_OK) {
        tni_call_fail(call, call->job.status, &call->job.err);
        return;
    }
    const tn_status s =
        tni_infer_write_grpc(&call->infer, call->job.outputs, &reply, &err);
    if (s != TN_OK)
        tni_call_fail(call, s, &err);
    else
        tni_call_reply(call, &reply);
}

static void job_done(tni_job *job)
{
    tni_call_back(job->ctx, inferred);
}

static void job_lost(tni_exchange *x)
{
    tni_call *call = x->state;
    tni_job_cancel(&call->job);
}

tn_status tni_grpc_read_infer(tni_call *call, uint8_t *message, size_t size,
                              tn_err *err)
{
    tni_infer_target target;
    TN_TRY(tni_infer_peek_grpc(&target, message, size, err));
    call->served = tni_repository_get(call->api->opts.repo, target.name,
                                      target.version, err);
    if (call->served == NULL) return err->code;
    TN_TRY(tni_infer_begin(&call->infer, call->served, &call->arena,
                           call->api->opts.max_answer_bytes, err));
    call->inferring = true;
    return tni_infer_read_grpc(&call->infer, message, size, err);
}

static void model_infer(tni_call *call)
{
    tni_exchange *x = call->x;
    tn_err err;
    tni_err_clear(&err);
    tn_status s = tni_grpc_read_infer(call, x->body, x->body_len, &err);
    if (s == TN_OK) s = tni_call_submit(call, job_done, job_lost, &err);
    if (s != TN_OK) tni_call_fail(call, s, &err);
}

/* --- methods -------------------------------------------------------------- */

#define INFERENCE "/inference.GRPCInferenceService/"

static const tni_route methods[] = {
    {INFERENCE "ModelInfer", false, true, TNI_GROUP_INFER, true, model_infer},
    {INFERENCE "ServerLive", false, true, TNI_GROUP_OPEN, false, server_live},
    {INFERENCE "ServerReady", false, true, TNI_GROUP_OPEN, false, server_ready},
    {INFERENCE "ModelReady", false, true, TNI_GROUP_OPEN, false, model_ready},
    {INFERENCE "ServerMetadata", false, true, TNI_GROUP_INFER, false,
     server_metadata},
    {INFERENCE "ModelMetadata", false, true, TNI_GROUP_INFER, false,
     model_metadata},
    {INFERENCE "ModelConfig", false, true, TNI_GROUP_INFER, false,
     model_config},
    {INFERENCE "ModelStatistics", false, true, TNI_GROUP_INFER, false,
     model_statistics},
    {INFERENCE "RepositoryIndex", false, true, TNI_GROUP_INFER, false,
     repository_index},
    {INFERENCE "RepositoryModelLoad", false, true, TNI_GROUP_CONTROL, false,
     repository_load},
    {INFERENCE "RepositoryModelUnload", false, true, TNI_GROUP_CONTROL, false,
     repository_unload},
    {"/grpc.health.v1.Health/Check", false, true, TNI_GROUP_OPEN, false,
     health_check},
};

static const tni_route *find_method(tni_span path)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (tni_span_is(path, methods[i].name)) return &methods[i];
    return tni_grpc_stream_method(path);
}

bool tni_grpc_head(tni_api *api, tni_exchange *x, uint64_t *max_body)
{
    const tni_route *method = find_method(x->path);
    const tni_group g = method != NULL ? method->group : TNI_GROUP_INFER;
    const bool allowed = tni_api_allowed(api, x, g);
    if (allowed && method != NULL) {
        const uint64_t limit = method->tensors ? api->opts.max_body_bytes
                                               : (uint64_t)TNI_API_JSON_BODY;
        if (limit < *max_body) *max_body = limit;
        return method->serve != NULL || tni_grpc_stream_begin(api, x, method);
    }
    const tni_answer a = {.status = allowed ? 12 : 16,
                          .message =
                              allowed ? "this server does not have that method"
                                      : "this needs a token: send metadata "
                                        "'authorization: Bearer …'"};
    tni_exchange_answer(x, &a);
    return false;
}

void tni_grpc_request(tni_api *api, tni_exchange *x)
{
    tni_call *call = tni_call_new(api, x);
    if (call == NULL) {
        const tni_answer a = {.status = 8, .message = "out of memory"};
        tni_exchange_answer(x, &a);
        return;
    }
    call->route = find_method(x->path);
    call->route->serve(call);
}
