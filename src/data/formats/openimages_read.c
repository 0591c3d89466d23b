/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openimages_read.c - Open Images: reading
 *
 * Tables are told by their columns, splits by the front of their names or the
 * column Subset. An image is its id, whatever tables name it. What is 1 in a
 * flag is the model's flag, what is 0 is kept as false among the attributes,
 * what is -1 (nobody knows) is nothing.
 */
#include "data/formats/openimages.h"

#include "base/utf8.h"
#include "data/formats/csv_extras.h"

#include <math.h>
#include <stdio.h>

enum { PATH_SIZE = 4096, MAX_ROOTS = 8, MAX_DEPTH = 32 };

typedef enum column {
    C_IMAGE,
    C_SOURCE,
    C_LABEL,
    C_CONFIDENCE,
    C_XMIN,
    C_YMIN,
    C_XMAX,
    C_YMAX,
    C_FLAGS,
    C_MASK = C_FLAGS + TNI_OI_N_FLAGS,
    C_SUBSET,
    C_ROTATION,
    N_COLUMNS
} column;

static const char *const column_names[N_COLUMNS] = {
    "ImageID",    "Source",      "LabelName", "Confidence",
    "XMin",       "YMin",        "XMax",      "YMax",
    "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction",
    "IsInside",   "MaskPath",    "Subset",    "Rotation"};

typedef struct table {
    const char *path, *name, *split;
    tni_oi_kind kind;
} table;

/* Relationships of an image, one after the other. */
typedef struct relation {
    struct relation *next;
    tni_span text;
} relation;

typedef struct openimages {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_strmap images;  /* id to row + 1 */
    tni_strmap labels;  /* LabelName to class + 1 */
    tni_strmap related; /* id to list of relations */
    tni_classes classes;
    tni_draft *draft;
    table *tables;
    size_t n_tables;
    const char *roots[MAX_ROOTS + 1];
    bool described;
    /* The table at hand. */
    tni_arena lines;
    tni_csv c;
    int32_t at[N_COLUMNS];
    const char **names;
    size_t n_names;
    uint32_t source, split;
    const table *t;
} openimages;

const char *const tni_oi_extensions[] = {".jpg",  ".jpeg", ".png",  ".JPG",
                                         ".JPEG", ".PNG",  ".webp", ".bmp",
                                         ".tif",  ".tiff", ".gif",  NULL};

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- fields -------------------------------------------------------------- */

static const tni_csv_field *field(const openimages *o, int which)
{
    const int32_t at = o->at[which];
    if (at < 0 || (size_t)at >= o->c.n || o->c.fields[at].text.len == 0)
        return NULL;
    return &o->c.fields[at];
}

static uint64_t here(const openimages *o)
{
    return tni_where(o->source, o->c.offset);
}

static tn_status number(openimages *o, int which, double *out)
{
    const tni_csv_field *f = field(o, which);
    if (f != NULL && tni_field_f64(f->text, out)) return TN_OK;
    return tni_csv_fail(&o->c, f,
                        "found '%.*s' as %s, expected a finite number",
                        f == NULL          ? 0
                        : f->text.len > 40 ? 40
                                           : (int)f->text.len,
                        f != NULL ? f->text.p : "", column_names[which]);
}

/* --- images -------------------------------------------------------------- */

/* The file of an id, whatever its extension; names end as it does. */
static tn_status find_file(openimages *o, uint32_t image, const char *id,
                           bool whole)
{
    char text[PATH_SIZE];
    tni_image_row *row = tni_image_at(o->d, image);
    const char *own = row->name;
    for (size_t i = 0; row->file == NULL; i++) {
        const char *end = whole ? "" : tni_oi_extensions[i];
        if (end == NULL) return TN_OK;
        const int n = snprintf(text, sizeof text, "%s%s", id, end);
        if (n < 0 || (size_t)n >= sizeof text) return TN_OK;
        row->name = text;
        const tn_status status = tni_find_image(o->r, image, o->roots, o->err);
        row->name = own;
        TN_TRY(status);
        if (row->file != NULL && !whole && i > 0) {
            row->name = tni_keep(o->d, text, (size_t)n);
            if (row->name == NULL) return no_memory(o->err);
        }
        if (whole) return TN_OK;
    }
    return TN_OK;
}

