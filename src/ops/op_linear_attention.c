/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_linear_attention.c - ONNX LinearAttention, opset 27
 *
 * Shapes:  query[B, T, Hq * dk], key[B, T, Hkv * dk], value[B, T, Hkv * dv],
 *          state[B, Hkv, dk, dv], decay[B, T, Hkv or Hkv * dk],
 *          beta[B, T, Hkv or 1] -> output[B, T, Hq * dv], state
 * Numeric: state *= exp(decay); v' = beta (v - state^T k) under a delta rule;
 *          state += k v'^T; output = scale state^T q, token by token, in
 *          double. chunk_size is a hint and not needed.
 * Source:  github.com/onnx/onnx docs/Operators.md#LinearAttention
 */
#include "ops/nn.h"

#include <math.h>

#define T27 (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

enum { QUERY, KEY, VALUE, PAST, DECAY, BETA };

static const tni_arg in_27[] = {
    {"query", T27, 'T', 0},
    {"key", T27, 'T', 0},
    {"value", T27, 'T', 0},
    {"past_state", T27, 'S', TNI_OPTIONAL},
    {"decay", T27, 'T', TNI_OPTIONAL},
    {"beta", T27, 'T', TNI_OPTIONAL},
};
static const tni_arg out_27[] = {
    {"output", T27, 'T', 0},
    {"present_state", T27, 'S', 0},
};
static const tni_attr_spec attrs_27[] = {
    {"chunk_size", TNI_ATTR_INT, "64"},
    {"kv_num_heads", TNI_ATTR_INT, "required"},
    {"q_num_heads", TNI_ATTR_INT, "required"},
    {"scale", TNI_ATTR_FLOAT, "0"},
    {"update_rule", TNI_ATTR_STRING, "gated_delta"},
};

typedef struct shape {
    int64_t b, t, hq, hkv, dk, dv;
    bool gated, delta;
} shape;

static tn_status rule_of(shape *s, const tni_node *node, bool decay, bool beta,
                         tn_err *err)
{
    static const struct {
        const char *name;
        bool gated, delta;
    } rules[] = {{"linear", false, false},
                 {"gated", true, false},
                 {"delta", false, true},
                 {"gated_delta", true, true}};
    bool found = false;
    for (int i = 0; i < TNI_COUNT(rules); i++)
        if (tni_attr_is(node, "update_rule", rules[i].name, "gated_delta")) {
            s->gated = rules[i].gated;
            s->delta = rules[i].delta;
            found = true;
        }
    if (!found) return tni_fail(err, TN_EINVAL, "update_rule is not known");
    if (s->gated != decay || s->delta != beta)
        return tni_fail(err, TN_EINVAL,
                        "update_rule wants %s decay and %s beta",
                        s->gated ? "a" : "no", s->delta ? "a" : "no");
    s->hq = tni_attr_int(node, "q_num_heads", 0);
    s->hkv = tni_attr_int(node, "kv_num_heads", 0);
    if (s->hkv <= 0 || s->hq <= 0 || s->hq % s->hkv != 0)
        return tni_fail(err, TN_EINVAL,
                        "q_num_heads %lld is no multiple of kv_num_heads %lld",
                        (long long)s->hq, (long long)s->hkv);
    return TN_OK;
}

static tn_status linear_attention_infer(tni_infer *c)
{
    const tn_dtype t = tni_infer_dtype(c, QUERY);
    const tn_dtype st = tni_infer_has(c, PAST) ? tni_infer_dtype(c, PAST) : t;
    int64_t wq = TNI_DIM_UNKNOWN, wk = TNI_DIM_UNKNOWN, wv = TNI_DIM_UNKNOWN;
    shape s;
    s.b = s.t = TNI_DIM_UNKNOWN;
    TN_TRY(rule_of(&s, c->node, tni_infer_has(c, DECAY), tni_infer_has(c, BETA),
                   c->err));
    for (int i = 0; i < 6; i++) {
        TN_TRY(tni_nn_want_rank(c, i, i == PAST ? 4 : 3));
        TN_TRY(tni_nn_merge_dim(c, i, 0, &s.b));
        if (i != PAST) TN_TRY(tni_nn_merge_dim(c, i, 1, &s.t));
    }
    TN_TRY(tni_nn_merge_dim(c, QUERY, 2, &wq));
    TN_TRY(tni_nn_merge_dim(c, KEY, 2, &wk));
    TN_TRY(tni_nn_merge_dim(c, VALUE, 2, &wv));
    if ((TNI_DIM_IS_KNOWN(wq) && wq % s.hq != 0) ||
        (TNI_DIM_IS_KNOWN(wk) && wk % s.hkv != 0) ||
        (TNI_DIM_IS_KNOWN(wv) && wv % s.hkv != 0))
        return tni_fail(c->err, TN_EINVAL,
                        "a width does not divide into heads");
    s.dk = tni_dim_div(wq, s.hq);
    if (TNI_DIM_IS_KNOWN(wk)) {
        if (TNI_DIM_IS_KNOWN(s.dk) && s.dk != wk / s.hkv)
            return tni_fail(c->err, TN_EINVAL, "query and key differ in size");
        s.dk = wk / s.hkv;
    }
    s.dv = tni_dim_div(wv, s.hkv);
    {
        int64_t h = s.hkv;
        TN_TRY(tni_nn_merge_dim(c, PAST, 1, &h));
        TN_TRY(tni_nn_merge_dim(c, PAST, 2, &s.dk));
        TN_TRY(tni_nn_merge_dim(c, PAST, 3, &s.dv));
    }
    TN_TRY(tni_infer_dims(
        c, 0, t, 3, (const int64_t[3]){s.b, s.t, tni_dim_mul(s.hq, s.dv)}));
    if (c->n_out > 1)
        TN_TRY(tni_infer_dims(c, 1, st, 4,
                              (const int64_t[4]){s.b, s.hkv, s.dk, s.dv}));
    return TN_OK;
}

