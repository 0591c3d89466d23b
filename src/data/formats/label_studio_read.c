/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio_read.c - tasks of Label Studio into the dataset */
#include "data/formats/label_studio_reader.h"

#include <stdio.h>

/* What a task's object says, unread. */
typedef struct record {
    const char *at;
    tni_span whole, data, annotations, predictions, meta;
    tni_image_row row;
} record;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

tni_json tni_ls_at(const tni_ls *l, tni_span value)
{
    tni_json j = l->f.j;
    if (value.p >= j.start && value.p < j.end)
        return tni_jsonfile_at(&l->f, value);
    tni_json_init(&j, value.p != NULL ? value.p : "", value.len, j.max_depth,
                  l->err);
    return j;
}

/* --- where the image is ------------------------------------------------------- */

static bool ends_like_image(tni_span text)
{
    size_t n = 0;
    while (n < text.len && text.p[n] != '?' && text.p[n] != '#') n++;
    const size_t ends[2] = {n, text.len}; /* "x.jpg?k=1", "?d=x.jpg" */
    for (int k = 0; k < 2; k++) {
        char tail[16];
        const size_t len = ends[k] < 15 ? ends[k] : 15;
        memcpy(tail, text.p + ends[k] - len, len);
        tail[len] = '\0';
        if (tni_is_image_name(tail)) return true;
    }
    return false;
}

/* How much a member of `data` looks like the reference to an image. */
static int likeness(tni_span key, tni_span value)
{
    static const char *const keys[] = {"image", "img",     "image_url", "url",
                                       "photo", "picture", "ocr"};
    int score = 0;
    if (value.len < 3 || value.p[0] != '"') return 0;
    const tni_span text = {value.p + 1, value.len - 2};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (tni_span_is(key, keys[i])) score = i == 0 ? 4 : 1;
    if (ends_like_image(text)) score += 3;
    if (text.len > 11 && memcmp(text.p, "data:image/", 11) == 0) score += 5;
    return score;
}

/* The texts of a list of references, or of objects that have them. */
static tn_status list_urls(tni_ls *l, tni_span list, tni_span **urls, size_t *n)
{
    tni_json j = tni_ls_at(l, list);
    tni_span value = {NULL, 0};
    size_t cap = 0;
    *n = 0;
    if (!tni_json_enter(&j, '[')) return j.status;
    while (tni_json_item(&j) && tni_json_skip(&j, NULL)) cap++;
    TN_TRY(j.status);
    *urls = TNI_NEW_ARRAY(&l->r->scratch, tni_span, cap + 1);
    if (*urls == NULL) return no_memory(l->err);
    j = tni_ls_at(l, list);
    if (tni_json_enter(&j, '['))
        while (tni_json_item(&j) && tni_json_skip(&j, &value)) {
            tni_span url = value;
            if (value.p[0] == '{' && !tni_json_member(value, "url", &url) &&
                !tni_json_member(value, "image", &url))
                continue;
            if (likeness(tni_span_of(""), url) > 0) (*urls)[(*n)++] = url;
        }
    return j.status;
}

/* The references to the images of a task: one, or those of a list. */
static tn_status find_urls(tni_ls *l, tni_span data, tni_span **urls, size_t *n)
{
    tni_json j = tni_ls_at(l, data);
    tni_span key, value, best = {NULL, 0}, list = {NULL, 0};
    int most = 0;
    *n = 0;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
        const int score = likeness(key, value);
        if (score > most) best = value;
        if (score > most) most = score;
        if (value.p[0] == '[' && list.p == NULL) {
            TN_TRY(list_urls(l, value, urls, n));
            if (*n > 0) list = value;
        }
    }
    TN_TRY(j.status);
    if (best.p == NULL) return TN_OK;
    *urls = TNI_NEW(&l->r->scratch, tni_span);
    if (*urls == NULL) return no_memory(l->err);
    **urls = best;
    *n = 1;
    return TN_OK;
}

/* The name of an image; another of the same name, from another place, has its
 * host in front. Images without a name are called after their task. */
