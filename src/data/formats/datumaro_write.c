/* SPDX-License-Identifier: Apache-2.0 */
/* datumaro_write.c - the dataset as Datumaro files, one per split */
#include "data/formats/datumaro.h"

#include "data/rle.h"

#include <stdio.h>

typedef struct datumaro {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_target *t;
    tni_out *o;
    tn_shape shape;
    uint32_t split;
    bool all;
    const char *lead; /* what opens an annotation once it has a kind */
} datumaro;

static bool wanted(const datumaro *m, uint32_t image)
{
    if (m->all) return true;
    const uint64_t splits = tni_image_at(m->d, image)->splits;
    return m->split == TN_NONE ? splits == 0 : (splits >> m->split & 1) != 0;
}

/* Of every annotation, and of one that has a geometry. */
static const char *const of_any[] = {
    "id", "group", "z_order", "label_id", "caption", "attributes", NULL};
static const char *const of_ann[] = {
    "id",   "group", "z_order", "label_id",   "caption", "attributes",
    "type", "bbox",  "points",  "visibility", "rle",     NULL};
static const char *const of_item[] = {"id",    "annotations", "attr",
                                      "image", "media",       NULL};
static const char *const of_label[] = {"name", "parent", NULL};

static void str(datumaro *m, const char *s)
{
    tni_out_str(m->o, s);
}

static void text(datumaro *m, const char *s)
{
    tni_out_json(m->o, s, strlen(s));
}

/* --- annotations ----------------------------------------------------------- */

static void put_list(datumaro *m, const char *key, const double *list, size_t n)
{
    str(m, key);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) str(m, ", ");
        tni_out_f64(m->o, list[i]);
    }
    str(m, "]");
}

/* Left, top, width, height: as the file had them where it had those. */
static bool box_of(const datumaro *m, uint32_t i, double b[4])
{
    tni_ann a;
    tni_ann_get(m->d, i, &a);
    if ((a.flags & TN_HAS_BOX) != 0 && (a.flags & TN_HAS_ANGLE) == 0 &&
        tni_ann_form(a.flags) == TN_BOX_XYWH &&
        tni_ann_scale(a.flags) == TN_SCALE_PIXEL) {
        memcpy(b, a.box, sizeof a.box);
        return true;
    }
    if (tn_dataset_box(m->d, i, b) == 0) return false;
    b[2] -= b[0];
    b[3] -= b[1];
    return true;
}

static void put_visible(datumaro *m, const tn_shape *s)
{
    str(m, ", \"visibility\": [");
    for (size_t i = 0; i < s->n_points; i++) {
        if (i > 0) str(m, ", ");
        tni_out_i64(m->o, s->visible[i]);
    }
    str(m, "]");
}

static void kind(datumaro *m, const char *type)
{
    str(m, m->lead);
    str(m, "{\"type\": \"");
    str(m, type);
    str(m, "\"");
}

/* Runs as text, whatever they were: Datumaro reads no others. */
static void put_runs(datumaro *m, const tn_shape *s)
{
    const char *counts = NULL;
    size_t len = 0;
    const tni_arena_mark mark = tni_arena_save(&m->w->arena);
    const tni_rle rle = {(uint32_t)s->height, (uint32_t)s->width, s->n_runs,
                         s->runs};
    const tn_status status =
        tni_rle_encode(&counts, &len, &m->w->arena, &rle, m->err);
    if (status == TN_OK) {
        str(m, ", \"rle\": {\"counts\": ");
        tni_out_json(m->o, counts, len);
        str(m, ", \"size\": [");
        tni_out_i64(m->o, s->height);
        str(m, ", ");
        tni_out_i64(m->o, s->width);
        str(m, "]}");
    } else if (m->o->status == TN_OK) {
        m->o->status = status;
    }
    tni_arena_rewind(&m->w->arena, mark);
}

/* The kind of an annotation and its numbers; false when it has no place. */
static bool put_shape(datumaro *m, uint32_t i)
{
    tn_shape *s = &m->shape;
    if (tn_dataset_shape(m->d, i, s, NULL) != TN_OK) return false;
    switch (s->kind) {
    case TN_SHAPE_POLYGON: {
        if (s->n_rings == 0) return false;
        const size_t r = tni_largest_ring(s);
        const size_t from = r > 0 ? s->ring_ends[r - 1] : 0;
        kind(m, "polygon");
        put_list(m, ", \"points\": [", s->xy + 2 * from,
                 2 * (s->ring_ends[r] - from));
        return true;
    }
    case TN_SHAPE_POLYLINE:
    case TN_SHAPE_POINTS:
        if (s->n_points == 0) return false;
        kind(m, s->kind == TN_SHAPE_POINTS ? "points" : "polyline");
        put_list(m, ", \"points\": [", s->xy, 2 * s->n_points);
        return true;
    case TN_SHAPE_ELLIPSE: {
        if (s->n_points < 2 || (s->n_points > 2 && s->xy[4] != 0.0))
            return false;
        const double b[4] = {s->xy[0] - s->xy[2], s->xy[1] - s->xy[3],
                             s->xy[0] + s->xy[2], s->xy[1] + s->xy[3]};
        kind(m, "ellipse");
        put_list(m, ", \"points\": [", b, 4);
        return true;
    }
    case TN_SHAPE_RLE:
        kind(m, "mask");
        put_runs(m, s);
        return true;
    default: return false;
    }
}

