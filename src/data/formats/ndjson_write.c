/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson_write.c - the dataset as Ultralytics NDJSON */
#include "data/formats/ndjson.h"

typedef struct nd {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_target *t;
    tni_out *o;
    tn_shape shape;
    tni_nd_task task;
    uint32_t n_kpts, dims;
    double width, height; /* of the image at hand, 0: not known */
    bool any;
} nd;

static void str(nd *n, const char *s)
{
    tni_out_str(n->o, s);
}

static void text(nd *n, const char *s)
{
    tni_out_json(n->o, s, strlen(s));
}

/* JSON as it was kept, on one line: a record is a line. */
static void put_raw(nd *n, const char *p, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t to = i;
        while (to < len && p[to] != '\n' && p[to] != '\r') to++;
        tni_out_bytes(n->o, p + i, to - i);
        if (to < len) str(n, " ");
        i = to + 1;
    }
}

int64_t tni_nd_class_number(const tn_dataset *d, uint32_t cls)
{
    const tni_class_row *row = tni_class_at(d, cls);
    return d->format == &tni_format_ndjson && row->id_kind == TN_ID_INT
               ? row->id
               : (int64_t)cls;
}

/* --- numbers -------------------------------------------------------------------------- */

static void put(nd *n, double v)
{
    str(n, ", ");
    tni_out_f64(n->o, v);
}

static void put_point(nd *n, double x, double y)
{
    put(n, x / n->width);
    put(n, y / n->height);
}

static void put_corners(nd *n, const double b[4])
{
    put_point(n, b[0], b[1]);
    put_point(n, b[2], b[1]);
    put_point(n, b[2], b[3]);
    put_point(n, b[0], b[3]);
}

static void put_box(nd *n, const tni_ann *a, const double b[4])
{
    const bool same = (a->flags & TN_HAS_BOX) != 0 &&
                      (a->flags & TN_HAS_ANGLE) == 0 &&
                      tni_ann_form(a->flags) == TN_BOX_CXCYWH &&
                      tni_ann_scale(a->flags) == TN_SCALE_UNIT;
    for (int k = 0; same && k < 4; k++) put(n, a->box[k]);
    if (same) return;
    put_point(n, (b[0] + b[2]) / 2, (b[1] + b[3]) / 2);
    put_point(n, b[2] - b[0], b[3] - b[1]);
}

/* The points of a shape, in parts of the image; those that came so as they
 * came. */
static bool read_units(nd *n, const tni_shape *cell)
{
    const bool units = cell->scale == TN_SCALE_UNIT;
    if ((!units && n->width <= 0.0) ||
        tni_shape_read(&n->shape, cell, units ? 1.0 : n->width,
                       units ? 1.0 : n->height, NULL) != TN_OK)
        return false;
    return true;
}

static void put_xy(nd *n, const tni_shape *cell, size_t k)
{
    const double *p = n->shape.xy + 2 * k;
    if (cell->scale == TN_SCALE_UNIT) {
        put(n, p[0]);
        put(n, p[1]);
    } else {
        put_point(n, p[0], p[1]);
    }
}

/* One outline for all rings: each further one is joined to the first point by
 * a line there and back, which has no area. */
static void put_rings(nd *n, const tni_shape *cell)
{
    const tn_shape *s = &n->shape;
    for (size_t r = 0; r < s->n_rings; r++) {
        const size_t from = r > 0 ? s->ring_ends[r - 1] : 0;
        for (size_t k = from; k < s->ring_ends[r]; k++) put_xy(n, cell, k);
        if (s->n_rings == 1) continue;
        put_xy(n, cell, from);
        if (r > 0) put_xy(n, cell, 0);
    }
}

/* --- rows --------------------------------------------------------------------------- */

static void open_row(nd *n, uint32_t i, const tni_ann *a)
{
    str(n, n->any ? ", [" : "[");
    n->any = true;
    tni_out_i64(n->o, tni_nd_class_number(n->d, a->class_index));
    n->w->written[i] = 1;
}

