/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio_write.c - the dataset as tasks of Label Studio */
#include "data/formats/label_studio_write.h"

#include <stdio.h>

static void str(tni_ls_writer *l, const char *s)
{
    tni_out_str(l->o, s);
}

static void text(tni_ls_writer *l, const char *s)
{
    tni_out_json(l->o, s, strlen(s));
}

/* --- controls ------------------------------------------------------------------ */

static tni_span quoted(tni_span object, const char *key)
{
    tni_span value = {NULL, 0};
    if (!tni_json_member(object, key, &value) || value.p[0] != '"') {
        value.p = NULL;
        value.len = 0;
        return value;
    }
    value.p++;
    value.len -= 2;
    return value;
}

static tn_status read_controls(tni_ls_writer *l)
{
    for (uint32_t i = 0; i < l->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&l->d->metas, tni_meta, i);
        tni_json j;
        tni_span key, value, width;
        size_t n = 0;
        if (strcmp(m->key, TNI_LS_CONTROLS) != 0 || l->controls != NULL)
            continue;
        for (int pass = 0; pass < 2; pass++) {
            n = 0;
            tni_json_init(&j, m->value.p, m->value.len, 0, NULL);
            if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) break;
            while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
                const tni_span type = quoted(value, "type");
                if (value.p[0] != '{' || type.p == NULL) continue;
                if (pass == 1) {
                    l->controls[n].from = key;
                    l->controls[n].type = type;
                    l->controls[n].to = quoted(value, "to_name");
                    if (tni_json_member(value, "width", &width) &&
                        width.p[0] >= '0' && width.p[0] <= '9')
                        l->controls[n].width = width;
                    l->controls[n].usual =
                        tni_json_member(value, "usual", &key) &&
                        key.p[0] == 't';
                }
                n++;
            }
            if (pass == 0)
                l->controls = TNI_NEW_ARRAY(&l->w->arena, tni_ls_known, n + 1);
            if (l->controls == NULL)
                return tni_fail(l->err, TN_ENOMEM, "out of memory");
        }
        l->n_controls = n;
    }
    return TN_OK;
}

/* --- data ------------------------------------------------------------------------ */

/* The member of `data` that the reader would name the image by; *unnamed when
 * it is one without a name. */
static bool names_image(tni_ls_writer *l, tni_span data, uint32_t i)
{
    const tni_image_row *row = tni_image_at(l->d, i);
    tni_json j;
    tni_span key, value;
    bool found = false;
    if (strcmp(l->w->names[i], row->name) != 0) return false;
    tni_json_init(&j, data.p, data.len, 0, NULL);
    if (!tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
        if (value.p[0] != '"') continue;
        const tni_span raw = {value.p + 1, value.len - 2};
        const char *url = tni_json_unescape(&l->work, raw, NULL);
        const char *name =
            url != NULL ? tni_ls_name(&l->work, url, l->folder, false) : NULL;
        if (name == NULL) return false;
        const bool this = strcmp(name, row->name) == 0 ||
                          (name[0] == '\0' && row->id_kind == TN_ID_INT &&
                           strncmp(row->name, "task-", 5) == 0);
        if (this && l->key.p == NULL) l->key = key;
        found = found || this;
    }
    return found;
}

static void put_data(tni_ls_writer *l, uint32_t i, bool with_size)
{
    const tni_image_row *row = tni_image_at(l->d, i);
    tni_json j;
    tni_span data = {NULL, 0}, key, value;
    const bool kept =
        tni_ls_kept(&l->d->image_text[TN_TEXT_EXTRA], i, "data", &data) &&
        data.p[0] == '{';
    if (kept && !l->min && names_image(l, data, i)) {
        tni_out_bytes(l->o, data.p, data.len);
        return;
    }
    if (l->key.p == NULL) l->key = tni_span_of("image");
    str(l, l->min ? "\"image\": \"" : "{\"image\": \"");
    tni_ls_put_url(l->o, l->w->names[i], l->folder);
    str(l, "\"");
    if (with_size) {
        str(l, ", \"width\": ");
        tni_out_i64(l->o, row->width);
        str(l, ", \"height\": ");
        tni_out_i64(l->o, row->height);
    }
    if (l->min) return;
    tni_json_init(&j, kept ? data.p : "", kept ? data.len : 0, 0, NULL);
    if (kept && tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
            const bool size =
                tni_span_is(key, "width") || tni_span_is(key, "height");
            const tni_span member = tni_json_whole(key, value);
            if (size && with_size) continue;
            str(l, tni_span_is(key, "image") ? ", \"x_" : ", \"");
            tni_out_bytes(l->o, member.p + 1, member.len - 1);
        }
    str(l, "}");
}

