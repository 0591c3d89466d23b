/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv_avx512.c - f32 depthwise kernels for AVX-512 */
#include "kernels/dwconv/dwconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#define DW_NAME(part) tni_dwconv_f32_##part##__avx512
#include "kernels/gemm/gemm_vec_avx512.h"

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

#include "kernels/dwconv/dwconv_tmpl.h"
TN_TARGET_END
#endif
