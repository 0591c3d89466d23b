/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_axis.c - Softmax and LogSoftmax: reference and f32 plan */
#include "ops/softmax_axis.h"

#include "kernels/kernels.h"
#include "ops/nn.h"

#include <math.h>

const tni_attr_spec tni_softmax_attrs_1[1] = {{"axis", TNI_ATTR_INT, "1"}};
const tni_attr_spec tni_softmax_attrs_13[1] = {{"axis", TNI_ATTR_INT, "-1"}};

typedef struct split {
    int64_t outer, n, inner;
} split;

static tn_status split_at(split *s, const tni_node *node, int opset, int rank,
                          const int64_t *dims, tn_err *err)
{
    const int64_t axis = tni_attr_int(node, "axis", opset < 13 ? 1 : -1);
    int at = 0;
    if (opset < 13 && axis == rank) {
        at = rank; /* a vector with the default axis: rows of one element */
    } else if (rank == 0 && (axis == 0 || axis == -1)) {
        *s = (split){1, 1, 1};
        return TN_OK;
    } else {
        TN_TRY(tni_axis(&at, axis, rank, err));
    }
    s->outer = tni_nn_extent(dims, 0, at);
    if (opset < 13) {
        s->n = tni_nn_extent(dims, at, rank);
        s->inner = 1;
    } else {
        s->n = dims[at];
        s->inner = tni_nn_extent(dims, at + 1, rank);
    }
    return TN_OK;
}

tn_status tni_softmax_infer(tni_infer *c)
{
    if (tni_infer_ranked(c, 0)) {
        const int64_t ones[TN_MAX_RANK] = {0};
        split s;
        TN_TRY(split_at(&s, c->node, c->opset, c->in[0]->rank, ones, c->err));
    }
    return tni_infer_unary(c);
}

tn_status tni_softmax_ref(tni_ref *c, bool log_form)
{
    const tni_tensor *const t = c->in[0];
    const double *x = NULL;
    double *y = NULL;
    split s;
    TN_TRY(split_at(&s, c->node, c->opset, t->rank, t->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, t->dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_open(c, 0, &y));
    for (int64_t o = 0; o < s.outer; o++) {
        for (int64_t i = 0; i < s.inner; i++) {
            const int64_t at = o * s.n * s.inner + i;
            double max = -(double)INFINITY, sum = 0;
            for (int64_t k = 0; k < s.n; k++)
                if (x[at + k * s.inner] > max) max = x[at + k * s.inner];
            for (int64_t k = 0; k < s.n; k++)
                sum += exp(x[at + k * s.inner] - max);
            for (int64_t k = 0; k < s.n; k++) {
                const double v = x[at + k * s.inner] - max;
                y[at + k * s.inner] = log_form ? v - log(sum) : exp(v) / sum;
            }
        }
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

/* --- f32 plan ----------------------------------------------------------- */

enum { COLS = 256 };

typedef struct softmax_state {
    split s;
    tni_softmax_fn rows;
    tni_softmax_cols_fn cols;
    int64_t blocks; /* of COLS columns in an outer row */
    int64_t per_task, n_tasks, n_units; /* units: rows or blocks */
} softmax_state;

typedef struct softmax_job {
    const softmax_state *st;
    const float *x;
    float *y;
} softmax_job;

static void softmax_task(void *ctx, size_t begin, size_t end, int worker)
{
    const softmax_job *const j = (const softmax_job *)ctx;
    const softmax_state *const st = j->st;
    const split s = st->s;
    const int64_t from = (int64_t)begin * st->per_task;
    const int64_t to = (int64_t)end * st->per_task;
    const int64_t stop = to < st->n_units ? to : st->n_units;
    (void)worker;
    if (s.inner == 1) {
        st->rows(j->x + from * s.n, j->y + from * s.n, (size_t)(stop - from),
                 (size_t)s.n);
        return;
    }
    for (int64_t u = from; u < stop; u++) {
        const int64_t at = u % st->blocks * COLS;
        const int64_t off = u / st->blocks * s.n * s.inner + at;
        const int64_t w = s.inner - at < COLS ? s.inner - at : COLS;
        st->cols(j->x + off, j->y + off, (size_t)w, (size_t)s.n,
                 (size_t)s.inner);
    }
}

static void softmax_run(const tni_run *c)
{
    const softmax_state *const st = (const softmax_state *)c->state;
    softmax_job j = {st, TNI_CDATA(float, c->in[0]),
                     TNI_DATA(float, c->out[0])};
    tni_par_for(c->par, (size_t)st->n_tasks, softmax_task, &j);
}

tn_status tni_softmax_plan(tni_plan *c, bool log_form)
{
    const tni_softmax_op op = log_form ? TNI_LOG_SOFTMAX : TNI_SOFTMAX;
    const tni_type *const t = c->in[0];
    softmax_state *st;
    int64_t work;
    if (t->dtype != TN_F32 || c->kernels == NULL) return TN_OK;
    st = TNI_NEW(c->arena, softmax_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(split_at(&st->s, c->node, c->opset, t->rank, t->dims, c->err));
    work = st->s.n * (st->s.inner < COLS ? st->s.inner : COLS);
    if (work == 0) return TN_OK;
    st->rows = c->kernels->softmax.rows[op];
    st->cols = c->kernels->softmax.cols[op];
    st->blocks = (st->s.inner + COLS - 1) / COLS;
    st->n_units = st->s.outer * st->blocks;
    st->per_task = work >= 4096 ? 1 : 4096 / work;
    st->n_tasks = (st->n_units + st->per_task - 1) / st->per_task;
    c->state = st;
    c->run = softmax_run;
    return TN_OK;
}
