/* SPDX-License-Identifier: Apache-2.0 */
/* test_tfrecord.c - records, examples, and what broken ones get */
#include "data/tfrecord.h"
#include "harness/oom.h"
#include "sys/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;
static tni_mem mem;
static tni_arena arena;

typedef struct buffer {
    uint8_t data[1 << 14];
    size_t size;
} buffer;

static buffer out;

static tn_status take(void *ctx, const void *bytes, size_t size, tn_err *e)
{
    buffer *b = ctx;
    (void)e;
    memcpy(b->data + b->size, bytes, size);
    b->size += size;
    return TN_OK;
}

static const tni_byte_sink sink = {&out, take};

static int begin(void **state)
{
    (void)state;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 4096);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tni_arena_fini(&arena);
    return 0;
}

static void checksum(void **state)
{
    (void)state;
    /* RFC 3720, B.4, and the usual check value. */
    uint8_t zeros[32] = {0}, ones[32];
    memset(ones, 0xff, sizeof ones);
    assert_true(tni_crc32c(0, "123456789", 9) == 0xe3069283u);
    assert_true(tni_crc32c(tni_crc32c(0, "1234", 4), "56789", 5) ==
                0xe3069283u);
    assert_true(tni_crc32c(0, zeros, 32) == 0x8a9136aau);
    assert_true(tni_crc32c(0, ones, 32) == 0x62a8ab43u);
}

static void records(void **state)
{
    (void)state;
    out.size = 0;
    assert_int_equal(tni_tfrecord_put(&sink, "hello", 5, &err), TN_OK);
    assert_int_equal(tni_tfrecord_put(&sink, "", 0, &err), TN_OK);
    tni_tfrecord r;
    tni_bytes b;
    bool more = false;
    tni_tfrecord_init(&r, out.data, out.size, &err);
    assert_int_equal(tni_tfrecord_next(&r, &b, &more), TN_OK);
    assert_true(more && b.size == 5);
    assert_memory_equal(b.p, "hello", 5);
    assert_int_equal(tni_tfrecord_next(&r, &b, &more), TN_OK);
    assert_true(more && b.size == 0);
    assert_int_equal(tni_tfrecord_next(&r, &b, &more), TN_OK);
    assert_false(more);
    /* Every cut and every flipped bit is noticed. */
    for (size_t n = 1; n < out.size; n++) {
        uint8_t *exact = malloc(n);
        tn_status s = TN_OK;
        memcpy(exact, out.data, n);
        tni_tfrecord_init(&r, exact, n, &err);
        more = true;
        while (s == TN_OK && more) s = tni_tfrecord_next(&r, &b, &more);
        assert_true(s == TN_EFORMAT || n == 21);
        free(exact);
    }
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        tn_status s = TN_OK;
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        tni_tfrecord_init(&r, out.data, out.size, &err);
        more = true;
        while (s == TN_OK && more) s = tni_tfrecord_next(&r, &b, &more);
        assert_int_equal(s, TN_EFORMAT);
        out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    static const uint8_t gz[16] = {0x1f, 0x8b};
    tni_tfrecord_init(&r, gz, sizeof gz, &err);
    assert_int_equal(tni_tfrecord_next(&r, &b, &more), TN_EFORMAT);
    assert_non_null(strstr(err.message, "unpack it first"));
}

static void written_example(void **state)
{
    (void)state;
    const tni_bytes words[2] = {{(const uint8_t *)"cat", 3},
                                {(const uint8_t *)"", 0}};
    const float floats[3] = {0.5f, -1.0f, 3e38f};
    const int64_t ints[4] = {0, -1, INT64_MAX, 300};
    tni_example_out o;
    tni_bytes message;
    tni_example_out_init(&o, &arena);
    tni_example_out_bytes(&o, "text", words, 2);
    tni_example_out_floats(&o, "x", floats, 3);
    tni_example_out_ints(&o, "label", ints, 4);
    tni_example_out_ints(&o, "none", NULL, 0);
    assert_int_equal(tni_example_out_end(&o, &message, &err), TN_OK);
    tni_example e;
    tni_example_feature f;
    bool more = false;
    tni_example_init(&e, message, &err);
    assert_int_equal(tni_example_next(&e, &f, &more), TN_OK);
    assert_true(more && f.kind == TNI_FEATURE_BYTES && f.n == 2);
    assert_memory_equal(f.key.p, "text", f.key.size);
    tni_bytes list = f.list, value;
    assert_true(tni_feature_bytes(&list, &value) && value.size == 3);
    assert_true(tni_feature_bytes(&list, &value) && value.size == 0);
    assert_false(tni_feature_bytes(&list, &value));
    assert_int_equal(tni_example_next(&e, &f, &more), TN_OK);
    float got[3];
    assert_true(f.kind == TNI_FEATURE_FLOATS && f.n == 3);
    tni_feature_floats(&f, got);
    assert_memory_equal(got, floats, sizeof got);
    assert_int_equal(tni_example_next(&e, &f, &more), TN_OK);
    int64_t back[4];
    assert_true(f.kind == TNI_FEATURE_INTS && f.n == 4);
    tni_feature_ints(&f, back);
    assert_memory_equal(back, ints, sizeof back);
    assert_int_equal(tni_example_next(&e, &f, &more), TN_OK);
    assert_true(more && f.n == 0 && f.kind == TNI_FEATURE_INTS);
    assert_int_equal(tni_example_next(&e, &f, &more), TN_OK);
    assert_false(more);
}

