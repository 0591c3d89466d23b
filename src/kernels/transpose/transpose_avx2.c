/* SPDX-License-Identifier: Apache-2.0 */
/* transpose_avx2.c - transposition of 4-byte elements in 8 x 8 squares */
#include "kernels/transpose/transpose.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/square_avx2.h"

enum { T_SIDE = 8 };

#include "kernels/transpose/transpose_tmpl.h"
TN_TARGET_END
#endif
