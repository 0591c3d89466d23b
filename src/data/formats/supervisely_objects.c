/* SPDX-License-Identifier: Apache-2.0 */
/* supervisely_objects.c - classes, tags and objects of a Supervisely project */
#include "data/formats/supervisely_reader.h"

#include <math.h>
#include <stdio.h>

enum { MAX_POINTS = 4096 };

typedef tni_sly_reader sly;

typedef struct object {
    tni_span whole, geometry, title, type, points, bitmap, nodes, parts, tags,
        description, instance, box;
    const char *at;
    double angle;
    uint8_t id_kind;
    int64_t id;
    bool angled, extras;
} object;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static tn_status wrong(sly *s, const char *at, const object *ob,
                       const char *what)
{
    tni_json j = s->f.j;
    j.status = TN_OK;
    (void)tni_json_fail(&j, at, "an object of type '%.*s' %s",
                        ob->type.len > 40 ? 40 : (int)ob->type.len,
                        ob->type.p != NULL ? ob->type.p : "", what);
    return j.status;
}

static bool is(tni_span type, const char *name)
{
    return tni_span_is(type, name);
}

tn_status tni_sly_class(sly *s, const tni_class_row *row, uint32_t *cls,
                        bool *fresh)
{
    void **slot =
        tni_strmap_add(&s->classes, row->name, strlen(row->name), fresh);
    if (slot == NULL) return no_memory(s->err);
    if (*fresh) {
        TN_TRY(tni_add_class(s->d, row, cls, s->err));
        *slot = (void *)((uintptr_t)*cls + 1);
    }
    *cls = (uint32_t)((uintptr_t)*slot - 1);
    return TN_OK;
}

/* --- meta.json -------------------------------------------------------------------- */

/* The labels of a template's nodes are the names of the points. */
static tn_status read_template(sly *s, tni_span config, uint32_t cls)
{
    tni_span nodes, key, node, label;
    uint32_t n = 0;
    if (!tni_json_member(config, "nodes", &nodes) || nodes.p[0] != '{')
        return TN_OK;
    const char **names = NULL;
    for (int pass = 0; pass < 2; pass++) {
        n = 0;
        tni_json j = tni_jsonfile_at(&s->f, nodes);
        if (!tni_json_enter(&j, '{')) return j.status;
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &node)) {
            if (n == MAX_POINTS)
                return tni_fail(s->err, TN_ELIMIT,
                                "a class has more than %d keypoints",
                                (int)MAX_POINTS);
            if (pass == 1) {
                tni_span raw = key;
                if (tni_json_member(node, "label", &label) &&
                    label.p[0] == '"') {
                    raw.p = label.p + 1;
                    raw.len = label.len - 2;
                }
                names[n] = tni_keep_json(s->d, raw, true);
                if (names[n] == NULL) return no_memory(s->err);
            }
            n++;
        }
        if (pass == 0) names = TNI_NEW_ARRAY(&s->d->arena, const char *, n + 1);
        if (names == NULL) return no_memory(s->err);
    }
    tni_class_row *row = tni_class_at(s->d, cls);
    row->keypoints = names;
    row->n_keypoints = n;
    return TN_OK;
}

