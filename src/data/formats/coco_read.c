/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coco_read.c - one COCO file into the dataset
 *
 * One pass when images come before annotations, as they do in the official
 * files; annotations that come first are passed over and read at the end.
 * Classes usually come last: annotations first get the number their category
 * id has in this file, which is translated when all is known.
 */
#include "data/formats/coco_reader.h"

#include "data/records.h"

#include <stdio.h>

typedef tni_coco_in coco;

/* A category id and the class it turns out to be. */
typedef struct local_class {
    int64_t id;
    uint32_t cls;
    uint8_t id_kind;
} local_class;

tn_status tni_coco_no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

uint64_t tni_coco_here(const coco *c, const char *p)
{
    return tni_where(c->source, c->file->base + (uint64_t)(p - c->j.start));
}

/* The status of a loop over JSON: the reader's, or what a row gave. */
#define JSON_TRY(c) TN_TRY((c)->j.status)

tn_status tni_coco_give_up(coco *c)
{
    c->j.status = TN_EUNSUPPORTED;
    return c->j.status;
}

tn_status tni_coco_read_id(coco *c, uint8_t *kind, int64_t *id)
{
    tni_span raw = {NULL, 0};
    bool escaped = false;
    const char *text = NULL;
    const char peek = tni_json_peek(&c->j);
    if (peek == '"') {
        if (c->ahead) return tni_coco_give_up(c);
        if (!tni_json_string(&c->j, &raw, &escaped)) return c->j.status;
        text = tni_keep_json(c->d, raw, escaped);
    } else if (peek == '0') {
        tni_json saved = c->j;
        if (!tni_json_skip(&c->j, &raw)) return c->j.status;
        size_t digits = raw.p[0] == '-' ? 1 : 0;
        while (digits < raw.len && raw.p[digits] >= '0' && raw.p[digits] <= '9')
            digits++;
        if (digits == raw.len && raw.len < 19) {
            (void)!tni_json_i64(&saved, id);
            *kind = TN_ID_INT;
            return TN_OK;
        }
        /* Beyond 18 digits or not whole: exact as far as 64 bits go. */
        tn_err ignored;
        saved.err = &ignored;
        memset(&ignored, 0, sizeof ignored);
        if (tni_json_i64(&saved, id)) {
            *kind = TN_ID_INT;
            return TN_OK;
        }
        if (c->ahead) return tni_coco_give_up(c);
        text = tni_keep(c->d, raw.p, raw.len);
    } else {
        (void)tni_json_fail(&c->j, c->j.p,
                            "an id is neither a number nor a text");
        return c->j.status;
    }
    if (text == NULL) return tni_coco_no_memory(c->err);
    *kind = TN_ID_TEXT;
    *id = (int64_t)(intptr_t)text;
    return TN_OK;
}

static tn_status read_text(coco *c, const char **out, size_t *len)
{
    tni_span raw = {NULL, 0};
    bool escaped = false;
    if (!tni_json_string(&c->j, &raw, &escaped)) return c->j.status;
    *out = tni_keep_json(c->d, raw, escaped);
    if (len != NULL) *len = raw.len;
    return *out != NULL ? TN_OK : tni_coco_no_memory(c->err);
}

tni_span tni_coco_member(tni_span key, tni_span value)
{
    const tni_span m = {key.p - 1, (size_t)(value.p + value.len - key.p) + 1};
    return m;
}

/* --- classes ------------------------------------------------------------- */

tn_status tni_coco_local_of(coco *c, uint8_t kind, int64_t id, uint32_t *local)
{
    *local = tni_idmap_find(&c->cats, kind, id);
    if (*local != TN_NONE) return TN_OK;
    if (c->ahead) return tni_coco_give_up(c);
    local_class *row = tni_col_add(&c->local);
    if (row == NULL || !tni_idmap_add(&c->cats, kind, id, c->local.n - 1))
        return tni_coco_no_memory(c->err);
    row->id = id;
    row->id_kind = kind;
    row->cls = TN_NONE;
    *local = c->local.n - 1;
    return TN_OK;
}

static tn_status read_keypoint_names(coco *c, tni_class_row *row)
{
    const char *names[1024];
    uint32_t n = 0;
    if (!tni_json_enter(&c->j, '[')) return c->j.status;
    while (tni_json_item(&c->j)) {
        if (n == 1024) {
            (void)tni_json_fail(&c->j, c->j.p, "more than 1024 keypoints");
            break;
        }
        TN_TRY(read_text(c, &names[n], NULL));
        n++;
    }
    JSON_TRY(c);
    const char **copy = TNI_NEW_ARRAY(&c->d->arena, const char *, n + 1);
    if (copy == NULL) return tni_coco_no_memory(c->err);
    if (n > 0) memcpy(copy, names, n * sizeof *copy);
    row->keypoints = copy;
    row->n_keypoints = n;
    return TN_OK;
}

