/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coco_read.c - one COCO file into the dataset
 *
 * One pass when images come before annotations, as they do in the official
 * files; annotations that come first are passed over and read at the end.
 * Classes usually come last: annotations first get the number their category
 * id has in this file, which is translated when all is known.
 */
#include "data/formats/coco.h"

#include "data/records.h"

#include <stdio.h>

typedef struct coco {
    tni_reader *r;
    tn_dataset *d;
    const tni_coco_file *file;
    tn_err *err;
    tni_json j;
    uint32_t source;
    uint64_t splits;
    tni_idmap images, cats; /* ids of this file; cats: local numbers */
    tni_col local;          /* local_class, by local number */
    bool results, segments; /* segments: ids count anew in every image */
    uint32_t n_since;
} coco;

/* A category id and the class it turns out to be. */
typedef struct local_class {
    int64_t id;
    uint32_t cls;
    uint8_t id_kind;
} local_class;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static uint64_t here(const coco *c, const char *p)
{
    return tni_where(c->source, c->file->base + (uint64_t)(p - c->j.start));
}

/* The status of a loop over JSON: the reader's, or what a row gave. */
#define JSON_TRY(c) TN_TRY((c)->j.status)

/* An integer, or any other scalar by its text. */
static tn_status read_id(coco *c, uint8_t *kind, int64_t *id)
{
    tni_span raw = {NULL, 0};
    bool escaped = false;
    const char *text = NULL;
    const char peek = tni_json_peek(&c->j);
    if (peek == '"') {
        if (!tni_json_string(&c->j, &raw, &escaped)) return c->j.status;
        text = tni_keep_json(c->d, raw, escaped);
    } else if (peek == '0') {
        tni_json saved = c->j;
        if (!tni_json_skip(&c->j, &raw)) return c->j.status;
        size_t digits = raw.p[0] == '-' ? 1 : 0;
        while (digits < raw.len && raw.p[digits] >= '0' && raw.p[digits] <= '9')
            digits++;
        if (digits == raw.len && raw.len < 19) {
            (void)!tni_json_i64(&saved, id);
            *kind = TN_ID_INT;
            return TN_OK;
        }
        /* Beyond 18 digits or not whole: exact as far as 64 bits go. */
        tn_err ignored;
        saved.err = &ignored;
        memset(&ignored, 0, sizeof ignored);
        if (tni_json_i64(&saved, id)) {
            *kind = TN_ID_INT;
            return TN_OK;
        }
        text = tni_keep(c->d, raw.p, raw.len);
    } else {
        (void)tni_json_fail(&c->j, c->j.p,
                            "an id is neither a number nor a text");
        return c->j.status;
    }
    if (text == NULL) return no_memory(c->err);
    *kind = TN_ID_TEXT;
    *id = (int64_t)(intptr_t)text;
    return TN_OK;
}

static tn_status read_text(coco *c, const char **out, size_t *len)
{
    tni_span raw = {NULL, 0};
    bool escaped = false;
    if (!tni_json_string(&c->j, &raw, &escaped)) return c->j.status;
    *out = tni_keep_json(c->d, raw, escaped);
    if (len != NULL) *len = raw.len;
    return *out != NULL ? TN_OK : no_memory(c->err);
}

/* "key": value, from the quote before the key to the end of the value. */
static tni_span member(tni_span key, tni_span value)
{
    const tni_span m = {key.p - 1, (size_t)(value.p + value.len - key.p) + 1};
    return m;
}

/* --- classes ------------------------------------------------------------- */

static tn_status local_of(coco *c, uint8_t kind, int64_t id, uint32_t *local)
{
    *local = tni_idmap_find(&c->cats, kind, id);
    if (*local != TN_NONE) return TN_OK;
    local_class *row = tni_col_add(&c->local);
    if (row == NULL || !tni_idmap_add(&c->cats, kind, id, c->local.n - 1))
        return no_memory(c->err);
    row->id = id;
    row->id_kind = kind;
    row->cls = TN_NONE;
    *local = c->local.n - 1;
    return TN_OK;
}

