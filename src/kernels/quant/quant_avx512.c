/* SPDX-License-Identifier: Apache-2.0 */
/* quant_avx512.c - 8-bit conversions on AVX-512 */
#include "kernels/quant/quant.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#include "kernels/simd/simd_avx512.h"

#include "kernels/quant/quant_tmpl.h"
TN_TARGET_END
#endif
