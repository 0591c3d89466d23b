/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dft_tmpl.h - Fourier transforms over the vocabulary of simd_*.h and pairs_*.h
 *
 * D_LANES is VW as a number that the preprocessor knows.
 */
#ifndef TN_SRC_KERNELS_DFT_TMPL_H
#define TN_SRC_KERNELS_DFT_TMPL_H

#include "kernels/dft/dft.h"

_Static_assert(D_LANES == VW, "one vector is one row");

typedef struct cv { /* a complex vector */
    vf re, im;
} cv;

typedef struct split { /* complex numbers in two arrays */
    float *re, *im;
} split;

TN_INLINE cv c_load(split x, size_t i)
{
    const cv v = {v_load(x.re + i), v_load(x.im + i)};
    return v;
}
TN_INLINE void c_store(split y, size_t i, cv v)
{
    v_store(y.re + i, v.re);
    v_store(y.im + i, v.im);
}
TN_INLINE cv c_add(cv a, cv b)
{
    const cv v = {v_add(a.re, b.re), v_add(a.im, b.im)};
    return v;
}
TN_INLINE cv c_sub(cv a, cv b)
{
    const cv v = {v_sub(a.re, b.re), v_sub(a.im, b.im)};
    return v;
}
TN_INLINE cv c_mul(cv a, vf wr, vf wi)
{
    const cv v = {v_fnma(a.im, wi, v_mul(a.re, wr)),
                  v_fma(a.re, wi, v_mul(a.im, wr))};
    return v;
}
/* a + s b and a + i s b, s real. */
TN_INLINE cv c_axpy(cv a, float s, cv b)
{
    const cv v = {v_fma(b.re, v_set1(s), a.re), v_fma(b.im, v_set1(s), a.im)};
    return v;
}
TN_INLINE cv c_scale(cv a, float s)
{
    const cv v = {v_mul(a.re, v_set1(s)), v_mul(a.im, v_set1(s))};
    return v;
}
/* a - i b and a + i b */
TN_INLINE cv c_sub_i(cv a, cv b)
{
    const cv v = {v_add(a.re, b.im), v_sub(a.im, b.re)};
    return v;
}
TN_INLINE cv c_add_i(cv a, cv b)
{
    const cv v = {v_sub(a.re, b.im), v_add(a.im, b.re)};
    return v;
}

/* --- transforms of 2, 3, 4 and 5 points, in place --------------------------- */

TN_INLINE void d_2(cv *a)
{
    const cv d = c_sub(a[0], a[1]);
    a[0] = c_add(a[0], a[1]);
    a[1] = d;
}

TN_INLINE void d_3(cv *a)
{
    const cv s = c_add(a[1], a[2]);
    const cv d = c_scale(c_sub(a[1], a[2]), 0.86602540378443864676f);
    const cv m = c_axpy(a[0], -0.5f, s);
    a[0] = c_add(a[0], s);
    a[1] = c_sub_i(m, d);
    a[2] = c_add_i(m, d);
}

/* a[0], a[s], a[2s], a[3s] */
TN_INLINE void d_4(cv *a, int s)
{
    const cv ac = c_add(a[0], a[2 * s]), am = c_sub(a[0], a[2 * s]);
    const cv bd = c_add(a[s], a[3 * s]), bm = c_sub(a[s], a[3 * s]);
    a[0] = c_add(ac, bd);
    a[s] = c_sub_i(am, bm);
    a[2 * s] = c_sub(ac, bd);
    a[3 * s] = c_add_i(am, bm);
}

TN_INLINE void d_5(cv *a)
{
    const float c1 = 0.30901699437494742410f, c2 = -0.80901699437494742410f;
    const float s1 = 0.95105651629515357212f, s2 = 0.58778525229247312917f;
    const cv s14 = c_add(a[1], a[4]), d14 = c_sub(a[1], a[4]);
    const cv s23 = c_add(a[2], a[3]), d23 = c_sub(a[2], a[3]);
    const cv m1 = c_axpy(c_axpy(a[0], c1, s14), c2, s23);
    const cv m2 = c_axpy(c_axpy(a[0], c2, s14), c1, s23);
    const cv n1 = c_axpy(c_scale(d14, s1), s2, d23);
    const cv n2 = c_axpy(c_scale(d14, s2), -s1, d23);
    a[0] = c_add(a[0], c_add(s14, s23));
    a[1] = c_sub_i(m1, n1);
    a[2] = c_sub_i(m2, n2);
    a[3] = c_add_i(m2, n2);
    a[4] = c_add_i(m1, n1);
}

