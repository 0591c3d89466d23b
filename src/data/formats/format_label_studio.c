/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_label_studio.c - Label Studio: tasks with annotations and predictions
 *
 * A file of JSON or JSON-MIN, or a folder of them ("tasks.json" and "images"
 * where this library wrote it). Coordinates are percents of an image's width
 * and height; a rectangle turns about its top left corner; a brush is runs of
 * the bytes of an RGBA image. Browsers turn images by their EXIF, so that sizes
 * and coordinates are upright.
 *
 * What is where in the model: an image is called by the path of its reference,
 * without host and query; an upload is upload/<project>/<file>. Results of one
 * id are one region: `labels` are its classes (a row for each), choices,
 * texts, numbers, ratings, dates and taxonomies its attributes, a text that
 * `caption` gives its caption. Keypoints whose parent has a class are its
 * named points, `hidden` ones not visible; their names and order are those of
 * the member `keypoints`, which only this library writes, else of the file.
 * Choices and taxonomies without a region are classes of the image, texts
 * captions. `meta` of a task are the image's attributes.
 *
 * What says more than rows hold is kept: members of a task as fields of its
 * image; those of each annotation but its results, results that are no rows
 * (relations, regions of video) and annotations that were cancelled in
 * `annotation_info`, `prediction_info`; of several annotations each row says
 * which is its own. The controls (`from_name`) are a field of the dataset.
 *
 * The labelling interface (label_config.xml beside the tasks, else the one XML
 * file there with a <View>) lists the classes in their order, `category` their
 * ids; a `model_index` makes labels of keypoints named points. It is written
 * beside tasks.json: as it was read while it lists the classes of the dataset,
 * else made of the controls that results name.
 *
 * Source: github.com/HumanSignal/label-studio-sdk, converter; labelstud.io
 */
#include "data/formats/label_studio.h"

static int score_head(tni_span head)
{
    size_t i = 0;
    while (i < head.len && (unsigned char)head.p[i] <= ' ') i++;
    if (i + 3 < head.len && memcmp(head.p + i, "\xef\xbb\xbf", 3) == 0) i += 3;
    if (i == head.len || (head.p[i] != '[' && head.p[i] != '{')) return 0;
    const bool sets = tni_has_text(head, "\"annotations\"") ||
                      tni_has_text(head, "\"completions\"") ||
                      tni_has_text(head, "\"predictions\"");
    if (sets && tni_has_text(head, "\"data\"") &&
        !tni_has_text(head, "\"categories\""))
        return 88;
    if (head.p[i] != '[') return 0;
    if (tni_has_text(head, "\"annotation_id\"") &&
        (tni_has_text(head, "\"lead_time\"") ||
         tni_has_text(head, "\"original_width\"") ||
         tni_has_text(head, "/data/local-files/")))
        return 86;
    return tni_has_text(head, "\"original_width\"") &&
                   tni_has_text(head, "labels\"")
               ? 85
               : 0;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return score_head(p->head);
    for (size_t i = 0; i < p->n_entries; i++)
        if (!p->entries[i].is_dir && tni_ends_with(p->entries[i].name, ".json"))
            return score_head(
                tni_probe_head(p, tni_join(p->r, p->path, p->entries[i].name)));
    return 0;
}

/* --- what of it can be held ------------------------------------------------------- */

/* Ids are texts; a region with attributes must have one. */
static uint64_t lost_of_row(const tn_dataset *d, uint32_t i, tn_shape *s)
{
    const uint32_t flags = *tni_flags_at(d, i);
    const tni_span *a = tni_sparse_find(&d->text[TN_TEXT_ATTRIBUTES], i, 0);
    const tni_shape *cell = tni_sparse_find(&d->shape, i, 0);
    uint64_t lost = 0;
    double out[5];
    if (tni_ann_id_kind(flags) == TN_ID_INT) lost |= TNI_KEEPS(ANN_ID);
    if (a != NULL && ((flags & (TN_HAS_BOX | TN_HAS_SHAPE)) == 0 ||
                      !tni_ls_plain_attributes(*a)))
        lost |= TNI_KEEPS(ATTRIBUTES);
    const bool classed = tni_ann_at(d, i)->class_index != TN_NONE;
    if ((flags & TN_IS_TAG) != 0 && !classed) lost |= TNI_KEEPS(CLASSLESS);
    if (classed && (flags & (TN_HAS_BOX | TN_HAS_SHAPE)) == 0 &&
        tni_sparse_find(&d->text[TN_TEXT_CAPTION], i, 0) != NULL)
        lost |= TNI_KEEPS(CAPTION);
    if (cell == NULL ||
        (cell->kind != TN_SHAPE_POINTS && cell->kind != TN_SHAPE_QUAD) ||
        tn_dataset_shape(d, i, s, NULL) != TN_OK)
        return lost;
    if (s->kind == TN_SHAPE_POINTS && s->n_points != 1)
        lost |= TNI_KEEPS(POINTS);
    if (s->kind == TN_SHAPE_QUAD &&
        (s->n_points != 4 || !tni_quad_is_rectangle(s->xy, out)))
        lost |= TNI_KEEPS(OBB);
    return lost;
}

