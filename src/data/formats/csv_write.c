/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_write.c - CSV manifests: writing
 *
 * A folder per split with its images and _annotations.csv (_classes.csv for
 * classes by column), as Roboflow exports have it; AutoML's list is one file
 * above them. An image without objects is a row whose other fields are empty,
 * as keras-retinanet reads it. Columns nobody defines follow the known ones.
 */
#include "data/formats/csv_extras.h"
#include "data/formats/csv_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_SIZE = 4096 };

typedef enum layout {
    LAYOUT_ROWS, /* a header, then a row for every annotation */
    LAYOUT_KAGGLE,
    LAYOUT_RETINANET,
    LAYOUT_AUTOML,
    LAYOUT_ONE_HOT,
    LAYOUT_LABELS /* filename,class */
} layout;

typedef struct sheet {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    layout layout;
    tn_box_form form;
    bool unit, scored, boxed;
    tni_extra_columns extras;
    uint32_t *first; /* of each class: the first of its name */
    uint32_t n_written;
    tn_shape shape;
    tni_target t;
} sheet;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

static layout layout_of(const char *variant)
{
    static const struct {
        const char *name;
        layout layout;
    } rows[] = {
        {"kaggle", LAYOUT_KAGGLE},         {"retinanet", LAYOUT_RETINANET},
        {"automl", LAYOUT_AUTOML},         {"multiclass", LAYOUT_ONE_HOT},
        {"classification", LAYOUT_LABELS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, variant) == 0) return rows[i].layout;
    return LAYOUT_ROWS;
}

/* --- what can be kept ------------------------------------------------------ */

typedef struct census {
    uint64_t boxes, units, tags, many_tags, twice;
} census;

static void count_all(const tn_dataset *d, census *c)
{
    memset(c, 0, sizeof *c);
    for (uint32_t i = 0; i < d->images.n; i++) {
        size_t n = 0;
        uint64_t tags = 0;
        const uint32_t *list = tn_dataset_of_image(d, i, &n);
        for (size_t k = 0; k < n; k++) {
            const uint32_t flags = *tni_flags_at(d, list[k]);
            const uint32_t cls = tni_ann_at(d, list[k])->class_index;
            if ((flags & TN_HAS_BOX) != 0) {
                c->boxes++;
                c->units += tni_ann_scale(flags) != TN_SCALE_PIXEL;
            } else if ((flags & (TN_HAS_SHAPE | TN_HAS_KEYPOINTS)) != 0) {
                c->boxes++;
            }
            if ((flags & TN_IS_TAG) == 0 || cls == TN_NONE) continue;
            tags++;
            for (size_t q = 0; q < k && q < 1000; q++)
                if (tni_ann_at(d, list[q])->class_index == cls &&
                    (*tni_flags_at(d, list[q]) & TN_IS_TAG) != 0)
                    c->twice++;
            if (k > 1000) c->twice++;
        }
        c->tags += tags;
        c->many_tags += tags > 1;
    }
}

static bool automl_knows(const tn_dataset *d)
{
    static const char *const known[] = {"train", "training", "validation",
                                        "val",   "valid",    "dev",
                                        "test",  "testing"};
    for (uint32_t s = 0; s < d->n_splits; s++) {
        bool any = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            any = any || strcmp(d->splits[s], known[k]) == 0;
        if (!any) return false;
    }
    return true;
}

static bool class_names_repeat(const tn_dataset *d)
{
    for (uint32_t i = 0; i < d->classes.n; i++)
        if (tni_find_class(d, tni_class_at(d, i)->name) != i) return true;
    return false;
}

static uint64_t keeps_of(layout l)
{
    const uint64_t every = TNI_KEEPS(SPLIT);
    switch (l) {
    case LAYOUT_RETINANET:
        return every | TNI_KEEPS(BOX) | TNI_KEEPS(EMPTY) | TNI_KEEPS(UNUSED);
    case LAYOUT_AUTOML:
        return every | TNI_KEEPS(BOX) | TNI_KEEPS(TAG) | TNI_KEEPS(EMPTY);
    case LAYOUT_ONE_HOT:
        return every | TNI_KEEPS(TAG) | TNI_KEEPS(EMPTY) | TNI_KEEPS(UNUSED);
    case LAYOUT_LABELS: return every | TNI_KEEPS(TAG) | TNI_KEEPS(UNKNOWN);
    default: break;
    }
    return every | TNI_KEEPS(BOX) | TNI_KEEPS(TAG) | TNI_KEEPS(CLASSLESS) |
           TNI_KEEPS(SCORE) | TNI_KEEPS(EXTRA) | TNI_KEEPS(SIZE) |
           TNI_KEEPS(EMPTY);
}

