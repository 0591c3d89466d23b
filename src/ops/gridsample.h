/* SPDX-License-Identifier: Apache-2.0 */
/* gridsample.h - GridSample of ai.onnx and com.microsoft, which are one */
#ifndef TN_SRC_OPS_GRIDSAMPLE_H
#define TN_SRC_OPS_GRIDSAMPLE_H

#include "ops/infer.h"

extern const tni_arg tni_grid_sample_in[2], tni_grid_sample_out[1];
extern const tni_attr_spec tni_grid_sample_attrs[3];

tn_status tni_grid_sample_infer(tni_infer *c);
tn_status tni_grid_sample_ref(tni_ref *c);

#define TNI_GRID_SAMPLE_SIGNATURE                                              \
    TNI_IN(tni_grid_sample_in), TNI_OUT(tni_grid_sample_out),                  \
        TNI_ATTRS(tni_grid_sample_attrs), .infer = tni_grid_sample_infer,      \
        .ref = tni_grid_sample_ref

#endif
