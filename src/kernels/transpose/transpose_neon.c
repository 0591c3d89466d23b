/* SPDX-License-Identifier: Apache-2.0 */
/* transpose_neon.c - transposition of 4-byte elements in 4 x 4 squares */
#include "kernels/transpose/transpose.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/simd/square_neon.h"

enum { T_SIDE = 4 };

#include "kernels/transpose/transpose_tmpl.h"
#endif
