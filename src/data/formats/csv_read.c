/* SPDX-License-Identifier: Apache-2.0 */
/* csv_read.c - CSV manifests: tables, their rows, the images they name */
#include "data/formats/csv_table.h"

#include "base/utf8.h"
#include "data/formats/csv_extras.h"

#include <math.h>
#include <stdio.h>

enum { MAX_ROOTS = 12, PATH_SIZE = 4096 };

typedef tni_csv_part part;

/* A folder where an image was found. */
typedef struct place {
    struct place *next;
    const char *path, *prefix; /* in front of the names of its images */
    uint64_t splits;           /* of its images; none when they differ */
} place;

typedef struct manifest {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_classes classes;
    tni_image_set images;
    tni_strmap places; /* by folder */
    place *first_place, **last_place;
    tni_strmap used; /* files of images */
    tni_draft *draft;
    tni_arena lines;
    part *parts;
    size_t n_parts;
    const char *variant;
    uint32_t meaning; /* as asked for, 0: by the file */
    bool listed;      /* classes have an order of their own */
    /* The table at hand. */
    tni_csv c;
    tni_table t;
    uint32_t source, split;
    const char *roots[MAX_ROOTS + 1];
} manifest;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- fields -------------------------------------------------------------- */

static const tni_csv_field *field(const manifest *m, int32_t column)
{
    return column >= 0 && (size_t)column < m->c.n ? &m->c.fields[column] : NULL;
}

static const tni_csv_field *role(const manifest *m, int which)
{
    const tni_csv_field *f = field(m, m->t.at[which]);
    return f != NULL && f->text.len > 0 ? f : NULL;
}

static uint64_t here(const manifest *m)
{
    return tni_where(m->source, m->c.offset);
}

static const char *name_of(const manifest *m, const tni_csv_field *f)
{
    return m->t.names != NULL ? m->t.names[f - m->c.fields] : "a field";
}

static tn_status number(manifest *m, const tni_csv_field *f, double *out)
{
    if (tni_field_f64(f->text, out)) return TN_OK;
    return tni_csv_fail(&m->c, f,
                        "found '%.*s' as %.60s, expected a finite number with "
                        "a decimal point",
                        f->text.len > 40 ? 40 : (int)f->text.len, f->text.p,
                        name_of(m, f));
}

static tn_status pixels(manifest *m, int which, int32_t *out)
{
    const tni_csv_field *f = role(m, which);
    double v = 0.0;
    if (f == NULL) return TN_OK;
    TN_TRY(number(m, f, &v));
    if (!(v >= 0.0 && v <= 1e9) || v != floor(v))
        return tni_csv_fail(&m->c, f,
                            "found '%.*s' as an image's size, expected a whole "
                            "number of pixels",
                            f->text.len > 40 ? 40 : (int)f->text.len,
                            f->text.p);
    *out = (int32_t)v;
    return TN_OK;
}

/* Four numbers between brackets, commas and spaces; 0 where there are none. */
static tn_status numbers_in(manifest *m, const tni_csv_field *f, double box[4],
                            int *n)
{
    const char *p = f->text.p, *end = p + f->text.len;
    *n = 0;
    while (p < end) {
        double v = 0.0;
        if (strchr("[](), \t", *p) != NULL && *p != '\0') {
            p++;
            continue;
        }
        size_t len = 0;
        while (p + len < end && strchr("[](), \t", p[len]) == NULL) len++;
        const tni_span one = {p, len};
        if (*n == 4 || !tni_field_f64(one, &v)) {
            *n = -1;
            break;
        }
        box[(*n)++] = v;
        p += len;
    }
    if (*n == 0 || *n == 4) return TN_OK;
    return tni_csv_fail(&m->c, f,
                        "found '%.*s' as a box, expected four finite numbers "
                        "such as \"[10, 20, 30, 40]\"",
                        f->text.len > 60 ? 60 : (int)f->text.len, f->text.p);
}

