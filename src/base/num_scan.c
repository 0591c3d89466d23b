/* SPDX-License-Identifier: Apache-2.0 */
/* num_scan.c - passing over lists of plain numbers without reading them */
#include "base/num_fast.h"

#include "base/config.h"

#if TN_ARCH_X86_64

#include <emmintrin.h>

/* Sixty-four bytes as bit masks. */
typedef struct block {
    uint64_t digit, point, space;
} block;

static block classify(const char *p)
{
    block b = {0, 0, 0};
    for (int k = 0; k < 4; k++) {
        const __m128i v = _mm_loadu_si128((const void *)(p + 16 * k));
        const __m128i d = _mm_sub_epi8(v, _mm_set1_epi8('0'));
        /* Unsigned d <= 9. */
        const __m128i digit =
            _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d);
        const __m128i point = _mm_cmpeq_epi8(v, _mm_set1_epi8('.'));
        const __m128i space = _mm_cmpeq_epi8(v, _mm_set1_epi8(' '));
        b.digit |= (uint64_t)(unsigned)_mm_movemask_epi8(digit) << 16 * k;
        b.point |= (uint64_t)(unsigned)_mm_movemask_epi8(point) << 16 * k;
        b.space |= (uint64_t)(unsigned)_mm_movemask_epi8(space) << 16 * k;
    }
    return b;
}

/*
 * How many bytes of a block, which begins where a number is due, are numbers
 * with a space behind each; 0: none, or something else is among them. A bit is
 * a byte; adding a bit to a run of ones carries it behind the run.
 */
static unsigned check_block(const block *b, size_t *n)
{
    const uint64_t known = b->digit | b->point | b->space;
    const uint64_t first_other = ~known & (known + 1);
    const uint64_t before = first_other == 0 ? ~UINT64_C(0) : first_other - 1;
    const uint64_t space = b->space & before;
    if (space == 0) return 0;
    const unsigned last = 63u - (unsigned)__builtin_clzll(space);
    const uint64_t keep = (UINT64_C(2) << last) - 1; /* all ones for 63 */
    const uint64_t digit = b->digit & keep, point = b->point & keep;
    /* Spaces and points stand behind digits, and digits behind them. */
    uint64_t bad = (space | point) & ~(digit << 1);
    bad |= (space << 1 | point << 1 | 1) & ~digit & keep;
    /* One point in a number. */
    bad |= ((point << 1) + digit) & ~digit & point;
    if (bad != 0) return 0;
    *n += (size_t)__builtin_popcountll(space);
    return last + 1;
}

const char *tni_num_pass(const char *p, const char *end, size_t *n)
{
    while (end - p >= 64) {
        const block b = classify(p);
        const unsigned used = check_block(&b, n);
        if (used == 0) break;
        p += used;
    }
    return p;
}

#else

static bool is_digit(char c)
{
    return (unsigned)(c - '0') < 10;
}

static const char *digits(const char *p, const char *end)
{
    while (p < end && is_digit(*p)) p++;
    return p;
}

const char *tni_num_pass(const char *p, const char *end, size_t *n)
{
    for (;;) {
        const char *q = digits(p, end);
        if (q == p) return p;
        if (q < end && *q == '.') {
            const char *behind = digits(q + 1, end);
            if (behind == q + 1) return p;
            q = behind;
        }
        if (q == end || *q != ' ' || q - p > 63) return p;
        p = q + 1;
        ++*n;
    }
}

#endif
