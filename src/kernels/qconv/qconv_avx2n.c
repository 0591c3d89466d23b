/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_avx2n.c - 8-bit convolutions by vpmaddubsw, 6 pixels by 16 channels */
#include "kernels/qconv/qconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>
#include <string.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/simd_avx2.h"

#define QCONV_NAME(part) tni_qconv_##part##__avx2n_6x16
#define MR               6
#define VN               2
#include "kernels/qconv/qconv_vec_avx2.h"

/* In memory: the sums, the weights and the rest take every register. */
static const struct {
    TN_ALIGNED(64) int16_t one[16];
} q_ones = {{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}};

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
                : "+x"(c##r##_0), "+x"(c##r##_1), "+x"(x), "=&x"(other)        \
                : "x"(w0), "x"(w1), "m"(q_ones));                              \
    }
#include "kernels/qconv/qconv_tmpl.h"

#include "kernels/qconv/qconv_bytes_x86.h"
TN_TARGET_END
#endif
