/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yolo_write.c - the dataset as YOLO labels
 *
 * images/<split>/, labels/<split>/ and a data.yaml whose names are always
 * quoted. Numbers have eight places: half a hundred-millionth of the image.
 * A number that came from a label goes out as it came in.
 */
#include "data/features.h"
#include "data/formats/yolo.h"

#include "base/num.h"

#include <math.h>
#include <stdio.h>

enum { PLACES = 8, MAX_SPLIT_NAME = 200 };

typedef struct yolo {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tni_target t;
    tni_out *o;
    tni_yolo_task task;
    uint32_t n_kpts, dims;
    uint64_t
        listed; /* splits whose images are in a list, not all in a folder */
    bool unsplit_listed;
    tn_shape shape;
    double iw, ih; /* of the image at hand */
    bool may_cut;  /* something lies outside its image */
    bool cut;      /* the annotation at hand does: it is moved to the edges */
} yolo;

static void put_unit(yolo *y, double v)
{
    tni_out_char(y->o, ' ');
    tni_out_fixed(y->o, v, PLACES);
}

static void put_exact(yolo *y, double v)
{
    tni_out_char(y->o, ' ');
    tni_out_f64(y->o, v);
}

static double within(double v)
{
    return v < 0.0 ? 0.0 : v > 1.0 ? 1.0 : v;
}

/* Points from one to another, as many at a time as fit. */
static void put_points(yolo *y, const double *xy, size_t n)
{
    enum { AT_ONCE = 64 };
    double units[2 * AT_ONCE];
    for (size_t at = 0; at < n; at += AT_ONCE) {
        const size_t some = n - at < AT_ONCE ? n - at : AT_ONCE;
        for (size_t k = 0; k < some; k++) {
            units[2 * k] = xy[2 * (at + k)] / y->iw;
            units[2 * k + 1] = xy[2 * (at + k) + 1] / y->ih;
        }
        for (size_t k = 0; k < 2 * some && y->cut; k++)
            units[k] = within(units[k]);
        tni_out_fixed_list(y->o, units, 2 * some, PLACES);
    }
}

static void put_point(yolo *y, double px, double py)
{
    const double xy[2] = {px, py};
    put_points(y, xy, 1);
}

static void put_class(yolo *y, uint32_t cls)
{
    tni_out_i64(y->o, (int64_t)cls);
}

/* The text of a shape that came from a label, on one line. */
static bool put_verbatim(yolo *y, const tni_shape *s)
{
    if (y->cut || s->scale != TN_SCALE_UNIT || s->layout != TNI_LAYOUT_FLAT ||
        memchr(s->text, '[', s->len) != NULL ||
        memchr(s->text, ',', s->len) != NULL ||
        memchr(s->text, '\n', s->len) != NULL)
        return false;
    tni_out_char(y->o, ' ');
    tni_out_bytes(y->o, s->text, s->len);
    return true;
}

/* Upright box in pixels; of a turned one the box around it. */
static bool box_of(yolo *y, uint32_t i, uint32_t flags, double b[4])
{
    if ((flags & TN_HAS_ANGLE) == 0) return tn_dataset_box(y->d, i, b) != 0;
    if (tn_dataset_shape(y->d, i, &y->shape, NULL) != TN_OK) return false;
    b[0] = b[2] = y->shape.xy[0];
    b[1] = b[3] = y->shape.xy[1];
    for (size_t k = 1; k < y->shape.n_points; k++) {
        b[0] = fmin(b[0], y->shape.xy[2 * k]);
        b[1] = fmin(b[1], y->shape.xy[2 * k + 1]);
        b[2] = fmax(b[2], y->shape.xy[2 * k]);
        b[3] = fmax(b[3], y->shape.xy[2 * k + 1]);
    }
    return true;
}

static void put_box(yolo *y, const tni_ann *a, const double b[4])
{
    if (!y->cut && (a->flags & TN_HAS_BOX) != 0 &&
        (a->flags & TN_HAS_ANGLE) == 0 &&
        tni_ann_form(a->flags) == TN_BOX_CXCYWH &&
        tni_ann_scale(a->flags) == TN_SCALE_UNIT) {
        for (int k = 0; k < 4; k++) put_exact(y, a->box[k]);
        return;
    }
    put_unit(y, (b[0] + b[2]) / 2 / y->iw);
    put_unit(y, (b[1] + b[3]) / 2 / y->ih);
    put_unit(y, (b[2] - b[0]) / y->iw);
    put_unit(y, (b[3] - b[1]) / y->ih);
}

