/* SPDX-License-Identifier: Apache-2.0 */
/* test_move.c - copies, slices, resampling, regular expressions, transforms */
#include "ops/move.h"

#include "harness/opcall.h"
#include "ops/fft.h"
#include "ops/order.h"
#include "ops/random.h"
#include "ops/regex.h"
#include "ops/resample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- helpers ------------------------------------------------------------- */

/* Runs every task alone, the last first: results must not depend on it. */
static void backwards(void *pool, size_t n, tni_par_fn fn, void *ctx)
{
    (void)pool;
    for (size_t i = n; i > 0; i--) fn(ctx, i - 1, i, (int)(i % 3));
}

static const tni_par reversed = {NULL, 3, backwards};

static uint64_t next_random(uint64_t *state, uint64_t below)
{
    *state += 1;
    return tni_random_bits(7, *state) % below;
}

typedef struct memory {
    tni_mem mem;
    tni_arena arena;
} memory;

static void begin(memory *m)
{
    tni_mem_init(&m->mem, NULL, 0);
    tni_arena_init(&m->arena, &m->mem, 4096);
}

static void end(memory *m)
{
    tni_arena_fini(&m->arena);
    assert_int_equal(m->mem.used_bytes, 0);
}

/* --- strided copies --------------------------------------------------------- */

enum { ROOM = 1 << 20 };

static void check_copy(memory *m, size_t elem, int rank, const int64_t *dims,
                       const int64_t *to, const int64_t *from,
                       int64_t from_first, const tni_par *par)
{
    unsigned char *x = tni_arena_alloc(&m->arena, ROOM, 64);
    unsigned char *y = tni_arena_zalloc(&m->arena, ROOM, 64);
    unsigned char *want = tni_arena_zalloc(&m->arena, ROOM, 64);
    assert_non_null(x);
    assert_non_null(y);
    assert_non_null(want);
    for (size_t i = 0; i < ROOM; i++) x[i] = (unsigned char)(i * 131 + i / 251);
    int64_t len = 1;
    for (int d = 0; d < rank; d++) len *= dims[d];
    for (int64_t i = 0; i < len; i++) {
        int64_t rest = i, t = 0, f = from_first;
        for (int d = rank - 1; d >= 0; d--) {
            t += rest % dims[d] * to[d];
            f += rest % dims[d] * from[d];
            rest /= dims[d];
        }
        memcpy(want + (size_t)t * elem, x + (size_t)f * elem, elem);
    }
    tni_copy p;
    tni_copy_init(&p, elem, rank, dims, to, from);
    tni_copy_run(&p, y, x + (size_t)from_first * elem, par);
    assert_memory_equal(y, want, ROOM);
    tni_kernels kernels;
    tni_kernels_init(&kernels, tn_cpu_isa());
    tni_copy_tune(&p, &kernels);
    memset(y, 0, ROOM);
    tni_copy_run(&p, y, x + (size_t)from_first * elem, par);
    assert_memory_equal(y, want, ROOM);
    tni_arena_reset(&m->arena);
}

static void test_copy_permutations(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 4, 8, 16};
    memory m;
    begin(&m);
    uint64_t seed = 1;
    for (int round = 0; round < 120; round++) {
        const int rank = (int)next_random(&seed, 5);
        int64_t in[5], dims[5], to[5], from[5], strides[5];
        int perm[5];
        for (int d = 0; d < rank; d++) {
            in[d] = 1 + (int64_t)next_random(&seed, 9);
            if (next_random(&seed, 6) == 0) in[d] = 33;
            perm[d] = d;
        }
        for (int d = rank - 1; d > 0; d--) {
            const int k = (int)next_random(&seed, (uint64_t)d + 1);
            const int t = perm[d];
            perm[d] = perm[k];
            perm[k] = t;
        }
        int64_t len = 1;
        for (int d = 0; d < rank; d++) len *= in[d];
        if (len * 16 > ROOM) continue;
        tni_strides(strides, rank, in);
        int64_t first = 0;
        for (int d = 0; d < rank; d++) {
            dims[d] = in[perm[d]];
            from[d] = strides[perm[d]];
            /* Sometimes broadcast, sometimes backwards. */
            const uint64_t how = next_random(&seed, 6);
            if (how == 0) from[d] = 0;
            if (how == 1) {
                first += (dims[d] - 1) * from[d];
                from[d] = -from[d];
            }
        }
        tni_strides(to, rank, dims);
        check_copy(&m, sizes[round % 5], rank, dims, to, from, first,
                   round % 2 == 0 ? &reversed : NULL);
    }
    end(&m);
}

