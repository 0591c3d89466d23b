/* SPDX-License-Identifier: Apache-2.0 */
/* residue_read.c - putting back what the sidecar has */
#include "data/residue.h"

#include "data/base64.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct residue {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_json j;
    uint32_t source;
    tni_strmap images;              /* "split/name" to row + 1 */
    uint32_t *first, *order, *stop; /* annotations of each image */
    uint32_t n_images, n_anns;      /* as read, before anything is put back */
    uint32_t flags;                 /* of annotations that do not say */
    int64_t expected;               /* number of the next annotation */
    bool ordered;     /* classes go where the first line has them */
    uint32_t *listed; /* classes as the first line has them */
    uint32_t n_listed, cap_listed;
    uint32_t *places; /* of images; TN_NONE: anywhere behind; NULL: as read */
} residue;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static const char *const num_names[TN_NUM_COUNT] = {"score", "area",  "angle",
                                                    "track", "group", "z"};

/* --- pieces -------------------------------------------------------------- */

static tn_status read_string(residue *s, const char **out)
{
    tni_span raw = {NULL, 0};
    bool escaped = false;
    if (!tni_json_string(&s->j, &raw, &escaped)) return s->j.status;
    *out = tni_keep_json(s->d, raw, escaped);
    return *out != NULL ? TN_OK : no_memory(s->err);
}

static tn_status read_id(residue *s, uint8_t *kind, int64_t *id)
{
    if (tni_json_peek(&s->j) == '"') {
        const char *text = NULL;
        TN_TRY(read_string(s, &text));
        *kind = TN_ID_TEXT;
        *id = (int64_t)(intptr_t)text;
        return TN_OK;
    }
    *kind = TN_ID_INT;
    (void)!tni_json_i64(&s->j, id);
    return s->j.status;
}

/* Members of the object at hand, each as a text of its row. */
static tn_status read_members(residue *s, tni_sparse *table, uint32_t row)
{
    tni_span key, raw;
    if (!tni_json_enter(&s->j, '{')) return s->j.status;
    while (tni_json_key(&s->j, &key) && tni_json_skip(&s->j, &raw)) {
        tni_span *to = tni_sparse_add(table, row);
        if (to == NULL) return no_memory(s->err);
        to->p = key.p - 1;
        to->len = (size_t)(raw.p + raw.len - key.p) + 1;
    }
    return s->j.status;
}

/* A shape, or the places that the target's own is rounded to. */
static tn_status read_shape(residue *s, tni_shape *shape)
{
    int64_t v[4] = {0, 0, 0, 0};
    size_t n = 0;
    const char *text = NULL;
    memset(shape, 0, sizeof *shape);
    if (tni_json_peek(&s->j) != '[') {
        if (!tni_json_i64(&s->j, &v[0])) return s->j.status;
        if (v[0] >= 0 && v[0] <= TNI_MAX_PLACES) {
            shape->places = TNI_PLACES(v[0]);
            return TN_OK;
        }
        (void)tni_json_fail(&s->j, s->j.p,
                            "a shape of the residue has no "
                            "such number of decimal places");
        return s->j.status;
    }
    if (!tni_json_enter(&s->j, '[')) return s->j.status;
    while (tni_json_item(&s->j)) {
        if (n < 4)
            (void)!tni_json_i64(&s->j, &v[n]);
        else
            TN_TRY(read_string(s, &text));
        n++;
    }
    if (s->j.status != TN_OK) return s->j.status;
    if (n != 5 || text == NULL || v[0] < 0 || v[0] > TN_SHAPE_MASK_FILE ||
        v[1] < 0 || v[1] > TNI_LAYOUT_NAME || v[2] < 0 ||
        v[2] > TN_SCALE_PERCENT || v[3] < 0 || (v[3] & 15) > 3 ||
        v[3] >> 4 > TNI_MAX_PLACES + 1) {
        (void)tni_json_fail(&s->j, s->j.p, "a shape of the residue is broken");
        return s->j.status;
    }
    shape->text = text;
    shape->len = (uint32_t)strlen(text);
    shape->kind = (uint8_t)v[0];
    shape->layout = (unsigned)v[1] & 15u;
    shape->scale = (uint8_t)v[2];
    shape->dims = (uint8_t)(v[3] & 15);
    shape->places = (unsigned)(v[3] >> 4) & 15u;
    return TN_OK;
}

