/* SPDX-License-Identifier: Apache-2.0 */
/* qdwconv_neon.c - depthwise 8-bit convolution, 8 channels at a time */
#include "kernels/qdwconv/qdwconv.h"

#if TN_ARCH_AARCH64
#include <arm_neon.h>
#include <string.h>

#include "kernels/simd/simd_neon.h"

#include "kernels/qconv/qconv_vec_neon.h"

#define QDWCONV_NAME tni_qdwconv_tile__neon
typedef int16x8_t vs;

TN_INLINE vs vs_load(const uint8_t *p, bool x_signed)
{
    const uint8x8_t b = vld1_u8(p);
    return x_signed ? vmovl_s8(vreinterpret_s8_u8(b))
                    : vreinterpretq_s16_u16(vmovl_u8(b));
}

TN_INLINE vs vs_load_n(const uint8_t *p, size_t n, bool x_signed)
{
    uint8_t t[8] = {0};
    for (size_t i = 0; i < n; i++) t[i] = p[i];
    return vs_load(t, x_signed);
}

TN_INLINE vs vs_zip_lo(vs a, vs b)
{
    return vzip1q_s16(a, b);
}

TN_INLINE vs vs_zip_hi(vs a, vs b)
{
    return vzip2q_s16(a, b);
}

TN_INLINE vi vi_madd(vi sum, vs v, vi w)
{
    const vs u = vreinterpretq_s16_s32(w);
    const vi lo = vmull_s16(vget_low_s16(v), vget_low_s16(u));
    const vi hi = vmull_s16(vget_high_s16(v), vget_high_s16(u));
    return vaddq_s32(sum, vpaddq_s32(lo, hi));
}

TN_INLINE void vb_store(uint8_t *y, vi lo, vi hi)
{
    const int16x8_t w = vcombine_s16(vmovn_s32(lo), vmovn_s32(hi));
    vst1_u8(y, vreinterpret_u8_s8(vmovn_s16(w)));
}

TN_INLINE void vb_store_n(uint8_t *y, size_t n, vi lo, vi hi)
{
    uint8_t t[8];
    vb_store(t, lo, hi);
    for (size_t i = 0; i < n; i++) y[i] = t[i];
}

#include "kernels/qdwconv/qdwconv_tmpl.h"
#endif
