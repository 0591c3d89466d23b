/* SPDX-License-Identifier: Apache-2.0 */
/* kc_bgemm.c - products of bfloat16 pairs against the instruction's definition */
#include "kcheck.h"
#include "kernels/bgemm/bgemm.h"
#include "tensor/half.h"

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

static float flush(float x)
{
    return fabsf(x) < 0x1p-126f ? copysignf(0.0f, x) : x;
}

/* One element by the words of the manual. */
static float element(const float *a, const float *b, size_t b_step, size_t k)
{
    float sum = 0.0f;
    for (size_t i = 0; i < k; i += 2) {
        for (size_t q = i + 2; q-- > i;) {
            const bool in = q < k;
            const float x = in ? tni_bf16_to_f32(tni_f32_to_bf16(a[q])) : 0.0f;
            const float y =
                in ? tni_bf16_to_f32(tni_f32_to_bf16(b[q * b_step])) : 0.0f;
            sum = flush(fmaf(flush(x), flush(y), flush(sum)));
        }
    }
    return sum;
}

/* Rows without the instruction keep denormals: they do not get any. */
static bool takes_denormals(const tni_gemm_kernels *ker)
{
    return ker->isa == TN_ISA_REF || (ker->isa & TN_ISA_AVX512_BF16) != 0;
}

/* Normal values, at times with some so small that sums and terms are
 * denormal. */
static float *operand(kc *t, size_t n, bool tiny)
{
    float *x = kc_own(t, n * 4);
    kc_fill_normal(t, x, n);
    for (size_t i = 0; tiny && i < n; i++)
        if (kc_rand(t) % 3 == 0)
            x[i] *= kc_rand(t) % 2 == 0 ? 0x1p-64f : 0x1p-127f;
    return x;
}

static void set_b(kc *t, call *c, const float *b, bool trans, size_t k)
{
    size_t len = 0;
    tni_gemm *g = &c->g;
    if (!tni_gemm_packed_b_len(c->ker, g->k, g->n, &len)) return;
    float *packed = kc_in(t, len * 4, 64);
    if (trans) {
        float *turned = kc_own(t, k * g->n * 4);
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < g->n; j++)
                turned[j * k + i] = b[i * g->n + j];
        tni_bgemm_pack_b(c->ker, tni_bf16_from_f32__ref, packed, turned, k,
                         true, k, g->n);
    } else {
        tni_bgemm_pack_b(c->ker, tni_bf16_from_f32__ref, packed, b, g->n, false,
                         k, g->n);
    }
    g->b_packed = packed;
}

static float *pairs_of(kc *t, const float *a, size_t m, size_t k)
{
    const size_t kp = tni_bgemm_pairs(k);
    float *p = kc_in(t, m * kp * 4, 4);
    for (size_t i = 0; i < m; i++)
        tni_bgemm_pair_row(tni_bf16_from_f32__ref, p + i * kp, a + i * k, k);
    return p;
}

static void one_case(kc *t, call *c)
{
    const tni_gemm_kernels *ker = c->ker;
    const tni_epilogue none = TNI_EPILOGUE_NONE;
    tni_gemm *g = &c->g;
    memset(g, 0, sizeof *g);
    g->m = kc_dim(t, "m", (size_t)ker->mr, 40);
    g->n = kc_dim(t, "n", (size_t)ker->nr, 140);
    const size_t k = kc_dim(t, "k", 8, kc_index(t) % 16 == 0 ? 1200 : 60);
    const bool tiny = kc_pick(t, "tiny", 0, 3) == 0 && takes_denormals(ker);
    g->k = g->lda = tni_bgemm_pairs(k);
    g->ldb = g->n;
    g->ldc = g->n + kc_pick(t, "ldc", 0, 5);
    const float *a = operand(t, g->m * k, tiny);
    const float *b = operand(t, k * g->n, tiny);
    set_b(t, c, b, kc_pick(t, "trans", 0, 1) == 1, k);
    g->a = pairs_of(t, a, g->m, k);
    const size_t c_len =
        g->m == 0 || g->n == 0 ? 0 : (g->m - 1) * g->ldc + g->n;
    g->c = kc_out(t, c_len * 4, 4);
    c->epi = none;
    float *bias = kc_in(t, g->n * 4, 4);
    kc_fill_normal(t, bias, g->n);
    if (kc_pick(t, "bias", 0, 1) == 1) c->epi.bias_col = bias;
    tni_gemm_plan_init(&c->plan, ker, g);
    c->scratch = kc_out(t, c->plan.scratch_len * 4, 64);
    if (!kc_call(t, thunk, c)) return;

    float *want = kc_own(t, g->n * 4);
    for (size_t i = 0; i < g->m; i++) {
        for (size_t j = 0; j < g->n; j++) {
            want[j] = element(a + i * k, b + j, g->n, k);
            if (c->epi.bias_col != NULL) want[j] += bias[j];
        }
        if (!kc_same_f32(t, "row of c", g->c + i * g->ldc, want, g->n)) return;
    }
}

static void bench(kc *t, const tni_gemm_kernels *ker)
{
    static const struct {
        size_t m, n, k;
        const char *label;
    } shapes[] = {{1, 1024, 1024, "m=1 n=1024 k=1024"},
                  {1, 4096, 4096, "m=1 n=4096 k=4096"},
                  {3, 4096, 4096, "m=3 n=4096 k=4096"},
                  {128, 768, 768, "m=128 n=768 k=768"},
                  {512, 512, 512, "m=512 n=512 k=512"}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const size_t m = shapes[i].m, n = shapes[i].n, k = shapes[i].k;
        const tni_epilogue none = TNI_EPILOGUE_NONE;
        call c = {.ker = ker, .epi = none};
        size_t len = 0;
        if (!tni_gemm_packed_b_len(ker, k / 2, n, &len)) return;
        float *a = kc_own(t, m * k * 4), *b = kc_own(t, k * n * 4);
        float *packed = kc_own(t, len * 4), *pairs = kc_own(t, m * k * 2);
        kc_fill_normal(t, a, m * k);
        kc_fill_normal(t, b, k * n);
        tni_bgemm_pack_b(ker, tni_bf16_from_f32__ref, packed, b, n, false, k,
                         n);
        tni_bgemm_pair_row(tni_bf16_from_f32__ref, pairs, a, m * k);
        c.g = (tni_gemm){.m = m, .n = n, .k = k / 2, .a = pairs, .lda = k / 2};
        c.g.b_packed = packed;
        c.g.ldc = n;
        c.g.c = kc_own(t, m * n * 4);
        tni_gemm_plan_init(&c.plan, ker, &c.g);
        c.scratch = kc_own(t, c.plan.scratch_len * 4);
        kc_bench(t, shapes[i].label, 2.0 * (double)m * (double)n * (double)k,
                 2.0 * (double)(m * k + k * n + 2 * m * n), thunk, &c);
    }
}

void kc_family_bgemm(kc *t)
{
    static const char *const names[] = {
#define TN_BGEMM_KERNEL(isa, name, mr, nr, kc) "tni_bgemm__" #name,
#include "kernels/bgemm/bgemm.def"
#undef TN_BGEMM_KERNEL
    };
    tni_gemm_kernels ker;
    for (int i = 0; tni_bgemm_row(&ker, i); i++) {
        if (!kc_begin(t, names[i], ker.isa)) continue;
        call c = {.ker = &ker};
        while (kc_case(t, 300)) one_case(t, &c);
        if (kc_bench_begin(t)) bench(t, &ker);
    }
}