static tn_status set_roots(openimages *o, uint32_t split)
{
    const char *top =
        o->r->is_dir ? o->r->path : tni_folder_of(o->r, o->r->path);
    const char *name = split != TN_NONE ? o->d->splits[split] : NULL;
    char text[PATH_SIZE];
    size_t n = 0;
    if (top == NULL) return no_memory(o->err);
    if (o->r->images != NULL) top = o->r->images;
    for (size_t i = 0; i < 4; i++) {
        static const char *const folders[4] = {"images/", "", "images", "data"};
        if (i < 2 && name == NULL) continue;
        (void)snprintf(text, sizeof text, "%s%s", folders[i],
                       i < 2 ? name : "");
        o->roots[n] = tni_join(o->r, top, text);
        if (o->roots[n++] == NULL) return no_memory(o->err);
    }
    o->roots[n++] = top;
    o->roots[n] = NULL;
    return TN_OK;
}

static tn_status image_by_id(openimages *o, tni_span id, uint32_t split,
                             uint32_t *image)
{
    bool fresh = false;
    char *key = tni_arena_strndup(&o->r->scratch, id.p, id.len);
    void **slot =
        key != NULL ? tni_strmap_add(&o->images, key, id.len, &fresh) : NULL;
    if (slot == NULL) return no_memory(o->err);
    if (fresh) {
        tni_image_row row;
        const bool whole = tni_is_image_name(key);
        char *name = tni_arena_alloc(&o->d->arena, id.len + 5, 1);
        if (name == NULL) return no_memory(o->err);
        memcpy(name, key, id.len + 1);
        if (!whole) memcpy(name + id.len, ".jpg", 5);
        memset(&row, 0, sizeof row);
        row.name = name;
        row.where = here(o);
        TN_TRY(tni_add_image(o->d, &row, image, o->err));
        *slot = (void *)((uintptr_t)*image + 1);
    }
    *image = (uint32_t)((uintptr_t)*slot - 1);
    tni_image_row *row = tni_image_at(o->d, *image);
    if (split != TN_NONE) row->splits |= UINT64_C(1) << split;
    if (!fresh && (split == TN_NONE || row->file != NULL)) return TN_OK;
    TN_TRY(set_roots(o, split));
    return find_file(o, *image, key, tni_is_image_name(key));
}

static tn_status image_of(openimages *o, uint32_t *image)
{
    const tni_csv_field *f = field(o, C_IMAGE);
    if (f == NULL) return tni_csv_fail(&o->c, NULL, "a row without an ImageID");
    return image_by_id(o, f->text, o->split, image);
}

/* --- classes ------------------------------------------------------------- */

static tn_status class_of(openimages *o, tni_span label, tni_span name,
                          uint32_t *cls)
{
    bool fresh = false;
    char *key = tni_arena_strndup(&o->r->scratch, label.p, label.len);
    void **slot =
        key != NULL ? tni_strmap_add(&o->labels, key, label.len, &fresh) : NULL;
    if (slot == NULL) return no_memory(o->err);
    if (fresh) {
        tni_class_row row;
        memset(&row, 0, sizeof row);
        row.name = tni_intern(o->d, name.p, name.len);
        row.where = here(o);
        if (row.name == NULL) return no_memory(o->err);
        if (label.len != name.len || memcmp(label.p, name.p, name.len) != 0) {
            const char *id = tni_intern(o->d, label.p, label.len);
            if (id == NULL) return no_memory(o->err);
            row.id_kind = TN_ID_TEXT;
            row.id = (int64_t)(intptr_t)id;
        }
        TN_TRY(tni_add_class(o->d, &row, cls, o->err));
        *slot = (void *)((uintptr_t)*cls + 1);
    }
    *cls = (uint32_t)((uintptr_t)*slot - 1);
    return TN_OK;
}

static tn_status label_of(openimages *o, uint32_t *cls)
{
    const tni_csv_field *f = field(o, C_LABEL);
    *cls = TN_NONE;
    if (f == NULL)
        return tni_csv_fail(&o->c, NULL, "a row without a LabelName");
    return class_of(o, f->text, f->text, cls);
}

/* --- rows ---------------------------------------------------------------- */

static bool known_column(const char *name)
{
    for (int k = 0; k < N_COLUMNS; k++)
        if (k < C_SUBSET && strcmp(column_names[k], name) == 0) return true;
    static const char *const boxes[] = {"BoxXMin", "BoxXMax", "BoxYMin",
                                        "BoxYMax"};
    for (size_t k = 0; k < sizeof boxes / sizeof boxes[0]; k++)
        if (strcmp(boxes[k], name) == 0) return true;
    return false;
}

bool tni_oi_is_column(const char *name)
{
    return known_column(name);
}

