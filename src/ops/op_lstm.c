/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_lstm.c - ONNX LSTM, opsets 1, 7, 14, 22
 *
 * Shapes:  X[T, N, I], W[D, 4 H, I], R[D, 4 H, H], B[D, 8 H]?, lens[N]?,
 *          h0[D, N, H]?, c0[D, N, H]?, P[D, 3 H]? -> Y[T, D, N, H],
 *          Y_h[D, N, H], Y_c[D, N, H]; gates i, o, f, c (peepholes i, o, f);
 *          layout 1 puts the batch first. D is 2 when bidirectional.
 * Types:   f32, f64, f16, bf16
 * Attrs:   activations (f, g, h: Sigmoid, Tanh, Tanh), clip (of the gates'
 *          pre-activations), input_forget (f = 1 - i)
 * Numeric: i = f(.. + Pi c), f = f(.. + Pf c), c' = f c + i g(..),
 *          o = f(.. + Po c'), h' = o h(c'). The reference carries
 *          doubles, the plan floats.
 * Source:  github.com/onnx/onnx docs/Operators.md#LSTM
 */
#include "ops/rnn.h"

void tni_lstm_step(const tni_rnn_cell *cell, const double *x,
                   const double *before, double *h, double *c, double *tmp)
{
    const tni_rnn *r = cell->rnn;
    const tni_rnn_act *f = &cell->act[0];
    const int64_t n = cell->hidden;
    double *a = tmp, *b = a + 4 * n;
    tni_rnn_dot(a, cell->w, x, 4 * n, cell->input);
    tni_rnn_dot(b, cell->r, before, 4 * n, n);
    for (int64_t j = 0; j < 4 * n; j++) {
        a[j] += b[j];
        if (cell->wb != NULL) a[j] += cell->wb[j] + cell->rb[j];
    }
    const double *p = cell->p;
    for (int64_t j = 0; j < n; j++) {
        double vi = a[j], vo = a[n + j], vf = a[2 * n + j];
        if (p != NULL) {
            vi += p[j] * c[j];
            vf += p[2 * n + j] * c[j];
        }
        const double gi = tni_rnn_activate(f, tni_rnn_clip(r, vi));
        const double gf = r->input_forget
                              ? 1.0 - gi
                              : tni_rnn_activate(f, tni_rnn_clip(r, vf));
        const double gc =
            tni_rnn_activate(&cell->act[1], tni_rnn_clip(r, a[3 * n + j]));
        c[j] = gf * c[j] + gi * gc;
        if (p != NULL) vo += p[n + j] * c[j];
        const double go = tni_rnn_activate(f, tni_rnn_clip(r, vo));
        h[j] = go * tni_rnn_activate(&cell->act[2], c[j]);
    }
}

static void step(const tni_rnn_cell *cell, const double *x, double *h,
                 double *c, double *tmp)
{
    tni_lstm_step(cell, x, h, h, c, tmp);
}

static const tni_rnn_kind kind = {
    .gates = 4,
    .n_acts = 3,
    .has_cell = true,
    .defaults = {TNI_RNN_SIGMOID, TNI_RNN_TANH, TNI_RNN_TANH},
    .step = step,
};

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
    {"initial_c", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"P", TNI_FLOATS, 'T', TNI_OPTIONAL},
};
static const tni_arg out[] = {
    {"Y", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"Y_h", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"Y_c", TNI_FLOATS, 'T', TNI_OPTIONAL},
};
static const tni_attr_spec attrs[] = {
    {"activation_alpha", TNI_ATTR_FLOATS, NULL},
    {"activation_beta", TNI_ATTR_FLOATS, NULL},
    {"activations", TNI_ATTR_STRINGS, "Sigmoid, Tanh, Tanh"},
    {"clip", TNI_ATTR_FLOAT, NULL},
    {"direction", TNI_ATTR_STRING, "forward"},
    {"hidden_size", TNI_ATTR_INT, NULL},
    {"input_forget", TNI_ATTR_INT, "0"},
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

const tni_op tni_op_lstm = {.domain = "",
                            .name = "LSTM",
                            .summary = "one-layer long short-term memory",
                            TNI_VERSIONS(versions)};
