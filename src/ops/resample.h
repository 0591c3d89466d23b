/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resample.h - resizing along axes: nearest, linear, cubic, antialiased
 *
 * A spec says what is asked for, with output extents and scales resolved. From
 * it tni_resample_init makes index maps (nearest) or one weighted pass for
 * every axis that changes; running it fails never and allocates nothing.
 */
#ifndef TN_SRC_OPS_RESAMPLE_H
#define TN_SRC_OPS_RESAMPLE_H

#include "ops/move.h"

typedef enum tni_filter { TNI_NEAREST, TNI_LINEAR, TNI_CUBIC } tni_filter;

typedef enum tni_coord {
    TNI_HALF_PIXEL,
    TNI_HALF_PIXEL_SYMMETRIC,
    TNI_PYTORCH_HALF_PIXEL,
    TNI_ALIGN_CORNERS,
    TNI_ASYMMETRIC,
    TNI_TF_CROP_AND_RESIZE,
    TNI_TF_HALF_PIXEL_FOR_NN
} tni_coord;

typedef enum tni_nearest {
    TNI_ROUND_PREFER_FLOOR,
    TNI_ROUND_PREFER_CEIL,
    TNI_FLOOR,
    TNI_CEIL,
    TNI_SIMPLE /* before opset 11: up when shrinking, else down */
} tni_nearest;

typedef struct tni_resample_spec {
    tni_filter filter;
    tni_coord coord;
    tni_nearest nearest;
    bool antialias, exclude_outside;
    float cubic_a, extrapolation;
    int rank;
    int64_t dims[TN_MAX_RANK];     /* of the output */
    float scale[TN_MAX_RANK];
    bool sized[TN_MAX_RANK];       /* the extent was given, not the scale */
    float roi[2][TN_MAX_RANK];     /* start and end; 0 and 1 */
} tni_resample_spec;

/* Extent `dim` under `scale` (and a region), rounded down; TN_EINVAL when the
 * scale is not positive or the result is no extent. */
tn_status tni_resample_extent(int64_t *out, int64_t dim, float scale,
                              tn_err *err);

/* The coordinate in a source of n elements of element x of axis `axis`. */
float tni_resample_coord(const tni_resample_spec *s, int axis, int64_t n,
                         int64_t x);

typedef struct tni_resample_pass {
    int64_t outer, n_in, n_out, inner;
    int taps;
    const int64_t *at;   /* n_out x taps source indices, -1: extrapolated */
    const double *w;     /* n_out x taps */
    const float *wf;
} tni_resample_pass;

typedef struct tni_resample {
    tn_dtype dtype;
    bool nearest, wide, round; /* wide: in double; round to integers */
    float extrapolation;
    int64_t len_in, len_out;
    tni_map map;
    int n_passes;
    tni_resample_pass passes[TN_MAX_RANK];
    size_t elem;              /* of the working type */
    size_t scratch_bytes, half; /* two buffers, the second at `half` */
} tni_resample;

tn_status tni_resample_init(tni_resample *r, const tni_resample_spec *s,
                            tn_dtype dtype, const int64_t *from_dims,
                            tni_arena *arena, tn_err *err);
void tni_resample_run(const tni_resample *r, void *to, const void *from,
                      void *scratch, const tni_par *par);

/* Output 0 of a ref and a plan, once the spec is there. */
tn_status tni_resample_ref(tni_ref *c, const tni_resample_spec *s);
tn_status tni_resample_plan(tni_plan *c, const tni_resample_spec *s);

#endif
