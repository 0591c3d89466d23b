/* SPDX-License-Identifier: Apache-2.0 */
/* place.h - which tensors of a plan share memory, and where all of them lie */
#ifndef TN_SRC_EXEC_PLACE_H
#define TN_SRC_EXEC_PLACE_H

#include "exec/plan.h"

/*
 * Gives every TNI_SLOT_BLOCK of a plan, whose steps are complete, its offset
 * and sets block_bytes. keep_values: none shares memory with another. `tmp` is
 * used.
 */
tn_status tni_plan_place(tni_exec_plan *plan, bool keep_values, tni_arena *tmp,
                         tn_err *err);

#endif
