/* SPDX-License-Identifier: Apache-2.0 */
/* softmax_ref.c - softmax in plain C */
#include "kernels/softmax/softmax.h"

#include <math.h>
#include <stdbool.h>

static float larger(float a, float v)
{
    return a > v || a != a ? a : v;
}

/* One vector of n numbers, `step` apart. Terms are added into 32 partial sums
 * that are joined at the end, which keeps the error of long rows small. */
static void softmax(const float *x, float *y, size_t n, size_t step, bool log)
{
    float top = -INFINITY, part[32] = {0};
    for (size_t i = 0; i < n; i++) top = larger(top, x[i * step]);
    for (size_t i = 0; i < n; i++) {
        const float d = x[i * step] - top, e = expf(d);
        y[i * step] = log ? d : e;
        part[i % 32] += e;
    }
    for (size_t w = 16; w >= 1; w /= 2)
        for (size_t j = 0; j < w; j++) part[j] += part[j + w];
    const float s = log ? logf(part[0]) : 1.0f / part[0];
    for (size_t i = 0; i < n; i++)
        y[i * step] = log ? y[i * step] - s : y[i * step] * s;
}

void tni_softmax_rows_f32__ref(const float *x, float *y, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++) softmax(x + i * n, y + i * n, n, 1, false);
}

void tni_logsoftmax_rows_f32__ref(const float *x, float *y, size_t m, size_t n)
{
    for (size_t i = 0; i < m; i++) softmax(x + i * n, y + i * n, n, 1, true);
}

void tni_softmax_cols_f32__ref(const float *x, float *y, size_t m, size_t n,
                               size_t ld)
{
    for (size_t j = 0; j < m; j++) softmax(x + j, y + j, n, ld, false);
}

void tni_logsoftmax_cols_f32__ref(const float *x, float *y, size_t m, size_t n,
                                  size_t ld)
{
    for (size_t j = 0; j < m; j++) softmax(x + j, y + j, n, ld, true);
}
