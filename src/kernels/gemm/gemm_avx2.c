/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_avx2.c - f32 micro-kernels of 6 rows by 16 columns for AVX2 and FMA */
#include "kernels/gemm/gemm.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#define MR              6
#define GEMM_NAME(form) tni_gemm_f32_##form##__avx2_6x16
#include "kernels/gemm/gemm_vec_avx2.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/gemm/gemm_tmpl.h"
TN_TARGET_END
#endif
