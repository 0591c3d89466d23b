/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass.h - what a pass is: one rewrite of the graph that keeps its answers
 *
 * A pass gets one graph at a time (subgraphs first), finished and typed, and
 * may change it in any way that leaves the outputs the same within rounding.
 * New values need their type set; removed nodes go through tni_node_remove.
 * The runner compacts and finishes the graph after every pass that changed it.
 */
#ifndef TN_SRC_PASSES_PASS_H
#define TN_SRC_PASSES_PASS_H

#include "ops/op.h"

typedef struct tni_pass_run {
    tni_graph *graph;
    tni_arena *arena; /* of the graph: what nodes and values point to */
    tni_arena *tmp;   /* reset after the pass */
    bool exact;       /* no rewrite that changes the order of a summation */
    int n_changes;    /* result */
    tn_err *err;
} tni_pass_run;

typedef struct tni_pass {
    const char *name, *summary;
    tn_status (*run)(tni_pass_run *c);
} tni_pass;

#define TN_PASS(name) extern const tni_pass tni_pass_##name;
#include "passes/passes.def"
#undef TN_PASS

/* Every pass in the order of passes.def, which is the order they run in. */
const tni_pass *const *tni_passes(int *n);

/* Why a node that reads dequantised values computes in float; NULL when it does
 * not read any. */
const char *tni_why_float(const tni_node *node);

/* Runs them all, twice where the second round may find more. */
tn_status tni_passes_run(tni_graph *graph, bool exact, tn_err *err);

#endif
