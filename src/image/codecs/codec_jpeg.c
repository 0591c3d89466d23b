/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec_jpeg.c - JPEG
 *
 * Source: ITU-T T.81 (ISO/IEC 10918-1), annex B; JFIF 1.02; EXIF 2.32;
 * CIPA DC-007 (multi-picture files); Adobe TN 5116 (APP14)
 */
#include "image/codecs/codec.h"
#include "image/endian.h"
#include "image/probe.h"

#include <string.h>
#if defined(TN_WITH_JPEG)
#include <turbojpeg.h>
#endif

enum { SOI = 0xd8, EOI = 0xd9, SOS = 0xda, APP1 = 0xe1, APP2 = 0xe2 };

static bool sniff(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 0xff && bytes[1] == SOI && bytes[2] == 0xff;
}

static bool is_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
           marker != 0xc8 && marker != 0xcc;
}

/* A start of frame; `at` is its length field. */
static tn_status read_frame(tni_image_src *src, tn_image_info *info,
                            uint64_t at, uint8_t marker, uint32_t len)
{
    const uint8_t *p = src->bytes + at;
    const uint32_t n = len >= 8 ? p[7] : 0;
    if (len < 8 || n == 0 || len != 8 + 3 * n)
        return tni_fail_at(src->err, TN_EFORMAT, at,
                           "a frame header of %u bytes for %u components; "
                           "expected 8 + 3 per component",
                           (unsigned)len, (unsigned)n);
    if (info->width != 0)
        return tni_fail_at(src->err, TN_EFORMAT, at,
                           "a second frame header (SOF); expected one");
    info->bits = p[2];
    info->height = tni_be16(p + 3);
    info->width = tni_be16(p + 5);
    info->channels = (int32_t)n;
    if (info->height == 0)
        return tni_fail_at(src->err, TN_EUNSUPPORTED, at + 3,
                           "the height is left to a DNL marker behind the "
                           "pixels; decoders do not read that");
    if (info->width == 0)
        return tni_fail_at(src->err, TN_EFORMAT, at + 5, "the width is 0");
    if (n == 4) info->flags |= TN_IMAGE_CMYK;
    if ((marker & 3) == 2) info->flags |= TN_IMAGE_INTERLACED;
    return TN_OK;
}

static tn_status take_segment(tni_image_src *src, tn_image_info *info,
                              uint64_t at, uint8_t marker, uint32_t len)
{
    const uint8_t *p = src->bytes + at + 2;
    if (is_frame(marker)) return read_frame(src, info, at, marker, len);
    if (marker == APP1 && len >= 8 && memcmp(p, "Exif\0", 5) == 0 &&
        info->orientation_tag < 0)
        tni_image_take_exif(info, p, len - 2);
    if (marker == APP2 && len >= 6 && memcmp(p, "MPF\0", 4) == 0)
        info->flags |= TN_IMAGE_PAGES;
    return TN_OK;
}

/* Moves *at to the marker byte behind the next 0xff run; bytes between
 * segments are skipped as all decoders do, and decoding reports them. */
static tn_status next_marker(tni_image_src *src, uint64_t *at)
{
    for (;;) {
        TN_TRY(tni_image_want(src, *at, 2, "next segment"));
        const uint8_t *p = src->bytes + *at;
        ++*at;
        if (p[0] == 0xff && p[1] != 0xff && p[1] != 0) return TN_OK;
    }
}

static tn_status header(tni_image_src *src, tn_image_info *info)
{
    for (uint64_t at = 2;;) {
        TN_TRY(next_marker(src, &at));
        const uint8_t marker = src->bytes[at++];
        if (marker == 0x01 || (marker >= 0xd0 && marker <= SOI)) continue;
        if (marker == SOS || marker == EOI) {
            if (info->width != 0 && marker == SOS) return TN_OK;
            return tni_fail_at(
                src->err, TN_EFORMAT, at - 2, "found %s before %s",
                marker == SOS ? "a scan (SOS)" : "the end (EOI)",
                info->width != 0 ? "any scan" : "a frame header (SOF)");
        }
        TN_TRY(tni_image_want(src, at, 2, "segment"));
        const uint32_t len = tni_be16(src->bytes + at);
        if (len < 2)
            return tni_fail_at(src->err, TN_EFORMAT, at,
                               "segment 0x%02x has a length of %u; expected "
                               "at least 2",
                               marker, (unsigned)len);
        TN_TRY(tni_image_want(src, at, len, "segment"));
        TN_TRY(take_segment(src, info, at, marker, len));
        at += len;
    }
}

