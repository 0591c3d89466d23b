/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_datumaro.c - Datumaro JSON: annotations/<subset>.json
 *
 * A folder or one of its files. The subset "default" is no split. `size` is
 * [height, width]. An item without annotations was looked at and has none.
 *
 * What is where in the model: of `attributes` true values of is_crowd,
 * difficult, truncated and occluded are flags, score and track_id numbers, the
 * rest stays. `group` 0, `z_order` 0 and `id` 0 mean that there is none. An
 * item's id is the name of its image without the extension unless it says
 * otherwise; ids of other formats are in `attr`, as Datumaro has those of
 * COCO. Annotations of kinds that the model has no geometry for (cuboid_3d,
 * rotated boxes) are kept field by field. A box beside points, which Datumaro
 * does not read, is kept as `bbox`.
 *
 * Source: github.com/open-edge-platform/datumaro, plugins/data_formats/datumaro
 */
#include "data/formats/datumaro.h"

static bool is_datumaro(tni_span head)
{
    return tni_head_has(head, "dm_format_version") ||
           (tni_has_text(head, "\"categories\"") &&
            (tni_has_text(head, "\"items\"") ||
             tni_has_text(head, "\"labels\"")) &&
            !tni_has_text(head, "\"images\""));
}

static int probe(const tni_probe *p)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    if (!p->is_dir) return is_datumaro(p->head) ? 85 : 0;
    const char *folder = tni_join(p->r, p->path, "annotations");
    if (folder == NULL || tni_list(p->r, folder, &e, &n, NULL) != TN_OK)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!e[i].is_dir && tni_ends_with(e[i].name, ".json"))
            return is_datumaro(
                       tni_probe_head(p, tni_join(p->r, folder, e[i].name)))
                       ? 85
                       : 0;
    return 0;
}

/* images/<split>, images, <split>, and the folder itself. */
static const char *const *folders_of(tni_reader *r, const char *top,
                                     const char *split)
{
    const char **out = TNI_NEW_ARRAY(&r->scratch, const char *, 6);
    const char *images =
        r->images != NULL ? r->images : tni_join(r, top, "images");
    if (out == NULL || images == NULL) return NULL;
    int n = 0;
    out[n++] = tni_join(r, images, split);
    out[n++] = images;
    if (r->images == NULL) {
        out[n++] = tni_join(r, top, split);
        out[n++] = top;
        if (out[2] == NULL) return NULL;
    }
    return out[0] != NULL ? out : NULL;
}

static tn_status read_one(tni_reader *r, const char *path, const char *name,
                          const char *top, tn_err *err)
{
    const size_t len = tni_stem_len(name);
    const char *split = tni_arena_strndup(&r->scratch, name, len);
    uint32_t index = TN_NONE;
    if (split == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    if (strcmp(split, "default") != 0 && r->is_dir)
        TN_TRY(tni_add_split(r->d, split, len, &index, err));
    const char *const *folders = folders_of(r, top, split);
    if (folders == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    return tni_datumaro_read(r, path, index, folders, err);
}

static tn_status read(tni_reader *r, tn_err *err)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0, n_read = 0;
    const char *slash = strrchr(r->path, '/');
    if (!r->is_dir) {
        const char *own = tni_folder_of(r, r->path);
        const char *top = own != NULL ? tni_folder_of(r, own) : NULL;
        if (top == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        return read_one(r, r->path, slash != NULL ? slash + 1 : r->path,
                        strcmp(own, ".") == 0 ? ".." : top, err);
    }
    const char *folder = tni_join(r, r->path, "annotations");
    TN_TRY(tni_list(r, folder, &e, &n, err));
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir || !tni_ends_with(e[i].name, ".json")) continue;
        const char *path = tni_join(r, folder, e[i].name);
        if (path == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        TN_TRY(read_one(r, path, e[i].name, r->path, err));
        n_read++;
    }
    if (n_read > 0) return TN_OK;
    return tni_fail(err, TN_ENOTFOUND,
                    "the folder has no Datumaro file; expected "
                    "annotations/*.json");
}

/* What the dataset at hand has that Datumaro has only in part. */
static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_datumaro.keeps;
    tn_shape s = TN_SHAPE_INIT;
    (void)variant;
    for (uint32_t i = 0; i < d->anns.n; i++) {
        const uint32_t flags = *tni_flags_at(d, i);
        const uint8_t kind = tni_ann_id_kind(flags);
        if (kind == TN_ID_TEXT ||
            (kind == TN_ID_INT && tni_ann_at(d, i)->id == 0))
            keeps &= ~TNI_KEEPS(ANN_ID);
        if ((flags & TN_HAS_SHAPE) == 0) continue;
        if ((flags & TN_HAS_KEYPOINTS) != 0)
            keeps &= ~(TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY));
        if (counts[TNI_F_ELLIPSE] > 0 &&
            tn_dataset_shape(d, i, &s, NULL) == TN_OK &&
            s.kind == TN_SHAPE_ELLIPSE && s.n_points > 2 && s.xy[4] != 0.0)
            keeps &= ~TNI_KEEPS(ELLIPSE);
    }
    tn_shape_fini(&s);
    return keeps;
}

const tni_format tni_format_datumaro = {
    .name = "datumaro",
    .title = "Datumaro JSON",
    .files = "*.json",
    .source = "https://github.com/open-edge-platform/datumaro",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(POLYGON) | TNI_KEEPS(MASK) |
             TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY) |
             TNI_KEEPS(KEYPOINT_NAMES) | TNI_KEEPS(POLYLINE) |
             TNI_KEEPS(POINTS) | TNI_KEEPS(ELLIPSE) | TNI_KEEPS(TAG) |
             TNI_KEEPS(CAPTION) | TNI_KEEPS(ATTRIBUTES) | TNI_KEEPS(EXTRA) |
             TNI_KEEPS(CROWD) | TNI_KEEPS(DIFFICULT) | TNI_KEEPS(TRUNCATED) |
             TNI_KEEPS(OCCLUDED) | TNI_KEEPS(TRACK) | TNI_KEEPS(GROUP) |
             TNI_KEEPS(Z) | TNI_KEEPS(SCORE) | TNI_KEEPS(ANN_ID) |
             TNI_KEEPS(IMAGE_ID) | TNI_KEEPS(PARENT) | TNI_KEEPS(CLASS_EXTRA) |
             TNI_KEEPS(SIZE) | TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(META) |
             TNI_KEEPS(SPLIT) | TNI_KEEPS(OVERLAP) | TNI_KEEPS(EMPTY) |
             TNI_KEEPS(CLASSLESS) | TNI_KEEPS(DEGENERATE),
    .flags = TNI_FORMAT_ONE_FILE | TNI_FORMAT_STEMS | TNI_FORMAT_SPLIT_FIELDS,
    .probe = probe,
    .read = read,
    .plan = plan,
    .write = tni_datumaro_write,
};
