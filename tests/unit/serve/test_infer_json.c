/* SPDX-License-Identifier: Apache-2.0 */
/* test_infer_json.c - requests by REST without a server: read, refused, written */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "infer_rig.h"

#include <math.h>

static tn_status read_with(rig *r, const char *json, const void *tail,
                           size_t tail_size, const char *header)
{
    const size_t n = strlen(json);
    char *all = malloc(n + tail_size + 1);
    memcpy(all, json, n);
    if (tail_size > 0) memcpy(all + n, tail, tail_size);
    assert_int_equal(rig_begin(r, all, n + tail_size), TN_OK);
    free(all);
    char text[24];
    tni_span h = {NULL, 0};
    if (tail_size > 0) {
        (void)snprintf(text, sizeof text, "%zu", n);
        h = tni_span_of(text);
    }
    if (header != NULL) h = tni_span_of(header);
    return tni_infer_read_rest(&r->q, r->body, n + tail_size, h, &r->err);
}

/* One input of `type`; its tensor. */
static const tn_tensor *one(rig *r, const char *type, const char *shape,
                            const char *data)
{
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"inputs\":[{\"name\":\"%s\",\"shape\":%s,\"datatype\":"
                   "\"%s\",\"data\":%s}],\"outputs\":[{\"name\":\"FP32\"}]}",
                   type, shape, type, data);
    if (read_with(r, json, NULL, 0, NULL) != TN_OK) return NULL;
    for (size_t i = 0; i < RIG_DTYPES; i++)
        if (strcmp(rig_names[i], type) == 0) return r->q.inputs[i];
    return NULL;
}

static void values_of_every_datatype(void **state)
{
    (void)state;
    static const struct {
        const char *type, *shape, *data, *first, *last;
    } cases[] = {
        {"BOOL", "[4]", "[true,false,0,1]", "true", "true"},
        {"UINT8", "[2]", "[0,255]", "0", "255"},
        {"UINT16", "[2]", "[ 1 , 65535 ]", "1", "65535"},
        {"UINT32", "[1,2]", "[[7,4294967295]]", "7", "4294967295"},
        {"UINT64", "[2]", "[9007199254740993,18446744073709551615]",
         "9007199254740993", "18446744073709551615"},
        {"INT8", "[2]", "[-128,127]", "-128", "127"},
        {"INT16", "[2]", "[-32768,32767]", "-32768", "32767"},
        {"INT32", "[2]", "[-2147483648,2147483647]", "-2147483648",
         "2147483647"},
        {"INT64", "[3]", "[-9223372036854775808,-0,9223372036854775807]",
         "-9223372036854775808", "9223372036854775807"},
        {"FP32", "[2,2]", "[[0.1, 1e3],\n[ -2.5,3 ]]", "0.100000001", "3"},
        {"FP32", "[4]", "[NaN,1,Infinity,-Infinity]", "nan", "-inf"},
        {"FP64", "[2]", "[0.1,1e300]", "0.10000000000000001",
         "1.0000000000000001e+300"},
        {"FP64", "[2]", "[Inf,-Inf]", "inf", "-inf"},
        {"BYTES", "[3]", "[\"a\",\"\",\"q\\\"\\u00e9\"]", "a", "q\"\xc3\xa9"},
        {"FP32", "[]", "[5.5]", "5.5", "5.5"},
        {"FP32", "[2,0]", "[]", "", ""},
        {"FP32", "[2,2]", "[1,2,3,4]", "1", "4"},
    };
    rig r;
    rig_open(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        const tn_tensor *t =
            one(&r, cases[i].type, cases[i].shape, cases[i].data);
        if (t == NULL) print_message("%s: %s\n", cases[i].data, r.err.message);
        assert_non_null(t);
        (void)tn_tensor_format(t, 0, text, sizeof text);
        assert_string_equal(text, cases[i].first);
        (void)tn_tensor_format(t, tn_tensor_len(t) - 1, text, sizeof text);
        assert_string_equal(text, cases[i].last);
    }
    rig_close(&r);
}

