/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip.h - a gzip file in memory
 *
 * Source: RFC 1952. Limit: one stream per file, as gzip writes it, of less
 * than 4 GiB.
 */
#ifndef TN_SRC_DATA_GZIP_H
#define TN_SRC_DATA_GZIP_H

#include "base/alloc.h"
#include "base/json.h"

/* Whether the bytes begin like one. */
bool tni_is_gzip(const void *bytes, size_t size);

/* How many bytes it says that it holds; 0 when it is no gzip. */
uint64_t tni_gzip_size(const void *bytes, size_t size);
/* The first bytes it holds, at most `max`; how many. */
size_t tni_gunzip_head(char *to, size_t max, const void *bytes, size_t size);

/* Unpacks `bytes` into the arena, whose memory limit holds, and checks its
 * checksum; `bytes` becomes the result. */
tn_status tni_gunzip(tni_span *bytes, tni_arena *arena, tn_err *err);

#endif
