/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fft.c - discrete Fourier transforms of any length, in double
 *
 * Source: P. Swarztrauber, "FFT algorithms for vector computers", Parallel
 * Computing 1 (1984), for the self-sorting passes; L. Bluestein, "A linear
 * filtering approach to the computation of discrete Fourier transform", IEEE
 * Trans. AU-18 (1970).
 */
#include "ops/fft.h"

#include <math.h>
#include <string.h>

static const double TWO_PI = 6.283185307179586476925286766559;

typedef struct pair {
    double re, im;
} pair;

struct tni_fft {
    int64_t n;      /* points of the complex transform */
    pair *roots;    /* exp(-2 pi i k / n) for k < n, powers of two */
    tni_fft *inner; /* Bluestein's convolution, a power of two */
    pair *chirp;    /* exp(-pi i k^2 / n) */
    pair *filter;   /* transform of the conjugate chirp, over its length */
    pair *unpack;   /* exp(-2 pi i k / 2n): real transforms of 2n points */
    int64_t n_real; /* length of the real transform */
};

static pair times(pair a, pair b)
{
    return (pair){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static pair root(int64_t k, int64_t n)
{
    const double angle = -TWO_PI * ((double)k / (double)n);
    return (pair){cos(angle), sin(angle)};
}

static bool is_power(int64_t n)
{
    return (n & (n - 1)) == 0;
}

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

static tn_status new_power(tni_fft **out, int64_t n, tni_arena *arena,
                           tn_err *err)
{
    tni_fft *f = TNI_NEW(arena, tni_fft);
    if (f == NULL) return no_memory(err);
    f->n = n;
    f->roots = TNI_NEW_ARRAY(arena, pair, n);
    if (f->roots == NULL) return no_memory(err);
    for (int64_t k = 0; k < n; k++) f->roots[k] = root(k, n);
    *out = f;
    return TN_OK;
}

/* --- powers of two --------------------------------------------------------- */

/* One pass from x to y: m interleaved transforms of n points each become 2m of
 * n / 2. */
static void pass2(pair *y, const pair *x, int64_t n, int64_t m,
                  const pair *roots)
{
    const int64_t half = n / 2;
    for (int64_t p = 0; p < half; p++) {
        const pair w = roots[p * m];
        for (int64_t q = 0; q < m; q++) {
            const pair a = x[q + m * p], b = x[q + m * (p + half)];
            const pair d = {a.re - b.re, a.im - b.im};
            y[q + m * 2 * p] = (pair){a.re + b.re, a.im + b.im};
            y[q + m * (2 * p + 1)] = times(d, w);
        }
    }
}

static void pass4(pair *y, const pair *x, int64_t n, int64_t m,
                  const pair *roots)
{
    const int64_t quarter = n / 4;
    for (int64_t p = 0; p < quarter; p++) {
        const pair w1 = roots[p * m], w2 = roots[2 * p * m],
                   w3 = roots[3 * p * m];
        for (int64_t q = 0; q < m; q++) {
            const pair a = x[q + m * p], b = x[q + m * (p + quarter)];
            const pair c = x[q + m * (p + 2 * quarter)];
            const pair d = x[q + m * (p + 3 * quarter)];
            const pair ac = {a.re + c.re, a.im + c.im};
            const pair bd = {b.re + d.re, b.im + d.im};
            const pair am = {a.re - c.re, a.im - c.im};
            /* -i (b - d) */
            const pair bm = {b.im - d.im, d.re - b.re};
            y[q + m * 4 * p] = (pair){ac.re + bd.re, ac.im + bd.im};
            y[q + m * (4 * p + 1)] =
                times((pair){am.re + bm.re, am.im + bm.im}, w1);
            y[q + m * (4 * p + 2)] =
                times((pair){ac.re - bd.re, ac.im - bd.im}, w2);
            y[q + m * (4 * p + 3)] =
                times((pair){am.re - bm.re, am.im - bm.im}, w3);
        }
    }
}

static void power(const tni_fft *f, pair *x, pair *work)
{
    pair *from = x, *to = work;
    for (int64_t n = f->n, m = 1; n > 1;) {
        if (n % 4 == 0) {
            pass4(to, from, n, m, f->roots);
            n /= 4;
            m *= 4;
        } else {
            pass2(to, from, n, m, f->roots);
            n /= 2;
            m *= 2;
        }
        pair *t = from;
        from = to;
        to = t;
    }
    if (from != x) memcpy(x, from, (size_t)f->n * sizeof *x);
}

/* --- other lengths ----------------------------------------------------------- */

static void conjugate(pair *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) x[i].im = -x[i].im;
}

static void bluestein(const tni_fft *f, pair *x, pair *work)
{
    const int64_t n = f->n, m = f->inner->n;
    pair *y = work, *more = work + m;
    for (int64_t i = 0; i < n; i++) y[i] = times(x[i], f->chirp[i]);
    memset(y + n, 0, (size_t)(m - n) * sizeof *y);
    power(f->inner, y, more);
    /* The inverse transform, through conjugates; filter is scaled by 1/m. */
    for (int64_t i = 0; i < m; i++) y[i] = times(y[i], f->filter[i]);
    conjugate(y, m);
    power(f->inner, y, more);
    conjugate(y, n);
    for (int64_t i = 0; i < n; i++) x[i] = times(y[i], f->chirp[i]);
}

static tn_status new_bluestein(tni_fft **out, int64_t n, tni_arena *arena,
                               tn_err *err)
{
    int64_t m = 1;
    while (m < 2 * n - 1) m *= 2;
    tni_fft *f = TNI_NEW(arena, tni_fft);
    if (f == NULL) return no_memory(err);
    f->n = n;
    f->chirp = TNI_NEW_ARRAY(arena, pair, n);
    f->filter = TNI_NEW_ARRAY(arena, pair, m);
    pair *work = TNI_NEW_ARRAY(arena, pair, m);
    if (f->chirp == NULL || f->filter == NULL || work == NULL)
        return no_memory(err);
    TN_TRY(new_power(&f->inner, m, arena, err));
    for (int64_t k = 0; k < n; k++) {
        /* k * k modulo 2n keeps the angle exact. */
        const uint64_t k2 = (uint64_t)k * (uint64_t)k % (2 * (uint64_t)n);
        f->chirp[k] = root((int64_t)k2, 2 * n);
        const pair c = {f->chirp[k].re / (double)m,
                        -f->chirp[k].im / (double)m};
        f->filter[k] = c;
        if (k > 0) f->filter[m - k] = c;
    }
    power(f->inner, f->filter, work);
    *out = f;
    return TN_OK;
}

tn_status tni_fft_new(tni_fft **out, int64_t n, tni_arena *arena, tn_err *err)
{
    *out = NULL;
    if (n < 1 || n > ((int64_t)1 << 28))
        return tni_fail(err, TN_ELIMIT,
                        "a transform of %lld points; the most is %lld",
                        (long long)n, 1ll << 28);
    return is_power(n) ? new_power(out, n, arena, err)
                       : new_bluestein(out, n, arena, err);
}

tn_status tni_fft_new_real(tni_fft **out, int64_t n, tni_arena *arena,
                           tn_err *err)
{
    TN_TRY(tni_fft_new(out, n > 1 && n % 2 == 0 ? n / 2 : n, arena, err));
    tni_fft *f = *out;
    f->n_real = n;
    if (f->n == n) return TN_OK;
    f->unpack = TNI_NEW_ARRAY(arena, pair, f->n / 2 + 1);
    if (f->unpack == NULL) return no_memory(err);
    for (int64_t k = 0; k <= f->n / 2; k++) f->unpack[k] = root(k, n);
    return TN_OK;
}

size_t tni_fft_work(const tni_fft *f)
{
    const int64_t pairs = f->inner != NULL ? 2 * f->inner->n : f->n;
    /* A real transform of odd length is spread out first. */
    return 2 * (size_t)(pairs + f->n);
}

void tni_fft_run(const tni_fft *f, double *x, bool inverse, double *work)
{
    pair *p = (pair *)(void *)x, *w = (pair *)(void *)work;
    if (inverse) conjugate(p, f->n);
    if (f->inner != NULL)
        bluestein(f, p, w);
    else
        power(f, p, w);
    if (inverse) conjugate(p, f->n);
}

/* Even and odd samples are the real and imaginary parts of z; with Z its
 * transform, E = (Z[k] + conj Z[h-k]) / 2 and O = (Z[k] - conj Z[h-k]) / 2i
 * are theirs, and X[k] = E[k] + exp(-2 pi i k / n) O[k]. */
static void unpack(const tni_fft *f, pair *x)
{
    const int64_t h = f->n;
    const pair z0 = x[0];
    for (int64_t k = 1; k <= h - k; k++) {
        const pair a = x[k], b = x[h - k], w = f->unpack[k];
        const pair e = {0.5 * (a.re + b.re), 0.5 * (a.im - b.im)};
        const pair o = {0.5 * (a.im + b.im), 0.5 * (b.re - a.re)};
        const pair t = times(o, w);
        x[k] = (pair){e.re + t.re, e.im + t.im};
        x[h - k] = (pair){e.re - t.re, t.im - e.im};
    }
    x[0] = (pair){z0.re + z0.im, 0.0};
    x[h] = (pair){z0.re - z0.im, 0.0};
}

void tni_fft_real(const tni_fft *f, double *x, double *work)
{
    if (f->unpack != NULL) {
        tni_fft_run(f, x, false, work);
        unpack(f, (pair *)(void *)x);
        return;
    }
    double *y = work;
    for (int64_t i = 0; i < f->n; i++) {
        y[2 * i] = x[i];
        y[2 * i + 1] = 0.0;
    }
    tni_fft_run(f, y, false, work + 2 * f->n);
    memcpy(x, y, (size_t)(2 * (f->n / 2 + 1)) * sizeof *x);
}