/* --- sets ------------------------------------------------------------------------- */

/* What the image keeps of its annotations or predictions, and the rows of each
 * of them. */
typedef struct sets {
    tni_span *info; /* objects of JSON */
    size_t n_info;
    const uint32_t *rows;
    size_t n_rows;
    const size_t *of; /* of each row: its set; never falls */
    size_t n;
} sets;

static tn_status read_info(tni_ls_writer *l, uint32_t i, const char *key,
                           sets *s)
{
    tni_json j;
    tni_span list = {NULL, 0}, one;
    if (!tni_ls_kept(&l->d->image_text[TN_TEXT_EXTRA], i, key, &list) ||
        list.p[0] != '[')
        return TN_OK;
    for (int pass = 0; pass < 2; pass++) {
        size_t n = 0;
        tni_json_init(&j, list.p, list.len, 0, NULL);
        if (tni_json_enter(&j, '['))
            while (tni_json_item(&j) && tni_json_skip(&j, &one)) {
                if (one.p[0] != '{') continue;
                if (pass == 1) s->info[n] = one;
                n++;
            }
        if (pass == 0) s->info = TNI_NEW_ARRAY(&l->work, tni_span, n + 1);
        if (s->info == NULL)
            return tni_fail(l->err, TN_ENOMEM, "out of memory");
        s->n_info = n;
    }
    return TN_OK;
}

static bool is_cancelled(tni_span info)
{
    tni_span value;
    return (tni_json_member(info, "was_cancelled", &value) &&
            value.p[0] == 't') ||
           (tni_json_member(info, "skipped", &value) && value.p[0] == 't');
}

/* Which set a row says it is of; 0 when it does not. */
static size_t said(const tni_ls_writer *l, uint32_t ann, const char *key)
{
    tni_span mark, index;
    int64_t v = 0;
    if (!tni_ls_kept(&l->d->text[TN_TEXT_EXTRA], ann, key, &mark) ||
        !tni_json_member(mark, "index", &index) || !tni_field_i64(index, &v) ||
        v < 0)
        return 0;
    return (size_t)v;
}

static bool is_prediction(const tni_ls_writer *l, uint32_t ann)
{
    tni_span mark;
    return tni_ls_kept(&l->d->text[TN_TEXT_EXTRA], ann, "prediction", &mark) &&
           mark.p[0] == '{';
}

/* Sets of rows in the order of the rows: a row that says an earlier one than
 * the row before is of the same, and none is of one that was cancelled. */
static tn_status divide(tni_ls_writer *l, const char *key, sets *s)
{
    size_t *of = TNI_NEW_ARRAY(&l->work, size_t, s->n_rows + 1), now = 0;
    if (of == NULL) return tni_fail(l->err, TN_ENOMEM, "out of memory");
    s->n = s->n_info;
    for (size_t k = 0; k < s->n_rows; k++) {
        const size_t want = said(l, s->rows[k], key);
        if (want > now) now = want < s->n ? want : s->n > now + 1 ? now : want;
        if (now > s->n) now = s->n;
        while (now < s->n_info && is_cancelled(s->info[now])) now++;
        if (now >= s->n) s->n = now + 1;
        of[k] = now;
    }
    s->of = of;
    return TN_OK;
}

/* The controls of results that are no rows. */
static void use_rest(tni_ls_writer *l, tni_span list)
{
    tni_json j;
    tni_span one;
    tni_json_init(&j, list.p, list.len, 0, NULL);
    if (!tni_json_enter(&j, '[')) return;
    while (tni_json_item(&j) && tni_json_skip(&j, &one)) {
        const tni_span from = quoted(one, "from_name");
        const tni_ls_type *t = tni_ls_type_of(quoted(one, "type"));
        if (t != NULL && from.p != NULL)
            tni_ls_use(l, t->type, from, quoted(one, "to_name"), false);
    }
}

