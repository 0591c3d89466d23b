/* SPDX-License-Identifier: Apache-2.0 */
/* npy_write.c - writing NumPy's .npy */
#include "onnx/decode_tensor.h"
#include "sys/file.h"
#include "tensorio/npy.h"

#include <stdio.h>
#include <string.h>

enum { chunk_elems = 1024 };

/* The dtype an element is written as: itself where NumPy has it. */
static tn_dtype written_as(tn_dtype t)
{
    switch (t) {
    case TN_BF16:
    case TN_F8E4M3FN:
    case TN_F8E4M3FNUZ:
    case TN_F8E5M2:
    case TN_F8E5M2FNUZ:
    case TN_F8E8M0:
    case TN_F4E2M1: return TN_F32;
    case TN_I4:
    case TN_I2: return TN_I8;
    case TN_U4:
    case TN_U2: return TN_U8;
    default: return t;
    }
}

static const char *descr_of(tn_dtype t)
{
    switch (t) {
    case TN_F32: return "<f4";
    case TN_F64: return "<f8";
    case TN_F16: return "<f2";
    case TN_I8: return "|i1";
    case TN_I16: return "<i2";
    case TN_I32: return "<i4";
    case TN_I64: return "<i8";
    case TN_U8: return "|u1";
    case TN_U16: return "<u2";
    case TN_U32: return "<u4";
    case TN_U64: return "<u8";
    case TN_BOOL: return "|b1";
    case TN_C64: return "<c8";
    case TN_C128: return "<c16";
    default: return NULL;
    }
}

/* The next code point of UTF-8 text; broken bytes give U+FFFD each. */
static uint32_t next_char(const tn_string *s, size_t *at)
{
    const uint8_t *p = (const uint8_t *)s->ptr + *at;
    const size_t left = s->len - *at;
    size_t n = 0;
    uint32_t c = 0;
    if (p[0] < 0x80) {
        ++*at;
        return p[0];
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;
        c = p[0] & 0x1fu;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        c = p[0] & 0x0fu;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        c = p[0] & 0x07u;
    }
    bool good = n != 0 && n <= left;
    for (size_t i = 1; good && i < n; i++) {
        good = (p[i] & 0xc0u) == 0x80u;
        c = c << 6 | (p[i] & 0x3fu);
    }
    good = good && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) &&
           (n != 3 || c >= 0x800) && (n != 4 || c >= 0x10000);
    *at += good ? n : 1;
    return good ? c : 0xfffd;
}

/* Code points of the longest string, at least 1. */
static size_t longest(const tni_tensor *t)
{
    size_t most = 1;
    for (int64_t i = 0; i < t->len; i++) {
        const tn_string *s = &TNI_CDATA(tn_string, t)[i];
        size_t n = 0;
        for (size_t at = 0; at < s->len; n++) (void)next_char(s, &at);
        if (n > most) most = n;
    }
    return most;
}

static tn_status write_header(tni_file_out *f, const tni_tensor *t,
                              size_t chars, tn_err *err)
{
    /* Room for 16 extents of 20 digits. */
    char dict[512], header[640], descr[32];
    const char *type = descr_of(written_as(t->dtype));
    if (t->dtype == TN_STRING) {
        (void)snprintf(descr, sizeof descr, "<U%zu", chars);
        type = descr;
    }
    int n =
        snprintf(dict, sizeof dict,
                 "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int i = 0; i < t->rank; i++)
        n += snprintf(dict + n, sizeof dict - (size_t)n, "%lld%s",
                      (long long)t->dims[i],
                      t->rank == 1      ? ","
                      : i + 1 < t->rank ? ", "
                                        : "");
    n += snprintf(dict + n, sizeof dict - (size_t)n, "), }");
    /* Padded with spaces so that the elements begin on a multiple of 64. */
    const size_t total = ((size_t)n + 1 + 10 + 63) / 64 * 64;
    memset(header, ' ', sizeof header);
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)((total - 10) & 0xff);
    header[9] = (char)((total - 10) >> 8);
    memcpy(header + 10, dict, (size_t)n);
    header[total - 1] = '\n';
    return tni_file_out_write(f, header, total, err);
}

static tn_status write_strings(tni_file_out *f, const tni_tensor *t,
                               size_t chars, tn_err *err)
{
    uint8_t buf[chunk_elems * 4];
    size_t used = 0;
    for (int64_t i = 0; i < t->len; i++) {
        const tn_string *s = &TNI_CDATA(tn_string, t)[i];
        size_t at = 0;
        for (size_t k = 0; k < chars; k++) {
            const uint32_t c = at < s->len ? next_char(s, &at) : 0;
            for (int b = 0; b < 4; b++) buf[used++] = (uint8_t)(c >> (8 * b));
            if (used < sizeof buf) continue;
            TN_TRY(tni_file_out_write(f, buf, used, err));
            used = 0;
        }
    }
    return tni_file_out_write(f, buf, used, err);
}

static tn_status write_numbers(tni_file_out *f, const tni_tensor *t,
                               tn_err *err)
{
    const tn_dtype as = written_as(t->dtype);
    const size_t elem = tn_dtype_size(as);
    const bool convert = as == TN_F32 && t->dtype != TN_F32;
    if (!convert && TNI_BIG_ENDIAN == 0)
        return t->len != 0
                   ? tni_file_out_write(f, t->data, (size_t)t->len * elem, err)
                   : TN_OK;
    float wide[chunk_elems];
    uint8_t buf[chunk_elems * 16];
    for (int64_t i = 0; i < t->len; i += chunk_elems) {
        const int64_t left = t->len - i;
        const size_t n = left < chunk_elems ? (size_t)left : chunk_elems;
        const void *from = (const uint8_t *)t->data + (size_t)i * elem;
        if (convert) {
            for (size_t k = 0; k < n; k++)
                wide[k] = (float)tni_get_f64(t, i + (int64_t)k);
            from = wide;
        }
        tni_copy_elems_le(buf, from, n * elem, as, TNI_BIG_ENDIAN != 0);
        TN_TRY(tni_file_out_write(f, buf, n * elem, err));
    }
    return TN_OK;
}

tn_status tn_tensor_write_npy(const tn_tensor *tensor, const char *path,
                              tn_err *err)
{
    tni_err_clear(err);
    if (tensor->kind != TN_KIND_TENSOR ||
        (tensor->dtype != TN_STRING &&
         descr_of(written_as(tensor->dtype)) == NULL)) {
        tni_err_where(err, "%s", path);
        return tni_fail(err, TN_EUNSUPPORTED,
                        "only tensors can be written as .npy; write the items "
                        "of a container one by one");
    }
    const size_t chars = tensor->dtype == TN_STRING ? longest(tensor) : 0;
    tni_file_out *f = NULL;
    TN_TRY(tni_file_out_open(&f, path, err));
    tn_status status = write_header(f, tensor, chars, err);
    if (status == TN_OK)
        status = tensor->dtype == TN_STRING
                     ? write_strings(f, tensor, chars, err)
                     : write_numbers(f, tensor, err);
    if (status != TN_OK) {
        tni_file_out_abort(f);
        return status;
    }
    return tni_file_out_commit(f, err);
}
