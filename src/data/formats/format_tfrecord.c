/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_tfrecord.c - TFRecord files of the TensorFlow Object Detection API
 *
 * A record is a tf.train.Example: the encoded image, its name and size, and
 * for each object one value in every list of image/object/. Files may be
 * shards (x-00000-of-00010.tfrecord, x.record-00000-of-00010) and gzip. Splits
 * are told by the names of files (train.tfrecord, coco_val.record) or of the
 * folders they lie in (Roboflow). Images stay inside the records and are read
 * from there.
 *
 * Traps: labels count from 1, and 0 is the background; the text of a class may
 * be missing and the label map, when there is one, is not always beside the
 * records; of a class text and label that differ the text holds, as it does in
 * the API. Coordinates are float32 parts of the image's width and height.
 *
 * Source: github.com/tensorflow/models research/object_detection
 *         (data_decoders/tf_example_decoder.py, dataset_tools/)
 */
#include "data/formats/tfod.h"

#include "base/num.h"

/* --- names of files -------------------------------------------------------- */

/* The number behind the last `mark` of the first `len` characters, taken off. */
static bool take_number(const char *name, size_t *len, const char *mark,
                        uint32_t *out)
{
    const size_t n = strlen(mark);
    size_t i = *len;
    uint64_t v = 0;
    while (i > 0 && name[i - 1] >= '0' && name[i - 1] <= '9') i--;
    if (i == *len || *len - i > 9 || i < n ||
        memcmp(name + i - n, mark, n) != 0)
        return false;
    for (size_t k = i; k < *len; k++) v = v * 10 + (uint64_t)(name[k] - '0');
    *out = (uint32_t)v;
    *len = i - n;
    return true;
}

static bool take_shard(tni_shard_name *s, const char *name)
{
    size_t len = s->stem;
    uint32_t all = 0, nth = 0;
    if (s->all > 0 || !take_number(name, &len, "-of-", &all) ||
        !take_number(name, &len, "-", &nth) || all == 0)
        return false;
    s->stem = len;
    s->all = all;
    s->nth = nth;
    return true;
}

static bool take_ending(tni_shard_name *s, const char *name)
{
    static const char *const ends[] = {".gz",     ".tfrecord", ".tfrecords",
                                       ".record", ".records",  ".tfrec",
                                       ".tfr"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const size_t n = strlen(ends[i]);
        if (s->stem < n) continue;
        bool same = true;
        for (size_t k = 0; k < n; k++) {
            char c = name[s->stem - n + k];
            if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
            same = same && c == ends[i][k];
        }
        if (!same) continue;
        s->stem -= n;
        s->ending = s->ending || i > 0;
        return true;
    }
    return false;
}

bool tni_shard_name_read(tni_shard_name *out, const char *name)
{
    memset(out, 0, sizeof *out);
    out->stem = strlen(name);
    while (take_shard(out, name) || take_ending(out, name)) continue;
    return out->ending || out->all > 0;
}

/* --- recognising ----------------------------------------------------------- */

/* Whether the bytes begin like a record, or like gzip. */
static int score_head(tni_span head, bool named)
{
    if (tni_tfrecord_begins(head.p, head.len))
        return tni_has_text(head, "image/") ? 90 : 60;
    const bool gzip = head.len > 18 && memcmp(head.p, "\x1f\x8b\x08", 3) == 0;
    return named && gzip ? 85 : 0;
}

static int score_folder(const tni_probe *p, const char *folder,
                        const tni_dir_entry *e, size_t n)
{
    int best = 0;
    for (size_t i = 0; i < n && best < 85; i++) {
        tni_shard_name name;
        if (e[i].is_dir || !tni_shard_name_read(&name, e[i].name)) continue;
        const int score = score_head(
            tni_probe_head(p, tni_join(p->r, folder, e[i].name)), name.ending);
        if (score > best) best = score;
    }
    return best;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) {
        const char *slash = strrchr(p->path, '/');
        tni_shard_name name;
        const bool named =
            tni_shard_name_read(&name, slash != NULL ? slash + 1 : p->path);
        return score_head(p->head, named);
    }
    int best = score_folder(p, p->path, p->entries, p->n_entries);
    for (size_t i = 0; i < p->n_entries && best == 0; i++) {
        const tni_dir_entry *e = NULL;
        size_t n = 0;
        if (!p->entries[i].is_dir) continue;
        const char *path = tni_join(p->r, p->path, p->entries[i].name);
        if (tni_list(p->r, path, &e, &n, NULL) != TN_OK) continue;
        best = score_folder(p, path, e, n);
    }
    return best;
}

/* --- what a record holds --------------------------------------------------- */

