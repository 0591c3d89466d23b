/* SPDX-License-Identifier: Apache-2.0 */
/* cvat_shapes.c - one shape of CVAT into the dataset */
#include "data/formats/cvat.h"

#include "base/checked.h"
#include "base/num.h"

#include <stdio.h>

enum { MAX_MASK = 1 << 28 };

const char *const tni_cvat_reserved[] = {
    "label", "source",  "occluded", "z_order", "group_id", "rotation",
    "frame", "outside", "keyframe", "xtl",     "ytl",      "xbr",
    "ybr",   "points",  "cx",       "cy",      "rx",       "ry",
    "rle",   "left",    "top",      "width",   "height",   "xtl1",
    "ytl1",  "xbl1",    "ybl1",     "xtr1",    "ytr1",     "xbr1",
    "ybr1",  "xtl2",    "ytl2",     "xbl2",    "ybl2",     "xtr2",
    "ytr2",  "xbr2",    "ybr2",     NULL};

static const char *const edges[] = {"xtl", "ytl", "xbr", "ybr"};

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static bool is_among(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(*list, name) == 0) return true;
    return false;
}

bool tni_cvat_is_shape(const char *name)
{
    static const char *const shapes[] = {
        "box",     "polygon", "polyline", "points",   "cuboid",
        "ellipse", "mask",    "tag",      "skeleton", NULL};
    return is_among(name, shapes);
}

const char *tni_cvat_attr(const tni_xnode *n, const char *name)
{
    return tni_xml_attr(n->attrs, name);
}

tn_status tni_cvat_f64(const tni_xtree *t, const tni_xnode *n, const char *name,
                       double *v)
{
    const char *text = tni_cvat_attr(n, name);
    if (text == NULL)
        return tni_xnode_fail(t, n, "<%.40s> has no attribute '%s'", n->name,
                              name);
    if (tni_field_f64(tni_trim(tni_span_of(text)), v)) return TN_OK;
    return tni_xnode_fail(t, n, "%s is '%.40s', expected a finite number", name,
                          text);
}

/* A number that need not be there. */
static tn_status optional(const tni_xtree *t, const tni_xnode *n,
                          const char *name, double *v)
{
    *v = 0.0;
    const char *text = tni_cvat_attr(n, name);
    if (text == NULL || text[0] == '\0') return TN_OK;
    return tni_cvat_f64(t, n, name, v);
}

static tn_status flag_of(const tni_xtree *t, const tni_xnode *n,
                         const char *name, bool *set)
{
    const char *text = tni_cvat_attr(n, name);
    *set = false;
    if (text == NULL || strcmp(text, "0") == 0 || strcmp(text, "False") == 0 ||
        strcmp(text, "false") == 0)
        return TN_OK;
    *set = strcmp(text, "1") == 0 || strcmp(text, "True") == 0 ||
           strcmp(text, "true") == 0;
    if (*set) return TN_OK;
    return tni_xnode_fail(t, n, "%s is '%.40s', expected 0 or 1", name, text);
}

/* --- points -------------------------------------------------------------------- */

/* "x,y;x,y" */
static tn_status check_points(const tni_xtree *t, const tni_xnode *n,
                              const char *text, size_t *count)
{
    tni_span rest = tni_trim(tni_span_of(text)), xy[2];
    *count = 0;
    while (rest.len > 0) {
        const char *semi = memchr(rest.p, ';', rest.len);
        const tni_span one = {rest.p, semi != NULL ? (size_t)(semi - rest.p)
                                                   : rest.len};
        double x = 0.0, y = 0.0;
        if (tni_fields_at(one, ',', xy, 2) != 2 || !tni_field_f64(xy[0], &x) ||
            !tni_field_f64(xy[1], &y))
            return tni_xnode_fail(t, n,
                                  "a point is '%.*s', expected two finite "
                                  "numbers: x,y",
                                  one.len > 40 ? 40 : (int)one.len, one.p);
        ++*count;
        const size_t used = one.len + (semi != NULL ? 1 : 0);
        rest.p += used;
        rest.len -= used;
    }
    return TN_OK;
}

