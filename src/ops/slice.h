/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice.h - what Slice and DynamicSlice share
 *
 * Inputs are data and, where the operator has them, starts, ends, axes and
 * steps; without starts they are attributes of these names. Starts and ends
 * are clamped as those of Python's slices are.
 */
#ifndef TN_SRC_OPS_SLICE_H
#define TN_SRC_OPS_SLICE_H

#include "ops/op.h"

tn_status tni_slice_infer(tni_infer *c);
tn_status tni_slice_ref(tni_ref *c);
tn_status tni_slice_plan(tni_plan *c);
bool tni_slice_piece(const tni_plan *c, int k, size_t *offset);

#endif
