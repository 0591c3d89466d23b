/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - which codec a file is for, and its header */
#ifndef TN_SRC_IMAGE_PROBE_H
#define TN_SRC_IMAGE_PROBE_H

#include "image/codecs/codec.h"

/*
 * Finds the codec by the first bytes and reads the header. TN_EBUSY with
 * src->need set when more bytes are wanted.
 */
tn_status tni_image_probe(tni_image_src *src, const tni_codec **codec,
                          tn_image_info *info);

/* The codec by the first bytes alone; NULL when none knows them. */
const tni_codec *tni_image_sniff(const uint8_t *bytes, size_t size);

/* A block of EXIF into info: orientation, or TN_IMAGE_BAD_EXIF. */
void tni_image_take_exif(tn_image_info *info, const uint8_t *bytes,
                         size_t size);

#endif
