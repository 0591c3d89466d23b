/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_roi_align.c - ONNX RoiAlign, opsets 10, 16
 *
 * Shapes:  X[n, c, h, w], rois[k, 4] as x1, y1, x2, y2, batch_indices[k]  ->
 *          Y[k, c, output_height, output_width]
 * Types:   floats
 * Attrs:   mode avg or max; sampling_ratio points along each side of a bin (0:
 *          by the region's size); spatial_scale;
 *          coordinate_transformation_mode half_pixel or output_half_pixel
 * Errors:  EINVAL a batch index out of range, shapes that do not fit; ELIMIT a
 *          region that asks for more than 4,096 points along a side
 * Numeric: in float32 (float64 input: rounded to it first)
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <math.h>

enum { MAX_GRID = 4096 };

static tn_status output_dims(int64_t *dims, const tni_node *node, tn_err *err)
{
    dims[2] = tni_attr_int(node, "output_height", 1);
    dims[3] = tni_attr_int(node, "output_width", 1);
    if (dims[2] < 1 || dims[3] < 1 || dims[2] > INT32_MAX ||
        dims[3] > INT32_MAX)
        return tni_fail(err, TN_EINVAL, "an output of %lld x %lld",
                        (long long)dims[2], (long long)dims[3]);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    int64_t dims[4] = {TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN, 0, 0};
    TN_TRY(output_dims(dims, c->node, c->err));
    if (tni_infer_ranked(c, 0)) {
        if (c->in[0]->rank != 4)
            return tni_fail(c->err, TN_EINVAL, "X of rank %d, expected 4",
                            c->in[0]->rank);
        dims[1] = c->in[0]->dims[1];
    }
    if (tni_infer_ranked(c, 1) && c->in[1]->rank == 2)
        dims[0] = c->in[1]->dims[0];
    return tni_infer_dims(c, 0, tni_infer_dtype(c, 0), 4, dims);
}

typedef struct region {
    float x, y, bin_w, bin_h;
    int64_t grid_w, grid_h;
} region;

typedef struct setup {
    int64_t h, w;
    int64_t out_h, out_w;
    int64_t ratio;
    float scale;
    bool half, max;
} setup;

static tn_status region_of(region *r, const setup *s, const tni_tensor *rois,
                           int64_t i, tn_err *err)
{
    const float shift = s->half ? 0.5f : 0.0f;
    float v[4];
    for (int k = 0; k < 4; k++)
        v[k] = (float)tni_get_f64(rois, i * 4 + k) * s->scale - shift;
    float w = v[2] - v[0], h = v[3] - v[1];
    if (!s->half) {
        w = w > 1.0f ? w : 1.0f;
        h = h > 1.0f ? h : 1.0f;
    }
    r->x = v[0];
    r->y = v[1];
    r->bin_w = w / (float)s->out_w;
    r->bin_h = h / (float)s->out_h;
    const float gw = s->ratio > 0 ? (float)s->ratio : ceilf(r->bin_w);
    const float gh = s->ratio > 0 ? (float)s->ratio : ceilf(r->bin_h);
    if (!(gw <= (float)MAX_GRID && gh <= (float)MAX_GRID))
        return tni_fail(err, TN_ELIMIT,
                        "region %lld is %g x %g pixels; too many points",
                        (long long)i, (double)w, (double)h);
    r->grid_w = gw > 0.0f ? (int64_t)gw : 0;
    r->grid_h = gh > 0.0f ? (int64_t)gh : 0;
    return TN_OK;
}

/* The four pixels around a point and their weights. */
typedef struct point {
    int64_t at[4];
    float w[4];
} point;

static void locate(point *p, const setup *s, float x, float y)
{
    const float h = (float)s->h, w = (float)s->w;
    *p = (point){{0, 0, 0, 0}, {0.0f, 0.0f, 0.0f, 0.0f}};
    if (!(y >= -1.0f && y <= h && x >= -1.0f && x <= w)) return;
    if (y < 0.0f) y = 0.0f;
    if (x < 0.0f) x = 0.0f;
    int64_t y0 = (int64_t)y, x0 = (int64_t)x, y1 = y0 + 1, x1 = x0 + 1;
    if (y0 >= s->h - 1) {
        y0 = y1 = s->h - 1;
        y = (float)y0;
    }
    if (x0 >= s->w - 1) {
        x0 = x1 = s->w - 1;
        x = (float)x0;
    }
    const float ly = y - (float)y0, lx = x - (float)x0;
    const float hy = 1.0f - ly, hx = 1.0f - lx;
    *p = (point){{y0 * s->w + x0, y0 * s->w + x1, y1 * s->w + x0,
                  y1 * s->w + x1},
                 {hy * hx, hy * lx, ly * hx, ly * lx}};
}

static float pixel(const tni_tensor *x, int64_t i)
{
    return x->dtype == TN_F32 ? TNI_CDATA(float, x)[i]
                              : (float)tni_get_f64(x, i);
}

/* One output element: the points of a bin over one channel at `base`. */
static float bin(const setup *s, const region *r, const tni_tensor *x,
                 int64_t base, int64_t ph, int64_t pw)
{
    float sum = 0.0f;
    bool any = false;
    for (int64_t iy = 0; iy < r->grid_h; iy++) {
        const float y = r->y + (float)ph * r->bin_h +
                        ((float)iy + 0.5f) * r->bin_h / (float)r->grid_h;
        for (int64_t ix = 0; ix < r->grid_w; ix++) {
            const float px = r->x + (float)pw * r->bin_w +
                             ((float)ix + 0.5f) * r->bin_w / (float)r->grid_w;
            point p;
            locate(&p, s, px, y);
            float v[4];
            for (int k = 0; k < 4; k++)
                v[k] = p.w[k] * pixel(x, base + p.at[k]);
            if (!s->max) {
                sum += v[0] + v[1] + v[2] + v[3];
                continue;
            }
            for (int k = 0; k < 4; k++) {
                if (!any || v[k] > sum) sum = v[k];
                any = true;
            }
        }
    }
    const int64_t count = r->grid_h * r->grid_w;
    return s->max || count < 1 ? sum : sum / (float)count;
}

typedef struct job {
    const setup *s;
    const region *regions;
    const int64_t *batches;
    const tni_tensor *x;
    tni_tensor *y;
} job;

static void tasks(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    const job *j = ctx;
    const setup *s = j->s;
    const int64_t channels = j->x->dims[1];
    for (size_t t = begin; t < end; t++) {
        const int64_t i = (int64_t)t / channels, ch = (int64_t)t % channels;
        const int64_t base = (j->batches[i] * channels + ch) * s->h * s->w;
        for (int64_t ph = 0; ph < s->out_h; ph++)
            for (int64_t pw = 0; pw < s->out_w; pw++)
                tni_set_f64(j->y,
                            ((int64_t)t * s->out_h + ph) * s->out_w + pw,
                            (double)bin(s, &j->regions[i], j->x, base, ph,
                                        pw));
    }
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *rois = c->in[1], *batch = c->in[2];
    if (x->rank != 4 || rois->rank != 2 || rois->dims[1] != 4 ||
        batch->rank != 1 || batch->len != rois->dims[0]) {
        char a[90], b[90], d[90];
        return tni_fail(c->err, TN_EINVAL,
                        "X %s, rois %s and batch_indices %s do not fit",
                        tni_shape_text(a, sizeof a, x),
                        tni_shape_text(b, sizeof b, rois),
                        tni_shape_text(d, sizeof d, batch));
    }
    int64_t dims[4] = {rois->dims[0], x->dims[1], 0, 0};
    TN_TRY(output_dims(dims, c->node, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, 4, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    setup s = {.h = x->dims[2], .w = x->dims[3], .out_h = dims[2],
               .out_w = dims[3],
               .ratio = tni_attr_int(c->node, "sampling_ratio", 0),
               .scale = tni_attr_float(c->node, "spatial_scale", 1.0f),
               .max = tni_attr_is(c->node, "mode", "max", "avg")};
    s.half = c->opset >= 16 &&
             tni_attr_is(c->node, "coordinate_transformation_mode",
                         "half_pixel", "half_pixel");
    if (x->len == 0)
        return tni_fail(c->err, TN_EINVAL, "the feature map is empty");
    region *regions = TNI_NEW_ARRAY(c->scratch, region, dims[0]);
    int64_t *batches = TNI_NEW_ARRAY(c->scratch, int64_t, dims[0]);
    if (regions == NULL || batches == NULL) return tni_ref_nomem(c);
    for (int64_t i = 0; i < dims[0]; i++) {
        TN_TRY(region_of(&regions[i], &s, rois, i, c->err));
        batches[i] = tni_get_i64(batch, i);
        if (batches[i] < 0 || batches[i] >= x->dims[0])
            return tni_fail(c->err, TN_EINVAL,
                            "batch index %lld is outside [0, %lld)",
                            (long long)batches[i], (long long)x->dims[0]);
    }
    job j = {&s, regions, batches, x, c->out[0]};
    tni_par_for(c->par, (size_t)(dims[0] * dims[1]), tasks, &j);
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_FLOATS, 'T', 0},
                              {"rois", TNI_FLOATS, 'T', 0},
                              {"batch_indices", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_FLOATS, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"mode", TNI_ATTR_STRING, "avg"},
    {"output_height", TNI_ATTR_INT, "1"},
    {"output_width", TNI_ATTR_INT, "1"},
    {"sampling_ratio", TNI_ATTR_INT, "0"},
    {"spatial_scale", TNI_ATTR_FLOAT, "1"},
    {"coordinate_transformation_mode", TNI_ATTR_STRING, "half_pixel"}};

static const tni_op_version versions[] = {
    {.since = 16, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
    {.since = 10, TNI_IN(ins), TNI_OUT(outs), .attrs = attrs, .n_attrs = 5,
     .infer = infer, .ref = ref},
};

const tni_op tni_op_roi_align = {
    .domain = "",
    .name = "RoiAlign",
    .summary = "Pools regions of a feature map by interpolation",
    TNI_VERSIONS(versions),
};
