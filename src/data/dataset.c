/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.c - looking at a dataset */
#include "data/dataset.h"

#include "data/formats/format.h"

#include <string.h>

tn_place tni_place(const tn_dataset *d, uint64_t where)
{
    tn_place p = {NULL, 0};
    const uint64_t source = where >> 40;
    if (source == 0 || source > d->sources.n) return p;
    p.file = TNI_ROW(&d->sources, tni_source, (uint32_t)(source - 1))->path;
    p.offset = where & ((UINT64_C(1) << 40) - 1);
    return p;
}

tn_id tni_id(uint8_t kind, int64_t id)
{
    tn_id out = {(tn_id_kind)kind, 0, NULL};
    if (kind == TN_ID_INT) out.number = id;
    if (kind == TN_ID_TEXT) out.text = (const char *)(intptr_t)id;
    return out;
}

bool tni_image_extent(const tn_dataset *d, uint32_t image, double *w, double *h)
{
    if (image == TN_NONE) return false;
    const tni_image_row *r = tni_image_at(d, image);
    *w = r->width;
    *h = r->height;
    if (r->width > 0 && r->height > 0) return true;
    const bool turned = r->orientation >= 5 && r->frame != TN_FRAME_RAW;
    *w = turned ? r->raw_height : r->raw_width;
    *h = turned ? r->raw_width : r->raw_height;
    return r->raw_width > 0 && r->raw_height > 0;
}

void tni_ann_get(const tn_dataset *d, uint32_t i, tni_ann *ann)
{
    *ann = *tni_ann_at(d, i);
}

#if defined(__GNUC__)
#define FETCH(address) __builtin_prefetch(address)
#else
#define FETCH(address) ((void)(address))
#endif

/* A page whose address the processor does not know at hand is not fetched from
 * by some: there a byte is read, which nothing waits for. */
static void touch(const void *address)
{
    (void)*(const volatile char *)address;
}

enum { LINE = 64, LINES = 16 };

/* Where every row has a value; else it would have to be looked for. */
static void fetch_value(const tni_sparse *s, uint32_t key)
{
    if (s->dense && key < s->n_sorted) touch(tni_col_row(&s->values, key));
}

static void fetch_rows(const tn_dataset *d, uint32_t i)
{
    touch(tni_ann_at(d, i));
    fetch_value(&d->shape, i);
    fetch_value(&d->num[TN_NUM_AREA], i);
}

static void fetch_text(const tn_dataset *d, uint32_t i)
{
    if (!d->shape.dense || i >= d->shape.n_sorted) return;
    const tni_shape *s = TNI_ROW(&d->shape.values, tni_shape, i);
    if (s->len == 0) return;
    touch(s->text);
    touch(s->text + s->len - 1);
    for (uint32_t at = LINE; at < s->len && at < LINES * LINE; at += LINE)
        FETCH(s->text + at);
}

void tni_dataset_ahead(const tn_dataset *d, uint32_t image)
{
    size_t n = 0;
    const uint32_t *list = tn_dataset_of_image(d, image, &n);
    for (size_t k = 0; k < n; k++) fetch_text(d, list[k]);
    list = tn_dataset_of_image(d, (size_t)image + 1, &n);
    for (size_t k = 0; k < n; k++) fetch_rows(d, list[k]);
}

/* Copies what fits into the caller's version of the struct. */
static void hand_out(void *to, size_t struct_size, const void *from,
                     size_t size)
{
    const size_t n = struct_size < size ? struct_size : size;
    memcpy((char *)to + sizeof(size_t), (const char *)from + sizeof(size_t),
           n > sizeof(size_t) ? n - sizeof(size_t) : 0);
}

void tn_dataset_get_info(const tn_dataset *d, tn_dataset_info *info)
{
    tn_dataset_info row = TN_DATASET_INFO_INIT;
    row.path = d->path;
    row.format = d->format != NULL ? d->format->name : NULL;
    row.variant = d->variant;
    row.n_images = d->images.n;
    row.n_annotations = d->anns.n;
    row.n_classes = d->classes.n;
    row.n_splits = d->n_splits;
    row.n_files = d->sources.n;
    row.n_notes = d->notes.n;
    row.memory_bytes = d->mem.used_bytes;
    hand_out(info, info->struct_size, &row, sizeof row);
}

tn_status tn_dataset_image(const tn_dataset *d, size_t i, tn_image_row *out)
{
    if (i >= d->images.n) return TN_EINVAL;
    const tni_image_row *r = tni_image_at(d, (uint32_t)i);
    tn_image_row row = TN_IMAGE_ROW_INIT;
    row.name = r->name;
    row.file = r->file;
    row.id = tni_id(r->id_kind, r->id);
    row.width = r->width;
    row.height = r->height;
    row.raw_width = r->raw_width;
    row.raw_height = r->raw_height;
    row.orientation = r->orientation;
    row.frame = r->frame;
    row.state = r->state;
    row.splits = r->splits;
    row.place = tni_place(d, r->where);
    hand_out(out, out->struct_size, &row, sizeof row);
    return TN_OK;
}

