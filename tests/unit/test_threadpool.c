/* SPDX-License-Identifier: Apache-2.0 */
/* test_threadpool.c - every task once, no shared workers, quotas, locks */
#define _XOPEN_SOURCE 700
#include "base/team.h"
#include "harness/tmp.h"
#include "sys/cgroup.h"
#include "sys/clock.h"
#include "sys/mutex.h"
#include "sys/threadpool.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

enum { max_tasks = 1000, max_workers = 8 };

typedef struct job {
    unsigned char ran[max_tasks];
    _Atomic int busy[max_workers]; /* worker is inside fn */
    _Atomic int clash;
    int n_workers;
} job;

static void task(void *ctx, size_t begin, size_t end, int worker)
{
    job *j = ctx;
    if (worker < 0 || worker >= j->n_workers ||
        atomic_exchange(&j->busy[worker], 1) != 0)
        atomic_store(&j->clash, 1);
    for (size_t i = begin; i < end; i++) j->ran[i]++;
    atomic_store(&j->busy[worker], 0);
}

static void every_task_runs_once(void **state)
{
    (void)state;
    static const int widths[] = {1, 2, 3, 8};
    static const size_t loads[] = {0, 1, 2, 3, 7, 64, 1000};
    tni_mem mem;
    tni_mem_init(&mem, NULL, 0);
    for (size_t w = 0; w < 4; w++) {
        tni_threadpool *pool = NULL;
        tn_err err;
        assert_int_equal(tni_threadpool_new(&pool, widths[w], &mem, &err),
                         TN_OK);
        const tni_par *par = tni_threadpool_par(pool);
        assert_int_equal(tni_par_workers(par), widths[w]);
        for (int round = 0; round < 200; round++) {
            const size_t n = loads[round % 7];
            job j;
            memset(&j, 0, sizeof j);
            j.n_workers = widths[w];
            tni_par_for(par, n, task, &j);
            assert_int_equal(j.clash, 0);
            for (size_t i = 0; i < max_tasks; i++)
                assert_int_equal(j.ran[i], i < n ? 1 : 0);
            if (round == 50) { /* long enough for helpers to fall asleep */
                const struct timespec nap = {0, 2000000};
                (void)nanosleep(&nap, NULL);
            }
        }
        tni_threadpool_free(pool);
    }
    tni_threadpool_free(NULL);
    assert_int_equal(mem.used_bytes, 0);
}

static void *second_caller(void *arg)
{
    const tni_par *par = arg;
    for (int round = 0; round < 200; round++) {
        job j;
        memset(&j, 0, sizeof j);
        j.n_workers = 3;
        tni_par_for(par, 50, task, &j);
        for (size_t i = 0; i < 50; i++)
            if (j.ran[i] != 1 || j.clash != 0) return arg;
    }
    return NULL;
}

static void callers_take_turns(void **state)
{
    (void)state;
    tni_mem mem;
    tni_mem_init(&mem, NULL, 0);
    tni_threadpool *pool = NULL;
    assert_int_equal(tni_threadpool_new(&pool, 3, &mem, NULL), TN_OK);
    tni_par par = *tni_threadpool_par(pool);
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, second_caller, &par), 0);
    assert_null(second_caller(&par));
    void *result = &par;
    assert_int_equal(pthread_join(other, &result), 0);
    assert_null(result);
    tni_threadpool_free(pool);
}

typedef struct expedition {
    int n_workers, led;
    size_t wrong;
} expedition;

/* Loops of all sizes right after each other, some after a rest that is longer
 * than a helper's patience. */
static void lead(void *ctx, const tni_par *par)
{
    expedition *x = ctx;
    x->led++;
    for (size_t step = 0; step < 600; step++) {
        const size_t n = step * 7 % 23;
        job j;
        memset(&j, 0, sizeof j);
        j.n_workers = x->n_workers;
        tni_par_for(par, n, task, &j);
        x->wrong += j.clash != 0;
        for (size_t i = 0; i < 30; i++) x->wrong += j.ran[i] != (i < n);
        if (step % 3 == 0) tni_team_turn(par);
        if (step == 400) {
            const struct timespec nap = {0, 5000000};
            (void)nanosleep(&nap, NULL);
        }
    }
}

