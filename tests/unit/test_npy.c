/* SPDX-License-Identifier: Apache-2.0 */
/* test_npy.c - reading and writing .npy, .npz and .pb files */
#include "base/err.h"
#include "base/inflate.h"
#include "harness/pb.h"
#include "harness/tmp.h"
#include "tenon/tensor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;
static char dir[TMP_PATH], path[TMP_PATH];

static int make_dir(void **state)
{
    (void)state;
    tmp_new(dir);
    tmp_path(path, dir, "file");
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    tmp_remove(dir);
    return 0;
}

/* A .npy of version 1 from a header dict and elements. */
static pb npy(const char *dict, const void *data, size_t size)
{
    pb m = {0};
    const size_t n = strlen(dict);
    const uint8_t len[2] = {(uint8_t)n, (uint8_t)(n >> 8)};
    pb_raw(&m, "\x93NUMPY\x01\x00", 8);
    pb_raw(&m, len, 2);
    pb_raw(&m, dict, n);
    pb_raw(&m, data, size);
    return m;
}

static tn_status read_bytes(tn_tensor **out, const void *bytes, size_t size,
                            const tn_read_opts *opts)
{
    tmp_write(dir, "file", bytes, size);
    return tn_tensor_read(out, path, opts, &err);
}

static tn_tensor *read_npy(const char *dict, const void *data, size_t size)
{
    pb m = npy(dict, data, size);
    tn_tensor *t = NULL;
    assert_int_equal(read_bytes(&t, m.bytes, m.size, NULL), TN_OK);
    pb_free(&m);
    return t;
}

static void reads_orders(void **state)
{
    (void)state;
    static const uint8_t le[] = {1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0};
    static const uint8_t be[] = {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6};
    tn_tensor *t = read_npy("{'descr': '<i2', 'fortran_order': False, "
                            "'shape': (2, 3), }\n",
                            le, sizeof le);
    assert_int_equal(tn_tensor_dtype(t), TN_I16);
    assert_int_equal(tn_tensor_rank(t), 2);
    for (int i = 0; i < 6; i++) assert_true(tn_tensor_get(t, i) == i + 1);
    tn_tensor_free(t);

    t = read_npy("{\"shape\":(2L,3L),'fortran_order':True,'descr':'>i2'}", be,
                 sizeof be);
    static const double columns[] = {1, 3, 5, 2, 4, 6};
    for (int i = 0; i < 6; i++) assert_true(tn_tensor_get(t, i) == columns[i]);
    tn_tensor_free(t);

    t = read_npy("{'descr': '<f8', 'fortran_order': False, 'shape': ()}",
                 "\0\0\0\0\0\0\0\x40", 8);
    assert_int_equal(tn_tensor_rank(t), 0);
    assert_true(tn_tensor_get(t, 0) == 2.0);
    tn_tensor_free(t);

    t = read_npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}",
                 "\0\x07", 2);
    assert_true(tn_tensor_get(t, 1) == 1.0);
    tn_tensor_free(t);
}

static void reads_strings(void **state)
{
    (void)state;
    static const uint8_t wide[] = {'a', 0, 0, 0, 0x22, 0x6f, 0, 0,
                                   0,   0, 0, 0, 0,    0,    0, 0};
    tn_tensor *t = read_npy("{'descr': '<U2', 'fortran_order': False, "
                            "'shape': (2,)}",
                            wide, sizeof wide);
    const tn_string *s = tn_tensor_cdata(t);
    assert_int_equal(tn_tensor_dtype(t), TN_STRING);
    assert_int_equal(s[0].len, 4);
    assert_memory_equal(s[0].ptr, "a\xe6\xbc\xa2", 4);
    assert_int_equal(s[1].len, 0);
    tn_tensor_free(t);

    t = read_npy("{'descr': '|S3', 'fortran_order': False, 'shape': (2,)}",
                 "ab\0xyz", 6);
    s = tn_tensor_cdata(t);
    assert_int_equal(s[0].len, 2);
    assert_memory_equal(s[1].ptr, "xyz", 3);
    tn_tensor_free(t);
}