/* The box of a row; *has false: its fields are empty or there are none. */
static tn_status read_box(manifest *m, double box[4], bool *has)
{
    int n = 0;
    const tni_csv_field *empty = NULL, *whole = role(m, TNI_COL_BBOX);
    *has = false;
    if (whole != NULL) {
        TN_TRY(numbers_in(m, whole, box, &n));
        *has = n == 4;
        return TN_OK;
    }
    if (m->t.at[TNI_COL_BOX0] < 0) return TN_OK;
    for (int k = 0; k < 4; k++) {
        const tni_csv_field *f = field(m, m->t.at[TNI_COL_BOX0 + k]);
        if (f == NULL || f->text.len == 0) {
            empty = f;
            continue;
        }
        TN_TRY(number(m, f, &box[k]));
        n++;
    }
    *has = n == 4;
    if (n == 0 || n == 4) return TN_OK;
    return tni_csv_fail(&m->c, empty,
                        "a box has %d of its four numbers; give all, or none "
                        "for an image without objects",
                        n);
}

/* Columns nobody knows, as members of JSON of the annotation or image. */
static tn_status keep_extras(manifest *m, bool of_image, uint32_t row)
{
    for (size_t i = 0; m->t.names != NULL && i < m->t.n_columns; i++) {
        tni_span text;
        const tni_csv_field *f = field(m, (int32_t)i);
        if (m->t.roles[i] != TNI_COL_EXTRA || f == NULL || f->text.len == 0)
            continue;
        TN_TRY(tni_extra_member(m->draft, m->d, m->t.names[i], f->text, &text));
        TN_TRY(of_image
                   ? tni_set_image_text(m->d, row, TN_TEXT_EXTRA, text, m->err)
                   : tni_set_text(m->d, row, TN_TEXT_EXTRA, text, m->err));
    }
    return TN_OK;
}

/* --- images -------------------------------------------------------------- */

/* Tries a name below the roots; a file that is found is remembered. */
static tn_status try_name(manifest *m, uint32_t image, const char *name)
{
    tni_image_row *row = tni_image_at(m->d, image);
    const char *own = row->name;
    row->name = name;
    const tn_status status = tni_find_image(m->r, image, m->roots, m->err);
    row->name = own;
    return status;
}

/* Names without an extension are those of images all the same. */
static tn_status try_ends(manifest *m, uint32_t image, const char *name)
{
    static const char *const ends[] = {"",     ".jpg", ".jpeg", ".png",
                                       ".JPG", ".bmp", ".tif",  ".webp"};
    char text[PATH_SIZE];
    tni_image_row *row = tni_image_at(m->d, image);
    const size_t n = tni_is_image_name(name) ? 1 : sizeof ends / sizeof ends[0];
    for (size_t i = 0; i < n && row->file == NULL; i++) {
        const int len = snprintf(text, sizeof text, "%s%s", name, ends[i]);
        if (len < 0 || (size_t)len >= sizeof text) return TN_OK;
        TN_TRY(try_name(m, image, text));
        if (row->file == NULL || i == 0) continue;
        const size_t was = strlen(row->name), more = strlen(ends[i]);
        char *whole = tni_arena_alloc(&m->d->arena, was + more + 1, 1);
        if (whole == NULL) return no_memory(m->err);
        memcpy(whole, row->name, was);
        memcpy(whole + was, ends[i], more + 1);
        row->name = whole;
    }
    return TN_OK;
}

/* Two tables of one split that name the same image are two versions of it, or
 * parts of something else: nothing tells which. */
static tn_status check_table(manifest *m, const tni_image_row *row)
{
    const tn_place p = tni_place(m->d, row->where);
    const tni_csv_field *f = field(m, m->t.at[TNI_COL_IMAGE]);
    if ((row->where >> 40) - 1 == m->source) return TN_OK;
    return tni_csv_fail(&m->c, f,
                        "image '%.80s' is in %.120s too; give the path of the "
                        "table to read",
                        row->name, p.file != NULL ? p.file : "another table");
}