static void put_corners(yolo *y, const double b[4])
{
    put_point(y, b[0], b[1]);
    put_point(y, b[2], b[1]);
    put_point(y, b[2], b[3]);
    put_point(y, b[0], b[3]);
}

/* One outline for all rings: each further one is joined to the first point by
 * a line there and back, which has no area. */
static void put_rings(yolo *y, const tn_shape *s)
{
    for (size_t r = 0; r < s->n_rings; r++) {
        const size_t from = r > 0 ? s->ring_ends[r - 1] : 0;
        put_points(y, s->xy + 2 * from, s->ring_ends[r] - from);
        if (s->n_rings == 1) continue;
        put_point(y, s->xy[2 * from], s->xy[2 * from + 1]);
        if (r > 0) put_point(y, s->xy[0], s->xy[1]);
    }
}

static tn_status put_outline(yolo *y, uint32_t i, const tni_ann *a,
                             const double b[4])
{
    const tni_shape *cell = (a->flags & TN_HAS_SHAPE) != 0
                                ? tni_sparse_find(&y->d->shape, i, 0)
                                : NULL;
    const bool outline = cell != NULL && (cell->kind == TN_SHAPE_POLYGON ||
                                          cell->kind == TN_SHAPE_QUAD);
    if (outline && put_verbatim(y, cell)) return TN_OK;
    if (outline || (cell == NULL && (a->flags & TN_HAS_ANGLE) != 0)) {
        TN_TRY(tn_dataset_shape(y->d, i, &y->shape, y->err));
        if (y->shape.n_points >= 3) {
            put_rings(y, &y->shape);
            return TN_OK;
        }
    }
    put_corners(y, b);
    return TN_OK;
}

static tn_status put_quad(yolo *y, uint32_t i, const tni_ann *a,
                          const double b[4])
{
    const tni_shape *cell = (a->flags & TN_HAS_SHAPE) != 0
                                ? tni_sparse_find(&y->d->shape, i, 0)
                                : NULL;
    const bool quad = cell != NULL && cell->kind == TN_SHAPE_QUAD;
    if (quad && put_verbatim(y, cell)) return TN_OK;
    if (quad || (cell == NULL && (a->flags & TN_HAS_ANGLE) != 0)) {
        TN_TRY(tn_dataset_shape(y->d, i, &y->shape, y->err));
        if (y->shape.n_points == 4) {
            put_rings(y, &y->shape);
            return TN_OK;
        }
    }
    put_corners(y, b);
    return TN_OK;
}

static tn_status put_keypoints(yolo *y, uint32_t i, const tni_ann *a)
{
    size_t n = 0;
    if ((a->flags & TN_HAS_KEYPOINTS) != 0) {
        const tni_shape *cell = tni_sparse_find(&y->d->keypoints, i, 0);
        TN_TRY(tn_dataset_keypoints(y->d, i, &y->shape, y->err));
        n = y->shape.n_points;
        if (n == y->n_kpts && cell->dims == y->dims && put_verbatim(y, cell))
            return TN_OK;
    }
    for (size_t k = 0; k < y->n_kpts; k++) {
        const bool there = k < n;
        const int v = !there                     ? 0
                      : y->shape.visible != NULL ? y->shape.visible[k]
                                                 : 2;
        if (there)
            put_point(y, y->shape.xy[2 * k], y->shape.xy[2 * k + 1]);
        else
            tni_out_str(y->o, " 0 0");
        if (y->dims == 3) {
            tni_out_char(y->o, ' ');
            tni_out_i64(y->o, v);
        }
    }
    return TN_OK;
}

