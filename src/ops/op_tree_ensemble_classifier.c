/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_tree_ensemble_classifier.c - ai.onnx.ml TreeEnsembleClassifier, versions
 *                                 1 and 3
 *
 * Shapes:  x[N, F] or x[F] -> labels[N], scores[N, C]
 * Types:   f32, f64, i32, i64 -> string or i64, f32; double inputs are
 *          compared and summed in double, all others in float
 * Errors:  EINVAL attributes that do not fit together, branches in a cycle, a
 *          feature the input lacks
 * Numeric: sums in tree order; the same bits for any number of workers
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#TreeEnsembleClassifier.
 *          The standard leaves two classes open. ONNX Runtime's answers are
 *          kept: weights of one class id alone make two scores of it (1 - s
 *          and s when no weight is negative and the label turns at 0.5, -s and
 *          s otherwise, turning at 0); weights of both ids decide by the sign
 *          of the second, and integer labels are then 1 and 0.
 */
#include "ops/forest.h"

#include <string.h>

typedef struct model {
    tni_labels labels;
    bool one_id;       /* two labels, weights of a single class id */
    bool all_positive; /* no negative weight */
} model;

static int64_t n_classes(const tni_labels *l)
{
    return l->n < 1 ? 1 : l->n;
}

static tn_status infer(tni_infer *c)
{
    tni_labels l;
    tni_labels_read(&l, c->node, "classlabels_strings", "classlabels_int64s");
    if (l.n < 1)
        return tni_fail(c->err, TN_EINVAL, "the class labels are missing");
    int64_t n, f;
    TN_TRY(tni_ml_infer_rows(c, 0, &n, &f));
    if (c->n_out > 0) TN_TRY(tni_infer_dims(c, 0, tni_labels_dtype(&l), 1, &n));
    if (c->n_out > 1)
        TN_TRY(tni_infer_dims(c, 1, TN_F32, 2, (int64_t[]){n, n_classes(&l)}));
    return TN_OK;
}

/* The label by the sign of a score, or by its half where that is what the
 * weights mean. */
static bool turned(const model *m, double weight)
{
    return weight > (m->one_id && m->all_positive ? 0.5 : 0.0);
}

static void put_turned(const model *m, tni_tensor *y, int64_t row, bool yes)
{
    if (y == NULL) return;
    if (m->one_id || m->labels.strings != NULL)
        tni_labels_put(&m->labels, y, row, yes);
    else
        TNI_DATA(int64_t, y)[row] = yes;
}

/* Writes n scores, or two made of one. */
static void put_scores(const tni_forest *f, float *z, float *s, int64_t n,
                       tni_second how, int64_t width)
{
    if (n < width) {
        z[0] = s[0];
        tni_post_second(f->post, how, z);
        return;
    }
    tni_post_apply(f->post, s, n);
    for (int64_t i = 0; i < n; i++) z[i] = s[i];
}

static double add(const tni_forest *f, double a, double b)
{
    const double sum = a + b;
    return f->wide ? sum : (double)(float)sum;
}

static tni_second how_second(const model *m)
{
    if (!m->one_id) return TNI_SECOND_NONE;
    return m->all_positive ? TNI_SECOND_REST : TNI_SECOND_NEGATIVE;
}

/* More than two classes: the largest score among those that have one. */
static void store_many(const tni_forest_task *t, int64_t row, tni_tree_score *s,
                       float *work)
{
    const tni_forest *f = t->f;
    const model *m = t->model;
    const int64_t n = f->n_targets;
    int64_t best = -1;
    for (int64_t i = 0; i < n; i++) {
        if (i < f->base.n) {
            const double b = tni_real(&f->base, i);
            s[i].v = s[i].has ? add(f, s[i].v, b) : b;
            s[i].has = true;
        }
        if (s[i].has && (best < 0 || s[i].v > s[best].v)) best = i;
        work[i] = s[i].has ? (float)s[i].v : 0.0f;
    }
    if (t->out[0] != NULL)
        tni_labels_put(&m->labels, t->out[0], row, best < 0 ? 0 : best);
    if (t->out[1] != NULL)
        put_scores(f, TNI_DATA(float, t->out[1]) + row * n, work, n,
                   TNI_SECOND_NONE, n);
}

