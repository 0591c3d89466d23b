/* SPDX-License-Identifier: Apache-2.0 */
/* cvat_labels.c - <meta> of CVAT: labels, their attributes and skeletons */
#include "data/formats/cvat.h"

#include <stdio.h>

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- types of attributes ------------------------------------------------------ */

void **tni_cvat_slot(tni_strmap *map, tni_arena *arena, const char *cls,
                     const char *name)
{
    const size_t n = strlen(cls), m = strlen(name);
    bool fresh = false;
    char *key = tni_arena_alloc(arena, n + m + 2, 1);
    if (key == NULL) return NULL;
    memcpy(key, cls, n);
    key[n] = '\n'; /* in no name of either */
    memcpy(key + n + 1, name, m + 1);
    return tni_strmap_add(map, key, n + m + 1, &fresh);
}

int tni_cvat_lookup(const tni_strmap *types, tni_arena *arena, const char *cls,
                    const char *name)
{
    const size_t n = strlen(cls), m = strlen(name);
    const tni_arena_mark mark = tni_arena_save(arena);
    char *key = tni_arena_alloc(arena, n + m + 2, 1);
    if (key == NULL) return 0;
    memcpy(key, cls, n);
    key[n] = '\n';
    memcpy(key + n + 1, name, m + 1);
    void **slot = tni_strmap_find(types, key, n + m + 1);
    tni_arena_rewind(arena, mark);
    return slot != NULL ? (int)(uintptr_t)*slot : 0;
}

static int type_named(tni_span type)
{
    if (tni_span_is(type, "checkbox")) return TNI_CVAT_CHECKBOX;
    if (tni_span_is(type, "number")) return TNI_CVAT_NUMBER;
    return TNI_CVAT_TEXT;
}

static tn_status define(tni_strmap *types, tni_arena *arena, const char *cls,
                        const char *name, int type, tn_err *err)
{
    void **slot = tni_cvat_slot(types, arena, cls, name);
    if (slot == NULL) return no_memory(err);
    if (*slot == NULL) *slot = (void *)(uintptr_t)type;
    return TN_OK;
}

/* Before version 1.1: "@select=quality:good,bad", "~checkbox=cut:false". */
static tn_status define_old(tni_strmap *types, tni_arena *arena,
                            const char *cls, const char *text, tn_err *err)
{
    if (text[0] == '@' || text[0] == '~') text++;
    const size_t n = strcspn(text, "=");
    const tni_span type = {text, n};
    if (text[n] == '\0') return TN_OK;
    const char *name =
        tni_arena_strndup(arena, text + n + 1, strcspn(text + n + 1, ":"));
    if (name == NULL) return no_memory(err);
    return define(types, arena, cls, name, type_named(type), err);
}

tn_status tni_cvat_define(tni_strmap *types, tni_arena *arena, const char *cls,
                          tni_span attributes, tn_err *err)
{
    tni_json j;
    tni_span raw, name, type;
    tn_err ignored;
    tni_json_init(&j, attributes.p, attributes.len, 0, &ignored);
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return TN_OK;
    while (tni_json_item(&j)) {
        const char kind = tni_json_peek(&j);
        if (!tni_json_skip(&j, &raw)) break;
        const char *text = NULL;
        if (kind == '"') {
            text = tni_json_scalar(raw, arena);
            if (text == NULL) return no_memory(err);
            TN_TRY(define_old(types, arena, cls, text, err));
        }
        if (kind != '{' || !tni_json_member(raw, "name", &name) ||
            !tni_json_member(raw, "input_type", &type) || name.p[0] != '"' ||
            type.p[0] != '"')
            continue;
        text = tni_json_scalar(name, arena);
        if (text == NULL) return no_memory(err);
        const tni_span inner = {type.p + 1, type.len - 2};
        TN_TRY(define(types, arena, cls, text, type_named(inner), err));
    }
    return TN_OK;
}

int tni_cvat_type_of(const tni_cvat *c, uint32_t cls, const char *name)
{
    if (cls == TN_NONE) return 0;
    return tni_cvat_lookup(&c->types, &c->r->scratch,
                           tni_class_at(c->d, cls)->name, name);
}

