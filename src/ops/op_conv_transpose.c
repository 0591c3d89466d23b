/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_conv_transpose.c - ONNX ConvTranspose, opsets 1, 11, 22; convolution.h
 *
 * Shapes:  x[N, C, D1 ... Dk], w[C, M/g, k1 ... kk], b[M] -> y, any k >= 1
 * Types:   f32, f64, f16; bf16 from 22
 * Attrs:   auto_pad, dilations, group, kernel_shape, output_padding,
 *          output_shape, pads, strides
 * Errors:  EINVAL channels that do not fit, a negative output extent
 * Numeric: |err| <= (K + 2) u sum |w x|, K = C/g * taps that meet
 * Source:  github.com/onnx/onnx docs/Operators.md#ConvTranspose
 *
 * The plan multiplies w^T[M/g * taps, C/g] by x[C/g, in] and adds every row of
 * the product to the output plane where its tap puts it, plane by plane.
 */
#include "base/checked.h"
#include "ops/convolution.h"
#include "ops/nn.h"

#include <string.h>

/* --- taps ---------------------------------------------------------------- */

/* Next index of an odometer over dims; false after the last. */
static bool next(int64_t *at, const int64_t *dims, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        if (++at[i] < dims[i]) return true;
        at[i] = 0;
    }
    return false;
}

/* Inputs of the last axis that tap k sends inside the output: [*lo, *hi). */
static void columns(const tni_conv_geom *g, int64_t k, int64_t *lo, int64_t *hi,
                    int64_t *shift)
{
    const int last = g->nd - 1;
    const int64_t s = g->stride[last];
    *shift = k * g->dilation[last] - g->before[last];
    *lo = *shift < 0 ? (-*shift + s - 1) / s : 0;
    *hi = g->out[last] - 1 - *shift;
    *hi = *hi < 0 ? 0 : *hi / s + 1;
    if (*hi > g->in[last]) *hi = g->in[last];
}

/* Walks the rows (all axes but the last) of x that tap k sends inside y:
 * element i of the row at x + from goes to y + to + i * stride + shift. */
#define DEFINE_SCATTER(NAME, T)                                                \
    static void NAME(const tni_conv_geom *g, const int64_t *k, T w,            \
                     const T *x, T *y)                                         \
    {                                                                          \
        const int last = g->nd - 1;                                            \
        const int64_t s = g->stride[last];                                     \
        int64_t at[TNI_CONV_DIMS] = {0}, lo, hi, shift;                        \
        columns(g, k[last], &lo, &hi, &shift);                                 \
        do {                                                                   \
            int64_t from = 0, to = 0;                                          \
            bool inside = true;                                                \
            for (int i = 0; i < last; i++) {                                   \
                const int64_t o = at[i] * g->stride[i] +                       \
                                  k[i] * g->dilation[i] - g->before[i];        \
                inside = inside && o >= 0 && o < g->out[i];                    \
                from = from * g->in[i] + at[i];                                \
                to = to * g->out[i] + o;                                       \
            }                                                                  \
            if (!inside) continue;                                             \
            const T *row = x + from * g->in[last];                             \
            T *out = y + to * g->out[last];                                    \
            for (int64_t i = lo; i < hi; i++)                                  \
                out[i * s + shift] += w * row[i];                              \
        } while (next(at, g->in, last));                                       \
    }

DEFINE_SCATTER(scatter_f64, double)
DEFINE_SCATTER(scatter_f32, float)

/* --- reference ----------------------------------------------------------- */

