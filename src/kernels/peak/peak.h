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

void tni_peak_f32__ref(float *out, size_t n);
void tni_peak_f32__avx2(float *out, size_t n);
void tni_peak_f32__avx512(float *out, size_t n);
void tni_peak_f32__neon(float *out, size_t n);

#endif
