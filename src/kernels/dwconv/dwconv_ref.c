/* SPDX-License-Identifier: Apache-2.0 */
/* dwconv_ref.c - the depthwise kernels in plain C */
#include "kernels/dwconv/dwconv.h"

void tni_dwconv_f32_tile__ref(const tni_dwconv_tile *t)
{
    for (size_t i = 0; i < t->n; i++) {
        float sum = 0;
        for (size_t k = 0; k < t->k; k++) sum += t->w[k] * t->x[t->off[k] + i];
        sum += t->bias;
        if (t->clip && sum < t->lo) sum = t->lo;
        if (t->clip && sum > t->hi) sum = t->hi;
        t->y[i] = sum;
    }
}