/* Whether a label can hold what this annotation is. */
static bool has_place(yolo *y, uint32_t i, const tni_ann *a, double b[4])
{
    if (a->class_index == TN_NONE ||
        (a->flags & (TN_IS_TAG | TN_IS_NEGATIVE)) != 0)
        return false;
    if ((a->flags & TN_HAS_SHAPE) != 0 && (a->flags & TN_HAS_BOX) == 0) {
        const tni_shape *s = tni_sparse_find(&y->d->shape, i, 0);
        if (s->kind == TN_SHAPE_POLYLINE || s->kind == TN_SHAPE_POINTS)
            return false;
    }
    const bool relative = tni_ann_scale(a->flags) == TN_SCALE_UNIT;
    if ((a->flags & TN_HAS_BOX) != 0 && (a->flags & TN_HAS_ANGLE) == 0 &&
        relative && y->task != TNI_YOLO_SEGMENT && y->task != TNI_YOLO_OBB) {
        /* Its numbers go out as they are, whatever the size. */
        if (tni_ann_form(a->flags) == TN_BOX_CXCYWH &&
            (y->task == TNI_YOLO_DETECT || y->iw > 0.0))
            return true;
    }
    return y->iw > 0.0 && box_of(y, i, a->flags, b);
}

/* Whether readers would drop the label for what it has outside the image. */
static tn_status look_outside(yolo *y, uint32_t i)
{
    tni_outside out;
    y->cut = false;
    if (!y->may_cut) return TN_OK;
    TN_TRY(tni_look_outside(&out, y->d, i, NULL, &y->shape, y->err));
    const bool outlines =
        y->task == TNI_YOLO_SEGMENT || y->task == TNI_YOLO_OBB;
    y->cut = outlines ? out.outline
                      : out.box || (y->task == TNI_YOLO_POSE && out.keypoints);
    return TN_OK;
}

/* Brings a box inside the image; false when nothing of it is there. */
static bool bring_inside(yolo *y, const tni_ann *a, uint32_t i, double b[4])
{
    if (!(y->iw > 0.0)) { /* its numbers are parts of the sides */
        y->iw = y->ih = 1.0;
        if (!tni_box_in_units(y->d, i, b)) return false;
    }
    if (!(b[0] < b[2]) || !(b[1] < b[3]))
        return (a->flags & TN_HAS_BOX) == 0; /* an outline without area */
    for (int k = 0; k < 4; k++)
        b[k] = within(b[k] / (k % 2 == 0 ? y->iw : y->ih)) *
               (k % 2 == 0 ? y->iw : y->ih);
    return b[0] < b[2] && b[1] < b[3];
}

static tn_status put_line(yolo *y, uint32_t i)
{
    tni_ann a;
    double b[4] = {0, 0, 0, 0};
    const double iw = y->iw, ih = y->ih;
    tni_ann_get(y->d, i, &a);
    if (!has_place(y, i, &a, b)) return TN_OK;
    if (y->iw > 0.0 && !box_of(y, i, a.flags, b)) return TN_OK;
    TN_TRY(look_outside(y, i));
    if (y->cut && !bring_inside(y, &a, i, b)) {
        y->iw = iw;
        y->ih = ih;
        return TN_OK;
    }
    put_class(y, a.class_index);
    switch (y->task) {
    case TNI_YOLO_SEGMENT: TN_TRY(put_outline(y, i, &a, b)); break;
    case TNI_YOLO_OBB: TN_TRY(put_quad(y, i, &a, b)); break;
    case TNI_YOLO_POSE:
        put_box(y, &a, b);
        TN_TRY(put_keypoints(y, i, &a));
        break;
    default: put_box(y, &a, b); break;
    }
    tni_out_char(y->o, '\n');
    y->w->written[i] = y->cut ? TNI_WRITTEN_CUT : TNI_WRITTEN;
    y->iw = iw;
    y->ih = ih;
    return y->o->status;
}

/* --- images -------------------------------------------------------------- */

static const char *split_folder(const yolo *y, uint32_t split)
{
    return split == TN_NONE ? "unsplit" : y->d->splits[split];
}

