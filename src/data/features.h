/* SPDX-License-Identifier: Apache-2.0 */
/* features.h - what a dataset has, counted, to be held against a format */
#ifndef TN_SRC_DATA_FEATURES_H
#define TN_SRC_DATA_FEATURES_H

#include "data/blocks.h"
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

/* What the target makes of features: its coordinates are relative to the size
 * of the image, so that pixels need one (otherwise the other way round); its
 * readers drop what lies outside the image (otherwise that is not counted). */
typedef struct tni_features_of {
    bool units, inside;
} tni_features_of;

/* How often each feature occurs. Shapes are read for parts and holes; a broken
 * one is an error. */
tn_status tni_features_count(const tn_dataset *d, const tni_features_of *target,
                             const tni_par *par, uint64_t counts[TNI_F_COUNT],
                             tn_err *err);

/* How far outside a coordinate may be, in parts of the image's side, before
 * readers that want it inside drop the label (Ultralytics' rule). */
#define TNI_OUTSIDE_BY 0.01

/* What of an annotation is farther outside: the centre, width or height of its
 * box; a point of its outline, or of the box where it has none; a keypoint. */
typedef struct tni_outside {
    bool box, outline, keypoints;
} tni_outside;

/* `outline` is its polygon when that was read already, in the units of its
 * text; NULL otherwise. What is in pixels of an image of unknown size is not
 * outside. `s` is scratch, and may be `outline`. */
tn_status tni_look_outside(tni_outside *out, const tn_dataset *d, uint32_t ann,
                           const tn_shape *outline, tn_shape *s, tn_err *err);

#endif
