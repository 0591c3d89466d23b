/* SPDX-License-Identifier: Apache-2.0 */
/* h2_raw.h - frames of HTTP/2 as bytes, right or wrong */
#ifndef TN_TESTS_H2_RAW_H
#define TN_TESTS_H2_RAW_H

#include "serve_rig.h"

#include <nghttp2/nghttp2.h>

/* A frame as it is given, whatever it says. */
static inline void h2_raw(int fd, int type, int flags, uint32_t id,
                          const void *bytes, size_t len)
{
    const uint8_t head[9] = {(uint8_t)(len >> 16),
                             (uint8_t)(len >> 8 & 255),
                             (uint8_t)(len & 255),
                             (uint8_t)type,
                             (uint8_t)flags,
                             (uint8_t)(id >> 24),
                             (uint8_t)(id >> 16 & 255),
                             (uint8_t)(id >> 8 & 255),
                             (uint8_t)(id & 255)};
    rig_put(fd, head, sizeof head);
    rig_put(fd, bytes, len);
}

/* Connected, with the preface and empty SETTINGS sent. */
static inline int h2_raw_open(const rig *r)
{
    const int fd = rig_connect(r);
    rig_say(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    h2_raw(fd, NGHTTP2_SETTINGS, 0, 0, "", 0);
    return fd;
}

/* Reads frames until one of `type` (its payload into `bytes`, how many), or
 * -1 at the connection's end. */
static inline ptrdiff_t h2_raw_until(int fd, int type, uint8_t *bytes,
                                     size_t cap)
{
    for (;;) {
        uint8_t head[9];
        size_t have = 0;
        while (have < 9) {
            const ptrdiff_t n = tni_tcp_read(fd, head + have, 9 - have);
            if (n <= 0) return -1;
            have += (size_t)n;
        }
        const size_t len =
            (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        for (size_t i = 0; i < len; i++) {
            uint8_t c;
            if (tni_tcp_read(fd, &c, 1) != 1) return -1;
            if (i < cap) bytes[i] = c;
        }
        if (head[3] == type) return (ptrdiff_t)len;
    }
}

#endif
