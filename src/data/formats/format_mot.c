/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_mot.c - MOT Challenge: sequences of frames, objects with tracks
 *
 * A sequence is a folder with gt/gt.txt, img1/000001.jpg and seqinfo.ini. The
 * dataset is one sequence, a folder of them, or folders of splits with
 * sequences. A line is
 *
 *     frame,id,left,top,width,height,conf,class,visibility
 *
 * Frames, ids, classes and pixels count from 1; conf 0 means "not considered"
 * (attribute "ignore"); id -1 is no track, class -1 no class. Lines of ten
 * fields (2D MOT 2015) have a place in the world instead of class and
 * visibility. Classes are those of gt/labels.txt, else the twelve of MOT16.
 * A frame of the sequence without a line has no objects.
 * The variant det is the detections of det/det.txt instead: conf is a score of
 * any size, the last fields are -1 (the place in the world) or class and -1.
 *
 * Source: motchallenge.net/instructions; arXiv:1603.00831, tables 5 and 6
 */
#include "data/formats/coco.h"
#include "data/records.h"

#include "base/num.h"

#include <math.h>
#include <stdio.h>

enum { MAX_FRAMES = 10 * 1000 * 1000, MAX_CLASSES = 9999 };

static const char *const mot16[] = {
    "Pedestrian", "Person on vehicle",      "Car",           "Bicycle",
    "Motorbike",  "Non motorized vehicle",  "Static person", "Distractor",
    "Occluder",   "Occluder on the ground", "Occluder full", "Reflection"};
enum { N_MOT16 = (int)(sizeof mot16 / sizeof mot16[0]) };

typedef struct sequence {
    const char *folder; /* on disk */
    const char *name;   /* "": the dataset is the sequence */
    const char *image_folder, *extension;
    uint32_t split, source;
    int64_t length;
    int32_t width, height;
    const char *const *labels; /* NULL: MOT16's */
    size_t n_labels;
    tni_idmap frames, numbers; /* of frames and of classes */
} sequence;

typedef struct mot {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_image_set images;
    uint32_t n_sequences;
    bool det; /* detections instead of truth */
} mot;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- recognising --------------------------------------------------------- */

static bool is_sequence(tni_reader *r, const char *folder)
{
    const char *gt = tni_join(r, folder, "gt/gt.txt");
    const char *ini = tni_join(r, folder, "seqinfo.ini");
    const char *det = tni_join(r, folder, "det/det.txt");
    return gt != NULL && ini != NULL && det != NULL &&
           (tni_path_look(gt).is_file || tni_path_look(ini).is_file ||
            tni_path_look(det).is_file);
}

/* Whether the folder is a sequence of nothing but detections. */
static bool only_detections(tni_reader *r)
{
    const char *gt = tni_join(r, r->path, "gt/gt.txt");
    const char *ini = tni_join(r, r->path, "seqinfo.ini");
    return gt != NULL && ini != NULL && is_sequence(r, r->path) &&
           !tni_path_look(gt).is_file && !tni_path_look(ini).is_file;
}

static int probe(const tni_probe *p)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    if (!p->is_dir) return 0;
    if (is_sequence(p->r, p->path)) return 90;
    for (size_t i = 0; i < p->n_entries; i++) {
        const char *sub = tni_join(p->r, p->path, p->entries[i].name);
        if (!p->entries[i].is_dir || sub == NULL) continue;
        if (is_sequence(p->r, sub)) return 90;
        /* A folder of images is not looked through for sequences. */
        if (tni_list(p->r, sub, &e, &n, NULL) != TN_OK || n == 0 ||
            !e[0].is_dir)
            continue;
        const char *inner = tni_join(p->r, sub, e[0].name);
        if (inner != NULL && is_sequence(p->r, inner)) return 90;
    }
    return 0;
}

/* --- seqinfo.ini and labels.txt ------------------------------------------ */