bool tni_oi_is_image_column(const char *name)
{
    return strcmp(name, "ImageID") == 0 || strcmp(name, "Subset") == 0 ||
           strcmp(name, TNI_OI_RELATIONS_KEY) == 0;
}

static tn_status keep_extras(openimages *o, bool of_image, uint32_t row)
{
    for (size_t i = 0; i < o->n_names && i < o->c.n; i++) {
        const tni_csv_field *f = &o->c.fields[i];
        tni_span text;
        if (f->text.len == 0 || known_column(o->names[i]) ||
            (of_image && tni_oi_is_image_column(o->names[i])))
            continue;
        TN_TRY(tni_extra_member(o->draft, o->d, o->names[i], f->text, &text));
        TN_TRY(of_image
                   ? tni_set_image_text(o->d, row, TN_TEXT_EXTRA, text, o->err)
                   : tni_set_text(o->d, row, TN_TEXT_EXTRA, text, o->err));
    }
    return TN_OK;
}

/* The flags of a box: 1, 0 or -1; where the column is not there, -1. */
static tn_status read_flags(openimages *o, uint32_t *flags, int8_t values[])
{
    for (int k = 0; k < TNI_OI_N_FLAGS; k++) {
        const tni_csv_field *f = field(o, C_FLAGS + k);
        int64_t v = -1;
        if (f != NULL && (!tni_field_i64(f->text, &v) || v < -1 || v > 1))
            return tni_csv_fail(&o->c, f,
                                "found '%.*s' as %s, expected 0, 1 or -1",
                                f->text.len > 40 ? 40 : (int)f->text.len,
                                f->text.p, tni_oi_flags[k].name);
        values[k] = (int8_t)v;
        if (v == 1) *flags |= tni_oi_flags[k].flag;
        if (tni_oi_flags[k].flag == TN_IS_CROWD && v >= 0)
            *flags |= TN_SAYS_CROWD;
    }
    return TN_OK;
}

/* Attributes: the source, and what the model has no flags for. Rows say the
 * same over and over: the text is kept once. */
static tn_status put_attributes(openimages *o, uint32_t ann,
                                const int8_t *values)
{
    const tni_csv_field *from = field(o, C_SOURCE);
    tni_out *out = tni_draft_begin(o->draft);
    const char *between = "{";
    tni_span text;
    if (from != NULL) {
        tni_out_str(out, "{\"Source\": ");
        tni_out_json(out, from->text.p, from->text.len);
        between = ", ";
    }
    for (int k = 0; values != NULL && k < TNI_OI_N_FLAGS; k++) {
        const uint32_t flag = tni_oi_flags[k].flag;
        if (values[k] < 0 || flag == TN_IS_CROWD ||
            (flag != 0 && values[k] > 0))
            continue;
        tni_out_str(out, between);
        between = ", ";
        tni_out_json(out, tni_oi_flags[k].name, strlen(tni_oi_flags[k].name));
        tni_out_str(out, values[k] > 0 ? ": true" : ": false");
    }
    tni_out_str(out, "}");
    TN_TRY(tni_draft_end(o->draft, &text));
    if (between[0] == '{') return TN_OK;
    text.p = tni_intern(o->d, text.p, text.len);
    if (text.p == NULL) return no_memory(o->err);
    return tni_set_text(o->d, ann, TN_TEXT_ATTRIBUTES, text, o->err);
}

/* "1" is what people say of what they see; any other is a score. */
static tn_status read_confidence(openimages *o, double *score, bool *scored)
{
    const tni_csv_field *f = field(o, C_CONFIDENCE);
    *scored = false;
    if (f == NULL || tni_span_is(f->text, "1")) return TN_OK;
    TN_TRY(number(o, C_CONFIDENCE, score));
    *scored = true;
    return TN_OK;
}

static tn_status read_edges(openimages *o, tni_ann *a)
{
    for (int k = 0; k < 4; k++) TN_TRY(number(o, C_XMIN + k, &a->box[k]));
    a->flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY) | TNI_SCALE(TN_SCALE_UNIT);
    return TN_OK;
}

