/* SPDX-License-Identifier: Apache-2.0 */
/* peak_i8_neon.c - peak products of 8-bit integers with NEON */
#include "cpu/cpu.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "cpu/target.h"
#include "kernels/peak/peak.h"

#define TYPE int32x4_t
#define FMA(a, b, c)                                                           \
    vpadalq_s16(a, vmull_s8(vreinterpret_s8_s32(vget_low_s32(a)),              \
                            vreinterpret_s8_s32(vget_low_s32(b))))
#define SET1(v)     vdupq_n_s32((int)(1000.0f * (v)))
#define STORE(p, v) vst1q_s32(p, v)
#define WIDTH       4
void tni_peak_i8__neon(int32_t *out, size_t n)
#include "kernels/peak/peak_tmpl.h"
#endif
