/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_qlinear_add.c - com.microsoft QLinearAdd
 *
 * Shapes:  a, b broadcast -> c; scales and zero points of one element
 * Types:   u8, i8; scales f32
 * Numeric: ONNX Runtime's: see add below; half to even
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.QLinearAdd
 */
#include "ops/qlinear.h"

enum { BLOCK = 256 };

/*
 * c = a ra + (b rb + fixed), ratios of scales, each step rounded once to float
 * as a fused multiply-add does; the product of a ratio and a code is exact in
 * double. The zero point is inside what is rounded to an integer.
 */
static void add(void *z, tn_dtype dtype, const float *a, const float *b,
                size_t n, const tni_qlinear_params *p)
{
    const float ra = p->a.scale / p->c.scale, rb = p->b.scale / p->c.scale;
    const float fixed = p->c.zero - (ra * p->a.zero + rb * p->b.zero);
    const float none = 0.0f;
    float v[BLOCK];
    for (size_t i = 0; i < n; i++) {
        const float t = (float)((double)rb * (double)b[i] + (double)fixed);
        v[i] = (float)((double)ra * (double)a[i] + (double)t);
    }
    tni_quantize(z, dtype, v, n, &none, 0, true);
}

static tn_status ref(tni_ref *c)
{
    return tni_qlinear_zip_ref(c, add);
}

static tn_status plan(tni_plan *c)
{
    return tni_qlinear_zip_plan(c, add);
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

const tni_op tni_op_ms_qlinear_add = {
    .domain = "com.microsoft",
    .name = "QLinearAdd",
    .summary = "Sum of 8-bit integers with scales",
    TNI_VERSIONS(versions),
};