static tn_status set_shape(tni_cvat *c, uint32_t ann, tni_span text,
                           tn_shape_kind kind, tni_layout layout)
{
    tni_shape s;
    if (text.len > UINT32_MAX)
        return tni_fail(c->err, TN_ELIMIT, "a shape is too long");
    memset(&s, 0, sizeof s);
    s.text = text.p;
    s.len = (uint32_t)text.len;
    s.kind = (uint8_t)kind;
    s.layout = (unsigned)layout & 15u;
    return tni_set_shape(c->d, ann, &s, c->err);
}

static tn_status set_points(tni_cvat *c, const tni_xtree *t, const tni_xnode *n,
                            uint32_t ann, tn_shape_kind kind)
{
    size_t count = 0;
    tni_span text;
    const char *points = tni_cvat_attr(n, "points");
    if (points == NULL)
        return tni_xnode_fail(t, n, "<%s> has no attribute 'points'", n->name);
    TN_TRY(check_points(t, n, points, &count));
    if (count == 0) return tni_xnode_fail(t, n, "<%s> has no points", n->name);
    text.len = strlen(points);
    text.p = tni_keep(c->d, points, text.len);
    if (text.p == NULL) return no_memory(c->err);
    return set_shape(c, ann, text, kind, TNI_LAYOUT_FLAT);
}

static tn_status set_numbers(tni_cvat *c, uint32_t ann, const double *list,
                             size_t n, tn_shape_kind kind)
{
    tni_span text;
    tni_out *o = tni_draft_begin(c->draft);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_str(o, ",");
        tni_out_f64(o, list[i]);
    }
    TN_TRY(tni_draft_keep(c->draft, c->d, &text));
    return set_shape(c, ann, text, kind, TNI_LAYOUT_FLAT);
}

static tn_status set_list(tni_cvat *c, const tni_xtree *t, const tni_xnode *n,
                          uint32_t ann, const char *const *names, size_t count,
                          tn_shape_kind kind)
{
    double list[17];
    for (size_t i = 0; i < count; i++)
        TN_TRY(tni_cvat_f64(t, n, names[i], &list[i]));
    if (kind == TN_SHAPE_ELLIPSE) {
        TN_TRY(optional(t, n, "rotation", &list[count]));
        if (list[count] != 0.0) count++;
    }
    return set_numbers(c, ann, list, count, kind);
}

/* --- masks ------------------------------------------------------------------------ */

/* Rows of the part, runs of off, on, off, ... */
static tn_status read_runs(const tni_xtree *t, const tni_xnode *n,
                           const char *text, tni_patch *p)
{
    const int64_t size = p->w * p->h;
    int64_t at = 0;
    bool on = false;
    while (*text != '\0') {
        const size_t len = strcspn(text, ",");
        const tni_span whole = {text, len}, field = tni_trim(whole);
        int64_t run = 0;
        if (!tni_field_i64(field, &run) || run < 0 || run > size - at)
            return tni_xnode_fail(t, n,
                                  "a run of the mask is '%.*s', expected a "
                                  "number of pixels, in all %lld",
                                  field.len > 40 ? 40 : (int)field.len, field.p,
                                  (long long)size);
        memset(p->pixels + at, on ? 1 : 0, (size_t)run);
        at += run;
        on = !on;
        text += len + (text[len] == ',' ? 1 : 0);
    }
    if (at == size) return TN_OK;
    return tni_xnode_fail(t, n,
                          "the runs of a mask have %lld pixels, its %lld x "
                          "%lld ask for %lld",
                          (long long)at, (long long)p->w, (long long)p->h,
                          (long long)size);
}

static tn_status whole_of(const tni_xtree *t, const tni_xnode *n,
                          const char *name, int64_t *v)
{
    double x = 0.0;
    TN_TRY(tni_cvat_f64(t, n, name, &x));
    if (!(x >= -1e9 && x <= 1e9) || x != (double)(int64_t)x)
        return tni_xnode_fail(t, n, "%s is no whole number of pixels", name);
    *v = (int64_t)x;
    return TN_OK;
}

