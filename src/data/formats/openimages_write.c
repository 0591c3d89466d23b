/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openimages_write.c - Open Images: writing
 *
 * annotations/ with tables per split as the published ones are called, images/
 * and masks/ with a folder per split. The id of an image is its name without
 * ".jpg", or without what its file ends in, else the whole name. Classes that
 * come from elsewhere are their own labels.
 */
#include "data/formats/openimages.h"

#include "data/formats/csv_extras.h"

#include <stdio.h>

enum { TEXT_SIZE = 4096, MAX_KEYS = 40 };

/* Which table an annotation goes to; the order they are read in. */
typedef enum group { G_NONE = 0, G_BOX, G_LABEL, G_MACHINE, G_MASK } group;

static const char *const tails[] = {NULL, "annotations-bbox.csv",
                                    "annotations-human-imagelabels.csv",
                                    "annotations-machine-imagelabels.csv",
                                    "annotations-object-segmentation.csv"};

static const char *const image_columns[] = {"OriginalURL",
                                            "OriginalLandingURL",
                                            "License",
                                            "AuthorProfileURL",
                                            "Author",
                                            "Title",
                                            "OriginalSize",
                                            "OriginalMD5",
                                            "Thumbnail300KURL",
                                            "Rotation",
                                            NULL};

static const char *const relation_columns[] = {"LabelName1",
                                               "LabelName2",
                                               "XMin1",
                                               "XMax1",
                                               "YMin1",
                                               "YMax1",
                                               "XMin2",
                                               "XMax2",
                                               "YMin2",
                                               "YMax2",
                                               "RelationshipLabel"};

typedef struct images_out {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    uint8_t *groups; /* of each annotation */
    tni_extra_columns extras[G_MASK + 1], of_images;
    tn_shape shape;
    tni_target t;
} images_out;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

/* --- what can be kept ------------------------------------------------------ */

static bool is_ours(const tn_dataset *d)
{
    return d->format != NULL && strcmp(d->format->name, "openimages") == 0;
}

static tni_span attributes_of(const tn_dataset *d, uint32_t ann)
{
    const tni_span none = {NULL, 0};
    const tni_span *t = tni_sparse_find(&d->text[TN_TEXT_ATTRIBUTES], ann, 0);
    return t != NULL ? *t : none;
}

static group group_of(const tn_dataset *d, uint32_t ann)
{
    const uint32_t flags = *tni_flags_at(d, ann);
    tni_span from;
    if (tni_ann_at(d, ann)->class_index == TN_NONE ||
        tni_ann_at(d, ann)->image == TN_NONE)
        return G_NONE;
    if ((flags & TN_IS_TAG) != 0)
        return tni_json_member(attributes_of(d, ann), "Source", &from) &&
                       tni_span_is(from, "\"machine\"")
                   ? G_MACHINE
                   : G_LABEL;
    if ((flags & TN_HAS_SHAPE) != 0 && is_ours(d) &&
        ((const tni_shape *)tni_sparse_find(&d->shape, ann, 0))->kind ==
            TN_SHAPE_MASK_FILE)
        return G_MASK;
    return G_BOX;
}

/* Whether the columns of its table say all of an annotation's attributes. */
static bool fits(tni_span attributes, group g, uint32_t flags)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    tni_json_init(&j, attributes.p, attributes.len, 0, &ignored);
    if (!tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        if (tni_span_is(key, "Source")) {
            if (g == G_MASK || raw.p[0] != '"' || raw.len == 2) return false;
            continue;
        }
        int k = 0;
        while (k < TNI_OI_N_FLAGS && !tni_span_is(key, tni_oi_flags[k].name))
            k++;
        const bool no = tni_span_is(raw, "false");
        if (g != G_BOX || k == TNI_OI_N_FLAGS ||
            tni_oi_flags[k].flag == TN_IS_CROWD ||
            (!no && !tni_span_is(raw, "true")) ||
            (tni_oi_flags[k].flag != 0 &&
             (!no || (flags & tni_oi_flags[k].flag) != 0)))
            return false;
    }
    return j.status == TN_OK;
}

static bool is_scalar(tni_span key, tni_span value)
{
    double v = 0.0;
    const tni_span inner = {value.p + 1, value.len - 2};
    if (value.p[0] == '"')
        return value.len > 2 &&
               ((key.len > 5 && memcmp(key.p, "Label", 5) == 0) ||
                !tni_field_f64(inner, &v));
    return value.p[0] == '-' || (value.p[0] >= '0' && value.p[0] <= '9');
}

