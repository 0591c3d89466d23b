/* SPDX-License-Identifier: Apache-2.0 */
/* voc_files.c - folders of Pascal VOC, their images, labelmap.txt */
#include "data/formats/voc.h"

#include <stdio.h>

enum { MAX_LABELS = 10000 };

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

bool tni_voc_is_folder(tni_reader *r, const char *folder)
{
    (void)r;
    return folder != NULL && tni_path_look(folder).is_dir;
}

/* --- folders ---------------------------------------------------------------- */

/* The first of these names that is a folder in `top`; NULL: none. */
static const char *folder_in(tni_reader *r, const char *top,
                             const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *path = tni_join(r, top, *names);
        if (tni_voc_is_folder(r, path)) return path;
    }
    return NULL;
}

static const char *const annotation_names[] = {
    "Annotations", "annotations", "Annotation", "annotation",
    "xmls",        "XMLs",        NULL};
static const char *const image_names[] = {
    "JPEGImages", "images", "Images", "image", "imgs", "img", NULL};
static const char *const set_names[] = {"ImageSets", NULL};
static const char *const class_names[] = {"SegmentationClass", NULL};
static const char *const object_names[] = {"SegmentationObject", NULL};

static bool is_tree(tni_reader *r, const char *folder)
{
    static const char *const jpeg[] = {"JPEGImages", NULL};
    return folder_in(r, folder, annotation_names) != NULL ||
           folder_in(r, folder, set_names) != NULL ||
           folder_in(r, folder, class_names) != NULL ||
           folder_in(r, folder, jpeg) != NULL;
}

static tn_status has_xml(tni_voc *v, const char *folder, bool *has)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    *has = false;
    TN_TRY(tni_list(v->r, folder, &e, &n, v->err));
    for (size_t i = 0; i < n && !*has; i++)
        *has = !e[i].is_dir && tni_ends_with(e[i].name, ".xml");
    return TN_OK;
}

/* A folder's images, where there is one: the option's, those of VOC, else the
 * folder itself. */
static tn_status set_images(tni_voc *v, tni_voc_root *t, const char *name)
{
    tni_reader *r = v->r;
    int n = 0;
    if (r->images != NULL) {
        const char *sub = name != NULL ? tni_join(r, r->images, name) : NULL;
        t->images[n++] = tni_voc_is_folder(r, sub) ? sub : r->images;
        return TN_OK;
    }
    if (!t->flat) t->images[n] = folder_in(r, t->folder, image_names);
    if (t->images[n] != NULL) n++;
    if (n == 0) t->images[n++] = t->folder;
    return TN_OK;
}

static tn_status add_root(tni_voc *v, const char *folder, const char *name)
{
    if (v->n_roots == TNI_VOC_ROOTS)
        return tni_fail(v->err, TN_ELIMIT, "more than %d folders with labels",
                        (int)TNI_VOC_ROOTS);
    tni_voc_root *t = &v->roots[v->n_roots++];
    memset(t, 0, sizeof *t);
    t->folder = folder;
    t->prefix = "";
    t->split = TN_NONE;
    t->flat = !is_tree(v->r, folder);
    t->annotations =
        t->flat ? folder : folder_in(v->r, folder, annotation_names);
    if (!t->flat) {
        t->sets = folder_in(v->r, folder, set_names);
        t->class_masks = folder_in(v->r, folder, class_names);
        t->object_masks = folder_in(v->r, folder, object_names);
    }
    if (name != NULL && tni_is_split_name(name)) {
        TN_TRY(tni_add_split(v->d, name, strlen(name), &t->split, v->err));
    } else if (name != NULL) {
        t->prefix = tni_join(v->r, name, "");
        if (t->prefix == NULL) return no_memory(v->err);
    }
    return set_images(v, t, name);
}

/* The folders below that are whole trees, or splits with XML beside images. */
static tn_status add_inner(tni_voc *v, const char *top)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(v->r, top, &e, &n, v->err));
    for (size_t i = 0; i < n; i++) {
        bool direct = false;
        const char *sub = tni_join(v->r, top, e[i].name);
        if (sub == NULL) return no_memory(v->err);
        if (!e[i].is_dir) continue;
        if (!is_tree(v->r, sub) && tni_is_split_name(e[i].name))
            TN_TRY(has_xml(v, sub, &direct));
        if (direct || is_tree(v->r, sub)) TN_TRY(add_root(v, sub, e[i].name));
    }
    return TN_OK;
}

