/* SPDX-License-Identifier: Apache-2.0 */
/* test_weights.c - large weights at every alignment, and who reads them */
#include "harness/rig.h"
#include "tensor/half.h"
#include "tensor/raw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;

static uint16_t narrowed(int dtype, float x)
{
    return dtype == TN_F16 ? tni_f32_to_f16(x) : tni_f32_to_bf16(x);
}

/* Halves under another name, and a Cast that widens them. */
static void add_halves(pb *graph, int dtype, const char *name, int rank,
                       const int64_t *dims, const float *w, size_t len)
{
    pb t = {0}, attrs = {0};
    char stored[32];
    uint16_t *half = malloc(len * sizeof *half);
    assert_non_null(half);
    for (size_t i = 0; i < len; i++) half[i] = narrowed(dtype, w[i]);
    (void)snprintf(stored, sizeof stored, "%s_half", name);
    pb_tensor(&t, stored, dtype, rank, dims, half, len * sizeof *half);
    pb_message(graph, 5, &t);
    pb_attr_int(&attrs, "to", TN_F32);
    pb_node(graph, 1, "", "Cast", stored, stored, name, &attrs);
    free(half);
}

static void add_weights(pb *graph, int dtype, const char *name, int rank,
                        const int64_t *dims, unsigned seed)
{
    pb t = {0};
    size_t len = 1;
    for (int i = 0; i < rank; i++) len *= (size_t)dims[i];
    float *w = malloc(len * sizeof *w);
    assert_non_null(w);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        w[i] = (float)(seed >> 16 & 255) * 1e-2f - 1.27f;
    }
    if (dtype == TN_F32) {
        pb_tensor(&t, name, TN_F32, rank, dims, w, len * sizeof *w);
        pb_message(graph, 5, &t);
    } else {
        add_halves(graph, dtype, name, rank, dims, w, len);
    }
    free(w);
}

static pb branch(const char *weights)
{
    pb graph = {0};
    char in[32];
    const int64_t out[2] = {-1, 160};
    (void)snprintf(in, sizeof in, "h,%s", weights);
    pb_node(&graph, 1, "", "MatMul", "product", in, "b", NULL);
    pb_text(&graph, 2, "branch");
    pb_value(&graph, 12, "b", TN_F32, 2, out);
    return graph;
}

/*
 * A table that is gathered from and is an output, weights of two products, and
 * weights that the branches of an If capture, one of them by another name. They
 * are stored as the dtype says; the note moves them all by its length.
 */
static pb dense_model(int dtype, const char *note)
{
    const int64_t t[2] = {256, 128}, w[2] = {128, 160}, v[2] = {160, 160},
                  two[1] = {2}, one[1] = {1}, x[2] = {-1, 128},
                  y[2] = {-1, 160};
    const int64_t shape[2] = {160, 160};
    const float zero = 0.0f;
    pb graph = {0}, model = {0}, attrs = {0}, s = {0}, z = {0};
    add_weights(&graph, dtype, "t", 2, t, 1);
    add_weights(&graph, dtype, "w", 2, w, 2);
    add_weights(&graph, dtype, "v", 2, v, 3);
    pb_tensor(&s, "shape", TN_I64, 1, two, shape, sizeof shape);
    pb_message(&graph, 5, &s);
    pb_tensor(&z, "zero", TN_F32, 1, one, &zero, sizeof zero);
    pb_message(&graph, 5, &z);
    pb_attr_int(&attrs, "axis", 1);
    pb_attr_int(&attrs, "keepdims", 0);
    pb_node(&graph, 1, "", "ArgMax", "which", "x", "i", &attrs);
    pb_node(&graph, 1, "", "Gather", "rows", "t,i", "g", NULL);
    pb_node(&graph, 1, "", "Sub", "less", "x,g", "d", NULL);
    pb_node(&graph, 1, "", "MatMul", "m1", "x,w", "p", NULL);
    pb_node(&graph, 1, "", "MatMul", "m2", "d,w", "q", NULL);
    pb_node(&graph, 1, "", "Mul", "both", "p,q", "h", NULL);
    pb_node(&graph, 1, "", "Reshape", "again", "v,shape", "u", NULL);
    pb_attr_int(&attrs, "keepdims", 0);
    pb_node(&graph, 1, "", "ReduceSum", "sum", "x", "r", &attrs);
    pb_node(&graph, 1, "", "Greater", "positive", "r,zero", "c", NULL);
    pb yes = branch("v"), no = branch("u");
    pb_attr_message(&attrs, "then_branch", 5, &yes);
    pb_attr_message(&attrs, "else_branch", 5, &no);
    pb_node(&graph, 1, "", "If", "either", "c", "y", &attrs);
    pb_value(&graph, 11, "x", TN_F32, 2, x);
    pb_value(&graph, 12, "y", TN_F32, 2, y);
    pb_value(&graph, 12, "t", TN_F32, 2, t);
    pb_text(&model, 6, note);
    pb_model(&model, &graph, 17);
    return model;
}