/* --- annotations --------------------------------------------------------- */

typedef enum given {
    GIVEN_NOT = 0, /* the target has it */
    GIVEN_NONE,    /* there was none */
    GIVEN
} given;

typedef struct record {
    tni_ann a;
    int64_t n;
    uint32_t hash;
    unsigned places; /* of a box that is made of the target's */
    tni_shape shape, keypoints;
    tni_span attributes, caption;
    tni_json extra;
    double nums[TN_NUM_COUNT];
    given id, cls, box, rounded, has_shape, has_keypoints, has_attributes,
        has_caption, has_extra, num[TN_NUM_COUNT];
} record;

static tn_status read_box(residue *s, record *rec)
{
    double v[6] = {0, 0, 0, 0, 0, 0};
    size_t n = 0;
    if (!tni_json_enter(&s->j, '[')) return s->j.status;
    while (tni_json_item(&s->j)) {
        double x = 0.0;
        if (!tni_json_f64(&s->j, &x)) return s->j.status;
        if (n < 6) v[n] = x;
        n++;
    }
    if (s->j.status != TN_OK) return s->j.status;
    const double second = n == 2 ? TNI_MAX_PLACES + 1 : TN_SCALE_PERCENT;
    if ((n != 6 && n != 2) || !(v[0] >= 0.0 && v[0] <= 2.0) ||
        !(v[1] >= 0.0 && v[1] <= second)) {
        (void)tni_json_fail(&s->j, s->j.p, "a box of the residue is broken");
        return s->j.status;
    }
    rec->box = n == 6 ? GIVEN : GIVEN_NOT;
    rec->rounded = n == 2 ? GIVEN : GIVEN_NOT;
    rec->places = n == 2 ? (unsigned)v[1] : 0;
    rec->a.flags |= TNI_FORM((uint32_t)v[0]);
    if (n == 6) rec->a.flags |= TNI_SCALE((uint32_t)v[1]);
    memcpy(rec->a.box, v + 2, sizeof rec->a.box);
    return TN_OK;
}

static tn_status read_hash(residue *s, uint32_t *hash)
{
    tni_span raw = {NULL, 0};
    if (!tni_json_string(&s->j, &raw, NULL)) return s->j.status;
    *hash = 0;
    for (size_t i = 0; i < raw.len; i++) {
        const char c = raw.p[i];
        const uint32_t digit = c >= '0' && c <= '9'
                                   ? (uint32_t)(c - '0')
                                   : (uint32_t)(c - 'a' + 10) & 15;
        *hash = *hash << 4 | digit;
    }
    return TN_OK;
}

/* What a member may be instead: nothing, and then it is read. */
static given take_null(residue *s)
{
    if (tni_json_peek(&s->j) != 'n') return GIVEN;
    (void)!tni_json_null(&s->j);
    return GIVEN_NONE;
}

static tn_status read_number(residue *s, record *rec, tni_span key)
{
    for (int k = 0; k < TN_NUM_COUNT; k++) {
        if (!tni_span_is(key, num_names[k])) continue;
        rec->num[k] = take_null(s);
        if (rec->num[k] == GIVEN) (void)!tni_json_f64(&s->j, &rec->nums[k]);
        return s->j.status;
    }
    (void)!tni_json_skip(&s->j, NULL);
    return s->j.status;
}

static tn_status read_class_of(residue *s, record *rec)
{
    const char *text = NULL;
    rec->cls = take_null(s);
    if (rec->cls == GIVEN) {
        TN_TRY(read_string(s, &text));
        rec->a.class_index = tni_find_class(s->d, text);
    }
    return s->j.status;
}

