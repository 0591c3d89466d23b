/* SPDX-License-Identifier: Apache-2.0 */
/* test_json.c - reader, writer, numbers, and the public test corpus */
#define _XOPEN_SOURCE 700
#include "base/json.h"
#include "base/num.h"
#include "base/num_fast.h"
#include "base/utf8.h"
#include "sys/file.h"

#include <dirent.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static tn_err err;

static tn_status check(const char *text, size_t len)
{
    tni_json j;
    memset(&err, 0, sizeof err);
    tni_json_init(&j, text, len, 0, &err);
    if (tni_json_skip(&j, NULL)) (void)tni_json_end(&j);
    return j.status;
}

/* Walks a value by the calls a format uses; must agree with skip. */
static void walk(tni_json *j)
{
    tni_span text;
    double d;
    bool b;
    switch (tni_json_peek(j)) {
    case '{':
        if (tni_json_enter(j, '{'))
            while (tni_json_key(j, &text)) walk(j);
        break;
    case '[':
        if (tni_json_enter(j, '['))
            while (tni_json_item(j)) walk(j);
        break;
    case '"': (void)tni_json_string(j, &text, NULL); break;
    case '0': (void)tni_json_f64(j, &d); break;
    case 't':
    case 'f': (void)tni_json_bool(j, &b); break;
    case 'n': (void)tni_json_null(j); break;
    default: (void)tni_json_skip(j, NULL); break;
    }
}

static tn_status check_walk(const char *text, size_t len)
{
    tni_json j;
    memset(&err, 0, sizeof err);
    tni_json_init(&j, text, len, 0, &err);
    walk(&j);
    (void)tni_json_end(&j);
    return j.status;
}

static void reads_a_record(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf{ \"id\": 9007199254740993, \"n\\u0061me\": \"a\\n\\ud83d"
        "\\ude00\", \"box\": [1, -2.5, 3e2],\n \"raw\": {\"x\": [[], {}]}, "
        "\"no\": null, \"yes\": true}";
    tni_json j;
    tni_span key, raw = {NULL, 0};
    int64_t id = 0;
    double box[3] = {0};
    bool yes = false, escaped = false;
    memset(&err, 0, sizeof err);
    tni_json_init(&j, text, sizeof text - 1, 0, &err);
    assert_true(tni_json_enter(&j, '{'));
    while (tni_json_key(&j, &key)) {
        if (tni_span_is(key, "id")) {
            assert_int_equal(tni_json_offset(&j), 11);
            assert_true(tni_json_i64(&j, &id));
        } else if (tni_json_text_is(key, "name")) {
            assert_true(tni_json_string(&j, &raw, &escaped));
            assert_true(escaped);
            tni_mem mem;
            tni_arena arena;
            tni_mem_init(&mem, NULL, 0);
            tni_arena_init(&arena, &mem, 256);
            size_t n = 0;
            assert_string_equal(tni_json_unescape(&arena, raw, &n),
                                "a\n\xf0\x9f\x98\x80");
            assert_int_equal(n, 6);
            tni_arena_fini(&arena);
        } else if (tni_span_is(key, "box")) {
            size_t n = 0;
            assert_true(tni_json_enter(&j, '['));
            while (tni_json_item(&j)) assert_true(tni_json_f64(&j, &box[n++]));
            assert_int_equal(n, 3);
        } else if (tni_span_is(key, "yes")) {
            assert_true(tni_json_bool(&j, &yes));
        } else if (tni_span_is(key, "no")) {
            assert_true(tni_json_null(&j));
        } else {
            assert_true(tni_json_skip(&j, &raw));
            assert_true(tni_span_is(raw, "{\"x\": [[], {}]}"));
        }
    }
    assert_true(tni_json_end(&j));
    assert_int_equal(id, INT64_C(9007199254740993));
    assert_true(box[0] == 1.0 && box[1] == -2.5 && box[2] == 300.0);
    assert_true(yes);
}

static void errors_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        int line;
    } cases[] = {
        {"{\"a\": 1,\n \"b\" 2}",
         "found '2' where ':' is expected (line 2, "
         "column 6, b)",
         2},
        {"[1, 2", "the text ends where ',' or ']' is expected", 1},
        {"[1,]", "found ']' where a value is expected", 1},
        {"{\"a\":1,}", "found '}' where a string is expected", 1},
        {"\"abc", "a string is not closed", 1},
        {"\"a\nb\"", "byte 0x0a in a string; expected \\u000a", 1},
        {"\"\\x\"", "bad escape in a string", 1},
        {"\"\xff\"", "a string is not UTF-8", 1},
        {"\"\\ud800\"", "bad escape", 1},
        {"1 2", "where the end of the text is expected", 1},
        {"nul", "where a value is expected", 1},
        {"01", "where a value is expected", 1},
        {"", "the text ends where a value is expected", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(check(cases[i].text, strlen(cases[i].text)),
                         TN_EFORMAT);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("'%s' gave '%s'", cases[i].text, err.message);
        assert_int_equal(err.line, cases[i].line);
    }
    tni_json j;
    int64_t v = 0;
    double d = 0.0;
    tni_json_init(&j, "9223372036854775808", 19, 0, &err);
    assert_false(tni_json_i64(&j, &v));
    assert_non_null(strstr(err.message, "does not fit into 64 bits"));
    tni_json_init(&j, "1.5", 3, 0, &err);
    assert_false(tni_json_i64(&j, &v));
    assert_non_null(strstr(err.message, "1.5 is not an integer"));
    tni_json_init(&j, "1e400", 5, 0, &err);
    assert_false(tni_json_f64(&j, &d));
    assert_non_null(strstr(err.message, "1e400 is beyond the range"));
    tni_json_init(&j, "{}", 2, 0, &err);
    assert_false(tni_json_enter(&j, '['));
    assert_non_null(strstr(err.message, "found '{' where an array"));
}

