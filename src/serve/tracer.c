/* SPDX-License-Identifier: Apache-2.0 */
/* tracer.c - which requests are traced, and the thread that sends spans */
#include "serve/tracer.h"

#include "serve/serve_log.h"
#include "sys/clock.h"
#include "sys/tcp.h"
#include "sys/thread.h"

#include <openssl/rand.h>
#include <stdio.h>

enum {
    DEFAULT_WAITING = 4096,
    SEND_MOST = 256,        /* records of one request to the collector */
    BYTES_OF_RECORD = 1536, /* the texts whole, and five spans' heads */
    HEAD_BYTES = 512,
    HOST_MAX = 256,
    PATH_MAX_BYTES = 256,
    ANSWER_BYTES = 1024
};
static const uint64_t gather_ns = 1000000000; /* from the first record */
static const uint64_t send_ns = 5000000000;   /* for one request */
static const uint64_t away_ns = 5000000000;   /* after a failure */
static const uint64_t farewell_ns = 2000000000;
static const uint64_t complain_ns = 60000000000;

struct tni_tracer {
    tni_mem mem;
    tn_logger logger;
    tni_monitor *lock;
    tni_thread *thread;
    char host[HOST_MAX], path[PATH_MAX_BYTES], service[128];
    uint16_t port;
    /* Under the lock. */
    uint32_t rate;
    tni_trace_record *ring;
    size_t capacity, first, n;
    uint64_t first_ns; /* when the ring was last empty no more */
    uint64_t seen, sent, lost;
    bool closing;
    /* The thread's. */
    tni_trace_record *batch;
    uint8_t *bytes;
    uint64_t complained_ns;
};

/* --- the address ---------------------------------------------------------- */

static bool plain(const char *s, size_t n, bool path)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] <= ' ' || s[i] >= 127 ||
            (!path && strchr("@?#\\", s[i]) != NULL))
            return false;
    return true;
}

static tn_status bad_url(const char *url, const char *why, tn_err *err)
{
    return tni_fail(err, TN_EINVAL,
                    "'%.200s' is not a collector's address: %s; expected "
                    "http://HOST[:PORT][/PATH]",
                    url, why);
}

static tn_status read_url(tni_tracer *t, const char *url, tn_err *err)
{
    if (strncmp(url, "https://", 8) == 0)
        return bad_url(url,
                       "spans are sent without TLS, so let a collector on this "
                       "machine pass them on",
                       err);
    if (strncmp(url, "http://", 7) != 0)
        return bad_url(url, "it does not begin with http://", err);
    const char *host = url + 7;
    const char *slash = strchr(host, '/');
    const char *end = slash != NULL ? slash : host + strlen(host);
    const char *port = NULL;
    const char *host_end = end;
    if (*host == '[') {
        const char *close = memchr(host, ']', (size_t)(end - host));
        if (close == NULL) return bad_url(url, "'[' without ']'", err);
        host++;
        host_end = close;
        if (close[1] == ':') port = close + 2;
    } else {
        const char *colon = memchr(host, ':', (size_t)(end - host));
        if (colon != NULL) {
            host_end = colon;
            port = colon + 1;
        }
    }
    const size_t host_len = (size_t)(host_end - host);
    if (host_len == 0 || host_len >= HOST_MAX || !plain(host, host_len, false))
        return bad_url(url, "no host", err);
    memcpy(t->host, host, host_len);
    unsigned number = 4318;
    if (port != NULL) {
        number = 0;
        if (port == end || end - port > 5) return bad_url(url, "no port", err);
        for (; port < end; port++) {
            if (*port < '0' || *port > '9')
                return bad_url(url, "the port is no number", err);
            number = number * 10 + (unsigned)(*port - '0');
        }
    }
    if (number == 0 || number > 65535) return bad_url(url, "no such port", err);
    t->port = (uint16_t)number;
    const char *path = slash != NULL && slash[1] != '\0' ? slash : "/v1/traces";
    if (strlen(path) >= PATH_MAX_BYTES || !plain(path, strlen(path), true))
        return bad_url(url, "not a path", err);
    memcpy(t->path, path, strlen(path) + 1);
    return TN_OK;
}

