/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_model_bad.c - broken and hostile models
 *
 * Each is refused with the status, a place and a sentence, within the limits;
 * nothing crashes, leaks or is left half made.
 */
#include "base/err.h"
#include "harness/pb.h"
#include "harness/tmp.h"
#include "tenon/model.h"
#include "tenon/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;
static const int64_t two[] = {2};

static void refuse(pb *m, const tn_limits *limits, tn_status want,
                   const char *where, const char *message)
{
    tn_model *model = NULL;
    tn_model_opts opts = TN_MODEL_OPTS_INIT;
    opts.limits = limits;
    const tn_status status =
        tn_model_open_memory(&model, m->bytes, m->size, &opts, &err);
    if (status != want || strstr(err.where, where) == NULL ||
        strstr(err.message, message) == NULL)
        print_message("%s | %s | %s\n", tn_status_name(status), err.where,
                      err.message);
    assert_int_equal(status, want);
    assert_null(model);
    assert_non_null(strstr(err.where, where));
    assert_non_null(strstr(err.message, message));
    pb_free(m);
}

/* x -> Relu 'r' -> y, and what `more` adds to the graph. */
static pb relu_model(pb *more)
{
    pb g = {0}, m = {0};
    pb_value(&g, 11, "x", 1, 1, two);
    pb_value(&g, 12, "y", 1, 1, two);
    if (more != NULL) {
        pb_raw(&g, more->bytes, more->size);
        pb_free(more);
    } else {
        pb_node(&g, 1, "", "Relu", "r", "x", "y", NULL);
    }
    pb_model(&m, &g, 13);
    return m;
}

static void graphs(void **state)
{
    (void)state;
    pb g = {0}, m;
    pb_node(&g, 1, "", "Add", "one", "x,b", "a", NULL);
    pb_node(&g, 1, "", "Relu", "two", "a", "b", NULL);
    pb_node(&g, 1, "", "Relu", "three", "b", "y", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EFORMAT, "", "cycle: node 'one' (Add)");

    pb_node(&g, 1, "", "Relu", "r", "nobody", "y", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EFORMAT, "node 0 'r' (Relu)", "'nobody'");

    pb_node(&g, 1, "", "Relu", "r", "x", "z", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EFORMAT, "", "output 'y'");

    pb_node(&g, 1, "", "Relu", "r", "x", "y", NULL);
    pb_node(&g, 1, "", "Relu", "s", "x", "y", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EFORMAT, "", "'y' is given twice");

    pb_node(&g, 1, "", "Relu", "r", "x", "x", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EFORMAT, "", "'x' is given twice");

    pb_node(&g, 1, "", "", "r", "x", "y", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EFORMAT, "node 0 'r'", "names no operator");

    pb_node(&g, 1, "", "Add", "r", "x", "y", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EFORMAT, "node 0 'r' (Add)", "inputs");
}

static void operators(void **state)
{
    (void)state;
    pb g = {0}, m;
    pb_node(&g, 1, "", "Relv", "r", "x", "y", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EUNSUPPORTED, "node 0 'r' (Relv)",
           "operator Relv of domain 'ai.onnx' version 13 is not supported; "
           "the nearest supported name is Relu");
    pb_node(&g, 1, "some.where", "Relu", "r", "x", "y", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EUNSUPPORTED, "node 0 'r' (Relu)",
           "domain 'ai.onnx' has one of that name");
    pb_node(&g, 1, "", "Mish", "r", "x", "y", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, TN_EUNSUPPORTED, "(Mish)", "version 18 on");
}

static void tensor_case(int dtype, int rank, const int64_t *dims, size_t size,
                        tn_status want, const char *message)
{
    static const uint8_t zeros[64];
    pb g = {0}, t = {0}, m;
    pb_tensor(&t, "w", dtype, rank, dims, zeros, size);
    pb_message(&g, 5, &t);
    pb_node(&g, 1, "", "Add", "a", "x,w", "y", NULL);
    m = relu_model(&g);
    refuse(&m, NULL, want, "tensor 'w'", message);
}

