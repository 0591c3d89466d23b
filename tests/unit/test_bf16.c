/* SPDX-License-Identifier: Apache-2.0 */
/* test_bf16.c - sessions with bfloat16 products: error, same bits, reports */
#include "harness/rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

enum { batch = 3, channels = 7, side = 9, wide = 33, tokens = 5, hidden = 31 };

/* Values in (-1, 1) of which no two neighbours are alike. */
static float *numbers(size_t n, uint32_t seed, float scale)
{
    float *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = ((float)(seed >> 8) * 0x1p-23f - 1.0f) * scale;
    }
    return x;
}

/* Scaled by the terms of a sum, so that values keep their size. */
static void weights(pb *graph, const char *name, int rank, const int64_t *dims,
                    int64_t terms, uint32_t seed)
{
    pb w = {0};
    size_t len = 1;
    for (int i = 0; i < rank; i++) len *= (size_t)dims[i];
    float *x = numbers(len, seed, 2.4f / sqrtf((float)terms));
    pb_tensor(&w, name, TN_F32, rank, dims, x, len * sizeof *x);
    pb_message(graph, 5, &w);
    free(x);
}

/* A residual block; kernels of 2x3 are not for Winograd. */
static pb residual_model(void)
{
    pb graph = {0}, model = {0}, same = {0};
    pb_attr_text(&same, "auto_pad", "SAME_UPPER");
    pb_node(&graph, 1, "", "Conv", "out", "x,w1,b", "a", NULL);
    pb_node(&graph, 1, "", "Relu", "relu1", "a", "ar", NULL);
    pb_node(&graph, 1, "", "Conv", "spread", "ar,w2", "c", &same);
    pb_node(&graph, 1, "", "Relu", "relu2", "c", "cr", NULL);
    pb_node(&graph, 1, "", "Conv", "back", "cr,w3", "d", NULL);
    pb_node(&graph, 1, "", "Conv", "short", "x,w4", "e", NULL);
    pb_node(&graph, 1, "", "Add", "add", "d,e", "y", NULL);
    weights(&graph, "w1", 4, (int64_t[]){wide, channels, 1, 1}, channels, 1);
    weights(&graph, "b", 1, (int64_t[]){wide}, 9, 2);
    weights(&graph, "w2", 4, (int64_t[]){wide, wide, 2, 3}, wide * 6, 3);
    weights(&graph, "w3", 4, (int64_t[]){wide, wide, 1, 1}, wide, 4);
    weights(&graph, "w4", 4, (int64_t[]){wide, channels, 1, 1}, channels, 5);
    pb_value(&graph, 11, "x", TN_F32, 4, (int64_t[]){-1, channels, side, side});
    pb_value(&graph, 12, "y", TN_F32, 4, (int64_t[]){-1, wide, side, side});
    pb_model(&model, &graph, 17);
    return model;
}

/* Half a transformer's layer: scores of x with itself, then feed-forward. */
static pb transformer_model(void)
{
    pb graph = {0}, model = {0}, turn = {0}, perm = {0};
    const int64_t dims[3] = {-1, tokens, hidden}, h = hidden;
    const int64_t order[3] = {0, 2, 1};
    /* AttributeProto: name 1, ints 8, type 20 (INTS 7). */
    pb_text(&perm, 1, "perm");
    for (int i = 0; i < 3; i++) pb_int(&perm, 8, order[i]);
    pb_int(&perm, 20, 7);
    pb_message(&turn, 5, &perm);
    pb_node(&graph, 1, "", "MatMul", "query", "x,wq", "q", NULL);
    pb_node(&graph, 1, "", "Transpose", "turn", "x", "k", &turn);
    pb_node(&graph, 1, "", "MatMul", "up", "q,w1", "u", NULL);
    pb_node(&graph, 1, "", "Add", "bias", "u,b", "ub", NULL);
    pb_node(&graph, 1, "", "Tanh", "act", "ub", "t", NULL);
    pb_node(&graph, 1, "", "MatMul", "down", "t,w2", "d", NULL);
    pb_node(&graph, 1, "", "Add", "residual", "d,x", "r", NULL);
    pb_node(&graph, 1, "", "MatMul", "self", "r,k", "s", NULL);
    pb_node(&graph, 1, "", "Softmax", "softmax", "s", "p", NULL);
    pb_node(&graph, 1, "", "MatMul", "mix", "p,r", "m", NULL);
    pb_node(&graph, 1, "", "Add", "out", "m,r", "y", NULL);
    weights(&graph, "wq", 2, (int64_t[]){h, h}, h, 1);
    weights(&graph, "w1", 2, (int64_t[]){h, 4 * h}, h, 2);
    weights(&graph, "b", 1, (int64_t[]){4 * h}, 9, 3);
    weights(&graph, "w2", 2, (int64_t[]){4 * h, h}, 4 * h, 4);
    pb_value(&graph, 11, "x", TN_F32, 3, dims);
    pb_value(&graph, 12, "y", TN_F32, 3, dims);
    pb_model(&model, &graph, 17);
    return model;
}

