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
     * may follow them (PNG, WebP, GIF). WebP's EXIF, whose place needs no
     * search, is read all the same where the bytes given hold it. */
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
 *                   again with that many or more (4 KiB steps are a good
 *                   choice). Never more than file_size.
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

/**
 * How pixels are wanted. Samples are interleaved; those of more than 8 bits
 * are uint16_t of this machine, scaled to the full range like all others.
 */
typedef enum tn_image_form {
    /* 1 gray, 2 gray and alpha, 3 RGB or 4 RGBA, with 8 or 16 bits as in the
     * file; palettes become RGB or RGBA, inks RGB, fewer bits 8. */
    TN_IMAGE_AS_STORED = 0,
    TN_IMAGE_GRAY8 = 1, /* JPEG: its luma as it is. Else ITU-R BT.601 */
    TN_IMAGE_RGB8 = 2,  /* alpha is dropped, not blended */
    TN_IMAGE_RGBA8 = 3,
    /* The sample values themselves, one byte or uint16_t each, unscaled:
     * palette indices or gray. TN_EUNSUPPORTED for other images. */
    TN_IMAGE_INDICES = 4
} tn_image_form;

/** Bits of tn_image_opts.flags. */
enum {
    /* Turn and mirror as EXIF says, so that the image is as it is shown. */
    TN_IMAGE_UPRIGHT = 1 << 0,
    /* Return an image even if its pixels are damaged, with what is wrong as
     * findings; without it the first damage is TN_EFORMAT. */
    TN_IMAGE_KEEP_DAMAGED = 1 << 1
};

typedef struct tn_image_opts {
    size_t struct_size;
    const tn_allocator *allocator; /* of the image; decoders have their own */
    const tn_limits *limits; /* max_image_pixels, max_total_bytes, file size */
    tn_image_form form;
    uint32_t flags;
} tn_image_opts;

#define TN_IMAGE_OPTS_INIT                                                     \
    {                                                                          \
        sizeof(tn_image_opts), NULL, NULL, TN_IMAGE_AS_STORED, 0               \
    }

/** Something a decoder had to guess, skip or repair. */
typedef struct tn_image_finding {
    int32_t damage;  /* 1: pixels are not what was meant; 0: they are */
    uint64_t offset; /* in the file; 0 when unknown */
    char text[160];
} tn_image_finding;

/**
 * Pixels in memory: what an image has, and what an encoder takes.
 * With a palette the samples are indices into n_colors entries of RGBA.
 */
typedef struct tn_image_view {
    size_t struct_size;
    int64_t width, height;
    int32_t channels; /* 1 to 4 */
    int32_t bits;     /* 8 or 16 */
    size_t stride;    /* bytes from row to row */
    const void *pixels;
    const uint8_t *palette; /* 4 bytes each; NULL: none */
    int32_t n_colors;
} tn_image_view;

#define TN_IMAGE_VIEW_INIT                                                     \
    {                                                                          \
        sizeof(tn_image_view), 0, 0, 0, 0, 0, NULL, NULL, 0                    \
    }

/** A decoded image [immutable]. */
typedef struct tn_image tn_image;

/**
 * Decodes an image from memory.
 *
 * The pixel limit is checked before anything is allocated. Animations and
 * files of many pages are TN_EUNSUPPORTED, or give the first picture where
 * the format has one (MPO, animated PNG).
 *
 * @param opts  NULL: as stored, not turned, default limits.
 *
 * @return TN_OK
 *         TN_EFORMAT       broken or damaged; err->where is the format
 *         TN_EUNSUPPORTED  a form this build does not decode, or opts->form
 *                          does not fit the image
 *         TN_ELIMIT        more pixels or bytes than the limits allow
 *         TN_ENOMEM
 *
 * Units:   pixels.   Threads: any.
 * Since:   0.1.    See: tn_image_free(), docs/modules/image.md
 */
TN_API TN_NODISCARD tn_status tn_image_decode(tn_image **out, const void *bytes,
                                              size_t size,
                                              const tn_image_opts *opts,
                                              tn_err *err);
/** The same for a file. Also TN_ENOTFOUND and TN_EIO. */
TN_API TN_NODISCARD tn_status tn_image_read(tn_image **out, const char *path,
                                            const tn_image_opts *opts,
                                            tn_err *err);
/** NULL is allowed. */
TN_API void tn_image_free(tn_image *image);

/** What the header said; borrowed. */
TN_API const tn_image_info *tn_image_get_info(const tn_image *image);
/** Fills view as far as its struct_size goes; what it points to is borrowed. */
TN_API void tn_image_get_view(const tn_image *image, tn_image_view *view);
/** How many findings there are; the first 16 are kept. */
TN_API size_t tn_image_finding_count(const tn_image *image);
/** NULL beyond what is kept; borrowed. */
TN_API const tn_image_finding *tn_image_get_finding(const tn_image *image,
                                                    size_t i);

/** Takes the bytes of an encoder in order. */
typedef struct tn_image_sink {
    void *ctx;
    tn_status (*write)(void *ctx, const void *bytes, size_t size, tn_err *err);
} tn_image_sink;

/**
 * Encodes pixels; the same pixels give the same bytes.
 *
 * @param format  "png"; the codecs that encode say so in the registry.
 * @param view    a palette may go with one channel of 8 bits; then every
 *                index must be below n_colors.
 *
 * @return TN_OK, what sink->write returned, TN_EINVAL for a view that makes
 *         no sense, TN_EUNSUPPORTED for a format this build does not write.
 * Threads: any.   Since: 0.1.
 */
TN_API TN_NODISCARD tn_status tn_image_encode(const tn_image_sink *sink,
                                              const char *format,
                                              const tn_image_view *view,
                                              tn_err *err);
/** The same into a file, which appears only when it is complete. */
TN_API TN_NODISCARD tn_status tn_image_write(const char *path,
                                             const char *format,
                                             const tn_image_view *view,
                                             tn_err *err);

#ifdef __cplusplus
}
#endif

#endif /* TENON_IMAGE_H */
