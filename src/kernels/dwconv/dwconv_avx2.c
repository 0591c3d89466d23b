/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv_avx2.c - f32 depthwise kernels for AVX2 and FMA */
#include "kernels/dwconv/dwconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#define DW_NAME(part) tni_dwconv_f32_##part##__avx2
#include "kernels/gemm/gemm_vec_avx2.h"

#include "kernels/dwconv/dwconv_tmpl.h"
TN_TARGET_END
#endif
