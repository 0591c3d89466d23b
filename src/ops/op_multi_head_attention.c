/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_multi_head_attention.c - com.microsoft MultiHeadAttention
 *
 * Shapes:  query[B, S, N*D], key[B, L, N*D], value[B, L, N*Dv]; or query[B, S,
 *          N, 3, D] with all three; or key[B, L, N, 2, D] with both; or key
 *          and value[B, N, L, D] as they are in a cache. bias[N*D + N*D +
 *          N*Dv] is added to each (not to cached keys). past[B, N, P, D] ->
 *          output[B, S, N*Dv], present[B, N, T, D], qk[B, N, S, T], T = P + L
 * Masks:   msattn.h; attention_bias[B or 1, N or 1, S, T]; unidirectional
 * Limit:   no beam search (cache_indirection), no shared buffers
 * Source:  ONNX Runtime docs/ContribOperators.md, same name
 */
#include "base/checked.h"
#include "kernels/kernels.h"
#include "ops/msattn.h"
#include "ops/nn.h"

#include <float.h>
#include <math.h>

#define T (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

enum {
    QUERY,
    KEY,
    VALUE,
    BIAS,
    MASK,
    ATTN_BIAS,
    PAST_K,
    PAST_V,
    PAST_LEN,
    CACHE_INDIRECTION,
    N_IN
};
enum { OUTPUT, PRESENT_K, PRESENT_V, QK };

static const tni_arg in_1[] = {
    {"query", T, 'T', 0},
    {"key", T, 'T', TNI_OPTIONAL},
    {"value", T, 'T', TNI_OPTIONAL},
    {"bias", T, 'T', TNI_OPTIONAL},
    {"key_padding_mask", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"attention_bias", T, 'T', TNI_OPTIONAL},
    {"past_key", T, 'T', TNI_OPTIONAL},
    {"past_value", T, 'T', TNI_OPTIONAL},
    {"past_sequence_length", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"cache_indirection", TNI_T(TN_I32), 0, TNI_OPTIONAL},
};
static const tni_arg out_1[] = {
    {"output", T, 'T', 0},
    {"present_key", T, 'T', TNI_OPTIONAL},
    {"present_value", T, 'T', TNI_OPTIONAL},
    {"qk", T, 'K', TNI_OPTIONAL},
};
static const tni_attr_spec attrs_1[] = {
    {"mask_filter_value", TNI_ATTR_FLOAT, "-10000"},
    {"num_heads", TNI_ATTR_INT, "required"},
    {"scale", TNI_ATTR_FLOAT, NULL},
    {"unidirectional", TNI_ATTR_INT, "0"},
};

/* Where one of q, k, v lies. */
typedef struct source {
    int in;
    int64_t at; /* elements to its first */
    tni_attn_stride st;
} source;

typedef struct shape {
    int64_t b, n, s, l, d, dv, past, total;
    source q, k, v;
    bool cached_keys; /* key and value are [B, N, L, D] */
} shape;

static tn_status head_size(int64_t *out, int64_t width, int64_t heads, int in,
                           tn_err *err)
{
    if (TNI_DIM_IS_KNOWN(width) && width % heads != 0)
        return tni_fail(err, TN_EINVAL,
                        "width %lld of input %d does not divide into %lld "
                        "heads",
                        (long long)width, in, (long long)heads);
    *out = tni_dim_div(width, heads);
    return TN_OK;
}

static tn_status equal(int64_t *a, int64_t b, const char *what, tn_err *err)
{
    int64_t merged = 0;
    if (!tni_dim_equal(&merged, *a, b))
        return tni_fail(err, TN_EINVAL, "%s: %lld and %lld", what,
                        (long long)*a, (long long)b);
    *a = merged;
    return TN_OK;
}

/* rank and dims per input, rank -1 when it is omitted. Extents may be unknown;
 * strides then mean nothing. */