static tn_status put_set(tni_ls_writer *l, const sets *s, size_t set)
{
    tni_json j;
    tni_span key, value, rest = {NULL, 0};
    bool any = false;
    str(l, "{");
    if (set < s->n_info) {
        tni_json_init(&j, s->info[set].p, s->info[set].len, 0, NULL);
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key) && tni_json_skip(&j, &value)) {
                const tni_span member = tni_json_whole(key, value);
                if (tni_span_is(key, "result") && value.p[0] == '[') {
                    rest = value;
                    continue;
                }
                tni_out_bytes(l->o, member.p, member.len);
                str(l, ", ");
            }
    }
    str(l, "\"result\": [");
    for (size_t k = 0; k < s->n_rows;) {
        if (s->of[k] != set) {
            k++;
            continue;
        }
        size_t end = k, at = k;
        while (end < s->n_rows && s->of[end] == set) end++;
        TN_TRY(tni_ls_put_results(l, s->rows, end, &at, &any));
        k = at;
    }
    if (rest.p != NULL && !tni_json_is_empty(rest)) {
        use_rest(l, rest);
        str(l, any ? ",\n        " : "\n        ");
        const tni_span inner = {rest.p + 1, rest.len - 2};
        rest = tni_trim(inner);
        tni_out_bytes(l->o, rest.p, rest.len);
        any = true;
    }
    str(l, any ? "\n      ]}" : "]}");
    return l->o->status;
}

static tn_status put_sets(tni_ls_writer *l, const char *key, const sets *s)
{
    str(l, key);
    for (size_t k = 0; k < s->n; k++) {
        str(l, k > 0 ? ",\n      " : "\n      ");
        TN_TRY(put_set(l, s, k));
    }
    str(l, s->n > 0 ? "\n    ]" : "]");
    return l->o->status;
}

/* Annotations, then predictions. Rows that are predictions stand behind all
 * others, or they are annotations that say so. */
static tn_status put_all_sets(tni_ls_writer *l, uint32_t i,
                              const uint32_t *list, size_t n)
{
    sets a, p;
    size_t from = n;
    memset(&a, 0, sizeof a);
    memset(&p, 0, sizeof p);
    while (from > 0 && is_prediction(l, list[from - 1])) from--;
    for (size_t k = 0; k < from; k++)
        if (is_prediction(l, list[k])) from = n;
    a.rows = list;
    a.n_rows = from;
    p.rows = list + from;
    p.n_rows = n - from;
    TN_TRY(read_info(l, i, "annotation_info", &a));
    TN_TRY(read_info(l, i, "prediction_info", &p));
    TN_TRY(divide(l, "annotation", &a));
    TN_TRY(divide(l, "prediction", &p));
    if (a.n == 0 && tni_image_at(l->d, i)->state == TN_STATE_EMPTY) a.n = 1;
    TN_TRY(put_sets(l, ",\n    \"annotations\": [", &a));
    return put_sets(l, ",\n    \"predictions\": [", &p);
}

/* --- tasks ------------------------------------------------------------------------ */

/* Whether a row tells the size of its image. */
static bool tells_size(tni_ls_writer *l, const uint32_t *list, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (tni_ls_is_region(tni_ls_form_of(l, list[k]).kind)) return true;
    return false;
}

static void put_id(tni_ls_writer *l, const tni_image_row *row)
{
    if (row->id_kind == TN_ID_NONE) return;
    str(l, "\"id\": ");
    if (row->id_kind == TN_ID_INT)
        tni_out_i64(l->o, row->id);
    else
        text(l, (const char *)(intptr_t)row->id);
    str(l, ", ");
}

