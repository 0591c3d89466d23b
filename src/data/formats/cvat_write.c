/* SPDX-License-Identifier: Apache-2.0 */
/* cvat_write.c - the dataset as one file of CVAT, for images or for a video */
#include "data/formats/cvat.h"

#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

/* --- attributes of elements ------------------------------------------------------- */

static void put_int(tni_cvat_out *m, const char *name, double v)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%.0f", v);
    tni_xml_out_attr(&m->x, name, text);
}

static void put_flag(tni_cvat_out *m, const char *name, bool set)
{
    tni_xml_out_attr(&m->x, name, set ? "1" : "0");
}

/* What is in the draft, as an attribute. */
static void put_draft(tni_cvat_out *m, const char *name)
{
    tni_span text;
    const tn_status status = tni_draft_end(m->draft, &text);
    if (status != TN_OK) {
        if (m->x.status == TN_OK) m->x.status = status;
        return;
    }
    const char *kept = tni_cvat_keep(m, text.p, text.len);
    if (kept != NULL) tni_xml_out_attr(&m->x, name, kept);
}

static void put_points(tni_cvat_out *m, const double *xy, size_t n)
{
    tni_out *o = tni_draft_begin(m->draft);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_str(o, ";");
        tni_out_f64(o, xy[2 * i]);
        tni_out_str(o, ",");
        tni_out_f64(o, xy[2 * i + 1]);
    }
    put_draft(m, "points");
}

static void put_numbers(tni_cvat_out *m, const char *const *names,
                        const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) tni_xml_out_attr_f64(&m->x, names[i], v[i]);
}

/* Members that are kept: strings as attributes, the rest as elements. */
static void put_kept(tni_cvat_out *m, uint32_t ann, bool attrs, bool skeleton)
{
    const tni_sparse *s = &m->d->text[TN_TEXT_EXTRA];
    tni_once_clear(&m->keys);
    for (uint32_t k = 0;; k++) {
        const tni_span *t = tni_sparse_find(s, ann, k);
        tni_span key, value;
        if (t == NULL) return;
        if (!tni_cvat_member(t, &key, &value)) continue;
        const bool again = attrs && tni_once_again(&m->keys, key.p, key.len);
        if (again || tni_span_is(key, "source")) continue;
        if (attrs ? !tni_cvat_is_attr(key, value)
                  : skeleton || !tni_cvat_is_element(key, value))
            continue;
        if (m->video && tni_span_is(key, "keyframe")) continue;
        const char *name = tni_cvat_keep(m, key.p, key.len);
        const char *plain = attrs ? tni_json_scalar(value, &m->w->arena) : "";
        if (name == NULL || plain == NULL) {
            m->x.status = no_memory(m->err);
            return;
        }
        if (attrs)
            tni_xml_out_attr(&m->x, name, plain);
        else
            tni_xml_out_json(&m->x, name, value, &m->w->arena);
    }
}

static const char *kept_text(tni_cvat_out *m, uint32_t ann, const char *key,
                             const char *otherwise)
{
    for (uint32_t k = 0;; k++) {
        const tni_span *t = tni_sparse_find(&m->d->text[TN_TEXT_EXTRA], ann, k);
        tni_span own, value;
        if (t == NULL) return otherwise;
        if (!tni_cvat_member(t, &own, &value) || !tni_span_is(own, key) ||
            !tni_cvat_is_attr(own, value))
            continue;
        const char *plain = tni_json_scalar(value, &m->w->arena);
        return plain != NULL ? plain : otherwise;
    }
}

static void put_attributes(tni_cvat_out *m, uint32_t ann)
{
    const tni_span *t =
        tni_sparse_find(&m->d->text[TN_TEXT_ATTRIBUTES], ann, 0);
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    if (t == NULL) return;
    tni_json_init(&j, t->p, t->len, 0, &ignored);
    if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        const char *name = tni_json_unescape(&m->w->arena, key, NULL);
        const char *value = tni_json_scalar(raw, &m->w->arena);
        if (name == NULL || value == NULL) {
            m->x.status = no_memory(m->err);
            return;
        }
        tni_xml_out_open(&m->x, "attribute");
        tni_xml_out_attr(&m->x, "name", name);
        tni_xml_out_text(&m->x, value, strlen(value));
        tni_xml_out_close(&m->x);
    }
}

