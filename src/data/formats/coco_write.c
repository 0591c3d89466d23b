/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coco_write.c - the dataset as COCO files
 *
 * One file per split under annotations/, images under images/<split>/; another
 * for captions where there is more than those (coco_captions.c). What
 * came from COCO goes out as it came in: ids, fields nobody knows, texts of
 * polygons and masks, numbers. What did not is made: ids count on from the
 * largest one there is.
 */
#include "data/formats/coco.h"

#include "base/num.h"
#include "data/formats/jsonfile.h"
#include "data/mask_draw.h"

#include <math.h>
#include <stdio.h>

typedef struct tni_coco_writer coco;

struct tni_coco_writer {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_target t;
    tni_out *o;
    uint32_t split; /* TN_NONE: images without one, or all */
    bool all, results, renumber;
    bool apart, captions; /* captions are in files of their own: in one */
    bool orphans[2];      /* those with classes, captions: are written */
    uint64_t next_ann, next_image, next_class;
    tn_shape shape;
    uint8_t *used;                        /* classes of a sample */
    bool (*aside)(const tni_span *field); /* what is not of its text */
    /* panoptic: the folder of PNGs, their names, the segment being written */
    bool panoptic;
    char folder[512];
    tni_strmap pngs;
    uint32_t segment;
    uint64_t pixels;
    bool hidden; /* in part: it has fewer pixels than the mask it is of */
};

static bool wanted(const coco *c, uint32_t image)
{
    if (c->all) return true;
    const uint64_t splits = tni_image_at(c->d, image)->splits;
    return c->split == TN_NONE ? splits == 0 : (splits >> c->split & 1) != 0;
}

static void str(coco *c, const char *s)
{
    tni_out_str(c->o, s);
}

static void text(coco *c, const char *s)
{
    tni_out_json(c->o, s, strlen(s));
}

static void put_id(coco *c, uint8_t kind, int64_t id, uint64_t made)
{
    if (kind == TN_ID_TEXT)
        text(c, (const char *)(intptr_t)id);
    else
        tni_out_i64(c->o, kind == TN_ID_INT ? id : (int64_t)made);
}

/* Whether one of the members kept has this key. */
static bool has_member(const tni_sparse *s, uint32_t key, const char *name)
{
    const size_t n = strlen(name);
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, key, k);
        if (m == NULL) return false;
        if (m->len > n + 2 && memcmp(m->p + 1, name, n) == 0 &&
            m->p[n + 1] == '"')
            return true;
    }
}

static void put_members(coco *c, const tni_sparse *s, uint32_t key)
{
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, key, k);
        if (m == NULL) return;
        if (c->aside != NULL && c->aside(m)) continue;
        str(c, ", ");
        tni_out_bytes(c->o, m->p, m->len);
    }
}

/* --- images and classes -------------------------------------------------- */

static uint64_t made_image_id(const coco *c, uint32_t image)
{
    return c->next_image + image;
}

static uint64_t made_class_id(const coco *c, uint32_t cls)
{
    return c->next_class + cls;
}

static void put_image(coco *c, uint32_t i)
{
    const tni_image_row *r = tni_image_at(c->d, i);
    double w = 0.0, h = 0.0;
    str(c, "{\"id\": ");
    put_id(c, r->id_kind, r->id, made_image_id(c, i));
    str(c, ", \"file_name\": ");
    text(c, c->w->names[i]);
    if (tni_image_extent(c->d, i, &w, &h)) {
        str(c, ", \"width\": ");
        tni_out_i64(c->o, (int64_t)w);
        str(c, ", \"height\": ");
        tni_out_i64(c->o, (int64_t)h);
    }
    put_members(c, &c->d->image_text[TN_TEXT_EXTRA], i);
    const tni_span *attributes =
        tni_sparse_find(&c->d->image_text[TN_TEXT_ATTRIBUTES], i, 0);
    if (attributes != NULL) {
        str(c, ", \"attributes\": ");
        tni_out_bytes(c->o, attributes->p, attributes->len);
    }
    str(c, "}");
}