/* --- sending -------------------------------------------------------------- */

/* Whether all of it went before the time was up. */
static bool write_all(int fd, const void *bytes, size_t size, uint64_t until_ns)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        const tni_slice slice = {at, size};
        const ptrdiff_t n = tni_tcp_write(fd, &slice, 1);
        if (n == TNI_IO_AGAIN) {
            if (!tni_tcp_wait(fd, true, until_ns)) return false;
        } else if (n < 0) {
            return false;
        } else {
            at += n;
            size -= (size_t)n;
        }
    }
    return true;
}

/* The status of the collector's answer; 0 when there is none. */
static int read_status(int fd, uint64_t until_ns)
{
    char answer[ANSWER_BYTES];
    size_t n = 0;
    while (n < 12) {
        const ptrdiff_t got = tni_tcp_read(fd, answer + n, sizeof answer - n);
        if (got == TNI_IO_AGAIN) {
            if (!tni_tcp_wait(fd, false, until_ns)) return 0;
        } else if (got <= 0) {
            return 0;
        } else {
            n += (size_t)got;
        }
    }
    if (memcmp(answer, "HTTP/1.", 7) != 0 || answer[8] != ' ') return 0;
    int status = 0;
    for (int i = 9; i < 12; i++) {
        if (answer[i] < '0' || answer[i] > '9') return 0;
        status = status * 10 + (answer[i] - '0');
    }
    return status;
}

/* NULL, or why the collector did not take them. */
static const char *post(tni_tracer *t, size_t n, uint64_t until_ns)
{
    const uint64_t epoch = tni_clock_epoch_ms() * 1000000 - tni_clock_ns();
    const size_t room = SEND_MOST * (size_t)BYTES_OF_RECORD;
    const size_t size =
        tni_otlp_encode(t->bytes, room, t->service, t->batch, n, epoch);
    if (size > room) return "a batch larger than its buffer";
    char head[HEAD_BYTES + HOST_MAX + PATH_MAX_BYTES];
    const bool v6 = strchr(t->host, ':') != NULL;
    const int head_len =
        snprintf(head, sizeof head,
                 "POST %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nContent-Type: "
                 "application/x-protobuf\r\nContent-Length: %zu\r\nUser-Agent: "
                 "tenon\r\nConnection: close\r\n\r\n",
                 t->path, v6 ? "[" : "", t->host, v6 ? "]" : "",
                 (unsigned)t->port, size);
    const int fd = tni_tcp_dial(t->host, t->port, until_ns);
    if (fd < 0) return "it does not answer at its address";
    const char *why = "the connection was lost";
    if (write_all(fd, head, (size_t)head_len, until_ns) &&
        write_all(fd, t->bytes, size, until_ns)) {
        const int status = read_status(fd, until_ns);
        why = status / 100 == 2 ? NULL
              : status == 0     ? "it gave no answer"
                                : "it refused them";
    }
    tni_tcp_close(fd);
    return why;
}

static void complain(tni_tracer *t, const char *why, uint64_t lost)
{
    const uint64_t now = tni_clock_ns();
    if (t->complained_ns != 0 && now - t->complained_ns < complain_ns) return;
    t->complained_ns = now;
    tni_serve_log(&t->logger, TN_LOG_WARN, "trace.export",
                  "collector=%s:%u reason=\"%s\" lost=%llu", t->host,
                  (unsigned)t->port, why, (unsigned long long)lost);
}

/* Under the lock: the oldest records become the batch. */
static size_t take(tni_tracer *t)
{
    size_t n = 0;
    while (n < SEND_MOST && t->n > 0) {
        t->batch[n++] = t->ring[t->first];
        t->first = (t->first + 1) % t->capacity;
        t->n--;
    }
    t->first_ns = tni_clock_ns();
    return n;
}