static void refuses(const char *dict, size_t size, tn_status want,
                    const char *text)
{
    static const uint8_t zeros[64];
    pb m = npy(dict, zeros, size);
    tn_tensor *t = NULL;
    tni_err_clear(&err);
    assert_int_equal(read_bytes(&t, m.bytes, m.size, NULL), want);
    assert_null(t);
    assert_non_null(strstr(err.message, text));
    assert_non_null(strstr(err.where, path));
    pb_free(&m);
}

static void refuses_bad_headers(void **state)
{
    (void)state;
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (5,)}", 16,
            TN_EFORMAT, "20 bytes");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 16,
            TN_EFORMAT, "extent");
    refuses("{'descr': '<f4', 'fortran_order': False, "
            "'shape': (99999999999999999999,)}",
            16, TN_EFORMAT, "extent");
    refuses("{'descr': '<f4', 'fortran_order': False, "
            "'shape': (4294967296, 4294967296)}",
            16, TN_ELIMIT, "larger");
    refuses("{'descr': '<f4', 'fortran_order': False, "
            "'shape': (9223372036854775807, 2)}",
            16, TN_ELIMIT, "larger");
    refuses("{'descr': '<f4', 'fortran_order': False, "
            "'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}",
            16, TN_ELIMIT, "dimensions");
    refuses("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 16,
            TN_EUNSUPPORTED, "objects");
    refuses("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}",
            16, TN_EUNSUPPORTED, "structured");
    refuses("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': ()}", 16,
            TN_EUNSUPPORTED, "not supported");
    refuses("{'descr': '<f4', 'shape': (1,)}", 16, TN_EFORMAT, "missing");
    refuses("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", 16,
            TN_EFORMAT, "neither");
    refuses("", 0, TN_EFORMAT, "dict");
    tn_tensor *t = NULL;
    assert_int_equal(read_bytes(&t, "\x93NUMPY\x01\x00\xff\xff", 10, NULL),
                     TN_EFORMAT);
    assert_int_equal(read_bytes(&t, "\x93NUMPY\x04\x00\x01\x00{", 11, NULL),
                     TN_EUNSUPPORTED);
    assert_int_equal(read_bytes(&t, "\x93NUMPY", 6, NULL), TN_EFORMAT);
    assert_int_equal(tn_tensor_read(&t, dir, NULL, &err), TN_EIO);
    tmp_path(path, dir, "missing");
    assert_int_equal(tn_tensor_read(&t, path, NULL, &err), TN_ENOTFOUND);
    tmp_path(path, dir, "file");
}