static tn_status read_field(residue *s, record *rec, tni_span key)
{
    uint8_t kind = 0;
    int64_t v = 0;
    if (tni_span_is(key, "n")) {
        (void)!tni_json_i64(&s->j, &rec->n);
    } else if (tni_span_is(key, "hash")) {
        TN_TRY(read_hash(s, &rec->hash));
    } else if (tni_span_is(key, "id")) {
        rec->id = take_null(s);
        if (rec->id == GIVEN) TN_TRY(read_id(s, &kind, &rec->a.id));
        rec->a.flags |= TNI_ID(kind);
    } else if (tni_span_is(key, "class")) {
        TN_TRY(read_class_of(s, rec));
    } else if (tni_span_is(key, "flags")) {
        (void)!tni_json_i64(&s->j, &v);
        rec->a.flags = (rec->a.flags & ~TNI_FLAGS) | ((uint32_t)v & TNI_FLAGS);
    } else if (tni_span_is(key, "box")) {
        TN_TRY(read_box(s, rec));
    } else if (tni_span_is(key, "shape")) {
        rec->has_shape = GIVEN;
        TN_TRY(read_shape(s, &rec->shape));
    } else if (tni_span_is(key, "keypoints")) {
        rec->has_keypoints = GIVEN;
        TN_TRY(read_shape(s, &rec->keypoints));
    } else if (tni_span_is(key, "attributes")) {
        rec->has_attributes = take_null(s);
        if (rec->has_attributes == GIVEN)
            (void)!tni_json_skip(&s->j, &rec->attributes);
    } else if (tni_span_is(key, "caption")) {
        rec->has_caption = take_null(s);
        if (rec->has_caption == GIVEN)
            (void)!tni_json_skip(&s->j, &rec->caption);
    } else if (tni_span_is(key, "extra")) {
        rec->has_extra = take_null(s);
        rec->extra = s->j;
        if (rec->has_extra == GIVEN) (void)!tni_json_skip(&s->j, NULL);
    } else {
        return read_number(s, rec, key);
    }
    return s->j.status;
}

/* Lets go of what annotation `i` has of a table; rows added later stay. */
static tn_status forget(residue *s, tni_sparse *table, uint32_t i)
{
    return tni_sparse_forget(table, i) ? TN_OK : no_memory(s->err);
}

/* The columns. A box made of the target's edges needs them as they are yet. */
static void put_columns(residue *s, const record *rec, uint32_t i)
{
    tn_dataset *d = s->d;
    const uint32_t form = TNI_FORM(3), scale = TNI_SCALE(3), id = TNI_ID(3);
    uint32_t flags = *tni_flags_at(d, i);
    double *box = tni_ann_at(d, i)->box, edges[4];
    if (rec->rounded == GIVEN && tn_dataset_box(d, i, edges) != 0) {
        flags = (flags & ~(form | scale)) | (rec->a.flags & form);
        tni_box_from_edges(box, edges, tni_ann_form(flags), rec->places);
    } else if (rec->box == GIVEN) {
        flags = (flags & ~(form | scale)) | (rec->a.flags & (form | scale));
        memcpy(box, rec->a.box, sizeof rec->a.box);
    }
    if (rec->id != GIVEN_NOT) {
        flags = (flags & ~id) | (rec->a.flags & id);
        tni_ann_at(d, i)->id = rec->a.id;
    }
    if (rec->cls != GIVEN_NOT)
        tni_ann_at(d, i)->class_index = rec->a.class_index;
    *tni_flags_at(d, i) = (flags & ~TNI_FLAGS) | (rec->a.flags & TNI_FLAGS);
}

/* A shape of the sidecar; the target's own, rounded; or none. */
static tn_status put_shape(residue *s, uint32_t i, bool keypoints, given has,
                           const tni_shape *shape)
{
    tni_sparse *table = keypoints ? &s->d->keypoints : &s->d->shape;
    const uint32_t flag = keypoints ? TN_HAS_KEYPOINTS : TN_HAS_SHAPE;
    if ((*tni_flags_at(s->d, i) & flag) == 0) return forget(s, table, i);
    if (has == GIVEN_NOT) return TN_OK;
    if (shape->text == NULL) {
        tni_shape *own = tni_sparse_find(table, i, 0);
        if (own != NULL) own->places = shape->places;
        return TN_OK;
    }
    TN_TRY(forget(s, table, i));
    return keypoints ? tni_set_keypoints(s->d, i, shape, s->err)
                     : tni_set_shape(s->d, i, shape, s->err);
}

static tn_status put_text(residue *s, uint32_t i, tn_text kind, given has,
                          tni_span text)
{
    if (has == GIVEN_NOT) return TN_OK;
    TN_TRY(forget(s, &s->d->text[kind], i));
    if (has == GIVEN_NONE) return TN_OK;
    return tni_set_text(s->d, i, kind, text, s->err);
}

