/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reduce_axes.h - the ten Reduce operators over one loop
 *
 * Shapes:  data[d0 … dn] -> reduced, without (keepdims 0) or with extent 1 for
 *          (keepdims 1) each axis; no axes: all of them, or none where
 *          noop_with_empty_axes is set (the op's own map still applies).
 * Numeric: floats accumulate in double (f32 plans: in double per block);
 *          integers wrap; Mean, L2, LogSum, LogSumExp of integers truncate.
 *          Empty sets: 0 for sums and norms, 1 for Prod, -inf / lowest for
 *          Max and the logs, +inf / highest for Min, NaN for Mean.
 * Source:  github.com/onnx/onnx docs/Operators.md#ReduceSum and following
 */
#ifndef TN_SRC_OPS_REDUCE_AXES_H
#define TN_SRC_OPS_REDUCE_AXES_H

#include "ops/infer.h"

typedef enum tni_reduce_kind {
    TNI_REDUCTION_SUM,
    TNI_REDUCTION_MEAN,
    TNI_REDUCTION_MAX,
    TNI_REDUCTION_MIN,
    TNI_REDUCTION_PROD,
    TNI_REDUCTION_L1,
    TNI_REDUCTION_L2,
    TNI_REDUCTION_LOG_SUM,
    TNI_REDUCTION_LOG_SUM_EXP,
    TNI_REDUCTION_SUM_SQUARE
} tni_reduce_kind;

tn_status tni_reduce_infer(tni_infer *c);
tn_status tni_reduce_ref(tni_ref *c, tni_reduce_kind kind);
tn_status tni_reduce_plan(tni_plan *c, tni_reduce_kind kind);

/* The same over the axes of a mask, keeping their extent 1 (global pools). */
tn_status tni_reduce_ref_over(tni_ref *c, tni_reduce_kind kind, uint32_t mask,
                              bool keep);
tn_status tni_reduce_plan_over(tni_plan *c, tni_reduce_kind kind,
                               uint32_t mask);

/* Element types of opsets 1 … 12 (bfloat16 came with 13). */
#define TNI_REDUCE_T1                                                          \
    (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16) | TNI_T(TN_I32) |           \
     TNI_T(TN_I64) | TNI_T(TN_U32) | TNI_T(TN_U64))
#define TNI_REDUCE_T13 (TNI_REDUCE_T1 | TNI_T(TN_BF16))
#define TNI_REDUCE_8BIT (TNI_T(TN_I8) | TNI_T(TN_U8))

/* Attributes while axes was one, and since it is an input. */
extern const tni_attr_spec tni_reduce_attrs_1[2];
extern const tni_attr_spec tni_reduce_attrs_18[2];

#endif
