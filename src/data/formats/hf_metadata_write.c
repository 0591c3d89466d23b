/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hf_metadata_write.c - Hugging Face metadata: writing
 *
 * A folder per split with its images and metadata.jsonl. Columns are the same
 * in all rows, as the tables they become want it: what one object has, all
 * have, null where it is not known; one label is a text, several in any row
 * make all of them lists.
 *
 * load_dataset finds splits by the names of their folders, and wants the same
 * columns in all. Where it would miss one (a split called otherwise, images in
 * no split beside others), take two for one or refuse them, a card (README.md)
 * says which folder is which; `tenon_unsplit` there is ours.
 */
#include "data/formats/hf_metadata.h"

#include "base/num.h"

#include <stdio.h>

enum { MAX_KEYS = 64, TEXT_SIZE = 4096 };

typedef struct rows {
    tni_writer *w;
    const tn_dataset *d;
    tn_err *err;
    tn_box_form form;
    bool ids, areas, scores, crowds, many_labels, many_texts, numbers;
    tni_span keys[MAX_KEYS]; /* of extras of objects */
    size_t n_keys;
    tn_shape shape;
    tni_target t;
    const char *unsplit; /* folder of images in no split; NULL: the top one */
    char unsplit_name[TNI_MAX_SPLITS + 8];
    unsigned columns[TNI_MAX_SPLITS + 1]; /* of each split, of no split */
} rows;

/* What of a row an annotation is. */
typedef enum place { P_NONE = 0, P_OBJECT, P_LABEL, P_TEXT } place;

static place place_of(const tn_dataset *d, uint32_t ann, const tni_ann *a,
                      tn_shape *scratch)
{
    double box[4];
    if (tni_box_for(d, ann, a, scratch, box)) return P_OBJECT;
    if ((a->flags & TN_IS_TAG) != 0 && (a->flags & TN_IS_NEGATIVE) == 0 &&
        a->class_index != TN_NONE)
        return P_LABEL;
    return (a->flags & TN_HAS_TEXT) != 0 &&
                   tni_sparse_find(&d->text[TN_TEXT_CAPTION], ann, 0) != NULL
               ? P_TEXT
               : P_NONE;
}

/* --- what can be kept ------------------------------------------------------ */

static size_t find_key(const tni_span *keys, size_t n, tni_span key)
{
    size_t i = 0;
    while (i < n &&
           (keys[i].len != key.len || memcmp(keys[i].p, key.p, key.len) != 0))
        i++;
    return i;
}

/* The keys of all extras; false when one is known, twice there, null, or they
 * are too many. */
static bool collect_keys(const tn_dataset *d, tni_span *keys, size_t *n)
{
    const tni_sparse *s = &d->text[TN_TEXT_EXTRA];
    uint32_t before = TN_NONE;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < s->values.n; i++) {
        tni_span key, value;
        const uint32_t ann = *TNI_ROW(&s->keys, uint32_t, i);
        if (ann != before) seen = 0;
        before = ann;
        if (!tni_json_split(*TNI_ROW(&s->values, tni_span, i), &key, &value) ||
            tni_span_is(value, "null") ||
            tni_hf_object_role(key) != TNI_HF_EXTRA)
            return false;
        const size_t k = find_key(keys, *n, key);
        if (k == MAX_KEYS || (seen >> k & 1) != 0) return false;
        if (k == *n) keys[(*n)++] = key;
        seen |= UINT64_C(1) << k;
    }
    return true;
}

static bool images_fit(const tn_dataset *d)
{
    const tni_sparse *s = &d->image_text[TN_TEXT_EXTRA];
    if (d->image_text[TN_TEXT_ATTRIBUTES].keys.n > 0 ||
        d->image_text[TN_TEXT_CAPTION].keys.n > 0)
        return false;
    for (uint32_t i = 0; i < s->values.n; i++) {
        tni_span key, value;
        if (!tni_json_split(*TNI_ROW(&s->values, tni_span, i), &key, &value) ||
            tni_hf_row_role(key) != TNI_HF_EXTRA)
            return false;
    }
    return true;
}

