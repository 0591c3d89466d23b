/* SPDX-License-Identifier: Apache-2.0 */
/* test_model.c - what models decode to: values, types, functions, facts */
#include "base/err.h"
#include "harness/pb.h"
#include "harness/tmp.h"
#include "onnx/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;
static const int64_t two[] = {2};

static tn_model *open_good(const pb *m)
{
    tn_model *model = NULL;
    const tn_status status =
        tn_model_open_memory(&model, m->bytes, m->size, NULL, &err);
    if (status != TN_OK) print_message("%s: %s\n", err.where, err.message);
    assert_int_equal(status, TN_OK);
    return model;
}

static void add_tensor(pb *graph, uint32_t field, const char *name, int dtype,
                       int rank, const int64_t *dims, const void *raw,
                       size_t size)
{
    pb t = {0};
    pb_tensor(&t, name, dtype, rank, dims, raw, size);
    pb_message(graph, field, &t);
}

static const tni_tensor nothing;

/* The constant of a value, which must be there. */
static const tni_tensor *constant(const tn_model *model, const char *name)
{
    for (int i = 0; i < model->graph->n_values; i++) {
        const tni_value *v = model->graph->values[i];
        if (strcmp(v->name, name) == 0 && v->constant != NULL)
            return v->constant;
    }
    fail_msg("no constant '%s'", name);
    return &nothing;
}

/* --- the plain case ------------------------------------------------------ */

static void facts_and_types(void **state)
{
    (void)state;
    static const float w[2] = {1, 2};
    pb g = {0}, m = {0}, prop = {0};
    pb input = {0}, type = {0}, tensor = {0}, shape = {0}, dim = {0};
    pb_node(&g, 1, "", "Add", "add", "x,w", "s", NULL);
    pb_node(&g, 1, "", "Relu", "", "s", "y", NULL);
    pb_text(&g, 2, "the graph");
    add_tensor(&g, 5, "w", 1, 1, two, w, sizeof w);
    /* x: float32[batch,2] */
    pb_text(&dim, 2, "batch");
    pb_message(&shape, 1, &dim);
    pb_int(&dim, 1, 2);
    pb_message(&shape, 1, &dim);
    pb_int(&tensor, 1, 1);
    pb_message(&tensor, 2, &shape);
    pb_message(&type, 1, &tensor);
    pb_text(&input, 1, "x");
    pb_message(&input, 2, &type);
    pb_message(&g, 11, &input);
    pb_value(&g, 12, "y", 1, -1, NULL);
    pb_model(&m, &g, 13);
    pb_text(&prop, 1, "author");
    pb_text(&prop, 2, "somebody");
    pb_message(&m, 14, &prop);
    tn_model *model = open_good(&m);
    tn_model_info info = TN_MODEL_INFO_INIT;
    assert_int_equal(tn_model_get_info(model, &info), TN_OK);
    assert_string_equal(info.producer_name, "test");
    assert_string_equal(info.graph_name, "the graph");
    assert_int_equal(info.ir_version, 8);
    assert_int_equal(info.n_nodes, 2);
    assert_int_equal(info.n_ops, 2);
    assert_int_equal(info.n_unsupported, 0);
    assert_int_equal(info.weights_bytes, 8);
    assert_int_equal(tn_model_weights_bytes(model, TN_F32), 8);
    assert_int_equal(tn_model_n_inputs(model), 1);
    tn_value_info v;
    assert_int_equal(tn_model_input(model, 0, &v), TN_OK);
    assert_string_equal(v.type_text, "float32[batch,2]");
    assert_string_equal(v.dim_names[0], "batch");
    assert_null(v.dim_names[1]);
    assert_int_equal(v.dims[0], -1);
    assert_int_equal(tn_model_output(model, 0, &v), TN_OK);
    assert_string_equal(v.type_text, "float32[batch,2]");
    assert_int_equal(tn_model_output(model, 1, &v), TN_EINVAL);
    assert_int_equal(tn_model_find_input(model, "x"), 0);
    assert_int_equal(tn_model_find_input(model, "w"), -1);
    assert_int_equal(tn_model_find_output(model, "y"), 0);
    const char *a = NULL, *b = NULL;
    int64_t version = 0;
    size_t uses = 0;
    int supported = 0;
    assert_int_equal(tn_model_opset(model, 0, &a, &version), TN_OK);
    assert_string_equal(a, "ai.onnx");
    assert_int_equal(version, 13);
    assert_int_equal(tn_model_metadata(model, 0, &a, &b), TN_OK);
    assert_string_equal(b, "somebody");
    assert_int_equal(tn_model_op(model, 1, &a, &b, &uses, &supported), TN_OK);
    assert_string_equal(b, "Relu");
    assert_true(uses == 1 && supported == 1);
    tn_model_close(model);
    tn_model_close(NULL);
    pb_free(&m);
}