/* What the record gives of annotation `i` becomes as it says. */
static tn_status put_back(residue *s, const record *rec, uint32_t i)
{
    tn_dataset *d = s->d;
    put_columns(s, rec, i);
    TN_TRY(put_shape(s, i, false, rec->has_shape, &rec->shape));
    TN_TRY(put_shape(s, i, true, rec->has_keypoints, &rec->keypoints));
    for (int k = 0; k < TN_NUM_COUNT; k++) {
        if (rec->num[k] == GIVEN_NOT) continue;
        TN_TRY(forget(s, &d->num[k], i));
        if (rec->num[k] == GIVEN)
            TN_TRY(tni_set_num(d, i, (tn_num)k, rec->nums[k], s->err));
    }
    TN_TRY(put_text(s, i, TN_TEXT_ATTRIBUTES, rec->has_attributes,
                    rec->attributes));
    TN_TRY(put_text(s, i, TN_TEXT_CAPTION, rec->has_caption, rec->caption));
    if (rec->has_extra != GIVEN_NOT)
        TN_TRY(forget(s, &d->text[TN_TEXT_EXTRA], i));
    if (rec->has_extra == GIVEN) {
        const tni_json saved = s->j;
        s->j = rec->extra;
        *tni_flags_at(d, i) |= TN_HAS_TEXT;
        TN_TRY(read_members(s, &d->text[TN_TEXT_EXTRA], i));
        s->j = saved;
    }
    return TN_OK;
}

static tn_status read_annotation(residue *s, uint32_t image)
{
    record rec;
    tni_span key;
    memset(&rec, 0, sizeof rec);
    rec.n = s->expected;
    rec.a.image = image;
    rec.a.class_index = TN_NONE;
    rec.a.flags = s->flags;
    rec.a.where = tni_where(s->source, tni_json_offset(&s->j));
    if (tni_json_enter(&s->j, '{'))
        while (tni_json_key(&s->j, &key)) TN_TRY(read_field(s, &rec, key));
    if (s->j.status != TN_OK) return s->j.status;
    uint32_t i = TN_NONE;
    if (rec.n < 0) {
        tni_ann a = rec.a;
        /* What it has is set with its values. */
        a.flags &= ~(uint32_t)(TN_HAS_SHAPE | TN_HAS_KEYPOINTS | TN_HAS_NUM |
                               TN_HAS_TEXT | TN_HAS_ANGLE);
        TN_TRY(tni_add_annotation(s->d, &a, &i, s->err));
        rec.a.flags &= ~((rec.has_shape == GIVEN ? 0u : TN_HAS_SHAPE) |
                         (rec.has_keypoints == GIVEN ? 0u : TN_HAS_KEYPOINTS));
        return put_back(s, &rec, i);
    }
    s->expected = rec.n < INT64_MAX ? rec.n + 1 : rec.n;
    const uint32_t n = image != TN_NONE ? s->stop[image] - s->first[image] : 0;
    if (rec.n < n) i = s->order[s->first[image] + (uint32_t)rec.n];
    if (i == TN_NONE || tni_ann_hash(s->d, i) != rec.hash)
        return tni_note_add(s->d, rec.a.where, "residue-stale", s->err,
                            "an annotation was changed since the residue was "
                            "written: what it keeps for it is not used");
    /* The sorted tables of what was read stay as they are until all is in. */
    tni_ann_at(s->d, i)->where = rec.a.where;
    return put_back(s, &rec, i);
}

static tn_status read_list(residue *s, uint32_t image)
{
    if (!tni_json_enter(&s->j, '[')) return s->j.status;
    s->expected = image != TN_NONE ? 0 : -1;
    while (tni_json_item(&s->j)) TN_TRY(read_annotation(s, image));
    return s->j.status;
}

/* --- images -------------------------------------------------------------- */

static tn_status read_splits(residue *s, uint64_t *splits)
{
    *splits = 0;
    if (!tni_json_enter(&s->j, '[')) return s->j.status;
    while (tni_json_item(&s->j)) {
        const char *name = NULL;
        uint32_t split = 0;
        TN_TRY(read_string(s, &name));
        TN_TRY(tni_add_split(s->d, name, strlen(name), &split, s->err));
        *splits |= UINT64_C(1) << split;
    }
    return s->j.status;
}

