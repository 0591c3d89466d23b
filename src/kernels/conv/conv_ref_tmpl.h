/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_ref_tmpl.h - the tile of a convolution in plain C
 *
 * Included with CONV_NAME(part) and MADD(sum, a, b), which adds a term.
 */
enum { MR = 4, NR = 16 };

static float clipped(float x, bool clip, float lo, float hi)
{
    if (clip && x < lo) x = lo;
    if (clip && x > hi) x = hi;
    return x;
}

void CONV_NAME(tile)(const tni_conv_tile *t)
{
    float sum[MR][NR] = {{0}};
    const size_t mr = (size_t)t->mr, nr = (size_t)t->nr;
    if (t->resume)
        for (size_t r = 0; r < mr; r++)
            for (size_t j = 0; j < NR; j++) sum[r][j] = t->sums[r * NR + j];
    for (size_t k = 0; k < t->k; k++) {
        const float *w = t->w + k * NR;
        for (size_t r = 0; r < mr; r++) {
            const float x = t->x[t->pix[r] + t->off[k]];
            for (size_t j = 0; j < NR; j++) MADD(sum[r][j], x, w[j]);
        }
    }
    if (t->pause) {
        for (size_t r = 0; r < mr; r++)
            for (size_t j = 0; j < NR; j++) t->sums[r * NR + j] = sum[r][j];
        return;
    }
    for (size_t j = 0; j < nr; j++) {
        const float b = t->bias != NULL ? t->bias[j] : 0.0f;
        for (size_t r = 0; r < mr; r++)
            t->y[j * t->y_cs + r] =
                clipped(sum[r][j] + b, t->clip, t->lo, t->hi);
    }
}
