/* SPDX-License-Identifier: Apache-2.0 */
/* mask_draw.h - outlines and masks of annotations as pixels */
#ifndef TN_SRC_DATA_MASK_DRAW_H
#define TN_SRC_DATA_MASK_DRAW_H

#include "data/dataset.h"
#include "data/rle.h"

/* Pixels of one image, row by row: 1 inside, 0 outside. */
typedef struct tni_canvas {
    uint8_t *pixels;
    uint32_t w, h;
} tni_canvas;

/* The size of an image that can be drawn into. TN_ELIMIT for one without a size,
 * or larger than the limits allow. */
tn_status tni_drawn_size(uint32_t *w, uint32_t *h, const tn_dataset *d,
                         uint32_t image, tn_err *err);
tn_status tni_canvas_new(tni_canvas *c, const tn_dataset *d, uint32_t image,
                         tni_arena *arena, tn_err *err);
/* Whether the annotation covers pixels: by a mask or by outlines. */
bool tni_has_pixels(const tn_dataset *d, uint32_t ann);
/* Its pixels as runs, in the arena or in `scratch`. TN_EUNSUPPORTED for a mask
 * of another size than the image. */
tn_status tni_ann_runs(tni_rle *out, const tn_dataset *d, uint32_t ann,
                       uint32_t w, uint32_t h, tn_shape *scratch,
                       tni_arena *arena, tn_err *err);
/* Draws such an annotation, the rest becomes 0. */
tn_status tni_canvas_draw(tni_canvas *c, const tn_dataset *d, uint32_t ann,
                          tn_shape *scratch, tni_arena *arena, tn_err *err);

/* The order in which they are drawn: by z where it is known (else it is 0), then
 * as they come. Numbers below n, in the arena; NULL: out of memory. */
uint32_t *tni_drawing_order(const tn_dataset *d, const uint32_t *anns, size_t n,
                            tni_arena *arena);

#endif
