/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_vec_neon.h - pairs widened on AArch64; follows gemm_vec_neon.h */
TN_INLINE V v_upper(V x)
{
    const uint32x4_t mask = vdupq_n_u32(0xffff0000u);
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x), mask));
}

TN_INLINE V v_lower(V x)
{
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(x), 16));
}

#include "kernels/bgemm/bgemm_vec_pairs.h"