static tn_status name_image(tni_ls *l, tni_span url, const tni_image_row *task,
                            const char **out)
{
    char number[64];
    const tni_span raw = {url.p + 1, url.len - 2};
    const char *text = tni_json_unescape(&l->r->scratch, raw, NULL);
    bool fresh = false;
    if (text == NULL) return no_memory(l->err);
    for (int host = 0; host < 2; host++) {
        const char *name =
            tni_ls_name(&l->r->scratch, text, l->folder, host == 1);
        if (name == NULL) return no_memory(l->err);
        if (name[0] == '\0') {
            (void)snprintf(
                number, sizeof number, "task-%lld",
                task->id_kind == TN_ID_INT
                    ? (long long)task->id
                    : (long long)(task->where & ((UINT64_C(1) << 40) - 1)));
            name = number;
        }
        name = tni_keep(l->d, name, strlen(name));
        if (name == NULL) return no_memory(l->err);
        void **slot = tni_strmap_add(&l->images, name, strlen(name), &fresh);
        if (slot == NULL) return no_memory(l->err);
        const char *other = *slot;
        if (fresh) *slot = (void *)(uintptr_t)text;
        *out = name;
        if (fresh || strcmp(other, text) == 0) return TN_OK;
    }
    return TN_OK;
}

static tn_status find_folders(tni_ls *l)
{
    const char *own =
        l->r->is_dir ? l->r->path : tni_folder_of(l->r, l->r->path);
    l->folders[0] = l->r->images;
    if (l->r->images != NULL) return TN_OK;
    l->folders[0] = own != NULL ? tni_join(l->r, own, "images") : NULL;
    l->folders[1] = own;
    return l->folders[0] != NULL ? TN_OK : no_memory(l->err);
}

/* Uploads lie in folders of their own, and in one when they were exported. */
static tn_status find_file(tni_ls *l, uint32_t image)
{
    tni_image_row *row = tni_image_at(l->d, image);
    TN_TRY(tni_find_image(l->r, image, l->folders, l->err));
    const char *slash = strrchr(row->name, '/');
    if (row->file == NULL && slash != NULL &&
        strncmp(row->name, "upload/", 7) == 0) {
        const char *name = row->name;
        row->name = slash + 1;
        const tn_status status =
            tni_find_image(l->r, image, l->folders, l->err);
        row->name = name;
        TN_TRY(status);
    }
    /* Browsers turn images as their EXIF says before anybody draws. */
    if (row->frame == TN_FRAME_UNKNOWN && row->orientation > 1)
        row->frame = TN_FRAME_UPRIGHT;
    return TN_OK;
}

/* --- sizes ------------------------------------------------------------------------ */

static void take_size(tni_image_row *row, double w, double h)
{
    const double most = 1 << 20;
    if (row->width > 0 || !(w >= 1.0 && h >= 1.0 && w <= most && h <= most) ||
        w != (double)(int32_t)w || h != (double)(int32_t)h)
        return;
    row->width = (int32_t)w;
    row->height = (int32_t)h;
}

/* The first size that a result of these sets has for image `index`. Results
 * are checked when they are read. */
static tn_status find_size(tni_ls *l, tni_span sets, int64_t index,
                           tni_image_row *row)
{
    tni_json j = tni_ls_at(l, sets), k;
    tni_span one, list, result, w, h, at;
    if (sets.p == NULL || !tni_json_enter(&j, '[')) return TN_OK;
    while (row->width == 0 && tni_json_item(&j) && tni_json_skip(&j, &one)) {
        if (!tni_json_member(one, "result", &list) || list.p[0] != '[')
            continue;
        k = tni_ls_at(l, list);
        if (!tni_json_enter(&k, '[')) break;
        while (row->width == 0 && tni_json_item(&k) &&
               tni_json_skip(&k, &result)) {
            double v[2] = {0.0, 0.0}, i = 0.0;
            if (!tni_json_member(result, "original_width", &w) ||
                !tni_json_member(result, "original_height", &h) ||
                !tni_field_f64(w, &v[0]) || !tni_field_f64(h, &v[1]))
                continue;
            if (tni_json_member(result, "item_index", &at))
                (void)tni_field_f64(at, &i);
            if (i != (double)index) continue;
            take_size(row, v[0], v[1]);
        }
    }
    return TN_OK;
}

/* --- a task ------------------------------------------------------------------------ */

static tn_status add_extra(tni_ls *l, uint32_t image, tni_span member)
{
    return tni_set_image_text(l->d, image, TN_TEXT_EXTRA, member, l->err);
}

