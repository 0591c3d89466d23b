/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qgrid.h - quantisation: which scale holds for which element, and rounding
 *
 * Scales are one per tensor, one per index of an axis, or one per block along
 * an axis. tni_qgrid turns all three into rows within which the scale is
 * either one number or an array beside the elements.
 */
#ifndef TN_SRC_OPS_QGRID_H
#define TN_SRC_OPS_QGRID_H

#include "ops/elementwise.h"

/* Dtypes that are quantised to. */
#define TNI_QUANT_DTYPES                                                       \
    (TNI_T(TN_U8) | TNI_T(TN_I8) | TNI_T(TN_U16) | TNI_T(TN_I16) | TNI_FP8 |   \
     TNI_SUBBYTE)
#define TNI_HALF_FLOATS (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

typedef struct tni_qgrid {
    size_t rows, len; /* for tni_rows_for */
    size_t extent;    /* of the axis */
    size_t scales;    /* along the axis */
    size_t block;     /* elements of the axis that share a scale */
    size_t post;      /* elements beside one index of the axis */
    bool blocked;
} tni_qgrid;

/* Elements [at, at + n) and their scales, which begin at `scale` and are one
 * (step 0) or n (step 1). */
typedef struct tni_qcell {
    size_t at, n, scale, step;
} tni_qcell;

/* block 0: per tensor when there is one scale, else per axis. */
tn_status tni_qgrid_init(tni_qgrid *g, const tni_shape *x,
                         const tni_shape *scale, int64_t axis, int64_t block,
                         tn_err *err);
/* False when the piece lies outside (the rest of a last block). */
bool tni_qgrid_cell(tni_qcell *cell, const tni_qgrid *g, size_t row,
                    size_t first, size_t n);

/* The range of an integer dtype; false for floats. */
bool tni_quant_range(float *lo, float *hi, tn_dtype dtype);

/*
 * y = round(v) + zero, held in the dtype's range; half to even. `v` is n
 * quotients, `zero` one (step 0) or n numbers, ignored for fp8. NaN becomes
 * the lowest integer.
 */
void tni_quantize(void *y, tn_dtype dtype, const float *v, size_t n,
                  const float *zero, size_t step, bool saturate);

/* The operators; `since` says which of the domain's versions. */
tn_status tni_quantize_infer(tni_infer *c);
tn_status tni_quantize_ref(tni_ref *c);
tn_status tni_quantize_plan(tni_plan *c);
tn_status tni_dequantize_infer(tni_infer *c);
tn_status tni_dequantize_ref(tni_ref *c);
tn_status tni_dequantize_plan(tni_plan *c);

#endif
