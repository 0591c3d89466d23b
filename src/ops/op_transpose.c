/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_transpose.c - ONNX Transpose, opset 1
 *
 * Shapes:  data[d0 … dn]  ->  transposed[d(perm[0]) … d(perm[n])]; without
 *          perm the order is reversed
 * Types:   all
 * Errors:  EINVAL perm is no permutation of the axes
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status permutation(int *perm, const tni_node *node, int rank,
                             tn_err *err)
{
    int n = 0;
    const int64_t *attr = tni_attr_ints(node, "perm", &n);
    if (attr == NULL || (n == 0 && tni_attr_find(node, "perm") == NULL)) {
        for (int d = 0; d < rank; d++) perm[d] = rank - 1 - d;
        return TN_OK;
    }
    if (n != rank)
        return tni_fail(err, TN_EINVAL, "perm has %d axes, data has rank %d",
                        n, rank);
    uint32_t mask = 0;
    TN_TRY(tni_axes_mask(&mask, attr, n, rank, err));
    for (int d = 0; d < rank; d++)
        perm[d] = (int)(attr[d] < 0 ? attr[d] + rank : attr[d]);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int perm[TN_MAX_RANK];
    int64_t dims[TN_MAX_RANK];
    TN_TRY(permutation(perm, c->node, x->rank, c->err));
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[perm[d]];
    return tni_infer_dims(c, 0, x->dtype, x->rank, dims);
}

static void init_copy(tni_copy *p, int64_t *dims, tn_dtype dtype, int rank,
                      const int64_t *from_dims, const int *perm)
{
    int64_t strides[TN_MAX_RANK], to[TN_MAX_RANK], from[TN_MAX_RANK];
    tni_strides(strides, rank, from_dims);
    for (int d = 0; d < rank; d++) {
        dims[d] = from_dims[perm[d]];
        from[d] = strides[perm[d]];
    }
    tni_strides(to, rank, dims);
    tni_copy_init(p, tn_dtype_size(dtype), rank, dims, to, from);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int perm[TN_MAX_RANK];
    int64_t dims[TN_MAX_RANK];
    tni_copy copy;
    TN_TRY(permutation(perm, c->node, x->rank, c->err));
    init_copy(&copy, dims, x->dtype, x->rank, x->dims, perm);
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, dims));
    if (tni_ref_wants(c, 0))
        tni_copy_run(&copy, c->out[0]->data, x->data, c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    tni_copy_run(c->state, c->out[0]->data, c->in[0]->data, c->par);
}

static tn_status plan(tni_plan *c)
{
    const tni_type *x = c->in[0];
    int perm[TN_MAX_RANK];
    int64_t dims[TN_MAX_RANK];
    TN_TRY(permutation(perm, c->node, x->rank, c->err));
    tni_copy *copy = TNI_NEW(c->arena, tni_copy);
    if (copy == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    init_copy(copy, dims, x->dtype, x->rank, x->dims, perm);
    tni_copy_tune(copy, c->kernels);
    c->state = copy;
    c->run = run;
    return TN_OK;
}

static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0}};
static const tni_arg outs[] = {{"transposed", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"perm", TNI_ATTR_INTS, NULL}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref, .plan = plan},
};

const tni_op tni_op_transpose = {
    .domain = "",
    .name = "Transpose",
    .summary = "Permutes the dimensions",
    TNI_VERSIONS(versions),
};