static tn_status set_mask(tni_cvat *c, const tni_xtree *t, const tni_xnode *n,
                          uint32_t image, uint32_t ann)
{
    tni_patch p = {NULL, 0, 0, 0, 0};
    double w = 0.0, h = 0.0;
    tni_span text;
    const char *rle = tni_cvat_attr(n, "rle");
    TN_TRY(whole_of(t, n, "left", &p.x));
    TN_TRY(whole_of(t, n, "top", &p.y));
    TN_TRY(whole_of(t, n, "width", &p.w));
    TN_TRY(whole_of(t, n, "height", &p.h));
    if (rle == NULL)
        return tni_xnode_fail(t, n, "<mask> has no attribute 'rle'");
    if (p.w < 1 || p.h < 1 || p.w * p.h > MAX_MASK)
        return tni_xnode_fail(t, n, "a mask of %lld x %lld pixels",
                              (long long)p.w, (long long)p.h);
    if (!tni_image_extent(c->d, image, &w, &h))
        return tni_xnode_fail(t, n,
                              "there is a mask, but the image has no width and "
                              "height");
    const tni_arena_mark mark = tni_arena_save(&c->scratch);
    p.pixels = tni_arena_alloc(&c->scratch, (size_t)(p.w * p.h), 1);
    if (p.pixels == NULL) return no_memory(c->err);
    TN_TRY(read_runs(t, n, rle, &p));
    const tn_status status = tni_patch_put(tni_draft_begin(c->draft), &p,
                                           (int64_t)w, (int64_t)h, c->err);
    if (status == TN_EFORMAT) {
        char what[200];
        (void)snprintf(what, sizeof what, "%.190s",
                       c->err != NULL ? c->err->message : "");
        return tni_xnode_fail(t, n, "%s", what);
    }
    TN_TRY(status);
    TN_TRY(tni_draft_keep(c->draft, c->d, &text));
    tni_arena_rewind(&c->scratch, mark);
    return set_shape(c, ann, text, TN_SHAPE_RLE, TNI_LAYOUT_RLE);
}

/* --- skeletons ---------------------------------------------------------------------- */

static tn_status point_of(tni_cvat *c, const tni_xtree *t, const tni_xnode *n,
                          double out[3])
{
    size_t count = 0;
    bool outside = false, occluded = false;
    tni_span xy[2];
    const char *points = tni_cvat_attr(n, "points");
    if (points == NULL)
        return tni_xnode_fail(t, n, "a point of a skeleton has no 'points'");
    TN_TRY(check_points(t, n, points, &count));
    if (count != 1)
        return tni_xnode_fail(t, n,
                              "a point of a skeleton has %zu points, expected "
                              "1",
                              count);
    (void)tni_fields_at(tni_trim(tni_span_of(points)), ',', xy, 2);
    const char *semi = memchr(xy[1].p, ';', xy[1].len);
    if (semi != NULL) xy[1].len = (size_t)(semi - xy[1].p);
    (void)!tni_field_f64(xy[0], &out[0]);
    (void)!tni_field_f64(tni_trim(xy[1]), &out[1]);
    TN_TRY(flag_of(t, n, "outside", &outside));
    TN_TRY(flag_of(t, n, "occluded", &occluded));
    out[2] = outside ? 0.0 : occluded ? 1.0 : 2.0;
    (void)c;
    return TN_OK;
}

/* What an element of a skeleton has beyond its place. */
static bool has_more(const tni_xnode *n)
{
    static const char *const ours[] = {
        "label",  "source",   "occluded", "z_order",  "outside",
        "points", "keyframe", "frame",    "rotation", NULL};
    for (size_t i = 0; n->attrs[i] != NULL; i += 2)
        if (!is_among(n->attrs[i], ours)) return true;
    return n->first != NULL;
}

tn_status tni_cvat_set_points(tni_cvat *c, const tni_cvat_shape *s,
                              uint32_t ann, const tni_xnode *const *elements,
                              size_t n)
{
    const bool add = tni_class_at(c->d, s->cls)->n_keypoints == 0;
    double(*list)[3] =
        tni_arena_array(&c->scratch, 1024, sizeof *list, _Alignof(double));
    if (list == NULL) return no_memory(c->err);
    for (size_t i = 0; i < n; i++) {
        uint32_t k = 0;
        TN_TRY(tni_cvat_point(c, s->t, elements[i], s->cls, add, &k));
        TN_TRY(point_of(c, s->t, elements[i], list[k]));
    }
    const uint32_t count = tni_class_at(c->d, s->cls)->n_keypoints;
    tni_shape cell;
    tni_span text;
    tni_out *o = tni_draft_begin(c->draft);
    for (uint32_t k = 0; k < count; k++)
        for (int j = 0; j < 3; j++) {
            if (k > 0 || j > 0) tni_out_str(o, ",");
            tni_out_f64(o, list[k][j]);
        }
    TN_TRY(tni_draft_keep(c->draft, c->d, &text));
    memset(&cell, 0, sizeof cell);
    cell.text = text.p;
    cell.len = (uint32_t)text.len;
    cell.kind = TN_SHAPE_POINTS;
    cell.dims = 3;
    if (count > 0) TN_TRY(tni_set_keypoints(c->d, ann, &cell, c->err));
    for (size_t i = 0; i < n; i++) {
        if (!has_more(elements[i])) continue;
        o = tni_draft_begin(c->draft);
        tni_out_str(o, "\"element\": ");
        tni_xnode_put_json(o, elements[i]);
        TN_TRY(tni_draft_keep(c->draft, c->d, &text));
        TN_TRY(tni_set_text(c->d, ann, TN_TEXT_EXTRA, text, c->err));
    }
    return TN_OK;
}