static void put_class(coco *c, uint32_t i)
{
    const tni_class_row *r = tni_class_at(c->d, i);
    str(c, "{\"id\": ");
    put_id(c, r->id_kind, r->id, made_class_id(c, i));
    str(c, ", \"name\": ");
    text(c, r->name);
    if (r->parent != NULL) {
        str(c, ", \"supercategory\": ");
        text(c, r->parent);
    }
    if (r->keypoints != NULL) {
        str(c, ", \"keypoints\": [");
        for (uint32_t k = 0; k < r->n_keypoints; k++) {
            if (k > 0) str(c, ", ");
            text(c, r->keypoints[k]);
        }
        str(c, "]");
    }
    put_members(c, &c->d->class_text[TN_TEXT_EXTRA], i);
    str(c, "}");
}

/* --- geometry ------------------------------------------------------------ */

static double ring_area(const tn_shape *s, size_t from, size_t to)
{
    double sum = 0.0;
    for (size_t i = from; i < to; i++) {
        const size_t k = i + 1 < to ? i + 1 : from;
        sum +=
            s->xy[2 * i] * s->xy[2 * k + 1] - s->xy[2 * k] * s->xy[2 * i + 1];
    }
    return fabs(sum) / 2;
}

static double shape_area(const tn_shape *s)
{
    double area = 0.0;
    if (s->kind == TN_SHAPE_RLE) {
        for (size_t i = 1; i < s->n_runs; i += 2) area += s->runs[i];
        return area;
    }
    for (size_t i = 0; i < s->n_rings; i++) {
        const size_t from = i > 0 ? s->ring_ends[i - 1] : 0;
        area += (s->ring_holes[i] != 0 ? -1.0 : 1.0) *
                ring_area(s, from, s->ring_ends[i]);
    }
    return area;
}

static void put_rings(coco *c, const tn_shape *s)
{
    str(c, "[");
    bool any = false;
    for (size_t i = 0; i < s->n_rings; i++) {
        if (s->ring_holes[i] != 0) continue;
        str(c, any ? ", [" : "[");
        any = true;
        for (size_t k = i > 0 ? s->ring_ends[i - 1] : 0; k < s->ring_ends[i];
             k++) {
            if (k > (i > 0 ? s->ring_ends[i - 1] : 0)) str(c, ",");
            tni_out_f64(c->o, s->xy[2 * k]);
            str(c, ",");
            tni_out_f64(c->o, s->xy[2 * k + 1]);
        }
        str(c, "]");
    }
    str(c, "]");
}

/* Whether a text is a list of lists: other formats have one outline without
 * brackets around it. */
static bool is_nested(const tni_shape *s)
{
    size_t k = 1;
    while (k < s->len && (s->text[k] == ' ' || s->text[k] == '\n' ||
                          s->text[k] == '\r' || s->text[k] == '\t'))
        k++;
    return s->len > 0 && s->text[0] == '[' && k < s->len && s->text[k] == '[';
}

/* Polygons and masks. *area is set when it is not known otherwise. */
static tn_status put_segmentation(coco *c, uint32_t i, uint32_t flags,
                                  bool area_known, double *area, bool *any)
{
    const tni_shape *cell = (flags & TN_HAS_SHAPE) != 0
                                ? tni_sparse_find(&c->d->shape, i, 0)
                                : NULL;
    const bool polygon = cell != NULL && cell->kind == TN_SHAPE_POLYGON;
    *any = cell != NULL && (polygon || cell->kind == TN_SHAPE_RLE);
    if (!*any) {
        if ((flags & TN_EMPTY_SHAPE) != 0) str(c, ", \"segmentation\": []");
        return TN_OK;
    }
    const bool verbatim = cell->layout == TNI_LAYOUT_RLE ||
                          (cell->layout == TNI_LAYOUT_FLAT &&
                           cell->scale == TN_SCALE_PIXEL && is_nested(cell));
    if (!verbatim || !area_known) {
        TN_TRY(tn_dataset_shape(c->d, i, &c->shape, c->err));
        *area = shape_area(&c->shape);
    }
    str(c, ", \"segmentation\": ");
    if (verbatim)
        tni_out_bytes(c->o, cell->text, cell->len);
    else
        put_rings(c, &c->shape);
    return TN_OK;
}

