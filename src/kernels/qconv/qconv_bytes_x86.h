/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_bytes_x86.h - bytes as they are, signed ones moved by 128 */
void QCONV_NAME(prepare)(void *out, const uint8_t *x, size_t n, bool x_signed,
                         int zero)
{
    uint8_t *to = out;
    const __m256i flip = _mm256_set1_epi8(x_signed ? (char)-128 : 0);
    size_t i = 0;
    (void)zero;
    for (; i + 32 <= n; i += 32) {
        const __m256i b =
            _mm256_loadu_si256((const __m256i *)(const void *)(x + i));
        _mm256_storeu_si256((__m256i *)(void *)(to + i),
                            _mm256_xor_si256(b, flip));
    }
    for (; i < n; i++) to[i] = x_signed ? x[i] ^ 128 : x[i];
}