/* Points need a region, and names that tell them apart. */
static bool holds_points(const tn_dataset *d)
{
    tn_shape s = TN_SHAPE_INIT;
    bool ok = true;
    for (uint32_t c = 0; c < d->classes.n && ok; c++) {
        const tni_class_row *row = tni_class_at(d, c);
        const uint32_t n = row->keypoints != NULL ? row->n_keypoints : 0;
        for (uint32_t k = 0; k < n && ok; k++) {
            ok = n <= 4096 && row->keypoints[k][0] != '\0';
            for (uint32_t m = 0; m < k && ok; m++)
                ok = strcmp(row->keypoints[k], row->keypoints[m]) != 0;
        }
    }
    for (uint32_t i = 0; i < d->keypoints.keys.n && ok; i++) {
        const uint32_t ann = *TNI_ROW(&d->keypoints.keys, uint32_t, i);
        const uint32_t flags = *tni_flags_at(d, ann);
        const uint32_t cls = tni_ann_at(d, ann)->class_index;
        const tni_shape *cell = tni_sparse_find(&d->shape, ann, 0);
        ok = cls != TN_NONE && (flags & TN_IS_TAG) == 0 &&
             ((flags & TN_HAS_BOX) != 0 ||
              (cell != NULL && cell->kind == TN_SHAPE_POLYGON)) &&
             tn_dataset_keypoints(d, ann, &s, NULL) == TN_OK &&
             s.n_points == tni_class_at(d, cls)->n_keypoints;
    }
    tn_shape_fini(&s);
    return ok;
}

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_label_studio.keeps;
    tn_shape s = TN_SHAPE_INIT;
    if (*variant == NULL) *variant = "full";
    for (uint32_t i = 0; i < d->anns.n; i++) keeps &= ~lost_of_row(d, i, &s);
    tn_shape_fini(&s);
    if (counts[TNI_F_KEYPOINTS] > 0 && !holds_points(d))
        keeps &= ~(TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY) |
                   TNI_KEEPS(KEYPOINT_NAMES));
    for (uint32_t i = 0; i < d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&d->metas, tni_meta, i);
        const bool config = strcmp(m->key, TNI_LS_CONFIG) == 0;
        if ((strcmp(m->key, TNI_LS_CONTROLS) != 0 && !config &&
             strncmp(m->key, "task@", 5) != 0) ||
            (config && !tni_ls_config_fits(d, m->value)))
            keeps &= ~TNI_KEEPS(META);
    }
    for (uint32_t i = 0; i < d->classes.n; i++)
        if (tni_class_at(d, i)->id_kind == TN_ID_TEXT ||
            tni_find_class(d, tni_class_at(d, i)->name) != i)
            keeps &= ~TNI_KEEPS(CLASS_ID);
    if (strcmp(*variant, "min") == 0)
        keeps &= TNI_KEEPS(CLASS_ID) | TNI_KEEPS(BOX) | TNI_KEEPS(OBB) |
                 TNI_KEEPS(POLYGON) | TNI_KEEPS(MASK) | TNI_KEEPS(POINTS) |
                 TNI_KEEPS(ELLIPSE) | TNI_KEEPS(TAG) | TNI_KEEPS(DEGENERATE) |
                 TNI_KEEPS(IMAGE_ID) | TNI_KEEPS(SIZE) | TNI_KEEPS(EMPTY) |
                 TNI_KEEPS(UNKNOWN);
    return keeps;
}

/* One file of tasks has no labelling interface beside it. */
static uint64_t plan_file(const tn_dataset *d, const char **variant,
                          uint64_t keeps)
{
    (void)variant;
    for (uint32_t i = 0; i < d->metas.n; i++)
        if (strcmp(TNI_ROW(&d->metas, tni_meta, i)->key, TNI_LS_CONFIG) == 0)
            keeps &= ~TNI_KEEPS(META);
    return keeps & ~TNI_KEEPS(CLASS_ID);
}

const tni_format tni_format_label_studio = {
    .name = "label-studio",
    .title = "Label Studio JSON",
    .files = "*.json",
    .source = "https://labelstud.io/guide/export",
    .variants = "full min",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(OBB) | TNI_KEEPS(POLYGON) |
             TNI_KEEPS(MASK) | TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY) |
             TNI_KEEPS(KEYPOINT_NAMES) | TNI_KEEPS(POINTS) |
             TNI_KEEPS(ELLIPSE) | TNI_KEEPS(TAG) | TNI_KEEPS(CAPTION) |
             TNI_KEEPS(ATTRIBUTES) | TNI_KEEPS(EXTRA) | TNI_KEEPS(SCORE) |
             TNI_KEEPS(ANN_ID) | TNI_KEEPS(IMAGE_ID) | TNI_KEEPS(CLASS_ID) |
             TNI_KEEPS(SIZE) | TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(META) |
             TNI_KEEPS(EMPTY) | TNI_KEEPS(UNKNOWN) | TNI_KEEPS(CLASSLESS) |
             TNI_KEEPS(DEGENERATE),
    .flags = TNI_FORMAT_ONE_FILE | TNI_FORMAT_UNITS | TNI_FORMAT_FILE_SEEN,
    .probe = probe,
    .read = tni_ls_read,
    .plan = plan,
    .plan_file = plan_file,
    .write = tni_ls_write,
};