static void test_copy_large_transpose(void **state)
{
    (void)state;
    memory m;
    begin(&m);
    const int64_t dims[2] = {301, 523}, to[2] = {523, 1}, from[2] = {1, 301};
    check_copy(&m, 4, 2, dims, to, from, 0, &reversed);
    const int64_t rows[2] = {3, 100000}, wide[2] = {100000, 1};
    check_copy(&m, 2, 2, rows, wide, wide, 0, &reversed);
    const int64_t none[3] = {2, 0, INT64_MAX}, any[3] = {1, 1, 1};
    check_copy(&m, 8, 3, (int64_t[]){0, 2, 2}, any, any, 0, NULL);
    tni_copy p;
    tni_copy_init(&p, 8, 3, none, any, any);
    tni_copy_run(&p, NULL, NULL, NULL);
    end(&m);
}

static void test_map(void **state)
{
    (void)state;
    const int64_t dims[3] = {2, 3, 4}, from_dims[3] = {2, 2, 4};
    const int64_t outer[2] = {8, 0}, middle[3] = {4, -1, 0};
    const int64_t inner[4] = {0, 1, 2, 3};
    const int64_t *const at[3] = {outer, middle, inner};
    int16_t x[16], y[24], fill = -7;
    for (int i = 0; i < 16; i++) x[i] = (int16_t)i;
    tni_map map;
    tni_map_init(&map, 2, 3, dims, from_dims, at);
    assert_int_equal(map.run, 4);
    tni_map_run(&map, y, x, &fill, &reversed);
    for (int i = 0; i < 24; i++) {
        const int a = i / 12, b = i / 4 % 3, c = i % 4;
        const int64_t off = outer[a] + middle[b] + inner[c];
        assert_int_equal(y[i], b == 1 ? -7 : x[off]);
    }
}

static void test_dims_product(void **state)
{
    (void)state;
    const int64_t sym = TNI_DIM_SYMBOL(3);
    assert_int_equal(tni_dims_product(0, NULL), 1);
    assert_int_equal(tni_dims_product(2, (int64_t[]){3, 4}), 12);
    assert_int_equal(tni_dims_product(3, (int64_t[]){1, sym, 1}), sym);
    assert_int_equal(tni_dims_product(2, (int64_t[]){2, sym}), -1);
    assert_int_equal(tni_dims_product(2, (int64_t[]){sym, 0}), 0);
    assert_int_equal(
        tni_dims_product(2, (int64_t[]){INT64_MAX, INT64_MAX}), -1);
}

/* --- operators --------------------------------------------------------------- */

