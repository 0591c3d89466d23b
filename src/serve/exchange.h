/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - one request and its answer, whatever carried them
 *
 * The transports (HTTP/1.1, HTTP/2, gRPC) make exchanges on an I/O thread and
 * hand them to the application below; the application ends each exactly once,
 * on that same thread. Until it has, the exchange stays valid whatever the
 * peer does: when the connection is lost, `cancelled` is set, `on_cancel` is
 * called once, and what is answered afterwards is released and goes nowhere.
 * So nobody ever holds an exchange that somebody else has freed.
 *
 * It is the application's from request() on; a streaming one (gRPC) from
 * head() on, when that returned true. One that is lost before is forgotten by
 * its transport without a word. Inside on_cancel the exchange may be ended.
 */
#ifndef TN_SRC_SERVE_EXCHANGE_H
#define TN_SRC_SERVE_EXCHANGE_H

#include "base/json.h"

typedef struct tni_loop tni_loop; /* an I/O thread; see loop.h */

typedef struct tni_header {
    tni_span name; /* lower case */
    tni_span value;
} tni_header;

typedef enum tni_carrier {
    TNI_REST, /* HTTP/1.1 or HTTP/2 */
    TNI_GRPC  /* HTTP/2 with content-type application/grpc */
} tni_carrier;

typedef struct tni_exchange tni_exchange;
struct tni_exchange {
    tni_loop *loop; /* NULL in tests without sockets */
    tni_carrier carrier;
    bool tls;
    bool cancelled;
    /* Set by head() of the application: messages arrive one by one and any
     * number is sent back (gRPC: both ways; REST: only sent). */
    bool streaming;
    tni_span method; /* "GET" */
    /* As sent, without the query: "/v2/models/a%20b/infer" or
     * "/inference.GRPCInferenceService/ModelInfer". */
    tni_span path, query;
    const tni_header *headers;
    size_t n_headers;
    /* Whole and 64-byte aligned when request() is called; of gRPC the one
     * message, without its prefix, decompressed. The exchange's until its
     * end; the application may write to it (tensors are views into it). */
    uint8_t *body;
    size_t body_len;
    uint64_t start_ns;    /* tni_clock_ns() when the head was whole */
    uint64_t deadline_ns; /* grpc-timeout; 0: none */
    char peer[56];        /* "127.0.0.1:5001", "[::1]:5001" */
    void *state;          /* the application's */
    /* Set by the application or NULL. The peer went away or reset the stream.
     * The exchange must still be ended. Never called inside one of the calls
     * below: these only take note, and the loop sends. */
    void (*on_cancel)(tni_exchange *x);
    const struct tni_transport *transport;
};

/* A header's value, or an empty span with p NULL. `name` in lower case. */
tni_span tni_exchange_header(const tni_exchange *x, const char *name);

/* A stretch of a body. release (may be NULL) is called exactly once, on the
 * I/O thread, when the bytes are sent or never will be. */
typedef struct tni_piece {
    const void *bytes;
    size_t size;
    void (*release)(void *ctx);
    void *ctx;
} tni_piece;

/* Strings and headers are copied, pieces are taken over. */
typedef struct tni_answer {
    int status;          /* HTTP's, or gRPC's when the carrier is TNI_GRPC */
    const char *message; /* gRPC's grpc-message; NULL: none */
    const char *content_type; /* NULL: no body, or application/grpc */
    const tni_header *headers;
    size_t n_headers;
    const tni_piece *pieces; /* the body; of gRPC one message, unprefixed */
    size_t n_pieces;
} tni_answer;

/* The three ways to go on; all on the I/O thread. answer and finish end the
 * exchange: `x` must not be touched after. */
void tni_exchange_answer(tni_exchange *x, const tni_answer *answer);
/* Streaming: one message (gRPC) or chunk (REST). */
void tni_exchange_send(tni_exchange *x, const tni_piece *pieces, size_t n);
void tni_exchange_finish(tni_exchange *x, int status, const char *message);

/* What a transport (or a test) implements. */
typedef struct tni_transport {
    void (*answer)(tni_exchange *x, const tni_answer *answer);
    void (*send)(tni_exchange *x, const tni_piece *pieces, size_t n);
    void (*finish)(tni_exchange *x, int status, const char *message);
} tni_transport;

/* Work for an I/O thread, handed over from any thread: embed one in what the
 * work is about. Never fails, never allocates. */
typedef struct tni_post {
    struct tni_post *next;
    void (*run)(struct tni_post *post);
} tni_post;
/* Runs post->run soon on the loop's thread. Threads: any. */
void tni_loop_post(tni_loop *loop, tni_post *post);

/* What the transports call; all on the exchange's I/O thread. */
typedef struct tni_app {
    void *ctx;
    /* The head is there, the body is not: refuse now (by answering; returns
     * false, and the body is not read) or return true. *max_body is the limit
     * of the server when called and may be lowered. */
    bool (*head)(void *ctx, tni_exchange *x, uint64_t *max_body);
    /* The whole request is there. */
    void (*request)(void *ctx, tni_exchange *x);
    /* Streaming gRPC: one message, valid during the call; and the end of what
     * the peer sends. */
    void (*message)(void *ctx, tni_exchange *x, uint8_t *bytes, size_t size);
    void (*half_close)(void *ctx, tni_exchange *x);
} tni_app;

#endif
