/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_neon.c - bfloat16 pairs widened on AArch64 */
#include "kernels/bgemm/bgemm.h"

#if TN_ARCH_AARCH64
#include <arm_neon.h>

#define MR              6
#define GEMM_NAME(form) tni_bgemm_##form##__neon_6x16
#define GEMM_PACKED_ONLY
#include "kernels/gemm/gemm_vec_neon.h"

#include "kernels/bgemm/bgemm_vec_neon.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/gemm/gemm_tmpl.h"
#endif