/* --- shapes ----------------------------------------------------------------------- */

/* The element that is written for an annotation; NULL: it has no place. */
static const char *element_of(tni_cvat_out *m, uint32_t ann, double box[4])
{
    const uint32_t flags = *tni_flags_at(m->d, ann);
    const uint32_t cls = tni_ann_at(m->d, ann)->class_index;
    const tn_shape_kind kind = tn_dataset_shape_kind(m->d, ann);
    const uint32_t image = tni_ann_at(m->d, ann)->image;
    double w = 0.0, h = 0.0;
    tn_shape *s = &m->s;
    bool boxed = false;
    if ((flags & TN_IS_NEGATIVE) != 0 && !m->video) return NULL;
    if ((flags & TN_IS_TAG) != 0) return m->video ? NULL : "tag";
    boxed = tn_dataset_box(m->d, ann, box) != 0;
    for (int i = 0; i < 4; i++) boxed = boxed && isfinite(box[i]);
    if ((flags & TN_HAS_SHAPE) == 0 && (flags & TN_HAS_ANGLE) == 0 &&
        (flags & TN_HAS_KEYPOINTS) != 0 && cls != TN_NONE &&
        tn_dataset_keypoints(m->d, ann, s, NULL) == TN_OK && s->n_points > 0 &&
        s->n_points == tni_class_at(m->d, cls)->n_keypoints)
        return "skeleton";
    if ((flags & TN_HAS_SHAPE) == 0) return boxed ? "box" : NULL;
    if (tn_dataset_shape(m->d, ann, s, NULL) != TN_OK)
        return boxed ? "box" : NULL;
    if (kind == TN_SHAPE_RLE) {
        bool any = false;
        for (size_t i = 1; i < s->n_runs; i += 2) any = any || s->runs[i] > 0;
        if (any && tni_image_extent(m->d, image, &w, &h) &&
            (double)s->width == w && (double)s->height == h)
            return "mask";
        return boxed ? "box" : NULL;
    }
    if (s->n_points == 0) return boxed ? "box" : NULL;
    switch (kind) {
    case TN_SHAPE_POLYGON:
    case TN_SHAPE_QUAD: return "polygon";
    case TN_SHAPE_POLYLINE: return "polyline";
    case TN_SHAPE_POINTS: return "points";
    case TN_SHAPE_ELLIPSE: return s->n_points >= 2 ? "ellipse" : NULL;
    case TN_SHAPE_CUBOID:
        return s->n_points == 8 ? "cuboid" : boxed ? "box" : NULL;
    default: return boxed ? "box" : NULL;
    }
}

static tn_status put_mask(tni_cvat_out *m)
{
    tni_patch p;
    TN_TRY(tni_patch_of(&p, &m->s, &m->w->arena, m->err));
    const int64_t n = p.w * p.h;
    int64_t run = 0;
    bool on = false, any = false;
    tni_out *o = tni_draft_begin(m->draft);
    for (int64_t i = 0; i <= n; i++) {
        const bool now = i < n && p.pixels[i] != 0;
        if (i == n || now != on) {
            if (any) tni_out_str(o, ", ");
            tni_out_i64(o, run);
            any = true;
            run = 0;
            on = now;
        }
        run++;
    }
    put_draft(m, "rle");
    put_int(m, "left", (double)p.x);
    put_int(m, "top", (double)p.y);
    put_int(m, "width", (double)p.w);
    put_int(m, "height", (double)p.h);
    return m->x.status;
}

/* A shape's own box, where it is not the one around it. */
static void put_own_box(tni_cvat_out *m, uint32_t ann, bool skeleton,
                        const double box[4])
{
    static const char *const edges[] = {"xtl", "ytl", "xbr", "ybr"};
    const uint32_t flags = *tni_flags_at(m->d, ann);
    const tni_shape *cell = tni_sparse_find(&m->d->shape, ann, 0);
    tn_shape s = TN_SHAPE_INIT;
    if ((flags & TN_HAS_BOX) == 0 || (flags & TN_HAS_ANGLE) != 0 ||
        !(isfinite(box[0]) && isfinite(box[1]) && isfinite(box[2]) &&
          isfinite(box[3])))
        return;
    const bool hull = !skeleton && cell != NULL &&
                      tni_shape_read(&s, cell, 1.0, 1.0, NULL) == TN_OK &&
                      tni_box_is_hull(m->d, ann, cell, &s);
    tn_shape_fini(&s);
    if (!hull) put_numbers(m, edges, box, 4);
}

