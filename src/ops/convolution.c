/* SPDX-License-Identifier: Apache-2.0 */
/* convolution.c - geometry, reference and f32 plan of convolutions */
#include "ops/convolution.h"

#include "base/checked.h"
#include "ops/nn.h"

#include <string.h>

/* --- geometry ------------------------------------------------------------ */

/* What one spatial extent of anything may be: products of a few stay safe. */
static const int64_t max_extent = INT32_MAX;

static tn_status read_ints(int64_t *out, const tni_node *node, const char *name,
                           int n, int64_t absent, int64_t least, tn_err *err)
{
    int len = 0;
    const int64_t *v = tni_attr_ints(node, name, &len);
    if (v != NULL && len != 0 && len != n)
        return tni_fail(err, TN_EINVAL, "%s has %d values, expected %d", name,
                        len, n);
    for (int i = 0; i < n; i++) {
        out[i] = v != NULL && len != 0 ? v[i] : absent;
        if (out[i] < least || out[i] > max_extent)
            return tni_fail(err, TN_EINVAL, "%s[%d] is %lld", name, i,
                            (long long)out[i]);
    }
    return TN_OK;
}

/* "output_shape": the spatial extents. The first writers gave all of the
 * output's, of which the batch and the channels say nothing new. */
static tn_status read_output_shape(int64_t *out, const tni_node *node, int nd,
                                   tn_err *err)
{
    int len = 0;
    const int64_t *v = tni_attr_ints(node, "output_shape", &len);
    if (v == NULL || len != nd + 2)
        return read_ints(out, node, "output_shape", nd, -1, -1, err);
    for (int i = 0; i < len; i++)
        if (v[i] < -1 || v[i] > max_extent)
            return tni_fail(err, TN_EINVAL, "output_shape[%d] is %lld", i,
                            (long long)v[i]);
    for (int i = 0; i < nd; i++) out[i] = v[i + 2];
    return TN_OK;
}

typedef enum pad_mode {
    PAD_NOTSET,
    PAD_VALID,
    PAD_SAME_UPPER,
    PAD_SAME_LOWER
} pad_mode;

static tn_status read_mode(pad_mode *mode, const tni_node *node, tn_err *err)
{
    static const char *const names[] = {"NOTSET", "VALID", "SAME_UPPER",
                                        "SAME_LOWER"};
    const tn_string s = tni_attr_string(node, "auto_pad");
    *mode = PAD_NOTSET;
    if (s.len == 0) return TN_OK;
    for (int i = 0; i < TNI_COUNT(names); i++) {
        if (tni_attr_is(node, "auto_pad", names[i], NULL)) {
            *mode = (pad_mode)i;
            return TN_OK;
        }
    }
    return tni_fail(err, TN_EINVAL, "auto_pad '%.*s' is not known",
                    (int)(s.len < 32 ? s.len : 32), s.ptr);
}

/* Splits padding that follows from a wanted output extent. */
static void split_padding(tni_conv_geom *g, int i, int64_t total, bool upper)
{
    if (total < 0) total = 0;
    g->before[i] = upper ? total / 2 : total - total / 2;
    g->after[i] = total - g->before[i];
}

static tn_status extent(tni_conv_geom *g, int i, pad_mode mode, tn_err *err)
{
    const int64_t in = g->in[i], s = g->stride[i];
    const int64_t reach = (g->kernel[i] - 1) * g->dilation[i] + 1;
    if (mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER) {
        g->out[i] = s == 1 ? in : TNI_DIM_UNKNOWN;
        if (!TNI_DIM_IS_KNOWN(in)) return TN_OK;
        g->out[i] = (in + s - 1) / s;
        if (g->kernel[i] >= 0)
            split_padding(g, i, (g->out[i] - 1) * s + reach - in,
                          mode == PAD_SAME_UPPER);
        return TN_OK;
    }
    if (mode == PAD_VALID) g->before[i] = g->after[i] = 0;
    g->out[i] = TNI_DIM_UNKNOWN;
    if (g->kernel[i] < 0) return TN_OK;
    if (!TNI_DIM_IS_KNOWN(in)) {
        if (s == 1 && g->before[i] + g->after[i] == reach - 1) g->out[i] = in;
        return TN_OK;
    }
    const int64_t room = in + g->before[i] + g->after[i] - reach;
    if (room < 0)
        return tni_fail(err, TN_EINVAL,
                        "kernel of %lld on axis %d is larger than the padded "
                        "input of %lld",
                        (long long)reach, i + 2, (long long)(room + reach));
    g->out[i] = room / s + 1;
    return TN_OK;
}

