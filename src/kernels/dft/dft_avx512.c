/* SPDX-License-Identifier: Apache-2.0 */
/* dft_avx512.c - Fourier transforms on AVX-512 */
#include "kernels/dft/dft.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#include "kernels/simd/pairs_avx512.h"
#include "kernels/simd/square_avx512.h"

#define D_LANES 16
#include "kernels/dft/dft_tmpl.h"
TN_TARGET_END
#endif