static void floats_are_rounded_once(void **state)
{
    (void)state;
    /* Just above the middle between 1 and the next float, by less than a
     * double can tell; and numbers below the normal ones. */
    static const char *const cases[] = {"1.00000005960464477539062500000000001",
                                        "1.000000059604644775390625",
                                        "1.17549429e-38",
                                        "1e-45",
                                        "1.4012984643e-45",
                                        "3.4028234e38",
                                        "16777217",
                                        "0.3",
                                        "123456.789"};
    rig r;
    rig_open(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char data[96];
        (void)snprintf(data, sizeof data, "[%s,%s]", cases[i], cases[i]);
        const tn_tensor *t = one(&r, "FP32", "[2]", data);
        assert_non_null(t);
        const float want = strtof(cases[i], NULL);
        const float *got = tn_tensor_cdata(t);
        assert_memory_equal(&got[0], &want, sizeof want);
        assert_memory_equal(&got[1], &want, sizeof want);
    }
    rig_close(&r);
}

/* Refused for `want`; what is bad may be so as bytes or as a request. */
static void expect(rig *r, tn_status got, tn_status want, const char *part)
{
    const bool bad = (got == TN_EINVAL || got == TN_EFORMAT) &&
                     (want == TN_EINVAL || want == TN_EFORMAT);
    if (got != want && !bad)
        print_message("%s: got %s, '%s'\n", part, tn_status_name(got),
                      r->err.message);
    assert_true(got == want || bad);
    assert_true(r->err.message[0] != '\0');
}

static void bad_values(void **state)
{
    (void)state;
    static const struct {
        const char *type, *shape, *data, *message;
        tn_status status;
    } cases[] = {
        {"FP32", "[3]", "[1,2]", "the data has 2 values, FP32[3] has 3",
         TN_EINVAL},
        {"FP32", "[2]", "[1,2,3]", "goes on behind the 2 values of FP32[2]",
         TN_EINVAL},
        {"FP32", "[-1]", "[1]", "negative dimension", TN_EINVAL},
        {"FP32", "[4611686018427387904,4]", "[1]", "too large", TN_EINVAL},
        {"FP32", "[4611686018427387904,4,0]", "[]", "too large", TN_EINVAL},
        {"FP32", "[2147483648]", "[1]", "more than the request can hold",
         TN_EINVAL},
        {"FP32", "[9223372036854775808]", "[1]", "does not fit", TN_EFORMAT},
        {"FP32", "[1.5]", "[1]", "not an integer", TN_EFORMAT},
        {"FP32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[1]",
         "more than 16 dimensions", TN_EFORMAT},
        {"FP32", "[1]", "[1e39]", "beyond the range of FP32", TN_EFORMAT},
        {"FP32", "[1]", "[\"a\"]", "a number is expected", TN_EFORMAT},
        {"FP32", "[2]", "[01,1]", "found '0'", TN_EFORMAT},
        {"FP32", "[2]", "[1.,1]", "value is expected", TN_EFORMAT},
        {"FP32", "[2]", "[1,]", "value is expected", TN_EFORMAT},
        {"FP32", "[2]", "[1,null]", "a number is expected", TN_EFORMAT},
        {"FP32", "[1]", "{}", "an array is expected", TN_EFORMAT},
        {"UINT8", "[1]", "[256]", "does not fit into UINT8", TN_EFORMAT},
        {"UINT8", "[1]", "[-1]", "does not fit into UINT8", TN_EFORMAT},
        {"INT8", "[1]", "[-129]", "does not fit into INT8", TN_EFORMAT},
        {"INT64", "[1]", "[9223372036854775808]", "fit into INT64", TN_EFORMAT},
        {"UINT64", "[1]", "[18446744073709551616]", "into UINT64", TN_EFORMAT},
        {"INT32", "[1]", "[1.0]", "not an integer", TN_EFORMAT},
        {"BOOL", "[1]", "[2]", "not true or false", TN_EFORMAT},
        {"BYTES", "[1]", "[1]", "a string is expected", TN_EFORMAT},
        {"BYTES", "[1]", "[\"\xff\"]", "UTF-8", TN_EFORMAT},
        {"FP16", "[1]", "[1]", "send it as binary data", TN_EFORMAT},
        {"BF16", "[1]", "[1]", "send it as binary data", TN_EFORMAT},
    };
    rig r;
    rig_open(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(one(&r, cases[i].type, cases[i].shape, cases[i].data));
        expect(&r, r.err.code, cases[i].status, cases[i].message);
    }
    rig_close(&r);
}

