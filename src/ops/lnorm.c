/* SPDX-License-Identifier: Apache-2.0 */
/* lnorm.c - row normalisation: reference and f32 plan */
#include "ops/lnorm.h"

#include "kernels/kernels.h"
#include "ops/nn.h"

#include <math.h>

void tni_lnorm_row(const tni_lnorm *p, const double *x, const double *scale,
                   const double *bias, double *y, double *mean, double *inv_std)
{
    const double n = (double)p->cols;
    double m = 0, v = 0;
    if (!p->rms) {
        for (int64_t i = 0; i < p->cols; i++) m += x[i];
        m /= n;
    }
    for (int64_t i = 0; i < p->cols; i++) v += (x[i] - m) * (x[i] - m);
    const double inv = 1.0 / sqrt(v / n + p->epsilon);
    for (int64_t i = 0; i < p->cols; i++) {
        double r = (x[i] - m) * inv;
        if (scale != NULL) r *= scale[i];
        if (bias != NULL) r += bias[i];
        y[i] = r;
    }
    if (mean != NULL) *mean = m;
    if (inv_std != NULL) *inv_std = inv;
}

/* --- x, scale, bias ------------------------------------------------------ */

static tn_dtype stash_dtype(const tni_node *node)
{
    const int64_t t = tni_attr_int(node, "stash_type", TN_F32);
    return t == TN_BF16 || t == TN_F64 || t == TN_F16 ? (tn_dtype)t : TN_F32;
}

static tn_status split_axis(int *at, const tni_node *node, int rank,
                            tn_err *err)
{
    return tni_axis(at, tni_attr_int(node, "axis", -1), rank, err);
}

tn_status tni_lnorm_infer(tni_infer *c, const tni_lnorm_op *op)
{
    const tn_dtype y = tni_infer_dtype(c, 1);
    const tn_dtype stash = stash_dtype(c->node);
    int64_t dims[TN_MAX_RANK];
    int at = 0;
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, y);
        if (op->mean_out >= 0) tni_infer_unranked(c, op->mean_out, stash);
        if (op->inv_out >= 0) tni_infer_unranked(c, op->inv_out, stash);
        return TN_OK;
    }
    TN_TRY(split_axis(&at, c->node, c->in[0]->rank, c->err));
    TN_TRY(tni_infer_dims(c, 0, y, c->in[0]->rank, c->in[0]->dims));
    for (int i = 0; i < c->in[0]->rank; i++)
        dims[i] = i < at ? c->in[0]->dims[i] : 1;
    if (op->mean_out >= 0 && op->mean_out < c->n_out)
        TN_TRY(tni_infer_dims(c, op->mean_out, stash, c->in[0]->rank, dims));
    if (op->inv_out >= 0 && op->inv_out < c->n_out)
        TN_TRY(tni_infer_dims(c, op->inv_out, stash, c->in[0]->rank, dims));
    return TN_OK;
}

/* True when t, leading ones aside, has exactly x's extents from `at` on. */
static bool is_cols(int rank, const int64_t *dims, int xrank,
                    const int64_t *xdims, int at)
{
    if (rank > xrank) return false;
    for (int i = 0; i < xrank; i++) {
        const int a = i - (xrank - rank);
        const int64_t d = a < 0 ? 1 : dims[a];
        if (d != (i < at ? 1 : xdims[i])) return false;
    }
    return true;
}

