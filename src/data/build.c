/* SPDX-License-Identifier: Apache-2.0 */
/* build.c - filling the tables of a dataset */
#include "data/dataset.h"

#include "base/limits.h"
#include "data/gzip.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SMALL_FILE = 64 << 10, /* read into memory; the rest is mapped */
    MAX_SOURCES = (1 << 24) - 2
};

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

tn_status tni_dataset_new(tn_dataset **out, const tn_allocator *allocator,
                          const tn_limits *limits, tn_err *err)
{
    *out = NULL;
    const tn_allocator *a = allocator != NULL ? allocator : &tni_libc_allocator;
    tn_dataset *d = a->alloc(a->ctx, sizeof *d, _Alignof(tn_dataset));
    if (d == NULL) return no_memory(err);
    memset(d, 0, sizeof *d);
    tni_limits_fill(&d->limits, limits);
    tni_mem_init(&d->mem, a, (size_t)d->limits.max_total_bytes);
    tni_arena_init(&d->arena, &d->mem, 1 << 14);
    tni_strmap_init(&d->names, &d->arena);
    tni_strmap_init(&d->class_names, &d->arena);
    tni_col_init(&d->sources, &d->mem, sizeof(tni_source));
    tni_col_init(&d->images, &d->mem, sizeof(tni_image_row));
    tni_col_init(&d->classes, &d->mem, sizeof(tni_class_row));
    tni_col_init(&d->metas, &d->mem, sizeof(tni_meta));
    tni_col_init(&d->notes, &d->mem, sizeof(tni_note));
    tni_col_init(&d->anns, &d->mem, sizeof(tni_ann));
    for (int i = 0; i < TN_NUM_COUNT; i++)
        tni_sparse_init(&d->num[i], &d->mem, sizeof(double));
    for (int i = 0; i < TN_TEXT_COUNT; i++) {
        tni_sparse_init(&d->text[i], &d->mem, sizeof(tni_span));
        tni_sparse_init(&d->image_text[i], &d->mem, sizeof(tni_span));
        tni_sparse_init(&d->class_text[i], &d->mem, sizeof(tni_span));
    }
    tni_sparse_init(&d->image_bytes, &d->mem, sizeof(tni_span));
    tni_sparse_init(&d->image_files, &d->mem, sizeof(tni_image_file));
    tni_sparse_init(&d->shape, &d->mem, sizeof(tni_shape));
    tni_sparse_init(&d->keypoints, &d->mem, sizeof(tni_shape));
    *out = d;
    return TN_OK;
}

void tn_dataset_close(tn_dataset *d)
{
    if (d == NULL) return;
    for (uint32_t i = 0; i < d->sources.n; i++)
        tni_file_map_close(&TNI_ROW(&d->sources, tni_source, i)->map);
    tni_col *const cols[] = {&d->sources, &d->images, &d->classes,
                             &d->metas,   &d->notes,  &d->anns};
    for (size_t i = 0; i < sizeof cols / sizeof cols[0]; i++)
        tni_col_fini(cols[i]);
    for (int i = 0; i < TN_NUM_COUNT; i++) tni_sparse_fini(&d->num[i]);
    for (int i = 0; i < TN_TEXT_COUNT; i++) {
        tni_sparse_fini(&d->text[i]);
        tni_sparse_fini(&d->image_text[i]);
        tni_sparse_fini(&d->class_text[i]);
    }
    tni_sparse_fini(&d->image_bytes);
    tni_sparse_fini(&d->image_files);
    tni_sparse_fini(&d->shape);
    tni_sparse_fini(&d->keypoints);
    if (d->first != NULL)
        tni_mem_free(&d->mem, d->first, d->index_bytes, _Alignof(uint32_t));
    tni_arena_fini(&d->arena);
    const tn_allocator a = d->mem.allocator;
    a.free(a.ctx, d, sizeof *d, _Alignof(tn_dataset));
}

/* --- texts and files ----------------------------------------------------- */

const char *tni_keep(tn_dataset *d, const char *text, size_t len)
{
    return tni_arena_strndup(&d->arena, text, len);
}

