/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yolo_config.c - data.yaml in its spellings, and darknet's obj.data
 *
 * Nothing in it is executed or fetched: `download` is a field like any other.
 * Paths stay inside the folder of the file; Roboflow's "../train/images" is
 * looked for without the "..", as Ultralytics does.
 */
#include "data/formats/yolo.h"

#include "base/num.h"
#include "data/yaml_tree.h"

#include <stdio.h>
#include <stdlib.h>

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

tn_status tni_yolo_add_entry(tni_reader *r, tni_yolo_config *c,
                             const char *path, uint32_t split, tn_err *err)
{
    if (c->n_entries == c->cap_entries) {
        const size_t cap = c->cap_entries == 0 ? 8 : c->cap_entries * 2;
        tni_yolo_entry *more = TNI_NEW_ARRAY(&r->scratch, tni_yolo_entry, cap);
        if (more == NULL) return no_memory(err);
        if (c->n_entries > 0)
            memcpy(more, c->entries, c->n_entries * sizeof *more);
        c->entries = more;
        c->cap_entries = cap;
    }
    c->entries[c->n_entries].path = path;
    c->entries[c->n_entries].split = split;
    c->n_entries++;
    return path != NULL ? TN_OK : no_memory(err);
}

/* The path without what leads out of a folder: "/", "./", "../", "C:\". */
static const char *inside(const char *path)
{
    for (;;) {
        if (((path[0] | 32) >= 'a' && (path[0] | 32) <= 'z') && path[1] == ':')
            path += 2;
        if (path[0] == '/' || path[0] == '\\')
            path++;
        else if (path[0] == '.' && (path[1] == '/' || path[1] == '\\'))
            path += 2;
        else if (path[0] == '.' && path[1] == '.' &&
                 (path[2] == '/' || path[2] == '\\'))
            path += 3;
        else if (strcmp(path, "..") == 0 || strcmp(path, ".") == 0)
            return "";
        else
            return path;
    }
}

bool tni_yolo_has_dots(const char *path)
{
    for (const char *p = path; *p != '\0';) {
        const size_t n = strcspn(p, "/\\");
        if (n == 2 && p[0] == '.' && p[1] == '.') return true;
        p += n;
        if (*p != '\0') p++;
    }
    return false;
}

/* Of a path inside the folder; without a slash at its end. */
static char *look_in(tni_reader *r, const char *root, const char *inner,
                     bool turn)
{
    char *path = tni_join(r, root, inner);
    if (path == NULL) return NULL;
    for (char *p = path; turn && *p != '\0'; p++)
        if (*p == '\\') *p = '/';
    const size_t n = strlen(path);
    if (n > 1 && path[n - 1] == '/') path[n - 1] = '\0';
    return tni_path_look(path).exists ? path : NULL;
}

/* Where an entry of the file is; NULL when it is not in the folder. What is
 * there by the name it has is that, though it may look like another system's
 * path: "q:.txt". */
static const char *locate(tni_reader *r, const tni_yolo_config *c,
                          const char *entry)
{
    if (entry[0] == '\0' || strcmp(entry, ".") == 0) return c->root;
    const char *tail = inside(entry);
    if (tni_yolo_has_dots(tail) || tail[0] == '\0') return NULL;
    if (entry[0] != '/' && !tni_yolo_has_dots(entry)) {
        const char *own = look_in(r, c->root, entry, false);
        if (own != NULL) return own;
    }
    return look_in(r, c->root, tail, true);
}

static tn_status add_located(tni_reader *r, tni_yolo_config *c,
                             const tni_yaml *node, uint32_t split,
                             uint64_t where, tn_err *err)
{
    if (node->kind == TNI_YAML_LIST) {
        for (size_t i = 0; i < node->n; i++)
            if (node->items[i]->kind == TNI_YAML_SCALAR)
                TN_TRY(add_located(r, c, node->items[i], split, where, err));
        return TN_OK;
    }
    if (node->kind != TNI_YAML_SCALAR || node->len == 0 ||
        strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0)
        return TN_OK;
    const char *path = locate(r, c, node->text);
    if (path != NULL) return tni_yolo_add_entry(r, c, path, split, err);
    return tni_note_add(
        r->d, where, "split-missing", err,
        "'%.100s' is not in the folder of the dataset: its "
        "images are not read (say where they are by --image-dir)",
        node->text);
}

/* --- classes ------------------------------------------------------------- */

typedef struct named {
    int64_t number;
    const tni_yaml *name;
} named;

static int by_number(const void *a, const void *b)
{
    const int64_t x = ((const named *)a)->number;
    const int64_t y = ((const named *)b)->number;
    return x < y ? -1 : x > y;
}

