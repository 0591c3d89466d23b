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

/* A whole degree is a few products; pow() takes longer than the row's sum. */
static double power(double x, double degree)
{
    if (!(degree >= 1.0 && degree <= 32.0 && degree == floor(degree)))
        return pow(x, degree);
    double y = 1.0;
    for (int n = (int)degree; n > 0; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return y;
}

float tni_svm_kernel_at(const tni_svm_kernel *k, const float *x, const float *v,
                        int64_t f)
{
    if (k->fn == TNI_SVM_RBF)
        return (float)exp(-k->gamma * tni_ml_distance2(x, v, f));
    double sum = tni_ml_dot(x, v, f);
    if (k->fn == TNI_SVM_LINEAR) return (float)sum;
    sum = k->gamma * sum + k->coef0;
    return (float)(k->fn == TNI_SVM_POLY ? power(sum, k->degree) : tanh(sum));
}
