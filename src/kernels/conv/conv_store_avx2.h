/* SPDX-License-Identifier: Apache-2.0 */
/* conv_store_avx2.h - transposing stores of the conv template, 8 wide */
#include "kernels/conv/conv_store_sse.h"

/* Lanes of a transposed 4 by 4 block: channel j below, j + 4 above. */
TN_INLINE void put(float *y, size_t cs, V x)
{
    _mm_storeu_ps(y, _mm256_castps256_ps128(x));
    _mm_storeu_ps(y + 4 * cs, _mm256_extractf128_ps(x, 1));
}

TN_INLINE void store_quad(float *y, size_t cs, V a, V b, V c, V d)
{
    const V t0 = _mm256_unpacklo_ps(a, b), t1 = _mm256_unpackhi_ps(a, b);
    const V t2 = _mm256_unpacklo_ps(c, d), t3 = _mm256_unpackhi_ps(c, d);
    put(y, cs, _mm256_shuffle_ps(t0, t2, 0x44));
    put(y + cs, cs, _mm256_shuffle_ps(t0, t2, 0xee));
    put(y + 2 * cs, cs, _mm256_shuffle_ps(t1, t3, 0x44));
    put(y + 3 * cs, cs, _mm256_shuffle_ps(t1, t3, 0xee));
}

TN_INLINE void store_pair(float *y, size_t cs, V a, V b)
{
    const V lo = _mm256_unpacklo_ps(a, b), hi = _mm256_unpackhi_ps(a, b);
    put_pair(y, cs, _mm256_castps256_ps128(lo), _mm256_castps256_ps128(hi));
    put_pair(y + 4 * cs, cs, _mm256_extractf128_ps(lo, 1),
             _mm256_extractf128_ps(hi, 1));
}

/* Halves of either vector come out in the order 0 2 1 3 of 64-bit pairs. */
TN_INLINE void v_unzip(float *even, float *odd, const float *x)
{
    const V a = v_loadu(x), b = v_loadu(x + 8);
    const __m256d e = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    const __m256d o = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    v_storeu(even, _mm256_castpd_ps(_mm256_permute4x64_pd(e, 0xd8)));
    v_storeu(odd, _mm256_castpd_ps(_mm256_permute4x64_pd(o, 0xd8)));
}