static tn_status put_geometry(tni_cvat_out *m, uint32_t ann, const char *name,
                              const double box[4])
{
    static const char *const edges[] = {"xtl", "ytl", "xbr", "ybr"};
    static const char *const ellipse[] = {"cx", "cy", "rx", "ry"};
    const tn_shape *s = &m->s;
    double angle = 0.0;
    if (strcmp(name, "box") == 0) {
        put_numbers(m, edges, box, 4);
        if (tn_dataset_num(m->d, ann, TN_NUM_ANGLE, &angle) != 0 &&
            (*tni_flags_at(m->d, ann) & TN_HAS_SHAPE) == 0)
            tni_xml_out_attr_f64(&m->x, "rotation", angle);
        return m->x.status;
    }
    if (strcmp(name, "mask") == 0) {
        TN_TRY(put_mask(m));
    } else if (strcmp(name, "ellipse") == 0) {
        put_numbers(m, ellipse, s->xy, 4);
        if (s->n_points > 2 && s->xy[4] != 0.0)
            tni_xml_out_attr_f64(&m->x, "rotation", s->xy[4]);
    } else if (strcmp(name, "cuboid") == 0) {
        put_numbers(m, tni_cvat_reserved + 23, s->xy, 16);
    } else if (strcmp(name, "polygon") == 0 && s->n_rings > 0) {
        const size_t r = tni_largest_ring(s);
        const size_t from = r > 0 ? s->ring_ends[r - 1] : 0;
        put_points(m, s->xy + 2 * from, s->ring_ends[r] - from);
    } else if (strcmp(name, "tag") != 0) {
        put_points(m, s->xy, s->n_points);
    }
    if (strcmp(name, "tag") != 0)
        put_own_box(m, ann, strcmp(name, "skeleton") == 0, box);
    return m->x.status;
}

static void put_state(tni_cvat_out *m, const tn_shape *s, size_t k)
{
    const uint8_t v = s->visible != NULL ? s->visible[k] : 2;
    put_flag(m, "outside", v == 0);
    put_flag(m, "occluded", v == 1);
}

/* Attributes of an element of a skeleton that were kept. */
static void put_element_rest(tni_cvat_out *m, uint32_t ann, const char *name)
{
    for (uint32_t k = 0;; k++) {
        const tni_span *t = tni_sparse_find(&m->d->text[TN_TEXT_EXTRA], ann, k);
        tni_span key, value, label, attribute;
        if (t == NULL) return;
        if (!tni_cvat_member(t, &key, &value) || !tni_span_is(key, "element") ||
            !tni_json_member(value, "@label", &label) || label.p[0] != '"' ||
            !tni_json_member(value, "attribute", &attribute))
            continue;
        const tni_span inner = {label.p + 1, label.len - 2};
        if (tni_json_text_is(inner, name) &&
            tni_json_is_xml(tni_span_of("attribute"), attribute))
            tni_xml_out_json(&m->x, "attribute", attribute, &m->w->arena);
    }
}

/* Points are labels of their own: where nobody names them they are numbered. */
const char *tni_cvat_point_name(const tni_class_row *row, size_t k,
                                char number[32])
{
    if (row->keypoints != NULL) return row->keypoints[k];
    (void)snprintf(number, 32, "%zu", k + 1);
    return number;
}

static void put_elements(tni_cvat_out *m, uint32_t ann)
{
    const uint32_t cls = tni_ann_at(m->d, ann)->class_index;
    const tni_class_row *row = tni_class_at(m->d, cls);
    for (size_t k = 0; k < m->s.n_points; k++) {
        char number[32];
        const char *name = tni_cvat_point_name(row, k, number);
        tni_xml_out_open(&m->x, "points");
        tni_xml_out_attr(&m->x, "label", name);
        tni_xml_out_attr(&m->x, "source", "manual");
        put_state(m, &m->s, k);
        put_points(m, m->s.xy + 2 * k, 1);
        put_element_rest(m, ann, name);
        tni_xml_out_close(&m->x);
    }
}

