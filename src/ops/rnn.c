/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rnn.c - what RNN, GRU and LSTM share: attributes, shapes, the walk in time
 *
 * The reference computes in double and rounds once, when a value is stored;
 * states are carried unrounded.
 */
#include "ops/rnn.h"

#include "base/checked.h"
#include "ops/nn.h"

#include <math.h>
#include <string.h>

/* --- attributes -------------------------------------------------------- */

typedef struct act_info {
    const char *name; /* lower case */
    int n_params;     /* 0: none, 1: alpha, 2: alpha and beta */
    float alpha, beta;
} act_info;

static const act_info act_infos[] = {
    [TNI_RNN_AFFINE] = {"affine", 2, 1.0f, 0.0f},
    [TNI_RNN_ELU] = {"elu", 1, 1.0f, 0.0f},
    [TNI_RNN_HARDSIGMOID] = {"hardsigmoid", 2, 0.2f, 0.5f},
    [TNI_RNN_LEAKYRELU] = {"leakyrelu", 1, 0.01f, 0.0f},
    [TNI_RNN_RELU] = {"relu", 0, 0.0f, 0.0f},
    [TNI_RNN_SCALEDTANH] = {"scaledtanh", 2, 1.0f, 1.0f},
    [TNI_RNN_SIGMOID] = {"sigmoid", 0, 0.0f, 0.0f},
    [TNI_RNN_SOFTPLUS] = {"softplus", 0, 0.0f, 0.0f},
    [TNI_RNN_SOFTSIGN] = {"softsign", 0, 0.0f, 0.0f},
    [TNI_RNN_TANH] = {"tanh", 0, 0.0f, 0.0f},
    [TNI_RNN_THRESHOLDEDRELU] = {"thresholdedrelu", 1, 1.0f, 0.0f},
};

static bool same_name(tn_string s, const char *lower)
{
    const size_t len = strlen(lower);
    if (s.len != len) return false;
    for (size_t i = 0; i < len; i++) {
        const char ch = s.ptr[i];
        if ((ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch) != lower[i])
            return false;
    }
    return true;
}

static tn_status find_act(tni_rnn_fn *fn, tn_string name, tn_err *err)
{
    for (int i = 0; i < TNI_COUNT(act_infos); i++) {
        if (same_name(name, act_infos[i].name)) {
            *fn = (tni_rnn_fn)i;
            return TN_OK;
        }
    }
    return tni_fail(err, TN_EUNSUPPORTED, "unknown activation '%.*s'",
                    (int)(name.len < 32 ? name.len : 32), name.ptr);
}

static tn_status read_acts(tni_rnn *r, const tni_node *node, tn_err *err)
{
    int n = 0, n_alpha = 0, n_beta = 0, alpha_at = 0, beta_at = 0;
    const tn_string *names = tni_attr_strings(node, "activations", &n);
    const float *alpha = tni_attr_floats(node, "activation_alpha", &n_alpha);
    const float *beta = tni_attr_floats(node, "activation_beta", &n_beta);
    const int per_dir = r->kind->n_acts;
    if (n != 0 && n < per_dir * r->n_dirs)
        return tni_fail(err, TN_EINVAL, "%d activations, expected %d", n,
                        per_dir * r->n_dirs);
    /* alpha and beta are lists of what those functions that have such a
     * parameter take, in order. */
    for (int d = 0; d < r->n_dirs; d++) {
        for (int i = 0; i < per_dir; i++) {
            tni_rnn_act *a = &r->act[d][i];
            a->fn = r->kind->defaults[i];
            if (n != 0) TN_TRY(find_act(&a->fn, names[d * per_dir + i], err));
            const act_info *info = &act_infos[a->fn];
            a->alpha = info->alpha;
            a->beta = info->beta;
            if (info->n_params >= 1 && alpha_at < n_alpha)
                a->alpha = alpha[alpha_at++];
            if (info->n_params == 2 && beta_at < n_beta)
                a->beta = beta[beta_at++];
        }
    }
    return TN_OK;
}

tn_status tni_rnn_read(tni_rnn *r, const tni_rnn_kind *kind,
                       const tni_node *node, tn_err *err)
{
    memset(r, 0, sizeof *r);
    r->kind = kind;
    r->n_dirs = 1;
    if (tni_attr_is(node, "direction", "bidirectional", "forward")) {
        r->n_dirs = 2;
        r->reverse[1] = true;
    } else if (tni_attr_is(node, "direction", "reverse", "forward")) {
        r->reverse[0] = true;
    } else if (!tni_attr_is(node, "direction", "forward", "forward") &&
               !tni_attr_is(node, "direction", "foward", NULL)) {
        /* "foward" is how GRU-1 spells its default. */
        return tni_fail(err, TN_EINVAL,
                        "direction must be forward, reverse or bidirectional");
    }
    const int64_t layout = tni_attr_int(node, "layout", 0);
    if (layout != 0 && layout != 1)
        return tni_fail(err, TN_EINVAL, "layout must be 0 or 1, not %lld",
                        (long long)layout);
    r->batch_first = layout == 1;
    r->input_forget = tni_attr_int(node, "input_forget", 0) != 0;
    r->linear_before_reset = tni_attr_int(node, "linear_before_reset", 0) != 0;
    r->clip = tni_attr_float(node, "clip", 0.0f);
    if (!(r->clip >= 0.0f))
        return tni_fail(err, TN_EINVAL, "clip must not be negative");
    return read_acts(r, node, err);
}

