/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_group_query_attention.c - com.microsoft GroupQueryAttention
 *
 * Shapes:  query[B, S, N*D], key and value[B, S, Nkv*D], or all in query[B, S,
 *          (N + 2 Nkv)*D]; past[B, Nkv, P, D], seqlens_k[B] = keys - 1,
 *          total_sequence_length scalar -> output[B, S, N*D], present[B, Nkv,
 *          max(P, total), D], output_qk[B, N, S, total]
 * Notes:   where total equals S the past is ignored (first prompt); else new
 *          keys go behind the seqlens_k + 1 - S that each sequence has.
 *          Rotary, windows, softcap, sinks, head norms as the attributes say.
 * Limit:   the cache is not quantised and holds the whole sequence
 * Source:  ONNX Runtime docs/ContribOperators.md, same name
 */
#include "ops/attn.h"
#include "ops/nn.h"
#include "ops/rotary.h"

#include <math.h>
#include <string.h>

#define T (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

enum {
    QUERY,
    KEY,
    VALUE,
    PAST_K,
    PAST_V,
    SEQLENS,
    TOTAL,
    COS,
    SIN,
    POSITIONS,
    ATTN_BIAS,
    SINK,
    K_SCALE,
    V_SCALE,
    Q_NORM,
    K_NORM
};
enum { OUTPUT, PRESENT_K, PRESENT_V, QK };

static const tni_arg in_1[] = {
    {"query", T, 'T', 0},
    {"key", T, 'T', TNI_OPTIONAL},
    {"value", T, 'T', TNI_OPTIONAL},
    {"past_key", T, 'T', TNI_OPTIONAL},
    {"past_value", T, 'T', TNI_OPTIONAL},
    {"seqlens_k", TNI_T(TN_I32), 0, 0},
    {"total_sequence_length", TNI_T(TN_I32), 0, 0},
    {"cos_cache", T, 'T', TNI_OPTIONAL},
    {"sin_cache", T, 'T', TNI_OPTIONAL},
    {"position_ids", TNI_T(TN_I64), 0, TNI_OPTIONAL},
    {"attention_bias", T, 'T', TNI_OPTIONAL},
    {"head_sink", T, 'T', TNI_OPTIONAL},
    {"k_scale", TNI_T(TN_F32), 0, TNI_OPTIONAL},
    {"v_scale", TNI_T(TN_F32), 0, TNI_OPTIONAL},
    {"q_norm_weight", T, 'T', TNI_OPTIONAL},
    {"k_norm_weight", T, 'T', TNI_OPTIONAL},
};
static const tni_arg out_1[] = {
    {"output", T, 'T', 0},
    {"present_key", T, 'T', TNI_OPTIONAL},
    {"present_value", T, 'T', TNI_OPTIONAL},
    {"output_qk", T, 'T', TNI_OPTIONAL},
};
static const tni_attr_spec attrs_1[] = {
    {"causal", TNI_ATTR_INT, "1"},
    {"do_rotary", TNI_ATTR_INT, "0"},
    {"k_quant_type", TNI_ATTR_STRING, "NONE"},
    {"kv_cache_bit_width", TNI_ATTR_INT, NULL},
    {"kv_num_heads", TNI_ATTR_INT, "required"},
    {"local_window_size", TNI_ATTR_INT, "-1"},
    {"num_heads", TNI_ATTR_INT, "required"},
    {"qk_norm_epsilon", TNI_ATTR_FLOAT, "1e-6"},
    {"qk_output", TNI_ATTR_INT, "0"},
    {"rotary_interleaved", TNI_ATTR_INT, "0"},
    {"scale", TNI_ATTR_FLOAT, NULL},
    {"sliding_window_cache", TNI_ATTR_INT, "0"},
    {"smooth_softmax", TNI_ATTR_INT, "0"},
    {"softcap", TNI_ATTR_FLOAT, "0"},
    {"v_quant_type", TNI_ATTR_STRING, "NONE"},
};

typedef struct heads {
    int64_t q, kv;
} heads;

