/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_attention.c - ONNX Attention, opsets 23, 24 (nonpad_kv_seqlen), 25 (windows)
 *
 * Shapes:  Q[B, Hq, S, D] or [B, S, Hq*D]; K, V likewise with Hkv heads and
 *          kv positions; past [B, Hkv, P, D] -> Y like Q, present
 *          [B, Hkv, P + kv, D], qk_matmul_output [B, Hq, S, P + kv]
 * Masks:   bool (true attends) or additive, broadcast to [B, Hq, S, P + kv];
 *          is_causal aligned at the bottom right; left and right windows; keys
 *          beyond nonpad_kv_seqlen. A row masked everywhere gives zeros.
 * Numeric: see attn.h; softmax_precision is met by computing in more
 * Source:  github.com/onnx/onnx docs/Operators.md#Attention
 */
#include "ops/attn.h"
#include "ops/nn.h"

#include <math.h>
#include <string.h>

enum { Q, K, V, MASK, PAST_K, PAST_V, NONPAD };
enum { Y, PRESENT_K, PRESENT_V, QK };

#define MASK_T (TNI_FLOATS | TNI_INTS | TNI_BOOLS)

static const tni_arg in_24[] = {
    {"Q", TNI_FLOATS, 'T', 0},
    {"K", TNI_FLOATS, 'T', 0},
    {"V", TNI_FLOATS, 'V', 0},
    {"attn_mask", MASK_T, 0, TNI_OPTIONAL},
    {"past_key", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"past_value", TNI_FLOATS, 'V', TNI_OPTIONAL},
    {"nonpad_kv_seqlen", TNI_T(TN_I64), 0, TNI_OPTIONAL},
};
static const tni_arg in_23[] = {
    {"Q", TNI_FLOATS, 'T', 0},
    {"K", TNI_FLOATS, 'T', 0},
    {"V", TNI_FLOATS, 'V', 0},
    {"attn_mask", MASK_T, 0, TNI_OPTIONAL},
    {"past_key", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"past_value", TNI_FLOATS, 'V', TNI_OPTIONAL},
};
static const tni_arg out_23[] = {
    {"Y", TNI_FLOATS, 'T', 0},
    {"present_key", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"present_value", TNI_FLOATS, 'V', TNI_OPTIONAL},
    {"qk_matmul_output", TNI_FLOATS, 'T', TNI_OPTIONAL},
};

static const tni_attr_spec attrs_25[] = {
    {"is_causal", TNI_ATTR_INT, "0"},
    {"kv_num_heads", TNI_ATTR_INT, NULL},
    {"left_window_size", TNI_ATTR_INT, "-1"},
    {"q_num_heads", TNI_ATTR_INT, NULL},
    {"qk_matmul_output_mode", TNI_ATTR_INT, "0"},
    {"right_window_size", TNI_ATTR_INT, "-1"},
    {"scale", TNI_ATTR_FLOAT, NULL},
    {"softcap", TNI_ATTR_FLOAT, "0"},
    {"softmax_precision", TNI_ATTR_INT, NULL},
};
static const tni_attr_spec attrs_23[] = {
    {"is_causal", TNI_ATTR_INT, "0"},
    {"kv_num_heads", TNI_ATTR_INT, NULL},
    {"q_num_heads", TNI_ATTR_INT, NULL},
    {"qk_matmul_output_mode", TNI_ATTR_INT, "0"},
    {"scale", TNI_ATTR_FLOAT, NULL},
    {"softcap", TNI_ATTR_FLOAT, "0"},
    {"softmax_precision", TNI_ATTR_INT, NULL},
};

/* Was the node made from Softmax and products (op_tn_attention.c)? */
static bool is_spelled(const tni_node *node)
{
    return strcmp(node->domain, "tenon") == 0;
}

/* --- shapes ----------------------------------------------------------------- */

