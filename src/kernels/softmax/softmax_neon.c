/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_neon.c - softmax on AArch64 */
#include "kernels/softmax/softmax.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>
#include <math.h>

#include "kernels/simd/simd_neon.h"
#include "kernels/softmax/softmax_tmpl.h"
#endif
