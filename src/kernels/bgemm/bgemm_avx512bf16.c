/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_avx512bf16.c - bfloat16 pairs by VDPBF16PS */
#include "kernels/bgemm/bgemm.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512_BF16)
#define MR              14
#define GEMM_NAME(form) tni_bgemm_##form##__avx512bf16_14x32
#define GEMM_PACKED_ONLY
#include "kernels/gemm/gemm_vec_avx512.h"

#include "kernels/bgemm/bgemm_vec_avx512bf16.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/gemm/gemm_tmpl.h"
TN_TARGET_END
#endif
