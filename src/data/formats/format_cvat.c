/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_cvat.c - CVAT XML 1.0 and 1.1, for images and for videos
 *
 * One file, or a folder of annotations.xml (or <subset>.xml) and images/, with
 * folders of subsets in it. Edges in pixels from 0. Images say their subset,
 * which is their split.
 *
 * A video has tracks of shapes on frames; its images are the frames that have
 * a shape or a file, called frame_000012.png. Shapes stay as they are written:
 * nothing is interpolated between keyframes. Frames count through the tasks'
 * videos, whatever the segments; those of several tasks of one subset are in
 * folders (task_5/frame_000012.png). A shape that is "outside" says
 * that its object is not there: it is a negative one in the model.
 *
 * What is where in the model: z_order 0, group_id 0 and the source "manual" are
 * none. Skeletons are keypoints (outside: not labelled, occluded: hidden) of
 * the label whose points have it for their parent. Values of attributes are
 * booleans and numbers where the label defines a checkbox or a number. What
 * labels define is kept with the class, <meta> with the dataset.
 *
 * Source: docs.cvat.ai, "XML annotation format"; what CVAT and Datumaro write
 */
#include "data/formats/cvat.h"

#include <stdio.h>

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- recognising -------------------------------------------------------------- */

static bool is_cvat(tni_span head)
{
    return tni_has_text(head, "<annotations>") &&
           (tni_has_text(head, "<meta>") || tni_has_text(head, "<image ") ||
            tni_has_text(head, "<track ") || tni_has_text(head, "<version>"));
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return is_cvat(p->head) ? 88 : 0;
    for (size_t i = 0; i < p->n_entries; i++) {
        const char *name = p->entries[i].name;
        if (!p->entries[i].is_dir && tni_ends_with(name, ".xml") &&
            is_cvat(tni_probe_head(p, tni_join(p->r, p->path, name))))
            return 88;
    }
    return 0;
}

/* --- images ------------------------------------------------------------------- */

/* Where the images of a split are: images/<split>, images, <split>, beside. */
static tn_status find_file(tni_cvat *c, uint32_t image, uint32_t split)
{
    const char *folders[5] = {NULL, NULL, NULL, NULL, NULL};
    const char *base =
        c->r->images != NULL ? c->r->images : tni_join(c->r, c->top, "images");
    int n = 0;
    if (base == NULL) return no_memory(c->err);
    if (split != TN_NONE)
        folders[n++] = tni_join(c->r, base, c->d->splits[split]);
    folders[n++] = base;
    if (split != TN_NONE && c->r->images == NULL)
        folders[n++] = tni_join(c->r, c->top, c->d->splits[split]);
    if (c->r->images == NULL) folders[n++] = c->top;
    for (int i = 0; i < n; i++)
        if (folders[i] == NULL) return no_memory(c->err);
    return tni_find_image(c->r, image, folders, c->err);
}

static tn_status side_of(const tni_xtree *t, const tni_xnode *n,
                         const char *name, int32_t *out)
{
    double v = 0.0;
    if (tni_cvat_attr(n, name) == NULL) return TN_OK;
    TN_TRY(tni_cvat_f64(t, n, name, &v));
    if (!(v >= 0.0 && v <= (double)INT32_MAX) || v != (double)(int32_t)v)
        return tni_xnode_fail(t, n, "%s is no whole number of pixels", name);
    *out = (int32_t)v;
    return TN_OK;
}

static tn_status keep_on_image(tni_cvat *c, uint32_t image, const char *key,
                               const char *value, const tni_xnode *element)
{
    tni_span text;
    tni_out *o = tni_draft_begin(c->draft);
    tni_out_json(o, key, strlen(key));
    tni_out_str(o, ": ");
    if (element != NULL)
        tni_xnode_put_json(o, element);
    else
        tni_out_json(o, value, strlen(value));
    TN_TRY(tni_draft_keep(c->draft, c->d, &text));
    return tni_set_image_text(c->d, image, TN_TEXT_EXTRA, text, c->err);
}