/* Scale or bias as rows of cols doubles: shared (step 0) or one per row. */
static tn_status load_affine(tni_ref *c, int in, const tni_tensor *x, int at,
                             int64_t cols, const double **out, int64_t *step)
{
    const tni_tensor *t;
    const double *src = NULL;
    double *full;
    *out = NULL;
    *step = 0;
    if (in < 0 || !tni_ref_has(c, in)) return TN_OK;
    t = c->in[in];
    TN_TRY(tni_nn_load(c, t, &src));
    *out = src;
    if (is_cols(t->rank, t->dims, x->rank, x->dims, at)) return TN_OK;
    /* A flat vector of cols elements stands for the normalised axes. */
    if (t->len == cols && t->rank == 1) return TN_OK;
    for (int i = 0; i < t->rank; i++) {
        const int a = i + x->rank - t->rank;
        if (a < 0 || (t->dims[i] != 1 && t->dims[i] != x->dims[a]))
            return tni_fail(c->err, TN_EINVAL,
                            "input %d does not broadcast to the input", in);
    }
    full = tni_nn_doubles(c, x->len);
    if (full == NULL) return tni_ref_nomem(c);
    for (int64_t k = 0; k < x->len; k++) {
        int64_t rest = k, off = 0, stride = 1;
        for (int i = x->rank - 1; i >= 0; i--) {
            const int a = i - (x->rank - t->rank);
            const int64_t pos = rest % x->dims[i];
            rest /= x->dims[i];
            if (a < 0) break;
            if (t->dims[a] != 1) off += pos * stride;
            stride *= t->dims[a];
        }
        full[k] = src[off];
    }
    *out = full;
    *step = cols;
    return TN_OK;
}

