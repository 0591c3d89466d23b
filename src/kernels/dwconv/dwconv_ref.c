/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv_ref.c - the depthwise kernels in plain C */
#include "kernels/dwconv/dwconv.h"

void tni_dwconv_f32_tile__ref(const tni_dwconv_tile *t)
{
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t j = 0; j < t->cols; j++) {
            const float *x = t->x + r * t->x_rs + j;
            const size_t side = t->near_side;
            float sum = 0;
            for (size_t k = 0; k < t->k; k++)
                sum += t->w[k] * (side != 0 ? x[k / side * t->x_rs + k % side]
                                            : x[t->off[k]]);
            sum += t->bias;
            if (t->clip && sum < t->lo) sum = t->lo;
            if (t->clip && sum > t->hi) sum = t->hi;
            t->y[r * t->cols + j] = sum;
        }
    }
}