static tn_status keep_class_extras(coco *c, tni_json j, uint32_t cls)
{
    tni_span key, raw;
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            const bool known =
                tni_span_is(key, "id") || tni_span_is(key, "name") ||
                (tni_span_is(key, "supercategory") && raw.p[0] == '"') ||
                (tni_span_is(key, "keypoints") && raw.p[0] == '[');
            if (!known)
                TN_TRY(tni_set_class_text(c->d, cls, TN_TEXT_EXTRA,
                                          tni_coco_member(key, raw), c->err));
        }
    return j.status;
}

static tn_status read_class(coco *c)
{
    tni_class_row row;
    tni_span key;
    memset(&row, 0, sizeof row);
    (void)tni_json_peek(&c->j);
    const tni_json begin = c->j;
    bool extras = false;
    row.where = tni_coco_here(c, c->j.p);
    if (tni_json_enter(&c->j, '{'))
        while (tni_json_key(&c->j, &key)) {
            const char kind = tni_json_peek(&c->j);
            if (tni_span_is(key, "id")) {
                TN_TRY(tni_coco_read_id(c, &row.id_kind, &row.id));
            } else if (tni_span_is(key, "name")) {
                TN_TRY(read_text(c, &row.name, NULL));
            } else if (tni_span_is(key, "supercategory") && kind == '"') {
                TN_TRY(read_text(c, &row.parent, NULL));
            } else if (tni_span_is(key, "keypoints") && kind == '[') {
                TN_TRY(read_keypoint_names(c, &row));
            } else {
                extras = true;
                (void)!tni_json_skip(&c->j, NULL);
            }
        }
    JSON_TRY(c);
    if (row.name == NULL || row.id_kind == TN_ID_NONE) {
        (void)tni_json_fail(&c->j, begin.p, "a category has no '%s'",
                            row.name == NULL ? "name" : "id");
        return c->j.status;
    }
    uint32_t local = TN_NONE, cls = TN_NONE;
    TN_TRY(tni_same_class(c->r, &row, &cls, c->err));
    TN_TRY(tni_coco_local_of(c, row.id_kind, row.id, &local));
    local_class *l = TNI_ROW(&c->local, local_class, local);
    if (l->cls != TN_NONE)
        return tni_note_add(c->d, row.where, "duplicate-class-id", c->err,
                            "category '%s' has the id of '%s' before it: that "
                            "one is used",
                            row.name, tni_class_at(c->d, l->cls)->name);
    if (cls == TN_NONE) {
        TN_TRY(tni_add_class(c->d, &row, &cls, c->err));
        if (extras) TN_TRY(keep_class_extras(c, begin, cls));
    }
    l->cls = cls;
    return TN_OK;
}

/* --- images -------------------------------------------------------------- */

static tn_status read_size(coco *c, int32_t *out)
{
    int64_t v = 0;
    tni_json_peek(&c->j);
    const char *at = c->j.p;
    if (!tni_json_i64(&c->j, &v)) return c->j.status;
    if (v < 0 || v > INT32_MAX)
        (void)tni_json_fail(&c->j, at, "an image's size is %lld", (long long)v);
    *out = (int32_t)v;
    return c->j.status;
}

static tn_status keep_image_extras(coco *c, tni_json j, uint32_t image)
{
    tni_span key, raw;
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            const bool number =
                raw.p[0] == '-' || (raw.p[0] >= '0' && raw.p[0] <= '9');
            if (tni_span_is(key, "id") || tni_span_is(key, "file_name") ||
                ((tni_span_is(key, "width") || tni_span_is(key, "height")) &&
                 number))
                continue;
            if (c->file->known != NULL && image < c->file->known->n_images)
                TN_TRY(tni_coco_repeat_member(c->d, image,
                                              tni_coco_member(key, raw),
                                              tni_coco_here(c, key.p), c->err));
            else
                TN_TRY(tni_set_image_text(c->d, image, TN_TEXT_EXTRA,
                                          tni_coco_member(key, raw), c->err));
        }
    return j.status;
}

