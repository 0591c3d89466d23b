/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_via.c - VGG Image Annotator 2: one JSON for all images
 *
 * A project, or the annotations alone (its `_via_img_metadata`), or the table of
 * them that VIA exports (via_csv.c). Regions are a list, or an object numbered
 * from "0" as version 1 has them.
 *
 * VIA knows attributes, not classes. The class is the first attribute in use
 * or declared of: label, class, class_name, category, name, type, object; else
 * the only one there is. A checkbox with one mark is that class; with several
 * the region has none and a note says so. All else is attributes.
 *
 * There are no sizes of images: headers must be read. `size` is that of the
 * file in bytes; it is kept where it is not that of the file found.
 *
 * Source: gitlab.com/vgg/via, via-2.x.y/src/via.js
 */
#include "data/formats/via.h"

static int score_head(tni_span head)
{
    if (tni_via_is_csv(head)) return 95;
    if (tni_has_text(head, "\"_via_img_metadata\"")) return 95;
    if (tni_has_text(head, "\"_via_settings\"")) return 95;
    return tni_has_text(head, "\"file_attributes\"") &&
                   tni_has_text(head, "\"regions\"")
               ? 85
               : 0;
}

static int probe(const tni_probe *p)
{
    int best = 0;
    if (!p->is_dir) return score_head(p->head);
    for (size_t i = 0; i < p->n_entries; i++) {
        if (p->entries[i].is_dir ||
            (!tni_ends_with(p->entries[i].name, ".json") &&
             !tni_ends_with(p->entries[i].name, ".csv")))
            continue;
        const int score = score_head(
            tni_probe_head(p, tni_join(p->r, p->path, p->entries[i].name)));
        if (score > best) best = score;
    }
    return best;
}

/* Whether an annotation with a class has an attribute that is called like what
 * the class is written as. */
static bool taken(const tn_dataset *d, const char *name)
{
    const tni_sparse *s = &d->text[TN_TEXT_ATTRIBUTES];
    for (uint32_t i = 0; i < s->values.n; i++) {
        const tni_span *object = TNI_ROW(&s->values, tni_span, i);
        const uint32_t ann = *TNI_ROW(&s->keys, uint32_t, i);
        tni_json j;
        tni_span key;
        if (tni_ann_at(d, ann)->class_index == TN_NONE) continue;
        tni_json_init(&j, object->p, object->len, 0, NULL);
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key)) {
                if (tni_json_text_is(key, name)) return true;
                if (!tni_json_skip(&j, NULL)) break;
            }
    }
    return false;
}

/* A table has the size of a file, and nothing else that is not VIA's: no
 * project, no list of classes. */
static uint64_t lost_in_csv(const tn_dataset *d)
{
    uint64_t lost = TNI_KEEPS(EXTRA) | TNI_KEEPS(UNUSED) |
                    TNI_KEEPS(CLASS_ORDER) | TNI_KEEPS(CLASS_ID);
    const tni_sparse *s = &d->image_text[TN_TEXT_EXTRA];
    for (uint32_t i = 0; i < s->values.n; i++)
        if (!tni_via_is_size(TNI_ROW(&s->values, tni_span, i)))
            lost |= TNI_KEEPS(IMAGE_EXTRA);
    for (uint32_t i = 0; i < d->metas.n; i++)
        if (strcmp(TNI_ROW(&d->metas, tni_meta, i)->key, TNI_VIA_CLASS) != 0)
            lost |= TNI_KEEPS(META);
    return lost;
}

/* Points are one by one; an attribute cannot be called like the class. */
static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_via.keeps;
    tn_shape s = TN_SHAPE_INIT;
    if (*variant == NULL) *variant = "json";
    /* A list in the order of ids that count from 0 says them. */
    if (counts[TNI_F_CLASS_ID] == 0) keeps |= TNI_KEEPS(CLASS_ID);
    if (strcmp(*variant, "csv") == 0) keeps &= ~lost_in_csv(d);
    tni_mem mem;
    tni_arena arena;
    for (uint32_t i = 0; counts[TNI_F_POINTS] > 0 && i < d->anns.n; i++) {
        if ((*tni_flags_at(d, i) & TN_HAS_SHAPE) == 0 ||
            tn_dataset_shape(d, i, &s, NULL) != TN_OK ||
            s.kind != TN_SHAPE_POINTS)
            continue;
        if (s.n_points != 1) keeps &= ~TNI_KEEPS(POINTS);
    }
    tn_shape_fini(&s);
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 12);
    if (counts[TNI_F_ATTRIBUTES] > 0 && taken(d, tni_via_class_key(d, &arena)))
        keeps &= ~TNI_KEEPS(ATTRIBUTES);
    tni_arena_fini(&arena);
    return keeps;
}

const tni_format tni_format_via = {
    .name = "via",
    .title = "VGG Image Annotator 2",
    .files = "*.json",
    .source = "https://gitlab.com/vgg/via",
    .variants = "json csv",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(POLYGON) | TNI_KEEPS(POLYLINE) |
             TNI_KEEPS(POINTS) | TNI_KEEPS(ELLIPSE) | TNI_KEEPS(ATTRIBUTES) |
             TNI_KEEPS(EXTRA) | TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(META) |
             TNI_KEEPS(EMPTY) | TNI_KEEPS(CLASSLESS) | TNI_KEEPS(DEGENERATE) |
             TNI_KEEPS(UNUSED) | TNI_KEEPS(CLASS_ORDER),
    .flags = TNI_FORMAT_ONE_FILE | TNI_FORMAT_SEEN_CLASSES,
    .probe = probe,
    .read = tni_via_read,
    .plan = plan,
    .write = tni_via_write,
};
