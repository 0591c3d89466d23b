/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_write.h - writing protobuf messages
 *
 *     mark = tni_proto_open(&w, 5);       field 5 is a message …
 *     tni_proto_text(&w, 1, "name");
 *     tni_proto_close(&w, mark);
 *
 * A message's length stands before it and is known after it: five bytes are
 * left for it, which a varint may fill whatever its value.
 * Source: protobuf.dev/programming-guides/encoding
 */
#ifndef TN_SRC_SERVE_PROTO_WRITE_H
#define TN_SRC_SERVE_PROTO_WRITE_H

#include "base/alloc.h"

#include <stdbool.h>

/* Goes on counting where bytes did not fit: `at` says what is needed. */
typedef struct tni_proto {
    tni_arena *arena; /* grows there; NULL: never */
    uint8_t *bytes;
    size_t size, at;
} tni_proto;

/* Into the arena, growing; or into `size` bytes. */
void tni_proto_init(tni_proto *w, tni_arena *arena);
void tni_proto_init_fixed(tni_proto *w, uint8_t *bytes, size_t size);
/* Whether all that was written is there. */
bool tni_proto_good(const tni_proto *w);

void tni_proto_raw(tni_proto *w, const void *bytes, size_t n);
void tni_proto_varint(tni_proto *w, uint64_t v);
/* Fields. Numbers and texts that are 0 or empty are written too. */
void tni_proto_int(tni_proto *w, uint32_t field, uint64_t v);
void tni_proto_fixed64(tni_proto *w, uint32_t field, uint64_t v);
void tni_proto_bytes(tni_proto *w, uint32_t field, const void *bytes, size_t n);
void tni_proto_text(tni_proto *w, uint32_t field, const char *s);
/* The tag and length of bytes that are sent from elsewhere. */
void tni_proto_bytes_head(tni_proto *w, uint32_t field, uint64_t n);
/* Packed signed numbers; nothing when there are none. */
void tni_proto_ints(tni_proto *w, uint32_t field, const int64_t *v, size_t n);

size_t tni_proto_open(tni_proto *w, uint32_t field);
void tni_proto_close(tni_proto *w, size_t mark);

#endif
