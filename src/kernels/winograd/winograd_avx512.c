/* SPDX-License-Identifier: Apache-2.0 */
/* winograd_avx512.c - Winograd's transforms for AVX-512 */
#include "kernels/winograd/winograd.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#include "kernels/simd/square_avx512.h"

#include "kernels/winograd/winograd_tmpl.h"
TN_TARGET_END
#endif