/* Whether classes are called by their numbers, all of them: then they are
 * written as numbers. */
static bool are_numbers(const tn_dataset *d)
{
    for (uint32_t i = 0; i < d->classes.n; i++) {
        char text[32];
        const tni_class_row *r = tni_class_at(d, i);
        (void)snprintf(text, sizeof text, "%lld", (long long)r->id);
        if (r->id_kind != TN_ID_INT || strcmp(text, r->name) != 0) return false;
    }
    return true;
}

/* What the objects of a split have. */
typedef struct tally {
    bool images, image_id, objects, has[4];
} tally;

static const tni_feature tally_features[4] = {TNI_F_ANN_ID, TNI_F_AREA,
                                              TNI_F_SCORE, TNI_F_CROWD};

static uint32_t split_at(const tn_dataset *d, uint32_t image)
{
    const uint32_t split = tni_first_split(tni_image_at(d, image));
    return split != TN_NONE ? split : d->n_splits;
}

static void count_object(const tn_dataset *d, uint32_t ann, const tni_ann *a,
                         tally *t)
{
    t->objects = true;
    if (tni_ann_id_kind(a->flags) != TN_ID_NONE) t->has[0] = true;
    if (tni_sparse_find(&d->num[TN_NUM_AREA], ann, 0) != NULL) t->has[1] = true;
    if (tni_sparse_find(&d->num[TN_NUM_SCORE], ann, 0) != NULL)
        t->has[2] = true;
    if ((a->flags & (TN_IS_CROWD | TN_SAYS_CROWD)) != 0) t->has[3] = true;
}

/* A column that a whole split lacks has no type there, and load_dataset refuses
 * splits whose columns differ: such columns are left out. */
static uint64_t uniform(const tn_dataset *d, const tally *tallies,
                        uint64_t keeps)
{
    bool lacks[5] = {false}, has[5] = {false};
    unsigned kinds = 0;
    for (uint32_t s = 0; s <= d->n_splits; s++) {
        const tally *t = &tallies[s];
        for (int k = 0; k < 4; k++) {
            has[k] = has[k] || t->has[k];
            lacks[k] = lacks[k] || (t->objects && !t->has[k]);
        }
        has[4] = has[4] || t->image_id;
        lacks[4] = lacks[4] || (t->images && !t->image_id);
    }
    for (int k = 0; k < 4; k++)
        if (has[k] && lacks[k]) keeps &= ~(UINT64_C(1) << tally_features[k]);
    if (has[4] && lacks[4]) keeps &= ~TNI_KEEPS(IMAGE_ID);
    for (uint32_t i = 0; i < d->images.n; i++)
        kinds |= 1u << tni_image_at(d, i)->id_kind;
    if ((kinds >> TN_ID_INT & 1) != 0 && (kinds >> TN_ID_TEXT & 1) != 0)
        keeps &= ~TNI_KEEPS(IMAGE_ID);
    kinds = 0;
    for (uint32_t i = 0; i < d->anns.n; i++)
        kinds |= 1u << tni_ann_id_kind(*tni_flags_at(d, i));
    if ((kinds >> TN_ID_INT & 1) != 0 && (kinds >> TN_ID_TEXT & 1) != 0)
        keeps &= ~TNI_KEEPS(ANN_ID);
    return keeps;
}

/* What Arrow would make of a value, a bit each; of null nothing. */
static unsigned type_of(tni_span value)
{
    switch (value.p[0]) {
    case 'n': return 0;
    case '"': return 1;
    case '[': return 2;
    case '{': return 4;
    case 't':
    case 'f': return 8;
    default: break;
    }
    for (size_t i = 0; i < value.len; i++)
        if (strchr(".eE", value.p[i]) != NULL) return 16;
    return 32;
}

/* Whether members of images, or of objects, are the same columns in all splits
 * that have any. */