static tn_status put_keypoints(coco *c, uint32_t i)
{
    tn_shape *s = &c->shape;
    TN_TRY(tn_dataset_keypoints(c->d, i, s, c->err));
    const tni_shape *cell = tni_sparse_find(&c->d->keypoints, i, 0);
    int64_t n = 0;
    for (size_t k = 0; k < s->n_points; k++)
        if (s->visible == NULL || s->visible[k] > 0) n++;
    str(c, ", \"keypoints\": ");
    if (cell->dims == 3 && cell->scale == TN_SCALE_PIXEL && cell->len > 0 &&
        cell->text[0] == '[') {
        tni_out_bytes(c->o, cell->text, cell->len);
    } else {
        str(c, "[");
        for (size_t k = 0; k < s->n_points; k++) {
            const int v = s->visible != NULL ? s->visible[k] : 2;
            if (k > 0) str(c, ",");
            tni_out_f64(c->o, s->xy[2 * k]);
            str(c, ",");
            tni_out_f64(c->o, s->xy[2 * k + 1]);
            str(c, ",");
            tni_out_i64(c->o, v);
        }
        str(c, "]");
    }
    str(c, ", \"num_keypoints\": ");
    tni_out_i64(c->o, n);
    return TN_OK;
}

/* Left, top, width, height: as the file had them where it had those. */
static bool box_of(coco *c, uint32_t i, const tni_ann *a, double b[4])
{
    if ((a->flags & TN_HAS_BOX) != 0 && (a->flags & TN_HAS_ANGLE) == 0 &&
        tni_ann_form(a->flags) == TN_BOX_XYWH &&
        tni_ann_scale(a->flags) == TN_SCALE_PIXEL) {
        memcpy(b, a->box, sizeof a->box);
        return true;
    }
    if ((a->flags & TN_HAS_ANGLE) != 0) {
        if (tn_dataset_shape(c->d, i, &c->shape, NULL) != TN_OK) return false;
        b[0] = b[2] = c->shape.xy[0];
        b[1] = b[3] = c->shape.xy[1];
        for (size_t k = 1; k < 4; k++) {
            b[0] = fmin(b[0], c->shape.xy[2 * k]);
            b[1] = fmin(b[1], c->shape.xy[2 * k + 1]);
            b[2] = fmax(b[2], c->shape.xy[2 * k]);
            b[3] = fmax(b[3], c->shape.xy[2 * k + 1]);
        }
    } else if (tn_dataset_box(c->d, i, b) == 0) {
        return false;
    }
    b[2] -= b[0];
    b[3] -= b[1];
    return true;
}

/* --- annotations --------------------------------------------------------- */

/* Whether COCO has a place for what this annotation is. */
static bool has_place(const coco *c, uint32_t i, const tni_ann *a)
{
    double b[4];
    const bool bare =
        (a->flags & (TN_HAS_BOX | TN_HAS_SHAPE | TN_HAS_ANGLE)) == 0;
    if ((a->flags & TN_IS_NEGATIVE) != 0) return false;
    if ((a->flags & (TN_IS_TAG | TN_HAS_KEYPOINTS)) != 0) return true;
    if (tni_sparse_find(&c->d->text[TN_TEXT_CAPTION], i, 0) != NULL) {
        if ((c->w->keeps & TNI_KEEPS(CAPTION)) != 0) return true;
        if (tni_coco_is_caption(c->d, i) && bare) return false;
    }
    if ((a->flags & TN_HAS_SHAPE) != 0) {
        const tni_shape *cell = tni_sparse_find(&c->d->shape, i, 0);
        if (cell->kind == TN_SHAPE_POLYLINE || cell->kind == TN_SHAPE_POINTS)
            return (a->flags & TN_HAS_BOX) != 0;
    }
    if (tn_dataset_box(c->d, i, b) != 0) return true;
    return bare;
}