/* [batch, heads, positions, width] of one input of rank 3 or 4. */
static tn_status heads_of(int64_t *out, int rank, const int64_t *dims,
                          int64_t heads, int input, tn_err *err)
{
    if (rank == 4) {
        memcpy(out, dims, 4 * sizeof *out);
        return TN_OK;
    }
    if (rank != 3)
        return tni_fail(err, TN_EINVAL, "input %d has rank %d, expected 3 or 4",
                        input, rank);
    if (heads <= 0)
        return tni_fail(err, TN_EINVAL,
                        "q_num_heads and kv_num_heads are "
                        "required with inputs of rank 3");
    if (TNI_DIM_IS_KNOWN(dims[2]) && dims[2] % heads != 0)
        return tni_fail(err, TN_EINVAL,
                        "width %lld of input %d does not divide "
                        "into %lld heads",
                        (long long)dims[2], input, (long long)heads);
    out[0] = dims[0];
    out[1] = heads;
    out[2] = dims[1];
    out[3] = tni_dim_div(dims[2], heads);
    return TN_OK;
}

typedef struct shapes {
    int64_t q[4], k[4], v[4], past, total;
} shapes;

static tn_status agree(int64_t *a, int64_t b, const char *what, tn_err *err)
{
    int64_t merged = 0;
    if (!tni_dim_equal(&merged, *a, b))
        return tni_fail(err, TN_EINVAL, "%s: %lld and %lld", what,
                        (long long)*a, (long long)b);
    *a = merged;
    return TN_OK;
}

/* past: extent 2 of past_key, 0 when omitted; extents may be unknown. */
static tn_status shapes_make(shapes *s, const tni_node *node, const int *rank,
                             const int64_t *const *dims, int64_t past,
                             tn_err *err)
{
    const int64_t hq = tni_attr_int(node, "q_num_heads", 0);
    const int64_t hkv = tni_attr_int(node, "kv_num_heads", 0);
    if (rank[0] != rank[1] || rank[0] != rank[2])
        return tni_fail(err, TN_EINVAL, "Q, K and V differ in rank");
    TN_TRY(heads_of(s->q, rank[0], dims[0], hq, Q, err));
    TN_TRY(heads_of(s->k, rank[1], dims[1], hkv, K, err));
    TN_TRY(heads_of(s->v, rank[2], dims[2], hkv, V, err));
    TN_TRY(agree(&s->q[0], s->k[0], "batch of Q and K", err));
    TN_TRY(agree(&s->k[0], s->v[0], "batch of K and V", err));
    TN_TRY(agree(&s->k[1], s->v[1], "heads of K and V", err));
    TN_TRY(agree(&s->k[2], s->v[2], "positions of K and V", err));
    TN_TRY(agree(&s->q[3], s->k[3], "head size of Q and K", err));
    if (TNI_DIM_IS_KNOWN(s->q[1]) && TNI_DIM_IS_KNOWN(s->k[1]) &&
        (s->k[1] == 0 ? s->q[1] != 0 : s->q[1] % s->k[1] != 0))
        return tni_fail(err, TN_EINVAL,
                        "%lld query heads are no multiple of %lld",
                        (long long)s->q[1], (long long)s->k[1]);
    s->past = past;
    s->total = tni_dim_add(past, s->k[2]);
    return TN_OK;
}

/* A spelled-out Add takes a mask of all keys or one number for all of them,
 * where attn_mask may end early. */
static tn_status check_strict(tni_infer *c, int64_t keys)
{
    const tni_type *const m = tni_infer_ranked(c, MASK) ? c->in[MASK] : NULL;
    const int64_t n = m != NULL && m->rank > 0 ? m->dims[m->rank - 1] : 1;
    if (is_spelled(c->node) && TNI_DIM_IS_KNOWN(n) && TNI_DIM_IS_KNOWN(keys) &&
        n != 1 && n != keys)
        return tni_fail(c->err, TN_EINVAL,
                        "the mask has %lld keys, the scores have %lld",
                        (long long)n, (long long)keys);
    return TN_OK;
}