static tn_status read_class(sly *s, tni_json *j)
{
    tni_class_row row;
    tni_span key, raw, config = {NULL, 0};
    uint32_t cls = TN_NONE;
    memset(&row, 0, sizeof row);
    (void)tni_json_peek(j);
    tni_json again = *j;
    row.where = tni_jsonfile_where(&s->f, j->p);
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            const char kind = tni_json_peek(j);
            if (is(key, "title") && kind == '"')
                TN_TRY(tni_jsonfile_text(&s->f, j, &row.name));
            else if (is(key, "id") && (kind == '0' || kind == '"'))
                TN_TRY(tni_jsonfile_id(&s->f, j, &row.id_kind, &row.id));
            else if (is(key, "geometry_config") && kind == '{')
                (void)!tni_json_skip(j, &config);
            else
                (void)!tni_json_skip(j, NULL);
        }
    TN_TRY(j->status);
    if (row.name == NULL) {
        (void)tni_json_fail(j, again.p, "a class has no 'title'");
        return j->status;
    }
    bool fresh = true;
    TN_TRY(tni_sly_class(s, &row, &cls, &fresh));
    if (!fresh) {
        (void)tni_json_fail(j, again.p, "two classes are called '%.60s'",
                            row.name);
        return j->status;
    }
    if (tni_json_enter(&again, '{'))
        while (tni_json_key(&again, &key) && tni_json_skip(&again, &raw))
            if (!is(key, "title") && !is(key, "id") && !tni_json_is_empty(raw))
                TN_TRY(tni_set_class_text(s->d, cls, TN_TEXT_EXTRA,
                                          tni_json_whole(key, raw), s->err));
    TN_TRY(again.status);
    return config.p != NULL ? read_template(s, config, cls) : TN_OK;
}

/* Everything but the classes is a field of the dataset. */
static tn_status keep_meta(sly *s, tni_span key, tni_span raw)
{
    char *name = NULL;
    const char *plain = tni_json_unescape(&s->r->scratch, key, NULL);
    if (tni_json_is_empty(raw)) return TN_OK;
    if (plain != NULL)
        name = tni_arena_alloc(&s->d->arena,
                               strlen(plain) + sizeof TNI_SLY_META, 1);
    if (name == NULL) return no_memory(s->err);
    (void)sprintf(name, "%s%s", TNI_SLY_META, plain);
    const tni_meta meta = {name, raw, TN_NONE,
                           tni_jsonfile_where(&s->f, key.p)};
    return tni_add_meta(s->d, &meta, s->err);
}

static tn_status read_meta_open(sly *s)
{
    tni_json *j = &s->f.j;
    tni_span key, raw;
    bool classes = false;
    const char *begin = j->p;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        if (is(key, "classes") && tni_json_peek(j) == '[') {
            classes = true;
            if (tni_json_enter(j, '['))
                while (tni_json_item(j)) TN_TRY(read_class(s, j));
        } else if (tni_json_skip(j, &raw)) {
            TN_TRY(keep_meta(s, key, raw));
        }
    }
    TN_TRY(j->status);
    if (!classes) {
        (void)tni_json_fail(j, begin, "there is no list 'classes'");
        return j->status;
    }
    (void)tni_json_end(j);
    return j->status;
}

tn_status tni_sly_read_meta(sly *s, const char *path)
{
    if (path == NULL) return no_memory(s->err);
    if (!tni_path_look(path).is_file) return TN_OK;
    TN_TRY(tni_jsonfile_open(&s->f, s->r, path, s->err));
    const tn_status status = read_meta_open(s);
    if (status != TN_OK) tni_err_where(s->err, "%s", path);
    return status;
}

/* --- tags ------------------------------------------------------------------------- */

tn_status tni_sly_read_tag(tni_json *j, tni_sly_tag *t)
{
    tni_span key;
    memset(t, 0, sizeof *t);
    (void)tni_json_peek(j);
    const char *at = j->p;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        const char kind = tni_json_peek(j);
        if (is(key, "name") && kind == '"') {
            (void)!tni_json_string(j, &t->name, NULL);
        } else if (is(key, "value")) {
            (void)!tni_json_skip(j, &t->value);
        } else {
            t->extras = t->extras || kind != 'n';
            (void)!tni_json_skip(j, NULL);
        }
    }
    if (j->status == TN_OK && t->name.p == NULL)
        (void)tni_json_fail(j, at, "a tag has no 'name'");
    return j->status;
}

bool tni_sly_has_value(const tni_sly_tag *t)
{
    return t->value.p != NULL && !tni_json_is_empty(t->value);
}