uint64_t tni_csv_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                      const char **variant)
{
    census c;
    count_all(d, &c);
    if (*variant == NULL)
        *variant =
            c.boxes == 0 && c.many_tags > 0 && c.twice == 0   ? "multiclass"
            : c.boxes == 0 && c.tags > 0                      ? "classification"
            : counts[TNI_F_NO_SIZE] > 0 && c.units == c.boxes ? "xyxy-unit"
                                                              : "tensorflow";
    const layout l = layout_of(*variant);
    const bool unit =
        (tni_csv_meaning(*variant) & TNI_MEANS(TN_BOX_XYXY, 1)) != 0 ||
        strstr(*variant, "-unit") != NULL;
    uint64_t keeps = keeps_of(l);
    if (unit && c.units == c.boxes) keeps |= TNI_KEEPS(NO_SIZE);
    if (l == LAYOUT_ONE_HOT && (c.twice > 0 || class_names_repeat(d)))
        keeps &= ~(TNI_KEEPS(TAG) | TNI_KEEPS(UNUSED));
    if ((keeps & TNI_KEEPS(UNUSED)) != 0) keeps |= TNI_KEEPS(CLASS_ORDER);
    /* A list of classes in their order: numbers that count from 0 are kept. */
    if ((keeps & TNI_KEEPS(UNUSED)) != 0 && counts[TNI_F_CLASS_ID] == 0)
        keeps |= TNI_KEEPS(CLASS_ID);
    if (l == LAYOUT_AUTOML && !automl_knows(d)) keeps &= ~TNI_KEEPS(SPLIT);
    if ((keeps & TNI_KEEPS(EXTRA)) == 0 || counts[TNI_F_EXTRA] == 0)
        return keeps;
    tni_mem mem;
    tni_arena arena;
    tni_extra_columns extras;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 14);
    if (!tni_extras_collect(&extras, &d->text[TN_TEXT_EXTRA], NULL,
                            tni_table_has_role, &arena))
        keeps &= ~TNI_KEEPS(EXTRA);
    tni_arena_fini(&arena);
    return keeps;
}

/* --- fields -------------------------------------------------------------- */

static void put(sheet *s, const char *text)
{
    tni_csv_put(&s->t.out, ',', text, strlen(text));
}

static void comma(sheet *s)
{
    tni_out_char(&s->t.out, ',');
}

static void commas(sheet *s, size_t n)
{
    while (n-- > 0) comma(s);
}

static void end_row(sheet *s)
{
    tni_out_char(&s->t.out, '\n');
}

static const char *class_name(const sheet *s, uint32_t cls)
{
    return cls != TN_NONE ? tni_class_at(s->d, cls)->name : "";
}

/* The four numbers of an annotation; false when it is nothing a box can stand
 * for. The same form and scale keep their numbers. */