static bool same_members(const tn_dataset *d, const tally *tallies, bool images)
{
    const tni_sparse *s =
        images ? &d->image_text[TN_TEXT_EXTRA] : &d->text[TN_TEXT_EXTRA];
    tni_span keys[MAX_KEYS], key, value;
    uint8_t types[MAX_KEYS][TNI_MAX_SPLITS + 1];
    size_t n = 0;
    memset(types, 0, sizeof types);
    for (uint32_t i = 0; i < s->values.n; i++) {
        uint32_t row = *TNI_ROW(&s->keys, uint32_t, i);
        if (!images) row = tni_ann_at(d, row)->image;
        if (row == TN_NONE ||
            !tni_json_split(*TNI_ROW(&s->values, tni_span, i), &key, &value))
            continue;
        const size_t k = find_key(keys, n, key);
        if (k == MAX_KEYS) return false;
        if (k == n) keys[n++] = key;
        types[k][split_at(d, row)] |= (uint8_t)type_of(value);
    }
    for (size_t k = 0; k < n; k++) {
        unsigned first = 0;
        for (uint32_t i = 0; i <= d->n_splits; i++) {
            /* Whole numbers beside others become like them. */
            const unsigned type = types[k][i] == 48 ? 16 : types[k][i];
            if (!(images ? tallies[i].images : tallies[i].objects)) continue;
            if (first == 0) first = type;
            if (type == 0 || type != first) return false;
        }
    }
    return true;
}

uint64_t tni_hf_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_hf_metadata.keeps;
    tni_span keys[MAX_KEYS];
    size_t n = 0;
    tally tallies[TNI_MAX_SPLITS + 1];
    tn_shape scratch = TN_SHAPE_INIT;
    if (*variant == NULL) *variant = "xywh";
    if (counts[TNI_F_EXTRA] > 0 && !collect_keys(d, keys, &n))
        keeps &= ~TNI_KEEPS(EXTRA);
    if (counts[TNI_F_IMAGE_EXTRA] > 0 && !images_fit(d))
        keeps &= ~TNI_KEEPS(IMAGE_EXTRA);
    for (uint32_t i = 0; i < d->classes.n && !are_numbers(d); i++)
        if (tni_class_at(d, i)->id_kind != TN_ID_NONE) {
            keeps &= ~TNI_KEEPS(CLASS_ID);
            break;
        }
    memset(tallies, 0, sizeof tallies);
    for (uint32_t i = 0; i < d->images.n; i++) {
        tally *t = &tallies[split_at(d, i)];
        t->images = true;
        if (tni_image_at(d, i)->id_kind != TN_ID_NONE) t->image_id = true;
    }
    for (uint32_t i = 0; i < d->anns.n; i++) {
        tni_ann a;
        tni_ann_get(d, i, &a);
        const place p = place_of(d, i, &a, &scratch);
        if (p == P_OBJECT) {
            count_object(d, i, &a, &tallies[split_at(d, a.image)]);
            if (tni_sparse_find(&d->text[TN_TEXT_CAPTION], i, 0) != NULL)
                keeps &= ~TNI_KEEPS(CAPTION);
            continue;
        }
        /* Labels and texts are nothing but that. */
        if (tni_ann_id_kind(a.flags) != TN_ID_NONE) keeps &= ~TNI_KEEPS(ANN_ID);
        if (tni_sparse_find(&d->num[TN_NUM_SCORE], i, 0) != NULL)
            keeps &= ~TNI_KEEPS(SCORE);
        if (tni_sparse_find(&d->num[TN_NUM_AREA], i, 0) != NULL)
            keeps &= ~TNI_KEEPS(AREA);
        if (tni_sparse_find(&d->text[TN_TEXT_EXTRA], i, 0) != NULL)
            keeps &= ~TNI_KEEPS(EXTRA);
        if (p != P_TEXT &&
            tni_sparse_find(&d->text[TN_TEXT_CAPTION], i, 0) != NULL)
            keeps &= ~TNI_KEEPS(CAPTION);
        if (p == P_NONE && a.class_index == TN_NONE &&
            (a.flags & TN_IS_TAG) != 0)
            keeps &= ~TNI_KEEPS(CLASSLESS);
    }
    tn_shape_fini(&scratch);
    if (!same_members(d, tallies, true)) keeps &= ~TNI_KEEPS(IMAGE_EXTRA);
    if (!same_members(d, tallies, false)) keeps &= ~TNI_KEEPS(EXTRA);
    return uniform(d, tallies, keeps);
}

