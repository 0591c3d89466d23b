/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_move_tmpl.h - what a convolution does beside its tiles
 *
 * After conv_tmpl.h, with v_unzip(even, odd, x), which sorts two vectors from
 * x, and unzip_4, which does so with eight elements.
 */
#define COPY_V(v, s) v_storeu(out + v * VW, v_loadu((s) + v * VW));

void CONV_NAME(unfold)(float *out, const float *x, const uint32_t *off,
                       size_t k, const uint32_t *pix, size_t n)
{
    if (n == NR && pix[NR - 1] - pix[0] == NR - 1) { /* neighbours */
        for (size_t i = 0; i < k; i++) {
            const float *s = x + pix[0] + off[i];
            EACH_V(COPY_V, s)
            out += NR;
        }
        return;
    }
    for (size_t i = 0; i < k; i++) {
        const float *s = x + off[i];
        for (size_t j = 0; j < n; j++) out[j] = s[pix[j]];
        for (size_t j = n; j < NR; j++) out[j] = 0.0f;
        out += NR;
    }
}

void CONV_NAME(finish)(float *y, const float *add, size_t n, bool clip,
                       float lo, float hi)
{
    const V vlo = v_dup(&lo), vhi = v_dup(&hi);
    size_t i = 0;
    for (; i + VW <= n; i += VW) {
        V v = v_loadu(y + i);
        if (add != NULL) v = v_add(v, v_loadu(add + i));
        if (clip) v = v_clip(v, vlo, vhi);
        v_storeu(y + i, v);
    }
    for (; i < n; i++) {
        if (add != NULL) y[i] += add[i];
        if (clip && y[i] < lo) y[i] = lo;
        if (clip && y[i] > hi) y[i] = hi;
    }
}

/* The last vectors overlap those before them. */
TN_INLINE void unzip_row(float *even, float *odd, const float *x, size_t n)
{
    size_t i = 0;
    for (; i + VW <= n; i += VW) v_unzip(even + i, odd + i, x + 2 * i);
    if (i == n) return;
    if (n >= VW) {
        i = n - VW;
        v_unzip(even + i, odd + i, x + 2 * i);
        return;
    }
    for (; i + 4 <= n; i += 4) unzip_4(even + i, odd + i, x + 2 * i);
    if (i < n && n >= 4)
        unzip_4(even + n - 4, odd + n - 4, x + 2 * (n - 4));
    else
        for (; i < n; i++) {
            even[i] = x[2 * i];
            odd[i] = x[2 * i + 1];
        }
}

void CONV_NAME(unzip)(float *even, float *odd, size_t out_ld, const float *x,
                      size_t ld, size_t n, size_t rows)
{
    for (; rows > 0; rows--, even += out_ld, odd += out_ld, x += ld)
        unzip_row(even, odd, x, n);
}