/* "folder/name" where that is a folder, else the folder itself. */
static const char *inside(tni_voc *v, const char *folder, const char *name)
{
    const char *sub = folder != NULL ? tni_join(v->r, folder, name) : NULL;
    return tni_voc_is_folder(v->r, sub) ? sub : folder;
}

/* Annotations/train, Annotations/val and nothing else, images likewise. */
static tn_status add_split_folders(tni_voc *v, const char *top)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    const char *annotations = folder_in(v->r, top, annotation_names);
    if (annotations == NULL || folder_in(v->r, top, set_names) != NULL)
        return TN_OK;
    TN_TRY(tni_list(v->r, annotations, &e, &n, v->err));
    const char *images =
        v->r->images != NULL ? v->r->images : folder_in(v->r, top, image_names);
    for (size_t i = 0; i < n; i++)
        if (!e[i].is_dir || !tni_is_split_name(e[i].name) ||
            inside(v, images, e[i].name) == images)
            return TN_OK;
    for (size_t i = 0; i < n; i++) {
        TN_TRY(add_root(v, top, NULL));
        tni_voc_root *t = &v->roots[v->n_roots - 1];
        TN_TRY(tni_add_split(v->d, e[i].name, strlen(e[i].name), &t->split,
                             v->err));
        t->annotations = tni_join(v->r, annotations, e[i].name);
        t->class_masks = inside(v, t->class_masks, e[i].name);
        t->object_masks = inside(v, t->object_masks, e[i].name);
        t->images[0] = inside(v, t->images[0], e[i].name);
        if (t->annotations == NULL) return no_memory(v->err);
    }
    return TN_OK;
}

tn_status tni_voc_find_roots(tni_voc *v)
{
    static const char *const kit[] = {"VOCdevkit", NULL};
    const char *top = v->r->path;
    bool direct = false;
    if (!v->r->is_dir) {
        top = tni_folder_of(v->r, v->r->path);
        if (top == NULL) return no_memory(v->err);
        TN_TRY(add_root(v, top, NULL));
        return TN_OK;
    }
    if (is_tree(v->r, top)) {
        TN_TRY(add_split_folders(v, top));
        return v->n_roots > 0 ? TN_OK : add_root(v, top, NULL);
    }
    const char *inner = folder_in(v->r, top, kit);
    if (inner != NULL) top = inner;
    TN_TRY(has_xml(v, top, &direct));
    if (!direct) TN_TRY(add_inner(v, top));
    return v->n_roots > 0 ? TN_OK : add_root(v, top, NULL);
}

/* --- images ------------------------------------------------------------------ */

static void **stem_slot(tni_voc *v, uint32_t root, const char *stem, size_t len,
                        bool *fresh)
{
    char *key = tni_arena_alloc(&v->r->scratch, len + 12, 1);
    if (key == NULL) return NULL;
    const size_t n = (size_t)snprintf(key, 12, "%u/", (unsigned)root);
    memcpy(key + n, stem, len);
    return tni_strmap_add(&v->stems, key, n + len, fresh);
}

uint32_t tni_voc_image_of(tni_voc *v, uint32_t root, const char *stem,
                          size_t len)
{
    const tni_arena_mark mark = tni_arena_save(&v->pixels);
    char *key = tni_arena_alloc(&v->pixels, len + 12, 1);
    if (key == NULL) return TN_NONE;
    const size_t n = (size_t)snprintf(key, 12, "%u/", (unsigned)root);
    memcpy(key + n, stem, len);
    void **slot = tni_strmap_find(&v->stems, key, n + len);
    tni_arena_rewind(&v->pixels, mark);
    return slot != NULL ? (uint32_t)((uintptr_t)*slot - 1) : TN_NONE;
}

static tn_status add_stem(tni_voc *v, uint32_t root, const char *name,
                          uint32_t image)
{
    bool fresh = false;
    void **slot = stem_slot(v, root, name, tni_stem_len(name), &fresh);
    if (slot == NULL) return no_memory(v->err);
    if (fresh) {
        *slot = (void *)((uintptr_t)image + 1);
        return TN_OK;
    }
    return tni_note_add(v->d, 0, "stem-twice", v->err,
                        "'%.100s' differs from another image only in its "
                        "extension: <filename> tells whose labels they are",
                        name);
}

