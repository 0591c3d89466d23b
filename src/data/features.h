/* SPDX-License-Identifier: Apache-2.0 */
/* features.h - what a dataset has, counted, to be held against a format */
#ifndef TN_SRC_DATA_FEATURES_H
#define TN_SRC_DATA_FEATURES_H

#include "data/dataset.h"

typedef enum tni_feature {
#define TN_FEATURE(id, code, what) TNI_F_##id,
#include "data/features.def"
#undef TN_FEATURE
    TNI_F_COUNT
} tni_feature;

#define TNI_KEEPS(id) (UINT64_C(1) << TNI_F_##id)

_Static_assert(TNI_F_COUNT <= 64, "features are bits of a 64-bit mask");

typedef struct tni_feature_info {
    const char *code, *what;
} tni_feature_info;

extern const tni_feature_info tni_features[TNI_F_COUNT];

/* How often each feature occurs. Shapes are read for parts and holes; a broken
 * one is an error. `units`: the target's coordinates are relative to the size
 * of the image, so that pixels need one; otherwise the other way round. */
tn_status tni_features_count(const tn_dataset *d, bool units,
                             uint64_t counts[TNI_F_COUNT], tn_err *err);

/* How far outside a coordinate may be, in parts of the image's side, before
 * readers that want it inside drop the label (Ultralytics' rule). */
#define TNI_OUTSIDE_BY 0.01

/* Whether n points (in units, or in pixels of an image of w x h) have one that
 * is farther outside. */
bool tni_points_outside(const double *xy, size_t n, double w, double h);
/* Whether the centre, width or height of a box is; corners in units. */
bool tni_box_outside(const double box[4]);

#endif
