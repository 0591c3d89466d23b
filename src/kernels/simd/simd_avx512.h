/* SPDX-License-Identifier: Apache-2.0 */
/* simd_avx512.h - sixteen floats at a time; the vocabulary of simd_avx2.h */
#ifndef TN_SRC_KERNELS_SIMD_AVX512_H
#define TN_SRC_KERNELS_SIMD_AVX512_H

#include "base/config.h"

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define TNI_FN(name) name##__avx512
enum { VW = 16 };
typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

TN_INLINE vf v_zero(void) { return _mm512_setzero_ps(); }
TN_INLINE vf v_set1(float x) { return _mm512_set1_ps(x); }
TN_INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
TN_INLINE void v_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
TN_INLINE vm v_mask_n(size_t n) { return (vm)((1u << n) - 1u); }
TN_INLINE vf v_load_n(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps(v_mask_n(n), p);
}
TN_INLINE void v_store_n(float *p, vf v, size_t n)
{
    _mm512_mask_storeu_ps(p, v_mask_n(n), v);
}
TN_INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
TN_INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
TN_INLINE vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
TN_INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
TN_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
TN_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
TN_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
TN_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
TN_INLINE vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
TN_INLINE vf v_abs(vf a)
{
    return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a);
}
TN_INLINE vf v_neg(vf a) { return _mm512_xor_ps(_mm512_set1_ps(-0.0f), a); }
TN_INLINE vf v_copysign(vf a, vf sign)
{
    const vf bit = _mm512_set1_ps(-0.0f);
    return _mm512_or_ps(_mm512_andnot_ps(bit, a), _mm512_and_ps(bit, sign));
}
TN_INLINE vf v_floor(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
TN_INLINE vf v_ceil(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
TN_INLINE vf v_round(vf a)
{
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT |
                                       _MM_FROUND_NO_EXC);
}
TN_INLINE vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
TN_INLINE vm v_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
TN_INLINE vm v_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
TN_INLINE vm v_isnan(vf a) { return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q); }
TN_INLINE vm vm_or(vm a, vm b) { return (vm)(a | b); }
TN_INLINE int vm_all(vm a) { return a == 0xffff; }
TN_INLINE vf v_select(vm m, vf a, vf b)
{
    return _mm512_mask_blend_ps(m, b, a);
}

TN_INLINE vi v_bits(vf a) { return _mm512_castps_si512(a); }
TN_INLINE vf v_frombits(vi a) { return _mm512_castsi512_ps(a); }
TN_INLINE vi vi_set1(int32_t x) { return _mm512_set1_epi32(x); }
TN_INLINE vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
TN_INLINE vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
TN_INLINE vi vi_shl23(vi a) { return _mm512_slli_epi32(a, 23); }
TN_INLINE vi vi_sar23(vi a) { return _mm512_srai_epi32(a, 23); }
TN_INLINE vf vi_float(vi a) { return _mm512_cvtepi32_ps(a); }
TN_INLINE vf v_scale2(vf v, vf n) { return _mm512_scalef_ps(v, n); }

/* Two vectors are the 32 lanes of vreduce.h. */
#define V_EACH(M, ...)  M(0, __VA_ARGS__) M(1, __VA_ARGS__)
#define V_FOLD(join, a) (a##0 = join(a##0, a##1))

/* Integers of one and two bytes, VW at a time; stores keep the low bits. */
TN_INLINE vi v_toint(vf a) { return _mm512_cvtps_epi32(a); }
TN_INLINE vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
TN_INLINE vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
TN_INLINE vi vi_shl16(vi a) { return _mm512_slli_epi32(a, 16); }
TN_INLINE vi vi_shr16(vi a) { return _mm512_srli_epi32(a, 16); }
TN_INLINE vi vi_select(vm m, vi a, vi b)
{
    return _mm512_mask_blend_epi32(m, b, a);
}
TN_INLINE vi vi_load_u8(const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(
        _mm_loadu_si128((const __m128i *)(const void *)p));
}
TN_INLINE vi vi_load_s8(const int8_t *p)
{
    return _mm512_cvtepi8_epi32(
        _mm_loadu_si128((const __m128i *)(const void *)p));
}
TN_INLINE vi vi_load_u16(const uint16_t *p)
{
    return _mm512_cvtepu16_epi32(
        _mm256_loadu_si256((const __m256i *)(const void *)p));
}
TN_INLINE void vi_store_u16(uint16_t *p, vi v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(v));
}
TN_INLINE void vi_store_u8(uint8_t *p, vi v)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(v));
}
/* Half precision, IEEE 754 binary16. */
TN_INLINE vf v_load_f16(const uint16_t *p)
{
    return _mm512_cvtph_ps(
        _mm256_loadu_si256((const __m256i *)(const void *)p));
}
TN_INLINE void v_store_f16(uint16_t *p, vf v)
{
    _mm256_storeu_si256((__m256i *)(void *)p,
                        _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
/* clang-format on */

#endif
