/* SPDX-License-Identifier: Apache-2.0 */
/* batch_cost.c - what a batch costs, learned */
#include "serve/batch_cost.h"

#define PAYS    (15.0 / 16.0) /* rows are that much cheaper, or less */
#define WEIGHT  (1.0 / 8.0)   /* of a new time in the average */
#define EXPLORE 256 /* batches between two that are one level larger */

static int level_of(int64_t rows)
{
    int level = 0;
    while (rows > 1 && level < TNI_COST_LEVELS - 1) {
        rows >>= 1;
        level++;
    }
    return level;
}

void tni_batch_cost_learn(tni_batch_cost *c, int64_t rows, uint64_t ns)
{
    if (rows < 1) rows = 1;
    double *r = &c->row_ns[level_of(rows)];
    double v = (double)ns / (double)rows;
    if (v <= 0.0) v = 1.0;
    /* One slow run (a page fault, another process) says little. */
    if (*r > 0.0 && v > 4.0 * *r) v = 4.0 * *r;
    *r = *r > 0.0 ? *r + WEIGHT * (v - *r) : v;
}

uint64_t tni_batch_cost_ns(const tni_batch_cost *c, int64_t rows)
{
    if (rows < 1) rows = 1;
    const int level = level_of(rows);
    for (int l = level; l >= 0; l--)
        if (c->row_ns[l] > 0.0) return (uint64_t)(c->row_ns[l] * (double)rows);
    return 0;
}

/* The highest level that pays, or is the first not known. */
static int best_level(const tni_batch_cost *c)
{
    int best = 0;
    if (c->row_ns[0] <= 0.0) return 0;
    while (best + 1 < TNI_COST_LEVELS) {
        const double next = c->row_ns[best + 1];
        if (next > c->row_ns[best] * PAYS) break;
        best++;
        if (next <= 0.0) break;
    }
    return best;
}

int64_t tni_batch_cost_cap(tni_batch_cost *c, int64_t most)
{
    int level = best_level(c);
    if (++c->n_asked % EXPLORE == 0 && level + 1 < TNI_COST_LEVELS) level++;
    const int64_t cap = (int64_t)1 << level;
    /* Between the last power of two and `most` there is no level to learn. */
    if (cap >= most || cap * 2 > most) return most < 1 ? 1 : most;
    return cap;
}

uint64_t tni_batch_cost_row_ns(const tni_batch_cost *c, int64_t most)
{
    int level = best_level(c);
    while (level > 0 &&
           (((int64_t)1 << level) > most || c->row_ns[level] <= 0.0))
        level--;
    return (uint64_t)c->row_ns[level];
}
