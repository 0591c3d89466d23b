/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_grid_sample.c - ONNX GridSample, opset 16
 *
 * Shapes:  X[n, c, d…], grid[n, o…, r]  ->  Y[n, c, o…], r = 1, 2 or 3 axes
 * Types:   nearest: all; linear and cubic: numbers; grid: floats
 * Attrs:   mode linear (bilinear), nearest, cubic (bicubic); padding_mode
 *          zeros, border, reflection; align_corners
 * Errors:  EINVAL shapes that do not fit
 * Numeric: coordinates and weights in float32
 */
#include "ops/gridsample.h"

static const tni_op_version versions[] = {
    {.since = 16, TNI_GRID_SAMPLE_SIGNATURE},
};

const tni_op tni_op_grid_sample = {
    .domain = "",
    .name = "GridSample",
    .summary = "Samples an image at the points of a grid",
    TNI_VERSIONS(versions),
};