/* --- rows ---------------------------------------------------------------- */

static tni_out *out_of(rows *r)
{
    return &r->t.out;
}

/* JSON on one line. */
static void put_raw(rows *r, tni_span raw)
{
    for (size_t i = 0; i < raw.len; i++)
        if (raw.p[i] != '\n' && raw.p[i] != '\r')
            tni_out_char(out_of(r), raw.p[i]);
}

static void put_class(rows *r, uint32_t cls)
{
    if (cls == TN_NONE) {
        tni_out_str(out_of(r), "null");
        return;
    }
    const tni_class_row *c = tni_class_at(r->d, cls);
    if (r->numbers)
        tni_out_str(out_of(r), c->name);
    else
        tni_out_json(out_of(r), c->name, strlen(c->name));
}

static void put_id(rows *r, uint8_t kind, int64_t id)
{
    const char *text = (const char *)(intptr_t)id;
    if (kind == TN_ID_INT)
        tni_out_i64(out_of(r), id);
    else if (kind == TN_ID_TEXT)
        tni_out_json(out_of(r), text, strlen(text));
    else
        tni_out_str(out_of(r), "null");
}

/* With a point: a column of whole and other numbers would change its type from
 * split to split. */
static void put_float(rows *r, double v)
{
    char text[40];
    const size_t n = tni_num_shortest(text, 32, v);
    tni_out_bytes(out_of(r), text, n);
    if (strpbrk(text, ".e") == NULL) tni_out_str(out_of(r), ".0");
}

static void put_num(rows *r, uint32_t ann, tn_num kind)
{
    double v = 0.0;
    if (tn_dataset_num(r->d, ann, kind, &v) != 0)
        put_float(r, v);
    else
        tni_out_str(out_of(r), "null");
}

static void put_box(rows *r, uint32_t ann, const tni_ann *a)
{
    double e[4], b[4];
    const bool own = (a->flags & TN_HAS_BOX) != 0 &&
                     (a->flags & TN_HAS_ANGLE) == 0 &&
                     tni_ann_form(a->flags) == r->form &&
                     tni_ann_scale(a->flags) == TN_SCALE_PIXEL;
    (void)tni_box_for(r->d, ann, a, &r->shape, e);
    memcpy(b, own ? a->box : e, sizeof b);
    if (!own && r->form == TN_BOX_XYWH) {
        b[2] = e[2] - e[0];
        b[3] = e[3] - e[1];
    }
    for (int k = 0; k < 4; k++) {
        tni_out_str(out_of(r), k == 0 ? "[" : ", ");
        put_float(r, b[k]);
    }
    tni_out_char(out_of(r), ']');
}

static void put_extra(rows *r, uint32_t ann, tni_span wanted)
{
    for (uint32_t k = 0;; k++) {
        tni_span key, value;
        const tni_span *m = tni_sparse_find(&r->d->text[TN_TEXT_EXTRA], ann, k);
        if (m == NULL) break;
        if (!tni_json_split(*m, &key, &value) || find_key(&wanted, 1, key) != 0)
            continue;
        put_raw(r, value);
        return;
    }
    tni_out_str(out_of(r), "null");
}

/* One list of objects: what each annotation has of `role`, or of extra k. */
static void put_list(rows *r, const char *name, const uint32_t *list, size_t n,
                     tni_hf_role role, size_t extra)
{
    tni_out_str(out_of(r), name);
    for (size_t i = 0; i < n; i++) {
        tni_ann a;
        tni_ann_get(r->d, list[i], &a);
        if (i > 0) tni_out_str(out_of(r), ", ");
        switch (role) {
        case TNI_HF_BBOX: put_box(r, list[i], &a); break;
        case TNI_HF_CATEGORY: put_class(r, a.class_index); break;
        case TNI_HF_ID: put_id(r, tni_ann_id_kind(a.flags), a.id); break;
        case TNI_HF_AREA: put_num(r, list[i], TN_NUM_AREA); break;
        case TNI_HF_SCORE: put_num(r, list[i], TN_NUM_SCORE); break;
        case TNI_HF_CROWD:
            tni_out_str(out_of(r), (a.flags & TN_IS_CROWD) != 0     ? "1"
                                   : (a.flags & TN_SAYS_CROWD) != 0 ? "0"
                                                                    : "null");
            break;
        default: put_extra(r, list[i], r->keys[extra]); break;
        }
    }
    tni_out_char(out_of(r), ']');
}

