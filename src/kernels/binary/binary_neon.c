/* SPDX-License-Identifier: Apache-2.0 */
/* binary_neon.c - elementwise functions of two arrays on AArch64 */
#include "kernels/binary/binary.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/simd/simd_neon.h"

#include "kernels/binary/binary_tmpl.h"
#endif
