/* SPDX-License-Identifier: Apache-2.0 */
/* json_out.c - text collected in a buffer; JSON strings and numbers */
#include "base/json.h"
#include "base/num.h"
#include "base/utf8.h"

void tni_out_init(tni_out *o, tni_sink sink, void *ctx, tn_err *err)
{
    o->sink = sink;
    o->ctx = ctx;
    o->err = err;
    o->status = TN_OK;
    o->written = 0;
    o->used = 0;
}

tn_status tni_out_flush(tni_out *o)
{
    if (o->status == TN_OK && o->used > 0)
        o->status = o->sink(o->ctx, o->buffer, o->used, o->err);
    o->written += o->used;
    o->used = 0;
    return o->status;
}

void tni_out_bytes(tni_out *o, const void *bytes, size_t size)
{
    if (size > sizeof o->buffer - o->used) (void)!tni_out_flush(o);
    if (size > sizeof o->buffer) {
        if (o->status == TN_OK)
            o->status = o->sink(o->ctx, bytes, size, o->err);
        o->written += size;
        return;
    }
    if (size > 0) memcpy(o->buffer + o->used, bytes, size);
    o->used += size;
}

void tni_out_char(tni_out *o, char c)
{
    if (o->used == sizeof o->buffer) (void)!tni_out_flush(o);
    o->buffer[o->used++] = c;
}

void tni_out_str(tni_out *o, const char *s)
{
    tni_out_bytes(o, s, strlen(s));
}

void tni_out_i64(tni_out *o, int64_t v)
{
    char text[24];
    size_t at = sizeof text;
    uint64_t mag = v < 0 ? 0u - (uint64_t)v : (uint64_t)v;
    do {
        text[--at] = (char)('0' + (int)(mag % 10));
        mag /= 10;
    } while (mag != 0);
    if (v < 0) text[--at] = '-';
    tni_out_bytes(o, text + at, sizeof text - at);
}

enum { NUMBER = 40 }; /* bytes that are enough for any */

/* Where a number can be written in place; NULL: not finite. */
static char *room_for(tni_out *o, double v)
{
    if (!(v - v == 0.0)) {
        if (o->status == TN_OK)
            o->status = tni_fail(o->err, TN_EINVAL,
                                 "a number is not finite: JSON cannot hold it");
        return NULL;
    }
    if (sizeof o->buffer - o->used < NUMBER) (void)!tni_out_flush(o);
    return o->buffer + o->used;
}

void tni_out_f64(tni_out *o, double v)
{
    char *at = room_for(o, v);
    if (at != NULL) o->used += tni_num_shortest(at, NUMBER, v);
}

void tni_out_fixed(tni_out *o, double v, int decimals)
{
    char *at = room_for(o, v);
    if (at != NULL) o->used += tni_num_fixed(at, NUMBER, v, decimals);
}

void tni_out_fixed_list(tni_out *o, const double *v, size_t n, int decimals)
{
    for (size_t i = 0; i < n; i++) {
        char *at = room_for(o, v[i]);
        if (at == NULL) return;
        at[0] = ' ';
        o->used += 1 + tni_num_fixed(at + 1, NUMBER - 1, v[i], decimals);
    }
}

void tni_out_json(tni_out *o, const char *s, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    const size_t good = tni_utf8_valid(s, len);
    if (good != len) {
        if (o->status == TN_OK)
            o->status = tni_fail(o->err, TN_EINVAL,
                                 "the text '%.60s' is not UTF-8 at its byte "
                                 "%zu: JSON cannot hold it; rename it",
                                 s, good);
        return;
    }
    tni_out_char(o, '"');
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        tni_out_bytes(o, s + from, i - from);
        from = i + 1;
        tni_out_char(o, '\\');
        if (c == '"' || c == '\\') {
            tni_out_char(o, (char)c);
        } else if (c == '\n') {
            tni_out_char(o, 'n');
        } else if (c == '\t') {
            tni_out_char(o, 't');
        } else {
            tni_out_str(o, "u00");
            tni_out_char(o, hex[c >> 4]);
            tni_out_char(o, hex[c & 15]);
        }
    }
    tni_out_bytes(o, s + from, len - from);
    tni_out_char(o, '"');
}
