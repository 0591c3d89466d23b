/* SPDX-License-Identifier: Apache-2.0 */
/* test_yaml_tree.c - bombs stay small, broken text gets its line */
#include "data/yaml_tree.h"
#include "harness/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;
static tni_mem mem;
static tni_arena arena;

static int begin(void **state)
{
    (void)state;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1024);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tni_arena_fini(&arena);
    return 0;
}

static void texts_stay_texts(void **state)
{
    (void)state;
    tni_yaml *r = NULL;
    size_t len = 0;
    int64_t n = 0;
    assert_int_equal(
        tni_yaml_read(&r,
                      tni_span_of("nc: 2\nnames: {0: no, 1: 'null', 2: on}\n"
                                  "x: [1.0, 0x1f, .nan, true, ~, \"1\"]\n"),
                      8, &arena, &err),
        TN_OK);
    assert_true(tni_yaml_int(tni_yaml_get(r, "nc"), &n) && n == 2);
    assert_string_equal(tni_yaml_json(r, &arena, &len),
                        "{\"nc\": 2, \"names\": {\"0\": \"no\", \"1\": "
                        "\"null\", \"2\": \"on\"}, \"x\": [1.0, \"0x1f\", "
                        "\".nan\", true, null, \"1\"]}");
}

/* Ten lists of ten references each: 10^10 values if anything expanded. */
static void alias_bomb(void **state)
{
    (void)state;
    char text[2048];
    size_t n = (size_t)snprintf(text, sizeof text, "a0: &a0 [x]\n"), len = 0;
    for (int i = 1; i <= 10; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s*a%d",
                                  k != 0 ? ", " : "", i - 1);
        n += (size_t)snprintf(text + n, sizeof text - n, "]\n");
    }
    tni_yaml *r = NULL;
    assert_int_equal(tni_yaml_read(&r, tni_span_of(text), 8, &arena, &err),
                     TN_OK);
    assert_true(mem.used_bytes < 65536);
    assert_null(tni_yaml_json(r, &arena, &len));
    assert_true(mem.used_bytes < (size_t)64 << 20);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        tn_status status;
        int line;
    } rows[] = {
        {"a: &x [1, *x]\n", TN_EFORMAT, 1},
        {"a: 1\nb: *x\n", TN_EFORMAT, 2},
        {"a:\n\t- b", TN_EFORMAT, 2},
        {"a: \"x", TN_EFORMAT, 1},
        {"a: 1\nb: 2\na: 3\n", TN_EFORMAT, 3},
        {"names:\n  0: x\n  1: y\n  '0': z\nb: 1\n", TN_EFORMAT, 4},
        {"a: 1\nb: [[[[[[[[[1]]]]]]]]]\n", TN_ELIMIT, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tni_yaml *r = NULL;
        tni_err_clear(&err);
        const tn_status status =
            tni_yaml_read(&r, tni_span_of(rows[i].text), 8, &arena, &err);
        if (status != rows[i].status || err.line != rows[i].line)
            fail_msg("'%s': %s, line %d, '%s'", rows[i].text,
                     tn_status_name(status), (int)err.line, err.message);
        assert_null(r);
    }
}

static tn_status one(void *ctx, const tn_allocator *allocator)
{
    tni_mem m;
    tni_arena a;
    tni_yaml *root = NULL;
    (void)ctx;
    tni_mem_init(&m, allocator, 0);
    tni_arena_init(&a, &m, 256);
    const tn_status status = tni_yaml_read(
        &root, tni_span_of("a: [1, {b: &x c, d: *x, f: g, h: i, j: k}]\n"), 8,
        &a, &err);
    tni_arena_fini(&a);
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    oom_sweep(one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_stay_texts),
        cmocka_unit_test(alias_bomb),
        cmocka_unit_test(refused),
        cmocka_unit_test(memory_runs_out),
    };
    if (one(NULL, NULL) == TN_EUNSUPPORTED) {
        printf("skipped: this build has no libyaml\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, begin, end);
}