static tn_status heads_of(heads *h, const tni_node *node, bool scales,
                          tn_err *err)
{
    h->q = tni_attr_int(node, "num_heads", 0);
    h->kv = tni_attr_int(node, "kv_num_heads", 0);
    if (h->q < 1 || h->kv < 1 || h->q % h->kv != 0 || h->q > INT32_MAX)
        return tni_fail(err, TN_EINVAL,
                        "num_heads %lld is no multiple of kv_num_heads %lld",
                        (long long)h->q, (long long)h->kv);
    if (scales || tni_attr_int(node, "sliding_window_cache", 0) != 0 ||
        !tni_attr_is(node, "k_quant_type", "NONE", "NONE") ||
        !tni_attr_is(node, "v_quant_type", "NONE", "NONE"))
        return tni_fail(err, TN_EUNSUPPORTED,
                        "quantised or windowed caches are not supported");
    return TN_OK;
}

static tn_status group_query_attention_infer(tni_infer *c)
{
    const tn_dtype t = tni_infer_dtype(c, QUERY);
    int64_t b = TNI_DIM_UNKNOWN, s = b, w = b, d, total = b;
    const tni_tensor *const known = tni_infer_const(c, TOTAL);
    heads h;
    TN_TRY(heads_of(&h, c->node,
                    tni_infer_has(c, K_SCALE) || tni_infer_has(c, V_SCALE),
                    c->err));
    if (tni_infer_has(c, KEY) != tni_infer_has(c, VALUE) ||
        tni_infer_has(c, PAST_K) != tni_infer_has(c, PAST_V) ||
        tni_infer_has(c, COS) != tni_infer_has(c, SIN) ||
        tni_infer_has(c, Q_NORM) != tni_infer_has(c, K_NORM))
        return tni_fail(c->err, TN_EINVAL,
                        "one input of a pair is missing (key and value, past, "
                        "caches or norms)");
    if (tni_attr_int(c->node, "do_rotary", 0) != 0 && !tni_infer_has(c, COS))
        return tni_fail(c->err, TN_EINVAL, "do_rotary wants cos and sin");
    for (int i = QUERY; i <= VALUE; i++) {
        TN_TRY(tni_nn_want_rank(c, i, 3));
        TN_TRY(tni_nn_merge_dim(c, i, 0, &b));
        TN_TRY(tni_nn_merge_dim(c, i, 1, &s));
    }
    TN_TRY(tni_nn_want_rank(c, PAST_K, 4));
    TN_TRY(tni_nn_want_rank(c, PAST_V, 4));
    TN_TRY(tni_nn_merge_dim(c, PAST_K, 0, &b));
    TN_TRY(tni_nn_merge_dim(c, PAST_V, 0, &b));
    TN_TRY(tni_nn_merge_dim(c, QUERY, 2, &w));
    d = tni_dim_div(w, tni_infer_has(c, KEY) ? h.q : h.q + 2 * h.kv);
    if (TNI_DIM_IS_KNOWN(w) && !TNI_DIM_IS_KNOWN(d))
        return tni_fail(c->err, TN_EINVAL,
                        "width %lld does not divide into heads", (long long)w);
    TN_TRY(tni_nn_merge_dim(c, PAST_K, 3, &d));
    TN_TRY(tni_nn_merge_dim(c, PAST_V, 3, &d));
    if (known != NULL && known->len == 1) {
        total = tni_get_i64(known, 0);
        if (tni_infer_ranked(c, PAST_K)) {
            const int64_t p = c->in[PAST_K]->dims[2];
            total = !TNI_DIM_IS_KNOWN(p) ? TNI_DIM_UNKNOWN
                    : p > total          ? p
                                         : total;
        }
        if (total < 0) total = TNI_DIM_UNKNOWN;
    }
    TN_TRY(tni_infer_dims(c, OUTPUT, t, 3,
                          (const int64_t[3]){b, s, tni_dim_mul(h.q, d)}));
    for (int i = PRESENT_K; i <= PRESENT_V && i < c->n_out; i++)
        TN_TRY(
            tni_infer_dims(c, i, t, 4, (const int64_t[4]){b, h.kv, total, d}));
    if (c->n_out > QK)
        TN_TRY(tni_infer_dims(c, QK, t, 4,
                              (const int64_t[4]){b, h.q, s, TNI_DIM_UNKNOWN}));
    return TN_OK;
}

typedef struct gqa {
    heads h;
    int64_t b, s, d, past_cap, total, cap;
    int64_t *past; /* per batch: keys before the new ones */
} gqa;

