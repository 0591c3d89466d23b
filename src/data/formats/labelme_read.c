/* SPDX-License-Identifier: Apache-2.0 */
/* labelme_read.c - LabelMe files into the dataset */
#include "data/formats/labelme.h"

#include "data/base64.h"
#include "tenon/image.h"

#include <math.h>

typedef struct labelme {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_jsonfile f;
    tni_classes classes;
    tni_strmap seen; /* names of images that a file is about */
    tni_draft *draft;
    tni_arena pixels;   /* of one mask */
    const char *folder; /* of the file, from the dataset's; "" */
    bool at_top;        /* one file was named: its images lie beside it */
} labelme;

typedef struct record {
    const char *label, *type;
    tni_span points, flags, attributes, mask;
    const char *at;
    double group, score;
    bool grouped, scored, difficult, extras;
} record;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- shapes -------------------------------------------------------------- */

/* One member; *taken false when it is none of ours. */
static tn_status read_member(labelme *l, tni_json *j, record *rec, tni_span key,
                             bool *taken)
{
    const char kind = tni_json_peek(j);
    *taken = true;
    if (tni_span_is(key, "label") && kind == '"')
        return tni_jsonfile_text(&l->f, j, &rec->label);
    if (tni_span_is(key, "shape_type") && kind == '"')
        return tni_jsonfile_text(&l->f, j, &rec->type);
    if (tni_span_is(key, "points") && kind == '[') {
        (void)!tni_json_skip(j, &rec->points);
    } else if (tni_span_is(key, "group_id") && (kind == '0' || kind == 'n')) {
        rec->grouped = kind == '0';
        if (kind == 'n')
            (void)tni_json_null(j);
        else
            (void)!tni_json_f64(j, &rec->group);
    } else if (tni_span_is(key, "score") && (kind == '0' || kind == 'n')) {
        rec->scored = kind == '0';
        if (kind == 'n')
            (void)tni_json_null(j);
        else
            (void)!tni_json_f64(j, &rec->score);
    } else if (tni_span_is(key, "difficult") && (kind == 't' || kind == 'f')) {
        (void)!tni_json_bool(j, &rec->difficult);
    } else if (tni_span_is(key, "flags") && (kind == '{' || kind == 'n')) {
        (void)!tni_json_skip(j, &rec->flags);
    } else if (tni_span_is(key, "attributes") && kind == '{') {
        (void)!tni_json_skip(j, &rec->attributes);
    } else if (tni_span_is(key, "mask") && (kind == '"' || kind == 'n')) {
        (void)!tni_json_skip(j, &rec->mask);
    } else {
        *taken = false;
        (void)!tni_json_skip(j, NULL);
    }
    return j->status;
}

/* What read_member did not take; empty texts say nothing. */
static tn_status keep_extras(labelme *l, tni_json j, const record *rec,
                             uint32_t ann)
{
    tni_span key, raw;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        record scratch;
        tni_json ahead = j;
        bool taken = false;
        memset(&scratch, 0, sizeof scratch);
        TN_TRY(read_member(l, &ahead, &scratch, key, &taken));
        if (!tni_json_skip(&j, &raw)) break;
        const bool both = tni_span_is(key, "flags") &&
                          rec->attributes.p != NULL && !tni_json_is_empty(raw);
        if ((taken && !both) || tni_json_is_empty(raw)) continue;
        TN_TRY(tni_set_text(l->d, ann, TN_TEXT_EXTRA, tni_json_whole(key, raw),
                            l->err));
    }
    return j.status;
}

static tn_status wrong_points(labelme *l, const record *rec, size_t n,
                              const char *expected)
{
    tni_json j = tni_jsonfile_at(&l->f, rec->points);
    (void)tni_json_fail(&j, rec->points.p,
                        "a shape '%.40s' has %zu points, expected %s",
                        rec->type, n, expected);
    return j.status;
}

