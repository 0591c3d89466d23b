/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_resize.c - ONNX Resize, opsets 10, 11, 13, 18
 *
 * Shapes:  X[d…], roi[2n], scales[n] or sizes[n]  ->  Y[floor(d · scale)…] or
 *          Y[sizes]
 * Types:   nearest: all; linear and cubic: numbers (integers truncate, with
 *          antialias they round)
 * Attrs:   mode, coordinate_transformation_mode, nearest_mode, cubic_coeff_a,
 *          exclude_outside, extrapolation_value, antialias, axes,
 *          keep_aspect_ratio_policy
 * Errors:  EINVAL not exactly one of scales and sizes, lengths that do not fit
 * Numeric: nearest: bit-exact. Others: separable, |err| <= 4u max|x| an axis
 * Source:  ONNX Operators.md, Resize; node tests test_resize_*
 */
#include "ops/infer.h"
#include "ops/resample.h"

#include <math.h>
#include <string.h>

static tn_status choice(int *out, const tni_node *node, const char *attr,
                        const char *absent, const char *const *names, int n,
                        tn_err *err)
{
    for (int i = 0; i < n; i++)
        if (tni_attr_is(node, attr, names[i], absent)) {
            *out = i;
            return TN_OK;
        }
    const tn_string got = tni_attr_string(node, attr);
    return tni_fail(err, TN_EINVAL, "%s '%.*s' is not known", attr,
                    (int)(got.len < 40 ? got.len : 40), got.ptr);
}

static tn_status attrs_of(tni_resample_spec *s, const tni_node *node,
                          int opset, tn_err *err)
{
    static const char *const filters[] = {"nearest", "linear", "cubic"};
    static const char *const coords[] = {"half_pixel",
                                         "half_pixel_symmetric",
                                         "pytorch_half_pixel",
                                         "align_corners",
                                         "asymmetric",
                                         "tf_crop_and_resize",
                                         "tf_half_pixel_for_nn"};
    static const char *const rounds[] = {"round_prefer_floor",
                                         "round_prefer_ceil", "floor", "ceil"};
    int filter = 0, coord = 0, nearest = 0;
    TN_TRY(choice(&filter, node, "mode", "nearest", filters,
                  TNI_COUNT(filters), err));
    s->filter = (tni_filter)filter;
    if (opset < 11) {
        s->coord = TNI_ASYMMETRIC;
        s->nearest = TNI_SIMPLE;
        return TN_OK;
    }
    TN_TRY(choice(&coord, node, "coordinate_transformation_mode", "half_pixel",
                  coords, TNI_COUNT(coords), err));
    TN_TRY(choice(&nearest, node, "nearest_mode", "round_prefer_floor", rounds,
                  TNI_COUNT(rounds), err));
    s->coord = (tni_coord)coord;
    s->nearest = (tni_nearest)nearest;
    s->cubic_a = tni_attr_float(node, "cubic_coeff_a", -0.75f);
    s->extrapolation = tni_attr_float(node, "extrapolation_value", 0.0f);
    s->exclude_outside = tni_attr_int(node, "exclude_outside", 0) != 0;
    s->antialias = tni_attr_int(node, "antialias", 0) != 0 &&
                   s->filter != TNI_NEAREST;
    return TN_OK;
}

/* Axes that scales, sizes and roi are about. */
static tn_status axes_of(int *axes, int *n, const tni_node *node, int rank,
                         tn_err *err)
{
    int n_attr = 0;
    const int64_t *attr = tni_attr_ints(node, "axes", &n_attr);
    if (attr == NULL || n_attr == 0) {
        for (int d = 0; d < rank; d++) axes[d] = d;
        *n = rank;
        return TN_OK;
    }
    uint32_t mask = 0;
    TN_TRY(tni_axes_mask(&mask, attr, n_attr, rank, err));
    for (int i = 0; i < n_attr; i++) TN_TRY(tni_axis(&axes[i], attr[i], rank, err));
    *n = n_attr;
    return TN_OK;
}

static tn_status use_scales(tni_resample_spec *s, const int64_t *dims,
                            const int *axes, int n, const tni_tensor *scales,
                            tn_err *err)
{
    if (scales->len != n)
        return tni_fail(err, TN_EINVAL, "%lld scales for %d axes",
                        (long long)scales->len, n);
    for (int i = 0; i < n; i++) {
        const int d = axes[i];
        s->scale[d] = (float)tni_get_f64(scales, i);
        if (dims[d] < 0) {
            const float scale = s->scale[d];
            if (scale < 1.0f || scale > 1.0f) s->dims[d] = TNI_DIM_UNKNOWN;
            continue;
        }
        float extent = s->scale[d];
        if (s->coord == TNI_TF_CROP_AND_RESIZE)
            extent *= s->roi[1][d] - s->roi[0][d];
        TN_TRY(tni_resample_extent(&s->dims[d], dims[d], extent, err));
    }
    return TN_OK;
}

