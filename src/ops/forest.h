/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forest.h - decision trees: building, walking and summing them
 *
 * TreeEnsembleClassifier, TreeEnsembleRegressor and TreeEnsemble describe the
 * same thing in different attributes. They fill a tni_forest_source; a forest
 * is built from it once, in one block of memory, and is immutable from then
 * on.
 */
#ifndef TN_SRC_OPS_FOREST_H
#define TN_SRC_OPS_FOREST_H

#include "kernels/kernels.h"
#include "ops/ml.h"

typedef enum tni_tree_mode {
    TNI_TREE_LEQ,
    TNI_TREE_LT,
    TNI_TREE_GTE,
    TNI_TREE_GT,
    TNI_TREE_EQ,
    TNI_TREE_NEQ,
    TNI_TREE_MEMBER,
    TNI_TREE_LEAF
} tni_tree_mode;

typedef enum tni_tree_sum {
    TNI_TREE_AVERAGE,
    TNI_TREE_SUM,
    TNI_TREE_MIN,
    TNI_TREE_MAX
} tni_tree_sum;

/* Numbers of a FLOATS attribute or of a tensor. */
typedef struct tni_reals {
    const float *f32;
    const double *f64;
    const tni_tensor *tensor; /* of any other float dtype */
    int64_t n;
} tni_reals;

double tni_real(const tni_reals *r, int64_t i);
/* `tensor` wins over `floats` where both are given. */
tn_status tni_reals_read(tni_reals *r, const tni_node *node, const char *floats,
                         const char *tensor, tn_err *err);

/* Nodes named by (tree, node) numbers, as versions 1 and 3 have them. */
typedef struct tni_forest_source {
    int64_t n_nodes;
    const int64_t *tree, *node, *feature, *yes, *no;
    const int64_t *missing; /* or NULL */
    const tn_string *modes;
    tni_reals values;
    int64_t n_weights;
    const int64_t *weight_tree, *weight_node, *weight_target;
    tni_reals weights;
    int64_t n_targets;
} tni_forest_source;

/* A leaf has its weights at [yes, yes + no). A member node has its set at
 * [set, set + n_set) of members. */
typedef struct tni_forest_node {
    double value;
    int32_t feature, yes, no;
    uint8_t mode;
    bool missing_yes; /* NaN goes to yes */
} tni_forest_node;

typedef struct tni_forest_weight {
    double value;
    int64_t target;
} tni_forest_weight;

typedef struct tni_forest {
    const tni_forest_node *nodes;
    const tni_forest_weight *weights;
    const int32_t *roots;
    const double *members;
    int64_t n_nodes, n_weights, n_roots, n_targets;
    int64_t n_features; /* largest feature used, plus one */
    tni_tree_sum sum;
    tni_post post;
    bool wide; /* thresholds, sums and inputs are double */
    tni_reals base;
} tni_forest;

/* Memory of a forest with these counts; false on overflow. */
bool tni_forest_size(size_t *size, int64_t n_nodes, int64_t n_weights,
                     int64_t n_members);

/* Builds into `block` of tni_forest_size(); the forest is its first object.
 * `temp` is rewound. */
tn_status tni_forest_build(tni_forest **out, void *block,
                           const tni_forest_source *s, tni_arena *temp,
                           tn_err *err);
/* TreeEnsemble-5, straight from the node's attributes. */
tn_status tni_forest5_counts(const tni_node *node, int64_t *n_nodes,
                             int64_t *n_weights, int64_t *n_members,
                             tn_err *err);
tn_status tni_forest5_build(tni_forest **out, void *block, const tni_node *node,
                            tni_arena *temp, tn_err *err);

/* Sums of one target of one row. */
typedef struct tni_tree_score {
    double v;
    bool has;
} tni_tree_score;

/* The scores of one row; x holds floats, or doubles when the forest is wide. */
void tni_forest_row(const tni_forest *f, const void *x, tni_tree_score *scores);
/* What a regressor makes of them: every v becomes the result. `work` holds
 * n_targets floats. */
void tni_forest_finish(const tni_forest *f, tni_tree_score *scores,
                       float *work);

/* --- operators over forests --------------------------------------------- */

/* A forest for the kernel. Where every leaf has one weight, that is a float,
 * and all of a tree have the same target, the kernel answers by the weights
 * themselves and sums need no more than these. */
typedef struct tni_forest_pack {
    tni_tree_pack trees; /* no trees: the kernel cannot take them */
    bool plain;          /* targets counts, answers are the bits of weights */
    int32_t *targets;    /* of each tree */
    bool *seen;          /* some tree has this target */
} tni_forest_pack;

/* Memory of a forest's pack; false where there cannot be one. */
bool tni_forest_pack_size(size_t *size, const tni_forest *f);
void tni_forest_pack_build(tni_forest_pack *p, const tni_forest *f);

struct tni_forest_task;

/* Turns the scores of a row into outputs; work: n_targets + 1 floats. */
typedef void (*tni_forest_store)(const struct tni_forest_task *t, int64_t row,
                                 tni_tree_score *scores, float *work);

typedef struct tni_forest_task {
    const tni_forest *f;
    const void *model; /* the operator's own */
    tni_forest_store store;
    tni_tensor *out[2]; /* NULL: omitted */
    const void *x;
    int64_t n, features; /* rows, columns */
    void *scratch;       /* tni_forest_scratch() bytes */
    /* The same trees for the kernel, or NULL to walk node by node. */
    const tni_forest_pack *pack;
    tni_tree_leaves_fn leaves;
} tni_forest_task;

/* Rows of a task, and trees whose leaves are found before they are summed:
 * a block of leaves stays in the nearest cache. */
enum { TNI_FOREST_ROWS = 32, TNI_FOREST_TREES = 64 };

/* Sums of up to TNI_FOREST_ROWS rows by the pack. `leaves` holds ROWS * TREES
 * numbers, `sums` n_targets * ROWS. */
void tni_forest_block_scores(const tni_forest_task *t, const float *x,
                             size_t rows, tni_tree_score *scores,
                             int32_t *leaves, float *sums);
/* Adds a leaf's weights to the scores of a row. */
void tni_forest_sum_leaf(const tni_forest *f, const tni_forest_node *leaf,
                         tni_tree_score *scores);

/* Per worker: the scores of a block of rows, their leaves, work space. */
size_t tni_forest_scratch(const tni_forest *f, int n_workers);
void tni_forest_run(const tni_forest_task *t, const tni_par *par);

/* The source of versions 1 and 3: nodes_* and <prefix>_* attributes. */
tn_status tni_forest_read(tni_forest_source *s, const tni_node *node,
                          const char *prefix, int64_t n_targets, tn_err *err);

/*
 * Runs a forest over input 0 as a reference, and plans it as a fast path.
 * `store` gets `model`; the outputs have their shapes by then.
 */
tn_status tni_forest_ref(tni_ref *c, const tni_forest *f, const void *model,
                         tni_forest_store store);
tn_status tni_forest_plan(tni_plan *c, const tni_forest *f, const void *model,
                          tni_forest_store store);
/* The block of a planned forest: *fresh when it must be built; one whose
 * building failed before is refused. */
tn_status tni_forest_block(tni_plan *c, size_t size, tni_forest **f,
                           bool *fresh);

#endif