/* --- points of skeletons -------------------------------------------------------- */

static tn_status add_point(tni_cvat *c, uint32_t cls, const char *name,
                           uint32_t *k)
{
    tni_class_row *row = tni_class_at(c->d, cls);
    const char *kept = tni_intern(c->d, name, strlen(name));
    const char **list =
        TNI_NEW_ARRAY(&c->d->arena, const char *, row->n_keypoints + 1u);
    void **slot = tni_cvat_slot(&c->points, &c->r->scratch, row->name, name);
    if (kept == NULL || list == NULL || slot == NULL) return no_memory(c->err);
    if (row->n_keypoints > 0)
        memcpy(list, row->keypoints, row->n_keypoints * sizeof *list);
    *k = row->n_keypoints;
    list[row->n_keypoints++] = kept;
    row->keypoints = list;
    *slot = (void *)(uintptr_t)row->n_keypoints;
    return TN_OK;
}

tn_status tni_cvat_point(tni_cvat *c, const tni_xtree *t, const tni_xnode *n,
                         uint32_t cls, bool may_add, uint32_t *k)
{
    const char *name = tni_xml_attr(n->attrs, "label");
    if (name == NULL)
        return tni_xnode_fail(t, n, "<%.40s> has no attribute 'label'",
                              n->name);
    const char *own = tni_class_at(c->d, cls)->name;
    const int at = tni_cvat_lookup(&c->points, &c->r->scratch, own, name);
    *k = (uint32_t)at - 1u;
    if (at > 0) return TN_OK;
    if (may_add && tni_class_at(c->d, cls)->n_keypoints < 1024)
        return add_point(c, cls, name, k);
    return tni_xnode_fail(t, n,
                          "'%.60s' is none of the points of the skeleton "
                          "'%.60s'",
                          name, own);
}

/* --- labels ------------------------------------------------------------------------ */

tn_status tni_cvat_class(tni_cvat *c, const tni_xtree *t, const tni_xnode *n,
                         uint32_t *cls)
{
    const char *label = tni_xml_attr(n->attrs, "label");
    *cls = TN_NONE;
    if (label == NULL)
        return tni_xnode_fail(t, n, "<%.40s> has no attribute 'label'",
                              n->name);
    if (label[0] == '\0') return TN_OK;
    return tni_class_named(&c->classes, tni_span_of(label),
                           tni_xnode_where(t, n), cls, c->err);
}

/* Only a name and a type: made by a writer that knows the values alone. */
static bool is_bare(const tni_xnode *attribute)
{
    size_t n = 0;
    for (const tni_xnode *c = attribute->first; c != NULL; c = c->next, n++)
        if (!tni_xnode_is(c, "name") && !tni_xnode_is(c, "input_type"))
            return false;
    return n > 0;
}

/* Puts `"key": ` and the element, the attributes of a label always as a list. */
static void put_member(tni_out *o, const tni_xnode *n)
{
    tni_out_json(o, n->name, strlen(n->name));
    tni_out_str(o, ": ");
    if (!tni_xnode_is(n, "attributes")) {
        tni_xnode_put_json(o, n);
        return;
    }
    tni_out_str(o, "[");
    bool any = false;
    for (const tni_xnode *a = n->first; a != NULL; a = a->next) {
        if (is_bare(a)) continue;
        if (any) tni_out_str(o, ", ");
        any = true;
        tni_xnode_put_json(o, a);
    }
    tni_out_str(o, "]");
}

static bool has_full(const tni_xnode *list)
{
    for (const tni_xnode *a = list->first; a != NULL; a = a->next)
        if (!is_bare(a)) return true;
    return false;
}

/* What bare attributes are, for the values that follow. */
static tn_status define_bare(tni_cvat *c, const char *cls,
                             const tni_xnode *list)
{
    for (const tni_xnode *a = list->first; a != NULL; a = a->next) {
        const tni_span name = tni_xnode_text(a, "name");
        const tni_span type = tni_xnode_text(a, "input_type");
        if (!is_bare(a) || name.p == NULL || type.p == NULL) continue;
        TN_TRY(define(&c->types, &c->r->scratch, cls, name.p, type_named(type),
                      c->err));
    }
    return TN_OK;
}