static tn_status gqa_make(gqa *g, tni_ref *c)
{
    const tni_tensor *const q = c->in[QUERY], *const lens = c->in[SEQLENS];
    TN_TRY(heads_of(&g->h, c->node, false, c->err));
    g->b = q->dims[0];
    g->s = q->dims[1];
    g->d = q->dims[2] / (tni_ref_has(c, KEY) ? g->h.q : g->h.q + 2 * g->h.kv);
    g->past_cap = tni_ref_has(c, PAST_K) ? c->in[PAST_K]->dims[2] : 0;
    if (lens->len != g->b || c->in[TOTAL]->len != 1)
        return tni_fail(c->err, TN_EINVAL,
                        "seqlens_k or total_sequence_length has a wrong size");
    if (tni_ref_has(c, KEY) && (c->in[KEY]->dims[2] != g->h.kv * g->d ||
                                c->in[VALUE]->dims[2] != g->h.kv * g->d))
        return tni_fail(c->err, TN_EINVAL, "key or value has a wrong width");
    if (tni_ref_has(c, PAST_K) &&
        (c->in[PAST_K]->dims[1] != g->h.kv || c->in[PAST_K]->dims[3] != g->d ||
         !tni_same_shape(c->in[PAST_K], c->in[PAST_V])))
        return tni_fail(c->err, TN_EINVAL, "past has a wrong shape");
    g->total = tni_get_i64(c->in[TOTAL], 0);
    if (g->total < g->s || g->total > INT32_MAX)
        return tni_fail(c->err, TN_EINVAL,
                        "total_sequence_length is %lld for %lld new tokens",
                        (long long)g->total, (long long)g->s);
    g->cap = g->past_cap > g->total ? g->past_cap : g->total;
    g->past = tni_ref_scratch(c, (size_t)(g->b + 1) * sizeof *g->past);
    if (g->past == NULL) return tni_ref_nomem(c);
    for (int64_t b = 0; b < g->b; b++) {
        const int64_t len = (int64_t)TNI_CDATA(int32_t, lens)[b] + 1;
        g->past[b] = g->total == g->s ? 0 : len - g->s;
        if (len < 1 || len > g->total || g->past[b] < 0 ||
            g->past[b] > g->past_cap)
            return tni_fail(c->err, TN_EINVAL,
                            "seqlens_k[%lld] is %lld with %lld past keys",
                            (long long)b, (long long)(len - 1),
                            (long long)g->past_cap);
    }
    return TN_OK;
}

/* Heads of one input as [B, H, S, D], a copy. */
static tn_status take(tni_ref *c, const gqa *g, int in, int64_t h, int64_t at,
                      int64_t width, double **out)
{
    const double *x = NULL;
    double *const y = tni_nn_doubles(c, g->b * h * g->s * g->d);
    const tni_attn_stride st = {g->s * width, g->d, width};
    if (y == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_nn_load(c, c->in[in], &x));
    tni_attn_put_f64(y, g->s, 0, x + at, st, NULL, g->b, h, g->s, g->d);
    *out = y;
    return TN_OK;
}

/* Per-head RMS norm of [rows, D]. */
static tn_status head_norm(tni_ref *c, const gqa *g, int in, int64_t rows,
                           double *x)
{
    const double eps =
        (double)tni_attr_float(c->node, "qk_norm_epsilon", 1e-6f);
    const double *w = NULL;
    if (!tni_ref_has(c, in)) return TN_OK;
    if (c->in[in]->len != g->d)
        return tni_fail(c->err, TN_EINVAL, "input %d has %lld elements", in,
                        (long long)c->in[in]->len);
    TN_TRY(tni_nn_load(c, c->in[in], &w));
    for (int64_t r = 0; r < rows; r++) {
        double *const p = x + r * g->d, sum = 0;
        for (int64_t i = 0; i < g->d; i++) sum += p[i] * p[i];
        const double f = 1.0 / sqrt(sum / (double)g->d + eps);
        for (int64_t i = 0; i < g->d; i++) p[i] *= f * w[i];
    }
    return TN_OK;
}

