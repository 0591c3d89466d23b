/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - one execution of a plan: its tensors, its block, its loop */
#ifndef TN_SRC_EXEC_FRAME_H
#define TN_SRC_EXEC_FRAME_H

#include "exec/plan.h"

enum { TNI_MAX_DEPTH = 40 }; /* of nested subgraphs */

/* What all frames of one run context share. Threads: exclusive, but for
 * `cancel`. */
typedef struct tni_executor {
    tni_planner *planner;
    const tni_par *par;
    /* Of references, rewound after each step: one per level of nesting, so
     * that what a subgraph returns into its caller's scratch survives. */
    tni_arena scratch[TNI_MAX_DEPTH + 1];
    tni_fault fault;
    atomic_bool cancel;
    int depth; /* of nested subgraphs */
    /* The caller's, 64-byte aligned, for the outermost frame; NULL: none. */
    uint8_t *memory;
    size_t memory_bytes;
} tni_executor;

typedef struct tni_frame {
    tni_exec_plan *plan;
    const struct tni_frame *outer;
    tni_tensor *slots;
    tni_run *runs; /* one per step, pointers into slots resolved */
    uint8_t *block;
    void *scratch;
} tni_frame;

/* Arrays come from `arena`, and so does the block unless the executor has
 * memory for it: TN_ELIMIT when that is too small. */
tn_status tni_frame_init(tni_frame *f, tni_exec_plan *plan, tni_executor *ex,
                         const tni_frame *outer, tni_arena *arena, tn_err *err);

/* Called after a step with its index and time, see tni_frame_exec. */
typedef void (*tni_frame_observer)(void *ctx, int step, uint64_t ns);

/*
 * Executes all steps. Inputs are borrowed for as long as the outputs are
 * read; what steps allocate comes from `heap`, which the caller resets before.
 */
tn_status tni_frame_exec(tni_frame *f, tni_executor *ex,
                         const tni_tensor *const *inputs, tni_arena *heap,
                         tni_frame_observer observer, void *observer_ctx,
                         tn_err *err);

/* The value of output i after an execution. */
const tni_tensor *tni_frame_output(const tni_frame *f, int i);

#endif