static tn_status extent_transposed(tni_conv_geom *g, int i, pad_mode mode,
                                   int64_t adjust, int64_t want, tn_err *err)
{
    const int64_t in = g->in[i], s = g->stride[i];
    const int64_t reach = (g->kernel[i] - 1) * g->dilation[i] + 1;
    g->out[i] = want;
    if (mode == PAD_VALID) g->before[i] = g->after[i] = 0;
    if (!TNI_DIM_IS_KNOWN(in) || g->kernel[i] < 0) return TN_OK;
    const int64_t full = s * (in - 1) + adjust + reach;
    if (want < 0 && (mode == PAD_SAME_UPPER || mode == PAD_SAME_LOWER))
        want = in * s;
    if (want >= 0) {
        g->out[i] = want;
        split_padding(g, i, full - want, mode == PAD_SAME_UPPER);
        return TN_OK;
    }
    g->out[i] = full - g->before[i] - g->after[i];
    if (g->out[i] < 0)
        return tni_fail(err, TN_EINVAL, "output extent %lld on axis %d",
                        (long long)g->out[i], i + 2);
    return TN_OK;
}

/* Group count against channels; unknown channels leave unknown results. */
static tn_status channels(tni_conv_geom *g, const tni_node *node,
                          const tni_type *x, const tni_type *w, bool transposed,
                          tn_err *err)
{
    const int64_t c = x->dims[1];
    g->groups = tni_attr_int(node, "group", 1);
    if (g->groups < 1 || g->groups > max_extent)
        return tni_fail(err, TN_EINVAL, "group is %lld", (long long)g->groups);
    g->ic = tni_dim_div(c, g->groups);
    if (TNI_DIM_IS_KNOWN(c) && c % g->groups != 0)
        return tni_fail(err, TN_EINVAL, "%lld channels in %lld groups",
                        (long long)c, (long long)g->groups);
    g->oc = TNI_DIM_UNKNOWN;
    if (w == NULL) return TN_OK;
    const int64_t w0 = w->dims[0], w1 = w->dims[1];
    const int64_t got = transposed ? tni_dim_div(w0, g->groups) : w1;
    if (TNI_DIM_IS_KNOWN(c) && TNI_DIM_IS_KNOWN(transposed ? w0 : w1) &&
        got != g->ic)
        return tni_fail(err, TN_EINVAL,
                        "x has %lld channels per group and w is for %lld",
                        (long long)g->ic, (long long)got);
    if (!TNI_DIM_IS_KNOWN(g->ic)) g->ic = got;
    if (!transposed && TNI_DIM_IS_KNOWN(w0) && w0 % g->groups != 0)
        return tni_fail(err, TN_EINVAL, "%lld output channels in %lld groups",
                        (long long)w0, (long long)g->groups);
    g->oc = transposed ? w1 : tni_dim_div(w0, g->groups);
    return TN_OK;
}

