/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax_axis.h - Softmax and LogSoftmax over [outer, n, inner]
 *
 * Until opset 12 the input is coerced to two dimensions at `axis` (default 1)
 * and rows are normalised; from 13 on it is one axis (default -1).
 * Numeric: the row maximum is subtracted first; f16 and bf16 round once.
 */
#ifndef TN_SRC_OPS_SOFTMAX_AXIS_H
#define TN_SRC_OPS_SOFTMAX_AXIS_H

#include "ops/infer.h"

tn_status tni_softmax_infer(tni_infer *c);
tn_status tni_softmax_ref(tni_ref *c, bool log);
tn_status tni_softmax_plan(tni_plan *c, bool log);

extern const tni_attr_spec tni_softmax_attrs_1[1];
extern const tni_attr_spec tni_softmax_attrs_13[1];

#endif
