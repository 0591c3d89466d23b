/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec_tiff.c - TIFF and BigTIFF headers: the first directory
 *
 * Source: Adobe, TIFF 6.0, section 2; Aldus/AWare, BigTIFF design
 */
#include "image/codecs/codec.h"
#include "image/endian.h"

#include <string.h>

typedef struct tiff {
    tni_image_src *src;
    bool big_endian, big;                              /* byte order; BigTIFF */
    uint32_t entry_bytes;                              /* 12 or 20 */
    int64_t photometric, sample_format, extra_samples; /* -1: no tag */
    uint32_t found;                                    /* 1: width, 2: height */
} tiff;

static uint64_t u16(const tiff *t, uint64_t at)
{
    const uint8_t *p = t->src->bytes + at;
    return t->big_endian ? tni_be16(p) : tni_le16(p);
}

static uint64_t u32(const tiff *t, uint64_t at)
{
    const uint8_t *p = t->src->bytes + at;
    return t->big_endian ? tni_be32(p) : tni_le32(p);
}

static uint64_t u64(const tiff *t, uint64_t at)
{
    const uint8_t *p = t->src->bytes + at;
    return t->big_endian ? tni_be64(p) : tni_le64(p);
}

static bool sniff(const uint8_t *bytes, size_t size)
{
    return size >= 8 &&
           (memcmp(bytes, "II*\0", 4) == 0 || memcmp(bytes, "MM\0*", 4) == 0 ||
            memcmp(bytes, "II+\0\x08\0\0\0", 8) == 0 ||
            memcmp(bytes, "MM\0+\0\x08\0\0", 8) == 0);
}

/* Bytes of one value of a field type that can hold a count; 0: not one. */
static uint32_t type_bytes(uint64_t type)
{
    switch (type) {
    case 1: return 1;  /* BYTE */
    case 3: return 2;  /* SHORT */
    case 4: return 4;  /* LONG */
    case 16: return 8; /* LONG8 */
    default: return 0;
    }
}

/* The largest of the entry's values: one, or one per sample. */
static tn_status entry_max(tiff *t, uint64_t at, int64_t *out)
{
    const uint64_t tag = u16(t, at), type = u16(t, at + 2);
    const uint64_t n = t->big ? u64(t, at + 4) : u32(t, at + 4);
    const uint32_t size = type_bytes(type);
    if (size == 0 || n == 0 || n > 64)
        return tni_fail_at(t->src->err, TN_EFORMAT, at,
                           "tag %u has %llu values of type %u; expected 1 to "
                           "64 integers",
                           (unsigned)tag, (unsigned long long)n,
                           (unsigned)type);
    uint64_t from = at + (t->big ? 12 : 8);
    if (n * size > (t->big ? 8u : 4u)) {
        from = t->big ? u64(t, from) : u32(t, from);
        TN_TRY(tni_image_want(t->src, from, n * size, "list of tag values"));
    }
    uint64_t max = 0;
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t p = from + i * size;
        const uint64_t v = size == 1   ? t->src->bytes[p]
                           : size == 2 ? u16(t, p)
                           : size == 4 ? u32(t, p)
                                       : u64(t, p);
        if (v > max) max = v;
    }
    *out = max > INT64_MAX ? INT64_MAX : (int64_t)max;
    return TN_OK;
}

static tn_status take_entry(tiff *t, uint64_t at, tn_image_info *info)
{
    int64_t v = 0;
    switch (u16(t, at)) {
    case 256:
        TN_TRY(entry_max(t, at, &info->width));
        t->found |= 1;
        return TN_OK;
    case 257:
        TN_TRY(entry_max(t, at, &info->height));
        t->found |= 2;
        return TN_OK;
    case 258:
        TN_TRY(entry_max(t, at, &v));
        info->bits = (int32_t)(v < 1 || v > 64 ? 0 : v);
        return TN_OK;
    case 262: return entry_max(t, at, &t->photometric);
    case 274:
        TN_TRY(entry_max(t, at, &v));
        tni_image_set_orientation(info, v);
        return TN_OK;
    case 277:
        TN_TRY(entry_max(t, at, &v));
        info->channels = (int32_t)(v < 1 || v > 65535 ? 0 : v);
        return TN_OK;
    case 338: return entry_max(t, at, &t->extra_samples);
    case 339: return entry_max(t, at, &t->sample_format);
    default: return TN_OK;
    }
}

static tn_status directory(tiff *t, uint64_t at, tn_image_info *info)
{
    const uint32_t count_bytes = t->big ? 8 : 2;
    TN_TRY(tni_image_want(t->src, at, count_bytes, "first directory"));
    const uint64_t n = t->big ? u64(t, at) : u16(t, at);
    if (n == 0 || n > 65535)
        return tni_fail_at(t->src->err, TN_EFORMAT, at,
                           "the first directory has %llu entries; expected 1 "
                           "to 65535",
                           (unsigned long long)n);
    const uint64_t entries = at + count_bytes;
    const uint64_t end = entries + n * t->entry_bytes;
    const uint32_t link = t->big ? 8 : 4;
    TN_TRY(tni_image_want(t->src, entries, n * t->entry_bytes + link,
                          "first directory"));
    for (uint64_t i = 0; i < n; i++)
        TN_TRY(take_entry(t, entries + i * t->entry_bytes, info));
    if ((t->big ? u64(t, end) : u32(t, end)) != 0)
        info->flags |= TN_IMAGE_PAGES;
    return TN_OK;
}

static tn_status header(tni_image_src *src, tn_image_info *info)
{
    TN_TRY(tni_image_want(src, 0, 16, "header"));
    tiff t;
    memset(&t, 0, sizeof t);
    t.src = src;
    t.sample_format = 1;
    t.extra_samples = -1;
    t.photometric = -1;
    t.big_endian = src->bytes[0] == 'M';
    t.big = u16(&t, 2) == 43;
    t.entry_bytes = t.big ? 20 : 12;
    info->channels = 1;
    info->bits = 1;
    const uint64_t first = t.big ? u64(&t, 8) : u32(&t, 4);
    if (first < 8)
        return tni_fail_at(src->err, TN_EFORMAT, 4,
                           "the first directory is said to be at byte %llu, "
                           "inside the header",
                           (unsigned long long)first);
    TN_TRY(directory(&t, first, info));
    if (t.found != 3 || info->width <= 0 || info->height <= 0 ||
        info->width > UINT32_MAX || info->height > UINT32_MAX)
        return tni_fail_at(src->err, TN_EFORMAT, first,
                           "the first directory says %lld x %lld pixels; "
                           "expected tags 256 and 257 of at least 1",
                           (long long)info->width, (long long)info->height);
    if (info->channels == 0 || info->bits == 0)
        return tni_fail_at(src->err, TN_EFORMAT, first,
                           "the first directory says 0 samples or bits, or "
                           "impossibly many");
    if (t.photometric == 3) info->flags |= TN_IMAGE_PALETTE;
    if (t.photometric == 5) info->flags |= TN_IMAGE_CMYK;
    if (t.sample_format == 3) info->flags |= TN_IMAGE_FLOAT;
    if (t.extra_samples == 1 || t.extra_samples == 2)
        info->flags |= TN_IMAGE_ALPHA;
    return TN_OK;
}

const tni_codec tni_codec_tiff = {
    .name = "tiff",
    .title = "TIFF and BigTIFF",
    .files = "*.tif *.tiff",
    .source = "Adobe TIFF 6.0; BigTIFF design (2007)",
    .sniff = sniff,
    .header = header,
};