tn_status tni_sly_tags(sly *s, tni_span list, bool only_values, tni_span *text,
                       bool *whole)
{
    tni_json j = tni_jsonfile_at(&s->f, list);
    tni_strmap seen;
    tni_sly_tag t;
    bool any = false, fresh = true;
    text->p = NULL;
    *whole = true;
    tni_strmap_init(&seen, &s->work);
    tni_out *o = tni_draft_begin(s->draft);
    if (!tni_json_enter(&j, '[')) return j.status;
    tni_out_str(o, "{");
    while (tni_json_item(&j)) {
        TN_TRY(tni_sly_read_tag(&j, &t));
        if (tni_strmap_add(&seen, t.name.p, t.name.len, &fresh) == NULL)
            return no_memory(s->err);
        if (t.extras || !fresh) *whole = false;
        if (!fresh || (only_values && !tni_sly_has_value(&t))) continue;
        tni_out_str(o, any ? ", \"" : "\"");
        tni_out_bytes(o, t.name.p, t.name.len);
        tni_out_str(o, "\": ");
        if (tni_sly_has_value(&t))
            tni_out_bytes(o, t.value.p, t.value.len);
        else
            tni_out_str(o, "true");
        any = true;
    }
    tni_out_str(o, "}");
    TN_TRY(j.status);
    return any ? tni_draft_keep(s->draft, s->d, text) : TN_OK;
}

tn_status tni_sly_keep_tags(sly *s, tni_span list, tni_span *text)
{
    tni_out *o = tni_draft_begin(s->draft);
    tni_out_str(o, "\"tags\": ");
    tni_out_bytes(o, list.p, list.len);
    return tni_draft_keep(s->draft, s->d, text);
}

/* --- objects ---------------------------------------------------------------------- */

static void read_member(sly *s, tni_json *j, object *ob, tni_span key,
                        bool *taken)
{
    const char kind = tni_json_peek(j);
    static const struct {
        const char *name;
        char kind;
        size_t at;
    } rows[] = {{"points", '{', offsetof(object, points)},
                {"points", '[', offsetof(object, points)},
                {"bitmap", '{', offsetof(object, bitmap)},
                {"nodes", '{', offsetof(object, nodes)},
                {"parts", '[', offsetof(object, parts)},
                {"tags", '[', offsetof(object, tags)},
                {"bbox", '[', offsetof(object, box)},
                {"geometry", '{', offsetof(object, geometry)},
                {"description", '"', offsetof(object, description)},
                {"instance", '"', offsetof(object, instance)}};
    static const char *const texts[] = {"classTitle", "geometryType", "shape"};
    (void)s;
    *taken = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (kind == rows[i].kind && is(key, rows[i].name)) {
            void *to = (char *)ob + rows[i].at;
            (void)!tni_json_skip(j, to);
            return;
        }
    for (int i = 0; i < 3; i++)
        if (kind == '"' && is(key, texts[i])) {
            tni_span text = {NULL, 0};
            (void)!tni_json_string(j, &text, NULL);
            if (i == 0) ob->title = text;
            if (i == 1 || (i == 2 && ob->type.p == NULL)) ob->type = text;
            return;
        }
    if (is(key, "id") && (kind == '0' || kind == '"')) {
        (void)!tni_json_skip(j, NULL);
    } else if (is(key, "angle") && kind == '0') {
        ob->angled = true;
        (void)!tni_json_f64(j, &ob->angle);
    } else {
        const bool no =
            kind == 'f' && (is(key, "nnCreated") || is(key, "nnUpdated"));
        tni_span value = {NULL, 0};
        (void)!tni_json_skip(j, &value);
        *taken = no || (value.p != NULL && tni_json_is_empty(value));
    }
}

