/* SPDX-License-Identifier: Apache-2.0 */
/* via_read.c - a VIA file into the dataset */
#include "data/formats/via.h"

#include <math.h>

typedef struct via {
    tni_jsonfile f;
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_classes classes;
    tni_draft *draft;
    const char *folder;
    const char *class_key; /* NULL: there is none */
} via;

const char *const tni_via_likely[] = {
    "label", "class", "class_name", "category", "name", "type", "object", NULL};
enum { N_LIKELY = 7 };

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- which attribute is the class ---------------------------------------- */

typedef struct keys {
    bool seen[N_LIKELY];
    tni_span only; /* the one other attribute */
    bool several;
} keys;

static void note_keys(tni_json *j, keys *k)
{
    tni_span key;
    if (!tni_json_enter(j, '{')) return;
    while (tni_json_key(j, &key)) {
        bool known = false;
        for (int i = 0; i < N_LIKELY; i++)
            if (tni_json_text_is(key, tni_via_likely[i]))
                known = k->seen[i] = true;
        if (!known && k->only.p == NULL)
            k->only = key;
        else if (!known && (k->only.len != key.len ||
                            memcmp(k->only.p, key.p, key.len) != 0))
            k->several = true;
        if (!tni_json_skip(j, NULL)) return;
    }
}

/* Steps to the next region of a list or an object of them. */
static bool next_region(tni_json *j, bool list)
{
    tni_span key;
    return list ? tni_json_item(j) : tni_json_key(j, &key);
}

static void note_regions(tni_json *j, keys *k)
{
    const char open = tni_json_peek(j);
    tni_span key;
    if (!tni_json_enter(j, open == '[' ? '[' : '{')) return;
    while (next_region(j, open == '[')) {
        if (!tni_json_enter(j, '{')) return;
        while (tni_json_key(j, &key)) {
            if (tni_span_is(key, "region_attributes") &&
                tni_json_peek(j) == '{')
                note_keys(j, k);
            else if (!tni_json_skip(j, NULL))
                return;
        }
    }
}

static tn_status choose_class(via *v, tni_span images, tni_span attributes)
{
    keys k;
    tni_span key;
    memset(&k, 0, sizeof k);
    tni_json j = tni_jsonfile_at(&v->f, images);
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            if (!tni_json_enter(&j, '{')) break;
            while (tni_json_key(&j, &key)) {
                if (tni_span_is(key, "regions"))
                    note_regions(&j, &k);
                else if (!tni_json_skip(&j, NULL))
                    break;
            }
        }
    TN_TRY(j.status);
    if (attributes.p != NULL && attributes.p[0] == '{') {
        j = tni_jsonfile_at(&v->f, attributes);
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key)) {
                if (tni_span_is(key, "region") && tni_json_peek(&j) == '{')
                    note_keys(&j, &k);
                else if (!tni_json_skip(&j, NULL))
                    break;
            }
        TN_TRY(j.status);
    }
    for (int i = 0; i < N_LIKELY && v->class_key == NULL; i++)
        if (k.seen[i]) v->class_key = tni_via_likely[i];
    if (v->class_key == NULL && k.only.p != NULL && !k.several) {
        v->class_key = tni_keep_json(v->d, k.only, true);
        if (v->class_key == NULL) return no_memory(v->err);
    }
    if (v->class_key == NULL || strcmp(v->class_key, "label") == 0)
        return TN_OK;
    tni_meta meta = {
        TNI_VIA_CLASS, {NULL, 0}, TN_NONE, tni_where(v->f.source, 0)};
    tni_out_json(tni_draft_begin(v->draft), v->class_key, strlen(v->class_key));
    TN_TRY(tni_draft_keep(v->draft, v->d, &meta.value));
    return tni_add_meta(v->d, &meta, v->err);
}

/* The classes a project declares, in their order. */
static tn_status declare_classes(via *v, tni_span attributes, uint32_t *n)
{
    static const char *const path[] = {"region", NULL, "options"};
    tni_span key, raw, at = attributes;
    *n = 0;
    if (v->class_key == NULL || at.p == NULL) return TN_OK;
    for (int level = 0; level < 3 && at.p != NULL && at.p[0] == '{'; level++) {
        const char *name = path[level] != NULL ? path[level] : v->class_key;
        tni_json j = tni_jsonfile_at(&v->f, at);
        at.p = NULL;
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw))
                if (tni_json_text_is(key, name)) at = raw;
    }
    if (at.p == NULL || at.p[0] != '{') return TN_OK;
    tni_json j = tni_jsonfile_at(&v->f, at);
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, NULL)) {
        uint32_t cls = 0;
        const char *name = tni_keep_json(v->d, key, true);
        if (name == NULL) return no_memory(v->err);
        TN_TRY(tni_class_named(&v->classes, tni_span_of(name),
                               tni_jsonfile_where(&v->f, key.p), &cls, v->err));
        *n = v->d->classes.n;
    }
    return j.status;
}