static void nodes_in_any_order(void **state)
{
    (void)state;
    pb g = {0}, m = {0};
    pb_node(&g, 1, "", "Relu", "last", "s", "y", NULL);
    pb_node(&g, 1, "", "Relu", "first", "x", "s", NULL);
    pb_value(&g, 11, "x", 1, 1, two);
    pb_value(&g, 12, "y", 1, 1, two);
    pb_model(&m, &g, 13);
    tn_model *model = open_good(&m);
    assert_string_equal(model->graph->nodes[0]->name, "first");
    tn_model_close(model);
    pb_free(&m);
}

static void future_versions_load(void **state)
{
    (void)state;
    pb g = {0}, m = {0};
    pb_node(&g, 1, "ai.onnx", "Relu", "", "x", "y", NULL);
    pb_value(&g, 11, "x", 1, 1, two);
    pb_value(&g, 12, "y", 1, 1, two);
    pb_model(&m, &g, 999);
    pb_int(&m, 1, 99);          /* ir_version; the last one counts */
    pb_text(&m, 4711, "field"); /* of the future */
    tn_model *model = open_good(&m);
    assert_int_equal(model->ir_version, 99);
    assert_int_equal(model->graph->nodes[0]->opset, 999);
    tn_model_close(model);
    pb_free(&m);
}

/* --- constants ----------------------------------------------------------- */

static void initializers_may_be_inputs(void **state)
{
    (void)state;
    static const float w[2] = {1, 2};
    pb g = {0}, m = {0};
    pb_node(&g, 1, "", "Add", "", "w,x", "y", NULL);
    pb_value(&g, 11, "w", 1, 1, two);
    pb_value(&g, 11, "x", 1, 1, two);
    add_tensor(&g, 5, "w", 1, 1, two, w, sizeof w);
    pb_value(&g, 12, "y", 1, 1, two);
    pb_model(&m, &g, 7);
    pb_int(&m, 1, 3);
    tn_model *model = open_good(&m);
    tn_value_info v;
    assert_int_equal(tn_model_n_inputs(model), 1);
    assert_int_equal(tn_model_input(model, 0, &v), TN_OK);
    assert_string_equal(v.name, "x");
    assert_non_null(constant(model, "w")->data);
    tn_model_close(model);
    pb_free(&m);
}

static void check_constant(pb *attrs, const char *type, double first)
{
    pb g = {0}, m = {0};
    pb_node(&g, 1, "", "Constant", "", "", "c", attrs);
    pb_value(&g, 12, "c", 1, -1, NULL);
    pb_model(&m, &g, 13);
    tn_model *model = open_good(&m);
    tn_value_info v;
    assert_int_equal(tn_model_output(model, 0, &v), TN_OK);
    assert_string_equal(v.type_text, type);
    assert_int_equal(model->graph->n_nodes, 0);
    const tni_tensor *t = constant(model, "c");
    if (t->dtype != TN_STRING) assert_true(tn_tensor_get(t, 0) == first);
    tn_model_close(model);
    pb_free(&m);
}

static void constant_nodes_become_constants(void **state)
{
    (void)state;
    pb a = {0}, t = {0}, sparse = {0}, list = {0};
    static const float f[2] = {5, 6};
    static const int64_t at[1] = {2}, one[1] = {1}, four[1] = {4};
    pb_tensor(&t, "", 1, 1, two, f, sizeof f);
    pb_attr_message(&a, "value", 4, &t);
    check_constant(&a, "float32[2]", 5);
    pb_attr_float(&a, "value_float", 0.5f);
    check_constant(&a, "float32[]", 0.5);
    pb_attr_int(&a, "value_int", -9);
    check_constant(&a, "int64[]", -9);
    pb_attr_text(&a, "value_string", "text");
    check_constant(&a, "string[]", 0);
    pb_text(&list, 1, "value_ints");
    pb_int(&list, 8, 7);
    pb_int(&list, 8, 8);
    pb_int(&list, 8, 9);
    pb_int(&list, 20, 7);
    pb_message(&a, 5, &list);
    check_constant(&a, "int64[3]", 7);
    /* Four elements, of which the third is 5. */
    pb_tensor(&t, "", 1, 1, one, f, 4);
    pb_message(&sparse, 1, &t);
    pb_tensor(&t, "", 7, 1, one, at, 8);
    pb_message(&sparse, 2, &t);
    pb_int(&sparse, 3, four[0]);
    pb_attr_message(&a, "sparse_value", 11, &sparse);
    check_constant(&a, "float32[4]", 0);
}

