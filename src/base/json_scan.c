/* SPDX-License-Identifier: Apache-2.0 */
/* json_scan.c - the inner loops of the JSON reader */
#include "base/json_scan.h"

#include "base/config.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if TN_ARCH_X86_64
#include <emmintrin.h>
#endif

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

const char *tni_json_space(const char *p, const char *end)
{
    if (p < end && !is_space(*p)) return p;
    /* Indented files: eight blanks at a time. */
    while (p < end && is_space(*p)) {
        p++;
        while (end - p >= 8) {
            uint64_t word = 0;
            memcpy(&word, p, 8);
            if (word != UINT64_C(0x2020202020202020)) break;
            p += 8;
        }
    }
    return p;
}

static bool is_plain(char c)
{
    const unsigned char u = (unsigned char)c;
    return u >= 0x20 && u < 0x80 && c != '"' && c != '\\';
}

const char *tni_json_plain(const char *p, const char *end)
{
#if TN_ARCH_X86_64
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    while (end - p >= 16) {
        const __m128i v = _mm_loadu_si128((const void *)p);
        /* Signed: what is below a space is a control or above ASCII. */
        const __m128i bad = _mm_or_si128(
            _mm_cmplt_epi8(v, space),
            _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        const int mask = _mm_movemask_epi8(bad);
        if (mask != 0) return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && is_plain(*p)) p++;
    return p;
}

const char *tni_json_number(const char *p, const char *end, bool *integer)
{
    *integer = true;
    if (p < end && *p == '-') p++;
    if (p >= end || !is_digit(*p)) return NULL;
    if (*p == '0') {
        p++;
        if (p < end && is_digit(*p)) return NULL;
    } else {
        while (p < end && is_digit(*p)) p++;
    }
    if (p < end && *p == '.') {
        *integer = false;
        p++;
        if (p >= end || !is_digit(*p)) return NULL;
        while (p < end && is_digit(*p)) p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        *integer = false;
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        if (p >= end || !is_digit(*p)) return NULL;
        while (p < end && is_digit(*p)) p++;
    }
    return p;
}

#if TN_ARCH_X86_64

/* Sixty-four bytes as bit masks. */
typedef struct block {
    uint64_t digit, zero, point, comma, blank, minus;
} block;

static block classify(const char *p)
{
    block b = {0, 0, 0, 0, 0, 0};
    for (int k = 0; k < 4; k++) {
        const __m128i v = _mm_loadu_si128((const void *)(p + 16 * k));
        const __m128i d = _mm_sub_epi8(v, _mm_set1_epi8('0'));
        /* Unsigned d <= 9. */
        const __m128i digit =
            _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d);
        const __m128i blank =
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')),
                         _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
        const int at = 16 * k;
#define BITS(x) ((uint64_t)(unsigned)_mm_movemask_epi8(x) << at)
        b.digit |= BITS(digit);
        b.zero |= BITS(_mm_cmpeq_epi8(v, _mm_set1_epi8('0')));
        b.point |= BITS(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')));
        b.comma |= BITS(_mm_cmpeq_epi8(v, _mm_set1_epi8(',')));
        b.blank |= BITS(blank);
        b.minus |= BITS(_mm_cmpeq_epi8(v, _mm_set1_epi8('-')));
#undef BITS
    }
    return b;
}

/*
 * Checks whole numbers of a block that begins where a value is due. Returns
 * how many bytes are well-formed up to a comma that follows a number, 0 when
 * there is none to be sure of. A bit is a byte; adding a bit to a run of ones
 * carries it behind the run.
 */
static unsigned check_block(const block *b)
{
    const uint64_t known = b->digit | b->point | b->comma | b->blank | b->minus;
    /* Only what lies before the first other byte and ends in a comma counts. */
    const uint64_t first_other = ~known & (known + 1);
    uint64_t keep = first_other == 0 ? ~UINT64_C(0) : first_other - 1;
    const uint64_t commas = b->comma & keep;
    if (commas == 0) return 0;
    const unsigned last = 63u - (unsigned)__builtin_clzll(commas);
    keep = (UINT64_C(2) << last) - 1; /* with the comma; all ones for 63 */
    const uint64_t digit = b->digit & keep, point = b->point & keep;
    const uint64_t comma = commas, blank = b->blank & keep;
    const uint64_t minus = b->minus & keep, solid = digit | point;
    /* Where values must start: behind commas (and at 0), past blanks. */
    const uint64_t behind = comma << 1 | 1;
    const uint64_t due = ((behind + blank) & ~blank) | (behind & ~blank);
    const uint64_t due_here = due & keep & ~blank;
    const uint64_t lead = minus | (digit & ~((solid | minus) << 1));
    /* Starts and only starts are due; a comma may not be. */
    uint64_t bad = due_here ^ lead;
    /* The one behind the last comma lies outside. */
    bad &= keep;
    bad |= minus << 1 & ~digit & keep;
    /* A point has a digit on both sides and is alone in its number. */
    bad |= point & ~(digit << 1);
    bad |= point << 1 & ~digit & keep;
    bad |= ((point << 1) + digit) & ~digit & point;
    /* No digit behind a zero that leads. */
    const uint64_t first_digit = digit & ~(solid << 1);
    bad |= (first_digit & b->zero) << 1 & digit;
    return bad == 0 ? last + 1 : 0;
}

const char *tni_json_numbers(const char *p, const char *end, bool *fresh)
{
    const char *behind = NULL; /* the last comma passed */
    while (end - p >= 64) {
        const block b = classify(p);
        const unsigned n = check_block(&b);
        if (n == 0) break;
        p += n;
        behind = p - 1;
    }
    if (behind == NULL) return p;
    *fresh = false;
    return behind;
}

#else

const char *tni_json_numbers(const char *p, const char *end, bool *fresh)
{
    const char *behind = NULL, *start = p;
    bool integer;
    for (;;) {
        p = tni_json_space(p, end);
        p = tni_json_number(p, end, &integer);
        if (p == NULL) break;
        p = tni_json_space(p, end);
        if (p >= end || *p != ',') break;
        behind = p++;
    }
    if (behind == NULL) return start;
    *fresh = false;
    return behind;
}

#endif
