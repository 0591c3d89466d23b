/* SPDX-License-Identifier: Apache-2.0 */
/* tfod_read.c - files of records, their label maps, and the image of a record */
#include "data/formats/tfod.h"

#include "base/num.h"
#include "base/utf8.h"
#include "data/gzip.h"
#include "data/sha256.h"
#include "tenon/image.h"

#include <stdio.h>

enum { MAX_FEATURES = 4096, MAX_NAME = 4096 };

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- features -------------------------------------------------------------- */

static const tni_example_feature *find(const tni_tfod *t, const char *key)
{
    const size_t len = strlen(key);
    for (size_t i = t->n; i-- > 0;)
        if (t->f[i].key.size == len && memcmp(t->f[i].key.p, key, len) == 0)
            return &t->f[i];
    return NULL;
}

bool tni_tfod_has(const tni_tfod *t, const char *key)
{
    return find(t, key) != NULL;
}

tn_status tni_tfod_get(const tni_tfod *t, const char *key,
                       tni_feature_kind kind, size_t want,
                       const tni_example_feature **out)
{
    static const char *const kinds[] = {"nothing", "bytes", "floats",
                                        "integers"};
    const tni_example_feature *f = find(t, key);
    *out = NULL;
    if (f == NULL || f->n == 0) return TN_OK;
    if (f->kind != kind)
        return tni_fail_at(t->err, TN_EFORMAT, t->at,
                           "'%s' is a list of %s, expected %s", key,
                           kinds[f->kind], kinds[kind]);
    if (want > 0 && f->n != want)
        return tni_fail_at(t->err, TN_EFORMAT, t->at,
                           "'%s' has %zu values, expected %zu", key, f->n,
                           want);
    *out = f;
    return TN_OK;
}

tn_status tni_tfod_floats(tni_tfod *t, const char *key, size_t want,
                          const float **out)
{
    const tni_example_feature *f = NULL;
    *out = NULL;
    TN_TRY(tni_tfod_get(t, key, TNI_FEATURE_FLOATS, want, &f));
    if (f == NULL) return TN_OK;
    float *v = TNI_NEW_ARRAY(&t->temp, float, f->n);
    if (v == NULL) return no_memory(t->err);
    tni_feature_floats(f, v);
    *out = v;
    return TN_OK;
}

tn_status tni_tfod_ints(tni_tfod *t, const char *key, size_t want,
                        const int64_t **out)
{
    const tni_example_feature *f = NULL;
    *out = NULL;
    TN_TRY(tni_tfod_get(t, key, TNI_FEATURE_INTS, want, &f));
    if (f == NULL) return TN_OK;
    int64_t *v = TNI_NEW_ARRAY(&t->temp, int64_t, f->n);
    if (v == NULL) return no_memory(t->err);
    tni_feature_ints(f, v);
    *out = v;
    return TN_OK;
}

tn_status tni_tfod_texts(tni_tfod *t, const char *key, size_t want,
                         const tni_bytes **out)
{
    const tni_example_feature *f = NULL;
    *out = NULL;
    TN_TRY(tni_tfod_get(t, key, TNI_FEATURE_BYTES, want, &f));
    if (f == NULL) return TN_OK;
    tni_bytes *v = TNI_NEW_ARRAY(&t->temp, tni_bytes, f->n);
    tni_bytes list = f->list;
    if (v == NULL) return no_memory(t->err);
    for (size_t i = 0; i < f->n && tni_feature_bytes(&list, &v[i]);) i++;
    *out = v;
    return TN_OK;
}

/* The one value; size 0 when it is absent. */
static tn_status get_text(tni_tfod *t, const char *key, tni_bytes *out)
{
    const tni_bytes *v = NULL;
    out->p = NULL;
    out->size = 0;
    TN_TRY(tni_tfod_texts(t, key, 1, &v));
    if (v != NULL) *out = *v;
    return TN_OK;
}

static tn_status get_size(tni_tfod *t, const char *key, int32_t *out)
{
    const int64_t *v = NULL;
    TN_TRY(tni_tfod_ints(t, key, 1, &v));
    if (v == NULL) return TN_OK;
    if (*v < 0 || *v > INT32_MAX)
        return tni_fail_at(t->err, TN_EFORMAT, t->at,
                           "'%s' is %lld, expected a number of pixels", key,
                           (long long)*v);
    *out = (int32_t)*v;
    return TN_OK;
}

