/* SPDX-License-Identifier: Apache-2.0 */
/* datumaro_read.c - one Datumaro file into the dataset */
#include "data/formats/datumaro.h"

#include <stdio.h>

typedef struct datumaro {
    tni_jsonfile f;
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_draft *draft;
    const char *const *folders;
    uint32_t split;
    tni_col labels; /* uint32_t: the class of each label_id */
} datumaro;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- categories ----------------------------------------------------------- */

static tn_status add_label(datumaro *m, const tni_class_row *row, uint32_t *cls)
{
    TN_TRY(tni_same_class(m->r, row, cls, m->err));
    if (*cls == TN_NONE) TN_TRY(tni_add_class(m->d, row, cls, m->err));
    uint32_t *to = tni_col_add(&m->labels);
    if (to == NULL) return no_memory(m->err);
    *to = *cls;
    return TN_OK;
}

static tn_status read_label(datumaro *m, tni_json *j)
{
    tni_class_row row;
    tni_span key, raw;
    uint32_t cls = TN_NONE;
    memset(&row, 0, sizeof row);
    (void)tni_json_peek(j);
    tni_json again = *j;
    row.where = tni_jsonfile_where(&m->f, j->p);
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            const char kind = tni_json_peek(j);
            if (tni_span_is(key, "name") && kind == '"')
                TN_TRY(tni_jsonfile_text(&m->f, j, &row.name));
            else if (tni_span_is(key, "parent") && kind == '"')
                TN_TRY(tni_jsonfile_text(&m->f, j, &row.parent));
            else
                (void)!tni_json_skip(j, NULL);
        }
    TN_TRY(j->status);
    if (row.name == NULL) {
        (void)tni_json_fail(j, again.p, "a label has no 'name'");
        return j->status;
    }
    if (row.parent != NULL && row.parent[0] == '\0') row.parent = NULL;
    const uint32_t before = m->d->classes.n;
    TN_TRY(add_label(m, &row, &cls));
    if (cls < before) return TN_OK;
    if (tni_json_enter(&again, '{'))
        while (tni_json_key(&again, &key) && tni_json_skip(&again, &raw))
            if (!tni_span_is(key, "name") && !tni_span_is(key, "parent") &&
                !tni_span_is(key, "joints") && !tni_json_is_empty(raw))
                TN_TRY(tni_set_class_text(m->d, cls, TN_TEXT_EXTRA,
                                          tni_json_whole(key, raw), m->err));
    return again.status;
}

static tn_status keep_meta(datumaro *m, const char *prefix, tni_span key,
                           tni_span raw)
{
    const char *plain = tni_json_unescape(&m->r->scratch, key, NULL);
    if (tni_json_is_empty(raw)) return TN_OK;
    if (plain == NULL) return no_memory(m->err);
    const size_t n = strlen(prefix) + strlen(plain);
    char *name = tni_arena_alloc(&m->d->arena, n + 1, 1);
    if (name == NULL) return no_memory(m->err);
    (void)snprintf(name, n + 1, "%s%s", prefix, plain);
    const tni_meta meta = {name, raw, m->split,
                           tni_jsonfile_where(&m->f, key.p)};
    return tni_add_meta(m->d, &meta, m->err);
}

static tn_status read_labels(datumaro *m, tni_json *j)
{
    tni_span key, raw;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        if (tni_span_is(key, "labels") && tni_json_peek(j) == '[') {
            if (tni_json_enter(j, '['))
                while (tni_json_item(j)) TN_TRY(read_label(m, j));
        } else if (tni_json_skip(j, &raw)) {
            TN_TRY(keep_meta(m, "categories.label.", key, raw));
        }
    }
    return j->status;
}

