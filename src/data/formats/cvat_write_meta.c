/* SPDX-License-Identifier: Apache-2.0 */
/* cvat_write_meta.c - <meta> of CVAT with the labels in it */
#include "data/formats/cvat.h"

#include <stdio.h>

static const char *const type_names[] = {"", "text", "number", "checkbox"};

const char *tni_cvat_keep(tni_cvat_out *m, const char *text, size_t len)
{
    const char *copy = tni_arena_strndup(&m->w->arena, text, len);
    if (copy == NULL && m->x.status == TN_OK)
        m->x.status = tni_fail(m->err, TN_ENOMEM, "out of memory");
    return copy;
}

/* --- labels -------------------------------------------------------------------- */

static void put_list(tni_cvat_out *m, const char *name, tni_span list)
{
    tni_json j;
    tni_span raw;
    tn_err ignored;
    tni_json_init(&j, list.p, list.len, 0, &ignored);
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return;
    while (tni_json_item(&j) && tni_json_skip(&j, &raw))
        tni_xml_out_json(&m->x, name, raw, &m->w->arena);
}

/* The annotations of each class, in their order. */
static bool link_classes(tni_cvat_out *m)
{
    const uint32_t n = m->d->anns.n, n_classes = m->d->classes.n;
    m->first_of = TNI_NEW_ARRAY(&m->w->arena, uint32_t, n_classes + 1u);
    m->next_of = TNI_NEW_ARRAY(&m->w->arena, uint32_t, n + 1u);
    if (m->first_of == NULL || m->next_of == NULL) return false;
    for (uint32_t i = 0; i < n_classes; i++) m->first_of[i] = TN_NONE;
    for (uint32_t i = n; i-- > 0;) {
        const uint32_t cls = tni_ann_at(m->d, i)->class_index;
        if (cls == TN_NONE) continue;
        m->next_of[i] = m->first_of[cls];
        m->first_of[cls] = i;
    }
    return true;
}

/* An attribute that values have and nobody defined. */
static void put_definition(tni_cvat_out *m, const char *name, int type)
{
    tni_xml_out_open(&m->x, "attribute");
    tni_xml_out_leaf(&m->x, "name", name);
    tni_xml_out_leaf(&m->x, "input_type", type_names[type]);
    tni_xml_out_close(&m->x);
}

static void put_inferred(tni_cvat_out *m, uint32_t cls, tni_span list)
{
    const char *own = tni_class_at(m->d, cls)->name;
    tni_strmap done, defined; /* by the label itself */
    tni_strmap_init(&done, &m->w->arena);
    tni_strmap_init(&defined, &m->w->arena);
    if (list.p != NULL &&
        tni_cvat_define(&defined, &m->w->arena, own, list, m->err) != TN_OK)
        m->x.status = TN_ENOMEM;
    for (uint32_t i = m->first_of[cls]; i != TN_NONE; i = m->next_of[i]) {
        tni_json j;
        tni_span key;
        tn_err ignored;
        const tni_span *t =
            tni_sparse_find(&m->d->text[TN_TEXT_ATTRIBUTES], i, 0);
        if (t == NULL) continue;
        tni_json_init(&j, t->p, t->len, 0, &ignored);
        if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) continue;
        while (tni_json_key(&j, &key) && tni_json_skip(&j, NULL)) {
            const tni_arena_mark mark = tni_arena_save(&m->w->arena);
            const char *name = tni_json_unescape(&m->w->arena, key, NULL);
            if (name != NULL &&
                tni_cvat_lookup(&done, &m->w->arena, "", name) != 0) {
                tni_arena_rewind(&m->w->arena, mark);
                continue;
            }
            void **slot = name != NULL
                              ? tni_cvat_slot(&done, &m->w->arena, "", name)
                              : NULL;
            if (slot == NULL) {
                m->x.status = tni_fail(m->err, TN_ENOMEM, "out of memory");
                return;
            }
            *slot = (void *)(uintptr_t)1;
            const int type =
                tni_cvat_lookup(&m->types, &m->w->arena, own, name);
            if (type != 0 &&
                tni_cvat_lookup(&defined, &m->w->arena, own, name) == 0)
                put_definition(m, name, type);
        }
    }
}

