/* SPDX-License-Identifier: Apache-2.0 */
/* test_pbtxt.c - protobuf's text format, and ModelConfig out of it and JSON */
#include "serve/model_config.h"
#include "serve/pbtxt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tni_mem mem;
static tni_arena arena;
static tn_err err;

static int set_up(void **state)
{
    (void)state;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tni_arena_fini(&arena);
    assert_int_equal(atomic_load(&mem.used_bytes), 0);
    return 0;
}

static tn_status read_fields(tni_field **f, const char *text)
{
    memset(&err, 0, sizeof err);
    return tni_pbtxt_read(f, tni_span_of(text), &arena, &err);
}

static tn_status read_config(tni_model_config *c, const char *text, bool json)
{
    memset(&err, 0, sizeof err);
    tni_model_config_init(c);
    return tni_model_config_read(c, tni_span_of(text), json, &arena, &err);
}

static void spellings(void **state)
{
    (void)state;
    tni_field *f = NULL;
    assert_int_equal(read_fields(&f, "# first\na: [ 1, -2 ] a: 3;\n"
                                     "b { c: 'x' \"y\"\n 'z' } b: < c: "
                                     "\"\\101\\x42\\n\\\"\" >, d: [ { e: 1 "
                                     "}, { e: 2 } ] g: TYPE_FP32 h: []"),
                     TN_OK);
    static const char *const words[] = {"1", "-2", "3"};
    for (int i = 0; i < 3; i++, f = f->next) {
        assert_string_equal(f->name, "a");
        assert_string_equal(f->text, words[i]);
        assert_int_equal(f->line, 2);
    }
    assert_int_equal(f->kind, TNI_FIELD_MESSAGE);
    assert_int_equal(f->line, 3);
    assert_string_equal(f->first->text, "xyz");
    f = f->next;
    assert_string_equal(f->first->text, "AB\n\"");
    f = f->next;
    assert_string_equal(f->first->text, "1");
    f = f->next;
    assert_string_equal(f->first->text, "2");
    f = f->next;
    assert_string_equal(f->text, "TYPE_FP32");
    assert_null(f->next);
}

static void broken_text_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        int line;
    } cases[] = {
        {"a", ": or {", 1},           {"a: ", "expected", 1},
        {"\n\na {", "not closed", 3}, {"a: 'x", "does not end", 1},
        {"a: 'x\n'", "its line", 1},  {"a: '\\q'", "escape", 1},
        {"a: '\\0'", "zero", 1},      {"a: [1", ", or ]", 1},
        {"[x.y]: 1", "extens", 1},    {"}", "expected", 1},
        {"a: '\\400'", "escape", 1},  {"a: '\\", "escape", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tni_field *f = NULL;
        assert_int_equal(read_fields(&f, cases[i].text), TN_EFORMAT);
        assert_int_equal(err.line, cases[i].line);
        if (strstr(err.message, cases[i].says) == NULL)
            print_message("%s: %s\n", cases[i].text, err.message);
        assert_non_null(strstr(err.message, cases[i].says));
    }
    char deep[200] = "";
    for (int i = 0; i < 40; i++) memcpy(deep + 2 * i, "a{", 3);
    tni_field *f = NULL;
    assert_int_equal(read_fields(&f, deep), TN_ELIMIT);
}

static const char *const whole =
    "name: \"m\" backend: \"onnxruntime\" max_batch_size: 8\n"
    "input [ { name: \"x\" data_type: TYPE_FP32 dims: [ 3, -1 ] } ]\n"
    "output { name: \"y\" data_type: TYPE_INT64 dims: 10\n"
    "  label_filename: \"labels.txt\" }\n"
    "version_policy: { specific: { versions: [ 1, 3 ] } }\n"
    "instance_group [ { kind: KIND_CPU count: 4 } ]\n"
    "dynamic_batching { preferred_batch_size: [ 4, 8 ]\n"
    "  max_queue_delay_microseconds: 100 preserve_ordering: true\n"
    "  default_queue_policy { max_queue_size: 7\n"
    "    default_timeout_microseconds: 5 } }\n"
    "parameters { key: \"k\" value { string_value: \"v\" } }\n"
    "optimization { graph { level: 1 } }\n";

