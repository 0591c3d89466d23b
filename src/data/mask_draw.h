/* SPDX-License-Identifier: Apache-2.0 */
/* mask_draw.h - outlines and masks of annotations as pixels */
#ifndef TN_SRC_DATA_MASK_DRAW_H
#define TN_SRC_DATA_MASK_DRAW_H

#include "data/dataset.h"

/* Pixels of one image, row by row: 1 inside, 0 outside. */
typedef struct tni_canvas {
    uint8_t *pixels, *part; /* `part` is for one outline at a time */
    uint32_t w, h;
} tni_canvas;

/* TN_ELIMIT for an image without a size, or larger than the limits allow. */
tn_status tni_canvas_new(tni_canvas *c, const tn_dataset *d, uint32_t image,
                         tni_arena *arena, tn_err *err);
/* Whether the annotation covers pixels: by a mask or by outlines. */
bool tni_has_pixels(const tn_dataset *d, uint32_t ann);
/* Draws such an annotation, the rest becomes 0. TN_EUNSUPPORTED for a mask of
 * another size than the image. */
tn_status tni_canvas_draw(tni_canvas *c, const tn_dataset *d, uint32_t ann,
                          tn_shape *scratch, tni_arena *arena, tn_err *err);

#endif
