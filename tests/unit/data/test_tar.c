/* SPDX-License-Identifier: Apache-2.0 */
/* test_tar.c - archives of several writers, hostile ones, and our own */
#include "data/tar.h"
#include "harness/oom.h"

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
    uint8_t data[1 << 16];
    size_t size;
} buffer;

static buffer out;

static tn_status take(void *ctx, const void *bytes, size_t size, tn_err *e)
{
    buffer *b = ctx;
    (void)e;
    if (sizeof b->data - b->size < size) return TN_EIO;
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

/* A header by hand; fields of other than these are 0. */
static uint8_t *header(const char *name, char kind, const char *size,
                       const char *magic)
{
    uint8_t *h = out.data + out.size;
    memset(h, 0, 512);
    memcpy(h, name, strlen(name) < 100 ? strlen(name) : 100);
    memcpy(h + 124, size, strlen(size));
    h[156] = (uint8_t)kind;
    memcpy(h + 257, magic, strlen(magic));
    out.size += 512;
    return h;
}

static void sum(uint8_t *h)
{
    unsigned n = 0;
    memset(h + 148, ' ', 8);
    for (int i = 0; i < 512; i++) n += h[i];
    (void)snprintf((char *)h + 148, 8, "%06o", n);
}

static void add(const char *name, char kind, const char *size)
{
    sum(header(name, kind, size, "ustar"));
}

static void content(const char *text, size_t size)
{
    memset(out.data + out.size, 0, (size + 511) / 512 * 512);
    memcpy(out.data + out.size, text, size);
    out.size += (size + 511) / 512 * 512;
}

static void finish(void)
{
    memset(out.data + out.size, 0, 1024);
    out.size += 1024;
}

/* Reads `out` from a block of just its size; the first entry is in *e. */
static tn_status first(tni_tar_entry *e, bool *more)
{
    static uint8_t *exact;
    tni_tar t;
    free(exact);
    exact = malloc(out.size + 1);
    memcpy(exact, out.data, out.size);
    tni_err_clear(&err);
    tni_tar_init(&t, exact, out.size, &arena, &err);
    return tni_tar_next(&t, e, more);
}

static void round_trip(void **state)
{
    (void)state;
    static char names[][300] = {
        "a.txt", "folder/b.jpg", "M\xc3\xbcnchen/\xf0\x9f\x98\x80.png",
        "n100",  "p255",         "p256",
        "n4096?"};
    memset(names[3], 'n', 100);
    memset(names[4], 'p', 255);
    names[4][155] = '/';
    memset(names[5], 'p', 256);
    names[5][100] = '/';
    memset(names[6], 'q', 299);
    const size_t n = sizeof names / sizeof names[0];
    static uint8_t blob[2000];
    for (size_t i = 0; i < sizeof blob; i++) blob[i] = (uint8_t)(i * 37);
    out.size = 0;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(tni_tar_put(&sink, names[i], blob, i * 200, &err),
                         TN_OK);
    assert_int_equal(tni_tar_end(&sink, &err), TN_OK);
    tni_tar t;
    tni_tar_entry e;
    bool more = true;
    tni_tar_init(&t, out.data, out.size, &arena, &err);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(tni_tar_next(&t, &e, &more), TN_OK);
        assert_true(more);
        assert_string_equal(e.name, names[i]);
        assert_int_equal(e.kind, TNI_TAR_FILE);
        assert_int_equal(e.size, i * 200);
        assert_memory_equal(e.bytes, blob, e.size);
    }
    assert_int_equal(tni_tar_next(&t, &e, &more), TN_OK);
    assert_false(more);
    assert_false(t.cut);
    /* Deterministic. */
    const size_t size = out.size;
    static uint8_t before[sizeof out.data];
    memcpy(before, out.data, size);
    out.size = 0;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(tni_tar_put(&sink, names[i], blob, i * 200, &err),
                         TN_OK);
    assert_memory_equal(before, out.data, out.size);
    /* Every cut is noticed, or is between entries and said to be one. */
    for (size_t k = 0; k < size; k += 64) {
        tn_status s = TN_OK;
        more = true;
        tni_tar_init(&t, before, k, &arena, &err);
        while (s == TN_OK && more) s = tni_tar_next(&t, &e, &more);
        assert_true(s == TN_EFORMAT || t.cut || k + 1024 > size);
    }
}

static void gnu_and_old(void **state)
{
    (void)state;
    tni_tar_entry e;
    bool more = false;
    char name[200];
    memset(name, 'x', 150);
    name[150] = '\0';
    out.size = 0;
    add("././@LongLink", 'L', "00000000227");
    content(name, 151);
    sum(header("short", '0', "00000000003", "ustar  "));
    content("abc", 3);
    assert_int_equal(first(&e, &more), TN_OK);
    assert_string_equal(e.name, name);
    assert_int_equal(e.size, 3);
    /* Before ustar: no magic, folders by a slash; "./" in front. */
    out.size = 0;
    sum(header("./dir/", '\0', "0", ""));
    assert_int_equal(first(&e, &more), TN_OK);
    assert_string_equal(e.name, "dir/");
    assert_int_equal(e.kind, TNI_TAR_FOLDER);
    /* Base-256 size. */
    out.size = 0;
    uint8_t *h = header("b", '0', "", "ustar");
    h[124] = 0x80;
    h[135] = 2;
    sum(h);
    content("ab", 2);
    assert_int_equal(first(&e, &more), TN_OK);
    assert_int_equal(e.size, 2);
    /* Links are told, not followed; their size means nothing. */
    out.size = 0;
    h = header("l", '2', "00000000777", "ustar");
    memcpy(h + 157, "../../etc/passwd", 16);
    sum(h);
    assert_int_equal(first(&e, &more), TN_OK);
    assert_int_equal(e.kind, TNI_TAR_LINK);
    assert_string_equal(e.target, "../../etc/passwd");
    assert_int_equal(e.size, 0);
    /* pax: path and size. */
    out.size = 0;
    add("pax", 'x', "00000000031");
    content("16 path=a/b.txt\n9 size=2\n", 25);
    add("ignored", '0', "00000000000");
    content("hi", 2);
    assert_int_equal(first(&e, &more), TN_OK);
    assert_string_equal(e.name, "a/b.txt");
    assert_int_equal(e.size, 2);
}

