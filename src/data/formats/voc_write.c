/* SPDX-License-Identifier: Apache-2.0 */
/* voc_write.c - the dataset as the devkit's tree, labelmap.txt beside it */
#include "data/formats/voc.h"

#include "tenon/image.h"

#include <math.h>
#include <stdio.h>

#define DEGREES 57.29577951308232

typedef struct voc {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_xml_out x;
    tn_shape shape;
    tni_once texts, attrs; /* of the members at hand */
    bool one_based;
    uint8_t *segmented; /* per image: it has pictures */
} voc;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

/* The key and the value of a member that is kept. */
static void split_member(const tni_span *m, tni_span *key, tni_span *value)
{
    tni_json j;
    tn_err ignored;
    key->p = value->p = "";
    key->len = value->len = 0;
    tni_json_init(&j, m->p, m->len, 0, &ignored);
    if (!tni_json_string(&j, key, NULL)) return;
    value->p = key->p + key->len + 1;
    value->len = (size_t)(m->p + m->len - value->p);
    while (value->len > 0 && strchr(": \t\r\n", value->p[0]) != NULL) {
        value->p++;
        value->len--;
    }
}

static bool is_among(tni_span key, const char *const *list)
{
    for (; *list != NULL; list++)
        if (tni_span_is(key, *list)) return true;
    return false;
}

/* --- attributes ---------------------------------------------------------------- */

static bool is_pose(tni_span key, tni_span value)
{
    const tni_span inner = {value.p + 1, value.len > 2 ? value.len - 2 : 0};
    return tni_span_is(key, "pose") && value.p[0] == '"' && inner.len > 0 &&
           tni_trim(inner).len == inner.len && inner.p[0] != '\\' &&
           inner.p[inner.len - 2 < inner.len ? inner.len - 2 : 0] != '\\' &&
           !tni_span_is(inner, "Unspecified");
}

static void put_attributes(voc *m, const tni_span *object, bool posed)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    bool any = false;
    if (object == NULL) return;
    tni_json_init(&j, object->p, object->len, 0, &ignored);
    if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        if (posed && is_pose(key, raw)) continue;
        const char *name = tni_json_unescape(&m->w->arena, key, NULL);
        const char *value = tni_json_scalar(raw, &m->w->arena);
        if (name == NULL || value == NULL) {
            m->x.status = no_memory(m->err);
            return;
        }
        if (!any) tni_xml_out_open(&m->x, "attributes");
        any = true;
        tni_xml_out_open(&m->x, "attribute");
        tni_xml_out_leaf(&m->x, "name", name);
        tni_xml_out_leaf(&m->x, "value", value);
        tni_xml_out_close(&m->x);
    }
    if (any) tni_xml_out_close(&m->x);
}

/* Whether attributes read back as they are. */
static bool keeps_attributes(tni_span object, bool plain)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    tni_json_init(&j, object.p, object.len, 0, &ignored);
    if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw))
        if (!tni_json_stays_typed(raw) ||
            /* CVAT's rotation becomes an angle. */
            (plain && tni_span_is(key, "rotation") && raw.p[0] != '"' &&
             !tni_span_is(raw, "0")))
            return false;
    return j.status == TN_OK;
}

/* --- members that are kept ------------------------------------------------------ */

static const char *const object_keys[] = {
    "name",     "pose",    "truncated", "difficult",  "occluded", "bndbox",
    "robndbox", "polygon", "part",      "attributes", "type",     NULL};
static const char *const image_keys[] = {"filename", "size",       "object",
                                         "depth",    "segmented",  "attributes",
                                         "void",     "image_sets", NULL};

/* A mark that is neither yes nor no, like a part of 1. */
static bool is_odd_flag(tni_span key, tni_span value)
{
    static const char *const marks[] = {"truncated", "difficult", "occluded",
                                        NULL};
    static const char *const plain[] = {
        "\"0\"",     "\"1\"",     "\"true\"", "\"false\"", "\"True\"",
        "\"False\"", "\"no\"",    "\"yes\"",  "\"\"",      "\"Unspecified\"",
        "\"TRUE\"",  "\"FALSE\"", "\"Yes\"",  "\"No\"",    NULL};
    return is_among(key, marks) && value.p[0] == '"' &&
           !is_among(value, plain) && memchr(value.p, ' ', value.len) == NULL &&
           memchr(value.p, '\\', value.len) == NULL;
}