/* "key": what a draft holds, as a member of the image. */
static tn_status add_made(tni_ls *l, uint32_t image, const char *key,
                          tni_span value)
{
    tni_span text = {NULL, 0};
    tni_out *o = tni_draft_begin(l->draft);
    tni_out_str(o, "\"");
    tni_out_str(o, key);
    tni_out_str(o, "\": ");
    tni_out_bytes(o, value.p, value.len);
    TN_TRY(tni_draft_keep(l->draft, l->d, &text));
    return add_extra(l, image, text);
}

/* Whether `data` says no more than the name and the size do. */
static tn_status says_more(tni_ls *l, tni_span data, const char *name,
                           tni_image_row *row, bool *more)
{
    tni_span key, value, w = {NULL, 0}, h = {NULL, 0}, url = {NULL, 0};
    double v[2] = {0.0, 0.0};
    tni_json j = tni_ls_at(l, data);
    *more = false;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
        if (tni_span_is(key, "image"))
            url = value;
        else if (tni_span_is(key, "width"))
            w = value;
        else if (tni_span_is(key, "height"))
            h = value;
        else
            *more = true;
    }
    TN_TRY(j.status);
    if (w.p != NULL && h.p != NULL && tni_field_f64(w, &v[0]) &&
        tni_field_f64(h, &v[1]))
        take_size(row, v[0], v[1]);
    else
        *more = *more || w.p != NULL || h.p != NULL;
    if (v[0] != row->width && v[0] != 0.0) *more = true;
    if (v[1] != row->height && v[1] != 0.0) *more = true;
    tni_out *o = tni_draft_begin(l->draft);
    tni_out_str(o, "\"");
    tni_ls_put_url(o, name, l->folder);
    tni_out_str(o, "\"");
    TN_TRY(tni_draft_end(l->draft, &value));
    if (url.len != value.len || memcmp(url.p, value.p, url.len) != 0)
        *more = true;
    return TN_OK;
}

static tn_status add_images(tni_ls *l, record *rec, tni_ls_task *task)
{
    tni_span *urls = NULL;
    TN_TRY(find_urls(l, rec->data, &urls, &task->n_images));
    task->images = TNI_NEW_ARRAY(&l->r->scratch, uint32_t, task->n_images + 1);
    if (task->images == NULL) return no_memory(l->err);
    for (size_t i = 0; i < task->n_images; i++) {
        tni_image_row row = rec->row;
        bool more = true;
        row.width = row.height = 0;
        TN_TRY(find_size(l, rec->annotations, (int64_t)i, &row));
        TN_TRY(find_size(l, rec->predictions, (int64_t)i, &row));
        if (rec->row.width > 0)
            take_size(&row, rec->row.width, rec->row.height);
        TN_TRY(name_image(l, urls[i], &rec->row, &row.name));
        if (i > 0) row.id_kind = TN_ID_NONE;
        if (task->n_images == 1)
            TN_TRY(says_more(l, rec->data, row.name, &row, &more));
        TN_TRY(tni_add_image(l->d, &row, &task->images[i], l->err));
        TN_TRY(find_file(l, task->images[i]));
        if (more && i == 0)
            TN_TRY(add_made(l, task->images[0],
                            task->n_images == 1 ? "data" : "task_data",
                            rec->data));
    }
    if (task->n_images < 2) return TN_OK;
    return tni_note_add(l->d, rec->row.where, "several-images", l->err,
                        "a task has %zu images: each is an image of its own",
                        task->n_images);
}

static tn_status begin_task(tni_ls *l, tni_ls_task *task)
{
    for (int k = 0; k < 2; k++) {
        if (task->info[k] == NULL)
            task->info[k] = tni_draft_new(&l->r->scratch, l->err);
        if (task->info[k] == NULL) return TN_ENOMEM;
        tni_out_str(tni_draft_begin(task->info[k]), "[");
        task->n[k] = 0;
        task->says[k] = false;
    }
    task->looked = false;
    task->expected = 0;
    return TN_OK;
}

