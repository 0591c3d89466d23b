/* SPDX-License-Identifier: Apache-2.0 */
/* test_csv.c - records, quotes, line ends, places of fields, limits, writing */
#include "data/csv.h"
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
    memset(&err, 0, sizeof err);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tni_arena_fini(&arena);
    return 0;
}

/* All records as "a|b\na|b"; the status is left in c. */
static const char *shown(tni_csv *c)
{
    static char out[4096];
    size_t n = 0;
    out[0] = '\0';
    while (tni_csv_next(c)) {
        for (size_t i = 0; i < c->n; i++)
            n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s",
                                  i > 0 ? "|" : "", (int)c->fields[i].text.len,
                                  c->fields[i].text.p);
        n += (size_t)snprintf(out + n, sizeof out - n, "/");
    }
    return out;
}

static void reads(const char *text, char delimiter, bool trim, const char *want)
{
    tni_csv c;
    tni_csv_init(&c, tni_span_of(text), delimiter, &arena, &err);
    c.trim = trim;
    const char *found = shown(&c);
    if (c.status != TN_OK) fail_msg("%s: %s", text, err.message);
    assert_string_equal(found, want);
}

static void refuses(const char *text, int64_t line, uint64_t byte,
                    const char *says)
{
    tni_csv c;
    memset(&err, 0, sizeof err);
    tni_csv_init(&c, tni_span_of(text), ',', &arena, &err);
    (void)shown(&c);
    assert_int_equal(c.status, TN_EFORMAT);
    if (strstr(err.message, says) == NULL || err.line != line ||
        err.offset != byte)
        fail_msg("%s: %s (line %lld, byte %llu)", text, err.message,
                 (long long)err.line, (unsigned long long)err.offset);
    assert_false(tni_csv_next(&c)); /* it sticks */
}

static void records_and_fields(void **state)
{
    (void)state;
    reads("", ',', false, "");
    reads("a,b\nc,d", ',', false, "a|b/c|d/");
    reads("a,\n,b\n,\n", ',', false, "a|/|b/|/");
    reads("a,", ',', false, "a|/");
    reads("a;b\nc,d;e\n", ';', false, "a|b/c,d|e/");
    reads("a\tb c\n", '\t', true, "a|b c/");
}

static void line_ends_bom_and_blank_lines(void **state)
{
    (void)state;
    reads("a,b\r\nc,d\r\n", ',', false, "a|b/c|d/");
    reads("a,b\rc,d\r", ',', false, "a|b/c|d/");
    reads("\xef\xbb\xbf"
          "a,b\n\n\r\n\nc\n\n",
          ',', false, "a|b/c/");
    reads("\"\"\n", ',', false, "/");
}

static void quotes(void **state)
{
    (void)state;
    reads("\"a,b\",\"c\"\n", ',', false, "a,b|c/");
    reads("\"a\"\"b\",\"\"\"\",\"\"\n", ',', false, "a\"b|\"|/");
    reads("\"two\nlines\r\nand\rmore\",x\n", ',', false,
          "two\nlines\r\nand\rmore|x/");
    reads("5\" pipe,b\n", ',', false, "5\" pipe|b/");
    reads("a, \"b\"\n", ',', false, "a| \"b\"/");
    reads(" a , \"b, c\" ,d\n", ',', true, "a|b, c|d/");
    refuses("a\n\"b\nc", 2, 2, "never closed");
    refuses("a,\"b\"c\n", 1, 5, "behind a closing quote");
    tni_csv c;
    const tni_span nul = {"a,\0b", 4}, inside = {"\"\0\"", 3};
    tni_csv_init(&c, nul, ',', &arena, &err);
    assert_false(tni_csv_next(&c));
    assert_non_null(strstr(err.message, "NUL"));
    tni_csv_init(&c, inside, ',', &arena, &err);
    assert_false(tni_csv_next(&c));
    assert_non_null(strstr(err.message, "NUL"));
}

static void fields_know_their_place(void **state)
{
    (void)state;
    tni_csv c;
    const char *text = "a,b\n\"x\ny\", z\n1,2\n";
    tni_csv_init(&c, tni_span_of(text), ',', &arena, &err);
    c.trim = true;
    assert_true(tni_csv_next(&c) && tni_csv_next(&c));
    assert_int_equal(c.line, 2);
    assert_int_equal(c.offset, 4);
    assert_int_equal(c.fields[0].offset, 4);
    assert_int_equal(c.fields[0].line, 2);
    assert_true(c.fields[0].quoted);
    assert_int_equal(c.fields[1].line, 3);
    assert_int_equal(c.fields[1].offset, 11);
    assert_false(c.fields[1].quoted);
    assert_true(tni_csv_next(&c));
    assert_int_equal(c.line, 4);
    assert_int_equal(tni_csv_fail(&c, &c.fields[1], "found %d", 2), TN_EFORMAT);
    assert_string_equal(err.message, "line 4: found 2");
    assert_int_equal(err.offset, 15);
    assert_int_equal(err.line, 4);
}

