/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio_put.c - rows as results of Label Studio */
#include "data/formats/label_studio_write.h"

#include <math.h>
#include <stdio.h>

static void str(tni_ls_writer *l, const char *s)
{
    tni_out_str(l->o, s);
}

static void num(tni_ls_writer *l, const char *key, double v)
{
    str(l, key);
    tni_out_f64(l->o, v);
}

bool tni_ls_kept(const tni_sparse *s, uint32_t row, const char *key,
                 tni_span *value)
{
    const size_t n = strlen(key);
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, row, k);
        if (m == NULL) return false;
        if (m->len < n + 4 || memcmp(m->p + 1, key, n) != 0 ||
            m->p[n + 1] != '"')
            continue;
        size_t at = n + 2;
        while (at < m->len && strchr(" \t\r\n:", m->p[at]) != NULL) at++;
        value->p = m->p + at;
        value->len = m->len - at;
        return at < m->len;
    }
}

static bool kept(const tni_ls_writer *l, uint32_t ann, const char *key,
                 char kind, tni_span *value)
{
    if (!tni_ls_kept(&l->d->text[TN_TEXT_EXTRA], ann, key, value)) return false;
    const char c = value->p[0];
    return kind == '0' ? (c >= '0' && c <= '9') || c == '-' : c == kind;
}

/* --- geometry ------------------------------------------------------------------ */

static bool box_form(const tni_ls_writer *l, uint32_t i, tni_ls_form *f)
{
    tni_ann a;
    tni_ann_get(l->d, i, &a);
    if ((a.flags & TN_HAS_BOX) == 0) {
        double b[4];
        if (!l->sized || tn_dataset_box(l->d, i, b) == 0) return false;
        a.flags = TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY);
        memcpy(a.box, b, sizeof b);
    }
    const uint8_t scale = tni_ann_scale(a.flags), form = tni_ann_form(a.flags);
    if (scale == TN_SCALE_PIXEL && !l->sized) return false;
    double *v = f->v;
    memcpy(v, a.box, sizeof a.box);
    if (form == TN_BOX_XYXY) {
        v[2] -= v[0];
        v[3] -= v[1];
    } else if (form == TN_BOX_CXCYWH) {
        v[0] -= v[2] / 2;
        v[1] -= v[3] / 2;
    }
    for (int k = 0; k < 4; k++) {
        if (scale == TN_SCALE_PIXEL) v[k] /= k % 2 == 0 ? l->width : l->height;
        if (scale != TN_SCALE_PERCENT) v[k] *= 100.0;
    }
    v[4] = 0.0;
    f->kind = TNI_LS_RECT;
    return true;
}

/* From the corner about which it turns, in pixels. */
static void turned(const tni_ls_writer *l, tni_ls_form *f, const double v[5])
{
    for (int k = 0; k < 4; k++)
        f->v[k] = v[k] / (k % 2 == 0 ? l->width : l->height) * 100.0;
    f->v[4] = v[4];
    f->kind = TNI_LS_RECT;
}

static bool turned_form(tni_ls_writer *l, uint32_t i, tni_ls_form *f)
{
    double b[4], angle = 0.0, v[5];
    if (!l->sized || tn_dataset_box(l->d, i, b) == 0 ||
        tn_dataset_num(l->d, i, TN_NUM_ANGLE, &angle) == 0)
        return false;
    const double c = cos(angle * 0.017453292519943295);
    const double n = sin(angle * 0.017453292519943295);
    v[2] = b[2] - b[0];
    v[3] = b[3] - b[1];
    v[0] = (b[0] + b[2]) / 2 - (v[2] * c - v[3] * n) / 2;
    v[1] = (b[1] + b[3]) / 2 - (v[2] * n + v[3] * c) / 2;
    v[4] = angle;
    turned(l, f, v);
    return true;
}

static bool outline_form(tni_ls_writer *l, tni_ls_form *f)
{
    const tn_shape *s = &l->shape;
    if (s->n_rings == 0) return false;
    const size_t r = tni_largest_ring(s);
    f->from = r > 0 ? s->ring_ends[r - 1] : 0;
    f->to = s->ring_ends[r];
    f->kind = TNI_LS_POLYGON;
    return true;
}

