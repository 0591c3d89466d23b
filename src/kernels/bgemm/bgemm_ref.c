/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_ref.c - the micro-kernel of bfloat16 pairs in plain C */
#include "kernels/bgemm/bgemm.h"
#include "kernels/bgemm/bgemm_dot.h"

#define GEMM_NAME(form) tni_bgemm_##form##__ref
#define MADD(sum, a, b) (sum) = tni_bf16_dot2(sum, a, b)
#include "kernels/gemm/gemm_ref_tmpl.h"
