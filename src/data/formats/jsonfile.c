/* SPDX-License-Identifier: Apache-2.0 */
/* jsonfile.c - what formats of many small files, mostly JSON, have in common */
#include "data/formats/jsonfile.h"

#include "base/checked.h"

#include <math.h>

enum { MAX_DEPTH = 16 };

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- files ---------------------------------------------------------------- */

typedef struct walk {
    tni_reader *r;
    const char *suffix;
    tni_found *list;
    size_t n, cap;
    tn_err *err;
} walk;

static tn_status add_found(walk *w, const char *path, const char *name)
{
    if (w->n == w->cap) {
        const size_t cap = w->cap == 0 ? 64 : w->cap * 2;
        tni_found *more = TNI_NEW_ARRAY(&w->r->scratch, tni_found, cap);
        if (more == NULL) return no_memory(w->err);
        if (w->n > 0) memcpy(more, w->list, w->n * sizeof *more);
        w->list = more;
        w->cap = cap;
    }
    w->list[w->n].path = path;
    w->list[w->n++].name = name;
    return TN_OK;
}

static tn_status walk_folder(walk *w, const char *folder, const char *prefix,
                             int depth)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    if (depth > MAX_DEPTH)
        return tni_fail(w->err, TN_ELIMIT,
                        "'%.200s' is nested deeper than %d folders; does a "
                        "link lead back?",
                        prefix, (int)MAX_DEPTH);
    TN_TRY(tni_list(w->r, folder, &e, &n, w->err));
    for (size_t i = 0; i < n; i++) {
        const bool image = w->suffix == NULL && tni_is_image_name(e[i].name);
        const bool other =
            w->suffix != NULL && tni_ends_with(e[i].name, w->suffix);
        if (!e[i].is_dir && !image && !other) continue;
        const char *path = tni_join(w->r, folder, e[i].name);
        const char *name =
            prefix[0] != '\0' ? tni_join(w->r, prefix, e[i].name) : e[i].name;
        if (path == NULL || name == NULL) return no_memory(w->err);
        if (e[i].is_dir)
            TN_TRY(walk_folder(w, path, name, depth + 1));
        else
            TN_TRY(add_found(w, path, name));
    }
    return TN_OK;
}

tn_status tni_walk(tni_reader *r, const char *folder, const char *suffix,
                   const tni_found **list, size_t *n, tn_err *err)
{
    walk w = {r, suffix, NULL, 0, 0, err};
    TN_TRY(walk_folder(&w, folder, "", 0));
    *list = w.list;
    *n = w.n;
    return TN_OK;
}

/* --- reading JSON ----------------------------------------------------------- */

tn_status tni_jsonfile_open(tni_jsonfile *f, tni_reader *r, const char *path,
                            tn_err *err)
{
    tni_span text = {NULL, 0};
    memset(f, 0, sizeof *f);
    f->r = r;
    f->d = r->d;
    f->err = err;
    TN_TRY(tni_source_open(r->d, path, &f->source, &text, err));
    tni_json_init(&f->j, text.p, text.len, r->d->limits.max_nesting, err);
    return TN_OK;
}

tni_json tni_jsonfile_at(const tni_jsonfile *f, tni_span value)
{
    tni_json j = f->j;
    j.p = value.p;
    j.depth = 0;
    j.fresh = false;
    j.status = TN_OK;
    return j;
}

uint64_t tni_jsonfile_where(const tni_jsonfile *f, const char *p)
{
    return tni_where(f->source, (uint64_t)(p - f->j.start));
}

tn_status tni_jsonfile_text(tni_jsonfile *f, tni_json *j, const char **out)
{
    tni_span raw = {NULL, 0};
    bool escaped = false;
    if (!tni_json_string(j, &raw, &escaped)) return j->status;
    *out = tni_keep_json(f->d, raw, escaped);
    return *out != NULL ? TN_OK : no_memory(f->err);
}