static void tensors(void **state)
{
    (void)state;
    static const int64_t negative[] = {-2}, huge[] = {INT64_MAX, INT64_MAX},
                         big[] = {1 << 20, 1 << 20}, many[17] = {1};
    tensor_case(1, 1, negative, 8, TN_EFORMAT, "dimension 0 is -2");
    tensor_case(1, 2, huge, 8, TN_ELIMIT, "limit");
    tensor_case(1, 2, big, 8, TN_ELIMIT, "limit");
    tensor_case(1, 17, many, 8, TN_ELIMIT, "17 dimensions");
    tensor_case(1, 1, two, 7, TN_EFORMAT, "needs 8 bytes; raw_data has 7");
    tensor_case(1, 1, two, 0, TN_EFORMAT, "needs 2 numbers in float_data");
    tensor_case(0, 1, two, 8, TN_EFORMAT, "data_type is 0");
    tensor_case(99, 1, two, 8, TN_EUNSUPPORTED, "data_type is 99");

    /* Sparse: an index outside, and dims that cannot be filled. */
    static const float f = 1;
    static const int64_t one[] = {1}, at = 9;
    for (int i = 0; i < 2; i++) {
        pb g = {0}, t = {0}, sparse = {0}, m;
        pb_tensor(&t, "w", 1, 1, one, &f, 4);
        pb_message(&sparse, 1, &t);
        pb_tensor(&t, "", 7, 1, one, &at, 8);
        pb_message(&sparse, 2, &t);
        pb_int(&sparse, 3, i == 0 ? 4 : INT64_MAX / 2);
        pb_message(&g, 15, &sparse);
        pb_node(&g, 1, "", "Add", "a", "x,w", "y", NULL);
        m = relu_model(&g);
        refuse(&m, NULL, i == 0 ? TN_EFORMAT : TN_ELIMIT, "tensor 'w'",
               i == 0 ? "outside" : "limit");
    }
}

static void external_case(const char *location, tn_status want,
                          const char *message)
{
    pb g = {0}, t = {0}, e = {0}, m;
    tn_model *model = NULL;
    tn_model_opts opts = TN_MODEL_OPTS_INIT;
    opts.base_dir = "/tmp";
    pb_tensor(&t, "w", 1, 1, two, NULL, 0);
    pb_text(&e, 1, "location");
    pb_text(&e, 2, location);
    pb_message(&t, 13, &e);
    pb_int(&t, 14, 1);
    pb_message(&g, 5, &t);
    pb_node(&g, 1, "", "Add", "a", "x,w", "y", NULL);
    m = relu_model(&g);
    assert_int_equal(tn_model_open_memory(&model, m.bytes, m.size, &opts, &err),
                     want);
    assert_non_null(strstr(err.where, "tensor 'w'"));
    assert_non_null(strstr(err.message, message));
    pb_free(&m);
}

static void external_paths(void **state)
{
    (void)state;
    external_case("tenon-there-is-no-such-file", TN_ENOTFOUND, "is missing");
    external_case("../etc/passwd", TN_EFORMAT, "'..'");
    external_case("a/../../etc/passwd", TN_EFORMAT, "'..'");
    external_case("/etc/passwd", TN_EFORMAT, "absolute");
    external_case("", TN_EFORMAT, "empty");
}

