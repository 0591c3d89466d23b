/* SPDX-License-Identifier: Apache-2.0 */
/* mot_write.c - frames get their numbers, sequences their files */
#include "data/formats/mot.h"

#include "base/num.h"

#include <math.h>
#include <stdio.h>

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

/* --- names --------------------------------------------------------------- */

/* The sequence of an image: its folder without img1. */
static char *sequence_of(tni_arena *arena, const char *name, bool deep)
{
    const char *slash = strrchr(name, '/');
    size_t len = slash != NULL ? (size_t)(slash - name) : 0;
    if (len == 4 && memcmp(name, "img1", 4) == 0) len = 0;
    if (len > 5 && memcmp(name + len - 5, "/img1", 5) == 0) len -= 5;
    if (len == 0 && deep) return tni_arena_strndup(arena, "sequence", 8);
    char *out = tni_arena_strndup(arena, name, len);
    for (size_t i = 0; out != NULL && i < len; i++)
        if (out[i] == '/') out[i] = '_';
    return out;
}

/* Whether seqinfo.ini can have it: "imExt=.jpg". */
static bool fits_ini(const char *extension)
{
    const tni_span all = tni_span_of(extension);
    return all.len > 1 && tni_trim(all).len == all.len &&
           strpbrk(extension, "\r\n\t") == NULL;
}

/* A sequence of the target while names are given. */
typedef struct group {
    uint32_t n, next;
    bool ranked; /* numbers are ranks */
    const char *extension;
} group;

static group *group_of(tni_strmap *map, tni_arena *arena, const char *key,
                       size_t len)
{
    bool fresh = false;
    void **slot = tni_strmap_add(map, key, len, &fresh);
    if (slot != NULL && fresh) *slot = TNI_NEW(arena, group);
    return slot != NULL ? *slot : NULL;
}

/* Keeps the numbers of a sequence whose images count 1 … n, in any order;
 * ranks otherwise. */
tn_status tni_mot_rename(const tn_dataset *d, const char **names,
                         tni_arena *arena, tn_err *err)
{
    tni_strmap groups, numbers;
    tni_strmap_init(&groups, arena);
    tni_strmap_init(&numbers, arena);
    bool deep = d->n_splits > 0;
    for (uint32_t i = 0; i < d->images.n && !deep; i++) {
        const char *seq = sequence_of(arena, names[i], false);
        if (seq == NULL) return no_memory(err);
        deep = seq[0] != '\0';
    }
    group **of = TNI_NEW_ARRAY(arena, group *, d->images.n + 1u);
    const char **seqs = TNI_NEW_ARRAY(arena, const char *, d->images.n + 1u);
    if (of == NULL || seqs == NULL) return no_memory(err);
    for (uint32_t i = 0; i < d->images.n; i++) {
        seqs[i] = sequence_of(arena, names[i], deep);
        const size_t size = seqs[i] != NULL ? strlen(seqs[i]) + 40 : 0;
        char *key = size > 0 ? tni_arena_alloc(arena, size, 1) : NULL;
        if (key == NULL) return no_memory(err);
        const int n =
            snprintf(key, size, "%d/%s",
                     (int)tni_first_split(tni_image_at(d, i)), seqs[i]);
        of[i] = group_of(&groups, arena, key, (size_t)n);
        if (of[i] == NULL) return no_memory(err);
        const char *extension = names[i] + tni_stem_len(names[i]);
        if (of[i]->n++ == 0) of[i]->extension = extension;
        if (extension[0] == '\0' || strcmp(extension, of[i]->extension) != 0)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "the images of a sequence have one extension, but "
                            "'%.100s' has another one than those before it",
                            names[i]);
        if (!fits_ini(extension))
            return tni_fail(err, TN_EUNSUPPORTED,
                            "the extension of '%.100s' cannot be in "
                            "seqinfo.ini; rename it",
                            names[i]);
    }
    for (uint32_t i = 0; i < d->images.n; i++) {
        const char *slash = strrchr(names[i], '/');
        const char *base = slash != NULL ? slash + 1 : names[i];
        const tni_span stem = {base, tni_stem_len(base)};
        int64_t number = 0;
        bool fresh = false;
        const size_t size = strlen(seqs[i]) + 60;
        char *key = tni_arena_alloc(arena, size, 1);
        if (key == NULL) return no_memory(err);
        if (!tni_field_i64(stem, &number) || number < 1 ||
            number > (int64_t)of[i]->n) {
            of[i]->ranked = true;
            continue;
        }
        const int n = snprintf(key, size, "%d/%lld/%s",
                               (int)tni_first_split(tni_image_at(d, i)),
                               (long long)number, seqs[i]);
        if (tni_strmap_add(&numbers, key, (size_t)n, &fresh) == NULL)
            return no_memory(err);
        if (!fresh) of[i]->ranked = true;
    }
    for (uint32_t i = 0; i < d->images.n; i++) {
        const char *slash = strrchr(names[i], '/');
        const char *base = slash != NULL ? slash + 1 : names[i];
        const tni_span stem = {base, tni_stem_len(base)};
        int64_t number = 0;
        if (of[i]->ranked || !tni_field_i64(stem, &number))
            number = (int64_t)++of[i]->next;
        const size_t size = strlen(seqs[i]) + strlen(of[i]->extension) + 40;
        char *name = tni_arena_alloc(arena, size, 1);
        if (name == NULL) return no_memory(err);
        (void)snprintf(name, size, "%s%simg1/%06lld%s", seqs[i],
                       seqs[i][0] != '\0' ? "/" : "", (long long)number,
                       of[i]->extension);
        names[i] = name;
    }
    return TN_OK;
}

