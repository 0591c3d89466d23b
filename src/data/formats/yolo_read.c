/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yolo_read.c - images and labels of YOLO's splits
 *
 * The label of an image is where its last "/images/" is "/labels/", with .txt
 * for its extension. No file means unlabelled; an empty one, nothing to see.
 */
#include "data/formats/yolo.h"
#include "data/names.h"

#include <stdio.h>

enum { MAX_FOLDERS = 32, MAX_PATH = 4096 };

typedef struct yolo {
    tni_reader *r;
    tn_dataset *d;
    tni_yolo_config *c;
    tn_err *err;
    tni_strmap files;  /* path of an image file to its row + 1 */
    tni_strmap labels; /* paths of label files that were read */
    tni_strmap lists;  /* paths of the entries */
    uint64_t n_done;
} yolo;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* The last folder "images" of a path; NULL when there is none. */
static char *last_images(char *path)
{
    char *found = strncmp(path, "images/", 7) == 0 ? path : NULL;
    for (char *p = path; (p = strstr(p, "/images/")) != NULL; p++)
        found = p + 1;
    return found;
}

char *tni_yolo_label_path(tni_arena *arena, const char *image)
{
    const size_t stem = tni_stem_len(image);
    char *out = tni_arena_alloc(arena, strlen(image) + 8, 1);
    if (out == NULL) return NULL;
    memcpy(out, image, stem);
    memcpy(out + stem, ".txt", 5);
    char *at = last_images(out);
    if (at != NULL) memcpy(at, "labels", 6);
    return out;
}

/* Whether there are labels: a file that is not one of the lists of images,
 * whose names may be what a label of some image would be called. */
static bool has_labels(const yolo *y, const char *label)
{
    return tni_strmap_find(&y->lists, label, strlen(label)) == NULL &&
           tni_path_look(label).is_file;
}

/* --- one label file ------------------------------------------------------ */

static tn_status add_lines(yolo *y, uint32_t image, uint32_t source,
                           const char *path, const char *text, size_t len,
                           bool *any)
{
    const char *p = text, *end = text + len;
    /* Zero bytes at the end come from interrupted copies. */
    while (end > p && end[-1] == '\0') end--;
    if ((size_t)(end - text) != len)
        TN_TRY(tni_note_add(y->d, tni_where(source, (uint64_t)(end - text)),
                            "trailing-zeros", y->err,
                            "the file ends in zero bytes"));
    if (end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    for (int number = 1; p < end; number++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *stop = nl != NULL ? nl : end;
        const char *q = p;
        while (q < stop && (*q == ' ' || *q == '\t' || *q == '\r')) q++;
        if (q < stop) {
            const tni_yolo_line line = {q, (size_t)(stop - q),
                                        tni_where(source, (uint64_t)(q - text)),
                                        path, number};
            *any = true;
            TN_TRY(tni_yolo_add_line(y->d, y->c, image, &line, y->err));
        }
        p = nl != NULL ? nl + 1 : end;
    }
    return TN_OK;
}

/* Whether a line has more than a box and a score: then its text must stay. */
static bool has_shapes(const char *text, size_t len)
{
    int n = 0;
    bool in = false;
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        const bool blank = c == ' ' || c == '\t' || c == '\r';
        if (c == '\n') {
            n = 0;
            in = false;
            continue;
        }
        if (!blank && !in && ++n > 6) return true;
        in = !blank;
    }
    return false;
}

static tn_status read_label(yolo *y, uint32_t image, const char *path)
{
    uint32_t source = 0;
    tni_file_map map;
    bool any = false, fresh = false;
    if (tni_strmap_add(&y->labels, path, strlen(path), &fresh) == NULL)
        return no_memory(y->err);
    if (!has_labels(y, path)) return TN_OK;
    TN_TRY(tni_source_add(y->d, path, &source, y->err));
    tni_image_at(y->d, image)->where = tni_where(source, 0);
    TN_TRY(tni_file_map_open(&map, path, y->d->limits.max_file_bytes, y->err));
    const char *text = map.size > 0 ? (const char *)map.bytes : "";
    if (map.size >= UINT32_MAX) {
        tni_file_map_close(&map);
        return tni_fail(y->err, TN_ELIMIT, "%s: over 4 GiB", path);
    }
    tn_status status = TN_OK;
    if (has_shapes(text, map.size)) {
        text = tni_keep(y->d, text, map.size);
        if (text == NULL) status = no_memory(y->err);
    }
    if (status == TN_OK)
        status = add_lines(y, image, source, path, text, map.size, &any);
    tni_file_map_close(&map);
    if (status == TN_OK && !any)
        tni_image_at(y->d, image)->state = TN_STATE_EMPTY;
    return status;
}

