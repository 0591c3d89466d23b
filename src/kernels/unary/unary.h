/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary.h - elementwise functions of one f32 array
 *
 * Shapes:  x[n] -> y[n], any n; params as the table below says, else NULL
 * Layout:  contiguous, float alignment
 * Numeric: an element's result depends on its value and the parameters alone,
 *          never on its position, on n or on its neighbours. "exact" functions
 *          give the same bits on every ISA; the others stay within the bound
 *          of unary.c's table of the true value, for every float including
 *          denormals, and give the same bits in all rows but the reference.
 *          NaN in gives NaN out (THRESHOLDEDRELU: 0, as its definition has it).
 *          Infinities give the limit, but x f(x) forms are NaN at -infinity,
 *          as the product is.
 * Aliases: y == x is allowed; partial overlap is not
 * Threads: any
 * Source:  ONNX operator definitions; polynomials from tools/minimax.py
 *
 *   op               params              result
 *   CLIP             lo, hi              min(max(x, lo), hi)
 *   ELU              alpha, gamma, beta  x > 0 ? gamma x
 *                                        : gamma alpha (exp(beta x) - 1)
 *                                        (Elu: a,1,1  Selu: a,g,1
 *                                        Celu: a,1,1/a)
 *   GELU_ERF                             x (1 + erf(x / sqrt 2)) / 2
 *   GELU_TANH                            x sigmoid(s (x + 0.044715 x^3)),
 *                                        s = 2 sqrt(2 / pi)
 *   HARDSIGMOID      alpha, beta         max(0, min(1, alpha x + beta))
 *   HARDSWISH                            x max(0, min(1, x / 6 + 1/2))
 *   LEAKYRELU        alpha               x < 0 ? alpha x : x
 *   QUICKGELU        alpha               x sigmoid(alpha x)
 *   ROUND                                to nearest, ties to even
 *   SIGN                                 -1, 0, 1; NaN for NaN
 *   SOFTPLUS                             log(1 + exp(x))
 *   SOFTSIGN                             x / (1 + |x|)
 *   THRESHOLDEDRELU  alpha               x > alpha ? x : 0
 */
#ifndef TN_SRC_KERNELS_UNARY_H
#define TN_SRC_KERNELS_UNARY_H

#include "kernels/rows.h"

#include <stddef.h>
#include <stdint.h>

typedef enum tni_unary_op {
    TNI_UNARY_ABS,
    TNI_UNARY_CEIL,
    TNI_UNARY_CLIP,
    TNI_UNARY_ELU,
    TNI_UNARY_ERF,
    TNI_UNARY_EXP,
    TNI_UNARY_FLOOR,
    TNI_UNARY_GELU_ERF,
    TNI_UNARY_GELU_TANH,
    TNI_UNARY_HARDSIGMOID,
    TNI_UNARY_HARDSWISH,
    TNI_UNARY_LEAKYRELU,
    TNI_UNARY_LOG,
    TNI_UNARY_MISH,
    TNI_UNARY_NEG,
    TNI_UNARY_QUICKGELU,
    TNI_UNARY_RECIPROCAL,
    TNI_UNARY_RELU,
    TNI_UNARY_ROUND,
    TNI_UNARY_SIGMOID,
    TNI_UNARY_SIGN,
    TNI_UNARY_SILU,
    TNI_UNARY_SOFTPLUS,
    TNI_UNARY_SOFTSIGN,
    TNI_UNARY_SQRT,
    TNI_UNARY_SQUARE,
    TNI_UNARY_TANH,
    TNI_UNARY_THRESHOLDEDRELU,
    TNI_N_UNARY
} tni_unary_op;

typedef void (*tni_unary_f32_fn)(const float *x, float *y, size_t n,
                                 const float *params);

typedef struct tni_unary_kernels {
    tni_unary_f32_fn f32[TNI_N_UNARY]; /* by tni_unary_op */
} tni_unary_kernels;

void tni_unary_init(tni_unary_kernels *k, uint32_t isa);

/* What is promised about one function: |error| <= ulp units in the last place
 * of the true result, or abs * |x|, whichever is larger. Both 0: exact. */
typedef struct tni_unary_info {
    const char *name;
    int n_params;
    float ulp, abs;
} tni_unary_info;

const tni_unary_info *tni_unary_describe(tni_unary_op op);

#define TN_UNARY_KERNEL(isa, op, fn)                                           \
    void fn(const float *x, float *y, size_t n, const float *params);
#include "kernels/unary/unary.def"
#undef TN_UNARY_KERNEL

#endif
