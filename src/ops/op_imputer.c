/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_imputer.c - ai.onnx.ml Imputer
 *
 * Shapes:  x[N, F] or x[F] -> same; one imputed value for all, or F of them
 * Types:   f32, f64 (float attributes), i32, i64 (integer attributes)
 * Errors:  EINVAL no imputed value for the dtype
 * Numeric: exact; a NaN to be replaced matches every NaN
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#Imputer
 */
#include "ops/ml.h"

#define IMPUTE(T, MATCH)                                                       \
    for (int64_t i = 0; i < x->len; i++) {                                     \
        const T v = TNI_CDATA(T, x)[i];                                        \
        TNI_DATA(T, c->out[0])[i] = (MATCH) ? (T)with[n == f ? i % f : 0] : v; \
    }

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    if (x->rank < 1)
        return tni_fail(c->err, TN_EINVAL, "the input is a scalar");
    const int64_t f = x->dims[x->rank == 1 ? 0 : 1];
    const bool real = x->dtype == TN_F32 || x->dtype == TN_F64;
    int n = 0;
    const float *floats = tni_attr_floats(c->node, "imputed_value_floats", &n);
    if (!real) n = 0;
    const int64_t *ints = NULL;
    if (!real) ints = tni_attr_ints(c->node, "imputed_value_int64s", &n);
    if (n == 0)
        return tni_fail(c->err, TN_EINVAL, "no imputed value for %s",
                        tn_dtype_name(x->dtype));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (real) {
        const float *with = floats;
        const float what = tni_attr_float(c->node, "replaced_value_float", 0);
        const bool nan = what != what;
        if (x->dtype == TN_F32) {
            IMPUTE(float, v == what || (nan && v != v))
        } else {
            IMPUTE(double, v == (double)what || (nan && v != v))
        }
        return TN_OK;
    }
    const int64_t *with = ints;
    const int64_t what = tni_attr_int(c->node, "replaced_value_int64", 0);
    if (x->dtype == TN_I64) {
        IMPUTE(int64_t, v == what)
    } else {
        IMPUTE(int32_t, v == what)
    }
    return TN_OK;
}

static const tni_arg in[] = {{"X", TNI_ML_NUMBERS, 'T', 0}};
static const tni_arg out[] = {{"Y", TNI_ML_NUMBERS, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"imputed_value_floats", TNI_ATTR_FLOATS, NULL},
    {"imputed_value_int64s", TNI_ATTR_INTS, NULL},
    {"replaced_value_float", TNI_ATTR_FLOAT, "0"},
    {"replaced_value_int64", TNI_ATTR_INT, "0"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref},
};

const tni_op tni_op_imputer = {.domain = "ai.onnx.ml",
                               .name = "Imputer",
                               .summary = "replaces one value by another",
                               TNI_VERSIONS(versions)};
