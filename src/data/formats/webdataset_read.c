/* SPDX-License-Identifier: Apache-2.0 */
/* webdataset_read.c - samples of tar archives into the dataset */
#include "data/formats/webdataset.h"

#include "base/utf8.h"
#include "data/gzip.h"

#include <stdio.h>

/* A member of the sample being collected. */
typedef struct member {
    const char *name;
    char *ending; /* behind the key's dot, lower case */
    const uint8_t *bytes;
    size_t size;
    uint64_t offset; /* of its header */
} member;

typedef struct wds {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_classes classes;
    tni_draft *draft;
    tni_arena temp; /* names and members of the sample */
    tni_idmap ids;  /* of classes by number: the first n_ids of them */
    uint32_t n_ids;
    bool rest; /* dataset.json was read */
    /* of the archive */
    const char *path, *start;
    uint32_t source, split;
    /* of the sample */
    tni_strmap endings; /* of the members */
    member *members;
    size_t n, cap, key;
    uint32_t image;
} wds;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static uint64_t where_of(const wds *s, const member *m)
{
    return tni_where(s->source, m->offset);
}

/* --- members --------------------------------------------------------------- */

static bool is_image_ending(const char *ending)
{
    char name[16];
    return strlen(ending) < sizeof name - 2 &&
           snprintf(name, sizeof name, "x.%s", ending) > 0 &&
           tni_is_image_name(name);
}

/* The member with this ending, NULL without. */
static const member *with_ending(const wds *s, const char *ending)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->members[i].ending, ending) == 0) return &s->members[i];
    return NULL;
}

/* The image: a member that ends like one at once (jpg), else one that ends so
 * at all (rgb.jpg). */
static const member *image_of(const wds *s)
{
    const member *other = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const char *ending = s->members[i].ending;
        const char *dot = strrchr(ending, '.');
        if (dot == NULL && is_image_ending(ending)) return &s->members[i];
        if (dot != NULL && other == NULL && is_image_ending(dot + 1))
            other = &s->members[i];
    }
    return other;
}

static bool is_further_image(const member *m)
{
    const char *dot = strrchr(m->ending, '.');
    return is_image_ending(dot != NULL ? dot + 1 : m->ending);
}

/* What has no place of its own: a field of the image, or a file of it. */
static tn_status keep_member(wds *s, const member *m)
{
    const tni_span bytes = {m->size > 0 ? (const char *)m->bytes : "", m->size};
    bool json = false;
    if (is_further_image(m))
        TN_TRY(tni_note_add(s->d, where_of(s, m), "further-image", s->err,
                            "'%.150s' is another image of a sample (what is "
                            "before the first dot is its key): it is kept "
                            "with the first, as it is",
                            m->name));
    if (!tni_wds_takes(m->ending, bytes, &json))
        return tni_add_image_file(s->d, s->image, m->ending, bytes, s->err);
    tni_span text;
    tni_out *o = tni_draft_begin(s->draft);
    tni_out_str(o, "\".");
    tni_out_str(o, m->ending);
    tni_out_str(o, "\": ");
    if (json) {
        const tni_span value = tni_trim(bytes);
        tni_out_bytes(o, value.p, value.len);
    } else {
        tni_out_json(o, bytes.p, bytes.len);
    }
    TN_TRY(tni_draft_keep(s->draft, s->d, &text));
    return tni_set_image_text(s->d, s->image, TN_TEXT_EXTRA, text, s->err);
}

static tn_status keep_others(wds *s, const member *image)
{
    static const char *const taken[] = {"json", "cls", "txt"};
    for (size_t i = 0; i < s->n; i++) {
        bool known = &s->members[i] == image;
        for (size_t k = 0; k < 3; k++)
            known = known || strcmp(s->members[i].ending, taken[k]) == 0;
        if (!known) TN_TRY(keep_member(s, &s->members[i]));
    }
    return TN_OK;
}

/* Members of a sample that has no image, nor anything said of one. */
static tn_status count_members(wds *s)
{
    for (size_t i = 0; i < s->n; i++)
        TN_TRY(tni_note_add(s->d, where_of(s, &s->members[i]), "other-member",
                            s->err,
                            "'%.150s' is of a sample without an image, .json, "
                            ".cls or .txt: it is left out",
                            s->members[i].name));
    return TN_OK;
}

/* --- what a sample says ---------------------------------------------------- */

