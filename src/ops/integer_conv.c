/* SPDX-License-Identifier: Apache-2.0 */
/*
 * integer_conv.c - convolutions of 8-bit integers, see integer.h
 *
 * Many output channels: a product of output positions by channels, where a
 * row of A is the patch under one position. Few (depthwise above all): one
 * plane is summed tap by tap in 32 bits.
 */
#include "base/checked.h"
#include "ops/integer.h"

#include <string.h>

const tni_int_roles tni_qlinear_conv_roles = {0, 3, 2, 5, 1, 4, 6, 7, 8};

const tni_arg tni_qlinear_conv_in[9] = {
    {"x", TNI_INT8S, 'X', 0},
    {"x_scale", TNI_T(TN_F32), 0, 0},
    {"x_zero_point", TNI_INT8S, 'X', 0},
    {"w", TNI_INT8S, 'W', 0},
    {"w_scale", TNI_T(TN_F32), 0, 0},
    {"w_zero_point", TNI_INT8S, 'W', 0},
    {"y_scale", TNI_T(TN_F32), 0, 0},
    {"y_zero_point", TNI_INT8S, 'Y', 0},
    {"B", TNI_T(TN_I32), 0, TNI_OPTIONAL},
};
const tni_arg tni_qlinear_conv_out[1] = {{"y", TNI_INT8S, 'Y', 0}};

enum { FEW_CHANNELS = 8 };

typedef struct state {
    tni_int_roles roles;
    tni_conv_geom g;
    int64_t in_len, out_len, taps; /* of a plane, of a kernel */
    bool x_signed, w_signed, direct;
    tn_dtype dtype;
    const int16_t *packed;
    size_t packed_len; /* of one group */
    tni_imul_tile_fn tile;
    int64_t *tap_at; /* offsets of the taps along each axis: [taps][nd] */
    size_t zero_at, scale_at, pack_at, work_at, work_len; /* in scratch */
    size_t scratch_bytes;
} state;

static const tni_type *type_at(const tni_type *const *in, int n_in, int i)
{
    return i >= 0 && i < n_in ? in[i] : NULL;
}

static const tni_tensor *at(const tni_tensor *const *in, int n_in, int i)
{
    return i >= 0 && i < n_in ? in[i] : NULL;
}

static tn_dtype out_dtype(const tni_int_roles *r, const tni_type *const *in,
                          int n_in)
{
    const tni_type *t = type_at(in, n_in, r->y_zero);
    return r->y_scale < 0 ? TN_I32 : t != NULL ? t->dtype : TN_U8;
}

static void out_dims(const tni_conv_geom *g, int64_t *dims)
{
    dims[0] = g->n;
    dims[1] = g->oc < 0 ? TNI_DIM_UNKNOWN : g->oc * g->groups;
    for (int i = 0; i < g->nd; i++) dims[i + 2] = g->out[i];
}

tn_status tni_int_conv_infer(tni_infer *c, const tni_int_roles *r)
{
    tni_conv_geom g;
    int64_t dims[TN_MAX_RANK];
    const tn_dtype dtype = out_dtype(r, c->in, c->n_in);
    if (!tni_infer_ranked(c, r->a)) {
        tni_infer_unranked(c, 0, dtype);
        return TN_OK;
    }
    TN_TRY(tni_convolution_make(&g, c->node, c->in[r->a],
                                tni_infer_ranked(c, r->b) ? c->in[r->b] : NULL,
                                false, c->err));
    out_dims(&g, dims);
    return tni_infer_dims(c, 0, dtype, g.nd + 2, dims);
}

static tn_status check_param(const tni_type *t, const char *what, int64_t per,
                             tn_err *err)
{
    int64_t n = 1;
    if (t == NULL) return TN_OK;
    for (int i = 0; i < t->rank; i++) n *= t->dims[i];
    if (n == 1 || n == per) return TN_OK;
    return tni_fail(err, TN_EINVAL, "%s has %lld values, expected 1 or %lld",
                    what, (long long)n, (long long)per);
}

static bool reserve(size_t *total, size_t *to, size_t n, size_t elem)
{
    size_t bytes;
    *to = *total;
    return tni_mul_size(n, elem, &bytes) &&
           tni_add_size(*total, bytes, total) &&
           tni_align_up(*total, TNI_ALIGN, total);
}