/* --- shapes ------------------------------------------------------------ */

static tn_status want(const tni_type *const *in, int n_in, int i, int rank,
                      bool *there, tn_err *err)
{
    *there = i < n_in && in[i] != NULL && in[i]->kind == TN_KIND_TENSOR &&
             in[i]->rank >= 0;
    if (*there && in[i]->rank != rank)
        return tni_fail(err, TN_EINVAL, "input %d has rank %d, expected %d", i,
                        in[i]->rank, rank);
    return TN_OK;
}

static tn_status merge(int64_t *dim, int64_t got, int64_t times, int input,
                       tn_err *err)
{
    if (times != 1) {
        if (got < 0) return TN_OK;
        if (got % times != 0)
            return tni_fail(err, TN_EINVAL,
                            "input %d: extent %lld is no multiple of %lld",
                            input, (long long)got, (long long)times);
        got /= times;
    }
    if (!tni_dim_equal(dim, *dim, got))
        return tni_fail(err, TN_EINVAL, "input %d: extent %lld, expected %lld",
                        input, (long long)got, (long long)*dim);
    return TN_OK;
}

tn_status tni_rnn_shapes(const tni_rnn *r, tni_rnn_dims *d,
                         const tni_type *const *in, int n_in, tn_err *err)
{
    const int gates = r->kind->gates;
    int64_t dirs = r->n_dirs;
    bool there;
    TN_TRY(want(in, n_in, TNI_RNN_X, 3, &there, err));
    if (there) {
        const int64_t *x = in[TNI_RNN_X]->dims;
        TN_TRY(merge(&d->seq, x[r->batch_first ? 1 : 0], 1, 0, err));
        TN_TRY(merge(&d->batch, x[r->batch_first ? 0 : 1], 1, 0, err));
        TN_TRY(merge(&d->input, x[2], 1, 0, err));
    }
    for (int i = TNI_RNN_W; i <= TNI_RNN_R; i++) {
        TN_TRY(want(in, n_in, i, 3, &there, err));
        if (!there) continue;
        TN_TRY(merge(&dirs, in[i]->dims[0], 1, i, err));
        TN_TRY(merge(&d->hidden, in[i]->dims[1], gates, i, err));
        TN_TRY(merge(i == TNI_RNN_W ? &d->input : &d->hidden, in[i]->dims[2], 1,
                     i, err));
    }
    TN_TRY(want(in, n_in, TNI_RNN_B, 2, &there, err));
    if (there) {
        TN_TRY(merge(&dirs, in[TNI_RNN_B]->dims[0], 1, TNI_RNN_B, err));
        TN_TRY(merge(&d->hidden, in[TNI_RNN_B]->dims[1], 2 * gates, TNI_RNN_B,
                     err));
    }
    TN_TRY(want(in, n_in, TNI_RNN_LENS, 1, &there, err));
    if (there)
        TN_TRY(
            merge(&d->batch, in[TNI_RNN_LENS]->dims[0], 1, TNI_RNN_LENS, err));
    for (int i = TNI_RNN_H0; i <= TNI_RNN_C0; i++) {
        TN_TRY(want(in, n_in, i, 3, &there, err));
        if (!there) continue;
        const int64_t *s = in[i]->dims;
        TN_TRY(merge(&dirs, s[r->batch_first ? 1 : 0], 1, i, err));
        TN_TRY(merge(&d->batch, s[r->batch_first ? 0 : 1], 1, i, err));
        TN_TRY(merge(&d->hidden, s[2], 1, i, err));
    }
    TN_TRY(want(in, n_in, TNI_RNN_P, 2, &there, err));
    if (there) {
        TN_TRY(merge(&dirs, in[TNI_RNN_P]->dims[0], 1, TNI_RNN_P, err));
        TN_TRY(merge(&d->hidden, in[TNI_RNN_P]->dims[1], 3, TNI_RNN_P, err));
    }
    return TN_OK;
}