/* Files of the image: ending to bytes in base64. */
static tn_status read_files(residue *s, uint32_t image)
{
    tni_span key, raw, bytes;
    if (!tni_json_enter(&s->j, '{')) return s->j.status;
    while (tni_json_key(&s->j, &key)) {
        const char *ending = tni_keep_json(s->d, key, true);
        if (ending == NULL) return no_memory(s->err);
        if (!tni_json_string(&s->j, &raw, NULL)) return s->j.status;
        TN_TRY(tni_base64_read(&bytes, &s->d->arena, raw, s->err));
        TN_TRY(tni_add_image_file(s->d, image, ending, bytes, s->err));
    }
    return s->j.status;
}

static tn_status read_place(residue *s, uint32_t image)
{
    int64_t at = 0;
    if (!tni_json_i64(&s->j, &at)) return s->j.status;
    if (at < 0 || at >= TN_NONE) return TN_OK;
    if (s->places == NULL) {
        s->places = TNI_NEW_ARRAY(&s->r->scratch, uint32_t, s->n_images + 1u);
        if (s->places == NULL) return no_memory(s->err);
        for (uint32_t i = 0; i < s->n_images; i++) s->places[i] = TN_NONE;
    }
    s->places[image] = (uint32_t)at;
    return TN_OK;
}

static tn_status read_image_field(residue *s, uint32_t image, tni_span key)
{
    tni_image_row *row = tni_image_at(s->d, image);
    int64_t v = 0;
    if (tni_span_is(key, "name")) return read_string(s, &row->name);
    if (tni_span_is(key, "id")) return read_id(s, &row->id_kind, &row->id);
    if (tni_span_is(key, "splits")) return read_splits(s, &row->splits);
    if (tni_span_is(key, "annotations")) return read_list(s, image);
    if (tni_span_is(key, "files")) return read_files(s, image);
    /* The residue has all of them: what the target kept is among them. */
    tni_sparse *texts = s->d->image_text;
    if (tni_span_is(key, "extra")) {
        if (!tni_sparse_forget(&texts[TN_TEXT_EXTRA], image))
            return no_memory(s->err);
        return read_members(s, &texts[TN_TEXT_EXTRA], image);
    }
    if (tni_span_is(key, "at")) return read_place(s, image);
    if (tni_span_is(key, "attributes")) {
        tni_span raw = {NULL, 0};
        if (!tni_json_skip(&s->j, &raw)) return s->j.status;
        if (!tni_sparse_forget(&texts[TN_TEXT_ATTRIBUTES], image))
            return no_memory(s->err);
        return tni_set_image_text(s->d, image, TN_TEXT_ATTRIBUTES, raw, s->err);
    }
    const bool number = tni_span_is(key, "width") ||
                        tni_span_is(key, "height") ||
                        tni_span_is(key, "frame") || tni_span_is(key, "state");
    if (!number) {
        (void)!tni_json_skip(&s->j, NULL);
        return s->j.status;
    }
    if (!tni_json_i64(&s->j, &v)) return s->j.status;
    if (v < 0 || v > INT32_MAX) return TN_OK;
    if (tni_span_is(key, "width")) row->width = (int32_t)v;
    if (tni_span_is(key, "height")) row->height = (int32_t)v;
    if (tni_span_is(key, "frame") && v <= 2) row->frame = (uint8_t)v;
    if (tni_span_is(key, "state") && v <= 2) row->state = (uint8_t)v;
    return TN_OK;
}

static uint32_t find_image(const residue *s, const char *split,
                           const char *name)
{
    char key[4600];
    const int n = snprintf(key, sizeof key, "%s/%s", split, name);
    if (n < 0 || (size_t)n >= sizeof key) return TN_NONE;
    void **found = tni_strmap_find(&s->images, key, (size_t)n);
    if (found == NULL && split[0] != '\0') return find_image(s, "", name);
    return found != NULL ? (uint32_t)((uintptr_t)*found - 1) : TN_NONE;
}

