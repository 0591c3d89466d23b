/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_normalizer.c - ai.onnx.ml Normalizer
 *
 * Shapes:  x[N, F] or x[F] -> same
 * Types:   f32, f64, i32, i64 -> f32
 * Attrs:   norm: MAX divides by the largest element (not the largest
 *          magnitude), L1 by the sum of magnitudes, L2 by the root of the sum
 *          of squares; a row whose divisor is 0 stays as it is
 * Numeric: sums in double, one rounding
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#Normalizer
 */
#include "ops/ml.h"

#include <math.h>

static tn_status infer(tni_infer *c)
{
    if (!tni_attr_is(c->node, "norm", "MAX", "MAX") &&
        !tni_attr_is(c->node, "norm", "L1", "MAX") &&
        !tni_attr_is(c->node, "norm", "L2", "MAX"))
        return tni_fail(c->err, TN_EINVAL, "norm must be MAX, L1 or L2");
    TN_TRY(tni_infer_same(c, 0, 0));
    c->out[0].dtype = TN_F32;
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int64_t n, f;
    TN_TRY(tni_ml_rows(&n, &f, x, c->err));
    const float *from = tni_ml_floats(c, x);
    if (from == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_ref_output(c, 0, TN_F32, x->rank, x->dims));
    float *y = TNI_DATA(float, c->out[0]);
    const bool max = tni_attr_is(c->node, "norm", "MAX", "MAX");
    const bool l1 = tni_attr_is(c->node, "norm", "L1", "MAX");
    for (int64_t r = 0; r < n; r++, from += f, y += f) {
        double d = max ? -HUGE_VAL : 0.0;
        for (int64_t i = 0; i < f; i++) {
            const double v = (double)from[i];
            if (max)
                d = v > d ? v : d;
            else
                d += l1 ? fabs(v) : v * v;
        }
        if (!max && !l1) d = sqrt(d);
        for (int64_t i = 0; i < f; i++)
            y[i] = d == 0.0 ? from[i] : (float)((double)from[i] / d);
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS, 0, 0}};
static const tni_arg out[] = {{"Y", TNI_T(TN_F32), 0, 0}};
static const tni_attr_spec attrs[] = {{"norm", TNI_ATTR_STRING, "MAX"}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_normalizer = {.domain = "ai.onnx.ml",
                                  .name = "Normalizer",
                                  .summary = "scales each row to norm 1",
                                  TNI_VERSIONS(versions)};