/* --- images -------------------------------------------------------------- */

static tn_status add_image(yolo *y, const char *path, const char *name,
                           uint32_t split)
{
    const uint64_t bit = split != TN_NONE ? UINT64_C(1) << split : 0;
    bool fresh = false;
    uint32_t image = 0;
    void **slot = tni_strmap_add(&y->files, path, strlen(path), &fresh);
    if (slot == NULL) return no_memory(y->err);
    if (!fresh) {
        tni_image_at(y->d, (uint32_t)((uintptr_t)*slot - 1))->splits |= bit;
        return TN_OK;
    }
    tni_image_row row;
    memset(&row, 0, sizeof row);
    row.name = tni_keep(y->d, name, strlen(name));
    row.splits = bit;
    TN_TRY(tni_add_image(y->d, &row, &image, y->err));
    *slot = (void *)((uintptr_t)image + 1);
    if (tni_path_look(path).is_file) {
        const char *copy = tni_keep(y->d, path, strlen(path));
        if (copy == NULL) return no_memory(y->err);
        tni_image_at(y->d, image)->file = copy;
        TN_TRY(tni_read_header(y->r, image, y->err));
    }
    const char *label = tni_yolo_label_path(&y->r->scratch, path);
    if (label == NULL) return no_memory(y->err);
    TN_TRY(read_label(y, image, label));
    if ((++y->n_done & 255) == 0)
        TN_TRY(tni_reader_progress(y->r, y->n_done, y->n_done + 1, y->err));
    return TN_OK;
}

/* Called with the files of a folder and of those below, in order. */
typedef tn_status (*visit)(yolo *y, const char *path, const char *name,
                           uint32_t split);

static tn_status walk(yolo *y, const char *folder, const char *prefix,
                      uint32_t split, bool images, int depth, visit fn)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    if (depth > MAX_FOLDERS)
        return tni_fail(y->err, TN_ELIMIT,
                        "%s: folders are nested more than %d deep (is a link "
                        "leading back up?)",
                        folder, (int)MAX_FOLDERS);
    TN_TRY(tni_list(y->r, folder, &e, &n, y->err));
    for (size_t i = 0; i < n; i++) {
        if (e[i].name[0] == '.') continue;
        char *path = tni_join(y->r, folder, e[i].name);
        char *name = prefix[0] != '\0'
                         ? tni_join(y->r, prefix, e[i].name)
                         : tni_arena_strndup(&y->r->scratch, e[i].name,
                                             strlen(e[i].name));
        if (path == NULL || name == NULL) return no_memory(y->err);
        if (e[i].is_dir)
            TN_TRY(walk(y, path, name, split, images, depth + 1, fn));
        else if (images ? tni_is_image_name(name) : tni_ends_with(name, ".txt"))
            TN_TRY(fn(y, path, name, split));
    }
    return TN_OK;
}

/* A label whose image is not there keeps its place under its own name. */
static tn_status add_orphan(yolo *y, const char *path, const char *name,
                            uint32_t split)
{
    tni_image_row row;
    uint32_t image = 0;
    if (tni_strmap_find(&y->labels, path, strlen(path)) != NULL) return TN_OK;
    if (strcmp(name, "classes.txt") == 0) return TN_OK;
    memset(&row, 0, sizeof row);
    row.name = tni_keep(y->d, name, tni_stem_len(name));
    row.splits = split != TN_NONE ? UINT64_C(1) << split : 0;
    TN_TRY(tni_add_image(y->d, &row, &image, y->err));
    TN_TRY(read_label(y, image, path));
    return tni_note_add(y->d, tni_image_at(y->d, image)->where,
                        "label-without-image", y->err,
                        "'%.150s' has no image beside it", name);
}