static void errors_say_the_path(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"annotations\": [{\"id\": 1}, {\"bbox\": [1, 2, x", ", column 45, "
                                                                "annotations[1]"
                                                                ".bbox[2])"},
        {"[[], [1, {\"a b\": {\"c\": tru", "column 24, [1][1][\"a b\"].c)"},
        {"{\"a\": {\"b\": 1}, \"c\": [", "column 23, c[0])"},
        {"{\"a\\\"\": 1, \"b", "column 12)"},
        {"nul", "column 1)"},
        {"{\"a\": [1, 2}", "column 12, a[1])"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(check(cases[i].text, strlen(cases[i].text)),
                         TN_EFORMAT);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("'%s' gave '%s'", cases[i].text, err.message);
    }
    char deep[400], path[32];
    memset(deep, '[', sizeof deep);
    tni_json_path(deep, deep + sizeof deep, path, sizeof path);
    assert_string_equal(path, "[0][0][0][0][0][0][0][0][0][0]");
}

static void depth_is_limited(void **state)
{
    (void)state;
    char text[4096];
    memset(text, '[', sizeof text);
    assert_int_equal(check(text, sizeof text), TN_ELIMIT);
    assert_non_null(strstr(err.message, "nested more than 64 deep"));
    tni_json j;
    memset(text, '[', 512);
    memset(text + 512, ']', 512);
    tni_json_init(&j, text, 1024, 100000, &err);
    assert_true(tni_json_skip(&j, NULL));
    assert_true(tni_json_end(&j));
    /* Objects and arrays mixed: a bit per level. */
    size_t n = 0;
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s",
                              i % 3 != 0 ? "[" : "{\"k\":");
    text[n++] = '1';
    for (int i = 199; i >= 0; i--) text[n++] = i % 3 != 0 ? ']' : '}';
    tni_json_init(&j, text, n, 300, &err);
    assert_true(tni_json_skip(&j, NULL));
    assert_true(tni_json_end(&j));
}

/* The block check of number arrays against the plain reader: every accepted or
 * refused text must be so for both. */
