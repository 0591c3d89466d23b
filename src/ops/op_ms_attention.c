/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_attention.c - com.microsoft Attention
 *
 * Shapes:  input[B, S, I], weights[I, Hq + Hk + Hv], bias[Hq + Hk + Hv], mask,
 *          past[2, B, N, P, D], attention_bias[B or 1, N or 1, S, T] ->
 *          output[B, S, Hv], present[2, B, N, T, D], T = P + S
 * Numeric: one projection, then attn.h over it in place; f32 weights known
 *          ahead are packed once
 * Limit:   no rotary form, no shared past and present buffer
 * Source:  ONNX Runtime docs/ContribOperators.md, com.microsoft.Attention
 */
#include "base/checked.h"
#include "kernels/kernels.h"
#include "ops/msattn.h"
#include "ops/nn.h"
#include "ops/pack_weights.h"

#include <float.h>
#include <math.h>

#define T (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

enum { INPUT, WEIGHTS, BIAS, MASK, PAST, ATTN_BIAS };

static const tni_arg in_1[] = {
    {"input", T, 'T', 0},
    {"weights", T, 'T', 0},
    {"bias", T, 'T', TNI_OPTIONAL},
    {"mask_index", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"past", T, 'T', TNI_OPTIONAL},
    {"attention_bias", T, 'T', TNI_OPTIONAL},
    {"past_sequence_length", TNI_T(TN_I32), 0, TNI_OPTIONAL},
};
static const tni_arg out_1[] = {
    {"output", T, 'T', 0},
    {"present", T, 'T', TNI_OPTIONAL},
};
static const tni_attr_spec attrs_1[] = {
    {"do_rotary", TNI_ATTR_INT, "0"},
    {"mask_filter_value", TNI_ATTR_FLOAT, "-10000"},
    {"num_heads", TNI_ATTR_INT, "required"},
    {"past_present_share_buffer", TNI_ATTR_INT, "0"},
    {"qkv_hidden_sizes", TNI_ATTR_INTS, NULL},
    {"rotary_embedding_dim", TNI_ATTR_INT, "0"},
    {"scale", TNI_ATTR_FLOAT, NULL},
    {"unidirectional", TNI_ATTR_INT, "0"},
};

/* Widths of q, k, v from the width of the weights, which may be unknown. */
static tn_status widths(int64_t *w, int64_t heads, const tni_node *node,
                        int64_t total, tn_err *err)
{
    int n = 0;
    const int64_t *const given = tni_attr_ints(node, "qkv_hidden_sizes", &n);
    if (n != 0 && n != 3)
        return tni_fail(err, TN_EINVAL,
                        "qkv_hidden_sizes has %d values, expected 3", n);
    for (int i = 0; i < 3; i++) {
        w[i] = n == 3 ? given[i] : tni_dim_div(total, 3);
        if (TNI_DIM_IS_KNOWN(w[i]) && (w[i] < 1 || w[i] % heads != 0))
            return tni_fail(err, TN_EINVAL,
                            "width %lld does not divide into %lld heads",
                            (long long)w[i], (long long)heads);
        if (n == 3 && (w[i] < 1 || w[i] > INT32_MAX))
            return tni_fail(err, TN_EINVAL, "qkv_hidden_sizes[%d] is %lld", i,
                            (long long)w[i]);
    }
    if (w[0] != w[1])
        return tni_fail(err, TN_EINVAL, "q and k differ in width");
    if (TNI_DIM_IS_KNOWN(total) &&
        (!TNI_DIM_IS_KNOWN(w[0]) || w[0] + w[1] + w[2] != total))
        return tni_fail(err, TN_EINVAL, "weights are %lld wide",
                        (long long)total);
    return TN_OK;
}

static tn_status heads_of(int64_t *heads, const tni_node *node, tn_err *err)
{
    *heads = tni_attr_int(node, "num_heads", 0);
    if (*heads < 1)
        return tni_fail(err, TN_EINVAL, "num_heads is %lld", (long long)*heads);
    if (tni_attr_int(node, "do_rotary", 0) != 0 ||
        tni_attr_int(node, "past_present_share_buffer", 0) != 0)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "do_rotary and past_present_share_buffer are not "
                        "supported");
    return TN_OK;
}