static tn_status read_keypoint_names(coco *c, tni_class_row *row)
{
    const char *names[1024];
    uint32_t n = 0;
    if (!tni_json_enter(&c->j, '[')) return c->j.status;
    while (tni_json_item(&c->j)) {
        if (n == 1024) {
            (void)tni_json_fail(&c->j, c->j.p, "more than 1024 keypoints");
            break;
        }
        TN_TRY(read_text(c, &names[n], NULL));
        n++;
    }
    JSON_TRY(c);
    const char **copy = TNI_NEW_ARRAY(&c->d->arena, const char *, n + 1);
    if (copy == NULL) return no_memory(c->err);
    if (n > 0) memcpy(copy, names, n * sizeof *copy);
    row->keypoints = copy;
    row->n_keypoints = n;
    return TN_OK;
}

static tn_status keep_class_extras(coco *c, tni_json j, uint32_t cls)
{
    tni_span key, raw;
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            const bool known =
                tni_span_is(key, "id") || tni_span_is(key, "name") ||
                (tni_span_is(key, "supercategory") && raw.p[0] == '"') ||
                (tni_span_is(key, "keypoints") && raw.p[0] == '[');
            if (!known)
                TN_TRY(tni_set_class_text(c->d, cls, TN_TEXT_EXTRA,
                                          member(key, raw), c->err));
        }
    return j.status;
}

static tn_status read_class(coco *c)
{
    tni_class_row row;
    tni_span key;
    memset(&row, 0, sizeof row);
    (void)tni_json_peek(&c->j);
    const tni_json begin = c->j;
    bool extras = false;
    row.where = here(c, c->j.p);
    if (tni_json_enter(&c->j, '{'))
        while (tni_json_key(&c->j, &key)) {
            const char kind = tni_json_peek(&c->j);
            if (tni_span_is(key, "id")) {
                TN_TRY(read_id(c, &row.id_kind, &row.id));
            } else if (tni_span_is(key, "name")) {
                TN_TRY(read_text(c, &row.name, NULL));
            } else if (tni_span_is(key, "supercategory") && kind == '"') {
                TN_TRY(read_text(c, &row.parent, NULL));
            } else if (tni_span_is(key, "keypoints") && kind == '[') {
                TN_TRY(read_keypoint_names(c, &row));
            } else {
                extras = true;
                (void)!tni_json_skip(&c->j, NULL);
            }
        }
    JSON_TRY(c);
    if (row.name == NULL || row.id_kind == TN_ID_NONE) {
        (void)tni_json_fail(&c->j, begin.p, "a category has no '%s'",
                            row.name == NULL ? "name" : "id");
        return c->j.status;
    }
    uint32_t local = TN_NONE, cls = TN_NONE;
    TN_TRY(tni_same_class(c->r, &row, &cls, c->err));
    TN_TRY(local_of(c, row.id_kind, row.id, &local));
    local_class *l = TNI_ROW(&c->local, local_class, local);
    if (l->cls != TN_NONE)
        return tni_note_add(c->d, row.where, "duplicate-class-id", c->err,
                            "category '%s' has the id of '%s' before it: that "
                            "one is used",
                            row.name, tni_class_at(c->d, l->cls)->name);
    if (cls == TN_NONE) {
        TN_TRY(tni_add_class(c->d, &row, &cls, c->err));
        if (extras) TN_TRY(keep_class_extras(c, begin, cls));
    }
    l->cls = cls;
    return TN_OK;
}

/* --- images -------------------------------------------------------------- */

static tn_status read_size(coco *c, int32_t *out)
{
    int64_t v = 0;
    tni_json_peek(&c->j);
    const char *at = c->j.p;
    if (!tni_json_i64(&c->j, &v)) return c->j.status;
    if (v < 0 || v > INT32_MAX)
        (void)tni_json_fail(&c->j, at, "an image's size is %lld", (long long)v);
    *out = (int32_t)v;
    return c->j.status;
}

static tn_status keep_image_extras(coco *c, tni_json j, uint32_t image)
{
    tni_span key, raw;
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            const bool number =
                raw.p[0] == '-' || (raw.p[0] >= '0' && raw.p[0] <= '9');
            if (tni_span_is(key, "id") || tni_span_is(key, "file_name") ||
                ((tni_span_is(key, "width") || tni_span_is(key, "height")) &&
                 number))
                continue;
            if (c->file->known != NULL && image < c->file->known->n_images)
                TN_TRY(tni_coco_repeat_member(c->d, image, member(key, raw),
                                              here(c, key.p), c->err));
            else
                TN_TRY(tni_set_image_text(c->d, image, TN_TEXT_EXTRA,
                                          member(key, raw), c->err));
        }
    return j.status;
}