/* What a text inside an archive says of its one image. */
static tn_status join_image(coco *c, const tni_image_row *row, uint32_t *image)
{
    *image = c->file->image;
    if (*image == TN_NONE) {
        (void)tni_json_fail(&c->j, c->j.p,
                            "an image where there should be "
                            "none");
        return c->j.status;
    }
    tni_image_row *to = tni_image_at(c->d, *image);
    if (tni_idmap_find(&c->images, row->id_kind, row->id) != TN_NONE ||
        to->id_kind != TN_ID_NONE) {
        (void)tni_json_fail(&c->j, c->j.p,
                            "several images in the text of one sample");
        return c->j.status;
    }
    to->name = row->name;
    to->id_kind = row->id_kind;
    to->id = row->id;
    to->width = row->width;
    to->height = row->height;
    return tni_idmap_add(&c->images, row->id_kind, row->id, *image)
               ? TN_OK
               : tni_coco_no_memory(c->err);
}

tn_status tni_coco_add_image(coco *c, const tni_image_row *row, uint32_t *image)
{
    if (c->file->inside) return join_image(c, row, image);
    *image = tni_coco_known_image(c->file->known, c->file->split, row->name);
    const bool known = *image != TN_NONE;
    if (known)
        TN_TRY(tni_coco_repeat_image(c->d, *image, row, c->err));
    else
        TN_TRY(tni_add_image(c->d, row, image, c->err));
    if (tni_idmap_find(&c->images, row->id_kind, row->id) != TN_NONE)
        TN_TRY(tni_note_add(c->d, row->where, "duplicate-image-id", c->err,
                            "image '%.100s' has the id of one before it, which "
                            "gets its annotations",
                            row->name));
    if (!tni_idmap_add(&c->images, row->id_kind, row->id, *image))
        return tni_coco_no_memory(c->err);
    return c->file->folders != NULL && !known
               ? tni_find_image(c->r, *image, c->file->folders, c->err)
               : TN_OK;
}

static tn_status read_image(coco *c)
{
    tni_image_row row;
    tni_span key;
    memset(&row, 0, sizeof row);
    (void)tni_json_peek(&c->j);
    const tni_json begin = c->j;
    bool extras = false;
    row.where = tni_coco_here(c, c->j.p);
    row.splits = c->splits;
    if (tni_json_enter(&c->j, '{'))
        while (tni_json_key(&c->j, &key)) {
            const char kind = tni_json_peek(&c->j);
            if (tni_span_is(key, "id")) {
                TN_TRY(tni_coco_read_id(c, &row.id_kind, &row.id));
            } else if (tni_span_is(key, "file_name")) {
                TN_TRY(read_text(c, &row.name, NULL));
            } else if (tni_span_is(key, "width") && kind == '0') {
                TN_TRY(read_size(c, &row.width));
            } else if (tni_span_is(key, "height") && kind == '0') {
                TN_TRY(read_size(c, &row.height));
            } else {
                extras = true;
                (void)!tni_json_skip(&c->j, NULL);
            }
        }
    JSON_TRY(c);
    if (row.name == NULL || row.id_kind == TN_ID_NONE) {
        (void)tni_json_fail(&c->j, begin.p, "an image has no '%s'",
                            row.name == NULL ? "file_name" : "id");
        return c->j.status;
    }
    uint32_t image = TN_NONE;
    TN_TRY(tni_coco_add_image(c, &row, &image));
    return extras ? keep_image_extras(c, begin, image) : TN_OK;
}

/* --- the file ------------------------------------------------------------ */

static tn_status read_list(coco *c, tn_status (*row)(coco *c))
{
    if (!tni_json_enter(&c->j, '[')) return c->j.status;
    while (tni_json_item(&c->j)) TN_TRY(row(c));
    return c->j.status;
}

static tn_status read_results(coco *c)
{
    c->results = true;
    return tni_coco_read_list(c);
}

/* Whether the next value is a list of objects, or an empty one: what others
 * put under the same name is theirs. */
static bool is_list_of_objects(const coco *c)
{
    tni_json j = c->j;
    tn_err ignored;
    j.err = &ignored;
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return false;
    return !tni_json_item(&j) || tni_json_peek(&j) == '{';
}

/* A member nobody defines: of the dataset, or of the one image. */
static tn_status keep_member(coco *c, tni_span key)
{
    tni_span raw;
    const uint64_t where = tni_coco_here(c, c->j.p);
    if (!tni_json_skip(&c->j, &raw)) return c->j.status;
    if (c->file->inside && c->file->image != TN_NONE)
        return tni_set_image_text(c->d, c->file->image, TN_TEXT_EXTRA,
                                  tni_coco_member(key, raw), c->err);
    const tni_meta meta = {tni_keep_json(c->d, key, true), raw, c->file->split,
                           where};
    if (meta.key == NULL) return tni_coco_no_memory(c->err);
    return c->file->known != NULL ? tni_coco_repeat_meta(c->d, &meta, c->err)
                                  : tni_add_meta(c->d, &meta, c->err);
}

