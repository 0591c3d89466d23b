/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_avx512.c - f32 micro-kernels of 14 rows by 32 columns for AVX-512 */
#include "kernels/gemm/gemm.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#define MR              14
#define GEMM_NAME(form) tni_gemm_f32_##form##__avx512_14x32
#include "kernels/gemm/gemm_vec_avx512.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/gemm/gemm_tmpl.h"
TN_TARGET_END
#endif
