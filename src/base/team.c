/* SPDX-License-Identifier: Apache-2.0 */
/* team.c - many short loops in a row, shared by the workers of one loop */
#include "base/team.h"

#include "base/config.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { MAX_MEMBERS = 16 };

/* Looks at the number of the loop before a helper goes: well above what the
 * leader does alone between two loops, well below a slice of the scheduler. */
enum { PATIENCE = 1 << 13 };

/* How many tasks of a share are left in a loop: its number in the high half,
 * so that who comes late takes none of the next. */
typedef struct share {
    TN_ALIGNED(64) _Atomic uint64_t left;
} share;

typedef struct team {
    tni_par par;
    tni_team_lead lead;
    void *ctx;
    int n_members;
    int leader; /* worker number */
    /* The loop; written while no task of it can be taken. */
    tni_par_fn fn;
    void *fn_ctx;
    size_t n_tasks;
    bool backwards;
    TN_ALIGNED(64) _Atomic uint32_t number; /* of the loop; 0: none yet */
    _Atomic int over;
    TN_ALIGNED(64) _Atomic size_t done;
    share shares[MAX_MEMBERS];
} team;

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield" ::: "memory");
#endif
}

static size_t share_begin(const team *t, int owner)
{
    return t->n_tasks * (size_t)owner / (size_t)t->n_members;
}

/* Takes a task of a share in loop `number`; false when none is left. Nothing
 * else of the loop may be read before a task is taken: it may be over. */
static bool take(team *t, int owner, uint32_t number, size_t *task)
{
    _Atomic uint64_t *left = &t->shares[owner].left;
    uint64_t s = atomic_load_explicit(left, memory_order_acquire);
    do {
        if ((uint32_t)(s >> 32) != number || (uint32_t)s == 0) return false;
    } while (!atomic_compare_exchange_weak_explicit(
        left, &s, s - 1, memory_order_acq_rel, memory_order_acquire));
    *task = t->backwards ? share_begin(t, owner) + (uint32_t)s - 1
                         : share_begin(t, owner + 1) - (uint32_t)s;
    return true;
}

/* What is left of the shares, beginning with the member's own. */
static void work(team *t, int member, uint32_t number, int worker)
{
    for (int k = 0; k < t->n_members; k++) {
        const int owner = (member + k) % t->n_members;
        size_t task;
        while (take(t, owner, number, &task)) {
            t->fn(t->fn_ctx, task, task + 1, worker);
            (void)atomic_fetch_add_explicit(&t->done, 1, memory_order_release);
        }
    }
}

static void team_loop(void *pool, size_t n_tasks, tni_par_fn fn, void *ctx)
{
    team *t = pool;
    t->fn = fn;
    t->fn_ctx = ctx;
    t->n_tasks = n_tasks;
    atomic_store_explicit(&t->done, 0, memory_order_relaxed);
    uint32_t number =
        atomic_load_explicit(&t->number, memory_order_relaxed) + 1;
    if (number == 0) number = 1;
    for (int i = 0; i < t->n_members; i++)
        atomic_store_explicit(&t->shares[i].left,
                              (uint64_t)number << 32 |
                                  (share_begin(t, i + 1) - share_begin(t, i)),
                              memory_order_release);
    atomic_store_explicit(&t->number, number, memory_order_release);
    work(t, 0, number, t->leader);
    while (atomic_load_explicit(&t->done, memory_order_acquire) != n_tasks)
        relax();
}

void tni_team_turn(const tni_par *par)
{
    team *t = par->pool;
    t->backwards = !t->backwards;
}

static void help(team *t, int member, int worker)
{
    uint32_t seen = 0;
    int patience = PATIENCE;
    while (patience-- > 0 &&
           atomic_load_explicit(&t->over, memory_order_acquire) == 0) {
        const uint32_t number =
            atomic_load_explicit(&t->number, memory_order_acquire);
        if (number == seen) {
            relax();
            continue;
        }
        seen = number;
        patience = PATIENCE;
        work(t, member, number, worker);
    }
}

static void join(void *ctx, size_t begin, size_t end, int worker)
{
    team *t = ctx;
    for (size_t i = begin; i < end; i++) {
        if (i != 0) {
            help(t, (int)i, worker);
            continue;
        }
        t->leader = worker;
        t->lead(t->ctx, &t->par);
        atomic_store_explicit(&t->over, 1, memory_order_release);
    }
}

void tni_team_run(const tni_par *par, int n_members, tni_team_lead lead,
                  void *ctx)
{
    team t;
    memset(&t, 0, sizeof t);
    if (n_members > tni_par_workers(par)) n_members = tni_par_workers(par);
    if (n_members > MAX_MEMBERS) n_members = MAX_MEMBERS;
    if (n_members < 1) n_members = 1;
    /* Two at least, so that a loop of one member is run by its order too. */
    t.par.n_workers = 2;
    t.par.pool = &t;
    t.par.run = team_loop;
    t.lead = lead;
    t.ctx = ctx;
    t.n_members = n_members;
    tni_par_for(par, (size_t)n_members, join, &t);
}
