/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_clip.c - ONNX Clip, opsets 1, 6, 11, 12, 13
 *
 * Shapes:  x[...], min, max (one element each, optional) -> y[...]
 * Types:   all numeric
 * Attrs:   min, max (opsets 1 and 6, in place of the inputs)
 * Numeric: exact, y = min(max(x, min), max); an absent bound is the dtype's
 *          own; NaN gives NaN
 * Source:  onnx.ai/onnx/operators, Clip; node tests test_clip*
 */
#include "ops/elementwise.h"

#include <float.h>
#include <string.h>

#define CUT(lo, hi)                                                            \
    (x < (lo) ? ((lo) > (hi) ? (hi) : (lo)) : x > (hi) ? (hi) : x)

/* Bounds of f32 are what the kernel takes; the others point to elements. */
TNI_MAP_LOOP(loop_f32, float, float, CUT(args->f[0], args->f[1]))

#define CLIP_LOOP(name, T)                                                     \
    static void name(void *to, const void *from, size_t n,                     \
                     const tni_ew_args *args)                                  \
    {                                                                          \
        const T *a = from;                                                     \
        const T lo = *(const T *)args->p[0], hi = *(const T *)args->p[1];      \
        T *y = to;                                                             \
        for (size_t i = 0; i < n; i++) {                                       \
            const T x = a[i];                                                  \
            y[i] = CUT(lo, hi);                                                \
        }                                                                      \
    }

CLIP_LOOP(loop_f64, double)
CLIP_LOOP(loop_i8, int8_t)
CLIP_LOOP(loop_u8, uint8_t)
CLIP_LOOP(loop_i16, int16_t)
CLIP_LOOP(loop_u16, uint16_t)
CLIP_LOOP(loop_i32, int32_t)
CLIP_LOOP(loop_u32, uint32_t)
CLIP_LOOP(loop_i64, int64_t)
CLIP_LOOP(loop_u64, uint64_t)

static const tni_ew_map map = {
    .fn = {TNI_LOOPS_FLOAT(loop), TNI_LOOPS_INT(loop)},
    .has_kernel = true,
    .kernel = TNI_UNARY_CLIP,
};

/* Smallest and largest finite values, for the dtypes that use p. */
static void type_bounds(tni_ew_args *args, tn_dtype dtype)
{
    static const double f64[2] = {-DBL_MAX, DBL_MAX};
    static const int8_t i8[2] = {INT8_MIN, INT8_MAX};
    static const uint8_t u8[2] = {0, UINT8_MAX};
    static const int16_t i16[2] = {INT16_MIN, INT16_MAX};
    static const uint16_t u16[2] = {0, UINT16_MAX};
    static const int32_t i32[2] = {INT32_MIN, INT32_MAX};
    static const uint32_t u32[2] = {0, UINT32_MAX};
    static const int64_t i64[2] = {INT64_MIN, INT64_MAX};
    static const uint64_t u64[2] = {0, UINT64_MAX};
    float top = FLT_MAX;
    if (dtype == TN_F16) top = 65504.0f;
    if (dtype == TN_BF16) top = 0x1.fep127f;
    args->f[0] = -top;
    args->f[1] = top;
    switch (dtype) {
#define BOUNDS(t, a)                                                           \
    case t:                                                                    \
        args->p[0] = &(a)[0];                                                  \
        args->p[1] = &(a)[1];                                                  \
        break;
        BOUNDS(TN_F64, f64)
        BOUNDS(TN_I8, i8)
        BOUNDS(TN_U8, u8)
        BOUNDS(TN_I16, i16)
        BOUNDS(TN_U16, u16)
        BOUNDS(TN_I32, i32)
        BOUNDS(TN_U32, u32)
        BOUNDS(TN_I64, i64)
        BOUNDS(TN_U64, u64)
#undef BOUNDS
    default: break;
    }
}

static void set_bound(tni_ew_args *args, int i, const tni_tensor *bound)
{
    args->p[i] = bound->data;
    if (bound->dtype == TN_F32 || bound->dtype == TN_F16 ||
        bound->dtype == TN_BF16)
        tni_convert(&args->f[i], TN_F32, bound->data, bound->dtype, 1, NULL);
}