static void number_arrays(void **state)
{
    (void)state;
    static const char *const good[] = {
        "1", "-1", "0", "-0", "0.5", "10.25", " 7", "8 ", "\n9", "123456.789"};
    static const char *const bad[] = {
        "01",    "1.", ".5",  "-",    "--1", "1 2",  "",    "1-2",
        "1.2.3", "00", "-01", "1..2", "+1",  "1.-2", "- 1", "0 0"};
    enum { N_GOOD = 10, N_BAD = 16 };
    unsigned seed = 1;
    for (int round = 0; round < 20000; round++) {
        char text[1024];
        size_t n = 0;
        text[n++] = '[';
        const int items = 1 + (int)(seed >> 16) % 60;
        const int wrong = round % 2 == 0 ? -1 : (int)(seed >> 20) % items;
        for (int i = 0; i < items; i++) {
            seed = seed * 1664525u + 1013904223u;
            const char *s = i == wrong ? bad[(seed >> 16) % N_BAD]
                                       : good[(seed >> 16) % N_GOOD];
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
                                  i > 0 ? "," : "", s);
        }
        text[n++] = ']';
        /* An array of one empty item is the empty array. */
        const bool fine = wrong < 0 || (n == 2);
        char padded[1200];
        memcpy(padded, text, n);
        memset(padded + n, ' ', 80);
        if ((check(padded, n + 80) == TN_OK) != fine)
            fail_msg("%.*s: %s", (int)n, text, err.message);
        if ((check_walk(padded, n + 80) == TN_OK) != fine)
            fail_msg("walk %.*s: %s", (int)n, text, err.message);
    }
}

static tn_status keep(void *ctx, const void *bytes, size_t size, tn_err *e)
{
    (void)e;
    char *to = ctx;
    const size_t n = strlen(to);
    memcpy(to + n, bytes, size);
    to[n + size] = '\0';
    return TN_OK;
}

static void writes(void **state)
{
    (void)state;
    char text[256] = "";
    static tni_out o;
    tni_out_init(&o, keep, text, &err);
    tni_out_char(&o, '[');
    tni_out_i64(&o, INT64_MIN);
    tni_out_char(&o, ',');
    tni_out_f64(&o, 0.1);
    tni_out_char(&o, ',');
    tni_out_f64(&o, -0.0);
    tni_out_char(&o, ',');
    tni_out_json(&o, "a\"\\\n\t\x01\xc3\xbc", 8);
    tni_out_char(&o, ']');
    assert_int_equal(tni_out_flush(&o), TN_OK);
    assert_string_equal(text, "[-9223372036854775808,0.1,0,"
                              "\"a\\\"\\\\\\n\\t\\u0001\xc3\xbc\"]");
    assert_int_equal(check(text, strlen(text)), TN_OK);
    tni_out_init(&o, keep, text, &err);
    tni_out_json(&o, "a\xff", 2);
    assert_int_equal(tni_out_flush(&o), TN_EINVAL);
    assert_non_null(strstr(err.message, "not UTF-8"));
    tni_out_init(&o, keep, text, &err);
    tni_out_f64(&o, (double)NAN);
    assert_int_equal(tni_out_flush(&o), TN_EINVAL);
}

static uint64_t random64(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void shortest_round_trips(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } exact[] = {
        {0.1, "0.1"},
        {0.3, "0.3"},
        {640.0, "640"},
        {1e15, "1000000000000000"},
        {1e16, "1e+16"},
        {123.456, "123.456"},
        {1e-5, "0.00001"},
        {5e-324, "5e-324"},
        {1e-7, "1e-07"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3.0, "0.3333333333333333"},
        {2.5, "2.5"},
        {-7.25, "-7.25"},
        {9007199254740993.0, "9007199254740992"},
        {1e300, "1e+300"},
        {2251799813685248.5, "2251799813685248.5"},
        {0.5, "0.5"},
        {5e-1 + DBL_EPSILON, "0.5000000000000002"},
    };
    char text[40];
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        assert_int_equal(tni_num_shortest(text, sizeof text, exact[i].v),
                         strlen(exact[i].text));
        assert_string_equal(text, exact[i].text);
    }
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 400000; i++) {
        const uint64_t r = random64(&seed);
        double v = 0.0;
        if (i % 4 == 0)
            memcpy(&v, &r, 8);
        else if (i % 4 == 1)
            v = (double)(r >> 11) / 9007199254740992.0;
        else if (i % 4 == 2)
            v = (double)(r % 100000000u) / 1000.0;
        else
            v = (double)(r >> 11) / (double)(1 + (r & 0xffff));
        if (!(v - v == 0.0)) continue;
        const size_t n = tni_num_shortest(text, sizeof text, v);
        assert_true(n < 32 && text[n] == '\0');
        double back = 1.0;
        size_t used = 0;
        assert_true(tni_num_parse_f64(&back, &used, text, n));
        assert_int_equal(used, n);
        if (!(back == v)) fail_msg("%a became %s", v, text);
        /* The C library agrees on what the text means, and needs as many
         * digits. */
        assert_true(strtod(text, NULL) == v);
        int digits = 17;
        for (int d = 1; d < 17; d++) {
            char other[64];
            (void)snprintf(other, sizeof other, "%.*e", d - 1, v);
            if (strtod(other, NULL) == v) {
                digits = d;
                break;
            }
        }
        int mine = 0, zeros = 0;
        for (const char *p = text; *p != '\0' && *p != 'e'; p++) {
            if (*p < '0' || *p > '9') continue;
            if (mine == 0 && *p == '0') continue;
            mine++;
            zeros = *p == '0' ? zeros + 1 : 0;
        }
        if (mine - zeros > digits)
            fail_msg("%s has more digits than %d", text, digits);
    }
}

