/* SPDX-License-Identifier: Apache-2.0 */
/* clone.h - a private copy of a graph for passes to change */
#ifndef TN_SRC_GRAPH_CLONE_H
#define TN_SRC_GRAPH_CLONE_H

#include "graph/graph.h"

/*
 * Copies a finished graph with its subgraphs into `arena` and finishes the
 * copy. Constants, names and attribute data are shared with the original,
 * which must outlive the copy.
 */
tn_status tni_graph_clone(tni_graph **out, const tni_graph *from,
                          tni_arena *arena, tn_err *err);

#endif