/* Runs from the pixels of a PNG in base64, its corner at x, y. */
static tn_status runs_of(labelme *l, tni_span text, uint32_t image, double x,
                         double y, tni_span *runs, tn_err *why)
{
    tni_span bytes = {NULL, 0};
    tn_image *png = NULL;
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    tn_image_opts o = TN_IMAGE_OPTS_INIT;
    tni_patch p;
    double w = 0.0, h = 0.0;
    if (!tni_image_extent(l->d, image, &w, &h))
        return tni_fail(why, TN_EFORMAT,
                        "a mask on an image whose size is not known");
    if (!(fabs(x) < 1e6 && fabs(y) < 1e6))
        return tni_fail(why, TN_EFORMAT, "a mask is far outside its image");
    o.limits = &l->d->limits;
    o.form = TN_IMAGE_GRAY8;
    TN_TRY(tni_base64_read(&bytes, &l->pixels, text, why));
    TN_TRY(tn_image_decode(&png, bytes.p, bytes.len, &o, why));
    tn_image_get_view(png, &view);
    p.x = (int64_t)x;
    p.y = (int64_t)y;
    p.w = view.width;
    p.h = view.height;
    p.pixels = tni_arena_alloc(&l->pixels, (size_t)(p.w * p.h), 1);
    for (int64_t k = 0; p.pixels != NULL && k < p.h; k++)
        memcpy(p.pixels + k * p.w,
               (const uint8_t *)view.pixels + (size_t)k * view.stride,
               (size_t)p.w);
    tn_image_free(png);
    if (p.pixels == NULL) return no_memory(why);
    TN_TRY(tni_patch_put(tni_draft_begin(l->draft), &p, (int64_t)w, (int64_t)h,
                         why));
    return tni_draft_keep(l->draft, l->d, runs);
}

static tn_status set_mask(labelme *l, const record *rec, uint32_t ann,
                          const double *xy)
{
    const tni_span text = {rec->mask.p + 1, rec->mask.len - 2};
    tni_span runs = {NULL, 0};
    tni_shape s;
    tn_err why;
    memset(&s, 0, sizeof s);
    memset(&why, 0, sizeof why);
    const tn_status status =
        runs_of(l, text, tni_ann_at(l->d, ann)->image, fmin(xy[0], xy[2]),
                fmin(xy[1], xy[3]), &runs, &why);
    tni_arena_reset(&l->pixels);
    if (status == TN_ENOMEM) return no_memory(l->err);
    if (status != TN_OK) {
        tni_json j = tni_jsonfile_at(&l->f, rec->mask);
        (void)tni_json_fail(&j, rec->mask.p, "%.150s", why.message);
        return j.status;
    }
    s.text = runs.p;
    s.len = (uint32_t)runs.len;
    s.kind = TN_SHAPE_RLE;
    s.layout = TNI_LAYOUT_RLE;
    return tni_set_shape(l->d, ann, &s, l->err);
}

static tn_status set_points(labelme *l, const record *rec, uint32_t ann,
                            tn_shape_kind kind)
{
    tni_shape s;
    memset(&s, 0, sizeof s);
    if (rec->points.len > UINT32_MAX)
        return tni_fail(l->err, TN_ELIMIT, "a shape of over 4 GiB");
    s.text = rec->points.p;
    s.len = (uint32_t)rec->points.len;
    s.kind = (uint8_t)kind;
    s.layout = TNI_LAYOUT_PAIRS;
    return tni_set_shape(l->d, ann, &s, l->err);
}

/* From centre and a point of the rim. */
static tn_status set_circle(labelme *l, uint32_t ann, const double *xy)
{
    tni_span text = {NULL, 0};
    const double radius = hypot(xy[2] - xy[0], xy[3] - xy[1]);
    tni_out *o = tni_draft_begin(l->draft);
    const double v[4] = {xy[0], xy[1], radius, radius};
    for (int k = 0; k < 4; k++) {
        if (k > 0) tni_out_str(o, ", ");
        tni_out_f64(o, v[k]);
    }
    TN_TRY(tni_draft_keep(l->draft, l->d, &text));
    tni_shape s;
    memset(&s, 0, sizeof s);
    s.text = text.p;
    s.len = (uint32_t)text.len;
    s.kind = TN_SHAPE_ELLIPSE;
    return tni_set_shape(l->d, ann, &s, l->err);
}

static bool is(const record *rec, const char *type)
{
    return strcmp(rec->type, type) == 0;
}

/* Corners of a box of two or four points; false when it is turned. */
static bool upright(const double *xy, size_t n, double box[4])
{
    box[0] = box[2] = xy[0];
    box[1] = box[3] = xy[1];
    for (size_t i = 1; i < n; i++) {
        box[0] = fmin(box[0], xy[2 * i]);
        box[1] = fmin(box[1], xy[2 * i + 1]);
        box[2] = fmax(box[2], xy[2 * i]);
        box[3] = fmax(box[3], xy[2 * i + 1]);
    }
    for (size_t i = 0; n == 4 && i < 4; i++) {
        const size_t k = (i + 1) % 4;
        if ((xy[2 * i] != xy[2 * k]) == (xy[2 * i + 1] != xy[2 * k + 1]))
            return false;
    }
    return true;
}