/* A value that the last of two constants of one name has. */
static void last_constant_wins(void **state)
{
    (void)state;
    pb g = {0}, m = {0}, a = {0};
    pb_attr_int(&a, "value_int", 1);
    pb_node(&g, 1, "", "Constant", "", "", "c", &a);
    pb_attr_int(&a, "value_int", 2);
    pb_node(&g, 1, "", "Constant", "", "", "c", &a);
    pb_value(&g, 12, "c", 7, 0, NULL);
    pb_model(&m, &g, 13);
    tn_model *model = open_good(&m);
    assert_true(tn_tensor_get(constant(model, "c"), 0) == 2);
    tn_model_close(model);
    pb_free(&m);
}

static void weights_stay_in_the_file(void **state)
{
    (void)state;
    /* Of four paddings one puts the floats on a multiple of four. */
    int in_place = 0;
    for (int padding = 0; padding < 4; padding++) {
        static const float w[2] = {1, 2};
        pb g = {0}, m = {0};
        pb_bytes(&g, 2, "names", (size_t)padding);
        add_tensor(&g, 5, "w", 1, 1, two, w, sizeof w);
        pb_value(&g, 12, "w", 1, 1, two);
        pb_model(&m, &g, 13);
        tn_model *model = open_good(&m);
        const uint8_t *p = constant(model, "w")->data;
        assert_true((uintptr_t)p % 4 == 0);
        if (p >= m.bytes && p < m.bytes + m.size) in_place++;
        assert_true(tn_tensor_get(constant(model, "w"), 1) == 2);
        tn_model_close(model);
        pb_free(&m);
    }
    assert_int_equal(in_place, 1);
}

static void every_dtype_in_typed_fields(void **state)
{
    (void)state;
    static const struct {
        int dtype;
        uint32_t field;
        int64_t stored;
        double want;
    } cases[] = {
        {2, 5, 200, 200},
        {3, 5, -3, -3},
        {4, 5, 65000, 65000},
        {5, 5, -30000, -30000},
        {6, 5, -70000, -70000},
        {7, 7, -5, -5},
        {9, 5, 1, 1},
        {10, 5, 0x3c00, 1},
        {12, 11, 4000000000, 4e9},
        {13, 11, 7, 7},
        {16, 5, 0x3f80, 1},
        {17, 5, 0x38, 1},
        {19, 5, 0x3c, 1},
        {21, 5, 0x0f, 15},
        {22, 5, 0x0f, -1},
        {23, 5, 0x02, 1},
        {25, 5, 3, 3},
        {26, 5, 3, -1},
    };
    static const int64_t one[] = {1};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pb g = {0}, m = {0}, t = {0};
        pb_tensor(&t, "w", cases[i].dtype, 1, one, NULL, 0);
        pb_int(&t, cases[i].field, cases[i].stored);
        pb_message(&g, 5, &t);
        pb_value(&g, 12, "w", cases[i].dtype, 1, one);
        pb_model(&m, &g, 13);
        tn_model *model = open_good(&m);
        assert_true(tn_tensor_get(constant(model, "w"), 0) == cases[i].want);
        tn_model_close(model);
        pb_free(&m);
    }
}

/* --- functions ----------------------------------------------------------- */

static void name_field(pb *fn, uint32_t field, const char *text)
{
    pb_text(fn, field, text);
}

