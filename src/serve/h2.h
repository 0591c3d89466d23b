/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2.h - HTTP/2 on a connection and its streams (private to the transport)
 *
 * A stream is there as long as libnghttp2 knows it or the application has its
 * exchange. It is freed where the later of both ends: when the stream closes,
 * when the exchange is ended, or with the connection; never while a call into
 * the application that was made for it is on the stack.
 */
#ifndef TN_SRC_SERVE_H2_H
#define TN_SRC_SERVE_H2_H

#include "serve/conn.h"
#include "serve/grpc_wire.h"
#include "serve/http1.h"

#include <nghttp2/nghttp2.h>

enum {
    TNI_H2_WINDOW = 8 * 1024 * 1024,       /* of a stream, towards us */
    TNI_H2_CONN_WINDOW = 16 * 1024 * 1024, /* of all of them */
    TNI_H2_MAX_FRAME = 1024 * 1024,        /* payload, towards us */
    TNI_H2_SEND_FRAME = 512 * 1024,        /* payload, towards the peer */
    TNI_H2_OUT = 1024 * 1024, /* given to the socket before it has sent some */
    TNI_H2_AHEAD = 1024 * 1024, /* unsent, from where a stream's peer waits */
    TNI_H2_FIELDS = 24,         /* of a head, before it takes more memory */
    TNI_H2_TEXT = 768,
    TNI_H2_MAX_TEXT = TNI_HTTP1_MAX_HEAD
};

typedef enum tni_h2_state {
    TNI_H2_HEAD,  /* fields are coming */
    TNI_H2_BODY,  /* the transport collects a body, or the one message */
    TNI_H2_OWNED, /* the application has the exchange */
    TNI_H2_ENDED  /* it has ended; there may be something to send */
} tni_h2_state;

typedef struct tni_h2 tni_h2;

typedef struct tni_h2_stream {
    tni_exchange x; /* the first member */
    tni_h2 *h;
    struct tni_h2_stream *prev, *next;
    int32_t id;
    tni_h2_state state;
    bool open;        /* libnghttp2 knows it */
    bool peer_done;   /* the peer sends nothing more on it */
    bool begun;       /* the answer's head is on its way */
    bool final;       /* nothing is added to the answer any more */
    bool cut;         /* what the application still says goes nowhere */
    bool has_length;  /* the request said how long it is */
    bool has_message; /* gRPC, one message: it has come */
    int head_status;  /* not 0: what to refuse the head with */
    uint64_t length, max_body;
    uint64_t since_ns, received; /* of a body, or of a message */
    tni_coding coding;
    tni_body body;
    tni_grpc_reader grpc;
    tni_outq out;
    uint64_t ticked_ns;               /* when it was looked at */
    uint64_t write_since_ns, written; /* of `out`; 0: nothing waits */
    size_t unconsumed;                /* bytes whose window is held back */
    int status;                       /* gRPC: for the trailers */
    char *note;                       /* the same; NULL: none */
    size_t note_size;
    tni_header *fields;
    size_t n_fields, cap_fields, field_bytes;
    char *text;
    size_t text_len, text_cap;
    /* From here on nothing is zeroed. */
    tni_header own_fields[TNI_H2_FIELDS];
    char own_text[TNI_H2_TEXT];
} tni_h2_stream;

struct tni_h2 {
    tni_conn *c;
    nghttp2_session *session;
    tni_h2_stream *streams;
    size_t n_streams, n_owned;
    uint64_t n_freed;       /* streams, ever */
    bool greeted;           /* the peer's SETTINGS have come */
    uint64_t head_since_ns; /* a head has begun and is not whole; 0: none */
    size_t head_bytes;      /* of it */
    uint64_t idle_since_ns;
    /* Of the DATA frame that comes: what is left of it, and whose it is. */
    size_t data_left;
    int32_t data_id;
    /* Frames without use that the peer may still send, and since when. */
    uint64_t patience, patience_ns;
};

/* --- h2_stream.c: requests ---------------------------------------------- */

/* A new stream in the list; NULL when memory is out. */
tni_h2_stream *tni_h2_stream_new(tni_h2 *h, int32_t id);
/* Out of the list and freed; what it has to release is released behind what
 * its connection still sends. */
void tni_h2_stream_free(tni_h2_stream *s);
/* A field of the request's head. */
void tni_h2_field(tni_h2_stream *s, tni_span name, tni_span value);
/* The head is whole; `done`: nothing follows. */
void tni_h2_head_done(tni_h2_stream *s, bool done);
/* Bytes of the body. The connection may be lost afterwards. */
void tni_h2_data(tni_h2_stream *s, const uint8_t *bytes, size_t n);
/* The peer sends nothing more on the stream. */
void tni_h2_peer_done(tni_h2_stream *s);
/* Where bytes of the body that come next may be put, and how many. */
size_t tni_h2_room(const tni_h2_stream *s, uint8_t **at);
/* Looks at the stream's deadlines. */
void tni_h2_stream_tick(tni_h2_stream *s, uint64_t now);
/* The stream is gone: the application is told when it has the exchange,
 * otherwise it is freed. */
void tni_h2_gone(tni_h2_stream *s);

/* --- h2_answer.c: answers ----------------------------------------------- */

extern const tni_transport tni_h2_transport;

/* Ends an exchange by an error of the server itself: as JSON with a status of
 * HTTP, or by a code of gRPC. */
void tni_h2_refuse(tni_h2_stream *s, int http, int grpc, const char *message);
/* The same for a stream of messages that the application has: it is told that
 * the exchange is cancelled, and must still end it. */
void tni_h2_cut(tni_h2_stream *s, int grpc, const char *message);
/* What libnghttp2 calls with the payload of a DATA frame to send. */
int tni_h2_send_data(tni_h2_stream *s, const uint8_t *frame_head, size_t size);

#endif
