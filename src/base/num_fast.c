/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num_fast.c - decimals of ordinary size by 128-bit integers, exactly
 *
 * Reading: mag / 10^k = (mag / 5^k) / 2^k. With mag and 5^k (k <= 27) moved up
 * to fill 64 bits, the quotient of mag * 2^64 by 5^k has 64 or 65 bits and the
 * remainder says whether anything is left: all that rounding needs.
 *
 * Writing: v = m * 2^-s. The numbers that read back as v lie between
 * (2m-1) * 2^-(s+1) and (2m+1) * 2^-(s+1); times 10^k with at most 17 digits
 * before the point these bounds are 128-bit integers over a power of two. The
 * shortest decimal is the multiple of the largest power of ten in between.
 */
#include "base/num_fast.h"

#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

static const uint64_t pow5[28] = {
    1u,
    5u,
    25u,
    125u,
    625u,
    3125u,
    15625u,
    78125u,
    390625u,
    1953125u,
    9765625u,
    48828125u,
    244140625u,
    1220703125u,
    UINT64_C(6103515625),
    UINT64_C(30517578125),
    UINT64_C(152587890625),
    UINT64_C(762939453125),
    UINT64_C(3814697265625),
    UINT64_C(19073486328125),
    UINT64_C(95367431640625),
    UINT64_C(476837158203125),
    UINT64_C(2384185791015625),
    UINT64_C(11920928955078125),
    UINT64_C(59604644775390625),
    UINT64_C(298023223876953125),
    UINT64_C(1490116119384765625),
    UINT64_C(7450580596923828125),
};