/* An outline, or the corners of an oriented box; false: it has neither. */
static bool put_shape(nd *n, uint32_t i, const tni_ann *a)
{
    const tni_shape *cell = (a->flags & TN_HAS_SHAPE) != 0
                                ? tni_sparse_find(&n->d->shape, i, 0)
                                : NULL;
    const bool obb = n->task == TNI_ND_OBB;
    tni_shape made;
    if (cell == NULL && (a->flags & TN_HAS_ANGLE) != 0) {
        memset(&made, 0, sizeof made);
        if (n->width <= 0.0 ||
            tn_dataset_shape(n->d, i, &n->shape, NULL) != TN_OK ||
            n->shape.n_points != 4)
            return false;
        cell = &made;
    } else if (cell == NULL ||
               (cell->kind != TN_SHAPE_QUAD &&
                (obb || cell->kind != TN_SHAPE_POLYGON)) ||
               !read_units(n, cell) || n->shape.n_points < 3 ||
               (obb && n->shape.n_points != 4)) {
        return false;
    }
    open_row(n, i, a);
    put_rings(n, cell);
    return true;
}

static tn_status put_points(nd *n, uint32_t i)
{
    const tni_shape *cell = tni_sparse_find(&n->d->keypoints, i, 0);
    size_t there = 0;
    if (cell != NULL && read_units(n, cell)) there = n->shape.n_points;
    for (size_t k = 0; k < n->n_kpts; k++) {
        if (k < there)
            put_xy(n, cell, k);
        else
            str(n, ", 0, 0");
        if (n->dims == 2) continue;
        str(n, ", ");
        tni_out_i64(n->o, k >= there                 ? 0
                          : n->shape.visible != NULL ? n->shape.visible[k]
                                                     : 2);
    }
    return n->o->status;
}

static tn_status put_row(nd *n, uint32_t i)
{
    tni_ann a;
    double b[4] = {0, 0, 0, 0};
    tni_ann_get(n->d, i, &a);
    if (a.class_index == TN_NONE || (a.flags & TN_IS_NEGATIVE) != 0)
        return TN_OK;
    if (n->task == TNI_ND_CLASSIFY || (a.flags & TN_IS_TAG) != 0) {
        if (n->task != TNI_ND_CLASSIFY || (a.flags & TN_IS_TAG) == 0)
            return TN_OK;
        str(n, n->any ? ", " : "");
        n->any = true;
        tni_out_i64(n->o, tni_nd_class_number(n->d, a.class_index));
        n->w->written[i] = 1;
        return n->o->status;
    }
    if ((n->task == TNI_ND_SEGMENT || n->task == TNI_ND_OBB) &&
        put_shape(n, i, &a)) {
        str(n, "]");
        return n->o->status;
    }
    const bool units = (a.flags & TN_HAS_BOX) != 0 &&
                       (a.flags & TN_HAS_ANGLE) == 0 &&
                       tni_ann_form(a.flags) == TN_BOX_CXCYWH &&
                       tni_ann_scale(a.flags) == TN_SCALE_UNIT;
    const bool boxed = n->width > 0.0 && tni_box_for(n->d, i, &a, &n->shape, b);
    if (!boxed && (!units || n->task == TNI_ND_OBB)) return TN_OK;
    open_row(n, i, &a);
    if (n->task == TNI_ND_OBB)
        put_corners(n, b);
    else
        put_box(n, &a, b);
    if (n->task == TNI_ND_POSE) TN_TRY(put_points(n, i));
    str(n, "]");
    return n->o->status;
}

/* --- records ------------------------------------------------------------------------- */