/* Calls for every relationship of an image; false when it is no list of rows
 * that a table can hold. */
static bool each_relation(tni_span list, tni_span *keys, size_t *n_keys)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    tni_json_init(&j, list.p, list.len, 0, &ignored);
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return false;
    while (tni_json_item(&j)) {
        if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return false;
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            size_t k = 0;
            while (k < *n_keys && (keys[k].len != key.len ||
                                   memcmp(keys[k].p, key.p, key.len) != 0))
                k++;
            if (!is_scalar(key, raw) || k == MAX_KEYS ||
                memchr(key.p, '\\', key.len) != NULL ||
                tni_span_is(key, "ImageID"))
                return false;
            if (k == *n_keys) keys[(*n_keys)++] = key;
        }
    }
    return j.status == TN_OK;
}

/* The list of relationships of an image; false without. */
static bool relations_of(const tn_dataset *d, uint32_t image, tni_span *list)
{
    static const char key[] = "\"" TNI_OI_RELATIONS_KEY "\":";
    for (uint32_t k = 0;; k++) {
        const tni_span *m =
            tni_sparse_find(&d->image_text[TN_TEXT_EXTRA], image, k);
        if (m == NULL) return false;
        if (m->len < sizeof key || memcmp(m->p, key, sizeof key - 1) != 0)
            continue;
        list->p = m->p + sizeof key - 1;
        list->len = m->len - (sizeof key - 1);
        return true;
    }
}

static bool collect_images(const tn_dataset *d, tni_extra_columns *c,
                           tni_arena *arena)
{
    const tni_extra_filter filter = {NULL, 0, TNI_OI_RELATIONS_KEY,
                                     image_columns};
    return tni_extras_collect(c, &d->image_text[TN_TEXT_EXTRA], &filter,
                              tni_oi_is_image_column, arena);
}

static bool images_fit(const tn_dataset *d, tni_arena *arena)
{
    tni_extra_columns c;
    tni_span keys[MAX_KEYS], list;
    size_t n = 0;
    if (d->image_text[TN_TEXT_ATTRIBUTES].keys.n > 0 ||
        d->image_text[TN_TEXT_CAPTION].keys.n > 0 ||
        !collect_images(d, &c, arena))
        return false;
    for (uint32_t i = 0; i < d->images.n; i++)
        if (relations_of(d, i, &list) && !each_relation(list, keys, &n))
            return false;
    return true;
}

/* The one hierarchy; NULL: there is none, or more than one. */
static const tni_meta *hierarchy_of(const tn_dataset *d)
{
    const tni_meta *found = NULL;
    for (uint32_t i = 0; i < d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&d->metas, tni_meta, i);
        if (strcmp(m->key, TNI_OI_HIERARCHY) != 0 || !is_ours(d)) continue;
        if (found != NULL) return NULL;
        found = m;
    }
    return found;
}

static uint64_t keeps_of_annotations(const tn_dataset *d, uint64_t keeps)
{
    const uint32_t marks = TN_IS_CROWD | TN_IS_OCCLUDED | TN_IS_TRUNCATED;
    for (uint32_t i = 0; i < d->anns.n; i++) {
        const uint32_t flags = *tni_flags_at(d, i);
        const group g = group_of(d, i);
        const tni_span t = attributes_of(d, i);
        double score = 1.0;
        if (t.p != NULL && !fits(t, g, flags)) keeps &= ~TNI_KEEPS(ATTRIBUTES);
        if (g != G_BOX && (flags & marks) != 0)
            keeps &= ~(TNI_KEEPS(CROWD) | TNI_KEEPS(OCCLUDED) |
                       TNI_KEEPS(TRUNCATED));
        /* On images 0 says that the class is absent; masks have none. */
        if (tn_dataset_num(d, i, TN_NUM_SCORE, &score) != 0 &&
            (g == G_MASK ||
             (g != G_BOX && (score == 0.0 || (flags & TN_IS_NEGATIVE) != 0))))
            keeps &= ~TNI_KEEPS(SCORE);
    }
    return keeps;
}

