/* SPDX-License-Identifier: Apache-2.0 */
/* supervisely_write.c - the dataset as a Supervisely project */
#include "data/formats/supervisely.h"

#include <math.h>
#include <stdio.h>

typedef struct sly {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_target *t;
    tni_out *o;
    tni_arena work; /* of one object */
    tn_shape shape;
    uint8_t *tags;      /* per class: something whole has it */
    const char **drawn; /* per class: the one type of its objects, "any" */
    double quad[5];     /* of the row at hand: corner, sides, degrees */
    bool any;
} sly;

static void str(sly *s, const char *text)
{
    tni_out_str(s->o, text);
}

static void text(sly *s, const char *t)
{
    tni_out_json(s->o, t, strlen(t));
}

static const tni_span *text_of(const tni_sparse *s, uint32_t row)
{
    return tni_sparse_find(s, row, 0);
}

/* The member kept of a row, from its key on. */
static const tni_span *member_of(const tni_sparse *s, uint32_t row,
                                 const char *key)
{
    const size_t n = strlen(key);
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, row, k);
        if (m == NULL || (m->len > n + 2 && memcmp(m->p + 1, key, n) == 0 &&
                          m->p[n + 1] == '"'))
            return m;
    }
}

/* The value of such a member, when it is of this kind. */
static bool value_of(const tni_sparse *s, uint32_t row, const char *key,
                     char kind, tni_span *value)
{
    const tni_span *m = member_of(s, row, key);
    if (m == NULL) return false;
    size_t at = strlen(key) + 2;
    while (at < m->len && strchr(" \t\r\n:", m->p[at]) != NULL) at++;
    value->p = m->p + at;
    value->len = m->len - at;
    return at < m->len && m->p[at] == kind;
}

/* --- what types there are ------------------------------------------------------------ */

/* The size of an image; where nobody says, that of the first mask on it. */
static bool size_of(sly *s, uint32_t image, double *w, double *h)
{
    size_t n = 0;
    const uint32_t *list = tn_dataset_of_image(s->d, image, &n);
    if (tni_image_extent(s->d, image, w, h)) return true;
    for (size_t k = 0; k < n; k++) {
        tn_shape mask = TN_SHAPE_INIT;
        if (tn_dataset_shape_kind(s->d, list[k]) != TN_SHAPE_RLE) continue;
        const bool ok = tn_dataset_shape(s->d, list[k], &mask, NULL) == TN_OK;
        *w = (double)mask.width;
        *h = (double)mask.height;
        tn_shape_fini(&mask);
        if (ok) return true;
    }
    return false;
}

/* A bitmap may not leave its image. */
static bool mask_fits(sly *s, uint32_t i)
{
    double w = 0.0, h = 0.0;
    return size_of(s, tni_ann_at(s->d, i)->image, &w, &h) &&
           (double)s->shape.width <= w && (double)s->shape.height <= h;
}

/* How a row is drawn; NULL: it is none of an object's geometries. */
static const char *type_of(sly *s, uint32_t i)
{
    const uint32_t flags = *tni_flags_at(s->d, i);
    const tni_shape *cell = (flags & TN_HAS_SHAPE) != 0
                                ? tni_sparse_find(&s->d->shape, i, 0)
                                : NULL;
    const bool boxed = (flags & TN_HAS_BOX) != 0;
    const char *upright = boxed ? "rectangle" : NULL;
    tni_span value;
    double b[4];
    if ((flags & (TN_IS_TAG | TN_IS_NEGATIVE)) != 0 ||
        tni_ann_at(s->d, i)->class_index == TN_NONE)
        return NULL;
    if (cell == NULL && !boxed && (flags & TN_HAS_KEYPOINTS) == 0)
        return value_of(&s->d->text[TN_TEXT_EXTRA], i, "geometryType", '"',
                        &value)
                   ? "" /* its type is among what it keeps */
                   : NULL;
    if (cell == NULL && (flags & TN_HAS_KEYPOINTS) != 0) {
        const tni_shape *points = tni_sparse_find(&s->d->keypoints, i, 0);
        if (points != NULL &&
            tn_dataset_keypoints(s->d, i, &s->shape, NULL) == TN_OK &&
            s->shape.n_points > 0)
            return "graph";
    }
    if (cell == NULL && (flags & TN_HAS_ANGLE) != 0) return "oriented_bbox";
    if (cell == NULL) return upright;
    if (tn_dataset_shape(s->d, i, &s->shape, NULL) != TN_OK) return upright;
    switch (s->shape.kind) {
    case TN_SHAPE_POLYGON: {
        size_t parts = 0;
        for (size_t r = 0; r < s->shape.n_rings; r++)
            parts += s->shape.ring_holes[r] == 0;
        if (parts > 0) return parts > 1 ? "multipolygon" : "polygon";
        break;
    }
    case TN_SHAPE_QUAD:
        return s->shape.n_points == 4 &&
                       tni_quad_is_rectangle(s->shape.xy, s->quad)
                   ? "oriented_bbox"
                   : "polygon";
    case TN_SHAPE_POLYLINE: return s->shape.n_points > 0 ? "line" : upright;
    case TN_SHAPE_POINTS: return s->shape.n_points == 1 ? "point" : upright;
    case TN_SHAPE_CUBOID:
        if (value_of(&s->d->text[TN_TEXT_EXTRA], i, "faces", '[', &value))
            return "cuboid";
        break;
    case TN_SHAPE_RLE:
        if (!mask_fits(s, i)) break;
        for (size_t r = 1; r < s->shape.n_runs; r += 2)
            if (s->shape.runs[r] > 0) return "bitmap";
        break;
    default: break;
    }
    return tn_dataset_box(s->d, i, b) != 0 && s->shape.kind != TN_SHAPE_POINTS
               ? "rectangle"
               : upright;
}

