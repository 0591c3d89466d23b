/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c - TCP sockets that never wait */
#define _GNU_SOURCE
#include "sys/tcp.h"

#include "sys/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BACKLOG = 1024, MAX_SLICES = 64 };

static bool set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static tn_status listen_at(int *out, const struct addrinfo *a, const char *host,
                           unsigned port, tn_err *err)
{
    const int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return tni_fail(err, TN_EIO, "the system refused a socket (error %d)",
                        errno);
    bool good = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
                set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (good && a->ai_family == AF_INET6)
        good = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (good && bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
        listen(fd, BACKLOG) == 0) {
        *out = fd;
        return TN_OK;
    }
    const int e = errno;
    (void)close(fd);
    if (e == EADDRINUSE)
        return tni_fail(err, TN_EBUSY,
                        "port %u of %s is in use; choose another, or 0 for "
                        "one that is free",
                        port, host);
    if (e == EACCES)
        return tni_fail(err, TN_EIO,
                        "port %u needs more rights; choose one above 1023",
                        port);
    return tni_fail(err, TN_EIO, "cannot listen at %s port %u (error %d)", host,
                    port, e);
}

tn_status tni_tcp_listen(int *out, const char *host, uint16_t port, tn_err *err)
{
    *out = -1;
    char service[8];
    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    const int e = getaddrinfo(host, service, &hints, &found);
    if (e != 0 || found == NULL)
        return tni_fail(err, TN_EINVAL,
                        "host '%.100s' is not known (%s); expected a name or "
                        "address of this machine",
                        host, e != 0 ? gai_strerror(e) : "no address");
    const tn_status s = listen_at(out, found, host, port, err);
    freeaddrinfo(found);
    return s;
}

uint16_t tni_tcp_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;
    memset(&a, 0, sizeof a);
    if (getsockname(fd, (struct sockaddr *)&a, &size) != 0) return 0;
    if (a.ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, &a, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    struct sockaddr_in v4;
    memcpy(&v4, &a, sizeof v4);
    return ntohs(v4.sin_port);
}

static void write_peer(char *peer, const struct sockaddr_storage *a)
{
    char text[INET6_ADDRSTRLEN] = "?";
    if (a->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, a, sizeof v6);
        (void)inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        (void)snprintf(peer, TNI_PEER_SIZE, "[%s]:%u", text,
                       (unsigned)ntohs(v6.sin6_port));
        return;
    }
    struct sockaddr_in v4;
    memcpy(&v4, a, sizeof v4);
    (void)inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    (void)snprintf(peer, TNI_PEER_SIZE, "%s:%u", text,
                   (unsigned)ntohs(v4.sin_port));
}

int tni_tcp_accept(int fd, char *peer)
{
    for (;;) {
        struct sockaddr_storage a;
        socklen_t size = sizeof a;
        memset(&a, 0, sizeof a);
        const int s = accept4(fd, (struct sockaddr *)&a, &size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (s >= 0) {
            /* Answers are whole when they are written: nothing to wait for. */
            (void)set_int(s, IPPROTO_TCP, TCP_NODELAY, 1);
            write_peer(peer, &a);
            return s;
        }
        if (errno == EAGAIN) return TNI_IO_AGAIN;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
            errno == ENOMEM)
            return TNI_IO_LOST;
        /* A connection that went away while it waited; the next one. */
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            return TNI_IO_AGAIN;
    }
}

int tni_tcp_connect(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct sockaddr_in a;
    memset(&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0) return fd;
    (void)close(fd);
    return -1;
}

bool tni_tcp_wait(int fd, bool write, uint64_t until_ns)
{
    for (;;) {
        const uint64_t now = tni_clock_ns();
        if (now >= until_ns) return false;
        struct pollfd p = {fd, write ? POLLOUT : POLLIN, 0};
        const uint64_t ms = (until_ns - now) / 1000000 + 1;
        const int n = poll(&p, 1, ms > 1000 ? 1000 : (int)ms);
        if (n > 0) return true;
        if (n < 0 && errno != EINTR) return false;
    }
}

static int dial_at(const struct addrinfo *a, uint64_t until_ns)
{
    const int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    bool good = connect(fd, a->ai_addr, a->ai_addrlen) == 0;
    if (!good && errno == EINPROGRESS && tni_tcp_wait(fd, true, until_ns)) {
        int e = 0;
        socklen_t size = sizeof e;
        good = getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &size) == 0 && e == 0;
    }
    if (good) return fd;
    (void)close(fd);
    return -1;
}

int tni_tcp_dial(const char *host, uint16_t port, uint64_t until_ns)
{
    char service[8];
    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    struct addrinfo hints, *found = NULL;
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    if (getaddrinfo(host, service, &hints, &found) != 0) return -1;
    int fd = -1;
    for (const struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next)
        fd = dial_at(a, until_ns);
    freeaddrinfo(found);
    return fd;
}

/* What a failed read or write means. */
static ptrdiff_t refused(void)
{
    if (errno == EAGAIN) return TNI_IO_AGAIN;
    return TNI_IO_LOST;
}

static ptrdiff_t receive(int fd, void *buf, size_t size, int flags)
{
    ptrdiff_t n;
    do n = recv(fd, buf, size, flags);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? n : refused();
}

ptrdiff_t tni_tcp_read(int fd, void *buf, size_t size)
{
    return receive(fd, buf, size, 0);
}

ptrdiff_t tni_tcp_peek(int fd, void *buf, size_t size)
{
    return receive(fd, buf, size, MSG_PEEK);
}

ptrdiff_t tni_tcp_write(int fd, const tni_slice *slices, size_t n)
{
    struct iovec v[MAX_SLICES];
    if (n > MAX_SLICES) n = MAX_SLICES;
    for (size_t i = 0; i < n; i++) {
        /* iovec serves reading too and so has no const. */
        memcpy(&v[i].iov_base, &slices[i].p, sizeof v[i].iov_base);
        v[i].iov_len = slices[i].len;
    }
    struct msghdr m;
    memset(&m, 0, sizeof m);
    m.msg_iov = v;
    m.msg_iovlen = n;
    ptrdiff_t k;
    do k = sendmsg(fd, &m, MSG_NOSIGNAL);
    while (k < 0 && errno == EINTR);
    return k >= 0 ? k : refused();
}

void tni_tcp_finish(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

void tni_tcp_close(int fd)
{
    if (fd >= 0) (void)close(fd);
}
