/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num.c - numbers to and from decimal text, whatever the process's locale
 *
 * The C library rounds correctly but its decimal point follows the locale.
 * Reading hands it digits and an exponent without a point; writing takes the
 * digits and the exponent out of its %e form.
 */
#include "base/num.h"

#include "base/num_fast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* No double needs more than 767 digits to be told from its neighbours. */
    MAX_DIGITS = 780,
    MAX_EXP = 100000
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t skip_space(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && is_space(text[i])) i++;
    return i;
}

/* Length of `word` (lower case) at the start of text in any case, else 0. */
static size_t match(const char *text, size_t len, const char *word)
{
    size_t i = 0;
    for (; word[i] != '\0'; i++) {
        if (i >= len) return 0;
        const char c = text[i];
        if (c != word[i] && !(c >= 'A' && c <= 'Z' && c + 32 == word[i]))
            return 0;
    }
    return i;
}

/* Digits of a number without sign or point, and its power of ten. */
typedef struct decimal {
    char text[MAX_DIGITS + 24]; /* "123e-4" */
    size_t n;
    long exp;
    bool any, more; /* a digit was seen; a non-zero one was dropped */
} decimal;

static void add_digit(decimal *d, char c, bool fraction)
{
    d->any = true;
    if (fraction) d->exp--;
    if (d->n == 0 && c == '0') return;
    if (d->n < MAX_DIGITS) {
        d->text[d->n++] = c;
        return;
    }
    d->exp++;
    if (c != '0') d->more = true;
}

/* Returns the characters taken, 0 when there is no number. */
static size_t read_exponent(decimal *d, const char *text, size_t len)
{
    size_t i = 0;
    if (i >= len || (text[i] != 'e' && text[i] != 'E')) return 0;
    i++;
    bool neg = false;
    if (i < len && (text[i] == '+' || text[i] == '-')) neg = text[i++] == '-';
    if (i >= len || !is_digit(text[i])) return 0;
    long exp = 0;
    for (; i < len && is_digit(text[i]); i++)
        if (exp < MAX_EXP) exp = exp * 10 + (text[i] - '0');
    d->exp += neg ? -exp : exp;
    return i;
}

static size_t read_decimal(decimal *d, const char *text, size_t len)
{
    d->n = 0;
    d->exp = 0;
    d->any = d->more = false;
    size_t i = 0;
    for (; i < len && is_digit(text[i]); i++) add_digit(d, text[i], false);
    if (i < len && text[i] == '.') {
        i++;
        for (; i < len && is_digit(text[i]); i++) add_digit(d, text[i], true);
    }
    if (!d->any) return 0;
    i += read_exponent(d, text + i, len - i);
    if (d->n == 0) d->text[d->n++] = '0';
    /* A dropped digit still decides a tie. */
    if (d->more) d->text[d->n - 1] |= 1;
    if (d->exp > MAX_EXP) d->exp = MAX_EXP;
    if (d->exp < -MAX_EXP) d->exp = -MAX_EXP;
    (void)snprintf(d->text + d->n, sizeof d->text - d->n, "e%ld", d->exp);
    return i;
}

/* Sign, then a word or a decimal; what remains for strtod is in d. */
static bool read_number(decimal *d, bool *neg, double *word, size_t *used,
                        const char *text, size_t len)
{
    size_t i = skip_space(text, len);
    *neg = false;
    if (i < len && (text[i] == '+' || text[i] == '-')) *neg = text[i++] == '-';
    size_t n = match(text + i, len - i, "infinity");
    if (n == 0) n = match(text + i, len - i, "inf");
    *word = (double)INFINITY;
    if (n == 0) {
        n = match(text + i, len - i, "nan");
        *word = (double)NAN;
    }
    if (n == 0) {
        *word = 0.0;
        n = read_decimal(d, text + i, len - i);
    }
    if (used != NULL) *used = i + n;
    return n != 0;
}

/* A plain decimal of at most 19 digits: see num_fast.c. */
static bool parse_plain(double *out, size_t *used, const char *text, size_t len)
{
    size_t i = 0, digits = 0;
    uint64_t mag = 0;
    int exp = 0;
    const bool neg = len > 0 && text[0] == '-';
    if (neg) i++;
    const size_t first = i;
    for (; i < len && is_digit(text[i]); i++)
        if (digits < 20) {
            mag = mag * 10 + (uint64_t)(text[i] - '0');
            if (mag != 0) digits++;
        }
    if (i == first) return false;
    if (i < len && text[i] == '.') {
        for (i++; i < len && is_digit(text[i]); i++) {
            if (digits >= 20 || exp < -40) return false;
            mag = mag * 10 + (uint64_t)(text[i] - '0');
            if (mag != 0) digits++;
            exp--;
        }
    }
    if (digits > 19) return false;
    if (i < len && (text[i] == 'e' || text[i] == 'E')) return false;
    double v = 0.0;
    if (!tni_num_scale10(&v, mag, exp)) return false;
    *out = neg ? -v : v;
    if (used != NULL) *used = i;
    return true;
}

