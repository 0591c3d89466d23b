/* SPDX-License-Identifier: Apache-2.0 */
/* kc_unary.c - elementwise functions against a double reference */
#include "kcheck.h"
#include "kernels/unary/unary.h"

#include <math.h>
#include <string.h>

typedef struct row {
    const char *name;
    uint32_t isa;
    tni_unary_op op;
    tni_unary_f32_fn fn;
} row;

static const row rows[] = {
#define TN_UNARY_KERNEL(isa, op, fn) {#fn, isa, TNI_UNARY_##op, fn},
#include "kernels/unary/unary.def"
#undef TN_UNARY_KERNEL
};

static tni_unary_f32_fn reference(tni_unary_op op)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == op && rows[i].isa == 0) return rows[i].fn;
    return NULL;
}

/* Another vector row of the function that this machine can run. */
static tni_unary_f32_fn sibling(const kc *t, const row *r)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].op == r->op && rows[i].isa != 0 && rows[i].fn != r->fn &&
            kc_runs(t, rows[i].isa))
            return rows[i].fn;
    return NULL;
}

typedef struct call {
    tni_unary_f32_fn fn;
    const float *x;
    float *y;
    size_t n;
    float params[4];
} call;

static void thunk(void *p)
{
    const call *c = p;
    c->fn(c->x, c->y, c->n, c->params);
}

static double sigmoid(double v)
{
    return v < 0 ? exp(v) / (1 + exp(v)) : 1 / (1 + exp(-v));
}

static double softplus(double v)
{
    return (v > 0 ? v : 0) + log1p(exp(-fabs(v)));
}

/* The true value, for the functions that are not exact. */
static double truth(tni_unary_op op, double v, const float *params)
{
    const double p0 = (double)params[0], p1 = (double)params[1];
    switch (op) {
    case TNI_UNARY_ELU:
        return p1 * (v > 0 ? v : p0 * expm1((double)params[2] * v));
    case TNI_UNARY_ERF: return erf(v);
    case TNI_UNARY_EXP: return exp(v);
    case TNI_UNARY_GELU_ERF: return 0.5 * v * erfc(-v * 0.70710678118654752440);
    case TNI_UNARY_GELU_TANH:
        return v * sigmoid(1.5957691216057308 * (v + 0.044715 * v * v * v));
    case TNI_UNARY_LOG: return log(v);
    case TNI_UNARY_MISH: return v * tanh(softplus(v));
    case TNI_UNARY_QUICKGELU: return v * sigmoid(p0 * v);
    case TNI_UNARY_SIGMOID: return sigmoid(v);
    case TNI_UNARY_SILU: return v * sigmoid(v);
    case TNI_UNARY_SOFTPLUS: return softplus(v);
    case TNI_UNARY_TANH: return tanh(v);
    default: return (double)NAN;
    }
}

static void draw_params(kc *t, tni_unary_op op, float *p)
{
    memset(p, 0, 4 * sizeof *p);
    const double a = kc_uniform(t, 0.25, 2);
    switch (op) {
    case TNI_UNARY_CLIP:
        p[0] = (float)kc_uniform(t, -2, 0);
        p[1] = (float)kc_uniform(t, 0, 2);
        break;
    case TNI_UNARY_ELU:
        p[0] = (float)a;
        p[1] = 1.0507f;
        p[2] = 1.0f;
        break;
    case TNI_UNARY_HARDSIGMOID:
        p[0] = (float)kc_uniform(t, 0.1, 0.5);
        p[1] = 0.5f;
        break;
    case TNI_UNARY_QUICKGELU: p[0] = 1.702f; break;
    default: p[0] = (float)a; break;
    }
}

static bool within(kc *t, const row *r, const call *c, const float *x)
{
    const tni_unary_info *info = tni_unary_describe(r->op);
    for (size_t i = 0; i < c->n; i++) {
        const double v = (double)x[i], want = truth(r->op, v, c->params);
        const double err = kc_ulp(c->y[i], want);
        if (err <= (double)info->ulp) continue;
        if (fabs((double)c->y[i] - want) <= (double)info->abs * fabs(v))
            continue;
        kc_fail(t, "y[%zu]: f(%.9g = %a) got %.9g want %.9g, %.2f ulp > %g", i,
                v, v, (double)c->y[i], want, err, (double)info->ulp);
        return false;
    }
    return true;
}