static tn_status make(state *s, const tni_int_roles *r, const tni_node *node,
                      const tni_type *const *in, int n_in, int n_workers,
                      bool packed, tni_arena *arena, tn_err *err)
{
    memset(s, 0, sizeof *s);
    s->roles = *r;
    s->tile = tni_imul_tile__ref;
    tni_conv_geom *g = &s->g;
    TN_TRY(tni_convolution_make(g, node, in[r->a], in[r->b], false, err));
    const int64_t channels = g->oc * g->groups;
    TN_TRY(check_param(type_at(in, n_in, r->a_zero), "the zero point of x", 1,
                       err));
    TN_TRY(
        check_param(type_at(in, n_in, r->a_scale), "the scale of x", 1, err));
    TN_TRY(check_param(type_at(in, n_in, r->b_zero), "the zero point of w",
                       channels, err));
    TN_TRY(check_param(type_at(in, n_in, r->b_scale), "the scale of w",
                       channels, err));
    TN_TRY(
        check_param(type_at(in, n_in, r->y_scale), "the scale of y", 1, err));
    TN_TRY(check_param(type_at(in, n_in, r->y_zero), "the zero point of y", 1,
                       err));
    const tni_type *bias = type_at(in, n_in, r->bias);
    if (bias != NULL && (bias->rank != 1 || bias->dims[0] != channels))
        return tni_fail(err, TN_EINVAL, "the bias does not have %lld values",
                        (long long)channels);
    s->x_signed = in[r->a]->dtype == TN_I8;
    s->w_signed = in[r->b]->dtype == TN_I8;
    s->dtype = out_dtype(r, in, n_in);
    s->in_len = s->out_len = s->taps = 1;
    for (int i = 0; i < g->nd; i++) {
        s->in_len *= g->in[i];
        s->out_len *= g->out[i];
        s->taps *= g->kernel[i];
    }
    s->direct = g->oc < FEW_CHANNELS;
    const size_t k = (size_t)(g->ic * s->taps);
    s->work_len =
        s->direct ? (size_t)s->out_len * 2 + TNI_ALIGN : tni_imul_scratch(k);
    size_t total = 0;
    if (!tni_imul_packed_len(&s->packed_len, k, (size_t)g->oc) ||
        !reserve(&total, &s->zero_at, (size_t)channels + 1, 4) ||
        !reserve(&total, &s->scale_at, (size_t)channels + 1, 4) ||
        !reserve(&total, &s->pack_at, packed || s->direct ? 0 : s->packed_len,
                 2) ||
        !reserve(&total, &s->work_at, s->work_len * (size_t)n_workers, 2))
        return tni_fail(err, TN_ELIMIT, "the convolution is too large");
    s->scratch_bytes = total;
    s->tap_at = TNI_NEW_ARRAY(arena, int64_t, s->taps * g->nd + 1);
    if (s->tap_at == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    for (int64_t t = 0; t < s->taps; t++) {
        int64_t rest = t;
        for (int i = g->nd - 1; i >= 0; i--) {
            s->tap_at[t * g->nd + i] = rest % g->kernel[i] * g->dilation[i];
            rest /= g->kernel[i];
        }
    }
    return TN_OK;
}

/* --- running ------------------------------------------------------------ */

typedef struct pass {
    const state *s;
    const uint8_t *x; /* first channel of the group */
    void *y;          /* of the image */
    int64_t image, group;
    int32_t x_zero;
    const int32_t *w_zero;
    size_t w_zero_step;
    const uint8_t *w;
    tni_int_end end;
    char *scratch;
    const uint8_t *all_x;
    char *all_y;
} pass;

/* The output position of a row of A along each axis. */
static void position(const tni_conv_geom *g, int64_t row, int64_t *o)
{
    for (int i = g->nd - 1; i >= 0; i--) {
        o[i] = row % g->out[i];
        row /= g->out[i];
    }
}

/* Offset of a tap in the input plane, -1 in the padding. */
static int64_t tap_offset(const state *s, const int64_t *o, int64_t t)
{
    const tni_conv_geom *g = &s->g;
    int64_t off = 0;
    for (int i = 0; i < g->nd; i++) {
        const int64_t v =
            o[i] * g->stride[i] - g->before[i] + s->tap_at[t * g->nd + i];
        if (v < 0 || v >= g->in[i]) return -1;
        off = off * g->in[i] + v;
    }
    return off;
}

static int16_t difference(const pass *q, uint8_t u)
{
    return (int16_t)((q->s->x_signed ? (int8_t)u : u) - q->x_zero);
}

/* One tap of four neighbours in a row of the input, for every channel. */
static void load_four(const pass *q, const uint8_t *x, size_t t, int16_t *dst)
{
    const state *s = q->s;
    for (int64_t c = 0; c < s->g.ic; c++, x += s->in_len) {
        int16_t *to = dst + tni_imul_at((size_t)(c * s->taps) + t, 0);
        for (int r = 0; r < TNI_IMUL_ROWS; r++) to[2 * r] = difference(q, x[r]);
    }
}

static void load(const void *ctx, size_t row, size_t n_rows, int16_t *dst)
{
    const pass *q = ctx;
    const state *s = q->s;
    const size_t taps = (size_t)s->taps, k = (size_t)s->g.ic * taps;
    int64_t o[TNI_IMUL_ROWS][TNI_CONV_DIMS], off[TNI_IMUL_ROWS];
    for (size_t r = 0; r < TNI_IMUL_ROWS; r++) {
        if (k % 2 != 0) dst[tni_imul_at(k, r)] = 0;
        if (r < n_rows) position(&s->g, (int64_t)(row + r), o[r]);
    }
    for (size_t t = 0; t < taps; t++) {
        bool neighbours = n_rows == TNI_IMUL_ROWS;
        for (size_t r = 0; r < TNI_IMUL_ROWS; r++) {
            off[r] = r < n_rows ? tap_offset(s, o[r], (int64_t)t) : -1;
            neighbours =
                neighbours && off[0] >= 0 && off[r] == off[0] + (int64_t)r;
        }
        if (neighbours) {
            load_four(q, q->x + off[0], t, dst);
            continue;
        }
        for (int64_t c = 0; c < s->g.ic; c++) {
            const uint8_t *x = q->x + c * s->in_len;
            int16_t *to = dst + tni_imul_at((size_t)(c * s->taps) + t, 0);
            for (int r = 0; r < TNI_IMUL_ROWS; r++)
                to[2 * r] = off[r] >= 0 ? difference(q, x[off[r]]) : 0;
        }
    }
}

static void store(const void *ctx, size_t row, size_t col, size_t n,
                  const int32_t *acc)
{
    const pass *q = ctx;
    const state *s = q->s;
    const size_t channel = (size_t)(q->group * s->g.oc) + col;
    tni_int_finish(&q->end, q->y, channel * (size_t)s->out_len + row,
                   (size_t)s->out_len, channel, n, acc);
}

/* Adds w * (x - zero) for one tap to every position of a plane. */
static void add_tap(const state *s, int32_t *acc, const uint8_t *x, int32_t w,
                    int32_t zero, int64_t t)
{
    const tni_conv_geom *g = &s->g;
    const int last = g->nd - 1;
    const int64_t st = g->stride[last], width = g->out[last];
    const int64_t base = s->tap_at[t * g->nd + last] - g->before[last];
    int64_t lo = 0, hi = width, o[TNI_CONV_DIMS];
    if (base < 0) lo = (-base + st - 1) / st;
    if (g->in[last] - 1 - base < 0)
        hi = 0;
    else if ((width - 1) * st + base >= g->in[last])
        hi = (g->in[last] - 1 - base) / st + 1;
    const int64_t rows = width > 0 ? s->out_len / width : 0;
    for (int64_t r = 0; r < rows; r++) {
        int64_t rest = r, off = 0;
        bool inside = true;
        for (int i = last - 1; i >= 0; i--) {
            o[i] = rest % g->out[i];
            rest /= g->out[i];
        }
        for (int i = 0; i < last; i++) {
            const int64_t v =
                o[i] * g->stride[i] - g->before[i] + s->tap_at[t * g->nd + i];
            inside = inside && v >= 0 && v < g->in[i];
            off = off * g->in[i] + v;
        }
        if (!inside) continue;
        const uint8_t *u = x + off * g->in[last];
        uint32_t *to = (uint32_t *)acc + r * width;
        if (s->x_signed)
            for (int64_t i = lo; i < hi; i++)
                to[i] += (uint32_t)(w * ((int8_t)u[i * st + base] - zero));
        else
            for (int64_t i = lo; i < hi; i++)
                to[i] += (uint32_t)(w * (u[i * st + base] - zero));
    }
}

/* Planes (image, channel), each a task. */
static void direct_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const pass *q = ctx;
    const state *s = q->s;
    const tni_conv_geom *g = &s->g;
    const int64_t channels = g->oc * g->groups;
    int16_t *work = (int16_t *)(void *)(q->scratch + s->work_at) +
                    (size_t)worker * s->work_len;
    int32_t *acc = (int32_t *)(void *)work;
    const size_t size = tn_dtype_size(s->dtype);
    for (size_t i = begin; i < end; i++) {
        const int64_t image = (int64_t)i / channels;
        const int64_t o = (int64_t)i % channels, group = o / g->oc;
        const uint8_t *x =
            q->all_x + (image * g->groups + group) * g->ic * s->in_len;
        const uint8_t *w = q->w + o * g->ic * s->taps;
        const int32_t zero = q->w_zero[(size_t)o * q->w_zero_step];
        memset(acc, 0, (size_t)s->out_len * sizeof *acc);
        for (int64_t c = 0; c < g->ic; c++) {
            for (int64_t t = 0; t < s->taps; t++) {
                const uint8_t u = w[c * s->taps + t];
                const int32_t v = (s->w_signed ? (int8_t)u : u) - zero;
                add_tap(s, acc, x + c * s->in_len, v, q->x_zero, t);
            }
        }
        tni_int_end e = q->end;
        if (e.scale != NULL) e.scale += (size_t)o * e.step;
        e.step = 0;
        int32_t bias = 0;
        if (e.bias != NULL) bias = e.bias[o];
        e.bias = NULL;
        for (int64_t k = 0; bias != 0 && k < s->out_len; k++)
            acc[k] = (int32_t)((uint32_t)acc[k] + (uint32_t)bias);
        tni_int_finish(&e, q->all_y + i * (size_t)s->out_len * size, 0, 1, 0,
                       (size_t)s->out_len, acc);
    }
}

