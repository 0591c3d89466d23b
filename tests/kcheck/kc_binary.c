/* SPDX-License-Identifier: Apache-2.0 */
/* kc_binary.c - elementwise functions of two arrays, bit for bit */
#include "kcheck.h"
#include "kernels/binary/binary.h"

#include <math.h>
#include <string.h>

typedef struct row {
    const char *name;
    uint32_t isa;
    tni_binary_op op;
    tni_binary_form form;
    tni_binary_f32_fn fn;
} row;

static const row rows[] = {
#define TN_BINARY_KERNEL(isa, op, form, fn)                                    \
    {#fn, isa, TNI_BINARY_##op, TNI_BINARY_##form, fn},
#include "kernels/binary/binary.def"
#undef TN_BINARY_KERNEL
};

typedef struct call {
    tni_binary_f32_fn fn;
    const float *a, *b;
    float *y;
    size_t n;
} call;

static void thunk(void *p)
{
    const call *c = p;
    c->fn(c->a, c->b, c->y, c->n);
}

static float truth(tni_binary_op op, float u, float v)
{
    switch (op) {
    case TNI_BINARY_ADD: return u + v;
    case TNI_BINARY_DIV: return u / v;
    case TNI_BINARY_MAX: return isnan(u) || isnan(v) ? NAN : u > v ? u : v;
    case TNI_BINARY_MIN: return isnan(u) || isnan(v) ? NAN : u < v ? u : v;
    case TNI_BINARY_MUL: return u * v;
    case TNI_BINARY_SUB: return u - v;
    default: return 0;
    }
}

static void fill(kc *t, float *x, size_t n)
{
    switch (kc_index(t) % 3) {
    case 0: kc_fill_special(t, x, n); break;
    case 1: kc_fill_wide(t, x, n); break;
    default: kc_fill_normal(t, x, n); break;
    }
}

static void check(kc *t, const row *r)
{
    while (kc_case(t, 100)) {
        const size_t n = kc_sweep(t, "n", 16, 700);
        const size_t alias = kc_pick(t, "alias", 0, 2);
        const size_t na = r->form == TNI_BINARY_SV ? 1 : n;
        const size_t nb = r->form == TNI_BINARY_VS ? 1 : n;
        float *a = kc_own(t, na * 4), *b = kc_own(t, nb * 4);
        float *want = kc_own(t, n * 4);
        fill(t, a, na);
        fill(t, b, nb);
        for (size_t i = 0; i < n; i++)
            want[i] = truth(r->op, a[na == 1 ? 0 : i], b[nb == 1 ? 0 : i]);
        /* Over an array of length n only; y of length 1 is an array too. */
        const bool over_a = alias == 1 && na == n,
                   over_b = alias == 2 && nb == n;
        float *ga = over_a ? kc_out(t, na * 4, 4) : kc_in(t, na * 4, 4);
        float *gb = over_b ? kc_out(t, nb * 4, 4) : kc_in(t, nb * 4, 4);
        memcpy(ga, a, na * 4);
        memcpy(gb, b, nb * 4);
        call c = {r->fn, ga, gb, NULL, n};
        c.y = over_a ? ga : over_b ? gb : kc_out(t, n * 4, 4);
        if (!kc_call(t, thunk, &c)) return;
        if (!kc_same_f32(t, "y", c.y, want, n)) return;
    }
}

void kc_family_binary(kc *t)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const row *r = &rows[i];
        if (!kc_begin(t, r->name, r->isa)) continue;
        check(t, r);
        if (!kc_bench_begin(t)) continue;
        const size_t n = 4096;
        call c = {r->fn, kc_own(t, n * 4), kc_own(t, n * 4), kc_own(t, n * 4),
                  n};
        const double arrays = r->form == TNI_BINARY_VV ? 3 : 2;
        kc_bench(t, "n=4096", (double)n, 4 * arrays * (double)n, thunk, &c);
    }
}
