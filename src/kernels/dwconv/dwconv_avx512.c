/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv_avx512.c - f32 depthwise kernels for AVX-512 */
#include "kernels/dwconv/dwconv.h"

#if TN_ARCH_X86_64
#include <immintrin.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX512)
#define DW_NAME(part) tni_dwconv_f32_##part##__avx512
#include "kernels/gemm/gemm_vec_avx512.h"

TN_INLINE void v_put_n(float *y, V x, size_t n)
{
    _mm512_mask_storeu_ps(y, (__mmask16)((1U << n) - 1), x);
}

#include "kernels/dwconv/dwconv_tmpl.h"
TN_TARGET_END
#endif