static tn_status bad(const mot *m, const char *path, const tni_lines *l,
                     tni_span at, const char *fmt, size_t value)
{
    char what[200];
    (void)snprintf(what, sizeof what, "%s", fmt);
    if (value > 0)
        (void)snprintf(what, sizeof what, "field %zu is '%.*s', expected %s",
                       value, at.len > 40 ? 40 : (int)at.len, at.p, fmt);
    tni_err_where(m->err, "%s, line %d", path, l->number);
    return tni_fail_at(m->err, TN_EFORMAT, (uint64_t)(at.p - l->start), "%s",
                       what);
}

/* A part of a path that names one thing inside its folder. */
static bool is_plain(tni_span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] == '/' || name.p[i] == '\\' || name.p[i] == '\0')
            return false;
    return name.len > 0 && name.len < 64 &&
           !(name.p[0] == '.' &&
             (name.len == 1 || (name.len == 2 && name.p[1] == '.')));
}

/* What the sequence is called and its rate, for those who write it again. */
static tn_status keep_meta(mot *m, const sequence *s, tni_span name,
                           tni_span rate)
{
    double fps = 0.0;
    char text[200], number[32];
    if (name.p == NULL && rate.p == NULL) return TN_OK;
    size_t n = (size_t)snprintf(text, sizeof text, "{");
    bool plain = name.len < 80;
    for (size_t i = 0; i < name.len; i++)
        plain = plain && (unsigned char)name.p[i] >= ' ' &&
                (unsigned char)name.p[i] < 127 && name.p[i] != '"' &&
                name.p[i] != '\\';
    if (name.p != NULL && plain)
        n += (size_t)snprintf(text + n, sizeof text - n, "\"name\": \"%.*s\"",
                              (int)name.len, name.p);
    if (rate.p != NULL && tni_field_f64(rate, &fps)) {
        (void)tni_num_shortest(number, sizeof number, fps);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"frameRate\": %s",
                              n > 1 ? ", " : "", number);
    }
    text[n++] = '}';
    tni_meta meta;
    char key[300];
    const int k = snprintf(key, sizeof key, "seqinfo/%.250s", s->name);
    meta.key = tni_keep(m->d, key, (size_t)k);
    meta.value.p = tni_keep(m->d, text, n);
    meta.value.len = n;
    meta.split = s->split;
    meta.where = tni_where(s->source, 0);
    if (meta.value.p == NULL) return no_memory(m->err);
    return tni_add_meta(m->d, &meta, m->err);
}

static tn_status read_ini(mot *m, sequence *s)
{
    tni_span text, line, name = {NULL, 0}, rate = {NULL, 0};
    tni_lines l;
    const char *path = tni_join(m->r, s->folder, "seqinfo.ini");
    if (path == NULL) return no_memory(m->err);
    if (!tni_path_look(path).is_file) return TN_OK;
    TN_TRY(tni_source_open(m->d, path, &s->source, &text, m->err));
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line)) {
        const char *eq = memchr(line.p, '=', line.len);
        if (eq == NULL || line.p[0] == ';' || line.p[0] == '#') continue;
        const tni_span left = {line.p, (size_t)(eq - line.p)};
        const tni_span right = {eq + 1, line.len - left.len - 1};
        const tni_span key = tni_trim(left), value = tni_trim(right);
        int64_t v = 0;
        const bool whole = tni_field_i64(value, &v);
        if (tni_span_is(key, "seqLength")) {
            if (!whole || v < 0 || v > MAX_FRAMES)
                return bad(m, path, &l, value, "0 to 10,000,000 frames", 2);
            s->length = v;
        } else if (tni_span_is(key, "imWidth") ||
                   tni_span_is(key, "imHeight")) {
            if (!whole || v < 0 || v > INT32_MAX)
                return bad(m, path, &l, value, "a size in pixels", 2);
            *(key.len == 7 ? &s->width : &s->height) = (int32_t)v;
        } else if (tni_span_is(key, "imDir") || tni_span_is(key, "imExt")) {
            if (!is_plain(value))
                return bad(m, path, &l, value, "a name without folders", 2);
            const char *copy = tni_keep(m->d, value.p, value.len);
            if (copy == NULL) return no_memory(m->err);
            *(key.p[2] == 'D' ? &s->image_folder : &s->extension) = copy;
        } else if (tni_span_is(key, "name")) {
            name = value;
        } else if (tni_span_is(key, "frameRate")) {
            rate = value;
        } else {
            TN_TRY(tni_note_add(
                m->d, tni_where(s->source, (uint64_t)(line.p - l.start)),
                "seqinfo-key", m->err, "'%.*s' is none of seqinfo.ini's keys",
                key.len > 60 ? 60 : (int)key.len, key.p));
        }
    }
    return keep_meta(m, s, name, rate);
}