static bool shape_form(tni_ls_writer *l, uint32_t i, tni_ls_form *f)
{
    tn_shape *s = &l->shape;
    double v[5];
    const tni_shape *cell = tni_sparse_find(&l->d->shape, i, 0);
    f->pixels = cell->scale == TN_SCALE_PIXEL;
    if ((f->pixels && !l->sized && cell->kind != TN_SHAPE_RLE) ||
        tni_shape_read(s, cell, 100.0, 100.0, NULL) != TN_OK)
        return false;
    switch (s->kind) {
    case TN_SHAPE_POLYGON: return outline_form(l, f);
    case TN_SHAPE_QUAD:
        if (!l->sized) return outline_form(l, f);
        if (tn_dataset_shape(l->d, i, s, NULL) != TN_OK) return false;
        f->pixels = true;
        if (s->n_points != 4 || !tni_quad_is_rectangle(s->xy, v))
            return outline_form(l, f);
        turned(l, f, v);
        return true;
    case TN_SHAPE_RLE: f->kind = TNI_LS_BRUSH; return true;
    case TN_SHAPE_POINTS:
        if (s->n_points != 1) return false;
        f->kind = TNI_LS_POINT;
        break;
    case TN_SHAPE_ELLIPSE:
        if (s->n_points < 2) return false;
        f->kind = TNI_LS_ELLIPSE;
        break;
    default: return false;
    }
    for (int k = 0; k < (f->kind == TNI_LS_POINT ? 2 : 4); k++)
        f->v[k] = f->pixels
                      ? s->xy[k] / (k % 2 == 0 ? l->width : l->height) * 100.0
                      : s->xy[k];
    f->v[4] = f->kind == TNI_LS_ELLIPSE && s->n_points > 2 ? s->xy[4] : 0.0;
    return true;
}

tni_ls_form tni_ls_form_of(tni_ls_writer *l, uint32_t i)
{
    const uint32_t flags = *tni_flags_at(l->d, i);
    const bool classed = tni_ann_at(l->d, i)->class_index != TN_NONE;
    tni_ls_form f;
    tni_span path;
    memset(&f, 0, sizeof f);
    if ((flags & TN_IS_NEGATIVE) != 0) return f;
    if ((flags & TN_IS_TAG) != 0) {
        if (classed)
            f.kind = kept(l, i, "taxonomy", '[', &path) ? TNI_LS_TAXONOMY
                                                        : TNI_LS_CHOICES;
        return f;
    }
    if ((flags & TN_HAS_SHAPE) != 0 && shape_form(l, i, &f)) return f;
    if ((flags & (TN_HAS_SHAPE | TN_HAS_ANGLE)) == TN_HAS_ANGLE &&
        turned_form(l, i, &f))
        return f;
    const tni_shape *cell = (flags & TN_HAS_SHAPE) != 0
                                ? tni_sparse_find(&l->d->shape, i, 0)
                                : NULL;
    const bool open = cell != NULL && (cell->kind == TN_SHAPE_POINTS ||
                                       cell->kind == TN_SHAPE_POLYLINE);
    if ((flags & TN_HAS_BOX) == 0 && open) return f;
    if (box_form(l, i, &f)) return f;
    if (!classed && tni_sparse_find(&l->d->text[TN_TEXT_CAPTION], i, 0) != NULL)
        f.kind = TNI_LS_TEXT;
    return f;
}

tn_status tni_ls_put_geometry(tni_ls_writer *l, const tni_ls_form *f)
{
    switch (f->kind) {
    case TNI_LS_POINT:
    case TNI_LS_RECT:
    case TNI_LS_ELLIPSE: {
        const bool ellipse = f->kind == TNI_LS_ELLIPSE;
        num(l, "\"x\": ", f->v[0]);
        num(l, ", \"y\": ", f->v[1]);
        if (f->kind == TNI_LS_POINT) return l->o->status;
        num(l, ellipse ? ", \"radiusX\": " : ", \"width\": ", f->v[2]);
        num(l, ellipse ? ", \"radiusY\": " : ", \"height\": ", f->v[3]);
        num(l, ", \"rotation\": ", f->v[4]);
        return l->o->status;
    }
    case TNI_LS_POLYGON:
        str(l, "\"points\": [");
        for (size_t i = f->from; i < f->to; i++) {
            const double *p = l->shape.xy + 2 * i;
            num(l, i > f->from ? ", [" : "[",
                f->pixels ? p[0] / l->width * 100.0 : p[0]);
            num(l, ", ", f->pixels ? p[1] / l->height * 100.0 : p[1]);
            str(l, "]");
        }
        str(l, "], \"closed\": true");
        return l->o->status;
    default:
        str(l, "\"format\": \"rle\", \"rle\": ");
        return tni_ls_brush_write(l->o, &l->shape, &l->work, l->err);
    }
}

