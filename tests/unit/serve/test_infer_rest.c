/* SPDX-License-Identifier: Apache-2.0 */
/* Inference by REST: JSON, binary and raw requests, and what is refused. */
#include "api_rig.h"

#include <unistd.h>

#define PATH "/v2/models/digits/infer"

static void start(api_rig *r, ask *q)
{
    rig_new(r);
    rig_put(r, "digits.onnx", "digits-pytorch");
    rig_put(r, "penguins.onnx", "penguins-sklearn");
    rig_start(r);
    ask_new(q);
}

static void finish(api_rig *r, ask *q)
{
    ask_free(q);
    rig_free(r);
}

/* "[0,0,…]" of n values. */
static const char *zeros(char *buf, int n)
{
    char *at = buf;
    *at++ = '[';
    for (int i = 0; i < n; i++) {
        if (i > 0) *at++ = ',';
        *at++ = '0';
    }
    *at++ = ']';
    *at = '\0';
    return buf;
}

static int infer(ask *q, api_rig *r, const char *fmt, ...) TN_PRINTF(3, 4);
static int infer(ask *q, api_rig *r, const char *fmt, ...)
{
    char body[16384];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(body, sizeof body, fmt, args);
    va_end(args);
    return ask_for(q, r, "POST", PATH, body);
}

static void json_is_answered(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    char z[512], first[4096];
    start(&r, &q);
    zeros(z, 64);
    assert_int_equal(infer(&q, &r,
                           "{\"id\":\"a\\u00e9\\\"\",\"inputs\":[{\"name\":"
                           "\"image\",\"shape\":[1,1,8,8],\"datatype\":"
                           "\"FP32\",\"data\":%s}]}",
                           z),
                     200);
    assert_string_equal(q.type, "application/json");
    assert_says(&q, "{\"id\":\"a\xc3\xa9\\\"\",\"model_name\":\"digits\","
                    "\"model_version\":\"1\",\"outputs\":[{\"name\":\"logits\","
                    "\"datatype\":\"FP32\",\"shape\":[1,10],\"data\":[");
    assert_says(&q, "{\"name\":\"probability\"");
    (void)snprintf(first, sizeof first, "%s", strstr(q.text, "\"outputs\""));
    /* Nested, spaced, its fields in another order, one output. */
    char nested[1024] = "[[[";
    for (int i = 0; i < 8; i++)
        (void)snprintf(nested + strlen(nested), sizeof nested - strlen(nested),
                       "%s[0, 0e0,0.0, -0,0,0, 0,0]", i > 0 ? " , " : "");
    (void)snprintf(nested + strlen(nested), sizeof nested - strlen(nested),
                   "]]]");
    assert_int_equal(
        infer(&q, &r,
              " { \"outputs\" : [ {\"name\":\"logits\"} ], \"unknown\": [{}], "
              "\"parameters\":{\"priority\":1,\"timeout\":10000000,\"mine\":"
              "\"x\"},\"inputs\":[{\"data\":%s,\"datatype\":\"FP32\",\"shape\":"
              "[1,1,8,8],\"name\":\"image\"}]}",
              nested),
        200);
    assert_null(strstr(q.text, "probability"));
    const char *data = strstr(q.text, "\"data\"");
    assert_non_null(data);
    assert_non_null(strstr(first, "\"data\""));
    const size_t n = (size_t)(strchr(data, ']') - data);
    assert_memory_equal(strstr(first, "\"data\""), data, n);
    /* It was counted. */
    assert_int_equal(ask_for(&q, &r, "GET", "/v2/models/digits/stats", NULL),
                     200);
    assert_says(&q, "\"inference_count\":2,");
    assert_says(&q, "\"batch_stats\":[{\"batch_size\":1,");
    finish(&r, &q);
}

