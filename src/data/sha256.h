/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.h - SHA-256 of bytes */
#ifndef TN_SRC_DATA_SHA256_H
#define TN_SRC_DATA_SHA256_H

#include <stddef.h>

/* The digest as 64 hexadecimal digits in lower case, terminated.
 * Source: FIPS 180-4. */
void tni_sha256_hex(char out[65], const void *bytes, size_t size);

#endif