static void put_objects(rows *r, const uint32_t *list, size_t n)
{
    put_list(r, ", \"objects\": {\"bbox\": [", list, n, TNI_HF_BBOX, 0);
    put_list(r, ", \"categories\": [", list, n, TNI_HF_CATEGORY, 0);
    if (r->ids) put_list(r, ", \"id\": [", list, n, TNI_HF_ID, 0);
    if (r->areas) put_list(r, ", \"area\": [", list, n, TNI_HF_AREA, 0);
    if (r->crowds) put_list(r, ", \"iscrowd\": [", list, n, TNI_HF_CROWD, 0);
    if (r->scores) put_list(r, ", \"score\": [", list, n, TNI_HF_SCORE, 0);
    for (size_t k = 0; k < r->n_keys; k++) {
        tni_out_str(out_of(r), ", \"");
        tni_out_bytes(out_of(r), r->keys[k].p, r->keys[k].len);
        put_list(r, "\": [", list, n, TNI_HF_EXTRA, k);
    }
    tni_out_char(out_of(r), '}');
}

static void put_labels(rows *r, const uint32_t *list, size_t n)
{
    if (n == 0) return;
    tni_out_str(out_of(r),
                r->many_labels ? ", \"labels\": [" : ", \"label\": ");
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_str(out_of(r), ", ");
        put_class(r, tni_ann_at(r->d, list[i])->class_index);
    }
    if (r->many_labels) tni_out_char(out_of(r), ']');
}

static void put_texts(rows *r, const uint32_t *list, size_t n)
{
    if (n == 0) return;
    tni_out_str(out_of(r), r->many_texts ? ", \"text\": [" : ", \"text\": ");
    for (size_t i = 0; i < n; i++) {
        const tni_span *t =
            tni_sparse_find(&r->d->text[TN_TEXT_CAPTION], list[i], 0);
        if (i > 0) tni_out_str(out_of(r), ", ");
        if (t != NULL) put_raw(r, *t);
    }
    if (r->many_texts) tni_out_char(out_of(r), ']');
}

static void put_image(rows *r, uint32_t i)
{
    double w = 0.0, h = 0.0;
    const tni_image_row *row = tni_image_at(r->d, i);
    tni_out *o = out_of(r);
    tni_out_str(o, "{\"file_name\": ");
    tni_out_json(o, r->w->names[i], strlen(r->w->names[i]));
    if (row->id_kind != TN_ID_NONE &&
        (r->w->keeps & TNI_KEEPS(IMAGE_ID)) != 0) {
        tni_out_str(o, ", \"image_id\": ");
        put_id(r, row->id_kind, row->id);
    }
    if (tni_image_extent(r->d, i, &w, &h)) {
        tni_out_str(o, ", \"width\": ");
        tni_out_f64(o, w);
        tni_out_str(o, ", \"height\": ");
        tni_out_f64(o, h);
    }
    for (uint32_t k = 0; (r->w->keeps & TNI_KEEPS(IMAGE_EXTRA)) != 0; k++) {
        const tni_span *m =
            tni_sparse_find(&r->d->image_text[TN_TEXT_EXTRA], i, k);
        if (m == NULL) break;
        tni_out_str(o, ", ");
        put_raw(r, *m);
    }
}