static void files(void **state)
{
    (void)state;
    char dir[TMP_PATH], path[TMP_PATH];
    tn_model *model = NULL;
    tmp_new(dir);
    tmp_path(path, dir, "m.onnx");
    assert_int_equal(tn_model_open(&model, path, NULL, &err), TN_ENOTFOUND);
    assert_non_null(strstr(err.where, path));
    assert_int_equal(tn_model_open(&model, dir, NULL, &err), TN_EIO);
    assert_non_null(strstr(err.message, "directory"));
    tmp_write(dir, "m.onnx", "", 0);
    assert_int_equal(tn_model_open(&model, path, NULL, &err), TN_EFORMAT);
    assert_non_null(strstr(err.message, "empty"));
    static const struct {
        const char *bytes, *text;
    } others[] = {
        {"PK\003\004........", "zip"},
        {"\211HDF\r\n\032\n....", "HDF5"},
        {"....ORTM....", "ORT"},
        {"version https://git-lfs.github.com/spec/v1", "git lfs pull"},
        {"hello, world", "ModelProto"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        tmp_write(dir, "m.onnx", others[i].bytes, strlen(others[i].bytes));
        assert_int_not_equal(tn_model_open(&model, path, NULL, &err), TN_OK);
        assert_non_null(strstr(err.where, path));
        assert_non_null(strstr(err.message, others[i].text));
    }
    pb m = relu_model(NULL);
    tn_limits limits = TN_LIMITS_INIT;
    tn_model_opts opts = TN_MODEL_OPTS_INIT;
    opts.limits = &limits;
    limits.max_file_bytes = m.size - 1;
    tmp_write(dir, "m.onnx", m.bytes, m.size);
    assert_int_equal(tn_model_open(&model, path, &opts, &err), TN_ELIMIT);
    limits.max_file_bytes = m.size;
    assert_int_equal(tn_model_open(&model, path, &opts, &err), TN_OK);
    tn_model_close(model);
    pb_free(&m);
    tmp_remove(dir);
}

/* If inside If, `depth` times. */
static pb nested_model(int depth)
{
    pb g = {0}, m;
    pb_node(&g, 1, "", "Relu", "", "x", "y", NULL);
    for (int i = 0; i < depth; i++) {
        pb a = {0}, other = {0}, outer = {0};
        pb_value(&g, 12, "y", 1, -1, NULL);
        pb_node(&other, 1, "", "Relu", "", "x", "z", NULL);
        pb_value(&other, 12, "z", 1, -1, NULL);
        pb_attr_message(&a, "then_branch", 5, &g);
        pb_attr_message(&a, "else_branch", 5, &other);
        pb_node(&outer, 1, "", "If", "", "c", "y", &a);
        g = outer;
    }
    pb_value(&g, 11, "c", 9, 0, NULL);
    m = relu_model(&g);
    return m;
}

static void nesting(void **state)
{
    (void)state;
    tn_limits limits = TN_LIMITS_INIT;
    tn_model *model = NULL;
    pb m = nested_model(20);
    assert_int_equal(tn_model_open_memory(&model, m.bytes, m.size, NULL, &err),
                     TN_OK);
    tn_model_close(model);
    pb_free(&m);
    m = nested_model(40);
    refuse(&m, NULL, TN_ELIMIT, "(If)", "deep");
    m = nested_model(5);
    limits.max_nesting = 4;
    refuse(&m, &limits, TN_ELIMIT, "(If)", "deep");
    m = nested_model(2000);
    refuse(&m, NULL, TN_ELIMIT, "(If)", "deep");

    /* A type inside a type inside a type. */
    pb type = {0}, value = {0}, g = {0};
    for (int i = 0; i < 500; i++) {
        pb sequence = {0}, outer = {0};
        pb_message(&sequence, 1, &type);
        pb_message(&outer, 4, &sequence);
        type = outer;
    }
    pb_text(&value, 1, "s");
    pb_message(&value, 2, &type);
    pb_message(&g, 11, &value);
    m = relu_model(&g);
    refuse(&m, NULL, TN_ELIMIT, "'s'", "deep");
}

/* A subgraph that inference does not reach, with a node that has no input:
 * passes must leave it alone. */
static void unreached_subgraph(void **state)
{
    (void)state;
    pb g = {0}, body = {0}, attrs = {0}, import = {0};
    pb_node(&body, 1, "", "Relu", "inner", "", "z", NULL);
    pb_value(&body, 12, "z", 1, 1, two);
    pb_attr_message(&attrs, "stray", 5, &body);
    pb_node(&g, 1, "com.microsoft", "Gelu", "outer", "x", "y", &attrs);
    pb m = relu_model(&g);
    pb_text(&import, 1, "com.microsoft");
    pb_int(&import, 2, 1);
    pb_message(&m, 8, &import);
    tn_model *model = NULL;
    tn_session *session = NULL;
    assert_int_equal(tn_model_open_memory(&model, m.bytes, m.size, NULL, &err),
                     TN_OK);
    assert_int_equal(tn_session_new(&session, model, NULL, &err), TN_OK);
    tn_session_free(session);
    tn_model_close(model);
    pb_free(&m);
}

/* Before opset 7 the output is like input 0, whatever input 1 is. */
static void operands_that_do_not_broadcast(void **state)
{
    (void)state;
    static const int64_t three[] = {3};
    pb g = {0}, m = {0};
    pb_value(&g, 11, "x", 1, 1, two);
    pb_value(&g, 11, "w", 1, 1, three);
    pb_value(&g, 12, "y", 1, 1, two);
    pb_node(&g, 1, "", "Add", "sum", "x,w", "y", NULL);
    pb_model(&m, &g, 6);
    tn_model *model = NULL;
    tn_session *session = NULL;
    assert_int_equal(tn_model_open_memory(&model, m.bytes, m.size, NULL, &err),
                     TN_OK);
    assert_int_equal(tn_session_new(&session, model, NULL, &err), TN_OK);
    tn_run *run = NULL;
    tn_tensor *x = NULL, *w = NULL;
    assert_int_equal(tn_run_new(&run, session, &err), TN_OK);
    assert_int_equal(tn_tensor_new(&x, TN_F32, 1, two, NULL, NULL), TN_OK);
    assert_int_equal(tn_tensor_new(&w, TN_F32, 1, three, NULL, NULL), TN_OK);
    assert_int_equal(tn_run_set_input(run, 0, x, &err), TN_OK);
    assert_int_equal(tn_run_set_input(run, 1, w, &err), TN_OK);
    assert_int_equal(tn_run_exec(run, &err), TN_EINVAL);
    assert_non_null(strstr(err.where, "'sum' (Add)"));
    assert_non_null(strstr(err.message, "broadcast"));
    tn_run_free(run);
    tn_tensor_free(x);
    tn_tensor_free(w);
    tn_session_free(session);
    tn_model_close(model);
    pb_free(&m);
}

/* --- functions ----------------------------------------------------------- */

/* Function `name`, which calls `calls` twice in a row. */
static void add_function(pb *model, const char *name, const char *calls)
{
    pb fn = {0};
    pb_text(&fn, 1, name);
    pb_text(&fn, 10, "d");
    pb_text(&fn, 4, "x");
    pb_text(&fn, 5, "y");
    pb_node(&fn, 7, "d", calls, "", "x", "t", NULL);
    pb_node(&fn, 7, "d", calls, "", "t", "y", NULL);
    pb_message(model, 25, &fn);
}

static void functions(void **state)
{
    (void)state;
    pb g = {0}, m;
    pb_node(&g, 1, "d", "f", "call", "x", "y", NULL);
    m = relu_model(&g);
    add_function(&m, "f", "g");
    add_function(&m, "g", "f");
    refuse(&m, NULL, TN_EFORMAT, "'call' (f)", "calls itself");

    pb_node(&g, 1, "d", "f", "call", "x", "y", NULL);
    m = relu_model(&g);
    add_function(&m, "f", "g");
    add_function(&m, "f", "g");
    refuse(&m, NULL, TN_EFORMAT, "", "defined twice");

    /* Each calls the next twice: 2^25 nodes, were they all made. */
    char name[16], next[16];
    pb_node(&g, 1, "d", "f0", "call", "x", "y", NULL);
    m = relu_model(&g);
    for (int i = 0; i < 25; i++) {
        (void)snprintf(name, sizeof name, "f%d", i);
        (void)snprintf(next, sizeof next, "f%d", i + 1);
        add_function(&m, name, next);
    }
    tn_limits limits = TN_LIMITS_INIT;
    limits.max_nodes = 10000;
    add_function(&m, "f25", "f26");
    refuse(&m, &limits, TN_EUNSUPPORTED, "f26", "not supported");

    pb_node(&g, 1, "d", "f0", "call", "x", "y", NULL);
    m = relu_model(&g);
    for (int i = 0; i < 25; i++) {
        pb fn = {0};
        (void)snprintf(name, sizeof name, "f%d", i);
        (void)snprintf(next, sizeof next, "f%d", i + 1);
        if (i < 24) {
            add_function(&m, name, next);
            continue;
        }
        pb_text(&fn, 1, name);
        pb_text(&fn, 10, "d");
        pb_text(&fn, 4, "x");
        pb_text(&fn, 5, "y");
        pb_node(&fn, 7, "", "Relu", "", "x", "y", NULL);
        pb_message(&m, 25, &fn);
    }
    refuse(&m, &limits, TN_ELIMIT, "'call' (f0)", "10000 nodes");
}

/* --- size ---------------------------------------------------------------- */

static void long_chain(void **state)
{
    (void)state;
    enum { n = 100000 };
    pb g = {0}, m;
    char from[16] = "x", to[16];
    for (int i = 0; i < n; i++) {
        (void)snprintf(to, sizeof to, i + 1 < n ? "v%d" : "y", i);
        pb_node(&g, 1, "", "Relu", "", from, to, NULL);
        memcpy(from, to, sizeof from);
    }
    m = relu_model(&g);
    tn_model *model = NULL;
    assert_int_equal(tn_model_open_memory(&model, m.bytes, m.size, NULL, &err),
                     TN_OK);
    tn_model_info info = TN_MODEL_INFO_INIT;
    assert_int_equal(tn_model_get_info(model, &info), TN_OK);
    assert_int_equal(info.n_nodes, n);
    tn_model_close(model);
    tn_limits limits = TN_LIMITS_INIT;
    tn_model_opts opts = TN_MODEL_OPTS_INIT;
    opts.limits = &limits;
    limits.max_nodes = n - 1;
    assert_int_equal(tn_model_open_memory(&model, m.bytes, m.size, &opts, &err),
                     TN_ELIMIT);
    limits.max_nodes = 0;
    limits.max_total_bytes = 1 << 20;
    assert_int_equal(tn_model_open_memory(&model, m.bytes, m.size, &opts, &err),
                     TN_ENOMEM);
    pb_free(&m);
}

/* --- broken bytes -------------------------------------------------------- */

/* A model with a little of everything. */
static pb rich_model(void)
{
    static const float w[2] = {1, 2};
    pb g = {0}, t = {0}, a = {0}, m, fn = {0};
    pb_attr_float(&a, "alpha", 0.5f);
    pb_node(&g, 1, "", "LeakyRelu", "leaky", "x", "h", &a);
    pb_attr_int(&a, "value_int", 3);
    pb_node(&g, 1, "", "Constant", "", "", "k", &a);
    pb_node(&g, 1, "", "Add", "sum", "h,w", "s", NULL);
    pb_node(&g, 1, "d", "f0", "call", "s", "y", NULL);
    pb_tensor(&t, "w", 1, 1, two, w, sizeof w);
    pb_message(&g, 5, &t);
    m = relu_model(&g);
    pb_text(&fn, 1, "f0");
    pb_text(&fn, 10, "d");
    pb_text(&fn, 4, "x");
    pb_text(&fn, 5, "y");
    pb_node(&fn, 7, "", "Relu", "", "x", "y", NULL);
    pb_message(&m, 25, &fn);
    return m;
}

/* Opens a copy of just the bytes, so that a sanitizer sees every overrun. */
static tn_status open_copy(const uint8_t *bytes, size_t size,
                           const tn_model_opts *opts)
{
    uint8_t *copy = malloc(size != 0 ? size : 1);
    assert_non_null(copy);
    if (size != 0) memcpy(copy, bytes, size);
    tn_model *model = NULL;
    const tn_status status =
        tn_model_open_memory(&model, copy, size, opts, &err);
    if (status != TN_OK) {
        assert_null(model);
        assert_true(err.message[0] != '\0');
        assert_int_equal(err.code, status);
    }
    tn_model_close(model);
    free(copy);
    return status;
}

static void truncations(void **state)
{
    (void)state;
    pb m = rich_model();
    assert_int_equal(open_copy(m.bytes, m.size, NULL), TN_OK);
    for (size_t n = 0; n < m.size; n++) {
        /* A cut between two fields leaves a shorter model; what follows the
         * graph is not needed unless the graph calls it. */
        const tn_status status = open_copy(m.bytes, n, NULL);
        assert_true(status == TN_EFORMAT || status == TN_EUNSUPPORTED);
    }
    pb_free(&m);
}

static void bit_flips(void **state)
{
    (void)state;
    pb m = rich_model();
    tn_limits limits = TN_LIMITS_INIT;
    tn_model_opts opts = TN_MODEL_OPTS_INIT;
    opts.limits = &limits;
    limits.max_total_bytes = 1 << 22;
    for (size_t bit = 0; bit < 8 * m.size; bit++) {
        m.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)open_copy(m.bytes, m.size, &opts);
        m.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    pb_free(&m);
}

/* --- memory -------------------------------------------------------------- */

typedef struct scarce {
    long left; /* allocations that succeed */
    long live;
} scarce;

static void *scarce_alloc(void *ctx, size_t size, size_t align)
{
    scarce *s = ctx;
    if (s->left-- <= 0) return NULL;
    s->live++;
    size = (size + align - 1) / align * align;
    return aligned_alloc(align < 16 ? 16 : align,
                         (size + 15) / 16 * 16 + (size == 0 ? 16 : 0));
}

static void scarce_free(void *ctx, void *ptr, size_t size, size_t align)
{
    scarce *s = ctx;
    (void)size;
    (void)align;
    s->live--;
    free(ptr);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    pb m = rich_model();
    tn_status status = TN_ENOMEM;
    for (long n = 0; status != TN_OK; n++) {
        scarce s = {n, 0};
        const tn_allocator allocator = {&s, scarce_alloc, scarce_free};
        tn_model_opts opts = TN_MODEL_OPTS_INIT;
        opts.allocator = &allocator;
        status = open_copy(m.bytes, m.size, &opts);
        assert_true(status == TN_OK || status == TN_ENOMEM);
        assert_int_equal(s.live, 0);
        assert_true(n < 1000);
    }
    pb_free(&m);
}

/* --- lenient ------------------------------------------------------------- */

static void lenient_keeps_unknown_operators(void **state)
{
    (void)state;
    char dir[TMP_PATH], path[TMP_PATH];
    pb g = {0}, m;
    pb_node(&g, 1, "", "Relu", "a", "x", "h", NULL);
    pb_node(&g, 1, "my.own", "Thing", "b", "h", "y", NULL);
    m = relu_model(&g);
    tmp_new(dir);
    tmp_path(path, dir, "m.onnx");
    tmp_write(dir, "m.onnx", m.bytes, m.size);
    tn_model *model = NULL;
    assert_int_equal(tn_model_open(&model, path, NULL, &err), TN_EUNSUPPORTED);
    assert_int_equal(tn_model_open_lenient(&model, path, NULL, &err), TN_OK);
    const char *domain = NULL, *name = NULL;
    size_t uses = 0;
    int supported = 1;
    assert_int_equal(tn_model_op(model, 1, &domain, &name, &uses, &supported),
                     TN_OK);
    assert_string_equal(domain, "my.own");
    assert_string_equal(name, "Thing");
    assert_int_equal(supported, 0);
    tn_model_info info = TN_MODEL_INFO_INIT;
    assert_int_equal(tn_model_get_info(model, &info), TN_OK);
    assert_int_equal(info.n_unsupported, 1);
    tn_model_close(model);
    pb_free(&m);
    tmp_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graphs),
        cmocka_unit_test(operators),
        cmocka_unit_test(tensors),
        cmocka_unit_test(external_paths),
        cmocka_unit_test(files),
        cmocka_unit_test(nesting),
        cmocka_unit_test(unreached_subgraph),
        cmocka_unit_test(operands_that_do_not_broadcast),
        cmocka_unit_test(functions),
        cmocka_unit_test(long_chain),
        cmocka_unit_test(truncations),
        cmocka_unit_test(bit_flips),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(lenient_keeps_unknown_operators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