tn_status tni_jsonfile_size(tni_jsonfile *f, tni_json *j, int32_t *out)
{
    double v = 0.0;
    (void)f;
    if (tni_json_peek(j) == 'n') {
        (void)tni_json_null(j);
        return j->status;
    }
    const char *at = j->p;
    if (!tni_json_f64(j, &v)) return j->status;
    if (!(v >= 0.0 && v <= (double)INT32_MAX) || v != floor(v))
        (void)tni_json_fail(j, at,
                            "an image's width or height is no whole number of "
                            "pixels");
    else
        *out = (int32_t)v;
    return j->status;
}

tn_status tni_jsonfile_id(tni_jsonfile *f, tni_json *j, uint8_t *kind,
                          int64_t *id)
{
    const char peek = tni_json_peek(j);
    const char *text = NULL;
    if (peek == '"') {
        TN_TRY(tni_jsonfile_text(f, j, &text));
    } else if (peek == '0') {
        tni_span raw = {NULL, 0};
        tni_json whole = *j;
        tn_err ignored;
        memset(&ignored, 0, sizeof ignored);
        whole.err = &ignored;
        if (!tni_json_skip(j, &raw)) return j->status;
        if (tni_json_i64(&whole, id)) {
            *kind = TN_ID_INT;
            return TN_OK;
        }
        text = tni_keep(f->d, raw.p, raw.len);
        if (text == NULL) return no_memory(f->err);
    } else {
        (void)tni_json_fail(j, j->p, "an id is neither a number nor a text");
        return j->status;
    }
    *kind = TN_ID_TEXT;
    *id = (int64_t)(intptr_t)text;
    return TN_OK;
}

tni_span tni_json_whole(tni_span key, tni_span value)
{
    const tni_span m = {key.p - 1, (size_t)(value.p + value.len - key.p) + 1};
    return m;
}

bool tni_json_split(tni_span member, tni_span *key, tni_span *value)
{
    const char *end = member.p + member.len, *p = member.p + 1;
    while (p < end && *p != '"') p += *p == '\\' ? 2 : 1;
    if (p >= end) return false;
    key->p = member.p + 1;
    key->len = (size_t)(p - key->p);
    p++;
    while (p < end && strchr(": \t\r\n", *p) != NULL) p++;
    value->p = p;
    value->len = (size_t)(end - p);
    return value->len > 0;
}

bool tni_json_vector(tni_json *j, double *out, size_t cap, size_t *n)
{
    *n = 0;
    if (!tni_json_enter(j, '[')) return false;
    while (tni_json_item(j)) {
        double v = 0.0;
        if (!tni_json_f64(j, &v)) return false;
        if (*n < cap) out[*n] = v;
        ++*n;
    }
    return j->status == TN_OK;
}

bool tni_json_points(tni_json *j, size_t *n)
{
    *n = 0;
    if (!tni_json_enter(j, '[')) return false;
    while (tni_json_item(j)) {
        size_t two = 0;
        (void)tni_json_peek(j);
        const char *at = j->p;
        if (!tni_json_vector(j, NULL, 0, &two)) return false;
        if (two != 2)
            return tni_json_fail(j, at, "a point has %zu numbers, expected 2",
                                 two);
        ++*n;
    }
    return j->status == TN_OK;
}

bool tni_json_is_empty(tni_span value)
{
    if (tni_span_is(value, "null")) return true;
    if (value.len < 2 || strchr("{[\"", value.p[0]) == NULL) return false;
    for (size_t i = 1; i + 1 < value.len; i++)
        if (value.p[0] == '"' || strchr(" \t\r\n", value.p[i]) == NULL)
            return false;
    return true;
}

/* --- texts that are made --------------------------------------------------- */

