/* SPDX-License-Identifier: Apache-2.0 */
/* pairs_neon.h - four pairs of floats (complex numbers) in two vectors */
#ifndef TN_SRC_KERNELS_SIMD_PAIRS_NEON_H
#define TN_SRC_KERNELS_SIMD_PAIRS_NEON_H

#include "kernels/simd/simd_neon.h"

/* The first and second members of the pairs at p. */
TN_INLINE void v_unzip(const float *p, vf *first, vf *second)
{
    const float32x4x2_t v = vld2q_f32(p);
    *first = v.val[0];
    *second = v.val[1];
}
TN_INLINE void v_zip(float *p, vf first, vf second)
{
    const float32x4x2_t v = {{first, second}};
    vst2q_f32(p, v);
}
TN_INLINE vf v_reverse(vf a)
{
    const vf b = vrev64q_f32(a);
    return vextq_f32(b, b, 2);
}

#endif
