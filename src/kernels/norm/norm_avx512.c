/* SPDX-License-Identifier: Apache-2.0 */
/* norm_avx512.c - normalisation of rows on AVX-512 */
#include "kernels/norm/norm.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#include "kernels/simd/simd_avx512.h"

#include "kernels/norm/norm_tmpl.h"
TN_TARGET_END
#endif