static bool is_exact(tni_unary_op op)
{
    const tni_unary_info *info = tni_unary_describe(op);
    return info->ulp == 0.0f && info->abs == 0.0f;
}

static void check_values(kc *t, const row *r, const call *c, const float *x)
{
    if (!is_exact(r->op)) {
        if (!within(t, r, c, x)) return;
        const tni_unary_f32_fn other = sibling(t, r);
        if (r->isa == 0 || other == NULL) return;
        float *same = kc_own(t, c->n * sizeof(float));
        other(x, same, c->n, c->params);
        (void)kc_same_f32(t, "other ISA", c->y, same, c->n);
    } else {
        float *want = kc_own(t, c->n * sizeof(float));
        reference(r->op)(x, want, c->n, c->params);
        if (!kc_same_f32(t, "y", c->y, want, c->n)) return;
    }
}

/* Lengths, alignment, aliasing and position. */
static void check_shapes(kc *t, const row *r)
{
    while (kc_case(t, 120)) {
        const size_t n = kc_sweep(t, "n", 16, 700);
        const bool alias = kc_pick(t, "alias", 0, 1) != 0;
        float *x = kc_own(t, n * 4);
        call c = {.fn = r->fn, .n = n};
        draw_params(t, r->op, c.params);
        if (kc_index(t) % 3 == 0)
            kc_fill_special(t, x, n);
        else if (kc_index(t) % 3 == 1)
            kc_fill_wide(t, x, n);
        else
            kc_fill_normal(t, x, n);
        float *in = alias ? kc_out(t, n * 4, 4) : kc_in(t, n * 4, 4);
        memcpy(in, x, n * 4);
        c.x = in;
        c.y = alias ? in : kc_out(t, n * 4, 4);
        if (!kc_call(t, thunk, &c)) return;
        check_values(t, r, &c, x);
        float *alone = kc_own(t, n * 4);
        for (size_t i = 0; i < n; i++) r->fn(x + i, alone + i, 1, c.params);
        if (!kc_same_f32(t, "alone", alone, c.y, n)) return;
    }
}

/* Every stride-th float of all 2^32, the start differing by seed. */
static void check_all(kc *t, const row *r)
{
    enum { block = 4096 };
    const uint32_t stride = kc_exhaustive(t) ? 1u : 40009u;
    uint64_t bits = kc_rand(t) % stride;
    float *x = kc_own(t, block * 4), *y = kc_own(t, block * 4);
    call c = {.fn = r->fn, .x = x, .y = y};
    draw_params(t, r->op, c.params);
    while (bits < (uint64_t)1 << 32) {
        for (c.n = 0; c.n < block && bits < (uint64_t)1 << 32; c.n++) {
            const uint32_t u = (uint32_t)bits;
            memcpy(&x[c.n], &u, 4);
            bits += stride;
        }
        if (!kc_call(t, thunk, &c)) return;
        if (!within(t, r, &c, x)) return;
    }
}

static void bench(kc *t, const row *r)
{
    const size_t n = 4096;
    float *x = kc_own(t, n * 4);
    call c = {.fn = r->fn, .x = x, .y = kc_own(t, n * 4), .n = n};
    kc_fill_normal(t, x, n);
    for (size_t i = 0; i < n; i++)
        if (r->op == TNI_UNARY_LOG || r->op == TNI_UNARY_SQRT)
            x[i] = fabsf(x[i]);
    draw_params(t, r->op, c.params);
    kc_bench(t, "n=4096", (double)n, 8.0 * (double)n, thunk, &c);
}

void kc_family_unary(kc *t)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const row *r = &rows[i];
        if (!kc_begin(t, r->name, r->isa)) continue;
        check_shapes(t, r);
        if (!is_exact(r->op)) check_all(t, r);
        if (kc_bench_begin(t)) bench(t, r);
    }
}