tn_status tni_rnn_infer(tni_infer *c, const tni_rnn_kind *kind)
{
    tni_rnn r;
    TN_TRY(tni_rnn_read(&r, kind, c->node, c->err));
    const int64_t hidden = tni_attr_int(c->node, "hidden_size", 0);
    tni_rnn_dims d = {TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN,
                      hidden > 0 ? hidden : TNI_DIM_UNKNOWN};
    TN_TRY(tni_rnn_shapes(&r, &d, c->in, c->n_in, c->err));
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    const int64_t dirs = r.n_dirs;
    for (int i = 0; i < c->n_out; i++) {
        if (i == 0) {
            const int64_t plain[] = {d.seq, dirs, d.batch, d.hidden};
            const int64_t first[] = {d.batch, d.seq, dirs, d.hidden};
            TN_TRY(
                tni_infer_dims(c, i, dtype, 4, r.batch_first ? first : plain));
        } else {
            const int64_t plain[] = {dirs, d.batch, d.hidden};
            const int64_t first[] = {d.batch, dirs, d.hidden};
            TN_TRY(
                tni_infer_dims(c, i, dtype, 3, r.batch_first ? first : plain));
        }
    }
    return TN_OK;
}

/* --- arithmetic -------------------------------------------------------- */

double tni_rnn_activate(const tni_rnn_act *a, double x)
{
    const double alpha = (double)a->alpha, beta = (double)a->beta;
    switch (a->fn) {
    case TNI_RNN_AFFINE: return alpha * x + beta;
    case TNI_RNN_ELU: return x >= 0.0 ? x : alpha * expm1(x);
    case TNI_RNN_HARDSIGMOID: return fmin(fmax(alpha * x + beta, 0.0), 1.0);
    case TNI_RNN_LEAKYRELU: return x >= 0.0 ? x : alpha * x;
    case TNI_RNN_RELU: return x > 0.0 ? x : 0.0;
    case TNI_RNN_SCALEDTANH: return alpha * tanh(beta * x);
    case TNI_RNN_SIGMOID: return 1.0 / (1.0 + exp(-x));
    case TNI_RNN_SOFTPLUS: return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case TNI_RNN_SOFTSIGN: return x / (1.0 + fabs(x));
    case TNI_RNN_TANH: return tanh(x);
    case TNI_RNN_THRESHOLDEDRELU: return x >= alpha ? x : 0.0;
    }
    return x;
}

double tni_rnn_clip(const tni_rnn *r, double x)
{
    const double clip = (double)r->clip;
    if (clip <= 0.0) return x;
    return x > clip ? clip : x < -clip ? -clip : x;
}

void tni_rnn_dot(double *out, const double *m, const double *x, int64_t rows,
                 int64_t k)
{
    for (int64_t i = 0; i < rows; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < k; j++) sum += m[i * k + j] * x[j];
        out[i] = sum;
    }
}

/* --- the reference ------------------------------------------------------ */

typedef struct walk {
    const tni_rnn *r;
    tni_rnn_dims d;
    tni_rnn_cell cell[2];
    const double *x, *h0, *c0;
    const tni_tensor *lens;
    double *y, *yh, *yc;
    double *tmp; /* per worker: h, c, 3 * gates * hidden */
    int64_t tmp_len;
} walk;

/* One sequence of one direction. */
static void walk_row(const walk *q, int64_t b, int dir, double *tmp)
{
    const tni_rnn_dims *d = &q->d;
    const tni_rnn *r = q->r;
    const size_t bytes = (size_t)d->hidden * sizeof(double);
    double *h = tmp, *c = h + d->hidden, *rest = c + d->hidden;
    const int64_t at = tni_rnn_state_at(r, d, b, dir);
    memset(h, 0, 2 * bytes);
    if (q->h0 != NULL) memcpy(h, q->h0 + at, bytes);
    if (q->c0 != NULL) memcpy(c, q->c0 + at, bytes);
    const int64_t len = q->lens != NULL ? tni_get_i64(q->lens, b) : d->seq;
    for (int64_t step = 0; step < d->seq; step++) {
        const bool live = step < len;
        const int64_t t = live && r->reverse[dir] ? len - 1 - step : step;
        if (live)
            r->kind->step(&q->cell[dir], q->x + tni_rnn_x_at(r, d, t, b), h, c,
                          rest);
        if (q->y == NULL) continue;
        double *y = q->y + tni_rnn_y_at(r, d, t, b, dir);
        if (live)
            memcpy(y, h, bytes);
        else
            memset(y, 0, bytes);
    }
    if (q->yh != NULL) memcpy(q->yh + at, h, bytes);
    if (q->yc != NULL) memcpy(q->yc + at, c, bytes);
}

static void walk_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const walk *q = ctx;
    for (size_t i = begin; i < end; i++)
        walk_row(q, (int64_t)i % q->d.batch, (int)((int64_t)i / q->d.batch),
                 q->tmp + worker * q->tmp_len);
}

