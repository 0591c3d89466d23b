/* SPDX-License-Identifier: Apache-2.0 */
/* records.c - what formats of lines and of boxes share */
#include "data/records.h"

#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- lines --------------------------------------------------------------- */

void tni_lines_init(tni_lines *l, tni_span text)
{
    l->start = l->p = text.p;
    l->end = text.p + text.len;
    l->number = 0;
    if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) l->p += 3;
}

bool tni_lines_next(tni_lines *l, tni_span *line)
{
    if (l->p >= l->end) return false;
    const char *p = l->p;
    while (p < l->end && *p != '\n' && *p != '\r') p++;
    line->p = l->p;
    line->len = (size_t)(p - l->p);
    if (p < l->end) p += *p == '\r' && p + 1 < l->end && p[1] == '\n' ? 2 : 1;
    l->p = p;
    l->number++;
    return true;
}

size_t tni_fields(tni_span line, tni_span *out, size_t max)
{
    size_t n = 0;
    const char *p = line.p, *end = line.p + line.len;
    for (;;) {
        while (p < end && (*p == ' ' || *p == '\t')) p++;
        if (p == end) return n;
        const char *from = p;
        while (p < end && *p != ' ' && *p != '\t') p++;
        if (n < max) {
            out[n].p = from;
            out[n].len = (size_t)(p - from);
        }
        n++;
    }
}

tni_span tni_trim(tni_span t)
{
    while (t.len > 0 && (t.p[0] == ' ' || t.p[0] == '\t' || t.p[0] == '\r' ||
                         t.p[0] == '\n')) {
        t.p++;
        t.len--;
    }
    while (t.len > 0 && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t' ||
                         t.p[t.len - 1] == '\r' || t.p[t.len - 1] == '\n'))
        t.len--;
    return t;
}

size_t tni_fields_at(tni_span line, char comma, tni_span *out, size_t max)
{
    size_t n = 0;
    const char *p = line.p, *end = line.p + line.len;
    for (;;) {
        const char *from = p;
        while (p < end && *p != comma) p++;
        if (n < max) {
            const tni_span field = {from, (size_t)(p - from)};
            out[n] = tni_trim(field);
        }
        n++;
        if (p == end) return n;
        p++;
    }
}

bool tni_field_f64(tni_span field, double *out)
{
    size_t used = 0;
    return field.len > 0 && field.p[0] != ' ' &&
           tni_num_parse_f64(out, &used, field.p, field.len) &&
           used == field.len && isfinite(*out);
}

bool tni_field_i64(tni_span field, int64_t *out)
{
    size_t used = 0;
    return field.len > 0 && field.p[0] != ' ' &&
           tni_num_parse_i64(out, &used, field.p, field.len) &&
           used == field.len;
}

/* --- classes ------------------------------------------------------------- */

void tni_classes_init(tni_classes *c, tni_reader *r)
{
    c->r = r;
    tni_strmap_init(&c->map, &r->scratch);
}

tn_status tni_class_named(tni_classes *c, tni_span name, uint64_t where,
                          uint32_t *cls, tn_err *err)
{
    void **slot = tni_strmap_find(&c->map, name.p, name.len);
    if (slot != NULL) {
        *cls = (uint32_t)((uintptr_t)*slot - 1);
        return TN_OK;
    }
    tni_class_row row;
    bool fresh = false;
    memset(&row, 0, sizeof row);
    row.name = tni_intern(c->r->d, name.p, name.len);
    row.where = where;
    if (row.name == NULL) return no_memory(err);
    TN_TRY(tni_add_class(c->r->d, &row, cls, err));
    slot = tni_strmap_add(&c->map, row.name, name.len, &fresh);
    if (slot == NULL) return no_memory(err);
    *slot = (void *)((uintptr_t)*cls + 1);
    return TN_OK;
}

typedef struct ranked {
    tni_class_row row;
    uint32_t old;
    int (*order)(const tni_class_row *a, const tni_class_row *b);
} ranked;

static int by_order(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    const int order = x->order(&x->row, &y->row);
    return order != 0 ? order : x->old < y->old ? -1 : 1;
}

/* All but the first `from`. */
static tn_status arrange(tni_classes *c, uint32_t from,
                         int (*order)(const tni_class_row *a,
                                      const tni_class_row *b),
                         tn_err *err)
{
    tn_dataset *d = c->r->d;
    const uint32_t n = d->classes.n;
    ranked *rows = TNI_NEW_ARRAY(&c->r->scratch, ranked, n + 1u);
    uint32_t *to = TNI_NEW_ARRAY(&c->r->scratch, uint32_t, n + 1u);
    if (rows == NULL || to == NULL) return no_memory(err);
    for (uint32_t i = 0; i < n; i++) {
        rows[i].row = *tni_class_at(d, i);
        rows[i].old = i;
        rows[i].order = order;
    }
    if (n > from) qsort(rows + from, n - from, sizeof *rows, by_order);
    for (uint32_t i = 0; i < n; i++) to[rows[i].old] = i;
    return tni_reorder_classes(d, to) ? TN_OK : no_memory(err);
}