/* Numbers that are not packed, unknown fields, a key without a value. */
static void other_spellings(void **state)
{
    (void)state;
    static const uint8_t message[] = {
        0x10, 7,                                /* an unknown field */
        0x0a, 19,                               /* features */
        0x0a, 12, 0x0a, 1, 'i',  0x12, 7, 0x1a, /* i: ints, */
        5,    8,  5,    8, 0x96, 1,             /* 5 and 150 apart */
        0x0a, 3,  0x0a, 1, 'k',                 /* k: nothing */
    };
    tni_example e;
    tni_example_feature f;
    bool more = false;
    int64_t v[2];
    tni_example_init(&e, (tni_bytes){message, sizeof message}, &err);
    assert_int_equal(tni_example_next(&e, &f, &more), TN_OK);
    assert_true(f.kind == TNI_FEATURE_INTS && f.n == 2);
    tni_feature_ints(&f, v);
    assert_true(v[0] == 5 && v[1] == 150);
    assert_int_equal(tni_example_next(&e, &f, &more), TN_OK);
    assert_true(more && f.kind == TNI_FEATURE_NONE && f.key.p[0] == 'k');
    assert_int_equal(tni_example_next(&e, &f, &more), TN_OK);
    assert_false(more);
    for (size_t n = 0; n < sizeof message; n++) {
        uint8_t *exact = malloc(n + 1);
        tn_status s = TN_OK;
        memcpy(exact, message, n);
        tni_example_init(&e, (tni_bytes){exact, n}, &err);
        more = true;
        while (s == TN_OK && more) s = tni_example_next(&e, &f, &more);
        assert_true(s == TN_EFORMAT || n == 0 || n == 2);
        free(exact);
    }
}

static void broken_examples(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[16];
        size_t size;
    } rows[] = {
        {{0x08, 1}, 2},                               /* features: a number */
        {{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, 7}, /* too long */
        {{0x0b}, 1},                                  /* a group */
        {{0x0a, 2, 0x0a, 1}, 4},                      /* entry too long */
        {{0x0a, 4, 0x0a, 2, 0x12, 1}, 6},             /* value too long */
        {{0x0a, 7, 0x0a, 5, 0x12, 3, 0x12, 1, 0xff}, 9}, /* broken list */
        {{0x0a, 9, 0x0a, 7, 0x12, 5, 0x12, 3, 0x0a, 1, 0}, 11}, /* 1 byte */
        {{0x00, 0}, 2},                                         /* field 0 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tni_example e;
        tni_example_feature f;
        bool more = false;
        tni_example_init(&e, (tni_bytes){rows[i].bytes, rows[i].size}, &err);
        if (tni_example_next(&e, &f, &more) != TN_EFORMAT)
            fail_msg("row %zu is taken", i);
        assert_non_null(strstr(err.message, "broken protobuf in"));
        assert_true(err.offset <= rows[i].size);
    }
}

static tn_status one(void *ctx, const tn_allocator *allocator)
{
    static const float floats[400] = {1};
    tni_mem m;
    tni_arena a;
    tni_example_out o;
    tni_bytes message;
    (void)ctx;
    tni_mem_init(&m, allocator, 0);
    tni_arena_init(&a, &m, 1);
    tni_example_out_init(&o, &a);
    tni_example_out_floats(&o, "x", floats, 400);
    tni_example_out_floats(&o, "y", floats, 400);
    const tn_status s = tni_example_out_end(&o, &message, &err);
    tni_arena_fini(&a);
    return s;
}

static void memory_runs_out(void **state)
{
    (void)state;
    oom_sweep(one, NULL);
}

/* Files that TensorFlow wrote: every record and feature reads. */
static void real_files(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int records;
    } rows[] = {
        {"datumaro-assets-cvat/tf_detection_api_dataset/test.tfrecord", 1},
        {"datumaro-assets-cvat/tf_detection_api_dataset/train.tfrecord", 1},
        {"datumaro-assets-cvat/tf_detection_api_dataset/val.tfrecord", 1},
        {"datumaro-assets/roboflow_dataset/tfrecord/train/train.tfrecord", 2},
        {"datumaro-assets/roboflow_dataset/tfrecord/val/val.tfrecord", 1},
        {"datumaro-assets/tf_detection_api_dataset/test.tfrecord", 1},
        {"datumaro-assets/tf_detection_api_dataset/train.tfrecord", 1},
        {"datumaro-assets/tf_detection_api_dataset/val.tfrecord", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[1024];
        tni_file_map map;
        tni_tfrecord r;
        tni_bytes record;
        bool more = true;
        int n = 0;
        (void)snprintf(path, sizeof path, "%s/datasets/%s", TEST_DATA,
                       rows[i].path);
        if (TEST_DATA[0] == '\0' ||
            tni_file_map_open(&map, path, 0, &err) != TN_OK) {
            printf("skipped: no %s; set TENON_TESTDATA\n", rows[i].path);
            continue;
        }
        tni_tfrecord_init(&r, map.bytes, map.size, &err);
        for (;; n++) {
            if (tni_tfrecord_next(&r, &record, &more) != TN_OK)
                fail_msg("%s: %s", rows[i].path, err.message);
            if (!more) break;
            tni_example e;
            tni_example_feature f;
            int keys = 0;
            bool image = false;
            tni_example_init(&e, record, &err);
            for (;; keys++) {
                if (tni_example_next(&e, &f, &more) != TN_OK)
                    fail_msg("%s: %s", rows[i].path, err.message);
                if (!more) break;
                if (f.key.size == 13 &&
                    memcmp(f.key.p, "image/encoded", 13) == 0)
                    image = f.kind == TNI_FEATURE_BYTES && f.n == 1;
            }
            assert_true(keys >= 3 && image);
        }
        assert_int_equal(n, rows[i].records);
        tni_file_map_close(&map);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum),        cmocka_unit_test(records),
        cmocka_unit_test(written_example), cmocka_unit_test(other_spellings),
        cmocka_unit_test(broken_examples), cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(real_files),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
