/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.h - the body of a request: memory that is admitted before it is taken
 *
 * Bodies come from a tni_mem of their own, shared by every connection, whose
 * limit is what all requests in flight may take together.
 */
#ifndef TN_SRC_SERVE_BODY_H
#define TN_SRC_SERVE_BODY_H

#include "serve/exchange.h"

/* Zeroed it is empty. Starts on a multiple of 64 bytes. */
typedef struct tni_body {
    uint8_t *p;
    size_t len, cap;
} tni_body;

/* Makes room for `cap` bytes in all; false when the budget or memory is out. */
bool tni_body_reserve(tni_body *b, tni_mem *mem, size_t cap);
/* TN_ELIMIT when it would be longer than `max`, TN_ENOMEM. */
tn_status tni_body_append(tni_body *b, tni_mem *mem, const void *bytes,
                          size_t len, size_t max);
/* Frees what a body's p points to; NULL allowed. */
void tni_body_release(void *p);
/* Frees and empties. */
void tni_body_clear(tni_body *b);

typedef enum tni_coding {
    TNI_CODING_IDENTITY,
    TNI_CODING_GZIP,
    TNI_CODING_DEFLATE,
    TNI_CODING_OTHER
} tni_coding;

/* What a Content-Encoding or grpc-encoding says; an empty one is identity. */
tni_coding tni_coding_of(tni_span name);
/*
 * Replaces a body by what it was before it was packed, at most `max` bytes.
 * TN_EFORMAT: not whole or not of that coding; TN_ELIMIT, TN_ENOMEM.
 */
tn_status tni_body_unpack(tni_body *b, tni_mem *mem, tni_coding coding,
                          size_t max, tn_err *err);

#endif
