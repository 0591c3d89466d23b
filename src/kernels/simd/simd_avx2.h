/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simd_avx2.h - eight floats at a time, under the names that templates use
 *
 * simd_avx2.h, simd_avx512.h and simd_neon.h define the same small vocabulary
 * for one ISA each; a <family>_tmpl.h written in it is included by the
 * family's <family>_<isa>.c inside that file's target region. Every operation
 * is a correctly rounded IEEE one, so a template gives the same bits on all of
 * them. v_min and v_max return their second operand when one is NaN or both
 * are zero, as the C expressions `a < b ? a : b` and `a > b ? a : b` do.
 */
#ifndef TN_SRC_KERNELS_SIMD_AVX2_H
#define TN_SRC_KERNELS_SIMD_AVX2_H

#include "base/config.h"

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define TNI_FN(name) name##__avx2
enum { VW = 8 };
typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm;

TN_INLINE vf v_zero(void) { return _mm256_setzero_ps(); }
TN_INLINE vf v_set1(float x) { return _mm256_set1_ps(x); }
TN_INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
TN_INLINE void v_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
TN_INLINE __m256i v_mask_n(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/* The first n of VW lanes, n < VW; the others are 0 and not read. */
TN_INLINE vf v_load_n(const float *p, size_t n)
{
    return _mm256_maskload_ps(p, v_mask_n(n));
}
/* Three plain stores are faster than one masked store on AMD. */
TN_INLINE void v_store_n(float *p, vf v, size_t n)
{
    __m128 h = _mm256_castps256_ps128(v);
    if ((n & 4) != 0) {
        _mm_storeu_ps(p, h);
        h = _mm256_extractf128_ps(v, 1);
        p += 4;
    }
    if ((n & 2) != 0) {
        _mm_storel_pi((__m64 *)(void *)p, h);
        h = _mm_movehl_ps(h, h);
        p += 2;
    }
    if ((n & 1) != 0) _mm_store_ss(p, h);
}
TN_INLINE vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
TN_INLINE vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
TN_INLINE vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
TN_INLINE vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
/* a * b + c and c - a * b, rounded once. */
TN_INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
TN_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
TN_INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
TN_INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
TN_INLINE vf v_sqrt(vf a) { return _mm256_sqrt_ps(a); }
TN_INLINE vf v_abs(vf a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}
TN_INLINE vf v_neg(vf a) { return _mm256_xor_ps(_mm256_set1_ps(-0.0f), a); }
TN_INLINE vf v_copysign(vf a, vf sign)
{
    const vf bit = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(bit, a), _mm256_and_ps(bit, sign));
}
TN_INLINE vf v_floor(vf a) { return _mm256_floor_ps(a); }
TN_INLINE vf v_ceil(vf a) { return _mm256_ceil_ps(a); }
TN_INLINE vf v_round(vf a)
{
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
TN_INLINE vm v_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
TN_INLINE vm v_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
TN_INLINE vm v_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
TN_INLINE vm v_isnan(vf a) { return _mm256_cmp_ps(a, a, _CMP_UNORD_Q); }
TN_INLINE vm vm_or(vm a, vm b) { return _mm256_or_ps(a, b); }
TN_INLINE int vm_all(vm a) { return _mm256_movemask_ps(a) == 0xff; }
TN_INLINE vf v_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }

TN_INLINE vi v_bits(vf a) { return _mm256_castps_si256(a); }
TN_INLINE vf v_frombits(vi a) { return _mm256_castsi256_ps(a); }
TN_INLINE vi vi_set1(int32_t x) { return _mm256_set1_epi32(x); }
TN_INLINE vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
TN_INLINE vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
TN_INLINE vi vi_shl23(vi a) { return _mm256_slli_epi32(a, 23); }
TN_INLINE vi vi_sar23(vi a) { return _mm256_srai_epi32(a, 23); }
TN_INLINE vf vi_float(vi a) { return _mm256_cvtepi32_ps(a); }
/* v * 2^n for integral n in [-252, 252] and |v| in [1/4, 4], rounded once. */
TN_INLINE vf v_scale2(vf v, vf n)
{
    const vi i = _mm256_cvtps_epi32(n), h = _mm256_srai_epi32(i, 1);
    const vi bias = vi_set1(127);
    const vf a = v_frombits(vi_shl23(vi_add(h, bias)));
    const vf b = v_frombits(vi_shl23(vi_add(vi_sub(i, h), bias)));
    return v_mul(v_mul(v, a), b);
}

/* Four vectors are the 32 lanes of vreduce.h. */
#define V_EACH(M, ...)                                                         \
    M(0, __VA_ARGS__) M(1, __VA_ARGS__) M(2, __VA_ARGS__) M(3, __VA_ARGS__)
#define V_FOLD(join, a)                                                        \
    (a##0 = join(a##0, a##2), a##1 = join(a##1, a##3), a##0 = join(a##0, a##1))

/* Integers of one and two bytes, VW at a time; stores keep the low bits. */
TN_INLINE vi v_toint(vf a) { return _mm256_cvtps_epi32(a); }
TN_INLINE vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
TN_INLINE vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
TN_INLINE vi vi_shl16(vi a) { return _mm256_slli_epi32(a, 16); }
TN_INLINE vi vi_shr16(vi a) { return _mm256_srli_epi32(a, 16); }
TN_INLINE vi vi_select(vm m, vi a, vi b)
{
    return _mm256_blendv_epi8(b, a, _mm256_castps_si256(m));
}
TN_INLINE vi vi_load_u8(const uint8_t *p)
{
    return _mm256_cvtepu8_epi32(
        _mm_loadl_epi64((const __m128i *)(const void *)p));
}
TN_INLINE vi vi_load_s8(const int8_t *p)
{
    return _mm256_cvtepi8_epi32(
        _mm_loadl_epi64((const __m128i *)(const void *)p));
}
TN_INLINE vi vi_load_u16(const uint16_t *p)
{
    return _mm256_cvtepu16_epi32(
        _mm_loadu_si128((const __m128i *)(const void *)p));
}
TN_INLINE void vi_store_u16(uint16_t *p, vi v)
{
    v = _mm256_and_si256(v, _mm256_set1_epi32(0xffff));
    const __m128i w = _mm_packus_epi32(_mm256_castsi256_si128(v),
                                       _mm256_extracti128_si256(v, 1));
    _mm_storeu_si128((__m128i *)(void *)p, w);
}
TN_INLINE void vi_store_u8(uint8_t *p, vi v)
{
    v = _mm256_and_si256(v, _mm256_set1_epi32(0xff));
    const __m128i w = _mm_packus_epi32(_mm256_castsi256_si128(v),
                                       _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((__m128i *)(void *)p, _mm_packus_epi16(w, w));
}
/* Half precision, IEEE 754 binary16. */
TN_INLINE vf v_load_f16(const uint16_t *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
}
TN_INLINE void v_store_f16(uint16_t *p, vf v)
{
    _mm_storeu_si128((__m128i *)(void *)p,
                     _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
/* clang-format on */

#endif
