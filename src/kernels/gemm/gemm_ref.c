/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_ref.c - the f32 micro-kernel in plain C, the definition of the others */
#include "base/config.h"
#include "kernels/gemm/gemm.h"

#include <stddef.h>

#define GEMM_NAME(form) tni_gemm_f32_##form##__ref
#define MADD(sum, a, b) (sum) += (a) * (b)
#include "kernels/gemm/gemm_ref_tmpl.h"
