/* SPDX-License-Identifier: Apache-2.0 */
/* bconv_avx512bf16.c - convolutions of bfloat16 pairs by VDPBF16PS */
#include "kernels/bconv/bconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512_BF16)
#define MR              14
#define CONV_NAME(part) tni_bconv_##part##__avx512bf16_14x32
#include "kernels/gemm/gemm_vec_avx512.h"

#include "kernels/bgemm/bgemm_vec_avx512bf16.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/conv/conv_store_avx512.h"

#include "kernels/conv/conv_tmpl.h"
TN_TARGET_END
#endif