static tn_status read_names(mot *m, sequence *s)
{
    tni_span text, line;
    tni_lines l;
    uint32_t source = 0;
    size_t n = 0;
    const char *path = tni_join(m->r, s->folder, "gt/labels.txt");
    if (path == NULL) return no_memory(m->err);
    if (!tni_path_look(path).is_file) return TN_OK;
    TN_TRY(tni_source_open(m->d, path, &source, &text, m->err));
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line))
        if (++n > MAX_CLASSES)
            return bad(m, path, &l, line, "more than 9,999 classes", 0);
    const char **list = TNI_NEW_ARRAY(&m->r->scratch, const char *, n + 1);
    if (list == NULL) return no_memory(m->err);
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line)) {
        list[s->n_labels] = tni_intern(m->d, line.p, line.len);
        if (list[s->n_labels++] == NULL) return no_memory(m->err);
    }
    s->labels = list;
    return TN_OK;
}

/* A list of classes, each once, its number its id. */
static tn_status add_classes(mot *m, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tni_class_row row;
        uint32_t cls = 0;
        if (tni_find_class(m->d, names[i]) != TN_NONE) continue;
        memset(&row, 0, sizeof row);
        row.name = tni_intern(m->d, names[i], strlen(names[i]));
        row.id_kind = TN_ID_INT;
        row.id = (int64_t)m->d->classes.n + 1;
        TN_TRY(tni_add_class(m->d, &row, &cls, m->err));
    }
    return TN_OK;
}

/* --- frames -------------------------------------------------------------- */

static tn_status add_frame(mot *m, sequence *s, int64_t frame, const char *file,
                           uint32_t *image)
{
    char name[400], made[40];
    *image = tni_idmap_find(&s->frames, TN_ID_INT, frame);
    if (*image != TN_NONE) return TN_OK;
    if (file == NULL) {
        (void)snprintf(made, sizeof made, "%06lld", (long long)frame);
        file = made;
    }
    const int n = snprintf(name, sizeof name, "%s%s%s/%s%s", s->name,
                           s->name[0] != '\0' ? "/" : "", s->image_folder, file,
                           file == made ? s->extension : "");
    if (n < 0 || (size_t)n >= sizeof name)
        return tni_fail(m->err, TN_ELIMIT, "the name of a frame is too long");
    const char *top = m->r->path;
    const char *folders[4] = {NULL, NULL, NULL, NULL};
    size_t k = 0;
    if (m->r->images != NULL) folders[k++] = m->r->images;
    if (s->split != TN_NONE) top = tni_join(m->r, top, m->d->splits[s->split]);
    if (top == NULL) return no_memory(m->err);
    folders[k++] = top;
    bool fresh = false;
    TN_TRY(tni_image_named(&m->images, name, s->split, tni_where(s->source, 0),
                           folders, image, &fresh, m->err));
    tni_image_row *row = tni_image_at(m->d, *image);
    row->width = s->width;
    row->height = s->height;
    if (!tni_idmap_add(&s->frames, TN_ID_INT, frame, *image))
        return no_memory(m->err);
    return TN_OK;
}

