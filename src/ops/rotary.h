/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rotary.h - rotary position embedding
 *
 * The first `dim` of the `head` elements of a vector rotate in pairs, (i,
 * i + dim/2) or, interleaved, (2i, 2i + 1), by the angle whose cosine and sine
 * are given; the rest is copied.
 */
#ifndef TN_SRC_OPS_ROTARY_H
#define TN_SRC_OPS_ROTARY_H

#include "ops/infer.h"

void tni_rotary_vec(double *y, const double *x, const double *cos_row,
                    const double *sin_row, int64_t dim, int64_t head,
                    bool interleaved);

/* The operators: inputs x and the positions of caches and ids. */
typedef struct tni_rotary_op {
    int cos_in, sin_in, pos_in;
} tni_rotary_op;

tn_status tni_rotary_infer(tni_infer *c, const tni_rotary_op *op);
tn_status tni_rotary_ref(tni_ref *c, const tni_rotary_op *op);

#endif
