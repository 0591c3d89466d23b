/* SPDX-License-Identifier: Apache-2.0 */
/* test_session.c - plan, run, limits, threads, allocation failures */
#include "harness/oom.h"
#include "harness/rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

/* y = Softmax(Relu(x W + b)), shapes from Shape and Reshape, x[n, 8]. */
static pb mlp_model(void)
{
    pb graph = {0}, model = {0}, w = {0}, b = {0}, attrs = {0};
    const int64_t in[2] = {-1, 8}, out[2] = {-1, 4};
    const int64_t w_dims[2] = {8, 4}, b_dims[1] = {4};
    float weights[32], bias[4];
    for (int i = 0; i < 32; i++) weights[i] = (float)(i % 7) * 0.25f - 0.5f;
    for (int i = 0; i < 4; i++) bias[i] = (float)i * 0.125f;
    pb_node(&graph, 1, "", "MatMul", "mm", "x,w", "a", NULL);
    pb_node(&graph, 1, "", "Add", "add", "a,b", "c", NULL);
    pb_node(&graph, 1, "", "Relu", "act", "c", "d", NULL);
    pb_node(&graph, 1, "", "Shape", "shape", "d", "s", NULL);
    pb_node(&graph, 1, "", "Reshape", "reshape", "d,s", "e", NULL);
    pb_attr_int(&attrs, "axis", -1);
    pb_node(&graph, 1, "", "Softmax", "soft", "e", "y", &attrs);
    pb_tensor(&w, "w", TN_F32, 2, w_dims, weights, sizeof weights);
    pb_message(&graph, 5, &w);
    pb_tensor(&b, "b", TN_F32, 1, b_dims, bias, sizeof bias);
    pb_message(&graph, 5, &b);
    pb_value(&graph, 11, "x", TN_F32, 2, in);
    pb_value(&graph, 12, "y", TN_F32, 2, out);
    pb_model(&model, &graph, 17);
    return model;
}

/* y = NonZero(x): its shape depends on values. */
static pb nonzero_model(void)
{
    pb graph = {0}, model = {0};
    const int64_t in[1] = {-1}, out[2] = {1, -1};
    pb_node(&graph, 1, "", "NonZero", "nz", "x", "y", NULL);
    pb_value(&graph, 11, "x", TN_F32, 1, in);
    pb_value(&graph, 12, "y", TN_I64, 2, out);
    pb_model(&model, &graph, 17);
    return model;
}

static tn_tensor *make_input(int64_t rows, int64_t columns)
{
    return rig_input(2, (int64_t[2]){rows, columns});
}

static void rows_sum_to_one(void **state)
{
    (void)state;
    rig r = rig_own(mlp_model(), NULL);
    for (int64_t n = 1; n < 6; n += 2) {
        tn_tensor *x = make_input(n, 8);
        (void)rig_run(&r, x);
        const tn_tensor *y = tn_run_output(r.run, 0);
        assert_int_equal(tn_tensor_len(y), n * 4);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0.0;
            for (int64_t k = 0; k < 4; k++) sum += tn_tensor_get(y, i * 4 + k);
            assert_true(fabs(sum - 1.0) < 1e-6);
        }
        tn_tensor_free(x);
    }
    rig_close(&r);
}

static void same_bits_everywhere(void **state)
{
    (void)state;
    tn_tensor *x = make_input(33, 8);
    float first[33 * 4];
    for (int threads = 1; threads <= 4; threads++) {
        tn_session_opts opts = TN_SESSION_OPTS_INIT;
        opts.n_threads = threads;
        rig r = rig_own(mlp_model(), &opts);
        (void)rig_run(&r, x);
        const void *y = tn_tensor_cdata(tn_run_output(r.run, 0));
        if (threads == 1)
            memcpy(first, y, sizeof first);
        else
            assert_memory_equal(first, y, sizeof first);
        /* A row alone gives the bits it has in the batch. */
        tn_tensor *row = make_input(1, 8);
        memcpy(tn_tensor_data(row), (const float *)tn_tensor_cdata(x) + 8 * 8,
               8 * sizeof(float));
        (void)rig_run(&r, row);
        assert_memory_equal(first + 8 * 4,
                            tn_tensor_cdata(tn_run_output(r.run, 0)),
                            4 * sizeof(float));
        tn_tensor_free(row);
        rig_close(&r);
    }
    tn_tensor_free(x);
}

