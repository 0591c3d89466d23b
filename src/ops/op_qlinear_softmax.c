/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_qlinear_softmax.c - com.microsoft QLinearSoftmax
 *
 * Shapes:  x[…] -> same; with attribute opset below 13 all axes from `axis`
 *          on are one
 * Types:   u8, s8
 * Numeric: ONNX Runtime's integers: exponentials as multiples of n / 2^32 from
 *          a table, the quotient by their sum times floor(1 / y_scale), rounded
 *          half up; that floor is part of its answers
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "ops/infer.h"

#include <math.h>

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const int64_t opset = tni_attr_int(c->node, "opset", 13);
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", opset < 13 ? 1 : -1),
                    x->rank, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    int64_t n = 1, inner = 1;
    for (int i = axis; i < x->rank; i++) {
        if (i == axis || opset < 13)
            n *= x->dims[i];
        else
            inner *= x->dims[i];
    }
    if (x->len == 0) return TN_OK;
    const double xs = tni_get_f64(c->in[1], 0);
    const float ys = (float)tni_get_f64(c->in[3], 0);
    const int64_t yz = tni_get_i64(c->in[4], 0);
    const int flip = x->dtype == TN_I8 ? 128 : 0;
    const int64_t lo = flip != 0 ? -128 : 0;
    if (!(ys > 0.0f) || !(1.0f / ys < 4294967296.0f))
        return tni_fail(c->err, TN_EINVAL, "y_scale is %g", (double)ys);
    const uint64_t steps = (uint64_t)floorf(1.0f / ys);
    uint64_t table[256]; /* of the distance below the largest */
    const double unit = 4294967295.0 / (double)n;
    for (int i = 0; i < 256; i++) {
        const double e = exp(-(double)i * xs);
        table[i] = e >= 0.0 ? (uint64_t)rint(fmin(e, 1.0) * unit) : 0;
    }
    const int64_t outer = x->len / (n * inner);
    for (int64_t r = 0; r < outer * inner; r++) {
        const int64_t base = r / inner * n * inner + r % inner;
        const uint8_t *u = TNI_CDATA(uint8_t, x) + base;
        uint8_t *y = TNI_DATA(uint8_t, c->out[0]) + base;
        int max = 0;
        uint64_t sum = 0;
        for (int64_t i = 0; i < n; i++) {
            const int v = (uint8_t)(u[i * inner] + flip);
            max = v > max ? v : max;
        }
        for (int64_t i = 0; i < n; i++)
            sum += table[max - (uint8_t)(u[i * inner] + flip)];
        for (int64_t i = 0; i < n; i++) {
            const uint64_t p = table[max - (uint8_t)(u[i * inner] + flip)];
            uint64_t q = sum != 0 ? (p * steps + (sum >> 1)) / sum : 0;
            if (q > 512) q = 512;
            /* An infinite scale leaves no number, and there zeros. */
            int64_t v = sum != 0 ? (int64_t)q + yz : 0;
            v = v < lo ? lo : v > lo + 255 ? lo + 255 : v;
            y[i * inner] = (uint8_t)v;
        }
    }
    return TN_OK;
}

enum { INT8S = TNI_T(TN_U8) | TNI_T(TN_I8) };

static const tni_arg in[] = {
    {"X", INT8S, 'T', 0},
    {"X_scale", TNI_T(TN_F32), 0, 0},
    {"x_zero_point", INT8S, 'T', TNI_OPTIONAL},
    {"y_scale", TNI_T(TN_F32), 0, 0},
    {"y_zero_point", INT8S, 'T', 0},
};
static const tni_arg out[] = {{"Y", INT8S, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"axis", TNI_ATTR_INT, NULL},
    {"opset", TNI_ATTR_INT, "required"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = tni_infer_unary,
     .ref = ref},
};

const tni_op tni_op_qlinear_softmax = {.domain = "com.microsoft",
                                       .name = "QLinearSoftmax",
                                       .summary =
                                           "softmax of a quantised tensor",
                                       TNI_VERSIONS(versions)};
