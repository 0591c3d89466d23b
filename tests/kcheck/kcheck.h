/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kcheck.h - what a family's test may use: cases, guarded buffers, comparison
 *
 * A family file kc_<family>.c defines `void kc_family_<family>(kc *t)`. It
 * walks the rows of its table and, for each:
 *
 *     if (!kc_begin(t, row->name, row->isa)) continue;
 *     while (kc_case(t, 100)) {
 *         size_t n = kc_sweep(t, "n", tile, 1000);
 *         float *x = kc_in(t, n * 4, 4), *y = kc_out(t, n * 4, 4);
 *         ...fill x, compute what is expected...
 *         if (!kc_call(t, thunk, &call)) continue;
 *         ...compare: kc_same, kc_near, kc_fail...
 *     }
 *     if (kc_bench_begin(t)) { ...buffers...; kc_bench(...); }
 *
 * Exact mode: fill with small non-zero integers, so that every order of
 * summation is exact, and compare bits. Quality: fill with random and wide
 * data and compare with a double reference under a conditioned bound.
 */
#ifndef TN_TESTS_KCHECK_H
#define TN_TESTS_KCHECK_H

#include "base/config.h"
#include "cpu/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct kc kc;
typedef void (*kc_thunk)(void *call);

/* Selects a row; false when it is filtered out or this machine lacks its ISA
 * (reported as SKIP). `kernel` is the symbol's name. */
bool kc_begin(kc *t, const char *kernel, uint32_t isa);
/* Next case, of n_cases times --repeat; false at the end or after a failure. */
bool kc_case(kc *t, int n_cases);
bool kc_runs(const kc *t, uint32_t isa); /* a row of that ISA would run */
int kc_index(const kc *t);               /* of the case, from 0 */
bool kc_exhaustive(const kc *t); /* all 2^32 inputs, where that can be */

/* Draws one dimension from {0, 1, tile-1, tile, tile+1, 2*tile+1, random,
 * prime}, at most max; --shape name=value overrides. Printed on failure. */
size_t kc_dim(kc *t, const char *name, size_t tile, size_t max);
/* As kc_dim, but cases 0 ... 3*tile+1 take that very value. */
size_t kc_sweep(kc *t, const char *name, size_t tile, size_t max);
/* Uniform in [lo, hi]; named and printed like a dimension. */
size_t kc_pick(kc *t, const char *name, size_t lo, size_t hi);

uint64_t kc_rand(kc *t);
double kc_uniform(kc *t, double lo, double hi);
double kc_normal(kc *t);

/* Buffers of the current case, flush against an unmapped page at their end or
 * their start, canaries in the slack. `in` must be unchanged after the call;
 * `out` starts as garbage. kc_own is plain memory for expectations. */
void *kc_in(kc *t, size_t size, size_t align);
void *kc_out(kc *t, size_t size, size_t align);
void *kc_own(kc *t, size_t size);

void kc_fill_int(kc *t, float *x, size_t n, int max); /* +-1 ... +-max */
void kc_fill_normal(kc *t, float *x, size_t n);
void kc_fill_wide(kc *t, float *x, size_t n); /* magnitudes 2^-60 ... 2^60 */
void kc_fill_special(kc *t, float *x,
                     size_t n); /* with inf, NaN, +-0, denormals */
void kc_fill_bytes(kc *t, void *x, size_t size);

/* Runs the thunk under guard; false, and the kernel failed, when it crashed,
 * touched what it must not, or changed the floating-point mode. */
bool kc_call(kc *t, kc_thunk thunk, void *call);

void kc_fail(kc *t, const char *fmt, ...) TN_PRINTF(2, 3);
/* Bits equal, any two NaNs being equal. */
bool kc_same_f32(kc *t, const char *what, const float *got, const float *want,
                 size_t n);
bool kc_same(kc *t, const char *what, const void *got, const void *want,
             size_t n, size_t elem_size);
/* |got - want| <= tol[i], or both NaN, or equal infinities. */
bool kc_near(kc *t, const char *what, const float *got, const double *want,
             const double *tol, size_t n);
/* Distance of got from want in units of want's last place as a float. */
double kc_ulp(float got, double want);

/* True in --bench mode: allocate with kc_own, then call kc_bench. */
bool kc_bench_begin(kc *t);
/* Times the thunk: flops and bytes are per call, bytes decide which copy peak
 * (L1, L2, memory) the row is held against. */
void kc_bench(kc *t, const char *label, double flops, double bytes,
              kc_thunk thunk, void *call);
/* The same of 8-bit integers, a multiply-add counting two: held against what
 * the machine's best instructions for them reach. */
void kc_bench_int8(kc *t, const char *label, double ops, double bytes,
                   kc_thunk thunk, void *call);
double kc_now(void); /* seconds, monotonic */

/* The families' tests. */
#define KC_FAMILY(f) void kc_family_##f(kc *t);
#include "families.def"
#undef KC_FAMILY

#endif