/* Whether a list of attributes is one that can be written again. */
static bool is_plain_list(const tni_xnode *n)
{
    if (n->attrs[0] != NULL || tni_trim(n->text).len > 0) return false;
    for (const tni_xnode *a = n->first; a != NULL; a = a->next)
        if (!tni_xnode_is(a, "attribute")) return false;
    return true;
}

static tn_status keep_label(tni_cvat *c, uint32_t cls, const tni_xnode *label,
                            const char *name, bool skeleton)
{
    for (const tni_xnode *n = label->first; n != NULL; n = n->next) {
        tni_span text;
        if (tni_xnode_is(n, "name")) continue;
        const bool list = tni_xnode_is(n, "attributes");
        if (n->first == NULL && n->attrs[0] == NULL &&
            tni_trim(n->text).len == 0)
            continue;
        if (list && !is_plain_list(n)) continue;
        if (list) TN_TRY(define_bare(c, name, n));
        if (list && !has_full(n)) continue;
        /* Its points say so too. */
        if (skeleton && tni_xnode_is(n, "type") &&
            tni_span_is(n->text, "skeleton"))
            continue;
        put_member(tni_draft_begin(c->draft), n);
        TN_TRY(tni_draft_keep(c->draft, c->d, &text));
        TN_TRY(tni_set_class_text(c->d, cls, TN_TEXT_EXTRA, text, c->err));
        if (!list) continue;
        const tni_span value = {text.p + 14, text.len - 14};
        TN_TRY(tni_cvat_define(&c->types, &c->r->scratch, name, value, c->err));
    }
    return TN_OK;
}

/* Labels that have a parent: those of one parent are linked in their order. */
typedef struct child {
    const tni_xnode *label;
    struct child *next;
} child;

static tn_status find_children(tni_cvat *c, const tni_xnode *labels,
                               tni_strmap *by_parent)
{
    tni_strmap ends; /* where the next of the same parent goes */
    tni_strmap_init(by_parent, &c->r->scratch);
    tni_strmap_init(&ends, &c->r->scratch);
    for (const tni_xnode *l = labels->first; l != NULL; l = l->next) {
        const tni_span of = tni_xnode_text(l, "parent");
        bool fresh = false;
        if (of.p == NULL) continue;
        child *one = TNI_NEW(&c->r->scratch, child);
        void **last = tni_strmap_add(&ends, of.p, of.len, &fresh);
        void **first = tni_strmap_add(by_parent, of.p, of.len, &fresh);
        if (one == NULL || last == NULL || first == NULL)
            return no_memory(c->err);
        one->label = l;
        child **end = *last;
        if (end == NULL)
            *first = one;
        else
            *end = one;
        *last = &one->next;
    }
    return TN_OK;
}

static const child *children_of(const tni_strmap *by_parent, const char *name)
{
    void **slot = tni_strmap_find(by_parent, name, strlen(name));
    return slot != NULL ? *slot : NULL;
}

/* What a point of a skeleton has beyond its name, kept with the skeleton. */
static tn_status keep_points(tni_cvat *c, const child *points, uint32_t cls)
{
    bool any = false, more = false;
    tni_span text;
    tni_out *o = tni_draft_begin(c->draft);
    tni_out_str(o, "\"sublabels\": [");
    for (const child *p = points; p != NULL; p = p->next) {
        bool first = true;
        tni_out_str(o, any ? ", {" : "{");
        any = true;
        for (const tni_xnode *n = p->label->first; n != NULL; n = n->next) {
            if (tni_xnode_is(n, "parent")) continue;
            if (!tni_xnode_is(n, "name") && n->first == NULL &&
                tni_trim(n->text).len == 0)
                continue;
            const bool usual =
                tni_xnode_is(n, "name") ||
                (tni_xnode_is(n, "type") && tni_span_is(n->text, "points"));
            more = more || !usual;
            if (!first) tni_out_str(o, ", ");
            first = false;
            put_member(o, n);
        }
        tni_out_str(o, "}");
    }
    tni_out_str(o, "]");
    if (!more) return TN_OK;
    TN_TRY(tni_draft_keep(c->draft, c->d, &text));
    return tni_set_class_text(c->d, cls, TN_TEXT_EXTRA, text, c->err);
}