static tn_status look_at_rows(sly *s)
{
    for (uint32_t i = 0; i < s->d->anns.n; i++) {
        const uint32_t cls = tni_ann_at(s->d, i)->class_index;
        if (cls == TN_NONE || tni_ann_at(s->d, i)->image == TN_NONE) continue;
        if ((*tni_flags_at(s->d, i) & TN_IS_TAG) != 0) s->tags[cls] = 1;
        const char *type = type_of(s, i);
        if (type == NULL) continue;
        if (s->drawn[cls] == NULL)
            s->drawn[cls] = type;
        else if (strcmp(s->drawn[cls], type) != 0)
            s->drawn[cls] = "any";
        if (type[0] == '\0') s->drawn[cls] = "any";
    }
    return TN_OK;
}

/* --- meta.json ------------------------------------------------------------------------ */

/* A colour for each of a list, the same for the same place. */
static void put_color(sly *s, uint32_t i)
{
    static const char *const colors[] = {
        "E6194B", "3CB44B", "FFE119", "4363D8", "F58231", "911EB4",
        "46F0F0", "F032E6", "BCF60C", "FABEBE", "008080", "E6BEFF"};
    str(s, ", \"color\": \"#");
    str(s, colors[i % (sizeof colors / sizeof colors[0])]);
    str(s, "\"");
}

static void put_template(sly *s, uint32_t cls)
{
    const tni_class_row *row = tni_class_at(s->d, cls);
    str(s, ", \"geometry_config\": {\"nodes\": {");
    for (uint32_t k = 0; k < row->n_keypoints; k++) {
        str(s, k > 0 ? ", \"" : "\"");
        tni_out_i64(s->o, k);
        str(s, "\": {\"label\": ");
        if (row->keypoints != NULL) {
            text(s, row->keypoints[k]);
        } else {
            str(s, "\"");
            tni_out_i64(s->o, (int64_t)k + 1);
            str(s, "\"");
        }
        str(s, ", \"loc\": [");
        tni_out_i64(s->o, 10 * (int64_t)k);
        str(s, ", 0]");
        put_color(s, k);
        str(s, "}");
    }
    str(s, "}, \"edges\": []}");
}