/* The names of the points of a class, and how they are joined. */
static tn_status read_points_item(datumaro *m, tni_json *j)
{
    const char *names[1024];
    uint32_t n = 0;
    int64_t id = -1;
    tni_span key, joints = {NULL, 0}, raw;
    (void)tni_json_peek(j);
    const char *at = j->p;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        const char kind = tni_json_peek(j);
        if (tni_span_is(key, "label_id") && kind == '0') {
            (void)!tni_json_i64(j, &id);
        } else if (tni_span_is(key, "labels") && kind == '[') {
            if (tni_json_enter(j, '['))
                while (tni_json_item(j)) {
                    if (n == 1024) {
                        (void)tni_json_fail(j, j->p, "more than 1024 points");
                        break;
                    }
                    TN_TRY(tni_jsonfile_text(&m->f, j, &names[n]));
                    n++;
                }
        } else if (tni_json_skip(j, &raw) && !tni_json_is_empty(raw)) {
            if (tni_span_is(key, "joints")) joints = tni_json_whole(key, raw);
        }
    }
    TN_TRY(j->status);
    if (id < 0 || id >= (int64_t)m->labels.n)
        return tni_note_add(m->d, tni_jsonfile_where(&m->f, at), "orphan-class",
                            m->err,
                            "points are of label %lld, which is not in "
                            "the file",
                            (long long)id);
    const uint32_t cls = *TNI_ROW(&m->labels, uint32_t, (uint32_t)id);
    tni_class_row *row = tni_class_at(m->d, cls);
    if (row->keypoints != NULL) return TN_OK;
    const char **copy = TNI_NEW_ARRAY(&m->d->arena, const char *, n + 1);
    if (copy == NULL) return no_memory(m->err);
    if (n > 0) memcpy(copy, names, n * sizeof *copy);
    row->keypoints = copy;
    row->n_keypoints = n;
    if (joints.p == NULL) return TN_OK;
    return tni_set_class_text(m->d, cls, TN_TEXT_EXTRA, joints, m->err);
}

static tn_status read_points(datumaro *m, tni_span text)
{
    tni_span key;
    tni_json j = tni_jsonfile_at(&m->f, text);
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        if (!tni_span_is(key, "items") || tni_json_peek(&j) != '[') {
            if (!tni_json_skip(&j, NULL)) break;
            continue;
        }
        if (tni_json_enter(&j, '['))
            while (tni_json_item(&j)) TN_TRY(read_points_item(m, &j));
    }
    return j.status;
}

static tn_status read_categories(datumaro *m, tni_span text)
{
    tni_span key, raw, points = {NULL, 0};
    tni_json j = tni_jsonfile_at(&m->f, text);
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        const char kind = tni_json_peek(&j);
        if (tni_span_is(key, "label") && kind == '{') {
            TN_TRY(read_labels(m, &j));
        } else if (tni_json_skip(&j, &raw)) {
            if (tni_span_is(key, "points") && kind == '{')
                points = raw;
            else
                TN_TRY(keep_meta(m, "categories.", key, raw));
        }
    }
    TN_TRY(j.status);
    return points.p != NULL ? read_points(m, points) : TN_OK;
}

/* --- annotations ----------------------------------------------------------- */

typedef struct record {
    tni_ann a;
    const char *type;
    tni_span points, visibility, rle, caption, attributes;
    double group, z, box[4];
    int64_t label;
    bool boxed, extras;
} record;

static tn_status read_box(tni_json *j, record *rec)
{
    size_t n = 0;
    (void)tni_json_peek(j);
    const char *at = j->p;
    if (!tni_json_vector(j, rec->box, 4, &n)) return j->status;
    if (n != 4)
        (void)tni_json_fail(j, at,
                            "a bbox has %zu numbers, expected 4: left, top, "
                            "width, height",
                            n);
    rec->boxed = true;
    return j->status;
}

