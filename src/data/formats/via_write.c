/* SPDX-License-Identifier: Apache-2.0 */
/* via_write.c - the dataset as a VIA project */
#include "data/formats/via.h"

#include "data/csv.h"

typedef struct via {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_out *o;
    tn_shape shape;
    const char *class_key;
    bool any;
} via;

const char *tni_via_class_key(const tn_dataset *d, tni_arena *arena)
{
    for (uint32_t i = 0; i < d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&d->metas, tni_meta, i);
        if (strcmp(m->key, TNI_VIA_CLASS) != 0 || m->value.len < 3 ||
            m->value.p[0] != '"')
            continue;
        const tni_span text = {m->value.p + 1, m->value.len - 2};
        const char *key = tni_json_unescape(arena, text, NULL);
        if (key != NULL) return key;
    }
    return "label";
}

static const char *const of_region[] = {"shape_attributes", "region_attributes",
                                        NULL};
static const char *const of_image[] = {"filename", "regions", "file_attributes",
                                       NULL};

static void str(via *v, const char *s)
{
    tni_out_str(v->o, s);
}

static void text(via *v, const char *s)
{
    tni_out_json(v->o, s, strlen(s));
}

static void num(via *v, const char *key, double value)
{
    str(v, key);
    tni_out_f64(v->o, value);
}

static void put_list(via *v, const char *key, size_t from, size_t to, int axis)
{
    str(v, key);
    for (size_t i = from; i < to; i++) {
        if (i > from) str(v, ",");
        tni_out_f64(v->o, v->shape.xy[2 * i + (size_t)axis]);
    }
    str(v, "]");
}

static void open_region(via *v, const char *name)
{
    str(v, v->any ? ",\n    {\"shape_attributes\": {\"name\": \""
                  : "\n    {\"shape_attributes\": {\"name\": \"");
    str(v, name);
    str(v, "\"");
    v->any = true;
}

static void put_ring(via *v, size_t from, size_t to, const char *name)
{
    open_region(v, name);
    put_list(v, ", \"all_points_x\": [", from, to, 0);
    put_list(v, ", \"all_points_y\": [", from, to, 1);
}

/* The shape as far as VIA has it; false when it has not. */
static bool put_shape(via *v, uint32_t i)
{
    tn_shape *s = &v->shape;
    if (tn_dataset_shape(v->d, i, s, NULL) != TN_OK) return false;
    switch (s->kind) {
    case TN_SHAPE_POLYGON: {
        if (s->n_rings == 0) return false;
        const size_t r = tni_largest_ring(s);
        put_ring(v, r > 0 ? s->ring_ends[r - 1] : 0, s->ring_ends[r],
                 "polygon");
        return true;
    }
    case TN_SHAPE_POLYLINE:
        if (s->n_points == 0) return false;
        put_ring(v, 0, s->n_points, "polyline");
        return true;
    case TN_SHAPE_POINTS:
        if (s->n_points != 1) return false;
        open_region(v, "point");
        num(v, ", \"cx\": ", s->xy[0]);
        num(v, ", \"cy\": ", s->xy[1]);
        return true;
    case TN_SHAPE_ELLIPSE: {
        if (s->n_points < 2) return false;
        const double turn = s->n_points > 2 ? s->xy[4] : 0.0;
        const bool circle = s->xy[2] == s->xy[3] && turn == 0.0;
        open_region(v, circle ? "circle" : "ellipse");
        num(v, ", \"cx\": ", s->xy[0]);
        num(v, ", \"cy\": ", s->xy[1]);
        num(v, circle ? ", \"r\": " : ", \"rx\": ", s->xy[2]);
        if (circle) return true;
        num(v, ", \"ry\": ", s->xy[3]);
        num(v, ", \"theta\": ", turn * (3.14159265358979323846 / 180.0));
        return true;
    }
    default: return false;
    }
}

static bool put_box(via *v, uint32_t i)
{
    tni_ann a;
    double b[4];
    tni_ann_get(v->d, i, &a);
    if ((a.flags & TN_HAS_BOX) != 0 && (a.flags & TN_HAS_ANGLE) == 0 &&
        tni_ann_form(a.flags) == TN_BOX_XYWH &&
        tni_ann_scale(a.flags) == TN_SCALE_PIXEL) {
        memcpy(b, a.box, sizeof b);
    } else {
        if (tn_dataset_box(v->d, i, b) == 0) return false;
        b[2] -= b[0];
        b[3] -= b[1];
    }
    open_region(v, "rect");
    num(v, ", \"x\": ", b[0]);
    num(v, ", \"y\": ", b[1]);
    num(v, ", \"width\": ", b[2]);
    num(v, ", \"height\": ", b[3]);
    return true;
}

