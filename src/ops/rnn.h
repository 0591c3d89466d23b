/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rnn.h - what RNN, GRU and LSTM share: attributes, shapes, the walk in time
 *
 * An operator describes one cell: how many gates its weights hold, how many
 * activations a direction has, and one step. Everything else, directions,
 * layouts, lengths and states, is the same for all three.
 */
#ifndef TN_SRC_OPS_RNN_H
#define TN_SRC_OPS_RNN_H

#include "ops/infer.h"

typedef enum tni_rnn_fn {
    TNI_RNN_AFFINE,
    TNI_RNN_ELU,
    TNI_RNN_HARDSIGMOID,
    TNI_RNN_LEAKYRELU,
    TNI_RNN_RELU,
    TNI_RNN_SCALEDTANH,
    TNI_RNN_SIGMOID,
    TNI_RNN_SOFTPLUS,
    TNI_RNN_SOFTSIGN,
    TNI_RNN_TANH,
    TNI_RNN_THRESHOLDEDRELU
} tni_rnn_fn;

typedef struct tni_rnn_act {
    tni_rnn_fn fn;
    float alpha, beta;
} tni_rnn_act;

enum { TNI_RNN_MAX_ACTS = 3 };

struct tni_rnn_cell;

/* What an operator is made of. */
typedef struct tni_rnn_kind {
    int gates, n_acts;
    bool has_cell; /* LSTM: initial_c, P and Y_c */
    tni_rnn_fn defaults[TNI_RNN_MAX_ACTS];
    /* One step of one row: h, and c where there is a cell, are in and out;
     * tmp holds 3 * gates * hidden doubles. */
    void (*step)(const struct tni_rnn_cell *cell, const double *x, double *h,
                 double *c, double *tmp);
} tni_rnn_kind;

/* The attributes, read. */
typedef struct tni_rnn {
    const tni_rnn_kind *kind;
    int n_dirs;
    bool reverse[2];
    bool batch_first;
    bool input_forget, linear_before_reset;
    float clip; /* 0: none */
    tni_rnn_act act[2][TNI_RNN_MAX_ACTS];
} tni_rnn;

/* One direction's weights, as doubles. */
typedef struct tni_rnn_cell {
    const tni_rnn *rnn;
    const tni_rnn_act *act;
    int64_t input, hidden;
    const double *w, *r; /* [gates * hidden, input], [gates * hidden, hidden] */
    const double *wb, *rb; /* [gates * hidden] or NULL */
    const double *p;       /* [3 * hidden] or NULL */
} tni_rnn_cell;

typedef struct tni_rnn_dims {
    int64_t seq, batch, input, hidden;
} tni_rnn_dims;

/* Node inputs; the last two only where there is a cell. */
enum {
    TNI_RNN_X,
    TNI_RNN_W,
    TNI_RNN_R,
    TNI_RNN_B,
    TNI_RNN_LENS,
    TNI_RNN_H0,
    TNI_RNN_C0,
    TNI_RNN_P
};

tn_status tni_rnn_read(tni_rnn *rnn, const tni_rnn_kind *kind,
                       const tni_node *node, tn_err *err);
/* Merges what every input says about the extents; unknown ones stay so. */
tn_status tni_rnn_shapes(const tni_rnn *rnn, tni_rnn_dims *dims,
                         const tni_type *const *in, int n_in, tn_err *err);

tn_status tni_rnn_infer(tni_infer *c, const tni_rnn_kind *kind);
tn_status tni_rnn_ref(tni_ref *c, const tni_rnn_kind *kind);
/* f32 with constant weights; see rnn_plan.c. */
tn_status tni_rnn_plan(tni_plan *c, const tni_rnn_kind *kind);

double tni_rnn_activate(const tni_rnn_act *act, double x);
/* Applies the clip of the pre-activations. */
double tni_rnn_clip(const tni_rnn *rnn, double x);
/* out[i] = sum over k of m[i, k] x[k], for `rows` rows. */
void tni_rnn_dot(double *out, const double *m, const double *x, int64_t rows,
                 int64_t k);

/* One LSTM step (op_lstm.c) from the state `before` to h; they may be one. */
void tni_lstm_step(const tni_rnn_cell *cell, const double *x,
                   const double *before, double *h, double *c, double *tmp);

/* Element (t, b, dir, 0) of Y and (dir, b, 0) of the states, by layout. */
static inline int64_t tni_rnn_y_at(const tni_rnn *r, const tni_rnn_dims *d,
                                   int64_t t, int64_t b, int dir)
{
    return r->batch_first ? ((b * d->seq + t) * r->n_dirs + dir) * d->hidden
                          : ((t * r->n_dirs + dir) * d->batch + b) * d->hidden;
}
static inline int64_t tni_rnn_state_at(const tni_rnn *r, const tni_rnn_dims *d,
                                       int64_t b, int dir)
{
    return (r->batch_first ? b * r->n_dirs + dir : dir * d->batch + b) *
           d->hidden;
}
static inline int64_t tni_rnn_x_at(const tni_rnn *r, const tni_rnn_dims *d,
                                   int64_t t, int64_t b)
{
    return (r->batch_first ? b * d->seq + t : t * d->batch + b) * d->input;
}

#endif