static void put_members(tni_ls_writer *l, uint32_t i)
{
    static const char *const taken[] = {"id",   "annotations", "completions",
                                        "meta", "predictions", NULL};
    static const char *const own[] = {"\"data\"", "\"annotation_info\"",
                                      "\"prediction_info\"", NULL};
    const tni_sparse *s = &l->d->image_text[TN_TEXT_EXTRA];
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, i, k);
        bool skip = false, ours = false;
        if (m == NULL) break;
        for (size_t t = 0; own[t] != NULL; t++)
            skip = skip || (m->len > strlen(own[t]) &&
                            memcmp(m->p, own[t], strlen(own[t])) == 0);
        for (size_t t = 0; taken[t] != NULL; t++)
            ours = ours || (m->len > strlen(taken[t]) + 2 &&
                            memcmp(m->p + 1, taken[t], strlen(taken[t])) == 0 &&
                            m->p[strlen(taken[t]) + 1] == '"');
        if (skip) continue;
        str(l, ours ? ",\n    \"x_" : ",\n    \"");
        tni_out_bytes(l->o, m->p + 1, m->len - 1);
    }
}

/* Readers take a path with control characters for no path. */
static tn_status check_name(const tni_ls_writer *l, uint32_t i)
{
    const char *name = l->w->names[i];
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < ' ')
            return tni_fail(l->err, TN_EUNSUPPORTED,
                            "the image '%.100s' cannot be named by a task "
                            "(control characters in its name); rename it",
                            name);
    return TN_OK;
}

static tn_status put_task(tni_ls_writer *l, uint32_t i)
{
    const tni_image_row *row = tni_image_at(l->d, i);
    const tni_span *meta =
        tni_sparse_find(&l->d->image_text[TN_TEXT_ATTRIBUTES], i, 0);
    size_t n = 0;
    const uint32_t *list = tn_dataset_of_image(l->d, i, &n);
    const bool size = row->width > 0 && row->height > 0 &&
                      !(l->sized && tells_size(l, list, n));
    TN_TRY(check_name(l, i));
    str(l, "{");
    put_id(l, row);
    str(l, "\"data\": ");
    put_data(l, i, size);
    TN_TRY(put_all_sets(l, i, list, n));
    if (meta != NULL) {
        str(l, ",\n    \"meta\": ");
        tni_out_bytes(l->o, meta->p, meta->len);
    }
    put_members(l, i);
    str(l, "}");
    return l->o->status;
}

/* A task of JSON-MIN: rows of regions and of classes in lists by turns, so that
 * they stay in order. */
static tn_status put_min(tni_ls_writer *l, uint32_t i)
{
    const tni_image_row *row = tni_image_at(l->d, i);
    size_t n = 0, n_lists[2] = {0, 0};
    int now = -1;
    const uint32_t *list = tn_dataset_of_image(l->d, i, &n);
    const bool size = row->width > 0 && row->height > 0 &&
                      !(l->sized && tells_size(l, list, n));
    TN_TRY(check_name(l, i));
    str(l, "{");
    put_id(l, row);
    put_data(l, i, size);
    for (size_t k = 0; k < n; k++) {
        const uint32_t cls = tni_ann_at(l->d, list[k])->class_index;
        const tni_ls_form f = tni_ls_form_of(l, list[k]);
        const int to = tni_ls_is_region(f.kind) ? 0 : 1;
        if (cls == TN_NONE ||
            (to == 1 && f.kind != TNI_LS_CHOICES && f.kind != TNI_LS_TAXONOMY))
            continue;
        const char *name = tni_class_at(l->d, cls)->name;
        if (to != now) {
            str(l, now >= 0 ? "],\n    \"" : ",\n    \"");
            char key[40] = "";
            const char *base = to == 0 ? "label" : "choice";
            if (++n_lists[to] > 1)
                (void)snprintf(key, sizeof key, "%s%zu", base, n_lists[to]);
            else
                (void)snprintf(key, sizeof key, "%s", base);
            str(l, key);
            tni_ls_use(l, tni_ls_type_name(f.kind, true), tni_span_of(key),
                       tni_span_of("image"), false);
            str(l, "\": [");
        }
        str(l, to != now ? "{" : ", {");
        now = to;
        l->w->written[list[k]] = 1;
        if (to == 0) {
            TN_TRY(tni_ls_put_geometry(l, &f));
            if (f.kind == TNI_LS_POINT) str(l, ", \"width\": 0.5");
            str(l, ", \"");
            str(l, tni_ls_type_name(f.kind, true));
            str(l, "\": [");
        } else {
            l->class_uses[cls] |= TNI_LS_TAGGED;
            str(l, "\"choices\": [");
        }
        text(l, name);
        str(l, "]");
        if (to == 0 && (l->sized || f.kind == TNI_LS_BRUSH)) {
            const bool mask = f.kind == TNI_LS_BRUSH;
            str(l, ", \"original_width\": ");
            tni_out_f64(l->o, mask ? (double)l->shape.width : l->width);
            str(l, ", \"original_height\": ");
            tni_out_f64(l->o, mask ? (double)l->shape.height : l->height);
        }
        str(l, "}");
    }
    if (now >= 0) str(l, "]");
    if (now >= 0 || row->state != TN_STATE_UNKNOWN)
        str(l, ",\n    \"annotation_id\": null");
    str(l, "}");
    return l->o->status;
}