static size_t zeros(int32_t *to, const tni_tensor *t)
{
    to[0] = 0;
    for (int64_t i = 0; t != NULL && i < t->len; i++)
        to[i] = (int32_t)tni_get_i64(t, i);
    return t != NULL && t->len > 1 ? 1 : 0;
}

static void set_end(pass *q, const tni_tensor *const *in, int n_in)
{
    const state *s = q->s;
    const tni_int_roles *r = &s->roles;
    tni_int_end *e = &q->end;
    e->dtype = s->dtype;
    const tni_tensor *bias = at(in, n_in, r->bias);
    if (bias != NULL) e->bias = bias->data;
    if (r->y_scale < 0) return;
    float *scale = (float *)(void *)(q->scratch + s->scale_at);
    const float sx = (float)tni_get_f64(in[r->a_scale], 0);
    const float sy = (float)tni_get_f64(in[r->y_scale], 0);
    const tni_tensor *sw = in[r->b_scale];
    for (int64_t i = 0; i < sw->len; i++)
        scale[i] = sx * (float)tni_get_f64(sw, i) / sy;
    e->scale = scale;
    e->step = sw->len > 1 ? 1 : 0;
    const tni_tensor *zy = at(in, n_in, r->y_zero);
    e->zero = zy != NULL ? (int)tni_get_i64(zy, 0) : 0;
    e->lo = (float)((e->dtype == TN_I8 ? -128 : 0) - e->zero);
    e->hi = (float)((e->dtype == TN_I8 ? 127 : 255) - e->zero);
}

