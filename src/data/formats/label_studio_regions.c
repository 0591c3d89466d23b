/* SPDX-License-Identifier: Apache-2.0 */
/*
 * label_studio_regions.c - the results of one annotation become rows
 *
 * Results with the same id are about one region: one draws it, others give it
 * classes ("labels") or answer questions about it. Keypoints whose parent is
 * a region are its named points. What becomes no row stays as it is.
 */
#include "data/formats/label_studio_items.h"

#include <math.h>

/* Of the points of a class. */
enum { MAX_NAMES = 4096 };

/* One annotation or prediction while it is read. */
typedef struct set {
    tni_ls *l;
    tni_ls_task *task;
    tni_ls_item *items;
    size_t n;
    tni_span mark; /* which set it is, for each of its rows; none: the only */
} set;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static tn_status wrong(tni_ls *l, const tni_ls_item *it, const char *what)
{
    tni_json j = tni_ls_at(l, it->whole);
    (void)tni_json_fail(&j, it->at, "a result of type '%.*s' %s",
                        it->type.len > 40 ? 40 : (int)it->type.len,
                        it->type.p != NULL ? it->type.p : "", what);
    return j.status;
}

/* --- which belong together -------------------------------------------------- */

/* The item a link of a region's id leads to; NULL: none. */
static tni_ls_item *owner(const tni_strmap *map, tni_span id)
{
    void **slot = id.len > 0 ? tni_strmap_find(map, id.p, id.len) : NULL;
    return slot != NULL ? *slot : NULL;
}

static bool draws(const tni_ls_item *it, bool labels)
{
    if (!labels) return tni_ls_is_region(it->kind);
    return it->kind == TNI_LS_LABELS && tni_ls_has(it, TNI_LS_X) &&
           tni_ls_has(it, TNI_LS_H);
}

static bool add_owner(tni_strmap *map, tni_ls_item *it)
{
    bool fresh = false;
    if (it->id.len == 0) return true;
    void **slot = tni_strmap_add(map, it->id.p, it->id.len, &fresh);
    if (slot != NULL && fresh) *slot = it;
    return slot != NULL;
}

static void prepend(tni_ls_item **list, tni_ls_item *it)
{
    it->next = *list;
    *list = it;
}

/* The one text of an answer that is a text or a list of one; else none. */
static bool single(const tni_ls *l, tni_span answer, tni_span *text)
{
    tni_json j = tni_ls_at(l, answer);
    size_t n = 0;
    if (answer.p == NULL) return false;
    if (tni_json_peek(&j) == '"') {
        *text = answer;
        return true;
    }
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return false;
    while (tni_json_item(&j)) {
        if (tni_json_peek(&j) != '"' || !tni_json_skip(&j, text)) return false;
        n++;
    }
    return n == 1 && j.status == TN_OK;
}

/* The one class of a keypoint that has nothing a point of another region
 * could not keep. */
static bool point_name(const tni_ls *l, const tni_ls_item *it, tni_span *name)
{
    if (it->labels.p == NULL || it->child != NULL || it->extras ||
        it->value_extras || it->scored || it->point != NULL ||
        !tni_ls_has(it, TNI_LS_X) || !tni_ls_has(it, TNI_LS_Y) ||
        it->image_turn != 0.0 ||
        (it->origin.p != NULL && !tni_span_is(it->origin, "manual")) ||
        !single(l, it->labels, name))
        return false;
    name->p++;
    name->len -= 2;
    return true;
}

static bool is_classed(const tni_ls_item *it)
{
    bool any = it->labels.p != NULL && !tni_json_is_empty(it->labels);
    for (const tni_ls_item *c = it->child; c != NULL; c = c->next)
        any = any || (c->kind == TNI_LS_LABELS && c->labels.p != NULL &&
                      !tni_json_is_empty(c->labels));
    return any;
}

/* Whether what gave it is what rows of its type have without a name. */
static bool is_usual(tni_ls *l, const tni_ls_item *it)
{
    tni_ls_control *own = tni_ls_control_of(l, it);
    return own == NULL || tni_ls_is_usual(l, own);
}

/* Of the keypoints below a region those that are its named points: of a name
 * that two have, neither, so that it does not matter which comes first. */
