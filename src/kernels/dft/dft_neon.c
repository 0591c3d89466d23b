/* SPDX-License-Identifier: Apache-2.0 */
/* dft_neon.c - Fourier transforms on NEON */
#include "kernels/dft/dft.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/simd/pairs_neon.h"
#include "kernels/simd/square_neon.h"

#define D_LANES 4
#include "kernels/dft/dft_tmpl.h"
#endif
