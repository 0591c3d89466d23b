/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - a connection: its socket, what it has to send, its first bytes */
#include "serve/conn.h"

#include "serve/tls.h"
#include "sys/clock.h"

#include <stdio.h>

enum { LINGER_BYTES = 1024 * 1024, SLICES = 64 };

#define LINGER_NS ((uint64_t)1000000000u)

tni_conn *tni_conn_new(tni_loop *loop, int fd, const char *peer)
{
    tni_conn *c = tni_mem_alloc(loop->opts.mem, sizeof *c, _Alignof(tni_conn));
    if (c == NULL) {
        tni_tcp_close(fd);
        tni_loop_leave_room(loop);
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->loop = loop;
    c->fd = fd;
    c->protocol = &tni_sniffing;
    c->want_read = c->readable = true;
    c->interest = TNI_POLL_READ | TNI_POLL_HALF;
    c->deadline_ns = tni_clock_ns() + loop->opts.header_timeout_ns;
    (void)snprintf(c->peer, sizeof c->peer, "%s", peer);
    tni_outq_init(&c->out, loop->opts.mem);
    if (!tni_poller_add(&loop->poller, fd, c->interest, c)) {
        tni_tcp_close(fd);
        tni_mem_free(loop->opts.mem, c, sizeof *c, _Alignof(tni_conn));
        tni_loop_leave_room(loop);
        return NULL;
    }
    c->next = loop->conns;
    if (c->next != NULL) c->next->prev = c;
    loop->conns = c;
    tni_loop_add(&loop->shared.accepted, 1);
    return c;
}

void tni_conn_free(tni_conn *c)
{
    tni_loop *loop = c->loop;
    c->protocol->free(c);
    tni_tls_conn_free(c->tls);
    tni_outq_fini(&c->out);
    tni_mem_free(loop->opts.mem, c, sizeof *c, _Alignof(tni_conn));
    tni_loop_leave_room(loop);
}

void tni_conn_lose(tni_conn *c)
{
    if (c->fd < 0) return;
    tni_poller_remove(&c->loop->poller, c->fd);
    tni_tcp_close(c->fd);
    c->fd = -1;
    c->deadline_ns = 0;
    c->write_since_ns = 0;
    c->depth++; /* what is ended meanwhile is looked at by the caller */
    c->protocol->lost(c);
    c->depth--;
    tni_outq_fini(&c->out);
}

size_t tni_conn_read(tni_conn *c, void *buf, size_t size)
{
    if (c->fd < 0 || c->peer_done || !c->readable || size == 0) return 0;
    const ptrdiff_t n = c->tls != NULL ? tni_tls_read(c->tls, buf, size)
                                       : tni_tcp_read(c->fd, buf, size);
    /* What comes later is told; of what TLS holds back nobody tells. */
    if (n < 0 || (c->tls == NULL && (size_t)n < size)) c->readable = false;
    if (n > 0) return (size_t)n;
    if (n == 0) c->peer_done = true;
    if (n == TNI_IO_LOST) tni_conn_lose(c);
    return 0;
}

bool tni_conn_holds(const tni_conn *c)
{
    return c->tls != NULL && tni_tls_holds(c->tls);
}

uint64_t tni_conn_due(const tni_conn *c, uint64_t since, uint64_t timeout,
                      uint64_t bytes)
{
    const uint64_t rate = c->loop->opts.min_rate;
    /* Bytes are far below 2^64 / 10^6. */
    return since + timeout + bytes * 1000000u / (rate / 1000u + 1u);
}

bool tni_conn_flush(tni_conn *c)
{
    if (c->doomed) tni_conn_lose(c);
    while (c->fd >= 0 && c->out.bytes != 0 && !c->blocked) {
        tni_slice slices[SLICES];
        const size_t k = tni_outq_slices(&c->out, slices, SLICES);
        const ptrdiff_t n = c->tls != NULL ? tni_tls_write(c->tls, slices, k)
                                           : tni_tcp_write(c->fd, slices, k);
        if (n == TNI_IO_LOST) {
            tni_conn_lose(c);
            return false;
        }
        if (n == TNI_IO_AGAIN) {
            c->blocked = true;
            if (c->write_since_ns == 0) {
                c->write_since_ns = tni_clock_ns();
                c->written = 0;
            }
        } else {
            c->written += (uint64_t)n;
            tni_outq_sent(&c->out, (size_t)n);
        }
    }
    if (c->fd < 0 || c->out.bytes != 0) return false;
    tni_outq_sent(&c->out, 0); /* what waits behind the last byte */
    c->write_since_ns = 0;
    return true;
}

/* Everything is sent: the peer is told so, and heard out for a moment, since
 * closing with unread bytes would take back what it has not read yet. */
static void linger(tni_conn *c)
{
    if (!c->lingering) {
        c->lingering = true;
        c->want_read = true;
        c->deadline_ns = tni_clock_ns() + LINGER_NS;
        if (c->tls != NULL) tni_tls_finish(c->tls);
        tni_tcp_finish(c->fd);
    }
    while (c->fd >= 0 && !c->peer_done && c->lingered < LINGER_BYTES) {
        const size_t n = tni_conn_read(c, c->loop->scratch, TNI_SCRATCH_BYTES);
        if (n == 0) break;
        c->lingered += n;
    }
    if (c->peer_done || c->lingered >= LINGER_BYTES) tni_conn_lose(c);
}

static void settle(tni_conn *c)
{
    if (c->fd < 0) {
        if (c->listed_dead || c->protocol->busy(c)) return;
        /* Out of the list of the living, to be freed when nobody looks. */
        c->listed_dead = true;
        if (c->next != NULL) c->next->prev = c->prev;
        if (c->prev != NULL)
            c->prev->next = c->next;
        else
            c->loop->conns = c->next;
        c->next = c->loop->dead;
        c->loop->dead = c;
        return;
    }
    uint32_t want = c->peer_done ? 0 : TNI_POLL_HALF;
    /* Reading stays on while an answer is made: most peers wait for it, and
     * those that do not turn it off by what they send. */
    if (!c->peer_done && (c->want_read || (c->interest & TNI_POLL_READ) != 0))
        want |= TNI_POLL_READ;
    if (c->out.bytes != 0) want |= TNI_POLL_WRITE;
    if (want == c->interest) return;
    if (!tni_poller_set(&c->loop->poller, c->fd, want, c)) {
        tni_conn_lose(c);
        settle(c);
        return;
    }
    c->interest = want;
}

void tni_conn_enter(tni_conn *c)
{
    c->depth++;
}

void tni_conn_leave(tni_conn *c)
{
    if (c->depth == 1) {
        if (c->fd >= 0 && !c->closing) c->protocol->drive(c);
        if (c->fd >= 0 && c->closing && tni_conn_flush(c)) linger(c);
    }
    if (--c->depth == 0) settle(c);
}

void tni_conn_leave_later(tni_conn *c)
{
    if (c->depth == 1 && !c->stirred) {
        c->stirred = true;
        c->next_stirred = c->loop->stirred;
        c->loop->stirred = c;
    }
    c->depth--;
}

void tni_conn_doom(tni_conn *c)
{
    c->doomed = true;
}

void tni_conn_event(tni_conn *c, uint32_t what)
{
    if (c->fd < 0) return;
    tni_conn_enter(c);
    if ((what & TNI_POLL_WRITE) != 0) c->blocked = false;
    if ((what & (TNI_POLL_READ | TNI_POLL_HALF)) != 0) c->readable = true;
    if ((what & TNI_POLL_LOST) != 0) {
        tni_conn_lose(c);
    } else if (!c->want_read && (what & TNI_POLL_READ) != 0) {
        c->interest &= ~(uint32_t)TNI_POLL_READ;
        uint32_t now = c->interest & TNI_POLL_WRITE;
        /* Told of the peer's end again and again it would be no news. */
        if ((what & TNI_POLL_HALF) == 0) now |= TNI_POLL_HALF;
        if (!tni_poller_set(&c->loop->poller, c->fd, now, c)) tni_conn_lose(c);
        c->interest = now;
    }
    tni_conn_leave(c);
}

void tni_conn_tick(tni_conn *c, uint64_t now)
{
    if (c->fd < 0) return;
    tni_conn_enter(c);
    const tni_loop_opts *o = &c->loop->opts;
    if (c->write_since_ns != 0 &&
        now > tni_conn_due(c, c->write_since_ns, o->write_timeout_ns,
                           c->written)) {
        tni_loop_add(&c->loop->shared.timeouts, 1);
        tni_conn_lose(c);
    } else if (c->deadline_ns != 0 && now > c->deadline_ns) {
        if (c->lingering) {
            tni_conn_lose(c);
        } else {
            c->deadline_ns = 0;
            c->protocol->late(c, now);
        }
    }
    tni_conn_leave(c);
}

size_t tni_error_json(char out[TNI_ERROR_MAX], const char *message)
{
    size_t n = (size_t)snprintf(out, TNI_ERROR_MAX, "{\"error\":\"");
    for (const char *p = message; *p != '\0' && n < TNI_ERROR_MAX - 8; p++) {
        if (*p == '"' || *p == '\\') out[n++] = '\\';
        if ((unsigned char)*p >= ' ') out[n++] = *p;
    }
    out[n++] = '"';
    out[n++] = '}';
    return n;
}

/* --- the first bytes ----------------------------------------------------- */

/* TLS is seen by the first byte, which stays where it is. */
static bool look_for_tls(tni_conn *c)
{
    uint8_t first = 0;
    const ptrdiff_t n = tni_tcp_peek(c->fd, &first, 1);
    if (n == TNI_IO_AGAIN) return false;
    const bool tls = n == 1 && first == 0x16;
    if (n == TNI_IO_LOST || (tls && c->loop->opts.tls == NULL) ||
        (n == 1 && !tls && c->loop->opts.tls_only)) {
        tni_conn_lose(c);
        return false;
    }
    if (!tls) return true;
    c->tls = tni_tls_conn_new(c->loop->opts.tls, c->fd);
    if (c->tls == NULL) tni_conn_lose(c);
    return c->tls != NULL;
}

/* HTTP/2 begins with words that no request of HTTP/1.1 can: the first byte
 * that differs decides. */
static void sniff(tni_conn *c)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    if (c->n_sniffed == 0 && c->tls == NULL && !look_for_tls(c)) return;
    while (c->n_sniffed < TNI_SNIFF_BYTES &&
           memcmp(c->sniffed, preface, c->n_sniffed) == 0) {
        const size_t n = tni_conn_read(c, c->sniffed + c->n_sniffed,
                                       TNI_SNIFF_BYTES - c->n_sniffed);
        c->n_sniffed += n;
        if (n != 0) continue;
        if (c->peer_done) tni_conn_lose(c);
        return;
    }
    const bool http2 = memcmp(c->sniffed, preface, c->n_sniffed) == 0;
    if (!(http2 ? tni_http2_attach(c) : tni_http1_attach(c))) tni_conn_lose(c);
    if (c->fd >= 0) c->protocol->drive(c);
}

static void nothing(tni_conn *c)
{
    (void)c;
}

static bool never(const tni_conn *c)
{
    (void)c;
    return false;
}

static void sniffed_late(tni_conn *c, uint64_t now)
{
    (void)now;
    tni_loop_add(&c->loop->shared.timeouts, 1);
    tni_conn_lose(c);
}

static void sniffed_drain(tni_conn *c, bool final)
{
    if (final) tni_conn_lose(c);
}

const tni_protocol tni_sniffing = {sniff,        nothing,       never,
                                   sniffed_late, sniffed_drain, nothing};
