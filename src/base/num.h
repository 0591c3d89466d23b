/* SPDX-License-Identifier: Apache-2.0 */
/* num.h - numbers to and from decimal text, whatever the process's locale */
#ifndef TN_SRC_BASE_NUM_H
#define TN_SRC_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads the longest number at the start of `text`, spaces before it skipped:
 * a decimal with optional fraction and exponent, "inf", "infinity" or "nan" in
 * any case, each with a sign. Correctly rounded; too large gives infinity.
 * `used` may be NULL. False when there is no number.
 */
bool tni_num_parse_f64(double *out, size_t *used, const char *text, size_t len);
bool tni_num_parse_f32(float *out, size_t *used, const char *text, size_t len);

/* The same for decimal integers; false when out of range. A negative number
 * read as unsigned wraps, as strtoull has it. */
bool tni_num_parse_i64(int64_t *out, size_t *used, const char *text,
                       size_t len);
bool tni_num_parse_u64(uint64_t *out, size_t *used, const char *text,
                       size_t len);

/*
 * Writes v with `digits` significant digits (1 to 17) in the form of printf's
 * %g: "0.25", "1e-07", "-0", "inf", "nan". Always terminated; returns the
 * length, which is under 32. `size` must be at least 32.
 */
size_t tni_num_format(char *buf, size_t size, double v, int digits);

/*
 * Writes the shortest decimal that reads back as v, a whole number without a
 * point: "0.1", "640", "1e-07", "1.5e+300". A negative zero is "0"; "inf" and
 * "nan" as above. Always terminated; returns the length, which is under 32.
 * `size` must be at least 32.
 */
size_t tni_num_shortest(char *buf, size_t size, double v);
/* The same, reading back as a float. */
size_t tni_num_shortest_f32(char *buf, size_t size, float v);

/*
 * Writes v with at most `decimals` (0 to 12) places, trailing zeros dropped:
 * "0.5", "0.33333333". For |v| below 2^52 / 10^decimals the value of the text
 * is within half a unit of its last place (plus one rounding of the product);
 * other numbers are written by tni_num_shortest. Same buffer rules.
 */
size_t tni_num_fixed(char *buf, size_t size, double v, int decimals);

#endif