tn_status tni_attention_infer(tni_infer *c)
{
    const tn_dtype t = tni_infer_dtype(c, Q), tv = tni_infer_dtype(c, V);
    int64_t past = 0, d[4];
    shapes s;
    if (tni_infer_has(c, PAST_K) != tni_infer_has(c, PAST_V))
        return tni_fail(c->err, TN_EINVAL,
                        "past_key and past_value go together");
    if (tni_infer_has(c, PAST_K) && tni_infer_has(c, NONPAD))
        return tni_fail(c->err, TN_EINVAL,
                        "nonpad_kv_seqlen and past_key exclude each other");
    if (!tni_infer_ranked(c, Q) || !tni_infer_ranked(c, K) ||
        !tni_infer_ranked(c, V)) {
        tni_infer_unranked(c, Y, t);
        tni_infer_unranked(c, PRESENT_K, t);
        tni_infer_unranked(c, PRESENT_V, tv);
        tni_infer_unranked(c, QK, t);
        return TN_OK;
    }
    TN_TRY(tni_nn_want_rank(c, PAST_K, 4));
    TN_TRY(tni_nn_want_rank(c, PAST_V, 4));
    if (tni_infer_has(c, PAST_K))
        past = tni_infer_ranked(c, PAST_K) ? c->in[PAST_K]->dims[2]
                                           : TNI_DIM_UNKNOWN;
    TN_TRY(shapes_make(
        &s, c->node,
        (const int[3]){c->in[Q]->rank, c->in[K]->rank, c->in[V]->rank},
        (const int64_t *const[3]){c->in[Q]->dims, c->in[K]->dims,
                                  c->in[V]->dims},
        past, c->err));
    TN_TRY(check_strict(c, s.total));
    d[0] = s.q[0];
    d[1] = s.k[1];
    d[2] = s.k[2];
    if (tni_infer_ranked(c, PAST_K)) {
        int64_t head = s.k[3], v_head = s.v[3], p = past;
        for (int i = 0; i < 2; i++) {
            TN_TRY(tni_nn_merge_dim(c, PAST_K, i, &d[i]));
            TN_TRY(tni_nn_merge_dim(c, PAST_V, i, &d[i]));
        }
        TN_TRY(tni_nn_merge_dim(c, PAST_V, 2, &p));
        TN_TRY(tni_nn_merge_dim(c, PAST_K, 3, &head));
        TN_TRY(tni_nn_merge_dim(c, PAST_V, 3, &v_head));
    }
    if (c->in[Q]->rank == 4)
        TN_TRY(tni_infer_dims(
            c, Y, t, 4, (const int64_t[4]){s.q[0], s.q[1], s.q[2], s.v[3]}));
    else
        TN_TRY(tni_infer_dims(
            c, Y, t, 3,
            (const int64_t[3]){s.q[0], s.q[2], tni_dim_mul(s.q[1], s.v[3])}));
    if (c->n_out > PRESENT_K)
        TN_TRY(tni_infer_dims(
            c, PRESENT_K, t, 4,
            (const int64_t[4]){s.q[0], s.k[1], s.total, s.k[3]}));
    if (c->n_out > PRESENT_V)
        TN_TRY(tni_infer_dims(
            c, PRESENT_V, tv, 4,
            (const int64_t[4]){s.q[0], s.k[1], s.total, s.v[3]}));
    if (c->n_out > QK)
        TN_TRY(tni_infer_dims(
            c, QK, t, 4, (const int64_t[4]){s.q[0], s.q[1], s.q[2], s.total}));
    return TN_OK;
}

/* The geometry once all extents are known; k and v as caches when `cached`. */
static tn_status attn_make(tni_attn *a, const shapes *s, const tni_node *node,
                           bool packed, bool cached, tn_err *err)
{
    const tni_attr *const scale = tni_attr_find(node, "scale");
    const int64_t mode = tni_attr_int(node, "qk_matmul_output_mode", 0);
    if (mode < 0 || mode > 3)
        return tni_fail(err, TN_EINVAL, "qk_matmul_output_mode is %lld",
                        (long long)mode);
    *a = (tni_attn){.batch = s->q[0],
                    .heads = s->q[1],
                    .kv_heads = s->k[1],
                    .q_len = s->q[2],
                    .kv_len = s->total,
                    .dim = s->q[3],
                    .v_dim = s->v[3]};
    a->q = packed ? tni_attn_bsh(s->q[2], s->q[1], s->q[3])
                  : tni_attn_bhs(s->q[2], s->q[1], s->q[3]);
    a->y = packed ? tni_attn_bsh(s->q[2], s->q[1], s->v[3])
                  : tni_attn_bhs(s->q[2], s->q[1], s->v[3]);
    packed = packed && !cached;
    a->k = packed ? tni_attn_bsh(s->total, s->k[1], s->k[3])
                  : tni_attn_bhs(s->total, s->k[1], s->k[3]);
    a->v = packed ? tni_attn_bsh(s->total, s->k[1], s->v[3])
                  : tni_attn_bhs(s->total, s->k[1], s->v[3]);
    a->scale = scale != NULL ? (double)scale->v.f : 1.0 / sqrt((double)a->dim);
    a->softcap = (double)tni_attr_float(node, "softcap", 0);
    a->causal = tni_attr_int(node, "is_causal", 0) != 0;
    a->causal_value = -(double)INFINITY;
    a->left = tni_attr_int(node, "left_window_size", -1);
    a->right = tni_attr_int(node, "right_window_size", -1);
    if (a->left < -1 || a->right < -1)
        return tni_fail(err, TN_EINVAL, "a window size is below -1");
    a->offset = s->past;
    /* Softmax of nothing but -infinity is NaN; Attention says zeros. */
    a->zero_masked = !is_spelled(node);
    a->qk = (tni_attn_qk)mode;
    return TN_OK;
}

