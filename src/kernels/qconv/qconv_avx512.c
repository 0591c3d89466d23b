/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_avx512.c - 8-bit convolutions by vpmaddwd, 14 pixels by 32 channels */
#include "kernels/qconv/qconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>
#include <string.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#include "kernels/simd/simd_avx512.h"

#define QCONV_NAME(part) tni_qconv_##part##__avx512_14x32
#define MR               14
#define VN               2
#include "kernels/qconv/qconv_vec_avx512.h"

/* 28 sums, two weights, a pixel and a product: every register there is. */
#if defined(TN_NO_TARGET)
#define Q_ROW(r)                                                               \
    c##r##_0 = _mm512_add_epi32(c##r##_0, _mm512_madd_epi16(x, w0));           \
    c##r##_1 = _mm512_add_epi32(c##r##_1, _mm512_madd_epi16(x, w1));
#else
#define Q_ROW(r)                                                               \
    {                                                                          \
        vi other;                                                              \
        __asm__("vpmaddwd %4, %2, %3\n\t"                                      \
                "vpmaddwd %5, %2, %2\n\t"                                      \
                "vpaddd %3, %0, %0\n\t"                                        \
                "vpaddd %2, %1, %1"                                            \
                : "+v"(c##r##_0), "+v"(c##r##_1), "+v"(x), "=&v"(other)        \
                : "v"(w0), "v"(w1));                                           \
    }
#endif
#include "kernels/qconv/qconv_tmpl.h"

#include "kernels/qconv/qconv_pairs_x86.h"
TN_TARGET_END
#endif
