/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_dynamic_quantize_lstm.c - com.microsoft DynamicQuantizeLSTM
 *
 * Shapes:  as LSTM with W[D, I, 4 H] and R[D, H, 4 H] of 8-bit integers;
 *          scales and zero points [D] or [D, 4 H]
 * Types:   f32; weights u8 or s8
 * Attrs:   those of LSTM but layout
 * Numeric: LSTM of weights (w - zero) * scale, where X as a whole, and at each
 *          step the state of all rows, are first rounded to the 256 steps of
 *          their range; in double
 * Source:  ONNX Runtime docs/ContribOperators.md,
 *          com.microsoft.DynamicQuantizeLSTM
 */
#include "base/checked.h"
#include "ops/msquant.h"
#include "ops/nn.h"
#include "ops/rnn.h"

#include <string.h>

enum { W_SCALE = TNI_RNN_P + 1, W_ZERO, R_SCALE, R_ZERO };

static const tni_rnn_kind kind = {
    .gates = 4,
    .n_acts = 3,
    .has_cell = true,
    .defaults = {TNI_RNN_SIGMOID, TNI_RNN_TANH, TNI_RNN_TANH},
};

/* The types of LSTM's inputs: weights with the gates in front. */
static void lstm_types(tni_type *turned, const tni_type **in, int n_in)
{
    for (int i = TNI_RNN_W; i <= TNI_RNN_R && i < n_in; i++) {
        if (in[i] == NULL || in[i]->rank != 3) continue;
        turned[i] = *in[i];
        turned[i].dims[1] = in[i]->dims[2];
        turned[i].dims[2] = in[i]->dims[1];
        in[i] = &turned[i];
    }
}

static tn_status infer(tni_infer *c)
{
    tni_type turned[3];
    const tni_type *in[TNI_RNN_P + 1] = {NULL};
    tni_infer inner = *c;
    inner.n_in = c->n_in <= TNI_RNN_P ? c->n_in : TNI_RNN_P + 1;
    for (int i = 0; i < inner.n_in; i++) in[i] = c->in[i];
    lstm_types(turned, in, inner.n_in);
    inner.in = in;
    return tni_rnn_infer(&inner, &kind);
}

/* Weights [D, k, 4 H] as doubles [D, 4 H, k]. */
static tn_status load_weights(tni_ref *c, int at, int scale_at,
                              const double **out)
{
    const tni_tensor *w = c->in[at], *scale = c->in[scale_at];
    const tni_tensor *zero =
        tni_ref_has(c, scale_at + 1) ? c->in[scale_at + 1] : NULL;
    const int64_t dirs = w->dims[0], k = w->dims[1], n = w->dims[2];
    if ((scale->len != dirs && scale->len != dirs * n) ||
        (zero != NULL && zero->len != dirs && zero->len != scale->len))
        return tni_fail(c->err, TN_EINVAL,
                        "input %d has scales and zero points for neither each "
                        "direction nor each column",
                        at);
    double *y = tni_nn_doubles(c, w->len);
    if (y == NULL) return tni_ref_nomem(c);
    const int64_t per = scale->len == dirs ? 1 : n;
    const int64_t per_zero = zero == NULL || zero->len == dirs ? 1 : n;
    for (int64_t d = 0; d < dirs; d++)
        for (int64_t i = 0; i < k; i++)
            for (int64_t j = 0; j < n; j++) {
                const int64_t z =
                    zero != NULL
                        ? tni_get_i64(zero,
                                      d * per_zero + (per_zero == 1 ? 0 : j))
                        : 0;
                const double s =
                    tni_get_f64(scale, d * per + (per == 1 ? 0 : j));
                y[(d * n + j) * k + i] =
                    (double)(tni_get_i64(w, (d * k + i) * n + j) - z) * s;
            }
    *out = y;
    return TN_OK;
}

typedef struct walk {
    tni_rnn r;
    tni_rnn_dims d;
    tni_rnn_cell cell[2];
    const double *h0, *c0;
    double *x; /* rounded */
    int64_t *len;
    double *y[3];
    double *h, *state, *before, *tmp; /* [N, H] each; tmp of a step */
} walk;

