/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_kitti.c - KITTI object labels: a line per object
 *
 * image_2/000000.png and label_2/000000.txt, in the folder itself, in
 * training/ and testing/, in a folder per split, or with a folder per split
 * inside both. A line is
 *
 *     type truncated occluded alpha x1 y1 x2 y2 h w l X Y Z rotation_y [score]
 *
 * with edges in pixels from 0. What is not a box is kept as attributes, left
 * out where it has the value that stands for unknown. DontCare is no class:
 * it is an annotation without one whose attribute "ignore" is true.
 * ImageSets/<split>.txt lists stems; a name with its extension is also taken
 * there and in images.txt, which say it where no image lies beside.
 *
 * Source: cvlibs.net/datasets/kitti, devkit_object/readme.txt
 */
#include "data/records.h"

#include "base/num.h"

#include <stdio.h>

enum { N_FIELDS = 15, MAX_ROOTS = 80 };

/* What the fields behind the type are when nobody knows; first of objects,
 * then of DontCare. */
static const double unknown[2][N_FIELDS] = {
    {0, 0, 0, -10, 0, 0, 0, 0, -1, -1, -1, -1000, -1000, -1000, -10},
    {0, -1, -1, -10, 0, 0, 0, 0, -1, -1, -1, -1000, -1000, -1000, -10},
};

/* Attributes: their fields, in the order they are written. */
static const struct {
    const char *key;
    int first, n;
} parts[] = {
    {"truncated", 1, 1},  {"occluded", 2, 1},  {"alpha", 3, 1},
    {"dimensions", 8, 3}, {"location", 11, 3}, {"rotation_y", 14, 1},
};
enum { N_PARTS = (int)(sizeof parts / sizeof parts[0]) };

typedef struct place {
    const char *labels, *images; /* folders */
    const char *name;            /* NULL: the folder itself */
    uint32_t split;
} place;

typedef struct kitti {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_classes classes;
    tni_image_set images;
    tni_strmap stems; /* "root/stem" to image + 1 */
    place roots[MAX_ROOTS];
    uint32_t n_roots;
} kitti;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- recognising --------------------------------------------------------- */

static bool has_kitti(tni_reader *r, const char *folder)
{
    const char *labels = tni_join(r, folder, "label_2");
    return labels != NULL && tni_path_look(labels).is_dir;
}

/* Whether label_2 is KITTI's by what is in it: a class of images, or the
 * pictures of a segmentation, may be called so too. */
static int score_labels(const tni_probe *p, const char *folder)
{
    tni_held held;
    tni_lines l;
    tni_span line, f[N_FIELDS + 2];
    tni_probe_held(&held, p, folder);
    if (!held.texts) return held.images || held.others ? 0 : 85;
    if (held.text == NULL) return held.images ? 55 : 85;
    tni_lines_init(&l, tni_probe_head(p, held.text));
    while (tni_lines_next(&l, &line)) {
        const size_t n = tni_fields(line, f, N_FIELDS + 2);
        if (n == 0) continue;
        /* A broken line is told when it is read. */
        return n == N_FIELDS || n == N_FIELDS + 1 ? 85 : held.images ? 0 : 70;
    }
    return held.images ? 55 : 85;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return 0;
    if (tni_probe_has(p, "label_2"))
        return score_labels(p, tni_join(p->r, p->path, "label_2"));
    for (size_t i = 0; i < p->n_entries; i++) {
        const char *sub = tni_join(p->r, p->path, p->entries[i].name);
        if (p->entries[i].is_dir && sub != NULL && has_kitti(p->r, sub))
            return score_labels(p, tni_join(p->r, sub, "label_2"));
    }
    return 0;
}

/* --- lines --------------------------------------------------------------- */

static tn_status bad(const kitti *k, const char *path, const tni_lines *l,
                     tni_span at, const char *what)
{
    tni_err_where(k->err, "%s, line %d", path, l->number);
    return tni_fail_at(k->err, TN_EFORMAT, (uint64_t)(at.p - l->start), "%s",
                       what);
}

static size_t put_number(char *to, double v)
{
    return tni_num_shortest(to, 32, v);
}