static tn_status rotate(tni_ref *c, const gqa *g, int64_t h, double *x)
{
    const bool interleaved =
        tni_attr_int(c->node, "rotary_interleaved", 0) != 0;
    const tni_tensor *const ids =
        tni_ref_has(c, POSITIONS) ? c->in[POSITIONS] : NULL;
    const tni_tensor *const ct = c->in[COS];
    const double *cos_c = NULL, *sin_c = NULL;
    int64_t half, rows;
    double *row;
    if (ct->rank != 2 || !tni_same_shape(ct, c->in[SIN]) ||
        ct->dims[1] * 2 > g->d || ct->dims[1] == 0)
        return tni_fail(c->err, TN_EINVAL, "cos and sin have a wrong shape");
    half = ct->dims[1];
    rows = ct->dims[0];
    TN_TRY(tni_nn_load(c, ct, &cos_c));
    TN_TRY(tni_nn_load(c, c->in[SIN], &sin_c));
    row = tni_nn_doubles(c, g->d);
    if (row == NULL) return tni_ref_nomem(c);
    for (int64_t u = 0; u < g->b * h * g->s; u++) {
        const int64_t b = u / (h * g->s), s = u % g->s;
        const bool given = ids != NULL && ids->len == g->b * g->s;
        int64_t pos = given ? tni_get_i64(ids, b * g->s + s) : g->past[b] + s;
        if (ids != NULL && !given && ids->len == 1)
            pos = tni_get_i64(ids, 0) + s;
        if (pos < 0 || pos >= rows)
            return tni_fail(c->err, TN_EINVAL,
                            "position %lld is outside the cache of %lld",
                            (long long)pos, (long long)rows);
        tni_rotary_vec(row, x + u * g->d, cos_c + pos * half,
                       sin_c + pos * half, 2 * half, g->d, interleaved);
        memcpy(x + u * g->d, row, (size_t)g->d * sizeof *row);
    }
    return TN_OK;
}

/* Past of each sequence and its new keys behind, then zeros. */
static tn_status join(tni_ref *c, const gqa *g, int past_in, const double *x,
                      double **out)
{
    const int64_t n = g->b * g->h.kv;
    double *const cache = tni_nn_doubles(c, n * g->cap * g->d);
    const double *past = NULL;
    if (cache == NULL) return tni_ref_nomem(c);
    if (tni_ref_has(c, past_in)) TN_TRY(tni_nn_load(c, c->in[past_in], &past));
    for (int64_t u = 0; u < n; u++) {
        double *const to = cache + u * g->cap * g->d;
        const int64_t at = g->past[u / g->h.kv];
        for (int64_t i = 0; i < g->cap * g->d; i++)
            to[i] = past != NULL && i < at * g->d
                        ? past[u * g->past_cap * g->d + i]
                        : 0;
        memcpy(to + at * g->d, x + u * g->s * g->d,
               (size_t)(g->s * g->d) * sizeof *to);
    }
    *out = cache;
    return TN_OK;
}

