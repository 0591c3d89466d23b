/* SPDX-License-Identifier: Apache-2.0 */
/* quant_ref.c - 8-bit conversions in plain C */
#include "kernels/quant/quant.h"

#include <math.h>

static int quantize(float x, float scale, int zero_point, float lo, float hi)
{
    float q = nearbyintf(x / scale) + (float)zero_point;
    q = q > lo ? q : lo; /* NaN too */
    q = q < hi ? q : hi;
    return (int)q;
}

void tni_u8_from_f32__ref(const float *x, uint8_t *y, size_t n, float scale,
                          int zero_point)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (uint8_t)quantize(x[i], scale, zero_point, 0.0f, 255.0f);
}

void tni_s8_from_f32__ref(const float *x, int8_t *y, size_t n, float scale,
                          int zero_point)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (int8_t)quantize(x[i], scale, zero_point, -128.0f, 127.0f);
}

void tni_f32_from_u8__ref(const uint8_t *x, float *y, size_t n, float scale,
                          int zero_point)
{
    for (size_t i = 0; i < n; i++) y[i] = (float)(x[i] - zero_point) * scale;
}

void tni_f32_from_s8__ref(const int8_t *x, float *y, size_t n, float scale,
                          int zero_point)
{
    for (size_t i = 0; i < n; i++) y[i] = (float)(x[i] - zero_point) * scale;
}

static int sum(int a, int b, float ra, float rb, float fixed, float lo,
               float hi)
{
    float q = fmaf(ra, (float)a, fmaf(rb, (float)b, fixed));
    q = q > lo ? q : lo; /* NaN too */
    q = q < hi ? q : hi;
    return (int)nearbyintf(q);
}

void tni_add_u8__ref(const uint8_t *a, const uint8_t *b, uint8_t *y, size_t n,
                     float ra, float rb, float fixed)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (uint8_t)sum(a[i], b[i], ra, rb, fixed, 0.0f, 255.0f);
}

void tni_add_s8__ref(const int8_t *a, const int8_t *b, int8_t *y, size_t n,
                     float ra, float rb, float fixed)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (int8_t)sum(a[i], b[i], ra, rb, fixed, -128.0f, 127.0f);
}
