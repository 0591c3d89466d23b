/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gridsample.c - samples of an image at the points of a grid
 *
 * For every point the taps of each axis (one, two or four pixels with their
 * weights) are found once and used for all channels.
 */
#include "ops/gridsample.h"

#include "ops/move.h"

#include <math.h>
#include <string.h>

enum { MAX_AXES = 3, MAX_TAPS = 64 }; /* 4^3 */

typedef enum padding { ZEROS, BORDER, REFLECTION } padding;

typedef struct setup {
    int r, taps; /* spatial axes, taps along each */
    padding pad;
    bool align;
    int64_t dims[MAX_AXES]; /* of the image */
    int64_t n, channels, plane, points;
} setup;

static tn_status attrs_of(setup *s, const tni_node *node, tn_err *err)
{
    if (tni_attr_is(node, "mode", "linear", "linear") ||
        tni_attr_is(node, "mode", "bilinear", "linear"))
        s->taps = 2;
    else if (tni_attr_is(node, "mode", "cubic", NULL) ||
             tni_attr_is(node, "mode", "bicubic", NULL))
        s->taps = 4;
    else if (tni_attr_is(node, "mode", "nearest", NULL))
        s->taps = 1;
    else
        return tni_fail(err, TN_EINVAL,
                        "mode is none of linear, nearest, cubic");
    if (tni_attr_is(node, "padding_mode", "zeros", "zeros"))
        s->pad = ZEROS;
    else if (tni_attr_is(node, "padding_mode", "border", NULL))
        s->pad = BORDER;
    else if (tni_attr_is(node, "padding_mode", "reflection", NULL))
        s->pad = REFLECTION;
    else
        return tni_fail(err, TN_EINVAL,
                        "padding_mode is none of zeros, border, reflection");
    s->align = tni_attr_int(node, "align_corners", 0) != 0;
    return TN_OK;
}

static tn_status output_dims(int64_t *out, int rank, const int64_t *x,
                             int grid_rank, const int64_t *grid, tn_err *err)
{
    const int r = rank - 2;
    if (r < 1 || r > MAX_AXES || grid_rank != rank ||
        (grid[rank - 1] >= 0 && grid[rank - 1] != r) ||
        !tni_dim_equal(&out[0], x[0], grid[0]))
        return tni_fail(err, TN_EINVAL,
                        "X of rank %d and grid of rank %d, expected [n, c, "
                        "1 to %d axes] and [n, axes, number of axes]",
                        rank, grid_rank, (int)MAX_AXES);
    out[1] = x[1];
    for (int d = 0; d < r; d++) out[2 + d] = grid[1 + d];
    return TN_OK;
}

tn_status tni_grid_sample_infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    setup s = {0};
    TN_TRY(attrs_of(&s, c->node, c->err));
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0) || !tni_infer_ranked(c, 1)) return TN_OK;
    int64_t dims[TN_MAX_RANK];
    TN_TRY(output_dims(dims, c->in[0]->rank, c->in[0]->dims, c->in[1]->rank,
                       c->in[1]->dims, c->err));
    return tni_infer_dims(c, 0, dtype, c->in[0]->rank, dims);
}

static float reflect(float x, float lo, float hi)
{
    const float range = hi - lo;
    if (!(range > 0.0f)) return lo;
    if (x < lo || x > hi) {
        const float d = x < lo ? lo - x : x - hi;
        const float turns = floorf(d / range), rest = d - turns * range;
        const bool even = fmodf(turns, 2.0f) < 0.5f;
        x = (x < lo) == even ? lo + rest : hi - rest;
    }
    return x;
}

/* The pixel that index i stands for; -1: none (zero). */
static int64_t pixel(const setup *s, int64_t i, int64_t n)
{
    if (i >= 0 && i < n) return i;
    if (s->pad == ZEROS) return -1;
    if (s->pad == BORDER) return i < 0 ? 0 : n - 1;
    const float lo = s->align ? 0.0f : -0.5f;
    const float hi = s->align ? (float)(n - 1) : (float)n - 0.5f;
    const float x = reflect((float)i, lo, hi);
    return !(x > 0.0f) ? 0 : x >= (float)(n - 1) ? n - 1 : (int64_t)x;
}

static float cubic(float x)
{
    const float a = -0.75f;
    x = fabsf(x);
    if (x <= 1.0f) return ((a + 2.0f) * x - (a + 3.0f)) * x * x + 1.0f;
    return ((a * x - 5.0f * a) * x + 8.0f * a) * x - 4.0f * a;
}

/* Taps of one axis at grid coordinate v in [-1, 1]. */
static void axis_taps(const setup *s, int axis, float v, int64_t *at, float *w)
{
    const int64_t n = s->dims[axis];
    const float len = (float)n;
    float x = s->align ? (v + 1.0f) / 2.0f * (len - 1.0f)
                       : ((v + 1.0f) * len - 1.0f) / 2.0f;
    if (s->taps == 1) x = nearbyintf(x);
    const float lo = s->align ? 0.0f : -0.5f;
    const float hi = s->align ? len - 1.0f : len - 0.5f;
    if (x < lo || x > hi) {
        /* A cubic keeps its point, and each of its pixels is clamped, as in
         * PyTorch and ONNX Runtime. */
        if (s->pad == BORDER && s->taps < 4) x = x < 0.0f ? 0.0f : len - 1.0f;
        if (s->pad == REFLECTION) x = reflect(x, lo, hi);
    }
    if (!(x > -1.0e9f && x < 1.0e9f)) { /* far outside, or no number */
        for (int t = 0; t < s->taps; t++) {
            at[t] = s->pad == ZEROS ? -1 : pixel(s, x > 0.0f ? n : 0, n);
            w[t] = t == 0 ? 1.0f : 0.0f;
        }
        return;
    }
    const float base = floorf(x);
    const int64_t i = (int64_t)base;
    const float f = x - base;
    if (s->taps == 1) {
        at[0] = pixel(s, i, n);
        w[0] = 1.0f;
    } else if (s->taps == 2) {
        at[0] = pixel(s, i, n);
        at[1] = pixel(s, i + 1, n);
        w[0] = 1.0f - f;
        w[1] = f;
    } else {
        for (int t = 0; t < 4; t++) {
            at[t] = pixel(s, i + t - 1, n);
            w[t] = cubic(f - (float)(t - 1));
        }
    }
}

