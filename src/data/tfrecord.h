/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tfrecord.h - TFRecord files and the tf.train.Example messages in them
 *
 * Readers work on spans of memory and copy nothing; writers put bytes into a
 * sink or an arena.
 *
 * Source: TensorFlow, record_writer.cc (framing: length, masked CRC-32C of it,
 * data, masked CRC-32C of them, little endian) and core/example/example.proto
 */
#ifndef TN_SRC_DATA_TFRECORD_H
#define TN_SRC_DATA_TFRECORD_H

#include "base/alloc.h"
#include "data/sink.h"

/* Continues from a previous result; 0 to begin. */
uint32_t tni_crc32c(uint32_t crc, const void *bytes, size_t size);

typedef struct tni_bytes {
    const uint8_t *p;
    size_t size;
} tni_bytes;

/* --- records --------------------------------------------------------------- */

typedef struct tni_tfrecord {
    const uint8_t *bytes;
    size_t size, at;
    tn_err *err;
} tni_tfrecord;

void tni_tfrecord_init(tni_tfrecord *r, const void *bytes, size_t size,
                       tn_err *err);
/* Whether the bytes begin like a record: by the checksum of its length. */
bool tni_tfrecord_begins(const void *bytes, size_t size);
/* The next record; *more false at the end. TN_EFORMAT, with the offset, for a
 * wrong checksum or a file that ends inside a record. */
tn_status tni_tfrecord_next(tni_tfrecord *r, tni_bytes *record, bool *more);

tn_status tni_tfrecord_put(const tni_byte_sink *sink, const void *bytes,
                           size_t size, tn_err *err);

/* --- examples -------------------------------------------------------------- */

typedef enum tni_feature_kind {
    TNI_FEATURE_NONE = 0, /* the key is there, without a value */
    TNI_FEATURE_BYTES = 1,
    TNI_FEATURE_FLOATS = 2,
    TNI_FEATURE_INTS = 3
} tni_feature_kind;

typedef struct tni_example_feature {
    tni_bytes key; /* UTF-8, not checked */
    tni_feature_kind kind;
    size_t n;       /* values */
    tni_bytes list; /* of the values, as in the message; checked */
} tni_example_feature;

typedef struct tni_example {
    tni_bytes message;           /* the whole, for offsets */
    tni_bytes example, features; /* what is left of each level */
    tn_err *err;
} tni_example;

void tni_example_init(tni_example *e, tni_bytes message, tn_err *err);
/* The next feature; *more false at the end. Its list is checked through, so
 * that the readers below cannot fail. A key may come twice; the last holds. */
tn_status tni_example_next(tni_example *e, tni_example_feature *feature,
                           bool *more);

/* Values one after the other: start with f->list, false at the end. */
bool tni_feature_bytes(tni_bytes *list, tni_bytes *value);
/* All values into an array of f->n. */
void tni_feature_floats(const tni_example_feature *f, float *values);
void tni_feature_ints(const tni_example_feature *f, int64_t *values);

/* --- writing examples ------------------------------------------------------ */

/* A message under construction; errors (memory) stick. */
typedef struct tni_example_out {
    tni_arena *arena;
    uint8_t *bytes; /* of Features, grown in the arena */
    size_t size, cap;
    bool out_of_memory;
} tni_example_out;

void tni_example_out_init(tni_example_out *o, tni_arena *arena);
void tni_example_out_bytes(tni_example_out *o, const char *key,
                           const tni_bytes *values, size_t n);
void tni_example_out_floats(tni_example_out *o, const char *key,
                            const float *values, size_t n);
void tni_example_out_ints(tni_example_out *o, const char *key,
                          const int64_t *values, size_t n);
/* The finished message, features in the order they were put. */
tn_status tni_example_out_end(tni_example_out *o, tni_bytes *message,
                              tn_err *err);

#endif
