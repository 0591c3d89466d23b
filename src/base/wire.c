/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.c - reading protobuf messages in place
 *
 * A tag is a varint (number << 3 | type). Varints have at most ten bytes; the
 * tenth may only carry one bit. Groups, long deprecated, are skipped with a
 * count of the open ones instead of recursion.
 */
#include "base/wire.h"

#include "base/checked.h"

#include <string.h>

enum { max_field_number = (1 << 29) - 1, max_open_groups = 64 };

void tni_wire_init(tni_wire *w, const void *bytes, size_t size,
                   const char *what, int depth, tn_err *err)
{
    w->base = w->at = bytes;
    w->end = size != 0 ? w->at + size : w->at;
    w->what = what;
    w->depth = depth;
    w->err = err;
}

static tn_status fail_end(const tni_wire *w, const uint8_t *at, const char *in)
{
    return tni_fail_at(w->err, TN_EFORMAT, tni_wire_offset(w, at),
                       "%s ends inside %s; the file is cut short or is not "
                       "what it claims to be",
                       w->what, in);
}

/* Reads a varint at *p, which moves behind it. */
static tn_status read_varint(const tni_wire *w, const uint8_t **p,
                             const uint8_t *end, uint64_t *out)
{
    const uint8_t *at = *p;
    if (at < end && *at < 0x80) {
        *out = *at;
        *p = at + 1;
        return TN_OK;
    }
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (at == end) return fail_end(w, at, "a varint");
        const uint8_t b = *at++;
        if (shift == 63 && b > 1) break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *out = v;
            *p = at;
            return TN_OK;
        }
    }
    return tni_fail_at(w->err, TN_EFORMAT, tni_wire_offset(w, *p),
                       "%s has a varint of more than 64 bits", w->what);
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* One field, group markers included. */
static tn_status read_field(tni_wire *w, tni_field *f)
{
    const uint8_t *p = w->at;
    uint64_t tag = 0, len = 0;
    f->at = p;
    f->value = 0;
    f->bytes.ptr = NULL;
    f->bytes.len = 0;
    TN_TRY(read_varint(w, &p, w->end, &tag));
    const uint64_t number = tag >> 3;
    if (number == 0 || number > max_field_number)
        return tni_fail_at(w->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                           "%s has a field with number %llu; expected 1 to "
                           "536870911: this is not an ONNX file, or a broken "
                           "one",
                           w->what, (unsigned long long)number);
    f->number = (uint32_t)number;
    f->type = (tni_wire_type)(tag & 7);
    switch (f->type) {
    case TNI_WIRE_VARINT: TN_TRY(read_varint(w, &p, w->end, &f->value)); break;
    case TNI_WIRE_I64:
        if (w->end - p < 8) return fail_end(w, p, "a fixed number");
        f->value = load_le(p, 8);
        p += 8;
        break;
    case TNI_WIRE_I32:
        if (w->end - p < 4) return fail_end(w, p, "a fixed number");
        f->value = load_le(p, 4);
        p += 4;
        break;
    case TNI_WIRE_LEN:
        TN_TRY(read_varint(w, &p, w->end, &len));
        if (len > (uint64_t)(w->end - p))
            return tni_fail_at(
                w->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                "field %u of %s claims %llu bytes, but %llu are left; the "
                "file is cut short or is not what it claims to be",
                f->number, w->what, (unsigned long long)len,
                (unsigned long long)(w->end - p));
        f->bytes.ptr = p;
        f->bytes.len = (size_t)len;
        p += len;
        break;
    case TNI_WIRE_SGROUP:
    case TNI_WIRE_EGROUP: break;
    default:
        return tni_fail_at(w->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                           "field %u of %s has wire type %u; expected 0 to 5: "
                           "this is not an ONNX file, or a broken one",
                           f->number, w->what, (unsigned)f->type);
    }
    w->at = p;
    return TN_OK;
}

