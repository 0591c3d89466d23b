/* SPDX-License-Identifier: Apache-2.0 */
/* tfod_objects.c - the objects, classes and captions of a record */
#include "data/formats/tfod.h"

#include "base/utf8.h"
#include "data/rle.h"
#include "tenon/image.h"

#include <math.h>
#include <stdio.h>

/* The lists of a record; NULL where it has none. */
typedef struct lists {
    const float *box[4]; /* xmin, ymin, xmax, ymax */
    const tni_bytes *text, *mask, *point_text;
    const int64_t *label, *difficult, *truncated, *occluded, *crowd, *group,
        *track, *visible;
    const float *area, *x, *y;
    size_t n, n_points; /* of each object */
} lists;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static uint64_t here(const tni_tfod *t)
{
    return tni_where(t->source, t->at);
}

/* --- classes --------------------------------------------------------------- */

static tn_status new_class(tni_tfod *t, tni_span name, bool has_id, int64_t id,
                           uint32_t *cls)
{
    TN_TRY(tni_class_named(&t->classes, name, here(t), cls, t->err));
    tni_class_row *row = tni_class_at(t->d, *cls);
    if (!has_id || row->id_kind != TN_ID_NONE) return TN_OK;
    row->id_kind = TN_ID_INT;
    row->id = id;
    return tni_idmap_add(&t->ids, TN_ID_INT, id, *cls) ? TN_OK
                                                       : no_memory(t->err);
}

/* A class that so far was known by its number alone gets its name. */
static tn_status name_class(tni_tfod *t, uint32_t cls, tni_span name,
                            bool *named)
{
    const tni_class_row *row = tni_class_at(t->d, cls);
    char number[32];
    bool fresh = false;
    *named = false;
    (void)snprintf(number, sizeof number, "%lld", (long long)row->id);
    if (t->label_map != NULL || strcmp(row->name, number) != 0 ||
        tni_strmap_find(&t->classes.map, name.p, name.len) != NULL)
        return TN_OK;
    TN_TRY(tni_rename_class(t->d, cls, tni_intern(t->d, name.p, name.len),
                            t->err));
    void **slot = tni_strmap_add(&t->classes.map, row->name, name.len, &fresh);
    if (slot == NULL) return no_memory(t->err);
    *slot = (void *)((uintptr_t)cls + 1);
    *named = true;
    return TN_OK;
}

static bool is_called(const tni_tfod *t, uint32_t cls, tni_span text)
{
    void **slot = tni_strmap_find(&t->displays, text.p, text.len);
    return tni_span_is(text, tni_class_at(t->d, cls)->name) ||
           (slot != NULL && (uint32_t)((uintptr_t)*slot - 1) == cls);
}

static tn_status class_by_text(tni_tfod *t, tni_span text, bool has_label,
                               int64_t label, uint32_t by_id, uint32_t *cls)
{
    if (by_id != TN_NONE) {
        bool named = is_called(t, by_id, text);
        if (!named) TN_TRY(name_class(t, by_id, text, &named));
        *cls = by_id;
        if (named) return TN_OK;
    }
    void **slot = tni_strmap_find(&t->classes.map, text.p, text.len);
    if (slot == NULL) slot = tni_strmap_find(&t->displays, text.p, text.len);
    if (slot == NULL && t->label_map != NULL)
        TN_TRY(tni_note_add(t->d, here(t), "not-in-label-map", t->err,
                            "an object is called '%.*s', which is not in the "
                            "label map",
                            text.len > 80 ? 80 : (int)text.len, text.p));
    if (slot == NULL)
        TN_TRY(new_class(t, text, has_label && label > 0 && by_id == TN_NONE,
                         label, cls));
    else
        *cls = (uint32_t)((uintptr_t)*slot - 1);
    const tni_class_row *row = tni_class_at(t->d, *cls);
    if (!has_label || label == 0 ||
        (row->id_kind == TN_ID_INT && row->id == label))
        return TN_OK;
    return tni_note_add(t->d, here(t), "label-mismatch", t->err,
                        "an object is called '%.*s' and has label %lld, which "
                        "is another class: the text holds",
                        text.len > 80 ? 80 : (int)text.len, text.p,
                        (long long)label);
}