/* The folder of a file that was found, with what stands before its name. */
static tn_status remember(manifest *m, uint32_t image)
{
    const tni_image_row *row = tni_image_at(m->d, image);
    const size_t base = strlen(strrchr(row->file, '/') + 1);
    const size_t folder = strlen(row->file) - base - 1;
    const size_t name = strlen(row->name);
    bool fresh = false;
    void **slot =
        tni_strmap_add(&m->used, row->file, folder + 1 + base, &fresh);
    if (slot == NULL) return no_memory(m->err);
    if (!fresh) {
        const uint32_t other = (uint32_t)((uintptr_t)*slot - 1);
        if (tni_image_at(m->d, other)->splits == row->splits)
            TN_TRY(check_table(m, tni_image_at(m->d, other)));
    }
    if (fresh) *slot = (void *)((uintptr_t)image + 1);
    slot = tni_strmap_add(&m->places, row->file, folder, &fresh);
    if (slot == NULL) return no_memory(m->err);
    if (fresh) {
        place *p = TNI_NEW(&m->r->scratch, place);
        if (p == NULL) return no_memory(m->err);
        p->path = tni_arena_strndup(&m->r->scratch, row->file, folder);
        p->prefix = tni_arena_strndup(&m->r->scratch, row->name,
                                      name > base ? name - base : 0);
        if (p->path == NULL || p->prefix == NULL) return no_memory(m->err);
        p->splits = row->splits;
        *m->last_place = p;
        m->last_place = &p->next;
        *slot = p;
    }
    place *p = *slot;
    if (p->splits != row->splits) p->splits = 0;
    return TN_OK;
}

static tn_status find_file(manifest *m, uint32_t image)
{
    char text[PATH_SIZE];
    tni_image_row *row = tni_image_at(m->d, image);
    const size_t n = strlen(row->name);
    if (n >= sizeof text) return TN_OK;
    memcpy(text, row->name, n + 1);
    for (char *p = text; *p != '\0'; p++)
        if (*p == '\\') *p = '/';
    if (m->split == TN_NONE && row->splits != 0) {
        const char *split = m->d->splits[tni_first_split(row)];
        const char *inside = tni_join(m->r, split, text);
        if (inside == NULL) return no_memory(m->err);
        TN_TRY(try_ends(m, image, inside));
    }
    /* Paths of the machine that wrote the file: their ends may be here. */
    for (const char *p = text; p != NULL && row->file == NULL;) {
        while (*p == '/') p++;
        TN_TRY(try_ends(m, image, p));
        p = strchr(p, '/');
    }
    return row->file != NULL ? remember(m, image) : TN_OK;
}

static tn_status image_of(manifest *m, tni_span name, uint32_t split,
                          uint32_t *image)
{
    bool fresh = false;
    int32_t w = 0, h = 0;
    const tni_csv_field *f = field(m, m->t.at[TNI_COL_IMAGE]);
    if (name.len == 0)
        return tni_csv_fail(&m->c, f,
                            "a row without the name of an image; expected a "
                            "file name first");
    const tni_arena_mark mark = tni_arena_save(&m->lines);
    char *text = tni_arena_strndup(&m->lines, name.p, name.len);
    if (text == NULL) return no_memory(m->err);
    TN_TRY(tni_image_named(&m->images, text, split, here(m), NULL, image,
                           &fresh, m->err));
    tni_arena_rewind(&m->lines, mark);
    TN_TRY(pixels(m, TNI_COL_WIDTH, &w));
    TN_TRY(pixels(m, TNI_COL_HEIGHT, &h));
    tni_image_row *row = tni_image_at(m->d, *image);
    if (fresh || row->width == 0 || row->height == 0) {
        row->width = w;
        row->height = h;
    } else if (w > 0 && h > 0 && (row->width != w || row->height != h)) {
        TN_TRY(tni_note_add(m->d, here(m), "size-differs", m->err,
                            "'%.100s' has another size in line %lld; the first "
                            "one counts",
                            row->name, (long long)m->c.line));
    }
    return fresh ? find_file(m, *image) : check_table(m, row);
}

/* --- rows ---------------------------------------------------------------- */

static tn_status split_of_row(manifest *m, uint32_t *split)
{
    const tni_csv_field *f = role(m, TNI_COL_SPLIT);
    *split = m->split;
    if (f == NULL) return TN_OK;
    return tni_add_split(m->d, f->text.p, f->text.len, split, m->err);
}

static tn_status add_tag(manifest *m, uint32_t image, tni_span name)
{
    tni_ann a;
    uint32_t ann = 0;
    memset(&a, 0, sizeof a);
    a.image = image;
    a.flags = TN_IS_TAG;
    a.where = here(m);
    TN_TRY(tni_class_named(&m->classes, name, a.where, &a.class_index, m->err));
    return tni_add_annotation(m->d, &a, &ann, m->err);
}

