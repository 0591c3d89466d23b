/* SPDX-License-Identifier: Apache-2.0 */
/* dft_avx2.c - Fourier transforms on AVX2 */
#include "kernels/dft/dft.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/pairs_avx2.h"
#include "kernels/simd/square_avx2.h"

#define D_LANES 8
#include "kernels/dft/dft_tmpl.h"
TN_TARGET_END
#endif