/* Under its own name, or as "x_name" where that means something else. */
static bool own_name(const voc *m, uint32_t ann, tni_span key, tni_span value)
{
    const tn_shape_kind kind = tn_dataset_shape_kind(m->d, ann);
    if (!is_among(key, object_keys)) return true;
    if (is_odd_flag(key, value)) return true;
    if (tni_span_is(key, "polygon"))
        return kind != TN_SHAPE_POLYGON && !tni_has_text(value, "\"x1\"");
    return tni_span_is(key, "type") && kind != TN_SHAPE_QUAD &&
           !tni_has_text(value, "bndbox");
}

/* Whether a member was there before, as it is when several files of the source
 * were about an image; attributes may not be there twice at all. */
static bool told_before(voc *m, const tni_span *t, tni_span key)
{
    if (tni_once_again(&m->texts, (const char *)&t->p, sizeof t->p))
        return true;
    return key.len > 0 && key.p[0] == '@' &&
           tni_once_again(&m->attrs, key.p, key.len);
}

static void put_members(voc *m, const tni_sparse *s, uint32_t row, bool image)
{
    tni_once_clear(&m->texts);
    tni_once_clear(&m->attrs);
    for (uint32_t k = 0;; k++) {
        const tni_span *t = tni_sparse_find(s, row, k);
        tni_span key, value;
        char name[200];
        if (t == NULL) return;
        split_member(t, &key, &value);
        if (image ? is_among(key, image_keys) || key.p[0] == '@' ||
                        tni_span_is(key, "folder")
                  : tni_span_is(key, "part"))
            continue;
        if (!tni_json_is_xml(key, value) || told_before(m, t, key)) continue;
        const bool own = image || own_name(m, row, key, value);
        (void)snprintf(name, sizeof name, "%s%.*s", own ? "" : "x_",
                       (int)key.len, key.p);
        const char *kept = tni_arena_strndup(&m->w->arena, name, strlen(name));
        if (kept == NULL) {
            m->x.status = no_memory(m->err);
            return;
        }
        tni_xml_out_json(&m->x, kept, value, &m->w->arena);
    }
}

static bool keeps_members(const voc *m, uint32_t ann, bool part)
{
    for (uint32_t k = 0;; k++) {
        const tni_span *t = tni_sparse_find(&m->d->text[TN_TEXT_EXTRA], ann, k);
        tni_span key, value;
        if (t == NULL) return true;
        split_member(t, &key, &value);
        if (part && tni_span_is(key, "part")) continue;
        if (tni_span_is(key, "part") || !tni_json_stays_xml(key, value) ||
            !own_name(m, ann, key, value))
            return false;
    }
}

static bool keeps_image_members(const tn_dataset *d, uint32_t image)
{
    static const char *const ours[] = {"void", "image_sets", NULL};
    for (uint32_t k = 0;; k++) {
        const tni_span *t =
            tni_sparse_find(&d->image_text[TN_TEXT_EXTRA], image, k);
        tni_span key, value;
        if (t == NULL) return true;
        split_member(t, &key, &value);
        if (is_among(key, ours)) continue;
        const bool attr = key.len > 1 && key.p[0] == '@';
        const tni_span name = {key.p + 1, attr ? key.len - 1 : 0};
        if (attr ? value.p[0] != '"' || !tni_json_stays_xml(name, value)
                 : !tni_json_stays_xml(key, value) ||
                       (is_among(key, image_keys) &&
                        !tni_span_is(key, "depth") &&
                        !tni_span_is(key, "segmented")))
            return false;
    }
}

/* --- objects ------------------------------------------------------------------- */