static void slice_case(int64_t n, int64_t start, int64_t stop, int64_t step)
{
    int32_t x[8];
    for (int i = 0; i < 8; i++) x[i] = i;
    /* Python's rule, spelled out. */
    int64_t a = start < 0 ? start + n : start, b = stop < 0 ? stop + n : stop;
    if (step > 0) {
        a = a < 0 ? 0 : a > n ? n : a;
        b = b < 0 ? 0 : b > n ? n : b;
    } else {
        a = a < -1 ? -1 : a > n - 1 ? n - 1 : a;
        b = b < -1 ? -1 : b > n - 1 ? n - 1 : b;
    }
    int32_t want[8];
    int64_t count = 0;
    for (int64_t i = a; step > 0 ? i < b : i > b; i += step)
        want[count++] = x[i];
    const int64_t dims[1] = {n}, one[1] = {1};
    opcall c;
    opcall_init(&c, "", "Slice", 13);
    opcall_in(&c, TN_I32, 1, dims, x);
    opcall_in(&c, TN_I64, 1, one, &start);
    opcall_in(&c, TN_I64, 1, one, &stop);
    opcall_in(&c, TN_I64, 1, one, &(int64_t){0});
    opcall_in(&c, TN_I64, 1, one, &step);
    c.inputs_const = true;
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(pass == 0 ? opcall_ref(&c, 1) : opcall_run(&c, 1),
                         TN_OK);
        assert_int_equal(c.out[0]->len, count);
        if (count > 0)
            assert_memory_equal(c.out[0]->data, want,
                                (size_t)count * sizeof want[0]);
    }
    opcall_fini(&c);
}

static void test_slice(void **state)
{
    (void)state;
    for (int64_t n = 0; n <= 5; n += 5)
        for (int64_t start = -7; start <= 7; start++)
            for (int64_t stop = -7; stop <= 7; stop++)
                for (int64_t step = -3; step <= 3; step++)
                    if (step != 0) slice_case(n, start, stop, step);
}

/* Extremes do not overflow. */
static void test_slice_extremes(void **state)
{
    (void)state;
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, INT32_MAX,
                                   INT64_MAX};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            for (int k = 0; k < 4; k++) {
                int32_t x[5] = {0, 1, 2, 3, 4};
                const int64_t dims[1] = {5}, one[1] = {1}, axis = 0;
                opcall c;
                opcall_init(&c, "", "Slice", 13);
                opcall_in(&c, TN_I32, 1, dims, x);
                opcall_in(&c, TN_I64, 1, one, &ends[i]);
                opcall_in(&c, TN_I64, 1, one, &ends[j]);
                opcall_in(&c, TN_I64, 1, one, &axis);
                opcall_in(&c, TN_I64, 1, one, &ends[k]);
                assert_int_equal(opcall_ref(&c, 1), TN_OK);
                assert_true(c.out[0]->len <= 1);
                opcall_fini(&c);
            }
}

static void gather_case(int64_t index, tn_status want_ref)
{
    const float x[6] = {0, 1, 2, 3, 4, 5};
    opcall c;
    opcall_init(&c, "", "Gather", 13);
    opcall_in(&c, TN_F32, 2, (int64_t[]){3, 2}, x);
    opcall_in(&c, TN_I64, 0, NULL, &index);
    assert_int_equal(opcall_ref(&c, 1), want_ref);
    if (want_ref == TN_OK)
        assert_true(TNI_CDATA(float, c.out[0])[1] ==
                    x[(index < 0 ? index + 3 : index) * 2 + 1]);
    assert_int_equal(opcall_run(&c, 1), want_ref);
    opcall_fini(&c);
}

static void test_gather_bounds(void **state)
{
    (void)state;
    for (int64_t i = -3; i < 3; i++) gather_case(i, TN_OK);
    gather_case(3, TN_EINVAL);
    gather_case(-4, TN_EINVAL);
    gather_case(INT64_MAX, TN_EINVAL);
    gather_case(INT64_MIN, TN_EINVAL);
}

/* Operator, data shape, second input, and what the refusal must mention. */
typedef struct refusal {
    const char *op;
    int opset, rank;
    int64_t dims[3];
    int n;
    int64_t list[6];
    const char *message;
} refusal;

