/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - an I/O thread: its connections, its timers, what is posted to it */
#include "serve/loop.h"

#include "serve/conn.h"
#include "sys/clock.h"

enum { EVENTS = 128, ACCEPT_AT_ONCE = 64, COMMAND_DRAIN = 1, COMMAND_STOP = 2 };

#define MAX_TICK_NS ((uint64_t)250000000u)

void tni_loop_post(tni_loop *loop, tni_post *post)
{
    tni_post *last =
        atomic_load_explicit(&loop->shared.posts, memory_order_relaxed);
    do post->next = last;
    while (!atomic_compare_exchange_weak_explicit(&loop->shared.posts, &last,
                                                  post, memory_order_release,
                                                  memory_order_relaxed));
    /* Whoever posts to an empty list wakes; it is taken whole. */
    if (last == NULL) tni_poller_wake(&loop->poller);
}

static void run_posts(tni_loop *loop)
{
    tni_post *p = atomic_exchange_explicit(&loop->shared.posts, NULL,
                                           memory_order_acquire);
    tni_post *in_order = NULL;
    while (p != NULL) {
        tni_post *next = p->next;
        p->next = in_order;
        in_order = p;
        p = next;
    }
    while (in_order != NULL) {
        tni_post *next = in_order->next;
        in_order->run(in_order);
        in_order = next;
    }
}

const char *tni_loop_date(tni_loop *loop)
{
    const uint64_t now_s = tni_clock_epoch_ms() / 1000;
    if (now_s != loop->date_s || loop->date[0] == '\0') {
        tni_http_date(loop->date, now_s);
        loop->date_s = now_s;
    }
    return loop->date;
}

void tni_loop_opts_init(tni_loop_opts *opts)
{
    const uint64_t s = 1000000000u;
    *opts = (tni_loop_opts){.max_body = (uint64_t)64 << 20,
                            .max_connections = 10000,
                            .max_streams = 256,
                            .header_timeout_ns = 10 * s,
                            .idle_timeout_ns = 120 * s,
                            .read_timeout_ns = 30 * s,
                            .write_timeout_ns = 30 * s,
                            .min_rate = 65536};
}

tn_status tni_loop_open(tni_loop **out, const tni_loop_opts *opts, int listener,
                        tn_err *err)
{
    *out = NULL;
    tni_loop *l = tni_mem_alloc(opts->mem, sizeof *l, _Alignof(tni_loop));
    if (l == NULL) return tni_fail(err, TN_ENOMEM, "out of memory for a loop");
    memset(l, 0, sizeof *l);
    l->opts = *opts;
    l->listener = -1;
    const tn_status s = tni_poller_open(&l->poller, err);
    if (s != TN_OK) {
        tni_mem_free(opts->mem, l, sizeof *l, _Alignof(tni_loop));
        return s;
    }
    uint64_t shortest = opts->header_timeout_ns;
    if (opts->idle_timeout_ns < shortest) shortest = opts->idle_timeout_ns;
    if (opts->read_timeout_ns < shortest) shortest = opts->read_timeout_ns;
    if (opts->write_timeout_ns < shortest) shortest = opts->write_timeout_ns;
    l->tick_ns = shortest / 4 < MAX_TICK_NS ? shortest / 4 : MAX_TICK_NS;
    l->scratch = tni_mem_alloc(opts->mem, TNI_SCRATCH_BYTES, TNI_ALIGN);
    if (l->scratch == NULL ||
        (listener >= 0 &&
         !tni_poller_add(&l->poller, listener, TNI_POLL_READ, &l->listener))) {
        tni_loop_close(l);
        return tni_fail(err, TN_ENOMEM, "out of memory for a loop");
    }
    l->listener = listener;
    l->accepting = listener >= 0;
    *out = l;
    return TN_OK;
}

