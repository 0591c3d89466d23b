/* SPDX-License-Identifier: Apache-2.0 */
/* norm_neon.c - normalisation of rows on AArch64 */
#include "kernels/norm/norm.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/simd/simd_neon.h"

#include "kernels/norm/norm_tmpl.h"
#endif
