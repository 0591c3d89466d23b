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

enum { MAX_FOLDERS = 32 };

typedef struct yolo {
    tni_reader *r;
    tn_dataset *d;
    tni_yolo_config *c;
    tn_err *err;
    tni_strmap files;  /* path of an image file to its row + 1 */
    tni_strmap labels; /* paths of label files that were read */
    tni_strmap lists;  /* paths of the entries */
    uint32_t split;    /* of the entry at hand */
    tni_yolo_item *items;
    size_t n_items, cap_items;
    uint64_t n_done;
} yolo;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static tn_status add_item(yolo *y, const tni_yolo_item *item)
{
    if (y->n_items == y->cap_items) {
        const size_t cap = y->cap_items == 0 ? 256 : 2 * y->cap_items;
        tni_yolo_item *fresh =
            TNI_NEW_ARRAY(&y->r->scratch, tni_yolo_item, cap);
        if (fresh == NULL) return no_memory(y->err);
        if (y->n_items > 0) memcpy(fresh, y->items, y->n_items * sizeof *fresh);
        y->items = fresh;
        y->cap_items = cap;
    }
    y->items[y->n_items++] = *item;
    return TN_OK;
}

/* --- one label file ------------------------------------------------------ */

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

/* A large file stays mapped while it is read, and only then is kept. */
static tn_status read_large(yolo *y, uint32_t image, uint32_t source,
                            const char *path, bool *any)
{
    tni_file_map map;
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
        status = tni_yolo_add_file(
            y->d, y->c, &(tni_yolo_file){image, source, path, {text, map.size}},
            any, y->err);
    tni_file_map_close(&map);
    return status;
}

/* The lines that were seen; `after` is behind the words of the header. */
static tn_status add_seen(yolo *y, uint32_t image, uint32_t source,
                          const char *path, const tni_yolo_seen *seen,
                          const char *after)
{
    const size_t size = sizeof(tni_yolo_seen_line);
    const char *text = after + seen->n_lines * size;
    tni_yolo_seen_line l;
    bool shapes = false;
    for (uint32_t i = 0; i < seen->n_lines && !shapes; i++) {
        memcpy(&l, after + i * size, size);
        shapes = l.tokens.n > 5;
    }
    if (shapes) text = tni_keep(y->d, text, seen->text_len);
    if (text == NULL) return no_memory(y->err);
    if (seen->n_zeros > 0)
        TN_TRY(tni_yolo_note_zeros(y->d, source, seen->text_len - seen->n_zeros,
                                   y->err));
    for (uint32_t i = 0; i < seen->n_lines; i++) {
        memcpy(&l, after + i * size, size);
        const tni_yolo_line line = {text + l.begin, l.len,
                                    tni_where(source, l.begin), path, l.number};
        TN_TRY(tni_yolo_add_line(y->d, y->c, image, &line, &l.tokens, y->err));
    }
    return TN_OK;
}

static tn_status add_labels(yolo *y, uint32_t image, const char *path,
                            const tni_yolo_seen *seen, const char *after)
{
    uint32_t source = 0;
    bool any = seen->n_lines > 0, fresh = false;
    if (tni_strmap_add(&y->labels, path, strlen(path), &fresh) == NULL)
        return no_memory(y->err);
    if (!seen->labels) return TN_OK;
    TN_TRY(tni_source_add(y->d, path, &source, y->err));
    tni_image_at(y->d, image)->where = tni_where(source, 0);
    if (y->c->left) return TN_OK;
    TN_TRY(seen->large ? read_large(y, image, source, path, &any)
                       : add_seen(y, image, source, path, seen, after));
    if (!any) tni_image_at(y->d, image)->state = TN_STATE_EMPTY;
    return TN_OK;
}

/* --- images -------------------------------------------------------------- */

static tn_status add_image(yolo *y, const char *path, const char *name,
                           const tni_yolo_seen *seen, const char *why)
{
    const uint64_t bit = y->split != TN_NONE ? UINT64_C(1) << y->split : 0;
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
    if (seen->there) {
        const char *copy = tni_keep(y->d, path, strlen(path));
        if (copy == NULL) return no_memory(y->err);
        tni_image_at(y->d, image)->file = copy;
        if ((y->r->flags & TN_DATASET_NO_HEADERS) == 0)
            TN_TRY(tni_set_header(y->r, image, seen->header, &seen->info, why,
                                  y->err));
    }
    const char *label = tni_yolo_label_path(&y->r->scratch, path);
    if (label == NULL) return no_memory(y->err);
    return add_labels(y, image, label, seen, why + seen->why_len + 1);
}