/* What a text inside an archive says of its one image. */
static tn_status join_image(coco *c, const tni_image_row *row, uint32_t *image)
{
    *image = c->file->image;
    if (*image == TN_NONE) {
        (void)tni_json_fail(&c->j, c->j.p,
                            "an image where there should be "
                            "none");
        return c->j.status;
    }
    tni_image_row *to = tni_image_at(c->d, *image);
    if (tni_idmap_find(&c->images, row->id_kind, row->id) != TN_NONE ||
        to->id_kind != TN_ID_NONE) {
        (void)tni_json_fail(&c->j, c->j.p,
                            "several images in the text of one sample");
        return c->j.status;
    }
    to->name = row->name;
    to->id_kind = row->id_kind;
    to->id = row->id;
    to->width = row->width;
    to->height = row->height;
    return tni_idmap_add(&c->images, row->id_kind, row->id, *image)
               ? TN_OK
               : no_memory(c->err);
}

static tn_status add_image(coco *c, const tni_image_row *row, uint32_t *image)
{
    if (c->file->inside) return join_image(c, row, image);
    *image = tni_coco_known_image(c->file->known, c->file->split, row->name);
    const bool known = *image != TN_NONE;
    if (known)
        TN_TRY(tni_coco_repeat_image(c->d, *image, row, c->err));
    else
        TN_TRY(tni_add_image(c->d, row, image, c->err));
    if (tni_idmap_find(&c->images, row->id_kind, row->id) != TN_NONE)
        TN_TRY(tni_note_add(c->d, row->where, "duplicate-image-id", c->err,
                            "image '%.100s' has the id of one before it, which "
                            "gets its annotations",
                            row->name));
    if (!tni_idmap_add(&c->images, row->id_kind, row->id, *image))
        return no_memory(c->err);
    return c->file->folders != NULL && !known
               ? tni_find_image(c->r, *image, c->file->folders, c->err)
               : TN_OK;
}

static tn_status read_image(coco *c)
{
    tni_image_row row;
    tni_span key;
    memset(&row, 0, sizeof row);
    (void)tni_json_peek(&c->j);
    const tni_json begin = c->j;
    bool extras = false;
    row.where = here(c, c->j.p);
    row.splits = c->splits;
    if (tni_json_enter(&c->j, '{'))
        while (tni_json_key(&c->j, &key)) {
            const char kind = tni_json_peek(&c->j);
            if (tni_span_is(key, "id")) {
                TN_TRY(read_id(c, &row.id_kind, &row.id));
            } else if (tni_span_is(key, "file_name")) {
                TN_TRY(read_text(c, &row.name, NULL));
            } else if (tni_span_is(key, "width") && kind == '0') {
                TN_TRY(read_size(c, &row.width));
            } else if (tni_span_is(key, "height") && kind == '0') {
                TN_TRY(read_size(c, &row.height));
            } else {
                extras = true;
                (void)!tni_json_skip(&c->j, NULL);
            }
        }
    JSON_TRY(c);
    if (row.name == NULL || row.id_kind == TN_ID_NONE) {
        (void)tni_json_fail(&c->j, begin.p, "an image has no '%s'",
                            row.name == NULL ? "file_name" : "id");
        return c->j.status;
    }
    uint32_t image = TN_NONE;
    TN_TRY(add_image(c, &row, &image));
    return extras ? keep_image_extras(c, begin, image) : TN_OK;
}

/* --- annotations --------------------------------------------------------- */

typedef struct record {
    tni_ann a;
    tni_span segmentation, keypoints, caption, attributes, segments, file_name;
    double area, score;
    int64_t n_keypoints, track;
    bool area_known, score_known, n_known, track_known, extras;
    tni_span image_member, class_member; /* as found, for orphans */
} record;

