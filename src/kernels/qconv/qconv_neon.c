/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_neon.c - 8-bit convolutions by 16-bit multiply-adds on AArch64 */
#include "kernels/qconv/qconv.h"

#if TN_ARCH_AARCH64
#include <arm_neon.h>
#include <string.h>

#include "kernels/simd/simd_neon.h"

#define QCONV_NAME(part) tni_qconv_##part##__neon_6x8
#define MR               6
#define VN               2
#include "kernels/qconv/qconv_vec_neon.h"

/* Products of neighbours are summed by a pairwise addition. */
TN_INLINE vi q_madd(vi sum, vi x, vi w)
{
    const int16x8_t a = vreinterpretq_s16_s32(x);
    const int16x8_t b = vreinterpretq_s16_s32(w);
    const vi lo = vmull_s16(vget_low_s16(a), vget_low_s16(b));
    const vi hi = vmull_s16(vget_high_s16(a), vget_high_s16(b));
    return vaddq_s32(sum, vpaddq_s32(lo, hi));
}

#define Q_ROW(r)                                                               \
    c##r##_0 = q_madd(c##r##_0, x, w0);                                        \
    c##r##_1 = q_madd(c##r##_1, x, w1);
#include "kernels/qconv/qconv_tmpl.h"

void QCONV_NAME(prepare)(void *out, const uint8_t *x, size_t n, bool x_signed,
                         int zero)
{
    int16_t *to = out;
    const int16x8_t z = vdupq_n_s16((int16_t)zero);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const uint8x8_t b = vld1_u8(x + i);
        const int16x8_t w = x_signed ? vmovl_s8(vreinterpret_s8_u8(b))
                                     : vreinterpretq_s16_u16(vmovl_u8(b));
        vst1q_s16(to + i, vsubq_s16(w, z));
    }
    for (; i < n; i++)
        to[i] = (int16_t)((x_signed ? (int8_t)x[i] : x[i]) - zero);
}
#endif