static tn_status end_task(tni_ls *l, tni_ls_task *task)
{
    static const char *const keys[2] = {"annotation_info", "prediction_info"};
    tni_span text = {NULL, 0};
    for (int k = 0; k < 2; k++) {
        tni_out_str(&task->info[k]->out, "]");
        TN_TRY(tni_draft_end(task->info[k], &text));
        if (task->says[k] || task->n[k] > 1)
            TN_TRY(add_made(l, task->images[0], keys[k], text));
    }
    for (size_t i = 0; i < task->n_images; i++)
        if (task->looked)
            tni_image_at(l->d, task->images[i])->state = TN_STATE_EMPTY;
    return TN_OK;
}

static tn_status read_sets(tni_ls *l, tni_ls_task *task, tni_span list,
                           bool prediction)
{
    tni_json j = tni_ls_at(l, list);
    tni_span one;
    if (list.p == NULL || !tni_json_enter(&j, '[')) return j.status;
    while (tni_json_item(&j)) {
        if (tni_json_peek(&j) != '{') {
            (void)tni_json_fail(&j, j.p, "%s is no object",
                                prediction ? "a prediction" : "an annotation");
            break;
        }
        if (!tni_json_skip(&j, &one)) break;
        TN_TRY(tni_ls_read_set(l, task, one, prediction));
    }
    return j.status;
}

static tn_status count_sets(tni_ls *l, tni_ls_task *task, const record *rec)
{
    tni_json j = tni_ls_at(l, rec->annotations);
    if (rec->annotations.p == NULL || !tni_json_enter(&j, '[')) return j.status;
    while (tni_json_item(&j) && tni_json_skip(&j, NULL)) task->expected++;
    if (task->expected > 1)
        TN_TRY(tni_note_add(l->d, rec->row.where, "several-annotations", l->err,
                            "a task has %zu annotations: the rows of each say "
                            "which",
                            task->expected));
    return j.status;
}

/* A task whose data have no image: kept as a whole. */
static tn_status keep_task(tni_ls *l, const record *rec)
{
    char key[40];
    tni_meta meta = {NULL, rec->whole, TN_NONE, rec->row.where};
    (void)snprintf(key, sizeof key, "task@%llu",
                   (unsigned long long)(rec->at - l->f.j.start));
    meta.key = tni_keep(l->d, key, strlen(key));
    if (meta.key == NULL) return no_memory(l->err);
    TN_TRY(tni_note_add(l->d, rec->row.where, "no-image", l->err,
                        "a task has no image in its data: it is kept, but not "
                        "as an image"));
    return tni_add_meta(l->d, &meta, l->err);
}

/* The members of a task that have no other place. */
static tn_status keep_members(tni_ls *l, const record *rec, uint32_t image)
{
    static const char *const ours[] = {"id",          "data", "annotations",
                                       "completions", "meta", "predictions"};
    tni_span key, raw;
    tni_json j = tni_ls_at(l, rec->whole);
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        bool known = false;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            known = known || tni_span_is(key, ours[i]);
        if (!known && !tni_json_is_empty(raw))
            TN_TRY(add_extra(l, image, tni_json_whole(key, raw)));
    }
    TN_TRY(j.status);
    if (rec->meta.p == NULL || tni_json_is_empty(rec->meta)) return TN_OK;
    return tni_set_image_text(l->d, image, TN_TEXT_ATTRIBUTES, rec->meta,
                              l->err);
}

static tn_status read_full(tni_ls *l, record *rec, tni_ls_task *task)
{
    TN_TRY(begin_task(l, task));
    TN_TRY(add_images(l, rec, task));
    if (task->n_images == 0) return keep_task(l, rec);
    TN_TRY(keep_members(l, rec, task->images[0]));
    TN_TRY(count_sets(l, task, rec));
    TN_TRY(read_sets(l, task, rec->annotations, false));
    TN_TRY(read_sets(l, task, rec->predictions, true));
    return end_task(l, task);
}

/* --- JSON-MIN --------------------------------------------------------------------- */