static void reference_agrees(void **state)
{
    (void)state;
    tn_tensor *x = make_input(5, 8);
    tn_session_opts plain = TN_SESSION_OPTS_INIT;
    plain.flags = TN_SESSION_REFERENCE | TN_SESSION_NO_OPTIMIZE;
    rig fast = rig_own(mlp_model(), NULL), slow = rig_own(mlp_model(), &plain);
    (void)rig_run(&fast, x);
    (void)rig_run(&slow, x);
    tn_diff d;
    assert_int_equal(tn_tensor_compare(&d, tn_run_output(fast.run, 0),
                                       tn_run_output(slow.run, 0), 1e-5, 1e-6,
                                       &err),
                     TN_OK);
    assert_int_equal(d.n_bad, 0);
    rig_close(&fast);
    rig_close(&slow);
    tn_tensor_free(x);
}

static void warm_run_allocates_nothing(void **state)
{
    (void)state;
    oom_allocator a;
    oom_init(&a, 0, 0);
    pb bytes = mlp_model();
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.allocator = &a.allocator;
    opts.n_threads = 2;
    rig r = rig_own(bytes, &opts);
    tn_tensor *x = make_input(7, 8);
    assert_int_equal(tn_run_set_input(r.run, 0, x, &err), TN_OK);
    assert_int_equal(tn_run_prepare(r.run, &err), TN_OK);
    const size_t before = a.n_calls;
    for (int i = 0; i < 10; i++)
        assert_int_equal(tn_run_exec(r.run, &err), TN_OK);
    assert_int_equal(a.n_calls, before);
    tn_plan_info info = TN_PLAN_INFO_INIT;
    assert_int_equal(tn_run_plan_info(r.run, &info), TN_OK);
    assert_int_equal(info.n_dynamic_steps, 0);
    assert_true(info.peak_bytes > 0);
    rig_close(&r);
    tn_tensor_free(x);
    assert_int_equal(a.n_live, 0);
}

static void shapes_from_values(void **state)
{
    (void)state;
    oom_allocator a;
    oom_init(&a, 0, 0);
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.allocator = &a.allocator;
    rig r = rig_own(nonzero_model(), &opts);
    const int64_t dims[1] = {6};
    float data[6] = {0, 1, 0, 2, 3, 0};
    tn_tensor *x = NULL;
    assert_int_equal(
        tn_tensor_wrap(&x, TN_F32, 1, dims, data, sizeof data, NULL, &err),
        TN_OK);
    (void)rig_run(&r, x);
    const tn_tensor *y = tn_run_output(r.run, 0);
    assert_int_equal(tn_tensor_dims(y)[1], 3);
    assert_int_equal((int)tn_tensor_get(y, 1), 3);
    data[0] = 5.0f;
    (void)rig_run(&r, x);
    assert_int_equal(tn_tensor_dims(tn_run_output(r.run, 0))[1], 4);
    const size_t before = a.n_calls;
    for (int i = 0; i < 10; i++) (void)rig_run(&r, x);
    assert_int_equal(a.n_calls, before);
    tn_tensor_free(x);
    rig_close(&r);
    assert_int_equal(a.n_live, 0);
}

