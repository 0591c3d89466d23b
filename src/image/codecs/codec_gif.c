/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec_gif.c - GIF headers: size, and whether there is a second frame
 *
 * Source: CompuServe, GIF89a specification, 1990
 */
#include "image/codecs/codec.h"
#include "image/endian.h"

#include <string.h>

static bool sniff(const uint8_t *bytes, size_t size)
{
    return size >= 6 &&
           (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0);
}

/* Moves *at behind a chain of sub-blocks. */
static tn_status skip_blocks(tni_image_src *src, uint64_t *at)
{
    for (;;) {
        TN_TRY(tni_image_want(src, *at, 1, "data block"));
        const uint8_t n = src->bytes[*at];
        *at += 1 + (uint64_t)n;
        if (n == 0) return TN_OK;
    }
}

static uint64_t table_bytes(uint8_t packed)
{
    return (packed & 0x80) != 0 ? (uint64_t)3 << ((packed & 7) + 1) : 0;
}

/* Walks from the first block on; *n_frames counts up to two. */
static tn_status walk(tni_image_src *src, uint64_t at, tn_image_info *info,
                      int *n_frames)
{
    for (;;) {
        TN_TRY(tni_image_want(src, at, 1, "next block"));
        const uint8_t kind = src->bytes[at];
        if (kind == 0x3b) return TN_OK;
        if (kind == 0x21) {
            TN_TRY(tni_image_want(src, at, 4, "extension"));
            if (src->bytes[at + 1] == 0xf9 && (src->bytes[at + 3] & 1) != 0)
                info->flags |= TN_IMAGE_ALPHA;
            at += 2;
        } else if (kind == 0x2c) {
            TN_TRY(tni_image_want(src, at, 10, "image descriptor"));
            const uint8_t packed = src->bytes[at + 9];
            ++*n_frames;
            if (*n_frames == 1 && (packed & 0x40) != 0)
                info->flags |= TN_IMAGE_INTERLACED;
            if (*n_frames == 2) {
                info->flags |= TN_IMAGE_ANIMATED;
                return TN_OK;
            }
            if (src->head_only) {
                info->flags |= TN_IMAGE_PARTIAL;
                return TN_OK;
            }
            at += 10 + table_bytes(packed) + 1; /* and the code size */
        } else {
            return tni_fail_at(src->err, TN_EFORMAT, at,
                               "found a block of kind 0x%02x; expected an "
                               "image, an extension or the end",
                               kind);
        }
        TN_TRY(skip_blocks(src, &at));
    }
}

static tn_status header(tni_image_src *src, tn_image_info *info)
{
    TN_TRY(tni_image_want(src, 0, 13, "screen descriptor"));
    info->width = tni_le16(src->bytes + 6);
    info->height = tni_le16(src->bytes + 8);
    info->channels = 1;
    info->bits = 8;
    info->flags |= TN_IMAGE_PALETTE;
    if (info->width == 0 || info->height == 0)
        return tni_fail_at(src->err, TN_EFORMAT, 6,
                           "the screen is %lld x %lld pixels; expected at "
                           "least 1 x 1",
                           (long long)info->width, (long long)info->height);
    int n_frames = 0;
    const tn_status status =
        walk(src, 13 + table_bytes(src->bytes[10]), info, &n_frames);
    if (status == TN_EFORMAT && n_frames > 0) {
        info->flags |= TN_IMAGE_PARTIAL; /* the first frame is described */
        tni_err_clear(src->err);
        return TN_OK;
    }
    TN_TRY(status);
    if (n_frames == 0)
        return tni_fail_at(src->err, TN_EFORMAT, src->file_size,
                           "there is no image in the file");
    return TN_OK;
}

const tni_codec tni_codec_gif = {
    .name = "gif",
    .title = "GIF",
    .files = "*.gif",
    .source = "CompuServe GIF89a specification",
    .sniff = sniff,
    .header = header,
};