static const refusal refusals[] = {
    {"Reshape", 13, 2, {2, 3}, 2, {4, 2}, "does not fit"},
    {"Reshape", 13, 2, {2, 3}, 2, {-1, -1}, "both -1"},
    {"Reshape", 13, 2, {2, 3}, 1, {-2}, "extent -2"},
    {"Reshape", 13, 2, {2, 3}, 3, {2, 3, 0}, "rank 2"},
    {"Reshape", 13, 1, {6}, 3, {1ll << 31, 1ll << 31, 4}, "overflows"},
    {"Expand", 13, 2, {2, 3}, 1, {2}, "does not expand"},
    {"Expand", 13, 2, {2, 3}, 2, {-2, 3}, "does not expand"},
    {"Tile", 13, 2, {2, 3}, 1, {2}, "1 repeats"},
    {"Tile", 13, 1, {4}, 1, {INT64_MAX}, "overflows"},
    {"Tile", 13, 1, {4}, 1, {-1}, "negative"},
    {"Pad", 13, 1, {4}, 3, {0, 1, 2}, "3 pads"},
    {"Pad", 13, 1, {4}, 2, {-3, -3}, "pads -3 and -3"},
    {"Pad", 13, 1, {4}, 2, {INT64_MAX, 1}, "pads"},
    {"Unsqueeze", 13, 1, {4}, 2, {0, 0}, "named twice"},
    {"Unsqueeze", 13, 1, {4}, 1, {2}, "outside"},
    {"Squeeze", 13, 2, {1, 3}, 1, {1}, "expected 1"},
    {"TopK", 11, 1, {4}, 1, {5}, "k is 5"},
    {"TopK", 11, 1, {4}, 1, {-1}, "k is -1"},
    {"Split", 13, 1, {4}, 1, {3}, "add up to 3"},
};

static void test_refusals(void **state)
{
    (void)state;
    const float x[6] = {0};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const refusal *r = &refusals[i];
        /* Once when the list is known early, once when only at run. */
        for (int known = 0; known < 2; known++) {
            opcall c;
            opcall_init(&c, "", r->op, r->opset);
            opcall_in(&c, TN_F32, r->rank, r->dims, x);
            opcall_in(&c, TN_I64, 1, (int64_t[]){r->n}, r->list);
            c.inputs_const = known == 1;
            const tn_status status = opcall_ref(&c, 1);
            if (status == TN_OK || strstr(c.err.message, r->message) == NULL)
                fail_msg("%s %zu: status %s, '%s' without '%s'", r->op, i,
                         tn_status_name(status), c.err.message, r->message);
            opcall_fini(&c);
        }
    }
}

static void pad_case(const char *mode, const float *want)
{
    const float x[3] = {1, 2, 3};
    opcall c;
    opcall_init(&c, "", "Pad", 19);
    opcall_string(&c, "mode", mode);
    opcall_in(&c, TN_F32, 1, (int64_t[]){3}, x);
    opcall_in(&c, TN_I64, 1, (int64_t[]){2}, (int64_t[]){5, 2});
    c.inputs_const = true;
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(pass == 0 ? opcall_ref(&c, 1) : opcall_run(&c, 1),
                         TN_OK);
        assert_memory_equal(c.out[0]->data, want, 10 * sizeof want[0]);
    }
    opcall_fini(&c);
}

static void test_pad_modes(void **state)
{
    (void)state;
    pad_case("constant", (float[]){0, 0, 0, 0, 0, 1, 2, 3, 0, 0});
    pad_case("edge", (float[]){1, 1, 1, 1, 1, 1, 2, 3, 3, 3});
    pad_case("wrap", (float[]){2, 3, 1, 2, 3, 1, 2, 3, 1, 2});
    pad_case("reflect", (float[]){2, 1, 2, 3, 2, 1, 2, 3, 2, 1});
}

/* --- resampling ----------------------------------------------------------------- */

static float coord(tni_coord mode, int64_t n, float scale, int64_t out,
                   int64_t i)
{
    tni_resample_spec s;
    memset(&s, 0, sizeof s);
    s.coord = mode;
    s.rank = 1;
    s.dims[0] = out;
    s.scale[0] = scale;
    s.roi[1][0] = 1.0f;
    return tni_resample_coord(&s, 0, n, i);
}

