/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - checking and making UTF-8 */
#ifndef TN_SRC_BASE_UTF8_H
#define TN_SRC_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes from the start are well-formed UTF-8 (no overlong forms, no
 * surrogates, nothing above U+10FFFF): `len` when all are. */
size_t tni_utf8_valid(const char *s, size_t len);

/* Writes a code point as one to four bytes; returns how many. */
size_t tni_utf8_put(char out[4], uint32_t code);

#endif
