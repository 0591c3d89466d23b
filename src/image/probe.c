/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - which codec a file is for, and its header */
#include "image/probe.h"

#include "base/limits.h"
#include "image/exif.h"
#include "sys/file.h"

#include <stdio.h>
#include <string.h>

/* First bytes that tell all formats apart. */
enum { sniff_bytes = 32 };

static const tni_codec *const codecs[] = {
#define TN_CODEC(name) &tni_codec_##name,
#include "image/codecs/codecs.def"
#undef TN_CODEC
};
enum { n_codecs = (int)(sizeof codecs / sizeof codecs[0]) };

const tni_codec *const *tni_codecs(int *n)
{
    *n = n_codecs;
    return codecs;
}

const tni_codec *tni_codec_find(const char *name)
{
    for (int i = 0; i < n_codecs; i++)
        if (strcmp(codecs[i]->name, name) == 0) return codecs[i];
    return NULL;
}

tn_status tni_image_want(tni_image_src *src, uint64_t offset, uint64_t n,
                         const char *what)
{
    uint64_t end = 0;
    if (__builtin_add_overflow(offset, n, &end) || end > src->file_size)
        return tni_fail_at(src->err, TN_EFORMAT, src->file_size,
                           "the file ends at byte %llu, but its %s lies at "
                           "bytes %llu to %llu; it is cut short",
                           (unsigned long long)src->file_size, what,
                           (unsigned long long)offset,
                           (unsigned long long)(offset + n));
    if (end > src->size) {
        src->need = end;
        return TN_EBUSY;
    }
    return TN_OK;
}

void tni_image_set_orientation(tn_image_info *info, int64_t tag)
{
    info->orientation_tag = (int32_t)(tag <= INT32_MAX ? tag : INT32_MAX);
    info->orientation = tag >= 1 && tag <= 8 ? (int32_t)tag : 1;
}

void tni_image_take_exif(tn_image_info *info, const uint8_t *bytes, size_t size)
{
    int64_t tag = 0;
    switch (tni_exif_orientation(bytes, size, &tag)) {
    case TNI_EXIF_NONE: return;
    case TNI_EXIF_TAG: tni_image_set_orientation(info, tag); return;
    case TNI_EXIF_BROKEN: info->flags |= TN_IMAGE_BAD_EXIF; return;
    }
}

const tni_codec *tni_image_sniff(const uint8_t *bytes, size_t size)
{
    for (int i = 0; i < n_codecs; i++)
        if (codecs[i]->sniff(bytes, size)) return codecs[i];
    return NULL;
}

/* Formats that people have, and that no codec here reads. */
static const struct {
    const char *magic;
    uint8_t len, at;
    const char *name;
} strangers[] = {
    {"ftyphei", 7, 4, "a HEIC image"},
    {"ftypmif1", 8, 4, "a HEIF image"},
    {"ftypavi", 7, 4, "an AVIF image"},
    {"JXL ", 4, 4, "a JPEG XL image"},
    {"\xff\x0a", 2, 0, "a JPEG XL image"},
    {"jP  \r\n\x87\n", 8, 4, "a JPEG 2000 image"},
    {"\xff\x4f\xff\x51", 4, 0, "a JPEG 2000 image"},
    {"8BPS", 4, 0, "a Photoshop file"},
    {"qoif", 4, 0, "a QOI image"},
    {"#?RADIANCE", 10, 0, "a Radiance HDR image"},
    {"v/1\x01", 4, 0, "an OpenEXR image"},
    {"DDS ", 4, 0, "a DirectDraw surface"},
    {"farbfeld", 8, 0, "a farbfeld image"},
    {"\0\0\1\0", 4, 0, "a Windows icon"},
    {"P4\n", 3, 0, "a PBM image"},
    {"P5\n", 3, 0, "a PGM image"},
    {"P6\n", 3, 0, "a PPM image"},
    {"<svg", 4, 0, "an SVG drawing"},
    {"<?xml", 5, 0, "an XML file"},
    {"%PDF", 4, 0, "a PDF document"},
    {"PK\3\4", 4, 0, "a zip archive"},
    {"\x1f\x8b", 2, 0, "a gzip file"},
    {"<!DOCTYPE", 9, 0, "a web page"},
    {"<html", 5, 0, "a web page"},
    {"version https://git-lfs", 23, 0,
     "a Git LFS pointer, not the file itself"},
};