static void refuses_wrong_inputs(void **state)
{
    (void)state;
    rig r = rig_own(mlp_model(), NULL);
    assert_int_equal(tn_run_exec(r.run, &err), TN_EINVAL);
    assert_non_null(strstr(err.message, "'x' is not given"));
    tn_tensor *wide = make_input(2, 9);
    assert_int_equal(tn_run_set_input(r.run, 0, wide, &err), TN_EINVAL);
    assert_non_null(strstr(err.message, "float32[2,9]"));
    assert_int_equal(tn_run_set_input(r.run, 5, wide, &err), TN_EINVAL);
    tn_tensor *ints = NULL;
    const int64_t dims[2] = {1, 8};
    assert_int_equal(tn_tensor_new(&ints, TN_I64, 2, dims, NULL, &err), TN_OK);
    assert_int_equal(tn_run_set_input(r.run, 0, ints, &err), TN_EINVAL);
    assert_non_null(strstr(err.message, "int64"));
    assert_null(tn_run_output(r.run, 0));
    tn_tensor_free(ints);
    tn_tensor_free(wide);
    rig_close(&r);
}

static void holds_the_memory_limit(void **state)
{
    (void)state;
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.run_limit_bytes = 64 << 10;
    rig r = rig_own(mlp_model(), &opts);
    tn_tensor *big = make_input(100000, 8), *small = make_input(2, 8);
    assert_int_equal(tn_run_set_input(r.run, 0, big, &err), TN_OK);
    assert_int_equal(tn_run_prepare(r.run, &err), TN_ELIMIT);
    (void)rig_run(&r, small);
    tn_tensor_free(big);
    tn_tensor_free(small);
    rig_close(&r);
}

static void runs_in_given_memory(void **state)
{
    (void)state;
    static _Alignas(64) unsigned char memory[1 << 14];
    oom_allocator a;
    oom_init(&a, 0, 0);
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.allocator = &a.allocator;
    rig r = rig_own(mlp_model(), &opts), own = rig_own(mlp_model(), NULL);
    tn_tensor *x = make_input(9, 8), *big = make_input(4000, 8);
    tn_plan_info info = TN_PLAN_INFO_INIT;
    (void)rig_run(&own, x);
    assert_int_equal(tn_run_plan_info(own.run, &info), TN_OK);
    const size_t need = (size_t)info.peak_bytes;
    assert_true(need > 0 && need <= sizeof memory);
    assert_int_equal(tn_run_set_memory(r.run, memory + 1, 64, &err), TN_EINVAL);
    assert_int_equal(tn_run_set_memory(r.run, memory, need - 1, &err), TN_OK);
    assert_int_equal(tn_run_set_input(r.run, 0, x, &err), TN_OK);
    assert_int_equal(tn_run_prepare(r.run, &err), TN_ELIMIT);
    assert_non_null(strstr(err.message, "were given to the run"));
    assert_int_equal(tn_run_set_memory(r.run, memory, need, &err), TN_OK);
    (void)rig_run(&r, x);
    const tn_tensor *y = tn_run_output(r.run, 0);
    const unsigned char *at = tn_tensor_cdata(y);
    assert_true(at >= memory && at < memory + need);
    assert_memory_equal(at, tn_tensor_cdata(tn_run_output(own.run, 0)),
                        tn_tensor_size(y));
    assert_int_equal(tn_run_set_input(r.run, 0, big, &err), TN_OK);
    assert_int_equal(tn_run_exec(r.run, &err), TN_ELIMIT);
    assert_int_equal(tn_run_set_memory(r.run, NULL, 0, &err), TN_OK);
    assert_null(tn_run_output(r.run, 0));
    (void)rig_run(&r, big);
    rig_close(&r);
    rig_close(&own);
    tn_tensor_free(x);
    tn_tensor_free(big);
    assert_int_equal(a.n_live, 0);
}

/* Bytes that a session holds after runs of so many shapes. */
static size_t held_after(int64_t shapes, uint64_t cache_bytes)
{
    oom_allocator a;
    oom_init(&a, 0, 0);
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.allocator = &a.allocator;
    opts.plan_cache_bytes = cache_bytes;
    opts.n_threads = 1;
    rig r = rig_own(mlp_model(), &opts);
    for (int64_t n = shapes; n > 0; n--) {
        tn_tensor *x = make_input(n, 8);
        (void)rig_run(&r, x);
        tn_tensor_free(x);
    }
    const size_t held = a.live_bytes;
    rig_close(&r);
    assert_int_equal(a.n_live, 0);
    return held;
}