static tn_status read_image(residue *s)
{
    tni_span key;
    const char *name = NULL, *split = "";
    uint32_t image = TN_NONE;
    bool looked = false;
    while (tni_json_key(&s->j, &key)) {
        if (tni_span_is(key, "image")) {
            TN_TRY(read_string(s, &name));
            continue;
        }
        if (tni_span_is(key, "split")) {
            TN_TRY(read_string(s, &split));
            continue;
        }
        if (tni_span_is(key, "orphans")) {
            TN_TRY(read_list(s, TN_NONE));
            continue;
        }
        if (!looked && name != NULL) {
            image = find_image(s, split, name);
            looked = true;
            if (image == TN_NONE)
                TN_TRY(tni_note_add(
                    s->d, tni_where(s->source, 0), "residue-stale", s->err,
                    "image '%.100s' of the residue is gone", name));
        }
        if (image == TN_NONE)
            (void)!tni_json_skip(&s->j, NULL);
        else
            TN_TRY(read_image_field(s, image, key));
    }
    return s->j.status;
}

/* --- the first line ------------------------------------------------------ */

static tn_status read_names(residue *s, tni_class_row *row)
{
    const char *names[1024];
    uint32_t n = 0;
    if (!tni_json_enter(&s->j, '[')) return s->j.status;
    while (tni_json_item(&s->j)) {
        const char *name = NULL;
        TN_TRY(read_string(s, &name));
        if (n < 1024) names[n++] = name;
    }
    if (s->j.status != TN_OK) return s->j.status;
    const char **copy = TNI_NEW_ARRAY(&s->d->arena, const char *, n + 1);
    if (copy == NULL) return no_memory(s->err);
    if (n > 0) memcpy(copy, names, n * sizeof *copy);
    row->keypoints = copy;
    row->n_keypoints = n;
    return TN_OK;
}

static tn_status list_class(residue *s, uint32_t cls)
{
    if (s->n_listed == s->cap_listed) {
        const uint32_t cap = s->cap_listed == 0 ? 64 : s->cap_listed * 2;
        uint32_t *more = TNI_NEW_ARRAY(&s->r->scratch, uint32_t, cap);
        if (more == NULL) return no_memory(s->err);
        if (s->n_listed > 0)
            memcpy(more, s->listed, s->n_listed * sizeof *more);
        s->listed = more;
        s->cap_listed = cap;
    }
    s->listed[s->n_listed++] = cls;
    return TN_OK;
}

/* Members that the target has too would be there twice. */
static tn_status read_class_members(residue *s, uint32_t cls)
{
    tni_sparse *table = &s->d->class_text[TN_TEXT_EXTRA];
    if (!tni_sparse_forget(table, cls)) return no_memory(s->err);
    return read_members(s, table, cls);
}

static tn_status read_class(residue *s)
{
    tni_span key;
    tni_class_row row;
    uint32_t cls = TN_NONE;
    memset(&row, 0, sizeof row);
    if (!tni_json_enter(&s->j, '{')) return s->j.status;
    while (tni_json_key(&s->j, &key)) {
        if (tni_span_is(key, "name")) {
            TN_TRY(read_string(s, &row.name));
            cls = tni_find_class(s->d, row.name);
        } else if (tni_span_is(key, "id")) {
            TN_TRY(read_id(s, &row.id_kind, &row.id));
        } else if (tni_span_is(key, "parent")) {
            TN_TRY(read_string(s, &row.parent));
        } else if (tni_span_is(key, "keypoints")) {
            TN_TRY(read_names(s, &row));
        } else if (tni_span_is(key, "extra") && cls != TN_NONE) {
            TN_TRY(read_class_members(s, cls));
        } else {
            (void)!tni_json_skip(&s->j, NULL);
        }
    }
    if (s->j.status != TN_OK || row.name == NULL) return s->j.status;
    if (cls == TN_NONE) {
        TN_TRY(tni_add_class(s->d, &row, &cls, s->err));
        return list_class(s, cls);
    }
    TN_TRY(list_class(s, cls));
    tni_class_row *c = tni_class_at(s->d, cls);
    c->id = row.id;
    c->id_kind = row.id_kind;
    c->parent = row.parent;
    if (row.keypoints != NULL) {
        c->keypoints = row.keypoints;
        c->n_keypoints = row.n_keypoints;
    }
    return TN_OK;
}

