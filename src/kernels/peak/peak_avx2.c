/* SPDX-License-Identifier: Apache-2.0 */
/* peak_avx2.c - peak multiply-adds with AVX2 and FMA */
#include "cpu/cpu.h"
#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"
#include "kernels/peak/peak.h"

#define TYPE  __m256
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define SET1  _mm256_set1_ps
#define STORE _mm256_storeu_ps
#define WIDTH 8
TN_TARGET_BEGIN(TN_TARGET_AVX2)
void tni_peak_f32__avx2(float *out, size_t n)
#include "kernels/peak/peak_tmpl.h"
TN_TARGET_END
#endif
