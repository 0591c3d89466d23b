/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_deform_conv.c - ONNX DeformConv, opsets 19, 22 (bfloat16)
 *
 * Shapes:  X[N, C, D1 … Dk], W[M, C/group, K1 … Kk], offset[N, og * prod(K) * k,
 *          O1 … Ok], B[M], mask[N, og * prod(K), O1 … Ok] -> Y[N, M, O1 … Ok],
 *          any k
 * Numeric: multilinear interpolation at fractional positions, zero outside
 *          the input; sums in double
 * Source:  github.com/onnx/onnx docs/Operators.md#DeformConv
 */
#include "ops/nn.h"

#include <math.h>

#define T19 (TNI_T(TN_F32) | TNI_T(TN_F64) | TNI_T(TN_F16))

enum { X, W, OFFSET, BIAS, MASK };
enum { DIMS = TN_MAX_RANK - 2 };

static const tni_arg in_22[] = {
    {"X", TNI_FLOATS, 'T', 0},
    {"W", TNI_FLOATS, 'T', 0},
    {"offset", TNI_FLOATS, 'T', 0},
    {"B", TNI_FLOATS, 'T', TNI_OPTIONAL},
    {"mask", TNI_FLOATS, 'T', TNI_OPTIONAL},
};
static const tni_arg out_22[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_arg in_19[] = {
    {"X", T19, 'T', 0},
    {"W", T19, 'T', 0},
    {"offset", T19, 'T', 0},
    {"B", T19, 'T', TNI_OPTIONAL},
    {"mask", T19, 'T', TNI_OPTIONAL},
};
static const tni_arg out_19[] = {{"Y", T19, 'T', 0}};
static const tni_attr_spec attrs_19[] = {
    {"dilations", TNI_ATTR_INTS, NULL},    {"group", TNI_ATTR_INT, "1"},
    {"kernel_shape", TNI_ATTR_INTS, NULL}, {"offset_group", TNI_ATTR_INT, "1"},
    {"pads", TNI_ATTR_INTS, NULL},         {"strides", TNI_ATTR_INTS, NULL},
};

typedef struct geometry {
    int nd;
    int64_t n, c, m, group, offset_group;
    int64_t in[DIMS], kernel[DIMS], out[DIMS], stride[DIMS], dilation[DIMS];
    int64_t before[DIMS], after[DIMS];
    int64_t in_len, kernel_len, out_len;
} geometry;

static tn_status read_ints(int64_t *out, const tni_node *node, const char *name,
                           int n, int64_t absent, int64_t least, tn_err *err)
{
    int len = 0;
    const int64_t *const v = tni_attr_ints(node, name, &len);
    if (len != 0 && len != n)
        return tni_fail(err, TN_EINVAL, "%s has %d values, expected %d", name,
                        len, n);
    for (int i = 0; i < n; i++) {
        out[i] = len != 0 ? v[i] : absent;
        if (out[i] < least || out[i] > INT32_MAX)
            return tni_fail(err, TN_EINVAL, "%s[%d] is %lld", name, i,
                            (long long)out[i]);
    }
    return TN_OK;
}

/* Extents may be unknown; then so are those that follow from them. */
static tn_status geometry_make(geometry *g, const tni_node *node, int rank,
                               const int64_t *x, const int64_t *w, tn_err *err)
{
    int64_t pads[2 * DIMS], kernel[DIMS];
    *g = (geometry){.nd = rank - 2, .n = x[0], .c = x[1], .m = w[0]};
    g->group = tni_attr_int(node, "group", 1);
    g->offset_group = tni_attr_int(node, "offset_group", 1);
    if (g->group < 1 || g->offset_group < 1 ||
        (TNI_DIM_IS_KNOWN(g->c) &&
         (g->c % g->group != 0 || g->c % g->offset_group != 0)) ||
        (TNI_DIM_IS_KNOWN(g->m) && g->m % g->group != 0) ||
        (TNI_DIM_IS_KNOWN(g->c) && TNI_DIM_IS_KNOWN(w[1]) &&
         g->c / g->group != w[1]))
        return tni_fail(err, TN_EINVAL,
                        "channels do not divide into %lld groups",
                        (long long)g->group);
    TN_TRY(read_ints(g->stride, node, "strides", g->nd, 1, 1, err));
    TN_TRY(read_ints(g->dilation, node, "dilations", g->nd, 1, 1, err));
    TN_TRY(read_ints(pads, node, "pads", 2 * g->nd, 0, 0, err));
    TN_TRY(read_ints(kernel, node, "kernel_shape", g->nd, 0, 0, err));
    g->in_len = g->kernel_len = g->out_len = 1;
    for (int i = 0; i < g->nd; i++) {
        g->in[i] = x[i + 2];
        g->kernel[i] = kernel[i] > 0 ? kernel[i] : w[i + 2];
        g->before[i] = pads[i];
        g->after[i] = pads[g->nd + i];
        g->out[i] = TNI_DIM_UNKNOWN;
        if (TNI_DIM_IS_KNOWN(w[i + 2]) && g->kernel[i] != w[i + 2])
            return tni_fail(err, TN_EINVAL, "kernel_shape differs from W");
        if (TNI_DIM_IS_KNOWN(g->in[i]) && TNI_DIM_IS_KNOWN(g->kernel[i])) {
            const int64_t room = g->in[i] + pads[i] + pads[g->nd + i] -
                                 ((g->kernel[i] - 1) * g->dilation[i] + 1);
            if (g->in[i] > INT32_MAX || g->kernel[i] > INT32_MAX || room < 0)
                return tni_fail(err, TN_EINVAL,
                                "kernel on axis %d does not fit", i + 2);
            g->out[i] = room / g->stride[i] + 1;
        }
        g->in_len = tni_dim_mul(g->in_len, g->in[i]);
        g->kernel_len = tni_dim_mul(g->kernel_len, g->kernel[i]);
        g->out_len = tni_dim_mul(g->out_len, g->out[i]);
    }
    return TN_OK;
}

static tn_status deform_conv_infer(tni_infer *c)
{
    int64_t dims[TN_MAX_RANK], n_off, n_mask;
    geometry g;
    if (!tni_infer_ranked(c, X) || !tni_infer_ranked(c, W)) {
        tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
        return TN_OK;
    }
    if (c->in[X]->rank < 3)
        return tni_fail(c->err, TN_EINVAL,
                        "input of rank %d, expected 3 or more", c->in[X]->rank);
    TN_TRY(tni_nn_want_rank(c, W, c->in[X]->rank));
    TN_TRY(tni_nn_want_rank(c, OFFSET, c->in[X]->rank));
    TN_TRY(tni_nn_want_rank(c, MASK, c->in[X]->rank));
    TN_TRY(geometry_make(&g, c->node, c->in[X]->rank, c->in[X]->dims,
                         c->in[W]->dims, c->err));
    n_mask = tni_dim_mul(g.offset_group, g.kernel_len);
    n_off = tni_dim_mul(n_mask, g.nd);
    TN_TRY(tni_nn_merge_dim(c, OFFSET, 0, &g.n));
    TN_TRY(tni_nn_merge_dim(c, MASK, 0, &g.n));
    TN_TRY(tni_nn_merge_dim(c, OFFSET, 1, &n_off));
    TN_TRY(tni_nn_merge_dim(c, MASK, 1, &n_mask));
    TN_TRY(tni_nn_merge_dim(c, BIAS, 0, &g.m));
    dims[0] = g.n;
    dims[1] = g.m;
    for (int i = 0; i < g.nd; i++) {
        TN_TRY(tni_nn_merge_dim(c, OFFSET, i + 2, &g.out[i]));
        TN_TRY(tni_nn_merge_dim(c, MASK, i + 2, &g.out[i]));
        dims[i + 2] = g.out[i];
    }
    return tni_infer_dims(c, 0, c->in[X]->dtype, c->in[X]->rank, dims);
}

/* Multilinear sample; corners outside count as zero. */
static double sample(const geometry *g, const double *x, const double *at)
{
    int64_t base[DIMS];
    double frac[DIMS], sum = 0;
    for (int i = 0; i < g->nd; i++) {
        const double f = floor(at[i]);
        if (!(at[i] > -1.0 && at[i] < (double)g->in[i])) return 0;
        base[i] = (int64_t)f;
        frac[i] = at[i] - f;
    }
    for (uint32_t corner = 0; corner < 1u << g->nd; corner++) {
        double weight = 1;
        int64_t off = 0;
        bool inside = true;
        for (int i = 0; i < g->nd; i++) {
            const bool high = (corner >> i & 1u) != 0;
            const int64_t p = base[i] + (high ? 1 : 0);
            weight *= high ? frac[i] : 1.0 - frac[i];
            inside = inside && p >= 0 && p < g->in[i];
            off = off * g->in[i] + p;
        }
        if (inside && weight != 0) sum += weight * x[off];
    }
    return sum;
}

/* Sampled, masked columns of one image: [C * kernel_len] at output o. */
static void columns(const geometry *g, const double *x, const double *offset,
                    const double *mask, int64_t o, double *col)
{
    const int64_t per = g->c / g->offset_group;
    int64_t pos[DIMS];
    for (int i = g->nd - 1; i >= 0; i--) {
        pos[i] = o % g->out[i];
        o /= g->out[i];
    }
    o = 0;
    for (int i = 0; i < g->nd; i++) o = o * g->out[i] + pos[i];
    for (int64_t c = 0; c < g->c; c++) {
        const int64_t og = c / per;
        for (int64_t k = 0; k < g->kernel_len; k++) {
            int64_t rest = k, tap[DIMS];
            double at[DIMS], v;
            for (int i = g->nd - 1; i >= 0; i--) {
                tap[i] = rest % g->kernel[i];
                rest /= g->kernel[i];
            }
            for (int i = 0; i < g->nd; i++)
                at[i] =
                    (double)(pos[i] * g->stride[i] - g->before[i] +
                             tap[i] * g->dilation[i]) +
                    offset[((og * g->kernel_len + k) * g->nd + i) * g->out_len +
                           o];
            v = sample(g, x + c * g->in_len, at);
            if (mask != NULL)
                v *= mask[(og * g->kernel_len + k) * g->out_len + o];
            col[c * g->kernel_len + k] = v;
        }
    }
}

static tn_status deform_conv_ref(tni_ref *c)
{
    const tni_tensor *const t = c->in[X];
    const double *x = NULL, *w = NULL, *offset = NULL, *bias = NULL;
    const double *mask = NULL;
    int64_t dims[TN_MAX_RANK], n_mask;
    double *y = NULL, *col;
    geometry g;
    TN_TRY(
        geometry_make(&g, c->node, t->rank, t->dims, c->in[W]->dims, c->err));
    dims[0] = g.n;
    dims[1] = g.m;
    for (int i = 0; i < g.nd; i++) dims[i + 2] = g.out[i];
    n_mask = g.n * g.offset_group * g.kernel_len * g.out_len;
    if (c->in[OFFSET]->len != n_mask * g.nd ||
        (tni_ref_has(c, MASK) && c->in[MASK]->len != n_mask) ||
        (tni_ref_has(c, BIAS) && c->in[BIAS]->len != g.m))
        return tni_fail(c->err, TN_EINVAL,
                        "offset, mask or bias differs in size");
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, dims));
    TN_TRY(tni_nn_load(c, t, &x));
    TN_TRY(tni_nn_load(c, c->in[W], &w));
    TN_TRY(tni_nn_load(c, c->in[OFFSET], &offset));
    if (tni_ref_has(c, BIAS)) TN_TRY(tni_nn_load(c, c->in[BIAS], &bias));
    if (tni_ref_has(c, MASK)) TN_TRY(tni_nn_load(c, c->in[MASK], &mask));
    TN_TRY(tni_nn_open(c, 0, &y));
    col = tni_nn_doubles(c, g.c * g.kernel_len);
    if (col == NULL) return tni_ref_nomem(c);
    const int64_t cg = g.c / g.group, mg = g.m / g.group;
    for (int64_t n = 0; n < g.n; n++)
        for (int64_t o = 0; o < g.out_len; o++) {
            columns(&g, x + n * g.c * g.in_len,
                    offset +
                        n * g.offset_group * g.kernel_len * g.nd * g.out_len,
                    mask == NULL
                        ? NULL
                        : mask + n * g.offset_group * g.kernel_len * g.out_len,
                    o, col);
            for (int64_t m = 0; m < g.m; m++) {
                const double *const wm = w + m * cg * g.kernel_len;
                const double *const part = col + m / mg * cg * g.kernel_len;
                double sum = bias != NULL ? bias[m] : 0;
                for (int64_t k = 0; k < cg * g.kernel_len; k++)
                    sum += wm[k] * part[k];
                y[(n * g.m + m) * g.out_len + o] = sum;
            }
        }
    tni_nn_store(c, 0, y);
    return TN_OK;
}

static const tni_op_version deform_conv_versions[] = {
    {.since = 22,
     TNI_IN(in_22),
     TNI_OUT(out_22),
     TNI_ATTRS(attrs_19),
     .infer = deform_conv_infer,
     .ref = deform_conv_ref},
    {.since = 19,
     TNI_IN(in_19),
     TNI_OUT(out_19),
     TNI_ATTRS(attrs_19),
     .infer = deform_conv_infer,
     .ref = deform_conv_ref},
};

const tni_op tni_op_deform_conv = {
    .domain = "",
    .name = "DeformConv",
    .summary = "Convolution that samples at learned offsets.",
    TNI_VERSIONS(deform_conv_versions),
};
