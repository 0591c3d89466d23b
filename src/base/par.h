/* SPDX-License-Identifier: Apache-2.0 */
/*
 * par.h - parallel loops as a callback, so kernels and ops need no threads
 *
 * Work is split by output, never by accumulation: the tasks of a loop and what
 * each computes depend on shapes alone, so results carry the same bits for any
 * number of workers. Only which worker runs which task may differ.
 */
#ifndef TN_SRC_BASE_PAR_H
#define TN_SRC_BASE_PAR_H

#include "base/config.h"

#include <stddef.h>

/* Runs tasks [begin, end). `worker` is in [0, n_workers) and no two calls that
 * overlap in time share it: index per-worker scratch by it. */
typedef void (*tni_par_fn)(void *ctx, size_t begin, size_t end, int worker);

typedef struct tni_par {
    void *pool;
    int n_workers; /* at least 1 */
    /* Calls fn until every task of [0, n_tasks) ran once, then returns. */
    void (*run)(void *pool, size_t n_tasks, tni_par_fn fn, void *ctx);
} tni_par;

/* Runs the loop in place when there is one worker, no pool, or one task. */
static inline void tni_par_for(const tni_par *par, size_t n_tasks,
                               tni_par_fn fn, void *ctx)
{
    if (n_tasks == 0) return;
    if (par == NULL || par->n_workers <= 1 || par->run == NULL ||
        n_tasks == 1) {
        fn(ctx, 0, n_tasks, 0);
        return;
    }
    par->run(par->pool, n_tasks, fn, ctx);
}

static inline int tni_par_workers(const tni_par *par)
{
    return par != NULL && par->n_workers > 1 ? par->n_workers : 1;
}

#endif