tn_status tni_classes_arrange(tni_classes *c,
                              int (*order)(const tni_class_row *a,
                                           const tni_class_row *b),
                              tn_err *err)
{
    return arrange(c, 0, order, err);
}

static int by_name(const tni_class_row *a, const tni_class_row *b)
{
    return strcmp(a->name, b->name);
}

tn_status tni_classes_sort(tni_classes *c, tn_err *err)
{
    return tni_classes_arrange(c, by_name, err);
}

tn_status tni_classes_sort_after(tni_classes *c, uint32_t n, tn_err *err)
{
    return arrange(c, n, by_name, err);
}

/* By id, those without one behind them. */
static int by_id(const tni_class_row *a, const tni_class_row *b)
{
    const bool x = a->id_kind == TN_ID_INT, y = b->id_kind == TN_ID_INT;
    if (x != y) return x ? -1 : 1;
    if (x && a->id != b->id) return a->id < b->id ? -1 : 1;
    return strcmp(a->name, b->name);
}

tn_status tni_classes_by_id(tni_classes *c, tn_err *err)
{
    return tni_classes_arrange(c, by_id, err);
}

struct tni_class_set {
    tni_strmap map;
    uint32_t n; /* classes that are in it */
};

/* What has to be the same, in the dataset's arena: a reader may rewind its own
 * between files. */
static char *same_key(tn_dataset *d, const tni_class_row *row, size_t *len)
{
    char number[32] = "";
    const char *more = number;
    if (row->id_kind == TN_ID_INT)
        (void)snprintf(number, sizeof number, "%lld", (long long)row->id);
    else if (row->id_kind == TN_ID_TEXT)
        more = (const char *)(intptr_t)row->id;
    else if (row->parent != NULL)
        more = row->parent;
    const size_t n = strlen(row->name), m = strlen(more);
    char *key = tni_arena_alloc(&d->arena, n + m + 3, 1);
    if (key == NULL) return NULL;
    const bool parent = row->id_kind == TN_ID_NONE && row->parent != NULL;
    key[0] = (char)('0' + row->id_kind + (parent ? 4 : 0));
    memcpy(key + 1, row->name, n + 1);
    memcpy(key + n + 2, more, m + 1);
    *len = n + m + 2;
    return key;
}

/* Puts classes into the set that were added since. */
static bool catch_up(tn_dataset *d, struct tni_class_set *s)
{
    for (; s->n < d->classes.n; s->n++) {
        size_t len = 0;
        bool fresh = false;
        const char *key = same_key(d, tni_class_at(d, s->n), &len);
        void **slot =
            key != NULL ? tni_strmap_add(&s->map, key, len, &fresh) : NULL;
        if (slot == NULL) return false;
        if (fresh) *slot = (void *)((uintptr_t)s->n + 1);
    }
    return true;
}

tn_status tni_same_class(tni_reader *r, const tni_class_row *row, uint32_t *cls,
                         tn_err *err)
{
    tn_dataset *d = r->d;
    size_t len = 0;
    *cls = TN_NONE;
    if (d->classes.n == 0) return TN_OK;
    if (r->same == NULL) {
        r->same = TNI_NEW(&d->arena, struct tni_class_set);
        if (r->same == NULL) return no_memory(err);
        tni_strmap_init(&r->same->map, &d->arena);
    }
    if (!catch_up(d, r->same)) return no_memory(err);
    const tni_arena_mark mark = tni_arena_save(&d->arena);
    const char *key = same_key(d, row, &len);
    void **slot = key != NULL ? tni_strmap_find(&r->same->map, key, len) : NULL;
    tni_arena_rewind(&d->arena, mark);
    if (slot != NULL) *cls = (uint32_t)((uintptr_t)*slot - 1);
    return key != NULL ? TN_OK : no_memory(err);
}

/* --- texts, each once ---------------------------------------------------- */

void tni_once_init(tni_once *o)
{
    tni_mem_init(&o->mem, NULL, 0);
    tni_arena_init(&o->arena, &o->mem, 1 << 12);
    tni_strmap_init(&o->map, &o->arena);
    o->failed = false;
}

void tni_once_fini(tni_once *o)
{
    tni_arena_fini(&o->arena);
}

void tni_once_clear(tni_once *o)
{
    tni_arena_reset(&o->arena);
    tni_strmap_init(&o->map, &o->arena);
}

