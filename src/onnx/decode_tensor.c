/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_tensor.c - TensorProto and SparseTensorProto to tensors
 *
 * Two walks over the message: the first notes what is there and how much, so
 * that a claim of huge dims without the bytes to fill them fails before any
 * memory is asked for; the second reads the typed data fields. raw_data and
 * external bytes stay where they are when they lie aligned.
 */
#include "onnx/decode_tensor.h"

#include "base/checked.h"

#include <string.h>

/* Numbers of TensorProto's fields. */
enum {
    f_dims = 1,
    f_data_type = 2,
    f_segment = 3,
    f_float_data = 4,
    f_int32_data = 5,
    f_string_data = 6,
    f_int64_data = 7,
    f_name = 8,
    f_raw_data = 9,
    f_double_data = 10,
    f_uint64_data = 11,
    f_external_data = 13,
    f_data_location = 14
};

typedef struct proto {
    int64_t dims[TN_MAX_RANK];
    int rank;
    int64_t dtype;
    tni_bytes name, raw;
    bool has_raw, is_external, has_segment;
    tni_external external;
    size_t n_float, n_int32, n_string, n_int64, n_double, n_uint64;
    const uint8_t *start;
} proto;

void tni_copy_elems_le(void *to, const void *from, size_t n_bytes,
                       tn_dtype dtype, bool swap)
{
    if (n_bytes == 0) return;
    const size_t part = tni_dtype_part(dtype);
    if (!swap || part <= 1) {
        memcpy(to, from, n_bytes);
        return;
    }
    const uint8_t *p = from;
    uint8_t *q = to;
    for (size_t i = 0; i + part <= n_bytes; i += part)
        for (size_t k = 0; k < part; k++) q[i + k] = p[i + part - 1 - k];
}

/* Elements in one byte of a file: 1, 2 or 4. */
static size_t per_byte(tn_dtype t)
{
    if (t == TN_U4 || t == TN_I4 || t == TN_F4E2M1) return 2;
    if (t == TN_U2 || t == TN_I2) return 4;
    return 1;
}

/* --- the first walk ------------------------------------------------------ */

static tn_status read_dims(const tni_wire *w, const tni_field *f, proto *p,
                           const tn_limits *limits)
{
    size_t n = (size_t)p->rank;
    TN_TRY(tni_wire_count(w, f, TNI_WIRE_VARINT, &n));
    const size_t most =
        limits->max_rank < TN_MAX_RANK ? limits->max_rank : TN_MAX_RANK;
    if (n > most)
        return tni_fail_at(w->err, TN_ELIMIT, tni_wire_offset(w, f->at),
                           "the tensor has %zu dimensions; the limit is %zu", n,
                           most);
    uint64_t dims[TN_MAX_RANK];
    size_t at = 0;
    TN_TRY(tni_wire_read_varints(w, f, dims, &at));
    for (size_t i = 0; i < at; i++) p->dims[p->rank++] = (int64_t)dims[i];
    return TN_OK;
}

static bool bytes_are(tni_bytes b, const char *text)
{
    const size_t n = strlen(text);
    return b.len == n && memcmp(b.ptr, text, n) == 0;
}

static tn_status read_decimal(const tni_wire *w, tni_bytes key, tni_bytes b,
                              uint64_t *out)
{
    uint64_t v = 0;
    bool good = b.len > 0 && b.len < 20;
    for (size_t i = 0; i < b.len && good; i++) {
        good = b.ptr[i] >= '0' && b.ptr[i] <= '9';
        v = v * 10 + (uint64_t)(b.ptr[i] - '0');
    }
    if (!good)
        return tni_fail_at(w->err, TN_EFORMAT, tni_wire_offset(w, b.ptr),
                           "external data has %.*s '%.*s'; expected a decimal "
                           "number",
                           (int)key.len, (const char *)key.ptr,
                           (int)(b.len < 40 ? b.len : 40), (const char *)b.ptr);
    *out = v;
    return TN_OK;
}

