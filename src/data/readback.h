/* SPDX-License-Identifier: Apache-2.0 */
/* readback.h - whether what was written is what was meant */
#ifndef TN_SRC_DATA_READBACK_H
#define TN_SRC_DATA_READBACK_H

#include "data/residue.h"

typedef struct tni_compared {
    uint64_t n;       /* annotations */
    double max_error; /* of a coordinate, in pixels */
} tni_compared;

/* Where each image of the source is in what was read back; TN_NONE: not. */
tn_status tni_match_images(const tni_writer *w, const tn_dataset *back,
                           uint32_t *matches, tn_err *err);

/* Compares the annotations that `w` wrote one by one with those of `back`, and
 * hands the images to the sidecar on the way (NULL: there is none), so that an
 * outline is read once for both. TN_EINTERNAL says the first difference. */
tn_status tni_compare(tni_writer *w, const tni_format *format,
                      const tn_dataset *back, const uint32_t *matches,
                      tni_residue *residue, tni_compared *result, tn_err *err);

#endif