/* Convolutions with the same weights, the first normalised and scaled once
 * more, and a transposed one. */
static pb conv_model(int dtype, const char *note)
{
    const int64_t k[4] = {64, 64, 3, 3}, e[4] = {64, 64, 3, 3}, c[1] = {64},
                  m[3] = {64, 1, 1}, x[4] = {-1, 64, -1, -1};
    pb graph = {0}, model = {0}, attrs = {0};
    add_weights(&graph, dtype, "k", 4, k, 4);
    add_weights(&graph, dtype, "e", 4, e, 5);
    add_weights(&graph, dtype, "m", 3, m, 6);
    add_weights(&graph, dtype, "s", 1, c, 7);
    pb var = {0};
    float ones[64];
    for (int i = 0; i < 64; i++) ones[i] = 1.0f + (float)i * 0.25f;
    pb_tensor(&var, "var", TN_F32, 1, c, ones, sizeof ones);
    pb_message(&graph, 5, &var);
    pb_attr_text(&attrs, "auto_pad", "SAME_UPPER");
    pb_node(&graph, 1, "", "Conv", "c1", "x,k", "a", &attrs);
    pb_node(&graph, 1, "", "BatchNormalization", "n1", "a,s,s,s,var", "b",
            NULL);
    pb_node(&graph, 1, "", "Mul", "f1", "b,m", "d", NULL);
    pb_attr_text(&attrs, "auto_pad", "SAME_UPPER");
    pb_node(&graph, 1, "", "Conv", "c2", "d,k", "f", &attrs);
    pb_node(&graph, 1, "", "Tanh", "act", "f", "g", NULL);
    pb_node(&graph, 1, "", "ConvTranspose", "c3", "g,e", "y", NULL);
    pb_value(&graph, 11, "x", TN_F32, 4, x);
    pb_value(&graph, 12, "y", TN_F32, 4, x);
    pb_text(&model, 6, note);
    pb_model(&model, &graph, 17);
    return model;
}

/* --- running --------------------------------------------------------------- */

static tn_tensor *make_input(int rank, const int64_t *dims, float base)
{
    tn_tensor *x = NULL;
    assert_int_equal(tn_tensor_new(&x, TN_F32, rank, dims, NULL, &err), TN_OK);
    float *data = tn_tensor_data(x);
    for (int64_t i = 0; i < tn_tensor_len(x); i++)
        data[i] = base + (float)((i * 37) % 101) * 0.01f;
    return x;
}

static void same_outputs(const rig *a, const rig *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tn_diff d;
        assert_int_equal(tn_tensor_compare(&d, tn_run_output(a->run, i),
                                           tn_run_output(b->run, i), 1e-3, 1e-3,
                                           &err),
                         TN_OK);
        assert_int_equal(d.n_bad, 0);
    }
}

