/* SPDX-License-Identifier: Apache-2.0 */
/* kcheck_timing.c - median and spread of a thunk; the machine's peaks */
#define _POSIX_C_SOURCE 200809L
#include "kcheck_run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#if TN_ARCH_X86_64
#include <immintrin.h>
#elif TN_ARCH_AARCH64
#include <arm_neon.h>
#endif
#include "cpu/target.h"

enum { n_samples = 15, n_fma = 1 << 12 };

double kc_now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

kc_sample kc_measure(kc_thunk thunk, void *call, double budget_s)
{
    /* As many calls per sample as fill a fifteenth of the budget. */
    size_t n = 1;
    for (;;) {
        const double t0 = kc_now();
        for (size_t i = 0; i < n; i++) thunk(call);
        const double dt = kc_now() - t0;
        if (dt * n_samples >= budget_s || n > (1u << 24)) break;
        n = dt * n_samples * 8 < budget_s ? n * 8 : n * 2;
    }
    double ns[n_samples];
    for (int s = 0; s < n_samples; s++) {
        const double t0 = kc_now();
        for (size_t i = 0; i < n; i++) thunk(call);
        ns[s] = (kc_now() - t0) * 1e9 / (double)n;
    }
    qsort(ns, n_samples, sizeof ns[0], ascending);
    kc_sample r = {.ns = ns[n_samples / 2], .best = ns[0]};
    r.spread = (ns[3 * n_samples / 4] - ns[n_samples / 4]) / r.ns;
    return r;
}

/* Sixteen independent chains hide four cycles of latency on two ports. */
#define FMA_LOOP(T, zero, fma, one, sink)                                      \
    T a0 = zero, a1 = zero, a2 = zero, a3 = zero, a4 = zero, a5 = zero,        \
      a6 = zero, a7 = zero, a8 = zero, a9 = zero, a10 = zero, a11 = zero;      \
    const T m = one;                                                           \
    for (int i = 0; i < n_fma; i++) {                                          \
        a0 = fma(a0, m, m);                                                    \
        a1 = fma(a1, m, m);                                                    \
        a2 = fma(a2, m, m);                                                    \
        a3 = fma(a3, m, m);                                                    \
        a4 = fma(a4, m, m);                                                    \
        a5 = fma(a5, m, m);                                                    \
        a6 = fma(a6, m, m);                                                    \
        a7 = fma(a7, m, m);                                                    \
        a8 = fma(a8, m, m);                                                    \
        a9 = fma(a9, m, m);                                                    \
        a10 = fma(a10, m, m);                                                  \
        a11 = fma(a11, m, m);                                                  \
    }                                                                          \
    sink

typedef struct fma_call {
    float out[192];
    double flops; /* of one call */
} fma_call;

#define SINK(store, w)                                                         \
    store(out, a0);                                                            \
    store(out + (w), a1);                                                      \
    store(out + 2 * (w), a2);                                                  \
    store(out + 3 * (w), a3);                                                  \
    store(out + 4 * (w), a4);                                                  \
    store(out + 5 * (w), a5);                                                  \
    store(out + 6 * (w), a6);                                                  \
    store(out + 7 * (w), a7);                                                  \
    store(out + 8 * (w), a8);                                                  \
    store(out + 9 * (w), a9);                                                  \
    store(out + 10 * (w), a10);                                                \
    store(out + 11 * (w), a11)

static float scalar_madd(float a, float b, float c)
{
    return a * b + c;
}

static void scalar_store(float *p, float v)
{
    *p = v;
}

static void fma_ref(void *call)
{
    float *out = ((fma_call *)call)->out;
    const float one = out[0] * 0.0f + 0.5f;
    FMA_LOOP(float, 0.0f, scalar_madd, one, SINK(scalar_store, 1));
}

#if TN_ARCH_X86_64
TN_TARGET_BEGIN(TN_TARGET_AVX2)
static void fma_avx2(void *call)
{
    float *out = ((fma_call *)call)->out;
    FMA_LOOP(__m256, _mm256_setzero_ps(), _mm256_fmadd_ps, _mm256_set1_ps(0.5f),
             SINK(_mm256_storeu_ps, 8));
}
TN_TARGET_END
TN_TARGET_BEGIN(TN_TARGET_AVX512)
static void fma_avx512(void *call)
{
    float *out = ((fma_call *)call)->out;
    FMA_LOOP(__m512, _mm512_setzero_ps(), _mm512_fmadd_ps, _mm512_set1_ps(0.5f),
             SINK(_mm512_storeu_ps, 16));
}
TN_TARGET_END
#elif TN_ARCH_AARCH64
static float32x4_t neon_fma(float32x4_t a, float32x4_t b, float32x4_t c)
{
    return vfmaq_f32(c, a, b);
}

static void fma_neon(void *call)
{
    float *out = ((fma_call *)call)->out;
    FMA_LOOP(float32x4_t, vdupq_n_f32(0), neon_fma, vdupq_n_f32(0.5f),
             SINK(vst1q_f32, 4));
}
#endif

typedef struct copy_call {
    uint8_t *to, *from;
    size_t size;
} copy_call;

static void copy_thunk(void *call)
{
    const copy_call *c = call;
    memcpy(c->to, c->from, c->size);
    __asm__ volatile("" : : "r"(c->to) : "memory");
}

void kc_measure_peaks(kc_peak *peak, uint32_t isa)
{
    static fma_call call;
    kc_thunk fma = fma_ref;
    int width = 1;
    (void)isa;
#if TN_ARCH_X86_64
    if ((isa & TN_ISA_AVX2) != 0) {
        fma = fma_avx2;
        width = 8;
    }
    if ((isa & tn_cpu_isa() & TN_ISA_AVX512) != 0) { /* not an emulated one */
        fma = fma_avx512;
        width = 16;
    }
#elif TN_ARCH_AARCH64
    if ((isa & TN_ISA_NEON) != 0) {
        fma = fma_neon;
        width = 4;
    }
#endif
    call.flops = 2.0 * 12 * n_fma * width;
    /* The best of many samples: the peak is what the machine can do. */
    for (int i = 0; i < 5; i++) {
        const double f = call.flops * 1e9 / kc_measure(fma, &call, 0.05).best;
        if (f > peak->flops) peak->flops = f;
    }
    const size_t sizes[3] = {12 * 1024, 160 * 1024, 48u << 20};
    uint8_t *block = malloc(2 * sizes[2]);
    if (block == NULL) exit(2);
    memset(block, 1, 2 * sizes[2]);
    for (int i = 0; i < 3; i++) {
        copy_call c = {block, block + sizes[2], sizes[i]};
        const double ns = kc_measure(copy_thunk, &c, 0.1).best;
        peak->copy[i] = 2.0 * (double)sizes[i] * 1e9 / ns;
    }
    free(block);
}