/* The annotations of an image, each with its kind; places must hold them. */
static tn_status put_row(rows *r, uint32_t i)
{
    size_t n = 0, counts[P_TEXT + 1] = {0};
    const uint32_t *list = tn_dataset_of_image(r->d, i, &n);
    const tni_arena_mark mark = tni_arena_save(&r->w->arena);
    uint32_t *sorted = TNI_NEW_ARRAY(&r->w->arena, uint32_t, 4 * n + 4);
    if (sorted == NULL) return tni_fail(r->err, TN_ENOMEM, "out of memory");
    for (size_t k = 0; k < n; k++) {
        tni_ann a;
        tni_ann_get(r->d, list[k], &a);
        const place p = place_of(r->d, list[k], &a, &r->shape);
        if (p == P_NONE) continue;
        sorted[(size_t)p * n + counts[p]++] = list[k];
        r->w->written[list[k]] = TNI_WRITTEN;
        r->w->rank[list[k]] = (uint32_t)p << 28 | (uint32_t)(k & 0xfffffff);
    }
    put_image(r, i);
    if (counts[P_OBJECT] > 0 || tni_image_at(r->d, i)->state == TN_STATE_EMPTY)
        put_objects(r, sorted + (size_t)P_OBJECT * n, counts[P_OBJECT]);
    put_labels(r, sorted + (size_t)P_LABEL * n, counts[P_LABEL]);
    put_texts(r, sorted + (size_t)P_TEXT * n, counts[P_TEXT]);
    tni_out_str(out_of(r), "}\n");
    tni_arena_rewind(&r->w->arena, mark);
    return TN_OK;
}

/* --- files --------------------------------------------------------------- */

static tn_status put_rows(rows *r, uint32_t split)
{
    for (uint32_t i = 0; i < r->d->images.n; i++) {
        if (!tni_in_split(r->d, i, split)) continue;
        TN_TRY(put_row(r, i));
        if ((i & 255) == 0)
            TN_TRY(
                tni_writer_progress(r->w, "labels", i, r->d->images.n, r->err));
    }
    return TN_OK;
}

static tn_status write_split(rows *r, uint32_t split)
{
    char path[TEXT_SIZE];
    bool any = false;
    const char *folder = split != TN_NONE ? r->d->splits[split] : r->unsplit;
    for (uint32_t i = 0; i < r->d->images.n; i++) {
        if (!tni_in_split(r->d, i, split)) continue;
        any = true;
        TN_TRY(tni_path_of(path, sizeof path, folder, NULL, r->w->names[i],
                           r->err));
        TN_TRY(tni_write_image(r->w, i, path, r->err));
    }
    if (!any) return TN_OK;
    TN_TRY(
        tni_path_of(path, sizeof path, folder, NULL, "metadata.jsonl", r->err));
    TN_TRY(tni_target_open(&r->t, r->w, path, r->err));
    const tn_status status = put_rows(r, split);
    if (status != TN_OK && r->t.out.status == TN_OK) r->t.out.status = status;
    const tn_status closed = tni_target_close(&r->t, r->err);
    return status != TN_OK ? status : closed;
}

/* --- the card ------------------------------------------------------------ */

/* Images in no split get a folder of their own where there are splits, or where
 * a name would be taken for a path into one: load_dataset would not see them. */
static void choose_unsplit(rows *r)
{
    bool needed = false;
    for (uint32_t i = 0; i < r->d->images.n; i++) {
        const char *name = r->w->names[i], *slash = strchr(name, '/');
        const tni_span front = {name,
                                slash != NULL ? (size_t)(slash - name) : 0};
        if (tni_image_at(r->d, i)->splits == 0)
            needed = needed || r->d->n_splits > 0 || tni_hf_split(front) >= 0;
    }
    if (!needed) return;
    (void)snprintf(r->unsplit_name, sizeof r->unsplit_name, "unsplit");
    for (uint32_t s = 0; s < r->d->n_splits; s++)
        if (strcmp(r->d->splits[s], r->unsplit_name) == 0) {
            const size_t n = strlen(r->unsplit_name);
            r->unsplit_name[n] = '_';
            r->unsplit_name[n + 1] = '\0';
            s = TN_NONE; /* from the first again */
        }
    r->unsplit = r->unsplit_name;
}

/* The columns of a split that not every image has, a bit each. Splits whose
 * bits differ are no one dataset to load_dataset: a column without a value has
 * no type there. 0: the split has no images. */