static tn_status add_geometry(labelme *l, const record *rec, tni_ann *a,
                              uint32_t *ann)
{
    double xy[8];
    size_t n = 0;
    tni_json j = tni_jsonfile_at(&l->f, rec->points);
    if (!tni_json_points(&j, &n)) return j.status;
    j = tni_jsonfile_at(&l->f, rec->points);
    if (tni_json_enter(&j, '['))
        for (size_t i = 0; i < 4 && tni_json_item(&j); i++) {
            size_t two = 0;
            if (!tni_json_vector(&j, xy + 2 * i, 2, &two)) return j.status;
        }
    if (is(rec, "rectangle")) {
        if (n != 2 && n != 4) return wrong_points(l, rec, n, "2");
        if (upright(xy, n, a->box)) {
            a->flags |=
                TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY) | TNI_SCALE(TN_SCALE_PIXEL);
            return tni_add_annotation(l->d, a, ann, l->err);
        }
        TN_TRY(tni_add_annotation(l->d, a, ann, l->err));
        return set_points(l, rec, *ann, TN_SHAPE_QUAD);
    }
    TN_TRY(tni_add_annotation(l->d, a, ann, l->err));
    if (is(rec, "circle") || is(rec, "mask")) {
        if (n != 2) return wrong_points(l, rec, n, "2");
        if (is(rec, "circle")) return set_circle(l, *ann, xy);
        if (rec->mask.p != NULL && rec->mask.p[0] == '"')
            return set_mask(l, rec, *ann, xy);
        (void)tni_json_fail(&j, rec->at, "a shape 'mask' has no mask");
        return j.status;
    }
    if (is(rec, "oriented_rectangle") || is(rec, "rotation")) {
        if (n != 4) return wrong_points(l, rec, n, "4");
        return set_points(l, rec, *ann, TN_SHAPE_QUAD);
    }
    if (n == 0) return wrong_points(l, rec, n, "at least 1");
    if (is(rec, "point") || is(rec, "points"))
        return set_points(l, rec, *ann, TN_SHAPE_POINTS);
    if (is(rec, "line") || is(rec, "linestrip"))
        return set_points(l, rec, *ann, TN_SHAPE_POLYLINE);
    if (is(rec, "polygon")) return set_points(l, rec, *ann, TN_SHAPE_POLYGON);
    (void)tni_json_fail(&j, rec->at,
                        "a shape_type '%.40s', expected polygon, rectangle, "
                        "circle, line, linestrip, point, points, mask or "
                        "oriented_rectangle",
                        rec->type);
    return j.status;
}

static tn_status read_shape(labelme *l, tni_json *j, uint32_t image)
{
    record rec;
    tni_ann a;
    tni_span key;
    memset(&rec, 0, sizeof rec);
    memset(&a, 0, sizeof a);
    (void)tni_json_peek(j);
    const tni_json begin = *j;
    rec.at = j->p;
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            bool taken = true;
            TN_TRY(read_member(l, j, &rec, key, &taken));
            rec.extras = rec.extras || !taken;
        }
    TN_TRY(j->status);
    /* Before 3.0 there was one type and it was not written. */
    if (rec.type == NULL) rec.type = "polygon";
    if (rec.label == NULL || rec.points.p == NULL) {
        (void)tni_json_fail(j, rec.at, "a shape has no '%s'",
                            rec.label == NULL ? "label" : "points");
        return j->status;
    }
    uint32_t ann = TN_NONE;
    a.image = image;
    a.where = tni_jsonfile_where(&l->f, rec.at);
    if (rec.difficult) a.flags |= TN_IS_DIFFICULT;
    TN_TRY(tni_class_named(&l->classes, tni_span_of(rec.label), a.where,
                           &a.class_index, l->err));
    TN_TRY(add_geometry(l, &rec, &a, &ann));
    if (rec.grouped)
        TN_TRY(tni_set_num(l->d, ann, TN_NUM_GROUP, rec.group, l->err));
    if (rec.scored)
        TN_TRY(tni_set_num(l->d, ann, TN_NUM_SCORE, rec.score, l->err));
    const tni_span attributes =
        rec.attributes.p != NULL ? rec.attributes : rec.flags;
    if (attributes.p != NULL && !tni_json_is_empty(attributes))
        TN_TRY(tni_set_text(l->d, ann, TN_TEXT_ATTRIBUTES, attributes, l->err));
    return rec.extras || (rec.attributes.p != NULL && rec.flags.p != NULL)
               ? keep_extras(l, begin, &rec, ann)
               : TN_OK;
}