static tn_status read_row(manifest *m)
{
    tni_ann a;
    uint32_t ann = 0, split = TN_NONE;
    bool boxed = false;
    double score = 0.0;
    const tni_csv_field *name = field(m, m->t.at[TNI_COL_IMAGE]);
    const tni_csv_field *cls = role(m, TNI_COL_CLASS);
    const tni_csv_field *sure = role(m, TNI_COL_SCORE);
    memset(&a, 0, sizeof a);
    TN_TRY(split_of_row(m, &split));
    TN_TRY(image_of(m, name->text, split, &a.image));
    TN_TRY(read_box(m, a.box, &boxed));
    if (!boxed && cls == NULL) {
        tni_image_row *row = tni_image_at(m->d, a.image);
        if (m->t.meanings != 0) row->state = TN_STATE_EMPTY;
        return keep_extras(m, true, a.image);
    }
    a.flags = boxed ? TN_HAS_BOX : TN_IS_TAG;
    a.where = here(m);
    a.class_index = TN_NONE;
    if (cls != NULL)
        TN_TRY(tni_class_named(&m->classes, cls->text, a.where, &a.class_index,
                               m->err));
    TN_TRY(tni_add_annotation(m->d, &a, &ann, m->err));
    if (sure != NULL) {
        TN_TRY(number(m, sure, &score));
        TN_TRY(tni_set_num(m->d, ann, TN_NUM_SCORE, score, m->err));
    }
    return keep_extras(m, false, ann);
}

static tn_status read_one_hot(manifest *m)
{
    uint32_t image = 0;
    const int32_t at = m->t.at[TNI_COL_IMAGE];
    TN_TRY(image_of(m, m->c.fields[at].text, m->split, &image));
    for (size_t i = 0; i < m->t.n_columns; i++) {
        const tni_csv_field *f = field(m, (int32_t)i);
        double v = 0.0;
        if ((int32_t)i == at) continue;
        if (f == NULL || !tni_field_f64(f->text, &v) || (v != 0.0 && v != 1.0))
            return tni_csv_fail(&m->c, f,
                                "found '%.*s' for class '%.60s', expected 0 or "
                                "1",
                                f == NULL          ? 0
                                : f->text.len > 40 ? 40
                                                   : (int)f->text.len,
                                f != NULL ? f->text.p : "", m->t.names[i]);
        if (v == 1.0) TN_TRY(add_tag(m, image, tni_span_of(m->t.names[i])));
    }
    tni_image_at(m->d, image)->state = TN_STATE_EMPTY;
    return TN_OK;
}

/* --- AutoML ---------------------------------------------------------------- */

static bool is_any(tni_span t, const char *const *words)
{
    for (; *words != NULL; words++) {
        const size_t n = strlen(*words);
        bool same = t.len == n;
        for (size_t i = 0; same && i < n; i++) {
            const char c = t.p[i];
            same = (c >= 'A' && c <= 'Z' ? (char)(c + 32) : c) == (*words)[i];
        }
        if (same) return true;
    }
    return false;
}

/* The split a set stands for: the folder the path begins with when that is
 * another word for it, which is then no part of the name. */
static tn_status split_of_set(manifest *m, tni_span *name, uint32_t *split)
{
    static const char *const sets[3][6] = {
        {"train", "training", NULL},
        {"validation", "validate", "val", "valid", "dev", NULL},
        {"test", "testing", NULL}};
    const tni_csv_field *f = role(m, TNI_COL_SPLIT);
    *split = m->split;
    for (int k = 0; f != NULL && k < 3; k++) {
        if (!is_any(f->text, sets[k])) continue;
        tni_span folder = {name->p, 0};
        while (folder.len < name->len && name->p[folder.len] != '/')
            folder.len++;
        const bool prefix =
            folder.len + 1 < name->len && is_any(folder, sets[k]);
        if (!prefix) folder = tni_span_of(sets[k][0]);
        TN_TRY(tni_add_split(m->d, folder.p, folder.len, split, m->err));
        if (prefix) {
            name->p += folder.len + 1;
            name->len -= folder.len + 1;
        }
    }
    return TN_OK;
}

