/* SPDX-License-Identifier: Apache-2.0 */
/* residue_write.c - the sidecar that keeps what a format could not */
#include "data/residue.h"

#include "data/base64.h"
#include "data/records.h"

#include <stdio.h>

/* What one thread writes with. */
struct tni_residue_lane {
    const tni_writer *w;
    const tn_dataset *d, *back;
    tni_out out;
    bool first, unordered; /* no comma is due */
    uint32_t flags;        /* of the first annotation kept: those of most */
    bool any;              /* annotations of the image at hand */
    int64_t expected;      /* the number of the next, when none is left out */
    tni_hashes hashes;     /* of what the target has of the image */
};

typedef tni_residue_lane residue;

struct tni_residue {
    tni_file_out *file;
    const uint32_t *matches;
    size_t n_lanes, bytes;
    residue lanes[]; /* one more than threads: the first and last lines */
};

char *tni_residue_path(tni_arena *arena, const char *target, bool one_file)
{
    const char *tail = one_file ? ".residue.ndjson" : "/residue.ndjson";
    const size_t n = strlen(target), m = strlen(tail);
    char *out = tni_arena_alloc(arena, n + m + 1, 1);
    if (out == NULL) return NULL;
    memcpy(out, target, n);
    memcpy(out + n, tail, m + 1);
    return out;
}

/* --- small pieces -------------------------------------------------------- */

static void str(residue *r, const char *s)
{
    tni_out_str(&r->out, s);
}

static void key(residue *r, const char *name)
{
    if (!r->first) str(r, ",");
    r->first = false;
    str(r, "\"");
    str(r, name);
    str(r, "\":");
}

static void put_string(residue *r, const char *name, const char *value)
{
    key(r, name);
    tni_out_json(&r->out, value, strlen(value));
}

static void put_int(residue *r, const char *name, int64_t value)
{
    key(r, name);
    tni_out_i64(&r->out, value);
}

static void put_null(residue *r, const char *name)
{
    key(r, name);
    str(r, "null");
}

static void put_id(residue *r, uint8_t kind, int64_t id)
{
    if (kind == TN_ID_INT) put_int(r, "id", id);
    if (kind == TN_ID_TEXT) put_string(r, "id", (const char *)(intptr_t)id);
}

static void open_object(residue *r)
{
    str(r, "{");
    r->first = true;
}

static void close_object(residue *r)
{
    str(r, "}");
    r->first = false;
}

/* One object, one line. */
static void put_line(residue *r, tni_span raw)
{
    const char *p = raw.p, *end = raw.p + raw.len;
    while (p < end) {
        const char *q = p;
        while (q < end && *q != '\n' && *q != '\r') q++;
        tni_out_bytes(&r->out, p, (size_t)(q - p));
        p = q < end ? q + 1 : end;
    }
}

/* "key": value members of a row, as an object. */
static void put_members(residue *r, const tni_sparse *s, uint32_t row)
{
    const tni_span *m = tni_sparse_find(s, row, 0);
    if (m == NULL) return;
    key(r, "extra");
    str(r, "{");
    for (uint32_t k = 0; m != NULL; m = tni_sparse_find(s, row, ++k)) {
        if (k > 0) str(r, ",");
        put_line(r, *m);
    }
    str(r, "}");
}

static void put_raw(residue *r, const char *name, tni_span raw)
{
    key(r, name);
    put_line(r, raw);
}

static void put_text(residue *r, const char *name, const tni_sparse *s,
                     uint32_t row)
{
    const tni_span *t = tni_sparse_find(s, row, 0);
    if (t != NULL) put_raw(r, name, *t);
}

/* The first numbers of a list; more follow. */
static void put_list(residue *r, const int64_t *list, size_t n)
{
    str(r, "[");
    for (size_t i = 0; i < n; i++) {
        tni_out_i64(&r->out, list[i]);
        str(r, ",");
    }
}

static void put_shape(residue *r, const char *name, const tni_sparse *table,
                      uint32_t row)
{
    const tni_shape *s = tni_sparse_find(table, row, 0);
    if (s == NULL) return;
    const int64_t head[4] = {s->kind, s->layout, s->scale,
                             s->dims | s->places << 4};
    key(r, name);
    put_list(r, head, 4);
    tni_out_json(&r->out, s->text, s->len);
    str(r, "]");
}