static void text_is_answered(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    start(&r, &q);
    ask_body(&q,
             "{\"inputs\":[{\"name\":\"island\",\"shape\":[2,1],\"datatype\":"
             "\"BYTES\",\"data\":[[\"Torgersen\"],[\"Dre\\u0061m\"]]},"
             "{\"name\":\"sex\",\"shape\":[2,1],\"datatype\":\"BYTES\","
             "\"data\":[\"male\",\"male\"]},"
             "{\"name\":\"bill_length_mm\",\"shape\":[2,1],\"datatype\":"
             "\"FP32\",\"data\":[41.5,52]},"
             "{\"name\":\"bill_depth_mm\",\"shape\":[2,1],\"datatype\":"
             "\"FP32\",\"data\":[18.5,18.1]},"
             "{\"name\":\"flipper_length_mm\",\"shape\":[2,1],\"datatype\":"
             "\"FP32\",\"data\":[201,201]},"
             "{\"name\":\"body_mass_g\",\"shape\":[2,1],\"datatype\":"
             "\"FP32\",\"data\":[4300,4050]}]}");
    assert_true(ask_begin(&q, &r, "POST", "/v2/models/penguins/infer"));
    assert_int_equal(ask_wait(&q), 200);
    assert_says(&q, "\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"Adelie\","
                    "\"Chinstrap\"]");
    finish(&r, &q);
}

/* JSON, then 64 floats at any offset; what stands behind them is cut. */
static int binary(ask *q, api_rig *r, const char *json, size_t extra, float v)
{
    static char length[24];
    const size_t n = strlen(json);
    memcpy(q->body, json, n);
    for (size_t i = 0; i < 64 + extra; i++)
        memcpy(q->body + n + 4 * i, &v, sizeof v);
    q->size = n + 256 + 4 * extra;
    (void)snprintf(length, sizeof length, "%zu", n);
    ask_header(q, "inference-header-content-length", length);
    (void)ask_begin(q, r, "POST", PATH);
    return ask_wait(q);
}

static void binary_is_answered(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    start(&r, &q);
    float want[10];
    for (size_t pad = 0; pad < 9; pad++) { /* at any alignment */
        char json[512];
        (void)snprintf(json, sizeof json,
                       "{\"inputs\":[{\"name\":\"image\",\"shape\":[1,1,8,8],"
                       "\"datatype\":\"FP32\",\"parameters\":{\"binary_data_"
                       "size\":256}}],\"parameters\":{\"binary_data_output\":"
                       "true}%*s}",
                       (int)pad, "");
        assert_int_equal(binary(&q, &r, json, 0, 3.0F), 200);
        assert_string_equal(q.type, "application/octet-stream");
        const size_t n =
            strtoul(ask_value(&q, "inference-header-content-length"), NULL, 10);
        assert_int_equal(q.text_size, n + 80);
        assert_says(&q, "\"parameters\":{\"binary_data_size\":40}}");
        if (pad == 0) memcpy(want, q.text + n, sizeof want);
        assert_memory_equal(want, q.text + n, sizeof want);
    }
    /* One binary, the other not. */
    const char *mixed =
        "{\"inputs\":[{\"name\":\"image\",\"shape\":[1,1,8,8],\"datatype\":"
        "\"FP32\",\"parameters\":{\"binary_data_size\":256}}],\"outputs\":[{"
        "\"name\":\"probability\",\"parameters\":{\"binary_data\":false}},{"
        "\"name\":\"logits\",\"parameters\":{\"binary_data\":true}}]}";
    assert_int_equal(binary(&q, &r, mixed, 0, 3.0F), 200);
    const size_t n =
        strtoul(ask_value(&q, "inference-header-content-length"), NULL, 10);
    assert_int_equal(q.text_size, n + 40);
    assert_memory_equal(want, q.text + n, sizeof want);
    assert_true(strstr(q.text, "probability") < strstr(q.text, "logits"));
    /* Raw: the body is the tensor. */
    for (int i = 0; i < 64; i++) {
        const float v = 3.0F;
        memcpy(q.body + 4 * i, &v, sizeof v);
    }
    q.size = 256;
    ask_header(&q, "inference-header-content-length", "0");
    assert_true(ask_begin(&q, &r, "POST", PATH));
    assert_int_equal(ask_wait(&q), 200);
    const size_t raw =
        strtoul(ask_value(&q, "inference-header-content-length"), NULL, 10);
    assert_memory_equal(want, q.text + raw, sizeof want);
    finish(&r, &q);
}

static void classes_are_named(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    char z[512];
    start(&r, &q);
    assert_int_equal(
        infer(&q, &r,
              "{\"inputs\":[{\"name\":\"image\",\"shape\":[2,1,8,8],"
              "\"datatype\":\"FP32\",\"data\":%s}],\"outputs\":[{\"name\":"
              "\"probability\",\"parameters\":{\"classification\":3}}]}",
              zeros(z, 128)),
        200);
    assert_says(&q, "\"datatype\":\"BYTES\",\"shape\":[2,3],\"data\":[\"0.");
    int colons = 0;
    for (const char *p = strstr(q.text, "\"data\":[") + 8; *p != ']'; p++)
        colons += *p == ':';
    assert_int_equal(colons, 6);
    finish(&r, &q);
}