/* --- passes over rows -------------------------------------------------------- */

/* m interleaved transforms of `len` rows become radix * m of len / radix. */
TN_INLINE void d_pass(split y, split x, size_t len, size_t m,
                      const float *roots, const int radix)
{
    const size_t part = len / (size_t)radix;
    for (size_t p = 0; p < part; p++) {
        const float *w = roots + 2 * p * (size_t)(radix - 1);
        for (size_t q = 0; q < m; q++) {
            cv a[5];
            for (int k = 0; k < radix; k++)
                a[k] = c_load(x, (q + m * (p + (size_t)k * part)) * VW);
            if (radix == 2) d_2(a);
            if (radix == 3) d_3(a);
            if (radix == 4) d_4(a, 1);
            if (radix == 5) d_5(a);
            const size_t to = (q + m * (size_t)radix * p) * VW;
            c_store(y, to, a[0]);
            for (int k = 1; k < radix; k++) {
                if (p > 0)
                    a[k] =
                        c_mul(a[k], v_set1(w[2 * k - 2]), v_set1(w[2 * k - 1]));
                c_store(y, to + m * (size_t)k * VW, a[k]);
            }
        }
    }
}

/* All passes, from one of two places to the other and back; returns where the
 * result is. */
TN_INLINE split d_passes(const tni_dft_plan *plan, split x, split other)
{
    const float *roots = plan->roots;
    size_t len = plan->rows, m = 1;
    for (int i = 0; i < plan->n_passes; i++) {
        const size_t r = plan->radix[i];
        switch (r) {
        case 2: d_pass(other, x, len, m, roots, 2); break;
        case 3: d_pass(other, x, len, m, roots, 3); break;
        case 4: d_pass(other, x, len, m, roots, 4); break;
        default: d_pass(other, x, len, m, roots, 5); break;
        }
        const split t = x;
        x = other;
        other = t;
        roots += 2 * (len / r) * (r - 1);
        len /= r;
        m *= r;
    }
    return x;
}

/* --- across the lanes ----------------------------------------------------------- */

#if D_LANES == 4
/* Result j of the transform across is a[d_order(j)]. */
TN_INLINE int d_order(int j)
{
    return j;
}
TN_INLINE void d_across(cv *a)
{
    d_4(a, 1);
}
#elif D_LANES == 8
/* Evens and odds by fours, then by twos. */
TN_INLINE int d_order(int j)
{
    return 2 * (j % 4) + j / 4;
}
TN_INLINE void d_across(cv *a)
{
    const vf h = v_set1(0.70710678118654752440f);
    d_4(a, 2);
    d_4(a + 1, 2);
    a[3] = c_mul(a[3], h, v_neg(h));
    const cv t = {a[5].im, v_neg(a[5].re)};
    a[5] = t;
    a[7] = c_mul(a[7], v_neg(h), v_neg(h));
    for (int k = 0; k < 4; k++) d_2(a + 2 * k);
}
#elif D_LANES == 16
/* By fours with a stride of 4, roots, then by fours. */
TN_INLINE int d_order(int j)
{
    return 4 * (j % 4) + j / 4;
}
TN_INLINE void d_across(cv *a)
{
    static const float re[10] = {1.0f,
                                 0.92387953251128675613f,
                                 0.70710678118654752440f,
                                 0.38268343236508977173f,
                                 0.0f,
                                 -0.38268343236508977173f,
                                 -0.70710678118654752440f,
                                 -0.92387953251128675613f,
                                 -1.0f,
                                 -0.92387953251128675613f};
    static const float im[10] = {0.0f,
                                 -0.38268343236508977173f,
                                 -0.70710678118654752440f,
                                 -0.92387953251128675613f,
                                 -1.0f,
                                 -0.92387953251128675613f,
                                 -0.70710678118654752440f,
                                 -0.38268343236508977173f,
                                 0.0f,
                                 0.38268343236508977173f};
    for (int j = 0; j < 4; j++) d_4(a + j, 4);
    for (int k = 1; k < 4; k++)
        for (int j = 1; j < 4; j++)
            a[4 * k + j] =
                c_mul(a[4 * k + j], v_set1(re[j * k]), v_set1(im[j * k]));
    for (int k = 0; k < 4; k++) d_4(a + 4 * k, 1);
}
#endif