static tn_status shape_make(shape *s, const tni_node *node, const int *rank,
                            const int64_t *const *dims, tn_err *err)
{
    const int64_t n = tni_attr_int(node, "num_heads", 0);
    const int64_t *const q = dims[QUERY];
    if (n < 1 || n > INT32_MAX)
        return tni_fail(err, TN_EINVAL, "num_heads is %lld", (long long)n);
    *s = (shape){.b = q[0], .n = n, .s = q[1], .past = 0};
    s->q.in = s->k.in = s->v.in = QUERY;
    if (rank[QUERY] == 5) {
        if (rank[KEY] >= 0 || rank[VALUE] >= 0 || q[2] != n || q[3] != 3)
            return tni_fail(err, TN_EINVAL,
                            "packed query is not alone or not "
                            "[B, S, num_heads, 3, D]");
        s->l = q[1];
        s->d = s->dv = q[4];
        s->q.st =
            (tni_attn_stride){q[1] * n * 3 * q[4], 3 * q[4], n * 3 * q[4]};
        s->k.st = s->v.st = s->q.st;
        s->k.at = q[4];
        s->v.at = 2 * q[4];
    } else if (rank[QUERY] != 3 || rank[KEY] < 3 || rank[KEY] > 5) {
        return tni_fail(err, TN_EINVAL, "query of rank %d, key of rank %d",
                        rank[QUERY], rank[KEY]);
    } else {
        const int64_t *const k = dims[KEY], *const v = dims[VALUE];
        TN_TRY(head_size(&s->d, q[2], n, QUERY, err));
        s->q.st = tni_attn_bsh(s->s, n, s->d);
        s->k.in = s->v.in = KEY;
        TN_TRY(equal(&s->b, k[0], "batch of query and key", err));
        if (rank[KEY] == 5) {
            if (rank[VALUE] >= 0 || k[2] != n || k[3] != 2)
                return tni_fail(err, TN_EINVAL,
                                "packed key is not alone or not [B, L, "
                                "num_heads, 2, D]");
            s->l = k[1];
            TN_TRY(equal(&s->d, k[4], "head size", err));
            s->dv = s->d;
            s->k.st =
                (tni_attn_stride){k[1] * n * 2 * k[4], 2 * k[4], n * 2 * k[4]};
            s->v.st = s->k.st;
            s->v.at = k[4];
        } else {
            int64_t d = 0;
            if (rank[VALUE] != rank[KEY])
                return tni_fail(err, TN_EINVAL, "value of rank %d, key of %d",
                                rank[VALUE], rank[KEY]);
            s->v.in = VALUE;
            TN_TRY(equal(&s->b, v[0], "batch of query and value", err));
            if (rank[KEY] == 4) {
                s->cached_keys = true;
                s->l = k[2];
                if ((TNI_DIM_IS_KNOWN(k[1]) && k[1] != n) ||
                    (TNI_DIM_IS_KNOWN(v[1]) && v[1] != n))
                    return tni_fail(err, TN_EINVAL,
                                    "key or value does not have num_heads");
                TN_TRY(equal(&s->l, v[2], "positions of key and value", err));
                d = k[3];
                s->dv = v[3];
                s->k.st = tni_attn_bhs(s->l, n, d);
                s->v.st = tni_attn_bhs(s->l, n, s->dv);
            } else {
                s->l = k[1];
                TN_TRY(equal(&s->l, v[1], "positions of key and value", err));
                TN_TRY(head_size(&d, k[2], n, KEY, err));
                TN_TRY(head_size(&s->dv, v[2], n, VALUE, err));
                s->k.st = tni_attn_bsh(s->l, n, d);
                s->v.st = tni_attn_bsh(s->l, n, s->dv);
            }
            TN_TRY(equal(&s->d, d, "head size of query and key", err));
        }
    }
    if (rank[PAST_K] >= 0) {
        if (rank[PAST_K] != 4 || rank[PAST_V] != 4)
            return tni_fail(err, TN_EINVAL,
                            "past_key and past_value go together, of rank 4");
        s->past = dims[PAST_K][2];
        TN_TRY(equal(&s->b, dims[PAST_K][0], "batch of past_key", err));
        TN_TRY(equal(&s->b, dims[PAST_V][0], "batch of past_value", err));
        TN_TRY(equal(&s->n, dims[PAST_K][1], "heads of past_key", err));
        TN_TRY(equal(&s->n, dims[PAST_V][1], "heads of past_value", err));
        TN_TRY(equal(&s->past, dims[PAST_V][2], "past positions", err));
        TN_TRY(equal(&s->d, dims[PAST_K][3], "head size of past_key", err));
        TN_TRY(equal(&s->dv, dims[PAST_V][3], "head size of past_value", err));
    } else if (rank[PAST_V] >= 0) {
        return tni_fail(err, TN_EINVAL, "past_value without past_key");
    }
    s->total = tni_dim_add(s->past, s->l);
    return TN_OK;
}