static void put_box(voc *m, const double box[4])
{
    static const char *const edges[] = {"xmin", "ymin", "xmax", "ymax"};
    tni_xml_out_open(&m->x, "bndbox");
    for (int i = 0; i < 4; i++)
        tni_xml_out_f64(&m->x, edges[i],
                        box[i] + (m->one_based && i < 2 ? 1.0 : 0.0));
    tni_xml_out_close(&m->x);
}

/* Radians that give these degrees again, where there are any. */
static double radians_of(double degrees)
{
    const double best = degrees / DEGREES;
    const double near[2] = {nextafter(best, -(double)INFINITY),
                            nextafter(best, (double)INFINITY)};
    if (best * DEGREES == degrees) return best;
    for (int i = 0; i < 2; i++)
        if (near[i] * DEGREES == degrees) return near[i];
    return best;
}

/* As roLabelImg has it. */
static void put_turned(voc *m, uint32_t ann)
{
    static const char *const names[] = {"cx", "cy", "w", "h"};
    double b[4], angle = 0.0;
    tni_ann a;
    tni_ann_get(m->d, ann, &a);
    if (tn_dataset_num(m->d, ann, TN_NUM_ANGLE, &angle) == 0 ||
        tn_dataset_box(m->d, ann, b) == 0)
        return;
    const double c[4] = {(b[0] + b[2]) / 2, (b[1] + b[3]) / 2, b[2] - b[0],
                         b[3] - b[1]};
    const bool same = tni_ann_form(a.flags) == TN_BOX_CXCYWH &&
                      tni_ann_scale(a.flags) == TN_SCALE_PIXEL;
    tni_xml_out_open(&m->x, "robndbox");
    for (int i = 0; i < 4; i++)
        tni_xml_out_f64(&m->x, names[i], same ? a.box[i] : c[i]);
    tni_xml_out_f64(&m->x, "angle", radians_of(angle));
    tni_xml_out_close(&m->x);
}

/* Four corners as DIOR-R has them. */
static void put_quad(voc *m, const tn_shape *s)
{
    static const char *const names[] = {
        "x_left_top",     "y_left_top",     "x_right_top",   "y_right_top",
        "x_right_bottom", "y_right_bottom", "x_left_bottom", "y_left_bottom"};
    tni_xml_out_open(&m->x, "robndbox");
    for (int i = 0; i < 8; i++) tni_xml_out_f64(&m->x, names[i], s->xy[i]);
    tni_xml_out_close(&m->x);
}

/* The largest outline as Roboflow has it. */
static void put_polygon(voc *m, const tn_shape *s)
{
    char name[24];
    const size_t r = tni_largest_ring(s);
    const size_t from = r > 0 ? s->ring_ends[r - 1] : 0;
    if (s->n_rings == 0 || from == s->ring_ends[r]) return;
    tni_xml_out_open(&m->x, "polygon");
    for (size_t i = from; i < s->ring_ends[r]; i++)
        for (int k = 0; k < 2; k++) {
            (void)snprintf(name, sizeof name, "%c%zu", k == 0 ? 'x' : 'y',
                           i - from + 1);
            tni_xml_out_f64(&m->x, name, s->xy[2 * i + (size_t)k]);
        }
    tni_xml_out_close(&m->x);
}

static void put_flag(voc *m, uint32_t ann, const char *name, bool set)
{
    const tni_span odd = tni_voc_member(&m->d->text[TN_TEXT_EXTRA], ann, name);
    if (odd.p == NULL || !is_odd_flag(tni_span_of(name), odd))
        tni_xml_out_leaf(&m->x, name, set ? "1" : "0");
}

static void put_pose(voc *m, const tni_span *attributes)
{
    tni_span value;
    const char *pose = "Unspecified";
    if (attributes != NULL && tni_json_member(*attributes, "pose", &value) &&
        is_pose(tni_span_of("pose"), value))
        pose = tni_json_scalar(value, &m->w->arena);
    if (pose == NULL)
        m->x.status = no_memory(m->err);
    else
        tni_xml_out_leaf(&m->x, "pose", pose);
}