#define IN(rest)                                                               \
    "{\"inputs\":[{\"name\":\"FP32\",\"shape\":[1],\"datatype\":"              \
    "\"FP32\"," rest
#define OK_IN IN("\"data\":[1]}]")

static void bad_requests(void **state)
{
    (void)state;
    static const struct {
        const char *json, *message;
        tn_status status;
    } cases[] = {
        {"", "the text ends", TN_EFORMAT},
        {"[]", "found '['", TN_EFORMAT},
        {"{}", "no 'inputs'", TN_EINVAL},
        {OK_IN "}x", "end of the text", TN_EFORMAT},
        {OK_IN ",\"inputs\":[]}", "'inputs' is there twice", TN_EFORMAT},
        {OK_IN ",\"id\":1}", "a string is expected", TN_EFORMAT},
        {IN("\"data\":[1],\"data\":[1]}]}"), "twice", TN_EFORMAT},
        {IN("\"data\":[1]},{\"name\":\"FP32\",\"shape\":[1],\"datatype\":"
            "\"FP32\",\"data\":[1]}]}"),
         "input 'FP32': it is given twice", TN_EINVAL},
        {IN("\"data\":[1]},{\"name\":\"FP32\",\"shape\":[1],\"datatype\":"
            "\"FP32\",\"parameters\":{\"binary_data_size\":4}}]}"),
         "input 'FP32': it is given twice", TN_EINVAL},
        {IN("\"data\":[1],\"parameters\":{\"binary_data_size\":4}}]}"),
         "expected one", TN_EINVAL},
        {IN("\"x\":1}]}"), "no data", TN_EINVAL},
        {IN("\"parameters\":{\"binary_data_size\":4}}]}"), "0 bytes are left",
         TN_EINVAL},
        {IN("\"parameters\":{\"binary_data_size\":-4}}]}"),
         "not one number of bytes", TN_EINVAL},
        {IN("\"parameters\":{\"binary_data_size\":99999999999999999999}}]}"),
         "not one number of bytes", TN_EINVAL},
        {IN("\"parameters\":{\"shared_memory_region\":\"a\"}}]}"),
         "shared memory is not served", TN_EUNSUPPORTED},
        {"{\"inputs\":[{\"name\":\"zzz\",\"shape\":[1],\"datatype\":\"FP32\","
         "\"data\":[1]}]}",
         "has no input 'zzz'; it has 'FP32', 'BOOL'", TN_EINVAL},
        {"{\"inputs\":[{\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1]}]}",
         "no name", TN_EINVAL},
        {"{\"inputs\":[{\"name\":\"FP32\",\"data\":[1],\"datatype\":\"FP32\"}]"
         "}",
         "it has no shape", TN_EINVAL},
        {"{\"inputs\":[{\"name\":\"FP32\",\"data\":[1],\"shape\":[1],"
         "\"datatype\":\"FP99\"}]}",
         "'FP99' is not known", TN_EINVAL},
        {OK_IN ",\"outputs\":[{\"name\":\"no\"}]}", "has no output 'no'",
         TN_EINVAL},
        {OK_IN ",\"outputs\":[{\"name\":\"FP32\"},{\"name\":\"FP32\"}]}",
         "asked for twice", TN_EINVAL},
        {OK_IN ",\"outputs\":[{}]}", "an output has no name", TN_EINVAL},
        {OK_IN ",\"outputs\":[{\"name\":\"FP32\",\"parameters\":"
               "{\"classification\":-2}}]}",
         "a number of classes", TN_EINVAL},
        {OK_IN ",\"outputs\":[{\"name\":\"FP32\",\"parameters\":"
               "{\"shared_memory_region\":\"x\"}}]}",
         "shared memory is not served", TN_EUNSUPPORTED},
        {OK_IN ",\"parameters\":{\"sequence_id\":7}}", "state",
         TN_EUNSUPPORTED},
        {OK_IN ",\"parameters\":{\"timeout\":-1}}", "microseconds", TN_EINVAL},
        {OK_IN ",\"parameters\":{\"triton_x\":1}}", "reserved", TN_EINVAL},
        {OK_IN ",\"parameters\":{\"headers\":\"\"}}", "reserved", TN_EINVAL},
    };
    rig r;
    rig_open(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(&r, read_with(&r, cases[i].json, NULL, 0, NULL), cases[i].status,
               cases[i].message);
    char deep[400] = IN("\"data\":");
    memset(deep + strlen(deep), '[', 120);
    expect(&r, read_with(&r, deep, NULL, 0, NULL), TN_ELIMIT, "100 deep");
    rig_close(&r);
}

static void parameters_and_any_order(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    static const char json[] =
        "{\"outputs\":[{\"name\":\"INT64\"},{\"name\":\"FP16\"},"
        "{\"name\":\"FP32\",\"parameters\":{\"binary_data\":false,"
        "\"classification\":5,\"other\":1.5}}],"
        "\"inputs\":[{\"data\":[[\"]\",NaN],[-1.5,2]],\"shape\":[2],"
        "\"name\":\"BYTES\",\"datatype\":\"BYTES\"}]}";
    /* The brackets of values that are read later are passed as they are. */
    assert_int_equal(read_with(&r, json, NULL, 0, NULL), TN_EFORMAT);
    static const char good[] =
        "{\"outputs\":[{\"name\":\"INT64\"},{\"name\":\"FP16\"},"
        "{\"name\":\"FP32\",\"parameters\":{\"binary_data\":false,"
        "\"classification\":5,\"other\":1.5}}],"
        "\"inputs\":[{\"data\":[[NaN],[-1.5]],\"shape\":[2],"
        "\"name\":\"FP32\",\"datatype\":\"FP32\"},"
        "{\"data\":[\"]\\\"\",\"[\"],\"shape\":[2],\"x\":{\"y\":[]},"
        "\"name\":\"BYTES\",\"datatype\":\"BYTES\"}],"
        "\"parameters\":{\"binary_data_output\":true,\"timeout\":1500,"
        "\"priority\":2,\"mine\":\"x\",\"sequence_id\":0,"
        "\"triton_enable_empty_final_response\":true},\"id\":\"a\\nb\"}";
    assert_int_equal(read_with(&r, good, NULL, 0, NULL), TN_OK);
    assert_int_equal(r.q.timeout_us, 1500);
    assert_int_equal(r.q.priority, 2);
    assert_true(r.q.empty_final);
    assert_true(tni_span_is(r.q.id, "a\nb"));
    assert_int_equal(r.q.n_order, 3);
    assert_int_equal(r.q.order[0], 9);
    assert_true(r.q.outputs[9].binary && r.q.outputs[10].binary);
    assert_false(r.q.outputs[0].binary);
    assert_int_equal(r.q.outputs[0].classes, 5);
    assert_true(r.q.wanted[0] && !r.q.wanted[1]);
    assert_true(isnan(tn_tensor_get(r.q.inputs[0], 0)));
    assert_int_equal(((const tn_string *)tn_tensor_cdata(r.q.inputs[13]))->len,
                     2);
    rig_close(&r);
}

static void binary_inputs(void **state)
{
    (void)state;
    static const char json[] =
        "{\"inputs\":[{\"name\":\"UINT8\",\"shape\":[3],\"datatype\":"
        "\"UINT8\",\"parameters\":{\"binary_data_size\":3}},"
        "{\"name\":\"FP64\",\"shape\":[2],\"datatype\":\"FP64\","
        "\"parameters\":{\"binary_data_size\":16}},"
        "{\"name\":\"BYTES\",\"shape\":[2],\"datatype\":\"BYTES\","
        "\"parameters\":{\"binary_data_size\":11}},"
        "{\"name\":\"BOOL\",\"shape\":[2],\"datatype\":\"BOOL\","
        "\"parameters\":{\"binary_data_size\":2}},"
        "{\"name\":\"FP16\",\"shape\":[1],\"datatype\":\"FP16\","
        "\"parameters\":{\"binary_data_size\":2}}],"
        "\"outputs\":[{\"name\":\"FP32\"}]%s}";
    const double d[2] = {1.5, -2.25};
    uint8_t tail[34] = {7, 8, 9};
    memcpy(tail + 3, d, 16);
    memcpy(tail + 19, "\x02\0\0\0hi\x01\0\0\0!", 11);
    memcpy(tail + 30, "\x00\x01\x00\x3c", 4);
    rig r;
    rig_open(&r);
    /* However the JSON's length aligns what is behind it. */
    for (int pad = 0; pad < 70; pad++) {
        char text[1024], space[80];
        memset(space, ' ', sizeof space);
        space[pad] = '\0';
        (void)snprintf(text, sizeof text, json, space);
        assert_int_equal(read_with(&r, text, tail, sizeof tail, NULL), TN_OK);
        assert_memory_equal(tn_tensor_cdata(r.q.inputs[2]), tail, 3);
        assert_memory_equal(tn_tensor_cdata(r.q.inputs[11]), d, 16);
        const tn_string *s = tn_tensor_cdata(r.q.inputs[13]);
        assert_true(s[0].len == 2 && memcmp(s[0].ptr, "hi", 2) == 0);
        assert_true(s[1].len == 1 && s[1].ptr[0] == '!');
        assert_memory_equal(tn_tensor_cdata(r.q.inputs[1]), "\0\1", 2);
        assert_true(tn_tensor_get(r.q.inputs[10], 0) == 1.0);
    }
    /* Cut anywhere, or with more behind it. */
    char text[1024];
    (void)snprintf(text, sizeof text, json, "");
    for (size_t n = 1; n < sizeof tail; n++)
        expect(&r, read_with(&r, text, tail, n, NULL), TN_EINVAL, "left");
    uint8_t more[36] = {0};
    memcpy(more, tail, sizeof tail);
    expect(&r, read_with(&r, text, more, sizeof more, NULL), TN_EINVAL,
           "2 bytes are left behind");
    rig_close(&r);
}

static void bad_binary(void **state)
{
    (void)state;
    static const struct {
        const char *type, *shape, *bytes;
        size_t size;
        const char *message;
    } cases[] = {
        {"FP32", "[1]", "12345678", 8, "8 bytes of data, but FP32[1] has 4"},
        {"FP32", "[4611686018427387904]", "12345678", 8, "too large"},
        {"FP32", "[1073741824]", "12345678", 8, "8 bytes of data"},
        {"BYTES", "[1]", "\x05\0\0\0hi", 6, "passes the end"},
        {"BYTES", "[1]", "\xff\xff\xff\xff", 4, "passes the end"},
        {"BYTES", "[1]", "\1\0\0", 3, "do not fit into 3 bytes"},
        {"BYTES", "[2]", "\4\0\0\0abcd", 8, "the string 1 of 2"},
        {"BYTES", "[1]", "\1\0\0\0ab", 6, "1 bytes are left behind the last"},
        {"BYTES", "[1152921504606846976]", "\0\0\0\0", 4, "too large"},
        {"BYTES", "[0]", "\0\0\0\0", 4, "4 bytes are left"},
    };
    rig r;
    rig_open(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[256];
        (void)snprintf(json, sizeof json,
                       "{\"inputs\":[{\"name\":\"%s\",\"shape\":%s,"
                       "\"datatype\":\"%s\",\"parameters\":{\"binary_data_"
                       "size\":%zu}}]}",
                       cases[i].type, cases[i].shape, cases[i].type,
                       cases[i].size);
        expect(&r, read_with(&r, json, cases[i].bytes, cases[i].size, NULL),
               TN_EINVAL, cases[i].message);
    }
    /* The second of the same name would take the place of the first. */
    static const char twice[] =
        "{\"inputs\":[{\"name\":\"FP32\",\"shape\":[1],\"datatype\":"
        "\"FP32\",\"parameters\":{\"binary_data_size\":4}},{\"name\":"
        "\"FP32\",\"shape\":[1],\"datatype\":\"FP32\",\"parameters\":"
        "{\"binary_data_size\":4}}]}";
    expect(&r, read_with(&r, twice, "12345678", 8, NULL), TN_EINVAL, "twice");
    static const char *const headers[] = {"",    "-1",  "+1",
                                          " 1",  "1 ",  "99999999999999999999",
                                          "abc", "1e1", "100000"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        expect(&r, read_with(&r, OK_IN "}", NULL, 0, headers[i]), TN_EINVAL,
               "Inference-Header-Content-Length");
    rig_close(&r);
}

static void raw_requests(void **state)
{
    (void)state;
    static const int64_t fixed[3] = {-1, 2, -1}, two[2] = {-1, -1};
    rig r;
    rig_open(&r);
    const float x[4] = {1, 2, 3, 4};
    char bytes[17] = {0};
    memcpy(bytes, x, 16);
    expect(&r, read_with(&r, "", x, 16, "0"), TN_EINVAL, "models of one input");
    r.model.n_inputs = 1;
    r.model.max_batch_size = 8;
    r.ports[0].rank = 3;
    r.ports[0].dims = fixed;
    assert_int_equal(read_with(&r, "", x, 16, "0"), TN_OK);
    assert_int_equal(tn_tensor_rank(r.q.inputs[0]), 3);
    assert_int_equal(tn_tensor_dims(r.q.inputs[0])[0], 1);
    assert_int_equal(tn_tensor_dims(r.q.inputs[0])[2], 2);
    assert_int_equal(r.q.n_order, RIG_DTYPES);
    assert_true(r.q.outputs[10].binary);
    expect(&r, read_with(&r, "", bytes, 15, "0"), TN_EINVAL, "15 bytes");
    expect(&r, read_with(&r, "", bytes, 12, "0"), TN_EINVAL, "12 bytes");
    assert_int_equal(read_with(&r, "", bytes, 0, "0"), TN_OK);
    r.model.max_batch_size = 0;
    r.ports[0].rank = 2;
    r.ports[0].dims = two;
    expect(&r, read_with(&r, "", x, 16, "0"), TN_EINVAL, "more than one");
    r.ports[0].dtype = TN_STRING;
    r.ports[0].rank = 1;
    r.model.max_batch_size = 1;
    assert_int_equal(read_with(&r, "", "hello", 5, "0"), TN_OK);
    const tn_string *s = tn_tensor_cdata(r.q.inputs[0]);
    assert_true(s->len == 5 && memcmp(s->ptr, "hello", 5) == 0);
    r.model.max_batch_size = 0;
    r.ports[0].rank = 2;
    r.ports[0].dims = fixed + 1;
    expect(&r, read_with(&r, "", "hello", 5, "0"), TN_EINVAL, "one string");
    rig_close(&r);
}

/* --- answers -------------------------------------------------------------- */

/* The answer for outputs of the given request's order. */
static char *answer(rig *r, const char *outputs, const tn_tensor **values,
                    tni_reply *reply, size_t *size)
{
    char json[512];
    (void)snprintf(json, sizeof json, "%s,\"outputs\":%s,\"id\":\"i\\u00e9\"}",
                   OK_IN, outputs);
    assert_int_equal(read_with(r, json, NULL, 0, NULL), TN_OK);
    const tn_status s = tni_infer_write_rest(&r->q, values, reply, &r->err);
    if (s != TN_OK) {
        r->err.code = s;
        return NULL;
    }
    return rig_join(reply, size);
}

static tn_tensor *wrap(tn_dtype dtype, int64_t rows, int64_t n, void *data)
{
    const int64_t dims[2] = {rows, n};
    tn_tensor *t = NULL;
    assert_int_equal(
        tn_tensor_wrap(&t, dtype, 2, dims, data, SIZE_MAX / 2, NULL, NULL),
        TN_OK);
    return t;
}

static void answers(void **state)
{
    (void)state;
    float f[8] = {0.1F,      -3,     NAN,           INFINITY,
                  -INFINITY, 1e-10F, 3.4028235e38F, 16777216};
    double d[2] = {0.1, 1e300};
    int64_t i64[1] = {INT64_MIN};
    uint64_t u64[1] = {UINT64_MAX};
    uint8_t flags[2] = {1, 0};
    tn_string s[2] = {{"a\"\n\x01\xc3\xa9", 6}, {NULL, 0}};
    uint16_t half[1] = {0x3c00};
    const tn_tensor *values[RIG_DTYPES] = {
        [0] = wrap(TN_F32, 2, 4, f),     [1] = wrap(TN_BOOL, 1, 2, flags),
        [5] = wrap(TN_U64, 1, 1, u64),   [9] = wrap(TN_I64, 1, 1, i64),
        [10] = wrap(TN_F16, 1, 1, half), [11] = wrap(TN_F64, 1, 2, d),
        [13] = wrap(TN_STRING, 2, 1, s)};
    rig r;
    rig_open(&r);
    tni_reply reply;
    size_t size = 0;
    char *got = answer(&r,
                       "[{\"name\":\"FP64\"},{\"name\":\"FP32\"},{\"name\":"
                       "\"BOOL\"},{\"name\":\"UINT64\"},{\"name\":\"INT64\"},"
                       "{\"name\":\"BYTES\"}]",
                       values, &reply, &size);
    assert_non_null(got);
    assert_false(reply.binary);
    assert_int_equal(reply.json_bytes, size);
    assert_string_equal(
        got,
        "{\"id\":\"i\xc3\xa9\",\"model_name\":\"m\",\"model_version\":\"3\","
        "\"outputs\":["
        "{\"name\":\"FP64\",\"datatype\":\"FP64\",\"shape\":[1,2],"
        "\"data\":[0.1,1e+300]},"
        "{\"name\":\"FP32\",\"datatype\":\"FP32\",\"shape\":[2,4],"
        "\"data\":[0.1,-3,NaN,Infinity,-Infinity,1e-10,3.4028235e+38,"
        "16777216]},"
        "{\"name\":\"BOOL\",\"datatype\":\"BOOL\",\"shape\":[1,2],"
        "\"data\":[true,false]},"
        "{\"name\":\"UINT64\",\"datatype\":\"UINT64\",\"shape\":[1,1],"
        "\"data\":[18446744073709551615]},"
        "{\"name\":\"INT64\",\"datatype\":\"INT64\",\"shape\":[1,1],"
        "\"data\":[-9223372036854775808]},"
        "{\"name\":\"BYTES\",\"datatype\":\"BYTES\",\"shape\":[2,1],"
        "\"data\":[\"a\\\"\\n\\u0001\xc3\xa9\",\"\"]}]}");
    free(got);
    static const char binary[] = "{\"binary_data\":true}";
    char out[256];
    (void)snprintf(out, sizeof out,
                   "[{\"name\":\"BYTES\",\"parameters\":%s},{\"name\":\"INT64\""
                   "},{\"name\":\"FP16\",\"parameters\":%s}]",
                   binary, binary);
    got = answer(&r, out, values, &reply, &size);
    assert_non_null(got);
    assert_true(reply.binary);
    assert_int_equal(size - reply.json_bytes, 14 + 2);
    assert_memory_equal(got + reply.json_bytes,
                        "\6\0\0\0a\"\n\1\xc3\xa9\0\0\0\0\0\x3c", 16);
    got[reply.json_bytes] = '\0';
    assert_non_null(strstr(got, "\"shape\":[2,1],\"parameters\":{"
                                "\"binary_data_size\":14}}"));
    /* Views, not copies. */
    assert_ptr_equal(reply.pieces[reply.n_pieces - 1].bytes, half);
    free(got);
    s[1] = (tn_string){"\xff", 1};
    assert_null(answer(&r, "[{\"name\":\"BYTES\"}]", values, &reply, &size));
    expect(&r, r.err.code, TN_EUNSUPPORTED, "output 'BYTES': a string of it");
    for (size_t i = 0; i < RIG_DTYPES; i++) {
        union {
            const tn_tensor *in;
            tn_tensor *out;
        } v = {.in = values[i]};
        tn_tensor_free(v.out);
    }
    rig_close(&r);
}

static void long_answers_and_limits(void **state)
{
    (void)state;
    enum { N = 40000 };
    double *d = malloc(N * sizeof *d);
    for (int i = 0; i < N; i++) d[i] = i + 0.5;
    tn_tensor *t = wrap(TN_F64, 1, N, d);
    const tn_tensor *values[RIG_DTYPES] = {[11] = t};
    rig r;
    rig_open(&r);
    tni_reply reply;
    size_t size = 0;
    char *got = answer(&r, "[{\"name\":\"FP64\"}]", values, &reply, &size);
    assert_non_null(got);
    assert_true(reply.n_pieces > 1 && size == reply.json_bytes);
    const char *p = strstr(got, "\"data\":[") + 8;
    for (int i = 0; i < N; i++) {
        char *end = NULL;
        assert_true(strtod(p, &end) == d[i]);
        assert_int_equal(*end, i + 1 < N ? ',' : ']');
        p = end + 1;
    }
    for (uint64_t most = 1; most < size; most = most * 2 + 1) {
        r.q.max_answer_bytes = most;
        const tn_status s = tni_infer_write_rest(&r.q, values, &reply, &r.err);
        assert_int_equal(s, TN_ELIMIT);
    }
    free(got);
    tn_tensor_free(t);
    free(d);
    rig_close(&r);
}

static void classes(void **state)
{
    (void)state;
    static const char *const labels[] = {"cat", NULL, "dog"};
    float f[8] = {0.5F, 2, NAN, 2, 9, -1, 9.25F, 0};
    tn_tensor *t = wrap(TN_F32, 2, 4, f);
    const tn_tensor *values[RIG_DTYPES] = {[0] = t};
    static const char ask[] =
        "[{\"name\":\"FP32\",\"parameters\":{\"classification\":3}}]";
    rig r;
    rig_open(&r);
    r.ports[0].labels = labels;
    r.ports[0].n_labels = 3;
    tni_reply reply;
    size_t size = 0;
    char *got = answer(&r, ask, values, &reply, &size);
    assert_non_null(got);
    assert_non_null(strstr(got, "\"datatype\":\"BYTES\",\"shape\":[3],\"data\":"
                                "[\"9.25:6\",\"9:4\",\"2:1\"]"));
    free(got);
    r.model.max_batch_size = 4;
    got = answer(&r, ask, values, &reply, &size);
    assert_non_null(got);
    assert_non_null(
        strstr(got, "\"shape\":[2,3],\"data\":[\"2:1\",\"2:3\",\"0.5:0:cat\","
                    "\"9.25:2:dog\",\"9:0:cat\",\"0:3\"]"));
    free(got);
    got = answer(&r,
                 "[{\"name\":\"FP32\",\"parameters\":{\"classification\":"
                 "4294967295}}]",
                 values, &reply, &size);
    assert_non_null(got);
    assert_non_null(strstr(got, "\"shape\":[2,4]"));
    assert_non_null(strstr(got, "\"nan:2:dog\""));
    free(got);
    tn_tensor_free(t);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_datatype),
        cmocka_unit_test(floats_are_rounded_once),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(bad_requests),
        cmocka_unit_test(parameters_and_any_order),
        cmocka_unit_test(binary_inputs),
        cmocka_unit_test(bad_binary),
        cmocka_unit_test(raw_requests),
        cmocka_unit_test(answers),
        cmocka_unit_test(long_answers_and_limits),
        cmocka_unit_test(classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