static tn_status read_box(coco *c, record *rec)
{
    size_t n = 0;
    (void)tni_json_peek(&c->j);
    const char *at = c->j.p;
    if (!tni_json_enter(&c->j, '[')) return c->j.status;
    while (tni_json_item(&c->j)) {
        double v = 0.0;
        if (!tni_json_f64(&c->j, &v)) return c->j.status;
        if (n < 4) rec->a.box[n] = v;
        n++;
    }
    JSON_TRY(c);
    if (n == 4) rec->a.flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_XYWH);
    if (n != 4 && n != 0)
        (void)tni_json_fail(&c->j, at,
                            "a bbox has %zu numbers, expected 4: left, top, "
                            "width, height",
                            n);
    return c->j.status;
}

static tn_status read_crowd(coco *c, record *rec)
{
    bool yes = false;
    if (tni_json_peek(&c->j) == '0') {
        double v = 0.0;
        (void)!tni_json_f64(&c->j, &v);
        yes = v != 0.0;
    } else {
        (void)!tni_json_bool(&c->j, &yes);
    }
    rec->a.flags |= TN_SAYS_CROWD | (yes ? (uint32_t)TN_IS_CROWD : 0u);
    return c->j.status;
}

static tn_status find_image(coco *c, record *rec, tni_span key)
{
    uint8_t kind = 0;
    int64_t id = 0;
    (void)tni_json_peek(&c->j);
    const char *begin = c->j.p;
    TN_TRY(read_id(c, &kind, &id));
    rec->image_member.p = key.p - 1;
    rec->image_member.len = (size_t)(c->j.p - key.p) + 1;
    rec->a.image = tni_idmap_find(&c->images, kind, id);
    if (c->file->inside) rec->a.image = c->file->image;
    if (rec->a.image != TN_NONE) return TN_OK;
    if (!c->results)
        return tni_note_add(c->d, here(c, begin), "orphan-image", c->err,
                            "an annotation names image %.*s, which is not in "
                            "the file",
                            (int)(c->j.p - begin > 40 ? 40 : c->j.p - begin),
                            begin);
    /* Results name images by id alone. */
    tni_image_row row;
    memset(&row, 0, sizeof row);
    row.name = kind == TN_ID_TEXT
                   ? (const char *)(intptr_t)id
                   : tni_keep(c->d, begin, (size_t)(c->j.p - begin));
    row.id_kind = kind;
    row.id = id;
    row.where = here(c, begin);
    row.splits = c->splits;
    return add_image(c, &row, &rec->a.image);
}

static tn_status find_class(coco *c, record *rec, tni_span key)
{
    uint8_t kind = 0;
    int64_t id = 0;
    TN_TRY(read_id(c, &kind, &id));
    rec->class_member.p = key.p - 1;
    rec->class_member.len = (size_t)(c->j.p - key.p) + 1;
    return local_of(c, kind, id, &rec->a.class_index);
}

