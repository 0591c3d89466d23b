/* SPDX-License-Identifier: Apache-2.0 */
/* voc_masks.c - SegmentationClass and SegmentationObject into masks */
#include "data/formats/voc.h"

#include "tenon/image.h"

#include <math.h>
#include <stdio.h>

enum { VOID = 0xffff, N_VOC = 21 };

static const char *const voc_names[N_VOC] = {
    "background", "aeroplane",   "bicycle", "bird",  "boat",
    "bottle",     "bus",         "car",     "cat",   "chair",
    "cow",        "diningtable", "dog",     "horse", "motorbike",
    "person",     "pottedplant", "sheep",   "sofa",  "train",
    "tvmonitor"};

typedef struct picture {
    uint16_t *px; /* NULL: there is none */
    uint32_t w, h, source;
    const char *path;
} picture;

typedef struct bounds {
    uint32_t x1, y1, x2, y2; /* x2 0: no pixel */
} bounds;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

void tni_voc_color(unsigned index, uint8_t rgb[3])
{
    rgb[0] = rgb[1] = rgb[2] = 0;
    for (int shift = 7; shift >= 0; shift--, index >>= 3)
        for (int k = 0; k < 3; k++)
            rgb[k] = (uint8_t)(rgb[k] | (index >> k & 1) << shift);
}

bool tni_voc_same_box(const double box[4], const double p[4])
{
    const double x1 = fmin(box[0], box[2]), x2 = fmax(box[0], box[2]);
    const double y1 = fmin(box[1], box[3]), y2 = fmax(box[1], box[3]);
    if (fabs(x1 - p[0]) <= 2.5 && fabs(y1 - p[1]) <= 2.5 &&
        fabs(x2 - p[2]) <= 2.5 && fabs(y2 - p[3]) <= 2.5)
        return true;
    const double w = fmin(x2, p[2]) - fmax(x1, p[0]);
    const double h = fmin(y2, p[3]) - fmax(y1, p[1]);
    if (!(w > 0.0) || !(h > 0.0)) return false;
    const double all =
        (x2 - x1) * (y2 - y1) + (p[2] - p[0]) * (p[3] - p[1]) - w * h;
    return w * h >= 0.5 * all;
}

/* --- pixels ------------------------------------------------------------------ */

static bool is_border(const uint8_t *rgb)
{
    return rgb[0] == 224 && rgb[1] == 224 && rgb[2] == 192;
}

/* The line of labelmap.txt with this color; -1: none. */
static int label_of(const tni_voc *v, const uint8_t *rgb)
{
    for (uint32_t i = 0; i < v->n_labels && i < VOID; i++)
        if (memcmp(v->labels[i].rgb, rgb, 3) == 0) return (int)i;
    return -1;
}

/* What an index of a picture of classes means, by the color it is shown in. */
static uint16_t class_index(const tni_voc *v, const tn_image_view *view,
                            unsigned k)
{
    if (v->n_labels == 0 || view->palette == NULL ||
        k >= (unsigned)view->n_colors)
        return k == TNI_VOC_VOID ? VOID : (uint16_t)k;
    const uint8_t *rgb = view->palette + 4 * (size_t)k;
    if (k < v->n_labels && memcmp(v->labels[k].rgb, rgb, 3) == 0)
        return (uint16_t)k;
    const int found = label_of(v, rgb);
    if (found >= 0) return (uint16_t)found;
    return k == TNI_VOC_VOID || is_border(rgb) ? VOID : (uint16_t)k;
}

static tn_status from_indices(tni_voc *v, picture *p, const tn_image_view *view,
                              bool classes)
{
    uint16_t map[256];
    if (view->bits != 8)
        return tni_fail(v->err, TN_EFORMAT,
                        "the picture has %d bits for each pixel, expected 8",
                        (int)view->bits);
    for (unsigned k = 0; k < 256; k++)
        map[k] = classes ? class_index(v, view, k)
                         : (uint16_t)(k == TNI_VOC_VOID ? VOID : k);
    for (uint32_t y = 0; y < p->h; y++) {
        const uint8_t *row = (const uint8_t *)view->pixels + y * view->stride;
        for (uint32_t x = 0; x < p->w; x++)
            p->px[(size_t)y * p->w + x] = map[row[x]];
    }
    return TN_OK;
}