static tn_status read_folder(yolo *y, const tni_yolo_entry *entry)
{
    TN_TRY(walk(y, entry->path, "", entry->split, true, 0, add_image));
    /* "/images/" may be the end of the path: look with a slash behind. */
    char *path = tni_join(y->r, entry->path, "");
    if (path == NULL) return no_memory(y->err);
    char *at = last_images(path);
    if (at == NULL)
        return y->c->darknet ? TN_OK
                             : walk(y, entry->path, "", entry->split, false, 0,
                                    add_orphan);
    memcpy(at, "labels", 6);
    path[strlen(path) - 1] = '\0';
    if (!tni_path_look(path).is_dir) return TN_OK;
    return walk(y, path, "", entry->split, false, 0, add_orphan);
}

/* The name of an image by its path: without the folders that only say split
 * and kind. */
static const char *name_of(const yolo *y, const char *path, uint32_t split)
{
    const size_t root = strlen(y->c->root);
    const char *name = path;
    if (strncmp(path, y->c->root, root) == 0 && path[root] == '/')
        name = path + root + 1;
    if (strncmp(name, "images/", 7) == 0) name += 7;
    if (split != TN_NONE) {
        const char *s = y->d->splits[split];
        const size_t n = strlen(s);
        if (strncmp(name, s, n) == 0 && name[n] == '/') name += n + 1;
        if (strncmp(name, "images/", 7) == 0) name += 7;
    } else if (y->c->unsplit && strncmp(name, "unsplit/", 8) == 0) {
        name += 8;
    }
    return name;
}

/* One line of a list: relative to the list's folder with "./", else to the
 * root; darknet's begin with the folder that holds the root. */
static tn_status add_listed(yolo *y, const char *folder, const char *line,
                            uint32_t split, uint64_t where)
{
    const char *tail = line;
    while (tail[0] == '/' || (tail[0] == '.' && tail[1] == '/') ||
           (tail[0] == '.' && tail[1] == '.' && tail[2] == '/'))
        tail += tail[0] == '/' ? 1 : tail[1] == '/' ? 2 : 3;
    const char *found = NULL;
    char *first = tni_join(y->r, line[0] == '.' ? folder : y->c->root, tail);
    if (first == NULL) return no_memory(y->err);
    if (strstr(tail, "../") != NULL)
        return tni_note_add(y->d, where, "path-outside", y->err,
                            "'%.150s' leads out of the folder: not read", line);
    for (const char *p = strlen(first) < MAX_PATH ? tail : NULL;
         p != NULL && found == NULL;) {
        const tni_arena_mark mark = tni_arena_save(&y->r->scratch);
        char *path = tni_join(
            y->r, p == tail && line[0] == '.' ? folder : y->c->root, p);
        if (path == NULL) return no_memory(y->err);
        const char *label = tni_yolo_label_path(&y->r->scratch, path);
        if (label == NULL) return no_memory(y->err);
        if (tni_path_look(path).is_file || has_labels(y, label)) found = path;
        if (found == NULL) tni_arena_rewind(&y->r->scratch, mark);
        p = strchr(p, '/');
        if (p != NULL) p++;
    }
    if (found == NULL)
        TN_TRY(tni_note_add(y->d, where, "image-missing", y->err,
                            "'%.150s' of the list is not there", line));
    if (found == NULL) found = first;
    return add_image(y, found, name_of(y, found, split), split);
}

static tn_status read_list(yolo *y, const tni_yolo_entry *entry)
{
    tni_span text = {NULL, 0};
    uint32_t source = 0;
    TN_TRY(tni_source_open(y->d, entry->path, &source, &text, y->err));
    const char *folder = tni_folder_of(y->r, entry->path);
    if (folder == NULL) return no_memory(y->err);
    const char *p = text.p, *end = text.p + text.len;
    if (text.len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *stop = nl != NULL ? nl : end;
        const char *q = stop;
        while (q > p && (q[-1] == '\r' || q[-1] == ' ')) q--;
        if (q > p) {
            char *line = tni_arena_strndup(&y->r->scratch, p, (size_t)(q - p));
            if (line == NULL) return no_memory(y->err);
            for (char *c = line; *c != '\0'; c++)
                if (*c == '\\') *c = '/';
            TN_TRY(add_listed(y, folder, line, entry->split,
                              tni_where(source, (uint64_t)(p - text.p))));
        }
        p = nl != NULL ? nl + 1 : end;
    }
    return TN_OK;
}