static tn_status choose_points(tni_ls *l, tni_ls_item *it)
{
    tni_ls_item *p = it->point, **end = &it->point;
    tni_span name = {NULL, 0};
    tni_strmap map;
    bool fresh = false;
    if (p == NULL) return TN_OK;
    tni_strmap_init(&map, &l->work);
    for (tni_ls_item *q = p; q != NULL; q = q->next) {
        if (!point_name(l, q, &name)) continue;
        void **slot = tni_strmap_add(&map, name.p, name.len, &fresh);
        if (slot == NULL ||
            (tni_ls_control_of(l, q) == NULL && q->from.p != NULL))
            return no_memory(l->err);
        *slot = fresh ? q : NULL;
    }
    it->point = NULL;
    const bool some = is_classed(it) && map.n <= MAX_NAMES;
    while (p != NULL) {
        tni_ls_item *next = p->next;
        p->next = NULL;
        if (some && point_name(l, p, &name) &&
            *tni_strmap_find(&map, name.p, name.len) == p && is_usual(l, p)) {
            p->done = true;
            *end = p;
            end = &p->next;
        }
        p = next;
    }
    return TN_OK;
}

static tn_status link_items(set *s)
{
    tni_strmap map;
    tni_strmap_init(&map, &s->l->work);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < s->n; i++)
            if (draws(&s->items[i], pass == 1) &&
                !add_owner(&map, &s->items[i]))
                return no_memory(s->l->err);
    for (size_t i = s->n; i-- > 0;) {
        tni_ls_item *it = &s->items[i], *own = owner(&map, it->id);
        if (draws(it, true) && (own == it || own == NULL)) {
            it->kind = TNI_LS_RECT;
        } else if (!tni_ls_is_region(it->kind) && own != NULL && own != it) {
            prepend(&own->child, it);
            it->owned = true;
        } else if (it->kind == TNI_LS_POINT) {
            tni_ls_item *parent = owner(&map, it->parent);
            if (parent != NULL && parent->kind != TNI_LS_POINT)
                prepend(&parent->point, it);
        }
    }
    for (size_t i = 0; i < s->n; i++) TN_TRY(choose_points(s->l, &s->items[i]));
    return TN_OK;
}

/* --- geometry ------------------------------------------------------------------ */

static uint32_t image_of(const set *s, const tni_ls_item *it)
{
    const size_t n = s->task->n_images;
    if (it->index >= 0)
        return s->task->images[it->index < (int64_t)n ? it->index : 0];
    size_t k = 0, by = 1, i = it->to.len;
    for (; n > 1 && i > 0 && it->to.p[i - 1] >= '0' && it->to.p[i - 1] <= '9' &&
           by < 1000000;
         i--, by *= 10)
        k += (size_t)(it->to.p[i - 1] - '0') * by;
    return s->task->images[k < n ? k : 0];
}

/* The size that percents are of; false when nobody says. */
static bool size_of(const set *s, const tni_ls_item *it, double *w, double *h)
{
    *w = it->num[TNI_LS_OW];
    *h = it->num[TNI_LS_OH];
    if (*w >= 1.0 && *h >= 1.0 && *w <= (1 << 20) && *h <= (1 << 20))
        return true;
    return tni_image_extent(s->l->d, image_of(s, it), w, h);
}

static tn_status set_shape(set *s, const tni_ls_item *it, uint32_t ann,
                           tn_shape_kind kind, tni_span text)
{
    tni_shape shape;
    memset(&shape, 0, sizeof shape);
    if (text.len > UINT32_MAX)
        return tni_fail(s->l->err, TN_ELIMIT, "a shape of over 4 GiB");
    shape.text = text.p;
    shape.len = (uint32_t)text.len;
    shape.kind = (uint8_t)kind;
    shape.layout =
        (uint8_t)(kind == TN_SHAPE_RLE ? TNI_LAYOUT_RLE : TNI_LAYOUT_PAIRS);
    if (kind == TN_SHAPE_POINTS || kind == TN_SHAPE_ELLIPSE)
        shape.layout = TNI_LAYOUT_FLAT;
    shape.scale =
        (uint8_t)(kind == TN_SHAPE_RLE ? TN_SCALE_PIXEL : TN_SCALE_PERCENT);
    (void)it;
    return tni_set_shape(s->l->d, ann, &shape, s->l->err);
}

static tn_status list_text(set *s, const double *v, size_t n, tni_span *text)
{
    tni_out *o = tni_draft_begin(s->l->draft);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_str(o, ", ");
        tni_out_f64(o, v[i]);
    }
    return tni_draft_keep(s->l->draft, s->l->d, text);
}