static tn_status add_image(tni_cvat *c, const tni_xtree *t, const tni_xnode *n,
                           uint32_t *image)
{
    static const char *const ours[] = {"id",     "name",   "width",
                                       "height", "subset", NULL};
    tni_image_row row;
    uint32_t split = c->split;
    const char *name = tni_cvat_attr(n, "name");
    const char *id = tni_cvat_attr(n, "id");
    const char *subset = tni_cvat_attr(n, "subset");
    memset(&row, 0, sizeof row);
    if (name == NULL || name[0] == '\0')
        return tni_xnode_fail(t, n, "<image> has no attribute 'name'");
    TN_TRY(side_of(t, n, "width", &row.width));
    TN_TRY(side_of(t, n, "height", &row.height));
    if (subset != NULL && subset[0] != '\0' && strcmp(subset, "default") != 0)
        TN_TRY(tni_add_split(c->d, subset, strlen(subset), &split, c->err));
    row.name = tni_keep(c->d, name, strlen(name));
    if (row.name == NULL) return no_memory(c->err);
    if (id != NULL && tni_field_i64(tni_span_of(id), &row.id)) {
        row.id_kind = TN_ID_INT;
    } else if (id != NULL) {
        row.id_kind = TN_ID_TEXT;
        row.id = (int64_t)(intptr_t)tni_keep(c->d, id, strlen(id));
        if (row.id == 0) return no_memory(c->err);
    }
    if (split != TN_NONE) row.splits = UINT64_C(1) << split;
    row.where = tni_xnode_where(t, n);
    TN_TRY(tni_add_image(c->d, &row, image, c->err));
    TN_TRY(find_file(c, *image, split));
    for (size_t i = 0; n->attrs[i] != NULL; i += 2) {
        bool known = false;
        for (size_t k = 0; ours[k] != NULL; k++)
            known = known || strcmp(ours[k], n->attrs[i]) == 0;
        if (!known)
            TN_TRY(
                keep_on_image(c, *image, n->attrs[i], n->attrs[i + 1], NULL));
    }
    return TN_OK;
}

static tn_status read_image(tni_cvat *c, const tni_xtree *t, const tni_xnode *n)
{
    tni_cvat_shape s;
    uint32_t ann = 0;
    memset(&s, 0, sizeof s);
    s.t = t;
    c->has_images = true;
    TN_TRY(add_image(c, t, n, &s.image));
    for (const tni_xnode *e = n->first; e != NULL; e = e->next) {
        if (!tni_cvat_is_shape(e->name)) {
            TN_TRY(keep_on_image(c, s.image, e->name, NULL, e));
            continue;
        }
        TN_TRY(tni_cvat_class(c, t, e, &s.cls));
        TN_TRY(tni_cvat_read_shape(c, &s, e, &ann));
        tni_arena_reset(&c->scratch);
    }
    return TN_OK;
}

/* --- frames -------------------------------------------------------------------- */

/* Whether a file lies among the frames of the whole, or of a subset. */
static bool is_of_split(const tni_cvat *c, const char *name, uint32_t *split)
{
    const char *slash = strchr(name, '/');
    if (slash == NULL) return true;
    const tni_span folder = {name, (size_t)(slash - name)};
    if (strchr(slash + 1, '/') != NULL) return false;
    if (tni_span_is(folder, "default")) return true;
    for (uint32_t i = 0; i < c->d->n_splits; i++) {
        if (!tni_span_is(folder, c->d->splits[i])) continue;
        *split = i;
        return true;
    }
    return false;
}