static void test_resample_coords(void **state)
{
    (void)state;
    assert_true(coord(TNI_HALF_PIXEL, 4, 2.0f, 8, 0) == -0.25f);
    assert_true(coord(TNI_HALF_PIXEL, 4, 2.0f, 8, 7) == 3.25f);
    assert_true(coord(TNI_ASYMMETRIC, 4, 2.0f, 8, 3) == 1.5f);
    assert_true(coord(TNI_ALIGN_CORNERS, 4, 2.0f, 8, 7) == 3.0f);
    assert_true(coord(TNI_ALIGN_CORNERS, 4, 0.25f, 1, 0) == 0.0f);
    assert_true(coord(TNI_PYTORCH_HALF_PIXEL, 4, 0.25f, 1, 0) == 0.0f);
    assert_true(coord(TNI_PYTORCH_HALF_PIXEL, 4, 0.5f, 2, 1) == 2.5f);
    assert_true(coord(TNI_TF_HALF_PIXEL_FOR_NN, 4, 0.5f, 2, 1) == 3.0f);
    assert_true(coord(TNI_TF_CROP_AND_RESIZE, 5, 1.0f, 5, 4) == 4.0f);
    assert_true(coord(TNI_TF_CROP_AND_RESIZE, 5, 0.2f, 1, 0) == 2.0f);
    /* 4 * 0.6 = 2.4, cut to 2: the picture stays centred. */
    assert_true(fabsf(coord(TNI_HALF_PIXEL_SYMMETRIC, 4, 0.6f, 2, 0) -
                      (2.0f * (1.0f - 2.0f / 2.4f) + 0.5f / 0.6f - 0.5f)) <
                1e-6f);
}

static void test_resample_extents(void **state)
{
    (void)state;
    int64_t n = 0;
    assert_int_equal(tni_resample_extent(&n, 4, 0.6f, NULL), TN_OK);
    assert_int_equal(n, 2);
    /* 10 * 0.1f is a little more than 1, 30 * 0.3f less than 9 in double. */
    assert_int_equal(tni_resample_extent(&n, 10, 0.1f, NULL), TN_OK);
    assert_int_equal(n, 1);
    assert_int_equal(tni_resample_extent(&n, 7, 1e30f, NULL), TN_EINVAL);
    assert_int_equal(tni_resample_extent(&n, 7, 0.0f, NULL), TN_EINVAL);
    assert_int_equal(tni_resample_extent(&n, 7, -1.0f, NULL), TN_EINVAL);
    assert_int_equal(tni_resample_extent(&n, 7, NAN, NULL), TN_EINVAL);
}

/* A constant image stays constant under every filter. */
static void test_resample_constant(void **state)
{
    (void)state;
    memory m;
    begin(&m);
    for (int k = 0; k < 24; k++) {
        tni_resample_spec s;
        memset(&s, 0, sizeof s);
        s.filter = (tni_filter)(k % 3);
        s.antialias = s.filter != TNI_NEAREST && k / 3 % 2 == 1;
        s.exclude_outside = k / 6 % 2 == 1;
        s.cubic_a = -0.75f;
        s.rank = 2;
        const int64_t in[2] = {7, 5};
        s.dims[0] = k < 12 ? 3 : 16;
        s.dims[1] = 11;
        for (int d = 0; d < 2; d++) {
            s.scale[d] = (float)s.dims[d] / (float)in[d];
            s.sized[d] = true;
            s.roi[1][d] = 1.0f;
        }
        float x[35], y[176];
        for (int i = 0; i < 35; i++) x[i] = 2.5f;
        tni_resample r;
        assert_int_equal(
            tni_resample_init(&r, &s, TN_F32, in, &m.arena, NULL), TN_OK);
        void *scratch = tni_arena_alloc(&m.arena, r.scratch_bytes + 1, 64);
        assert_non_null(scratch);
        tni_resample_run(&r, y, x, scratch, &reversed);
        for (int64_t i = 0; i < s.dims[0] * s.dims[1]; i++)
            assert_true(fabsf(y[i] - 2.5f) < 1e-5f);
        tni_arena_reset(&m.arena);
    }
    end(&m);
}

