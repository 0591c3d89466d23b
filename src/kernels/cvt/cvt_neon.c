/* SPDX-License-Identifier: Apache-2.0 */
/* cvt_neon.c - conversions of 16-bit floats on AArch64 */
#include "kernels/cvt/cvt.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/simd/simd_neon.h"

#include "kernels/cvt/cvt_tmpl.h"
#endif