/* Function "f" of domain "d": y = Relu(LeakyRelu(x, alpha = @slope)). */
static pb leaky_function(void)
{
    pb fn = {0}, a = {0}, import = {0}, preset = {0};
    name_field(&fn, 1, "f");
    name_field(&fn, 10, "d");
    name_field(&fn, 4, "x");
    name_field(&fn, 5, "y");
    pb_attr_ref(&a, "alpha", 1, "slope");
    pb_node(&fn, 7, "", "LeakyRelu", "inner", "x", "t", &a);
    pb_node(&fn, 7, "", "Relu", "", "t", "y", NULL);
    pb_int(&import, 2, 16);
    pb_message(&fn, 9, &import);
    pb_text(&preset, 1, "slope");
    pb_float(&preset, 2, 0.25f);
    pb_int(&preset, 20, 1);
    pb_message(&fn, 11, &preset);
    return fn;
}

static void functions_are_inlined(void **state)
{
    (void)state;
    pb g = {0}, m = {0}, a = {0}, fn = leaky_function();
    pb_attr_float(&a, "slope", 0.5f);
    pb_node(&g, 1, "d", "f", "call", "x", "h", &a);
    pb_node(&g, 1, "d", "f", "", "h", "y", NULL);
    pb_value(&g, 11, "x", 1, 1, two);
    pb_value(&g, 12, "y", 1, 1, two);
    pb_model(&m, &g, 13);
    pb_message(&m, 25, &fn);
    tn_model *model = open_good(&m);
    assert_int_equal(model->graph->n_nodes, 4);
    const tni_node *n = model->graph->nodes[0];
    assert_string_equal(n->op_type, "LeakyRelu");
    assert_int_equal(n->opset, 16);
    assert_true(tni_attr_float(n, "alpha", 0) == 0.5f);
    assert_non_null(strstr(n->name, "call"));
    assert_string_not_equal(n->out[0]->name,
                            model->graph->nodes[2]->out[0]->name);
    /* The second call leaves the preset value. */
    n = model->graph->nodes[2];
    assert_true(tni_attr_float(n, "alpha", 0) == 0.25f);
    assert_string_equal(model->graph->nodes[3]->out[0]->name, "y");
    tn_model_close(model);
    pb_free(&m);
}

static void function_may_pass_an_input_on(void **state)
{
    (void)state;
    pb g = {0}, m = {0}, fn = {0};
    name_field(&fn, 1, "same");
    name_field(&fn, 10, "d");
    name_field(&fn, 4, "x");
    name_field(&fn, 5, "x");
    pb_node(&g, 1, "d", "same", "", "x", "y", NULL);
    pb_value(&g, 11, "x", 1, 1, two);
    pb_value(&g, 12, "y", 1, 1, two);
    pb_model(&m, &g, 13);
    pb_message(&m, 25, &fn);
    tn_model *model = open_good(&m);
    assert_int_equal(model->graph->n_nodes, 1);
    assert_string_equal(model->graph->nodes[0]->op_type, "Identity");
    tn_model_close(model);
    pb_free(&m);
}

/* --- subgraphs ----------------------------------------------------------- */

static void subgraphs_see_outer_values(void **state)
{
    (void)state;
    pb g = {0}, m = {0}, a = {0}, yes = {0}, no = {0};
    pb_node(&yes, 1, "", "Relu", "", "x", "r", NULL);
    pb_value(&yes, 12, "r", 1, -1, NULL);
    pb_node(&no, 1, "", "Neg", "", "x", "r", NULL);
    pb_value(&no, 12, "r", 1, -1, NULL);
    pb_attr_message(&a, "then_branch", 5, &yes);
    pb_attr_message(&a, "else_branch", 5, &no);
    pb_node(&g, 1, "", "If", "if", "c", "y", &a);
    pb_value(&g, 11, "c", 9, 0, NULL);
    pb_value(&g, 11, "x", 1, 1, two);
    pb_value(&g, 12, "y", 1, -1, NULL);
    pb_model(&m, &g, 13);
    tn_model *model = open_good(&m);
    const tni_node *n = model->graph->nodes[0];
    assert_int_equal(n->n_captures, 1);
    assert_string_equal(n->captures[0]->name, "x");
    tn_value_info v;
    assert_int_equal(tn_model_output(model, 0, &v), TN_OK);
    assert_string_equal(v.type_text, "float32[2]");
    tn_model_info info = TN_MODEL_INFO_INIT;
    assert_int_equal(tn_model_get_info(model, &info), TN_OK);
    assert_int_equal(info.n_nodes, 3);
    tn_model_close(model);
    pb_free(&m);
}

/* A loop whose value grows by a dimension each time: its rank is not known,
 * whatever the first walk over the body found. */