/* The runs of a brush, in the pixels of the image it was painted on. */
static tn_status runs_of(set *s, const tni_ls_item *it, tni_span *runs)
{
    tni_ls *l = s->l;
    tni_patch p;
    double w = 0.0, h = 0.0;
    if (it->rle.p == NULL || it->rle.p[0] != '[')
        return wrong(l, it, "has no list 'rle'");
    if (!size_of(s, it, &w, &h))
        return wrong(l, it, "has no original_width and original_height");
    if (w * h > (double)l->d->limits.max_image_pixels ||
        w * h >= (double)(UINT32_C(1) << 30))
        return tni_fail(l->err, TN_ELIMIT, "a brush of %.0f x %.0f pixels", w,
                        h);
    tni_json j = tni_ls_at(l, it->rle);
    const tni_arena_mark before = tni_arena_save(&l->work);
    TN_TRY(tni_ls_brush_read(&p, &j, (int64_t)w, (int64_t)h, &l->work, l->err));
    TN_TRY(tni_patch_put(tni_draft_begin(l->draft), &p, p.w, p.h, l->err));
    tni_arena_rewind(&l->work, before);
    return tni_draft_keep(l->draft, l->d, runs);
}

/* A rectangle turns about its top left corner; boxes about their centre. */
static tn_status turn_box(set *s, const tni_ls_item *it, tni_ann *a,
                          double *angle)
{
    const double *v = it->num;
    double w = 0.0, h = 0.0;
    const double turn = fmod(v[TNI_LS_TURN], 360.0);
    a->flags |=
        TN_HAS_BOX | TNI_FORM(TN_BOX_XYWH) | TNI_SCALE(TN_SCALE_PERCENT);
    memcpy(a->box, v, 4 * sizeof *v);
    if (turn == 0.0) return TN_OK;
    if (!size_of(s, it, &w, &h))
        return wrong(s->l, it,
                     "is turned, but has no original_width and "
                     "original_height");
    const double c = cos(turn * 0.017453292519943295);
    const double n = sin(turn * 0.017453292519943295);
    const double bw = v[TNI_LS_W] * w * 0.01, bh = v[TNI_LS_H] * h * 0.01;
    a->flags &= ~(TNI_FORM(3) | TNI_SCALE(3));
    a->flags |= TNI_FORM(TN_BOX_CXCYWH) | TNI_SCALE(TN_SCALE_PIXEL);
    a->box[0] = v[TNI_LS_X] * w * 0.01 + (bw * c - bh * n) / 2;
    a->box[1] = v[TNI_LS_Y] * h * 0.01 + (bw * n + bh * c) / 2;
    a->box[2] = bw;
    a->box[3] = bh;
    *angle = v[TNI_LS_TURN];
    return TN_OK;
}

typedef struct geometry {
    tn_shape_kind kind; /* TN_SHAPE_NONE: a box */
    tni_span text;
    double angle;
} geometry;

static tn_status take_geometry(set *s, const tni_ls_item *it, tni_ann *a,
                               geometry *g)
{
    const double *v = it->num;
    const uint32_t point = 1u << TNI_LS_X | 1u << TNI_LS_Y;
    const uint32_t need =
        it->kind == TNI_LS_RECT      ? point | 1u << TNI_LS_W | 1u << TNI_LS_H
        : it->kind == TNI_LS_ELLIPSE ? point | 1u << TNI_LS_RX | 1u << TNI_LS_RY
        : it->kind == TNI_LS_POINT   ? point
                                     : 0;
    memset(g, 0, sizeof *g);
    if ((it->seen & need) != need)
        return wrong(s->l, it,
                     it->kind == TNI_LS_RECT
                         ? "lacks some of x, y, width and height"
                     : it->kind == TNI_LS_POINT
                         ? "lacks x or y"
                         : "lacks some of x, y, radiusX and radiusY");
    if (it->kind == TNI_LS_RECT) return turn_box(s, it, a, &g->angle);
    if (it->kind == TNI_LS_POLYGON) {
        size_t n = 0;
        if (it->points.p == NULL || it->points.p[0] != '[')
            return wrong(s->l, it, "has no list 'points'");
        tni_json j = tni_ls_at(s->l, it->points);
        if (!tni_json_points(&j, &n)) return j.status;
        g->kind = TN_SHAPE_POLYGON;
        g->text = it->points;
        return TN_OK;
    }
    if (it->kind == TNI_LS_BRUSH) {
        g->kind = TN_SHAPE_RLE;
        return runs_of(s, it, &g->text);
    }
    g->kind = it->kind == TNI_LS_POINT ? TN_SHAPE_POINTS : TN_SHAPE_ELLIPSE;
    const double list[5] = {v[TNI_LS_X], v[TNI_LS_Y], v[TNI_LS_RX],
                            v[TNI_LS_RY], v[TNI_LS_TURN]};
    const size_t n = it->kind == TNI_LS_POINT ? 2
                     : v[TNI_LS_TURN] != 0.0  ? 5
                                              : 4;
    return list_text(s, list, n, &g->text);
}

/* --- rows ------------------------------------------------------------------------ */

