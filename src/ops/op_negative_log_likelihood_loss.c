/* SPDX-License-Identifier: Apache-2.0 */
/* op_negative_log_likelihood_loss.c - ONNX NegativeLogLikelihoodLoss, opsets 12,
 * 22 (bfloat16); see loss.h */
#include "ops/loss.h"
#include "ops/nn.h"

#define T12    (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))
#define LABELS (TNI_T(TN_I32) | TNI_T(TN_I64))

static const tni_arg in_22[] = {
    {"input", TNI_FLOATS, 'T', 0},
    {"target", LABELS, 0, 0},
    {"weight", TNI_FLOATS, 'T', TNI_OPTIONAL},
};
static const tni_arg out_22[] = {{"loss", TNI_FLOATS, 'T', 0}};
static const tni_arg in_12[] = {
    {"input", T12, 'T', 0},
    {"target", LABELS, 0, 0},
    {"weight", T12, 'T', TNI_OPTIONAL},
};
static const tni_arg out_12[] = {{"loss", T12, 'T', 0}};

static tn_status negative_log_likelihood_loss_ref(tni_ref *c)
{
    const double *x = NULL;
    TN_TRY(tni_nn_load(c, c->in[0], &x));
    return tni_loss_ref(c, x);
}

static const tni_op_version negative_log_likelihood_loss_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(tni_loss_attrs),
     .infer = tni_loss_infer,
     .ref = negative_log_likelihood_loss_ref},
    {.since = 12,
     TNI_IN(in_12),
     TNI_OUT(out_12),
     TNI_ATTRS(tni_loss_attrs),
     .infer = tni_loss_infer,
     .ref = negative_log_likelihood_loss_ref},
};

const tni_op tni_op_negative_log_likelihood_loss = {
    .domain = "",
    .name = "NegativeLogLikelihoodLoss",
    .summary = "Loss of labels under log probabilities.",
    TNI_VERSIONS(negative_log_likelihood_loss_versions),
};