/* Splits a record into what is said of the annotation and of the image. */
static tn_status split_min(tni_ls *l, record *rec, tni_span *header,
                           bool *looked)
{
    static const char *const own[][2] = {
        {"annotation_id", "id"},      {"annotator", "completed_by"},
        {"created_at", "created_at"}, {"updated_at", "updated_at"},
        {"lead_time", "lead_time"},   {"agreement", "agreement"}};
    tni_span key, raw;
    bool any[2] = {false, false};
    tni_json j = tni_ls_at(l, rec->whole);
    tni_draft *const draft[2] = {l->header, l->draft};
    for (int k = 0; k < 2; k++) tni_out_str(tni_draft_begin(draft[k]), "{");
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        const char *name = NULL;
        for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
            if (tni_span_is(key, own[i][0])) name = own[i][1];
        const int to = name != NULL ? 0 : 1;
        if (name != NULL) *looked = true;
        if (tni_span_is(key, "id")) continue;
        if (tni_ls_is_answer(l, raw)) {
            *looked = true;
            continue;
        }
        if (name != NULL && tni_span_is(raw, "null")) continue;
        if (raw.p[0] == '[' && tni_json_is_empty(raw)) continue;
        tni_out *o = &draft[to]->out;
        tni_out_str(o, any[to] ? ", \"" : "\"");
        if (name != NULL)
            tni_out_str(o, name);
        else
            tni_out_bytes(o, key.p, key.len);
        tni_out_str(o, "\": ");
        tni_out_bytes(o, raw.p, raw.len);
        any[to] = true;
    }
    TN_TRY(j.status);
    for (int k = 0; k < 2; k++) tni_out_str(&draft[k]->out, "}");
    TN_TRY(tni_draft_end(draft[0], header));
    return tni_draft_keep(l->draft, l->d, &rec->data);
}

typedef struct open_task {
    tni_ls_task task;
    uint8_t id_kind;
    int64_t id;
    tni_span data;
    bool open;
} open_task;

static bool same_id(const open_task *o, const tni_image_row *row)
{
    if (o->id_kind != row->id_kind || row->id_kind == TN_ID_NONE) return false;
    if (row->id_kind == TN_ID_INT) return o->id == row->id;
    return strcmp((const char *)(intptr_t)o->id,
                  (const char *)(intptr_t)row->id) == 0;
}

/* The size that the first answer with one says. */
static tn_status min_size(tni_ls *l, record *rec)
{
    tni_json j = tni_ls_at(l, rec->whole);
    tni_span key, value, w, h;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
        tni_json k = tni_ls_at(l, value);
        if (value.p[0] != '[' || !tni_json_enter(&k, '[')) continue;
        while (tni_json_item(&k) && tni_json_skip(&k, &value)) {
            double v[2] = {0.0, 0.0};
            if (tni_json_member(value, "original_width", &w) &&
                tni_json_member(value, "original_height", &h) &&
                tni_field_f64(w, &v[0]) && tni_field_f64(h, &v[1]))
                take_size(&rec->row, v[0], v[1]);
        }
    }
    return j.status;
}

static tn_status close_min(tni_ls *l, open_task *o)
{
    if (!o->open) return TN_OK;
    o->open = false;
    return end_task(l, &o->task);
}

/* A record is one annotation; those of a task follow each other. */
static tn_status read_min(tni_ls *l, record *rec, open_task *o)
{
    tni_span header = {NULL, 0};
    bool looked = false;
    TN_TRY(split_min(l, rec, &header, &looked));
    if (o->open && same_id(o, &rec->row) && o->data.len == rec->data.len &&
        memcmp(o->data.p, rec->data.p, o->data.len) == 0)
        return tni_ls_read_min(l, &o->task, rec->whole, header);
    TN_TRY(close_min(l, o));
    TN_TRY(begin_task(l, &o->task));
    TN_TRY(min_size(l, rec));
    TN_TRY(add_images(l, rec, &o->task));
    if (o->task.n_images == 0) return keep_task(l, rec);
    o->id_kind = rec->row.id_kind;
    o->id = rec->row.id;
    o->data = rec->data;
    o->open = true;
    return looked ? tni_ls_read_min(l, &o->task, rec->whole, header) : TN_OK;
}

/* --- the file ------------------------------------------------------------------------ */