/* Named by the geometry that is there, where nothing says the type. */
static void guess_type(const sly *s, object *ob)
{
    tni_span shape;
    const uint32_t cls = TN_NONE;
    (void)s;
    (void)cls;
    if (ob->type.p != NULL) return;
    const char *name = ob->bitmap.p != NULL  ? "bitmap"
                       : ob->nodes.p != NULL ? "graph"
                       : ob->parts.p != NULL ? "multipolygon"
                                             : "";
    shape = tni_span_of(name);
    ob->type = shape;
}

/* Old files have no type: it is that of the class. */
static void type_of_class(const sly *s, uint32_t cls, object *ob)
{
    const tni_sparse *extra = &s->d->class_text[TN_TEXT_EXTRA];
    if (ob->type.p != NULL || cls == TN_NONE) return;
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(extra, cls, k);
        if (m == NULL) return;
        if (m->len < 10 || memcmp(m->p, "\"shape\"", 7) != 0 ||
            m->p[m->len - 1] != '"')
            continue;
        const char *colon = memchr(m->p + 7, '"', m->len - 7);
        ob->type.p = colon + 1;
        ob->type.len = (size_t)(m->p + m->len - 1 - ob->type.p);
        if (is(ob->type, "any")) ob->type.p = NULL;
    }
}

static tn_status find_class(sly *s, const object *ob, uint64_t where,
                            uint32_t *cls)
{
    tni_class_row row;
    memset(&row, 0, sizeof row);
    row.name = tni_keep_json(s->d, ob->title, true);
    row.where = where;
    if (row.name == NULL) return no_memory(s->err);
    bool fresh = false;
    TN_TRY(tni_sly_class(s, &row, cls, &fresh));
    if (!fresh) return TN_OK;
    return tni_note_add(s->d, where, "orphan-class", s->err,
                        "the class '%.60s' is not in meta.json", row.name);
}

static tn_status set_shape(sly *s, uint32_t ann, tn_shape_kind kind,
                           tni_layout layout, tni_span text)
{
    tni_shape shape;
    memset(&shape, 0, sizeof shape);
    if (text.len > UINT32_MAX)
        return tni_fail(s->err, TN_ELIMIT, "a shape of over 4 GiB");
    shape.text = text.p;
    shape.len = (uint32_t)text.len;
    shape.kind = (uint8_t)kind;
    shape.layout = layout == TNI_LAYOUT_RLE ? TNI_LAYOUT_RLE : TNI_LAYOUT_PAIRS;
    return tni_set_shape(s->d, ann, &shape, s->err);
}

/* The list of points called so; how many. */
static tn_status points_of(sly *s, const object *ob, tni_span from,
                           const char *key, tni_span *list, size_t *n)
{
    *n = 0;
    if (from.p == NULL || !tni_json_member(from, key, list) ||
        list->p[0] != '[')
        return wrong(s, ob->at, ob, "has no list 'exterior' of points");
    tni_json j = tni_jsonfile_at(&s->f, *list);
    return tni_json_points(&j, n) ? TN_OK : j.status;
}

static tn_status put_rings(sly *s, const object *ob, tni_span part, tni_out *o)
{
    tni_span ring, holes;
    size_t n = 0;
    TN_TRY(points_of(s, ob, part, "exterior", &ring, &n));
    tni_out_str(o, "[");
    tni_out_bytes(o, ring.p, ring.len);
    if (tni_json_member(part, "interior", &holes) && holes.p[0] == '[') {
        tni_json j = tni_jsonfile_at(&s->f, holes);
        if (tni_json_enter(&j, '['))
            while (tni_json_item(&j)) {
                (void)tni_json_peek(&j);
                tni_json again = j;
                if (!tni_json_points(&again, &n)) return again.status;
                if (!tni_json_skip(&j, &ring)) break;
                tni_out_str(o, ", ");
                tni_out_bytes(o, ring.p, ring.len);
            }
        TN_TRY(j.status);
    }
    tni_out_str(o, "]");
    return o->status;
}