tn_status tni_voc_new_image(tni_voc *v, uint32_t root, const char *name,
                            uint64_t where, uint32_t *image)
{
    const tni_voc_root *t = &v->roots[root];
    bool fresh = false;
    TN_TRY(tni_image_named(&v->images, name, t->split, where, NULL, image,
                           &fresh, v->err));
    if (!fresh) return TN_OK;
    TN_TRY(add_stem(v, root, name + strlen(t->prefix), *image));
    if (v->r->is_dir) return TN_OK;
    /* One XML: its image lies beside it or in the devkit's place. */
    const char *up = tni_join(v->r, t->folder, "..");
    const char *folders[6] = {v->r->images, NULL, NULL, NULL, NULL, NULL};
    int n = v->r->images != NULL ? 1 : 0;
    folders[n++] = t->folder;
    if (up == NULL) return no_memory(v->err);
    for (size_t i = 0; i < 3; i++) {
        folders[n] = tni_join(v->r, up, image_names[i]);
        if (folders[n++] == NULL) return no_memory(v->err);
    }
    return tni_find_image(v->r, *image, folders, v->err);
}

static tn_status add_image(tni_voc *v, uint32_t root, const tni_found *file)
{
    const tni_voc_root *t = &v->roots[root];
    uint32_t image = 0;
    bool fresh = false;
    const size_t n = strlen(t->prefix);
    char *name = tni_arena_alloc(&v->r->scratch, n + strlen(file->name) + 1, 1);
    if (name == NULL) return no_memory(v->err);
    memcpy(name, t->prefix, n);
    memcpy(name + n, file->name, strlen(file->name) + 1);
    TN_TRY(tni_image_named(&v->images, name, t->split, 0, NULL, &image, &fresh,
                           v->err));
    if (!fresh) return TN_OK;
    tni_image_row *row = tni_image_at(v->d, image);
    row->file = tni_keep(v->d, file->path, strlen(file->path));
    if (row->file == NULL) return no_memory(v->err);
    return add_stem(v, root, file->name, image);
}

tn_status tni_voc_add_images(tni_voc *v)
{
    for (uint32_t k = 0; k < v->n_roots && v->r->is_dir; k++) {
        const tni_voc_root *t = &v->roots[k];
        for (int i = 0; t->images[i] != NULL; i++) {
            const tni_found *list = NULL;
            size_t n = 0;
            TN_TRY(tni_walk(v->r, t->images[i], NULL, &list, &n, v->err));
            for (size_t m = 0; m < n; m++)
                if (strncmp(list[m].name, "Segmentation", 12) != 0 ||
                    t->images[i] != t->folder)
                    TN_TRY(add_image(v, k, &list[m]));
        }
    }
    return TN_OK;
}

/* --- labelmap.txt -------------------------------------------------------------- */

static bool read_color(tni_span text, uint8_t rgb[3])
{
    tni_span f[3];
    if (tni_fields_at(text, ',', f, 3) != 3) return false;
    for (int i = 0; i < 3; i++) {
        int64_t v = 0;
        if (!tni_field_i64(f[i], &v) || v < 0 || v > 255) return false;
        rgb[i] = (uint8_t)v;
    }
    return true;
}

/* name:r,g,b:parts:actions, told from its end so that names may have colons;
 * false when there is no color where one is due. */
static bool split_line(tni_span line, tni_span f[4], uint8_t rgb[3],
                       bool *colored)
{
    static const tni_span none = {"", 0};
    size_t ends[4], n = 0;
    for (size_t i = line.len; i-- > 0 && n < 3;)
        if (line.p[i] == ':') ends[n++] = i;
    f[0] = line;
    f[1] = f[2] = f[3] = none;
    for (size_t i = 0; i < n; i++) {
        const size_t from = ends[i] + 1;
        const size_t to = i == 0 ? line.len : ends[i - 1];
        f[n - i].p = line.p + from;
        f[n - i].len = to - from;
        f[0].len = ends[i];
    }
    *colored = tni_trim(f[1]).len > 0;
    return !*colored || read_color(f[1], rgb);
}

