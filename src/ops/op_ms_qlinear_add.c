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

#include <math.h>

enum { BLOCK = 256 };

typedef struct ratios {
    float ra, rb, fixed;
} ratios;

static ratios ratios_of(const tni_qlinear_params *p)
{
    ratios r = {p->a.scale / p->c.scale, p->b.scale / p->c.scale, 0.0f};
    r.fixed = p->c.zero - (r.ra * p->a.zero + r.rb * p->b.zero);
    return r;
}

/*
 * c = a ra + (b rb + fixed), ratios of scales, by two fused multiply-adds. The
 * zero point is inside what is rounded to an integer.
 */
static void add(void *z, tn_dtype dtype, const float *a, const float *b,
                size_t n, const tni_qlinear_params *p)
{
    const ratios r = ratios_of(p);
    const float none = 0.0f;
    float v[BLOCK];
    for (size_t i = 0; i < n; i++)
        v[i] = fmaf(r.ra, a[i], fmaf(r.rb, b[i], r.fixed));
    tni_quantize(z, dtype, v, n, &none, 0, true);
}

/* The same of codes as they are. */
static void add_codes(void *z, tn_dtype dtype, const void *a, const void *b,
                      size_t n, const tni_qlinear_params *p,
                      const tni_kernels *k)
{
    const ratios r = ratios_of(p);
    if (dtype == TN_U8)
        k->quant.add_u8(a, b, z, n, r.ra, r.rb, r.fixed);
    else
        k->quant.add_s8(a, b, z, n, r.ra, r.rb, r.fixed);
}

static tn_status ref(tni_ref *c)
{
    return tni_qlinear_zip_ref(c, add);
}

static tn_status plan(tni_plan *c)
{
    return tni_qlinear_zip_plan(c, add, add_codes);
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