static bool put_keypoints(datumaro *m, uint32_t i)
{
    tn_shape *s = &m->shape;
    if (tn_dataset_keypoints(m->d, i, s, NULL) != TN_OK || s->n_points == 0)
        return false;
    kind(m, "points");
    put_list(m, ", \"points\": [", s->xy, 2 * s->n_points);
    if (s->visible != NULL) put_visible(m, s);
    return true;
}

/* Opens the annotation with its geometry; false when it has no place. *own
 * when the kind is among the members kept. */
static bool put_geometry(datumaro *m, uint32_t i, bool *own)
{
    const uint32_t flags = *tni_flags_at(m->d, i);
    const tni_shape *cell = (flags & TN_HAS_SHAPE) != 0
                                ? tni_sparse_find(&m->d->shape, i, 0)
                                : NULL;
    const bool open = cell != NULL && (cell->kind == TN_SHAPE_POINTS ||
                                       cell->kind == TN_SHAPE_POLYLINE);
    const tni_span *caption =
        tni_sparse_find(&m->d->text[TN_TEXT_CAPTION], i, 0);
    double b[4];
    if ((flags & TN_IS_NEGATIVE) != 0) return false;
    const uint32_t any =
        TN_HAS_BOX | TN_HAS_SHAPE | TN_HAS_KEYPOINTS | TN_IS_TAG;
    if ((flags & any) == 0 && caption == NULL &&
        tni_has_member(&m->d->text[TN_TEXT_EXTRA], i, "type")) {
        str(m, m->lead); /* the rest is among the members kept */
        str(m, "{");
        *own = true;
        return true;
    }
    if ((flags & TN_IS_TAG) != 0) {
        kind(m, "label");
        return true;
    }
    const bool boxed = (flags & TN_HAS_BOX) != 0 && box_of(m, i, b);
    if ((cell != NULL && put_shape(m, i)) ||
        (cell == NULL && (flags & TN_HAS_KEYPOINTS) != 0 &&
         put_keypoints(m, i))) {
        if (boxed && (flags & TN_HAS_ANGLE) == 0)
            put_list(m, ", \"bbox\": [", b, 4);
        return true;
    }
    if (!(open && !boxed) && box_of(m, i, b)) {
        kind(m, "bbox");
        put_list(m, ", \"bbox\": [", b, 4);
        return true;
    }
    if (caption == NULL) return false;
    kind(m, "caption");
    return true;
}

/* Attributes: what the model has a place for, then the rest. */
static void put_attributes(datumaro *m, uint32_t i)
{
    const uint32_t has = *tni_flags_at(m->d, i);
    static const struct {
        const char *name;
        uint32_t flag;
    } flags[] = {{"is_crowd", TN_IS_CROWD},
                 {"difficult", TN_IS_DIFFICULT},
                 {"truncated", TN_IS_TRUNCATED},
                 {"occluded", TN_IS_OCCLUDED}};
    static const struct {
        const char *name;
        tn_num kind;
    } nums[] = {{"score", TN_NUM_SCORE}, {"track_id", TN_NUM_TRACK}};
    const tni_span *t = tni_sparse_find(&m->d->text[TN_TEXT_ATTRIBUTES], i, 0);
    bool any = false;
    str(m, ", \"attributes\": {");
    for (size_t k = 0; k < 4; k++) {
        if ((has & flags[k].flag) == 0) continue;
        str(m, any ? ", " : "");
        text(m, flags[k].name);
        str(m, ": true");
        any = true;
    }
    for (size_t k = 0; k < 2; k++) {
        double v = 0.0;
        if (tn_dataset_num(m->d, i, nums[k].kind, &v) == 0) continue;
        str(m, any ? ", " : "");
        text(m, nums[k].name);
        str(m, ": ");
        tni_out_f64(m->o, v);
        any = true;
    }
    if (t != NULL && !tni_json_is_empty(*t) && t->len > 2) {
        str(m, any ? ", " : "");
        tni_out_bytes(m->o, t->p + 1, t->len - 2);
    }
    str(m, "}");
}

