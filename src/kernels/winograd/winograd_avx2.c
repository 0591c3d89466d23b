/* SPDX-License-Identifier: Apache-2.0 */
/* winograd_avx2.c - Winograd's transforms for AVX2 */
#include "kernels/winograd/winograd.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/square_avx2.h"

#include "kernels/winograd/winograd_tmpl.h"
TN_TARGET_END
#endif