/* What is known beyond the box, as a JSON object; none when nothing is. */
static tni_span attributes_of(kitti *k, const double v[N_FIELDS], bool ignore)
{
    char text[700];
    tni_span out = {NULL, 0};
    const double *none = unknown[ignore ? 1 : 0];
    size_t n = (size_t)snprintf(text, sizeof text, "{%s",
                                ignore ? "\"ignore\": true" : "");
    for (int i = 0; i < N_PARTS; i++) {
        const int f = parts[i].first, m = parts[i].n;
        if (memcmp(v + f, none + f, (size_t)m * sizeof *v) == 0) continue;
        n +=
            (size_t)snprintf(text + n, sizeof text - n, "%s\"%s\": %s",
                             n > 1 ? ", " : "", parts[i].key, m > 1 ? "[" : "");
        for (int j = 0; j < m; j++) {
            if (j > 0) {
                memcpy(text + n, ", ", 2);
                n += 2;
            }
            n += put_number(text + n, v[f + j]);
        }
        if (m > 1) text[n++] = ']';
    }
    if (n == 1) return out;
    text[n++] = '}';
    out.p = tni_keep(k->d, text, n);
    out.len = out.p != NULL ? n : 0;
    return out;
}

static tn_status read_line(kitti *k, const char *path, const tni_lines *l,
                           tni_span line, uint32_t source, uint32_t image)
{
    tni_span f[N_FIELDS + 2];
    double v[N_FIELDS + 1] = {0};
    const size_t n = tni_fields(line, f, N_FIELDS + 2);
    if (n == 0) return TN_OK;
    if (n != N_FIELDS && n != N_FIELDS + 1) {
        char what[120];
        (void)snprintf(what, sizeof what,
                       "found %zu fields, expected 15 (type truncated occluded "
                       "alpha box size place angle) or 16 with a score",
                       n);
        return bad(k, path, l, line, what);
    }
    for (size_t i = 1; i < n; i++) {
        if (tni_field_f64(f[i], &v[i])) continue;
        char what[120];
        (void)snprintf(what, sizeof what,
                       "found '%.*s' as field %zu, expected a finite number",
                       f[i].len > 40 ? 40 : (int)f[i].len, f[i].p, i + 1);
        return bad(k, path, l, f[i], what);
    }
    tni_ann a;
    uint32_t ann = 0;
    memset(&a, 0, sizeof a);
    a.image = image;
    a.where = tni_where(source, (uint64_t)(line.p - l->start));
    a.flags = TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY);
    memcpy(a.box, v + 4, sizeof a.box);
    a.class_index = TN_NONE;
    const bool ignore = tni_span_is(f[0], "DontCare");
    if (!ignore) {
        TN_TRY(tni_class_named(&k->classes, f[0], a.where, &a.class_index,
                               k->err));
        if (v[1] > 0.0) a.flags |= TN_IS_TRUNCATED;
        if (v[2] == 1.0 || v[2] == 2.0) a.flags |= TN_IS_OCCLUDED;
    }
    TN_TRY(tni_add_annotation(k->d, &a, &ann, k->err));
    const tni_span attributes = attributes_of(k, v, ignore);
    if (attributes.p != NULL)
        TN_TRY(tni_set_text(k->d, ann, TN_TEXT_ATTRIBUTES, attributes, k->err));
    else if (ignore)
        return no_memory(k->err);
    return n > N_FIELDS ? tni_set_num(k->d, ann, TN_NUM_SCORE, v[15], k->err)
                        : TN_OK;
}

static tn_status read_labels(kitti *k, const char *path, uint32_t image)
{
    uint32_t source = 0;
    tni_span text, line;
    tni_lines l;
    const uint32_t first = k->d->anns.n;
    TN_TRY(tni_source_open(k->d, path, &source, &text, k->err));
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line))
        TN_TRY(read_line(k, path, &l, line, source, image));
    tni_image_row *row = tni_image_at(k->d, image);
    if (row->where == 0) row->where = tni_where(source, 0);
    if (first == k->d->anns.n) row->state = TN_STATE_EMPTY;
    return TN_OK;
}

/* --- images -------------------------------------------------------------- */

