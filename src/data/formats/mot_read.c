/* SPDX-License-Identifier: Apache-2.0 */
/* mot_read.c - sequences of MOT Challenge, read */
#include "data/formats/coco.h"
#include "data/formats/mot.h"

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
        if (tni_mot_is_sequence(m->r, sub))
            TN_TRY(read_sequence(m, sub, e[i].name, split));
        else if (split == NULL)
            TN_TRY(read_below(m, sub, e[i].name));
    }
    return TN_OK;
}

/* Whether the folder is a sequence of nothing but detections. */
static bool only_detections(tni_reader *r)
{
    const char *gt = tni_join(r, r->path, "gt/gt.txt");
    const char *ini = tni_join(r, r->path, "seqinfo.ini");
    return gt != NULL && ini != NULL && tni_mot_is_sequence(r, r->path) &&
           !tni_path_look(gt).is_file && !tni_path_look(ini).is_file;
}

tn_status tni_mot_read(tni_reader *r, tn_err *err)
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
    if (tni_mot_is_sequence(r, r->path))
        return read_sequence(&m, r->path, "", NULL);
    TN_TRY(read_below(&m, r->path, NULL));
    if (m.n_sequences > 0) return TN_OK;
    return tni_fail(err, TN_ENOTFOUND,
                    "the folder has no sequence; expected gt/gt.txt, "
                    "<sequence>/gt/gt.txt or <split>/<sequence>/gt/gt.txt");
}
