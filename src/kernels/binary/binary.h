/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binary.h - elementwise functions of two f32 arrays
 *
 * Shapes:  VV: a[n], b[n] -> y[n]; VS: b is one number; SV: a is one number
 * Layout:  contiguous, float alignment
 * Numeric: exact (one IEEE operation): same bits on every ISA. MIN and MAX
 *          give NaN when either is NaN; of equal zeros they give b's.
 * Aliases: y == a and y == b are allowed; partial overlap is not
 * Threads: any
 * Source:  ONNX Add, Sub, Mul, Div, Min, Max; numpy.minimum for NaN
 */
#ifndef TN_SRC_KERNELS_BINARY_H
#define TN_SRC_KERNELS_BINARY_H

#include "kernels/rows.h"

#include <stddef.h>
#include <stdint.h>

typedef enum tni_binary_op {
    TNI_BINARY_ADD,
    TNI_BINARY_DIV,
    TNI_BINARY_MAX,
    TNI_BINARY_MIN,
    TNI_BINARY_MUL,
    TNI_BINARY_SUB,
    TNI_N_BINARY
} tni_binary_op;

typedef enum tni_binary_form {
    TNI_BINARY_VV,
    TNI_BINARY_VS,
    TNI_BINARY_SV,
    TNI_N_BINARY_FORM
} tni_binary_form;

typedef void (*tni_binary_f32_fn)(const float *a, const float *b, float *y,
                                  size_t n);

typedef struct tni_binary_kernels {
    tni_binary_f32_fn f32[TNI_N_BINARY][TNI_N_BINARY_FORM];
} tni_binary_kernels;

void tni_binary_init(tni_binary_kernels *k, uint32_t isa);

#define TN_BINARY_KERNEL(isa, op, form, fn)                                    \
    void fn(const float *a, const float *b, float *y, size_t n);
#include "kernels/binary/binary.def"
#undef TN_BINARY_KERNEL

#endif