static void **stem_slot(kitti *k, uint32_t root, const char *name, size_t len,
                        bool *fresh)
{
    char *key = tni_arena_alloc(&k->r->scratch, len + 12, 1);
    if (key == NULL) return NULL;
    const size_t n = (size_t)snprintf(key, 12, "%u/", (unsigned)root);
    memcpy(key + n, name, len);
    return tni_strmap_add(&k->stems, key, n + len, fresh);
}

/* The image of a stem, made when there is none. */
static tn_status image_of(kitti *k, uint32_t root, const char *name, size_t len,
                          const char *extension, uint32_t *image)
{
    bool fresh = false;
    void **slot = stem_slot(k, root, name, len, &fresh);
    if (slot == NULL) return no_memory(k->err);
    if (!fresh) {
        *image = (uint32_t)((uintptr_t)*slot - 1);
        return TN_OK;
    }
    char *whole =
        tni_arena_alloc(&k->r->scratch, len + strlen(extension) + 1, 1);
    if (whole == NULL) return no_memory(k->err);
    memcpy(whole, name, len);
    memcpy(whole + len, extension, strlen(extension) + 1);
    TN_TRY(tni_image_named(&k->images, whole, k->roots[root].split, 0, NULL,
                           image, NULL, k->err));
    *slot = (void *)((uintptr_t)*image + 1);
    return TN_OK;
}

static tn_status add_images(kitti *k, uint32_t root)
{
    const uint32_t first = k->d->images.n;
    TN_TRY(tni_images_below(&k->images, k->roots[root].images,
                            k->roots[root].split, k->err));
    for (uint32_t i = first; i < k->d->images.n; i++) {
        const char *name = tni_image_at(k->d, i)->name;
        bool fresh = false;
        void **slot = stem_slot(k, root, name, tni_stem_len(name), &fresh);
        if (slot == NULL) return no_memory(k->err);
        if (fresh) *slot = (void *)((uintptr_t)i + 1);
        if (!fresh)
            TN_TRY(tni_note_add(k->d, 0, "stem-twice", k->err,
                                "'%.100s' differs from another image only in "
                                "its extension: the labels go to that one",
                                name));
    }
    return TN_OK;
}

static tn_status add_labels(kitti *k, uint32_t root, const char *below,
                            int depth)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    const char *top = k->roots[root].labels;
    const char *folder = below[0] != '\0' ? tni_join(k->r, top, below) : top;
    if (depth == 16)
        return tni_fail(k->err, TN_ELIMIT, "folders are more than 16 deep");
    TN_TRY(tni_list(k->r, folder, &e, &n, k->err));
    for (size_t i = 0; i < n; i++) {
        const char *name =
            below[0] != '\0' ? tni_join(k->r, below, e[i].name) : e[i].name;
        const char *path = name != NULL ? tni_join(k->r, top, name) : NULL;
        uint32_t image = 0;
        if (path == NULL) return no_memory(k->err);
        if (e[i].is_dir) {
            TN_TRY(add_labels(k, root, name, depth + 1));
            continue;
        }
        if (!tni_ends_with(name, ".txt")) continue;
        TN_TRY(image_of(k, root, name, tni_stem_len(name), ".png", &image));
        TN_TRY(read_labels(k, path, image));
        TN_TRY(tni_reader_progress(k->r, i, n, k->err));
    }
    return TN_OK;
}

/* A list of stems or names; `split` (TN_NONE: none) gets them. */
static tn_status read_list(kitti *k, const char *path, uint32_t root,
                           uint32_t split)
{
    uint32_t source = 0;
    tni_span text, line;
    tni_lines l;
    TN_TRY(tni_source_open(k->d, path, &source, &text, k->err));
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line)) {
        line = tni_trim(line);
        uint32_t image = 0;
        if (line.len == 0) continue;
        char *name = tni_arena_strndup(&k->r->scratch, line.p, line.len);
        if (name == NULL) return no_memory(k->err);
        const size_t len =
            tni_is_image_name(name) ? tni_stem_len(name) : line.len;
        TN_TRY(image_of(k, root, name, len,
                        len < line.len ? name + len : ".png", &image));
        tni_image_row *row = tni_image_at(k->d, image);
        if (row->where == 0)
            row->where = tni_where(source, (uint64_t)(line.p - l.start));
        if (split != TN_NONE) row->splits |= UINT64_C(1) << split;
    }
    return TN_OK;
}

