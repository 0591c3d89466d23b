/* SPDX-License-Identifier: Apache-2.0 */
/* peak_avx512.c - peak multiply-adds with AVX-512 */
#include "cpu/cpu.h"
#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"
#include "kernels/peak/peak.h"

#define TYPE  __m512
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define SET1  _mm512_set1_ps
#define STORE _mm512_storeu_ps
#define WIDTH 16
TN_TARGET_BEGIN(TN_TARGET_AVX512)
void tni_peak_f32__avx512(float *out, size_t n)
#include "kernels/peak/peak_tmpl.h"
TN_TARGET_END
#endif
