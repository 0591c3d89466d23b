/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tfod_write.c - the dataset as TFRecord object detection
 *
 * A file per split, or shards of it, and one label_map.pbtxt. A split that a
 * file's name would not tell gets a folder. The records hold what the API's
 * own scripts write; lists that would say nothing are left out. A record is
 * made in memory: it takes about three times its image.
 */
#include "data/formats/tfod.h"

#include "base/checked.h"
#include "base/num.h"
#include "data/mask_draw.h"
#include "data/sha256.h"
#include "tenon/image.h"

#include <math.h>
#include <stdio.h>

typedef struct tfod {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    int64_t *ids; /* of classes */
    bool masks;
    tn_shape shape;
    tni_target t;
    tni_arena temp; /* until the record is written */
    tni_example_out o;
    /* of the image */
    uint32_t image;
    const uint32_t *objects;
    size_t n;
    double width, height; /* 0: not known */
} tfod;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

#define KEEPS(t, id) (((t)->w->keeps & TNI_KEEPS(id)) != 0)

/* --- single values --------------------------------------------------------- */

static void put_text(tfod *t, const char *key, const char *text)
{
    const tni_bytes b = {(const uint8_t *)text, strlen(text)};
    tni_example_out_bytes(&t->o, key, &b, 1);
}

static void put_int(tfod *t, const char *key, int64_t v)
{
    tni_example_out_ints(&t->o, key, &v, 1);
}

static bool has_member(const tfod *t, const char *key)
{
    return KEEPS(t, IMAGE_EXTRA) &&
           tni_has_member(&t->d->image_text[TN_TEXT_EXTRA], t->image, key);
}

static void put_id(tfod *t)
{
    const tni_image_row *row = tni_image_at(t->d, t->image);
    char number[32];
    const char *id = t->w->names[t->image];
    (void)snprintf(number, sizeof number, "%lld", (long long)row->id);
    if (row->id_kind == TN_ID_INT) id = number;
    if (row->id_kind == TN_ID_TEXT) id = (const char *)(intptr_t)row->id;
    put_text(t, "image/source_id", id);
}

static tn_status put_image(tfod *t)
{
    tni_image_data data;
    tn_image_info info = TN_IMAGE_INFO_INIT;
    char hex[65] = "";
    if (t->width > 0.0) {
        put_int(t, "image/height", (int64_t)t->height);
        put_int(t, "image/width", (int64_t)t->width);
    }
    put_text(t, "image/filename", t->w->names[t->image]);
    put_id(t);
    TN_TRY(tni_image_data_open(&data, t->w, t->image, t->err));
    if (data.size == 0 || tn_image_probe(&info, NULL, data.bytes, data.size, 0,
                                         TN_IMAGE_HEAD_ONLY, NULL) != TN_OK)
        info.format = "";
    if (data.size > 0) tni_sha256_hex(hex, data.bytes, data.size);
    const tni_bytes encoded = {data.bytes, data.size};
    if (!has_member(t, "image/key/sha256"))
        put_text(t, "image/key/sha256", hex);
    tni_example_out_bytes(&t->o, "image/encoded", &encoded, 1);
    if (!has_member(t, "image/format"))
        put_text(t, "image/format", info.format);
    tni_image_data_close(&data);
    return TN_OK;
}

/* --- members that came from features --------------------------------------- */

static tn_status put_values(tfod *t, const char *key, tni_feature_kind kind,
                            const tni_span *values, size_t n)
{
    if (kind == TNI_FEATURE_BYTES) {
        tni_bytes *b = TNI_NEW_ARRAY(&t->temp, tni_bytes, n);
        if (b == NULL) return no_memory(t->err);
        for (size_t i = 0; i < n; i++) {
            const tni_span inner = {values[i].p + 1, values[i].len - 2};
            b[i].p =
                (const uint8_t *)tni_json_unescape(&t->temp, inner, &b[i].size);
            if (b[i].p == NULL) return no_memory(t->err);
        }
        tni_example_out_bytes(&t->o, key, b, n);
    } else if (kind == TNI_FEATURE_INTS) {
        int64_t *v = TNI_NEW_ARRAY(&t->temp, int64_t, n);
        if (v == NULL) return no_memory(t->err);
        for (size_t i = 0; i < n; i++) (void)tni_field_i64(values[i], &v[i]);
        tni_example_out_ints(&t->o, key, v, n);
    } else {
        float *v = TNI_NEW_ARRAY(&t->temp, float, n);
        if (v == NULL) return no_memory(t->err);
        for (size_t i = 0; i < n; i++) {
            double x = 0.0;
            (void)tni_field_f64(values[i], &x);
            v[i] = (float)x;
        }
        tni_example_out_floats(&t->o, key, v, n);
    }
    return TN_OK;
}