/* --- folders ------------------------------------------------------------- */

/* A folder with label_2 and image_2; `sub`: a folder inside both. */
static tn_status add_root(kitti *k, const char *folder, const char *name,
                          const char *sub)
{
    if (k->n_roots == MAX_ROOTS)
        return tni_fail(k->err, TN_ELIMIT, "more than %d folders with labels",
                        (int)MAX_ROOTS);
    place *t = &k->roots[k->n_roots];
    t->name = sub != NULL ? sub : name;
    t->split = TN_NONE;
    t->labels = tni_join(k->r, folder, "label_2");
    t->images =
        k->r->images != NULL ? k->r->images : tni_join(k->r, folder, "image_2");
    if (k->r->images != NULL && name != NULL)
        t->images = tni_join(k->r, t->images, name);
    if (t->labels == NULL || t->images == NULL) return no_memory(k->err);
    if (sub != NULL) {
        t->labels = tni_join(k->r, t->labels, sub);
        t->images = tni_join(k->r, t->images, sub);
        if (t->labels == NULL || t->images == NULL) return no_memory(k->err);
    }
    k->n_roots++;
    return TN_OK;
}

/* Whether label_2 has folders of splits and nothing else. */
static tn_status add_inner(kitti *k, bool *added)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(
        tni_list(k->r, tni_join(k->r, k->r->path, "label_2"), &e, &n, k->err));
    *added = n > 0;
    for (size_t i = 0; i < n; i++)
        *added = *added && e[i].is_dir && tni_is_split_name(e[i].name);
    for (size_t i = 0; i < n && *added; i++)
        TN_TRY(add_root(k, k->r->path, NULL, e[i].name));
    return TN_OK;
}

static tn_status find_roots(kitti *k, const tni_dir_entry *lists,
                            size_t n_lists)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    bool inner = false;
    TN_TRY(tni_list(k->r, k->r->path, &e, &n, k->err));
    if (n_lists == 0 &&
        !tni_path_look(tni_join(k->r, k->r->path, "images.txt")).exists)
        TN_TRY(add_inner(k, &inner));
    if (!inner && has_kitti(k->r, k->r->path))
        TN_TRY(add_root(k, k->r->path, NULL, NULL));
    for (size_t i = 0; i < n; i++) {
        const char *sub = tni_join(k->r, k->r->path, e[i].name);
        if (sub == NULL) return no_memory(k->err);
        if (!e[i].is_dir || strcmp(e[i].name, "label_2") == 0 ||
            strcmp(e[i].name, "image_2") == 0)
            continue;
        const char *images = tni_join(k->r, sub, "image_2");
        if (has_kitti(k->r, sub) ||
            (images != NULL && tni_path_look(images).is_dir))
            TN_TRY(add_root(k, sub, e[i].name, NULL));
    }
    for (uint32_t i = 0; i < k->n_roots; i++) {
        place *t = &k->roots[i];
        if (t->name == NULL) continue;
        /* training/ is the whole when lists or nothing else divide it. */
        bool listed = false;
        for (size_t m = 0; m < n_lists; m++)
            listed = listed ||
                     (strncmp(lists[m].name, t->name, strlen(t->name)) == 0 &&
                      strcmp(lists[m].name + strlen(t->name), ".txt") == 0);
        if (strcmp(t->name, "training") == 0 && !listed &&
            (n_lists > 0 || k->n_roots == 1))
            continue;
        TN_TRY(
            tni_add_split(k->d, t->name, strlen(t->name), &t->split, k->err));
    }
    return TN_OK;
}

