/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_batch_normalization.c - ONNX BatchNormalization, opsets 1, 6, 7, 9, 14, 15
 *
 * Shapes:  x[N, C, D1 … Dk], parameters [C] (or [C, D1 … Dk] where `spatial`
 *          is 0, until opset 8) -> y as x; x[N] counts as C = 1
 * Modes:   inference y = (x - mean) / sqrt(var + epsilon) * scale + B.
 *          Training normalises by the batch and returns running statistics
 *          input * momentum + batch * (1 - momentum): attribute training_mode
 *          since 14; before, when an output besides Y is wanted and is_test
 *          is not set.
 * Numeric: reference in double; f32 plan y = x * a + b with a, b in double
 * Source:  github.com/onnx/onnx docs/Operators.md#BatchNormalization
 */
#include "kernels/kernels.h"
#include "ops/nn.h"

#include <math.h>

#define T1 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in_15[] = {
    {"X", TNI_FLOATS, 'T', 0},         {"scale", TNI_FLOATS, 'S', 0},
    {"B", TNI_FLOATS, 'S', 0},         {"input_mean", TNI_FLOATS, 'U', 0},
    {"input_var", TNI_FLOATS, 'U', 0},
};
static const tni_arg out_15[] = {
    {"Y", TNI_FLOATS, 'T', 0},
    {"running_mean", TNI_FLOATS, 'U', TNI_OPTIONAL},
    {"running_var", TNI_FLOATS, 'U', TNI_OPTIONAL},
};
static const tni_arg in_14[] = {
    {"X", TNI_FLOATS, 'T', 0},         {"scale", TNI_FLOATS, 'T', 0},
    {"B", TNI_FLOATS, 'T', 0},         {"input_mean", TNI_FLOATS, 'U', 0},
    {"input_var", TNI_FLOATS, 'U', 0},
};
static const tni_arg in_1[] = {
    {"X", T1, 'T', 0},    {"scale", T1, 'T', 0}, {"B", T1, 'T', 0},
    {"mean", T1, 'T', 0}, {"var", T1, 'T', 0},
};
static const tni_arg out_1[] = {
    {"Y", T1, 'T', 0},
    {"mean", T1, 'T', TNI_OPTIONAL},
    {"var", T1, 'T', TNI_OPTIONAL},
    {"saved_mean", T1, 'T', TNI_OPTIONAL},
    {"saved_var", T1, 'T', TNI_OPTIONAL},
};

static const tni_attr_spec attrs_14[] = {
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"momentum", TNI_ATTR_FLOAT, "0.9"},
    {"training_mode", TNI_ATTR_INT, "0"},
};
static const tni_attr_spec attrs_9[] = {
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"momentum", TNI_ATTR_FLOAT, "0.9"},
};
static const tni_attr_spec attrs_7[] = {
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"momentum", TNI_ATTR_FLOAT, "0.9"},
    {"spatial", TNI_ATTR_INT, "1"},
};
static const tni_attr_spec attrs_6[] = {
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"is_test", TNI_ATTR_INT, "0"},
    {"momentum", TNI_ATTR_FLOAT, "0.9"},
    {"spatial", TNI_ATTR_INT, "1"},
};
static const tni_attr_spec attrs_1[] = {
    {"consumed_inputs", TNI_ATTR_INTS, NULL},
    {"epsilon", TNI_ATTR_FLOAT, "1e-5"},
    {"is_test", TNI_ATTR_INT, "0"},
    {"momentum", TNI_ATTR_FLOAT, "0.9"},
    {"spatial", TNI_ATTR_INT, "1"},
};

/* x as [n, params, inner]: one parameter per channel or per activation. */
typedef struct layout {
    int64_t n, params, inner;
} layout;

static layout layout_of(const tni_node *node, int rank, const int64_t *dims)
{
    const bool spatial = tni_attr_int(node, "spatial", 1) != 0;
    layout l = {.n = rank > 0 ? dims[0] : 1, .params = 1, .inner = 1};
    if (rank < 2) return l;
    if (spatial) {
        l.params = dims[1];
        l.inner = tni_nn_extent(dims, 2, rank);
    } else {
        l.params = tni_nn_extent(dims, 1, rank);
    }
    return l;
}

static bool is_training(const tni_node *node, int opset, bool more_outputs)
{
    if (opset >= 14) return tni_attr_int(node, "training_mode", 0) != 0;
    return more_outputs && tni_attr_int(node, "is_test", 0) == 0;
}

