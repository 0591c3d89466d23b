/* SPDX-License-Identifier: Apache-2.0 */
/* oom.h - an allocator that fails on demand and counts what is not given back */
#ifndef TN_TESTS_HARNESS_OOM_H
#define TN_TESTS_HARNESS_OOM_H

#include "tenon/base.h"

typedef struct oom_allocator {
    tn_allocator allocator; /* hand this to the library */
    size_t n_calls;         /* allocations asked for */
    size_t fail_at;         /* the one that fails (1 = first); 0: none */
    int persistent;         /* and all after it */
    size_t n_live, live_bytes;
} oom_allocator;

void oom_init(oom_allocator *a, size_t fail_at, int persistent);

/*
 * Runs body(ctx, allocator) with allocation 1, 2, 3 ... failing, once alone
 * and once with all that follow, until it passes without meeting the failure.
 * body returns TN_OK, or the status it saw; anything but TN_ENOMEM and
 * TN_ELIMIT, or memory not given back, fails the test.
 */
void oom_sweep(tn_status (*body)(void *ctx, const tn_allocator *allocator),
               void *ctx);

#endif