static tn_status set_polygon(sly *s, const object *ob, uint32_t ann)
{
    tni_span text = {NULL, 0}, part;
    bool any = false;
    tni_out *o = tni_draft_begin(s->draft);
    if (is(ob->type, "multipolygon")) {
        tni_json j = tni_jsonfile_at(&s->f, ob->parts);
        if (ob->parts.p == NULL)
            return wrong(s, ob->at, ob, "has no list 'parts'");
        if (tni_json_enter(&j, '['))
            while (tni_json_item(&j) && tni_json_skip(&j, &part)) {
                tni_out_str(o, any ? ", " : "");
                any = true;
                TN_TRY(put_rings(s, ob, part, o));
            }
        TN_TRY(j.status);
    } else {
        TN_TRY(put_rings(s, ob, ob->points, o));
    }
    TN_TRY(tni_draft_keep(s->draft, s->d, &text));
    return set_shape(s, ann, TN_SHAPE_POLYGON, TNI_LAYOUT_PAIRS, text);
}

/* Corners in any order. */
static tn_status take_box(sly *s, const object *ob, tni_span list, tni_ann *a)
{
    double v[4] = {0, 0, 0, 0};
    size_t two = 0;
    tni_json j = tni_jsonfile_at(&s->f, list);
    if (tni_json_enter(&j, '['))
        for (int k = 0; k < 2 && tni_json_item(&j); k++)
            if (!tni_json_vector(&j, v + 2 * k, 2, &two)) return j.status;
    (void)ob;
    a->box[0] = fmin(v[0], v[2]);
    a->box[1] = fmin(v[1], v[3]);
    a->box[2] = fmax(v[0], v[2]);
    a->box[3] = fmax(v[1], v[3]);
    a->flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY) | TNI_SCALE(TN_SCALE_PIXEL);
    return TN_OK;
}

static tn_status runs_of(sly *s, const object *ob, uint32_t image,
                         tni_span *runs, tn_err *why)
{
    tni_span data, origin;
    tni_patch p;
    double v[2] = {0, 0}, w = 0.0, h = 0.0;
    size_t n = 0;
    memset(&p, 0, sizeof p);
    if (ob->bitmap.p == NULL || !tni_json_member(ob->bitmap, "data", &data) ||
        !tni_json_member(ob->bitmap, "origin", &origin) || data.p[0] != '"' ||
        origin.p[0] != '[')
        return tni_fail(why, TN_EFORMAT,
                        "a bitmap has no text 'data' and 'origin' of two "
                        "numbers");
    tni_json j = tni_jsonfile_at(&s->f, origin);
    if (!tni_json_vector(&j, v, 2, &n) || n != 2 || !(fabs(v[0]) < 1e6) ||
        !(fabs(v[1]) < 1e6))
        return tni_fail(why, TN_EFORMAT,
                        "the origin of a bitmap is not two numbers");
    if (!tni_image_extent(s->d, image, &w, &h))
        return tni_fail(why, TN_EFORMAT,
                        "a bitmap on an image whose size is not known");
    const tni_span text = {data.p + 1, data.len - 2};
    TN_TRY(tni_sly_bitmap_read(&p, text, &s->work, &s->d->limits, why));
    p.x = (int64_t)v[0];
    p.y = (int64_t)v[1];
    TN_TRY(tni_patch_put(tni_draft_begin(s->draft), &p, (int64_t)w, (int64_t)h,
                         why));
    return tni_draft_keep(s->draft, s->d, runs);
}

static tn_status set_bitmap(sly *s, const object *ob, uint32_t ann)
{
    tni_span runs = {NULL, 0};
    tn_err why;
    memset(&why, 0, sizeof why);
    const tn_status status =
        runs_of(s, ob, tni_ann_at(s->d, ann)->image, &runs, &why);
    if (status == TN_ENOMEM) return no_memory(s->err);
    if (status != TN_OK) {
        tni_json j = s->f.j;
        j.status = TN_OK;
        (void)tni_json_fail(&j, ob->at, "%.150s", why.message);
        return j.status;
    }
    return set_shape(s, ann, TN_SHAPE_RLE, TNI_LAYOUT_RLE, runs);
}