/* One member; *taken false when it is none of ours. */
static tn_status read_member(datumaro *m, tni_json *j, record *rec,
                             tni_span key, bool *taken)
{
    const char kind = tni_json_peek(j);
    static const struct {
        const char *name;
        char kind;
        size_t at;
    } spans[] = {{"points", '[', offsetof(record, points)},
                 {"visibility", '[', offsetof(record, visibility)},
                 {"rle", '{', offsetof(record, rle)},
                 {"caption", '"', offsetof(record, caption)},
                 {"attributes", '{', offsetof(record, attributes)}};
    *taken = true;
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        if (tni_span_is(key, spans[i].name) && kind == spans[i].kind) {
            void *to = (char *)rec + spans[i].at;
            (void)!tni_json_skip(j, to);
            return j->status;
        }
    if (tni_span_is(key, "type") && kind == '"')
        return tni_jsonfile_text(&m->f, j, &rec->type);
    if (tni_span_is(key, "bbox") && kind == '[') return read_box(j, rec);
    if (tni_span_is(key, "id") && kind == '0') {
        (void)!tni_json_i64(j, &rec->a.id);
    } else if (tni_span_is(key, "group") && kind == '0') {
        (void)!tni_json_f64(j, &rec->group);
    } else if (tni_span_is(key, "z_order") && kind == '0') {
        (void)!tni_json_f64(j, &rec->z);
    } else if (tni_span_is(key, "label_id") && (kind == '0' || kind == 'n')) {
        rec->label = -1;
        if (kind == 'n')
            (void)tni_json_null(j);
        else
            (void)!tni_json_i64(j, &rec->label);
    } else {
        *taken = false;
        (void)!tni_json_skip(j, NULL);
    }
    return j->status;
}

/* A label that the file does not list is a class named by its number. */
static tn_status find_class(datumaro *m, record *rec)
{
    char text[32];
    tni_class_row row;
    rec->a.class_index = TN_NONE;
    if (rec->label < 0) return TN_OK;
    if (rec->label < (int64_t)m->labels.n) {
        rec->a.class_index =
            *TNI_ROW(&m->labels, uint32_t, (uint32_t)rec->label);
        return TN_OK;
    }
    memset(&row, 0, sizeof row);
    (void)snprintf(text, sizeof text, "%lld", (long long)rec->label);
    row.name = tni_keep(m->d, text, strlen(text));
    row.where = rec->a.where;
    if (row.name == NULL) return no_memory(m->err);
    TN_TRY(tni_note_add(m->d, rec->a.where, "orphan-class", m->err,
                        "an annotation has label_id %s, which is not in the "
                        "file",
                        text));
    TN_TRY(tni_same_class(m->r, &row, &rec->a.class_index, m->err));
    if (rec->a.class_index != TN_NONE) return TN_OK;
    return tni_add_class(m->d, &row, &rec->a.class_index, m->err);
}

static tn_status set_text_shape(datumaro *m, uint32_t ann, tni_span text,
                                tn_shape_kind kind, bool keypoints, int dims)
{
    tni_shape s;
    memset(&s, 0, sizeof s);
    if (text.len > UINT32_MAX)
        return tni_fail(m->err, TN_ELIMIT, "a shape of over 4 GiB");
    s.text = text.p;
    s.len = (uint32_t)text.len;
    s.kind = (uint8_t)kind;
    s.layout = kind == TN_SHAPE_RLE ? TNI_LAYOUT_RLE : TNI_LAYOUT_FLAT;
    s.dims = (uint8_t)dims;
    return keypoints ? tni_set_keypoints(m->d, ann, &s, m->err)
                     : tni_set_shape(m->d, ann, &s, m->err);
}

/* x, y, v, ... of points and their visibilities. */
static tn_status join_points(datumaro *m, const record *rec, size_t n,
                             tni_span *text)
{
    tni_json p = tni_jsonfile_at(&m->f, rec->points);
    tni_json v = tni_jsonfile_at(&m->f, rec->visibility);
    tni_out *o = tni_draft_begin(m->draft);
    size_t k = 0;
    tni_out_str(o, "[");
    if (tni_json_enter(&p, '[') && tni_json_enter(&v, '['))
        while (tni_json_item(&v)) {
            double x = 0.0, y = 0.0, seen = 0.0;
            if (!tni_json_f64(&v, &seen)) return v.status;
            if (k == n) {
                k++;
                break;
            }
            if (!tni_json_item(&p) || !tni_json_f64(&p, &x) ||
                !tni_json_item(&p) || !tni_json_f64(&p, &y))
                return p.status;
            const double list[3] = {x, y, seen};
            for (int i = 0; i < 3; i++) {
                if (k + (size_t)i > 0) tni_out_str(o, ",");
                tni_out_f64(o, list[i]);
            }
            k++;
        }
    tni_out_str(o, "]");
    TN_TRY(v.status);
    if (k != n) {
        (void)tni_json_fail(&v, rec->visibility.p,
                            "%zu points do not have as many visibilities", n);
        return v.status;
    }
    return tni_draft_keep(m->draft, m->d, text);
}