/* --- ids -------------------------------------------------------------------------- */

/* The id of a row as text; "" without one. */
static const char *id_of(const tni_ls_writer *l, uint32_t i, char number[32])
{
    tni_ann a;
    tni_ann_get(l->d, i, &a);
    const uint8_t kind = tni_ann_id_kind(a.flags);
    number[0] = '\0';
    if (kind == TN_ID_TEXT) return (const char *)(intptr_t)a.id;
    if (kind == TN_ID_INT) (void)snprintf(number, 32, "%lld", (long long)a.id);
    return number;
}

tn_status tni_ls_collect_ids(tni_ls_writer *l, const uint32_t *list, size_t n)
{
    char number[32];
    tni_strmap_init(&l->regions, &l->work);
    for (size_t k = 0; k < n; k++) {
        const char *id = id_of(l, list[k], number);
        const tni_shape *cell = tni_sparse_find(&l->d->shape, list[k], 0);
        bool fresh = false;
        if (id[0] == '\0' ||
            ((*tni_flags_at(l->d, list[k]) & TN_HAS_BOX) == 0 && cell == NULL))
            continue;
        const char *copy = tni_arena_strndup(&l->work, id, strlen(id));
        void **slot = copy != NULL ? tni_strmap_add(&l->regions, copy,
                                                    strlen(copy), &fresh)
                                   : NULL;
        if (slot == NULL) return tni_fail(l->err, TN_ENOMEM, "out of memory");
    }
    return TN_OK;
}

static const char *make_id(tni_ls_writer *l)
{
    char number[32];
    do {
        (void)snprintf(number, sizeof number, "tn%u", (unsigned)++l->made);
    } while (tni_strmap_find(&l->regions, number, strlen(number)) != NULL);
    return tni_arena_strndup(&l->work, number, strlen(number));
}

/* The id a region is written with: its own, or one made where it must have
 * one and another has its own already. */
static const char *region_id(tni_ls_writer *l, uint32_t i, bool must)
{
    char number[32];
    const char *id = id_of(l, i, number);
    void **slot =
        id[0] != '\0' ? tni_strmap_find(&l->regions, id, strlen(id)) : NULL;
    const bool taken = slot != NULL && *slot != NULL;
    if (slot != NULL) *slot = l;
    if (!must || (id[0] != '\0' && !taken))
        return tni_arena_strndup(&l->work, id, strlen(id));
    return make_id(l);
}

/* --- controls ---------------------------------------------------------------------- */

static const tni_ls_known *by_type(const tni_ls_writer *l, const char *type)
{
    for (size_t i = 0; i < l->n_controls; i++)
        if (l->controls[i].usual && tni_span_is(l->controls[i].type, type))
            return &l->controls[i];
    return NULL;
}

static const tni_ls_known *by_name(const tni_ls_writer *l, tni_span from)
{
    for (size_t i = 0; i < l->n_controls; i++)
        if (l->controls[i].from.len == from.len &&
            memcmp(l->controls[i].from.p, from.p, from.len) == 0)
            return &l->controls[i];
    return NULL;
}

/* `{"id": …, "type": …, "from_name": …, "to_name": …`; ann TN_NONE: nobody's
 * members are asked. */