static tn_status add_named(tni_reader *r, const named *list, size_t n,
                           uint32_t source, tn_err *err)
{
    for (size_t i = 0; i < n; i++) {
        tni_class_row row;
        uint32_t cls = 0;
        memset(&row, 0, sizeof row);
        if (i > 0 && list[i].number == list[i - 1].number)
            return tni_fail(err, TN_EFORMAT,
                            "class %lld is named twice, in lines %d and %d",
                            (long long)list[i].number, list[i - 1].name->line,
                            list[i].name->line);
        row.name = tni_keep(r->d, list[i].name->text, list[i].name->len);
        row.where = tni_where(source, list[i].name->offset);
        if (list[i].number != (int64_t)i) {
            row.id_kind = TN_ID_INT;
            row.id = list[i].number;
        }
        TN_TRY(tni_add_class(r->d, &row, &cls, err));
    }
    return TN_OK;
}

static tn_status read_names(tni_reader *r, const tni_yaml *names,
                            uint32_t source, tn_err *err)
{
    if (names == NULL || names->kind == TNI_YAML_SCALAR)
        return tni_fail(err, TN_EFORMAT,
                        "'names' is missing or a single text; expected a list "
                        "of names, or numbers with names");
    const bool map = names->kind == TNI_YAML_MAP;
    const size_t n = map ? names->n / 2 : names->n;
    named *list = TNI_NEW_ARRAY(&r->scratch, named, n + 1);
    if (list == NULL) return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        list[i].name = names->items[map ? 2 * i + 1 : i];
        list[i].number = (int64_t)i;
        if (list[i].name->kind != TNI_YAML_SCALAR)
            return tni_fail(err, TN_EFORMAT,
                            "line %d: the name of a class is not a text",
                            list[i].name->line);
        if (map && (!tni_yaml_int(names->items[2 * i], &list[i].number) ||
                    list[i].number < 0 || list[i].number > INT32_MAX))
            return tni_fail(err, TN_EFORMAT,
                            "line %d: '%.40s' is not the number of a class",
                            names->items[2 * i]->line,
                            names->items[2 * i]->text);
    }
    if (n > 1) qsort(list, n, sizeof *list, by_number);
    return add_named(r, list, n, source, err);
}

tn_status tni_yolo_class(tn_dataset *d, const tni_yolo_config *config,
                         int64_t number, uint64_t where, uint32_t *cls,
                         tn_err *err)
{
    const uint32_t n_named = config->n_classes;
    tni_yolo_numbers *numbers = config->numbers;
    /* Names without gaps are found by their place. */
    if (number >= 0 && number < (int64_t)n_named &&
        tni_class_at(d, (uint32_t)number)->id_kind == TN_ID_NONE) {
        *cls = (uint32_t)number;
        return TN_OK;
    }
    for (; numbers->n < d->classes.n; numbers->n++) {
        const tni_class_row *c = tni_class_at(d, numbers->n);
        if (!tni_idmap_add(&numbers->ids, c->id_kind, c->id, numbers->n))
            return no_memory(err);
    }
    *cls = tni_idmap_find(&numbers->ids, TN_ID_INT, number);
    if (*cls != TN_NONE) return TN_OK;
    char text[32];
    tni_class_row row;
    memset(&row, 0, sizeof row);
    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    row.name = tni_keep(d, text, strlen(text));
    row.id_kind = TN_ID_INT;
    row.id = number;
    row.where = where;
    if (n_named > 0)
        TN_TRY(tni_note_add(d, where, "class-out-of-range", err,
                            "class %lld has no name; there are %u names",
                            (long long)number, (unsigned)n_named));
    return tni_add_class(d, &row, cls, err);
}

tn_status tni_yolo_names_file(tni_reader *r, const char *path, uint32_t *n,
                              tn_err *err)
{
    tni_span text = {NULL, 0};
    uint32_t source = 0;
    TN_TRY(tni_source_open(r->d, path, &source, &text, err));
    const char *end = text.p + text.len, *p = text.p;
    /* A blank line at the end is no class; inside it would shift them. */
    while (end > p && (unsigned char)end[-1] <= ' ') end--;
    if (text.len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *line_end = nl != NULL ? nl : end;
        const char *stop = line_end;
        while (stop > p && (stop[-1] == '\r' || stop[-1] == ' ')) stop--;
        tni_class_row row;
        uint32_t cls = 0;
        memset(&row, 0, sizeof row);
        row.name = tni_keep(r->d, p, (size_t)(stop - p));
        row.where = tni_where(source, (uint64_t)(p - text.p));
        TN_TRY(tni_add_class(r->d, &row, &cls, err));
        p = nl != NULL ? nl + 1 : end;
    }
    *n = r->d->classes.n;
    return TN_OK;
}

/* --- data.yaml ----------------------------------------------------------- */

static const char *const split_keys[] = {"train", "val",  "validation",
                                         "valid", "test", "minival"};