/* Under the lock: whether there is something to send now, else waits. */
static bool wait_for_records(tni_tracer *t, uint64_t not_before)
{
    while (!t->closing) {
        const uint64_t now = tni_clock_ns();
        uint64_t until = 0;
        if (t->n > 0) {
            until = t->n >= SEND_MOST ? now : t->first_ns + gather_ns;
            if (until < not_before) until = not_before;
            if (now >= until) break;
        }
        tni_monitor_wait(t->lock, until);
    }
    return t->n > 0;
}

static void tracer_main(void *ctx)
{
    tni_tracer *t = ctx;
    uint64_t not_before = 0, end = 0;
    tni_monitor_lock(t->lock);
    while (wait_for_records(t, not_before)) {
        const size_t n = take(t);
        if (t->closing && end == 0) end = tni_clock_ns() + farewell_ns;
        tni_monitor_unlock(t->lock);
        const char *why = post(t, n, end != 0 ? end : tni_clock_ns() + send_ns);
        not_before = why != NULL ? tni_clock_ns() + away_ns : 0;
        tni_monitor_lock(t->lock);
        if (why == NULL)
            t->sent += n;
        else
            t->lost += n;
        const uint64_t lost = t->lost;
        const bool stop = t->closing && (why != NULL || tni_clock_ns() > end);
        tni_monitor_unlock(t->lock);
        if (why != NULL) complain(t, why, lost);
        tni_monitor_lock(t->lock);
        if (stop && end != 0) break;
    }
    t->lost += t->n;
    tni_monitor_unlock(t->lock);
}

/* --- life ----------------------------------------------------------------- */

static void *take_memory(tni_tracer *t, size_t n, size_t size)
{
    return tni_mem_alloc(&t->mem, n * size, 16);
}

static tn_status start(tni_tracer *t, const tni_tracer_opts *opts, tn_err *err)
{
    TN_TRY(read_url(t, opts->url, err));
    t->ring = take_memory(t, t->capacity, sizeof *t->ring);
    t->batch = take_memory(t, SEND_MOST, sizeof *t->batch);
    t->bytes = take_memory(t, SEND_MOST, BYTES_OF_RECORD);
    if (t->ring == NULL || t->batch == NULL || t->bytes == NULL)
        return tni_fail(err, TN_ENOMEM, "no memory for %zu spans", t->capacity);
    TN_TRY(tni_monitor_new(&t->lock, &t->mem, err));
    return tni_thread_start(&t->thread, tracer_main, t, "tenon-trace", &t->mem,
                            err);
}

tn_status tni_tracer_new(tni_tracer **out, const tni_tracer_opts *opts,
                         tn_err *err)
{
    *out = NULL;
    tni_mem mem;
    tni_mem_init(&mem, opts->allocator, 0);
    tni_tracer *t = tni_mem_alloc(&mem, sizeof *t, 16);
    if (t == NULL) return tni_fail(err, TN_ENOMEM, "no memory for a tracer");
    memset(t, 0, sizeof *t);
    t->mem = mem;
    if (opts->logger != NULL) t->logger = *opts->logger;
    t->rate = opts->rate;
    t->capacity =
        opts->max_waiting != 0 ? opts->max_waiting : (uint32_t)DEFAULT_WAITING;
    (void)snprintf(t->service, sizeof t->service, "%s",
                   opts->service != NULL ? opts->service : "tenon");
    const tn_status s = start(t, opts, err);
    if (s != TN_OK) {
        tni_tracer_free(t);
        return s;
    }
    *out = t;
    return TN_OK;
}

void tni_tracer_free(tni_tracer *t)
{
    if (t == NULL) return;
    if (t->thread != NULL) {
        tni_monitor_lock(t->lock);
        t->closing = true;
        tni_monitor_wake_all(t->lock);
        tni_monitor_unlock(t->lock);
        tni_thread_join(t->thread);
    }
    if (t->lock != NULL) tni_monitor_free(t->lock, &t->mem);
    if (t->ring != NULL)
        tni_mem_free(&t->mem, t->ring, t->capacity * sizeof *t->ring, 16);
    if (t->batch != NULL)
        tni_mem_free(&t->mem, t->batch, SEND_MOST * sizeof *t->batch, 16);
    if (t->bytes != NULL)
        tni_mem_free(&t->mem, t->bytes, SEND_MOST * (size_t)BYTES_OF_RECORD,
                     16);
    tni_mem mem = t->mem;
    tni_mem_free(&mem, t, sizeof *t, 16);
}