static void put_num(coco *c, uint32_t i, tn_num kind, const char *key)
{
    double v = 0.0;
    if (tn_dataset_num(c->d, i, kind, &v) == 0) return;
    str(c, key);
    tni_out_f64(c->o, v);
}

static void put_text(coco *c, uint32_t i, tn_text kind, const char *key)
{
    const tni_span *t = tni_sparse_find(&c->d->text[kind], i, 0);
    if (t == NULL) return;
    str(c, key);
    tni_out_bytes(c->o, t->p, t->len);
}

static tn_status put_annotation(coco *c, uint32_t i, const tni_ann *a)
{
    const tni_sparse *extra = &c->d->text[TN_TEXT_EXTRA];
    double b[4], area = 0.0;
    bool shape = false;
    double declared = 0.0;
    const bool area_known =
        !c->hidden && tn_dataset_num(c->d, i, TN_NUM_AREA, &declared) != 0;
    str(c, "{\"id\": ");
    if (c->panoptic)
        tni_out_i64(c->o, c->segment);
    else
        put_id(c, c->renumber ? TN_ID_NONE : tni_ann_id_kind(a->flags), a->id,
               c->next_ann + i);
    if (a->image != TN_NONE && !c->panoptic) {
        const tni_image_row *image = tni_image_at(c->d, a->image);
        str(c, ", \"image_id\": ");
        put_id(c, image->id_kind, image->id, made_image_id(c, a->image));
    }
    if (a->class_index != TN_NONE) {
        const tni_class_row *cls = tni_class_at(c->d, a->class_index);
        str(c, ", \"category_id\": ");
        put_id(c, cls->id_kind, cls->id, made_class_id(c, a->class_index));
    }
    if (c->panoptic) {
        shape = true;
        area = (double)c->pixels;
    } else {
        TN_TRY(put_segmentation(c, i, a->flags, area_known, &area, &shape));
        if ((a->flags & TN_HAS_KEYPOINTS) != 0) TN_TRY(put_keypoints(c, i));
    }
    if (box_of(c, i, a, b)) {
        str(c, ", \"bbox\": [");
        for (int k = 0; k < 4; k++) {
            if (k > 0) str(c, ", ");
            tni_out_f64(c->o, b[k]);
        }
        str(c, "]");
        if (!shape) area = b[2] * b[3];
        if (!c->results && !has_member(extra, i, "area")) {
            /* What pycocotools needs: the file's, the shape's or the box's. */
            str(c, ", \"area\": ");
            tni_out_f64(c->o, area_known ? declared
                              : !c->panoptic && (a->flags & TN_HAS_BOX) != 0 &&
                                      (a->flags & TN_HAS_ANGLE) == 0 &&
                                      tni_ann_form(a->flags) == TN_BOX_XYWH
                                  ? b[2] * b[3]
                                  : area);
        }
    } else if (area_known) {
        put_num(c, i, TN_NUM_AREA, ", \"area\": ");
    }
    if (!c->results && (a->flags & TN_IS_TAG) == 0 &&
        !tni_coco_is_caption(c->d, i) && !has_member(extra, i, "iscrowd"))
        str(c, (a->flags & TN_IS_CROWD) != 0 ? ", \"iscrowd\": 1"
                                             : ", \"iscrowd\": 0");
    if ((c->w->keeps & TNI_KEEPS(CAPTION)) != 0)
        put_text(c, i, TN_TEXT_CAPTION, ", \"caption\": ");
    put_num(c, i, TN_NUM_SCORE, ", \"score\": ");
    put_num(c, i, TN_NUM_TRACK, ", \"track_id\": ");
    put_text(c, i, TN_TEXT_ATTRIBUTES, ", \"attributes\": ");
    put_members(c, extra, i);
    str(c, "}");
    c->w->written[i] = 1;
    return c->o->status;
}