static tni_span class_member(const tn_dataset *d, uint32_t cls, const char *key)
{
    tni_span k, value = {NULL, 0};
    for (uint32_t i = 0;; i++) {
        const tni_span *t =
            tni_sparse_find(&d->class_text[TN_TEXT_EXTRA], cls, i);
        if (t == NULL) break;
        if (tni_cvat_member(t, &k, &value) && tni_span_is(k, key)) return value;
    }
    value.p = NULL;
    value.len = 0;
    return value;
}

/* Members of an object but those named. */
static void put_members(tni_cvat_out *m, tni_span object,
                        const char *const *but)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    tni_json_init(&j, object.p, object.len, 0, &ignored);
    if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        if (tni_cvat_among(key, but) || !tni_json_is_xml(key, raw)) continue;
        const char *name = tni_cvat_keep(m, key.p, key.len);
        if (name == NULL) return;
        tni_xml_out_json(&m->x, name, raw, &m->w->arena);
    }
}

static const char *const no_copies[] = {"name", "parent", "attributes",
                                        "sublabels", NULL};

/* What was kept of a point of a skeleton; p NULL: nothing. */
static tni_span sublabel_of(const tn_dataset *d, uint32_t cls,
                            const char *point)
{
    const tni_span list = class_member(d, cls, "sublabels");
    tni_span raw, name, none = {NULL, 0};
    tni_json j;
    tn_err ignored;
    if (list.p == NULL) return none;
    tni_json_init(&j, list.p, list.len, 0, &ignored);
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return none;
    while (tni_json_item(&j) && tni_json_skip(&j, &raw)) {
        if (!tni_json_member(raw, "name", &name) || name.p[0] != '"') continue;
        const tni_span inner = {name.p + 1, name.len - 2};
        if (tni_json_text_is(inner, point)) return raw;
    }
    return none;
}

/* A point of a skeleton: what was kept of it, else its name. */
static void put_point(tni_cvat_out *m, uint32_t cls, uint32_t k)
{
    const tni_class_row *row = tni_class_at(m->d, cls);
    char number[32];
    const char *name = tni_cvat_point_name(row, k, number);
    const tni_span found = sublabel_of(m->d, cls, name);
    tni_span raw;
    tni_xml_out_open(&m->x, "label");
    tni_xml_out_leaf(&m->x, "name", name);
    tni_span attributes = {NULL, 0};
    if (found.p != NULL) put_members(m, found, no_copies);
    if (found.p == NULL || !tni_json_member(found, "type", &raw))
        tni_xml_out_leaf(&m->x, "type", "points");
    tni_xml_out_open(&m->x, "attributes");
    if (found.p != NULL && tni_json_member(found, "attributes", &attributes))
        put_list(m, "attribute", attributes);
    tni_xml_out_close(&m->x);
    tni_xml_out_leaf(&m->x, "parent", row->name);
    tni_xml_out_close(&m->x);
}

static void put_label(tni_cvat_out *m, uint32_t cls)
{
    const tni_class_row *row = tni_class_at(m->d, cls);
    const tni_span list = class_member(m->d, cls, "attributes");
    tni_xml_out_open(&m->x, "label");
    tni_xml_out_leaf(&m->x, "name", row->name);
    for (uint32_t k = 0;; k++) {
        const tni_span *t =
            tni_sparse_find(&m->d->class_text[TN_TEXT_EXTRA], cls, k);
        tni_span key, value;
        if (t == NULL) break;
        if (!tni_cvat_member(t, &key, &value) ||
            tni_cvat_among(key, no_copies) || !tni_json_is_xml(key, value))
            continue;
        const char *name = tni_cvat_keep(m, key.p, key.len);
        if (name == NULL) return;
        tni_xml_out_json(&m->x, name, value, &m->w->arena);
    }
    if (row->n_keypoints > 0 && class_member(m->d, cls, "type").p == NULL)
        tni_xml_out_leaf(&m->x, "type", "skeleton");
    tni_xml_out_open(&m->x, "attributes");
    if (list.p != NULL) put_list(m, "attribute", list);
    put_inferred(m, cls, list);
    tni_xml_out_close(&m->x);
    tni_xml_out_close(&m->x);
    for (uint32_t k = 0; k < row->n_keypoints; k++) put_point(m, cls, k);
}

