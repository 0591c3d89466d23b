/* SPDX-License-Identifier: Apache-2.0 */
/* residue_write.c - the sidecar that keeps what a format could not */
#include "data/residue.h"

#include <stdio.h>

typedef struct residue {
    const tni_writer *w;
    const tn_dataset *d, *back;
    tni_file_out *file;
    tni_out out;
    bool first; /* no comma is due */
} residue;

char *tni_residue_path(tni_arena *arena, const char *target, bool one_file)
{
    const char *tail = one_file ? ".residue.ndjson" : "/residue.ndjson";
    const size_t n = strlen(target), m = strlen(tail);
    char *out = tni_arena_alloc(arena, n + m + 1, 1);
    if (out == NULL) return NULL;
    memcpy(out, target, n);
    memcpy(out + n, tail, m + 1);
    return out;
}

static uint64_t add_bytes(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

static uint64_t add_double(uint64_t h, double v)
{
    uint64_t bits = 0;
    unsigned char b[8];
    if (v == 0.0) v = 0.0; /* one zero */
    memcpy(&bits, &v, 8);
    for (int i = 0; i < 8; i++) b[i] = (unsigned char)(bits >> (8 * i));
    return add_bytes(h, b, 8);
}

uint64_t tni_ann_hash(const tn_dataset *d, uint32_t i)
{
    uint64_t h = UINT64_C(14695981039346656037);
    tni_ann a;
    tni_ann_get(d, i, &a);
    if (a.class_index != TN_NONE) {
        const char *name = tni_class_at(d, a.class_index)->name;
        h = add_bytes(h, name, strlen(name) + 1);
    }
    if ((a.flags & TN_HAS_BOX) != 0)
        for (int k = 0; k < 4; k++) h = add_double(h, a.box[k]);
    const tni_sparse *tables[2] = {&d->shape, &d->keypoints};
    const uint32_t has[2] = {TN_HAS_SHAPE, TN_HAS_KEYPOINTS};
    for (int k = 0; k < 2; k++) {
        if ((a.flags & has[k]) == 0) continue;
        const tni_shape *s = tni_sparse_find(tables[k], i, 0);
        if (s != NULL) h = add_bytes(h, s->text, s->len);
    }
    return h;
}

/* --- small pieces -------------------------------------------------------- */

static void str(residue *r, const char *s)
{
    tni_out_str(&r->out, s);
}

static void key(residue *r, const char *name)
{
    if (!r->first) str(r, ", ");
    r->first = false;
    str(r, "\"");
    str(r, name);
    str(r, "\": ");
}

static void put_string(residue *r, const char *name, const char *value)
{
    key(r, name);
    tni_out_json(&r->out, value, strlen(value));
}

static void put_int(residue *r, const char *name, int64_t value)
{
    key(r, name);
    tni_out_i64(&r->out, value);
}

static void put_id(residue *r, uint8_t kind, int64_t id)
{
    if (kind == TN_ID_INT) put_int(r, "id", id);
    if (kind == TN_ID_TEXT) put_string(r, "id", (const char *)(intptr_t)id);
}

static void open_object(residue *r)
{
    str(r, "{");
    r->first = true;
}

static void close_object(residue *r)
{
    str(r, "}");
    r->first = false;
}

/* "key": value members of a row, as an object. */
static void put_members(residue *r, const tni_sparse *s, uint32_t row)
{
    const tni_span *m = tni_sparse_find(s, row, 0);
    if (m == NULL) return;
    key(r, "extra");
    str(r, "{");
    for (uint32_t k = 0; m != NULL; m = tni_sparse_find(s, row, ++k)) {
        if (k > 0) str(r, ", ");
        /* One object, one line. */
        for (size_t i = 0; i < m->len; i++)
            if (m->p[i] != '\n' && m->p[i] != '\r')
                tni_out_char(&r->out, m->p[i]);
    }
    str(r, "}");
}

static void put_raw(residue *r, const char *name, tni_span raw)
{
    key(r, name);
    for (size_t i = 0; i < raw.len; i++)
        if (raw.p[i] != '\n' && raw.p[i] != '\r')
            tni_out_char(&r->out, raw.p[i]);
}

static void put_text(residue *r, const char *name, const tni_sparse *s,
                     uint32_t row)
{
    const tni_span *t = tni_sparse_find(s, row, 0);
    if (t != NULL) put_raw(r, name, *t);
}

static void put_shape(residue *r, const char *name, const tni_sparse *table,
                      uint32_t row)
{
    const tni_shape *s = tni_sparse_find(table, row, 0);
    if (s == NULL) return;
    key(r, name);
    str(r, "[");
    tni_out_i64(&r->out, s->kind);
    str(r, ", ");
    tni_out_i64(&r->out, s->layout);
    str(r, ", ");
    tni_out_i64(&r->out, s->scale);
    str(r, ", ");
    tni_out_i64(&r->out, s->dims);
    str(r, ", ");
    tni_out_json(&r->out, s->text, s->len);
    str(r, "]");
}

/* --- rows ---------------------------------------------------------------- */

static const char *const num_names[TN_NUM_COUNT] = {"score", "area",  "angle",
                                                    "track", "group", "z"};

static void put_annotation(residue *r, uint32_t i, int64_t nth, uint64_t hash)
{
    const tn_dataset *d = r->d;
    char text[24];
    tni_ann a;
    tni_ann_get(d, i, &a);
    open_object(r);
    if (nth >= 0) {
        put_int(r, "n", nth);
        (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
        put_string(r, "hash", text);
    }
    put_id(r, tni_ann_id_kind(a.flags), a.id);
    if (a.class_index != TN_NONE)
        put_string(r, "class", tni_class_at(d, a.class_index)->name);
    put_int(r, "flags", (int64_t)(a.flags & TNI_FLAGS));
    if ((a.flags & TN_HAS_BOX) != 0) {
        key(r, "box");
        str(r, "[");
        tni_out_i64(&r->out, tni_ann_form(a.flags));
        str(r, ", ");
        tni_out_i64(&r->out, tni_ann_scale(a.flags));
        for (int k = 0; k < 4; k++) {
            str(r, ", ");
            tni_out_f64(&r->out, a.box[k]);
        }
        str(r, "]");
    }
    if ((a.flags & TN_HAS_SHAPE) != 0) put_shape(r, "shape", &d->shape, i);
    if ((a.flags & TN_HAS_KEYPOINTS) != 0)
        put_shape(r, "keypoints", &d->keypoints, i);
    for (int k = 0; k < TN_NUM_COUNT; k++) {
        const double *v = (a.flags & TN_HAS_NUM) != 0
                              ? tni_sparse_find(&d->num[k], i, 0)
                              : NULL;
        if (v == NULL) continue;
        key(r, num_names[k]);
        tni_out_f64(&r->out, *v);
    }
    if ((a.flags & TN_HAS_TEXT) != 0) {
        put_text(r, "attributes", &d->text[TN_TEXT_ATTRIBUTES], i);
        put_text(r, "caption", &d->text[TN_TEXT_CAPTION], i);
        put_members(r, &d->text[TN_TEXT_EXTRA], i);
    }
    close_object(r);
}

static bool lost(const residue *r, tni_feature f)
{
    return (r->w->keeps >> f & 1) == 0;
}

/* Whether the target lacks anything this annotation has. */
static bool loses(const residue *r, uint32_t i)
{
    const tn_dataset *d = r->d;
    const uint32_t flags = *tni_flags_at(d, i);
    static const struct {
        uint32_t flag;
        tni_feature f;
    } rows[] = {
        {TN_HAS_ANGLE, TNI_F_OBB},          {TN_HAS_KEYPOINTS, TNI_F_KEYPOINTS},
        {TN_IS_NEGATIVE, TNI_F_NEGATIVE},   {TN_IS_CROWD, TNI_F_CROWD},
        {TN_SAYS_CROWD, TNI_F_CROWD},       {TN_IS_DIFFICULT, TNI_F_DIFFICULT},
        {TN_IS_TRUNCATED, TNI_F_TRUNCATED}, {TN_IS_OCCLUDED, TNI_F_OCCLUDED},
        {TN_EMPTY_SHAPE, TNI_F_POLYGON},
    };
    static const tni_feature nums[TN_NUM_COUNT] = {
        TNI_F_SCORE, TNI_F_AREA, TNI_F_OBB, TNI_F_TRACK, TNI_F_GROUP, TNI_F_Z};
    static const tni_feature texts[TN_TEXT_COUNT] = {
        TNI_F_ATTRIBUTES, TNI_F_EXTRA, TNI_F_CAPTION};
    if (r->w->written[i] != 1) return true;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
        if ((flags & rows[k].flag) != 0 && lost(r, rows[k].f)) return true;
    if (tni_ann_id_kind(flags) != TN_ID_NONE && lost(r, TNI_F_ANN_ID))
        return true;
    for (int k = 0; k < TN_NUM_COUNT; k++)
        if (lost(r, nums[k]) && (flags & TN_HAS_NUM) != 0 &&
            tni_sparse_find(&d->num[k], i, 0) != NULL)
            return true;
    for (int k = 0; k < TN_TEXT_COUNT; k++)
        if (lost(r, texts[k]) && (flags & TN_HAS_TEXT) != 0 &&
            tni_sparse_find(&d->text[k], i, 0) != NULL)
            return true;
    if ((flags & TN_HAS_SHAPE) == 0) return false;
    const tni_shape *s = tni_sparse_find(&d->shape, i, 0);
    switch (s->kind) {
    case TN_SHAPE_POLYGON:
        return lost(r, TNI_F_POLYGON) || lost(r, TNI_F_PARTS) ||
               ((flags & TN_HAS_BOX) != 0 && lost(r, TNI_F_OUTLINE_BOX)) ||
               lost(r, TNI_F_HOLE) || lost(r, TNI_F_DEGENERATE);
    case TN_SHAPE_POLYLINE: return lost(r, TNI_F_POLYLINE);
    case TN_SHAPE_POINTS: return lost(r, TNI_F_POINTS);
    case TN_SHAPE_QUAD: return lost(r, TNI_F_OBB);
    case TN_SHAPE_ELLIPSE: return lost(r, TNI_F_ELLIPSE);
    case TN_SHAPE_CUBOID: return lost(r, TNI_F_CUBOID);
    case TN_SHAPE_MASK_FILE: return lost(r, TNI_F_MASK_FILE);
    default: return lost(r, TNI_F_MASK);
    }
}

static void put_annotations(residue *r, const uint32_t *list, size_t n,
                            const uint32_t *back)
{
    bool any = false;
    int64_t nth = 0;
    for (size_t k = 0; k < n; k++) {
        const bool written = r->w->written[list[k]] != 0;
        int64_t at = written ? nth++ : -1;
        if (written && r->w->rank != NULL) at = r->w->rank[list[k]];
        if (!loses(r, list[k])) continue;
        if (!any) {
            key(r, "annotations");
            str(r, "[");
        } else {
            str(r, ", ");
        }
        any = true;
        put_annotation(r, list[k], at,
                       at >= 0 ? tni_ann_hash(r->back, back[at]) : 0);
    }
    if (any) str(r, "]");
    if (any) r->first = false;
}

static bool image_loses(const residue *r, uint32_t i)
{
    const tni_image_row *row = tni_image_at(r->d, i);
    size_t n = 0;
    const uint32_t *list = tn_dataset_of_image(r->d, i, &n);
    bool any = strcmp(row->name, r->w->names[i]) != 0;
    any = any || (row->id_kind != TN_ID_NONE && lost(r, TNI_F_IMAGE_ID));
    any = any || (row->width > 0 && lost(r, TNI_F_SIZE));
    any = any || (row->state == TN_STATE_EMPTY && lost(r, TNI_F_EMPTY));
    any = any || (row->state == TN_STATE_UNKNOWN && lost(r, TNI_F_UNKNOWN));
    any = any ||
          ((row->splits & (row->splits - 1)) != 0 && lost(r, TNI_F_OVERLAP));
    any = any || (row->splits != 0 && lost(r, TNI_F_SPLIT));
    for (int k = 0; k < TN_TEXT_COUNT && lost(r, TNI_F_IMAGE_EXTRA); k++)
        any = any || tni_sparse_find(&r->d->image_text[k], i, 0) != NULL;
    for (size_t k = 0; k < n && !any; k++) any = loses(r, list[k]);
    return any;
}

static void put_image(residue *r, uint32_t i, uint32_t match)
{
    const tni_image_row *row = tni_image_at(r->d, i);
    const uint32_t split = tni_first_split(row);
    size_t n = 0, n_back = 0;
    const uint32_t *list = tn_dataset_of_image(r->d, i, &n);
    const uint32_t *back = tn_dataset_of_image(r->back, match, &n_back);
    open_object(r);
    put_string(r, "image", r->w->names[i]);
    if (split != TN_NONE) put_string(r, "split", r->d->splits[split]);
    if (strcmp(row->name, r->w->names[i]) != 0)
        put_string(r, "name", row->name);
    put_id(r, row->id_kind, row->id);
    if (row->width > 0) put_int(r, "width", row->width);
    if (row->height > 0) put_int(r, "height", row->height);
    if (row->frame != TN_FRAME_UNKNOWN) put_int(r, "frame", row->frame);
    if (row->state != TN_STATE_ANNOTATED) put_int(r, "state", row->state);
    if ((row->splits & (row->splits - 1)) != 0 || lost(r, TNI_F_SPLIT)) {
        key(r, "splits");
        str(r, "[");
        bool any = false;
        for (uint32_t s = 0; s < r->d->n_splits; s++) {
            if ((row->splits >> s & 1) == 0) continue;
            if (any) str(r, ", ");
            any = true;
            tni_out_json(&r->out, r->d->splits[s], strlen(r->d->splits[s]));
        }
        str(r, "]");
    }
    put_text(r, "attributes", &r->d->image_text[TN_TEXT_ATTRIBUTES], i);
    put_members(r, &r->d->image_text[TN_TEXT_EXTRA], i);
    put_annotations(r, list, n, back);
    close_object(r);
    str(r, "\n");
}

static void put_classes(residue *r)
{
    key(r, "classes");
    str(r, "[");
    for (uint32_t i = 0; i < r->d->classes.n; i++) {
        const tni_class_row *c = tni_class_at(r->d, i);
        if (i > 0) str(r, ", ");
        open_object(r);
        put_string(r, "name", c->name);
        put_id(r, c->id_kind, c->id);
        if (c->parent != NULL) put_string(r, "parent", c->parent);
        if (c->keypoints != NULL) {
            key(r, "keypoints");
            str(r, "[");
            for (uint32_t k = 0; k < c->n_keypoints; k++) {
                if (k > 0) str(r, ", ");
                tni_out_json(&r->out, c->keypoints[k], strlen(c->keypoints[k]));
            }
            str(r, "]");
        }
        put_members(r, &r->d->class_text[TN_TEXT_EXTRA], i);
        close_object(r);
    }
    str(r, "]");
    r->first = false;
}

static void put_header(residue *r)
{
    open_object(r);
    put_int(r, "tenon_residue", 1);
    put_string(r, "from", r->d->format->name);
    put_classes(r);
    if (lost(r, TNI_F_META) && r->d->metas.n > 0) {
        key(r, "fields");
        str(r, "[");
        for (uint32_t i = 0; i < r->d->metas.n; i++) {
            const tni_meta *m = TNI_ROW(&r->d->metas, tni_meta, i);
            if (i > 0) str(r, ", ");
            open_object(r);
            put_string(r, "key", m->key);
            if (m->split != TN_NONE)
                put_string(r, "split", r->d->splits[m->split]);
            put_raw(r, "value", m->value);
            close_object(r);
        }
        str(r, "]");
    }
    close_object(r);
    str(r, "\n");
}

static void put_orphans(residue *r)
{
    bool any = false;
    for (uint32_t i = 0; i < r->d->ann_flags.n; i++) {
        if (*TNI_ROW(&r->d->ann_image, uint32_t, i) != TN_NONE ||
            r->w->written[i] != 0)
            continue;
        str(r, any ? ", " : "{\"orphans\": [");
        any = true;
        put_annotation(r, i, -1, 0);
    }
    if (any) str(r, "]}\n");
}

static tn_status sink(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    residue *r = ctx;
    return tni_file_out_write(r->file, bytes, size, err);
}

tn_status tni_residue_write(const tni_writer *w, const tn_dataset *back,
                            const uint32_t *matches, const char *path,
                            tn_err *err)
{
    residue *r = tni_libc_allocator.alloc(NULL, sizeof *r, _Alignof(residue));
    if (r == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    r->w = w;
    r->d = w->d;
    r->back = back;
    r->first = true;
    tn_status status = tni_file_out_open(&r->file, path, err);
    if (status == TN_OK) {
        tni_out_init(&r->out, sink, r, err);
        put_header(r);
        for (uint32_t i = 0; i < w->d->images.n; i++)
            if (matches[i] != TN_NONE && image_loses(r, i))
                put_image(r, i, matches[i]);
        put_orphans(r);
        status = tni_out_flush(&r->out);
        if (status == TN_OK)
            status = tni_file_out_commit(r->file, err);
        else
            tni_file_out_abort(r->file);
    }
    tni_libc_allocator.free(NULL, r, sizeof *r, _Alignof(residue));
    return status;
}
