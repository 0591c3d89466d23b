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

/* The low bytes of two vectors, side by side. */
TN_INLINE void q_store_pair(uint8_t *y, vi a, vi b)
{
    const vi w =
        _mm256_and_si256(_mm256_packs_epi32(a, b), _mm256_set1_epi16(0xff));
    /* In turns of four of a and four of b. */
    const __m128i v = _mm_packus_epi16(_mm256_castsi256_si128(w),
                                       _mm256_extracti128_si256(w, 1));
    _mm_storeu_si128((__m128i *)(void *)y, _mm_shuffle_epi32(v, 0xd8));
}

#define Q_STORE(r, p) q_store_pair(p, c##r##_0, c##r##_1);