static void put_head(tni_ls_writer *l, const char *id, const char *type,
                     uint32_t ann)
{
    tni_span from = {NULL, 0}, to = {NULL, 0};
    const tni_ls_known *c = by_type(l, type);
    str(l, "{");
    if (id[0] != '\0') {
        str(l, "\"id\": ");
        tni_out_json(l->o, id, strlen(id));
        str(l, ", ");
    }
    str(l, "\"type\": \"");
    str(l, type);
    str(l, "\", \"from_name\": \"");
    if (ann != TN_NONE && kept(l, ann, "from_name", '"', &from)) {
        from.p++;
        from.len -= 2;
        const tni_ls_known *own = by_name(l, from);
        if (own != NULL) c = own;
    } else {
        from = c != NULL
                   ? c->from
                   : tni_span_of(tni_ls_type_of(tni_span_of(type))->control);
    }
    tni_out_bytes(l->o, from.p, from.len);
    str(l, "\", \"to_name\": \"");
    if (ann != TN_NONE && kept(l, ann, "to_name", '"', &to)) {
        to.p++;
        to.len -= 2;
    } else {
        to = c != NULL && c->to.len > 0 ? c->to : tni_span_of("image");
    }
    tni_out_bytes(l->o, to.p, to.len);
    str(l, "\"");
    tni_ls_use(l, type, from, to, false);
}

/* Remembers what the classes of these rows are used for. */
static void use_classes(tni_ls_writer *l, const uint32_t *list, size_t from,
                        size_t to, uint8_t use)
{
    for (size_t k = from; k < to; k++) {
        const uint32_t cls = tni_ann_at(l->d, list[k])->class_index;
        if (cls != TN_NONE) l->class_uses[cls] |= use;
    }
    if (use == TNI_LS_DOTTED && l->now != NULL) l->now->classed = true;
}

static void put_size(tni_ls_writer *l, const tni_ls_form *f, uint32_t ann)
{
    tni_span turn;
    const bool mask = f->kind == TNI_LS_BRUSH;
    if (l->sized || mask) {
        num(l,
            ", \"original_width\": ", mask ? (double)l->shape.width : l->width);
        num(l, ", \"original_height\": ",
            mask ? (double)l->shape.height : l->height);
    }
    str(l, ", \"image_rotation\": ");
    if (ann != TN_NONE && kept(l, ann, "image_rotation", '0', &turn))
        tni_out_bytes(l->o, turn.p, turn.len);
    else
        str(l, "0");
}

/* Members of a result that a row may not give it. */
static const char *const of_result[] = {
    "id",     "type",       "from_name", "to_name",         "original_width",
    "value",  "score",      "parentID",  "original_height", "image_rotation",
    "origin", "item_index", "keypoints", "rotation",        NULL};

static bool is_in(const char *const *list, tni_span member)
{
    for (; *list != NULL; list++) {
        const size_t n = strlen(*list);
        if (member.len > n + 2 && memcmp(member.p + 1, *list, n) == 0 &&
            member.p[n + 1] == '"')
            return true;
    }
    return false;
}

/* What the row keeps of its result, and its score. */
static void put_tail(tni_ls_writer *l, const tni_ls_form *f, uint32_t i)
{
    static const char *const texts[] = {"parentID", "origin", NULL};
    static const char *const own[] = {
        "annotation", "prediction", "taxonomy",       "keypoint_ids",
        "from_name",  "to_name",    "image_rotation", NULL};
    static const char *const of_point[] = {"width", "hidden", NULL};
    double score = 0.0;
    tni_span mark;
    bool origin = false;
    if (tn_dataset_num(l->d, i, TN_NUM_SCORE, &score) != 0)
        num(l, ", \"score\": ", score);
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(&l->d->text[TN_TEXT_EXTRA], i, k);
        tni_span value = {NULL, 0};
        if (m == NULL) break;
        if (is_in(own, *m) || (f->kind == TNI_LS_POINT && is_in(of_point, *m)))
            continue;
        if (m->len > 8 && memcmp(m->p, "\"value\"", 7) == 0 &&
            kept(l, i, "value", '{', &value))
            continue;
        const bool text = is_in(texts, *m) && m->p[m->len - 1] == '"';
        origin = origin || (text && m->p[1] == 'o');
        str(l, !text && is_in(of_result, *m) ? ", \"x_" : ", \"");
        tni_out_bytes(l->o, m->p + 1, m->len - 1);
    }
    const bool guessed = kept(l, i, "prediction", '{', &mark);
    str(l, origin || guessed ? "}" : ", \"origin\": \"manual\"}");
}

/* --- values -------------------------------------------------------------------------- */