static tn_status kernel_extents(tni_conv_geom *g, const tni_node *node,
                                const tni_type *w, tn_err *err)
{
    TN_TRY(read_ints(g->kernel, node, "kernel_shape", g->nd, -1, -1, err));
    for (int i = 0; i < g->nd; i++) {
        const int64_t have = w != NULL ? w->dims[i + 2] : TNI_DIM_UNKNOWN;
        if (!TNI_DIM_IS_KNOWN(have)) continue;
        if (have > max_extent || (g->kernel[i] >= 0 && g->kernel[i] != have))
            return tni_fail(err, TN_EINVAL,
                            "kernel_shape[%d] is %lld and w has %lld", i,
                            (long long)g->kernel[i], (long long)have);
        g->kernel[i] = have;
    }
    for (int i = 0; i < g->nd; i++)
        if (g->kernel[i] == 0)
            return tni_fail(err, TN_EINVAL, "kernel extent %d is 0", i);
    return TN_OK;
}

tn_status tni_convolution_make(tni_conv_geom *g, const tni_node *node,
                               const tni_type *x, const tni_type *w,
                               bool transposed, tn_err *err)
{
    int64_t pads[2 * TNI_CONV_DIMS], adjust[TNI_CONV_DIMS];
    int64_t want[TNI_CONV_DIMS];
    pad_mode mode;
    memset(g, 0, sizeof *g);
    if (x->rank < 3)
        return tni_fail(err, TN_EINVAL, "input of rank %d, expected 3 or more",
                        x->rank);
    if (w != NULL && w->rank != x->rank)
        return tni_fail(err, TN_EINVAL, "w has rank %d and x has %d", w->rank,
                        x->rank);
    g->nd = x->rank - 2;
    g->n = x->dims[0];
    TN_TRY(channels(g, node, x, w, transposed, err));
    TN_TRY(kernel_extents(g, node, w, err));
    TN_TRY(read_mode(&mode, node, err));
    TN_TRY(read_ints(g->stride, node, "strides", g->nd, 1, 1, err));
    TN_TRY(read_ints(g->dilation, node, "dilations", g->nd, 1, 1, err));
    TN_TRY(read_ints(pads, node, "pads", 2 * g->nd, 0, 0, err));
    TN_TRY(read_ints(adjust, node, "output_padding", g->nd, 0, 0, err));
    TN_TRY(read_output_shape(want, node, g->nd, err));
    for (int i = 0; i < g->nd; i++) {
        g->in[i] = x->dims[i + 2];
        if (g->in[i] > max_extent)
            return tni_fail(err, TN_ELIMIT, "extent %lld on axis %d",
                            (long long)g->in[i], i + 2);
        g->before[i] = pads[i];
        g->after[i] = pads[g->nd + i];
        if (transposed)
            TN_TRY(extent_transposed(g, i, mode, adjust[i], want[i], err));
        else
            TN_TRY(extent(g, i, mode, err));
    }
    return TN_OK;
}

tn_status tni_convolution_infer(tni_infer *c, bool transposed)
{
    tni_conv_geom g;
    int64_t dims[TN_MAX_RANK];
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
        return TN_OK;
    }
    const tni_type *w = tni_infer_ranked(c, 1) ? c->in[1] : NULL;
    TN_TRY(tni_convolution_make(&g, c->node, c->in[0], w, transposed, c->err));
    dims[0] = g.n;
    dims[1] = tni_dim_mul(g.oc, g.groups);
    if (tni_infer_ranked(c, 2)) {
        TN_TRY(tni_nn_want_rank(c, 2, 1));
        TN_TRY(tni_nn_merge_dim(c, 2, 0, &dims[1]));
    }
    for (int i = 0; i < g.nd; i++) dims[i + 2] = g.out[i];
    return tni_infer_dims(c, 0, c->in[0]->dtype, g.nd + 2, dims);
}

/* --- reference ----------------------------------------------------------- */

static void type_of(tni_type *t, const tni_tensor *x)
{
    tni_type_tensor(t, x->dtype, x->rank);
    memcpy(t->dims, x->dims, (size_t)x->rank * sizeof x->dims[0]);
}