uint64_t tni_oi_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    tni_mem mem;
    tni_arena arena;
    tni_extra_columns c;
    uint64_t keeps = keeps_of_annotations(d, tni_format_openimages.keeps);
    (void)variant;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 14);
    if (counts[TNI_F_EXTRA] > 0 &&
        !tni_extras_collect(&c, &d->text[TN_TEXT_EXTRA], NULL, tni_oi_is_column,
                            &arena))
        keeps &= ~TNI_KEEPS(EXTRA);
    if (counts[TNI_F_IMAGE_EXTRA] > 0 && !images_fit(d, &arena))
        keeps &= ~TNI_KEEPS(IMAGE_EXTRA);
    tni_arena_fini(&arena);
    if (d->metas.n > 1 || (d->metas.n == 1 && hierarchy_of(d) == NULL))
        keeps &= ~TNI_KEEPS(META);
    if (!is_ours(d)) keeps &= ~TNI_KEEPS(MASK_FILE);
    for (uint32_t i = 0; i < d->classes.n; i++) {
        const tni_class_row *r = tni_class_at(d, i);
        if ((r->id_kind == TN_ID_INT && r->id != (int64_t)i) ||
            (r->id_kind == TN_ID_TEXT &&
             strcmp((const char *)(intptr_t)r->id, r->name) == 0))
            keeps &= ~TNI_KEEPS(CLASS_ID);
    }
    return keeps;
}

/* --- fields -------------------------------------------------------------- */

static void put(images_out *o, const char *text)
{
    tni_csv_put(&o->t.out, ',', text, strlen(text));
}

static void comma(images_out *o)
{
    tni_out_char(&o->t.out, ',');
}

static const char *label_of(const tn_dataset *d, uint32_t cls)
{
    const tni_class_row *r = tni_class_at(d, cls);
    return r->id_kind == TN_ID_TEXT ? (const char *)(intptr_t)r->id : r->name;
}

/* Whether the image is found by its name without the extension. */
static bool has_short_id(const images_out *o, uint32_t image, size_t stem)
{
    const char *name = o->w->names[image];
    char text[TEXT_SIZE];
    if (stem == 0 || stem >= sizeof text) return false;
    memcpy(text, name, stem);
    text[stem] = '\0';
    if (tni_is_image_name(text)) return false;
    if (strcmp(name + stem, ".jpg") == 0) return true;
    const bool there = tni_image_at(o->d, image)->file != NULL ||
                       tni_image_bytes(o->d, image) != NULL;
    if (o->w->files == TN_FILES_NONE || !there) return false;
    for (size_t i = 0; tni_oi_extensions[i] != NULL; i++)
        if (strcmp(name + stem, tni_oi_extensions[i]) == 0) return true;
    return false;
}

static size_t id_len(const images_out *o, uint32_t image)
{
    const char *name = o->w->names[image];
    const size_t stem = tni_stem_len(name);
    return has_short_id(o, image, stem) ? stem : strlen(name);
}

static void put_id(images_out *o, uint32_t image)
{
    tni_csv_put(&o->t.out, ',', o->w->names[image], id_len(o, image));
}

static tn_status put_source(images_out *o, uint32_t ann)
{
    tni_span raw;
    size_t len = 0;
    comma(o);
    if (!tni_json_member(attributes_of(o->d, ann), "Source", &raw) ||
        raw.p[0] != '"')
        return TN_OK;
    const tni_span inner = {raw.p + 1, raw.len - 2};
    const tni_arena_mark mark = tni_arena_save(&o->w->arena);
    const char *text = tni_json_unescape(&o->w->arena, inner, &len);
    if (text == NULL) return no_memory(o->err);
    tni_csv_put(&o->t.out, ',', text, len);
    tni_arena_rewind(&o->w->arena, mark);
    return TN_OK;
}

/* 1 where nobody gave a number: a score that is exactly 1 is "1.0". */
static void put_confidence(images_out *o, uint32_t ann, uint32_t flags)
{
    double score = 1.0;
    comma(o);
    const bool has = (o->w->keeps & TNI_KEEPS(SCORE)) != 0 &&
                     tn_dataset_num(o->d, ann, TN_NUM_SCORE, &score) != 0;
    if ((flags & TN_IS_NEGATIVE) != 0)
        tni_out_str(&o->t.out, "0");
    else if (!has)
        tni_out_str(&o->t.out, "1");
    else if (score == 1.0)
        tni_out_str(&o->t.out, "1.0");
    else
        tni_out_f64(&o->t.out, score);
}

