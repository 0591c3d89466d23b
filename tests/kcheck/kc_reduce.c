/* SPDX-License-Identifier: Apache-2.0 */
/* kc_reduce.c - reductions: exact integers, and the promised order of bits */
#include "kcheck.h"
#include "kernels/reduce/reduce.h"

#include <math.h>
#include <string.h>

typedef struct row {
    const char *name, *rows_name;
    uint32_t isa;
    tni_reduce_op op;
    tni_reduce_row_fn row;
    tni_reduce_rows_fn rows;
} row;

static const row table[] = {
#define TN_REDUCE_KERNEL(isa, op, row, rows)                                   \
    {#row, #rows, isa, TNI_REDUCE_##op, row, rows},
#include "kernels/reduce/reduce.def"
#undef TN_REDUCE_KERNEL
};

typedef struct call {
    const row *r;
    const float *x;
    float *y;
    size_t m, n, stride;
} call;

static void row_thunk(void *p)
{
    const call *c = p;
    *c->y = c->r->row(c->x, c->n);
}

static void rows_thunk(void *p)
{
    const call *c = p;
    c->r->rows(c->x, c->y, c->m, c->n, c->stride);
}

static const row *reference(tni_reduce_op op)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].op == op && table[i].isa == 0) return &table[i];
    return &table[0]; /* every operation has a plain row: never reached */
}

/* In double, over n values `step` apart. */
static double truth(tni_reduce_op op, const float *x, size_t n, size_t step)
{
    double a = op == TNI_REDUCE_MAX    ? -HUGE_VAL
               : op == TNI_REDUCE_MIN  ? HUGE_VAL
               : op == TNI_REDUCE_PROD ? 1
                                       : 0;
    for (size_t i = 0; i < n; i++) {
        const double v = (double)x[i * step];
        switch (op) {
        case TNI_REDUCE_MAX: a = v > a ? v : a; break;
        case TNI_REDUCE_MIN: a = v < a ? v : a; break;
        case TNI_REDUCE_PROD: a *= v; break;
        case TNI_REDUCE_SUM: a += v; break;
        case TNI_REDUCE_SUMABS: a += fabs(v); break;
        case TNI_REDUCE_SUMSQ: a += v * v; break;
        default: break;
        }
    }
    return a;
}

/* Data for which every order of operations is exact: integers whose sums stay
 * below 2^24, and signs and a few powers of two for products. */
static void fill_exact(kc *t, tni_reduce_op op, float *x, size_t n)
{
    kc_fill_int(t, x, n, op == TNI_REDUCE_PROD ? 1 : 4);
    if (op != TNI_REDUCE_PROD) return;
    for (size_t i = 0; i < n; i++)
        if (kc_rand(t) % 16 == 0) x[i] *= (kc_rand(t) & 1) != 0 ? 2.0f : 0.5f;
}

static void fill(kc *t, float *x, size_t n)
{
    if (kc_index(t) % 2 != 0)
        kc_fill_special(t, x, n);
    else
        kc_fill_wide(t, x, n);
}

static void check_row(kc *t, const row *r)
{
    while (kc_case(t, 200)) {
        const size_t n = kc_sweep(t, "n", 32, 3000);
        const bool exact = kc_index(t) % 3 != 0;
        float *x = kc_in(t, n * 4, 4);
        call c = {r, x, kc_out(t, 4, 4), 1, n, n};
        if (exact)
            fill_exact(t, r->op, x, n);
        else
            fill(t, x, n);
        if (!kc_call(t, row_thunk, &c)) return;
        const float want =
            exact ? (float)truth(r->op, x, n, 1) : reference(r->op)->row(x, n);
        if (!kc_same_f32(t, "result", c.y, &want, 1)) return;
    }
}

static void check_rows(kc *t, const row *r)
{
    while (kc_case(t, 150)) {
        const size_t n = kc_sweep(t, "n", 16, 300), m = kc_dim(t, "m", 8, 90);
        const size_t stride = n + kc_pick(t, "gap", 0, 9);
        const size_t size = m > 0 ? (m - 1) * stride + n : 0;
        const bool exact = kc_index(t) % 3 != 0;
        float *x = kc_in(t, size * 4, 4), *want = kc_own(t, n * 4);
        call c = {r, x, kc_out(t, n * 4, 4), m, n, stride};
        if (exact)
            fill_exact(t, r->op, x, size);
        else
            fill(t, x, size);
        if (exact)
            for (size_t j = 0; j < n; j++)
                want[j] = (float)truth(r->op, x + j, m, stride);
        else
            reference(r->op)->rows(x, want, m, n, stride);
        if (!kc_call(t, rows_thunk, &c)) return;
        if (!kc_same_f32(t, "y", c.y, want, n)) return;
    }
}

static void bench(kc *t, const row *r, kc_thunk thunk, size_t m, size_t n,
                  const char *label)
{
    const double size = (double)(m * n);
    call c = {r, kc_own(t, m * n * 4), kc_own(t, n * 4), m, n, n};
    kc_bench(t, label, size, 4 * size, thunk, &c);
}

void kc_family_reduce(kc *t)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *r = &table[i];
        if (kc_begin(t, r->name, r->isa)) {
            check_row(t, r);
            if (kc_bench_begin(t)) bench(t, r, row_thunk, 1, 4096, "n=4096");
        }
        if (kc_begin(t, r->rows_name, r->isa)) {
            check_rows(t, r);
            if (kc_bench_begin(t))
                bench(t, r, rows_thunk, 49, 128, "m=49 n=128");
        }
    }
}