static void walk_direction(const walk *q, int dir)
{
    const int64_t n = q->d.batch, hidden = q->d.hidden;
    const size_t bytes = (size_t)hidden * sizeof(double);
    for (int64_t b = 0; b < n; b++) {
        const int64_t at = tni_rnn_state_at(&q->r, &q->d, b, dir);
        memset(q->h + b * hidden, 0, bytes);
        memset(q->state + b * hidden, 0, bytes);
        if (q->h0 != NULL) memcpy(q->h + b * hidden, q->h0 + at, bytes);
        if (q->c0 != NULL) memcpy(q->state + b * hidden, q->c0 + at, bytes);
    }
    for (int64_t step = 0; step < q->d.seq; step++) {
        tni_ms_requantize(q->before, q->h, n * hidden);
        for (int64_t b = 0; b < n; b++) {
            const bool live = step < q->len[b];
            const int64_t t =
                live && q->r.reverse[dir] ? q->len[b] - 1 - step : step;
            double *h = q->h + b * hidden;
            if (live)
                tni_lstm_step(
                    &q->cell[dir], q->x + tni_rnn_x_at(&q->r, &q->d, t, b),
                    q->before + b * hidden, h, q->state + b * hidden, q->tmp);
            if (q->y[0] == NULL) continue;
            double *y = q->y[0] + tni_rnn_y_at(&q->r, &q->d, t, b, dir);
            if (live)
                memcpy(y, h, bytes);
            else
                memset(y, 0, bytes);
        }
    }
    for (int64_t b = 0; b < n; b++) {
        const int64_t at = tni_rnn_state_at(&q->r, &q->d, b, dir);
        if (q->y[1] != NULL) memcpy(q->y[1] + at, q->h + b * hidden, bytes);
        if (q->y[2] != NULL) memcpy(q->y[2] + at, q->state + b * hidden, bytes);
    }
}

static tn_status load_lens(tni_ref *c, walk *q)
{
    q->len = tni_ref_scratch(c, (size_t)(q->d.batch + 1) * sizeof *q->len);
    if (q->len == NULL) return tni_ref_nomem(c);
    for (int64_t b = 0; b < q->d.batch; b++) {
        q->len[b] = q->d.seq;
        if (!tni_ref_has(c, TNI_RNN_LENS)) continue;
        q->len[b] = tni_get_i64(c->in[TNI_RNN_LENS], b);
        if (q->len[b] < 0 || q->len[b] > q->d.seq)
            return tni_fail(c->err, TN_EINVAL,
                            "sequence_lens[%lld] = %lld outside [0, %lld]",
                            (long long)b, (long long)q->len[b],
                            (long long)q->d.seq);
    }
    return TN_OK;
}

static tn_status load(tni_ref *c, walk *q)
{
    const double *x = NULL, *w = NULL, *m = NULL, *b = NULL, *p = NULL;
    TN_TRY(tni_nn_load(c, c->in[TNI_RNN_X], &x));
    q->x = tni_nn_doubles(c, c->in[TNI_RNN_X]->len);
    if (q->x == NULL) return tni_ref_nomem(c);
    tni_ms_requantize(q->x, x, c->in[TNI_RNN_X]->len);
    TN_TRY(load_weights(c, TNI_RNN_W, W_SCALE, &w));
    TN_TRY(load_weights(c, TNI_RNN_R, R_SCALE, &m));
    if (tni_ref_has(c, TNI_RNN_B)) TN_TRY(tni_nn_load(c, c->in[TNI_RNN_B], &b));
    if (tni_ref_has(c, TNI_RNN_P)) TN_TRY(tni_nn_load(c, c->in[TNI_RNN_P], &p));
    if (tni_ref_has(c, TNI_RNN_H0))
        TN_TRY(tni_nn_load(c, c->in[TNI_RNN_H0], &q->h0));
    if (tni_ref_has(c, TNI_RNN_C0))
        TN_TRY(tni_nn_load(c, c->in[TNI_RNN_C0], &q->c0));
    const int64_t hidden = q->d.hidden, rows = 4 * hidden;
    for (int k = 0; k < q->r.n_dirs; k++) {
        tni_rnn_cell *cell = &q->cell[k];
        cell->rnn = &q->r;
        cell->act = q->r.act[k];
        cell->input = q->d.input;
        cell->hidden = hidden;
        cell->w = w + k * rows * q->d.input;
        cell->r = m + k * rows * hidden;
        if (b != NULL) {
            cell->wb = b + k * 2 * rows;
            cell->rb = cell->wb + rows;
        }
        if (p != NULL) cell->p = p + k * 3 * hidden;
    }
    int64_t states = 0;
    if (!tni_mul_i64(q->d.batch, hidden, &states)) return tni_ref_nomem(c);
    q->h = tni_nn_doubles(c, states);
    q->state = tni_nn_doubles(c, states);
    q->before = tni_nn_doubles(c, states);
    q->tmp = tni_nn_doubles(c, 3 * rows);
    if (q->h == NULL || q->state == NULL || q->before == NULL || q->tmp == NULL)
        return tni_ref_nomem(c);
    return load_lens(c, q);
}

