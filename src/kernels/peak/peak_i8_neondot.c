/* SPDX-License-Identifier: Apache-2.0 */
/* peak_i8_neondot.c - peak dot products with SDOT */
#include "cpu/cpu.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "cpu/target.h"
#include "kernels/peak/peak.h"

#define TYPE int32x4_t
#define FMA(a, b, c)                                                           \
    vdotq_s32(a, vreinterpretq_s8_s32(b), vreinterpretq_s8_s32(c))
#define SET1(v)     vdupq_n_s32((int)(1000.0f * (v)))
#define STORE(p, v) vst1q_s32(p, v)
#define WIDTH       4
TN_TARGET_BEGIN(TN_TARGET_NEON_DOT)
void tni_peak_i8__neondot(int32_t *out, size_t n)
#include "kernels/peak/peak_tmpl.h"
    TN_TARGET_END
#endif
