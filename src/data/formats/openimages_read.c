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

#include <stdio.h>

enum { PATH_SIZE = 4096 };

static const char *const column_names[TNI_OI_N_COLUMNS] = {
    "ImageID",    "Source",      "LabelName", "Confidence",
    "XMin",       "YMin",        "XMax",      "YMax",
    "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction",
    "IsInside",   "MaskPath",    "Subset",    "Rotation"};

typedef tni_oi openimages;

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
    if (o->has_roots && o->roots_of == split) return TN_OK;
    const char *top =
        o->r->is_dir ? o->r->path : tni_folder_of(o->r, o->r->path);
    const char *name = split != TN_NONE ? o->d->splits[split] : NULL;
    char text[PATH_SIZE];
    size_t n = 0;
    if (top == NULL) return no_memory(o->err);
    if (o->r->images != NULL) top = o->r->images;
    static const char *const forms[5][2] = {
        {"images/", ""}, {"", "/data"}, {"", ""}, {"images", ""}, {"data", ""}};
    for (size_t i = 0; i < 5; i++) {
        if (i < 3 && name == NULL) continue;
        (void)snprintf(text, sizeof text, "%s%s%s", forms[i][0],
                       i < 3 ? name : "", forms[i][1]);
        o->roots[n] = tni_join(o->r, top, text);
        if (o->roots[n++] == NULL) return no_memory(o->err);
    }
    o->roots[n++] = top;
    o->roots[n] = NULL;
    o->roots_of = split;
    o->has_roots = true;
    return TN_OK;
}

/* The row of an id, made when there is none; *key is the id, terminated. */
static tn_status row_of_id(openimages *o, tni_span id, uint32_t *image,
                           const char **key, bool *fresh)
{
    void **slot = tni_strmap_find(&o->images, id.p, id.len);
    *fresh = slot == NULL;
    *key = NULL;
    if (slot != NULL) {
        *image = (uint32_t)((uintptr_t)*slot - 1);
        return TN_OK;
    }
    tni_image_row row;
    char *copy = tni_arena_strndup(&o->r->scratch, id.p, id.len);
    char *name = tni_arena_alloc(&o->d->arena, id.len + 5, 1);
    if (copy == NULL || name == NULL) return no_memory(o->err);
    memcpy(name, copy, id.len + 1);
    if (!tni_is_image_name(copy)) memcpy(name + id.len, ".jpg", 5);
    memset(&row, 0, sizeof row);
    row.name = name;
    row.where = here(o);
    TN_TRY(tni_add_image(o->d, &row, image, o->err));
    slot = tni_strmap_add(&o->images, copy, id.len, fresh);
    if (slot == NULL) return no_memory(o->err);
    *slot = (void *)((uintptr_t)*image + 1);
    *key = copy;
    return TN_OK;
}

static tn_status image_by_id(openimages *o, tni_span id, uint32_t split,
                             uint32_t *image)
{
    bool fresh = false;
    const char *key = NULL;
    TN_TRY(row_of_id(o, id, image, &key, &fresh));
    tni_image_row *row = tni_image_at(o->d, *image);
    const uint64_t bit = split != TN_NONE ? UINT64_C(1) << split : 0;
    const bool known = (row->splits & bit) == bit;
    row->splits |= bit;
    if (!fresh && (known || row->file != NULL)) return TN_OK;
    if (key == NULL) key = tni_arena_strndup(&o->r->scratch, id.p, id.len);
    if (key == NULL) return no_memory(o->err);
    TN_TRY(set_roots(o, split));
    return find_file(o, *image, key, tni_is_image_name(key));
}

static tn_status image_of(openimages *o, uint32_t *image)
{
    const tni_csv_field *f = field(o, TNI_OI_C_IMAGE);
    if (f == NULL) return tni_csv_fail(&o->c, NULL, "a row without an ImageID");
    return image_by_id(o, f->text, o->split, image);
}

/* --- classes ------------------------------------------------------------- */

static tn_status class_of(openimages *o, tni_span label, tni_span name,
                          uint32_t *cls)
{
    bool fresh = false;
    void **slot = tni_strmap_find(&o->labels, label.p, label.len);
    if (slot == NULL) {
        char *key = tni_arena_strndup(&o->r->scratch, label.p, label.len);
        if (key != NULL)
            slot = tni_strmap_add(&o->labels, key, label.len, &fresh);
    }
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
    const tni_csv_field *f = field(o, TNI_OI_C_LABEL);
    *cls = TN_NONE;
    if (f == NULL)
        return tni_csv_fail(&o->c, NULL, "a row without a LabelName");
    return class_of(o, f->text, f->text, cls);
}

/* --- rows ---------------------------------------------------------------- */