static void put_flags(images_out *o, uint32_t ann, uint32_t flags)
{
    const tni_span attributes = attributes_of(o->d, ann);
    for (int k = 0; k < TNI_OI_N_FLAGS; k++) {
        const tni_oi_flag *f = &tni_oi_flags[k];
        tni_span raw = {NULL, 0};
        int v = -1;
        if (f->flag == TN_IS_CROWD && (flags & TN_SAYS_CROWD) != 0) v = 0;
        if (tni_json_member(attributes, f->name, &raw))
            v = tni_span_is(raw, "true")    ? 1
                : tni_span_is(raw, "false") ? 0
                                            : v;
        if (f->flag != 0 && v == 1) v = -1; /* the flag says it */
        if ((flags & f->flag) != 0) v = 1;
        comma(o);
        tni_out_i64(&o->t.out, v);
    }
}

/* Left, top, right, bottom as parts of the image; false without a box. */
static bool edges_of(images_out *o, uint32_t ann, const tni_ann *a, double e[4])
{
    double w = 0.0, h = 0.0;
    if ((a->flags & TN_HAS_BOX) != 0 && (a->flags & TN_HAS_ANGLE) == 0 &&
        tni_ann_form(a->flags) == TN_BOX_XYXY &&
        tni_ann_scale(a->flags) == TN_SCALE_UNIT) {
        memcpy(e, a->box, sizeof a->box);
        return true;
    }
    if (!tni_box_for(o->d, ann, a, &o->shape, e) ||
        !tni_image_extent(o->d, a->image, &w, &h))
        return false;
    for (int k = 0; k < 4; k++) e[k] /= k % 2 == 0 ? w : h;
    return true;
}

static void put_edges(images_out *o, const double *e)
{
    static const int order[4] = {0, 2, 1, 3}; /* XMin, XMax, YMin, YMax */
    for (int k = 0; k < 4; k++) {
        comma(o);
        if (e != NULL) tni_out_f64(&o->t.out, e[order[k]]);
    }
}

/* --- rows ---------------------------------------------------------------- */

static tn_status put_row(images_out *o, uint32_t ann, const tni_ann *a,
                         const double *e, group g)
{
    if (g == G_MASK) {
        const tni_shape *s = tni_sparse_find(&o->d->shape, ann, 0);
        const char *slash = strrchr(s->text, '/');
        put(o, slash != NULL ? slash + 1 : s->text);
        comma(o);
        put_id(o, a->image);
    } else {
        put_id(o, a->image);
        TN_TRY(put_source(o, ann));
    }
    comma(o);
    put(o, label_of(o->d, a->class_index));
    if (g != G_MASK) put_confidence(o, ann, a->flags);
    if (g == G_BOX || g == G_MASK) put_edges(o, e);
    if (g == G_BOX) put_flags(o, ann, a->flags);
    if ((o->w->keeps & TNI_KEEPS(EXTRA)) != 0)
        TN_TRY(tni_extras_put(&o->extras[g], &o->d->text[TN_TEXT_EXTRA], ann,
                              &o->t.out, &o->w->arena, o->err));
    tni_out_char(&o->t.out, '\n');
    return TN_OK;
}

/* Copies or links a mask from where the dataset has it. */
static tn_status put_mask(images_out *o, uint32_t ann, const char *split)
{
    char from[TEXT_SIZE], inner[TEXT_SIZE], to[TEXT_SIZE];
    const tni_shape *s = tni_sparse_find(&o->d->shape, ann, 0);
    const char *slash = strrchr(s->text, '/'), *top = o->d->path;
    const char *base = slash != NULL ? slash + 1 : s->text;
    int len = (int)strlen(top);
    if (o->w->files == TN_FILES_NONE || base[0] == '\0' ||
        strstr(s->text, "..") != NULL || s->text[0] == '/')
        return TN_OK;
    if (!tni_path_look(top).is_dir) {
        const char *end = strrchr(top, '/');
        len = end != NULL ? (int)(end - top) : 0;
    }
    const int n = snprintf(from, sizeof from, "%.*s%s%s", len, top,
                           len > 0 ? "/" : "", s->text);
    if (n < 0 || (size_t)n >= sizeof from || !tni_path_look(from).is_file)
        return TN_OK;
    TN_TRY(tni_path_of(inner, sizeof inner, "masks", split, base, o->err));
    TN_TRY(tni_path_of(to, sizeof to, o->w->folder, NULL, inner, o->err));
    if (tni_path_look(to).exists) return TN_OK;
    TN_TRY(tni_dir_make_for(to, o->err));
    return o->w->files == TN_FILES_COPY ? tni_file_copy(from, to, o->err)
                                        : tni_file_link(from, to, o->err);
}

