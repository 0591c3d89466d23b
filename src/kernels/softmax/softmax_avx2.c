/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_avx2.c - softmax on AVX2 and FMA */
#include "kernels/softmax/softmax.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>
#include <math.h>

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/simd_avx2.h"
#include "kernels/softmax/softmax_tmpl.h"
TN_TARGET_END
#endif