/* --- attributes of a region ---------------------------------------------- */

/* The one mark of a checkbox; false when there is not exactly one. */
static bool only_mark(via *v, tni_span object, tni_span *mark, int *n)
{
    tni_json j = tni_jsonfile_at(&v->f, object);
    tni_span key;
    *n = 0;
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            if (tni_json_peek(&j) == 't') {
                *mark = key;
                ++*n;
            }
            if (!tni_json_skip(&j, NULL)) return false;
        }
    return *n == 1 && j.status == TN_OK;
}

/* The class of a region, and whether the member is that and no more. */
static tn_status class_of(via *v, tni_span value, uint64_t where, uint32_t *cls,
                          bool *all)
{
    tni_span text = {NULL, 0};
    int marks = 0;
    *all = true;
    if (tni_json_is_empty(value)) return TN_OK;
    if (value.p[0] == '"') {
        text.p = value.p + 1;
        text.len = value.len - 2;
    } else if (value.p[0] != '{') {
        text = value; /* a number, as it is written */
        *all = value.p[0] != '[';
        if (!*all) return TN_OK;
    } else if (!only_mark(v, value, &text, &marks)) {
        *all = false;
        if (marks == 0) return TN_OK;
        return tni_note_add(v->d, where, "several-classes", v->err,
                            "a region has %d classes at once: it stays without "
                            "one, they are its attributes",
                            marks);
    }
    const char *name = tni_keep_json(v->d, text, true);
    if (name == NULL) return no_memory(v->err);
    return tni_class_named(&v->classes, tni_span_of(name), where, cls, v->err);
}

/* The attributes but the class, as they are when they are all. */
static tn_status read_attributes(via *v, tni_span object, uint64_t where,
                                 uint32_t *cls, tni_span *rest)
{
    tni_span key, raw;
    bool whole = true, any = false;
    tni_json j = tni_jsonfile_at(&v->f, object);
    tni_out *o = tni_draft_begin(v->draft);
    tni_out_str(o, "{");
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            bool all = false;
            if (v->class_key != NULL && *cls == TN_NONE &&
                tni_json_text_is(key, v->class_key))
                TN_TRY(class_of(v, raw, where, cls, &all));
            if (all) {
                whole = false;
                continue;
            }
            const tni_span m = tni_json_whole(key, raw);
            if (any) tni_out_str(o, ", ");
            tni_out_bytes(o, m.p, m.len);
            any = true;
        }
    tni_out_str(o, "}");
    TN_TRY(j.status);
    if (!any) return TN_OK;
    if (!whole) return tni_draft_keep(v->draft, v->d, rest);
    *rest = object;
    return TN_OK;
}

/* --- shapes -------------------------------------------------------------- */

typedef struct geometry {
    const char *name;
    tni_span xs, ys;
    double x, y, width, height, cx, cy, r, rx, ry, theta;
    uint32_t has; /* bits in the order of `numbers` */
} geometry;

enum { HAS_BOX = 15, HAS_CENTRE = 48, HAS_R = 64, HAS_RADII = 384 };

