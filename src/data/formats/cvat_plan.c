/* SPDX-License-Identifier: Apache-2.0 */
/* cvat_plan.c - what CVAT XML holds of the dataset at hand */
#include "data/formats/cvat.h"

#include <math.h>
#include <stdio.h>

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

/* --- types of attributes -------------------------------------------------------- */

static const char *class_of(const tn_dataset *d, uint32_t ann)
{
    const uint32_t cls = tni_ann_at(d, ann)->class_index;
    return cls != TN_NONE ? tni_class_at(d, cls)->name : "";
}

static bool is_word(tni_span raw)
{
    return tni_span_is(raw, "true") || tni_span_is(raw, "false");
}

static bool is_number(tni_span raw)
{
    return raw.p[0] != '"' && !is_word(raw) && tni_json_stays_typed(raw);
}

static int type_of(tni_span raw)
{
    if (is_word(raw)) return TNI_CVAT_CHECKBOX;
    return is_number(raw) ? TNI_CVAT_NUMBER : TNI_CVAT_TEXT;
}

/* What labels do not define is told from the values: one kind, else text. */
static tn_status infer_one(tni_strmap *types, tni_strmap *seen,
                           tni_arena *arena, const char *cls, tni_span object,
                           tn_err *err)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    tni_json_init(&j, object.p, object.len, 0, &ignored);
    if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return TN_OK;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        const tni_arena_mark mark = tni_arena_save(arena);
        const char *name = tni_json_unescape(arena, key, NULL);
        if (name == NULL) return no_memory(err);
        const int type = type_of(raw);
        const int old = tni_cvat_lookup(types, arena, cls, name);
        const bool mine = tni_cvat_lookup(seen, arena, cls, name) != 0;
        if (old != 0 && (!mine || old == type || old == TNI_CVAT_TEXT)) {
            tni_arena_rewind(arena, mark);
            continue;
        }
        void **slot = tni_cvat_slot(types, arena, cls, name);
        if (slot == NULL) return no_memory(err);
        *slot = (void *)(uintptr_t)(old == 0 ? type : TNI_CVAT_TEXT);
        slot = tni_cvat_slot(seen, arena, cls, name);
        if (slot == NULL) return no_memory(err);
        *slot = (void *)(uintptr_t)1;
    }
    return TN_OK;
}

tn_status tni_cvat_infer(tni_strmap *types, tni_arena *arena,
                         const tn_dataset *d, tn_err *err)
{
    tni_strmap seen;
    tni_strmap_init(&seen, arena);
    for (uint32_t i = 0; i < d->classes.n; i++)
        for (uint32_t k = 0;; k++) {
            const tni_span *t =
                tni_sparse_find(&d->class_text[TN_TEXT_EXTRA], i, k);
            if (t == NULL) break;
            if (t->len < 16 || memcmp(t->p, "\"attributes\": ", 14) != 0)
                continue;
            const tni_span list = {t->p + 14, t->len - 14};
            TN_TRY(tni_cvat_define(types, arena, tni_class_at(d, i)->name, list,
                                   err));
        }
    for (uint32_t i = 0; i < d->anns.n; i++) {
        const tni_span *t = tni_sparse_find(&d->text[TN_TEXT_ATTRIBUTES], i, 0);
        if (t == NULL || tni_ann_at(d, i)->class_index == TN_NONE) continue;
        TN_TRY(infer_one(types, &seen, arena, class_of(d, i), *t, err));
    }
    return TN_OK;
}

/* Whether the value reads back as it is where its attribute is of this type. */
static bool stays(tni_span raw, int type)
{
    static const tni_span any = {"a", 1};
    if (raw.p[0] != '"')
        return is_word(raw) ? type == TNI_CVAT_CHECKBOX
                            : type == TNI_CVAT_NUMBER && is_number(raw);
    if (!tni_json_stays_xml(any, raw)) return false;
    const tni_span inner = {raw.p + 1, raw.len - 2};
    if (type == TNI_CVAT_CHECKBOX) return !is_word(inner);
    return type != TNI_CVAT_NUMBER || is_word(inner) ||
           tni_json_stays_typed(raw);
}

static bool keeps_attributes(const tni_strmap *types, tni_arena *arena,
                             const char *cls, tni_span object)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    tni_json_init(&j, object.p, object.len, 0, &ignored);
    if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        const tni_arena_mark mark = tni_arena_save(arena);
        const char *name = tni_json_unescape(arena, key, NULL);
        const int type =
            name != NULL ? tni_cvat_lookup(types, arena, cls, name) : 0;
        tni_arena_rewind(arena, mark);
        if (name == NULL || raw.p[0] == '{' || raw.p[0] == '[' ||
            !stays(raw, type))
            return false;
    }
    return j.status == TN_OK;
}

