/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_image_scaler.c - ONNX ImageScaler, an experimental operator of opset 1
 *
 * Shapes:  input[n, c, h, w]  ->  output alike, x * scale + bias[c]
 * Types:   floats
 * Errors:  EINVAL another number of biases than channels
 */
#include "ops/infer.h"
#include "ops/move.h"

static tn_status check(int rank, const int64_t *dims, int n, tn_err *err)
{
    if (rank == 4 && (dims[1] < 0 || dims[1] == n || n == 0)) return TN_OK;
    return tni_fail(err, TN_EINVAL,
                    "rank %d with %d biases, expected 4 and one per channel",
                    rank, n);
}

static tn_status infer(tni_infer *c)
{
    int n = 0;
    (void)tni_attr_floats(c->node, "bias", &n);
    if (tni_infer_ranked(c, 0))
        TN_TRY(check(c->in[0]->rank, c->in[0]->dims, n, c->err));
    return tni_infer_unary(c);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int n = 0;
    const float *bias = tni_attr_floats(c->node, "bias", &n);
    TN_TRY(check(x->rank, x->dims, n, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, 4, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    const float scale = tni_attr_float(c->node, "scale", 1.0f);
    const int64_t plane = x->dims[2] * x->dims[3];
    for (int64_t i = 0; i < x->len; i++) {
        const float b = n > 0 ? bias[i / plane % x->dims[1]] : 0.0f;
        if (x->dtype == TN_F32)
            TNI_DATA(float, c->out[0])[i] =
                TNI_CDATA(float, x)[i] * scale + b;
        else
            tni_set_f64(c->out[0], i,
                        tni_get_f64(x, i) * (double)scale + (double)b);
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_FLOATS, 'T', 0}};
static const tni_arg outs[] = {{"output", TNI_FLOATS, 'T', 0}};
static const tni_attr_spec attrs[] = {{"bias", TNI_ATTR_FLOATS, NULL},
                                      {"scale", TNI_ATTR_FLOAT, "1"}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_image_scaler = {
    .domain = "",
    .name = "ImageScaler",
    .summary = "Scales an image and adds to each channel",
    TNI_VERSIONS(versions),
};