bool tni_tfod_known(const char *key, size_t len)
{
    static const char *const keys[] = {
        "image/encoded",
        "image/format",
        "image/filename",
        "image/source_id",
        "image/key/sha256",
        "image/height",
        "image/width",
        "image/class/text",
        "image/class/label",
        "image/class/confidence",
        "image/caption",
        "image/object/bbox/xmin",
        "image/object/bbox/xmax",
        "image/object/bbox/ymin",
        "image/object/bbox/ymax",
        "image/object/class/text",
        "image/object/class/label",
        "image/object/difficult",
        "image/object/truncated",
        "image/object/occluded",
        "image/object/is_crowd",
        "image/object/group_of",
        "image/object/area",
        "image/object/mask",
        "image/object/track/label",
        "image/object/keypoint/x",
        "image/object/keypoint/y",
        "image/object/keypoint/visibility",
        "image/object/keypoint/num",
        "image/object/keypoint/text",
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strlen(keys[i]) == len && memcmp(keys[i], key, len) == 0)
            return true;
    return false;
}

bool tni_tfod_ids(const tn_dataset *d, int64_t *ids)
{
    bool own = true;
    for (uint32_t i = 0; i < d->classes.n && own; i++) {
        const tni_class_row *row = tni_class_at(d, i);
        ids[i] = row->id;
        own = row->id_kind == TN_ID_INT && row->id >= 1 && row->id <= INT32_MAX;
        /* In order they are unique at a glance. */
        if (!own || i == 0 || row->id > ids[i - 1]) continue;
        for (uint32_t k = 0; k < i && own; k++) own = ids[k] != row->id;
    }
    for (uint32_t i = 0; i < d->classes.n && !own; i++) ids[i] = (int64_t)i + 1;
    return own;
}

tni_tfod_kind tni_tfod_kind_of(const tn_dataset *d, uint32_t ann,
                               const tni_ann *a, tn_shape *scratch)
{
    double box[4];
    if (a->image == TN_NONE) return TNI_TFOD_NOTHING;
    if ((a->flags & TN_IS_TAG) != 0)
        return a->class_index != TN_NONE ? TNI_TFOD_TAG : TNI_TFOD_NOTHING;
    if ((a->flags & TN_IS_NEGATIVE) != 0) return TNI_TFOD_NOTHING;
    if ((a->flags & (TN_HAS_BOX | TN_HAS_SHAPE | TN_HAS_KEYPOINTS)) == 0)
        return tni_sparse_find(&d->text[TN_TEXT_CAPTION], ann, 0) != NULL
                   ? TNI_TFOD_CAPTION
                   : TNI_TFOD_NOTHING;
    const bool parts = (a->flags & (TN_HAS_BOX | TN_HAS_ANGLE)) == TN_HAS_BOX &&
                       tni_ann_scale(a->flags) != TN_SCALE_PIXEL;
    double w = 0.0, h = 0.0;
    return parts || (tni_image_extent(d, a->image, &w, &h) &&
                     tni_box_for(d, ann, a, scratch, box))
               ? TNI_TFOD_OBJECT
               : TNI_TFOD_NOTHING;
}

tn_status tni_tfod_points(const tn_dataset *d, uint32_t ann, tn_shape *shape,
                          bool *pixels, tn_err *err)
{
    const tni_shape *cell = tni_sparse_find(&d->keypoints, ann, 0);
    *pixels = cell->scale == TN_SCALE_PIXEL;
    return tni_shape_read(shape, cell, 1.0, 1.0, err);
}

static bool kind_of_value(tni_span v, tni_feature_kind *kind)
{
    *kind = TNI_FEATURE_BYTES;
    if (v.len == 0) return false;
    if (v.p[0] == '"') return true;
    if (v.p[0] != '-' && (v.p[0] < '0' || v.p[0] > '9')) return false;
    *kind = TNI_FEATURE_INTS;
    for (size_t i = 0; i < v.len; i++)
        if (strchr(".eE", v.p[i]) != NULL) *kind = TNI_FEATURE_FLOATS;
    int64_t whole = 0;
    double number = 0.0;
    if (*kind == TNI_FEATURE_INTS) return tni_field_i64(v, &whole);
    return tni_field_f64(v, &number) && number > -3e38 && number < 3e38;
}