static void store_two(const tni_forest_task *t, int64_t row, tni_tree_score *s,
                      float *work)
{
    const tni_forest *f = t->f;
    const model *m = t->model;
    int64_t n = 2;
    tni_second how = TNI_SECOND_NONE;
    for (int i = 0; i < 2; i++)
        if (!s[i].has) s[i].v = 0.0;
    if (f->base.n == 2) {
        if (s[1].has) {
            s[1].v = add(f, s[0].v, tni_real(&f->base, 1));
            s[0].v = -s[1].v;
        } else {
            s[1].v = add(f, s[1].v, tni_real(&f->base, 1));
            s[0].v = add(f, s[0].v, tni_real(&f->base, 0));
        }
    } else {
        if (f->base.n == 1)
            s[0].v = add(f, s[0].v, tni_real(&f->base, 0));
        else
            how = TNI_SECOND_NEGATIVE;
        if (!s[1].has) n = 1;
    }
    const bool yes = turned(m, s[1].has ? s[1].v : s[0].has ? s[0].v : 0.0);
    if (m->one_id) how = how_second(m);
    put_turned(m, t->out[0], row, yes);
    if (t->out[1] == NULL) return;
    /* A class no leaf spoke of shows 0, whatever its base value. */
    for (int64_t i = 0; i < n; i++) work[i] = s[i].has ? (float)s[i].v : 0.0f;
    put_scores(f, TNI_DATA(float, t->out[1]) + row * 2, work, n, how, 2);
}

static void store_one(const tni_forest_task *t, int64_t row, tni_tree_score *s,
                      float *work)
{
    const tni_forest *f = t->f;
    const model *m = t->model;
    double v = s[0].has ? s[0].v : 0.0;
    int64_t n = 1;
    if (f->base.n == 2) {
        v = add(f, v, tni_real(&f->base, 1));
        work[0] = (float)-v;
        work[1] = (float)v;
        n = 2;
    } else {
        if (f->base.n == 1) v = add(f, v, tni_real(&f->base, 0));
        work[0] = (float)v;
    }
    if (t->out[0] != NULL) {
        if (m->labels.strings != NULL)
            tni_labels_put(&m->labels, t->out[0], row, 0);
        else
            TNI_DATA(int64_t, t->out[0])[row] = turned(m, v);
    }
    if (t->out[1] == NULL) return;
    float z[2];
    put_scores(f, z, work, n, TNI_SECOND_NONE, n);
    TNI_DATA(float, t->out[1])[row] = z[0];
}

static void store(const tni_forest_task *t, int64_t row, tni_tree_score *scores,
                  float *work)
{
    if (t->f->n_targets > 2)
        store_many(t, row, scores, work);
    else if (t->f->n_targets == 2)
        store_two(t, row, scores, work);
    else
        store_one(t, row, scores, work);
}

static tn_status read(tni_forest_source *s, size_t *size, const tni_node *node,
                      tn_err *err)
{
    tni_labels l;
    tni_labels_read(&l, node, "classlabels_strings", "classlabels_int64s");
    TN_TRY(tni_forest_read(s, node, "class", n_classes(&l), err));
    if (!tni_forest_size(size, s->n_nodes, s->n_weights, 0))
        return tni_fail(err, TN_ELIMIT, "%lld nodes", (long long)s->n_nodes);
    return TN_OK;
}

static tn_status finish(tni_forest *f, const tni_node *node, tn_dtype x,
                        tn_err *err)
{
    f->sum = TNI_TREE_SUM;
    f->wide = x == TN_F64;
    TN_TRY(tni_post_parse(&f->post, node, err));
    TN_TRY(tni_reals_read(&f->base, node, "base_values",
                          "base_values_as_tensor", err));
    if (f->base.n > 0 &&
        (f->n_targets > 2 ? f->base.n != f->n_targets : f->base.n > 2))
        return tni_fail(err, TN_EINVAL, "%lld base values for %lld classes",
                        (long long)f->base.n, (long long)f->n_targets);
    return TN_OK;
}