/* Files that are called after frames; a frame is called after its file. */
static tn_status find_frames(tni_cvat *c, const tni_xtree *t)
{
    static const tni_xnode nowhere = {"images", NULL, {NULL, 0}, NULL,
                                      NULL,     NULL, 0,         0};
    const tni_found *list = NULL;
    size_t n = 0;
    const char *folder =
        c->r->images != NULL ? c->r->images : tni_join(c->r, c->top, "images");
    if (folder == NULL) return no_memory(c->err);
    TN_TRY(tni_walk(c->r, folder, NULL, &list, &n, c->err));
    for (size_t i = 0; i < n; i++) {
        uint32_t image = 0;
        const int64_t frame = tni_cvat_frame_of(list[i].name);
        uint32_t split = c->split;
        if (frame < 0 || !is_of_split(c, list[i].name, &split)) continue;
        if (tni_cvat_tasks_of(c, split) > 1) {
            TN_TRY(tni_note_add(c->d, 0, "frame-of-tasks", c->err,
                                "%.200s may be a frame of any of several "
                                "tasks: it is left out",
                                list[i].name));
            continue;
        }
        TN_TRY(tni_cvat_frame(c, t, &nowhere, split, -1, frame, &image));
        tni_image_row *row = tni_image_at(c->d, image);
        const char *slash = strrchr(list[i].name, '/');
        const char *base = slash != NULL ? slash + 1 : list[i].name;
        row->name = tni_keep(c->d, base, strlen(base));
        row->file = tni_keep(c->d, list[i].path, strlen(list[i].path));
        if (row->name == NULL || row->file == NULL) return no_memory(c->err);
        TN_TRY(tni_read_header(c->r, image, c->err));
    }
    for (uint32_t i = 0; i < c->d->images.n; i++)
        if (tni_image_at(c->d, i)->file == NULL)
            TN_TRY(find_file(c, i, tni_first_split(tni_image_at(c->d, i))));
    return TN_OK;
}

/* --- files --------------------------------------------------------------------- */

static tn_status take(void *ctx, const tni_xtree *t, const tni_xnode *n)
{
    tni_cvat *c = ctx;
    if (tni_xnode_is(n, "image")) return read_image(c, t, n);
    if (tni_xnode_is(n, "track")) return tni_cvat_track(c, t, n);
    if (tni_xnode_is(n, "meta")) return tni_cvat_meta(c, t, n);
    if (tni_xnode_is(n, "version")) return TN_OK;
    return tni_note_add(c->d, tni_xnode_where(t, n), "other-element", c->err,
                        "<%.60s> is none of version, meta, image and track and "
                        "is left out",
                        n->name);
}

static tn_status read_file(tni_cvat *c, const char *path)
{
    tni_xtree t;
    memset(&t, 0, sizeof t);
    t.r = c->r;
    t.path = path;
    t.root = "annotations";
    t.depth = 2;
    t.err = c->err;
    t.ctx = c;
    t.take = take;
    tni_strmap_init(&c->tasks, &c->r->scratch);
    tni_strmap_init(&c->subsets, &c->r->scratch);
    c->width = c->height = 0;
    c->video = false;
    tni_strmap_init(&c->frames, &c->r->scratch);
    const tn_status status = tni_xtree_read(&t);
    c->any_video = c->any_video || c->video;
    if (status == TN_OK) c->n_files++;
    return status == TN_OK && c->video ? find_frames(c, &t) : status;
}

/* A file called after a subset has the images of one. */
static tn_status split_of(tni_cvat *c, const char *name, size_t n_files)
{
    const size_t n = tni_stem_len(name);
    char stem[256];
    c->split = TN_NONE;
    (void)snprintf(stem, sizeof stem, "%.*s", n > 250 ? 250 : (int)n, name);
    if (strcmp(stem, "annotations") == 0 || strcmp(stem, "default") == 0 ||
        (n_files < 2 && !tni_is_split_name(stem)))
        return TN_OK;
    return tni_add_split(c->d, stem, strlen(stem), &c->split, c->err);
}

/* Whether a file of a folder is CVAT's by its first bytes, or by its name. */
static tn_status is_ours(tni_cvat *c, const tni_dir_entry *e, bool *ours)
{
    tni_file_map map;
    *ours = false;
    if (e->is_dir || !tni_ends_with(e->name, ".xml")) return TN_OK;
    *ours = strcmp(e->name, "annotations.xml") == 0;
    const char *path = tni_join(c->r, c->r->path, e->name);
    if (path == NULL) return no_memory(c->err);
    if (*ours) return TN_OK;
    TN_TRY(tni_file_map_open(&map, path, c->d->limits.max_file_bytes, c->err));
    const tni_span head = {map.size > 0 ? (const char *)map.bytes : "",
                           map.size < 65536 ? map.size : 65536};
    *ours = tni_has_text(head, "<annotations");
    tni_file_map_close(&map);
    if (*ours) return TN_OK;
    return tni_note_add(c->d, 0, "other-xml", c->err,
                        "%.200s is not CVAT's and is left out", path);
}

