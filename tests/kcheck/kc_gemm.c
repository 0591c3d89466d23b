/* SPDX-License-Identifier: Apache-2.0 */
/* kc_gemm.c - f32 multiplication of every shape, transposition and packing */
#include "kcheck.h"
#include "kernels/gemm/gemm.h"

#include <math.h>
#include <string.h>

typedef struct call {
    const tni_gemm_kernels *ker;
    tni_gemm_plan plan;
    tni_gemm g;
    tni_epilogue epi;
    float *scratch;
} call;

static void thunk(void *p)
{
    call *c = p;
    tni_gemm_run(c->ker, &c->plan, &c->g, &c->epi, c->scratch, NULL);
}

/* Twice x, plus a parameter: exact on small integers. */
static void act(const float *x, float *y, size_t n, const float *params)
{
    for (size_t i = 0; i < n; i++) y[i] = 2.0f * x[i] + params[0];
}

static float at(const float *x, size_t ld, bool trans, size_t r, size_t c)
{
    return trans ? x[c * ld + r] : x[r * ld + c];
}

/* The plain sum of one element and the sum of magnitudes. */
static double sum(const call *c, const float *a, const float *b, size_t i,
                  size_t j, double *mag)
{
    double s = 0;
    *mag = 0;
    for (size_t k = 0; k < c->g.k; k++) {
        const double x = (double)at(a, c->g.lda, c->g.a_trans, i, k) *
                         (double)at(b, c->g.ldb, c->g.b_trans, k, j);
        s += x;
        *mag += fabs(x);
    }
    return s;
}

static double finish(const tni_epilogue *e, double s, size_t i, size_t j)
{
    s *= (double)e->alpha;
    if (e->bias_row != NULL) s += (double)e->bias_row[i];
    if (e->bias_col != NULL) s += (double)e->bias_col[j];
    if (e->add != NULL)
        s += (double)e->beta * (double)e->add[i * e->add_ld + j];
    if (e->clip) s = fmin(fmax(s, (double)e->lo), (double)e->hi);
    return e->act != NULL ? 2 * s + (double)e->act_params[0] : s;
}

/* Rows of `ld` floats of which the last ends where its data ends. */
static size_t extent(size_t rows, size_t cols, size_t ld)
{
    return rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
}

static void fill(kc *t, float *x, size_t n, bool exact)
{
    if (exact)
        kc_fill_int(t, x, n, 3);
    else
        kc_fill_normal(t, x, n);
}

static const float *input(kc *t, size_t n, bool exact)
{
    float *x = kc_in(t, n * 4, 4);
    fill(t, x, n, exact);
    return x;
}

static void draw_epilogue(kc *t, call *c, bool exact)
{
    static const float param = 3.0f;
    const tni_epilogue none = TNI_EPILOGUE_NONE;
    const size_t bits = kc_pick(t, "epilogue", 0, 127);
    const tni_gemm *g = &c->g;
    c->epi = none;
    if (bits & 1) c->epi.bias_row = input(t, g->m, exact);
    if (bits & 2) c->epi.bias_col = input(t, g->n, exact);
    if (bits & 4) {
        c->epi.add_ld = bits & 8 ? 0 : g->n + 3;
        c->epi.add = input(t, extent(g->m, g->n, c->epi.add_ld), exact);
    }
    if (bits & 8) c->epi.alpha = 2.0f;
    if (bits & 16) c->epi.beta = -3.0f;
    if (bits & 32) {
        c->epi.clip = true;
        c->epi.lo = -5.0f;
        c->epi.hi = 40.0f;
    }
    if (bits & 64) {
        c->epi.act = act;
        c->epi.act_params = &param;
    }
}

static void one_case(kc *t, call *c, bool exact)
{
    const tni_gemm_kernels *ker = c->ker;
    tni_gemm *g = &c->g;
    memset(g, 0, sizeof *g);
    g->m = kc_dim(t, "m", (size_t)ker->mr, 150);
    g->n = kc_dim(t, "n", (size_t)ker->nr, 150);
    g->k = kc_dim(t, "k", 8, kc_index(t) % 16 == 0 ? 700 : 60);
    const size_t form = kc_pick(t, "form", 0, 8);
    g->a_trans = form % 2 == 1;
    g->b_trans = form / 2 % 2 == 1;
    g->lda = (g->a_trans ? g->m : g->k) + kc_pick(t, "lda", 0, 5);
    g->ldb = (g->b_trans ? g->k : g->n) + kc_pick(t, "ldb", 0, 5);
    g->ldc = g->n + kc_pick(t, "ldc", 0, 5);

    const float *a = input(
        t, g->a_trans ? extent(g->k, g->m, g->lda) : extent(g->m, g->k, g->lda),
        exact);
    const float *b = input(
        t, g->b_trans ? extent(g->n, g->k, g->ldb) : extent(g->k, g->n, g->ldb),
        exact);
    size_t len = 0;
    g->a = a;
    g->b = b;
    if (form == 8 && tni_gemm_packed_a_len(ker, g->m, g->k, &len)) {
        float *packed = kc_in(t, len * 4, 64);
        tni_gemm_pack_a(ker, packed, a, g->lda, g->a_trans, g->m, g->k);
        g->a_packed = packed;
        g->a = NULL;
    } else if (form >= 4 && tni_gemm_packed_b_len(ker, g->k, g->n, &len)) {
        float *packed = kc_in(t, len * 4, 64);
        tni_gemm_pack_b(ker, packed, b, g->ldb, g->b_trans, g->k, g->n);
        g->b_packed = packed;
        g->b = NULL;
    }
    g->c = kc_out(t, extent(g->m, g->n, g->ldc) * 4, 4);
    draw_epilogue(t, c, exact);
    tni_gemm_plan_init(&c->plan, ker, g);
    c->scratch = kc_out(t, c->plan.scratch_len * 4, 64);
    if (!kc_call(t, thunk, c)) return;

    float *got = kc_own(t, g->n * 4), *want = kc_own(t, g->n * 4);
    double *exp = kc_own(t, g->n * 8), *tol = kc_own(t, g->n * 8);
    for (size_t i = 0; i < g->m; i++) {
        for (size_t j = 0; j < g->n; j++) {
            double mag = 0;
            exp[j] = finish(&c->epi, sum(c, a, b, i, j, &mag), i, j);
            want[j] = (float)exp[j];
            got[j] = g->c[i * g->ldc + j];
            tol[j] = 0x1p-24 * (double)(g->k + 9) * 8 * (mag + 4);
        }
        if (!(exact ? kc_same_f32(t, "row of c", got, want, g->n)
                    : kc_near(t, "row of c", got, exp, tol, g->n)))
            return;
    }
}