/* "b.png" for b.jpg; "b.jpg.png" where another image has that. */
static const char *png_of(coco *c, uint32_t image)
{
    const char *name = c->w->names[image];
    tni_arena *arena = &c->w->arena;
    char *png = tni_change_end(arena, name, ".png");
    for (int again = 0; png != NULL; again++) {
        bool fresh = false;
        const size_t size = strlen(png) + strlen(c->folder) + 2;
        char *key = tni_arena_alloc(arena, size, 1);
        if (key == NULL) return NULL;
        (void)snprintf(key, size, "%s/%s", c->folder, png);
        if (tni_strmap_add(&c->pngs, key, strlen(key), &fresh) == NULL)
            return NULL;
        if (fresh) return png;
        const size_t n = strlen(name) + 24;
        png = tni_arena_alloc(arena, n, 1);
        if (png != NULL && again == 0) (void)snprintf(png, n, "%s.png", name);
        if (png != NULL && again > 0)
            (void)snprintf(png, n, "%s_%d.png", name, again);
    }
    return NULL;
}

/* The segments of an image and its PNG. */
static tn_status put_segments(coco *c, uint32_t image, bool *any)
{
    tni_arena *arena = &c->w->arena;
    const tni_image_row *row = tni_image_at(c->d, image);
    size_t all = 0, n = 0;
    double w = 0.0, h = 0.0;
    char path[5000];
    const uint32_t *list = tn_dataset_of_image(c->d, image, &all);
    if (row->state == TN_STATE_UNKNOWN) return TN_OK;
    const char *png = png_of(c, image);
    uint32_t *anns = TNI_NEW_ARRAY(arena, uint32_t, all + 1);
    uint32_t *ids = TNI_NEW_ARRAY(arena, uint32_t, all + 1);
    tni_segment *segments = TNI_NEW_ARRAY(arena, tni_segment, all + 1);
    if (png == NULL || anns == NULL || ids == NULL || segments == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (size_t i = 0; i < all; i++)
        if (tni_has_pixels(c->d, list[i])) anns[n++] = list[i];
    if (n == 0 && !tni_image_extent(c->d, image, &w, &h)) return TN_OK;
    (void)tni_panoptic_ids(c->d, anns, n, ids, arena);
    (void)snprintf(path, sizeof path, "%s/%.4000s", c->folder, png);
    TN_TRY(
        tni_panoptic_write(c->w, image, anns, ids, n, path, segments, c->err));
    str(c, *any ? ",\n{\"image_id\": " : "\n{\"image_id\": ");
    *any = true;
    put_id(c, row->id_kind, row->id, made_image_id(c, image));
    str(c, ", \"file_name\": ");
    text(c, png);
    str(c, ", \"segments_info\": [");
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        tni_ann a;
        if (segments[i].hidden && segments[i].pixels == 0) continue;
        tni_ann_get(c->d, anns[i], &a);
        c->segment = ids[i];
        c->pixels = segments[i].pixels;
        c->hidden = segments[i].hidden;
        str(c, first ? "\n  " : ",\n  ");
        first = false;
        TN_TRY(put_annotation(c, anns[i], &a));
    }
    str(c, "]}");
    return c->o->status;
}

static tn_status put_panoptic(coco *c)
{
    bool any = false;
    for (uint32_t i = 0; i < c->d->images.n; i++)
        if (wanted(c, i)) TN_TRY(put_segments(c, i, &any));
    return TN_OK;
}