/* An object, or a list of objects; a list of anything else is none of ours. */
static bool is_json_of_sample(const member *m)
{
    tni_json j;
    tn_err ignored;
    tni_json_init(&j, (const char *)m->bytes, m->size, 0, &ignored);
    const char kind = tni_json_peek(&j);
    if (kind != '[' || !tni_json_enter(&j, '[')) return kind == '{';
    return tni_json_item(&j) && tni_json_peek(&j) == '{';
}

static tn_status read_json(wds *s, const member *m)
{
    tni_coco_file file;
    memset(&file, 0, sizeof file);
    if (m->size > 0 && !is_json_of_sample(m)) {
        tni_json j;
        tni_json_init(&j, (const char *)m->bytes, m->size,
                      s->d->limits.max_nesting, s->err);
        if (tni_json_skip(&j, NULL) && tni_json_end(&j))
            return keep_member(s, m); /* no object, nor a list of them */
        tni_err_where(s->err, "'%.100s'", m->name);
        return j.status;
    }
    char path[200];
    (void)snprintf(path, sizeof path, "'%.100s'", m->name);
    file.path = path;
    file.split = TN_NONE;
    file.inside = true;
    file.text.p = m->size > 0 ? (const char *)m->bytes : "";
    file.text.len = m->size;
    file.source = s->source;
    file.image = s->image;
    file.base = (uint64_t)((const char *)m->bytes - s->start);
    /* Its maps of ids are for this text alone. */
    const tni_arena_mark mark = tni_arena_save(&s->r->scratch);
    const tn_status status = tni_coco_read(s->r, &file, s->err);
    tni_arena_rewind(&s->r->scratch, mark);
    return status;
}

/* Whether the sample has an annotation with any of these flags, or with this
 * caption. */
static bool has_any(const wds *s, uint32_t from, uint32_t flags,
                    const tni_span *caption)
{
    for (uint32_t i = from; i < s->d->anns.n; i++) {
        const tni_span *text =
            tni_sparse_find(&s->d->text[TN_TEXT_CAPTION], i, 0);
        if (flags != 0 && (*tni_flags_at(s->d, i) & flags) != 0) return true;
        if (caption != NULL && text != NULL && text->len == caption->len &&
            memcmp(text->p, caption->p, text->len) == 0)
            return true;
    }
    return false;
}

/* The class with this number as its id, or a new one that is called so. */
static tn_status numbered(wds *s, int64_t id, uint64_t where, uint32_t *cls)
{
    for (; s->n_ids < s->d->classes.n; s->n_ids++) {
        const tni_class_row *row = tni_class_at(s->d, s->n_ids);
        if (!tni_idmap_add(&s->ids, row->id_kind, row->id, s->n_ids))
            return no_memory(s->err);
    }
    *cls = tni_idmap_find(&s->ids, TN_ID_INT, id);
    if (*cls != TN_NONE) return TN_OK;
    char text[32];
    tni_class_row row;
    memset(&row, 0, sizeof row);
    (void)snprintf(text, sizeof text, "%lld", (long long)id);
    row.name = tni_intern(s->d, text, strlen(text));
    row.id_kind = TN_ID_INT;
    row.id = id;
    row.where = where;
    if (row.name == NULL) return no_memory(s->err);
    return tni_add_class(s->d, &row, cls, s->err);
}

static tn_status read_class(wds *s, const member *m)
{
    tni_ann a;
    uint32_t ann = 0;
    int64_t id = 0;
    const tni_span whole = {(const char *)m->bytes, m->size};
    const tni_span text = tni_trim(whole);
    memset(&a, 0, sizeof a);
    a.image = s->image;
    a.where = where_of(s, m);
    a.flags = TN_IS_TAG;
    if (text.len == 0)
        return tni_note_add(s->d, a.where, "empty-class", s->err,
                            "'%.150s' is empty", m->name);
    if (tni_field_i64(text, &id)) {
        TN_TRY(numbered(s, id, a.where, &a.class_index));
    } else if (tni_utf8_valid(text.p, text.len) != text.len ||
               memchr(text.p, '\0', text.len) != NULL || text.len > 4096) {
        tni_err_where(s->err, "'%.100s'", m->name);
        return tni_fail_at(s->err, TN_EFORMAT, m->offset,
                           "a class is neither a number nor a name in UTF-8");
    } else {
        TN_TRY(tni_class_named(&s->classes, text, a.where, &a.class_index,
                               s->err));
    }
    return tni_add_annotation(s->d, &a, &ann, s->err);
}