/* x, y and visibility of a node; false when it has no place. */
static bool node_at(const sly *s, tni_span node, double v[3])
{
    tni_span loc, off;
    size_t n = 0;
    if (!tni_json_member(node, "loc", &loc) || loc.p[0] != '[') return false;
    tni_json j = tni_jsonfile_at(&s->f, loc);
    if (!tni_json_vector(&j, v, 2, &n) || n != 2) return false;
    v[2] =
        tni_json_member(node, "disabled", &off) && off.p[0] == 't' ? 1.0 : 2.0;
    if (tni_json_member(node, "visibility", &off) && off.p[0] == '0')
        v[2] = 0.0;
    return true;
}

/* Nodes by the places their ids have in the template of the class; without
 * one, unnamed points. */
static tn_status set_nodes(sly *s, const object *ob, uint32_t cls, uint32_t ann)
{
    tni_span node, text = {NULL, 0};
    tni_shape shape;
    size_t n_known = 0;
    double v[3];
    const char **ids = tni_sly_nodes(s->d, cls, &s->work);
    const uint32_t n = ids != NULL ? tni_class_at(s->d, cls)->n_keypoints : 0;
    tni_out *o = tni_draft_begin(s->draft);
    if (ob->nodes.p == NULL) return wrong(s, ob->at, ob, "has no 'nodes'");
    for (uint32_t k = 0; k < n; k++) {
        v[0] = v[1] = v[2] = 0.0;
        if (tni_json_member(ob->nodes, ids[k], &node)) {
            if (!node_at(s, node, v))
                return wrong(s, node.p, ob, "has a node without 'loc'");
            n_known++;
        }
        for (int i = 0; i < 3; i++) {
            tni_out_str(o, k > 0 || i > 0 ? "," : "");
            tni_out_f64(o, v[i]);
        }
    }
    size_t n_all = 0;
    tni_span key;
    tni_json j = tni_jsonfile_at(&s->f, ob->nodes);
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, NULL)) n_all++;
    TN_TRY(j.status);
    if (n_known < n_all) {
        if (n > 0)
            return wrong(s, ob->at, ob,
                         "has a node that its class's template lacks");
        o = tni_draft_begin(s->draft);
        j = tni_jsonfile_at(&s->f, ob->nodes);
        bool any = false;
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key) && tni_json_skip(&j, &node)) {
                if (!node_at(s, node, v))
                    return wrong(s, node.p, ob, "has a node without 'loc'");
                for (int i = 0; i < 3; i++) {
                    tni_out_str(o, any ? "," : "");
                    tni_out_f64(o, v[i]);
                    any = true;
                }
            }
    }
    TN_TRY(tni_draft_keep(s->draft, s->d, &text));
    memset(&shape, 0, sizeof shape);
    shape.text = text.p;
    shape.len = (uint32_t)text.len;
    shape.kind = TN_SHAPE_POINTS;
    shape.dims = 3;
    return tni_set_keypoints(s->d, ann, &shape, s->err);
}

typedef enum geometry {
    BOX,
    TURNED,
    POINTS,
    LINE,
    AREA,
    MASK,
    NODES,
    CUBOID,
    OTHER
} geometry;

