/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_tf_idf_vectorizer.c - ONNX TfIdfVectorizer, opset 9
 *
 * Shapes:  X[c] or X[n, c]  ->  Y[m] or Y[n, m], m = 1 + largest ngram_index
 * Types:   string, int32, int64 -> float32
 * Attrs:   pool_strings or pool_int64s with ngram_counts and ngram_indexes;
 *          min_gram_length, max_gram_length, max_skip_count; mode, weights
 * Errors:  EINVAL a pool that does not fit its counts and indexes
 * Numeric: counts are exact below 2^24
 */
#include "base/checked.h"
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/order.h"

#include <string.h>

typedef enum mode { TF, IDF, TFIDF } mode;

/* The pool: items one after the other, n-grams of one length together. */
typedef struct pool {
    const tn_string *strings;
    const int64_t *ints;
    const int64_t *counts, *indexes;
    const float *weights;
    int n_items, n_counts, n_indexes;
    int64_t min, max, skip, width;
    mode m;
} pool;

static tn_status pool_of(pool *p, const tni_node *node, tn_err *err)
{
    memset(p, 0, sizeof *p);
    int n_strings = 0, n_ints = 0, n_weights = 0;
    p->strings = tni_attr_strings(node, "pool_strings", &n_strings);
    p->ints = tni_attr_ints(node, "pool_int64s", &n_ints);
    p->counts = tni_attr_ints(node, "ngram_counts", &p->n_counts);
    p->indexes = tni_attr_ints(node, "ngram_indexes", &p->n_indexes);
    p->weights = tni_attr_floats(node, "weights", &n_weights);
    p->min = tni_attr_int(node, "min_gram_length", 1);
    p->max = tni_attr_int(node, "max_gram_length", 1);
    p->skip = tni_attr_int(node, "max_skip_count", 0);
    if (n_strings > 0 && n_ints > 0)
        return tni_fail(err, TN_EINVAL,
                        "both pool_strings and pool_int64s, expected one");
    p->n_items = n_strings > 0 ? n_strings : n_ints;
    p->m = tni_attr_is(node, "mode", "IDF", NULL)     ? IDF
           : tni_attr_is(node, "mode", "TFIDF", NULL) ? TFIDF
                                                      : TF;
    if (p->m == TF && !tni_attr_is(node, "mode", "TF", NULL))
        return tni_fail(err, TN_EINVAL, "mode is none of TF, IDF, TFIDF");
    if (p->min < 1 || p->max < p->min || p->max > INT32_MAX || p->skip < 0 ||
        p->skip > INT32_MAX || p->n_counts < p->max)
        return tni_fail(err, TN_EINVAL,
                        "n-grams of %lld to %lld with %d counts",
                        (long long)p->min, (long long)p->max, p->n_counts);
    if (n_weights > 0 && n_weights != p->n_indexes)
        return tni_fail(err, TN_EINVAL, "%d weights for %d n-grams", n_weights,
                        p->n_indexes);
    if (n_weights == 0) p->weights = NULL;
    int64_t grams = 0;
    for (int i = 0; i < p->n_counts; i++) {
        const int64_t begin = p->counts[i];
        const int64_t end =
            i + 1 < p->n_counts ? p->counts[i + 1] : p->n_items;
        if (begin < 0 || end < begin || end > p->n_items ||
            (end - begin) % (i + 1) != 0)
            return tni_fail(err, TN_EINVAL,
                            "ngram_counts: %d-grams from %lld to %lld of %d "
                            "items",
                            i + 1, (long long)begin, (long long)end,
                            p->n_items);
        grams += (end - begin) / (i + 1);
    }
    if (grams != p->n_indexes)
        return tni_fail(err, TN_EINVAL, "%d ngram_indexes for %lld n-grams",
                        p->n_indexes, (long long)grams);
    p->width = 0;
    for (int i = 0; i < p->n_indexes; i++) {
        if (p->indexes[i] < 0 || p->indexes[i] >= ((int64_t)1 << 40))
            return tni_fail(err, TN_EINVAL, "ngram_index %lld",
                            (long long)p->indexes[i]);
        if (p->indexes[i] >= p->width) p->width = p->indexes[i] + 1;
    }
    return TN_OK;
}

static tn_status output_dims(int64_t *dims, int rank, const int64_t *in,
                             const pool *p, tn_err *err)
{
    if (rank > 2)
        return tni_fail(err, TN_EINVAL, "rank %d, expected 1 or 2", rank);
    if (rank == 2) dims[0] = in[0];
    dims[rank == 2 ? 1 : 0] = p->width;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, TN_F32);
    pool p;
    TN_TRY(pool_of(&p, c->node, c->err));
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    int64_t dims[2];
    const int rank = c->in[0]->rank;
    TN_TRY(output_dims(dims, rank, c->in[0]->dims, &p, c->err));
    return tni_infer_dims(c, 0, TN_F32, rank == 2 ? 2 : 1, dims);
}

/* The n-grams of one length, sorted by their items. */
typedef struct grams {
    const pool *p;
    int64_t n;     /* items in each */
    int64_t count;
    int64_t first; /* item of the first */
    int64_t id;    /* of the first, into indexes and weights */
    int64_t *order;
} grams;

static int compare_items(const pool *p, int64_t a, int64_t b)
{
    if (p->strings != NULL)
        return tni_string_compare(&p->strings[a], &p->strings[b]);
    return p->ints[a] < p->ints[b] ? -1 : p->ints[a] > p->ints[b] ? 1 : 0;
}

