/* SPDX-License-Identifier: Apache-2.0 */
/* conv_store_sse.h - what conv_store_avx2.h and conv_store_avx512.h do with four
 * floats; part of both */
/* Four channels of two pixels each. */
TN_INLINE void put_pair(float *y, size_t cs, __m128 lo, __m128 hi)
{
    _mm_storel_pi((__m64 *)(void *)y, lo);
    _mm_storeh_pi((__m64 *)(void *)(y + cs), lo);
    _mm_storel_pi((__m64 *)(void *)(y + 2 * cs), hi);
    _mm_storeh_pi((__m64 *)(void *)(y + 3 * cs), hi);
}

TN_INLINE void unzip_4(float *even, float *odd, const float *x)
{
    const __m128 a = _mm_loadu_ps(x), b = _mm_loadu_ps(x + 4);
    _mm_storeu_ps(even, _mm_shuffle_ps(a, b, 0x88));
    _mm_storeu_ps(odd, _mm_shuffle_ps(a, b, 0xdd));
}
