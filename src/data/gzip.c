/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.c - a gzip file in memory */
#include "data/gzip.h"

#include "base/inflate.h"

enum {
    HEAD = 10,
    TAIL = 8, /* checksum and size */
    HAS_CRC = 2,
    HAS_EXTRA = 4,
    HAS_NAME = 8,
    HAS_COMMENT = 16,
    RESERVED = 0xe0
};

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

bool tni_is_gzip(const void *bytes, size_t size)
{
    return size >= HEAD + TAIL && memcmp(bytes, "\x1f\x8b\x08", 3) == 0;
}

/* Where the stream begins; beyond the end when the header is broken. */
static size_t stream_of(const uint8_t *p, size_t n)
{
    size_t at = HEAD;
    const uint8_t flags = p[3];
    if ((flags & RESERVED) != 0) return n;
    if ((flags & HAS_EXTRA) != 0)
        at += 2 + (size_t)p[10] + ((size_t)p[11] << 8);
    for (int bit = HAS_NAME; bit <= HAS_COMMENT; bit *= 2)
        if ((flags & bit) != 0) {
            while (at < n && p[at] != 0) at++;
            at++;
        }
    return (flags & HAS_CRC) != 0 ? at + 2 : at;
}

uint64_t tni_gzip_size(const void *bytes, size_t size)
{
    return tni_is_gzip(bytes, size) ? le32((const uint8_t *)bytes + size - 4)
                                    : 0;
}

size_t tni_gunzip_head(char *to, size_t max, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    const size_t at = tni_is_gzip(p, size) ? stream_of(p, size) : size;
    if (size < HEAD + TAIL || at > size - TAIL) return 0;
    return tni_inflate_head(to, max, p + at, size - TAIL - at);
}

tn_status tni_gunzip(tni_span *bytes, tni_arena *arena, tn_err *err)
{
    const uint8_t *p = (const uint8_t *)bytes->p;
    const size_t n = bytes->len;
    const size_t at = tni_is_gzip(p, n) ? stream_of(p, n) : n;
    if (n < HEAD + TAIL || at > n - TAIL)
        return tni_fail(err, TN_EFORMAT, "a broken gzip header");
    const size_t size = le32(p + n - 4);
    if (size / TNI_INFLATE_MAX_RATIO > n)
        return tni_fail_at(err, TN_EFORMAT, n - 4,
                           "gzip says that it holds %zu bytes, more than %zu "
                           "can; it is damaged",
                           size, n);
    char *out = tni_arena_alloc(arena, size + 1, 1);
    if (out == NULL)
        return tni_fail(err, TN_ENOMEM,
                        "out of memory, or over the dataset's memory limit");
    const tn_status status = tni_inflate(out, size, p + at, n - TAIL - at, err);
    if (status == TN_EFORMAT)
        return tni_fail_at(err, TN_EFORMAT, at,
                           "the gzip stream is damaged, or is several in one "
                           "file, or of 4 GiB and more: unpack it first "
                           "(gzip -d)");
    TN_TRY(status);
    if (tni_crc32(0, out, size) != le32(p + n - TAIL))
        return tni_fail_at(err, TN_EFORMAT, n - TAIL,
                           "the checksum of the gzip stream is wrong; the file "
                           "is damaged");
    bytes->p = out;
    bytes->len = size;
    return TN_OK;
}