static void shortest_floats_round_trip(void **state)
{
    (void)state;
    static const struct {
        float v;
        const char *text;
    } exact[] = {{0.1F, "0.1"},
                 {1.5F, "1.5"},
                 {-0.0F, "0"},
                 {16777216.0F, "16777216"},
                 {1e-45F, "1e-45"},
                 {3.4028235e38F, "3.4028235e+38"},
                 {0.333333343F, "0.33333334"},
                 {1e10F, "10000000000"}};
    char text[40];
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) {
        assert_int_equal(tni_num_shortest_f32(text, sizeof text, exact[i].v),
                         strlen(exact[i].text));
        assert_string_equal(text, exact[i].text);
    }
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        const uint32_t r = (uint32_t)random64(&seed);
        float v = 0.0F;
        if (i % 2 == 0)
            memcpy(&v, &r, sizeof v);
        else
            v = (float)r / 4294967296.0F;
        if (!(v - v == 0.0F)) continue;
        const size_t n = tni_num_shortest_f32(text, sizeof text, v);
        assert_true(n < 32 && text[n] == '\0');
        if (!(strtof(text, NULL) == v))
            fail_msg("%a became %s", (double)v, text);
        int needed = 9, used = 0;
        for (int d = 1; d < 9; d++) {
            char other[64];
            (void)snprintf(other, sizeof other, "%.*e", d - 1, (double)v);
            if (strtof(other, NULL) == v) {
                needed = d;
                break;
            }
        }
        for (const char *p = text; *p != '\0' && *p != 'e'; p++)
            if (*p >= '0' && *p <= '9' && (used > 0 || *p != '0')) used++;
        if (strchr(text, '.') != NULL && used > needed)
            fail_msg("%s has more than %d digits", text, needed);
    }
}

static void parses_as_the_c_library(void **state)
{
    (void)state;
    uint64_t seed = 1234567;
    for (int i = 0; i < 300000; i++) {
        char text[64];
        const uint64_t a = random64(&seed), b = random64(&seed);
        const int places = (int)(b % 24);
        int n = snprintf(text, sizeof text, "%llu.%0*llu",
                         (unsigned long long)(a >> (a & 63)), places,
                         (unsigned long long)(b >> (b >> 58)));
        if (i % 5 == 0)
            n += snprintf(text + n, sizeof text - (size_t)n, "e%d",
                          (int)(b % 60) - 30);
        double v = 0.0;
        size_t used = 0;
        assert_true(tni_num_parse_f64(&v, &used, text, (size_t)n));
        assert_int_equal(used, n);
        if (!(v == strtod(text, NULL))) fail_msg("%s became %a", text, v);
    }
    /* Halfway cases, where one bit decides. */
    static const char *const ties[] = {"9007199254740993",
                                       "9007199254740993.0000000000000001",
                                       "0.50000000000000005551115123125783",
                                       "1.00000000000000011102230246251565",
                                       "4503599627370497.5",
                                       "18014398509481989",
                                       "8.5e0",
                                       "0.000001"};
    for (size_t i = 0; i < sizeof ties / sizeof ties[0]; i++) {
        double v = 0.0;
        assert_true(tni_num_parse_f64(&v, NULL, ties[i], strlen(ties[i])));
        assert_true(v == strtod(ties[i], NULL));
    }
}

