/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv_avx2.c - f32 depthwise kernels for AVX2 and FMA */
#include "kernels/dwconv/dwconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#define DW_NAME(part) tni_dwconv_f32_##part##__avx2
#include "kernels/gemm/gemm_vec_avx2.h"

/* From four on, two halves that overlap: masked stores are slow on some. */
TN_INLINE void v_put_n(float *y, V x, size_t n)
{
    float tmp[VW];
    if (n >= 4) {
        const __m256i last =
            _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 0, 0, 0, 0),
                             _mm256_set1_epi32((int)n - 4));
        _mm_storeu_ps(y, _mm256_castps256_ps128(x));
        _mm_storeu_ps(y + n - 4, _mm256_castps256_ps128(
                                     _mm256_permutevar8x32_ps(x, last)));
        return;
    }
    v_storeu(tmp, x);
    for (size_t i = 0; i < n; i++) y[i] = tmp[i];
}

#include "kernels/dwconv/dwconv_tmpl.h"
TN_TARGET_END
#endif