/* One member; *taken false when it is none of ours. */
static tn_status read_member(coco *c, record *rec, tni_span key, bool *taken)
{
    const char kind = tni_json_peek(&c->j);
    uint8_t id_kind = 0;
    *taken = true;
    switch (key.len) {
    case 2:
        if (!tni_span_is(key, "id") || kind == 'n') break;
        TN_TRY(read_id(c, &id_kind, &rec->a.id));
        rec->a.flags |= TNI_ID(id_kind);
        return TN_OK;
    case 4:
        if (tni_span_is(key, "bbox") && kind == '[') return read_box(c, rec);
        if (!tni_span_is(key, "area") || kind != '0') break;
        rec->area_known = tni_json_f64(&c->j, &rec->area);
        return c->j.status;
    case 5:
        if (!tni_span_is(key, "score") || kind != '0') break;
        rec->score_known = tni_json_f64(&c->j, &rec->score);
        return c->j.status;
    case 7:
        if (tni_span_is(key, "iscrowd") &&
            (kind == '0' || kind == 't' || kind == 'f'))
            return read_crowd(c, rec);
        if (!tni_span_is(key, "caption") || kind != '"') break;
        (void)!tni_json_skip(&c->j, &rec->caption);
        return c->j.status;
    case 8:
        if (!tni_span_is(key, "image_id") || kind == 'n') {
            if (!tni_span_is(key, "track_id") || kind != '0') break;
            rec->track_known = tni_json_i64(&c->j, &rec->track);
            return c->j.status;
        }
        return find_image(c, rec, key);
    case 9:
        if (tni_span_is(key, "keypoints") && kind == '[') {
            (void)!tni_json_skip(&c->j, &rec->keypoints);
            return c->j.status;
        }
        if (!tni_span_is(key, "file_name") || kind != '"') break;
        (void)!tni_json_skip(&c->j, &rec->file_name);
        return c->j.status;
    case 10:
        if (!tni_span_is(key, "attributes") || kind != '{') break;
        (void)!tni_json_skip(&c->j, &rec->attributes);
        return c->j.status;
    case 11:
        if (!tni_span_is(key, "category_id") || kind == 'n') break;
        return find_class(c, rec, key);
    case 12:
        if (!tni_span_is(key, "segmentation") || (kind != '[' && kind != '{'))
            break;
        (void)!tni_json_skip(&c->j, &rec->segmentation);
        return c->j.status;
    case 13:
        if (tni_span_is(key, "segments_info") && kind == '[') {
            (void)!tni_json_skip(&c->j, &rec->segments);
            return c->j.status;
        }
        if (!tni_span_is(key, "num_keypoints") || kind != '0') break;
        rec->n_known = tni_json_i64(&c->j, &rec->n_keypoints);
        return c->j.status;
    default: break;
    }
    *taken = false;
    (void)!tni_json_skip(&c->j, NULL);
    return c->j.status;
}

/* The members that read_member did not take, kept as they are. */
static tn_status keep_extras(coco *c, tni_json j, uint32_t ann)
{
    tni_span key, raw;
    coco probe = *c;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        record scratch;
        bool taken = false;
        const char kind = tni_json_peek(&j);
        const bool named = tni_span_is(key, "image_id") ||
                           tni_span_is(key, "category_id") ||
                           tni_span_is(key, "id");
        if (named && kind != 'n') {
            if (!tni_json_skip(&j, NULL)) break;
            continue;
        }
        memset(&scratch, 0, sizeof scratch);
        probe.j = j;
        TN_TRY(read_member(&probe, &scratch, key, &taken));
        if (!tni_json_skip(&j, &raw)) break;
        if (!taken)
            TN_TRY(tni_set_text(c->d, ann, TN_TEXT_EXTRA, member(key, raw),
                                c->err));
    }
    return j.status;
}

/* A polygon list with at least one number, a mask, or an empty list. */
static tn_status set_segmentation(coco *c, uint32_t ann, tni_span text)
{
    tni_shape s;
    memset(&s, 0, sizeof s);
    if (text.len > UINT32_MAX) {
        (void)tni_json_fail(&c->j, text.p, "a segmentation of over 4 GiB");
        return c->j.status;
    }
    s.text = text.p;
    s.len = (uint32_t)text.len;
    s.kind = TN_SHAPE_POLYGON;
    s.layout = TNI_LAYOUT_FLAT;
    if (text.p[0] == '{') {
        s.kind = TN_SHAPE_RLE;
        s.layout = TNI_LAYOUT_RLE;
    } else {
        size_t i = 0;
        while (i < text.len &&
               (text.p[i] == '[' || text.p[i] == ']' || text.p[i] == ' ' ||
                text.p[i] == ',' || text.p[i] == '\n' || text.p[i] == '\r' ||
                text.p[i] == '\t'))
            i++;
        if (i == text.len) {
            *tni_flags_at(c->d, ann) |= TN_EMPTY_SHAPE;
            return TN_OK;
        }
    }
    return tni_set_shape(c->d, ann, &s, c->err);
}

