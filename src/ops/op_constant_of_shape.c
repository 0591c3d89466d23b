/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_constant_of_shape.c - ONNX ConstantOfShape, opset 9
 *
 * Shapes:  input[n]  ->  output[input]
 * Types:   that of the attribute value (one element), float32 zero without it
 * Errors:  EINVAL a negative extent
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status value_of(const tni_tensor **value, tn_dtype *dtype,
                          const tni_node *node, tn_err *err)
{
    *value = tni_attr_tensor(node, "value");
    *dtype = TN_F32;
    if (*value == NULL) return TN_OK;
    if ((*value)->len != 1)
        return tni_fail(err, TN_EINVAL, "value has %lld elements, expected 1",
                        (long long)(*value)->len);
    *dtype = (*value)->dtype;
    return TN_OK;
}

static tn_status check_dims(int n, const int64_t *dims, tn_err *err)
{
    for (int d = 0; d < n; d++)
        if (dims[d] < 0)
            return tni_fail(err, TN_EINVAL, "extent %lld of axis %d",
                            (long long)dims[d], d);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tni_tensor *value = NULL;
    tn_dtype dtype = TN_F32;
    TN_TRY(value_of(&value, &dtype, c->node, c->err));
    int64_t dims[TN_MAX_RANK];
    int n = 0;
    const tni_tensor *shape = tni_infer_const(c, 0);
    if (shape != NULL) {
        TN_TRY(tni_tensor_ints(dims, &n, shape, c->err));
        TN_TRY(check_dims(n, dims, c->err));
        return tni_infer_dims(c, 0, dtype, n, dims);
    }
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0) || c->in[0]->rank != 1) return TN_OK;
    const int64_t rank = c->in[0]->dims[0];
    if (rank < 0 || rank > TN_MAX_RANK) return TN_OK;
    for (int d = 0; d < (int)rank; d++) dims[d] = TNI_DIM_UNKNOWN;
    return tni_infer_dims(c, 0, dtype, (int)rank, dims);
}

static tn_status ref(tni_ref *c)
{
    static const TN_ALIGNED(16) char zero[16] = {0};
    const tni_tensor *value = NULL;
    tn_dtype dtype = TN_F32;
    TN_TRY(value_of(&value, &dtype, c->node, c->err));
    int64_t dims[TN_MAX_RANK];
    int n = 0;
    TN_TRY(tni_tensor_ints(dims, &n, c->in[0], c->err));
    TN_TRY(check_dims(n, dims, c->err));
    TN_TRY(tni_ref_output(c, 0, dtype, n, dims));
    if (tni_ref_wants(c, 0) && c->out[0]->len > 0)
        tni_fill(c->out[0]->data, value != NULL ? value->data : zero,
                 tn_dtype_size(dtype), c->out[0]->len);
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 0, 0}};
static const tni_attr_spec attrs[] = {{"value", TNI_ATTR_TENSOR, NULL}};

static const tni_op_version versions[] = {
    {.since = 9, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_constant_of_shape = {
    .domain = "",
    .name = "ConstantOfShape",
    .summary = "A tensor of one repeated value",
    TNI_VERSIONS(versions),
};
