/* SPDX-License-Identifier: Apache-2.0 */
/* quant_avx2.c - 8-bit conversions on AVX2 and FMA */
#include "kernels/quant/quant.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/simd_avx2.h"

#include "kernels/quant/quant_tmpl.h"
TN_TARGET_END
#endif