/* What follows a number must not change it, wherever the text ends. */
static void plain_numbers_end_where_they_end(void **state)
{
    (void)state;
    static const char *const tails[] = {
        "",   ",",  " 12.5 ", "]",  ".",
        "..", "e",  "e5",     ".5", "\n",
        "/9", ":9", "-",      "z1", "\xb9\xb9\xb9\xb9\xb9\xb9\xb9"};
    uint64_t seed = 99;
    for (int i = 0; i < 200000; i++) {
        char text[64], whole[96];
        const uint64_t a = random64(&seed), b = random64(&seed);
        const int places = (int)(b % 11);
        const char *tail = tails[(b >> 32) % (sizeof tails / sizeof tails[0])];
        int n =
            snprintf(text, sizeof text, "%s%llu", (b >> 40 & 7) == 0 ? "-" : "",
                     (unsigned long long)(a >> 20 >> (a % 44)));
        if (places > 0)
            n += snprintf(text + n, sizeof text - (size_t)n, ".%0*llu", places,
                          (unsigned long long)(b >> 8 >> (b & 31)) %
                              (places > 9 ? 1000000000u : 10u));
        const int len = snprintf(whole, sizeof whole, "%s%s", text, tail);
        char *tight = malloc((size_t)len); /* reading further would be seen */
        assert_non_null(tight);
        memcpy(tight, whole, (size_t)len);
        char *end = NULL;
        const double want = strtod(whole, &end);
        double v = 0.0;
        const char *stop = tni_num_plain(&v, tight, tight + len);
        if (stop != NULL && (v != want || stop - tight != end - whole))
            fail_msg("'%s' became %a and %zd characters", whole, v,
                     stop - tight);
        if (stop == NULL && n < 15 && tail[0] != 'e' && end - whole < 15)
            fail_msg("'%s' is plain", whole);
        free(tight);
    }
}

/* A list of numbers, among them some that are not plain: those before the first
 * of these, or fewer at the end, are read as strtod reads them. */
static void lists_of_plain_numbers(void **state)
{
    (void)state;
    static const char *const odd[] = {"-1.5",     "1e5",         ".5", "..5",
                                      "12345678", "1.123456789", "x",  "e",
                                      "1.2.3",    "+1"};
    uint64_t seed = 5;
    for (int i = 0; i < 20000; i++) {
        char text[1200];
        const uint64_t r = random64(&seed);
        const char separator = (r & 1) != 0 ? ',' : ' ';
        size_t len = 0, n_plain = 0, plain_end = 0;
        bool plain = true;
        for (int k = 0; k < 40; k++) {
            const uint64_t a = random64(&seed);
            const size_t from = len;
            const int places = (int)(a >> 8 & 15) % 9;
            if ((a & 63) == 0) {
                plain = false;
                len +=
                    (size_t)snprintf(text + len, 20, "%s", odd[(a >> 16) % 10]);
            } else if (places == 0) {
                len += (size_t)snprintf(text + len, 20, "%u",
                                        (unsigned)(a >> 20 & 0xfffff));
            } else {
                len += (size_t)snprintf(text + len, 20, "%u.%0*u",
                                        (unsigned)(a >> 20) % 2000u, places,
                                        (unsigned)(a >> 40) %
                                            (places > 7 ? 16777216u : 10u));
            }
            assert_true(len - from < 20);
            text[len++] = separator;
            if ((a >> 60) == 0) text[len++] = ' ';
            n_plain += plain;
            if (plain) plain_end = len;
        }
        char *tight = malloc(len); /* reading further would be seen */
        double v[40];
        const char *p = tight;
        assert_non_null(tight);
        memcpy(tight, text, len);
        const size_t n =
            tni_num_list(v, 1 + (r >> 8) % 40, &p, tight + len, separator);
        assert_true(n <= 1 + (r >> 8) % 40);
        if (n > n_plain || (size_t)(p - tight) > plain_end)
            fail_msg("'%.*s': %zu", (int)len, text, n);
        if (n < n_plain && n < 1 + (r >> 8) % 40 &&
            plain_end - (size_t)(p - tight) > 19)
            fail_msg("'%.*s': only %zu", (int)len, text, n);
        char *at = text;
        text[len] = '\0';
        for (size_t k = 0; k < n; k++, at++)
            if (strtod(at, &at) != v[k]) fail_msg("'%s': %zu", text, k);
        free(tight);
    }
}

