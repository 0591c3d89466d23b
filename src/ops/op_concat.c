/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_concat.c - ONNX Concat, opsets 1, 4
 *
 * Shapes:  inputs equal but for `axis`, whose extents add up
 * Types:   all
 * Errors:  EINVAL other extents or ranks differ
 * Numeric: bit-exact
 */
#include "base/checked.h"
#include "ops/infer.h"
#include "ops/move.h"

static tn_status axis_of(int *axis, const tni_node *node, int rank, tn_err *err)
{
    return tni_axis(axis, tni_attr_int(node, "axis", 1), rank, err);
}

static tn_status merge(int64_t *dims, int rank, int axis, int i, int rank_i,
                       const int64_t *dims_i, tn_err *err)
{
    if (rank_i != rank)
        return tni_fail(err, TN_EINVAL,
                        "input %d has rank %d, input 0 has rank %d", i, rank_i,
                        rank);
    for (int d = 0; d < rank; d++) {
        if (d == axis) {
            if (dims[d] < 0 || dims_i[d] < 0)
                dims[d] = dims[d] == 0     ? dims_i[d]
                          : dims_i[d] == 0 ? dims[d]
                                           : TNI_DIM_UNKNOWN;
            else if (!tni_add_i64(dims[d], dims_i[d], &dims[d]))
                return tni_fail(err, TN_ELIMIT, "axis %d overflows", d);
        } else if (!tni_dim_equal(&dims[d], dims[d], dims_i[d])) {
            return tni_fail(err, TN_EINVAL,
                            "input %d has extent %lld on axis %d, expected "
                            "%lld",
                            i, (long long)dims_i[d], d, (long long)dims[d]);
        }
    }
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
    int first = -1;
    bool all = true;
    for (int i = 0; i < c->n_in; i++) {
        if (!tni_infer_ranked(c, i))
            all = false;
        else if (first < 0)
            first = i;
    }
    if (first < 0) return TN_OK;
    const int rank = c->in[first]->rank;
    int axis = 0;
    TN_TRY(axis_of(&axis, c->node, rank, c->err));
    int64_t dims[TN_MAX_RANK];
    for (int d = 0; d < rank; d++) dims[d] = c->in[first]->dims[d];
    for (int i = first + 1; i < c->n_in; i++)
        if (tni_infer_ranked(c, i))
            TN_TRY(merge(dims, rank, axis, i, c->in[i]->rank, c->in[i]->dims,
                         c->err));
    if (!all) dims[axis] = TNI_DIM_UNKNOWN;
    return tni_infer_dims(c, 0, tni_infer_dtype(c, first), rank, dims);
}

/* The copy of one input into its part of the output. */
static void init_part(tni_copy *p, int64_t *offset, tn_dtype dtype, int rank,
                      int axis, const int64_t *dims, const int64_t *out_dims)
{
    int64_t outer = 1, inner = 1;
    for (int d = 0; d < axis; d++) outer *= dims[d];
    for (int d = axis + 1; d < rank; d++) inner *= dims[d];
    const int64_t len[2] = {outer, dims[axis] * inner};
    const int64_t to[2] = {out_dims[axis] * inner, 1}, from[2] = {len[1], 1};
    tni_copy_init(p, tn_dtype_size(dtype), 2, len, to, from);
    *offset += len[1] * (int64_t)tn_dtype_size(dtype);
}

static tn_status ref(tni_ref *c)
{
    const int rank = c->in[0]->rank;
    int axis = 0;
    TN_TRY(axis_of(&axis, c->node, rank, c->err));
    int64_t dims[TN_MAX_RANK];
    for (int d = 0; d < rank; d++) dims[d] = c->in[0]->dims[d];
    for (int i = 1; i < c->n_in; i++)
        TN_TRY(
            merge(dims, rank, axis, i, c->in[i]->rank, c->in[i]->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, c->in[0]->dtype, rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    int64_t offset = 0;
    for (int i = 0; i < c->n_in; i++) {
        tni_copy copy;
        char *to = (char *)c->out[0]->data + offset;
        init_part(&copy, &offset, c->in[0]->dtype, rank, axis, c->in[i]->dims,
                  dims);
        tni_copy_run(&copy, to, c->in[i]->data, c->par);
    }
    return TN_OK;
}

typedef struct state {
    int n;
    tni_copy *copies;
    int64_t *offsets; /* bytes into the output */
} state;

static void run(const tni_run *c)
{
    const state *s = c->state;
    char *to = c->out[0]->data;
    for (int i = 0; i < s->n; i++)
        if (c->in[i]->data != to + s->offsets[i]) /* else: computed there */
            tni_copy_run(&s->copies[i], to + s->offsets[i], c->in[i]->data,
                         c->par);
}

static bool piece(const tni_plan *c, int k, size_t *offset)
{
    const tni_type *y = c->out[0];
    int axis = 0;
    if (axis_of(&axis, c->node, y->rank, NULL) != TN_OK) return false;
    for (int d = 0; d < axis; d++)
        if (y->dims[d] != 1) return false;
    *offset = 0;
    for (int i = 0; i < k; i++) {
        int64_t len = 0;
        size_t size = 0;
        if (!tni_dims_len(&len, c->in[i]->rank, c->in[i]->dims) ||
            !tni_elems_size(&size, y->dtype, len) ||
            !tni_add_size(*offset, size, offset))
            return false;
    }
    return true;
}

static tn_status plan(tni_plan *c)
{
    const tni_type *y = c->out[0];
    int axis = 0;
    TN_TRY(axis_of(&axis, c->node, y->rank, c->err));
    state *s = TNI_NEW(c->arena, state);
    tni_copy *copies = TNI_NEW_ARRAY(c->arena, tni_copy, c->n_in);
    int64_t *offsets = TNI_NEW_ARRAY(c->arena, int64_t, c->n_in);
    if (s == NULL || copies == NULL || offsets == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    bool empty = false;
    for (int d = 0; d < y->rank; d++) empty |= y->dims[d] == 0;
    int64_t offset = 0;
    for (int i = 0; i < c->n_in && !empty; i++) {
        offsets[i] = offset;
        init_part(&copies[i], &offset, y->dtype, y->rank, axis, c->in[i]->dims,
                  y->dims);
    }
    *s = (state){empty ? 0 : c->n_in, copies, offsets};
    c->state = s;
    c->run = run;
    return TN_OK;
}

static const tni_arg ins[] = {{"inputs", TNI_ANY, 'T', TNI_VARIADIC}};
static const tni_arg outs[] = {{"concat_result", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs_4[] = {{"axis", TNI_ATTR_INT, "required"}};
static const tni_attr_spec attrs_1[] = {{"axis", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 4,
     TNI_IN(ins),
     TNI_OUT(outs),
     TNI_ATTRS(attrs_4),
     .traits = TNI_JOINS,
     .infer = infer,
     .ref = ref,
     .plan = plan,
     .piece = piece},
    {.since = 1,
     TNI_IN(ins),
     TNI_OUT(outs),
     TNI_ATTRS(attrs_1),
     .traits = TNI_JOINS,
     .infer = infer,
     .ref = ref,
     .plan = plan,
     .piece = piece},
};

const tni_op tni_op_concat = {
    .domain = "",
    .name = "Concat",
    .summary = "Joins tensors along one axis",
    TNI_VERSIONS(versions),
};