static tn_status box_of(sheet *s, uint32_t ann, const tni_ann *a, double b[4],
                        bool *has)
{
    double e[4], w = 1.0, h = 1.0;
    const bool own =
        (a->flags & TN_HAS_BOX) != 0 && (a->flags & TN_HAS_ANGLE) == 0 &&
        (a->flags & (TN_IS_TAG | TN_IS_NEGATIVE)) == 0 &&
        tni_ann_form(a->flags) == s->form &&
        tni_ann_scale(a->flags) == (s->unit ? TN_SCALE_UNIT : TN_SCALE_PIXEL);
    *has = own;
    if (own) {
        memcpy(b, a->box, sizeof a->box);
        return TN_OK;
    }
    *has = tni_box_for(s->d, ann, a, &s->shape, e);
    if (!*has) return TN_OK;
    if (s->unit && !tni_image_extent(s->d, a->image, &w, &h))
        return tni_fail(s->err, TN_EUNSUPPORTED,
                        "the size of image '%.100s' is not known, and the "
                        "variant '%s' has coordinates as parts of it",
                        tni_image_at(s->d, a->image)->name, s->w->variant);
    for (int k = 0; k < 4; k++) e[k] /= k % 2 == 0 ? w : h;
    memcpy(b, e, sizeof e);
    if (s->form == TN_BOX_XYXY) return TN_OK;
    b[2] = e[2] - e[0];
    b[3] = e[3] - e[1];
    if (s->form == TN_BOX_XYWH) return TN_OK;
    b[0] = (e[0] + e[2]) / 2;
    b[1] = (e[1] + e[3]) / 2;
    return TN_OK;
}

static void put_size(sheet *s, uint32_t image)
{
    double w = 0.0, h = 0.0;
    const bool known = tni_image_extent(s->d, image, &w, &h);
    comma(s);
    if (known) tni_out_f64(&s->t.out, w);
    comma(s);
    if (known) tni_out_f64(&s->t.out, h);
}

static void put_numbers(sheet *s, const double *b)
{
    for (int k = 0; k < 4; k++) {
        comma(s);
        if (b != NULL) tni_out_f64(&s->t.out, b[k]);
    }
}

static tn_status put_extras(sheet *s, uint32_t ann)
{
    double score = 0.0;
    if (s->scored) {
        comma(s);
        if (ann != TN_NONE &&
            tn_dataset_num(s->d, ann, TN_NUM_SCORE, &score) != 0)
            tni_out_f64(&s->t.out, score);
    }
    return tni_extras_put(&s->extras, &s->d->text[TN_TEXT_EXTRA], ann,
                          &s->t.out, &s->w->arena, s->err);
}

/* --- rows ---------------------------------------------------------------- */

static tn_status put_header(sheet *s)
{
    static const char *const boxes[3] = {",xmin,ymin,xmax,ymax", ",x,y,w,h",
                                         ",x_center,y_center,w,h"};
    tni_out *o = &s->t.out;
    if (s->layout == LAYOUT_LABELS) tni_out_str(o, "filename,class");
    if (s->layout == LAYOUT_ONE_HOT) {
        tni_out_str(o, "filename");
        for (uint32_t i = 0; i < s->d->classes.n; i++) {
            const char *name = tni_class_at(s->d, i)->name;
            if (s->first[i] != i) continue;
            /* Roboflow's leading space; before quotes it would be part of the
             * name to many readers. */
            const size_t n = strlen(name);
            const bool quoted = n == 0 || strpbrk(name, ",;\"\r\n") != NULL ||
                                name[0] == ' ' || name[n - 1] == ' ' ||
                                name[0] == '\t' || name[n - 1] == '\t';
            tni_out_str(o, quoted ? "," : ", ");
            tni_csv_put(o, ',', name, n);
        }
    }
    if (s->layout == LAYOUT_KAGGLE)
        tni_out_str(o, "image_id,width,height,bbox,class");
    if (s->layout == LAYOUT_ROWS) {
        tni_out_str(o, "filename,width,height,class");
        tni_out_str(o, boxes[s->form]);
    }
    if (s->layout == LAYOUT_RETINANET || s->layout == LAYOUT_AUTOML)
        return TN_OK;
    if (s->scored) tni_out_str(o, ",score");
    TN_TRY(tni_extras_header(&s->extras, o, &s->w->arena, s->err));
    end_row(s);
    return TN_OK;
}

static void put_set(sheet *s, uint32_t image)
{
    static const char *const sets[][2] = {
        {"train", "TRAIN"},      {"training", "TRAIN"},
        {"test", "TEST"},        {"testing", "TEST"},
        {"val", "VALIDATION"},   {"validation", "VALIDATION"},
        {"valid", "VALIDATION"}, {"dev", "VALIDATION"}};
    const uint32_t split = tni_first_split(tni_image_at(s->d, image));
    const char *name = split != TN_NONE ? s->d->splits[split] : "";
    const char *set = "UNASSIGNED";
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (strcmp(sets[i][0], name) == 0) set = sets[i][1];
    if (!automl_knows(s->d)) set = "UNASSIGNED";
    tni_out_str(&s->t.out, set);
    comma(s);
}

