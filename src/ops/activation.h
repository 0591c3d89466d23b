/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activation.h - the function that a fused operator ends with
 *
 * FusedConv, FusedGemm and FusedMatMul name it in the attribute "activation"
 * with "activation_params" as listed here; passes write what they fuse the
 * same way. "" and no attribute mean none.
 *
 *     name          params            name          params
 *     Clip          min, max          Mish
 *     Elu           alpha             QuickGelu     alpha
 *     Gelu                            Relu
 *     GeluTanh                        Sigmoid
 *     HardSigmoid   alpha, beta       Silu
 *     HardSwish                       Softplus
 *     LeakyRelu     alpha             Softsign
 *                                     Tanh
 */
#ifndef TN_SRC_OPS_ACTIVATION_H
#define TN_SRC_OPS_ACTIVATION_H

#include "kernels/kernels.h"
#include "ops/op.h"

typedef struct tni_activation {
    bool present;
    tni_unary_op op;
    float params[3]; /* as the unary kernel takes them */
} tni_activation;

/* Reads the attributes of a node; TN_EINVAL on a name not listed or a wrong
 * number of parameters. Missing parameters take ONNX's defaults. */
tn_status tni_activation_make(tni_activation *a, const tni_node *node,
                              tn_err *err);
/* Puts it into an epilogue; `a` must outlive that. */
void tni_activation_set(tni_epilogue *e, const tni_activation *a,
                        const struct tni_kernels *k);
/* The reference: y[i] = f(y[i]) in double. */
void tni_activation_f64(const tni_activation *a, double *y, int64_t n);

#endif
