/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.c - decompressing a whole DEFLATE stream
 *
 * Canonical Huffman codes by a table of the first nine bits; longer codes go
 * on bit by bit through the counts per length. The bit buffer holds up to 64
 * bits and is refilled bytewise; past the end it reads zeros, which are
 * counted, so that a cut stream is noticed and never read beyond.
 */
#include "base/inflate.h"

#include <stdbool.h>
#include <string.h>

enum { max_bits = 15, fast_bits = 9, max_symbols = 288 };

typedef struct huffman {
    /* By the next nine bits: symbol << 4 | length; 0: a longer code. */
    uint16_t fast[1 << fast_bits];
    uint16_t count[max_bits + 1]; /* codes of each length */
    uint16_t symbol[max_symbols]; /* in order of their codes */
} huffman;

typedef struct stream {
    const uint8_t *from, *at, *end;
    uint64_t bits;
    unsigned n_bits;
    unsigned n_padding; /* bits that were not in the stream */
    uint8_t *to;
    size_t used, size;
    tn_err *err;
    huffman literals, distances;
} stream;

static tn_status fail(const stream *s, const char *what)
{
    return tni_fail_at(s->err, TN_EFORMAT, (uint64_t)(s->at - s->from),
                       "the compressed data is broken: %s", what);
}

static void refill(stream *s)
{
    while (s->n_bits <= 56) {
        if (s->at < s->end)
            s->bits |= (uint64_t)*s->at++ << s->n_bits;
        else
            s->n_padding += 8;
        s->n_bits += 8;
    }
}

/* True when bits were used that the stream does not have. */
static bool overran(const stream *s)
{
    return s->n_padding > s->n_bits;
}

/* n up to 32, with that many in the buffer. */
static unsigned take(stream *s, unsigned n)
{
    const unsigned v = (unsigned)(s->bits & (((uint64_t)1 << n) - 1));
    s->bits >>= n;
    s->n_bits -= n;
    return v;
}

/* Builds the decoding tables; false when the lengths describe no code. A
 * single code of length one is allowed to be incomplete. */
static bool build(huffman *h, const uint8_t *lengths, unsigned n)
{
    uint16_t offset[max_bits + 1], next[max_bits + 1];
    memset(h, 0, sizeof *h);
    for (unsigned i = 0; i < n; i++) h->count[lengths[i]]++;
    const unsigned n_codes = n - h->count[0];
    h->count[0] = 0;
    int left = 1;
    for (unsigned len = 1; len <= max_bits; len++) {
        left = left * 2 - (int)h->count[len];
        if (left < 0) return false;
    }
    if (left > 0 && n_codes > 1) return false;
    offset[1] = 0;
    next[1] = 0;
    for (unsigned len = 1; len < max_bits; len++) {
        offset[len + 1] = (uint16_t)(offset[len] + h->count[len]);
        next[len + 1] = (uint16_t)((next[len] + h->count[len]) << 1);
    }
    for (unsigned i = 0; i < n; i++) {
        const unsigned len = lengths[i];
        if (len == 0) continue;
        h->symbol[offset[len]++] = (uint16_t)i;
        const unsigned code = next[len]++;
        if (len > fast_bits) continue;
        /* Codes come with their first bit lowest: reverse, then repeat over
         * all values of the bits that follow. */
        unsigned reversed = 0;
        for (unsigned b = 0; b < len; b++)
            reversed |= ((code >> b) & 1u) << (len - 1 - b);
        for (unsigned k = reversed; k < 1u << fast_bits; k += 1u << len)
            h->fast[k] = (uint16_t)(i << 4 | len);
    }
    return true;
}