static unsigned columns_of(rows *r, uint32_t split)
{
    unsigned bits = 0;
    for (uint32_t i = 0; i < r->d->images.n; i++) {
        size_t n = 0;
        double w = 0.0, h = 0.0;
        if (!tni_in_split(r->d, i, split)) continue;
        const uint32_t *list = tn_dataset_of_image(r->d, i, &n);
        bits |= 1;
        if (tni_image_extent(r->d, i, &w, &h)) bits |= 2;
        if (tni_image_at(r->d, i)->state == TN_STATE_EMPTY) bits |= 4;
        for (size_t k = 0; k < n; k++) {
            tni_ann a;
            tni_ann_get(r->d, list[k], &a);
            bits |= 8u << place_of(r->d, list[k], &a, &r->shape);
        }
    }
    bits &= ~(8u << P_NONE);
    return (bits & 8u << P_OBJECT) != 0 ? bits & ~4u : bits;
}

/* Whether load_dataset finds all splits by their names, each as its own, and
 * takes them together. */
static bool finds_splits(const rows *r)
{
    unsigned seen = 0, columns = 0;
    if (r->unsplit != NULL) return false;
    for (uint32_t s = 0; s < r->d->n_splits; s++) {
        const int split = tni_hf_split(tni_span_of(r->d->splits[s]));
        if (r->columns[s] == 0) continue;
        if (split < 0 || (seen >> split & 1) != 0 ||
            (columns != 0 && columns != r->columns[s]))
            return false;
        seen |= 1u << split;
        columns = r->columns[s];
    }
    return true;
}

/* load_dataset takes letters, digits and underscores for the name of a split. */
static void put_word(rows *r, const char *name, uint32_t nth)
{
    bool other = false;
    tni_out_char(out_of(r), '"');
    for (const char *p = name; *p != '\0'; p++) {
        const bool word = (*p >= 'a' && *p <= 'z') ||
                          (*p >= 'A' && *p <= 'Z') ||
                          (*p >= '0' && *p <= '9') || *p == '_';
        tni_out_char(out_of(r), word ? *p : '_');
        other = other || !word;
    }
    if (other) { /* two may look the same now */
        tni_out_char(out_of(r), '_');
        tni_out_i64(out_of(r), (int64_t)nth);
    }
    tni_out_char(out_of(r), '"');
}

static void put_data_files(rows *r, const char *folder, uint32_t nth)
{
    char pattern[TEXT_SIZE];
    size_t n = 0;
    tni_out_str(out_of(r), "  - split: ");
    put_word(r, folder, nth);
    for (const char *p = folder; *p != '\0' && n + 4 < sizeof pattern; p++)
        pattern[n++] = strchr("*?[]{}", *p) != NULL ? '?' : *p;
    memcpy(pattern + n, "/**", 4);
    tni_out_str(out_of(r), "\n    path: ");
    tni_out_json(out_of(r), pattern, n + 3);
    tni_out_str(out_of(r), "\n");
}

static const char *folder_of(const rows *r, uint32_t split)
{
    return split < r->d->n_splits ? r->d->splits[split] : r->unsplit;
}

/* The splits of these columns as one configuration. */
static void put_config(rows *r, uint32_t first, const char *name)
{
    tni_out_str(out_of(r), "- config_name: ");
    if (name != NULL)
        tni_out_str(out_of(r), name);
    else
        put_word(r, folder_of(r, first), first);
    tni_out_str(out_of(r), "\n  data_files:\n");
    for (uint32_t s = first; s <= r->d->n_splits; s++)
        if (r->columns[s] == r->columns[first])
            put_data_files(r, folder_of(r, s), s);
}

/* Splits with objects are what is loaded unless another is asked for. */
static void put_configs(rows *r)
{
    uint32_t best = TN_NONE;
    const unsigned objects = 8u << P_OBJECT;
    for (uint32_t s = 0; s <= r->d->n_splits; s++)
        if (r->columns[s] != 0 &&
            (best == TN_NONE ||
             (r->columns[s] & objects) > (r->columns[best] & objects)))
            best = s;
    tni_out_str(out_of(r), "---\nconfigs:\n");
    put_config(r, best, "default");
    for (uint32_t s = 0; s <= r->d->n_splits; s++) {
        bool met = r->columns[s] == 0 || r->columns[s] == r->columns[best];
        for (uint32_t k = 0; k < s; k++)
            met = met || r->columns[k] == r->columns[s];
        if (!met) put_config(r, s, NULL);
    }
}

