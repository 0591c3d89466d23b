/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_imagefolder.c - classification by folders
 *
 * <class>/<image> or <split>/<class>/<image>; what is deeper belongs to the
 * class at the top. The folders of splits are known by their names (train,
 * val, valid, validation, test, dev), and only when no other folder lies
 * beside them and none of them has images of its own. Classes are all folders
 * there are, in the order of their bytes, as torchvision and Ultralytics count
 * them. An image outside of the folders of classes has no class. Hidden files
 * and what is no image are passed over and counted.
 *
 * Source: docs.pytorch.org/vision/stable/generated/
 *         torchvision.datasets.ImageFolder.html
 */
#include "data/records.h"

#include <stdio.h>

typedef struct folders {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_classes classes;
} folders;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static bool is_split_name(const char *name)
{
    static const char *const names[] = {"train",      "val",  "valid",
                                        "validation", "test", "dev"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

/* What no tool counts as a class or an image. */
static bool is_hidden(const char *name)
{
    return name[0] == '.' || strcmp(name, "__MACOSX") == 0;
}

static bool has_images(tni_reader *r, const char *folder)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    if (tni_list(r, folder, &e, &n, NULL) != TN_OK) return false;
    for (size_t i = 0; i < n; i++)
        if (!e[i].is_dir && tni_is_image_name(e[i].name)) return true;
    return false;
}

/* Whether the folders are splits, and all of them. */
static bool are_splits(tni_reader *r, const char *path, const tni_dir_entry *e,
                       size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_hidden(e[i].name)) continue;
        if (!e[i].is_dir) {
            if (tni_is_image_name(e[i].name)) return false;
            continue;
        }
        const char *sub = tni_join(r, path, e[i].name);
        if (sub == NULL || !is_split_name(e[i].name)) return false;
        const tni_dir_entry *in = NULL;
        size_t m = 0;
        bool deep = false;
        if (tni_list(r, sub, &in, &m, NULL) != TN_OK) return false;
        for (size_t k = 0; k < m; k++) deep = deep || in[k].is_dir;
        if (!deep) return false;
        found++;
    }
    return found > 0;
}

typedef enum meaning { OF_CLASS, OF_CLASS_MAYBE, OF_OTHERS } meaning;

/* What other formats call their folders may be a class where it has images and
 * nothing else; but images/ beside others is never one. */
static meaning meaning_of(const tni_probe *p, const char *path,
                          const char *name)
{
    static const char *const labels[] = {"labels", "label_2", "annotations"};
    tni_held held;
    if (strcmp(name, "images") == 0 || strcmp(name, "image_2") == 0)
        return OF_OTHERS;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(name, labels[i]) != 0) continue;
        tni_probe_held(&held, p, tni_join(p->r, path, name));
        return held.images && held.text == NULL && !held.others ? OF_CLASS_MAYBE
                                                                : OF_OTHERS;
    }
    return OF_CLASS;
}

/* Only folders, and images in the first of them that no other format has, and
 * nothing else that another format would have. */
static int probe(const tni_probe *p)
{
    static const char *const others[] = {".json", ".xml", ".csv",  ".txt",
                                         ".yaml", ".yml", ".jsonl"};
    const char *path = p->path;
    const tni_dir_entry *e = p->entries;
    size_t n = p->n_entries;
    if (!p->is_dir) return 0;
    for (int level = 0; level < 2; level++) {
        const bool splits = level == 0 && are_splits(p->r, path, e, n);
        const char *first = NULL;
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
                if (!e[i].is_dir && tni_ends_with(e[i].name, others[k]))
                    return 0;
            if (!e[i].is_dir || is_hidden(e[i].name)) continue;
            const meaning m = meaning_of(p, path, e[i].name);
            if (m == OF_OTHERS) return 0;
            if (m == OF_CLASS && first == NULL)
                first = tni_join(p->r, path, e[i].name);
        }
        if (first == NULL) return 0;
        if (!splits) return has_images(p->r, first) ? 55 : 0;
        path = first;
        if (tni_list(p->r, path, &e, &n, NULL) != TN_OK) return 0;
    }
    return 0;
}