static void put_attributes(via *v, uint32_t i)
{
    const tni_span *t = tni_sparse_find(&v->d->text[TN_TEXT_ATTRIBUTES], i, 0);
    const uint32_t cls = tni_ann_at(v->d, i)->class_index;
    bool any = cls != TN_NONE;
    str(v, "}, \"region_attributes\": {");
    if (any) {
        text(v, v->class_key);
        const char *name = tni_class_at(v->d, cls)->name;
        str(v, ": ");
        if (name[0] != '\0')
            text(v, name);
        else
            str(v, "{\"\": true}"); /* "" alone means none */
    }
    if (t != NULL) {
        tni_json j;
        tni_span key, raw;
        tni_json_init(&j, t->p, t->len, 0, NULL);
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
                /* Of two with one name the class is written. */
                if (cls != TN_NONE && tni_json_text_is(key, v->class_key))
                    continue;
                const tni_span m = tni_json_whole(key, raw);
                if (any) str(v, ", ");
                tni_out_bytes(v->o, m.p, m.len);
                any = true;
            }
    }
    str(v, "}");
}

static void put_region(via *v, uint32_t i)
{
    const uint32_t flags = *tni_flags_at(v->d, i);
    if ((flags & (TN_IS_TAG | TN_IS_NEGATIVE)) != 0) return;
    const tni_shape *cell = (flags & TN_HAS_SHAPE) != 0
                                ? tni_sparse_find(&v->d->shape, i, 0)
                                : NULL;
    const bool points = cell != NULL && (cell->kind == TN_SHAPE_POINTS ||
                                         cell->kind == TN_SHAPE_POLYLINE);
    const bool done = cell != NULL && put_shape(v, i);
    if (!done && points && (flags & TN_HAS_BOX) == 0) return;
    if (!done && !put_box(v, i)) return;
    put_attributes(v, i);
    tni_put_members(v->o, &v->d->text[TN_TEXT_EXTRA], i, of_region);
    str(v, "}");
    v->w->written[i] = 1;
}

/* In bytes; of the file, or as it was, or -1 as VIA has it. */
static void put_size(via *v, uint32_t i, bool quoted)
{
    const tni_image_row *r = tni_image_at(v->d, i);
    for (uint32_t k = 0;; k++) {
        const tni_span *m =
            tni_sparse_find(&v->d->image_text[TN_TEXT_EXTRA], i, k);
        if (m == NULL) break;
        const char *colon = m->len > 7 && memcmp(m->p, "\"size\"", 6) == 0
                                ? memchr(m->p, ':', m->len)
                                : NULL;
        if (colon == NULL) continue;
        const char *p = colon + 1, *end = m->p + m->len;
        while (p < end && *p == ' ') p++;
        for (; quoted && p < end; p++)
            if (*p >= '0' && *p <= '9') tni_out_char(v->o, *p);
        return;
    }
    const tni_span *inside = tni_image_bytes(v->d, i);
    tni_out_i64(v->o, inside != NULL    ? (int64_t)inside->len
                      : r->file != NULL ? (int64_t)tni_path_look(r->file).size
                                        : -1);
}

static void put_key(via *v, uint32_t i)
{
    const char *name = v->w->names[i];
    tni_draft *t = tni_draft_new(&v->w->arena, v->err);
    tni_span key = {NULL, 0};
    if (t == NULL) {
        v->o->status = TN_ENOMEM;
        return;
    }
    tni_out *o = v->o;
    v->o = tni_draft_begin(t);
    str(v, name);
    put_size(v, i, true);
    v->o = o;
    const tn_status status = tni_draft_end(t, &key);
    if (status != TN_OK)
        o->status = status;
    else
        tni_out_json(o, key.p, key.len);
}

static tn_status put_image(via *v, uint32_t i)
{
    const tni_sparse *extra = &v->d->image_text[TN_TEXT_EXTRA];
    const tni_span *attributes =
        tni_sparse_find(&v->d->image_text[TN_TEXT_ATTRIBUTES], i, 0);
    size_t n = 0;
    const uint32_t *list = tn_dataset_of_image(v->d, i, &n);
    const tni_arena_mark mark = tni_arena_save(&v->w->arena);
    put_key(v, i);
    tni_arena_rewind(&v->w->arena, mark);
    str(v, ": {\"filename\": ");
    text(v, v->w->names[i]);
    if (!tni_has_member(extra, i, "size")) {
        str(v, ", \"size\": ");
        put_size(v, i, false);
    }
    str(v, ", \"regions\": [");
    v->any = false;
    for (size_t k = 0; k < n; k++) put_region(v, list[k]);
    str(v,
        v->any ? "\n  ], \"file_attributes\": " : "], \"file_attributes\": ");
    if (attributes != NULL)
        tni_out_bytes(v->o, attributes->p, attributes->len);
    else
        str(v, "{}");
    tni_put_members(v->o, extra, i, of_image);
    str(v, "}");
    TN_TRY(v->o->status);
    return tni_writer_progress(v->w, "write", i, v->d->images.n, v->err);
}