/* Whether a class of the .json is the one that this text names: by its id, by
 * its place in the list, or by its name. */
static bool has_class(const wds *s, uint32_t from, const tni_span *text)
{
    int64_t number = 0;
    const bool counted = tni_field_i64(*text, &number);
    for (uint32_t i = from; i < s->d->anns.n; i++) {
        const uint32_t cls = tni_ann_at(s->d, i)->class_index;
        if ((*tni_flags_at(s->d, i) & TN_IS_TAG) == 0 || cls == TN_NONE)
            continue;
        const tni_class_row *row = tni_class_at(s->d, cls);
        if (strlen(row->name) == text->len &&
            memcmp(row->name, text->p, text->len) == 0)
            return true;
        if (counted && (number == (int64_t)cls ||
                        (row->id_kind == TN_ID_INT && number == row->id)))
            return true;
    }
    return false;
}

/* A class beside those of the .json, which has more to say of them. */
static tn_status compare_class(wds *s, const member *m, uint32_t from)
{
    const tni_span whole = {(const char *)m->bytes, m->size};
    const tni_span text = tni_trim(whole);
    if (text.len == 0 || has_class(s, from, &text)) return TN_OK;
    return tni_note_add(s->d, where_of(s, m), "class-conflict", s->err,
                        "'%.150s' has another class than the .json beside it, "
                        "whose class is taken",
                        m->name);
}

static tn_status read_caption(wds *s, const member *m, uint32_t from)
{
    tni_ann a;
    uint32_t ann = 0;
    tni_span text = {NULL, 0};
    if (m->size > 0 &&
        tni_utf8_valid((const char *)m->bytes, m->size) != m->size)
        return keep_member(s, m); /* no text in UTF-8 */
    memset(&a, 0, sizeof a);
    a.image = s->image;
    a.class_index = TN_NONE;
    a.where = where_of(s, m);
    tni_out_json(tni_draft_begin(s->draft), (const char *)m->bytes, m->size);
    TN_TRY(tni_draft_end(s->draft, &text));
    if (has_any(s, from, 0, &text)) return TN_OK; /* the .json has it */
    TN_TRY(tni_draft_keep(s->draft, s->d, &text));
    TN_TRY(tni_add_annotation(s->d, &a, &ann, s->err));
    return tni_set_text(s->d, ann, TN_TEXT_CAPTION, text, s->err);
}

static tn_status add_sample(wds *s)
{
    const member *image = image_of(s), *json = with_ending(s, "json");
    const member *cls = with_ending(s, "cls"), *txt = with_ending(s, "txt");
    tni_image_row row;
    memset(&row, 0, sizeof row);
    if (image == NULL && json == NULL && cls == NULL && txt == NULL)
        return count_members(s);
    const char *name = s->members[0].name;
    row.name = image != NULL ? tni_keep(s->d, image->name, strlen(image->name))
                             : tni_keep(s->d, name, s->key);
    if (row.name == NULL) return no_memory(s->err);
    row.where = where_of(s, image != NULL ? image : &s->members[0]);
    if (s->split != TN_NONE) row.splits = UINT64_C(1) << s->split;
    TN_TRY(tni_add_image(s->d, &row, &s->image, s->err));
    const uint32_t from = s->d->anns.n;
    if (image != NULL && image->size > 0) {
        const tni_span bytes = {(const char *)image->bytes, image->size};
        TN_TRY(tni_set_image_bytes(s->d, s->image, bytes, s->err));
    }
    if (json != NULL) TN_TRY(read_json(s, json));
    TN_TRY(keep_others(s, image));
    TN_TRY(tni_read_header(s->r, s->image, s->err));
    if (cls != NULL)
        TN_TRY(has_any(s, from, TN_IS_TAG, NULL) ? compare_class(s, cls, from)
                                                 : read_class(s, cls));
    return txt != NULL ? read_caption(s, txt, from) : TN_OK;
}

/* --- archives -------------------------------------------------------------- */

static tn_status end_sample(wds *s)
{
    if (s->n == 0) return TN_OK;
    TN_TRY(add_sample(s));
    s->n = s->cap = 0;
    s->members = NULL;
    return TN_OK;
}

