/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_pairs_x86.h - bytes to differences of 16 bits, 16 at a time */
void QCONV_NAME(prepare)(void *out, const uint8_t *x, size_t n, bool x_signed,
                         int zero)
{
    int16_t *to = out;
    const __m256i z = _mm256_set1_epi16((short)zero);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m128i b =
            _mm_loadu_si128((const __m128i *)(const void *)(x + i));
        const __m256i w =
            x_signed ? _mm256_cvtepi8_epi16(b) : _mm256_cvtepu8_epi16(b);
        _mm256_storeu_si256((__m256i *)(void *)(to + i),
                            _mm256_sub_epi16(w, z));
    }
    for (; i < n; i++)
        to[i] = (int16_t)((x_signed ? (int8_t)x[i] : x[i]) - zero);
}