bool tni_once_again(tni_once *o, const char *text, size_t len)
{
    bool fresh = false;
    if (tni_strmap_add(&o->map, text, len, &fresh) == NULL) o->failed = true;
    return !fresh;
}

void tni_once_end(tni_once *o, tni_out *out)
{
    tni_once_fini(o);
    if (o->failed && out->status == TN_OK) out->status = no_memory(out->err);
}

/* --- images -------------------------------------------------------------- */

void tni_image_set_init(tni_image_set *s, tni_reader *r)
{
    s->r = r;
    tni_strmap_init(&s->map, &r->scratch);
}

/* "split/name" */
static char *key_of(tni_reader *r, const char *name, uint32_t split,
                    size_t *len)
{
    const size_t size = strlen(name) + 16;
    char *key = tni_arena_alloc(&r->scratch, size, 1);
    if (key != NULL)
        *len = (size_t)snprintf(key, size, "%d/%s", (int)split, name);
    return key;
}

uint32_t tni_image_set_find(const tni_image_set *s, const char *name,
                            uint32_t split)
{
    size_t len = 0;
    const tni_arena_mark mark = tni_arena_save(&s->r->scratch);
    const char *key = key_of(s->r, name, split, &len);
    void **slot = key != NULL ? tni_strmap_find(&s->map, key, len) : NULL;
    tni_arena_rewind(&s->r->scratch, mark);
    return slot != NULL ? (uint32_t)((uintptr_t)*slot - 1) : TN_NONE;
}

tn_status tni_image_named(tni_image_set *s, const char *name, uint32_t split,
                          uint64_t where, const char *const *folders,
                          uint32_t *image, bool *fresh, tn_err *err)
{
    *image = tni_image_set_find(s, name, split);
    if (fresh != NULL) *fresh = *image == TN_NONE;
    if (*image != TN_NONE) return TN_OK;
    tni_image_row row;
    size_t len = 0;
    bool added = false;
    memset(&row, 0, sizeof row);
    row.name = tni_keep(s->r->d, name, strlen(name));
    row.where = where;
    if (split != TN_NONE) row.splits = UINT64_C(1) << split;
    if (row.name == NULL) return no_memory(err);
    TN_TRY(tni_add_image(s->r->d, &row, image, err));
    const char *key = key_of(s->r, name, split, &len);
    void **slot =
        key != NULL ? tni_strmap_add(&s->map, key, len, &added) : NULL;
    if (slot == NULL) return no_memory(err);
    *slot = (void *)((uintptr_t)*image + 1);
    return folders != NULL ? tni_find_image(s->r, *image, folders, err) : TN_OK;
}

static tn_status add_below(tni_image_set *s, const char *const folders[2],
                           const char *below, uint32_t split, int depth,
                           tn_err *err)
{
    tni_reader *r = s->r;
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    const char *path =
        below[0] != '\0' ? tni_join(r, folders[0], below) : folders[0];
    if (depth == 16) {
        tni_err_where(err, "%s", path != NULL ? path : "");
        return tni_fail(err, TN_ELIMIT, "folders are more than 16 deep");
    }
    TN_TRY(tni_list(r, path, &e, &n, err));
    for (size_t i = 0; i < n; i++) {
        uint32_t image = 0;
        if (e[i].name[0] == '.' || strcmp(e[i].name, "__MACOSX") == 0) continue;
        if (!e[i].is_dir && !tni_is_image_name(e[i].name)) continue;
        const char *name =
            below[0] != '\0' ? tni_join(r, below, e[i].name) : e[i].name;
        if (name == NULL) return no_memory(err);
        if (e[i].is_dir)
            TN_TRY(add_below(s, folders, name, split, depth + 1, err));
        else
            TN_TRY(
                tni_image_named(s, name, split, 0, folders, &image, NULL, err));
    }
    return TN_OK;
}

tn_status tni_images_below(tni_image_set *s, const char *folder, uint32_t split,
                           tn_err *err)
{
    const char *const folders[2] = {folder, NULL};
    return add_below(s, folders, "", split, 0, err);
}

tn_status tni_images_within(tni_image_set *s, const char *folder,
                            const char *below, uint32_t split, tn_err *err)
{
    const char *const folders[2] = {folder, NULL};
    return add_below(s, folders, below, split, 0, err);
}

/* --- splits -------------------------------------------------------------- */

static bool is_split_word(const char *word, size_t len)
{
    static const char *const words[] = {
        "train",   "training", "val",     "valid",    "validation", "test",
        "testing", "dev",      "minival", "trainval", "testdev",    "eval"};
    while (len > 0 && word[len - 1] >= '0' && word[len - 1] <= '9') len--;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        bool same = strlen(words[i]) == len;
        for (size_t k = 0; k < len && same; k++) {
            const char c = word[k];
            same = (c >= 'A' && c <= 'Z' ? (char)(c + 32) : c) == words[i][k];
        }
        if (same) return true;
    }
    return false;
}

