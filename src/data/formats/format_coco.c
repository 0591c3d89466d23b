/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_coco.c - COCO: instances, keypoints, captions, panoptic, results
 *
 * Reads a file, a folder with annotations/ in it, or Roboflow's folders with
 * _annotations.coco.json. Splits are told by file names. Files of one split
 * that are for different tasks repeat their images (and keypoints their
 * instances), so of several tasks one must be chosen; but captions and one
 * other task are one dataset ('instances+captions'). The variant 'roboflow' is
 * instances in Roboflow's folders, as RF-DETR wants them.
 *
 * Source: cocodataset.org/#format-data; pycocotools coco.py (loadRes)
 */
#include "data/formats/coco.h"

#include <stdlib.h>

typedef struct found {
    char *path;
    const char *task; /* variant */
    const char *split;
    size_t split_len; /* 0: none */
    bool beside;      /* images lie beside it */
} found;

typedef struct finds {
    found *list;
    size_t n, cap;
} finds;

static const struct {
    const char *prefix, *task;
} prefixes[] = {
    {"instances", "instances"}, {"person_keypoints", "keypoints"},
    {"keypoints", "keypoints"}, {"captions", "captions"},
    {"panoptic", "panoptic"},   {"stuff", "stuff"},
    {"labels", "labels"},       {"image_info", "image_info"},
    {"results", "results"},
};
enum { N_PREFIXES = (int)(sizeof prefixes / sizeof prefixes[0]) };

static size_t skip_blanks(tni_span head, size_t i)
{
    while (i < head.len && head.p[i] != '\0' &&
           strchr(" \t\r\n", head.p[i]) != NULL)
        i++;
    return i;
}

/* Whether the object at `i` begins with a list of categories, which may be
 * longer (LVIS has 1,203) than what a probe sees. */
static bool begins_with_categories(tni_span head, size_t i)
{
    static const char key[] = "\"categories\"";
    i = skip_blanks(head, i + 1);
    if (head.len - i < sizeof key ||
        memcmp(head.p + i, key, sizeof key - 1) != 0)
        return false;
    i = skip_blanks(head, i + sizeof key - 1);
    if (i == head.len || head.p[i] != ':') return false;
    i = skip_blanks(head, i + 1);
    return i < head.len && head.p[i] == '[' && tni_has_text(head, "\"id\"") &&
           tni_has_text(head, "\"name\"");
}

/* Whether there is a list of this name. */
static bool has_list(tni_span head, const char *quoted)
{
    const size_t n = strlen(quoted);
    for (size_t i = 0; i + n <= head.len; i++) {
        if (head.p[i] != '"' || memcmp(head.p + i, quoted, n) != 0) continue;
        size_t at = skip_blanks(head, i + n);
        if (at == head.len || head.p[at] != ':') continue;
        at = skip_blanks(head, at + 1);
        if (at < head.len && head.p[at] == '[') return true;
    }
    return false;
}

static int score_head(tni_span head)
{
    size_t i = 0;
    if (head.len >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0) i = 3;
    i = skip_blanks(head, i);
    if (i == head.len) return 0;
    const bool id = tni_has_text(head, "\"image_id\"");
    const bool cat = tni_has_text(head, "\"category_id\"");
    if (head.p[i] == '[')
        return id && (cat || tni_has_text(head, "\"caption\"")) ? 75 : 0;
    if (head.p[i] != '{' || tni_head_has(head, "dm_format_version") ||
        tni_head_has(head, "shapes"))
        return 0;
    if (tni_has_text(head, "\"images\"") && tni_has_text(head, "\"file_name\""))
        return 80;
    if (id && cat) return 70;
    if (begins_with_categories(head, i)) return 60;
    if (!has_list(head, "\"images\"") || !has_list(head, "\"annotations\""))
        return 0;
    /* Annotations of no image and no class have neither of their ids. */
    return tni_has_text(head, "\"categories\"") ? 65 : 55;
}

/* Task and split by the name: instances_val2017.json, train.json. */
static void name_file(found *f, const char *name, const char *folder)
{
    const size_t len = strlen(name) - 5; /* without .json */
    f->task = "instances";
    if (strcmp(name, "_annotations.coco.json") == 0) {
        f->split = folder;
        f->split_len = strlen(folder);
        f->beside = true;
        return;
    }
    f->split = name;
    f->split_len = len;
    for (int i = 0; i < N_PREFIXES; i++) {
        const size_t n = strlen(prefixes[i].prefix);
        if (len < n || strncmp(name, prefixes[i].prefix, n) != 0) continue;
        if (len == n) f->split_len = 0;
        if (len > n && name[n] != '_') continue;
        f->task = prefixes[i].task;
        if (len > n + 1) {
            f->split = name + n + 1;
            f->split_len = len - n - 1;
        }
        return;
    }
}

