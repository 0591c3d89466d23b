/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec_png.c - PNG
 *
 * The header reader walks the chunks, jumping over their contents: EXIF may
 * come behind the pixels, and a truncated file shows there.
 *
 * Source: W3C, Portable Network Graphics (PNG) Specification, third edition
 */
#include "base/inflate.h"
#include "image/codecs/codec.h"
#include "image/endian.h"
#include "image/probe.h"

#include <string.h>

static const uint8_t signature[8] = {0x89, 'P',  'N',  'G',
                                     0x0d, 0x0a, 0x1a, 0x0a};

static bool sniff(const uint8_t *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, signature, 8) == 0;
}

static tn_status read_ihdr(tni_image_src *src, tn_image_info *info)
{
    TN_TRY(tni_image_want(src, 8, 25, "IHDR chunk"));
    const uint8_t *p = src->bytes;
    if (memcmp(p + 12, "IHDR", 4) != 0 || tni_be32(p + 8) != 13)
        return tni_fail_at(src->err, TN_EFORMAT, 8,
                           "the first chunk is '%.4s' of %u bytes; expected "
                           "IHDR of 13",
                           (const char *)p + 12, (unsigned)tni_be32(p + 8));
    if (tni_crc32(0, p + 12, 17) != tni_be32(p + 29))
        return tni_fail_at(src->err, TN_EFORMAT, 29,
                           "the checksum of IHDR is wrong: the size cannot be "
                           "trusted");
    info->width = tni_be32(p + 16);
    info->height = tni_be32(p + 20);
    if (info->width < 1 || info->height < 1 || info->width > INT32_MAX ||
        info->height > INT32_MAX)
        return tni_fail_at(src->err, TN_EFORMAT, 16,
                           "the size is %lld x %lld pixels; expected 1 to "
                           "2147483647 each",
                           (long long)info->width, (long long)info->height);
    /* Bit d of entry c: colour type c may have d bits. */
    static const uint32_t depths[7] = {1u << 1 | 1u << 2 | 1u << 4 | 1u << 8 |
                                           1u << 16,
                                       0,
                                       1u << 8 | 1u << 16,
                                       1u << 1 | 1u << 2 | 1u << 4 | 1u << 8,
                                       1u << 8 | 1u << 16,
                                       0,
                                       1u << 8 | 1u << 16};
    static const int32_t channels[7] = {1, 0, 3, 1, 2, 0, 4};
    const uint8_t bits = p[24], colour = p[25];
    if (colour > 6 || bits > 16 || (depths[colour] >> bits & 1) == 0)
        return tni_fail_at(src->err, TN_EFORMAT, 24,
                           "%u bits with colour type %u is no combination "
                           "that PNG has",
                           (unsigned)bits, (unsigned)colour);
    if (p[26] != 0 || p[27] != 0 || p[28] > 1)
        return tni_fail_at(src->err, TN_EFORMAT, 26,
                           "compression %u, filter %u, interlace %u; expected "
                           "0, 0 and 0 or 1",
                           (unsigned)p[26], (unsigned)p[27], (unsigned)p[28]);
    info->channels = channels[colour];
    info->bits = bits;
    if (colour == 3) info->flags |= TN_IMAGE_PALETTE;
    if (colour == 4 || colour == 6) info->flags |= TN_IMAGE_ALPHA;
    if (p[28] == 1) info->flags |= TN_IMAGE_INTERLACED;
    return TN_OK;
}

static bool is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* What a chunk tells; `at` is where its data begin. */
static tn_status take_chunk(tni_image_src *src, tn_image_info *info,
                            const uint8_t type[4], uint64_t at, uint32_t n)
{
    if (memcmp(type, "tRNS", 4) == 0) info->flags |= TN_IMAGE_ALPHA;
    if (memcmp(type, "acTL", 4) == 0 && n == 8) {
        TN_TRY(tni_image_want(src, at, n, "acTL chunk"));
        if (tni_be32(src->bytes + at) > 1) info->flags |= TN_IMAGE_ANIMATED;
    }
    if (memcmp(type, "eXIf", 4) == 0) {
        TN_TRY(tni_image_want(src, at, n, "eXIf chunk"));
        tni_image_take_exif(info, src->bytes + at, n);
    }
    return TN_OK;
}

/* Chunks behind IHDR; *in_pixels once IDAT was met. */
static tn_status walk(tni_image_src *src, tn_image_info *info, bool *in_pixels)
{
    bool have_table = false;
    for (uint64_t at = 33;;) {
        TN_TRY(tni_image_want(src, at, 8, "next chunk"));
        const uint32_t n = tni_be32(src->bytes + at);
        const uint8_t *type = src->bytes + at + 4;
        for (int i = 0; i < 4; i++)
            if (!is_letter(type[i]) || n > INT32_MAX)
                return tni_fail_at(src->err, TN_EFORMAT, at,
                                   "found a chunk of type %02x %02x %02x %02x "
                                   "and %u bytes; expected four letters and "
                                   "less than 2^31",
                                   type[0], type[1], type[2], type[3],
                                   (unsigned)n);
        if (memcmp(type, "IDAT", 4) == 0) {
            if (!*in_pixels && (info->flags & TN_IMAGE_PALETTE) != 0 &&
                !have_table)
                return tni_fail_at(src->err, TN_EFORMAT, at,
                                   "the pixels are indices, but there is no "
                                   "PLTE chunk before them");
            *in_pixels = true;
            if (src->head_only) {
                info->flags |= TN_IMAGE_PARTIAL;
                return TN_OK;
            }
        }
        if (memcmp(type, "IEND", 4) == 0) return TN_OK;
        if (memcmp(type, "PLTE", 4) == 0) have_table = true;
        TN_TRY(take_chunk(src, info, type, at + 8, n));
        at += 12 + (uint64_t)n;
    }
}

static tn_status header(tni_image_src *src, tn_image_info *info)
{
    TN_TRY(read_ihdr(src, info));
    bool in_pixels = false;
    const tn_status status = walk(src, info, &in_pixels);
    if (status == TN_EFORMAT && in_pixels) {
        info->flags |= TN_IMAGE_PARTIAL; /* decoding says what is wrong */
        tni_err_clear(src->err);
        return TN_OK;
    }
    TN_TRY(status);
    if (!in_pixels)
        return tni_fail_at(src->err, TN_EFORMAT, src->file_size,
                           "there is no IDAT chunk, that is, no image");
    return TN_OK;
}

const tni_codec tni_codec_png = {
    .name = "png",
    .title = "Portable Network Graphics",
    .files = "*.png",
    .source = "W3C PNG Specification, third edition",
    .sniff = sniff,
    .header = header,
};