static const char *name_of(tni_cvat *c, const tni_xtree *t,
                           const tni_xnode *label)
{
    const tni_span name = tni_xnode_text(label, "name");
    if (name.p == NULL) {
        (void)!tni_xnode_fail(t, label, "a <label> has no <name>");
        return NULL;
    }
    (void)c;
    return name.p; /* terminated */
}

static tn_status read_label(tni_cvat *c, const tni_xtree *t,
                            const tni_strmap *by_parent, const tni_xnode *label)
{
    uint32_t cls = 0, k = 0;
    const char *name = name_of(c, t, label);
    const uint32_t before = c->d->classes.n;
    if (name == NULL) return TN_EFORMAT;
    TN_TRY(tni_class_named(&c->classes, tni_span_of(name),
                           tni_xnode_where(t, label), &cls, c->err));
    if (cls < before) return TN_OK;
    const child *points = children_of(by_parent, name);
    TN_TRY(keep_label(c, cls, label, name, points != NULL));
    for (const child *p = points; p != NULL; p = p->next) {
        const char *point = name_of(c, t, p->label);
        if (point == NULL) return TN_EFORMAT;
        if (tni_cvat_lookup(&c->points, &c->r->scratch, name, point) > 0)
            continue;
        if (tni_class_at(c->d, cls)->n_keypoints == 1024)
            return tni_xnode_fail(t, p->label, "more than 1024 points");
        TN_TRY(add_point(c, cls, point, &k));
    }
    return points != NULL ? keep_points(c, points, cls) : TN_OK;
}

static tn_status read_labels(tni_cvat *c, const tni_xtree *t,
                             const tni_xnode *labels)
{
    tni_strmap by_parent;
    TN_TRY(find_children(c, labels, &by_parent));
    for (const tni_xnode *l = labels->first; l != NULL; l = l->next) {
        const tni_span of = tni_xnode_text(l, "parent");
        if (of.p != NULL && of.len > 0) continue;
        TN_TRY(read_label(c, t, &by_parent, l));
    }
    return TN_OK;
}

/* --- the rest -------------------------------------------------------------------------- */

/* An element with all but labels in it; the label lists are elsewhere. */
static void put_rest(tni_out *o, const tni_xnode *n)
{
    tni_out_str(o, "{");
    tni_xnode_put_children(o, n, "labels", false);
    tni_out_str(o, "}");
}

static bool holds_labels(const tni_xnode *n)
{
    return tni_xnode_is(n, "task") || tni_xnode_is(n, "project") ||
           tni_xnode_is(n, "job");
}

static bool only_has(const tni_xnode *n, const char *const *names)
{
    for (const tni_xnode *c = n->first; c != NULL; c = c->next) {
        bool found = false;
        for (size_t i = 0; names[i] != NULL; i++)
            found = found || tni_xnode_is(c, names[i]);
        if (!found) return false;
    }
    return n->first != NULL;
}

/* Whether a task or project says only what any dataset says of itself. */
static bool is_usual(const tni_xnode *n)
{
    static const char *const of_task[] = {"labels", "size", "mode",
                                          "original_size", NULL};
    static const char *const of_project[] = {"labels", "tasks", NULL};
    static const char *const subset[] = {"subset", NULL};
    if (tni_xnode_is(n, "task")) return only_has(n, of_task);
    if (!tni_xnode_is(n, "project") || !only_has(n, of_project)) return false;
    const tni_xnode *tasks = tni_xnode_child(n, "tasks");
    for (const tni_xnode *t = tasks != NULL ? tasks->first : NULL; t != NULL;
         t = t->next)
        if (!only_has(t, subset)) return false;
    return true;
}