/* All vector rows sum alike: one chain of fused multiply-adds, for rows
 * multiplied in groups of any size. */
static void same_bits(kc *t, const tni_gemm_kernels *ker)
{
    /* Or rows that lie 4096 bytes apart, which some drivers copy. */
    const bool apart = kc_pick(t, "apart", 0, 1) != 0;
    const size_t m = 37, n = apart ? 150 : 51, k = apart ? 1024 : 600;
    float *a = kc_own(t, m * k * 4), *b = kc_own(t, k * n * 4);
    float *got = kc_own(t, m * n * 4), *want = kc_own(t, m * n * 4);
    kc_fill_normal(t, a, m * k);
    kc_fill_normal(t, b, k * n);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            float s = 0;
            for (size_t q = 0; q < k; q++) {
                if (ker->isa == 0)
                    s += a[i * k + q] * b[q * n + j];
                else
                    s = fmaf(a[i * k + q], b[q * n + j], s);
            }
            want[i * n + j] = s;
        }
    }
    const size_t step = kc_pick(t, "rows", 1, 20);
    float *scratch = kc_own(t, 300 * 1000 * 4);
    for (size_t i = 0; i < m; i += step) {
        const tni_epilogue none = TNI_EPILOGUE_NONE;
        call c = {.ker = ker, .epi = none};
        c.g = (tni_gemm){.n = n, .k = k, .lda = k, .ldb = n, .ldc = n};
        c.g.m = step < m - i ? step : m - i;
        c.g.a = a + i * k;
        c.g.b = b;
        c.g.c = got + i * n;
        tni_gemm_plan_init(&c.plan, ker, &c.g);
        c.scratch = scratch;
        if (!kc_call(t, thunk, &c)) return;
    }
    (void)kc_same_f32(t, "c", got, want, m * n);
}

static void bench(kc *t, const tni_gemm_kernels *ker)
{
    static const size_t shapes[][3] = {
        {512, 512, 512}, {1024, 1024, 1024}, {128, 768, 768}, {128, 3072, 768},
        {1, 1024, 1024}, {4, 1024, 1024},    {49, 512, 2048}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const size_t m = shapes[i][0], n = shapes[i][1], k = shapes[i][2];
        const tni_epilogue none = TNI_EPILOGUE_NONE;
        static const char *const labels[] = {
            "m=512 n=512 k=512",  "m=1024 n=1024 k=1024", "m=128 n=768 k=768",
            "m=128 n=3072 k=768", "m=1 n=1024 k=1024",    "m=4 n=1024 k=1024",
            "m=49 n=512 k=2048"};
        call c = {.ker = ker, .epi = none};
        size_t len = 0;
        float *a = kc_own(t, m * k * 4), *b = kc_own(t, k * n * 4);
        if (!tni_gemm_packed_b_len(ker, k, n, &len)) return;
        float *packed = kc_own(t, len * 4);
        kc_fill_normal(t, a, m * k);
        kc_fill_normal(t, b, k * n);
        tni_gemm_pack_b(ker, packed, b, n, false, k, n);
        c.g = (tni_gemm){.m = m,
                         .n = n,
                         .k = k,
                         .a = a,
                         .lda = k,
                         .b_packed = packed,
                         .ldc = n};
        c.g.c = kc_own(t, m * n * 4);
        tni_gemm_plan_init(&c.plan, ker, &c.g);
        c.scratch = kc_own(t, c.plan.scratch_len * 4);
        kc_bench(t, labels[i], 2.0 * (double)m * (double)n * (double)k,
                 4.0 * (double)(m * k + k * n + m * n), thunk, &c);
    }
}

void kc_family_gemm(kc *t)
{
    static const char *const names[] = {
#define TN_GEMM_KERNEL(isa, name, mr, nr, kc) "tni_gemm_f32__" #name,
#include "kernels/gemm/gemm.def"
#undef TN_GEMM_KERNEL
    };
    tni_gemm_kernels ker;
    for (int i = 0; tni_gemm_row(&ker, i); i++) {
        if (!kc_begin(t, names[i], ker.isa)) continue;
        call c = {.ker = &ker};
        while (kc_case(t, 400)) {
            if (kc_index(t) % 64 == 63)
                same_bits(t, &ker);
            else
                one_case(t, &c, kc_index(t) % 4 != 3);
        }
        if (kc_bench_begin(t)) bench(t, &ker);
    }
}
