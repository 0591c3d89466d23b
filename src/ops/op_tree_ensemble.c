/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_tree_ensemble.c - ai.onnx.ml TreeEnsemble, version 5
 *
 * Shapes:  x[N, F] or x[F] -> y[N, n_targets]
 * Types:   f32, f16 (in float), f64 (in double)
 * Errors:  EINVAL attributes that do not fit together, branches in a cycle, a
 *          feature the input lacks
 * Numeric: sums in tree order; the same bits for any number of workers.
 *          Transforms but PROBIT leave a single target alone, as in ONNX
 *          Runtime
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#TreeEnsemble
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
    return tni_infer_dims(c, 0, tni_infer_dtype(c, 0), 2,
                          (int64_t[]){n, targets});
}

static void store(const tni_forest_task *t, int64_t row, tni_tree_score *scores,
                  float *work)
{
    const int64_t n = t->f->n_targets;
    tni_forest_finish(t->f, scores, work);
    for (int64_t i = 0; i < n; i++)
        tni_set_f64(t->out[0], row * n + i, scores[i].v);
}

static tn_status finish(tni_forest *f, const tni_node *node, tn_dtype x,
                        tn_err *err)
{
    static const tni_post posts[] = {TNI_POST_NONE, TNI_POST_SOFTMAX,
                                     TNI_POST_LOGISTIC, TNI_POST_SOFTMAX_ZERO,
                                     TNI_POST_PROBIT};
    const int64_t sum = tni_attr_int(node, "aggregate_function", 1);
    const int64_t post = tni_attr_int(node, "post_transform", 0);
    if (sum < 0 || sum > TNI_TREE_MAX || post < 0 || post >= TNI_COUNT(posts))
        return tni_fail(err, TN_EINVAL,
                        "aggregate_function is %lld, post_transform %lld",
                        (long long)sum, (long long)post);
    f->sum = (tni_tree_sum)sum;
    f->post = posts[post];
    f->wide = x == TN_F64;
    return TN_OK;
}

static tn_status block_size(size_t *size, const tni_node *node, tn_err *err)
{
    int64_t nodes, weights, members;
    TN_TRY(tni_forest5_counts(node, &nodes, &weights, &members, err));
    if (!tni_forest_size(size, nodes, weights, members))
        return tni_fail(err, TN_ELIMIT, "%lld nodes", (long long)nodes);
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    size_t size = 0;
    TN_TRY(block_size(&size, c->node, c->err));
    void *block = tni_ref_scratch(c, size);
    if (block == NULL) return tni_ref_nomem(c);
    tni_forest *f = NULL;
    TN_TRY(tni_forest5_build(&f, block, c->node, c->scratch, c->err));
    TN_TRY(finish(f, c->node, c->in[0]->dtype, c->err));
    int64_t n, features;
    TN_TRY(tni_ml_rows(&n, &features, c->in[0], c->err));
    TN_TRY(
        tni_ref_output(c, 0, c->in[0]->dtype, 2, (int64_t[]){n, f->n_targets}));
    return tni_forest_ref(c, f, NULL, store);
}

static tn_status plan(tni_plan *c)
{
    size_t size = 0;
    TN_TRY(block_size(&size, c->node, c->err));
    tni_forest *f = NULL;
    bool fresh = false;
    TN_TRY(tni_forest_block(c, size, &f, &fresh));
    if (fresh) {
        TN_TRY(tni_forest5_build(&f, f, c->node, c->arena, c->err));
        TN_TRY(finish(f, c->node, c->in[0]->dtype, c->err));
    }
    return tni_forest_plan(c, f, NULL, store);
}

#define TYPES (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

static const tni_arg in[] = {{"X", TYPES, 'T', 0}};
static const tni_arg out[] = {{"Y", TYPES, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"aggregate_function", TNI_ATTR_INT, "1"},
    {"leaf_targetids", TNI_ATTR_INTS, "required"},
    {"leaf_weights", TNI_ATTR_TENSOR, "required"},
    {"membership_values", TNI_ATTR_TENSOR, NULL},
    {"n_targets", TNI_ATTR_INT, NULL},
    {"nodes_falseleafs", TNI_ATTR_INTS, "required"},
    {"nodes_falsenodeids", TNI_ATTR_INTS, "required"},
    {"nodes_featureids", TNI_ATTR_INTS, "required"},
    {"nodes_hitrates", TNI_ATTR_TENSOR, NULL},
    {"nodes_missing_value_tracks_true", TNI_ATTR_INTS, NULL},
    {"nodes_modes", TNI_ATTR_TENSOR, "required"},
    {"nodes_splits", TNI_ATTR_TENSOR, "required"},
    {"nodes_trueleafs", TNI_ATTR_INTS, "required"},
    {"nodes_truenodeids", TNI_ATTR_INTS, "required"},
    {"post_transform", TNI_ATTR_INT, "0"},
    {"tree_roots", TNI_ATTR_INTS, "required"},
};

static const tni_op_version versions[] = {
    {.since = 5,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_tree_ensemble = {.domain = "ai.onnx.ml",
                                     .name = "TreeEnsemble",
                                     .summary =
                                         "values of a forest of decision trees",
                                     TNI_VERSIONS(versions)};