/* By text and label, either of which may be missing. */
static tn_status class_of(tni_tfod *t, const tni_bytes *text,
                          const int64_t *label, uint32_t *cls)
{
    char number[32];
    *cls = TN_NONE;
    const uint32_t by_id =
        label != NULL ? tni_idmap_find(&t->ids, TN_ID_INT, *label) : TN_NONE;
    if (text != NULL && text->size > 0) {
        const tni_span name = {(const char *)text->p, text->size};
        if (memchr(name.p, '\0', name.len) != NULL ||
            tni_utf8_valid(name.p, name.len) != name.len)
            return tni_fail_at(t->err, TN_EFORMAT, t->at,
                               "the name of a class is no text in UTF-8");
        return class_by_text(t, name, label != NULL, label != NULL ? *label : 0,
                             by_id, cls);
    }
    *cls = by_id;
    if (by_id != TN_NONE) return TN_OK;
    if (label == NULL || *label == 0)
        return tni_note_add(t->d, here(t), "no-class", t->err,
                            "an object has neither a name nor a label above "
                            "0: it has no class");
    (void)snprintf(number, sizeof number, "%lld", (long long)*label);
    TN_TRY(tni_note_add(t->d, here(t), "orphan-class", t->err,
                        "an object has label %s without a name, which is in "
                        "no label map",
                        number));
    return new_class(t, tni_span_of(number), true, *label, cls);
}

/* --- masks and keypoints --------------------------------------------------- */

static tn_status put_runs(tni_tfod *t, uint32_t ann, const tn_image_view *v)
{
    tni_rle rle;
    const char *text = NULL;
    size_t len = 0;
    tni_shape s;
    tni_span kept = {NULL, 0};
    memset(&s, 0, sizeof s);
    TN_TRY(tni_rle_from_mask(&rle, &t->temp, (uint32_t)v->height,
                             (uint32_t)v->width, v->pixels, 1, v->stride,
                             t->err));
    if (tni_rle_area(&rle) == 0) return TN_OK; /* stands for no mask */
    TN_TRY(tni_rle_encode(&text, &len, &t->temp, &rle, t->err));
    tni_out *o = tni_draft_begin(t->draft);
    tni_out_str(o, "{\"counts\": ");
    tni_out_json(o, text, len);
    tni_out_str(o, ", \"size\": [");
    tni_out_i64(o, v->height);
    tni_out_str(o, ", ");
    tni_out_i64(o, v->width);
    tni_out_str(o, "]}");
    TN_TRY(tni_draft_keep(t->draft, t->d, &kept));
    if (kept.len > UINT32_MAX)
        return tni_fail(t->err, TN_ELIMIT, "a mask of over 4 GiB");
    s.text = kept.p;
    s.len = (uint32_t)kept.len;
    s.kind = TN_SHAPE_RLE;
    s.layout = TNI_LAYOUT_RLE;
    return tni_set_shape(t->d, ann, &s, t->err);
}

/* A mask has the size of the image: anything else is no mask of it, and could
 * be made as large as one likes. */
static tn_status read_mask(tni_tfod *t, uint32_t ann, tni_bytes png)
{
    tn_image_opts opts = TN_IMAGE_OPTS_INIT;
    tn_image_info info = TN_IMAGE_INFO_INIT;
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    tn_image *image = NULL;
    double w = 0.0, h = 0.0;
    if (png.size == 0) return TN_OK;
    tn_status status = tn_image_probe(&info, NULL, png.p, png.size, 0,
                                      TN_IMAGE_HEAD_ONLY, t->err);
    if (status == TN_OK && tni_image_extent(t->d, t->image, &w, &h) &&
        ((double)info.width != w || (double)info.height != h))
        status = tni_fail(t->err, TN_EFORMAT,
                          "a mask of %lld x %lld pixels for an image of %.0f x "
                          "%.0f",
                          (long long)info.width, (long long)info.height, w, h);
    opts.limits = &t->d->limits;
    opts.form = TN_IMAGE_GRAY8;
    if (status == TN_OK)
        status = tn_image_decode(&image, png.p, png.size, &opts, t->err);
    if (status == TN_OK) {
        tn_image_get_view(image, &view);
        status = put_runs(t, ann, &view);
        tn_image_free(image);
    }
    if (status != TN_OK) {
        if (t->err != NULL) t->err->offset = t->at;
        tni_err_where(t->err, "'image/object/mask'");
    }
    return status;
}

