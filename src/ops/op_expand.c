/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_expand.c - ONNX Expand, opset 8
 *
 * Shapes:  input[…], shape[n]  ->  both broadcast together
 * Types:   all
 * Errors:  EINVAL the shapes do not broadcast
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status expanded(int64_t *out, int *rank_out, int rank,
                          const int64_t *dims, int n, const int64_t *shape,
                          tn_err *err)
{
    const int r = rank > n ? rank : n;
    for (int d = 0; d < r; d++) {
        const int64_t a = d < r - rank ? 1 : dims[d - (r - rank)];
        const int64_t b = d < r - n ? 1 : shape[d - (r - n)];
        if (b < 0 || !tni_dim_broadcast(&out[d], a, b))
            return tni_fail(err, TN_EINVAL,
                            "extent %lld does not expand to %lld",
                            (long long)a, (long long)b);
    }
    *rank_out = r;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    int64_t shape[TN_MAX_RANK], dims[TN_MAX_RANK];
    int n = 0, rank = 0;
    const tni_tensor *t = tni_infer_const(c, 1);
    if (t == NULL) {
        if (!tni_infer_ranked(c, 0) || !tni_infer_ranked(c, 1) ||
            c->in[1]->rank != 1)
            return TN_OK;
        const int64_t more = c->in[1]->dims[0];
        if (more < 0 || more > TN_MAX_RANK) return TN_OK;
        rank = c->in[0]->rank > (int)more ? c->in[0]->rank : (int)more;
        for (int d = 0; d < rank; d++) dims[d] = TNI_DIM_UNKNOWN;
        return tni_infer_dims(c, 0, dtype, rank, dims);
    }
    TN_TRY(tni_tensor_ints(shape, &n, t, c->err));
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    TN_TRY(expanded(dims, &rank, c->in[0]->rank, c->in[0]->dims, n, shape,
                    c->err));
    return tni_infer_dims(c, 0, dtype, rank, dims);
}

static void init_copy(tni_copy *p, tn_dtype dtype, int rank,
                      const int64_t *dims, int from_rank,
                      const int64_t *from_dims)
{
    int64_t strides[TN_MAX_RANK], to[TN_MAX_RANK], from[TN_MAX_RANK];
    tni_strides(strides, from_rank, from_dims);
    tni_strides(to, rank, dims);
    for (int d = 0; d < rank; d++) {
        const int s = d - (rank - from_rank);
        from[d] = s < 0 || from_dims[s] == 1 ? 0 : strides[s];
    }
    tni_copy_init(p, tn_dtype_size(dtype), rank, dims, to, from);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int64_t shape[TN_MAX_RANK], dims[TN_MAX_RANK];
    int n = 0, rank = 0;
    TN_TRY(tni_tensor_ints(shape, &n, c->in[1], c->err));
    TN_TRY(expanded(dims, &rank, x->rank, x->dims, n, shape, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    tni_copy copy;
    init_copy(&copy, x->dtype, rank, dims, x->rank, x->dims);
    tni_copy_run(&copy, c->out[0]->data, x->data, c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    tni_copy_run(c->state, c->out[0]->data, c->in[0]->data, c->par);
}

static tn_status plan(tni_plan *c)
{
    if (c->in_const[1] == NULL) return TN_OK; /* the shape comes at run: ref */
    tni_copy *copy = TNI_NEW(c->arena, tni_copy);
    if (copy == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    init_copy(copy, c->out[0]->dtype, c->out[0]->rank, c->out[0]->dims,
              c->in[0]->rank, c->in[0]->dims);
    c->state = copy;
    c->run = run;
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_ANY, 'T', 0},
                              {"shape", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 8, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref,
     .plan = plan},
};

const tni_op tni_op_expand = {
    .domain = "",
    .name = "Expand",
    .summary = "Broadcasts a tensor to a shape",
    TNI_VERSIONS(versions),
};
