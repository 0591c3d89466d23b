/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_fold_const.c - evaluate nodes whose inputs are constants
 *
 * A result larger than its inputs (a broadcast, a ConstantOfShape) is folded
 * only while small: memory is worth more than one evaluation. Weights of halves
 * that a Cast widens stay halves until they are packed.
 */
#include "passes/match.h"
#include "tensor/raw.h"

#include <string.h>

enum { GROWTH_MAX_BYTES = 1 << 20 };

static bool foldable(const tni_node *node)
{
    if (node->ver == NULL || (node->ver->traits & TNI_IMPURE) != 0 ||
        node->n_captures != 0)
        return false;
    for (int i = 0; i < node->n_attrs; i++)
        if (node->attrs[i].kind == TNI_ATTR_GRAPH ||
            node->attrs[i].kind == TNI_ATTR_GRAPHS)
            return false;
    const bool shape_only = (node->ver->traits & TNI_SHAPE_ONLY) != 0;
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] == NULL || node->in[i]->constant != NULL) continue;
        if (shape_only && i == 0 && tni_type_is_static(&node->in[0]->type))
            continue;
        return false;
    }
    return true;
}

static size_t type_bytes(const tni_type *t)
{
    int64_t len = 0;
    size_t size = 0;
    if (!tni_type_is_static(t) || !tni_dims_len(&len, t->rank, t->dims) ||
        !tni_elems_size(&size, t->dtype, len))
        return SIZE_MAX;
    return size;
}

static tn_status infer(tni_pass_run *c, tni_node *node, tni_type *outs,
                       const tni_type **types, const tni_tensor **consts)
{
    for (int i = 0; i < node->n_in; i++) {
        types[i] = node->in[i] != NULL ? &node->in[i]->type : NULL;
        const tni_tensor *t =
            node->in[i] != NULL ? node->in[i]->constant : NULL;
        consts[i] = t != NULL && tni_tensor_is_plain(t) ? t : NULL;
    }
    memset(outs, 0, (size_t)node->n_out * sizeof *outs);
    for (int i = 0; i < node->n_out; i++) outs[i].rank = -1;
    tni_infer ic = {.node = node,
                    .opset = node->opset,
                    .n_in = node->n_in,
                    .n_out = node->n_out,
                    .in = types,
                    .in_const = consts,
                    .out = outs,
                    .arena = c->arena,
                    .err = c->err};
    return tni_op_infer(&ic);
}

static tn_status fold(tni_pass_run *c, tni_node *node)
{
    const tni_type **types =
        TNI_NEW_ARRAY(c->tmp, const tni_type *, node->n_in + 1);
    const tni_tensor **in =
        TNI_NEW_ARRAY(c->tmp, const tni_tensor *, node->n_in + 1);
    tni_tensor **out = TNI_NEW_ARRAY(c->tmp, tni_tensor *, node->n_out + 1);
    tni_type *outs = TNI_NEW_ARRAY(c->tmp, tni_type, node->n_out + 1);
    if (types == NULL || in == NULL || out == NULL || outs == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    /* What cannot be evaluated here is judged when it is reached. */
    if (infer(c, node, outs, types, in) != TN_OK) {
        tni_err_clear(c->err);
        return TN_OK;
    }
    size_t in_bytes = 0, out_bytes = 0;
    for (int i = 0; i < node->n_in; i++) {
        in[i] = node->in[i] != NULL ? node->in[i]->constant : NULL;
        if (in[i] == NULL) continue;
        const size_t size = type_bytes(types[i]);
        in_bytes += size == SIZE_MAX ? 0 : size;
    }
    for (int i = 0; i < node->n_out; i++) {
        const size_t size = node->out[i] != NULL ? type_bytes(&outs[i]) : 0;
        if (size == SIZE_MAX && (node->ver->traits & TNI_DATA_SHAPED) == 0)
            return TN_OK;
        out_bytes += size == SIZE_MAX ? 0 : size;
        if (node->out[i] == NULL) continue;
        out[i] = TNI_NEW(c->arena, tni_tensor);
        if (out[i] == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    }
    if (out_bytes > in_bytes && out_bytes > GROWTH_MAX_BYTES) return TN_OK;
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] == NULL) continue;
        if (in[i] != NULL && tni_tensor_is_plain(in[i])) continue;
        tni_tensor *t = TNI_NEW(c->tmp, tni_tensor);
        if (t == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
        if (in[i] != NULL)
            TN_TRY(tni_tensor_settle(t, in[i], c->tmp, c->err));
        else if (!tni_tensor_set_shape(t, types[i]->dtype, types[i]->rank,
                                       types[i]->dims))
            return TN_OK;
        in[i] = t;
    }
    tni_ref rc = {.node = node,
                  .opset = node->opset,
                  .n_in = node->n_in,
                  .n_out = node->n_out,
                  .in = in,
                  .out = out,
                  .out_arena = c->arena,
                  .scratch = c->tmp,
                  .err = c->err};
    if (tni_op_ref(&rc) != TN_OK) {
        tni_err_clear(c->err);
        return TN_OK;
    }
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i] == NULL) continue;
        node->out[i]->constant = out[i];
        tni_type_of(&node->out[i]->type, out[i]);
    }
    tni_node_remove(node);
    c->n_changes++;
    return TN_OK;
}

/* A Cast of many halves to float32 needs no memory to be folded. */
static bool widens_many(const tni_node *node)
{
    const tni_tensor *t =
        node->n_in == 1 && node->in[0] != NULL ? node->in[0]->constant : NULL;
    return tni_match_op(node, "", "Cast") && t != NULL &&
           t->kind == TN_KIND_TENSOR &&
           (t->dtype == TN_F16 || t->dtype == TN_BF16) &&
           tn_tensor_size(t) >= TNI_RAW_MIN_BYTES / 2 && node->n_out == 1 &&
           node->out[0] != NULL && tni_attr_int(node, "to", 0) == TN_F32;
}

static tn_status widen(tni_pass_run *c, tni_node *node)
{
    tni_tensor *t = tni_pass_widen(c, node->in[0]->constant);
    if (t == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    node->out[0]->constant = t;
    tni_type_of(&node->out[0]->type, t);
    tni_node_remove(node);
    c->n_changes++;
    return TN_OK;
}

static tn_status run(tni_pass_run *c)
{
    for (int i = 0; i < c->graph->n_nodes; i++) {
        tni_node *node = c->graph->nodes[i];
        if (!foldable(node)) continue;
        if (widens_many(node)) {
            TN_TRY(widen(c, node));
            continue;
        }
        const tni_arena_mark mark = tni_arena_save(c->tmp);
        TN_TRY(fold(c, node));
        tni_arena_rewind(c->tmp, mark);
    }
    return TN_OK;
}

const tni_pass tni_pass_fold_const = {
    .name = "fold_const",
    .summary = "evaluates nodes whose inputs are constants",
    .run = run,
};
