/* SPDX-License-Identifier: Apache-2.0 */
/* square_avx512.h - a square of 16 by 16 floats, transposed in registers */
#ifndef TN_SRC_KERNELS_SIMD_SQUARE_AVX512_H
#define TN_SRC_KERNELS_SIMD_SQUARE_AVX512_H

#include "kernels/simd/simd_avx512.h"

/* Squares of 4 by 4 within the quarters, then the quarters. */
TN_INLINE void v_square(vf a[16])
{
    vf b[16];
    for (int i = 0; i < 16; i += 2) {
        b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        a[i] = _mm512_shuffle_ps(b[i], b[i + 2], 0x44);
        a[i + 1] = _mm512_shuffle_ps(b[i], b[i + 2], 0xee);
        a[i + 2] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0x44);
        a[i + 3] = _mm512_shuffle_ps(b[i + 1], b[i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        const vf lo0 = _mm512_shuffle_f32x4(a[i], a[i + 4], 0x44);
        const vf hi0 = _mm512_shuffle_f32x4(a[i], a[i + 4], 0xee);
        const vf lo1 = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0x44);
        const vf hi1 = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0xee);
        b[i] = _mm512_shuffle_f32x4(lo0, lo1, 0x88);
        b[i + 4] = _mm512_shuffle_f32x4(lo0, lo1, 0xdd);
        b[i + 8] = _mm512_shuffle_f32x4(hi0, hi1, 0x88);
        b[i + 12] = _mm512_shuffle_f32x4(hi0, hi1, 0xdd);
    }
    for (int i = 0; i < 16; i++) a[i] = b[i];
}

#endif
