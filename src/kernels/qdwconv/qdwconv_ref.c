/* SPDX-License-Identifier: Apache-2.0 */
/* qdwconv_ref.c - depthwise 8-bit convolution in plain C */
#include "kernels/qdwconv/qdwconv.h"

#include <math.h>

enum { BLOCK = 8 };

static uint8_t channel(const tni_qdwconv_tile *t, const uint8_t *const *at,
                       size_t c)
{
    /* Blocks of eight are in the order of their channels. */
    const size_t first = c / BLOCK * BLOCK, pairs = (t->rows + 1) / 2;
    const int16_t *w = t->w + first * 2 * pairs * t->columns + c % BLOCK * 2;
    uint32_t sum = (uint32_t)t->bias[c];
    for (size_t j = 0; j < t->columns; j++, w += pairs * 2 * BLOCK)
        for (size_t i = 0; i < t->rows; i++) {
            const uint8_t u = at[j * t->dilation * t->rows + i][c];
            sum += (uint32_t)((t->x_signed ? (int8_t)u : u) *
                              w[i / 2 * 2 * BLOCK + i % 2]);
        }
    float f = (float)(int32_t)sum * t->scale[c];
    f = f > t->lo ? f : t->lo; /* NaN too */
    f = f < t->hi ? f : t->hi;
    return (uint8_t)((int32_t)nearbyintf(f) + t->zero);
}

void tni_qdwconv_tile__ref(const tni_qdwconv_tile *t)
{
    for (size_t p = 0; p < t->pixels; p++)
        for (size_t c = 0; c < t->channels; c++)
            t->y[p * t->channels + c] =
                channel(t, t->at + p * t->stride * t->rows, c);
}
