/* SPDX-License-Identifier: Apache-2.0 */
/* thread.h - threads, and a lock that can be waited at */
#ifndef TN_SRC_SYS_THREAD_H
#define TN_SRC_SYS_THREAD_H

#include "base/alloc.h"
#include "base/err.h"

typedef struct tni_thread tni_thread;

/* Runs main(ctx) on a thread of its own, which takes no signals. `name` is
 * what tools show of it, cut to 15 bytes. */
tn_status tni_thread_start(tni_thread **out, void (*main)(void *ctx), void *ctx,
                           const char *name, tni_mem *mem, tn_err *err);
/* Waits for its end and frees it; NULL allowed. */
void tni_thread_join(tni_thread *thread);

/* A lock with one condition: what it guards has changed. */
typedef struct tni_monitor tni_monitor;

tn_status tni_monitor_new(tni_monitor **out, tni_mem *mem, tn_err *err);
void tni_monitor_free(tni_monitor *m, tni_mem *mem);
void tni_monitor_lock(tni_monitor *m);
void tni_monitor_unlock(tni_monitor *m);
/* Waits, unlocked meanwhile, until woken or until tni_clock_ns() is `until_ns`
 * (0: no end); may come back early, so check and wait again. */
void tni_monitor_wait(tni_monitor *m, uint64_t until_ns);
/* One waiter, or all. */
void tni_monitor_wake(tni_monitor *m);
void tni_monitor_wake_all(tni_monitor *m);

#endif