static void config_is_read(void **state)
{
    (void)state;
    tni_model_config c;
    assert_int_equal(read_config(&c, whole, false), TN_OK);
    assert_string_equal(c.name, "m");
    assert_true(c.has_max_batch);
    assert_int_equal(c.max_batch_size, 8);
    assert_int_equal(c.n_inputs, 1);
    assert_int_equal(c.inputs[0].rank, 2);
    assert_int_equal(c.inputs[0].dims[1], -1);
    assert_int_equal(c.outputs[0].dtype, TN_I64);
    assert_string_equal(c.outputs[0].label_filename, "labels.txt");
    assert_int_equal(c.policy, TNI_VERSIONS_SPECIFIC);
    assert_int_equal(c.versions[1], 3);
    assert_int_equal(c.n_preferred, 2);
    assert_true(c.preserve_ordering);
    assert_int_equal(c.max_queue_size, 7);
    assert_int_equal(c.default_timeout_us, 5);
    assert_string_equal(c.parameters[0].value, "v");
    assert_int_equal(c.n_notes, 2);
    assert_non_null(strstr(c.notes[1], "optimization"));
    assert_int_equal(
        read_config(&c,
                    "{\"name\":\"m\",\"max_batch_size\":4,\"input\":[{\"name\":"
                    "\"x\",\"data_type\":\"TYPE_FP32\",\"dims\":[\"3\",-1]}],"
                    "\"version_policy\":{\"all\":{}},\"parameters\":{\"k\":"
                    "{\"string_value\":\"v\"}},\"metric_tags\":{\"a\":\"b\"},"
                    "\"response_cache\":{\"enable\":false},\"runtime\":null}",
                    true),
        TN_OK);
    assert_int_equal(c.inputs[0].dims[0], 3);
    assert_int_equal(c.policy, TNI_VERSIONS_ALL);
    assert_string_equal(c.parameters[0].key, "k");
    assert_string_equal(c.metric_tags[0].value, "b");
}

static void what_is_not_done_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"\nmax_batchsize: 1", "'max_batchsize' is no field"},
        {"ensemble_scheduling { }", "join the models"},
        {"platform: 'tensorrt_plan'", "only ONNX"},
        {"instance_group { kind: KIND_GPU }", "say KIND_CPU"},
        {"instance_group { gpus: [ 0 ] }", "'gpus'"},
        {"model_transaction_policy { decoupled: true }", "'decoupled'"},
        {"input { name: 'x' reshape { shape: [] } }", "'reshape'"},
        {"input { data_type: TYPE_FP32 }", "has no name"},
        {"input { name: 'x' } input { name: 'x' }", "another one"},
        {"input { name: 'x' data_type: FP32 }", "TYPE_FP32"},
        {"input { name: 'x' dims: -2 }", "below -1"},
        {"input { name: 'x' allow_ragged_batch: true }", "say false"},
        {"max_batch_size: 1.5", "no whole number"},
        {"max_batch_size: -1", "within 0"},
        {"name: m", "put it in quotes"},
        {"input: 1", "expected a message"},
        {"default_model_filename: '../x'", "plain name"},
        {"version_policy { latest { num_versions: 0 } }", "less than one"},
        {"dynamic_batching { priority_levels: 2 }", "default_priority_level"},
        {"dynamic_batching { preferred_batch_size: 0 }", "below 1"},
        {"dynamic_batching { default_queue_policy { timeout_action: DELAY } }",
         "REJECT"},
        {"parameters { key: 'x' }", "no key or no value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tni_model_config c;
        assert_int_not_equal(read_config(&c, cases[i].text, false), TN_OK);
        if (strstr(err.message, cases[i].says) == NULL)
            print_message("%s: %s\n", cases[i].text, err.message);
        assert_non_null(strstr(err.message, cases[i].says));
    }
    tni_model_config c;
    assert_int_equal(read_config(&c, cases[0].text, false), TN_EUNSUPPORTED);
    assert_int_equal(err.line, 2);
    assert_non_null(strstr(err.message, "column 1"));
    assert_int_equal(read_config(&c, "{\"name\":", true), TN_EFORMAT);
    assert_int_equal(read_config(&c, "[]", true), TN_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(spellings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_text_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(config_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_done_is_named, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