static tn_status put_annotations(coco *c)
{
    bool any = false;
    if (c->panoptic) return put_panoptic(c);
    for (uint32_t i = 0; i < c->d->anns.n; i++) {
        tni_ann a;
        tni_ann_get(c->d, i, &a);
        const bool orphan = a.image == TN_NONE;
        /* Orphans go to the first file. */
        if (orphan ? c->orphans[c->captions] : !wanted(c, a.image)) continue;
        if (c->apart && tni_coco_is_caption(c->d, i) != c->captions) continue;
        if (!has_place(c, i, &a)) continue;
        str(c, any ? ",\n" : "\n");
        any = true;
        TN_TRY(put_annotation(c, i, &a));
    }
    c->orphans[c->captions] = true;
    return TN_OK;
}

/* --- the file ------------------------------------------------------------ */

/* Members nobody defines come last: what recognises a file by its first bytes
 * must meet images there, however long the others are. */
static void put_metas(coco *c, bool defined)
{
    tni_once keys; /* one file has one of each */
    tni_once_init(&keys);
    for (uint32_t i = 0; i < c->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&c->d->metas, tni_meta, i);
        if ((strcmp(m->key, "info") == 0 || strcmp(m->key, "licenses") == 0) !=
            defined)
            continue;
        if (!c->all && m->split != TN_NONE && m->split != c->split) continue;
        if (tni_once_again(&keys, m->key, strlen(m->key))) continue;
        if (!defined) str(c, ",\n");
        text(c, m->key);
        str(c, ": ");
        tni_out_bytes(c->o, m->value.p, m->value.len);
        if (defined) str(c, ",\n");
    }
    tni_once_end(&keys, c->o);
}

static tn_status put_file(coco *c)
{
    str(c, "{\n");
    put_metas(c, true);
    str(c, "\"images\": [");
    bool any = false;
    for (uint32_t i = 0; i < c->d->images.n; i++) {
        if (!wanted(c, i)) continue;
        str(c, any ? ",\n" : "\n");
        any = true;
        put_image(c, i);
    }
    str(c, "],\n\"annotations\": [");
    TN_TRY(put_annotations(c));
    str(c, "]");
    /* What has no classes has no list of them: with one pycocotools would look
     * for the class of every annotation. */
    if (!c->captions && (c->d->classes.n > 0 || c->d->anns.n == 0)) {
        str(c, ",\n\"categories\": [");
        for (uint32_t i = 0; i < c->d->classes.n; i++) {
            str(c, i > 0 ? ",\n" : "\n");
            put_class(c, i);
        }
        str(c, "]");
    }
    if (!c->captions) put_metas(c, false);
    str(c, "\n}\n");
    return c->o->status;
}

static tn_status write_file(coco *c, const char *name)
{
    (void)snprintf(c->folder, sizeof c->folder, "%.*s", (int)(strlen(name) - 5),
                   name); /* without .json */
    TN_TRY(tni_target_open(&c->t, c->w, name, c->err));
    c->o = &c->t.out;
    tn_status status;
    if (c->results) {
        str(c, "[");
        status = put_annotations(c);
        str(c, "]\n");
    } else {
        status = put_file(c);
    }
    if (status != TN_OK && c->t.out.status == TN_OK) c->t.out.status = status;
    return tni_target_close(&c->t, c->err);
}

/* Where an image, or (NULL) the file, of a split goes. */
static tn_status place(const coco *c, char to[4096], const char *prefix,
                       const char *image)
{
    const bool split = c->split != TN_NONE;
    const char *name = split ? c->d->splits[c->split] : "";
    const char *slash = split ? "/" : "";
    int n = 0;
    if (strcmp(prefix, "roboflow") == 0)
        n = snprintf(to, 4096, "%s%s%s", name, slash,
                     image != NULL ? image : "_annotations.coco.json");
    else if (image != NULL)
        n = snprintf(to, 4096, "images/%s%s%s", name, slash, image);
    else
        n = snprintf(to, 4096, "annotations/%s%s%.400s.json", prefix,
                     split ? "_" : "", name);
    if (n > 0 && n < (image != NULL ? 4096 : 512)) return TN_OK;
    return tni_fail(c->err, TN_EINVAL, "the name of %s is too long",
                    image != NULL ? "an image" : "a split");
}