/* x1, y1, , , x2, y2, , - or all four corners. */
static tn_status read_corners(manifest *m, size_t from, double box[4])
{
    double v[8] = {0};
    for (size_t i = 0; i < 8; i++) {
        const tni_csv_field *f = field(m, (int32_t)(from + i));
        const bool needed = i == 0 || i == 1 || i == 4 || i == 5;
        if (f == NULL || f->text.len == 0) {
            if (!needed) continue;
            return tni_csv_fail(&m->c, f,
                                "a box without all of its corners; expected "
                                "x_min,y_min,,,x_max,y_max,,");
        }
        TN_TRY(number(m, f, &v[i]));
    }
    box[0] = v[0];
    box[1] = v[1];
    box[2] = v[4];
    box[3] = v[5];
    const tni_csv_field *f = field(m, (int32_t)(from + 2));
    if (f == NULL || f->text.len == 0) return TN_OK;
    if (v[2] == v[4] && v[3] == v[1] && v[6] == v[0] && v[7] == v[5])
        return TN_OK;
    return tni_csv_fail(&m->c, f, "four corners that are no upright box");
}

static tn_status read_automl(manifest *m)
{
    tni_ann a;
    uint32_t ann = 0;
    double v = 0.0;
    const size_t at = (size_t)m->t.at[TNI_COL_CLASS];
    memset(&a, 0, sizeof a);
    a.where = here(m);
    if (m->c.n < at)
        return tni_csv_fail(&m->c, NULL,
                            "found %zu fields, expected set, path and label",
                            m->c.n);
    tni_span name = m->c.fields[at - 1].text;
    TN_TRY(split_of_set(m, &name, &ann));
    TN_TRY(image_of(m, name, ann, &a.image));
    tni_image_row *row = tni_image_at(m->d, a.image);
    if (tni_csv_is_blank(&m->c, at)) {
        if (m->c.n > at + 1) row->state = TN_STATE_EMPTY;
        return TN_OK;
    }
    const tni_csv_field *label = &m->c.fields[at];
    const bool boxed =
        m->c.n > at + 1 && tni_field_f64(m->c.fields[at + 1].text, &v);
    if (!boxed) {
        for (size_t i = at; i < m->c.n; i++)
            if (m->c.fields[i].text.len > 0)
                TN_TRY(add_tag(m, a.image, m->c.fields[i].text));
        return TN_OK;
    }
    a.flags = TN_HAS_BOX;
    a.class_index = TN_NONE;
    TN_TRY(read_corners(m, at + 1, a.box));
    if (label->text.len > 0)
        TN_TRY(tni_class_named(&m->classes, label->text, a.where,
                               &a.class_index, m->err));
    return tni_add_annotation(m->d, &a, &ann, m->err);
}

/* --- tables -------------------------------------------------------------- */

/* name,number: the classes in their order. */
static tn_status read_mapping_row(manifest *m)
{
    uint32_t cls = 0;
    int64_t id = 0;
    if (m->c.n != 2 || !tni_field_i64(m->c.fields[1].text, &id))
        return tni_csv_fail(&m->c, NULL,
                            "found %zu fields in a list of classes, expected a "
                            "name and a number",
                            m->c.n);
    TN_TRY(tni_class_named(&m->classes, m->c.fields[0].text, here(m), &cls,
                           m->err));
    tni_class_row *row = tni_class_at(m->d, cls);
    row->id_kind = TN_ID_INT;
    row->id = id;
    m->listed = true;
    return TN_OK;
}

static tn_status check_width(manifest *m)
{
    if (m->t.kind != TNI_TABLE_ROWS && m->t.kind != TNI_TABLE_ONE_HOT)
        return TN_OK;
    if (m->c.n == m->t.n_columns ||
        (m->c.n > m->t.n_columns && tni_csv_is_blank(&m->c, m->t.n_columns)))
        return TN_OK;
    return tni_csv_fail(&m->c, NULL,
                        "found %zu fields, expected %zu as in the first line",
                        m->c.n, m->t.n_columns);
}

static tn_status read_record(manifest *m)
{
    TN_TRY(check_width(m));
    switch (m->t.kind) {
    case TNI_TABLE_MAPPING: return read_mapping_row(m);
    case TNI_TABLE_AUTOML: return read_automl(m);
    case TNI_TABLE_ONE_HOT: return read_one_hot(m);
    default: return read_row(m);
    }
}