static void loop_may_change_the_rank(void **state)
{
    (void)state;
    pb g = {0}, m = {0}, body = {0}, a = {0}, t = {0};
    static const int64_t one[] = {1}, zero = 0;
    pb_tensor(&t, "axes", 7, 1, one, &zero, 8);
    pb_message(&body, 5, &t);
    pb_node(&body, 1, "", "Unsqueeze", "", "v,axes", "w", NULL);
    pb_node(&body, 1, "", "Identity", "", "c", "d", NULL);
    pb_value(&body, 11, "i", 7, 0, NULL);
    pb_value(&body, 11, "c", 9, 0, NULL);
    pb_value(&body, 11, "v", 1, -1, NULL);
    pb_value(&body, 12, "d", 9, 0, NULL);
    pb_value(&body, 12, "w", 1, -1, NULL);
    pb_attr_message(&a, "body", 5, &body);
    pb_node(&g, 1, "", "Loop", "loop", "n,,x", "y", &a);
    pb_value(&g, 11, "n", 7, 0, NULL);
    pb_value(&g, 11, "x", 1, 1, two);
    pb_value(&g, 12, "y", 1, -1, NULL);
    pb_model(&m, &g, 13);
    tn_model *model = open_good(&m);
    tn_value_info v;
    assert_int_equal(tn_model_output(model, 0, &v), TN_OK);
    assert_string_equal(v.type_text, "float32");
    assert_int_equal(v.rank, -1);
    tn_model_close(model);
    pb_free(&m);
}

/* --- external data ------------------------------------------------------- */

static void external_entry(pb *t, const char *key, const char *text)
{
    pb e = {0};
    pb_text(&e, 1, key);
    pb_text(&e, 2, text);
    pb_message(t, 13, &e);
}

static void external_data_is_mapped_once(void **state)
{
    (void)state;
    char dir[TMP_PATH], path[TMP_PATH];
    static const float w[4] = {1, 2, 3, 4};
    pb g = {0}, m = {0};
    tmp_new(dir);
    tmp_path(path, dir, "m.onnx");
    tmp_write(dir, "w.bin", w, sizeof w);
    for (int i = 0; i < 2; i++) {
        pb t = {0};
        pb_tensor(&t, i == 0 ? "a" : "b", 1, 1, two, NULL, 0);
        external_entry(&t, "location", "w.bin");
        external_entry(&t, "offset", i == 0 ? "0" : "8");
        external_entry(&t, "length", "8");
        pb_int(&t, 14, 1);
        pb_message(&g, 5, &t);
    }
    pb_node(&g, 1, "", "Add", "", "a,b", "y", NULL);
    pb_value(&g, 12, "y", 1, -1, NULL);
    pb_model(&m, &g, 13);
    tmp_write(dir, "m.onnx", m.bytes, m.size);
    tn_model *model = NULL;
    assert_int_equal(tn_model_open(&model, path, NULL, &err), TN_OK);
    assert_int_equal(model->n_external, 1);
    const tni_tensor *b = constant(model, "b");
    assert_true(tn_tensor_get(b, 1) == 4);
    assert_ptr_equal(b->data, model->external[0].bytes + 8);
    tn_model_close(model);

    /* In memory: only with a folder. */
    assert_int_equal(tn_model_open_memory(&model, m.bytes, m.size, NULL, &err),
                     TN_EINVAL);
    assert_non_null(strstr(err.message, "base_dir"));
    tn_model_opts opts = TN_MODEL_OPTS_INIT;
    opts.base_dir = dir;
    assert_int_equal(tn_model_open_memory(&model, m.bytes, m.size, &opts, &err),
                     TN_OK);
    tn_model_close(model);
    tmp_remove(dir);
    pb_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_and_types),
        cmocka_unit_test(nodes_in_any_order),
        cmocka_unit_test(future_versions_load),
        cmocka_unit_test(initializers_may_be_inputs),
        cmocka_unit_test(constant_nodes_become_constants),
        cmocka_unit_test(last_constant_wins),
        cmocka_unit_test(weights_stay_in_the_file),
        cmocka_unit_test(every_dtype_in_typed_fields),
        cmocka_unit_test(functions_are_inlined),
        cmocka_unit_test(function_may_pass_an_input_on),
        cmocka_unit_test(subgraphs_see_outer_values),
        cmocka_unit_test(loop_may_change_the_rank),
        cmocka_unit_test(external_data_is_mapped_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
