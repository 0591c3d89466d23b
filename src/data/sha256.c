/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c - SHA-256 of bytes (FIPS 180-4, section 6.2) */
#include "data/sha256.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 64 };

/* Fractional parts of the cube roots of the first 64 primes. */
static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t v, int n)
{
    return v >> n | v << (32 - n);
}

/* One round; the eight words move by one place, so that the caller names them
 * anew instead. */
static inline void turn_words(uint32_t s[8], int i, uint32_t word)
{
    const int a = (8 - i) & 7, e = (a + 4) & 7;
    const uint32_t va = s[a], ve = s[e];
    const uint32_t t1 = s[(a + 7) & 7] +
                        (turn(ve, 6) ^ turn(ve, 11) ^ turn(ve, 25)) +
                        ((ve & s[(a + 5) & 7]) ^ (~ve & s[(a + 6) & 7])) + word;
    const uint32_t b = s[(a + 1) & 7], c = s[(a + 2) & 7];
    s[(a + 3) & 7] += t1;
    s[(a + 7) & 7] = t1 + (turn(va, 2) ^ turn(va, 13) ^ turn(va, 22)) +
                     ((va & b) ^ (va & c) ^ (b & c));
}

static void add_block(uint32_t h[8], const uint8_t *p)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
               (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        const uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] +
               (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < 64; i += 8) {
        turn_words(s, 0, k[i] + w[i]);
        turn_words(s, 1, k[i + 1] + w[i + 1]);
        turn_words(s, 2, k[i + 2] + w[i + 2]);
        turn_words(s, 3, k[i + 3] + w[i + 3]);
        turn_words(s, 4, k[i + 4] + w[i + 4]);
        turn_words(s, 5, k[i + 5] + w[i + 5]);
        turn_words(s, 6, k[i + 6] + w[i + 6]);
        turn_words(s, 7, k[i + 7] + w[i + 7]);
    }
    for (int i = 0; i < 8; i++) h[i] += s[i];
}

void tni_sha256_hex(char out[65], const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t last[2 * BLOCK];
    const uint8_t *p = bytes;
    size_t left = size;
    for (; left >= BLOCK; left -= BLOCK, p += BLOCK) add_block(h, p);
    memset(last, 0, sizeof last);
    if (left > 0) memcpy(last, p, left);
    last[left] = 0x80;
    const size_t end = left < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    const uint64_t bits = (uint64_t)size * 8;
    for (int i = 0; i < 8; i++)
        last[end - 1 - (size_t)i] = (uint8_t)(bits >> 8 * i);
    for (size_t i = 0; i < end; i += BLOCK) add_block(h, last + i);
    for (int i = 0; i < 64; i++)
        out[i] = digits[h[i / 8] >> (28 - 4 * (i % 8)) & 15];
    out[64] = '\0';
}
