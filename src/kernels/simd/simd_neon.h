/* SPDX-License-Identifier: Apache-2.0 */
/* simd_neon.h - four floats at a time; the vocabulary of simd_avx2.h */
#ifndef TN_SRC_KERNELS_SIMD_NEON_H
#define TN_SRC_KERNELS_SIMD_NEON_H

#include "base/config.h"

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define TNI_FN(name) name##__neon
enum { VW = 4 };
typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm;

TN_INLINE vf v_zero(void) { return vdupq_n_f32(0.0f); }
TN_INLINE vf v_set1(float x) { return vdupq_n_f32(x); }
TN_INLINE vf v_load(const float *p) { return vld1q_f32(p); }
TN_INLINE void v_store(float *p, vf v) { vst1q_f32(p, v); }
TN_INLINE vf v_load_n(const float *p, size_t n)
{
    vf v = vdupq_n_f32(0.0f);
    if (n > 0) v = vld1q_lane_f32(p, v, 0);
    if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
    if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
    return v;
}
TN_INLINE void v_store_n(float *p, vf v, size_t n)
{
    if (n > 0) vst1q_lane_f32(p, v, 0);
    if (n > 1) vst1q_lane_f32(p + 1, v, 1);
    if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}
TN_INLINE vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
TN_INLINE vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
TN_INLINE vf v_mul(vf a, vf b) { return vmulq_f32(a, b); }
TN_INLINE vf v_div(vf a, vf b) { return vdivq_f32(a, b); }
TN_INLINE vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
TN_INLINE vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
/* FMIN and FMAX order zeros and NaN differently from x86: compare instead. */
TN_INLINE vf v_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
TN_INLINE vf v_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
TN_INLINE vf v_sqrt(vf a) { return vsqrtq_f32(a); }
TN_INLINE vf v_abs(vf a) { return vabsq_f32(a); }
TN_INLINE vf v_neg(vf a) { return vnegq_f32(a); }
TN_INLINE vf v_copysign(vf a, vf sign)
{
    return vbslq_f32(vdupq_n_u32(0x80000000u), sign, a);
}
TN_INLINE vf v_floor(vf a) { return vrndmq_f32(a); }
TN_INLINE vf v_ceil(vf a) { return vrndpq_f32(a); }
TN_INLINE vf v_round(vf a) { return vrndnq_f32(a); }
TN_INLINE vm v_lt(vf a, vf b) { return vcltq_f32(a, b); }
TN_INLINE vm v_le(vf a, vf b) { return vcleq_f32(a, b); }
TN_INLINE vm v_eq(vf a, vf b) { return vceqq_f32(a, b); }
TN_INLINE vm v_isnan(vf a) { return vmvnq_u32(vceqq_f32(a, a)); }
TN_INLINE vm vm_or(vm a, vm b) { return vorrq_u32(a, b); }
TN_INLINE int vm_all(vm a) { return vminvq_u32(a) != 0; }
TN_INLINE vf v_select(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }

TN_INLINE vi v_bits(vf a) { return vreinterpretq_s32_f32(a); }
TN_INLINE vf v_frombits(vi a) { return vreinterpretq_f32_s32(a); }
TN_INLINE vi vi_set1(int32_t x) { return vdupq_n_s32(x); }
TN_INLINE vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
TN_INLINE vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
TN_INLINE vi vi_shl23(vi a) { return vshlq_n_s32(a, 23); }
TN_INLINE vi vi_sar23(vi a) { return vshrq_n_s32(a, 23); }
TN_INLINE vf vi_float(vi a) { return vcvtq_f32_s32(a); }
TN_INLINE vf v_scale2(vf v, vf n)
{
    const vi i = vcvtq_s32_f32(n), h = vshrq_n_s32(i, 1);
    const vi bias = vi_set1(127);
    const vf a = v_frombits(vi_shl23(vi_add(h, bias)));
    const vf b = v_frombits(vi_shl23(vi_add(vi_sub(i, h), bias)));
    return v_mul(v_mul(v, a), b);
}

/* Eight vectors are the 32 lanes of vreduce.h. */
#define V_EACH(M, ...)                                                         \
    M(0, __VA_ARGS__) M(1, __VA_ARGS__) M(2, __VA_ARGS__) M(3, __VA_ARGS__)    \
    M(4, __VA_ARGS__) M(5, __VA_ARGS__) M(6, __VA_ARGS__) M(7, __VA_ARGS__)
#define V_FOLD(join, a)                                                        \
    (a##0 = join(a##0, a##4), a##1 = join(a##1, a##5),                         \
     a##2 = join(a##2, a##6), a##3 = join(a##3, a##7),                         \
     a##0 = join(a##0, a##2), a##1 = join(a##1, a##3), a##0 = join(a##0, a##1))

/* Integers of one and two bytes, VW at a time; stores keep the low bits. */
TN_INLINE vi v_toint(vf a) { return vcvtnq_s32_f32(a); }
TN_INLINE vi vi_and(vi a, vi b) { return vandq_s32(a, b); }
TN_INLINE vi vi_or(vi a, vi b) { return vorrq_s32(a, b); }
TN_INLINE vi vi_shl16(vi a) { return vshlq_n_s32(a, 16); }
TN_INLINE vi vi_shr16(vi a)
{
    return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(a), 16));
}
TN_INLINE vi vi_select(vm m, vi a, vi b) { return vbslq_s32(m, a, b); }
TN_INLINE vi vi_load_u8(const uint8_t *p)
{
    const int32_t v[4] = {p[0], p[1], p[2], p[3]};
    return vld1q_s32(v);
}
TN_INLINE vi vi_load_s8(const int8_t *p)
{
    const int32_t v[4] = {p[0], p[1], p[2], p[3]};
    return vld1q_s32(v);
}
TN_INLINE vi vi_load_u16(const uint16_t *p)
{
    return vreinterpretq_s32_u32(vmovl_u16(vld1_u16(p)));
}
TN_INLINE void vi_store_u16(uint16_t *p, vi v)
{
    vst1_u16(p, vmovn_u32(vreinterpretq_u32_s32(v)));
}
TN_INLINE void vi_store_u8(uint8_t *p, vi v)
{
    const uint16x4_t w = vmovn_u32(vreinterpretq_u32_s32(v));
    const uint8x8_t b = vmovn_u16(vcombine_u16(w, w));
    vst1_lane_u32((uint32_t *)(void *)p, vreinterpret_u32_u8(b), 0);
}
/* Half precision, IEEE 754 binary16. */
TN_INLINE vf v_load_f16(const uint16_t *p)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}
TN_INLINE void v_store_f16(uint16_t *p, vf v)
{
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v)));
}
/* clang-format on */

#endif
