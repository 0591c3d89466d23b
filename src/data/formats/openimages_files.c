/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openimages_files.c - Open Images: which files there are, and those that are
 * no tables
 *
 * The published tables in annotations/ or in the folder itself, or labels/ and
 * metadata/ in a folder per split, as FiftyOne keeps what it downloads.
 */
#include "data/formats/openimages.h"

enum { MAX_DEPTH = 32 };

typedef tni_oi openimages;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- hierarchy and sizes ----------------------------------------------------- */

/* What a label is called: its class, else itself. */
static const char *name_of_label(const openimages *o, tni_span label,
                                 uint32_t *cls)
{
    void **slot = tni_strmap_find(&o->labels, label.p, label.len);
    *cls = slot != NULL ? (uint32_t)((uintptr_t)*slot - 1) : TN_NONE;
    if (slot != NULL) return tni_class_at(o->d, *cls)->name;
    return tni_intern(o->d, label.p, label.len);
}

/* A node and what is below it; its first parent, but for the root, is the
 * class's. */
static tn_status read_node(openimages *o, tni_json *j, const char *parent,
                           int depth)
{
    tni_span key, label = {NULL, 0};
    tni_json lists[4];
    int n = 0;
    if (depth == MAX_DEPTH)
        return tni_fail(o->err, TN_ELIMIT,
                        "categories are nested more than %d deep",
                        (int)MAX_DEPTH);
    bool escaped = false;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        if (tni_span_is(key, "LabelName")) {
            if (!tni_json_string(j, &label, &escaped)) return j->status;
        } else if (n < 4 && tni_span_is(key, "Subcategory")) {
            (void)tni_json_peek(j);
            lists[n++] = *j;
            if (!tni_json_skip(j, NULL)) return j->status;
        } else if (!tni_json_skip(j, NULL)) {
            return j->status;
        }
    }
    TN_TRY(j->status);
    if (label.p == NULL) {
        (void)tni_json_fail(j, j->p, "a category without a LabelName");
        return j->status;
    }
    uint32_t cls = TN_NONE;
    const char *name = name_of_label(o, label, &cls);
    if (name == NULL) return no_memory(o->err);
    if (cls != TN_NONE && parent != NULL &&
        tni_class_at(o->d, cls)->parent == NULL)
        tni_class_at(o->d, cls)->parent = parent;
    for (int i = 0; i < n; i++)
        if (tni_json_enter(&lists[i], '['))
            while (tni_json_item(&lists[i]))
                TN_TRY(read_node(o, &lists[i], depth > 0 ? name : NULL,
                                 depth + 1));
    return TN_OK;
}

static tn_status read_hierarchy(openimages *o, const char *path)
{
    tni_jsonfile f;
    tni_meta meta;
    TN_TRY(tni_jsonfile_open(&f, o->r, path, o->err));
    (void)tni_json_peek(&f.j);
    memset(&meta, 0, sizeof meta);
    tni_json at = f.j;
    if (tni_json_skip(&f.j, &meta.value)) (void)!tni_json_end(&f.j);
    tn_status status = f.j.status;
    if (status == TN_OK) status = read_node(o, &at, NULL, 0);
    if (status != TN_OK) {
        tni_err_where(o->err, "%s", path);
        return status;
    }
    meta.key = TNI_OI_HIERARCHY;
    meta.split = TN_NONE;
    meta.where = tni_where(f.source, 0);
    return tni_add_meta(o->d, &meta, o->err);
}

/* images.meta, as Datumaro and CVAT write it: id, height, width; an id with
 * spaces is quoted. */
static tn_status read_sizes(openimages *o, const char *path)
{
    tni_span text = {NULL, 0}, line;
    tni_lines l;
    TN_TRY(tni_source_open(o->d, path, &o->source, &text, o->err));
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line)) {
        int64_t h = 0, w = 0;
        tni_span f[3], rest = tni_trim(line), id = {NULL, 0};
        if (rest.len == 0 || rest.p[0] == '#') continue;
        if (rest.p[0] == '"' || rest.p[0] == '\'') {
            const char *end = memchr(rest.p + 1, rest.p[0], rest.len - 1);
            if (end != NULL) {
                id.p = rest.p + 1;
                id.len = (size_t)(end - id.p);
                rest.len -= (size_t)(end + 1 - rest.p);
                rest.p = end + 1;
            }
        }
        const size_t n = tni_fields(rest, f, 3), want = id.p != NULL ? 2 : 3;
        if (n != want || !tni_field_i64(f[n - 2], &h) ||
            !tni_field_i64(f[n - 1], &w) || h < 1 || w < 1 || h > INT32_MAX ||
            w > INT32_MAX) {
            tni_err_where(o->err, "%s, line %d", path, l.number);
            return tni_fail_at(o->err, TN_EFORMAT, (uint64_t)(line.p - l.start),
                               "found '%.*s', expected an image's id, height "
                               "and width",
                               line.len > 60 ? 60 : (int)line.len, line.p);
        }
        if (id.p == NULL) id = f[0];
        void **slot = tni_strmap_find(&o->images, id.p, id.len);
        if (slot == NULL) continue;
        tni_image_row *row =
            tni_image_at(o->d, (uint32_t)((uintptr_t)*slot - 1));
        row->height = (int32_t)h;
        row->width = (int32_t)w;
    }
    return TN_OK;
}

