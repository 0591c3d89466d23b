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

/* --- pixels ---------------------------------------------------------------- */

/* Sets pixel x of row y, counted from the first row in the file. */
static void put_index(tni_image_raw *raw, const bmp *b, int64_t x, int64_t y,
                      uint8_t v)
{
    const int64_t row = b->top_down ? y : b->height - 1 - y;
    raw->pixels[(size_t)row * raw->stride + (size_t)x] = v;
}

/* One run or absolute stretch of RLE8 or RLE4 at *at. */
typedef struct rle {
    tni_image_job *job;
    const bmp *b;
    size_t at;
    int64_t x, y;
} rle;

static tn_status put_run(rle *r, const uint8_t *v, uint32_t n, bool absolute)
{
    if (r->y >= r->b->height || (int64_t)n > r->b->width - r->x) {
        TN_TRY(tni_image_find(r->job, true, r->at,
                              "a run of %u pixels leaves the image at %lld, "
                              "%lld",
                              (unsigned)n, (long long)r->x, (long long)r->y));
        if (r->y >= r->b->height) return TN_OK;
        n = r->b->width > r->x ? (uint32_t)(r->b->width - r->x) : 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint8_t c = v[absolute ? (r->b->bpp == 4 ? i / 2 : i) : 0];
        if (r->b->bpp == 4) c = i % 2 == 0 ? c >> 4 : c & 15;
        put_index(&r->job->raw, r->b, r->x + i, r->y, c);
    }
    r->x += n;
    return TN_OK;
}

/* An escape: 0 and a code. Sets *end at the end of the bitmap. */
static tn_status escape(rle *r, uint8_t code, bool *end)
{
    const uint8_t *p = r->job->bytes + r->at;
    if (code == 0) {
        r->x = 0;
        r->y++;
    } else if (code == 1) {
        *end = true;
    } else {
        const size_t n = code == 2        ? 2
                         : r->b->bpp == 4 ? ((size_t)code + 1) / 2
                                          : (size_t)code;
        if (r->job->size - r->at < n)
            return tni_fail_at(r->job->err, TN_EFORMAT, r->at,
                               "the file ends inside the pixels");
        r->at += n + (code == 2 ? 0 : n & 1);
        if (code > 2) return put_run(r, p, code, true);
        r->x += p[0];
        r->y += p[1];
        if (r->x > r->b->width || r->y > r->b->height)
            return tni_fail_at(r->job->err, TN_EFORMAT, r->at - 2,
                               "a jump leaves the image");
    }
    return TN_OK;
}

static tn_status decode_rle(tni_image_job *job, const bmp *b)
{
    rle r = {job, b, b->pixels_at, 0, 0};
    for (bool end = false; !end;) {
        if (r.y == b->height && r.at >= job->size) return TN_OK;
        if (r.at > job->size || job->size - r.at < 2)
            return tni_image_find(job, true, job->size,
                                  "the file ends inside the pixels, at row "
                                  "%lld of %lld",
                                  (long long)r.y, (long long)b->height);
        const uint8_t n = job->bytes[r.at], v = job->bytes[r.at + 1];
        r.at += 2;
        if (n == 0)
            TN_TRY(escape(&r, v, &end));
        else
            TN_TRY(put_run(&r, &v, n, false));
    }
    return TN_OK;
}

static void indexed_row(uint8_t *to, const uint8_t *from, const bmp *b)
{
    const uint32_t per_byte = 8 / b->bpp, mask = (1u << b->bpp) - 1;
    for (int64_t x = 0; x < b->width; x++) {
        const uint32_t i = (uint32_t)(x % per_byte);
        const uint32_t v = from[x / per_byte];
        to[x] = (uint8_t)(v >> (8 - b->bpp * (i + 1)) & mask);
    }
}

static void masked_row(uint8_t *to, const uint8_t *from, const bmp *b,
                       int32_t channels)
{
    const size_t bytes = b->bpp / 8;
    for (int64_t x = 0; x < b->width; x++, from += bytes) {
        const uint32_t v = bytes == 2 ? tni_le16(from) : tni_le32(from);
        for (int32_t c = 0; c < channels; c++) {
            const uint32_t m = b->mask[c];
            if (m == 0) {
                *to++ = 0;
                continue;
            }
            const uint32_t shift = (uint32_t)__builtin_ctz(m);
            const uint64_t top = m >> shift;
            *to++ =
                (uint8_t)(((uint64_t)((v & m) >> shift) * 255 + top / 2) / top);
        }
    }
}