/* What stands in front of the box. */
static tn_status put_name(sheet *s, uint32_t image)
{
    char path[TEXT_SIZE];
    const char *name = s->w->names[image];
    const uint32_t split = tni_first_split(tni_image_at(s->d, image));
    if (s->layout == LAYOUT_AUTOML) {
        put_set(s, image);
        if (split != TN_NONE && automl_knows(s->d)) {
            TN_TRY(tni_path_of(path, sizeof path, s->d->splits[split], NULL,
                               name, s->err));
            name = path;
        }
    }
    put(s, name);
    if (s->layout == LAYOUT_ROWS || s->layout == LAYOUT_KAGGLE)
        put_size(s, image);
    return TN_OK;
}

static void put_bbox(sheet *s, const double *b)
{
    tni_out *o = &s->t.out;
    comma(s);
    if (b == NULL) return;
    for (int k = 0; k < 4; k++) {
        tni_out_str(o, k == 0 ? "\"[" : ", ");
        tni_out_f64(o, b[k]);
    }
    tni_out_str(o, "]\"");
}

static tn_status check_whole(const sheet *s, const tni_ann *a, const double *b)
{
    for (int k = 0; b != NULL && k < 4; k++)
        if (b[k] != floor(b[k]) || fabs(b[k]) > 1e9)
            return tni_fail(s->err, TN_EUNSUPPORTED,
                            "a box of image '%.100s' is not in whole pixels "
                            "(%.10g), and keras-retinanet reads no others; "
                            "choose another variant (csv:tensorflow)",
                            tni_image_at(s->d, a->image)->name, b[k]);
    return TN_OK;
}

/* A row: of an annotation, or (ann TN_NONE) of an image without any. */
static tn_status put_row(sheet *s, uint32_t image, uint32_t ann,
                         const tni_ann *a, const double *b)
{
    const char *cls = a != NULL ? class_name(s, a->class_index) : "";
    if (s->layout == LAYOUT_RETINANET && a != NULL)
        TN_TRY(check_whole(s, a, b));
    TN_TRY(put_name(s, image));
    switch (s->layout) {
    case LAYOUT_KAGGLE:
        put_bbox(s, b);
        comma(s);
        put(s, cls);
        break;
    case LAYOUT_RETINANET:
        put_numbers(s, b);
        comma(s);
        put(s, cls);
        break;
    case LAYOUT_AUTOML:
        comma(s);
        put(s, cls);
        if (b == NULL) {
            commas(s, s->boxed || a == NULL ? 8 : 0);
            break;
        }
        for (int k = 0; k < 2; k++) {
            comma(s);
            tni_out_f64(&s->t.out, b[2 * k]);
            comma(s);
            tni_out_f64(&s->t.out, b[2 * k + 1]);
            commas(s, 2);
        }
        break;
    case LAYOUT_LABELS:
        comma(s);
        put(s, cls);
        break;
    default:
        comma(s);
        put(s, cls);
        put_numbers(s, b);
        break;
    }
    if (s->layout == LAYOUT_ROWS || s->layout == LAYOUT_KAGGLE)
        TN_TRY(put_extras(s, ann));
    end_row(s);
    if (ann != TN_NONE) {
        s->w->written[ann] = TNI_WRITTEN;
        s->w->rank[ann] = s->n_written++;
    }
    return TN_OK;
}

static bool is_tag(const tni_ann *a)
{
    return (a->flags & TN_IS_TAG) != 0 && (a->flags & TN_IS_NEGATIVE) == 0 &&
           a->class_index != TN_NONE;
}

