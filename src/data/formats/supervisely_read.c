/* SPDX-License-Identifier: Apache-2.0 */
/* supervisely_read.c - a Supervisely project into the dataset */
#include "data/formats/supervisely_reader.h"

enum { MAX_DEPTH = 16 };

typedef tni_sly_reader sly;

/* A dataset of the project. */
typedef struct place {
    const char *folder; /* has "ann" and "img" */
    const char *prefix; /* of names of images: the datasets it is nested in */
    uint32_t split;
    const char *img;          /* where its images lie */
    const tni_dir_entry *all; /* what lies there */
    size_t n_all;
    tni_strmap stems; /* names of images there, by what old files are called */
} place;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- a file ------------------------------------------------------------------------ */

static tn_status add_extra(sly *s, uint32_t image, tni_span member)
{
    return tni_set_image_text(s->d, image, TN_TEXT_EXTRA, member, s->err);
}

/* Tags of an image: those with a value are attributes, the others classes of
 * the image. */
static tn_status image_tags(sly *s, tni_span list, uint32_t image)
{
    tni_span text = {NULL, 0};
    tni_sly_tag t;
    bool whole = true;
    TN_TRY(tni_sly_tags(s, list, true, &text, &whole));
    if (text.p != NULL)
        TN_TRY(
            tni_set_image_text(s->d, image, TN_TEXT_ATTRIBUTES, text, s->err));
    if (!whole) {
        TN_TRY(tni_sly_keep_tags(s, list, &text));
        TN_TRY(add_extra(s, image, text));
    }
    tni_json j = tni_jsonfile_at(&s->f, list);
    if (!tni_json_enter(&j, '[')) return j.status;
    while (tni_json_item(&j)) {
        tni_class_row row;
        tni_ann a;
        uint32_t ann = 0;
        memset(&row, 0, sizeof row);
        memset(&a, 0, sizeof a);
        (void)tni_json_peek(&j);
        a.where = row.where = tni_jsonfile_where(&s->f, j.p);
        TN_TRY(tni_sly_read_tag(&j, &t));
        if (tni_sly_has_value(&t)) continue;
        row.name = tni_keep_json(s->d, t.name, true);
        if (row.name == NULL) return no_memory(s->err);
        a.image = image;
        a.flags = TN_IS_TAG;
        bool fresh = false;
        TN_TRY(tni_sly_class(s, &row, &a.class_index, &fresh));
        TN_TRY(tni_add_annotation(s->d, &a, &ann, s->err));
    }
    return j.status;
}

static tn_status image_text(sly *s, tni_span text, uint32_t image)
{
    tni_ann a;
    uint32_t ann = 0;
    memset(&a, 0, sizeof a);
    a.image = image;
    a.class_index = TN_NONE;
    a.where = tni_jsonfile_where(&s->f, text.p);
    TN_TRY(tni_add_annotation(s->d, &a, &ann, s->err));
    return tni_set_text(s->d, ann, TN_TEXT_CAPTION, text, s->err);
}

typedef struct top {
    tni_span objects, tags, description;
} top;

static tn_status read_size(sly *s, tni_json *j, tni_image_row *row)
{
    tni_span key;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        if (tni_span_is(key, "width"))
            TN_TRY(tni_jsonfile_size(&s->f, j, &row->width));
        else if (tni_span_is(key, "height"))
            TN_TRY(tni_jsonfile_size(&s->f, j, &row->height));
        else if (!tni_json_skip(j, NULL))
            break;
    }
    return j->status;
}

static tn_status read_top(sly *s, tni_image_row *row, top *t)
{
    tni_json *j = &s->f.j;
    tni_span key;
    memset(t, 0, sizeof *t);
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        const char kind = tni_json_peek(j);
        if (tni_span_is(key, "size") && kind == '{')
            TN_TRY(read_size(s, j, row));
        else if (tni_span_is(key, "objects") && kind == '[')
            (void)!tni_json_skip(j, &t->objects);
        else if (tni_span_is(key, "tags") && kind == '[')
            (void)!tni_json_skip(j, &t->tags);
        else if (tni_span_is(key, "description") && kind == '"')
            (void)!tni_json_skip(j, &t->description);
        else if (tni_span_is(key, "imageId") && (kind == '0' || kind == '"'))
            TN_TRY(tni_jsonfile_id(&s->f, j, &row->id_kind, &row->id));
        else
            (void)!tni_json_skip(j, NULL);
    }
    TN_TRY(j->status);
    (void)tni_json_end(j);
    return j->status;
}

