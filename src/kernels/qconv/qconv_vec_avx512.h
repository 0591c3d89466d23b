/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_vec_avx512.h - what the tiles of 8-bit convolutions add to
 * simd_avx512.h */
TN_INLINE vi vi_loadu(const int32_t *p)
{
    return _mm512_loadu_si512((const void *)p);
}

TN_INLINE void vi_storeu(int32_t *p, vi v)
{
    _mm512_storeu_si512((void *)p, v);
}

TN_INLINE vi vi_dup(const char *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return _mm512_set1_epi32(v);
}

#define Q_STORE(r, p)                                                          \
    vi_store_u8(p, c##r##_0);                                                  \
    vi_store_u8((p) + VW, c##r##_1);
