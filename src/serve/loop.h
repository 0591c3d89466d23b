/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h - an I/O thread: its connections, its timers, what is posted to it
 *
 *     tni_loop_open(&loop, &opts, listener, &err);
 *     tni_thread_start(&t, run, loop, …);      which calls tni_loop_run
 *     tni_loop_drain(loop, delay, timeout);    from any thread
 *     tni_thread_join(t);
 *     tni_loop_close(loop);
 *
 * Threads: exclusive, but for what says any.
 */
#ifndef TN_SRC_SERVE_LOOP_H
#define TN_SRC_SERVE_LOOP_H

#include "serve/exchange.h"

typedef struct tni_tls tni_tls; /* see tls.h */

typedef struct tni_loop_opts {
    const tni_app *app;
    tni_mem *mem;      /* of connections */
    tni_mem *bodies;   /* of requests in flight; its limit is their budget */
    uint64_t max_body; /* 64 MiB: bytes of one request, unpacked */
    /* 10000: of this loop, or, with a counter that begins at 0 and outlives
     * them, of all loops that share it; more wait in the system. */
    uint32_t max_connections;
    _Atomic uint64_t *all_connections; /* NULL: none */
    uint32_t max_streams;              /* 256: of one HTTP/2 connection */
    uint64_t header_timeout_ns; /* 10 s: a whole head, from its first byte */
    uint64_t idle_timeout_ns;   /* 120 s: between requests */
    /* 30 s each: for a body to come, or an answer to go, with as much more as
     * its bytes take at min_rate bytes a second (64 KiB). */
    uint64_t read_timeout_ns, write_timeout_ns;
    uint64_t min_rate;
    tni_tls *tls; /* NULL: connections that begin with TLS are closed */
    bool tls_only;
} tni_loop_opts;

/* The limits written above, and NULL or false for the rest. */
void tni_loop_opts_init(tni_loop_opts *opts);

/* What has happened since the loop was opened. */
typedef struct tni_loop_counts {
    uint64_t connections; /* now, of this loop */
    uint64_t accepted, requests, refused, timeouts;
} tni_loop_counts;

/* Takes over the listening socket (-1: none) when it succeeds. */
tn_status tni_loop_open(tni_loop **out, const tni_loop_opts *opts, int listener,
                        tn_err *err);
/* Works until drained or stopped and every exchange has ended. */
void tni_loop_run(tni_loop *loop);
void tni_loop_close(tni_loop *loop);

/*
 * Ends gently: answers close their connections from now on; after delay_ns no
 * connection is accepted and those that wait for a request are closed; after
 * timeout_ns more the rest is. Threads: any; signal handlers too.
 */
void tni_loop_drain(tni_loop *loop, uint64_t delay_ns, uint64_t timeout_ns);
/* Ends now: what is in flight is cancelled. Threads: any; signal handlers. */
void tni_loop_stop(tni_loop *loop);
/* Threads: any. */
void tni_loop_count(const tni_loop *loop, tni_loop_counts *out);

#endif
