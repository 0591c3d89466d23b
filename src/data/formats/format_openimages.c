/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_openimages.c - Open Images, V4 to V7
 *
 * A folder of tables (annotations/, the folder itself, or <split>/labels/, as
 * FiftyOne downloads it), known by their columns: boxes, labels of whole images (1 seen, 0 known to be absent, else a
 * machine's confidence), masks in files, relationships, lists of images with
 * their split, licence and rotation, descriptions of the classes; the hierarchy
 * of the classes; images.meta with the sizes, as Datumaro and CVAT write it.
 *
 * Coordinates are parts of the image. A class is called by its description,
 * its LabelName is its id. Rows stay what they are: the box of a mask is not
 * put together with the box in the other table. Relationships are a member of
 * their image. Localized narratives and points are not read, and noted.
 *
 * Source: storage.googleapis.com/openimages/web/download_v7.html
 */
#include "data/formats/openimages.h"

const tni_oi_flag tni_oi_flags[TNI_OI_N_FLAGS] = {
    {"IsOccluded", TN_IS_OCCLUDED},
    {"IsTruncated", TN_IS_TRUNCATED},
    {"IsGroupOf", TN_IS_CROWD},
    {"IsDepiction", 0},
    {"IsInside", 0},
};

static bool has_column(const tni_csv *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (tni_span_is(c->fields[i].text, name)) return true;
    return false;
}

tni_oi_kind tni_oi_kind_of(const tni_csv *c)
{
    const bool image = has_column(c, "ImageID");
    const bool label = has_column(c, "LabelName");
    if (has_column(c, "MaskPath") && image && label) return TNI_OI_MASKS;
    if (image && has_column(c, "LabelName1") && has_column(c, "LabelName2"))
        return TNI_OI_RELATIONS;
    if (image && label && has_column(c, "XMin") && has_column(c, "XMax") &&
        has_column(c, "YMin") && has_column(c, "YMax"))
        return TNI_OI_BOXES;
    if (image && label && has_column(c, "Confidence")) return TNI_OI_LABELS;
    if (image && (has_column(c, "Subset") || has_column(c, "OriginalURL") ||
                  has_column(c, "Rotation")))
        return TNI_OI_IMAGES;
    if (c->n != 2) return TNI_OI_NONE;
    if (label && has_column(c, "DisplayName")) return TNI_OI_CLASSES;
    const tni_span first = c->fields[0].text;
    return first.len > 3 && first.p[0] == '/' && first.p[2] == '/'
               ? TNI_OI_CLASSES
               : TNI_OI_NONE;
}

static int score(tni_reader *r, tni_span head)
{
    tni_csv c;
    tni_csv_init(&c, head, ',', &r->scratch, NULL);
    if (!tni_csv_next(&c)) return 0;
    switch (tni_oi_kind_of(&c)) {
    case TNI_OI_NONE: return 0;
    case TNI_OI_CLASSES: return 0;
    case TNI_OI_IMAGES: return 60;
    default: return 88;
    }
}

static int best_of(const tni_probe *p, const char *folder,
                   const tni_dir_entry *e, size_t n)
{
    int best = 0;
    for (size_t i = 0; i < n && best < 88; i++) {
        if (e[i].is_dir || e[i].name[0] == '.' ||
            !tni_ends_with(e[i].name, ".csv"))
            continue;
        const char *path = tni_join(p->r, folder, e[i].name);
        if (path == NULL) return 0;
        const int found = score(p->r, tni_probe_head(p, path));
        if (found > best) best = found;
    }
    return best;
}

static int probe(const tni_probe *p)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    if (!p->is_dir)
        return tni_ends_with(p->path, ".csv") ? score(p->r, p->head) : 0;
    int best = best_of(p, p->path, p->entries, p->n_entries);
    for (size_t i = 0; i < p->n_entries && best == 0; i++) {
        const char *sub = tni_join(p->r, p->path, p->entries[i].name);
        if (sub == NULL) return 0;
        if (!p->entries[i].is_dir || p->entries[i].name[0] == '.') continue;
        if (strcmp(p->entries[i].name, "annotations") != 0 &&
            strcmp(p->entries[i].name, "labels") != 0)
            sub = tni_join(p->r, sub, "labels");
        if (sub == NULL || tni_list(p->r, sub, &e, &n, NULL) != TN_OK) return 0;
        best = best_of(p, sub, e, n);
    }
    return best;
}

const tni_format tni_format_openimages = {
    .name = "openimages",
    .title = "Open Images CSV",
    .files = "annotations/*.csv",
    .source = "https://storage.googleapis.com/openimages/web/download_v7.html",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(TAG) | TNI_KEEPS(NEGATIVE) |
             TNI_KEEPS(MASK_FILE) | TNI_KEEPS(CROWD) | TNI_KEEPS(OCCLUDED) |
             TNI_KEEPS(TRUNCATED) | TNI_KEEPS(SCORE) | TNI_KEEPS(ATTRIBUTES) |
             TNI_KEEPS(EXTRA) | TNI_KEEPS(SPLIT) | TNI_KEEPS(SIZE) |
             TNI_KEEPS(UNKNOWN) | TNI_KEEPS(PARENT) | TNI_KEEPS(META) |
             TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(CLASS_ID),
    .flags = TNI_FORMAT_STEMS | TNI_FORMAT_UNITS | TNI_FORMAT_ONE_SPACE,
    .probe = probe,
    .read = tni_oi_read,
    .plan = tni_oi_plan,
    .write = tni_oi_write,
};
