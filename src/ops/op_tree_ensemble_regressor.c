/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_tree_ensemble_regressor.c - ai.onnx.ml TreeEnsembleRegressor, versions
 *                                1 and 3
 *
 * Shapes:  x[N, F] or x[F] -> y[N, n_targets]
 * Types:   f32, f64, i32, i64 -> f32; double inputs are compared and summed in
 *          double, all others in float
 * Errors:  EINVAL attributes that do not fit together, branches in a cycle, a
 *          feature the input lacks
 * Numeric: sums in tree order, as a serial evaluation does; the same bits for
 *          any number of workers. Transforms but PROBIT leave a single target
 *          alone, as in ONNX Runtime
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#TreeEnsembleRegressor
 */
#include "ops/forest.h"

static tn_status infer(tni_infer *c)
{
    int64_t n, f;
    TN_TRY(tni_ml_infer_rows(c, 0, &n, &f));
    const int64_t targets = tni_attr_int(c->node, "n_targets", 1);
    if (targets < 1)
        return tni_fail(c->err, TN_EINVAL, "n_targets is %lld",
                        (long long)targets);
    return tni_infer_dims(c, 0, TN_F32, 2, (int64_t[]){n, targets});
}

static void store(const tni_forest_task *t, int64_t row, tni_tree_score *scores,
                  float *work)
{
    const int64_t n = t->f->n_targets;
    float *y = TNI_DATA(float, t->out[0]) + row * n;
    tni_forest_finish(t->f, scores, work);
    for (int64_t i = 0; i < n; i++) y[i] = (float)scores[i].v;
}

static tn_status finish(tni_forest *f, const tni_node *node, tn_dtype x,
                        tn_err *err)
{
    static const char *const sums[] = {
        [TNI_TREE_AVERAGE] = "AVERAGE",
        [TNI_TREE_SUM] = "SUM",
        [TNI_TREE_MIN] = "MIN",
        [TNI_TREE_MAX] = "MAX",
    };
    int sum = 0;
    while (sum < TNI_COUNT(sums) &&
           !tni_attr_is(node, "aggregate_function", sums[sum], "SUM"))
        sum++;
    if (sum == TNI_COUNT(sums))
        return tni_fail(err, TN_EINVAL,
                        "aggregate_function must be AVERAGE, SUM, MIN or MAX");
    f->sum = (tni_tree_sum)sum;
    f->wide = x == TN_F64;
    TN_TRY(tni_post_parse(&f->post, node, err));
    return tni_reals_read(&f->base, node, "base_values",
                          "base_values_as_tensor", err);
}

static tn_status read(tni_forest_source *s, size_t *size, const tni_node *node,
                      tn_err *err)
{
    TN_TRY(tni_forest_read(s, node, "target",
                           tni_attr_int(node, "n_targets", 1), err));
    if (!tni_forest_size(size, s->n_nodes, s->n_weights, 0))
        return tni_fail(err, TN_ELIMIT, "%lld nodes", (long long)s->n_nodes);
    return TN_OK;
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
    int64_t n, features;
    TN_TRY(tni_ml_rows(&n, &features, c->in[0], c->err));
    TN_TRY(tni_ref_output(c, 0, TN_F32, 2, (int64_t[]){n, f->n_targets}));
    return tni_forest_ref(c, f, NULL, store);
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
    return tni_forest_plan(c, f, NULL, store);
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS, 0, 0}};
static const tni_arg out[] = {{"Y", TNI_T(TN_F32), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"aggregate_function", TNI_ATTR_STRING, "SUM"},
    {"base_values", TNI_ATTR_FLOATS, NULL},
    {"base_values_as_tensor", TNI_ATTR_TENSOR, NULL},
    {"n_targets", TNI_ATTR_INT, NULL},
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
    {"target_ids", TNI_ATTR_INTS, NULL},
    {"target_nodeids", TNI_ATTR_INTS, NULL},
    {"target_treeids", TNI_ATTR_INTS, NULL},
    {"target_weights", TNI_ATTR_FLOATS, NULL},
    {"target_weights_as_tensor", TNI_ATTR_TENSOR, NULL},
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

const tni_op tni_op_tree_ensemble_regressor = {
    .domain = "ai.onnx.ml",
    .name = "TreeEnsembleRegressor",
    .summary = "values of a forest of decision trees",
    TNI_VERSIONS(versions)};
