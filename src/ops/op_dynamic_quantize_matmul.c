/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_dynamic_quantize_matmul.c - com.microsoft DynamicQuantizeMatMul
 *
 * Shapes:  as MatMul; B's scale and zero point one for all or one a column;
 *          bias[N]
 * Types:   A f32, B u8 or s8 -> f32
 * Numeric: A to u8 over [min(A, 0), max(A, 0)] as DynamicQuantizeLinear does,
 *          exact sums, one float product
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "ops/integer.h"

#include <math.h>
#include <string.h>

static const tni_int_roles roles = {0, 1, 4, 5, 2, 3, -1, -1, 6};
static const tni_product_view view;

static tn_status infer(tni_infer *c)
{
    const tni_int_roles infer_roles = {0, 1, -1, -1, 0, -1, -1, -1, -1};
    return tni_int_product_infer(c, &infer_roles, view, view);
}

/* A in 8 bits; scale and zero go with it. */
static void quantise(const tni_tensor *a, uint8_t *q, float *scale,
                     uint8_t *zero)
{
    const float *x = TNI_CDATA(float, a);
    float lo = 0.0f, hi = 0.0f;
    for (int64_t i = 0; i < a->len; i++) {
        lo = x[i] < lo ? x[i] : lo;
        hi = x[i] > hi ? x[i] : hi;
    }
    const float s = hi > lo ? (hi - lo) / 255.0f : 1.0f;
    const float z = rintf(fminf(fmaxf(-lo / s, 0.0f), 255.0f));
    for (int64_t i = 0; i < a->len; i++)
        q[i] = (uint8_t)fminf(fmaxf(rintf(x[i] / s) + z, 0.0f), 255.0f);
    *scale = s;
    *zero = (uint8_t)z;
}

static tn_status ref(tni_ref *c)
{
    tni_tensor a = *c->in[0], scale, zero;
    float scale_value;
    uint8_t zero_value;
    uint8_t *q = tni_ref_scratch(c, (size_t)a.len + 1);
    if (q == NULL) return tni_ref_nomem(c);
    quantise(c->in[0], q, &scale_value, &zero_value);
    a.dtype = TN_U8;
    a.data = q;
    memset(&scale, 0, sizeof scale);
    scale.kind = TN_KIND_TENSOR;
    scale.dtype = TN_F32;
    scale.len = 1;
    zero = scale;
    zero.dtype = TN_U8;
    scale.data = &scale_value;
    zero.data = &zero_value;
    const tni_tensor *in[7] = {&a, c->in[1], &scale, c->in[2], &zero};
    if (tni_ref_has(c, 3)) in[5] = c->in[3];
    if (tni_ref_has(c, 4)) in[6] = c->in[4];
    tni_ref inner = *c;
    inner.in = in;
    inner.n_in = 7;
    return tni_int_product_ref(&inner, &roles, view, view);
}

static const tni_arg in[] = {
    {"A", TNI_T(TN_F32), 0, 0},
    {"B", TNI_INT8S, 'B', 0},
    {"b_scale", TNI_T(TN_F32), 0, 0},
    {"b_zero_point", TNI_INT8S, 'B', TNI_OPTIONAL},
    {"bias", TNI_T(TN_F32), 0, TNI_OPTIONAL},
};
static const tni_arg out[] = {{"Y", TNI_T(TN_F32), 0, 0}};

static const tni_op_version versions[] = {
    {.since = 1, TNI_IN(in), TNI_OUT(out), .infer = infer, .ref = ref},
};

const tni_op tni_op_dynamic_quantize_matmul = {
    .domain = "com.microsoft",
    .name = "DynamicQuantizeMatMul",
    .summary = "product of a float and a quantised tensor",
    TNI_VERSIONS(versions)};