static tn_status read_box(openimages *o)
{
    tni_ann a;
    uint32_t ann = 0;
    double score = 0.0;
    bool scored = false;
    int8_t values[TNI_OI_N_FLAGS];
    memset(&a, 0, sizeof a);
    a.where = here(o);
    TN_TRY(image_of(o, &a.image));
    TN_TRY(label_of(o, &a.class_index));
    TN_TRY(read_edges(o, &a));
    TN_TRY(read_flags(o, &a.flags, values));
    TN_TRY(read_confidence(o, &score, &scored));
    TN_TRY(tni_add_annotation(o->d, &a, &ann, o->err));
    if (scored) TN_TRY(tni_set_num(o->d, ann, TN_NUM_SCORE, score, o->err));
    TN_TRY(put_attributes(o, ann, values));
    return keep_extras(o, false, ann);
}

static tn_status read_label(openimages *o)
{
    tni_ann a;
    uint32_t ann = 0;
    double score = 0.0;
    bool scored = false;
    memset(&a, 0, sizeof a);
    a.where = here(o);
    a.flags = TN_IS_TAG;
    TN_TRY(image_of(o, &a.image));
    TN_TRY(label_of(o, &a.class_index));
    TN_TRY(read_confidence(o, &score, &scored));
    if (scored && score == 0.0) {
        a.flags |= TN_IS_NEGATIVE;
        scored = false;
    }
    TN_TRY(tni_add_annotation(o->d, &a, &ann, o->err));
    if (scored) TN_TRY(tni_set_num(o->d, ann, TN_NUM_SCORE, score, o->err));
    TN_TRY(put_attributes(o, ann, NULL));
    return keep_extras(o, false, ann);
}

/* The path of a mask from the dataset's folder, where it is there. */
static tn_status mask_path(openimages *o, tni_span name, uint32_t image,
                           const char **out)
{
    static const char *const folders[] = {"masks", "segmentations",
                                          "labels/masks", "."};
    char text[PATH_SIZE];
    const char *top =
        o->r->is_dir ? o->r->path : tni_folder_of(o->r, o->r->path);
    const uint32_t split = tni_first_split(tni_image_at(o->d, image));
    if (top == NULL) return no_memory(o->err);
    *out = tni_keep(o->d, name.p, name.len);
    if (*out == NULL) return no_memory(o->err);
    if (name.len == 0 || memchr(name.p, '/', name.len) != NULL ||
        memchr(name.p, '\\', name.len) != NULL || strcmp(*out, "..") == 0)
        return TN_OK;
    for (size_t i = 0; i < 2 * sizeof folders / sizeof folders[0]; i++) {
        if (i % 2 == 0 && split == TN_NONE) continue;
        const int n =
            i % 2 == 0
                ? snprintf(text, sizeof text, "%s/%s/%s", folders[i / 2],
                           o->d->splits[split], *out)
                : snprintf(text, sizeof text, "%s/%s", folders[i / 2], *out);
        if (n < 0 || (size_t)n >= sizeof text) continue;
        const char *path = tni_join(o->r, top, text);
        if (path == NULL) return no_memory(o->err);
        if (!tni_path_look(path).is_file) continue;
        *out = tni_keep(o->d, text, (size_t)n);
        return *out != NULL ? TN_OK : no_memory(o->err);
    }
    return TN_OK;
}

static tn_status read_mask(openimages *o)
{
    tni_ann a;
    tni_shape s;
    uint32_t ann = 0;
    const tni_csv_field *path = field(o, C_MASK);
    memset(&a, 0, sizeof a);
    memset(&s, 0, sizeof s);
    a.where = here(o);
    if (path == NULL)
        return tni_csv_fail(&o->c, NULL, "a row without a MaskPath");
    TN_TRY(image_of(o, &a.image));
    TN_TRY(label_of(o, &a.class_index));
    if (field(o, C_XMIN) != NULL) TN_TRY(read_edges(o, &a));
    TN_TRY(tni_add_annotation(o->d, &a, &ann, o->err));
    s.kind = TN_SHAPE_MASK_FILE;
    s.layout = TNI_LAYOUT_NAME;
    TN_TRY(mask_path(o, path->text, a.image, &s.text));
    s.len = (uint32_t)strlen(s.text);
    TN_TRY(tni_set_shape(o->d, ann, &s, o->err));
    return keep_extras(o, false, ann);
}

