/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip.c - the members of a zip archive (.npz)
 *
 * Read from the central directory at the end, which alone is sure to have the
 * sizes. Stored and deflated members; 64-bit sizes; checksums are checked.
 * Source: PKWARE APPNOTE.TXT 6.3.10
 */
#include "tensorio/npy.h"

#include "base/checked.h"
#include "base/inflate.h"

#include <string.h>

typedef struct zip {
    const tni_zip_reader *r;
    const uint8_t *bytes;
    size_t size;
} zip;

typedef struct member {
    const char *name;
    size_t name_len;
    unsigned flags, method;
    uint32_t crc;
    uint64_t packed, plain, header;
} member;

static uint64_t le(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static tn_status fail(const zip *z, uint64_t at, const char *what)
{
    return tni_fail_at(z->r->err, TN_EFORMAT, at,
                       "the zip archive is broken: %s", what);
}

static bool is_at(const zip *z, uint64_t at, uint32_t signature, size_t need)
{
    return at <= z->size && z->size - (size_t)at >= need &&
           le(z->bytes + at, 4) == signature;
}

/* Where the central directory is and how many entries it has. */
static tn_status find_directory(const zip *z, uint64_t *at, uint64_t *n)
{
    enum { end_size = 22, most_comment = 65535 };
    if (z->size < end_size) return fail(z, 0, "it is cut short");
    const size_t first = z->size > end_size + most_comment
                             ? z->size - end_size - most_comment
                             : 0;
    for (size_t p = z->size - end_size;; p--) {
        if (is_at(z, p, 0x06054b50u, end_size)) {
            *n = le(z->bytes + p + 10, 2);
            *at = le(z->bytes + p + 16, 4);
            if ((*n == 0xffffu || *at == 0xffffffffu) && p >= 20 &&
                is_at(z, p - 20, 0x07064b50u, 20)) {
                const uint64_t wide = le(z->bytes + p - 20 + 8, 8);
                if (!is_at(z, wide, 0x06064b50u, 56))
                    return fail(z, p - 20, "its 64-bit directory is missing");
                *n = le(z->bytes + wide + 32, 8);
                *at = le(z->bytes + wide + 48, 8);
            }
            return TN_OK;
        }
        if (p == first) break;
    }
    return fail(z, z->size,
                "it has no directory at its end; it may be cut "
                "short");
}

/* The 64-bit sizes of an entry, in its extra field. */
static tn_status read_wide(const zip *z, const uint8_t *extra, size_t len,
                           member *m)
{
    while (len >= 4) {
        const size_t id = (size_t)le(extra, 2), n = (size_t)le(extra + 2, 2);
        if (n > len - 4) break;
        if (id == 1) {
            uint64_t *const fields[] = {&m->plain, &m->packed, &m->header};
            size_t used = 0;
            for (int i = 0; i < 3; i++) {
                if (*fields[i] != 0xffffffffu) continue;
                if (n - used < 8)
                    return fail(z, (uint64_t)(extra - z->bytes),
                                "a 64-bit size is missing");
                *fields[i] = le(extra + 4 + used, 8);
                used += 8;
            }
            return TN_OK;
        }
        extra += 4 + n;
        len -= 4 + n;
    }
    return TN_OK;
}

/* Reads the directory entry at *at, which moves behind it. */
static tn_status read_entry(const zip *z, uint64_t *at, member *m)
{
    enum { entry_size = 46 };
    if (!is_at(z, *at, 0x02014b50u, entry_size))
        return fail(z, *at, "a directory entry is missing");
    const uint8_t *p = z->bytes + *at;
    const size_t n_name = (size_t)le(p + 28, 2),
                 n_extra = (size_t)le(p + 30, 2);
    const size_t n_comment = (size_t)le(p + 32, 2);
    const size_t total = entry_size + n_name + n_extra + n_comment;
    if (z->size - (size_t)*at < total)
        return fail(z, *at, "a directory entry is cut short");
    m->flags = (unsigned)le(p + 8, 2);
    m->method = (unsigned)le(p + 10, 2);
    m->crc = (uint32_t)le(p + 16, 4);
    m->packed = le(p + 20, 4);
    m->plain = le(p + 24, 4);
    m->header = le(p + 42, 4);
    m->name = (const char *)p + entry_size;
    m->name_len = n_name;
    TN_TRY(read_wide(z, p + entry_size + n_name, n_extra, m));
    *at += total;
    return TN_OK;
}

static tn_status inflate_member(const zip *z, const member *m,
                                const uint8_t *packed)
{
    const tni_zip_reader *r = z->r;
    if (m->plain / TNI_INFLATE_MAX_RATIO > m->packed)
        return fail(z, m->header, "a member claims an impossible size");
    const size_t size = (size_t)m->plain;
    uint8_t *plain = tni_mem_alloc(r->mem, size, TNI_ALIGN);
    if (plain == NULL)
        return tni_fail(r->err, TN_ENOMEM,
                        "out of memory for a member of %zu "
                        "bytes",
                        size);
    tn_status status =
        tni_inflate(plain, size, packed, (size_t)m->packed, r->err);
    if (status == TN_OK && tni_crc32(0, plain, size) != m->crc)
        status = fail(z, m->header, "a member's checksum does not match");
    if (status == TN_OK)
        status = r->each(r->ctx, m->name, m->name_len, plain, size);
    tni_mem_free(r->mem, plain, size, TNI_ALIGN);
    return status;
}

static tn_status read_member(const zip *z, const member *m)
{
    enum { local_size = 30 };
    const tni_zip_reader *r = z->r;
    if (!is_at(z, m->header, 0x04034b50u, local_size))
        return fail(z, m->header, "a member's header is missing");
    const uint8_t *p = z->bytes + m->header;
    const uint64_t start =
        m->header + local_size + le(p + 26, 2) + le(p + 28, 2);
    if (start > z->size || z->size - start < m->packed)
        return fail(z, m->header, "a member is cut short");
    if ((m->flags & 1u) != 0)
        return tni_fail_at(r->err, TN_EUNSUPPORTED, m->header,
                           "a member is encrypted");
    if (m->plain > r->limits->max_tensor_bytes ||
        m->plain > SIZE_MAX - TNI_ALIGN)
        return tni_fail_at(r->err, TN_ELIMIT, m->header,
                           "a member has %llu bytes; the limit is %llu",
                           (unsigned long long)m->plain,
                           (unsigned long long)r->limits->max_tensor_bytes);
    const uint8_t *data = z->bytes + start;
    if (m->method == 8) return inflate_member(z, m, data);
    if (m->method != 0)
        return tni_fail_at(r->err, TN_EUNSUPPORTED, m->header,
                           "a member is compressed by method %u; expected 0 "
                           "(stored) or 8 (deflate)",
                           m->method);
    if (m->packed != m->plain)
        return fail(z, m->header, "a stored member has two sizes");
    if (tni_crc32(0, data, (size_t)m->plain) != m->crc)
        return fail(z, m->header, "a member's checksum does not match");
    return r->each(r->ctx, m->name, m->name_len, data, (size_t)m->plain);
}

tn_status tni_zip_read(const tni_zip_reader *r, const uint8_t *bytes,
                       size_t size)
{
    const zip z = {r, bytes, size};
    uint64_t at = 0, n = 0;
    TN_TRY(find_directory(&z, &at, &n));
    for (uint64_t i = 0; i < n; i++) {
        member m;
        memset(&m, 0, sizeof m);
        TN_TRY(read_entry(&z, &at, &m));
        if (r->want != NULL && !r->want(r->ctx, m.name, m.name_len)) continue;
        const tn_status status = read_member(&z, &m);
        if (status != TN_OK) {
            tni_err_where(r->err, "member '%.*s'",
                          (int)(m.name_len < 100 ? m.name_len : 100), m.name);
            return status;
        }
    }
    return TN_OK;
}
