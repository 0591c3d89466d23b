/* SPDX-License-Identifier: Apache-2.0 */
/* body.c - the body of a request: memory that is admitted before it is taken */
#include "serve/body.h"

#include "base/checked.h"

#define ZLIB_CONST
#include <zlib.h>

enum { FIRST_BYTES = 4096 };

/* In front of the bytes, so that they alone are enough to free them. */
typedef struct prefix {
    TN_ALIGNED(TNI_ALIGN) tni_mem *mem;
    size_t size;
} prefix;

static uint8_t *take(tni_mem *mem, size_t cap)
{
    size_t size = 0;
    if (!tni_add_size(cap, sizeof(prefix), &size)) return NULL;
    prefix *block = tni_mem_alloc(mem, size, TNI_ALIGN);
    if (block == NULL) return NULL;
    block->mem = mem;
    block->size = size;
    return (uint8_t *)(block + 1);
}

void tni_body_release(void *p)
{
    if (p == NULL) return;
    prefix *block = (prefix *)p - 1;
    tni_mem_free(block->mem, block, block->size, TNI_ALIGN);
}

void tni_body_clear(tni_body *b)
{
    tni_body_release(b->p);
    *b = (tni_body){NULL, 0, 0};
}

bool tni_body_reserve(tni_body *b, tni_mem *mem, size_t cap)
{
    if (cap <= b->cap) return true;
    uint8_t *p = take(mem, cap);
    if (p == NULL) return false;
    if (b->len != 0) memcpy(p, b->p, b->len);
    tni_body_release(b->p);
    b->p = p;
    b->cap = cap;
    return true;
}

/* Room for `more` bytes and as many again, within `max`. */
static tn_status grow(tni_body *b, tni_mem *mem, size_t more, size_t max)
{
    size_t need = 0;
    if (b->len > max || more > max - b->len) return TN_ELIMIT;
    need = b->len + more;
    if (need <= b->cap) return TN_OK;
    size_t cap = b->cap < max / 2 ? b->cap * 2 : max;
    if (cap < FIRST_BYTES) cap = FIRST_BYTES < max ? FIRST_BYTES : max;
    if (cap < need) cap = need;
    return tni_body_reserve(b, mem, cap) ? TN_OK : TN_ENOMEM;
}

tn_status tni_body_append(tni_body *b, tni_mem *mem, const void *bytes,
                          size_t len, size_t max)
{
    if (len == 0) return TN_OK;
    TN_TRY(grow(b, mem, len, max));
    memcpy(b->p + b->len, bytes, len);
    b->len += len;
    return TN_OK;
}

tni_coding tni_coding_of(tni_span name)
{
    if (name.len == 0 || tni_span_is(name, "identity"))
        return TNI_CODING_IDENTITY;
    if (tni_span_is(name, "gzip") || tni_span_is(name, "x-gzip"))
        return TNI_CODING_GZIP;
    if (tni_span_is(name, "deflate")) return TNI_CODING_DEFLATE;
    return TNI_CODING_OTHER;
}

static uInt at_most(size_t n)
{
    return n < (1u << 30) ? (uInt)n : 1u << 30;
}

static tn_status inflate_all(z_stream *z, const tni_body *in, tni_body *out,
                             tni_mem *mem, size_t max, tn_err *err)
{
    size_t fed = 0;
    for (;;) {
        /* One byte beyond the limit tells "just full" from "too long". */
        const tn_status s = grow(out, mem, 1, max + 1);
        if (s == TN_ENOMEM)
            return tni_fail(err, s, "no memory left for the unpacked body");
        if (s != TN_OK || out->len > max)
            return tni_fail(err, TN_ELIMIT,
                            "the unpacked body is longer than %zu bytes", max);
        z->next_in = in->p + fed;
        z->avail_in = at_most(in->len - fed);
        z->next_out = out->p + out->len;
        z->avail_out = at_most(out->cap - out->len);
        const uInt had = z->avail_in, room = z->avail_out;
        const int e = inflate(z, Z_NO_FLUSH);
        fed += had - z->avail_in;
        out->len += room - z->avail_out;
        if (e == Z_STREAM_END && fed == in->len && out->len <= max)
            return TN_OK;
        if (e == Z_STREAM_END && fed != in->len)
            return tni_fail(err, TN_EFORMAT,
                            "%zu bytes behind the end of the packed body",
                            in->len - fed);
        if (e != Z_OK && e != Z_STREAM_END &&
            !(e == Z_BUF_ERROR && z->avail_out == 0))
            return tni_fail(err, e == Z_MEM_ERROR ? TN_ENOMEM : TN_EFORMAT,
                            "the packed body is broken at byte %zu of %zu", fed,
                            in->len);
    }
}

tn_status tni_body_unpack(tni_body *b, tni_mem *mem, tni_coding coding,
                          size_t max, tn_err *err)
{
    if (coding == TNI_CODING_IDENTITY || b->len == 0) return TN_OK;
    if (max == SIZE_MAX) max--;
    z_stream z;
    memset(&z, 0, sizeof z);
    /* A window of 32 KiB; 16 more stands for gzip's header and sum. */
    if (inflateInit2(&z, coding == TNI_CODING_GZIP ? 15 + 16 : 15) != Z_OK)
        return tni_fail(err, TN_ENOMEM, "no memory to unpack the body");
    tni_body out = {NULL, 0, 0};
    const tn_status s = inflate_all(&z, b, &out, mem, max, err);
    (void)inflateEnd(&z);
    if (s != TN_OK) {
        tni_body_clear(&out);
        return s;
    }
    tni_body_clear(b);
    *b = out;
    return TN_OK;
}