static tn_status put_class(sly *s, uint32_t i)
{
    static const char *const same[] = {"title", "id", NULL};
    const tni_class_row *row = tni_class_at(s->d, i);
    const tni_sparse *extra = &s->d->class_text[TN_TEXT_EXTRA];
    tni_span shape;
    const char *drawn = s->drawn[i];
    const bool known = value_of(extra, i, "shape", '"', &shape);
    /* What was said holds as long as it is true of what is written. */
    const bool fits =
        known && (drawn == NULL || tni_span_is(shape, "\"any\"") ||
                  (shape.len == strlen(drawn) + 2 &&
                   memcmp(shape.p + 1, drawn, strlen(drawn)) == 0));
    const bool nodes = tni_sly_nodes(s->d, i, &s->work) != NULL &&
                       member_of(extra, i, "geometry_config") != NULL;
    str(s, s->any ? ",\n    {\"title\": " : "\n    {\"title\": ");
    s->any = true;
    text(s, row->name);
    if (!fits) {
        str(s, ", \"shape\": ");
        text(s, drawn != NULL ? drawn : row->n_keypoints > 0 ? "graph" : "any");
    }
    if (row->id_kind == TN_ID_INT) {
        str(s, ", \"id\": ");
        tni_out_i64(s->o, row->id);
    }
    if (member_of(extra, i, "color") == NULL) put_color(s, i);
    if (!nodes && row->n_keypoints > 0) put_template(s, i);
    if (fits && (nodes || row->n_keypoints == 0)) {
        tni_put_members(s->o, extra, i, same);
    } else {
        for (uint32_t k = 0;; k++) {
            const tni_span *m = tni_sparse_find(extra, i, k);
            bool skip = false;
            if (m == NULL) break;
            skip = (!fits && m->len > 7 && memcmp(m->p, "\"shape\"", 7) == 0) ||
                   (!nodes && row->n_keypoints > 0 && m->len > 17 &&
                    memcmp(m->p, "\"geometry_config\"", 17) == 0);
            if (skip) continue;
            str(s, ", ");
            tni_out_bytes(s->o, m->p, m->len);
        }
    }
    str(s, "}");
    return s->o->status;
}

/* The tags of attributes: names as in JSON, and how their values are. */
typedef struct tag_meta {
    struct tag_meta *next;
    tni_span name;
    char kind;
} tag_meta;

typedef struct tag_list {
    tni_strmap map;
    tag_meta *first, **end;
} tag_list;

static tn_status add_tag(sly *s, tag_list *list, tni_span name, char kind)
{
    bool fresh = false;
    void **slot = tni_strmap_add(&list->map, name.p, name.len, &fresh);
    if (slot == NULL) return tni_fail(s->err, TN_ENOMEM, "out of memory");
    if (!fresh) return TN_OK;
    tag_meta *t = TNI_NEW(&s->w->arena, tag_meta);
    if (t == NULL) return tni_fail(s->err, TN_ENOMEM, "out of memory");
    t->name = name;
    t->kind = kind;
    *slot = t;
    *list->end = t;
    list->end = &t->next;
    return TN_OK;
}

static tn_status add_tags(sly *s, tag_list *list, const tni_sparse *table)
{
    for (uint32_t i = 0; i < table->values.n; i++) {
        const tni_span *object = TNI_ROW(&table->values, tni_span, i);
        tni_json j;
        tni_span key;
        if (!tni_sly_plain_tags(*object, false)) continue;
        tni_json_init(&j, object->p, object->len, 0, NULL);
        if (!tni_json_enter(&j, '{')) continue;
        while (tni_json_key(&j, &key)) {
            const char kind = tni_json_peek(&j);
            TN_TRY(add_tag(s, list, key, kind));
            if (!tni_json_skip(&j, NULL)) break;
        }
    }
    return TN_OK;
}