static tn_status put_header(images_out *o, group g)
{
    tni_out *out = &o->t.out;
    switch (g) {
    case G_BOX:
        tni_out_str(out, "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,"
                         "YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,"
                         "IsInside");
        break;
    case G_MASK:
        tni_out_str(out, "MaskPath,ImageID,LabelName,BoxXMin,BoxXMax,BoxYMin,"
                         "BoxYMax");
        break;
    default: tni_out_str(out, "ImageID,Source,LabelName,Confidence"); break;
    }
    if ((o->w->keeps & TNI_KEEPS(EXTRA)) != 0)
        TN_TRY(tni_extras_header(&o->extras[g], out, &o->w->arena, o->err));
    tni_out_char(out, '\n');
    return TN_OK;
}

static tn_status put_group(images_out *o, uint32_t image, group g,
                           const char *split)
{
    size_t n = 0;
    const uint32_t *list = tn_dataset_of_image(o->d, image, &n);
    for (size_t k = 0; k < n; k++) {
        tni_ann a;
        double e[4];
        if (o->groups[list[k]] != g) continue;
        tni_ann_get(o->d, list[k], &a);
        const bool boxed = edges_of(o, list[k], &a, e);
        if (g == G_BOX && !boxed) continue;
        TN_TRY(put_row(o, list[k], &a, boxed ? e : NULL, g));
        if (g == G_MASK) TN_TRY(put_mask(o, list[k], split));
        o->w->written[list[k]] = TNI_WRITTEN;
        o->w->rank[list[k]] = (uint32_t)g << 28 | (uint32_t)(k & 0xfffffff);
    }
    return TN_OK;
}

/* --- tables -------------------------------------------------------------- */

static tn_status open_table(images_out *o, const char *split, const char *tail)
{
    char path[TEXT_SIZE];
    const int n =
        snprintf(path, sizeof path, "annotations/%s%s%s",
                 split != NULL ? split : "", split != NULL ? "-" : "", tail);
    if (n < 0 || (size_t)n >= sizeof path)
        return tni_fail(o->err, TN_EINVAL, "the name of a split is too long");
    return tni_target_open(&o->t, o->w, path, o->err);
}

static tn_status close_table(images_out *o, tn_status status)
{
    if (status != TN_OK && o->t.out.status == TN_OK) o->t.out.status = status;
    const tn_status closed = tni_target_close(&o->t, o->err);
    return status != TN_OK ? status : closed;
}

static tn_status write_group(images_out *o, uint32_t split, const char *name,
                             group g)
{
    bool any = false;
    for (uint32_t i = 0; i < o->d->anns.n && !any; i++)
        any = o->groups[i] == g &&
              tni_in_split(o->d, tni_ann_at(o->d, i)->image, split);
    if (!any) return TN_OK;
    TN_TRY(open_table(o, name, tails[g]));
    tn_status status = put_header(o, g);
    for (uint32_t i = 0; status == TN_OK && i < o->d->images.n; i++)
        if (tni_in_split(o->d, i, split)) status = put_group(o, i, g, name);
    return close_table(o, status);
}

/* One table for all, in the order of the dataset. */
static tn_status put_image_rows(images_out *o)
{
    tni_out *out = &o->t.out;
    tni_out_str(out, "ImageID,Subset");
    TN_TRY(tni_extras_header(&o->of_images, out, &o->w->arena, o->err));
    tni_out_char(out, '\n');
    for (uint32_t i = 0; i < o->d->images.n; i++) {
        const uint32_t split = tni_first_split(tni_image_at(o->d, i));
        put_id(o, i);
        comma(o);
        if (split != TN_NONE) put(o, o->d->splits[split]);
        TN_TRY(tni_extras_put(&o->of_images, &o->d->image_text[TN_TEXT_EXTRA],
                              i, out, &o->w->arena, o->err));
        tni_out_char(out, '\n');
    }
    return TN_OK;
}