static tn_status use_sizes(tni_resample_spec *s, const tni_node *node,
                           const int64_t *dims, const int *axes, int n,
                           const tni_tensor *sizes, tn_err *err)
{
    static const char *const policies[] = {"stretch", "not_larger",
                                           "not_smaller"};
    int policy = 0;
    TN_TRY(choice(&policy, node, "keep_aspect_ratio_policy", "stretch",
                  policies, TNI_COUNT(policies), err));
    if (sizes->len != n)
        return tni_fail(err, TN_EINVAL, "%lld sizes for %d axes",
                        (long long)sizes->len, n);
    float common = policy == 1 ? INFINITY : 0.0f;
    bool open = false;
    for (int i = 0; i < n; i++) {
        const int d = axes[i];
        s->dims[d] = tni_get_i64(sizes, i);
        s->sized[d] = true;
        if (s->dims[d] < 0 || s->dims[d] > ((int64_t)1 << 52))
            return tni_fail(err, TN_EINVAL, "size %lld of axis %d",
                            (long long)s->dims[d], d);
        if (dims[d] < 0) {
            open = true;
            continue;
        }
        s->scale[d] = dims[d] > 0 ? (float)s->dims[d] / (float)dims[d] : 1.0f;
        if (policy == 1 ? s->scale[d] < common : s->scale[d] > common)
            common = s->scale[d];
    }
    if (policy == 0) return TN_OK;
    for (int i = 0; i < n; i++) {
        const int d = axes[i];
        if (open) {
            s->dims[d] = TNI_DIM_UNKNOWN;
            continue;
        }
        s->scale[d] = common;
        s->dims[d] =
            (int64_t)floor((double)common * (double)dims[d] + 0.5);
    }
    return TN_OK;
}

static const tni_tensor *given(const tni_tensor *t)
{
    return t != NULL && t->len > 0 ? t : NULL;
}

/* roi, scales and sizes may each be NULL; an extent that is not known stays
 * so. */
static tn_status spec_of(tni_resample_spec *s, const tni_node *node, int opset,
                         int rank, const int64_t *dims, const tni_tensor *roi,
                         const tni_tensor *scales, const tni_tensor *sizes,
                         tn_err *err)
{
    memset(s, 0, sizeof *s);
    TN_TRY(attrs_of(s, node, opset, err));
    int axes[TN_MAX_RANK], n = 0;
    TN_TRY(axes_of(axes, &n, node, rank, err));
    s->rank = rank;
    for (int d = 0; d < rank; d++) {
        s->dims[d] = dims[d];
        s->scale[d] = 1.0f;
        s->roi[1][d] = 1.0f;
    }
    roi = given(roi);
    scales = given(scales);
    sizes = given(sizes);
    if (roi != NULL && s->coord == TNI_TF_CROP_AND_RESIZE) {
        if (roi->len != 2 * (int64_t)n)
            return tni_fail(err, TN_EINVAL,
                            "%lld numbers in roi for %d axes, expected %d",
                            (long long)roi->len, n, 2 * n);
        for (int i = 0; i < n; i++) {
            s->roi[0][axes[i]] = (float)tni_get_f64(roi, i);
            s->roi[1][axes[i]] = (float)tni_get_f64(roi, n + i);
        }
    }
    if ((scales == NULL) == (sizes == NULL)) {
        if (scales == NULL && rank == 0) return TN_OK;
        return tni_fail(err, TN_EINVAL,
                        "%s of scales and sizes, expected exactly one",
                        scales == NULL ? "none" : "both");
    }
    if (scales != NULL) return use_scales(s, dims, axes, n, scales, err);
    return use_sizes(s, node, dims, axes, n, sizes, err);
}

