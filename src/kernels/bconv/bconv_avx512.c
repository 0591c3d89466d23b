/* SPDX-License-Identifier: Apache-2.0 */
/* bconv_avx512.c - convolutions of bfloat16 pairs widened on AVX-512 */
#include "kernels/bconv/bconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#define MR              6
#define CONV_NAME(part) tni_bconv_##part##__avx512_6x32
#include "kernels/gemm/gemm_vec_avx512.h"

#include "kernels/bgemm/bgemm_vec_avx512.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/conv/conv_store_avx512.h"

#include "kernels/conv/conv_tmpl.h"
TN_TARGET_END
#endif