static void put_order(tni_cvat_out *m, uint32_t ann, bool group)
{
    double z = 0.0, g = 0.0;
    (void)tn_dataset_num(m->d, ann, TN_NUM_Z, &z);
    if (z == floor(z) && fabs(z) < 9e15) put_int(m, "z_order", z);
    if (group && tn_dataset_num(m->d, ann, TN_NUM_GROUP, &g) != 0 &&
        g == floor(g) && fabs(g) < 9e15)
        put_int(m, "group_id", g);
}

/* A shape; `frame` of a track, -1: of an image. */
static tn_status put_shape(tni_cvat_out *m, uint32_t ann, int64_t frame)
{
    const tni_arena_mark mark = tni_arena_save(&m->w->arena);
    const uint32_t flags = *tni_flags_at(m->d, ann);
    const uint32_t cls = tni_ann_at(m->d, ann)->class_index;
    double box[4] = {0.0, 0.0, 0.0, 0.0};
    const char *name = element_of(m, ann, box);
    if (name == NULL) return TN_OK;
    const bool skeleton = strcmp(name, "skeleton") == 0;
    const char *source = kept_text(m, ann, "source", "manual");
    tni_xml_out_open(&m->x, name);
    if (frame >= 0) {
        put_int(m, "frame", (double)frame);
        tni_xml_out_attr(&m->x, "keyframe", kept_text(m, ann, "keyframe", "1"));
        put_flag(m, "outside", (flags & TN_IS_NEGATIVE) != 0);
        if (strcmp(source, m->track_source) != 0)
            tni_xml_out_attr(&m->x, "source", source);
    } else {
        tni_xml_out_attr(&m->x, "label",
                         cls != TN_NONE ? tni_class_at(m->d, cls)->name : "");
        tni_xml_out_attr(&m->x, "source", source);
    }
    if (strcmp(name, "tag") != 0 || (flags & TN_IS_OCCLUDED) != 0)
        put_flag(m, "occluded", (flags & TN_IS_OCCLUDED) != 0);
    TN_TRY(put_geometry(m, ann, name, box));
    put_order(m, ann, frame < 0 || !m->track_group);
    put_kept(m, ann, true, skeleton);
    put_attributes(m, ann);
    put_kept(m, ann, false, skeleton);
    if (skeleton && frame < 0) put_elements(m, ann);
    tni_xml_out_close(&m->x);
    m->w->written[ann] = TNI_WRITTEN;
    tni_arena_rewind(&m->w->arena, mark);
    return m->x.status;
}

/* --- images ------------------------------------------------------------------------- */

static void put_image_kept(tni_cvat_out *m, uint32_t image, bool attrs)
{
    static const char *const ours[] = {"id",     "name",   "width",
                                       "height", "subset", NULL};
    const tni_sparse *s = &m->d->image_text[TN_TEXT_EXTRA];
    tni_once_clear(&m->keys);
    for (uint32_t k = 0;; k++) {
        const tni_span *t = tni_sparse_find(s, image, k);
        tni_span key, value;
        if (t == NULL) return;
        if (!tni_cvat_member(t, &key, &value)) continue;
        const bool again = tni_once_again(&m->keys, key.p, key.len);
        if (tni_cvat_among(key, ours) || (value.p[0] == '"') != attrs ||
            !tni_json_is_xml(key, value))
            continue;
        const char *name = tni_cvat_keep(m, key.p, key.len);
        const char *plain = attrs ? tni_json_scalar(value, &m->w->arena) : "";
        if (name == NULL || plain == NULL || m->x.status != TN_OK) return;
        if (again || (!attrs && tni_cvat_is_shape(name))) continue;
        if (attrs)
            tni_xml_out_attr(&m->x, name, plain);
        else
            tni_xml_out_json(&m->x, name, value, &m->w->arena);
    }
}