#if D_LANES > 1
/* Squares of VW rows; the last one overlaps the one before it. */
TN_INLINE void d_join(const tni_dft_plan *plan, split y, split x)
{
    const size_t rows = plan->rows;
    for (size_t next = 0; next < rows; next += VW) {
        const size_t row = next + VW <= rows ? next : rows - VW;
        vf re[VW], im[VW];
        cv a[VW];
        for (int i = 0; i < VW; i++) {
            const size_t at = (row + (size_t)i) * VW;
            const cv v = c_mul(c_load(x, at), v_load(plan->cross_re + at),
                               v_load(plan->cross_im + at));
            re[i] = v.re;
            im[i] = v.im;
        }
        v_square(re);
        v_square(im);
        for (int i = 0; i < VW; i++) {
            a[i].re = re[i];
            a[i].im = im[i];
        }
        d_across(a);
        for (int j = 0; j < VW; j++)
            c_store(y, (size_t)j * rows + row, a[d_order(j)]);
    }
}
#endif

/* --- in and out ------------------------------------------------------------------ */

TN_INLINE void d_take(split y, const float *x, const float *window, size_t n)
{
    for (size_t i = 0; i < n; i += VW) {
        cv v;
        v_unzip(x + 2 * i, &v.re, &v.im);
        if (window != NULL) {
            cv w;
            v_unzip(window + 2 * i, &w.re, &w.im);
            v.re = v_mul(v.re, w.re);
            v.im = v_mul(v.im, w.im);
        }
        c_store(y, i, v);
    }
}

TN_INLINE void d_give(float *y, split x, size_t n, float scale)
{
    for (size_t i = 0; i < n; i += VW) {
        const cv v = c_scale(c_load(x, i), scale);
        v_zip(y + 2 * i, v.re, v.im);
    }
}

/* Even and odd samples are the real and imaginary parts of z; with Z its
 * transform, E = (Z[k] + conj Z[n-k]) / 2 and O = (Z[k] - conj Z[n-k]) / 2i
 * are theirs, and X[k] = E[k] + exp(-pi i k / n) O[k]. Blocks of k from 1 to
 * n / 2; the last one overlaps the one before it. */
TN_INLINE void d_unpack(const tni_dft_plan *plan, float *y, split z)
{
    const size_t n = plan->n, half = n / 2;
    y[0] = z.re[0] + z.im[0];
    y[2 * n] = z.re[0] - z.im[0];
    y[1] = y[2 * n + 1] = 0.0f;
    for (size_t next = 1; next <= half; next += VW) {
        const size_t k = next + VW <= half + 1 ? next : half + 1 - VW;
        const size_t mirror = n - k + 1 - VW;
        const cv a = c_load(z, k), r = c_load(z, mirror);
        const cv b = {v_reverse(r.re), v_neg(v_reverse(r.im))};
        const cv e = c_scale(c_add(a, b), 0.5f);
        const cv d = c_scale(c_sub(a, b), 0.5f);
        const cv o = {d.im, v_neg(d.re)};
        const cv t =
            c_mul(o, v_load(plan->half_re + k), v_load(plan->half_im + k));
        const cv u = c_add(e, t), v = c_sub(e, t);
        v_zip(y + 2 * k, u.re, u.im);
        v_zip(y + 2 * mirror, v_reverse(v.re), v_neg(v_reverse(v.im)));
    }
}

void TNI_FN(tni_dft_f32)(const tni_dft_plan *plan, const float *x,
                         const float *window, float *y, float *work)
{
    const size_t n = plan->n;
    const split a = {work, work + n}, b = {work + 2 * n, work + 3 * n};
    /* The inverse is the transform with the parts exchanged, before and
     * after. */
    const bool inverse = plan->form == TNI_DFT_INVERSE;
    const split in = {inverse ? a.im : a.re, inverse ? a.re : a.im};
    d_take(in, x, window, n);
    split z = d_passes(plan, a, b);
#if D_LANES > 1
    const split to = z.re == a.re ? b : a;
    d_join(plan, to, z);
    z = to;
#endif
    if (plan->form == TNI_DFT_REAL) {
        d_unpack(plan, y, z);
        return;
    }
    const split out = {inverse ? z.im : z.re, inverse ? z.re : z.im};
    d_give(y, out, n, inverse ? 1.0f / (float)n : 1.0f);
}

#endif
