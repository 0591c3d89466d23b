/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec_bmp.c - Windows and OS/2 bitmaps
 *
 * Source: Microsoft, "Bitmap Storage", BITMAPCOREHEADER to BITMAPV5HEADER;
 * OS/2 2.x BITMAPINFOHEADER2
 */
#include "image/codecs/codec.h"
#include "image/endian.h"

#include <string.h>

/* Values of the compression field. */
enum { RGB = 0, RLE8 = 1, RLE4 = 2, FIELDS = 3, JPEG = 4, PNG = 5, ALPHA = 6 };

typedef struct bmp {
    uint32_t pixels_at; /* offset of the pixel data */
    uint32_t header;    /* bytes of the second header */
    int64_t width, height;
    bool top_down;
    uint32_t bpp, compression;
    uint32_t mask[4];  /* red, green, blue, alpha; 0: none */
    uint64_t table_at; /* offset of the colour table */
    uint32_t table_n, table_entry;
} bmp;

static bool sniff(const uint8_t *bytes, size_t size)
{
    if (size < 18 || bytes[0] != 'B' || bytes[1] != 'M') return false;
    switch (tni_le32(bytes + 14)) {
    case 12:
    case 16:
    case 40:
    case 52:
    case 56:
    case 64:
    case 108:
    case 124: return true;
    default: return false;
    }
}

static tn_status read_size(tni_image_src *src, bmp *b)
{
    const uint8_t *p = src->bytes;
    if (b->header == 12) {
        b->width = tni_le16(p + 18);
        b->height = tni_le16(p + 20);
    } else {
        b->width = (int32_t)tni_le32(p + 18);
        b->height = (int32_t)tni_le32(p + 22);
    }
    if (b->height < 0) {
        b->height = -b->height;
        b->top_down = true;
    }
    if (b->width < 1 || b->height < 1)
        return tni_fail_at(src->err, TN_EFORMAT, 18,
                           "the size is %lld x %lld pixels; expected at least "
                           "1 x 1",
                           (long long)b->width, (long long)b->height);
    return TN_OK;
}

static tn_status check_depth(tni_image_src *src, const bmp *b)
{
    const uint32_t bpp = b->bpp;
    const bool known = bpp == 1 || bpp == 2 || bpp == 4 || bpp == 8 ||
                       bpp == 16 || bpp == 24 || bpp == 32;
    bool fits = false;
    switch (b->compression) {
    case RGB: fits = known; break;
    case RLE8: fits = bpp == 8; break;
    case RLE4: fits = bpp == 4; break;
    case FIELDS:
    case ALPHA: fits = bpp == 16 || bpp == 32; break;
    case JPEG:
    case PNG: fits = true; break;
    default: break;
    }
    /* OS/2 2.x uses 3 for its Huffman code and 4 for 24-bit runs. */
    if (b->header == 64 && b->compression >= FIELDS) fits = false;
    if (fits) return TN_OK;
    if (b->compression > ALPHA || (b->header == 64 && b->compression >= FIELDS))
        return tni_fail_at(src->err, TN_EUNSUPPORTED, 30,
                           "compression %u is not one of 0 to 6",
                           (unsigned)b->compression);
    return tni_fail_at(src->err, TN_EFORMAT, 28,
                       "%u bits per pixel with compression %u; that does not "
                       "go together",
                       (unsigned)bpp, (unsigned)b->compression);
}