static const char *class_name(const voc *m, uint32_t ann)
{
    return tni_class_at(m->d, tni_ann_at(m->d, ann)->class_index)->name;
}

static void put_part(voc *m, uint32_t ann)
{
    double box[4];
    if (tn_dataset_box(m->d, ann, box) == 0) return;
    tni_xml_out_open(&m->x, "part");
    tni_xml_out_leaf(&m->x, "name", class_name(m, ann));
    put_box(m, box);
    put_members(m, &m->d->text[TN_TEXT_EXTRA], ann, false);
    tni_xml_out_close(&m->x);
    m->w->written[ann] = 1;
}

static tn_status put_object(voc *m, uint32_t ann, const double box[4],
                            const uint32_t *parts, size_t n_parts)
{
    const uint32_t flags = *tni_flags_at(m->d, ann);
    const tn_shape_kind kind = tn_dataset_shape_kind(m->d, ann);
    const tni_span *attributes =
        tni_sparse_find(&m->d->text[TN_TEXT_ATTRIBUTES], ann, 0);
    const bool turned = kind == TN_SHAPE_QUAD;
    const bool own =
        turned && (flags & TN_HAS_ANGLE) != 0 && (flags & TN_HAS_SHAPE) == 0;
    if ((turned && !own) || kind == TN_SHAPE_POLYGON)
        TN_TRY(tn_dataset_shape(m->d, ann, &m->shape, m->err));
    tni_xml_out_open(&m->x, "object");
    if (turned) tni_xml_out_leaf(&m->x, "type", "robndbox");
    tni_xml_out_leaf(&m->x, "name", class_name(m, ann));
    put_pose(m, attributes);
    put_flag(m, ann, "truncated", (flags & TN_IS_TRUNCATED) != 0);
    put_flag(m, ann, "difficult", (flags & TN_IS_DIFFICULT) != 0);
    if ((flags & TN_IS_OCCLUDED) != 0) put_flag(m, ann, "occluded", true);
    put_box(m, box);
    if (own) put_turned(m, ann);
    if (turned && !own && m->shape.n_points == 4) put_quad(m, &m->shape);
    if (kind == TN_SHAPE_POLYGON) put_polygon(m, &m->shape);
    put_attributes(m, attributes, true);
    put_members(m, &m->d->text[TN_TEXT_EXTRA], ann, false);
    for (size_t i = 0; i < n_parts; i++) put_part(m, parts[i]);
    tni_xml_out_close(&m->x);
    m->w->written[ann] = 1;
    return m->x.status;
}

/* --- pictures -------------------------------------------------------------------- */

static tn_status sink(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    tni_target *t = ctx;
    (void)err;
    tni_out_bytes(&t->out, bytes, size);
    return t->out.status;
}

static tn_status put_picture(voc *m, const char *folder, uint32_t image,
                             const tni_voc_canvas *c, bool classes)
{
    char name[4096];
    uint8_t palette[256][4];
    tni_target t;
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    const int n =
        snprintf(name, sizeof name, "%s/%.*s.png", folder,
                 (int)tni_stem_len(m->w->names[image]), m->w->names[image]);
    if (n < 0 || (size_t)n >= sizeof name)
        return tni_fail(m->err, TN_EINVAL, "the name of an image is too long");
    for (unsigned k = 0; k < 256; k++) {
        tni_voc_color(k, palette[k]);
        if (classes && k > 0 && k < TNI_VOC_VOID)
            tni_voc_class_color(m->d, k, palette[k]);
        palette[k][3] = 255;
    }
    view.width = c->w;
    view.height = c->h;
    view.channels = 1;
    view.bits = 8;
    view.stride = c->w;
    view.pixels = classes ? c->classes : c->objects;
    view.palette = palette[0];
    view.n_colors = 256;
    TN_TRY(tni_target_open(&t, m->w, name, m->err));
    const tn_image_sink to = {&t, sink};
    const tn_status status = tn_image_encode(&to, "png", &view, m->err);
    if (status != TN_OK && t.out.status == TN_OK) t.out.status = status;
    return tni_target_close(&t, m->err);
}