/* Members nobody defines come last: what recognises a file by its first bytes
 * must meet VIA's there, however long the others are. */
static void put_others(via *v)
{
    tni_once keys;
    tni_once_init(&keys);
    for (uint32_t i = 0; i < v->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&v->d->metas, tni_meta, i);
        if (strcmp(m->key, TNI_VIA_CLASS) == 0 ||
            strncmp(m->key, "_via_", 5) == 0 ||
            tni_once_again(&keys, m->key, strlen(m->key)))
            continue;
        str(v, ",\n");
        text(v, m->key);
        str(v, ": ");
        tni_out_bytes(v->o, m->value.p, m->value.len);
    }
    tni_once_end(&keys, v->o);
}

/* What a project has besides its images; attributes declare the class. */
static void put_metas(via *v)
{
    bool settings = false, attributes = false;
    tni_once keys;
    tni_once_init(&keys);
    for (uint32_t i = 0; i < v->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&v->d->metas, tni_meta, i);
        const bool ours = strcmp(m->key, TNI_VIA_CLASS) == 0 ||
                          strcmp(m->key, "_via_img_metadata") == 0 ||
                          strcmp(m->key, "_via_image_id_list") == 0 ||
                          strcmp(m->key, "_via_data_format_version") == 0;
        if (ours || strncmp(m->key, "_via_", 5) != 0 ||
            tni_once_again(&keys, m->key, strlen(m->key)))
            continue;
        settings = settings || strcmp(m->key, "_via_settings") == 0;
        attributes = attributes || strcmp(m->key, "_via_attributes") == 0;
        text(v, m->key);
        str(v, ": ");
        tni_out_bytes(v->o, m->value.p, m->value.len);
        str(v, ",\n");
    }
    tni_once_end(&keys, v->o);
    if (!settings) str(v, "\"_via_settings\": {},\n");
    if (attributes) return;
    str(v, "\"_via_attributes\": {\"region\": {");
    text(v, v->class_key);
    str(v, ": {\"type\": \"dropdown\", \"description\": \"\", \"options\": {");
    for (uint32_t i = 0; i < v->d->classes.n; i++) {
        if (i > 0) str(v, ", ");
        text(v, tni_class_at(v->d, i)->name);
        str(v, ": \"\"");
    }
    str(v, "}, \"default_options\": {}}}, \"file\": {}},\n");
}

static tn_status put_project(via *v)
{
    str(v, "{\n");
    put_metas(v);
    str(v, "\"_via_img_metadata\": {");
    for (uint32_t i = 0; i < v->d->images.n; i++) {
        str(v, i > 0 ? ",\n  " : "\n  ");
        TN_TRY(put_image(v, i));
    }
    str(v, "\n},\n\"_via_data_format_version\": \"2.0.10\",\n"
           "\"_via_image_id_list\": [");
    for (uint32_t i = 0; i < v->d->images.n; i++) {
        const tni_arena_mark mark = tni_arena_save(&v->w->arena);
        if (i > 0) str(v, ", ");
        put_key(v, i);
        tni_arena_rewind(&v->w->arena, mark);
    }
    str(v, "]");
    put_others(v);
    str(v, "\n}\n");
    return v->o->status;
}

/* --- tables -------------------------------------------------------------- */

bool tni_via_is_size(const tni_span *member)
{
    size_t i = 6;
    if (member->len < 8 || memcmp(member->p, "\"size\"", 6) != 0) return false;
    while (i < member->len && strchr(" :", member->p[i]) != NULL) i++;
    const size_t first = i;
    while (i < member->len && member->p[i] >= '0' && member->p[i] <= '9') i++;
    return i == member->len && i > first && i - first < 16;
}

/* What a reader of the table takes for the class: the likeliest of the keys
 * there are, or the only one. NULL: none. */
static tn_status check_class_key(const via *v)
{
    const tni_sparse *s = &v->d->text[TN_TEXT_ATTRIBUTES];
    const char *chosen = NULL;
    bool classes = false, clash = false;
    for (uint32_t i = 0; i < v->d->anns.n; i++)
        classes =
            classes ||
            (tni_ann_at(v->d, i)->class_index != TN_NONE &&
             (*tni_flags_at(v->d, i) & (TN_IS_TAG | TN_IS_NEGATIVE)) == 0);
    for (size_t k = 0; tni_via_likely[k] != NULL && chosen == NULL; k++) {
        bool there = classes && strcmp(tni_via_likely[k], v->class_key) == 0;
        for (uint32_t i = 0; i < s->values.n && !there; i++) {
            tni_span value;
            there = tni_json_member(*TNI_ROW(&s->values, tni_span, i),
                                    tni_via_likely[k], &value);
        }
        if (there) chosen = tni_via_likely[k];
    }
    if (chosen != NULL)
        clash = !classes || strcmp(chosen, v->class_key) != 0;
    else /* of other keys only one that stands alone */
        clash = s->values.n > 0;
    if (!clash) return TN_OK;
    return tni_fail(v->err, TN_EUNSUPPORTED,
                    "regions have attributes of which a reader of the table "
                    "would take '%.60s' for the class; write json, which says "
                    "which it is",
                    chosen != NULL ? chosen : "the first");
}

