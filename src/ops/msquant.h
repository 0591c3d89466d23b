/* SPDX-License-Identifier: Apache-2.0 */
/* msquant.h - 8-bit weights and inputs of com.microsoft's quantised operators */
#ifndef TN_SRC_OPS_MSQUANT_H
#define TN_SRC_OPS_MSQUANT_H

#include "ops/infer.h"

#define TNI_MS_INT8S (TNI_T(TN_U8) | TNI_T(TN_I8))

/*
 * A tensor of 8-bit integers as floats in scratch: (x - zero) * scale with
 * one scale, or one for each column of the last axis; zero (NULL: 0) has as
 * many elements as scale, or one. TN_EINVAL names the input `at` otherwise.
 */
tn_status tni_ms_dequantize(tni_ref *c, tni_tensor *out, const tni_tensor *x,
                            const tni_tensor *scale, const tni_tensor *zero,
                            int at);

/* Rounds n numbers to the 256 steps of their own range, as
 * DynamicQuantizeLinear and back would. x and y may be one. */
void tni_ms_requantize(double *y, const double *x, int64_t n);

#endif