static void describe(model *m, const tni_forest_source *s, const tni_node *node)
{
    memset(m, 0, sizeof *m);
    tni_labels_read(&m->labels, node, "classlabels_strings",
                    "classlabels_int64s");
    bool same = s->n_weights > 0;
    m->all_positive = true;
    for (int64_t i = 0; i < s->n_weights; i++) {
        if (s->weight_target[i] != s->weight_target[0]) same = false;
        if (tni_real(&s->weights, i) < 0.0) m->all_positive = false;
    }
    m->one_id = same && s->n_targets == 2;
}

static tn_status ref(tni_ref *c)
{
    tni_forest_source s;
    size_t size = 0;
    TN_TRY(read(&s, &size, c->node, c->err));
    void *block = tni_ref_scratch(c, size);
    if (block == NULL) return tni_ref_nomem(c);
    tni_forest *f = NULL;
    TN_TRY(tni_forest_build(&f, block, &s, c->scratch, c->err));
    TN_TRY(finish(f, c->node, c->in[0]->dtype, c->err));
    model m;
    describe(&m, &s, c->node);
    int64_t n, features;
    TN_TRY(tni_ml_rows(&n, &features, c->in[0], c->err));
    TN_TRY(tni_ref_output(c, 0, tni_labels_dtype(&m.labels), 1, &n));
    TN_TRY(tni_ref_output(c, 1, TN_F32, 2, (int64_t[]){n, f->n_targets}));
    return tni_forest_ref(c, f, &m, store);
}

static tn_status plan(tni_plan *c)
{
    tni_forest_source s;
    size_t size = 0;
    TN_TRY(read(&s, &size, c->node, c->err));
    tni_forest *f = NULL;
    bool fresh = false;
    TN_TRY(tni_forest_block(c, size, &f, &fresh));
    if (fresh) {
        TN_TRY(tni_forest_build(&f, f, &s, c->arena, c->err));
        TN_TRY(finish(f, c->node, c->in[0]->dtype, c->err));
    }
    model *m = TNI_NEW(c->arena, model);
    if (m == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    describe(m, &s, c->node);
    return tni_forest_plan(c, f, m, store);
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS, 0, 0}};
static const tni_arg out[] = {
    {"Y", TNI_STRINGS | TNI_T(TN_I64), 0, TNI_OPTIONAL},
    {"Z", TNI_T(TN_F32), 0, TNI_OPTIONAL},
};
static const tni_attr_spec attrs[] = {
    {"base_values", TNI_ATTR_FLOATS, NULL},
    {"base_values_as_tensor", TNI_ATTR_TENSOR, NULL},
    {"class_ids", TNI_ATTR_INTS, NULL},
    {"class_nodeids", TNI_ATTR_INTS, NULL},
    {"class_treeids", TNI_ATTR_INTS, NULL},
    {"class_weights", TNI_ATTR_FLOATS, NULL},
    {"class_weights_as_tensor", TNI_ATTR_TENSOR, NULL},
    {"classlabels_int64s", TNI_ATTR_INTS, NULL},
    {"classlabels_strings", TNI_ATTR_STRINGS, NULL},
    {"nodes_falsenodeids", TNI_ATTR_INTS, NULL},
    {"nodes_featureids", TNI_ATTR_INTS, NULL},
    {"nodes_hitrates", TNI_ATTR_FLOATS, NULL},
    {"nodes_hitrates_as_tensor", TNI_ATTR_TENSOR, NULL},
    {"nodes_missing_value_tracks_true", TNI_ATTR_INTS, NULL},
    {"nodes_modes", TNI_ATTR_STRINGS, NULL},
    {"nodes_nodeids", TNI_ATTR_INTS, NULL},
    {"nodes_treeids", TNI_ATTR_INTS, NULL},
    {"nodes_truenodeids", TNI_ATTR_INTS, NULL},
    {"nodes_values", TNI_ATTR_FLOATS, NULL},
    {"nodes_values_as_tensor", TNI_ATTR_TENSOR, NULL},
    {"post_transform", TNI_ATTR_STRING, "NONE"},
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

const tni_op tni_op_tree_ensemble_classifier = {
    .domain = "ai.onnx.ml",
    .name = "TreeEnsembleClassifier",
    .summary = "labels and scores of a forest of decision trees",
    TNI_VERSIONS(versions)};