/* --- regular expressions ----------------------------------------------------------- */

typedef struct regex_case {
    const char *pattern, *text;
    int full;       /* 1: all of it matches */
    int from, to;   /* the first match; -1: none */
} regex_case;

static const regex_case regexes[] = {
    {"abc", "abc", 1, 0, 3},
    {"abc", "xabcx", 0, 1, 4},
    {"", "", 1, 0, 0},
    {"", "a", 0, 0, 0},
    {"a|ab", "abc", 0, 0, 2}, /* the longest */
    {"abcd|bc", "abcx", 0, 1, 3},
    {"a*", "aaa", 1, 0, 3},
    {"a+b?", "aab", 1, 0, 3},
    {"(?:ab)+", "ababa", 0, 0, 4},
    {"(a*)*b", "aaaab", 1, 0, 5},
    {"a{2,3}", "aaaa", 0, 0, 3},
    {"a{2}", "a", 0, -1, -1},
    {"a{,2}", "a{,2}", 1, 0, 5},
    {"x{2,}", "xxxxx", 1, 0, 5},
    {"[a-c]+", "xxabcx", 0, 2, 5},
    {"[^a-c]+", "abx", 0, 2, 3},
    {"[]a]+", "]a]", 1, 0, 3},
    {"[a\\]-]+", "a]-", 1, 0, 3},
    {"[[:digit:]x]+", "12x", 1, 0, 3},
    {"\\d+\\.\\d+", "3.14", 1, 0, 4},
    {"\\w+@\\w+\\.(com|org)", "me@site.org", 1, 0, 11},
    {"\\S+\\s\\S+", "a b", 1, 0, 3},
    {"^a$", "a", 1, 0, 1},
    {"^b", "ab", 0, -1, -1},
    {"\\bfoo\\b", "a foo b", 0, 2, 5},
    {"o\\B", "foo b", 0, 1, 2},
    {".", "\n", 0, -1, -1},
    {"(?s).", "\n", 1, 0, 1},
    {"(?i)HeLLo", "hEllO", 1, 0, 5},
    {"(?i:a)b", "Ab", 1, 0, 2},
    {"(?i:a)b", "AB", 0, -1, -1},
    {"\\x41\\x{42}", "AB", 1, 0, 2},
    {"\\Qa.b\\E+", "a.bb", 0, 0, 3},
    {"(?P<n>a)(?<m>b)", "ab", 1, 0, 2},
    {".", "\xc3\xa9", 1, 0, 2},
    {"[\xc3\xa0-\xc3\xbf]+", "x\xc3\xa9\xc3\xa8", 0, 1, 5},
    {".", "\xff", 0, -1, -1},
    {"a.c", "a\xf0\x9f\x98\x80" "c", 1, 0, 6},
    {"a??", "a", 1, 0, 1},
};

static tn_string text_of(const char *s)
{
    return (tn_string){s, strlen(s)};
}

static void test_regex(void **state)
{
    (void)state;
    memory m;
    begin(&m);
    for (size_t i = 0; i < sizeof regexes / sizeof regexes[0]; i++) {
        const regex_case *r = &regexes[i];
        tni_regex *re = NULL;
        tn_err err;
        memset(&err, 0, sizeof err);
        if (tni_regex_new(&re, text_of(r->pattern), &m.arena, &err) != TN_OK)
            fail_msg("%s: %s", r->pattern, err.message);
        tni_regex_matcher *k = tni_regex_matcher_new(re, &m.arena);
        assert_non_null(k);
        if (tni_regex_full(k, text_of(r->text)) != (r->full == 1))
            fail_msg("%s against %s: not %d", r->pattern, r->text, r->full);
        size_t from = 0, to = 0;
        const bool found =
            tni_regex_find(k, text_of(r->text), 0, &from, &to);
        if (found != (r->from >= 0) ||
            (found && (from != (size_t)r->from || to != (size_t)r->to)))
            fail_msg("%s in %s: %d %zu %zu", r->pattern, r->text, found, from,
                     to);
        tni_arena_reset(&m.arena);
    }
    end(&m);
}

