/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec.h - what an image format is: one file, one line of codecs.def
 *
 * Reading a header is own code in every build. Decoding and encoding may need
 * a library, and are NULL where the build lacks it.
 */
#ifndef TN_SRC_IMAGE_CODECS_CODEC_H
#define TN_SRC_IMAGE_CODECS_CODEC_H

#include "base/alloc.h"
#include "base/err.h"
#include "tenon/image.h"

#include <stdbool.h>

/* The first `size` bytes of a file of file_size bytes. */
typedef struct tni_image_src {
    const uint8_t *bytes;
    size_t size;
    uint64_t file_size;
    uint64_t need; /* first bytes wanted, when a function returned TN_EBUSY */
    bool head_only;
    tn_err *err;
} tni_image_src;

/*
 * TN_OK when bytes offset .. offset + n are there; TN_EBUSY, with `need` set,
 * when they are in the file but not among the bytes given; TN_EFORMAT when
 * the file ends before: "the file ends at byte 20 inside `what`".
 */
tn_status tni_image_want(tni_image_src *src, uint64_t offset, uint64_t n,
                         const char *what);

/* Sets orientation and orientation_tag from a tag's value. */
void tni_image_set_orientation(tn_image_info *info, int64_t tag);

/* Pixels as a codec hands them over, before they get the form asked for. */
typedef struct tni_image_raw {
    int64_t width, height;
    int32_t channels; /* 1 gray or indices, 2 gray+alpha, 3 RGB, 4 RGBA/CMYK */
    int32_t bits;    /* of a sample's range: 1 to 8 in a byte, 9 to 16 in two */
    size_t stride;   /* bytes from row to row */
    uint8_t *pixels; /* tni_image_raw_alloc */
    size_t size;
    int32_t n_colors; /* > 0: samples are indices of `colors` */
    bool colors_alpha;
    uint8_t colors[256][4];
    bool has_key; /* this sample value, or triple, is transparent */
    uint16_t key[3];
    bool cmyk; /* 255 is no ink, as Adobe writes it */
} tni_image_raw;

/* One decoding. */
typedef struct tni_image_job {
    const uint8_t *bytes;
    size_t size;
    tn_image_info info; /* of the header */
    tn_image_form form; /* a hint: GRAY8 lets JPEG skip colour */
    bool keep_damaged;
    tni_image_raw raw;
    tni_mem *mem;
    tn_image_finding *findings;
    size_t n_findings; /* may exceed TNI_IMAGE_FINDINGS */
    tn_err *err;
} tni_image_job;

enum { TNI_IMAGE_FINDINGS = 16 };

/* Sets channels, bits and stride of raw and gives it memory, zeroed. */
tn_status tni_image_raw_alloc(tni_image_job *job, int32_t channels,
                              int32_t bits);

/* Notes a finding. Damage is TN_EFORMAT unless it is to be kept. */
tn_status tni_image_find(tni_image_job *job, bool damage, uint64_t offset,
                         const char *fmt, ...) TN_PRINTF(4, 5);

typedef struct tni_codec {
    const char *name, *title, *files; /* "png", "PNG", "*.png" */
    const char *source;               /* the definition followed */
    const char *library;              /* that decodes; NULL: none is needed */
    /* True when the first bytes are of this format; 32 of them, or as many as
     * the file has. */
    bool (*sniff)(const uint8_t *bytes, size_t size);
    /* Fills info (zeroed but for format and orientation), or TN_EBUSY. */
    tn_status (*header)(tni_image_src *src, tn_image_info *info);
    /* Fills raw; NULL: this build reads the header only. */
    tn_status (*decode)(tni_image_job *job);
    /* Of a checked view; NULL: not written by this build. */
    tn_status (*encode)(const tn_image_sink *sink, const tn_image_view *view,
                        tn_err *err);
} tni_codec;

#define TN_CODEC(name) extern const tni_codec tni_codec_##name;
#include "image/codecs/codecs.def"
#undef TN_CODEC

/* All of them, in the order of the table. */
const tni_codec *const *tni_codecs(int *n);

/* NULL when there is none of that name. */
const tni_codec *tni_codec_find(const char *name);

#endif