static tn_status multi_head_attention_infer(tni_infer *c)
{
    const tn_dtype t = tni_infer_dtype(c, QUERY);
    const int64_t *dims[N_IN];
    int rank[N_IN];
    bool known = true;
    shape s;
    if (tni_infer_has(c, CACHE_INDIRECTION) || tni_infer_has(c, PAST_LEN))
        return tni_fail(c->err, TN_EUNSUPPORTED,
                        "shared buffers and beam search are not supported");
    for (int i = 0; i < N_IN; i++) {
        rank[i] = tni_infer_ranked(c, i) ? c->in[i]->rank : -1;
        dims[i] = tni_infer_has(c, i) ? c->in[i]->dims : NULL;
        if (i != MASK && i != ATTN_BIAS && i != BIAS && tni_infer_has(c, i) &&
            !tni_infer_ranked(c, i))
            known = false;
    }
    if (!known) {
        for (int i = 0; i < c->n_out; i++) tni_infer_unranked(c, i, t);
        return TN_OK;
    }
    TN_TRY(shape_make(&s, c->node, rank, dims, c->err));
    if (tni_infer_ranked(c, BIAS)) {
        const int64_t w =
            tni_dim_mul(s.n, tni_dim_add(tni_dim_mul(s.d, 2), s.dv));
        if (rank[BIAS] != 1 ||
            (TNI_DIM_IS_KNOWN(w) && TNI_DIM_IS_KNOWN(dims[BIAS][0]) &&
             dims[BIAS][0] != w))
            return tni_fail(c->err, TN_EINVAL, "bias has not %lld elements",
                            (long long)w);
    }
    TN_TRY(tni_infer_dims(
        c, OUTPUT, t, 3, (const int64_t[3]){s.b, s.s, tni_dim_mul(s.n, s.dv)}));
    if (c->n_out > PRESENT_K)
        TN_TRY(tni_infer_dims(c, PRESENT_K, t, 4,
                              (const int64_t[4]){s.b, s.n, s.total, s.d}));
    if (c->n_out > PRESENT_V)
        TN_TRY(tni_infer_dims(c, PRESENT_V, t, 4,
                              (const int64_t[4]){s.b, s.n, s.total, s.dv}));
    if (c->n_out > QK)
        TN_TRY(tni_infer_dims(c, QK, t, 4,
                              (const int64_t[4]){s.b, s.n, s.s, s.total}));
    return TN_OK;
}

/* The core's view: query at `q`, keys and values in caches or in place. */
static tni_attn attn_of(const shape *s, const tni_node *node)
{
    const tni_attr *const scale = tni_attr_find(node, "scale");
    tni_attn a = {.batch = s->b,
                  .heads = s->n,
                  .kv_heads = s->n,
                  .q_len = s->s,
                  .kv_len = s->total,
                  .dim = s->d,
                  .v_dim = s->dv,
                  .q = s->q.st,
                  .k = s->k.st,
                  .v = s->v.st,
                  .left = -1,
                  .right = -1,
                  .offset = s->past,
                  .causal_value = -(double)FLT_MAX,
                  .qk = TNI_ATTN_QK_BIASED};
    a.y = tni_attn_bsh(s->s, s->n, s->dv);
    a.scale = scale != NULL && scale->v.f != 0.0f ? (double)scale->v.f
                                                  : 1.0 / sqrt((double)s->d);
    a.causal = tni_attr_int(node, "unidirectional", 0) != 0 && s->s > 1;
    return a;
}

static double filter_of(const tni_node *node)
{
    return (double)tni_attr_float(node, "mask_filter_value", -10000.0f);
}

/* --- reference -------------------------------------------------------------- */

static tn_status ref_shape(shape *s, const tni_ref *c)
{
    const int64_t *dims[N_IN];
    int rank[N_IN];
    for (int i = 0; i < N_IN; i++) {
        rank[i] = tni_ref_has(c, i) ? c->in[i]->rank : -1;
        dims[i] = tni_ref_has(c, i) ? c->in[i]->dims : NULL;
    }
    return shape_make(s, c->node, rank, dims, c->err);
}