static tn_status read_masks(tni_image_src *src, bmp *b)
{
    static const uint32_t five[3] = {0x7c00, 0x03e0, 0x001f};
    static const uint32_t eight[3] = {0xff0000, 0x00ff00, 0x0000ff};
    if (b->compression != FIELDS && b->compression != ALPHA) {
        if (b->bpp == 16) memcpy(b->mask, five, sizeof five);
        if (b->bpp == 32) memcpy(b->mask, eight, sizeof eight);
        return TN_OK;
    }
    /* From 52 bytes on the masks are in the header, where they also lie
     * when they follow one of 40 bytes. */
    const uint32_t n = b->header >= 56 || b->compression == ALPHA ? 4 : 3;
    TN_TRY(tni_image_want(src, 54, 4 * n, "colour masks"));
    uint32_t all = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t m = tni_le32(src->bytes + 54 + 4 * i);
        const uint32_t low = m & (~m + 1);
        if ((m & all) != 0 || ((m + low) & m) != 0)
            return tni_fail_at(src->err, TN_EFORMAT, 54 + 4 * i,
                               "colour mask 0x%08x overlaps another or has "
                               "gaps",
                               (unsigned)m);
        all |= m;
        b->mask[i] = m;
    }
    if (b->header == 40) b->table_at += 4 * (uint64_t)n;
    return TN_OK;
}

static tn_status read_table(tni_image_src *src, bmp *b)
{
    if (b->bpp > 8) return TN_OK;
    const uint32_t full = 1u << b->bpp;
    uint32_t n = b->header >= 40 ? tni_le32(src->bytes + 46) : 0;
    if (n == 0) n = full;
    b->table_entry = b->header == 12 ? 3 : 4;
    if (n > full)
        return tni_fail_at(src->err, TN_EFORMAT, 46,
                           "the colour table has %u entries; %u bits per "
                           "pixel can name %u",
                           (unsigned)n, (unsigned)b->bpp, (unsigned)full);
    b->table_n = n;
    /* Old files cut the table where the pixels begin. */
    if (b->pixels_at > b->table_at) {
        const uint64_t room = (b->pixels_at - b->table_at) / b->table_entry;
        if (room < n) b->table_n = (uint32_t)room;
    }
    return TN_OK;
}

static tn_status read_header(tni_image_src *src, bmp *b)
{
    memset(b, 0, sizeof *b);
    TN_TRY(tni_image_want(src, 0, 26, "header"));
    const uint8_t *p = src->bytes;
    b->pixels_at = tni_le32(p + 10);
    b->header = tni_le32(p + 14);
    TN_TRY(tni_image_want(src, 14, b->header, "header"));
    TN_TRY(read_size(src, b));
    b->bpp = tni_le16(p + (b->header == 12 ? 24 : 28));
    b->compression = b->header >= 40 ? tni_le32(p + 30) : RGB;
    b->table_at = 14 + (uint64_t)b->header;
    TN_TRY(check_depth(src, b));
    TN_TRY(read_masks(src, b));
    TN_TRY(read_table(src, b));
    if (b->pixels_at < 14 + b->header || b->pixels_at > src->file_size)
        return tni_fail_at(src->err, TN_EFORMAT, 10,
                           "the pixels are said to begin at byte %u; expected "
                           "%u to %llu",
                           (unsigned)b->pixels_at, 14 + (unsigned)b->header,
                           (unsigned long long)src->file_size);
    return TN_OK;
}

/* Bits of the widest sample. */
static int32_t sample_bits(const bmp *b)
{
    int32_t most = 0;
    for (int i = 0; i < 4; i++) {
        const int32_t n = __builtin_popcount(b->mask[i]);
        if (n > most) most = n;
    }
    return most != 0 ? most : 8;
}

static tn_status header(tni_image_src *src, tn_image_info *info)
{
    bmp b;
    TN_TRY(read_header(src, &b));
    info->width = b.width;
    info->height = b.height;
    if (b.bpp <= 8 && b.bpp > 0) {
        info->channels = 1;
        info->bits = (int32_t)b.bpp;
        info->flags |= TN_IMAGE_PALETTE;
    } else {
        info->channels = b.mask[3] != 0 ? 4 : 3;
        info->bits = sample_bits(&b);
    }
    if (b.mask[3] != 0) info->flags |= TN_IMAGE_ALPHA;
    return TN_OK;
}

const tni_codec tni_codec_bmp = {
    .name = "bmp",
    .title = "Windows and OS/2 bitmap",
    .files = "*.bmp *.dib",
    .source = "Microsoft, Bitmap Storage; OS/2 2.x",
    .sniff = sniff,
    .header = header,
};