static tn_status read_features(tni_tfod *t, tni_bytes record)
{
    tni_example e;
    size_t cap = 32;
    t->n = 0;
    t->f = TNI_NEW_ARRAY(&t->temp, tni_example_feature, cap);
    if (t->f == NULL) return no_memory(t->err);
    tni_example_init(&e, record, t->err);
    for (;;) {
        bool more = false;
        if (t->n == cap) {
            cap *= 2;
            tni_example_feature *f =
                TNI_NEW_ARRAY(&t->temp, tni_example_feature, cap);
            if (f == NULL) return no_memory(t->err);
            memcpy(f, t->f, t->n * sizeof *f);
            t->f = f;
        }
        const tn_status status = tni_example_next(&e, &t->f[t->n], &more);
        if (status != TN_OK) {
            if (t->err != NULL) t->err->offset += t->at;
            return status;
        }
        if (!more) return TN_OK;
        if (++t->n > MAX_FEATURES)
            return tni_fail_at(t->err, TN_ELIMIT, t->at,
                               "a record of more than %d features",
                               (int)MAX_FEATURES);
    }
}

/* --- features nobody defines ----------------------------------------------- */

static void put_number(tni_out *o, double v, bool whole)
{
    char text[32];
    (void)tni_num_shortest(text, sizeof text, v);
    tni_out_str(o, text);
    /* What has no point comes back as an integer. */
    if (!whole && strpbrk(text, ".eE") == NULL) tni_out_str(o, ".0");
}

/* Value i of a feature as JSON; false when it cannot be. */
static bool put_value(tni_out *o, const tni_example_feature *f,
                      const void *values, size_t i)
{
    if (f->kind == TNI_FEATURE_INTS) {
        tni_out_i64(o, ((const int64_t *)values)[i]);
        return true;
    }
    if (f->kind == TNI_FEATURE_FLOATS) {
        const double v = (double)((const float *)values)[i];
        if (!(v > -1e39 && v < 1e39)) return false;
        put_number(o, v, false);
        return true;
    }
    const tni_bytes *b = (const tni_bytes *)values + i;
    if (tni_utf8_valid((const char *)b->p, b->size) != b->size) return false;
    tni_out_json(o, (const char *)b->p, b->size);
    return true;
}

static tn_status values_of(tni_tfod *t, const tni_example_feature *f,
                           const void **values)
{
    const size_t size = f->kind == TNI_FEATURE_INTS     ? sizeof(int64_t)
                        : f->kind == TNI_FEATURE_FLOATS ? sizeof(float)
                                                        : sizeof(tni_bytes);
    void *v = tni_arena_array(&t->temp, f->n, size, _Alignof(max_align_t));
    if (v == NULL) return no_memory(t->err);
    if (f->kind == TNI_FEATURE_INTS) {
        tni_feature_ints(f, v);
    } else if (f->kind == TNI_FEATURE_FLOATS) {
        tni_feature_floats(f, v);
    } else {
        tni_bytes list = f->list, *to = v;
        while (tni_feature_bytes(&list, to)) to++;
    }
    *values = v;
    return TN_OK;
}

static tn_status note_unreadable(tni_tfod *t, tni_bytes key)
{
    return tni_note_add(
        t->d, tni_where(t->source, t->at), "binary-feature", t->err,
        "a feature '%.*s' has bytes that are no text, or "
        "numbers that are none: it is left out",
        key.size > 60 ? 60 : (int)key.size, (const char *)key.p);
}

/* "key": value, or "key": [values]; of object i alone when `object`. */
static tn_status put_member(tni_tfod *t, const tni_example_feature *f,
                            tni_bytes key, const void *values, size_t from,
                            size_t n, tni_span *member, bool *good)
{
    tni_out *o = tni_draft_begin(t->draft);
    *good = true;
    tni_out_json(o, (const char *)key.p, key.size);
    tni_out_str(o, n == 1 ? ": " : ": [");
    for (size_t i = 0; i < n && *good; i++) {
        if (i > 0) tni_out_str(o, ", ");
        *good = put_value(o, f, values, from + i);
    }
    if (n != 1) tni_out_str(o, "]");
    return *good ? tni_draft_keep(t->draft, t->d, member) : TN_OK;
}

