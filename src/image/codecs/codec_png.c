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
#if defined(TN_WITH_PNG)
#include <spng.h>
#endif

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
    if (memcmp(p + 12, "CgBI", 4) == 0)
        return tni_fail_at(src->err, TN_EUNSUPPORTED, 8,
                           "this is PNG as Xcode rewrites it for the iPhone "
                           "(CgBI); take the original file");
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

#if defined(TN_WITH_PNG)

static tn_status check_sum(tni_image_job *job, uint64_t at)
{
    const uint8_t *type = job->bytes + at + 4;
    const size_t n = tni_be32(job->bytes + at);
    if (tni_crc32(0, type, n + 4) == tni_be32(type + 4 + n)) return TN_OK;
    return tni_image_find(job, (type[0] & 0x20) == 0, at,
                          "the checksum of chunk %.4s is wrong",
                          (const char *)type);
}

/* What libspng skips in silence: checksums of chunks without pixels and of
 * the last one with pixels, bytes behind the end, the end itself. */
static tn_status inspect(tni_image_job *job)
{
    uint64_t at = 8, last_idat = 0;
    while (at + 12 <= job->size) {
        const uint64_t n = tni_be32(job->bytes + at);
        if (n > job->size - at - 12) break;
        const uint8_t *type = job->bytes + at + 4;
        if (memcmp(type, "IDAT", 4) == 0)
            last_idat = at;
        else
            TN_TRY(check_sum(job, at));
        at += 12 + n;
        if (memcmp(type, "IEND", 4) != 0) continue;
        if (last_idat != 0) TN_TRY(check_sum(job, last_idat));
        if (at == job->size) return TN_OK;
        return tni_image_find(job, false, at,
                              "%llu bytes follow the end of the image",
                              (unsigned long long)(job->size - at));
    }
    return tni_image_find(job, true, job->size,
                          "the file ends before its IEND chunk; it is cut "
                          "short");
}

static tn_status fail_spng(tn_err *err, int e)
{
    switch (e) {
    case SPNG_EMEM: return tni_fail(err, TN_ENOMEM, "out of memory");
    case SPNG_EUSER_WIDTH:
    case SPNG_EUSER_HEIGHT:
    case SPNG_ECHUNK_LIMITS:
    case SPNG_EOVERFLOW:
        return tni_fail(err, TN_ELIMIT, "libspng: %s", spng_strerror(e));
    case SPNG_EINVAL:
    case SPNG_EBADSTATE:
    case SPNG_EINTERNAL:
        return tni_fail(err, TN_EINTERNAL, "libspng: %s", spng_strerror(e));
    default: return tni_fail(err, TN_EFORMAT, "libspng: %s", spng_strerror(e));
    }
}

static tn_status take_colors(tni_image_job *job, spng_ctx *ctx)
{
    struct spng_plte table;
    struct spng_trns trns;
    tni_image_raw *raw = &job->raw;
    const bool clear = spng_get_trns(ctx, &trns) == 0;
    if ((job->info.flags & TN_IMAGE_PALETTE) == 0) {
        if (!clear) return TN_OK;
        raw->has_key = true;
        raw->key[0] = raw->channels == 1 ? trns.gray : trns.red;
        raw->key[1] = raw->channels == 1 ? trns.gray : trns.green;
        raw->key[2] = raw->channels == 1 ? trns.gray : trns.blue;
        return TN_OK;
    }
    const int e = spng_get_plte(ctx, &table);
    if (e != 0) return fail_spng(job->err, e);
    raw->n_colors = (int32_t)table.n_entries;
    raw->colors_alpha = clear;
    for (uint32_t i = 0; i < table.n_entries && i < 256; i++) {
        raw->colors[i][0] = table.entries[i].red;
        raw->colors[i][1] = table.entries[i].green;
        raw->colors[i][2] = table.entries[i].blue;
        raw->colors[i][3] =
            clear && i < trns.n_type3_entries ? trns.type3_alpha[i] : 255;
    }
    return TN_OK;
}

/* Rows of packed samples to a byte each. */
static void unpack(tni_image_raw *raw, const uint8_t *packed, size_t line)
{
    const uint32_t bits = (uint32_t)raw->bits, per_byte = 8 / bits;
    const uint32_t mask = (1u << bits) - 1;
    for (int64_t y = 0; y < raw->height; y++) {
        const uint8_t *from = packed + (size_t)y * line;
        uint8_t *to = raw->pixels + (size_t)y * raw->stride;
        for (int64_t x = 0; x < raw->width; x++) {
            const uint32_t i = (uint32_t)(x % per_byte);
            const uint32_t v = from[x / per_byte];
            to[x] = (uint8_t)(v >> (8 - bits * (i + 1)) & mask);
        }
    }
}

static tn_status check_indices(tni_image_job *job)
{
    const tni_image_raw *raw = &job->raw;
    if (raw->n_colors == 0 || raw->n_colors >= 256) return TN_OK;
    for (int64_t y = 0; y < raw->height; y++)
        for (int64_t x = 0; x < raw->width; x++) {
            const uint8_t v = raw->pixels[(size_t)y * raw->stride + (size_t)x];
            if (v >= raw->n_colors)
                return tni_image_find(job, true, 0,
                                      "the pixel at %lld, %lld has index %u, "
                                      "but the palette has %d colours",
                                      (long long)x, (long long)y, (unsigned)v,
                                      (int)raw->n_colors);
        }
    return TN_OK;
}