static void pack_group(const state *s, int16_t *to, const uint8_t *w,
                       int64_t group, const int32_t *zero, size_t step)
{
    const tni_conv_geom *g = &s->g;
    const size_t k = (size_t)(g->ic * s->taps);
    tni_imul_pack(to, w + (size_t)(group * g->oc) * k, s->w_signed, k, true, k,
                  (size_t)g->oc, zero + (size_t)(group * g->oc) * step, step);
}

static void run_conv(const state *s, const tni_tensor *const *in, int n_in,
                     tni_tensor *y, char *scratch, const tni_par *par)
{
    const tni_conv_geom *g = &s->g;
    const tni_int_roles *r = &s->roles;
    int32_t *zero = (int32_t *)(void *)(scratch + s->zero_at);
    int32_t x_zero = 0;
    const tni_tensor *zx = at(in, n_in, r->a_zero);
    if (zx != NULL) x_zero = (int32_t)tni_get_i64(zx, 0);
    pass q = {.s = s, .scratch = scratch, .x_zero = x_zero};
    q.w_zero_step = zeros(zero, at(in, n_in, r->b_zero));
    q.w_zero = zero;
    q.w = in[r->b]->data;
    q.all_x = in[r->a]->data;
    q.all_y = y->data;
    set_end(&q, in, n_in);
    if (y->len == 0) return;
    if (s->direct) {
        tni_par_for(par, (size_t)(g->n * g->groups * g->oc), direct_tasks, &q);
        return;
    }
    int16_t *fresh = (int16_t *)(void *)(scratch + s->pack_at);
    for (q.group = 0; q.group < g->groups; q.group++) {
        const int16_t *b = fresh;
        if (s->packed != NULL)
            b = s->packed + (size_t)q.group * s->packed_len;
        else
            pack_group(s, fresh, q.w, q.group, zero, q.w_zero_step);
        for (q.image = 0; q.image < g->n; q.image++) {
            const int64_t plane = (q.image * g->groups + q.group) * g->ic;
            q.x = q.all_x + plane * s->in_len;
            q.y = q.all_y + (size_t)(q.image * g->groups * g->oc * s->out_len) *
                                tn_dtype_size(s->dtype);
            const tni_imul m = {.m = (size_t)s->out_len,
                                .n = (size_t)g->oc,
                                .k = (size_t)(g->ic * s->taps),
                                .b = b,
                                .tile = s->tile,
                                .load = load,
                                .store = store,
                                .ctx = &q};
            tni_imul_run(&m, (int16_t *)(void *)(scratch + s->work_at), par);
        }
    }
}

