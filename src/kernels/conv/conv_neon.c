/* SPDX-License-Identifier: Apache-2.0 */
/* conv_neon.c - f32 convolution kernels for AArch64 */
#include "kernels/conv/conv.h"

#if TN_ARCH_AARCH64
#include <arm_neon.h>

#define MR              6
#define CONV_NAME(part) tni_conv_f32_##part##__neon_6x16
#include "kernels/gemm/gemm_vec_neon.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/conv/conv_store_neon.h"

#include "kernels/conv/conv_tmpl.h"

#include "kernels/conv/conv_move_tmpl.h"
#endif