static void requests_are_refused(void **state)
{
    (void)state;
#define IN(fields) "{\"inputs\":[{" fields "}]}"
#define GOOD       "\"name\":\"image\",\"shape\":[1,1,8,8],\"datatype\":\"FP32\""
    static const struct {
        const char *body, *says;
        int status;
    } rows[] = {
        {"", "", 400},
        {"[]", "", 400},
        {"{", "", 400},
        {"{}", "no inputs", 400},
        {"{\"inputs\":[]}", "no inputs", 400},
        {IN(""), "no name", 400},
        {IN("\"name\":\"image\""), "no shape", 400},
        {IN("\"name\":\"image\",\"shape\":[1]"), "no datatype", 400},
        {IN(GOOD), "neither data nor binary_data_size", 400},
        {IN(GOOD ",\"data\":[1],\"parameters\":{\"binary_data_size\":4}"), "",
         400},
        {IN("\"name\":\"picture\",\"shape\":[1],\"datatype\":\"FP32\","
            "\"data\":[1]"),
         "no input 'picture'; expected one of 'image'", 400},
        {IN(GOOD ",\"data\":[1,2,3]"), "fewer values than the 64", 400},
        {IN("\"name\":\"image\",\"shape\":[2],\"datatype\":\"FP32\",\"data\":"
            "[1,2,3]"),
         "more values than the 2", 400},
        {IN("\"name\":\"image\",\"shape\":[2],\"datatype\":\"FP32\",\"data\":"
            "[1,\"2\"]"),
         "a number", 400},
        {IN("\"name\":\"image\",\"shape\":[1],\"datatype\":\"FP128\",\"data\":"
            "[1]"),
         "FP128", 400},
        {IN("\"name\":\"image\",\"shape\":[1],\"datatype\":\"FP16\",\"data\":"
            "[1]"),
         "binary", 400},
        {IN("\"name\":\"image\",\"shape\":[-1],\"datatype\":\"FP32\",\"data\":"
            "[]"),
         "dimension of -1", 400},
        {IN("\"name\":\"image\",\"shape\":[4294967296,4294967296,16],"
            "\"datatype\":\"FP32\",\"data\":[]"),
         "more elements than can be counted", 400},
        {IN("\"name\":\"image\",\"shape\":[1000000000000],\"datatype\":"
            "\"FP32\",\"data\":[]"),
         "fewer values", 400},
        {IN("\"name\":\"image\",\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
            "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
            "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],\"datatype\":\"FP32\",\"data\":["
            "1]"),
         "dimensions", 400},
        {IN("\"name\":\"image\",\"shape\":[1.5],\"datatype\":\"FP32\","
            "\"data\":[1]"),
         "", 400},
        {IN("\"name\":\"image\",\"shape\":[2],\"datatype\":\"INT8\",\"data\":"
            "[1,128]"),
         "outside the range of INT8", 400},
        {IN("\"name\":\"image\",\"shape\":[1],\"datatype\":\"UINT64\","
            "\"data\":[18446744073709551616]"),
         "UINT64", 400},
        {IN("\"name\":\"image\",\"shape\":[1],\"datatype\":\"UINT64\","
            "\"data\":[18446744073709551615]"),
         "expected float32", 400},
        {IN("\"name\":\"image\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":"
            "[1]"),
         "expected [-1,1,8,8]", 400},
        {IN(GOOD ",\"parameters\":{\"shared_memory_region\":\"r\"}"),
         "shared memory", 501},
        {IN(GOOD ",\"parameters\":{\"binary_data_size\":8}"),
         "0 bytes are left", 400},
        {IN(GOOD ",\"parameters\":{\"binary_data_size\":-8}"),
         "number of bytes", 400},
        {"{\"parameters\":{\"sequence_id\":7},\"inputs\":[]}", "sequence_id",
         501},
        {"{\"parameters\":{\"timeout\":\"x\"},\"inputs\":[]}", "microseconds",
         400},
        {"{\"inputs\":[],\"outputs\":[{\"name\":\"nothing\"}]}",
         "no output 'nothing'", 400},
        {"{\"inputs\":[],\"outputs\":[{\"name\":\"logits\"},{\"name\":"
         "\"logits\"}]}",
         "asked for twice", 400},
        {"{\"inputs\":[{" GOOD ",\"data\":[1]},{" GOOD ",\"data\":[1]}]}", "",
         400},
    };
    api_rig r;
    ask q;
    start(&r, &q);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int got = infer(&q, &r, "%s", rows[i].body);
        if (got != rows[i].status || strstr(q.text, rows[i].says) == NULL)
            fail_msg("%s\ngave %d: %s", rows[i].body, got, q.text);
    }
    /* Nesting is bounded, and costs no stack beyond. */
    char deep[4096];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(infer(&q, &r, "{\"inputs\":[{" GOOD ",\"data\":%s", deep),
                     400);
    assert_int_equal(infer(&q, &r, "{\"x\":%s", deep), 400);
    /* Lengths that lie. */
    static const char *const lengths[] = {
        "", "-1", "abc", "99999999", "18446744073709551617", "1 "};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ask_header(&q, "inference-header-content-length", lengths[i]);
        assert_int_equal(infer(&q, &r, "{\"inputs\":[]}"), 400);
    }
    /* Bytes behind the last input. */
    const char *json =
        "{\"inputs\":[{" GOOD ",\"parameters\":{\"binary_data_size\":256}}]}";
    assert_int_equal(binary(&q, &r, json, 1, 0.0F), 400);
    assert_says(&q, "4 bytes behind its last");
    /* A raw request of a wrong size, and of a model with several inputs. */
    ask_header(&q, "inference-header-content-length", "0");
    assert_int_equal(infer(&q, &r, "abc"), 400);
    ask_header(&q, "inference-header-content-length", "0");
    ask_body(&q, "abc");
    (void)ask_begin(&q, &r, "POST", "/v2/models/penguins/infer");
    assert_int_equal(ask_wait(&q), 400);
    /* Too late, said at once. */
    finish(&r, &q);
}

