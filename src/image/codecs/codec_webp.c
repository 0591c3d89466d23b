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
#if defined(TN_WITH_WEBP)
#include <webp/decode.h>
#endif

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
    /* Jumping over the pixels costs nothing where the whole file is there. */
    if (src->head_only && src->size < src->file_size) {
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

#if defined(TN_WITH_WEBP)

static tn_status fail_webp(tn_err *err, VP8StatusCode e)
{
    switch (e) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return tni_fail(err, TN_ENOMEM, "out of memory");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return tni_fail(err, TN_EUNSUPPORTED,
                        "libwebp does not support a feature of this file");
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return tni_fail(err, TN_EFORMAT,
                        "the file ends inside the pixels; it is cut short");
    default:
        return tni_fail(err, TN_EFORMAT, "libwebp: broken data (status %d)",
                        (int)e);
    }
}

static tn_status decode(tni_image_job *job)
{
    WebPDecoderConfig config;
    if ((job->info.flags & TN_IMAGE_ANIMATED) != 0)
        return tni_fail(job->err, TN_EUNSUPPORTED,
                        "the file is an animation; only still WebP images are "
                        "decoded");
    if (!WebPInitDecoderConfig(&config))
        return tni_fail(job->err, TN_EINTERNAL,
                        "libwebp is of another version than its headers");
    const VP8StatusCode e =
        WebPGetFeatures(job->bytes, job->size, &config.input);
    if (e != VP8_STATUS_OK) return fail_webp(job->err, e);
    if (config.input.width != job->info.width ||
        config.input.height != job->info.height)
        return tni_fail(job->err, TN_EFORMAT,
                        "the header says %lld x %lld pixels, the data %d x %d",
                        (long long)job->info.width, (long long)job->info.height,
                        config.input.width, config.input.height);
    const uint64_t said = 8 + (uint64_t)tni_le32(job->bytes + 4);
    if (said > job->size)
        TN_TRY(tni_image_find(job, true, job->size,
                              "the file has %zu bytes, but says %llu; it is "
                              "cut short",
                              job->size, (unsigned long long)said));
    if (said + (said & 1) < job->size)
        TN_TRY(tni_image_find(job, false, said,
                              "%llu bytes follow the end of the image",
                              (unsigned long long)(job->size - said)));
    const bool alpha = config.input.has_alpha != 0;
    TN_TRY(tni_image_raw_alloc(job, alpha ? 4 : 3, 8));
    config.output.colorspace = alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = job->raw.pixels;
    config.output.u.RGBA.stride = (int)job->raw.stride;
    config.output.u.RGBA.size = job->raw.size;
    const VP8StatusCode done = WebPDecode(job->bytes, job->size, &config);
    WebPFreeDecBuffer(&config.output);
    return done == VP8_STATUS_OK ? TN_OK : fail_webp(job->err, done);
}

#endif

const tni_codec tni_codec_webp = {
    .name = "webp",
    .title = "WebP",
    .files = "*.webp",
    .source = "Google WebP Container Specification; RFC 6386",
    .sniff = sniff,
    .header = header,
    .library = "libwebp",
#if defined(TN_WITH_WEBP)
    .decode = decode,
#endif
};