static tn_status read_record(tni_ls *l, tni_json *j, record *rec)
{
    tni_span key;
    memset(rec, 0, sizeof *rec);
    if (tni_json_peek(j) != '{') {
        (void)tni_json_fail(j, j->p, "a task is no object");
        return j->status;
    }
    rec->at = j->p;
    rec->row.where = tni_jsonfile_where(&l->f, j->p);
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            const char kind = tni_json_peek(j);
            if (tni_span_is(key, "id") && (kind == '0' || kind == '"'))
                TN_TRY(
                    tni_jsonfile_id(&l->f, j, &rec->row.id_kind, &rec->row.id));
            else if (tni_span_is(key, "data") && kind == '{')
                (void)!tni_json_skip(j, &rec->data);
            else if ((tni_span_is(key, "annotations") ||
                      tni_span_is(key, "completions")) &&
                     kind == '[')
                (void)!tni_json_skip(j, &rec->annotations);
            else if (tni_span_is(key, "predictions") && kind == '[')
                (void)!tni_json_skip(j, &rec->predictions);
            else if (tni_span_is(key, "meta") && kind == '{')
                (void)!tni_json_skip(j, &rec->meta);
            else
                (void)!tni_json_skip(j, NULL);
        }
    rec->whole.p = rec->at;
    rec->whole.len = (size_t)(j->p - rec->at);
    return j->status;
}

static tn_status read_task(tni_ls *l, tni_json *j, tni_ls_task *task,
                           open_task *o)
{
    record rec;
    TN_TRY(read_record(l, j, &rec));
    if (rec.data.p == NULL &&
        (rec.annotations.p != NULL || rec.predictions.p != NULL)) {
        (void)tni_json_fail(j, rec.at, "a task has no 'data'");
        return j->status;
    }
    if (rec.data.p == NULL) return read_min(l, &rec, o);
    TN_TRY(close_min(l, o));
    return read_full(l, &rec, task);
}

static tn_status read_open(tni_ls *l)
{
    tni_ls_task task;
    open_task o;
    tni_json *j = &l->f.j;
    memset(&task, 0, sizeof task);
    memset(&o, 0, sizeof o);
    const char kind = tni_json_peek(j);
    if (kind == '{') {
        TN_TRY(read_task(l, j, &task, &o));
    } else if (tni_json_enter(j, '[')) {
        while (tni_json_item(j)) {
            TN_TRY(read_task(l, j, &task, &o));
            TN_TRY(tni_reader_progress(l->r, (uint64_t)(j->p - j->start),
                                       (uint64_t)(j->end - j->start), l->err));
        }
    }
    TN_TRY(j->status);
    (void)tni_json_end(j);
    TN_TRY(j->status);
    return close_min(l, &o);
}

static tn_status read_file(tni_ls *l, const char *path)
{
    TN_TRY(tni_jsonfile_open(&l->f, l->r, path, l->err));
    const tn_status status = read_open(l);
    if (status != TN_OK) tni_err_where(l->err, "%s", path);
    return status;
}

static tn_status read_all(tni_ls *l)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0, n_read = 0;
    TN_TRY(find_folders(l));
    TN_TRY(tni_ls_read_config(l));
    if (!l->r->is_dir) {
        TN_TRY(read_file(l, l->r->path));
        return tni_ls_finish(l);
    }
    TN_TRY(tni_list(l->r, l->r->path, &e, &n, l->err));
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir || !tni_ends_with(e[i].name, ".json")) continue;
        const char *path = tni_join(l->r, l->r->path, e[i].name);
        if (path == NULL) return no_memory(l->err);
        TN_TRY(read_file(l, path));
        n_read++;
    }
    if (n_read == 0)
        return tni_fail(l->err, TN_ENOTFOUND,
                        "the folder has no Label Studio file; expected *.json "
                        "with a list of tasks");
    return tni_ls_finish(l);
}

tn_status tni_ls_read(tni_reader *r, tn_err *err)
{
    tni_ls l;
    memset(&l, 0, sizeof l);
    l.r = r;
    l.d = r->d;
    l.err = err;
    l.folder = r->is_dir;
    l.last_control = &l.controls;
    l.draft = tni_draft_new(&r->scratch, err);
    l.header = tni_draft_new(&r->scratch, err);
    if (l.draft == NULL || l.header == NULL) return TN_ENOMEM;
    tni_classes_init(&l.classes, r);
    tni_strmap_init(&l.images, &r->scratch);
    tni_strmap_init(&l.names_of, &r->scratch);
    tni_arena_init(&l.work, &r->d->mem, 1 << 14);
    const tn_status status = read_all(&l);
    tni_arena_fini(&l.work);
    return status;
}
