/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_ndjson.c - Ultralytics NDJSON: a record a line
 *
 * The first line is the dataset's ("dataset": task, class_names, kpt_shape),
 * every further one an image's, whose annotations are rows of numbers as in
 * YOLO's label files: boxes, segments (of which one of five numbers is a box),
 * pose, obb, or numbers of classes. Coordinates are parts of the image. An
 * image without `annotations` is unlabelled. Addresses (`url`) are kept and
 * never fetched; `download`, on which Ultralytics acts, is not written.
 *
 * Names of classes are by number; where those do not count from 0 in order
 * they are kept as ids. Images lie in images/<split>, below `path` where the
 * dataset says one.
 *
 * Source: docs.ultralytics.com/datasets/detect (Ultralytics NDJSON format);
 * ultralytics/data/converter.py
 */
#include "data/formats/ndjson.h"

const tni_nd_name tni_nd_names[TNI_ND_TASKS] = {
    {"", ""},         {"detect", "boxes"}, {"segment", "segments"},
    {"pose", "pose"}, {"obb", "obb"},      {"classify", "classification"},
};

static int score_head(tni_span head)
{
    size_t n = 0;
    while (n < head.len && head.p[n] != '\n') n++;
    const tni_span line = {head.p, n};
    tni_span type;
    size_t at = 0;
    if (n >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0) at = 3;
    if (at == n || line.p[at] != '{') return 0;
    if (tni_has_text(line, "\"class_names\"") &&
        tni_has_text(line, "\"type\"") && tni_has_text(line, "\"dataset\""))
        return 92;
    return tni_json_member(line, "type", &type) &&
                   (tni_span_is(type, "\"dataset\"") ||
                    (tni_span_is(type, "\"image\"") &&
                     tni_has_text(line, "\"file\"")))
               ? 85
               : 0;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return score_head(p->head);
    for (size_t i = 0; i < p->n_entries; i++)
        if (!p->entries[i].is_dir &&
            tni_ends_with(p->entries[i].name, ".ndjson") &&
            score_head(tni_probe_head(
                p, tni_join(p->r, p->path, p->entries[i].name))) > 0)
            return 90;
    return 0;
}

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = TNI_KEEPS(BOX) | TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY) |
                     TNI_KEEPS(UNKNOWN) | TNI_KEEPS(UNUSED) | TNI_KEEPS(SIZE) |
                     TNI_KEEPS(META);
    const uint64_t shapes = counts[TNI_F_POLYGON] + counts[TNI_F_MASK];
    if (*variant == NULL)
        *variant = counts[TNI_F_KEYPOINTS] > 0 ? "pose"
                   : counts[TNI_F_OBB] > 0     ? "obb"
                   : shapes > 0                ? "segment"
                   : counts[TNI_F_TAG] > 0 && counts[TNI_F_BOX] == 0
                       ? "classify"
                       : "detect";
    const char *v = *variant;
    if (strcmp(v, "segment") == 0) keeps |= TNI_KEEPS(POLYGON);
    if (strcmp(v, "obb") == 0) keeps |= TNI_KEEPS(OBB);
    if (strcmp(v, "pose") == 0)
        keeps |= TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY);
    if (strcmp(v, "classify") == 0) {
        keeps |= TNI_KEEPS(TAG);
        keeps &= ~TNI_KEEPS(BOX);
    }
    if (d->image_text[TN_TEXT_ATTRIBUTES].keys.n == 0 &&
        d->image_text[TN_TEXT_CAPTION].keys.n == 0)
        keeps |= TNI_KEEPS(IMAGE_EXTRA);
    if (d->format == &tni_format_ndjson) keeps |= TNI_KEEPS(CLASS_ID);
    for (uint32_t i = 0; i < d->metas.n; i++) {
        const char *key = TNI_ROW(&d->metas, tni_meta, i)->key;
        if (strncmp(key, TNI_ND_META, sizeof TNI_ND_META - 1) != 0 ||
            strcmp(key, TNI_ND_META "download") == 0 ||
            strcmp(key, TNI_ND_META "path") == 0)
            keeps &= ~TNI_KEEPS(META);
    }
    return keeps;
}

const tni_format tni_format_ndjson = {
    .name = "ndjson",
    .title = "Ultralytics NDJSON",
    .files = "*.ndjson",
    .source = "https://docs.ultralytics.com/datasets/detect/",
    .variants = "detect segment pose obb classify",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(OBB) | TNI_KEEPS(POLYGON) |
             TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY) | TNI_KEEPS(TAG) |
             TNI_KEEPS(UNUSED) | TNI_KEEPS(SIZE) | TNI_KEEPS(IMAGE_EXTRA) |
             TNI_KEEPS(META) | TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY) |
             TNI_KEEPS(UNKNOWN),
    .flags = TNI_FORMAT_ONE_FILE | TNI_FORMAT_UNITS | TNI_FORMAT_FILE_SPLITS,
    .probe = probe,
    .read = tni_nd_read,
    .plan = plan,
    .write = tni_nd_write,
};
