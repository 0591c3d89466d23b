/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv_avx2.c - f32 depthwise kernels for AVX2 and FMA */
#include "kernels/dwconv/dwconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#define DW_NAME(part) tni_dwconv_f32_##part##__avx2
#include "kernels/gemm/gemm_vec_avx2.h"

/* Halves of either vector come out in the order 0 2 1 3 of 64-bit pairs. */
TN_INLINE void v_unzip(float *even, float *odd, const float *x)
{
    const V a = v_loadu(x), b = v_loadu(x + 8);
    const __m256d e = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    const __m256d o = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    v_storeu(even, _mm256_castpd_ps(_mm256_permute4x64_pd(e, 0xd8)));
    v_storeu(odd, _mm256_castpd_ps(_mm256_permute4x64_pd(o, 0xd8)));
}

#include "kernels/dwconv/dwconv_tmpl.h"
TN_TARGET_END
#endif
