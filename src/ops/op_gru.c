/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_gru.c - ONNX GRU, opsets 1, 3, 7, 14, 22
 *
 * Shapes:  X[T, N, I], W[D, 3 H, I], R[D, 3 H, H], B[D, 6 H]?, lens[N]?,
 *          h0[D, N, H]? -> Y[T, D, N, H], Y_h[D, N, H]; gates z, r, h;
 *          layout 1 puts the batch first. D is 2 when bidirectional.
 * Types:   f32, f64, f16, bf16
 * Attrs:   activations (f, g: Sigmoid, Tanh), clip (of pre-activations),
 *          linear_before_reset
 * Numeric: z = f(X Wz' + h Rz' + b), r = f(X Wr' + h Rr' + b),
 *          n = g(X Wh' + (r h) Rh' + b), or g(X Wh' + r (h Rh' + Rb) + Wb)
 *          when linear_before_reset; h = (1 - z) n + z h. The reference
 *          carries doubles, the plan floats.
 * Source:  github.com/onnx/onnx docs/Operators.md#GRU
 */
#include "ops/rnn.h"

static void step(const tni_rnn_cell *cell, const double *x, double *h,
                 double *c, double *tmp)
{
    (void)c;
    const tni_rnn *r = cell->rnn;
    const tni_rnn_act *f = &cell->act[0], *g = &cell->act[1];
    const int64_t n = cell->hidden;
    double *a = tmp, *b = a + 3 * n, *rh = b + 3 * n;
    const double *mh = cell->r + 2 * n * n;
    tni_rnn_dot(a, cell->w, x, 3 * n, cell->input);
    tni_rnn_dot(b, cell->r, h, 2 * n, n);
    if (cell->wb != NULL)
        for (int64_t j = 0; j < 3 * n; j++) a[j] += cell->wb[j];
    if (cell->rb != NULL)
        for (int64_t j = 0; j < 2 * n; j++) b[j] += cell->rb[j];
    for (int64_t j = 0; j < 2 * n; j++)
        a[j] = tni_rnn_activate(f, tni_rnn_clip(r, a[j] + b[j]));
    const double *z = a, *reset = a + n;
    double *t = a + 2 * n;
    if (r->linear_before_reset) {
        tni_rnn_dot(rh, mh, h, n, n);
        for (int64_t j = 0; j < n; j++) {
            if (cell->rb != NULL) rh[j] += cell->rb[2 * n + j];
            t[j] += reset[j] * rh[j];
        }
    } else {
        for (int64_t j = 0; j < n; j++) b[j] = reset[j] * h[j];
        tni_rnn_dot(rh, mh, b, n, n);
        for (int64_t j = 0; j < n; j++) {
            if (cell->rb != NULL) rh[j] += cell->rb[2 * n + j];
            t[j] += rh[j];
        }
    }
    for (int64_t j = 0; j < n; j++) {
        const double v = tni_rnn_activate(g, tni_rnn_clip(r, t[j]));
        h[j] = (1.0 - z[j]) * v + z[j] * h[j];
    }
}

static const tni_rnn_kind kind = {
    .gates = 3,
    .n_acts = 2,
    .defaults = {TNI_RNN_SIGMOID, TNI_RNN_TANH},
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
};
static const tni_arg out[] = {
    {"Y", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"Y_h", TNI_FLOATS, 'T', TNI_OPTIONAL},
};
static const tni_attr_spec attrs[] = {
    {"activation_alpha", TNI_ATTR_FLOATS, NULL},
    {"activation_beta", TNI_ATTR_FLOATS, NULL},
    {"activations", TNI_ATTR_STRINGS, "Sigmoid, Tanh"},
    {"clip", TNI_ATTR_FLOAT, NULL},
    {"direction", TNI_ATTR_STRING, "forward"},
    {"hidden_size", TNI_ATTR_INT, NULL},
    {"layout", TNI_ATTR_INT, "0"},
    {"linear_before_reset", TNI_ATTR_INT, "0"},
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

const tni_op tni_op_gru = {.domain = "",
                           .name = "GRU",
                           .summary = "one-layer gated recurrent unit",
                           TNI_VERSIONS(versions)};
