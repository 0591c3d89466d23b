/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_format.h - a format's reader on any bytes, then everything it read
 *
 * The bytes are files: "\n==> NAME\n" begins one; without such a line all is
 * one file of the name given. What is accepted is looked at as a whole.
 */
#ifndef TN_TESTS_FUZZ_FORMAT_H
#define TN_TESTS_FUZZ_FORMAT_H

#include <stddef.h>
#include <stdint.h>

void fuzz_format(const char *format, const char *name, const uint8_t *data,
                 size_t size);

#endif
