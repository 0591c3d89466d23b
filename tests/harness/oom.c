/* SPDX-License-Identifier: Apache-2.0 */
/* oom.c - an allocator that fails on demand */
#include "harness/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void *fail_alloc(void *ctx, size_t size, size_t align)
{
    oom_allocator *a = ctx;
    a->n_calls++;
    if (a->fail_at != 0 && (a->n_calls == a->fail_at ||
                            (a->persistent && a->n_calls > a->fail_at)))
        return NULL;
    if (align < sizeof(void *)) align = sizeof(void *);
    void *p = aligned_alloc(align, (size + align) / align * align);
    if (p != NULL) {
        a->n_live++;
        a->live_bytes += size;
    }
    return p;
}

static void fail_free(void *ctx, void *ptr, size_t size, size_t align)
{
    oom_allocator *a = ctx;
    (void)align;
    if (ptr == NULL) return;
    a->n_live--;
    a->live_bytes -= size;
    free(ptr);
}

void oom_init(oom_allocator *a, size_t fail_at, int persistent)
{
    a->allocator.ctx = a;
    a->allocator.alloc = fail_alloc;
    a->allocator.free = fail_free;
    a->n_calls = 0;
    a->fail_at = fail_at;
    a->persistent = persistent;
    a->n_live = a->live_bytes = 0;
}

void oom_sweep(tn_status (*body)(void *ctx, const tn_allocator *allocator),
               void *ctx)
{
    for (int persistent = 0; persistent < 2; persistent++) {
        for (size_t n = 1;; n++) {
            oom_allocator a;
            oom_init(&a, n, persistent);
            const tn_status status = body(ctx, &a.allocator);
            if (a.n_live != 0 || a.live_bytes != 0)
                fail_msg("allocation %zu failed: %zu pieces (%zu bytes) are "
                         "not given back",
                         n, a.n_live, a.live_bytes);
            if (a.n_calls < n) {
                assert_int_equal(status, TN_OK);
                break;
            }
            if (status != TN_OK && status != TN_ENOMEM && status != TN_ELIMIT)
                fail_msg("allocation %zu failed: status %s", n,
                         tn_status_name(status));
        }
    }
}
