/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bgemm.h - products of bfloat16 pairs, summed in f32
 *
 * A matrix of pairs holds two terms in the 32 bits of a float: term 2 i in the
 * lower half, 2 i + 1 in the upper, zero after an odd last. So it is cut,
 * packed and walked by the code of the gemm and conv families as if it were a
 * float matrix of half the terms; only the micro-kernels differ.
 *
 * Shapes:  as gemm.h, k counting pairs
 * Layout:  as gemm.h, B always packed, A in rows or packed; C, bias and what is
 *          added are f32
 * Numeric: what VDPBF16PS does: an element is one chain of fused multiply-adds
 *          from zero, of each pair the upper term first, rounded to nearest
 *          even. Operands have been rounded to bfloat16 (cvt.h), their products
 *          are exact in f32 unless they leave its range. Every row gives the
 *          same bits unless a denormal is met: `ref` and the rows of
 *          TN_ISA_AVX512_BF16 read denormals as zeros and turn denormal sums
 *          into zeros, whatever the floating-point mode; the others keep them.
 *          Error: (2 k + 1) u sum |a b| beside 2^-8 of each operand.
 * Aliases: as gemm.h
 * Threads: any
 * Source:  Intel SDM, VDPBF16PS
 */
#ifndef TN_SRC_KERNELS_BGEMM_BGEMM_H
#define TN_SRC_KERNELS_BGEMM_BGEMM_H

#include "kernels/cvt/cvt.h"
#include "kernels/gemm/gemm.h"
#include "tenon/base.h"

#define TN_BGEMM_KERNEL(isa, name, mr, nr, kc)                                 \
    void tni_bgemm_row__##name(const tni_gemm_tile *t);                        \
    void tni_bgemm_col__##name(const tni_gemm_tile *t);                        \
    void tni_bgemm_wide__##name(const tni_gemm_tile *t);
#include "kernels/bgemm/bgemm.def"
#undef TN_BGEMM_KERNEL

void tni_bgemm_init(tni_gemm_kernels *k, uint32_t isa);

/* Table access for kcheck: row i, or false past the end. */
bool tni_bgemm_row(tni_gemm_kernels *k, int i);

/* Whether the row has the instruction; else pairs are widened, which saves
 * memory but, except where one waits for weights, no time. */
static inline bool tni_bgemm_native(const tni_gemm_kernels *k)
{
    return (k->isa & TN_ISA_AVX512_BF16) != 0;
}

static inline size_t tni_bgemm_pairs(size_t k)
{
    return k / 2 + k % 2;
}

/* The pairs of n neighbours: tni_bgemm_pairs(n) of them. */
void tni_bgemm_pair_row(tni_cvt_narrow_fn narrow, float *out, const float *x,
                        size_t n);

/* out[i] is the pair of lo[i] and hi[i], or of lo[i] and 0 without hi. */
void tni_bgemm_pair_zip(tni_cvt_narrow_fn narrow, float *out, const float *lo,
                        const float *hi, size_t n);

/* Packs the pairs of B[k, n] (trans: stored as [n, k]) as tni_gemm_pack_b does
 * a float matrix of tni_bgemm_pairs(k) terms. */
void tni_bgemm_pack_b(const tni_gemm_kernels *ker, tni_cvt_narrow_fn narrow,
                      float *out, const float *b, size_t ldb, bool trans,
                      size_t k, size_t n);
/* Rows [k0, k0 + count) of the same B, not transposed; b is at its row k0. Both
 * are even, but for a count that ends at k. */
void tni_bgemm_pack_b_rows(const tni_gemm_kernels *ker,
                           tni_cvt_narrow_fn narrow, float *out, const float *b,
                           size_t ldb, size_t k, size_t n, size_t k0,
                           size_t count);

#endif