static tn_status batch_normalization_infer(tni_infer *c)
{
    const bool spatial = tni_attr_int(c->node, "spatial", 1) != 0;
    int64_t params = TNI_DIM_UNKNOWN;
    if (tni_infer_ranked(c, 0)) {
        const int rank = c->in[0]->rank;
        if (rank < 2)
            params = 1;
        else if (spatial)
            params = c->in[0]->dims[1];
    }
    TN_TRY(tni_infer_same(c, 0, 0));
    if (spatial)
        for (int i = 1; i < 5; i++) {
            TN_TRY(tni_nn_want_rank(c, i, 1));
            TN_TRY(tni_nn_merge_dim(c, i, 0, &params));
        }
    for (int i = 1; i < c->n_out; i++) {
        if (spatial)
            TN_TRY(tni_infer_dims(c, i, tni_infer_dtype(c, 3), 1, &params));
        else
            TN_TRY(tni_infer_same(c, i, 3));
    }
    return TN_OK;
}

/* Mean and population variance of each parameter's elements. */
static void batch_stats(const layout *l, const double *x, double *mean,
                        double *var)
{
    const double count = (double)(l->n * l->inner);
    for (int64_t p = 0; p < l->params; p++) {
        double m = 0, v = 0;
        for (int64_t n = 0; n < l->n; n++)
            for (int64_t i = 0; i < l->inner; i++)
                m += x[(n * l->params + p) * l->inner + i];
        m /= count;
        for (int64_t n = 0; n < l->n; n++)
            for (int64_t i = 0; i < l->inner; i++) {
                const double d = x[(n * l->params + p) * l->inner + i] - m;
                v += d * d;
            }
        mean[p] = m;
        var[p] = v / count;
    }
}

static tn_status training(tni_ref *c, const layout *l, const double *x,
                          const double **mean, const double **var)
{
    const double keep = (double)tni_attr_float(c->node, "momentum", 0.9f);
    double *const m = tni_nn_doubles(c, l->params);
    double *const v = tni_nn_doubles(c, l->params);
    if (m == NULL || v == NULL) return tni_ref_nomem(c);
    batch_stats(l, x, m, v);
    for (int i = 1; i < c->n_out; i++) {
        const tni_tensor *const like = c->in[3];
        const double *const now = i % 2 == 1 ? m : v;
        const double *const old = i % 2 == 1 ? *mean : *var;
        double *y = NULL;
        TN_TRY(tni_ref_output(c, i, like->dtype, like->rank, like->dims));
        TN_TRY(tni_nn_open(c, i, &y));
        if (y == NULL) continue;
        for (int64_t p = 0; p < l->params; p++)
            y[p] = i < 3 ? old[p] * keep + now[p] * (1.0 - keep) : now[p];
        tni_nn_store(c, i, y);
    }
    *mean = m;
    *var = v;
    return TN_OK;
}

static tn_status batch_normalization_ref(tni_ref *c)
{
    const tni_tensor *const t = c->in[0];
    const double eps = (double)tni_attr_float(c->node, "epsilon", 1e-5f);
    const layout l = layout_of(c->node, t->rank, t->dims);
    const double *x = NULL, *param[5] = {NULL};
    double *y = NULL;
    bool more = false;
    for (int i = 1; i < 5; i++)
        if (c->in[i]->len != l.params)
            return tni_fail(c->err, TN_EINVAL,
                            "input %d has %lld elements, expected %lld", i,
                            (long long)c->in[i]->len, (long long)l.params);
    for (int i = 1; i < c->n_out; i++) more = more || tni_ref_wants(c, i);
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, t->dims));
    TN_TRY(tni_nn_load(c, t, &x));
    for (int i = 1; i < 5; i++) TN_TRY(tni_nn_load(c, c->in[i], &param[i]));
    if (is_training(c->node, c->opset, more)) {
        TN_TRY(training(c, &l, x, &param[3], &param[4]));
    } else {
        for (int i = 1; i < c->n_out; i++)
            if (tni_ref_wants(c, i))
                TN_TRY(tni_ref_output_copy(c, i, c->in[i % 2 == 1 ? 3 : 4]));
    }
    TN_TRY(tni_nn_open(c, 0, &y));
    for (int64_t n = 0; n < l.n; n++)
        for (int64_t p = 0; p < l.params; p++) {
            const double a = param[1][p] / sqrt(param[4][p] + eps);
            const int64_t at = (n * l.params + p) * l.inner;
            for (int64_t i = 0; i < l.inner; i++)
                y[at + i] = (x[at + i] - param[3][p]) * a + param[2][p];
        }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