/* The number of a color: of a class, or of an object by VOC's colors. */
static int number_of(const tni_voc *v, const uint8_t *rgb, bool classes)
{
    uint8_t usual[3];
    if (classes && v->n_labels > 0) {
        const int label = label_of(v, rgb);
        if (label >= 0) return label;
    }
    if (is_border(rgb)) return VOID;
    for (unsigned k = 0; k < 255 && !(classes && v->n_labels > 0); k++) {
        tni_voc_color(k, usual);
        if (memcmp(usual, rgb, 3) == 0) return (int)k;
    }
    return -1;
}

static tn_status from_colors(tni_voc *v, picture *p, const tn_image_view *view,
                             bool classes)
{
    uint8_t last[3] = {0, 0, 0};
    int number = 0;
    for (uint32_t y = 0; y < p->h; y++) {
        const uint8_t *row = (const uint8_t *)view->pixels + y * view->stride;
        for (uint32_t x = 0; x < p->w; x++, row += 3) {
            if (memcmp(row, last, 3) != 0) {
                number = number_of(v, row, classes);
                memcpy(last, row, 3);
            }
            if (number < 0)
                return tni_fail(
                    v->err, TN_EFORMAT,
                    "the color %d, %d, %d at %u, %u is none of %s", row[0],
                    row[1], row[2], (unsigned)x, (unsigned)y,
                    classes && v->n_labels > 0 ? "labelmap.txt's" : "VOC's");
            p->px[(size_t)y * p->w + x] = (uint16_t)number;
        }
    }
    return TN_OK;
}

static tn_status read_picture(tni_voc *v, picture *p, const char *folder,
                              bool classes)
{
    char name[2200];
    tn_image *image = NULL;
    tn_image_opts o = TN_IMAGE_OPTS_INIT;
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    if (folder == NULL) return TN_OK;
    const int n = snprintf(name, sizeof name, "%.2100s.png", v->stem);
    p->path = n > 0 ? tni_join(v->r, folder, name) : NULL;
    if (p->path == NULL) return no_memory(v->err);
    if (!tni_path_look(p->path).is_file) return TN_OK;
    TN_TRY(tni_source_add(v->d, p->path, &p->source, v->err));
    o.form = TN_IMAGE_INDICES;
    o.limits = &v->d->limits;
    tn_status status = tn_image_read(&image, p->path, &o, v->err);
    const bool colors = status == TN_EUNSUPPORTED;
    o.form = TN_IMAGE_RGB8;
    if (colors) status = tn_image_read(&image, p->path, &o, v->err);
    if (status != TN_OK) return status;
    tn_image_get_view(image, &view);
    p->w = (uint32_t)view.width;
    p->h = (uint32_t)view.height;
    p->px = TNI_NEW_ARRAY(&v->pixels, uint16_t, (size_t)p->w * p->h);
    if (p->px == NULL)
        status = no_memory(v->err);
    else if (colors)
        status = from_colors(v, p, &view, classes);
    else
        status = from_indices(v, p, &view, classes);
    tn_image_free(image);
    if (status != TN_OK) tni_err_where(v->err, "%s", p->path);
    return status;
}

/* --- masks -------------------------------------------------------------------- */

static bounds *bounds_of(tni_voc *v, const picture *p, uint32_t *n)
{
    uint32_t most = 0;
    const size_t size = (size_t)p->w * p->h;
    for (size_t i = 0; i < size; i++)
        if (p->px[i] != VOID && p->px[i] > most) most = p->px[i];
    bounds *b = TNI_NEW_ARRAY(&v->pixels, bounds, most + 1u);
    if (b == NULL) return NULL;
    *n = most + 1;
    for (uint32_t y = 0; y < p->h; y++)
        for (uint32_t x = 0; x < p->w; x++) {
            const uint16_t k = p->px[(size_t)y * p->w + x];
            if (k == VOID) continue;
            bounds *t = &b[k];
            if (t->x2 == 0) {
                t->x1 = x;
                t->y1 = y;
            }
            if (x < t->x1) t->x1 = x;
            if (x + 1 > t->x2) t->x2 = x + 1;
            t->y2 = y + 1;
        }
    return b;
}