/* Where a list belongs: to the folder of its name, else to the whole. */
static tn_status read_split_list(kitti *k, const char *folder, const char *file)
{
    const size_t len = tni_stem_len(file);
    uint32_t at = TN_NONE, base = TN_NONE, split = TN_NONE;
    const char *path = tni_join(k->r, folder, file);
    if (path == NULL) return no_memory(k->err);
    for (uint32_t i = 0; i < k->n_roots; i++) {
        const char *name = k->roots[i].name;
        if (name != NULL && strlen(name) == len && memcmp(name, file, len) == 0)
            at = i;
        if (name != NULL && strcmp(name, "testing") == 0 && at == TN_NONE &&
            len == 4 && memcmp(file, "test", 4) == 0)
            at = i;
        if (k->roots[i].split == TN_NONE && base == TN_NONE) base = i;
    }
    if (at == TN_NONE) {
        if (base == TN_NONE)
            return tni_note_add(k->d, 0, "list-unused", k->err,
                                "%.200s lists images of no folder", path);
        at = base;
        TN_TRY(tni_add_split(k->d, file, len, &split, k->err));
    }
    return read_list(k, path, at, split);
}

static tn_status read_all(kitti *k)
{
    const tni_dir_entry *lists = NULL;
    size_t n = 0, n_lists = 0;
    const char *folder = tni_join(k->r, k->r->path, "ImageSets");
    TN_TRY(tni_list(k->r, folder, &lists, &n, k->err));
    tni_dir_entry *kept = TNI_NEW_ARRAY(&k->r->scratch, tni_dir_entry, n + 1);
    if (kept == NULL) return no_memory(k->err);
    for (size_t i = 0; i < n; i++)
        if (!lists[i].is_dir && tni_ends_with(lists[i].name, ".txt"))
            kept[n_lists++] = lists[i];
    TN_TRY(find_roots(k, kept, n_lists));
    if (k->n_roots == 0)
        return tni_fail(k->err, TN_ENOTFOUND,
                        "the folder has no labels; expected label_2/*.txt, "
                        "training/label_2/*.txt or <split>/label_2/*.txt");
    for (uint32_t i = 0; i < k->n_roots; i++) TN_TRY(add_images(k, i));
    for (size_t i = 0; i < n_lists; i++)
        TN_TRY(read_split_list(k, folder, kept[i].name));
    const char *names = tni_join(k->r, k->r->path, "images.txt");
    if (names == NULL) return no_memory(k->err);
    if (k->roots[0].name == NULL && tni_path_look(names).is_file)
        TN_TRY(read_list(k, names, 0, TN_NONE));
    for (uint32_t i = 0; i < k->n_roots; i++) TN_TRY(add_labels(k, i, "", 0));
    return tni_classes_sort(&k->classes, k->err);
}

static tn_status read(tni_reader *r, tn_err *err)
{
    if (!r->is_dir)
        return tni_fail(err, TN_EINVAL,
                        "KITTI labels are a folder; name the one that has "
                        "label_2 in it");
    kitti *k = TNI_NEW(&r->scratch, kitti);
    if (k == NULL) return no_memory(err);
    k->r = r;
    k->d = r->d;
    k->err = err;
    tni_classes_init(&k->classes, r);
    tni_image_set_init(&k->images, r);
    tni_strmap_init(&k->stems, &r->scratch);
    return read_all(k);
}

/* --- writing ------------------------------------------------------------- */

/* Numbers of an attribute; false when it is not `n` finite ones. */
static bool numbers_of(tni_span value, int n, double *out)
{
    tni_json j;
    tn_err ignored;
    tni_json_init(&j, value.p, value.len, 0, &ignored);
    if (n == 1)
        return tni_json_peek(&j) == '0' && tni_json_f64(&j, out) &&
               tni_json_end(&j);
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return false;
    int k = 0;
    while (tni_json_item(&j)) {
        if (k == n || tni_json_peek(&j) != '0' || !tni_json_f64(&j, &out[k]))
            return false;
        k++;
    }
    return k == n && j.status == TN_OK && tni_json_end(&j);
}

static tni_span attributes_text(const tn_dataset *d, uint32_t ann)
{
    const tni_span none = {NULL, 0};
    const tni_span *t = tni_sparse_find(&d->text[TN_TEXT_ATTRIBUTES], ann, 0);
    return t != NULL ? *t : none;
}

static bool is_ignored(tni_span attributes)
{
    tni_span v;
    return attributes.p != NULL && tni_json_member(attributes, "ignore", &v) &&
           tni_span_is(v, "true");
}