const char *tni_intern(tn_dataset *d, const char *text, size_t len)
{
    void **found = tni_strmap_find(&d->names, text, len);
    if (found != NULL) return *found;
    char *copy = tni_arena_strndup(&d->arena, text, len);
    bool fresh = false;
    if (copy == NULL) return NULL;
    void **slot = tni_strmap_add(&d->names, copy, len, &fresh);
    if (slot == NULL) return NULL;
    *slot = copy;
    return copy;
}

const char *tni_keep_json(tn_dataset *d, tni_span raw, bool escaped)
{
    return escaped ? tni_json_unescape(&d->arena, raw, NULL)
                   : tni_arena_strndup(&d->arena, raw.p, raw.len);
}

tn_status tni_source_add(tn_dataset *d, const char *path, uint32_t *source,
                         tn_err *err)
{
    if (d->sources.n >= MAX_SOURCES)
        return tni_fail(err, TN_ELIMIT, "a dataset of more than %d files",
                        (int)MAX_SOURCES);
    const char *copy = tni_keep(d, path, strlen(path));
    tni_source *s = copy != NULL ? tni_col_add(&d->sources) : NULL;
    if (s == NULL) return no_memory(err);
    s->path = copy;
    *source = d->sources.n - 1;
    return TN_OK;
}

bool tni_is_unpacked(const tn_dataset *d, const char *path)
{
    if (d->unpacked == NULL) return false;
    /* Joined to the folder it lies in. */
    if (strncmp(path, "./", 2) == 0 && strncmp(d->unpacked, "./", 2) != 0)
        path += 2;
    return strcmp(path, d->unpacked) == 0;
}

static tn_status unpack(tn_dataset *d, tni_span *text, tn_err *err)
{
    const uint64_t size = tni_gzip_size(text->p, text->len);
    if (size > d->limits.max_file_bytes)
        return tni_fail(err, TN_ELIMIT,
                        "gzip says that it holds %llu bytes; the limit for a "
                        "file is %llu",
                        (unsigned long long)size,
                        (unsigned long long)d->limits.max_file_bytes);
    return tni_gunzip(text, &d->arena, err);
}

tn_status tni_source_open(tn_dataset *d, const char *path, uint32_t *source,
                          tni_span *text, tn_err *err)
{
    const bool packed = tni_is_unpacked(d, path);
    if (packed) path = d->path;
    TN_TRY(tni_source_add(d, path, source, err));
    tni_source *s = TNI_ROW(&d->sources, tni_source, *source);
    TN_TRY(tni_file_map_open(&s->map, path, d->limits.max_file_bytes, err));
    text->p = s->map.size > 0 ? (const char *)s->map.bytes : "";
    text->len = s->map.size;
    if (packed) {
        const tn_status status = unpack(d, text, err);
        tni_file_map_close(&s->map);
        return status;
    }
    if (s->map.size > SMALL_FILE) return TN_OK;
    /* A mapping costs a page and a slot of the kernel's table. */
    text->p = tni_keep(d, text->p, text->len);
    tni_file_map_close(&s->map);
    return text->p != NULL ? TN_OK : no_memory(err);
}

/* --- rows ---------------------------------------------------------------- */

tn_status tni_add_split(tn_dataset *d, const char *name, size_t len,
                        uint32_t *split, tn_err *err)
{
    const char *text = tni_intern(d, name, len);
    if (text == NULL) return no_memory(err);
    for (uint32_t i = 0; i < d->n_splits; i++)
        if (d->splits[i] == text) {
            *split = i;
            return TN_OK;
        }
    if (d->n_splits == TNI_MAX_SPLITS)
        return tni_fail(err, TN_ELIMIT,
                        "more than %d splits; '%.60s' is one too many",
                        (int)TNI_MAX_SPLITS, text);
    d->splits[d->n_splits] = text;
    *split = d->n_splits++;
    return TN_OK;
}

static uint32_t class_of_slot(void *const *slot)
{
    return (uint32_t)((uintptr_t)*slot - 1);
}

/* The first class of a name keeps it. */
static bool index_class(tn_dataset *d, uint32_t cls)
{
    const char *name = tni_class_at(d, cls)->name;
    bool fresh = false;
    void **slot = tni_strmap_add(&d->class_names, name, strlen(name), &fresh);
    if (slot == NULL) return false;
    if (fresh || strcmp(tni_class_at(d, class_of_slot(slot))->name, name) != 0)
        *slot = (void *)((uintptr_t)cls + 1);
    return true;
}