static tn_status ms_attention_infer(tni_infer *c)
{
    const tn_dtype t = tni_infer_dtype(c, INPUT);
    int64_t b = TNI_DIM_UNKNOWN, s = b, in = b, total = b, past = 0, heads = 0;
    int64_t w[3], head, two = 2, n;
    TN_TRY(heads_of(&heads, c->node, c->err));
    TN_TRY(tni_nn_want_rank(c, INPUT, 3));
    TN_TRY(tni_nn_want_rank(c, WEIGHTS, 2));
    TN_TRY(tni_nn_want_rank(c, BIAS, 1));
    TN_TRY(tni_nn_want_rank(c, PAST, 5));
    TN_TRY(tni_nn_merge_dim(c, INPUT, 0, &b));
    TN_TRY(tni_nn_merge_dim(c, INPUT, 1, &s));
    TN_TRY(tni_nn_merge_dim(c, INPUT, 2, &in));
    TN_TRY(tni_nn_merge_dim(c, WEIGHTS, 0, &in));
    TN_TRY(tni_nn_merge_dim(c, WEIGHTS, 1, &total));
    TN_TRY(tni_nn_merge_dim(c, BIAS, 0, &total));
    TN_TRY(widths(w, heads, c->node, total, c->err));
    head = tni_dim_div(w[0], heads);
    n = heads;
    if (tni_infer_has(c, PAST)) {
        past = TNI_DIM_UNKNOWN;
        if (w[0] != w[2])
            return tni_fail(c->err, TN_EINVAL,
                            "past wants q, k and v of one width");
        TN_TRY(tni_nn_merge_dim(c, PAST, 0, &two));
        TN_TRY(tni_nn_merge_dim(c, PAST, 1, &b));
        TN_TRY(tni_nn_merge_dim(c, PAST, 2, &n));
        TN_TRY(tni_nn_merge_dim(c, PAST, 3, &past));
        TN_TRY(tni_nn_merge_dim(c, PAST, 4, &head));
    }
    TN_TRY(tni_infer_dims(c, 0, t, 3, (const int64_t[3]){b, s, w[2]}));
    if (c->n_out > 1) {
        if (c->n_out > 1 && w[0] != w[2])
            return tni_fail(c->err, TN_EINVAL,
                            "present wants k and v of one width");
        TN_TRY(tni_infer_dims(
            c, 1, t, 5,
            (const int64_t[5]){2, b, heads, tni_dim_add(past, s), head}));
    }
    return TN_OK;
}

/* Everything once extents are known. */
typedef struct shape {
    int64_t in, total, w[3], past;
    double filter;
    tni_ms_mask mask;
    tni_attn a; /* over the projection; over caches after to_cache */
} shape;

static tn_status shape_make(shape *s, const tni_node *node, const int64_t *x,
                            const int64_t *weights, const int64_t *past,
                            int mask_rank, const int64_t *mask, tn_err *err)
{
    const tni_attr *const scale = tni_attr_find(node, "scale");
    int64_t heads = 0;
    *s = (shape){.in = x[2], .total = weights[1]};
    TN_TRY(heads_of(&heads, node, err));
    TN_TRY(widths(s->w, heads, node, s->total, err));
    s->past = past != NULL ? past[3] : 0;
    s->filter = (double)tni_attr_float(node, "mask_filter_value", -10000.0f);
    s->a = (tni_attn){.batch = x[0],
                      .heads = heads,
                      .kv_heads = heads,
                      .q_len = x[1],
                      .kv_len = s->past + x[1],
                      .dim = s->w[0] / heads,
                      .v_dim = s->w[2] / heads,
                      .left = -1,
                      .right = -1,
                      .offset = s->past};
    s->a.q = (tni_attn_stride){x[1] * s->total, s->a.dim, s->total};
    s->a.k = s->a.q;
    s->a.v = (tni_attn_stride){x[1] * s->total, s->a.v_dim, s->total};
    s->a.y = tni_attn_bsh(x[1], heads, s->a.v_dim);
    s->a.scale = scale != NULL && scale->v.f != 0.0f
                     ? (double)scale->v.f
                     : 1.0 / sqrt((double)s->a.dim);
    s->a.causal = tni_attr_int(node, "unidirectional", 0) != 0 && x[1] > 1;
    s->a.causal_value = -(double)FLT_MAX;
    if (mask != NULL)
        TN_TRY(tni_ms_mask_kind(&s->mask, mask_rank, mask, x[0], x[1],
                                s->a.kv_len, err));
    return TN_OK;
}

/* k and v come from [B, N, T, D]. */
static void to_cache(shape *s)
{
    s->a.k = tni_attn_bhs(s->a.kv_len, s->a.heads, s->a.dim);
    s->a.v = tni_attn_bhs(s->a.kv_len, s->a.heads, s->a.v_dim);
}

