/* SPDX-License-Identifier: Apache-2.0 */
/* voc_sets.c - ImageSets of Pascal VOC: lists of images, classes of images */
#include "data/formats/voc.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct list {
    const char *task, *path, *name;
    size_t cls_len; /* of the class before "_split" in its name */
    const char *split;
} list;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- lines ------------------------------------------------------------------ */

/* The number at the end of a line and what stands before it. */
static bool split_value(tni_span line, tni_span *stem, int64_t *value)
{
    size_t n = line.len;
    while (n > 0 && line.p[n - 1] != ' ' && line.p[n - 1] != '\t') n--;
    const tni_span last = {line.p + n, line.len - n};
    const tni_span front = {line.p, n};
    *stem = tni_trim(front);
    return n > 0 && stem->len > 0 && tni_field_i64(last, value);
}

static tni_span unquoted(tni_span t)
{
    if (t.len < 2 || t.p[0] != '"' || t.p[t.len - 1] != '"') return t;
    const tni_span inner = {t.p + 1, t.len - 2};
    return inner;
}

static uint32_t known(tni_voc *v, tni_span stem)
{
    return tni_voc_image_of(v, v->root, stem.p, stem.len);
}

/* An image of a list; one that nothing else knows has no file. */
static tn_status image_of(tni_voc *v, tni_span stem, uint64_t where,
                          uint32_t *image)
{
    const tni_voc_root *t = &v->roots[v->root];
    char name[2048];
    *image = known(v, stem);
    if (*image != TN_NONE) return TN_OK;
    const int n = snprintf(name, sizeof name, "%s%.*s", t->prefix,
                           stem.len > 1000 ? 1000 : (int)stem.len, stem.p);
    if (stem.len > 1000 || n < 0 || (size_t)n + 5 > sizeof name)
        return tni_fail(v->err, TN_ELIMIT, "the name of an image is too long");
    if (tni_is_image_name(name)) {
        const tni_span bare = {stem.p,
                               stem.len - strlen(name + tni_stem_len(name))};
        *image = known(v, bare);
        if (*image != TN_NONE) return TN_OK;
    } else {
        memcpy(name + n, ".jpg", 5);
    }
    return tni_voc_new_image(v, v->root, name, where, image);
}

static tn_status read_list(tni_voc *v, const list *l)
{
    uint32_t source = 0, split = TN_NONE;
    tni_span text, line;
    tni_lines lines;
    TN_TRY(tni_source_open(v->d, l->path, &source, &text, v->err));
    if (strcmp(l->split, "default") != 0)
        TN_TRY(tni_add_split(v->d, l->split, strlen(l->split), &split, v->err));
    tni_lines_init(&lines, text);
    while (tni_lines_next(&lines, &line)) {
        tni_span stem = unquoted(tni_trim(line)), front;
        int64_t value = 0;
        uint32_t image = 0;
        const uint64_t where =
            tni_where(source, (uint64_t)(line.p - lines.start));
        if (stem.len == 0) continue;
        /* Lists of layouts and actions number the object. */
        if (known(v, stem) == TN_NONE && split_value(stem, &front, &value))
            stem = unquoted(front);
        TN_TRY(image_of(v, stem, where, &image));
        if (split == TN_NONE) continue;
        tni_image_at(v->d, image)->splits |= UINT64_C(1) << split;
        tni_voc_pair *pair = tni_col_add(&v->pairs);
        if (pair == NULL) return no_memory(v->err);
        pair->image = image;
        pair->n = v->pairs.n;
        pair->task = l->task;
        pair->split = split;
    }
    return TN_OK;
}

/* stem and -1, 0 or 1 */
static tn_status read_class(tni_voc *v, const list *l)
{
    uint32_t source = 0, cls = 0;
    tni_span text, line;
    tni_lines lines;
    const tni_span name = {l->name, l->cls_len};
    TN_TRY(tni_source_open(v->d, l->path, &source, &text, v->err));
    const char *kept = tni_intern(v->d, name.p, name.len);
    if (kept == NULL) return no_memory(v->err);
    tni_lines_init(&lines, text);
    while (tni_lines_next(&lines, &line)) {
        tni_span stem;
        int64_t value = 0;
        uint32_t image = 0;
        const uint64_t at = (uint64_t)(line.p - lines.start);
        if (tni_trim(line).len == 0) continue;
        if (!split_value(tni_trim(line), &stem, &value) || value < -1 ||
            value > 1) {
            tni_err_where(v->err, "%s, line %d", l->path, lines.number);
            return tni_fail_at(v->err, TN_EFORMAT, at,
                               "found '%.*s', expected the name of an image "
                               "and 1, 0 or -1",
                               line.len > 60 ? 60 : (int)line.len, line.p);
        }
        TN_TRY(image_of(v, unquoted(stem), tni_where(source, at), &image));
        /* A class that no image has is known only where it is listed. */
        if (value >= 0)
            TN_TRY(tni_class_named(&v->classes, name, tni_where(source, at),
                                   &cls, v->err));
        tni_voc_mark *mark = tni_col_add(&v->marks);
        if (mark == NULL) return no_memory(v->err);
        mark->image = image;
        mark->value = (int32_t)value;
        mark->cls = kept;
        mark->where = tni_where(source, at);
    }
    return TN_OK;
}