static void put_box(residue *r, const tni_ann *a)
{
    const int64_t head[2] = {tni_ann_form(a->flags), tni_ann_scale(a->flags)};
    key(r, "box");
    put_list(r, head, 2);
    for (int k = 0; k < 4; k++) {
        if (k > 0) str(r, ",");
        tni_out_f64(&r->out, a->box[k]);
    }
    str(r, "]");
}

/* --- rows ---------------------------------------------------------------- */

static const char *const num_names[TN_NUM_COUNT] = {"score", "area",  "angle",
                                                    "track", "group", "z"};

static const double *num_of(const tn_dataset *d, uint32_t i, int kind)
{
    if ((*tni_flags_at(d, i) & TN_HAS_NUM) == 0) return NULL;
    return tni_sparse_find(&d->num[kind], i, 0);
}

static const tni_span *text_of(const tn_dataset *d, uint32_t i, int kind,
                               uint32_t nth)
{
    if ((*tni_flags_at(d, i) & TN_HAS_TEXT) == 0) return NULL;
    return tni_sparse_find(&d->text[kind], i, nth);
}

static bool same_text(const residue *r, uint32_t i, uint32_t k, int kind)
{
    for (uint32_t n = 0;; n++) {
        const tni_span *a = text_of(r->d, i, kind, n);
        const tni_span *b = text_of(r->back, k, kind, n);
        if (a == NULL || b == NULL) return a == b;
        if (a->len != b->len || memcmp(a->p, b->p, a->len) != 0) return false;
    }
}

/* Numbers and texts that differ from those of row `k` of what reads back
 * (TN_NONE: it is not there). */
static void put_values(residue *r, uint32_t i, uint32_t k)
{
    static const char *const names[TN_TEXT_COUNT] = {"attributes", "extra",
                                                     "caption"};
    for (int n = 0; n < TN_NUM_COUNT; n++) {
        const double *a = num_of(r->d, i, n);
        const double *b = k != TN_NONE ? num_of(r->back, k, n) : NULL;
        if (a == NULL && b != NULL) put_null(r, num_names[n]);
        if (a == NULL || (b != NULL && *a == *b)) continue;
        key(r, num_names[n]);
        tni_out_f64(&r->out, *a);
    }
    for (int n = 0; n < TN_TEXT_COUNT; n++) {
        if (k != TN_NONE && same_text(r, i, k, n)) continue;
        if (text_of(r->d, i, n, 0) == NULL) {
            if (k != TN_NONE) put_null(r, names[n]);
        } else if (n == TN_TEXT_EXTRA) {
            put_members(r, &r->d->text[n], i);
        } else {
            put_text(r, names[n], &r->d->text[n], i);
        }
    }
}

static void put_class(residue *r, const tni_ann *a, uint32_t k)
{
    const uint32_t back =
        k != TN_NONE ? tni_ann_at(r->back, k)->class_index : TN_NONE;
    const char *name = a->class_index != TN_NONE
                           ? tni_class_at(r->d, a->class_index)->name
                           : NULL;
    const char *has =
        back != TN_NONE ? tni_class_at(r->back, back)->name : NULL;
    if (name == NULL && has != NULL) put_null(r, "class");
    if (name != NULL && (has == NULL || strcmp(name, has) != 0))
        put_string(r, "class", name);
}

static void put_ids(residue *r, const tni_ann *a, uint32_t k)
{
    tni_ann b;
    const uint8_t kind = tni_ann_id_kind(a->flags);
    if (k == TN_NONE) {
        put_id(r, kind, a->id);
        return;
    }
    tni_ann_get(r->back, k, &b);
    const uint8_t has = tni_ann_id_kind(b.flags);
    if (kind == TN_ID_NONE && has != TN_ID_NONE) put_null(r, "id");
    const bool same =
        kind == has &&
        (kind == TN_ID_INT
             ? a->id == b.id
             : kind == TN_ID_NONE || strcmp((const char *)(intptr_t)a->id,
                                            (const char *)(intptr_t)b.id) == 0);
    if (!same) put_id(r, kind, a->id);
}

