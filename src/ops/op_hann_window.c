/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_hann_window.c - ONNX HannWindow, opset 17
 *
 * Shapes:  size  ->  output[size]
 * Types:   int32, int64 -> attribute output_datatype, numbers
 * Numeric: in double, rounded once
 */
#include "ops/window.h"

static tn_status ref(tni_ref *c)
{
    return tni_window_ref(c, 0.5, 0.5, 0.0);
}

static const tni_op_version versions[] = {
    {.since = 17, TNI_IN(tni_window_in), TNI_OUT(tni_window_out),
     TNI_ATTRS(tni_window_attrs), .infer = tni_window_infer, .ref = ref},
};

const tni_op tni_op_hann_window = {
    .domain = "",
    .name = "HannWindow",
    .summary = "Hann's window",
    TNI_VERSIONS(versions),
};