/* The tags that the project said, each as it was; others after them. */
static tn_status put_tag_metas(sly *s)
{
    tag_list list;
    bool any = false;
    uint32_t n = 0;
    memset(&list, 0, sizeof list);
    tni_strmap_init(&list.map, &s->w->arena);
    list.end = &list.first;
    for (uint32_t i = 0; i < s->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&s->d->metas, tni_meta, i);
        tni_json j;
        tni_span one, name;
        if (strcmp(m->key, TNI_SLY_META "tags") != 0) continue;
        tni_json_init(&j, m->value.p, m->value.len, 0, NULL);
        if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) continue;
        while (tni_json_item(&j) && tni_json_skip(&j, &one)) {
            str(s, any ? ",\n    " : "\n    ");
            any = true;
            tni_out_bytes(s->o, one.p, one.len);
            if (!tni_json_member(one, "name", &name) || name.p[0] != '"')
                name = one;
            if (name.p[0] != '"') continue;
            const tni_span raw = {name.p + 1, name.len - 2};
            TN_TRY(add_tag(s, &list, raw, 0));
        }
    }
    tag_meta *said = list.first;
    while (said != NULL && said->next != NULL) said = said->next;
    TN_TRY(add_tags(s, &list, &s->d->image_text[TN_TEXT_ATTRIBUTES]));
    TN_TRY(add_tags(s, &list, &s->d->text[TN_TEXT_ATTRIBUTES]));
    for (uint32_t c = 0; c < s->d->classes.n; c++) {
        const char *name = tni_class_at(s->d, c)->name;
        tni_draft *draft =
            s->tags[c] != 0 ? tni_draft_new(&s->w->arena, s->err) : NULL;
        tni_span raw = {NULL, 0};
        if (s->tags[c] == 0) continue;
        if (draft == NULL) return TN_ENOMEM;
        tni_out_json(tni_draft_begin(draft), name, strlen(name));
        TN_TRY(tni_draft_end(draft, &raw));
        raw.p++;
        raw.len -= 2;
        TN_TRY(add_tag(s, &list, raw, 't'));
    }
    for (const tag_meta *t = said != NULL ? said->next : list.first; t != NULL;
         t = t->next, n++) {
        str(s, any ? ",\n    {\"name\": \"" : "\n    {\"name\": \"");
        any = true;
        tni_out_bytes(s->o, t->name.p, t->name.len);
        str(s, t->kind == 't'   ? "\", \"value_type\": \"none\""
               : t->kind == '0' ? "\", \"value_type\": \"any_number\""
                                : "\", \"value_type\": \"any_string\"");
        put_color(s, n);
        str(s, "}");
    }
    str(s, any ? "\n  ]" : "]");
    return s->o->status;
}

/* How many classes are listed. Behind them come those that only images have:
 * the reader meets them as tags, in the same order when the dataset came so or
 * when there is one. */
static uint32_t n_listed(const sly *s)
{
    uint32_t n = s->d->classes.n;
    while (n > 0 && s->tags[n - 1] != 0 && s->drawn[n - 1] == NULL &&
           tni_class_at(s->d, n - 1)->id_kind == TN_ID_NONE &&
           text_of(&s->d->class_text[TN_TEXT_EXTRA], n - 1) == NULL)
        n--;
    const bool same =
        s->d->format == &tni_format_supervisely || s->d->classes.n - n < 2;
    return same && (s->w->keeps & TNI_KEEPS(TAG)) != 0 ? n : s->d->classes.n;
}

static tn_status put_meta(sly *s)
{
    const size_t n = sizeof TNI_SLY_META - 1;
    const uint32_t n_classes = n_listed(s);
    bool type = false;
    str(s, "{\n  \"classes\": [");
    for (uint32_t i = 0; i < s->d->classes.n; i++) {
        if (i >= n_classes) break;
        tni_arena_reset(&s->work);
        TN_TRY(put_class(s, i));
    }
    str(s, s->any ? "\n  ],\n  \"tags\": [" : "],\n  \"tags\": [");
    TN_TRY(put_tag_metas(s));
    for (uint32_t i = 0; i < s->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&s->d->metas, tni_meta, i);
        if (strncmp(m->key, TNI_SLY_META, n) != 0 ||
            strcmp(m->key + n, "tags") == 0 ||
            strcmp(m->key + n, "classes") == 0)
            continue;
        type = type || strcmp(m->key + n, "projectType") == 0;
        str(s, ",\n  ");
        text(s, m->key + n);
        str(s, ": ");
        tni_out_bytes(s->o, m->value.p, m->value.len);
    }
    str(s, type ? "\n}\n" : ",\n  \"projectType\": \"images\"\n}\n");
    return s->o->status;
}

/* --- objects --------------------------------------------------------------------------- */

static void put_pair(sly *s, const double v[4])
{
    for (int i = 0; i < 4; i++) {
        str(s, i == 0 ? "[[" : i == 2 ? "], [" : ", ");
        tni_out_f64(s->o, v[i]);
    }
    str(s, "]]");
}

/* `"exterior": […], "interior": […]` of the ring at *r and its holes. */
static void put_part(sly *s, size_t *r)
{
    const tn_shape *p = &s->shape;
    bool any = false;
    str(s, "\"exterior\": ");
    tni_put_points(s->o, p, *r > 0 ? p->ring_ends[*r - 1] : 0,
                   p->ring_ends[*r]);
    str(s, ", \"interior\": [");
    for (++*r; *r < p->n_rings && p->ring_holes[*r] != 0; ++*r) {
        str(s, any ? ", " : "");
        any = true;
        tni_put_points(s->o, p, p->ring_ends[*r - 1], p->ring_ends[*r]);
    }
    str(s, "]");
}