/* Box, shape and keypoints that do not read back as they were. */
static void put_geometry(residue *r, const tni_ann *a, tni_pair *p)
{
    static const char *const names[2] = {"shape", "keypoints"};
    const uint32_t has[2] = {TN_HAS_SHAPE, TN_HAS_KEYPOINTS};
    const tni_sparse *tables[2] = {&r->d->shape, &r->d->keypoints};
    double w = 0.0, h = 0.0;
    unsigned places = 0;
    const uint32_t i = p->rows[TNI_MEANT], k = p->rows[TNI_BACK];
    tni_nearness near = {0.0, false};
    if (k != TN_NONE) {
        near.sized = tni_image_extent(r->d, a->image, &w, &h) &&
                     tni_image_at(r->d, a->image)->width > 0;
        near.fine = 1e-8 * (w > h ? w : h) + 1e-9;
    }
    if ((a->flags & TN_HAS_BOX) != 0) {
        const tni_kept kept =
            k != TN_NONE ? tni_kept_box(p, &near, &places) : TNI_KEPT_NOT;
        if (kept == TNI_KEPT_NOT) put_box(r, a);
        if (kept == TNI_KEPT_ROUNDED) {
            const int64_t head = tni_ann_form(a->flags);
            key(r, "box");
            put_list(r, &head, 1);
            tni_out_i64(&r->out, places);
            str(r, "]");
        }
    }
    for (int n = 0; n < 2; n++) {
        if ((a->flags & has[n]) == 0) continue;
        const tni_kept kept = k != TN_NONE
                                  ? tni_kept_shape(p, &near, n == 1, &places)
                                  : TNI_KEPT_NOT;
        if (kept == TNI_KEPT_NOT) put_shape(r, names[n], tables[n], i);
        if (kept == TNI_KEPT_ROUNDED) put_int(r, names[n], places);
    }
}

static void hex_of(char text[9], uint32_t v)
{
    for (int i = 0; i < 8; i++)
        text[i] = "0123456789abcdef"[v >> (28 - 4 * i) & 15];
    text[8] = '\0';
}

/* An annotation as what reads back does not have it; its number is given where
 * it is not the one after the last. */
static void put_annotation(residue *r, tni_pair *p, int64_t nth)
{
    const uint32_t i = p->rows[TNI_MEANT], k = p->rows[TNI_BACK];
    char text[9];
    tni_ann a;
    tni_ann_get(r->d, i, &a);
    open_object(r);
    if (nth != r->expected) put_int(r, "n", nth);
    if (nth >= 0) r->expected = nth + 1;
    if (k != TN_NONE) {
        hex_of(text, tni_hashes_at(&r->hashes, r->back, k, nth));
        put_string(r, "hash", text);
    }
    put_ids(r, &a, k);
    put_class(r, &a, k);
    if ((a.flags & TNI_FLAGS) != r->flags)
        put_int(r, "flags", (int64_t)(a.flags & TNI_FLAGS));
    put_geometry(r, &a, p);
    put_values(r, i, k);
    close_object(r);
}

static bool lost(const residue *r, tni_feature f)
{
    return (r->w->keeps >> f & 1) == 0;
}

