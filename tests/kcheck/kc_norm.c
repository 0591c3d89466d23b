/* SPDX-License-Identifier: Apache-2.0 */
/* kc_norm.c - normalisation: bits of the reference, and a double reference */
#include "kcheck.h"
#include "kernels/norm/norm.h"

#include <math.h>
#include <string.h>

typedef struct row {
    const char *names[4]; /* layer, rms, moments, affine */
    uint32_t isa;
    tni_norm_kernels k;
} row;

static const row table[] = {
#define TN_NORM_KERNEL(isa, layer, rms, moments, affine)                       \
    {{#layer, #rms, #moments, #affine}, isa, {layer, rms, moments, affine}},
#include "kernels/norm/norm.def"
#undef TN_NORM_KERNEL
};

typedef struct call {
    const tni_norm_kernels *k;
    int what; /* index of names */
    tni_norm_call c;
    float scale, shift;
} call;

static void thunk(void *p)
{
    const call *a = p;
    switch (a->what) {
    case 0: a->k->layer(&a->c); break;
    case 1: a->k->rms(&a->c); break;
    case 2: a->k->moments(a->c.x, a->c.n, a->c.mean, a->c.inv_std); break;
    default: a->k->affine(a->c.x, a->c.y, a->c.n, a->scale, a->shift); break;
    }
}

static float *maybe(kc *t, const char *name, size_t n, bool out)
{
    if (kc_pick(t, name, 0, 1) == 0) return NULL;
    float *p = out ? kc_out(t, n * 4, 4) : kc_in(t, n * 4, 4);
    if (!out) kc_fill_normal(t, p, n);
    return p;
}

/* |error| of a row against doubles: conditioned on its largest |v|. */
static bool quality(kc *t, const call *a, const float *v, const float *y)
{
    const size_t n = a->c.n;
    double sum = 0, sq = 0, top = 0;
    for (size_t i = 0; i < n; i++) sum += (double)v[i];
    const double mean = a->what == 0 ? sum / (double)n : 0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)v[i] - mean;
        sq += d * d;
        if (fabs((double)v[i]) > top) top = fabs((double)v[i]);
    }
    const double s = 1 / sqrt(sq / (double)n + (double)a->c.eps);
    for (size_t i = 0; i < n; i++) {
        const double g = a->c.gamma != NULL ? (double)a->c.gamma[i] : 1;
        const double b = a->c.beta != NULL ? (double)a->c.beta[i] : 0;
        const double want = ((double)v[i] - mean) * s * g + b;
        const double tol = 0x1p-24 * ((double)n / 16 + 24) *
                           (top * s * fabs(g) + fabs(want) + fabs(b));
        if (fabs((double)y[i] - want) <= tol) continue;
        kc_fail(t, "y[%zu]: got %.9g want %.9g, tolerance %.3g", i,
                (double)y[i], want, tol);
        return false;
    }
    return true;
}

static void check_norm(kc *t, const row *r, int what)
{
    while (kc_case(t, 160)) {
        call a = {&r->k, what, {0}, 0, 0};
        const size_t n = kc_sweep(t, "n", 32, 1100), m = kc_dim(t, "m", 2, 5);
        const size_t size = m * n;
        const bool alias = kc_pick(t, "alias", 0, 1) != 0;
        float *x = kc_own(t, size * 4);
        kc_fill_normal(t, x, size);
        float *in = alias ? kc_out(t, size * 4, 4) : kc_in(t, size * 4, 4);
        memcpy(in, x, size * 4);
        a.c = (tni_norm_call){.x = in, .m = m, .n = n, .eps = 1e-5f};
        a.c.y = alias ? in : kc_out(t, size * 4, 4);
        a.c.skip = maybe(t, "skip", size, false);
        a.c.bias = maybe(t, "bias", n, false);
        a.c.gamma = maybe(t, "gamma", n, false);
        a.c.beta = maybe(t, "beta", n, false);
        a.c.sum = maybe(t, "sum", size, true);
        a.c.mean = maybe(t, "mean", m, true);
        a.c.inv_std = maybe(t, "inv_std", m, true);
        if (!kc_call(t, thunk, &a)) return;

        tni_norm_call w = a.c;
        w.x = x;
        w.y = kc_own(t, size * 4);
        w.sum = kc_own(t, size * 4);
        w.mean = kc_own(t, m * 4);
        w.inv_std = kc_own(t, m * 4);
        call ref = {&table[0].k, what, w, 0, 0};
        thunk(&ref);
        if (!kc_same_f32(t, "y", a.c.y, w.y, size)) return;
        if (a.c.sum != NULL && !kc_same_f32(t, "sum", a.c.sum, w.sum, size))
            return;
        if (what == 0 && a.c.mean != NULL &&
            !kc_same_f32(t, "mean", a.c.mean, w.mean, m))
            return;
        if (a.c.inv_std != NULL &&
            !kc_same_f32(t, "inv_std", a.c.inv_std, w.inv_std, m))
            return;
        for (size_t i = 0; i < m && n > 0; i++)
            if (!quality(t, &a, w.sum + i * n, a.c.y + i * n)) return;
    }
}

