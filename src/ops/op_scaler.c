/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_scaler.c - ai.onnx.ml Scaler
 *
 * Shapes:  x[N, F] or x[F] -> same; offset and scale have 1 or F entries
 * Types:   f32, f64, i32, i64 -> f32
 * Errors:  EINVAL offset or scale of another length
 * Numeric: (x - offset) * scale in double when x is f64, else in float
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#Scaler
 */
#include "ops/ml.h"

static tn_status infer(tni_infer *c)
{
    TN_TRY(tni_infer_same(c, 0, 0));
    c->out[0].dtype = TN_F32;
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    if (x->rank < 1)
        return tni_fail(c->err, TN_EINVAL, "the input is a scalar");
    const int64_t f = x->dims[x->rank == 1 ? 0 : 1];
    int n_scale = 0, n_offset = 0;
    const float *scale = tni_attr_floats(c->node, "scale", &n_scale);
    const float *offset = tni_attr_floats(c->node, "offset", &n_offset);
    if ((n_scale > 1 && n_scale != f) || (n_offset > 1 && n_offset != f))
        return tni_fail(c->err, TN_EINVAL,
                        "scale has %d entries and offset %d; expected 1 or "
                        "%lld",
                        n_scale, n_offset, (long long)f);
    TN_TRY(tni_ref_output(c, 0, TN_F32, x->rank, x->dims));
    float *y = TNI_DATA(float, c->out[0]);
    const float *in = tni_ml_floats(c, x);
    if (in == NULL) return tni_ref_nomem(c);
    int64_t k = 0;
    for (int64_t i = 0; i < x->len; i++) {
        const float o = n_offset == 0 ? 0.0f : offset[n_offset == 1 ? 0 : k];
        const float s = n_scale == 0 ? 1.0f : scale[n_scale == 1 ? 0 : k];
        if (x->dtype == TN_F64)
            y[i] = (float)((TNI_CDATA(double, x)[i] - (double)o) * (double)s);
        else
            y[i] = (in[i] - o) * s;
        if (++k == f) k = 0;
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS, 0, 0}};
static const tni_arg out[] = {{"Y", TNI_T(TN_F32), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"offset", TNI_ATTR_FLOATS, NULL},
    {"scale", TNI_ATTR_FLOATS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_scaler = {.domain = "ai.onnx.ml",
                              .name = "Scaler",
                              .summary = "(x - offset) * scale by column",
                              TNI_VERSIONS(versions)};