/* Tasks without an image, as they were read. */
static bool put_others(tni_ls_writer *l, bool any)
{
    for (uint32_t i = 0; !l->min && i < l->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&l->d->metas, tni_meta, i);
        if (strncmp(m->key, "task@", 5) != 0) continue;
        str(l, any ? ",\n  " : "\n  ");
        tni_out_bytes(l->o, m->value.p, m->value.len);
        any = true;
    }
    return any;
}

static tn_status put_tasks(tni_ls_writer *l)
{
    bool any = false;
    str(l, "[");
    for (uint32_t i = 0; i < l->d->images.n; i++) {
        size_t n = 0;
        const uint32_t *list = tn_dataset_of_image(l->d, i, &n);
        tni_arena_reset(&l->work);
        str(l, any ? ",\n  " : "\n  ");
        any = true;
        l->sized = tni_image_extent(l->d, i, &l->width, &l->height);
        TN_TRY(tni_ls_collect_ids(l, list, n));
        TN_TRY(l->min ? put_min(l, i) : put_task(l, i));
        TN_TRY(tni_writer_progress(l->w, "write", i, l->d->images.n, l->err));
    }
    any = put_others(l, any);
    str(l, any ? "\n]\n" : "]\n");
    return l->o->status;
}

static tn_status put_images(tni_ls_writer *l)
{
    char to[4096];
    for (uint32_t i = 0; l->folder && i < l->d->images.n; i++) {
        TN_TRY(
            tni_path_of(to, sizeof to, NULL, "images", l->w->names[i], l->err));
        TN_TRY(tni_write_image(l->w, i, to, l->err));
    }
    return TN_OK;
}

tn_status tni_ls_write(tni_writer *w, tn_err *err)
{
    tni_ls_writer l;
    memset(&l, 0, sizeof l);
    l.w = w;
    l.d = w->d;
    l.err = err;
    l.folder = w->file == NULL;
    l.min = w->variant != NULL && strcmp(w->variant, "min") == 0;
    l.shape.struct_size = sizeof l.shape;
    tni_strmap_init(&l.by_name, &w->arena);
    l.t = TNI_NEW(&w->arena, tni_target);
    l.named = tni_arena_zalloc(&w->arena, w->d->classes.n + (size_t)1, 1);
    l.class_uses = tni_arena_zalloc(&w->arena, w->d->classes.n + (size_t)1, 1);
    l.draft = tni_draft_new(&w->arena, err);
    if (l.t == NULL || l.named == NULL || l.class_uses == NULL ||
        l.draft == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    l.o = &l.t->out;
    TN_TRY(read_controls(&l));
    TN_TRY(put_images(&l));
    TN_TRY(tni_target_open(l.t, w, l.folder ? "tasks.json" : w->file, err));
    tni_arena_init(&l.work, w->arena.mem, 1 << 14);
    tn_status status = put_tasks(&l);
    if (status != TN_OK && l.o->status == TN_OK) l.o->status = status;
    status = tni_target_close(l.t, err);
    if (status == TN_OK && l.folder) status = tni_ls_write_config(&l);
    tni_arena_fini(&l.work);
    tn_shape_fini(&l.shape);
    return status;
}