/* All taps of a point: offsets into a channel and weights. */
static int point_taps(const setup *s, const tni_tensor *grid, int64_t point,
                      int64_t *off, float *w)
{
    int64_t at[MAX_AXES][4];
    float wt[MAX_AXES][4];
    for (int d = 0; d < s->r; d++) {
        /* The grid names axes from the innermost outwards. */
        const double v = tni_get_f64(grid, point * s->r + (s->r - 1 - d));
        axis_taps(s, d, (float)v, at[d], wt[d]);
    }
    int n = 1;
    off[0] = 0;
    w[0] = 1.0f;
    for (int d = 0; d < s->r; d++) {
        /* In place from the back: entry k makes entries k·taps …. */
        for (int k = n - 1; k >= 0; k--) {
            const int64_t o = off[k];
            const float wk = w[k];
            for (int t = s->taps - 1; t >= 0; t--) {
                const bool none = o < 0 || at[d][t] < 0;
                off[k * s->taps + t] = none ? -1 : o * s->dims[d] + at[d][t];
                w[k * s->taps + t] = wk * wt[d][t];
            }
        }
        n *= s->taps;
    }
    return n;
}

typedef struct job {
    const setup *s;
    const tni_tensor *x, *grid;
    tni_tensor *y;
} job;

enum { POINTS = 64 }; /* per task */

static void sample(const job *j, int64_t b, int64_t point)
{
    const setup *s = j->s;
    int64_t off[MAX_TAPS];
    float w[MAX_TAPS];
    const int n = point_taps(s, j->grid, b * s->points + point, off, w);
    const size_t elem = tn_dtype_size(j->x->dtype);
    for (int64_t c = 0; c < s->channels; c++) {
        const int64_t from = (b * s->channels + c) * s->plane;
        const int64_t to = (b * s->channels + c) * s->points + point;
        if (s->taps == 1) { /* a mere copy, for every dtype */
            char *y = (char *)j->y->data + (size_t)to * elem;
            if (off[0] < 0)
                memset(y, 0, elem);
            else
                memcpy(y,
                       (const char *)j->x->data +
                           (size_t)(from + off[0]) * elem,
                       elem);
            continue;
        }
        if (j->x->dtype == TN_F32) {
            const float *x = TNI_CDATA(float, j->x) + from;
            float sum = 0.0f;
            for (int t = 0; t < n; t++)
                if (off[t] >= 0) sum += w[t] * x[off[t]];
            TNI_DATA(float, j->y)[to] = sum;
            continue;
        }
        double sum = 0.0;
        for (int t = 0; t < n; t++)
            if (off[t] >= 0)
                sum += (double)w[t] * tni_get_f64(j->x, from + off[t]);
        tni_set_f64(j->y, to, sum);
    }
}

static void tasks(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    const job *j = ctx;
    const int64_t all = j->s->n * j->s->points;
    int64_t last = (int64_t)end * POINTS;
    if (last > all) last = all;
    for (int64_t p = (int64_t)begin * POINTS; p < last; p++)
        sample(j, p / j->s->points, p % j->s->points);
}

tn_status tni_grid_sample_ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *grid = c->in[1];
    setup s = {0};
    int64_t dims[TN_MAX_RANK];
    TN_TRY(attrs_of(&s, c->node, c->err));
    TN_TRY(output_dims(dims, x->rank, x->dims, grid->rank, grid->dims,
                       c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    if (s.taps > 1 && (TNI_NUMERIC & TNI_T(x->dtype)) == 0)
        return tni_fail(c->err, TN_EUNSUPPORTED, "interpolation of %s",
                        tn_dtype_name(x->dtype));
    s.r = x->rank - 2;
    s.n = x->dims[0];
    s.channels = x->dims[1];
    s.plane = s.points = 1;
    for (int d = 0; d < s.r; d++) {
        s.dims[d] = x->dims[2 + d];
        s.plane *= s.dims[d];
        s.points *= dims[2 + d];
    }
    if (s.plane == 0)
        return tni_fail(c->err, TN_EINVAL, "the image is empty");
    job j = {&s, x, grid, c->out[0]};
    tni_par_for(c->par, (size_t)((s.n * s.points + POINTS - 1) / POINTS),
                tasks, &j);
    return TN_OK;
}

const tni_arg tni_grid_sample_in[2] = {{"X", TNI_ANY, 'T', 0},
                                       {"grid", TNI_FLOATS, 0, 0}};
const tni_arg tni_grid_sample_out[1] = {{"Y", TNI_ANY, 'T', 0}};
const tni_attr_spec tni_grid_sample_attrs[3] = {
    {"align_corners", TNI_ATTR_INT, "0"},
    {"mode", TNI_ATTR_STRING, "linear"},
    {"padding_mode", TNI_ATTR_STRING, "zeros"}};