static tn_status put_image_members(tfod *t)
{
    for (uint32_t k = 0; KEEPS(t, IMAGE_EXTRA); k++) {
        const tni_span *text =
            tni_sparse_find(&t->d->image_text[TN_TEXT_EXTRA], t->image, k);
        tni_tfod_member m;
        tni_json j;
        if (text == NULL) return TN_OK;
        if (!tni_tfod_member_read(&m, *text)) continue;
        const char *key = tni_arena_strndup(&t->temp, m.key.p, m.key.len);
        /* One byte of a list holds at most one value. */
        tni_span *values = TNI_NEW_ARRAY(&t->temp, tni_span, m.value.len);
        size_t n = 0;
        if (key == NULL || values == NULL) return no_memory(t->err);
        if (m.list) {
            tni_json_init(&j, m.value.p, m.value.len, 0, NULL);
            if (tni_json_enter(&j, '['))
                while (tni_json_item(&j) && tni_json_skip(&j, &values[n])) n++;
        } else {
            values[n++] = m.value;
        }
        TN_TRY(put_values(t, key, m.kind, values, n));
    }
    return TN_OK;
}

static tn_status put_object_members(tfod *t)
{
    const tni_sparse *s = &t->d->text[TN_TEXT_EXTRA];
    for (uint32_t k = 0; KEEPS(t, EXTRA) && t->n > 0; k++) {
        tni_span *values = TNI_NEW_ARRAY(&t->temp, tni_span, t->n);
        tni_tfod_member first;
        char key[300];
        const tni_span *text = tni_sparse_find(s, t->objects[0], k);
        if (text == NULL) return TN_OK;
        if (values == NULL) return no_memory(t->err);
        if (!tni_tfod_member_read(&first, *text)) continue;
        for (size_t i = 0; i < t->n; i++) {
            tni_tfod_member m;
            text = tni_sparse_find(s, t->objects[i], k);
            /* All have the same ones where they are kept. */
            if (text == NULL || !tni_tfod_member_read(&m, *text))
                return tni_fail(t->err, TN_EINTERNAL,
                                "fields of objects differ; please report this");
            values[i] = m.value;
        }
        (void)snprintf(key, sizeof key, "image/object/%.*s", (int)first.key.len,
                       first.key.p);
        TN_TRY(put_values(t, key, first.kind, values, t->n));
    }
    return TN_OK;
}

/* --- boxes ----------------------------------------------------------------- */

/* Edges in parts of the image, as they are where they are kept so. */
static bool unit_box(tfod *t, uint32_t ann, const tni_ann *a, double u[4])
{
    const uint8_t scale = tni_ann_scale(a->flags);
    if ((a->flags & (TN_HAS_BOX | TN_HAS_ANGLE)) != TN_HAS_BOX ||
        scale == TN_SCALE_PIXEL) {
        if (!tni_box_for(t->d, ann, a, &t->shape, u)) return false;
        for (int k = 0; k < 4; k++) u[k] /= k % 2 == 0 ? t->width : t->height;
        return true;
    }
    memcpy(u, a->box, 4 * sizeof *u);
    for (int k = 0; scale == TN_SCALE_PERCENT && k < 4; k++) u[k] /= 100.0;
    for (int k = 0; k < 2; k++) {
        if (tni_ann_form(a->flags) == TN_BOX_XYWH) u[k + 2] += u[k];
        if (tni_ann_form(a->flags) != TN_BOX_CXCYWH) continue;
        const double centre = u[k], half = u[k + 2] / 2;
        u[k] = centre - half;
        u[k + 2] = centre + half;
    }
    return true;
}

