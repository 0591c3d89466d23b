/* SPDX-License-Identifier: Apache-2.0 */
/* quant_neon.c - 8-bit conversions on AArch64 */
#include "kernels/quant/quant.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/simd/simd_neon.h"

#include "kernels/quant/quant_tmpl.h"
#endif
