/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1.h - HTTP/1.1 requests from bytes, and heads of answers to bytes
 *
 * No input or output is done here. A head is read byte by byte by an automaton
 * whose states are the grammar's, so where the bytes were cut apart can make
 * no difference. It is strict where leniency lets two readers of one stream
 * disagree (request smuggling): lines end in CR LF and nothing else, no line
 * is continued, a length is given once and in one way.
 *
 * Source: RFC 9110, RFC 9112
 */
#ifndef TN_SRC_SERVE_HTTP1_H
#define TN_SRC_SERVE_HTTP1_H

#include "serve/exchange.h"

enum {
    TNI_HTTP1_MAX_METHOD = 32,
    TNI_HTTP1_MAX_TARGET = 8192,      /* else 414 */
    TNI_HTTP1_MAX_FIELD_BYTES = 8192, /* of all fields together; else 431 */
    TNI_HTTP1_MAX_FIELDS = 100,       /* else 431 */
    /* No head that is accepted, or not refused yet, is longer. */
    TNI_HTTP1_MAX_HEAD = TNI_HTTP1_MAX_METHOD + TNI_HTTP1_MAX_TARGET +
                         TNI_HTTP1_MAX_FIELD_BYTES + 64,
    TNI_HTTP1_MAX_EXTENSION = 256 /* of one chunk; else 400 */
};

typedef enum tni_http1_step {
    TNI_HTTP1_MORE, /* all bytes were taken, more are needed */
    TNI_HTTP1_DATA, /* of chunks only: a stretch of the body */
    TNI_HTTP1_DONE,
    TNI_HTTP1_BAD /* see status and reason */
} tni_http1_step;

typedef struct tni_http1_head {
    tni_header fields[TNI_HTTP1_MAX_FIELDS];
    size_t n_fields;
    tni_span method, path, query;
    int minor;   /* of HTTP/1.x: 0, or 1 for anything later */
    size_t size; /* bytes of the head when done */
    bool keep_alive, chunked, has_length, expect_continue;
    uint64_t length; /* of the body; 0 without a length */
    int status;      /* when bad: what to answer */
    const char *reason;

    /* The automaton's. */
    int state;
    size_t at, begin; /* next byte; where the current token began */
    size_t field_bytes;
    int blank_lines, version_len;
    bool close, keep, has_host;
    char version[8];
} tni_http1_head;

void tni_http1_head_init(tni_http1_head *h);
/*
 * Goes on reading: the request begins at bytes[0] and `size` bytes of it have
 * come, those of earlier calls, at the same place, included. Names are made
 * lower case there, and the spans point into it.
 */
tni_http1_step tni_http1_head_feed(tni_http1_head *h, uint8_t *bytes,
                                   size_t size);

/* A body in chunks. Zeroed it is ready. */
typedef struct tni_http1_chunks {
    int state;
    uint64_t left; /* of the current chunk */
    size_t digits, extra;
    int status;
    const char *reason;
} tni_http1_chunks;

/* Reads on; *used says how many bytes were taken. DATA: *data, *len is a
 * stretch of the body inside `bytes`; call again with what is left. */
tni_http1_step tni_http1_chunks_feed(tni_http1_chunks *c, const uint8_t *bytes,
                                     size_t size, size_t *used,
                                     const uint8_t **data, size_t *len);

enum { TNI_HTTP1_CHUNK_HEAD = 20 };
/* Writes the line in front of a chunk; how long it is. */
size_t tni_http1_chunk_head(char out[TNI_HTTP1_CHUNK_HEAD], uint64_t size);

typedef struct tni_http1_reply {
    int status;
    int minor; /* of the request */
    bool keep_alive;
    bool chunked;   /* otherwise `length` is told */
    bool endless;   /* the connection's end is the body's */
    bool no_length; /* 1xx and 204 have none */
    uint64_t length;
    const char *content_type; /* or NULL */
    const char *date;         /* or NULL */
    const tni_header *headers;
    size_t n_headers;
} tni_http1_reply;

/* Writes the head of an answer; its length, or 0 when it does not fit. What
 * must not stand in a value is left out of it. */
size_t tni_http1_write_head(char *buf, size_t cap, const tni_http1_reply *r);
/* "Not Found" for 404. */
const char *tni_http_reason(int status);

#endif