void tni_loop_drive_stirred(tni_loop *loop)
{
    while (loop->stirred != NULL) {
        tni_conn *c = loop->stirred;
        loop->stirred = c->next_stirred;
        c->stirred = false;
        tni_conn_enter(c);
        tni_conn_leave(c);
    }
}

static void free_dead(tni_loop *loop)
{
    tni_loop_drive_stirred(loop); /* of which none may be freed */
    while (loop->dead != NULL) {
        tni_conn *c = loop->dead;
        loop->dead = c->next;
        tni_conn_free(c);
    }
}

void tni_loop_close(tni_loop *loop)
{
    if (loop == NULL) return;
    run_posts(loop);
    free_dead(loop);
    tni_tcp_close(loop->listener);
    tni_poller_close(&loop->poller);
    tni_mem *mem = loop->opts.mem;
    tni_mem_free(mem, loop->scratch, TNI_SCRATCH_BYTES, TNI_ALIGN);
    tni_mem_free(mem, loop, sizeof *loop, _Alignof(tni_loop));
}

/* Turns accepting off while there is no room, and on again. */
static void set_accepting(tni_loop *loop, bool on)
{
    if (loop->listener < 0 || on == loop->accepting) return;
    if (tni_poller_set(&loop->poller, loop->listener, on ? TNI_POLL_READ : 0,
                       &loop->listener))
        loop->accepting = on;
}

static _Atomic uint64_t *limited_count(tni_loop *loop)
{
    return loop->opts.all_connections != NULL ? loop->opts.all_connections
                                              : &loop->shared.connections;
}

static bool has_room(tni_loop *loop)
{
    return atomic_load_explicit(limited_count(loop), memory_order_relaxed) <
           loop->opts.max_connections;
}

bool tni_loop_take_room(tni_loop *loop)
{
    _Atomic uint64_t *count = limited_count(loop);
    const uint64_t before =
        atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    if (before >= loop->opts.max_connections) {
        atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
        return false;
    }
    if (count != &loop->shared.connections)
        tni_loop_add(&loop->shared.connections, 1);
    return true;
}

void tni_loop_leave_room(tni_loop *loop)
{
    atomic_fetch_sub_explicit(&loop->shared.connections, 1,
                              memory_order_relaxed);
    if (loop->opts.all_connections != NULL)
        atomic_fetch_sub_explicit(loop->opts.all_connections, 1,
                                  memory_order_relaxed);
}

static void accept_some(tni_loop *loop)
{
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        if (!tni_loop_take_room(loop)) {
            set_accepting(loop, false);
            return;
        }
        char peer[TNI_PEER_SIZE];
        const int fd = tni_tcp_accept(loop->listener, peer);
        if (fd < 0) tni_loop_leave_room(loop);
        if (fd == TNI_IO_AGAIN) return;
        if (fd == TNI_IO_LOST) {
            /* No descriptors: tried again at the next tick. */
            set_accepting(loop, false);
            return;
        }
        tni_conn *c = tni_conn_new(loop, fd, peer);
        if (c == NULL) continue;
        tni_conn_event(c, TNI_POLL_READ);
    }
}

/* --- the end ---------------------------------------------------------------- */

static void tell_all(tni_loop *loop, bool final)
{
    for (tni_conn *c = loop->conns, *next; c != NULL; c = next) {
        next = c->next;
        tni_conn_enter(c);
        if (c->fd >= 0) c->protocol->drain(c, final);
        tni_conn_leave(c);
    }
}

static void stop_listening(tni_loop *loop)
{
    if (loop->listener < 0) return;
    /* Those that the system has accepted already are still served. */
    accept_some(loop);
    tni_poller_remove(&loop->poller, loop->listener);
    tni_tcp_close(loop->listener);
    loop->listener = -1;
    loop->accepting = false;
}

static tni_conn *first_live(const tni_loop *loop)
{
    tni_conn *c = loop->conns;
    while (c != NULL && c->fd < 0) c = c->next;
    return c;
}

