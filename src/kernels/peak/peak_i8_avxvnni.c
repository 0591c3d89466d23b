/* SPDX-License-Identifier: Apache-2.0 */
/* peak_i8_avxvnni.c - peak dot products with AVX-VNNI */
#include "cpu/cpu.h"
#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"
#include "kernels/peak/peak.h"

#define TYPE         __m256i
#define FMA(a, b, c) _mm256_dpbusd_avx_epi32(a, b, c)
#define SET1(v)      _mm256_set1_epi32((int)(1000.0f * (v)))
#define STORE(p, v)  _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define WIDTH        8
TN_TARGET_BEGIN(TN_TARGET_AVXVNNI)
void tni_peak_i8__avxvnni(int32_t *out, size_t n)
#include "kernels/peak/peak_tmpl.h"
    TN_TARGET_END
#endif
