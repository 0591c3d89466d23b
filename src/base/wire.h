/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - reading protobuf messages in place
 *
 * A reader walks the fields of one message; a field is a view into the bytes.
 * Nothing is copied or allocated. Offsets in errors count from the start of
 * the outermost buffer.
 * Source: protobuf.dev/programming-guides/encoding
 */
#ifndef TN_SRC_BASE_WIRE_H
#define TN_SRC_BASE_WIRE_H

#include "base/err.h"

#include <stdbool.h>

typedef enum tni_wire_type {
    TNI_WIRE_VARINT = 0,
    TNI_WIRE_I64 = 1,
    TNI_WIRE_LEN = 2,
    TNI_WIRE_SGROUP = 3, /* skipped whole by the reader */
    TNI_WIRE_EGROUP = 4,
    TNI_WIRE_I32 = 5
} tni_wire_type;

/* Bytes of the outermost buffer. */
typedef struct tni_bytes {
    const uint8_t *ptr;
    size_t len;
} tni_bytes;

typedef struct tni_wire {
    const uint8_t *base; /* of the outermost buffer, for offsets */
    const uint8_t *at, *end;
    const char *what; /* of the message, "NodeProto", for errors */
    int depth;        /* messages that may still be nested below this one */
    tn_err *err;
} tni_wire;

typedef struct tni_field {
    uint32_t number;
    tni_wire_type type;
    uint64_t value;    /* VARINT, I64, I32 */
    tni_bytes bytes;   /* LEN */
    const uint8_t *at; /* first byte of the tag */
} tni_field;

/* A reader of the outermost message; `depth` bounds nesting below it. */
void tni_wire_init(tni_wire *w, const void *bytes, size_t size,
                   const char *what, int depth, tn_err *err);

/* The next field, groups skipped; *more is false at the end. TN_EFORMAT on
 * broken bytes. */
tn_status tni_wire_next(tni_wire *w, tni_field *f, bool *more);

/* A reader of a submessage. TN_EFORMAT when the field has another wire type,
 * TN_ELIMIT when nested too deeply. */
tn_status tni_wire_enter(const tni_wire *w, const tni_field *f,
                         const char *what, tni_wire *sub);

/* Typed access; TN_EFORMAT when the field has another wire type. */
tn_status tni_wire_u64(const tni_wire *w, const tni_field *f, uint64_t *out);
tn_status tni_wire_i64(const tni_wire *w, const tni_field *f, int64_t *out);
tn_status tni_wire_f32(const tni_wire *w, const tni_field *f, float *out);
tn_status tni_wire_bytes(const tni_wire *w, const tni_field *f, tni_bytes *out);

/*
 * Repeated scalars come packed (one LEN field) or one per field. `count` adds
 * the field's elements to *n; the readers store them from (*at)++ on, which
 * needs room for as many as count said.
 */
tn_status tni_wire_count(const tni_wire *w, const tni_field *f,
                         tni_wire_type elem, size_t *n);
tn_status tni_wire_read_varints(const tni_wire *w, const tni_field *f,
                                uint64_t *to, size_t *at);
tn_status tni_wire_read_i32s(const tni_wire *w, const tni_field *f,
                             uint32_t *to, size_t *at);
tn_status tni_wire_read_i64s(const tni_wire *w, const tni_field *f,
                             uint64_t *to, size_t *at);

/* Byte offset of p in the outermost buffer. */
static inline uint64_t tni_wire_offset(const tni_wire *w, const uint8_t *p)
{
    return (uint64_t)(p - w->base);
}

#endif