static void lose_all(tni_loop *loop)
{
    /* From the start each time: what is told to the application may make an
     * end of other connections. */
    for (tni_conn *c = first_live(loop); c != NULL; c = first_live(loop)) {
        tni_conn_enter(c);
        tni_conn_lose(c);
        tni_conn_leave(c);
    }
}

static void follow_phases(tni_loop *loop, uint64_t now)
{
    const int command =
        atomic_load_explicit(&loop->shared.command, memory_order_acquire);
    if (command == 0) return;
    if (loop->phase == TNI_PHASE_OPEN && command == COMMAND_DRAIN) {
        loop->phase = TNI_PHASE_LAME;
        loop->phase_end_ns = now + atomic_load(&loop->shared.drain_delay_ns);
        tell_all(loop, false);
    }
    if (loop->phase == TNI_PHASE_LAME && now >= loop->phase_end_ns) {
        stop_listening(loop);
        loop->phase = TNI_PHASE_ENDING;
        loop->phase_end_ns = now + atomic_load(&loop->shared.drain_timeout_ns);
        tell_all(loop, true);
    }
    if (loop->phase != TNI_PHASE_STOP &&
        (command == COMMAND_STOP ||
         (loop->phase == TNI_PHASE_ENDING && now >= loop->phase_end_ns))) {
        stop_listening(loop);
        loop->phase = TNI_PHASE_STOP;
        lose_all(loop);
    }
}

void tni_loop_drain(tni_loop *loop, uint64_t delay_ns, uint64_t timeout_ns)
{
    atomic_store(&loop->shared.drain_delay_ns, delay_ns);
    atomic_store(&loop->shared.drain_timeout_ns, timeout_ns);
    int expected = 0;
    (void)atomic_compare_exchange_strong(&loop->shared.command, &expected,
                                         COMMAND_DRAIN);
    tni_poller_wake(&loop->poller);
}

void tni_loop_stop(tni_loop *loop)
{
    atomic_store_explicit(&loop->shared.command, COMMAND_STOP,
                          memory_order_release);
    tni_poller_wake(&loop->poller);
}

void tni_loop_count(const tni_loop *loop, tni_loop_counts *out)
{
    const tni_loop_atomics *s = &loop->shared;
    out->connections = atomic_load(&s->connections);
    out->accepted = atomic_load(&s->accepted);
    out->requests = atomic_load(&s->requests);
    out->refused = atomic_load(&s->refused);
    out->timeouts = atomic_load(&s->timeouts);
}

/* --- running ---------------------------------------------------------------- */

static void tick(tni_loop *loop, uint64_t now)
{
    for (tni_conn *c = loop->conns, *next; c != NULL; c = next) {
        next = c->next;
        tni_conn_tick(c, now);
    }
    set_accepting(loop, has_room(loop));
}

static bool finished(const tni_loop *loop)
{
    return loop->phase >= TNI_PHASE_ENDING && loop->conns == NULL;
}

void tni_loop_run(tni_loop *loop)
{
    uint64_t next_tick = tni_clock_ns() + loop->tick_ns;
    while (!finished(loop)) {
        tni_poll_event events[EVENTS];
        bool woken = false;
        const bool alone = loop->conns == NULL && loop->accepting &&
                           loop->phase == TNI_PHASE_OPEN;
        const int wait = alone ? -1 : (int)(loop->tick_ns / 1000000u) + 1;
        const size_t n =
            tni_poller_wait(&loop->poller, events, EVENTS, wait, &woken);
        for (size_t i = 0; i < n; i++) {
            if (events[i].ctx == &loop->listener)
                accept_some(loop);
            else
                tni_conn_event(events[i].ctx, events[i].what);
        }
        run_posts(loop);
        const uint64_t now = tni_clock_ns();
        follow_phases(loop, now);
        if (now >= next_tick) {
            tick(loop, now);
            next_tick = now + loop->tick_ns;
        }
        free_dead(loop);
    }
}
