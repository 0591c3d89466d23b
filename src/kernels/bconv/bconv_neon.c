/* SPDX-License-Identifier: Apache-2.0 */
/* bconv_neon.c - convolutions of bfloat16 pairs widened on AArch64 */
#include "kernels/bconv/bconv.h"

#if TN_ARCH_AARCH64
#include <arm_neon.h>

#define MR              6
#define CONV_NAME(part) tni_bconv_##part##__neon_6x16
#include "kernels/gemm/gemm_vec_neon.h"

#include "kernels/bgemm/bgemm_vec_neon.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/conv/conv_store_neon.h"

#include "kernels/conv/conv_tmpl.h"
#endif