/* Whether the target lacks anything this annotation has. */
static bool loses(const residue *r, uint32_t i)
{
    const tn_dataset *d = r->d;
    const uint32_t flags = *tni_flags_at(d, i);
    static const struct {
        uint32_t flag;
        tni_feature f;
    } rows[] = {
        {TN_HAS_ANGLE, TNI_F_OBB},          {TN_HAS_KEYPOINTS, TNI_F_KEYPOINTS},
        {TN_IS_NEGATIVE, TNI_F_NEGATIVE},   {TN_IS_CROWD, TNI_F_CROWD},
        {TN_SAYS_CROWD, TNI_F_CROWD},       {TN_IS_DIFFICULT, TNI_F_DIFFICULT},
        {TN_IS_TRUNCATED, TNI_F_TRUNCATED}, {TN_IS_OCCLUDED, TNI_F_OCCLUDED},
        {TN_EMPTY_SHAPE, TNI_F_POLYGON},
    };
    static const tni_feature nums[TN_NUM_COUNT] = {
        TNI_F_SCORE, TNI_F_AREA, TNI_F_OBB, TNI_F_TRACK, TNI_F_GROUP, TNI_F_Z};
    static const tni_feature texts[TN_TEXT_COUNT] = {
        TNI_F_ATTRIBUTES, TNI_F_EXTRA, TNI_F_CAPTION};
    if (r->w->written[i] != 1) return true;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        if ((flags & rows[k].flag) != 0 && lost(r, rows[k].f)) return true;
    if (tni_ann_id_kind(flags) != TN_ID_NONE && lost(r, TNI_F_ANN_ID))
        return true;
    for (int k = 0; k < TN_NUM_COUNT; k++)
        if (lost(r, nums[k]) && (flags & TN_HAS_NUM) != 0 &&
            tni_sparse_find(&d->num[k], i, 0) != NULL)
            return true;
    for (int k = 0; k < TN_TEXT_COUNT; k++)
        if (lost(r, texts[k]) && (flags & TN_HAS_TEXT) != 0 &&
            tni_sparse_find(&d->text[k], i, 0) != NULL)
            return true;
    if ((flags & TN_HAS_SHAPE) == 0) return false;
    const tni_shape *s = tni_sparse_find(&d->shape, i, 0);
    switch (s->kind) {
    case TN_SHAPE_POLYGON:
        return lost(r, TNI_F_POLYGON) || lost(r, TNI_F_PARTS) ||
               ((flags & TN_HAS_BOX) != 0 && lost(r, TNI_F_OUTLINE_BOX)) ||
               lost(r, TNI_F_HOLE) || lost(r, TNI_F_DEGENERATE) ||
               lost(r, TNI_F_MASK_OVERLAP);
    case TN_SHAPE_POLYLINE: return lost(r, TNI_F_POLYLINE);
    case TN_SHAPE_POINTS: return lost(r, TNI_F_POINTS);
    case TN_SHAPE_QUAD: return lost(r, TNI_F_OBB);
    case TN_SHAPE_ELLIPSE: return lost(r, TNI_F_ELLIPSE);
    case TN_SHAPE_CUBOID: return lost(r, TNI_F_CUBOID);
    case TN_SHAPE_MASK_FILE: return lost(r, TNI_F_MASK_FILE);
    default:
        return lost(r, TNI_F_MASK) || lost(r, TNI_F_MASK_OVERLAP) ||
               ((flags & TN_HAS_BOX) != 0 && lost(r, TNI_F_OUTLINE_BOX));
    }
}

/* Whether it reads back as another kind of thing: a box as its outline. */
static bool changes_kind(const residue *r, uint32_t i, uint32_t k)
{
    const uint32_t a = *tni_flags_at(r->d, i), b = *tni_flags_at(r->back, k);
    if (((a ^ b) & (TN_HAS_BOX | TN_HAS_SHAPE)) != 0) return true;
    if ((a & ~b & TN_SAYS_CROWD) != 0) return true; /* "iscrowd": 0 */
    if ((a & TN_HAS_SHAPE) == 0) return false;
    const tni_shape *s = tni_sparse_find(&r->d->shape, i, 0);
    const tni_shape *t = tni_sparse_find(&r->back->shape, k, 0);
    return s->kind != t->kind;
}

/* The number of annotation i among those of its image in the target, -1 when it
 * is not there; *nth counts those that are. */
static int64_t number_of(const residue *r, uint32_t i, int64_t *nth)
{
    if (r->w->written[i] == 0) return -1;
    const int64_t at = (*nth)++;
    return r->w->rank != NULL ? r->w->rank[i] : at;
}

/* `at`: its place in `back`. */
static bool is_kept(const residue *r, uint32_t i, int64_t at,
                    const uint32_t *back, size_t n_back)
{
    return loses(r, i) || (at >= 0 && ((uint64_t)at >= n_back ||
                                       changes_kind(r, i, back[at])));
}

