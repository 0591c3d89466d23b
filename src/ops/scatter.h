/* SPDX-License-Identifier: Apache-2.0 */
/* scatter.h - writing or reducing updates into a copy of a tensor */
#ifndef TN_SRC_OPS_SCATTER_H
#define TN_SRC_OPS_SCATTER_H

#include "ops/op.h"

typedef enum tni_scatter_op {
    TNI_SCATTER_NONE,
    TNI_SCATTER_ADD,
    TNI_SCATTER_MUL,
    TNI_SCATTER_MIN,
    TNI_SCATTER_MAX
} tni_scatter_op;

/* The attribute "reduction"; TN_EINVAL when it is not known, TN_EUNSUPPORTED
 * when it makes no sense for `dtype`. */
tn_status tni_scatter_reduction(tni_scatter_op *op, const tni_node *node,
                                tn_dtype dtype, tn_err *err);
/* to[i] = to[i] op from[i] for n elements. */
void tni_scatter_row(void *to, const void *from, int64_t n, tn_dtype dtype,
                     tni_scatter_op op);
/* Scatter and ScatterElements: data, indices, updates. */
tn_status tni_scatter_elements(tni_ref *c);

#endif
