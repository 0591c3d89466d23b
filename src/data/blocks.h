/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks.h - long loops over images or annotations, by several threads
 *
 * The items are cut into blocks of a fixed size, whatever the number of
 * threads; a few blocks are worked on at a time and then taken in their order
 * by the caller's thread. So what is made of them has the same bytes for any
 * number of threads, the first error is that of the first item that has one,
 * and memory does not grow with the number of items.
 */
#ifndef TN_SRC_DATA_BLOCKS_H
#define TN_SRC_DATA_BLOCKS_H

#include "base/alloc.h"
#include "base/err.h"
#include "base/par.h"
#include "sys/threadpool.h"

#include <stdint.h>

typedef struct tni_block {
    uint32_t begin, end; /* items */
    int lane;            /* no two threads have the same: index scratch by it */
    char *bytes;         /* what tni_block_write was given, until taken */
    size_t n_bytes, cap_bytes;
    tn_status status;
    tn_err err;
} tni_block;

typedef struct tni_blocks {
    uint32_t n_items, of; /* items, and how many a block has */
    void *ctx;
    /* Any thread. The error belongs into block->err. */
    tn_status (*work)(void *ctx, tni_block *block);
    /* The caller's thread, in order; NULL: there is nothing to take. */
    tn_status (*take)(void *ctx, const tni_block *block, tn_err *err);
} tni_blocks;

/* Threads for that many items: NULL when they are few. 0 threads: one for each
 * processor, and none where the system has no thread to give. */
tn_status tni_blocks_threads(tni_threadpool **pool, int n_threads,
                             uint64_t n_items, tni_mem *mem, tn_err *err);
#define tni_blocks_par(pool) ((pool) != NULL ? tni_threadpool_par(pool) : NULL)

/* One lane without threads, else one for each. */
#define tni_blocks_lanes(par) ((size_t)tni_par_workers(par))

/* Does all of it, or stops at the first error. */
tn_status tni_blocks_run(const tni_blocks *job, const tni_par *par,
                         tn_err *err);

/* A tni_sink: ctx is the block. */
tn_status tni_block_write(void *ctx, const void *bytes, size_t size,
                          tn_err *err);

#endif