static void hostile_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "/etc/passwd", "../x", "a/../../x", "a/..", "..", "C:/x", "a\\..\\x"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        tni_tar_entry e;
        bool more = true;
        out.size = 0;
        add(names[i], '0', "00000000000");
        finish();
        assert_int_equal(first(&e, &more), TN_EFORMAT);
        assert_non_null(strstr(err.message, "must stay below"));
        assert_false(more);
        out.size = 0;
        char record[64];
        const int n = (int)strlen(names[i]) + 9;
        (void)snprintf(record, sizeof record, "%d path=%s\n", n, names[i]);
        char size[16];
        (void)snprintf(size, sizeof size, "%011o", (unsigned)strlen(record));
        add("pax", 'x', size);
        content(record, strlen(record));
        add("fine", '0', "00000000000");
        if (strlen(record) == (size_t)n)
            assert_int_equal(first(&e, &more), TN_EFORMAT);
        assert_int_equal(tni_tar_put(&sink, names[i], "", 0, &err), TN_EINVAL);
    }
    assert_null(tni_tar_unsafe("a/..b/c..", 9));
    assert_non_null(tni_tar_unsafe("", 0));
    assert_non_null(tni_tar_unsafe("a\0b", 3));
}

static void broken(void **state)
{
    (void)state;
    static const struct {
        char kind;
        const char *size, *body;
        tn_status status;
        const char *message;
    } rows[] = {
        {'0', "77777777777", "", TN_EFORMAT, "8589934591 bytes, but only"},
        {'0', "0000000000x", "", TN_EFORMAT, "expected octal"},
        {'0', "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "",
         TN_EFORMAT, "expected octal"},
        {'0', "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "",
         TN_EFORMAT, "expected octal"},
        {'S', "0", "", TN_EUNSUPPORTED, "sparse"},
        {'M', "0", "", TN_EUNSUPPORTED, "kind 0x4d"},
        {'x', "00000000024", "99 path=a\n", TN_EFORMAT, "broken record"},
        {'x', "00000000012", "10 pathxa\n", TN_EFORMAT, "broken record"},
        {'x', "00000000012", "-9 path=a\n", TN_EFORMAT, "broken record"},
        {'x', "00000000002", "0 ", TN_EFORMAT, "broken record"},
        {'x', "00000000030", "24 GNU.sparse.major=1.0\n", TN_EUNSUPPORTED,
         "sparse"},
        {'x', "00000000013", "11 size=-1\n", TN_EFORMAT, "size in a pax"},
        {'x', "00000000042", "34 size=9999999999999999999999999\n", TN_EFORMAT,
         "size in a pax"},
        {'g', "00000000012", "10 path=a\n", TN_EUNSUPPORTED, "global"},
        {'x', "00000000012", "10 path=a\n", TN_EFORMAT, "ends behind"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tni_tar_entry e;
        bool more = true;
        out.size = 0;
        add("name", rows[i].kind, rows[i].size);
        if (rows[i].body[0] != '\0')
            content(rows[i].body, strlen(rows[i].body));
        finish();
        const tn_status status = first(&e, &more);
        if (status != rows[i].status ||
            strstr(err.message, rows[i].message) == NULL)
            fail_msg("row %zu: %s '%s'", i, tn_status_name(status),
                     err.message);
    }
    tni_tar_entry e;
    bool more = true;
    out.size = 0;
    header("a", '0', "0", "ustar")[148] = '7';
    assert_int_equal(first(&e, &more), TN_EFORMAT);
    assert_non_null(strstr(err.message, "checksum"));
    out.size = 0;
    assert_int_equal(first(&e, &more), TN_OK);
    assert_false(more);
    for (int i = 0; i < 20; i++) add("x", 'x', "0");
    assert_int_equal(first(&e, &more), TN_EFORMAT);
    assert_non_null(strstr(err.message, "16 extension"));
}

static tn_status one(void *ctx, const tn_allocator *allocator)
{
    tni_mem m;
    tni_arena a;
    tni_tar t;
    tni_tar_entry e;
    bool more = true;
    tn_status s = TN_OK;
    (void)ctx;
    tni_mem_init(&m, allocator, 0);
    tni_arena_init(&a, &m, 1);
    tni_tar_init(&t, out.data, out.size, &a, &err);
    while (s == TN_OK && more) s = tni_tar_next(&t, &e, &more);
    tni_arena_fini(&a);
    return s;
}

static void memory_runs_out(void **state)
{
    (void)state;
    out.size = 0;
    assert_int_equal(tni_tar_put(&sink, "a/\xc3\xbc", "abc", 3, &err), TN_OK);
    assert_int_equal(tni_tar_put(&sink, "b", "abc", 3, &err), TN_OK);
    assert_int_equal(tni_tar_end(&sink, &err), TN_OK);
    oom_sweep(one, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),      cmocka_unit_test(gnu_and_old),
        cmocka_unit_test(hostile_names),   cmocka_unit_test(broken),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