/* Whether a line can say all of it. */
static bool fits(tni_span attributes, bool classed)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    double v[3];
    tni_json_init(&j, attributes.p, attributes.len, 0, &ignored);
    if (tni_json_peek(&j) != '{' || !tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key)) {
        if (!tni_json_skip(&j, &raw)) return false;
        int i = 0;
        while (i < N_PARTS && !tni_span_is(key, parts[i].key)) i++;
        if (i < N_PARTS ? !numbers_of(raw, parts[i].n, v)
                        : classed || !tni_span_is(key, "ignore"))
            return false;
    }
    return j.status == TN_OK;
}

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_kitti.keeps;
    (void)counts;
    (void)variant;
    for (uint32_t i = 0; i < d->anns.n; i++) {
        const bool classed = tni_ann_at(d, i)->class_index != TN_NONE;
        const tni_span t = attributes_text(d, i);
        if (t.p != NULL && !fits(t, classed)) keeps &= ~TNI_KEEPS(ATTRIBUTES);
        if (!classed && !is_ignored(t)) keeps &= ~TNI_KEEPS(CLASSLESS);
    }
    return keeps;
}

static tn_status check_classes(const tn_dataset *d, tn_err *err)
{
    for (uint32_t i = 0; i < d->anns.n; i++) {
        const uint32_t cls = tni_ann_at(d, i)->class_index;
        if (cls == TN_NONE) continue;
        const char *name = tni_class_at(d, cls)->name;
        if (name[0] != '\0' && strpbrk(name, " \t\r\n") == NULL &&
            strcmp(name, "DontCare") != 0 &&
            strncmp(name, "\xef\xbb\xbf", 3) != 0)
            continue;
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the class '%.100s' cannot be the first word of a "
                        "KITTI line (a space, nothing, or DontCare); rename it",
                        name);
    }
    return TN_OK;
}

static void put_line(tni_writer *w, tni_out *o, uint32_t ann, const tni_ann *a,
                     const double box[4])
{
    double v[N_FIELDS], score = 0.0;
    tni_span part;
    const bool ignore = a->class_index == TN_NONE;
    const tni_span attributes = attributes_text(w->d, ann);
    memcpy(v, unknown[ignore ? 1 : 0], sizeof v);
    if ((a->flags & TN_IS_TRUNCATED) != 0) v[1] = 1.0;
    if ((a->flags & TN_IS_OCCLUDED) != 0) v[2] = 1.0;
    memcpy(v + 4, box, 4 * sizeof *box);
    for (int i = 0; i < N_PARTS && attributes.p != NULL; i++) {
        double found[3];
        if (tni_json_member(attributes, parts[i].key, &part) &&
            numbers_of(part, parts[i].n, found))
            memcpy(v + parts[i].first, found,
                   (size_t)parts[i].n * sizeof *found);
    }
    tni_out_str(o,
                ignore ? "DontCare" : tni_class_at(w->d, a->class_index)->name);
    for (int i = 1; i < N_FIELDS; i++) {
        tni_out_char(o, ' ');
        tni_out_f64(o, v[i]);
    }
    if (tn_dataset_num(w->d, ann, TN_NUM_SCORE, &score) != 0) {
        tni_out_char(o, ' ');
        tni_out_f64(o, score);
    }
    tni_out_char(o, '\n');
    w->written[ann] = 1;
}

static tn_status write_image(tni_writer *w, uint32_t i, const char *split,
                             tn_shape *scratch, tn_err *err)
{
    char path[4096], name[4096];
    tni_target t;
    size_t n = 0;
    TN_TRY(tni_path_of(path, sizeof path, split, "image_2", w->names[i], err));
    TN_TRY(tni_write_image(w, i, path, err));
    const int len = snprintf(name, sizeof name, "%.*s.txt",
                             (int)tni_stem_len(w->names[i]), w->names[i]);
    if (len < 0 || (size_t)len >= sizeof name)
        return tni_fail(err, TN_EINVAL, "the name of an image is too long");
    TN_TRY(tni_path_of(path, sizeof path, split, "label_2", name, err));
    TN_TRY(tni_target_open(&t, w, path, err));
    const uint32_t *list = tn_dataset_of_image(w->d, i, &n);
    for (size_t k = 0; k < n; k++) {
        tni_ann a;
        double box[4];
        tni_ann_get(w->d, list[k], &a);
        if (a.class_index == TN_NONE &&
            !is_ignored(attributes_text(w->d, list[k])))
            continue;
        if (tni_box_for(w->d, list[k], &a, scratch, box))
            put_line(w, &t.out, list[k], &a, box);
    }
    return tni_target_close(&t, err);
}