static geometry geometry_of(const object *ob)
{
    static const struct {
        const char *type;
        geometry g;
    } rows[] = {{"rectangle", BOX},     {"oriented_bbox", TURNED},
                {"point", POINTS},      {"line", LINE},
                {"polyline", LINE},     {"polygon", AREA},
                {"multipolygon", AREA}, {"bitmap", MASK},
                {"graph", NODES},       {"cuboid", CUBOID}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (is(ob->type, rows[i].type)) return rows[i].g;
    return OTHER;
}

/* What comes before the row is added: the box, and checks. */
static tn_status begin_geometry(sly *s, const object *ob, geometry g,
                                tni_span *list, tni_ann *a)
{
    size_t n = 0;
    if (g == BOX || g == POINTS || g == LINE)
        TN_TRY(points_of(s, ob, ob->points, "exterior", list, &n));
    if (g == TURNED || g == CUBOID) {
        *list = ob->points;
        if (list->p == NULL || list->p[0] != '[')
            return wrong(s, ob->at, ob, "has no list 'points'");
        tni_json j = tni_jsonfile_at(&s->f, *list);
        if (!tni_json_points(&j, &n)) return j.status;
    }
    if ((g == BOX || g == TURNED) && n != 2)
        return wrong(s, list->p, ob, "has not two points");
    if (g == TURNED && !ob->angled)
        return wrong(s, ob->at, ob, "has no 'angle'");
    if ((g == POINTS || g == LINE || g == CUBOID) && n == 0)
        return wrong(s, list->p, ob, "has no points");
    if (g == BOX || g == TURNED) return take_box(s, ob, *list, a);
    if (ob->box.p != NULL && g != OTHER) {
        tni_json j = tni_jsonfile_at(&s->f, ob->box);
        if (!tni_json_vector(&j, a->box, 4, &n)) return j.status;
        if (n != 4) return wrong(s, ob->box.p, ob, "has a bbox of not four");
        a->flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY);
    }
    return TN_OK;
}

static tn_status set_geometry(sly *s, const object *ob, geometry g,
                              tni_span list, uint32_t cls, uint32_t ann)
{
    switch (g) {
    case TURNED:
        return tni_set_num(s->d, ann, TN_NUM_ANGLE,
                           ob->angle * (180.0 / 3.14159265358979323846),
                           s->err);
    case POINTS:
        return set_shape(s, ann, TN_SHAPE_POINTS, TNI_LAYOUT_PAIRS, list);
    case LINE:
        return set_shape(s, ann, TN_SHAPE_POLYLINE, TNI_LAYOUT_PAIRS, list);
    case CUBOID:
        return set_shape(s, ann, TN_SHAPE_CUBOID, TNI_LAYOUT_PAIRS, list);
    case AREA: return set_polygon(s, ob, ann);
    case MASK: return set_bitmap(s, ob, ann);
    case NODES: return set_nodes(s, ob, cls, ann);
    default: return TN_OK;
    }
}

/* What is none of ours; of a type without a geometry the type too. */
static tn_status keep_members(sly *s, tni_span whole, const object *ob,
                              geometry g, uint32_t ann)
{
    static const char *const shapes[] = {"geometryType", "shape", "points",
                                         "bitmap",       "nodes", "parts",
                                         "angle",        "bbox",  "geometry"};
    tni_span key, raw;
    tni_json j = tni_jsonfile_at(&s->f, whole);
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        object scratch;
        tni_json ahead = j;
        bool taken = true, kept = false;
        memset(&scratch, 0, sizeof scratch);
        read_member(s, &ahead, &scratch, key, &taken);
        if (!tni_json_skip(&j, &raw)) break;
        for (size_t i = 0; g == OTHER && i < sizeof shapes / sizeof shapes[0];
             i++)
            kept = kept || is(key, shapes[i]);
        if (is(key, "angle") && g != TURNED) kept = true;
        if (taken && !kept) continue;
        TN_TRY(tni_set_text(s->d, ann, TN_TEXT_EXTRA, tni_json_whole(key, raw),
                            s->err));
    }
    (void)ob;
    return j.status;
}