static void agrees(const pb *bytes, int rank, const int64_t *dims, size_t n_out)
{
    const uint32_t flags[4] = {0, TN_SESSION_NO_OPTIMIZE,
                               TN_SESSION_KEEP_VALUES, TN_SESSION_EXACT};
    rig ref = rig_open(bytes, TN_SESSION_REFERENCE | TN_SESSION_NO_OPTIMIZE, 2);
    for (int i = 0; i < 4; i++) {
        rig r = rig_open(bytes, flags[i], 2);
        /* Both branches, and shapes that pack in other ways. */
        for (int k = 0; k < 3; k++) {
            int64_t d[4];
            memcpy(d, dims, (size_t)rank * sizeof *d);
            d[rank == 2 ? 0 : 3] += k * 7;
            tn_tensor *x = make_input(rank, d, k == 1 ? -1.5f : 0.1f);
            (void)rig_run(&ref, x);
            (void)rig_run(&r, x);
            same_outputs(&r, &ref, n_out);
            tn_tensor_free(x);
        }
        rig_close(&r);
    }
    rig_close(&ref);
}

static void weights_of_products(void **state)
{
    (void)state;
    const int64_t x[2] = {3, 128};
    for (int shift = 0; shift < 4; shift++) {
        pb model = dense_model(TN_F32, &"..."[3 - shift]);
        agrees(&model, 2, x, 2);
        pb_free(&model);
    }
}

static void weights_of_convolutions(void **state)
{
    (void)state;
    const int64_t x[4] = {1, 64, 5, 4};
    for (int shift = 0; shift < 4; shift++) {
        pb model = conv_model(TN_F32, &"..."[3 - shift]);
        agrees(&model, 4, x, 1);
        pb_free(&model);
    }
}

static void weights_of_halves(void **state)
{
    (void)state;
    const int64_t x[2] = {3, 128}, images[4] = {1, 64, 5, 4};
    for (int i = 0; i < 4; i++) {
        const int dtype = i < 2 ? TN_F16 : TN_BF16;
        pb dense = dense_model(dtype, &"."[i % 2]);
        pb conv = conv_model(dtype, &"."[i % 2]);
        agrees(&dense, 2, x, 2);
        agrees(&conv, 4, images, 1);
        pb_free(&dense);
        pb_free(&conv);
    }
}

/* y = x w, all float32 but the stored weights. */
static pb product_model(int dtype)
{
    const int64_t w[2] = {512, 512}, x[2] = {-1, 512};
    pb graph = {0}, model = {0};
    add_weights(&graph, dtype, "w", 2, w, 1);
    pb_node(&graph, 1, "", "MatMul", "product", "x,w", "y", NULL);
    pb_value(&graph, 11, "x", TN_F32, 2, x);
    pb_value(&graph, 12, "y", TN_F32, 2, x);
    pb_model(&model, &graph, 17);
    return model;
}

static void *counting_alloc(void *ctx, size_t size, size_t align)
{
    void *p = aligned_alloc(align < 64 ? 64 : align, (size + 63) / 64 * 64);
    if (p != NULL) *(size_t *)ctx += size;
    return p;
}

static void counting_free(void *ctx, void *p, size_t size, size_t align)
{
    (void)align;
    if (p != NULL) *(size_t *)ctx -= size;
    free(p);
}

/* A Cast of weights is no step, and nothing but what is packed of them stays in
 * the session. */