/* The next symbol, -1 when the bits are no code. Needs 15 bits. */
static int decode(stream *s, const huffman *h)
{
    const unsigned entry = h->fast[s->bits & ((1u << fast_bits) - 1)];
    if (entry != 0) {
        (void)take(s, entry & 15u);
        return (int)(entry >> 4);
    }
    int code = 0, first = 0, index = 0;
    for (unsigned len = 1; len <= max_bits; len++) {
        code |= (int)((s->bits >> (len - 1)) & 1u);
        const int count = h->count[len];
        if (code - count < first) {
            (void)take(s, len);
            return h->symbol[index + (code - first)];
        }
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return -1;
}

static tn_status stored_block(stream *s)
{
    (void)take(s, s->n_bits & 7u);
    refill(s);
    const unsigned len = take(s, 16), check = take(s, 16);
    if (overran(s) || len != (check ^ 0xffffu))
        return fail(s, "a stored block has a wrong length");
    /* Hand back the whole bytes that the buffer read ahead. */
    const unsigned ahead = (s->n_bits - s->n_padding) / 8;
    s->at -= ahead;
    s->bits = 0;
    s->n_bits = s->n_padding = 0;
    if ((size_t)(s->end - s->at) < len) return fail(s, "it ends too early");
    if (s->size - s->used < len) return fail(s, "it is longer than stated");
    memcpy(s->to + s->used, s->at, len);
    s->used += len;
    s->at += len;
    return TN_OK;
}

static tn_status coded_block(stream *s)
{
    static const uint16_t length_base[29] = {
        3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
        31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t length_extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
                                             1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
                                             4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t distance_base[30] = {
        1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
        33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
        1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    static const uint8_t distance_extra[30] = {
        0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
        6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
    for (;;) {
        refill(s);
        const int symbol = decode(s, &s->literals);
        if (symbol < 0) return fail(s, "a literal code does not exist");
        if (overran(s)) return fail(s, "it ends too early");
        if (symbol < 256) {
            if (s->used == s->size) return fail(s, "it is longer than stated");
            s->to[s->used++] = (uint8_t)symbol;
            continue;
        }
        if (symbol == 256) return TN_OK;
        const int li = symbol - 257;
        if (li >= 29) return fail(s, "a length code does not exist");
        /* At most 15 + 5 + 15 + 13 = 48 bits: one refill is enough. */
        const size_t len = length_base[li] + take(s, length_extra[li]);
        const int di = decode(s, &s->distances);
        if (di < 0 || di >= 30)
            return fail(s, "a distance code does not exist");
        const size_t dist = distance_base[di] + take(s, distance_extra[di]);
        if (overran(s)) return fail(s, "it ends too early");
        if (dist > s->used) return fail(s, "a match begins before the start");
        if (len > s->size - s->used) return fail(s, "it is longer than stated");
        uint8_t *to = s->to + s->used;
        const uint8_t *from = to - dist;
        for (size_t i = 0; i < len; i++) to[i] = from[i]; /* may overlap */
        s->used += len;
    }
}

static tn_status fixed_codes(stream *s)
{
    uint8_t lengths[max_symbols];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    if (!build(&s->literals, lengths, 288)) return fail(s, "no fixed code");
    memset(lengths, 5, 32);
    if (!build(&s->distances, lengths, 32)) return fail(s, "no fixed code");
    return TN_OK;
}

static tn_status dynamic_codes(stream *s)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[max_symbols + 32];
    refill(s);
    const unsigned n_lit = take(s, 5) + 257, n_dist = take(s, 5) + 1;
    const unsigned n_len = take(s, 4) + 4;
    if (n_lit > 286 || n_dist > 30)
        return fail(s, "a block declares too many codes");
    memset(lengths, 0, 19);
    for (unsigned i = 0; i < n_len; i++) {
        refill(s);
        lengths[order[i]] = (uint8_t)take(s, 3);
    }
    if (!build(&s->literals, lengths, 19))
        return fail(s, "the code of the code lengths is impossible");
    unsigned n = 0;
    while (n < n_lit + n_dist) {
        refill(s);
        const int symbol = decode(s, &s->literals);
        if (symbol < 0 || overran(s))
            return fail(s, "a code length does not exist");
        if (symbol < 16) {
            lengths[n++] = (uint8_t)symbol;
            continue;
        }
        uint8_t value = 0;
        unsigned repeat = 0;
        if (symbol == 16) {
            if (n == 0) return fail(s, "a repeat has nothing to repeat");
            value = lengths[n - 1];
            repeat = 3 + take(s, 2);
        } else {
            repeat = symbol == 17 ? 3 + take(s, 3) : 11 + take(s, 7);
        }
        if (repeat > n_lit + n_dist - n)
            return fail(s, "a repeat goes past the last code");
        memset(lengths + n, value, repeat);
        n += repeat;
    }
    if (lengths[256] == 0) return fail(s, "a block cannot end");
    if (!build(&s->literals, lengths, n_lit) ||
        !build(&s->distances, lengths + n_lit, n_dist))
        return fail(s, "a block declares an impossible code");
    return TN_OK;
}

static tn_status run(stream *s, void *to, size_t to_size, const void *from,
                     size_t from_size, tn_err *err)
{
    s->from = s->at = from;
    s->end = s->at + from_size;
    s->bits = 0;
    s->n_bits = s->n_padding = 0;
    s->to = to;
    s->used = 0;
    s->size = to_size;
    s->err = err;
    bool last = false;
    while (!last) {
        refill(s);
        last = take(s, 1) != 0;
        const unsigned type = take(s, 2);
        if (overran(s)) return fail(s, "it ends too early");
        if (type == 0) {
            TN_TRY(stored_block(s));
            continue;
        }
        if (type == 3) return fail(s, "a block has type 3");
        TN_TRY(type == 1 ? fixed_codes(s) : dynamic_codes(s));
        TN_TRY(coded_block(s));
    }
    return TN_OK;
}

tn_status tni_inflate(void *to, size_t to_size, const void *from,
                      size_t from_size, tn_err *err)
{
    stream s;
    TN_TRY(run(&s, to, to_size, from, from_size, err));
    if (s.used != s.size)
        return tni_fail_at(err, TN_EFORMAT, (uint64_t)(s.at - s.from),
                           "the compressed data holds %zu bytes; expected %zu",
                           s.used, s.size);
    return TN_OK;
}

tn_status tni_inflate_upto(void *to, size_t to_size, size_t *used,
                           const void *from, size_t from_size, tn_err *err)
{
    stream s;
    TN_TRY(run(&s, to, to_size, from, from_size, err));
    *used = s.used;
    return TN_OK;
}

size_t tni_inflate_head(void *to, size_t to_size, const void *from,
                        size_t from_size)
{
    stream s;
    (void)!run(&s, to, to_size, from, from_size, NULL);
    return s.used;
}
