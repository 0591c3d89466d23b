/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_svm_regressor.c - ai.onnx.ml SVMRegressor
 *
 * Shapes:  x[N, F] or x[F] -> y[N, 1]
 * Types:   f32, f64, i32, i64 (as float) -> f32
 * Attrs:   n_supports 0 means a linear model over coefficients; one_class
 *          gives 1 or -1; post_transform has no effect, as in ONNX Runtime
 * Numeric: sums in double, kernel values rounded to float
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#SVMRegressor
 */
#include "ops/svm.h"

static tn_status infer(tni_infer *c)
{
    int64_t n, f;
    TN_TRY(tni_ml_infer_rows(c, 0, &n, &f));
    return tni_infer_dims(c, 0, TN_F32, 2, (int64_t[]){n, 1});
}

static tn_status ref(tni_ref *c)
{
    int64_t n, f;
    TN_TRY(tni_ml_rows(&n, &f, c->in[0], c->err));
    tni_svm_kernel k;
    TN_TRY(tni_svm_kernel_read(&k, c->node, c->err));
    int n_coef = 0, n_rho = 0, n_vectors = 0;
    const float *coef = tni_attr_floats(c->node, "coefficients", &n_coef);
    const float *rho = tni_attr_floats(c->node, "rho", &n_rho);
    const float *v = tni_attr_floats(c->node, "support_vectors", &n_vectors);
    const int64_t supports = tni_attr_int(c->node, "n_supports", 0);
    if (n_rho < 1 || n_coef < 1 || supports < 0 || supports > n_coef ||
        (supports > 0 ? n_vectors / supports != f : n_coef != f))
        return tni_fail(c->err, TN_EINVAL,
                        "%d coefficients and %d support vector entries do not "
                        "fit %lld features",
                        n_coef, n_vectors, (long long)f);
    const bool one_class = tni_attr_int(c->node, "one_class", 0) != 0;
    const float *x = tni_ml_floats(c, c->in[0]);
    if (x == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_ref_output(c, 0, TN_F32, 2, (int64_t[]){n, 1}));
    for (int64_t i = 0; i < n; i++, x += f) {
        double sum = (double)rho[0];
        for (int64_t j = 0; j < supports; j++)
            sum += (double)tni_svm_kernel_at(&k, x, v + j * f, f) *
                   (double)coef[j];
        if (supports == 0) sum += tni_ml_dot(x, coef, f);
        const float y = (float)sum;
        TNI_DATA(float, c->out[0])
        [i] = !one_class ? y
              : y > 0.0f ? 1.0f
                         : -1.0f;
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS, 0, 0}};
static const tni_arg out[] = {{"Y", TNI_T(TN_F32), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"coefficients", TNI_ATTR_FLOATS, NULL},
    {"kernel_params", TNI_ATTR_FLOATS, NULL},
    {"kernel_type", TNI_ATTR_STRING, "LINEAR"},
    {"n_supports", TNI_ATTR_INT, "0"},
    {"one_class", TNI_ATTR_INT, "0"},
    {"post_transform", TNI_ATTR_STRING, "NONE"},
    {"rho", TNI_ATTR_FLOATS, NULL},
    {"support_vectors", TNI_ATTR_FLOATS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_svm_regressor = {.domain = "ai.onnx.ml",
                                     .name = "SVMRegressor",
                                     .summary =
                                         "values of a support vector machine",
                                     TNI_VERSIONS(versions)};
