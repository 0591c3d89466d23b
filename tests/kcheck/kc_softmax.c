/* SPDX-License-Identifier: Apache-2.0 */
/* kc_softmax.c - softmax against a double reference */
#include "kcheck.h"
#include "kernels/softmax/softmax.h"

#include <math.h>
#include <string.h>

enum { cols, rows }; /* as softmax.def calls the forms */

typedef struct row {
    const char *name;
    uint32_t isa;
    int form;
    tni_softmax_op op;
    tni_softmax_fn fn;
} row;

static const row table[] = {
#define TN_SOFTMAX_KERNEL(isa, form, op, fn) {#fn, isa, form, op, fn},
#include "kernels/softmax/softmax.def"
#undef TN_SOFTMAX_KERNEL
};

typedef struct call {
    tni_softmax_fn fn;
    const float *x;
    float *y;
    size_t m, n;
} call;

static void thunk(void *p)
{
    const call *c = p;
    c->fn(c->x, c->y, c->m, c->n);
}

static const row *sibling(const kc *t, const row *r)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *o = &table[i];
        if (o->form == r->form && o->op == r->op && o->isa != 0 && o != r &&
            kc_runs(t, o->isa))
            return o;
    }
    return NULL;
}

static void truth(const row *r, const float *x, double *y, double *tol,
                  size_t n, size_t step)
{
    const double u = 0x1p-24;
    double top = -HUGE_VAL, sum = 0;
    bool nan = false;
    for (size_t i = 0; i < n; i++) {
        const double v = (double)x[i * step];
        nan |= isnan(v);
        if (v > top) top = v;
    }
    for (size_t i = 0; i < n; i++) sum += exp((double)x[i * step] - top);
    const double terms = r->form == rows ? (double)n / 32 : (double)n;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)x[i * step] - top;
        const double v = r->op == TNI_SOFTMAX ? exp(d) / sum : d - log(sum);
        y[i * step] = nan ? (double)NAN : v;
        /* d itself is rounded: exp(d) carries |d| u of that. */
        tol[i * step] = r->op == TNI_SOFTMAX
                            ? (terms + 16 + fabs(d)) * u * v + 0x1p-148
                            : (terms + 16) * u + 4 * u * fabs(v);
        if (isinf(d)) tol[i * step] = r->op == TNI_SOFTMAX ? 0 : HUGE_VAL;
    }
}

static void fill(kc *t, float *x, size_t n)
{
    switch (kc_index(t) % 4) {
    case 0: kc_fill_normal(t, x, n); break;
    case 1:
        for (size_t i = 0; i < n; i++) x[i] = (float)kc_uniform(t, -60, 60);
        break;
    case 2:
        kc_fill_normal(t, x, n);
        for (size_t i = 0; i < n; i++)
            if (i % 7 == 3) x[i] = -INFINITY;
        break;
    default:
        kc_fill_normal(t, x, n);
        for (size_t i = 0; i < n; i++)
            if (kc_rand(t) % 64 == 0) x[i] = NAN;
        break;
    }
}

static void check(kc *t, const row *r)
{
    while (kc_case(t, 160)) {
        const size_t n = kc_sweep(t, "n", 32, 1100);
        const size_t m = kc_dim(t, "m", r->form == cols ? 16 : 2,
                                r->form == cols ? 60 : 5);
        const bool alias = kc_pick(t, "alias", 0, 1) != 0;
        const size_t size = m * n;
        float *x = kc_own(t, size * 4);
        double *want = kc_own(t, size * 8), *tol = kc_own(t, size * 8);
        fill(t, x, size);
        for (size_t i = 0; i < m; i++) {
            const size_t at = r->form == rows ? i * n : i;
            truth(r, x + at, want + at, tol + at, n, r->form == rows ? 1 : m);
        }
        float *in = alias ? kc_out(t, size * 4, 4) : kc_in(t, size * 4, 4);
        memcpy(in, x, size * 4);
        call c = {r->fn, in, alias ? in : kc_out(t, size * 4, 4), m, n};
        if (!kc_call(t, thunk, &c)) return;
        if (!kc_near(t, "y", c.y, want, tol, size)) return;
        const row *o = sibling(t, r);
        if (r->isa == 0 || o == NULL) continue;
        float *same = kc_own(t, size * 4);
        o->fn(x, same, m, n);
        if (!kc_same_f32(t, "other ISA", c.y, same, size)) return;
    }
}

void kc_family_softmax(kc *t)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *r = &table[i];
        if (!kc_begin(t, r->name, r->isa)) continue;
        check(t, r);
        if (!kc_bench_begin(t)) continue;
        const size_t size = 32 * 128;
        call c = {r->fn, kc_own(t, size * 4), kc_own(t, size * 4), 32, 128};
        kc_bench(t, "m=32 n=128", (double)size, 8 * (double)size, thunk, &c);
    }
}
