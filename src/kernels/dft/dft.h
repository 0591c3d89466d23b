/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dft.h - discrete Fourier transforms of f32, one at a time
 *
 * The n points are rows of `lanes` numbers, one vector each. All lanes are
 * transformed side by side by Stockham's self-sorting passes of radix 4, 2, 3
 * and 5; then squares of lanes times lanes are multiplied by the roots that
 * remain, transposed, and transformed across their vectors. Real input of an
 * even length is taken as half as many complex points and unpacked.
 *
 * Shapes:  forward, inverse: x[n] pairs -> y[n] pairs; the inverse is scaled
 *          by 1/n. Real: x[2n] floats -> y[n + 1] pairs
 * Layout:  pairs are (real, imaginary); window: NULL, or as many floats as x,
 *          multiplied with it
 * Numeric: bounded: the error's 2-norm is at most 2 u log2(2n) times that of
 *          y (u = 2^-24). Rows of different lanes sum in different orders
 * Aliases: none
 * Threads: any; a plan is immutable once built
 * Source:  P. Swarztrauber, "FFT algorithms for vector computers", Parallel
 *          Computing 1 (1984); D. Bailey, "FFTs in external or hierarchical
 *          memory", J. Supercomputing 4 (1990), for the split into rows
 * Limit:   n up to 2^24 with no prime factor but 2, 3 and 5; vector rows take
 *          multiples of their lanes from lanes * lanes on
 */
#ifndef TN_SRC_KERNELS_DFT_H
#define TN_SRC_KERNELS_DFT_H

#include "kernels/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum tni_dft_form {
    TNI_DFT_FORWARD,
    TNI_DFT_INVERSE,
    TNI_DFT_REAL
} tni_dft_form;

enum { TNI_DFT_MAX_PASSES = 24, TNI_DFT_MAX_POINTS = 1 << 24 };

typedef struct tni_dft_plan {
    tni_dft_form form;
    size_t n, rows; /* complex points; n / lanes */
    int n_passes;
    uint8_t radix[TNI_DFT_MAX_PASSES];
    const float *roots;               /* of all passes: pairs, [p][k - 1] */
    const float *cross_re, *cross_im; /* exp(-2 pi i row lane / n) */
    const float *half_re, *half_im;   /* exp(-pi i k / n), k <= n / 2 */
} tni_dft_plan;

/* work: tni_dft_work() floats. */
typedef void (*tni_dft_fn)(const tni_dft_plan *plan, const float *x,
                           const float *window, float *y, float *work);

typedef struct tni_dft_row {
    uint32_t isa;
    size_t lanes;
    tni_dft_fn run;
} tni_dft_row;

typedef struct tni_dft_kernels {
    uint32_t isa;
} tni_dft_kernels;

void tni_dft_init(tni_dft_kernels *k, uint32_t isa);

/* The best row for n complex points; NULL when there is none. */
const tni_dft_row *tni_dft_choose(const tni_dft_kernels *k, size_t n);
bool tni_dft_fits(const tni_dft_row *row, size_t n);

/* Floats of a plan's tables, and of work; n is one that fits. */
size_t tni_dft_tables(size_t n);
static inline size_t tni_dft_work(size_t n)
{
    return 4 * n;
}
void tni_dft_build(tni_dft_plan *plan, const tni_dft_row *row,
                   tni_dft_form form, size_t n, float *tables);

#define TN_DFT_KERNEL(isa, lanes, fn)                                          \
    void fn(const tni_dft_plan *plan, const float *x, const float *window,     \
            float *y, float *work);
#include "kernels/dft/dft.def"
#undef TN_DFT_KERNEL

#endif