/* y = x w, for reports. */
static pb product_model(void)
{
    pb graph = {0}, model = {0};
    pb_node(&graph, 1, "", "MatMul", "product", "x,w", "y", NULL);
    weights(&graph, "w", 2, (int64_t[]){hidden, wide}, hidden, 1);
    pb_value(&graph, 11, "x", TN_F32, 2, (int64_t[]){-1, hidden});
    pb_value(&graph, 12, "y", TN_F32, 2, (int64_t[]){-1, wide});
    pb_model(&model, &graph, 17);
    return model;
}

static rig open_rig(pb bytes, uint32_t flags, uint32_t isa, int threads)
{
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.flags = flags;
    opts.isa_mask = isa;
    opts.n_threads = threads;
    return rig_own(bytes, &opts);
}

static tn_tensor *input(int rank, const int64_t *dims, const float *data)
{
    tn_tensor *x = NULL;
    size_t len = 1;
    for (int i = 0; i < rank; i++) len *= (size_t)dims[i];
    assert_int_equal(tn_tensor_new(&x, TN_F32, rank, dims, NULL, &err), TN_OK);
    memcpy(tn_tensor_data(x), data, len * sizeof *data);
    return x;
}

static size_t bf16_steps(const rig *r)
{
    tn_plan_info info = TN_PLAN_INFO_INIT;
    assert_int_equal(tn_run_plan_info(r->run, &info), TN_OK);
    return info.n_bf16_steps;
}

/* The largest error is within 1/32 of the root mean square, the mean error
 * within 1/128: operands are rounded to 8 bits, sums are not. */
static void check_error(const tn_tensor *got, const tn_tensor *want, size_t n)
{
    const float *y = tn_tensor_cdata(got), *z = tn_tensor_cdata(want);
    double square = 0, sum = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        const double e = fabs((double)y[i] - (double)z[i]);
        square += (double)z[i] * (double)z[i];
        sum += e;
        if (e > most) most = e;
    }
    const double rms = sqrt(square / (double)n);
    assert_true(most > 0);
    assert_true(most <= rms / 32);
    assert_true(sum / (double)n <= rms / 128);
}

/* A model under test. */
typedef struct subject {
    pb (*make)(void);
    int rank;
    const int64_t *dims; /* of a batch */
    size_t out_len;      /* of one of a batch */
    size_t n_products;
    bool only_products; /* what else there is has the same bits everywhere */
} subject;

/* Each of the batch alone answers as it does among the others. */
static void check_places(const subject *s, rig *r, const float *data,
                         size_t len, const float *want)
{
    int64_t dims[4];
    memcpy(dims, s->dims, (size_t)s->rank * sizeof *dims);
    dims[0] = 1;
    for (size_t k = 0; k < batch; k++) {
        tn_tensor *one = input(s->rank, dims, data + k * len);
        const tn_tensor *y = rig_run(r, one);
        assert_memory_equal(want + k * s->out_len, tn_tensor_cdata(y),
                            s->out_len * sizeof *want);
        tn_tensor_free(one);
    }
}

/* All products that can be are in bfloat16; plain C answers what VDPBF16PS
 * does, for any number of threads and any place in the batch, and so does
 * every processor. */