static tn_status put_outline(sly *s, bool parts)
{
    size_t r = 0;
    str(s, parts ? "\"parts\": [" : "\"points\": ");
    for (bool any = false; r < s->shape.n_rings; any = true) {
        str(s, any ? ", {" : "{");
        put_part(s, &r);
        str(s, "}");
    }
    str(s, parts ? "]" : "");
    return s->o->status;
}

static tn_status put_bitmap(sly *s)
{
    tni_patch p;
    TN_TRY(tni_patch_of(&p, &s->shape, &s->work, s->err));
    str(s, "\"bitmap\": {\"origin\": [");
    tni_out_i64(s->o, p.x);
    str(s, ", ");
    tni_out_i64(s->o, p.y);
    str(s, "], \"data\": \"");
    TN_TRY(tni_sly_bitmap_write(s->o, &p, &s->work, s->err));
    str(s, "\"}");
    return s->o->status;
}

static tn_status put_nodes(sly *s, uint32_t i)
{
    const uint32_t cls = tni_ann_at(s->d, i)->class_index;
    const char **ids = tni_sly_nodes(s->d, cls, &s->work);
    const uint32_t n_ids =
        ids != NULL ? tni_class_at(s->d, cls)->n_keypoints : 0;
    const tn_shape *p = &s->shape;
    bool any = false;
    TN_TRY(tn_dataset_keypoints(s->d, i, &s->shape, s->err));
    str(s, "\"nodes\": {");
    for (size_t k = 0; k < p->n_points; k++) {
        const bool none = p->visible != NULL && p->visible[k] == 0;
        if (none && p->xy[2 * k] == 0.0 && p->xy[2 * k + 1] == 0.0 && n_ids > 0)
            continue;
        str(s, any ? ", " : "");
        any = true;
        if (k < n_ids) {
            text(s, ids[k]);
        } else {
            str(s, "\"");
            tni_out_i64(s->o, (int64_t)k);
            str(s, "\"");
        }
        str(s, ": {\"loc\": [");
        tni_out_f64(s->o, p->xy[2 * k]);
        str(s, ", ");
        tni_out_f64(s->o, p->xy[2 * k + 1]);
        str(s, "]");
        if (p->visible != NULL && p->visible[k] < 2)
            str(s, ", \"disabled\": true");
        if (none) str(s, ", \"visibility\": 0");
        str(s, "}");
    }
    str(s, "}");
    return s->o->status;
}

/* The box that is turned about its centre, of a corner and sides. */
static void upright(const double quad[5], double b[4], double *angle)
{
    const double c = cos(quad[4] * 0.017453292519943295);
    const double n = sin(quad[4] * 0.017453292519943295);
    const double cx = quad[0] + (quad[2] * c - quad[3] * n) / 2;
    const double cy = quad[1] + (quad[2] * n + quad[3] * c) / 2;
    b[0] = cx - quad[2] / 2;
    b[1] = cy - quad[3] / 2;
    b[2] = cx + quad[2] / 2;
    b[3] = cy + quad[3] / 2;
    *angle = quad[4];
}

static tn_status put_geometry(sly *s, uint32_t i, const char *type)
{
    double b[4] = {0, 0, 0, 0}, angle = 0.0;
    switch (type[0]) {
    case 'r':
    case 'o':
        (void)tn_dataset_box(s->d, i, b);
        (void)tn_dataset_num(s->d, i, TN_NUM_ANGLE, &angle);
        if (type[0] == 'o' && (*tni_flags_at(s->d, i) & TN_HAS_SHAPE) != 0)
            upright(s->quad, b, &angle);
        str(s, type[0] == 'r' ? "\"points\": {\"exterior\": " : "\"points\": ");
        put_pair(s, b);
        if (type[0] == 'r') {
            str(s, ", \"interior\": []}");
            return s->o->status;
        }
        str(s, ", \"angle\": ");
        tni_out_f64(s->o, angle * (3.14159265358979323846 / 180.0));
        return s->o->status;
    case 'g': return put_nodes(s, i);
    case 'b': return put_bitmap(s);
    case 'c':
        str(s, "\"points\": ");
        tni_put_points(s->o, &s->shape, 0, s->shape.n_points);
        return s->o->status;
    case 'm': return put_outline(s, true);
    default: break;
    }
    if (strcmp(type, "polygon") == 0 && s->shape.kind == TN_SHAPE_POLYGON)
        return put_outline(s, false);
    str(s, "\"points\": {\"exterior\": ");
    tni_put_points(s->o, &s->shape, 0, s->shape.n_points);
    str(s, ", \"interior\": []}");
    return s->o->status;
}

