/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_vec_avx2.h - pairs widened on AVX2; follows gemm_vec_avx2.h */
TN_INLINE V v_upper(V x)
{
    const __m256i mask = _mm256_set1_epi32((int)0xffff0000u);
    return _mm256_and_ps(x, _mm256_castsi256_ps(mask));
}

TN_INLINE V v_lower(V x)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), 16));
}

#include "kernels/bgemm/bgemm_vec_pairs.h"