static tn_status read_points(tni_tfod *t, uint32_t ann, const lists *l,
                             size_t i)
{
    tni_shape s;
    tni_span text = {NULL, 0};
    memset(&s, 0, sizeof s);
    tni_out *o = tni_draft_begin(t->draft);
    tni_out_str(o, "[");
    for (size_t k = i * l->n_points; k < (i + 1) * l->n_points; k++) {
        const double x = (double)l->x[k], y = (double)l->y[k];
        const bool good = isfinite(x) && isfinite(y);
        if (k > i * l->n_points) tni_out_str(o, ",");
        tni_out_f64(o, good ? x : 0.0);
        tni_out_str(o, ",");
        tni_out_f64(o, good ? y : 0.0);
        tni_out_str(o, ",");
        /* The API marks what is not labelled by not-a-number, too. */
        tni_out_i64(o, !good                ? 0
                       : l->visible == NULL ? 2
                       : l->visible[k] == 1 ? 1
                       : l->visible[k] == 2 ? 2
                                            : 0);
    }
    tni_out_str(o, "]");
    TN_TRY(tni_draft_keep(t->draft, t->d, &text));
    if (text.len > UINT32_MAX)
        return tni_fail(t->err, TN_ELIMIT, "keypoints of over 4 GiB");
    s.text = text.p;
    s.len = (uint32_t)text.len;
    s.kind = TN_SHAPE_POINTS;
    s.scale = TN_SCALE_UNIT;
    s.dims = 3;
    return tni_set_keypoints(t->d, ann, &s, t->err);
}

/* The names of its keypoints, for a class whose label map has none. */
static tn_status name_points(tni_tfod *t, uint32_t cls, const lists *l,
                             size_t i)
{
    tni_class_row *row = cls != TN_NONE ? tni_class_at(t->d, cls) : NULL;
    if (row == NULL || row->keypoints != NULL || l->point_text == NULL ||
        l->n_points > 1024)
        return TN_OK;
    size_t any = 0;
    for (size_t k = 0; k < l->n_points; k++)
        any |= l->point_text[i * l->n_points + k].size;
    if (any == 0) return TN_OK;
    const char **names = TNI_NEW_ARRAY(&t->d->arena, const char *, l->n_points);
    if (names == NULL) return no_memory(t->err);
    for (size_t k = 0; k < l->n_points; k++) {
        const tni_bytes b = l->point_text[i * l->n_points + k];
        if (memchr(b.p, '\0', b.size) != NULL ||
            tni_utf8_valid((const char *)b.p, b.size) != b.size)
            return tni_fail_at(t->err, TN_EFORMAT, t->at,
                               "the name of a keypoint is no text in UTF-8");
        names[k] = tni_keep(t->d, (const char *)b.p, b.size);
        if (names[k] == NULL) return no_memory(t->err);
    }
    row->keypoints = names;
    row->n_keypoints = (uint32_t)l->n_points;
    return TN_OK;
}

/* --- objects --------------------------------------------------------------- */

