/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracer_otlp.c - records as an ExportTraceServiceRequest
 *
 * A message's length stands before it and is known after it: five bytes are
 * left for it, which a varint may fill whatever its value.
 * Source: opentelemetry-proto, trace/v1/trace.proto and common/v1/common.proto
 */
#include "serve/tracer.h"

#include <string.h>

enum { LENGTH_BYTES = 5, KIND_INTERNAL = 1, KIND_SERVER = 2, CODE_ERROR = 2 };

typedef struct writer {
    uint8_t *bytes;
    size_t size, at; /* at goes on past size, writing nothing */
} writer;

static void put(writer *w, const void *bytes, size_t n)
{
    if (w->at <= w->size && n <= w->size - w->at)
        memcpy(w->bytes + w->at, bytes, n);
    w->at += n;
}

static void put_varint(writer *w, uint64_t v)
{
    uint8_t b[10];
    size_t n = 0;
    do {
        b[n++] = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));
        v >>= 7;
    } while (v != 0);
    put(w, b, n);
}

static void put_tag(writer *w, uint32_t field, uint32_t type)
{
    put_varint(w, (uint64_t)field << 3 | type);
}

static void put_int(writer *w, uint32_t field, uint64_t v)
{
    put_tag(w, field, 0);
    put_varint(w, v);
}

static void put_fixed(writer *w, uint32_t field, uint64_t v)
{
    uint8_t b[8];
    for (int i = 0; i < 8; i++) b[i] = (uint8_t)(v >> (8 * i));
    put_tag(w, field, 1);
    put(w, b, sizeof b);
}

static void put_bytes(writer *w, uint32_t field, const void *bytes, size_t n)
{
    put_tag(w, field, 2);
    put_varint(w, n);
    put(w, bytes, n);
}

static void put_text(writer *w, uint32_t field, const char *s)
{
    put_bytes(w, field, s, strlen(s));
}

static size_t open_message(writer *w, uint32_t field)
{
    static const uint8_t zeros[LENGTH_BYTES] = {0};
    put_tag(w, field, 2);
    put(w, zeros, sizeof zeros);
    return w->at;
}

static void close_message(writer *w, size_t start)
{
    if (w->at > w->size) return;
    size_t n = w->at - start;
    for (int i = 0; i < LENGTH_BYTES; i++, n >>= 7)
        w->bytes[start - LENGTH_BYTES + (size_t)i] =
            (uint8_t)((n & 127) | (i < LENGTH_BYTES - 1 ? 128 : 0));
}

/* KeyValue { key = 1; value = 2 { string = 1 | int = 3 } } as field 9 or 1 */
static void put_attribute(writer *w, uint32_t field, const char *key,
                          const char *text, int64_t number)
{
    if (text != NULL && text[0] == '\0') return;
    const size_t kv = open_message(w, field);
    put_text(w, 1, key);
    const size_t value = open_message(w, 2);
    if (text != NULL)
        put_text(w, 1, text);
    else
        put_int(w, 3, (uint64_t)number);
    close_message(w, value);
    close_message(w, kv);
}

typedef struct span_head {
    const uint8_t *trace_id, *span_id, *parent_id;
    const char *name;
    uint64_t kind, start_ns, end_ns;
} span_head;

static void put_span(writer *w, const span_head *h)
{
    static const uint8_t none[8] = {0};
    put_bytes(w, 1, h->trace_id, 16);
    put_bytes(w, 2, h->span_id, 8);
    if (memcmp(h->parent_id, none, 8) != 0) put_bytes(w, 4, h->parent_id, 8);
    put_text(w, 5, h->name);
    put_int(w, 6, h->kind);
    put_fixed(w, 7, h->start_ns);
    put_fixed(w, 8, h->end_ns);
}

static void put_request(writer *w, const tni_trace_record *r, uint64_t epoch_ns)
{
    const span_head h = {
        r->trace.trace_id, r->trace.span_id,       r->trace.parent_id,  r->name,
        KIND_SERVER,       r->start_ns + epoch_ns, r->end_ns + epoch_ns};
    const size_t span = open_message(w, 2);
    put_span(w, &h);
    put_attribute(w, 9, "rpc.system", r->grpc ? "grpc" : "", 0);
    put_attribute(
        w, 9, r->grpc ? "rpc.grpc.status_code" : "http.response.status_code",
        NULL, r->status);
    put_attribute(w, 9, "tenon.model.name", r->model, 0);
    put_attribute(w, 9, "tenon.model.version", r->version, 0);
    put_attribute(w, 9, "tenon.request.id", r->request_id, 0);
    if (r->failure[0] != '\0') {
        const size_t status = open_message(w, 15);
        put_text(w, 2, r->failure);
        put_int(w, 3, CODE_ERROR);
        close_message(w, status);
    }
    close_message(w, span);
}

static void put_stages(writer *w, const tni_trace_record *r, uint64_t epoch_ns)
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
        const size_t span = open_message(w, 2);
        put_span(w, &h);
        close_message(w, span);
    }
}

size_t tni_otlp_encode(uint8_t *bytes, size_t size, const char *service,
                       const tni_trace_record *records, size_t n,
                       uint64_t epoch_ns)
{
    writer w = {bytes, size, 0};
    const size_t resource_spans = open_message(&w, 1);
    const size_t resource = open_message(&w, 1);
    put_attribute(&w, 1, "service.name", service, 0);
    close_message(&w, resource);
    const size_t scope_spans = open_message(&w, 2);
    const size_t scope = open_message(&w, 1);
    put_text(&w, 1, "tenon");
    close_message(&w, scope);
    for (size_t i = 0; i < n; i++) {
        put_request(&w, &records[i], epoch_ns);
        put_stages(&w, &records[i], epoch_ns);
    }
    close_message(&w, scope_spans);
    close_message(&w, resource_spans);
    return w.at;
}