tn_status tni_convolution_ref_geom(tni_ref *c, tni_conv_geom *g,
                                   bool transposed)
{
    int64_t dims[TN_MAX_RANK];
    tni_type x, w;
    type_of(&x, c->in[0]);
    type_of(&w, c->in[1]);
    TN_TRY(tni_convolution_make(g, c->node, &x, &w, transposed, c->err));
    dims[0] = g->n;
    dims[1] = g->oc * g->groups;
    for (int i = 0; i < g->nd; i++) dims[i + 2] = g->out[i];
    if (tni_ref_has(c, 2) && c->in[2]->len != dims[1])
        return tni_fail(c->err, TN_EINVAL, "bias has %lld values for %lld",
                        (long long)c->in[2]->len, (long long)dims[1]);
    return tni_ref_output(c, 0, c->in[0]->dtype, g->nd + 2, dims);
}

/* Next index of an odometer over dims; false after the last. */
static bool next(int64_t *at, const int64_t *dims, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        if (++at[i] < dims[i]) return true;
        at[i] = 0;
    }
    return false;
}

/* Adds w * x for one tap to every output of a plane that it reaches. */
static void add_tap(const tni_conv_geom *g, const int64_t *k, double w,
                    const double *x, double *y)
{
    const int last = g->nd - 1;
    int64_t o[TNI_CONV_DIMS] = {0};
    /* Columns for which the tap is inside the input. */
    const int64_t s = g->stride[last];
    const int64_t shift = k[last] * g->dilation[last] - g->before[last];
    int64_t lo = shift < 0 ? (-shift + s - 1) / s : 0;
    int64_t hi = g->in[last] - 1 - shift;
    hi = hi < 0 ? 0 : hi / s + 1;
    if (hi > g->out[last]) hi = g->out[last];
    do {
        int64_t from = 0, to = 0;
        bool inside = true;
        for (int i = 0; i < last; i++) {
            const int64_t at =
                o[i] * g->stride[i] + k[i] * g->dilation[i] - g->before[i];
            inside = inside && at >= 0 && at < g->in[i];
            from = from * g->in[i] + at;
            to = to * g->out[i] + o[i];
        }
        if (!inside) continue;
        const double *row = x + from * g->in[last];
        double *out = y + to * g->out[last];
        for (int64_t i = lo; i < hi; i++) out[i] += w * row[i * s + shift];
    } while (next(o, g->out, last));
}

void tni_convolution_f64(const tni_conv_geom *g, const double *x,
                         const double *w, const double *bias, double *y)
{
    const int64_t in_len = tni_nn_extent(g->in, 0, g->nd);
    const int64_t out_len = tni_nn_extent(g->out, 0, g->nd);
    const int64_t k_len = tni_nn_extent(g->kernel, 0, g->nd);
    if (out_len == 0) return;
    for (int64_t i = 0; i < g->n * g->groups; i++) {
        for (int64_t o = 0; o < g->oc; o++) {
            const int64_t chan = i % g->groups * g->oc + o;
            const double *taps = w + chan * g->ic * k_len;
            double *plane = y + (i * g->oc + o) * out_len;
            const double b = bias != NULL ? bias[chan] : 0;
            for (int64_t q = 0; q < out_len; q++) plane[q] = 0;
            for (int64_t c = 0; c < g->ic; c++) {
                int64_t k[TNI_CONV_DIMS] = {0};
                do {
                    add_tap(g, k, *taps++, x + (i * g->ic + c) * in_len, plane);
                } while (next(k, g->kernel, g->nd));
            }
            for (int64_t q = 0; q < out_len; q++) plane[q] += b;
        }
    }
}