static tn_status decode_with(tni_image_job *job, spng_ctx *ctx)
{
    tni_image_raw *raw = &job->raw;
    int e = spng_set_image_limits(ctx, (uint32_t)job->info.width,
                                  (uint32_t)job->info.height);
    if (e == 0) e = spng_set_chunk_limits(ctx, 1u << 26, 1u << 27);
    if (e == 0) e = spng_set_crc_action(ctx, SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
    if (e == 0) e = spng_set_png_buffer(ctx, job->bytes, job->size);
    if (e != 0) return fail_spng(job->err, e);
    size_t size = 0;
    e = spng_decoded_image_size(ctx, SPNG_FMT_PNG, &size);
    if (e != 0) return fail_spng(job->err, e);
    const size_t line = size / (size_t)raw->height;
    if (size > raw->size || line * (size_t)raw->height != size)
        return tni_fail(job->err, TN_EINTERNAL,
                        "libspng wants %zu bytes for pixels of %zu", size,
                        raw->size);
    if (raw->bits >= 8) {
        e = spng_decode_image(ctx, raw->pixels, size, SPNG_FMT_PNG, 0);
        if (e != 0) return fail_spng(job->err, e);
        return take_colors(job, ctx);
    }
    uint8_t *packed = tni_mem_alloc(job->mem, size, TNI_ALIGN);
    if (packed == NULL) return tni_fail(job->err, TN_ENOMEM, "out of memory");
    memset(packed, 0, size); /* interlaced samples are or-ed in */
    e = spng_decode_image(ctx, packed, size, SPNG_FMT_PNG, 0);
    if (e == 0) unpack(raw, packed, line);
    tni_mem_free(job->mem, packed, size, TNI_ALIGN);
    if (e != 0) return fail_spng(job->err, e);
    return take_colors(job, ctx);
}

static tn_status decode(tni_image_job *job)
{
    TN_TRY(inspect(job));
    TN_TRY(tni_image_raw_alloc(job, job->info.channels, job->info.bits));
    spng_ctx *ctx = spng_ctx_new(0);
    if (ctx == NULL) return tni_fail(job->err, TN_ENOMEM, "out of memory");
    const tn_status status = decode_with(job, ctx);
    spng_ctx_free(ctx);
    TN_TRY(status);
    return check_indices(job);
}

typedef struct out {
    const tn_image_sink *sink;
    tn_status status;
    tn_err *err;
} out;

static int write_out(spng_ctx *ctx, void *user, void *bytes, size_t size)
{
    out *o = user;
    (void)ctx;
    o->status = o->sink->write(o->sink->ctx, bytes, size, o->err);
    return o->status == TN_OK ? 0 : SPNG_IO_ERROR;
}

static int set_palette(spng_ctx *ctx, const tn_image_view *v)
{
    struct spng_plte table;
    struct spng_trns trns;
    memset(&table, 0, sizeof table);
    memset(&trns, 0, sizeof trns);
    table.n_entries = (uint32_t)v->n_colors;
    for (int32_t i = 0; i < v->n_colors; i++) {
        const uint8_t *c = v->palette + 4 * i;
        table.entries[i].red = c[0];
        table.entries[i].green = c[1];
        table.entries[i].blue = c[2];
        trns.type3_alpha[i] = c[3];
        if (c[3] != 255) trns.n_type3_entries = (uint32_t)i + 1;
    }
    const int e = spng_set_plte(ctx, &table);
    return e != 0 || trns.n_type3_entries == 0 ? e : spng_set_trns(ctx, &trns);
}

static int encode_rows(spng_ctx *ctx, const tn_image_view *v)
{
    static const uint8_t colours[4] = {
        SPNG_COLOR_TYPE_GRAYSCALE, SPNG_COLOR_TYPE_GRAYSCALE_ALPHA,
        SPNG_COLOR_TYPE_TRUECOLOR, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
    struct spng_ihdr ihdr;
    memset(&ihdr, 0, sizeof ihdr);
    ihdr.width = (uint32_t)v->width;
    ihdr.height = (uint32_t)v->height;
    ihdr.bit_depth = (uint8_t)v->bits;
    ihdr.color_type =
        v->palette != NULL ? SPNG_COLOR_TYPE_INDEXED : colours[v->channels - 1];
    int e = spng_set_ihdr(ctx, &ihdr);
    if (e == 0 && v->palette != NULL) e = set_palette(ctx, v);
    if (e == 0)
        e = spng_encode_image(ctx, NULL, 0, SPNG_FMT_PNG,
                              SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE);
    const size_t line =
        (size_t)v->width * (size_t)v->channels * (size_t)(v->bits / 8);
    const uint8_t *row = v->pixels;
    for (int64_t y = 0; y < v->height && e == 0; y++, row += v->stride)
        e = spng_encode_row(ctx, row, line);
    return e == SPNG_EOI ? 0 : e;
}

static tn_status encode(const tn_image_sink *sink, const tn_image_view *v,
                        tn_err *err)
{
    out o = {sink, TN_OK, err};
    spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
    if (ctx == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    int e = spng_set_png_stream(ctx, write_out, &o);
    if (e == 0) e = encode_rows(ctx, v);
    spng_ctx_free(ctx);
    if (o.status != TN_OK) return o.status;
    return e == 0 ? TN_OK : fail_spng(err, e);
}

#endif

const tni_codec tni_codec_png = {
    .name = "png",
    .title = "Portable Network Graphics",
    .files = "*.png",
    .source = "W3C PNG Specification, third edition",
    .sniff = sniff,
    .header = header,
    .library = "libspng",
#if defined(TN_WITH_PNG)
    .decode = decode,
    .encode = encode,
#endif
};