/* --- writing ------------------------------------------------------------- */

static tni_span attributes_text(const tn_dataset *d, uint32_t ann)
{
    const tni_span none = {NULL, 0};
    const tni_span *t = tni_sparse_find(&d->text[TN_TEXT_ATTRIBUTES], ann, 0);
    return t != NULL ? *t : none;
}

/* conf and visibility of an annotation; false when its attributes say more. */
static bool conf_of(const tn_dataset *d, uint32_t ann, double *conf,
                    double *visibility)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    const tni_span t = attributes_text(d, ann);
    const bool scored = tn_dataset_num(d, ann, TN_NUM_SCORE, conf) != 0;
    if (!scored) *conf = 1.0;
    *visibility = 1.0;
    if (t.p == NULL) return true;
    bool all = true;
    tni_json_init(&j, t.p, t.len, 0, &ignored);
    if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key)) {
        const char kind = tni_json_peek(&j);
        tni_json value = j;
        if (!tni_json_skip(&j, &raw)) return false;
        if (tni_span_is(key, "ignore") && tni_span_is(raw, "true") && !scored)
            *conf = 0.0;
        else if (!tni_span_is(key, "visibility") || kind != '0' ||
                 !tni_json_f64(&value, visibility))
            all = false;
    }
    return all && j.status == TN_OK;
}

/* Whether every field of the dataset is about a sequence that images are of. */
static bool keeps_fields(const tn_dataset *d)
{
    tni_once sequences;
    bool all = true;
    if (d->metas.n == 0) return true;
    tni_once_init(&sequences);
    for (uint32_t i = 0; i < d->images.n; i++) {
        const char *name = tni_image_at(d, i)->name;
        if (strncmp(name, "img1/", 5) == 0)
            (void)tni_once_again(&sequences, "", 0);
        for (const char *p = name; (p = strstr(p, "/img1/")) != NULL; p++)
            (void)tni_once_again(&sequences, name, (size_t)(p - name));
    }
    for (uint32_t i = 0; i < d->metas.n && all; i++) {
        const char *key = TNI_ROW(&d->metas, tni_meta, i)->key;
        all = strncmp(key, "seqinfo/", 8) == 0 &&
              tni_strmap_find(&sequences.map, key + 8, strlen(key + 8)) != NULL;
    }
    tni_once_fini(&sequences);
    return all && !sequences.failed;
}

/* Whether all images have one known size. */
static bool one_size(const tn_dataset *d, double size[2])
{
    for (uint32_t i = 0; i < d->images.n; i++) {
        double w = 0.0, h = 0.0;
        if (!tni_image_extent(d, i, &w, &h)) return false;
        if (i > 0 && (w != size[0] || h != size[1])) return false;
        size[0] = w;
        size[1] = h;
    }
    return d->images.n > 0;
}