static tn_status collect(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    tni_draft *t = ctx;
    if (size > t->cap - t->len) {
        size_t want = 0;
        if (!tni_add_size(t->len, size, &want) || want > SIZE_MAX / 2)
            return no_memory(err);
        size_t cap = t->cap == 0 ? 4096 : t->cap;
        while (cap < want) cap *= 2;
        char *more = tni_arena_alloc(t->arena, cap, 1);
        if (more == NULL) return no_memory(err);
        if (t->len > 0) memcpy(more, t->text, t->len);
        t->text = more;
        t->cap = cap;
    }
    memcpy(t->text + t->len, bytes, size);
    t->len += size;
    return TN_OK;
}

tni_draft *tni_draft_new(tni_arena *arena, tn_err *err)
{
    tni_draft *t = TNI_NEW(arena, tni_draft);
    if (t == NULL) {
        (void)!no_memory(err);
        return NULL;
    }
    t->arena = arena;
    t->err = err;
    return t;
}

tni_out *tni_draft_begin(tni_draft *t)
{
    t->len = 0;
    tni_out_init(&t->out, collect, t, t->err);
    return &t->out;
}

tn_status tni_draft_end(tni_draft *t, tni_span *text)
{
    TN_TRY(tni_out_flush(&t->out));
    text->p = t->len > 0 ? t->text : "";
    text->len = t->len;
    return TN_OK;
}

tn_status tni_draft_keep(tni_draft *t, tn_dataset *d, tni_span *text)
{
    TN_TRY(tni_draft_end(t, text));
    text->p = tni_keep(d, text->p, text->len);
    return text->p != NULL ? TN_OK : no_memory(t->err);
}

/* --- writing ----------------------------------------------------------------- */

static bool is_key(const tni_span *m, const char *key)
{
    const size_t n = strlen(key);
    return m->len > n + 2 && memcmp(m->p + 1, key, n) == 0 &&
           m->p[n + 1] == '"';
}

void tni_put_members(tni_out *o, const tni_sparse *s, uint32_t row,
                     const char *const *taken)
{
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, row, k);
        bool ours = false;
        if (m == NULL) return;
        for (size_t i = 0; taken[i] != NULL && !ours; i++)
            ours = is_key(m, taken[i]);
        tni_out_str(o, ours ? ", \"x_" : ", \"");
        tni_out_bytes(o, m->p + 1, m->len - 1);
    }
}

bool tni_has_member(const tni_sparse *s, uint32_t row, const char *key)
{
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, row, k);
        if (m == NULL) return false;
        if (is_key(m, key)) return true;
    }
}

char *tni_change_end(tni_arena *arena, const char *name, const char *end)
{
    const size_t n = tni_stem_len(name);
    char *out = tni_arena_alloc(arena, n + strlen(end) + 1, 1);
    if (out == NULL) return NULL;
    memcpy(out, name, n);
    memcpy(out + n, end, strlen(end) + 1);
    return out;
}

void tni_put_points(tni_out *o, const tn_shape *s, size_t from, size_t to)
{
    tni_out_str(o, "[");
    for (size_t i = from; i < to; i++) {
        tni_out_str(o, i > from ? ", [" : "[");
        tni_out_f64(o, s->xy[2 * i]);
        tni_out_str(o, ", ");
        tni_out_f64(o, s->xy[2 * i + 1]);
        tni_out_str(o, "]");
    }
    tni_out_str(o, "]");
}

size_t tni_largest_ring(const tn_shape *s)
{
    size_t best = 0;
    double most = -1.0;
    for (size_t r = 0; r < s->n_rings; r++) {
        const size_t from = r > 0 ? s->ring_ends[r - 1] : 0;
        double sum = 0.0;
        if (s->ring_holes[r] != 0) continue;
        for (size_t i = from; i < s->ring_ends[r]; i++) {
            const size_t k = i + 1 < s->ring_ends[r] ? i + 1 : from;
            sum += s->xy[2 * i] * s->xy[2 * k + 1] -
                   s->xy[2 * k] * s->xy[2 * i + 1];
        }
        if (fabs(sum) <= most) continue;
        most = fabs(sum);
        best = r;
    }
    return best;
}
