/* SPDX-License-Identifier: Apache-2.0 */
/* qlinear.h - com.microsoft's elementwise operators on 8-bit integers */
#ifndef TN_SRC_OPS_QLINEAR_H
#define TN_SRC_OPS_QLINEAR_H

#include "ops/qgrid.h"

#define TNI_BYTES (TNI_T(TN_U8) | TNI_T(TN_I8))

/* A, A_scale, A_zero_point, B, …, C_scale, C_zero_point -> C */
extern const tni_arg tni_qlinear_zip_in[8];
extern const tni_arg tni_qlinear_zip_out[1];

/* real = (code - zero) scale */
typedef struct tni_qlinear_param {
    float scale, zero;
} tni_qlinear_param;

typedef struct tni_qlinear_params {
    tni_qlinear_param a, b, c;
} tni_qlinear_params;

/* The codes of a and b, n <= 256 of each, become codes of dtype. */
typedef void (*tni_qlinear_fn)(void *z, tn_dtype dtype, const float *a,
                               const float *b, size_t n,
                               const tni_qlinear_params *p);

/* The same of n codes side by side; NULL: there is no such way. */
typedef void (*tni_qlinear_codes_fn)(void *z, tn_dtype dtype, const void *a,
                                     const void *b, size_t n,
                                     const tni_qlinear_params *p,
                                     const tni_kernels *k);

tn_status tni_qlinear_zip_infer(tni_infer *c);
tn_status tni_qlinear_zip_ref(tni_ref *c, tni_qlinear_fn fn);
tn_status tni_qlinear_zip_plan(tni_plan *c, tni_qlinear_fn fn,
                               tni_qlinear_codes_fn codes);

/* X, X_scale, X_zero_point, Y_scale, Y_zero_point -> Y, by a table of 256. */
extern const tni_arg tni_qlinear_map_in[5];
extern const tni_arg tni_qlinear_map_out[1];

/* A real function with one attribute. */
typedef float (*tni_qlinear_real)(float x, float arg);

tn_status tni_qlinear_map_infer(tni_infer *c);
tn_status tni_qlinear_map_ref(tni_ref *c, tni_qlinear_real fn, float arg);
tn_status tni_qlinear_map_plan(tni_plan *c, tni_qlinear_real fn, float arg);

#endif