static tn_status check_lens(tni_ref *c, const tni_tensor *lens, int64_t seq)
{
    for (int64_t i = 0; i < lens->len; i++) {
        const int64_t len = tni_get_i64(lens, i);
        if (len < 0 || len > seq)
            return tni_fail(c->err, TN_EINVAL,
                            "sequence_lens[%lld] = %lld outside [0, %lld]",
                            (long long)i, (long long)len, (long long)seq);
    }
    return TN_OK;
}

static tn_status load_cells(tni_ref *c, walk *q)
{
    const tni_rnn *r = q->r;
    const double *w, *m, *b = NULL, *p = NULL;
    TN_TRY(tni_nn_load(c, c->in[TNI_RNN_W], &w));
    TN_TRY(tni_nn_load(c, c->in[TNI_RNN_R], &m));
    if (tni_ref_has(c, TNI_RNN_B)) TN_TRY(tni_nn_load(c, c->in[TNI_RNN_B], &b));
    if (tni_ref_has(c, TNI_RNN_P)) TN_TRY(tni_nn_load(c, c->in[TNI_RNN_P], &p));
    const int64_t rows = r->kind->gates * q->d.hidden;
    for (int k = 0; k < r->n_dirs; k++) {
        tni_rnn_cell *cell = &q->cell[k];
        cell->rnn = r;
        cell->act = r->act[k];
        cell->input = q->d.input;
        cell->hidden = q->d.hidden;
        cell->w = w + k * rows * q->d.input;
        cell->r = m + k * rows * q->d.hidden;
        if (b != NULL) {
            cell->wb = b + k * 2 * rows;
            cell->rb = cell->wb + rows;
        }
        if (p != NULL) cell->p = p + k * 3 * q->d.hidden;
    }
    return TN_OK;
}

tn_status tni_rnn_ref(tni_ref *c, const tni_rnn_kind *kind)
{
    tni_rnn r;
    walk q;
    memset(&q, 0, sizeof q);
    TN_TRY(tni_rnn_read(&r, kind, c->node, c->err));
    q.r = &r;
    q.d = (tni_rnn_dims){TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN,
                         TNI_DIM_UNKNOWN};
    tni_type types[8];
    const tni_type *in[8] = {NULL};
    for (int i = 0; i < c->n_in && i < 8; i++) {
        if (c->in[i] == NULL) continue;
        tni_type_of(&types[i], c->in[i]);
        in[i] = &types[i];
    }
    TN_TRY(tni_rnn_shapes(&r, &q.d, in, c->n_in, c->err));
    TN_TRY(load_cells(c, &q));
    TN_TRY(tni_nn_load(c, c->in[TNI_RNN_X], &q.x));
    if (tni_ref_has(c, TNI_RNN_H0))
        TN_TRY(tni_nn_load(c, c->in[TNI_RNN_H0], &q.h0));
    if (kind->has_cell && tni_ref_has(c, TNI_RNN_C0))
        TN_TRY(tni_nn_load(c, c->in[TNI_RNN_C0], &q.c0));
    if (tni_ref_has(c, TNI_RNN_LENS)) {
        q.lens = c->in[TNI_RNN_LENS];
        TN_TRY(check_lens(c, q.lens, q.d.seq));
    }
    const tn_dtype dtype = c->in[0]->dtype;
    const int64_t dirs = r.n_dirs;
    double **const to[3] = {&q.y, &q.yh, &q.yc};
    for (int i = 0; i < c->n_out && i < 3; i++) {
        const int64_t y[2][4] = {{q.d.seq, dirs, q.d.batch, q.d.hidden},
                                 {q.d.batch, q.d.seq, dirs, q.d.hidden}};
        const int64_t s[2][3] = {{dirs, q.d.batch, q.d.hidden},
                                 {q.d.batch, dirs, q.d.hidden}};
        TN_TRY(tni_ref_output(c, i, dtype, i == 0 ? 4 : 3,
                              i == 0 ? y[r.batch_first] : s[r.batch_first]));
        TN_TRY(tni_nn_open(c, i, to[i]));
    }
    q.tmp_len = (2 + 3 * (int64_t)kind->gates) * q.d.hidden;
    int64_t len = 0;
    if (!tni_mul_i64(q.tmp_len, tni_par_workers(c->par), &len))
        return tni_ref_nomem(c);
    q.tmp = tni_nn_doubles(c, len);
    if (q.tmp == NULL) return tni_ref_nomem(c);
    tni_par_for(c->par, (size_t)(dirs * q.d.batch), walk_rows, &q);
    double *const from[3] = {q.y, q.yh, q.yc};
    for (int i = 0; i < c->n_out && i < 3; i++)
        if (tni_ref_wants(c, i)) tni_nn_store(c, i, from[i]);
    return TN_OK;
}