/* The id of a result as the id of an annotation. */
static tn_status take_id(set *s, const tni_ls_item *it, tni_ann *a)
{
    if (it->id.len == 0) return TN_OK;
    const char *id = tni_keep_json(s->l->d, it->id, true);
    if (id == NULL) return no_memory(s->l->err);
    a->flags |= TNI_ID(TN_ID_TEXT);
    a->id = (int64_t)(intptr_t)id;
    return TN_OK;
}

static tn_status add_row(set *s, tni_ls_item *it, tni_ann *a, uint32_t *ann)
{
    tni_ls *l = s->l;
    TN_TRY(tni_add_annotation(l->d, a, ann, l->err));
    if (!it->done) it->ann = *ann;
    it->done = true;
    it->n_anns++;
    if (it->scored)
        TN_TRY(tni_set_num(l->d, *ann, TN_NUM_SCORE, it->score, l->err));
    if (s->mark.p != NULL)
        TN_TRY(tni_set_text(l->d, *ann, TN_TEXT_EXTRA, s->mark, l->err));
    return tni_ls_item_extras(l, it, *ann);
}

static tn_status class_of(set *s, tni_span raw, uint64_t where, uint32_t *cls)
{
    const char *name = tni_json_unescape(&s->l->work, raw, NULL);
    if (name == NULL) return no_memory(s->l->err);
    return tni_class_named(&s->l->classes, tni_span_of(name), where, cls,
                           s->l->err);
}

/* One row of a region, of this class. */
static tn_status region_row(set *s, tni_ls_item *it, tni_ann *a,
                            const geometry *g, const tni_span *label)
{
    uint32_t ann = TN_NONE;
    a->class_index = TN_NONE;
    if (label != NULL) TN_TRY(class_of(s, *label, a->where, &a->class_index));
    TN_TRY(add_row(s, it, a, &ann));
    if (g->angle != 0.0)
        TN_TRY(tni_set_num(s->l->d, ann, TN_NUM_ANGLE, g->angle, s->l->err));
    return g->kind != TN_SHAPE_NONE ? set_shape(s, it, ann, g->kind, g->text)
                                    : TN_OK;
}

/* A row for each class of `list`; *n how many. */
static tn_status rows_of(set *s, tni_ls_item *it, tni_ann *a, const geometry *g,
                         tni_span list, size_t *n)
{
    tni_json j = tni_ls_at(s->l, list);
    if (list.p == NULL || !tni_json_enter(&j, '[')) return j.status;
    while (tni_json_item(&j)) {
        tni_span label = {NULL, 0};
        if (!tni_json_string(&j, &label, NULL)) return j.status;
        TN_TRY(region_row(s, it, a, g, &label));
        ++*n;
    }
    return j.status;
}

static tn_status begin_row(set *s, tni_ls_item *it, tni_ann *a)
{
    memset(a, 0, sizeof *a);
    a->image = image_of(s, it);
    a->class_index = TN_NONE;
    a->where = tni_jsonfile_where(&s->l->f, it->at);
    if (it->image_turn != 0.0)
        TN_TRY(tni_note_add(s->l->d, a->where, "turned-image", s->l->err,
                            "a region was drawn on an image turned by %g "
                            "degrees: its coordinates are as they are",
                            it->image_turn));
    return take_id(s, it, a);
}

static tn_status read_answer(set *s, tni_ls_item *it, tni_ls_item *region,
                             bool *any);
static tn_status read_points(set *s, tni_ls_item *it);

static tn_status read_region(set *s, tni_ls_item *it)
{
    tni_ann a;
    geometry g;
    size_t n = 0;
    tni_span text = {NULL, 0};
    bool any = false;
    TN_TRY(begin_row(s, it, &a));
    TN_TRY(take_geometry(s, it, &a, &g));
    TN_TRY(rows_of(s, it, &a, &g, it->labels, &n));
    for (tni_ls_item *c = it->child; c != NULL; c = c->next) {
        if (c->kind != TNI_LS_LABELS) continue;
        if (tni_ls_control_of(s->l, c) == NULL && c->from.p != NULL)
            return no_memory(s->l->err);
        (void)is_usual(s->l, c);
        TN_TRY(rows_of(s, it, &a, &g, c->labels, &n));
        c->done = true;
    }
    if (n == 0) TN_TRY(region_row(s, it, &a, &g, NULL));
    TN_TRY(read_points(s, it));
    tni_out_str(tni_draft_begin(s->l->draft), "{");
    for (tni_ls_item *c = it->child; c != NULL; c = c->next)
        if (c->kind != TNI_LS_LABELS) TN_TRY(read_answer(s, c, it, &any));
    tni_out_str(&s->l->draft->out, "}");
    if (!any) return TN_OK;
    TN_TRY(tni_draft_keep(s->l->draft, s->l->d, &text));
    for (uint32_t k = 0; k < it->n_anns; k++)
        TN_TRY(tni_set_text(s->l->d, it->ann + k, TN_TEXT_ATTRIBUTES, text,
                            s->l->err));
    return TN_OK;
}

