/* SPDX-License-Identifier: Apache-2.0 */
/*
 * integer_nhwc.c - quantised convolutions with the channels last
 *
 * What does not change from run to run, weights, scales and zero points, is
 * read when the node is planned; a node that computes them is left to ref,
 * which reads them every time.
 */
#include "base/checked.h"
#include "ops/integer.h"

#include <string.h>

/* x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias */
enum { X, XS, XZ, W, WS, WZ, YS, YZ, BIAS, N_IN };

typedef struct nhwc {
    tni_qconv_plan conv;
    tni_qdwconv_plan dw;
    bool depthwise;
    int x_zero;
    size_t len; /* of arrays per channel */
    int32_t *bias;
    float *scale;
    const void *packed;
    tni_qconv_end end;
} nhwc;

/* Where packed weights live: kept for the session, or for one call. */
typedef struct memory {
    tni_plan *plan;
    tni_arena *arena;
} memory;

static void *packed_block(const memory *m, size_t size, bool *fresh)
{
    *fresh = true;
    return m->plan != NULL ? m->plan->prepack(m->plan, 0, size, fresh)
                           : tni_arena_alloc(m->arena, size, TNI_ALIGN);
}

/* --- shapes -------------------------------------------------------------- */

static void channels_second(tni_type *to, const tni_type *x)
{
    *to = *x;
    if (x->rank < 3) return;
    to->dims[1] = x->dims[x->rank - 1];
    for (int i = 2; i < x->rank; i++) to->dims[i] = x->dims[i - 1];
}

static void out_dims(const tni_conv_geom *g, int64_t *dims)
{
    dims[0] = g->n;
    for (int i = 0; i < g->nd; i++) dims[i + 1] = g->out[i];
    dims[g->nd + 1] = g->oc < 0 ? TNI_DIM_UNKNOWN : g->oc * g->groups;
}

static tn_status geometry(tni_conv_geom *g, const tni_node *node,
                          const tni_type *x, const tni_type *w, tn_err *err)
{
    tni_type t;
    channels_second(&t, x);
    TN_TRY(tni_convolution_make(g, node, &t, w, false, err));
    if (g->nd > 2)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "%d axes, channels-last convolutions have one or two",
                        g->nd);
    return TN_OK;
}

tn_status tni_int_nhwc_infer(tni_infer *c)
{
    tni_conv_geom g;
    int64_t dims[TN_MAX_RANK];
    const tn_dtype dtype = tni_infer_dtype(c, YZ);
    if (!tni_infer_ranked(c, X)) {
        tni_infer_unranked(c, 0, dtype);
        return TN_OK;
    }
    TN_TRY(geometry(&g, c->node, c->in[X],
                    tni_infer_ranked(c, W) ? c->in[W] : NULL, c->err));
    out_dims(&g, dims);
    return tni_infer_dims(c, 0, dtype, g.nd + 2, dims);
}

static void kernel_shape(tni_qconv_shape *s, const tni_conv_geom *g)
{
    *s = (tni_qconv_shape){.n = (size_t)g->n,
                           .groups = (size_t)g->groups,
                           .ic = (size_t)g->ic,
                           .oc = (size_t)g->oc,
                           .in = {1, 1},
                           .out = {1, 1},
                           .kernel = {1, 1},
                           .stride = {1, 1},
                           .dilation = {1, 1}};
    for (int i = 0; i < g->nd; i++) {
        const int d = 2 - g->nd + i;
        s->in[d] = (size_t)g->in[i];
        s->out[d] = (size_t)g->out[i];
        s->kernel[d] = (size_t)g->kernel[i];
        s->stride[d] = (size_t)g->stride[i];
        s->dilation[d] = (size_t)g->dilation[i];
        s->pad_lo[d] = (size_t)g->before[i];
    }
}

/* --- parameters ---------------------------------------------------------- */

static tn_status check_len(const tni_tensor *t, const char *what, int64_t n,
                           tn_err *err)
{
    if (t == NULL || t->len == 1 || t->len == n) return TN_OK;
    return tni_fail(err, TN_EINVAL, "%s has %lld values, expected 1 or %lld",
                    what, (long long)t->len, (long long)n);
}