#if defined(TN_WITH_JPEG)

/* Whether there is an Adobe segment: then 255 means no ink. */
static bool is_adobe(const tni_image_job *job)
{
    const uint8_t *p = job->bytes;
    for (size_t at = 2; at + 4 <= job->size;) {
        if (p[at] != 0xff || p[at + 1] == 0xff) {
            at++;
            continue;
        }
        const uint8_t marker = p[at + 1];
        if (marker == SOS) return false;
        if (marker == 0 || marker == 1 || (marker >= 0xd0 && marker <= SOI)) {
            at += 2;
            continue;
        }
        const size_t len = tni_be16(p + at + 2);
        if (marker == 0xee && len >= 14 && job->size - at >= 9 &&
            memcmp(p + at + 4, "Adobe", 5) == 0)
            return true;
        at += 2 + (len < 2 ? 2 : len);
    }
    return false;
}

static tn_status fail_tj(tni_image_job *job, tjhandle handle)
{
    const char *text = tjGetErrorStr2(handle);
    if (strstr(text, "Insufficient memory") != NULL)
        return tni_fail(job->err, TN_ENOMEM, "out of memory");
    const bool lacks =
        strstr(text, "nsupported") != NULL || strstr(text, "not supported");
    return tni_fail(job->err, lacks ? TN_EUNSUPPORTED : TN_EFORMAT,
                    "libjpeg-turbo: %s", text);
}

static void invert(tni_image_raw *raw)
{
    for (size_t i = 0; i < raw->size; i++)
        raw->pixels[i] = (uint8_t)(255 - raw->pixels[i]);
}

static tn_status decode_with(tni_image_job *job, tjhandle handle)
{
    tni_image_raw *raw = &job->raw;
    const int format = raw->channels == 1   ? TJPF_GRAY
                       : raw->channels == 3 ? TJPF_RGB
                                            : TJPF_CMYK;
    const int e =
        tjDecompress2(handle, job->bytes, job->size, raw->pixels,
                      (int)raw->width, (int)raw->stride, (int)raw->height,
                      format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
    if (e != 0) {
        if (tjGetErrorCode(handle) != TJERR_WARNING)
            return fail_tj(job, handle);
        TN_TRY(tni_image_find(job, true, 0, "libjpeg-turbo: %s",
                              tjGetErrorStr2(handle)));
    }
    if (raw->channels == 4) {
        raw->cmyk = true;
        if (!is_adobe(job)) invert(raw);
    }
    return TN_OK;
}

static tn_status decode(tni_image_job *job)
{
    if (job->info.bits != 8)
        return tni_fail(job->err, TN_EUNSUPPORTED,
                        "samples of %d bits; decoders take 8",
                        (int)job->info.bits);
    if (job->info.channels == 2 || job->info.channels > 4)
        return tni_fail(job->err, TN_EUNSUPPORTED,
                        "%d components; expected 1, 3 or 4",
                        (int)job->info.channels);
    const bool gray = job->info.channels == 1 ||
                      (job->info.channels == 3 && job->form == TN_IMAGE_GRAY8);
    TN_TRY(tni_image_raw_alloc(job, gray ? 1 : job->info.channels, 8));
    tjhandle handle = tjInitDecompress();
    if (handle == NULL) return tni_fail(job->err, TN_ENOMEM, "out of memory");
    const tn_status status = decode_with(job, handle);
    (void)tjDestroy(handle);
    return status;
}

#endif

const tni_codec tni_codec_jpeg = {
    .name = "jpeg",
    .title = "JPEG",
    .files = "*.jpg *.jpeg",
    .source = "ITU-T T.81; JFIF 1.02; EXIF 2.32",
    .sniff = sniff,
    .header = header,
    .library = "libjpeg-turbo",
#if defined(TN_WITH_JPEG)
    .decode = decode,
#endif
};