static tn_status set_keypoints(coco *c, uint32_t ann, const record *rec)
{
    tni_shape s;
    memset(&s, 0, sizeof s);
    s.text = rec->keypoints.p;
    s.len = (uint32_t)rec->keypoints.len;
    s.kind = TN_SHAPE_POINTS;
    s.dims = 3;
    TN_TRY(tni_set_keypoints(c->d, ann, &s, c->err));
    if (!rec->n_known) return TN_OK;
    tn_shape points = TN_SHAPE_INIT;
    tn_err why;
    memset(&why, 0, sizeof why);
    int64_t n = 0;
    const tn_status status = tni_shape_read(&points, &s, 1.0, 1.0, &why);
    for (size_t i = 0; status == TN_OK && i < points.n_points; i++)
        if (points.visible[i] > 0) n++;
    tn_shape_fini(&points);
    if (status != TN_OK) {
        (void)tni_json_fail(&c->j, rec->keypoints.p, "%.150s", why.message);
        return c->j.status;
    }
    if (n == rec->n_keypoints) return TN_OK;
    return tni_note_add(c->d, here(c, rec->keypoints.p), "keypoint-count",
                        c->err,
                        "num_keypoints is %lld, but %lld have a visibility "
                        "above 0",
                        (long long)rec->n_keypoints, (long long)n);
}

/* Adds the annotation and everything it has. */
static tn_status add_record(coco *c, record *rec, const tni_json *begin)
{
    tn_dataset *d = c->d;
    uint32_t ann = TN_NONE;
    const uint32_t local = rec->a.class_index;
    if (local == TN_NONE && rec->caption.p == NULL)
        TN_TRY(tni_note_add(d, rec->a.where, "no-class", c->err,
                            "an annotation has no category_id"));
    if ((rec->a.flags & TN_HAS_BOX) == 0 && rec->segmentation.p == NULL &&
        rec->keypoints.p == NULL && rec->caption.p == NULL && local != TN_NONE)
        rec->a.flags |= TN_IS_TAG;
    rec->a.class_index = TN_NONE;
    TN_TRY(tni_add_annotation(d, &rec->a, &ann, c->err));
    tni_ann_at(d, ann)->class_index = local;
    if (rec->segmentation.p != NULL)
        TN_TRY(set_segmentation(c, ann, rec->segmentation));
    if (rec->keypoints.p != NULL) TN_TRY(set_keypoints(c, ann, rec));
    const bool plain = (rec->a.flags & TN_HAS_BOX) != 0 &&
                       rec->area == rec->a.box[2] * rec->a.box[3];
    if (rec->area_known && !plain)
        TN_TRY(tni_set_num(d, ann, TN_NUM_AREA, rec->area, c->err));
    if (rec->score_known)
        TN_TRY(tni_set_num(d, ann, TN_NUM_SCORE, rec->score, c->err));
    if (rec->track_known)
        TN_TRY(tni_set_num(d, ann, TN_NUM_TRACK, (double)rec->track, c->err));
    if (rec->caption.p != NULL)
        TN_TRY(tni_set_text(d, ann, TN_TEXT_CAPTION, rec->caption, c->err));
    if (rec->attributes.p != NULL)
        TN_TRY(
            tni_set_text(d, ann, TN_TEXT_ATTRIBUTES, rec->attributes, c->err));
    if (rec->a.image == TN_NONE && rec->image_member.p != NULL)
        TN_TRY(tni_set_text(d, ann, TN_TEXT_EXTRA, rec->image_member, c->err));
    return rec->extras ? keep_extras(c, *begin, ann) : TN_OK;
}

static tn_status read_annotation(coco *c);

/* Panoptic: every segment is an annotation; its mask is one value of a PNG. */
static tn_status read_segments(coco *c, const record *whole)
{
    const tni_json saved = c->j;
    tn_status status = TN_OK;
    const uint32_t first = c->d->anns.n;
    c->segments = true;
    c->j.p = whole->segments.p;
    c->j.fresh = false;
    if (tni_json_enter(&c->j, '['))
        while (status == TN_OK && tni_json_item(&c->j))
            status = read_annotation(c);
    if (status == TN_OK) status = c->j.status;
    if (status != TN_OK) return status;
    c->j = saved;
    const char *name = NULL;
    if (whole->file_name.p != NULL) {
        tni_span inner = {whole->file_name.p + 1, whole->file_name.len - 2};
        name = tni_keep_json(c->d, inner,
                             memchr(inner.p, '\\', inner.len) != NULL);
        if (name == NULL) return no_memory(c->err);
    }
    const uint32_t end = c->d->anns.n;
    for (uint32_t i = first; i < end; i++) {
        tni_ann_at(c->d, i)->image = whole->a.image;
        *tni_flags_at(c->d, i) &= ~(uint32_t)TN_IS_TAG;
    }
    bool done = name == NULL || first == end;
    if (!done && c->file->masks != NULL)
        TN_TRY(tni_panoptic_read(c->r, c->file->masks, name, whole->a.image,
                                 first, &done, c->err));
    for (uint32_t i = first; i < end && !done; i++) {
        tni_shape s;
        memset(&s, 0, sizeof s);
        s.text = name;
        s.len = (uint32_t)strlen(name);
        s.kind = TN_SHAPE_MASK_FILE;
        s.layout = TNI_LAYOUT_NAME;
        TN_TRY(tni_set_shape(c->d, i, &s, c->err));
    }
    if (first == c->d->anns.n && whole->a.image != TN_NONE)
        tni_image_at(c->d, whole->a.image)->state = TN_STATE_EMPTY;
    return TN_OK;
}