/* The list of a split: stems, and whole names where no image says them. */
static tn_status write_list(tni_writer *w, uint32_t split, const char *name,
                            tn_err *err)
{
    tni_target t;
    TN_TRY(tni_target_open(&t, w, name, err));
    for (uint32_t i = 0; i < w->d->images.n; i++) {
        const char *image = w->names[i];
        if (!tni_in_split(w->d, i, split)) continue;
        const bool there = w->files != TN_FILES_NONE &&
                           tni_image_there(w->d, i) && tni_is_image_name(image);
        tni_out_bytes(&t.out, image,
                      there ? tni_stem_len(image) : strlen(image));
        tni_out_char(&t.out, '\n');
    }
    return tni_target_close(&t, err);
}

static tn_status write_split(tni_writer *w, uint32_t split, tn_err *err)
{
    char path[600];
    bool any = false, lone = false;
    const char *folder = split != TN_NONE ? w->d->splits[split] : NULL;
    tn_shape scratch = TN_SHAPE_INIT;
    tn_status status = TN_OK;
    for (uint32_t i = 0; status == TN_OK && i < w->d->images.n; i++) {
        if (!tni_in_split(w->d, i, split)) continue;
        any = true;
        lone = lone || !tni_image_there(w->d, i) || w->files == TN_FILES_NONE ||
               strchr(w->names[i], '/') != NULL;
        status = write_image(w, i, folder, &scratch, err);
    }
    tn_shape_fini(&scratch);
    TN_TRY(status);
    if (!any) return TN_OK;
    if (split == TN_NONE)
        return lone ? write_list(w, split, "images.txt", err) : TN_OK;
    if (snprintf(path, sizeof path, "ImageSets/%.500s.txt", folder) < 0)
        return TN_EINTERNAL;
    return write_list(w, split, path, err);
}

static tn_status check_names(const tni_writer *w, tn_err *err)
{
    for (uint32_t i = 0; i < w->d->images.n; i++) {
        const char *name = w->names[i];
        const tni_span all = tni_span_of(name);
        if (tni_is_image_name(name) && strpbrk(name, "\r\n") == NULL &&
            tni_trim(all).len == all.len &&
            strncmp(name, "\xef\xbb\xbf", 3) != 0)
            continue;
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the image '%.100s' cannot be in a list of images (its "
                        "name must end like an image's and have no line ends "
                        "or spaces around it); rename it",
                        name);
    }
    return TN_OK;
}

static tn_status write(tni_writer *w, tn_err *err)
{
    if (w->d->images.n == 0)
        return tni_fail(err, TN_EUNSUPPORTED, "the dataset has no images");
    TN_TRY(check_classes(w->d, err));
    TN_TRY(check_names(w, err));
    TN_TRY(tni_check_splits(w->d, err));
    for (uint32_t s = 0; s < w->d->n_splits; s++) {
        if (strcmp(w->d->splits[s], "image_2") == 0 ||
            strcmp(w->d->splits[s], "label_2") == 0 ||
            strcmp(w->d->splits[s], "ImageSets") == 0)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "a split called '%s' is taken for a part of KITTI; "
                            "rename it",
                            w->d->splits[s]);
        TN_TRY(write_split(w, s, err));
    }
    return write_split(w, TN_NONE, err);
}

const tni_format tni_format_kitti = {
    .name = "kitti",
    .title = "KITTI object labels",
    .files = "label_2/*.txt",
    .source = "https://www.cvlibs.net/datasets/kitti/eval_object.php",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(SCORE) | TNI_KEEPS(ATTRIBUTES) |
             TNI_KEEPS(CLASSLESS) | TNI_KEEPS(TRUNCATED) | TNI_KEEPS(OCCLUDED) |
             TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY),
    .flags = TNI_FORMAT_STEMS | TNI_FORMAT_SEEN_CLASSES,
    .probe = probe,
    .read = read,
    .plan = plan,
    .write = write,
};