static tn_status add_find(tni_reader *r, finds *list, const char *folder,
                          const char *name, const char *folder_name,
                          tn_err *err)
{
    tni_probe p;
    memset(&p, 0, sizeof p);
    p.r = r;
    char *path = tni_join(r, folder, name);
    if (path == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    if (score_head(tni_probe_head(&p, path)) == 0) return TN_OK;
    if (list->n == list->cap) {
        list->cap = list->cap == 0 ? 16 : list->cap * 2;
        found *more = TNI_NEW_ARRAY(&r->scratch, found, list->cap);
        if (more == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        if (list->n > 0) memcpy(more, list->list, list->n * sizeof *more);
        list->list = more;
    }
    found *f = &list->list[list->n++];
    memset(f, 0, sizeof *f);
    f->path = path;
    name_file(f, name, folder_name);
    return TN_OK;
}

static tn_status find_in(tni_reader *r, finds *list, const char *folder,
                         const char *folder_name, bool roboflow, tn_err *err)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(r, folder, &e, &n, err));
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir || !tni_ends_with(e[i].name, ".json")) continue;
        if (roboflow && strcmp(e[i].name, "_annotations.coco.json") != 0)
            continue;
        TN_TRY(add_find(r, list, folder, e[i].name, folder_name, err));
    }
    return TN_OK;
}

/* All COCO files of a folder, in an order that names alone decide. */
static tn_status find_files(tni_reader *r, finds *list, tn_err *err)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(find_in(r, list, tni_join(r, r->path, "annotations"), "annotations",
                   false, err));
    if (list->n == 0) TN_TRY(find_in(r, list, r->path, "", false, err));
    TN_TRY(tni_list(r, r->path, &e, &n, err));
    for (size_t i = 0; i < n; i++)
        if (e[i].is_dir && strcmp(e[i].name, "annotations") != 0)
            TN_TRY(find_in(r, list, tni_join(r, r->path, e[i].name), e[i].name,
                           true, err));
    return TN_OK;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return score_head(p->head);
    finds list = {NULL, 0, 0};
    if (find_files(p->r, &list, NULL) != TN_OK) return 0;
    return list.n > 0 ? 80 : 0;
}

/* Where the images of a file may be: the caller's folder, or the usual ones
 * around the file. */
static const char *const *folders_of(tni_reader *r, const found *f,
                                     const char *split)
{
    const char **out = TNI_NEW_ARRAY(&r->scratch, const char *, 12);
    const char *own = tni_folder_of(r, f->path);
    const char *top = own != NULL ? tni_folder_of(r, own) : NULL;
    if (out == NULL || top == NULL) return NULL;
    int n = 0;
    if (r->images != NULL) {
        const char *sub =
            split[0] != '\0' ? tni_join(r, r->images, split) : NULL;
        if (sub != NULL) out[n++] = sub;
        out[n++] = r->images;
        return out;
    }
    if (f->beside) {
        out[n++] = own;
        return out;
    }
    if (strcmp(own, ".") == 0) top = "..";
    for (int level = 0; level < 2; level++) {
        const char *base = level == 0 ? top : own;
        const char *images = tni_join(r, base, "images");
        if (images == NULL) return NULL;
        if (split[0] != '\0') {
            out[n++] = tni_join(r, images, split);
            out[n++] = tni_join(r, base, split);
            if (out[n - 1] == NULL || out[n - 2] == NULL) return NULL;
        }
        out[n++] = images;
        out[n++] = base;
    }
    return out;
}

/* Where the PNGs of panoptic segments may be: in a folder called like the file,
 * beside it or above, or beside it as they are. */
static const char *const *masks_of(tni_reader *r, const found *f)
{
    const char **out = TNI_NEW_ARRAY(&r->scratch, const char *, 4);
    const char *own = tni_folder_of(r, f->path);
    const char *slash = strrchr(f->path, '/');
    const char *base = slash != NULL ? slash + 1 : f->path;
    const size_t n = strlen(base);
    const char *stem = tni_arena_strndup(
        &r->scratch, base, tni_ends_with(base, ".json") ? n - 5 : n);
    if (out == NULL || own == NULL || stem == NULL) return NULL;
    const char *top = strcmp(own, ".") == 0 ? ".." : tni_folder_of(r, own);
    if (top == NULL) return NULL;
    out[0] = tni_join(r, own, stem);
    out[1] = tni_join(r, top, stem);
    out[2] = own;
    return out[0] != NULL && out[1] != NULL ? out : NULL;
}