static tn_status unknown(tni_image_src *src)
{
    const uint8_t *p = src->bytes;
    if (src->file_size == 0)
        return tni_fail_at(src->err, TN_EFORMAT, 0, "the file is empty");
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        const size_t at = strangers[i].at, len = strangers[i].len;
        if (src->size >= at + len &&
            memcmp(p + at, strangers[i].magic, len) == 0)
            return tni_fail_at(src->err, TN_EUNSUPPORTED, 0,
                               "this is %s; known image formats are bmp, gif, "
                               "jpeg, png, tiff and webp",
                               strangers[i].name);
    }
    char hex[3 * 8 + 1] = "";
    for (size_t i = 0; i < 8 && i < src->size; i++)
        (void)snprintf(hex + 3 * i, 4, " %02x", p[i]);
    return tni_fail_at(src->err, TN_EFORMAT, 0,
                       "the first bytes%s are of no known image format; "
                       "expected bmp, gif, jpeg, png, tiff or webp",
                       hex);
}

tn_status tni_image_probe(tni_image_src *src, const tni_codec **codec,
                          tn_image_info *info)
{
    memset(info, 0, sizeof *info);
    info->struct_size = sizeof *info;
    info->orientation = 1;
    info->orientation_tag = -1;
    if (src->size < sniff_bytes && src->size < src->file_size)
        return tni_image_want(
            src, 0, src->file_size < sniff_bytes ? src->file_size : sniff_bytes,
            "first bytes");
    *codec = tni_image_sniff(src->bytes, src->size);
    if (*codec == NULL) return unknown(src);
    info->format = (*codec)->name;
    const tn_status status = (*codec)->header(src, info);
    if (status != TN_OK && status != TN_EBUSY)
        tni_err_where(src->err, "%s", (*codec)->name);
    return status;
}

static void copy_info(tn_image_info *to, const tn_image_info *from)
{
    const size_t size =
        to->struct_size < sizeof *from ? to->struct_size : sizeof *from;
    if (size <= sizeof to->struct_size) return;
    memcpy((char *)to + sizeof to->struct_size,
           (const char *)from + sizeof to->struct_size,
           size - sizeof to->struct_size);
}

tn_status tn_image_probe(tn_image_info *info, size_t *need, const void *bytes,
                         size_t size, uint64_t file_size, uint32_t flags,
                         tn_err *err)
{
    tni_err_clear(err);
    if (info == NULL || (bytes == NULL && size != 0))
        return tni_fail(err, TN_EINVAL, "info or bytes is NULL");
    if (need != NULL && file_size < size)
        return tni_fail(err, TN_EINVAL,
                        "file_size is %llu, less than the %zu bytes given",
                        (unsigned long long)file_size, size);
    tni_image_src src = {bytes,
                         size,
                         need != NULL ? file_size : size,
                         0,
                         (flags & TN_IMAGE_HEAD_ONLY) != 0,
                         err};
    const tni_codec *codec = NULL;
    tn_image_info found;
    const tn_status status = tni_image_probe(&src, &codec, &found);
    if (need != NULL) *need = 0;
    if (status == TN_EBUSY) {
        if (need == NULL || src.need > SIZE_MAX)
            return tni_fail(err, TN_EINTERNAL, "more bytes than the file has");
        *need = (size_t)src.need;
        return TN_OK;
    }
    TN_TRY(status);
    copy_info(info, &found);
    return TN_OK;
}

tn_status tn_image_info_read(tn_image_info *info, const char *path,
                             uint32_t flags, const tn_limits *limits,
                             tn_err *err)
{
    tni_err_clear(err);
    if (info == NULL || path == NULL)
        return tni_fail(err, TN_EINVAL, "info or path is NULL");
    tn_limits full;
    tni_limits_fill(&full, limits);
    tni_file_map map;
    TN_TRY(tni_file_map_open(&map, path, full.max_file_bytes, err));
    const tn_status status =
        tn_image_probe(info, NULL, map.bytes, map.size, 0, flags, err);
    if (status != TN_OK) tni_err_where(err, "%s", path);
    tni_file_map_close(&map);
    return status;
}
