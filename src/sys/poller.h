/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poller.h - waiting for any of many sockets, and being woken by other threads
 *
 * Threads: exclusive, but for tni_poller_wake.
 */
#ifndef TN_SRC_SYS_POLLER_H
#define TN_SRC_SYS_POLLER_H

#include "base/err.h"

#include <stdbool.h>

enum {
    TNI_POLL_READ = 1,
    TNI_POLL_WRITE = 2,
    TNI_POLL_HALF = 4, /* the peer sends no more, but may still read */
    TNI_POLL_LOST = 8  /* always told: the connection is gone */
};

typedef struct tni_poller {
    int epoll, event;
} tni_poller;

typedef struct tni_poll_event {
    void *ctx;
    uint32_t what;
} tni_poll_event;

tn_status tni_poller_open(tni_poller *p, tn_err *err);
void tni_poller_close(tni_poller *p);

/* As long as a condition holds it is told again. False when the system has no
 * memory for it. */
bool tni_poller_add(tni_poller *p, int fd, uint32_t what, void *ctx);
bool tni_poller_set(tni_poller *p, int fd, uint32_t what, void *ctx);
void tni_poller_remove(tni_poller *p, int fd);

/* Waits at most timeout_ms (-1: for ever); how many events there are. *woken:
 * tni_poller_wake was called since the last time. */
size_t tni_poller_wait(tni_poller *p, tni_poll_event *events, size_t cap,
                       int timeout_ms, bool *woken);
/* Threads: any; signal handlers too. */
void tni_poller_wake(const tni_poller *p);

#endif
