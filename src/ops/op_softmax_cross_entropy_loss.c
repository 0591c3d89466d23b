/* SPDX-License-Identifier: Apache-2.0 */
/* op_softmax_cross_entropy_loss.c - ONNX SoftmaxCrossEntropyLoss, opsets 12, 13
 * (bfloat16); see loss.h. Output 1 is LogSoftmax of the scores over axis 1. */
#include "ops/loss.h"
#include "ops/nn.h"

#include <math.h>

#define T12    (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))
#define LABELS (TNI_T(TN_I32) | TNI_T(TN_I64))

static const tni_arg in_13[] = {
    {"scores", TNI_FLOATS, 'T', 0},
    {"labels", LABELS, 0, 0},
    {"weights", TNI_FLOATS, 'T', TNI_OPTIONAL},
};
static const tni_arg out_13[] = {
    {"output", TNI_FLOATS, 'T', 0},
    {"log_prob", TNI_FLOATS, 'T', TNI_OPTIONAL},
};
static const tni_arg in_12[] = {
    {"scores", T12, 'T', 0},
    {"labels", LABELS, 0, 0},
    {"weights", T12, 'T', TNI_OPTIONAL},
};
static const tni_arg out_12[] = {
    {"output", T12, 'T', 0},
    {"log_prob", T12, 'T', TNI_OPTIONAL},
};

static tn_status softmax_cross_entropy_loss_infer(tni_infer *c)
{
    TN_TRY(tni_loss_infer(c));
    return c->n_out > 1 ? tni_infer_same(c, 1, 0) : TN_OK;
}

static tn_status softmax_cross_entropy_loss_ref(tni_ref *c)
{
    const tni_tensor *const t = c->in[0];
    const int64_t n = t->dims[1];
    const int64_t inner = tni_nn_extent(t->dims, 2, t->rank);
    const double *x = NULL;
    double *const y = tni_nn_doubles(c, t->len);
    if (y == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_nn_load(c, t, &x));
    for (int64_t u = 0; u < t->dims[0] * inner; u++) {
        const int64_t at = u / inner * n * inner + u % inner;
        double max = -(double)INFINITY, sum = 0;
        for (int64_t k = 0; k < n; k++)
            if (x[at + k * inner] > max) max = x[at + k * inner];
        for (int64_t k = 0; k < n; k++) sum += exp(x[at + k * inner] - max);
        for (int64_t k = 0; k < n; k++)
            y[at + k * inner] = x[at + k * inner] - max - log(sum);
    }
    TN_TRY(tni_ref_output(c, 1, t->dtype, t->rank, t->dims));
    if (tni_ref_wants(c, 1)) tni_from_f64(c->out[1]->data, t->dtype, y, t->len);
    return tni_loss_ref(c, y);
}

static const tni_op_version softmax_cross_entropy_loss_versions[] = {
    {.since = 13,
     TNI_IN(in_13),
     TNI_OUT(out_13),
     TNI_ATTRS(tni_loss_attrs),
     .infer = softmax_cross_entropy_loss_infer,
     .ref = softmax_cross_entropy_loss_ref},
    {.since = 12,
     TNI_IN(in_12),
     TNI_OUT(out_12),
     TNI_ATTRS(tni_loss_attrs),
     .infer = softmax_cross_entropy_loss_infer,
     .ref = softmax_cross_entropy_loss_ref},
};

const tni_op tni_op_softmax_cross_entropy_loss = {
    .domain = "",
    .name = "SoftmaxCrossEntropyLoss",
    .summary = "Loss of labels under scores, and their LogSoftmax.",
    TNI_VERSIONS(softmax_cross_entropy_loss_versions),
};