static void obeys_limits(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    tn_limits limits = TN_LIMITS_INIT;
    tn_read_opts opts = TN_READ_OPTS_INIT;
    opts.limits = &limits;
    limits.max_tensor_bytes = 32;
    pb m = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (16,)}",
               zeros, 64);
    tn_tensor *t = NULL;
    assert_int_equal(read_bytes(&t, m.bytes, m.size, &opts), TN_ELIMIT);
    limits.max_tensor_bytes = 0;
    limits.max_file_bytes = 64;
    assert_int_equal(read_bytes(&t, m.bytes, m.size, &opts), TN_ELIMIT);
    limits.max_file_bytes = 0;
    limits.max_total_bytes = 32;
    assert_int_not_equal(read_bytes(&t, m.bytes, m.size, &opts), TN_OK);
    pb_free(&m);
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    static const struct {
        tn_dtype dtype, back;
        double v;
    } cases[] = {
        {TN_F32, TN_F32, -1.5},     {TN_F64, TN_F64, 1e300},
        {TN_F16, TN_F16, 0.5},      {TN_BF16, TN_F32, 3.0},
        {TN_I8, TN_I8, -7},         {TN_U16, TN_U16, 65535},
        {TN_I64, TN_I64, -3},       {TN_BOOL, TN_BOOL, 1},
        {TN_F8E4M3FN, TN_F32, 2.0}, {TN_I4, TN_I8, -8},
        {TN_U4, TN_U8, 15},         {TN_F4E2M1, TN_F32, 6.0},
    };
    static const uint8_t patterns[][8] = {
        {0, 0, 0xc0, 0xbf},
        {0x9c, 0x75, 0, 0x88, 0x3c, 0xe4, 0x37, 0x7e},
        {0, 0x38},
        {0x40, 0x40},
        {0xf9},
        {0xff, 0xff},
        {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {1},
        {0x40},
        {0xf8},
        {0x0f},
        {0x07},
    };
    static const int64_t dims[] = {1, 1};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tn_tensor *t = NULL, *back = NULL;
        assert_int_equal(tn_tensor_new(&t, cases[i].dtype, 2, dims, NULL, &err),
                         TN_OK);
        memcpy(tn_tensor_data(t), patterns[i], tn_dtype_size(cases[i].dtype));
        assert_int_equal(tn_tensor_write_npy(t, path, &err), TN_OK);
        assert_int_equal(tn_tensor_read(&back, path, NULL, &err), TN_OK);
        assert_int_equal(tn_tensor_dtype(back), cases[i].back);
        assert_int_equal(tn_tensor_rank(back), 2);
        assert_true(tn_tensor_get(back, 0) == cases[i].v);
        tn_tensor_free(t);
        tn_tensor_free(back);
    }
    static const tn_string words[] = {
        {"caf\xc3\xa9", 5}, {"", 0}, {"\xf0\x9f\x98\x80z", 5}, {"\xff", 1}};
    static const int64_t four[] = {4};
    tn_tensor *t = NULL, *back = NULL;
    assert_int_equal(tn_tensor_new_strings(&t, 1, four, words, NULL, &err),
                     TN_OK);
    assert_int_equal(tn_tensor_write_npy(t, path, &err), TN_OK);
    assert_int_equal(tn_tensor_read(&back, path, NULL, &err), TN_OK);
    const tn_string *s = tn_tensor_cdata(back);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s[i].len, words[i].len);
        assert_memory_equal(s[i].ptr, words[i].ptr, s[i].len);
    }
    assert_memory_equal(s[3].ptr, "\xef\xbf\xbd", 3); /* no UTF-8 */
    tn_tensor_free(t);
    tn_tensor_free(back);
}

/* --- .npz ---------------------------------------------------------------- */

static void put_le(pb *m, uint64_t v, int n)
{
    for (int i = 0; i < n; i++) {
        const uint8_t b = (uint8_t)(v >> (8 * i));
        pb_raw(m, &b, 1);
    }
}

/* Appends a member and its directory entry; `packed` is what is stored. */
static void put_member(pb *zip, pb *directory, const char *name, int method,
                       const pb *plain, const void *packed, size_t n_packed)
{
    const size_t at = zip->size, n_name = strlen(name);
    const uint32_t crc = tni_crc32(0, plain->bytes, plain->size);
    put_le(zip, 0x04034b50, 4);
    put_le(zip, 20, 2);
    put_le(zip, 0, 2);
    put_le(zip, (uint64_t)method, 2);
    put_le(zip, 0, 4);
    put_le(zip, crc, 4);
    put_le(zip, n_packed, 4);
    put_le(zip, plain->size, 4);
    put_le(zip, n_name, 2);
    put_le(zip, 0, 2);
    pb_raw(zip, name, n_name);
    pb_raw(zip, packed, n_packed);
    put_le(directory, 0x02014b50, 4);
    put_le(directory, 20, 2);
    put_le(directory, 20, 2);
    put_le(directory, 0, 2);
    put_le(directory, (uint64_t)method, 2);
    put_le(directory, 0, 4);
    put_le(directory, crc, 4);
    put_le(directory, n_packed, 4);
    put_le(directory, plain->size, 4);
    put_le(directory, n_name, 2);
    put_le(directory, 0, 2); /* extra */
    put_le(directory, 0, 2); /* comment */
    put_le(directory, 0, 8);
    put_le(directory, at, 4);
    pb_raw(directory, name, n_name);
}