static void put_names(tni_ls_writer *l, const char *key, const uint32_t *list,
                      size_t from, size_t to)
{
    str(l, key);
    for (size_t k = from; k < to; k++) {
        const uint32_t cls = tni_ann_at(l->d, list[k])->class_index;
        const char *name = tni_class_at(l->d, cls)->name;
        str(l, k > from ? ", " : "");
        tni_out_json(l->o, name, strlen(name));
    }
    str(l, "]");
}

static void put_width(tni_ls_writer *l, const char *type)
{
    const tni_ls_known *c = by_type(l, type);
    str(l, ", \"width\": ");
    if (c != NULL && c->width.p != NULL)
        tni_out_bytes(l->o, c->width.p, c->width.len);
    else
        tni_out_f64(l->o, TNI_LS_POINT_WIDTH);
}

/* Members that the value had and nobody defines. */
static void put_rest(tni_ls_writer *l, const tni_ls_form *f, uint32_t i)
{
    tni_span value, width;
    if (f->kind == TNI_LS_POINT) {
        if (kept(l, i, "width", '0', &width)) {
            str(l, ", \"width\": ");
            tni_out_bytes(l->o, width.p, width.len);
        } else {
            const uint32_t cls = tni_ann_at(l->d, i)->class_index;
            put_width(l, tni_ls_type_name(f->kind, cls != TN_NONE));
        }
        if (kept(l, i, "hidden", 't', &width)) str(l, ", \"hidden\": true");
    }
    if (!kept(l, i, "value", '{', &value) || tni_json_is_empty(value)) return;
    str(l, ", ");
    tni_out_bytes(l->o, value.p + 1, value.len - 2);
}

/* Whether two rows are one region, or one answer, with two classes. */
static bool is_same(const tni_ls_writer *l, uint32_t a, uint32_t b)
{
    char na[32], nb[32];
    const char *ia = id_of(l, a, na), *ib = id_of(l, b, nb);
    const uint32_t fa = *tni_flags_at(l->d, a), fb = *tni_flags_at(l->d, b);
    const tni_shape *sa = tni_sparse_find(&l->d->shape, a, 0);
    const tni_shape *sb = tni_sparse_find(&l->d->shape, b, 0);
    const uint32_t points = TN_HAS_KEYPOINTS;
    tni_span ma = {NULL, 0}, mb = {NULL, 0};
    if (ia[0] == '\0' || strcmp(ia, ib) != 0 ||
        ((fa ^ fb) & TNI_FLAGS & ~points) != 0 || (fb & points) != 0 ||
        (sa == NULL) != (sb == NULL) ||
        tni_ann_at(l->d, a)->class_index == TN_NONE ||
        tni_ann_at(l->d, b)->class_index == TN_NONE)
        return false;
    if (memcmp(tni_ann_at(l->d, a)->box, tni_ann_at(l->d, b)->box,
               4 * sizeof(double)) != 0)
        return false;
    for (int k = 0; k < 2; k++) {
        static const char *const marks[2] = {"annotation", "prediction"};
        const bool ka = kept(l, a, marks[k], '{', &ma);
        if (ka != kept(l, b, marks[k], '{', &mb)) return false;
        if (ka && (ma.len != mb.len || memcmp(ma.p, mb.p, ma.len) != 0))
            return false;
    }
    if (kept(l, a, "taxonomy", '[', &ma) != kept(l, b, "taxonomy", '[', &mb))
        return false;
    for (int k = 0; k < TN_TEXT_COUNT; k++) {
        const tni_span *ta = tni_sparse_find(&l->d->text[k], a, 0);
        const tni_span *tb = tni_sparse_find(&l->d->text[k], b, 0);
        if (k == TN_TEXT_EXTRA) continue;
        if ((ta == NULL) != (tb == NULL)) return false;
        if (ta != NULL &&
            (ta->len != tb->len || memcmp(ta->p, tb->p, ta->len) != 0))
            return false;
    }
    return sa == NULL || (sa->kind == sb->kind && sa->scale == sb->scale &&
                          sa->layout == sb->layout && sa->len == sb->len &&
                          memcmp(sa->text, sb->text, sa->len) == 0);
}

/* --- what belongs to a region ---------------------------------------------------------- */

