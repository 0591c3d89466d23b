/* SPDX-License-Identifier: Apache-2.0 */
/*
 * npy.c - reading NumPy's .npy
 *
 * Six bytes of magic, two of version, the length of a header (two bytes, four
 * from version 2 on), the header - a Python dict of 'descr', 'fortran_order'
 * and 'shape' - and the elements.
 */
#include "tensorio/npy.h"

#include "base/checked.h"
#include "onnx/decode_tensor.h"

#include <string.h>

typedef struct npy {
    const uint8_t *bytes;
    const uint8_t *at, *end; /* of the header that is left */
    tn_err *err;
    char order;    /* '<', '>', '|', '=' */
    char code;     /* 'f', 'i', 'U', … */
    uint64_t item; /* the number behind it */
    bool fortran;
    int rank;
    int64_t dims[TN_MAX_RANK];
    bool has_descr, has_order, has_shape;
} npy;

/* --- the header ---------------------------------------------------------- */

static tn_status fail(const npy *n, const char *what)
{
    return tni_fail_at(n->err, TN_EFORMAT, (uint64_t)(n->at - n->bytes),
                       "the .npy header is broken: %s", what);
}

static void skip_space(npy *n)
{
    while (n->at < n->end && (*n->at == ' ' || *n->at == '\n' ||
                              *n->at == '\t' || *n->at == '\r'))
        n->at++;
}

static bool take_char(npy *n, char c)
{
    skip_space(n);
    if (n->at == n->end || *n->at != (uint8_t)c) return false;
    n->at++;
    return true;
}

/* A quoted string without escapes, which NumPy never writes here. */
static bool take_string(npy *n, tn_string *out)
{
    skip_space(n);
    if (n->at == n->end || (*n->at != '\'' && *n->at != '"')) return false;
    const uint8_t quote = *n->at++;
    out->ptr = (const char *)n->at;
    while (n->at < n->end && *n->at != quote) n->at++;
    if (n->at == n->end) return false;
    out->len = (size_t)((const char *)n->at - out->ptr);
    n->at++;
    return true;
}

static bool take_word(npy *n, const char *word)
{
    skip_space(n);
    const size_t len = strlen(word);
    if ((size_t)(n->end - n->at) < len || memcmp(n->at, word, len) != 0)
        return false;
    n->at += len;
    return true;
}

static bool take_number(npy *n, int64_t *out)
{
    skip_space(n);
    if (n->at == n->end || *n->at < '0' || *n->at > '9') return false;
    int64_t v = 0;
    while (n->at < n->end && *n->at >= '0' && *n->at <= '9') {
        if (!tni_mul_i64(v, 10, &v) || !tni_add_i64(v, *n->at - '0', &v))
            return false;
        n->at++;
    }
    if (n->at < n->end && *n->at == 'L') n->at++; /* Python 2 */
    *out = v;
    return true;
}

