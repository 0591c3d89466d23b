/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_ref.c - the tile of 8-bit convolutions in plain C */
#include "kernels/qconv/qconv.h"

#include <math.h>
#include <string.h>

enum { MR = 4, NR = 16 };

void tni_qconv_prepare__ref(void *out, const uint8_t *x, size_t n,
                            bool x_signed, int zero)
{
    int16_t *to = out;
    for (size_t i = 0; i < n; i++)
        to[i] = (int16_t)((x_signed ? (int8_t)x[i] : x[i]) - zero);
}

static void finish(const tni_qconv_tile *t, size_t at, size_t j, int32_t sum)
{
    const tni_qconv_end *e = &t->end;
    const int32_t v = (int32_t)((uint32_t)sum + (uint32_t)e->bias[j]);
    if (e->out == TNI_QCONV_I32) {
        ((int32_t *)t->y)[at + j] = v;
        return;
    }
    float f = (float)v * e->scale[j];
    if (e->out == TNI_QCONV_F32) {
        ((float *)t->y)[at + j] = e->add != NULL ? f + e->add[j] : f;
        return;
    }
    f = f > e->lo ? f : e->lo; /* NaN too */
    f = f < e->hi ? f : e->hi;
    ((uint8_t *)t->y)[at + j] = (uint8_t)((int32_t)nearbyintf(f) + e->zero);
}

void tni_qconv_tile__ref(const tni_qconv_tile *t)
{
    int32_t sums[MR][NR] = {{0}};
    const int16_t *w = t->w;
    for (size_t i = 0; i < t->n_runs; i++) {
        for (size_t g = 0; g < t->len; g++, w += 2 * NR) {
            for (int r = 0; r < t->mr; r++) {
                int16_t x[2];
                memcpy(x, t->x + t->pix[r] + t->run[i] + 4 * g, sizeof x);
                for (int j = 0; j < NR; j++) {
                    const int32_t v = x[0] * w[2 * j] + x[1] * w[2 * j + 1];
                    sums[r][j] = (int32_t)((uint32_t)sums[r][j] + (uint32_t)v);
                }
            }
        }
    }
    for (int r = 0; r < t->mr; r++)
        for (size_t j = 0; j < (size_t)t->nr; j++)
            finish(t, (size_t)r * t->y_rs, j, sums[r][j]);
}
