/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tf_example.c - tf.train.Example on the wire
 *
 *     Example   { Features features = 1; }
 *     Features  { map<string, Feature> feature = 1; }    key = 1, value = 2
 *     Feature   { BytesList 1 | FloatList 2 | Int64List 3 }
 *     ...List   { repeated ... value = 1; }              numbers packed or not
 *
 * Fields that are not of this definition are skipped, as protobuf has it.
 */
#include "data/tfrecord.h"

#include <string.h>

enum { VARINT = 0, FIXED64 = 1, LEN = 2, FIXED32 = 5 };

typedef struct field {
    uint32_t number, wire;
    uint64_t varint;
    tni_bytes value; /* of LEN and the fixed ones */
} field;

static bool read_varint(tni_bytes *b, uint64_t *v)
{
    *v = 0;
    for (uint32_t shift = 0; shift < 70 && b->size > 0; shift += 7) {
        const uint8_t c = *b->p++;
        b->size--;
        if (shift == 63 && c > 1) return false;
        *v |= (uint64_t)(c & 0x7f) << shift;
        if ((c & 0x80) == 0) return true;
    }
    return false;
}

static bool read_span(tni_bytes *b, uint64_t size, tni_bytes *value)
{
    if (size > b->size) return false;
    value->p = b->p;
    value->size = (size_t)size;
    b->p += size;
    b->size -= (size_t)size;
    return true;
}

static bool read_field(tni_bytes *b, field *f)
{
    uint64_t tag = 0, size = 0;
    if (!read_varint(b, &tag) || tag >> 3 == 0 || tag >> 32 != 0) return false;
    f->number = (uint32_t)(tag >> 3);
    f->wire = (uint32_t)(tag & 7);
    switch (f->wire) {
    case VARINT: return read_varint(b, &f->varint);
    case FIXED64: return read_span(b, 8, &f->value);
    case FIXED32: return read_span(b, 4, &f->value);
    case LEN: return read_varint(b, &size) && read_span(b, size, &f->value);
    default: return false;
    }
}

static tn_status broken(const tni_example *e, const uint8_t *at,
                        const char *what)
{
    return tni_fail_at(e->err, TN_EFORMAT, (uint64_t)(at - e->message.p),
                       "broken protobuf in %s of a tf.train.Example", what);
}

void tni_example_init(tni_example *e, tni_bytes message, tn_err *err)
{
    e->message = e->example = message;
    e->features.p = message.p;
    e->features.size = 0;
    e->err = err;
}

/* Counts and checks the values of a list; *wire is that of all of them. */
static bool check_list(tni_example_feature *f)
{
    tni_bytes b = f->list;
    f->n = 0;
    while (b.size > 0) {
        field v;
        uint64_t skip = 0;
        if (!read_field(&b, &v)) return false;
        if (v.number != 1) continue;
        if (f->kind == TNI_FEATURE_BYTES) {
            if (v.wire != LEN) return false;
            f->n++;
        } else if (f->kind == TNI_FEATURE_FLOATS) {
            if (v.wire == LEN) {
                if (v.value.size % 4 != 0) return false;
                f->n += v.value.size / 4;
            } else if (v.wire == FIXED32) {
                f->n++;
            } else {
                return false;
            }
        } else if (v.wire == LEN) {
            for (; v.value.size > 0; f->n++)
                if (!read_varint(&v.value, &skip)) return false;
        } else if (v.wire == VARINT) {
            f->n++;
        } else {
            return false;
        }
    }
    return true;
}

static tn_status read_feature(const tni_example *e, tni_bytes b,
                              tni_example_feature *f)
{
    while (b.size > 0) {
        field v;
        const uint8_t *at = b.p;
        if (!read_field(&b, &v)) return broken(e, at, "a feature");
        if (v.number < 1 || v.number > 3) continue;
        if (v.wire != LEN) return broken(e, at, "a feature");
        f->kind = (tni_feature_kind)v.number;
        f->list = v.value;
        if (!check_list(f)) return broken(e, v.value.p, "a list of values");
    }
    return TN_OK;
}

static tn_status read_entry(const tni_example *e, tni_bytes b,
                            tni_example_feature *f)
{
    memset(f, 0, sizeof *f);
    f->key.p = b.p;
    f->list.p = b.p;
    while (b.size > 0) {
        field v;
        const uint8_t *at = b.p;
        if (!read_field(&b, &v)) return broken(e, at, "a map entry");
        if (v.number != 1 && v.number != 2) continue;
        if (v.wire != LEN) return broken(e, at, "a map entry");
        if (v.number == 1)
            f->key = v.value;
        else
            TN_TRY(read_feature(e, v.value, f));
    }
    return TN_OK;
}

tn_status tni_example_next(tni_example *e, tni_example_feature *feature,
                           bool *more)
{
    *more = false;
    for (;;) {
        tni_bytes *level = e->features.size > 0 ? &e->features : &e->example;
        const bool top = level == &e->example;
        const uint8_t *at = level->p;
        field v;
        if (level->size == 0) return TN_OK;
        if (!read_field(level, &v))
            return broken(e, at, top ? "the top" : "the features");
        if (v.number != 1) continue;
        if (v.wire != LEN)
            return broken(e, at, top ? "the top" : "the features");
        if (top) {
            e->features = v.value;
            continue;
        }
        TN_TRY(read_entry(e, v.value, feature));
        *more = true;
        return TN_OK;
    }
}