/* {"LabelName1": ..., ...}: the whole row but its image. */
static tn_status read_relation(openimages *o)
{
    uint32_t image = 0;
    bool fresh = false;
    const tni_csv_field *id = field(o, C_IMAGE);
    TN_TRY(image_of(o, &image));
    if (TN_NEVER(id == NULL)) return TN_EINTERNAL;
    relation *one = TNI_NEW(&o->r->scratch, relation);
    char *key = tni_arena_strndup(&o->r->scratch, id->text.p, id->text.len);
    void **slot = key != NULL
                      ? tni_strmap_add(&o->related, key, id->text.len, &fresh)
                      : NULL;
    if (one == NULL || slot == NULL) return no_memory(o->err);
    tni_out *out = tni_draft_begin(o->draft);
    const char *between = "{";
    for (size_t i = 0; i < o->n_names && i < o->c.n; i++) {
        const tni_span text = o->c.fields[i].text;
        double v = 0.0;
        if ((int32_t)i == o->at[C_IMAGE] || text.len == 0) continue;
        tni_out_str(out, between);
        between = ", ";
        tni_out_json(out, o->names[i], strlen(o->names[i]));
        tni_out_str(out, ": ");
        if (tni_field_f64(text, &v) && text.p[0] != '+' && text.p[0] != '.' &&
            strncmp(o->names[i], "Label", 5) != 0)
            tni_out_f64(out, v);
        else
            tni_out_json(out, text.p, text.len);
    }
    tni_out_str(out, between[0] == '{' ? "{}" : "}");
    TN_TRY(tni_draft_keep(o->draft, o->d, &one->text));
    one->next = *slot; /* newest first; turned round at the end */
    *slot = one;
    return TN_OK;
}

static tn_status read_image_row(openimages *o)
{
    uint32_t image = 0, split = o->split;
    const tni_csv_field *id = field(o, C_IMAGE), *set = field(o, C_SUBSET);
    const tni_csv_field *turned = field(o, C_ROTATION);
    if (id == NULL) return image_of(o, &image);
    if (set != NULL)
        TN_TRY(tni_add_split(o->d, set->text.p, set->text.len, &split, o->err));
    TN_TRY(image_by_id(o, id->text, split, &image));
    if (turned != NULL && !tni_span_is(turned->text, "0") &&
        !tni_span_is(turned->text, "0.0"))
        TN_TRY(tni_note_add(o->d, here(o), "image-rotation", o->err,
                            "'%.100s' is to be turned by %.*s degrees, which "
                            "its file does not say",
                            tni_image_at(o->d, image)->name,
                            turned->text.len > 20 ? 20 : (int)turned->text.len,
                            turned->text.p));
    return keep_extras(o, true, image);
}

static tn_status read_class_row(openimages *o)
{
    uint32_t cls = 0;
    if (o->c.n < 2 || o->c.fields[0].text.len == 0)
        return tni_csv_fail(&o->c, NULL,
                            "found %zu fields, expected LabelName and "
                            "DisplayName",
                            o->c.n);
    const tni_span name =
        o->c.fields[1].text.len > 0 ? o->c.fields[1].text : o->c.fields[0].text;
    o->described = true;
    return class_of(o, o->c.fields[0].text, name, &cls);
}

/* --- tables -------------------------------------------------------------- */

static tn_status read_header(openimages *o)
{
    o->n_names = o->c.n;
    o->names = TNI_NEW_ARRAY(&o->lines, const char *, o->c.n + 1);
    if (o->names == NULL) return no_memory(o->err);
    for (int k = 0; k < N_COLUMNS; k++) o->at[k] = -1;
    for (size_t i = 0; i < o->c.n; i++) {
        const tni_span text = o->c.fields[i].text;
        o->names[i] = tni_arena_strndup(&o->lines, text.p, text.len);
        if (o->names[i] == NULL) return no_memory(o->err);
        const char *plain = o->names[i];
        if (o->t->kind == TNI_OI_MASKS && strncmp(plain, "Box", 3) == 0 &&
            plain[3] != 'I')
            plain += 3;
        for (int k = 0; k < N_COLUMNS; k++)
            if (o->at[k] < 0 &&
                (strcmp(plain, column_names[k]) == 0 ||
                 (k == C_IMAGE && strcmp(plain, "ImageId") == 0)))
                o->at[k] = (int32_t)i;
    }
    return TN_OK;
}

static tn_status read_record(openimages *o)
{
    if (o->c.n > o->n_names && !tni_csv_is_blank(&o->c, o->n_names) &&
        o->t->kind != TNI_OI_CLASSES)
        return tni_csv_fail(&o->c, NULL,
                            "found %zu fields, expected at most %zu as in the "
                            "first line",
                            o->c.n, o->n_names);
    switch (o->t->kind) {
    case TNI_OI_CLASSES: return read_class_row(o);
    case TNI_OI_IMAGES: return read_image_row(o);
    case TNI_OI_BOXES: return read_box(o);
    case TNI_OI_LABELS: return read_label(o);
    case TNI_OI_MASKS: return read_mask(o);
    default: return read_relation(o);
    }
}

