/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_ms_qlinear_add.c - com.microsoft QLinearAdd
 *
 * Shapes:  a, b broadcast -> c; scales and zero points of one element
 * Types:   u8, i8; scales f32
 * Numeric: the sum of the real values in float, rounded half to even
 * Source:  ONNX Runtime ContribOperators.md, com.microsoft.QLinearAdd
 */
#include "ops/qlinear.h"

static void add(float *v, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) v[i] = a[i] + b[i];
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