static bool before(const void *ctx, int64_t a, int64_t b)
{
    const grams *g = ctx;
    for (int64_t i = 0; i < g->n; i++) {
        const int r = compare_items(g->p, g->first + a * g->n + i,
                                    g->first + b * g->n + i);
        if (r != 0) return r < 0;
    }
    return a < b;
}

static int compare_input(const pool *p, int64_t item, const tni_tensor *x,
                         int64_t i)
{
    if (p->strings != NULL)
        return tni_string_compare(&p->strings[item],
                                  &TNI_CDATA(tn_string, x)[i]);
    const int64_t a = p->ints[item], b = tni_get_i64(x, i);
    return a < b ? -1 : a > b ? 1 : 0;
}

/* The n-gram equal to x[at], x[at + step] …; -1 when there is none. */
static int64_t look_up(const grams *g, const tni_tensor *x, int64_t at,
                       int64_t step)
{
    int64_t lo = 0, hi = g->count;
    while (lo < hi) {
        const int64_t mid = lo + (hi - lo) / 2;
        const int64_t item = g->first + g->order[mid] * g->n;
        int r = 0;
        for (int64_t i = 0; i < g->n && r == 0; i++)
            r = compare_input(g->p, item + i, x, at + i * step);
        if (r == 0) return g->order[mid];
        if (r < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

static void count_row(float *y, const grams *all, const pool *p,
                      const tni_tensor *x, int64_t begin, int64_t n)
{
    for (int64_t size = p->min; size <= p->max; size++) {
        const grams *g = &all[size - 1];
        if (g->count == 0) continue;
        /* Skips make no difference to single items. */
        const int64_t most = size == 1 ? 1 : p->skip + 1;
        for (int64_t step = 1; step <= most; step++) {
            if (size > 1 && (n - 1) / (size - 1) < step) break;
            for (int64_t i = 0; i + (size - 1) * step < n; i++) {
                const int64_t k = look_up(g, x, begin + i, step);
                if (k >= 0) y[p->indexes[g->id + k]] += 1.0f;
            }
        }
    }
}

static void weigh(float *y, const pool *p)
{
    if (p->m == TF) return;
    for (int i = 0; i < p->n_indexes; i++) {
        float *v = &y[p->indexes[i]];
        if (!(*v > 0.0f)) continue;
        const float w = p->weights != NULL ? p->weights[i] : 1.0f;
        *v = p->m == IDF ? w : *v * w;
    }
}

static tn_status sort_grams(grams *all, const pool *p, tni_ref *c)
{
    int64_t id = 0;
    for (int i = 0; i < p->n_counts; i++) {
        const int64_t end =
            i + 1 < p->n_counts ? p->counts[i + 1] : p->n_items;
        grams *g = &all[i];
        *g = (grams){.p = p, .n = i + 1, .first = p->counts[i], .id = id};
        g->count = (end - g->first) / g->n;
        id += g->count;
        g->order = tni_ref_scratch(c, (size_t)(g->count + 1) * 8);
        if (g->order == NULL) return tni_ref_nomem(c);
        tni_order_first(g->order, g->count, g->count, before, g);
    }
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    pool p;
    int64_t dims[2];
    TN_TRY(pool_of(&p, c->node, c->err));
    if ((x->dtype == TN_STRING) != (p.strings != NULL) && p.n_items > 0)
        return tni_fail(c->err, TN_EINVAL, "a %s input for a pool of %s",
                        tn_dtype_name(x->dtype),
                        p.strings != NULL ? "strings" : "integers");
    TN_TRY(output_dims(dims, x->rank, x->dims, &p, c->err));
    TN_TRY(tni_ref_output(c, 0, TN_F32, x->rank == 2 ? 2 : 1, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    grams *all = TNI_NEW_ARRAY(c->scratch, grams, p.n_counts);
    if (all == NULL) return tni_ref_nomem(c);
    TN_TRY(sort_grams(all, &p, c));
    const int64_t rows = x->rank == 2 ? x->dims[0] : 1;
    const int64_t n = x->len / rows;
    float *y = TNI_DATA(float, c->out[0]);
    memset(y, 0, (size_t)c->out[0]->len * sizeof *y);
    for (int64_t r = 0; r < rows; r++) {
        count_row(y + r * p.width, all, &p, x, r * n, n);
        weigh(y + r * p.width, &p);
    }
    return TN_OK;
}

static const tni_arg ins[] = {
    {"X", TNI_STRINGS | TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_T(TN_F32), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"max_gram_length", TNI_ATTR_INT, "required"},
    {"max_skip_count", TNI_ATTR_INT, "required"},
    {"min_gram_length", TNI_ATTR_INT, "required"},
    {"mode", TNI_ATTR_STRING, "required"},
    {"ngram_counts", TNI_ATTR_INTS, "required"},
    {"ngram_indexes", TNI_ATTR_INTS, "required"},
    {"pool_int64s", TNI_ATTR_INTS, NULL},
    {"pool_strings", TNI_ATTR_STRINGS, NULL},
    {"weights", TNI_ATTR_FLOATS, NULL}};

static const tni_op_version versions[] = {
    {.since = 9, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_tf_idf_vectorizer = {
    .domain = "",
    .name = "TfIdfVectorizer",
    .summary = "Counts n-grams of a vocabulary",
    TNI_VERSIONS(versions),
};
