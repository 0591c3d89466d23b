/* SPDX-License-Identifier: Apache-2.0 */
/* kcheck_self.c - the harness tested: every planted bug must be found */
#include "kcheck_run.h"

#include <stdio.h>
#include <string.h>

#if TN_ARCH_X86_64
#include <xmmintrin.h>
#endif

/* y = x + 1 over n floats, as many ways of getting it wrong as rows below. */
typedef void (*add_one)(const float *x, float *y, size_t n);

static void right(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = x[i] + 1;
}

static void drops_tail(const float *x, float *y, size_t n)
{
    right(x, y, n > 0 ? n - 1 : 0);
}

static void reads_past_end(const float *x, float *y, size_t n)
{
    const volatile float *v = x;
    right(x, y, n);
    if (n % 8 != 0) (void)v[n];
}

static void reads_before_start(const float *x, float *y, size_t n)
{
    const volatile float *v = x;
    right(x, y, n);
    (void)v[-1];
}

static void writes_past_end(const float *x, float *y, size_t n)
{
    right(x, y, n);
    y[n] = 0;
}

static void writes_before_start(const float *x, float *y, size_t n)
{
    right(x, y, n);
    y[-1] = 0;
}

static void changes_input(const float *x, float *y, size_t n)
{
    right(x, y, n);
    union {
        const float *from;
        float *to;
    } u = {x};
    if (n > 3) u.to[3] = 7;
}

static void wrong_once(const float *x, float *y, size_t n)
{
    right(x, y, n);
    if (n == 17) y[9] += 1;
}

#if TN_ARCH_X86_64
static void changes_mode(const float *x, float *y, size_t n)
{
    right(x, y, n);
    _mm_setcsr(_mm_getcsr() | 0x8040); /* flush denormals, both ways */
}

static void illegal(const float *x, float *y, size_t n)
{
    right(x, y, n);
    __asm__ volatile("ud2");
}
#endif

static const struct {
    const char *name;
    add_one fn;
    bool bad, by_guard; /* found only with guard pages */
} rows[] = {
    {"self_right", right, false, false},
    {"self_drops_tail", drops_tail, true, false},
    {"self_reads_past_end", reads_past_end, true, true},
    {"self_reads_before_start", reads_before_start, true, true},
    {"self_writes_past_end", writes_past_end, true, false},
    {"self_writes_before_start", writes_before_start, true, false},
    {"self_changes_input", changes_input, true, false},
    {"self_wrong_once", wrong_once, true, false},
#if TN_ARCH_X86_64
    {"self_changes_mode", changes_mode, true, false},
    {"self_illegal", illegal, true, false},
#endif
};

typedef struct call {
    add_one fn;
    const float *x;
    float *y;
    size_t n;
} call;

static void thunk(void *p)
{
    const call *c = p;
    c->fn(c->x, c->y, c->n);
}

static void check(kc *t, add_one fn)
{
    while (kc_case(t, 100)) {
        const size_t n = kc_sweep(t, "n", 8, 100);
        float *x = kc_in(t, n * 4, 4), *want = kc_own(t, n * 4);
        kc_fill_int(t, x, n, 4);
        right(x, want, n);
        call c = {fn, x, kc_out(t, n * 4, 4), n};
        if (!kc_call(t, thunk, &c)) return;
        if (!kc_same_f32(t, "y", c.y, want, n)) return;
    }
}

int kc_self_test(kc *t)
{
    int missed = 0;
    t->family = "self";
#if TN_ARCH_X86_64
    const unsigned mode = _mm_getcsr();
#endif
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].by_guard && !t->guards) continue;
        if (!kc_begin(t, rows[i].name, 0)) continue;
        check(t, rows[i].fn);
#if TN_ARCH_X86_64
        _mm_setcsr(mode);
#endif
        if ((t->result == KC_FAIL) == rows[i].bad) continue;
        printf("MISSED %s\n", rows[i].name);
        missed++;
    }
    kc_finish(t);
    kc_guard_fini(t);
    printf("%d planted bugs missed or false alarms\n", missed);
    return missed != 0 ? 1 : 0;
}
