/* SPDX-License-Identifier: Apache-2.0 */
/* tfrecord.c - the framing of TFRecord files */
#include "data/tfrecord.h"

#include "base/checked.h"

#include <string.h>

/* length, its checksum, and the checksum behind the data */
enum { HEAD = 12, TAIL = 4 };

static uint32_t masked(const void *bytes, size_t size)
{
    const uint32_t crc = tni_crc32c(0, bytes, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint64_t le(const uint8_t *p, int n)
{
    uint64_t v = 0;
    for (int i = n; i-- > 0;) v = v << 8 | p[i];
    return v;
}

static void put_le(uint8_t *p, uint64_t v, int n)
{
    for (int i = 0; i < n; i++, v >>= 8) p[i] = (uint8_t)v;
}

void tni_tfrecord_init(tni_tfrecord *r, const void *bytes, size_t size,
                       tn_err *err)
{
    r->bytes = bytes;
    r->size = size;
    r->at = 0;
    r->err = err;
}

bool tni_tfrecord_begins(const void *bytes, size_t size)
{
    return size >= HEAD &&
           masked(bytes, 8) == le((const uint8_t *)bytes + 8, 4);
}

tn_status tni_tfrecord_next(tni_tfrecord *r, tni_bytes *record, bool *more)
{
    const size_t left = r->size - r->at;
    *more = false;
    if (left == 0) return TN_OK;
    const uint8_t *p = r->bytes + r->at;
    if (left < HEAD)
        return tni_fail_at(r->err, TN_EFORMAT, r->size,
                           "the file ends inside the head of a record at byte "
                           "%zu; it is cut short",
                           r->at);
    if (masked(p, 8) != le(p + 8, 4))
        return tni_fail_at(r->err, TN_EFORMAT, r->at,
                           "the checksum of a record's length is wrong; this "
                           "is no TFRecord file, or it is damaged%s",
                           p[0] == 0x1f && p[1] == 0x8b
                               ? " (it looks compressed: unpack it first)"
                               : "");
    const uint64_t size = le(p, 8);
    if (size > left - HEAD || left - HEAD - size < TAIL)
        return tni_fail_at(r->err, TN_EFORMAT, r->at,
                           "a record of %llu bytes, but only %zu follow; the "
                           "file is cut short",
                           (unsigned long long)size, left - HEAD);
    record->p = p + HEAD;
    record->size = (size_t)size;
    if (masked(record->p, record->size) != le(record->p + size, 4))
        return tni_fail_at(r->err, TN_EFORMAT, r->at + HEAD,
                           "the checksum of a record of %zu bytes is wrong; "
                           "the file is damaged",
                           record->size);
    r->at += HEAD + record->size + TAIL;
    *more = true;
    return TN_OK;
}

tn_status tni_tfrecord_put(const tni_byte_sink *sink, const void *bytes,
                           size_t size, tn_err *err)
{
    uint8_t head[HEAD], tail[TAIL];
    put_le(head, size, 8);
    put_le(head + 8, masked(head, 8), 4);
    put_le(tail, masked(bytes, size), 4);
    TN_TRY(sink->write(sink->ctx, head, sizeof head, err));
    if (size > 0) TN_TRY(sink->write(sink->ctx, bytes, size, err));
    return sink->write(sink->ctx, tail, sizeof tail, err);
}