/* --- requests ------------------------------------------------------------- */

void tni_tracer_set_rate(tni_tracer *t, uint32_t rate)
{
    tni_monitor_lock(t->lock);
    t->rate = rate;
    t->seen = 0;
    tni_monitor_unlock(t->lock);
}

uint32_t tni_tracer_rate(tni_tracer *t)
{
    tni_monitor_lock(t->lock);
    const uint32_t rate = t->rate;
    tni_monitor_unlock(t->lock);
    return rate;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Lower-case digits, not all of them zero. */
static bool read_hex(uint8_t *out, size_t n, const char *text)
{
    unsigned any = 0;
    for (size_t i = 0; i < n; i++) {
        const int high = hex(text[2 * i]), low = hex(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
        any |= out[i];
    }
    return any != 0;
}

/* "00-TRACE-PARENT-FLAGS"; later versions may go on behind another '-'. */
static bool read_parent(tni_span s, tni_trace *out)
{
    uint8_t version = 0, flags = 0;
    tni_trace t;
    memset(&t, 0, sizeof t);
    if (s.len < 55 || s.p[2] != '-' || s.p[35] != '-' || s.p[52] != '-')
        return false;
    const bool version0 = s.p[0] == '0' && s.p[1] == '0';
    if (!version0 && !read_hex(&version, 1, s.p)) return false;
    if (version == 255 || (version == 0 && s.len != 55) ||
        (s.len > 55 && s.p[55] != '-'))
        return false;
    if (!read_hex(t.trace_id, 16, s.p + 3) ||
        !read_hex(t.parent_id, 8, s.p + 36))
        return false;
    if (!read_hex(&flags, 1, s.p + 53) && (s.p[53] != '0' || s.p[54] != '0'))
        return false;
    t.sampled = (flags & 1) != 0;
    *out = t;
    return true;
}

void tni_tracer_begin(tni_tracer *t, tni_span traceparent, tni_trace *out)
{
    memset(out, 0, sizeof *out);
    if (!read_parent(traceparent, out)) {
        if (RAND_bytes(out->trace_id, sizeof out->trace_id) != 1)
            out->trace_id[0] = 1; /* an id that is not unique, but valid */
        tni_monitor_lock(t->lock);
        if (t->rate != 0) out->sampled = t->seen++ % t->rate == 0;
        tni_monitor_unlock(t->lock);
    }
    if (RAND_bytes(out->span_id, sizeof out->span_id) != 1) out->span_id[0] = 1;
}

static char *write_hex(char *at, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return at;
}

void tni_trace_parent(const tni_trace *trace, char *text)
{
    memcpy(text, "00-", 3);
    char *at = write_hex(text + 3, trace->trace_id, 16);
    *at++ = '-';
    at = write_hex(at, trace->span_id, 8);
    memcpy(at, trace->sampled ? "-01" : "-00", 4);
}

void tni_trace_id(const tni_trace *trace, char *text)
{
    *write_hex(text, trace->trace_id, 16) = '\0';
}

void tni_tracer_add(tni_tracer *t, const tni_trace_record *record)
{
    if (!record->trace.sampled) return;
    tni_monitor_lock(t->lock);
    if (t->n == t->capacity) {
        t->lost++;
    } else {
        if (t->n == 0) t->first_ns = tni_clock_ns();
        t->ring[(t->first + t->n) % t->capacity] = *record;
        t->n++;
        if (t->n == 1 || t->n == SEND_MOST) tni_monitor_wake(t->lock);
    }
    tni_monitor_unlock(t->lock);
}

void tni_tracer_counts(tni_tracer *t, uint64_t *sent, uint64_t *lost)
{
    tni_monitor_lock(t->lock);
    *sent = t->sent;
    *lost = t->lost;
    tni_monitor_unlock(t->lock);
}