static tn_status read_records(openimages *o, tni_span text)
{
    uint32_t n = 0;
    tni_csv_init(&o->c, text, ',', &o->lines, o->err);
    o->n_names = 0;
    while (tni_csv_next(&o->c)) {
        const bool header =
            n == 0 && (o->t->kind != TNI_OI_CLASSES ||
                       tni_span_is(o->c.fields[0].text, "LabelName"));
        TN_TRY(header ? read_header(o) : read_record(o));
        if ((++n & 1023) == 0)
            TN_TRY(tni_reader_progress(o->r, o->c.offset, text.len, o->err));
    }
    return o->c.status;
}

static tn_status read_table(openimages *o, const table *t)
{
    tni_span text = {NULL, 0};
    o->t = t;
    o->split = TN_NONE;
    TN_TRY(tni_source_open(o->d, t->path, &o->source, &text, o->err));
    const size_t good = tni_utf8_valid(text.p, text.len);
    tn_status status = TN_OK;
    if (good < text.len)
        status =
            tni_fail_at(o->err, TN_EFORMAT, good,
                        "byte %zu is not UTF-8; save the file as UTF-8", good);
    if (status == TN_OK && t->split != NULL)
        status =
            tni_add_split(o->d, t->split, strlen(t->split), &o->split, o->err);
    tni_arena_init(&o->lines, &o->d->mem, 1 << 12);
    if (status == TN_OK) status = read_records(o, text);
    tni_arena_fini(&o->lines);
    if (status != TN_OK) tni_err_where(o->err, "%s", t->path);
    return status;
}

/* --- hierarchy and sizes ----------------------------------------------------- */

/* What a label is called: its class, else itself. */
static const char *name_of_label(const openimages *o, tni_span label,
                                 uint32_t *cls)
{
    void **slot = tni_strmap_find(&o->labels, label.p, label.len);
    *cls = slot != NULL ? (uint32_t)((uintptr_t)*slot - 1) : TN_NONE;
    if (slot != NULL) return tni_class_at(o->d, *cls)->name;
    return tni_intern(o->d, label.p, label.len);
}

/* A node and what is below it; its first parent, but for the root, is the
 * class's. */
static tn_status read_node(openimages *o, tni_json *j, const char *parent,
                           int depth)
{
    tni_span key, label = {NULL, 0};
    tni_json lists[4];
    int n = 0;
    if (depth == MAX_DEPTH)
        return tni_fail(o->err, TN_ELIMIT,
                        "categories are nested more than %d deep",
                        (int)MAX_DEPTH);
    bool escaped = false;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        if (tni_span_is(key, "LabelName")) {
            if (!tni_json_string(j, &label, &escaped)) return j->status;
        } else if (n < 4 && tni_span_is(key, "Subcategory")) {
            (void)tni_json_peek(j);
            lists[n++] = *j;
            if (!tni_json_skip(j, NULL)) return j->status;
        } else if (!tni_json_skip(j, NULL)) {
            return j->status;
        }
    }
    TN_TRY(j->status);
    if (label.p == NULL) {
        (void)tni_json_fail(j, j->p, "a category without a LabelName");
        return j->status;
    }
    uint32_t cls = TN_NONE;
    const char *name = name_of_label(o, label, &cls);
    if (name == NULL) return no_memory(o->err);
    if (cls != TN_NONE && parent != NULL &&
        tni_class_at(o->d, cls)->parent == NULL)
        tni_class_at(o->d, cls)->parent = parent;
    for (int i = 0; i < n; i++)
        if (tni_json_enter(&lists[i], '['))
            while (tni_json_item(&lists[i]))
                TN_TRY(read_node(o, &lists[i], depth > 0 ? name : NULL,
                                 depth + 1));
    return TN_OK;
}

static tn_status read_hierarchy(openimages *o, const char *path)
{
    tni_jsonfile f;
    tni_meta meta;
    TN_TRY(tni_jsonfile_open(&f, o->r, path, o->err));
    (void)tni_json_peek(&f.j);
    memset(&meta, 0, sizeof meta);
    tni_json at = f.j;
    if (tni_json_skip(&f.j, &meta.value)) (void)!tni_json_end(&f.j);
    tn_status status = f.j.status;
    if (status == TN_OK) status = read_node(o, &at, NULL, 0);
    if (status != TN_OK) {
        tni_err_where(o->err, "%s", path);
        return status;
    }
    meta.key = TNI_OI_HIERARCHY;
    meta.split = TN_NONE;
    meta.where = tni_where(f.source, 0);
    return tni_add_meta(o->d, &meta, o->err);
}