/* --- reading ------------------------------------------------------------- */

static tn_status add_image(folders *f, const char *top, const char *name,
                           uint32_t split, uint32_t cls)
{
    tni_image_row row;
    tni_ann a;
    uint32_t ann = 0;
    const char *const where[2] = {top, NULL};
    memset(&row, 0, sizeof row);
    memset(&a, 0, sizeof a);
    row.name = tni_keep(f->d, name, strlen(name));
    if (row.name == NULL) return no_memory(f->err);
    if (split != TN_NONE) row.splits = UINT64_C(1) << split;
    TN_TRY(tni_add_image(f->d, &row, &a.image, f->err));
    TN_TRY(tni_find_image(f->r, a.image, where, f->err));
    if (cls == TN_NONE) return TN_OK;
    a.class_index = cls;
    a.flags = TN_IS_TAG;
    return tni_add_annotation(f->d, &a, &ann, f->err);
}

static tn_status read_class(folders *f, const char *top, const char *below,
                            uint32_t split, uint32_t cls, int depth)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    const char *path = tni_join(f->r, top, below);
    if (path == NULL) return no_memory(f->err);
    if (depth == 16) {
        tni_err_where(f->err, "%s", path);
        return tni_fail(f->err, TN_ELIMIT, "folders are more than 16 deep");
    }
    TN_TRY(tni_list(f->r, path, &e, &n, f->err));
    for (size_t i = 0; i < n; i++) {
        if (is_hidden(e[i].name)) continue;
        const char *name = tni_join(f->r, below, e[i].name);
        if (name == NULL) return no_memory(f->err);
        if (e[i].is_dir) {
            TN_TRY(tni_note_add(f->d, 0, "nested-folder", f->err,
                                "%.200s lies inside the folder of a class; its "
                                "images are of that class",
                                name));
            TN_TRY(read_class(f, top, name, split, cls, depth + 1));
        } else if (tni_is_image_name(e[i].name)) {
            TN_TRY(add_image(f, top, name, split, cls));
        } else {
            TN_TRY(tni_note_add(f->d, 0, "other-file", f->err,
                                "%.200s is not an image", name));
        }
        TN_TRY(tni_reader_progress(f->r, i, n, f->err));
    }
    return TN_OK;
}

/* The folders of classes in `top`, and images beside them. */
static tn_status read_top(folders *f, const char *top, uint32_t split)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    TN_TRY(tni_list(f->r, top, &e, &n, f->err));
    for (size_t i = 0; i < n; i++) {
        uint32_t cls = TN_NONE;
        if (is_hidden(e[i].name)) continue;
        if (e[i].is_dir) {
            TN_TRY(tni_class_named(&f->classes, tni_span_of(e[i].name), 0, &cls,
                                   f->err));
            TN_TRY(read_class(f, top, e[i].name, split, cls, 0));
        } else if (tni_is_image_name(e[i].name)) {
            TN_TRY(add_image(f, top, e[i].name, split, TN_NONE));
        } else {
            TN_TRY(tni_note_add(f->d, 0, "other-file", f->err,
                                "%.200s is not an image", e[i].name));
        }
    }
    return TN_OK;
}

static tn_status read(tni_reader *r, tn_err *err)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    folders f;
    memset(&f, 0, sizeof f);
    f.r = r;
    f.d = r->d;
    f.err = err;
    tni_classes_init(&f.classes, r);
    if (!r->is_dir)
        return tni_fail(err, TN_EINVAL,
                        "images by class are a folder of folders; name that");
    if (r->images != NULL)
        return tni_fail(err, TN_EINVAL,
                        "the folders of images are the labels here: there is "
                        "no other folder of images (--images)");
    TN_TRY(tni_list(r, r->path, &e, &n, err));
    if (!are_splits(r, r->path, e, n)) {
        TN_TRY(read_top(&f, r->path, TN_NONE));
        return tni_classes_sort(&f.classes, err);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t split = 0;
        if (!e[i].is_dir || is_hidden(e[i].name)) continue;
        const char *top = tni_join(r, r->path, e[i].name);
        if (top == NULL) return no_memory(err);
        TN_TRY(tni_add_split(r->d, e[i].name, strlen(e[i].name), &split, err));
        TN_TRY(read_top(&f, top, split));
    }
    return tni_classes_sort(&f.classes, err);
}

