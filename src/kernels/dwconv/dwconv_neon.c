/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv_neon.c - f32 depthwise kernels for AArch64 */
#include "kernels/dwconv/dwconv.h"

#if TN_ARCH_AARCH64
#include <arm_neon.h>

#define DW_NAME(part) tni_dwconv_f32_##part##__neon
#include "kernels/gemm/gemm_vec_neon.h"

TN_INLINE void v_put_n(float *y, V x, size_t n)
{
    float tmp[VW];
    v_storeu(tmp, x);
    for (size_t i = 0; i < n; i++) y[i] = tmp[i];
}

#include "kernels/dwconv/dwconv_tmpl.h"
#endif
