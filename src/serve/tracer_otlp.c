/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracer_otlp.c - records as an ExportTraceServiceRequest
 *
 * Source: opentelemetry-proto, trace/v1/trace.proto and common/v1/common.proto
 */
#include "serve/proto_write.h"
#include "serve/tracer.h"

#include <string.h>

enum { KIND_INTERNAL = 1, KIND_SERVER = 2, CODE_ERROR = 2 };

/* KeyValue { key = 1; value = 2 { string = 1 | int = 3 } } as field 9 or 1 */
static void put_attribute(tni_proto *w, uint32_t field, const char *key,
                          const char *text, int64_t number)
{
    if (text != NULL && text[0] == '\0') return;
    const size_t kv = tni_proto_open(w, field);
    tni_proto_text(w, 1, key);
    const size_t value = tni_proto_open(w, 2);
    if (text != NULL)
        tni_proto_text(w, 1, text);
    else
        tni_proto_int(w, 3, (uint64_t)number);
    tni_proto_close(w, value);
    tni_proto_close(w, kv);
}

typedef struct span_head {
    const uint8_t *trace_id, *span_id, *parent_id;
    const char *name;
    uint64_t kind, start_ns, end_ns;
} span_head;

static void put_span(tni_proto *w, const span_head *h)
{
    static const uint8_t none[8] = {0};
    tni_proto_bytes(w, 1, h->trace_id, 16);
    tni_proto_bytes(w, 2, h->span_id, 8);
    if (memcmp(h->parent_id, none, 8) != 0)
        tni_proto_bytes(w, 4, h->parent_id, 8);
    tni_proto_text(w, 5, h->name);
    tni_proto_int(w, 6, h->kind);
    tni_proto_fixed64(w, 7, h->start_ns);
    tni_proto_fixed64(w, 8, h->end_ns);
}

static void put_request(tni_proto *w, const tni_trace_record *r,
                        uint64_t epoch_ns)
{
    const span_head h = {
        r->trace.trace_id, r->trace.span_id,       r->trace.parent_id,  r->name,
        KIND_SERVER,       r->start_ns + epoch_ns, r->end_ns + epoch_ns};
    const size_t span = tni_proto_open(w, 2);
    put_span(w, &h);
    put_attribute(w, 9, "rpc.system", r->grpc ? "grpc" : "", 0);
    put_attribute(
        w, 9, r->grpc ? "rpc.grpc.status_code" : "http.response.status_code",
        NULL, r->status);
    put_attribute(w, 9, "tenon.model.name", r->model, 0);
    put_attribute(w, 9, "tenon.model.version", r->version, 0);
    put_attribute(w, 9, "tenon.request.id", r->request_id, 0);
    if (r->failure[0] != '\0') {
        const size_t status = tni_proto_open(w, 15);
        tni_proto_text(w, 2, r->failure);
        tni_proto_int(w, 3, CODE_ERROR);
        tni_proto_close(w, status);
    }
    tni_proto_close(w, span);
}

static void put_stages(tni_proto *w, const tni_trace_record *r,
                       uint64_t epoch_ns)
{
    static const char *const names[TNI_TRACE_STAGES] = {"queue", "input",
                                                        "infer", "output"};
    for (int i = 0; i < TNI_TRACE_STAGES; i++) {
        if (r->stage[i].end_ns == 0) continue;
        /* Ids of stages need only differ within the trace. */
        uint8_t id[8];
        memcpy(id, r->trace.span_id, sizeof id);
        id[7] = (uint8_t)(id[7] ^ (i + 1));
        id[0] = (uint8_t)(id[0] ^ 0x5a);
        if (id[0] == 0) id[0] = 1;
        const span_head h = {r->trace.trace_id,
                             id,
                             r->trace.span_id,
                             names[i],
                             KIND_INTERNAL,
                             r->stage[i].start_ns + epoch_ns,
                             r->stage[i].end_ns + epoch_ns};
        const size_t span = tni_proto_open(w, 2);
        put_span(w, &h);
        tni_proto_close(w, span);
    }
}

size_t tni_otlp_encode(uint8_t *bytes, size_t size, const char *service,
                       const tni_trace_record *records, size_t n,
                       uint64_t epoch_ns)
{
    tni_proto w;
    tni_proto_init_fixed(&w, bytes, size);
    const size_t resource_spans = tni_proto_open(&w, 1);
    const size_t resource = tni_proto_open(&w, 1);
    put_attribute(&w, 1, "service.name", service, 0);
    tni_proto_close(&w, resource);
    const size_t scope_spans = tni_proto_open(&w, 2);
    const size_t scope = tni_proto_open(&w, 1);
    tni_proto_text(&w, 1, "tenon");
    tni_proto_close(&w, scope);
    for (size_t i = 0; i < n; i++) {
        put_request(&w, &records[i], epoch_ns);
        put_stages(&w, &records[i], epoch_ns);
    }
    tni_proto_close(&w, scope_spans);
    tni_proto_close(&w, resource_spans);
    return w.at;
}