/* One token of one key head; next: dv of scratch. */
static void step(const shape *s, double *state, const double *k,
                 const double *v, const double *decay, int64_t decay_step,
                 double beta, double *next)
{
    if (s->gated)
        for (int64_t i = 0; i < s->dk; i++) {
            const double g = exp(decay[i * decay_step]);
            for (int64_t j = 0; j < s->dv; j++) state[i * s->dv + j] *= g;
        }
    for (int64_t j = 0; j < s->dv; j++) {
        double seen = 0;
        next[j] = v[j];
        if (!s->delta) continue;
        for (int64_t i = 0; i < s->dk; i++) seen += state[i * s->dv + j] * k[i];
        next[j] = beta * (v[j] - seen);
    }
    for (int64_t i = 0; i < s->dk; i++)
        for (int64_t j = 0; j < s->dv; j++)
            state[i * s->dv + j] += k[i] * next[j];
}

static tn_status linear_attention_ref(tni_ref *c)
{
    const tni_tensor *const tq = c->in[QUERY], *const tv = c->in[VALUE];
    const double *q = NULL, *k = NULL, *v = NULL, *past = NULL;
    const double *decay = NULL, *beta = NULL;
    double *y = NULL, *state, *next, scale;
    int64_t wd = 0, wb = 0;
    shape s;
    TN_TRY(rule_of(&s, c->node, tni_ref_has(c, DECAY), tni_ref_has(c, BETA),
                   c->err));
    s.b = tq->dims[0];
    s.t = tq->dims[1];
    s.dk = tq->dims[2] / s.hq;
    s.dv = tv->dims[2] / s.hkv;
    scale = (double)tni_attr_float(c->node, "scale", 0);
    if (scale == 0) scale = 1.0 / sqrt((double)s.dk);
    TN_TRY(tni_ref_output(c, 0, tq->dtype, 3,
                          (const int64_t[3]){s.b, s.t, s.hq * s.dv}));
    TN_TRY(tni_ref_output(c, 1,
                          tni_ref_has(c, PAST) ? c->in[PAST]->dtype : tq->dtype,
                          4, (const int64_t[4]){s.b, s.hkv, s.dk, s.dv}));
    TN_TRY(tni_nn_load(c, tq, &q));
    TN_TRY(tni_nn_load(c, c->in[KEY], &k));
    TN_TRY(tni_nn_load(c, tv, &v));
    if (tni_ref_has(c, PAST)) TN_TRY(tni_nn_load(c, c->in[PAST], &past));
    if (s.gated) {
        wd = c->in[DECAY]->dims[2];
        if (wd != s.hkv && wd != s.hkv * s.dk)
            return tni_fail(c->err, TN_EINVAL, "decay is %lld wide",
                            (long long)wd);
        TN_TRY(tni_nn_load(c, c->in[DECAY], &decay));
    }
    if (s.delta) {
        wb = c->in[BETA]->dims[2];
        if (wb != s.hkv && wb != 1)
            return tni_fail(c->err, TN_EINVAL, "beta is %lld wide",
                            (long long)wb);
        TN_TRY(tni_nn_load(c, c->in[BETA], &beta));
    }
    TN_TRY(tni_nn_open(c, 0, &y));
    state = tni_nn_doubles(c, s.b * s.hkv * s.dk * s.dv);
    next = tni_nn_doubles(c, s.dv);
    if (state == NULL || next == NULL) return tni_ref_nomem(c);
    for (int64_t i = 0; i < s.b * s.hkv * s.dk * s.dv; i++)
        state[i] = past != NULL ? past[i] : 0;
    for (int64_t u = 0; u < s.b * s.t * s.hkv; u++) {
        const int64_t bt = u / s.hkv, h = u % s.hkv, b = bt / s.t;
        const int64_t group = s.hq / s.hkv;
        double *const st = state + (b * s.hkv + h) * s.dk * s.dv;
        const bool per_key = wd == s.hkv * s.dk && wd != s.hkv;
        step(&s, st, k + (bt * s.hkv + h) * s.dk, v + (bt * s.hkv + h) * s.dv,
             decay == NULL ? NULL : decay + bt * wd + (per_key ? h * s.dk : h),
             per_key ? 1 : 0,
             beta == NULL ? 1 : beta[bt * wb + (wb == 1 ? 0 : h)], next);
        for (int64_t g = h * group; g < (h + 1) * group && y != NULL; g++)
            for (int64_t j = 0; j < s.dv; j++) {
                double sum = 0;
                for (int64_t i = 0; i < s.dk; i++)
                    sum += q[(bt * s.hq + g) * s.dk + i] * st[i * s.dv + j];
                y[(bt * s.hq + g) * s.dv + j] = scale * sum;
            }
    }
    tni_nn_store(c, 0, y);
    if (tni_ref_wants(c, 1))
        tni_from_f64(c->out[1]->data, c->out[1]->dtype, state, c->out[1]->len);
    return TN_OK;
}

static const tni_op_version linear_attention_versions[] = {
    {.since = 27,
     TNI_IN(in_27),
     TNI_OUT(out_27),
     TNI_ATTRS(attrs_27),
     .infer = linear_attention_infer,
     .ref = linear_attention_ref},
};

const tni_op tni_op_linear_attention = {
    .domain = "",
    .name = "LinearAttention",
    .summary = "Attention by a recurrent state: linear, gated, delta rules.",
    TNI_VERSIONS(linear_attention_versions),
};
