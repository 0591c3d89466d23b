/* SPDX-License-Identifier: Apache-2.0 */
/* test_xml.c - elements and texts; bombs refused; writing reads back */
#include "data/xml.h"
#include "harness/oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

/* What was seen, as text: "+name(a=1)" "-name[text]". */
typedef struct log_ {
    char text[4096];
    size_t len;
} log_;

static void note(log_ *l, const char *fmt, ...) TN_PRINTF(2, 3);

static void note(log_ *l, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const int n =
        vsnprintf(l->text + l->len, sizeof l->text - l->len, fmt, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof l->text - l->len) l->len += (size_t)n;
}

static tn_status on_start(void *ctx, tni_xml *x, const char *name,
                          const char *const *attrs)
{
    note(ctx, "+%s", name);
    for (; *attrs != NULL; attrs += 2) note(ctx, "(%s=%s)", attrs[0], attrs[1]);
    if (strcmp(name, "stop") == 0)
        return tni_xml_fail(x, "stopped at depth %u",
                            (unsigned)tni_xml_depth(x));
    return TN_OK;
}

static tn_status on_end(void *ctx, tni_xml *x, const char *name,
                        const char *text, size_t len)
{
    (void)x;
    if (text == NULL)
        note(ctx, "-%s", name);
    else
        note(ctx, "-%s[%s]%zu", name, text, len);
    return TN_OK;
}

static tn_status read_with(log_ *l, const char *text, size_t size,
                           const tni_xml_limits *limits,
                           const tn_allocator *allocator)
{
    tni_mem mem;
    const tni_xml_handler h = {l, on_start, on_end};
    tni_mem_init(&mem, allocator, 0);
    memset(l, 0, sizeof *l);
    tni_err_clear(&err);
    const tn_status s = tni_xml_read(&h, text, size, limits, &mem, &err);
    assert_int_equal(mem.used_bytes, 0);
    return s;
}

static tn_status read_text(log_ *l, const char *text)
{
    return read_with(l, text, strlen(text), NULL, NULL);
}

static void elements(void **state)
{
    (void)state;
    log_ l;
    assert_int_equal(read_text(&l, "<?xml version=\"1.0\"?>\n"
                                   "<!DOCTYPE a>\n<!-- c -->\n"
                                   "<a>\n  <b x='1' y=\"&lt;&#65;\">t &amp; u"
                                   "</b>\n  <c/><d> <![CDATA[<&>]]></d>\n</a>"),
                     TN_OK);
    assert_string_equal(l.text,
                        "+a+b(x=1)(y=<A)-b[t & u]5+c-c[]0+d-d[ <&>]4-a");
    /* Byte order mark, Latin-1, UTF-16. */
    assert_int_equal(read_text(&l, "\xef\xbb\xbf<a>\xc3\xbc</a>"), TN_OK);
    assert_string_equal(l.text, "+a-a[\xc3\xbc]2");
    assert_int_equal(read_text(&l, "<?xml version='1.0' "
                                   "encoding='ISO-8859-1'?><a>\xfc</a>"),
                     TN_OK);
    assert_string_equal(l.text, "+a-a[\xc3\xbc]2");
    assert_int_equal(read_with(&l, "\xff\xfe<\0a\0/\0>\0", 10, NULL, NULL),
                     TN_OK);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
        int line;
    } rows[] = {
        {"<!DOCTYPE a [<!ENTITY x \"y\">]>\n<a>&x;</a>", "declares an entity",
         1},
        {"<!DOCTYPE a [\n<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"
         "<a>&x;</a>",
         "declares an entity ('x')", 2},
        {"<!DOCTYPE a SYSTEM \"a.dtd\"><a>&x;</a>", "entity 'x' is not", 1},
        {"<a>\n&x;</a>", "undefined entity", 2},
        {"<a>\n<b>\n</a>", "line 3, column 3: mismatched tag", 3},
        {"<a><b/>text</a>", "text ('text') beside", 1},
        {"<a>text<b/></a>", "text ('text') beside", 1},
        {"<a>", "no element found", 1},
        {"", "no element found", 1},
        {"<a></a><b/>", "junk after", 1},
        {"<a x='1' x='2'/>", "duplicate attribute", 1},
        {"<a>\x01</a>", "not well-formed", 1},
        {"<a>\xff</a>", "not well-formed", 1},
        {"<?xml version='1.0' encoding='GBK'?><a/>", "convert the file", 1},
        {"<a>\n <b><stop/></b></a>", "line 2, column 5: stopped at depth 3", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        log_ l;
        const tn_status status = read_text(&l, rows[i].text);
        if (status != TN_EFORMAT || err.line != rows[i].line ||
            strstr(err.message, rows[i].message) == NULL)
            fail_msg("'%s': %s, line %d, '%s'", rows[i].text,
                     tn_status_name(status), (int)err.line, err.message);
    }
}