static tn_status check(const tni_tensor *const *in, int64_t channels,
                       tn_err *err)
{
    TN_TRY(check_len(in[XS], "the scale of x", 1, err));
    TN_TRY(check_len(in[XZ], "the zero point of x", 1, err));
    TN_TRY(check_len(in[WS], "the scale of w", channels, err));
    TN_TRY(check_len(in[WZ], "the zero point of w", channels, err));
    TN_TRY(check_len(in[YS], "the scale of y", 1, err));
    TN_TRY(check_len(in[YZ], "the zero point of y", 1, err));
    if (in[BIAS] != NULL && in[BIAS]->len != channels)
        return tni_fail(err, TN_EINVAL, "the bias does not have %lld values",
                        (long long)channels);
    return TN_OK;
}

/* Range, scales and bias: arrays in the kernel's order. */
static void set_end(nhwc *s, const tni_tensor *const *in, size_t channels,
                    const int32_t *sums)
{
    tni_qconv_end *e = &s->end;
    const float sx = (float)tni_get_f64(in[XS], 0);
    const float sy = (float)tni_get_f64(in[YS], 0);
    const int least = in[YZ]->dtype == TN_I8 ? -128 : 0;
    const int32_t *bias =
        in[BIAS] != NULL ? TNI_CDATA(int32_t, in[BIAS]) : NULL;
    e->out = TNI_QCONV_BYTES;
    e->zero = (int32_t)tni_get_i64(in[YZ], 0);
    e->lo = (float)(least - e->zero);
    e->hi = (float)(least + 255 - e->zero);
    e->bias = s->bias;
    e->scale = s->scale;
    if (!s->depthwise) tni_qconv_bias(&s->conv, s->bias, bias, sums, s->x_zero);
    for (size_t o = 0; o < channels; o++) {
        const size_t at = s->depthwise ? tni_qdwconv_at(&s->dw, o)
                                       : tni_qconv_oc_at(&s->conv, o);
        const int64_t k = in[WS]->len > 1 ? (int64_t)o : 0;
        s->scale[at] = sx * (float)tni_get_f64(in[WS], k) / sy;
        if (s->depthwise)
            s->bias[at] = (int32_t)((bias != NULL ? (uint32_t)bias[o] : 0u) -
                                    (uint32_t)s->x_zero * (uint32_t)sums[o]);
    }
}

