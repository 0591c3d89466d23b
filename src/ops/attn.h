/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attn.h - scaled dot-product attention, the core of every attention operator
 *
 * For each batch b, head h and query i:
 *
 *   s[j] = scale * q[b, h, i] . k[b, h / group, j]
 *   s[j] = softcap * tanh(s[j] / softcap)                  (softcap > 0)
 *   s[j] += bias[0] + bias[1] + causal + window + validity
 *   p    = softmax(s), with an optional sink in the denominator
 *   y    = sum_j p[j] v[b, h / group, j]
 *
 * Layout:  q, k, v, y by strides of batch, head and position; a head's vector
 *          is contiguous. So [B, S, H * D] and [B, H, S, D] are read in place.
 * Numeric: reference in double; f32 plan through the sgemm kernels, exp in
 *          float. The work of a (batch, head, block of queries) is one task.
 */
#ifndef TN_SRC_OPS_ATTN_H
#define TN_SRC_OPS_ATTN_H

#include "ops/infer.h"

typedef struct tni_attn_stride {
    int64_t b, h, s;
} tni_attn_stride;

/* An addend of the scores, double in the reference and float in a plan.
 * stride 0 broadcasts; columns from len on count as -infinity. */
typedef struct tni_attn_bias {
    const void *data; /* NULL: none */
    int64_t stride[4];
    int64_t len;
} tni_attn_bias;

/* What the extra output holds. */
typedef enum tni_attn_qk {
    TNI_ATTN_QK_SCORES, /* scale * q . k */
    TNI_ATTN_QK_CAPPED, /* after softcap */
    TNI_ATTN_QK_BIASED, /* after the masks */
    TNI_ATTN_QK_SOFTMAX
} tni_attn_qk;

typedef struct tni_attn {
    int64_t batch, heads, kv_heads, q_len, kv_len, dim, v_dim;
    tni_attn_stride q, k, v, y;
    double scale, softcap;
    tni_attn_bias bias[2];
    /* Causal: keys j > i + offset get causal_value as their addend; offsets[b]
     * when that is set. Windows bound i + offset - j (left, right; -1: none). */
    bool causal;
    double causal_value;
    int64_t offset, left, right;
    const int64_t *offsets;
    const int64_t *kv_valid; /* per batch: keys from there on are masked */
    bool zero_masked;        /* a row masked everywhere gives 0, not NaN */
    bool smooth;             /* one more score of 0 in the softmax */
    const double *sink;      /* or of sink[head] */
    tni_attn_qk qk;
} tni_attn;

/* qk: [batch, heads, q_len, kv_len] or NULL; scratch: 2 * kv_len. */
void tni_attn_ref(const tni_attn *a, const double *q, const double *k,
                  const double *v, double *y, double *qk, double *scratch);

struct tni_kernels;

/* The f32 form; shapes and strides must not change between plan and run. */
typedef struct tni_attn_plan tni_attn_plan;

tn_status tni_attn_plan_make(tni_attn_plan **out, size_t *scratch_bytes,
                             const tni_attn *a,
                             const struct tni_kernels *kernels, int n_workers,
                             tni_arena *arena, tn_err *err);
void tni_attn_run(const tni_attn_plan *p, const tni_attn *a, const float *q,
                  const float *k, const float *v, float *y, void *scratch,
                  const tni_par *par);

/* Strides of [B, S, H * D] and of [B, H, S, D]. */
tni_attn_stride tni_attn_bsh(int64_t s, int64_t h, int64_t d);
tni_attn_stride tni_attn_bhs(int64_t s, int64_t h, int64_t d);

/* Copies heads into positions at .. at+s of a cache [B, H, cap, D]; bias
 * [H, D] is added unless NULL. */
void tni_attn_put_f64(double *cache, int64_t cap, int64_t at, const double *x,
                      tni_attn_stride st, const double *bias, int64_t batch,
                      int64_t heads, int64_t s, int64_t d);
void tni_attn_put_f32(float *cache, int64_t cap, int64_t at, const float *x,
                      tni_attn_stride st, const float *bias, int64_t batch,
                      int64_t heads, int64_t s, int64_t d);

/* Bias strides of a tensor that broadcasts to [B, H, S, T] from the right; its
 * last extent may be shorter than T. TN_EINVAL when it does not fit. */
tn_status tni_attn_bias_strides(tni_attn_bias *bias, int rank,
                                const int64_t *dims, const int64_t *want,
                                tn_err *err);

/* ONNX Attention, and tenon's, which op_tn_attention.c describes. */
tn_status tni_attention_infer(tni_infer *c);
tn_status tni_attention_ref(tni_ref *c);
tn_status tni_attention_plan(tni_plan *c);

#endif