static tn_status read_external(const tni_wire *w, const tni_field *f, proto *p)
{
    tni_wire sub;
    tni_field g;
    bool more = false;
    tni_bytes key = {NULL, 0}, value = {NULL, 0};
    TN_TRY(tni_wire_enter(w, f, "StringStringEntryProto", &sub));
    for (;;) {
        TN_TRY(tni_wire_next(&sub, &g, &more));
        if (!more) break;
        if (g.number == 1) TN_TRY(tni_wire_bytes(&sub, &g, &key));
        if (g.number == 2) TN_TRY(tni_wire_bytes(&sub, &g, &value));
    }
    if (bytes_are(key, "location")) {
        p->external.location = value;
    } else if (bytes_are(key, "offset")) {
        TN_TRY(read_decimal(w, key, value, &p->external.offset));
    } else if (bytes_are(key, "length")) {
        TN_TRY(read_decimal(w, key, value, &p->external.length));
        p->external.has_length = true;
    }
    return TN_OK;
}

static tn_status scan(const tni_tensor_src *src, const tni_wire *start,
                      proto *p)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        uint64_t v = 0;
        switch (f.number) {
        case f_dims: TN_TRY(read_dims(&w, &f, p, src->limits)); break;
        case f_data_type: TN_TRY(tni_wire_i64(&w, &f, &p->dtype)); break;
        case f_segment: p->has_segment = true; break;
        case f_float_data:
            TN_TRY(tni_wire_count(&w, &f, TNI_WIRE_I32, &p->n_float));
            break;
        case f_int32_data:
            TN_TRY(tni_wire_count(&w, &f, TNI_WIRE_VARINT, &p->n_int32));
            break;
        case f_string_data: p->n_string++; break;
        case f_int64_data:
            TN_TRY(tni_wire_count(&w, &f, TNI_WIRE_VARINT, &p->n_int64));
            break;
        case f_name: TN_TRY(tni_wire_bytes(&w, &f, &p->name)); break;
        case f_raw_data:
            TN_TRY(tni_wire_bytes(&w, &f, &p->raw));
            p->has_raw = true;
            break;
        case f_double_data:
            TN_TRY(tni_wire_count(&w, &f, TNI_WIRE_I64, &p->n_double));
            break;
        case f_uint64_data:
            TN_TRY(tni_wire_count(&w, &f, TNI_WIRE_VARINT, &p->n_uint64));
            break;
        case f_external_data: TN_TRY(read_external(&w, &f, p)); break;
        case f_data_location:
            TN_TRY(tni_wire_u64(&w, &f, &v));
            p->is_external = v == 1;
            break;
        default: break;
        }
    }
}

/* --- elements ------------------------------------------------------------ */

static tn_status nomem(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or past tn_limits.max_total_bytes");
}

/* Spreads packed 2- and 4-bit elements to one per byte, sign-extended. */
static void unpack(uint8_t *to, const uint8_t *from, size_t n, tn_dtype t)
{
    const size_t per = per_byte(t);
    const unsigned bits = per == 2 ? 4 : 2;
    const unsigned mask = (1u << bits) - 1, sign = 1u << (bits - 1);
    const bool is_signed = t == TN_I4 || t == TN_I2;
    for (size_t i = 0; i < n; i++) {
        unsigned v = ((unsigned)from[i / per] >> (bits * (i % per))) & mask;
        if (is_signed) v = (v ^ sign) - sign;
        to[i] = (uint8_t)v;
    }
}

/* Whether bytes can serve as the elements in place. */
static bool fits_in_place(const tni_tensor_src *src, tni_bytes b, tn_dtype t)
{
    if (TNI_BIG_ENDIAN || per_byte(t) != 1) return false;
    if (t == TN_BOOL)
        for (size_t i = 0; i < b.len; i++)
            if (b.ptr[i] > 1) return false;
    if (src->raw && b.len >= TNI_RAW_MIN_BYTES) return true;
    return (uintptr_t)b.ptr % tni_dtype_part(t) == 0;
}