static tn_status keep_feature(tni_tfod *t, const tni_example_feature *f,
                              uint32_t first_ann)
{
    static const char object[] = "image/object/";
    const size_t len = sizeof object - 1;
    const void *values = NULL;
    tni_span member = {NULL, 0};
    tni_bytes key = f->key;
    bool good = true;
    if (tni_utf8_valid((const char *)key.p, key.size) != key.size)
        return note_unreadable(t, key);
    TN_TRY(values_of(t, f, &values));
    const bool of_objects = t->n_objects > 0 && f->n == t->n_objects &&
                            key.size > len && memcmp(key.p, object, len) == 0;
    if (!of_objects) {
        TN_TRY(put_member(t, f, key, values, 0, f->n, &member, &good));
        return good ? tni_set_image_text(t->d, t->image, TN_TEXT_EXTRA, member,
                                         t->err)
                    : note_unreadable(t, key);
    }
    key.p += len;
    key.size -= len;
    for (size_t i = 0; i < f->n; i++) {
        TN_TRY(put_member(t, f, key, values, i, 1, &member, &good));
        if (!good) return note_unreadable(t, f->key);
        TN_TRY(tni_set_text(t->d, first_ann + (uint32_t)i, TN_TEXT_EXTRA,
                            member, t->err));
    }
    return TN_OK;
}

static tn_status keep_unknown(tni_tfod *t, uint32_t first_ann)
{
    tni_strmap last; /* of a key that comes again, the last one holds */
    tni_strmap_init(&last, &t->temp);
    for (size_t i = 0; i < t->n; i++) {
        const tni_bytes key = t->f[i].key;
        bool fresh = false;
        void **slot =
            tni_strmap_add(&last, (const char *)key.p, key.size, &fresh);
        if (slot == NULL) return no_memory(t->err);
        *slot = &t->f[i];
    }
    for (size_t i = 0; i < t->n; i++) {
        tni_example_feature *f = &t->f[i];
        void **slot =
            tni_strmap_find(&last, (const char *)f->key.p, f->key.size);
        if (f->n == 0 || *slot != f ||
            tni_tfod_known((const char *)f->key.p, f->key.size))
            continue;
        TN_TRY(keep_feature(t, f, first_ann));
    }
    return TN_OK;
}

static tn_status keep_image_text(tni_tfod *t, const char *key, tni_bytes value)
{
    tni_span member = {NULL, 0};
    if (tni_utf8_valid((const char *)value.p, value.size) != value.size) {
        const tni_bytes name = {(const uint8_t *)key, strlen(key)};
        return note_unreadable(t, name);
    }
    tni_out *o = tni_draft_begin(t->draft);
    tni_out_json(o, key, strlen(key));
    tni_out_str(o, ": ");
    tni_out_json(o, (const char *)value.p, value.size);
    TN_TRY(tni_draft_keep(t->draft, t->d, &member));
    return tni_set_image_text(t->d, t->image, TN_TEXT_EXTRA, member, t->err);
}

/* --- the image ------------------------------------------------------------- */

static bool is_empty(tni_bytes b)
{
    return b.size == 0;
}

/* The name a record gives, or one made of the file's and the record's number;
 * an ending where it has none and the image says which. */
static tn_status name_image(tni_tfod *t, tni_bytes name, tni_bytes id,
                            const char *format, const char **out)
{
    char text[MAX_NAME + 64];
    const char *ending = format == NULL                ? ""
                         : strcmp(format, "jpeg") == 0 ? ".jpg"
                                                       : format;
    if (is_empty(name)) name = id;
    if (name.size > MAX_NAME ||
        memchr(name.p != NULL ? name.p : t->f->key.p, '\0', name.size) != NULL)
        return tni_fail_at(t->err, TN_EFORMAT, t->at,
                           "'image/filename' has %zu bytes with or without a "
                           "NUL among them; expected the name of a file",
                           name.size);
    if (is_empty(name)) {
        (void)snprintf(text, sizeof text, "%.400s-%08u", t->stem,
                       (unsigned)t->nth);
        TN_TRY(tni_note_add(t->d, tni_where(t->source, t->at), "no-filename",
                            t->err,
                            "a record has neither 'image/filename' nor "
                            "'image/source_id': it is called '%.100s'",
                            text));
    } else {
        memcpy(text, name.p, name.size);
        text[name.size] = '\0';
    }
    if (format != NULL && !tni_is_image_name(text)) {
        TN_TRY(tni_note_add(t->d, tni_where(t->source, t->at), "no-extension",
                            t->err,
                            "'%.100s' does not end like an image; it is one, "
                            "and gets the ending",
                            text));
        const size_t n = strlen(text);
        (void)snprintf(text + n, sizeof text - n, "%s%s",
                       ending[0] == '.' ? "" : ".", ending);
    }
    *out = tni_keep(t->d, text, strlen(text));
    return *out != NULL ? TN_OK : no_memory(t->err);
}

