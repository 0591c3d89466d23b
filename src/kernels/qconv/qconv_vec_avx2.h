/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_vec_avx2.h - what the tiles of 8-bit convolutions add to simd_avx2.h */
TN_INLINE vi vi_loadu(const int32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

TN_INLINE void vi_storeu(int32_t *p, vi v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

TN_INLINE vi vi_dup(const char *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return _mm256_set1_epi32(v);
}