/* --- writing ------------------------------------------------------------- */

/* The first class of an image as a whole; *n how many it has. */
static uint32_t tag_of(const tn_dataset *d, uint32_t image, uint32_t *ann,
                       size_t *n)
{
    size_t m = 0;
    uint32_t cls = TN_NONE;
    const uint32_t *list = tn_dataset_of_image(d, image, &m);
    *n = 0;
    for (size_t i = 0; i < m; i++) {
        const uint32_t flags = *tni_flags_at(d, list[i]);
        const uint32_t c = tni_ann_at(d, list[i])->class_index;
        if ((flags & TN_IS_TAG) == 0 || (flags & TN_IS_NEGATIVE) != 0 ||
            c == TN_NONE)
            continue;
        if ((*n)++ == 0) {
            cls = c;
            *ann = list[i];
        }
    }
    return cls;
}

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_imagefolder.keeps;
    (void)counts;
    (void)variant;
    for (uint32_t i = 0; i < d->images.n; i++) {
        uint32_t ann = 0;
        size_t n = 0;
        (void)tag_of(d, i, &ann, &n);
        if (n > 1) keeps &= ~TNI_KEEPS(TAG);
    }
    return keeps;
}

static tn_status check_folder(const tn_dataset *d, uint32_t cls, tn_err *err)
{
    const char *name = tni_class_at(d, cls)->name;
    if (name[0] != '\0' && !is_hidden(name) && strpbrk(name, "/\\") == NULL &&
        strlen(name) < 256 && tni_find_class(d, name) == cls)
        return TN_OK;
    return tni_fail(err, TN_EUNSUPPORTED,
                    "the class '%.100s' cannot be a folder of its own (empty, "
                    "hidden, with a slash, too long, or twice there); rename "
                    "it",
                    name);
}

/* "folder/name" with a number where another image has that. */
static tn_status place(const char **out, tni_strmap *map, tni_arena *arena,
                       uint32_t split, const char *folder, const char *name,
                       tn_err *err)
{
    const size_t n = folder != NULL ? strlen(folder) : 0;
    const bool inside =
        n > 0 && strncmp(name, folder, n) == 0 && name[n] == '/';
    const size_t size = n + strlen(name) + 48;
    for (unsigned k = 0; k < 100000; k++) {
        char *key = tni_arena_alloc(arena, size, 1);
        if (key == NULL) break;
        const int used = snprintf(key, size, "%d/", (int)split);
        char *path = key + used;
        const size_t stem = tni_stem_len(name);
        size_t len =
            (size_t)snprintf(path, size - (size_t)used, "%s%s%.*s",
                             n > 0 && !inside ? folder : "",
                             n > 0 && !inside ? "/" : "", (int)stem, name);
        if (n == 0)
            for (char *p = path; *p != '\0'; p++)
                if (*p == '/') *p = '_';
        if (k > 0) len += (size_t)snprintf(path + len, 16, "_%u", k);
        memcpy(path + len, name + stem, strlen(name) - stem + 1);
        bool fresh = false;
        if (tni_strmap_add(map, key, strlen(key), &fresh) == NULL) break;
        *out = path;
        if (fresh) return TN_OK;
    }
    return no_memory(err);
}

static tn_status name_images(const tn_dataset *d, const char **names,
                             tni_arena *arena, tn_err *err)
{
    tni_strmap map;
    tni_strmap_init(&map, arena);
    for (uint32_t i = 0; i < d->classes.n; i++) TN_TRY(check_folder(d, i, err));
    for (uint32_t i = 0; i < d->images.n; i++) {
        uint32_t ann = 0;
        size_t n = 0;
        const uint32_t cls = tag_of(d, i, &ann, &n);
        TN_TRY(place(
            &names[i], &map, arena, tni_first_split(tni_image_at(d, i)),
            cls != TN_NONE ? tni_class_at(d, cls)->name : NULL, names[i], err));
    }
    return TN_OK;
}

