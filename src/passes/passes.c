/* SPDX-License-Identifier: Apache-2.0 */
/* passes.c - run the passes over a graph and its subgraphs */
#include "passes/pass.h"

static const tni_pass *const table[] = {
#define TN_PASS(name) &tni_pass_##name,
#include "passes/passes.def"
#undef TN_PASS
};

const tni_pass *const *tni_passes(int *n)
{
    *n = TNI_COUNT(table);
    return table;
}

/* Passes trust the signatures of nodes. Inference has checked those of the main
 * graph; a subgraph it need not have reached: that of the branch which a
 * constant never takes, or of an attribute that the operator does not know. */
static bool is_sound(const tni_graph *graph)
{
    for (int i = 0; i < graph->n_nodes; i++)
        if (!tni_op_arity_ok(graph->nodes[i])) return false;
    return true;
}

static tn_status run_depth(const tni_pass *pass, tni_graph *graph, bool exact,
                           tni_arena *tmp, int depth, int *changes, tn_err *err)
{
    if (depth > 64) return tni_fail(err, TN_ELIMIT, "subgraphs nest too deep");
    for (int i = 0; i < graph->n_nodes; i++) {
        const tni_node *node = graph->nodes[i];
        for (int k = 0; k < node->n_attrs; k++) {
            const tni_attr *a = &node->attrs[k];
            if (a->kind == TNI_ATTR_GRAPH)
                TN_TRY(run_depth(pass, a->v.graph, exact, tmp, depth + 1,
                                 changes, err));
            if (a->kind == TNI_ATTR_GRAPHS)
                for (size_t j = 0; j < a->n; j++)
                    TN_TRY(run_depth(pass, a->v.graphs[j], exact, tmp,
                                     depth + 1, changes, err));
        }
    }
    if (!is_sound(graph)) return TN_OK;
    tni_pass_run c = {graph, graph->arena, tmp, exact, 0, err};
    const tni_arena_mark mark = tni_arena_save(tmp);
    const tn_status status = pass->run(&c);
    tni_arena_rewind(tmp, mark);
    if (status != TN_OK) {
        tni_err_where(err, "pass %s", pass->name);
        return status;
    }
    if (c.n_changes != 0) tni_graph_compact(graph);
    *changes += c.n_changes;
    return TN_OK;
}

tn_status tni_passes_run(tni_graph *graph, bool exact, tn_err *err)
{
    tni_arena tmp;
    tni_arena_init(&tmp, graph->arena->mem, 1 << 14);
    tn_status status = TN_OK;
    for (int round = 0; round < 2 && status == TN_OK; round++) {
        int changes = 0;
        for (int i = 0; i < TNI_COUNT(table) && status == TN_OK; i++) {
            int here = 0;
            status = run_depth(table[i], graph, exact, &tmp, 0, &here, err);
            if (status == TN_OK && here != 0)
                status = tni_graph_finish(graph, err);
            changes += here;
        }
        if (changes == 0) break;
    }
    tni_arena_fini(&tmp);
    return status;
}
