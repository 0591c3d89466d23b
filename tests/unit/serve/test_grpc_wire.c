/* SPDX-License-Identifier: Apache-2.0 */
/* test_grpc_wire.c - gRPC's messages and metadata as bytes */
#include "serve/grpc_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void messages_cut_apart(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 0, 0, 0, 3, 'a', 'b', 'c', 0,  0,
                                    0, 0, 0, 0, 0, 0,   0,   1,   'd'};
    static const char *const want[] = {"abc", "", "d"};
    for (size_t step = 1; step <= sizeof bytes; step++) {
        tni_mem mem;
        tni_mem_init(&mem, NULL, 0);
        tni_grpc_reader r = {.max = 10};
        size_t n = 0;
        for (size_t at = 0; at < sizeof bytes;) {
            size_t used = 0;
            const size_t k =
                sizeof bytes - at < step ? sizeof bytes - at : step;
            const tni_grpc_step s =
                tni_grpc_reader_feed(&r, &mem, bytes + at, k, &used);
            assert_int_not_equal(s, TNI_GRPC_BAD);
            at += used;
            if (s != TNI_GRPC_MESSAGE) continue;
            assert_int_equal(r.body.len, strlen(want[n]));
            if (r.body.len != 0) {
                assert_memory_equal(r.body.p, want[n], r.body.len);
                assert_int_equal((uintptr_t)r.body.p % 64, 0);
            }
            n++;
            tni_grpc_reader_next(&r);
        }
        assert_int_equal(n, 3);
        assert_false(tni_grpc_reader_inside(&r));
        tni_grpc_reader_fini(&r);
        assert_int_equal(mem.used_bytes, 0);
    }
}

/* What is read to where the message goes on is not copied. */
static void bytes_in_place(void **state)
{
    (void)state;
    tni_mem mem;
    tni_mem_init(&mem, NULL, 0);
    tni_grpc_reader r = {.max = 10};
    uint8_t *at = NULL;
    size_t used = 0;
    assert_int_equal(tni_grpc_reader_room(&r, &at), 0);
    assert_int_equal(tni_grpc_reader_feed(
                         &r, &mem, (const uint8_t *)"\0\0\0\0\4a", 6, &used),
                     TNI_GRPC_MORE);
    assert_int_equal(tni_grpc_reader_room(&r, &at), 3);
    memcpy(at, "bcd", 3);
    assert_int_equal(tni_grpc_reader_feed(&r, &mem, at, 3, &used),
                     TNI_GRPC_MESSAGE);
    assert_int_equal(used, 3);
    assert_memory_equal(r.body.p, "abcd", 4);
    tni_grpc_reader_fini(&r);
    assert_int_equal(mem.used_bytes, 0);
}

static void bad_messages(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        tni_coding coding;
        int status;
        const char *part;
    } cases[] = {
        {"\2\0\0\0\0", 5, TNI_CODING_IDENTITY, 13, "flags"},
        {"\1\0\0\0\0", 5, TNI_CODING_IDENTITY, 13, "grpc-encoding"},
        {"\0\0\0\0\13", 5, TNI_CODING_IDENTITY, 8, "limit"},
        {"\0\xff\xff\xff\xff", 5, TNI_CODING_GZIP, 8, "limit"},
        {"\0\0\0\0\12", 5, TNI_CODING_GZIP, 8, "try again"},
        {"\1\0\0\0\1x", 6, TNI_CODING_GZIP, 13, "packed"},
        /* Cut off in the middle. */
        {"\1\0\0\0\12\x78\x9c\xcb\x48\xcd\xc9\xc9\x57\xc8\x40", 15,
         TNI_CODING_DEFLATE, 13, "packed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bool tight = strcmp(cases[i].part, "try again") == 0;
        tni_mem mem;
        tni_mem_init(&mem, NULL, tight ? 8 : 0);
        tni_grpc_reader r = {.coding = cases[i].coding, .max = 10};
        size_t used = 0;
        assert_int_equal(tni_grpc_reader_feed(&r, &mem,
                                              (const uint8_t *)cases[i].bytes,
                                              cases[i].size, &used),
                         TNI_GRPC_BAD);
        assert_int_equal(r.status, cases[i].status);
        assert_non_null(strstr(r.reason, cases[i].part));
        tni_grpc_reader_fini(&r);
        assert_int_equal(mem.used_bytes, 0);
    }
}