uint64_t tni_mot_plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                      const char **variant)
{
    uint64_t keeps = tni_format_mot.keeps;
    double size[2], conf = 0.0, visibility = 0.0, v = 0.0;
    if (*variant == NULL)
        *variant = d->format == &tni_format_mot && d->variant != NULL
                       ? d->variant
                       : "gt";
    const bool det = strcmp(*variant, "det") == 0;
    if (det && counts[TNI_F_ATTRIBUTES] > 0) keeps &= ~TNI_KEEPS(ATTRIBUTES);
    for (uint32_t i = 0; i < d->anns.n; i++) {
        if (!conf_of(d, i, &conf, &visibility)) keeps &= ~TNI_KEEPS(ATTRIBUTES);
        if (!det && tn_dataset_num(d, i, TN_NUM_SCORE, &v) != 0 &&
            (v == 0.0 || v == 1.0))
            keeps &= ~TNI_KEEPS(SCORE);
        if (tn_dataset_num(d, i, TN_NUM_TRACK, &v) != 0 &&
            (v < 0.0 || v != floor(v) || v > 9e15))
            keeps &= ~TNI_KEEPS(TRACK);
    }
    for (uint32_t i = 0; i < d->classes.n; i++) {
        const tni_class_row *row = tni_class_at(d, i);
        if (row->id_kind == TN_ID_INT && row->id != (int64_t)i + 1)
            keeps &= ~TNI_KEEPS(CLASS_ID);
    }
    if (!keeps_fields(d)) keeps &= ~TNI_KEEPS(META);
    if (!one_size(d, size)) keeps &= ~TNI_KEEPS(SIZE);
    return keeps;
}

static void put_shifted(tni_out *o, double v)
{
    tni_out_char(o, ',');
    tni_out_fixed(o, v, 9);
}

static void put_line(tni_writer *w, tni_out *o, uint32_t ann, const tni_ann *a,
                     int64_t frame, const double b[4])
{
    double track = -1.0, conf = 1.0, visibility = 1.0;
    const bool det = strcmp(w->variant, "det") == 0;
    if (!det)
        (void)conf_of(w->d, ann, &conf, &visibility);
    else
        (void)tn_dataset_num(w->d, ann, TN_NUM_SCORE, &conf);
    if (tn_dataset_num(w->d, ann, TN_NUM_TRACK, &track) == 0 || track < 0.0 ||
        track > 9e15)
        track = -1.0;
    tni_out_i64(o, frame);
    tni_out_char(o, ',');
    tni_out_i64(o, (int64_t)track);
    put_shifted(o, b[0] + 1.0);
    put_shifted(o, b[1] + 1.0);
    put_shifted(o, b[2] - b[0]);
    put_shifted(o, b[3] - b[1]);
    tni_out_char(o, ',');
    tni_out_f64(o, conf);
    tni_out_char(o, ',');
    tni_out_i64(o,
                a->class_index != TN_NONE ? (int64_t)a->class_index + 1 : -1);
    tni_out_char(o, ',');
    tni_out_f64(o, det ? -1.0 : visibility);
    tni_out_str(o, det && a->class_index == TN_NONE ? ",-1\n" : "\n");
    w->written[ann] = 1;
}

static int64_t frame_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    const tni_span stem = {base, tni_stem_len(base)};
    int64_t frame = 0;
    (void)tni_field_i64(stem, &frame);
    return frame;
}

/* Rows of one split and sequence, linked in their order: the first of them by
 * "split/sequence", TN_NONE behind the last. */
typedef struct linked {
    tni_strmap first;
    uint32_t *next;
} linked;

typedef struct mot_out {
    tni_writer *w;
    tn_err *err;
    linked images, fields;
    bool sized; /* all images have one size */
    double size[2];
} mot_out;

static void **slot_of(linked *l, tni_arena *arena, uint32_t split,
                      const char *name, size_t len)
{
    bool fresh = false;
    char *key = tni_arena_alloc(arena, len + 16, 1);
    if (key == NULL) return NULL;
    const int n = snprintf(key, 16, "%d/", (int)split);
    memcpy(key + n, name, len);
    return tni_strmap_add(&l->first, key, (size_t)n + len, &fresh);
}