/* The border that was kept, where nothing else is. */
static tn_status put_void(voc *m, tni_voc_canvas *c, uint32_t image)
{
    tni_shape cell;
    double w = 0.0, h = 0.0;
    uint64_t at = 0;
    const tni_span text =
        tni_voc_member(&m->d->image_text[TN_TEXT_EXTRA], image, "void");
    if (text.p == NULL || text.p[0] != '{' || text.len > UINT32_MAX)
        return TN_OK;
    memset(&cell, 0, sizeof cell);
    cell.text = text.p;
    cell.len = (uint32_t)text.len;
    cell.kind = TN_SHAPE_RLE;
    cell.layout = TNI_LAYOUT_RLE;
    tn_shape *s = &m->shape;
    if (!tni_image_extent(m->d, image, &w, &h) ||
        tni_shape_read(s, &cell, w, h, NULL) != TN_OK ||
        (double)s->width != w || (double)s->height != h ||
        w * h > (double)(1 << 28))
        return TN_OK;
    c->w = (uint32_t)w;
    c->h = (uint32_t)h;
    if (c->objects == NULL) {
        c->objects = tni_arena_zalloc(&m->w->arena, (size_t)c->w * c->h, 1);
        c->classes = tni_arena_zalloc(&m->w->arena, (size_t)c->w * c->h, 1);
        if (c->objects == NULL || c->classes == NULL) return no_memory(m->err);
    }
    for (size_t i = 0; i < s->n_runs; at += s->runs[i], i++)
        for (uint64_t k = at; i % 2 == 1 && k < at + s->runs[i]; k++) {
            const size_t px = (size_t)(k % c->h) * c->w + (size_t)(k / c->h);
            if (c->objects[px] == 0)
                c->objects[px] = c->classes[px] = TNI_VOC_VOID;
        }
    return TN_OK;
}

/* --- the XML of an image ---------------------------------------------------------- */

/* What tools write for all images, unless the file or the dataset knows. */
static const char *depth_of(voc *m, uint32_t image)
{
    const tni_span said =
        tni_voc_member(&m->d->image_text[TN_TEXT_EXTRA], image, "depth");
    tn_image_info info = TN_IMAGE_INFO_INIT;
    if (said.p != NULL && said.p[0] == '"')
        return tni_json_scalar(said, &m->w->arena);
    if (tni_image_header(m->d, image, &info, NULL) == TN_OK &&
        (info.flags & TN_IMAGE_PALETTE) == 0 && info.channels < 3)
        return "1";
    return "3";
}

static void put_size(voc *m, uint32_t image)
{
    double w = 0.0, h = 0.0;
    if (!tni_image_extent(m->d, image, &w, &h)) return;
    const char *depth = depth_of(m, image);
    tni_xml_out_open(&m->x, "size");
    tni_xml_out_f64(&m->x, "width", w);
    tni_xml_out_f64(&m->x, "height", h);
    tni_xml_out_leaf(&m->x, "depth", depth != NULL ? depth : "3");
    tni_xml_out_close(&m->x);
}

static tn_status put_top(voc *m, uint32_t image)
{
    const tni_sparse *s = &m->d->image_text[TN_TEXT_EXTRA];
    tni_once_clear(&m->texts);
    tni_once_clear(&m->attrs);
    tni_xml_out_open(&m->x, "annotation");
    for (uint32_t k = 0;; k++) {
        const tni_span *t = tni_sparse_find(s, image, k);
        tni_span key, value;
        if (t == NULL) break;
        split_member(t, &key, &value);
        const tni_span name = {key.p + 1, key.len > 0 ? key.len - 1 : 0};
        if (key.len < 2 || key.p[0] != '@' || value.p[0] == '{' ||
            value.p[0] == '[' || !tni_json_is_xml(name, value))
            continue;
        const char *copy = tni_arena_strndup(&m->w->arena, name.p, name.len);
        const char *plain = tni_json_scalar(value, &m->w->arena);
        if (plain == NULL || copy == NULL) return no_memory(m->err);
        if (!told_before(m, t, key)) tni_xml_out_attr(&m->x, copy, plain);
    }
    const tni_span folder = tni_voc_member(s, image, "folder");
    if (folder.p != NULL && tni_json_is_xml(tni_span_of("folder"), folder))
        tni_xml_out_json(&m->x, "folder", folder, &m->w->arena);
    tni_xml_out_leaf(&m->x, "filename", m->w->names[image]);
    put_members(m, s, image, true);
    put_attributes(
        m, tni_sparse_find(&m->d->image_text[TN_TEXT_ATTRIBUTES], image, 0),
        false);
    put_size(m, image);
    const tni_span said = tni_voc_member(s, image, "segmented");
    tni_xml_out_leaf(
        &m->x, "segmented",
        m->segmented[image] != 0 || tni_span_is(said, "\"1\"") ? "1" : "0");
    return m->x.status;
}

