/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - threads, and a lock that can be waited at */
#define _GNU_SOURCE
#include "sys/thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

struct tni_thread {
    pthread_t thread;
    tni_mem *mem;
    void (*main)(void *ctx);
    void *ctx;
    char name[16];
};

struct tni_monitor {
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static void *start(void *arg)
{
    const tni_thread *t = arg;
    /* Signals belong to the threads of the program. */
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
#if defined(__linux__)
    (void)pthread_setname_np(pthread_self(), t->name);
#endif
    t->main(t->ctx);
    return NULL;
}

tn_status tni_thread_start(tni_thread **out, void (*main)(void *ctx), void *ctx,
                           const char *name, tni_mem *mem, tn_err *err)
{
    *out = NULL;
    tni_thread *t = tni_mem_alloc(mem, sizeof *t, _Alignof(tni_thread));
    if (t == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    t->mem = mem;
    t->main = main;
    t->ctx = ctx;
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    const int e = pthread_create(&t->thread, NULL, start, t);
    if (e != 0) {
        tni_mem_free(mem, t, sizeof *t, _Alignof(tni_thread));
        return tni_fail(err, TN_ENOMEM,
                        "the system refused a thread (error %d)", e);
    }
    *out = t;
    return TN_OK;
}

void tni_thread_join(tni_thread *thread)
{
    if (thread == NULL) return;
    (void)pthread_join(thread->thread, NULL);
    tni_mem_free(thread->mem, thread, sizeof *thread, _Alignof(tni_thread));
}

tn_status tni_monitor_new(tni_monitor **out, tni_mem *mem, tn_err *err)
{
    *out = NULL;
    pthread_condattr_t attr;
    tni_monitor *m = tni_mem_alloc(mem, sizeof *m, _Alignof(tni_monitor));
    if (m == NULL) return tni_fail(err, TN_ENOMEM, "out of memory for a lock");
    (void)pthread_condattr_init(&attr);
#if !defined(__APPLE__)
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
#endif
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_cond_init(&m->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    *out = m;
    return TN_OK;
}

void tni_monitor_free(tni_monitor *m, tni_mem *mem)
{
    if (m == NULL) return;
    (void)pthread_cond_destroy(&m->changed);
    (void)pthread_mutex_destroy(&m->lock);
    tni_mem_free(mem, m, sizeof *m, _Alignof(tni_monitor));
}

void tni_monitor_lock(tni_monitor *m)
{
    (void)pthread_mutex_lock(&m->lock);
}

void tni_monitor_unlock(tni_monitor *m)
{
    (void)pthread_mutex_unlock(&m->lock);
}

void tni_monitor_wait(tni_monitor *m, uint64_t until_ns)
{
    if (until_ns == 0) {
        (void)pthread_cond_wait(&m->changed, &m->lock);
        return;
    }
    struct timespec t;
    t.tv_sec = (time_t)(until_ns / 1000000000u);
    t.tv_nsec = (long)(until_ns % 1000000000u);
    (void)pthread_cond_timedwait(&m->changed, &m->lock, &t);
}

void tni_monitor_wake(tni_monitor *m)
{
    (void)pthread_cond_signal(&m->changed);
}

void tni_monitor_wake_all(tni_monitor *m)
{
    (void)pthread_cond_broadcast(&m->changed);
}