tn_status tn_dataset_class(const tn_dataset *d, size_t i, tn_class_row *out)
{
    if (i >= d->classes.n) return TN_EINVAL;
    const tni_class_row *r = tni_class_at(d, (uint32_t)i);
    tn_class_row row = TN_CLASS_ROW_INIT;
    row.name = r->name;
    row.parent = r->parent;
    row.id = tni_id(r->id_kind, r->id);
    row.n_keypoints = r->n_keypoints;
    row.place = tni_place(d, r->where);
    hand_out(out, out->struct_size, &row, sizeof row);
    return TN_OK;
}

const char *tn_dataset_keypoint_name(const tn_dataset *d, size_t cls, size_t k)
{
    if (cls >= d->classes.n) return NULL;
    const tni_class_row *r = tni_class_at(d, (uint32_t)cls);
    return k < r->n_keypoints && r->keypoints != NULL ? r->keypoints[k] : NULL;
}

tn_status tn_dataset_annotation(const tn_dataset *d, size_t i,
                                tn_annotation_row *out)
{
    if (i >= d->anns.n) return TN_EINVAL;
    tni_ann a;
    tni_ann_get(d, (uint32_t)i, &a);
    tn_annotation_row row = TN_ANNOTATION_ROW_INIT;
    row.image = a.image;
    row.class_index = a.class_index;
    row.flags = a.flags & TNI_FLAGS;
    row.box_form = tni_ann_form(a.flags);
    row.box_scale = tni_ann_scale(a.flags);
    memcpy(row.box, a.box, sizeof row.box);
    row.id = tni_id(tni_ann_id_kind(a.flags), a.id);
    row.place = tni_place(d, a.where);
    hand_out(out, out->struct_size, &row, sizeof row);
    return TN_OK;
}

const char *tn_dataset_split(const tn_dataset *d, size_t s)
{
    return s < d->n_splits ? d->splits[s] : NULL;
}

const uint32_t *tn_dataset_of_image(const tn_dataset *d, size_t image,
                                    size_t *n)
{
    *n = 0;
    if (image >= d->images.n || d->first == NULL) return NULL;
    const uint32_t from = d->first[image], to = d->first[image + 1];
    *n = to - from;
    return d->order + from;
}

int tn_dataset_num(const tn_dataset *d, size_t annotation, tn_num kind,
                   double *out)
{
    if (annotation >= d->anns.n || (unsigned)kind >= TN_NUM_COUNT ||
        (*tni_flags_at(d, (uint32_t)annotation) & TN_HAS_NUM) == 0)
        return 0;
    const double *v = tni_sparse_find(&d->num[kind], (uint32_t)annotation, 0);
    if (v != NULL) *out = *v;
    return v != NULL;
}

static tn_bytes text_of(const tni_sparse *s, uint32_t key, size_t k)
{
    tn_bytes out = {NULL, 0};
    if (k >= UINT32_MAX) return out;
    const tni_span *t = tni_sparse_find(s, key, (uint32_t)k);
    if (t == NULL) return out;
    out.data = t->p;
    out.size = t->len;
    return out;
}

tn_bytes tn_dataset_text(const tn_dataset *d, size_t annotation, tn_text kind,
                         size_t k)
{
    const tn_bytes none = {NULL, 0};
    if (annotation >= d->anns.n || (unsigned)kind >= TN_TEXT_COUNT ||
        (*tni_flags_at(d, (uint32_t)annotation) & TN_HAS_TEXT) == 0)
        return none;
    return text_of(&d->text[kind], (uint32_t)annotation, k);
}

tn_bytes tn_dataset_image_text(const tn_dataset *d, size_t image, tn_text kind,
                               size_t k)
{
    const tn_bytes none = {NULL, 0};
    if (image >= d->images.n || (unsigned)kind >= TN_TEXT_COUNT) return none;
    return text_of(&d->image_text[kind], (uint32_t)image, k);
}

const tni_span *tni_image_bytes(const tn_dataset *d, uint32_t image)
{
    return tni_sparse_find(&d->image_bytes, image, 0);
}

bool tni_image_there(const tn_dataset *d, uint32_t image)
{
    return tni_image_at(d, image)->file != NULL ||
           tni_image_bytes(d, image) != NULL;
}

tn_bytes tn_dataset_image_bytes(const tn_dataset *d, size_t image)
{
    const tn_bytes none = {NULL, 0};
    return image < d->images.n ? text_of(&d->image_bytes, (uint32_t)image, 0)
                               : none;
}

tn_status tn_dataset_note(const tn_dataset *d, size_t i, tn_note *out)
{
    if (i >= d->notes.n) return TN_EINVAL;
    const tni_note *n = TNI_ROW(&d->notes, tni_note, (uint32_t)i);
    tn_note row = TN_NOTE_INIT;
    row.code = n->code;
    row.message = n->message;
    row.count = n->count;
    row.place = tni_place(d, n->where);
    hand_out(out, out->struct_size, &row, sizeof row);
    return TN_OK;
}
