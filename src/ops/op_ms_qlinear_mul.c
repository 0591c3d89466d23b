/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_qlinear_mul.c - com.microsoft QLinearMul
 *
 * Shapes:  a, b broadcast -> c; scales and zero points of one element
 * Types:   u8, i8; scales f32
 * Numeric: the product of the real values in float, rounded half to even
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.QLinearMul
 */
#include "ops/qlinear.h"

enum { BLOCK = 256 };

static void mul(void *z, tn_dtype dtype, const float *a, const float *b,
                size_t n, const tni_qlinear_params *p)
{
    float v[BLOCK];
    for (size_t i = 0; i < n; i++) {
        const float x = (a[i] - p->a.zero) * p->a.scale;
        const float y = (b[i] - p->b.zero) * p->b.scale;
        v[i] = x * y / p->c.scale;
    }
    tni_quantize(z, dtype, v, n, &p->c.zero, 0, true);
}

static tn_status ref(tni_ref *c)
{
    return tni_qlinear_zip_ref(c, mul);
}

static tn_status plan(tni_plan *c)
{
    return tni_qlinear_zip_plan(c, mul, NULL);
}

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(tni_qlinear_zip_in),
     TNI_OUT(tni_qlinear_zip_out),
     .traits = TNI_INPLACE,
     .infer = tni_qlinear_zip_infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_ms_qlinear_mul = {
    .domain = "com.microsoft",
    .name = "QLinearMul",
    .summary = "Product of 8-bit integers with scales",
    TNI_VERSIONS(versions),
};
