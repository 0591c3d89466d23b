/* SPDX-License-Identifier: Apache-2.0 */
/* conv_ref.c - the f32 convolution kernels in plain C */
#include "kernels/conv/conv.h"

#define CONV_NAME(part) tni_conv_f32_##part##__ref
#define MADD(sum, a, b) (sum) += (a) * (b)
#include "kernels/conv/conv_ref_tmpl.h"
