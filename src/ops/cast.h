/* SPDX-License-Identifier: Apache-2.0 */
/* cast.h - what Cast and CastLike share */
#ifndef TN_SRC_OPS_CAST_H
#define TN_SRC_OPS_CAST_H

#include "ops/convert.h"
#include "ops/infer.h"

/* Every dtype Cast knows: all but complex. */
#define TNI_CAST_DTYPES (TNI_ANY & ~(TNI_T(TN_C64) | TNI_T(TN_C128)))

/* `saturate` and `round_mode` of a node; TN_EINVAL on an unknown mode. */
tn_status tni_cast_mode(tni_convert_mode *mode, const tni_node *node,
                        tn_err *err);
/* Output 0 has the shape of input 0 and the dtype `to`. */
tn_status tni_cast_infer(tni_infer *c, tn_dtype to);
/* Output 0 becomes input 0 as `to`. */
tn_status tni_cast_ref(tni_ref *c, tn_dtype to);
/* Strings are left to ref: they allocate and may not parse. */
tn_status tni_cast_plan(tni_plan *c, tn_dtype to);

#endif