/* The image files there are, then the frames that have none. */
static tn_status add_frames(mot *m, sequence *s)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    uint32_t image = 0;
    TN_TRY(tni_list(m->r, tni_join(m->r, s->folder, s->image_folder), &e, &n,
                    m->err));
    for (size_t i = 0; i < n; i++) {
        int64_t frame = 0;
        const tni_span stem = {e[i].name, tni_stem_len(e[i].name)};
        if (e[i].is_dir || !tni_is_image_name(e[i].name)) continue;
        if (!tni_field_i64(stem, &frame) || frame < 1 || frame > MAX_FRAMES) {
            TN_TRY(tni_note_add(m->d, tni_where(s->source, 0), "frame-name",
                                m->err,
                                "%.100s is not named after the number of a "
                                "frame and is left out",
                                e[i].name));
            continue;
        }
        TN_TRY(add_frame(m, s, frame, e[i].name, &image));
    }
    for (int64_t f = 1; f <= s->length; f++)
        TN_TRY(add_frame(m, s, f, NULL, &image));
    return TN_OK;
}

/* --- lines --------------------------------------------------------------- */

static tn_status class_of(mot *m, sequence *s, int64_t number, uint32_t *cls)
{
    char text[32];
    *cls = tni_idmap_find(&s->numbers, TN_ID_INT, number);
    if (number == -1 || *cls != TN_NONE) return TN_OK;
    const bool named = s->labels != NULL
                           ? number >= 1 && (uint64_t)number <= s->n_labels
                           : number >= 1 && number <= N_MOT16;
    if (named && s->labels == NULL) TN_TRY(add_classes(m, mot16, N_MOT16));
    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    const char *name = !named              ? text
                       : s->labels != NULL ? s->labels[number - 1]
                                           : mot16[number - 1];
    if (!named) TN_TRY(add_classes(m, &name, 1));
    *cls = tni_find_class(m->d, name);
    return tni_idmap_add(&s->numbers, TN_ID_INT, number, *cls)
               ? TN_OK
               : no_memory(m->err);
}

static tn_status keep_attributes(mot *m, uint32_t ann, const double *v,
                                 size_t n)
{
    char text[200], b[3][32];
    size_t k = (size_t)snprintf(text, sizeof text, "{");
    if (n > 6 && v[6] == 0.0)
        k += (size_t)snprintf(text + k, sizeof text - k, "\"ignore\": true");
    if (n == 9 && v[8] != 1.0) {
        (void)tni_num_shortest(b[0], 32, v[8]);
        k += (size_t)snprintf(text + k, sizeof text - k, "%s\"visibility\": %s",
                              k > 1 ? ", " : "", b[0]);
    }
    if (n == 10 && (v[7] != -1.0 || v[8] != -1.0 || v[9] != -1.0)) {
        for (int i = 0; i < 3; i++) (void)tni_num_shortest(b[i], 32, v[7 + i]);
        k += (size_t)snprintf(text + k, sizeof text - k,
                              "%s\"world\": [%s, %s, %s]", k > 1 ? ", " : "",
                              b[0], b[1], b[2]);
    }
    if (k == 1) return TN_OK;
    text[k++] = '}';
    const tni_span t = {tni_keep(m->d, text, k), k};
    if (t.p == NULL) return no_memory(m->err);
    return tni_set_text(m->d, ann, TN_TEXT_ATTRIBUTES, t, m->err);
}