/* All the folders where images of a table may lie. */
static tn_status set_roots(manifest *m, const part *p)
{
    const char *own = tni_folder_of(m->r, p->path);
    const char *up = own != NULL ? tni_folder_of(m->r, own) : NULL;
    size_t n = 0;
    if (up == NULL) return no_memory(m->err);
    const char *bases[2] = {m->r->images != NULL ? m->r->images : own, up};
    /* Above it only where that is still the dataset. */
    const bool below = m->r->is_dir && m->r->images == NULL &&
                       strlen(own) > strlen(m->r->path);
    const int n_bases = below ? 2 : 1;
    for (int k = 0; k < n_bases; k++) {
        const char *in = tni_join(m->r, bases[k], "images");
        if (in == NULL) return no_memory(m->err);
        if (p->split != NULL) {
            m->roots[n++] = tni_join(m->r, bases[k], p->split);
            m->roots[n++] = tni_join(m->r, in, p->split);
        }
        m->roots[n++] = bases[k];
        m->roots[n++] = in;
    }
    m->roots[n] = NULL;
    for (size_t i = 0; i < n; i++)
        if (m->roots[i] == NULL) return no_memory(m->err);
    return TN_OK;
}

/* What the table is: as the variant has it, else as it looks. */
static tn_status understand(manifest *m, part *p, tni_span text)
{
    const bool one_hot =
        m->variant != NULL && strcmp(m->variant, "multiclass") == 0;
    (void)tni_table_probe(&m->t, text, p->name, &m->lines);
    if (one_hot && m->t.header) m->t.kind = TNI_TABLE_ONE_HOT;
    if (m->t.kind == TNI_TABLE_ONE_HOT) m->t.meanings = 0;
    p->variant = m->t.kind == TNI_TABLE_ONE_HOT  ? "multiclass"
                 : m->t.kind == TNI_TABLE_AUTOML ? "automl"
                 : m->t.meanings == 0            ? "classification"
                 : !m->t.header && m->t.at[TNI_COL_CLASS] == 5 ? "retinanet"
                                                               : NULL;
    if (m->t.kind != TNI_TABLE_NONE) return TN_OK;
    if (m->t.no_memory) return no_memory(m->err);
    tni_csv_init(&m->c, text, tni_csv_delimiter(text), &m->lines, m->err);
    (void)tni_csv_next(&m->c);
    TN_TRY(m->c.status);
    return tni_fail(m->err, TN_EFORMAT,
                    "line 1: no table of images; expected a header with a "
                    "column for the image (filename, image_id, ...) and one "
                    "for the class or the box (class, label, xmin, bbox, ...), "
                    "or rows of path,x1,y1,x2,y2,class");
}

static tn_status read_records(manifest *m, part *p, tni_span text)
{
    uint32_t n = 0;
    TN_TRY(understand(m, p, text));
    tni_csv_init(&m->c, text, tni_csv_delimiter(text), &m->lines, m->err);
    m->c.trim = true;
    if (m->t.header && !tni_csv_next(&m->c)) return m->c.status;
    if (m->t.kind == TNI_TABLE_ONE_HOT) {
        m->listed = true;
        for (size_t i = 0; i < m->t.n_columns; i++) {
            uint32_t cls = 0;
            if ((int32_t)i == m->t.at[TNI_COL_IMAGE]) continue;
            TN_TRY(tni_class_named(&m->classes, tni_span_of(m->t.names[i]),
                                   tni_where(m->source, 0), &cls, m->err));
        }
    }
    while (tni_csv_next(&m->c)) {
        TN_TRY(read_record(m));
        if ((++n & 1023) == 0)
            TN_TRY(tni_reader_progress(m->r, m->c.offset, text.len, m->err));
    }
    return m->c.status;
}

static tn_status read_part(manifest *m, part *p)
{
    tni_span text = {NULL, 0};
    TN_TRY(tni_source_open(m->d, p->path, &m->source, &text, m->err));
    const size_t good = tni_utf8_valid(text.p, text.len);
    tn_status status = TN_OK;
    m->split = TN_NONE;
    if (good < text.len)
        status =
            tni_fail_at(m->err, TN_EFORMAT, good,
                        "byte %zu is not UTF-8; save the file as UTF-8", good);
    if (status == TN_OK && p->split != NULL)
        status =
            tni_add_split(m->d, p->split, strlen(p->split), &m->split, m->err);
    if (status == TN_OK) status = set_roots(m, p);
    p->first = m->d->anns.n;
    tni_arena_init(&m->lines, &m->d->mem, 1 << 12);
    if (status == TN_OK) status = read_records(m, p, text);
    tni_arena_fini(&m->lines);
    m->t.names = NULL;
    p->end = m->d->anns.n;
    p->meanings = m->t.meanings;
    if (status != TN_OK) tni_err_where(m->err, "%s", p->path);
    return status;
}