static tn_status read_one(tni_reader *r, const found *f,
                          const tni_coco_known *known, tn_err *err)
{
    tni_coco_file file;
    memset(&file, 0, sizeof file);
    file.path = f->path;
    file.known = known;
    file.split = TN_NONE;
    const char *split = "";
    if (f->split_len > 0) {
        TN_TRY(tni_add_split(r->d, f->split, f->split_len, &file.split, err));
        split = r->d->splits[file.split];
    }
    if (strcmp(f->task, "results") != 0) {
        file.folders = folders_of(r, f, split);
        file.masks = masks_of(r, f);
        if (file.folders == NULL || file.masks == NULL)
            return tni_fail(err, TN_ENOMEM, "out of memory");
    }
    return tni_coco_read(r, &file, err);
}

/* Of one file only a name that says a task or a usual split is a split. */
static void name_one(found *f, const char *name)
{
    static const char *const splits[] = {"train", "val", "valid",
                                         "test",  "dev", "validation"};
    name_file(f, name, "");
    bool known = f->split != name;
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++)
        known = known || (strlen(splits[i]) == f->split_len &&
                          memcmp(splits[i], f->split, f->split_len) == 0);
    if (!known) f->split_len = 0;
}

static bool names_split(const char *file, const char *split)
{
    found f;
    memset(&f, 0, sizeof f);
    if (!tni_ends_with(file, ".json")) return false;
    name_one(&f, file);
    return f.split_len == strlen(split) &&
           memcmp(f.split, split, f.split_len) == 0;
}

static tn_status one_file(tni_reader *r, tn_err *err)
{
    found f;
    memset(&f, 0, sizeof f);
    f.path = tni_arena_strndup(&r->scratch, r->path, strlen(r->path));
    if (f.path == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    const char *slash = strrchr(r->path, '/');
    const char *name = slash != NULL ? slash + 1 : r->path;
    if (!tni_ends_with(name, ".json")) {
        f.task = "instances";
        r->d->variant = r->variant != NULL ? r->variant : f.task;
        return read_one(r, &f, NULL, err);
    }
    name_one(&f, name);
    tni_probe p;
    memset(&p, 0, sizeof p);
    p.r = r;
    const tni_span head = tni_probe_head(&p, f.path);
    const char *first = head.p;
    while ((size_t)(first - head.p) < head.len && (unsigned char)*first <= ' ')
        first++;
    if ((size_t)(first - head.p) < head.len && *first == '[')
        f.task = "results";
    r->d->variant = r->variant != NULL ? r->variant : f.task;
    return read_one(r, &f, NULL, err);
}

/* A task and captions beside it; how a dataset of both is called. */
static const char *const with_captions[][2] = {
    {"instances", "instances+captions"},
    {"keypoints", "keypoints+captions"},
};
enum { N_WITH = (int)(sizeof with_captions / sizeof with_captions[0]) };

/* The files of a task, or those of captions with the images that are known. */
static tn_status read_task(tni_reader *r, const finds *list, const char *task,
                           const tni_coco_known *known, size_t *n, tn_err *err)
{
    const bool roboflow =
        r->variant != NULL && strcmp(r->variant, "roboflow") == 0;
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(task, list->list[i].task) != 0) continue;
        if (roboflow && !list->list[i].beside) continue;
        TN_TRY(read_one(r, &list->list[i], known, err));
        ++*n;
    }
    return TN_OK;
}

static bool goes_with_captions(const char *task)
{
    for (int i = 0; i < N_WITH; i++)
        if (strcmp(task, with_captions[i][0]) == 0) return true;
    return false;
}

/* The one task of the files, besides captions where those go with it; *captions:
 * there are some. */
static tn_status find_task(const finds *list, const char **task, bool *captions,
                           tn_err *err)
{
    const char *other = NULL;
    *task = NULL;
    *captions = false;
    for (size_t i = 0; i < list->n; i++) {
        const char *one = list->list[i].task;
        if (strcmp(one, "captions") == 0)
            *captions = true;
        else if (*task == NULL)
            *task = one;
        else if (strcmp(*task, one) != 0)
            other = one;
    }
    if (*task == NULL && *captions) *task = "captions";
    if (other == NULL && *captions && strcmp(*task, "captions") != 0 &&
        !goes_with_captions(*task))
        other = "captions";
    if (*task == NULL || other == NULL) return TN_OK;
    return tni_fail(err, TN_EINVAL,
                    "the folder has files for several tasks (%s, %s); say "
                    "which (--from coco:%s), or name one file",
                    *task, other, *task);
}