static tn_status set_skeleton(tni_cvat *c, const tni_cvat_shape *s,
                              const tni_xnode *n, uint32_t ann)
{
    size_t count = 0;
    const tni_xnode *list[1024];
    if (s->cls == TN_NONE)
        return tni_xnode_fail(s->t, n, "a skeleton has no label");
    for (const tni_xnode *e = n->first; e != NULL; e = e->next) {
        if (tni_xnode_is(e, "attribute")) continue;
        if (count == 1024)
            return tni_xnode_fail(s->t, n, "more than 1024 points");
        list[count++] = e;
    }
    /* Those of a track are in tracks of their own. */
    return count > 0 ? tni_cvat_set_points(c, s, ann, list, count) : TN_OK;
}

/* --- attributes ------------------------------------------------------------------------ */

static void put_value(const tni_cvat *c, tni_out *o, uint32_t cls,
                      const char *name, tni_span text)
{
    const int type = tni_cvat_type_of(c, cls, name);
    const bool word = tni_span_is(text, "true") || tni_span_is(text, "false");
    if (type == TNI_CVAT_CHECKBOX ? word : type == TNI_CVAT_NUMBER && !word)
        tni_put_typed(o, text);
    else
        tni_out_json(o, text.p, text.len);
}

static tn_status set_attributes(tni_cvat *c, const tni_cvat_shape *s,
                                const tni_xnode *n, uint32_t ann)
{
    bool any = false;
    tni_span text;
    tni_out *o = tni_draft_begin(c->draft);
    for (const tni_xnode *a = n->first; a != NULL; a = a->next) {
        if (!tni_xnode_is(a, "attribute")) continue;
        const char *name = tni_cvat_attr(a, "name");
        if (name == NULL || a->text.p == NULL)
            return tni_xnode_fail(s->t, a,
                                  name == NULL ? "an <attribute> has no name"
                                               : "an <attribute> has elements "
                                                 "in it, expected text");
        tni_out_str(o, any ? ", " : "{");
        any = true;
        tni_out_json(o, name, strlen(name));
        tni_out_str(o, ": ");
        put_value(c, o, s->cls, name, a->text);
    }
    if (!any) return TN_OK;
    tni_out_str(o, "}");
    TN_TRY(tni_draft_keep(c->draft, c->d, &text));
    return tni_set_text(c->d, ann, TN_TEXT_ATTRIBUTES, text, c->err);
}

static tn_status keep_attr(tni_cvat *c, uint32_t ann, const char *key,
                           const char *value)
{
    tni_span text;
    tni_out *o = tni_draft_begin(c->draft);
    tni_out_json(o, key, strlen(key));
    tni_out_str(o, ": ");
    tni_out_json(o, value, strlen(value));
    TN_TRY(tni_draft_keep(c->draft, c->d, &text));
    return tni_set_text(c->d, ann, TN_TEXT_EXTRA, text, c->err);
}