/* What is passed over is what the reader of numbers takes. */
static void lists_are_passed_over(void **state)
{
    (void)state;
    static const char *const odd[] = {"1.",    ".5", "-1", "1e3", "1..2",
                                      "1.2.3", "",   "x",  "1,2", "nan"};
    uint64_t seed = 5;
    for (int i = 0; i < 20000; i++) {
        char text[800];
        size_t len = 0, ends[41] = {0}, plain = 0;
        bool all = true;
        const uint64_t r = random64(&seed);
        for (size_t k = 0; k < 40 && k < r % 41; k++) {
            const uint64_t a = random64(&seed);
            const int places = (int)(a % 9);
            if (a >> 57 == 0) all = false;
            len += (size_t)(a >> 57 == 0
                                ? snprintf(text + len, 20, "%s", odd[a % 10])
                                : snprintf(text + len, 20, "%.*f", places,
                                           (double)(a >> 40) / 4e3));
            text[len++] = ' ';
            if (all) ends[++plain] = len;
        }
        char *tight = malloc(len + 1); /* reading further would be seen */
        assert_non_null(tight);
        memcpy(tight, text, len);
        size_t n = 0;
        const char *p = tni_num_pass(tight, tight + len, &n);
        if (n > plain || (size_t)(p - tight) != ends[n])
            fail_msg("'%.*s': %zu numbers, %zu bytes", (int)len, text, n,
                     (size_t)(p - tight));
        if (n < plain && ends[plain] - ends[n] > 128)
            fail_msg("'%.*s': only %zu", (int)len, text, n);
        free(tight);
    }
}

static void few_places_are_shortest(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int i = 0; i < 100000; i++) {
        char text[40], want[40];
        const uint64_t r = random64(&seed);
        const int places = (int)(r % 5);
        const uint64_t digits = r >> 8 >> (r >> 3 & 31);
        (void)snprintf(want, sizeof want, "%.*f", places,
                       (double)(digits % 100000000000000u) / 10000.0);
        const double v = strtod(want, NULL);
        for (int n = 1; n <= 17; n++) {
            (void)snprintf(want, sizeof want, "%.*g", n, v);
            if (strtod(want, NULL) == v) break;
        }
        (void)tni_num_shortest(text, sizeof text, v);
        if (strchr(want, 'e') == NULL && strcmp(text, want) != 0)
            fail_msg("%s instead of %s", text, want);
    }
}

static void fixed_places(void **state)
{
    (void)state;
    static const unsigned powers[8] = {1,     10,     100,     1000,
                                       10000, 100000, 1000000, 10000000};
    char text[40];
    static const struct {
        double v;
        int places;
        const char *text;
    } cases[] = {{0.5, 8, "0.5"},
                 {1.0 / 3.0, 8, "0.33333333"},
                 {2.0 / 3.0, 8, "0.66666667"},
                 {-1e-12, 8, "0"},
                 {0.478516, 8, "0.478516"},
                 {12.0, 2, "12"},
                 {-0.25, 6, "-0.25"},
                 {1e300, 8, "1e+300"},
                 {640.0, 8, "640"},
                 {1234567.75, 8, "1234567.75"},
                 {0.00012345, 8, "0.00012345"},
                 {4503599.62, 8, "4503599.62"},
                 {100.0, 0, "100"},
                 {-0.00000001, 8, "-0.00000001"},
                 {0.99999999, 8, "0.99999999"},
                 {0.1, 8, "0.1"},
                 {0.99999999999, 8, "1"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)tni_num_fixed(text, sizeof text, cases[i].v, cases[i].places);
        assert_string_equal(text, cases[i].text);
    }
    uint64_t seed = 3;
    for (int i = 0; i < 100000; i++) {
        char want[40];
        const uint64_t r = random64(&seed);
        const unsigned digits = (unsigned)(r % 100000000 / powers[r >> 61]);
        size_t n = (size_t)snprintf(want, sizeof want, "%s0.%08u",
                                    r >> 60 & 1 ? "-" : "", digits);
        while (want[n - 1] == '0') want[--n] = '\0';
        if (digits == 0) memcpy(want, "0", 2);
        const double v = digits / 1e8;
        (void)tni_num_fixed(text, sizeof text, r >> 60 & 1 ? -v : v, 8);
        assert_string_equal(text, want);
    }
}