/* Those of the first annotation that will be kept. */
static uint32_t common_flags(const residue *r)
{
    for (uint32_t i = 0; i < r->d->anns.n; i++)
        if (loses(r, i)) return *tni_flags_at(r->d, i) & TNI_FLAGS;
    return 0;
}

/* Files of the image that the target has no place for. */
static void put_files(residue *r, uint32_t i)
{
    const tni_image_file *f = tni_sparse_find(&r->d->image_files, i, 0);
    if (f == NULL || !lost(r, TNI_F_IMAGE_FILE)) return;
    key(r, "files");
    open_object(r);
    for (uint32_t k = 0; f != NULL;
         f = tni_sparse_find(&r->d->image_files, i, ++k)) {
        str(r, k > 0 ? "," : "");
        tni_out_json(&r->out, f->ending, strlen(f->ending));
        str(r, ":\"");
        tni_base64_write(&r->out, f->bytes.p, f->bytes.len);
        str(r, "\"");
    }
    close_object(r);
}

/* Whether the target's format gave the image members it had not. */
static bool made_members(const residue *r, uint32_t i, uint32_t match)
{
    return tni_sparse_find(&r->back->image_text[TN_TEXT_EXTRA], match, 0) !=
               NULL &&
           tni_sparse_find(&r->d->image_text[TN_TEXT_EXTRA], i, 0) == NULL;
}

static bool image_loses(const residue *r, uint32_t i, uint32_t match)
{
    const tni_image_row *row = tni_image_at(r->d, i);
    size_t n = 0, n_back = 0;
    int64_t nth = 0;
    const uint32_t *list = tn_dataset_of_image(r->d, i, &n);
    const uint32_t *back = tn_dataset_of_image(r->back, match, &n_back);
    bool any = r->unordered || made_members(r, i, match) ||
               strcmp(row->name, r->w->names[i]) != 0;
    any = any || (row->id_kind != TN_ID_NONE && lost(r, TNI_F_IMAGE_ID));
    any = any || (row->width > 0 && lost(r, TNI_F_SIZE));
    any = any || (row->state == TN_STATE_EMPTY && lost(r, TNI_F_EMPTY));
    any = any || (row->state == TN_STATE_UNKNOWN && lost(r, TNI_F_UNKNOWN));
    any = any ||
          ((row->splits & (row->splits - 1)) != 0 && lost(r, TNI_F_OVERLAP));
    any = any || (row->splits != 0 && lost(r, TNI_F_SPLIT));
    any = any || (lost(r, TNI_F_IMAGE_FILE) &&
                  tni_sparse_find(&r->d->image_files, i, 0) != NULL);
    for (int k = 0; k < TN_TEXT_COUNT && lost(r, TNI_F_IMAGE_EXTRA); k++)
        any = any || tni_sparse_find(&r->d->image_text[k], i, 0) != NULL;
    for (size_t k = 0; k < n && !any; k++)
        any = is_kept(r, list[k], number_of(r, list[k], &nth), back, n_back);
    return any;
}

static void put_image(residue *r, uint32_t i, uint32_t match)
{
    const tni_image_row *row = tni_image_at(r->d, i);
    const uint32_t split = tni_first_split(row);
    open_object(r);
    put_string(r, "image", r->w->names[i]);
    if (split != TN_NONE) put_string(r, "split", r->d->splits[split]);
    if (strcmp(row->name, r->w->names[i]) != 0)
        put_string(r, "name", row->name);
    if (r->unordered) put_int(r, "at", i);
    put_id(r, row->id_kind, row->id);
    if (row->width > 0) put_int(r, "width", row->width);
    if (row->height > 0) put_int(r, "height", row->height);
    if (row->frame != TN_FRAME_UNKNOWN) put_int(r, "frame", row->frame);
    if (row->state != TN_STATE_ANNOTATED) put_int(r, "state", row->state);
    if ((row->splits & (row->splits - 1)) != 0 || lost(r, TNI_F_SPLIT)) {
        key(r, "splits");
        str(r, "[");
        bool any = false;
        for (uint32_t s = 0; s < r->d->n_splits; s++) {
            if ((row->splits >> s & 1) == 0) continue;
            if (any) str(r, ",");
            any = true;
            tni_out_json(&r->out, r->d->splits[s], strlen(r->d->splits[s]));
        }
        str(r, "]");
    }
    put_text(r, "attributes", &r->d->image_text[TN_TEXT_ATTRIBUTES], i);
    put_members(r, &r->d->image_text[TN_TEXT_EXTRA], i);
    if (made_members(r, i, match)) {
        key(r, "extra");
        str(r, "{}");
        r->first = false;
    }
    put_files(r, i);
}

