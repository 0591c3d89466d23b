/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/image.h - look at, decode and write image files
 *
 * Part of the data column: link with libtenon-data. A header is read without
 * decoding, allocating or any other library. Pixels come from the field's own
 * decoders where this build has them (`tenon list codecs --json`), and what a
 * decoder had to guess or skip is a finding, never silence.
 */
#ifndef TENON_IMAGE_H
#define TENON_IMAGE_H

#include "tenon/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a header says beyond numbers. */
typedef enum tn_image_flag {
    TN_IMAGE_PALETTE = 1 << 0,    /* samples are indices of a colour table */
    TN_IMAGE_ALPHA = 1 << 1,      /* has transparency of any kind */
    TN_IMAGE_ANIMATED = 1 << 2,   /* more than one frame */
    TN_IMAGE_PAGES = 1 << 3,      /* more than one picture (TIFF, MPO) */
    TN_IMAGE_INTERLACED = 1 << 4, /* Adam7, progressive JPEG, GIF interlace */
    TN_IMAGE_CMYK = 1 << 5,       /* four inks, not colours of light */
    TN_IMAGE_FLOAT = 1 << 6,      /* samples are floating point */
    TN_IMAGE_BAD_EXIF = 1 << 7,   /* there is EXIF, but it is broken */
    /* What lies behind the pixels was not looked at, because that was asked
     * for or because the file is broken or ends there: an orientation or a
     * second frame may have been missed. */
    TN_IMAGE_PARTIAL = 1 << 8
} tn_image_flag;

/**
 * What a file says about its image. Width and height are those of the stored
 * pixels: with an orientation of 5 to 8 they are swapped when shown.
 */
typedef struct tn_image_info {
    size_t struct_size;
    const char *format;      /* name of the codec, "png"; constant */
    int64_t width, height;   /* as stored, at least 1 */
    int32_t channels;        /* samples per pixel as stored; palette: 1 */
    int32_t bits;            /* of a sample; the largest where they differ */
    int32_t orientation;     /* EXIF, 1 to 8; 1 when absent or not one */
    int32_t orientation_tag; /* what the tag says; -1 when there is none */
    uint32_t flags;          /* tn_image_flag */
} tn_image_info;

#define TN_IMAGE_INFO_INIT                                                     \
    {                                                                          \
        sizeof(tn_image_info), NULL, 0, 0, 0, 0, 0, 0, 0                       \
    }

/** Bits of `flags` of the functions that read only a header. */
enum {
    /* Stop where the pixels begin: sets TN_IMAGE_PARTIAL where more metadata
     * may follow them (PNG, WebP, GIF). */
    TN_IMAGE_HEAD_ONLY = 1 << 0
};

/**
 * Reads the header of an image from the first bytes of a file, whatever the
 * file is called. Decodes, allocates and changes nothing.
 *
 * @param info       filled as far as its struct_size goes.
 * @param need       NULL when `bytes` is the whole file. Else it is set to 0
 *                   when the header is complete, or to how many first bytes
 *                   of the file are needed; then info says nothing yet: call
 *                   again with that many. Never more than file_size.
 * @param bytes      the first `size` bytes.
 * @param file_size  size of the whole file; ignored when need is NULL.
 * @param flags      TN_IMAGE_HEAD_ONLY or 0.
 *
 * @return TN_OK
 *         TN_EFORMAT       no known format, or a broken header; err->offset
 *         TN_EUNSUPPORTED  a known format in a form that no header reader
 *                          understands (the message says which)
 *
 * Units:   pixels, bits.   Threads: any.
 * Since:   0.1.    See: tn_image_info_read(), docs/modules/image.md
 */
TN_API TN_NODISCARD tn_status tn_image_probe(tn_image_info *info, size_t *need,
                                             const void *bytes, size_t size,
                                             uint64_t file_size, uint32_t flags,
                                             tn_err *err);

/**
 * The same for a file, of which only the pages that matter are read.
 *
 * @return as tn_image_probe(), TN_ENOTFOUND, TN_EIO, TN_ELIMIT (max_file_bytes
 *         of limits; NULL: the default). err->where is the path.
 * Threads: any.   Since: 0.1.
 */
TN_API TN_NODISCARD tn_status tn_image_info_read(tn_image_info *info,
                                                 const char *path,
                                                 uint32_t flags,
                                                 const tn_limits *limits,
                                                 tn_err *err);

#ifdef __cplusplus
}
#endif

#endif /* TENON_IMAGE_H */
