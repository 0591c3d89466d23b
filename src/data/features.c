/* SPDX-License-Identifier: Apache-2.0 */
/* features.c - what a dataset has, counted */
#include "data/features.h"

#include "base/alloc.h"

#include <string.h>

const tni_feature_info tni_features[TNI_F_COUNT] = {
#define TN_FEATURE(id, code, what) {code, what},
#include "data/features.def"
#undef TN_FEATURE
};

static bool outside(double v)
{
    return !(v >= -TNI_OUTSIDE_BY && v <= 1.0 + TNI_OUTSIDE_BY);
}

/* Of n points in units, or in pixels of an image of w x h. */
static bool points_outside(const double *xy, size_t n, double w, double h)
{
    for (size_t i = 0; i < n; i++)
        if (outside(xy[2 * i] / w) || outside(xy[2 * i + 1] / h)) return true;
    return false;
}

tn_status tni_look_outside(tni_outside *out, const tn_dataset *d, uint32_t ann,
                           const tn_shape *outline, tn_shape *s, tn_err *err)
{
    const uint32_t flags = *tni_flags_at(d, ann);
    const tni_shape *cell =
        (flags & TN_HAS_SHAPE) != 0 ? tni_sparse_find(&d->shape, ann, 0) : NULL;
    const bool polygon = cell != NULL && cell->kind == TN_SHAPE_POLYGON;
    const bool quad = cell != NULL ? cell->kind == TN_SHAPE_QUAD
                                   : (flags & TN_HAS_ANGLE) != 0;
    double b[4], w = 0.0, h = 0.0;
    const bool known = tni_image_extent(d, tni_ann_at(d, ann)->image, &w, &h);
    const bool boxed = tni_box_in_units(d, ann, b);
    memset(out, 0, sizeof *out);
    out->box =
        boxed && (outside((b[0] + b[2]) / 2) || outside((b[1] + b[3]) / 2) ||
                  outside(b[2] - b[0]) || outside(b[3] - b[1]));
    if (polygon && (known || cell->scale != TN_SCALE_PIXEL)) {
        const bool units = cell->scale != TN_SCALE_PIXEL;
        if (outline == NULL) TN_TRY(tni_shape_read(s, cell, 1.0, 1.0, err));
        const tn_shape *p = outline != NULL ? outline : s;
        out->outline = points_outside(p->xy, p->n_points, units ? 1.0 : w,
                                      units ? 1.0 : h);
    } else if (quad && known) {
        TN_TRY(tn_dataset_shape(d, ann, s, err));
        out->outline = points_outside(s->xy, s->n_points, w, h);
    } else if (boxed && !polygon && !quad) {
        out->outline = points_outside(b, 2, 1.0, 1.0);
    }
    if (!known || (flags & TN_HAS_KEYPOINTS) == 0) return TN_OK;
    TN_TRY(tn_dataset_keypoints(d, ann, s, err));
    out->keypoints = points_outside(s->xy, s->n_points, w, h);
    return TN_OK;
}

static tn_status count_shape(const tn_dataset *d, uint32_t i,
                             const tni_shape *cell, uint64_t *c, tn_shape *s,
                             tn_err *err)
{
    switch (cell->kind) {
    case TN_SHAPE_POLYLINE: c[TNI_F_POLYLINE]++; return TN_OK;
    case TN_SHAPE_POINTS: c[TNI_F_POINTS]++; return TN_OK;
    case TN_SHAPE_QUAD: c[TNI_F_OBB]++; return TN_OK;
    case TN_SHAPE_ELLIPSE: c[TNI_F_ELLIPSE]++; return TN_OK;
    case TN_SHAPE_CUBOID: c[TNI_F_CUBOID]++; return TN_OK;
    case TN_SHAPE_RLE:
        c[TNI_F_MASK]++;
        TN_TRY(tni_shape_read(s, cell, 1.0, 1.0, err)); /* or it is broken */
        if (!tni_box_is_hull(d, i, cell, s)) c[TNI_F_OUTLINE_BOX]++;
        return TN_OK;
    case TN_SHAPE_MASK_FILE: c[TNI_F_MASK_FILE]++; return TN_OK;
    default: break;
    }
    c[TNI_F_POLYGON]++;
    /* Rings need no size: read in the units of the text. */
    TN_TRY(tni_shape_read(s, cell, 1.0, 1.0, err));
    if (!tni_box_is_hull(d, i, cell, s)) c[TNI_F_OUTLINE_BOX]++;
    size_t parts = 0, holes = 0;
    for (size_t k = 0; k < s->n_rings; k++) {
        if (s->ring_ends[k] - (k > 0 ? s->ring_ends[k - 1] : 0) < 3) {
            c[TNI_F_DEGENERATE]++;
            break;
        }
    }
    for (size_t k = 0; k < s->n_rings; k++) {
        if (s->ring_holes[k] != 0)
            holes++;
        else
            parts++;
    }
    if (parts > 1) c[TNI_F_PARTS]++;
    c[TNI_F_HOLE] += holes;
    return TN_OK;
}

