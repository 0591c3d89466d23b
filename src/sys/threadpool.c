/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threadpool.c - a fixed team of workers for parallel loops
 *
 * One 64-bit word tells the state of the current loop: its number (high half),
 * whether it is open, and how many helpers are inside. A helper enters by
 * adding itself while the loop is open, takes pieces from a counter, and
 * leaves; the caller does the same, closes the loop when the counter ran out
 * and waits for those inside. A helper that wakes late finds the loop closed
 * and goes back to sleep, so nobody waits for a thread that the system has not
 * scheduled yet. Sleeping uses a condition variable; both sides spin first,
 * for a bounded time, and not at all when there are more workers than CPUs.
 */
#define _GNU_SOURCE
#include "sys/threadpool.h"

#include "sys/cgroup.h"
#include "sys/clock.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define OPEN       ((uint64_t)1 << 31)
#define INSIDE(s)  ((uint32_t)(s)&0x7fffffffu)
#define NUMBER(s)  ((uint32_t)((s) >> 32))
#define CACHE_LINE TN_ALIGNED(64)
/* Long enough to bridge the serial part between two operators, short enough
 * not to matter on a battery. */
#define SPIN_NS     ((uint64_t)50000)
#define MAX_THREADS 1024

typedef struct helper {
    pthread_t thread;
    struct tni_threadpool *pool;
    int index;
} helper;

struct tni_threadpool {
    tni_par par;
    tni_mem *mem;
    size_t size;   /* of this block */
    int n_helpers; /* started */
    uint64_t spin_ns;
    helper *helpers;

    CACHE_LINE _Atomic uint64_t state;
    _Atomic int stop;
    _Atomic int n_sleeping;    /* helpers on `wake` */
    _Atomic int caller_sleeps; /* on `done` */

    CACHE_LINE _Atomic size_t next; /* first task not handed out */

    /* The loop; written while it is closed and empty. */
    CACHE_LINE tni_par_fn fn;
    void *ctx;
    size_t n_tasks, piece;

    pthread_mutex_t callers; /* one loop at a time */
    pthread_mutex_t lock;    /* of the two conditions */
    pthread_cond_t wake, done;
};

static void relax(void)
{
#if TN_ARCH_X86_64
    __builtin_ia32_pause();
#elif TN_ARCH_AARCH64
    __asm__ __volatile__("yield" ::: "memory");
#endif
}

static void work(tni_threadpool *pool, int worker)
{
    const size_t n = pool->n_tasks, piece = pool->piece;
    for (;;) {
        const size_t begin =
            atomic_fetch_add_explicit(&pool->next, piece, memory_order_relaxed);
        if (begin >= n) return;
        const size_t end = n - begin > piece ? begin + piece : n;
        pool->fn(pool->ctx, begin, end, worker);
    }
}

/* Joins the open loop unless it is `seen`; false when there is none. */
static bool enter(tni_threadpool *pool, uint32_t *seen)
{
    uint64_t s = atomic_load_explicit(&pool->state, memory_order_acquire);
    for (;;) {
        if ((s & OPEN) == 0 || NUMBER(s) == *seen) return false;
        if (atomic_compare_exchange_weak_explicit(&pool->state, &s, s + 1,
                                                  memory_order_acquire,
                                                  memory_order_acquire)) {
            *seen = NUMBER(s);
            return true;
        }
    }
}

static void leave(tni_threadpool *pool)
{
    const uint64_t s =
        atomic_fetch_sub_explicit(&pool->state, 1, memory_order_seq_cst);
    if ((s & OPEN) != 0 || INSIDE(s) != 1) return;
    if (atomic_load_explicit(&pool->caller_sleeps, memory_order_seq_cst) == 0)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    (void)pthread_cond_signal(&pool->done);
    (void)pthread_mutex_unlock(&pool->lock);
}

static bool something_to_do(tni_threadpool *pool, uint32_t seen)
{
    const uint64_t s = atomic_load_explicit(&pool->state, memory_order_seq_cst);
    return ((s & OPEN) != 0 && NUMBER(s) != seen) ||
           atomic_load_explicit(&pool->stop, memory_order_seq_cst) != 0;
}

static void wait_for_loop(tni_threadpool *pool, uint32_t seen)
{
    if (pool->spin_ns != 0) {
        const uint64_t until = tni_clock_ns() + pool->spin_ns;
        do {
            for (int i = 0; i < 64; i++) {
                if (something_to_do(pool, seen)) return;
                relax();
            }
        } while (tni_clock_ns() < until);
    }
    (void)pthread_mutex_lock(&pool->lock);
    (void)atomic_fetch_add_explicit(&pool->n_sleeping, 1, memory_order_seq_cst);
    while (!something_to_do(pool, seen))
        (void)pthread_cond_wait(&pool->wake, &pool->lock);
    (void)atomic_fetch_sub_explicit(&pool->n_sleeping, 1, memory_order_seq_cst);
    (void)pthread_mutex_unlock(&pool->lock);
}

static void *helper_main(void *arg)
{
    const helper *h = arg;
    tni_threadpool *pool = h->pool;
    /* Signals belong to the threads of the program. */
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
    uint32_t seen = 0;
    while (atomic_load_explicit(&pool->stop, memory_order_acquire) == 0) {
        if (enter(pool, &seen)) {
            work(pool, h->index);
            leave(pool);
        } else {
            wait_for_loop(pool, seen);
        }
    }
    return NULL;
}

