/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loss.h - weighted negative log likelihood, shared by the two losses
 *
 * Shapes:  scores[N, C, d1 … dk], labels[N, d1 … dk], weights[C] optional ->
 *          loss[N, d1 … dk] for reduction "none", else a scalar
 * Numeric: loss = -weights[label] * log_prob[label]; a label equal to
 *          ignore_index weighs 0. "mean" divides by the sum of the weights.
 * Errors:  EINVAL a label outside [0, C) that is not ignored
 */
#ifndef TN_SRC_OPS_LOSS_H
#define TN_SRC_OPS_LOSS_H

#include "ops/infer.h"

tn_status tni_loss_infer(tni_infer *c);
/* Output 0 from log probabilities laid out as input 0. */
tn_status tni_loss_ref(tni_ref *c, const double *log_prob);

extern const tni_attr_spec tni_loss_attrs[2];

#endif
