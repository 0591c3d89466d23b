/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_compress.c - ONNX Compress, opset 9
 *
 * Shapes:  input[…], condition[n]  ->  output with the slices of `axis` (the
 *          elements, without axis) whose condition is true
 * Types:   all
 * Errors:  EINVAL more conditions than slices
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    int64_t dims[TN_MAX_RANK] = {TNI_DIM_UNKNOWN};
    if (tni_attr_find(c->node, "axis") == NULL)
        return tni_infer_dims(c, 0, dtype, 1, dims);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, c->err));
    for (int d = 0; d < x->rank; d++)
        dims[d] = d == axis ? TNI_DIM_UNKNOWN : x->dims[d];
    return tni_infer_dims(c, 0, dtype, x->rank, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *condition = c->in[1];
    const uint8_t *take = condition->data;
    int64_t n = x->len, outer = 1, dims[TN_MAX_RANK] = {0};
    int axis = 0, rank = 1;
    size_t row = tn_dtype_size(x->dtype);
    if (tni_attr_find(c->node, "axis") != NULL) {
        rank = x->rank;
        TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), rank,
                        c->err));
        n = x->dims[axis];
        for (int d = 0; d < rank; d++) {
            dims[d] = x->dims[d];
            if (d < axis) outer *= dims[d];
            if (d > axis) row *= (size_t)dims[d];
        }
    }
    if (condition->rank != 1 || condition->len > n)
        return tni_fail(c->err, TN_EINVAL,
                        "%lld conditions of rank %d for %lld slices",
                        (long long)condition->len, condition->rank,
                        (long long)n);
    dims[axis] = 0;
    for (int64_t i = 0; i < condition->len; i++) dims[axis] += take[i] != 0;
    TN_TRY(tni_ref_output(c, 0, x->dtype, rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    char *to = c->out[0]->data;
    const char *from = x->data;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < condition->len; i++) {
            if (take[i] == 0) continue;
            memcpy(to, from + (size_t)(o * n + i) * row, row);
            to += row;
        }
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_ANY, 'T', 0},
                              {"condition", TNI_BOOLS, 0, 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, NULL}};

static const tni_op_version versions[] = {
    {.since = 9, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_DATA_SHAPED, .infer = infer, .ref = ref},
};

const tni_op tni_op_compress = {
    .domain = "",
    .name = "Compress",
    .summary = "Keeps the slices a condition selects",
    TNI_VERSIONS(versions),
};