/* What would read back as something else. */
static tn_status check(const tni_writer *w, tn_err *err)
{
    const tn_dataset *d = w->d;
    bool all_like_splits = d->classes.n > 0;
    for (uint32_t i = 0; i < d->n_splits; i++)
        if (!is_split_name(d->splits[i]))
            return tni_fail(err, TN_EUNSUPPORTED,
                            "a split called '%.60s' would be taken for a "
                            "class; expected train, val, valid, validation, "
                            "test or dev",
                            d->splits[i]);
    for (uint32_t i = 0; i < d->classes.n; i++)
        all_like_splits =
            all_like_splits && is_split_name(tni_class_at(d, i)->name);
    if (d->n_splits > 0 && d->classes.n == 0)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "without classes the folders of splits would be taken "
                        "for classes");
    if (d->n_splits == 0 && all_like_splits)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the classes are all called like splits and would be "
                        "taken for them; rename one");
    for (uint32_t i = 0; i < d->images.n; i++) {
        const tni_image_row *r = tni_image_at(d, i);
        if (!tni_image_there(d, i) || w->files == TN_FILES_NONE)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "image '%.100s' has no file to put there: folders "
                            "of images are made of nothing else",
                            r->name);
        if (d->n_splits > 0 && r->splits == 0)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "image '%.100s' is in no split, others are; "
                            "folders of splits would need one for all",
                            r->name);
        const char *base = strrchr(w->names[i], '/');
        if (!tni_is_image_name(w->names[i]) || w->names[i][0] == '.' ||
            (base != NULL && base[1] == '.') ||
            strstr(w->names[i], "/.") != NULL)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "'%.100s' is hidden or does not end like an image "
                            "and would be passed over; rename it",
                            w->names[i]);
    }
    return d->images.n > 0
               ? TN_OK
               : tni_fail(err, TN_EUNSUPPORTED, "the dataset has no images");
}

static tn_status write(tni_writer *w, tn_err *err)
{
    char path[4096];
    TN_TRY(check(w, err));
    /* Every class gets its folder in every split: they are the list. */
    for (uint32_t s = 0; s < (w->d->n_splits > 0 ? w->d->n_splits : 1); s++)
        for (uint32_t i = 0; i < w->d->classes.n; i++) {
            char inner[600];
            TN_TRY(tni_path_of(inner, sizeof inner,
                               w->d->n_splits > 0 ? w->d->splits[s] : NULL,
                               NULL, tni_class_at(w->d, i)->name, err));
            TN_TRY(tni_path_of(path, sizeof path, w->folder, NULL, inner, err));
            TN_TRY(tni_dir_make(path, err));
        }
    for (uint32_t i = 0; i < w->d->images.n; i++) {
        const uint32_t s = tni_first_split(tni_image_at(w->d, i));
        uint32_t ann = 0;
        size_t n = 0;
        TN_TRY(tni_path_of(path, sizeof path,
                           s != TN_NONE ? w->d->splits[s] : NULL, NULL,
                           w->names[i], err));
        TN_TRY(tni_write_image(w, i, path, err));
        if (tag_of(w->d, i, &ann, &n) != TN_NONE) w->written[ann] = 1;
        if ((i & 255) == 0)
            TN_TRY(tni_writer_progress(w, "images", i, w->d->images.n, err));
    }
    return TN_OK;
}

const tni_format tni_format_imagefolder = {
    .name = "imagefolder",
    .title = "Images in folders of classes",
    .files = "class/*.jpg",
    .source = "https://docs.pytorch.org/vision/stable/generated/"
              "torchvision.datasets.ImageFolder.html",
    .keeps = TNI_KEEPS(TAG) | TNI_KEEPS(SPLIT) | TNI_KEEPS(UNKNOWN) |
             TNI_KEEPS(UNUSED),
    .flags = TNI_FORMAT_SEEN_CLASSES,
    .probe = probe,
    .read = read,
    .plan = plan,
    .rename = name_images,
    .write = write,
};
