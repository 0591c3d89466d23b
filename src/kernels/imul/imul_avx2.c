/* SPDX-License-Identifier: Apache-2.0 */
/* imul_avx2.c - integer tiles by vpmaddwd, 4 rows by 16 columns at a time */
#include "kernels/imul/imul.h"

#if TN_ARCH_X86_64
#include <immintrin.h>
#include <string.h>

#include "cpu/target.h"

TN_TARGET_BEGIN(TN_TARGET_AVX2)
/* The pair of row r, in every lane. */
TN_INLINE __m256i pair(const int16_t *a, int r)
{
    int32_t v;
    memcpy(&v, a + 2 * r, sizeof v);
    return _mm256_set1_epi32(v);
}

TN_INLINE __m256i add(__m256i sum, __m256i x, __m256i y)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x, y));
}

TN_INLINE void put(int32_t *to, __m256i v)
{
    _mm256_storeu_si256((__m256i *)(void *)to, v);
}

static void four_rows(int32_t *acc, const int16_t *a, const int16_t *b,
                      size_t pairs)
{
    __m256i s00 = _mm256_setzero_si256(), s01 = s00, s10 = s00, s11 = s00;
    __m256i s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    for (size_t p = 0; p < pairs; p++) {
        const __m256i b0 = _mm256_loadu_si256((const __m256i *)(const void *)b);
        const __m256i b1 =
            _mm256_loadu_si256((const __m256i *)(const void *)(b + 16));
        __m256i x = pair(a, 0);
        s00 = add(s00, x, b0);
        s01 = add(s01, x, b1);
        x = pair(a, 1);
        s10 = add(s10, x, b0);
        s11 = add(s11, x, b1);
        x = pair(a, 2);
        s20 = add(s20, x, b0);
        s21 = add(s21, x, b1);
        x = pair(a, 3);
        s30 = add(s30, x, b0);
        s31 = add(s31, x, b1);
        a += 2 * TNI_IMUL_ROWS;
        b += 2 * TNI_IMUL_COLS;
    }
    put(acc, s00);
    put(acc + 8, s01);
    put(acc + TNI_IMUL_COLS, s10);
    put(acc + TNI_IMUL_COLS + 8, s11);
    put(acc + 2 * TNI_IMUL_COLS, s20);
    put(acc + 2 * TNI_IMUL_COLS + 8, s21);
    put(acc + 3 * TNI_IMUL_COLS, s30);
    put(acc + 3 * TNI_IMUL_COLS + 8, s31);
}

/* All 64 columns of one row. */
static void one_row(int32_t *acc, const int16_t *a, const int16_t *b,
                    size_t pairs)
{
    __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
    __m256i s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    for (size_t p = 0; p < pairs; p++) {
        const __m256i *v = (const __m256i *)(const void *)b;
        const __m256i x = pair(a, 0);
        s0 = add(s0, x, _mm256_loadu_si256(v));
        s1 = add(s1, x, _mm256_loadu_si256(v + 1));
        s2 = add(s2, x, _mm256_loadu_si256(v + 2));
        s3 = add(s3, x, _mm256_loadu_si256(v + 3));
        s4 = add(s4, x, _mm256_loadu_si256(v + 4));
        s5 = add(s5, x, _mm256_loadu_si256(v + 5));
        s6 = add(s6, x, _mm256_loadu_si256(v + 6));
        s7 = add(s7, x, _mm256_loadu_si256(v + 7));
        a += 2 * TNI_IMUL_ROWS;
        b += 2 * TNI_IMUL_COLS;
    }
    put(acc, s0);
    put(acc + 8, s1);
    put(acc + 16, s2);
    put(acc + 24, s3);
    put(acc + 32, s4);
    put(acc + 40, s5);
    put(acc + 48, s6);
    put(acc + 56, s7);
}

void tni_imul_tile__avx2(int32_t *acc, const int16_t *a, const int16_t *b,
                         size_t pairs, int rows)
{
    if (rows == 1) {
        one_row(acc, a, b, pairs);
        return;
    }
    /* Rows that are not wanted are summed all the same, beside acc. */
    int32_t all[TNI_IMUL_ROWS * TNI_IMUL_COLS];
    int32_t *to = rows == TNI_IMUL_ROWS ? acc : all;
    for (size_t j = 0; j < TNI_IMUL_COLS; j += 16)
        four_rows(to + j, a, b + 2 * j, pairs);
    if (to == all) memcpy(acc, all, (size_t)rows * TNI_IMUL_COLS * sizeof *acc);
}
TN_TARGET_END
#endif
