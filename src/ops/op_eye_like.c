/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_eye_like.c - ONNX EyeLike, opset 9
 *
 * Shapes:  input[m, n]  ->  output[m, n], ones on diagonal k
 * Types:   numbers and bool; that of the attribute dtype, else the input's
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status dtype_of(tn_dtype *dtype, const tni_node *node, tn_dtype in,
                          tn_err *err)
{
    TN_TRY(tni_attr_dtype(dtype, node, "dtype",
                          in == TN_UNDEFINED ? TN_F32 : in, err));
    if (((TNI_NUMERIC | TNI_BOOLS) & TNI_T(*dtype)) != 0) return TN_OK;
    return tni_fail(err, TN_EUNSUPPORTED, "dtype %s", tn_dtype_name(*dtype));
}

static tn_status infer(tni_infer *c)
{
    tn_dtype dtype = TN_F32;
    if (tni_infer_dtype(c, 0) != TN_UNDEFINED ||
        tni_attr_find(c->node, "dtype") != NULL)
        TN_TRY(dtype_of(&dtype, c->node, tni_infer_dtype(c, 0), c->err));
    int64_t dims[2] = {TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN};
    if (tni_infer_ranked(c, 0)) {
        if (c->in[0]->rank != 2)
            return tni_fail(c->err, TN_EINVAL, "rank %d, expected 2",
                            c->in[0]->rank);
        dims[0] = c->in[0]->dims[0];
        dims[1] = c->in[0]->dims[1];
    }
    return tni_infer_dims(c, 0, dtype, 2, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    tn_dtype dtype = TN_F32;
    TN_TRY(dtype_of(&dtype, c->node, x->dtype, c->err));
    if (x->rank != 2)
        return tni_fail(c->err, TN_EINVAL, "rank %d, expected 2", x->rank);
    TN_TRY(tni_ref_output(c, 0, dtype, 2, x->dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    tni_tensor *y = c->out[0];
    memset(y->data, 0, (size_t)y->len * tn_dtype_size(dtype));
    const int64_t k = tni_attr_int(c->node, "k", 0);
    const int64_t m = x->dims[0], n = x->dims[1];
    if (k >= n || k <= -m) return TN_OK;
    for (int64_t i = k < 0 ? -k : 0; i < m && i + k < n; i++)
        tni_set_f64(y, i * n + i + k, 1.0);
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_NUMERIC | TNI_BOOLS, 0, 0}};
static const tni_arg outs[] = {{"output", TNI_NUMERIC | TNI_BOOLS, 0, 0}};
static const tni_attr_spec attrs[] = {{"dtype", TNI_ATTR_INT, NULL},
                                      {"k", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 9, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_SHAPE_ONLY, .infer = infer, .ref = ref},
};

const tni_op tni_op_eye_like = {
    .domain = "",
    .name = "EyeLike",
    .summary = "Ones on a diagonal",
    TNI_VERSIONS(versions),
};