/* --- the whole ----------------------------------------------------------- */

static bool is_hierarchy(const openimages *o, const char *path)
{
    tni_probe p;
    memset(&p, 0, sizeof p);
    p.r = o->r;
    const tni_span head = tni_probe_head(&p, path);
    return tni_has_text(head, "\"LabelName\"") &&
           (tni_has_text(head, "\"Subcategory\"") ||
            tni_has_text(head, "\"Part\""));
}

/* The split in front of what a table is: "oidv6-train-annotations-bbox". */
static const char *split_of(tni_reader *r, const char *name)
{
    static const char *const fronts[] = {"oidv4-",          "oidv5-",
                                         "oidv6-",          "oidv7-",
                                         "challenge-2018-", "challenge-2019-"};
    static const char *const marks[] = {"-annotations-", "-images-",
                                        "-image_ids"};
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++)
        if (strncmp(name, fronts[i], strlen(fronts[i])) == 0)
            name += strlen(fronts[i]);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *end = strstr(name, marks[i]);
        if (end == NULL || end == name) continue;
        return tni_arena_strndup(&r->scratch, name, (size_t)(end - name));
    }
    return NULL;
}

static tn_status add_table(openimages *o, const char *folder, const char *name,
                           const char *split)
{
    tni_probe p;
    tni_csv c;
    memset(&p, 0, sizeof p);
    p.r = o->r;
    tni_oi_table *t = &o->tables[o->n_tables];
    t->path = tni_join(o->r, folder, name);
    if (t->path == NULL) return no_memory(o->err);
    tni_csv_init(&c, tni_probe_head(&p, t->path), ',', &o->r->scratch, NULL);
    t->kind = tni_csv_next(&c) ? tni_oi_kind_of(&c) : TNI_OI_NONE;
    if (c.status == TN_ENOMEM) return no_memory(o->err);
    t->split = split;
    if (split == NULL && t->kind != TNI_OI_CLASSES)
        t->split = split_of(o->r, name);
    if (t->kind != TNI_OI_NONE) {
        o->n_tables++;
        return TN_OK;
    }
    return tni_note_add(o->d, 0, "other-file", o->err,
                        "%.200s is no table of Open Images that is read "
                        "(boxes, labels, masks, relationships, images, "
                        "classes)",
                        t->path);
}

/* A folder of tables. */
typedef struct place {
    const char *folder, *split;
    const char *only; /* this file, and the classes beside it */
    bool about;       /* FiftyOne's metadata: classes and hierarchy alone */
} place;

static tn_status add_tables(openimages *o, const place *p)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    bool found = false;
    TN_TRY(tni_list(o->r, p->folder, &e, &n, o->err));
    tni_oi_table *more =
        TNI_NEW_ARRAY(&o->r->scratch, tni_oi_table, o->n_tables + n + 1);
    if (more == NULL) return no_memory(o->err);
    if (o->n_tables > 0) memcpy(more, o->tables, o->n_tables * sizeof *more);
    o->tables = more;
    for (size_t i = 0; i < n; i++) {
        const bool asked = p->only != NULL && strcmp(p->only, e[i].name) == 0;
        const bool classes = strstr(e[i].name, "class") != NULL;
        const size_t before = o->n_tables;
        if (e[i].is_dir || e[i].name[0] == '.' ||
            !tni_ends_with(e[i].name, ".csv") ||
            ((p->about || p->only != NULL) && !asked && !classes))
            continue;
        TN_TRY(add_table(o, p->folder, e[i].name, p->split));
        if ((p->about || p->only != NULL) && !asked && o->n_tables > before &&
            o->tables[before].kind != TNI_OI_CLASSES)
            o->n_tables--;
        found = found || asked;
    }
    /* One that is compressed has another name in its folder. */
    return p->only != NULL && !found
               ? add_table(o, p->folder, p->only, p->split)
               : TN_OK;
}

static tn_status add_others(openimages *o, const place *p)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    if (p->only != NULL) return TN_OK;
    TN_TRY(tni_list(o->r, p->folder, &e, &n, o->err));
    for (size_t i = 0; i < n; i++) {
        const char *path = tni_join(o->r, p->folder, e[i].name);
        if (path == NULL) return no_memory(o->err);
        if (e[i].is_dir) continue;
        if (strcmp(e[i].name, "images.meta") == 0) TN_TRY(read_sizes(o, path));
        if (tni_ends_with(e[i].name, ".json") && is_hierarchy(o, path))
            TN_TRY(read_hierarchy(o, path));
    }
    return TN_OK;
}