static tn_status put_one_hot(sheet *s, uint32_t image)
{
    size_t n = 0;
    const uint32_t *list = tn_dataset_of_image(s->d, image, &n);
    put(s, s->w->names[image]);
    for (uint32_t c = 0; c < s->d->classes.n; c++) {
        bool has = false;
        if (s->first[c] != c) continue;
        for (size_t k = 0; k < n && !has; k++) {
            tni_ann a;
            tni_ann_get(s->d, list[k], &a);
            if (!is_tag(&a) || s->first[a.class_index] != c) continue;
            has = true;
            s->w->written[list[k]] = TNI_WRITTEN;
            s->w->rank[list[k]] = s->n_written++;
        }
        tni_out_str(&s->t.out, has ? ", 1" : ", 0");
    }
    end_row(s);
    return TN_OK;
}

static tn_status put_image(sheet *s, uint32_t image)
{
    size_t n = 0;
    bool any = false;
    const uint32_t *list = tn_dataset_of_image(s->d, image, &n);
    if (s->layout == LAYOUT_ONE_HOT) return put_one_hot(s, image);
    for (size_t k = 0; k < n; k++) {
        tni_ann a;
        double b[4];
        bool has = false;
        tni_ann_get(s->d, list[k], &a);
        if (s->layout != LAYOUT_LABELS) TN_TRY(box_of(s, list[k], &a, b, &has));
        if (!has && (!is_tag(&a) || s->layout == LAYOUT_RETINANET)) continue;
        if (a.class_index == TN_NONE && s->layout != LAYOUT_ROWS &&
            s->layout != LAYOUT_KAGGLE)
            continue;
        TN_TRY(put_row(s, image, list[k], &a, has ? b : NULL));
        any = true;
    }
    return any ? TN_OK : put_row(s, image, TN_NONE, NULL, NULL);
}

/* --- files --------------------------------------------------------------- */

static tn_status check_classes(const sheet *s)
{
    for (uint32_t i = 0; i < s->d->classes.n; i++)
        if (tni_class_at(s->d, i)->name[0] == '\0')
            return tni_fail(s->err, TN_EUNSUPPORTED,
                            "a class without a name is an empty field in a "
                            "table, which means none; rename it");
    return TN_OK;
}

/* Without a header the first path must look like one. */
static tn_status check_names(const sheet *s)
{
    if (s->layout != LAYOUT_RETINANET && s->layout != LAYOUT_AUTOML)
        return TN_OK;
    for (uint32_t i = 0; i < s->d->images.n; i++)
        if (!tni_is_image_name(s->w->names[i]))
            return tni_fail(s->err, TN_EUNSUPPORTED,
                            "'%.100s' does not end like an image, and without "
                            "a header nothing else tells a path; rename it, or "
                            "choose another variant (csv:tensorflow)",
                            s->w->names[i]);
    return TN_OK;
}

static tn_status put_images(sheet *s, uint32_t split, bool all)
{
    TN_TRY(put_header(s));
    for (uint32_t i = 0; i < s->d->images.n; i++) {
        if (!all && !tni_in_split(s->d, i, split)) continue;
        TN_TRY(put_image(s, i));
        if ((i & 255) == 0)
            TN_TRY(
                tni_writer_progress(s->w, "labels", i, s->d->images.n, s->err));
    }
    return TN_OK;
}

static tn_status write_table(sheet *s, const char *name, uint32_t split,
                             bool all)
{
    TN_TRY(tni_target_open(&s->t, s->w, name, s->err));
    const tn_status status = put_images(s, split, all);
    if (status != TN_OK && s->t.out.status == TN_OK) s->t.out.status = status;
    const tn_status closed = tni_target_close(&s->t, s->err);
    return status != TN_OK ? status : closed;
}

/* keras-retinanet wants a list of the classes beside. */
static tn_status write_mapping(sheet *s, const char *folder)
{
    char path[TEXT_SIZE];
    TN_TRY(
        tni_path_of(path, sizeof path, folder, NULL, "_classes.csv", s->err));
    TN_TRY(tni_target_open(&s->t, s->w, path, s->err));
    for (uint32_t i = 0; i < s->d->classes.n; i++) {
        put(s, tni_class_at(s->d, i)->name);
        comma(s);
        tni_out_i64(&s->t.out, i);
        end_row(s);
    }
    return tni_target_close(&s->t, s->err);
}