/* images.meta, as Datumaro and CVAT write it: id, height, width; an id with
 * spaces is quoted. */
static tn_status read_sizes(openimages *o, const char *path)
{
    tni_span text = {NULL, 0}, line;
    tni_lines l;
    TN_TRY(tni_source_open(o->d, path, &o->source, &text, o->err));
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line)) {
        int64_t h = 0, w = 0;
        tni_span f[3], rest = tni_trim(line), id = {NULL, 0};
        if (rest.len == 0 || rest.p[0] == '#') continue;
        if (rest.p[0] == '"' || rest.p[0] == '\'') {
            const char *end = memchr(rest.p + 1, rest.p[0], rest.len - 1);
            if (end != NULL) {
                id.p = rest.p + 1;
                id.len = (size_t)(end - id.p);
                rest.len -= (size_t)(end + 1 - rest.p);
                rest.p = end + 1;
            }
        }
        const size_t n = tni_fields(rest, f, 3), want = id.p != NULL ? 2 : 3;
        if (n != want || !tni_field_i64(f[n - 2], &h) ||
            !tni_field_i64(f[n - 1], &w) || h < 1 || w < 1 || h > INT32_MAX ||
            w > INT32_MAX) {
            tni_err_where(o->err, "%s, line %d", path, l.number);
            return tni_fail_at(o->err, TN_EFORMAT, (uint64_t)(line.p - l.start),
                               "found '%.*s', expected an image's id, height "
                               "and width",
                               line.len > 60 ? 60 : (int)line.len, line.p);
        }
        if (id.p == NULL) id = f[0];
        void **slot = tni_strmap_find(&o->images, id.p, id.len);
        if (slot == NULL) continue;
        tni_image_row *row =
            tni_image_at(o->d, (uint32_t)((uintptr_t)*slot - 1));
        row->height = (int32_t)h;
        row->width = (int32_t)w;
    }
    return TN_OK;
}

/* --- the whole ----------------------------------------------------------- */

static bool is_hierarchy(const openimages *o, const char *path)
{
    tni_probe p;
    memset(&p, 0, sizeof p);
    p.r = o->r;
    const tni_span head = tni_probe_head(&p, path);
    return tni_has_text(head, "\"LabelName\"") &&
           (tni_has_text(head, "\"Subcategory\"") ||
            tni_has_text(head, "\"Part\""));
}

/* The split in front of what a table is: "oidv6-train-annotations-bbox". */
static const char *split_of(tni_reader *r, const char *name)
{
    static const char *const fronts[] = {"oidv4-",          "oidv5-",
                                         "oidv6-",          "oidv7-",
                                         "challenge-2018-", "challenge-2019-"};
    static const char *const marks[] = {"-annotations-", "-images-",
                                        "-image_ids"};
    for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++)
        if (strncmp(name, fronts[i], strlen(fronts[i])) == 0)
            name += strlen(fronts[i]);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *end = strstr(name, marks[i]);
        if (end == NULL || end == name) continue;
        return tni_arena_strndup(&r->scratch, name, (size_t)(end - name));
    }
    return NULL;
}

static tn_status add_table(openimages *o, const char *folder, const char *name)
{
    tni_probe p;
    tni_csv c;
    memset(&p, 0, sizeof p);
    p.r = o->r;
    table *t = &o->tables[o->n_tables];
    t->path = tni_join(o->r, folder, name);
    if (t->path == NULL) return no_memory(o->err);
    tni_csv_init(&c, tni_probe_head(&p, t->path), ',', &o->r->scratch, NULL);
    t->kind = tni_csv_next(&c) ? tni_oi_kind_of(&c) : TNI_OI_NONE;
    if (c.status == TN_ENOMEM) return no_memory(o->err);
    t->name = name;
    t->split = t->kind != TNI_OI_CLASSES ? split_of(o->r, name) : NULL;
    if (t->kind != TNI_OI_NONE) {
        o->n_tables++;
        return TN_OK;
    }
    return tni_note_add(o->d, 0, "other-file", o->err,
                        "%.200s is no table of Open Images that is read "
                        "(boxes, labels, masks, relationships, images, "
                        "classes)",
                        t->path);
}