static tn_status read_lists(tni_tfod *t, lists *l)
{
    static const char *const sides[] = {
        "image/object/bbox/xmin", "image/object/bbox/ymin",
        "image/object/bbox/xmax", "image/object/bbox/ymax"};
    const tni_example_feature *f = NULL;
    memset(l, 0, sizeof *l);
    TN_TRY(tni_tfod_get(t, sides[0], TNI_FEATURE_FLOATS, 0, &f));
    l->n = f != NULL ? f->n : 0;
    for (int i = 0; i < 4; i++) {
        TN_TRY(tni_tfod_get(t, sides[i], TNI_FEATURE_FLOATS, 0, &f));
        if ((f != NULL ? f->n : 0) != l->n)
            return tni_fail_at(t->err, TN_EFORMAT, t->at,
                               "'%s' has %zu values, but '%s' has %zu; every "
                               "object has one in each",
                               sides[i], f != NULL ? f->n : 0, sides[0], l->n);
        TN_TRY(tni_tfod_floats(t, sides[i], 0, &l->box[i]));
    }
    t->n_objects = l->n;
    if (l->n == 0) return TN_OK;
#define LIST(kind, name, member)                                               \
    TN_TRY(tni_tfod_##kind(t, "image/object/" name, l->n, &l->member))
    LIST(texts, "class/text", text);
    LIST(ints, "class/label", label);
    LIST(ints, "difficult", difficult);
    LIST(ints, "truncated", truncated);
    LIST(ints, "occluded", occluded);
    LIST(ints, "is_crowd", crowd);
    LIST(ints, "group_of", group);
    LIST(ints, "track/label", track);
    LIST(floats, "area", area);
#undef LIST
    return TN_OK;
}

static tn_status read_point_lists(tni_tfod *t, lists *l)
{
    const tni_example_feature *f = NULL;
    TN_TRY(
        tni_tfod_get(t, "image/object/keypoint/x", TNI_FEATURE_FLOATS, 0, &f));
    if (f == NULL || l->n == 0) return TN_OK;
    const size_t all = f->n;
    if (all % l->n != 0)
        return tni_fail_at(t->err, TN_EFORMAT, t->at,
                           "'image/object/keypoint/x' has %zu values for %zu "
                           "objects; expected as many for each",
                           all, l->n);
    l->n_points = all / l->n;
    TN_TRY(tni_tfod_floats(t, "image/object/keypoint/x", all, &l->x));
    TN_TRY(tni_tfod_floats(t, "image/object/keypoint/y", all, &l->y));
    TN_TRY(
        tni_tfod_ints(t, "image/object/keypoint/visibility", all, &l->visible));
    TN_TRY(
        tni_tfod_texts(t, "image/object/keypoint/text", all, &l->point_text));
    if (l->y != NULL) return TN_OK;
    return tni_fail_at(t->err, TN_EFORMAT, t->at,
                       "there are 'image/object/keypoint/x', but no "
                       "'image/object/keypoint/y'");
}

/* Masks are PNG; numbers, a float for each pixel, are noted. */
static tn_status read_mask_list(tni_tfod *t, lists *l)
{
    const tni_example_feature *f = NULL;
    tn_err ignored;
    if (!tni_tfod_has(t, "image/object/mask") || l->n == 0) return TN_OK;
    tni_tfod quiet = *t;
    memset(&ignored, 0, sizeof ignored);
    quiet.err = &ignored;
    if (tni_tfod_get(&quiet, "image/object/mask", TNI_FEATURE_BYTES, 0, &f) !=
        TN_OK)
        return tni_note_add(t->d, here(t), "numerical-masks", t->err,
                            "masks are lists of numbers instead of PNG: they "
                            "are left out");
    return tni_tfod_texts(t, "image/object/mask", l->n, &l->mask);
}

/* In parts of the image: what float32 makes of width times height is it. */
static bool is_box_area(const tni_tfod *t, const tni_ann *a, double area)
{
    double w = 0.0, h = 0.0;
    if (!tni_image_extent(t->d, t->image, &w, &h)) return false;
    const double box =
        (a->box[2] - a->box[0]) * w * ((a->box[3] - a->box[1]) * h);
    return fabs(area - box) <= 1e-5 * fabs(box);
}

static tn_status read_object(tni_tfod *t, const lists *l, size_t i)
{
    tni_ann a;
    uint32_t ann = 0;
    memset(&a, 0, sizeof a);
    a.image = t->image;
    a.where = here(t);
    a.flags = TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY) | TNI_SCALE(TN_SCALE_UNIT);
    for (int k = 0; k < 4; k++) {
        a.box[k] = (double)l->box[k][i];
        if (!isfinite(a.box[k]))
            return tni_fail_at(t->err, TN_EFORMAT, t->at,
                               "a coordinate of object %zu is no number", i);
    }
    if (l->difficult != NULL && l->difficult[i] != 0)
        a.flags |= TN_IS_DIFFICULT;
    if (l->truncated != NULL && l->truncated[i] > 0) a.flags |= TN_IS_TRUNCATED;
    if (l->occluded != NULL && l->occluded[i] > 0) a.flags |= TN_IS_OCCLUDED;
    if (l->crowd != NULL || l->group != NULL) a.flags |= TN_SAYS_CROWD;
    if ((l->crowd != NULL && l->crowd[i] > 0) ||
        (l->group != NULL && l->group[i] > 0))
        a.flags |= TN_IS_CROWD;
    TN_TRY(class_of(t, l->text != NULL ? &l->text[i] : NULL,
                    l->label != NULL ? &l->label[i] : NULL, &a.class_index));
    TN_TRY(tni_add_annotation(t->d, &a, &ann, t->err));
    if (l->area != NULL && isfinite((double)l->area[i]) &&
        !is_box_area(t, &a, (double)l->area[i]))
        TN_TRY(tni_set_num(t->d, ann, TN_NUM_AREA, (double)l->area[i], t->err));
    if (l->track != NULL)
        TN_TRY(
            tni_set_num(t->d, ann, TN_NUM_TRACK, (double)l->track[i], t->err));
    if (l->n_points > 0) {
        TN_TRY(name_points(t, a.class_index, l, i));
        TN_TRY(read_points(t, ann, l, i));
    }
    return l->mask != NULL ? read_mask(t, ann, l->mask[i]) : TN_OK;
}

