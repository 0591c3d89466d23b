/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_wire.h - gRPC's rules over HTTP/2: messages from bytes, metadata
 *
 * No input or output is done here. A message is a byte of flags, four bytes of
 * length, the first highest, and its bytes; where DATA frames end means
 * nothing. Messages are collected in memory that is admitted first.
 *
 * Source: grpc/grpc doc/PROTOCOL-HTTP2.md, doc/compression.md,
 * doc/http-grpc-status-mapping.md
 */
#ifndef TN_SRC_SERVE_GRPC_WIRE_H
#define TN_SRC_SERVE_GRPC_WIRE_H

#include "serve/body.h"

/* The codes that a transport needs; the others are the application's. */
enum {
    TNI_GRPC_WIRE_OK = 0,
    TNI_GRPC_WIRE_UNKNOWN = 2,
    TNI_GRPC_WIRE_DEADLINE = 4,
    TNI_GRPC_WIRE_EXHAUSTED = 8,
    TNI_GRPC_WIRE_UNIMPLEMENTED = 12,
    TNI_GRPC_WIRE_INTERNAL = 13,
    TNI_GRPC_WIRE_UNAVAILABLE = 14
};

enum {
    TNI_GRPC_PREFIX = 5,
    TNI_GRPC_MAX_NOTE = 1024 /* bytes of a message in a status */
};

typedef enum tni_grpc_step {
    TNI_GRPC_MORE,    /* all bytes were taken */
    TNI_GRPC_MESSAGE, /* `body` is one, unpacked */
    TNI_GRPC_BAD      /* see status and reason */
} tni_grpc_step;

/* What reads messages. Zero it, then set the first two. Exclusive. */
typedef struct tni_grpc_reader {
    tni_coding coding; /* of packed messages */
    size_t max;        /* bytes of one message, packed or not */
    tni_body body;
    size_t size; /* of the message that comes */
    int status;  /* when bad */
    char reason[128];
    bool packed;
    uint8_t n_prefix, prefix[TNI_GRPC_PREFIX];
} tni_grpc_reader;

/*
 * Reads on; *used says how many bytes were taken. Bytes that lie where the
 * body goes on already (see tni_grpc_reader_room) are not copied. After a
 * message either take `body` (and zero it) or leave it, and call
 * tni_grpc_reader_next before reading on.
 */
tni_grpc_step tni_grpc_reader_feed(tni_grpc_reader *r, tni_mem *mem,
                                   const uint8_t *bytes, size_t size,
                                   size_t *used);
void tni_grpc_reader_next(tni_grpc_reader *r);
/* Frees what the reader holds. */
void tni_grpc_reader_fini(tni_grpc_reader *r);
/* Whether a message has begun and is not whole. */
bool tni_grpc_reader_inside(const tni_grpc_reader *r);
/* Where the next bytes of the message may be put, and how many; 0 when its
 * prefix has not come. */
size_t tni_grpc_reader_room(const tni_grpc_reader *r, uint8_t **at);

/* Writes the prefix of a message that is not packed; false when it is too long
 * for one. */
bool tni_grpc_prefix(uint8_t out[TNI_GRPC_PREFIX], uint64_t size);

/* Whether a Content-Type is gRPC's: application/grpc, with +proto or such. */
bool tni_grpc_content_type(tni_span value);

/* A grpc-timeout, "1500m"; false when it is malformed. What exceeds 64 bits of
 * nanoseconds is the largest. */
bool tni_grpc_timeout(tni_span text, uint64_t *ns);

/* Writes a grpc-message: what is not printable ASCII, and %, as %XX. Cut after
 * TNI_GRPC_MAX_NOTE bytes of text, never inside a character of UTF-8. Its
 * length. */
size_t tni_grpc_note(char out[TNI_GRPC_MAX_NOTE * 3], const char *text);

/* The code that stands for a status of HTTP. */
int tni_grpc_of_http(int status);

#endif
