/* SPDX-License-Identifier: Apache-2.0 */
/* subgraph.h - what If, Loop and Scan share: joining types, keeping values */
#ifndef TN_SRC_OPS_SUBGRAPH_H
#define TN_SRC_OPS_SUBGRAPH_H

#include "ops/infer.h"

/*
 * The most exact type that covers both: extents that differ become unknown,
 * ranks that differ leave the rank unknown, a missing type gives the other;
 * an optional with anything else is unknown altogether.
 * TN_EINVAL when the kinds or dtypes cannot be the same value.
 */
tn_status tni_type_join(tni_type *out, const tni_type *a, const tni_type *b,
                        tni_arena *arena, tn_err *err);
bool tni_type_equal(const tni_type *a, const tni_type *b);

/* A scalar, or [1] when `rank1`, over `data`: counters and conditions. */
void tni_tensor_scalar(tni_tensor *t, tn_dtype dtype, bool rank1, void *data);

/* True when any byte of the value, items and strings included, lies in the
 * arena. Nesting is that of the value's type. */
bool tni_value_in_arena(const tni_tensor *value, const tni_arena *arena);

/* The single bool of a condition tensor. */
tn_status tni_condition(bool *out, const tni_tensor *t, const char *what,
                        tn_err *err);

/* True when the body declares its input i with one dimension. */
static inline bool tni_body_rank1(const tni_graph *body, int i)
{
    return body->inputs[i]->type.kind == TN_KIND_TENSOR &&
           body->inputs[i]->type.rank == 1;
}

#endif