static tn_status write_split(sheet *s, uint32_t split)
{
    char path[TEXT_SIZE];
    bool any = false;
    const char *folder = split != TN_NONE ? s->d->splits[split] : NULL;
    const char *name =
        s->layout == LAYOUT_ONE_HOT ? "_classes.csv" : "_annotations.csv";
    for (uint32_t i = 0; i < s->d->images.n; i++) {
        if (!tni_in_split(s->d, i, split)) continue;
        any = true;
        TN_TRY(tni_path_of(path, sizeof path, folder, NULL, s->w->names[i],
                           s->err));
        TN_TRY(tni_write_image(s->w, i, path, s->err));
    }
    if (s->layout == LAYOUT_AUTOML) return TN_OK;
    if (!any && (split != TN_NONE || s->d->n_splits > 0)) return TN_OK;
    TN_TRY(tni_path_of(path, sizeof path, folder, NULL, name, s->err));
    TN_TRY(write_table(s, path, split, false));
    return s->layout == LAYOUT_RETINANET ? write_mapping(s, folder) : TN_OK;
}

static tn_status write_all(sheet *s)
{
    TN_TRY(check_classes(s));
    TN_TRY(check_names(s));
    if (s->w->file != NULL && s->layout == LAYOUT_RETINANET)
        return tni_fail(s->err, TN_EUNSUPPORTED,
                        "keras-retinanet takes a list of the classes beside "
                        "the table; give a folder instead of '%.100s'",
                        s->w->file);
    if (s->w->file != NULL) return write_table(s, s->w->file, TN_NONE, true);
    TN_TRY(tni_check_splits(s->d, s->err));
    for (uint32_t i = 0; i < s->d->n_splits; i++) TN_TRY(write_split(s, i));
    TN_TRY(write_split(s, TN_NONE));
    return s->layout == LAYOUT_AUTOML
               ? write_table(s, "import.csv", TN_NONE, true)
               : TN_OK;
}

/* Columns of one name are one column. */
static tn_status find_first(sheet *s)
{
    tni_strmap names;
    tni_strmap_init(&names, &s->w->arena);
    s->first = TNI_NEW_ARRAY(&s->w->arena, uint32_t, s->d->classes.n + 1u);
    if (s->first == NULL) return no_memory(s->err);
    for (uint32_t i = 0; i < s->d->classes.n; i++) {
        const char *name = tni_class_at(s->d, i)->name;
        bool fresh = false;
        void **slot = tni_strmap_add(&names, name, strlen(name), &fresh);
        if (slot == NULL) return no_memory(s->err);
        if (fresh) *slot = (void *)((uintptr_t)i + 1);
        s->first[i] = (uint32_t)((uintptr_t)*slot - 1);
    }
    return TN_OK;
}

tn_status tni_csv_write(tni_writer *w, tn_err *err)
{
    const uint32_t meaning = tni_csv_meaning(w->variant);
    census c;
    if (w->d->images.n == 0)
        return tni_fail(err, TN_EUNSUPPORTED, "the dataset has no images");
    sheet *s = TNI_NEW(&w->arena, sheet);
    w->rank = TNI_NEW_ARRAY(&w->arena, uint32_t, w->d->anns.n + (size_t)1);
    if (s == NULL || w->rank == NULL) return no_memory(err);
    s->w = w;
    s->d = w->d;
    s->err = err;
    s->layout = layout_of(w->variant);
    if (meaning != 0) {
        s->form = (tn_box_form)(__builtin_ctz(meaning) / 2);
        s->unit = (__builtin_ctz(meaning) & 1) != 0;
    }
    s->shape.struct_size = sizeof s->shape;
    s->scored = (w->keeps & TNI_KEEPS(SCORE)) != 0 &&
                w->d->num[TN_NUM_SCORE].keys.n > 0;
    count_all(w->d, &c);
    s->boxed = c.boxes > 0;
    if ((w->keeps & TNI_KEEPS(EXTRA)) != 0) {
        if (!tni_extras_collect(&s->extras, &w->d->text[TN_TEXT_EXTRA], NULL,
                                tni_table_has_role, &w->arena))
            return no_memory(err);
    }
    tn_status status = find_first(s);
    if (status == TN_OK) status = write_all(s);
    tn_shape_fini(&s->shape);
    return status;
}
