/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coco_captions.c - captions beside instances
 *
 * Captions have no class, and pycocotools looks up the class of every
 * annotation where there is a list of classes. COCO has them in files of their
 * own, captions_val2017.json beside instances_val2017.json, which repeat the
 * images; so they are written, and read as one dataset.
 */
#include "data/formats/coco.h"

#include "data/formats/jsonfile.h"

#include <stdio.h>

bool tni_coco_is_caption(const tn_dataset *d, uint32_t i)
{
    return tni_ann_at(d, i)->class_index == TN_NONE &&
           tni_sparse_find(&d->text[TN_TEXT_CAPTION], i, 0) != NULL;
}

bool tni_coco_captions_apart(const tn_dataset *d)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->anns.n; i++) n += tni_coco_is_caption(d, i);
    return n > 0 && (n < d->anns.n || d->classes.n > 0);
}

/* --- images that are repeated --------------------------------------------- */

static bool key_of(char key[4400], uint32_t split, const char *name)
{
    const int n = snprintf(key, 4400, "%u/%s", (unsigned)split, name);
    return n > 0 && n < 4400;
}

tn_status tni_coco_know_images(tni_coco_known *k, const tn_dataset *d,
                               tni_arena *arena, tn_err *err)
{
    char key[4400];
    tni_strmap_init(&k->map, arena);
    k->n_images = d->images.n;
    for (uint32_t i = 0; i < d->images.n; i++) {
        const tni_image_row *row = tni_image_at(d, i);
        bool fresh = false;
        if (!key_of(key, tni_first_split(row), row->name)) continue;
        const char *copy = tni_arena_strndup(arena, key, strlen(key));
        void **slot = copy != NULL
                          ? tni_strmap_add(&k->map, copy, strlen(copy), &fresh)
                          : NULL;
        if (slot == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        if (fresh) *slot = (void *)((uintptr_t)i + 1);
    }
    return TN_OK;
}

uint32_t tni_coco_known_image(const tni_coco_known *k, uint32_t split,
                              const char *name)
{
    char key[4400];
    if (k == NULL || !key_of(key, split, name)) return TN_NONE;
    void **slot = tni_strmap_find(&k->map, key, strlen(key));
    return slot != NULL ? (uint32_t)((uintptr_t)*slot - 1) : TN_NONE;
}

static tn_status differs(tn_dataset *d, uint64_t where, const char *what,
                         tn_err *err)
{
    return tni_note_add(d, where, "captions-differ", err,
                        "%s of the captions differs from the one beside it, "
                        "which is used",
                        what);
}

static bool same_id(const tni_image_row *a, const tni_image_row *b)
{
    if (a->id_kind != b->id_kind) return false;
    if (a->id_kind != TN_ID_TEXT) return a->id == b->id;
    return strcmp((const char *)(intptr_t)a->id,
                  (const char *)(intptr_t)b->id) == 0;
}

tn_status tni_coco_repeat_image(tn_dataset *d, uint32_t image,
                                const tni_image_row *again, tn_err *err)
{
    tni_image_row *row = tni_image_at(d, image);
    if (!same_id(row, again))
        TN_TRY(differs(d, again->where, "the id of an image", err));
    if (again->width == 0 && again->height == 0) return TN_OK;
    if (row->width == 0 && row->height == 0) {
        row->width = again->width;
        row->height = again->height;
    }
    return row->width == again->width && row->height == again->height
               ? TN_OK
               : differs(d, again->where, "the size of an image", err);
}

static bool same_text(tni_span a, tni_span b)
{
    return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

tn_status tni_coco_repeat_member(tn_dataset *d, uint32_t image, tni_span member,
                                 uint64_t where, tn_err *err)
{
    tni_span key, value, old_key, old;
    if (!tni_json_split(member, &key, &value)) return TN_OK;
    for (uint32_t k = 0;; k++) {
        const tni_span *m =
            tni_sparse_find(&d->image_text[TN_TEXT_EXTRA], image, k);
        if (m == NULL) break;
        if (!tni_json_split(*m, &old_key, &old) || !same_text(key, old_key))
            continue;
        return same_text(value, old)
                   ? TN_OK
                   : differs(d, where, "a field of an image", err);
    }
    return tni_set_image_text(d, image, TN_TEXT_EXTRA, member, err);
}

tn_status tni_coco_repeat_meta(tn_dataset *d, const tni_meta *meta, tn_err *err)
{
    for (uint32_t i = 0; i < d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&d->metas, tni_meta, i);
        if (m->split != meta->split || strcmp(m->key, meta->key) != 0) continue;
        return same_text(m->value, meta->value)
                   ? TN_OK
                   : differs(d, meta->where, "a field of the file", err);
    }
    return tni_add_meta(d, meta, err);
}
