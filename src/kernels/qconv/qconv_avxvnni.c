/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_avxvnni.c - 8-bit convolutions by 256-bit dot products */
#include "kernels/qconv/qconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>
#include <string.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVXVNNI)
#include "kernels/simd/simd_avx2.h"

#define QCONV_NAME(part) tni_qconv_##part##__avxvnni_6x16
#define MR               6
#define VN               2
#include "kernels/qconv/qconv_vec_avx2.h"

#define Q_ROW(r)                                                               \
    c##r##_0 = _mm256_dpbusd_avx_epi32(c##r##_0, x, w0);                       \
    c##r##_1 = _mm256_dpbusd_avx_epi32(c##r##_1, x, w1);
#include "kernels/qconv/qconv_tmpl.h"

#include "kernels/qconv/qconv_bytes_x86.h"
TN_TARGET_END
#endif