/* --- files --------------------------------------------------------------- */

/* "folder/path" with forward slashes and without "." and "..", as far as that
 * stays inside; otherwise the path as it is. */
static const char *image_name(labelme *l, const char *path)
{
    const size_t size = strlen(l->folder) + strlen(path) + 2;
    char *out = tni_arena_alloc(&l->r->scratch, size, 1);
    if (out == NULL) return NULL;
    size_t n = strlen(l->folder);
    memcpy(out, l->folder, n);
    if (path[0] == '/' || path[0] == '\\' || path[0] == '\0' ||
        (path[0] != '\0' && path[1] == ':'))
        return tni_keep(l->d, path, strlen(path));
    for (const char *p = path; *p != '\0';) {
        const size_t len = strcspn(p, "/\\");
        if (len == 2 && p[0] == '.' && p[1] == '.') {
            if (n == 0) return tni_keep(l->d, path, strlen(path));
            while (n > 0 && out[n - 1] != '/') n--;
            if (n > 0) n--;
        } else if (len > 0 && !(len == 1 && p[0] == '.')) {
            if (n > 0) out[n++] = '/';
            memcpy(out + n, p, len);
            n += len;
        }
        p += len + (p[len] != '\0' ? 1 : 0);
    }
    return tni_keep(l->d, out, n);
}

static tn_status find_file(labelme *l, uint32_t image)
{
    const char *folders[3] = {NULL, NULL, NULL};
    int n = 0;
    if (l->r->images != NULL) folders[n++] = l->r->images;
    folders[n] = l->at_top ? tni_folder_of(l->r, l->r->path) : l->r->path;
    if (folders[n] == NULL) return no_memory(l->err);
    TN_TRY(tni_find_image(l->r, image, folders, l->err));
    tni_image_row *row = tni_image_at(l->d, image);
    if (row->frame == TN_FRAME_UNKNOWN && row->orientation > 1)
        row->frame = TN_FRAME_UPRIGHT;
    return TN_OK;
}

/* Everything of a file but its shapes. */
static tn_status read_top(labelme *l, tni_image_row *row, const char **path,
                          tni_span *shapes, tni_span *flags)
{
    tni_json *j = &l->f.j;
    tni_span key;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        const char kind = tni_json_peek(j);
        if (tni_span_is(key, "imagePath") && kind == '"')
            TN_TRY(tni_jsonfile_text(&l->f, j, path));
        else if (tni_span_is(key, "imageWidth"))
            TN_TRY(tni_jsonfile_size(&l->f, j, &row->width));
        else if (tni_span_is(key, "imageHeight"))
            TN_TRY(tni_jsonfile_size(&l->f, j, &row->height));
        else if (tni_span_is(key, "shapes") && kind == '[')
            (void)!tni_json_skip(j, shapes);
        else if (tni_span_is(key, "flags") && kind == '{')
            (void)!tni_json_skip(j, flags);
        else
            (void)!tni_json_skip(j, NULL);
    }
    TN_TRY(j->status);
    (void)tni_json_end(j);
    return j->status;
}

static tn_status keep_top(labelme *l, tni_json j, uint32_t image)
{
    static const char *const ours[] = {"version",     "imagePath", "imageWidth",
                                       "imageHeight", "shapes",    "flags"};
    tni_span key, raw;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        bool known = false;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            known = known || tni_span_is(key, ours[i]);
        if (known || tni_json_is_empty(raw)) continue;
        TN_TRY(tni_set_image_text(l->d, image, TN_TEXT_EXTRA,
                                  tni_json_whole(key, raw), l->err));
    }
    return j.status;
}

static tn_status mark_seen(labelme *l, const char *name)
{
    bool fresh = false;
    return tni_strmap_add(&l->seen, name, strlen(name), &fresh) != NULL
               ? TN_OK
               : no_memory(l->err);
}

