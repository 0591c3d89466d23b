/* SPDX-License-Identifier: Apache-2.0 */
/* blocks.c - long loops over images or annotations, by several threads */
#include "data/blocks.h"

#include <string.h>

enum {
    PER_LANE = 4,   /* blocks in a round: those of unequal work even out */
    FEW_ITEMS = 256 /* done before a thread has started */
};

typedef struct round {
    const tni_blocks *job;
    tni_block *blocks;
} round;

tn_status tni_blocks_threads(tni_threadpool **pool, int n_threads,
                             uint64_t n_items, tni_mem *mem, tn_err *err)
{
    *pool = NULL;
    if (n_threads == 1 || (n_threads == 0 && n_items < FEW_ITEMS)) return TN_OK;
    const tn_status status =
        tni_threadpool_new(pool, n_threads, mem, n_threads == 0 ? NULL : err);
    return n_threads == 0 ? TN_OK : status;
}

tn_status tni_block_write(void *ctx, const void *bytes, size_t size,
                          tn_err *err)
{
    tni_block *b = ctx;
    const tn_allocator *a = &tni_libc_allocator;
    if (size > b->cap_bytes - b->n_bytes) {
        size_t cap = b->cap_bytes == 0 ? 1 << 16 : b->cap_bytes;
        while (cap - b->n_bytes < size && cap <= SIZE_MAX / 2) cap *= 2;
        char *fresh =
            cap - b->n_bytes >= size ? a->alloc(a->ctx, cap, 1) : NULL;
        if (fresh == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        if (b->bytes != NULL) {
            memcpy(fresh, b->bytes, b->n_bytes);
            a->free(a->ctx, b->bytes, b->cap_bytes, 1);
        }
        b->bytes = fresh;
        b->cap_bytes = cap;
    }
    memcpy(b->bytes + b->n_bytes, bytes, size);
    b->n_bytes += size;
    return TN_OK;
}

static void work(void *ctx, size_t begin, size_t end, int lane)
{
    const round *r = ctx;
    for (size_t i = begin; i < end; i++) {
        tni_block *b = &r->blocks[i];
        b->lane = lane;
        b->status = r->job->work(r->job->ctx, b);
    }
}

static tn_status take(const tni_blocks *job, const tni_block *b, tn_err *err)
{
    if (b->status != TN_OK) {
        if (err != NULL) *err = b->err;
        return b->status;
    }
    return job->take != NULL ? job->take(job->ctx, b, err) : TN_OK;
}

tn_status tni_blocks_run(const tni_blocks *job, const tni_par *par, tn_err *err)
{
    const tn_allocator *a = &tni_libc_allocator;
    const size_t lanes = tni_blocks_lanes(par);
    const size_t most = lanes > 1 ? lanes * PER_LANE : 1;
    round r = {job,
               a->alloc(a->ctx, most * sizeof(tni_block), _Alignof(tni_block))};
    if (r.blocks == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(r.blocks, 0, most * sizeof(tni_block));
    tn_status status = TN_OK;
    for (uint32_t at = 0; status == TN_OK && at < job->n_items;) {
        size_t n = 0;
        for (; n < most && at < job->n_items; n++) {
            const uint32_t left = job->n_items - at;
            r.blocks[n].begin = at;
            at += left < job->of ? left : job->of;
            r.blocks[n].end = at;
            r.blocks[n].n_bytes = 0;
            memset(&r.blocks[n].err, 0, sizeof r.blocks[n].err);
        }
        tni_par_for(par, n, work, &r);
        for (size_t i = 0; i < n && status == TN_OK; i++)
            status = take(job, &r.blocks[i], err);
    }
    for (size_t i = 0; i < most; i++)
        if (r.blocks[i].bytes != NULL)
            a->free(a->ctx, r.blocks[i].bytes, r.blocks[i].cap_bytes, 1);
    a->free(a->ctx, r.blocks, most * sizeof(tni_block), _Alignof(tni_block));
    return status;
}