/* Annotations of a sample: an empty list says that there are none. */
static tn_status read_annotations(coco *c)
{
    const uint32_t n = c->d->anns.n;
    TN_TRY(tni_coco_read_list(c));
    if (c->file->inside && c->file->image != TN_NONE && c->d->anns.n == n)
        tni_image_at(c->d, c->file->image)->state = TN_STATE_EMPTY;
    return TN_OK;
}

static tn_status read_top(coco *c)
{
    tni_span key;
    tni_json later;
    bool images = c->file->inside, deferred = false;
    memset(&later, 0, sizeof later);
    if (tni_json_peek(&c->j) == '[') return read_results(c);
    if (!tni_json_enter(&c->j, '{')) return c->j.status;
    while (tni_json_key(&c->j, &key)) {
        const char kind = tni_json_peek(&c->j);
        const bool list =
            kind == '[' && (!c->file->inside || is_list_of_objects(c));
        if (tni_span_is(key, "images") && list) {
            images = true;
            TN_TRY(read_list(c, read_image));
        } else if (tni_span_is(key, "categories") && list) {
            TN_TRY(read_list(c, read_class));
        } else if (tni_span_is(key, "annotations") && list && images) {
            TN_TRY(read_annotations(c));
        } else if (tni_span_is(key, "annotations") && list) {
            later = c->j;
            deferred = true;
            (void)!tni_json_skip(&c->j, NULL);
        } else {
            TN_TRY(keep_member(c, key));
        }
    }
    JSON_TRY(c);
    if (!tni_json_end(&c->j)) return c->j.status;
    if (!images) {
        (void)tni_json_fail(&c->j, c->j.start,
                            "there is no list 'images': this is not COCO");
        return c->j.status;
    }
    if (!deferred) return TN_OK;
    const tni_json end = c->j;
    c->j = later;
    TN_TRY(tni_coco_read_list(c));
    c->j = end;
    return TN_OK;
}

/* From the numbers of this file to classes of the dataset. */
static tn_status settle_classes(coco *c, uint32_t first)
{
    for (uint32_t i = 0; i < c->local.n; i++) {
        local_class *l = TNI_ROW(&c->local, local_class, i);
        if (l->cls != TN_NONE) continue;
        /* An id that no category has: it is its own name. */
        char text[32];
        tni_class_row row;
        memset(&row, 0, sizeof row);
        row.id_kind = l->id_kind;
        row.id = l->id;
        row.where = tni_where(c->source, 0);
        if (l->id_kind == TN_ID_TEXT) {
            row.name = (const char *)(intptr_t)l->id;
        } else {
            (void)snprintf(text, sizeof text, "%lld", (long long)l->id);
            row.name = tni_keep(c->d, text, strlen(text));
        }
        if (row.name == NULL) return tni_coco_no_memory(c->err);
        if (!c->results)
            TN_TRY(tni_note_add(c->d, row.where, "orphan-class", c->err,
                                "annotations have category %.60s, which is not "
                                "in the file",
                                row.name));
        TN_TRY(tni_same_class(c->r, &row, &l->cls, c->err));
        if (l->cls == TN_NONE)
            TN_TRY(tni_add_class(c->d, &row, &l->cls, c->err));
    }
    for (uint32_t i = first; i < c->d->anns.n; i++) {
        uint32_t *cls = &tni_ann_at(c->d, i)->class_index;
        if (*cls != TN_NONE) *cls = TNI_ROW(&c->local, local_class, *cls)->cls;
    }
    return TN_OK;
}

tn_status tni_coco_read(tni_reader *r, const tni_coco_file *file, tn_err *err)
{
    coco c;
    tni_span text = {NULL, 0};
    memset(&c, 0, sizeof c);
    c.r = r;
    c.d = r->d;
    c.file = file;
    c.err = err;
    if (file->split != TN_NONE) c.splits = UINT64_C(1) << file->split;
    if (file->inside) {
        text = file->text;
        c.source = file->source;
    } else {
        TN_TRY(tni_source_open(r->d, file->path, &c.source, &text, err));
    }
    tni_json_init(&c.j, text.p, text.len, r->d->limits.max_nesting, err);
    tni_idmap_init(&c.images, &r->scratch);
    tni_idmap_init(&c.cats, &r->scratch);
    tni_col_init(&c.local, &r->d->mem, sizeof(local_class));
    const uint32_t first = r->d->anns.n;
    tn_status status = read_top(&c);
    if (status == TN_OK) status = settle_classes(&c, first);
    if (status == TN_OK && !c.segments)
        status = tni_coco_check_ids(r->d, first, err);
    tni_col_fini(&c.local);
    if (status == TN_OK) return TN_OK;
    if (err != NULL) err->offset += file->base;
    tni_err_where(err, "%s", file->path);
    return status;
}
