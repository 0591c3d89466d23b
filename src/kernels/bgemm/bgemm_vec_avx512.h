/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_vec_avx512.h - pairs widened on AVX-512; follows gemm_vec_avx512.h */
TN_INLINE V v_upper(V x)
{
    const __m512i mask = _mm512_set1_epi32((int)0xffff0000u);
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(x), mask));
}

TN_INLINE V v_lower(V x)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(x), 16));
}

#include "kernels/bgemm/bgemm_vec_pairs.h"