/* --- answers about regions ---------------------------------------------------------- */

/* Whether the answer is what a control of its kind gives. */
static bool fits(const tni_ls *l, const tni_ls_item *it)
{
    tni_span text;
    const char c = it->answer.p != NULL ? it->answer.p[0] : 0;
    switch (it->kind) {
    case TNI_LS_NUMBER:
    case TNI_LS_RATING: return (c >= '0' && c <= '9') || c == '-';
    case TNI_LS_DATETIME: return c == '"';
    case TNI_LS_CHOICES:
    case TNI_LS_TEXT:
        if (single(l, it->answer, &text)) return true;
        break;
    case TNI_LS_TAXONOMY: break;
    default: return false;
    }
    return c == '[' && it->answer.len > 2 && !tni_json_is_empty(it->answer);
}

/* Adds an answer to the attributes in the draft. */
static tn_status read_answer(set *s, tni_ls_item *it, tni_ls_item *region,
                             bool *any)
{
    tni_ls *l = s->l;
    tni_span text = it->answer;
    const bool one = single(l, it->answer, &text);
    if (it->from.len == 0 || it->extras || it->value_extras || it->done ||
        !fits(l, it))
        return TN_OK;
    for (const tni_ls_item *c = region->child; c != it; c = c->next)
        if (c->done && c->from.len == it->from.len &&
            memcmp(c->from.p, it->from.p, it->from.len) == 0)
            return TN_OK; /* asked twice: the second stays as it is */
    it->done = true;
    if (it->kind == TNI_LS_TEXT && one && tni_span_is(it->from, "caption")) {
        for (uint32_t k = 0; k < region->n_anns; k++)
            TN_TRY(tni_set_text(l->d, region->ann + k, TN_TEXT_CAPTION, text,
                                l->err));
        return TN_OK;
    }
    tni_ls_control *control = tni_ls_control_of(l, it);
    if (control == NULL) return tni_ls_no_control(l);
    control->answer = true;
    tni_out *o = &l->draft->out;
    tni_out_str(o, *any ? ", \"" : "\"");
    tni_out_bytes(o, it->from.p, it->from.len);
    tni_out_str(o, "\": ");
    if (!one) text = it->answer;
    tni_out_bytes(o, text.p, text.len);
    *any = true;
    return o->status;
}

/* --- named points ----------------------------------------------------------------- */

tn_status tni_ls_name_point(tni_ls *l, uint32_t cls, tni_span raw,
                            uint32_t *index)
{
    void **slot = tni_strmap_find(&l->names_of, (const char *)&cls, sizeof cls);
    tni_ls_names *n = slot != NULL ? *slot : NULL;
    if (n == NULL) {
        bool fresh = false;
        n = TNI_NEW(&l->r->scratch, tni_ls_names);
        if (n == NULL) return no_memory(l->err);
        n->cls = cls;
        slot = tni_strmap_add(&l->names_of, (const char *)&n->cls,
                              sizeof n->cls, &fresh);
        if (slot == NULL) return no_memory(l->err);
        *slot = n;
        n->next = l->names;
        l->names = n;
    }
    const char *name = tni_keep_json(l->d, raw, true);
    if (name == NULL) return no_memory(l->err);
    for (*index = 0; *index < n->n; ++*index)
        if (strcmp(n->list[*index], name) == 0) return TN_OK;
    if (n->n == MAX_NAMES)
        return tni_fail(l->err, TN_ELIMIT, "a class has more than %d keypoints",
                        (int)MAX_NAMES);
    if (n->n == n->cap) {
        const uint32_t cap = n->cap == 0 ? 32 : 2 * n->cap;
        const char **more = TNI_NEW_ARRAY(&l->r->scratch, const char *, cap);
        if (more == NULL) return no_memory(l->err);
        if (n->n > 0) memcpy(more, n->list, n->n * sizeof *more);
        n->list = more;
        n->cap = cap;
    }
    n->list[n->n++] = name;
    return TN_OK;
}