static tn_status ref_masks(tni_ref *c, tni_attn *a, double filter)
{
    tni_ms_mask kind = TNI_MS_MASK_NONE;
    if (tni_ref_has(c, MASK)) {
        const tni_tensor *const m = c->in[MASK];
        double *bias;
        TN_TRY(tni_ms_mask_kind(&kind, m->rank, m->dims, a->batch, a->q_len,
                                a->kv_len, c->err));
        bias = tni_nn_doubles(
            c, tni_ms_mask_len(kind, a->batch, a->q_len, a->kv_len));
        if (bias == NULL) return tni_ref_nomem(c);
        tni_ms_mask_f64(bias, kind, TNI_CDATA(int32_t, m), a->batch, a->q_len,
                        a->kv_len, filter);
        tni_ms_mask_strides(&a->bias[0], kind, a->q_len, a->kv_len);
        if (kind != TNI_MS_MASK_NONE) a->bias[0].data = bias;
    }
    if (tni_ref_has(c, ATTN_BIAS)) {
        const tni_tensor *const t = c->in[ATTN_BIAS];
        const int64_t want[4] = {a->batch, a->heads, a->q_len, a->kv_len};
        const double *data = NULL;
        TN_TRY(tni_nn_load(c, t, &data));
        a->bias[1].data = data;
        TN_TRY(
            tni_attn_bias_strides(&a->bias[1], t->rank, t->dims, want, c->err));
    }
    return TN_OK;
}

/* Past, then the source with its bias, as [B, N, past + len, d]. */
static tn_status ref_cache(tni_ref *c, const shape *s, const source *from,
                           int past_in, int64_t past, int64_t len, int64_t d,
                           const double *bias, double **out)
{
    const int64_t total = past + len;
    double *const cache = tni_nn_doubles(c, s->b * s->n * total * d);
    const double *x = NULL, *old = NULL;
    if (cache == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_nn_load(c, c->in[from->in], &x));
    if (past_in >= 0 && tni_ref_has(c, past_in)) {
        TN_TRY(tni_nn_load(c, c->in[past_in], &old));
        tni_attn_put_f64(cache, total, 0, old, tni_attn_bhs(past, s->n, d),
                         NULL, s->b, s->n, past, d);
    }
    tni_attn_put_f64(cache, total, past, x + from->at, from->st, bias, s->b,
                     s->n, len, d);
    *out = cache;
    return TN_OK;
}

static tn_status ref_present(tni_ref *c, int out, const shape *s, int64_t d,
                             const double *cache)
{
    if (!tni_ref_wants(c, out)) return TN_OK;
    TN_TRY(tni_ref_output(c, out, c->in[QUERY]->dtype, 4,
                          (const int64_t[4]){s->b, s->n, s->total, d}));
    tni_from_f64(c->out[out]->data, c->out[out]->dtype, cache,
                 c->out[out]->len);
    return TN_OK;
}

static tn_status multi_head_attention_ref(tni_ref *c)
{
    const double filter = filter_of(c->node);
    const tn_dtype t = c->in[QUERY]->dtype;
    const double *bias = NULL, *kv_bias;
    double *q = NULL, *k = NULL, *v = NULL, *y = NULL, *qk = NULL, *scratch;
    tni_attn a;
    shape s;
    TN_TRY(ref_shape(&s, c));
    a = attn_of(&s, c->node);
    TN_TRY(ref_masks(c, &a, filter));
    TN_TRY(tni_ref_output(c, OUTPUT, t, 3,
                          (const int64_t[3]){s.b, s.s, s.n * s.dv}));
    TN_TRY(tni_ref_output(c, QK, t, 4,
                          (const int64_t[4]){s.b, s.n, s.s, s.total}));
    if (tni_ref_has(c, BIAS)) {
        if (c->in[BIAS]->len != s.n * (2 * s.d + s.dv))
            return tni_fail(c->err, TN_EINVAL, "bias has %lld elements",
                            (long long)c->in[BIAS]->len);
        TN_TRY(tni_nn_load(c, c->in[BIAS], &bias));
    }
    kv_bias = s.cached_keys ? NULL : bias;
    TN_TRY(ref_cache(c, &s, &s.q, -1, 0, s.s, s.d, bias, &q));
    TN_TRY(ref_cache(c, &s, &s.k, PAST_K, s.past, s.l, s.d,
                     kv_bias == NULL ? NULL : kv_bias + s.n * s.d, &k));
    TN_TRY(ref_cache(c, &s, &s.v, PAST_V, s.past, s.l, s.dv,
                     kv_bias == NULL ? NULL : kv_bias + 2 * s.n * s.d, &v));
    a.q = tni_attn_bhs(s.s, s.n, s.d);
    a.k = tni_attn_bhs(s.total, s.n, s.d);
    a.v = tni_attn_bhs(s.total, s.n, s.dv);
    TN_TRY(tni_nn_open(c, OUTPUT, &y));
    TN_TRY(tni_nn_open(c, QK, &qk));
    scratch = tni_nn_doubles(c, 2 * s.total);
    if (scratch == NULL) return tni_ref_nomem(c);
    if (y != NULL) tni_attn_ref(&a, q, k, v, y, qk, scratch);
    tni_nn_store(c, OUTPUT, y);
    tni_nn_store(c, QK, qk);
    TN_TRY(ref_present(c, PRESENT_K, &s, s.d, k));
    return ref_present(c, PRESENT_V, &s, s.dv, v);
}