static void put_labels(tni_cvat_out *m)
{
    tni_xml_out_open(&m->x, "labels");
    if (!link_classes(m)) {
        m->x.status = tni_fail(m->err, TN_ENOMEM, "out of memory");
        return;
    }
    for (uint32_t i = 0; i < m->d->classes.n && m->x.status == TN_OK; i++) {
        const tni_arena_mark mark = tni_arena_save(&m->w->arena);
        put_label(m, i);
        tni_arena_rewind(&m->w->arena, mark);
    }
    tni_xml_out_close(&m->x);
}

/* --- the rest -------------------------------------------------------------------- */

static void put_frame_size(tni_cvat_out *m)
{
    double w = 0.0, h = 0.0;
    if (!m->video || m->d->images.n == 0 || !tni_image_extent(m->d, 0, &w, &h))
        return;
    tni_xml_out_open(&m->x, "original_size");
    tni_xml_out_f64(&m->x, "width", w);
    tni_xml_out_f64(&m->x, "height", h);
    tni_xml_out_close(&m->x);
}

/* Subsets are those of a project's tasks: importers ask for them. `member` is
 * the task of the source, p NULL: none. */
static void put_tasks(tni_cvat_out *m, tni_span member)
{
    static const char *const no_labels[] = {"labels", "subset", NULL};
    tni_xml_out_open(&m->x, "tasks");
    for (uint32_t i = 0; i < m->d->n_splits; i++) {
        tni_xml_out_open(&m->x, "task");
        if (member.p != NULL && i == 0) put_members(m, member, no_labels);
        tni_xml_out_leaf(&m->x, "subset", m->d->splits[i]);
        tni_xml_out_close(&m->x);
    }
    tni_xml_out_close(&m->x);
}

static void put_own(tni_cvat_out *m)
{
    char size[24];
    static const tni_span none = {NULL, 0};
    (void)snprintf(size, sizeof size, "%u", (unsigned)m->d->images.n);
    tni_xml_out_open(&m->x, m->d->n_splits > 0 ? "project" : "task");
    if (m->d->n_splits > 0) {
        put_tasks(m, none);
    } else {
        tni_xml_out_leaf(&m->x, "size", size);
        tni_xml_out_leaf(&m->x, "mode",
                         m->video ? "interpolation" : "annotation");
    }
    put_labels(m);
    put_frame_size(m);
    tni_xml_out_close(&m->x);
}

/* What holds the labels: a task, a project, a job. */
static void put_holder(tni_cvat_out *m, const char *name, tni_span value)
{
    static const char *const with_size[] = {"labels", "original_size", NULL};
    static const char *const labels_only[] = {"labels", NULL};
    const bool project = strcmp(name, "project") == 0;
    if (m->d->n_splits > 0 && !project) {
        tni_xml_out_open(&m->x, "project");
        put_tasks(m, value);
    } else {
        tni_xml_out_open(&m->x, name);
        put_members(m, value, m->video ? with_size : labels_only);
    }
    put_labels(m);
    put_frame_size(m);
    tni_xml_out_close(&m->x);
}

static const tni_meta *find_meta(const tn_dataset *d)
{
    for (uint32_t i = 0; i < d->metas.n; i++) {
        const tni_meta *meta = TNI_ROW(&d->metas, tni_meta, i);
        if (strcmp(meta->key, "meta") == 0 && meta->value.p[0] == '{')
            return meta;
    }
    return NULL;
}

tn_status tni_cvat_put_meta(tni_cvat_out *m)
{
    static const char *const holders[] = {"task", "project", "job", NULL};
    tni_span key, raw;
    tni_json j;
    tn_err ignored;
    bool held = false;
    const tni_meta *meta = find_meta(m->d);
    tni_xml_out_open(&m->x, "meta");
    if (meta != NULL) {
        tni_json_init(&j, meta->value.p, meta->value.len, 0, &ignored);
        if (!tni_json_enter(&j, '{')) return m->x.status;
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            const bool empty = tni_span_is(raw, "{}");
            if (!empty && !tni_json_is_xml(key, raw)) continue;
            const char *name = tni_cvat_keep(m, key.p, key.len);
            if (name == NULL) return m->x.status;
            if (!held && raw.p[0] == '{' && tni_cvat_among(key, holders)) {
                held = true;
                put_holder(m, name, raw);
            } else if (!empty) {
                tni_xml_out_json(&m->x, name, raw, &m->w->arena);
            }
        }
    }
    if (!held) put_own(m);
    tni_xml_out_close(&m->x);
    return m->x.status;
}