static tn_status put_xml(voc *m, uint32_t image, const uint32_t *list,
                         double (*boxes)[4], size_t n)
{
    char name[4096];
    tni_target t;
    size_t all = 0, at = 0;
    const char *full = m->w->names[image];
    const uint32_t *anns = tn_dataset_of_image(m->d, image, &all);
    const int len = snprintf(name, sizeof name, "Annotations/%.*s.xml",
                             (int)tni_stem_len(full), full);
    if (len < 0 || (size_t)len >= sizeof name)
        return tni_fail(m->err, TN_EINVAL, "the name of an image is too long");
    TN_TRY(tni_target_open(&t, m->w, name, m->err));
    tni_xml_out_to(&m->x, &t, "\t", m->err);
    tn_status status = put_top(m, image);
    for (size_t i = 0; status == TN_OK && i < n; i++) {
        while (anns[at] != list[i]) at++;
        status = put_object(m, list[i], boxes[i], anns + at + 1,
                            tni_voc_parts(m->d, anns, all, at));
    }
    if (status == TN_OK) status = tni_xml_out_end(&m->x);
    if (status != TN_OK && t.out.status == TN_OK) t.out.status = status;
    return tni_target_close(&t, m->err);
}

static tn_status write_image(voc *m, uint32_t image)
{
    char path[4096];
    uint32_t *list = NULL;
    double(*boxes)[4] = NULL;
    size_t n = 0;
    tni_voc_canvas c;
    const tni_arena_mark mark = tni_arena_save(&m->w->arena);
    TN_TRY(tni_path_of(path, sizeof path, NULL, "JPEGImages",
                       m->w->names[image], m->err));
    TN_TRY(tni_write_image(m->w, image, path, m->err));
    TN_TRY(
        tni_voc_objects(m->d, image, &m->w->arena, &list, &boxes, &n, m->err));
    TN_TRY(
        tni_voc_paint(&c, m->d, image, list, boxes, n, &m->w->arena, m->err));
    TN_TRY(put_void(m, &c, image));
    m->segmented[image] = c.objects != NULL;
    if (c.objects != NULL) {
        TN_TRY(put_picture(m, "SegmentationClass", image, &c, true));
        TN_TRY(put_picture(m, "SegmentationObject", image, &c, false));
    }
    if (tni_image_at(m->d, image)->state != TN_STATE_UNKNOWN)
        TN_TRY(put_xml(m, image, list, boxes, n));
    tni_arena_rewind(&m->w->arena, mark);
    return tni_writer_progress(m->w, "write", image, m->d->images.n, m->err);
}

/* --- plan and write ---------------------------------------------------------------- */

