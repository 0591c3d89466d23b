/* SPDX-License-Identifier: Apache-2.0 */
/* labelme_write.c - the dataset as LabelMe files, one beside each image */
#include "data/formats/labelme.h"

#include "data/base64.h"
#include "tenon/image.h"

typedef struct labelme {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_target *t;
    tni_out *o;
    tni_arena pixels;
    tn_shape shape;
    uint32_t ann;
    bool any;
} labelme;

static const char *const of_shape[] = {"label",      "points",     "group_id",
                                       "shape_type", "attributes", "score",
                                       "difficult",  "mask",       NULL};
static const char *const of_image[] = {"version",   "flags",       "shapes",
                                       "imagePath", "imageHeight", "imageWidth",
                                       NULL};

static void str(labelme *l, const char *s)
{
    tni_out_str(l->o, s);
}

/* Whether an object of JSON has only true and false. */
static bool is_flags(tni_span object)
{
    tni_json j;
    tni_span key;
    bool all = true;
    tni_json_init(&j, object.p, object.len, 0, NULL);
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            const char kind = tni_json_peek(&j);
            all = all && (kind == 't' || kind == 'f');
            if (!tni_json_skip(&j, NULL)) return false;
        }
    return all && j.status == TN_OK;
}

static const tni_span *text_of(const tni_sparse *s, uint32_t row)
{
    return tni_sparse_find(s, row, 0);
}

/* What follows the points of every shape. */
static void close_shape(labelme *l, const char *type)
{
    const tni_span *a = text_of(&l->d->text[TN_TEXT_ATTRIBUTES], l->ann);
    const tni_sparse *extra = &l->d->text[TN_TEXT_EXTRA];
    const uint32_t flags = *tni_flags_at(l->d, l->ann);
    double v = 0.0;
    str(l, ", \"group_id\": ");
    if (tn_dataset_num(l->d, l->ann, TN_NUM_GROUP, &v) != 0)
        tni_out_f64(l->o, v);
    else
        str(l, "null");
    if (!tni_has_member(extra, l->ann, "description"))
        str(l, ", \"description\": \"\"");
    str(l, ", \"shape_type\": \"");
    str(l, type);
    str(l, "\"");
    if (a == NULL || !is_flags(*a)) {
        if (!tni_has_member(extra, l->ann, "flags")) str(l, ", \"flags\": {}");
        if (a != NULL) str(l, ", \"attributes\": ");
    } else {
        /* Flags beside attributes are kept apart: these are attributes. */
        str(l, tni_has_member(extra, l->ann, "flags") ? ", \"attributes\": "
                                                      : ", \"flags\": ");
    }
    if (a != NULL) tni_out_bytes(l->o, a->p, a->len);
    if ((flags & TN_IS_DIFFICULT) != 0) str(l, ", \"difficult\": true");
    if (tn_dataset_num(l->d, l->ann, TN_NUM_SCORE, &v) != 0) {
        str(l, ", \"score\": ");
        tni_out_f64(l->o, v);
    }
    tni_put_members(l->o, extra, l->ann, of_shape);
    str(l, "}");
    l->w->written[l->ann] = 1;
}

static void open_shape(labelme *l)
{
    const uint32_t cls = tni_ann_at(l->d, l->ann)->class_index;
    const char *name = tni_class_at(l->d, cls)->name;
    str(l, l->any ? ",\n    {\"label\": " : "\n    {\"label\": ");
    l->any = true;
    tni_out_json(l->o, name, strlen(name));
    str(l, ", \"points\": ");
}

static void put_two(labelme *l, const double v[4], const char *type)
{
    open_shape(l);
    for (int i = 0; i < 4; i++) {
        str(l, i == 0 ? "[[" : i == 2 ? "], [" : ", ");
        tni_out_f64(l->o, v[i]);
    }
    str(l, "]]");
    close_shape(l, type);
}

