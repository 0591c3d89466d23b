/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_flex_attention.c - ai.onnx.preview FlexAttention, opset 1
 *
 * Shapes:  Q[B, Hq, L, D], K[B, Hkv, S, D], V[B, Hkv, S, Dv] -> Y[B, Hq, L, Dv]
 * Graphs:  score_mod and prob_mod map [B, Hq, L, S] to the same shape before
 *          and after the softmax, in softmax_precision (f32, or f64 when the
 *          input is f64)
 * Numeric: products in double, rounded to that precision around the graphs
 * Source:  github.com/onnx/onnx docs/Operators.md, ai.onnx.preview
 */
#include "ops/nn.h"

#include <math.h>

enum { Q, K, V };

static const tni_arg in_1[] = {
    {"Q", TNI_FLOATS, 'T', 0},
    {"K", TNI_FLOATS, 'T', 0},
    {"V", TNI_FLOATS, 'T', 0},
};
static const tni_arg out_1[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_attr_spec attrs_1[] = {
    {"prob_mod", TNI_ATTR_GRAPH, NULL},
    {"scale", TNI_ATTR_FLOAT, NULL},
    {"score_mod", TNI_ATTR_GRAPH, NULL},
    {"softmax_precision", TNI_ATTR_INT, NULL},
};

static tn_status precision_of(tn_dtype *out, const tni_node *node, tn_dtype t,
                              tn_err *err)
{
    const int64_t p =
        tni_attr_int(node, "softmax_precision", t == TN_F64 ? TN_F64 : TN_F32);
    if (p != TN_F32 && p != TN_F64 && p != TN_F16 && p != TN_BF16)
        return tni_fail(err, TN_EINVAL, "softmax_precision is %lld",
                        (long long)p);
    *out = (tn_dtype)p;
    return TN_OK;
}

/* A graph must map the scores to their own type. */
static tn_status infer_mod(tni_infer *c, const char *name, const tni_type *type)
{
    const tni_graph *const g = tni_attr_graph(c->node, name);
    tni_type out = {.kind = TN_KIND_NONE};
    if (g == NULL) return TN_OK;
    if (g->n_inputs != 1 || g->n_outputs != 1)
        return tni_fail(c->err, TN_EINVAL,
                        "%s has %d inputs and %d outputs, expected one each",
                        name, g->n_inputs, g->n_outputs);
    if (c->graph == NULL) return TN_OK;
    TN_TRY(c->graph(c, g, type, 1, &out));
    if (out.kind == TN_KIND_TENSOR && out.dtype != TN_UNDEFINED &&
        out.dtype != type->dtype)
        return tni_fail(c->err, TN_EINVAL, "%s gives %s, expected %s", name,
                        tn_dtype_name(out.dtype), tn_dtype_name(type->dtype));
    return TN_OK;
}

static tn_status flex_attention_infer(tni_infer *c)
{
    int64_t b = TNI_DIM_UNKNOWN, hq = b, hkv = b, l = b, s = b, d = b, dv = b;
    const tn_dtype t = tni_infer_dtype(c, Q);
    tni_type type = {.kind = TN_KIND_NONE};
    tn_dtype precision = TN_F32;
    TN_TRY(precision_of(&precision, c->node, t, c->err));
    for (int i = 0; i < 3; i++) {
        TN_TRY(tni_nn_want_rank(c, i, 4));
        TN_TRY(tni_nn_merge_dim(c, i, 0, &b));
    }
    TN_TRY(tni_nn_merge_dim(c, Q, 1, &hq));
    TN_TRY(tni_nn_merge_dim(c, K, 1, &hkv));
    TN_TRY(tni_nn_merge_dim(c, V, 1, &hkv));
    TN_TRY(tni_nn_merge_dim(c, Q, 2, &l));
    TN_TRY(tni_nn_merge_dim(c, K, 2, &s));
    TN_TRY(tni_nn_merge_dim(c, V, 2, &s));
    TN_TRY(tni_nn_merge_dim(c, Q, 3, &d));
    TN_TRY(tni_nn_merge_dim(c, K, 3, &d));
    TN_TRY(tni_nn_merge_dim(c, V, 3, &dv));
    if (TNI_DIM_IS_KNOWN(hq) && TNI_DIM_IS_KNOWN(hkv) &&
        (hkv == 0 || hq % hkv != 0))
        return tni_fail(c->err, TN_EINVAL,
                        "%lld query heads are no multiple of %lld",
                        (long long)hq, (long long)hkv);
    tni_type_tensor(&type, precision, 4);
    type.dims[0] = b;
    type.dims[1] = hq;
    type.dims[2] = l;
    type.dims[3] = s;
    TN_TRY(infer_mod(c, "score_mod", &type));
    TN_TRY(infer_mod(c, "prob_mod", &type));
    return tni_infer_dims(c, 0, t, 4, (const int64_t[4]){b, hq, l, dv});
}

/* Runs a graph on x in place: rounded to `dtype` on the way in. */
static tn_status apply_mod(tni_ref *c, const char *name, tn_dtype dtype,
                           const int64_t *dims, double *x)
{
    const tni_graph *const g = tni_attr_graph(c->node, name);
    tni_tensor in = {.kind = TN_KIND_NONE}, out = {.kind = TN_KIND_NONE};
    const tni_tensor *const ins[1] = {&in};
    if (g == NULL) return TN_OK;
    if (c->call == NULL)
        return tni_fail(c->err, TN_EUNSUPPORTED, "%s cannot be run here", name);
    TN_TRY(tni_tensor_alloc(&in, c->scratch, dtype, 4, dims, c->err));
    tni_from_f64(in.data, dtype, x, in.len);
    TN_TRY(c->call(c, g, ins, 1, &out, 1, c->scratch));
    if (out.kind != TN_KIND_TENSOR || out.dtype != dtype ||
        !tni_same_shape(&in, &out))
        return tni_fail(c->err, TN_EINVAL, "%s changes dtype or shape", name);
    tni_to_f64(x, dtype, out.data, out.len);
    return TN_OK;
}

static void softmax_rows(double *x, int64_t rows, int64_t n)
{
    for (int64_t r = 0; r < rows; r++) {
        double *const p = x + r * n;
        double max = -(double)INFINITY, sum = 0;
        for (int64_t i = 0; i < n; i++)
            if (p[i] > max) max = p[i];
        for (int64_t i = 0; i < n; i++) {
            p[i] = exp(p[i] - max);
            sum += p[i];
        }
        for (int64_t i = 0; i < n; i++) p[i] /= sum;
    }
}

static tn_status flex_attention_ref(tni_ref *c)
{
    const tni_tensor *const tq = c->in[Q], *const tk = c->in[K];
    const tni_tensor *const tv = c->in[V];
    const tni_attr *const scale_attr = tni_attr_find(c->node, "scale");
    const int64_t dims[4] = {tq->dims[0], tq->dims[1], tq->dims[2],
                             tk->dims[2]};
    const int64_t l = tq->dims[2], s = tk->dims[2], d = tq->dims[3];
    const int64_t dv = tv->dims[3];
    const int64_t group = tk->dims[1] == 0 ? 1 : tq->dims[1] / tk->dims[1];
    const double scale =
        scale_attr != NULL ? (double)scale_attr->v.f : 1.0 / sqrt((double)d);
    const double *q = NULL, *k = NULL, *v = NULL;
    double *y = NULL, *p;
    tn_dtype precision = TN_F32;
    TN_TRY(precision_of(&precision, c->node, tq->dtype, c->err));
    TN_TRY(tni_ref_output(c, 0, tq->dtype, 4,
                          (const int64_t[4]){dims[0], dims[1], dims[2], dv}));
    TN_TRY(tni_nn_load(c, tq, &q));
    TN_TRY(tni_nn_load(c, tk, &k));
    TN_TRY(tni_nn_load(c, tv, &v));
    TN_TRY(tni_nn_open(c, 0, &y));
    p = tni_nn_doubles(c, dims[0] * dims[1] * l * s);
    if (p == NULL) return tni_ref_nomem(c);
    for (int64_t u = 0; u < dims[0] * dims[1] * l; u++) {
        const double *const kh = k + u / l / group * s * d;
        for (int64_t j = 0; j < s; j++) {
            double sum = 0;
            for (int64_t i = 0; i < d; i++) sum += q[u * d + i] * kh[j * d + i];
            p[u * s + j] = sum * scale;
        }
    }
    TN_TRY(apply_mod(c, "score_mod", precision, dims, p));
    softmax_rows(p, dims[0] * dims[1] * l, s);
    TN_TRY(apply_mod(c, "prob_mod", precision, dims, p));
    for (int64_t u = 0; u < dims[0] * dims[1] * l && y != NULL; u++) {
        const double *const vh = v + u / l / group * s * dv;
        for (int64_t i = 0; i < dv; i++) y[u * dv + i] = 0;
        for (int64_t j = 0; j < s; j++)
            for (int64_t i = 0; i < dv; i++)
                y[u * dv + i] += p[u * s + j] * vh[j * dv + i];
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

static const tni_op_version flex_attention_versions[] = {
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = flex_attention_infer,
     .ref = flex_attention_ref},
};

const tni_op tni_op_flex_attention = {
    .domain = "ai.onnx.preview",
    .name = "FlexAttention",
    .summary = "Attention with graphs that change scores and weights.",
    TNI_VERSIONS(flex_attention_versions),
};