static tn_status keep_meta(tni_cvat *c, const tni_xtree *t,
                           const tni_xnode *meta)
{
    bool any = false;
    tni_meta row;
    tni_out *o = tni_draft_begin(c->draft);
    tni_out_str(o, "{");
    for (const tni_xnode *n = meta->first; n != NULL; n = n->next) {
        bool seen = false;
        for (const tni_xnode *b = meta->first; b != n && !seen; b = b->next)
            seen = tni_xnode_is(b, n->name);
        if (seen || is_usual(n)) continue;
        if (any) tni_out_str(o, ", ");
        any = true;
        tni_out_json(o, n->name, strlen(n->name));
        tni_out_str(o, ": ");
        if (holds_labels(n) && n->first != NULL)
            put_rest(o, n);
        else
            tni_xnode_put_json(o, n);
    }
    tni_out_str(o, "}");
    if (!any) return TN_OK;
    memset(&row, 0, sizeof row);
    row.key = "meta";
    row.split = c->split;
    row.where = tni_xnode_where(t, meta);
    TN_TRY(tni_draft_keep(c->draft, c->d, &row.value));
    return tni_add_meta(c->d, &row, c->err);
}

static tn_status side_of(const tni_xtree *t, const tni_xnode *size,
                         const char *name, int32_t *out)
{
    int64_t v = 0;
    const tni_span text = tni_xnode_text(size, name);
    if (text.p == NULL) return TN_OK;
    if (!tni_field_i64(tni_trim(text), &v) || v < 0 || v > INT32_MAX)
        return tni_xnode_fail(t, size,
                              "<%s> is '%.*s', expected a whole number "
                              "of pixels",
                              name, text.len > 40 ? 40 : (int)text.len, text.p);
    *out = (int32_t)v;
    return TN_OK;
}

/* A task is known by its id, and counted for its subset. */
static tn_status read_task(tni_cvat *c, const tni_xtree *t,
                           const tni_xnode *task)
{
    bool fresh = false;
    tni_span id = tni_trim(tni_xnode_text(task, "id"));
    const tni_span subset = tni_trim(tni_xnode_text(task, "subset"));
    const bool none = subset.len == 0 || tni_span_is(subset, "default");
    tni_cvat_task *own = TNI_NEW(&c->r->scratch, tni_cvat_task);
    char *name = tni_arena_strndup(&c->r->scratch, none ? "" : subset.p,
                                   none ? 0 : subset.len);
    char *key =
        tni_arena_strndup(&c->r->scratch, id.len > 0 ? id.p : "", id.len);
    if (own == NULL || name == NULL || key == NULL) return no_memory(c->err);
    const tni_xnode *size = tni_xnode_child(task, "original_size");
    if (size != NULL) {
        TN_TRY(side_of(t, size, "width", &own->width));
        TN_TRY(side_of(t, size, "height", &own->height));
    }
    void **slot = tni_strmap_add(&c->tasks, key, strlen(key), &fresh);
    if (slot == NULL) return no_memory(c->err);
    *slot = own;
    slot = tni_strmap_add(&c->subsets, name, strlen(name), &fresh);
    if (slot == NULL) return no_memory(c->err);
    *slot = (void *)((uintptr_t)*slot + 1);
    return TN_OK;
}

tn_status tni_cvat_meta(tni_cvat *c, const tni_xtree *t, const tni_xnode *meta)
{
    for (const tni_xnode *n = meta->first; n != NULL; n = n->next) {
        if (!holds_labels(n)) continue;
        const tni_xnode *labels = tni_xnode_child(n, "labels");
        const tni_xnode *size = tni_xnode_child(n, "original_size");
        const tni_xnode *tasks = tni_xnode_child(n, "tasks");
        if (labels != NULL) TN_TRY(read_labels(c, t, labels));
        if (size != NULL) {
            TN_TRY(side_of(t, size, "width", &c->width));
            TN_TRY(side_of(t, size, "height", &c->height));
        }
        if (tni_xnode_is(n, "task")) TN_TRY(read_task(c, t, n));
        for (const tni_xnode *k = tasks != NULL ? tasks->first : NULL;
             k != NULL; k = k->next)
            TN_TRY(read_task(c, t, k));
    }
    return keep_meta(c, t, meta);
}
