/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec_webp.c - WebP
 *
 * Source: Google, WebP Container Specification; RFC 6386, 9.1 (VP8 frame
 * header); WebP Lossless Bitstream Specification, 3
 */
#include "image/codecs/codec.h"
#include "image/endian.h"
#include "image/probe.h"

#include <string.h>

/* Bits of the VP8X flags byte. */
enum { ANIMATION = 0x02, EXIF = 0x08, ALPHA = 0x10 };

static bool sniff(const uint8_t *bytes, size_t size)
{
    return size >= 12 && memcmp(bytes, "RIFF", 4) == 0 &&
           memcmp(bytes + 8, "WEBP", 4) == 0;
}

static tn_status read_lossy(tni_image_src *src, tn_image_info *info)
{
    TN_TRY(tni_image_want(src, 20, 10, "VP8 frame header"));
    const uint8_t *p = src->bytes + 20;
    if ((p[0] & 1) != 0 || memcmp(p + 3, "\x9d\x01\x2a", 3) != 0)
        return tni_fail_at(src->err, TN_EFORMAT, 20,
                           "the VP8 data do not begin with a key frame");
    info->width = tni_le16(p + 6) & 0x3fff;
    info->height = tni_le16(p + 8) & 0x3fff;
    info->channels = 3;
    return TN_OK;
}

static tn_status read_lossless(tni_image_src *src, tn_image_info *info)
{
    TN_TRY(tni_image_want(src, 20, 5, "VP8L header"));
    const uint8_t *p = src->bytes + 20;
    const uint32_t v = tni_le32(p + 1);
    if (p[0] != 0x2f || v >> 29 != 0)
        return tni_fail_at(src->err, TN_EFORMAT, 20,
                           "the VP8L data begin with 0x%02x, version %u; "
                           "expected 0x2f, version 0",
                           p[0], (unsigned)(v >> 29));
    info->width = (v & 0x3fff) + 1;
    info->height = (v >> 14 & 0x3fff) + 1;
    info->channels = (v >> 28 & 1) != 0 ? 4 : 3;
    if (info->channels == 4) info->flags |= TN_IMAGE_ALPHA;
    return TN_OK;
}

/* Looks for EXIF, which comes behind the pixels. */
static tn_status find_exif(tni_image_src *src, tn_image_info *info)
{
    uint64_t end = 8 + (uint64_t)tni_le32(src->bytes + 4);
    if (end > src->file_size) end = src->file_size;
    for (uint64_t at = 30; at + 8 <= end;) {
        TN_TRY(tni_image_want(src, at, 8, "chunk"));
        const uint64_t n = tni_le32(src->bytes + at + 4);
        if (memcmp(src->bytes + at, "EXIF", 4) == 0) {
            TN_TRY(tni_image_want(src, at + 8, n, "EXIF chunk"));
            tni_image_take_exif(info, src->bytes + at + 8, (size_t)n);
            return TN_OK;
        }
        at += 8 + n + (n & 1);
    }
    info->flags |= TN_IMAGE_PARTIAL; /* it was promised */
    return TN_OK;
}

static tn_status read_extended(tni_image_src *src, tn_image_info *info)
{
    TN_TRY(tni_image_want(src, 20, 10, "VP8X chunk"));
    const uint8_t *p = src->bytes + 20;
    info->width = (int64_t)tni_le24(p + 4) + 1;
    info->height = (int64_t)tni_le24(p + 7) + 1;
    info->channels = (p[0] & ALPHA) != 0 ? 4 : 3;
    if ((p[0] & ALPHA) != 0) info->flags |= TN_IMAGE_ALPHA;
    if ((p[0] & ANIMATION) != 0) info->flags |= TN_IMAGE_ANIMATED;
    if ((p[0] & EXIF) == 0) return TN_OK;
    if (src->head_only) {
        info->flags |= TN_IMAGE_PARTIAL;
        return TN_OK;
    }
    const tn_status status = find_exif(src, info);
    if (status == TN_EFORMAT) {
        info->flags |= TN_IMAGE_PARTIAL;
        tni_err_clear(src->err);
        return TN_OK;
    }
    return status;
}

static tn_status header(tni_image_src *src, tn_image_info *info)
{
    TN_TRY(tni_image_want(src, 12, 8, "first chunk"));
    const uint8_t *type = src->bytes + 12;
    info->bits = 8;
    if (memcmp(type, "VP8 ", 4) == 0)
        TN_TRY(read_lossy(src, info));
    else if (memcmp(type, "VP8L", 4) == 0)
        TN_TRY(read_lossless(src, info));
    else if (memcmp(type, "VP8X", 4) == 0)
        TN_TRY(read_extended(src, info));
    else
        return tni_fail_at(src->err, TN_EFORMAT, 12,
                           "the first chunk is %02x %02x %02x %02x; expected "
                           "VP8, VP8L or VP8X",
                           type[0], type[1], type[2], type[3]);
    if (info->width == 0 || info->height == 0)
        return tni_fail_at(src->err, TN_EFORMAT, 20,
                           "the size is %lld x %lld pixels; expected at least "
                           "1 x 1",
                           (long long)info->width, (long long)info->height);
    return TN_OK;
}

const tni_codec tni_codec_webp = {
    .name = "webp",
    .title = "WebP",
    .files = "*.webp",
    .source = "Google WebP Container Specification; RFC 6386",
    .sniff = sniff,
    .header = header,
};
