/* SPDX-License-Identifier: Apache-2.0 */
/* kcheck_timing.c - median and spread of a thunk; the machine's peaks */
#define _POSIX_C_SOURCE 200809L
#include "kcheck_run.h"
#include "kernels/peak/peak.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

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

typedef struct fma_call {
    tni_peak_fn fn;
    tni_peak_i8_fn i8;
    float out[192];
    int32_t sums[192];
    double flops; /* of one call */
} fma_call;

static void fma_thunk(void *call)
{
    fma_call *c = call;
    c->fn(c->out, n_fma);
}

static void i8_thunk(void *call)
{
    fma_call *c = call;
    c->i8(c->sums, n_fma);
}

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
    fma_call call = {.fn = NULL};
    int width = 1;
    call.fn = tni_peak_select(isa, &width);
    call.flops = 2.0 * 12 * n_fma * width;
    /* The best of many samples: the peak is what the machine can do. */
    for (int i = 0; i < 5; i++) {
        const double f =
            call.flops * 1e9 / kc_measure(fma_thunk, &call, 0.05).best;
        if (f > peak->flops) peak->flops = f;
    }
    call.i8 = tni_peak_i8_select(isa, &width);
    call.flops = 2.0 * 12 * n_fma * width;
    for (int i = 0; i < 5; i++) {
        const double f =
            call.flops * 1e9 / kc_measure(i8_thunk, &call, 0.05).best;
        if (f > peak->int8) peak->int8 = f;
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
