/* SPDX-License-Identifier: Apache-2.0 */
/* reduce_neon.c - reductions on AArch64 */
#include "kernels/reduce/reduce.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>
#include <math.h>

#include "kernels/simd/simd_neon.h"

#include "kernels/reduce/reduce_tmpl.h"
#endif