/* --- which lists there are --------------------------------------------------- */

/* Whether the lines of a list end in -1, 0 or 1; 2: it has no lines. */
static tn_status look_at_lines(tni_voc *v, const char *path, int *values)
{
    tni_file_map map;
    tni_span line = {"", 0}, stem;
    tni_lines l;
    int64_t value = 0;
    TN_TRY(tni_file_map_open(&map, path, v->d->limits.max_file_bytes, v->err));
    const tni_span text = {map.size > 0 ? (const char *)map.bytes : "",
                           map.size};
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line) && tni_trim(line).len == 0) continue;
    line = tni_trim(line);
    *values = line.len == 0 ? 2
              : split_value(line, &stem, &value) && value >= -1 && value <= 1 &&
                      known(v, line) == TN_NONE
                  ? 1
                  : 0;
    tni_file_map_close(&map);
    return TN_OK;
}

/* The longest "_split" a name ends in; its length, 0: none. */
static size_t tail_of(const char *name, size_t len, const tni_dir_entry *e,
                      size_t n)
{
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t m = tni_stem_len(e[i].name);
        if (e[i].is_dir || !tni_ends_with(e[i].name, ".txt") || m + 1 >= len)
            continue;
        if (m > best && name[len - m - 1] == '_' &&
            memcmp(name + len - m, e[i].name, m) == 0)
            best = m;
    }
    return best;
}

static tn_status read_file(tni_voc *v, const char *task, const char *path,
                           const tni_dir_entry *file, const tni_dir_entry *e,
                           size_t n, bool classes)
{
    const size_t len = tni_stem_len(file->name);
    const size_t tail = tail_of(file->name, len, e, n);
    list l = {task, path, file->name, 0, NULL};
    const bool main_task = strcmp(task, "Main") == 0;
    int look = 0;
    TN_TRY(look_at_lines(v, path, &look));
    /* Elsewhere a number behind the name is that of an object. */
    const bool values =
        look == 1 ? main_task || tail > 0 : look > 0 && tail > 0;
    l.cls_len = tail > 0 ? len - tail - 1 : len;
    if (values && tail == 0)
        for (size_t i = 0; i < len; i++)
            if (file->name[i] == '_') l.cls_len = i;
    if (values != classes) return TN_OK;
    if (values && main_task) return read_class(v, &l);
    if (values)
        return tni_note_add(v->d, 0, "list-unused", v->err,
                            "%.200s says what the XML files say of single "
                            "objects; it is not read",
                            path);
    l.split = tni_arena_strndup(&v->r->scratch, file->name, len);
    return l.split != NULL ? read_list(v, &l) : no_memory(v->err);
}

static tn_status read_task(tni_voc *v, const char *folder, const char *task,
                           bool classes)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(v->r, folder, &e, &n, v->err));
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir || !tni_ends_with(e[i].name, ".txt")) continue;
        const char *path = tni_join(v->r, folder, e[i].name);
        if (path == NULL) return no_memory(v->err);
        TN_TRY(read_file(v, task, path, &e[i], e, n, classes));
    }
    return TN_OK;
}

/* --- several tasks ------------------------------------------------------------ */

static int by_image(const void *a, const void *b)
{
    const tni_voc_pair *x = a, *y = b;
    if (x->image != y->image) return x->image < y->image ? -1 : 1;
    return x->n < y->n ? -1 : x->n > y->n;
}

/* Where tasks have lists of their own the image says in which it is. */
static tn_status keep_lists(tni_voc *v)
{
    const uint32_t n = v->pairs.n;
    tni_voc_pair *rows = TNI_NEW_ARRAY(&v->r->scratch, tni_voc_pair, n + 1u);
    if (rows == NULL) return no_memory(v->err);
    for (uint32_t i = 0; i < n; i++)
        rows[i] = *TNI_ROW(&v->pairs, tni_voc_pair, i);
    qsort(rows, n, sizeof *rows, by_image);
    for (uint32_t i = 0, to = 0; i < n; i = to) {
        tni_span text;
        bool other = false;
        tni_out *o = tni_draft_begin(v->draft);
        tni_out_str(o, "\"image_sets\": [");
        for (to = i; to < n && rows[to].image == rows[i].image; to++) {
            char name[300];
            const int len =
                snprintf(name, sizeof name, "%.100s/%.190s", rows[to].task,
                         v->d->splits[rows[to].split]);
            tni_out_str(o, to > i ? ", " : "");
            tni_out_json(o, name, (size_t)len);
            other = other || strcmp(rows[to].task, "Main") != 0;
        }
        tni_out_str(o, "]");
        if (!other) continue;
        TN_TRY(tni_draft_keep(v->draft, v->d, &text));
        TN_TRY(tni_set_image_text(v->d, rows[i].image, TN_TEXT_EXTRA, text,
                                  v->err));
    }
    return TN_OK;
}

