/* SPDX-License-Identifier: Apache-2.0 */
/* activation.c - activations by name, for kernels and references */
#include "ops/activation.h"

#include <math.h>
#include <string.h>

/* Parameters a user may give, with ONNX's defaults; `fixed` follows them. */
static const struct {
    const char *name;
    tni_unary_op op;
    int n_params;
    float absent[3];
} table[] = {
    {"Clip", TNI_UNARY_CLIP, 2, {-INFINITY, INFINITY, 0}},
    {"Elu", TNI_UNARY_ELU, 1, {1.0f, 1.0f, 1.0f}},
    {"Gelu", TNI_UNARY_GELU_ERF, 0, {0, 0, 0}},
    {"GeluTanh", TNI_UNARY_GELU_TANH, 0, {0, 0, 0}},
    {"HardSigmoid", TNI_UNARY_HARDSIGMOID, 2, {0.2f, 0.5f, 0}},
    {"HardSwish", TNI_UNARY_HARDSWISH, 0, {0, 0, 0}},
    {"LeakyRelu", TNI_UNARY_LEAKYRELU, 1, {0.01f, 0, 0}},
    {"Mish", TNI_UNARY_MISH, 0, {0, 0, 0}},
    {"QuickGelu", TNI_UNARY_QUICKGELU, 1, {1.702f, 0, 0}},
    {"Relu", TNI_UNARY_RELU, 0, {0, 0, 0}},
    {"Sigmoid", TNI_UNARY_SIGMOID, 0, {0, 0, 0}},
    {"Silu", TNI_UNARY_SILU, 0, {0, 0, 0}},
    {"Softplus", TNI_UNARY_SOFTPLUS, 0, {0, 0, 0}},
    {"Softsign", TNI_UNARY_SOFTSIGN, 0, {0, 0, 0}},
    {"Tanh", TNI_UNARY_TANH, 0, {0, 0, 0}},
};

tn_status tni_activation_make(tni_activation *a, const tni_node *node,
                              tn_err *err)
{
    const tn_string name = tni_attr_string(node, "activation");
    int n = 0;
    const float *params = tni_attr_floats(node, "activation_params", &n);
    memset(a, 0, sizeof *a);
    if (name.len == 0) return TN_OK;
    for (int i = 0; i < TNI_COUNT(table); i++) {
        if (strlen(table[i].name) != name.len ||
            memcmp(table[i].name, name.ptr, name.len) != 0)
            continue;
        if (n > table[i].n_params)
            return tni_fail(err, TN_EINVAL,
                            "activation_params has %d values, %s takes %d", n,
                            table[i].name, table[i].n_params);
        a->present = true;
        a->op = table[i].op;
        memcpy(a->params, table[i].absent, sizeof a->params);
        for (int p = 0; p < n; p++) a->params[p] = params[p];
        if (a->op == TNI_UNARY_LEAKYRELU || a->op == TNI_UNARY_HARDSIGMOID) {
            /* FusedGemm spells them like the operators do. */
            a->params[0] =
                tni_attr_float(node, "activation_alpha", a->params[0]);
            a->params[1] =
                tni_attr_float(node, "activation_beta", a->params[1]);
        }
        return TN_OK;
    }
    return tni_fail(err, TN_EUNSUPPORTED, "activation '%.*s' is not known",
                    (int)(name.len < 40 ? name.len : 40), name.ptr);
}

void tni_activation_set(tni_epilogue *e, const tni_activation *a,
                        const struct tni_kernels *k)
{
    if (!a->present) return;
    if (a->op == TNI_UNARY_RELU || a->op == TNI_UNARY_CLIP) {
        e->clip = true;
        e->lo = a->op == TNI_UNARY_CLIP ? a->params[0] : 0.0f;
        e->hi = a->op == TNI_UNARY_CLIP ? a->params[1] : INFINITY;
        return;
    }
    e->act = k->unary.f32[a->op];
    e->act_params = a->params;
}

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

static double softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static double clamp(double x, double lo, double hi)
{
    if (x < lo) x = lo;
    return x > hi ? hi : x;
}

static double value(tni_unary_op op, double x, double p0, double p1)
{
    switch (op) {
    case TNI_UNARY_CLIP: return clamp(x, p0, p1);
    case TNI_UNARY_ELU: return x > 0 ? x : p0 * expm1(x);
    case TNI_UNARY_GELU_ERF: return 0.5 * x * erfc(-x * 0.7071067811865476);
    case TNI_UNARY_GELU_TANH:
        return x * sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x));
    case TNI_UNARY_HARDSIGMOID: return clamp(p0 * x + p1, 0, 1);
    case TNI_UNARY_HARDSWISH: return x * clamp(x / 6 + 0.5, 0, 1);
    case TNI_UNARY_LEAKYRELU: return x < 0 ? p0 * x : x;
    case TNI_UNARY_MISH: return x * tanh(softplus(x));
    case TNI_UNARY_QUICKGELU: return x * sigmoid(p0 * x);
    case TNI_UNARY_RELU: return x < 0 ? 0 : x;
    case TNI_UNARY_SIGMOID: return sigmoid(x);
    case TNI_UNARY_SILU: return x * sigmoid(x);
    case TNI_UNARY_SOFTPLUS: return softplus(x);
    case TNI_UNARY_SOFTSIGN: return x / (1 + fabs(x));
    case TNI_UNARY_TANH: return tanh(x);
    default: return x;
    }
}

void tni_activation_f64(const tni_activation *a, double *y, int64_t n)
{
    if (!a->present) return;
    for (int64_t i = 0; i < n; i++)
        y[i] = value(a->op, y[i], (double)a->params[0], (double)a->params[1]);
}