static bool known_column(const char *name)
{
    for (int k = 0; k < TNI_OI_N_COLUMNS; k++)
        if (k < TNI_OI_C_SUBSET && strcmp(column_names[k], name) == 0)
            return true;
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
        const tni_csv_field *f = field(o, TNI_OI_C_FLAGS + k);
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
    const tni_csv_field *from = field(o, TNI_OI_C_SOURCE);
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
    const tni_csv_field *f = field(o, TNI_OI_C_CONFIDENCE);
    *scored = false;
    if (f == NULL || tni_span_is(f->text, "1")) return TN_OK;
    TN_TRY(number(o, TNI_OI_C_CONFIDENCE, score));
    *scored = true;
    return TN_OK;
}

static tn_status read_edges(openimages *o, tni_ann *a)
{
    for (int k = 0; k < 4; k++)
        TN_TRY(number(o, TNI_OI_C_XMIN + k, &a->box[k]));
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

/* A mask where it may be: by split, and by the first letter of its name. */
static bool mask_place(char *text, size_t size, size_t k, const char *split,
                       const char *name)
{
    int n = -1;
    if (k == 0 && split != NULL)
        n = snprintf(text, size, "masks/%s/%s", split, name);
    if (k == 1) n = snprintf(text, size, "masks/%s", name);
    if (k == 2) n = snprintf(text, size, "%s", name);
    if (k == 3) n = snprintf(text, size, "segmentations/%s", name);
    if (k == 4 && split != NULL)
        n = snprintf(text, size, "%s/labels/masks/%c/%s", split, name[0], name);
    if (k == 5) n = snprintf(text, size, "labels/masks/%c/%s", name[0], name);
    return n > 0 && (size_t)n < size;
}

/* The path of a mask from the dataset's folder, where it is there. */
static tn_status mask_path(openimages *o, tni_span name, uint32_t image,
                           const char **out)
{
    char text[PATH_SIZE], path[2 * PATH_SIZE];
    const char *top =
        o->r->is_dir ? o->r->path : tni_folder_of(o->r, o->r->path);
    const uint32_t s = tni_first_split(tni_image_at(o->d, image));
    if (top == NULL) return no_memory(o->err);
    *out = tni_keep(o->d, name.p, name.len);
    if (*out == NULL) return no_memory(o->err);
    if (name.len == 0 || memchr(name.p, '/', name.len) != NULL ||
        memchr(name.p, '\\', name.len) != NULL || name.p[0] == '.')
        return TN_OK;
    for (size_t k = 0; k < 6; k++) {
        if (!mask_place(text, sizeof text, k,
                        s != TN_NONE ? o->d->splits[s] : NULL, *out))
            continue;
        (void)snprintf(path, sizeof path, "%.4000s/%s", top, text);
        if (!tni_path_look(path).is_file) continue;
        *out = tni_keep(o->d, text, strlen(text));
        return *out != NULL ? TN_OK : no_memory(o->err);
    }
    return TN_OK;
}

static tn_status read_mask(openimages *o)
{
    tni_ann a;
    tni_shape s;
    uint32_t ann = 0;
    const tni_csv_field *path = field(o, TNI_OI_C_MASK);
    memset(&a, 0, sizeof a);
    memset(&s, 0, sizeof s);
    a.where = here(o);
    if (path == NULL)
        return tni_csv_fail(&o->c, NULL, "a row without a MaskPath");
    TN_TRY(image_of(o, &a.image));
    TN_TRY(label_of(o, &a.class_index));
    if (field(o, TNI_OI_C_XMIN) != NULL) TN_TRY(read_edges(o, &a));
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
    const tni_csv_field *id = field(o, TNI_OI_C_IMAGE);
    TN_TRY(image_of(o, &image));
    if (TN_NEVER(id == NULL)) return TN_EINTERNAL;
    tni_oi_relation *one = TNI_NEW(&o->r->scratch, tni_oi_relation);
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
        if ((int32_t)i == o->at[TNI_OI_C_IMAGE] || text.len == 0) continue;
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
    const tni_csv_field *id = field(o, TNI_OI_C_IMAGE),
                        *set = field(o, TNI_OI_C_SUBSET);
    const tni_csv_field *turned = field(o, TNI_OI_C_ROTATION);
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
    for (int k = 0; k < TNI_OI_N_COLUMNS; k++) o->at[k] = -1;
    for (size_t i = 0; i < o->c.n; i++) {
        const tni_span text = o->c.fields[i].text;
        o->names[i] = tni_arena_strndup(&o->lines, text.p, text.len);
        if (o->names[i] == NULL) return no_memory(o->err);
        const char *plain = o->names[i];
        if (o->t->kind == TNI_OI_MASKS && strncmp(plain, "Box", 3) == 0 &&
            plain[3] != 'I')
            plain += 3;
        for (int k = 0; k < TNI_OI_N_COLUMNS; k++)
            if (o->at[k] < 0 &&
                (strcmp(plain, column_names[k]) == 0 ||
                 (k == TNI_OI_C_IMAGE && strcmp(plain, "ImageId") == 0)))
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

tn_status tni_oi_read_table(tni_oi *o, const tni_oi_table *t)
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