/* --- the whole ----------------------------------------------------------- */

/* An image beside those that are named, which nobody has labelled. */
static tn_status add_beside(manifest *m, const place *p, const char *base)
{
    tni_image_row row;
    uint32_t image = 0;
    bool fresh = false;
    const char *file = tni_join(m->r, p->path, base);
    if (file == NULL ||
        tni_strmap_add(&m->used, file, strlen(file), &fresh) == NULL)
        return no_memory(m->err);
    if (!fresh) return TN_OK;
    const size_t n = strlen(p->prefix), len = strlen(base);
    char *name = tni_arena_alloc(&m->d->arena, n + len + 1, 1);
    memset(&row, 0, sizeof row);
    row.file = tni_keep(m->d, file, strlen(file));
    if (name == NULL || row.file == NULL) return no_memory(m->err);
    memcpy(name, p->prefix, n);
    memcpy(name + n, base, len + 1);
    row.name = name;
    row.splits = p->splits;
    TN_TRY(tni_add_image(m->d, &row, &image, m->err));
    return tni_read_header(m->r, image, m->err);
}

static tn_status add_unnamed(manifest *m)
{
    for (const place *p = m->first_place; p != NULL; p = p->next) {
        const tni_dir_entry *e = NULL;
        size_t n = 0;
        TN_TRY(tni_list(m->r, p->path, &e, &n, m->err));
        for (size_t i = 0; i < n; i++)
            if (!e[i].is_dir && e[i].name[0] != '.' &&
                tni_is_image_name(e[i].name))
                TN_TRY(add_beside(m, p, e[i].name));
    }
    return TN_OK;
}

static bool is_table_name(const char *name)
{
    return name[0] != '.' &&
           (tni_ends_with(name, ".csv") || tni_ends_with(name, ".tsv"));
}

/* Whether a folder holds tables of all splits rather than those of one. */
static bool is_shelf(const char *name)
{
    static const char *const names[] = {"annotations", "labels", "data", "csv",
                                        "ann"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* What a file is; its split, when nothing else says it, by its name. */
static tn_status fill_part(manifest *m, part *p, const char *path,
                           const char *split)
{
    tni_table t;
    tni_span word;
    tni_probe look;
    const char *slash = strrchr(path, '/');
    memset(&look, 0, sizeof look);
    look.r = m->r;
    memset(p, 0, sizeof *p);
    p->path = path;
    p->name = slash != NULL ? slash + 1 : path; /* inside path */
    p->split = split;
    p->kind = tni_table_probe(&t, tni_probe_head(&look, path), p->name,
                              &m->r->scratch);
    if (t.no_memory) return no_memory(m->err);
    p->has_sets = p->kind != TNI_TABLE_NONE && t.at[TNI_COL_SPLIT] >= 0;
    if (split != NULL || p->kind == TNI_TABLE_MAPPING || p->has_sets ||
        !tni_csv_split_of(p->name, &word))
        return TN_OK;
    p->by_name = true;
    p->split = tni_arena_strndup(&m->r->scratch, word.p, word.len);
    return p->split != NULL ? TN_OK : no_memory(m->err);
}

static tn_status add_table(manifest *m, const char *folder, const char *name,
                           const char *split)
{
    part *p = &m->parts[m->n_parts];
    const char *path = tni_join(m->r, folder, name);
    if (path == NULL) return no_memory(m->err);
    TN_TRY(fill_part(m, p, path, split));
    if (p->kind == TNI_TABLE_NONE)
        return tni_note_add(m->d, 0, "other-file", m->err,
                            "%.200s is no table of images", path);
    m->n_parts++;
    return TN_OK;
}

static tn_status add_folder(manifest *m, const char *folder, const char *split,
                            bool top)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(m->r, folder, &e, &n, m->err));
    part *more = TNI_NEW_ARRAY(&m->r->scratch, part, m->n_parts + n + 1);
    if (more == NULL) return no_memory(m->err);
    if (m->n_parts > 0) memcpy(more, m->parts, m->n_parts * sizeof *more);
    m->parts = more;
    for (size_t i = 0; i < n; i++)
        if (!e[i].is_dir && is_table_name(e[i].name))
            TN_TRY(add_table(m, folder, e[i].name, split));
    for (size_t i = 0; top && i < n; i++) {
        const char *sub = tni_join(m->r, folder, e[i].name);
        if (sub == NULL) return no_memory(m->err);
        if (e[i].is_dir && e[i].name[0] != '.')
            TN_TRY(add_folder(m, sub, is_shelf(e[i].name) ? NULL : e[i].name,
                              false));
    }
    return TN_OK;
}