static tn_status read_line(mot *m, sequence *s, const char *path,
                           const tni_lines *l, tni_span line)
{
    tni_span f[11];
    double v[10] = {0};
    int64_t cls = -1;
    uint32_t ann = 0;
    if (tni_trim(line).len == 0) return TN_OK;
    const size_t n = tni_fields_at(line, ',', f, 11);
    if (n < 6 || n > 10)
        return bad(m, path, l, line,
                   "expected 6 to 10 fields with commas: frame,id,left,top,"
                   "width,height,conf,class,visibility",
                   0);
    for (size_t i = 0; i < n; i++)
        if (!tni_field_f64(f[i], &v[i]))
            return bad(m, path, l, f[i], "a finite number", i + 1);
    if (!(v[0] >= 1.0 && v[0] <= MAX_FRAMES) || v[0] != floor(v[0]))
        return bad(m, path, l, f[0], "a frame from 1 to 10,000,000", 1);
    if (fabs(v[1]) > 9e15 || v[1] != floor(v[1]))
        return bad(m, path, l, f[1], "a whole number", 2);
    if (n == 8 || n == 9) {
        if (v[7] != floor(v[7]) || v[7] < -1.0 || v[7] > MAX_CLASSES)
            return bad(m, path, l, f[7], "the number of a class to 9,999", 8);
        cls = (int64_t)v[7];
    }
    tni_ann a;
    memset(&a, 0, sizeof a);
    a.where = tni_where(s->source, (uint64_t)(line.p - l->start));
    a.flags = TN_HAS_BOX | TNI_FORM(TN_BOX_XYWH);
    a.box[0] = v[2] - 1.0;
    a.box[1] = v[3] - 1.0;
    a.box[2] = v[4];
    a.box[3] = v[5];
    TN_TRY(add_frame(m, s, (int64_t)v[0], NULL, &a.image));
    TN_TRY(class_of(m, s, cls, &a.class_index));
    TN_TRY(tni_add_annotation(m->d, &a, &ann, m->err));
    if (v[1] >= 0.0) TN_TRY(tni_set_num(m->d, ann, TN_NUM_TRACK, v[1], m->err));
    if (n > 6 && (m->det || (v[6] != 0.0 && v[6] != 1.0)))
        TN_TRY(tni_set_num(m->d, ann, TN_NUM_SCORE, v[6], m->err));
    if (m->det) v[6] = 1.0; /* not "ignore" */
    if (m->det && n == 9 && v[8] == -1.0) v[8] = 1.0;
    return keep_attributes(m, ann, v, n);
}

static tn_status read_sequence(mot *m, const char *folder, const char *name,
                               const char *split)
{
    sequence s;
    tni_span text, line;
    tni_lines l;
    memset(&s, 0, sizeof s);
    s.folder = folder;
    s.name = name;
    s.image_folder = "img1";
    s.extension = ".jpg";
    s.split = TN_NONE;
    tni_idmap_init(&s.frames, &m->r->scratch);
    tni_idmap_init(&s.numbers, &m->r->scratch);
    if (split != NULL)
        TN_TRY(tni_add_split(m->d, split, strlen(split), &s.split, m->err));
    const char *det = tni_join(m->r, folder, "det/det.txt");
    const char *path = m->det ? det : tni_join(m->r, folder, "gt/gt.txt");
    if (path == NULL || det == NULL) return no_memory(m->err);
    TN_TRY(tni_source_add(m->d, folder, &s.source, m->err));
    TN_TRY(read_ini(m, &s));
    TN_TRY(read_names(m, &s));
    if (s.labels != NULL) TN_TRY(add_classes(m, s.labels, s.n_labels));
    const uint32_t first = m->d->images.n;
    TN_TRY(add_frames(m, &s));
    m->n_sequences++;
    if (!m->det && tni_path_look(det).is_file)
        TN_TRY(tni_note_add(m->d, 0, "detections", m->err,
                            "%.200s is not read: the variant det (--from "
                            "mot:det) is those",
                            det));
    if (!tni_path_look(path).is_file) return TN_OK; /* a test sequence */
    TN_TRY(tni_source_open(m->d, path, &s.source, &text, m->err));
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line)) {
        TN_TRY(read_line(m, &s, path, &l, line));
        if ((l.number & 1023) == 0)
            TN_TRY(tni_reader_progress(m->r, (uint64_t)(l.p - l.start),
                                       text.len, m->err));
    }
    for (uint32_t i = first; i < m->d->images.n; i++)
        tni_image_at(m->d, i)->state = TN_STATE_EMPTY;
    return TN_OK;
}

