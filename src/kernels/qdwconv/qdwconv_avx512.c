/* SPDX-License-Identifier: Apache-2.0 */
/* qdwconv_avx512.c - depthwise 8-bit convolution, 32 channels at a time */
#include "kernels/qdwconv/qdwconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>
#include <string.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#include "kernels/simd/simd_avx512.h"

#include "kernels/qconv/qconv_vec_avx512.h"

#define QDWCONV_NAME tni_qdwconv_tile__avx512
typedef __m512i vs;

TN_INLINE vs dw_widen(__m256i b, bool x_signed)
{
    return x_signed ? _mm512_cvtepi8_epi16(b) : _mm512_cvtepu8_epi16(b);
}

TN_INLINE vs vs_load(const uint8_t *p, bool x_signed)
{
    return dw_widen(_mm256_loadu_si256((const __m256i *)(const void *)p),
                    x_signed);
}

TN_INLINE vs vs_load_n(const uint8_t *p, size_t n, bool x_signed)
{
    return dw_widen(_mm256_maskz_loadu_epi8((1u << n) - 1u, p), x_signed);
}

TN_INLINE vs vs_zip_lo(vs a, vs b)
{
    return _mm512_unpacklo_epi16(a, b);
}

TN_INLINE vs vs_zip_hi(vs a, vs b)
{
    return _mm512_unpackhi_epi16(a, b);
}

/* The sum stays in its register, as in the row for AVX2. */
TN_INLINE vi vi_madd(vi sum, vs v, vi w)
{
    sum = _mm512_add_epi32(sum, _mm512_madd_epi16(v, w));
#if !defined(TN_NO_TARGET)
    __asm__("" : "+v"(sum));
#endif
    return sum;
}

/* Packing undoes the order in which words were interleaved. */
TN_INLINE void vb_store(uint8_t *y, vi lo, vi hi)
{
    _mm256_storeu_si256((__m256i *)(void *)y,
                        _mm512_cvtepi16_epi8(_mm512_packs_epi32(lo, hi)));
}

TN_INLINE void vb_store_n(uint8_t *y, size_t n, vi lo, vi hi)
{
    _mm256_mask_storeu_epi8(y, (1u << n) - 1u,
                            _mm512_cvtepi16_epi8(_mm512_packs_epi32(lo, hi)));
}

#include "kernels/qdwconv/qdwconv_tmpl.h"
TN_TARGET_END
#endif