static int64_t cache_len(const shape *s)
{
    return s->a.batch * s->a.heads * s->a.kv_len * s->a.dim;
}

/* --- reference -------------------------------------------------------------- */

static tn_status project(tni_ref *c, const shape *s, double **out)
{
    const int64_t rows = s->a.batch * s->a.q_len;
    const double *x = NULL, *w = NULL, *bias = NULL;
    double *const y = tni_nn_doubles(c, rows * s->total);
    if (y == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_nn_load(c, c->in[INPUT], &x));
    TN_TRY(tni_nn_load(c, c->in[WEIGHTS], &w));
    if (tni_ref_has(c, BIAS)) TN_TRY(tni_nn_load(c, c->in[BIAS], &bias));
    for (int64_t r = 0; r < rows; r++) {
        double *const row = y + r * s->total;
        for (int64_t j = 0; j < s->total; j++)
            row[j] = bias != NULL ? bias[j] : 0;
        for (int64_t k = 0; k < s->in; k++)
            for (int64_t j = 0; j < s->total; j++)
                row[j] += x[r * s->in + k] * w[k * s->total + j];
    }
    *out = y;
    return TN_OK;
}

static tn_status join(tni_ref *c, shape *s, const double **k, const double **v)
{
    const int64_t n = cache_len(s);
    const tni_attn *const a = &s->a;
    const int64_t old = a->batch * a->heads * s->past * a->dim;
    double *const cache = tni_nn_doubles(c, 2 * n);
    const double *past = NULL;
    if (cache == NULL) return tni_ref_nomem(c);
    if (tni_ref_has(c, PAST)) {
        const tni_attn_stride st = tni_attn_bhs(s->past, a->heads, a->dim);
        TN_TRY(tni_nn_load(c, c->in[PAST], &past));
        for (int i = 0; i < 2; i++)
            tni_attn_put_f64(cache + i * n, a->kv_len, 0, past + i * old, st,
                             NULL, a->batch, a->heads, s->past, a->dim);
    }
    tni_attn_put_f64(cache, a->kv_len, s->past, *k, a->k, NULL, a->batch,
                     a->heads, a->q_len, a->dim);
    tni_attn_put_f64(cache + n, a->kv_len, s->past, *v, a->v, NULL, a->batch,
                     a->heads, a->q_len, a->dim);
    if (tni_ref_wants(c, 1)) {
        TN_TRY(tni_ref_output(
            c, 1, c->in[INPUT]->dtype, 5,
            (const int64_t[5]){2, a->batch, a->heads, a->kv_len, a->dim}));
        tni_from_f64(c->out[1]->data, c->out[1]->dtype, cache, 2 * n);
    }
    *k = cache;
    *v = cache + n;
    to_cache(s);
    return TN_OK;
}

static tn_status add_bias(tni_ref *c, tni_attn *a)
{
    const tni_tensor *const t = c->in[ATTN_BIAS];
    const int64_t want[4] = {a->batch, a->heads, a->q_len, a->kv_len};
    const double *data = NULL;
    TN_TRY(tni_nn_load(c, t, &data));
    a->bias[1].data = data;
    return tni_attn_bias_strides(&a->bias[1], t->rank, t->dims, want, c->err);
}

static tn_status ms_attention_ref(tni_ref *c)
{
    const tni_tensor *const x = c->in[INPUT];
    const tni_tensor *const mask = tni_ref_has(c, MASK) ? c->in[MASK] : NULL;
    const double *k, *v;
    double *qkv = NULL, *y = NULL, *scratch;
    shape s;
    TN_TRY(shape_make(&s, c->node, x->dims, c->in[WEIGHTS]->dims,
                      tni_ref_has(c, PAST) ? c->in[PAST]->dims : NULL,
                      mask != NULL ? mask->rank : 0,
                      mask != NULL ? mask->dims : NULL, c->err));
    tni_attn *const a = &s.a;
    TN_TRY(tni_ref_output(c, 0, x->dtype, 3,
                          (const int64_t[3]){x->dims[0], x->dims[1], s.w[2]}));
    if (s.mask != TNI_MS_MASK_NONE) {
        double *const m = tni_nn_doubles(
            c, tni_ms_mask_len(s.mask, a->batch, a->q_len, a->kv_len));
        if (m == NULL) return tni_ref_nomem(c);
        tni_ms_mask_f64(m, s.mask, TNI_CDATA(int32_t, mask), a->batch, a->q_len,
                        a->kv_len, s.filter);
        tni_ms_mask_strides(&a->bias[0], s.mask, a->q_len, a->kv_len);
        a->bias[0].data = m;
    }
    if (tni_ref_has(c, ATTN_BIAS)) TN_TRY(add_bias(c, a));
    TN_TRY(project(c, &s, &qkv));
    k = qkv + s.w[0];
    v = k + s.w[1];
    if (tni_ref_has(c, PAST) || tni_ref_wants(c, 1))
        TN_TRY(join(c, &s, &k, &v));
    TN_TRY(tni_nn_open(c, 0, &y));
    scratch = tni_nn_doubles(c, 2 * a->kv_len);
    if (scratch == NULL) return tni_ref_nomem(c);
    if (y != NULL) tni_attn_ref(a, qkv, k, v, y, NULL, scratch);
    tni_nn_store(c, 0, y);
    return TN_OK;
}