/* A label whose image is not there keeps its place under its own name. */
static tn_status add_orphan(yolo *y, const tni_yolo_item *item,
                            const tni_yolo_seen *seen, const char *after)
{
    tni_image_row row;
    uint32_t image = 0;
    memset(&row, 0, sizeof row);
    row.name = tni_keep(y->d, item->name, tni_stem_len(item->name));
    row.splits = y->split != TN_NONE ? UINT64_C(1) << y->split : 0;
    TN_TRY(tni_add_image(y->d, &row, &image, y->err));
    TN_TRY(add_labels(y, image, item->label, seen, after));
    return tni_note_add(y->d, tni_image_at(y->d, image)->where,
                        "label-without-image", y->err,
                        "'%.150s' has no image beside it", item->name);
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

static tn_status take(void *ctx, uint32_t i, const tni_yolo_seen *seen,
                      const char *after)
{
    yolo *y = ctx;
    const tni_yolo_item *item = &y->items[i];
    const char *why = after + seen->path_len + 1;
    if ((++y->n_done & 255) == 0)
        TN_TRY(tni_reader_progress(y->r, y->n_done, y->n_done + 1, y->err));
    if (item->label != NULL)
        return add_orphan(y, item, seen, why + seen->why_len + 1);
    char *path = tni_arena_strndup(&y->r->scratch, after, seen->path_len);
    if (path == NULL) return no_memory(y->err);
    if (!seen->found)
        TN_TRY(tni_note_add(y->d, item->where, "image-missing", y->err,
                            "'%.150s' of the list is not there", item->line));
    return add_image(
        y, path, item->name != NULL ? item->name : name_of(y, path, y->split),
        seen, why);
}

/* Rows of all items, which are done then. */
static tn_status look_at_items(yolo *y)
{
    const tni_par *par = NULL;
    const tni_yolo_look look = {
        y->r, y->c, &y->lists, y->items, (uint32_t)y->n_items, y, take};
    TN_TRY(tni_reader_threads(y->r, y->n_items, &par, y->err));
    TN_TRY(tni_yolo_look_at(&look, par, y->err));
    y->n_items = 0;
    return TN_OK;
}

/* Images, or labels that no image has asked for, of a folder and of those
 * below, in order. */
static tn_status walk(yolo *y, const char *folder, const char *prefix,
                      bool images, int depth)
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
        const bool labels =
            !images && tni_ends_with(name, ".txt") &&
            strcmp(name, "classes.txt") != 0 &&
            tni_strmap_find(&y->labels, path, strlen(path)) == NULL;
        tni_yolo_item item;
        memset(&item, 0, sizeof item);
        item.name = name;
        if (images)
            item.path = path;
        else
            item.label = path;
        if (e[i].is_dir)
            TN_TRY(walk(y, path, name, images, depth + 1));
        else if (images ? tni_is_image_name(name) : labels)
            TN_TRY(add_item(y, &item));
    }
    return TN_OK;
}

static tn_status read_folder(yolo *y, const tni_yolo_entry *entry)
{
    TN_TRY(walk(y, entry->path, "", true, 0));
    TN_TRY(look_at_items(y));
    /* "/images/" may be the end of the path: look with a slash behind. */
    char *path = tni_join(y->r, entry->path, "");
    if (path == NULL) return no_memory(y->err);
    char *at = tni_yolo_last_images(path);
    if (at == NULL) {
        if (!y->c->darknet) TN_TRY(walk(y, entry->path, "", false, 0));
    } else {
        memcpy(at, "labels", 6);
        path[strlen(path) - 1] = '\0';
        if (tni_path_look(path).is_dir) TN_TRY(walk(y, path, "", false, 0));
    }
    return look_at_items(y);
}

static tn_status add_line(yolo *y, const tni_yolo_list *list, const char *line,
                          uint64_t where)
{
    const char *tail = line;
    while (strncmp(tail, "../", 3) == 0 || strncmp(tail, "./", 2) == 0 ||
           tail[0] == '/')
        tail = strchr(tail, '/') + 1;
    if (tni_yolo_has_dots(tail))
        return tni_note_add(y->d, where, "path-outside", y->err,
                            "'%.150s' leads out of the folder: not read", line);
    tni_yolo_item item;
    memset(&item, 0, sizeof item);
    item.line = line;
    item.tail = tail;
    item.list = list;
    item.where = where;
    return add_item(y, &item);
}

static tn_status read_list(yolo *y, const tni_yolo_entry *entry)
{
    uint32_t source = 0;
    tni_yolo_list list = {entry->path, NULL, {NULL, 0}};
    TN_TRY(tni_source_open(y->d, entry->path, &source, &list.text, y->err));
    list.folder = tni_folder_of(y->r, entry->path);
    if (list.folder == NULL) return no_memory(y->err);
    const tni_span text = list.text;
    const char *p = text.p, *end = text.p + text.len;
    if (text.len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *stop = nl != NULL ? nl : end;
        const char *q = stop;
        while (q > p && (q[-1] == '\r' || q[-1] == ' ')) q--;
        if (q > p) {
            if (memchr(p, '\0', (size_t)(q - p)) != NULL)
                return tni_yolo_list_fail(
                    &list, (uint64_t)(p - text.p),
                    "has a NUL byte; expected the path of an image, as text "
                    "(UTF-8, not UTF-16)",
                    y->err);
            char *line = tni_arena_strndup(&y->r->scratch, p, (size_t)(q - p));
            if (line == NULL) return no_memory(y->err);
            for (char *c = line; *c != '\0'; c++)
                if (*c == '\\') *c = '/';
            TN_TRY(add_line(y, &list, line,
                            tni_where(source, (uint64_t)(p - text.p))));
        }
        p = nl != NULL ? nl + 1 : end;
    }
    return look_at_items(y);
}

static tn_status read_file(yolo *y, const tni_yolo_entry *entry)
{
    tni_yolo_item item;
    memset(&item, 0, sizeof item);
    item.path = entry->path;
    item.name = name_of(y, entry->path, entry->split);
    TN_TRY(add_item(y, &item));
    return look_at_items(y);
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
        y.split = e->split;
        if (tni_path_look(e->path).is_dir)
            TN_TRY(read_folder(&y, e));
        else if (tni_is_image_name(e->path))
            TN_TRY(read_file(&y, e));
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