static tn_status keep_top(sly *s, tni_json j, uint32_t image)
{
    static const char *const ours[] = {"size", "objects", "tags", "description",
                                       "imageId"};
    tni_span key, raw;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        bool known = false;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            known = known || tni_span_is(key, ours[i]);
        if (!known && !tni_json_is_empty(raw))
            TN_TRY(add_extra(s, image, tni_json_whole(key, raw)));
    }
    return j.status;
}

/* Old files are called x.json for x.png, newer ones x.png.json. */
static tn_status image_name(sly *s, const place *at, const char *file,
                            const char **out)
{
    const size_t n = strlen(file) - 5;
    char *stem = tni_arena_strndup(&s->r->scratch, file, n);
    const char *name = stem;
    if (stem == NULL) return no_memory(s->err);
    void **known =
        tni_is_image_name(stem) ? NULL : tni_strmap_find(&at->stems, stem, n);
    if (known != NULL) name = *known;
    if (at->prefix[0] != '\0') name = tni_join(s->r, at->prefix, name);
    if (name == NULL) return no_memory(s->err);
    *out = tni_keep(s->d, name, strlen(name));
    return *out != NULL ? TN_OK : no_memory(s->err);
}

/* The file lies in "img" whatever datasets its name says it is nested in. */
static tn_status find_file(sly *s, const place *at, uint32_t image)
{
    const char *const folders[2] = {at->img, NULL};
    tni_image_row *row = tni_image_at(s->d, image);
    const char *name = row->name, *slash = strrchr(name, '/');
    if (slash != NULL) row->name = slash + 1;
    const tn_status status = tni_find_image(s->r, image, folders, s->err);
    row->name = name;
    /* Sizes and coordinates are those of the image as shown. */
    if (row->frame == TN_FRAME_UNKNOWN && row->orientation > 1)
        row->frame = TN_FRAME_UPRIGHT;
    return status;
}

static tn_status read_block(sly *s, const top *t, tni_span value,
                            uint32_t image)
{
    if (value.p == t->description.p) return image_text(s, value, image);
    if (value.p == t->tags.p) return image_tags(s, value, image);
    tni_json j = tni_jsonfile_at(&s->f, value);
    if (tni_json_enter(&j, '['))
        while (tni_json_item(&j)) TN_TRY(tni_sly_read_object(s, &j, image));
    return j.status;
}

/* The text, the tags and the objects of an image, as they follow each other in
 * the file. */
static tn_status read_blocks(sly *s, const top *t, uint32_t image)
{
    const tni_span all[3] = {t->description, t->tags, t->objects};
    const char *behind = NULL;
    for (int k = 0; k < 3; k++) {
        int next = -1;
        for (int i = 0; i < 3; i++)
            if (all[i].p != NULL && (behind == NULL || all[i].p > behind) &&
                (next < 0 || all[i].p < all[next].p))
                next = i;
        if (next < 0) break;
        behind = all[next].p;
        if (!tni_json_is_empty(all[next]))
            TN_TRY(read_block(s, t, all[next], image));
    }
    return TN_OK;
}

static tn_status read_open(sly *s, const place *at, const char *file)
{
    const tni_json begin = s->f.j;
    tni_image_row row;
    top t;
    uint32_t image = TN_NONE;
    memset(&row, 0, sizeof row);
    TN_TRY(read_top(s, &row, &t));
    if (t.objects.p == NULL) {
        (void)tni_json_fail(&s->f.j, begin.p, "there is no list 'objects'");
        return s->f.j.status;
    }
    row.where = tni_where(s->f.source, 0);
    if (at->split != TN_NONE) row.splits = UINT64_C(1) << at->split;
    row.state = TN_STATE_EMPTY;
    TN_TRY(image_name(s, at, file, &row.name));
    TN_TRY(tni_add_image(s->d, &row, &image, s->err));
    TN_TRY(find_file(s, at, image));
    TN_TRY(keep_top(s, begin, image));
    return read_blocks(s, &t, image);
}

