/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_linear_regressor.c - ai.onnx.ml LinearRegressor
 *
 * Shapes:  x[N, F] or x[F] -> y[N, targets]
 * Types:   f32, f64, i32, i64 (as float) -> f32
 * Numeric: sums in double, rounded to float before the transform
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#LinearRegressor; a
 *          transform of a single target has no effect unless it is PROBIT, as
 *          in ONNX Runtime
 */
#include "ops/ml.h"

static tn_status infer(tni_infer *c)
{
    int64_t n, f;
    TN_TRY(tni_ml_infer_rows(c, 0, &n, &f));
    const int64_t targets = tni_attr_int(c->node, "targets", 1);
    int n_coef = 0;
    (void)tni_attr_floats(c->node, "coefficients", &n_coef);
    if (targets < 1 ||
        (f >= 0 && (n_coef % targets != 0 || n_coef / targets != f)))
        return tni_fail(c->err, TN_EINVAL,
                        "%d coefficients do not fit %lld features and %lld "
                        "targets",
                        n_coef, (long long)f, (long long)targets);
    return tni_infer_dims(c, 0, TN_F32, 2, (int64_t[]){n, targets});
}

static tn_status ref(tni_ref *c)
{
    int64_t n, f;
    TN_TRY(tni_ml_rows(&n, &f, c->in[0], c->err));
    tni_post post;
    TN_TRY(tni_post_parse(&post, c->node, c->err));
    int n_coef = 0, n_icept = 0;
    const float *coef = tni_attr_floats(c->node, "coefficients", &n_coef);
    const float *icept = tni_attr_floats(c->node, "intercepts", &n_icept);
    const int64_t targets = tni_attr_int(c->node, "targets", 1);
    if (targets < 1 || n_coef % targets != 0 || n_coef / targets != f ||
        (n_icept != 0 && n_icept != targets))
        return tni_fail(c->err, TN_EINVAL,
                        "%d coefficients and %d intercepts do not fit %lld "
                        "features and %lld targets",
                        n_coef, n_icept, (long long)f, (long long)targets);
    const float *x = tni_ml_floats(c, c->in[0]);
    if (x == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_ref_output(c, 0, TN_F32, 2, (int64_t[]){n, targets}));
    float *y = TNI_DATA(float, c->out[0]);
    for (int64_t i = 0; i < n; i++, x += f, y += targets) {
        for (int64_t k = 0; k < targets; k++) {
            const double first = n_icept > 0 ? (double)icept[k] : 0.0;
            y[k] = (float)(first + tni_ml_dot(x, coef + k * f, f));
        }
        tni_post_apply(post, y, targets);
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS, 0, 0}};
static const tni_arg out[] = {{"Y", TNI_T(TN_F32), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"coefficients", TNI_ATTR_FLOATS, NULL},
    {"intercepts", TNI_ATTR_FLOATS, NULL},
    {"post_transform", TNI_ATTR_STRING, "NONE"},
    {"targets", TNI_ATTR_INT, "1"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_linear_regressor = {.domain = "ai.onnx.ml",
                                        .name = "LinearRegressor",
                                        .summary = "values of a linear model",
                                        TNI_VERSIONS(versions)};
