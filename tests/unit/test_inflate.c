/* SPDX-License-Identifier: Apache-2.0 */
/* test_inflate.c - the three block kinds, broken streams, the checksum */
#include "base/inflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

/* "hello hello hello hello" by zlib with fixed codes. */
static const uint8_t fixed_hello[] = {
    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0x01,
};

/* (i * i / 7) % 11 as letters, 600 of them, by zlib with dynamic codes. */
static const uint8_t dynamic_letters[] = {
    0xed, 0xcc, 0xc1, 0x0d, 0x00, 0x31, 0x08, 0x03, 0xc1, 0x5a, 0x8d, 0x2d,
    0x08, 0xa6, 0xff, 0xff, 0x11, 0xe9, 0xca, 0xc8, 0xbe, 0x47, 0x0b, 0x20,
    0xa8, 0x3c, 0x86, 0xca, 0xac, 0x51, 0xf3, 0xb0, 0xe5, 0x8c, 0x4e, 0xce,
    0x49, 0x05, 0xc6, 0xbd, 0x79, 0x10, 0xeb, 0x86, 0xd9, 0x91, 0xfe, 0xd9,
    0x14, 0x5d, 0x82, 0xd7, 0x31, 0x70, 0x7b, 0xb3, 0x37, 0xbb, 0xec, 0x03,
};

static void fixed_block(void **state)
{
    (void)state;
    char out[23];
    assert_int_equal(
        tni_inflate(out, sizeof out, fixed_hello, sizeof fixed_hello, &err),
        TN_OK);
    assert_memory_equal(out, "hello hello hello hello", 23);
}

static void dynamic_block(void **state)
{
    (void)state;
    char out[600];
    assert_int_equal(tni_inflate(out, sizeof out, dynamic_letters,
                                 sizeof dynamic_letters, &err),
                     TN_OK);
    for (int i = 0; i < 600; i++)
        assert_int_equal(out[i], 'a' + i * i / 7 % 11);
}

static void stored_blocks(void **state)
{
    (void)state;
    /* Two stored blocks, the first not the last, and bytes behind them. */
    static const uint8_t in[] = {0, 2, 0,    0xfd, 0xff, 'a', 'b', 1,
                                 1, 0, 0xfe, 0xff, 'c',  9,   9};
    char out[3];
    assert_int_equal(tni_inflate(out, 3, in, sizeof in, &err), TN_OK);
    assert_memory_equal(out, "abc", 3);
    assert_int_equal(tni_inflate(out, 2, in, sizeof in, &err), TN_EFORMAT);
    static const uint8_t bad[] = {1, 2, 0, 0xfc, 0xff, 'a', 'b'};
    assert_int_equal(tni_inflate(out, 2, bad, sizeof bad, &err), TN_EFORMAT);
    static const uint8_t nothing[] = {1, 0, 0, 0xff, 0xff};
    assert_int_equal(tni_inflate(out, 0, nothing, sizeof nothing, &err), TN_OK);
}

static void every_truncation_fails(void **state)
{
    (void)state;
    char out[600];
    for (size_t n = 0; n < sizeof dynamic_letters; n++) {
        tni_err_clear(&err);
        assert_int_equal(tni_inflate(out, sizeof out, dynamic_letters, n, &err),
                         TN_EFORMAT);
        assert_true(err.message[0] != '\0');
    }
    assert_int_equal(
        tni_inflate(out, 599, dynamic_letters, sizeof dynamic_letters, &err),
        TN_EFORMAT);
}

static void bit_flips_stay_inside(void **state)
{
    (void)state;
    uint8_t in[sizeof dynamic_letters];
    char out[600];
    for (size_t bit = 0; bit < 8 * sizeof in; bit++) {
        memcpy(in, dynamic_letters, sizeof in);
        in[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const tn_status status =
            tni_inflate(out, sizeof out, in, sizeof in, &err);
        assert_true(status == TN_OK || status == TN_EFORMAT);
    }
}

static void checksum(void **state)
{
    (void)state;
    assert_true(tni_crc32(0, "123456789", 9) == 0xcbf43926u);
    assert_true(tni_crc32(tni_crc32(0, "1234", 4), "56789", 5) == 0xcbf43926u);
    assert_true(tni_crc32(0, "", 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_block),
        cmocka_unit_test(dynamic_block),
        cmocka_unit_test(stored_blocks),
        cmocka_unit_test(every_truncation_fails),
        cmocka_unit_test(bit_flips_stay_inside),
        cmocka_unit_test(checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