/* --- f32 plan ----------------------------------------------------------- */

typedef struct bn_state {
    layout l;
    tni_affine_fn affine;
    double epsilon;
    int64_t per_task, n_tasks, n_units; /* units: (n, parameter) pairs */
} bn_state;

typedef struct bn_job {
    const bn_state *st;
    const float *x, *scale, *bias, *mean, *var;
    float *y;
} bn_job;

static void bn_task(void *ctx, size_t begin, size_t end, int worker)
{
    const bn_job *const j = (const bn_job *)ctx;
    const bn_state *const st = j->st;
    const int64_t from = (int64_t)begin * st->per_task;
    const int64_t to = (int64_t)end * st->per_task;
    const int64_t stop = to < st->n_units ? to : st->n_units;
    (void)worker;
    for (int64_t u = from; u < stop; u++) {
        const int64_t p = u % st->l.params;
        const double a =
            (double)j->scale[p] / sqrt((double)j->var[p] + st->epsilon);
        const float af = (float)a;
        const float bf = (float)((double)j->bias[p] - (double)j->mean[p] * a);
        const float *const x = j->x + u * st->l.inner;
        float *const y = j->y + u * st->l.inner;
        if (st->l.inner == 1)
            y[0] = x[0] * af + bf;
        else
            st->affine(x, y, (size_t)st->l.inner, af, bf);
    }
}

static void bn_run(const tni_run *c)
{
    const bn_state *const st = (const bn_state *)c->state;
    bn_job j = {st,
                TNI_CDATA(float, c->in[0]),
                TNI_CDATA(float, c->in[1]),
                TNI_CDATA(float, c->in[2]),
                TNI_CDATA(float, c->in[3]),
                TNI_CDATA(float, c->in[4]),
                TNI_DATA(float, c->out[0])};
    tni_par_for(c->par, (size_t)st->n_tasks, bn_task, &j);
}

static tn_status batch_normalization_plan(tni_plan *c)
{
    const tni_type *const x = c->in[0];
    bn_state *st;
    bool more = false;
    for (int i = 0; i < 5; i++)
        if (c->in[i]->dtype != TN_F32) return TN_OK;
    for (int i = 1; i < c->n_out; i++) more = more || c->out[i] != NULL;
    if (c->kernels == NULL || more || c->out[0] == NULL ||
        is_training(c->node, c->opset, more))
        return TN_OK;
    st = TNI_NEW(c->arena, bn_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    st->l = layout_of(c->node, x->rank, x->dims);
    for (int i = 1; i < 5; i++)
        if (tni_nn_extent(c->in[i]->dims, 0, c->in[i]->rank) != st->l.params)
            return TN_OK;
    st->affine = c->kernels->norm.affine;
    st->epsilon = (double)tni_attr_float(c->node, "epsilon", 1e-5f);
    st->n_units = st->l.n * st->l.params;
    st->per_task =
        st->l.inner >= 16384 || st->l.inner == 0 ? 1 : 16384 / st->l.inner;
    st->n_tasks = (st->n_units + st->per_task - 1) / st->per_task;
    c->state = st;
    c->run = bn_run;
    return TN_OK;
}

#define VERSION(SINCE, IN, OUT, ATTRS)                                         \
    {                                                                          \
        .since = (SINCE), TNI_IN(IN), TNI_OUT(OUT), TNI_ATTRS(ATTRS),          \
        .infer = batch_normalization_infer, .ref = batch_normalization_ref,    \
        .plan = batch_normalization_plan                                       \
    }

static const tni_op_version batch_normalization_versions[] = {
    VERSION(15, in_15, out_15, attrs_14), VERSION(14, in_14, out_15, attrs_14),
    VERSION(9, in_1, out_1, attrs_9),     VERSION(7, in_1, out_1, attrs_7),
    VERSION(6, in_1, out_1, attrs_6),     VERSION(1, in_1, out_1, attrs_1),
};

const tni_op tni_op_batch_normalization = {
    .domain = "",
    .name = "BatchNormalization",
    .summary = "Normalises channels by stored or batch statistics.",
    TNI_VERSIONS(batch_normalization_versions),
};