static tn_status read_open(labelme *l, const char *file)
{
    const tni_json begin = l->f.j;
    tni_span shapes = {NULL, 0}, flags = {NULL, 0};
    tni_image_row row;
    const char *path = NULL;
    uint32_t image = TN_NONE;
    memset(&row, 0, sizeof row);
    TN_TRY(read_top(l, &row, &path, &shapes, &flags));
    row.where = tni_where(l->f.source, 0);
    if (shapes.p == NULL || path == NULL) {
        if (!l->at_top && shapes.p == NULL && path == NULL)
            return tni_note_add(l->d, row.where, "other-file", l->err,
                                "'%.200s' has neither shapes nor an "
                                "imagePath: it is not LabelMe's",
                                file);
        (void)tni_json_fail(&l->f.j, begin.p, "there is no '%s'",
                            shapes.p == NULL ? "shapes" : "imagePath");
        return l->f.j.status;
    }
    row.name = image_name(l, path);
    if (row.name == NULL) return no_memory(l->err);
    tni_json j = tni_jsonfile_at(&l->f, shapes);
    if (tni_json_is_empty(shapes)) row.state = TN_STATE_EMPTY;
    TN_TRY(tni_add_image(l->d, &row, &image, l->err));
    TN_TRY(mark_seen(l, row.name));
    TN_TRY(find_file(l, image));
    if (flags.p != NULL && !tni_json_is_empty(flags))
        TN_TRY(
            tni_set_image_text(l->d, image, TN_TEXT_ATTRIBUTES, flags, l->err));
    TN_TRY(keep_top(l, begin, image));
    if (tni_json_enter(&j, '['))
        while (tni_json_item(&j)) TN_TRY(read_shape(l, &j, image));
    return j.status;
}

static tn_status read_file(labelme *l, const char *path)
{
    TN_TRY(tni_jsonfile_open(&l->f, l->r, path, l->err));
    /* What macOS puts beside a file: "._x.json". */
    if (l->f.j.end - l->f.j.start >= 4 &&
        memcmp(l->f.j.start, "\0\5\26\7", 4) == 0 && !l->at_top)
        return tni_note_add(l->d, tni_where(l->f.source, 0), "other-file",
                            l->err, "'%.200s' is a shadow of macOS", path);
    const tn_status status = read_open(l, path);
    if (status != TN_OK) tni_err_where(l->err, "%s", path);
    return status;
}

/* Images that no file is about are not labelled yet. */
static tn_status add_unlabelled(labelme *l)
{
    const tni_found *list = NULL;
    size_t n = 0;
    TN_TRY(tni_walk(l->r, l->r->path, NULL, &list, &n, l->err));
    for (size_t i = 0; i < n; i++) {
        if (tni_strmap_find(&l->seen, list[i].name, strlen(list[i].name)) !=
            NULL)
            continue;
        tni_image_row row;
        uint32_t image = TN_NONE;
        memset(&row, 0, sizeof row);
        row.name = tni_keep(l->d, list[i].name, strlen(list[i].name));
        TN_TRY(tni_add_image(l->d, &row, &image, l->err));
        TN_TRY(find_file(l, image));
    }
    return TN_OK;
}

static tn_status read_all(labelme *l)
{
    const tni_found *list = NULL;
    size_t n = 0;
    if (!l->r->is_dir) {
        l->at_top = true;
        l->folder = "";
        TN_TRY(read_file(l, l->r->path));
        return tni_classes_sort(&l->classes, l->err);
    }
    TN_TRY(tni_walk(l->r, l->r->path, ".json", &list, &n, l->err));
    for (size_t i = 0; i < n; i++) {
        const char *slash = strrchr(list[i].name, '/');
        l->folder = slash != NULL
                        ? tni_arena_strndup(&l->r->scratch, list[i].name,
                                            (size_t)(slash - list[i].name))
                        : "";
        if (l->folder == NULL) return no_memory(l->err);
        TN_TRY(read_file(l, list[i].path));
        TN_TRY(tni_reader_progress(l->r, i, n, l->err));
    }
    if (l->d->images.n == 0)
        return tni_fail(l->err, TN_ENOTFOUND,
                        "the folder has no LabelMe file; expected *.json with "
                        "shapes and imagePath");
    TN_TRY(add_unlabelled(l));
    return tni_classes_sort(&l->classes, l->err);
}

tn_status tni_labelme_read(tni_reader *r, tn_err *err)
{
    labelme l;
    memset(&l, 0, sizeof l);
    l.r = r;
    l.d = r->d;
    l.err = err;
    l.draft = tni_draft_new(&r->scratch, err);
    if (l.draft == NULL) return TN_ENOMEM;
    tni_classes_init(&l.classes, r);
    tni_strmap_init(&l.seen, &r->scratch);
    tni_arena_init(&l.pixels, &r->d->mem, 1 << 14);
    const tn_status status = read_all(&l);
    tni_arena_fini(&l.pixels);
    return status;
}
