/* SPDX-License-Identifier: Apache-2.0 */
/* conv_ref.c - the f32 convolution kernels in plain C */
#include "kernels/conv/conv.h"

#define CONV_NAME(part) tni_conv_f32_##part##__ref
#define MADD(sum, a, b) (sum) += (a) * (b)
#include "kernels/conv/conv_ref_tmpl.h"

void CONV_NAME(unfold)(float *out, const float *x, const uint32_t *off,
                       size_t k, const uint32_t *pix, size_t n)
{
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < NR; j++)
            out[i * NR + j] = j < n ? x[pix[j] + off[i]] : 0.0f;
}

void CONV_NAME(finish)(float *y, const float *add, size_t n, bool clip,
                       float lo, float hi)
{
    for (size_t i = 0; i < n; i++)
        y[i] = clipped(add != NULL ? y[i] + add[i] : y[i], clip, lo, hi);
}

void CONV_NAME(unzip)(float *even, float *odd, size_t out_ld, const float *x,
                      size_t ld, size_t n, size_t rows)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < n; i++) {
            even[r * out_ld + i] = x[r * ld + 2 * i];
            odd[r * out_ld + i] = x[r * ld + 2 * i + 1];
        }
    }
}