static tn_status put_image(tni_cvat_out *m, uint32_t image)
{
    const tni_image_row *r = tni_image_at(m->d, image);
    const uint32_t split = tni_first_split(r);
    char path[4096], id[32];
    size_t n = 0;
    double w = 0.0, h = 0.0;
    const uint32_t *anns = tn_dataset_of_image(m->d, image, &n);
    TN_TRY(tni_path_of(path, sizeof path, "images",
                       split != TN_NONE ? m->d->splits[split] : NULL,
                       m->w->names[image], m->err));
    TN_TRY(tni_write_image(m->w, image, path, m->err));
    (void)snprintf(id, sizeof id, "%lld",
                   r->id_kind == TN_ID_INT ? (long long)r->id
                                           : (long long)image);
    const tni_arena_mark mark = tni_arena_save(&m->w->arena);
    tni_xml_out_open(&m->x, "image");
    tni_xml_out_attr(&m->x, "id", id);
    tni_xml_out_attr(&m->x, "name", m->w->names[image]);
    if (split != TN_NONE)
        tni_xml_out_attr(&m->x, "subset", m->d->splits[split]);
    put_image_kept(m, image, true);
    if (tni_image_extent(m->d, image, &w, &h)) {
        tni_xml_out_attr_f64(&m->x, "width", w);
        tni_xml_out_attr_f64(&m->x, "height", h);
    }
    put_image_kept(m, image, false);
    for (size_t i = 0; i < n; i++) TN_TRY(put_shape(m, anns[i], -1));
    tni_xml_out_close(&m->x);
    tni_arena_rewind(&m->w->arena, mark);
    TN_TRY(m->x.status);
    return tni_writer_progress(m->w, "write", image, m->d->images.n, m->err);
}

/* --- tracks ---------------------------------------------------------------------------- */

typedef struct step {
    uint32_t order, ann; /* order: of the track */
    int64_t frame;
    double track;
} step;

static int by_frame(const void *a, const void *b)
{
    const step *x = a, *y = b;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    if (x->frame != y->frame) return x->frame < y->frame ? -1 : 1;
    return x->ann < y->ann ? -1 : x->ann > y->ann;
}

/* Annotations with a track, by the first of each track, then by frame. */
static tn_status find_steps(tni_cvat_out *m, step **out, size_t *n)
{
    tni_strmap order;
    uint32_t next = 0;
    step *list = TNI_NEW_ARRAY(&m->w->arena, step, m->d->anns.n + 1u);
    tni_strmap_init(&order, &m->w->arena);
    *n = 0;
    if (list == NULL) return no_memory(m->err);
    for (uint32_t i = 0; i < m->d->anns.n; i++) {
        double track = 0.0;
        char id[40], box[40];
        const uint32_t image = tni_ann_at(m->d, i)->image;
        const uint32_t cls = tni_ann_at(m->d, i)->class_index;
        if (image == TN_NONE ||
            tn_dataset_num(m->d, i, TN_NUM_TRACK, &track) == 0 ||
            track != floor(track) || !(fabs(track) < 9e15))
            continue;
        (void)snprintf(id, sizeof id, "%.0f", track);
        (void)snprintf(box, sizeof box, "%u", (unsigned)cls);
        void **slot = tni_cvat_slot(&order, &m->w->arena, id, box);
        if (slot == NULL) return no_memory(m->err);
        if (*slot == NULL) *slot = (void *)(uintptr_t)++next;
        list[*n].order = (uint32_t)(uintptr_t)*slot;
        list[*n].ann = i;
        list[*n].track = track;
        list[(*n)++].frame = tni_cvat_frame_of(m->w->names[image]);
    }
    qsort(list, *n, sizeof *list, by_frame);
    *out = list;
    return TN_OK;
}