/* Sets bias[0] to a mask of doubles or floats as `data`. */
static tn_status mask_make(tni_attn *a, int rank, const int64_t *dims,
                           const void *data, tn_err *err)
{
    const int64_t want[4] = {a->batch, a->heads, a->q_len, a->kv_len};
    a->bias[0].data = data;
    return tni_attn_bias_strides(&a->bias[0], rank, dims, want, err);
}

/* --- reference -------------------------------------------------------------- */

static tn_status load_mask(tni_ref *c, tni_attn *a)
{
    const tni_tensor *const m = c->in[MASK];
    const double *data = NULL;
    if (m->dtype == TN_BOOL) {
        double *const bias = tni_nn_doubles(c, m->len);
        if (bias == NULL) return tni_ref_nomem(c);
        for (int64_t i = 0; i < m->len; i++)
            bias[i] = TNI_CDATA(uint8_t, m)[i] != 0 ? 0 : -(double)INFINITY;
        data = bias;
    } else {
        TN_TRY(tni_nn_load(c, m, &data));
    }
    return mask_make(a, m->rank, m->dims, data, c->err);
}

/* Past and new positions as one [B, H, total, D]. */
static tn_status join(tni_ref *c, int in, int past_in, const shapes *s,
                      const int64_t *dims, bool packed, const double **out)
{
    const double *x = NULL, *past = NULL;
    double *cache;
    const tni_attn_stride st = packed ? tni_attn_bsh(dims[2], dims[1], dims[3])
                                      : tni_attn_bhs(dims[2], dims[1], dims[3]);
    TN_TRY(tni_nn_load(c, c->in[in], &x));
    cache = tni_nn_doubles(c, dims[0] * dims[1] * s->total * dims[3]);
    if (cache == NULL) return tni_ref_nomem(c);
    if (tni_ref_has(c, past_in)) {
        TN_TRY(tni_nn_load(c, c->in[past_in], &past));
        tni_attn_put_f64(cache, s->total, 0, past,
                         tni_attn_bhs(s->past, dims[1], dims[3]), NULL, dims[0],
                         dims[1], s->past, dims[3]);
    }
    tni_attn_put_f64(cache, s->total, s->past, x, st, NULL, dims[0], dims[1],
                     dims[2], dims[3]);
    *out = cache;
    return TN_OK;
}

static tn_status present(tni_ref *c, int out, const shapes *s,
                         const int64_t *dims, tn_dtype dtype,
                         const double *cache)
{
    if (!tni_ref_wants(c, out)) return TN_OK;
    TN_TRY(tni_ref_output(
        c, out, dtype, 4,
        (const int64_t[4]){dims[0], dims[1], s->total, dims[3]}));
    tni_from_f64(c->out[out]->data, dtype, cache, c->out[out]->len);
    return TN_OK;
}