static void count_flags(uint32_t flags, uint64_t *c)
{
    static const struct {
        uint32_t flag;
        tni_feature feature;
    } rows[] = {
        {TN_HAS_BOX, TNI_F_BOX},
        {TN_HAS_ANGLE, TNI_F_OBB},
        {TN_HAS_KEYPOINTS, TNI_F_KEYPOINTS},
        {TN_IS_NEGATIVE, TNI_F_NEGATIVE},
        {TN_IS_CROWD, TNI_F_CROWD},
        {TN_IS_DIFFICULT, TNI_F_DIFFICULT},
        {TN_IS_TRUNCATED, TNI_F_TRUNCATED},
        {TN_IS_OCCLUDED, TNI_F_OCCLUDED},
        {TN_IS_TAG, TNI_F_TAG},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((flags & rows[i].flag) != 0) c[rows[i].feature]++;
    if (tni_ann_id_kind(flags) != TN_ID_NONE) c[TNI_F_ANN_ID]++;
}

/* Whether its coordinates cannot be had without the size of the image. */
static bool needs_size(const tn_dataset *d, uint32_t ann, bool units)
{
    const uint32_t flags = *tni_flags_at(d, ann);
    const tni_shape *s =
        (flags & TN_HAS_SHAPE) != 0 ? tni_sparse_find(&d->shape, ann, 0) : NULL;
    if ((flags & TN_HAS_BOX) != 0)
        return (tni_ann_scale(flags) == TN_SCALE_PIXEL) == units;
    /* The file of a mask has its own size. */
    if (s != NULL && s->kind == TN_SHAPE_MASK_FILE) return false;
    return s != NULL && (s->scale == TN_SCALE_PIXEL) == units;
}

static void count_images(const tn_dataset *d, bool units, uint64_t *c)
{
    for (uint32_t i = 0; i < d->images.n; i++) {
        const tni_image_row *r = tni_image_at(d, i);
        double w = 0.0, h = 0.0;
        if (r->id_kind != TN_ID_NONE) c[TNI_F_IMAGE_ID]++;
        if (r->state == TN_STATE_EMPTY) c[TNI_F_EMPTY]++;
        if (r->state == TN_STATE_UNKNOWN) c[TNI_F_UNKNOWN]++;
        if (r->splits != 0) c[TNI_F_SPLIT]++;
        if ((r->splits & (r->splits - 1)) != 0) c[TNI_F_OVERLAP]++;
        const bool turned = r->orientation >= 5;
        const bool same =
            (r->width == r->raw_width && r->height == r->raw_height) ||
            (turned && r->width == r->raw_height && r->height == r->raw_width);
        if (r->width > 0 && !same) c[TNI_F_SIZE]++;
        if (tni_image_extent(d, i, &w, &h)) continue;
        for (uint32_t k = d->first[i]; k < d->first[i + 1]; k++)
            if (needs_size(d, d->order[k], units)) c[TNI_F_NO_SIZE]++;
    }
    for (int k = 0; k < TN_TEXT_COUNT; k++)
        c[TNI_F_IMAGE_EXTRA] += d->image_text[k].keys.n;
}

/* What one thread counts. */
typedef struct lane {
    uint64_t counts[TNI_F_COUNT];
    tn_shape s;
} lane;

typedef struct counting {
    const tn_dataset *d;
    const tni_features_of *target;
    lane *lanes;
} counting;

static tn_status count_one(const counting *k, uint32_t i, lane *l, tn_err *err)
{
    const tn_dataset *d = k->d;
    const uint32_t flags = *tni_flags_at(d, i);
    uint64_t *c = l->counts;
    tni_outside out = {false, false, false};
    count_flags(flags, c);
    if (tni_ann_at(d, i)->image == TN_NONE) c[TNI_F_ORPHAN]++;
    if (tni_ann_at(d, i)->class_index == TN_NONE) c[TNI_F_CLASSLESS]++;
    const tni_shape *cell =
        (flags & TN_HAS_SHAPE) != 0 ? tni_sparse_find(&d->shape, i, 0) : NULL;
    if (cell != NULL) TN_TRY(count_shape(d, i, cell, c, &l->s, err));
    if (!k->target->inside) return TN_OK;
    const bool read = cell != NULL && cell->kind == TN_SHAPE_POLYGON;
    TN_TRY(tni_look_outside(&out, d, i, read ? &l->s : NULL, &l->s, err));
    c[TNI_F_OUTSIDE_BOX] += out.box || out.keypoints;
    c[TNI_F_OUTSIDE] += out.outline;
    return TN_OK;
}

static tn_status count_block(void *ctx, tni_block *b)
{
    const counting *k = ctx;
    for (uint32_t i = b->begin; i < b->end; i++) {
        const tn_status status = count_one(k, i, &k->lanes[b->lane], &b->err);
        if (status == TN_OK) continue;
        const tn_place p = tni_place(k->d, tni_ann_at(k->d, i)->where);
        b->err.offset = p.offset;
        tni_err_where(&b->err, "%s, byte %llu", p.file != NULL ? p.file : "?",
                      (unsigned long long)p.offset);
        return status;
    }
    return TN_OK;
}

static tn_status count_annotations(const tn_dataset *d,
                                   const tni_features_of *target,
                                   const tni_par *par, uint64_t c[TNI_F_COUNT],
                                   tn_err *err)
{
    const size_t n = tni_blocks_lanes(par);
    const tn_allocator *a = &tni_libc_allocator;
    counting k = {d, target,
                  a->alloc(a->ctx, n * sizeof(lane), _Alignof(lane))};
    if (k.lanes == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(k.lanes, 0, n * sizeof(lane));
    for (size_t l = 0; l < n; l++)
        k.lanes[l].s.struct_size = sizeof k.lanes[l].s;
    const tni_blocks job = {d->anns.n, 4096, &k, count_block, NULL};
    const tn_status status = tni_blocks_run(&job, par, err);
    for (size_t l = 0; l < n; l++) {
        for (int f = 0; f < TNI_F_COUNT; f++) c[f] += k.lanes[l].counts[f];
        tn_shape_fini(&k.lanes[l].s);
    }
    a->free(a->ctx, k.lanes, n * sizeof(lane), _Alignof(lane));
    return status;
}

tn_status tni_features_count(const tn_dataset *d, const tni_features_of *target,
                             const tni_par *par, uint64_t c[TNI_F_COUNT],
                             tn_err *err)
{
    memset(c, 0, TNI_F_COUNT * sizeof *c);
    TN_TRY(count_annotations(d, target, par, c, err));
    for (uint32_t i = 0; i < d->keypoints.keys.n; i++)
        if (TNI_ROW(&d->keypoints.values, tni_shape, i)->dims == 3)
            c[TNI_F_VISIBILITY]++;
    c[TNI_F_CAPTION] = d->text[TN_TEXT_CAPTION].keys.n;
    /* A caption needs no class. */
    c[TNI_F_CLASSLESS] -= c[TNI_F_CAPTION] < c[TNI_F_CLASSLESS]
                              ? c[TNI_F_CAPTION]
                              : c[TNI_F_CLASSLESS];
    c[TNI_F_ATTRIBUTES] = d->text[TN_TEXT_ATTRIBUTES].keys.n;
    c[TNI_F_EXTRA] = d->text[TN_TEXT_EXTRA].keys.n;
    c[TNI_F_SCORE] = d->num[TN_NUM_SCORE].keys.n;
    c[TNI_F_AREA] = d->num[TN_NUM_AREA].keys.n;
    c[TNI_F_TRACK] = d->num[TN_NUM_TRACK].keys.n;
    c[TNI_F_GROUP] = d->num[TN_NUM_GROUP].keys.n;
    c[TNI_F_Z] = d->num[TN_NUM_Z].keys.n;
    c[TNI_F_IMAGE_FILE] = d->image_files.keys.n;
    c[TNI_F_META] = d->metas.n;
    count_images(d, target->units, c);
    for (uint32_t i = 0; i < d->classes.n; i++) {
        const tni_class_row *r = tni_class_at(d, i);
        /* Counting from 0 in order is what a format without ids means. */
        if (r->id_kind == TN_ID_TEXT ||
            (r->id_kind == TN_ID_INT && r->id != (int64_t)i))
            c[TNI_F_CLASS_ID]++;
        if (r->parent != NULL) c[TNI_F_PARENT]++;
        if (r->keypoints != NULL && r->n_keypoints > 0)
            c[TNI_F_KEYPOINT_NAMES]++;
    }
    for (int k = 0; k < TN_TEXT_COUNT; k++)
        c[TNI_F_CLASS_EXTRA] += d->class_text[k].keys.n;
    return TN_OK;
}
