/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp.h - TCP sockets that never wait
 *
 * A socket is a small number, as the system gives it. None of these calls
 * blocks (but for names that must be looked up), raises a signal, or leaks the
 * descriptor to programs started later.
 */
#ifndef TN_SRC_SYS_TCP_H
#define TN_SRC_SYS_TCP_H

#include "base/err.h"

#include <stdbool.h>

enum {
    TNI_IO_AGAIN = -1, /* nothing now; wait for it */
    TNI_IO_LOST = -2   /* the connection is gone */
};

/* Long enough for "[v6 address]:port". */
enum { TNI_PEER_SIZE = 56 };

/* A stretch of bytes to write. */
typedef struct tni_slice {
    const void *p;
    size_t len;
} tni_slice;

/*
 * Listens at `host` (a name, or an IPv4 or IPv6 address; "::" is every
 * address of both kinds) and `port` (0: one that is free). Several sockets may
 * listen at one port: the system spreads connections over them. TN_EINVAL when
 * the host is unknown, TN_EBUSY when the port is taken.
 */
tn_status tni_tcp_listen(int *out, const char *host, uint16_t port,
                         tn_err *err);
/* The port a socket listens at. */
uint16_t tni_tcp_port(int fd);
/* A new connection with its peer written to `peer` (TNI_PEER_SIZE bytes),
 * TNI_IO_AGAIN, or TNI_IO_LOST when the system has no descriptor left. */
int tni_tcp_accept(int fd, char *peer);

/* A connection to a port of this machine, for tests; -1 on failure. */
int tni_tcp_connect(uint16_t port);
/* A connection to somebody else's server, whatever address of the host answers
 * first; waits for it until tni_clock_ns() is `until_ns`. -1 on failure. */
int tni_tcp_dial(const char *host, uint16_t port, uint64_t until_ns);
/* Waits until it can be written to, or read from; false when the time is up. */
bool tni_tcp_wait(int fd, bool write, uint64_t until_ns);

/* How many bytes were read, 0 at the end of what the peer sends. */
ptrdiff_t tni_tcp_read(int fd, void *buf, size_t size);
/* The same, and the bytes stay to be read again. */
ptrdiff_t tni_tcp_peek(int fd, void *buf, size_t size);
/* Writes slices, at most 64 of them, with one call; how many bytes went. */
ptrdiff_t tni_tcp_write(int fd, const tni_slice *slices, size_t n);
/* Says that nothing more will be written. */
void tni_tcp_finish(int fd);
void tni_tcp_close(int fd);

#endif
