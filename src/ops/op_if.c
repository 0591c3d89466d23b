/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_if.c - ONNX If: one of two subgraphs
 *
 * Shapes:  cond[] -> the outputs of the branch taken
 * Types:   any kind of value
 * Numeric: bit-exact (the branch's own)
 * Limit:   the outputs are copied once
 * Source:  github.com/onnx/onnx docs/Operators.md#If
 */
#include "ops/subgraph.h"

static tn_status branch_types(tni_infer *c, const tni_graph *g,
                              tni_type **types)
{
    *types = NULL;
    if (g->n_outputs < c->n_out)
        return tni_fail(c->err, TN_EINVAL,
                        "a branch has %d outputs, the node %d", g->n_outputs,
                        c->n_out);
    tni_type *t = TNI_NEW_ARRAY(c->arena, tni_type, g->n_outputs + 1);
    if (t == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(c->graph(c, g, NULL, 0, t));
    *types = t;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tni_graph *branch[2] = {tni_attr_graph(c->node, "else_branch"),
                                  tni_attr_graph(c->node, "then_branch")};
    if (branch[0] == NULL || branch[1] == NULL)
        return tni_fail(c->err, TN_EINVAL, "a branch is missing");
    if (c->graph == NULL) return TN_OK;
    tni_type *t[2] = {NULL, NULL};
    const tni_tensor *cond = tni_infer_const(c, 0);
    if (cond != NULL) {
        bool take = false;
        TN_TRY(tni_condition(&take, cond, "cond", c->err));
        TN_TRY(branch_types(c, branch[take], &t[take]));
        for (int i = 0; i < c->n_out; i++) c->out[i] = t[take][i];
        return TN_OK;
    }
    /* The branch not taken may be impossible for these very shapes: one of
     * the two failing is no fault of the model. */
    tn_status status[2];
    for (int k = 0; k < 2; k++) {
        status[k] = branch_types(c, branch[k], &t[k]);
        if (status[k] == TN_ENOMEM) return status[k];
    }
    if (status[0] != TN_OK && status[1] != TN_OK) return status[1];
    if (status[0] != TN_OK || status[1] != TN_OK) {
        tni_err_clear(c->err);
        const int ok = status[1] == TN_OK;
        for (int i = 0; i < c->n_out; i++) {
            /* Extents could be the other branch's at run. */
            c->out[i] = t[ok][i];
            if (c->out[i].kind == TN_KIND_TENSOR) c->out[i].rank = -1;
        }
        return TN_OK;
    }
    for (int i = 0; i < c->n_out; i++) {
        if (t[0][i].kind == TN_KIND_NONE || t[1][i].kind == TN_KIND_NONE)
            continue;
        TN_TRY(tni_type_join(&c->out[i], &t[1][i], &t[0][i], c->arena, c->err));
    }
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    bool take = false;
    TN_TRY(tni_condition(&take, c->in[0], "cond", c->err));
    const tni_graph *g =
        tni_attr_graph(c->node, take ? "then_branch" : "else_branch");
    if (g == NULL || c->call == NULL)
        return tni_fail(c->err, TN_EUNSUPPORTED,
                        "subgraphs cannot be run here");
    if (g->n_outputs < c->n_out)
        return tni_fail(c->err, TN_EINVAL,
                        "the branch has %d outputs, the node %d", g->n_outputs,
                        c->n_out);
    tni_tensor *out = TNI_NEW_ARRAY(c->scratch, tni_tensor, g->n_outputs + 1);
    if (out == NULL) return tni_ref_nomem(c);
    TN_TRY(c->call(c, g, NULL, 0, out, g->n_outputs, c->scratch));
    for (int i = 0; i < c->n_out; i++)
        if (tni_ref_wants(c, i)) TN_TRY(tni_ref_output_copy(c, i, &out[i]));
    return TN_OK;
}

static const tni_arg in[] = {{"cond", TNI_BOOLS, 0, 0}};
static const tni_arg out[] = {
    {"outputs", 0, 0, TNI_VARIADIC | TNI_HETERO | TNI_NONTENSOR}};
static const tni_attr_spec attrs[] = {
    {"else_branch", TNI_ATTR_GRAPH, "required"},
    {"then_branch", TNI_ATTR_GRAPH, "required"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_if = {.domain = "",
                          .name = "If",
                          .summary = "runs one of two subgraphs",
                          TNI_VERSIONS(versions)};
