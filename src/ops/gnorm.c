/* SPDX-License-Identifier: Apache-2.0 */
/* gnorm.c - normalisation of channel groups: reference and f32 plan */
#include "ops/gnorm.h"

#include "kernels/kernels.h"
#include "ops/lnorm.h"
#include "ops/nn.h"

#include <math.h>

typedef struct layout {
    int64_t n, groups, channels, inner; /* channels of one group */
    bool per_group;
} layout;

static tn_status layout_of(layout *l, int rank, const int64_t *dims,
                           int64_t groups, bool per_group, tn_err *err)
{
    if (rank < 2)
        return tni_fail(err, TN_EINVAL, "input of rank %d, expected 2 or more",
                        rank);
    if (groups == 0) groups = dims[1];
    if (groups < 0 ||
        (TNI_DIM_IS_KNOWN(dims[1]) && groups > 0 && dims[1] % groups != 0))
        return tni_fail(err, TN_EINVAL,
                        "%lld channels do not divide into %lld groups",
                        (long long)dims[1], (long long)groups);
    l->n = dims[0];
    l->groups = groups;
    l->channels = groups == 0 ? 0 : dims[1] / groups;
    l->inner = tni_nn_extent(dims, 2, rank);
    l->per_group = per_group;
    return TN_OK;
}

tn_status tni_gnorm_infer(tni_infer *c, int64_t groups, bool per_group)
{
    int64_t params = per_group ? groups : TNI_DIM_UNKNOWN;
    if (tni_infer_ranked(c, 0)) {
        const int64_t ch = c->in[0]->rank > 1 ? c->in[0]->dims[1] : 0;
        if (c->in[0]->rank < 2)
            return tni_fail(c->err, TN_EINVAL,
                            "input of rank %d, expected 2 or more",
                            c->in[0]->rank);
        if (groups > 0 && TNI_DIM_IS_KNOWN(ch) && ch % groups != 0)
            return tni_fail(c->err, TN_EINVAL,
                            "%lld channels do not divide into %lld groups",
                            (long long)ch, (long long)groups);
        if (!per_group) params = ch;
    }
    TN_TRY(tni_nn_want_rank(c, 1, 1));
    TN_TRY(tni_nn_want_rank(c, 2, 1));
    TN_TRY(tni_nn_merge_dim(c, 1, 0, &params));
    TN_TRY(tni_nn_merge_dim(c, 2, 0, &params));
    return tni_infer_unary(c);
}

tn_status tni_gnorm_ref(tni_ref *c, int64_t groups, bool per_group)
{
    const tni_tensor *const t = c->in[0];
    const double *x = NULL, *scale = NULL, *bias = NULL;
    double *y = NULL;
    tni_lnorm p = {.rms = false};
    layout l;
    TN_TRY(layout_of(&l, t->rank, t->dims, groups, per_group, c->err));
    for (int i = 1; i < 3; i++) {
        const int64_t want = per_group ? l.groups : l.groups * l.channels;
        if (c->in[i]->len != want)
            return tni_fail(c->err, TN_EINVAL,
                            "input %d has %lld elements, expected %lld", i,
                            (long long)c->in[i]->len, (long long)want);
    }
    p.cols = l.channels * l.inner;
    p.epsilon = (double)tni_attr_float(c->node, "epsilon", 1e-5f);
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, t->dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_load(c, c->in[1], &scale));
    TN_TRY(tni_nn_load(c, c->in[2], &bias));
    TN_TRY(tni_nn_open(c, 0, &y));
    for (int64_t u = 0; u < l.n * l.groups; u++) {
        const int64_t g = u % l.groups;
        double *const row = y + u * p.cols;
        tni_lnorm_row(&p, x + u * p.cols, NULL, NULL, row, NULL, NULL);
        for (int64_t k = 0; k < l.channels; k++) {
            const int64_t at = per_group ? g : g * l.channels + k;
            for (int64_t i = k * l.inner; i < (k + 1) * l.inner; i++)
                row[i] = row[i] * scale[at] + bias[at];
        }
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

/* --- f32 plan ----------------------------------------------------------- */

typedef struct gnorm_state {
    layout l;
    const tni_norm_kernels *norm;
    tni_lnorm p;
    int64_t per_task, n_tasks, n_units;
} gnorm_state;

typedef struct gnorm_job {
    const gnorm_state *st;
    const float *x, *scale, *bias;
    float *y;
} gnorm_job;

static void gnorm_task(void *ctx, size_t begin, size_t end, int worker)
{
    const gnorm_job *const j = (const gnorm_job *)ctx;
    const gnorm_state *const st = j->st;
    const layout l = st->l;
    const int64_t from = (int64_t)begin * st->per_task;
    const int64_t to = (int64_t)end * st->per_task;
    const int64_t stop = to < st->n_units ? to : st->n_units;
    (void)worker;
    for (int64_t u = from; u < stop; u++) {
        const int64_t g = u % l.groups;
        const float *const x = j->x + u * st->p.cols;
        float *const y = j->y + u * st->p.cols;
        float mean, var;
        st->norm->moments(x, (size_t)st->p.cols, &mean, &var);
        const double inv = 1.0 / sqrt((double)var + st->p.epsilon);
        for (int64_t k = 0; k < l.channels; k++) {
            const int64_t at = l.per_group ? g : g * l.channels + k;
            const double s = (double)j->scale[at] * inv;
            st->norm->affine(x + k * l.inner, y + k * l.inner, (size_t)l.inner,
                             (float)s,
                             (float)((double)j->bias[at] - (double)mean * s));
        }
    }
}

static void gnorm_run(const tni_run *c)
{
    const gnorm_state *const st = (const gnorm_state *)c->state;
    gnorm_job j = {st, TNI_CDATA(float, c->in[0]), TNI_CDATA(float, c->in[1]),
                   TNI_CDATA(float, c->in[2]), TNI_DATA(float, c->out[0])};
    tni_par_for(c->par, (size_t)st->n_tasks, gnorm_task, &j);
}

tn_status tni_gnorm_plan(tni_plan *c, int64_t groups, bool per_group)
{
    const tni_type *const x = c->in[0];
    gnorm_state *st;
    for (int i = 0; i < 3; i++)
        if (c->in[i]->dtype != TN_F32 || c->kernels == NULL) return TN_OK;
    st = TNI_NEW(c->arena, gnorm_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(layout_of(&st->l, x->rank, x->dims, groups, per_group, c->err));
    for (int i = 1; i < 3; i++)
        if (tni_nn_extent(c->in[i]->dims, 0, c->in[i]->rank) !=
            (per_group ? st->l.groups : st->l.groups * st->l.channels))
            return TN_OK;
    st->norm = &c->kernels->norm;
    st->p.cols = st->l.channels * st->l.inner;
    st->p.epsilon = (double)tni_attr_float(c->node, "epsilon", 1e-5f);
    st->n_units = st->p.cols == 0 ? 0 : st->l.n * st->l.groups;
    st->per_task =
        st->p.cols >= 8192 || st->p.cols == 0 ? 1 : 8192 / st->p.cols;
    st->n_tasks = (st->n_units + st->per_task - 1) / st->per_task;
    c->state = st;
    c->run = gnorm_run;
    return TN_OK;
}