static tn_status read(tni_reader *r, tn_err *err)
{
    finds list = {NULL, 0, 0};
    size_t n = 0;
    bool captions = false;
    tni_coco_known known;
    if (!r->is_dir) return one_file(r, err);
    TN_TRY(find_files(r, &list, err));
    const char *task = r->variant;
    if (task == NULL) TN_TRY(find_task(&list, &task, &captions, err));
    r->d->variant = task;
    captions = captions && strcmp(task, "captions") != 0;
    for (int i = 0; i < N_WITH && task != NULL; i++) {
        if (strcmp(task, with_captions[i][1]) == 0) {
            task = with_captions[i][0];
            captions = true;
        } else if (captions && strcmp(task, with_captions[i][0]) == 0) {
            r->d->variant = with_captions[i][1];
        }
    }
    if (task != NULL && strcmp(task, "roboflow") == 0) task = "instances";
    if (task != NULL) TN_TRY(read_task(r, &list, task, NULL, &n, err));
    if (captions) {
        TN_TRY(tni_coco_know_images(&known, r->d, &r->scratch, err));
        TN_TRY(read_task(r, &list, "captions", &known, &n, err));
    }
    if (n > 0) return TN_OK;
    return tni_fail(err, TN_ENOTFOUND,
                    "the folder has no COCO file%s%s; expected annotations/"
                    "*.json or */_annotations.coco.json",
                    task != NULL ? " for " : "", task != NULL ? task : "");
}

static const char *variant_for(const tn_dataset *d,
                               const uint64_t counts[TNI_F_COUNT], bool apart)
{
    if (!apart && counts[TNI_F_CAPTION] > 0 &&
        counts[TNI_F_CAPTION] == d->anns.n)
        return "captions";
    return with_captions[counts[TNI_F_KEYPOINTS] > 0 ? 1 : 0][apart ? 1 : 0];
}

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_coco.keeps;
    const bool apart = tni_coco_captions_apart(d);
    if (*variant == NULL) *variant = variant_for(d, counts, apart);
    if (strcmp(*variant, "panoptic") == 0)
        return tni_panoptic_keeps(d, keeps, counts);
    if (apart && strchr(*variant, '+') == NULL &&
        strcmp(*variant, "captions") != 0 && strcmp(*variant, "results") != 0)
        keeps &= ~TNI_KEEPS(CAPTION);
    return tni_panoptic_ids_repeat(d) ? keeps & ~TNI_KEEPS(ANN_ID) : keeps;
}

/* Captions would need a second file. */
static uint64_t plan_file(const tn_dataset *d, const char **variant,
                          uint64_t keeps)
{
    (void)d;
    for (int i = 0; i < N_WITH; i++)
        if (strcmp(*variant, with_captions[i][1]) == 0) {
            *variant = with_captions[i][0];
            keeps &= ~TNI_KEEPS(CAPTION);
        }
    return keeps;
}

const tni_format tni_format_coco = {
    .name = "coco",
    .title = "COCO JSON",
    .files = "*.json",
    .source = "https://cocodataset.org/#format-data",
    .variants = "instances keypoints captions instances+captions "
                "keypoints+captions panoptic stuff labels image_info results "
                "roboflow",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(POLYGON) | TNI_KEEPS(PARTS) |
             TNI_KEEPS(OUTLINE_BOX) | TNI_KEEPS(MASK) | TNI_KEEPS(DEGENERATE) |
             TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY) |
             TNI_KEEPS(KEYPOINT_NAMES) | TNI_KEEPS(TAG) | TNI_KEEPS(CAPTION) |
             TNI_KEEPS(ATTRIBUTES) | TNI_KEEPS(EXTRA) | TNI_KEEPS(CROWD) |
             TNI_KEEPS(TRACK) | TNI_KEEPS(SCORE) | TNI_KEEPS(AREA) |
             TNI_KEEPS(ANN_ID) | TNI_KEEPS(IMAGE_ID) | TNI_KEEPS(CLASS_ID) |
             TNI_KEEPS(PARENT) | TNI_KEEPS(CLASS_EXTRA) | TNI_KEEPS(SIZE) |
             TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(META) | TNI_KEEPS(SPLIT) |
             TNI_KEEPS(OVERLAP) | TNI_KEEPS(UNKNOWN) | TNI_KEEPS(ORPHAN) |
             TNI_KEEPS(CLASSLESS),
    .flags = TNI_FORMAT_ONE_FILE | TNI_FORMAT_SPLIT_FIELDS,
    .probe = probe,
    .read = read,
    .plan = plan,
    .plan_file = plan_file,
    .names_split = names_split,
    .write = tni_coco_write,
};
