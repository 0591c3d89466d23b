/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fft.h - discrete Fourier transforms of any length, in double
 *
 * Powers of two by Stockham's radix-4 and radix-2 passes, other lengths by
 * Bluestein's convolution; real input of even length by a complex transform
 * of half the length. Error grows with log2 of the length.
 * Threads: a plan is immutable; work belongs to one call.
 */
#ifndef TN_SRC_OPS_FFT_H
#define TN_SRC_OPS_FFT_H

#include "base/alloc.h"
#include "base/err.h"

#include <stdint.h>

typedef struct tni_fft tni_fft;

/* A plan for complex transforms of n >= 1 points; TN_ELIMIT when n is too
 * large. */
tn_status tni_fft_new(tni_fft **out, int64_t n, tni_arena *arena, tn_err *err);
/* As above, for tni_fft_real. */
tn_status tni_fft_new_real(tni_fft **out, int64_t n, tni_arena *arena,
                           tn_err *err);
/* Doubles of work that a call needs. */
size_t tni_fft_work(const tni_fft *f);

/* x: n pairs (real, imaginary), transformed in place; not scaled. */
void tni_fft_run(const tni_fft *f, double *x, bool inverse, double *work);
/* x: n real numbers in, n / 2 + 1 pairs out (room for n + 2 doubles). */
void tni_fft_real(const tni_fft *f, double *x, double *work);

#endif