static void wait_until_empty(tni_threadpool *pool)
{
    const uint64_t until =
        pool->spin_ns != 0 ? tni_clock_ns() + pool->spin_ns : 0;
    do {
        for (int i = 0; i < 64; i++) {
            const uint64_t s =
                atomic_load_explicit(&pool->state, memory_order_acquire);
            if (INSIDE(s) == 0) return;
            relax();
        }
    } while (until != 0 && tni_clock_ns() < until);
    (void)pthread_mutex_lock(&pool->lock);
    atomic_store_explicit(&pool->caller_sleeps, 1, memory_order_seq_cst);
    while (INSIDE(atomic_load_explicit(&pool->state, memory_order_seq_cst)) !=
           0)
        (void)pthread_cond_wait(&pool->done, &pool->lock);
    atomic_store_explicit(&pool->caller_sleeps, 0, memory_order_seq_cst);
    (void)pthread_mutex_unlock(&pool->lock);
}

static void pool_run(void *arg, size_t n_tasks, tni_par_fn fn, void *ctx)
{
    tni_threadpool *pool = arg;
    (void)pthread_mutex_lock(&pool->callers);
    pool->fn = fn;
    pool->ctx = ctx;
    pool->n_tasks = n_tasks;
    /* About eight pieces per worker even out unequal speeds. */
    const size_t pieces = (size_t)pool->par.n_workers * 8;
    pool->piece = n_tasks > pieces ? (n_tasks - 1) / pieces + 1 : 1;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    const uint64_t old =
        atomic_load_explicit(&pool->state, memory_order_relaxed);
    /* 0 is what a new helper has seen, so it is skipped. */
    uint32_t number = NUMBER(old) + 1;
    if (number == 0) number = 1;
    atomic_store_explicit(&pool->state, ((uint64_t)number << 32) | OPEN,
                          memory_order_seq_cst);
    const int sleeping =
        atomic_load_explicit(&pool->n_sleeping, memory_order_seq_cst);
    if (sleeping > 0) {
        (void)pthread_mutex_lock(&pool->lock);
        if (n_tasks - 1 < (size_t)sleeping) {
            for (size_t i = 0; i < n_tasks - 1; i++)
                (void)pthread_cond_signal(&pool->wake);
        } else {
            (void)pthread_cond_broadcast(&pool->wake);
        }
        (void)pthread_mutex_unlock(&pool->lock);
    }
    work(pool, 0);
    (void)atomic_fetch_and_explicit(&pool->state, ~OPEN, memory_order_seq_cst);
    wait_until_empty(pool);
    (void)pthread_mutex_unlock(&pool->callers);
}

/* CPUs that the affinity mask allows; 0 when it cannot be told. */
static int affinity_cpus(void)
{
#if defined(__linux__)
    /* Room for 16,384 CPUs: cpu_set_t alone ends at 1,024. */
    cpu_set_t sets[16];
    memset(sets, 0, sizeof sets);
    if (sched_getaffinity(0, sizeof sets, sets) == 0)
        return CPU_COUNT_S(sizeof sets, sets);
#endif
    return 0;
}

int tni_threads_default(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    int n = online > 0 && online < MAX_THREADS ? (int)online : 1;
    if (online >= MAX_THREADS) n = MAX_THREADS;
    const int allowed = affinity_cpus();
    if (allowed > 0 && allowed < n) n = allowed;
    const int quota = tni_cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup");
    if (quota > 0 && quota < n) n = quota;
    return n;
}

static void stop_helpers(tni_threadpool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    atomic_store_explicit(&pool->stop, 1, memory_order_seq_cst);
    (void)pthread_cond_broadcast(&pool->wake);
    (void)pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_helpers; i++)
        (void)pthread_join(pool->helpers[i].thread, NULL);
}

tn_status tni_threadpool_new(tni_threadpool **out, int n_threads, tni_mem *mem,
                             tn_err *err)
{
    *out = NULL;
    if (n_threads < 0 || n_threads > MAX_THREADS)
        return tni_fail(err, TN_EINVAL,
                        "%d threads asked for; expected 0 to %d", n_threads,
                        MAX_THREADS);
    const int cpus = tni_threads_default();
    if (n_threads == 0) n_threads = cpus;
    const size_t size =
        sizeof(tni_threadpool) + (size_t)n_threads * sizeof(helper);
    tni_threadpool *pool = tni_mem_alloc(mem, size, _Alignof(tni_threadpool));
    if (pool == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory for a thread pool");
    memset(pool, 0, size);
    pool->mem = mem;
    pool->size = size;
    pool->helpers = (helper *)(void *)(pool + 1);
    pool->spin_ns = n_threads <= cpus ? SPIN_NS : 0;
    pool->par.pool = pool;
    pool->par.n_workers = n_threads;
    pool->par.run = pool_run;
    (void)pthread_mutex_init(&pool->callers, NULL);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->wake, NULL);
    (void)pthread_cond_init(&pool->done, NULL);
    for (int i = 1; i < n_threads; i++) {
        helper *h = &pool->helpers[pool->n_helpers];
        h->pool = pool;
        h->index = i;
        const int e = pthread_create(&h->thread, NULL, helper_main, h);
        if (e != 0) {
            tni_threadpool_free(pool);
            return tni_fail(err, TN_ENOMEM,
                            "the system refused thread %d of %d (error %d); "
                            "ask for fewer",
                            i + 1, n_threads, e);
        }
        pool->n_helpers++;
    }
    *out = pool;
    return TN_OK;
}

void tni_threadpool_free(tni_threadpool *pool)
{
    if (pool == NULL) return;
    stop_helpers(pool);
    (void)pthread_cond_destroy(&pool->done);
    (void)pthread_cond_destroy(&pool->wake);
    (void)pthread_mutex_destroy(&pool->lock);
    (void)pthread_mutex_destroy(&pool->callers);
    tni_mem_free(pool->mem, pool, pool->size, _Alignof(tni_threadpool));
}

const tni_par *tni_threadpool_par(const tni_threadpool *pool)
{
    return &pool->par;
}