/* A relationship as a row: the values of the keys. */
static tn_status put_relation(images_out *o, uint32_t image, tni_span object,
                              const tni_span *keys, size_t n_keys)
{
    put_id(o, image);
    for (size_t k = 0; k < n_keys; k++) {
        tni_json j;
        tni_span key, raw, value = {NULL, 0};
        tni_json_init(&j, object.p, object.len, 0, NULL);
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw))
                if (key.len == keys[k].len &&
                    memcmp(key.p, keys[k].p, key.len) == 0)
                    value = raw;
        comma(o);
        if (value.p == NULL) continue;
        if (value.p[0] != '"') {
            tni_out_bytes(&o->t.out, value.p, value.len);
            continue;
        }
        size_t len = 0;
        const tni_span inner = {value.p + 1, value.len - 2};
        const tni_arena_mark mark = tni_arena_save(&o->w->arena);
        const char *text = tni_json_unescape(&o->w->arena, inner, &len);
        if (text == NULL) return no_memory(o->err);
        tni_csv_put(&o->t.out, ',', text, len);
        tni_arena_rewind(&o->w->arena, mark);
    }
    tni_out_char(&o->t.out, '\n');
    return TN_OK;
}

static tn_status put_relations(images_out *o, uint32_t split,
                               const tni_span *keys, size_t n_keys)
{
    tni_out_str(&o->t.out, "ImageID");
    for (size_t k = 0; k < n_keys; k++) {
        comma(o);
        tni_csv_put(&o->t.out, ',', keys[k].p, keys[k].len);
    }
    tni_out_char(&o->t.out, '\n');
    for (uint32_t i = 0; i < o->d->images.n; i++) {
        tni_json j;
        tni_span list, raw;
        if (!tni_in_split(o->d, i, split) || !relations_of(o->d, i, &list))
            continue;
        tni_json_init(&j, list.p, list.len, 0, NULL);
        if (tni_json_enter(&j, '['))
            while (tni_json_item(&j) && tni_json_skip(&j, &raw))
                TN_TRY(put_relation(o, i, raw, keys, n_keys));
    }
    return TN_OK;
}

static tn_status write_relations(images_out *o, uint32_t split,
                                 const char *name)
{
    tni_span keys[MAX_KEYS], list;
    size_t n = 0;
    bool any = false;
    for (; n < sizeof relation_columns / sizeof relation_columns[0]; n++)
        keys[n] = tni_span_of(relation_columns[n]);
    if ((o->w->keeps & TNI_KEEPS(IMAGE_EXTRA)) == 0) return TN_OK;
    for (uint32_t i = 0; i < o->d->images.n; i++)
        if (tni_in_split(o->d, i, split) && relations_of(o->d, i, &list)) {
            any = true;
            (void)each_relation(list, keys, &n);
        }
    if (!any) return TN_OK;
    TN_TRY(open_table(o, name, "annotations-vrd.csv"));
    return close_table(o, put_relations(o, split, keys, n));
}

static tn_status write_classes(images_out *o)
{
    TN_TRY(tni_target_open(&o->t, o->w,
                           "annotations/oidv6-class-descriptions.csv", o->err));
    tni_out_str(&o->t.out, "LabelName,DisplayName\n");
    for (uint32_t i = 0; i < o->d->classes.n; i++) {
        put(o, label_of(o->d, i));
        comma(o);
        put(o, tni_class_at(o->d, i)->name);
        tni_out_char(&o->t.out, '\n');
    }
    return tni_target_close(&o->t, o->err);
}

/* Of each class the next one of its parent (TN_NONE: there is none), the first
 * of a parent marked in `first`. */
static bool link_parents(const images_out *o, uint32_t *next, uint8_t *first)
{
    tni_once parents;
    bool ok = true;
    tni_once_init(&parents);
    for (uint32_t i = o->d->classes.n; ok && i-- > 0;) {
        const char *parent = tni_class_at(o->d, i)->parent;
        bool fresh = false;
        next[i] = TN_NONE;
        if (parent == NULL) continue;
        void **slot =
            tni_strmap_add(&parents.map, parent, strlen(parent), &fresh);
        ok = slot != NULL;
        if (!ok) break;
        if (!fresh) {
            next[i] = (uint32_t)((uintptr_t)*slot - 1);
            first[next[i]] = 0;
        }
        first[i] = 1;
        *slot = (void *)((uintptr_t)i + 1);
    }
    tni_once_fini(&parents);
    return ok;
}