/* Skips to the end of the group that f opened. */
static tn_status skip_group(tni_wire *w, const tni_field *f)
{
    uint32_t open[max_open_groups];
    int n_open = 1;
    open[0] = f->number;
    while (n_open > 0) {
        if (w->at == w->end) return fail_end(w, f->at, "a group");
        tni_field in;
        TN_TRY(read_field(w, &in));
        if (in.type == TNI_WIRE_SGROUP) {
            if (n_open == max_open_groups)
                return tni_fail_at(w->err, TN_ELIMIT, tni_wire_offset(w, in.at),
                                   "%s has more than %d groups inside each "
                                   "other",
                                   w->what, (int)max_open_groups);
            open[n_open++] = in.number;
        } else if (in.type == TNI_WIRE_EGROUP) {
            if (open[--n_open] != in.number)
                return tni_fail_at(w->err, TN_EFORMAT,
                                   tni_wire_offset(w, in.at),
                                   "%s closes group %u where group %u is open",
                                   w->what, in.number, open[n_open]);
        }
    }
    return TN_OK;
}

/* A small number, 32 bits or a short text in a field below 16, of which lists
 * that are not packed have one an entry; false when it is anything else. */
static bool read_short(tni_wire *w, tni_field *f)
{
    const uint8_t *p = w->at;
    if (w->end - p < 2 || p[0] < 8 || p[0] >= 0x80) return false;
    const tni_wire_type type = (tni_wire_type)(p[0] & 7);
    size_t size = 2;
    f->value = p[1];
    f->bytes.ptr = NULL;
    f->bytes.len = 0;
    if (type == TNI_WIRE_LEN) {
        f->value = 0;
        f->bytes.ptr = p + 2;
        f->bytes.len = p[1];
        size += p[1];
    } else if (type == TNI_WIRE_I32) {
        size = 5;
    }
    const bool one_byte = type == TNI_WIRE_LEN || type == TNI_WIRE_VARINT;
    if (!(one_byte || type == TNI_WIRE_I32) || (one_byte && p[1] >= 0x80) ||
        (size_t)(w->end - p) < size)
        return false;
    if (type == TNI_WIRE_I32) f->value = load_le(p + 1, 4);
    f->at = p;
    f->number = p[0] >> 3;
    f->type = type;
    w->at = p + size;
    return true;
}

tn_status tni_wire_next(tni_wire *w, tni_field *f, bool *more)
{
    *more = true;
    if (read_short(w, f)) return TN_OK;
    for (;;) {
        *more = false;
        if (w->at == w->end) return TN_OK;
        TN_TRY(read_field(w, f));
        if (f->type == TNI_WIRE_EGROUP)
            return tni_fail_at(w->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                               "%s closes group %u, which is not open", w->what,
                               f->number);
        if (f->type != TNI_WIRE_SGROUP) {
            *more = true;
            return TN_OK;
        }
        TN_TRY(skip_group(w, f));
    }
}

static tn_status fail_type(const tni_wire *w, const tni_field *f,
                           const char *expected)
{
    static const char *const names[] = {"a varint", "64 bits", "bytes",
                                        "a group",  "a group", "32 bits"};
    return tni_fail_at(w->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                       "field %u of %s holds %s; expected %s", f->number,
                       w->what, names[f->type], expected);
}

tn_status tni_wire_enter(const tni_wire *w, const tni_field *f,
                         const char *what, tni_wire *sub)
{
    if (f->type != TNI_WIRE_LEN) return fail_type(w, f, what);
    if (w->depth <= 0)
        return tni_fail_at(w->err, TN_ELIMIT, tni_wire_offset(w, f->at),
                           "messages are nested too deeply at a %s; the limit "
                           "is tn_limits.max_nesting",
                           what);
    sub->base = w->base;
    sub->at = f->bytes.ptr;
    sub->end = f->bytes.ptr + f->bytes.len;
    sub->what = what;
    sub->depth = w->depth - 1;
    sub->err = w->err;
    return TN_OK;
}