/* Tags as they were, or those of the attributes. */
static void put_tags(sly *s, const tni_sparse *extra, const tni_span *a,
                     uint32_t row, const uint32_t *list, size_t n)
{
    tni_span raw;
    bool any = false;
    str(s, "\"tags\": ");
    if (value_of(extra, row, "tags", '[', &raw)) {
        tni_out_bytes(s->o, raw.p, raw.len);
        for (size_t k = 0; k < n; k++)
            if ((*tni_flags_at(s->d, list[k]) & TN_IS_TAG) != 0)
                s->w->written[list[k]] = 1;
        return;
    }
    str(s, "[");
    for (size_t k = 0; k < n; k++) {
        const uint32_t cls = tni_ann_at(s->d, list[k])->class_index;
        const uint32_t flags = *tni_flags_at(s->d, list[k]);
        if ((flags & TN_IS_TAG) == 0 || (flags & TN_IS_NEGATIVE) != 0 ||
            cls == TN_NONE || (s->w->keeps & TNI_KEEPS(TAG)) == 0)
            continue;
        str(s, any ? ", {\"name\": " : "{\"name\": ");
        any = true;
        text(s, tni_class_at(s->d, cls)->name);
        str(s, "}");
        s->w->written[list[k]] = 1;
    }
    tni_json j;
    tni_span key, value;
    tni_json_init(&j, a != NULL ? a->p : "", a != NULL ? a->len : 0, 0, NULL);
    if (a != NULL && tni_sly_plain_tags(*a, list != NULL) &&
        tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
            str(s, any ? ", {\"name\": \"" : "{\"name\": \"");
            any = true;
            tni_out_bytes(s->o, key.p, key.len);
            str(s, "\"");
            if (value.p[0] != 't') {
                str(s, ", \"value\": ");
                tni_out_bytes(s->o, value.p, value.len);
            }
            str(s, "}");
        }
    str(s, "]");
}

static const char *const of_object[] = {
    "id",       "classTitle", "description", "tags",  "geometryType",
    "shape",    "points",     "bitmap",      "nodes", "parts",
    "geometry", "bbox",       NULL};

static void put_members(sly *s, uint32_t i, bool own)
{
    static const char *const of_other[] = {"id", "classTitle", "description",
                                           "tags", NULL};
    const char *const *taken = own ? of_other : of_object;
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(&s->d->text[TN_TEXT_EXTRA], i, k);
        bool ours = false;
        tni_span raw;
        if (m == NULL) return;
        if (m->len > 6 && memcmp(m->p, "\"tags\"", 6) == 0 &&
            value_of(&s->d->text[TN_TEXT_EXTRA], i, "tags", '[', &raw))
            continue;
        for (size_t t = 0; taken[t] != NULL && !ours; t++)
            ours = m->len > strlen(taken[t]) + 2 &&
                   memcmp(m->p + 1, taken[t], strlen(taken[t])) == 0 &&
                   m->p[strlen(taken[t]) + 1] == '"';
        str(s, ours ? ", \"x_" : ", \"");
        tni_out_bytes(s->o, m->p + 1, m->len - 1);
    }
}

