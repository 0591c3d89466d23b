/* SPDX-License-Identifier: Apache-2.0 */
/* peak_i8_avx512.c - the same with AVX-512 */
#include "cpu/cpu.h"
#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"
#include "kernels/peak/peak.h"

#define TYPE         __m512i
#define FMA(a, b, c) _mm512_add_epi32(_mm512_madd_epi16(a, b), c)
#define SET1(v)      _mm512_set1_epi32((int)(1000.0f * (v)))
#define STORE(p, v)  _mm512_storeu_si512((void *)(p), v)
#define WIDTH        16
TN_TARGET_BEGIN(TN_TARGET_AVX512)
void tni_peak_i8__avx512(int32_t *out, size_t n)
#include "kernels/peak/peak_tmpl.h"
    TN_TARGET_END
#endif
