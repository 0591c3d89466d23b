/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bcast.h - rows in parallel, and outputs beside their broadcast inputs
 *
 * Work is split by output into pieces that depend on the shape alone, so the
 * bits are the same for any number of threads.
 */
#ifndef TN_SRC_OPS_BCAST_H
#define TN_SRC_OPS_BCAST_H

#include "ops/infer.h"

/* Elements [first, first + n) of row `row`. */
typedef void (*tni_row_fn)(void *ctx, size_t row, size_t first, size_t n);

/* Calls fn until it covered rows x len elements, long rows in pieces. */
void tni_rows_for(const tni_par *par, size_t rows, size_t len, tni_row_fn fn,
                  void *ctx);

typedef struct tni_shape {
    int rank;
    int64_t dims[TN_MAX_RANK];
} tni_shape;

void tni_shape_of(tni_shape *s, const tni_tensor *t);
void tni_shape_of_type(tni_shape *s, const tni_type *t);

/* The shape that `n` shapes broadcast to; TN_EINVAL when they do not. */
tn_status tni_bcast_shape(tni_shape *out, const tni_shape *in, int n,
                          tn_err *err);

/*
 * Walks an output and its broadcast inputs with neighbouring dimensions merged
 * where every input allows it. stride[k * TN_MAX_RANK + d] is input k's step,
 * in elements, along merged dimension d; along the last it is 0 or 1.
 */
typedef struct tni_bcast {
    int rank; /* at least 1 */
    int64_t len;
    int64_t dims[TN_MAX_RANK];
    int64_t *stride;
} tni_bcast;

/* `stride` has room for n * TN_MAX_RANK and must outlive b. */
void tni_bcast_init(tni_bcast *b, int64_t *stride, const tni_shape *out,
                    const tni_shape *in, int n);

/* Where input k's element for output element `at` lies. */
size_t tni_bcast_offset(const tni_bcast *b, int k, int64_t at);

/* Input k's step along the last dimension, 0 or 1. */
static inline size_t tni_bcast_step(const tni_bcast *b, int k)
{
    return (size_t)b->stride[k * TN_MAX_RANK + b->rank - 1];
}

/* Output elements [at, at + n), all in one innermost row. */
typedef void (*tni_bcast_fn)(void *ctx, int64_t at, size_t n);
void tni_bcast_for(const tni_bcast *b, const tni_par *par, tni_bcast_fn fn,
                   void *ctx);

#endif
