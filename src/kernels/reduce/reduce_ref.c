/* SPDX-License-Identifier: Apache-2.0 */
/* reduce_ref.c - reductions in plain C, in the order that reduce.h promises */
#include "kernels/reduce/reduce.h"

#include <math.h>

enum { lanes = 32 };

/* a is the partial result, v the next value. */
static float max_of(float a, float v)
{
    return a > v || a != a ? a : v;
}

static float min_of(float a, float v)
{
    return a < v || a != a ? a : v;
}

static float product(float a, float v)
{
    return a * v;
}

static float sum(float a, float v)
{
    return a + v;
}

#define REDUCE(name, start, join, term)                                        \
    float tni_##name##_row_f32__ref(const float *x, size_t n)                  \
    {                                                                          \
        float part[lanes];                                                     \
        for (size_t j = 0; j < lanes; j++) part[j] = (start);                  \
        for (size_t i = 0; i < n; i++) {                                       \
            const float v = x[i];                                              \
            part[i % lanes] = join(part[i % lanes], term);                     \
        }                                                                      \
        for (size_t w = lanes / 2; w >= 1; w /= 2)                             \
            for (size_t j = 0; j < w; j++)                                     \
                part[j] = join(part[j], part[j + w]);                          \
        return part[0];                                                        \
    }                                                                          \
    void tni_##name##_rows_f32__ref(const float *x, float *y, size_t m,        \
                                    size_t n, size_t stride)                   \
    {                                                                          \
        for (size_t j = 0; j < n; j++) {                                       \
            float a = (start);                                                 \
            for (size_t i = 0; i < m; i++) {                                   \
                const float v = x[i * stride + j];                             \
                a = join(a, term);                                             \
            }                                                                  \
            y[j] = a;                                                          \
        }                                                                      \
    }

REDUCE(max, -INFINITY, max_of, v)
REDUCE(min, INFINITY, min_of, v)
REDUCE(prod, 1.0f, product, v)
REDUCE(sum, 0.0f, sum, v)
REDUCE(sumabs, 0.0f, sum, fabsf(v))
REDUCE(sumsq, 0.0f, sum, v *v)