static bool made_class_members(const residue *r, uint32_t i)
{
    const uint32_t k = tni_find_class(r->back, tni_class_at(r->d, i)->name);
    return k != TN_NONE &&
           tni_sparse_find(&r->back->class_text[TN_TEXT_EXTRA], k, 0) != NULL &&
           tni_sparse_find(&r->d->class_text[TN_TEXT_EXTRA], i, 0) == NULL;
}

static void put_classes(residue *r)
{
    key(r, "classes");
    str(r, "[");
    for (uint32_t i = 0; i < r->d->classes.n; i++) {
        const tni_class_row *c = tni_class_at(r->d, i);
        if (i > 0) str(r, ",");
        open_object(r);
        put_string(r, "name", c->name);
        put_id(r, c->id_kind, c->id);
        if (c->parent != NULL) put_string(r, "parent", c->parent);
        if (c->keypoints != NULL) {
            key(r, "keypoints");
            str(r, "[");
            for (uint32_t k = 0; k < c->n_keypoints; k++) {
                if (k > 0) str(r, ",");
                tni_out_json(&r->out, c->keypoints[k], strlen(c->keypoints[k]));
            }
            str(r, "]");
        }
        put_members(r, &r->d->class_text[TN_TEXT_EXTRA], i);
        if (made_class_members(r, i)) {
            key(r, "extra");
            str(r, "{}");
        }
        close_object(r);
    }
    str(r, "]");
    r->first = false;
}

/* Fields of the target that are its format's alone, or come back from here:
 * each is named once. */
static void put_made(residue *r)
{
    bool any = false;
    tni_once keys;
    tni_once_init(&keys);
    for (uint32_t i = 0; !lost(r, TNI_F_META) && i < r->d->metas.n; i++) {
        const char *own = TNI_ROW(&r->d->metas, tni_meta, i)->key;
        (void)tni_once_again(&keys, own, strlen(own));
    }
    for (uint32_t i = 0; i < r->back->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&r->back->metas, tni_meta, i);
        if (tni_once_again(&keys, m->key, strlen(m->key))) continue;
        if (!any) key(r, "made");
        str(r, any ? "," : "[");
        any = true;
        tni_out_json(&r->out, m->key, strlen(m->key));
    }
    if (any) str(r, "]");
    if (any) r->first = false;
    tni_once_end(&keys, &r->out);
}

static void put_header(residue *r)
{
    open_object(r);
    put_int(r, "tenon_residue", TNI_RESIDUE_VERSION);
    put_string(r, "from", r->d->format->name);
    put_int(r, "flags", r->flags);
    /* What keeps an order may have been given another since. */
    if (lost(r, TNI_F_CLASS_ORDER) || lost(r, TNI_F_UNUSED))
        put_int(r, "ordered", 1);
    put_classes(r);
    put_made(r);
    if (lost(r, TNI_F_META) && r->d->metas.n > 0) {
        key(r, "fields");
        str(r, "[");
        for (uint32_t i = 0; i < r->d->metas.n; i++) {
            const tni_meta *m = TNI_ROW(&r->d->metas, tni_meta, i);
            if (i > 0) str(r, ",");
            open_object(r);
            put_string(r, "key", m->key);
            if (m->split != TN_NONE)
                put_string(r, "split", r->d->splits[m->split]);
            put_raw(r, "value", m->value);
            close_object(r);
        }
        str(r, "]");
    }
    close_object(r);
    str(r, "\n");
}

