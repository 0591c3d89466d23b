/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_swiglu.c - ONNX SwiGLU, opset 28
 *
 * Shapes:  a, b broadcast -> c
 * Types:   f32, f64, f16, bf16
 * Attrs:   alpha
 * Numeric: libm, halves through float
 * Source:  onnx.ai/onnx/operators, SwiGLU; node tests test_swi_g_l_u*
 */
#include "ops/elementwise.h"

#include <math.h>

static float swiglu_f32(float a, float b, float alpha)
{
    const float e = expf(-fabsf(alpha * a));
    return a * ((alpha * a < 0.0f ? e : 1.0f) / (1.0f + e)) * b;
}

static double swiglu_f64(double a, double b, double alpha)
{
    const double e = exp(-fabs(alpha * a));
    return a * ((alpha * a < 0.0 ? e : 1.0) / (1.0 + e)) * b;
}

TNI_ZIP_LOOP(loop_f32, float, float, float, swiglu_f32(x, y, args->f[0]))
TNI_ZIP_LOOP(loop_f64, double, double, double,
             swiglu_f64(x, y, (double)args->f[0]))

static void get_args(tni_ew_args *args, const tni_node *node)
{
    args->f[0] = tni_attr_float(node, "alpha", 1.0f);
}

static const tni_ew_zip zip = {
    .fn = {TNI_LOOPS_FLOAT(loop)},
    .args = get_args,
};

static tn_status infer(tni_infer *c)
{
    if (tni_infer_ranked(c, 0) && tni_infer_ranked(c, 1)) {
        const tni_type *a = c->in[0], *b = c->in[1];
        bool same = a->rank == b->rank;
        for (int d = 0; d < a->rank && same; d++) {
            int64_t merged = 0;
            same = tni_dim_equal(&merged, a->dims[d], b->dims[d]);
        }
        if (!same)
            return tni_fail(c->err, TN_EINVAL,
                            "A and B must have one shape, there is no "
                            "broadcasting");
    }
    return tni_infer_broadcast(c);
}

static tn_status ref(tni_ref *c)
{
    return tni_ew_zip_ref(c, &zip);
}

static tn_status plan(tni_plan *c)
{
    return tni_ew_zip_plan(c, &zip);
}

static const tni_arg in[] = {
    {"A", TNI_FLOATS, 'T', 0},
    {"B", TNI_FLOATS, 'T', 0},
};
static const tni_arg out[] = {{"Y", TNI_FLOATS, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"alpha", TNI_ATTR_FLOAT, "1"},
};

static const tni_op_version versions[] = {
    {.since = 28,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_INPLACE,
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_swiglu = {
    .domain = "",
    .name = "SwiGLU",
    .summary = "a sigmoid(alpha a) b",
    TNI_VERSIONS(versions),
};