/* --- members that are kept --------------------------------------------------------- */

bool tni_cvat_member(const tni_span *m, tni_span *key, tni_span *value)
{
    tni_json j;
    tn_err ignored;
    tni_json_init(&j, m->p, m->len, 0, &ignored);
    if (!tni_json_string(&j, key, NULL)) return false;
    value->p = key->p + key->len + 1;
    value->len = (size_t)(m->p + m->len - value->p);
    while (value->len > 0 && strchr(": \t\r\n", value->p[0]) != NULL) {
        value->p++;
        value->len--;
    }
    return value->len > 0;
}

bool tni_cvat_among(tni_span key, const char *const *list)
{
    for (; *list != NULL; list++)
        if (tni_span_is(key, *list)) return true;
    return false;
}

/* Strings are attributes of the shape, the rest elements in it. */
bool tni_cvat_is_attr(tni_span key, tni_span value)
{
    static const char *const ours[] = {"source", "keyframe", NULL};
    return value.p[0] == '"' && tni_json_is_xml(key, value) &&
           (!tni_cvat_among(key, tni_cvat_reserved) ||
            tni_cvat_among(key, ours));
}

bool tni_cvat_is_element(tni_span key, tni_span value)
{
    return value.p[0] != '"' && !tni_span_is(key, "attribute") &&
           tni_json_is_xml(key, value);
}

static bool keeps_members(const tn_dataset *d, uint32_t ann, bool skeleton)
{
    for (uint32_t k = 0;; k++) {
        const tni_span *t = tni_sparse_find(&d->text[TN_TEXT_EXTRA], ann, k);
        tni_span key, value;
        if (t == NULL) return true;
        if (!tni_cvat_member(t, &key, &value)) return false;
        const bool attr =
            tni_cvat_is_attr(key, value) && tni_json_stays_xml(key, value);
        const bool element = !skeleton && tni_cvat_is_element(key, value) &&
                             tni_json_stays_xml(key, value);
        if (!attr && !element && !(skeleton && tni_span_is(key, "element")))
            return false;
    }
}

static bool keeps_image(const tn_dataset *d, uint32_t image)
{
    static const char *const ours[] = {"id",     "name",   "width",
                                       "height", "subset", NULL};
    for (uint32_t k = 0;; k++) {
        const tni_span *t =
            tni_sparse_find(&d->image_text[TN_TEXT_EXTRA], image, k);
        tni_span key, value;
        if (t == NULL) break;
        if (!tni_cvat_member(t, &key, &value) || tni_cvat_among(key, ours) ||
            !tni_json_stays_xml(key, value))
            return false;
        char name[32] = "";
        if (key.len < sizeof name) memcpy(name, key.p, key.len);
        if (value.p[0] != '"' && tni_cvat_is_shape(name)) return false;
    }
    return tni_sparse_find(&d->image_text[TN_TEXT_ATTRIBUTES], image, 0) ==
               NULL &&
           tni_sparse_find(&d->image_text[TN_TEXT_CAPTION], image, 0) == NULL;
}

static bool keeps_class(const tn_dataset *d, uint32_t cls)
{
    static const char *const ours[] = {"name", "parent", NULL};
    static const tni_span any = {"a", 1};
    for (uint32_t k = 0;; k++) {
        const tni_span *t =
            tni_sparse_find(&d->class_text[TN_TEXT_EXTRA], cls, k);
        tni_span key, value;
        if (t == NULL) break;
        if (!tni_cvat_member(t, &key, &value) || tni_cvat_among(key, ours))
            return false;
        if (tni_span_is(key, "attributes") || tni_span_is(key, "sublabels")) {
            tni_json j;
            tni_span raw;
            tn_err ignored;
            tni_json_init(&j, value.p, value.len, 0, &ignored);
            if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '['))
                return false;
            while (tni_json_item(&j) && tni_json_skip(&j, &raw))
                if (!tni_json_is_xml(any, raw)) return false;
        } else if (!tni_json_stays_xml(key, value)) {
            return false;
        }
    }
    return tni_sparse_find(&d->class_text[TN_TEXT_ATTRIBUTES], cls, 0) == NULL;
}