static bool is_split_key(const char *key)
{
    for (size_t i = 0; i < sizeof split_keys / sizeof split_keys[0]; i++)
        if (strcmp(key, split_keys[i]) == 0) return true;
    return false;
}

static tn_status read_split(tni_reader *r, tni_yolo_config *c,
                            const tni_yaml *root, const char *key,
                            const tni_yaml *value, uint64_t where, tn_err *err)
{
    const tni_yaml *own = tni_yaml_get(tni_yaml_get(root, "tenon_splits"), key);
    const tni_yaml *none = tni_yaml_get(root, "tenon_unsplit");
    uint32_t split = TN_NONE;
    const char *name = own != NULL && own->kind == TNI_YAML_SCALAR ? own->text
                       : strcmp(key, "validation") == 0            ? "val"
                                                                   : key;
    if (none != NULL && none->kind == TNI_YAML_SCALAR &&
        value->kind == TNI_YAML_SCALAR && strcmp(none->text, value->text) == 0)
        return TN_OK;
    /* There only because a trainer asks for it. */
    if (name[0] == '\0') return TN_OK;
    TN_TRY(tni_add_split(r->d, name, strlen(name), &split, err));
    return add_located(r, c, value, split, where, err);
}

static tn_status read_keypoints(tni_yolo_config *c, const tni_yaml *shape,
                                tn_err *err)
{
    int64_t n = 0, dims = 0;
    if (shape == NULL) return TN_OK;
    if (shape->kind != TNI_YAML_LIST || shape->n != 2 ||
        !tni_yaml_int(shape->items[0], &n) ||
        !tni_yaml_int(shape->items[1], &dims) || n < 1 || n > 1024 ||
        dims < 2 || dims > 3)
        return tni_fail(err, TN_EFORMAT,
                        "line %d: kpt_shape is not [number, 2 or 3]",
                        shape->line);
    c->n_kpts = (uint32_t)n;
    c->kpt_dims = (uint32_t)dims;
    c->task = TNI_YOLO_POSE;
    return TN_OK;
}

/* Fields that say nothing of where things are. */
static tn_status keep_field(tni_reader *r, const tni_yaml *key,
                            const tni_yaml *value, uint32_t source, tn_err *err)
{
    static const char *const known[] = {"path",         "names", "nc",
                                        "kpt_shape",    "task",  "tenon_splits",
                                        "tenon_unsplit"};
    if (key->kind != TNI_YAML_SCALAR || is_split_key(key->text)) return TN_OK;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(key->text, known[i]) == 0) return TN_OK;
    tni_meta meta;
    size_t len = 0;
    memset(&meta, 0, sizeof meta);
    const char *json = tni_yaml_json(value, &r->scratch, &len);
    if (json == NULL)
        return tni_note_add(r->d, tni_where(source, key->offset),
                            "field-too-large", err,
                            "the field '%.60s' is too large to be kept, or is "
                            "not UTF-8",
                            key->text);
    meta.key = tni_keep(r->d, key->text, key->len);
    meta.value.p = tni_keep(r->d, json, len);
    meta.value.len = len;
    meta.split = TN_NONE;
    meta.where = tni_where(source, key->offset);
    if (meta.value.p == NULL) return no_memory(err);
    if (strcmp(key->text, "download") == 0)
        TN_TRY(tni_note_add(r->d, meta.where, "download-not-run", err,
                            "'download' is kept as text; it is never run"));
    return tni_add_meta(r->d, &meta, err);
}

static tn_status read_task(tni_yolo_config *c, const tni_yaml *task)
{
    static const char *const names[] = {"", "detect", "segment", "pose", "obb"};
    for (int i = 1; task != NULL && i <= TNI_YOLO_OBB; i++)
        if (task->kind == TNI_YAML_SCALAR && strcmp(task->text, names[i]) == 0)
            c->task = (tni_yolo_task)i;
    return TN_OK;
}

