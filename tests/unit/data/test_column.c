/* SPDX-License-Identifier: Apache-2.0 */
/* test_column.c - sparse tables: values by key, whatever the order they came */
#include "data/column.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static tni_mem mem;
static tni_sparse s;

static void put(uint32_t key, uint32_t value)
{
    uint32_t *v = tni_sparse_add(&s, key);
    assert_non_null(v);
    *v = value;
}

static uint32_t get(uint32_t key, uint32_t k)
{
    const uint32_t *v = tni_sparse_find(&s, key, k);
    return v != NULL ? *v : UINT32_MAX;
}

static void every_key_has_one(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3000; i++) put(i, i + 7);
    assert_true(s.dense);
    for (uint32_t i = 0; i < 3000; i++) assert_int_equal(get(i, 0), i + 7);
    assert_int_equal(get(3000, 0), UINT32_MAX);
    assert_int_equal(get(0, 1), UINT32_MAX);
    assert_int_equal(get(2999, 1), UINT32_MAX);
}

static void a_key_without(void **state)
{
    (void)state;
    put(0, 1);
    put(2, 3);
    put(3, 4);
    assert_false(s.dense);
    assert_int_equal(get(0, 0), 1);
    assert_int_equal(get(1, 0), UINT32_MAX);
    assert_int_equal(get(2, 0), 3);
    assert_int_equal(get(3, 0), 4);
    assert_int_equal(get(4, 0), UINT32_MAX);
}

static void a_key_with_two(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) put(i, i);
    put(2, 22);
    put(3, 3);
    assert_int_equal(get(2, 0), 2);
    assert_int_equal(get(2, 1), 22);
    assert_int_equal(get(2, 2), UINT32_MAX);
    assert_int_equal(get(3, 0), 3);
    assert_int_equal(get(1, 1), UINT32_MAX);
}

/* Late ones are there once they are sorted in, and then it may be dense. */
static void late_and_forgotten(void **state)
{
    (void)state;
    put(0, 0);
    put(2, 2);
    put(1, 1);
    assert_int_equal(get(0, 0), 0);
    assert_int_equal(get(2, 0), 2);
    assert_true(tni_sparse_sort(&s));
    assert_true(s.dense);
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(get(i, 0), i);
    assert_true(tni_sparse_forget(&s, 1));
    assert_true(tni_sparse_sort(&s));
    assert_false(s.dense);
    assert_int_equal(get(1, 0), UINT32_MAX);
    assert_int_equal(get(2, 0), 2);
    static const uint32_t to[3] = {1, 2, 0};
    assert_true(tni_sparse_rekey(&s, to));
    assert_true(s.dense);
    assert_int_equal(get(0, 0), 2);
    assert_int_equal(get(1, 0), 0);
    tni_sparse_clear(&s);
    assert_true(s.dense);
    assert_int_equal(get(0, 0), UINT32_MAX);
    put(5, 5);
    assert_int_equal(get(5, 0), 5);
}

static int set_up(void **state)
{
    (void)state;
    tni_mem_init(&mem, NULL, 0);
    tni_sparse_init(&s, &mem, sizeof(uint32_t));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tni_sparse_fini(&s);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_key_has_one),
        TEST(a_key_without),
        TEST(a_key_with_two),
        TEST(late_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