static tn_status encoded(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    tni_out *o = ctx;
    (void)err;
    tni_out_bytes(o, bytes, size);
    return o->status;
}

/* A mask is the PNG of its pixels, and the first and last of them. */
static tn_status put_mask(labelme *l)
{
    tni_patch p;
    tni_span png = {NULL, 0};
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    TN_TRY(tni_patch_of(&p, &l->shape, &l->pixels, l->err));
    if (p.w == 0) return TN_OK;
    for (int64_t i = 0; i < p.w * p.h; i++)
        p.pixels[i] = p.pixels[i] != 0 ? 255 : 0;
    view.width = p.w;
    view.height = p.h;
    view.channels = 1;
    view.bits = 8;
    view.stride = (size_t)p.w;
    view.pixels = p.pixels;
    tni_draft *draft = tni_draft_new(&l->pixels, l->err);
    if (draft == NULL) return TN_ENOMEM;
    const tn_image_sink sink = {tni_draft_begin(draft), encoded};
    TN_TRY(tn_image_encode(&sink, "png", &view, l->err));
    TN_TRY(tni_draft_end(draft, &png));
    open_shape(l);
    const int64_t v[4] = {p.x, p.y, p.x + p.w - 1, p.y + p.h - 1};
    for (int i = 0; i < 4; i++) {
        str(l, i == 0 ? "[[" : i == 2 ? "], [" : ", ");
        tni_out_i64(l->o, v[i]);
    }
    str(l, "]], \"mask\": \"");
    tni_base64_write(l->o, png.p, png.len);
    str(l, "\"");
    close_shape(l, "mask");
    return TN_OK;
}

static tn_status put_box(labelme *l)
{
    double b[4];
    if (tn_dataset_box(l->d, l->ann, b) != 0) put_two(l, b, "rectangle");
    return TN_OK;
}

static void put_ring(labelme *l, size_t from, size_t to, const char *type)
{
    open_shape(l);
    tni_put_points(l->o, &l->shape, from, to);
    close_shape(l, type);
}

static tn_status put_shape(labelme *l)
{
    tn_shape *s = &l->shape;
    TN_TRY(tn_dataset_shape(l->d, l->ann, s, l->err));
    switch (s->kind) {
    case TN_SHAPE_POLYGON: {
        const size_t r = tni_largest_ring(s);
        if (s->n_rings == 0) return put_box(l);
        put_ring(l, r > 0 ? s->ring_ends[r - 1] : 0, s->ring_ends[r],
                 "polygon");
        return TN_OK;
    }
    case TN_SHAPE_POLYLINE:
        if (s->n_points == 0) return put_box(l);
        put_ring(l, 0, s->n_points, s->n_points == 2 ? "line" : "linestrip");
        return TN_OK;
    case TN_SHAPE_POINTS:
        if (s->n_points == 0) return put_box(l);
        put_ring(l, 0, s->n_points, s->n_points == 1 ? "point" : "points");
        return TN_OK;
    case TN_SHAPE_QUAD:
        if (s->n_points != 4) return put_box(l);
        put_ring(l, 0, 4, "oriented_rectangle");
        return TN_OK;
    case TN_SHAPE_ELLIPSE: {
        if (s->n_points < 2 || s->xy[2] != s->xy[3]) return put_box(l);
        const double v[4] = {s->xy[0], s->xy[1], s->xy[0] + s->xy[2], s->xy[1]};
        put_two(l, v, "circle");
        return TN_OK;
    }
    case TN_SHAPE_RLE: return put_mask(l);
    default: return put_box(l);
    }
}