static void put_child(tni_ls_writer *l, const char *id, const char *type,
                      tni_span from)
{
    const tni_ls_known *c =
        from.p != NULL ? by_name(l, from) : by_type(l, type);
    str(l, ",\n        {\"id\": ");
    tni_out_json(l->o, id, strlen(id));
    str(l, ", \"type\": \"");
    str(l, type);
    str(l, "\", \"from_name\": \"");
    if (from.p == NULL)
        from = c != NULL
                   ? c->from
                   : tni_span_of(tni_ls_type_of(tni_span_of(type))->control);
    tni_out_bytes(l->o, from.p, from.len);
    str(l, "\", \"to_name\": \"");
    const tni_span to =
        c != NULL && c->to.len > 0 ? c->to : tni_span_of("image");
    tni_out_bytes(l->o, to.p, to.len);
    str(l, "\", \"origin\": \"manual\", \"value\": {");
    tni_ls_use(l, type, from, to, strcmp(type, "labels") != 0);
}

/* The type of control that gives such a value: the one the dataset names, if
 * it can. */
static const char *answer_type(const tni_ls_writer *l, tni_span from,
                               tni_span value)
{
    const tni_ls_known *c = by_name(l, from);
    const tni_ls_type *t = c != NULL ? tni_ls_type_of(c->type) : NULL;
    const bool text = value.p[0] == '"', list = value.p[0] == '[';
    size_t at = 1;
    while (list && at < value.len && strchr(" \t\r\n", value.p[at]) != NULL)
        at++;
    if (list && value.p[at] == '[') return "taxonomy";
    const tni_ls_kind kind = t != NULL ? t->kind : TNI_LS_OTHER;
    if ((text || list) && kind == TNI_LS_TEXT) return "textarea";
    if (text && kind == TNI_LS_DATETIME) return "datetime";
    if (text || list) return "choices";
    return kind == TNI_LS_RATING ? "rating" : "number";
}

static void put_answers(tni_ls_writer *l, const char *id, uint32_t i)
{
    const tni_span *a = tni_sparse_find(&l->d->text[TN_TEXT_ATTRIBUTES], i, 0);
    const tni_span *caption =
        tni_sparse_find(&l->d->text[TN_TEXT_CAPTION], i, 0);
    tni_json j;
    tni_span key, value;
    if (caption != NULL) {
        put_child(l, id, "textarea", tni_span_of("caption"));
        str(l, "\"text\": [");
        tni_out_bytes(l->o, caption->p, caption->len);
        str(l, "]}}");
    }
    if (a == NULL || !tni_ls_plain_attributes(*a)) return;
    tni_json_init(&j, a->p, a->len, 0, NULL);
    if (!tni_json_enter(&j, '{')) return;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
        const char *type = answer_type(l, key, value);
        const bool list = type[0] != 'n' && type[0] != 'r' && type[0] != 'd' &&
                          value.p[0] != '[';
        put_child(l, id, type, key);
        if (strcmp(type, "choices") == 0 || strcmp(type, "taxonomy") == 0)
            tni_ls_use_values(l, value);
        str(l, "\"");
        str(l, strcmp(type, "textarea") == 0 ? "text" : type);
        str(l, list ? "\": [" : "\": ");
        tni_out_bytes(l->o, value.p, value.len);
        str(l, list ? "]}}" : "}}");
    }
}

static const char *point_name(const tni_class_row *row, size_t k,
                              char number[32])
{
    if (row->keypoints != NULL && k < row->n_keypoints)
        return row->keypoints[k];
    (void)snprintf(number, 32, "%zu", k + 1);
    return number;
}

/* The names of the points of a class, at the first region that has it: not
 * every region has all of them. */
static void put_point_names(tni_ls_writer *l, uint32_t i, size_t n)
{
    const uint32_t cls = tni_ann_at(l->d, i)->class_index;
    char number[32];
    if (cls == TN_NONE || l->named[cls] != 0 ||
        (l->w->keeps & TNI_KEEPS(KEYPOINT_NAMES)) == 0)
        return;
    const tni_class_row *row = tni_class_at(l->d, cls);
    if (row->n_keypoints > n) n = row->n_keypoints;
    if (n == 0) return;
    l->named[cls] = 1;
    str(l, ", \"keypoints\": [");
    for (size_t k = 0; k < n; k++) {
        const char *name = point_name(row, k, number);
        str(l, k > 0 ? ", " : "");
        tni_out_json(l->o, name, strlen(name));
    }
    str(l, "]");
}

