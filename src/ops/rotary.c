/* SPDX-License-Identifier: Apache-2.0 */
/* rotary.c - rotary position embedding */
#include "ops/rotary.h"

#include "ops/nn.h"

void tni_rotary_vec(double *y, const double *x, const double *cos_row,
                    const double *sin_row, int64_t dim, int64_t head,
                    bool interleaved)
{
    const int64_t half = dim / 2;
    for (int64_t i = 0; i < half; i++) {
        const int64_t p = interleaved ? 2 * i : i;
        const int64_t q = interleaved ? 2 * i + 1 : i + half;
        const double a = x[p], b = x[q];
        y[p] = cos_row[i] * a - sin_row[i] * b;
        y[q] = sin_row[i] * a + cos_row[i] * b;
    }
    for (int64_t i = half * 2; i < head; i++) y[i] = x[i];
}

tn_status tni_rotary_infer(tni_infer *c, const tni_rotary_op *op)
{
    if (tni_infer_ranked(c, 0) && c->in[0]->rank != 3 && c->in[0]->rank != 4)
        return tni_fail(c->err, TN_EINVAL, "input of rank %d, expected 3 or 4",
                        c->in[0]->rank);
    if (!tni_infer_has(c, op->pos_in)) {
        TN_TRY(tni_nn_want_rank(c, op->cos_in, 3));
        TN_TRY(tni_nn_want_rank(c, op->sin_in, 3));
    } else {
        TN_TRY(tni_nn_want_rank(c, op->cos_in, 2));
        TN_TRY(tni_nn_want_rank(c, op->sin_in, 2));
    }
    return tni_infer_unary(c);
}

typedef struct layout {
    int64_t batch, heads, seq, head, dim;
    bool packed; /* [B, S, H * D] */
} layout;

static tn_status layout_of(layout *l, const tni_ref *c, const tni_tensor *t,
                           const tni_tensor *cos_cache)
{
    const int64_t heads = tni_attr_int(c->node, "num_heads", 0);
    const int64_t dim = tni_attr_int(c->node, "rotary_embedding_dim", 0);
    const int64_t half = cos_cache->dims[cos_cache->rank - 1];
    l->batch = t->dims[0];
    l->packed = t->rank == 3;
    if (t->rank == 4) {
        l->heads = t->dims[1];
        l->seq = t->dims[2];
        l->head = t->dims[3];
    } else {
        l->seq = t->dims[1];
        if (heads > 0)
            l->head = t->dims[2] / heads;
        else
            l->head = half * 2; /* com.microsoft: the caches tell */
        if (l->head <= 0 || t->dims[2] % l->head != 0)
            return tni_fail(c->err, TN_EINVAL,
                            "width %lld does not divide into heads",
                            (long long)t->dims[2]);
        l->heads = t->dims[2] / l->head;
    }
    l->dim = dim > 0 ? dim : l->head;
    if (l->dim > l->head || l->dim % 2 != 0)
        return tni_fail(c->err, TN_EINVAL,
                        "%lld of %lld elements cannot rotate in pairs",
                        (long long)l->dim, (long long)l->head);
    if (half != l->dim / 2)
        return tni_fail(c->err, TN_EINVAL,
                        "caches are %lld wide, expected %lld", (long long)half,
                        (long long)(l->dim / 2));
    return TN_OK;
}

/* Row of the caches for (b, s). One id alone is the first position. */
static tn_status cache_row(int64_t *row, const tni_ref *c, const layout *l,
                           const tni_tensor *ids, const tni_tensor *cache,
                           int64_t b, int64_t s)
{
    const int64_t rows = cache->len / (l->dim / 2);
    if (ids == NULL)
        *row = b * l->seq + s;
    else if (ids->len == 1)
        *row = tni_get_i64(ids, 0) + s;
    else
        *row = tni_get_i64(ids, b * l->seq + s);
    if (*row < 0 || *row >= rows)
        return tni_fail(c->err, TN_EINVAL,
                        "position %lld is outside the cache of %lld",
                        (long long)*row, (long long)rows);
    return TN_OK;
}

tn_status tni_rotary_ref(tni_ref *c, const tni_rotary_op *op)
{
    const tni_tensor *const t = c->in[0];
    const tni_tensor *const cos_t = c->in[op->cos_in];
    const tni_tensor *const ids =
        tni_ref_has(c, op->pos_in) ? c->in[op->pos_in] : NULL;
    const bool interleaved = tni_attr_int(c->node, "interleaved", 0) != 0;
    const double *x = NULL, *cos_c = NULL, *sin_c = NULL;
    double *y = NULL;
    layout l = {0};
    TN_TRY(layout_of(&l, c, t, cos_t));
    if (!tni_same_shape(cos_t, c->in[op->sin_in]))
        return tni_fail(c->err, TN_EINVAL, "the caches differ in shape");
    if (ids != NULL && ids->len != 1 && ids->len != l.batch * l.seq)
        return tni_fail(c->err, TN_EINVAL, "position_ids has %lld values",
                        (long long)ids->len);
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, t->dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_load(c, cos_t, &cos_c));
    TN_TRY(tni_nn_load(c, c->in[op->sin_in], &sin_c));
    TN_TRY(tni_nn_open(c, 0, &y));
    for (int64_t u = 0; u < l.batch * l.seq * l.heads && l.dim > 0; u++) {
        const int64_t b = u / (l.seq * l.heads);
        const int64_t s = u / l.heads % l.seq, h = u % l.heads;
        const int64_t at = l.packed ? ((b * l.seq + s) * l.heads + h) * l.head
                                    : ((b * l.heads + h) * l.seq + s) * l.head;
        int64_t row = 0;
        TN_TRY(cache_row(&row, c, &l, ids, cos_t, b, s));
        tni_rotary_vec(y + at, x + at, cos_c + row * (l.dim / 2),
                       sin_c + row * (l.dim / 2), l.dim, l.head, interleaved);
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}