tn_status tni_yolo_read_entries(tni_reader *r, tni_yolo_config *c, tn_err *err)
{
    yolo y;
    memset(&y, 0, sizeof y);
    y.r = r;
    y.d = r->d;
    y.c = c;
    y.err = err;
    tni_strmap_init(&y.files, &r->scratch);
    tni_strmap_init(&y.labels, &r->scratch);
    tni_strmap_init(&y.lists, &r->scratch);
    for (size_t i = 0; i < c->n_entries; i++) {
        const char *path = c->entries[i].path;
        bool fresh = false;
        if (tni_strmap_add(&y.lists, path, strlen(path), &fresh) == NULL)
            return no_memory(err);
    }
    for (size_t i = 0; i < c->n_entries; i++) {
        const tni_yolo_entry *e = &c->entries[i];
        if (tni_path_look(e->path).is_dir)
            TN_TRY(read_folder(&y, e));
        else if (tni_is_image_name(e->path))
            TN_TRY(add_image(&y, e->path, name_of(&y, e->path, e->split),
                             e->split));
        else
            TN_TRY(read_list(&y, e));
    }
    return TN_OK;
}

/* --- classification ------------------------------------------------------ */

typedef struct class_folder {
    tni_reader *r;
    uint32_t split;
    const char *path;
} class_folder;

static tn_status read_class_folder(const class_folder *f, const char *name,
                                   tn_err *err)
{
    tn_dataset *d = f->r->d;
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    uint32_t cls = tni_find_class(d, name);
    if (cls == TN_NONE) {
        tni_class_row row;
        memset(&row, 0, sizeof row);
        row.name = tni_keep(d, name, strlen(name));
        TN_TRY(tni_add_class(d, &row, &cls, err));
    }
    TN_TRY(tni_list(f->r, tni_join(f->r, f->path, name), &e, &n, err));
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir || !tni_is_image_name(e[i].name)) continue;
        const char *folders[2] = {f->path, NULL};
        const char *full = tni_join(f->r, name, e[i].name);
        tni_image_row row;
        tni_ann a;
        uint32_t image = 0, ann = 0;
        if (full == NULL) return no_memory(err);
        memset(&row, 0, sizeof row);
        memset(&a, 0, sizeof a);
        row.name = tni_keep(d, full, strlen(full));
        row.splits = f->split != TN_NONE ? UINT64_C(1) << f->split : 0;
        TN_TRY(tni_add_image(d, &row, &image, err));
        TN_TRY(tni_find_image(f->r, image, folders, err));
        a.image = image;
        a.class_index = cls;
        a.flags = TN_IS_TAG;
        TN_TRY(tni_add_annotation(d, &a, &ann, err));
    }
    return TN_OK;
}

static tn_status read_class_folders(const class_folder *f, tn_err *err)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(f->r, f->path, &e, &n, err));
    for (size_t i = 0; i < n; i++)
        if (e[i].is_dir && e[i].name[0] != '.')
            TN_TRY(read_class_folder(f, e[i].name, err));
    return TN_OK;
}

/* <split>/<class>/<image>, or <class>/<image> without splits. */
tn_status tni_yolo_read_classify(tni_reader *r, tn_err *err)
{
    static const char *const splits[] = {"train", "val", "valid", "validation",
                                         "test"};
    bool any = false;
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        class_folder f = {r, TN_NONE, tni_join(r, r->path, splits[i])};
        if (f.path == NULL) return no_memory(err);
        if (!tni_path_look(f.path).is_dir) continue;
        any = true;
        TN_TRY(
            tni_add_split(r->d, splits[i], strlen(splits[i]), &f.split, err));
        TN_TRY(read_class_folders(&f, err));
    }
    const class_folder whole = {r, TN_NONE, r->path};
    if (!any) TN_TRY(read_class_folders(&whole, err));
    if (r->d->images.n == 0)
        return tni_fail(err, TN_ENOTFOUND,
                        "there is neither a data.yaml, nor a folder 'images', "
                        "nor a folder for each class with images");
    r->d->variant = "classify";
    return TN_OK;
}