/* Of rows from the last to the first. */
static bool link_row(linked *l, tni_arena *arena, uint32_t row, uint32_t split,
                     const char *name, size_t len)
{
    void **slot = slot_of(l, arena, split, name, len);
    if (slot == NULL) return false;
    l->next[row] = *slot != NULL ? (uint32_t)((uintptr_t)*slot - 1) : TN_NONE;
    *slot = (void *)((uintptr_t)row + 1);
    return true;
}

static bool link_rows(mot_out *o)
{
    const tn_dataset *d = o->w->d;
    tni_arena *arena = &o->w->arena;
    bool ok = true;
    tni_strmap_init(&o->images.first, arena);
    tni_strmap_init(&o->fields.first, arena);
    o->images.next = TNI_NEW_ARRAY(arena, uint32_t, d->images.n + 1u);
    o->fields.next = TNI_NEW_ARRAY(arena, uint32_t, d->metas.n + 1u);
    if (o->images.next == NULL || o->fields.next == NULL) return false;
    for (uint32_t i = d->images.n; ok && i-- > 0;) {
        const char *name = o->w->names[i];
        ok = link_row(&o->images, arena, i, tni_first_split(tni_image_at(d, i)),
                      name, (size_t)(strrchr(name, '/') - name));
    }
    for (uint32_t i = d->metas.n; ok && i-- > 0;) {
        const tni_meta *m = TNI_ROW(&d->metas, tni_meta, i);
        if (strncmp(m->key, "seqinfo/", 8) == 0)
            ok = link_row(&o->fields, arena, i, m->split, m->key + 8,
                          strlen(m->key + 8));
    }
    return ok;
}

static tn_status write_gt(mot_out *o, const char *path, uint32_t first)
{
    tni_writer *w = o->w;
    tni_target t;
    tn_shape scratch = TN_SHAPE_INIT;
    TN_TRY(tni_target_open(&t, w, path, o->err));
    for (uint32_t i = first; i != TN_NONE; i = o->images.next[i]) {
        size_t m = 0;
        const uint32_t *list = tn_dataset_of_image(w->d, i, &m);
        for (size_t k = 0; k < m; k++) {
            tni_ann a;
            double box[4];
            tni_ann_get(w->d, list[k], &a);
            if (tni_box_for(w->d, list[k], &a, &scratch, box))
                put_line(w, &t.out, list[k], &a, frame_of(w->names[i]), box);
        }
    }
    tn_shape_fini(&scratch);
    return tni_target_close(&t, o->err);
}

static tn_status write_ini(mot_out *o, const char *path, const char *name,
                           uint32_t split, const char *extension, uint32_t n)
{
    tni_writer *w = o->w;
    tn_err *err = o->err;
    tni_target t;
    tni_span title = tni_span_of(name[0] != '\0' ? name : "sequence");
    tni_span rate = {NULL, 0};
    void **slot = slot_of(&o->fields, &w->arena, split, name, strlen(name));
    if (slot == NULL) return no_memory(err);
    for (uint32_t i = *slot != NULL ? (uint32_t)((uintptr_t)*slot - 1)
                                    : TN_NONE;
         i != TN_NONE; i = o->fields.next[i]) {
        const tni_meta *m = TNI_ROW(&w->d->metas, tni_meta, i);
        tni_span raw;
        if (tni_json_member(m->value, "name", &raw) && raw.len > 2 &&
            raw.p[0] == '"' && memchr(raw.p, '\\', raw.len) == NULL) {
            title.p = raw.p + 1;
            title.len = raw.len - 2;
        }
        if (tni_json_member(m->value, "frameRate", &raw) && raw.p[0] != '"')
            rate = raw;
    }
    TN_TRY(tni_target_open(&t, w, path, err));
    tni_out_str(&t.out, "[Sequence]\nname=");
    tni_out_bytes(&t.out, title.p, title.len);
    tni_out_str(&t.out, "\nimDir=img1\n");
    if (rate.p != NULL) {
        tni_out_str(&t.out, "frameRate=");
        tni_out_bytes(&t.out, rate.p, rate.len);
        tni_out_char(&t.out, '\n');
    }
    tni_out_str(&t.out, "seqLength=");
    tni_out_i64(&t.out, n);
    if (o->sized) {
        tni_out_str(&t.out, "\nimWidth=");
        tni_out_i64(&t.out, (int64_t)o->size[0]);
        tni_out_str(&t.out, "\nimHeight=");
        tni_out_i64(&t.out, (int64_t)o->size[1]);
    }
    tni_out_str(&t.out, "\nimExt=");
    tni_out_str(&t.out, extension);
    tni_out_char(&t.out, '\n');
    return tni_target_close(&t, err);
}