/* Whether the split, or nobody's image, has captions to be written apart. */
static bool has_captions(const coco *c)
{
    for (uint32_t i = 0; c->captions && i < c->d->anns.n; i++) {
        const uint32_t image = tni_ann_at(c->d, i)->image;
        if (tni_coco_is_caption(c->d, i) &&
            (image == TN_NONE ? !c->orphans[1] : wanted(c, image)))
            return true;
    }
    return false;
}

static tn_status write_split(coco *c, uint32_t split, const char *prefix)
{
    char to[4096];
    c->split = split;
    bool any = false;
    for (uint32_t i = 0; i < c->d->images.n; i++) {
        if (!wanted(c, i)) continue;
        any = true;
        TN_TRY(place(c, to, prefix, c->w->names[i]));
        TN_TRY(tni_write_image(c->w, i, to, c->err));
    }
    if (!any && split == TN_NONE && c->d->n_splits > 0) return TN_OK;
    TN_TRY(place(c, to, prefix, NULL));
    TN_TRY(write_file(c, to));
    c->captions = c->apart;
    tn_status status = TN_OK;
    if (has_captions(c)) {
        status = place(c, to, "captions", NULL);
        if (status == TN_OK) status = write_file(c, to);
    }
    c->captions = false;
    return status;
}

/* Made ids begin behind the largest one. */
static void find_largest(coco *c)
{
    int64_t ann = 0, image = 0, cls = 0;
    for (uint32_t i = 0; i < c->d->anns.n; i++) {
        const int64_t id = tni_ann_at(c->d, i)->id;
        if (tni_ann_id_kind(*tni_flags_at(c->d, i)) == TN_ID_INT && id > ann)
            ann = id;
    }
    for (uint32_t i = 0; i < c->d->images.n; i++) {
        const tni_image_row *r = tni_image_at(c->d, i);
        if (r->id_kind == TN_ID_INT && r->id > image) image = r->id;
    }
    for (uint32_t i = 0; i < c->d->classes.n; i++) {
        const tni_class_row *r = tni_class_at(c->d, i);
        if (r->id_kind == TN_ID_INT && r->id > cls) cls = r->id;
    }
    c->next_ann = (uint64_t)ann + 1;
    c->next_image = (uint64_t)image + 1;
    c->next_class = (uint64_t)cls + 1;
}

/* Captions are read behind all else of their image. */
static tn_status set_apart(coco *c)
{
    const uint32_t n = c->d->anns.n;
    c->apart = true;
    c->w->rank = TNI_NEW_ARRAY(&c->w->arena, uint32_t, n + (size_t)1);
    if (c->w->rank == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++)
        c->w->rank[i] = i | (tni_coco_is_caption(c->d, i) ? 1u << 31 : 0u);
    return TN_OK;
}

static tn_status write_all(coco *c)
{
    const char *variant = c->w->variant;
    const char *prefix = strncmp(variant, "keypoints", 9) == 0
                             ? "person_keypoints"
                         : strncmp(variant, "instances", 9) == 0 ? "instances"
                                                                 : variant;
    if (strchr(variant, '+') != NULL) TN_TRY(set_apart(c));
    if (strcmp(variant, "captions") == 0 && tni_coco_captions_apart(c->d))
        return tni_fail(c->err, TN_EUNSUPPORTED,
                        "there are classes, and files of captions have none: "
                        "choose instances+captions");
    c->results = strcmp(variant, "results") == 0;
    if (c->results &&
        (c->d->variant == NULL || strcmp(c->d->variant, "results") != 0))
        return tni_fail(c->err, TN_EUNSUPPORTED,
                        "results name images and classes by the ids of other "
                        "files: only results can be written as such");
    c->panoptic = strcmp(variant, "panoptic") == 0;
    if (c->panoptic && c->w->file != NULL)
        return tni_fail(c->err, TN_EUNSUPPORTED,
                        "panoptic segments lie in PNG files beside the JSON: "
                        "name a folder instead of one file");
    tni_strmap_init(&c->pngs, &c->w->arena);
    if (c->w->file != NULL) {
        c->all = true;
        return write_file(c, c->w->file);
    }
    for (uint32_t s = 0; s < c->d->n_splits; s++)
        TN_TRY(write_split(c, s, prefix));
    return write_split(c, TN_NONE, prefix);
}