tn_status tni_convolution_ref(tni_ref *c)
{
    const double *x, *w, *bias = NULL, *add = NULL;
    double *y;
    tni_conv_geom g;
    tni_activation act;
    TN_TRY(tni_convolution_ref_geom(c, &g, false));
    TN_TRY(tni_activation_make(&act, c->node, c->err));
    TN_TRY(tni_nn_load(c, c->in[0], &x));
    TN_TRY(tni_nn_load(c, c->in[1], &w));
    if (tni_ref_has(c, 2)) TN_TRY(tni_nn_load(c, c->in[2], &bias));
    if (tni_ref_has(c, 3)) {
        TN_TRY(tni_nn_load(c, c->in[3], &add));
        if (!tni_same_shape(c->in[3], c->out[0]))
            return tni_fail(c->err, TN_EINVAL,
                            "residual and output differ in shape");
    }
    TN_TRY(tni_nn_open(c, 0, &y));
    if (y == NULL) return TN_OK;
    tni_convolution_f64(&g, x, w, bias, y);
    const int64_t len = c->out[0]->len;
    for (int64_t i = 0; add != NULL && i < len; i++) y[i] += add[i];
    tni_activation_f64(&act, y, len);
    tni_nn_store(c, 0, y);
    return TN_OK;
}

/* --- plan ---------------------------------------------------------------- */

typedef struct conv_state {
    tni_conv_plan plan;
    tni_dwconv_plan dwconv;     /* depthwise: in place of `plan` */
    tni_winograd_plan winograd; /* the same */
    const tni_conv_kernels *conv;
    const tni_dwconv_kernels *dw;
    const tni_winograd_kernels *wino;
    const tni_gemm_kernels *gemm;
    const float *packed; /* NULL: weights come at run */
    const uint32_t *tables;
    tni_activation act;
    tni_epilogue epi;
    size_t packed_bytes; /* of scratch, when packed at run */
    tni_conv_shape s;    /* of float32, when x is taken as bfloat16 pairs */
    tni_cvt_narrow_fn narrow;
    size_t pairs_bytes;
    bool has_bias, has_add;
} conv_state;

bool tni_convolution_kernel_shape(tni_conv_shape *s, const tni_conv_geom *g)
{
    if (g->nd > 3) return false;
    memset(s, 0, sizeof *s);
    s->n = (size_t)g->n;
    s->groups = (size_t)g->groups;
    s->ic = (size_t)g->ic;
    s->oc = (size_t)g->oc;
    for (int d = 0; d < 3; d++) {
        const int i = d - (3 - g->nd);
        s->in[d] = s->out[d] = s->kernel[d] = s->stride[d] = s->dilation[d] = 1;
        if (i < 0) continue;
        s->in[d] = (size_t)g->in[i];
        s->out[d] = (size_t)g->out[i];
        s->kernel[d] = (size_t)g->kernel[i];
        s->stride[d] = (size_t)g->stride[i];
        s->dilation[d] = (size_t)g->dilation[i];
        s->pad_lo[d] = (size_t)g->before[i];
    }
    return true;
}

static void depthwise_run(const tni_run *c)
{
    const conv_state *st = c->state;
    tni_epilogue e = st->epi;
    if (st->has_bias) e.bias_row = TNI_CDATA(float, c->in[2]);
    if (st->has_add) e.add = TNI_CDATA(float, c->in[3]);
    tni_dwconv_run(&st->dwconv, st->dw, TNI_CDATA(float, c->in[0]),
                   TNI_CDATA(float, c->in[1]), st->tables, &e,
                   TNI_DATA(float, c->out[0]), (float *)c->scratch, c->par);
}

static void conv_run(const tni_run *c)
{
    const conv_state *st = c->state;
    const float *packed = st->packed;
    const float *w = TNI_CDATA(float, c->in[1]);
    char *scratch = c->scratch;
    tni_epilogue e = st->epi;
    if (packed == NULL) {
        float *fresh = (float *)(void *)scratch;
        tni_conv_pack(&st->plan, st->conv, st->gemm, fresh, w);
        packed = fresh;
        scratch += st->packed_bytes;
    }
    if (st->has_bias) e.bias_row = TNI_CDATA(float, c->in[2]);
    if (st->has_add) e.add = TNI_CDATA(float, c->in[3]);
    tni_conv_run(&st->plan, st->conv, st->gemm, TNI_CDATA(float, c->in[0]),
                 packed, st->tables, &e, TNI_DATA(float, c->out[0]),
                 (float *)(void *)scratch, c->par);
}