static tn_status round_unit(tfod *t, double u, float *out)
{
    if (u > -1e6 && u < 1e6) {
        *out = (float)u;
        if (fabs((double)*out - u) <= tni_format_tfrecord.off_units)
            return TN_OK;
    }
    return tni_fail(t->err, TN_EUNSUPPORTED,
                    "image '%.100s' has a coordinate of %g times its size, "
                    "which the 32 bits of a record hold too coarsely; clip or "
                    "remove it",
                    tni_image_at(t->d, t->image)->name, u);
}

static tn_status put_boxes(tfod *t)
{
    static const char *const keys[] = {
        "image/object/bbox/xmin", "image/object/bbox/ymin",
        "image/object/bbox/xmax", "image/object/bbox/ymax"};
    float *v = TNI_NEW_ARRAY(&t->temp, float, 4 * t->n + 1);
    if (v == NULL) return no_memory(t->err);
    for (size_t i = 0; i < t->n; i++) {
        tni_ann a;
        double u[4];
        tni_ann_get(t->d, t->objects[i], &a);
        if (!unit_box(t, t->objects[i], &a, u))
            return tni_fail(t->err, TN_EINTERNAL,
                            "an object without a box; please report this");
        for (size_t k = 0; k < 4; k++)
            TN_TRY(round_unit(t, u[k], &v[k * t->n + i]));
    }
    for (size_t k = 0; k < 4; k++)
        tni_example_out_floats(&t->o, keys[k], v + k * t->n, t->n);
    return TN_OK;
}

/* --- lists of objects ------------------------------------------------------ */

static tn_status put_classes(tfod *t, const char *prefix, const uint32_t *anns,
                             size_t n)
{
    tni_bytes *text = TNI_NEW_ARRAY(&t->temp, tni_bytes, n + 1);
    int64_t *label = TNI_NEW_ARRAY(&t->temp, int64_t, n + 1);
    char key[60];
    if (text == NULL || label == NULL) return no_memory(t->err);
    for (size_t i = 0; i < n; i++) {
        const uint32_t cls = tni_ann_at(t->d, anns[i])->class_index;
        const char *name = cls != TN_NONE ? tni_class_at(t->d, cls)->name : "";
        text[i].p = (const uint8_t *)name;
        text[i].size = strlen(name);
        label[i] = cls != TN_NONE ? t->ids[cls] : 0;
    }
    (void)snprintf(key, sizeof key, "%s/text", prefix);
    tni_example_out_bytes(&t->o, key, text, n);
    (void)snprintf(key, sizeof key, "%s/label", prefix);
    tni_example_out_ints(&t->o, key, label, n);
    return TN_OK;
}

/* Ones and zeros, when any object has one of `when`. */
static tn_status put_marks(tfod *t, const char *key, uint32_t when,
                           uint32_t flag)
{
    int64_t *v = TNI_NEW_ARRAY(&t->temp, int64_t, t->n + 1);
    bool any = false;
    if (v == NULL) return no_memory(t->err);
    for (size_t i = 0; i < t->n; i++) {
        const uint32_t flags = *tni_flags_at(t->d, t->objects[i]);
        any = any || (flags & when) != 0;
        v[i] = (flags & flag) != 0;
    }
    if (any) tni_example_out_ints(&t->o, key, v, t->n);
    return TN_OK;
}

