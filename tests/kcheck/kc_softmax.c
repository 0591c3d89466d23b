/* SPDX-License-Identifier: Apache-2.0 */
/* kc_softmax.c - softmax against a double reference */
#include "kcheck.h"
#include "kernels/softmax/softmax.h"

#include <math.h>
#include <string.h>

/* One of `rows` and `cols` is NULL. */
typedef struct row {
    const char *name;
    uint32_t isa;
    tni_softmax_op op;
    tni_softmax_fn rows;
    tni_softmax_cols_fn cols;
} row;

static const row table[] = {
#define TN_SOFTMAX_KERNEL(isa, op, rows, cols)                                 \
    {#rows, isa, op, rows, NULL}, {#cols, isa, op, NULL, cols},
#include "kernels/softmax/softmax.def"
#undef TN_SOFTMAX_KERNEL
};

typedef struct call {
    const row *r;
    const float *x;
    float *y;
    size_t m, n, ld;
} call;

static void thunk(void *p)
{
    const call *c = p;
    if (c->r->rows != NULL)
        c->r->rows(c->x, c->y, c->m, c->n);
    else
        c->r->cols(c->x, c->y, c->m, c->n, c->ld);
}

static const row *sibling(const kc *t, const row *r)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *o = &table[i];
        if ((o->rows != NULL) == (r->rows != NULL) && o->op == r->op &&
            o->isa != 0 && o != r && kc_runs(t, o->isa))
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
    const double terms = r->rows != NULL ? (double)n / 32 : (double)n;
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
    const bool by_rows = r->rows != NULL;
    while (kc_case(t, 160)) {
        const size_t n = kc_sweep(t, "n", 32, 1100);
        const size_t m =
            by_rows ? kc_dim(t, "m", 2, 5) : kc_dim(t, "m", 16, 60);
        const size_t ld = by_rows ? n : m + kc_pick(t, "gap", 0, 3);
        const bool alias = kc_pick(t, "alias", 0, 1) != 0;
        const size_t size = by_rows ? m * n : n > 0 ? (n - 1) * ld + m : 0;
        float *x = kc_own(t, size * 4), *same = kc_own(t, size * 4);
        double *want = kc_own(t, size * 8), *tol = kc_own(t, size * 8);
        fill(t, x, size);
        float *in = alias ? kc_out(t, size * 4, 4) : kc_in(t, size * 4, 4);
        memcpy(in, x, size * 4);
        call c = {r, in, alias ? in : kc_out(t, size * 4, 4), m, n, ld};
        /* Gaps between rows keep what they hold: here, NaN or the input. */
        memcpy(same, c.y, size * 4);
        for (size_t i = 0; i < size; i++) want[i] = (double)c.y[i];
        for (size_t i = 0; i < m && n > 0; i++) {
            const size_t at = by_rows ? i * n : i;
            truth(r, x + at, want + at, tol + at, n, by_rows ? 1 : ld);
        }
        if (!kc_call(t, thunk, &c)) return;
        if (!kc_near(t, "y", c.y, want, tol, size)) return;
        const row *o = sibling(t, r);
        if (r->isa == 0 || o == NULL) continue;
        call other = {o, x, same, m, n, ld};
        thunk(&other);
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
        call c = {r, kc_own(t, size * 4), kc_own(t, size * 4), 32, 128, 32};
        kc_bench(t, "m=32 n=128", (double)size, 8 * (double)size, thunk, &c);
    }
}
