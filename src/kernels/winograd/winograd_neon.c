/* SPDX-License-Identifier: Apache-2.0 */
/* winograd_neon.c - Winograd's transforms for AArch64 */
#include "kernels/winograd/winograd.h"

#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/simd/square_neon.h"

#include "kernels/winograd/winograd_tmpl.h"
#endif
