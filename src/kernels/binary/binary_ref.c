/* SPDX-License-Identifier: Apache-2.0 */
/* binary_ref.c - elementwise functions of two arrays in plain C */
#include "kernels/binary/binary.h"

#define VECTORS(name, expr)                                                    \
    void tni_##name##_f32__ref(const float *a, const float *b, float *y,       \
                               size_t n)                                       \
    {                                                                          \
        for (size_t i = 0; i < n; i++) {                                       \
            const float u = a[i], v = b[i];                                    \
            y[i] = (expr);                                                     \
        }                                                                      \
    }
/* A single number is read before y is written, as y may lie over it. */
#define SCALAR_B(name, expr)                                                   \
    void tni_##name##_f32__ref(const float *a, const float *b, float *y,       \
                               size_t n)                                       \
    {                                                                          \
        if (n == 0) return;                                                    \
        const float v = b[0];                                                  \
        for (size_t i = 0; i < n; i++) {                                       \
            const float u = a[i];                                              \
            y[i] = (expr);                                                     \
        }                                                                      \
    }
#define SCALAR_A(name, expr)                                                   \
    void tni_##name##_f32__ref(const float *a, const float *b, float *y,       \
                               size_t n)                                       \
    {                                                                          \
        if (n == 0) return;                                                    \
        const float u = a[0];                                                  \
        for (size_t i = 0; i < n; i++) {                                       \
            const float v = b[i];                                              \
            y[i] = (expr);                                                     \
        }                                                                      \
    }
#define BINARY(name, expr)                                                     \
    VECTORS(name##_vv, expr)                                                   \
    SCALAR_B(name##_vs, expr)                                                  \
    SCALAR_A(name##_sv, expr)

BINARY(add, u + v)
BINARY(div, u / v)
BINARY(max, u > v || u != u ? u : v)
BINARY(min, u < v || u != u ? u : v)
BINARY(mul, u *v)
BINARY(sub, u - v)