static void halves_are_held_once(void **state)
{
    (void)state;
    const int64_t dims[2] = {3, 512};
    tn_plan_info plain = TN_PLAN_INFO_INIT;
    for (int i = 0; i < 3; i++) {
        const int dtypes[3] = {TN_F32, TN_F16, TN_BF16};
        size_t live = 0;
        tn_allocator counting = {&live, counting_alloc, counting_free};
        tn_session_opts opts = TN_SESSION_OPTS_INIT;
        opts.allocator = &counting;
        opts.n_threads = 1;
        rig r = rig_own(product_model(dtypes[i]), &opts);
        tn_tensor *x = make_input(2, dims, 0.1f);
        tn_plan_info info = TN_PLAN_INFO_INIT;
        (void)rig_run(&r, x);
        assert_int_equal(tn_run_plan_info(r.run, &info), TN_OK);
        if (i == 0) plain = info;
        assert_int_equal(info.n_steps, plain.n_steps);
        assert_int_equal(info.packed_bytes, plain.packed_bytes);
        assert_int_equal(info.weights_bytes, plain.weights_bytes);
        assert_true(live <= info.packed_bytes + info.peak_bytes + (1u << 18));
        tn_tensor_free(x);
        rig_close(&r);
        assert_int_equal(live, 0);
    }
}

/* Products with the same weights pack them once, and the table is counted as
 * what is read. */
static void shared_weights_are_packed_once(void **state)
{
    (void)state;
    const int64_t dims[2] = {3, 128};
    pb model = dense_model(TN_F32, "");
    rig r = rig_open(&model, TN_SESSION_NO_OPTIMIZE, 2);
    tn_tensor *x = make_input(2, dims, 0.1f);
    tn_plan_info info = TN_PLAN_INFO_INIT;
    assert_int_equal(tn_run_set_input(r.run, 0, x, &err), TN_OK);
    assert_int_equal(tn_run_prepare(r.run, &err), TN_OK);
    assert_int_equal(tn_run_plan_info(r.run, &info), TN_OK);
    const uint64_t w = 128 * 160 * sizeof(float), t = 256 * 128 * sizeof(float);
    assert_true(info.packed_bytes >= w && info.packed_bytes < 2 * w);
    assert_true(info.weights_bytes >= t);
    assert_int_equal(info.total_bytes,
                     info.weights_bytes + info.packed_bytes + info.peak_bytes);
    tn_tensor_free(x);
    rig_close(&r);
    pb_free(&model);
}

static void check_parts(const tni_scaled *scaled, float *part,
                        const int64_t *dims)
{
    tni_tensor t;
    memset(&t, 0, sizeof t);
    assert_true(tni_tensor_set_shape(&t, TN_F32, 2, dims));
    t.scaled = scaled;
    assert_false(tni_tensor_is_plain(&t));
    for (size_t at = 0; at < 12; at++)
        for (size_t n = 0; at + n <= 12; n++) {
            tni_tensor_read(part, &t, at, n);
            for (size_t i = 0; i < n; i++) {
                const double by =
                    scaled->by != NULL ? scaled->by[(at + i) / 3] : 1.0;
                const float want = (float)(by * (double)(at + i));
                assert_true(part[i] >= want && part[i] <= want);
            }
        }
}

static void reads_parts_of_scaled_rows(void **state)
{
    (void)state;
    char bytes[12 * sizeof(float) + 1];
    float all[12], part[12];
    const tn_dtype dtypes[3] = {TN_F32, TN_F16, TN_BF16};
    const double by[4] = {1.0, 2.0, -1.0, 0.5};
    const int64_t dims[2] = {4, 3};
    for (int i = 0; i < 12; i++) all[i] = (float)i;
    for (int k = 0; k < 6; k++) {
        const bool wide = dtypes[k % 3] == TN_F32;
        for (size_t i = 0; i < 12; i++) {
            const uint16_t h = narrowed((int)dtypes[k % 3], all[i]);
            memcpy(bytes + 1 + i * (wide ? sizeof(float) : sizeof h),
                   wide ? (const void *)&all[i] : &h,
                   wide ? sizeof(float) : sizeof h);
        }
        const tni_scaled scaled = {bytes + 1, dtypes[k % 3], k < 3 ? by : NULL};
        check_parts(&scaled, part, dims);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_products),
        cmocka_unit_test(weights_of_convolutions),
        cmocka_unit_test(weights_of_halves),
        cmocka_unit_test(halves_are_held_once),
        cmocka_unit_test(shared_weights_are_packed_once),
        cmocka_unit_test(reads_parts_of_scaled_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
