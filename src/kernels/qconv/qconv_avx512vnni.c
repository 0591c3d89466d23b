/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_avx512vnni.c - 8-bit convolutions by 512-bit dot products */
#include "kernels/qconv/qconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>
#include <string.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512_VNNI)
#include "kernels/simd/simd_avx512.h"

#define QCONV_NAME(part) tni_qconv_##part##__avx512vnni_14x32
#define MR               14
#define VN               2
#include "kernels/qconv/qconv_vec_avx512.h"

/* In place: gcc 12 else renames the sums, copies some and spills others. */
#if defined(TN_NO_TARGET)
#define q_dot(acc, x, w) acc = _mm512_dpbusd_epi32(acc, x, w)
#else
#define q_dot(acc, x, w)                                                       \
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w))
#endif
#define Q_ROW(r)                                                               \
    q_dot(c##r##_0, x, w0);                                                    \
    q_dot(c##r##_1, x, w1);
#include "kernels/qconv/qconv_tmpl.h"

#include "kernels/qconv/qconv_bytes_x86.h"
TN_TARGET_END
#endif