/* Every parent with its classes below the root, as deep as the model knows. */
static void put_parents(images_out *o)
{
    tni_out *out = &o->t.out;
    const char *between = "";
    uint32_t *next =
        TNI_NEW_ARRAY(&o->w->arena, uint32_t, o->d->classes.n + 1u);
    uint8_t *first = TNI_NEW_ARRAY(&o->w->arena, uint8_t, o->d->classes.n + 1u);
    if (next == NULL || first == NULL || !link_parents(o, next, first)) {
        out->status = no_memory(o->err);
        return;
    }
    tni_out_str(out, "{\"LabelName\": \"/m/0bl9f\", \"Subcategory\": [");
    for (uint32_t i = 0; i < o->d->classes.n; i++) {
        const char *parent = tni_class_at(o->d, i)->parent;
        if (first[i] == 0) continue;
        const uint32_t cls = tni_find_class(o->d, parent);
        const char *label = cls != TN_NONE ? label_of(o->d, cls) : parent;
        tni_out_str(out, between);
        tni_out_str(out, "\n{\"LabelName\": ");
        tni_out_json(out, label, strlen(label));
        tni_out_str(out, ", \"Subcategory\": [");
        between = "";
        for (uint32_t k = i; k != TN_NONE; k = next[k]) {
            tni_out_str(out, between);
            tni_out_str(out, "{\"LabelName\": ");
            tni_out_json(out, label_of(o->d, k), strlen(label_of(o->d, k)));
            tni_out_str(out, "}");
            between = ", ";
        }
        tni_out_str(out, "]}");
        between = ",";
    }
    tni_out_str(out, "]}\n");
}

static tn_status write_hierarchy(images_out *o)
{
    const tni_meta *m = hierarchy_of(o->d);
    bool any = m != NULL && (o->w->keeps & TNI_KEEPS(META)) != 0;
    const bool raw = any;
    for (uint32_t i = 0; i < o->d->classes.n && !any; i++)
        any = tni_class_at(o->d, i)->parent != NULL;
    if (!any) return TN_OK;
    TN_TRY(tni_target_open(
        &o->t, o->w, "annotations/bbox_labels_600_hierarchy.json", o->err));
    if (raw) {
        tni_out_bytes(&o->t.out, m->value.p, m->value.len);
        tni_out_str(&o->t.out, "\n");
    } else {
        put_parents(o);
    }
    return tni_target_close(&o->t, o->err);
}

/* Datumaro's and CVAT's file of sizes: id, height, width. */
static tn_status write_sizes(images_out *o)
{
    TN_TRY(tni_target_open(&o->t, o->w, "annotations/images.meta", o->err));
    for (uint32_t i = 0; i < o->d->images.n; i++) {
        double w = 0.0, h = 0.0;
        const char *name = o->w->names[i];
        const size_t n = id_len(o, i);
        const bool spaced = strpbrk(name, " \t#'\"") != NULL;
        const char mark = strchr(name, '"') != NULL ? '\'' : '"';
        if (!tni_image_extent(o->d, i, &w, &h)) continue;
        if (strpbrk(name, "\r\n") != NULL ||
            (strchr(name, '"') != NULL && strchr(name, '\'') != NULL))
            continue;
        if (spaced) tni_out_char(&o->t.out, mark);
        tni_out_bytes(&o->t.out, name, n);
        if (spaced) tni_out_char(&o->t.out, mark);
        tni_out_char(&o->t.out, ' ');
        tni_out_f64(&o->t.out, h);
        tni_out_char(&o->t.out, ' ');
        tni_out_f64(&o->t.out, w);
        tni_out_char(&o->t.out, '\n');
    }
    return tni_target_close(&o->t, o->err);
}

/* --- the whole ----------------------------------------------------------- */

static tn_status check_classes(const tn_dataset *d, tni_arena *arena,
                               tn_err *err)
{
    tni_strmap labels;
    tni_strmap_init(&labels, arena);
    for (uint32_t i = 0; i < d->classes.n; i++) {
        const char *label = label_of(d, i);
        bool fresh = false;
        if (tni_strmap_add(&labels, label, strlen(label), &fresh) == NULL)
            return no_memory(err);
        if (!fresh || label[0] == '\0' || tni_class_at(d, i)->name[0] == '\0')
            return tni_fail(err, TN_EUNSUPPORTED,
                            "the class '%.100s' has no label of its own "
                            "(nothing, or twice there); rename it",
                            tni_class_at(d, i)->name);
    }
    return TN_OK;
}