/* FiftyOne's folders: labels/ and metadata/ in the dataset or in a split. */
static tn_status add_pair(openimages *o, place *places, size_t *n,
                          const char *folder, const char *split)
{
    const char *labels = tni_join(o->r, folder, "labels");
    const char *about = tni_join(o->r, folder, "metadata");
    if (labels == NULL || about == NULL) return no_memory(o->err);
    if (!tni_path_look(labels).is_dir) return TN_OK;
    places[*n].folder = labels;
    places[(*n)++].split = split;
    places[*n].folder = about;
    places[(*n)++].about = true;
    return TN_OK;
}

static tn_status find_places(openimages *o, place **out, size_t *n)
{
    const tni_dir_entry *e = NULL;
    size_t n_entries = 0;
    const char *top = o->r->path, *slash = strrchr(top, '/');
    *n = 0;
    if (o->r->is_dir) TN_TRY(tni_list(o->r, top, &e, &n_entries, o->err));
    place *places = TNI_NEW_ARRAY(&o->r->scratch, place, 2 * n_entries + 4);
    if (places == NULL) return no_memory(o->err);
    *out = places;
    if (!o->r->is_dir) {
        places[0].folder = tni_folder_of(o->r, top);
        places[0].only = slash != NULL ? slash + 1 : top;
        *n = 1;
        return places[0].folder != NULL ? TN_OK : no_memory(o->err);
    }
    const char *folder = tni_join(o->r, top, "annotations");
    if (folder == NULL) return no_memory(o->err);
    places[(*n)++].folder = tni_path_look(folder).is_dir ? folder : top;
    TN_TRY(add_pair(o, places, n, top, NULL));
    for (size_t i = 0; i < n_entries; i++) {
        const char *sub = tni_join(o->r, top, e[i].name);
        if (sub == NULL) return no_memory(o->err);
        if (e[i].is_dir && e[i].name[0] != '.')
            TN_TRY(add_pair(o, places, n, sub, e[i].name));
    }
    return TN_OK;
}

static tn_status read_places(openimages *o)
{
    place *places = NULL;
    size_t n = 0, found = 0;
    TN_TRY(find_places(o, &places, &n));
    for (size_t i = 0; i < n; i++) TN_TRY(add_tables(o, &places[i]));
    for (size_t i = 0; i < o->n_tables; i++)
        found += o->tables[i].kind != TNI_OI_CLASSES;
    if (found == 0)
        return tni_fail(o->err, TN_EFORMAT,
                        "no table of Open Images here; expected columns such "
                        "as ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,"
                        "YMax");
    for (int kind = TNI_OI_CLASSES; kind < TNI_OI_KINDS; kind++)
        for (size_t i = 0; i < o->n_tables; i++)
            if ((int)o->tables[i].kind == kind)
                TN_TRY(tni_oi_read_table(o, &o->tables[i]));
    for (size_t i = 0; i < n; i++) TN_TRY(add_others(o, &places[i]));
    return TN_OK;
}

/* The relationships of each image as one member of it. */
static tn_status put_relations(openimages *o)
{
    for (uint32_t i = 0; i < o->d->images.n && o->related.n > 0; i++) {
        const char *name = tni_image_at(o->d, i)->name;
        tni_span text;
        void **slot = tni_strmap_find(&o->related, name, tni_stem_len(name));
        if (slot == NULL)
            slot = tni_strmap_find(&o->related, name, strlen(name));
        if (slot == NULL) continue;
        tni_oi_relation *turned = NULL;
        for (tni_oi_relation *p = *slot; p != NULL;) {
            tni_oi_relation *next = p->next;
            p->next = turned;
            turned = p;
            p = next;
        }
        tni_out *out = tni_draft_begin(o->draft);
        tni_out_str(out, "\"" TNI_OI_RELATIONS_KEY "\": [");
        for (tni_oi_relation *p = turned; p != NULL; p = p->next) {
            if (p != turned) tni_out_str(out, ", ");
            tni_out_bytes(out, p->text.p, p->text.len);
        }
        tni_out_str(out, "]");
        TN_TRY(tni_draft_keep(o->draft, o->d, &text));
        TN_TRY(tni_set_image_text(o->d, i, TN_TEXT_EXTRA, text, o->err));
    }
    return TN_OK;
}

tn_status tni_oi_read(tni_reader *r, tn_err *err)
{
    openimages *o = TNI_NEW(&r->scratch, openimages);
    if (o == NULL) return no_memory(err);
    o->r = r;
    o->d = r->d;
    o->err = err;
    o->draft = tni_draft_new(&r->scratch, err);
    if (o->draft == NULL) return TN_ENOMEM;
    tni_strmap_init(&o->images, &r->scratch);
    tni_strmap_init(&o->labels, &r->scratch);
    tni_strmap_init(&o->related, &r->scratch);
    tni_classes_init(&o->classes, r);
    TN_TRY(read_places(o));
    TN_TRY(put_relations(o));
    return o->described ? TN_OK : tni_classes_sort(&o->classes, err);
}