static tn_status read_geometry(via *v, tni_span object, geometry *g)
{
    double *const to[] = {&g->x,  &g->y, &g->width, &g->height, &g->cx,
                          &g->cy, &g->r, &g->rx,    &g->ry,     &g->theta};
    static const char *const names[] = {"x",  "y", "width", "height", "cx",
                                        "cy", "r", "rx",    "ry",     "theta"};
    tni_span key;
    memset(g, 0, sizeof *g);
    tni_json j = tni_jsonfile_at(&v->f, object);
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        const char kind = tni_json_peek(&j);
        bool done = false;
        for (size_t i = 0; i < 10 && !done; i++) {
            if (!tni_span_is(key, names[i])) continue;
            if (!tni_json_f64(&j, to[i])) return j.status;
            g->has |= UINT32_C(1) << i;
            done = true;
        }
        if (done) continue;
        if (tni_span_is(key, "name") && kind == '"') {
            TN_TRY(tni_jsonfile_text(&v->f, &j, &g->name));
        } else if (tni_span_is(key, "all_points_x")) {
            (void)!tni_json_skip(&j, &g->xs);
        } else if (tni_span_is(key, "all_points_y")) {
            (void)!tni_json_skip(&j, &g->ys);
        } else {
            TN_TRY(tni_note_add(v->d, tni_jsonfile_where(&v->f, key.p),
                                "shape-field", v->err,
                                "a shape has a field '%.*s', which VIA does "
                                "not define: it is left out",
                                key.len > 40 ? 40 : (int)key.len, key.p));
            (void)!tni_json_skip(&j, NULL);
        }
    }
    if (j.status == TN_OK && g->name == NULL)
        (void)tni_json_fail(&j, object.p, "a shape has no 'name'");
    return j.status;
}

/* Two lists into one of points. */
static tn_status zip_points(via *v, const geometry *g, tni_span object,
                            tni_span *text)
{
    tni_json x = tni_jsonfile_at(&v->f, g->xs.p != NULL ? g->xs : object);
    tni_json y = tni_jsonfile_at(&v->f, g->ys.p != NULL ? g->ys : object);
    tni_out *o = tni_draft_begin(v->draft);
    size_t n = 0;
    if (!tni_json_enter(&x, '[')) return x.status;
    if (!tni_json_enter(&y, '[')) return y.status;
    tni_out_str(o, "[");
    for (;;) {
        double a = 0.0, b = 0.0;
        const bool more_x = tni_json_item(&x), more_y = tni_json_item(&y);
        TN_TRY(x.status);
        TN_TRY(y.status);
        if (more_x != more_y) {
            (void)tni_json_fail(&x, object.p,
                                "all_points_x and all_points_y differ in "
                                "length");
            return x.status;
        }
        if (!more_x) break;
        if (!tni_json_f64(&x, &a)) return x.status;
        if (!tni_json_f64(&y, &b)) return y.status;
        tni_out_str(o, n++ > 0 ? ",[" : "[");
        tni_out_f64(o, a);
        tni_out_str(o, ",");
        tni_out_f64(o, b);
        tni_out_str(o, "]");
    }
    tni_out_str(o, "]");
    if (n == 0) {
        (void)tni_json_fail(&x, object.p, "a shape has no points");
        return x.status;
    }
    return tni_draft_keep(v->draft, v->d, text);
}

static tn_status put_numbers(via *v, const double *list, size_t n,
                             tni_span *text)
{
    tni_out *o = tni_draft_begin(v->draft);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_str(o, ",");
        tni_out_f64(o, list[i]);
    }
    return tni_draft_keep(v->draft, v->d, text);
}

/* The box or the shape that the geometry is. */
static tn_status make_shape(via *v, const geometry *g, tni_span object,
                            tni_ann *a, tni_shape *s)
{
    tni_span text = {NULL, 0};
    uint32_t need = 0;
    memset(s, 0, sizeof *s);
    if (strcmp(g->name, "rect") == 0) {
        need = HAS_BOX;
        a->box[0] = g->x;
        a->box[1] = g->y;
        a->box[2] = g->width;
        a->box[3] = g->height;
        a->flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_XYWH);
    } else if (strcmp(g->name, "circle") == 0) {
        need = HAS_CENTRE | HAS_R;
        const double list[4] = {g->cx, g->cy, g->r, g->r};
        s->kind = TN_SHAPE_ELLIPSE;
        TN_TRY(put_numbers(v, list, 4, &text));
    } else if (strcmp(g->name, "ellipse") == 0) {
        need = HAS_CENTRE | HAS_RADII;
        const double degrees = g->theta * (180.0 / 3.14159265358979323846);
        const double list[5] = {g->cx, g->cy, g->rx, g->ry, degrees};
        s->kind = TN_SHAPE_ELLIPSE;
        TN_TRY(put_numbers(v, list, g->theta != 0.0 ? 5 : 4, &text));
    } else if (strcmp(g->name, "point") == 0) {
        need = HAS_CENTRE;
        const double list[2] = {g->cx, g->cy};
        s->kind = TN_SHAPE_POINTS;
        TN_TRY(put_numbers(v, list, 2, &text));
    } else if (strcmp(g->name, "polygon") == 0 ||
               strcmp(g->name, "polyline") == 0) {
        s->kind = strcmp(g->name, "polygon") == 0 ? TN_SHAPE_POLYGON
                                                  : TN_SHAPE_POLYLINE;
        s->layout = TNI_LAYOUT_PAIRS;
        TN_TRY(zip_points(v, g, object, &text));
    } else {
        tni_json j = tni_jsonfile_at(&v->f, object);
        (void)tni_json_fail(&j, object.p,
                            "a shape '%.40s', expected rect, circle, ellipse, "
                            "polygon, polyline or point",
                            g->name);
        return j.status;
    }
    if ((g->has & need) != need) {
        tni_json j = tni_jsonfile_at(&v->f, object);
        (void)tni_json_fail(&j, object.p, "a %s lacks some of its numbers",
                            g->name);
        return j.status;
    }
    if (text.len > UINT32_MAX)
        return tni_fail(v->err, TN_ELIMIT, "a shape of over 4 GiB");
    s->text = text.p;
    s->len = (uint32_t)text.len;
    return TN_OK;
}

