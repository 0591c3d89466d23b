/* SPDX-License-Identifier: Apache-2.0 */
/* grpc_wire.c - gRPC's rules over HTTP/2: messages from bytes, metadata */
#include "serve/grpc_wire.h"

#include <stdio.h>

enum { FLAG_PACKED = 1, TIMEOUT_DIGITS = 8 };

static tni_grpc_step bad(tni_grpc_reader *r, int status, const char *reason)
{
    r->status = status;
    (void)snprintf(r->reason, sizeof r->reason, "%.127s", reason);
    tni_body_clear(&r->body);
    return TNI_GRPC_BAD;
}

void tni_grpc_reader_next(tni_grpc_reader *r)
{
    tni_body_clear(&r->body);
    r->n_prefix = 0;
    r->size = 0;
}

void tni_grpc_reader_fini(tni_grpc_reader *r)
{
    tni_grpc_reader_next(r);
}

bool tni_grpc_reader_inside(const tni_grpc_reader *r)
{
    return r->n_prefix != 0;
}

size_t tni_grpc_reader_room(const tni_grpc_reader *r, uint8_t **at)
{
    if (r->n_prefix != TNI_GRPC_PREFIX || r->body.p == NULL) return 0;
    *at = r->body.p + r->body.len;
    return r->size - r->body.len;
}

/* The prefix is whole: room for what it announces. */
static tni_grpc_step begin(tni_grpc_reader *r, tni_mem *mem)
{
    const uint8_t *p = r->prefix;
    if (p[0] > FLAG_PACKED)
        return bad(r, TNI_GRPC_WIRE_INTERNAL,
                   "a message begins with unknown flags; expected 0 or 1");
    r->packed = p[0] == FLAG_PACKED;
    if (r->packed && r->coding == TNI_CODING_IDENTITY)
        return bad(r, TNI_GRPC_WIRE_INTERNAL,
                   "a message is marked as packed, but no grpc-encoding says "
                   "how");
    const uint32_t size = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 |
                          (uint32_t)p[3] << 8 | p[4];
    if (size > r->max)
        return bad(r, TNI_GRPC_WIRE_EXHAUSTED,
                   "the message is longer than the server's limit for it");
    r->size = size;
    if (size != 0 && !tni_body_reserve(&r->body, mem, size))
        return bad(r, TNI_GRPC_WIRE_EXHAUSTED,
                   "the requests in flight take all memory that is for them; "
                   "try again");
    return TNI_GRPC_MORE;
}

static tni_grpc_step whole(tni_grpc_reader *r, tni_mem *mem)
{
    if (!r->packed) return TNI_GRPC_MESSAGE;
    tn_err err = {.code = TN_OK};
    const tn_status s = tni_body_unpack(&r->body, mem, r->coding, r->max, &err);
    if (s == TN_OK) return TNI_GRPC_MESSAGE;
    return bad(
        r, s == TN_EFORMAT ? TNI_GRPC_WIRE_INTERNAL : TNI_GRPC_WIRE_EXHAUSTED,
        err.message);
}

tni_grpc_step tni_grpc_reader_feed(tni_grpc_reader *r, tni_mem *mem,
                                   const uint8_t *bytes, size_t size,
                                   size_t *used)
{
    *used = 0;
    while (r->n_prefix < TNI_GRPC_PREFIX) {
        if (*used == size) return TNI_GRPC_MORE;
        r->prefix[r->n_prefix++] = bytes[(*used)++];
        if (r->n_prefix < TNI_GRPC_PREFIX) continue;
        const tni_grpc_step s = begin(r, mem);
        if (s != TNI_GRPC_MORE) return s;
    }
    size_t n = size - *used;
    if (n > r->size - r->body.len) n = r->size - r->body.len;
    if (n != 0) {
        uint8_t *at = r->body.p + r->body.len;
        if (at != bytes + *used) memcpy(at, bytes + *used, n);
        r->body.len += n;
        *used += n;
    }
    return r->body.len == r->size ? whole(r, mem) : TNI_GRPC_MORE;
}

bool tni_grpc_prefix(uint8_t out[TNI_GRPC_PREFIX], uint64_t size)
{
    if (size > UINT32_MAX) return false;
    out[0] = 0;
    out[1] = (uint8_t)(size >> 24);
    out[2] = (uint8_t)(size >> 16 & 0xff);
    out[3] = (uint8_t)(size >> 8 & 0xff);
    out[4] = (uint8_t)(size & 0xff);
    return true;
}

bool tni_grpc_content_type(tni_span value)
{
    static const char grpc[] = "application/grpc";
    const size_t n = sizeof grpc - 1;
    if (value.len < n || memcmp(value.p, grpc, n) != 0) return false;
    return value.len == n || value.p[n] == '+' || value.p[n] == ';';
}

bool tni_grpc_timeout(tni_span text, uint64_t *ns)
{
    static const struct {
        char unit;
        uint64_t ns;
    } units[] = {{'H', 3600000000000u}, {'M', 60000000000u}, {'S', 1000000000u},
                 {'m', 1000000u},       {'u', 1000u},        {'n', 1u}};
    if (text.len < 2 || text.len > TIMEOUT_DIGITS + 1) return false;
    uint64_t n = 0;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return false;
        n = n * 10 + (uint64_t)(text.p[i] - '0');
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].unit != text.p[text.len - 1]) continue;
        *ns = n > UINT64_MAX / units[i].ns ? UINT64_MAX : n * units[i].ns;
        return true;
    }
    return false;
}

size_t tni_grpc_note(char out[TNI_GRPC_MAX_NOTE * 3], const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = 0, n = 0;
    while (len < TNI_GRPC_MAX_NOTE && text[len] != '\0') len++;
    /* What goes on with 10xxxxxx is inside a character. */
    if (text[len] != '\0')
        while (len != 0 && ((uint8_t)text[len] & 0xc0) == 0x80) len--;
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = (uint8_t)text[i];
        if (c >= ' ' && c <= '~' && c != '%') {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = hex[c >> 4];
            out[n++] = hex[c & 15];
        }
    }
    return n;
}

int tni_grpc_of_http(int status)
{
    switch (status) {
    case 200: return TNI_GRPC_WIRE_OK;
    case 400: return TNI_GRPC_WIRE_INTERNAL;
    case 401: return 16; /* unauthenticated */
    case 403: return 7;  /* permission denied */
    case 404:
    case 501: return TNI_GRPC_WIRE_UNIMPLEMENTED;
    case 408: return TNI_GRPC_WIRE_DEADLINE;
    case 413:
    case 431: return TNI_GRPC_WIRE_EXHAUSTED;
    case 429:
    case 502:
    case 503:
    case 504: return TNI_GRPC_WIRE_UNAVAILABLE;
    default: return TNI_GRPC_WIRE_UNKNOWN;
    }
}