/* Whether an attribute, a mark or a member of one annotation does not stay. */
static void look_at(voc *m, uint32_t ann, bool object, bool part,
                    uint64_t *keeps)
{
    const uint32_t flags = *tni_flags_at(m->d, ann);
    const tni_span *t =
        tni_sparse_find(&m->d->text[TN_TEXT_ATTRIBUTES], ann, 0);
    const bool plain = (flags & (TN_HAS_ANGLE | TN_HAS_SHAPE)) == 0;
    if (t != NULL && (!object || !keeps_attributes(*t, plain)))
        *keeps &= ~TNI_KEEPS(ATTRIBUTES);
    if (!(object || part) || !keeps_members(m, ann, part))
        if (tni_sparse_find(&m->d->text[TN_TEXT_EXTRA], ann, 0) != NULL)
            *keeps &= ~TNI_KEEPS(EXTRA);
    if (part && (flags & TN_IS_DIFFICULT) != 0) *keeps &= ~TNI_KEEPS(DIFFICULT);
    if (!object && (flags & TN_IS_TRUNCATED) != 0)
        *keeps &= ~TNI_KEEPS(TRUNCATED);
    if (!object && (flags & TN_IS_OCCLUDED) != 0)
        *keeps &= ~TNI_KEEPS(OCCLUDED);
}

/* Classes of an image stand behind its objects, each once, in the order of the
 * classes, and no object has one of them. */
static bool keeps_tags(const tn_dataset *d, const uint32_t *anns, size_t n)
{
    uint32_t last = 0;
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        const uint32_t flags = *tni_flags_at(d, anns[i]);
        const uint32_t cls = tni_ann_at(d, anns[i])->class_index;
        if ((flags & TN_IS_TAG) == 0 || (flags & TN_IS_NEGATIVE) != 0) {
            if (any) return false;
            continue;
        }
        if (cls == TN_NONE || (any && cls <= last) ||
            (flags & (TN_HAS_BOX | TN_HAS_SHAPE | TN_HAS_KEYPOINTS)) != 0)
            return false;
        for (size_t k = 0; k < i; k++)
            if (tni_ann_at(d, anns[k])->class_index == cls) return false;
        any = true;
        last = cls;
    }
    return true;
}

/* Masks that the pictures cannot have are counted, each once. */
typedef struct masks {
    uint64_t n_left_out, n_hidden;
} masks;

static tn_status look_at_image(voc *m, uint32_t image, uint64_t *keeps,
                               masks *missing, tni_arena *arena)
{
    const tn_dataset *d = m->d;
    uint32_t *list = NULL;
    double(*boxes)[4] = NULL;
    size_t all = 0, n = 0, next = 0;
    tni_voc_canvas c;
    const uint32_t *anns = tn_dataset_of_image(d, image, &all);
    TN_TRY(tni_voc_objects(d, image, arena, &list, &boxes, &n, NULL));
    TN_TRY(tni_voc_paint(&c, d, image, list, boxes, n, arena, NULL));
    missing->n_left_out += c.n_left_out;
    missing->n_hidden += c.n_hidden;
    if (!keeps_tags(d, anns, all)) *keeps &= ~TNI_KEEPS(TAG);
    for (size_t i = 0; i < all; i++) {
        double v = 0.0;
        const bool object = next < n && anns[i] == list[next];
        const size_t parts = object ? tni_voc_parts(d, anns, all, i) : 0;
        if (object) next++;
        if (parts == 0 && tn_dataset_num(d, anns[i], TN_NUM_GROUP, &v) != 0)
            *keeps &= ~TNI_KEEPS(GROUP);
        look_at(m, anns[i], object, false, keeps);
        for (size_t k = 1; k <= parts; k++)
            look_at(m, anns[i + k], false, true, keeps);
        i += parts;
    }
    const tni_span *t =
        tni_sparse_find(&d->image_text[TN_TEXT_ATTRIBUTES], image, 0);
    if ((t != NULL && !keeps_attributes(*t, false)) ||
        tni_sparse_find(&d->image_text[TN_TEXT_CAPTION], image, 0) != NULL ||
        !keeps_image_members(d, image))
        *keeps &= ~TNI_KEEPS(IMAGE_EXTRA);
    return TN_OK;
}