static tn_status keep_label(tni_voc *v, const tni_voc_label *l, unsigned index,
                            const tni_span f[4])
{
    uint8_t usual[3];
    tni_span text;
    char color[32];
    tni_voc_color(index, usual);
    if (memcmp(usual, l->rgb, 3) != 0) {
        const int n =
            snprintf(color, sizeof color, "\"color\": \"#%02x%02x%02x\"",
                     l->rgb[0], l->rgb[1], l->rgb[2]);
        text.p = tni_keep(v->d, color, (size_t)n);
        text.len = (size_t)n;
        if (text.p == NULL) return no_memory(v->err);
        TN_TRY(tni_set_class_text(v->d, l->cls, TN_TEXT_EXTRA, text, v->err));
    }
    for (int i = 2; i < 4; i++) {
        if (f[i].len == 0) continue;
        tni_out *o = tni_draft_begin(v->draft);
        tni_out_str(o, i == 2 ? "\"parts\": " : "\"actions\": ");
        tni_out_json(o, f[i].p, f[i].len);
        TN_TRY(tni_draft_keep(v->draft, v->d, &text));
        TN_TRY(tni_set_class_text(v->d, l->cls, TN_TEXT_EXTRA, text, v->err));
    }
    return TN_OK;
}

static tn_status add_label(tni_voc *v, tni_voc_label *l, const tni_span f[4],
                           uint64_t where)
{
    static const uint8_t black[3] = {0, 0, 0};
    uint8_t border[3];
    const unsigned index = v->n_labels;
    tni_voc_color(TNI_VOC_VOID, border);
    const bool back = tni_span_is(f[0], "background") && index == 0 &&
                      memcmp(l->rgb, black, 3) == 0;
    const bool ignored =
        (tni_span_is(f[0], "ignored") || tni_span_is(f[0], "void")) &&
        memcmp(l->rgb, border, 3) == 0;
    const uint32_t before = v->d->classes.n;
    l->cls = TN_NONE;
    l->name = tni_intern(v->d, f[0].p, f[0].len);
    if (l->name == NULL) return no_memory(v->err);
    v->n_labels++;
    if ((back || ignored) && f[2].len == 0 && f[3].len == 0) return TN_OK;
    TN_TRY(tni_class_named(&v->classes, f[0], where, &l->cls, v->err));
    return l->cls >= before ? keep_label(v, l, index, f) : TN_OK;
}

static tn_status read_labelmap(tni_voc *v, const char *path)
{
    uint32_t source = 0;
    tni_span text, line, f[4];
    tni_lines l;
    size_t n = 0;
    TN_TRY(tni_source_open(v->d, path, &source, &text, v->err));
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line)) n++;
    if (n > MAX_LABELS)
        return tni_fail(v->err, TN_ELIMIT, "more than %d classes",
                        (int)MAX_LABELS);
    tni_voc_label *list = TNI_NEW_ARRAY(&v->r->scratch, tni_voc_label, n + 1);
    if (list == NULL) return no_memory(v->err);
    v->labels = list;
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line)) {
        tni_voc_label *label = &list[v->n_labels];
        bool colored = false;
        const uint64_t at = (uint64_t)(line.p - l.start);
        if (tni_trim(line).len == 0) continue;
        const bool good = split_line(line, f, label->rgb, &colored);
        if (line.p[0] == '#' && !(good && colored)) continue;
        if (!good) {
            tni_err_where(v->err, "%s, line %d", path, l.number);
            return tni_fail_at(
                v->err, TN_EFORMAT, at,
                "found '%.*s', expected name:r,g,b:parts:actions "
                "with 0 to 255 for red, green and blue",
                line.len > 60 ? 60 : (int)line.len, line.p);
        }
        if (!colored) tni_voc_color(v->n_labels, label->rgb);
        TN_TRY(add_label(v, label, f, tni_where(source, at)));
    }
    return TN_OK;
}

tn_status tni_voc_labelmap(tni_voc *v)
{
    static const char *const names[] = {"labelmap.txt", "label_map.txt"};
    for (uint32_t k = 0; k <= v->n_roots; k++) {
        const char *folder = k == 0 ? v->r->path : v->roots[k - 1].folder;
        for (size_t i = 0; i < 2 && v->r->is_dir; i++) {
            const char *path = tni_join(v->r, folder, names[i]);
            if (path == NULL) return no_memory(v->err);
            if (tni_path_look(path).is_file) return read_labelmap(v, path);
        }
    }
    return TN_OK;
}
