/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_avx512n.c - 8-bit convolutions by vpmaddubsw, 14 pixels by 32 channels */
#include "kernels/qconv/qconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>
#include <string.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#include "kernels/simd/simd_avx512.h"

#define QCONV_NAME(part) tni_qconv_##part##__avx512n_14x32
#define MR               14
#define VN               2
#include "kernels/qconv/qconv_vec_avx512.h"

#if defined(TN_NO_TARGET)
TN_INLINE vi q_narrow(vi sum, vi x, vi w)
{
    const vi ones = _mm512_set1_epi16(1);
    return _mm512_add_epi32(
        sum, _mm512_madd_epi16(_mm512_maddubs_epi16(x, w), ones));
}
#define Q_ROW(r)                                                               \
    c##r##_0 = q_narrow(c##r##_0, x, w0);                                      \
    c##r##_1 = q_narrow(c##r##_1, x, w1);
#else
/* In memory: the sums, the weights and the rest take every register. */
static const struct {
    TN_ALIGNED(64) int16_t one[32];
} q_ones = {{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
             1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};

/* Two products of each kind before the next: see qconv_avx2.c. */
#define Q_ROW(r)                                                               \
    {                                                                          \
        vi other;                                                              \
        __asm__("vpmaddubsw %4, %2, %3\n\t"                                    \
                "vpmaddubsw %5, %2, %2\n\t"                                    \
                "vpmaddwd %6, %3, %3\n\t"                                      \
                "vpmaddwd %6, %2, %2\n\t"                                      \
                "vpaddd %3, %0, %0\n\t"                                        \
                "vpaddd %2, %1, %1"                                            \
                : "+v"(c##r##_0), "+v"(c##r##_1), "+v"(x), "=&v"(other)        \
                : "v"(w0), "v"(w1), "m"(q_ones));                              \
    }
#endif
#include "kernels/qconv/qconv_tmpl.h"

#include "kernels/qconv/qconv_bytes_x86.h"
TN_TARGET_END
#endif
