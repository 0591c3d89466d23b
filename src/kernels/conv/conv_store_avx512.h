/* SPDX-License-Identifier: Apache-2.0 */
/* conv_store_avx512.h - transposing stores of the conv template, 16 wide */
#include "kernels/conv/conv_store_sse.h"

/* Lanes of a transposed 4 by 4 block: channels j, j + 4, j + 8, j + 12. */
TN_INLINE void put(float *y, size_t cs, V x)
{
    _mm_storeu_ps(y, _mm512_castps512_ps128(x));
    _mm_storeu_ps(y + 4 * cs, _mm512_extractf32x4_ps(x, 1));
    _mm_storeu_ps(y + 8 * cs, _mm512_extractf32x4_ps(x, 2));
    _mm_storeu_ps(y + 12 * cs, _mm512_extractf32x4_ps(x, 3));
}

TN_INLINE void store_quad(float *y, size_t cs, V a, V b, V c, V d)
{
    const V t0 = _mm512_unpacklo_ps(a, b), t1 = _mm512_unpackhi_ps(a, b);
    const V t2 = _mm512_unpacklo_ps(c, d), t3 = _mm512_unpackhi_ps(c, d);
    put(y, cs, _mm512_shuffle_ps(t0, t2, 0x44));
    put(y + cs, cs, _mm512_shuffle_ps(t0, t2, 0xee));
    put(y + 2 * cs, cs, _mm512_shuffle_ps(t1, t3, 0x44));
    put(y + 3 * cs, cs, _mm512_shuffle_ps(t1, t3, 0xee));
}

TN_INLINE void store_pair(float *y, size_t cs, V a, V b)
{
    const V lo = _mm512_unpacklo_ps(a, b), hi = _mm512_unpackhi_ps(a, b);
    put_pair(y, cs, _mm512_castps512_ps128(lo), _mm512_castps512_ps128(hi));
    put_pair(y + 4 * cs, cs, _mm512_extractf32x4_ps(lo, 1),
             _mm512_extractf32x4_ps(hi, 1));
    put_pair(y + 8 * cs, cs, _mm512_extractf32x4_ps(lo, 2),
             _mm512_extractf32x4_ps(hi, 2));
    put_pair(y + 12 * cs, cs, _mm512_extractf32x4_ps(lo, 3),
             _mm512_extractf32x4_ps(hi, 3));
}

TN_INLINE __m256 evens(__m256 a, __m256 b, int odd)
{
    const __m256d e = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    const __m256d o = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(odd != 0 ? o : e, 0xd8));
}

/* Sorted in halves: this is not where the time goes. */
TN_INLINE void v_unzip(float *even, float *odd, const float *x)
{
    for (int h = 0; h < 2; h++) {
        const __m256 a = _mm256_loadu_ps(x + 16 * h);
        const __m256 b = _mm256_loadu_ps(x + 16 * h + 8);
        _mm256_storeu_ps(even + 8 * h, evens(a, b, 0));
        _mm256_storeu_ps(odd + 8 * h, evens(a, b, 1));
    }
}