static tn_status set_points(datumaro *m, const record *rec, uint32_t ann,
                            size_t n)
{
    const uint32_t cls = rec->a.class_index;
    const bool named =
        cls != TN_NONE && tni_class_at(m->d, cls)->n_keypoints > 0;
    tni_span text = {NULL, 0};
    if (strcmp(rec->type, "skeleton") == 0)
        return set_text_shape(m, ann, rec->points, TN_SHAPE_POINTS, true, 3);
    if (rec->visibility.p != NULL && !tni_json_is_empty(rec->visibility)) {
        TN_TRY(join_points(m, rec, n / 2, &text));
        return set_text_shape(m, ann, text, TN_SHAPE_POINTS, true, 3);
    }
    return set_text_shape(m, ann, rec->points, TN_SHAPE_POINTS, named,
                          named ? 2 : 0);
}

/* An ellipse is written as the box around it. */
static tn_status set_ellipse(datumaro *m, uint32_t ann, const double *b)
{
    tni_span text = {NULL, 0};
    const double list[4] = {(b[0] + b[2]) / 2, (b[1] + b[3]) / 2,
                            (b[2] - b[0]) / 2, (b[3] - b[1]) / 2};
    tni_out *o = tni_draft_begin(m->draft);
    for (int i = 0; i < 4; i++) {
        if (i > 0) tni_out_str(o, ",");
        tni_out_f64(o, list[i]);
    }
    TN_TRY(tni_draft_keep(m->draft, m->d, &text));
    return set_text_shape(m, ann, text, TN_SHAPE_ELLIPSE, false, 0);
}

typedef enum geometry { BOX, LABEL, CAPTION, POINTS, MASK, OTHER } geometry;

static geometry geometry_of(const record *rec)
{
    static const struct {
        const char *type;
        geometry g;
    } rows[] = {
        {"bbox", BOX},        {"label", LABEL},     {"caption", CAPTION},
        {"polygon", POINTS},  {"polyline", POINTS}, {"points", POINTS},
        {"skeleton", POINTS}, {"ellipse", POINTS},  {"mask", MASK}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rec->type, rows[i].type) == 0) return rows[i].g;
    return OTHER;
}

static tn_status wrong(datumaro *m, const char *at, const record *rec,
                       const char *what)
{
    tni_json j = m->f.j;
    j.status = TN_OK;
    (void)tni_json_fail(&j, at, "an annotation of type %.40s has no %s",
                        rec->type, what);
    return j.status;
}

static tn_status set_geometry(datumaro *m, const record *rec, uint32_t ann,
                              const char *at)
{
    double first[4];
    size_t n = 0;
    const geometry g = geometry_of(rec);
    if (g == MASK)
        return rec->rle.p != NULL
                   ? set_text_shape(m, ann, rec->rle, TN_SHAPE_RLE, false, 0)
                   : wrong(m, at, rec, "rle");
    if (g != POINTS) return TN_OK;
    if (rec->points.p == NULL) return wrong(m, at, rec, "points");
    tni_json j = tni_jsonfile_at(&m->f, rec->points);
    if (!tni_json_vector(&j, first, 4, &n)) return j.status;
    const bool triples = strcmp(rec->type, "skeleton") == 0;
    if (n == 0 || n % (triples ? 3 : 2) != 0)
        return wrong(m, rec->points.p, rec, "whole points");
    if (strcmp(rec->type, "ellipse") == 0)
        return n == 4 ? set_ellipse(m, ann, first)
                      : wrong(m, rec->points.p, rec, "two points");
    if (strcmp(rec->type, "polygon") == 0)
        return set_text_shape(m, ann, rec->points, TN_SHAPE_POLYGON, false, 0);
    if (strcmp(rec->type, "polyline") == 0)
        return set_text_shape(m, ann, rec->points, TN_SHAPE_POLYLINE, false, 0);
    return set_points(m, rec, ann, n);
}

