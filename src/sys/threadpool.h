/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threadpool.h - a fixed team of workers for parallel loops
 *
 * The caller is worker 0. Idle workers spin for a bounded time (20 to 100
 * microseconds) and then sleep. Tasks of a loop are handed out in order from
 * one atomic counter; what a task computes never depends on who runs it.
 * Threads: locked; loops of several callers run one after the other. A loop
 * must not start another loop of the same pool from inside a task.
 */
#ifndef TN_SRC_SYS_THREADPOOL_H
#define TN_SRC_SYS_THREADPOOL_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/par.h"

typedef struct tni_threadpool tni_threadpool;

/* Workers that make sense here: the smaller of the affinity mask, the cgroup
 * (v1 and v2) CPU quota rounded up, and the CPUs online; at least 1. */
int tni_threads_default(void);

/* A pool of n_threads workers including the caller; 0 means the default.
 * A pool of 1 starts no thread. */
tn_status tni_threadpool_new(tni_threadpool **out, int n_threads, tni_mem *mem,
                             tn_err *err);
void tni_threadpool_free(tni_threadpool *pool);
/* The pool as parallel loops see it; valid as long as the pool. */
const tni_par *tni_threadpool_par(const tni_threadpool *pool);

#endif