/* --- regions and images -------------------------------------------------- */

static tn_status read_region(via *v, tni_json *j, uint32_t image)
{
    tni_span key, shape = {NULL, 0}, attributes = {NULL, 0}, rest = {NULL, 0};
    tni_ann a;
    tni_shape s;
    geometry g;
    uint32_t ann = TN_NONE;
    bool extras = false;
    memset(&a, 0, sizeof a);
    (void)tni_json_peek(j);
    tni_json again = *j;
    a.image = image;
    a.class_index = TN_NONE;
    a.where = tni_jsonfile_where(&v->f, j->p);
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            const bool object = tni_json_peek(j) == '{';
            if (tni_span_is(key, "shape_attributes") && object) {
                (void)!tni_json_skip(j, &shape);
            } else if (tni_span_is(key, "region_attributes") && object) {
                (void)!tni_json_skip(j, &attributes);
            } else {
                extras = true;
                (void)!tni_json_skip(j, NULL);
            }
        }
    TN_TRY(j->status);
    if (shape.p == NULL) {
        (void)tni_json_fail(j, again.p, "a region has no 'shape_attributes'");
        return j->status;
    }
    if (attributes.p != NULL)
        TN_TRY(read_attributes(v, attributes, a.where, &a.class_index, &rest));
    TN_TRY(read_geometry(v, shape, &g));
    TN_TRY(make_shape(v, &g, shape, &a, &s));
    TN_TRY(tni_add_annotation(v->d, &a, &ann, v->err));
    if (s.text != NULL) TN_TRY(tni_set_shape(v->d, ann, &s, v->err));
    if (rest.p != NULL)
        TN_TRY(tni_set_text(v->d, ann, TN_TEXT_ATTRIBUTES, rest, v->err));
    if (!extras || !tni_json_enter(&again, '{')) return TN_OK;
    tni_span raw;
    while (tni_json_key(&again, &key) && tni_json_skip(&again, &raw))
        if (!tni_span_is(key, "shape_attributes") &&
            !tni_span_is(key, "region_attributes"))
            TN_TRY(tni_set_text(v->d, ann, TN_TEXT_EXTRA,
                                tni_json_whole(key, raw), v->err));
    return again.status;
}

/* The size in bytes says nothing when the file is there and has it. */
static tn_status keep_size(via *v, uint32_t image, tni_span member, double size)
{
    const tni_image_row *row = tni_image_at(v->d, image);
    if (row->file != NULL && size >= 0.0) {
        const uint64_t real = tni_path_look(row->file).size;
        if ((double)real == size) return TN_OK;
        TN_TRY(tni_note_add(v->d, row->where, "file-size", v->err,
                            "'%.200s' has %llu bytes, %.0f when it was "
                            "annotated",
                            row->name, (unsigned long long)real, size));
    }
    if (size < 0.0) return TN_OK;
    return tni_set_image_text(v->d, image, TN_TEXT_EXTRA, member, v->err);
}