/* Splits that divide the images come before those that join them (trainval): a
 * format that has one split for an image takes its first. */
static tn_status add_dividing(tni_voc *v, const char *folder)
{
    static const char *const names[] = {"train", "val", "valid", "validation",
                                        "test"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char file[40];
        uint32_t split = 0;
        (void)snprintf(file, sizeof file, "%s.txt", names[i]);
        const char *path = tni_join(v->r, folder, file);
        if (path == NULL) return no_memory(v->err);
        if (tni_path_look(path).is_file)
            TN_TRY(tni_add_split(v->d, names[i], strlen(names[i]), &split,
                                 v->err));
    }
    return TN_OK;
}

static tn_status read_root(tni_voc *v, const char *sets)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    const char *main_folder = tni_join(v->r, sets, "Main");
    TN_TRY(tni_list(v->r, sets, &e, &n, v->err));
    if (main_folder == NULL) return no_memory(v->err);
    TN_TRY(add_dividing(v, sets));
    TN_TRY(add_dividing(v, main_folder));
    for (int classes = 0; classes < 2; classes++) {
        TN_TRY(read_task(v, sets, "Main", classes != 0));
        TN_TRY(read_task(v, main_folder, "Main", classes != 0));
    }
    for (size_t i = 0; i < n; i++) {
        if (!e[i].is_dir || strcmp(e[i].name, "Main") == 0) continue;
        const char *folder = tni_join(v->r, sets, e[i].name);
        if (folder == NULL) return no_memory(v->err);
        TN_TRY(read_task(v, folder, e[i].name, false));
        TN_TRY(read_task(v, folder, e[i].name, true));
    }
    return TN_OK;
}

tn_status tni_voc_sets(tni_voc *v)
{
    for (v->root = 0; v->root < v->n_roots; v->root++)
        if (v->roots[v->root].sets != NULL)
            TN_TRY(read_root(v, v->roots[v->root].sets));
    return keep_lists(v);
}

/* --- classes of images --------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

typedef struct tag {
    uint64_t key; /* image and class */
    uint32_t n;
} tag;

static int by_tag(const void *a, const void *b)
{
    const tag *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->n < y->n ? -1 : x->n > y->n;
}

static bool has_object(const uint64_t *keys, size_t n, uint64_t key)
{
    return bsearch(&key, keys, n, sizeof key, by_key) != NULL;
}

static tn_status differs(tni_voc *v, const tni_voc_mark *m)
{
    return tni_note_add(v->d, m->where, "class-file-differs", v->err,
                        "the lists say that '%.100s' has no '%.60s', its XML "
                        "has one",
                        tni_image_at(v->d, m->image)->name, m->cls);
}

/* Classes that lists give to images without an object of the class. */
tn_status tni_voc_tags(tni_voc *v)
{
    const uint32_t n = v->marks.n, n_anns = v->d->anns.n;
    if (n == 0) return TN_OK;
    tag *tags = TNI_NEW_ARRAY(&v->r->scratch, tag, n);
    uint64_t *keys = TNI_NEW_ARRAY(&v->r->scratch, uint64_t, n_anns + 1u);
    if (tags == NULL || keys == NULL) return no_memory(v->err);
    for (uint32_t i = 0; i < n_anns; i++)
        keys[i] = (uint64_t)tni_ann_at(v->d, i)->image << 32 |
                  tni_ann_at(v->d, i)->class_index;
    qsort(keys, n_anns, sizeof *keys, by_key);
    uint32_t cls = TN_NONE;
    const char *last = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const tni_voc_mark *m = TNI_ROW(&v->marks, tni_voc_mark, i);
        if (m->cls != last) cls = tni_find_class(v->d, m->cls);
        last = m->cls;
        tags[i].key = (uint64_t)m->image << 32 | cls;
        tags[i].n = i;
    }
    qsort(tags, n, sizeof *tags, by_tag);
    for (uint32_t i = 0; i < n; i++) {
        const tni_voc_mark *m = TNI_ROW(&v->marks, tni_voc_mark, tags[i].n);
        const bool object = has_object(keys, n_anns, tags[i].key);
        uint32_t ann = 0;
        tni_ann a;
        if (m->value < 0 && object) TN_TRY(differs(v, m));
        if (m->value < 0 || object) continue;
        if (i > 0 && tags[i].key == tags[i - 1].key &&
            TNI_ROW(&v->marks, tni_voc_mark, tags[i - 1].n)->value >= 0)
            continue;
        memset(&a, 0, sizeof a);
        a.image = m->image;
        a.class_index = (uint32_t)tags[i].key;
        a.where = m->where;
        a.flags = TN_IS_TAG | (m->value == 0 ? (uint32_t)TN_IS_DIFFICULT : 0u);
        TN_TRY(tni_add_annotation(v->d, &a, &ann, v->err));
    }
    return TN_OK;
}