static tn_status ref(tni_ref *c)
{
    const double *x, *w, *bias = NULL;
    double *y;
    tni_conv_geom g;
    TN_TRY(tni_convolution_ref_geom(c, &g, true));
    TN_TRY(tni_nn_load(c, c->in[0], &x));
    TN_TRY(tni_nn_load(c, c->in[1], &w));
    if (tni_ref_has(c, 2)) TN_TRY(tni_nn_load(c, c->in[2], &bias));
    TN_TRY(tni_nn_open(c, 0, &y));
    if (y == NULL) return TN_OK;
    const int64_t in_len = tni_nn_extent(g.in, 0, g.nd);
    const int64_t out_len = tni_nn_extent(g.out, 0, g.nd);
    const int64_t k_len = tni_nn_extent(g.kernel, 0, g.nd);
    for (int64_t i = 0; i < g.n * g.groups && out_len != 0; i++) {
        const int64_t group = i % g.groups;
        for (int64_t o = 0; o < g.oc; o++) {
            double *plane = y + (i * g.oc + o) * out_len;
            for (int64_t q = 0; q < out_len; q++) plane[q] = 0;
            for (int64_t ch = 0; ch < g.ic && in_len != 0; ch++) {
                const double *tap =
                    w + ((group * g.ic + ch) * g.oc + o) * k_len;
                int64_t k[TNI_CONV_DIMS] = {0};
                do {
                    scatter_f64(&g, k, *tap++, x + (i * g.ic + ch) * in_len,
                                plane);
                } while (next(k, g.kernel, g.nd));
            }
            if (bias == NULL) continue;
            for (int64_t q = 0; q < out_len; q++)
                plane[q] += bias[group * g.oc + o];
        }
    }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

/* --- f32 plan ------------------------------------------------------------ */

typedef struct transpose_state {
    tni_conv_geom geom;
    tni_gemm g; /* shapes only */
    tni_gemm_plan plan;
    const tni_gemm_kernels *ker;
    const float *packed; /* NULL: weights come at run */
    size_t packed_len;   /* of a group */
    size_t in_len, out_len, k_len;
    size_t product_bytes, packed_bytes; /* of scratch */
    bool has_bias;
} transpose_state;

typedef struct transpose_job {
    const transpose_state *st;
    const float *bias;
    float *product;
    float *y; /* of the image and group */
} transpose_job;

/* Adds the products of output channels [begin, end). */
static void gather_planes(void *ctx, size_t begin, size_t end, int worker)
{
    const transpose_job *j = ctx;
    const transpose_state *st = j->st;
    (void)worker;
    for (size_t o = begin; o < end; o++) {
        float *plane = j->y + o * st->out_len;
        const float *row = j->product + o * st->k_len * st->in_len;
        const float b = j->bias != NULL ? j->bias[o] : 0.0f;
        int64_t k[TNI_CONV_DIMS] = {0};
        for (size_t q = 0; q < st->out_len; q++) plane[q] = 0.0f;
        do {
            if (st->in_len != 0) scatter_f32(&st->geom, k, 1.0f, row, plane);
            row += st->in_len;
        } while (next(k, st->geom.kernel, st->geom.nd));
        for (size_t q = 0; q < st->out_len; q++) plane[q] += b;
    }
}

static void transpose_run(const tni_run *c)
{
    const transpose_state *st = c->state;
    const tni_conv_geom *geom = &st->geom;
    const tni_epilogue none = TNI_EPILOGUE_NONE;
    const float *x = TNI_CDATA(float, c->in[0]);
    const float *w = TNI_CDATA(float, c->in[1]);
    char *scratch = c->scratch;
    transpose_job j = {st, NULL, NULL, TNI_DATA(float, c->out[0])};
    const float *packed = st->packed;
    j.product = (float *)(void *)scratch;
    scratch += st->product_bytes;
    const size_t group_len = st->g.m * st->g.k;
    if (packed == NULL) {
        float *fresh = (float *)(void *)scratch;
        for (size_t g = 0; g < (size_t)geom->groups; g++)
            tni_gemm_pack_a(st->ker, fresh + g * st->packed_len,
                            w + g * group_len, st->g.m, true, st->g.m, st->g.k);
        packed = fresh;
        scratch += st->packed_bytes;
    }
    for (size_t i = 0; i < (size_t)(geom->n * geom->groups); i++) {
        const size_t group = i % (size_t)geom->groups;
        tni_gemm g = st->g;
        g.a_packed = packed + group * st->packed_len;
        g.b = x + i * st->g.k * st->in_len;
        g.c = j.product;
        tni_gemm_run(st->ker, &st->plan, &g, &none, (float *)(void *)scratch,
                     c->par);
        if (st->has_bias)
            j.bias = TNI_CDATA(float, c->in[2]) + group * (size_t)geom->oc;
        tni_par_for(c->par, (size_t)geom->oc, gather_planes, &j);
        j.y += (size_t)geom->oc * st->out_len;
    }
}

static bool size_bytes(size_t *bytes, size_t a, size_t b)
{
    return tni_mul_size(a, b, bytes) &&
           tni_mul_size(*bytes, sizeof(float), bytes) &&
           tni_align_up(*bytes, TNI_ALIGN, bytes);
}

static tn_status pack_weights(tni_plan *c, transpose_state *st)
{
    const size_t groups = (size_t)st->geom.groups;
    size_t bytes = 0;
    bool fresh = false;
    if (!tni_gemm_packed_a_len(st->ker, st->g.m, st->g.k, &st->packed_len) ||
        !size_bytes(&bytes, st->packed_len, groups))
        return tni_fail(c->err, TN_ELIMIT, "packed weights are too large");
    if (c->in_const[1] == NULL) {
        st->packed_bytes = bytes;
        return TN_OK;
    }
    float *packed = c->prepack(c, 0, bytes + TNI_ALIGN, &fresh);
    if (packed == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const size_t len = st->g.m * st->g.k;
    for (size_t g = 0; fresh && g < groups; g++) {
        const float *w = c->weights(c, 1, g * len, len);
        if (w == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
        tni_gemm_pack_a(st->ker, packed + g * st->packed_len, w, st->g.m, true,
                        st->g.m, st->g.k);
    }
    st->packed = packed;
    c->packed |= 1u << 1;
    return TN_OK;
}

static tn_status plan(tni_plan *c)
{
    static const float any = 0;
    tni_conv_geom geom;
    if (c->in[0]->dtype != TN_F32 || c->out[0] == NULL) return TN_OK;
    TN_TRY(
        tni_convolution_make(&geom, c->node, c->in[0], c->in[1], true, c->err));
    transpose_state *st = TNI_NEW(c->arena, transpose_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    st->geom = geom;
    st->ker = &c->kernels->gemm;
    st->in_len = (size_t)tni_nn_extent(geom.in, 0, geom.nd);
    st->out_len = (size_t)tni_nn_extent(geom.out, 0, geom.nd);
    st->k_len = (size_t)tni_nn_extent(geom.kernel, 0, geom.nd);
    st->has_bias = c->n_in > 2 && c->in[2] != NULL;
    if (st->has_bias &&
        (c->in[2]->rank != 1 || c->in[2]->dims[0] != geom.oc * geom.groups))
        return TN_OK; /* ref says what is wrong */
    st->g = (tni_gemm){.m = (size_t)geom.oc * st->k_len,
                       .n = st->in_len,
                       .k = (size_t)geom.ic,
                       .ldb = st->in_len,
                       .ldc = st->in_len};
    TN_TRY(pack_weights(c, st));
    tni_gemm shape = st->g;
    shape.a_packed = &any;
    tni_gemm_plan_init(&st->plan, st->ker, &shape);
    size_t bytes = 0;
    if (!size_bytes(&st->product_bytes, st->g.m, st->g.n) ||
        !size_bytes(&bytes, st->plan.scratch_len, (size_t)c->n_workers) ||
        !tni_add_size(bytes, st->product_bytes, &bytes) ||
        !tni_add_size(bytes, st->packed_bytes, &bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    c->scratch_bytes = bytes;
    c->state = st;
    c->run = transpose_run;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    return tni_convolution_infer(c, true);
}

enum { old = TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16) };

static const tni_arg in_22[] = {{"X", TNI_FLOATS, 'T', 0},
                                {"W", TNI_FLOATS, 'T', 0},
                                {"B", TNI_FLOATS, 'T', TNI_OPTIONAL}};
static const tni_arg out_22[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_arg in_1[] = {
    {"X", old, 'T', 0}, {"W", old, 'T', 0}, {"B", old, 'T', TNI_OPTIONAL}};
static const tni_arg out_1[] = {{"Y", old, 'T', 0}};

static const tni_attr_spec attrs[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"dilations", TNI_ATTR_INTS, NULL},
    {"group", TNI_ATTR_INT, "1"},
    {"kernel_shape", TNI_ATTR_INTS, NULL},
    {"output_padding", TNI_ATTR_INTS, NULL},
    {"output_shape", TNI_ATTR_INTS, NULL},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_conv_transpose = {
    .domain = "",
    .name = "ConvTranspose",
    .summary = "Gradient of a convolution as an upsampling layer.",
    TNI_VERSIONS(versions),
};
