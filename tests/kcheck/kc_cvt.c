/* SPDX-License-Identifier: Apache-2.0 */
/* kc_cvt.c - every 16-bit float, and floats around every one of them */
#include "kcheck.h"
#include "kernels/cvt/cvt.h"

#include <math.h>
#include <string.h>

typedef struct row {
    const char *names[4]; /* from_f16, from_bf16, to_f16, to_bf16 */
    uint32_t isa;
    tni_cvt_kernels k;
} row;

static const row table[] = {
#define TN_CVT_KERNEL(isa, from_f16, from_bf16, to_f16, to_bf16)               \
    {{#from_f16, #from_bf16, #to_f16, #to_bf16},                               \
     isa,                                                                      \
     {from_f16, from_bf16, to_f16, to_bf16}},
#include "kernels/cvt/cvt.def"
#undef TN_CVT_KERNEL
};

typedef struct call {
    const tni_cvt_kernels *k;
    int what;
    const void *x;
    void *y;
    size_t n;
} call;

static void thunk(void *p)
{
    const call *c = p;
    switch (c->what) {
    case 0: c->k->f32_from_f16(c->x, c->y, c->n); break;
    case 1: c->k->f32_from_bf16(c->x, c->y, c->n); break;
    case 2: c->k->f16_from_f32(c->x, c->y, c->n); break;
    default: c->k->bf16_from_f32(c->x, c->y, c->n); break;
    }
}

/* What a 16-bit pattern means, by its definition; exp_bits and frac_bits. */
static double meaning(uint16_t h, int exp_bits, int frac_bits)
{
    const int exp = h >> frac_bits & ((1 << exp_bits) - 1);
    const int frac = h & ((1 << frac_bits) - 1),
              bias = (1 << (exp_bits - 1)) - 1;
    const double sign = (h & 0x8000) != 0 ? -1 : 1;
    if (exp == (1 << exp_bits) - 1)
        return frac != 0 ? (double)NAN : sign * HUGE_VAL;
    if (exp == 0) return sign * ldexp(frac, 1 - bias - frac_bits);
    return sign * ldexp(frac + (1 << frac_bits), exp - bias - frac_bits);
}

/* 0 if h is the 16-bit number nearest to f, ties to even. */
static int misrounded(float f, uint16_t h, int exp_bits, int frac_bits)
{
    const double v = (double)f, got = meaning(h, exp_bits, frac_bits);
    if (isnan(f)) return !isnan(got) || (h & 1 << (frac_bits - 1)) == 0;
    if ((signbit(f) != 0) != ((h & 0x8000) != 0) || isnan(got)) return 1;
    /* Infinity counts as the number after the largest one. */
    const int inf = ((1 << exp_bits) - 1) << frac_bits, m = h & 0x7fff;
    const double step = meaning((uint16_t)(inf - 1), exp_bits, frac_bits) -
                        meaning((uint16_t)(inf - 2), exp_bits, frac_bits);
    const double past =
        meaning((uint16_t)(inf - 1), exp_bits, frac_bits) + step;
    double around[3];
    for (int i = 0; i < 3; i++) {
        const int k = m + i - 1;
        around[i] = k < 0      ? -1
                    : k > inf  ? HUGE_VAL
                    : k == inf ? past
                               : meaning((uint16_t)k, exp_bits, frac_bits);
    }
    const double a = isinf(v) ? past : fabs(v), d = fabs(a - around[1]);
    const double below = around[0] < 0 ? HUGE_VAL : a - around[0];
    const double above = around[2] - a;
    if (m == inf && a >= past) return 0;
    if (d > fabs(below) || d > fabs(above)) return 1;
    return (d == below || d == above) && (m & 1) != 0;
}

static void check_shapes(kc *t, const row *r, int what)
{
    while (kc_case(t, 100)) {
        const size_t n = kc_sweep(t, "n", 16, 500);
        const size_t from = what < 2 ? 2 : 4, to = what < 2 ? 4 : 2;
        uint8_t *x = kc_in(t, n * from, from), *y = kc_out(t, n * to, to);
        uint8_t *want = kc_own(t, n * to);
        kc_fill_bytes(t, x, n * from);
        if (what >= 2 && kc_index(t) % 2 != 0)
            kc_fill_special(t, (float *)(void *)x, n);
        call c = {&r->k, what, x, y, n};
        if (!kc_call(t, thunk, &c)) return;
        call ref = {&table[0].k, what, x, want, n};
        thunk(&ref);
        if (!kc_same(t, "y", y, want, n, to)) return;
    }
}

static void check_all(kc *t, const row *r, int what)
{
    const int exp_bits = what % 2 == 0 ? 5 : 8, frac_bits = 15 - exp_bits;
    enum { block = 256 };
    uint16_t *h = kc_own(t, block * 2), *back = kc_own(t, block * 2);
    float *f = kc_own(t, block * 4);
    call c = {&r->k, what, what < 2 ? (void *)h : (void *)f,
              what < 2 ? (void *)f : (void *)back, block};
    for (uint32_t first = 0; first < 65536; first += block) {
        for (uint32_t i = 0; i < block; i++) h[i] = (uint16_t)(first + i);
        for (int k = -2; k <= 2 && what >= 2; k++) {
            /* The value, the midpoint to the next, and their neighbours. */
            for (uint32_t i = 0; i < block; i++) {
                uint16_t w[2] = {h[i], (uint16_t)(h[i] + 1)};
                const double a = meaning(w[0], exp_bits, frac_bits);
                const double b = meaning(w[1], exp_bits, frac_bits);
                float v =
                    (float)((kc_rand(t) & 1) != 0 && !isinf(b) ? (a + b) / 2
                                                               : a);
                uint32_t u = 0;
                memcpy(&u, &v, 4);
                u += (uint32_t)k;
                memcpy(&f[i], &u, 4);
            }
            if (!kc_call(t, thunk, &c)) return;
            for (uint32_t i = 0; i < block; i++)
                if (misrounded(f[i], back[i], exp_bits, frac_bits) != 0)
                    kc_fail(t, "%a became 0x%04x", (double)f[i], back[i]);
        }
        if (what >= 2) continue;
        if (!kc_call(t, thunk, &c)) return;
        for (uint32_t i = 0; i < block; i++) {
            const float want = (float)meaning(h[i], exp_bits, frac_bits);
            if (!kc_same_f32(t, "widened", &f[i], &want, 1)) return;
        }
    }
}

void kc_family_cvt(kc *t)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *r = &table[i];
        for (int what = 0; what < 4; what++) {
            if (!kc_begin(t, r->names[what], r->isa)) continue;
            check_shapes(t, r, what);
            check_all(t, r, what);
            if (!kc_bench_begin(t)) continue;
            const size_t n = 4096;
            call c = {&r->k, what, kc_own(t, n * 4), kc_own(t, n * 4), n};
            kc_bench(t, "n=4096", 0, 6 * (double)n, thunk, &c);
        }
    }
}
