/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_avx2.c - bfloat16 pairs widened on AVX2 */
#include "kernels/bgemm/bgemm.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#define MR              6
#define GEMM_NAME(form) tni_bgemm_##form##__avx2_6x16
#define GEMM_PACKED_ONLY
#include "kernels/gemm/gemm_vec_avx2.h"

#include "kernels/bgemm/bgemm_vec_avx2.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/gemm/gemm_tmpl.h"
TN_TARGET_END
#endif
