/* SPDX-License-Identifier: Apache-2.0 */
/*
 * train.h - one step of an optimiser over a list of tensors
 *
 * Inputs:  R (rate), T (step count), then all X, all gradients, then the state
 *          tensors of each kind; outputs: all new X, then the new states
 * Source:  github.com/onnx/onnx docs/Operators.md, ai.onnx.preview.training
 */
#ifndef TN_SRC_OPS_TRAIN_H
#define TN_SRC_OPS_TRAIN_H

#include "ops/infer.h"

enum { TNI_TRAIN_STATES = 2 };

/* One element: x, gradient and states in, x and states out. */
typedef struct tni_train_cell {
    double x, g, s[TNI_TRAIN_STATES];
} tni_train_cell;

typedef struct tni_train {
    int n_states;
    double rate;
    int64_t step;
    double a[6]; /* the operator's own constants */
    void (*update)(const struct tni_train *t, tni_train_cell *cell);
} tni_train;

tn_status tni_train_infer(tni_infer *c, int n_states);
/* Reads rate and step, then updates everything. */
tn_status tni_train_ref(tni_ref *c, tni_train *t);

extern const tni_arg tni_train_in[3];
extern const tni_arg tni_train_out[1];

#endif
