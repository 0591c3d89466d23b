/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_cost.h - what a batch costs, learned
 *
 * Time per row is kept for 1, 2-3, 4-7, ... rows, as a moving average. A batch
 * grows to the next of these as long as rows get cheaper by a sixteenth or
 * more, or it is not known yet whether they do.
 */
#ifndef TN_SRC_SERVE_BATCH_COST_H
#define TN_SRC_SERVE_BATCH_COST_H

#include <stdint.h>

enum { TNI_COST_LEVELS = 24 };

typedef struct tni_batch_cost {
    double row_ns[TNI_COST_LEVELS]; /* 0: not known */
    uint32_t n_asked;
} tni_batch_cost;

void tni_batch_cost_learn(tni_batch_cost *c, int64_t rows, uint64_t ns);
/* Time that `rows` rows will take; 0 when nothing is known. */
uint64_t tni_batch_cost_ns(const tni_batch_cost *c, int64_t rows);
/* Rows that a batch should have at most, 1 to `most`. Now and then one level
 * more, so that what was learned once is not believed for ever. */
int64_t tni_batch_cost_cap(tni_batch_cost *c, int64_t most);
/* Time per row at that size; 0 when nothing is known. */
uint64_t tni_batch_cost_row_ns(const tni_batch_cost *c, int64_t most);

#endif