static void put_field(via *v, tni_span t, bool last)
{
    tni_csv_put(v->o, ',', t.p, t.len);
    tni_out_char(v->o, last ? '\n' : ',');
}

/* The two objects of a region as it is in JSON; false when it is not there. */
static bool region_of(via *v, uint32_t i, tni_draft *draft, tni_span *shape,
                      tni_span *attributes)
{
    tni_out *o = v->o;
    tni_span text = {NULL, 0}, key;
    tni_json j;
    v->any = false;
    v->o = tni_draft_begin(draft);
    put_region(v, i);
    v->o = o;
    if (tni_draft_end(draft, &text) != TN_OK) {
        o->status = draft->out.status;
        return false;
    }
    if (!v->any) return false;
    tni_json_init(&j, text.p, text.len, 0, NULL);
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key))
            if (!tni_json_skip(&j, tni_span_is(key, "shape_attributes") ? shape
                                   : tni_span_is(key, "region_attributes")
                                       ? attributes
                                       : NULL))
                break;
    return j.status == TN_OK;
}

static void put_row(via *v, uint32_t i, size_t count, size_t id, tni_span shape,
                    tni_span region)
{
    static const tni_span empty = {"{}", 2};
    const tni_span *attributes =
        tni_sparse_find(&v->d->image_text[TN_TEXT_ATTRIBUTES], i, 0);
    put_field(v, tni_span_of(v->w->names[i]), false);
    if (tni_has_member(&v->d->image_text[TN_TEXT_EXTRA], i, "size"))
        put_size(v, i, true);
    else
        put_size(v, i, false);
    tni_out_char(v->o, ',');
    put_field(v, attributes != NULL ? *attributes : empty, false);
    tni_out_i64(v->o, (int64_t)count);
    tni_out_char(v->o, ',');
    tni_out_i64(v->o, (int64_t)id);
    tni_out_char(v->o, ',');
    put_field(v, shape, false);
    put_field(v, region, true);
}

static tn_status put_table(via *v)
{
    static const tni_span empty = {"{}", 2};
    tni_draft *draft = tni_draft_new(&v->w->arena, v->err);
    if (draft == NULL) return TN_ENOMEM;
    TN_TRY(check_class_key(v));
    str(v, "filename,file_size,file_attributes,region_count,region_id,"
           "region_shape_attributes,region_attributes\n");
    for (uint32_t i = 0; i < v->d->images.n; i++) {
        size_t n = 0, count = 0, id = 0;
        tni_span shape = empty, region = empty;
        const uint32_t *list = tn_dataset_of_image(v->d, i, &n);
        for (size_t k = 0; k < n; k++)
            count += region_of(v, list[k], draft, &shape, &region);
        if (count == 0) put_row(v, i, 0, 0, empty, empty);
        for (size_t k = 0; k < n && count > 0; k++)
            if (region_of(v, list[k], draft, &shape, &region))
                put_row(v, i, count, id++, shape, region);
        TN_TRY(v->o->status);
        TN_TRY(tni_writer_progress(v->w, "write", i, v->d->images.n, v->err));
    }
    return TN_OK;
}

/* --- the file ------------------------------------------------------------ */

tn_status tni_via_write(tni_writer *w, tn_err *err)
{
    via v;
    memset(&v, 0, sizeof v);
    v.w = w;
    v.d = w->d;
    v.err = err;
    v.shape.struct_size = sizeof v.shape;
    v.class_key = tni_via_class_key(w->d, &w->arena);
    tni_target *t = TNI_NEW(&w->arena, tni_target);
    if (t == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    v.o = &t->out;
    for (uint32_t i = 0; w->file == NULL && i < w->d->images.n; i++)
        TN_TRY(tni_write_image(w, i, w->names[i], err));
    const bool table = strcmp(w->variant, "csv") == 0;
    if (table && w->file != NULL)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "a table is no JSON file: name a folder, in which "
                        "via.csv is written");
    TN_TRY(tni_target_open(t, w,
                           w->file != NULL ? w->file
                           : table         ? "via.csv"
                                           : "via.json",
                           err));
    const tn_status status = table ? put_table(&v) : put_project(&v);
    if (status != TN_OK && t->out.status == TN_OK) t->out.status = status;
    tn_shape_fini(&v.shape);
    return tni_target_close(t, err);
}
