/* SPDX-License-Identifier: Apache-2.0 */
/* kc_dft.c - Fourier transforms against the sum that defines them */
#include "kcheck.h"
#include "kernels/dft/dft.h"

#include <math.h>

static const struct {
    const char *name;
    tni_dft_row row;
} table[] = {
#define TN_DFT_KERNEL(isa, lanes, fn) {#fn, {isa, lanes, fn}},
#include "kernels/dft/dft.def"
#undef TN_DFT_KERNEL
};

typedef struct call {
    const tni_dft_row *row;
    tni_dft_plan plan;
    const float *x, *window;
    float *y, *work;
} call;

static void thunk(void *p)
{
    const call *c = p;
    c->row->run(&c->plan, c->x, c->window, c->y, c->work);
}

/* Term j of bin k: n points of angle `turn` * 2 pi / n, real and imaginary. */
static void truth(const call *c, size_t points, size_t bins, double *want)
{
    const bool real = c->plan.form == TNI_DFT_REAL;
    const bool inverse = c->plan.form == TNI_DFT_INVERSE;
    const double turn = (inverse ? 1 : -1) * 6.283185307179586476925286766559;
    const double scale = inverse ? 1.0 / (double)points : 1.0;
    const size_t parts = real ? 1 : 2;
    for (size_t k = 0; k < bins; k++) {
        double re = 0, im = 0;
        for (size_t i = 0; i < points; i++) {
            double v[2] = {0, 0};
            for (size_t p = 0; p < parts; p++) {
                const size_t at = i * parts + p;
                v[p] = (double)c->x[at];
                if (c->window != NULL)
                    v[p] = (double)(c->x[at] * c->window[at]);
            }
            const double a = turn * (double)(i * k % points) / (double)points;
            re += v[0] * cos(a) - v[1] * sin(a);
            im += v[0] * sin(a) + v[1] * cos(a);
        }
        want[2 * k] = re * scale;
        want[2 * k + 1] = im * scale;
    }
}

/* The next length from n on that the row takes; small for vector rows. */
static size_t fitting(const tni_dft_row *row, size_t n)
{
    while (!tni_dft_fits(row, n)) n++;
    return n;
}

static void check(kc *t, const tni_dft_row *row)
{
    while (kc_case(t, 90)) {
        const size_t low = row->lanes * row->lanes;
        const size_t n = fitting(
            row, kc_sweep(t, "n", row->lanes, 100) +
                     (kc_index(t) % 4 == 0 ? kc_pick(t, "more", 1, 500) : low));
        const tni_dft_form form = (tni_dft_form)kc_pick(t, "form", 0, 2);
        const bool real = form == TNI_DFT_REAL;
        const size_t points = real ? 2 * n : n, bins = real ? n + 1 : n;
        call c = {.row = row};
        float *x = kc_in(t, n * 8, 4), *window = kc_in(t, n * 8, 4);
        float *tables = kc_out(t, tni_dft_tables(n) * 4, 4);
        double *want = kc_own(t, bins * 16), *tol = kc_own(t, bins * 16);
        kc_fill_normal(t, x, 2 * n);
        kc_fill_normal(t, window, 2 * n);
        tni_dft_build(&c.plan, row, form, n, tables);
        c.x = x;
        c.window = kc_index(t) % 2 != 0 ? window : NULL;
        c.y = kc_out(t, bins * 8, 4);
        c.work = kc_out(t, tni_dft_work(n) * 4, 4);
        truth(&c, points, bins, want);
        double norm = 0;
        for (size_t i = 0; i < 2 * bins; i++) norm += want[i] * want[i];
        for (size_t i = 0; i < 2 * bins; i++)
            tol[i] = ldexp(2 * log2(2 * (double)n + 2), -24) * sqrt(norm);
        if (!kc_call(t, thunk, &c)) return;
        if (!kc_near(t, "y", c.y, want, tol, 2 * bins)) return;
    }
}

static void bench(kc *t, const tni_dft_row *row, size_t n, const char *label)
{
    call c = {.row = row};
    float *x = kc_own(t, n * 8);
    kc_fill_normal(t, x, 2 * n);
    c.x = x;
    c.y = kc_own(t, (n + 1) * 8);
    c.work = kc_own(t, tni_dft_work(n) * 4);
    tni_dft_build(&c.plan, row, TNI_DFT_REAL, n,
                  kc_own(t, tni_dft_tables(n) * 4));
    const double points = 2 * (double)n;
    kc_bench(t, label, 2.5 * points * log2(points), 8 * points, thunk, &c);
}

void kc_family_dft(kc *t)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const tni_dft_row *row = &table[i].row;
        if (!kc_begin(t, table[i].name, row->isa)) continue;
        check(t, row);
        if (!kc_bench_begin(t)) continue;
        bench(t, row, 512, "real 1024");
        bench(t, row, 320, "real 640");
        bench(t, row, 8192, "real 16384");
    }
}
