/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sequence_map.c - ONNX SequenceMap, opset 17
 *
 * Shapes:  input_sequence[n], additional_inputs (sequences of n, or tensors
 *          given to every call)  ->  out_sequences[n] of what the body returns
 * Types:   all
 * Errors:  EINVAL sequences of different lengths
 */
#include "ops/container.h"

#include <string.h>

static tn_status check_body(const tni_graph **body, const tni_node *node,
                            int n_in, int n_out, tn_err *err)
{
    *body = tni_attr_graph(node, "body");
    if (*body == NULL || (*body)->n_inputs != n_in ||
        (*body)->n_outputs < n_out)
        return tni_fail(err, TN_EINVAL,
                        "the body has %d inputs and %d outputs, the node %d "
                        "and %d",
                        *body != NULL ? (*body)->n_inputs : 0,
                        *body != NULL ? (*body)->n_outputs : 0, n_in, n_out);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tni_graph *body = NULL;
    const tni_type *elem = NULL;
    TN_TRY(check_body(&body, c->node, c->n_in, c->n_out, c->err));
    TN_TRY(tni_infer_item(&elem, c, 0, TN_KIND_SEQUENCE));
    tni_type *in = TNI_NEW_ARRAY(c->arena, tni_type, c->n_in);
    tni_type *out = TNI_NEW_ARRAY(c->arena, tni_type, body->n_outputs + 1);
    if (in == NULL || out == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (int i = 0; i < c->n_in; i++) {
        if (!tni_infer_has(c, i)) continue;
        const tni_type *t = c->in[i];
        if (t->kind != TN_KIND_SEQUENCE)
            in[i] = *t;
        else if (t->elem != NULL)
            in[i] = *t->elem;
    }
    if (c->graph != NULL) TN_TRY(c->graph(c, body, in, c->n_in, out));
    for (int i = 0; i < c->n_out; i++)
        TN_TRY(tni_infer_container(c, i, TN_KIND_SEQUENCE, &out[i]));
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    const tni_graph *body = NULL;
    TN_TRY(check_body(&body, c->node, c->n_in, c->n_out, c->err));
    TN_TRY(tni_ref_sequence(c, 0));
    if (c->call == NULL)
        return tni_fail(c->err, TN_EUNSUPPORTED,
                        "subgraphs cannot be run here");
    const int64_t n = c->in[0]->len;
    for (int i = 0; i < c->n_in; i++) {
        if (!tni_ref_has(c, i))
            return tni_fail(c->err, TN_EINVAL, "input %d is omitted", i);
        if (c->in[i]->kind == TN_KIND_SEQUENCE && c->in[i]->len != n)
            return tni_fail(c->err, TN_EINVAL,
                            "sequence %d has %lld items, sequence 0 has %lld",
                            i, (long long)c->in[i]->len, (long long)n);
    }
    const tni_tensor **args =
        TNI_NEW_ARRAY(c->scratch, const tni_tensor *, c->n_in);
    tni_tensor *results =
        TNI_NEW_ARRAY(c->scratch, tni_tensor, body->n_outputs + 1);
    const tni_tensor ***items =
        TNI_NEW_ARRAY(c->scratch, const tni_tensor **, c->n_out + 1);
    if (args == NULL || results == NULL || items == NULL)
        return tni_ref_nomem(c);
    for (int i = 0; i < c->n_out; i++)
        TN_TRY(tni_ref_container(c, i, TN_KIND_SEQUENCE, TN_UNDEFINED, n,
                                 &items[i]));
    for (int64_t k = 0; k < n; k++) {
        for (int i = 0; i < c->n_in; i++)
            args[i] = c->in[i]->kind == TN_KIND_SEQUENCE
                          ? tni_item(c->in[i], k)
                          : c->in[i];
        memset(results, 0, (size_t)body->n_outputs * sizeof *results);
        TN_TRY(c->call(c, body, args, c->n_in, results, body->n_outputs,
                       c->out_arena));
        for (int i = 0; i < c->n_out; i++) {
            if (items[i] == NULL) continue;
            TN_TRY(tni_ref_keep(&items[i][k], c, &results[i]));
            c->out[i]->dtype = results[i].dtype;
        }
    }
    return TN_OK;
}

static const tni_arg ins[] = {
    {"input_sequence", 0, 0, TNI_NONTENSOR},
    {"additional_inputs", 0, 0,
     TNI_NONTENSOR | TNI_VARIADIC | TNI_OPTIONAL | TNI_HETERO}};
static const tni_arg outs[] = {
    {"out_sequence", 0, 0, TNI_NONTENSOR | TNI_VARIADIC | TNI_HETERO}};
static const tni_attr_spec attrs[] = {{"body", TNI_ATTR_GRAPH, "required"}};

static const tni_op_version versions[] = {
    {.since = 17, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_sequence_map = {
    .domain = "",
    .name = "SequenceMap",
    .summary = "Runs a graph on every item of a sequence",
    TNI_VERSIONS(versions),
};