/* The runs of the pixels with one value, as text of the dataset. */
static tn_status runs_of(tni_voc *v, const picture *p, unsigned value,
                         const bounds *b, tni_span *text)
{
    const tni_arena_mark mark = tni_arena_save(&v->pixels);
    tni_patch patch = {NULL, b->x1, b->y1, b->x2 - b->x1, b->y2 - b->y1};
    patch.pixels =
        tni_arena_alloc(&v->pixels, (size_t)patch.w * (size_t)patch.h, 1);
    if (patch.pixels == NULL) return no_memory(v->err);
    for (int64_t y = 0; y < patch.h; y++)
        for (int64_t x = 0; x < patch.w; x++)
            patch.pixels[y * patch.w + x] =
                p->px[(size_t)(y + patch.y) * p->w + (size_t)(x + patch.x)] ==
                value;
    TN_TRY(
        tni_patch_put(tni_draft_begin(v->draft), &patch, p->w, p->h, v->err));
    tni_arena_rewind(&v->pixels, mark);
    return tni_draft_keep(v->draft, v->d, text);
}

static tn_status set_runs(tni_voc *v, uint32_t ann, tni_span text)
{
    tni_shape s;
    memset(&s, 0, sizeof s);
    if (text.len > UINT32_MAX)
        return tni_fail(v->err, TN_ELIMIT, "a mask is too long");
    s.text = text.p;
    s.len = (uint32_t)text.len;
    s.kind = TN_SHAPE_RLE;
    s.layout = TNI_LAYOUT_RLE;
    return tni_set_shape(v->d, ann, &s, v->err);
}

/* Whether the classes so far are VOC's twenty, and parts of persons. */
static bool are_vocs(const tn_dataset *d)
{
    static const char *const parts[] = {"head", "hand", "foot"};
    for (uint32_t i = 0; i < d->classes.n; i++) {
        bool found = false;
        for (int k = 0; k < N_VOC && !found; k++)
            found = strcmp(tni_class_at(d, i)->name, voc_names[k]) == 0;
        for (int k = 0; k < 3 && !found; k++)
            found = strcmp(tni_class_at(d, i)->name, parts[k]) == 0;
        if (!found) return false;
    }
    return true;
}

/* The class of a number in a picture of classes; TN_NONE: background. */
static tn_status class_of(tni_voc *v, unsigned number, uint32_t *cls)
{
    char text[16];
    *cls = TN_NONE;
    if (number == VOID || (number == 0 && v->n_labels == 0)) return TN_OK;
    if (number < v->n_labels) {
        *cls = v->labels[number].cls;
        return TN_OK;
    }
    const bool usual = v->n_labels == 0 && number < N_VOC && are_vocs(v->d);
    (void)snprintf(text, sizeof text, "%u", number);
    const char *name = usual ? voc_names[number] : text;
    return tni_class_named(&v->classes, tni_span_of(name), 0, cls, v->err);
}

/* The class most pixels of an object have. */
static tn_status object_class(tni_voc *v, const picture *objects,
                              const picture *classes, unsigned object,
                              const bounds *b, uint32_t *cls)
{
    const tni_arena_mark mark = tni_arena_save(&v->pixels);
    uint32_t best = VOID, most = 0;
    *cls = TN_NONE;
    if (classes->px == NULL) return TN_OK;
    uint32_t *count = TNI_NEW_ARRAY(&v->pixels, uint32_t, VOID);
    if (count == NULL) return no_memory(v->err);
    for (size_t y = b->y1; y < b->y2; y++)
        for (size_t x = b->x1; x < b->x2; x++) {
            const uint16_t k = classes->px[y * objects->w + x];
            if (objects->px[y * objects->w + x] != object || k == VOID)
                continue;
            if (++count[k] > most) {
                most = count[k];
                best = k;
            }
        }
    tni_arena_rewind(&v->pixels, mark);
    return class_of(v, best, cls);
}

/* Whether object `ann` of the XML is the one of these pixels. */
static bool is_same(const tni_voc *v, uint32_t ann, uint32_t cls,
                    const bounds *b)
{
    const uint32_t flags = *tni_flags_at(v->d, ann);
    const double pixels[4] = {b->x1, b->y1, b->x2, b->y2};
    const uint32_t own = tni_ann_at(v->d, ann)->class_index;
    double box[4];
    return (flags & TN_HAS_BOX) != 0 &&
           (flags & (TN_HAS_ANGLE | TN_HAS_SHAPE)) == 0 &&
           (cls == TN_NONE || cls == own) &&
           tn_dataset_box(v->d, ann, box) != 0 && tni_voc_same_box(box, pixels);
}