static tn_status read_descr(npy *n)
{
    tn_string s;
    skip_space(n);
    if (n->at < n->end && *n->at == '[')
        return tni_fail_at(n->err, TN_EUNSUPPORTED,
                           (uint64_t)(n->at - n->bytes),
                           "structured arrays are not supported; save each "
                           "field as an array");
    if (!take_string(n, &s) || s.len < 2)
        return fail(n, "'descr' is not a type such as '<f4'");
    size_t i = 0;
    n->order = '=';
    if (strchr("<>|=", s.ptr[0]) != NULL) n->order = s.ptr[i++];
    n->code = s.ptr[i++];
    n->item = 0;
    for (; i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9'; i++) {
        if (n->item > UINT32_MAX) return fail(n, "'descr' is too large");
        n->item = n->item * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    if (i != s.len && n->code != 'M' && n->code != 'm')
        return fail(n, "'descr' is not a type such as '<f4'");
    n->has_descr = true;
    return TN_OK;
}

static tn_status read_shape(npy *n, const tn_limits *limits)
{
    if (!take_char(n, '(')) return fail(n, "'shape' is not a tuple");
    n->rank = 0;
    while (!take_char(n, ')')) {
        const int most = limits->max_rank < TN_MAX_RANK ? (int)limits->max_rank
                                                        : TN_MAX_RANK;
        if (n->rank == most)
            return tni_fail_at(n->err, TN_ELIMIT, (uint64_t)(n->at - n->bytes),
                               "the array has more than %d dimensions", most);
        if (!take_number(n, &n->dims[n->rank]))
            return fail(n, "'shape' has an entry that is no extent");
        n->rank++;
        if (!take_char(n, ',')) {
            if (!take_char(n, ')')) return fail(n, "'shape' does not end");
            break;
        }
    }
    n->has_shape = true;
    return TN_OK;
}

static tn_status read_dict(npy *n, const tn_limits *limits)
{
    if (!take_char(n, '{')) return fail(n, "expected a dict");
    while (!take_char(n, '}')) {
        tn_string key;
        if (!take_string(n, &key) || !take_char(n, ':'))
            return fail(n, "expected a key and a colon");
        if (key.len == 5 && memcmp(key.ptr, "descr", 5) == 0) {
            TN_TRY(read_descr(n));
        } else if (key.len == 13 && memcmp(key.ptr, "fortran_order", 13) == 0) {
            n->fortran = take_word(n, "True");
            if (!n->fortran && !take_word(n, "False"))
                return fail(n, "'fortran_order' is neither True nor False");
            n->has_order = true;
        } else if (key.len == 5 && memcmp(key.ptr, "shape", 5) == 0) {
            TN_TRY(read_shape(n, limits));
        } else {
            return fail(n, "a key other than 'descr', 'fortran_order' and "
                           "'shape'");
        }
        if (!take_char(n, ',')) {
            if (!take_char(n, '}')) return fail(n, "the dict does not end");
            break;
        }
    }
    if (!n->has_descr || !n->has_order || !n->has_shape)
        return fail(n, "'descr', 'fortran_order' or 'shape' is missing");
    return TN_OK;
}

/* --- elements ------------------------------------------------------------ */

static tn_dtype dtype_of(const npy *n)
{
    static const struct {
        char code;
        uint64_t item;
        tn_dtype dtype;
    } types[] = {
        {'f', 4, TN_F32}, {'f', 8, TN_F64},   {'f', 2, TN_F16},
        {'i', 1, TN_I8},  {'i', 2, TN_I16},   {'i', 4, TN_I32},
        {'i', 8, TN_I64}, {'u', 1, TN_U8},    {'u', 2, TN_U16},
        {'u', 4, TN_U32}, {'u', 8, TN_U64},   {'b', 1, TN_BOOL},
        {'c', 8, TN_C64}, {'c', 16, TN_C128},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].code == n->code && types[i].item == n->item)
            return types[i].dtype;
    return n->code == 'U' || n->code == 'S' || n->code == 'a' ? TN_STRING
                                                              : TN_UNDEFINED;
}