static tn_status read_field_of_dataset(residue *s)
{
    tni_span key;
    tni_meta meta = {NULL, {NULL, 0}, TN_NONE, tni_where(s->source, 0)};
    if (!tni_json_enter(&s->j, '{')) return s->j.status;
    while (tni_json_key(&s->j, &key)) {
        const char *split = NULL;
        if (tni_span_is(key, "key")) {
            TN_TRY(read_string(s, &meta.key));
        } else if (tni_span_is(key, "split")) {
            TN_TRY(read_string(s, &split));
            TN_TRY(
                tni_add_split(s->d, split, strlen(split), &meta.split, s->err));
        } else if (tni_span_is(key, "value")) {
            (void)!tni_json_skip(&s->j, &meta.value);
        } else {
            (void)!tni_json_skip(&s->j, NULL);
        }
    }
    if (s->j.status != TN_OK) return s->j.status;
    if (meta.key == NULL || meta.value.p == NULL) return TN_OK;
    return tni_add_meta(s->d, &meta, s->err);
}

/* Fields that only the target's format asked for. */
static tn_status drop_fields(residue *s)
{
    tni_strmap made;
    uint32_t kept = 0;
    tni_strmap_init(&made, &s->r->scratch);
    if (!tni_json_enter(&s->j, '[')) return s->j.status;
    while (tni_json_item(&s->j)) {
        const char *key = NULL;
        bool fresh = false;
        TN_TRY(read_string(s, &key));
        if (tni_strmap_add(&made, key, strlen(key), &fresh) == NULL)
            return no_memory(s->err);
    }
    for (uint32_t i = 0; i < s->d->metas.n; i++) {
        const tni_meta m = *TNI_ROW(&s->d->metas, tni_meta, i);
        if (tni_strmap_find(&made, m.key, strlen(m.key)) == NULL)
            *TNI_ROW(&s->d->metas, tni_meta, kept++) = m;
    }
    s->d->metas.n = kept;
    return s->j.status;
}

static tn_status read_header(residue *s)
{
    tni_span key;
    int64_t version = 0;
    bool made = false;
    while (tni_json_key(&s->j, &key)) {
        if (tni_span_is(key, "tenon_residue")) {
            (void)!tni_json_i64(&s->j, &version);
        } else if (tni_span_is(key, "flags")) {
            int64_t v = 0;
            (void)!tni_json_i64(&s->j, &v);
            s->flags = (uint32_t)v & TNI_FLAGS;
        } else if (tni_span_is(key, "classes")) {
            if (!tni_json_enter(&s->j, '[')) break;
            while (tni_json_item(&s->j)) TN_TRY(read_class(s));
        } else if (tni_span_is(key, "ordered")) {
            int64_t v = 0;
            (void)!tni_json_i64(&s->j, &v);
            s->ordered = v == 1;
        } else if (tni_span_is(key, "made") && !made) {
            made = true; /* once: they are not asked for again and again */
            TN_TRY(drop_fields(s));
        } else if (tni_span_is(key, "fields")) {
            if (!tni_json_enter(&s->j, '[')) break;
            while (tni_json_item(&s->j)) TN_TRY(read_field_of_dataset(s));
        } else {
            (void)!tni_json_skip(&s->j, NULL);
        }
    }
    if (s->j.status == TN_OK && version != TNI_RESIDUE_VERSION)
        return tni_fail(s->err, TN_EUNSUPPORTED,
                        "the residue is of version %lld; this build reads %d",
                        (long long)version, (int)TNI_RESIDUE_VERSION);
    return s->j.status;
}

/* --- the file ------------------------------------------------------------ */

static tn_status index_images(residue *s)
{
    char key[4600];
    tni_strmap_init(&s->images, &s->r->scratch);
    for (uint32_t i = 0; i < s->n_images; i++) {
        const tni_image_row *r = tni_image_at(s->d, i);
        const uint32_t split = tni_first_split(r);
        for (int pass = 0; pass < 2; pass++) {
            bool fresh = false;
            const int n = snprintf(
                key, sizeof key, "%s/%s",
                pass == 0 && split != TN_NONE ? s->d->splits[split] : "",
                r->name);
            if (n < 0 || (size_t)n >= sizeof key) continue;
            char *copy = tni_arena_strndup(&s->r->scratch, key, (size_t)n);
            void **slot = copy != NULL ? tni_strmap_add(&s->images, copy,
                                                        (size_t)n, &fresh)
                                       : NULL;
            if (slot == NULL) return no_memory(s->err);
            if (fresh) *slot = (void *)((uintptr_t)i + 1);
        }
    }
    return TN_OK;
}