static tn_status put_object(sly *s, uint32_t i)
{
    const uint32_t cls = tni_ann_at(s->d, i)->class_index;
    const uint32_t flags = *tni_flags_at(s->d, i);
    const char *type = type_of(s, i);
    const tni_span *caption = text_of(&s->d->text[TN_TEXT_CAPTION], i);
    double b[4], group = 0.0;
    tni_ann a;
    if (type == NULL) return TN_OK;
    tni_ann_get(s->d, i, &a);
    str(s, s->any ? ",\n    {" : "\n    {");
    s->any = true;
    if (tni_ann_id_kind(flags) != TN_ID_NONE) {
        str(s, "\"id\": ");
        if (tni_ann_id_kind(flags) == TN_ID_INT)
            tni_out_i64(s->o, a.id);
        else
            text(s, (const char *)(intptr_t)a.id);
        str(s, ", ");
    }
    str(s, "\"classTitle\": ");
    text(s, tni_class_at(s->d, cls)->name);
    str(s, ", \"description\": ");
    if (caption != NULL)
        tni_out_bytes(s->o, caption->p, caption->len);
    else
        str(s, "\"\"");
    str(s, ", ");
    put_tags(s, &s->d->text[TN_TEXT_EXTRA],
             text_of(&s->d->text[TN_TEXT_ATTRIBUTES], i), i, NULL, 0);
    if (type[0] != '\0') {
        str(s, ", \"geometryType\": ");
        text(s, type);
        str(s, ", \"shape\": ");
        text(s, type);
        str(s, ", ");
        TN_TRY(put_geometry(s, i, type));
    }
    if ((flags & TN_HAS_BOX) != 0 && strchr("ro", type[0]) == NULL &&
        tn_dataset_box(s->d, i, b) != 0) {
        for (int k = 0; k < 4; k++) {
            str(s, k == 0 ? ", \"bbox\": [" : ", ");
            tni_out_f64(s->o, b[k]);
        }
        str(s, "]");
    }
    if (tn_dataset_num(s->d, i, TN_NUM_GROUP, &group) != 0) {
        str(s, ", \"instance\": \"");
        tni_out_f64(s->o, group);
        str(s, "\"");
    }
    put_members(s, i, type[0] == '\0');
    str(s, "}");
    s->w->written[i] = 1;
    return s->o->status;
}

/* --- files ----------------------------------------------------------------------------- */

static void put_side(sly *s, const char *key, bool known, double v)
{
    str(s, key);
    if (known)
        tni_out_f64(s->o, v);
    else
        str(s, "null");
}

/* The text of the whole image; the first is the one. */
static void put_description(sly *s, const uint32_t *list, size_t n)
{
    str(s, "\"description\": ");
    for (size_t k = 0; k < n && (s->w->keeps & TNI_KEEPS(CAPTION)) != 0; k++) {
        const tni_span *t = text_of(&s->d->text[TN_TEXT_CAPTION], list[k]);
        const uint32_t other =
            TN_HAS_BOX | TN_HAS_SHAPE | TN_HAS_KEYPOINTS | TN_IS_TAG;
        if (t == NULL || (*tni_flags_at(s->d, list[k]) & other) != 0 ||
            t->len < 3 || tni_ann_at(s->d, list[k])->class_index != TN_NONE)
            continue;
        tni_out_bytes(s->o, t->p, t->len);
        s->w->written[list[k]] = 1;
        return;
    }
    str(s, "\"\"");
}

static tn_status put_objects(sly *s, const uint32_t *list, size_t n)
{
    str(s, "\"objects\": [");
    s->any = false;
    for (size_t k = 0; k < n; k++) {
        tni_arena_reset(&s->work);
        TN_TRY(put_object(s, list[k]));
    }
    str(s, s->any ? "\n  ]" : "]");
    return s->o->status;
}

static tn_status put_image(sly *s, uint32_t i)
{
    static const char *const taken[] = {"description", "size",    "tags",
                                        "objects",     "imageId", NULL};
    const tni_sparse *extra = &s->d->image_text[TN_TEXT_EXTRA];
    const tni_image_row *row = tni_image_at(s->d, i);
    tni_sly_block order[TNI_SLY_BLOCKS];
    size_t n = 0;
    double w = 0.0, h = 0.0;
    tni_span tags;
    const bool sized = size_of(s, i, &w, &h);
    const uint32_t *list = tn_dataset_of_image(s->d, i, &n);
    put_side(s, "{\n  \"size\": {\"height\": ", sized, h);
    put_side(s, ", \"width\": ", sized, w);
    str(s, "}");
    (void)tni_sly_order(s->d, i, order);
    for (int k = 0; k < TNI_SLY_BLOCKS; k++) {
        str(s, ",\n  ");
        if (order[k] == TNI_SLY_TEXT)
            put_description(s, list, n);
        else if (order[k] == TNI_SLY_TAGS)
            put_tags(s, extra,
                     text_of(&s->d->image_text[TN_TEXT_ATTRIBUTES], i), i, list,
                     n);
        else
            TN_TRY(put_objects(s, list, n));
    }
    if (row->id_kind != TN_ID_NONE) {
        str(s, ",\n  \"imageId\": ");
        if (row->id_kind == TN_ID_INT)
            tni_out_i64(s->o, row->id);
        else
            text(s, (const char *)(intptr_t)row->id);
    }
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(extra, i, k);
        bool ours = false;
        if (m == NULL) break;
        if (m->len > 6 && memcmp(m->p, "\"tags\"", 6) == 0 &&
            value_of(extra, i, "tags", '[', &tags))
            continue;
        for (size_t t = 0; taken[t] != NULL && !ours; t++)
            ours = m->len > strlen(taken[t]) + 2 &&
                   memcmp(m->p + 1, taken[t], strlen(taken[t])) == 0 &&
                   m->p[strlen(taken[t]) + 1] == '"';
        str(s, ours ? ",\n  \"x_" : ",\n  \"");
        tni_out_bytes(s->o, m->p + 1, m->len - 1);
    }
    str(s, "\n}\n");
    return s->o->status;
}

