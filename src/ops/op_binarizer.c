/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_binarizer.c - ai.onnx.ml Binarizer
 *
 * Shapes:  x[…] -> y[…]
 * Types:   f32, f64, i32, i64
 * Numeric: exact: 1 where x > threshold, else 0; NaN gives 0
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#Binarizer
 */
#include "ops/ml.h"

#define BINARIZE(T)                                                            \
    for (int64_t i = 0; i < x->len; i++)                                       \
    TNI_DATA(T, c->out[0])[i] = TNI_CDATA(T, x)[i] > (T)threshold

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const float threshold = tni_attr_float(c->node, "threshold", 0.0f);
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    switch (x->dtype) {
    case TN_F32: BINARIZE(float); break;
    case TN_F64: BINARIZE(double); break;
    default:
        /* An integer exceeds a fraction when it does as a number. */
        for (int64_t i = 0; i < x->len; i++)
            tni_set_f64(c->out[0], i,
                        tni_get_f64(x, i) > (double)threshold ? 1.0 : 0.0);
        break;
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_ML_NUMBERS, 'T', 0}};
static const tni_attr_spec attrs[] = {{"threshold", TNI_ATTR_FLOAT, "0"}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref},
};

const tni_op tni_op_binarizer = {.domain = "ai.onnx.ml",
                                 .name = "Binarizer",
                                 .summary = "1 above a threshold, else 0",
                                 TNI_VERSIONS(versions)};