static tn_status put_numbers(tfod *t)
{
    float *area = TNI_NEW_ARRAY(&t->temp, float, t->n + 1);
    int64_t *track = TNI_NEW_ARRAY(&t->temp, int64_t, t->n + 1);
    bool areas = false, tracks = t->n > 0 && KEEPS(t, TRACK);
    if (area == NULL || track == NULL) return no_memory(t->err);
    for (size_t i = 0; i < t->n; i++) {
        double v = 0.0, u[4] = {0, 0, 0, 0};
        tni_ann a;
        tni_ann_get(t->d, t->objects[i], &a);
        if (tn_dataset_num(t->d, t->objects[i], TN_NUM_AREA, &v) != 0 &&
            fabs(v) < 3e38) {
            areas = true;
        } else if (unit_box(t, t->objects[i], &a, u)) {
            v = (u[2] - u[0]) * t->width * ((u[3] - u[1]) * t->height);
        }
        area[i] = fabs(v) < 3e38 ? (float)v : 0.0f;
        v = 0.0;
        tracks = tn_dataset_num(t->d, t->objects[i], TN_NUM_TRACK, &v) != 0 &&
                 tracks;
        track[i] = tracks ? (int64_t)v : 0;
    }
    if (areas) tni_example_out_floats(&t->o, "image/object/area", area, t->n);
    if (tracks)
        tni_example_out_ints(&t->o, "image/object/track/label", track, t->n);
    return TN_OK;
}

/* --- keypoints ------------------------------------------------------------- */

typedef struct points {
    float *x, *y;
    int64_t *visible, *num;
    tni_bytes *text;
    size_t each;
    bool named;
} points;

static tn_status count_points(tfod *t, points *p)
{
    bool pixels = false;
    for (size_t i = 0; i < t->n && p->each == 0; i++)
        if ((*tni_flags_at(t->d, t->objects[i]) & TN_HAS_KEYPOINTS) != 0) {
            TN_TRY(tni_tfod_points(t->d, t->objects[i], &t->shape, &pixels,
                                   t->err));
            p->each = t->shape.n_points;
        }
    size_t n = 0;
    if (!tni_mul_size(p->each, t->n, &n)) return no_memory(t->err);
    p->x = TNI_NEW_ARRAY(&t->temp, float, n + 1);
    p->y = TNI_NEW_ARRAY(&t->temp, float, n + 1);
    p->visible = TNI_NEW_ARRAY(&t->temp, int64_t, n + 1);
    p->num = TNI_NEW_ARRAY(&t->temp, int64_t, t->n + 1);
    p->text = TNI_NEW_ARRAY(&t->temp, tni_bytes, n + 1);
    return p->x != NULL && p->y != NULL && p->visible != NULL &&
                   p->num != NULL && p->text != NULL
               ? TN_OK
               : no_memory(t->err);
}

static tn_status fill_points(tfod *t, points *p, size_t i)
{
    bool pixels = false;
    const uint32_t ann = t->objects[i];
    const uint32_t cls = tni_ann_at(t->d, ann)->class_index;
    if ((*tni_flags_at(t->d, ann) & TN_HAS_KEYPOINTS) == 0) return TN_OK;
    TN_TRY(tni_tfod_points(t->d, ann, &t->shape, &pixels, t->err));
    for (size_t k = 0; k < p->each && k < t->shape.n_points; k++) {
        const size_t to = i * p->each + k;
        const double *xy = t->shape.xy + 2 * k;
        const char *name =
            cls != TN_NONE ? tn_dataset_keypoint_name(t->d, cls, k) : NULL;
        TN_TRY(round_unit(t, pixels ? xy[0] / t->width : xy[0], &p->x[to]));
        TN_TRY(round_unit(t, pixels ? xy[1] / t->height : xy[1], &p->y[to]));
        p->visible[to] = t->shape.visible != NULL ? t->shape.visible[k] : 2;
        if (p->visible[to] > 0) p->num[i]++;
        if (name == NULL) continue;
        p->named = true;
        p->text[to].p = (const uint8_t *)name;
        p->text[to].size = strlen(name);
    }
    return TN_OK;
}

static tn_status put_points(tfod *t)
{
    points p;
    memset(&p, 0, sizeof p);
    if (!KEEPS(t, KEYPOINTS)) return TN_OK;
    TN_TRY(count_points(t, &p));
    if (p.each == 0) return TN_OK;
    for (size_t i = 0; i < t->n; i++) TN_TRY(fill_points(t, &p, i));
    const size_t n = p.each * t->n;
    tni_example_out_floats(&t->o, "image/object/keypoint/x", p.x, n);
    tni_example_out_floats(&t->o, "image/object/keypoint/y", p.y, n);
    tni_example_out_ints(&t->o, "image/object/keypoint/visibility", p.visible,
                         n);
    tni_example_out_ints(&t->o, "image/object/keypoint/num", p.num, t->n);
    if (p.named)
        tni_example_out_bytes(&t->o, "image/object/keypoint/text", p.text, n);
    return TN_OK;
}