static tn_status read_file(sly *s, const place *at, const char *path,
                           const char *file)
{
    if (path == NULL) return no_memory(s->err);
    TN_TRY(tni_jsonfile_open(&s->f, s->r, path, s->err));
    const tn_status status = read_open(s, at, file);
    if (status != TN_OK) tni_err_where(s->err, "%s", path);
    s->n_files++;
    return status;
}

/* --- datasets ------------------------------------------------------------------------ */

/* Images that no file is about. */
static tn_status add_unlabelled(sly *s, const place *at, const tni_strmap *seen)
{
    for (size_t i = 0; i < at->n_all; i++) {
        tni_image_row row;
        uint32_t image = 0;
        const char *name = at->all[i].name;
        if (at->all[i].is_dir || !tni_is_image_name(name)) continue;
        if (at->prefix[0] != '\0') name = tni_join(s->r, at->prefix, name);
        if (name == NULL) return no_memory(s->err);
        if (tni_strmap_find(seen, name, strlen(name)) != NULL) continue;
        memset(&row, 0, sizeof row);
        row.name = tni_keep(s->d, name, strlen(name));
        if (row.name == NULL) return no_memory(s->err);
        if (at->split != TN_NONE) row.splits = UINT64_C(1) << at->split;
        TN_TRY(tni_add_image(s->d, &row, &image, s->err));
        TN_TRY(find_file(s, at, image));
    }
    return TN_OK;
}

/* Lists the images of a dataset, once. */
static tn_status open_place(sly *s, place *at)
{
    at->img =
        s->r->images != NULL ? s->r->images : tni_join(s->r, at->folder, "img");
    if (at->img == NULL) return no_memory(s->err);
    tni_strmap_init(&at->stems, &s->r->scratch);
    TN_TRY(tni_list(s->r, at->img, &at->all, &at->n_all, s->err));
    for (size_t i = 0; i < at->n_all; i++) {
        const char *name = at->all[i].name;
        bool fresh = false;
        if (at->all[i].is_dir || !tni_is_image_name(name)) continue;
        void **slot =
            tni_strmap_add(&at->stems, name, tni_stem_len(name), &fresh);
        if (slot == NULL) return no_memory(s->err);
        if (fresh) *slot = (void *)(uintptr_t)name;
    }
    return TN_OK;
}

static tn_status read_dataset(sly *s, place *at)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    tni_strmap seen;
    const char *ann = tni_join(s->r, at->folder, "ann");
    if (ann == NULL) return no_memory(s->err);
    tni_strmap_init(&seen, &s->r->scratch);
    TN_TRY(open_place(s, at));
    TN_TRY(tni_list(s->r, ann, &e, &n, s->err));
    for (size_t i = 0; i < n; i++) {
        bool fresh = false;
        if (e[i].is_dir || !tni_ends_with(e[i].name, ".json")) continue;
        TN_TRY(read_file(s, at, tni_join(s->r, ann, e[i].name), e[i].name));
        const char *name = tni_image_at(s->d, s->d->images.n - 1)->name;
        if (tni_strmap_add(&seen, name, strlen(name), &fresh) == NULL)
            return no_memory(s->err);
        TN_TRY(tni_reader_progress(s->r, i, n, s->err));
    }
    const char *other = tni_join(s->r, at->folder, "meta");
    if (other == NULL) return no_memory(s->err);
    if (tni_path_look(other).is_dir)
        TN_TRY(tni_note_add(s->d, 0, "other-file", s->err,
                            "'%.200s' has fields of images, which are not "
                            "read",
                            other));
    return add_unlabelled(s, at, &seen);
}

/* A dataset and those nested in it, below its folder "datasets". */
static tn_status read_below(sly *s, place *at, int depth)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    const char *nested = tni_join(s->r, at->folder, "datasets");
    if (nested == NULL) return no_memory(s->err);
    if (depth > MAX_DEPTH)
        return tni_fail(s->err, TN_ELIMIT, "datasets are nested deeper than %d",
                        (int)MAX_DEPTH);
    TN_TRY(read_dataset(s, at));
    TN_TRY(tni_list(s->r, nested, &e, &n, s->err));
    for (size_t i = 0; i < n; i++) {
        place below = *at;
        if (!e[i].is_dir) continue;
        below.folder = tni_join(s->r, nested, e[i].name);
        below.prefix = at->prefix[0] != '\0'
                           ? tni_join(s->r, at->prefix, e[i].name)
                           : e[i].name;
        if (below.folder == NULL || below.prefix == NULL)
            return no_memory(s->err);
        TN_TRY(read_below(s, &below, depth + 1));
    }
    return TN_OK;
}