/* "a/datasets/b/<kind>/x.png<end>" of "b/x.png" in dataset "a". */
static tn_status path_of(sly *s, char *out, size_t size, uint32_t i,
                         const char *kind, const char *end)
{
    const uint32_t split = tni_first_split(tni_image_at(s->d, i));
    const char *name = s->w->names[i], *slash;
    size_t used = 0;
    int n = snprintf(out, size, "%s/",
                     split != TN_NONE ? s->d->splits[split] : TNI_SLY_UNSPLIT);
    while (n > 0 && (slash = strchr(name, '/')) != NULL) {
        used += (size_t)n;
        if (used >= size) break;
        n = snprintf(out + used, size - used, "datasets/%.*s/",
                     (int)(slash - name), name);
        name = slash + 1;
    }
    if (n > 0) used += (size_t)n;
    if (used < size)
        n = snprintf(out + used, size - used, "%s/%s%s", kind, name, end);
    return n > 0 && used + (size_t)n < size
               ? TN_OK
               : tni_fail(s->err, TN_EINVAL, "the name '%.100s' is too long",
                          s->w->names[i]);
}

static tn_status write_image(sly *s, uint32_t i)
{
    char to[4096];
    TN_TRY(path_of(s, to, sizeof to, i, "img", ""));
    TN_TRY(tni_write_image(s->w, i, to, s->err));
    TN_TRY(path_of(s, to, sizeof to, i, "ann", ".json"));
    TN_TRY(tni_target_open(s->t, s->w, to, s->err));
    const tn_status status = put_image(s, i);
    if (status != TN_OK && s->o->status == TN_OK) s->o->status = status;
    TN_TRY(tni_target_close(s->t, s->err));
    return tni_writer_progress(s->w, "write", i, s->d->images.n, s->err);
}

static tn_status write_all(sly *s)
{
    TN_TRY(look_at_rows(s));
    TN_TRY(tni_target_open(s->t, s->w, "meta.json", s->err));
    const tn_status status = put_meta(s);
    if (status != TN_OK && s->o->status == TN_OK) s->o->status = status;
    TN_TRY(tni_target_close(s->t, s->err));
    for (uint32_t i = 0; i < s->d->images.n; i++) TN_TRY(write_image(s, i));
    return TN_OK;
}

tn_status tni_sly_write(tni_writer *w, tn_err *err)
{
    sly s;
    memset(&s, 0, sizeof s);
    s.w = w;
    s.d = w->d;
    s.err = err;
    s.shape.struct_size = sizeof s.shape;
    TN_TRY(tni_check_splits(w->d, err));
    for (uint32_t i = 0; i < w->d->n_splits; i++)
        if (strcmp(w->d->splits[i], TNI_SLY_UNSPLIT) == 0)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "the split '%s' is what the dataset of images "
                            "without one is called; rename it",
                            TNI_SLY_UNSPLIT);
    s.t = TNI_NEW(&w->arena, tni_target);
    s.tags = tni_arena_zalloc(&w->arena, w->d->classes.n + (size_t)1, 1);
    s.drawn =
        TNI_NEW_ARRAY(&w->arena, const char *, w->d->classes.n + (size_t)1);
    if (s.t == NULL || s.tags == NULL || s.drawn == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(s.drawn, 0, (w->d->classes.n + (size_t)1) * sizeof *s.drawn);
    s.o = &s.t->out;
    tni_arena_init(&s.work, w->arena.mem, 1 << 14);
    const tn_status status = write_all(&s);
    tni_arena_fini(&s.work);
    tn_shape_fini(&s.shape);
    return status;
}
