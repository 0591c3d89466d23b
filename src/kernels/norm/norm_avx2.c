/* SPDX-License-Identifier: Apache-2.0 */
/* norm_avx2.c - normalisation of rows on AVX2 and FMA */
#include "kernels/norm/norm.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/simd_avx2.h"

#include "kernels/norm/norm_tmpl.h"
TN_TARGET_END
#endif
