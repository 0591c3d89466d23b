/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_neon.c - f32 micro-kernels of 6 rows by 16 columns for AArch64 */
#include "kernels/gemm/gemm.h"

#if TN_ARCH_AARCH64
#include <arm_neon.h>

#define MR              6
#define GEMM_NAME(form) tni_gemm_f32_##form##__neon_6x16
#include "kernels/gemm/gemm_vec_neon.h"

#include "kernels/gemm/gemm_lists.h"

#include "kernels/gemm/gemm_tmpl.h"
#endif