static void finish_zip(pb *zip, pb *directory, int n)
{
    const size_t at = zip->size, size = directory->size;
    pb_raw(zip, directory->bytes, directory->size);
    pb_free(directory);
    put_le(zip, 0x06054b50, 4);
    put_le(zip, 0, 4);
    put_le(zip, (uint64_t)n, 2);
    put_le(zip, (uint64_t)n, 2);
    put_le(zip, size, 4);
    put_le(zip, at, 4);
    put_le(zip, 0, 2);
}

/* Two arrays, x stored and y deflated (as one stored block), and a text. */
static pb make_npz(void)
{
    pb zip = {0}, directory = {0}, packed = {0}, text = {0};
    pb x = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}",
               "\1\2\3", 3);
    pb y = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}",
               "\4\5", 2);
    put_le(&packed, 1, 1);
    put_le(&packed, y.size, 2);
    put_le(&packed, y.size ^ 0xffff, 2);
    pb_raw(&packed, y.bytes, y.size);
    pb_raw(&text, "hi", 2);
    put_member(&zip, &directory, "x.npy", 0, &x, x.bytes, x.size);
    put_member(&zip, &directory, "note.txt", 0, &text, text.bytes, text.size);
    put_member(&zip, &directory, "y.npy", 8, &y, packed.bytes, packed.size);
    finish_zip(&zip, &directory, 3);
    pb_free(&x);
    pb_free(&y);
    pb_free(&packed);
    pb_free(&text);
    return zip;
}

static tn_status see(void *ctx, const char *name, tn_tensor *value)
{
    char *seen = ctx;
    (void)strcat(seen, name);
    assert_true(tn_tensor_get(value, 0) == (name[0] == 'x' ? 1 : 4));
    tn_tensor_free(value);
    return strlen(seen) > 2 ? TN_ECANCELED : TN_OK;
}

static void reads_npz(void **state)
{
    (void)state;
    pb zip = make_npz();
    tn_tensor *t = NULL;
    tn_read_opts opts = TN_READ_OPTS_INIT;
    char seen[8] = "";
    opts.member = "y";
    assert_int_equal(read_bytes(&t, zip.bytes, zip.size, &opts), TN_OK);
    assert_int_equal(tn_tensor_len(t), 2);
    tn_tensor_free(t);
    t = NULL;
    opts.member = "z";
    assert_int_equal(read_bytes(&t, zip.bytes, zip.size, &opts), TN_ENOTFOUND);
    assert_non_null(strstr(err.message, "x, y"));
    assert_int_equal(read_bytes(&t, zip.bytes, zip.size, NULL), TN_EINVAL);
    assert_null(t);
    assert_int_equal(tn_npz_read(path, NULL, see, seen, &err), TN_OK);
    assert_string_equal(seen, "xy");
    memcpy(seen, "__", 3);
    assert_int_equal(tn_npz_read(path, NULL, see, seen, &err), TN_ECANCELED);
    tmp_write(dir, "file", "plain", 5);
    assert_int_equal(tn_npz_read(path, NULL, see, seen, &err), TN_EFORMAT);
    pb_free(&zip);
}

static tn_status forget(void *ctx, const char *name, tn_tensor *value)
{
    (void)ctx;
    (void)name;
    tn_tensor_free(value);
    return TN_OK;
}