/* Whether a table beside this one has a split by its name. */
static bool beside_splits(const manifest *m, const part *p)
{
    const size_t n = (size_t)(p->name - p->path);
    for (size_t i = 0; i < m->n_parts; i++) {
        const part *q = &m->parts[i];
        if (q->by_name && (size_t)(q->name - q->path) == n &&
            memcmp(q->path, p->path, n) == 0)
            return true;
    }
    return false;
}

/* A table of everything beside those of its splits says everything twice. */
static tn_status drop_wholes(manifest *m)
{
    bool any = false;
    for (size_t i = 0; i < m->n_parts; i++) any = any || m->parts[i].by_name;
    for (size_t i = 0; any && i < m->n_parts; i++) {
        part *p = &m->parts[i];
        if (p->split != NULL || p->kind == TNI_TABLE_MAPPING || p->has_sets ||
            !beside_splits(m, p))
            continue;
        p->kind = TNI_TABLE_NONE;
        TN_TRY(tni_note_add(m->d, 0, "table-unused", m->err,
                            "%.200s names no split, others beside it do; give "
                            "its path to read it alone",
                            p->path));
    }
    size_t n = 0;
    for (size_t i = 0; i < m->n_parts; i++)
        if (m->parts[i].kind != TNI_TABLE_NONE) m->parts[n++] = m->parts[i];
    m->n_parts = n;
    return TN_OK;
}

static tn_status find_parts(manifest *m)
{
    if (m->r->is_dir) {
        TN_TRY(add_folder(m, m->r->path, NULL, true));
        TN_TRY(drop_wholes(m));
    } else {
        m->parts = TNI_NEW(&m->r->scratch, part);
        if (m->parts == NULL) return no_memory(m->err);
        TN_TRY(fill_part(m, &m->parts[m->n_parts++], m->r->path, NULL));
    }
    for (size_t i = 0; i < m->n_parts; i++)
        if (m->parts[i].kind != TNI_TABLE_MAPPING) return TN_OK;
    return tni_fail(m->err, TN_ENOTFOUND,
                    "the folder has no table of images; expected *.csv or "
                    "<split>/*.csv with a header such as filename,width,height,"
                    "class,xmin,ymin,xmax,ymax");
}

tn_status tni_csv_read(tni_reader *r, tn_err *err)
{
    manifest *m = TNI_NEW(&r->scratch, manifest);
    if (m == NULL) return no_memory(err);
    m->r = r;
    m->d = r->d;
    m->err = err;
    m->variant = r->variant;
    m->meaning = tni_csv_meaning(r->variant);
    m->last_place = &m->first_place;
    m->draft = tni_draft_new(&r->scratch, err);
    if (m->draft == NULL) return TN_ENOMEM;
    tni_classes_init(&m->classes, r);
    tni_image_set_init(&m->images, r);
    tni_strmap_init(&m->places, &r->scratch);
    tni_strmap_init(&m->used, &r->scratch);
    r->d->variant = r->variant;
    TN_TRY(find_parts(m));
    for (int mapping = 1; mapping >= 0; mapping--)
        for (size_t i = 0; i < m->n_parts; i++)
            if ((m->parts[i].kind == TNI_TABLE_MAPPING) == (mapping == 1))
                TN_TRY(read_part(m, &m->parts[i]));
    TN_TRY(tni_csv_settle(m->d, m->parts, m->n_parts, m->meaning, err));
    if (r->is_dir) TN_TRY(add_unnamed(m));
    return m->listed ? TN_OK : tni_classes_sort(&m->classes, err);
}