static void forgets_plans_over_the_limit(void **state)
{
    (void)state;
    const size_t one = held_after(1, 0), many = held_after(60, 0);
    const size_t plan = (many - one) / 59;
    assert_true(plan > 0);
    const size_t few = held_after(60, 3 * plan);
    assert_true(few < one + 4 * plan);
    assert_true(held_after(60, 1) < one + plan);
}

static void profiles_every_step(void **state)
{
    (void)state;
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.flags = TN_SESSION_PROFILE;
    rig r = rig_own(mlp_model(), &opts);
    tn_tensor *x = make_input(3, 8);
    for (int i = 0; i < 4; i++) (void)rig_run(&r, x);
    assert_true(tn_run_profile_len(r.run) > 0);
    tn_profile_row row;
    assert_int_equal(tn_run_profile(r.run, 0, &row), TN_OK);
    assert_int_equal(row.calls, 4);
    assert_true(row.min_ns <= row.total_ns);
    tn_tensor_free(x);
    rig_close(&r);
}

static void keeps_values(void **state)
{
    (void)state;
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.flags = TN_SESSION_KEEP_VALUES;
    rig r = rig_own(mlp_model(), &opts);
    tn_tensor *x = make_input(2, 8);
    (void)rig_run(&r, x);
    const tn_tensor *a = tn_run_value(r.run, "a"),
                    *d = tn_run_value(r.run, "d");
    assert_non_null(a);
    assert_non_null(d);
    assert_true(tn_tensor_get(d, 0) >= 0.0);
    assert_null(tn_run_value(r.run, "nobody"));
    tn_tensor_free(x);
    rig_close(&r);
}

typedef struct sweep_ctx {
    const pb *bytes;
    const tn_tensor *x;
} sweep_ctx;

/* Load, plan and run with the given allocator. */
static tn_status whole_life(void *ctx, const tn_allocator *allocator)
{
    const sweep_ctx *s = ctx;
    tn_model_opts mo = TN_MODEL_OPTS_INIT;
    tn_session_opts so = TN_SESSION_OPTS_INIT;
    mo.allocator = so.allocator = allocator;
    so.n_threads = 2;
    tn_model *model = NULL;
    tn_session *session = NULL;
    tn_run *run = NULL;
    tn_status status = tn_model_open_memory(&model, s->bytes->bytes,
                                            s->bytes->size, &mo, &err);
    if (status == TN_OK) status = tn_session_new(&session, model, &so, &err);
    if (status == TN_OK) status = tn_run_new(&run, session, &err);
    if (status == TN_OK) status = tn_run_set_input(run, 0, s->x, &err);
    if (status == TN_OK) status = tn_run_exec(run, &err);
    tn_run_free(run);
    tn_session_free(session);
    tn_model_close(model);
    return status;
}

static void survives_allocation_failures(void **state)
{
    (void)state;
    pb a = mlp_model(), b = nonzero_model();
    tn_tensor *x = make_input(3, 8), *v = NULL;
    const int64_t dims[1] = {5};
    assert_int_equal(tn_tensor_new(&v, TN_F32, 1, dims, NULL, &err), TN_OK);
    sweep_ctx first = {&a, x}, second = {&b, v};
    oom_sweep(whole_life, &first);
    oom_sweep(whole_life, &second);
    tn_tensor_free(x);
    tn_tensor_free(v);
    pb_free(&a);
    pb_free(&b);
}

/* y = Cast(Cast(x, half) * 1, float): computed in float32 throughout, no cast
 * rounds; the half z that leaves the graph does (docs/decisions/0006). */