static tn_status add_mask(tni_voc *v, const picture *p, unsigned value,
                          const bounds *b, uint32_t cls, uint32_t ann)
{
    tni_span text;
    TN_TRY(runs_of(v, p, value, b, &text));
    if (ann == TN_NONE) {
        tni_ann a;
        memset(&a, 0, sizeof a);
        a.image = v->image;
        a.class_index = cls;
        a.where = tni_where(p->source, 0);
        TN_TRY(tni_add_annotation(v->d, &a, &ann, v->err));
    }
    return set_runs(v, ann, text);
}

/* The border between objects, which is none of them. */
static tn_status keep_void(tni_voc *v, const picture *p)
{
    bounds b = {p->w, p->h, 0, 0};
    tni_span runs, text;
    for (uint32_t y = 0; y < p->h; y++)
        for (uint32_t x = 0; x < p->w; x++) {
            if (p->px[(size_t)y * p->w + x] != VOID) continue;
            if (x < b.x1) b.x1 = x;
            if (y < b.y1) b.y1 = y;
            if (x + 1 > b.x2) b.x2 = x + 1;
            b.y2 = y + 1;
        }
    if (b.x2 == 0) return TN_OK;
    TN_TRY(runs_of(v, p, VOID, &b, &runs));
    tni_out *o = tni_draft_begin(v->draft);
    tni_out_str(o, "\"void\": ");
    tni_out_bytes(o, runs.p, runs.len);
    TN_TRY(tni_draft_keep(v->draft, v->d, &text));
    return tni_set_image_text(v->d, v->image, TN_TEXT_EXTRA, text, v->err);
}

static tn_status read_objects(tni_voc *v, const picture *op, const picture *cp,
                              const uint32_t *objects, uint32_t n_objects)
{
    uint32_t n = 0, cls = TN_NONE;
    const bounds *b = bounds_of(v, op, &n);
    if (b == NULL) return no_memory(v->err);
    for (uint32_t k = 1; k < n; k++) {
        if (b[k].x2 == 0) continue;
        TN_TRY(object_class(v, op, cp, k, &b[k], &cls));
        const bool same =
            k <= n_objects && is_same(v, objects[k - 1], cls, &b[k]);
        TN_TRY(add_mask(v, op, k, &b[k], cls, same ? objects[k - 1] : TN_NONE));
    }
    return TN_OK;
}

static tn_status read_classes(tni_voc *v, const picture *p)
{
    uint32_t n = 0, cls = TN_NONE;
    const bounds *b = bounds_of(v, p, &n);
    if (b == NULL) return no_memory(v->err);
    for (uint32_t k = 0; k < n; k++) {
        if (b[k].x2 == 0) continue;
        TN_TRY(class_of(v, k, &cls));
        if (cls != TN_NONE) TN_TRY(add_mask(v, p, k, &b[k], cls, TN_NONE));
    }
    return TN_OK;
}

tn_status tni_voc_masks(tni_voc *v, const uint32_t *objects, uint32_t n)
{
    const tni_voc_root *t = &v->roots[v->root];
    picture op, cp;
    memset(&op, 0, sizeof op);
    memset(&cp, 0, sizeof cp);
    if (t->object_masks == NULL && t->class_masks == NULL) return TN_OK;
    TN_TRY(read_picture(v, &op, t->object_masks, false));
    TN_TRY(read_picture(v, &cp, t->class_masks, true));
    if (op.px != NULL && cp.px != NULL && (op.w != cp.w || op.h != cp.h)) {
        tni_err_where(v->err, "%s", cp.path);
        return tni_fail(v->err, TN_EFORMAT,
                        "the picture of classes is %u x %u, that of objects "
                        "%u x %u",
                        (unsigned)cp.w, (unsigned)cp.h, (unsigned)op.w,
                        (unsigned)op.h);
    }
    if (op.px != NULL)
        TN_TRY(read_objects(v, &op, &cp, objects, n));
    else if (cp.px != NULL)
        TN_TRY(read_classes(v, &cp));
    if (op.px == NULL && cp.px == NULL) return TN_OK;
    tni_image_row *row = tni_image_at(v->d, v->image);
    if (row->state == TN_STATE_UNKNOWN) row->state = TN_STATE_EMPTY;
    return keep_void(v, cp.px != NULL ? &cp : &op);
}