static void put_annotation(datumaro *m, uint32_t i, bool *any)
{
    const tni_span *caption =
        tni_sparse_find(&m->d->text[TN_TEXT_CAPTION], i, 0);
    const uint32_t flags = *tni_flags_at(m->d, i);
    const uint32_t cls = tni_ann_at(m->d, i)->class_index;
    double v = 0.0;
    tni_ann a;
    tni_ann_get(m->d, i, &a);
    bool own = false;
    m->lead = *any ? ",\n    " : "\n    ";
    if (!put_geometry(m, i, &own)) return;
    *any = true;
    str(m, own ? "\"group\": " : ", \"group\": ");
    tni_out_f64(m->o, tn_dataset_num(m->d, i, TN_NUM_GROUP, &v) != 0 ? v : 0.0);
    if (tni_ann_id_kind(flags) == TN_ID_INT && a.id != 0) {
        str(m, ", \"id\": ");
        tni_out_i64(m->o, a.id);
    }
    if (cls != TN_NONE) {
        str(m, ", \"label_id\": ");
        tni_out_i64(m->o, cls);
    }
    if (tn_dataset_num(m->d, i, TN_NUM_Z, &v) != 0) {
        str(m, ", \"z_order\": ");
        tni_out_f64(m->o, v);
    }
    if (caption != NULL) {
        str(m, ", \"caption\": ");
        tni_out_bytes(m->o, caption->p, caption->len);
    }
    put_attributes(m, i);
    tni_put_members(m->o, &m->d->text[TN_TEXT_EXTRA], i, own ? of_any : of_ann);
    str(m, "}");
    m->w->written[i] = 1;
}

/* --- items ----------------------------------------------------------------- */

static void put_attr(datumaro *m, uint32_t i)
{
    const tni_image_row *r = tni_image_at(m->d, i);
    const tni_span *t =
        tni_sparse_find(&m->d->image_text[TN_TEXT_ATTRIBUTES], i, 0);
    const bool rest = t != NULL && !tni_json_is_empty(*t) && t->len > 2;
    if (r->id_kind != TN_ID_INT && !rest) return;
    str(m, ", \"attr\": {");
    if (r->id_kind == TN_ID_INT) {
        str(m, "\"id\": ");
        tni_out_i64(m->o, r->id);
        if (rest) str(m, ", ");
    }
    if (rest) tni_out_bytes(m->o, t->p + 1, t->len - 2);
    str(m, "}");
}

static tn_status put_item(datumaro *m, uint32_t i)
{
    const tni_image_row *r = tni_image_at(m->d, i);
    const char *name = m->w->names[i];
    double w = 0.0, h = 0.0;
    size_t n = 0;
    bool any = false;
    const uint32_t *list = tn_dataset_of_image(m->d, i, &n);
    str(m, "{\"id\": ");
    if (r->id_kind == TN_ID_TEXT)
        text(m, (const char *)(intptr_t)r->id);
    else
        tni_out_json(m->o, name, tni_stem_len(name));
    str(m, ", \"annotations\": [");
    for (size_t k = 0; k < n; k++) put_annotation(m, list[k], &any);
    str(m, any ? "\n  ]" : "]");
    put_attr(m, i);
    str(m, ", \"image\": {\"path\": ");
    text(m, name);
    if (tni_image_extent(m->d, i, &w, &h)) {
        const double size[2] = {h, w};
        put_list(m, ", \"size\": [", size, 2);
    }
    str(m, "}");
    tni_put_members(m->o, &m->d->image_text[TN_TEXT_EXTRA], i, of_item);
    str(m, "}");
    TN_TRY(m->o->status);
    return tni_writer_progress(m->w, "write", i, m->d->images.n, m->err);
}

/* --- the file -------------------------------------------------------------- */

/* The metas whose keys begin with `prefix` and have no dot behind it; each
 * after a comma. */
static void put_metas(datumaro *m, const char *prefix)
{
    const size_t n = strlen(prefix);
    tni_once keys;
    tni_once_init(&keys);
    for (uint32_t i = 0; i < m->d->metas.n; i++) {
        const tni_meta *meta = TNI_ROW(&m->d->metas, tni_meta, i);
        const char *key = meta->key + n;
        if (strncmp(meta->key, prefix, n) != 0) continue;
        if (n == 0 ? strncmp(key, "categories.", 11) == 0 ||
                         strcmp(key, "items") == 0 ||
                         strcmp(key, "categories") == 0 ||
                         strcmp(key, "dm_format_version") == 0
                   : strncmp(key, "label.", 6) == 0)
            continue;
        if (!m->all && meta->split != TN_NONE && meta->split != m->split)
            continue;
        if (tni_once_again(&keys, key, strlen(key))) continue;
        str(m, ",\n");
        text(m, key);
        str(m, ": ");
        tni_out_bytes(m->o, meta->value.p, meta->value.len);
    }
    tni_once_end(&keys, m->o);
}