/* The elements from `b`, which has just the right number of bytes. */
static tn_status fill_raw(const tni_tensor_src *src, tni_tensor *t, tni_bytes b,
                          bool stays)
{
    if (stays && fits_in_place(src, b, t->dtype)) {
        t->data = tni_unconst(b.ptr);
        return TN_OK;
    }
    TN_TRY(
        tni_tensor_alloc(t, src->arena, t->dtype, t->rank, t->dims, src->err));
    if (per_byte(t->dtype) != 1) {
        unpack(t->data, b.ptr, (size_t)t->len, t->dtype);
    } else {
        tni_copy_elems_le(t->data, b.ptr, b.len, t->dtype, TNI_BIG_ENDIAN != 0);
        if (t->dtype == TN_BOOL)
            for (int64_t i = 0; i < t->len; i++)
                TNI_DATA(uint8_t, t)[i] = TNI_DATA(uint8_t, t)[i] != 0;
    }
    return TN_OK;
}

/* Reads every occurrence of a repeated field into a new array. */
static tn_status gather(const tni_tensor_src *src, const tni_wire *start,
                        uint32_t number, tni_wire_type elem, size_t n,
                        void **out)
{
    size_t size = 0;
    void *to = NULL;
    if (tni_mul_size(n, elem == TNI_WIRE_I32 ? 4 : 8, &size))
        to = tni_arena_alloc(src->arena, size, TNI_ALIGN);
    if (to == NULL) return nomem(src->err);
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    size_t at = 0;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) break;
        if (f.number != number) continue;
        if (elem == TNI_WIRE_I32)
            TN_TRY(tni_wire_read_i32s(&w, &f, to, &at));
        else if (elem == TNI_WIRE_I64)
            TN_TRY(tni_wire_read_i64s(&w, &f, to, &at));
        else
            TN_TRY(tni_wire_read_varints(&w, &f, to, &at));
    }
    *out = to;
    return TN_OK;
}

static tn_status fill_strings(const tni_tensor_src *src, const tni_wire *start,
                              tni_tensor *t)
{
    TN_TRY(
        tni_tensor_alloc(t, src->arena, TN_STRING, t->rank, t->dims, src->err));
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    tn_string *s = t->data;
    for (;;) {
        TN_TRY(tni_wire_next(&w, &f, &more));
        if (!more) return TN_OK;
        if (f.number != f_string_data) continue;
        tni_bytes b;
        TN_TRY(tni_wire_bytes(&w, &f, &b));
        s->ptr = (const char *)b.ptr;
        s->len = b.len;
        if (!src->zero_copy) {
            s->ptr = tni_arena_strndup(src->arena, (const char *)b.ptr, b.len);
            if (s->ptr == NULL) return nomem(src->err);
        }
        s++;
    }
}

/* Narrows 64-bit numbers as the file has them to the elements. */
static void narrow(tni_tensor *t, const uint64_t *from, size_t n)
{
    switch (tn_dtype_size(t->dtype)) {
    case 1:
        for (size_t i = 0; i < n; i++)
            TNI_DATA(uint8_t, t)
            [i] = t->dtype == TN_BOOL ? from[i] != 0 : (uint8_t)from[i];
        break;
    case 2:
        for (size_t i = 0; i < n; i++)
            TNI_DATA(uint16_t, t)[i] = (uint16_t)from[i];
        break;
    case 4:
        for (size_t i = 0; i < n; i++)
            TNI_DATA(uint32_t, t)[i] = (uint32_t)from[i];
        break;
    default: memcpy(t->data, from, n * sizeof *from); break;
    }
}

/* Which repeated field holds a dtype, how its numbers are written, and how
 * many of them the tensor's elements need. */