static tn_status nomem(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

/* Position in C order -> position in Fortran order, one step at a time. */
typedef struct walk {
    int rank;
    const int64_t *dims;
    int64_t at[TN_MAX_RANK], stride[TN_MAX_RANK];
    size_t pos;
} walk;

static void walk_init(walk *w, int rank, const int64_t *dims)
{
    memset(w, 0, sizeof *w);
    w->rank = rank;
    w->dims = dims;
    int64_t stride = 1;
    for (int i = 0; i < rank; i++) {
        w->stride[i] = stride;
        stride *= dims[i];
    }
}

static void walk_next(walk *w)
{
    for (int i = w->rank - 1; i >= 0; i--) {
        w->pos += (size_t)w->stride[i];
        if (++w->at[i] < w->dims[i]) return;
        w->pos -= (size_t)(w->stride[i] * w->dims[i]);
        w->at[i] = 0;
    }
}

static void reorder(uint8_t *to, const uint8_t *from, size_t elem, int rank,
                    const int64_t *dims, int64_t len)
{
    walk w;
    walk_init(&w, rank, dims);
    for (int64_t i = 0; i < len; i++) {
        memcpy(to + (size_t)i * elem, from + w.pos * elem, elem);
        walk_next(&w);
    }
}

static bool is_swapped(const npy *n)
{
    return n->order == (TNI_BIG_ENDIAN ? '<' : '>');
}

static tn_status read_numbers(const npy *n, const uint8_t *data,
                              tni_arena *arena, tni_tensor *out)
{
    const size_t elem = tn_dtype_size(out->dtype);
    TN_TRY(tni_tensor_alloc(out, arena, out->dtype, n->rank, n->dims, n->err));
    const size_t size = (size_t)out->len * elem;
    if (n->fortran && n->rank > 1)
        reorder(out->data, data, elem, n->rank, n->dims, out->len);
    else if (size != 0)
        memcpy(out->data, data, size);
    const size_t part = tni_dtype_part(out->dtype);
    uint8_t *p = out->data;
    if (is_swapped(n) && part > 1) {
        for (size_t i = 0; i < size; i += part)
            for (size_t k = 0; k < part / 2; k++) {
                const uint8_t byte = p[i + k];
                p[i + k] = p[i + part - 1 - k];
                p[i + part - 1 - k] = byte;
            }
    }
    if (out->dtype == TN_BOOL)
        for (size_t i = 0; i < size; i++) p[i] = p[i] != 0;
    return TN_OK;
}

static uint32_t load_u32(const uint8_t *p, bool big)
{
    return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
                     (uint32_t)p[2] << 8 | p[3]
               : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 |
                     (uint32_t)p[1] << 8 | p[0];
}

/* UTF-8 of a code point; what is none becomes U+FFFD. */
static size_t put_utf8(char *to, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) c = 0xfffd;
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

static tn_status read_strings(const npy *n, const uint8_t *data, size_t elem,
                              tni_arena *arena, tni_tensor *out)
{
    const bool wide = n->code == 'U';
    const bool big =
        n->order == '>' || (n->order == '=' && TNI_BIG_ENDIAN != 0);
    TN_TRY(tni_tensor_alloc(out, arena, TN_STRING, n->rank, n->dims, n->err));
    walk w;
    walk_init(&w, n->rank, n->dims);
    for (int64_t i = 0; i < out->len; i++) {
        const size_t pos = n->fortran ? w.pos : (size_t)i;
        const uint8_t *p = data + pos * elem;
        size_t len = elem;
        tn_string *s = &TNI_DATA(tn_string, out)[i];
        walk_next(&w);
        while (len > 0 && p[len - 1] == 0) len--;
        if (wide) {
            len = (len + 3) / 4;
            /* The highest bytes of a little-endian code point are zero. */
            char *text = tni_arena_alloc(arena, len * 4 + 1, 1);
            if (text == NULL) return nomem(n->err);
            size_t used = 0;
            for (size_t k = 0; k < len; k++)
                used += put_utf8(text + used, load_u32(p + 4 * k, big));
            s->ptr = text;
            s->len = used;
        } else {
            s->ptr = tni_arena_strndup(arena, (const char *)p, len);
            s->len = len;
            if (s->ptr == NULL) return nomem(n->err);
        }
    }
    return TN_OK;
}

static tn_status read_elements(const npy *n, const tn_limits *limits,
                               const uint8_t *data, size_t size,
                               tni_arena *arena, tni_tensor *out)
{
    const tn_dtype dtype = dtype_of(n);
    if (dtype == TN_UNDEFINED)
        return tni_fail(n->err, TN_EUNSUPPORTED,
                        "arrays of type '%c%c%llu' are not supported%s",
                        n->order, n->code, (unsigned long long)n->item,
                        n->code == 'O' ? "; save them with a plain dtype (no "
                                         "Python objects)"
                                       : "");
    const uint64_t elem = n->code == 'U' ? n->item * 4 : n->item;
    int64_t len = 0;
    size_t need = 0, memory = 0;
    if (!tni_dims_len(&len, n->rank, n->dims) || elem > SIZE_MAX / 8 ||
        !tni_mul_size((size_t)len, (size_t)elem, &need) ||
        !tni_elems_size(&memory, dtype, len) ||
        memory > limits->max_tensor_bytes || need > limits->max_tensor_bytes)
        return tni_fail(n->err, TN_ELIMIT,
                        "the array is larger than the limit of %llu bytes",
                        (unsigned long long)limits->max_tensor_bytes);
    if (need > size)
        return tni_fail_at(n->err, TN_EFORMAT, (uint64_t)(data - n->bytes),
                           "the array needs %zu bytes; the file has %zu: it is "
                           "cut short",
                           need, size);
    out->dtype = dtype;
    if (dtype == TN_STRING)
        return read_strings(n, data, (size_t)elem, arena, out);
    return read_numbers(n, data, arena, out);
}

tn_status tni_npy_decode(const uint8_t *bytes, size_t size,
                         const tn_limits *limits, tni_arena *arena,
                         tni_tensor *out, tn_err *err)
{
    npy n;
    memset(&n, 0, sizeof n);
    memset(out, 0, sizeof *out);
    n.bytes = n.at = n.end = bytes;
    n.err = err;
    if (size < 10 || !tni_is_npy(bytes, size))
        return fail(&n, "it does not begin with \\x93NUMPY");
    const int major = bytes[6];
    size_t start = 10, len = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (major < 1 || major > 3)
        return tni_fail_at(err, TN_EUNSUPPORTED, 6,
                           ".npy version %d is not supported; expected 1 to 3",
                           major);
    if (major >= 2) {
        if (size < 12) return fail(&n, "the file is cut short");
        start = 12;
        len |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    }
    if (len > size - start) return fail(&n, "the file is cut short");
    n.at = bytes + start;
    n.end = n.at + len;
    TN_TRY(read_dict(&n, limits));
    return read_elements(&n, limits, bytes + start + len, size - start - len,
                         arena, out);
}