static tn_status add_member(wds *s, const tni_tar_entry *e, size_t key)
{
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 8 : 2 * s->cap;
        member *more = TNI_NEW_ARRAY(&s->temp, member, s->cap);
        if (more == NULL) return no_memory(s->err);
        if (s->n > 0) memcpy(more, s->members, s->n * sizeof *more);
        s->members = more;
    }
    member *m = &s->members[s->n++];
    m->name = e->name;
    m->ending = tni_arena_strndup(&s->temp, e->name + key + 1,
                                  strlen(e->name + key + 1));
    if (m->ending == NULL) return no_memory(s->err);
    for (char *p = m->ending; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
    m->bytes = e->bytes;
    m->size = e->size;
    m->offset = e->offset;
    s->key = key;
    bool fresh = false;
    if (s->n == 1) tni_strmap_init(&s->endings, &s->temp);
    if (tni_strmap_add(&s->endings, m->ending, strlen(m->ending), &fresh) ==
        NULL)
        return no_memory(s->err);
    if (fresh) return TN_OK;
    return tni_fail_at(s->err, TN_EFORMAT, e->offset,
                       "the sample '%.*s' has two members '.%.60s'; what is "
                       "before the first dot of a name is the key of a sample "
                       "and must differ",
                       key > 100 ? 100 : (int)key, e->name, m->ending);
}

/* One file of the archive: the sample goes on, or another begins. */
static tn_status take_entry(wds *s, tni_tar_entry *e)
{
    char name[TNI_TAR_MAX_NAME + 1];
    size_t key = 0;
    if (e->kind == TNI_TAR_FOLDER) return TN_OK;
    if (e->kind != TNI_TAR_FILE || !tni_wds_key(e->name, &key))
        return tni_note_add(s->d, tni_where(s->source, e->offset),
                            "other-member", s->err,
                            "'%.150s' is no member of a sample (key, dot, "
                            "ending): it is left out",
                            e->name);
    const bool same = s->n > 0 && s->key == key &&
                      memcmp(s->members[0].name, e->name, key) == 0;
    if (!same) {
        (void)snprintf(name, sizeof name, "%s", e->name);
        TN_TRY(end_sample(s));
        tni_arena_reset(&s->temp);
        e->name = tni_arena_strndup(&s->temp, name, strlen(name));
        if (e->name == NULL) return no_memory(s->err);
    }
    return add_member(s, e, key);
}

static tn_status read_entries(wds *s, tni_span text)
{
    tni_tar t;
    s->start = text.p;
    tni_tar_init(&t, text.p, text.len, &s->temp, s->err);
    for (;;) {
        tni_tar_entry e;
        bool more = false;
        TN_TRY(tni_tar_next(&t, &e, &more));
        if (!more) break;
        TN_TRY(take_entry(s, &e));
        TN_TRY(tni_reader_progress(s->r, t.at, t.size, s->err));
    }
    TN_TRY(end_sample(s));
    if (!t.cut || text.len == 0) return TN_OK;
    return tni_note_add(s->d, tni_where(s->source, text.len), "cut-archive",
                        s->err,
                        "%.200s ends without the two empty blocks of an "
                        "archive: it may have been cut short",
                        s->path);
}

static tn_status read_archive(wds *s, const char *path, const char *split,
                              size_t split_len)
{
    tni_span text = {NULL, 0};
    s->path = path;
    s->split = TN_NONE;
    s->n = s->cap = 0;
    if (split_len > 0)
        TN_TRY(tni_add_split(s->d, split, split_len, &s->split, s->err));
    tn_status status = tni_source_open(s->d, path, &s->source, &text, s->err);
    if (status == TN_OK && tni_is_gzip(text.p, text.len))
        status = tni_gunzip(&text, &s->d->arena, s->err);
    if (status == TN_OK) status = read_entries(s, text);
    if (status != TN_OK) tni_err_where(s->err, "%s", path);
    return status;
}

/* All classes, and the fields of the dataset. */
static tn_status read_rest(wds *s, const char *folder)
{
    tni_coco_file file;
    const char *path = tni_join(s->r, folder, TNI_WDS_REST);
    memset(&file, 0, sizeof file);
    if (path == NULL) return no_memory(s->err);
    if (!tni_path_look(path).is_file) return TN_OK;
    file.path = path;
    file.split = file.image = TN_NONE;
    file.inside = true;
    TN_TRY(tni_source_open(s->d, path, &file.source, &file.text, s->err));
    s->rest = true;
    return tni_coco_read(s->r, &file, s->err);
}

