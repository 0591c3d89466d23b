/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_value.c - SequenceProto, OptionalProto and MapProto to values
 *
 * These occur in files of test inputs and outputs only (onnx-data.proto).
 */
#include "onnx/decode_tensor.h"

#include <string.h>

/* Numbers in elem_type of sequences and optionals. */
enum { e_tensor = 1, e_sparse = 2, e_sequence = 3, e_map = 4, e_optional = 5 };

static tn_status nomem(const tni_tensor_src *src)
{
    return tni_fail(src->err, TN_ENOMEM, "out of memory");
}

/* Decodes the item in field f, whose kind is elem_type's number. */
static tn_status decode_item(const tni_tensor_src *src, const tni_wire *w,
                             const tni_field *f, uint32_t elem, int depth,
                             tni_tensor *out)
{
    static const char *const names[] = {
        "value",         "TensorProto", "SparseTensorProto",
        "SequenceProto", "MapProto",    "OptionalProto"};
    if (depth <= 0)
        return tni_fail_at(src->err, TN_ELIMIT, tni_wire_offset(w, f->at),
                           "containers are nested too deeply; the limit is "
                           "tn_limits.max_nesting");
    tni_wire sub;
    TN_TRY(tni_wire_enter(w, f, names[elem], &sub));
    switch (elem) {
    case e_tensor: return tni_decode_tensor(src, &sub, out, NULL);
    case e_sparse: return tni_decode_sparse(src, &sub, out, NULL);
    case e_sequence: return tni_decode_sequence(src, &sub, out, depth - 1);
    case e_map: return tni_decode_map(src, &sub, out, depth - 1);
    default: return tni_decode_optional(src, &sub, out, depth - 1);
    }
}

/* Fields 3 to 7 hold the items of each kind, in both messages. */
static uint32_t elem_of_field(uint32_t number)
{
    static const uint32_t elems[] = {e_tensor, e_sparse, e_sequence, e_map,
                                     e_optional};
    return number >= 3 && number <= 7 ? elems[number - 3] : 0;
}

static tn_status decode_items(const tni_tensor_src *src, tni_wire *w,
                              tni_tensor *out, int depth, size_t most)
{
    tni_wire scan = *w;
    tni_field f;
    bool more = false;
    size_t n = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&scan, &f, &more));
        if (!more) break;
        if (elem_of_field(f.number) != 0) n++;
    }
    if (n > most)
        return tni_fail_at(src->err, TN_EFORMAT, tni_wire_offset(w, w->at),
                           "an optional holds %zu values; expected one", n);
    tni_tensor **items = TNI_NEW_ARRAY(src->arena, tni_tensor *, n);
    if (items == NULL) return nomem(src);
    size_t at = 0;
    for (;;) {
        TN_TRY(tni_wire_next(w, &f, &more));
        if (!more) break;
        const uint32_t elem = elem_of_field(f.number);
        if (elem == 0) continue;
        items[at] = TNI_NEW(src->arena, tni_tensor);
        if (items[at] == NULL) return nomem(src);
        TN_TRY(decode_item(src, w, &f, elem, depth, items[at]));
        at++;
    }
    out->len = (int64_t)n;
    out->data = items;
    if (n > 0) out->dtype = items[0]->dtype;
    return TN_OK;
}

tn_status tni_decode_sequence(const tni_tensor_src *src, tni_wire *w,
                              tni_tensor *out, int depth)
{
    memset(out, 0, sizeof *out);
    out->kind = TN_KIND_SEQUENCE;
    return decode_items(src, w, out, depth, SIZE_MAX);
}

tn_status tni_decode_optional(const tni_tensor_src *src, tni_wire *w,
                              tni_tensor *out, int depth)
{
    memset(out, 0, sizeof *out);
    out->kind = TN_KIND_OPTIONAL;
    return decode_items(src, w, out, depth, 1);
}

