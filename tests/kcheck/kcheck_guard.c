/* SPDX-License-Identifier: Apache-2.0 */
/* kcheck_guard.c - buffers against unmapped pages, canaries, and signals */
#define _DEFAULT_SOURCE
#include "kcheck_run.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if TN_ARCH_X86_64
#include <xmmintrin.h>
#endif

static sigjmp_buf escape;
static volatile sig_atomic_t armed;
static uint8_t alt_stack[65536];

static void on_signal(int sig)
{
    if (!armed) _exit(128 + sig);
    siglongjmp(escape, sig);
}

void kc_guard_init(void)
{
    stack_t ss;
    memset(&ss, 0, sizeof ss);
    ss.ss_sp = alt_stack;
    ss.ss_size = sizeof alt_stack;
    (void)sigaltstack(&ss, NULL);
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = on_signal;
    sa.sa_flags = SA_ONSTACK;
    (void)sigemptyset(&sa.sa_mask);
    const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)sigaction(signals[i], &sa, NULL);
}

void kc_guard_fini(kc *t)
{
    kc_case_buffers(t);
    for (int i = 0; i < kc_max_bufs; i++)
        if (t->bufs[i].map != NULL)
            (void)munmap(t->bufs[i].map, t->bufs[i].map_size);
}

int kc_protected(kc_thunk thunk, void *call)
{
    const int sig = sigsetjmp(escape, 1);
    if (sig == 0) {
        armed = 1;
        thunk(call);
    }
    armed = 0;
    return sig;
}

/* Control bits only: a kernel may raise status flags. */
uint32_t kc_fp_mode(void)
{
#if TN_ARCH_X86_64
    return _mm_getcsr() & 0xffc0u;
#elif TN_ARCH_AARCH64
    uint64_t v = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(v));
    return (uint32_t)v;
#else
    return 0;
#endif
}

static uint64_t hash_bytes(const uint8_t *p, size_t size)
{
    uint64_t h = 0x9e3779b97f4a7c15u;
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t w = 0;
        memcpy(&w, p, 8);
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    for (; size > 0; size--, p++) h = (h ^ *p) * 0x100000001b3u;
    return h;
}

void kc_case_buffers(kc *t)
{
    t->n_bufs = 0;
    for (int i = 0; i < t->n_own; i++) free(t->own[i]);
    t->n_own = 0;
}

static void out_of_memory(void)
{
    (void)fputs("kcheck: out of memory\n", stderr);
    exit(2);
}

void *kc_own(kc *t, size_t size)
{
    if (t->n_own == kc_max_bufs) {
        (void)fputs("kcheck: too many buffers in one case\n", stderr);
        exit(2);
    }
    void *p = NULL;
    if (posix_memalign(&p, 64, size + 64) != 0) out_of_memory();
    memset(p, 0, size + 64);
    t->own[t->n_own++] = p;
    return p;
}

/* A mapping is kept for the next case and only grows. */
static void reserve(kc *t, kc_buf *b, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t data = (size + 2 * kc_canary + 2 * page - 1) / page * page;
    if (b->map != NULL && b->map_size >= data + 2 * page) return;
    if (b->map != NULL) (void)munmap(b->map, b->map_size);
    b->map_size = data + data / 2 / page * page + 2 * page;
    void *p = mmap(NULL, b->map_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) out_of_memory();
    b->map = p;
    if (!t->guards) return;
    if (mprotect(b->map, page, PROT_NONE) != 0 ||
        mprotect(b->map + b->map_size - page, page, PROT_NONE) != 0)
        out_of_memory();
}

static uint8_t canary_byte(const uint8_t *p)
{
    return (uint8_t)(0x5au ^ ((uintptr_t)p * 29u));
}

static void *buffer(kc *t, size_t size, size_t align, bool input)
{
    if (t->n_bufs == kc_max_bufs) {
        (void)fputs("kcheck: too many buffers in one case\n", stderr);
        exit(2);
    }
    kc_buf *b = &t->bufs[t->n_bufs++];
    reserve(t, b, size);
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *first = b->map + page, *last = b->map + b->map_size - page;
    if (t->at_start) {
        /* A quarter of the cases are also misaligned, by up to 63 bytes. */
        const uint64_t r = kc_rand(t);
        const size_t off = (r & 1) != 0 ? (r >> 8) % 64 / align * align : 0;
        b->user = first + off;
    } else {
        const uintptr_t end = (uintptr_t)(last - size);
        b->user = last - size - end % align;
    }
    b->size = size;
    b->input = input;
    b->lo = b->user - first > kc_canary ? b->user - kc_canary : first;
    b->hi =
        last - (b->user + size) > kc_canary ? b->user + size + kc_canary : last;
    for (uint8_t *p = b->lo; p < b->user; p++) *p = canary_byte(p);
    for (uint8_t *p = b->user + size; p < b->hi; p++) *p = canary_byte(p);
    if (!input) memset(b->user, 0xff, size); /* NaN as a float */
    return b->user;
}

void *kc_in(kc *t, size_t size, size_t align)
{
    return buffer(t, size, align, true);
}

void *kc_out(kc *t, size_t size, size_t align)
{
    return buffer(t, size, align, false);
}

void kc_hash_inputs(kc *t)
{
    for (int i = 0; i < t->n_bufs; i++)
        if (t->bufs[i].input)
            t->bufs[i].hash = hash_bytes(t->bufs[i].user, t->bufs[i].size);
}

bool kc_check_buffers(kc *t)
{
    for (int i = 0; i < t->n_bufs; i++) {
        const kc_buf *b = &t->bufs[i];
        for (const uint8_t *p = b->lo; p < b->user; p++) {
            if (*p == canary_byte(p)) continue;
            kc_fail(t, "buffer %d: wrote %td bytes before its start", i,
                    b->user - p);
            return false;
        }
        for (const uint8_t *p = b->user + b->size; p < b->hi; p++) {
            if (*p == canary_byte(p)) continue;
            kc_fail(t, "buffer %d: wrote %td bytes past its end", i,
                    p - (b->user + b->size));
            return false;
        }
        if (b->input && hash_bytes(b->user, b->size) != b->hash) {
            kc_fail(t, "buffer %d: an input was changed", i);
            return false;
        }
    }
    return true;
}
