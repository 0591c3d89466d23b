/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h - windows over spatial axes: geometry of MaxPool, AveragePool, LpPool
 *
 * Shapes:  x[N, C, D1 … Dk] -> y[N, C, D1' … Dk'], any k >= 1
 * Extents: NOTSET  floor or ceil((D + pads - ((kernel-1)*dilation + 1)) /
 *          stride) + 1, less a last window that would start in the end
 *          padding; VALID the same without pads; SAME_* ceil(D / stride), the
 *          odd pixel at the end (UPPER) or the beginning (LOWER).
 * Numeric: a NaN in a window is its maximum
 * Source:  github.com/onnx/onnx docs/Operators.md#MaxPool
 */
#ifndef TN_SRC_OPS_POOL_H
#define TN_SRC_OPS_POOL_H

#include "ops/infer.h"

enum { TNI_POOL_DIMS = TN_MAX_RANK - 2 };

typedef struct tni_pool {
    int nd;
    int64_t planes; /* N * C */
    int64_t in[TNI_POOL_DIMS], out[TNI_POOL_DIMS], kernel[TNI_POOL_DIMS];
    int64_t stride[TNI_POOL_DIMS], dilation[TNI_POOL_DIMS];
    int64_t before[TNI_POOL_DIMS], after[TNI_POOL_DIMS];
    int64_t in_len, out_len; /* of a plane; extents must be known */
} tni_pool;

/* Geometry from a node and the shape of its input, extents may be unknown.
 * Attributes are checked: sizes, signs, and that each window can be held. */
tn_status tni_pool_make(tni_pool *p, const tni_node *node, int rank,
                        const int64_t *dims, tn_err *err);
/* Output 0 of the type that follows, and output 1 as int64 when wanted. */
tn_status tni_pool_infer(tni_infer *c);

/* The valid taps of one axis: window o covers inputs first + k*dilation for
 * k in [*k0, *k1), all of them inside the input. */
static inline int64_t tni_pool_taps(const tni_pool *p, int axis, int64_t o,
                                    int64_t *k0, int64_t *k1)
{
    const int64_t d = p->dilation[axis];
    const int64_t first = o * p->stride[axis] - p->before[axis];
    int64_t lo = 0, hi = p->kernel[axis];
    if (first < 0) lo = (-first + d - 1) / d;
    if (first + (hi - 1) * d >= p->in[axis])
        hi = first >= p->in[axis] ? 0 : (p->in[axis] - 1 - first) / d + 1;
    *k0 = lo;
    *k1 = hi < lo ? lo : hi;
    return first;
}

typedef enum tni_pool_kind {
    TNI_POOL_MAX,
    TNI_POOL_AVERAGE,
    TNI_POOL_LP
} tni_pool_kind;

/* Output 0 of any float, int8 or uint8 dtype; indices of the maxima too. */
tn_status tni_pool_ref(tni_ref *c, tni_pool_kind kind);
/* f32, and for the maximum int8 and uint8, of one to three axes. */
tn_status tni_pool_plan(tni_plan *c, tni_pool_kind kind);

/* Mask of the spatial axes of a global pool. */
static inline uint32_t tni_pool_global_mask(int rank)
{
    return rank <= 2 ? 0 : (uint32_t)((1u << rank) - 1u) & ~3u;
}
/* infer of the global pools: spatial extents become 1. */
tn_status tni_pool_global_infer(tni_infer *c);

#endif