static tn_status read_folder(tni_cvat *c)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0, n_ours = 0;
    TN_TRY(tni_list(c->r, c->r->path, &e, &n, c->err));
    bool *ours = TNI_NEW_ARRAY(&c->r->scratch, bool, n + 1);
    if (ours == NULL) return no_memory(c->err);
    for (size_t i = 0; i < n; i++) {
        TN_TRY(is_ours(c, &e[i], &ours[i]));
        if (ours[i]) n_ours++;
    }
    for (size_t i = 0; i < n; i++) {
        if (!ours[i]) continue;
        const char *path = tni_join(c->r, c->r->path, e[i].name);
        if (path == NULL) return no_memory(c->err);
        TN_TRY(split_of(c, e[i].name, n_ours));
        TN_TRY(read_file(c, path));
    }
    if (c->n_files > 0) return TN_OK;
    return tni_fail(c->err, TN_ENOTFOUND,
                    "the folder has no file of CVAT; expected annotations.xml "
                    "with <annotations> in it");
}

static tn_status read(tni_reader *r, tn_err *err)
{
    tni_cvat *c = TNI_NEW(&r->scratch, tni_cvat);
    if (c == NULL) return no_memory(err);
    c->r = r;
    c->d = r->d;
    c->err = err;
    c->split = TN_NONE;
    c->draft = tni_draft_new(&r->scratch, err);
    c->top = r->is_dir ? r->path : tni_folder_of(r, r->path);
    if (c->draft == NULL || c->top == NULL) return no_memory(err);
    tni_classes_init(&c->classes, r);
    tni_image_set_init(&c->images, r);
    tni_strmap_init(&c->types, &r->scratch);
    tni_strmap_init(&c->points, &r->scratch);
    tni_arena_init(&c->scratch, &r->d->mem, 1 << 14);
    tni_arena_init(&c->nested, &r->d->mem, 1 << 14);
    const tn_status status = r->is_dir ? read_folder(c) : read_file(c, r->path);
    tni_arena_fini(&c->nested);
    tni_arena_fini(&c->scratch);
    r->d->variant = c->any_video && !c->has_images ? "video" : "images";
    return status;
}

const tni_format tni_format_cvat = {
    .name = "cvat",
    .title = "CVAT XML",
    .files = "*.xml",
    .source = "https://docs.cvat.ai/docs/other/xml_format/",
    .variants = "images video",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(OBB) | TNI_KEEPS(POLYGON) |
             TNI_KEEPS(OUTLINE_BOX) | TNI_KEEPS(DEGENERATE) | TNI_KEEPS(MASK) |
             TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY) |
             TNI_KEEPS(KEYPOINT_NAMES) | TNI_KEEPS(POLYLINE) |
             TNI_KEEPS(POINTS) | TNI_KEEPS(ELLIPSE) | TNI_KEEPS(CUBOID) |
             TNI_KEEPS(TAG) | TNI_KEEPS(NEGATIVE) | TNI_KEEPS(ATTRIBUTES) |
             TNI_KEEPS(EXTRA) | TNI_KEEPS(OCCLUDED) | TNI_KEEPS(TRACK) |
             TNI_KEEPS(GROUP) | TNI_KEEPS(Z) | TNI_KEEPS(IMAGE_ID) |
             TNI_KEEPS(CLASS_EXTRA) | TNI_KEEPS(SIZE) | TNI_KEEPS(IMAGE_EXTRA) |
             TNI_KEEPS(META) | TNI_KEEPS(SPLIT) | TNI_KEEPS(UNKNOWN) |
             TNI_KEEPS(CLASSLESS),
    .flags = TNI_FORMAT_ONE_FILE | TNI_FORMAT_FILE_SPLITS,
    .probe = probe,
    .read = read,
    .plan = tni_cvat_plan,
    .write = tni_cvat_write,
};
