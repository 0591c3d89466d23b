/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - bytes as text (RFC 4648) */
#include "data/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                               "uvwxyz0123456789+/";

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

tn_status tni_base64_read(tni_span *out, tni_arena *arena, tni_span text,
                          tn_err *err)
{
    unsigned char *bytes = tni_arena_alloc(arena, text.len / 4 * 3 + 3, 1);
    if (bytes == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    size_t n = 0, digits = 0, pads = 0;
    uint32_t word = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.p[i];
        if (c == '\n' || c == '\r') continue;
        /* JSON escapes line breaks and may escape slashes. */
        if (c == '\\' && i + 1 < text.len &&
            strchr("nr/", text.p[i + 1]) != NULL) {
            if (text.p[i + 1] != '/') i++;
            continue;
        }
        const int v = value_of(c);
        if (c == '=' && pads < 2) {
            pads++;
            continue;
        }
        if (v < 0 || pads > 0)
            return tni_fail(err, TN_EFORMAT,
                            "base64 is broken at its character %zu", i);
        word = word << 6 | (uint32_t)v;
        if (++digits % 4 != 0) continue;
        bytes[n++] = (unsigned char)(word >> 16);
        bytes[n++] = (unsigned char)(word >> 8 & 255);
        bytes[n++] = (unsigned char)(word & 255);
        word = 0;
    }
    if (digits % 4 == 1 || (pads > 0 && (digits + pads) % 4 != 0))
        return tni_fail(err, TN_EFORMAT, "base64 ends too early");
    if (digits % 4 == 2) bytes[n++] = (unsigned char)(word >> 4);
    if (digits % 4 == 3) {
        bytes[n++] = (unsigned char)(word >> 10);
        bytes[n++] = (unsigned char)(word >> 2 & 255);
    }
    out->p = (const char *)bytes;
    out->len = n;
    return TN_OK;
}

void tni_base64_write(tni_out *o, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t word = (uint32_t)p[i] << 16 |
                              (left > 1 ? (uint32_t)p[i + 1] << 8 : 0u) |
                              (left > 2 ? (uint32_t)p[i + 2] : 0u);
        tni_out_char(o, alphabet[word >> 18]);
        tni_out_char(o, alphabet[word >> 12 & 63]);
        tni_out_char(o, left > 1 ? alphabet[word >> 6 & 63] : '=');
        tni_out_char(o, left > 2 ? alphabet[word & 63] : '=');
    }
}