/* --- f32 plan --------------------------------------------------------------- */

typedef struct ms_attention_state {
    shape s;
    const struct tni_kernels *kernels;
    tni_gemm_plan gemm;
    tni_attn_plan *attn;
    const float *packed; /* weights, or NULL */
    bool bias, past, present, attn_bias;
    /* floats of scratch: mask, projection, caches, then kernels' own */
    size_t mask_at, qkv_at, cache_at, own_at;
} ms_attention_state;

static void run_project(const ms_attention_state *st, const tni_run *c,
                        float *qkv)
{
    const shape *const s = &st->s;
    tni_epilogue epi = TNI_EPILOGUE_NONE;
    const tni_gemm g = {
        .m = (size_t)(s->a.batch * s->a.q_len),
        .n = (size_t)s->total,
        .k = (size_t)s->in,
        .a = TNI_CDATA(float, c->in[INPUT]),
        .b = st->packed != NULL ? NULL : TNI_CDATA(float, c->in[WEIGHTS]),
        .lda = (size_t)s->in,
        .ldb = (size_t)s->total,
        .b_packed = st->packed,
        .c = qkv,
        .ldc = (size_t)s->total};
    if (st->bias) epi.bias_col = TNI_CDATA(float, c->in[BIAS]);
    tni_gemm_run(&st->kernels->gemm, &st->gemm, &g, &epi,
                 (float *)c->scratch + st->own_at, c->par);
}

static void ms_attention_run(const tni_run *c)
{
    const ms_attention_state *const st = (const ms_attention_state *)c->state;
    float *const scratch = (float *)c->scratch;
    float *const qkv = scratch + st->qkv_at;
    const float *k = qkv + st->s.w[0], *v = k + st->s.w[1];
    tni_attn a = st->s.a;
    run_project(st, c, qkv);
    if (st->s.mask != TNI_MS_MASK_NONE) {
        float *const m = scratch + st->mask_at;
        tni_ms_mask_f32(m, st->s.mask, TNI_CDATA(int32_t, c->in[MASK]), a.batch,
                        a.q_len, a.kv_len, (float)st->s.filter);
        a.bias[0].data = m;
    }
    if (st->attn_bias) a.bias[1].data = c->in[ATTN_BIAS]->data;
    if (st->past || st->present) {
        const int64_t n = cache_len(&st->s);
        const int64_t old = a.batch * a.heads * st->s.past * a.dim;
        const tni_attn_stride from = {a.q_len * st->s.total, a.dim,
                                      st->s.total};
        float *const cache =
            st->present ? TNI_DATA(float, c->out[1]) : scratch + st->cache_at;
        for (int i = 0; i < 2; i++) {
            if (st->past)
                tni_attn_put_f32(cache + i * n, a.kv_len, 0,
                                 TNI_CDATA(float, c->in[PAST]) + i * old,
                                 tni_attn_bhs(st->s.past, a.heads, a.dim), NULL,
                                 a.batch, a.heads, st->s.past, a.dim);
            tni_attn_put_f32(cache + i * n, a.kv_len, st->s.past,
                             i == 0 ? k : v, from, NULL, a.batch, a.heads,
                             a.q_len, a.dim);
        }
        k = cache;
        v = cache + n;
    }
    tni_attn_run(st->attn, &a, qkv, k, v, TNI_DATA(float, c->out[0]),
                 scratch + st->own_at, c->par);
}