typedef struct store {
    const char *name;
    uint32_t number;
    tni_wire_type elem;
    size_t have, need;
} store;

static store store_of(const proto *p, tn_dtype t, size_t len)
{
    const store flt = {"float_data", f_float_data, TNI_WIRE_I32, p->n_float,
                       t == TN_C64 ? 2 * len : len};
    const store dbl = {"double_data", f_double_data, TNI_WIRE_I64, p->n_double,
                       t == TN_C128 ? 2 * len : len};
    const store i64 = {"int64_data", f_int64_data, TNI_WIRE_VARINT, p->n_int64,
                       len};
    const store u64 = {"uint64_data", f_uint64_data, TNI_WIRE_VARINT,
                       p->n_uint64, len};
    const store str = {"string_data", f_string_data, TNI_WIRE_LEN, p->n_string,
                       len};
    const size_t per = per_byte(t);
    const store i32 = {"int32_data", f_int32_data, TNI_WIRE_VARINT, p->n_int32,
                       len / per + (len % per != 0 ? 1 : 0)};
    switch (t) {
    case TN_F32:
    case TN_C64: return flt;
    case TN_F64:
    case TN_C128: return dbl;
    case TN_I64: return i64;
    case TN_U32:
    case TN_U64: return u64;
    case TN_STRING: return str;
    default: return i32;
    }
}

static tn_status fill_typed(const tni_tensor_src *src, const tni_wire *start,
                            const proto *p, tni_tensor *t)
{
    const store s = store_of(p, t->dtype, (size_t)t->len);
    char text[160];
    if (s.have != s.need)
        return tni_fail_at(
            src->err, TN_EFORMAT, tni_wire_offset(start, p->start),
            "%s needs %zu numbers in %s; found %zu, and %zu bytes of raw_data",
            tni_shape_format(text, sizeof text, t->dtype, t->rank, t->dims),
            s.need, s.name, s.have, p->raw.len);
    if (t->dtype == TN_STRING) return fill_strings(src, start, t);
    void *numbers = NULL;
    if (s.elem != TNI_WIRE_VARINT) {
        TN_TRY(gather(src, start, s.number, s.elem, s.have, &numbers));
        t->data = numbers;
        return TN_OK;
    }
    TN_TRY(
        tni_tensor_alloc(t, src->arena, t->dtype, t->rank, t->dims, src->err));
    const tni_arena_mark mark = tni_arena_save(src->arena);
    tn_status status = gather(src, start, s.number, s.elem, s.have, &numbers);
    if (status == TN_OK && per_byte(t->dtype) == 1) {
        narrow(t, numbers, s.have);
    } else if (status == TN_OK) {
        uint64_t *wide = numbers;
        uint8_t *packed = numbers;
        for (size_t i = 0; i < s.have; i++) packed[i] = (uint8_t)wide[i];
        unpack(t->data, packed, (size_t)t->len, t->dtype);
    }
    tni_arena_rewind(src->arena, mark);
    return status;
}

static tn_status fill_external(const tni_tensor_src *src, const proto *p,
                               size_t need, tni_tensor *t)
{
    if (src->external == NULL)
        return tni_fail(src->err, TN_EUNSUPPORTED,
                        "the elements are external data, which only a model "
                        "file can refer to");
    if (t->dtype == TN_STRING)
        return tni_fail(src->err, TN_EFORMAT,
                        "strings cannot be kept as external data");
    if (p->external.location.ptr == NULL && t->len == 0) {
        return tni_tensor_alloc(t, src->arena, t->dtype, t->rank, t->dims,
                                src->err);
    }
    tni_bytes b;
    TN_TRY(src->external(src->host, &p->external, need, &b, src->err));
    return fill_raw(src, t, b, true);
}

