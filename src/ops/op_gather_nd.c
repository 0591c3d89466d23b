/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_gather_nd.c - ONNX GatherND, opsets 11, 12
 *
 * Shapes:  data[b…, d…], indices[b…, i…, k]  ->  output[b…, i…, d(k)…] with
 *          batch_dims leading axes b
 * Types:   all; negative indices count from the end
 * Errors:  EINVAL an index out of range, k larger than the axes left
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status gathered(int64_t *out, int *rank_out, const tni_node *node,
                          int rank, const int64_t *dims, int irank,
                          const int64_t *idims, tn_err *err)
{
    const int64_t b = tni_attr_int(node, "batch_dims", 0);
    if (rank < 1 || irank < 1 || b < 0 || b >= irank || b >= rank)
        return tni_fail(err, TN_EINVAL,
                        "batch_dims %lld with data of rank %d and indices of "
                        "rank %d",
                        (long long)b, rank, irank);
    const int64_t k = idims[irank - 1];
    if (k < 1 || k > rank - b)
        return tni_fail(err, TN_EINVAL,
                        "index tuples of %lld, expected 1 to %lld",
                        (long long)k, (long long)(rank - b));
    int n = 0;
    for (int d = 0; d < irank - 1; d++) {
        if (d < b) {
            int64_t merged = 0;
            if (!tni_dim_equal(&merged, dims[d], idims[d]))
                return tni_fail(err, TN_EINVAL,
                                "batch axis %d has extent %lld in data, %lld "
                                "in indices",
                                d, (long long)dims[d], (long long)idims[d]);
            out[n++] = merged;
        } else {
            out[n++] = idims[d];
        }
    }
    const int rest = rank - (int)(b + k);
    if (n + rest > TN_MAX_RANK)
        return tni_fail(err, TN_ELIMIT, "rank %d exceeds %d", n + rest,
                        (int)TN_MAX_RANK);
    for (int d = rank - rest; d < rank; d++) out[n++] = dims[d];
    *rank_out = n;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0) || !tni_infer_ranked(c, 1)) return TN_OK;
    const tni_type *x = c->in[0], *indices = c->in[1];
    if (indices->rank > 0 && indices->dims[indices->rank - 1] < 0)
        return TN_OK;
    int64_t dims[TN_MAX_RANK];
    int rank = 0;
    TN_TRY(gathered(dims, &rank, c->node, x->rank, x->dims, indices->rank,
                    indices->dims, c->err));
    return tni_infer_dims(c, 0, dtype, rank, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *indices = c->in[1];
    int64_t dims[TN_MAX_RANK], strides[TN_MAX_RANK];
    int rank = 0;
    TN_TRY(gathered(dims, &rank, c->node, x->rank, x->dims, indices->rank,
                    indices->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const int b = (int)tni_attr_int(c->node, "batch_dims", 0);
    const int64_t k = indices->dims[indices->rank - 1];
    tni_strides(strides, x->rank, x->dims);
    int64_t batches = 1;
    for (int d = 0; d < b; d++) batches *= x->dims[d];
    const int64_t tuples = indices->len / k, per_batch = tuples / batches;
    const int64_t run = strides[b + (int)k - 1];
    const int64_t batch_len = x->len / batches;
    const size_t elem = tn_dtype_size(x->dtype), bytes = (size_t)run * elem;
    char *to = c->out[0]->data;
    const char *from = x->data;
    for (int64_t t = 0; t < tuples; t++) {
        int64_t off = t / per_batch * batch_len;
        for (int64_t i = 0; i < k; i++) {
            int64_t at = 0;
            TN_TRY(tni_index(&at, tni_get_i64(indices, t * k + i),
                             x->dims[b + i], c->err));
            off += at * strides[b + i];
        }
        memcpy(to + (size_t)t * bytes, from + (size_t)off * elem, bytes);
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0},
                              {"indices", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"batch_dims", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 12, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref},
};

const tni_op tni_op_gather_nd = {
    .domain = "",
    .name = "GatherND",
    .summary = "Takes slices by index tuples",
    TNI_VERSIONS(versions),
};