static tn_status index_annotations(residue *s)
{
    s->first = TNI_NEW_ARRAY(&s->r->scratch, uint32_t, s->n_images + 2u);
    s->stop = TNI_NEW_ARRAY(&s->r->scratch, uint32_t, s->n_images + 2u);
    s->order = TNI_NEW_ARRAY(&s->r->scratch, uint32_t, s->n_anns + 1u);
    if (s->first == NULL || s->stop == NULL || s->order == NULL)
        return no_memory(s->err);
    for (uint32_t i = 0; i < s->n_anns; i++) {
        const uint32_t image = tni_ann_at(s->d, i)->image;
        if (image != TN_NONE) s->first[image + 1]++;
    }
    for (uint32_t i = 0; i < s->n_images; i++) {
        s->first[i + 1] += s->first[i];
        s->stop[i] = s->first[i];
    }
    for (uint32_t i = 0; i < s->n_anns; i++) {
        const uint32_t image = tni_ann_at(s->d, i)->image;
        if (image != TN_NONE) s->order[s->stop[image]++] = i;
    }
    return TN_OK;
}

/* --- order --------------------------------------------------------------- */

static tn_status order_classes(residue *s)
{
    const uint32_t n = s->d->classes.n;
    uint32_t *to = TNI_NEW_ARRAY(&s->r->scratch, uint32_t, n + 1u);
    uint32_t next = 0;
    if (to == NULL) return no_memory(s->err);
    for (uint32_t i = 0; i < n; i++) to[i] = TN_NONE;
    for (uint32_t i = 0; i < s->n_listed; i++)
        if (to[s->listed[i]] == TN_NONE) to[s->listed[i]] = next++;
    for (uint32_t i = 0; i < n; i++)
        if (to[i] == TN_NONE) to[i] = next++;
    return tni_reorder_classes(s->d, to) ? TN_OK : no_memory(s->err);
}

typedef struct placed {
    uint32_t place, image;
} placed;

static int by_place(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return x->image < y->image ? -1 : x->image > y->image;
}

static tn_status order_images(residue *s)
{
    const uint32_t n = s->n_images;
    placed *rows = TNI_NEW_ARRAY(&s->r->scratch, placed, n + 1u);
    if (rows == NULL) return no_memory(s->err);
    for (uint32_t i = 0; i < n; i++) {
        rows[i].place = s->places[i];
        rows[i].image = i;
    }
    qsort(rows, n, sizeof *rows, by_place);
    for (uint32_t i = 0; i < n; i++) s->places[rows[i].image] = i;
    return tni_reorder_images(s->d, s->places) ? TN_OK : no_memory(s->err);
}

tn_status tni_residue_read(tni_reader *r, tn_err *err)
{
    residue s;
    tni_span text = {NULL, 0};
    memset(&s, 0, sizeof s);
    const char *path = tni_residue_path(&r->scratch, r->path, !r->is_dir);
    if (path == NULL) return no_memory(err);
    if (!tni_path_look(path).is_file) return TN_OK;
    s.r = r;
    s.d = r->d;
    s.err = err;
    s.n_images = r->d->images.n;
    s.n_anns = r->d->anns.n;
    if (!tni_dataset_sort(r->d)) return no_memory(err);
    TN_TRY(tni_source_open(r->d, path, &s.source, &text, err));
    TN_TRY(index_images(&s));
    TN_TRY(index_annotations(&s));
    tni_json_init(&s.j, text.p, text.len, r->d->limits.max_nesting, err);
    tn_status status = TN_OK;
    for (bool first = true; status == TN_OK; first = false) {
        if (tni_json_peek(&s.j) == 0) break;
        if (!tni_json_enter(&s.j, '{')) break;
        status = first ? read_header(&s) : read_image(&s);
    }
    if (status == TN_OK) status = s.j.status;
    if (status == TN_OK && !tni_json_end(&s.j)) status = s.j.status;
    if (status == TN_OK && s.ordered) status = order_classes(&s);
    if (status == TN_OK && s.places != NULL) status = order_images(&s);
    if (status != TN_OK) tni_err_where(err, "%s", path);
    return status;
}