tn_status tni_lnorm_ref(tni_ref *c, const tni_lnorm_op *op)
{
    const tni_tensor *const t = c->in[0];
    const double *x = NULL, *scale = NULL, *bias = NULL;
    double *y = NULL, *mean = NULL, *inv = NULL;
    int64_t dims[TN_MAX_RANK], scale_step = 0, bias_step = 0, rows;
    const tn_dtype stash = stash_dtype(c->node);
    tni_lnorm p = {.rms = op->rms};
    int at = 0;
    TN_TRY(split_axis(&at, c->node, t->rank, c->err));
    p.epsilon = (double)tni_attr_float(c->node, "epsilon", 1e-5f);
    p.cols = tni_nn_extent(t->dims, at, t->rank);
    rows = tni_nn_extent(t->dims, 0, at);
    for (int i = 0; i < t->rank; i++) dims[i] = i < at ? t->dims[i] : 1;
    TN_TRY(tni_ref_output(c, 0, c->in[1]->dtype, t->rank, t->dims));
    if (op->mean_out >= 0)
        TN_TRY(tni_ref_output(c, op->mean_out, stash, t->rank, dims));
    if (op->inv_out >= 0)
        TN_TRY(tni_ref_output(c, op->inv_out, stash, t->rank, dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(load_affine(c, 1, t, at, p.cols, &scale, &scale_step));
    if (!op->rms) TN_TRY(load_affine(c, 2, t, at, p.cols, &bias, &bias_step));
    TN_TRY(tni_nn_open(c, 0, &y));
    if (op->mean_out >= 0) TN_TRY(tni_nn_open(c, op->mean_out, &mean));
    if (op->inv_out >= 0) TN_TRY(tni_nn_open(c, op->inv_out, &inv));
    for (int64_t r = 0; r < rows; r++)
        tni_lnorm_row(
            &p, x + r * p.cols, scale == NULL ? NULL : scale + r * scale_step,
            bias == NULL ? NULL : bias + r * bias_step, y + r * p.cols,
            mean == NULL ? NULL : mean + r, inv == NULL ? NULL : inv + r);
    tni_nn_store(c, 0, y);
    if (mean != NULL) tni_nn_store(c, op->mean_out, mean);
    if (inv != NULL) tni_nn_store(c, op->inv_out, inv);
    return TN_OK;
}

/* --- f32 plan of both families ------------------------------------------- */

typedef struct lnorm_state {
    tni_lnorm p;
    tni_norm_fn fn;
    int64_t rows, skip_rows; /* skip repeats after this many rows */
    int64_t per_task, n_tasks;
    bool skip;
    int scale_in, beta_in, bias_in; /* -1: none */
    int mean_out, inv_out, sum_out;
} lnorm_state;

typedef struct lnorm_job {
    const lnorm_state *st;
    const float *x, *skip, *scale, *beta, *bias;
    float *y, *mean, *inv, *sum;
} lnorm_job;

static void lnorm_task(void *ctx, size_t begin, size_t end, int worker)
{
    const lnorm_job *const j = (const lnorm_job *)ctx;
    const lnorm_state *const st = j->st;
    const int64_t n = st->p.cols;
    const int64_t from = (int64_t)begin * st->per_task;
    const int64_t to = (int64_t)end * st->per_task;
    const int64_t stop = to < st->rows ? to : st->rows;
    /* A skip that repeats is met row by row. */
    const int64_t step =
        st->skip && st->skip_rows != st->rows ? 1 : stop - from;
    (void)worker;
    /* rms has no mean, and its kernels write none. */
    for (int64_t r = from; st->p.rms && j->mean != NULL && r < stop; r++)
        j->mean[r] = 0.0f;
    for (int64_t r = from; r < stop; r += step) {
        const tni_norm_call call = {
            .x = j->x + r * n,
            .skip = st->skip ? j->skip + r % st->skip_rows * n : NULL,
            .bias = j->bias,
            .gamma = j->scale,
            .beta = j->beta,
            .y = j->y + r * n,
            .sum = j->sum == NULL ? NULL : j->sum + r * n,
            .mean = j->mean == NULL ? NULL : j->mean + r,
            .inv_std = j->inv == NULL ? NULL : j->inv + r,
            .m = (size_t)step,
            .n = (size_t)n,
            .eps = (float)st->p.epsilon};
        st->fn(&call);
    }
}

static const float *run_in(const tni_run *c, int i)
{
    return i < 0 ? NULL : TNI_CDATA(float, c->in[i]);
}

static float *run_out(const tni_run *c, int i)
{
    return i < 0 ? NULL : TNI_DATA(float, c->out[i]);
}

static void lnorm_run(const tni_run *c)
{
    const lnorm_state *const st = (const lnorm_state *)c->state;
    lnorm_job j = {st,
                   run_in(c, 0),
                   st->skip ? run_in(c, 1) : NULL,
                   run_in(c, st->scale_in),
                   run_in(c, st->beta_in),
                   run_in(c, st->bias_in),
                   run_out(c, 0),
                   run_out(c, st->mean_out),
                   run_out(c, st->inv_out),
                   run_out(c, st->sum_out)};
    tni_par_for(c->par, (size_t)st->n_tasks, lnorm_task, &j);
}

static int want_out(const tni_plan *c, int i)
{
    return i >= 0 && i < c->n_out && c->out[i] != NULL ? i : -1;
}

static int have_in(const tni_plan *c, int i)
{
    return i >= 0 && i < c->n_in && c->in[i] != NULL ? i : -1;
}

/* Everything present is f32, and the affine inputs are plain rows. */
static bool plan_fits(const tni_plan *c, const lnorm_state *st, int at)
{
    const tni_type *const x = c->in[0];
    const int affine[3] = {st->scale_in, st->beta_in, st->bias_in};
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] != NULL && c->in[i]->dtype != TN_F32) return false;
    for (int i = 0; i < c->n_out; i++)
        if (c->out[i] != NULL && c->out[i]->dtype != TN_F32) return false;
    for (int i = 0; i < 3; i++) {
        const tni_type *t;
        if (affine[i] < 0) continue;
        t = c->in[affine[i]];
        if (!is_cols(t->rank, t->dims, x->rank, x->dims, at) &&
            !(t->rank == 1 && t->dims[0] == st->p.cols))
            return false;
    }
    return c->out[0] != NULL;
}