static void broken_npz_is_refused(void **state)
{
    (void)state;
    pb zip = make_npz();
    for (size_t n = 4; n < zip.size; n++) {
        tmp_write(dir, "file", zip.bytes, n);
        assert_int_equal(tn_npz_read(path, NULL, forget, NULL, &err),
                         TN_EFORMAT);
    }
    for (size_t bit = 32; bit < 8 * zip.size; bit++) {
        zip.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        tmp_write(dir, "file", zip.bytes, zip.size);
        (void)!tn_npz_read(path, NULL, forget, NULL, &err);
        zip.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    pb_free(&zip);
}

/* --- .pb ----------------------------------------------------------------- */

static void reads_pb(void **state)
{
    (void)state;
    static const int64_t dims[] = {3};
    pb m = {0}, key = {0};
    tn_tensor *t = NULL;
    tn_read_opts opts = TN_READ_OPTS_INIT;
    /* Three 4-bit numbers in two bytes. */
    pb_tensor(&m, "t", 22, 1, dims, "\xf1\x08", 2);
    assert_int_equal(read_bytes(&t, m.bytes, m.size, NULL), TN_OK);
    assert_true(tn_tensor_get(t, 0) == 1 && tn_tensor_get(t, 1) == -1 &&
                tn_tensor_get(t, 2) == -8);
    tn_tensor_free(t);

    /* A sequence of it, twice. */
    pb seq = {0}, copy = {0};
    pb_raw(&copy, m.bytes, m.size);
    pb_int(&seq, 2, 1);
    pb_message(&seq, 3, &copy);
    pb_raw(&copy, m.bytes, m.size);
    pb_message(&seq, 3, &copy);
    opts.kind = TN_KIND_SEQUENCE;
    assert_int_equal(read_bytes(&t, seq.bytes, seq.size, &opts), TN_OK);
    assert_int_equal(tn_tensor_kind(t), TN_KIND_SEQUENCE);
    assert_int_equal(tn_tensor_len(t), 2);
    assert_true(tn_tensor_get(tn_tensor_item(t, 1), 2) == -8);
    tn_tensor_free(t);
    pb_free(&seq);

    /* An optional, empty and not. */
    opts.kind = TN_KIND_OPTIONAL;
    assert_int_equal(read_bytes(&t, "", 0, &opts), TN_OK);
    assert_int_equal(tn_tensor_len(t), 0);
    tn_tensor_free(t);
    pb opt = {0};
    pb_message(&opt, 3, &m);
    assert_int_equal(read_bytes(&t, opt.bytes, opt.size, &opts), TN_OK);
    assert_int_equal(tn_tensor_len(t), 1);
    assert_int_equal(tn_tensor_kind(tn_tensor_item(t, 0)), TN_KIND_TENSOR);
    tn_tensor_free(t);
    pb_free(&opt);

    /* A map from strings to floats. */
    static const float values[] = {0.5f, 1.5f};
    pb map = {0}, items = {0};
    pb_int(&map, 2, 8);
    pb_text(&map, 4, "a");
    pb_text(&map, 4, "bc");
    for (int i = 0; i < 2; i++) {
        pb one = {0};
        pb_tensor(&one, "", 1, 0, NULL, &values[i], 4);
        pb_message(&items, 3, &one);
    }
    pb_message(&map, 5, &items);
    opts.kind = TN_KIND_MAP;
    assert_int_equal(read_bytes(&t, map.bytes, map.size, &opts), TN_OK);
    assert_int_equal(tn_tensor_len(t), 2);
    const tn_string *s = tn_tensor_cdata(tn_tensor_item(t, 0));
    assert_memory_equal(s[1].ptr, "bc", 2);
    assert_true(tn_tensor_get(tn_tensor_item(t, 1), 1) == 1.5);
    tn_tensor_free(t);
    pb_int(&map, 2, 1); /* float keys */
    assert_int_equal(read_bytes(&t, map.bytes, map.size, &opts), TN_EFORMAT);
    pb_free(&map);
    pb_free(&key);
}

static void nested_containers_are_bounded(void **state)
{
    (void)state;
    pb m = {0};
    for (int i = 0; i < 200; i++) {
        pb outer = {0};
        pb_message(&outer, 5, &m);
        m = outer;
    }
    tn_tensor *t = NULL;
    tn_read_opts opts = TN_READ_OPTS_INIT;
    opts.kind = TN_KIND_SEQUENCE;
    assert_int_equal(read_bytes(&t, m.bytes, m.size, &opts), TN_ELIMIT);
    pb_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_orders),
        cmocka_unit_test(reads_strings),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(obeys_limits),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(reads_npz),
        cmocka_unit_test(broken_npz_is_refused),
        cmocka_unit_test(reads_pb),
        cmocka_unit_test(nested_containers_are_bounded),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