static tn_status id_of(tni_tfod *t, tni_bytes id, tni_bytes name,
                       tni_image_row *row)
{
    const tni_span text = {(const char *)id.p, id.size};
    char again[32];
    /* Many writers repeat the name: that says nothing. */
    if (is_empty(id) ||
        (id.size == name.size && memcmp(id.p, name.p, id.size) == 0))
        return TN_OK;
    if (tni_field_i64(text, &row->id)) {
        (void)snprintf(again, sizeof again, "%lld", (long long)row->id);
        row->id_kind = TN_ID_INT;
        if (tni_span_is(text, again)) return TN_OK;
    }
    const char *copy = tni_keep(t->d, text.p, text.len);
    if (copy == NULL) return no_memory(t->err);
    row->id_kind = TN_ID_TEXT;
    row->id = (int64_t)(intptr_t)copy;
    return TN_OK;
}

/* The format and the key say what the bytes say, or are kept. */
static tn_status check_encoded(tni_tfod *t, tni_bytes encoded,
                               const char *format)
{
    tni_bytes said, key;
    char hex[65];
    TN_TRY(get_text(t, "image/format", &said));
    TN_TRY(get_text(t, "image/key/sha256", &key));
    if (!is_empty(said) && (format == NULL || strlen(format) != said.size ||
                            memcmp(format, said.p, said.size) != 0))
        TN_TRY(keep_image_text(t, "image/format", said));
    if (is_empty(key) || (t->r->flags & TN_DATASET_NO_HEADERS) != 0)
        return TN_OK;
    if (!is_empty(encoded)) {
        tni_sha256_hex(hex, encoded.p, encoded.size);
        if (key.size == 64 && memcmp(key.p, hex, 64) == 0) return TN_OK;
        TN_TRY(tni_note_add(t->d, tni_where(t->source, t->at), "image-key",
                            t->err,
                            "the SHA-256 of the image '%.100s' is not the one "
                            "its record says",
                            tni_image_at(t->d, t->image)->name));
    }
    return keep_image_text(t, "image/key/sha256", key);
}

static tn_status read_image(tni_tfod *t)
{
    tni_bytes encoded, name, id;
    tni_image_row row;
    tn_image_info info = TN_IMAGE_INFO_INIT;
    memset(&row, 0, sizeof row);
    TN_TRY(get_text(t, "image/encoded", &encoded));
    TN_TRY(get_text(t, "image/filename", &name));
    TN_TRY(get_text(t, "image/source_id", &id));
    TN_TRY(get_size(t, "image/width", &row.width));
    TN_TRY(get_size(t, "image/height", &row.height));
    if (encoded.size > 0 &&
        tn_image_probe(&info, NULL, encoded.p, encoded.size, 0,
                       TN_IMAGE_HEAD_ONLY, NULL) != TN_OK)
        info.format = NULL;
    TN_TRY(name_image(t, name, id, info.format, &row.name));
    TN_TRY(id_of(t, id, name, &row));
    row.where = tni_where(t->source, t->at);
    if (t->split != TN_NONE) row.splits = UINT64_C(1) << t->split;
    if (tni_tfod_has(t, "image/object/bbox/xmin")) row.state = TN_STATE_EMPTY;
    TN_TRY(tni_add_image(t->d, &row, &t->image, t->err));
    if (encoded.size > 0) {
        const tni_span bytes = {(const char *)encoded.p, encoded.size};
        TN_TRY(tni_set_image_bytes(t->d, t->image, bytes, t->err));
        TN_TRY(tni_read_header(t->r, t->image, t->err));
    } else {
        TN_TRY(tni_find_image(t->r, t->image, t->folders, t->err));
    }
    return check_encoded(t, encoded, info.format);
}