/* What unpacks to 17 bytes, with room for one less and for just as many. */
static void packed_messages_and_bombs(void **state)
{
    (void)state;
    static const uint8_t zl[] = {1,    0,    0,    0,    16,   0x78, 0x9c,
                                 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8,
                                 0x40, 0x90, 0x00, 0x3a, 0x2e, 0x06, 0x7d};
    for (size_t max = 16; max <= 17; max++) {
        tni_mem mem;
        tni_mem_init(&mem, NULL, 0);
        tni_grpc_reader r = {.coding = TNI_CODING_DEFLATE, .max = max};
        size_t used = 0;
        const tni_grpc_step s =
            tni_grpc_reader_feed(&r, &mem, zl, sizeof zl, &used);
        assert_int_equal(s, max == 17 ? TNI_GRPC_MESSAGE : TNI_GRPC_BAD);
        if (s == TNI_GRPC_MESSAGE) {
            assert_int_equal(r.body.len, 17);
            assert_memory_equal(r.body.p, "hello hello hello", 17);
        } else {
            assert_int_equal(r.status, TNI_GRPC_WIRE_EXHAUSTED);
        }
        tni_grpc_reader_fini(&r);
        assert_int_equal(mem.used_bytes, 0);
    }
}

static void prefixes(void **state)
{
    (void)state;
    uint8_t out[TNI_GRPC_PREFIX];
    assert_true(tni_grpc_prefix(out, 0x01020304));
    assert_memory_equal(out, "\0\1\2\3\4", 5);
    assert_true(tni_grpc_prefix(out, UINT32_MAX));
    assert_false(tni_grpc_prefix(out, (uint64_t)UINT32_MAX + 1));
}

static void timeouts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {
        {"0n", 0},
        {"1n", 1},
        {"2u", 2000},
        {"1500m", 1500000000u},
        {"3S", 3000000000u},
        {"4M", 240000000000u},
        {"5H", 18000000000000u},
        {"99999999M", 99999999u * (uint64_t)60000000000u},
        {"99999999H", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t ns = 7;
        assert_true(tni_grpc_timeout(tni_span_of(good[i].text), &ns));
        assert_true(ns == good[i].ns);
    }
    static const char *const wrong[] = {
        "", "S", "1", "1s", "-1S", "1.5S", " 1S", "1 S", "123456789S", "1Sm"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t ns = 0;
        assert_false(tni_grpc_timeout(tni_span_of(wrong[i]), &ns));
    }
}

static void notes(void **state)
{
    (void)state;
    char out[TNI_GRPC_MAX_NOTE * 3];
    const size_t n = tni_grpc_note(out, "100% \xc3\xa9\r\n~");
    assert_int_equal(n, 20);
    assert_memory_equal(out, "100%25 %C3%A9%0D%0A~", 20);
}

static void long_notes(void **state)
{
    (void)state;
    char out[TNI_GRPC_MAX_NOTE * 3], text[TNI_GRPC_MAX_NOTE * 2];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(tni_grpc_note(out, text), TNI_GRPC_MAX_NOTE);
    memcpy(text + TNI_GRPC_MAX_NOTE - 1, "\xe2\x82\xac", 3);
    assert_int_equal(tni_grpc_note(out, text), TNI_GRPC_MAX_NOTE - 1);
}

static void kinds_and_codes(void **state)
{
    (void)state;
    assert_true(tni_grpc_content_type(tni_span_of("application/grpc")));
    assert_true(tni_grpc_content_type(tni_span_of("application/grpc+proto")));
    assert_true(tni_grpc_content_type(tni_span_of("application/grpc;x=y")));
    assert_false(tni_grpc_content_type(tni_span_of("application/grpc-web")));
    assert_false(tni_grpc_content_type(tni_span_of("application/json")));
    static const int pairs[][2] = {{200, 0},  {400, 13}, {401, 16}, {403, 7},
                                   {404, 12}, {413, 8},  {429, 14}, {503, 14},
                                   {504, 14}, {500, 2},  {418, 2}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_int_equal(tni_grpc_of_http(pairs[i][0]), pairs[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_cut_apart),
        cmocka_unit_test(bytes_in_place),
        cmocka_unit_test(bad_messages),
        cmocka_unit_test(packed_messages_and_bombs),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(timeouts),
        cmocka_unit_test(notes),
        cmocka_unit_test(long_notes),
        cmocka_unit_test(kinds_and_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