static tn_status ref(tni_ref *c)
{
    walk q;
    memset(&q, 0, sizeof q);
    TN_TRY(tni_rnn_read(&q.r, &kind, c->node, c->err));
    q.d = (tni_rnn_dims){TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN,
                         TNI_DIM_UNKNOWN};
    tni_type types[TNI_RNN_P + 1], turned[3];
    const tni_type *in[TNI_RNN_P + 1] = {NULL};
    const int n_in = c->n_in <= TNI_RNN_P ? c->n_in : TNI_RNN_P + 1;
    for (int i = 0; i < n_in; i++) {
        if (c->in[i] == NULL) continue;
        tni_type_of(&types[i], c->in[i]);
        in[i] = &types[i];
    }
    lstm_types(turned, in, n_in);
    TN_TRY(tni_rnn_shapes(&q.r, &q.d, in, n_in, c->err));
    TN_TRY(load(c, &q));
    const int64_t dirs = q.r.n_dirs;
    const int64_t y[4] = {q.d.seq, dirs, q.d.batch, q.d.hidden};
    const int64_t s[3] = {dirs, q.d.batch, q.d.hidden};
    for (int i = 0; i < c->n_out && i < 3; i++) {
        TN_TRY(tni_ref_output(c, i, TN_F32, i == 0 ? 4 : 3, i == 0 ? y : s));
        TN_TRY(tni_nn_open(c, i, &q.y[i]));
    }
    for (int k = 0; k < q.r.n_dirs; k++) walk_direction(&q, k);
    for (int i = 0; i < c->n_out && i < 3; i++)
        if (tni_ref_wants(c, i)) tni_nn_store(c, i, q.y[i]);
    return TN_OK;
}

#define F TNI_T(TN_F32)
static const tni_arg ins[] = {
    {"X", F, 0, 0},
    {"W", TNI_MS_INT8S, 'W', 0},
    {"R", TNI_MS_INT8S, 'W', 0},
    {"B", F, 0, TNI_OPTIONAL},
    {"sequence_lens", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"initial_h", F, 0, TNI_OPTIONAL},
    {"initial_c", F, 0, TNI_OPTIONAL},
    {"P", F, 0, TNI_OPTIONAL},
    {"W_scale", F, 0, 0},
    {"W_zero_point", TNI_MS_INT8S, 'W', 0},
    {"R_scale", F, 0, 0},
    {"R_zero_point", TNI_MS_INT8S, 'W', 0},
};
static const tni_arg outs[] = {
    {"Y", F, 0, TNI_OPTIONAL},
    {"Y_h", F, 0, TNI_OPTIONAL},
    {"Y_c", F, 0, TNI_OPTIONAL},
};
static const tni_attr_spec attrs[] = {
    {"activation_alpha", TNI_ATTR_FLOATS, NULL},
    {"activation_beta", TNI_ATTR_FLOATS, NULL},
    {"activations", TNI_ATTR_STRINGS, "Sigmoid, Tanh, Tanh"},
    {"clip", TNI_ATTR_FLOAT, NULL},
    {"direction", TNI_ATTR_STRING, "forward"},
    {"hidden_size", TNI_ATTR_INT, NULL},
    {"input_forget", TNI_ATTR_INT, "0"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(ins),
     TNI_OUT(outs),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_dynamic_quantize_lstm = {
    .domain = "com.microsoft",
    .name = "DynamicQuantizeLSTM",
    .summary = "LSTM with 8-bit weights, its inputs quantised as it runs.",
    TNI_VERSIONS(versions),
};
