/* SPDX-License-Identifier: Apache-2.0 */
/* cumulate.h - running sums and products along an axis */
#ifndef TN_SRC_OPS_CUMULATE_H
#define TN_SRC_OPS_CUMULATE_H

#include "ops/elementwise.h"

typedef struct tni_cumulate {
    const tni_ew_zip *zip; /* total, element */
    double identity;       /* first element of an exclusive total */
} tni_cumulate;

#define TNI_CUMULATE_DTYPES                                                    \
    (TNI_FLOATS | TNI_T(TN_I32) | TNI_T(TN_I64) | TNI_T(TN_U32) | TNI_T(TN_U64))

extern const tni_attr_spec tni_cumulate_attrs[2];

tn_status tni_cumulate_ref(tni_ref *c, const tni_cumulate *op);
tn_status tni_cumulate_plan(tni_plan *c, const tni_cumulate *op);

#endif
