/* SPDX-License-Identifier: Apache-2.0 */
/* op_ms_grid_sample.c - com.microsoft GridSample, version 1: as ONNX's 16 */
#include "ops/gridsample.h"

static const tni_op_version versions[] = {
    {.since = 1, TNI_GRID_SAMPLE_SIGNATURE},
};

const tni_op tni_op_ms_grid_sample = {
    .domain = "com.microsoft",
    .name = "GridSample",
    .summary = "Samples an image at the points of a grid",
    TNI_VERSIONS(versions),
};