static void test_regex_refusals(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "(", ")", "a)", "[", "[a", "[b-a]", "*", "+a", "a{3,2}", "a{1001}",
        "\\", "\\x", "\\xg", "\\x{110000}", "(?", "(?z)", "(?P<a", "\\8",
        "\\q", "\xff", "\\p{L}", "(?i", "a**{2001}"};
    memory m;
    begin(&m);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tni_regex *re = NULL;
        tn_err err;
        memset(&err, 0, sizeof err);
        if (tni_regex_new(&re, text_of(bad[i]), &m.arena, &err) == TN_OK)
            fail_msg("'%s' was accepted", bad[i]);
        assert_non_null(strstr(err.message, "pattern:"));
        tni_arena_reset(&m.arena);
    }
    char deep[2000];
    memset(deep, '(', sizeof deep);
    tni_regex *re = NULL;
    assert_int_equal(
        tni_regex_new(&re, (tn_string){deep, sizeof deep}, &m.arena, NULL),
        TN_ELIMIT);
    assert_int_equal(tni_regex_new(&re, text_of("((a{1000}){1000}){1000}"),
                                   &m.arena, NULL),
                     TN_ELIMIT);
    end(&m);
}

/* A backtracking matcher would need 2^30 steps and more for these. */
static void test_regex_linear(void **state)
{
    (void)state;
    memory m;
    begin(&m);
    char text[4096];
    memset(text, 'a', sizeof text);
    static const char *const slow[] = {"(a*)*b", "(a|a)*b", "(a|aa)+b",
                                       "(.*.*.*)*c"};
    for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++) {
        tni_regex *re = NULL;
        assert_int_equal(tni_regex_new(&re, text_of(slow[i]), &m.arena, NULL),
                         TN_OK);
        tni_regex_matcher *k = tni_regex_matcher_new(re, &m.arena);
        assert_non_null(k);
        size_t from = 0, to = 0;
        const tn_string t = {text, sizeof text};
        assert_false(tni_regex_full(k, t));
        assert_false(tni_regex_find(k, t, 0, &from, &to));
        tni_arena_reset(&m.arena);
    }
    end(&m);
}

/* --- transforms ---------------------------------------------------------------------- */

static void naive(double *y, const double *x, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        double re = 0.0, im = 0.0;
        for (int64_t i = 0; i < n; i++) {
            const double a = -6.283185307179586476925 *
                             (double)(i * k % n) / (double)n;
            re += x[2 * i] * cos(a) - x[2 * i + 1] * sin(a);
            im += x[2 * i] * sin(a) + x[2 * i + 1] * cos(a);
        }
        y[2 * k] = re;
        y[2 * k + 1] = im;
    }
}

