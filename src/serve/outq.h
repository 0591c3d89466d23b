/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outq.h - bytes on their way out of a connection
 *
 * A queue of stretches: short ones are copied into it, long ones stay where
 * they are until they are sent and are given back by their release function,
 * exactly once, in order, whether they were sent or dropped.
 * Threads: exclusive.
 */
#ifndef TN_SRC_SERVE_OUTQ_H
#define TN_SRC_SERVE_OUTQ_H

#include "serve/exchange.h"
#include "sys/tcp.h"

typedef struct tni_outq_part {
    const uint8_t *p; /* NULL: copied */
    size_t len;
    void (*release)(void *ctx);
    void *ctx;
} tni_outq_part;

typedef struct tni_outq {
    tni_mem *mem;
    tni_outq_part *parts; /* a ring */
    size_t first, n, cap; /* cap is 0 or a power of two */
    uint8_t *copies;      /* of the copied parts, one behind the other */
    size_t copies_begin, copies_end, copies_cap;
    size_t bytes; /* not sent */
} tni_outq;

void tni_outq_init(tni_outq *q, tni_mem *mem);
/* Drops everything and frees what the queue holds. */
void tni_outq_fini(tni_outq *q);

/* False when memory is out. */
bool tni_outq_copy(tni_outq *q, const void *bytes, size_t len);
/* release (may be NULL) is called at once when memory is out. `len` may be 0:
 * the release then comes after everything before it was sent. */
bool tni_outq_add(tni_outq *q, const void *bytes, size_t len,
                  void (*release)(void *ctx), void *ctx);
/* Every piece; all are released also when memory is out. */
bool tni_outq_add_pieces(tni_outq *q, const tni_piece *pieces, size_t n);

/* Moves the first `n` bytes of `from`, and what waits behind them, to the end
 * of `to`. False when memory is out: some is then lost to both. */
bool tni_outq_move(tni_outq *to, tni_outq *from, size_t n);
/* Empties `from`, of which nothing more will be sent: what it would release is
 * released behind all that `to` holds, which may lie in the same memory. False
 * as above. */
bool tni_outq_retire(tni_outq *to, tni_outq *from);

/* The first slices to send, at most `cap`; how many. */
size_t tni_outq_slices(const tni_outq *q, tni_slice *out, size_t cap);
/* `n` bytes went out. */
void tni_outq_sent(tni_outq *q, size_t n);

#endif