static tn_status read_record(tni_tfod *t, tni_bytes record)
{
    tni_arena_reset(&t->temp);
    t->n_objects = 0;
    TN_TRY(read_features(t, record));
    bool any = false;
    for (size_t i = 0; i < t->n && !any; i++)
        any = t->f[i].key.size > 6 && memcmp(t->f[i].key.p, "image/", 6) == 0;
    if (!any)
        return tni_fail_at(
            t->err, TN_EUNSUPPORTED, t->at,
            "a record has no feature that begins with 'image/' "
            "(its first: '%.*s'): these are no records of "
            "object detection",
            t->n > 0 && t->f[0].key.size < 60 ? (int)t->f[0].key.size : 0,
            t->n > 0 ? (const char *)t->f[0].key.p : "");
    TN_TRY(read_image(t));
    const uint32_t first = t->d->anns.n;
    TN_TRY(tni_tfod_read_objects(t));
    return keep_unknown(t, first);
}

/* --- label maps ------------------------------------------------------------ */

/* How likely a file is the label map of records called `stem`; 0: it is none. */
static int rank_label_map(const char *name, const char *stem)
{
    const size_t n = strlen(stem);
    if (!tni_ends_with(name, ".pbtxt")) return 0;
    if (n > 0 && strncmp(name, stem, n) == 0 &&
        (strcmp(name + n, ".pbtxt") == 0 ||
         strcmp(name + n, "_label_map.pbtxt") == 0))
        return 4;
    if (strcmp(name, "label_map.pbtxt") == 0) return 3;
    return strstr(name, "label") != NULL ? 2 : 1;
}

static tn_status choose_label_map(tni_tfod *t, const char *folder,
                                  const char **out)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0, best = 0, same = 0;
    int score = 0;
    TN_TRY(tni_list(t->r, folder, &e, &n, t->err));
    for (size_t i = 0; i < n; i++) {
        const int rank = e[i].is_dir ? 0 : rank_label_map(e[i].name, t->stem);
        if (rank == 0 || rank < score) continue;
        same = rank == score ? same + 1 : 0;
        if (rank > score) best = i;
        score = rank;
    }
    if (score == 0) return TN_OK;
    *out = tni_join(t->r, folder, e[best].name);
    if (*out == NULL) return no_memory(t->err);
    if (same == 0) return TN_OK;
    return tni_note_add(t->d, 0, "several-label-maps", t->err,
                        "%.200s has several label maps for '%.60s'; '%.60s' "
                        "is used",
                        folder, t->stem, e[best].name);
}

/* The class an item stands for: one of another map that has its name and id,
 * or a new one. */
static tn_status add_label(tni_tfod *t, const tni_label *l)
{
    tni_class_row row;
    uint32_t cls = TN_NONE;
    bool fresh = false;
    memset(&row, 0, sizeof row);
    row.name = l->name;
    row.id = l->id;
    row.id_kind = TN_ID_INT;
    TN_TRY(tni_same_class(t->r, &row, &cls, t->err));
    if (cls == TN_NONE) {
        row.name = tni_intern(t->d, l->name, strlen(l->name));
        row.where = l->where;
        row.keypoints = l->points;
        row.n_keypoints = l->n_points;
        if (row.name == NULL) return no_memory(t->err);
        TN_TRY(tni_add_class(t->d, &row, &cls, t->err));
        void **slot =
            tni_strmap_add(&t->classes.map, row.name, strlen(row.name), &fresh);
        if (slot == NULL) return no_memory(t->err);
        if (fresh) *slot = (void *)((uintptr_t)cls + 1);
        if (l->display != NULL) {
            tni_span member = {NULL, 0};
            tni_out *o = tni_draft_begin(t->draft);
            tni_out_str(o, "\"display_name\": ");
            tni_out_json(o, l->display, strlen(l->display));
            TN_TRY(tni_draft_keep(t->draft, t->d, &member));
            TN_TRY(
                tni_set_class_text(t->d, cls, TN_TEXT_EXTRA, member, t->err));
        }
    }
    if (tni_idmap_find(&t->ids, TN_ID_INT, l->id) != TN_NONE)
        TN_TRY(tni_note_add(t->d, l->where, "duplicate-class-id", t->err,
                            "'%.100s' has the id of an item before it: that "
                            "one is used",
                            l->name));
    else if (!tni_idmap_add(&t->ids, TN_ID_INT, l->id, cls))
        return no_memory(t->err);
    if (l->display == NULL) return TN_OK;
    void **slot =
        tni_strmap_add(&t->displays, l->display, strlen(l->display), &fresh);
    if (slot == NULL) return no_memory(t->err);
    if (fresh) *slot = (void *)((uintptr_t)cls + 1);
    return TN_OK;
}

