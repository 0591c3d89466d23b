/* SPDX-License-Identifier: Apache-2.0 */
/* exif.c - the orientation out of an EXIF block */
#include "image/exif.h"

#include "image/endian.h"

#include <stdbool.h>
#include <string.h>

typedef struct block {
    const uint8_t *bytes;
    size_t size;
    bool big;
} block;

static uint32_t u16(const block *b, size_t at)
{
    return b->big ? tni_be16(b->bytes + at) : tni_le16(b->bytes + at);
}

static uint32_t u32(const block *b, size_t at)
{
    return b->big ? tni_be32(b->bytes + at) : tni_le32(b->bytes + at);
}

/* The value of the 12-byte entry at `at`; false for a type no orientation
 * has. Writers use SHORT as they should, but also LONG and BYTE. */
static bool entry_value(const block *b, size_t at, int64_t *value)
{
    const uint32_t type = u16(b, at + 2);
    if (u32(b, at + 4) != 1) return false;
    if (type == 1)
        *value = b->bytes[at + 8];
    else if (type == 3)
        *value = u16(b, at + 8);
    else if (type == 4)
        *value = u32(b, at + 8);
    else
        return false;
    return true;
}

tni_exif_found tni_exif_orientation(const uint8_t *bytes, size_t size,
                                    int64_t *tag)
{
    if (size >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0) {
        bytes += 6;
        size -= 6;
    }
    if (size < 8) return TNI_EXIF_BROKEN;
    block b = {bytes, size, false};
    if (memcmp(bytes, "MM\0*", 4) == 0)
        b.big = true;
    else if (memcmp(bytes, "II*\0", 4) != 0)
        return TNI_EXIF_BROKEN;
    const size_t first = u32(&b, 4);
    if (first < 8 || first > size || size - first < 2) return TNI_EXIF_BROKEN;
    const size_t n = u16(&b, first);
    for (size_t i = 0; i < n; i++) {
        const size_t at = first + 2 + 12 * i;
        if (size - first - 2 < 12 * (i + 1)) return TNI_EXIF_BROKEN;
        if (u16(&b, at) == 0x0112)
            return entry_value(&b, at, tag) ? TNI_EXIF_TAG : TNI_EXIF_BROKEN;
    }
    return TNI_EXIF_NONE;
}
