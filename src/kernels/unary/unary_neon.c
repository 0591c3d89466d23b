/* SPDX-License-Identifier: Apache-2.0 */
/* unary_neon.c - elementwise functions on AArch64 */
#include "kernels/unary/unary.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/simd/simd_neon.h"
#include "kernels/unary/unary_tmpl.h"
#endif