bool tni_feature_bytes(tni_bytes *list, tni_bytes *value)
{
    while (list->size > 0) {
        field v;
        if (!read_field(list, &v)) return false;
        if (v.number != 1 || v.wire != LEN) continue;
        *value = v.value;
        return true;
    }
    return false;
}

static float float_of(const uint8_t *p)
{
    const uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 |
                          (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    float v = 0;
    memcpy(&v, &bits, sizeof v);
    return v;
}

void tni_feature_floats(const tni_example_feature *f, float *values)
{
    tni_bytes b = f->list;
    field v;
    while (b.size > 0 && read_field(&b, &v)) {
        if (v.number != 1 || (v.wire != LEN && v.wire != FIXED32)) continue;
        for (size_t i = 0; i + 4 <= v.value.size; i += 4)
            *values++ = float_of(v.value.p + i);
    }
}

void tni_feature_ints(const tni_example_feature *f, int64_t *values)
{
    tni_bytes b = f->list;
    field v;
    while (b.size > 0 && read_field(&b, &v)) {
        uint64_t u = 0;
        if (v.number != 1) continue;
        if (v.wire == VARINT) {
            memcpy(values++, &v.varint, sizeof *values);
        } else {
            while (v.value.size > 0 && read_varint(&v.value, &u))
                memcpy(values++, &u, sizeof *values);
        }
    }
}

/* --- writing --------------------------------------------------------------- */

void tni_example_out_init(tni_example_out *o, tni_arena *arena)
{
    memset(o, 0, sizeof *o);
    o->arena = arena;
}

static void put(tni_example_out *o, const void *bytes, size_t size)
{
    if (o->out_of_memory) return;
    if (o->cap - o->size < size) {
        const size_t cap = 2 * o->cap + size + 256;
        uint8_t *grown = tni_arena_alloc(o->arena, cap, 1);
        if (grown == NULL) {
            o->out_of_memory = true;
            return;
        }
        if (o->size > 0) memcpy(grown, o->bytes, o->size);
        o->bytes = grown;
        o->cap = cap;
    }
    if (size > 0) memcpy(o->bytes + o->size, bytes, size);
    o->size += size;
}

static void put_varint(tni_example_out *o, uint64_t v)
{
    uint8_t b[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) b[n++] = (uint8_t)(v | 0x80);
    b[n++] = (uint8_t)v;
    put(o, b, n);
}

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7) n++;
    return n;
}

/* Bytes of a LEN field with a one-byte tag. */
static size_t field_size(size_t size)
{
    return 1 + varint_size(size) + size;
}

static void put_head(tni_example_out *o, uint32_t number, size_t size)
{
    put_varint(o, number << 3 | LEN);
    put_varint(o, size);
}

/* The map entry around a list of list_size bytes, which follows. */
static void put_entry(tni_example_out *o, const char *key,
                      tni_feature_kind kind, size_t list_size)
{
    const size_t key_len = strlen(key), feature = field_size(list_size);
    put_head(o, 1, field_size(key_len) + field_size(feature));
    put_head(o, 1, key_len);
    put(o, key, key_len);
    put_head(o, 2, feature);
    put_head(o, (uint32_t)kind, list_size);
}

void tni_example_out_bytes(tni_example_out *o, const char *key,
                           const tni_bytes *values, size_t n)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++) size += field_size(values[i].size);
    put_entry(o, key, TNI_FEATURE_BYTES, size);
    for (size_t i = 0; i < n; i++) {
        put_head(o, 1, values[i].size);
        put(o, values[i].p, values[i].size);
    }
}

void tni_example_out_floats(tni_example_out *o, const char *key,
                            const float *values, size_t n)
{
    put_entry(o, key, TNI_FEATURE_FLOATS, n > 0 ? field_size(4 * n) : 0);
    if (n > 0) put_head(o, 1, 4 * n);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &values[i], sizeof bits);
        const uint8_t b[4] = {(uint8_t)bits, (uint8_t)(bits >> 8),
                              (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
        put(o, b, 4);
    }
}

void tni_example_out_ints(tni_example_out *o, const char *key,
                          const int64_t *values, size_t n)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++) size += varint_size((uint64_t)values[i]);
    put_entry(o, key, TNI_FEATURE_INTS, n > 0 ? field_size(size) : 0);
    if (n > 0) put_head(o, 1, size);
    for (size_t i = 0; i < n; i++) put_varint(o, (uint64_t)values[i]);
}

tn_status tni_example_out_end(tni_example_out *o, tni_bytes *message,
                              tn_err *err)
{
    const tni_bytes features = {o->bytes, o->size};
    const bool failed = o->out_of_memory;
    tni_example_out_init(o, o->arena);
    put_head(o, 1, features.size);
    put(o, features.p, features.size);
    if (failed || o->out_of_memory)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    message->p = o->bytes;
    message->size = o->size;
    return TN_OK;
}