static void casts_to_halves_and_back(void **state)
{
    (void)state;
    static const uint16_t one = 0x3c00;
    const int64_t dims[2] = {1, 8};
    pb graph = {0}, model = {0}, w = {0}, to_half = {0}, to_float = {0};
    pb_attr_int(&to_half, "to", TN_F16);
    pb_attr_int(&to_float, "to", TN_F32);
    pb_node(&graph, 1, "", "Cast", "down", "x", "a", &to_half);
    pb_node(&graph, 1, "", "Mul", "mul", "a,w", "z", NULL);
    pb_node(&graph, 1, "", "Cast", "up", "z", "y", &to_float);
    pb_tensor(&w, "w", TN_F16, 0, NULL, &one, sizeof one);
    pb_message(&graph, 5, &w);
    pb_value(&graph, 11, "x", TN_F32, 2, dims);
    pb_value(&graph, 12, "y", TN_F32, 2, dims);
    pb_value(&graph, 12, "z", TN_F16, 2, dims);
    pb_model(&model, &graph, 17);
    rig r = rig_own(model, NULL);
    tn_tensor *x = make_input(1, 8);
    ((float *)tn_tensor_data(x))[3] = 1.0001f;
    (void)rig_run(&r, x);
    const tn_tensor *y = tn_run_output(r.run, 0), *z = tn_run_output(r.run, 1);
    for (int64_t i = 0; i < 8; i++)
        assert_true(tn_tensor_get(y, i) == tn_tensor_get(x, i));
    assert_true(tn_tensor_get(z, 3) == 1.0);
    tn_tensor_free(x);
    rig_close(&r);
}

/* Two moves in a row read a rounded product; one alone does not (0007). */
static void moves_round_halves(void **state)
{
    (void)state;
    static const uint16_t factor = 0x3c01; /* 1 + 2^-10 */
    const int64_t dims[2] = {1, 8};
    for (int moves = 1; moves <= 2; moves++) {
        pb graph = {0}, model = {0}, w = {0}, to_half = {0}, to_float = {0};
        pb_attr_int(&to_half, "to", TN_F16);
        pb_attr_int(&to_float, "to", TN_F32);
        pb_node(&graph, 1, "", "Cast", "down", "x", "a", &to_half);
        pb_node(&graph, 1, "", "Mul", "one", "a,w", "b", NULL);
        pb_node(&graph, 1, "", "Transpose", "move", "b", "c", NULL);
        if (moves == 2)
            pb_node(&graph, 1, "", "Transpose", "again", "c", "d", NULL);
        pb_node(&graph, 1, "", "Mul", "two", moves == 2 ? "d,w" : "c,w", "e",
                NULL);
        pb_node(&graph, 1, "", "Cast", "up", "e", "y", &to_float);
        pb_tensor(&w, "w", TN_F16, 0, NULL, &factor, sizeof factor);
        pb_message(&graph, 5, &w);
        pb_value(&graph, 11, "x", TN_F32, 2, dims);
        pb_value(&graph, 12, "y", TN_F32, -1, NULL);
        pb_model(&model, &graph, 17);
        rig r = rig_own(model, NULL);
        tn_tensor *x = make_input(1, 8);
        ((float *)tn_tensor_data(x))[3] = 1.0f + 1.0f / 1024.0f;
        (void)rig_run(&r, x);
        const double f = 1.0 + 1.0 / 1024.0;
        /* f f is 1 + 2^-9 + 2^-20, and a half has 10 digits. */
        const double product = moves == 2 ? 1.0 + 1.0 / 512.0 : f * f;
        assert_true(tn_tensor_get(tn_run_output(r.run, 0), 3) ==
                    (double)(float)(product * f));
        tn_tensor_free(x);
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(casts_to_halves_and_back),
        cmocka_unit_test(moves_round_halves),
        cmocka_unit_test(rows_sum_to_one),
        cmocka_unit_test(same_bits_everywhere),
        cmocka_unit_test(reference_agrees),
        cmocka_unit_test(warm_run_allocates_nothing),
        cmocka_unit_test(shapes_from_values),
        cmocka_unit_test(refuses_wrong_inputs),
        cmocka_unit_test(holds_the_memory_limit),
        cmocka_unit_test(runs_in_given_memory),
        cmocka_unit_test(forgets_plans_over_the_limit),
        cmocka_unit_test(profiles_every_step),
        cmocka_unit_test(keeps_values),
        cmocka_unit_test(survives_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
