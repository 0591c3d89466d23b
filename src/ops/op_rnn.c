/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_rnn.c - ONNX RNN, opsets 1, 7, 14, 22
 *
 * Shapes:  X[T, N, I], W[D, H, I], R[D, H, H], B[D, 2 H]?, lens[N]?,
 *          h0[D, N, H]? -> Y[T, D, N, H], Y_h[D, N, H]; layout 1 puts the
 *          batch first. D is 2 when bidirectional.
 * Types:   f32, f64, f16, bf16
 * Attrs:   activations (one a direction, Tanh), clip (of pre-activations)
 * Numeric: H = f(X W' + h R' + Wb + Rb); the reference carries doubles, the
 *          plan floats
 * Source:  github.com/onnx/onnx docs/Operators.md#RNN
 */
#include "ops/rnn.h"

static void step(const tni_rnn_cell *cell, const double *x, double *h,
                 double *c, double *tmp)
{
    (void)c;
    const int64_t n = cell->hidden;
    double *a = tmp, *b = tmp + n;
    tni_rnn_dot(a, cell->w, x, n, cell->input);
    tni_rnn_dot(b, cell->r, h, n, n);
    for (int64_t j = 0; j < n; j++) {
        double v = a[j] + b[j];
        if (cell->wb != NULL) v += cell->wb[j] + cell->rb[j];
        h[j] = tni_rnn_activate(&cell->act[0], tni_rnn_clip(cell->rnn, v));
    }
}

static const tni_rnn_kind kind = {
    .gates = 1, .n_acts = 1, .defaults = {TNI_RNN_TANH}, .step = step};

static tn_status infer(tni_infer *c)
{
    return tni_rnn_infer(c, &kind);
}

static tn_status ref(tni_ref *c)
{
    return tni_rnn_ref(c, &kind);
}

static tn_status plan(tni_plan *c)
{
    return tni_rnn_plan(c, &kind);
}

static const tni_arg in[] = {
    {"X", TNI_FLOATS, 'T', 0},
    {"W", TNI_FLOATS, 'T', 0},
    {"R", TNI_FLOATS, 'T', 0},
    {"B", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"sequence_lens", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"initial_h", TNI_FLOATS, 'T', TNI_OPTIONAL},
};
static const tni_arg out[] = {
    {"Y", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"Y_h", TNI_FLOATS, 'T', TNI_OPTIONAL},
};
static const tni_attr_spec attrs[] = {
    {"activation_alpha", TNI_ATTR_FLOATS, NULL},
    {"activation_beta", TNI_ATTR_FLOATS, NULL},
    {"activations", TNI_ATTR_STRINGS, "Tanh, Tanh"},
    {"clip", TNI_ATTR_FLOAT, NULL},
    {"direction", TNI_ATTR_STRING, "forward"},
    {"hidden_size", TNI_ATTR_INT, NULL},
    {"layout", TNI_ATTR_INT, "0"},
    {"output_sequence", TNI_ATTR_INT, "0"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_rnn = {.domain = "",
                           .name = "RNN",
                           .summary = "one-layer simple recurrent network",
                           TNI_VERSIONS(versions)};
