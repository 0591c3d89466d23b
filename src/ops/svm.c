/* SPDX-License-Identifier: Apache-2.0 */
/* svm.c - kernels of support vector machines */
#include "ops/svm.h"

#include <math.h>
#include <string.h>

tn_status tni_svm_kernel_read(tni_svm_kernel *k, const tni_node *node,
                              tn_err *err)
{
    static const char *const names[] = {
        [TNI_SVM_LINEAR] = "LINEAR",
        [TNI_SVM_POLY] = "POLY",
        [TNI_SVM_RBF] = "RBF",
        [TNI_SVM_SIGMOID] = "SIGMOID",
    };
    memset(k, 0, sizeof *k);
    int fn = 0, n = 0;
    while (fn < TNI_COUNT(names) &&
           !tni_attr_is(node, "kernel_type", names[fn], "LINEAR"))
        fn++;
    const float *params = tni_attr_floats(node, "kernel_params", &n);
    if (fn == TNI_COUNT(names) || (n != 0 && n != 3) ||
        (n == 0 && fn != TNI_SVM_LINEAR))
        return tni_fail(err, TN_EINVAL,
                        "kernel_type must be LINEAR, POLY, RBF or SIGMOID, "
                        "with three kernel_params");
    k->fn = (tni_svm_fn)fn;
    if (n == 3) {
        k->gamma = (double)params[0];
        k->coef0 = (double)params[1];
        k->degree = (double)params[2];
    }
    return TN_OK;
}

float tni_svm_kernel_at(const tni_svm_kernel *k, const float *x, const float *v,
                        int64_t f)
{
    double sum = 0.0;
    if (k->fn == TNI_SVM_RBF) {
        for (int64_t i = 0; i < f; i++) {
            const double d = (double)x[i] - (double)v[i];
            sum += d * d;
        }
        return (float)exp(-k->gamma * sum);
    }
    for (int64_t i = 0; i < f; i++) sum += (double)x[i] * (double)v[i];
    if (k->fn == TNI_SVM_LINEAR) return (float)sum;
    sum = k->gamma * sum + k->coef0;
    return (float)(k->fn == TNI_SVM_POLY ? pow(sum, k->degree) : tanh(sum));
}