/* Attributes that the model has a place for go there, the rest stays. */
static tn_status set_attributes(datumaro *m, tni_span object, uint32_t ann)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } flags[] = {{"is_crowd", TN_IS_CROWD | TN_SAYS_CROWD},
                 {"difficult", TN_IS_DIFFICULT},
                 {"truncated", TN_IS_TRUNCATED},
                 {"occluded", TN_IS_OCCLUDED}};
    tni_span key, raw, rest = object;
    bool whole = true, any = false;
    tni_json j = tni_jsonfile_at(&m->f, object);
    tni_out *o = tni_draft_begin(m->draft);
    tni_out_str(o, "{");
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            const char kind = tni_json_peek(&j);
            tni_json value = j;
            double v = 0.0;
            bool done = false;
            if (!tni_json_skip(&j, &raw)) break;
            for (size_t i = 0; i < 4 && kind == 't'; i++)
                if (tni_span_is(key, flags[i].name)) {
                    *tni_flags_at(m->d, ann) |= flags[i].flag;
                    done = true;
                }
            const bool score = tni_span_is(key, "score");
            const tn_num num = score ? TN_NUM_SCORE : TN_NUM_TRACK;
            if (kind == '0' && (score || tni_span_is(key, "track_id")) &&
                tn_dataset_num(m->d, ann, num, &v) == 0) {
                if (!tni_json_f64(&value, &v)) return value.status;
                TN_TRY(tni_set_num(m->d, ann, num, v, m->err));
                done = true;
            }
            if (done) {
                whole = false;
                continue;
            }
            const tni_span member = tni_json_whole(key, raw);
            if (any) tni_out_str(o, ", ");
            tni_out_bytes(o, member.p, member.len);
            any = true;
        }
    tni_out_str(o, "}");
    TN_TRY(j.status);
    if (!any) return TN_OK;
    if (!whole) TN_TRY(tni_draft_keep(m->draft, m->d, &rest));
    return tni_set_text(m->d, ann, TN_TEXT_ATTRIBUTES, rest, m->err);
}

/* What is none of ours; of a kind without a geometry the kind too. */
static tn_status keep_extras(datumaro *m, tni_json j, const record *rec,
                             uint32_t ann)
{
    const bool other = geometry_of(rec) == OTHER;
    tni_span key, raw;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        record scratch;
        tni_json ahead = j;
        bool taken = false;
        memset(&scratch, 0, sizeof scratch);
        TN_TRY(read_member(m, &ahead, &scratch, key, &taken));
        if (!tni_json_skip(&j, &raw)) break;
        const bool kept =
            other && (tni_span_is(key, "type") || tni_span_is(key, "points") ||
                      tni_span_is(key, "bbox") || tni_span_is(key, "rle") ||
                      tni_span_is(key, "visibility"));
        if (taken && !kept) continue;
        TN_TRY(tni_set_text(m->d, ann, TN_TEXT_EXTRA, tni_json_whole(key, raw),
                            m->err));
    }
    return j.status;
}

static tn_status read_annotation(datumaro *m, tni_json *j, uint32_t image)
{
    record rec;
    tni_span key;
    uint32_t ann = TN_NONE;
    memset(&rec, 0, sizeof rec);
    rec.label = -1;
    (void)tni_json_peek(j);
    const tni_json begin = *j;
    rec.a.image = image;
    rec.a.where = tni_jsonfile_where(&m->f, j->p);
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            bool taken = true;
            TN_TRY(read_member(m, j, &rec, key, &taken));
            rec.extras = rec.extras || !taken;
        }
    TN_TRY(j->status);
    if (rec.type == NULL) {
        (void)tni_json_fail(j, begin.p, "an annotation has no 'type'");
        return j->status;
    }
    const geometry g = geometry_of(&rec);
    TN_TRY(find_class(m, &rec));
    if (rec.a.id != 0) rec.a.flags |= TNI_ID(TN_ID_INT);
    if (g == LABEL) rec.a.flags |= TN_IS_TAG;
    if (g == BOX && !rec.boxed) return wrong(m, begin.p, &rec, "bbox");
    if (rec.boxed && (g == BOX || g == POINTS || g == MASK)) {
        memcpy(rec.a.box, rec.box, sizeof rec.box);
        rec.a.flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_XYWH);
    }
    if (g == OTHER)
        TN_TRY(tni_note_add(m->d, rec.a.where, "other-type", m->err,
                            "an annotation is of type '%.60s': its fields are "
                            "kept, but not as a shape",
                            rec.type));
    TN_TRY(tni_add_annotation(m->d, &rec.a, &ann, m->err));
    TN_TRY(set_geometry(m, &rec, ann, begin.p));
    if (rec.group != 0.0)
        TN_TRY(tni_set_num(m->d, ann, TN_NUM_GROUP, rec.group, m->err));
    if (rec.z != 0.0) TN_TRY(tni_set_num(m->d, ann, TN_NUM_Z, rec.z, m->err));
    if (rec.caption.p != NULL)
        TN_TRY(tni_set_text(m->d, ann, TN_TEXT_CAPTION, rec.caption, m->err));
    if (rec.attributes.p != NULL && !tni_json_is_empty(rec.attributes))
        TN_TRY(set_attributes(m, rec.attributes, ann));
    return rec.extras || g == OTHER ? keep_extras(m, begin, &rec, ann) : TN_OK;
}