/* --- masks ----------------------------------------------------------------- */

static tn_status into_draft(void *ctx, const void *bytes, size_t size,
                            tn_err *err)
{
    (void)err;
    tni_out_bytes(ctx, bytes, size);
    return ((tni_out *)ctx)->status;
}

static tn_status encode(tfod *t, const tni_canvas *c, tni_draft *draft,
                        tni_bytes *png)
{
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    tni_span text = {NULL, 0};
    const tn_image_sink sink = {tni_draft_begin(draft), into_draft};
    view.width = c->w;
    view.height = c->h;
    view.channels = 1;
    view.bits = 8;
    view.stride = c->w;
    view.pixels = c->pixels;
    TN_TRY(tn_image_encode(&sink, "png", &view, t->err));
    TN_TRY(tni_draft_end(draft, &text));
    png->size = text.len;
    png->p = (const uint8_t *)tni_arena_strndup(&t->temp, text.p, text.len);
    return png->p != NULL ? TN_OK : no_memory(t->err);
}

/* One for each object, or none; objects without one get an empty one. */
static tn_status put_masks(tfod *t)
{
    tni_canvas c;
    tni_bytes empty = {NULL, 0};
    bool any = false;
    for (size_t i = 0; i < t->n; i++) {
        any = any || tni_has_pixels(t->d, t->objects[i]);
    }
    if (!any || !t->masks) return TN_OK;
    TN_TRY(tni_canvas_new(&c, t->d, t->image, &t->temp, t->err));
    tni_bytes *png = TNI_NEW_ARRAY(&t->temp, tni_bytes, t->n);
    tni_draft *draft = tni_draft_new(&t->temp, t->err);
    if (png == NULL || draft == NULL) return no_memory(t->err);
    for (size_t i = 0; i < t->n; i++) {
        any = tni_has_pixels(t->d, t->objects[i]);
        if (any)
            TN_TRY(tni_canvas_draw(&c, t->d, t->objects[i], &t->shape, &t->temp,
                                   t->err));
        if (!any && empty.p == NULL) {
            memset(c.pixels, 0, (size_t)c.w * c.h);
            TN_TRY(encode(t, &c, draft, &empty));
        }
        if (any)
            TN_TRY(encode(t, &c, draft, &png[i]));
        else
            png[i] = empty;
    }
    tni_example_out_bytes(&t->o, "image/object/mask", png, t->n);
    return TN_OK;
}

/* --- the record ------------------------------------------------------------ */

static tn_status put_objects(tfod *t)
{
    const tni_image_row *row = tni_image_at(t->d, t->image);
    if (t->n == 0 && row->state == TN_STATE_UNKNOWN) return TN_OK;
    TN_TRY(put_boxes(t));
    TN_TRY(put_classes(t, "image/object/class", t->objects, t->n));
    TN_TRY(put_marks(t, "image/object/difficult", TN_IS_DIFFICULT,
                     TN_IS_DIFFICULT));
    TN_TRY(put_marks(t, "image/object/truncated", TN_IS_TRUNCATED,
                     TN_IS_TRUNCATED));
    TN_TRY(
        put_marks(t, "image/object/occluded", TN_IS_OCCLUDED, TN_IS_OCCLUDED));
    /* The API knows both, and evaluates by either. */
    TN_TRY(put_marks(t, "image/object/is_crowd", TN_IS_CROWD | TN_SAYS_CROWD,
                     TN_IS_CROWD));
    TN_TRY(put_marks(t, "image/object/group_of", TN_IS_CROWD, TN_IS_CROWD));
    TN_TRY(put_numbers(t));
    TN_TRY(put_points(t));
    TN_TRY(put_masks(t));
    return put_object_members(t);
}