static tn_status finish_plan(tni_plan *c, lnorm_state *st, int at)
{
    const tni_type *const x = c->in[0];
    st->p.cols = tni_nn_extent(x->dims, at, x->rank);
    st->rows = tni_nn_extent(x->dims, 0, at);
    if (c->kernels == NULL || !plan_fits(c, st, at) || st->p.cols == 0)
        return TN_OK;
    st->fn = st->p.rms ? c->kernels->norm.rms : c->kernels->norm.layer;
    if (st->skip) {
        st->skip_rows =
            tni_nn_extent(c->in[1]->dims, 0, c->in[1]->rank) / st->p.cols;
        if (st->skip_rows == 0) return TN_OK;
    }
    st->per_task = st->p.cols >= 8192 ? 1 : 8192 / st->p.cols;
    st->n_tasks = (st->rows + st->per_task - 1) / st->per_task;
    c->state = st;
    c->run = lnorm_run;
    return TN_OK;
}

tn_status tni_lnorm_plan(tni_plan *c, const tni_lnorm_op *op)
{
    lnorm_state *const st = TNI_NEW(c->arena, lnorm_state);
    int at = 0;
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(split_axis(&at, c->node, c->in[0]->rank, c->err));
    st->p.rms = op->rms;
    st->p.epsilon = (double)tni_attr_float(c->node, "epsilon", 1e-5f);
    st->scale_in = 1;
    st->beta_in = op->rms ? -1 : have_in(c, 2);
    st->bias_in = -1;
    st->mean_out = want_out(c, op->mean_out);
    st->inv_out = want_out(c, op->inv_out);
    st->sum_out = -1;
    return finish_plan(c, st, at);
}

/* --- skip ----------------------------------------------------------------- */

enum { SKIP_MEAN = 1, SKIP_INV = 2, SKIP_SUM = 3 };

tn_status tni_skip_norm_infer(tni_infer *c, const tni_skip_norm_op *op)
{
    const tn_dtype t = tni_infer_dtype(c, 0);
    int64_t dims[TN_MAX_RANK], cols = TNI_DIM_UNKNOWN;
    int rank;
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, t);
        tni_infer_unranked(c, SKIP_MEAN, TN_F32);
        tni_infer_unranked(c, SKIP_INV, TN_F32);
        tni_infer_unranked(c, SKIP_SUM, t);
        return TN_OK;
    }
    rank = c->in[0]->rank;
    if (rank < 2)
        return tni_fail(c->err, TN_EINVAL, "input of rank %d, expected 2 or 3",
                        rank);
    TN_TRY(tni_nn_merge_dim(c, 0, rank - 1, &cols));
    if (tni_infer_ranked(c, 1)) {
        if (c->in[1]->rank < 1 || c->in[1]->rank > rank)
            return tni_fail(c->err, TN_EINVAL, "skip of rank %d",
                            c->in[1]->rank);
        TN_TRY(tni_nn_merge_dim(c, 1, c->in[1]->rank - 1, &cols));
    }
    TN_TRY(tni_nn_merge_dim(c, 2, 0, &cols));
    if (op->beta_in >= 0) TN_TRY(tni_nn_merge_dim(c, op->beta_in, 0, &cols));
    TN_TRY(tni_nn_merge_dim(c, op->bias_in, 0, &cols));
    for (int i = 0; i < rank; i++) dims[i] = c->in[0]->dims[i];
    TN_TRY(tni_infer_dims(c, 0, t, rank, dims));
    if (c->n_out > SKIP_SUM) TN_TRY(tni_infer_dims(c, SKIP_SUM, t, rank, dims));
    dims[rank - 1] = 1;
    if (c->n_out > SKIP_MEAN)
        TN_TRY(tni_infer_dims(c, SKIP_MEAN, TN_F32, rank, dims));
    if (c->n_out > SKIP_INV)
        TN_TRY(tni_infer_dims(c, SKIP_INV, TN_F32, rank, dims));
    return TN_OK;
}