static tn_status check_names(const images_out *o)
{
    for (uint32_t i = 0; i < o->d->n_splits; i++) {
        const char *s = o->d->splits[i];
        if (strstr(s, "-annotations") != NULL || strstr(s, "-image") != NULL ||
            strncmp(s, "oidv", 4) == 0 || strncmp(s, "challenge-", 10) == 0)
            return tni_fail(o->err, TN_EUNSUPPORTED,
                            "the split '%.60s' is called like a part of a "
                            "file's name; rename it",
                            s);
    }
    for (uint32_t i = 0; i < o->d->images.n; i++)
        if (!tni_is_image_name(o->w->names[i]))
            return tni_fail(o->err, TN_EUNSUPPORTED,
                            "'%.100s' does not end like an image, and its id "
                            "would stand for '%.100s.jpg'; rename it",
                            o->w->names[i], o->w->names[i]);
    return tni_check_splits(o->d, o->err);
}

static tn_status write_split(images_out *o, uint32_t split)
{
    char path[TEXT_SIZE];
    bool any = false;
    const char *name = split != TN_NONE ? o->d->splits[split] : NULL;
    for (uint32_t i = 0; i < o->d->images.n; i++) {
        if (!tni_in_split(o->d, i, split)) continue;
        any = true;
        TN_TRY(tni_path_of(path, sizeof path, "images", name, o->w->names[i],
                           o->err));
        TN_TRY(tni_write_image(o->w, i, path, o->err));
        if ((i & 255) == 0)
            TN_TRY(
                tni_writer_progress(o->w, "images", i, o->d->images.n, o->err));
    }
    if (!any) return TN_OK;
    for (int g = G_BOX; g <= G_MASK; g++)
        TN_TRY(write_group(o, split, name, (group)g));
    return write_relations(o, split, name);
}

static tn_status write_all(images_out *o)
{
    TN_TRY(check_classes(o->d, &o->w->arena, o->err));
    TN_TRY(check_names(o));
    TN_TRY(write_classes(o));
    TN_TRY(write_hierarchy(o));
    TN_TRY(write_sizes(o));
    TN_TRY(open_table(o, NULL, "image_ids_and_rotation.csv"));
    TN_TRY(close_table(o, put_image_rows(o)));
    for (uint32_t s = 0; s < o->d->n_splits; s++) TN_TRY(write_split(o, s));
    return write_split(o, TN_NONE);
}

static tn_status prepare(images_out *o)
{
    tni_arena *arena = &o->w->arena;
    const tn_dataset *d = o->d;
    for (uint32_t i = 0; i < d->anns.n; i++)
        o->groups[i] = (uint8_t)group_of(d, i);
    for (int g = G_BOX; g <= G_MASK; g++) {
        const tni_extra_filter filter = {o->groups, (uint8_t)g, NULL, NULL};
        if ((o->w->keeps & TNI_KEEPS(EXTRA)) != 0 &&
            !tni_extras_collect(&o->extras[g], &d->text[TN_TEXT_EXTRA], &filter,
                                tni_oi_is_column, arena))
            return no_memory(o->err);
    }
    if ((o->w->keeps & TNI_KEEPS(IMAGE_EXTRA)) != 0)
        return collect_images(d, &o->of_images, arena) ? TN_OK
                                                       : no_memory(o->err);
    return TN_OK;
}

tn_status tni_oi_write(tni_writer *w, tn_err *err)
{
    const size_t n = w->d->anns.n + (size_t)1;
    if (w->d->images.n == 0)
        return tni_fail(err, TN_EUNSUPPORTED, "the dataset has no images");
    images_out *o = TNI_NEW(&w->arena, images_out);
    w->rank = TNI_NEW_ARRAY(&w->arena, uint32_t, n);
    uint8_t *groups = TNI_NEW_ARRAY(&w->arena, uint8_t, n);
    if (o == NULL || w->rank == NULL || groups == NULL) return no_memory(err);
    o->w = w;
    o->d = w->d;
    o->err = err;
    o->groups = groups;
    o->shape.struct_size = sizeof o->shape;
    tn_status status = prepare(o);
    if (status == TN_OK) status = write_all(o);
    tn_shape_fini(&o->shape);
    return status;
}