/* Room for attribute bounds as doubles. */
typedef struct attr_bounds {
    double v[2];
} attr_bounds;

static void set_attrs(tni_ew_args *args, attr_bounds *room,
                      const tni_node *node, tn_dtype dtype)
{
    static const char *const names[2] = {"min", "max"};
    for (int i = 0; i < 2; i++) {
        if (tni_attr_find(node, names[i]) == NULL) continue;
        args->f[i] = tni_attr_float(node, names[i], 0.0f);
        room->v[i] = (double)args->f[i];
        if (dtype == TN_F64) args->p[i] = &room->v[i];
    }
}

/* What does not depend on inputs. */
static void base_args(tni_ew_args *args, attr_bounds *room,
                      const tni_node *node, tn_dtype dtype)
{
    memset(args, 0, sizeof *args);
    type_bounds(args, dtype);
    set_attrs(args, room, node, dtype);
}

static void input_args(tni_ew_args *args, const tni_tensor *const *in, int n_in)
{
    for (int i = 1; i < n_in; i++)
        if (in[i] != NULL) set_bound(args, i - 1, in[i]);
}

static tn_status check_bound(int i, int64_t len, tn_err *err)
{
    if (len == 1) return TN_OK;
    return tni_fail(err, TN_EINVAL,
                    "input %d has %lld elements, a bound must have one", i,
                    (long long)len);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    for (int i = 1; i < c->n_in; i++)
        if (tni_ref_has(c, i)) TN_TRY(check_bound(i, c->in[i]->len, c->err));
    tni_ew_args args;
    attr_bounds room;
    base_args(&args, &room, c->node, x->dtype);
    input_args(&args, c->in, c->n_in);
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (tni_ref_wants(c, 0))
        tni_ew_map_apply(c->par, &map, x->dtype, &args, c->out[0]->data,
                         x->data, (size_t)x->len);
    return TN_OK;
}

typedef struct clip_state {
    tni_ew_args args;
    attr_bounds room;
    int n_in;
    const tni_kernels *kernels;
} clip_state;

static void run(const tni_run *c)
{
    const clip_state *s = c->state;
    tni_ew_args args = s->args;
    input_args(&args, c->in, s->n_in);
    tni_ew_map_apply_kernel(c->par, &map, s->kernels, c->in[0]->dtype, &args,
                            c->out[0]->data, c->in[0]->data,
                            (size_t)c->in[0]->len);
}

static tn_status plan(tni_plan *c)
{
    if (c->out[0] == NULL) return TN_OK;
    for (int i = 1; i < c->n_in; i++) {
        int64_t len = 0;
        if (c->in[i] == NULL) continue;
        (void)tni_dims_len(&len, c->in[i]->rank, c->in[i]->dims);
        TN_TRY(check_bound(i, len, c->err));
    }
    clip_state *s = TNI_NEW(c->arena, clip_state);
    if (s == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    base_args(&s->args, &s->room, c->node, c->in[0]->dtype);
    s->n_in = c->n_in;
    s->kernels = c->kernels;
    c->state = s;
    c->run = run;
    return TN_OK;
}

static const tni_arg in[] = {
    {"input", TNI_NUMERIC, 'T', 0},
    {"min", TNI_NUMERIC, 'T', TNI_OPTIONAL},
    {"max", TNI_NUMERIC, 'T', TNI_OPTIONAL},
};
static const tni_arg in_6[] = {{"input", TNI_FLOATS, 'T', 0}};
static const tni_arg out[] = {{"output", TNI_NUMERIC, 'T', 0}};

static const tni_attr_spec attrs_6[] = {
    {"consumed_inputs", TNI_ATTR_INTS, NULL}, /* opset 1 */
    {"max", TNI_ATTR_FLOAT, "3.4028235e+38"},
    {"min", TNI_ATTR_FLOAT, "-3.4028235e+38"},
};

static const tni_op_version versions[] = {
    {.since = 11,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in_6),
     TNI_OUT(out),
     TNI_ATTRS(attrs_6),
     .traits = TNI_INPLACE,
     .infer = tni_infer_unary,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_clip = {
    .domain = "",
    .name = "Clip",
    .summary = "x held within [min, max]",
    TNI_VERSIONS(versions),
};