/* Ids of points, as a member of the region, so that relations still hold. */
static tn_status keep_ids(set *s, const tni_ls_item *it)
{
    tni_span text = {NULL, 0};
    bool any = false;
    tni_out *o = tni_draft_begin(s->l->draft);
    tni_out_str(o, "\"keypoint_ids\": {");
    for (const tni_ls_item *p = it->point; p != NULL; p = p->next) {
        tni_span name = {NULL, 0};
        if (p->id.len == 0 || !point_name(s->l, p, &name)) continue;
        tni_out_str(o, any ? ", \"" : "\"");
        tni_out_bytes(o, name.p, name.len);
        tni_out_str(o, "\": \"");
        tni_out_bytes(o, p->id.p, p->id.len);
        tni_out_str(o, "\"");
        any = true;
    }
    tni_out_str(o, "}");
    if (!any) return o->status;
    TN_TRY(tni_draft_keep(s->l->draft, s->l->d, &text));
    return tni_set_text(s->l->d, it->ann, TN_TEXT_EXTRA, text, s->l->err);
}

static tn_status read_points(set *s, tni_ls_item *it)
{
    tni_ls *l = s->l;
    const uint32_t cls = tni_ann_at(l->d, it->ann)->class_index;
    uint32_t name = 0;
    size_t n = 0;
    tni_span raw = {NULL, 0};
    if (cls == TN_NONE) return TN_OK;
    if (it->keypoints.p != NULL) {
        tni_json j = tni_ls_at(l, it->keypoints);
        if (tni_json_enter(&j, '['))
            while (tni_json_item(&j)) {
                if (!tni_json_string(&j, &raw, NULL)) break;
                TN_TRY(tni_ls_name_point(l, cls, raw, &name));
            }
        TN_TRY(j.status);
    }
    for (tni_ls_item *p = it->point; p != NULL; p = p->next) n++;
    if (n == 0) return TN_OK;
    const size_t size = sizeof(tni_ls_points) + n * sizeof l->points->at[0];
    tni_ls_points *list =
        tni_arena_zalloc(&l->r->scratch, size, _Alignof(tni_ls_points));
    if (list == NULL) return no_memory(l->err);
    list->ann = it->ann;
    for (tni_ls_item *p = it->point; p != NULL; p = p->next) {
        if (!point_name(l, p, &raw)) continue;
        TN_TRY(tni_ls_name_point(l, cls, raw, &name));
        if (tni_ls_control_of(l, p) == NULL && p->from.p != NULL)
            return no_memory(l->err);
        list->at[list->n].name = name;
        list->at[list->n].x = p->num[TNI_LS_X];
        list->at[list->n].y = p->num[TNI_LS_Y];
        list->at[list->n++].visible = p->visible >= 0.0 ? p->visible
                                      : p->hidden       ? 1.0
                                                        : 2.0;
    }
    list->next = l->points;
    l->points = list;
    return keep_ids(s, it);
}

/* --- about the whole image ---------------------------------------------------------- */

/* "a/b" of ["a", "b"], and the path itself as a member of the row. */
static tn_status taxonomy_row(set *s, tni_ls_item *it, tni_ann *a,
                              tni_span path)
{
    tni_json j = tni_ls_at(s->l, path);
    tni_span raw, name = {NULL, 0}, text = {NULL, 0};
    bool any = false;
    uint32_t ann = TN_NONE;
    tni_out *o = tni_draft_begin(s->l->draft);
    if (tni_json_peek(&j) == '"') {
        if (!tni_json_string(&j, &raw, NULL)) return j.status;
        tni_out_bytes(o, raw.p, raw.len);
    } else if (tni_json_enter(&j, '[')) {
        while (tni_json_item(&j)) {
            if (!tni_json_string(&j, &raw, NULL)) return j.status;
            tni_out_str(o, any ? "/" : "");
            tni_out_bytes(o, raw.p, raw.len);
            any = true;
        }
    }
    TN_TRY(j.status);
    TN_TRY(tni_draft_end(s->l->draft, &name));
    TN_TRY(class_of(s, name, a->where, &a->class_index));
    TN_TRY(add_row(s, it, a, &ann));
    o = tni_draft_begin(s->l->draft);
    tni_out_str(o, "\"taxonomy\": ");
    tni_out_bytes(o, path.p, path.len);
    TN_TRY(tni_draft_keep(s->l->draft, s->l->d, &text));
    return tni_set_text(s->l->d, ann, TN_TEXT_EXTRA, text, s->l->err);
}