/* --- samples ------------------------------------------------------------- */

tni_coco_writer *tni_coco_writer_new(tni_writer *w, tn_err *err)
{
    coco *c = TNI_NEW(&w->arena, coco);
    uint8_t *used = TNI_NEW_ARRAY(&w->arena, uint8_t, w->d->classes.n + 1u);
    if (c == NULL || used == NULL) {
        (void)!tni_fail(err, TN_ENOMEM, "out of memory");
        return NULL;
    }
    c->w = w;
    c->d = w->d;
    c->err = err;
    c->used = used;
    c->split = TN_NONE;
    c->shape.struct_size = sizeof c->shape;
    find_largest(c);
    c->renumber = (w->keeps & TNI_KEEPS(ANN_ID)) == 0;
    if (c->renumber) c->next_ann = 1;
    return c;
}

void tni_coco_writer_free(tni_coco_writer *c)
{
    if (c != NULL) tn_shape_fini(&c->shape);
}

tn_status tni_coco_put_sample(tni_coco_writer *c, uint32_t image,
                              bool (*aside)(const tni_span *field), tni_out *o)
{
    size_t n = 0;
    const uint32_t *list = tn_dataset_of_image(c->d, image, &n);
    const bool unknown = tni_image_at(c->d, image)->state == TN_STATE_UNKNOWN;
    bool any = false;
    c->o = o;
    str(c, "{\n\"images\": [\n");
    c->aside = aside;
    put_image(c, image);
    c->aside = NULL;
    str(c, unknown ? "]" : "],\n\"annotations\": [");
    for (size_t i = 0; i < n; i++) {
        tni_ann a;
        tni_ann_get(c->d, list[i], &a);
        if (!has_place(c, list[i], &a)) continue;
        str(c, any ? ",\n" : "\n");
        any = true;
        if (a.class_index != TN_NONE) c->used[a.class_index] = 1;
        TN_TRY(put_annotation(c, list[i], &a));
    }
    str(c, unknown ? "" : "],\n\"categories\": [");
    any = false;
    for (size_t i = 0; i < n; i++) {
        const uint32_t cls = tni_ann_at(c->d, list[i])->class_index;
        if (cls == TN_NONE || c->used[cls] == 0) continue;
        c->used[cls] = 0;
        str(c, any ? ",\n" : "\n");
        any = true;
        put_class(c, cls);
    }
    str(c, unknown ? "\n}\n" : "]\n}\n");
    return o->status;
}

tn_status tni_coco_put_rest(tni_coco_writer *c, tni_out *o)
{
    c->o = o;
    c->all = true;
    str(c, "{\n");
    put_metas(c, true);
    str(c, "\"categories\": [");
    for (uint32_t i = 0; i < c->d->classes.n; i++) {
        str(c, i > 0 ? ",\n" : "\n");
        put_class(c, i);
    }
    str(c, "]");
    put_metas(c, false);
    str(c, "\n}\n");
    return o->status;
}

/* --- files --------------------------------------------------------------- */

tn_status tni_coco_write(tni_writer *w, tn_err *err)
{
    coco *c = tni_coco_writer_new(w, err);
    if (c == NULL) return TN_ENOMEM;
    const tn_status status = write_all(c);
    tni_coco_writer_free(c);
    return status;
}