/* Where the inputs stand: roi, scales, sizes; -1: the opset has none. */
static void places(int *at, int opset)
{
    at[0] = opset < 11 ? -1 : 1;
    at[1] = opset < 11 ? 1 : 2;
    at[2] = opset < 11 ? -1 : 3;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int at[3];
    places(at, c->opset);
    const tni_tensor *in[3] = {NULL};
    bool known = true;
    for (int i = 0; i < 3; i++) {
        if (at[i] < 0 || !tni_infer_has(c, at[i])) continue;
        in[i] = tni_infer_const(c, at[i]);
        const tni_type *t = c->in[at[i]];
        const bool empty = t->kind == TN_KIND_TENSOR && t->rank == 1 &&
                           t->dims[0] == 0;
        /* The region only matters for one way of mapping coordinates. */
        if (in[i] == NULL && !empty &&
            (i > 0 || tni_attr_is(c->node, "coordinate_transformation_mode",
                                  "tf_crop_and_resize", "")))
            known = false;
    }
    tni_resample_spec s;
    if (!known) {
        int axes[TN_MAX_RANK], n = 0;
        int64_t dims[TN_MAX_RANK];
        TN_TRY(axes_of(axes, &n, c->node, x->rank, c->err));
        for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d];
        for (int i = 0; i < n; i++) dims[axes[i]] = TNI_DIM_UNKNOWN;
        return tni_infer_dims(c, 0, dtype, x->rank, dims);
    }
    TN_TRY(spec_of(&s, c->node, c->opset, x->rank, x->dims, in[0], in[1],
                   in[2], c->err));
    return tni_infer_dims(c, 0, dtype, x->rank, s.dims);
}

static tn_status ref(tni_ref *c)
{
    int at[3];
    places(at, c->opset);
    const tni_tensor *in[3] = {NULL};
    for (int i = 0; i < 3; i++)
        if (at[i] >= 0 && tni_ref_has(c, at[i])) in[i] = c->in[at[i]];
    tni_resample_spec s;
    TN_TRY(spec_of(&s, c->node, c->opset, c->in[0]->rank, c->in[0]->dims,
                   in[0], in[1], in[2], c->err));
    return tni_resample_ref(c, &s);
}

static tn_status plan(tni_plan *c)
{
    int at[3];
    places(at, c->opset);
    const tni_tensor *in[3] = {NULL};
    for (int i = 0; i < 3; i++) {
        if (at[i] < 0 || at[i] >= c->n_in || c->in[at[i]] == NULL) continue;
        in[i] = c->in_const[at[i]];
        if (in[i] == NULL) return TN_OK; /* known at run only: ref */
    }
    tni_resample_spec s;
    TN_TRY(spec_of(&s, c->node, c->opset, c->in[0]->rank, c->in[0]->dims,
                   in[0], in[1], in[2], c->err));
    return tni_resample_plan(c, &s);
}

static const tni_arg ins_13[] = {{"X", TNI_ANY, 'T', 0},
                                 {"roi", TNI_FLOATS, 0, TNI_OPTIONAL},
                                 {"scales", TNI_T(TN_F32), 0, TNI_OPTIONAL},
                                 {"sizes", TNI_T(TN_I64), 0, TNI_OPTIONAL}};
static const tni_arg ins_10[] = {{"X", TNI_ANY, 'T', 0},
                                 {"scales", TNI_T(TN_F32), 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"mode", TNI_ATTR_STRING, "nearest"},
    {"coordinate_transformation_mode", TNI_ATTR_STRING, "half_pixel"},
    {"cubic_coeff_a", TNI_ATTR_FLOAT, "-0.75"},
    {"exclude_outside", TNI_ATTR_INT, "0"},
    {"extrapolation_value", TNI_ATTR_FLOAT, "0"},
    {"nearest_mode", TNI_ATTR_STRING, "round_prefer_floor"},
    {"antialias", TNI_ATTR_INT, "0"},
    {"axes", TNI_ATTR_INTS, NULL},
    {"keep_aspect_ratio_policy", TNI_ATTR_STRING, "stretch"}};

static const tni_op_version versions[] = {
    {.since = 18, TNI_IN(ins_13), TNI_OUT(outs), TNI_ATTRS(attrs),
     .infer = infer, .ref = ref, .plan = plan},
    {.since = 11, TNI_IN(ins_13), TNI_OUT(outs), .attrs = attrs, .n_attrs = 6,
     .infer = infer, .ref = ref, .plan = plan},
    {.since = 10, TNI_IN(ins_10), TNI_OUT(outs), .attrs = attrs, .n_attrs = 1,
     .infer = infer, .ref = ref, .plan = plan},
};

const tni_op tni_op_resize = {
    .domain = "",
    .name = "Resize",
    .summary = "Resamples a tensor to other extents",
    TNI_VERSIONS(versions),
};