static void pairs_run(const tni_run *c)
{
    const conv_state *st = c->state;
    float *x = (float *)(void *)c->scratch;
    tni_epilogue e = st->epi;
    if (st->has_bias) e.bias_row = TNI_CDATA(float, c->in[2]);
    if (st->has_add) e.add = TNI_CDATA(float, c->in[3]);
    tni_bconv_pair_image(&st->s, st->narrow, x, TNI_CDATA(float, c->in[0]),
                         c->par);
    char *scratch = (char *)c->scratch + st->pairs_bytes;
    tni_conv_run(&st->plan, st->conv, st->gemm, x, st->packed, st->tables, &e,
                 TNI_DATA(float, c->out[0]), (float *)(void *)scratch, c->par);
}

static void winograd_run(const tni_run *c)
{
    const conv_state *st = c->state;
    tni_epilogue e = st->epi;
    if (st->has_bias) e.bias_row = TNI_CDATA(float, c->in[2]);
    if (st->has_add) e.add = TNI_CDATA(float, c->in[3]);
    tni_winograd_run(&st->winograd, st->wino, st->gemm,
                     TNI_CDATA(float, c->in[0]), st->packed, &e,
                     TNI_DATA(float, c->out[0]), (float *)c->scratch, c->par);
}

/* Layouts of packed weights; those of a node that are kept differ in slot. */
enum {
    SLOT_CHANNELS,
    SLOT_PIXELS,
    SLOT_WINOGRAD2,
    SLOT_WINOGRAD4,
    SLOT_PAIR_CHANNELS,
    SLOT_PAIR_PIXELS
};

/* Weights that are constants are packed once per session. */
static tn_status packed_bytes(tni_plan *c, size_t len, size_t *bytes)
{
    if (!tni_mul_size(len, sizeof(float), bytes) ||
        !tni_align_up(*bytes, TNI_ALIGN, bytes))
        return tni_fail(c->err, TN_ELIMIT, "packed weights are too large");
    return TN_OK;
}

static const float *all_weights(tni_plan *c)
{
    return c->weights(c, 1, 0, (size_t)c->in_const[1]->len);
}

