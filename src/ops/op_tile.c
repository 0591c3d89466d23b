/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_tile.c - ONNX Tile, opsets 1, 6
 *
 * Shapes:  input[d0 … dn], repeats[n]  ->  output[d0 · r0 … dn · rn]
 * Types:   all
 * Errors:  EINVAL a negative repeat, another number of repeats than axes
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status repeats_of(int64_t *repeats, int rank,
                            const tni_tensor *tiles, const tni_tensor *axis,
                            int opset, tn_err *err)
{
    int n = 0;
    if (opset < 6) {
        int64_t a = 0, r = 0;
        int at = 0;
        TN_TRY(tni_scalar_i64(&r, tiles, "tiles", err));
        TN_TRY(tni_scalar_i64(&a, axis, "axis", err));
        TN_TRY(tni_axis(&at, a, rank, err));
        for (int d = 0; d < rank; d++) repeats[d] = 1;
        repeats[at] = r;
    } else {
        TN_TRY(tni_tensor_ints(repeats, &n, tiles, err));
        if (n != rank)
            return tni_fail(err, TN_EINVAL,
                            "%d repeats for an input of rank %d", n, rank);
    }
    for (int d = 0; d < rank; d++)
        if (repeats[d] < 0)
            return tni_fail(err, TN_EINVAL,
                            "repeat %lld of axis %d is negative",
                            (long long)repeats[d], d);
    return TN_OK;
}

static tn_status tiled(int64_t *out, int rank, const int64_t *dims,
                       const int64_t *repeats, tn_err *err)
{
    for (int d = 0; d < rank; d++) {
        if (repeats[d] == 1 || dims[d] < 0)
            out[d] = repeats[d] == 1   ? dims[d]
                     : repeats[d] == 0 ? 0
                                       : TNI_DIM_UNKNOWN;
        else
            TN_TRY(tni_extent_mul(&out[d], dims[d], repeats[d], err));
    }
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const int rank = c->in[0]->rank;
    int64_t repeats[TN_MAX_RANK], dims[TN_MAX_RANK];
    const tni_tensor *tiles = tni_infer_const(c, 1);
    const tni_tensor *axis = tni_infer_const(c, 2);
    if (tiles == NULL || (c->opset < 6 && axis == NULL)) {
        for (int d = 0; d < rank; d++) dims[d] = TNI_DIM_UNKNOWN;
        return tni_infer_dims(c, 0, dtype, rank, dims);
    }
    TN_TRY(repeats_of(repeats, rank, tiles, axis, c->opset, c->err));
    TN_TRY(tiled(dims, rank, c->in[0]->dims, repeats, c->err));
    return tni_infer_dims(c, 0, dtype, rank, dims);
}

static void init_copy(tni_copy *p, tn_dtype dtype, int rank,
                      const int64_t *dims, const int64_t *repeats)
{
    int64_t each[TNI_COPY_RANK], to[TNI_COPY_RANK], from[TNI_COPY_RANK];
    int64_t strides[TN_MAX_RANK];
    tni_strides(strides, rank, dims);
    for (int d = 0; d < rank; d++) {
        each[2 * d] = repeats[d];
        each[2 * d + 1] = dims[d];
        from[2 * d] = 0;
        from[2 * d + 1] = strides[d];
    }
    tni_strides(to, 2 * rank, each);
    tni_copy_init(p, tn_dtype_size(dtype), 2 * rank, each, to, from);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int64_t repeats[TN_MAX_RANK], dims[TN_MAX_RANK];
    TN_TRY(repeats_of(repeats, x->rank, c->in[1],
                      tni_ref_has(c, 2) ? c->in[2] : c->in[1], c->opset,
                      c->err));
    TN_TRY(tiled(dims, x->rank, x->dims, repeats, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    tni_copy copy;
    init_copy(&copy, x->dtype, x->rank, x->dims, repeats);
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
    int64_t repeats[TN_MAX_RANK];
    const tni_tensor *tiles = c->in_const[1];
    const tni_tensor *axis = c->n_in > 2 ? c->in_const[2] : NULL;
    if (tiles == NULL || (c->opset < 6 && axis == NULL)) return TN_OK;
    TN_TRY(repeats_of(repeats, x->rank, tiles, axis, c->opset, c->err));
    tni_copy *copy = TNI_NEW(c->arena, tni_copy);
    if (copy == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    init_copy(copy, x->dtype, x->rank, x->dims, repeats);
    c->state = copy;
    c->run = run;
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_ANY, 'T', 0},
                              {"repeats", TNI_T(TN_I64), 0, 0}};
static const tni_arg ins_1[] = {{"input", TNI_ANY, 'T', 0},
                                {"tiles", TNI_NUMERIC, 0, 0},
                                {"axis", TNI_NUMERIC, 0, 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 6, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref,
     .plan = plan},
    {.since = 1, TNI_IN(ins_1), TNI_OUT(outs), .infer = infer, .ref = ref,
     .plan = plan},
};

const tni_op tni_op_tile = {
    .domain = "",
    .name = "Tile",
    .summary = "Repeats a tensor along its axes",
    TNI_VERSIONS(versions),
};