static tn_status attend(tni_ref *c, const gqa *g, const double *q,
                        const double *k, const double *v)
{
    const tni_attr *const scale = tni_attr_find(c->node, "scale");
    const int64_t window = tni_attr_int(c->node, "local_window_size", -1);
    const int64_t want[4] = {g->b, g->h.q, g->s, g->total};
    double *y = NULL, *qk = NULL, *scratch;
    tni_attn a = {.batch = g->b,
                  .heads = g->h.q,
                  .kv_heads = g->h.kv,
                  .q_len = g->s,
                  .kv_len = g->total,
                  .dim = g->d,
                  .v_dim = g->d,
                  .left = -1,
                  .right = -1,
                  .causal_value = -(double)INFINITY,
                  .zero_masked = true};
    a.q = tni_attn_bhs(g->s, g->h.q, g->d);
    a.k = a.v = tni_attn_bhs(g->cap, g->h.kv, g->d);
    a.y = tni_attn_bsh(g->s, g->h.q, g->d);
    a.scale = scale != NULL && scale->v.f != 0.0f ? (double)scale->v.f
                                                  : 1.0 / sqrt((double)g->d);
    a.softcap = (double)tni_attr_float(c->node, "softcap", 0);
    a.causal = tni_attr_int(c->node, "causal", 1) != 0;
    a.offsets = g->past;
    if (window > 0) a.left = window - 1;
    a.smooth = tni_attr_int(c->node, "smooth_softmax", 0) > 0;
    a.qk = tni_attr_int(c->node, "qk_output", 0) == 2 ? TNI_ATTN_QK_SOFTMAX
                                                      : TNI_ATTN_QK_BIASED;
    if (tni_ref_has(c, SINK)) {
        if (c->in[SINK]->len != g->h.q)
            return tni_fail(c->err, TN_EINVAL, "head_sink has %lld elements",
                            (long long)c->in[SINK]->len);
        TN_TRY(tni_nn_load(c, c->in[SINK], &a.sink));
    }
    if (tni_ref_has(c, ATTN_BIAS)) {
        const double *data = NULL;
        TN_TRY(tni_nn_load(c, c->in[ATTN_BIAS], &data));
        a.bias[0].data = data;
        TN_TRY(tni_attn_bias_strides(&a.bias[0], c->in[ATTN_BIAS]->rank,
                                     c->in[ATTN_BIAS]->dims, want, c->err));
    }
    TN_TRY(tni_ref_output(c, OUTPUT, c->in[QUERY]->dtype, 3,
                          (const int64_t[3]){g->b, g->s, g->h.q * g->d}));
    TN_TRY(tni_ref_output(c, QK, c->in[QUERY]->dtype, 4, want));
    TN_TRY(tni_nn_open(c, OUTPUT, &y));
    TN_TRY(tni_nn_open(c, QK, &qk));
    scratch = tni_nn_doubles(c, 2 * g->total);
    if (scratch == NULL) return tni_ref_nomem(c);
    if (y != NULL) tni_attn_ref(&a, q, k, v, y, qk, scratch);
    /* Scores that a mask hides are shown as zero. */
    for (int64_t i = 0; qk != NULL && i < g->b * g->h.q * g->s * g->total; i++)
        if (isinf(qk[i])) qk[i] = 0;
    tni_nn_store(c, OUTPUT, y);
    tni_nn_store(c, QK, qk);
    return TN_OK;
}

static tn_status present(tni_ref *c, const gqa *g, int out, const double *x)
{
    if (!tni_ref_wants(c, out)) return TN_OK;
    TN_TRY(tni_ref_output(c, out, c->in[QUERY]->dtype, 4,
                          (const int64_t[4]){g->b, g->h.kv, g->cap, g->d}));
    tni_from_f64(c->out[out]->data, c->out[out]->dtype, x, c->out[out]->len);
    return TN_OK;
}

static tn_status group_query_attention_ref(tni_ref *c)
{
    double *q = NULL, *k = NULL, *v = NULL, *kc = NULL, *vc = NULL;
    int64_t wq, wkv;
    gqa g;
    TN_TRY(gqa_make(&g, c));
    const bool packed = !tni_ref_has(c, KEY);
    wq = g.h.q * g.d;
    wkv = g.h.kv * g.d;
    const int64_t w = packed ? wq + 2 * wkv : wkv;
    TN_TRY(take(c, &g, QUERY, g.h.q, 0, packed ? w : wq, &q));
    TN_TRY(take(c, &g, packed ? QUERY : KEY, g.h.kv, packed ? wq : 0, w, &k));
    TN_TRY(take(c, &g, packed ? QUERY : VALUE, g.h.kv, packed ? wq + wkv : 0, w,
                &v));
    TN_TRY(head_norm(c, &g, Q_NORM, g.b * g.h.q * g.s, q));
    TN_TRY(head_norm(c, &g, K_NORM, g.b * g.h.kv * g.s, k));
    if (tni_attr_int(c->node, "do_rotary", 0) != 0) {
        TN_TRY(rotate(c, &g, g.h.q, q));
        TN_TRY(rotate(c, &g, g.h.kv, k));
    }
    TN_TRY(join(c, &g, PAST_K, k, &kc));
    TN_TRY(join(c, &g, PAST_V, v, &vc));
    TN_TRY(attend(c, &g, q, kc, vc));
    TN_TRY(present(c, &g, PRESENT_K, kc));
    return present(c, &g, PRESENT_V, vc);
}

static const tni_op_version group_query_attention_versions[] = {
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .traits = TNI_DATA_SHAPED,
     .infer = group_query_attention_infer,
     .ref = group_query_attention_ref},
};

const tni_op tni_op_group_query_attention = {
    .domain = "com.microsoft",
    .name = "GroupQueryAttention",
    .summary = "Attention with shared key heads and a cache.",
    TNI_VERSIONS(group_query_attention_versions),
};
