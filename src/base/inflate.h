/* SPDX-License-Identifier: Apache-2.0 */
/* inflate.h - decompressing a whole DEFLATE stream, and CRC-32 */
#ifndef TN_SRC_BASE_INFLATE_H
#define TN_SRC_BASE_INFLATE_H

#include "base/err.h"

/*
 * Decompresses `from` into exactly `to_size` bytes. TN_EFORMAT, with the
 * offset in `from`, when the stream is broken, or ends before or goes on after
 * that many bytes. Bytes behind the stream's end are ignored.
 * Source: RFC 1951
 */
tn_status tni_inflate(void *to, size_t to_size, const void *from,
                      size_t from_size, tn_err *err);

/* The same into at most `to_size` bytes; *used how many there were. */
tn_status tni_inflate_upto(void *to, size_t to_size, size_t *used,
                           const void *from, size_t from_size, tn_err *err);
/* The first bytes, at most `to_size`, as far as the stream is good. */
size_t tni_inflate_head(void *to, size_t to_size, const void *from,
                        size_t from_size);
/* No stream grows by more than this factor (a 258-byte match in two bits). */
#define TNI_INFLATE_MAX_RATIO 1032

/* CRC-32 of zip and PNG, over `crc` of what came before (0 at first). */
uint32_t tni_crc32(uint32_t crc, const void *bytes, size_t size);

#endif
