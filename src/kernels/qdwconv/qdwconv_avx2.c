/* SPDX-License-Identifier: Apache-2.0 */
/* qdwconv_avx2.c - depthwise 8-bit convolution, 16 channels at a time */
#include "kernels/qdwconv/qdwconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>
#include <string.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/simd_avx2.h"

#include "kernels/qconv/qconv_vec_avx2.h"

#define QDWCONV_NAME tni_qdwconv_tile__avx2
typedef __m256i vs;

TN_INLINE vs vs_load(const uint8_t *p, bool x_signed)
{
    const __m128i b = _mm_loadu_si128((const __m128i *)(const void *)p);
    return x_signed ? _mm256_cvtepi8_epi16(b) : _mm256_cvtepu8_epi16(b);
}

TN_INLINE vs vs_load_n(const uint8_t *p, size_t n, bool x_signed)
{
    uint8_t t[16] = {0};
    for (size_t i = 0; i < n; i++) t[i] = p[i];
    return vs_load(t, x_signed);
}

TN_INLINE vs vs_zip_lo(vs a, vs b)
{
    return _mm256_unpacklo_epi16(a, b);
}

TN_INLINE vs vs_zip_hi(vs a, vs b)
{
    return _mm256_unpackhi_epi16(a, b);
}

/* The sum stays in its register: gcc 12 else adds the products up later, and
 * spills them. */
TN_INLINE vi vi_madd(vi sum, vs v, vi w)
{
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(v, w));
#if !defined(TN_NO_TARGET)
    __asm__("" : "+x"(sum));
#endif
    return sum;
}

/* Packing undoes the order in which words were interleaved. */
TN_INLINE void vb_store(uint8_t *y, vi lo, vi hi)
{
    const __m256i w =
        _mm256_and_si256(_mm256_packs_epi32(lo, hi), _mm256_set1_epi16(0xff));
    _mm_storeu_si128((__m128i *)(void *)y,
                     _mm_packus_epi16(_mm256_castsi256_si128(w),
                                      _mm256_extracti128_si256(w, 1)));
}

TN_INLINE void vb_store_n(uint8_t *y, size_t n, vi lo, vi hi)
{
    uint8_t t[16];
    vb_store(t, lo, hi);
    for (size_t i = 0; i < n; i++) y[i] = t[i];
}

#include "kernels/qdwconv/qdwconv_tmpl.h"
TN_TARGET_END
#endif