static tn_status write_labels(tni_writer *w, const char *path, tn_err *err)
{
    tni_target t;
    TN_TRY(tni_target_open(&t, w, path, err));
    for (uint32_t i = 0; i < w->d->classes.n; i++) {
        tni_out_str(&t.out, tni_class_at(w->d, i)->name);
        tni_out_char(&t.out, '\n');
    }
    return tni_target_close(&t, err);
}

/* One sequence: those images of a split whose names begin alike. */
static tn_status write_sequence(mot_out *o, uint32_t first, uint32_t split,
                                uint8_t *done)
{
    tni_writer *w = o->w;
    tn_err *err = o->err;
    char path[4096];
    const char *name = w->names[first];
    const char *folder = split != TN_NONE ? w->d->splits[split] : NULL;
    const size_t len = strlen(name) - strlen(strrchr(name, '/')) - 4;
    char *seq = tni_arena_strndup(&w->arena, name, len > 0 ? len - 1 : 0);
    uint32_t n = 0;
    if (seq == NULL) return no_memory(err);
    for (uint32_t i = first; i != TN_NONE; i = o->images.next[i]) {
        done[i] = 1;
        n++;
        TN_TRY(tni_path_of(path, sizeof path, folder, NULL, w->names[i], err));
        TN_TRY(tni_write_image(w, i, path, err));
    }
    char inner[1024];
    const char *what = w->variant;
    TN_TRY(tni_path_of(inner, sizeof inner, seq, what,
                       strcmp(what, "det") == 0 ? "det.txt" : "gt.txt", err));
    TN_TRY(tni_path_of(path, sizeof path, folder, NULL, inner, err));
    TN_TRY(write_gt(o, path, first));
    TN_TRY(tni_path_of(inner, sizeof inner, seq, "gt", "labels.txt", err));
    TN_TRY(tni_path_of(path, sizeof path, folder, NULL, inner, err));
    TN_TRY(write_labels(w, path, err));
    TN_TRY(tni_path_of(path, sizeof path, folder, seq, "seqinfo.ini", err));
    return write_ini(o, path, seq, split, name + tni_stem_len(name), n);
}

tn_status tni_mot_write(tni_writer *w, tn_err *err)
{
    uint8_t *done = TNI_NEW_ARRAY(&w->arena, uint8_t, w->d->images.n + 1u);
    if (done == NULL) return no_memory(err);
    if (w->d->images.n == 0)
        return tni_fail(err, TN_EUNSUPPORTED, "the dataset has no images");
    TN_TRY(tni_check_splits(w->d, err));
    for (uint32_t i = 0; i < w->d->classes.n; i++) {
        const char *name = tni_class_at(w->d, i)->name;
        if (strpbrk(name, "\r\n") == NULL &&
            strncmp(name, "\xef\xbb\xbf", 3) != 0 &&
            tni_find_class(w->d, name) == i)
            continue;
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the class '%.100s' cannot be a line of labels.txt (it "
                        "has a line end, or another one is called so too); "
                        "rename it",
                        name);
    }
    mot_out o;
    memset(&o, 0, sizeof o);
    o.w = w;
    o.err = err;
    o.sized = one_size(w->d, o.size);
    if (!link_rows(&o)) return no_memory(err);
    for (uint32_t i = 0; i < w->d->images.n; i++)
        if (done[i] == 0)
            TN_TRY(write_sequence(&o, i, tni_first_split(tni_image_at(w->d, i)),
                                  done));
    return TN_OK;
}