static void team_shares_short_loops(void **state)
{
    (void)state;
    static const int widths[] = {1, 2, 3, 8};
    for (size_t w = 0; w < 4; w++) {
        tni_mem mem;
        tni_mem_init(&mem, NULL, 0);
        tni_threadpool *pool = NULL;
        assert_int_equal(tni_threadpool_new(&pool, widths[w], &mem, NULL),
                         TN_OK);
        for (int members = 1; members <= 64; members *= 4) {
            expedition x = {widths[w], 0, 0};
            tni_team_run(tni_threadpool_par(pool), members, lead, &x);
            assert_int_equal(x.led, 1);
            assert_int_equal(x.wrong, 0);
        }
        tni_threadpool_free(pool);
    }
    expedition alone = {1, 0, 0};
    tni_team_run(NULL, 4, lead, &alone);
    assert_int_equal(alone.led, 1);
    assert_int_equal(alone.wrong, 0);
}

static void refuses_bad_widths(void **state)
{
    (void)state;
    tni_mem mem;
    tni_mem_init(&mem, NULL, 0);
    tn_err err;
    tni_threadpool *pool = NULL;
    assert_int_equal(tni_threadpool_new(&pool, -1, &mem, &err), TN_EINVAL);
    assert_int_equal(tni_threadpool_new(&pool, 100000, &mem, &err), TN_EINVAL);
    tni_mem_init(&mem, NULL, 16);
    assert_int_equal(tni_threadpool_new(&pool, 2, &mem, &err), TN_ENOMEM);
    assert_null(pool);
    assert_true(tni_threads_default() >= 1);
}

static void quota_is_read(void **state)
{
    (void)state;
    char dir[TMP_PATH], member[TMP_PATH], path[TMP_PATH];
    tmp_new(dir);
    tmp_path(member, dir, "member");

    static const char v2[] = "0::/a/b\n";
    tmp_write(dir, "member", v2, sizeof v2 - 1);
    assert_int_equal(tni_cgroup_cpus(member, dir), 0);
    tmp_path(path, dir, "a");
    assert_int_equal(mkdir(path, 0700), 0);
    tmp_path(path, dir, "a/b");
    assert_int_equal(mkdir(path, 0700), 0);
    tmp_write(dir, "a/b/cpu.max", "max 100000\n", 11);
    assert_int_equal(tni_cgroup_cpus(member, dir), 0);
    tmp_write(dir, "a/cpu.max", "250000 100000\n", 14);
    assert_int_equal(tni_cgroup_cpus(member, dir), 3);
    tmp_write(dir, "a/b/cpu.max", "50000 100000\n", 13);
    assert_int_equal(tni_cgroup_cpus(member, dir), 1);

    static const char v1[] = "12:cpuset:/x\n4:cpu,cpuacct:/gone\n";
    tmp_write(dir, "member", v1, sizeof v1 - 1);
    tmp_path(path, dir, "cpu,cpuacct");
    assert_int_equal(mkdir(path, 0700), 0);
    tmp_write(dir, "cpu,cpuacct/cpu.cfs_quota_us", "-1\n", 3);
    assert_int_equal(tni_cgroup_cpus(member, dir), 0);
    tmp_write(dir, "cpu,cpuacct/cpu.cfs_quota_us", "400000\n", 7);
    tmp_write(dir, "cpu,cpuacct/cpu.cfs_period_us", "100000\n", 7);
    assert_int_equal(tni_cgroup_cpus(member, dir), 4);
    tmp_write(dir, "member", "nonsense", 8);
    assert_int_equal(tni_cgroup_cpus(member, dir), 0);
    tmp_remove(dir);
}

static void clock_and_lock(void **state)
{
    (void)state;
    const uint64_t a = tni_clock_ns();
    const uint64_t b = tni_clock_ns();
    assert_true(b >= a && a != 0);
    tni_mem mem;
    tni_mem_init(&mem, NULL, 0);
    tni_mutex *m = NULL;
    assert_int_equal(tni_mutex_new(&m, &mem, NULL), TN_OK);
    tni_mutex_lock(m);
    tni_mutex_unlock(m);
    tni_mutex_free(m, &mem);
    tni_mutex_free(NULL, &mem);
    assert_int_equal(mem.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once),
        cmocka_unit_test(callers_take_turns),
        cmocka_unit_test(team_shares_short_loops),
        cmocka_unit_test(refuses_bad_widths),
        cmocka_unit_test(quota_is_read),
        cmocka_unit_test(clock_and_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