static bool is_dataset(sly *s, const char *folder)
{
    const char *ann = tni_join(s->r, folder, "ann");
    const char *nested = tni_join(s->r, folder, "datasets");
    return (ann != NULL && tni_path_look(ann).is_dir) ||
           (nested != NULL && tni_path_look(nested).is_dir);
}

static tn_status read_project(sly *s)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    const char *meta = tni_join(s->r, s->r->path, "meta.json");
    TN_TRY(tni_sly_read_meta(s, meta));
    TN_TRY(tni_list(s->r, s->r->path, &e, &n, s->err));
    for (size_t i = 0; i < n; i++) {
        place at;
        memset(&at, 0, sizeof at);
        at.folder = tni_join(s->r, s->r->path, e[i].name);
        at.prefix = "";
        at.split = TN_NONE;
        if (at.folder == NULL) return no_memory(s->err);
        if (!e[i].is_dir || !is_dataset(s, at.folder)) continue;
        if (strcmp(e[i].name, TNI_SLY_UNSPLIT) != 0)
            TN_TRY(tni_add_split(s->d, e[i].name, strlen(e[i].name), &at.split,
                                 s->err));
        TN_TRY(read_below(s, &at, 0));
    }
    if (s->n_files > 0 || s->d->images.n > 0 || tni_path_look(meta).is_file)
        return TN_OK;
    return tni_fail(s->err, TN_ENOTFOUND,
                    "the folder has no Supervisely dataset; expected "
                    "meta.json and <dataset>/ann/*.json");
}

/* "x/ann/a.png.json" alone, or all of "x": the project is the folder above. */
static tn_status read_part(sly *s, const char *folder, const char *path,
                           const char *file)
{
    place at;
    memset(&at, 0, sizeof at);
    at.folder = folder;
    at.prefix = "";
    at.split = TN_NONE;
    const char *above = folder != NULL ? tni_folder_of(s->r, folder) : NULL;
    if (above == NULL) return no_memory(s->err);
    if (strcmp(folder, ".") == 0) above = "..";
    TN_TRY(tni_sly_read_meta(s, tni_join(s->r, above, "meta.json")));
    if (file == NULL) return read_below(s, &at, 0);
    TN_TRY(open_place(s, &at));
    return read_file(s, &at, path, file);
}

static tn_status read_all(sly *s)
{
    if (s->r->is_dir) {
        const char *ann = tni_join(s->r, s->r->path, "ann");
        const char *meta = tni_join(s->r, s->r->path, "meta.json");
        if (ann == NULL || meta == NULL) return no_memory(s->err);
        if (tni_path_look(ann).is_dir && !tni_path_look(meta).is_file)
            return read_part(s, s->r->path, NULL, NULL);
        return read_project(s);
    }
    const char *slash = strrchr(s->r->path, '/');
    const char *file = slash != NULL ? slash + 1 : s->r->path;
    const char *own = tni_folder_of(s->r, s->r->path);
    if (own == NULL) return no_memory(s->err);
    if (!tni_ends_with(file, ".json"))
        return tni_fail(s->err, TN_EINVAL, "a Supervisely file ends in .json");
    const char *folder =
        strcmp(own, ".") == 0 ? ".." : tni_folder_of(s->r, own);
    return read_part(s, folder, s->r->path, file);
}

tn_status tni_sly_read(tni_reader *r, tn_err *err)
{
    sly s;
    memset(&s, 0, sizeof s);
    s.r = r;
    s.d = r->d;
    s.err = err;
    s.draft = tni_draft_new(&r->scratch, err);
    if (s.draft == NULL) return TN_ENOMEM;
    tni_strmap_init(&s.classes, &r->scratch);
    tni_arena_init(&s.work, &r->d->mem, 1 << 14);
    const tn_status status = read_all(&s);
    tni_arena_fini(&s.work);
    return status;
}