static void fft_case(memory *m, int64_t n)
{
    const size_t len = 2 * (size_t)n + 2;
    double *x = tni_arena_alloc(&m->arena, len * 8, 64);
    double *y = tni_arena_alloc(&m->arena, len * 8, 64);
    double *z = tni_arena_alloc(&m->arena, len * 8, 64);
    tni_fft *f = NULL, *real = NULL;
    assert_int_equal(tni_fft_new(&f, n, &m->arena, NULL), TN_OK);
    assert_int_equal(tni_fft_new_real(&real, n, &m->arena, NULL), TN_OK);
    double *work = tni_arena_alloc(
        &m->arena, (tni_fft_work(f) + tni_fft_work(real)) * 8, 64);
    assert_non_null(work);
    for (size_t i = 0; i < 2 * (size_t)n; i++)
        x[i] = tni_random_uniform(3, i) - 0.5;
    const double tolerance = 1e-14 * (double)n + 1e-12;
    naive(y, x, n);
    memcpy(z, x, 2 * (size_t)n * 8);
    tni_fft_run(f, z, false, work);
    for (int64_t i = 0; i < 2 * n; i++)
        if (fabs(z[i] - y[i]) > tolerance)
            fail_msg("%d points: %g at %d, expected %g", (int)n, z[i], (int)i,
                     y[i]);
    tni_fft_run(f, z, true, work);
    for (int64_t i = 0; i < 2 * n; i++)
        assert_true(fabs(z[i] / (double)n - x[i]) <= tolerance);
    /* Real input. */
    for (int64_t i = 0; i < n; i++) {
        z[i] = x[2 * i];
        x[2 * i + 1] = 0.0;
    }
    naive(y, x, n);
    tni_fft_real(real, z, work);
    for (int64_t i = 0; i < 2 * (n / 2 + 1); i++)
        if (fabs(z[i] - y[i]) > tolerance)
            fail_msg("%d real points: %g at %d, expected %g", (int)n, z[i],
                     (int)i, y[i]);
    tni_arena_reset(&m->arena);
}

static void test_fft(void **state)
{
    (void)state;
    static const int64_t large[] = {81, 97, 100, 127, 128, 243, 400, 512, 1000,
                                    1024};
    memory m;
    begin(&m);
    for (int64_t n = 1; n <= 70; n++) fft_case(&m, n);
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
        fft_case(&m, large[i]);
    tni_fft *f = NULL;
    assert_int_equal(tni_fft_new(&f, 0, &m.arena, NULL), TN_ELIMIT);
    assert_int_equal(tni_fft_new(&f, INT64_MAX, &m.arena, NULL), TN_ELIMIT);
    end(&m);
}

/* --- order ------------------------------------------------------------------------------ */

static bool by_key(const void *ctx, int64_t a, int64_t b)
{
    const uint64_t *keys = ctx;
    return keys[a] < keys[b] || (keys[a] == keys[b] && a < b);
}

static void test_order(void **state)
{
    (void)state;
    const float x[9] = {1.0f, -0.0f, NAN, -INFINITY, 0.0f,
                        INFINITY, -1.5f, 1.0f, 3.0e-45f};
    tni_tensor t;
    memset(&t, 0, sizeof t);
    t.kind = TN_KIND_TENSOR;
    t.dtype = TN_F32;
    t.len = 9;
    float copy[9];
    memcpy(copy, x, sizeof x);
    t.data = copy;
    uint64_t keys[9];
    int64_t order[9];
    tni_order_keys(keys, &t, 0, 1, 9, TNI_NAN_LAST);
    tni_order_first(order, 9, 9, by_key, keys);
    static const int64_t want[9] = {3, 6, 1, 4, 8, 0, 7, 5, 2};
    assert_memory_equal(order, want, sizeof want);
    tni_order_first(order, 4, 9, by_key, keys);
    assert_memory_equal(order, want, 4 * sizeof want[0]);
    tni_order_keys(keys, &t, 0, 1, 9, TNI_NAN_FIRST);
    tni_order_first(order, 1, 9, by_key, keys);
    assert_int_equal(order[0], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_permutations),
        cmocka_unit_test(test_copy_large_transpose),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_dims_product),
        cmocka_unit_test(test_slice),
        cmocka_unit_test(test_slice_extremes),
        cmocka_unit_test(test_gather_bounds),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_pad_modes),
        cmocka_unit_test(test_resample_coords),
        cmocka_unit_test(test_resample_extents),
        cmocka_unit_test(test_resample_constant),
        cmocka_unit_test(test_regex),
        cmocka_unit_test(test_regex_refusals),
        cmocka_unit_test(test_regex_linear),
        cmocka_unit_test(test_fft),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
