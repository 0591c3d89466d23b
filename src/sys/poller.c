/* SPDX-License-Identifier: Apache-2.0 */
/* poller.c - waiting for any of many sockets, and being woken by other threads */
#define _GNU_SOURCE
#include "sys/poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH = 128 };

/* What stands for the poller's own eventfd among the contexts. */
static void *own(tni_poller *p)
{
    return &p->event;
}

tn_status tni_poller_open(tni_poller *p, tn_err *err)
{
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->epoll >= 0 && p->event >= 0 &&
        tni_poller_add(p, p->event, TNI_POLL_READ, own(p)))
        return TN_OK;
    const int e = errno;
    tni_poller_close(p);
    return tni_fail(err, TN_EIO,
                    "the system refused what sockets are waited for with "
                    "(error %d)",
                    e);
}

void tni_poller_close(tni_poller *p)
{
    if (p->epoll >= 0) (void)close(p->epoll);
    if (p->event >= 0) (void)close(p->event);
    p->epoll = p->event = -1;
}

static bool control(tni_poller *p, int op, int fd, uint32_t what, void *ctx)
{
    struct epoll_event e = {0, {.ptr = ctx}};
    if ((what & TNI_POLL_READ) != 0) e.events |= EPOLLIN;
    if ((what & TNI_POLL_WRITE) != 0) e.events |= EPOLLOUT;
    if ((what & TNI_POLL_HALF) != 0) e.events |= EPOLLRDHUP;
    return epoll_ctl(p->epoll, op, fd, &e) == 0;
}

bool tni_poller_add(tni_poller *p, int fd, uint32_t what, void *ctx)
{
    return control(p, EPOLL_CTL_ADD, fd, what, ctx);
}

bool tni_poller_set(tni_poller *p, int fd, uint32_t what, void *ctx)
{
    return control(p, EPOLL_CTL_MOD, fd, what, ctx);
}

void tni_poller_remove(tni_poller *p, int fd)
{
    (void)control(p, EPOLL_CTL_DEL, fd, 0, NULL);
}

static uint32_t translate(uint32_t events)
{
    uint32_t what = 0;
    if ((events & EPOLLIN) != 0) what |= TNI_POLL_READ;
    if ((events & EPOLLOUT) != 0) what |= TNI_POLL_WRITE;
    if ((events & EPOLLRDHUP) != 0) what |= TNI_POLL_HALF;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) what |= TNI_POLL_LOST;
    return what;
}

size_t tni_poller_wait(tni_poller *p, tni_poll_event *events, size_t cap,
                       int timeout_ms, bool *woken)
{
    struct epoll_event found[BATCH];
    *woken = false;
    if (cap > BATCH) cap = BATCH;
    const int n = epoll_wait(p->epoll, found, (int)cap, timeout_ms);
    size_t k = 0;
    for (int i = 0; i < n; i++) {
        if (found[i].data.ptr == own(p)) {
            uint64_t count = 0;
            *woken = read(p->event, &count, sizeof count) > 0;
            continue;
        }
        events[k].ctx = found[i].data.ptr;
        events[k++].what = translate(found[i].events);
    }
    return k;
}

void tni_poller_wake(const tni_poller *p)
{
    const uint64_t one = 1;
    const int kept = errno; /* a signal handler must not change it */
    const ptrdiff_t n = write(p->event, &one, sizeof one);
    (void)n; /* refused only when it is set already */
    errno = kept;
}
