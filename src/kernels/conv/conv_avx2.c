/* SPDX-License-Identifier: Apache-2.0 */
/* conv_avx2.c - f32 convolution kernels for AVX2 and FMA */
#include "kernels/conv/conv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#define MR              6
#define CONV_NAME(part) tni_conv_f32_##part##__avx2_6x16
#include "kernels/gemm/gemm_vec_avx2.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/conv/conv_store_avx2.h"

#include "kernels/conv/conv_tmpl.h"

#include "kernels/conv/conv_move_tmpl.h"
TN_TARGET_END
#endif
