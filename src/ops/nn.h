/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nn.h - what the references of float operators share: elements as doubles
 *
 * References of normalisations, attention and the like compute in double and
 * round once, at the store: one body then serves f64, f32, f16 and bf16.
 */
#ifndef TN_SRC_OPS_NN_H
#define TN_SRC_OPS_NN_H

#include "ops/infer.h"

/* Converts n elements of any float, integer or bool dtype. */
void tni_to_f64(double *out, tn_dtype dtype, const void *x, int64_t n);
/* Rounds to a float dtype; truncates and saturates to an integer one. */
void tni_from_f64(void *out, tn_dtype dtype, const double *x, int64_t n);

/* n doubles of scratch; NULL when memory is out. */
double *tni_nn_doubles(tni_ref *c, int64_t n);

/* Elements of a tensor as doubles: its own memory when f64, else a converted
 * copy in scratch. */
tn_status tni_nn_load(tni_ref *c, const tni_tensor *t, const double **x);
/* A buffer for output i, of which shape and memory are set: its own when f64,
 * else scratch that tni_nn_store rounds into it. NULL for an omitted one. */
tn_status tni_nn_open(tni_ref *c, int i, double **y);
void tni_nn_store(tni_ref *c, int i, const double *y);

/* Product of dims[from] … dims[to-1]; the shape was checked to fit before. */
int64_t tni_nn_extent(const int64_t *dims, int from, int to);

/* The extent product at inference: unknown when any is. */
int64_t tni_nn_dims_product(const int64_t *dims, int from, int to);

/* Infer: input i must have `rank` when its rank is known. */
tn_status tni_nn_want_rank(tni_infer *c, int i, int rank);
/* Infer: merges an extent of input i with *dim (TNI_DIM_UNKNOWN matches all);
 * TN_EINVAL names both when they differ. Unranked inputs are passed over. */
tn_status tni_nn_merge_dim(tni_infer *c, int i, int axis, int64_t *dim);

/* a + b, a * b, a / b (exact) on extents that may be unknown. */
int64_t tni_dim_add(int64_t a, int64_t b);
int64_t tni_dim_mul(int64_t a, int64_t b);
int64_t tni_dim_div(int64_t a, int64_t b);

#endif