/* <meta> of one file; what other formats keep of a dataset has no place. */
static bool keeps_metas(const tn_dataset *d)
{
    static const char *const holders[] = {"task", "project", "job", NULL};
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    if (d->metas.n == 0) return true;
    const tni_meta *m = TNI_ROW(&d->metas, tni_meta, 0);
    if (d->metas.n > 1 || strcmp(m->key, "meta") != 0 || m->value.p[0] != '{')
        return false;
    tni_json_init(&j, m->value.p, m->value.len, 0, &ignored);
    if (!tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        /* Without labels there may be nothing in it. */
        const bool empty =
            tni_span_is(raw, "{}") && tni_cvat_among(key, holders);
        if (!empty && !tni_json_stays_xml(key, raw)) return false;
        /* With subsets a task becomes part of a project. */
        if (d->n_splits > 0 &&
            (tni_span_is(key, "task") || tni_span_is(key, "job")))
            return false;
    }
    return j.status == TN_OK;
}

/* --- annotations --------------------------------------------------------------------- */

static bool is_whole(double v)
{
    return v == floor(v) && fabs(v) < 9e15;
}

static bool keeps_mask(const tn_dataset *d, uint32_t ann, tn_shape *s)
{
    double w = 0.0, h = 0.0;
    const uint32_t image = tni_ann_at(d, ann)->image;
    if (image == TN_NONE || !tni_image_extent(d, image, &w, &h) ||
        tn_dataset_shape(d, ann, s, NULL) != TN_OK)
        return false;
    bool any = false;
    for (size_t i = 1; i < s->n_runs; i += 2) any = any || s->runs[i] > 0;
    return any && (double)s->width == w && (double)s->height == h;
}

static void look_at_nums(const tn_dataset *d, uint32_t i, uint64_t *keeps)
{
    static const struct {
        tn_num kind;
        uint64_t bit;
    } rows[] = {{TN_NUM_Z, TNI_KEEPS(Z)},
                {TN_NUM_GROUP, TNI_KEEPS(GROUP)},
                {TN_NUM_TRACK, TNI_KEEPS(TRACK)}};
    double v = 0.0;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        if (tn_dataset_num(d, i, rows[k].kind, &v) != 0 && !is_whole(v))
            *keeps &= ~rows[k].bit;
}

static void look_at_shape(const tn_dataset *d, uint32_t i, tn_shape *s,
                          uint64_t *keeps)
{
    const uint32_t flags = *tni_flags_at(d, i);
    const tn_shape_kind kind = tn_dataset_shape_kind(d, i);
    const uint32_t cls = tni_ann_at(d, i)->class_index;
    if (kind == TN_SHAPE_QUAD && (flags & TN_HAS_SHAPE) != 0)
        *keeps &= ~TNI_KEEPS(OBB);
    if (kind == TN_SHAPE_RLE && !keeps_mask(d, i, s))
        *keeps &= ~TNI_KEEPS(MASK);
    if (kind == TN_SHAPE_CUBOID &&
        (tn_dataset_shape(d, i, s, NULL) != TN_OK || s->n_points != 8))
        *keeps &= ~TNI_KEEPS(CUBOID);
    if ((flags & TN_HAS_KEYPOINTS) == 0) return;
    const bool shaped = (flags & (TN_HAS_SHAPE | TN_HAS_ANGLE)) != 0;
    if (shaped || cls == TN_NONE ||
        tn_dataset_keypoints(d, i, s, NULL) != TN_OK || s->n_points == 0 ||
        s->n_points != tni_class_at(d, cls)->n_keypoints)
        *keeps &= ~(TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY));
}

/* --- tracks ---------------------------------------------------------------------------- */

/* Whether every annotation is a shape of a track of one class, one on a frame,
 * and frames are called by their numbers. */