static tn_status set_rest(sly *s, const object *ob, uint32_t ann)
{
    tni_span text = {NULL, 0};
    bool whole = true;
    double group = 0.0;
    if (ob->tags.p != NULL && !tni_json_is_empty(ob->tags)) {
        TN_TRY(tni_sly_tags(s, ob->tags, false, &text, &whole));
        if (text.p != NULL)
            TN_TRY(tni_set_text(s->d, ann, TN_TEXT_ATTRIBUTES, text, s->err));
        if (!whole) {
            TN_TRY(tni_sly_keep_tags(s, ob->tags, &text));
            TN_TRY(tni_set_text(s->d, ann, TN_TEXT_EXTRA, text, s->err));
        }
    }
    if (ob->description.p != NULL && !tni_json_is_empty(ob->description))
        TN_TRY(
            tni_set_text(s->d, ann, TN_TEXT_CAPTION, ob->description, s->err));
    if (ob->instance.p == NULL || tni_json_is_empty(ob->instance)) return TN_OK;
    const tni_span inner = {ob->instance.p + 1, ob->instance.len - 2};
    char again[32];
    if (tni_field_f64(inner, &group) && fabs(group) < 1e15 &&
        group == floor(group) &&
        snprintf(again, sizeof again, "%.0f", group) > 0 &&
        tni_span_is(inner, again))
        return tni_set_num(s->d, ann, TN_NUM_GROUP, group, s->err);
    tni_out *o = tni_draft_begin(s->draft);
    tni_out_str(o, "\"instance\": ");
    tni_out_bytes(o, ob->instance.p, ob->instance.len);
    TN_TRY(tni_draft_keep(s->draft, s->d, &text));
    return tni_set_text(s->d, ann, TN_TEXT_EXTRA, text, s->err);
}

/* Members of `from`; those of "geometry" count as the object's own. */
static tn_status read_members(sly *s, tni_json *j, object *ob)
{
    tni_span key;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        bool taken = true;
        if (is(key, "id")) {
            tni_json id = *j;
            const char kind = tni_json_peek(&id);
            if (kind == '0' || kind == '"')
                TN_TRY(tni_jsonfile_id(&s->f, &id, &ob->id_kind, &ob->id));
        }
        read_member(s, j, ob, key, &taken);
    }
    return j->status;
}

tn_status tni_sly_read_object(sly *s, tni_json *j, uint32_t image)
{
    object ob;
    tni_ann a;
    tni_span list = {NULL, 0};
    uint32_t ann = TN_NONE;
    memset(&ob, 0, sizeof ob);
    memset(&a, 0, sizeof a);
    (void)tni_json_peek(j);
    ob.at = j->p;
    a.image = image;
    a.where = tni_jsonfile_where(&s->f, j->p);
    TN_TRY(read_members(s, j, &ob));
    ob.whole.p = ob.at;
    ob.whole.len = (size_t)(j->p - ob.at);
    if (ob.geometry.p != NULL) {
        tni_json inner = tni_jsonfile_at(&s->f, ob.geometry);
        TN_TRY(read_members(s, &inner, &ob));
    }
    if (ob.title.p == NULL) {
        (void)tni_json_fail(j, ob.at, "an object has no 'classTitle'");
        return j->status;
    }
    TN_TRY(find_class(s, &ob, a.where, &a.class_index));
    type_of_class(s, a.class_index, &ob);
    guess_type(s, &ob);
    const geometry g = geometry_of(&ob);
    if (ob.id_kind != TN_ID_NONE) {
        a.flags |= TNI_ID(ob.id_kind);
        a.id = ob.id;
    }
    TN_TRY(begin_geometry(s, &ob, g, &list, &a));
    if (g == OTHER)
        TN_TRY(tni_note_add(s->d, a.where, "other-type", s->err,
                            "an object is of type '%.*s': its fields are "
                            "kept, but not as a shape",
                            ob.type.len > 60 ? 60 : (int)ob.type.len,
                            ob.type.p));
    TN_TRY(tni_add_annotation(s->d, &a, &ann, s->err));
    TN_TRY(set_geometry(s, &ob, g, list, a.class_index, ann));
    TN_TRY(set_rest(s, &ob, ann));
    TN_TRY(keep_members(s, ob.whole, &ob, g, ann));
    tni_arena_reset(&s->work);
    return TN_OK;
}