/* Members of `annotations` that are of no task. */
static void put_others(nd *n, uint32_t image)
{
    const tni_sparse *s = &n->d->image_text[TN_TEXT_EXTRA];
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, image, k);
        tni_span inner;
        if (m == NULL) return;
        const char *open = memchr(m->p, '{', m->len);
        if (m->len < 16 || memcmp(m->p, "\"annotations\"", 13) != 0 ||
            open == NULL || m->p[m->len - 1] != '}')
            continue;
        inner.p = open + 1;
        inner.len = (size_t)(m->p + m->len - 1 - inner.p);
        str(n, ", ");
        put_raw(n, inner.p, inner.len);
        return;
    }
}

static bool has_others(const nd *n, uint32_t image)
{
    const tni_sparse *s = &n->d->image_text[TN_TEXT_EXTRA];
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, image, k);
        if (m == NULL) return false;
        if (m->len >= 16 && memcmp(m->p, "\"annotations\"", 13) == 0 &&
            memchr(m->p, '{', m->len) != NULL && m->p[m->len - 1] == '}')
            return true;
    }
}

static tn_status put_image(nd *n, uint32_t i)
{
    static const char *const taken[] = {"type",   "file",  "width",
                                        "height", "split", NULL};
    const tni_image_row *row = tni_image_at(n->d, i);
    const tni_sparse *extra = &n->d->image_text[TN_TEXT_EXTRA];
    const uint32_t split = tni_first_split(row);
    size_t n_rows = 0;
    const uint32_t *list = tn_dataset_of_image(n->d, i, &n_rows);
    const bool sized = tni_image_extent(n->d, i, &n->width, &n->height);
    if (!sized) n->width = n->height = 0.0;
    str(n, "{\"type\": \"image\", \"file\": ");
    text(n, n->w->names[i]);
    if (sized) {
        str(n, ", \"width\": ");
        tni_out_f64(n->o, n->width);
        str(n, ", \"height\": ");
        tni_out_f64(n->o, n->height);
    }
    if (split != TN_NONE) {
        str(n, ", \"split\": ");
        text(n, n->d->splits[split]);
    }
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(extra, i, k);
        bool ours = false;
        if (m == NULL) break;
        if (m->len >= 13 && memcmp(m->p, "\"annotations\"", 13) == 0) continue;
        for (size_t t = 0; taken[t] != NULL && !ours; t++)
            ours = m->len > strlen(taken[t]) + 2 &&
                   memcmp(m->p + 1, taken[t], strlen(taken[t])) == 0 &&
                   m->p[strlen(taken[t]) + 1] == '"';
        str(n, ours ? ", \"x_" : ", \"");
        put_raw(n, m->p + 1, m->len - 1);
    }
    if (row->state != TN_STATE_UNKNOWN || n_rows > 0 || has_others(n, i)) {
        str(n, ", \"annotations\": {\"");
        str(n, tni_nd_names[n->task].key);
        str(n, "\": [");
        n->any = false;
        for (size_t k = 0; k < n_rows; k++) TN_TRY(put_row(n, list[k]));
        str(n, "]");
        put_others(n, i);
        str(n, "}");
    }
    str(n, "}\n");
    TN_TRY(n->o->status);
    return tni_writer_progress(n->w, "write", i, n->d->images.n, n->err);
}

/* Fields that a reader of this would act on are not passed on. */
static bool is_safe(const char *key)
{
    static const char *const not_ours[] = {
        "type",      "task", "class_names", "names",
        "kpt_shape", "path", "download",    NULL};
    for (int i = 0; not_ours[i] != NULL; i++)
        if (strcmp(key, not_ours[i]) == 0) return false;
    return true;
}

