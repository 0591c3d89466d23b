/* SPDX-License-Identifier: Apache-2.0 */
/* tar_out.c - writing tar archives, the same bytes for the same files */
#include "data/tar.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 512, SPLIT_NONE = -1 };

static tn_status put_padded(const tni_byte_sink *sink, const void *bytes,
                            size_t size, tn_err *err)
{
    static const uint8_t zeros[BLOCK] = {0};
    if (size > 0) TN_TRY(sink->write(sink->ctx, bytes, size, err));
    const size_t rest = size % BLOCK;
    if (rest == 0) return TN_OK;
    return sink->write(sink->ctx, zeros, BLOCK - rest, err);
}

/* Where ustar may cut a name into prefix and rest: 0 when it need not,
 * SPLIT_NONE when it cannot. Names beyond ASCII go into a pax header, which
 * is UTF-8 by definition. */
static int split_of(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] >= 0x80) return SPLIT_NONE;
    if (len <= 100) return 0;
    for (size_t i = len > 101 ? len - 101 : 1; i < len - 1 && i <= 155; i++)
        if (name[i] == '/') return (int)i;
    return SPLIT_NONE;
}

static void octal(uint8_t *to, size_t width, uint64_t v)
{
    for (size_t i = width - 1; i-- > 0; v >>= 3)
        to[i] = (uint8_t)('0' + (v & 7));
}

static tn_status put_header(const tni_byte_sink *sink, char kind,
                            const char *prefix, size_t prefix_len,
                            const char *name, size_t name_len, uint64_t size,
                            tn_err *err)
{
    uint8_t h[BLOCK];
    memset(h, 0, sizeof h);
    memcpy(h, name, name_len);
    memcpy(h + 345, prefix, prefix_len);
    octal(h + 100, 8, 0644);
    octal(h + 108, 8, 0);
    octal(h + 116, 8, 0);
    /* A size beyond 8 GiB stands in the pax header. */
    octal(h + 124, 12, size >> 33 == 0 ? size : 0);
    octal(h + 136, 12, 0);
    memset(h + 148, ' ', 8);
    h[156] = (uint8_t)kind;
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    uint32_t sum = 0;
    for (int i = 0; i < BLOCK; i++) sum += h[i];
    octal(h + 148, 7, sum);
    h[154] = 0;
    return sink->write(sink->ctx, h, BLOCK, err);
}

/* "LENGTH key=" in front of a value; the length counts its own digits. */
static size_t record_head(char *buf, size_t size, const char *key,
                          size_t value_len)
{
    const size_t rest = strlen(key) + value_len + 3; /* ' ' '=' '\n' */
    size_t len = rest + 1;
    for (;;) {
        const int n = snprintf(buf, size, "%zu %s=", len, key);
        const size_t full = (size_t)n + value_len + 1;
        if (full == len) return (size_t)n;
        len = full;
    }
}

static tn_status put_pax(const tni_byte_sink *sink, const char *name,
                         size_t len, uint64_t size, tn_err *err)
{
    char body[TNI_TAR_MAX_NAME + 128], number[24];
    size_t n = record_head(body, sizeof body, "path", len);
    memcpy(body + n, name, len);
    n += len;
    body[n++] = '\n';
    if (size >> 33 != 0) {
        const int digits =
            snprintf(number, sizeof number, "%llu", (unsigned long long)size);
        n += record_head(body + n, sizeof body - n, "size", (size_t)digits);
        memcpy(body + n, number, (size_t)digits);
        n += (size_t)digits;
        body[n++] = '\n';
    }
    TN_TRY(put_header(sink, 'x', "", 0, "pax", 3, n, err));
    return put_padded(sink, body, n, err);
}

tn_status tni_tar_put(const tni_byte_sink *sink, const char *name,
                      const void *bytes, size_t size, tn_err *err)
{
    const size_t len = strlen(name);
    const char *wrong = tni_tar_unsafe(name, len);
    if (wrong == NULL && name[len - 1] == '/') wrong = "a folder's name";
    if (wrong == NULL && len > TNI_TAR_MAX_NAME) wrong = "too long";
    if (wrong != NULL)
        return tni_fail(err, TN_EINVAL, "'%.100s' is %s", name, wrong);
    const int split = split_of(name, len);
    if (split == SPLIT_NONE || (uint64_t)size >> 33 != 0) {
        TN_TRY(put_pax(sink, name, len, size, err));
        TN_TRY(put_header(sink, '0', "", 0, name, len < 100 ? len : 100, size,
                          err));
    } else if (split == 0) {
        TN_TRY(put_header(sink, '0', "", 0, name, len, size, err));
    } else {
        const size_t cut = (size_t)split;
        TN_TRY(put_header(sink, '0', name, cut, name + cut + 1, len - cut - 1,
                          size, err));
    }
    return put_padded(sink, bytes, size, err);
}

tn_status tni_tar_end(const tni_byte_sink *sink, tn_err *err)
{
    static const uint8_t zeros[2 * BLOCK] = {0};
    return sink->write(sink->ctx, zeros, sizeof zeros, err);
}