static bool is_between(char c)
{
    return c == '_' || c == '-' || c == '.';
}

size_t tni_stem_split(const char *stem, size_t len, const char **split)
{
    size_t first = 0, last = len;
    while (first < len && !is_between(stem[first])) first++;
    while (last > 0 && !is_between(stem[last - 1])) last--;
    if (is_split_word(stem, first)) {
        *split = stem;
        return first;
    }
    *split = stem + last;
    return is_split_word(stem + last, len - last) ? len - last : 0;
}

/* --- writing ------------------------------------------------------------- */

bool tni_box_for(const tn_dataset *d, uint32_t ann, const tni_ann *a,
                 tn_shape *scratch, double box[4])
{
    if (a->image == TN_NONE || (a->flags & (TN_IS_TAG | TN_IS_NEGATIVE)) != 0)
        return false;
    if ((a->flags & TN_HAS_ANGLE) != 0) {
        if (tn_dataset_shape(d, ann, scratch, NULL) != TN_OK ||
            scratch->n_points == 0)
            return false;
        box[0] = box[2] = scratch->xy[0];
        box[1] = box[3] = scratch->xy[1];
        for (size_t k = 1; k < scratch->n_points; k++) {
            box[0] = fmin(box[0], scratch->xy[2 * k]);
            box[1] = fmin(box[1], scratch->xy[2 * k + 1]);
            box[2] = fmax(box[2], scratch->xy[2 * k]);
            box[3] = fmax(box[3], scratch->xy[2 * k + 1]);
        }
        return true;
    }
    if ((a->flags & TN_HAS_BOX) == 0 && (a->flags & TN_HAS_SHAPE) != 0) {
        const tni_shape *cell = tni_sparse_find(&d->shape, ann, 0);
        if (cell->kind == TN_SHAPE_POLYLINE || cell->kind == TN_SHAPE_POINTS)
            return false;
    }
    return tn_dataset_box(d, ann, box) != 0;
}

tn_status tni_check_splits(const tn_dataset *d, tn_err *err)
{
    for (uint32_t i = 0; i < d->n_splits; i++) {
        const char *s = d->splits[i];
        if (s[0] != '\0' && s[0] != '.' && strpbrk(s, "/\\") == NULL) continue;
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the split '%.60s' cannot be the name of a folder; "
                        "rename it",
                        s);
    }
    return TN_OK;
}

tn_status tni_path_of(char *out, size_t size, const char *split,
                      const char *folder, const char *name, tn_err *err)
{
    const bool s = split != NULL && split[0] != '\0';
    const bool f = folder != NULL && folder[0] != '\0';
    const int n = snprintf(out, size, "%s%s%s%s%s", s ? split : "",
                           s ? "/" : "", f ? folder : "", f ? "/" : "", name);
    if (n > 0 && (size_t)n < size) return TN_OK;
    return tni_fail(err, TN_EINVAL, "the name '%.100s' is too long", name);
}

bool tni_is_split_name(const char *name)
{
    static const char *const names[] = {"train",      "val",      "valid",
                                        "validation", "trainval", "test",
                                        "training",   "testing"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

bool tni_in_split(const tn_dataset *d, uint32_t image, uint32_t split)
{
    return tni_first_split(tni_image_at(d, image)) == split;
}

bool tni_json_member(tni_span object, const char *key, tni_span *value)
{
    tni_json j;
    tni_span k;
    tn_err ignored;
    if (object.len == 0) return false;
    tni_json_init(&j, object.p, object.len, 0, &ignored);
    if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &k)) {
        if (!tni_json_skip(&j, value)) return false;
        if (tni_json_text_is(k, key)) return true;
    }
    return false;
}

bool tni_quad_is_rectangle(const double xy[8], double out[5])
{
    const double wx = xy[2] - xy[0], wy = xy[3] - xy[1];
    const double hx = xy[6] - xy[0], hy = xy[7] - xy[1];
    const double w = hypot(wx, wy), h = hypot(hx, hy);
    const double far = 1e-9 * (w + h);
    if (!(w > 0.0 && h > 0.0)) return false;
    /* The fourth corner closes it, the sides are square, it is clockwise. */
    if (fabs(xy[2] + hx - xy[4]) > far || fabs(xy[3] + hy - xy[5]) > far ||
        fabs(wx * hx + wy * hy) > far * (w + h) || wx * hy - wy * hx <= 0.0)
        return false;
    out[0] = xy[0];
    out[1] = xy[1];
    out[2] = w;
    out[3] = h;
    out[4] = atan2(wy, wx) * (180.0 / 3.14159265358979323846);
    return true;
}
