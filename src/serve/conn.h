/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h - a connection, whatever it speaks (private to the loop)
 *
 * Everything that happens to a connection happens between tni_conn_enter and
 * tni_conn_leave; the outermost leave drives its protocol as far as it goes.
 * So an application that answers from inside request() makes no recursion,
 * and nothing is freed while somebody up the stack still uses it. What the
 * application calls leaves the driving to the loop.
 */
#ifndef TN_SRC_SERVE_CONN_H
#define TN_SRC_SERVE_CONN_H

#include "serve/http_date.h"
#include "serve/loop.h"
#include "serve/outq.h"
#include "sys/poller.h"

enum {
    TNI_SNIFF_BYTES = 24,           /* of HTTP/2's first words */
    TNI_SCRATCH_BYTES = 256 * 1024, /* what is read at once */
    TNI_OUT_MAX = 64 * 1024 * 1024, /* unsent, streaming; more is lost */
    TNI_ERROR_MAX = 512             /* an error's JSON */
};

typedef struct tni_conn tni_conn;
typedef struct tni_tls_conn tni_tls_conn;

typedef struct tni_protocol {
    /* Goes as far as it can: parses, hands requests over, reads. */
    void (*drive)(tni_conn *c);
    /* The socket is gone: exchanges are cancelled. */
    void (*lost)(tni_conn *c);
    /* Whether an exchange has not ended. */
    bool (*busy)(const tni_conn *c);
    /* Its deadline has passed. */
    void (*late)(tni_conn *c, uint64_t now);
    /* The server is ending: for good when `final`. */
    void (*drain)(tni_conn *c, bool final);
    void (*free)(tni_conn *c);
} tni_protocol;

struct tni_conn {
    tni_conn *prev, *next;
    tni_loop *loop;
    const tni_protocol *protocol;
    void *p; /* the protocol's */
    tni_tls_conn *tls;
    tni_outq out;
    int fd; /* -1: lost */
    int depth;
    uint32_t interest; /* what the poller was told */
    bool want_read;    /* of the protocol; false is back-pressure */
    bool readable;     /* there may be something to read */
    bool blocked;      /* the socket takes no more */
    bool peer_done;    /* sends nothing more */
    bool closing;      /* when everything is sent */
    bool lingering;
    bool listed_dead;
    bool doomed;  /* to be lost before anything more is sent */
    bool stirred; /* in the loop's list of those to drive */
    tni_conn *next_stirred;
    uint64_t deadline_ns;             /* 0: none */
    uint64_t write_since_ns, written; /* of what is being sent; 0: nothing */
    uint64_t lingered;
    uint8_t sniffed[TNI_SNIFF_BYTES];
    size_t n_sniffed;
    char peer[TNI_PEER_SIZE];
};

extern const tni_protocol tni_sniffing;

/* From now on the connection speaks this; its first bytes are those sniffed.
 * False when memory is out. */
bool tni_http1_attach(tni_conn *c);
bool tni_http2_attach(tni_conn *c);

/* Takes over fd and the room that was taken for it; NULL when memory is out,
 * both then given back. */
tni_conn *tni_conn_new(tni_loop *loop, int fd, const char *peer);
void tni_conn_free(tni_conn *c);

void tni_conn_enter(tni_conn *c);
void tni_conn_leave(tni_conn *c);
/* The same for what the application calls: driven is later, by the loop, so
 * that nothing is sent, lost or told to the application inside of its call. */
void tni_conn_leave_later(tni_conn *c);
/* Memory is out or such: lost when it is driven next. */
void tni_conn_doom(tni_conn *c);
/* What the poller saw. */
void tni_conn_event(tni_conn *c, uint32_t what);
void tni_conn_tick(tni_conn *c, uint64_t now);

/* > 0 bytes, or 0 with nothing read: none now, the peer's end (peer_done), or
 * lost (fd is -1 then). */
size_t tni_conn_read(tni_conn *c, void *buf, size_t size);
/* Whether something was read from the socket that nobody has asked for yet. */
bool tni_conn_holds(const tni_conn *c);
/* Sends what it can; true when everything is sent. */
bool tni_conn_flush(tni_conn *c);
/* Closes the socket now. */
void tni_conn_lose(tni_conn *c);

/* base + what `bytes` take at the slowest rate allowed */
uint64_t tni_conn_due(const tni_conn *c, uint64_t since, uint64_t timeout,
                      uint64_t bytes);

/* --- of the loop ------------------------------------------------------- */

typedef enum tni_phase {
    TNI_PHASE_OPEN,
    TNI_PHASE_LAME,   /* accepts, but asks clients to go */
    TNI_PHASE_ENDING, /* finishes what is in flight */
    TNI_PHASE_STOP
} tni_phase;

typedef struct tni_loop_atomics {
    _Atomic(tni_post *) posts; /* the latest first */
    _Atomic uint64_t drain_delay_ns, drain_timeout_ns;
    _Atomic int command; /* 0, 1: drain, 2: stop */
    _Atomic uint64_t connections, accepted, requests, refused, timeouts;
} tni_loop_atomics;

struct tni_loop {
    tni_loop_opts opts;
    tni_poller poller;
    int listener; /* -1: closed */
    bool accepting;
    tni_phase phase;
    uint64_t phase_end_ns;
    uint64_t tick_ns; /* how often deadlines are looked at */
    tni_conn *conns, *dead, *stirred;
    uint8_t *scratch; /* TNI_SCRATCH_BYTES */
    uint64_t date_s;  /* of the Unix epoch, what `date` says */
    char date[TNI_HTTP_DATE];
    tni_loop_atomics shared;
};

static inline void tni_loop_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Drives what tni_conn_leave_later has left. */
void tni_loop_drive_stirred(tni_loop *loop);
/* Counts one connection more, within the limit of all loops together, or one
 * less. */
bool tni_loop_take_room(tni_loop *loop);
void tni_loop_leave_room(tni_loop *loop);

/* The time of day for the field Date, as it was at most a second ago. */
const char *tni_loop_date(tni_loop *loop);

/* {"error": "…"}; its length. */
size_t tni_error_json(char out[TNI_ERROR_MAX], const char *message);

#endif