static void check_model(const subject *s)
{
    const size_t size = batch * s->out_len * sizeof(float);
    size_t len = 1;
    for (int i = 1; i < s->rank; i++) len *= (size_t)s->dims[i];
    float *data = numbers(batch * len, 7, 1.0f), *first = malloc(size);
    assert_non_null(first);
    tn_tensor *all = input(s->rank, s->dims, data);
    rig plain = open_rig(s->make(), 0, TN_ISA_REF, 1);
    const tn_tensor *want = rig_run(&plain, all);
    assert_int_equal(bf16_steps(&plain), 0);
    for (int i = 0; i < 6; i++) {
        const uint32_t isa = i < 3 ? TN_ISA_REF : TN_ISA_NATIVE;
        rig r = open_rig(s->make(), TN_SESSION_BF16, isa, 1 + i % 3);
        const tn_tensor *y = rig_run(&r, all);
        check_error(y, want, batch * s->out_len);
        assert_int_equal(bf16_steps(&r), s->n_products);
        if (i == 0 || (i == 3 && !s->only_products))
            memcpy(first, tn_tensor_cdata(y), size);
        assert_memory_equal(first, tn_tensor_cdata(y), size);
        check_places(s, &r, data, len, first);
        rig_close(&r);
    }
    rig_close(&plain);
    tn_tensor_free(all);
    free(first);
    free(data);
}

static void convolutions(void **state)
{
    (void)state;
    const int64_t dims[4] = {batch, channels, side, side};
    const subject s = {.make = residual_model,
                       .rank = 4,
                       .dims = dims,
                       .out_len = (size_t)wide * side * side,
                       .n_products = 4,
                       .only_products = true};
    check_model(&s);
}

static void transformer(void **state)
{
    (void)state;
    const int64_t dims[3] = {batch, tokens, hidden};
    const subject s = {.make = transformer_model,
                       .rank = 3,
                       .dims = dims,
                       .out_len = (size_t)tokens * hidden,
                       .n_products = 3};
    check_model(&s);
}

/* Weights are held once, in half the memory: the bias remains. */
static void memory(void **state)
{
    (void)state;
    tn_plan_info with = TN_PLAN_INFO_INIT, without = TN_PLAN_INFO_INIT;
    const int64_t dims[4] = {1, channels, side, side};
    float *data = numbers((size_t)channels * side * side, 7, 1.0f);
    tn_tensor *x = input(4, dims, data);
    rig r = open_rig(residual_model(), TN_SESSION_BF16, TN_ISA_REF, 1);
    rig plain = open_rig(residual_model(), 0, TN_ISA_REF, 1);
    (void)rig_run(&r, x);
    (void)rig_run(&plain, x);
    assert_int_equal(tn_run_plan_info(r.run, &with), TN_OK);
    assert_int_equal(tn_run_plan_info(plain.run, &without), TN_OK);
    assert_int_equal(with.weights_bytes, without.weights_bytes);
    /* An odd number of channels leaves one half of a pair empty. */
    assert_true(with.packed_bytes <= without.packed_bytes * 55 / 100);
    rig_close(&r);
    rig_close(&plain);
    tn_tensor_free(x);
    free(data);
}

/* Every row of a processor, with the instruction or without, says what it does
 * and stays within the bound. */
static void reports(void **state)
{
    (void)state;
    rig r = open_rig(product_model(), TN_SESSION_BF16 | TN_SESSION_PROFILE,
                     TN_ISA_NATIVE, 1);
    rig plain = open_rig(product_model(), 0, TN_ISA_REF, 1);
    float *data = numbers((size_t)4 * hidden, 7, 1.0f);
    const bool native = (tn_cpu_isa() & TN_ISA_AVX512_BF16) != 0;
    for (int64_t rows = 1; rows <= 4; rows++) {
        tn_tensor *x = input(2, (int64_t[]){rows, hidden}, data);
        tn_profile_row row;
        const tn_tensor *y = rig_run(&r, x), *z = rig_run(&plain, x);
        assert_int_equal(tn_run_profile(r.run, 0, &row), TN_OK);
        assert_int_equal(bf16_steps(&r), 1);
        assert_non_null(strstr(row.detail, ", bf16"));
        assert_int_equal(strstr(row.detail, ", widened") == NULL, native);
        assert_int_equal(strstr(row.detail, "not time") == NULL,
                         native || rows <= 3);
        check_error(y, z, (size_t)rows * wide);
        tn_tensor_free(x);
    }
    free(data);
    rig_close(&r);
    rig_close(&plain);
}

static void contradictions(void **state)
{
    (void)state;
    rig r;
    tn_session_opts opts = TN_SESSION_OPTS_INIT;
    opts.flags = TN_SESSION_BF16 | TN_SESSION_EXACT;
    assert_int_equal(rig_try(&r, product_model(), &opts, &err), TN_EINVAL);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),   cmocka_unit_test(transformer),
        cmocka_unit_test(memory),         cmocka_unit_test(reports),
        cmocka_unit_test(contradictions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