tn_status tni_attention_ref(tni_ref *c)
{
    const tni_tensor *const q = c->in[Q];
    const bool packed = q->rank == 3;
    const double *qf = NULL, *kf = NULL, *vf = NULL;
    double *y = NULL, *qk = NULL, *scratch;
    shapes s;
    tni_attn a;
    TN_TRY(shapes_make(
        &s, c->node, (const int[3]){q->rank, c->in[K]->rank, c->in[V]->rank},
        (const int64_t *const[3]){q->dims, c->in[K]->dims, c->in[V]->dims},
        tni_ref_has(c, PAST_K) ? c->in[PAST_K]->dims[2] : 0, c->err));
    TN_TRY(attn_make(&a, &s, c->node, packed, true, c->err));
    if (packed)
        TN_TRY(tni_ref_output(
            c, Y, q->dtype, 3,
            (const int64_t[3]){s.q[0], s.q[2], s.q[1] * s.v[3]}));
    else
        TN_TRY(
            tni_ref_output(c, Y, q->dtype, 4,
                           (const int64_t[4]){s.q[0], s.q[1], s.q[2], s.v[3]}));
    TN_TRY(tni_ref_output(c, QK, q->dtype, 4,
                          (const int64_t[4]){s.q[0], s.q[1], s.q[2], s.total}));
    if (tni_ref_has(c, MASK)) TN_TRY(load_mask(c, &a));
    if (tni_ref_has(c, NONPAD)) {
        int64_t *off;
        if (c->in[NONPAD]->len != a.batch)
            return tni_fail(c->err, TN_EINVAL,
                            "nonpad_kv_seqlen has %lld values, expected %lld",
                            (long long)c->in[NONPAD]->len, (long long)a.batch);
        a.kv_valid = TNI_CDATA(int64_t, c->in[NONPAD]);
        off = tni_ref_scratch(c, (size_t)(a.batch + 1) * sizeof *off);
        if (off == NULL) return tni_ref_nomem(c);
        for (int64_t b = 0; b < a.batch; b++) {
            if (a.kv_valid[b] < 0 || a.kv_valid[b] > s.total)
                return tni_fail(c->err, TN_EINVAL,
                                "nonpad_kv_seqlen[%lld] is %lld", (long long)b,
                                (long long)a.kv_valid[b]);
            off[b] = a.kv_valid[b] - a.q_len;
        }
        a.offsets = off;
    }
    TN_TRY(tni_nn_load(c, q, &qf));
    TN_TRY(join(c, K, PAST_K, &s, s.k, packed, &kf));
    TN_TRY(join(c, V, PAST_V, &s, s.v, packed, &vf));
    TN_TRY(tni_nn_open(c, Y, &y));
    TN_TRY(tni_nn_open(c, QK, &qk));
    scratch = tni_nn_doubles(c, 2 * s.total);
    if (scratch == NULL) return tni_ref_nomem(c);
    if (y != NULL) tni_attn_ref(&a, qf, kf, vf, y, qk, scratch);
    tni_nn_store(c, Y, y);
    tni_nn_store(c, QK, qk);
    TN_TRY(present(c, PRESENT_K, &s, s.k, c->in[K]->dtype, kf));
    return present(c, PRESENT_V, &s, s.v, c->in[V]->dtype, vf);
}

/* --- f32 plan --------------------------------------------------------------- */

typedef struct attention_state {
    tni_attn a;
    tni_attn_plan *plan;
    shapes s;
    bool packed, cached, has_past, out_k, out_v;
    tn_dtype mask; /* TN_UNDEFINED: none */
    int64_t mask_len;
    /* Scratch in floats: mask, caches where they are not outputs, core. */
    size_t k_at, v_at, core_at;
} attention_state;

static const float *cache_run(const tni_run *c, const attention_state *st,
                              int in, int past_in, const int64_t *dims,
                              float *cache)
{
    if (st->has_past)
        tni_attn_put_f32(cache, st->s.total, 0,
                         TNI_CDATA(float, c->in[past_in]),
                         tni_attn_bhs(st->s.past, dims[1], dims[3]), NULL,
                         dims[0], dims[1], st->s.past, dims[3]);
    tni_attn_put_f32(cache, st->s.total, st->s.past,
                     TNI_CDATA(float, c->in[in]),
                     st->packed ? tni_attn_bsh(dims[2], dims[1], dims[3])
                                : tni_attn_bhs(dims[2], dims[1], dims[3]),
                     NULL, dims[0], dims[1], dims[2], dims[3]);
    return cache;
}

static void attention_run(const tni_run *c)
{
    const attention_state *const st = (const attention_state *)c->state;
    float *const scratch = (float *)c->scratch;
    const float *k = TNI_CDATA(float, c->in[K]);
    const float *v = TNI_CDATA(float, c->in[V]);
    tni_attn a = st->a;
    if (st->mask == TN_F32) {
        a.bias[0].data = c->in[MASK]->data;
    } else if (st->mask == TN_BOOL) {
        const uint8_t *const m = TNI_CDATA(uint8_t, c->in[MASK]);
        for (int64_t i = 0; i < st->mask_len; i++)
            scratch[i] = m[i] != 0 ? 0.0f : -INFINITY;
        a.bias[0].data = scratch;
    }
    if (st->cached) {
        k = cache_run(c, st, K, PAST_K, st->s.k,
                      st->out_k ? TNI_DATA(float, c->out[PRESENT_K])
                                : scratch + st->k_at);
        v = cache_run(c, st, V, PAST_V, st->s.v,
                      st->out_v ? TNI_DATA(float, c->out[PRESENT_V])
                                : scratch + st->v_at);
    }
    tni_attn_run(st->plan, &a, TNI_CDATA(float, c->in[Q]), k, v,
                 TNI_DATA(float, c->out[Y]), scratch + st->core_at, c->par);
}

