/* SPDX-License-Identifier: Apache-2.0 */
/* cvt_avx2.c - conversions of 16-bit floats on AVX2 and FMA */
#include "kernels/cvt/cvt.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/simd_avx2.h"

#include "kernels/cvt/cvt_tmpl.h"
TN_TARGET_END
#endif