static bool grow(size_t *at, int64_t n)
{
    size_t len = 0;
    return tni_to_size(n, &len) && tni_add_size(*at, len, at) &&
           tni_align_up(*at, 16, at);
}

static tn_status pack_weights(tni_plan *c, ms_attention_state *st)
{
    const tni_gemm_kernels *const ker = &c->kernels->gemm;
    const size_t k = (size_t)st->s.in, n = (size_t)st->s.total;
    size_t len = 0;
    bool fresh = false;
    float *block;
    if (c->in_const[WEIGHTS] == NULL ||
        !tni_gemm_packed_b_len(ker, k, n, &len) ||
        !tni_mul_size(len, sizeof(float), &len))
        return TN_OK;
    block = c->prepack(c, 0, len, &fresh);
    if (block == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    if (fresh) TN_TRY(tni_pack_weights(c, WEIGHTS, 0, false, k, n, block));
    st->packed = block;
    c->packed |= 1u << WEIGHTS;
    return TN_OK;
}

static bool planned_in(const tni_plan *c, int i)
{
    return i < c->n_in && c->in[i] != NULL;
}

static tn_status plan_shape(tni_plan *c, ms_attention_state *st)
{
    const tni_type *const mask = planned_in(c, MASK) ? c->in[MASK] : NULL;
    tni_attn *const a = &st->s.a;
    TN_TRY(shape_make(&st->s, c->node, c->in[INPUT]->dims, c->in[WEIGHTS]->dims,
                      planned_in(c, PAST) ? c->in[PAST]->dims : NULL,
                      mask != NULL ? mask->rank : 0,
                      mask != NULL ? mask->dims : NULL, c->err));
    st->bias = planned_in(c, BIAS);
    st->past = planned_in(c, PAST);
    st->present = c->n_out > 1 && c->out[1] != NULL;
    st->attn_bias = planned_in(c, ATTN_BIAS);
    tni_ms_mask_strides(&a->bias[0], st->s.mask, a->q_len, a->kv_len);
    if (st->attn_bias) {
        const int64_t want[4] = {a->batch, a->heads, a->q_len, a->kv_len};
        TN_TRY(tni_attn_bias_strides(&a->bias[1], c->in[ATTN_BIAS]->rank,
                                     c->in[ATTN_BIAS]->dims, want, c->err));
    }
    if (st->past || st->present) to_cache(&st->s);
    return TN_OK;
}

static tn_status ms_attention_plan(tni_plan *c)
{
    ms_attention_state *st;
    size_t at = 0, core = 0, gemm = 0;
    if (c->in[INPUT]->dtype != TN_F32 || c->out[0] == NULL ||
        c->kernels == NULL)
        return TN_OK;
    st = TNI_NEW(c->arena, ms_attention_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(plan_shape(c, st));
    const tni_attn *const a = &st->s.a;
    st->kernels = c->kernels;
    TN_TRY(pack_weights(c, st));
    const tni_gemm g = {.m = (size_t)(a->batch * a->q_len),
                        .n = (size_t)st->s.total,
                        .k = (size_t)st->s.in,
                        .b_packed = st->packed};
    tni_gemm_plan_init(&st->gemm, &c->kernels->gemm, &g);
    TN_TRY(tni_attn_plan_make(&st->attn, &core, a, c->kernels, c->n_workers,
                              c->arena, c->err));
    st->mask_at = at;
    if (!grow(&at, tni_ms_mask_len(st->s.mask, a->batch, a->q_len, a->kv_len)))
        return TN_OK;
    st->qkv_at = at;
    if (!grow(&at, a->batch * a->q_len * st->s.total)) return TN_OK;
    st->cache_at = at;
    if (st->past && !st->present && !grow(&at, 2 * cache_len(&st->s)))
        return TN_OK;
    st->own_at = at;
    if (!tni_mul_size(st->gemm.scratch_len,
                      (size_t)c->n_workers * sizeof(float), &gemm))
        return TN_OK;
    c->scratch_bytes = at * sizeof(float) + (core > gemm ? core : gemm);
    c->state = st;
    c->run = ms_attention_run;
    return TN_OK;
}

static const tni_op_version ms_attention_versions[] = {
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = ms_attention_infer,
     .ref = ms_attention_ref,
     .plan = ms_attention_plan},
};

const tni_op tni_op_ms_attention = {
    .domain = "com.microsoft",
    .name = "Attention",
    .summary = "Attention with its projections, as ONNX Runtime fuses it.",
    TNI_VERSIONS(ms_attention_versions),
};
