/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container.h - sequences and optionals as operators see them
 *
 * Items that come from a tensor input are copied, because that memory is
 * reused once the tensor is no longer needed; items of containers live as long
 * as the run and are shared.
 */
#ifndef TN_SRC_OPS_CONTAINER_H
#define TN_SRC_OPS_CONTAINER_H

#include "ops/infer.h"

/* Output i is a sequence or optional of `elem` (NULL: not known). */
tn_status tni_infer_container(tni_infer *c, int i, tn_kind kind,
                              const tni_type *elem);
/* The item type of container input i; NULL when it is not known. TN_EINVAL
 * when the input is known to be of another kind. */
tn_status tni_infer_item(const tni_type **elem, const tni_infer *c, int i,
                         tn_kind kind);

/* TN_EINVAL unless input i is a sequence. */
tn_status tni_ref_sequence(const tni_ref *c, int i);
static inline const tni_tensor *tni_item(const tni_tensor *t, int64_t i)
{
    return ((const tni_tensor *const *)t->data)[i];
}

/* Makes output i a container of n items, to be filled through *items; NULL
 * for an omitted output. `dtype` is that of the items, if tensors. */
tn_status tni_ref_container(tni_ref *c, int i, tn_kind kind, tn_dtype dtype,
                            int64_t n, const tni_tensor ***items);
/* A copy of a value that lives as long as the run. */
tn_status tni_ref_keep(const tni_tensor **out, tni_ref *c,
                       const tni_tensor *value);
/* The place in input i (absent: `absent`), within [-n, n) or, with `end`,
 * [-n, n]. */
tn_status tni_ref_position(int64_t *out, const tni_ref *c, int i, int64_t n,
                           bool end, int64_t absent);

#endif