static tn_status finish(const tni_tensor_src *src, const tni_wire *start,
                        const proto *p, tni_tensor *t)
{
    const uint64_t at = tni_wire_offset(start, p->start);
    const tn_dtype dtype = p->dtype > 0 && p->dtype < TN_DTYPE_COUNT
                               ? (tn_dtype)p->dtype
                               : TN_UNDEFINED;
    if (dtype == TN_UNDEFINED)
        return tni_fail_at(src->err,
                           p->dtype > 0 ? TN_EUNSUPPORTED : TN_EFORMAT, at,
                           "data_type is %lld; expected 1 to %d",
                           (long long)p->dtype, (int)TN_DTYPE_COUNT - 1);
    if (p->has_segment)
        return tni_fail_at(src->err, TN_EUNSUPPORTED, at,
                           "the tensor is stored in segments; export it whole");
    for (int i = 0; i < p->rank; i++)
        if (p->dims[i] < 0)
            return tni_fail_at(src->err, TN_EFORMAT, at,
                               "dimension %d is %lld; expected >= 0", i,
                               (long long)p->dims[i]);
    char text[160];
    size_t size = 0;
    if (!tni_tensor_set_shape(t, dtype, p->rank, p->dims) ||
        !tni_elems_size(&size, dtype, t->len) ||
        size > src->limits->max_tensor_bytes)
        return tni_fail_at(
            src->err, TN_ELIMIT, at, "%s has more bytes than the limit of %llu",
            tni_shape_format(text, sizeof text, dtype, p->rank, p->dims),
            (unsigned long long)src->limits->max_tensor_bytes);
    const size_t per = per_byte(dtype);
    const size_t in_file = size / per + (size % per != 0 ? 1 : 0);
    if (p->is_external) return fill_external(src, p, in_file, t);
    if (!p->has_raw || p->raw.len == 0 || dtype == TN_STRING) {
        if (t->len != 0 || p->raw.len != 0) return fill_typed(src, start, p, t);
        return tni_tensor_alloc(t, src->arena, dtype, p->rank, p->dims,
                                src->err);
    }
    if (p->raw.len != in_file)
        return tni_fail_at(
            src->err, TN_EFORMAT, tni_wire_offset(start, p->raw.ptr),
            "%s needs %zu bytes; raw_data has %zu",
            tni_shape_format(text, sizeof text, dtype, p->rank, p->dims),
            in_file, p->raw.len);
    return fill_raw(src, t, p->raw, src->zero_copy);
}

static void name_where(tn_err *err, tni_bytes name)
{
    tni_err_where(err, "tensor '%.*s'", (int)(name.len < 80 ? name.len : 80),
                  name.len != 0 ? (const char *)name.ptr : "");
}

/* The name of a tensor that the first walk gave up on. */
static tni_bytes find_name(const tni_wire *start)
{
    tni_wire w = *start;
    tni_field f;
    bool more = false;
    tni_bytes name = {NULL, 0};
    w.err = NULL;
    while (tni_wire_next(&w, &f, &more) == TN_OK && more)
        if (f.number == f_name && f.type == TNI_WIRE_LEN) name = f.bytes;
    return name;
}

tn_status tni_decode_tensor(const tni_tensor_src *src, tni_wire *w,
                            tni_tensor *out, tni_bytes *name)
{
    proto p;
    memset(&p, 0, sizeof p);
    memset(out, 0, sizeof *out);
    p.start = w->at;
    tn_status status = scan(src, w, &p);
    if (status == TN_OK)
        status = finish(src, w, &p, out);
    else
        p.name = find_name(w);
    w->at = w->end;
    if (status != TN_OK) name_where(src->err, p.name);
    if (name != NULL) *name = p.name;
    return status;
}

/* --- sparse -------------------------------------------------------------- */

