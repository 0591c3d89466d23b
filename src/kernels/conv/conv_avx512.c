/* SPDX-License-Identifier: Apache-2.0 */
/* conv_avx512.c - f32 convolution kernels for AVX-512 */
#include "kernels/conv/conv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#define MR              14
#define CONV_NAME(part) tni_conv_f32_##part##__avx512_14x32
#include "kernels/gemm/gemm_vec_avx512.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/conv/conv_store_avx512.h"

#include "kernels/conv/conv_tmpl.h"

#include "kernels/conv/conv_move_tmpl.h"
TN_TARGET_END
#endif
