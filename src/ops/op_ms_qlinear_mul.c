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

static void real(float *to, const uint8_t *codes, tn_dtype dtype, size_t n,
                 tni_qlinear_param p, const tni_kernels *k)
{
    if (dtype == TN_U8)
        k->quant.f32_from_u8(codes, to, n, p.scale, (int)p.zero);
    else
        k->quant.f32_from_s8((const int8_t *)codes, to, n, p.scale,
                             (int)p.zero);
}

/* The same of codes as they are. */
static void mul_codes(void *z, tn_dtype dtype, const void *a, const void *b,
                      size_t n, const tni_qlinear_params *p,
                      const tni_kernels *k)
{
    float x[BLOCK], y[BLOCK];
    const int zero = (int)p->c.zero;
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        real(x, (const uint8_t *)a + i, dtype, m, p->a, k);
        real(y, (const uint8_t *)b + i, dtype, m, p->b, k);
        for (size_t j = 0; j < m; j++) x[j] *= y[j];
        if (dtype == TN_U8)
            k->quant.u8_from_f32(x, (uint8_t *)z + i, m, p->c.scale, zero);
        else
            k->quant.s8_from_f32(x, (int8_t *)z + i, m, p->c.scale, zero);
    }
}

static tn_status ref(tni_ref *c)
{
    return tni_qlinear_zip_ref(c, mul);
}

static tn_status plan(tni_plan *c)
{
    return tni_qlinear_zip_plan(c, mul, mul_codes);
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
