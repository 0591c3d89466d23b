/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_cdist.c - com.microsoft CDist
 *
 * Shapes:  A[m, k], B[n, k]  ->  C[m, n], the distance of each row of A from
 *          each of B
 * Types:   f32, f64
 * Attrs:   metric: "sqeuclidean" or "euclidean"
 * Numeric: the sum of squared differences in double, rounded once
 * Source:  ONNX Runtime docs/ContribOperators.md, com.microsoft.CDist
 */
#include "ops/infer.h"
#include "ops/nn.h"

#include <math.h>

static tn_status infer(tni_infer *c)
{
    int64_t m = TNI_DIM_UNKNOWN, n = m, k = m;
    if (!tni_attr_is(c->node, "metric", "sqeuclidean", "sqeuclidean") &&
        !tni_attr_is(c->node, "metric", "euclidean", NULL))
        return tni_fail(c->err, TN_EINVAL,
                        "metric must be sqeuclidean or euclidean");
    TN_TRY(tni_nn_want_rank(c, 0, 2));
    TN_TRY(tni_nn_want_rank(c, 1, 2));
    TN_TRY(tni_nn_merge_dim(c, 0, 0, &m));
    TN_TRY(tni_nn_merge_dim(c, 1, 0, &n));
    TN_TRY(tni_nn_merge_dim(c, 0, 1, &k));
    TN_TRY(tni_nn_merge_dim(c, 1, 1, &k));
    return tni_infer_dims(c, 0, tni_infer_dtype(c, 0), 2, (int64_t[]){m, n});
}

typedef struct job {
    const double *a, *b;
    double *y;
    int64_t n, k;
    bool root;
} job;

static void distances(void *ctx, size_t begin, size_t end, int worker)
{
    const job *j = ctx;
    (void)worker;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++)
        for (int64_t r = 0; r < j->n; r++) {
            double sum = 0.0;
            for (int64_t t = 0; t < j->k; t++) {
                const double d = j->a[i * j->k + t] - j->b[r * j->k + t];
                sum += d * d;
            }
            j->y[i * j->n + r] = j->root ? sqrt(sum) : sum;
        }
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *a = c->in[0], *b = c->in[1];
    if (a->rank != 2 || b->rank != 2 || a->dims[1] != b->dims[1])
        return tni_fail(c->err, TN_EINVAL,
                        "A and B must be matrices with rows of one length");
    TN_TRY(tni_ref_output(c, 0, a->dtype, 2,
                          (int64_t[]){a->dims[0], b->dims[0]}));
    job j = {.n = b->dims[0], .k = a->dims[1]};
    j.root = tni_attr_is(c->node, "metric", "euclidean", NULL);
    TN_TRY(tni_nn_load(c, a, &j.a));
    TN_TRY(tni_nn_load(c, b, &j.b));
    TN_TRY(tni_nn_open(c, 0, &j.y));
    if (j.y == NULL) return TN_OK;
    tni_par_for(c->par, (size_t)a->dims[0], distances, &j);
    tni_nn_store(c, 0, j.y);
    return TN_OK;
}

#define T (TNI_T(TN_F32) | TNI_T(TN_F64))
static const tni_arg ins[] = {{"A", T, 'T', 0}, {"B", T, 'T', 0}};
static const tni_arg outs[] = {{"C", T, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"metric", TNI_ATTR_STRING, "sqeuclidean"}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_ms_cdist = {
    .domain = "com.microsoft",
    .name = "CDist",
    .summary = "Distances between the rows of two matrices",
    TNI_VERSIONS(versions),
};
