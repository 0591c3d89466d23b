/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracer.h - spans of requests, sent to a collector
 *
 *     tni_tracer_begin(t, traceparent, &trace);     when a request arrives
 *     … trace.sampled, tni_trace_parent() …
 *     tni_tracer_add(t, &record);                   when it was answered
 *
 * A request becomes one span of kind SERVER with the stretches it consisted of
 * (queue, input, infer, output) below it. A thread of the tracer's own sends
 * them, OTLP over HTTP in protobuf, many at a time; a collector that is slow or
 * away costs spans, which are counted, and never a request.
 *
 * Threads: begin and add from any. Sources: W3C Trace Context level 1,
 * OTLP 1.x (opentelemetry.io/docs/specs/otlp).
 */
#ifndef TN_SRC_SERVE_TRACER_H
#define TN_SRC_SERVE_TRACER_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/json.h"

typedef struct tni_tracer tni_tracer; /* locked */

typedef struct tni_tracer_opts {
    const char *url;     /* "http://HOST[:PORT][/PATH]"; the port is 4318 and
                            the path /v1/traces unless said */
    const char *service; /* service.name; NULL: "tenon" */
    /* Of the requests that bring no decision of their own, one in `rate` is
     * sampled; 0: none. Those with a traceparent follow its flag. */
    uint32_t rate;
    uint32_t max_waiting; /* spans kept for a collector; 0: 4096 */
    const tn_logger *logger;
    const tn_allocator *allocator;
} tni_tracer_opts;

/* TN_EINVAL for a URL that is not of that form. The collector need not be
 * there yet. */
tn_status tni_tracer_new(tni_tracer **out, const tni_tracer_opts *opts,
                         tn_err *err);
/* Sends what is there, for two seconds at most. NULL allowed. */
void tni_tracer_free(tni_tracer *t);

/* How many of the requests are sampled, changed or asked. */
void tni_tracer_set_rate(tni_tracer *t, uint32_t rate);
uint32_t tni_tracer_rate(tni_tracer *t);

/* Where a request stands among others. */
typedef struct tni_trace {
    uint8_t trace_id[16];
    uint8_t parent_id[8]; /* zero: it has none */
    uint8_t span_id[8];
    bool sampled;
} tni_trace;

/* Begins a span. A traceparent that is empty or malformed begins a trace of
 * its own, as the specification asks. */
void tni_tracer_begin(tni_tracer *t, tni_span traceparent, tni_trace *out);

enum { TNI_TRACE_PARENT_SIZE = 56 };
/* The traceparent of what is called below this span: 55 characters and NUL. */
void tni_trace_parent(const tni_trace *trace, char *text);
/* The trace id in 32 hexadecimal digits and NUL, for logs. */
void tni_trace_id(const tni_trace *trace, char *text);

enum { TNI_TRACE_STAGES = 4 };

/* A request that has ended. Texts are cut to what fits. */
typedef struct tni_trace_record {
    tni_trace trace;
    char name[64]; /* "POST /v2/models/{model}/infer", "ModelInfer" */
    char model[64], version[24], request_id[64];
    char failure[96]; /* "" when it went well */
    int status;       /* HTTP's, or gRPC's */
    bool grpc;
    uint64_t start_ns, end_ns; /* tni_clock_ns() */
    /* queue, input, infer, output; both zero where there was none */
    struct {
        uint64_t start_ns, end_ns;
    } stage[TNI_TRACE_STAGES];
} tni_trace_record;

/* Copies it; nothing when it is not sampled. Never waits for the collector. */
void tni_tracer_add(tni_tracer *t, const tni_trace_record *record);

/* Spans of requests sent, and lost because of the collector. */
void tni_tracer_counts(tni_tracer *t, uint64_t *sent, uint64_t *lost);

/* --- what is sent (tracer_otlp.c) ---------------------------------------- */

/* An ExportTraceServiceRequest of n records into `bytes`; epoch_ns is what the
 * epoch's time was when tni_clock_ns() was 0. The size it takes; nothing is
 * written when that is more than `size`. */
size_t tni_otlp_encode(uint8_t *bytes, size_t size, const char *service,
                       const tni_trace_record *records, size_t n,
                       uint64_t epoch_ns);

#endif