/* Keypoints are regions below theirs. */
static tn_status put_points(tni_ls_writer *l, const char *id, uint32_t i)
{
    const tni_shape *cell = tni_sparse_find(&l->d->keypoints, i, 0);
    const uint32_t cls = tni_ann_at(l->d, i)->class_index;
    const tni_class_row *row = tni_class_at(l->d, cls);
    tn_shape *s = &l->shape;
    tni_span ids = {NULL, 0}, own;
    tni_ls_form f;
    memset(&f, 0, sizeof f);
    f.kind = TNI_LS_POINT;
    TN_TRY(tni_shape_read(s, cell, 100.0, 100.0, l->err));
    (void)kept(l, i, "keypoint_ids", '{', &ids);
    for (size_t k = 0; k < s->n_points; k++) {
        const bool none = s->visible != NULL && s->visible[k] == 0;
        char number[32];
        if (none && s->xy[2 * k] == 0.0 && s->xy[2 * k + 1] == 0.0) continue;
        const char *name = point_name(row, k, number);
        for (int axis = 0; axis < 2; axis++) {
            const double v = s->xy[2 * k + (size_t)axis];
            const double side = axis == 0 ? l->width : l->height;
            f.v[axis] = cell->scale == TN_SCALE_PIXEL ? v / side * 100.0 : v;
        }
        str(l, ",\n        ");
        const char *at = NULL;
        if (ids.p != NULL && tni_json_member(ids, name, &own) &&
            own.p[0] == '"' && own.len > 2) {
            const tni_span raw = {own.p + 1, own.len - 2};
            at = tni_json_unescape(&l->work, raw, NULL);
        } else {
            at = make_id(l);
        }
        if (at == NULL) return tni_fail(l->err, TN_ENOMEM, "out of memory");
        put_head(l, at, "keypointlabels", TN_NONE);
        tni_ls_use_text(l, name);
        str(l, ", \"parentID\": ");
        tni_out_json(l->o, id, strlen(id));
        if (none) str(l, ", \"visibility\": 0");
        put_size(l, &f, TN_NONE);
        str(l, ", \"origin\": \"manual\", \"value\": {");
        TN_TRY(tni_ls_put_geometry(l, &f));
        put_width(l, "keypointlabels");
        str(l, ", ");
        if (s->visible != NULL && s->visible[k] == 1)
            str(l, "\"hidden\": true, ");
        str(l, "\"keypointlabels\": [");
        tni_out_json(l->o, name, strlen(name));
        str(l, "]}}");
    }
    return l->o->status;
}

/* --- results ------------------------------------------------------------------------------ */

/* Who says the classes of a region: its own result, another beside it, or only
 * one of type "labels". */
typedef enum style { OWN, BESIDE, ALONE } style;

static style style_of(const tni_ls_writer *l, const tni_ls_form *f)
{
    if (by_type(l, tni_ls_type_name(f->kind, true)) != NULL ||
        by_type(l, "labels") == NULL)
        return OWN;
    if (by_type(l, tni_ls_type_name(f->kind, false)) != NULL) return BESIDE;
    return f->kind == TNI_LS_RECT ? ALONE : OWN;
}

static size_t points_of(tni_ls_writer *l, uint32_t i)
{
    const tni_shape *cell = tni_sparse_find(&l->d->keypoints, i, 0);
    if (cell == NULL || tni_ann_at(l->d, i)->class_index == TN_NONE ||
        (l->w->keeps & TNI_KEEPS(KEYPOINTS)) == 0 ||
        (cell->scale == TN_SCALE_PIXEL && !l->sized) ||
        tni_shape_read(&l->shape, cell, 1.0, 1.0, NULL) != TN_OK)
        return 0;
    return l->shape.n_points;
}

static bool has_answers(const tni_ls_writer *l, uint32_t i)
{
    const tni_span *a = tni_sparse_find(&l->d->text[TN_TEXT_ATTRIBUTES], i, 0);
    return tni_sparse_find(&l->d->text[TN_TEXT_CAPTION], i, 0) != NULL ||
           (a != NULL && tni_ls_plain_attributes(*a));
}

