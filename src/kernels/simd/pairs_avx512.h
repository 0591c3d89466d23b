/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_avx512.h - sixteen pairs of floats (complex numbers) in two vectors */
#ifndef TN_SRC_KERNELS_SIMD_PAIRS_AVX512_H
#define TN_SRC_KERNELS_SIMD_PAIRS_AVX512_H

#include "kernels/simd/simd_avx512.h"

/* The first and second members of the pairs at p. */
TN_INLINE void v_unzip(const float *p, vf *first, vf *second)
{
    const vf a = v_load(p), b = v_load(p + 16);
    const vi even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22,
                                      24, 26, 28, 30);
    const vi odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23,
                                     25, 27, 29, 31);
    *first = _mm512_permutex2var_ps(a, even, b);
    *second = _mm512_permutex2var_ps(a, odd, b);
}
TN_INLINE void v_zip(float *p, vf first, vf second)
{
    const vi lo = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                    22, 7, 23);
    const vi hi = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                    29, 14, 30, 15, 31);
    v_store(p, _mm512_permutex2var_ps(first, lo, second));
    v_store(p + 16, _mm512_permutex2var_ps(first, hi, second));
}
TN_INLINE vf v_reverse(vf a)
{
    const vi back =
        _mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_permutexvar_ps(back, a);
}

#endif