/* The points of a skeleton's track, each a track of its own in it. */
static tn_status put_nested(tni_cvat_out *m, const step *list, size_t n)
{
    const uint32_t cls = tni_ann_at(m->d, list[0].ann)->class_index;
    const uint32_t count =
        cls != TN_NONE ? tni_class_at(m->d, cls)->n_keypoints : 0;
    double box[4];
    for (uint32_t k = 0; k < count; k++) {
        char number[32];
        const char *point =
            tni_cvat_point_name(tni_class_at(m->d, cls), k, number);
        bool any = false;
        for (size_t i = 0; i < n; i++) {
            const tni_arena_mark mark = tni_arena_save(&m->w->arena);
            const char *name = element_of(m, list[i].ann, box);
            if (name == NULL || strcmp(name, "skeleton") != 0) continue;
            if (!any) {
                tni_xml_out_open(&m->x, "track");
                put_int(m, "id", k);
                tni_xml_out_attr(&m->x, "label", point);
                tni_xml_out_attr(&m->x, "source", "manual");
            }
            any = true;
            tni_xml_out_open(&m->x, "points");
            put_int(m, "frame", (double)list[i].frame);
            tni_xml_out_attr(&m->x, "keyframe",
                             kept_text(m, list[i].ann, "keyframe", "1"));
            put_state(m, &m->s, k);
            put_points(m, m->s.xy + 2 * k, 1);
            put_element_rest(m, list[i].ann, point);
            tni_xml_out_close(&m->x);
            tni_arena_rewind(&m->w->arena, mark);
        }
        if (any) tni_xml_out_close(&m->x);
    }
    return m->x.status;
}

/* What all shapes of a track have in common is the track's. */
static void put_common(tni_cvat_out *m, const step *list, size_t n)
{
    double first = 0.0;
    const char *source = kept_text(m, list[0].ann, "source", "manual");
    const bool grouped =
        tn_dataset_num(m->d, list[0].ann, TN_NUM_GROUP, &first) != 0 &&
        first == floor(first) && fabs(first) < 9e15;
    m->track_group = grouped;
    m->track_source = source;
    for (size_t i = 1; i < n; i++) {
        double own = 0.0;
        const tni_arena_mark mark = tni_arena_save(&m->w->arena);
        if (tn_dataset_num(m->d, list[i].ann, TN_NUM_GROUP, &own) == 0 ||
            own != first)
            m->track_group = false;
        if (strcmp(kept_text(m, list[i].ann, "source", "manual"), source) != 0)
            m->track_source = "manual";
        tni_arena_rewind(&m->w->arena, mark);
    }
    tni_xml_out_attr(&m->x, "source", m->track_source);
    if (m->track_group) put_int(m, "group_id", first);
}

static tn_status put_track(tni_cvat_out *m, const step *list, size_t n,
                           uint32_t *rank)
{
    const uint32_t cls = tni_ann_at(m->d, list[0].ann)->class_index;
    tni_xml_out_open(&m->x, "track");
    put_int(m, "id", list[0].track);
    tni_xml_out_attr(&m->x, "label",
                     cls != TN_NONE ? tni_class_at(m->d, cls)->name : "");
    put_common(m, list, n);
    for (size_t i = 0; i < n; i++) {
        TN_TRY(put_shape(m, list[i].ann, list[i].frame));
        m->w->rank[list[i].ann] = (*rank)++;
    }
    TN_TRY(put_nested(m, list, n));
    tni_xml_out_close(&m->x);
    return m->x.status;
}

static tn_status check_frames(const tni_cvat_out *m)
{
    for (uint32_t i = 0; i < m->d->images.n; i++) {
        char plain[40];
        const tni_image_row *r = tni_image_at(m->d, i);
        const char *name = m->w->names[i];
        const int64_t frame = tni_cvat_frame_of(name);
        (void)snprintf(plain, sizeof plain, "frame_%06lld.png",
                       (long long)frame);
        const bool told =
            m->w->files != TN_FILES_NONE && tni_image_there(m->d, i);
        if (r->splits == 0 && frame >= 0 && strchr(name, '/') == NULL &&
            (told || strcmp(name, plain) == 0))
            continue;
        return tni_fail(m->err, TN_EUNSUPPORTED,
                        "the image '%.100s' cannot be a frame of a video: "
                        "frames are called frame_000012.png, have no split, "
                        "and other extensions are told by their files; write "
                        "cvat:images",
                        name);
    }
    return TN_OK;
}