/* By several threads: `state` is this one's yolo. */
static tn_status put_image(void *state, tni_writer *w, uint32_t image,
                           tn_err *err)
{
    char path[4096];
    yolo *y = state;
    y->w = w;
    y->err = err;
    const tni_image_row *r = tni_image_at(y->d, image);
    const char *folder = split_folder(y, tni_first_split(r));
    const char *name = y->w->names[image];
    const int n = snprintf(path, sizeof path, "images/%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return tni_fail(y->err, TN_EINVAL, "the name of an image is too long");
    TN_TRY(tni_write_image(y->w, image, path, y->err));
    size_t n_anns = 0;
    const uint32_t *list = tn_dataset_of_image(y->d, image, &n_anns);
    if (r->state == TN_STATE_UNKNOWN && n_anns == 0) return TN_OK;
    if (!tni_image_extent(y->d, image, &y->iw, &y->ih)) y->iw = y->ih = 0.0;
    const tni_arena_mark mark = tni_arena_save(&y->w->arena);
    const char *labels = tni_yolo_label_path(&y->w->arena, path);
    if (labels == NULL) return tni_fail(y->err, TN_ENOMEM, "out of memory");
    TN_TRY(tni_target_open(&y->t, y->w, labels, y->err));
    tni_arena_rewind(&y->w->arena, mark);
    y->o = &y->t.out;
    for (size_t k = 0; k < n_anns && y->o->status == TN_OK; k++) {
        const tn_status status = put_line(y, list[k]);
        if (y->o->status == TN_OK) y->o->status = status;
    }
    return tni_target_close(&y->t, y->err);
}

/* Whether a split can be a folder that every reader finds: parts of a path
 * without "." and "..", in characters that a line and a path of any system
 * have. */
static bool is_folder_name(const char *name)
{
    if (name[0] == '\0' || strlen(name) > MAX_SPLIT_NAME) return false;
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == '\x7f' || *p == '\\') return false;
    for (const char *p = name;; p++) {
        const size_t n = strcspn(p, "/");
        if (n == 0 || (n == 1 && p[0] == '.') ||
            (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
        p += n;
        if (*p == '\0') return true;
    }
}

static tn_status check_splits(const yolo *y)
{
    bool unsplit = false;
    for (uint32_t i = 0; i < y->d->images.n && !unsplit; i++)
        unsplit = tni_image_at(y->d, i)->splits == 0;
    for (uint32_t s = 0; s < y->d->n_splits; s++) {
        const char *name = y->d->splits[s];
        if (!is_folder_name(name))
            return tni_fail(y->err, TN_EUNSUPPORTED,
                            "the split '%.100s' cannot be the name of a "
                            "folder (empty, \".\" or \"..\", a backslash, a "
                            "line's end, over %d bytes); rename it",
                            name, (int)MAX_SPLIT_NAME);
        if (unsplit && strcmp(name, "unsplit") == 0)
            return tni_fail(y->err, TN_EUNSUPPORTED,
                            "the split 'unsplit' has the folder of images "
                            "that are of no split; rename it");
    }
    return TN_OK;
}

static bool is_split(const tn_dataset *d, const char *name)
{
    for (uint32_t s = 0; s < d->n_splits; s++)
        if (strcmp(d->splits[s], name) == 0) return true;
    return strcmp(name, "unsplit") == 0;
}

/* The file that lists a split. It stands beside data.yaml, whatever the split
 * is called: what begins with "./" is relative to the list's folder. */
static void list_path(const yolo *y, uint32_t split, char path[600])
{
    const char *folder = split_folder(y, split);
    uint32_t salt = split;
    (void)snprintf(path, 600, "%.500s", folder);
    for (char *p = path; *p != '\0'; p++)
        if (*p == '/' || *p == ':') *p = '_';
    const size_t n = strlen(path);
    if (strpbrk(folder, "/:") != NULL) do {
            (void)snprintf(path + n, 600 - n, "_%u", (unsigned)salt);
            salt += TNI_MAX_SPLITS;
        } while (is_split(y->d, path));
    memcpy(path + strlen(path), ".txt", 5);
}

/* Lines end in no blank, and a name is on one. */
static tn_status check_listed(const yolo *y, uint32_t image)
{
    const char *name = y->w->names[image];
    const size_t n = strlen(name);
    if (strpbrk(name, "\r\n") == NULL && (n == 0 || name[n - 1] != ' '))
        return TN_OK;
    return tni_fail(y->err, TN_EUNSUPPORTED,
                    "the image '%.100s' cannot be in a list of images (line "
                    "ends in its name, or a space behind it); rename it",
                    name);
}

/* A list of the images of a split, when not all of their files are in its
 * folder: without it nobody would know of them. */
static tn_status put_list(yolo *y, uint32_t split)
{
    char path[600];
    bool missing = false;
    for (uint32_t i = 0; i < y->d->images.n && !missing; i++) {
        const tni_image_row *r = tni_image_at(y->d, i);
        missing = tni_first_split(r) == split &&
                  (!tni_image_there(y->d, i) || y->w->files == TN_FILES_NONE);
    }
    if (!missing) return TN_OK;
    for (uint32_t i = 0; i < y->d->images.n; i++)
        if (tni_first_split(tni_image_at(y->d, i)) == split)
            TN_TRY(check_listed(y, i));
    if (split == TN_NONE) y->unsplit_listed = true;
    if (split != TN_NONE) y->listed |= UINT64_C(1) << split;
    list_path(y, split, path);
    TN_TRY(tni_target_open(&y->t, y->w, path, y->err));
    y->o = &y->t.out;
    for (uint32_t i = 0; i < y->d->images.n; i++) {
        if (tni_first_split(tni_image_at(y->d, i)) != split) continue;
        tni_out_str(y->o, "./images/");
        tni_out_str(y->o, split_folder(y, split));
        tni_out_char(y->o, '/');
        tni_out_str(y->o, y->w->names[i]);
        tni_out_char(y->o, '\n');
    }
    return tni_target_close(&y->t, y->err);
}

/* --- data.yaml ----------------------------------------------------------- */

static void put_quoted(yolo *y, const char *s)
{
    tni_out_json(y->o, s, strlen(s));
}

/* The key Ultralytics knows a split by: train, val or test, each once. */
static void split_keys(const yolo *y, const char *keys[TNI_MAX_SPLITS])
{
    static const char *const known[] = {"train", "val", "test"};
    bool taken[3] = {false, false, false};
    for (uint32_t s = 0; s < y->d->n_splits; s++) {
        keys[s] = y->d->splits[s];
        for (int k = 0; k < 3; k++)
            if (strcmp(y->d->splits[s], known[k]) == 0) taken[k] = true;
    }
    for (uint32_t s = 0; s < y->d->n_splits; s++)
        for (int k = 0; k < 3; k++)
            if (!taken[k] &&
                strncmp(y->d->splits[s], known[k], strlen(known[k])) == 0) {
                keys[s] = known[k];
                taken[k] = true;
            }
}

/* Where the images of a split are: their folder, or a list of them. */
static void put_place(yolo *y, uint32_t split)
{
    char path[600];
    const bool listed =
        split == TN_NONE ? y->unsplit_listed : (y->listed >> split & 1) != 0;
    if (listed)
        list_path(y, split, path);
    else
        (void)snprintf(path, sizeof path, "images/%.500s",
                       split_folder(y, split));
    put_quoted(y, path);
    tni_out_char(y->o, '\n');
}

/* A word every reader knows as it is; other names in quotes. */
static void put_key(yolo *y, const char *key)
{
    if (strcmp(key, "train") == 0 || strcmp(key, "val") == 0 ||
        strcmp(key, "test") == 0)
        tni_out_str(y->o, key);
    else
        put_quoted(y, key);
    tni_out_str(y->o, ": ");
}

static bool has_key(const yolo *y, const char *const *keys, const char *key)
{
    for (uint32_t s = 0; s < y->d->n_splits; s++)
        if (strcmp(keys[s], key) == 0) return true;
    return false;
}

/* What keys mean that are not the names of splits: another name, or none for
 * those that are there only because trainers ask for them. */
static void put_split_names(yolo *y, const char *const *keys)
{
    static const char *const known[] = {"train", "val", "test"};
    bool other = false;
    for (uint32_t s = 0; s < y->d->n_splits; s++) {
        bool is_known = false;
        for (int k = 0; k < 3; k++)
            is_known = is_known || strcmp(keys[s], known[k]) == 0;
        other = other || !is_known || strcmp(keys[s], y->d->splits[s]) != 0;
    }
    for (int k = 0; k < 2; k++) other = other || !has_key(y, keys, known[k]);
    if (!other) return;
    tni_out_str(y->o, "tenon_splits:\n");
    for (uint32_t s = 0; s < y->d->n_splits; s++) {
        tni_out_str(y->o, "  ");
        put_key(y, keys[s]);
        put_quoted(y, y->d->splits[s]);
        tni_out_char(y->o, '\n');
    }
    for (int k = 0; k < 2; k++) {
        if (has_key(y, keys, known[k])) continue;
        tni_out_str(y->o, "  ");
        put_key(y, known[k]);
        tni_out_str(y->o, "\"\"\n");
    }
}

/* Trainers refuse a file without train or without val: what is not there is
 * the first split once more, and tenon_splits says so. */
static void put_splits(yolo *y)
{
    static const char *const asked[] = {"train", "val"};
    const char *keys[TNI_MAX_SPLITS];
    bool unsplit = false;
    split_keys(y, keys);
    for (uint32_t i = 0; i < y->d->images.n && !unsplit; i++)
        unsplit = tni_image_at(y->d, i)->splits == 0;
    for (uint32_t s = 0; s < y->d->n_splits; s++) {
        put_key(y, keys[s]);
        put_place(y, s);
    }
    for (int k = 0; k < 2; k++) {
        if (has_key(y, keys, asked[k])) continue;
        put_key(y, asked[k]);
        put_place(y, y->d->n_splits > 0 ? 0 : TN_NONE);
    }
    if (unsplit || y->d->n_splits == 0) {
        tni_out_str(y->o, "tenon_unsplit: ");
        put_place(y, TN_NONE);
    }
    if (y->d->n_splits > 0) put_split_names(y, keys);
}

static tn_status put_yaml(yolo *y)
{
    TN_TRY(tni_target_open(&y->t, y->w, "data.yaml", y->err));
    y->o = &y->t.out;
    /* No `path`: trainers look for a relative one elsewhere, and without any
     * in the folder of this file. */
    put_splits(y);
    /* Nine numbers are an outline of four points or an oriented box. */
    if (y->task == TNI_YOLO_SEGMENT) tni_out_str(y->o, "task: segment\n");
    if (y->task == TNI_YOLO_OBB) tni_out_str(y->o, "task: obb\n");
    if (y->task == TNI_YOLO_POSE) {
        tni_out_str(y->o, "kpt_shape: [");
        tni_out_i64(y->o, y->n_kpts);
        tni_out_str(y->o, ", ");
        tni_out_i64(y->o, y->dims);
        tni_out_str(y->o, "]\n");
    }
    for (uint32_t i = 0; i < y->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&y->d->metas, tni_meta, i);
        if (y->d->format != &tni_format_yolo || strcmp(m->key, "download") == 0)
            continue;
        put_quoted(y, m->key);
        tni_out_str(y->o, ": ");
        tni_out_bytes(y->o, m->value.p, m->value.len);
        tni_out_char(y->o, '\n');
    }
    if (y->d->classes.n == 0) tni_out_str(y->o, "names: {}\n");
    if (y->d->classes.n > 0) tni_out_str(y->o, "names:\n");
    for (uint32_t i = 0; i < y->d->classes.n; i++) {
        tni_out_str(y->o, "  ");
        tni_out_i64(y->o, i);
        tni_out_str(y->o, ": ");
        put_quoted(y, tni_class_at(y->d, i)->name);
        tni_out_char(y->o, '\n');
    }
    return tni_target_close(&y->t, y->err);
}

/* --- classification ------------------------------------------------------ */

/* <split>/<class>/<image>: the tag of an image is its folder. */
static tn_status put_tagged(yolo *y, uint32_t image)
{
    char path[4096];
    const tni_image_row *r = tni_image_at(y->d, image);
    const uint32_t split = tni_first_split(r);
    size_t n = 0, n_tags = 0;
    const uint32_t *list = tn_dataset_of_image(y->d, image, &n);
    uint32_t tag = TN_NONE;
    for (size_t k = 0; k < n; k++) {
        tni_ann a;
        tni_ann_get(y->d, list[k], &a);
        if ((a.flags & TN_IS_TAG) == 0 || (a.flags & TN_IS_NEGATIVE) != 0 ||
            a.class_index == TN_NONE)
            continue;
        tag = list[k];
        n_tags++;
    }
    if (n_tags == 0) return TN_OK;
    if (n_tags > 1)
        return tni_fail(y->err, TN_EUNSUPPORTED,
                        "image '%.100s' has %zu classes; a folder per class "
                        "holds one",
                        r->name, n_tags);
    const char *cls =
        tni_class_at(y->d, tni_ann_at(y->d, tag)->class_index)->name;
    const char *name = y->w->names[image];
    const size_t len = strlen(cls);
    if (strchr(cls, '/') != NULL || cls[0] == '.' || len == 0)
        return tni_fail(y->err, TN_EUNSUPPORTED,
                        "class '%.60s' cannot be the name of a folder", cls);
    /* Already in the folder of its class: not twice. */
    if (strncmp(name, cls, len) == 0 && name[len] == '/') name += len + 1;
    const int k = snprintf(path, sizeof path, "%s%s%s/%s",
                           split != TN_NONE ? y->d->splits[split] : "",
                           split != TN_NONE ? "/" : "", cls, name);
    if (k < 0 || (size_t)k >= sizeof path)
        return tni_fail(y->err, TN_EINVAL, "the name of an image is too long");
    const char *in_class =
        path + (split != TN_NONE ? strlen(y->d->splits[split]) + 1 : 0);
    y->w->names[image] =
        tni_arena_strndup(&y->w->arena, in_class, strlen(in_class));
    if (y->w->names[image] == NULL)
        return tni_fail(y->err, TN_ENOMEM, "out of memory");
    y->w->written[tag] = 1;
    if (y->w->files == TN_FILES_NONE || !tni_image_there(y->d, image))
        return tni_fail(y->err, TN_EUNSUPPORTED,
                        "the class of an image is the folder its file is in: "
                        "this needs the file of '%.100s', copied or linked",
                        r->name);
    return tni_write_image(y->w, image, path, y->err);
}

/* --- all ----------------------------------------------------------------- */

static void find_keypoints(yolo *y)
{
    y->dims = 2;
    for (uint32_t i = 0; i < y->d->keypoints.keys.n; i++) {
        const tni_shape *s = TNI_ROW(&y->d->keypoints.values, tni_shape, i);
        if (s->dims == 3) y->dims = 3;
    }
    for (uint32_t i = 0; i < y->d->classes.n; i++)
        if (tni_class_at(y->d, i)->n_keypoints > y->n_kpts)
            y->n_kpts = tni_class_at(y->d, i)->n_keypoints;
    for (uint32_t i = 0; i < y->d->anns.n && y->n_kpts == 0; i++)
        if ((*tni_flags_at(y->d, i) & TN_HAS_KEYPOINTS) != 0 &&
            tn_dataset_keypoints(y->d, i, &y->shape, NULL) == TN_OK)
            y->n_kpts = (uint32_t)y->shape.n_points;
}

static void end_copy(void *state)
{
    yolo *y = state;
    tn_shape_fini(&y->shape);
}

static tn_status write_all(yolo *y)
{
    static const char *const names[] = {"", "detect", "segment", "pose", "obb"};
    for (int i = 1; i <= TNI_YOLO_OBB; i++)
        if (strcmp(y->w->variant, names[i]) == 0) y->task = (tni_yolo_task)i;
    if (y->task == TNI_YOLO_POSE) {
        find_keypoints(y);
        if (y->n_kpts == 0)
            return tni_fail(y->err, TN_EINVAL,
                            "no class has keypoints; choose another variant");
    }
    const uint64_t inside = TNI_KEEPS(OUTSIDE) | TNI_KEEPS(OUTSIDE_BOX);
    y->may_cut = (y->w->keeps & inside) != inside;
    TN_TRY(check_splits(y));
    for (uint32_t i = 0; i < y->d->images.n && y->task == TNI_YOLO_AUTO; i++) {
        TN_TRY(put_tagged(y, i));
        if ((i & 255) == 0)
            TN_TRY(
                tni_writer_progress(y->w, "write", i, y->d->images.n, y->err));
    }
    if (y->task == TNI_YOLO_AUTO) return TN_OK;
    tn_shape_fini(&y->shape); /* not to be copied */
    const tni_image_loop loop = {y, sizeof *y, put_image, end_copy};
    TN_TRY(tni_write_images(y->w, &loop, y->err));
    for (uint32_t s = 0; s < y->d->n_splits; s++) TN_TRY(put_list(y, s));
    TN_TRY(put_list(y, TN_NONE));
    return put_yaml(y);
}

tn_status tni_yolo_write(tni_writer *w, tn_err *err)
{
    yolo *y = TNI_NEW(&w->arena, yolo);
    if (y == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    y->w = w;
    y->d = w->d;
    y->err = err;
    y->shape.struct_size = sizeof y->shape;
    const tn_status status = write_all(y);
    tn_shape_fini(&y->shape);
    return status;
}