tn_status tni_add_class(tn_dataset *d, const tni_class_row *row,
                        uint32_t *index, tn_err *err)
{
    tni_class_row *c = tni_col_add(&d->classes);
    if (c == NULL || row->name == NULL) return no_memory(err);
    *c = *row;
    *index = d->classes.n - 1;
    return index_class(d, *index) ? TN_OK : no_memory(err);
}

uint32_t tni_find_class(const tn_dataset *d, const char *name)
{
    void **slot = tni_strmap_find(&d->class_names, name, strlen(name));
    const uint32_t cls = slot != NULL ? class_of_slot(slot) : TN_NONE;
    /* The name may be one that its class had before. */
    return cls != TN_NONE && strcmp(tni_class_at(d, cls)->name, name) == 0
               ? cls
               : TN_NONE;
}

tn_status tni_rename_class(tn_dataset *d, uint32_t cls, const char *name,
                           tn_err *err)
{
    if (name == NULL) return no_memory(err);
    tni_class_at(d, cls)->name = name;
    return index_class(d, cls) ? TN_OK : no_memory(err);
}

tn_status tni_add_image(tn_dataset *d, const tni_image_row *row,
                        uint32_t *index, tn_err *err)
{
    tni_image_row *image = tni_col_add(&d->images);
    if (image == NULL || row->name == NULL) return no_memory(err);
    *image = *row;
    *index = d->images.n - 1;
    return TN_OK;
}

tn_status tni_add_annotation(tn_dataset *d, const tni_ann *ann, uint32_t *index,
                             tn_err *err)
{
    if ((ann->image != TN_NONE && ann->image >= d->images.n) ||
        (ann->class_index != TN_NONE && ann->class_index >= d->classes.n))
        return tni_fail(err, TN_EINTERNAL,
                        "an annotation of image %u and class %u, which are "
                        "not there",
                        (unsigned)ann->image, (unsigned)ann->class_index);
    tni_ann *row = tni_col_add(&d->anns);
    if (row == NULL) return no_memory(err);
    *row = *ann;
    *index = d->anns.n - 1;
    return TN_OK;
}

tn_status tni_set_num(tn_dataset *d, uint32_t ann, tn_num kind, double v,
                      tn_err *err)
{
    double *to = tni_sparse_add(&d->num[kind], ann);
    if (to == NULL) return no_memory(err);
    *to = v;
    *tni_flags_at(d, ann) |=
        TN_HAS_NUM | (kind == TN_NUM_ANGLE ? (uint32_t)TN_HAS_ANGLE : 0u);
    return TN_OK;
}

static tn_status set_text(tni_sparse *s, uint32_t key, tni_span text,
                          tn_err *err)
{
    tni_span *to = tni_sparse_add(s, key);
    if (to == NULL) return no_memory(err);
    *to = text;
    return TN_OK;
}

tn_status tni_set_text(tn_dataset *d, uint32_t ann, tn_text kind, tni_span text,
                       tn_err *err)
{
    TN_TRY(set_text(&d->text[kind], ann, text, err));
    *tni_flags_at(d, ann) |= TN_HAS_TEXT;
    return TN_OK;
}

tn_status tni_set_image_text(tn_dataset *d, uint32_t image, tn_text kind,
                             tni_span text, tn_err *err)
{
    return set_text(&d->image_text[kind], image, text, err);
}

tn_status tni_set_image_bytes(tn_dataset *d, uint32_t image, tni_span bytes,
                              tn_err *err)
{
    return set_text(&d->image_bytes, image, bytes, err);
}

tn_status tni_add_image_file(tn_dataset *d, uint32_t image, const char *ending,
                             tni_span bytes, tn_err *err)
{
    tni_image_file *to = tni_sparse_add(&d->image_files, image);
    if (to == NULL) return no_memory(err);
    to->ending = tni_keep(d, ending, strlen(ending));
    to->bytes = bytes;
    return to->ending != NULL ? TN_OK : no_memory(err);
}

tn_status tni_set_class_text(tn_dataset *d, uint32_t cls, tn_text kind,
                             tni_span text, tn_err *err)
{
    return set_text(&d->class_text[kind], cls, text, err);
}