static void limits_of_a_record(void **state)
{
    (void)state;
    tni_csv c;
    tni_csv_init(&c, tni_span_of("a,b,c\n"), ',', &arena, &err);
    c.max_fields = 2;
    assert_false(tni_csv_next(&c));
    assert_int_equal(c.status, TN_ELIMIT);
    const char *const texts[] = {"abcdefgh\n", "\"abcdefgh\"\n"};
    for (int i = 0; i < 2; i++) {
        tni_csv_init(&c, tni_span_of(texts[i]), ',', &arena, &err);
        c.max_record_bytes = 6;
        assert_false(tni_csv_next(&c));
        assert_int_equal(c.status, TN_ELIMIT);
        assert_non_null(strstr(err.message, "is a quote missing"));
    }
    /* More fields than the first guess. */
    char many[301];
    memset(many, ',', 300);
    many[300] = '\0';
    tni_csv_init(&c, tni_span_of(many), ',', &arena, &err);
    assert_true(tni_csv_next(&c));
    assert_int_equal(c.n, 301);
    assert_true(tni_csv_is_blank(&c, 0));
}

static void delimiters_are_found(void **state)
{
    (void)state;
    assert_int_equal(tni_csv_delimiter(tni_span_of("a,b;c,d\n;;;;")), ',');
    assert_int_equal(tni_csv_delimiter(tni_span_of("a;b;c\n1,5;2;3")), ';');
    assert_int_equal(tni_csv_delimiter(tni_span_of("a\tb\n")), '\t');
    assert_int_equal(tni_csv_delimiter(tni_span_of("\"a;b;c\",d")), ',');
    assert_int_equal(tni_csv_delimiter(tni_span_of("one\ntwo;x")), ';');
    assert_int_equal(tni_csv_delimiter(tni_span_of("")), ',');
}

static char written[400];
static size_t n_written;

static tn_status sink(void *ctx, const void *bytes, size_t size, tn_err *e)
{
    (void)ctx;
    (void)e;
    memcpy(written + n_written, bytes, size);
    n_written += size;
    return TN_OK;
}

static void written_reads_back(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"plain", "plain"},
        {"", ""},
        {"a,b", "\"a,b\""},
        {"a\"b", "\"a\"\"b\""},
        {"two\nlines", "\"two\nlines\""},
        {" x", "\" x\""},
        {"x\t", "\"x\t\""},
        {"a;b", "\"a;b\""},
        {"a|b", "a|b"},
        {"M\xc3\xbcnchen", "M\xc3\xbcnchen"},
        {"\xef\xbb\xbfx", "\"\xef\xbb\xbfx\""},
    };
    static tni_out o;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tni_csv c;
        n_written = 0;
        tni_out_init(&o, sink, NULL, &err);
        tni_csv_put(&o, ',', cases[i].text, strlen(cases[i].text));
        assert_int_equal(tni_out_flush(&o), TN_OK);
        const tni_span found = {written, n_written};
        assert_true(tni_span_is(found, cases[i].want));
        tni_csv_init(&c, found, ',', &arena, &err);
        c.trim = true;
        if (n_written == 0) continue;
        assert_true(tni_csv_next(&c));
        assert_true(tni_span_is(c.fields[0].text, cases[i].text));
    }
}

static void writes_utf8_only(void **state)
{
    (void)state;
    static tni_out o;
    tni_out_init(&o, sink, NULL, &err);
    tni_csv_put(&o, ',', "a\xff", 2);
    assert_int_equal(tni_out_flush(&o), TN_EINVAL);
    assert_non_null(strstr(err.message, "is not UTF-8 at its byte 1"));
}

static tn_status oom_body(void *ctx, const tn_allocator *allocator)
{
    (void)ctx;
    tni_mem m;
    tni_arena a;
    tni_csv c;
    static char text[9000];
    memset(text, ',', 100);
    text[100] = '"';
    for (size_t i = 101; i < sizeof text - 2; i++) text[i] = '"';
    text[sizeof text - 2] = '\n';
    tni_mem_init(&m, allocator, 0);
    tni_arena_init(&a, &m, 64);
    const tni_span span = {text, sizeof text - 2};
    tni_csv_init(&c, span, ',', &a, NULL);
    while (tni_csv_next(&c)) {
    }
    tni_arena_fini(&a);
    return c.status;
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    oom_sweep(oom_body, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_and_fields),
        TEST(line_ends_bom_and_blank_lines),
        TEST(quotes),
        TEST(fields_know_their_place),
        TEST(limits_of_a_record),
        TEST(delimiters_are_found),
        TEST(written_reads_back),
        TEST(writes_utf8_only),
        TEST(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