/* The label map of the file: beside it, or above where the folder is inside
 * the dataset's. */
static tn_status use_label_map(tni_tfod *t, const char *folder,
                               const char *above)
{
    const char *path = NULL;
    tni_label *labels = NULL;
    size_t n = 0;
    TN_TRY(choose_label_map(t, folder, &path));
    if (path == NULL && above != NULL)
        TN_TRY(choose_label_map(t, above, &path));
    if (path == NULL ? t->label_map == NULL && t->ids.arena != NULL
                     : t->label_map != NULL && strcmp(t->label_map, path) == 0)
        return TN_OK;
    t->label_map = path;
    tni_idmap_init(&t->ids, &t->r->scratch);
    tni_strmap_init(&t->displays, &t->r->scratch);
    if (path == NULL) return TN_OK;
    t->mapped = true;
    TN_TRY(tni_tfod_labels_read(t->r, path, &labels, &n, t->err));
    for (size_t i = 0; i < n; i++) TN_TRY(add_label(t, &labels[i]));
    return TN_OK;
}

/* --- files ----------------------------------------------------------------- */

static tn_status read_records(tni_tfod *t)
{
    tni_span text = {NULL, 0};
    tni_tfrecord records;
    TN_TRY(tni_source_open(t->d, t->path, &t->source, &text, t->err));
    if (tni_is_gzip(text.p, text.len) && !tni_tfrecord_begins(text.p, text.len))
        TN_TRY(tni_gunzip(&text, &t->d->arena, t->err));
    t->start = text.p;
    tni_tfrecord_init(&records, text.p, text.len, t->err);
    for (t->nth = 1;; t->nth++) {
        tni_bytes record;
        bool more = false;
        TN_TRY(tni_tfrecord_next(&records, &record, &more));
        if (!more) return TN_OK;
        t->at = (uint64_t)((const char *)record.p - t->start);
        const tn_status status = read_record(t, record);
        if (status != TN_OK) {
            tni_err_where(t->err, "record %u", (unsigned)t->nth);
            return status;
        }
        TN_TRY(tni_reader_progress(t->r, records.at, records.size, t->err));
    }
}

typedef struct found {
    const char *path, *folder, *above, *split;
    size_t split_len;
    tni_shard_name name;
    const char *base;
} found;

static tn_status read_file(tni_tfod *t, const found *f)
{
    char *stem = tni_arena_strndup(&t->r->scratch, f->base, f->name.stem);
    if (stem == NULL) return no_memory(t->err);
    t->stem = stem;
    t->path = f->path;
    t->split = TN_NONE;
    if (f->split_len > 0)
        TN_TRY(tni_add_split(t->d, f->split, f->split_len, &t->split, t->err));
    t->folders[0] = t->r->images != NULL ? t->r->images : f->folder;
    t->folders[1] =
        t->r->images != NULL ? NULL : tni_join(t->r, f->folder, "images");
    TN_TRY(use_label_map(t, f->folder, f->above));
    const tn_status status = read_records(t);
    if (status != TN_OK) tni_err_where(t->err, "%s", f->path);
    return status;
}

static bool is_record_file(tni_reader *r, const char *path,
                           const tni_shard_name *name)
{
    tni_probe p;
    if (name->ending) return true;
    memset(&p, 0, sizeof p);
    p.r = r;
    const tni_span head = tni_probe_head(&p, path);
    return tni_tfrecord_begins(head.p, head.len);
}