static tn_status put_tags(tfod *t, const uint32_t *tags, size_t n)
{
    float *sure = TNI_NEW_ARRAY(&t->temp, float, n + 1);
    bool any = false;
    if (sure == NULL) return no_memory(t->err);
    if (n == 0) return TN_OK;
    TN_TRY(put_classes(t, "image/class", tags, n));
    for (size_t i = 0; i < n; i++) {
        const bool no = (*tni_flags_at(t->d, tags[i]) & TN_IS_NEGATIVE) != 0;
        sure[i] = no ? 0.0f : 1.0f;
        any = any || no;
    }
    if (any) tni_example_out_floats(&t->o, "image/class/confidence", sure, n);
    return TN_OK;
}

static tn_status put_captions(tfod *t, const uint32_t *list, size_t n)
{
    tni_bytes *text = TNI_NEW_ARRAY(&t->temp, tni_bytes, n + 1);
    if (text == NULL) return no_memory(t->err);
    for (size_t i = 0; i < n; i++) {
        const tni_span *s =
            tni_sparse_find(&t->d->text[TN_TEXT_CAPTION], list[i], 0);
        const tni_span inner = {s->p + 1, s->len - 2};
        text[i].p =
            (const uint8_t *)tni_json_unescape(&t->temp, inner, &text[i].size);
        if (text[i].p == NULL) return no_memory(t->err);
    }
    if (n > 0) tni_example_out_bytes(&t->o, "image/caption", text, n);
    return TN_OK;
}

/* The annotations of each kind, those that are written marked so. */
static tn_status sort_annotations(tfod *t, uint32_t *lists[3], size_t n[3])
{
    size_t all = 0;
    const uint32_t *list = tn_dataset_of_image(t->d, t->image, &all);
    for (int k = 0; k < 3; k++) {
        lists[k] = TNI_NEW_ARRAY(&t->temp, uint32_t, all + 1);
        if (lists[k] == NULL) return no_memory(t->err);
        n[k] = 0;
    }
    for (size_t i = 0; i < all; i++) {
        tni_ann a;
        tni_ann_get(t->d, list[i], &a);
        const tni_tfod_kind kind =
            tni_tfod_kind_of(t->d, list[i], &a, &t->shape);
        const bool negative = (a.flags & TN_IS_NEGATIVE) != 0;
        if (kind == TNI_TFOD_NOTHING ||
            (kind == TNI_TFOD_TAG &&
             !(KEEPS(t, TAG) && (!negative || KEEPS(t, NEGATIVE)))) ||
            (kind == TNI_TFOD_CAPTION && !KEEPS(t, CAPTION)))
            continue;
        lists[kind][n[kind]++] = list[i];
        t->w->written[list[i]] = 1;
        t->w->rank[list[i]] = kind; /* and among these as they are */
    }
    return TN_OK;
}

static tn_status record_sink(void *ctx, const void *bytes, size_t size,
                             tn_err *err)
{
    tni_target *t = ctx;
    (void)err;
    tni_out_bytes(&t->out, bytes, size);
    return t->out.status;
}

static tn_status write_record(tfod *t, uint32_t image)
{
    uint32_t *lists[3];
    size_t n[3];
    tni_bytes message;
    const tni_byte_sink sink = {&t->t, record_sink};
    tni_arena_reset(&t->temp);
    t->image = image;
    if (!tni_image_extent(t->d, image, &t->width, &t->height))
        t->width = t->height = 0.0;
    TN_TRY(sort_annotations(t, lists, n));
    t->objects = lists[TNI_TFOD_OBJECT];
    t->n = n[TNI_TFOD_OBJECT];
    tni_example_out_init(&t->o, &t->temp);
    TN_TRY(put_image(t));
    TN_TRY(put_objects(t));
    TN_TRY(put_tags(t, lists[TNI_TFOD_TAG], n[TNI_TFOD_TAG]));
    TN_TRY(put_captions(t, lists[TNI_TFOD_CAPTION], n[TNI_TFOD_CAPTION]));
    TN_TRY(put_image_members(t));
    TN_TRY(tni_example_out_end(&t->o, &message, t->err));
    return tni_tfrecord_put(&sink, message.p, message.size, t->err);
}

/* --- files ----------------------------------------------------------------- */