bool tni_tfod_member_read(tni_tfod_member *out, tni_span member)
{
    tni_json j;
    tn_err ignored;
    tni_span item;
    size_t key = 1;
    memset(out, 0, sizeof *out);
    while (key < member.len && member.p[key] != '"') {
        if (member.p[key] == '\\') return false; /* no key of a feature */
        key++;
    }
    out->key.p = member.p + 1;
    out->key.len = key - 1;
    const char *p = member.p + key + 1, *end = member.p + member.len;
    while (p < end &&
           (*p == ' ' || *p == ':' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    out->value.p = p;
    out->value.len = p < end ? (size_t)(end - p) : 0;
    if (out->value.len == 0 || out->key.len == 0) return false;
    out->list = p[0] == '[';
    if (!out->list) return kind_of_value(out->value, &out->kind);
    tni_json_init(&j, p, out->value.len, 0, &ignored);
    if (!tni_json_enter(&j, '[')) return false;
    while (tni_json_item(&j)) {
        tni_feature_kind kind = TNI_FEATURE_NONE;
        (void)tni_json_peek(&j);
        if (!tni_json_skip(&j, &item) || !kind_of_value(item, &kind))
            return false;
        if (out->kind != TNI_FEATURE_NONE && out->kind != kind) return false;
        out->kind = kind;
    }
    return out->kind != TNI_FEATURE_NONE && j.status == TN_OK;
}

/* --- what it does not hold ------------------------------------------------- */

static bool members_lost(const tn_dataset *d)
{
    const tni_sparse *s = &d->image_text[TN_TEXT_EXTRA];
    if (d->image_text[TN_TEXT_ATTRIBUTES].keys.n > 0) return true;
    for (uint32_t i = 0; i < s->keys.n; i++) {
        tni_tfod_member m;
        const tni_span *text = TNI_ROW(&s->values, tni_span, i);
        if (!tni_tfod_member_read(&m, *text)) return true;
        /* A format or key that does not fit the bytes is kept as it is. */
        if (tni_tfod_known(m.key.p, m.key.len) &&
            !tni_span_is(m.key, "image/format") &&
            !tni_span_is(m.key, "image/key/sha256"))
            return true;
        if (m.key.len > 13 && memcmp(m.key.p, "image/object/", 13) == 0 &&
            !m.list)
            return true; /* would become one of the only object */
    }
    return false;
}

static bool class_members_lost(const tn_dataset *d)
{
    const tni_sparse *s = &d->class_text[TN_TEXT_EXTRA];
    for (uint32_t i = 0; i < s->keys.n; i++) {
        tni_tfod_member m;
        if (!tni_tfod_member_read(&m, *TNI_ROW(&s->values, tni_span, i)) ||
            m.list || m.kind != TNI_FEATURE_BYTES ||
            !tni_span_is(m.key, "display_name"))
            return true;
    }
    return d->class_text[TN_TEXT_ATTRIBUTES].keys.n > 0;
}

/* Ids become texts: one that looks like a number, or like the name, would
 * come back as something else. */
static bool image_ids_lost(const tn_dataset *d)
{
    for (uint32_t i = 0; i < d->images.n; i++) {
        const tni_image_row *row = tni_image_at(d, i);
        int64_t number = 0;
        if (row->id_kind != TN_ID_TEXT) continue;
        const char *text = (const char *)(intptr_t)row->id;
        if (text[0] == '\0' || strcmp(text, row->name) == 0 ||
            tni_field_i64(tni_span_of(text), &number))
            return true;
    }
    return false;
}

/* Fields of objects are lists: all objects of an image have the same ones. */
static bool extras_differ(const tn_dataset *d, uint32_t a, uint32_t b)
{
    const tni_sparse *s = &d->text[TN_TEXT_EXTRA];
    for (uint32_t k = 0;; k++) {
        const tni_span *x = tni_sparse_find(s, a, k);
        const tni_span *y = tni_sparse_find(s, b, k);
        tni_tfod_member m, n;
        char key[300];
        if (x == NULL || y == NULL) return x != y;
        if (!tni_tfod_member_read(&m, *x) || !tni_tfod_member_read(&n, *y) ||
            m.list || n.list || m.kind != n.kind || m.key.len != n.key.len ||
            m.key.len > 200 || memcmp(m.key.p, n.key.p, m.key.len) != 0)
            return true;
        memcpy(key, "image/object/", 13);
        memcpy(key + 13, m.key.p, m.key.len);
        if (tni_tfod_known(key, 13 + m.key.len)) return true;
    }
}

typedef struct seen {
    uint32_t first; /* object of the image */
    size_t points, tracks, objects;
} seen;

static uint64_t look_at(const tn_dataset *d, uint32_t ann, const tni_ann *a,
                        tn_shape *scratch, seen *s)
{
    uint64_t lost = 0;
    double track = 0.0;
    const tni_tfod_kind kind = tni_tfod_kind_of(d, ann, a, scratch);
    const bool extra = tni_sparse_find(&d->text[TN_TEXT_EXTRA], ann, 0) != NULL;
    if (kind == TNI_TFOD_NOTHING) return 0;
    if (kind != TNI_TFOD_OBJECT) return extra ? lost | TNI_KEEPS(EXTRA) : lost;
    if (s->first == TN_NONE) s->first = ann;
    if (extras_differ(d, s->first, ann)) lost |= TNI_KEEPS(EXTRA);
    s->objects++;
    if (tn_dataset_num(d, ann, TN_NUM_TRACK, &track) != 0) {
        s->tracks++;
        if (!(track >= 0.0 && track < 9e15) || track != (double)(int64_t)track)
            lost |= TNI_KEEPS(TRACK);
    }
    if (s->tracks > 0 && s->tracks != s->objects) lost |= TNI_KEEPS(TRACK);
    if ((a->flags & TN_HAS_KEYPOINTS) == 0) return lost;
    const size_t had = s->points;
    bool pixels = false;
    if (tni_tfod_points(d, ann, scratch, &pixels, NULL) != TN_OK ||
        scratch->n_points == 0 || (had > 0 && scratch->n_points != had))
        return lost | TNI_KEEPS(KEYPOINTS);
    s->points = scratch->n_points;
    return lost;
}

uint64_t tni_tfod_lost(const tn_dataset *d)
{
    uint64_t lost = 0;
    tn_shape scratch = TN_SHAPE_INIT;
    if (members_lost(d)) lost |= TNI_KEEPS(IMAGE_EXTRA);
    if (class_members_lost(d)) lost |= TNI_KEEPS(CLASS_EXTRA);
    if (image_ids_lost(d)) lost |= TNI_KEEPS(IMAGE_ID);
    for (uint32_t i = 0; i < d->images.n; i++) {
        size_t n = 0;
        const uint32_t *list = tn_dataset_of_image(d, i, &n);
        seen s = {TN_NONE, 0, 0, 0};
        for (size_t k = 0; k < n; k++) {
            tni_ann a;
            tni_ann_get(d, list[k], &a);
            lost |= look_at(d, list[k], &a, &scratch, &s);
        }
    }
    tn_shape_fini(&scratch);
    if ((lost & TNI_KEEPS(KEYPOINTS)) != 0) lost |= TNI_KEEPS(VISIBILITY);
    return lost;
}

static bool class_ids_kept(const tn_dataset *d)
{
    tni_mem mem;
    tni_arena arena;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 4096);
    int64_t *ids = TNI_NEW_ARRAY(&arena, int64_t, d->classes.n + 1u);
    const bool kept = ids != NULL && tni_tfod_ids(d, ids);
    tni_arena_fini(&arena);
    return kept;
}

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_tfrecord.keeps & ~tni_tfod_lost(d);
    if (*variant == NULL) *variant = counts[TNI_F_MASK] > 0 ? "masks" : "boxes";
    if (strcmp(*variant, "masks") != 0) keeps &= ~TNI_KEEPS(MASK);
    if (!class_ids_kept(d)) keeps &= ~TNI_KEEPS(CLASS_ID);
    return keeps;
}

