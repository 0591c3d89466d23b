/* SPDX-License-Identifier: Apache-2.0 */
/* transpose_avx2.c - transposition of 4-byte elements in 8 x 8 squares */
#include "kernels/transpose/transpose.h"
#if TN_ARCH_X86_64
#include "cpu/target.h"

#include <immintrin.h>

TN_TARGET_BEGIN(TN_TARGET_AVX2)
#include "kernels/simd/simd_avx2.h"

enum { T_SIDE = 8 };

/* Pairs of rows are interleaved, then pairs of pairs, then the halves. */
TN_INLINE void t_square(const float *x, size_t ldx, float *y, size_t ldy)
{
    vf a[8], b[8];
    for (size_t i = 0; i < 8; i++) a[i] = v_load(x + i * ldx);
    for (int i = 0; i < 8; i += 2) {
        b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
        a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xee);
        a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
        a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xee);
    }
    for (size_t i = 0; i < 4; i++) {
        v_store(y + i * ldy, _mm256_permute2f128_ps(a[i], a[i + 4], 0x20));
        v_store(y + (i + 4) * ldy,
                _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
    }
}

#include "kernels/transpose/transpose_tmpl.h"
TN_TARGET_END
#endif