static tn_status put_region(tni_ls_writer *l, const uint32_t *list, size_t from,
                            size_t to)
{
    const uint32_t i = list[from];
    const size_t n_points = points_of(l, i);
    const bool classed = tni_ann_at(l->d, i)->class_index != TN_NONE;
    const bool answers = has_answers(l, i);
    tni_ls_form f = tni_ls_form_of(l, i);
    const style s = classed ? style_of(l, &f) : OWN;
    const char *type =
        s == ALONE ? "labels" : tni_ls_type_name(f.kind, classed && s == OWN);
    const char *id = region_id(l, i, n_points > 0 || answers || s != OWN);
    const char *key = s == OWN ? type : "labels";
    if (id == NULL) return tni_fail(l->err, TN_ENOMEM, "out of memory");
    put_head(l, id, type, i);
    if (f.kind == TNI_LS_POINT && classed && s == OWN)
        use_classes(l, list, from, to, TNI_LS_DOTTED);
    put_point_names(l, i, n_points);
    put_size(l, &f, i);
    str(l, ", \"value\": {");
    TN_TRY(tni_ls_put_geometry(l, &f));
    put_rest(l, &f, i);
    if (classed && s != BESIDE) {
        str(l, ", \"");
        str(l, key);
        put_names(l, "\": [", list, from, to);
    }
    str(l, "}");
    put_tail(l, &f, i);
    if (s == BESIDE) {
        const tni_span none = {NULL, 0};
        put_child(l, id, "labels", none);
        TN_TRY(tni_ls_put_geometry(l, &f));
        put_names(l, ", \"labels\": [", list, from, to);
        str(l, "}}");
    }
    if (n_points > 0) TN_TRY(put_points(l, id, i));
    if (answers) put_answers(l, id, i);
    return l->o->status;
}

/* A class or a text of the whole image. */
static tn_status put_whole(tni_ls_writer *l, const tni_ls_form *f,
                           const uint32_t *list, size_t from, size_t to)
{
    const uint32_t i = list[from];
    char number[32];
    tni_span value;
    const char *id = id_of(l, i, number);
    if (tni_strmap_find(&l->regions, id, strlen(id)) != NULL) id = "";
    put_head(l, id, tni_ls_type_name(f->kind, false), i);
    if (f->kind == TNI_LS_CHOICES) {
        use_classes(l, list, from, to, TNI_LS_TAGGED);
        if (l->now != NULL && to - from > 1) l->now->several = true;
        put_names(l, ", \"value\": {\"choices\": [", list, from, to);
    } else if (f->kind == TNI_LS_TAXONOMY) {
        str(l, ", \"value\": {\"taxonomy\": [");
        for (size_t k = from; k < to; k++) {
            if (!kept(l, list[k], "taxonomy", '[', &value)) continue;
            str(l, k > from ? ", " : "");
            tni_out_bytes(l->o, value.p, value.len);
            tni_ls_use_value(l, value);
        }
        str(l, "]");
    } else {
        const tni_span *text =
            tni_sparse_find(&l->d->text[TN_TEXT_CAPTION], i, 0);
        str(l, ", \"value\": {\"text\": [");
        tni_out_bytes(l->o, text->p, text->len);
        str(l, "]");
    }
    put_rest(l, f, i);
    str(l, "}");
    put_tail(l, f, i);
    return l->o->status;
}

tn_status tni_ls_put_results(tni_ls_writer *l, const uint32_t *list, size_t n,
                             size_t *k, bool *any)
{
    const size_t from = *k;
    const tni_ls_form f = tni_ls_form_of(l, list[from]);
    *k = from + 1;
    if (f.kind == TNI_LS_OTHER) return TN_OK;
    while (*k < n && f.kind != TNI_LS_TEXT && is_same(l, list[from], list[*k]))
        ++*k;
    str(l, *any ? ",\n        " : "\n        ");
    *any = true;
    for (size_t i = from; i < *k; i++) l->w->written[list[i]] = 1;
    return tni_ls_is_region(f.kind) ? put_region(l, list, from, *k)
                                    : put_whole(l, &f, list, from, *k);
}
