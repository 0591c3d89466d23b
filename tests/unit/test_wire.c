/* SPDX-License-Identifier: Apache-2.0 */
/* test_wire.c - fields, repeated numbers, groups, broken bytes */
#include "harness/pb.h"
#include "base/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

static tni_wire over(const void *bytes, size_t size)
{
    tni_wire w;
    tni_err_clear(&err);
    tni_wire_init(&w, bytes, size, "Thing", 4, &err);
    return w;
}

static void reads_fields(void **state)
{
    (void)state;
    pb m = {0}, sub = {0};
    pb_int(&m, 1, -5);
    pb_float(&m, 2, 0.5f);
    pb_text(&m, 3, "abc");
    pb_int(&sub, 536870911, 7);
    pb_message(&m, 4, &sub);
    tni_wire w = over(m.bytes, m.size), in;
    tni_field f;
    bool more = false;
    int64_t i = 0;
    float x = 0;
    tni_bytes b;
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
    assert_true(more && f.number == 1);
    assert_int_equal(tni_wire_i64(&w, &f, &i), TN_OK);
    assert_int_equal(i, -5);
    assert_int_equal(tni_wire_bytes(&w, &f, &b), TN_EFORMAT);
    assert_non_null(strstr(err.message, "field 1 of Thing"));
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
    assert_int_equal(tni_wire_f32(&w, &f, &x), TN_OK);
    assert_true(x == 0.5f);
    assert_int_equal(tni_wire_i64(&w, &f, &i), TN_EFORMAT);
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
    assert_int_equal(tni_wire_bytes(&w, &f, &b), TN_OK);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.ptr, "abc", 3);
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
    assert_int_equal(tni_wire_enter(&w, &f, "Sub", &in), TN_OK);
    assert_int_equal(in.depth, 3);
    assert_int_equal(tni_wire_next(&in, &f, &more), TN_OK);
    assert_int_equal(f.number, 536870911);
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
    assert_false(more);
    pb_free(&m);
}

static void reads_repeated(void **state)
{
    (void)state;
    /* Packed 1, 300, then unpacked 2; packed floats; packed doubles. */
    static const uint8_t bytes[] = {
        0x0a, 3, 1, 0xac, 2,    0x08, 2, 0x12, 4, 0, 0, 0, 0x3f, 0x15,
        0,    0, 0, 0x40, 0x1a, 8,    0, 0,    0, 0, 0, 0, 0,    0x40};
    uint64_t v[8], d[2];
    uint32_t x[4];
    size_t n = 0, at = 0, nx = 0, ax = 0, nd = 0, ad = 0;
    tni_wire w = over(bytes, sizeof bytes);
    tni_field f;
    bool more = false;
    for (;;) {
        assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
        if (!more) break;
        if (f.number == 1) {
            assert_int_equal(tni_wire_count(&w, &f, TNI_WIRE_VARINT, &n),
                             TN_OK);
            assert_int_equal(tni_wire_read_varints(&w, &f, v, &at), TN_OK);
        } else if (f.number == 2) {
            assert_int_equal(tni_wire_count(&w, &f, TNI_WIRE_I32, &nx), TN_OK);
            assert_int_equal(tni_wire_read_i32s(&w, &f, x, &ax), TN_OK);
        } else {
            assert_int_equal(tni_wire_count(&w, &f, TNI_WIRE_I64, &nd), TN_OK);
            assert_int_equal(tni_wire_read_i64s(&w, &f, d, &ad), TN_OK);
        }
        assert_true(n == at && nx == ax && nd == ad);
    }
    assert_int_equal(n, 3);
    assert_int_equal(v[1], 300);
    assert_int_equal(v[2], 2);
    assert_int_equal(x[0], 0x3f000000);
    assert_int_equal(x[1], 0x40000000);
    assert_true(d[0] == UINT64_C(0x4000000000000000));
}

static void skips_groups(void **state)
{
    (void)state;
    /* Group 1 { group 2 { } field 3 = 1 }, then field 4 = 9. */
    static const uint8_t bytes[] = {0x0b, 0x13, 0x14, 0x18, 1, 0x0c, 0x20, 9};
    tni_wire w = over(bytes, sizeof bytes);
    tni_field f;
    bool more = false;
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
    assert_true(more && f.number == 4 && f.value == 9);

    static const uint8_t wrong[] = {0x0b, 0x14};
    w = over(wrong, sizeof wrong);
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_EFORMAT);
    static const uint8_t open[] = {0x0b, 0x18, 1};
    w = over(open, sizeof open);
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_EFORMAT);
    static const uint8_t closed[] = {0x0c};
    w = over(closed, sizeof closed);
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_EFORMAT);
    uint8_t bomb[1000];
    memset(bomb, 0x0b, sizeof bomb);
    w = over(bomb, sizeof bomb);
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_ELIMIT);
}

static void refuses_broken_bytes(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[14];
        size_t size;
        uint64_t offset;
    } bad[] = {
        {{0x08}, 1, 1},                         /* no value */
        {{0x08, 0x80}, 2, 2},                   /* varint cut */
        {{0x0d, 1, 2, 3}, 4, 1},                /* 32 bits cut */
        {{0x09, 1, 2, 3}, 4, 1},                /* 64 bits cut */
        {{0x10, 1, 0x0a, 5, 1}, 5, 2},          /* bytes cut */
        {{0x00, 1}, 2, 0},                      /* field 0 */
        {{0x0e, 1}, 2, 0},                      /* wire type 6 */
        {{0x80, 0x80, 0x80, 0x80, 0x10}, 5, 0}, /* field 2^29 */
        {{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2},
         11,
         1}, /* 65 bits */
        {{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
         11,
         0}, /* 2^64 - 1 bytes */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tni_wire w = over(bad[i].bytes, bad[i].size);
        tni_field f;
        bool more = true;
        tn_status status = TN_OK;
        while (status == TN_OK && more) status = tni_wire_next(&w, &f, &more);
        assert_int_equal(status, TN_EFORMAT);
        assert_int_equal(err.offset, bad[i].offset);
        assert_true(err.message[0] != '\0');
    }
}

static void bounds_nesting(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x0a, 0};
    tni_wire w = over(bytes, sizeof bytes), sub;
    tni_field f;
    bool more = false;
    w.depth = 0;
    assert_int_equal(tni_wire_next(&w, &f, &more), TN_OK);
    assert_int_equal(tni_wire_enter(&w, &f, "Sub", &sub), TN_ELIMIT);
    tni_wire empty = over(bytes, 0);
    assert_int_equal(tni_wire_next(&empty, &f, &more), TN_OK);
    assert_false(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(reads_repeated),
        cmocka_unit_test(skips_groups),
        cmocka_unit_test(refuses_broken_bytes),
        cmocka_unit_test(bounds_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
