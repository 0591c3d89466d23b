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

#endif
