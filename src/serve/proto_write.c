/* SPDX-License-Identifier: Apache-2.0 */
/* proto_write.c - writing protobuf messages */
#include "serve/proto_write.h"

#include <string.h>

enum {
    LENGTH_BYTES = 5,
    FIRST_BYTES = 512,
    WIRE_VARINT = 0,
    WIRE_I64,
    WIRE_LEN
};

void tni_proto_init(tni_proto *w, tni_arena *arena)
{
    *w = (tni_proto){arena, NULL, 0, 0};
}

void tni_proto_init_fixed(tni_proto *w, uint8_t *bytes, size_t size)
{
    *w = (tni_proto){NULL, bytes, size, 0};
}

bool tni_proto_good(const tni_proto *w)
{
    return w->at <= w->size;
}

/* Room for n more; what was written before something was lost is lost too. */
static bool room(tni_proto *w, size_t n)
{
    if (w->at > w->size) return false;
    if (n <= w->size - w->at) return true;
    if (w->arena == NULL || n > SIZE_MAX / 4 - w->at) return false;
    size_t size = w->size < FIRST_BYTES ? FIRST_BYTES : w->size;
    while (size - w->at < n) size *= 2;
    uint8_t *more = tni_arena_alloc(w->arena, size, 16);
    if (more == NULL) return false;
    if (w->at > 0) memcpy(more, w->bytes, w->at);
    w->bytes = more;
    w->size = size;
    return true;
}

void tni_proto_raw(tni_proto *w, const void *bytes, size_t n)
{
    if (room(w, n)) {
        if (n > 0) memcpy(w->bytes + w->at, bytes, n);
        w->at += n;
    } else {
        /* Past the end, and from there on. */
        w->at = n < SIZE_MAX - w->at ? w->at + n : SIZE_MAX;
    }
}

void tni_proto_varint(tni_proto *w, uint64_t v)
{
    uint8_t b[10];
    size_t n = 0;
    do {
        b[n++] = (uint8_t)((v & 127) | (v > 127 ? 128 : 0));
        v >>= 7;
    } while (v != 0);
    tni_proto_raw(w, b, n);
}

static void tag(tni_proto *w, uint32_t field, uint32_t type)
{
    tni_proto_varint(w, (uint64_t)field << 3 | type);
}

void tni_proto_int(tni_proto *w, uint32_t field, uint64_t v)
{
    tag(w, field, WIRE_VARINT);
    tni_proto_varint(w, v);
}

void tni_proto_fixed64(tni_proto *w, uint32_t field, uint64_t v)
{
    uint8_t b[8];
    for (int i = 0; i < 8; i++) b[i] = (uint8_t)(v >> (8 * i));
    tag(w, field, WIRE_I64);
    tni_proto_raw(w, b, sizeof b);
}

void tni_proto_bytes_head(tni_proto *w, uint32_t field, uint64_t n)
{
    tag(w, field, WIRE_LEN);
    tni_proto_varint(w, n);
}

void tni_proto_bytes(tni_proto *w, uint32_t field, const void *bytes, size_t n)
{
    tni_proto_bytes_head(w, field, n);
    tni_proto_raw(w, bytes, n);
}

void tni_proto_text(tni_proto *w, uint32_t field, const char *s)
{
    tni_proto_bytes(w, field, s, strlen(s));
}

void tni_proto_ints(tni_proto *w, uint32_t field, const int64_t *v, size_t n)
{
    if (n == 0) return;
    const size_t mark = tni_proto_open(w, field);
    for (size_t i = 0; i < n; i++) tni_proto_varint(w, (uint64_t)v[i]);
    tni_proto_close(w, mark);
}

size_t tni_proto_open(tni_proto *w, uint32_t field)
{
    static const uint8_t zeros[LENGTH_BYTES] = {0};
    tag(w, field, WIRE_LEN);
    tni_proto_raw(w, zeros, sizeof zeros);
    return w->at;
}

void tni_proto_close(tni_proto *w, size_t mark)
{
    if (!tni_proto_good(w)) return;
    size_t n = w->at - mark;
    for (int i = 0; i < LENGTH_BYTES; i++, n >>= 7)
        w->bytes[mark - LENGTH_BYTES + (size_t)i] =
            (uint8_t)((n & 127) | (i < LENGTH_BYTES - 1 ? 128 : 0));
}