/* The split of a shard: its name's, else that of the folder it lies in. */
static void split_of(const char *name, const char *folder, const char **split,
                     size_t *len)
{
    const char *word = NULL;
    *len = tni_stem_split(name, tni_wds_stem(name), split);
    if (folder == NULL) return;
    const size_t n = strlen(folder);
    if (*len > 0 && tni_stem_split(folder, n, &word) != n) return;
    *split = folder;
    *len = n;
}

/* The number of a shard; -1 without. */
static int64_t number_of(const char *name)
{
    int64_t v = -1;
    const char *dot = strrchr(name, '.');
    if (dot != NULL && tni_ends_with(name, ".tar.gz")) dot -= 4;
    const char *p = dot;
    while (p != NULL && p > name && p[-1] >= '0' && p[-1] <= '9') p--;
    const tni_span digits = {p, p != NULL ? (size_t)(dot - p) : 0};
    return digits.len < 16 && tni_field_i64(digits, &v) ? v : -1;
}

/* Shards are numbered one by one: a gap says that some are not here. */
static tn_status check_gap(wds *s, const char *last, const char *name)
{
    const size_t stem = tni_wds_stem(name);
    if (last == NULL || tni_wds_stem(last) != stem ||
        memcmp(last, name, stem) != 0)
        return TN_OK;
    const int64_t from = number_of(last), to = number_of(name);
    if (from < 0 || to <= from + 1) return TN_OK;
    return tni_note_add(s->d, 0, "missing-shards", s->err,
                        "between '%.100s' and '%.100s' %lld are not here", last,
                        name, (long long)(to - from - 1));
}

static tn_status read_in(wds *s, const char *folder, const char *split,
                         size_t *found)
{
    const char *last = NULL;
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(s->r, folder, &e, &n, s->err));
    for (size_t i = 0; i < n; i++) {
        const char *name = NULL;
        size_t len = 0;
        if (e[i].is_dir || tni_wds_stem(e[i].name) == 0) continue;
        const char *path = tni_join(s->r, folder, e[i].name);
        if (path == NULL) return no_memory(s->err);
        split_of(e[i].name, split, &name, &len);
        TN_TRY(check_gap(s, last, e[i].name));
        last = e[i].name;
        ++*found;
        TN_TRY(read_archive(s, path, name, len));
    }
    return TN_OK;
}

static tn_status read_folder(wds *s)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0, found = 0;
    TN_TRY(read_rest(s, s->r->path));
    TN_TRY(read_in(s, s->r->path, NULL, &found));
    TN_TRY(tni_list(s->r, s->r->path, &e, &n, s->err));
    for (size_t i = 0; i < n; i++) {
        if (!e[i].is_dir) continue;
        const char *folder = tni_join(s->r, s->r->path, e[i].name);
        if (folder == NULL) return no_memory(s->err);
        TN_TRY(read_in(s, folder, e[i].name, &found));
    }
    if (found > 0) return TN_OK;
    return tni_fail(s->err, TN_ENOTFOUND,
                    "the folder has no shards; expected *.tar");
}

static tn_status read_one(wds *s)
{
    const char *slash = strrchr(s->r->path, '/');
    const char *name = slash != NULL ? slash + 1 : s->r->path;
    const char *split = NULL;
    size_t len = 0;
    const char *folder = tni_folder_of(s->r, s->r->path);
    if (folder == NULL) return no_memory(s->err);
    TN_TRY(read_rest(s, folder));
    split_of(name, NULL, &split, &len);
    return read_archive(s, s->r->path, split, len);
}

tn_status tni_wds_read(tni_reader *r, tn_err *err)
{
    wds s;
    memset(&s, 0, sizeof s);
    s.r = r;
    s.d = r->d;
    s.err = err;
    s.draft = tni_draft_new(&r->scratch, err);
    if (s.draft == NULL) return TN_ENOMEM;
    tni_classes_init(&s.classes, r);
    tni_idmap_init(&s.ids, &r->scratch);
    tni_arena_init(&s.temp, &r->d->mem, 1 << 14);
    tn_status status = r->is_dir ? read_folder(&s) : read_one(&s);
    if (status == TN_OK && !s.rest) status = tni_classes_by_id(&s.classes, err);
    tni_arena_fini(&s.temp);
    return status;
}