uint64_t tni_voc_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                      const char **variant)
{
    tni_mem mem;
    tni_arena arena;
    voc m;
    uint64_t keeps = tni_format_voc.keeps;
    masks missing = {0, 0};
    memset(&m, 0, sizeof m);
    m.d = d;
    if (*variant == NULL) *variant = "as-is";
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 16);
    for (uint32_t i = 0; i < d->images.n; i++) {
        /* What cannot be looked at is not promised. */
        if (look_at_image(&m, i, &keeps, &missing, &arena) != TN_OK)
            keeps &= ~TNI_KEEPS(MASK);
        tni_arena_reset(&arena);
    }
    tni_arena_fini(&arena);
    if (missing.n_left_out > 0) {
        if ((keeps & TNI_KEEPS(MASK)) != 0)
            counts[TNI_F_MASK] = missing.n_left_out;
        keeps &= ~TNI_KEEPS(MASK);
    }
    counts[TNI_F_MASK_OVERLAP] = missing.n_hidden;
    if (!tni_voc_keeps_labels(d)) keeps &= ~TNI_KEEPS(CLASS_EXTRA);
    if (!tni_voc_keeps_tags(d)) keeps &= ~TNI_KEEPS(TAG);
    return keeps;
}

static tn_status check_names(const tni_writer *w, tn_err *err)
{
    for (uint32_t i = 0; i < w->d->images.n; i++) {
        const char *name = w->names[i];
        const size_t n = tni_stem_len(name);
        const tni_span stem = {name, n};
        /* Without an XML only lists have it. */
        if (tni_image_at(w->d, i)->state == TN_STATE_UNKNOWN &&
            !tni_is_image_name(name))
            return tni_fail(err, TN_EUNSUPPORTED,
                            "the image '%.100s' has no labels, so only lists "
                            "name it, where a name must end like an image's; "
                            "rename it",
                            name);
        if (strpbrk(name, "\r\n") == NULL && tni_trim(stem).len == n &&
            name[0] != '"' && strncmp(name, "\xef\xbb\xbf", 3) != 0 &&
            tni_trim(tni_span_of(name)).len == strlen(name))
            continue;
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the image '%.100s' cannot be in a list of images "
                        "(line ends, quotes, or spaces around its name); "
                        "rename it",
                        name);
    }
    return TN_OK;
}

static tn_status check_classes(const tn_dataset *d, tn_err *err)
{
    for (uint32_t i = 0; i < d->classes.n; i++) {
        const char *name = tni_class_at(d, i)->name;
        if (strpbrk(name, "\r\n") == NULL &&
            strncmp(name, "\xef\xbb\xbf", 3) != 0)
            continue;
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the class '%.100s' has a line end or a byte order "
                        "mark in its name; rename it",
                        name);
    }
    return TN_OK;
}

static tn_status write_all(voc *m)
{
    tn_status status = TN_OK;
    for (uint32_t i = 0; status == TN_OK && i < m->d->images.n; i++)
        status = write_image(m, i);
    TN_TRY(status);
    TN_TRY(tni_voc_write_labels(m->w, m->err));
    return tni_voc_write_lists(m->w, m->segmented, m->err);
}

tn_status tni_voc_write(tni_writer *w, tn_err *err)
{
    voc m;
    memset(&m, 0, sizeof m);
    m.w = w;
    m.d = w->d;
    m.err = err;
    m.shape.struct_size = sizeof m.shape;
    m.one_based = w->variant != NULL && strcmp(w->variant, "one-based") == 0;
    if (w->d->images.n == 0)
        return tni_fail(err, TN_EUNSUPPORTED, "the dataset has no images");
    TN_TRY(check_names(w, err));
    TN_TRY(check_classes(w->d, err));
    TN_TRY(tni_check_splits(w->d, err));
    m.segmented = tni_arena_zalloc(&w->arena, w->d->images.n + (size_t)1, 1);
    if (m.segmented == NULL) return no_memory(err);
    tni_once_init(&m.texts);
    tni_once_init(&m.attrs);
    tn_status status = write_all(&m);
    if (status == TN_OK && (m.texts.failed || m.attrs.failed))
        status = no_memory(err);
    tni_once_fini(&m.texts);
    tni_once_fini(&m.attrs);
    tn_shape_fini(&m.shape);
    return status;
}
