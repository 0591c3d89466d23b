/* SPDX-License-Identifier: Apache-2.0 */
/* infer.c - what shape inference of most operators is made of */
#include "ops/infer.h"

#include <string.h>

tn_status tni_infer_same(tni_infer *c, int out, int in)
{
    if (out < c->n_out && tni_infer_has(c, in)) c->out[out] = *c->in[in];
    return TN_OK;
}

tn_status tni_infer_unary(tni_infer *c)
{
    return tni_infer_same(c, 0, 0);
}

bool tni_dim_broadcast(int64_t *out, int64_t a, int64_t b)
{
    if (a == b) {
        *out = a;
    } else if (a == 1) {
        *out = b;
    } else if (b == 1) {
        *out = a;
    } else if (a >= 0 && b >= 0) {
        return false;
    } else if (a > 1 || b > 1) {
        *out = a > 1 ? a : b; /* the other must be 1 or equal at run */
    } else {
        *out = TNI_DIM_UNKNOWN;
    }
    return true;
}

bool tni_dim_equal(int64_t *out, int64_t a, int64_t b)
{
    if (a >= 0 && b >= 0 && a != b) return false;
    if (a >= 0)
        *out = a;
    else if (b >= 0)
        *out = b;
    else
        *out = TNI_DIM_IS_SYMBOL(a) ? a : b;
    return true;
}

tn_status tni_infer_broadcast_n(tni_infer *c, int first, int n, int out,
                                tn_dtype dtype)
{
    if (out >= c->n_out) return TN_OK;
    tni_type *y = &c->out[out];
    tni_type_tensor(y, dtype, -1);
    int rank = 0;
    for (int i = first; i < first + n; i++) {
        if (!tni_infer_ranked(c, i)) return TN_OK;
        if (c->in[i]->rank > rank) rank = c->in[i]->rank;
    }
    int64_t dims[TN_MAX_RANK];
    for (int d = 0; d < rank; d++) dims[d] = 1;
    for (int i = first; i < first + n; i++) {
        const tni_type *x = c->in[i];
        for (int d = 0; d < x->rank; d++) {
            int64_t *to = &dims[rank - x->rank + d];
            const int64_t had = *to;
            if (!tni_dim_broadcast(to, had, x->dims[d])) {
                char a[100], b[100];
                return tni_fail(
                    c->err, TN_EINVAL,
                    "input %d %s does not broadcast with input %d %s: extent "
                    "%lld against %lld",
                    i, tni_type_format(a, sizeof a, x), first,
                    tni_type_format(b, sizeof b, c->in[first]),
                    (long long)x->dims[d], (long long)had);
            }
        }
    }
    y->rank = rank;
    memcpy(y->dims, dims, (size_t)rank * sizeof dims[0]);
    return TN_OK;
}

tn_status tni_infer_broadcast(tni_infer *c)
{
    return tni_infer_broadcast_n(c, 0, c->n_in, 0, tni_infer_dtype(c, 0));
}

tn_status tni_infer_compare(tni_infer *c)
{
    return tni_infer_broadcast_n(c, 0, c->n_in, 0, TN_BOOL);
}

void tni_infer_unranked(tni_infer *c, int i, tn_dtype dtype)
{
    if (i < c->n_out) tni_type_tensor(&c->out[i], dtype, -1);
}

tn_status tni_infer_dims(tni_infer *c, int i, tn_dtype dtype, int rank,
                         const int64_t *dims)
{
    if (rank > TN_MAX_RANK)
        return tni_fail(c->err, TN_ELIMIT, "rank %d exceeds %d", rank,
                        (int)TN_MAX_RANK);
    if (i >= c->n_out) return TN_OK;
    tni_type_tensor(&c->out[i], dtype, rank);
    if (rank > 0)
        memcpy(c->out[i].dims, dims, (size_t)rank * sizeof dims[0]);
    return TN_OK;
}

tn_status tni_axis(int *out, int64_t axis, int rank, tn_err *err)
{
    if (axis < -rank || axis >= rank)
        return tni_fail(err, TN_EINVAL, "axis %lld is outside [%d, %d)",
                        (long long)axis, -rank, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return TN_OK;
}

tn_status tni_axes_mask(uint32_t *mask, const int64_t *axes, int n, int rank,
                        tn_err *err)
{
    uint32_t m = 0;
    for (int i = 0; i < n; i++) {
        int axis = 0;
        TN_TRY(tni_axis(&axis, axes[i], rank, err));
        if ((m & (1u << axis)) != 0)
            return tni_fail(err, TN_EINVAL, "axis %lld is named twice",
                            (long long)axes[i]);
        m |= 1u << axis;
    }
    *mask = m;
    return TN_OK;
}

tn_status tni_tensor_ints(int64_t *out, int *n, const tni_tensor *t,
                          tn_err *err)
{
    if (t->kind != TN_KIND_TENSOR || t->rank > 1 || t->len > TN_MAX_RANK) {
        char text[120];
        return tni_fail(err, TN_EINVAL,
                        "%s where a list of at most %d integers is expected",
                        tni_shape_format(text, sizeof text, t->dtype, t->rank,
                                         t->dims),
                        (int)TN_MAX_RANK);
    }
    for (int64_t i = 0; i < t->len; i++) out[i] = tni_get_i64(t, i);
    *n = (int)t->len;
    return TN_OK;
}

static tn_status axes_attr(const tni_node *node, int64_t *axes, int *n,
                           tn_err *err)
{
    int count = 0;
    const int64_t *attr = tni_attr_ints(node, "axes", &count);
    *n = -1;
    if (attr == NULL && tni_attr_find(node, "axes") == NULL) return TN_OK;
    if (count > TN_MAX_RANK)
        return tni_fail(err, TN_EINVAL, "%d axes, expected at most %d", count,
                        (int)TN_MAX_RANK);
    for (int i = 0; i < count; i++) axes[i] = attr[i];
    *n = count;
    return TN_OK;
}

tn_status tni_infer_axes(const tni_infer *c, int in, int64_t *axes, int *n,
                         bool *known)
{
    *known = true;
    *n = -1;
    if (!tni_infer_has(c, in)) return axes_attr(c->node, axes, n, c->err);
    const tni_tensor *t = tni_infer_const(c, in);
    if (t == NULL) {
        *known = false;
        return TN_OK;
    }
    return tni_tensor_ints(axes, n, t, c->err);
}

tn_status tni_ref_axes(const tni_ref *c, int in, int64_t *axes, int *n)
{
    if (!tni_ref_has(c, in)) return axes_attr(c->node, axes, n, c->err);
    return tni_tensor_ints(axes, n, c->in[in], c->err);
}