static tn_status read_annotation(coco *c)
{
    record rec;
    tni_span key;
    memset(&rec, 0, sizeof rec);
    rec.a.image = rec.a.class_index = TN_NONE;
    (void)tni_json_peek(&c->j);
    const tni_json begin = c->j;
    rec.a.where = here(c, c->j.p);
    if (tni_json_enter(&c->j, '{'))
        while (tni_json_key(&c->j, &key)) {
            bool taken = true;
            TN_TRY(read_member(c, &rec, key, &taken));
            rec.extras = rec.extras || !taken;
        }
    JSON_TRY(c);
    if (c->file->inside) rec.a.image = c->file->image;
    if ((++c->n_since & 1023) == 0 && !c->file->inside)
        TN_TRY(tni_reader_progress(c->r, (uint64_t)(c->j.p - c->j.start),
                                   (uint64_t)(c->j.end - c->j.start), c->err));
    if (rec.segments.p != NULL && rec.extras)
        TN_TRY(tni_note_add(c->d, rec.a.where, "panoptic-field", c->err,
                            "a list of segments has fields besides image, file "
                            "and segments: they are left out"));
    if (rec.segments.p != NULL) return read_segments(c, &rec);
    return add_record(c, &rec, &begin);
}

/* --- the file ------------------------------------------------------------ */

static tn_status read_list(coco *c, tn_status (*row)(coco *c))
{
    if (!tni_json_enter(&c->j, '[')) return c->j.status;
    while (tni_json_item(&c->j)) TN_TRY(row(c));
    return c->j.status;
}

static tn_status read_results(coco *c)
{
    c->results = true;
    return read_list(c, read_annotation);
}

/* Whether the next value is a list of objects, or an empty one: what others
 * put under the same name is theirs. */
static bool is_list_of_objects(const coco *c)
{
    tni_json j = c->j;
    tn_err ignored;
    j.err = &ignored;
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return false;
    return !tni_json_item(&j) || tni_json_peek(&j) == '{';
}

/* A member nobody defines: of the dataset, or of the one image. */
static tn_status keep_member(coco *c, tni_span key)
{
    tni_span raw;
    const uint64_t where = here(c, c->j.p);
    if (!tni_json_skip(&c->j, &raw)) return c->j.status;
    if (c->file->inside && c->file->image != TN_NONE)
        return tni_set_image_text(c->d, c->file->image, TN_TEXT_EXTRA,
                                  member(key, raw), c->err);
    const tni_meta meta = {tni_keep_json(c->d, key, true), raw, c->file->split,
                           where};
    if (meta.key == NULL) return no_memory(c->err);
    return c->file->known != NULL ? tni_coco_repeat_meta(c->d, &meta, c->err)
                                  : tni_add_meta(c->d, &meta, c->err);
}

/* Annotations of a sample: an empty list says that there are none. */
static tn_status read_annotations(coco *c)
{
    const uint32_t n = c->d->anns.n;
    TN_TRY(read_list(c, read_annotation));
    if (c->file->inside && c->file->image != TN_NONE && c->d->anns.n == n)
        tni_image_at(c->d, c->file->image)->state = TN_STATE_EMPTY;
    return TN_OK;
}

