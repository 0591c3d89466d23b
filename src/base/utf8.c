/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c - checking and making UTF-8 (Unicode 15, table 3-7) */
#include "base/utf8.h"

#include <string.h>

/* Length of the sequence at s, 0 when it is not well-formed. */
static size_t sequence(const unsigned char *s, size_t len)
{
    const unsigned c = s[0];
    if (c < 0x80) return 1;
    size_t n = 0;
    unsigned low = 0x80, high = 0xbf; /* of the second byte */
    if (c >= 0xc2 && c <= 0xdf) n = 2;
    if (c >= 0xe0 && c <= 0xef) n = 3;
    if (c >= 0xf0 && c <= 0xf4) n = 4;
    if (c == 0xe0) low = 0xa0;
    if (c == 0xed) high = 0x9f;
    if (c == 0xf0) low = 0x90;
    if (c == 0xf4) high = 0x8f;
    if (n == 0 || n > len || s[1] < low || s[1] > high) return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return n;
}

size_t tni_utf8_valid(const char *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint64_t word = 0;
        if (len - i >= 8) {
            memcpy(&word, s + i, 8);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += 8;
                continue;
            }
        }
        const size_t n = sequence((const unsigned char *)s + i, len - i);
        if (n == 0) return i;
        i += n;
    }
    return len;
}

size_t tni_utf8_put(char out[4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    const size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned first[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80u | (code & 0x3fu));
        code >>= 6;
    }
    out[0] = (char)(first[n] | code);
    return n;
}