static tn_status write_card(rows *r)
{
    for (uint32_t s = 0; s < r->d->n_splits; s++)
        r->columns[s] = columns_of(r, s);
    if (r->unsplit != NULL) r->columns[r->d->n_splits] = columns_of(r, TN_NONE);
    if (finds_splits(r)) return TN_OK;
    TN_TRY(tni_target_open(&r->t, r->w, "README.md", r->err));
    put_configs(r);
    if (r->unsplit != NULL) {
        tni_out_str(out_of(r), TNI_HF_UNSPLIT ": ");
        tni_out_json(out_of(r), r->unsplit, strlen(r->unsplit));
        tni_out_str(out_of(r), "\n");
    }
    tni_out_str(out_of(r), "---\n");
    return tni_target_close(&r->t, r->err);
}

/* What the columns are: the same in every row. */
static void survey(rows *r)
{
    for (uint32_t i = 0; i < r->d->images.n; i++) {
        size_t n = 0, labels = 0, texts = 0;
        const uint32_t *list = tn_dataset_of_image(r->d, i, &n);
        for (size_t k = 0; k < n; k++) {
            tni_ann a;
            tni_ann_get(r->d, list[k], &a);
            const place p = place_of(r->d, list[k], &a, &r->shape);
            labels += p == P_LABEL;
            texts += p == P_TEXT;
            if (p != P_OBJECT) continue;
            r->ids = r->ids || tni_ann_id_kind(a.flags) != TN_ID_NONE;
            r->crowds =
                r->crowds || (a.flags & (TN_IS_CROWD | TN_SAYS_CROWD)) != 0;
        }
        r->many_labels = r->many_labels || labels > 1;
        r->many_texts = r->many_texts || texts > 1;
    }
    const uint64_t keeps = r->w->keeps;
    r->ids = r->ids && (keeps & TNI_KEEPS(ANN_ID)) != 0;
    r->crowds = r->crowds && (keeps & TNI_KEEPS(CROWD)) != 0;
    r->areas =
        r->d->num[TN_NUM_AREA].keys.n > 0 && (keeps & TNI_KEEPS(AREA)) != 0;
    r->scores =
        r->d->num[TN_NUM_SCORE].keys.n > 0 && (keeps & TNI_KEEPS(SCORE)) != 0;
    r->numbers = are_numbers(r->d);
    if ((r->w->keeps & TNI_KEEPS(EXTRA)) != 0)
        (void)collect_keys(r->d, r->keys, &r->n_keys);
}

static tn_status check_names(const rows *r)
{
    for (uint32_t s = 0; s < r->d->n_splits; s++)
        if (strcmp(r->d->splits[s], "data") == 0)
            return tni_fail(r->err, TN_EUNSUPPORTED,
                            "a split called 'data' would be taken for the "
                            "folder of splits; rename it");
    return tni_check_splits(r->d, r->err);
}

tn_status tni_hf_write(tni_writer *w, tn_err *err)
{
    rows *r = TNI_NEW(&w->arena, rows);
    if (w->d->images.n == 0)
        return tni_fail(err, TN_EUNSUPPORTED, "the dataset has no images");
    w->rank = TNI_NEW_ARRAY(&w->arena, uint32_t, w->d->anns.n + (size_t)1);
    if (r == NULL || w->rank == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    r->w = w;
    r->d = w->d;
    r->err = err;
    r->form = strcmp(w->variant, "xyxy") == 0 ? TN_BOX_XYXY : TN_BOX_XYWH;
    r->shape.struct_size = sizeof r->shape;
    survey(r);
    choose_unsplit(r);
    tn_status status = check_names(r);
    if (status == TN_OK) status = write_card(r);
    for (uint32_t s = 0; status == TN_OK && s < w->d->n_splits; s++)
        status = write_split(r, s);
    if (status == TN_OK) status = write_split(r, TN_NONE);
    tn_shape_fini(&r->shape);
    return status;
}