/* --- items ----------------------------------------------------------------- */

/* path and size of `image`; *other when it has more. */
static tn_status read_media(datumaro *m, tni_json *j, tni_image_row *row)
{
    tni_span key;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        const char kind = tni_json_peek(j);
        if (tni_span_is(key, "path") && kind == '"') {
            const char *path = NULL;
            TN_TRY(tni_jsonfile_text(&m->f, j, &path));
            if (path[0] != '\0') row->name = path;
        } else if (tni_span_is(key, "size") && kind == '[') {
            int32_t *to[2] = {&row->height, &row->width};
            size_t n = 0;
            const char *at = j->p;
            if (!tni_json_enter(j, '[')) return j->status;
            while (tni_json_item(j)) {
                int32_t v = 0;
                TN_TRY(tni_jsonfile_size(&m->f, j, &v));
                if (n < 2) *to[n] = v;
                n++;
            }
            if (j->status == TN_OK && n != 2)
                (void)tni_json_fail(j, at,
                                    "a size has %zu numbers, expected 2: "
                                    "height, width",
                                    n);
        } else {
            (void)!tni_json_skip(j, NULL);
        }
    }
    return j->status;
}

/* Attributes of an item; its `id` is the image's when it has no other. */
static tn_status read_attr(datumaro *m, tni_span object, tni_image_row *row,
                           tni_span *rest)
{
    tni_span key, raw;
    bool any = false, whole = true;
    tni_json j = tni_jsonfile_at(&m->f, object);
    tni_out *o = tni_draft_begin(m->draft);
    tni_out_str(o, "{");
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            tni_json value = j;
            const char kind = tni_json_peek(&j);
            if (!tni_json_skip(&j, &raw)) break;
            if (tni_span_is(key, "id") && row->id_kind == TN_ID_NONE &&
                kind == '0') {
                TN_TRY(tni_jsonfile_id(&m->f, &value, &row->id_kind, &row->id));
                whole = false;
                continue;
            }
            const tni_span member = tni_json_whole(key, raw);
            if (any) tni_out_str(o, ", ");
            tni_out_bytes(o, member.p, member.len);
            any = true;
        }
    tni_out_str(o, "}");
    TN_TRY(j.status);
    *rest = object;
    if (!any) rest->p = NULL;
    return any && !whole ? tni_draft_keep(m->draft, m->d, rest) : TN_OK;
}

static tn_status keep_item(datumaro *m, tni_json j, uint32_t image)
{
    static const char *const ours[] = {"id", "annotations", "attr", "image",
                                       "media"};
    tni_span key, raw;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        bool known = false;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            known = known || tni_span_is(key, ours[i]);
        if (!known && !tni_json_is_empty(raw))
            TN_TRY(tni_set_image_text(m->d, image, TN_TEXT_EXTRA,
                                      tni_json_whole(key, raw), m->err));
    }
    return j.status;
}

