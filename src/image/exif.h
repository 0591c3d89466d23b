/* SPDX-License-Identifier: Apache-2.0 */
/* exif.h - the orientation out of an EXIF block */
#ifndef TN_SRC_IMAGE_EXIF_H
#define TN_SRC_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

typedef enum tni_exif_found {
    TNI_EXIF_NONE,  /* well-formed as far as read, without the tag */
    TNI_EXIF_TAG,   /* *tag is what it says, whether that makes sense or not */
    TNI_EXIF_BROKEN /* not a TIFF header, or it leads outside the block */
} tni_exif_found;

/*
 * Looks for tag 0x0112 in the first directory of a TIFF structure of `size`
 * bytes, which may begin with "Exif\0\0". Either byte order; no allocation.
 * Source: EXIF 2.32, 4.6; TIFF 6.0, section 2
 */
tni_exif_found tni_exif_orientation(const uint8_t *bytes, size_t size,
                                    int64_t *tag);

#endif
