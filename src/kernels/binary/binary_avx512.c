/* SPDX-License-Identifier: Apache-2.0 */
/* binary_avx512.c - elementwise functions of two arrays on AVX-512 */
#include "kernels/binary/binary.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#include "kernels/simd/simd_avx512.h"

#include "kernels/binary/binary_tmpl.h"
TN_TARGET_END
#endif
