/* SPDX-License-Identifier: Apache-2.0 */
/* bcast.c - rows in parallel, and outputs beside their broadcast inputs */
#include "ops/bcast.h"

#include <string.h>

enum { PIECE = 16384 }; /* elements of one task */

/* --- rows -------------------------------------------------------------- */

typedef struct rows_job {
    size_t rows, len;
    size_t pieces; /* of one row, when a row is more than one task */
    size_t group;  /* rows of one task otherwise */
    tni_row_fn fn;
    void *ctx;
} rows_job;

static void rows_task(void *ctx, size_t begin, size_t end, int worker)
{
    const rows_job *j = ctx;
    (void)worker;
    for (size_t t = begin; t < end; t++) {
        if (j->pieces > 1) {
            const size_t first = t % j->pieces * PIECE;
            const size_t left = j->len - first;
            j->fn(j->ctx, t / j->pieces, first, left < PIECE ? left : PIECE);
            continue;
        }
        const size_t stop = (t + 1) * j->group;
        for (size_t r = t * j->group; r < j->rows && r < stop; r++)
            j->fn(j->ctx, r, 0, j->len);
    }
}

void tni_rows_for(const tni_par *par, size_t rows, size_t len, tni_row_fn fn,
                  void *ctx)
{
    if (rows == 0 || len == 0) return;
    rows_job j = {rows, len, (len + PIECE - 1) / PIECE, 1, fn, ctx};
    if (j.pieces > 1) {
        tni_par_for(par, rows * j.pieces, rows_task, &j);
        return;
    }
    j.group = PIECE / len;
    tni_par_for(par, (rows + j.group - 1) / j.group, rows_task, &j);
}

/* --- broadcasting ------------------------------------------------------ */

void tni_shape_of(tni_shape *s, const tni_tensor *t)
{
    s->rank = t->rank;
    memcpy(s->dims, t->dims, sizeof s->dims);
}

void tni_shape_of_type(tni_shape *s, const tni_type *t)
{
    s->rank = t->rank;
    memcpy(s->dims, t->dims, sizeof s->dims);
}

tn_status tni_bcast_shape(tni_shape *out, const tni_shape *in, int n,
                          tn_err *err)
{
    memset(out, 0, sizeof *out);
    for (int k = 0; k < n; k++)
        if (in[k].rank > out->rank) out->rank = in[k].rank;
    for (int d = 0; d < out->rank; d++) out->dims[d] = 1;
    for (int k = 0; k < n; k++) {
        for (int d = 0; d < in[k].rank; d++) {
            int64_t *to = &out->dims[out->rank - in[k].rank + d];
            const int64_t had = *to;
            if (!tni_dim_broadcast(to, had, in[k].dims[d]))
                return tni_fail(err, TN_EINVAL,
                                "input %d has extent %lld where the inputs "
                                "before it have %lld; they do not broadcast",
                                k, (long long)in[k].dims[d], (long long)had);
        }
    }
    return TN_OK;
}

/* Step of an input along output dimension d, before merging. */
static int64_t step_at(const tni_shape *in, int out_rank, int d)
{
    const int at = d - (out_rank - in->rank);
    if (at < 0 || in->dims[at] == 1) return 0;
    int64_t step = 1;
    for (int i = at + 1; i < in->rank; i++) step *= in->dims[i];
    return step;
}

void tni_bcast_init(tni_bcast *b, int64_t *stride, const tni_shape *out,
                    const tni_shape *in, int n)
{
    b->rank = 0;
    b->len = 1;
    b->stride = stride;
    for (int d = 0; d < out->rank; d++) b->len *= out->dims[d];
    if (b->len == 0) {
        b->rank = 1;
        b->dims[0] = 0;
        for (int k = 0; k < n; k++) stride[k * TN_MAX_RANK] = 0;
        return;
    }
    for (int d = 0; d < out->rank; d++) {
        const int64_t extent = out->dims[d];
        if (extent == 1) continue;
        /* Merge into the dimension before when every step continues it. */
        bool merge = b->rank > 0;
        for (int k = 0; k < n && merge; k++)
            merge = stride[k * TN_MAX_RANK + b->rank - 1] ==
                    step_at(&in[k], out->rank, d) * extent;
        if (!merge) b->dims[b->rank++] = 1;
        b->dims[b->rank - 1] *= extent;
        for (int k = 0; k < n; k++)
            stride[k * TN_MAX_RANK + b->rank - 1] =
                step_at(&in[k], out->rank, d);
    }
    if (b->rank == 0) {
        b->rank = 1;
        b->dims[0] = 1;
        for (int k = 0; k < n; k++) stride[k * TN_MAX_RANK] = 1;
    }
}

size_t tni_bcast_offset(const tni_bcast *b, int k, int64_t at)
{
    const int64_t *stride = &b->stride[k * TN_MAX_RANK];
    int64_t offset = 0;
    for (int d = b->rank - 1; d > 0; d--) {
        offset += at % b->dims[d] * stride[d];
        at /= b->dims[d];
    }
    return (size_t)(offset + at * stride[0]);
}

typedef struct bcast_job {
    int64_t row_len;
    tni_bcast_fn fn;
    void *ctx;
} bcast_job;

static void bcast_row(void *ctx, size_t row, size_t first, size_t n)
{
    const bcast_job *j = ctx;
    j->fn(j->ctx, (int64_t)row * j->row_len + (int64_t)first, n);
}

void tni_bcast_for(const tni_bcast *b, const tni_par *par, tni_bcast_fn fn,
                   void *ctx)
{
    if (b->len == 0) return;
    const int64_t row_len = b->dims[b->rank - 1];
    bcast_job j = {row_len, fn, ctx};
    tni_rows_for(par, (size_t)(b->len / row_len), (size_t)row_len, bcast_row,
                 &j);
}
