/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peak.h - independent multiply-adds, to learn what the machine can do
 *
 * Not a kernel anyone computes with, so it has no table: kcheck and bench
 * divide by what it reaches.
 */
#ifndef TN_SRC_KERNELS_PEAK_H
#define TN_SRC_KERNELS_PEAK_H

#include <stddef.h>
#include <stdint.h>

/* Runs n rounds of 12 vector multiply-adds; out keeps them alive (16 floats
 * per accumulator, 192 in all). */
typedef void (*tni_peak_fn)(float *out, size_t n);

/* The widest one of `isa`, and its floats per vector. */
tni_peak_fn tni_peak_select(uint32_t isa, int *width);

/* The same of 8-bit integers: products of them, added in 32 bits. `width`:
 * multiply-adds of one vector step. */
typedef void (*tni_peak_i8_fn)(int32_t *out, size_t n);

tni_peak_i8_fn tni_peak_i8_select(uint32_t isa, int *width);

void tni_peak_i8__ref(int32_t *out, size_t n);
void tni_peak_i8__avx2(int32_t *out, size_t n);
void tni_peak_i8__avxvnni(int32_t *out, size_t n);
void tni_peak_i8__avx512(int32_t *out, size_t n);
void tni_peak_i8__avx512vnni(int32_t *out, size_t n);
void tni_peak_i8__neon(int32_t *out, size_t n);
void tni_peak_i8__neondot(int32_t *out, size_t n);

void tni_peak_f32__ref(float *out, size_t n);
void tni_peak_f32__avx2(float *out, size_t n);
void tni_peak_f32__avx512(float *out, size_t n);
void tni_peak_f32__neon(float *out, size_t n);

#endif
