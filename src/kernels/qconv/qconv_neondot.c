/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_neondot.c - 8-bit convolutions by AArch64's dot products */
#include "kernels/qconv/qconv.h"

#if TN_ARCH_AARCH64
#include <arm_neon.h>
#include <string.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_NEON_DOT)
#include "kernels/simd/simd_neon.h"

#define QCONV_NAME(part) tni_qconv_##part##__neondot_6x16
#define MR               6
#define VN               4
#include "kernels/qconv/qconv_vec_neon.h"

#define Q_DOT(v, r)                                                            \
    c##r##_##v = vdotq_s32(c##r##_##v, vreinterpretq_s8_s32(x),                \
                           vreinterpretq_s8_s32(w##v));
#define Q_ROW(r) Q_EACH_V(Q_DOT, r)
#include "kernels/qconv/qconv_tmpl.h"

/* Signed bytes: unsigned ones less 128. */
void QCONV_NAME(prepare)(void *out, const uint8_t *x, size_t n, bool x_signed,
                         int zero)
{
    uint8_t *to = out;
    const uint8x16_t flip = vdupq_n_u8(x_signed ? 0 : 128);
    size_t i = 0;
    (void)zero;
    for (; i + 16 <= n; i += 16)
        vst1q_u8(to + i, veorq_u8(vld1q_u8(x + i), flip));
    for (; i < n; i++) to[i] = x_signed ? x[i] : x[i] ^ 128;
}
TN_TARGET_END
#endif
