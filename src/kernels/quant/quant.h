/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quant.h - f32 to and from 8-bit integers with one scale and zero point
 *
 * Shapes:  x[n] -> y[n]
 * Layout:  contiguous, element alignment
 * Numeric: exact on every ISA.
 *          quantize:   saturate(round_half_even(x / scale) + zero_point); the
 *                      quotient is a float; NaN gives the lowest value
 *          dequantize: (x - zero_point) * scale, the difference is exact
 *          add:        saturate(round_half_even(a ra + (b rb + fixed))), two
 *          fused multiply-adds; NaN gives the lowest value
 * Aliases: none; add: y may be a or b
 * Threads: any
 * Source:  ONNX QuantizeLinear, DequantizeLinear
 */
#ifndef TN_SRC_KERNELS_QUANT_H
#define TN_SRC_KERNELS_QUANT_H

#include "kernels/rows.h"

#include <stddef.h>
#include <stdint.h>

/* zero_point is within the range of the 8-bit type. */
typedef struct tni_quant_kernels {
    void (*u8_from_f32)(const float *x, uint8_t *y, size_t n, float scale,
                        int zero_point);
    void (*s8_from_f32)(const float *x, int8_t *y, size_t n, float scale,
                        int zero_point);
    void (*f32_from_u8)(const uint8_t *x, float *y, size_t n, float scale,
                        int zero_point);
    void (*f32_from_s8)(const int8_t *x, float *y, size_t n, float scale,
                        int zero_point);
    void (*add_u8)(const uint8_t *a, const uint8_t *b, uint8_t *y, size_t n,
                   float ra, float rb, float fixed);
    void (*add_s8)(const int8_t *a, const int8_t *b, int8_t *y, size_t n,
                   float ra, float rb, float fixed);
} tni_quant_kernels;

void tni_quant_init(tni_quant_kernels *k, uint32_t isa);

#define TN_QUANT_KERNEL(isa, to_u8, to_s8, from_u8, from_s8, add_u8, add_s8)   \
    void to_u8(const float *x, uint8_t *y, size_t n, float scale,              \
               int zero_point);                                                \
    void to_s8(const float *x, int8_t *y, size_t n, float scale,               \
               int zero_point);                                                \
    void from_u8(const uint8_t *x, float *y, size_t n, float scale,            \
                 int zero_point);                                              \
    void from_s8(const int8_t *x, float *y, size_t n, float scale,             \
                 int zero_point);                                              \
    void add_u8(const uint8_t *a, const uint8_t *b, uint8_t *y, size_t n,      \
                float ra, float rb, float fixed);                              \
    void add_s8(const int8_t *a, const int8_t *b, int8_t *y, size_t n,         \
                float ra, float rb, float fixed);
#include "kernels/quant/quant.def"
#undef TN_QUANT_KERNEL

#endif
