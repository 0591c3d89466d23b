/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec.h - what an image format is: one file, one line of codecs.def
 *
 * Reading a header is own code in every build. Decoding and encoding may need
 * a library, and are NULL where the build lacks it.
 */
#ifndef TN_SRC_IMAGE_CODECS_CODEC_H
#define TN_SRC_IMAGE_CODECS_CODEC_H

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

typedef struct tni_codec {
    const char *name, *title, *files; /* "png", "PNG", "*.png" */
    const char *source;               /* the definition followed */
    const char *library;              /* of the decoder; NULL: own code */
    /* True when the first bytes are of this format; 32 of them, or as many as
     * the file has. */
    bool (*sniff)(const uint8_t *bytes, size_t size);
    /* Fills info (zeroed but for format and orientation), or TN_EBUSY. */
    tn_status (*header)(tni_image_src *src, tn_image_info *info);
} tni_codec;

#define TN_CODEC(name) extern const tni_codec tni_codec_##name;
#include "image/codecs/codecs.def"
#undef TN_CODEC

/* All of them, in the order of the table. */
const tni_codec *const *tni_codecs(int *n);

/* NULL when there is none of that name. */
const tni_codec *tni_codec_find(const char *name);

#endif