static bool planned_in(const tni_plan *c, int i)
{
    return i < c->n_in && c->in[i] != NULL;
}

static bool planned_out(const tni_plan *c, int i)
{
    return i < c->n_out && c->out[i] != NULL;
}

static size_t floats_up(int64_t n)
{
    return ((size_t)n + 15u) & ~(size_t)15u;
}

static bool plan_suits(const tni_plan *c)
{
    for (int i = 0; i < 3; i++)
        if (c->in[i]->dtype != TN_F32) return false;
    if (planned_in(c, MASK) && c->in[MASK]->dtype != TN_F32 &&
        c->in[MASK]->dtype != TN_BOOL)
        return false;
    return !planned_in(c, NONPAD) && !planned_out(c, QK) && planned_out(c, Y);
}

tn_status tni_attention_plan(tni_plan *c)
{
    const tni_type *const q = c->in[Q];
    const int rank[3] = {q->rank, c->in[K]->rank, c->in[V]->rank};
    const int64_t *const dims[3] = {q->dims, c->in[K]->dims, c->in[V]->dims};
    attention_state *st;
    size_t core = 0, at = 0;
    if (c->kernels == NULL || !plan_suits(c)) return TN_OK;
    st = TNI_NEW(c->arena, attention_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(shapes_make(&st->s, c->node, rank, dims,
                       planned_in(c, PAST_K) ? c->in[PAST_K]->dims[2] : 0,
                       c->err));
    st->packed = q->rank == 3;
    st->has_past = planned_in(c, PAST_K);
    st->out_k = planned_out(c, PRESENT_K);
    st->out_v = planned_out(c, PRESENT_V);
    st->cached = st->has_past || st->out_k || st->out_v;
    TN_TRY(attn_make(&st->a, &st->s, c->node, st->packed, st->cached, c->err));
    if (st->a.kv_heads == 0) return TN_OK;
    if (planned_in(c, MASK)) {
        st->mask = c->in[MASK]->dtype;
        st->mask_len = tni_nn_extent(c->in[MASK]->dims, 0, c->in[MASK]->rank);
        TN_TRY(mask_make(&st->a, c->in[MASK]->rank, c->in[MASK]->dims, NULL,
                         c->err));
        if (st->mask == TN_BOOL) at = floats_up(st->mask_len);
    }
    st->k_at = at;
    if (st->cached && !st->out_k)
        at += floats_up(st->s.k[0] * st->s.k[1] * st->s.total * st->s.k[3]);
    st->v_at = at;
    if (st->cached && !st->out_v)
        at += floats_up(st->s.v[0] * st->s.v[1] * st->s.total * st->s.v[3]);
    st->core_at = at;
    TN_TRY(tni_attn_plan_make(&st->plan, &core, &st->a, c->kernels,
                              c->n_workers, c->arena, c->err));
    c->scratch_bytes = at * sizeof(float) + core;
    c->state = st;
    c->run = attention_run;
    return TN_OK;
}

#define VERSION(SINCE, IN, ATTRS)                                              \
    {                                                                          \
        .since = (SINCE), TNI_IN(IN), TNI_OUT(out_23), TNI_ATTRS(ATTRS),       \
        .infer = tni_attention_infer, .ref = tni_attention_ref,                \
        .plan = tni_attention_plan                                             \
    }

static const tni_op_version attention_versions[] = {
    VERSION(25, in_24, attrs_25),
    VERSION(24, in_24, attrs_23),
    VERSION(23, in_23, attrs_23),
};

const tni_op tni_op_attention = {
    .domain = "",
    .name = "Attention",
    .summary = "Scaled dot-product attention with masks and caches.",
    TNI_VERSIONS(attention_versions),
};