static tn_status whole_row(set *s, tni_ls_item *it, tni_ann *a, tni_json *j)
{
    uint32_t ann = TN_NONE;
    tni_span raw = {NULL, 0};
    if (it->kind == TNI_LS_TAXONOMY) {
        if (!tni_json_skip(j, &raw)) return j->status;
        return taxonomy_row(s, it, a, raw);
    }
    if (it->kind == TNI_LS_CHOICES) {
        if (!tni_json_string(j, &raw, NULL)) return j->status;
        TN_TRY(class_of(s, raw, a->where, &a->class_index));
        return add_row(s, it, a, &ann);
    }
    if (tni_json_peek(j) != '"' || !tni_json_skip(j, &raw)) {
        (void)!tni_json_string(j, &raw, NULL);
        return j->status;
    }
    TN_TRY(add_row(s, it, a, &ann));
    return tni_set_text(s->l->d, ann, TN_TEXT_CAPTION, raw, s->l->err);
}

static tn_status read_whole(set *s, tni_ls_item *it)
{
    tni_ann a;
    tni_json j = tni_ls_at(s->l, it->answer);
    if (it->answer.p == NULL || it->done) return TN_OK;
    TN_TRY(begin_row(s, it, &a));
    if (it->kind != TNI_LS_TEXT) a.flags |= TN_IS_TAG;
    if (tni_json_peek(&j) != '[') return whole_row(s, it, &a, &j);
    if (tni_json_enter(&j, '['))
        while (tni_json_item(&j)) TN_TRY(whole_row(s, it, &a, &j));
    return j.status;
}

static tn_status read_rows(set *s)
{
    TN_TRY(link_items(s));
    for (size_t i = 0; i < s->n; i++) {
        tni_ls_item *it = &s->items[i];
        const bool whole = it->kind == TNI_LS_CHOICES ||
                           it->kind == TNI_LS_TAXONOMY ||
                           it->kind == TNI_LS_TEXT;
        if (it->done || it->owned) continue;
        if (tni_ls_is_region(it->kind)) {
            TN_TRY(read_region(s, it));
        } else if (whole) {
            TN_TRY(read_whole(s, it));
        } else if (!tni_span_is(it->type, "relation")) {
            TN_TRY(tni_note_add(
                s->l->d, tni_jsonfile_where(&s->l->f, it->at), "other-type",
                s->l->err,
                "a result of type '%.*s' is kept, but not as an annotation",
                it->type.len > 60 ? 60 : (int)it->type.len,
                it->type.p != NULL ? it->type.p : ""));
        }
    }
    return TN_OK;
}

/* --- sets ---------------------------------------------------------------------------- */

/* Adds the members of `object` but its results to what the task says of its
 * annotations, and the results that are in no row. */
static tn_status put_info(set *s, int which, tni_span object, bool results)
{
    tni_ls_task *task = s->task;
    tni_out *o = &task->info[which]->out;
    tni_span key, raw;
    bool any = false, first = true;
    /* What is about one of several images would be about another when it is
     * read again: it is no result then. */
    const char *key_of =
        task->n_images > 1 ? "\"task_results\": [" : "\"result\": [";
    tni_json j = tni_ls_at(s->l, object);
    tni_out_str(o, task->n[which] > 1 ? ", {" : "{");
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            if (!results && tni_span_is(key, "result")) continue;
            const tni_span member = tni_json_whole(key, raw);
            tni_out_str(o, any ? ", " : "");
            tni_out_bytes(o, member.p, member.len);
            any = true;
        }
    TN_TRY(j.status);
    for (size_t i = 0; i < s->n; i++) {
        if (s->items[i].done) continue;
        tni_out_str(o, !first || any ? ", " : "");
        if (first) tni_out_str(o, key_of);
        tni_out_bytes(o, s->items[i].whole.p, s->items[i].whole.len);
        first = false;
    }
    tni_out_str(o, first ? "}" : "]}");
    task->says[which] = task->says[which] || any || !first;
    return o->status;
}

/* "annotation": {"index": 1, "id": 7, "completed_by": 2}: which set it is. */
static tn_status make_mark(set *s, tni_span object, bool prediction)
{
    static const char *const keys[2][3] = {{"id", "completed_by", NULL},
                                           {"id", "model_version", "score"}};
    tni_span key, raw;
    const size_t index = s->task->n[prediction] - 1;
    if (!prediction && s->task->expected < 2 && index == 0) return TN_OK;
    tni_json j = tni_ls_at(s->l, object);
    tni_out *o = tni_draft_begin(s->l->draft);
    tni_out_str(o, prediction ? "\"prediction\": {\"index\": "
                              : "\"annotation\": {\"index\": ");
    tni_out_i64(o, (int64_t)index);
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw))
            for (int k = 0; k < 3 && keys[prediction][k] != NULL; k++)
                if (tni_span_is(key, keys[prediction][k])) {
                    const tni_span member = tni_json_whole(key, raw);
                    tni_out_str(o, ", ");
                    tni_out_bytes(o, member.p, member.len);
                }
    tni_out_str(o, "}");
    TN_TRY(j.status);
    return tni_draft_keep(s->l->draft, s->l->d, &s->mark);
}