static tn_status keep_rest(tni_cvat *c, const tni_cvat_shape *s,
                           const tni_xnode *n, uint32_t ann)
{
    const char *source = tni_cvat_attr(n, "source");
    const char *keyframe = tni_cvat_attr(n, "keyframe");
    tni_span text;
    if (source == NULL) source = s->source;
    if (source != NULL && strcmp(source, "manual") != 0)
        TN_TRY(keep_attr(c, ann, "source", source));
    if (keyframe != NULL && strcmp(keyframe, "1") != 0)
        TN_TRY(keep_attr(c, ann, "keyframe", keyframe));
    for (size_t i = 0; n->attrs[i] != NULL; i += 2)
        if (!is_among(n->attrs[i], tni_cvat_reserved))
            TN_TRY(keep_attr(c, ann, n->attrs[i], n->attrs[i + 1]));
    for (const tni_xnode *e = n->first; e != NULL; e = e->next) {
        if (tni_xnode_is(e, "attribute") || tni_xnode_is(n, "skeleton"))
            continue;
        tni_out *o = tni_draft_begin(c->draft);
        tni_out_json(o, e->name, strlen(e->name));
        tni_out_str(o, ": ");
        tni_xnode_put_json(o, e);
        TN_TRY(tni_draft_keep(c->draft, c->d, &text));
        TN_TRY(tni_set_text(c->d, ann, TN_TEXT_EXTRA, text, c->err));
    }
    return TN_OK;
}

/* --- one shape --------------------------------------------------------------------------- */

static tn_status set_geometry(tni_cvat *c, const tni_cvat_shape *s,
                              const tni_xnode *n, uint32_t ann)
{
    static const char *const ellipse[] = {"cx", "cy", "rx", "ry"};
    if (tni_xnode_is(n, "polygon"))
        return set_points(c, s->t, n, ann, TN_SHAPE_POLYGON);
    if (tni_xnode_is(n, "polyline"))
        return set_points(c, s->t, n, ann, TN_SHAPE_POLYLINE);
    if (tni_xnode_is(n, "points"))
        return set_points(c, s->t, n, ann, TN_SHAPE_POINTS);
    if (tni_xnode_is(n, "ellipse"))
        return set_list(c, s->t, n, ann, ellipse, 4, TN_SHAPE_ELLIPSE);
    if (tni_xnode_is(n, "cuboid"))
        return set_list(c, s->t, n, ann, tni_cvat_reserved + 23, 16,
                        TN_SHAPE_CUBOID);
    if (tni_xnode_is(n, "mask")) return set_mask(c, s->t, n, s->image, ann);
    if (tni_xnode_is(n, "skeleton")) return set_skeleton(c, s, n, ann);
    return TN_OK;
}

tn_status tni_cvat_read_shape(tni_cvat *c, const tni_cvat_shape *s,
                              const tni_xnode *n, uint32_t *ann)
{
    tni_ann a;
    double z = 0.0, group = 0.0, turn = 0.0;
    bool occluded = false, outside = false;
    memset(&a, 0, sizeof a);
    a.image = s->image;
    a.class_index = s->cls;
    a.where = tni_xnode_where(s->t, n);
    TN_TRY(flag_of(s->t, n, "occluded", &occluded));
    TN_TRY(flag_of(s->t, n, "outside", &outside));
    TN_TRY(optional(s->t, n, "z_order", &z));
    TN_TRY(optional(s->t, n, "group_id", &group));
    if (occluded) a.flags |= TN_IS_OCCLUDED;
    if (outside) a.flags |= TN_IS_NEGATIVE;
    if (tni_xnode_is(n, "tag")) a.flags |= TN_IS_TAG;
    /* Other shapes have a box of their own where it is not the one around. */
    if (tni_xnode_is(n, "box") ||
        (!tni_xnode_is(n, "tag") && tni_cvat_attr(n, "xtl") != NULL)) {
        for (int i = 0; i < 4; i++)
            TN_TRY(tni_cvat_f64(s->t, n, edges[i], &a.box[i]));
        a.flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY);
    }
    if (tni_xnode_is(n, "box")) TN_TRY(optional(s->t, n, "rotation", &turn));
    TN_TRY(tni_add_annotation(c->d, &a, ann, c->err));
    if (turn != 0.0)
        TN_TRY(tni_set_num(c->d, *ann, TN_NUM_ANGLE, turn, c->err));
    if (z != 0.0) TN_TRY(tni_set_num(c->d, *ann, TN_NUM_Z, z, c->err));
    if (group == 0.0) group = s->group;
    if (group != 0.0)
        TN_TRY(tni_set_num(c->d, *ann, TN_NUM_GROUP, group, c->err));
    if (s->tracked)
        TN_TRY(tni_set_num(c->d, *ann, TN_NUM_TRACK, s->track, c->err));
    TN_TRY(set_geometry(c, s, n, *ann));
    TN_TRY(set_attributes(c, s, n, *ann));
    return keep_rest(c, s, n, *ann);
}