static tn_status pack_weights(tni_plan *c, conv_state *st)
{
    const tni_conv_plan *p = &st->plan;
    bool fresh = false;
    size_t bytes = 0;
    TN_TRY(packed_bytes(c, p->packed_len, &bytes));
    if (c->in_const[1] == NULL) {
        st->packed_bytes = bytes;
        return TN_OK;
    }
    const int slot =
        p->method == TNI_CONV_CHANNELS ? SLOT_CHANNELS : SLOT_PIXELS;
    float *packed = c->prepack(c, slot, bytes + TNI_ALIGN, &fresh);
    if (packed == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    if (fresh) {
        const float *w = all_weights(c);
        if (w == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
        tni_conv_pack(p, st->conv, st->gemm, packed, w);
    }
    st->packed = packed;
    c->packed |= 1u << 1;
    return TN_OK;
}

static bool has(const tni_plan *c, int i)
{
    return i < c->n_in && c->in[i] != NULL;
}

static bool same_extents(const tni_type *a, const tni_type *b)
{
    return a->rank == b->rank &&
           memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) == 0;
}

static tn_status make_tables(tni_plan *c, conv_state *st)
{
    uint32_t *tables =
        TNI_NEW_ARRAY(c->arena, uint32_t, st->plan.table_len + 1);
    if (tables == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    tni_conv_tables(&st->plan, tables);
    st->tables = tables;
    return TN_OK;
}

static tn_status plan_dense(tni_plan *c, conv_state *st)
{
    TN_TRY(pack_weights(c, st));
    TN_TRY(make_tables(c, st));
    if (!tni_mul_size(tni_conv_scratch_len(&st->plan, c->n_workers),
                      sizeof(float), &c->scratch_bytes) ||
        !tni_add_size(c->scratch_bytes, st->packed_bytes, &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    c->run = conv_run;
    return TN_OK;
}

/* Weights as pairs, by way of memory that is given back. */
static tn_status pack_pairs(tni_plan *c, conv_state *st)
{
    const tni_conv_plan *p = &st->plan;
    tni_mem *mem = c->arena->mem;
    bool fresh = false;
    size_t bytes = 0;
    TN_TRY(packed_bytes(c, p->packed_len, &bytes));
    const int slot =
        p->method == TNI_CONV_CHANNELS ? SLOT_PAIR_CHANNELS : SLOT_PAIR_PIXELS;
    float *packed = c->prepack(c, slot, bytes + TNI_ALIGN, &fresh);
    if (packed == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    st->packed = packed;
    c->packed |= 1u << 1;
    if (!fresh) return TN_OK;
    const float *w = all_weights(c);
    if (w == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const size_t size = (p->s.groups * p->s.oc * p->k + 1) * sizeof(float);
    float *pairs = tni_mem_alloc(mem, size, TNI_ALIGN);
    if (pairs == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    tni_bconv_pair_weights(&st->s, st->narrow, pairs, w);
    tni_conv_pack(p, st->conv, st->gemm, packed, pairs);
    tni_mem_free(mem, pairs, size, TNI_ALIGN);
    return TN_OK;
}

static tn_status plan_pairs(tni_plan *c, conv_state *st)
{
    const tni_conv_plan *p = &st->plan;
    TN_TRY(pack_pairs(c, st));
    TN_TRY(make_tables(c, st));
    size_t bytes = 0, images = 0;
    if (!tni_mul_size(tni_conv_scratch_len(p, c->n_workers), sizeof(float),
                      &bytes) ||
        !tni_mul_size(p->s.n * p->s.groups, p->s.ic * sizeof(float), &images) ||
        !tni_mul_size(images, p->in_len, &st->pairs_bytes) ||
        !tni_align_up(st->pairs_bytes, TNI_ALIGN, &st->pairs_bytes) ||
        !tni_add_size(bytes, st->pairs_bytes, &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    c->run = pairs_run;
    return TN_OK;
}

static tn_status plan_depthwise(tni_plan *c, conv_state *st)
{
    const size_t len = st->dwconv.worker_len, n = (size_t)c->n_workers;
    uint32_t *tables = TNI_NEW_ARRAY(c->arena, uint32_t, st->dwconv.table_len);
    if (tables == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    tni_dwconv_tables(&st->dwconv, tables);
    st->tables = tables;
    if (!tni_mul_size(len, n * sizeof(float), &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    c->run = depthwise_run;
    return TN_OK;
}

static tn_status plan_winograd(tni_plan *c, conv_state *st)
{
    const tni_winograd_plan *p = &st->winograd;
    bool fresh = false;
    size_t bytes = 0;
    TN_TRY(packed_bytes(c, p->packed_len, &bytes));
    /* Those of kernels of one element are the same as for CHANNELS. */
    const int slot = p->m == 1   ? SLOT_CHANNELS
                     : p->m == 2 ? SLOT_WINOGRAD2
                                 : SLOT_WINOGRAD4;
    float *packed = c->prepack(c, slot, bytes + TNI_ALIGN, &fresh);
    if (packed == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    if (fresh) {
        const float *w = all_weights(c);
        if (w == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
        tni_winograd_pack(p, st->gemm, packed, w);
    }
    st->packed = packed;
    c->packed |= 1u << 1;
    if (!tni_mul_size(tni_winograd_scratch_len(p, c->n_workers), sizeof(float),
                      &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    c->run = winograd_run;
    return TN_OK;
}

/* Whether the family serves: weights are transformed ahead, and the error of
 * tiles of several pixels is not that of the definition. */
static bool choose_winograd(const tni_plan *c, conv_state *st,
                            const tni_conv_shape *s)
{
    if (c->in_const[1] == NULL) return false;
    const int m = tni_winograd_choose(st->wino, st->gemm, s);
    return m != 0 && (m == 1 || !c->exact) &&
           tni_winograd_plan_init(&st->winograd, st->wino, st->gemm, s, m);
}

/* Why a convolution keeps float32, or NULL. Tiles of four by four pixels save
 * more multiplications than pairs do. */
static const char *why_float32(const tni_plan *c, const conv_state *st,
                               const tni_conv_shape *s)
{
    if (c->in_const[1] == NULL) return "float32: its weights are not constant";
    if (s->ic == 1) return "float32: one channel has no pair";
    if (tni_winograd_choose(st->wino, st->gemm, s) == 4)
        return "float32: Winograd multiplies less";
    return NULL;
}

/* Whether to multiply bfloat16; leaves word of it in the plan. */
static bool choose_pairs(tni_plan *c, conv_state *st, const tni_conv_shape *s)
{
    const tni_kernels *k = c->kernels;
    const tni_conv_shape pairs = tni_bconv_shape(s);
    tni_conv_plan plan;
    if (!c->bf16) return false;
    c->precision = why_float32(c, st, s);
    /* Pairs are half as much as what has been found to fit. */
    if (c->precision != NULL ||
        !tni_conv_plan_init(&plan, &k->bconv, &k->bgemm, &pairs))
        return false;
    c->in_bf16 = true;
    c->precision = tni_bgemm_native(&k->bgemm) ? "bf16" : TNI_BF16_WIDENED;
    st->plan = plan;
    st->s = *s;
    st->conv = &k->bconv;
    st->gemm = &k->bgemm;
    st->narrow = k->cvt.bf16_from_f32;
    return true;
}

tn_status tni_convolution_plan(tni_plan *c)
{
    tni_conv_geom g;
    tni_conv_shape s;
    if (c->in[0]->dtype != TN_F32 || c->out[0] == NULL) return TN_OK;
    TN_TRY(
        tni_convolution_make(&g, c->node, c->in[0], c->in[1], false, c->err));
    if (!tni_convolution_kernel_shape(&s, &g)) return TN_OK;
    conv_state *st = TNI_NEW(c->arena, conv_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    st->conv = &c->kernels->conv;
    st->dw = &c->kernels->dwconv;
    st->wino = &c->kernels->winograd;
    st->gemm = &c->kernels->gemm;
    if (!tni_conv_plan_init(&st->plan, st->conv, st->gemm, &s)) return TN_OK;
    st->has_bias = has(c, 2);
    st->has_add = has(c, 3);
    if (st->has_bias &&
        (c->in[2]->rank != 1 || c->in[2]->dims[0] != g.oc * g.groups))
        return TN_OK; /* ref says what is wrong */
    if (st->has_add && !same_extents(c->in[3], c->out[0])) return TN_OK;
    const tni_epilogue none = TNI_EPILOGUE_NONE;
    st->epi = none;
    TN_TRY(tni_activation_make(&st->act, c->node, c->err));
    tni_activation_set(&st->epi, &st->act, c->kernels);
    c->state = st;
    if (tni_dwconv_plan_init(&st->dwconv, &s)) {
        if (c->bf16) c->precision = "float32: depthwise";
        return plan_depthwise(c, st);
    }
    if (choose_pairs(c, st, &s)) return plan_pairs(c, st);
    return choose_winograd(c, st, &s) ? plan_winograd(c, st)
                                      : plan_dense(c, st);
}
