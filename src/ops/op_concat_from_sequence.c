/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_concat_from_sequence.c - ONNX ConcatFromSequence, opset 11
 *
 * Shapes:  input_sequence of tensors equal but for `axis`  ->  all joined; or
 *          stacked on a new axis
 * Types:   all
 * Errors:  EINVAL an empty sequence, other extents that differ
 */
#include "base/checked.h"
#include "ops/container.h"
#include "ops/move.h"

static tn_status axis_of(int *axis, const tni_node *node, int rank,
                         tn_err *err)
{
    const bool stack = tni_attr_int(node, "new_axis", 0) != 0;
    if (rank + 1 > TN_MAX_RANK && stack)
        return tni_fail(err, TN_ELIMIT, "rank %d exceeds %d", rank + 1,
                        (int)TN_MAX_RANK);
    return tni_axis(axis, tni_attr_int(node, "axis", 0),
                    stack ? rank + 1 : rank, err);
}

static tn_status infer(tni_infer *c)
{
    const tni_type *elem = NULL;
    TN_TRY(tni_infer_item(&elem, c, 0, TN_KIND_SEQUENCE));
    if (elem == NULL || elem->kind != TN_KIND_TENSOR) return TN_OK;
    tni_infer_unranked(c, 0, elem->dtype);
    if (elem->rank < 0) return TN_OK;
    int axis = 0, rank = 0;
    int64_t dims[TN_MAX_RANK];
    TN_TRY(axis_of(&axis, c->node, elem->rank, c->err));
    const bool stack = tni_attr_int(c->node, "new_axis", 0) != 0;
    for (int d = 0; d < elem->rank; d++) {
        if (stack && d == axis) dims[rank++] = TNI_DIM_UNKNOWN;
        dims[rank++] = !stack && d == axis ? TNI_DIM_UNKNOWN : elem->dims[d];
    }
    if (stack && axis == elem->rank) dims[rank++] = TNI_DIM_UNKNOWN;
    return tni_infer_dims(c, 0, elem->dtype, rank, dims);
}

static tn_status check_items(int64_t *extent, const tni_tensor *seq, int axis,
                             bool stack, tn_err *err)
{
    const tni_tensor *first = tni_item(seq, 0);
    int64_t sum = 0;
    for (int64_t i = 0; i < seq->len; i++) {
        const tni_tensor *t = tni_item(seq, i);
        bool same = t->kind == TN_KIND_TENSOR && t->dtype == first->dtype &&
                    t->rank == first->rank;
        for (int d = 0; d < first->rank && same; d++)
            same = (!stack && d == axis) || t->dims[d] == first->dims[d];
        if (!same) {
            char a[120], b[120];
            return tni_fail(err, TN_EINVAL, "item %lld is %s, item 0 is %s",
                            (long long)i, tni_shape_text(a, sizeof a, t),
                            tni_shape_text(b, sizeof b, first));
        }
        if (!tni_add_i64(sum, stack ? 1 : t->dims[axis], &sum))
            return tni_fail(err, TN_ELIMIT, "axis %d overflows", axis);
    }
    *extent = sum;
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    TN_TRY(tni_ref_sequence(c, 0));
    const tni_tensor *seq = c->in[0];
    if (seq->len == 0)
        return tni_fail(c->err, TN_EINVAL, "the sequence is empty");
    const tni_tensor *first = tni_item(seq, 0);
    if (first->kind != TN_KIND_TENSOR)
        return tni_fail(c->err, TN_EINVAL, "the items are no tensors");
    const bool stack = tni_attr_int(c->node, "new_axis", 0) != 0;
    int axis = 0, rank = 0;
    int64_t dims[TN_MAX_RANK], extent = 0, outer = 1, inner = 1;
    TN_TRY(axis_of(&axis, c->node, first->rank, c->err));
    TN_TRY(check_items(&extent, seq, axis, stack, c->err));
    for (int d = 0; d < first->rank; d++) {
        if (d == axis) dims[rank++] = extent;
        if (d != axis || stack) dims[rank++] = first->dims[d];
        if (d < axis) outer *= first->dims[d];
        if (d > axis || (stack && d == axis)) inner *= first->dims[d];
    }
    if (axis == first->rank) dims[rank++] = extent;
    TN_TRY(tni_ref_output(c, 0, first->dtype, rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const size_t elem = tn_dtype_size(first->dtype);
    int64_t begin = 0;
    for (int64_t i = 0; i < seq->len; i++) {
        const tni_tensor *t = tni_item(seq, i);
        const int64_t size = stack ? 1 : t->dims[axis];
        const int64_t len[2] = {outer, size * inner};
        const int64_t to[2] = {extent * inner, 1}, from[2] = {len[1], 1};
        tni_copy copy;
        tni_copy_init(&copy, elem, 2, len, to, from);
        tni_copy_run(&copy,
                     (char *)c->out[0]->data + (size_t)(begin * inner) * elem,
                     t->data, c->par);
        begin += size;
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"input_sequence", 0, 0, TNI_NONTENSOR}};
static const tni_arg outs[] = {{"concat_result", TNI_ANY, 0, 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "required"},
                                      {"new_axis", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_DATA_SHAPED, .infer = infer, .ref = ref},
};

const tni_op tni_op_concat_from_sequence = {
    .domain = "",
    .name = "ConcatFromSequence",
    .summary = "Joins the tensors of a sequence",
    TNI_VERSIONS(versions),
};
