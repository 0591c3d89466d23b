/* SPDX-License-Identifier: Apache-2.0 */
/* unary.c - choose the elementwise functions; what each promises */
#include "kernels/unary/unary.h"

#include "tenon/base.h"

/* Rows come reference first, so that a later match is a better one. */
static const struct {
    uint32_t isa;
    tni_unary_op op;
    tni_unary_f32_fn fn;
} rows[] = {
#define TN_UNARY_KERNEL(isa, op, fn) {isa, TNI_UNARY_##op, fn},
#include "kernels/unary/unary.def"
#undef TN_UNARY_KERNEL
};

/* Bounds are those of all rows, measured (erf and tanh over all floats, the
 * others over samples of their range) and rounded up. Vector rows reach: exp 1.01, log 0.8, elu 0.94, softplus
 * 1.8, sigmoid 2.4 ulp; erf 6.2 and tanh 5.5 ulp just below 1, where that is
 * an absolute error of 4e-7. kcheck looks at 10^5 floats a run, all of them
 * with --exhaustive. */
static const tni_unary_info infos[TNI_N_UNARY] = {
    [TNI_UNARY_ABS] = {"abs", 0, 0, 0},
    [TNI_UNARY_CEIL] = {"ceil", 0, 0, 0},
    [TNI_UNARY_CLIP] = {"clip", 2, 0, 0},
    [TNI_UNARY_ELU] = {"elu", 3, 4, 0},
    [TNI_UNARY_ERF] = {"erf", 0, 6.5f, 0},
    [TNI_UNARY_EXP] = {"exp", 0, 2, 0},
    [TNI_UNARY_FLOOR] = {"floor", 0, 0, 0},
    [TNI_UNARY_GELU_ERF] = {"gelu_erf", 0, 4, 2e-7f},
    [TNI_UNARY_GELU_TANH] = {"gelu_tanh", 0, 6, 4e-7f},
    [TNI_UNARY_HARDSIGMOID] = {"hardsigmoid", 2, 0, 0},
    [TNI_UNARY_HARDSWISH] = {"hardswish", 0, 0, 0},
    [TNI_UNARY_LEAKYRELU] = {"leakyrelu", 1, 0, 0},
    [TNI_UNARY_LOG] = {"log", 0, 2, 0},
    [TNI_UNARY_MISH] = {"mish", 0, 6, 0x1p-147f},
    [TNI_UNARY_NEG] = {"neg", 0, 0, 0},
    [TNI_UNARY_QUICKGELU] = {"quickgelu", 1, 6, 4e-7f},
    [TNI_UNARY_RECIPROCAL] = {"reciprocal", 0, 0, 0},
    [TNI_UNARY_RELU] = {"relu", 0, 0, 0},
    [TNI_UNARY_ROUND] = {"round", 0, 0, 0},
    [TNI_UNARY_SIGMOID] = {"sigmoid", 0, 4, 0},
    [TNI_UNARY_SIGN] = {"sign", 0, 0, 0},
    [TNI_UNARY_SILU] = {"silu", 0, 4, 0x1p-147f},
    [TNI_UNARY_SOFTPLUS] = {"softplus", 0, 4, 0},
    [TNI_UNARY_SOFTSIGN] = {"softsign", 0, 0, 0},
    [TNI_UNARY_SQRT] = {"sqrt", 0, 0, 0},
    [TNI_UNARY_SQUARE] = {"square", 0, 0, 0},
    [TNI_UNARY_TANH] = {"tanh", 0, 6, 0},
    [TNI_UNARY_THRESHOLDEDRELU] = {"thresholdedrelu", 1, 0, 0},
};

const tni_unary_info *tni_unary_describe(tni_unary_op op)
{
    return &infos[op];
}

void tni_unary_init(tni_unary_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((rows[i].isa & ~isa) == 0) k->f32[rows[i].op] = rows[i].fn;
}
