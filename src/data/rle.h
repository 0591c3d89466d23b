/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rle.h - run-length masks as COCO has them
 *
 * A mask of h rows and w columns is read column by column; runs alternate and
 * begin with zeros, so the first may be 0. Results are those of pycocotools,
 * to the bit, for every valid input; where that reads outside its arrays
 * (counts that do not add up to h x w) there is an error instead.
 *
 * Source: the COCO data format; behaviour of pycocotools.mask 2.0
 */
#ifndef TN_SRC_DATA_RLE_H
#define TN_SRC_DATA_RLE_H

#include "base/alloc.h"
#include "base/err.h"

typedef struct tni_rle {
    uint32_t h, w;
    size_t n;               /* runs */
    const uint32_t *counts; /* they add up to h * w */
} tni_rle;

/* TN_EFORMAT unless the counts add up; TN_ELIMIT when h * w exceeds 2^32 - 1. */
tn_status tni_rle_check(const tni_rle *rle, tn_err *err);

/* Compressed text ("counts" as a string) to runs and back. The text that
 * encode gives is terminated. */
tn_status tni_rle_decode(tni_rle *out, tni_arena *arena, uint32_t h, uint32_t w,
                         const char *text, size_t len, tn_err *err);
tn_status tni_rle_encode(const char **text, size_t *len, tni_arena *arena,
                         const tni_rle *rle, tn_err *err);

/*
 * Pixels, not 0 or 0, with steps in bytes between columns and rows. Writing
 * gives 1 for the mask and 0 elsewhere.
 */
tn_status tni_rle_from_mask(tni_rle *out, tni_arena *arena, uint32_t h,
                            uint32_t w, const uint8_t *pixels, size_t step_x,
                            size_t step_y, tn_err *err);
void tni_rle_to_mask(const tni_rle *rle, uint8_t *pixels, size_t step_x,
                     size_t step_y);

uint64_t tni_rle_area(const tni_rle *rle);
/* x, y, width, height; all 0 for an empty mask. */
void tni_rle_bbox(double box[4], const tni_rle *rle);

/* Union, or intersection, of n masks of one size; none gives 0 x 0. */
tn_status tni_rle_merge(tni_rle *out, tni_arena *arena, const tni_rle *masks,
                        size_t n, bool intersect, tn_err *err);

/*
 * Intersection over union; over the area of `found` alone when truth is a
 * crowd. -1 when the masks overlap by their boxes but differ in size.
 */
double tni_rle_iou(const tni_rle *found, const tni_rle *truth, bool crowd);

/*
 * A polygon of n points x, y. TN_EFORMAT for less than one point or a number
 * that is no coordinate (NaN, beyond +-10^8); TN_ELIMIT when the outline is
 * longer than 2^28 steps of a fifth of a pixel.
 */
tn_status tni_rle_from_polygon(tni_rle *out, tni_arena *arena, uint32_t h,
                               uint32_t w, const double *xy, size_t n,
                               tn_err *err);
/* A box x, y, width, height: the polygon of its corners. */
tn_status tni_rle_from_box(tni_rle *out, tni_arena *arena, uint32_t h,
                           uint32_t w, const double box[4], tn_err *err);

#endif