/* The items of a list of results. */
static tn_status read_list(set *s, tni_span list)
{
    tni_ls *l = s->l;
    size_t n = 0;
    tni_json j = tni_ls_at(l, list);
    if (!tni_json_enter(&j, '[')) return j.status;
    while (tni_json_item(&j) && tni_json_skip(&j, NULL)) n++;
    TN_TRY(j.status);
    s->items = TNI_NEW_ARRAY(&l->work, tni_ls_item, n + 1);
    if (s->items == NULL) return no_memory(l->err);
    j = tni_ls_at(l, list);
    if (tni_json_enter(&j, '['))
        while (tni_json_item(&j) && s->n < n)
            TN_TRY(tni_ls_item_read(l, &j, &s->items[s->n++]));
    return j.status;
}

tn_status tni_ls_read_set(tni_ls *l, tni_ls_task *task, tni_span object,
                          bool prediction)
{
    set s;
    tni_span key, list = {NULL, 0};
    bool cancelled = false;
    tni_json j = tni_ls_at(l, object);
    memset(&s, 0, sizeof s);
    s.l = l;
    s.task = task;
    task->n[prediction]++;
    tni_arena_reset(&l->work);
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            const char kind = tni_json_peek(&j);
            if (tni_span_is(key, "result") && kind == '[')
                (void)!tni_json_skip(&j, &list);
            else if (kind == 't' && (tni_span_is(key, "was_cancelled") ||
                                     tni_span_is(key, "skipped")))
                (void)!tni_json_bool(&j, &cancelled);
            else
                (void)!tni_json_skip(&j, NULL);
        }
    TN_TRY(j.status);
    if (cancelled) {
        TN_TRY(tni_note_add(l->d, tni_jsonfile_where(&l->f, object.p),
                            "cancelled", l->err,
                            "an annotation was cancelled (the task was "
                            "skipped): its results are kept, but not as "
                            "annotations"));
        return put_info(&s, prediction, object, true);
    }
    if (!prediction) task->looked = true;
    TN_TRY(make_mark(&s, object, prediction));
    if (list.p != NULL) {
        TN_TRY(read_list(&s, list));
        TN_TRY(read_rows(&s));
    }
    return put_info(&s, prediction, object, false);
}

/* --- JSON-MIN -------------------------------------------------------------------------- */

bool tni_ls_is_answer(const tni_ls *l, tni_span value)
{
    static const char *const keys[] = {
        "original_width",  "rle",           "choices",        "taxonomy",
        "rectanglelabels", "polygonlabels", "keypointlabels", "ellipselabels"};
    tni_span object = value, member;
    tni_json j = tni_ls_at(l, value);
    if (tni_json_peek(&j) == '[') {
        if (!tni_json_enter(&j, '[') || !tni_json_item(&j) ||
            tni_json_peek(&j) != '{' || !tni_json_skip(&j, &object))
            return false;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (tni_json_member(object, keys[i], &member)) return true;
    return false;
}

/* How many results the answers of a record have; as items when there is a
 * place for them. */
static tn_status min_items(tni_ls *l, tni_span record, tni_ls_item *items,
                           size_t *n)
{
    tni_json j = tni_ls_at(l, record);
    tni_span key, value;
    *n = 0;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
        if (!tni_ls_is_answer(l, value)) continue;
        tni_json k = tni_ls_at(l, value);
        const bool list = tni_json_peek(&k) == '[';
        if (list && !tni_json_enter(&k, '[')) return k.status;
        while (!list || tni_json_item(&k)) {
            if (items != NULL)
                TN_TRY(tni_ls_item_min(l, &k, key, &items[*n]));
            else if (!tni_json_skip(&k, NULL))
                return k.status;
            ++*n;
            if (!list) break;
        }
        TN_TRY(k.status);
    }
    return j.status;
}

tn_status tni_ls_read_min(tni_ls *l, tni_ls_task *task, tni_span record,
                          tni_span header)
{
    set s;
    memset(&s, 0, sizeof s);
    s.l = l;
    s.task = task;
    task->n[0]++;
    task->looked = true;
    tni_arena_reset(&l->work);
    TN_TRY(make_mark(&s, header, false));
    TN_TRY(min_items(l, record, NULL, &s.n));
    s.items = TNI_NEW_ARRAY(&l->work, tni_ls_item, s.n + 1);
    if (s.items == NULL) return no_memory(l->err);
    TN_TRY(min_items(l, record, s.items, &s.n));
    TN_TRY(read_rows(&s));
    return put_info(&s, 0, header, false);
}