static tn_status load_cols(tni_ref *c, int in, int64_t cols, const double **out)
{
    *out = NULL;
    if (in < 0 || !tni_ref_has(c, in)) return TN_OK;
    if (c->in[in]->len != cols)
        return tni_fail(c->err, TN_EINVAL,
                        "input %d has %lld elements, expected %lld", in,
                        (long long)c->in[in]->len, (long long)cols);
    return tni_nn_load(c, c->in[in], out);
}

tn_status tni_skip_norm_ref(tni_ref *c, const tni_skip_norm_op *op)
{
    const tni_tensor *const t = c->in[0], *const skip = c->in[1];
    const double *x = NULL, *s = NULL, *gamma = NULL, *beta = NULL;
    const double *bias = NULL;
    double *y = NULL, *mean = NULL, *inv = NULL, *sum = NULL;
    tni_lnorm p = {.rms = op->rms};
    int64_t dims[TN_MAX_RANK], rows;
    p.cols = t->dims[t->rank - 1];
    p.epsilon = (double)tni_attr_float(c->node, "epsilon", 1e-12f);
    rows = p.cols == 0 ? 0 : t->len / p.cols;
    for (int i = 0; i < t->rank; i++)
        dims[i] = i == t->rank - 1 ? 1 : t->dims[i];
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, t->dims));
    TN_TRY(tni_ref_output(c, SKIP_MEAN, TN_F32, t->rank, dims));
    TN_TRY(tni_ref_output(c, SKIP_INV, TN_F32, t->rank, dims));
    TN_TRY(tni_ref_output(c, SKIP_SUM, t->dtype, t->rank, t->dims));
    if (t->len > 0 &&
        (skip->len == 0 || t->len % skip->len != 0 || skip->len % p.cols != 0))
        return tni_fail(c->err, TN_EINVAL, "skip has %lld elements, input %lld",
                        (long long)skip->len, (long long)t->len);
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_load(c, skip, &s));
    TN_TRY(load_cols(c, 2, p.cols, &gamma));
    TN_TRY(load_cols(c, op->beta_in, p.cols, &beta));
    TN_TRY(load_cols(c, op->bias_in, p.cols, &bias));
    TN_TRY(tni_nn_open(c, 0, &y));
    TN_TRY(tni_nn_open(c, SKIP_MEAN, &mean));
    TN_TRY(tni_nn_open(c, SKIP_INV, &inv));
    TN_TRY(tni_nn_open(c, SKIP_SUM, &sum));
    for (int64_t r = 0; r < rows; r++) {
        double *const row = y + r * p.cols;
        for (int64_t i = 0; i < p.cols; i++) {
            row[i] = x[r * p.cols + i] + s[(r * p.cols + i) % skip->len];
            if (bias != NULL) row[i] += bias[i];
            if (sum != NULL) sum[r * p.cols + i] = row[i];
        }
        tni_lnorm_row(&p, row, gamma, beta, row, mean == NULL ? NULL : mean + r,
                      inv == NULL ? NULL : inv + r);
    }
    tni_nn_store(c, 0, y);
    tni_nn_store(c, SKIP_MEAN, mean);
    tni_nn_store(c, SKIP_INV, inv);
    tni_nn_store(c, SKIP_SUM, sum);
    return TN_OK;
}

tn_status tni_skip_norm_plan(tni_plan *c, const tni_skip_norm_op *op)
{
    lnorm_state *const st = TNI_NEW(c->arena, lnorm_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    st->p.rms = op->rms;
    st->p.epsilon = (double)tni_attr_float(c->node, "epsilon", 1e-12f);
    st->skip = true;
    st->scale_in = 2;
    st->beta_in = have_in(c, op->beta_in);
    st->bias_in = have_in(c, op->bias_in);
    st->mean_out = want_out(c, SKIP_MEAN);
    st->inv_out = want_out(c, SKIP_INV);
    st->sum_out = want_out(c, SKIP_SUM);
    return finish_plan(c, st, c->in[0]->rank - 1);
}