static tn_status read_below(mot *m, const char *folder, const char *split)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(m->r, folder, &e, &n, m->err));
    for (size_t i = 0; i < n; i++) {
        const char *sub = tni_join(m->r, folder, e[i].name);
        if (sub == NULL) return no_memory(m->err);
        if (!e[i].is_dir) continue;
        if (is_sequence(m->r, sub))
            TN_TRY(read_sequence(m, sub, e[i].name, split));
        else if (split == NULL)
            TN_TRY(read_below(m, sub, e[i].name));
    }
    return TN_OK;
}

static tn_status read(tni_reader *r, tn_err *err)
{
    mot m;
    memset(&m, 0, sizeof m);
    m.r = r;
    m.d = r->d;
    m.err = err;
    tni_image_set_init(&m.images, r);
    m.det = r->variant != NULL ? strcmp(r->variant, "det") == 0
                               : r->is_dir && only_detections(r);
    r->d->variant = m.det ? "det" : "gt";
    if (!r->is_dir)
        return tni_fail(err, TN_EINVAL,
                        "a MOT sequence is a folder; name the one that has "
                        "gt/gt.txt in it");
    if (is_sequence(r, r->path)) return read_sequence(&m, r->path, "", NULL);
    TN_TRY(read_below(&m, r->path, NULL));
    if (m.n_sequences > 0) return TN_OK;
    return tni_fail(err, TN_ENOTFOUND,
                    "the folder has no sequence; expected gt/gt.txt, "
                    "<sequence>/gt/gt.txt or <split>/<sequence>/gt/gt.txt");
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
static tn_status name_frames(const tn_dataset *d, const char **names,
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

static bool has_sequence(const tn_dataset *d, const char *name)
{
    const size_t n = strlen(name);
    for (uint32_t i = 0; i < d->images.n; i++) {
        const char *image = tni_image_at(d, i)->name;
        if (n == 0 ? strncmp(image, "img1/", 5) == 0
                   : strncmp(image, name, n) == 0 &&
                         strncmp(image + n, "/img1/", 6) == 0)
            return true;
    }
    return false;
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

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
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
    for (uint32_t i = 0; i < d->ann_flags.n; i++) {
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
    for (uint32_t i = 0; i < d->metas.n; i++) {
        const char *key = TNI_ROW(&d->metas, tni_meta, i)->key;
        if (strncmp(key, "seqinfo/", 8) != 0 || !has_sequence(d, key + 8))
            keeps &= ~TNI_KEEPS(META);
    }
    if (!one_size(d, size)) keeps &= ~TNI_KEEPS(SIZE);
    return keeps;
}

static void put_shifted(tni_out *o, double v)
{
    char text[32];
    tni_out_char(o, ',');
    tni_out_bytes(o, text, tni_num_fixed(text, sizeof text, v, 9));
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

static tn_status write_gt(tni_writer *w, const char *path,
                          const uint32_t *images, uint32_t n, tn_err *err)
{
    tni_target t;
    tn_shape scratch = TN_SHAPE_INIT;
    TN_TRY(tni_target_open(&t, w, path, err));
    for (uint32_t i = 0; i < n; i++) {
        size_t m = 0;
        const uint32_t *list = tn_dataset_of_image(w->d, images[i], &m);
        for (size_t k = 0; k < m; k++) {
            tni_ann a;
            double box[4];
            tni_ann_get(w->d, list[k], &a);
            if (tni_box_for(w->d, list[k], &a, &scratch, box))
                put_line(w, &t.out, list[k], &a, frame_of(w->names[images[i]]),
                         box);
        }
    }
    tn_shape_fini(&scratch);
    return tni_target_close(&t, err);
}

static tn_status write_ini(tni_writer *w, const char *path, const char *name,
                           uint32_t split, const char *extension, uint32_t n,
                           tn_err *err)
{
    tni_target t;
    double size[2] = {0, 0};
    tni_span title = tni_span_of(name[0] != '\0' ? name : "sequence");
    tni_span rate = {NULL, 0};
    for (uint32_t i = 0; i < w->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&w->d->metas, tni_meta, i);
        tni_span raw;
        if (strncmp(m->key, "seqinfo/", 8) != 0 ||
            strcmp(m->key + 8, name) != 0 || m->split != split)
            continue;
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
    if (one_size(w->d, size)) {
        tni_out_str(&t.out, "\nimWidth=");
        tni_out_i64(&t.out, (int64_t)size[0]);
        tni_out_str(&t.out, "\nimHeight=");
        tni_out_i64(&t.out, (int64_t)size[1]);
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
static tn_status write_sequence(tni_writer *w, uint32_t first, uint32_t split,
                                uint8_t *done, tn_err *err)
{
    char path[4096];
    const char *name = w->names[first];
    const char *folder = split != TN_NONE ? w->d->splits[split] : NULL;
    const size_t len = strlen(name) - strlen(strrchr(name, '/')) - 4;
    char *seq = tni_arena_strndup(&w->arena, name, len > 0 ? len - 1 : 0);
    uint32_t *images = TNI_NEW_ARRAY(&w->arena, uint32_t, w->d->images.n);
    uint32_t n = 0;
    if (seq == NULL || images == NULL) return no_memory(err);
    for (uint32_t i = first; i < w->d->images.n; i++) {
        if (done[i] != 0 || !tni_in_split(w->d, i, split) ||
            strncmp(w->names[i], name, len + 5) != 0)
            continue;
        done[i] = 1;
        images[n++] = i;
        TN_TRY(tni_path_of(path, sizeof path, folder, NULL, w->names[i], err));
        TN_TRY(tni_write_image(w, i, path, err));
    }
    char inner[1024];
    const char *what = w->variant;
    TN_TRY(tni_path_of(inner, sizeof inner, seq, what,
                       strcmp(what, "det") == 0 ? "det.txt" : "gt.txt", err));
    TN_TRY(tni_path_of(path, sizeof path, folder, NULL, inner, err));
    TN_TRY(write_gt(w, path, images, n, err));
    TN_TRY(tni_path_of(inner, sizeof inner, seq, "gt", "labels.txt", err));
    TN_TRY(tni_path_of(path, sizeof path, folder, NULL, inner, err));
    TN_TRY(write_labels(w, path, err));
    TN_TRY(tni_path_of(path, sizeof path, folder, seq, "seqinfo.ini", err));
    return write_ini(w, path, seq, split, name + tni_stem_len(name), n, err);
}

static tn_status write(tni_writer *w, tn_err *err)
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
    for (uint32_t i = 0; i < w->d->images.n; i++)
        if (done[i] == 0)
            TN_TRY(write_sequence(w, i, tni_first_split(tni_image_at(w->d, i)),
                                  done, err));
    return TN_OK;
}

const tni_format tni_format_mot = {
    .name = "mot",
    .title = "MOT Challenge",
    .files = "gt/gt.txt",
    .variants = "gt det",
    .source = "https://motchallenge.net/instructions/",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(TRACK) | TNI_KEEPS(SCORE) |
             TNI_KEEPS(ATTRIBUTES) | TNI_KEEPS(CLASSLESS) |
             TNI_KEEPS(CLASS_ID) | TNI_KEEPS(SIZE) | TNI_KEEPS(META) |
             TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY),
    .off_pixels = 2e-9,
    .probe = probe,
    .read = read,
    .plan = plan,
    .rename = name_frames,
    .write = write,
};