static void put_class(datumaro *m, uint32_t i)
{
    const tni_class_row *c = tni_class_at(m->d, i);
    const tni_sparse *s = &m->d->class_text[TN_TEXT_EXTRA];
    str(m, i > 0 ? ",\n  {\"name\": " : "\n  {\"name\": ");
    text(m, c->name);
    str(m, ", \"parent\": ");
    text(m, c->parent != NULL ? c->parent : "");
    tni_put_members(m->o, s, i, of_label);
    if (!tni_has_member(s, i, "attributes")) str(m, ", \"attributes\": []");
    str(m, "}");
}

/* The names of points, by class. */
static void put_points(datumaro *m)
{
    const tni_sparse *s = &m->d->class_text[TN_TEXT_EXTRA];
    bool any = false;
    for (uint32_t i = 0; i < m->d->classes.n; i++) {
        const tni_class_row *c = tni_class_at(m->d, i);
        if (c->keypoints == NULL) continue;
        str(m, any ? ",\n  {\"label_id\": "
                   : ",\n\"points\": {\"items\": [\n  {\"label_id\": ");
        any = true;
        tni_out_i64(m->o, i);
        str(m, ", \"labels\": [");
        for (uint32_t k = 0; k < c->n_keypoints; k++) {
            if (k > 0) str(m, ", ");
            text(m, c->keypoints[k]);
        }
        str(m, "]");
        for (uint32_t k = 0;; k++) {
            const tni_span *t = tni_sparse_find(s, i, k);
            if (t == NULL) break;
            if (t->len < 9 || memcmp(t->p, "\"joints\"", 8) != 0) continue;
            str(m, ", ");
            tni_out_bytes(m->o, t->p, t->len);
        }
        str(m, "}");
    }
    if (any) str(m, "]}");
}

static tn_status put_file(datumaro *m)
{
    bool any = false;
    str(m, "{\n\"dm_format_version\": \"1.0\"");
    put_metas(m, "");
    str(m, ",\n\"categories\": {\"label\": {\"labels\": [");
    for (uint32_t i = 0; i < m->d->classes.n; i++) put_class(m, i);
    str(m, "]");
    put_metas(m, "categories.label.");
    str(m, "}");
    put_points(m);
    put_metas(m, "categories.");
    str(m, "},\n\"items\": [");
    for (uint32_t i = 0; i < m->d->images.n; i++) {
        if (!wanted(m, i)) continue;
        str(m, any ? ",\n" : "\n");
        any = true;
        TN_TRY(put_item(m, i));
    }
    str(m, "]\n}\n");
    return m->o->status;
}

static tn_status write_file(datumaro *m, const char *name)
{
    TN_TRY(tni_target_open(m->t, m->w, name, m->err));
    const tn_status status = put_file(m);
    if (status != TN_OK && m->o->status == TN_OK) m->o->status = status;
    return tni_target_close(m->t, m->err);
}

static tn_status write_split(datumaro *m, uint32_t split)
{
    char name[512], to[4096];
    const char *subset = split == TN_NONE ? "default" : m->d->splits[split];
    bool any = false;
    m->split = split;
    for (uint32_t i = 0; i < m->d->images.n; i++) {
        if (!wanted(m, i)) continue;
        any = true;
        const int n =
            snprintf(to, sizeof to, "images/%s/%s", subset, m->w->names[i]);
        if (n < 0 || (size_t)n >= sizeof to)
            return tni_fail(m->err, TN_EINVAL, "an image's name is too long");
        TN_TRY(tni_write_image(m->w, i, to, m->err));
    }
    if (!any && split == TN_NONE && m->d->n_splits > 0) return TN_OK;
    const int n = snprintf(name, sizeof name, "annotations/%s.json", subset);
    if (n < 0 || (size_t)n >= sizeof name)
        return tni_fail(m->err, TN_EINVAL, "the name of a split is too long");
    return write_file(m, name);
}

tn_status tni_datumaro_write(tni_writer *w, tn_err *err)
{
    datumaro m;
    memset(&m, 0, sizeof m);
    m.w = w;
    m.d = w->d;
    m.err = err;
    m.shape.struct_size = sizeof m.shape;
    m.t = TNI_NEW(&w->arena, tni_target);
    if (m.t == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    m.o = &m.t->out;
    tn_status status = TN_OK;
    if (w->file != NULL) {
        m.all = true;
        status = write_file(&m, w->file);
    } else {
        for (uint32_t s = 0; status == TN_OK && s < w->d->n_splits; s++)
            status = write_split(&m, s);
        if (status == TN_OK) status = write_split(&m, TN_NONE);
    }
    tn_shape_fini(&m.shape);
    return status;
}