static tn_status collect(void *ctx, const void *bytes, size_t size, tn_err *e)
{
    char *to = ctx;
    (void)e;
    memcpy(to + strlen(to), bytes, size);
    return TN_OK;
}

static void lists_of_fixed_places(void **state)
{
    (void)state;
    tni_out o;
    char text[100] = "";
    const double v[3] = {0.25, 1.0, 0.123456789}, bad[2] = {1.0, HUGE_VAL};
    tni_out_init(&o, collect, text, &err);
    tni_out_fixed_list(&o, v, 3, 8);
    assert_int_equal(tni_out_flush(&o), TN_OK);
    assert_string_equal(text, " 0.25 1 0.12345679");
    tni_out_fixed_list(&o, bad, 2, 8);
    assert_int_equal(tni_out_flush(&o), TN_EINVAL);
}

static void utf8(void **state)
{
    (void)state;
    assert_int_equal(tni_utf8_valid("abcdefgh\xc3\xbc", 10), 10);
    assert_int_equal(tni_utf8_valid("a\xc0\x80", 3), 1);
    assert_int_equal(tni_utf8_valid("a\xed\xa0\x80", 4), 1);
    assert_int_equal(tni_utf8_valid("\xf4\x90\x80\x80", 4), 0);
    assert_int_equal(tni_utf8_valid("\xf0\x9f\x98", 3), 0);
}

/* y_ must be taken and n_ refused; i_ is for the reader to choose: here
 * anything that is not UTF-8, a lone surrogate, UTF-16 or deeper than the
 * limit is refused, and a number too large only when it is asked for. */
static void public_corpus(void **state)
{
    (void)state;
    const char *top = getenv("TENON_TESTDATA");
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s/json/test_parsing",
                   top != NULL ? top : "../shared/testdata");
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        print_message("skipped: no %s (set TENON_TESTDATA)\n", folder);
        skip();
    }
    int n = 0, wrong = 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strstr(e->d_name, ".json") == NULL) continue;
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        tni_file_map m;
        assert_int_equal(tni_file_map_open(&m, path, 0, &err), TN_OK);
        const char *bytes = m.bytes != NULL ? (const char *)m.bytes : "";
        const bool ok = check(bytes, m.size) == TN_OK;
        const bool walked = check_walk(bytes, m.size) == TN_OK;
        if ((e->d_name[0] == 'y' && !(ok && walked)) ||
            (e->d_name[0] == 'n' && (ok || walked))) {
            print_message("%s: %s\n", e->d_name, ok ? "taken" : err.message);
            wrong++;
        }
        tni_file_map_close(&m);
        n++;
    }
    (void)closedir(dir);
    assert_int_equal(wrong, 0);
    assert_true(n > 300);
    print_message("%d files\n", n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_record),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(errors_say_the_path),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(number_arrays),
        cmocka_unit_test(writes),
        cmocka_unit_test(shortest_round_trips),
        cmocka_unit_test(shortest_floats_round_trip),
        cmocka_unit_test(parses_as_the_c_library),
        cmocka_unit_test(plain_numbers_end_where_they_end),
        cmocka_unit_test(lists_of_plain_numbers),
        cmocka_unit_test(few_places_are_shortest),
        cmocka_unit_test(lists_are_passed_over),
        cmocka_unit_test(fixed_places),
        cmocka_unit_test(lists_of_fixed_places),
        cmocka_unit_test(utf8),
        cmocka_unit_test(public_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
