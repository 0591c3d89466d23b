/* SPDX-License-Identifier: Apache-2.0 */
/* square_neon.h - a square of 4 by 4 floats, transposed in registers */
#ifndef TN_SRC_KERNELS_SIMD_SQUARE_NEON_H
#define TN_SRC_KERNELS_SIMD_SQUARE_NEON_H

#include "kernels/simd/simd_neon.h"

TN_INLINE void v_square(vf a[4])
{
    const float32x4x2_t p = vtrnq_f32(a[0], a[1]), q = vtrnq_f32(a[2], a[3]);
    for (int i = 0; i < 2; i++) {
        a[i] = vcombine_f32(vget_low_f32(p.val[i]), vget_low_f32(q.val[i]));
        a[i + 2] =
            vcombine_f32(vget_high_f32(p.val[i]), vget_high_f32(q.val[i]));
    }
}

#endif