static tn_status read_image(via *v, tni_json *j)
{
    tni_span key, raw, regions = {NULL, 0}, attributes = {NULL, 0};
    tni_image_row row;
    uint32_t image = TN_NONE;
    memset(&row, 0, sizeof row);
    (void)tni_json_peek(j);
    tni_json again = *j;
    row.where = tni_jsonfile_where(&v->f, j->p);
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            const char kind = tni_json_peek(j);
            if (tni_span_is(key, "filename") && kind == '"')
                TN_TRY(tni_jsonfile_text(&v->f, j, &row.name));
            else if (tni_span_is(key, "regions") &&
                     (kind == '[' || kind == '{'))
                (void)!tni_json_skip(j, &regions);
            else if (tni_span_is(key, "file_attributes") && kind == '{')
                (void)!tni_json_skip(j, &attributes);
            else
                (void)!tni_json_skip(j, NULL);
        }
    TN_TRY(j->status);
    if (row.name == NULL || regions.p == NULL) {
        (void)tni_json_fail(j, again.p, "an image has no '%s'",
                            row.name == NULL ? "filename" : "regions");
        return j->status;
    }
    if (tni_json_is_empty(regions)) row.state = TN_STATE_EMPTY;
    const char *folders[2] = {v->r->images != NULL ? v->r->images : v->folder,
                              NULL};
    TN_TRY(tni_add_image(v->d, &row, &image, v->err));
    TN_TRY(tni_find_image(v->r, image, folders, v->err));
    if (attributes.p != NULL && !tni_json_is_empty(attributes))
        TN_TRY(tni_set_image_text(v->d, image, TN_TEXT_ATTRIBUTES, attributes,
                                  v->err));
    if (tni_json_enter(&again, '{'))
        while (tni_json_key(&again, &key) && tni_json_skip(&again, &raw)) {
            double size = -1.0;
            if (tni_span_is(key, "filename") || tni_span_is(key, "regions") ||
                tni_span_is(key, "file_attributes"))
                continue;
            tni_json number = tni_jsonfile_at(&v->f, raw);
            const tni_span m = tni_json_whole(key, raw);
            if (!tni_span_is(key, "size") || tni_json_peek(&number) != '0')
                TN_TRY(
                    tni_set_image_text(v->d, image, TN_TEXT_EXTRA, m, v->err));
            else if (!tni_json_f64(&number, &size))
                return number.status;
            else
                TN_TRY(keep_size(v, image, m, size));
        }
    tni_json list = tni_jsonfile_at(&v->f, regions);
    const bool is_list = regions.p[0] == '[';
    if (tni_json_enter(&list, is_list ? '[' : '{'))
        while (next_region(&list, is_list))
            TN_TRY(read_region(v, &list, image));
    return list.status;
}

static tn_status keep_meta(via *v, tni_span key, tni_span raw)
{
    const tni_meta meta = {tni_keep_json(v->d, key, true), raw, TN_NONE,
                           tni_jsonfile_where(&v->f, key.p)};
    if (tni_json_is_empty(raw)) return TN_OK;
    return tni_add_meta(v->d, &meta, v->err);
}

static tn_status read_top(via *v)
{
    tni_json *j = &v->f.j;
    (void)tni_json_peek(j);
    const tni_json begin = *j;
    tni_span key, raw, images = {NULL, 0}, attributes = {NULL, 0};
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key) && tni_json_skip(j, &raw)) {
        if (tni_span_is(key, "_via_img_metadata")) images = raw;
        if (tni_span_is(key, "_via_attributes")) attributes = raw;
    }
    TN_TRY(j->status);
    if (!tni_json_end(j)) return j->status;
    if (images.p == NULL) { /* the annotations alone */
        images.p = begin.p;
        images.len = (size_t)(j->end - begin.p);
    } else {
        tni_json top = begin;
        if (tni_json_enter(&top, '{'))
            while (tni_json_key(&top, &key) && tni_json_skip(&top, &raw))
                if (!tni_span_is(key, "_via_img_metadata") &&
                    !tni_span_is(key, "_via_data_format_version") &&
                    !tni_span_is(key, "_via_image_id_list"))
                    TN_TRY(keep_meta(v, key, raw));
    }
    uint32_t n_declared = 0;
    TN_TRY(choose_class(v, images, attributes));
    TN_TRY(declare_classes(v, attributes, &n_declared));
    tni_json list = tni_jsonfile_at(&v->f, images);
    if (tni_json_enter(&list, '{'))
        while (tni_json_key(&list, &key)) {
            TN_TRY(read_image(v, &list));
            TN_TRY(tni_reader_progress(v->r, (uint64_t)(list.p - list.start),
                                       (uint64_t)(list.end - list.start),
                                       v->err));
        }
    TN_TRY(list.status);
    return tni_classes_sort_after(&v->classes, n_declared, v->err);
}

