/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_gather_elements.c - ONNX GatherElements, opset 11
 *
 * Shapes:  data[…], indices[…] of the same rank  ->  output like indices;
 *          output[i] = data[i with indices[i] on `axis`]
 * Types:   all; indices int32 or int64, negative ones count from the end
 * Errors:  EINVAL an index out of range, indices larger than data
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status check(int axis, int rank, const int64_t *dims, int irank,
                       const int64_t *idims, tn_err *err)
{
    if (irank != rank)
        return tni_fail(err, TN_EINVAL,
                        "indices have rank %d, data has rank %d", irank, rank);
    for (int d = 0; d < rank; d++)
        if (d != axis && dims[d] >= 0 && idims[d] > dims[d])
            return tni_fail(err, TN_EINVAL,
                            "indices have extent %lld on axis %d, data %lld",
                            (long long)idims[d], d, (long long)dims[d]);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 1)) return TN_OK;
    const tni_type *indices = c->in[1];
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), indices->rank,
                    c->err));
    if (tni_infer_ranked(c, 0))
        TN_TRY(check(axis, c->in[0]->rank, c->in[0]->dims, indices->rank,
                     indices->dims, c->err));
    return tni_infer_dims(c, 0, dtype, indices->rank, indices->dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *indices = c->in[1];
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), indices->rank,
                    c->err));
    TN_TRY(check(axis, x->rank, x->dims, indices->rank, indices->dims,
                 c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, indices->rank, indices->dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const size_t elem = tn_dtype_size(x->dtype);
    const char *from = x->data;
    char *to = c->out[0]->data;
    int64_t strides[TN_MAX_RANK], at[TN_MAX_RANK] = {0};
    tni_strides(strides, x->rank, x->dims);
    const int last = x->rank - 1;
    const int64_t row = indices->dims[last];
    for (int64_t i = 0; i < indices->len; i += row) {
        int64_t base = 0;
        for (int d = 0; d < last; d++)
            if (d != axis) base += at[d] * strides[d];
        for (int64_t j = 0; j < row; j++) {
            int64_t k = 0;
            TN_TRY(tni_index(&k, tni_get_i64(indices, i + j), x->dims[axis],
                             c->err));
            const int64_t off =
                base + k * strides[axis] + (axis == last ? 0 : j);
            memcpy(to + (size_t)(i + j) * elem, from + (size_t)off * elem,
                   elem);
        }
        for (int d = last - 1; d >= 0 && ++at[d] == indices->dims[d]; d--)
            at[d] = 0;
    }
    return TN_OK;
}

static const tni_arg ins[] = {
    {"data", TNI_ANY, 'T', 0},
    {"indices", TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_gather_elements = {
    .domain = "",
    .name = "GatherElements",
    .summary = "Takes one element for each index along one axis",
    TNI_VERSIONS(versions),
};