static tn_status read_yaml(tni_reader *r, tni_yolo_config *c, const char *path,
                           const tni_yaml *root, uint32_t source, tn_err *err)
{
    int64_t nc = 0;
    if (root->kind != TNI_YAML_MAP)
        return tni_fail(err, TN_EFORMAT, "the file is not a list of keys");
    const char *own = tni_folder_of(r, path);
    c->root = r->images != NULL ? r->images : own;
    const tni_yaml *top = tni_yaml_get(root, "path");
    if (r->images == NULL && top != NULL && top->kind == TNI_YAML_SCALAR) {
        const char *found = locate(r, c, top->text);
        if (found != NULL && tni_path_look(found).is_dir) c->root = found;
    }
    TN_TRY(read_names(r, tni_yaml_get(root, "names"), source, err));
    c->n_classes = r->d->classes.n;
    const tni_yaml *count = tni_yaml_get(root, "nc");
    if (tni_yaml_int(count, &nc) && nc != (int64_t)c->n_classes)
        TN_TRY(tni_note_add(r->d, tni_where(source, count->offset),
                            "class-count", err, "nc is %lld, names are %u",
                            (long long)nc, (unsigned)c->n_classes));
    TN_TRY(read_task(c, tni_yaml_get(root, "task")));
    TN_TRY(read_keypoints(c, tni_yaml_get(root, "kpt_shape"), err));
    const tni_yaml *splits = tni_yaml_get(root, "tenon_splits");
    for (size_t i = 0; i + 1 < root->n; i += 2) {
        const tni_yaml *key = root->items[i], *value = root->items[i + 1];
        const uint64_t where = tni_where(source, key->offset);
        if (key->kind == TNI_YAML_SCALAR &&
            (is_split_key(key->text) ||
             tni_yaml_get(splits, key->text) != NULL))
            TN_TRY(read_split(r, c, root, key->text, value, where, err));
        else
            TN_TRY(keep_field(r, key, value, source, err));
    }
    const tni_yaml *none = tni_yaml_get(root, "tenon_unsplit");
    c->unsplit = none != NULL;
    if (none != NULL)
        TN_TRY(add_located(r, c, none, TN_NONE, tni_where(source, none->offset),
                           err));
    return TN_OK;
}

tn_status tni_yolo_config_yaml(tni_reader *r, tni_yolo_config *c,
                               const char *path, tn_err *err)
{
    uint32_t source = 0;
    tni_span text = {NULL, 0};
    tni_yaml *root = NULL;
    TN_TRY(tni_source_open(r->d, path, &source, &text, err));
    tn_status status =
        tni_yaml_read(&root, text, r->d->limits.max_nesting, &r->scratch, err);
    if (status == TN_OK) status = read_yaml(r, c, path, root, source, err);
    if (status != TN_OK) tni_err_where(err, "%s", path);
    return status;
}

/* --- obj.data ------------------------------------------------------------ */

/* "key = value" of a line; both are cut in place. */
static bool cut(char *line, char **key, char **value)
{
    char *eq = strchr(line, '=');
    if (eq == NULL) return false;
    *eq = '\0';
    *key = line + strspn(line, " \t");
    *value = eq + 1 + strspn(eq + 1, " \t");
    for (char *p = eq; p > *key && (p[-1] == ' ' || p[-1] == '\t');)
        *--p = '\0';
    size_t n = strlen(*value);
    while (n > 0 && strchr(" \t\r", (*value)[n - 1]) != NULL)
        (*value)[--n] = '\0';
    return true;
}

/* Paths of darknet are relative to where it is started: try the folder of the
 * file, then without the first parts. */
static const char *locate_any(tni_reader *r, const tni_yolo_config *c,
                              const char *path)
{
    for (const char *p = inside(path); p != NULL && *p != '\0';) {
        const char *found = locate(r, c, p);
        if (found != NULL) return found;
        p = strchr(p, '/');
        if (p != NULL) p++;
    }
    return NULL;
}

tn_status tni_yolo_config_darknet(tni_reader *r, tni_yolo_config *c,
                                  const char *path, tn_err *err)
{
    uint32_t source = 0;
    tni_span text = {NULL, 0};
    TN_TRY(tni_source_open(r->d, path, &source, &text, err));
    c->root = r->images != NULL ? r->images : tni_folder_of(r, path);
    c->darknet = true;
    char *copy = tni_arena_strndup(&r->scratch, text.p, text.len);
    if (copy == NULL || c->root == NULL) return no_memory(err);
    for (char *line = copy, *next = NULL; line != NULL; line = next) {
        char *key = NULL, *value = NULL;
        next = strchr(line, '\n');
        if (next != NULL) *next++ = '\0';
        const uint64_t where = tni_where(source, (uint64_t)(line - copy));
        if (!cut(line, &key, &value)) continue;
        const char *found = locate_any(r, c, value);
        if (strcmp(key, "names") == 0) {
            if (found == NULL)
                return tni_fail(err, TN_ENOTFOUND,
                                "%s: '%.100s', the list of names, is not in "
                                "the folder",
                                path, value);
            TN_TRY(tni_yolo_names_file(r, found, &c->n_classes, err));
            continue;
        }
        if (!is_split_key(key)) continue;
        uint32_t split = 0;
        const char *name = strcmp(key, "valid") == 0 ? "val" : key;
        TN_TRY(tni_add_split(r->d, name, strlen(name), &split, err));
        if (found != NULL)
            TN_TRY(tni_yolo_add_entry(r, c, found, split, err));
        else
            TN_TRY(tni_note_add(r->d, where, "split-missing", err,
                                "'%.100s' is not in the folder of the dataset",
                                value));
    }
    return TN_OK;
}
