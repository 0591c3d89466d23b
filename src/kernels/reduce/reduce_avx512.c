/* SPDX-License-Identifier: Apache-2.0 */
/* reduce_avx512.c - reductions on AVX-512 */
#include "kernels/reduce/reduce.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>
#include <math.h>

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#include "kernels/simd/simd_avx512.h"

#include "kernels/reduce/reduce_tmpl.h"
TN_TARGET_END
#endif
