/* SPDX-License-Identifier: Apache-2.0 */
/* transpose_neon.c - transposition of 4-byte elements in 4 x 4 squares */
#include "kernels/transpose/transpose.h"
#if TN_ARCH_AARCH64
#include <arm_neon.h>

#include "kernels/simd/simd_neon.h"

enum { T_SIDE = 4 };

TN_INLINE void t_square(const float *x, size_t ldx, float *y, size_t ldy)
{
    const float32x4x2_t p = vtrnq_f32(v_load(x), v_load(x + ldx));
    const float32x4x2_t q = vtrnq_f32(v_load(x + 2 * ldx), v_load(x + 3 * ldx));
    for (size_t i = 0; i < 2; i++) {
        v_store(y + i * ldy,
                vcombine_f32(vget_low_f32(p.val[i]), vget_low_f32(q.val[i])));
        v_store(y + (i + 2) * ldy,
                vcombine_f32(vget_high_f32(p.val[i]), vget_high_f32(q.val[i])));
    }
}

#include "kernels/transpose/transpose_tmpl.h"
#endif
