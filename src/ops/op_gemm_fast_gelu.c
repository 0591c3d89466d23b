/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_gemm_fast_gelu.c - com.microsoft GemmFastGelu
 *
 * Shapes:  X[…, K], W[K, N], bias[N] -> Y[…, N]
 * Numeric: y = g(x W + bias), g(v) = v/2 (1 + tanh(sqrt(2/pi) (v + 0.044715
 *          v^3))); f32 as an epilogue of one multiplication
 * Source:  ONNX Runtime docs/ContribOperators.md, same name
 */
#include "base/checked.h"
#include "kernels/kernels.h"
#include "ops/nn.h"
#include "ops/pack_weights.h"

#include <math.h>

#define T (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

enum { X, W, BIAS };

static const tni_arg in_1[] = {
    {"X", T, 'T', 0},
    {"W", T, 'T', 0},
    {"bias", T, 'T', TNI_OPTIONAL},
};
static const tni_arg out_1[] = {{"Y", T, 'T', 0}};

static tn_status gemm_fast_gelu_infer(tni_infer *c)
{
    int64_t dims[TN_MAX_RANK], k = TNI_DIM_UNKNOWN, n = TNI_DIM_UNKNOWN;
    TN_TRY(tni_nn_want_rank(c, W, 2));
    TN_TRY(tni_nn_want_rank(c, BIAS, 1));
    TN_TRY(tni_nn_merge_dim(c, W, 0, &k));
    TN_TRY(tni_nn_merge_dim(c, W, 1, &n));
    TN_TRY(tni_nn_merge_dim(c, BIAS, 0, &n));
    if (!tni_infer_ranked(c, X)) {
        tni_infer_unranked(c, 0, tni_infer_dtype(c, X));
        return TN_OK;
    }
    if (c->in[X]->rank < 1) return tni_fail(c->err, TN_EINVAL, "X is a scalar");
    TN_TRY(tni_nn_merge_dim(c, X, c->in[X]->rank - 1, &k));
    for (int i = 0; i < c->in[X]->rank; i++) dims[i] = c->in[X]->dims[i];
    dims[c->in[X]->rank - 1] = n;
    return tni_infer_dims(c, 0, c->in[X]->dtype, c->in[X]->rank, dims);
}

static double gelu(double v)
{
    return 0.5 * v *
           (1.0 + tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
}

static tn_status gemm_fast_gelu_ref(tni_ref *c)
{
    const tni_tensor *const t = c->in[X];
    const int64_t k = c->in[W]->dims[0], n = c->in[W]->dims[1];
    const int64_t rows = tni_nn_extent(t->dims, 0, t->rank - 1);
    const double *x = NULL, *w = NULL, *bias = NULL;
    int64_t dims[TN_MAX_RANK];
    double *y = NULL;
    for (int i = 0; i < t->rank; i++) dims[i] = t->dims[i];
    dims[t->rank - 1] = n;
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_load(c, c->in[W], &w));
    if (tni_ref_has(c, BIAS)) TN_TRY(tni_nn_load(c, c->in[BIAS], &bias));
    TN_TRY(tni_nn_open(c, 0, &y));
    for (int64_t r = 0; r < rows; r++) {
        double *const row = y + r * n;
        for (int64_t j = 0; j < n; j++) row[j] = bias != NULL ? bias[j] : 0;
        for (int64_t i = 0; i < k; i++)
            for (int64_t j = 0; j < n; j++)
                row[j] += x[r * k + i] * w[i * n + j];
        for (int64_t j = 0; j < n; j++) row[j] = gelu(row[j]);
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

typedef struct gemm_state {
    const struct tni_kernels *kernels;
    tni_gemm_plan plan;
    size_t m, n, k;
    const float *packed;
    bool bias;
} gemm_state;

static void gemm_fast_gelu_run(const tni_run *c)
{
    const gemm_state *const st = (const gemm_state *)c->state;
    tni_epilogue epi = TNI_EPILOGUE_NONE;
    const tni_gemm g = {.m = st->m,
                        .n = st->n,
                        .k = st->k,
                        .a = TNI_CDATA(float, c->in[X]),
                        .b = st->packed != NULL ? NULL
                                                : TNI_CDATA(float, c->in[W]),
                        .lda = st->k,
                        .ldb = st->n,
                        .b_packed = st->packed,
                        .c = TNI_DATA(float, c->out[0]),
                        .ldc = st->n};
    if (st->bias) epi.bias_col = TNI_CDATA(float, c->in[BIAS]);
    epi.act = st->kernels->unary.f32[TNI_UNARY_GELU_TANH];
    tni_gemm_run(&st->kernels->gemm, &st->plan, &g, &epi, (float *)c->scratch,
                 c->par);
}

static tn_status gemm_fast_gelu_plan(tni_plan *c)
{
    const tni_type *const x = c->in[X];
    gemm_state *st;
    size_t len = 0;
    if (x->dtype != TN_F32 || c->kernels == NULL) return TN_OK;
    st = TNI_NEW(c->arena, gemm_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const tni_gemm_kernels *const ker = &c->kernels->gemm;
    st->kernels = c->kernels;
    st->m = (size_t)tni_nn_extent(x->dims, 0, x->rank - 1);
    st->k = (size_t)c->in[W]->dims[0];
    st->n = (size_t)c->in[W]->dims[1];
    st->bias = c->n_in > BIAS && c->in[BIAS] != NULL;
    if (c->in_const[W] != NULL &&
        tni_gemm_packed_b_len(ker, st->k, st->n, &len) &&
        tni_mul_size(len, sizeof(float), &len)) {
        bool fresh = false;
        float *const block = c->prepack(c, 0, len, &fresh);
        if (block == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
        if (fresh)
            TN_TRY(tni_pack_weights(c, W, 0, false, st->k, st->n, block));
        st->packed = block;
        c->packed |= 1u << W;
    }
    const tni_gemm g = {
        .m = st->m, .n = st->n, .k = st->k, .b_packed = st->packed};
    tni_gemm_plan_init(&st->plan, ker, &g);
    if (!tni_mul_size(st->plan.scratch_len,
                      (size_t)c->n_workers * sizeof(float), &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    c->state = st;
    c->run = gemm_fast_gelu_run;
    return TN_OK;
}

static const tni_op_version gemm_fast_gelu_versions[] = {
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     .infer = gemm_fast_gelu_infer,
     .ref = gemm_fast_gelu_ref,
     .plan = gemm_fast_gelu_plan},
};

const tni_op tni_op_gemm_fast_gelu = {
    .domain = "com.microsoft",
    .name = "GemmFastGelu",
    .summary = "Matrix product, bias and the tanh form of Gelu.",
    TNI_VERSIONS(gemm_fast_gelu_versions),
};