static const double pow10_exact[23] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Eight bytes, the first the lowest. */
static uint64_t load8(const char *p)
{
    uint64_t v = 0;
    memcpy(&v, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static void store8(char *p, uint64_t v)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    memcpy(p, &v, 8);
}

/* The high bit of every byte that is no digit. */
static uint64_t not_digits(uint64_t v)
{
    const uint64_t low = UINT64_C(0x7F7F7F7F7F7F7F7F);
    const uint64_t t = v ^ UINT64_C(0x3030303030303030);
    return (((t & low) + UINT64_C(0x7676767676767676)) | t) & ~low;
}

/* The number of eight digits (their low four bits count): pairs, fours, and all
 * of them by multiplications whose bytes do not touch. */
static uint64_t join8(uint64_t v)
{
    const uint64_t ends = UINT64_C(0x000000FF000000FF);
    v &= UINT64_C(0x0F0F0F0F0F0F0F0F);
    v = v * 10 + (v >> 8);
    return ((v & ends) * UINT64_C(0x000F424000000064) +
            (v >> 16 & ends) * UINT64_C(0x0000271000000001)) >>
           32;
}

static bool is_digit(char c)
{
    return (unsigned)(c - '0') < 10;
}

/* At most seven characters in front of what is no digit, a point among them at
 * most: no loop, so that their number costs nothing. 0: something else. */
static size_t short_plain(uint64_t *mag, unsigned *places, const char *p)
{
    const uint64_t v = load8(p);
    uint64_t stops = not_digits(v);
    if (stops == 0) return 0;
    const unsigned point = (unsigned)__builtin_ctzll(stops); /* bit 7 of it */
    const unsigned whole = point / 8;
    if (whole == 0) return 0;
    uint64_t digits = v;
    unsigned n = whole;
    if (p[whole] == '.') {
        const uint64_t before = (UINT64_C(1) << (8 * whole)) - 1;
        stops &= stops - 1;
        if (stops == 0) return 0;
        n = (unsigned)__builtin_ctzll(stops) / 8 - 1;
        digits = (v & before) | (v >> 8 & ~before);
    }
    *places = n - whole;
    *mag = join8(digits << (8 * (8 - n)));
    return n + (p[whole] == '.');
}

const char *tni_num_plain(double *out, const char *text, const char *end)
{
    const char *p = text;
    const bool neg = p < end && *p == '-';
    if (neg) p++;
    const char *first = p;
    uint64_t mag = 0;
    unsigned places = 0;
    if (end - p >= 8) p += short_plain(&mag, &places, p);
    if (p == first) {
        for (; p < end && is_digit(*p); p++)
            mag = mag * 10 + (uint64_t)(*p - '0');
        if (p == first || p - first > 18) return NULL;
        if (p < end && *p == '.') {
            const char *point = ++p;
            if (end - p >= 8 && not_digits(load8(p)) == 0) {
                mag = mag * UINT64_C(100000000) + join8(load8(p));
                p += 8;
            }
            for (; p < end && is_digit(*p); p++)
                mag = mag * 10 + (uint64_t)(*p - '0');
            if (p - first > 19) return NULL;
            places = (unsigned)(p - point);
        }
        /* At most 18 digits, the point not counted: mag is exact. */
        if (mag >= UINT64_C(1) << 53) return NULL;
    }
    if (p < end && (*p | 0x20) == 'e') return NULL;
    const double v = (double)mag / pow10_exact[places];
    *out = neg ? -v : v;
    return p;
}

/* Up to eight digits in front of a point and up to eight behind it. */
static size_t long_plain(uint64_t *mag, unsigned *places, const char *p)
{
    static const uint64_t powers[9] = {
        1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    const uint64_t before = load8(p), stop = not_digits(before);
    if (stop == 0) return 0;
    const unsigned whole = (unsigned)__builtin_ctzll(stop) / 8;
    if (whole == 0 || p[whole] != '.') return 0;
    const uint64_t behind = load8(p + whole + 1), last = not_digits(behind);
    *places = last != 0 ? (unsigned)__builtin_ctzll(last) / 8 : 8;
    if (*places == 0) return 0;
    *mag = join8(before << (8 * (8 - whole))) * powers[*places] +
           join8(behind << (8 * (8 - *places)));
    return whole + 1 + *places;
}

size_t tni_num_list(double *out, size_t cap, const char **text, const char *end,
                    char separator)
{
    const char *p = *text;
    size_t n = 0;
    /* Eight bytes, a point, eight bytes, and what follows. */
    for (; n < cap && end - p >= 20; n++) {
        const uint64_t behind = load8(p + 2);
        uint64_t mag = 0;
        unsigned places = 8;
        size_t used = 10;
        if (p[1] == '.' && is_digit(*p) && not_digits(behind) == 0) {
            mag = (uint64_t)(*p - '0') * 100000000 + join8(behind);
        } else {
            used = short_plain(&mag, &places, p);
            if (used == 0) used = long_plain(&mag, &places, p);
            if (used == 0) break;
        }
        if (p[used] != separator) break;
        out[n] = (double)mag / pow10_exact[places];
        p += used + 1;
        if (*p == ' ') p++;
    }
    *text = p;
    return n;
}

static int bits128(u128 v)
{
    const uint64_t high = (uint64_t)(v >> 64), low = (uint64_t)v;
    if (high != 0) return 128 - __builtin_clzll(high);
    return low == 0 ? 0 : 64 - __builtin_clzll(low);
}

/* v * 2^exp rounded to nearest even; `sticky`: a little more than v. The
 * result is normal. */
static double round128(u128 v, bool sticky, int exp)
{
    const int shift = bits128(v) - 53;
    if (shift > 0) {
        const u128 half = (u128)1 << (shift - 1);
        const u128 rest = v & ((half << 1) - 1);
        v >>= shift;
        exp += shift;
        if (rest > half || (rest == half && (sticky || (v & 1) != 0))) v++;
    }
    return ldexp((double)(uint64_t)v, exp);
}

bool tni_num_scale10(double *out, uint64_t mag, int exp)
{
    if (exp < -27 || exp > 27) return false;
    if (mag < (UINT64_C(1) << 53) && exp >= -22 && exp <= 22) {
        /* Both operands are exact: one rounding. */
        *out = exp < 0 ? (double)mag / pow10_exact[-exp]
                       : (double)mag * pow10_exact[exp];
        return true;
    }
    if (mag == 0) {
        *out = 0.0;
        return true;
    }
    if (exp >= 0) {
        *out = round128((u128)mag * pow5[exp], false, exp);
        return true;
    }
    const int up = __builtin_clzll(mag);
    const uint64_t by = pow5[-exp];
    const int by_up = __builtin_clzll(by);
    const u128 num = (u128)(mag << up) << 64;
    const uint64_t den = by << by_up;
    const u128 quotient = num / den;
    const bool rest = num % den != 0;
    *out = round128(quotient, rest, exp - 64 - up + by_up);
    return true;
}

/* --- writing ------------------------------------------------------------ */

static u128 pow10_u128(int k)
{
    return (u128)pow5[k] << k;
}

/* How far a number's neighbours are, halved, in units of a double's: they too
 * have 53 bits. */
enum { HALF_F64 = 1, HALF_F32 = 1 << 29 };

/* Digits of the shortest decimal and its exponent: d * 10^exp. False when v is
 * outside the range that 128 bits hold. */
static bool shortest_digits(uint64_t *digits, int *exp, double v, uint64_t half)
{
    int e = 0;
    const double fraction = frexp(v, &e); /* v = fraction * 2^e */
    const uint64_t m = (uint64_t)ldexp(fraction, 53);
    const int s = 53 - e; /* v = m / 2^s */
    if (s < 1 || s > 69) return false;
    /* 10^k * v has 17 digits or a little less; k <= 22 keeps 127 bits. */
    int k = 16 - (int)floor(log10(v));
    if (k > 22) k = 22;
    if (k < 0) return false;
    const u128 p = pow10_u128(k);
    const int t = s + 1;
    /* The lower gap is half as wide at a power of two. */
    const bool edge = m == (UINT64_C(1) << 52);
    const u128 mid = p * (2 * m), high = p * (2 * m + half);
    const u128 low = edge ? mid - (p * half >> 1) : p * (2 * m - half);
    const bool closed = (m & half) == 0;
    /* Integers in the interval: from `a` to `b`. */
    const u128 mask = ((u128)1 << t) - 1;
    uint64_t a = (uint64_t)(low >> t), b = (uint64_t)(high >> t);
    if (!closed || (low & mask) != 0) a++;
    if (!closed && (high & mask) == 0) b--;
    if (a > b) return false;
    /* The largest power of ten with a multiple in [a, b]. */
    uint64_t step = 1;
    int up = 0;
    while (step <= b / 10) {
        const uint64_t next = step * 10, top = b / next * next;
        if (top < a) break;
        step = next;
        up++;
    }
    /* The multiple nearest to v. */
    const uint64_t centre = (uint64_t)(mid >> t);
    uint64_t best = centre / step * step;
    const u128 under = mid - ((u128)best << t);
    const u128 over = ((u128)(best + step) << t) - mid;
    if (best < a || (best + step <= b && over <= under)) best += step;
    *digits = best / step;
    *exp = up - k;
    return true;
}

static const char pairs[201] =
    "00010203040506070809101112131415161718192021222324"
    "25262728293031323334353637383940414243444546474849"
    "50515253545556575859606162636465666768697071727374"
    "75767778798081828384858687888990919293949596979899";

/* Ends at `end`; where it begins. */
static char *digits_before(char *end, uint64_t v)
{
    for (; v >= 100; v /= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (v % 100), 2);
    }
    if (v >= 10) {
        end -= 2;
        memcpy(end, pairs + 2 * v, 2);
    } else if (v > 0) {
        *--end = (char)('0' + (int)v);
    }
    return end;
}

/* Every text is under 32 bytes; copies of a fixed size take no call. */
static size_t put_digits(char *buf, bool neg, uint64_t digits, int exp)
{
    char text[48], out[64];
    memset(text, '0', sizeof text);
    memset(out, '0', sizeof out);
    const char *end = text + 24, *p = digits_before(text + 24, digits);
    size_t at = 0, n = (size_t)(end - p);
    const int point = (int)n + exp; /* digits before the point */
    if (neg) out[at++] = '-';
    if (point <= 0) {
        out[at + 1] = '.';
        at += (size_t)(2 - point);
    } else {
        memcpy(out + at, p, 24); /* and zeros, where exp asks for them */
        at += (size_t)point;
        if (exp >= 0) {
            n = 0;
        } else {
            p += point;
            n -= (size_t)point;
            out[at++] = '.';
        }
    }
    if (n > 0) memcpy(out + at, p, 24);
    out[at + n] = '\0';
    memcpy(buf, out, 32);
    return at + n;
}

size_t tni_num_shortest(char *buf, size_t size, double v)
{
    if (size < 32) {
        if (size > 0) buf[0] = '\0';
        return 0;
    }
    const double mag = fabs(v);
    if (mag == 0.0) {
        memcpy(buf, "0", 2);
        return 1;
    }
    if (mag < 9007199254740992.0 && mag == floor(mag))
        return put_digits(buf, v < 0, (uint64_t)mag, 0);
    uint64_t digits = 0;
    int exp = 0;
    /* Few places, most often: of up to 15 digits only one reads back as v. */
    if (mag >= 1e-3 && mag < 1e11) {
        digits = (uint64_t)(mag * 1e3 + 0.5);
        exp = -3;
        if ((double)digits / 1e3 == mag) {
            while (digits % 10 == 0) {
                digits /= 10;
                exp++;
            }
            return put_digits(buf, v < 0, digits, exp);
        }
    }
    if (mag >= 1e-5 && mag < 1e15 && shortest_digits(&digits, &exp, mag, HALF_F64)) {
        while (digits % 10 == 0) {
            digits /= 10;
            exp++;
        }
        return put_digits(buf, v < 0, digits, exp);
    }
    for (int n = 1; n < 17; n++) {
        double back = 0.0;
        const size_t len = tni_num_format(buf, size, v, n);
        if (tni_num_parse_f64(&back, NULL, buf, len) && back == v) return len;
    }
    return tni_num_format(buf, size, v, 17);
}

/* The eight digits of a number, each in a byte, the first the lowest: halves,
 * fours and pairs at once, by multiplications whose results do not touch. */
static uint64_t split8(uint32_t v)
{
    const uint64_t fours = v / 10000 | (uint64_t)(v % 10000) << 32;
    const uint64_t tops = (fours * 10486 >> 20) & UINT64_C(0x0000007F0000007F);
    const uint64_t twos = (fours - 100 * tops) << 16 | tops;
    const uint64_t tens = (twos * 103 >> 10) & UINT64_C(0x000F000F000F000F);
    return (twos - 10 * tens) << 8 | tens;
}

/* 0 < digits < 10^8 hundred-millionths: eight places, without the zeros at
 * their end. */
static size_t put_fraction(char *buf, bool neg, uint64_t digits)
{
    const uint64_t text = split8((uint32_t)digits);
    char *p = buf;
    *p = '-';
    p += neg;
    memcpy(p, "0.", 2);
    p += 2;
    store8(p, text | UINT64_C(0x3030303030303030));
    p += 8 - (unsigned)__builtin_clzll(text) / 8;
    *p = '\0';
    return (size_t)(p - buf);
}

size_t tni_num_fixed(char *buf, size_t size, double v, int decimals)
{
    const double scaled = fabs(v) * pow10_exact[decimals & 15];
    if (size < 32 || !(scaled < 4503599627370496.0))
        return tni_num_shortest(buf, size, v);
    uint64_t digits = (uint64_t)(scaled + 0.5);
    int exp = -decimals;
    if (digits == 0) {
        memcpy(buf, "0", 2);
        return 1;
    }
    if (decimals == 8 && digits < 100000000)
        return put_fraction(buf, v < 0, digits);
    while (exp < 0 && digits % 10 == 0) {
        digits /= 10;
        exp++;
    }
    return put_digits(buf, v < 0, digits, exp);
}

size_t tni_num_shortest_f32(char *buf, size_t size, float f)
{
    const double v = (double)f, mag = fabs(v);
    uint64_t digits = 0;
    int exp = 0;
    /* Whole numbers, and what is no number or too large: as a double's. */
    if (size < 32 || !(mag < (double)INFINITY) ||
        (mag < 16777216.0 && mag == floor(mag)))
        return tni_num_shortest(buf, size, v);
    bool good = false;
    /* Of up to six digits only one reads back as f. */
    if (mag >= 1e-3 && mag < 1e3) {
        digits = (uint64_t)(mag * 1e3 + 0.5);
        exp = -3;
        good = (float)((double)digits / 1e3) == fabsf(f);
    }
    if (!good && mag >= 1e-5 && mag < 1e15)
        good = shortest_digits(&digits, &exp, mag, HALF_F32);
    if (good) {
        while (digits % 10 == 0) {
            digits /= 10;
            exp++;
        }
        return put_digits(buf, v < 0, digits, exp);
    }
    for (int n = 1; n < 9; n++) {
        float back = 0.0F;
        const size_t len = tni_num_format(buf, size, v, n);
        if (tni_num_parse_f32(&back, NULL, buf, len) && back == f) return len;
    }
    return tni_num_format(buf, size, v, 9);
}