static void limits(void **state)
{
    (void)state;
    const tni_xml_limits l = {3, 10, 5};
    log_ seen;
    static const char *const rows[] = {"<a><b><c><d/></c></b></a>",
                                       "<a>12345678901</a>",
                                       "<a><b/><b/><b/><b/><b/></a>"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(read_with(&seen, rows[i], strlen(rows[i]), &l, NULL),
                         TN_ELIMIT);
    assert_int_equal(
        read_with(&seen, "<a><b><c>1234567890</c></b></a>", 31, &l, NULL),
        TN_OK);
}

static tn_status number_start(void *ctx, tni_xml *x, const char *name,
                              const char *const *attrs)
{
    int64_t *i = ctx;
    double f = 0;
    (void)name;
    TN_TRY(tni_xml_attr_i64(x, attrs, "i", i));
    TN_TRY(tni_xml_attr_f64(x, attrs, "f", &f));
    TN_TRY(tni_xml_text_f64(x, "t", " 1.5\n", 5, &f));
    assert_true(f == 1.5);
    return tni_xml_text_f64(x, "depth", "1,5", 3, &f);
}

static void numbers(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"<a/>", "the attribute 'i' is missing"},
        {"<a i='1.0'/>", "i=\"1.0\"; expected a whole"},
        {"<a i='12'/>", "the attribute 'f' is missing"},
        {"<a i='12' f='x'/>", "f is 'x'; expected a number"},
        {"<a i='12' f='1e400000x'/>", "f is '1e400000x'"},
        {"<a i='12' f=' 2 '/>", "depth is '1,5'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tni_mem mem;
        int64_t v = 0;
        const tni_xml_handler h = {&v, number_start, NULL};
        tni_mem_init(&mem, NULL, 0);
        assert_int_equal(
            tni_xml_read(&h, rows[i][0], strlen(rows[i][0]), NULL, &mem, &err),
            TN_EFORMAT);
        if (strstr(err.message, rows[i][1]) == NULL)
            fail_msg("'%s': '%s'", rows[i][0], err.message);
    }
}

static tn_status to_log(void *ctx, const void *bytes, size_t size, tn_err *e)
{
    (void)e;
    note(ctx, "%.*s", (int)size, (const char *)bytes);
    return TN_OK;
}

static void writing(void **state)
{
    (void)state;
    log_ l, seen;
    memset(&l, 0, sizeof l);
    tni_xml_out o = {.ctx = &l, .write = to_log, .err = &err};
    tni_xml_out_open(&o, "a");
    tni_xml_out_attr(&o, "x", "<\"&\n\t'>");
    tni_xml_out_leaf(&o, "b", "a < b && c > d \xc3\xbc");
    tni_xml_out_leaf(&o, "empty", "");
    tni_xml_out_open(&o, "c");
    tni_xml_out_close(&o);
    tni_xml_out_open(&o, "d");
    tni_xml_out_leaf(&o, "e", "1");
    assert_int_equal(tni_xml_out_end(&o), TN_OK);
    assert_string_equal(l.text,
                        "<a x=\"&lt;&quot;&amp;&#10;&#9;'&gt;\">\n"
                        "  <b>a &lt; b &amp;&amp; c &gt; d \xc3\xbc</b>\n"
                        "  <empty></empty>\n"
                        "  <c/>\n"
                        "  <d>\n"
                        "    <e>1</e>\n"
                        "  </d>\n"
                        "</a>\n");
    assert_int_equal(read_text(&seen, l.text), TN_OK);
    assert_non_null(strstr(seen.text, "+a(x=<\"&\n\t'>)"));
    assert_non_null(strstr(seen.text, "-b[a < b && c > d \xc3\xbc]"));
}

static void refused_writing(void **state)
{
    (void)state;
    log_ l;
    static const char *const bad[] = {"\x01",         "\xff",
                                      "\xc0\x80",     "\xed\xa0\x80",
                                      "\xef\xbf\xbf", "\xf4\x90\x80\x80",
                                      "a\xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(&l, 0, sizeof l);
        tni_xml_out o = {.ctx = &l, .write = to_log, .err = &err};
        tni_xml_out_leaf(&o, "a", bad[i]);
        assert_int_equal(tni_xml_out_end(&o), TN_EINVAL);
    }
    static const char *const names[] = {"", "a b", "1a", "a>"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        tni_xml_out o = {.ctx = &l, .write = to_log, .err = &err};
        tni_xml_out_open(&o, names[i]);
        assert_int_equal(tni_xml_out_end(&o), TN_EINVAL);
    }
    tni_xml_out o = {.ctx = &l, .write = to_log, .err = &err};
    tni_xml_out_open(&o, "a");
    tni_xml_out_text(&o, "x", 1);
    tni_xml_out_open(&o, "b");
    assert_int_equal(tni_xml_out_end(&o), TN_EINVAL);
}

static tn_status one(void *ctx, const tn_allocator *allocator)
{
    static log_ l;
    return read_with(&l, ctx, strlen(ctx), NULL, allocator);
}

static void memory_runs_out(void **state)
{
    (void)state;
    static char text[2000];
    (void)snprintf(text, sizeof text, "<a><b>%01000d</b><c>1</c></a>", 7);
    oom_sweep(one, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements),        cmocka_unit_test(refused),
        cmocka_unit_test(limits),          cmocka_unit_test(numbers),
        cmocka_unit_test(writing),         cmocka_unit_test(refused_writing),
        cmocka_unit_test(memory_runs_out),
    };
    log_ l;
    if (read_text(&l, "<a/>") == TN_EUNSUPPORTED) {
        printf("skipped: this build has no expat\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
