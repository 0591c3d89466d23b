/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_lrn.c - ONNX LRN, opsets 1, 13 (bfloat16)
 *
 * Shapes:  x[N, C, D1 … Dk] -> y of the same shape
 * Numeric: y = x / (bias + alpha / size * sum of squares)^beta over channels
 *          c - floor((size-1)/2) … c + ceil((size-1)/2) that exist
 * Source:  github.com/onnx/onnx docs/Operators.md#LRN
 */
#include "ops/nn.h"

#include <math.h>

#define T1 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in_13[] = {{"X", TNI_FLOATS, 'T', 0}};
static const tni_arg out_13[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_arg in_1[] = {{"X", T1, 'T', 0}};
static const tni_arg out_1[] = {{"Y", T1, 'T', 0}};

static const tni_attr_spec attrs_1[] = {
    {"alpha", TNI_ATTR_FLOAT, "1e-4"},
    {"beta", TNI_ATTR_FLOAT, "0.75"},
    {"bias", TNI_ATTR_FLOAT, "1"},
    {"size", TNI_ATTR_INT, "required"},
};

typedef struct lrn {
    int64_t n, channels, inner, before, after;
    double alpha, beta, bias; /* alpha is divided by size */
} lrn;

static tn_status lrn_make(lrn *l, const tni_node *node, int rank,
                          const int64_t *dims, tn_err *err)
{
    const int64_t size = tni_attr_int(node, "size", 0);
    if (rank < 2)
        return tni_fail(err, TN_EINVAL, "input of rank %d, expected 2 or more",
                        rank);
    if (size < 1)
        return tni_fail(err, TN_EINVAL, "size is %lld, expected 1 or more",
                        (long long)size);
    l->n = dims[0];
    l->channels = dims[1];
    l->inner = tni_nn_extent(dims, 2, rank);
    l->before = (size - 1) / 2;
    l->after = size - 1 - l->before;
    l->alpha = (double)tni_attr_float(node, "alpha", 1e-4f) / (double)size;
    l->beta = (double)tni_attr_float(node, "beta", 0.75f);
    l->bias = (double)tni_attr_float(node, "bias", 1.0f);
    return TN_OK;
}

static tn_status lrn_infer(tni_infer *c)
{
    const int64_t none[TN_MAX_RANK] = {0};
    lrn l;
    if (tni_infer_ranked(c, 0))
        TN_TRY(lrn_make(&l, c->node, c->in[0]->rank, none, c->err));
    return tni_infer_unary(c);
}

static int64_t first_channel(const lrn *l, int64_t ch)
{
    return ch > l->before ? ch - l->before : 0;
}

static int64_t last_channel(const lrn *l, int64_t ch)
{
    return l->channels - 1 - ch > l->after ? ch + l->after : l->channels - 1;
}

static tn_status lrn_ref(tni_ref *c)
{
    const tni_tensor *const t = c->in[0];
    const double *x = NULL;
    double *y = NULL;
    lrn l;
    TN_TRY(lrn_make(&l, c->node, t->rank, t->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, t->dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_open(c, 0, &y));
    for (int64_t u = 0; u < l.n * l.channels; u++) {
        const int64_t ch = u % l.channels;
        const double *const plane = x + (u - ch) * l.inner;
        for (int64_t i = 0; i < l.inner; i++) {
            double sum = 0;
            for (int64_t k = first_channel(&l, ch); k <= last_channel(&l, ch);
                 k++)
                sum += plane[k * l.inner + i] * plane[k * l.inner + i];
            y[u * l.inner + i] =
                x[u * l.inner + i] / pow(l.bias + l.alpha * sum, l.beta);
        }
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

/* --- f32 plan ----------------------------------------------------------- */

enum { BLOCK = 256 };

typedef struct lrn_job {
    const lrn *l;
    const float *x;
    float *y;
    int64_t blocks; /* of BLOCK positions in a plane */
} lrn_job;

/* A task is one block of positions of one channel. */
static void lrn_task(void *ctx, size_t begin, size_t end, int worker)
{
    const lrn_job *const j = (const lrn_job *)ctx;
    const lrn *const l = j->l;
    float sum[BLOCK];
    (void)worker;
    for (size_t t = begin; t < end; t++) {
        const int64_t u = (int64_t)t / j->blocks;
        const int64_t at = (int64_t)t % j->blocks * BLOCK;
        const int64_t n = l->inner - at < BLOCK ? l->inner - at : BLOCK;
        const int64_t ch = u % l->channels;
        const float *const x = j->x + u * l->inner + at;
        float *const y = j->y + u * l->inner + at;
        for (int64_t i = 0; i < n; i++) sum[i] = 0;
        for (int64_t k = first_channel(l, ch); k <= last_channel(l, ch); k++) {
            const float *const p = x + (k - ch) * l->inner;
            for (int64_t i = 0; i < n; i++) sum[i] += p[i] * p[i];
        }
        for (int64_t i = 0; i < n; i++)
            sum[i] = (float)l->bias + (float)l->alpha * sum[i];
        if (l->beta == 0.75)
            for (int64_t i = 0; i < n; i++) {
                const float r = sqrtf(sum[i]);
                y[i] = x[i] / (r * sqrtf(r));
            }
        else
            for (int64_t i = 0; i < n; i++)
                y[i] = x[i] / powf(sum[i], (float)l->beta);
    }
}

static void lrn_run(const tni_run *c)
{
    const lrn *const l = (const lrn *)c->state;
    lrn_job j = {l, TNI_CDATA(float, c->in[0]), TNI_DATA(float, c->out[0]),
                 (l->inner + BLOCK - 1) / BLOCK};
    tni_par_for(c->par, (size_t)(l->n * l->channels * j.blocks), lrn_task, &j);
}

static tn_status lrn_plan(tni_plan *c)
{
    lrn *l;
    if (c->in[0]->dtype != TN_F32) return TN_OK;
    l = TNI_NEW(c->arena, lrn);
    if (l == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(lrn_make(l, c->node, c->in[0]->rank, c->in[0]->dims, c->err));
    c->state = l;
    c->run = lrn_run;
    return TN_OK;
}

static const tni_op_version lrn_versions[] = {
    {.since = 13,
     TNI_IN(in_13),
     TNI_OUT(out_13),
     TNI_ATTRS(attrs_1),
     .infer = lrn_infer,
     .ref = lrn_ref,
     .plan = lrn_plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = lrn_infer,
     .ref = lrn_ref,
     .plan = lrn_plan},
};

const tni_op tni_op_lrn = {
    .domain = "",
    .name = "LRN",
    .summary = "Local response normalisation across channels.",
    TNI_VERSIONS(lrn_versions),
};