tn_status tni_wire_u64(const tni_wire *w, const tni_field *f, uint64_t *out)
{
    if (f->type != TNI_WIRE_VARINT) return fail_type(w, f, "a varint");
    *out = f->value;
    return TN_OK;
}

tn_status tni_wire_i64(const tni_wire *w, const tni_field *f, int64_t *out)
{
    uint64_t v = 0;
    TN_TRY(tni_wire_u64(w, f, &v));
    *out = (int64_t)v;
    return TN_OK;
}

tn_status tni_wire_f32(const tni_wire *w, const tni_field *f, float *out)
{
    if (f->type != TNI_WIRE_I32) return fail_type(w, f, "32 bits");
    const uint32_t bits = (uint32_t)f->value;
    memcpy(out, &bits, sizeof bits);
    return TN_OK;
}

tn_status tni_wire_bytes(const tni_wire *w, const tni_field *f, tni_bytes *out)
{
    if (f->type != TNI_WIRE_LEN) return fail_type(w, f, "bytes");
    *out = f->bytes;
    return TN_OK;
}

tn_status tni_wire_count(const tni_wire *w, const tni_field *f,
                         tni_wire_type elem, size_t *n)
{
    if (f->type == elem) {
        (*n)++;
        return TN_OK;
    }
    if (f->type != TNI_WIRE_LEN) return fail_type(w, f, "repeated numbers");
    size_t add = 0;
    if (elem == TNI_WIRE_VARINT) {
        /* Each varint ends with a byte below 128. */
        for (size_t i = 0; i < f->bytes.len; i++)
            add += f->bytes.ptr[i] < 0x80 ? 1 : 0;
    } else {
        const size_t size = elem == TNI_WIRE_I64 ? 8 : 4;
        if (f->bytes.len % size != 0)
            return tni_fail_at(w->err, TN_EFORMAT, tni_wire_offset(w, f->at),
                               "field %u of %s has %llu bytes, not a multiple "
                               "of %d",
                               f->number, w->what,
                               (unsigned long long)f->bytes.len, (int)size);
        add = f->bytes.len / size;
    }
    *n += add; /* bounded by the bytes of the message */
    return TN_OK;
}

tn_status tni_wire_read_varints(const tni_wire *w, const tni_field *f,
                                uint64_t *to, size_t *at)
{
    if (f->type == TNI_WIRE_VARINT) {
        to[(*at)++] = f->value;
        return TN_OK;
    }
    if (f->type != TNI_WIRE_LEN) return fail_type(w, f, "repeated numbers");
    const uint8_t *p = f->bytes.ptr, *end = p + f->bytes.len;
    while (p < end) {
        uint64_t v = 0;
        TN_TRY(read_varint(w, &p, end, &v));
        to[(*at)++] = v;
    }
    return TN_OK;
}

tn_status tni_wire_read_i32s(const tni_wire *w, const tni_field *f,
                             uint32_t *to, size_t *at)
{
    if (f->type == TNI_WIRE_I32) {
        to[(*at)++] = (uint32_t)f->value;
        return TN_OK;
    }
    if (f->type != TNI_WIRE_LEN) return fail_type(w, f, "repeated numbers");
    for (size_t i = 0; i + 4 <= f->bytes.len; i += 4)
        to[(*at)++] = (uint32_t)load_le(f->bytes.ptr + i, 4);
    return TN_OK;
}

tn_status tni_wire_read_i64s(const tni_wire *w, const tni_field *f,
                             uint64_t *to, size_t *at)
{
    if (f->type == TNI_WIRE_I64) {
        to[(*at)++] = f->value;
        return TN_OK;
    }
    if (f->type != TNI_WIRE_LEN) return fail_type(w, f, "repeated numbers");
    for (size_t i = 0; i + 8 <= f->bytes.len; i += 8)
        to[(*at)++] = load_le(f->bytes.ptr + i, 8);
    return TN_OK;
}