static tn_status put_annotation(labelme *l, uint32_t i)
{
    const uint32_t flags = *tni_flags_at(l->d, i);
    const uint32_t image = tni_ann_at(l->d, i)->image;
    double w = 0.0, h = 0.0;
    l->ann = i;
    if (tni_ann_at(l->d, i)->class_index == TN_NONE ||
        (flags & (TN_IS_TAG | TN_IS_NEGATIVE)) != 0)
        return TN_OK;
    const bool sized = tni_image_extent(l->d, image, &w, &h);
    if ((flags & TN_HAS_SHAPE) != 0) {
        const tni_shape *cell = tni_sparse_find(&l->d->shape, i, 0);
        if (!sized && cell->scale != TN_SCALE_PIXEL) return put_box(l);
        return put_shape(l);
    }
    if ((flags & TN_HAS_ANGLE) != 0 &&
        (sized || tni_ann_scale(flags) == TN_SCALE_PIXEL))
        return put_shape(l);
    return put_box(l);
}

static void put_size(labelme *l, const char *key, bool known, double v)
{
    str(l, key);
    if (known)
        tni_out_f64(l->o, v);
    else
        str(l, "null");
}

static tn_status put_image(labelme *l, uint32_t i)
{
    const char *name = l->w->names[i], *slash = strrchr(name, '/');
    const tni_sparse *extra = &l->d->image_text[TN_TEXT_EXTRA];
    const tni_span *flags = text_of(&l->d->image_text[TN_TEXT_ATTRIBUTES], i);
    size_t n = 0;
    double w = 0.0, h = 0.0;
    const bool sized = tni_image_extent(l->d, i, &w, &h);
    const uint32_t *list = tn_dataset_of_image(l->d, i, &n);
    if (slash != NULL) name = slash + 1;
    str(l, "{\n  \"version\": \"5.5.0\",\n  \"flags\": ");
    if (flags != NULL)
        tni_out_bytes(l->o, flags->p, flags->len);
    else
        str(l, "{}");
    str(l, ",\n  \"shapes\": [");
    l->any = false;
    for (size_t k = 0; k < n; k++) {
        const tn_status status = put_annotation(l, list[k]);
        tni_arena_reset(&l->pixels);
        TN_TRY(status);
    }
    str(l, l->any ? "\n  ],\n  \"imagePath\": " : "],\n  \"imagePath\": ");
    tni_out_json(l->o, name, strlen(name));
    if (!tni_has_member(extra, i, "imageData"))
        str(l, ",\n  \"imageData\": null");
    put_size(l, ",\n  \"imageHeight\": ", sized, h);
    put_size(l, ",\n  \"imageWidth\": ", sized, w);
    tni_put_members(l->o, extra, i, of_image);
    str(l, "\n}\n");
    return l->o->status;
}

static tn_status write_image(labelme *l, uint32_t i)
{
    const char *name = l->w->names[i];
    const char *json = tni_change_end(&l->w->arena, name, ".json");
    if (json == NULL) return tni_fail(l->err, TN_ENOMEM, "out of memory");
    TN_TRY(tni_write_image(l->w, i, name, l->err));
    TN_TRY(tni_target_open(l->t, l->w, json, l->err));
    const tn_status status = put_image(l, i);
    if (status != TN_OK && l->o->status == TN_OK) l->o->status = status;
    TN_TRY(tni_target_close(l->t, l->err));
    return tni_writer_progress(l->w, "write", i, l->d->images.n, l->err);
}

tn_status tni_labelme_write(tni_writer *w, tn_err *err)
{
    labelme l;
    memset(&l, 0, sizeof l);
    l.w = w;
    l.d = w->d;
    l.err = err;
    l.shape.struct_size = sizeof l.shape;
    l.t = TNI_NEW(&w->arena, tni_target);
    if (l.t == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    l.o = &l.t->out;
    tni_arena_init(&l.pixels, w->arena.mem, 1 << 14);
    tn_status status = TN_OK;
    for (uint32_t i = 0; status == TN_OK && i < w->d->images.n; i++)
        status = write_image(&l, i);
    tni_arena_fini(&l.pixels);
    tn_shape_fini(&l.shape);
    return status;
}