/* The keys of a map as a one-dimensional tensor. */
static tn_status decode_keys(const tni_tensor_src *src, const tni_wire *start,
                             int64_t dtype, tni_tensor *keys)
{
    const bool strings = dtype == TN_STRING;
    const bool ints = dtype >= TN_U8 && dtype <= TN_U64 && !strings &&
                      dtype != TN_BOOL && dtype != TN_F16 && dtype != TN_F64;
    if (!strings && !ints)
        return tni_fail_at(src->err, TN_EFORMAT,
                           tni_wire_offset(start, start->at),
                           "a map's key_type is %lld; expected an integer or "
                           "string type",
                           (long long)dtype);
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    size_t n = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) break;
        if (f.number == 4 && strings) n++;
        if (f.number == 3 && ints)
            TN_TRY(tni_wire_count(&w, &f, TNI_WIRE_VARINT, &n));
    }
    const int64_t dims[1] = {(int64_t)n};
    TN_TRY(
        tni_tensor_alloc(keys, src->arena, (tn_dtype)dtype, 1, dims, src->err));
    uint64_t *numbers = TNI_NEW_ARRAY(src->arena, uint64_t, ints ? n : 0);
    if (numbers == NULL) return nomem(src);
    size_t at = 0;
    w = *start;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) break;
        if (f.number == 3 && ints)
            TN_TRY(tni_wire_read_varints(&w, &f, numbers, &at));
        if (f.number != 4 || !strings) continue;
        tni_bytes b;
        TN_TRY(tni_wire_bytes(&w, &f, &b));
        tn_string *s = &TNI_DATA(tn_string, keys)[at++];
        s->ptr = tni_arena_strndup(src->arena, (const char *)b.ptr, b.len);
        s->len = b.len;
        if (s->ptr == NULL) return nomem(src);
    }
    const size_t size = tn_dtype_size((tn_dtype)dtype);
    for (size_t i = 0; i < n && ints; i++) {
        /* The low bytes, whatever the byte order. */
        const uint64_t v = numbers[i];
        const uint8_t v1 = (uint8_t)v;
        const uint16_t v2 = (uint16_t)v;
        const uint32_t v4 = (uint32_t)v;
        const void *from = size == 1   ? (const void *)&v1
                           : size == 2 ? (const void *)&v2
                           : size == 4 ? (const void *)&v4
                                       : (const void *)&v;
        memcpy((char *)keys->data + i * size, from, size);
    }
    return TN_OK;
}

/* A sequence of scalars becomes one tensor, which is what a map's values are
 * everywhere else. */
static tn_status flatten(const tni_tensor_src *src, tni_tensor *values)
{
    const tni_tensor *const *items = values->data;
    const int64_t n = values->len;
    for (int64_t i = 0; i < n; i++)
        if (items[i]->kind != TN_KIND_TENSOR || items[i]->len != 1 ||
            items[i]->rank > 1 || items[i]->dtype != items[0]->dtype)
            return TN_OK;
    if (n == 0) return TN_OK;
    const int64_t dims[1] = {n};
    tni_tensor flat;
    memset(&flat, 0, sizeof flat);
    TN_TRY(tni_tensor_alloc(&flat, src->arena, items[0]->dtype, 1, dims,
                            src->err));
    const size_t size = tn_dtype_size(flat.dtype);
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)flat.data + (size_t)i * size, items[i]->data, size);
    *values = flat;
    return TN_OK;
}

tn_status tni_decode_map(const tni_tensor_src *src, tni_wire *w,
                         tni_tensor *out, int depth)
{
    memset(out, 0, sizeof *out);
    out->kind = TN_KIND_MAP;
    tni_tensor *keys = TNI_NEW(src->arena, tni_tensor);
    tni_tensor *values = TNI_NEW(src->arena, tni_tensor);
    tni_tensor **pair = TNI_NEW_ARRAY(src->arena, tni_tensor *, 2);
    if (keys == NULL || values == NULL || pair == NULL) return nomem(src);
    const tni_wire start = *w;
    int64_t key_type = 0;
    tni_field f;
    bool more = false;
    for (;;) {
        TN_TRY(tni_wire_next(w, &f, &more));
        if (!more) break;
        if (f.number == 2) TN_TRY(tni_wire_i64(w, &f, &key_type));
        if (f.number == 5)
            TN_TRY(decode_item(src, w, &f, e_sequence, depth, values));
    }
    TN_TRY(decode_keys(src, &start, key_type, keys));
    if (values->kind == TN_KIND_NONE) values->kind = TN_KIND_SEQUENCE;
    if (values->len != keys->len)
        return tni_fail_at(src->err, TN_EFORMAT,
                           tni_wire_offset(&start, start.at),
                           "a map has %lld keys and %lld values",
                           (long long)keys->len, (long long)values->len);
    TN_TRY(flatten(src, values));
    pair[0] = keys;
    pair[1] = values;
    out->dtype = keys->dtype;
    out->len = keys->len;
    out->data = pair;
    return TN_OK;
}