static tn_status pack(nhwc *s, const memory *m, const tni_qconv_weights *w,
                      size_t channels, int32_t **sums, tn_err *err)
{
    const size_t bytes =
        s->depthwise ? s->dw.packed_bytes : s->conv.packed_bytes;
    const size_t n = s->depthwise ? channels : s->conv.oc_len;
    size_t at, size, sums_bytes;
    bool fresh = false;
    if (!tni_align_up(bytes, TNI_ALIGN, &at) ||
        !tni_mul_size(n + 1, sizeof **sums, &sums_bytes) ||
        !tni_add_size(at, sums_bytes, &size))
        return tni_fail(err, TN_ELIMIT, "the weights are too large");
    char *block = packed_block(m, size, &fresh);
    if (block == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    *sums = (int32_t *)(void *)(block + at);
    s->packed = block;
    if (fresh && s->depthwise)
        tni_qdwconv_pack(&s->dw, (int16_t *)(void *)block, *sums, w);
    else if (fresh)
        tni_qconv_pack(&s->conv, block, *sums, w);
    return TN_OK;
}

/* kernels NULL: plain C. */
static tn_status choose(nhwc *s, const tni_kernels *kernels,
                        const tni_qconv_shape *shape,
                        const tni_qconv_weights *w, bool x_signed,
                        int n_workers, tn_err *err)
{
    tni_qdwconv_kernels dw;
    tni_qconv_kernels plain;
    memset(&plain, 0, sizeof plain);
    (void)tni_qdwconv_table(&dw, 0);
    tni_qconv_init(&plain, TN_ISA_REF);
    if (kernels != NULL) dw = kernels->qdwconv;
    s->depthwise = tni_qdwconv_plan_init(&s->dw, &dw, shape, x_signed);
    if (!s->depthwise &&
        !tni_qconv_plan_for(&s->conv,
                            kernels != NULL ? &kernels->qconv : &plain, shape,
                            w, x_signed, n_workers))
        return tni_fail(err, TN_ELIMIT, "the convolution is too large");
    s->len = s->depthwise ? s->dw.len : s->conv.oc_len;
    return TN_OK;
}

/* in: N_IN tensors, of which x needs no data. */
static tn_status make(nhwc *s, const tni_conv_geom *g,
                      const tni_tensor *const *in, bool x_signed,
                      const tni_kernels *kernels, int n_workers,
                      const memory *m, tn_err *err)
{
    const size_t channels = (size_t)(g->oc * g->groups);
    tni_qconv_shape shape;
    int32_t *sums = NULL;
    memset(s, 0, sizeof *s);
    TN_TRY(check(in, g->oc * g->groups, err));
    kernel_shape(&shape, g);
    int32_t *zero = TNI_NEW_ARRAY(m->arena, int32_t, channels + 1);
    if (zero == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (int64_t i = 0; in[WZ] != NULL && i < in[WZ]->len; i++)
        zero[i] = (int32_t)tni_get_i64(in[WZ], i);
    const size_t taps = shape.kernel[0] * shape.kernel[1];
    const tni_qconv_weights w = {.w = in[W]->data,
                                 .o_step = shape.ic * taps,
                                 .c_step = taps,
                                 .tap_step = 1,
                                 .is_signed = in[W]->dtype == TN_I8,
                                 .zero = zero,
                                 .zero_step =
                                     in[WZ] != NULL && in[WZ]->len > 1};
    TN_TRY(choose(s, kernels, &shape, &w, x_signed, n_workers, err));
    s->x_zero = in[XZ] != NULL ? (int)tni_get_i64(in[XZ], 0) : 0;
    s->bias = TNI_NEW_ARRAY(m->arena, int32_t, s->len + 1);
    s->scale = TNI_NEW_ARRAY(m->arena, float, s->len + 1);
    if (s->bias == NULL || s->scale == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    TN_TRY(pack(s, m, &w, channels, &sums, err));
    set_end(s, in, channels, sums);
    return TN_OK;
}

/* --- running ------------------------------------------------------------- */

static size_t worker_bytes(const nhwc *s)
{
    return s->depthwise ? s->dw.worker_bytes : s->conv.worker_bytes;
}

static void run_nhwc(const nhwc *s, const tni_tensor *x, tni_tensor *y,
                     char *scratch, const tni_par *par)
{
    if (y->len == 0) return;
    if (s->depthwise)
        tni_qdwconv_run(&s->dw, x->data, s->x_zero, s->packed, &s->end, y->data,
                        scratch, par);
    else
        tni_qconv_run(&s->conv, x->data, s->x_zero, s->packed, &s->end, y->data,
                      scratch, par);
}

tn_status tni_int_nhwc_ref(tni_ref *c)
{
    tni_conv_geom g;
    tni_type x, w;
    nhwc s;
    int64_t dims[TN_MAX_RANK];
    const tni_tensor *in[N_IN] = {NULL};
    for (int i = 0; i < c->n_in && i < N_IN; i++) in[i] = c->in[i];
    tni_type_of(&x, in[X]);
    tni_type_of(&w, in[W]);
    TN_TRY(geometry(&g, c->node, &x, &w, c->err));
    out_dims(&g, dims);
    TN_TRY(tni_ref_output(c, 0, in[YZ]->dtype, g.nd + 2, dims));
    const memory m = {.arena = c->scratch};
    TN_TRY(make(&s, &g, in, in[X]->dtype == TN_I8, NULL,
                tni_par_workers(c->par), &m, c->err));
    char *scratch = tni_ref_scratch(
        c, worker_bytes(&s) * (size_t)tni_par_workers(c->par) + TNI_ALIGN);
    if (scratch == NULL) return tni_ref_nomem(c);
    run_nhwc(&s, in[X], c->out[0], scratch, c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    run_nhwc(c->state, c->in[X], c->out[0], c->scratch, c->par);
}

tn_status tni_int_nhwc_plan(tni_plan *c)
{
    tni_conv_geom g;
    const tni_tensor *in[N_IN] = {NULL};
    if (c->out[0] == NULL) return TN_OK;
    for (int i = 1; i < c->n_in && i < N_IN; i++) {
        in[i] = c->in_const[i];
        if (c->in[i] != NULL && in[i] == NULL) return TN_OK;
    }
    TN_TRY(geometry(&g, c->node, c->in[X], c->in[W], c->err));
    nhwc *s = TNI_NEW(c->arena, nhwc);
    if (s == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const memory m = {.plan = c, .arena = c->arena};
    TN_TRY(make(s, &g, in, c->in[X]->dtype == TN_I8, c->kernels, c->n_workers,
                &m, c->err));
    if (!tni_mul_size(worker_bytes(s), (size_t)c->n_workers, &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    /* Bytes lie as they are read; this says that they have been. */
    (void)c->weights(c, W, 0, (size_t)in[W]->len);
    for (int i = 1; i < c->n_in; i++) c->packed |= 1u << i;
    c->state = s;
    c->run = run;
    return TN_OK;
}