/* The one VIA file of a folder. */
static tn_status file_in(tni_reader *r, const char **path, tn_err *err)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    tni_probe p;
    memset(&p, 0, sizeof p);
    p.r = r;
    *path = NULL;
    TN_TRY(tni_list(r, r->path, &e, &n, err));
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir || (!tni_ends_with(e[i].name, ".json") &&
                            !tni_ends_with(e[i].name, ".csv")))
            continue;
        const char *file = tni_join(r, r->path, e[i].name);
        if (file == NULL) return no_memory(err);
        const tni_span head = tni_probe_head(&p, file);
        if (!tni_via_is_csv(head) && !tni_has_text(head, "\"_via_") &&
            !tni_has_text(head, "\"regions\""))
            continue;
        if (*path != NULL)
            return tni_fail(err, TN_EINVAL,
                            "the folder has several VIA files ('%.100s', "
                            "'%.100s'); name one",
                            *path, file);
        *path = file;
    }
    if (*path != NULL) return TN_OK;
    return tni_fail(err, TN_ENOTFOUND,
                    "the folder has no VIA file; expected *.json or *.csv with "
                    "regions");
}

/* Where rows were found is in the table, not in the JSON made of it. */
static void restore_places(via *v, const tni_via_row *rows, size_t n)
{
    const uint64_t first = tni_where(v->f.source, 0);
    const uint64_t mask = (UINT64_C(1) << 40) - 1;
    for (uint32_t i = 0; i < v->d->images.n; i++) {
        uint64_t *where = &tni_image_at(v->d, i)->where;
        *where = first | tni_via_csv_offset(rows, n, *where & mask);
    }
    for (uint32_t i = 0; i < v->d->anns.n; i++) {
        uint64_t *where = &tni_ann_at(v->d, i)->where;
        *where = first | tni_via_csv_offset(rows, n, *where & mask);
    }
    for (uint32_t i = 0; i < v->d->classes.n; i++) {
        uint64_t *where = &tni_class_at(v->d, i)->where;
        *where = first | tni_via_csv_offset(rows, n, *where & mask);
    }
}

static tn_status read_table(via *v)
{
    tni_span json = {NULL, 0};
    tni_via_row *rows = NULL;
    size_t n = 0;
    const tni_span text = {v->f.j.start, (size_t)(v->f.j.end - v->f.j.start)};
    tn_status status =
        tni_via_from_csv(v->r, v->f.source, text, &json, &rows, &n, v->err);
    if (status != TN_OK && v->err != NULL && v->err->line > 0)
        tni_err_where(v->err, "line %d", (int)v->err->line);
    if (status != TN_OK) return status;
    const uint32_t notes = v->d->notes.n;
    v->d->variant = "csv";
    tni_json_init(&v->f.j, json.p, json.len, v->d->limits.max_nesting, v->err);
    status = read_top(v);
    restore_places(v, rows, n);
    for (uint32_t i = notes; i < v->d->notes.n; i++) {
        uint64_t *where = &TNI_ROW(&v->d->notes, tni_note, i)->where;
        *where = tni_where(
            v->f.source,
            tni_via_csv_offset(rows, n, *where & ((UINT64_C(1) << 40) - 1)));
    }
    if (status == TN_OK || v->err == NULL) return status;
    v->err->offset = tni_via_csv_offset(rows, n, v->err->offset);
    if (v->err->line > 0) tni_err_where(v->err, "line %d", (int)v->err->line);
    return status;
}

tn_status tni_via_read(tni_reader *r, tn_err *err)
{
    via v;
    memset(&v, 0, sizeof v);
    v.r = r;
    v.d = r->d;
    v.err = err;
    const char *path = r->path;
    if (r->is_dir) TN_TRY(file_in(r, &path, err));
    v.folder = tni_folder_of(r, path);
    v.draft = tni_draft_new(&r->scratch, err);
    if (v.draft == NULL || v.folder == NULL) return no_memory(err);
    tni_classes_init(&v.classes, r);
    TN_TRY(tni_jsonfile_open(&v.f, r, path, err));
    r->d->variant = "json";
    const tni_span all = {v.f.j.start, (size_t)(v.f.j.end - v.f.j.start)};
    const tn_status status =
        tni_via_is_csv(all) ? read_table(&v) : read_top(&v);
    if (status != TN_OK) tni_err_where(err, "%s", path);
    return status;
}