static void put_dataset(nd *n, bool local)
{
    const size_t skip = sizeof TNI_ND_META - 1;
    str(n, "{\"type\": \"dataset\", \"task\": ");
    text(n, tni_nd_names[n->task].task);
    for (uint32_t i = 0; i < n->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&n->d->metas, tni_meta, i);
        if (strncmp(m->key, TNI_ND_META, skip) != 0 || !is_safe(m->key + skip))
            continue;
        str(n, ", ");
        text(n, m->key + skip);
        str(n, ": ");
        put_raw(n, m->value.p, m->value.len);
    }
    if (local) str(n, ", \"path\": \".\"");
    str(n, ", \"class_names\": {");
    for (uint32_t i = 0; i < n->d->classes.n; i++) {
        str(n, i > 0 ? ", \"" : "\"");
        tni_out_i64(n->o, tni_nd_class_number(n->d, i));
        str(n, "\": ");
        text(n, tni_class_at(n->d, i)->name);
    }
    str(n, "}");
    if (n->n_kpts > 0) {
        str(n, ", \"kpt_shape\": [");
        tni_out_i64(n->o, n->n_kpts);
        str(n, n->dims == 3 ? ", 3]" : ", 2]");
    }
    str(n, "}\n");
}

/* As many points as the row or class that has the most. */
static void measure_points(nd *n)
{
    n->dims = 2;
    for (uint32_t i = 0; i < n->d->classes.n; i++)
        if (tni_class_at(n->d, i)->n_keypoints > n->n_kpts)
            n->n_kpts = tni_class_at(n->d, i)->n_keypoints;
    for (uint32_t i = 0; i < n->d->keypoints.keys.n; i++) {
        const tni_shape *s = TNI_ROW(&n->d->keypoints.values, tni_shape, i);
        if (tni_shape_read(&n->shape, s, 1.0, 1.0, NULL) != TN_OK) continue;
        if (n->shape.n_points > n->n_kpts)
            n->n_kpts = (uint32_t)n->shape.n_points;
        if (s->dims == 3) n->dims = 3;
    }
    /* A row without points has them at 0, 0 and not labelled. */
    for (uint32_t i = 0; i < n->d->anns.n; i++)
        if ((*tni_flags_at(n->d, i) & TN_HAS_KEYPOINTS) == 0) n->dims = 3;
}

/* images/<split>/<name>, where Ultralytics looks when `path` is said: it takes
 * only names without folders then. */
static tn_status put_files(nd *n, bool *local)
{
    char to[4096];
    *local = n->w->file == NULL && n->w->files != TN_FILES_NONE;
    for (uint32_t i = 0; n->w->file == NULL && i < n->d->images.n; i++) {
        const uint32_t split = tni_first_split(tni_image_at(n->d, i));
        const char *name = n->w->names[i];
        if (split == TN_NONE || strchr(name, '/') != NULL ||
            !tni_image_there(n->d, i))
            *local = false;
        if (split == TN_NONE) {
            TN_TRY(tni_path_of(to, sizeof to, NULL, "images", name, n->err));
        } else {
            TN_TRY(tni_path_of(to, sizeof to, "images", n->d->splits[split],
                               name, n->err));
        }
        TN_TRY(tni_write_image(n->w, i, to, n->err));
    }
    return TN_OK;
}

tn_status tni_nd_write(tni_writer *w, tn_err *err)
{
    nd n;
    bool local = false;
    memset(&n, 0, sizeof n);
    n.w = w;
    n.d = w->d;
    n.err = err;
    n.shape.struct_size = sizeof n.shape;
    for (int t = 1; t < TNI_ND_TASKS; t++)
        if (strcmp(w->variant, tni_nd_names[t].task) == 0)
            n.task = (tni_nd_task)t;
    n.t = TNI_NEW(&w->arena, tni_target);
    if (n.t == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    n.o = &n.t->out;
    if (w->file == NULL) TN_TRY(tni_check_splits(w->d, err));
    TN_TRY(put_files(&n, &local));
    TN_TRY(tni_target_open(n.t, w, w->file != NULL ? w->file : "dataset.ndjson",
                           err));
    if (n.task == TNI_ND_POSE) measure_points(&n);
    put_dataset(&n, local);
    tn_status status = n.o->status;
    for (uint32_t i = 0; status == TN_OK && i < w->d->images.n; i++)
        status = put_image(&n, i);
    if (status != TN_OK && n.o->status == TN_OK) n.o->status = status;
    tn_shape_fini(&n.shape);
    return tni_target_close(n.t, err);
}