static void decode_row(const tni_image_raw *raw, uint8_t *to,
                       const uint8_t *from, const bmp *b)
{
    if (b->bpp <= 8) {
        indexed_row(to, from, b);
    } else if (b->bpp == 24) {
        for (int64_t x = 0; x < b->width; x++, to += 3, from += 3) {
            to[0] = from[2];
            to[1] = from[1];
            to[2] = from[0];
        }
    } else {
        masked_row(to, from, b, raw->channels);
    }
}

static tn_status decode_plain(tni_image_job *job, const bmp *b)
{
    const uint64_t stride = ((uint64_t)b->width * b->bpp + 31) / 32 * 4;
    const uint64_t line = ((uint64_t)b->width * b->bpp + 7) / 8;
    for (int64_t y = 0; y < b->height; y++) {
        const uint64_t at = b->pixels_at + (uint64_t)y * stride;
        if (at + line > job->size)
            return tni_image_find(job, true, job->size,
                                  "the file ends inside the pixels, at row "
                                  "%lld of %lld",
                                  (long long)y, (long long)b->height);
        const int64_t row = b->top_down ? y : b->height - 1 - y;
        decode_row(&job->raw, job->raw.pixels + (size_t)row * job->raw.stride,
                   job->bytes + at, b);
    }
    return TN_OK;
}

/* Indices beyond the table are shown black by everyone, and are damage. */
static tn_status check_indices(tni_image_job *job)
{
    const tni_image_raw *raw = &job->raw;
    for (int64_t y = 0; y < raw->height; y++)
        for (int64_t x = 0; x < raw->width; x++) {
            const uint8_t v = raw->pixels[(size_t)y * raw->stride + (size_t)x];
            if (v >= raw->n_colors)
                return tni_image_find(job, true, 0,
                                      "the pixel at %lld, %lld has index %u, "
                                      "but the colour table has %d entries",
                                      (long long)x, (long long)y, (unsigned)v,
                                      (int)raw->n_colors);
        }
    return TN_OK;
}

static tn_status decode_table(tni_image_job *job, const bmp *b)
{
    tni_image_raw *raw = &job->raw;
    const uint64_t need = (uint64_t)b->table_n * b->table_entry;
    if (b->table_n == 0 || b->table_at + need > job->size)
        return tni_fail_at(job->err, TN_EFORMAT, b->table_at,
                           "the colour table is missing or cut short");
    const uint8_t *p = job->bytes + b->table_at;
    raw->n_colors = (int32_t)b->table_n;
    for (uint32_t i = 0; i < b->table_n; i++, p += b->table_entry) {
        raw->colors[i][0] = p[2];
        raw->colors[i][1] = p[1];
        raw->colors[i][2] = p[0];
        raw->colors[i][3] = 255;
    }
    return TN_OK;
}

static tn_status decode(tni_image_job *job)
{
    bmp b;
    tni_image_src src = {job->bytes, job->size, job->size, 0, false, job->err};
    TN_TRY(read_header(&src, &b));
    if (b.compression == JPEG || b.compression == PNG || b.bpp == 0)
        return tni_fail_at(job->err, TN_EUNSUPPORTED, 30,
                           "the bitmap wraps a JPEG or PNG, as printers take "
                           "them");
    if (b.bpp <= 8) {
        TN_TRY(decode_table(job, &b));
        TN_TRY(tni_image_raw_alloc(job, 1, (int32_t)b.bpp));
        TN_TRY(b.compression == RGB ? decode_plain(job, &b)
                                    : decode_rle(job, &b));
        return check_indices(job);
    }
    TN_TRY(tni_image_raw_alloc(job, b.mask[3] != 0 ? 4 : 3, 8));
    return decode_plain(job, &b);
}

const tni_codec tni_codec_bmp = {
    .name = "bmp",
    .title = "Windows and OS/2 bitmap",
    .files = "*.bmp *.dib",
    .source = "Microsoft, Bitmap Storage; OS/2 2.x",
    .sniff = sniff,
    .header = header,
    .decode = decode,
};