tn_status tni_set_shape(tn_dataset *d, uint32_t ann, const tni_shape *shape,
                        tn_err *err)
{
    tni_shape *to = tni_sparse_add(&d->shape, ann);
    if (to == NULL) return no_memory(err);
    *to = *shape;
    *tni_flags_at(d, ann) |= TN_HAS_SHAPE;
    return TN_OK;
}

tn_status tni_set_keypoints(tn_dataset *d, uint32_t ann, const tni_shape *shape,
                            tn_err *err)
{
    tni_shape *to = tni_sparse_add(&d->keypoints, ann);
    if (to == NULL) return no_memory(err);
    *to = *shape;
    *tni_flags_at(d, ann) |= TN_HAS_KEYPOINTS;
    return TN_OK;
}

tn_status tni_add_meta(tn_dataset *d, const tni_meta *meta, tn_err *err)
{
    tni_meta *to = tni_col_add(&d->metas);
    if (to == NULL || meta->key == NULL) return no_memory(err);
    *to = *meta;
    return TN_OK;
}

tn_status tni_note_add(tn_dataset *d, uint64_t where, const char *code,
                       tn_err *err, const char *fmt, ...)
{
    for (uint32_t i = 0; i < d->notes.n; i++) {
        tni_note *n = TNI_ROW(&d->notes, tni_note, i);
        if (strcmp(n->code, code) != 0) continue;
        n->count++;
        return TN_OK;
    }
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    tni_note *n = tni_col_add(&d->notes);
    if (n == NULL) return no_memory(err);
    n->code = code;
    n->message = tni_keep(d, text, strlen(text));
    n->count = 1;
    n->where = where;
    return n->message != NULL ? TN_OK : no_memory(err);
}

/* --- sealing ------------------------------------------------------------- */

bool tni_dataset_sort(tn_dataset *d)
{
    bool ok = tni_sparse_sort(&d->shape) && tni_sparse_sort(&d->keypoints) &&
              tni_sparse_sort(&d->image_bytes) &&
              tni_sparse_sort(&d->image_files);
    for (int i = 0; i < TN_NUM_COUNT; i++)
        ok = ok && tni_sparse_sort(&d->num[i]);
    for (int i = 0; i < TN_TEXT_COUNT; i++)
        ok = ok && tni_sparse_sort(&d->text[i]) &&
             tni_sparse_sort(&d->image_text[i]) &&
             tni_sparse_sort(&d->class_text[i]);
    return ok;
}

void tni_dataset_drop(const tn_dataset *d)
{
    for (uint32_t i = 0; i < d->sources.n; i++)
        tni_file_map_drop(&TNI_ROW(&d->sources, tni_source, i)->map);
}

void tni_dataset_clear(tn_dataset *d)
{
    tni_col_clear(&d->anns);
    for (int i = 0; i < TN_NUM_COUNT; i++) tni_sparse_clear(&d->num[i]);
    for (int i = 0; i < TN_TEXT_COUNT; i++) tni_sparse_clear(&d->text[i]);
    tni_sparse_clear(&d->shape);
    tni_sparse_clear(&d->keypoints);
    if (d->first != NULL)
        tni_mem_free(&d->mem, d->first, d->index_bytes, _Alignof(uint32_t));
    d->first = d->order = NULL;
}

tn_status tni_dataset_seal(tn_dataset *d, tn_err *err)
{
    if (!tni_dataset_sort(d)) return no_memory(err);
    const uint32_t n = d->anns.n, images = d->images.n;
    const size_t len = (size_t)images + 2 + n;
    d->index_bytes = len * sizeof(uint32_t);
    d->first = tni_mem_alloc(&d->mem, d->index_bytes, _Alignof(uint32_t));
    if (d->first == NULL) return no_memory(err);
    memset(d->first, 0, d->index_bytes);
    d->order = d->first + images + 2;
    /* Counts shifted by two, so that filling leaves the starts in place. */
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t image = tni_ann_at(d, i)->image;
        if (image != TN_NONE) d->first[image + 2]++;
    }
    for (uint32_t i = 0; i < images; i++) {
        if (d->first[i + 2] > 0) tni_image_at(d, i)->state = TN_STATE_ANNOTATED;
        d->first[i + 2] += d->first[i + 1];
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t image = tni_ann_at(d, i)->image;
        if (image != TN_NONE) d->order[d->first[image + 1]++] = i;
    }
    return TN_OK;
}
