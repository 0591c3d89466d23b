/* SPDX-License-Identifier: Apache-2.0 */
/* reduce_avx2.c - reductions on AVX2 and FMA */
#include "kernels/reduce/reduce.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>
#include <math.h>

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/simd_avx2.h"

#include "kernels/reduce/reduce_tmpl.h"
TN_TARGET_END
#endif