static void strings_are_walked(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *says;
    } rows[] = {
        {"", 0, "too few"},
        {"\x01\0\0", 3, "too few"},
        {"\x02\0\0\0a", 5, "2 bytes long, but 1 are left"},
        {"\xff\xff\xff\xff", 4, "4294967295 bytes long"},
        {"\x01\0\0\0ab", 6, "1 bytes behind"},
    };
    api_rig r;
    ask q;
    start(&r, &q);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char json[256], length[24];
        (void)snprintf(json, sizeof json,
                       "{\"inputs\":[{\"name\":\"island\",\"shape\":[1,1],"
                       "\"datatype\":\"BYTES\",\"parameters\":{\"binary_data_"
                       "size\":%zu}}]}",
                       rows[i].size);
        ask_body(&q, json);
        (void)snprintf(length, sizeof length, "%zu", q.size);
        memcpy(q.body + q.size, rows[i].bytes, rows[i].size);
        q.size += rows[i].size;
        ask_header(&q, "inference-header-content-length", length);
        (void)ask_begin(&q, &r, "POST", "/v2/models/penguins/infer");
        assert_int_equal(ask_wait(&q), 400);
        if (strstr(q.text, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].says, q.text);
    }
    finish(&r, &q);
}

static void the_file_may_shrink(void **state)
{
    (void)state;
    api_rig r;
    ask q;
    char z[512], path[TMP_PATH];
    start(&r, &q);
    tmp_path(path, r.dir, "digits.onnx");
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(
        infer(&q, &r,
              "{\"inputs\":[{\"name\":\"image\",\"shape\":[8,1,8,8],"
              "\"datatype\":\"FP32\",\"data\":[%s]}]}",
              zeros(z, 128)),
        400);
    assert_int_equal(
        infer(&q, &r,
              "{\"inputs\":[{\"name\":\"image\",\"shape\":[2,1,8,8],"
              "\"datatype\":\"FP32\",\"data\":%s}]}",
              zeros(z, 128)),
        200);
    finish(&r, &q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_answered),
        cmocka_unit_test(text_is_answered),
        cmocka_unit_test(binary_is_answered),
        cmocka_unit_test(classes_are_named),
        cmocka_unit_test(requests_are_refused),
        cmocka_unit_test(strings_are_walked),
        cmocka_unit_test(the_file_may_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