static void check_moments(kc *t, const row *r)
{
    while (kc_case(t, 160)) {
        const size_t n = 1 + kc_sweep(t, "n", 32, 3000);
        float *x = kc_in(t, n * 4, 4), *out = kc_out(t, 8, 4);
        kc_fill_int(t, x, n, 4);
        call a = {
            &r->k, 2, {.x = x, .n = n, .mean = out, .inv_std = out + 1}, 0, 0};
        if (!kc_call(t, thunk, &a)) return;
        double sum = 0, sq = 0;
        for (size_t i = 0; i < n; i++) sum += (double)x[i];
        /* A sum of integers is exact, one division is rounded. */
        const float mean = (float)sum / (float)n;
        for (size_t i = 0; i < n; i++) {
            const double d = (double)x[i] - (double)mean;
            sq += d * d;
        }
        if (!kc_same_f32(t, "mean", out, &mean, 1)) return;
        float ref[2];
        table[0].k.moments(x, n, &ref[0], &ref[1]);
        if (!kc_same_f32(t, "moments", out, ref, 2)) return;
        const double want = sq / (double)n;
        const double tol = 0x1p-24 * ((double)n / 32 + 16) * want;
        if (!kc_near(t, "var", &out[1], &want, &tol, 1)) return;
    }
}

static void check_affine(kc *t, const row *r)
{
    while (kc_case(t, 120)) {
        const size_t n = kc_sweep(t, "n", 16, 700);
        const bool alias = kc_pick(t, "alias", 0, 1) != 0;
        float *x = kc_own(t, n * 4), *want = kc_own(t, n * 4);
        kc_fill_special(t, x, n);
        float *in = alias ? kc_out(t, n * 4, 4) : kc_in(t, n * 4, 4);
        memcpy(in, x, n * 4);
        call a = {&r->k,
                  3,
                  {.x = in, .n = n},
                  (float)kc_normal(t),
                  (float)kc_normal(t)};
        a.c.y = alias ? in : kc_out(t, n * 4, 4);
        for (size_t i = 0; i < n; i++) want[i] = x[i] * a.scale + a.shift;
        if (!kc_call(t, thunk, &a)) return;
        if (!kc_same_f32(t, "y", a.c.y, want, n)) return;
    }
}

static void bench(kc *t, const row *r, int what)
{
    const size_t n = 768, m = what < 2 ? 8 : 1;
    const double size = (double)(m * n);
    call a = {&r->k, what, {.m = m, .n = n, .eps = 1e-5f}, 1, 1};
    float *x = kc_own(t, m * n * 4);
    kc_fill_normal(t, x, m * n);
    a.c.x = x;
    a.c.y = kc_own(t, m * n * 4);
    if (what < 2) {
        a.c.gamma = kc_own(t, n * 4);
        a.c.beta = kc_own(t, n * 4);
    } else {
        a.c.mean = kc_own(t, 4);
        a.c.inv_std = kc_own(t, 4);
    }
    kc_bench(t, what < 2 ? "m=8 n=768" : "n=768", size,
             (what == 2 ? 4 : 8) * size, thunk, &a);
}

void kc_family_norm(kc *t)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *r = &table[i];
        for (int what = 0; what < 4; what++) {
            if (!kc_begin(t, r->names[what], r->isa)) continue;
            if (what < 2)
                check_norm(t, r, what);
            else if (what == 2)
                check_moments(t, r);
            else
                check_affine(t, r);
            if (kc_bench_begin(t)) bench(t, r, what);
        }
    }
}
