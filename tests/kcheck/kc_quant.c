/* SPDX-License-Identifier: Apache-2.0 */
/* kc_quant.c - 8-bit conversions, bit for bit */
#include "kcheck.h"
#include "kernels/quant/quant.h"

#include <math.h>
#include <string.h>

typedef struct row {
    const char *names[6]; /* to_u8, to_s8, from_u8, from_s8, add_u8, add_s8 */
    uint32_t isa;
    tni_quant_kernels k;
} row;

static const row table[] = {
#define TN_QUANT_KERNEL(isa, to_u8, to_s8, from_u8, from_s8, add_u8, add_s8)   \
    {{#to_u8, #to_s8, #from_u8, #from_s8, #add_u8, #add_s8},                   \
     isa,                                                                      \
     {to_u8, to_s8, from_u8, from_s8, add_u8, add_s8}},
#include "kernels/quant/quant.def"
#undef TN_QUANT_KERNEL
};

typedef struct call {
    const tni_quant_kernels *k;
    int what;
    const void *x;
    void *y;
    size_t n;
    float scale;
    int zero_point;
} call;

static void thunk(void *p)
{
    const call *c = p;
    switch (c->what) {
    case 0: c->k->u8_from_f32(c->x, c->y, c->n, c->scale, c->zero_point); break;
    case 1: c->k->s8_from_f32(c->x, c->y, c->n, c->scale, c->zero_point); break;
    case 2: c->k->f32_from_u8(c->x, c->y, c->n, c->scale, c->zero_point); break;
    default:
        c->k->f32_from_s8(c->x, c->y, c->n, c->scale, c->zero_point);
        break;
    }
}

static int quantized(const call *c, float x)
{
    const int lo = c->what == 0 ? 0 : -128, hi = c->what == 0 ? 255 : 127;
    const float ratio = x / c->scale;
    if (isnan(ratio)) return lo;
    const double q = nearbyint((double)ratio) + c->zero_point;
    return q < lo ? lo : q > hi ? hi : (int)q;
}

static void check(kc *t, const row *r, int what)
{
    while (kc_case(t, 160)) {
        const size_t n = kc_sweep(t, "n", 16, 500);
        const size_t from = what < 2 ? 4 : 1, to = what < 2 ? 1 : 4;
        uint8_t *x = kc_in(t, n * from, from), *y = kc_out(t, n * to, to);
        uint8_t *want = kc_own(t, n * to);
        call c = {&r->k, what, x, y, n, 0, 0};
        /* Powers of two give ties; others give quotients near them. */
        c.scale = (kc_rand(t) & 1) != 0 ? 0.25f : (float)kc_uniform(t, 0.01, 2);
        c.zero_point =
            (int)kc_pick(t, "zero", 0, 255) - (what % 2 != 0 ? 128 : 0);
        if (what >= 2) {
            kc_fill_bytes(t, x, n);
        } else if (kc_index(t) % 3 == 0) {
            kc_fill_special(t, (float *)(void *)x, n);
        } else {
            for (size_t i = 0; i < n; i++) {
                const double q = kc_uniform(t, -400, 400);
                const float v =
                    (float)((double)c.scale * (nearbyint(2 * q) / 2));
                memcpy(x + 4 * i, &v, 4);
            }
        }
        if (!kc_call(t, thunk, &c)) return;
        for (size_t i = 0; i < n; i++) {
            if (what < 2) {
                float v = 0;
                memcpy(&v, x + 4 * i, 4);
                want[i] = (uint8_t)quantized(&c, v);
            } else {
                const int q = what == 2 ? x[i] : (int8_t)x[i];
                const float v = (float)(q - c.zero_point) * c.scale;
                memcpy(want + 4 * i, &v, 4);
            }
        }
        if (!kc_same(t, "y", y, want, n, to)) return;
    }
}

typedef struct sum_call {
    const tni_quant_kernels *k;
    bool is_signed;
    const void *a, *b;
    void *y;
    size_t n;
    float ra, rb, fixed;
} sum_call;

static void sum_thunk(void *p)
{
    const sum_call *c = p;
    if (c->is_signed)
        c->k->add_s8(c->a, c->b, c->y, c->n, c->ra, c->rb, c->fixed);
    else
        c->k->add_u8(c->a, c->b, c->y, c->n, c->ra, c->rb, c->fixed);
}

static void check_sum(kc *t, const row *r, bool is_signed)
{
    while (kc_case(t, 100)) {
        const size_t n = kc_sweep(t, "n", 16, 500);
        uint8_t *a = kc_in(t, n, 1), *b = kc_in(t, n, 1), *y = kc_out(t, n, 1);
        uint8_t *want = kc_own(t, n);
        sum_call c = {&r->k, is_signed, a, b, y, n, 0, 0, 0};
        /* Halves give ties. */
        const bool ties = (kc_rand(t) & 1) != 0;
        c.ra = ties ? 0.5f : (float)kc_uniform(t, 0.01, 2);
        c.rb = ties ? 0.5f : (float)kc_uniform(t, 0.01, 2);
        c.fixed = ties ? -20.0f : (float)kc_uniform(t, -300, 100);
        kc_fill_bytes(t, a, n);
        kc_fill_bytes(t, b, n);
        if (!kc_call(t, sum_thunk, &c)) return;
        for (size_t i = 0; i < n; i++) {
            const int u = is_signed ? (int8_t)a[i] : a[i];
            const int v = is_signed ? (int8_t)b[i] : b[i];
            const float s = fmaf(c.ra, (float)u, fmaf(c.rb, (float)v, c.fixed));
            const float lo = is_signed ? -128.0f : 0.0f;
            want[i] = (uint8_t)(int)rintf(fminf(fmaxf(s, lo), lo + 255.0f));
        }
        if (!kc_same(t, "y", y, want, n, 1)) return;
    }
}

static void family_sums(kc *t, const row *r)
{
    for (int s8 = 0; s8 < 2; s8++) {
        if (!kc_begin(t, r->names[4 + s8], r->isa)) continue;
        check_sum(t, r, s8 != 0);
        if (!kc_bench_begin(t)) continue;
        const size_t n = 4096;
        sum_call c = {&r->k, s8 != 0, kc_own(t, n), kc_own(t, n), kc_own(t, n),
                      n,     0.5f,    0.5f,         1.0f};
        kc_bench(t, "n=4096", 0, 3 * (double)n, sum_thunk, &c);
    }
}

void kc_family_quant(kc *t)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *r = &table[i];
        for (int what = 0; what < 4; what++) {
            if (!kc_begin(t, r->names[what], r->isa)) continue;
            check(t, r, what);
            if (!kc_bench_begin(t)) continue;
            const size_t n = 4096;
            call c = {&r->k, what, kc_own(t, n * 4), kc_own(t, n * 4), n, 1, 0};
            kc_bench(t, "n=4096", 0, 5 * (double)n, thunk, &c);
        }
        family_sums(t, r);
    }
}