/* --- f32 plan --------------------------------------------------------------- */

typedef struct mha_state {
    shape s;
    tni_attn a;
    tni_attn_plan *plan;
    tni_ms_mask mask;
    float filter;
    bool bias, attn_bias, past, copy_q, copy_kv, out_k, out_v;
    size_t mask_at, q_at, k_at, v_at, own_at; /* floats of scratch */
} mha_state;

static const float *run_cache(const tni_run *c, const mha_state *st,
                              const source *from, int past_in, int64_t d,
                              const float *bias, float *cache)
{
    const shape *const s = &st->s;
    if (st->past)
        tni_attn_put_f32(cache, s->total, 0, TNI_CDATA(float, c->in[past_in]),
                         tni_attn_bhs(s->past, s->n, d), NULL, s->b, s->n,
                         s->past, d);
    tni_attn_put_f32(cache, s->total, s->past,
                     TNI_CDATA(float, c->in[from->in]) + from->at, from->st,
                     bias, s->b, s->n, s->l, d);
    return cache;
}

static void mha_run(const tni_run *c)
{
    const mha_state *const st = (const mha_state *)c->state;
    const shape *const s = &st->s;
    float *const scratch = (float *)c->scratch;
    const float *const bias = st->bias ? TNI_CDATA(float, c->in[BIAS]) : NULL;
    const float *const kv_bias = s->cached_keys ? NULL : bias;
    const float *q = TNI_CDATA(float, c->in[s->q.in]) + s->q.at;
    const float *k = TNI_CDATA(float, c->in[s->k.in]) + s->k.at;
    const float *v = TNI_CDATA(float, c->in[s->v.in]) + s->v.at;
    tni_attn a = st->a;
    if (st->mask != TNI_MS_MASK_NONE) {
        tni_ms_mask_f32(scratch + st->mask_at, st->mask,
                        TNI_CDATA(int32_t, c->in[MASK]), a.batch, a.q_len,
                        a.kv_len, st->filter);
        a.bias[0].data = scratch + st->mask_at;
    }
    if (st->attn_bias) a.bias[1].data = c->in[ATTN_BIAS]->data;
    if (st->copy_q) {
        tni_attn_put_f32(scratch + st->q_at, s->s, 0, q, s->q.st, bias, s->b,
                         s->n, s->s, s->d);
        q = scratch + st->q_at;
    }
    if (st->copy_kv) {
        k = run_cache(c, st, &s->k, PAST_K, s->d,
                      kv_bias == NULL ? NULL : kv_bias + s->n * s->d,
                      st->out_k ? TNI_DATA(float, c->out[PRESENT_K])
                                : scratch + st->k_at);
        v = run_cache(c, st, &s->v, PAST_V, s->dv,
                      kv_bias == NULL ? NULL : kv_bias + 2 * s->n * s->d,
                      st->out_v ? TNI_DATA(float, c->out[PRESENT_V])
                                : scratch + st->v_at);
    }
    tni_attn_run(st->plan, &a, q, k, v, TNI_DATA(float, c->out[OUTPUT]),
                 scratch + st->own_at, c->par);
}