/* --- the image as a whole -------------------------------------------------- */

/* A confidence of 0 says that the class was looked for and is not there. */
static tn_status read_tags(tni_tfod *t)
{
    const tni_example_feature *texts = NULL, *labels = NULL;
    const tni_bytes *text = NULL;
    const int64_t *label = NULL;
    const float *sure = NULL;
    TN_TRY(tni_tfod_get(t, "image/class/text", TNI_FEATURE_BYTES, 0, &texts));
    TN_TRY(tni_tfod_get(t, "image/class/label", TNI_FEATURE_INTS, 0, &labels));
    const size_t n = texts != NULL ? texts->n : labels != NULL ? labels->n : 0;
    if (n == 0) return TN_OK;
    TN_TRY(tni_tfod_texts(t, "image/class/text", n, &text));
    TN_TRY(tni_tfod_ints(t, "image/class/label", n, &label));
    TN_TRY(tni_tfod_floats(t, "image/class/confidence", n, &sure));
    for (size_t i = 0; i < n; i++) {
        tni_ann a;
        uint32_t ann = 0;
        memset(&a, 0, sizeof a);
        a.image = t->image;
        a.where = here(t);
        a.flags = TN_IS_TAG;
        if (sure != NULL && sure[i] == 0.0f) a.flags |= TN_IS_NEGATIVE;
        TN_TRY(class_of(t, text != NULL ? &text[i] : NULL,
                        label != NULL ? &label[i] : NULL, &a.class_index));
        if (a.class_index == TN_NONE) continue;
        TN_TRY(tni_add_annotation(t->d, &a, &ann, t->err));
        if (sure != NULL && isfinite((double)sure[i]) && sure[i] != 0.0f &&
            sure[i] != 1.0f)
            TN_TRY(
                tni_set_num(t->d, ann, TN_NUM_SCORE, (double)sure[i], t->err));
    }
    return TN_OK;
}

static tn_status read_captions(tni_tfod *t)
{
    const tni_example_feature *f = NULL;
    const tni_bytes *text = NULL;
    TN_TRY(tni_tfod_get(t, "image/caption", TNI_FEATURE_BYTES, 0, &f));
    TN_TRY(tni_tfod_texts(t, "image/caption", 0, &text));
    for (size_t i = 0; f != NULL && i < f->n; i++) {
        tni_ann a;
        uint32_t ann = 0;
        tni_span kept = {NULL, 0};
        memset(&a, 0, sizeof a);
        a.image = t->image;
        a.class_index = TN_NONE;
        a.where = here(t);
        if (tni_utf8_valid((const char *)text[i].p, text[i].size) !=
            text[i].size)
            return tni_fail_at(t->err, TN_EFORMAT, t->at,
                               "a caption is no text in UTF-8");
        tni_out_json(tni_draft_begin(t->draft), (const char *)text[i].p,
                     text[i].size);
        TN_TRY(tni_draft_keep(t->draft, t->d, &kept));
        TN_TRY(tni_add_annotation(t->d, &a, &ann, t->err));
        TN_TRY(tni_set_text(t->d, ann, TN_TEXT_CAPTION, kept, t->err));
    }
    return TN_OK;
}

tn_status tni_tfod_read_objects(tni_tfod *t)
{
    lists l;
    TN_TRY(read_lists(t, &l));
    TN_TRY(read_point_lists(t, &l));
    TN_TRY(read_mask_list(t, &l));
    if (l.mask != NULL && t->r->variant == NULL) t->d->variant = "masks";
    for (size_t i = 0; i < l.n; i++) TN_TRY(read_object(t, &l, i));
    TN_TRY(read_tags(t));
    return read_captions(t);
}