bool tni_num_parse_f64(double *out, size_t *used, const char *text, size_t len)
{
    decimal d;
    bool neg = false;
    double v = 0.0;
    const char *plain = tni_num_plain(out, text, text + len);
    if (plain != NULL) {
        if (used != NULL) *used = (size_t)(plain - text);
        return true;
    }
    if (parse_plain(out, used, text, len)) return true;
    if (!read_number(&d, &neg, &v, used, text, len)) return false;
    if (v == 0.0) v = strtod(d.text, NULL);
    *out = neg ? -v : v;
    return true;
}

bool tni_num_parse_f32(float *out, size_t *used, const char *text, size_t len)
{
    decimal d;
    bool neg = false;
    double word = 0.0;
    if (!read_number(&d, &neg, &word, used, text, len)) return false;
    const float v = word == 0.0 ? strtof(d.text, NULL) : (float)word;
    *out = neg ? -v : v;
    return true;
}

/* Sign and magnitude of a decimal integer. */
static bool read_integer(uint64_t *mag, bool *neg, size_t *used,
                         const char *text, size_t len)
{
    size_t i = skip_space(text, len);
    *neg = false;
    if (i < len && (text[i] == '+' || text[i] == '-')) *neg = text[i++] == '-';
    const size_t first = i;
    uint64_t v = 0;
    for (; i < len && is_digit(text[i]); i++)
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v))
            return false;
    if (used != NULL) *used = i;
    *mag = v;
    return i > first;
}

bool tni_num_parse_i64(int64_t *out, size_t *used, const char *text, size_t len)
{
    uint64_t mag = 0;
    bool neg = false;
    if (!read_integer(&mag, &neg, used, text, len)) return false;
    if (mag > (uint64_t)INT64_MAX + (neg ? 1u : 0u)) return false;
    *out = neg ? (int64_t)(0u - mag) : (int64_t)mag;
    return true;
}

bool tni_num_parse_u64(uint64_t *out, size_t *used, const char *text,
                       size_t len)
{
    uint64_t mag = 0;
    bool neg = false;
    if (!read_integer(&mag, &neg, used, text, len)) return false;
    *out = neg ? 0u - mag : mag;
    return true;
}

/* --- writing ----------------------------------------------------------- */

/* The digits and the exponent of |v|, trailing zeros dropped. */
static int split_digits(char *digits, int *exp, double v, int n_digits)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.*e", n_digits - 1, fabs(v));
    const char *e = strchr(text, 'e');
    int n = 0;
    for (const char *p = text; p < e; p++)
        if (is_digit(*p)) digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0') n--;
    *exp = 0;
    for (const char *p = e + 2; is_digit(*p); p++)
        *exp = *exp * 10 + (*p - '0');
    if (e[1] == '-') *exp = -*exp;
    return n;
}

static size_t put(char *buf, size_t at, const char *text, int n)
{
    for (int i = 0; i < n; i++) buf[at++] = text[i];
    return at;
}

size_t tni_num_format(char *buf, size_t size, double v, int digits)
{
    if (size < 32) {
        if (size > 0) buf[0] = '\0';
        return 0;
    }
    size_t at = 0;
    if (v != v) return (size_t)snprintf(buf, size, "nan");
    if (signbit(v)) buf[at++] = '-';
    if (isinf(v)) {
        at = put(buf, at, "inf", 3);
        buf[at] = '\0';
        return at;
    }
    char d[32];
    int exp = 0;
    const int n = split_digits(d, &exp, v, digits);
    if (exp < -4 || exp >= digits) {
        at = put(buf, at, d, 1);
        if (n > 1) {
            buf[at++] = '.';
            at = put(buf, at, d + 1, n - 1);
        }
        return at + (size_t)snprintf(buf + at, size - at, "e%c%02d",
                                     exp < 0 ? '-' : '+', abs(exp));
    }
    if (exp < 0) {
        at = put(buf, at, "0.0000", 1 - exp);
        at = put(buf, at, d, n);
    } else {
        const int whole = exp + 1;
        for (int i = 0; i < whole; i++) buf[at++] = i < n ? d[i] : '0';
        if (n > whole) {
            buf[at++] = '.';
            at = put(buf, at, d + whole, n - whole);
        }
    }
    buf[at] = '\0';
    return at;
}