static bool is_video(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     tni_arena *arena)
{
    tni_strmap classes;
    tni_strmap_init(&classes, arena);
    if (counts[TNI_F_TRACK] == 0 || d->n_splits > 0 ||
        counts[TNI_F_TRACK] != d->anns.n)
        return false;
    for (uint32_t i = 0; i < d->images.n; i++) {
        size_t n = 0;
        const tni_image_row *r = tni_image_at(d, i);
        (void)tn_dataset_of_image(d, i, &n);
        if (tni_cvat_frame_of(r->name) < 0 || strchr(r->name, '/') != NULL ||
            (n == 0 && !tni_image_there(d, i)))
            return false;
    }
    for (uint32_t i = 0; i < d->anns.n; i++) {
        double track = 0.0;
        char id[40], frame[40];
        const uint32_t image = tni_ann_at(d, i)->image;
        const uint32_t cls = tni_ann_at(d, i)->class_index;
        (void)tn_dataset_num(d, i, TN_NUM_TRACK, &track);
        if (image == TN_NONE || !is_whole(track)) return false;
        if ((*tni_flags_at(d, i) & TN_IS_TAG) != 0) return false;
        (void)snprintf(id, sizeof id, "%.0f", track);
        (void)snprintf(frame, sizeof frame, "%u", (unsigned)image);
        void **slot = tni_cvat_slot(&classes, arena, id, "class");
        void **once =
            slot != NULL ? tni_cvat_slot(&classes, arena, id, frame) : NULL;
        if (once == NULL || *once != NULL) return false;
        *once = (void *)(uintptr_t)1;
        slot = tni_cvat_slot(&classes, arena, id, "class");
        if (slot == NULL) return false;
        const uintptr_t own = (uintptr_t)cls + 1;
        if (*slot != NULL && (uintptr_t)*slot != own) return false;
        *slot = (void *)own;
    }
    return true;
}

/* What a video cannot say that images can, and the other way round. */
static void narrow(const tn_dataset *d, bool video, uint64_t *keeps)
{
    if (!video) {
        *keeps &= ~(TNI_KEEPS(TRACK) | TNI_KEEPS(NEGATIVE));
        return;
    }
    double w = 0.0, h = 0.0, first_w = 0.0, first_h = 0.0;
    *keeps &= ~TNI_KEEPS(IMAGE_EXTRA);
    for (uint32_t i = 0; i < d->images.n; i++) {
        const tni_image_row *r = tni_image_at(d, i);
        const bool known = tni_image_extent(d, i, &w, &h);
        if (!known) w = h = 0.0;
        if (i == 0) {
            first_w = w;
            first_h = h;
        }
        if (w != first_w || h != first_h)
            *keeps &= ~(TNI_KEEPS(SIZE) | TNI_KEEPS(MASK));
        if (r->id_kind != TN_ID_INT || r->id != tni_cvat_frame_of(r->name))
            *keeps &= ~TNI_KEEPS(IMAGE_ID);
    }
}

static tn_status look_at_all(const tn_dataset *d, tni_arena *arena,
                             uint64_t *keeps)
{
    tni_strmap types;
    tn_shape s = TN_SHAPE_INIT;
    tni_strmap_init(&types, arena);
    TN_TRY(tni_cvat_infer(&types, arena, d, NULL));
    for (uint32_t i = 0; i < d->anns.n; i++) {
        const uint32_t flags = *tni_flags_at(d, i);
        const bool skeleton = (flags & TN_HAS_KEYPOINTS) != 0 &&
                              (flags & (TN_HAS_SHAPE | TN_HAS_ANGLE)) == 0;
        const tni_span *t = tni_sparse_find(&d->text[TN_TEXT_ATTRIBUTES], i, 0);
        look_at_nums(d, i, keeps);
        look_at_shape(d, i, &s, keeps);
        if (t != NULL && !keeps_attributes(&types, arena, class_of(d, i), *t))
            *keeps &= ~TNI_KEEPS(ATTRIBUTES);
        if (!keeps_members(d, i, skeleton)) *keeps &= ~TNI_KEEPS(EXTRA);
    }
    tn_shape_fini(&s);
    for (uint32_t i = 0; i < d->images.n; i++) {
        if (!keeps_image(d, i)) *keeps &= ~TNI_KEEPS(IMAGE_EXTRA);
        if (tni_image_at(d, i)->id_kind == TN_ID_TEXT)
            *keeps &= ~TNI_KEEPS(IMAGE_ID);
    }
    for (uint32_t i = 0; i < d->classes.n; i++)
        if (!keeps_class(d, i)) *keeps &= ~TNI_KEEPS(CLASS_EXTRA);
    if (!keeps_metas(d)) *keeps &= ~TNI_KEEPS(META);
    return TN_OK;
}

uint64_t tni_cvat_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                       const char **variant)
{
    tni_mem mem;
    tni_arena arena;
    uint64_t keeps = tni_format_cvat.keeps;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 16);
    if (*variant == NULL)
        *variant = is_video(d, counts, &arena) ? "video" : "images";
    if (look_at_all(d, &arena, &keeps) != TN_OK)
        keeps &= ~TNI_KEEPS(ATTRIBUTES);
    narrow(d, strcmp(*variant, "video") == 0, &keeps);
    tni_arena_fini(&arena);
    return keeps;
}
