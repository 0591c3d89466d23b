/* SPDX-License-Identifier: Apache-2.0 */
/* infer.h - what shape inference of most operators is made of */
#ifndef TN_SRC_OPS_INFER_H
#define TN_SRC_OPS_INFER_H

#include "ops/op.h"

/* Output `out`: the type of input `in`. */
tn_status tni_infer_same(tni_infer *c, int out, int in);
/* Output 0 has the type of input 0: the infer of elementwise operators. */
tn_status tni_infer_unary(tni_infer *c);
/* Output 0: all inputs broadcast together, dtype of input 0. */
tn_status tni_infer_broadcast(tni_infer *c);
/* Output 0: all inputs broadcast together, bool. */
tn_status tni_infer_compare(tni_infer *c);
/* As above for inputs first … first+n-1 into output `out` with `dtype`. */
tn_status tni_infer_broadcast_n(tni_infer *c, int first, int n, int out,
                                tn_dtype dtype);
/* Merges two extents under broadcasting; false when they cannot. */
bool tni_dim_broadcast(int64_t *out, int64_t a, int64_t b);
/* Merges two extents that must be equal; false when they cannot be. */
bool tni_dim_equal(int64_t *out, int64_t a, int64_t b);

/* True when input i is present. */
static inline bool tni_infer_has(const tni_infer *c, int i)
{
    return i < c->n_in && c->in[i] != NULL;
}

/* True when input i is a tensor of known rank. */
static inline bool tni_infer_ranked(const tni_infer *c, int i)
{
    return tni_infer_has(c, i) && c->in[i]->kind == TN_KIND_TENSOR &&
           c->in[i]->rank >= 0;
}

/* The dtype of input i, TN_UNDEFINED when not known. */
static inline tn_dtype tni_infer_dtype(const tni_infer *c, int i)
{
    return tni_infer_has(c, i) ? c->in[i]->dtype : TN_UNDEFINED;
}

static inline const tni_tensor *tni_infer_const(const tni_infer *c, int i)
{
    return i < c->n_in && c->in[i] != NULL ? c->in_const[i] : NULL;
}

/* Output i is a tensor of `dtype`, rank unknown. No-op beyond n_out. */
void tni_infer_unranked(tni_infer *c, int i, tn_dtype dtype);
/* Output i is a tensor of `dtype` with these extents (unknown allowed). */
tn_status tni_infer_dims(tni_infer *c, int i, tn_dtype dtype, int rank,
                         const int64_t *dims);

/* Maps an axis of [-rank, rank) to [0, rank); TN_EINVAL outside. */
tn_status tni_axis(int *out, int64_t axis, int rank, tn_err *err);
/* A set of axes as a bit per axis; TN_EINVAL out of range or named twice. */
tn_status tni_axes_mask(uint32_t *mask, const int64_t *axes, int n, int rank,
                        tn_err *err);
/* The integers of a 0-D or 1-D tensor; at most TN_MAX_RANK of them. */
tn_status tni_tensor_ints(int64_t *out, int *n, const tni_tensor *t,
                          tn_err *err);
/*
 * Axes of an operator that had them as attribute "axes" before and as input
 * `in` later: *n = -1 when neither is given; *known = false when the input's
 * value is not known at this stage.
 */
tn_status tni_infer_axes(const tni_infer *c, int in, int64_t *axes, int *n,
                         bool *known);
/* The same at run. */
tn_status tni_ref_axes(const tni_ref *c, int in, int64_t *axes, int *n);

#endif
