/* SPDX-License-Identifier: Apache-2.0 */
/* peak_neon.c - peak multiply-adds with NEON */
#include "cpu/cpu.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/peak/peak.h"

#define TYPE  float32x4_t
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define SET1  vdupq_n_f32
#define STORE vst1q_f32
#define WIDTH 4

void tni_peak_f32__neon(float *out, size_t n)
#include "kernels/peak/peak_tmpl.h"

#endif