static tn_status put_video(tni_cvat_out *m)
{
    step *list = NULL;
    size_t n = 0;
    uint32_t rank = 0;
    char path[4096];
    TN_TRY(check_frames(m));
    m->w->rank = TNI_NEW_ARRAY(&m->w->arena, uint32_t, m->d->anns.n + 1u);
    if (m->w->rank == NULL) return no_memory(m->err);
    for (uint32_t i = 0; i < m->d->images.n; i++) {
        TN_TRY(tni_path_of(path, sizeof path, NULL, "images", m->w->names[i],
                           m->err));
        TN_TRY(tni_write_image(m->w, i, path, m->err));
    }
    TN_TRY(find_steps(m, &list, &n));
    for (size_t i = 0, to = 0; i < n; i = to) {
        for (to = i; to < n && list[to].order == list[i].order;) to++;
        TN_TRY(put_track(m, list + i, to - i, &rank));
        TN_TRY(tni_writer_progress(m->w, "write", i, n, m->err));
    }
    return TN_OK;
}

/* --- the file ---------------------------------------------------------------------------- */

static tn_status put_all(tni_cvat_out *m)
{
    tni_xml_out_open(&m->x, "annotations");
    tni_xml_out_leaf(&m->x, "version", "1.1");
    TN_TRY(tni_cvat_put_meta(m));
    if (m->video) {
        TN_TRY(put_video(m));
    } else {
        for (uint32_t i = 0; i < m->d->images.n; i++) TN_TRY(put_image(m, i));
    }
    return tni_xml_out_end(&m->x);
}

static tn_status write_file(tni_cvat_out *m)
{
    tni_target t;
    tni_writer *w = m->w;
    tni_strmap_init(&m->types, &w->arena);
    TN_TRY(tni_cvat_infer(&m->types, &w->arena, w->d, m->err));
    TN_TRY(tni_target_open(&t, w, w->file != NULL ? w->file : "annotations.xml",
                           m->err));
    tni_out_str(&t.out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    tni_xml_out_to(&m->x, &t, NULL, m->err);
    tni_once_init(&m->keys);
    const tn_status status = put_all(m);
    tni_once_end(&m->keys, &t.out);
    if (status != TN_OK && t.out.status == TN_OK) t.out.status = status;
    return tni_target_close(&t, m->err);
}

static bool are_unique(const tni_class_row *row)
{
    for (uint32_t i = 0; row->keypoints != NULL && i < row->n_keypoints; i++)
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(row->keypoints[i], row->keypoints[k]) == 0) return false;
    return row->n_keypoints <= 1024;
}

static tn_status check_classes(const tn_dataset *d, tn_err *err)
{
    for (uint32_t i = 0; i < d->anns.n; i++) {
        const uint32_t cls = tni_ann_at(d, i)->class_index;
        if (cls != TN_NONE && tni_class_at(d, cls)->name[0] == '\0')
            return tni_fail(err, TN_EUNSUPPORTED,
                            "a class without a name is none for CVAT; rename "
                            "it");
    }
    for (uint32_t i = 0; i < d->classes.n; i++)
        if (!are_unique(tni_class_at(d, i)))
            return tni_fail(err, TN_EUNSUPPORTED,
                            "the points of '%.100s' are more than 1024, or two "
                            "have one name; rename them",
                            tni_class_at(d, i)->name);
    return TN_OK;
}

tn_status tni_cvat_write(tni_writer *w, tn_err *err)
{
    tni_cvat_out m;
    tni_mem mem;
    tni_arena texts; /* the writer's is rewound */
    memset(&m, 0, sizeof m);
    m.w = w;
    m.d = w->d;
    m.err = err;
    m.s.struct_size = sizeof m.s;
    m.video = w->variant != NULL && strcmp(w->variant, "video") == 0;
    if (w->d->images.n == 0)
        return tni_fail(err, TN_EUNSUPPORTED, "the dataset has no images");
    TN_TRY(tni_check_splits(w->d, err));
    TN_TRY(check_classes(w->d, err));
    for (uint32_t s = 0; s < w->d->n_splits; s++)
        if (strcmp(w->d->splits[s], "default") == 0)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "a split called 'default' is taken for none; "
                            "rename it");
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&texts, &mem, 1 << 16);
    m.draft = tni_draft_new(&texts, err);
    const tn_status status = m.draft != NULL ? write_file(&m) : TN_ENOMEM;
    tni_arena_fini(&texts);
    tn_shape_fini(&m.s);
    return status;
}