/* Tables of a folder; beside a single file only the classes. */
static tn_status read_folder(openimages *o, const char *folder,
                             const char *only)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(o->r, folder, &e, &n, o->err));
    o->tables = TNI_NEW_ARRAY(&o->r->scratch, table, n + 1);
    o->n_tables = 0;
    if (o->tables == NULL) return no_memory(o->err);
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir || e[i].name[0] == '.' ||
            !tni_ends_with(e[i].name, ".csv"))
            continue;
        const bool asked = only != NULL && strcmp(only, e[i].name) == 0;
        if (only != NULL && !asked && strstr(e[i].name, "class") == NULL)
            continue;
        TN_TRY(add_table(o, folder, e[i].name));
        if (only != NULL && !asked && o->n_tables > 0 &&
            o->tables[o->n_tables - 1].kind != TNI_OI_CLASSES)
            o->n_tables--;
    }
    size_t found = 0;
    for (size_t i = 0; i < o->n_tables; i++)
        found += o->tables[i].kind != TNI_OI_CLASSES;
    if (found == 0)
        return tni_fail(o->err, TN_EFORMAT,
                        "no table of Open Images here; expected columns such "
                        "as ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,"
                        "YMax");
    for (int kind = TNI_OI_CLASSES; kind < TNI_OI_KINDS; kind++)
        for (size_t i = 0; i < o->n_tables; i++)
            if ((int)o->tables[i].kind == kind)
                TN_TRY(read_table(o, &o->tables[i]));
    for (size_t i = 0; i < n; i++) {
        const char *path = tni_join(o->r, folder, e[i].name);
        if (path == NULL) return no_memory(o->err);
        if (e[i].is_dir || only != NULL) continue;
        if (strcmp(e[i].name, "images.meta") == 0) TN_TRY(read_sizes(o, path));
        if (tni_ends_with(e[i].name, ".json") && is_hierarchy(o, path))
            TN_TRY(read_hierarchy(o, path));
    }
    return TN_OK;
}

/* The relationships of each image as one member of it. */
static tn_status put_relations(openimages *o)
{
    for (uint32_t i = 0; i < o->d->images.n && o->related.n > 0; i++) {
        const char *name = tni_image_at(o->d, i)->name;
        tni_span text;
        void **slot = tni_strmap_find(&o->related, name, tni_stem_len(name));
        if (slot == NULL)
            slot = tni_strmap_find(&o->related, name, strlen(name));
        if (slot == NULL) continue;
        relation *turned = NULL;
        for (relation *p = *slot; p != NULL;) {
            relation *next = p->next;
            p->next = turned;
            turned = p;
            p = next;
        }
        tni_out *out = tni_draft_begin(o->draft);
        tni_out_str(out, "\"" TNI_OI_RELATIONS_KEY "\": [");
        for (relation *p = turned; p != NULL; p = p->next) {
            if (p != turned) tni_out_str(out, ", ");
            tni_out_bytes(out, p->text.p, p->text.len);
        }
        tni_out_str(out, "]");
        TN_TRY(tni_draft_keep(o->draft, o->d, &text));
        TN_TRY(tni_set_image_text(o->d, i, TN_TEXT_EXTRA, text, o->err));
    }
    return TN_OK;
}

tn_status tni_oi_read(tni_reader *r, tn_err *err)
{
    openimages *o = TNI_NEW(&r->scratch, openimages);
    if (o == NULL) return no_memory(err);
    o->r = r;
    o->d = r->d;
    o->err = err;
    o->draft = tni_draft_new(&r->scratch, err);
    if (o->draft == NULL) return TN_ENOMEM;
    tni_strmap_init(&o->images, &r->scratch);
    tni_strmap_init(&o->labels, &r->scratch);
    tni_strmap_init(&o->related, &r->scratch);
    tni_classes_init(&o->classes, r);
    const char *folder = r->is_dir ? tni_join(r, r->path, "annotations") : NULL;
    const char *slash = strrchr(r->path, '/');
    if (r->is_dir && folder == NULL) return no_memory(err);
    if (r->is_dir && !tni_path_look(folder).is_dir) folder = r->path;
    if (!r->is_dir) folder = tni_folder_of(r, r->path);
    if (folder == NULL) return no_memory(err);
    TN_TRY(read_folder(o, folder,
                       r->is_dir       ? NULL
                       : slash != NULL ? slash + 1
                                       : r->path));
    TN_TRY(put_relations(o));
    return o->described ? TN_OK : tni_classes_sort(&o->classes, err);
}