/* "train", or "odd/data" for a split that a file's name would not tell; "data"
 * for images without one. */
static tn_status stem_of(tfod *t, uint32_t split, char *out, size_t size)
{
    const char *name = split != TN_NONE ? t->d->splits[split] : "data";
    const char *word = NULL;
    const size_t n = strlen(name);
    tni_shard_name shard;
    const bool told = !tni_shard_name_read(&shard, name) &&
                      tni_stem_split(name, n, &word) == n;
    const int used = snprintf(out, size, "%s%s", name,
                              split != TN_NONE && !told ? "/data" : "");
    if (used > 0 && (size_t)used < size) return TN_OK;
    return tni_fail(t->err, TN_EINVAL, "the name of a split is too long");
}

static tn_status open_shard(tfod *t, const char *stem, uint32_t nth,
                            uint32_t all)
{
    char name[700];
    if (all > 1)
        (void)snprintf(name, sizeof name, "%.600s-%05u-of-%05u.tfrecord", stem,
                       (unsigned)nth, (unsigned)all);
    else
        (void)snprintf(name, sizeof name, "%.600s.tfrecord", stem);
    return tni_target_open(&t->t, t->w, name, t->err);
}

static tn_status close_shard(tfod *t, tn_status status)
{
    if (status != TN_OK && t->t.out.status == TN_OK) t->t.out.status = status;
    return tni_target_close(&t->t, t->err);
}

static tn_status write_split(tfod *t, uint32_t split)
{
    char stem[620];
    tni_shards s;
    uint32_t all = 0, nth = 0;
    TN_TRY(stem_of(t, split, stem, sizeof stem));
    tni_shards_init(&s, t->w, 0, 0);
    for (uint32_t i = 0; i < t->d->images.n; i++)
        if (tni_in_split(t->d, i, split))
            all = tni_shards_next(&s, tni_image_size(t->w, i)) + 1;
    /* Images of no split, when there are none, need no file. */
    if (all == 0 && split == TN_NONE && t->d->n_splits > 0) return TN_OK;
    TN_TRY(open_shard(t, stem, 0, all));
    tni_shards_init(&s, t->w, 0, 0);
    tn_status status = TN_OK;
    for (uint32_t i = 0; status == TN_OK && i < t->d->images.n; i++) {
        if (!tni_in_split(t->d, i, split)) continue;
        if (tni_shards_next(&s, tni_image_size(t->w, i)) != nth) {
            TN_TRY(close_shard(t, TN_OK));
            nth++;
            TN_TRY(open_shard(t, stem, nth, all));
        }
        status = write_record(t, i);
        if (status == TN_OK)
            status =
                tni_writer_progress(t->w, "write", i, t->d->images.n, t->err);
    }
    return close_shard(t, status);
}

static tn_status write_all(tfod *t)
{
    TN_TRY(tni_check_splits(t->d, t->err));
    t->w->rank =
        TNI_NEW_ARRAY(&t->w->arena, uint32_t, t->d->anns.n + (size_t)1);
    if (t->w->rank == NULL) return no_memory(t->err);
    t->ids = TNI_NEW_ARRAY(&t->w->arena, int64_t, t->d->classes.n + 1u);
    if (t->ids == NULL) return no_memory(t->err);
    (void)tni_tfod_ids(t->d, t->ids);
    for (uint32_t s = 0; s < t->d->n_splits; s++) TN_TRY(write_split(t, s));
    TN_TRY(write_split(t, TN_NONE));
    return tni_tfod_labels_write(t->w, "label_map.pbtxt", t->ids, t->err);
}

tn_status tni_tfod_write(tni_writer *w, tn_err *err)
{
    tfod *t = TNI_NEW(&w->arena, tfod);
    if (t == NULL) return no_memory(err);
    t->w = w;
    t->d = w->d;
    t->err = err;
    t->masks = strcmp(w->variant, "masks") == 0;
    t->shape.struct_size = sizeof t->shape;
    tni_arena_init(&t->temp, w->arena.mem, 1 << 14);
    const tn_status status = write_all(t);
    tni_arena_fini(&t->temp);
    tn_shape_fini(&t->shape);
    return status;
}