tn_status tni_int_conv_ref(tni_ref *c, const tni_int_roles *r)
{
    state s;
    tni_type types[16];
    const tni_type *in[16] = {NULL};
    int64_t dims[TN_MAX_RANK];
    for (int i = 0; i < c->n_in && i < 16; i++) {
        if (c->in[i] == NULL) continue;
        tni_type_of(&types[i], c->in[i]);
        in[i] = &types[i];
    }
    TN_TRY(make(&s, r, c->node, in, c->n_in, tni_par_workers(c->par), false,
                c->scratch, c->err));
    out_dims(&s.g, dims);
    TN_TRY(tni_ref_output(c, 0, s.dtype, s.g.nd + 2, dims));
    char *scratch = tni_ref_scratch(c, s.scratch_bytes);
    if (scratch == NULL) return tni_ref_nomem(c);
    run_conv(&s, c->in, c->n_in, c->out[0], scratch, c->par);
    return TN_OK;
}

typedef struct planned {
    state s;
    int n_in;
} planned;

static void run(const tni_run *c)
{
    const planned *p = c->state;
    run_conv(&p->s, c->in, p->n_in, c->out[0], c->scratch, c->par);
}

tn_status tni_int_conv_plan(tni_plan *c, const tni_int_roles *r)
{
    const tni_tensor *w = c->in_const[r->b];
    const tni_tensor *zw = at(c->in_const, c->n_in, r->b_zero);
    const bool packed =
        w != NULL && (zw != NULL || type_at(c->in, c->n_in, r->b_zero) == NULL);
    planned *p = TNI_NEW(c->arena, planned);
    if (p == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    state *s = &p->s;
    p->n_in = c->n_in;
    TN_TRY(make(s, r, c->node, c->in, c->n_in, c->n_workers, packed, c->arena,
                c->err));
    if (c->kernels != NULL) s->tile = c->kernels->imul.tile;
    size_t size = 0;
    if (packed && !s->direct) {
        bool fresh = false;
        int32_t *zero =
            TNI_NEW_ARRAY(c->arena, int32_t, s->g.oc * s->g.groups + 1);
        if (!tni_mul_size(s->packed_len * sizeof(int16_t), (size_t)s->g.groups,
                          &size))
            return tni_fail(c->err, TN_ELIMIT, "the weights are too large");
        int16_t *to = c->prepack(c, 0, size, &fresh);
        if (to == NULL || zero == NULL)
            return tni_fail(c->err, TN_ENOMEM, "out of memory");
        const size_t step = zeros(zero, zw);
        const void *from =
            fresh ? c->weights(c, r->b, 0, (size_t)w->len) : NULL;
        for (int64_t i = 0; from != NULL && i < s->g.groups; i++)
            pack_group(s, to + (size_t)i * s->packed_len, from, i, zero, step);
        s->packed = to;
        c->packed |= 1u << r->b;
    }
    c->state = p;
    c->scratch_bytes = s->scratch_bytes;
    c->run = run;
    return TN_OK;
}