static tn_status read_item(datumaro *m, tni_json *j)
{
    tni_image_row row;
    tni_span key, attr = {NULL, 0}, list = {NULL, 0}, rest = {NULL, 0};
    const char *id = NULL;
    uint32_t image = TN_NONE;
    memset(&row, 0, sizeof row);
    (void)tni_json_peek(j);
    const tni_json begin = *j;
    row.where = tni_jsonfile_where(&m->f, j->p);
    if (m->split != TN_NONE) row.splits = UINT64_C(1) << m->split;
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            const char kind = tni_json_peek(j);
            if (tni_span_is(key, "id") && kind == '"')
                TN_TRY(tni_jsonfile_text(&m->f, j, &id));
            else if ((tni_span_is(key, "image") || tni_span_is(key, "media")) &&
                     kind == '{')
                TN_TRY(read_media(m, j, &row));
            else if (tni_span_is(key, "annotations") && kind == '[')
                (void)!tni_json_skip(j, &list);
            else if (tni_span_is(key, "attr") && kind == '{')
                (void)!tni_json_skip(j, &attr);
            else
                (void)!tni_json_skip(j, NULL);
        }
    TN_TRY(j->status);
    if (id == NULL) {
        (void)tni_json_fail(j, begin.p, "an item has no 'id'");
        return j->status;
    }
    if (row.name == NULL) row.name = id;
    const size_t stem = tni_stem_len(row.name);
    if (strcmp(row.name, id) != 0 &&
        (strlen(id) != stem || memcmp(id, row.name, stem) != 0)) {
        row.id_kind = TN_ID_TEXT;
        row.id = (int64_t)(intptr_t)id;
    }
    if (attr.p != NULL) TN_TRY(read_attr(m, attr, &row, &rest));
    if (list.p != NULL && tni_json_is_empty(list)) row.state = TN_STATE_EMPTY;
    TN_TRY(tni_add_image(m->d, &row, &image, m->err));
    TN_TRY(tni_find_image(m->r, image, m->folders, m->err));
    if (rest.p != NULL)
        TN_TRY(
            tni_set_image_text(m->d, image, TN_TEXT_ATTRIBUTES, rest, m->err));
    TN_TRY(keep_item(m, begin, image));
    if (list.p == NULL) return TN_OK;
    tni_json anns = tni_jsonfile_at(&m->f, list);
    if (tni_json_enter(&anns, '['))
        while (tni_json_item(&anns)) TN_TRY(read_annotation(m, &anns, image));
    return anns.status;
}

/* --- the file -------------------------------------------------------------- */

static tn_status read_top(datumaro *m)
{
    tni_json *j = &m->f.j;
    tni_span key, raw, items = {NULL, 0}, categories = {NULL, 0};
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key) && tni_json_skip(j, &raw)) {
        if (tni_span_is(key, "items") && raw.p[0] == '[')
            items = raw;
        else if (tni_span_is(key, "categories") && raw.p[0] == '{')
            categories = raw;
        else if (!tni_span_is(key, "dm_format_version"))
            TN_TRY(keep_meta(m, "", key, raw));
    }
    TN_TRY(j->status);
    if (!tni_json_end(j)) return j->status;
    if (items.p == NULL) {
        (void)tni_json_fail(j, j->start,
                            "there is no list 'items': this is not Datumaro's");
        return j->status;
    }
    if (categories.p != NULL) TN_TRY(read_categories(m, categories));
    tni_json list = tni_jsonfile_at(&m->f, items);
    if (tni_json_enter(&list, '['))
        while (tni_json_item(&list)) {
            TN_TRY(read_item(m, &list));
            TN_TRY(tni_reader_progress(m->r, (uint64_t)(list.p - list.start),
                                       (uint64_t)(list.end - list.start),
                                       m->err));
        }
    return list.status;
}

tn_status tni_datumaro_read(tni_reader *r, const char *path, uint32_t split,
                            const char *const *folders, tn_err *err)
{
    datumaro m;
    memset(&m, 0, sizeof m);
    m.r = r;
    m.d = r->d;
    m.err = err;
    m.split = split;
    m.folders = folders;
    m.draft = tni_draft_new(&r->scratch, err);
    if (m.draft == NULL) return TN_ENOMEM;
    TN_TRY(tni_jsonfile_open(&m.f, r, path, err));
    tni_col_init(&m.labels, &r->d->mem, sizeof(uint32_t));
    const tn_status status = read_top(&m);
    tni_col_fini(&m.labels);
    if (status != TN_OK) tni_err_where(err, "%s", path);
    return status;
}
