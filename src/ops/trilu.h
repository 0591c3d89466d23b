/* SPDX-License-Identifier: Apache-2.0 */
/* trilu.h - Trilu of ai.onnx and com.microsoft, which are one */
#ifndef TN_SRC_OPS_TRILU_H
#define TN_SRC_OPS_TRILU_H

#include "ops/infer.h"

extern const tni_arg tni_trilu_in[2], tni_trilu_out[1];
extern const tni_attr_spec tni_trilu_attrs[1];

tn_status tni_trilu_infer(tni_infer *c);
tn_status tni_trilu_ref(tni_ref *c);

#define TNI_TRILU_SIGNATURE                                                    \
    TNI_IN(tni_trilu_in), TNI_OUT(tni_trilu_out), TNI_ATTRS(tni_trilu_attrs),  \
        .infer = tni_trilu_infer, .ref = tni_trilu_ref

#endif