/* The position in the dense tensor of stored element i, -1 when outside. */
static int64_t dense_at(const tni_tensor *dense, const tni_tensor *indices,
                        int64_t i)
{
    const int64_t *at = indices->data;
    if (indices->rank == 1)
        return at[i] >= 0 && at[i] < dense->len ? at[i] : -1;
    int64_t pos = 0;
    for (int d = 0; d < dense->rank; d++) {
        const int64_t k = at[i * dense->rank + d];
        if (k < 0 || k >= dense->dims[d]) return -1;
        pos = pos * dense->dims[d] + k;
    }
    return pos;
}

static tn_status densify(const tni_tensor_src *src, const tni_tensor *values,
                         const tni_tensor *indices, int rank,
                         const int64_t *dims, tni_tensor *out)
{
    size_t size = 0;
    for (int i = 0; i < rank; i++)
        if (dims[i] < 0)
            return tni_fail(src->err, TN_EFORMAT,
                            "dimension %d of a sparse tensor is %lld; expected "
                            ">= 0",
                            i, (long long)dims[i]);
    if (!tni_tensor_set_shape(out, values->dtype, rank, dims) ||
        !tni_elems_size(&size, values->dtype, out->len) ||
        size > src->limits->max_tensor_bytes)
        return tni_fail(src->err, TN_ELIMIT,
                        "a sparse tensor is larger than the limit of %llu "
                        "bytes when made dense",
                        (unsigned long long)src->limits->max_tensor_bytes);
    const bool shaped =
        (indices->rank == 1 && indices->len == values->len) ||
        (indices->rank == 2 && indices->dims[0] == values->len &&
         indices->dims[1] == rank);
    if (values->rank != 1 || indices->dtype != TN_I64 || !shaped)
        return tni_fail(src->err, TN_EFORMAT,
                        "a sparse tensor needs values [n] and int64 indices "
                        "[n] or [n, rank]");
    TN_TRY(
        tni_tensor_alloc(out, src->arena, values->dtype, rank, dims, src->err));
    if (size != 0) memset(out->data, 0, size);
    const size_t elem = tn_dtype_size(values->dtype);
    for (int64_t i = 0; i < values->len; i++) {
        const int64_t at = dense_at(out, indices, i);
        if (at < 0)
            return tni_fail(src->err, TN_EFORMAT,
                            "index %lld of a sparse tensor is outside its "
                            "shape",
                            (long long)i);
        memcpy((char *)out->data + (size_t)at * elem,
               (const char *)values->data + (size_t)i * elem, elem);
    }
    return TN_OK;
}

tn_status tni_decode_sparse(const tni_tensor_src *src, tni_wire *w,
                            tni_tensor *out, tni_bytes *name)
{
    tni_tensor values, indices;
    proto p; /* for dims and name */
    tni_field f;
    bool more = false;
    memset(&values, 0, sizeof values);
    memset(&indices, 0, sizeof indices);
    memset(&p, 0, sizeof p);
    memset(out, 0, sizeof *out);
    for (;;) {
        TN_TRY(tni_wire_next(w, &f, &more));
        if (!more) break;
        tni_wire sub;
        if (f.number == 1) {
            TN_TRY(tni_wire_enter(w, &f, "TensorProto", &sub));
            TN_TRY(tni_decode_tensor(src, &sub, &values, &p.name));
        } else if (f.number == 2) {
            TN_TRY(tni_wire_enter(w, &f, "TensorProto", &sub));
            TN_TRY(tni_decode_tensor(src, &sub, &indices, NULL));
        } else if (f.number == 3) {
            TN_TRY(read_dims(w, &f, &p, src->limits));
        }
    }
    if (name != NULL) *name = p.name;
    if (values.kind != TN_KIND_TENSOR || indices.kind != TN_KIND_TENSOR)
        return tni_fail(src->err, TN_EFORMAT,
                        "a sparse tensor lacks its values or its indices");
    const tn_status status =
        densify(src, &values, &indices, p.rank, p.dims, out);
    if (status != TN_OK) name_where(src->err, p.name);
    return status;
}
