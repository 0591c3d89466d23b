/* SPDX-License-Identifier: Apache-2.0 */
/* pass_drop_dead.c - remove nodes whose outputs nobody reads */
#include "passes/pass.h"

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        tni_node *node = g->nodes[i];
        bool used = false;
        for (int k = 0; k < node->n_out; k++)
            used = used || (node->out[k] != NULL && node->out[k]->n_uses > 0);
        if (used) continue;
        tni_node_remove(node);
        c->n_changes++;
    }
    return TN_OK;
}

const tni_pass tni_pass_drop_dead = {
    .name = "drop_dead",
    .summary = "removes nodes whose outputs nobody reads",
    .run = run,
};
