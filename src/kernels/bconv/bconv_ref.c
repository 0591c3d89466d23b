/* SPDX-License-Identifier: Apache-2.0 */
/* bconv_ref.c - the convolution kernels of bfloat16 pairs in plain C */
#include "kernels/bconv/bconv.h"
#include "kernels/bgemm/bgemm_dot.h"

#define CONV_NAME(part) tni_bconv_##part##__ref
#define MADD(sum, a, b) (sum) = tni_bf16_dot2(sum, a, b)
#include "kernels/conv/conv_ref_tmpl.h"
