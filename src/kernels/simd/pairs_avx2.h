/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_avx2.h - eight pairs of floats (complex numbers) in two vectors */
#ifndef TN_SRC_KERNELS_SIMD_PAIRS_AVX2_H
#define TN_SRC_KERNELS_SIMD_PAIRS_AVX2_H

#include "kernels/simd/simd_avx2.h"

/* The first and second members of the pairs at p. */
TN_INLINE void v_unzip(const float *p, vf *first, vf *second)
{
    const vf a = v_load(p), b = v_load(p + 8);
    const vf lo = _mm256_permute2f128_ps(a, b, 0x20);
    const vf hi = _mm256_permute2f128_ps(a, b, 0x31);
    *first = _mm256_shuffle_ps(lo, hi, 0x88);
    *second = _mm256_shuffle_ps(lo, hi, 0xdd);
}
TN_INLINE void v_zip(float *p, vf first, vf second)
{
    const vf lo = _mm256_unpacklo_ps(first, second);
    const vf hi = _mm256_unpackhi_ps(first, second);
    v_store(p, _mm256_permute2f128_ps(lo, hi, 0x20));
    v_store(p + 8, _mm256_permute2f128_ps(lo, hi, 0x31));
}
TN_INLINE vf v_reverse(vf a)
{
    return _mm256_permutevar8x32_ps(a,
                                    _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0));
}

#endif
