/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_unique.c - ONNX Unique, opset 11
 *
 * Shapes:  X[…]  ->  Y[u] (or slices of `axis`), indices[u] of the first of
 *          each, inverse_indices[n], counts[u]
 * Types:   all but complex -> the same, int64
 * Attrs:   axis (without: the elements), sorted (else in order of appearance)
 * Numeric: bit-exact; all NaNs are one value
 */
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/order.h"

#include <string.h>

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    int64_t dims[TN_MAX_RANK] = {TNI_DIM_UNKNOWN}, n = TNI_DIM_UNKNOWN;
    int rank = 1;
    tni_infer_unranked(c, 0, dtype);
    for (int i = 1; i < 4; i++) {
        int64_t one = TNI_DIM_UNKNOWN;
        TN_TRY(tni_infer_dims(c, i, TN_I64, 1, &one));
    }
    if (tni_infer_ranked(c, 0)) {
        const tni_type *x = c->in[0];
        n = tni_dims_product(x->rank, x->dims);
        if (tni_attr_find(c->node, "axis") != NULL) {
            int axis = 0;
            rank = x->rank;
            TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), rank,
                            c->err));
            for (int d = 0; d < rank; d++)
                dims[d] = d == axis ? TNI_DIM_UNKNOWN : x->dims[d];
            n = x->dims[axis];
        }
        TN_TRY(tni_infer_dims(c, 2, TN_I64, 1, &n));
    } else if (tni_attr_find(c->node, "axis") != NULL) {
        return TN_OK;
    }
    return tni_infer_dims(c, 0, dtype, rank, dims);
}

/* Item i is the `outer` x `inner` elements at index i of an axis of n. */
typedef struct items {
    const uint64_t *keys;     /* numbers */
    const tn_string *strings; /* or strings */
    int64_t outer, n, inner;
} items;

static int compare(const items *t, int64_t a, int64_t b)
{
    for (int64_t o = 0; o < t->outer; o++) {
        const int64_t at = (o * t->n + a) * t->inner;
        const int64_t bt = (o * t->n + b) * t->inner;
        for (int64_t i = 0; i < t->inner; i++) {
            int r = 0;
            if (t->strings != NULL)
                r = tni_string_compare(&t->strings[at + i],
                                       &t->strings[bt + i]);
            else if (t->keys[at + i] != t->keys[bt + i])
                r = t->keys[at + i] < t->keys[bt + i] ? -1 : 1;
            if (r != 0) return r;
        }
    }
    return 0;
}

static bool before(const void *ctx, int64_t a, int64_t b)
{
    const int r = compare(ctx, a, b);
    return r < 0 || (r == 0 && a < b);
}

static bool smaller(const void *ctx, int64_t a, int64_t b)
{
    const int64_t *first = ctx;
    return first[a] < first[b];
}

/* The groups of equal items: sorted, or in order of appearance. */
typedef struct groups {
    int64_t n;
    int64_t *first, *count; /* of each group */
    int64_t *of;            /* the group of each item */
} groups;

static tn_status group(groups *g, const items *t, bool sorted, tni_ref *c)
{
    const size_t size = (size_t)(t->n > 0 ? t->n : 1) * sizeof(int64_t);
    int64_t *order = tni_ref_scratch(c, size);
    g->first = tni_ref_scratch(c, size);
    g->count = tni_ref_scratch(c, size);
    g->of = tni_ref_scratch(c, size);
    if (order == NULL || g->first == NULL || g->count == NULL || g->of == NULL)
        return tni_ref_nomem(c);
    tni_order_first(order, t->n, t->n, before, t);
    g->n = 0;
    for (int64_t i = 0; i < t->n; i++) {
        if (i == 0 || compare(t, order[i - 1], order[i]) != 0) {
            g->first[g->n] = order[i];
            g->count[g->n++] = 0;
        }
        g->count[g->n - 1]++;
        g->of[order[i]] = g->n - 1;
    }
    if (sorted) return TN_OK;
    int64_t *rank = tni_ref_scratch(c, size);
    int64_t *first = tni_ref_scratch(c, size);
    int64_t *count = tni_ref_scratch(c, size);
    if (rank == NULL || first == NULL || count == NULL) return tni_ref_nomem(c);
    tni_order_first(order, g->n, g->n, smaller, g->first);
    for (int64_t i = 0; i < g->n; i++) {
        rank[order[i]] = i;
        first[i] = g->first[order[i]];
        count[i] = g->count[order[i]];
    }
    for (int64_t i = 0; i < t->n; i++) g->of[i] = rank[g->of[i]];
    g->first = first;
    g->count = count;
    return TN_OK;
}

static tn_status output_i64(tni_ref *c, int i, int64_t n, const int64_t *v)
{
    TN_TRY(tni_ref_output(c, i, TN_I64, 1, &n));
    if (tni_ref_wants(c, i) && n > 0)
        memcpy(c->out[i]->data, v, (size_t)n * sizeof *v);
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    items t = {.outer = 1, .n = x->len, .inner = 1};
    int64_t dims[TN_MAX_RANK] = {0};
    int axis = 0, rank = 1;
    if (tni_attr_find(c->node, "axis") != NULL) {
        rank = x->rank;
        TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), rank,
                        c->err));
        t.n = x->dims[axis];
        for (int d = 0; d < rank; d++) {
            dims[d] = x->dims[d];
            if (d < axis) t.outer *= dims[d];
            if (d > axis) t.inner *= dims[d];
        }
    }
    if (x->dtype == TN_STRING) {
        t.strings = x->data;
    } else {
        uint64_t *keys =
            tni_ref_scratch(c, (size_t)(x->len > 0 ? x->len : 1) * 8);
        if (keys == NULL) return tni_ref_nomem(c);
        tni_order_keys(keys, x, 0, 1, x->len, TNI_NAN_LAST);
        t.keys = keys;
    }
    groups g = {0};
    TN_TRY(group(&g, &t, tni_attr_int(c->node, "sorted", 1) != 0, c));
    dims[axis] = g.n;
    TN_TRY(tni_ref_output(c, 0, x->dtype, rank, dims));
    TN_TRY(output_i64(c, 1, g.n, g.first));
    TN_TRY(output_i64(c, 2, t.n, g.of));
    TN_TRY(output_i64(c, 3, g.n, g.count));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const size_t row = (size_t)t.inner * tn_dtype_size(x->dtype);
    const char *from = x->data;
    char *to = c->out[0]->data;
    for (int64_t o = 0; o < t.outer; o++)
        for (int64_t i = 0; i < g.n; i++)
            memcpy(to + (size_t)(o * g.n + i) * row,
                   from + (size_t)(o * t.n + g.first[i]) * row, row);
    return TN_OK;
}

#define TYPES (TNI_ANY & ~(TNI_T(TN_C64) | TNI_T(TN_C128)))
static const tni_arg ins[] = {{"X", TYPES, 'T', 0}};
static const tni_arg outs[] = {
    {"Y", TYPES, 'T', 0},
    {"indices", TNI_T(TN_I64), 0, TNI_OPTIONAL},
    {"inverse_indices", TNI_T(TN_I64), 0, TNI_OPTIONAL},
    {"counts", TNI_T(TN_I64), 0, TNI_OPTIONAL}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, NULL},
                                      {"sorted", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_DATA_SHAPED, .infer = infer, .ref = ref},
};

const tni_op tni_op_unique = {
    .domain = "",
    .name = "Unique",
    .summary = "The distinct elements or slices of a tensor",
    TNI_VERSIONS(versions),
};