static void put_orphans(residue *r)
{
    tni_pair p;
    bool any = false;
    tni_pair_init(&p, r->d, r->back);
    for (uint32_t i = 0; i < r->d->anns.n; i++) {
        if (tni_ann_at(r->d, i)->image != TN_NONE || r->w->written[i] != 0)
            continue;
        str(r, any ? "," : "{\"orphans\":[");
        any = true;
        r->expected = 0;
        tni_pair_set(&p, i, TN_NONE);
        put_annotation(r, &p, -1);
    }
    if (any) str(r, "]}\n");
    tni_pair_fini(&p);
}

/* --- the file ------------------------------------------------------------ */

static tn_status sink(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    tni_residue *r = ctx;
    return tni_file_out_write(r->file, bytes, size, err);
}

tn_status tni_residue_open(tni_residue **out, const tni_writer *w,
                           const tn_dataset *back, const uint32_t *matches,
                           const char *path, size_t n_lanes, tn_err *err)
{
    const tn_allocator *a = &tni_libc_allocator;
    const size_t bytes = sizeof(tni_residue) + (n_lanes + 1) * sizeof(residue);
    tni_residue *r = a->alloc(a->ctx, bytes, _Alignof(tni_residue));
    if (r == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    memset(r, 0, bytes);
    r->bytes = bytes;
    r->n_lanes = n_lanes;
    const tn_status status = tni_file_out_open(&r->file, path, err);
    if (status != TN_OK) {
        a->free(a->ctx, r, bytes, _Alignof(tni_residue));
        return status;
    }
    residue *own = &r->lanes[n_lanes];
    own->w = w;
    own->d = w->d;
    own->back = back;
    own->first = true;
    own->flags = common_flags(own);
    for (uint32_t i = 1; i < w->d->images.n; i++)
        own->unordered = own->unordered || matches[i] < matches[i - 1];
    for (size_t k = 0; k < n_lanes; k++) r->lanes[k] = *own;
    tni_out_init(&own->out, sink, r, err);
    put_header(own);
    *out = r;
    return TN_OK;
}

tni_residue_lane *tni_residue_begin_block(tni_residue *r, tni_block *block)
{
    tni_residue_lane *l = &r->lanes[block->lane];
    tni_out_init(&l->out, tni_block_write, block, &block->err);
    return l;
}

tn_status tni_residue_end_block(tni_residue_lane *l)
{
    return tni_out_flush(&l->out);
}

bool tni_residue_begin_image(tni_residue_lane *l, uint32_t image,
                             const tn_dataset *back, uint32_t match)
{
    l->back = back;
    tni_hashes_turn(&l->hashes, match);
    if (!image_loses(l, image, match)) return false;
    l->any = false;
    l->expected = 0;
    put_image(l, image, match);
    return true;
}

void tni_residue_annotation(tni_residue_lane *l, tni_pair *pair, int64_t at)
{
    const uint32_t i = pair->rows[TNI_MEANT], k = pair->rows[TNI_BACK];
    if (!loses(l, i) && !(at >= 0 && changes_kind(l, i, k))) return;
    if (!l->any) key(l, "annotations");
    str(l, l->any ? "," : "[");
    l->any = true;
    put_annotation(l, pair, at);
}

void tni_residue_end_image(tni_residue_lane *l)
{
    if (l->any) str(l, "]");
    str(l, "}\n");
}

tn_status tni_residue_take(tni_residue *r, const tni_block *block, tn_err *err)
{
    residue *own = &r->lanes[r->n_lanes];
    TN_TRY(tni_out_flush(&own->out));
    return tni_file_out_write(r->file, block->bytes, block->n_bytes, err);
}

tn_status tni_residue_close(tni_residue *r, tn_status status, tn_err *err)
{
    const tn_allocator *a = &tni_libc_allocator;
    residue *own = &r->lanes[r->n_lanes];
    own->out.err = err;
    if (status == TN_OK) {
        put_orphans(own);
        status = tni_out_flush(&own->out);
    }
    if (status == TN_OK)
        status = tni_file_out_commit(r->file, err);
    else
        tni_file_out_abort(r->file);
    a->free(a->ctx, r, r->bytes, _Alignof(tni_residue));
    return status;
}