static tn_status check_shards(tni_tfod *t, const found *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const found *f = &list[i];
        bool first = f->name.all > 0;
        uint32_t there = 0;
        for (size_t k = 0; k < n && first; k++) {
            const found *o = &list[k];
            if (o->name.all != f->name.all || o->name.stem != f->name.stem ||
                strcmp(o->folder, f->folder) != 0 ||
                memcmp(o->base, f->base, f->name.stem) != 0)
                continue;
            first = k >= i;
            there++;
        }
        if (first && there != f->name.all)
            TN_TRY(tni_note_add(t->d, 0, "missing-shards", t->err,
                                "'%.100s' is one of %u files, of which %u are "
                                "here",
                                f->base, (unsigned)f->name.all,
                                (unsigned)there));
    }
    return TN_OK;
}

typedef struct finds {
    found *list;
    size_t n, cap;
} finds;

/* The files of records in a folder; `split` is what it is called when it lies
 * in the dataset's. */
static tn_status find_in(tni_tfod *t, finds *out, const char *folder,
                         const char *above, const char *split)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(t->r, folder, &e, &n, t->err));
    for (size_t i = 0; i < n; i++) {
        found f;
        memset(&f, 0, sizeof f);
        if (e[i].is_dir || !tni_shard_name_read(&f.name, e[i].name)) continue;
        f.path = tni_join(t->r, folder, e[i].name);
        if (f.path == NULL) return no_memory(t->err);
        if (!is_record_file(t->r, f.path, &f.name)) continue;
        f.folder = folder;
        f.above = above;
        f.base = e[i].name;
        f.split_len = tni_stem_split(f.base, f.name.stem, &f.split);
        const char *word = NULL;
        if (split != NULL &&
            (f.split_len == 0 ||
             tni_stem_split(split, strlen(split), &word) == strlen(split))) {
            f.split = split;
            f.split_len = strlen(split);
        }
        if (out->n == out->cap) {
            out->cap = out->cap == 0 ? 16 : out->cap * 2;
            found *more = TNI_NEW_ARRAY(&t->r->scratch, found, out->cap);
            if (more == NULL) return no_memory(t->err);
            if (out->n > 0) memcpy(more, out->list, out->n * sizeof *more);
            out->list = more;
        }
        out->list[out->n++] = f;
    }
    return TN_OK;
}

static tn_status read_folder(tni_tfod *t)
{
    finds files = {NULL, 0, 0};
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(find_in(t, &files, t->r->path, NULL, NULL));
    TN_TRY(tni_list(t->r, t->r->path, &e, &n, t->err));
    for (size_t i = 0; i < n; i++) {
        if (!e[i].is_dir) continue;
        const char *folder = tni_join(t->r, t->r->path, e[i].name);
        if (folder == NULL) return no_memory(t->err);
        TN_TRY(find_in(t, &files, folder, t->r->path, e[i].name));
    }
    if (files.n == 0)
        return tni_fail(t->err, TN_ENOTFOUND,
                        "the folder has no file of records; expected "
                        "*.tfrecord, *.record or shards (-00000-of-00010)");
    TN_TRY(check_shards(t, files.list, files.n));
    for (size_t i = 0; i < files.n; i++) TN_TRY(read_file(t, &files.list[i]));
    return TN_OK;
}

static tn_status read_one(tni_tfod *t)
{
    found f;
    const char *slash = strrchr(t->r->path, '/');
    memset(&f, 0, sizeof f);
    f.path = t->r->path;
    f.base = slash != NULL ? slash + 1 : f.path;
    f.folder = tni_folder_of(t->r, f.path);
    if (f.folder == NULL) return no_memory(t->err);
    (void)tni_shard_name_read(&f.name, f.base);
    f.split_len = tni_stem_split(f.base, f.name.stem, &f.split);
    TN_TRY(check_shards(t, &f, 1));
    return read_file(t, &f);
}

tn_status tni_tfod_read(tni_reader *r, tn_err *err)
{
    tni_tfod t;
    memset(&t, 0, sizeof t);
    t.r = r;
    t.d = r->d;
    t.err = err;
    t.draft = tni_draft_new(&r->scratch, err);
    if (t.draft == NULL) return TN_ENOMEM;
    tni_classes_init(&t.classes, r);
    tni_arena_init(&t.temp, &r->d->mem, 1 << 14);
    r->d->variant = r->variant != NULL ? r->variant : "boxes";
    tn_status status = r->is_dir ? read_folder(&t) : read_one(&t);
    if (status == TN_OK && !t.mapped)
        status = tni_classes_by_id(&t.classes, err);
    tni_arena_fini(&t.temp);
    return status;
}