static bool planned_in(const tni_plan *c, int i)
{
    return i < c->n_in && c->in[i] != NULL;
}

static bool planned_out(const tni_plan *c, int i)
{
    return i < c->n_out && c->out[i] != NULL;
}

static bool grow(size_t *at, bool wanted, int64_t n)
{
    size_t len = 0;
    if (!wanted) return true;
    return tni_to_size(n, &len) && tni_add_size(*at, len, at) &&
           tni_align_up(*at, 16, at);
}

static tn_status plan_shape(tni_plan *c, mha_state *st)
{
    const int64_t *dims[N_IN];
    int rank[N_IN];
    for (int i = 0; i < N_IN; i++) {
        rank[i] = planned_in(c, i) ? c->in[i]->rank : -1;
        dims[i] = planned_in(c, i) ? c->in[i]->dims : NULL;
    }
    TN_TRY(shape_make(&st->s, c->node, rank, dims, c->err));
    st->filter = (float)filter_of(c->node);
    st->a = attn_of(&st->s, c->node);
    tni_attn *const a = &st->a;
    if (planned_in(c, MASK))
        TN_TRY(tni_ms_mask_kind(&st->mask, rank[MASK], dims[MASK], a->batch,
                                a->q_len, a->kv_len, c->err));
    tni_ms_mask_strides(&a->bias[0], st->mask, a->q_len, a->kv_len);
    st->attn_bias = planned_in(c, ATTN_BIAS);
    if (st->attn_bias) {
        const int64_t want[4] = {a->batch, a->heads, a->q_len, a->kv_len};
        TN_TRY(tni_attn_bias_strides(&a->bias[1], rank[ATTN_BIAS],
                                     dims[ATTN_BIAS], want, c->err));
    }
    return TN_OK;
}

static tn_status multi_head_attention_plan(tni_plan *c)
{
    mha_state *st;
    size_t at = 0, core = 0;
    if (c->kernels == NULL || c->in[QUERY]->dtype != TN_F32 ||
        planned_out(c, QK) || !planned_out(c, OUTPUT))
        return TN_OK;
    st = TNI_NEW(c->arena, mha_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(plan_shape(c, st));
    const shape *const s = &st->s;
    tni_attn *const a = &st->a;
    st->bias = planned_in(c, BIAS);
    st->past = planned_in(c, PAST_K);
    st->out_k = planned_out(c, PRESENT_K);
    st->out_v = planned_out(c, PRESENT_V);
    st->copy_q = st->bias;
    st->copy_kv =
        st->past || st->out_k || st->out_v || (st->bias && !s->cached_keys);
    if (st->copy_q) a->q = tni_attn_bhs(s->s, s->n, s->d);
    if (st->copy_kv) {
        a->k = tni_attn_bhs(s->total, s->n, s->d);
        a->v = tni_attn_bhs(s->total, s->n, s->dv);
    }
    st->mask_at = at;
    bool ok = grow(&at, true,
                   tni_ms_mask_len(st->mask, a->batch, a->q_len, a->kv_len));
    st->q_at = at;
    ok = ok && grow(&at, st->copy_q, s->b * s->n * s->s * s->d);
    st->k_at = at;
    ok = ok &&
         grow(&at, st->copy_kv && !st->out_k, s->b * s->n * s->total * s->d);
    st->v_at = at;
    ok = ok &&
         grow(&at, st->copy_kv && !st->out_v, s->b * s->n * s->total * s->dv);
    st->own_at = at;
    if (!ok) return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    TN_TRY(tni_attn_plan_make(&st->plan, &core, a, c->kernels, c->n_workers,
                              c->arena, c->err));
    c->scratch_bytes = at * sizeof(float) + core;
    c->state = st;
    c->run = mha_run;
    return TN_OK;
}

static const tni_op_version multi_head_attention_versions[] = {
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = multi_head_attention_infer,
     .ref = multi_head_attention_ref,
     .plan = multi_head_attention_plan},
};

const tni_op tni_op_multi_head_attention = {
    .domain = "com.microsoft",
    .name = "MultiHeadAttention",
    .summary = "Attention of given queries, keys and values.",
    TNI_VERSIONS(multi_head_attention_versions),
};
