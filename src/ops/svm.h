/* SPDX-License-Identifier: Apache-2.0 */
/* svm.h - kernels of support vector machines */
#ifndef TN_SRC_OPS_SVM_H
#define TN_SRC_OPS_SVM_H

#include "ops/ml.h"

typedef enum tni_svm_fn {
    TNI_SVM_LINEAR,
    TNI_SVM_POLY,
    TNI_SVM_RBF,
    TNI_SVM_SIGMOID
} tni_svm_fn;

typedef struct tni_svm_kernel {
    tni_svm_fn fn;
    double gamma, coef0, degree;
} tni_svm_kernel;

tn_status tni_svm_kernel_read(tni_svm_kernel *k, const tni_node *node,
                              tn_err *err);
/* K(x, v) of two vectors of f features, rounded to float. */
float tni_svm_kernel_at(const tni_svm_kernel *k, const float *x, const float *v,
                        int64_t f);

#endif
