/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_labelme.c - LabelMe: one JSON per image
 *
 * A folder of JSON files (below it too), or one of them. `imagePath` is from
 * the folder of the file and may have backslashes. A file without shapes says
 * that its image has no objects; an image without a file is unlabelled.
 *
 * What is where in the model: `flags` of an image are its attributes, `flags`
 * of a shape are its attributes (X-AnyLabeling's `attributes` where they are
 * not only true and false), `group_id` is the group, a circle an ellipse of
 * equal radii, a mask runs. Embedded `imageData` are kept as they are. The
 * coordinates are those of the image as shown: LabelMe turns it by its EXIF.
 *
 * `version` is the format's own mark and not kept; of two points, line and
 * linestrip are the same.
 *
 * Source: github.com/wkentaro/labelme, labelme/_label_file.py and shape.py
 */
#include "data/formats/labelme.h"

static int probe(const tni_probe *p)
{
    tni_span head = p->head;
    int score = 80;
    if (p->is_dir) {
        head.len = 0;
        score = 75;
        for (size_t i = 0; i < p->n_entries && head.len == 0; i++)
            if (!p->entries[i].is_dir &&
                tni_ends_with(p->entries[i].name, ".json"))
                head = tni_probe_head(
                    p, tni_join(p->r, p->path, p->entries[i].name));
    }
    if (head.len == 0 || !tni_has_text(head, "\"shapes\"")) return 0;
    return tni_has_text(head, "\"imagePath\"") ||
                   tni_has_text(head, "\"shape_type\"") ||
                   tni_has_text(head, "\"imageData\"")
               ? score
               : 0;
}

/* Ellipses that are no circles stay out. */
static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_labelme.keeps;
    tn_shape s = TN_SHAPE_INIT;
    (void)variant;
    for (uint32_t i = 0; counts[TNI_F_ELLIPSE] > 0 && i < d->anns.n; i++) {
        if ((*tni_flags_at(d, i) & TN_HAS_SHAPE) == 0 ||
            tn_dataset_shape(d, i, &s, NULL) != TN_OK ||
            s.kind != TN_SHAPE_ELLIPSE)
            continue;
        if (s.n_points < 2 || s.xy[2] != s.xy[3]) keeps &= ~TNI_KEEPS(ELLIPSE);
    }
    tn_shape_fini(&s);
    return keeps;
}

const tni_format tni_format_labelme = {
    .name = "labelme",
    .title = "LabelMe JSON",
    .files = "*.json",
    .source = "https://github.com/wkentaro/labelme",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(OBB) | TNI_KEEPS(POLYGON) |
             TNI_KEEPS(MASK) | TNI_KEEPS(POLYLINE) | TNI_KEEPS(POINTS) |
             TNI_KEEPS(ELLIPSE) | TNI_KEEPS(ATTRIBUTES) | TNI_KEEPS(EXTRA) |
             TNI_KEEPS(DIFFICULT) | TNI_KEEPS(SCORE) | TNI_KEEPS(GROUP) |
             TNI_KEEPS(SIZE) | TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(EMPTY) |
             TNI_KEEPS(DEGENERATE),
    .flags = TNI_FORMAT_STEMS | TNI_FORMAT_SEEN_CLASSES,
    .probe = probe,
    .read = tni_labelme_read,
    .plan = plan,
    .write = tni_labelme_write,
};