static tn_status read_top(coco *c)
{
    tni_span key;
    tni_json later;
    bool images = c->file->inside, deferred = false;
    memset(&later, 0, sizeof later);
    if (tni_json_peek(&c->j) == '[') return read_results(c);
    if (!tni_json_enter(&c->j, '{')) return c->j.status;
    while (tni_json_key(&c->j, &key)) {
        const char kind = tni_json_peek(&c->j);
        const bool list =
            kind == '[' && (!c->file->inside || is_list_of_objects(c));
        if (tni_span_is(key, "images") && list) {
            images = true;
            TN_TRY(read_list(c, read_image));
        } else if (tni_span_is(key, "categories") && list) {
            TN_TRY(read_list(c, read_class));
        } else if (tni_span_is(key, "annotations") && list && images) {
            TN_TRY(read_annotations(c));
        } else if (tni_span_is(key, "annotations") && list) {
            later = c->j;
            deferred = true;
            (void)!tni_json_skip(&c->j, NULL);
        } else {
            TN_TRY(keep_member(c, key));
        }
    }
    JSON_TRY(c);
    if (!tni_json_end(&c->j)) return c->j.status;
    if (!images) {
        (void)tni_json_fail(&c->j, c->j.start,
                            "there is no list 'images': this is not COCO");
        return c->j.status;
    }
    if (!deferred) return TN_OK;
    const tni_json end = c->j;
    c->j = later;
    TN_TRY(read_list(c, read_annotation));
    c->j = end;
    return TN_OK;
}

/* From the numbers of this file to classes of the dataset. */
static tn_status settle_classes(coco *c, uint32_t first)
{
    for (uint32_t i = 0; i < c->local.n; i++) {
        local_class *l = TNI_ROW(&c->local, local_class, i);
        if (l->cls != TN_NONE) continue;
        /* An id that no category has: it is its own name. */
        char text[32];
        tni_class_row row;
        memset(&row, 0, sizeof row);
        row.id_kind = l->id_kind;
        row.id = l->id;
        row.where = tni_where(c->source, 0);
        if (l->id_kind == TN_ID_TEXT) {
            row.name = (const char *)(intptr_t)l->id;
        } else {
            (void)snprintf(text, sizeof text, "%lld", (long long)l->id);
            row.name = tni_keep(c->d, text, strlen(text));
        }
        if (row.name == NULL) return no_memory(c->err);
        if (!c->results)
            TN_TRY(tni_note_add(c->d, row.where, "orphan-class", c->err,
                                "annotations have category %.60s, which is not "
                                "in the file",
                                row.name));
        TN_TRY(tni_same_class(c->r, &row, &l->cls, c->err));
        if (l->cls == TN_NONE)
            TN_TRY(tni_add_class(c->d, &row, &l->cls, c->err));
    }
    for (uint32_t i = first; i < c->d->anns.n; i++) {
        uint32_t *cls = &tni_ann_at(c->d, i)->class_index;
        if (*cls != TN_NONE) *cls = TNI_ROW(&c->local, local_class, *cls)->cls;
    }
    return TN_OK;
}

tn_status tni_coco_read(tni_reader *r, const tni_coco_file *file, tn_err *err)
{
    coco c;
    tni_span text = {NULL, 0};
    memset(&c, 0, sizeof c);
    c.r = r;
    c.d = r->d;
    c.file = file;
    c.err = err;
    if (file->split != TN_NONE) c.splits = UINT64_C(1) << file->split;
    if (file->inside) {
        text = file->text;
        c.source = file->source;
    } else {
        TN_TRY(tni_source_open(r->d, file->path, &c.source, &text, err));
    }
    tni_json_init(&c.j, text.p, text.len, r->d->limits.max_nesting, err);
    tni_idmap_init(&c.images, &r->scratch);
    tni_idmap_init(&c.cats, &r->scratch);
    tni_col_init(&c.local, &r->d->mem, sizeof(local_class));
    const uint32_t first = r->d->anns.n;
    tn_status status = read_top(&c);
    if (status == TN_OK) status = settle_classes(&c, first);
    if (status == TN_OK && !c.segments)
        status = tni_coco_check_ids(r->d, first, err);
    tni_col_fini(&c.local);
    if (status == TN_OK) return TN_OK;
    if (err != NULL) err->offset += file->base;
    tni_err_where(err, "%s", file->path);
    return status;
}
