/* SPDX-License-Identifier: Apache-2.0 */
/* readback.h - whether what was written is what was meant */
#ifndef TN_SRC_DATA_READBACK_H
#define TN_SRC_DATA_READBACK_H

#include "data/residue.h"

typedef struct tni_compared {
    uint64_t n;       /* annotations */
    double max_error; /* of a coordinate, in pixels */
} tni_compared;

/* An image of the source where it is written once more, in another of its
 * splits. */
typedef struct tni_copy {
    uint32_t image, back; /* its rows in the source and in what reads back */
} tni_copy;

typedef struct tni_matches {
    uint32_t *first; /* of each image of the source; TN_NONE: not there */
    tni_copy *copies;
    size_t n_copies;
} tni_matches;

/* Where each image of the source is in what was read back; in the arena. */
tn_status tni_match_images(tni_matches *out, const tni_writer *w,
                           const tn_dataset *back, tni_arena *arena,
                           tn_err *err);

/* Compares the annotations that `w` wrote one by one with those of `back`, and
 * hands the images to the sidecar on the way (NULL: there is none), so that an
 * outline is read once for both; then those of every copy of an image. TN_EINTERNAL says the first difference. */
tn_status tni_compare(tni_writer *w, const tni_format *format,
                      const tn_dataset *back, const tni_matches *matches,
                      tni_residue *residue, tni_compared *result, tn_err *err);

#endif