const tni_format tni_format_tfrecord = {
    .name = "tfrecord",
    .title = "TFRecord object detection",
    .files = "*.tfrecord",
    .source = "https://github.com/tensorflow/models/tree/master/research/"
              "object_detection",
    .variants = "boxes masks",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(MASK) | TNI_KEEPS(KEYPOINTS) |
             TNI_KEEPS(VISIBILITY) | TNI_KEEPS(KEYPOINT_NAMES) |
             TNI_KEEPS(TAG) | TNI_KEEPS(NEGATIVE) | TNI_KEEPS(CAPTION) |
             TNI_KEEPS(EXTRA) | TNI_KEEPS(CROWD) | TNI_KEEPS(DIFFICULT) |
             TNI_KEEPS(TRUNCATED) | TNI_KEEPS(OCCLUDED) | TNI_KEEPS(TRACK) |
             TNI_KEEPS(AREA) | TNI_KEEPS(IMAGE_ID) | TNI_KEEPS(CLASS_ID) |
             TNI_KEEPS(UNUSED) | TNI_KEEPS(CLASS_EXTRA) | TNI_KEEPS(SIZE) |
             TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY) |
             TNI_KEEPS(UNKNOWN) | TNI_KEEPS(CLASSLESS),
    .flags = TNI_FORMAT_UNITS | TNI_FORMAT_ENDINGS | TNI_FORMAT_PACKED,
    /* float32, for coordinates within a few widths of the image; the writer
     * refuses what it rounds further. */
    .off_units = 1e-6,
    .probe = probe,
    .read = tni_tfod_read,
    .plan = plan,
    .write = tni_tfod_write,
};
